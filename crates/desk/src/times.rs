//! How long orders took, as programs read it and as people do.

use crate::replay::group;
use firelane_gateway::shell::latency::{Latency, Percentiles, Piece};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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

    /// A table, a line for each piece that took any time; no line at all if no order left.
    pub(crate) fn table(&self) -> Vec<String> {
        if self.tick_to_trade_ns.count == 0 {
            return Vec::new();
        }
        let mut lines = vec![format!("{:<15}{:>10}{:>10}{:>10}{:>10}", "tick to trade", "p50", "p99", "p99.9", "max")];
        let pieces = Piece::ALL.iter().filter_map(|piece| Some((piece.word(), self.stages_ns.get(piece.word())?)));
        let pieces = pieces.filter(|(_, times)| times.max > 0);
        for (name, times) in pieces.chain([("in all", &self.tick_to_trade_ns)]) {
            let [p50, p99, p999, max] = percentiles(times.count, [times.p50, times.p99, times.p999, times.max]);
            lines.push(format!("  {name:<13}{p50:>10}{p99:>10}{p999:>10}{max:>10}"));
        }
        lines.extend(too_few(self.tick_to_trade_ns.count));
        lines
    }
}

/// Orders without which a percentile is only the slowest of them: of p50, p99, p99.9 and the maximum.
const ENOUGH: [u64; 4] = [2, 100, 1_000, 1];

/// p50, p99, p99.9 and the maximum in words; a dash for one of which there are too few orders.
pub(crate) fn percentiles(count: u64, values: [u64; 4]) -> [String; 4] {
    let mut enough = ENOUGH.into_iter();
    values.map(|value| if count < enough.next().unwrap_or(0) { "-".to_owned() } else { span(value) })
}

/// p50 and p99 for a line that moves, each once there are orders enough: `, p50 94.0 us, p99 1.4 ms`.
pub(crate) fn in_short(times: &Percentiles) -> String {
    let values = [("p50", times.p50), ("p99", times.p99)];
    let known = values.iter().zip(ENOUGH).filter(|(_, enough)| times.count >= *enough);
    known.map(|((name, value), _)| format!(", {name} {}", span(*value))).collect()
}

/// What the dashes mean, where there are any.
pub(crate) fn too_few(count: u64) -> Option<String> {
    let names = ["p50", "p99", "p99.9"];
    let missing: Vec<String> = names
        .iter()
        .zip(ENOUGH)
        .filter(|(_, enough)| count < *enough)
        .map(|(name, n)| format!("{name} takes {}", group(n)))
        .collect();
    (!missing.is_empty()).then(|| format!("  -: too few orders ({}): {}", group(count), missing.join(", ")))
}

/// Nanoseconds since 1970 as date and time: `2026-01-31T09:30:00.000123Z`. Howard Hinnant's `civil_from_days`.
pub(crate) fn utc(ns: u64) -> String {
    let (seconds, micros) = (ns / 1_000_000_000, ns / 1_000 % 1_000_000);
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
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
    fn a_date_is_of_the_usual_calendar() {
        let days =
            [0, 59, 11_016, 11_017, 20_514, 47_540, 47_541].map(|day| utc(day * 86_400_000_000_000)[..10].to_owned());
        assert_eq!(
            days,
            ["1970-01-01", "1970-03-01", "2000-02-29", "2000-03-01", "2026-03-02", "2100-02-28", "2100-03-01"]
        );
        assert_eq!(utc(1_000_000_000_123_456_789), "2001-09-09T01:46:40.123456Z");
    }

    #[test]
    fn a_percentile_needs_its_orders() {
        let shown = |count| percentiles(count, [1, 2, 3, 4]);
        assert_eq!(shown(1), ["-", "-", "-", "4 ns"]);
        assert_eq!(shown(99), ["1 ns", "-", "-", "4 ns"]);
        assert_eq!(shown(100), ["1 ns", "2 ns", "-", "4 ns"]);
        assert_eq!(shown(1_000), ["1 ns", "2 ns", "3 ns", "4 ns"]);
        assert!(too_few(1_000).is_none() && too_few(999).is_some());
        let short = |count| in_short(&Percentiles { count, p50: 1, p99: 2, ..Percentiles::default() });
        assert_eq!([1, 99, 100].map(short), ["", ", p50 1 ns", ", p50 1 ns, p99 2 ns"]);
    }

    #[test]
    fn a_table_has_every_piece_that_took_time_and_a_day_without_orders_none() {
        let mut latency = Latency::default();
        assert!(OrderTimes::of(&latency).table().is_empty());
        let mut trace = TraceBody::default();
        trace.sent.set(5_000);
        latency.record(&trace);
        let times = OrderTimes::of(&latency);
        let table = times.table();
        let named = |name: &str| table.iter().any(|line| line.trim_start().starts_with(name));
        assert!(named("sent") && !named("gap") && !named("decoded"), "{table:?}");
        let (all, why) = (&table[table.len() - 2], &table[table.len() - 1]);
        // One order is the slowest one, and no percentile.
        assert!(all.contains("in all") && all.contains("5.0 us") && all.matches(" -").count() == 3, "{table:?}");
        assert!(why.contains("too few orders (1)") && why.contains("p99.9 takes 1,000"), "{why}");
        let read: OrderTimes = serde_json::from_str(&serde_json::to_string(&times).unwrap()).unwrap();
        assert_eq!(read, times);
    }
}
