//! `firelane arbitrage pairs`: what to sell and what to buy.

use super::{anneal, market};
use crate::cli::ArbitragePairs;
use crate::layout::sentence;
use crate::output;
use anyhow::Result;
use firelane_arbitrage::pairs::exact::ranked;
use firelane_arbitrage::pairs::{MarketGraph, Path, annealed};
use serde::Serialize;
use std::process::ExitCode;

/// Stocks that are annealed, at most: 992 spins.
const MOST_ANNEALED: usize = 32;

/// `arbitrage pairs --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    stocks: usize,
    edges: usize,
    pairs: Vec<Pair>,
    /// None where there are too many stocks.
    annealed: Option<Annealed>,
}

#[derive(Debug, Serialize)]
struct Pair {
    sell: String,
    buy: String,
    path: Vec<String>,
    worth: f64,
}

#[derive(Debug, Serialize)]
struct Annealed {
    device: String,
    spins: usize,
    agrees: bool,
    worth: f64,
    /// Shares of the states whose path is the best, as it was and mended.
    raw: f64,
    mended: f64,
}

pub(super) fn run(options: &ArbitragePairs) -> Result<ExitCode> {
    let market = market(&options.stocks)?;
    let graph = MarketGraph::new(&market);
    let best = ranked(&graph, options.top as usize);
    let name = |at: &usize| market.names()[*at].clone();
    let pair = |path: &Path| Pair {
        sell: name(&path.nodes[0]),
        buy: name(&path.nodes[path.nodes.len() - 1]),
        path: path.nodes.iter().map(name).collect(),
        worth: path.worth(),
    };
    let annealed = match best.first().filter(|_| graph.names() <= MOST_ANNEALED) {
        None => None,
        Some(best) => {
            let (found, device) = anneal(&options.annealing, |annealer| Ok(annealed::search(&graph, annealer)?))?;
            let share = |count: usize| count as f64 / found.each.len().max(1) as f64;
            Some(Annealed {
                device,
                spins: graph.bits().bits(),
                agrees: found.best.as_ref().is_some_and(|path| path.weight == best.weight),
                worth: found.best.as_ref().map_or(0.0, Path::worth),
                raw: share(found.each.iter().filter(|(raw, _)| raw.weight == best.weight).count()),
                mended: share(found.each.iter().filter(|(_, mended)| mended.weight == best.weight).count()),
            })
        }
    };
    let report =
        Report { stocks: market.len(), edges: graph.edges(), pairs: best.iter().map(pair).collect(), annealed };
    if options.json {
        output::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("{}", sentence(&format!("{} stocks, {} edges from dear to cheap.", report.stocks, report.edges), 2));
    say!();
    if report.pairs.is_empty() {
        say!("  no pair is worth its spread");
    }
    for pair in &report.pairs {
        let text = format!("  {:>10.4} %  {}", pair.worth * 100.0, pair.path.join(" > "));
        say!("{}", sentence(&text, 16));
    }
    say!();
    if let Some(annealed) = &report.annealed {
        let agrees = if annealed.agrees { "the same best path" } else { "a path that is worth less" };
        let text = format!(
            "The ranking is exact. {} spins on {} found {agrees}: {:.1} % of the states as they were, {:.1} % mended.",
            annealed.spins,
            annealed.device,
            annealed.raw * 100.0,
            annealed.mended * 100.0
        );
        say!("{}", sentence(&text, 2));
    } else {
        say!("The ranking is exact.");
    }
    Ok(ExitCode::SUCCESS)
}
