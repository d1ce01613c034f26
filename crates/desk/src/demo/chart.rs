//! How long orders took, as a picture of characters: where the time goes, and how it is spread.

use crate::times::{percentiles, span, too_few};
use firelane_gateway::shell::latency::{Latency, Percentiles, Piece};
use std::fmt::Write;

/// What happens in each piece of the way, for people.
const fn what(piece: Piece) -> &'static str {
    match piece {
        Piece::Gap => "waiting behind a gap",
        Piece::Decoded => "received to decoded",
        Piece::Booked => "order book, trading state",
        Piece::Decided => "signal and strategy",
        Piece::Approved => "risk gate",
        Piece::Encoded => "OUCH bytes",
        Piece::Sent => "send call",
    }
}

/// Characters of the longest bar.
const WIDTH: usize = 30;
/// The same where there are not columns enough for it and for what stands behind it.
const NARROW: usize = 22;
/// Columns that a table with both takes.
const WIDE_TABLE: usize = 114;
/// Bars of the spread.
const BUCKETS: usize = 12;

/// The table of the pieces that took any time, each with a bar of its median beside that of the whole, for so many columns.
pub(super) fn pieces(latency: &Latency, columns: usize) -> String {
    let mut text = String::new();
    let pieces: Vec<_> = latency.pieces().collect();
    let total = latency.percentiles();
    let most = pieces.iter().map(|(_, p)| p.p50).max().unwrap_or(0).max(total.p50).max(1);
    let (longest, explains) = if columns < WIDE_TABLE { (NARROW, false) } else { (WIDTH, true) };
    let mut row = |name: &str, p: &Percentiles, what: &str| {
        let bar = usize::try_from(p.p50 * longest as u64 / most).unwrap_or(longest).max(usize::from(p.p50 > 0));
        let [p50, p99, p999, max] = percentiles(p.count, [p.p50, p.p99, p.p999, p.max]);
        let what = if explains { what } else { "" };
        let line = format!("  {name:<9}{p50:>9}{p99:>10}{p999:>11}{max:>12}   {:<longest$} {what}", "#".repeat(bar));
        // A string takes every write.
        let _ = writeln!(text, "{}", line.trim_end());
    };
    for (piece, p) in pieces.iter().filter(|(_, p)| p.max > 0) {
        row(piece.word(), p, what(*piece));
    }
    row("in all", &total, "");
    let header = format!("  {:<9}{:>9}{:>10}{:>11}{:>12}", "stage", "p50", "p99", "p99.9", "max");
    let few = too_few(total.count).map_or(String::new(), |few| format!("\n{few}"));
    format!("{header}\n{}{few}", text.trim_end())
}

/// How many orders took how long, in buckets that double, from the first that holds one to the last.
pub(super) fn spread(latency: &Latency) -> String {
    let mut buckets: Vec<(u64, u64)> = Vec::new();
    for step in latency.total().iter_recorded() {
        let value = step.value_iterated_to().max(1);
        let bucket = value.ilog2();
        match buckets.last_mut() {
            Some((last, count)) if *last == u64::from(bucket) => *count += step.count_since_last_iteration(),
            _ => buckets.push((bucket.into(), step.count_since_last_iteration())),
        }
    }
    // What lies beyond the last bar belongs to it.
    if buckets.len() > BUCKETS {
        let rest: u64 = buckets.drain(BUCKETS..).map(|(_, count)| count).sum();
        if let Some((_, count)) = buckets.last_mut() {
            *count += rest;
        }
    }
    let most = buckets.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    let mut text = String::new();
    for (bucket, count) in buckets {
        let bar = usize::try_from(count * WIDTH as u64 / most).unwrap_or(WIDTH).max(1);
        let from = 1u64 << bucket;
        let _ = writeln!(text, "  {:>9} to {:<9}{count:>9}   {}", span(from), span(from * 2), "#".repeat(bar));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::flow::record::TraceBody;
    use zerocopy::FromBytes;

    fn order(stamps: [u64; 8]) -> TraceBody {
        TraceBody::read_from_bytes(&stamps.map(u64::to_le_bytes).concat()).unwrap()
    }

    #[test]
    fn the_longest_piece_has_the_longest_bar_and_every_order_is_in_the_spread() {
        let mut latency = Latency::default();
        for n in 0..100 {
            latency.record(&order([0, 0, 100, 200, 300, 400, 500, 4_500 + n * 1_000]));
        }
        let table = pieces(&latency, 120);
        let bar = |name: &str| {
            let line = table.lines().find(|line| line.trim_start().starts_with(name)).unwrap();
            line.chars().filter(|c| *c == '#').count()
        };
        assert_eq!(bar("in all"), WIDTH);
        assert!(!table.contains("gap"), "{table}");
        assert!(bar("sent") > WIDTH * 8 / 10, "{table}");
        let narrow = pieces(&latency, 80);
        assert!(narrow.lines().all(|line| line.chars().count() <= 80) && narrow.contains("takes 1,000"), "{narrow}");
        assert!(table.lines().all(|line| line.chars().count() <= 120) && table.contains("risk gate"), "{table}");
        assert!(bar("decoded") >= 1 && bar("decoded") < WIDTH, "{table}");
        let spread = spread(&latency);
        let counts = spread.lines().map(|line| line.split_whitespace().nth(5).unwrap().parse::<u64>().unwrap());
        assert_eq!(counts.sum::<u64>(), 100, "{spread}");
    }

    #[test]
    fn a_run_without_orders_draws_nothing() {
        assert_eq!(spread(&Latency::default()), "");
        assert!(pieces(&Latency::default(), 80).contains("in all"));
    }
}
