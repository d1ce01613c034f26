//! `firelane portfolio solve`: one portfolio under a mandate.

use super::starts::Proposer;
use super::{Watch, asked, cell, universe};
use crate::chart::{Chart, Series, Style};
use crate::cli::{PortfolioSolve, dash};
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes, finish};
use crate::output;
use crate::replay::group;
use anyhow::Result;
use firelane_portfolio::mandate::Mandate;
use firelane_portfolio::model::{Portfolio, Problem};
use firelane_portfolio::search::{Found, Options};
use firelane_portfolio::universe::Universe;
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

/// Points of descents in a picture, at most.
const DRAWN: usize = 4_096;

/// `portfolio solve --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    names: usize,
    lambda: f64,
    objective: f64,
    mean: f64,
    variance: f64,
    /// Of trading there from what is held now, and what is bought and sold.
    cost: f64,
    turnover: f64,
    net: f64,
    gross: f64,
    /// For these names, the objective is at most so far above the least.
    gap: f64,
    violation: f64,
    /// Did no search have to be made?
    convex: bool,
    starts: u64,
    agreed: u64,
    looked: u64,
    stopped: bool,
    seconds: f64,
    held: Vec<Weight>,
}

#[derive(Debug, Serialize)]
struct Weight {
    name: String,
    weight: f64,
    /// Now.
    current: f64,
}

pub(super) fn run(options: &PortfolioSolve) -> Result<ExitCode> {
    let reads = [Some(options.file.as_path()), options.mandate.as_deref()];
    check_dashes(&reads, &[options.csv.as_deref(), options.svg.as_deref()], options.json);
    let universe = universe(&options.file)?;
    let asked = asked(options.mandate.as_deref(), &universe)?;
    let read_from: Vec<&Path> = reads.into_iter().flatten().filter(|path| !dash(path)).collect();
    let create = |path: Option<&Path>| path.map(|path| OutFile::create(path, &read_from, options.force)).transpose();
    let (csv, svg) = (create(options.csv.as_deref())?, create(options.svg.as_deref())?);
    let problem = Problem::new(&universe, &asked.mandate, options.lambda.unwrap_or(asked.lambda))?;
    let mut watch = Watch::new(options.searching.seconds);
    let mut bests: Vec<(f64, f64)> = Vec::new();
    let mut descents: Vec<(f64, f64)> = Vec::new();
    let searched = Options { starts: options.searching.starts, ..Options::default() };
    let mut starts = Proposer::new(&options.searching)?;
    let found = problem.solve(&searched, &mut starts, &mut |progress| {
        let at = watch.begun.elapsed().as_secs_f64();
        if let Some(best) = progress.best.filter(|best| bests.last().is_none_or(|(_, last)| best < last)) {
            bests.push((at, best));
        }
        if let Some(now) = progress.now.filter(|now| descents.last().is_none_or(|(_, last)| now != last)) {
            if descents.len() == DRAWN {
                // Every other one is enough of what was.
                descents = descents.iter().copied().step_by(2).collect();
            }
            descents.push((at, now));
        }
        watch.look("", progress, 1.0)
    });
    let seconds = watch.end();
    starts.end()?;
    let found = found?;
    finish(csv, options.csv.as_deref(), weights(&universe, &found.portfolio).as_bytes())?;
    let drawn = picture(bests, descents, seconds, &found.portfolio).svg();
    finish(svg, options.svg.as_deref(), drawn.as_bytes())?;
    let report = report(&problem, &found, seconds);
    if options.json {
        output::json(&report)?;
    } else {
        print(&report, problem.mandate());
    }
    Ok(ExitCode::SUCCESS)
}

fn report(problem: &Problem<'_>, found: &Found, seconds: f64) -> Report {
    let (universe, mandate, portfolio) = (problem.universe(), problem.mandate(), &found.portfolio);
    let weight = |name: usize| Weight {
        name: universe.names()[name].clone(),
        weight: portfolio.weights[name],
        current: mandate.current_of(name),
    };
    Report {
        names: universe.len(),
        lambda: problem.lambda(),
        objective: portfolio.objective,
        mean: portfolio.mean,
        variance: portfolio.variance,
        cost: portfolio.cost,
        turnover: mandate.turnover_of(&portfolio.weights),
        net: portfolio.weights.iter().sum(),
        gross: portfolio.weights.iter().map(|w| w.abs()).sum(),
        gap: portfolio.gap,
        violation: portfolio.violation,
        convex: problem.is_convex(),
        starts: found.starts,
        agreed: found.agreed,
        looked: found.looked,
        stopped: found.stopped,
        seconds,
        held: portfolio.held().map(weight).collect(),
    }
}

fn print(report: &Report, mandate: &Mandate) {
    say!("  objective  {:>16.12}   lambda {}", report.objective, report.lambda);
    say!("  return     {:>16.12}   a period, before costs", report.mean);
    say!("  variance   {:>16.12}   standard deviation {:.8}", report.variance, report.variance.max(0.0).sqrt());
    if mandate.minds_trades() || !mandate.current.is_empty() {
        say!("  turnover   {:>16.12}   costs {:.10}", report.turnover, report.cost);
    }
    say!(
        "  net        {:>16.12}   gross {:.12}, {} names of {}",
        report.net,
        report.gross,
        report.held.len(),
        report.names
    );
    say!();
    let longest = report.held.iter().map(|held| held.name.chars().count()).max().unwrap_or(0).clamp(4, 40);
    let now = !mandate.current.is_empty();
    say!("  {:<longest$}  {:>14}{}", "name", "weight", if now { format!("  {:>14}", "now") } else { String::new() });
    for held in &report.held {
        let current = if now { format!("  {:>14.10}", held.current) } else { String::new() };
        let name: String = held.name.chars().take(longest).collect();
        say!("  {name:<longest$}  {:>14.10}{current}", held.weight);
    }
    say!();
    let proof = format!(
        "For these names, weights are at most {:.1e} above the least objective, and limits are missed by at most {:.1e}.",
        report.gap.abs(),
        report.violation
    );
    say!("{}", sentence(&proof, 2));
    let names = if report.convex {
        "No search was needed: this is the best there is.".to_owned()
    } else {
        format!(
            "Which names: {} descents, {} of them ended here; {} portfolios looked at; {:.2} s{}. That is no proof.",
            group(report.starts),
            group(report.agreed),
            group(report.looked),
            report.seconds,
            if report.stopped { ", ended by --seconds" } else { "" }
        )
    };
    say!("{}", sentence(&names, 2));
}

fn weights(universe: &Universe, portfolio: &Portfolio) -> String {
    let mut text = "name,weight\n".to_owned();
    for name in portfolio.held() {
        let _ = writeln!(text, "{},{}", cell(&universe.names()[name]), portfolio.weights[name]);
    }
    text
}

/// The objective over time: of the descents as they go, and the best so far, which ends as what was answered.
fn picture(mut bests: Vec<(f64, f64)>, descents: Vec<(f64, f64)>, seconds: f64, portfolio: &Portfolio) -> Chart {
    bests.push((seconds, portfolio.objective));
    let series = |name: &str, points| Series { name: name.into(), style: Style::Steps, points };
    Chart {
        title: "The objective as the search went".into(),
        across: "time, s".into(),
        up: "objective".into(),
        series: vec![series("descents", within(descents, portfolio.objective)), series("best so far", bests)],
    }
}

/// Where a descent begins may be so far above that nothing else is seen: what is higher than most is left out.
fn within(descents: Vec<(f64, f64)>, least: f64) -> Vec<(f64, f64)> {
    let mut all: Vec<f64> = descents.iter().map(|(_, value)| *value).collect();
    all.sort_by(f64::total_cmp);
    let Some(middle) = all.get(all.len() / 2) else { return descents };
    let most = least + 4.0 * (middle - least).max(1e-3 * least.abs());
    descents.into_iter().filter(|(_, value)| *value <= most).collect()
}
