//! How long orders took, as programs read it and as people do.

use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::latency::{Latency, Percentiles, Piece};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// Percentiles in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Times {
    /// Orders.
    pub(crate) count: u64,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
    pub(crate) p999: u64,
    pub(crate) max: u64,
}

impl From<Percentiles> for Times {
    fn from(Percentiles { count, p50, p99, p999, max }: Percentiles) -> Self {
        Times { count, p50, p99, p999, max }
    }
}

/// From the packet to the send call's return, and every piece of the way by its name.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct OrderTimes {
    /// The whole way.
    pub(crate) tick_to_trade_ns: Times,
    /// Its pieces.
    pub(crate) stages_ns: BTreeMap<String, Times>,
    /// Orders that had to wait for a venue that did not read; they are in no percentile.
    pub(crate) orders_that_waited: u64,
}

impl OrderTimes {
    pub(crate) fn of(latency: &Latency) -> Self {
        OrderTimes {
            tick_to_trade_ns: latency.percentiles().into(),
            stages_ns: latency.pieces().map(|(piece, times)| (piece.word().to_owned(), times.into())).collect(),
            orders_that_waited: latency.waited(),
        }
    }

    /// A table, a line for each piece; no line at all if no order left.
    pub(crate) fn table(&self) -> Vec<String> {
        if self.tick_to_trade_ns.count == 0 {
            return Vec::new();
        }
        let mut lines = vec![format!("{:<15}{:>10}{:>10}{:>10}{:>10}", "tick to trade", "p50", "p99", "p99.9", "max")];
        let pieces = Piece::ALL.iter().filter_map(|piece| Some((piece.word(), self.stages_ns.get(piece.word())?)));
        for (name, times) in pieces.chain([("all", &self.tick_to_trade_ns)]) {
            let [p50, p99, p999, max] = [times.p50, times.p99, times.p999, times.max].map(span);
            lines.push(format!("  {name:<13}{p50:>10}{p99:>10}{p999:>10}{max:>10}"));
        }
        lines
    }
}

/// When a clock began that stands so: nanoseconds since 1970 UTC.
pub(crate) fn began(clock: &Clock) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(clock.now().0)
}

/// A span of time in the unit that suits it.
pub(crate) fn span(ns: u64) -> String {
    let (unit, name) = match ns {
        0..1_000 => return format!("{ns} ns"),
        1_000..1_000_000 => (1e3, "us"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let value = ns as f64 / unit;
    if value < 100.0 { format!("{value:.1} {name}") } else { format!("{value:.0} {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::flow::record::TraceBody;

    #[test]
    fn spans_have_the_unit_that_suits_them() {
        let spans = [0, 999, 1_000, 12_345, 123_456, 999_999_999, 61_500_000_000].map(span);
        assert_eq!(spans, ["0 ns", "999 ns", "1.0 us", "12.3 us", "123 us", "1000 ms", "61.5 s"]);
    }

    #[test]
    fn a_table_has_every_piece_and_a_day_without_orders_none() {
        let mut latency = Latency::default();
        assert!(OrderTimes::of(&latency).table().is_empty());
        let mut trace = TraceBody::default();
        trace.sent.set(5_000);
        latency.record(&trace);
        let times = OrderTimes::of(&latency);
        let table = times.table();
        assert_eq!(table.len(), 2 + Piece::ALL.len());
        assert!(table.last().unwrap().contains("all") && table.last().unwrap().contains("5.0 us"), "{table:?}");
        let read: OrderTimes = serde_json::from_str(&serde_json::to_string(&times).unwrap()).unwrap();
        assert_eq!(read, times);
    }
}
