//! Parse and full order book: nanoseconds a message, cold and warm.
//!
//! *Cold* is the first pass over the bytes with empty books, in a process that has not touched them; *warm* is the
//! median of later passes, the books emptied in between. Messages that build a made market up are applied untimed.

use crate::market::Stream;
use crate::stats::Rounds;
use crate::stream::Walk;
use firelane_contest::{Contestant, Digest, Pass};
use firelane_gateway::base::{InstrumentTable, Side};
use firelane_gateway::flow::book::{BATCH, BookCapacity, Books, HINTS_FROM};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use serde::Serialize;
use std::hint::black_box;

/// When the books get hints of what is coming, in batches.
#[derive(clap::ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hints {
    /// Never.
    Never,
    /// While so much rests that they pay, as in a lane.
    Adaptive,
    /// Always.
    Always,
}

impl Hints {
    /// How many orders rest when they begin.
    fn from(self) -> usize {
        match self {
            Hints::Never => usize::MAX,
            Hints::Adaptive => HINTS_FROM,
            Hints::Always => 0,
        }
    }

    /// As the command line has it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Hints::Never => "never",
            Hints::Adaptive => "adaptive",
            Hints::Always => "always",
        }
    }
}

/// Messages that go by until it is asked again whether hints pay, where they did not.
const ASK_EVERY: usize = 512;

/// What is measured, and how.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Room for instruments.
    pub instruments: usize,
    /// Room for orders, and for price levels.
    pub orders: usize,
    /// When the books get hints of what is coming.
    pub hints: Hints,
    /// Of how many messages at once, at most [`BATCH`]: as many as a packet has.
    pub batch: usize,
    /// Passes, the cold one included.
    pub passes: usize,
}

impl Setup {
    /// The same for `lab serve`.
    #[must_use]
    pub fn as_arguments(&self) -> Vec<String> {
        let Setup { instruments, orders, hints, batch, passes: _ } = self;
        let words =
            format!("book --instruments {instruments} --orders {orders} --hints {} --batch {batch}", hints.word());
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
    hints: Hints,
    batch: usize,
}

impl Rig {
    /// Empty books.
    #[must_use]
    pub fn new(setup: &Setup) -> Rig {
        let Setup { instruments, orders, hints, batch, .. } = *setup;
        Rig {
            line: ItchLine::new(0),
            table: InstrumentTable::new(&[], instruments, true),
            books: Books::new(BookCapacity { instruments, orders, levels: orders, own: 16 }).hints_from(hints.from()),
            hints,
            batch: batch.clamp(1, BATCH),
        }
    }

    /// Messages that contradicted the books, or for which there was no room.
    #[must_use]
    pub fn faults(&self) -> u64 {
        let c = self.books.counters();
        c.unknown_ref + c.duplicate_ref + c.over_reduce + c.orders_full + c.levels_full
    }

    #[inline(always)]
    fn message(&mut self, message: &[u8]) {
        if let Ok(event) = self.line.decode(message, &mut self.table)
            && let Some(id) = event.instrument
        {
            self.books.follow(&self.table);
            black_box(self.books.apply(id, &event.kind).top_changed);
        }
    }

    /// In batches, each of which the books are told of before the first of it is applied.
    #[inline(never)]
    fn apply_batches(&mut self, bytes: &[u8]) -> u64 {
        let (mut walk, mut count) = (Walk::new(bytes), 0);
        loop {
            let before = count;
            let mut now = ASK_EVERY;
            if self.books.hints_pay() {
                self.books.foresee(walk.take(self.batch).map(|message| self.line.foresee(message)));
                now = self.batch;
            }
            for message in walk.by_ref().take(now) {
                self.message(message);
                count += 1;
            }
            if count == before {
                return count;
            }
        }
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
        if self.hints == Hints::Never {
            return Walk::new(bytes).fold(0, |count, message| {
                self.message(message);
                count + 1
            });
        }
        self.apply_batches(bytes)
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
        for hints in [Hints::Never, Hints::Adaptive, Hints::Always] {
            let setup = Setup { instruments: 20, orders: 4_096, hints, batch: 7, passes: 2 };
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
