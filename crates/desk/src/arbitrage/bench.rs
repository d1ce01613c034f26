//! `firelane arbitrage bench`: the best cycle, enumerated and annealed.

use super::anneal;
use crate::cli::ArbitrageBench;
use crate::output;
use anyhow::Result;
use firelane_arbitrage::cycles::{Graph, annealed, bellman_ford, best, compare};
use firelane_arbitrage::quotes::made::{Made, quotes};
use serde::Serialize;
use std::cmp::Ordering;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

/// Currencies, and legs at most.
const SIZES: [(usize, usize); 6] = [(5, 3), (5, 5), (8, 8), (12, 12), (16, 4), (32, 4)];
/// Each is searched for so many times, and the least time counts.
const TIMES: u32 = 5;

/// `arbitrage bench --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Row {
    currencies: usize,
    legs: usize,
    gain: f64,
    exact_us: f64,
    /// Is the cycle of Bellman and Ford the best of all lengths? None where no cycle gains, or all lengths were not searched.
    bellman_ford: Option<bool>,
    spins: usize,
    annealed_us: f64,
    /// Share of the replicas that found the best. The annealer does not know of a limit of legs: only where there is none.
    found: Option<f64>,
}

pub(super) fn run(options: &ArbitrageBench) -> Result<ExitCode> {
    let mut rows = Vec::new();
    for (currencies, legs) in SIZES {
        let quotes = quotes(&Made { currencies, ..Made::default() }, 7);
        let graph = Graph::new(&quotes);
        let mut exact_us = f64::INFINITY;
        for _ in 0..TIMES {
            let begun = Instant::now();
            let _ = black_box(best(black_box(&graph), legs)?);
            exact_us = exact_us.min(begun.elapsed().as_secs_f64() * 1e6);
        }
        let Some(cycle) = best(&graph, legs)?.cycle else { continue };
        let is_best = |legs: &[_]| compare(&quotes, legs, &cycle.legs) == Ordering::Equal;
        let begun = Instant::now();
        let (found, _) = anneal(&options.annealing, |annealer| Ok(annealed::search(&graph, annealer)?))?;
        let annealed_us = begun.elapsed().as_secs_f64() * 1e6;
        let share = found.each.iter().flatten().filter(|cycle| is_best(&cycle.legs)).count();
        rows.push(Row {
            currencies,
            legs,
            gain: cycle.product(&quotes).gain(),
            exact_us,
            bellman_ford: bellman_ford::any(&graph).filter(|_| legs == currencies).map(|any| is_best(&any.legs)),
            spins: currencies * (currencies - 1),
            annealed_us,
            found: (legs == currencies).then(|| share as f64 / found.each.len().max(1) as f64),
        });
    }
    if options.json {
        output::json(&rows)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("  currencies  legs     gain, bp     exact, us   spins  annealed, us   found");
    for row in &rows {
        let found = row.found.map_or("-".to_owned(), |found| format!("{:.1} %", found * 100.0));
        say!(
            "  {:>10}  {:>4}  {:>11.4}  {:>12.1}  {:>6}  {:>12.1}  {found:>6}",
            row.currencies,
            row.legs,
            row.gain * 1e4,
            row.exact_us,
            row.spins,
            row.annealed_us
        );
    }
    Ok(ExitCode::SUCCESS)
}
