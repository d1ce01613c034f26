//! `firelane ising conformance`: the suite, against a device.

use super::device;
use crate::cli::IsingConformance;
use crate::judged;
use anyhow::{Result, bail};
use firelane_kernels::ising::conformance::{self, Extent};
use std::process::ExitCode;

pub(super) fn run(options: &IsingConformance) -> Result<ExitCode> {
    let mut device = device::open(&options.device)?;
    let report = conformance::run(device.as_mut(), &Extent { random: options.random, only: &options.only });
    if report.cases.is_empty() {
        bail!("no case's name begins with {:?}; without --only all are asked, and printed", options.only);
    }
    judged::report(&report, "updates of spins", options.json)
}
