//! Recordings made by the tests themselves.

use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::moldudp64::PacketBuilder;
use firelane_sim::capture::write_binary_file;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::rng::Rng;
use firelane_sim::venue::acceptor::PortConfig;
use firelane_sim::venue::announce::{Line, Shown, Tape};
use std::io::Write;

/// Symbols of [`hostile`].
pub(crate) const SYMBOLS: [&str; 3] = ["AAA", "BBB", "CCC"];

const DAY: u32 = 15_512;
/// 9:30.
const OPEN: u64 = 34_200_000_000_000;

/// Messages, with the time going on as told.
#[derive(Default)]
pub(crate) struct Recording {
    tape: Tape,
    messages: Vec<Vec<u8>>,
    ns: u64,
    symbols: Vec<Symbol>,
}

impl Recording {
    fn say(&mut self, say: impl FnOnce(&mut Tape, ExchangeTime)) {
        say(&mut self.tape, ExchangeTime::new(DAY, self.ns));
        self.messages.extend(self.tape.take());
    }

    fn line(&self, symbol: &str) -> Line {
        let symbol = Symbol::new(symbol).unwrap();
        let at = self.symbols.iter().position(|listed| *listed == symbol).unwrap();
        Line { locate: at as u16 + 1, symbol }
    }

    /// Time goes on.
    pub(crate) fn at(&mut self, later: u64) {
        self.ns += later;
    }

    /// An order joins; the price is in cents.
    pub(crate) fn add(&mut self, symbol: &str, reference: u64, side: Side, shares: u32, cents: i64) {
        let line = self.line(symbol);
        let attributed = reference.is_multiple_of(3).then_some(*b"MMKR");
        let shown = Shown { reference: VenueRef(reference), side, shares, price: Price(cents * 100), attributed };
        self.say(|tape, now| tape.add(now, line, shown));
    }

    /// An order leaves.
    pub(crate) fn delete(&mut self, symbol: &str, reference: u64) {
        let line = self.line(symbol);
        self.say(|tape, now| tape.deleted(now, line, VenueRef(reference)));
    }

    /// Any bytes.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.messages.push(bytes.to_vec());
    }

    /// A message that means nothing to anyone: time has come so far.
    pub(crate) fn note(&mut self) {
        self.say(|tape, now| tape.event(now, b'?'));
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.messages.iter().map(Vec::as_slice)
    }

    pub(crate) fn binary_file(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_binary_file(&mut bytes, self.messages()).unwrap();
        bytes
    }

    /// MoldUDP64 packets of one to five messages.
    pub(crate) fn packets(&self) -> Vec<Vec<u8>> {
        let (mut packets, mut next) = (Vec::new(), 1u64);
        let mut rest = self.messages.as_slice();
        while !rest.is_empty() {
            let (some, later) = rest.split_at(rest.len().min(1 + next as usize % 5));
            let mut buffer = [0; 1_400];
            let mut packet = PacketBuilder::new(&mut buffer, *b"TESTDAY001", next).unwrap();
            some.iter().for_each(|message| packet.push(message).unwrap());
            packets.push(packet.finish().to_vec());
            next += some.len() as u64;
            rest = later;
        }
        packets
    }
}

/// A day up to the opening: the symbols are listed, trade, and market hours have begun.
pub(crate) fn opened(symbols: &[&str]) -> Recording {
    let mut day = Recording { ns: OPEN, ..Recording::default() };
    day.symbols = symbols.iter().map(|symbol| Symbol::new(symbol).unwrap()).collect();
    for code in *b"OS" {
        day.say(|tape, now| tape.event(now, code));
    }
    for symbol in symbols {
        let line = day.line(symbol);
        day.say(|tape, now| tape.directory(now, line, 100, b'P'));
        day.say(|tape, now| tape.trading_state(now, line, b'T', *b"    "));
    }
    day.say(|tape, now| tape.event(now, b'Q'));
    day
}

/// A stream that goes through everything a book can meet: three symbols mixed, sparse 64-bit references, attributed and
/// plain orders, executions with and without a price, partial and full, replaces, trades, crosses; references that
/// are unknown, or known already; more taken than is left; unknown types; and, if asked for, wrong lengths.
pub(crate) fn hostile(seed: u64, malformed: bool) -> Recording {
    let mut rng = Rng::new(seed, "hostile stream");
    let mut day = opened(&SYMBOLS);
    let mut live: Vec<(u64, usize)> = Vec::new();
    for _ in 0..4_000 {
        day.at(rng.below(50_000));
        let fresh = rng.u64() >> rng.below(40);
        let symbol = rng.index(SYMBOLS.len());
        let (price, shares) = (rng.between(990, 1_009) as i64, rng.between(1, 500) as u32);
        // Mostly a live order, now and then one that never was.
        let known = if live.is_empty() || rng.below(40) == 0 { None } else { Some(rng.index(live.len())) };
        let (reference, of) = known.map_or((fresh, symbol), |at| live[at]);
        let line = day.line(SYMBOLS[of]);
        let target = VenueRef(reference);
        match rng.below(if live.len() < 150 { 24 } else { 16 }) {
            0..=1 => day.say(|tape, now| tape.executed(now, line, target, shares, 1)),
            2..=3 => {
                let at = Price(price * 100);
                day.say(|tape, now| tape.executed_in_cross(now, line, target, (shares / 4, at), 2));
                if rng.coin() {
                    day.messages.last_mut().unwrap()[31] = b'Y';
                }
            }
            4..=6 => day.say(|tape, now| tape.reduced(now, line, target, shares / 3)),
            7..=8 => {
                day.say(|tape, now| tape.deleted(now, line, target));
                live.retain(|(other, _)| *other != reference);
            }
            9..=11 => {
                let new = Shown {
                    reference: VenueRef(fresh),
                    side: Side::Buy,
                    shares,
                    price: Price(price * 100),
                    attributed: None,
                };
                day.say(|tape, now| tape.replaced(now, line, target, new));
                if let Some(at) = known {
                    live[at].0 = fresh;
                }
            }
            12 => day.say(|tape, now| tape.hidden_trade(now, line, shares, Price(price * 100), 3)),
            13 => day.raw(b"z\x00\x01 a type of another edition"),
            14 if malformed => {
                day.say(|tape, now| tape.deleted(now, line, target));
                day.messages.last_mut().unwrap().push(0);
            }
            // A known reference again, in its own book.
            15 if known.is_some() => day.add(SYMBOLS[of], reference, Side::Sell, shares, price),
            _ => {
                let side = if rng.coin() { Side::Buy } else { Side::Sell };
                day.add(SYMBOLS[symbol], fresh, side, shares, price + if side == Side::Sell { 10 } else { -10 });
                live.push((fresh, symbol));
            }
        }
    }
    day
}

/// Two seconds of the synthetic market.
pub(crate) fn synthetic(seed: u64) -> Recording {
    let flow = FlowConfig { symbols: 4, rate: 4_000, live_orders: 400, ..FlowConfig::default() };
    let port = PortConfig::new(*b"FIRE  ", *b"PASSWORD  ", *b"SESSION001", *b"FIRE");
    let mut market = Synthetic::new(ExchangeTime::new(DAY, OPEN), flow, vec![port], Faults::None, seed);
    market.open(Mono(0));
    while market.next_deadline() < Mono(0).after(Nanos::from_secs(2)) {
        market.on_timer(market.next_deadline());
    }
    Recording { messages: market.take_messages(), ..Recording::default() }
}

/// The bytes packed with gzip, xz and zstd.
pub(crate) fn pack(bytes: &[u8]) -> [(&'static str, Vec<u8>); 3] {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(bytes).unwrap();
    let zstd = ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    [("gz", gzip.finish().unwrap()), ("xz", xz.finish().unwrap()), ("zst", zstd)]
}
