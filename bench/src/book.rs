//! Parse and full order book: nanoseconds a message, cold and warm.
//!
//! *Cold* is the first pass over the bytes with empty books, in a process that has not touched them; *warm* is the
//! median of later passes, the books emptied in between. Messages that build a made market up are applied untimed.

use crate::market::{Stream, messages};
use crate::stats::Rounds;
use crate::stream::Walk;
use firelane_contest::{Contestant, Digest, Pass};
use firelane_gateway::base::{InstrumentTable, Side};
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, Peek};
use serde::Serialize;
use std::hint::black_box;

/// What is measured, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Room for instruments.
    pub instruments: usize,
    /// Room for orders, and for price levels.
    pub orders: usize,
    /// How many messages apart the books get their four hints of what is coming; 0: no hints.
    pub ahead: usize,
    /// Passes, the cold one included.
    pub passes: usize,
}

impl Setup {
    /// The same for `lab serve`.
    #[must_use]
    pub fn as_arguments(&self) -> Vec<String> {
        let Setup { instruments, orders, ahead, passes: _ } = self;
        let words = format!("book --instruments {instruments} --orders {orders} --ahead {ahead}");
        words.split(' ').map(str::to_owned).collect()
    }
}

/// What parse and book cost.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Messages timed in each pass.
    pub messages: usize,
    /// The first pass.
    pub cold: f64,
    /// The others.
    pub warm: Rounds,
    /// The most orders that rested at once.
    pub peak_orders: u64,
    /// Messages that contradicted the books: should be 0.
    pub faults: u64,
}

/// The books, and what feeds them.
#[allow(missing_debug_implementations)] // books have none
pub struct Rig {
    line: ItchLine,
    table: InstrumentTable,
    books: Books,
    ahead: usize,
}

impl Rig {
    /// Empty books.
    #[must_use]
    pub fn new(setup: &Setup) -> Rig {
        let Setup { instruments, orders, ahead, .. } = *setup;
        Rig {
            line: ItchLine::new(0),
            table: InstrumentTable::new(&[], instruments, true),
            books: Books::new(BookCapacity { instruments, orders, levels: orders, own: 16 }),
            ahead,
        }
    }

    /// Messages that contradicted the books, or for which there was no room.
    #[must_use]
    pub fn faults(&self) -> u64 {
        let c = self.books.counters();
        c.unknown_ref + c.duplicate_ref + c.over_reduce + c.orders_full + c.levels_full
    }
}

impl Contestant for Rig {
    fn clear(&mut self) {
        self.books.clear();
        self.line.reset(None);
    }

    /// Applies all messages; says how many there were.
    #[inline(never)]
    fn apply(&mut self, bytes: &[u8]) -> u64 {
        let ahead = self.ahead;
        let mut count = 0;
        // Four hints for each message, the first 4 * ahead messages before it, the last `ahead` before it.
        let mut coming = [4, 3, 2, 1].map(|n| messages(bytes).skip(ahead * n));
        for message in Walk::new(bytes) {
            if ahead > 0 {
                for (step, coming) in coming.iter_mut().enumerate() {
                    if let Some(message) = coming.next()
                        && let Some(order) = ItchLine::peek_order(message)
                        && let Some(id) = ItchLine::locate(message).and_then(|locate| self.line.instrument(locate))
                    {
                        self.books.prefetch(step, id, order);
                    }
                }
            }
            if let Ok(event) = self.line.decode(message, &mut self.table)
                && let Some(id) = event.instrument
            {
                self.books.follow(&self.table);
                black_box(self.books.apply(id, &event.kind).top_changed);
            }
            count += 1;
        }
        count
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        for locate in 0..=u16::MAX {
            let Some(id) = self.line.instrument(locate) else { continue };
            let book = self.books.view(id);
            for (side, name) in [(Side::Buy, firelane_contest::Side::Bid), (Side::Sell, firelane_contest::Side::Ask)] {
                // A price of four decimals is the wire's number, and no quantity is negative.
                book.levels(side).for_each(|level| {
                    digest.add_level(locate, name, level.price.0.unsigned_abs(), level.qty.0.unsigned_abs());
                });
            }
        }
        digest
    }
}

/// Applies the stream to full books, pass after pass.
#[must_use]
pub fn measure(stream: &Stream, setup: &Setup) -> Report {
    let mut rig = Rig::new(setup);
    let mut count = 0;
    let mut times = (0..setup.passes.max(2)).map(|_| {
        let Pass { messages, ns } = rig.pass(&stream.bytes, stream.built);
        count = usize::try_from(messages).unwrap_or(usize::MAX);
        ns as f64 / messages.max(1) as f64
    });
    let cold = times.next().unwrap_or(0.0);
    let warm = Rounds::of(times.collect());
    Report { messages: count, cold, warm, peak_orders: rig.books.peak_live_orders(), faults: rig.faults() }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Report { messages, cold, warm, peak_orders, faults } = self;
        writeln!(f, "parse + full order book, {messages} messages, at most {peak_orders} orders, {faults} faults")?;
        writeln!(f, "  cold                {cold:6.2} ns/message")?;
        write!(f, "  warm                {warm}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contest::Right;
    use crate::market::{Market, market};

    #[test]
    fn a_made_market_is_booked_without_fault_whether_announced_or_not() {
        let stream = market(Market { symbols: 20, live: 1_000, messages: 5_000, seed: 3 });
        for ahead in [0, 4] {
            let setup = Setup { instruments: 20, orders: 4_096, ahead, passes: 2 };
            let report = measure(&stream, &setup);
            assert_eq!((report.messages, report.faults), (5_000, 0));
            assert!(report.peak_orders >= 900);
            let mut rig = Rig::new(&setup);
            rig.pass(&stream.bytes, stream.built);
            let right = Right::of(&stream.bytes, stream.built);
            assert_eq!(right.digest.difference(&rig.digest()), None);
            assert_eq!((right.messages, right.digest.books.len()), (5_000, 40));
        }
    }
}
