//! Synthetic order flow: what the rest of the market does, seeded.
//!
//! - *When*: a Hawkes process, drawn as the branching process that it is. Events arrive by themselves (Poisson), and
//!   each may breed a quick and a slow reaction in the same symbol. Bursts are what comes of it.
//! - *Where*: symbols by Zipf's law, prices around a random walk of each symbol's fair value, most orders at or near
//!   the touch and a few far away, sizes in lots with a heavy tail.
//! - *What*: about nine of ten messages enter or cancel orders that never trade. Orders on the wrong side of the fair
//!   value go first: a maker that sees the price move pulls its quote.
//!
//! The flow decides when it is asked, on the market as it then is, and remembers only its own live orders.

use crate::clock::Agenda;
use crate::rng::{Ppm, Rng};
use firelane_gateway::base::{Mono, Nanos, Price, Side, Symbol};

#[cfg(test)]
mod tests;

/// The flow's name for one of its live orders: a small number, used again once the order is gone. It survives a
/// replace.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Handle(pub u32);

/// What the flow wants to know of the market before it acts.
pub trait MarketPeek {
    /// The best displayed price of a side of `symbol` (an index into [`OrderFlow::symbols`]).
    fn best(&self, symbol: usize, side: Side) -> Option<Price>;
    /// Shares still open in an order of the flow. Zero when it has traded, was refused, or is otherwise gone.
    fn open(&self, order: Handle) -> u32;
}

/// What the flow does. `symbol` is an index into [`OrderFlow::symbols`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlowAction {
    /// Enters a day limit order.
    Enter {
        /// Its name from now on, whatever had it before.
        order: Handle,
        /// Symbol.
        symbol: usize,
        /// Side.
        side: Side,
        /// Limit.
        price: Price,
        /// Shares.
        shares: u32,
        /// Not displayed.
        hidden: bool,
    },
    /// Enters an immediate-or-cancel limit order.
    Take {
        /// Symbol.
        symbol: usize,
        /// Side.
        side: Side,
        /// Limit.
        price: Price,
        /// Shares.
        shares: u32,
    },
    /// Cancels an order, whose name is then free.
    Cancel {
        /// Which.
        order: Handle,
    },
    /// Takes shares off an order, but not all.
    Reduce {
        /// Which.
        order: Handle,
        /// How many shares fewer.
        by: u32,
    },
    /// Moves an order, which loses its priority and keeps its name, symbol, side and display.
    Replace {
        /// Which.
        order: Handle,
        /// Its symbol.
        symbol: usize,
        /// Its side.
        side: Side,
        /// Is it not displayed?
        hidden: bool,
        /// New limit.
        price: Price,
        /// New open shares.
        shares: u32,
    },
    /// Trading halts, or pauses.
    Halt {
        /// Symbol.
        symbol: usize,
        /// A volatility pause (ITCH state `P`) rather than a halt (`H`).
        pause: bool,
        /// Reason as in ITCH Stock Trading Action.
        reason: [u8; 4],
    },
    /// Quotes may be entered, trading does not yet resume (ITCH state `Q`).
    QuoteOnly {
        /// Symbol.
        symbol: usize,
    },
    /// Trading resumes.
    Resume {
        /// Symbol.
        symbol: usize,
    },
    /// The Regulation SHO price test begins or ends.
    ShortSaleRestriction {
        /// Symbol.
        symbol: usize,
        /// Begins.
        on: bool,
    },
}

/// How much of what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FlowConfig {
    /// Symbols, at least one.
    pub symbols: usize,
    /// Mean number of actions a second after the opening.
    pub rate: u32,
    /// About so many orders live at a time, in all symbols.
    pub live_orders: usize,
    /// When it begins.
    pub start: Mono,
    /// Orders in each symbol with which the books are built up first...
    pub opening_orders: u32,
    /// ...within this time.
    pub opening: Nanos,
    /// Mean time between halts, of any symbol; zero is never.
    pub halt_every: Nanos,
    /// Mean length of a halt.
    pub halt_for: Nanos,
    /// Mean time between Regulation SHO price tests, of any symbol; zero is never.
    pub restriction_every: Nanos,
}

impl Default for FlowConfig {
    fn default() -> Self {
        FlowConfig {
            symbols: 100,
            rate: 10_000,
            live_orders: 10_000,
            start: Mono(0),
            opening_orders: 10,
            opening: Nanos::from_millis(500),
            halt_every: Nanos::from_secs(20),
            halt_for: Nanos::from_secs(3),
            restriction_every: Nanos::from_secs(30),
        }
    }
}

/// A price step, in price units: one cent.
const TICK: i64 = 100;
/// Fair values walk between one and two thousand dollars.
const FAIR: std::ops::RangeInclusive<i64> = 100..=200_000;

/// Chances of the two reactions to an event, and how long they take on average. Together they make 4 of 5 events.
const QUICK: (Ppm, Nanos) = (Ppm::percent(55), Nanos::from_micros(150));
const SLOW: (Ppm, Nanos) = (Ppm::percent(25), Nanos::from_millis(20));
/// Of events arrive by themselves.
const SPONTANEOUS_PERCENT: u64 = 20;
/// No reactions while so much is to come: memory stays bounded.
const MAX_AGENDA: usize = 65_536;

/// What an action is, in thousandths; the rest enters and cancels.
const TAKE: u64 = 45;
const REPLACE: u64 = 60;
const REDUCE: u64 = 15;

#[derive(Debug)]
enum Plan {
    /// The next order of the opening, by its number.
    Opening(usize),
    /// An event that comes by itself.
    Spontaneous,
    /// An event that another one caused.
    Reaction(usize),
    Halt,
    QuoteOnly(usize),
    Resume(usize),
    Restrict,
    Unrestrict(usize),
}

#[derive(Debug)]
struct Instrument {
    /// Fair value, in ticks.
    fair: i64,
    /// Usual distance of the touch from it, in ticks.
    half_spread: i64,
    /// So many orders live at rest.
    target: usize,
    /// Live orders, the latest near the end; some may have traded without the flow's knowing yet.
    live: Vec<Handle>,
    halted: bool,
    restricted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Order {
    side: Side,
    price: Price,
    shares: u32,
    hidden: bool,
}

/// The flow. Whenever [`next_deadline`](Self::next_deadline) is reached, take actions from
/// [`on_timer`](Self::on_timer) and apply each, until there is none.
#[derive(Debug)]
pub struct OrderFlow {
    config: FlowConfig,
    rng: Rng,
    agenda: Agenda<Plan>,
    symbols: Vec<Symbol>,
    instruments: Vec<Instrument>,
    /// Upper ends of the symbols' shares of all activity.
    activity: Vec<u64>,
    orders: Vec<Order>,
    free: Vec<Handle>,
}

impl OrderFlow {
    /// A flow in the run of `seed`.
    #[must_use]
    pub fn new(mut config: FlowConfig, seed: u64) -> Self {
        config.symbols = config.symbols.max(1);
        config.rate = config.rate.max(1);
        let mut rng = Rng::new(seed, "order flow");
        let mut rank: Vec<u64> = (1..=config.symbols as u64).collect();
        for i in (1..rank.len()).rev() {
            rank.swap(i, rng.index(i + 1));
        }
        // Zipf: the k-th most active symbol has 1/k of the activity of the first.
        let weights: Vec<u64> = rank.iter().map(|k| (1 << 40) / k).collect();
        let activity: Vec<u64> = weights
            .iter()
            .scan(0, |sum, w| {
                *sum += w;
                Some(*sum)
            })
            .collect();
        let total = activity.last().copied().unwrap_or(1).max(1);
        let mut instruments = Vec::with_capacity(config.symbols);
        for (weight, rank) in weights.iter().zip(&rank) {
            let share = u128::from(*weight) * config.live_orders as u128 / u128::from(total);
            let target = usize::try_from(share).unwrap_or(usize::MAX).max(6);
            // From 5 to 500 dollars, cheap ones more often; the spread grows with price and obscurity.
            let fair = (500 * rng.heavy_tailed(100)).cast_signed() + rng.between(0, 499).cast_signed();
            let half_spread = 1 + fair / 8_000 + i64::from(u64::BITS - rank.leading_zeros()) / 4;
            let live = Vec::with_capacity(2 * target + 1);
            instruments.push(Instrument { fair, half_spread, target, live, halted: false, restricted: false });
        }
        let capacity: usize = instruments.iter().map(|i| 2 * i.target + 1).sum();
        let unused = Order { side: Side::Buy, price: Price(0), shares: 0, hidden: false };
        let mut flow = OrderFlow {
            config,
            rng,
            agenda: Agenda::new(),
            symbols: (0..config.symbols).map(symbol_name).collect(),
            instruments,
            activity,
            orders: vec![unused; capacity],
            free: (0..capacity).rev().map(|i| Handle(u32::try_from(i).unwrap_or(u32::MAX))).collect(),
        };
        flow.agenda.at(config.start, Plan::Opening(0));
        let opened = config.start.after(config.opening);
        flow.plan_after(opened, flow.spontaneous_every(), Plan::Spontaneous);
        flow.plan_after(opened, config.halt_every, Plan::Halt);
        flow.plan_after(opened, config.restriction_every, Plan::Restrict);
        flow
    }

    /// The symbols, in the order of their indices.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// One more than the highest handle there will ever be.
    #[must_use]
    pub fn handles(&self) -> usize {
        self.orders.len()
    }

    /// When it acts next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.agenda.next_deadline()
    }

    /// The next action due by `now`, decided on the market as it is. `None` when there is no more.
    pub fn on_timer(&mut self, now: Mono, market: &impl MarketPeek) -> Option<FlowAction> {
        loop {
            let (when, plan) = self.agenda.due(now)?;
            let action = match plan {
                Plan::Opening(number) => self.open_books(when, number, market),
                Plan::Spontaneous => {
                    self.plan_after(when, self.spontaneous_every(), Plan::Spontaneous);
                    let symbol = self.any_symbol();
                    self.react(when, symbol, market)
                }
                Plan::Reaction(symbol) => self.react(when, symbol, market),
                Plan::Halt => self.halt(when),
                Plan::QuoteOnly(symbol) => {
                    self.agenda.after(when, Nanos::from_secs(1), Plan::Resume(symbol));
                    Some(FlowAction::QuoteOnly { symbol })
                }
                Plan::Resume(symbol) => {
                    self.instruments[symbol].halted = false;
                    Some(FlowAction::Resume { symbol })
                }
                Plan::Restrict => self.restrict(when),
                Plan::Unrestrict(symbol) => {
                    self.instruments[symbol].restricted = false;
                    Some(FlowAction::ShortSaleRestriction { symbol, on: false })
                }
            };
            if action.is_some() {
                return action;
            }
        }
    }

    /// News of a symbol: what it is thought to be worth moves by so many of its half spreads.
    pub fn news(&mut self, symbol: usize, half_spreads: i64) {
        let instrument = &mut self.instruments[symbol];
        instrument.fair = (instrument.fair + half_spreads * instrument.half_spread).clamp(*FAIR.start(), *FAIR.end());
    }

    /// Mean time between events that come by themselves.
    fn spontaneous_every(&self) -> Nanos {
        Nanos(1_000_000_000 * 100 / SPONTANEOUS_PERCENT / u64::from(self.config.rate))
    }

    /// Plans something for an exponentially distributed time later; never, if the mean is zero.
    fn plan_after(&mut self, now: Mono, mean: Nanos, plan: Plan) {
        if mean.0 > 0 {
            let wait = self.rng.exponential(mean);
            self.agenda.after(now, wait, plan);
        }
    }

    fn any_symbol(&mut self) -> usize {
        let drawn = self.rng.below(self.activity.last().copied().unwrap_or(1));
        self.activity.partition_point(|end| *end <= drawn)
    }

    fn open_books(&mut self, when: Mono, number: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        let all = self.instruments.len() * self.config.opening_orders as usize;
        if number >= all {
            return None;
        }
        self.agenda.after(when, Nanos(self.config.opening.0 / all as u64), Plan::Opening(number + 1));
        let (symbol, round) = (number % self.instruments.len(), number / self.instruments.len());
        self.enter(symbol, if round % 2 == 0 { Side::Buy } else { Side::Sell }, market)
    }

    fn halt(&mut self, when: Mono) -> Option<FlowAction> {
        self.plan_after(when, self.config.halt_every, Plan::Halt);
        let symbol = self.any_symbol();
        let instrument = &mut self.instruments[symbol];
        if std::mem::replace(&mut instrument.halted, true) {
            return None;
        }
        self.plan_after(when, Nanos(self.config.halt_for.0.max(1)), Plan::QuoteOnly(symbol));
        let pause = self.rng.coin();
        Some(FlowAction::Halt { symbol, pause, reason: if pause { *b"LUDP" } else { *b"T1  " } })
    }

    fn restrict(&mut self, when: Mono) -> Option<FlowAction> {
        self.plan_after(when, self.config.restriction_every, Plan::Restrict);
        let symbol = self.any_symbol();
        if std::mem::replace(&mut self.instruments[symbol].restricted, true) {
            return None;
        }
        self.plan_after(when, Nanos(self.config.restriction_every.0.saturating_mul(2)), Plan::Unrestrict(symbol));
        Some(FlowAction::ShortSaleRestriction { symbol, on: true })
    }

    /// One event in a symbol, and perhaps others to follow.
    fn react(&mut self, when: Mono, symbol: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        for (chance, mean) in [QUICK, SLOW] {
            if self.rng.chance(chance) && self.agenda.len() < MAX_AGENDA {
                self.plan_after(when, mean, Plan::Reaction(symbol));
            }
        }
        if self.instruments[symbol].halted {
            return self.enter_or_cancel(symbol, market);
        }
        self.drift(symbol);
        let drawn = self.rng.below(1_000);
        let action = if drawn < TAKE {
            self.take(symbol, market)
        } else if drawn < TAKE + REPLACE {
            self.replace(symbol, market)
        } else if drawn < TAKE + REPLACE + REDUCE {
            self.reduce(symbol, market)
        } else {
            None
        };
        action.or_else(|| self.enter_or_cancel(symbol, market))
    }

    /// The fair value moves now and then, by up to the distance of the touch.
    fn drift(&mut self, symbol: usize) {
        if self.rng.chance(Ppm::percent(4)) {
            let instrument = &mut self.instruments[symbol];
            let step = self.rng.between(1, instrument.half_spread.unsigned_abs()).cast_signed();
            let moved = instrument.fair + if self.rng.coin() { step } else { -step };
            instrument.fair = moved.clamp(*FAIR.start(), *FAIR.end());
        }
    }

    /// The more orders live, the likelier one is cancelled: their number hovers around the target.
    fn enter_or_cancel(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        let instrument = &self.instruments[symbol];
        let (live, full) = (instrument.live.len() as u64, 2 * instrument.target as u64);
        if self.rng.below(full) < live
            && let Some(at) = self.pick_to_cancel(symbol, market)
        {
            let order = self.instruments[symbol].live[at];
            self.release(symbol, at);
            return Some(FlowAction::Cancel { order });
        }
        let side = if self.rng.coin() { Side::Buy } else { Side::Sell };
        self.enter(symbol, side, market)
    }

    fn enter(&mut self, symbol: usize, side: Side, market: &impl MarketPeek) -> Option<FlowAction> {
        let instrument = &self.instruments[symbol];
        if instrument.live.len() > 2 * instrument.target {
            return None;
        }
        let price = self.resting_price(symbol, side, market);
        let shares = self.size(100);
        let hidden = self.rng.chance(Ppm::percent(3));
        self.remember(symbol, Order { side, price, shares, hidden }).map(|order| FlowAction::Enter {
            order,
            symbol,
            side,
            price,
            shares,
            hidden,
        })
    }

    /// A marketable order, on the side that the fair value favours. One in five rests with what is left.
    fn take(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        let fair = Price(self.instruments[symbol].fair * TICK);
        let touch = |side: Side| market.best(symbol, side.opposite());
        let side = if touch(Side::Buy).is_some_and(|ask| ask < fair) {
            Side::Buy
        } else if touch(Side::Sell).is_some_and(|bid| bid > fair) || self.rng.coin() {
            Side::Sell
        } else {
            Side::Buy
        };
        let reach = self.rng.run(Ppm::percent(10), 3).cast_signed() * TICK;
        let price = touch(side)?.offset(side.sign() * reach);
        let price = Price(price.0.max(TICK));
        // Takers take less than makers show: half of what they send are odd lots.
        let shares = if self.rng.coin() { u32::try_from(self.rng.between(1, 99)).unwrap_or(1) } else { self.size(10) };
        if self.rng.chance(Ppm::percent(80)) {
            return Some(FlowAction::Take { symbol, side, price, shares });
        }
        self.remember(symbol, Order { side, price, shares, hidden: false }).map(|order| FlowAction::Enter {
            order,
            symbol,
            side,
            price,
            shares,
            hidden: false,
        })
    }

    fn replace(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        let at = self.pick(symbol, market)?;
        let order = self.instruments[symbol].live[at];
        let Order { side, shares, hidden, .. } = self.orders[order.0 as usize];
        let price = self.resting_price(symbol, side, market);
        let shares = if self.rng.coin() { shares } else { self.size(100) };
        self.orders[order.0 as usize] = Order { side, price, shares, hidden };
        Some(FlowAction::Replace { order, symbol, side, hidden, price, shares })
    }

    fn reduce(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<FlowAction> {
        let at = self.pick(symbol, market)?;
        let order = self.instruments[symbol].live[at];
        let open = u64::from(market.open(order));
        let by = match open {
            0 | 1 => return None,
            2..=100 => self.rng.between(1, open - 1),
            _ => 100 * self.rng.between(1, (open - 1) / 100),
        };
        let by = u32::try_from(by).ok()?;
        self.orders[order.0 as usize].shares = market.open(order) - by;
        Some(FlowAction::Reduce { order, by })
    }

    /// A price at which an order rests: the touch of the fair value, or some way behind it, rarely far behind or
    /// inside the spread; never one that crosses the market.
    fn resting_price(&mut self, symbol: usize, side: Side, market: &impl MarketPeek) -> Price {
        let Instrument { fair, half_spread, .. } = self.instruments[symbol];
        let behind = if self.rng.chance(Ppm::percent(3)) {
            half_spread * self.rng.heavy_tailed(500).cast_signed()
        } else if half_spread > 1 && self.rng.chance(Ppm::percent(5)) {
            -self.rng.between(1, (half_spread - 1).unsigned_abs()).cast_signed()
        } else {
            self.rng.run(Ppm::percent(55), 20).cast_signed()
        };
        let asked = Price((fair - side.sign() * (half_spread + behind)) * TICK);
        let price = match market.best(symbol, side.opposite()) {
            Some(far) if side.crosses(asked, far) => far.offset(-side.sign() * TICK),
            _ => asked,
        };
        Price(price.0.max(TICK))
    }

    /// Mostly one lot, some odd lots, and a heavy tail up to `cap` lots.
    fn size(&mut self, cap: u64) -> u32 {
        let shares = match self.rng.below(10) {
            0 => self.rng.between(1, 99),
            1..=4 => 100,
            _ => 100 * self.rng.heavy_tailed(cap),
        };
        u32::try_from(shares).unwrap_or(100)
    }

    fn remember(&mut self, symbol: usize, order: Order) -> Option<Handle> {
        let handle = self.free.pop()?;
        self.orders[handle.0 as usize] = order;
        self.instruments[symbol].live.push(handle);
        Some(handle)
    }

    fn release(&mut self, symbol: usize, at: usize) {
        let handle = self.instruments[symbol].live.swap_remove(at);
        self.free.push(handle);
    }

    /// A live order, the latest ones as likely as all the others. Forgets dead ones that it comes across.
    fn pick(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<usize> {
        for _ in 0..8 {
            let live = self.instruments[symbol].live.len();
            if live == 0 {
                break;
            }
            let at = if self.rng.coin() { live - 1 - self.rng.index(live.min(8)) } else { self.rng.index(live) };
            if market.open(self.instruments[symbol].live[at]) > 0 {
                return Some(at);
            }
            self.release(symbol, at);
        }
        None
    }

    /// Of a few live orders one that the fair value has run over, else the first.
    fn pick_to_cancel(&mut self, symbol: usize, market: &impl MarketPeek) -> Option<usize> {
        let first = self.pick(symbol, market)?;
        let handle = self.instruments[symbol].live[first];
        for _ in 0..4 {
            let Some(at) = self.pick(symbol, market) else { break };
            let instrument = &self.instruments[symbol];
            let order = self.orders[instrument.live[at].0 as usize];
            if order.side.is_better(order.price, Price(instrument.fair * TICK)) {
                return Some(at);
            }
        }
        // Picking may have moved it.
        if self.instruments[symbol].live.get(first) == Some(&handle) { Some(first) } else { self.pick(symbol, market) }
    }
}

/// The name of a symbol: four letters, different for each of the first 456,976, the same in every run.
#[must_use]
pub fn symbol_name(index: usize) -> Symbol {
    const LETTERS: u64 = 26 * 26 * 26 * 26;
    // The factor has no divisor in common with 26, so that no name comes twice; the offset starts off with a nice one.
    let mut code = (index as u64).wrapping_mul(168_803).wrapping_add(102_481) % LETTERS;
    let mut name = [b' '; 8];
    for letter in name[..4].iter_mut().rev() {
        *letter = b'A' + u8::try_from(code % 26).unwrap_or(0);
        code /= 26;
    }
    Symbol(name)
}
