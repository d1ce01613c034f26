//! Plays episodes into the order flow, and writes down what they were.

use super::script::{self, Script, Step};
use super::{Episode, Kind, Strength};
use crate::capture::write_binary_file;
use crate::clock::Agenda;
use crate::crowd::Crowd;
use crate::order_flow::FlowConfig;
use crate::rng::Rng;
use crate::venue::Venue;
use crate::venue::engine::{EngineConfig, TradingState, tick};
use crate::venue::market::{Life, NewOrder, What};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price, Side, Symbol, VenueRef};

/// A day: what the exchange said, and what was played into it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Day {
    /// ITCH 5.0 messages, a `BinaryFILE`.
    pub file: Vec<u8>,
    /// The instruments, in the order of the directory: the first has stock locate 1.
    pub symbols: Vec<Symbol>,
    /// How long the market was open.
    pub length: Nanos,
    /// What was played, in the order in which it began.
    pub episodes: Vec<Episode>,
}

/// How much of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayConfig {
    /// Symbols; each has its own episodes.
    pub symbols: usize,
    /// Mean number of actions of the order flow a second, in all symbols.
    pub rate: u32,
    /// How long the market is open.
    pub length: Nanos,
    /// Mean time from the end of an episode to the next one of the symbol, and what passes at least.
    pub every: (Nanos, Nanos),
}

impl Default for DayConfig {
    fn default() -> Self {
        DayConfig {
            symbols: 3,
            rate: 60,
            length: Nanos::from_secs(3_600),
            every: (Nanos::from_secs(10), Nanos::from_secs(2)),
        }
    }
}

/// 20 November 2024, from 9:30.
const OPENING: ExchangeTime = ExchangeTime::new(20_047, 34_200_000_000_000);
/// Books are built up before the first episode, and no episode begins so late that the close could cut it short.
const QUIET: Nanos = Nanos::from_secs(20);
/// Orders of the flow that live at a time, in each symbol in the mean.
const LIVE_ORDERS: usize = 120;

/// The day of a seed, as the task has it.
#[must_use]
pub fn day(seed: u64) -> Day {
    Day::play(DayConfig::default(), seed)
}

impl Day {
    /// The day of a seed.
    ///
    /// # Panics
    /// Never: the venue lists what the flow trades.
    #[must_use]
    pub fn play(config: DayConfig, seed: u64) -> Day {
        let flow = FlowConfig {
            symbols: config.symbols,
            rate: config.rate,
            live_orders: LIVE_ORDERS * config.symbols,
            opening_orders: 40,
            halt_every: Nanos(0),
            restriction_every: Nanos(0),
            ..FlowConfig::default()
        };
        let crowd = Crowd::new(flow, seed);
        let mut venue = Venue::new(OPENING, &EngineConfig::new(crowd.symbols()), Vec::new());
        for symbol in crowd.symbols() {
            venue.set_state(Mono(0), *symbol, TradingState::Trading, *b"    ").expect("it is listed");
        }
        // It says so of each once more when its day begins; ahead of that, readers would take it for a day of its own.
        drop(venue.take_messages());
        venue.open(Mono(0));
        let actors = (0..crowd.symbols().len()).map(|_| None).collect();
        let rng = Rng::new(seed, "manipulation");
        let mut play = Play { config, crowd, venue, rng, actors, agenda: Agenda::new(), episodes: Vec::new() };
        play.run();
        let Play { crowd, mut venue, mut episodes, .. } = play;
        episodes.sort_by_key(|episode| (episode.start, episode.symbol));
        let mut file = Vec::new();
        let messages = venue.take_messages();
        write_binary_file(&mut file, messages.iter().map(Vec::as_slice)).expect("memory takes all messages of ITCH");
        Day { file, symbols: crowd.symbols().to_vec(), length: config.length, episodes }
    }

    /// Hours that the market was open, of all symbols together.
    #[must_use]
    pub fn symbol_hours(&self) -> f64 {
        self.length.0 as f64 * self.symbols.len() as f64 / 3.6e12
    }
}

/// Somebody who is at it.
struct Actor {
    kind: Kind,
    strength: Strength,
    decoy: bool,
    script: Script,
    at: usize,
    /// By the numbers of the script: where an order rests.
    orders: Vec<Option<Placed>>,
    /// When its first step was heard of, and its last.
    heard: Option<(Mono, Mono)>,
}

#[derive(Clone, Copy)]
struct Placed {
    reference: VenueRef,
    side: Side,
    price: Price,
}

struct Play {
    config: DayConfig,
    crowd: Crowd,
    venue: Venue,
    rng: Rng,
    /// Of each symbol.
    actors: Vec<Option<Actor>>,
    /// When a symbol's next step is due, or its next episode begins.
    agenda: Agenda<usize>,
    episodes: Vec<Episode>,
}

impl Play {
    fn run(&mut self) {
        let close = Mono(0).after(self.config.length);
        for symbol in 0..self.actors.len() {
            self.pause(symbol, Mono(0).after(QUIET));
        }
        loop {
            let (flow, step) = (self.crowd.next_deadline(), self.agenda.next_deadline());
            if flow.min(step) >= close {
                return;
            }
            if flow <= step {
                self.crowd.on_timer(flow, &mut self.venue);
            } else if let Some((now, symbol)) = self.agenda.next() {
                self.act(now, symbol);
            }
        }
    }

    /// Nothing for a while.
    fn pause(&mut self, symbol: usize, now: Mono) {
        let (mean, least) = self.config.every;
        let wait = self.rng.exponential(mean);
        self.agenda.after(now.after(least), wait, symbol);
    }

    /// The next step of a symbol; the first of a new episode, if there is none.
    fn act(&mut self, now: Mono, symbol: usize) {
        let mut actor = match self.actors[symbol].take() {
            Some(actor) => actor,
            None if now.after(QUIET) > Mono(0).after(self.config.length) => return,
            None => Actor::new(&mut self.rng),
        };
        let (_, step) = actor.script[actor.at];
        if self.take_step(now, symbol, &mut actor, step).is_some() {
            actor.heard = Some((actor.heard.map_or(now, |(first, _)| first), now));
        }
        actor.at += 1;
        if let Some((wait, _)) = actor.script.get(actor.at) {
            self.agenda.after(now, *wait, symbol);
            self.actors[symbol] = Some(actor);
            return;
        }
        if let Some((start, end)) = actor.heard {
            let stamp = |at| self.venue.exchange_time(at).ns_since_midnight();
            let Actor { kind, strength, decoy, .. } = actor;
            self.episodes.push(Episode { kind, decoy, strength, symbol, start: stamp(start), end: stamp(end) });
        }
        self.pause(symbol, now);
    }

    /// Takes a step, if the market lets it: the orders that it names may have traded already, and a side may be empty. `None` where nothing happened.
    fn take_step(&mut self, now: Mono, symbol: usize, actor: &mut Actor, step: Step) -> Option<()> {
        match step {
            Step::Rest { order, side, behind, shares } => {
                let best = self.best(symbol, side)?;
                let price = best.offset(-side.sign() * behind * tick(best));
                actor.orders[order] = self.rest(now, symbol, side, price, shares);
                actor.orders[order].map(|_| ())
            }
            Step::Again { order, like, behind, shares } => {
                let Placed { side, price, .. } = actor.orders[like]?;
                let price = price.offset(-side.sign() * behind * tick(price));
                actor.orders[order] = self.rest(now, symbol, side, price, shares);
                actor.orders[order].map(|_| ())
            }
            Step::Hit { order, shares } => {
                let Placed { reference, side, price } = actor.orders[order]?;
                let open = self.venue.engine().order(reference)?.open;
                let ahead = self.ahead(symbol, reference, side);
                self.take(now, symbol, side.opposite(), ahead + shares.map_or(open, |shares| shares.min(open)), price)
            }
            Step::Sweep { side } => {
                let (price, shares) = self.touch(symbol, side.opposite())?;
                self.take(now, symbol, side, u32::try_from(shares).unwrap_or(u32::MAX), price)
            }
            Step::Take { side, shares } => {
                let (price, _) = self.touch(symbol, side.opposite())?;
                self.take(now, symbol, side, shares, price)
            }
            Step::Cancel { order } => {
                let Placed { reference, .. } = actor.orders[order]?;
                self.venue.reduce(now, reference, 0).ok().map(|_| ())
            }
            Step::News { side, half_spreads } => {
                self.crowd.news(symbol, side.sign() * half_spreads);
                None
            }
        }
    }

    fn touch(&self, symbol: usize, side: Side) -> Option<(Price, u64)> {
        let top = self.venue.engine().top(self.crowd.symbols()[symbol]);
        match side {
            Side::Buy => top.bid,
            Side::Sell => top.ask,
        }
    }

    fn best(&self, symbol: usize, side: Side) -> Option<Price> {
        self.touch(symbol, side).map(|(price, _)| price)
    }

    /// Rests an order at a price, or as close to it as it can without trading.
    fn rest(&mut self, now: Mono, symbol: usize, side: Side, price: Price, shares: u32) -> Option<Placed> {
        let price = match self.best(symbol, side.opposite()) {
            Some(far) if side.crosses(price, far) => far.offset(-side.sign() * tick(far)),
            _ => price,
        };
        let order = NewOrder::limit(self.crowd.symbols()[symbol], side, shares, price);
        let reference = self.venue.enter(now, order).ok()?.first()?.reference;
        Some(Placed { reference, side, price })
    }

    /// An order that takes what it finds up to a limit. `None` if it found nothing.
    fn take(&mut self, now: Mono, symbol: usize, side: Side, shares: u32, limit: Price) -> Option<()> {
        let order = NewOrder::limit(self.crowd.symbols()[symbol], side, shares, limit);
        let effects = self.venue.enter(now, NewOrder { life: Life::Immediate, ..order }).ok()?;
        effects.iter().any(|effect| matches!(effect.what, What::Executed { .. })).then_some(())
    }

    /// Shares that trade before an order does.
    fn ahead(&self, symbol: usize, reference: VenueRef, side: Side) -> u32 {
        let book = self.venue.engine().book(self.crowd.symbols()[symbol]);
        let queue = book.iter().filter(|order| order.side == side);
        queue.take_while(|order| order.reference != reference).map(|order| order.shares).sum()
    }
}

impl Actor {
    fn new(rng: &mut Rng) -> Self {
        let kind = Kind::ALL[rng.index(Kind::ALL.len())];
        let strength = Strength::ALL[rng.index(Strength::ALL.len())];
        let decoy = rng.coin();
        let script = script::write(kind, strength, decoy, rng);
        let orders = vec![None; script.len()];
        Actor { kind, strength, decoy, script, at: 0, orders, heard: None }
    }
}
