//! `firelane ising`: problems solved, devices judged and timed.

mod bench;
mod conformance;
pub(crate) mod device;
mod solve;

use crate::cli::{Ising, dash};
use anyhow::{Context, Result, bail};
use firelane_kernels::ising::file::{self, Format, Read};
use std::fs::File;
use std::io::{self, BufReader, Read as _};
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &Ising) -> Result<ExitCode> {
    match command {
        Ising::Solve(options) => solve::run(options),
        Ising::Conformance(options) => conformance::run(options),
        Ising::Bench(options) => bench::run(options),
    }
}

/// A longer file is no problem that could be solved.
const LONGEST: u64 = 4 << 30;

/// Reads a problem, packed or not, from a file or, for `-`, from standard input.
fn read(path: &Path, format: Option<Format>) -> Result<Read> {
    let named = || path.display().to_string();
    let packed: Box<dyn io::Read + Send> =
        if dash(path) { Box::new(io::stdin()) } else { Box::new(File::open(path).with_context(named)?) };
    let plain = firelane_sim::capture::decompress(BufReader::new(packed)).with_context(named)?;
    let mut text = String::new();
    let read = plain.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => anyhow::anyhow!("it is no text: {error}"),
        _ => error.into(),
    })
    .with_context(named)?;
    if text.len() as u64 > LONGEST {
        bail!("{}: is over 4 GiB long; a problem that can be solved is shorter", named());
    }
    file::read(&text, format).with_context(named)
}
