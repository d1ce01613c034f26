//! Parse and full order book: nanoseconds a message, cold and warm.
//!
//! *Cold* is the first pass over the bytes with empty books, in a process that has not touched them; *warm* is the
//! median of later passes, the books emptied in between. Messages that build a made market up are applied untimed.

use crate::market::{Stream, messages};
use crate::stats::Rounds;
use crate::stream::Walk;
use firelane_gateway::base::InstrumentTable;
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, Peek};
use serde::Serialize;
use std::hint::black_box;
use std::time::Instant;

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
struct Rig {
    line: ItchLine,
    table: InstrumentTable,
    books: Books,
}

impl Rig {
    /// Applies all messages; says how many there were.
    #[inline(never)]
    fn apply(&mut self, bytes: &[u8], ahead: usize) -> usize {
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
}

/// Applies the stream to full books, pass after pass.
#[must_use]
pub fn measure(stream: &Stream, setup: &Setup) -> Report {
    let Setup { instruments, orders, ahead, passes } = *setup;
    let mut rig = Rig {
        line: ItchLine::new(0),
        table: InstrumentTable::new(&[], instruments, true),
        books: Books::new(BookCapacity { instruments, orders, levels: orders, own: 16 }),
    };
    let (built, timed) = stream.bytes.split_at(stream.built);
    let mut count = 0;
    let mut times = (0..passes.max(2)).map(|_| {
        rig.books.clear();
        rig.line.reset(None);
        rig.apply(built, ahead);
        let start = Instant::now();
        count = rig.apply(timed, ahead);
        start.elapsed().as_nanos() as f64 / count.max(1) as f64
    });
    let cold = times.next().unwrap_or(0.0);
    let warm = Rounds::of(times.collect());
    let c = rig.books.counters();
    let faults = c.unknown_ref + c.duplicate_ref + c.over_reduce + c.orders_full + c.levels_full;
    Report { messages: count, cold, warm, peak_orders: rig.books.peak_live_orders(), faults }
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
    use crate::market::{Market, market};

    #[test]
    fn a_made_market_is_booked_without_fault_whether_announced_or_not() {
        let stream = market(Market { symbols: 20, live: 1_000, messages: 5_000, seed: 3 });
        for ahead in [0, 4] {
            let setup = Setup { instruments: 20, orders: 4_096, ahead, passes: 2 };
            let report = measure(&stream, &setup);
            assert_eq!((report.messages, report.faults), (5_000, 0));
            assert!(report.peak_orders >= 900);
        }
    }
}
