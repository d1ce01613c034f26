//! `firelane spikes`: spiking networks run, devices judged and timed.

mod bench;
mod conformance;
mod device;
mod import;
mod raster;
mod run;

pub(crate) use raster::Clock;

use crate::cli::Spikes;
use anyhow::Result;
use std::process::ExitCode;

pub(crate) fn run(command: &Spikes) -> Result<ExitCode> {
    match command {
        Spikes::Run(options) => run::run(options),
        Spikes::Import(options) => import::run(options),
        Spikes::Conformance(options) => conformance::run(options),
        Spikes::Raster(options) => raster::run(options),
        Spikes::Bench(options) => bench::run(options),
    }
}
