//! `firelane portfolio`: frontiers, single portfolios, whole lots, and what they cost.

mod bench;
mod frontier;
mod lots;
mod qubo;
mod solve;
mod starts;

use crate::cli::{Portfolio, dash};
use crate::progress;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_portfolio::mandate::file::Asked;
use firelane_portfolio::search::Progress;
use firelane_portfolio::universe::Universe;
use indicatif::ProgressBar;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

pub(crate) use lots::Amount;

pub(crate) fn run(command: &Portfolio) -> Result<ExitCode> {
    match command {
        Portfolio::Frontier(options) => frontier::run(options),
        Portfolio::Solve(options) => solve::run(options),
        Portfolio::Lots(options) => lots::run(options),
        Portfolio::Qubo(options) => qubo::run(options),
        Portfolio::Bench(options) => bench::run(options),
    }
}

/// A file's text; `-` is standard input.
fn text(path: &Path) -> Result<String> {
    if dash(path) {
        return std::io::read_to_string(std::io::stdin().lock()).context("standard input");
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn universe(path: &Path) -> Result<Universe> {
    Universe::parse(&text(path)?).with_context(|| path.display().to_string())
}

/// What a mandate's file asks for, or the default.
fn asked(path: Option<&Path>, universe: &Universe) -> Result<Asked> {
    let Some(path) = path else { return Ok(Asked::parse("", universe)?) };
    Asked::parse(&text(path)?, universe).with_context(|| path.display().to_string())
}

/// A cell of a CSV file, quoted where it must be.
fn cell(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A search that is shown, and ends in time.
struct Watch {
    bar: ProgressBar,
    begun: Instant,
    limit: Option<Duration>,
    shown: Option<Instant>,
}

impl Watch {
    fn new(seconds: Option<f64>) -> Watch {
        let limit = seconds.map(Duration::from_secs_f64);
        Watch { bar: progress::line(), begun: Instant::now(), limit, shown: None }
    }

    /// Shows it, and says whether to go on: a part of the time is there for what has been done of all.
    fn look(&mut self, what: &str, progress: &Progress, part: f64) -> ControlFlow<()> {
        let now = Instant::now();
        if self.shown.is_none_or(|shown| now.duration_since(shown) >= Duration::from_millis(100)) {
            self.shown = Some(now);
            let best = progress.best.map_or("none yet".to_owned(), |best| format!("{best:.10}"));
            self.bar.set_message(format!(
                "{what}{} descents, {} portfolios, best {best}",
                group(progress.starts),
                group(progress.looked)
            ));
        }
        match self.limit {
            Some(limit) if now.duration_since(self.begun) >= limit.mul_f64(part) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    fn end(&self) -> f64 {
        self.bar.finish_and_clear();
        self.begun.elapsed().as_secs_f64()
    }
}
