//! `firelane arbitrage`: cycles, sets of trades, pairs, balanced selections.

mod bench;
mod cycle;
mod long_short;
mod pairs;
mod trades;

use crate::cli::{Annealing, Arbitrage, Stocks, dash};
use crate::ising::device;
use crate::replay::group;
use anyhow::{Context, Result, bail};
use firelane_arbitrage::annealer::Annealer;
use firelane_arbitrage::market::{Market, Price, made};
use firelane_arbitrage::quotes::Quotes;
use firelane_portfolio::universe::Universe;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &Arbitrage) -> Result<ExitCode> {
    match command {
        Arbitrage::Cycle(options) => cycle::run(options),
        Arbitrage::Trades(options) => trades::run(options),
        Arbitrage::Pairs(options) => pairs::run(options),
        Arbitrage::LongShort(options) => long_short::run(options),
        Arbitrage::Bench(options) => bench::run(options),
    }
}

/// A file's text; `-` is standard input.
fn text(path: &Path) -> Result<String> {
    if dash(path) {
        return std::io::read_to_string(std::io::stdin().lock()).context("standard input");
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn quotes(path: &Path) -> Result<Quotes> {
    Quotes::parse(&text(path)?).with_context(|| path.display().to_string())
}

/// Does something with an annealer as it was asked for; what the device is called comes back, too.
fn anneal<T>(asked: &Annealing, run: impl FnOnce(&mut Annealer<'_>) -> Result<T>) -> Result<(T, String)> {
    let mut device = device::open(&asked.device)?;
    let name = device.capabilities().name;
    let algorithm = asked.solver.algorithm();
    let (steps, replicas, seed) = (asked.steps, asked.replicas, asked.seed);
    let found = run(&mut Annealer { device: device.as_mut(), algorithm, steps, replicas, seed })?;
    Ok((found, name))
}

fn market(stocks: &Stocks) -> Result<Market> {
    if stocks.prices.as_deref().is_some_and(dash) && dash(&stocks.file) {
        crate::cli::wrong("standard input (-) is one file: name the other");
    }
    let named = || stocks.file.display().to_string();
    let universe = Universe::parse(&text(&stocks.file)?).with_context(named)?;
    let prices = match &stocks.prices {
        Some(path) => prices(&text(path)?, &universe).with_context(|| path.display().to_string())?,
        None => {
            let names = stocks.names.unwrap_or(universe.len());
            if names > universe.len() {
                bail!("{}: has {} stocks, and --names asks for {names}", named(), universe.len());
            }
            made(&universe, names, stocks.spread_bp / 2e4, stocks.day)
        }
    };
    Market::new(&universe, &prices).with_context(named)
}

fn prices(text: &str, universe: &Universe) -> Result<Vec<Price>> {
    let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line.trim())).filter(|(_, line)| !line.is_empty());
    let head = lines.next().map_or("", |(_, line)| line);
    if head != "name,bid,ask,reference" {
        bail!(
            "line 1: its columns are `{}`, and must be name,bid,ask,reference",
            head.chars().take(60).collect::<String>()
        );
    }
    let mut prices = Vec::new();
    for (line, text) in lines {
        let cells: Vec<&str> = text.split(',').map(str::trim).collect();
        let &[name, bid, ask, reference] = cells.as_slice() else {
            bail!("line {line}: {} cells, and 4 columns", cells.len())
        };
        match universe.names().get(prices.len()) {
            Some(known) if known == name => {}
            Some(known) => {
                bail!("line {line}: `{name}` stands where `{known}` should; keep the order of the stocks' file")
            }
            None => bail!("line {line}: there are {} stocks, and no more", universe.len()),
        }
        let number =
            |text: &str| text.parse::<f64>().ok().with_context(|| format!("line {line}: `{text}` is no price"));
        prices.push(Price { bid: number(bid)?, ask: number(ask)?, reference: number(reference)? });
    }
    Ok(prices)
}

/// Money's units of a currency, which are ten-thousandths.
fn money(units: i128) -> String {
    let size = units.unsigned_abs();
    let whole = u64::try_from(size / 10_000).unwrap_or(u64::MAX);
    format!("{}{}.{:04}", if units < 0 { "-" } else { "" }, group(whole), size % 10_000)
}
