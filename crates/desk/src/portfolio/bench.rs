//! `firelane portfolio bench`: the choice of names at equal weights, from a random start to the best.

use super::universe;
use crate::cli::PortfolioBench;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_portfolio::equal::{Choice, Chosen};
use firelane_portfolio::search::Random;
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// `portfolio bench --json`. The layout is stable: fields are added, never renamed or removed. Times are nanoseconds of one thread.
#[derive(Debug, Serialize)]
struct Report {
    cardinality: usize,
    lambda: f64,
    runs: u32,
    seed: u64,
    files: Vec<Timed>,
}

#[derive(Debug, Serialize)]
struct Timed {
    file: String,
    names: usize,
    /// The least objective of all runs, and the names that have it.
    best: f64,
    held: Vec<String>,
    /// The part of the runs that ends there.
    p: f64,
    /// Exchanges of a run, in the mean.
    exchanges: f64,
    min_ns: u64,
    p50_ns: u64,
    p99_ns: u64,
    tts99_ns: f64,
}

pub(super) fn run(options: &PortfolioBench) -> Result<ExitCode> {
    let mut files = Vec::new();
    for path in &options.files {
        let universe = universe(path)?;
        let choice =
            Choice::new(&universe, options.cardinality, options.lambda).with_context(|| path.display().to_string())?;
        let name =
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
        files.push(timed(name, &choice, universe.names(), options));
    }
    let (cardinality, lambda) = (options.cardinality, options.lambda);
    let report = Report { cardinality, lambda, runs: options.runs, seed: options.seed, files };
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn timed(file: String, choice: &Choice, names: &[String], options: &PortfolioBench) -> Timed {
    let mut lot = Random::new(options.seed);
    let mut order: Vec<usize> = (0..choice.names()).collect();
    let (mut chosen, mut best) = (Chosen::default(), Chosen::of(Vec::new()));
    best.objective = f64::INFINITY;
    let mut runs = Vec::with_capacity(options.runs as usize);
    let mut exchanges = 0;
    for _ in 0..options.runs {
        choice.draw(&mut order, &mut lot, &mut chosen);
        let begun = Instant::now();
        exchanges += choice.descend(&mut chosen);
        let ns = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        runs.push((ns, chosen.objective));
        if chosen.objective < best.objective {
            best.clone_from(&chosen);
        }
    }
    // What is added up in another order is off by rounding.
    let met = |objective: f64| objective <= best.objective + 1e-12 * best.objective.abs();
    let p = runs.iter().filter(|(_, objective)| met(*objective)).count() as f64 / runs.len() as f64;
    let mut times: Vec<u64> = runs.iter().map(|(ns, _)| *ns).collect();
    times.sort_unstable();
    let at = |part: f64| times[(part * (times.len() - 1) as f64) as usize];
    let often = if p >= 0.99 { 1.0 } else { 0.01f64.ln() / (1.0 - p).ln() };
    best.names.sort_unstable();
    Timed {
        file,
        names: choice.names(),
        best: choice.objective_of(&best.names),
        held: best.names.iter().map(|name| names[*name].clone()).collect(),
        p,
        exchanges: exchanges as f64 / runs.len() as f64,
        min_ns: at(0.0),
        p50_ns: at(0.5),
        p99_ns: at(0.99),
        tts99_ns: at(0.5) as f64 * often,
    }
}

fn print(report: &Report) {
    let head = format!(
        "{} names at equal weights, lambda {}; {} runs of each, seed {}.",
        report.cardinality,
        report.lambda,
        group(u64::from(report.runs)),
        report.seed
    );
    say!("{}", sentence(&head, 2));
    say!();
    say!("  file                 names              best       p    p50    p99   TTS99");
    for one in &report.files {
        let from = one.file.chars().count().saturating_sub(19);
        let file: String = one.file.chars().skip(from).collect();
        say!(
            "  {file:<19}{:>7}  {:>16.9e}{:>8.4}{:>7.1}{:>7.1}{:>8.1}",
            one.names,
            one.best,
            one.p,
            one.p50_ns as f64 / 1e3,
            one.p99_ns as f64 / 1e3,
            one.tts99_ns / 1e3
        );
    }
    say!();
    say!("{}", sentence("Microseconds of one thread, from a random start to where no exchange helps.", 2));
}
