//! Leaky traces of spikes: what the trained baselines look at.

use crate::watch::Units;
use firelane_kernels::spikes::Spike;
use serde::{Deserialize, Serialize};

/// Time constants of traces, in events of the book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constants(pub Vec<u32>);

/// A trace for each time constant and unit: it loses 1/tau in each event and gains each spike's value, before it is looked at.
#[derive(Clone, Debug)]
pub struct Traces {
    units: Units,
    /// What is kept in an event, of each time constant.
    keep: Vec<f32>,
    values: Vec<f32>,
}

impl Traces {
    /// All at 0.
    #[must_use]
    pub fn new(units: Units, constants: &Constants) -> Self {
        let keep: Vec<f32> = constants.0.iter().map(|tau| 1.0 - 1.0 / *tau as f32).collect();
        let values = vec![0.0; keep.len() * units.count()];
        Traces { units, keep, values }
    }

    /// An event.
    pub fn hear(&mut self, heard: &[Spike]) {
        let units = self.units.count();
        for (keep, values) in self.keep.iter().zip(self.values.chunks_mut(units)) {
            values.iter_mut().for_each(|value| *value *= keep);
            for spike in heard {
                if let Some(unit) = self.units.unit(spike) {
                    values[unit] += spike.value as f32;
                }
            }
        }
    }

    /// All of them: those of the first time constant, by unit, then those of the next one.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Back to 0.
    pub fn restart(&mut self) {
        self.values.fill(0.0);
    }
}
