//! `firelane quantum`: quantum references, simulated, beside what ordinary arithmetic says.

mod bench;
mod credit;
mod kernel;
mod option;
mod portfolio;
mod qaoa;

use crate::cli::{Common, Estimation, IntervalArg, Quantum, dash};
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes};
use anyhow::{Context, Result};
use firelane_quantum::Circuit;
use firelane_quantum::estimation::{Method, Settings};
use firelane_quantum::qasm::qasm;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

/// What every report says.
const NOTE: &str = "a classical simulation; no quantum advantage is claimed";

pub(crate) fn run(command: &Quantum) -> Result<ExitCode> {
    match command {
        Quantum::Portfolio(options) => portfolio::run(options),
        Quantum::Option(options) => option::run(options),
        Quantum::Credit(options) => credit::run(options),
        Quantum::Qaoa(options) => qaoa::run(options),
        Quantum::Kernel(options) => kernel::run(options),
        Quantum::Bench(options) => bench::run(options),
    }
}

/// The first line of a report: what was computed, and that it is a simulation.
fn head(what: &str) {
    say!("{}", sentence(&format!("{what}: {NOTE}."), 2));
    say!();
}

/// The text of a file that is asked for, or of standard input.
fn text_of(path: &Path) -> Result<String> {
    let mut text = String::new();
    let read = if dash(path) { std::io::stdin().read_to_string(&mut text) } else { read_file(path, &mut text) };
    read.with_context(|| if dash(path) { "standard input".to_owned() } else { path.display().to_string() })?;
    Ok(text)
}

fn read_file(path: &Path, text: &mut String) -> std::io::Result<usize> {
    std::fs::File::open(path)?.read_to_string(text)
}

/// Before anything is computed: what is read and written is told apart, and the file to be written is begun.
fn begin(common: &Common, file: Option<&Path>) -> Result<Option<OutFile>> {
    check_dashes(&[file], &[common.qasm.as_deref()], common.json);
    let others: Vec<&Path> = file.into_iter().collect();
    common.qasm.as_deref().map(|path| OutFile::create(path, &others, common.force)).transpose()
}

/// The circuit is all of the file that was begun.
fn export(out: Option<OutFile>, common: &Common, circuit: impl FnOnce() -> Result<Circuit>) -> Result<()> {
    let (Some(mut out), Some(path)) = (out, &common.qasm) else { return Ok(()) };
    let text = qasm(&circuit()?, true);
    let written = out.write_all(text.as_bytes()).and_then(|()| out.finish());
    written.with_context(|| format!("writing {}", path.display()))
}

/// How amplitudes are to be estimated.
fn settings(asked: &Estimation, seed: u64) -> Settings {
    let method = match asked.interval {
        IntervalArg::ClopperPearson => Method::ClopperPearson,
        IntervalArg::Chernoff => Method::Chernoff,
    };
    Settings { epsilon: asked.epsilon, alpha: asked.alpha, shots: asked.shots as usize, method, seed }
}
