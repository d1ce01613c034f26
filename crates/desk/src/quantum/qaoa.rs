//! `firelane quantum qaoa`: the cut of a graph.

use super::{NOTE, begin, export, head, text_of};
use crate::cli::QuantumQaoa;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_quantum::graph::Graph;
use firelane_quantum::ising::Ising;
use firelane_quantum::qaoa::{Angles, Mixer, Qaoa, Tuned};
use firelane_quantum::references;
use serde::Serialize;
use std::process::ExitCode;

/// `quantum qaoa --json`. The layout is stable: fields are added, never renamed or removed. Cuts are sizes: larger is better.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    nodes: usize,
    edges: usize,
    angles: Angles,
    /// How often the circuit was computed to find the angles; 0: they were given.
    evaluations: usize,
    /// Of what is measured, exactly; of the shots, with its standard error.
    mean: f64,
    sampled_mean: f64,
    sampled_error: f64,
    /// Of a cut by lot.
    mean_of_all: f64,
    shots: usize,
    seed: u64,
    /// The largest of all cuts, and the probability of measuring one of that size.
    largest: f64,
    probability_of_largest: f64,
    /// The largest cut that was seen: the side of each node, the first first.
    seen: f64,
    sides: String,
}

pub(super) fn run(options: &QuantumQaoa) -> Result<ExitCode> {
    let file = options.file.as_deref();
    let out = begin(&options.common, file)?;
    let (graph, built_in) = match file {
        None => references::graph()?,
        Some(path) => {
            let graph = Graph::parse(&text_of(path)?).with_context(|| path.display().to_string())?;
            (graph, Angles::default())
        }
    };
    let qaoa = Qaoa::new(Ising::of_cut(graph.nodes, &graph.edges)?, Mixer::X)?;
    let given = Angles { gammas: options.gammas.clone(), betas: options.betas.clone() };
    let fixed = |angles: Angles| -> Result<Tuned> {
        let mean = qaoa.mean(&angles)?;
        Ok(Tuned { angles, mean, evaluations: 0 })
    };
    let tuned = match options.layers {
        None if !given.gammas.is_empty() => fixed(given)?,
        None if file.is_none() => fixed(built_in)?,
        layers => qaoa.tune(layers.unwrap_or(2) as usize, options.steps as usize)?,
    };
    let (shots, seed) = (options.shots as usize, options.common.seed);
    let state = qaoa.state(&tuned.angles)?;
    let counts = state.sample(shots, seed)?;
    let costs = qaoa.costs().values();
    let (_, least) = qaoa.costs().least(|_| true).context("a graph has cuts")?;
    let near = |value: f64| value <= least + 1e-9 * least.abs().max(1.0);
    let seen = counts.keys().copied().min_by(|a, b| costs[*a].total_cmp(&costs[*b])).context("nothing was seen")?;
    let (sampled_mean, sampled_error) = qaoa.estimate(&tuned.angles, shots, seed)?;
    let report = Report {
        note: NOTE,
        nodes: graph.nodes,
        edges: graph.edges.len(),
        evaluations: tuned.evaluations,
        mean: -tuned.mean,
        sampled_mean: -sampled_mean,
        sampled_error,
        mean_of_all: -costs.iter().sum::<f64>() / costs.len() as f64,
        shots,
        seed,
        largest: -least,
        probability_of_largest: state.probabilities().zip(costs).filter(|(_, cost)| near(**cost)).map(|(p, _)| p).sum(),
        seen: -costs[seen],
        sides: (0..graph.nodes).map(|node| if seen >> node & 1 == 1 { '1' } else { '0' }).collect(),
        angles: tuned.angles,
    };
    export(out, &options.common, || Ok(qaoa.circuit(&report.angles)?))?;
    if options.common.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) {
    let Report { nodes, edges, .. } = report;
    let layers = report.angles.gammas.len();
    head(&format!("The cut of {nodes} nodes and {edges} edges, QAOA of {layers} layers"));
    say!("  {:<34}{:>12.6}", "mean cut, exactly", report.mean);
    let shots = format!("of {} shots", group(report.shots as u64));
    say!("  {shots:<34}{:>12.6} +- {:.6}", report.sampled_mean, report.sampled_error);
    say!("  {:<34}{:>12.6}", "of a cut by lot", report.mean_of_all);
    say!("  {:<34}{:>12.6}", "the largest, by looking at all", report.largest);
    say!("  {:<34}{:>12.6}", "probability of one of that size", report.probability_of_largest);
    say!("  {:<34}{:>12.6}", "the largest that was seen", report.seen);
    say!();
    say!("  sides  {}", report.sides);
    print_angles(&report.angles.gammas, &report.angles.betas);
    if report.evaluations > 0 {
        say!("  angles found with {} computations of the circuit", group(report.evaluations as u64));
    }
}

/// Angles so that they can be given again.
pub(super) fn print_angles(gammas: &[f64], betas: &[f64]) {
    for (name, angles) in [("gammas", gammas), ("betas", betas)] {
        let angles: Vec<String> = angles.iter().map(|angle| format!("{angle:.6}")).collect();
        say!("{}", sentence(&format!("  {name:<6} {}", angles.join(", ")), 9));
    }
}
