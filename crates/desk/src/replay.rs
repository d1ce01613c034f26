//! `firelane replay`: a recorded file into exact books, best prices, or the orders that a strategy would have sent.

mod books;
pub(crate) mod input;
mod orders;
mod report;

pub(crate) use report::group;

use crate::cli::Replay;
use anyhow::{Context, Result, bail};
use firelane_gateway::base::Symbol;
use firelane_gateway::shell::config::Config;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(options: &Replay) -> Result<ExitCode> {
    let symbol = options.symbol.as_deref().map(parse_symbol).transpose()?;
    let recording = input::load(&options.file)?;
    let mut report = books::replay(&recording, symbol)?;
    if let (Some(path), Some(symbol)) = (&options.bbo, symbol) {
        let states =
            books::write_bbo(&recording, symbol, path).with_context(|| format!("writing {}", path.display()))?;
        report.bbo_states = Some(states);
    }
    if let Some(path) = &options.orders {
        let config = configuration(options.config.as_deref())?;
        let config = orders::configure(config, &recording, symbol, options.config.is_none());
        let written = orders::write(&recording, &config, path);
        report.orders = Some(written.with_context(|| format!("writing {}", path.display()))?);
    }
    if options.json {
        crate::output::json(&report)?;
    } else {
        report.print(&options.file);
    }
    Ok(if options.strict && report.errors.any() { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn configuration(path: Option<&Path>) -> Result<Config> {
    let Some(path) = path else { return Ok(Config::parse("")?) };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Config::parse(&text).with_context(|| path.display().to_string())
}

fn parse_symbol(text: &str) -> Result<Symbol> {
    match Symbol::new(text) {
        Some(symbol) => Ok(symbol),
        None => bail!("--symbol {text:?}: a symbol is one to eight printable ASCII characters without spaces"),
    }
}
