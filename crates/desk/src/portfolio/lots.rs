//! `firelane portfolio lots`: whole lots that track weights, and the cash that is left over.

use super::{asked, cell, text, universe};
use crate::cli::{PortfolioLots, dash};
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes, finish};
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result, bail};
use firelane_portfolio::lots::{Lots, MOST_MONEY, Terms, round};
use firelane_portfolio::universe::Universe;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;

/// Units of money in one of its own.
const UNITS: u64 = 10_000;

/// An amount of money, in 1/10,000.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Amount(pub(crate) u64);

impl FromStr for Amount {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be an amount of money above 0, with up to four decimals, as in 1000000 or 12.3456";
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || decimals.len() > 4 || !digits(whole) || !digits(decimals) {
            return Err(rule);
        }
        let whole: u64 = whole.parse().map_err(|_| rule)?;
        let decimals: u64 = format!("{decimals:0<4}").parse().map_err(|_| rule)?;
        let units = whole.checked_mul(UNITS).and_then(|units| units.checked_add(decimals)).ok_or(rule)?;
        if (1..=MOST_MONEY).contains(&units) { Ok(Amount(units)) } else { Err(rule) }
    }
}

/// `portfolio lots --json`. The layout is stable: fields are added, never renamed or removed. Money is in 1/10,000.
#[derive(Debug, Serialize)]
struct Report {
    capital: u64,
    costs: u64,
    cash: i64,
    /// The standard deviation a period of the difference to the weights.
    tracking: f64,
    violation: f64,
    proved: bool,
    held: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    name: String,
    lots: i64,
    shares: i64,
    price: u64,
    weight: f64,
    target: f64,
}

pub(super) fn run(options: &PortfolioLots) -> Result<ExitCode> {
    let reads =
        [Some(options.file.as_path()), Some(&options.weights), Some(&options.prices), options.mandate.as_deref()];
    check_dashes(&reads, &[options.csv.as_deref()], options.json);
    let universe = universe(&options.file)?;
    let asked = asked(options.mandate.as_deref(), &universe)?;
    let named = |path: &Path| path.display().to_string();
    let target = targets(&text(&options.weights)?, &universe).with_context(|| named(&options.weights))?;
    let terms = terms(&text(&options.prices)?, &universe, &target, options.capital.0)
        .with_context(|| named(&options.prices))?;
    let read_from: Vec<&Path> = reads.into_iter().flatten().filter(|path| !dash(path)).collect();
    let csv = options.csv.as_deref().map(|path| OutFile::create(path, &read_from, options.force)).transpose()?;
    let lots = round(&universe, &asked.mandate, &target, &terms)?;
    let report = report(&universe, &target, &terms, &lots);
    finish(csv, options.csv.as_deref(), table(&report).as_bytes())?;
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(report.violation > 0.0)))
}

/// Rows of a CSV file with these columns, of which the first `must` have to be there.
fn rows(text: &str, columns: &[&str], must: usize) -> Result<Vec<(usize, Vec<String>)>> {
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let first = lines.next().map_or("", |(_, line)| line);
    let found: Vec<&str> = first.split(',').map(str::trim).collect();
    if found.len() < must || !columns.starts_with(&found) {
        bail!("line 1: its columns are `{first}`, and must be {}", columns.join(","));
    }
    let mut rows = Vec::new();
    for (n, line) in lines {
        let cells = cells(line);
        if cells.len() != found.len() {
            bail!("line {}: {} cells, and {} columns", n + 1, cells.len(), found.len());
        }
        rows.push((n + 1, cells));
    }
    Ok(rows)
}

/// The cells of a line; what is in quotes may have commas, and a quote that is doubled is one.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        let last = cells.len() - 1;
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => cells[last].extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            c => cells[last].push(c),
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn index(universe: &Universe, line: usize, name: &str) -> Result<usize> {
    universe.index_of(name).with_context(|| format!("line {line}: there is no name `{name}` in the universe"))
}

fn targets(text: &str, universe: &Universe) -> Result<Vec<f64>> {
    let mut target = vec![None; universe.len()];
    for (line, cells) in rows(text, &["name", "weight"], 2)? {
        let at = index(universe, line, &cells[0])?;
        let weight: f64 = cells[1]
            .parse()
            .ok()
            .filter(|weight: &f64| weight.is_finite())
            .with_context(|| format!("line {line}: `{}` is no weight", cells[1]))?;
        if target[at].replace(weight).is_some() {
            bail!("line {line}: `{}` is there twice", cells[0]);
        }
    }
    Ok(target.into_iter().map(|weight| weight.unwrap_or(0.0)).collect())
}

fn terms(text: &str, universe: &Universe, target: &[f64], capital: u64) -> Result<Terms> {
    let mut known = BTreeMap::new();
    for (line, cells) in rows(text, &["name", "price", "lot"], 2)? {
        let at = index(universe, line, &cells[0])?;
        let price = cells[1].parse::<Amount>().map_err(|rule| anyhow::anyhow!("line {line}: the price {rule}"))?;
        let lot = cells.get(2).map_or(Ok(1), |lot| lot.parse::<u64>());
        let lot = lot
            .ok()
            .filter(|lot| *lot > 0)
            .with_context(|| format!("line {line}: `{}` is no lot; it must be 1 or more shares", cells[2]))?;
        if known.insert(at, (price.0, lot)).is_some() {
            bail!("line {line}: `{}` is there twice", cells[0]);
        }
    }
    if let Some(name) = (0..universe.len()).find(|name| target[*name] != 0.0 && !known.contains_key(name)) {
        bail!("there is no price of `{}`, which has a weight", universe.names()[name]);
    }
    // What has no weight is not bought, whatever it costs.
    let of = |name: usize| known.get(&name).copied().unwrap_or((1, 1));
    let (price, lot) = (0..universe.len()).map(of).unzip();
    Ok(Terms { price, lot, capital })
}

fn report(universe: &Universe, target: &[f64], terms: &Terms, lots: &Lots) -> Report {
    let held = (0..universe.len()).filter(|name| target[*name] != 0.0).map(|name| Row {
        name: universe.names()[name].clone(),
        lots: lots.lots[name],
        shares: lots.shares[name],
        price: terms.price[name],
        weight: lots.weights[name],
        target: target[name],
    });
    Report {
        capital: terms.capital,
        costs: lots.costs,
        cash: lots.cash,
        tracking: lots.tracking,
        violation: lots.violation,
        proved: lots.proved,
        held: held.collect(),
    }
}

/// Money in its own unit.
fn money(units: i64) -> String {
    let (sign, units) = (if units < 0 { "-" } else { "" }, units.unsigned_abs());
    format!("{sign}{}.{:04}", group(units / UNITS), units % UNITS)
}

fn print(report: &Report) {
    let longest = report.held.iter().map(|row| row.name.chars().count()).max().unwrap_or(0).clamp(4, 16);
    say!("  {:<longest$}  {:>10}  {:>12}  {:>14}  {:>8}  {:>8}", "name", "lots", "shares", "price", "weight", "target");
    for row in &report.held {
        let name: String = row.name.chars().take(longest).collect();
        let price = money(row.price as i64);
        say!(
            "  {name:<longest$}  {:>10}  {:>12}  {price:>14}  {:>8.5}  {:>8.5}",
            row.lots,
            row.shares,
            row.weight,
            row.target
        );
    }
    say!();
    let cash = report.cash as f64 / report.capital as f64 * 100.0;
    say!("  cash       {:>20}   {cash:.3} % of the capital", money(report.cash));
    if report.costs > 0 {
        say!("  costs      {:>20}", money(report.costs as i64));
    }
    say!("  tracking   {:>20.3e}   standard deviation of what differs", report.tracking);
    say!();
    let proof = if report.violation > 0.0 {
        format!("No whole lots were found that keep to the mandate: this misses a limit by {:.2e}.", report.violation)
    } else if report.proved {
        "No other lots within the mandate track better: all that could were enumerated.".to_owned()
    } else {
        "Others may track better: there are too many to enumerate.".to_owned()
    };
    say!("{}", sentence(&proof, 2));
}

fn table(report: &Report) -> String {
    let mut text = "name,lots,shares,weight\n".to_owned();
    for row in &report.held {
        let _ = writeln!(text, "{},{},{},{}", cell(&row.name), row.lots, row.shares, row.weight);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_read_as_it_was_written() {
        for name in ["A", "A, B", "the \"A\"", "\"", ""] {
            assert_eq!(cells(&format!("{},0.5", cell(name))), [name, "0.5"]);
        }
    }

    #[test]
    fn money_is_read_and_written_to_its_last_decimal() {
        for (text, units) in
            [("1", 10_000), ("12.3456", 123_456), ("0.0001", 1), ("50000.50", 500_005_000), ("007", 70_000)]
        {
            assert_eq!(text.parse(), Ok(Amount(units)));
        }
        let most = format!("{}.{:04}", MOST_MONEY / UNITS, MOST_MONEY % UNITS);
        assert_eq!(most.parse(), Ok(Amount(MOST_MONEY)));
        for text in ["", "0", ".5", "1.23456", "-1", "1e3", "1,000", "99999999999999999999", "900719925474.0993"] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
        assert_eq!((money(123_456), money(-12_345_678_900)), ("12.3456".into(), "-1,234,567.8900".into()));
    }
}
