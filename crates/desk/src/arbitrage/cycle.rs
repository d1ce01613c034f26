//! `firelane arbitrage cycle`: the best one there is.

use super::{money, quotes};
use crate::cli::ArbitrageCycle;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::Result;
use firelane_arbitrage::cycles::{By, CycleError, Graph, best};
use firelane_arbitrage::quotes::{Leg, Quotes, Take};
use serde::Serialize;
use std::process::ExitCode;

/// `arbitrage cycle --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    currencies: usize,
    quotes: usize,
    longest: usize,
    /// `enumeration` or `subsets`.
    by: &'static str,
    steps: u64,
    gains: bool,
    gain: Option<f64>,
    /// Of the first currency, in ten-thousandths.
    given: Option<u64>,
    got: Option<u64>,
    legs: Vec<Row>,
}

/// A leg as it is printed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) venue: String,
    /// `sell` or `buy`, the pair's base.
    pub(super) take: &'static str,
    pub(super) pair: String,
    pub(super) price: String,
}

pub(super) fn row(quotes: &Quotes, leg: Leg) -> Row {
    let quote = &quotes.quotes()[leg.quote];
    Row {
        venue: quote.venue.clone(),
        take: match leg.take {
            Take::Sell => "sell",
            Take::Buy => "buy",
        },
        pair: format!("{}/{}", quotes.currencies()[quote.base], quotes.currencies()[quote.quote]),
        price: quotes.level(leg).map_or(String::new(), |level| level.price.to_string()),
    }
}

pub(super) fn run(options: &ArbitrageCycle) -> Result<ExitCode> {
    let quotes = quotes(&options.file)?;
    let graph = Graph::new(&quotes);
    let mut longest = options.legs.unwrap_or(graph.currencies());
    let found = match best(&graph, longest) {
        Err(CycleError::Work { fits, .. }) if options.legs.is_none() => {
            longest = fits;
            best(&graph, fits)?
        }
        other => other?,
    };
    let product = found.cycle.as_ref().map(|cycle| cycle.product(&quotes));
    let filled = found.cycle.as_ref().map(|cycle| cycle.filled(&quotes));
    let report = Report {
        currencies: graph.currencies(),
        quotes: quotes.quotes().len(),
        longest,
        by: match found.by {
            By::Enumeration => "enumeration",
            By::Subsets => "subsets",
        },
        steps: found.steps,
        gains: product.as_ref().is_some_and(|product| product.is_gain()),
        gain: product.map(|product| product.gain()),
        given: filled.map(|filled| filled.given),
        got: filled.map(|filled| filled.got),
        legs: found.cycle.iter().flat_map(|cycle| cycle.legs.iter().map(|leg| row(&quotes, *leg))).collect(),
    };
    if options.json {
        output::json(&report)?;
        return Ok(ExitCode::SUCCESS);
    }
    let head = format!(
        "{} currencies, {} quotes: the best cycle of at most {longest} legs, by {} in {} steps.",
        report.currencies,
        group(report.quotes as u64),
        report.by,
        group(report.steps)
    );
    say!("{}", sentence(&head, 2));
    let (Some(gain), Some(cycle)) = (report.gain, &found.cycle) else {
        say!("There is none: no leg leads back to where another came from.");
        return Ok(ExitCode::SUCCESS);
    };
    say!();
    for row in &report.legs {
        say!("  {:<16}  {:<4}  {:<33}  {:>16}", row.venue, row.take, row.pair, row.price);
    }
    say!();
    let word = if report.gains { "gain" } else { "loss" };
    say!("  {word:<10}{:>20.9} bp, after fees", gain.abs() * 1e4);
    let first = &quotes.currencies()[cycle.through[0]];
    let (given, got) = (report.given.unwrap_or(0).into(), report.got.unwrap_or(0).into());
    say!("  {:<10}{:>20} {first}, as sizes allow", "send", money(given));
    say!("  {:<10}{:>20} {first}", "receive", money(got));
    if !report.gains {
        say!();
        say!("No cycle gains: this one loses least.");
    }
    Ok(ExitCode::SUCCESS)
}
