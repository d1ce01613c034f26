//! The lane's pieces by themselves, each doing what it does within a lane: for benches and instruction counts.
//!
//! Whoever times one passes what comes out of it to `black_box`: the work can't be left out.

use crate::acceptor::{Acceptor, Frames};
use crate::taker::{PLUGS, Taker, gateway};
use anyhow::{Result, anyhow, bail, ensure};
use firelane_gateway::base::{
    ClientId, Currency, Instrument, InstrumentId, LineId, Mono, Price, Qty, Side, Symbol, VenueId,
};
use firelane_gateway::flow::action::{Enter, Tags, TimeInForce};
use firelane_gateway::flow::entry::{OrderEntry, OuchEntry, Stage};
use firelane_gateway::flow::outbox::{Class, Outbox, Output};
use firelane_gateway::flow::risk::{Approvals, Approved, Facts, Gate, MarkedEnter, Refusal};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::soupbintcp::{NO_PASSWORD, Password};

use firelane_gateway::flow::{Arrival, Gateway, Input};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::journal::{Journal, Sink};
use firelane_gateway::shell::log::{Effects, LogError};
use firelane_gateway::shell::ring::{FrameReader, FrameWriter, ring};
use firelane_sim::venue::engine::{Engine, EngineConfig, Phase, TradingState};
use firelane_sim::venue::market::{Effect, Market, NewOrder};
use std::hint::black_box;

/// A configuration in which every control of the gate has something to do: an instrument in another currency than the
/// limits, recent orders to compare with, a collar, a price test.
const EVERY_CONTROL: &str = "
risk.orders_per_second = 100000
risk.burst = 256
risk.duplicate_window_us = 100
risk.max_position = 1000000
risk.whole_lots = true
[[currency]]
code = \"EUR\"
rate = \"1.0832\"
max_total_open = 1000000
";

fn instrument() -> Instrument {
    let symbol = Symbol::new("BENCH").expect("a symbol");
    Instrument { currency: Currency::new("EUR").expect("a currency"), ..Instrument::us_equity(symbol) }
}

/// The gate with every control on.
#[derive(Debug)]
pub struct GateWork {
    gate: Gate,
    row: Instrument,
    now: Mono,
    n: i64,
}

impl GateWork {
    /// A gate that has let nothing pass yet.
    ///
    /// # Errors
    /// None, unless its own configuration is not sound any more.
    pub fn new() -> Result<Self> {
        let config = Config::parse(EVERY_CONTROL)?;
        let mut gate = Gate::new(&config.risk, 4)?;
        gate.set_currencies(&config.currencies)?;
        Ok(GateWork { gate, row: instrument(), now: Mono(1_000_000_000), n: 0 })
    }

    /// The next order, judged: bought and sold by turns, at changing prices, twenty microseconds apart.
    ///
    /// # Errors
    /// Never: each passes.
    #[inline(never)]
    pub fn enter(&mut self) -> Result<Approvals, Refusal> {
        self.n += 1;
        self.now = Mono(self.now.0 + 20_000);
        let side = if self.n % 2 == 0 { Side::Buy } else { Side::Sell };
        let (bid, ask) = (Price(1_000_000), Price(1_000_300));
        let facts = Facts {
            now: self.now,
            instrument: &self.row,
            best_bid: Some(bid),
            best_ask: Some(ask),
            fresh: true,
            crossed: false,
            tradable: true,
            collar: Some((Price(900_000), Price(1_100_000))),
            short_restricted: true,
            own_best_bid: Some(Price(999_900)),
            own_best_ask: Some(Price(1_000_900)),
            room: 2,
        };
        // Above the bid, as the price test wants it; never the same within the window.
        let price = Price(1_000_100 + 100 * (self.n % 3));
        let qty = Qty(100 * (1 + self.n % 7));
        let enter = Enter {
            instrument: InstrumentId(0),
            side,
            price,
            qty,
            tif: TimeInForce::ImmediateOrCancel,
            post_only: false,
            tags: Tags::default(),
        };
        self.gate.enter(black_box(enter), black_box(&facts))
    }
}

/// Order entry that may send, and approvals for it.
#[derive(Debug)]
pub struct EncodeWork {
    entry: OuchEntry,
    row: Instrument,
    gate: GateWork,
    out: Outbox,
    now: Mono,
    id: u64,
}

impl EncodeWork {
    /// Logs in at a scripted port.
    ///
    /// # Errors
    /// If it is not let in.
    pub fn new() -> Result<Self> {
        // Who located the shares is an option that peers can't say.
        let config = Config::parse("entry.locate_broker = \"\"")?;
        let mut entry = OuchEntry::new(config.venues.first().entry.clone())?;
        let mut port = Acceptor::new(config.venues.first().entry.login.username, Password(NO_PASSWORD));
        let (mut out, mut frames, mut now) = (Outbox::new(0), Frames::default(), Mono(1_000_000_000));
        entry.start(now, &mut out);
        for _ in 0..200 {
            now = Mono(now.0 + 100_000_000);
            let mut connected = false;
            for output in out.outputs() {
                match output {
                    Output::Connect(..) => connected = true,
                    Output::Send { bytes, .. } => port.on_bytes(now, bytes, &mut frames),
                    _ => {}
                }
            }
            out.clear();
            if connected {
                port.on_connected(now);
                entry.on_session(now, SessionInput::Connected, &mut out);
            }
            port.on_timer(now, &mut frames);
            let bytes = core::mem::take(&mut frames.0);
            let mut rest = bytes.as_slice();
            while !rest.is_empty() {
                let taken = entry.on_session(now, SessionInput::Bytes(rest), &mut out);
                rest = &rest[taken..];
                while entry.next_report(now, &mut out).is_some() {}
            }
            entry.on_timer(now, &mut out);
            if entry.stage() == Stage::Sweeping {
                entry.swept(now, &mut out);
            }
            if entry.ready() && out.is_empty() {
                return Ok(EncodeWork { entry, row: instrument(), gate: GateWork::new()?, out, now, id: 1 });
            }
        }
        bail!("order entry is not ready: {:?}", entry.stage())
    }

    /// Orders that passed the gate, to be sent.
    ///
    /// # Errors
    /// None, unless the gate refuses what it should not.
    pub fn approved(&mut self, count: usize) -> Result<Vec<Approved<MarkedEnter>>> {
        let refused = |refusal| anyhow!("the gate refused: {refusal:?}");
        (0..count).map(|_| self.gate.enter().map(|approvals| approvals.first).map_err(refused)).collect()
    }

    /// From an approved action to framed bytes in the outbox. False: it did not leave.
    #[inline(never)]
    pub fn encode(&mut self, order: Approved<MarkedEnter>) -> bool {
        self.id += 1;
        self.entry.enter(self.now, order, ClientId(self.id), &self.row, &mut self.out).is_ok()
    }

    /// What was framed; the outbox is empty then.
    pub fn drain(&mut self, mut see: impl FnMut(&[u8])) {
        for output in self.out.outputs() {
            if let Output::Send { bytes, class: Class::Order, .. } = output {
                see(bytes);
            }
        }
        self.out.clear();
    }

    /// Empties the outbox, as the shell does; what was in it counts as read.
    #[inline]
    pub fn clear(&mut self) {
        black_box(&mut self.out).clear();
    }
}

/// A sink that writes into a ring, as a live lane's does.
struct IntoRing(FrameWriter);

impl Sink for IntoRing {
    #[inline]
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        match self.0.write(parts) {
            true => Ok(()),
            false => Err(LogError::Io(std::io::Error::other("the ring is full"))),
        }
    }

    fn finish(self: Box<Self>) -> Result<(), LogError> {
        Ok(())
    }
}

/// What the lane does to write down its inputs, and its tape.
#[derive(Debug)]
pub struct JournalWork {
    journal: Journal,
    reader: FrameReader,
    packet: Vec<u8>,
    out: Outbox,
    number: u64,
}

impl JournalWork {
    /// A journal with its log, and its tape, going into rings or nowhere.
    #[must_use]
    pub fn new(log: bool, tape: bool) -> Self {
        let mut journal = Journal::new(0);
        let (writer, reader) = ring(1 << 22);
        let mut out = Outbox::new(0);
        if tape {
            out.tape(&[&[7; 96]]);
        }
        if log {
            journal.log_into(Box::new(IntoRing(writer)), Effects::Bytes);
        } else if tape {
            journal.tape_into(Box::new(IntoRing(writer)));
        }
        // One message in a MoldUDP64 packet.
        JournalWork { journal, reader, packet: vec![3; 58], out, number: 0 }
    }

    /// An input that comes, is written down, and causes nothing but what is in the outbox.
    ///
    /// # Errors
    /// The ring is full: drain it.
    #[inline(never)]
    pub fn input(&mut self) -> Result<(), LogError> {
        self.number += 1;
        let now = Mono(self.number);
        let input = Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), black_box(&self.packet));
        self.journal.input(self.number, now, &input)?;
        self.journal.outputs(self.number, now, &self.out)?;
        self.journal.done(self.number, now)
    }

    /// Takes out what was written; how many records.
    pub fn drain(&mut self) -> usize {
        let mut count = 0;
        while self.reader.read().is_some() {
            count += 1;
        }
        count
    }
}

/// A whole lane with books in it, to be saved and loaded.
#[allow(missing_debug_implementations)] // a lane has none
pub struct StateWork {
    lane: Gateway<Taker<()>>,
    saved: firelane_gateway::base::Writer,
}

impl StateWork {
    /// A lane of the configuration as it is printed, new.
    ///
    /// # Errors
    /// None, unless the configuration is not sound any more.
    pub fn new() -> Result<Self> {
        let config = Config::parse_with("feed.snapshot.enabled = false", PLUGS)?;
        let lane = gateway(&config, ())?;
        let mut work = StateWork { lane, saved: firelane_gateway::base::Writer(Vec::new()) };
        ensure!(work.save() > 0, "a lane saves nothing");
        Ok(work)
    }

    /// Saves it; how many bytes.
    #[inline(never)]
    pub fn save(&mut self) -> usize {
        self.saved.0.clear();
        self.lane.save(&mut self.saved);
        self.saved.0.len()
    }

    /// Loads what was saved last.
    ///
    /// # Errors
    /// None, unless a lane can't load what it saved.
    #[inline(never)]
    pub fn load(&mut self) -> Result<()> {
        let mut reader = firelane_gateway::base::Reader(&self.saved.0);
        self.lane.load(&mut reader).map_err(|error| anyhow!("{error:?}"))
    }
}

/// The simulated venue's matching engine in market hours.
#[derive(Debug)]
pub struct VenueWork {
    engine: Engine,
    symbol: Symbol,
    effects: Vec<Effect>,
    n: u32,
}

impl VenueWork {
    /// One symbol, with 200 orders on each side.
    ///
    /// # Errors
    /// None, unless the engine refuses what it should not.
    pub fn new() -> Result<Self> {
        let symbol = Symbol::new("BENCH").expect("a symbol");
        let mut engine = Engine::new(&EngineConfig::new(&[symbol]));
        let mut effects = Vec::new();
        for phase in [Phase::Messages, Phase::System, Phase::Market] {
            engine.set_phase(Self::at(0), phase, &mut effects);
        }
        engine
            .set_state(Self::at(0), symbol, TradingState::Trading, *b"    ", &mut effects)
            .map_err(|refusal| anyhow!("{refusal:?}"))?;
        let mut work = VenueWork { engine, symbol, effects, n: 0 };
        for level in 0..200 {
            work.enter(Side::Buy, 100, 999_000 - 100 * (level % 50));
            work.enter(Side::Sell, 100, 1_001_000 + 100 * (level % 50));
        }
        ensure!(work.drain() >= 400, "the engine says nothing");
        Ok(work)
    }

    fn at(n: u32) -> firelane_gateway::base::ExchangeTime {
        firelane_gateway::base::ExchangeTime::new(0, 34_200_000_000_000 + u64::from(n) * 1_000)
    }

    fn enter(&mut self, side: Side, shares: u32, price: i64) {
        self.n += 1;
        let order = NewOrder::limit(self.symbol, side, shares, Price(price));
        let entered = self.engine.enter(Self::at(self.n), order, &mut self.effects);
        debug_assert!(entered.is_ok());
    }

    /// Two orders: one that rests at a new best price, and one that trades with it. Books are as before.
    #[inline(never)]
    pub fn trade(&mut self) {
        self.enter(Side::Sell, 100, 1_000_000);
        self.enter(Side::Buy, 100, 1_000_000);
    }

    /// Takes what it has to say; how many messages.
    pub fn drain(&mut self) -> usize {
        self.effects.clear();
        black_box(self.engine.take_messages()).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::flow::wire::ouch50::Inbound;

    #[test]
    fn the_gate_lets_each_order_pass_and_has_looked_at_all() {
        let mut work = GateWork::new().unwrap();
        for n in 0..10_000 {
            let approvals = work.enter().unwrap_or_else(|refusal| panic!("{n}: {refusal:?}"));
            assert!(approvals.second.is_none());
        }
        assert_eq!(work.gate.passed(), 10_000);
    }

    #[test]
    fn what_was_approved_is_framed() {
        let mut work = EncodeWork::new().unwrap();
        let approved = work.approved(3).unwrap();
        assert_eq!(approved.len(), 3);
        approved.into_iter().for_each(|order| assert!(work.encode(order)));
        let mut frames = Vec::new();
        work.drain(|frame| frames.push(frame.to_vec()));
        assert_eq!(frames.len(), 3);
        for frame in frames {
            let Ok(Inbound::EnterOrder(order, _)) = Inbound::decode(&frame[3..]) else { panic!("{frame:?}") };
            assert_eq!(&order.symbol, b"BENCH   ");
        }
    }

    #[test]
    fn an_input_is_written_with_its_effects() {
        let written = |log, tape| {
            let mut work = JournalWork::new(log, tape);
            work.input().unwrap();
            work.drain()
        };
        // The input; a tape record is in the tape alone.
        assert_eq!([written(false, false), written(true, false), written(false, true)], [0, 1, 1]);
        let mut work = JournalWork::new(true, false);
        let most = (0..1_000_000).take_while(|_| work.input().is_ok()).count();
        assert!((10_000..1_000_000).contains(&most), "{most}");
    }

    #[test]
    fn a_lane_loads_what_it_saved() {
        let mut work = StateWork::new().unwrap();
        let (bytes, before) = (work.save(), work.lane.digest());
        work.load().unwrap();
        assert_eq!((work.save(), work.lane.digest()), (bytes, before));
    }

    #[test]
    fn the_venue_trades_and_says_so() {
        let mut work = VenueWork::new().unwrap();
        let trades = work.engine.trades().len();
        work.trade();
        assert_eq!((work.drain(), work.engine.trades().len()), (2, trades + 1));
    }
}
