//! `firelane spikes import`: a network that was trained elsewhere, in integers, and how far that is from floating point.

use super::finish;
use crate::cli::{DiscretisationArg, ResetArg, SpikesImport, dash};
use crate::layout::{row, sentence};
use crate::outfile::{OutFile, check_dashes};
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result};
use firelane_kernels::spikes::golden::{Golden, document};
use firelane_kernels::spikes::nir::{Discretisation, Distance, Graph, Imported, Options, ResetMode, import};
use firelane_kernels::spikes::random::poisson;
use serde::Serialize;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

/// `spikes import --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    file: String,
    dt: f64,
    discretisation: &'static str,
    reset: &'static str,
    reset_delay: bool,
    bits: u32,
    neurons: usize,
    synapses: usize,
    outputs: Vec<String>,
    /// What the two were run over: `input` of a file, or `random`.
    events: &'static str,
    steps: usize,
    populations: Vec<PopulationReport>,
}

#[derive(Debug, Serialize)]
struct PopulationReport {
    id: String,
    n: usize,
    float_spikes: u64,
    integer_spikes: u64,
    same_spikes: u64,
    /// Null: all spikes are the same.
    first_difference: Option<usize>,
    /// Root of the mean square, in thresholds, or in the largest voltage of neurons that do not fire.
    voltage_distance: f64,
}

/// Events of each input: `[input][step][unit]`.
type Rows = Vec<Vec<Vec<i32>>>;

pub(super) fn run(options: &SpikesImport) -> Result<ExitCode> {
    check_dashes(&[Some(&options.file), options.input.as_deref()], &[options.out.as_deref()], options.json);
    let of_file = || options.file.display().to_string();
    let imported = read(&options.file).and_then(|graph| Ok(import(&graph, &asked(options))?)).with_context(of_file)?;
    let network = document(&imported.network);
    let rows = match &options.input {
        Some(path) => given(path, &network.to_string(), &imported).with_context(|| path.display().to_string())?,
        None => random(&imported, options),
    };
    let far = imported.compare(&rows).with_context(|| match &options.input {
        Some(path) => path.display().to_string(),
        None => of_file(),
    })?;
    if let Some(path) = &options.out {
        let reads: Vec<&Path> = [Some(options.file.as_path()), options.input.as_deref()]
            .into_iter()
            .flatten()
            .filter(|path| !dash(path))
            .collect();
        let out = OutFile::create(path, &reads, options.force)?;
        finish(out, path, &network)?;
    }
    let steps = rows.iter().map(Vec::len).min().unwrap_or_default();
    let report = report(options, &imported, &far, steps);
    if options.json {
        output::json(&report)?;
    } else {
        print(options, &report);
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(options: &SpikesImport) -> Options {
    Options {
        dt: options.dt,
        discretisation: match options.discretisation {
            DiscretisationArg::Euler => Discretisation::Euler,
            DiscretisationArg::Exponential => Discretisation::Exponential,
        },
        reset: match options.reset {
            ResetArg::File => ResetMode::File,
            ResetArg::Zero => ResetMode::Zero,
            ResetArg::Subtract => ResetMode::Subtract,
        },
        reset_delay: options.reset_delay,
        bits: options.bits,
        message_bits: options.message_bits,
    }
}

/// HDF5, as everybody's programs write it, or JSON, by hand: they begin differently.
fn read(path: &Path) -> Result<Graph> {
    let mut bytes = Vec::new();
    if dash(path) {
        std::io::stdin().read_to_end(&mut bytes).context("standard input")?;
    } else {
        bytes = std::fs::read(path)?;
    }
    if bytes.trim_ascii_start().starts_with(b"{") {
        let text = std::str::from_utf8(&bytes).context("it is JSON, and must be UTF-8")?;
        return Ok(Graph::from_json(text)?);
    }
    Ok(Graph::from_hdf5(bytes)?)
}

/// The events of a file, for the inputs of the network; of an input that leads nowhere, none.
fn given(path: &Path, network: &str, imported: &Imported) -> Result<Rows> {
    let mut text = String::new();
    if dash(path) {
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
    } else {
        text = std::fs::read_to_string(path)?;
    }
    let golden = Golden::parse(network)?.with_inputs(&text)?;
    let known = golden.network().inputs.iter().map(|input| &input.id).zip(golden.inputs()).collect::<Vec<_>>();
    let rows = imported.inputs().iter().map(|(id, units)| {
        let found = known.iter().find(|(known, _)| *known == id);
        found.map_or_else(|| vec![vec![0; *units]; golden.steps()], |(_, rows)| rows.to_vec())
    });
    Ok(rows.collect())
}

fn random(imported: &Imported, options: &SpikesImport) -> Rows {
    let mut all = Vec::new();
    for (seed, (_, units)) in (options.seed..).zip(imported.inputs()) {
        let rows = poisson(seed, *units, options.rate / 100.0, options.steps as usize).map(|fired| {
            let mut row = vec![0; *units];
            fired.iter().for_each(|&unit| row[usize::from(unit)] = 1);
            row
        });
        all.push(rows.collect());
    }
    all
}

fn report(options: &SpikesImport, imported: &Imported, far: &[Distance], steps: usize) -> Report {
    let network = &imported.network;
    let populations = network.populations.iter().zip(far).map(|(population, far)| PopulationReport {
        id: population.id.clone(),
        n: population.n,
        float_spikes: far.float_spikes,
        integer_spikes: far.integer_spikes,
        same_spikes: far.together,
        first_difference: far.first,
        voltage_distance: far.voltage,
    });
    Report {
        file: options.file.display().to_string(),
        dt: options.dt,
        discretisation: options.discretisation.name(),
        reset: options.reset.name(),
        reset_delay: options.reset_delay,
        bits: options.bits,
        neurons: network.populations.iter().map(|one| one.n).sum(),
        synapses: network.connections.iter().flat_map(|one| &one.weights).map(Vec::len).sum(),
        outputs: imported.outputs.clone(),
        events: if options.input.is_some() { "input" } else { "random" },
        steps,
        populations: populations.collect(),
    }
}

fn print(options: &SpikesImport, report: &Report) {
    let number = |count: u64| group(count);
    let head = format!(
        "{}: {} neurons and {} synapses in integers of {} bits; steps of {} s, {}, reset: {}{}.",
        report.file,
        number(report.neurons as u64),
        number(report.synapses as u64),
        report.bits,
        report.dt,
        report.discretisation,
        report.reset,
        if report.reset_delay { ", a step late" } else { "" },
    );
    say!("{}", sentence(&head, 2));
    say!("{}", row("outputs", &number(report.outputs.len() as u64), &report.outputs.join(", ")));
    if let Some(path) = options.out.as_ref().filter(|path| !dash(path)) {
        say!("{}", row("written", &path.display().to_string(), "run it: firelane spikes run"));
    }
    let events = match &options.input {
        Some(path) => format!("the events of {}", path.display()),
        None => format!("random events: {} % of the units in each, seed {}", options.rate, options.seed),
    };
    say!();
    let head = format!("Integers against floating point, over {} steps of {events}:", number(report.steps as u64));
    say!("{}", sentence(&head, 2));
    for one in &report.populations {
        let most = one.float_spikes.max(one.integer_spikes);
        let same = if most == 0 { 100.0 } else { 100.0 * one.same_spikes as f64 / most as f64 };
        let spikes = format!(
            "{} spikes in floating point, {} in integers; voltages {:.2} % apart{}",
            number(one.float_spikes),
            number(one.integer_spikes),
            100.0 * one.voltage_distance,
            one.first_difference.map_or(String::new(), |step| format!("; equal up to step {step}")),
        );
        say!("{}", row(&one.id, &format!("{same:.1} %"), &spikes));
    }
}
