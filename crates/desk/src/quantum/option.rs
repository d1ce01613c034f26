//! `firelane quantum option`: a call by iterative amplitude estimation.

use super::{NOTE, begin, export, head, settings};
use crate::cli::QuantumOption;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::Result;
use firelane_quantum::estimation::{Amplified, Estimate, Interval, Settings, estimate};
use firelane_quantum::finance::option::Call;
use serde::Serialize;
use std::process::ExitCode;

/// `quantum option --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    call: Call,
    grid_qubits: usize,
    circuit_qubits: usize,
    gates: usize,
    settings: Settings,
    black_scholes: f64,
    payoff: Value,
    delta: Value,
}

#[derive(Debug, Serialize)]
struct Value {
    /// The sum over the grid.
    exact: f64,
    /// What the exact amplitude stands for.
    aim: f64,
    /// The exact amplitude.
    amplitude: f64,
    /// Of the value, from shots.
    value: f64,
    interval: Interval,
    estimate: Estimate,
}

pub(super) fn run(options: &QuantumOption) -> Result<ExitCode> {
    let out = begin(&options.common, None)?;
    let call = Call {
        spot: options.spot,
        volatility: options.volatility,
        rate: options.rate,
        years: options.days / 365.0,
        strike: options.strike,
    };
    let priced = call.priced(options.qubits, options.estimation.scale)?;
    let settings = settings(&options.estimation, options.common.seed);
    let (mut payoff, mut delta) = (priced.payoff()?, priced.delta()?);
    let valued = |problem: &mut Amplified, exact: f64, value: &dyn Fn(f64) -> f64| -> Result<Value> {
        let estimate = estimate(problem, &settings)?;
        let (amplitude, interval) = (problem.amplitude(), estimate.interval.map(value));
        Ok(Value { exact, aim: value(amplitude), amplitude, value: value(estimate.value), interval, estimate })
    };
    let report = Report {
        note: NOTE,
        call,
        grid_qubits: options.qubits,
        circuit_qubits: payoff.preparation().qubits(),
        gates: payoff.preparation().operations().len(),
        settings,
        black_scholes: call.black_scholes(),
        payoff: valued(&mut payoff, priced.exact(), &|amplitude| priced.value(amplitude))?,
        delta: valued(&mut delta, priced.exact_delta(), &|amplitude| amplitude)?,
    };
    export(out, &options.common, || Ok(payoff.circuit(options.power as usize)?))?;
    if options.common.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(report: &Report) {
    let Report { circuit_qubits, gates, grid_qubits, .. } = report;
    head(&format!("A call on 2^{grid_qubits} prices, {circuit_qubits} qubits, {gates} gates"));
    let confidence = 100.0 * (1.0 - report.settings.alpha);
    say!("             exact sum     amplitude        aim   estimate   interval of {confidence} %");
    for (name, value) in [("payoff", &report.payoff), ("delta", &report.delta)] {
        say!(
            "  {name:<8}{:>12.7}{:>14.9}{:>11.6}{:>11.5}   {:.5} to {:.5}",
            value.exact,
            value.amplitude,
            value.aim,
            value.value,
            value.interval.low,
            value.interval.high
        );
    }
    say!();
    let cost = |value: &Value| {
        let most = value.estimate.powers.iter().max().copied().unwrap_or(0);
        let (shots, queries) = (group(value.estimate.shots as u64), group(value.estimate.queries as u64));
        format!("{shots} shots and {queries} applications of Grover's operator, at most {most} in a row")
    };
    say!("{}", sentence(&format!("  payoff: {}.", cost(&report.payoff)), 4));
    say!("{}", sentence(&format!("  delta: {}.", cost(&report.delta)), 4));
    let text = format!(
        "  The aim is what the exact amplitude stands for: a line is in the place of a sine. Without a grid the expected payoff is {:.7} (Black and Scholes).",
        report.black_scholes
    );
    say!("{}", sentence(&text, 4));
}
