//! `firelane spikes`: spiking networks run, devices judged and timed.

mod bench;
mod conformance;
mod device;
mod run;

use crate::cli::Spikes;
use anyhow::Result;
use std::process::ExitCode;

pub(crate) fn run(command: &Spikes) -> Result<ExitCode> {
    match command {
        Spikes::Run(options) => run::run(options),
        Spikes::Conformance(options) => conformance::run(options),
        Spikes::Bench(options) => bench::run(options),
    }
}
