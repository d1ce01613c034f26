//! `firelane arbitrage long-short`: as many to buy as to sell.

use super::{anneal, market};
use crate::cli::ArbitrageLongShort;
use crate::layout::sentence;
use crate::output;
use anyhow::Result;
use firelane_arbitrage::longshort::search::{annealed, from};
use firelane_arbitrage::longshort::{Selection, UNITS, exact};
use serde::Serialize;
use std::process::ExitCode;

/// `arbitrage long-short --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    stocks: usize,
    lambda: f64,
    device: String,
    value: f64,
    /// All selections were tried.
    proved: bool,
    starts: usize,
    agreed: usize,
    buy: Vec<String>,
    sell: Vec<String>,
}

pub(super) fn run(options: &ArbitrageLongShort) -> Result<ExitCode> {
    let market = market(&options.stocks)?;
    let selection = Selection::new(&market, options.lambda)?;
    let (starts, device) = anneal(&options.annealing, |annealer| Ok(annealed(&selection, annealer)?))?;
    let mut found = from(&selection, &starts);
    let all = exact::search(&selection);
    let proved = all.is_some();
    if let Some(best) = all.filter(|best| best.value > found.value) {
        (found.chosen, found.value, found.agreed) = (best.chosen, best.value, 0);
    }
    let on = |side: i8| {
        let names = (0..market.len()).filter(|name| found.chosen[*name] && selection.side(*name) == side);
        names.map(|name| market.names()[name].clone()).collect::<Vec<String>>()
    };
    let report = Report {
        stocks: market.len(),
        lambda: options.lambda,
        device,
        value: found.value as f64 / UNITS,
        proved,
        starts: found.starts,
        agreed: found.agreed,
        buy: on(1),
        sell: on(-1),
    };
    if options.json {
        output::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    say!("  value      {:>16.6}   {} stocks, lambda {}", report.value, report.stocks, report.lambda);
    say!();
    say!("{}", sentence(&format!("  buy   {}", report.buy.join(" ")), 8));
    say!("{}", sentence(&format!("  sell  {}", report.sell.join(" ")), 8));
    say!();
    let proof = if proved { "All selections were tried: none is better." } else { "That is no proof." };
    let text = format!("{} of {} descents from {} ended here. {proof}", report.agreed, report.starts, report.device);
    say!("{}", sentence(&text, 2));
    Ok(ExitCode::SUCCESS)
}
