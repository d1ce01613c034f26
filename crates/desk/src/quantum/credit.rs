//! `firelane quantum credit`: what loans can lose, by iterative amplitude estimation.

use super::{NOTE, begin, export, head, settings};
use crate::cli::QuantumCredit;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::Result;
use firelane_quantum::estimation::{Estimate, Interval, Settings, estimate};
use firelane_quantum::finance::credit::{Book, Loan, Searched};
use firelane_quantum::references;
use serde::Serialize;
use std::process::ExitCode;

/// `quantum credit --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    loans: Vec<Loan>,
    level: f64,
    circuit_qubits: usize,
    gates: usize,
    settings: Settings,
    /// Probability of each loss, from 0.
    losses: Vec<f64>,
    expected_loss: Expected,
    value_at_risk: AtRisk,
    /// Null: nothing is lost beyond the value at risk.
    conditional_value_at_risk: Option<Expected>,
}

#[derive(Debug, Serialize)]
struct Expected {
    exact: f64,
    /// What the exact amplitude stands for.
    aim: f64,
    value: f64,
    interval: Interval,
    estimate: Estimate,
}

#[derive(Debug, Serialize)]
struct AtRisk {
    exact: usize,
    /// The probability of not more, exactly.
    not_above: f64,
    searched: Searched,
}

pub(super) fn run(options: &QuantumCredit) -> Result<ExitCode> {
    let out = begin(&options.common, None)?;
    let loans: Vec<Loan> = if options.loan.is_empty() {
        references::loans()?
    } else {
        let loan =
            |one: &crate::cli::LoanArg| Loan { default: one.default, sensitivity: one.sensitivity, loss: one.loss };
        options.loan.iter().map(loan).collect()
    };
    let book = Book::new(loans.clone(), options.factor_qubits, options.estimation.scale)?;
    let settings = settings(&options.estimation, options.common.seed);
    let at_risk = book.value_at_risk(options.level)?;
    let searched = book.search_value_at_risk(options.level, &settings)?;
    let mut circuit = book.loss_circuit()?;
    let found = estimate(&mut circuit, &settings)?;
    let expected_loss = Expected {
        exact: book.mean(),
        aim: book.loss_of(circuit.amplitude()),
        value: book.loss_of(found.value),
        interval: found.interval.map(|amplitude| book.loss_of(amplitude)),
        estimate: found,
    };
    let beyond = book.mean_above(searched.value).map(|exact| beyond(&book, searched.value, exact, &settings));
    let report = Report {
        note: NOTE,
        loans,
        level: options.level,
        circuit_qubits: circuit.preparation().qubits(),
        gates: circuit.preparation().operations().len(),
        settings,
        losses: book.losses().to_vec(),
        expected_loss,
        value_at_risk: AtRisk { exact: at_risk, not_above: book.not_above(at_risk), searched },
        conditional_value_at_risk: beyond.transpose()?,
    };
    export(out, &options.common, || Ok(circuit.circuit(0)?))?;
    if options.common.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The mean of losses above the value at risk: of two estimates, each of which may miss half as often.
fn beyond(book: &Book, at_risk: usize, exact: f64, settings: &Settings) -> Result<Expected> {
    let halved = Settings { alpha: settings.alpha / 2.0, ..*settings };
    let mut above = book.above_circuit(at_risk)?;
    let found = estimate(&mut above, &halved)?;
    let mut below = book.not_above_circuit(at_risk)?;
    let not_above = estimate(&mut below, &Settings { seed: halved.seed.wrapping_add(1), ..halved })?;
    Ok(Expected {
        exact,
        aim: book.mean_above_of(at_risk, above.amplitude(), below.amplitude()),
        value: book.mean_above_of(at_risk, found.value, not_above.value),
        interval: book.mean_above_within(at_risk, found.interval, not_above.interval),
        estimate: found,
    })
}

fn print(report: &Report) {
    let (loans, qubits, gates) = (report.loans.len(), report.circuit_qubits, report.gates);
    head(&format!("{loans} loans, {qubits} qubits, {gates} gates"));
    say!("  loss   probability");
    let shown = report.losses.iter().enumerate().filter(|(_, p)| **p > 0.0);
    for (loss, probability) in shown.take(20) {
        say!("  {loss:>4}{probability:>14.8}");
    }
    say!();
    let confidence = 100.0 * (1.0 - report.settings.alpha);
    say!("                     exact        aim   estimate   interval of {confidence} %");
    let line = |name: &str, value: &Expected| {
        let Interval { low, high } = value.interval;
        let numbers = format!("{:>12.6}{:>11.6}{:>11.4}", value.exact, value.aim, value.value);
        say!("  {name:<12}{numbers}   {low:.4} to {high:.4}");
    };
    line("E[loss]", &report.expected_loss);
    let AtRisk { exact, not_above, searched } = &report.value_at_risk;
    say!("  {:<12}{exact:>12}{:>11}{:>11}", "VaR", "", searched.value);
    match &report.conditional_value_at_risk {
        Some(value) => line("CVaR", value),
        None => say!("  {:<12}{:>12}", "CVaR", "-"),
    }
    say!();
    let level = report.level;
    let text = format!(
        "  VaR: the least loss that is not exceeded with probability {level}; P[loss <= {exact}] is {not_above:.6}."
    );
    say!("{}", sentence(&text, 4));
    for (loss, found) in &searched.tried {
        let Interval { low, high } = found.interval;
        let queries = group(found.queries as u64);
        say!("    P[loss <= {loss}] in {low:.4} to {high:.4} ({queries} applications)");
    }
    if !searched.decided {
        let text =
            "  An interval holds the level: the value at risk is not decided by these shots. Take a smaller --epsilon.";
        say!("{}", sentence(text, 4));
    }
    let text = "  The aim is what the exact amplitude stands for: a line is in the place of a sine. It comes closer to what is exact with a smaller --scale, and a smaller --epsilon is needed then.";
    say!("{}", sentence(text, 4));
}
