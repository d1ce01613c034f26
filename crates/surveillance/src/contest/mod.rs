//! The contestants: each hears the spikes of one book, event by event, and gives a score for each alert.
//!
//! 1. [`rule`]: what somebody would write by hand. 2. [`logistic`] and [`trees`]: trained on leaky [traces](crate::traces) of the spikes.
//!    3. [`network`]: a spiking network on any device. 4. [`chance`]: what is met by luck.

pub mod chance;
pub mod logistic;
pub mod meaning;
pub mod network;
pub mod rule;
pub mod trees;

use firelane_kernels::spikes::Spike;
use firelane_sim::manipulation::Alert;
use serde::Serialize;

/// What detectors say, in the order in which scores of an event have it.
pub const ALERTS: [Alert; 3] = Alert::ALL;

/// A score for each of [`ALERTS`]: the higher, the surer. No number: it does not look for that.
pub type Scores = [f32; ALERTS.len()];

/// An event, as all contestants are given it.
#[derive(Clone, Copy, Debug)]
pub struct Heard<'a> {
    /// Nanoseconds since midnight, exchange time.
    pub at: u64,
    /// What the encoder said.
    pub spikes: &'a [Spike],
    /// The traces of the spikes, of this event's too.
    pub traces: &'a [f32],
}

/// Something that looks for manipulation.
pub trait Contestant: Send {
    /// What reports call it.
    fn name(&self) -> &'static str;

    /// Another book begins: what was heard is forgotten, what was [spent](Self::spent) is not.
    fn restart(&mut self);

    /// An event.
    fn hear(&mut self, heard: &Heard<'_>) -> Scores;

    /// What it is made of.
    fn build(&self) -> Build;

    /// What it has done since it was made.
    fn spent(&self) -> Spent;
}

/// What a contestant is made of, in NeuroBench's terms.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Build {
    /// Bytes of parameters and of what it keeps from event to event.
    pub footprint_bytes: u64,
    /// The part of its weights that is 0; `None`: it has no weights.
    pub connection_sparsity: Option<f64>,
    /// Its neurons; 0: it has none.
    pub neurons: u64,
    /// Synaptic operations of an event, if all inputs and neurons were active.
    pub dense_operations: u64,
}

/// What a contestant has done.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spent {
    /// Events.
    pub events: u64,
    /// Spikes of its neurons.
    pub spikes: u64,
    /// Weights other than 0 that were multiplied by a value other than 0 and added.
    pub multiplies: u64,
    /// Weights other than 0 that were added for a spike.
    pub adds: u64,
    /// Values that were compared to decide which way to go on.
    pub comparisons: u64,
}

impl std::ops::Add for Spent {
    type Output = Spent;

    fn add(self, other: Spent) -> Spent {
        Spent {
            events: self.events + other.events,
            spikes: self.spikes + other.spikes,
            multiplies: self.multiplies + other.multiplies,
            adds: self.adds + other.adds,
            comparisons: self.comparisons + other.comparisons,
        }
    }
}
