//! `firelane spikes run`: a network over its inputs, and its trace.

use super::{device, finish};
use crate::cli::{OverflowArg, ScheduleArg, SpikesRun, dash};
use crate::layout::{row, sentence};
use crate::outfile::{OutFile, check_dashes};
use crate::output;
use crate::replay::group;
use anyhow::{Context, Result, bail};
use firelane_kernels::spikes::golden::{Golden, Traces, compare, document};
use firelane_kernels::spikes::learning::learnt;
use firelane_kernels::spikes::{Device, Fault, Overflow, Program, Rules, Schedule};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `spikes run --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    network: String,
    device: String,
    schedule: &'static str,
    overflow: &'static str,
    steps: usize,
    neurons: usize,
    synapses: usize,
    events: u64,
    spikes: u64,
    spikes_of: BTreeMap<String, u64>,
    synaptic_operations: u64,
    overflows: u64,
    overflows_of: BTreeMap<String, u64>,
    /// `equal` or `different`; null if the file has none, or one of other inputs or another schedule.
    trace: Option<&'static str>,
    /// Where the two differ first.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<String>,
}

pub(super) fn run(options: &SpikesRun) -> Result<ExitCode> {
    check_dashes(
        &[Some(&options.net), options.input.as_deref()],
        &[options.trace.as_deref(), options.out.as_deref()],
        options.json,
    );
    let text = read(&options.net)?;
    let of_net = || options.net.display().to_string();
    let mut golden = Golden::parse(&text).with_context(of_net)?;
    let as_lava = golden.steps() > 0 || golden.is_lavas();
    if let Some(path) = &options.input {
        golden = golden.with_inputs(&read(path)?).with_context(|| path.display().to_string())?;
    } else if golden.steps() == 0 {
        bail!("{}: it has no inputs and no steps of its own; name a file that has (--input FILE)", of_net());
    }
    if options.out.is_some() && golden.network().connections.iter().all(|one| one.learning.is_none()) {
        bail!("{}: none of its connections has the key learning, so that --out would write what was read", of_net());
    }
    let rules = rules(options, as_lava);
    let mut device = device::open(&options.device)?;
    let read_from: Vec<&Path> = [Some(options.net.as_path()), options.input.as_deref()]
        .into_iter()
        .flatten()
        .filter(|path| !dash(path))
        .collect();
    let create = |path: Option<&PathBuf>| -> Result<Option<OutFile>> {
        path.map(|path| OutFile::create(path, &read_from, options.force)).transpose()
    };
    let (trace, out) = (create(options.trace.as_ref())?, create(options.out.as_ref())?);
    let program = Program::check(golden.network(), &rules).with_context(of_net)?;
    let traces = golden.run(device.as_mut(), &rules).with_context(of_net)?;
    if let (Some(path), Some(to)) = (&options.trace, trace) {
        finish(to, path, &golden.with_trace(&traces))?;
    }
    if let (Some(path), Some(to)) = (&options.out, out) {
        let learnt = learnt(golden.network(), device.as_ref()).with_context(of_net)?;
        finish(to, path, &document(&learnt))?;
    }
    // A trace is Lava's, of Lava's schedule.
    let expected = golden.trace().filter(|_| rules == Rules::LAVA);
    let difference = expected.map(|expected| compare(expected, &traces).err().map(|differs| differs.to_string()));
    let report = report(&golden, &program, &traces, device.as_ref(), difference)?;
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::from(u8::from(report.difference.is_some())))
}

fn read(path: &Path) -> Result<String> {
    let mut text = String::new();
    if dash(path) {
        std::io::stdin().read_to_string(&mut text).context("standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}

/// What was asked for, and else what the file is.
fn rules(options: &SpikesRun, as_lava: bool) -> Rules {
    let schedule = match options.schedule {
        Some(ScheduleArg::Lava) => Schedule::Lava,
        Some(ScheduleArg::Cascade) => Schedule::Cascade,
        None if as_lava => Schedule::Lava,
        None => Schedule::Cascade,
    };
    let overflow = match options.overflow {
        Some(OverflowArg::Wrap) => Overflow::Wrap,
        Some(OverflowArg::Forbid) => Overflow::Forbidden,
        None if schedule == Schedule::Lava => Overflow::Wrap,
        None => Overflow::Forbidden,
    };
    Rules { schedule, overflow }
}

fn report(
    golden: &Golden,
    program: &Program,
    traces: &Traces,
    device: &dyn Device,
    difference: Option<Option<String>>,
) -> Result<Report, Fault> {
    let counters = device.counters();
    let overflows = program.cells().iter().enumerate();
    let overflows = overflows.map(|(at, cells)| Ok((cells.id.clone(), device.overflows(at)?)));
    let count = |rows: &[Vec<i32>]| rows.iter().flatten().filter(|&&spike| spike != 0).count() as u64;
    Ok(Report {
        network: program.name().to_owned(),
        device: device.capabilities().name,
        schedule: if program.rules().schedule == Schedule::Lava { "lava" } else { "cascade" },
        overflow: if program.rules().overflow == Overflow::Wrap { "wrap" } else { "forbid" },
        steps: golden.steps(),
        neurons: program.neurons(),
        synapses: program.synapses().iter().map(|one| one.weights.len()).sum(),
        events: counters.events,
        spikes: counters.spikes,
        spikes_of: traces.iter().map(|(id, trace)| (id.clone(), count(&trace.s))).collect(),
        synaptic_operations: counters.synaptic_operations,
        overflows: counters.overflows,
        overflows_of: overflows.collect::<Result<_, _>>()?,
        trace: difference.as_ref().map(|one| if one.is_none() { "equal" } else { "different" }),
        difference: difference.flatten(),
    })
}

fn print(report: &Report) {
    let number = |count: u64| group(count);
    let head = format!(
        "{}: {} steps of {} neurons and {} synapses on {}; schedule {}, overflow: {}.",
        if report.network.is_empty() { "network" } else { &report.network },
        number(report.steps as u64),
        number(report.neurons as u64),
        number(report.synapses as u64),
        report.device,
        report.schedule,
        report.overflow,
    );
    say!("{}", sentence(&head, 2));
    say!("{}", row("events", &number(report.events), "in"));
    say!("{}", row("spikes", &number(report.spikes), &by_population(report.spikes_of.iter())));
    say!("{}", row("operations", &number(report.synaptic_operations), "spikes times synapses with a weight"));
    if report.overflows > 0 {
        let of = report.overflows_of.iter().filter(|(_, count)| **count > 0);
        say!("{}", row("overflows", &number(report.overflows), &format!("currents wrapped: {}", by_population(of))));
    }
    match (report.trace, &report.difference) {
        (_, Some(difference)) => say!("{}", row("trace", &crate::paint::bad("different"), difference)),
        (Some(equal), None) => say!("{}", row("trace", equal, "to the file's, every u, v and spike")),
        (None, None) => {}
    }
}

fn by_population<'a>(counts: impl Iterator<Item = (&'a String, &'a u64)>) -> String {
    counts.map(|(id, count)| format!("{id} {}", group(*count))).collect::<Vec<_>>().join(", ")
}
