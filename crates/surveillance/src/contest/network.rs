//! A spiking network: its score for an alert is the voltage of the neuron that means it.
//!
//! A threshold is what is varied, so that the network is run with the thresholds of these neurons out of reach: the voltage then passes
//! any threshold at the very events at which a neuron with that threshold would have fired for the first time. What the file itself
//! has for a threshold is one point of the curve.

use super::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use crate::detector::Detector;
use crate::watch::ALONE;
use firelane_kernels::detector::watcher::Watcher;
use firelane_kernels::detector::{DetectorError, Settings};
use firelane_kernels::spikes::network::Source;
use firelane_kernels::spikes::{Device, Software, Variable};
use thiserror::Error;

/// Why a detector is no contestant.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// It looks for nothing that is scored.
    #[error(
        "none of its alerts is called layering, ignition or iceberg: name with [[alert]] the neurons that mean these"
    )]
    Nothing,
    /// The threshold of an alert's neuron can't be varied without changing more than that.
    #[error(
        "the population {0:?} has an alert's neuron and leads on to others: its threshold can't be varied; let alerts be neurons \
         of a population that leads nowhere"
    )]
    LeadsOn(String),
    /// Its file is wrong.
    #[error(transparent)]
    Detector(#[from] DetectorError),
}

/// A detector's network at work.
#[derive(Debug)]
pub struct Network {
    settings: Settings,
    /// Population and neuron of each of [`ALERTS`], if it has one.
    neurons: [Option<(usize, usize)>; ALERTS.len()],
    watcher: Watcher<Software>,
    spent: Spent,
    /// Are its weights multiplied by the values of events?
    graded: bool,
}

impl Network {
    /// Of a detector, with its thresholds out of reach.
    ///
    /// # Errors
    /// [`NetworkError`].
    pub fn new(detector: &Detector) -> Result<Self, NetworkError> {
        let settings = detector.out_of_reach()?;
        let neurons = ALERTS.map(|alert| {
            let named = settings.alerts().iter().find(|one| one.name == alert.name())?;
            Some((usize::from(named.population), usize::from(named.unit)))
        });
        if neurons.iter().all(Option::is_none) {
            return Err(NetworkError::Nothing);
        }
        let program = settings.program();
        for (population, _) in neurons.iter().flatten() {
            if program.synapses().iter().any(|one| one.source == Source::Population(*population)) {
                return Err(NetworkError::LeadsOn(program.cells()[*population].id.clone()));
            }
        }
        let graded = program.synapses().iter().any(|one| one.graded);
        let watcher = Watcher::new(&settings, 1, Software::best)?;
        Ok(Network { neurons, watcher, settings, spent: Spent::default(), graded })
    }

    /// What the network has counted since it was started.
    fn counted(&self) -> Spent {
        let counters = self.watcher.device(ALONE).map(Device::counters).unwrap_or_default();
        let operations = counters.synaptic_operations;
        let (multiplies, adds) = if self.graded { (operations, 0) } else { (0, operations) };
        Spent { events: 0, spikes: counters.spikes, multiplies, adds, comparisons: 0 }
    }
}

impl Contestant for Network {
    fn name(&self) -> &'static str {
        "network"
    }

    fn restart(&mut self) {
        self.spent = self.spent();
        // It was built of the same once: it can be built again.
        if let Ok(watcher) = Watcher::new(&self.settings, 1, Software::best) {
            self.watcher = watcher;
        }
    }

    fn hear(&mut self, heard: &Heard<'_>) -> Scores {
        self.spent.events += 1;
        self.watcher.on_seen(ALONE, heard.at, heard.spikes);
        let Some(device) = self.watcher.device(ALONE) else { return [f32::NAN; ALERTS.len()] };
        self.neurons.map(|neuron| {
            let voltage = neuron.and_then(|(population, unit)| device.probe(Variable::Voltage, population, unit).ok());
            // Of 24 bits: each is a number of its own.
            voltage.map_or(f32::NAN, |voltage| voltage as f32)
        })
    }

    fn build(&self) -> Build {
        let program = self.settings.program();
        let weights = || program.synapses().iter().flat_map(|one| &one.weights);
        let (count, zeros) = (weights().count(), weights().filter(|weight| **weight == 0).count());
        Build {
            // As `firelane spikes bench` has it: a byte a weight, a current and a voltage of four bytes a neuron.
            footprint_bytes: (count + program.neurons() * 8) as u64,
            connection_sparsity: (count > 0).then(|| zeros as f64 / count as f64),
            neurons: program.neurons() as u64,
            dense_operations: count as u64,
        }
    }

    fn spent(&self) -> Spent {
        self.spent + self.counted()
    }
}
