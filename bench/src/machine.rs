//! On what the numbers were measured.

use crate::raw::stamp;
use serde::Serialize;
use std::time::{Duration, Instant};

/// The machine, as far as it tells.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Machine {
    /// Processor model.
    pub processor: String,
    /// Cores that this process may use.
    pub cores: usize,
    /// One-minute load average: what else ran.
    pub load: Option<f64>,
    /// Nanoseconds a tick of [`stamp`].
    pub ns_per_tick: f64,
    /// The least that two stamps after one another differ, in nanoseconds: part of every latency below.
    pub stamp_ns: f64,
}

impl Machine {
    /// Asks the machine, and times its counter for 50 ms.
    #[must_use]
    pub fn ask() -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpu = read("/proc/cpuinfo");
        let processor = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, m)| m));
        let ns_per_tick = ns_per_tick();
        let pairs = (0..10_000).map(|_| {
            let first = stamp();
            stamp() - first
        });
        Machine {
            processor: processor.unwrap_or(std::env::consts::ARCH).to_owned(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            load: read("/proc/loadavg").split(' ').next().and_then(|n| n.parse().ok()),
            ns_per_tick,
            stamp_ns: pairs.min().unwrap_or(0) as f64 * ns_per_tick,
        }
    }
}

fn ns_per_tick() -> f64 {
    let (time, first) = (Instant::now(), stamp());
    while time.elapsed() < Duration::from_millis(50) {
        std::hint::spin_loop();
    }
    let (ns, ticks) = (time.elapsed().as_nanos(), stamp() - first);
    ns as f64 / ticks as f64
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Machine { processor, cores, load, stamp_ns, .. } = self;
        write!(f, "{processor}, {cores} cores")?;
        if let Some(load) = load {
            write!(f, ", load {load}")?;
        }
        write!(f, "; a pair of stamps takes {stamp_ns:.0} ns")
    }
}
