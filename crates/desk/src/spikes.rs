//! `firelane spikes`: spiking networks run, devices judged and timed, detectors scored.

mod bench;
mod conformance;
mod device;
mod import;
mod raster;
mod run;
mod score;

pub(crate) use raster::Clock;
pub(crate) use score::Seeds;

use crate::cli::Spikes;
use crate::outfile::OutFile;
use anyhow::{Context, Result};
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(command: &Spikes) -> Result<ExitCode> {
    match command {
        Spikes::Run(options) => run::run(options),
        Spikes::Import(options) => import::run(options),
        Spikes::Conformance(options) => conformance::run(options),
        Spikes::Raster(options) => raster::run(options),
        Spikes::Score(options) => score::run(options),
        Spikes::Bench(options) => bench::run(options),
    }
}

/// A network or trace is all of a file that was created at `path`.
fn finish(mut to: OutFile, path: &Path, value: &serde_json::Value) -> Result<()> {
    let written = serde_json::to_writer(&mut to, value).map_err(std::io::Error::from);
    let written = written.and_then(|()| to.write_all(b"\n")).and_then(|()| to.finish());
    written.with_context(|| format!("writing {}", path.display()))
}
