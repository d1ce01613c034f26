//! `firelane portfolio frontier`: the best portfolio of one λ after another, beside the frontier of any number of names.

use super::starts::Proposer;
use super::{Watch, cell, text, universe};
use crate::chart::{Chart, Series, Style};
use crate::cli::{PortfolioFrontier, dash};
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes, finish};
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_portfolio::efficient::Efficient;
use firelane_portfolio::frontier::{Point, efficient, frontier, lambdas};
use firelane_portfolio::mandate::{Count, Mandate, Span};
use firelane_portfolio::orlib;
use firelane_portfolio::search::Options;
use firelane_portfolio::universe::Universe;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// A variance may be off by so much of itself.
const CLOSE: f64 = 5e-5;
/// Points of the unconstrained frontier in a picture.
const DRAWN: usize = 200;

/// `portfolio frontier --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    names: usize,
    seed: u64,
    seconds: f64,
    /// Of all searches, the portfolios that were looked at; was one stopped?
    looked: u64,
    stopped: bool,
    points: Vec<Row>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check: Option<Check>,
}

#[derive(Debug, Serialize)]
struct Row {
    lambda: f64,
    mean: f64,
    variance: f64,
    objective: f64,
    /// Above the objective of any number of names of any size.
    above: f64,
    /// For these names, the objective is at most so far above the least.
    gap: f64,
    violation: f64,
    /// Descents, and how many of them ended here.
    starts: u64,
    agreed: u64,
    /// By name.
    held: Vec<Weight>,
}

#[derive(Debug, Serialize)]
struct Weight {
    name: String,
    weight: f64,
}

#[derive(Debug, Serialize)]
struct Check {
    points: usize,
    /// Relative errors of the variance at the same return.
    largest: f64,
    median: f64,
    agrees: bool,
}

pub(super) fn run(options: &PortfolioFrontier) -> Result<ExitCode> {
    let reads = [Some(options.file.as_path()), options.check.as_deref()];
    check_dashes(&reads, &[options.csv.as_deref(), options.svg.as_deref()], options.json);
    let universe = universe(&options.file)?;
    let points =
        options.check.as_ref().map(|path| orlib::frontier(&text(path)?).with_context(|| path.display().to_string()));
    let points = points.transpose()?;
    let read_from: Vec<&Path> = reads.into_iter().flatten().filter(|path| !dash(path)).collect();
    let create = |path: Option<&Path>| path.map(|path| OutFile::create(path, &read_from, options.force)).transpose();
    let (csv, svg) = (create(options.csv.as_deref())?, create(options.svg.as_deref())?);
    let mandate = mandate(options);
    let mut watch = Watch::new(options.searching.seconds);
    let lambdas = lambdas(options.lambdas as usize);
    let searched = Options { starts: options.searching.starts, ..Options::default() };
    let mut starts = Proposer::new(&options.searching)?;
    let found = frontier(&universe, &mandate, &lambdas, &searched, &mut starts, &mut |at| {
        let what = format!("lambda {:.4} ({} of {}): ", at.lambda, at.point + 1, at.points);
        watch.look(&what, &at.search, (at.point + 1) as f64 / at.points as f64)
    });
    let seconds = watch.end();
    starts.end()?;
    let found = found?;
    let check = points.map(|points| check(&universe, &points)).transpose()?;
    let report = report(options, &universe, &found, seconds, check)?;
    finish(csv, options.csv.as_deref(), table(&universe, &found).as_bytes())?;
    if svg.is_some() {
        let drawn = picture(options, &universe, &found)?.svg();
        finish(svg, options.svg.as_deref(), drawn.as_bytes())?;
    }
    if options.json {
        output::json(&report)?;
    } else {
        print(options, &report);
    }
    Ok(ExitCode::from(u8::from(report.check.is_some_and(|check| !check.agrees))))
}

fn mandate(options: &PortfolioFrontier) -> Mandate {
    let count = match (options.cardinality, options.at_most) {
        (Some(count), _) => Count::Exactly(count),
        (None, Some(count)) => Count::AtMost(count),
        (None, None) => Count::Any,
    };
    Mandate { count, long: Span { min: options.min, max: options.max }, ..Mandate::default() }
}

/// The unconstrained frontier against a file's points.
fn check(universe: &Universe, points: &[orlib::Point]) -> Result<Check> {
    let any = Mandate::default();
    let mut frontier = Efficient::new(universe, &any)?;
    let mut errors = Vec::with_capacity(points.len());
    for (n, point) in points.iter().enumerate() {
        let portfolio = frontier.at_return(point.mean).with_context(|| format!("point {} of --check", n + 1))?;
        // Where there is no variance, any is too much.
        let of = if point.variance > 0.0 { point.variance } else { f64::MIN_POSITIVE };
        errors.push((portfolio.variance - point.variance).abs() / of);
    }
    errors.sort_by(f64::total_cmp);
    let (median, largest) = (errors[errors.len() / 2], errors.last().copied().unwrap_or(0.0));
    Ok(Check { points: errors.len(), largest, median, agrees: largest <= CLOSE })
}

fn report(
    options: &PortfolioFrontier,
    universe: &Universe,
    found: &[Point],
    seconds: f64,
    check: Option<Check>,
) -> Result<Report> {
    let any = Mandate::default();
    let mut unconstrained = Efficient::new(universe, &any)?;
    let mut points = Vec::with_capacity(found.len());
    for Point { lambda, found } in found {
        let portfolio = &found.portfolio;
        let held = portfolio
            .held()
            .map(|name| Weight { name: universe.names()[name].clone(), weight: portfolio.weights[name] });
        points.push(Row {
            lambda: *lambda,
            mean: portfolio.mean,
            variance: portfolio.variance,
            objective: portfolio.objective,
            above: portfolio.objective - unconstrained.at_lambda(*lambda)?.objective,
            gap: portfolio.gap,
            violation: portfolio.violation,
            starts: found.starts,
            agreed: found.agreed,
            held: held.collect(),
        });
    }
    Ok(Report {
        names: universe.len(),
        seed: options.searching.seed,
        seconds,
        looked: found.iter().map(|point| point.found.looked).sum(),
        stopped: found.iter().any(|point| point.found.stopped),
        points,
        check,
    })
}

fn print(options: &PortfolioFrontier, report: &Report) {
    let count = match (options.cardinality, options.at_most) {
        (Some(count), _) => format!("exactly {count}"),
        (None, Some(count)) => format!("{count} or fewer"),
        (None, None) => "any number".to_owned(),
    };
    let head = format!(
        "{}: {count} of {} names, each {} to {} if held. Objective: lambda variance - (1 - lambda) return.",
        options.file.display(),
        report.names,
        options.min,
        options.max
    );
    say!("{}", sentence(&head, 2));
    say!();
    say!("  lambda        return      variance      objective      above  names");
    for row in &report.points {
        say!(
            "  {:>6.4}  {:>12.9}  {:>12.9}  {:>13.10}  {:>9.2e}  {:>5}",
            row.lambda,
            row.mean,
            row.variance,
            row.objective,
            row.above,
            row.held.len()
        );
    }
    say!();
    let worst = |of: fn(&Row) -> f64| report.points.iter().map(of).fold(0.0, f64::max);
    let proof = format!(
        "For the names that are held, weights are at most {:.1e} above the least objective, and limits are missed by at most {:.1e}.",
        worst(|row| row.gap.abs()),
        worst(|row| row.violation)
    );
    say!("{}", sentence(&proof, 2));
    let descents: u64 = report.points.iter().map(|row| row.starts).sum();
    if descents > 0 || report.stopped {
        let agreed: u64 = report.points.iter().map(|row| row.agreed).sum();
        let search = format!(
            "{} descents, {} of them to the best of their lambda; {} portfolios looked at; {:.2} s{}.",
            group(descents),
            group(agreed),
            group(report.looked),
            report.seconds,
            if report.stopped { ", ended by --seconds" } else { "" }
        );
        say!("{}", sentence(&search, 2));
    }
    if let Some(check) = &report.check {
        let text = format!(
            "{} points of --check: the variance is off by {:.1e} of itself at most, {:.1e} in the median{}.",
            group(check.points as u64),
            check.largest,
            check.median,
            if check.agrees { "" } else { ": that does not agree" }
        );
        say!("{}", sentence(&text, 2));
    }
}

fn table(universe: &Universe, found: &[Point]) -> String {
    let names: Vec<String> = universe.names().iter().map(|name| cell(name)).collect();
    let mut text = format!("lambda,return,variance,objective,{}\n", names.join(","));
    for Point { lambda, found } in found {
        let portfolio = &found.portfolio;
        let _ = write!(text, "{lambda},{},{},{}", portfolio.mean, portfolio.variance, portfolio.objective);
        for weight in &portfolio.weights {
            let _ = write!(text, ",{weight}");
        }
        text.push('\n');
    }
    text
}

fn picture(options: &PortfolioFrontier, universe: &Universe, found: &[Point]) -> Result<Chart> {
    let percent = |variance: f64, mean: f64| (variance.max(0.0).sqrt() * 100.0, mean * 100.0);
    let any = efficient(universe, &Mandate::default(), DRAWN)?;
    let mut series = vec![Series {
        name: "any number of names".into(),
        style: Style::Line,
        points: any.iter().map(|portfolio| percent(portfolio.variance, portfolio.mean)).collect(),
    }];
    let mandate = mandate(options);
    let name = match mandate.count {
        Count::Any => format!("each {} to {}", options.min, options.max),
        Count::AtMost(count) => format!("{count} or fewer, each {} to {}", options.min, options.max),
        Count::Exactly(count) => format!("exactly {count}, each {} to {}", options.min, options.max),
    };
    if mandate != Mandate::default() {
        let points = found.iter().map(|point| percent(point.found.portfolio.variance, point.found.portfolio.mean));
        series.push(Series { name, style: Style::Marked, points: points.collect() });
    }
    let file = options.file.file_name().map_or("standard input".into(), |name| name.to_string_lossy().into_owned());
    Ok(Chart {
        title: format!("Efficient frontiers of {file}, {} names", universe.len()),
        across: "standard deviation a period, %".into(),
        up: "mean return a period, %".into(),
        series,
    })
}
