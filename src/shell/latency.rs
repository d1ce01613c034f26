//! Percentiles of how long orders took, from their [`TraceBody`]s: from the packet to the send, and stage by stage.

use crate::flow::record::TraceBody;
use hdrhistogram::Histogram;
use std::fmt;

/// A piece of the way from packet to order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Piece {
    /// The message waited behind a gap.
    Gap,
    /// From the receive call's return to a decoded message: its turn within the packet, arbitration, decoding; in layout
    /// split the ring too.
    Decoded,
    /// Book and trading state.
    Booked,
    /// Signals and strategies.
    Decided,
    /// The risk gate, and the facts for it.
    Approved,
    /// The order's bytes.
    Encoded,
    /// From there to the return of the send call.
    Sent,
}

impl Piece {
    /// All, in their order.
    pub const ALL: [Piece; 7] =
        [Piece::Gap, Piece::Decoded, Piece::Booked, Piece::Decided, Piece::Approved, Piece::Encoded, Piece::Sent];

    /// Its name in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Piece::Gap => "gap",
            Piece::Decoded => "decoded",
            Piece::Booked => "booked",
            Piece::Decided => "decided",
            Piece::Approved => "approved",
            Piece::Encoded => "encoded",
            Piece::Sent => "sent",
        }
    }
}

/// The longest that is told apart: beyond a minute it is a minute.
const LONGEST: u64 = 60_000_000_000;

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST, 3).expect("bounds and digits that hdrhistogram takes")
}

/// Percentiles, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Percentiles {
    /// How many there are.
    pub count: u64,
    /// The median.
    pub p50: u64,
    /// 99 in 100 are no longer.
    pub p99: u64,
    /// 999 in 1,000 are no longer.
    pub p999: u64,
    /// The longest.
    pub max: u64,
}

impl Percentiles {
    /// Of a histogram.
    #[must_use]
    pub fn of(histogram: &Histogram<u64>) -> Self {
        let at = |q| histogram.value_at_quantile(q);
        Percentiles {
            count: histogram.len(),
            p50: at(0.5),
            p99: at(0.99),
            p999: at(0.999),
            max: if histogram.is_empty() { 0 } else { histogram.max() },
        }
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {} p99 {} p99.9 {} max {} ns", self.p50, self.p99, self.p999, self.max)
    }
}

/// How long orders took.
#[derive(Clone, Debug)]
pub struct Latency {
    total: Histogram<u64>,
    pieces: [Histogram<u64>; Piece::ALL.len()],
    /// Orders of which not even the first byte could be sent at once: there is no last stamp.
    waited: u64,
}

impl Default for Latency {
    fn default() -> Self {
        Latency { total: histogram(), pieces: Piece::ALL.map(|_| histogram()), waited: 0 }
    }
}

impl Latency {
    /// Takes one order in.
    pub fn record(&mut self, order: &TraceBody) {
        if order.sent.get() == 0 {
            self.waited += 1;
            return;
        }
        let TraceBody { arrived, released, decoded, booked, decided, approved, encoded, sent } = order;
        let stamps = [arrived, released, decoded, booked, decided, approved, encoded, sent];
        for (pair, histogram) in stamps.windows(2).zip(&mut self.pieces) {
            histogram.saturating_record(pair[1].get().saturating_sub(pair[0].get()));
        }
        self.total.saturating_record(sent.get().saturating_sub(arrived.get()));
    }

    /// From the packet that held the message to the return of the send call: tick to trade.
    #[must_use]
    pub fn total(&self) -> &Histogram<u64> {
        &self.total
    }

    /// Tick to trade in numbers.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        Percentiles::of(&self.total)
    }

    /// Every piece of the way in numbers.
    pub fn pieces(&self) -> impl Iterator<Item = (Piece, Percentiles)> {
        Piece::ALL.into_iter().zip(&self.pieces).map(|(piece, histogram)| (piece, Percentiles::of(histogram)))
    }

    /// How much of all the time the pieces explain: 1 exactly, if no stamp is missing.
    #[must_use]
    pub fn explained(&self) -> f64 {
        let sum = |h: &Histogram<u64>| h.mean() * h.len() as f64;
        let pieces: f64 = self.pieces.iter().map(sum).sum();
        if self.total.is_empty() { 1.0 } else { pieces / sum(&self.total) }
    }

    /// Orders that had to wait for a venue that did not read.
    #[must_use]
    pub fn waited(&self) -> u64 {
        self.waited
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zerocopy::byteorder::little_endian::U64;

    fn order(stamps: [u64; 8]) -> TraceBody {
        let [arrived, released, decoded, booked, decided, approved, encoded, sent] = stamps.map(U64::new);
        TraceBody { arrived, released, decoded, booked, decided, approved, encoded, sent }
    }

    #[test]
    fn pieces_add_up_to_the_whole() {
        let mut latency = Latency::default();
        latency.record(&order([100, 100, 157, 225, 310, 408, 477, 900]));
        latency.record(&order([100, 600, 657, 725, 810, 908, 977, 1_400]));
        let pieces: Vec<_> = latency.pieces().map(|(piece, p)| (piece.word(), p.max)).collect();
        let expected = [57, 68, 85, 98, 69, 423];
        assert_eq!(pieces[0], ("gap", 500));
        assert_eq!(pieces[1..].iter().map(|p| p.1).collect::<Vec<_>>(), expected);
        let p = latency.percentiles();
        assert_eq!((p.count, p.p50, p.max), (2, 800, 1_300));
        assert!((latency.explained() - 1.0).abs() < 0.01, "{}", latency.explained());
    }

    #[test]
    fn an_order_that_waited_is_counted_apart_and_an_empty_day_has_no_percentiles() {
        let mut latency = Latency::default();
        latency.record(&order([1, 2, 3, 4, 5, 6, 7, 0]));
        assert_eq!((latency.waited(), latency.percentiles()), (1, Percentiles::default()));
        latency.record(&order([0, 0, 0, 0, 0, 0, 0, u64::MAX]));
        assert!(latency.percentiles().max >= LONGEST, "beyond a minute it is a minute");
    }
}
