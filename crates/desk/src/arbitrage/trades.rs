//! `firelane arbitrage trades`: the best set under limits.

use super::cycle::{Row, row};
use super::{anneal, money, quotes};
use crate::cli::ArbitrageTrades;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::Result;
use firelane_arbitrage::trades::exact::branch;
use firelane_arbitrage::trades::{Asked, Trades, annealed};
use serde::Serialize;
use std::process::ExitCode;

/// `arbitrage trades --json`. The layout is stable: fields are added, never renamed or removed. Money is in ten-thousandths.
#[derive(Debug, Serialize)]
struct Report {
    home: String,
    /// Sides that are quoted with a lot or more, and bits of the annealed function.
    choices: usize,
    bits: usize,
    device: String,
    /// What the annealer's set is worth, mended; and what is answered.
    annealed: i64,
    worth: i64,
    /// No set is worth more; none where no bound was asked for.
    bound: Option<i64>,
    proved: bool,
    relaxations: u64,
    trades: Vec<Trade>,
    net: Vec<Net>,
}

#[derive(Debug, Serialize)]
struct Trade {
    #[serde(flatten)]
    leg: Row,
    lots: u32,
    of: u32,
}

#[derive(Debug, Serialize)]
struct Net {
    currency: String,
    net: i64,
    /// It may be as far below zero.
    short: i64,
}

pub(super) fn run(options: &ArbitrageTrades) -> Result<ExitCode> {
    let quotes = quotes(&options.file)?;
    let short = options.short.map_or(0, |short| short.0);
    let trades = Trades::new(&quotes, &Asked { home: &options.home, short, legs: options.legs as usize })?;
    let (found, device) = anneal(&options.annealing, |annealer| Ok(annealed::search(&trades, annealer)?))?;
    let bounded = (options.nodes > 0).then(|| branch(&trades, &found.lots, options.nodes));
    let lots = bounded.as_ref().map_or(&found.lots, |bounded| &bounded.lots);
    let narrow = |wide: i128| i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX });
    let used = trades.orders().iter().zip(lots).filter(|(_, lots)| **lots > 0);
    let net = trades.net(lots);
    let report = Report {
        home: options.home.clone(),
        choices: trades.orders().len(),
        bits: found.bits,
        device,
        annealed: narrow(found.worth),
        worth: narrow(trades.worth(lots)),
        bound: bounded.as_ref().map(|bounded| narrow(bounded.bound)),
        proved: bounded.as_ref().is_some_and(|bounded| bounded.is_proved()),
        relaxations: bounded.as_ref().map_or(0, |bounded| bounded.looked),
        trades: used
            .map(|(order, lots)| Trade { leg: row(&quotes, order.leg), lots: *lots, of: order.depth })
            .collect(),
        net: (0..trades.currencies())
            .map(|at| Net { currency: quotes.currencies()[at].clone(), net: narrow(net[at]), short: trades.short(at) })
            .collect(),
    };
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) {
    let head = format!("{} sides to choose from, {} bits, on {}.", report.choices, report.bits, report.device);
    say!("{}", sentence(&head, 2));
    say!();
    for trade in &report.trades {
        let lots = format!("{} of {} lots", trade.lots, trade.of);
        say!("  {:<12} {:<4} {:<20} {:>14}  {lots}", trade.leg.venue, trade.leg.take, trade.leg.pair, trade.leg.price);
    }
    if report.trades.is_empty() {
        say!("  no trades: none within these limits are worth anything");
    }
    say!();
    for net in report.net.iter().filter(|net| net.net != 0) {
        say!("  {:<16} {:>24}", net.currency, money(net.net.into()));
    }
    say!("  {:<16} {:>24} {}, at mid prices", "worth", money(report.worth.into()), report.home);
    say!();
    let proof = match report.bound {
        None => "Others may be worth more: no bound was asked for.".to_owned(),
        Some(_) if report.proved => {
            format!("No set is worth more, to the tolerance of {} relaxations.", group(report.relaxations))
        }
        Some(bound) => format!(
            "No set is worth more than {}: that is known from {} relaxations; --nodes allows more.",
            money(bound.into()),
            group(report.relaxations)
        ),
    };
    let annealed = format!("The annealer's set was worth {}. {proof}", money(report.annealed.into()));
    say!("{}", sentence(&annealed, 2));
}
