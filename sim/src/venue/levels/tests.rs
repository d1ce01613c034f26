//! What a client makes of the frames is the engine's book, whatever happens to its connection.

use super::*;
use crate::exchange::{Exchange, Synthetic};
use crate::order_flow::FlowConfig;

/// A client that believes what it hears, from a snapshot on.
#[derive(Default)]
struct Reader {
    next: u64,
    whole: bool,
    session: Option<State>,
    names: BTreeMap<u32, Symbol>,
    states: BTreeMap<u32, State>,
    levels: BTreeMap<(u32, Side, i64), (i64, u32)>,
    snapshots: u64,
    trades: u64,
    heartbeats: u64,
    /// What cannot be believed.
    wrong: Option<&'static str>,
}

impl Reader {
    fn read(&mut self, mut bytes: &[u8]) {
        while self.wrong.is_none() && !bytes.is_empty() {
            let Ok(Some(length)) = normal::length_of(bytes) else {
                self.wrong = Some("no frame");
                return;
            };
            let (frame, rest) = bytes.split_at(length);
            bytes = rest;
            let frame = normal::decode(frame).unwrap();
            self.next += 1;
            if frame.header.sequence.get() != self.next {
                self.wrong = Some("a number is missing");
                return;
            }
            self.hear(frame.header.instrument.get(), frame.body);
        }
    }

    fn hear(&mut self, number: u32, body: Body<'_>) {
        match body {
            Body::SnapshotBegin => {
                self.whole = false;
                (self.names, self.states, self.levels) = Default::default();
            }
            Body::SnapshotEnd => {
                self.snapshots += 1;
                self.whole = true;
            }
            Body::Heartbeat => self.heartbeats += 1,
            Body::Instrument(body) => drop(self.names.insert(number, body.name().symbol().unwrap())),
            Body::Status(state) if number == 0 => self.session = Some(state),
            Body::Status(state) => drop(self.states.insert(number, state)),
            Body::Clear(_) => self.levels.retain(|(of, ..), _| *of != number),
            Body::Trade(trade) => {
                assert!(trade.price.get() > 0);
                self.trades += 1;
            }
            Body::Level(side, level) => {
                let key = (number, side, level.price.get());
                match level.qty.get() {
                    0 => drop(self.levels.remove(&key)),
                    qty => drop(self.levels.insert(key, (qty, level.orders.get()))),
                }
            }
        }
    }

    fn has(&self, exchange: &dyn Exchange) {
        assert!(self.whole && self.names.len() == exchange.symbols().len());
        let mut all = BTreeMap::new();
        for (number, symbol) in &self.names {
            for order in exchange.displayed(*symbol) {
                let level: &mut (i64, u32) = all.entry((*number, order.side, order.price.0)).or_default();
                *level = (level.0 + i64::from(order.shares), level.1 + 1);
            }
        }
        assert!(self.levels == all);
    }
}

struct Rig {
    exchange: Synthetic,
    server: LevelServer,
    readers: BTreeMap<ConnId, (Reader, bool)>,
}

impl Rig {
    fn new(modes: Vec<(Mode, u32)>, seed: u64) -> Self {
        let flow = FlowConfig {
            symbols: 3,
            live_orders: 200,
            halt_every: Nanos::from_millis(300),
            halt_for: Nanos::from_millis(50),
            ..FlowConfig::default()
        };
        let epoch = ExchangeTime::new(20_000, 34_200_000_000_000);
        let exchange = Synthetic::new(epoch, flow, vec![], Faults::Heavy, seed);
        let config = LevelsConfig { modes, within: 500, ..LevelsConfig::under(Faults::None, 20_000) };
        Rig { exchange, server: LevelServer::new(config, seed), readers: BTreeMap::new() }
    }

    fn carry(&mut self, now: Mono) {
        for message in self.exchange.take_messages() {
            self.server.on_message(now, &message);
        }
        for (conn, bytes, closes) in self.server.take_outputs() {
            let (reader, closed) = self.readers.get_mut(&conn).unwrap();
            assert!(!*closed);
            reader.read(&bytes);
            *closed = closes;
        }
    }

    fn connect(&mut self, now: Mono, conn: u64) {
        self.readers.insert(ConnId(conn), Default::default());
        self.server.on_connect(now, ConnId(conn));
        self.carry(now);
    }

    /// For so long; each client whose connection still stands, and that has not been let down, has the book.
    fn run(&mut self, from: Mono, millis: u64) -> Mono {
        let until = from.after(Nanos::from_millis(millis));
        let mut now = from;
        while now < until {
            now = self.exchange.next_deadline().min(self.server.next_deadline()).min(until);
            self.exchange.on_timer(now);
            self.server.on_timer(now);
            self.carry(now);
            for symbol in self.exchange.symbols() {
                self.server.check(symbol, &self.exchange.displayed(symbol)).unwrap();
            }
        }
        for (conn, (reader, closed)) in &self.readers {
            if self.server.next_frame(*conn).is_some() && reader.wrong.is_none() {
                reader.has(&self.exchange);
                assert_eq!(self.server.next_frame(*conn), Some(reader.next + 1));
            }
            assert!(!closed || self.server.next_frame(*conn).is_none());
        }
        until
    }
}

fn day(modes: Vec<(Mode, u32)>) -> Rig {
    let mut rig = Rig::new(modes, 5);
    rig.exchange.open(Mono(0));
    rig.carry(Mono(0));
    let now = rig.run(Mono(0), 400);
    rig.connect(now, 1);
    let now = rig.run(now, 300);
    rig.connect(now, 2);
    rig.run(now, 300);
    rig
}

#[test]
fn clients_have_the_book_whenever_they_come_and_hear_of_trades_and_halts() {
    let rig = day(vec![]);
    let [(one, _), (two, _)] = [&rig.readers[&ConnId(1)], &rig.readers[&ConnId(2)]];
    assert!(one.trades > two.trades && two.trades > 0 && one.levels == two.levels && one.states == two.states);
    assert_eq!((one.session, one.snapshots, one.wrong), (Some(State::Open), 1, None));
    assert_eq!((rig.server.stats().connections, rig.server.stats().snapshots), (2, 2));
}

#[test]
fn halts_are_said_and_so_is_the_end_of_the_day() {
    let mut rig = day(vec![]);
    let symbol = rig.exchange.symbols()[1];
    let mut halted = 0;
    let mut now = Mono(0).after(Nanos::from_secs(1));
    for _ in 0..40 {
        now = rig.run(now, 25);
        let reader = &rig.readers[&ConnId(1)].0;
        halted += reader.states.values().filter(|state| **state == State::Halted).count();
    }
    assert!(halted > 0 && rig.server.symbols().any(|listed| listed == symbol));
    rig.exchange.end_day(now);
    rig.carry(now);
    let reader = &rig.readers[&ConnId(1)].0;
    assert!(reader.session == Some(State::Closed) && reader.levels.is_empty());
}

#[test]
fn a_heartbeat_breaks_a_silence_and_a_client_that_is_gone_is_told_nothing() {
    let mut rig = day(vec![]);
    let (now, config) = (Mono(0).after(Nanos::from_secs(1)), rig.server.config.clone());
    rig.exchange.stop(now);
    rig.carry(now);
    rig.server.on_close(ConnId(2));
    let [one, two] = [1, 2].map(|conn| rig.readers[&ConnId(conn)].0.next);
    assert!(rig.server.next_deadline() > now);
    for _ in 0..3 {
        let due = rig.server.next_deadline();
        rig.server.on_timer(Mono(due.0 - 1));
        rig.server.on_timer(due);
        rig.carry(due);
        assert_eq!(rig.server.next_deadline(), due.after(config.heartbeat));
    }
    let (reader, _) = &rig.readers[&ConnId(1)];
    assert_eq!((reader.heartbeats, reader.next, rig.readers[&ConnId(2)].0.next), (3, one + 3, two));
}

#[test]
fn what_goes_wrong_can_be_seen_and_is_counted() {
    let rig = day(vec![(Mode::Torn, 1)]);
    assert!(rig.readers.values().all(|(reader, closed)| *closed && !reader.whole && reader.wrong.is_none()));
    assert_eq!(rig.server.stats().torn, 2);
    let rig = day(vec![(Mode::Stalled, 1)]);
    assert!(rig.readers.values().all(|(reader, closed)| !closed && reader.wrong.is_none()));
    assert!(rig.server.stats().stalled == 2 && rig.server.next_deadline() == Mono::NEVER);
    let rig = day(vec![(Mode::Skipping, 1)]);
    assert!(rig.readers.values().all(|(reader, closed)| !closed && reader.wrong == Some("a number is missing")));
    assert_eq!(rig.server.stats().skipped, 2);
    let rig = day(vec![(Mode::Garbled, 1)]);
    assert!(rig.readers.values().all(|(reader, closed)| !closed && reader.wrong == Some("no frame")));
    assert_eq!(rig.server.stats().garbled, 2);
    let rig = day(vec![(Mode::Lost, 1)]);
    assert!(rig.readers.values().all(|(reader, _)| reader.snapshots == 2 && reader.wrong.is_none()));
    assert_eq!(rig.server.stats().lost, 2);
}

#[test]
fn a_new_beginning_is_for_all_and_what_is_healed_stays_well() {
    let mut rig = day(vec![]);
    let now = Mono(0).after(Nanos::from_secs(1));
    rig.server.begin_anew(now);
    rig.run(now, 1);
    assert!(rig.readers.values().all(|(reader, _)| reader.snapshots == 2 && reader.whole));
    let mut rig = Rig::new(vec![(Mode::Skipping, 1)], 5);
    rig.exchange.open(Mono(0));
    rig.carry(Mono(0));
    rig.connect(Mono(0), 1);
    rig.server.heal();
    let now = rig.run(Mono(0), 300);
    rig.connect(now, 2);
    rig.run(now, 300);
    assert!(rig.readers.values().all(|(reader, _)| reader.wrong.is_none()) && rig.server.stats().skipped == 0);
}
