//! `firelane spikes conformance`: the suite, against a device.

use super::device;
use crate::cli::SpikesConformance;
use crate::judged;
use anyhow::Result;
use firelane_kernels::spikes::conformance::{self, Extent};
use std::process::ExitCode;

pub(super) fn run(options: &SpikesConformance) -> Result<ExitCode> {
    let mut device = device::open(&options.device)?;
    let extent = Extent { updates: options.updates, seed: options.seed };
    judged::report(&conformance::run(device.as_mut(), &extent), "updates of neurons", options.json)
}
