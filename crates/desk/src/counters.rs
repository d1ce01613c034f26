//! What a lane has counted, by name: whole for programs, and for people what is out of the ordinary.

use crate::replay::group;
use firelane_gateway::shell::counters::{Tally, counts};
use firelane_gateway::shell::lane::Lane;
use std::collections::BTreeMap;

pub(crate) type Counters = BTreeMap<String, u64>;

/// What a lane has counted, over what was known before: the sockets' counts, which are the shell's.
pub(crate) fn of(lane: &dyn Lane, before: Counters) -> Counters {
    let mut tally = Tally::new();
    lane.counters(&mut tally);
    let mut all = before;
    all.extend(counts(tally.body()).map(|(name, value)| (name.to_owned(), value)));
    all
}

/// Counts that are everyday life, or stand elsewhere in every report: by name, or by what it ends with.
const ORDINARY: &[&str] = &[
    "feed.*.packets",
    "feed.*.heartbeats",
    "feed.*.messages",
    "feed.*.won",
    "feed.*.duplicates",
    "feed.*.out_of_order",
    "feed.*.late",
    "feed.gaps",
    "feed.filled_by_line",
    "feed.filled_by_rerequest",
    "feed.requests",
    "feed.snapshot_attempts",
    "feed.snapshots_begun",
    "feed.snapshots_ended",
    "feed.snapshot_messages",
    "core.messages",
    "core.snapshot_messages",
    "core.untracked",
    "core.entered",
    "core.replaced",
    "core.cancelled",
    "core.fills",
    "core.commands_taken",
    "entry.repeated",
    "orders.earlier_refusals",
    "orders.late_refusals",
    "books.peak_live_orders",
    "gate.passed",
    "gate.refused.*",
    "signal.detector_events",
    "signal.detector_own",
    "signal.detector_restarts",
    "signal.network_steps",
    "signal.network_silent",
    "signal.network_alerts",
    "signal.network_merged",
    "signal.network_cold",
    "signal.network_restarts",
    "strategy.withheld",
    "sockets.*.datagrams",
    "sockets.*.bytes",
    "sockets.*.connected",
    "sockets.*.sent_bytes",
    "sockets.*.received_bytes",
    "log.stalls",
    "tape.lost",
    "board.alerts",
];

/// Counts of what a venue cannot say: none of them is ever in order.
pub(crate) const IMPOSSIBLE: [&str; 9] = [
    "orders.contradictions",
    "orders.unknown",
    "orders.unknown_trades",
    "entry.malformed",
    "entry.empty",
    "entry.unknown_types",
    "entry.skipped_packets",
    "entry.unsequenced",
    "entry.protocol_errors",
];

/// Does a name fit a pattern with one star at most?
fn fits(name: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => name == pattern,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}

/// A name without the venue that it is of, if it is not of the first.
pub(crate) fn of_any_venue(name: &str) -> &str {
    let venue = name.strip_prefix("venue").and_then(|rest| rest.split_once('.'));
    let other = venue.filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
    other.map_or(name, |(_, count)| count)
}

/// The counts that are out of the ordinary and not zero. One that is added to a lane is among them until it is said to
/// be ordinary.
pub(crate) fn unusual(counters: &Counters) -> Vec<String> {
    let is_ordinary = |name: &str| ORDINARY.iter().any(|pattern| fits(of_any_venue(name), pattern));
    let odd = counters.iter().filter(|(name, value)| **value > 0 && !is_ordinary(name));
    odd.map(|(name, value)| format!("{name} {}", group(*value))).collect()
}

/// The same of a run that is over: its own end is the end of a connection, too.
pub(crate) fn unusual_at_the_end(counters: &Counters) -> Vec<String> {
    let mut counters = counters.clone();
    for (_, own) in counters.iter_mut().filter(|(name, _)| of_any_venue(name) == "entry.disconnects") {
        *own = own.saturating_sub(1);
    }
    unusual(&counters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wirings;

    fn names() -> Counters {
        let sweeps = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/detectors/sweeps.toml");
        let mut text = format!("wiring = \"listener\"\n[detector]\nfile = {sweeps:?}").parse().unwrap();
        crate::settings::documents(&mut text).unwrap();
        let lane = wirings::build(&wirings::parse(&text.to_string()).unwrap(), None).unwrap();
        let shells = ["sockets.line_a.datagrams", "sockets.line_a.bytes", "sockets.orders.connected"];
        let more = ["sockets.orders.sent_bytes", "sockets.orders.received_bytes", "log.stalls", "tape.lost"];
        let before = shells.into_iter().chain(more).chain(["board.alerts"]).map(|name| (name.to_owned(), 0));
        of(&*lane, before.collect())
    }

    /// A count that is renamed is not shown as ordinary by an old name, and none is forgotten: each owner's are there.
    #[test]
    fn what_is_ordinary_exists_and_every_owner_is_heard() {
        let names = names();
        for pattern in ORDINARY.iter().chain(&IMPOSSIBLE) {
            assert!(names.keys().any(|name| fits(name, pattern)), "no count is called {pattern}");
        }
        for name in [
            "feed.line_a.malformed",
            "feed.line_b.foreign",
            "feed.replies.truncated",
            "feed.lost",
            "core.own_full",
            "books.unknown_ref",
            "orders.contradictions",
            "orders.not_adopted",
            "orders.forgotten_fills",
            "entry.malformed",
            "gate.refused.self_trade",
            "ledger.faults",
        ] {
            assert!(names.contains_key(name), "{name} is not in {names:#?}");
        }
        let is_good =
            |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b));
        assert!(names.keys().all(|name| is_good(name)), "{names:#?}");
    }

    #[test]
    fn people_see_what_is_out_of_the_ordinary() {
        let mut counters = names();
        assert!(unusual(&counters).is_empty());
        for (name, value) in
            [("orders.contradictions", 2), ("feed.line_a.packets", 9), ("feed.line_b.truncated", 1_000)]
        {
            *counters.get_mut(name).unwrap() = value;
        }
        counters.insert("feed.new".to_owned(), 1);
        assert_eq!(unusual(&counters), ["feed.line_b.truncated 1,000", "feed.new 1", "orders.contradictions 2"]);
        // Of other venues, the same are.
        let others = [
            ("venue1.feed.line_a.packets", 9),
            ("venue63.entry.disconnects", 1),
            ("venue2.feed.lost", 7),
            ("venue.x", 1),
        ];
        let others: Counters = others.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(unusual(&others), ["venue.x 1", "venue2.feed.lost 7", "venue63.entry.disconnects 1"]);
        assert_eq!(unusual_at_the_end(&others), ["venue.x 1", "venue2.feed.lost 7"]);
        counters = names();
        for (disconnects, unusual) in [(1, 0), (2, 1)] {
            *counters.get_mut("entry.disconnects").unwrap() = disconnects;
            assert_eq!(unusual_at_the_end(&counters).len(), unusual);
        }
        assert!(!fits("feed.packets", "feed.*.packets") && fits("feed.a.packets", "feed.*.packets"));
    }
}
