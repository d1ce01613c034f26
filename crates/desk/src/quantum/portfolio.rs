//! `firelane quantum portfolio`: assets within a budget, by QAOA and VQE.

use super::{NOTE, begin, export, head, text_of};
use crate::cli::{MixerArg, QuantumPortfolio};
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_quantum::finance::portfolio::Portfolio;
use firelane_quantum::observable::PauliSum;
use firelane_quantum::qaoa::{Mixer, Qaoa, Tuned};
use firelane_quantum::vqe::{Entanglement, Found, RealAmplitudes};
use firelane_quantum::{State, references};
use serde::Serialize;
use std::process::ExitCode;

/// Choices that are shown, those that are most likely.
const SHOWN: usize = 8;
/// Most assets for which VQE is run, too: its search takes some thousand circuits.
const MOST_FOR_VQE: usize = 10;

/// `quantum portfolio --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    assets: usize,
    budget: usize,
    risk: f64,
    mixer: Mixer,
    /// Null: the mixer keeps the budget.
    penalty: Option<f64>,
    shots: usize,
    seed: u64,
    /// The best of all choices, by looking at them.
    best: Choice,
    tuned: Tuned,
    /// The mean of the shots, and its standard error.
    sampled_mean: f64,
    sampled_error: f64,
    /// The mean of all choices that the mixer reaches.
    mean_of_all: f64,
    choices: Vec<Choice>,
    /// Null: too many assets for it.
    vqe: Option<Vqe>,
}

#[derive(Debug, Serialize)]
struct Choice {
    /// 1 for each asset that is held, the first asset first.
    held: String,
    value: f64,
    /// In the state of QAOA.
    probability: f64,
    seen: usize,
}

#[derive(Debug, Serialize)]
struct Vqe {
    layers: usize,
    entanglement: Entanglement,
    found: Found,
    likeliest: String,
    probability: f64,
}

fn held(number: usize, assets: usize) -> String {
    (0..assets).map(|asset| if number >> asset & 1 == 1 { '1' } else { '0' }).collect()
}

pub(super) fn run(options: &QuantumPortfolio) -> Result<ExitCode> {
    let file = options.file.as_deref();
    let out = begin(&options.common, file)?;
    let portfolio = match file {
        None => references::portfolio()?,
        Some(path) => Portfolio::parse(&text_of(path)?).with_context(|| path.display().to_string())?,
    };
    let assets = portfolio.mu.len();
    let (mixer, penalty) = match options.mixer {
        MixerArg::X => (Mixer::X, Some(options.penalty)),
        MixerArg::Ring => (Mixer::Ring(options.budget), None),
        MixerArg::Complete => (Mixer::Complete(options.budget), None),
    };
    let problem = portfolio.qubo(options.risk, options.budget, penalty.unwrap_or(0.0))?.ising()?;
    let qaoa = Qaoa::new(problem, mixer)?;
    let (shots, seed) = (options.shots as usize, options.common.seed);
    let tuned = qaoa.tune(options.layers as usize, 200)?;
    let state = qaoa.state(&tuned.angles)?;
    let counts = state.sample(shots, seed)?;
    let choice = |number: usize, probability: f64| Choice {
        held: held(number, assets),
        value: qaoa.costs().values()[number],
        probability,
        seen: counts.get(&number).copied().unwrap_or(0),
    };
    let mut order: Vec<(usize, f64)> = state.probabilities().enumerate().filter(|(k, _)| qaoa.reaches(*k)).collect();
    let mean_of_all = order.iter().map(|(k, _)| qaoa.costs().values()[*k]).sum::<f64>() / order.len() as f64;
    order.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let within = |number: usize| number.count_ones() as usize == options.budget;
    let (best, _) = qaoa.costs().least(within).context("no choice fits the budget")?;
    let (sampled_mean, sampled_error) = qaoa.estimate(&tuned.angles, shots, seed)?;
    let vqe = (assets <= MOST_FOR_VQE).then(|| vqe(&portfolio, options)).transpose()?;
    let report = Report {
        note: NOTE,
        assets,
        budget: options.budget,
        risk: options.risk,
        mixer,
        penalty,
        shots,
        seed,
        best: choice(best, state.amplitude(best).map_or(0.0, |amplitude| amplitude.norm_sqr())),
        sampled_mean,
        sampled_error,
        mean_of_all,
        choices: order.into_iter().take(SHOWN).map(|(number, probability)| choice(number, probability)).collect(),
        vqe,
        tuned,
    };
    export(out, &options.common, || Ok(qaoa.circuit(&report.tuned.angles)?))?;
    if options.common.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// VQE on the same choices, the budget as a penalty.
fn vqe(portfolio: &Portfolio, options: &QuantumPortfolio) -> Result<Vqe> {
    const LAYERS: usize = 2;
    let assets = portfolio.mu.len();
    let observable = PauliSum::of(&portfolio.qubo(options.risk, options.budget, options.penalty)?.ising()?)?;
    let entanglement = Entanglement::Linear;
    let ansatz = RealAmplitudes::new(assets, LAYERS, entanglement)?;
    let found = ansatz.search(&observable, 4, 100, options.common.seed)?;
    let state = State::of(&ansatz.circuit(&found.angles)?)?;
    let likeliest = state.probabilities().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    let (number, probability) = likeliest.context("a state has amplitudes")?;
    Ok(Vqe { layers: LAYERS, entanglement, found, likeliest: held(number, assets), probability })
}

fn print(report: &Report) {
    let Report { assets, budget, .. } = report;
    let layers = report.tuned.angles.gammas.len();
    let mixer = match report.mixer {
        Mixer::X => "X",
        Mixer::Ring(_) => "ring",
        Mixer::Complete(_) => "complete",
    };
    head(&format!("{budget} of {assets} assets, QAOA of {layers} layers with mixer {mixer}"));
    let shots = format!("seen in {}", group(report.shots as u64));
    say!("  held{:<width$}         value   probability   {shots}", "", width = assets.saturating_sub(4));
    for choice in &report.choices {
        let best = if choice.held == report.best.held { "  the best" } else { "" };
        let width = assets.max(&4);
        let numbers = format!("{:>14.10}{:>14.6}{:>11}", choice.value, choice.probability, group(choice.seen as u64));
        say!("  {:<width$}{numbers}{best}", choice.held, width = *width);
    }
    say!();
    let best = &report.best;
    let text = format!(
        "  Best of all choices: {}, {:.10}; QAOA has it with probability {:.4}.",
        best.held, best.value, best.probability
    );
    say!("{}", sentence(&text, 4));
    let text = format!(
        "  Mean: {:.8} exactly, {:.8} +- {:.8} of the shots; {:.8} of all that the mixer reaches.",
        report.tuned.mean, report.sampled_mean, report.sampled_error, report.mean_of_all
    );
    say!("{}", sentence(&text, 4));
    if let Some(vqe) = &report.vqe {
        let text = format!(
            "  VQE of {} layers, the budget a penalty: mean {:.8}, {} with probability {:.4}.",
            vqe.layers, vqe.found.mean, vqe.likeliest, vqe.probability
        );
        say!("{}", sentence(&text, 4));
    }
    let [gammas, betas] = [&report.tuned.angles.gammas, &report.tuned.angles.betas];
    super::qaoa::print_angles(gammas, betas);
}
