//! `firelane spikes bench`: what a step costs.

mod lane;

use super::device;
use crate::cli::SpikesBench;
use crate::layout::sentence;
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_kernels::spikes::conformance::VECTORS;
use firelane_kernels::spikes::golden::Golden;
use firelane_kernels::spikes::random::poisson;
use firelane_kernels::spikes::{Device, Program, Rules, Spike};
use serde::Serialize;
use std::process::ExitCode;
use std::time::Instant;

/// Steps in a turn.
const TURN: usize = 100;

/// `spikes bench --json`. The layout is stable: fields are added, never renamed or removed. Times are nanoseconds a step.
#[derive(Debug, Serialize)]
struct Report {
    network: &'static str,
    steps: u64,
    seed: u64,
    /// NeuroBench's columns: bytes of weights (as this engine keeps them) and state; what part of the weights is zero; what part of the
    /// neurons is silent in a step; operations a step, if all units fired, and as they do.
    footprint_bytes: usize,
    connection_sparsity: f64,
    activation_sparsity: f64,
    dense_operations: u64,
    effective_operations: f64,
    /// What it takes to look at the clock; left out of the percentiles.
    clock_ns: u64,
    devices: Vec<Timed>,
    /// A detector in the lane, on the fastest path.
    in_lane: lane::InLane,
}

#[derive(Debug, Serialize)]
struct Timed {
    device: String,
    /// The mean of its fastest turn, and of all.
    best_ns: f64,
    mean_ns: f64,
    p50_ns: u64,
    p99_ns: u64,
    p999_ns: u64,
    /// The mean of the fastest turn over that of the fastest device.
    ratio: f64,
    /// Synaptic operations a second, in the fastest turn.
    operations_per_second: f64,
}

/// The inputs of all steps, one after another, and where each step's begin.
struct Events {
    all: Vec<Spike>,
    starts: Vec<usize>,
}

pub(super) fn run(options: &SpikesBench) -> Result<ExitCode> {
    let names = if options.device.is_empty() { device::all().split_off(1) } else { options.device.clone() };
    let (name, text) =
        *VECTORS.iter().find(|(name, _)| name.starts_with("g12")).context("the vector g12 is missing")?;
    let program = Program::check(Golden::parse(text)?.network(), &Rules::default())?;
    let turns = options.steps.div_ceil(TURN as u64) as usize;
    let events = events(&program, options.seed);
    let mut devices = Vec::new();
    for name in &names {
        let mut device = device::open(name)?;
        device.load(&program)?;
        devices.push((device, Vec::with_capacity(turns), Vec::with_capacity(turns * TURN)));
    }
    let mut out = vec![Spike::default(); program.neurons()];
    for turn in 0..turns {
        for (device, means, singles) in &mut devices {
            // By turns: a step with a clock around each, and steps without one.
            if turn % 2 == 0 {
                means.push(time_turn(device.as_mut(), &events, turn, &mut out)?);
            } else {
                time_steps(device.as_mut(), &events, turn, &mut out, singles)?;
            }
        }
    }
    let clock = clock();
    let in_lane = lane::measure(options.steps, options.seed)?;
    let report = report(name, options, &program, clock, &mut devices, in_lane);
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// Inputs of 10,000 steps, which are then repeated: 5 % of the units fire in each.
fn events(program: &Program, seed: u64) -> Events {
    let mut events = Events { all: Vec::new(), starts: vec![0] };
    let units = program.inputs().first().map_or(0, |input| input.1);
    for step in poisson(seed, units, 0.05, 10_000) {
        events.all.extend(step.into_iter().map(|unit| Spike::of(0, unit)));
        events.starts.push(events.all.len());
    }
    events
}

impl Events {
    fn of(&self, step: usize) -> &[Spike] {
        let step = step % (self.starts.len() - 1);
        &self.all[self.starts[step]..self.starts[step + 1]]
    }
}

fn time_turn(device: &mut dyn Device, events: &Events, turn: usize, out: &mut [Spike]) -> Result<f64> {
    let began = Instant::now();
    for step in turn * TURN..(turn + 1) * TURN {
        device.step(events.of(step), out)?;
    }
    Ok(began.elapsed().as_nanos() as f64 / TURN as f64)
}

fn time_steps(
    device: &mut dyn Device,
    events: &Events,
    turn: usize,
    out: &mut [Spike],
    singles: &mut Vec<u64>,
) -> Result<()> {
    for step in turn * TURN..(turn + 1) * TURN {
        let began = Instant::now();
        device.step(events.of(step), out)?;
        singles.push(began.elapsed().as_nanos() as u64);
    }
    Ok(())
}

/// The median of looking at the clock and nothing else.
fn clock() -> u64 {
    let mut all: Vec<u64> = (0..10_000).map(|_| Instant::now().elapsed().as_nanos() as u64).collect();
    all.sort_unstable();
    all[all.len() / 2]
}

type Measured = (Box<dyn Device>, Vec<f64>, Vec<u64>);

fn report(
    network: &'static str,
    options: &SpikesBench,
    program: &Program,
    clock: u64,
    devices: &mut [Measured],
    in_lane: lane::InLane,
) -> Report {
    let counters = devices.first().map(|(device, ..)| device.counters()).unwrap_or_default();
    let steps = counters.steps.max(1) as f64;
    let units = program.neurons() + program.inputs().iter().map(|input| input.1).sum::<usize>();
    let weights: usize = program.synapses().iter().map(|one| one.weights.len()).sum();
    let zeros = program.synapses().iter().flat_map(|one| &one.weights).filter(|&&weight| weight == 0).count();
    let effective = counters.synaptic_operations as f64 / steps;
    let mut timed: Vec<Timed> = devices.iter_mut().map(|measured| measured_of(measured, clock, effective)).collect();
    let fastest = timed.iter().map(|one| one.best_ns).fold(f64::MAX, f64::min);
    timed.iter_mut().for_each(|one| one.ratio = one.best_ns / fastest);
    Report {
        network,
        steps: counters.steps,
        seed: options.seed,
        footprint_bytes: weights + program.neurons() * 8,
        connection_sparsity: zeros as f64 / weights as f64,
        activation_sparsity: 1.0 - (counters.events + counters.spikes) as f64 / steps / units as f64,
        dense_operations: weights as u64,
        effective_operations: effective,
        clock_ns: clock,
        devices: timed,
        in_lane,
    }
}

fn measured_of((device, means, singles): &mut Measured, clock: u64, effective: f64) -> Timed {
    singles.sort_unstable();
    let last = singles.len().saturating_sub(1);
    let at = |part: f64| singles.get((part * last as f64) as usize).map_or(0, |ns| ns.saturating_sub(clock));
    let best = means.iter().copied().fold(f64::MAX, f64::min);
    Timed {
        device: device.capabilities().name,
        best_ns: best,
        mean_ns: means.iter().sum::<f64>() / means.len() as f64,
        p50_ns: at(0.5),
        p99_ns: at(0.99),
        p999_ns: at(0.999),
        ratio: 1.0,
        operations_per_second: effective / best * 1e9,
    }
}

fn print(report: &Report) {
    let head = format!(
        "{}: {} steps, seed {}; {:.0} of {} synaptic operations a step, {:.1} % of the units silent, {} bytes.",
        report.network,
        group(report.steps),
        report.seed,
        report.effective_operations,
        group(report.dense_operations),
        report.activation_sparsity * 100.0,
        group(report.footprint_bytes as u64),
    );
    say!("{}", sentence(&head, 2));
    say!();
    say!("  device              best    mean     p50     p99   p99.9  ratio    ops/s");
    for one in &report.devices {
        say!(
            "  {:<16}{:>8.0}{:>8.0}{:>8}{:>8}{:>8}{:>7.2}{:>9.2e}",
            one.device,
            one.best_ns,
            one.mean_ns,
            one.p50_ns,
            one.p99_ns,
            one.p999_ns,
            one.ratio,
            one.operations_per_second
        );
    }
    say!();
    let tail = format!(
        "Nanoseconds a step. best: the mean of the fastest 100 steps; percentiles of single steps, less {} ns of the clock.",
        report.clock_ns
    );
    say!("{}", sentence(&tail, 2));
    let lane = &report.in_lane;
    let text = format!(
        "In the lane, a detector of 64, 32 and 4 units, every event a step: {:.0} ns from an event to what a strategy sees, {:.0} of them the book's \
         ({:.1} spikes a step, {} alerts).",
        lane.best_ns,
        lane.book_best_ns,
        lane.spikes,
        group(lane.alerts)
    );
    say!();
    say!("{}", sentence(&text, 2));
}
