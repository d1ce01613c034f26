//! `firelane quantum kernel`: points told apart by a fidelity kernel.

use super::{NOTE, head, text_of};
use crate::cli::QuantumKernel;
use crate::output;
use anyhow::{Context, Result, bail};
use firelane_quantum::classifier::Classifier;
use firelane_quantum::fidelity::{FeatureMap, gaussian, kernel, sampled};
use firelane_quantum::points::Points;
use firelane_quantum::references;
use serde::Serialize;
use std::process::ExitCode;

/// Most points of a file: a kernel of all pairs is in memory.
const MOST: usize = 2_000;

/// `quantum kernel --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    features: usize,
    trained: usize,
    tested: usize,
    cost: f64,
    gamma: f64,
    /// Null: the kernel is exact.
    shots: Option<u64>,
    seed: u64,
    fidelity: Judged,
    gaussian: Judged,
}

/// A machine on a kernel: the part of points that it has right, and its support vectors.
#[derive(Debug, Serialize)]
struct Judged {
    right_trained: f64,
    right_tested: f64,
    vectors: usize,
}

pub(super) fn run(options: &QuantumKernel) -> Result<ExitCode> {
    let (train, test) = match &options.file {
        None => references::rings()?,
        Some(path) => {
            let points = Points::parse(&text_of(path)?).with_context(|| path.display().to_string())?;
            let count = points.classes.len();
            if count > MOST {
                bail!("{}: has {count} points; at most {MOST} are taken", path.display());
            }
            let trained = options.train.unwrap_or(count * 2 / 3);
            if trained == 0 || trained >= count {
                bail!(
                    "{}: has {count} points; --train must leave some to learn from, and some to tell apart",
                    path.display()
                );
            }
            points.split(trained)
        }
    };
    let features = train.features[0].len();
    let map = FeatureMap::new(features, 2)?;
    let (states, others) = (map.states(&train.features)?, map.states(&test.features)?);
    let mut gram = kernel(&states, &states)?;
    let mut crossed = kernel(&others, &states)?;
    if let Some(shots) = options.shots {
        gram = symmetric(&sampled(&gram, shots as usize, options.seed)?);
        crossed = sampled(&crossed, shots as usize, options.seed.wrapping_add(1))?;
    }
    let gamma = options.gamma.unwrap_or_else(|| usual_gamma(&train.features));
    let near = |points: &Points| gaussian(&points.features, &train.features, gamma);
    let report = Report {
        note: NOTE,
        features,
        trained: train.classes.len(),
        tested: test.classes.len(),
        cost: options.cost,
        gamma,
        shots: options.shots,
        seed: options.seed,
        fidelity: judged(&gram, &crossed, &train, &test, options.cost)?,
        gaussian: judged(&near(&train)?, &near(&test)?, &train, &test, options.cost)?,
    };
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// A pair is drawn once: what is above the diagonal is below it, too, and a point is like itself.
fn symmetric(kernel: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let entry = |i: usize, j: usize| if i == j { 1.0 } else { kernel[i.min(j)][i.max(j)] };
    (0..kernel.len()).map(|i| (0..kernel.len()).map(|j| entry(i, j)).collect()).collect()
}

/// One over the number of features and their variance, as scikit-learn's `scale`.
fn usual_gamma(points: &[Vec<f64>]) -> f64 {
    let all = || points.iter().flatten();
    let count = all().count().max(1) as f64;
    let mean = all().sum::<f64>() / count;
    let variance = all().map(|feature| (feature - mean).powi(2)).sum::<f64>() / count;
    let features = points.first().map_or(1, Vec::len) as f64;
    if variance > 0.0 { 1.0 / (features * variance) } else { 1.0 }
}

fn judged(gram: &[Vec<f64>], crossed: &[Vec<f64>], train: &Points, test: &Points, cost: f64) -> Result<Judged> {
    let machine = Classifier::train(gram, &train.classes, cost)?;
    Ok(Judged {
        right_trained: Classifier::accuracy(&machine.decide(gram)?, &train.classes)?,
        right_tested: Classifier::accuracy(&machine.decide(crossed)?, &test.classes)?,
        vectors: machine.vectors(),
    })
}

fn print(report: &Report) {
    let Report { features, trained, tested, .. } = report;
    head(&format!("{trained} points to learn from, {tested} to tell apart, {features} features, a qubit each"));
    say!("  kernel       right, of those learnt   of the others   vectors");
    for (name, judged) in [("fidelity", &report.fidelity), ("gaussian", &report.gaussian)] {
        let (learnt, others) = (100.0 * judged.right_trained, 100.0 * judged.right_tested);
        say!("  {name:<10}{learnt:>23.1} %{others:>14.1} %{:>10}", judged.vectors);
    }
    say!();
    match report.shots {
        None => say!("  The fidelities are exact."),
        Some(shots) => say!("  Each fidelity is drawn from {shots} shots."),
    }
}
