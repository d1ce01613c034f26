//! The whole lane with its market maker quoting, as a contestant: beside backtests of other projects with a strategy that does so.
//!
//! Packets of one message each, as on a quiet wire, on one line, for the others have one feed; arbitration, book, maker, gate, messages
//! of orders to a [scripted port](crate::acceptor) and its answers, until nothing more follows: all of that is timed. Making the lane and
//! its packets is not. The clock is the exchange's, but no pause is longer
//! than a second: the heartbeats of a night are no work on messages.

use crate::floor::{BEFORE, Floor, begin, packets};
use anyhow::{Result, ensure};
use firelane_contest::itch::Messages;
use firelane_contest::{Contestant, Digest, Pass, QUOTED, Side as Of};
use firelane_gateway::base::{LineId, Mono, Side, Symbol, VenueId};
use firelane_gateway::flow::{Arrival, Input};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::plug::{Plug, Plugged, gateway, plugged};
use firelane_gateway::shell::plugs::{Maker, Taker};
use firelane_gateway::shell::trace::StageProbe;
use std::collections::BTreeMap;
use std::time::Instant;

/// What is plugged in.
/// The taker is not; its settings may be there, for `lab all` has one set of them.
pub const PLUGS: &[Plugged] = &[plugged::<Maker>(), plugged::<Taker>()];

/// What it does not do that a backtest does.
pub const LEFT_OUT: &[&str] =
    &["an exchange's book and fills: the port accepts all", "log and tape", "the second line's packets"];

/// The longest time without a packet, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

type Lane = Floor<<Maker as Plug>::Wiring>;

/// What a message of the directory says (ITCH 5.0, "Stock Directory").
fn listed(message: &[u8]) -> Option<(u16, Symbol)> {
    let &[b'R', a, b, ..] = message else { return None };
    Some((u16::from_be_bytes([a, b]), Symbol(*message.get(11..)?.first_chunk()?)))
}

/// A lane that quotes.
#[allow(missing_debug_implementations)] // a configuration and a lane
pub struct Quoting {
    config: Config,
    packets: Vec<(Mono, Vec<u8>)>,
    /// Of each symbol, the number by which messages name it.
    directory: BTreeMap<u16, Symbol>,
    last: Option<Lane>,
}

impl Quoting {
    /// With these settings.
    ///
    /// # Errors
    /// What the settings say.
    pub fn new(settings: &str) -> Result<Self> {
        Ok(Quoting {
            config: Config::parse_with(settings, PLUGS)?,
            packets: Vec::new(),
            directory: BTreeMap::new(),
            last: None,
        })
    }

    fn lane(&self) -> Result<Lane> {
        let gateway = gateway::<Maker>(&self.config, StageProbe::new(None))?;
        Floor::new(gateway, &self.config, Mono(begin(&self.packets) - BEFORE), false)
    }

    fn go(&mut self, bytes: &[u8]) -> Result<u64> {
        if self.packets.is_empty() {
            self.packets = packets(bytes)?;
            self.directory = Messages::new(bytes).filter_map(listed).collect();
        }
        // The last one's memory is given back before.
        self.last = None;
        let mut lane = self.lane()?;
        let (mut now, mut last) = (Mono(begin(&self.packets)), Mono(0));
        let start = Instant::now();
        for (at, packet) in &self.packets {
            now = Mono(now.0 + at.0.saturating_sub(last.0).min(PAUSE));
            last = last.max(*at);
            lane.pass_time(now);
            lane.input(now, Input::Packet(Arrival::on(VenueId::FIRST, LineId::A), packet));
        }
        let took = start.elapsed().as_nanos();
        ensure!(lane.sent.orders > 0, "no quote was sent");
        self.last = Some(lane);
        Ok(u64::try_from(took)?)
    }

    /// Orders that the last pass entered, moved and cancelled.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.last.as_ref().map_or(0, |lane| lane.sent.orders)
    }
}

impl Contestant for Quoting {
    fn clear(&mut self) {}

    fn apply(&mut self, _: &[u8]) -> u64 {
        0
    }

    /// All messages: what builds the books up is part of the day.
    fn pass(&mut self, bytes: &[u8], _: usize) -> Pass {
        match self.go(bytes) {
            Ok(ns) => Pass { messages: self.packets.len() as u64, ns },
            Err(error) => {
                println!("error {error}");
                Pass { messages: 0, ns: 0 }
            }
        }
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        let Some(lane) = &self.last else { return digest };
        let core = lane.gateway.core();
        for (locate, symbol) in &self.directory {
            let Some(id) = core.instruments().find(VenueId::FIRST, *symbol) else { continue };
            let book = core.book(id);
            for (side, name) in [(Side::Buy, Of::Bid), (Side::Sell, Of::Ask)] {
                book.levels(side).for_each(|level| {
                    digest.add_level(*locate, name, level.price.0.unsigned_abs(), level.qty.0.unsigned_abs());
                });
            }
        }
        if lane.acceptor.took_both_sides() {
            digest.lines.push(QUOTED.to_owned());
        }
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Right;
    use crate::market::Market;
    use crate::stream::open;

    #[test]
    fn it_quotes_both_sides_and_holds_the_books_of_the_others() {
        let stream = open(Market { symbols: 5, live: 400, messages: 4_000, seed: 9 });
        let mut lane = Quoting::new("feed.snapshot.enabled = false").unwrap();
        let right = Right::of(&stream.bytes, 0);
        let mut requests = Vec::new();
        for _ in 0..2 {
            let Pass { messages, ns } = lane.pass(&stream.bytes, 0);
            assert!(messages == right.messages && ns > messages, "{messages} of {}, {ns} ns", right.messages);
            requests.push(lane.requests());
            let digest = lane.digest();
            assert_eq!((digest.books, digest.lines), (right.digest.books.clone(), vec![QUOTED.to_owned()]));
        }
        // In this market no best moves: each side of five symbols is quoted once. Each pass is a new lane.
        assert_eq!(requests, [10, 10]);
    }

    #[test]
    fn a_lane_that_may_not_trade_has_quoted_nothing_and_says_so() {
        let stream = open(Market { symbols: 2, live: 40, messages: 400, seed: 9 });
        let mut lane = Quoting::new("feed.snapshot.enabled = false\nrisk.max_order_qty = 1").unwrap();
        assert_eq!(lane.pass(&stream.bytes, 0), Pass { messages: 0, ns: 0 });
        assert!(lane.digest().lines.is_empty());
        assert!(Quoting::new("maker.size = 0").is_err());
    }
}
