//! `firelane quantum bench`: what the simulator costs.

use super::{NOTE, head};
use crate::cli::QuantumBench;
use crate::output;
use anyhow::{Result, ensure};
use firelane_quantum::ising::Ising;
use firelane_quantum::qaoa::{Angles, Mixer, Qaoa};
use firelane_quantum::{Circuit, Gate, Path, State, Unit, references};
use rustix::time::{ClockId, clock_gettime};
use serde::Serialize;
use std::hint::black_box;
use std::process::ExitCode;

/// `quantum bench --json`. The layout is stable: fields are added, never renamed or removed. Times are of the processor, in
/// milliseconds, the least of all rounds.
#[derive(Debug, Serialize)]
struct Report {
    note: &'static str,
    /// Of QAOA.
    qubits: usize,
    layers: usize,
    edges: usize,
    /// What comes out, the same on every path.
    mean: f64,
    /// Of the circuit of gates.
    gate_qubits: usize,
    gates: usize,
    rounds: u64,
    paths: Vec<Timed>,
}

#[derive(Debug, Serialize)]
struct Timed {
    path: Path,
    /// From nothing to the mean: the table of costs, the state, all layers, the mean.
    qaoa_ms: f64,
    /// Of that, the table of costs, which a search computes once.
    costs_ms: f64,
    /// A gate of the circuit, in the mean.
    gate_ms: f64,
}

/// Processor time of this process so far, in milliseconds.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

pub(super) fn run(options: &QuantumBench) -> Result<ExitCode> {
    let (graph, angles) = references::graph()?;
    let circuit = every_gate(options.qubits as usize)?;
    let mut paths: Vec<(Unit, Timed)> = Path::ALL
        .into_iter()
        .filter_map(Unit::of)
        .map(|unit| (unit, Timed { path: unit.path(), qaoa_ms: f64::MAX, costs_ms: f64::MAX, gate_ms: f64::MAX }))
        .collect();
    let mut means = Vec::new();
    for _ in 0..options.rounds {
        for (unit, timed) in &mut paths {
            let (qaoa_ms, costs_ms, mean) = qaoa(&Ising::of_cut(graph.nodes, &graph.edges)?, &angles, *unit)?;
            timed.qaoa_ms = timed.qaoa_ms.min(qaoa_ms);
            timed.costs_ms = timed.costs_ms.min(costs_ms);
            timed.gate_ms = timed.gate_ms.min(gates(&circuit, *unit)?);
            means.push(mean);
        }
    }
    let mean = means[0];
    ensure!(means.iter().all(|other| other.to_bits() == mean.to_bits()), "paths differ: {means:?}");
    let report = Report {
        note: NOTE,
        qubits: graph.nodes,
        layers: angles.gammas.len(),
        edges: graph.edges.len(),
        mean: -mean,
        gate_qubits: circuit.qubits(),
        gates: circuit.operations().len(),
        rounds: options.rounds,
        paths: paths.into_iter().map(|(_, timed)| timed).collect(),
    };
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

fn qaoa(ising: &Ising, angles: &Angles, unit: Unit) -> Result<(f64, f64, f64)> {
    let began = now();
    let qaoa = Qaoa::new(ising.clone(), Mixer::X)?;
    let costs = now() - began;
    let state = qaoa.run(State::plus(ising.spins())?.on(unit), angles)?;
    let mean = black_box(qaoa.costs().mean(&state)?);
    Ok((now() - began, costs, mean))
}

/// Milliseconds of a gate.
fn gates(circuit: &Circuit, unit: Unit) -> Result<f64> {
    let mut state = State::new(circuit.qubits())?.on(unit);
    // The system hands out memory as it is first written to: not a gate's affair.
    state.run(&every_gate(circuit.qubits())?.inverse())?;
    let began = now();
    state.run(circuit)?;
    let gate = (now() - began) / circuit.operations().len() as f64;
    black_box(state.amplitude(1));
    Ok(gate)
}

/// Each kind of gate on each qubit: of real and of any numbers, a phase, a turn, with a control, of two qubits.
fn every_gate(qubits: usize) -> Result<Circuit> {
    let mut circuit = Circuit::new(qubits)?;
    circuit.each(Gate::H)?.each(Gate::Rz(0.3))?.each(Gate::Rx(0.7))?.each(Gate::Sx)?;
    for qubit in 0..qubits {
        let next = (qubit + 1) % qubits;
        circuit.controlled(Gate::X, qubit, next)?.two(Gate::Rzz(0.4), qubit, next)?.two(Gate::Xy(0.2), qubit, next)?;
    }
    Ok(circuit)
}

fn print(report: &Report) {
    let Report { qubits, layers, edges, gates, gate_qubits, rounds, .. } = report;
    head(&format!("QAOA of {qubits} qubits, {layers} layers and {edges} edges; {gates} gates on {gate_qubits} qubits"));
    say!("  path       qaoa, ms   of that costs   a gate, ms   processor time, one core");
    for Timed { path, qaoa_ms, costs_ms, gate_ms } in &report.paths {
        say!("  {:<8}{qaoa_ms:>11.1}{costs_ms:>16.1}{gate_ms:>13.3}", path.name());
    }
    say!();
    say!("  The least of {rounds} rounds; the mean cut is {:.6} on every path, to the bit.", report.mean);
}
