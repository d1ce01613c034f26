//! A portfolio beside a lane: what the books say becomes a covariance, what is held becomes weights, and a mandate's answer goes back as
//! targets that expire.
//!
//! ```text
//!  tape ── tops ──────> mids on a grid of exchange time ──> covariance ─┐
//!       ── positions ─> shares and cash ────────────────────────────────┴─> Question ──> Adviser ──> Word::Target, each with an expiry
//!       ── answers ───> what became of them                                (a search with a deadline)        │
//!  lane <──────────────────────── inbox of the portfolio ────────────────────────────────────────────────────┘
//! ```
//!
//! [`account`] reads the tape and forgets nothing that a target needs; [`adviser`] is asked and answers, beside the tape where there is a
//! clock ([`live`]), and at once where time is virtual ([`Rebalance`]). Whoever trades towards targets is a strategy of the lane
//! (`wiring = "target-tracker"`), which holds or goes flat when nobody renews them.

mod account;
mod adviser;
mod live;
mod report;
#[cfg(test)]
mod tests;

pub(crate) use live::Rebalanced;
pub(crate) use report::Report;

use account::Account;
use adviser::Adviser;
use anyhow::{Context, Result};
use firelane_gateway::base::{Currency, Instrument, InstrumentId, InstrumentTable, Mono, Nanos};
use firelane_gateway::flow::CommandBuf;
use firelane_gateway::shell::config::{Config, ConfigError};
use firelane_gateway::shell::plug::Params;
use firelane_portfolio::covariance::Weighting;
use firelane_portfolio::lots::MOST_MONEY;
use firelane_portfolio::mandate::file::Asked;
use firelane_portfolio::universe::Universe;
use report::Tally;
use std::path::Path;

firelane_gateway::params! {
    /// a portfolio beside the lane, which tells the target tracker what to hold: docs/portfolio.md
    pub struct PortfolioParams in "portfolio" {
        /// what may be held, of those in [instruments] listed or [[instrument]]; none: no portfolio
        symbols: Vec<String> = Vec::new(),
        /// its mandate (TOML); none: all of the capital, no name short
        file: String = String::new(),
        /// in place of the file, all of it; a log has it so
        document: String = String::new(),
        /// what there is at the start, whole units of the base currency
        capital: u64 = 1_000_000,
        /// returns that are expected, of each symbol; empty: 0
        means: Vec<f64> = Vec::new(),
        /// over so long are returns and covariance
        horizon_s: u64 = 23_400,
        /// mids are sampled so far apart, by exchange time
        grid_ms: u64 = 1_000,
        /// so many rows of returns count
        window: usize = 600,
        /// targets from so many rows on
        least: usize = 60,
        /// how often targets are asked for
        every_ms: u64 = 10_000,
        /// a target is good for so long
        valid_ms: u64 = 30_000,
        /// how long a live search may take
        deadline_ms: u64 = 100,
        /// descents of a search
        descents: u64 = 4,
        /// of what is drawn by lot
        seed: u64 = 1,
        /// shares of a lot; 0: each instrument's own round lot
        lot: u64 = 1,
    }
    check = |params| params.checked().map(|_| ());
}

/// What is wrong with a key of the table.
fn wrong(key: &str, message: impl Into<String>) -> ConfigError {
    ConfigError::Key { key: format!("portfolio.{key}"), message: message.into() }
}

/// A limit of a key.
fn within<T: PartialOrd + std::fmt::Display>(
    key: &str,
    value: T,
    range: std::ops::RangeInclusive<T>,
) -> Result<(), ConfigError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(wrong(key, format!("is {value}; it must be {} to {}", range.start(), range.end())))
}

impl PortfolioParams {
    /// The mandate, if there is a portfolio.
    fn checked(&self) -> Result<Option<Asked>, ConfigError> {
        const DAY_MS: u64 = 86_400_000;
        within("capital", self.capital, 1..=MOST_MONEY)?;
        within("horizon_s", self.horizon_s, 1..=366 * 86_400)?;
        within("grid_ms", self.grid_ms, 1..=DAY_MS)?;
        within("window", self.window, 2..=firelane_portfolio::covariance::MOST_OBSERVATIONS)?;
        within("least", self.least, 2..=self.window)?;
        within("every_ms", self.every_ms, 1..=DAY_MS)?;
        within("valid_ms", self.valid_ms, 1..=DAY_MS)?;
        within("deadline_ms", self.deadline_ms, 1..=60_000)?;
        within("descents", self.descents, 0..=100_000)?;
        within("lot", self.lot, 0..=1_000_000)?;
        if !self.means.is_empty() && self.means.len() != self.symbols.len() {
            let (are, must) = (self.means.len(), self.symbols.len());
            return Err(wrong("means", format!("are {are}; leave them out, or give one for each of {must} symbols")));
        }
        if !self.file.is_empty() && self.document.is_empty() {
            return Err(wrong("file", "names a file that nobody has read: firelane reads it where a configuration is"));
        }
        if self.symbols.is_empty() {
            return Ok(None);
        }
        // What varies is not known before there is a market; a mandate is read by its names alone.
        let n = self.symbols.len();
        let universe = Universe::new(self.symbols.clone(), self.means(), vec![0.0; n.saturating_mul(n)]);
        let universe = universe.map_err(|error| wrong("symbols", error.to_string()))?;
        let key = if self.document.is_empty() { "symbols" } else { "document" };
        Asked::parse(&self.document, &universe).map(Some).map_err(|error| wrong(key, error.to_string()))
    }

    fn means(&self) -> Vec<f64> {
        if self.means.is_empty() { vec![0.0; self.symbols.len()] } else { self.means.clone() }
    }
}

/// A name of the portfolio, as the lane has it.
#[derive(Clone, Debug)]
struct Listed {
    id: InstrumentId,
    row: Instrument,
    /// What a price unit is, times a share, in units of money.
    scale: u64,
}

/// A portfolio, checked against its lane.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    params: PortfolioParams,
    mandate: Asked,
    names: Vec<Listed>,
    /// At the start, in units of money: 10^exponent of the base currency, fine enough for every name.
    capital: u64,
    weighting: Weighting,
    every: Nanos,
    valid: Nanos,
}

/// The portfolio of a configuration, if it has one.
pub(crate) fn of(config: &Config) -> Result<Option<Settings>, ConfigError> {
    let params = PortfolioParams::read(&config.text)?;
    let Some(mandate) = params.checked()? else { return Ok(None) };
    if !config.policy.tape_tops {
        return Err(wrong("symbols", "are known by the tape's tops: policy.tape_tops must be true"));
    }
    let table = InstrumentTable::new(&config.listed, config.listed.len(), false);
    let base = config.risk.currency;
    let rows = params.symbols.iter().map(|symbol| listed(symbol, &table, base)).collect::<Result<Vec<_>, _>>()?;
    let exponent = |row: &Instrument| i32::from(row.price_exponent) + i32::from(row.qty_exponent);
    let least = rows.iter().map(|(_, row)| exponent(row)).min().unwrap_or(0).min(0);
    let power = |exponent: i32| u32::try_from(exponent).ok().and_then(|exponent| 10u64.checked_pow(exponent));
    let names = rows.into_iter().map(|(id, row)| {
        let multiplier = u64::try_from(row.multiplier).ok();
        let scale = power(exponent(&row) - least).zip(multiplier).and_then(|(unit, of)| unit.checked_mul(of));
        let too_large = || wrong("symbols", format!("{row} counts money in units too unlike the others'"));
        Ok(Listed { id, row, scale: scale.filter(|scale| (1..=MOST_MONEY).contains(scale)).ok_or_else(too_large)? })
    });
    let names = names.collect::<Result<Vec<_>, ConfigError>>()?;
    let capital = power(-least).and_then(|unit| params.capital.checked_mul(unit)).filter(|all| *all <= MOST_MONEY);
    let capital = capital.ok_or_else(|| {
        wrong("capital", format!("is {}: more than 2^53 units of 10^{least} of {base}", params.capital))
    })?;
    Ok(Some(Settings {
        mandate,
        names,
        capital,
        weighting: Weighting::Window(params.window),
        every: Nanos::from_millis(params.every_ms),
        valid: Nanos::from_millis(params.valid_ms),
        params,
    }))
}

/// The instrument of a symbol, by what the lane calls it.
fn listed(symbol: &str, table: &InstrumentTable, base: Currency) -> Result<(InstrumentId, Instrument), ConfigError> {
    let rows = || (0..).map(InstrumentId).zip(table.rows());
    let (id, row) = rows().find(|(_, row)| row.to_string() == symbol).ok_or_else(|| {
        let known: Vec<String> = rows().take(20).map(|(_, row)| row.to_string()).collect();
        let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
        wrong("symbols", format!("{symbol:?} is not listed ({known} is): name it in instruments.listed, too"))
    })?;
    if row.currency != base {
        let text = format!("{symbol} trades in {}, and the capital is in {base}: leave it out", row.currency);
        return Err(wrong("symbols", text));
    }
    Ok((id, *row))
}

/// What a mandate's file says.
pub(crate) fn document_of(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).context("the mandate can't be read")
}

/// A portfolio where time is virtual: what it is asked it answers at once.
#[derive(Debug)]
pub(crate) struct Rebalance {
    both: Option<(Account, Adviser)>,
    tally: Tally,
    commands: Vec<CommandBuf>,
}

impl Rebalance {
    /// Of the lane of a configuration.
    pub(crate) fn of(config: &Config) -> Result<Self> {
        let both = of(config)?.map(|settings| (Account::new(&settings), Adviser::new(&settings)));
        Ok(Rebalance { both, tally: Tally::default(), commands: Vec::new() })
    }

    /// A record of the tape.
    pub(crate) fn on_record(&mut self, now: Mono, record: &[u8]) {
        let Rebalance { both: Some((account, adviser)), tally, commands } = self else { return };
        account.on_record(record, tally);
        if let Some(question) = account.question(now, tally) {
            let answer = adviser.answer(&question, None);
            tally.answered(&answer);
            commands.extend(answer.iter().flat_map(|target| adviser.commands(target)));
        }
    }

    /// What is to be said to the lane since it was asked last.
    pub(crate) fn commands(&mut self) -> std::vec::Drain<'_, CommandBuf> {
        self.commands.drain(..)
    }

    /// What it comes to; `None`: there is no portfolio.
    pub(crate) fn report(&self) -> Option<Report> {
        self.both.as_ref().map(|(account, _)| self.tally.report(account))
    }
}
