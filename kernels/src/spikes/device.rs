//! What a spiking device is. Everything that runs spiking networks for Firelane, in software or not, is one of these, and
//! whoever uses one uses nothing else.

use super::program::{Program, Refused};
use thiserror::Error;

/// An event that goes in, or a spike that comes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[repr(C)]
pub struct Spike {
    /// The input, by its number in the program; of a spike that comes out, the population.
    pub node: u16,
    /// Which of its units.
    pub unit: u16,
    /// 1; the value of a graded event; -1 of a negative spike. An event of 0 is none.
    pub value: i32,
}

impl Spike {
    /// An event of this unit of this input, of value 1.
    #[must_use]
    pub const fn of(node: u16, unit: u16) -> Self {
        Spike { node, unit, value: 1 }
    }
}

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1 on.
    pub number: u64,
    /// How many spikes were fired by the populations that are read out; the first of them, as many as there was room for, are in
    /// the caller's buffer, by population and unit.
    pub spikes: usize,
    /// How many of them there was no room for.
    pub lost: usize,
}

/// What a device can hold and do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What it is called: `software/avx512`.
    pub name: String,
    /// Most neurons.
    pub neurons: u64,
    /// Most synapses.
    pub synapses: u64,
    /// Most units that a neuron can hear, over all its connections.
    pub fan_in: u64,
    /// Bits of a current and a voltage.
    pub state_bits: u8,
    /// Bits of a weight, with its sign.
    pub weight_bits: u8,
    /// The longest delay, in steps.
    pub delay: u8,
    /// Does it multiply weights with the values of spikes?
    pub graded: bool,
    /// Can currents wrap as Lava's do?
    pub wraps: bool,
    /// Can it do resets other than to zero, and refractory periods?
    pub extensions: bool,
    /// Can the neurons of a population have constants of their own, and can sums begin with a bias?
    pub per_neuron: bool,
    /// Does it learn?
    pub learns: bool,
    /// Does it compute by a clock of its own, so that `submit` returns before the step is done?
    pub own_clock: bool,
}

/// What a device has counted since its program was loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Steps.
    pub steps: u64,
    /// Events that came in, those of value 0 left out.
    pub events: u64,
    /// Spikes that were fired.
    pub spikes: u64,
    /// Synapses with a weight other than 0 that a spike went through (NeuroBench's effective operations).
    pub synaptic_operations: u64,
    /// Currents that left their 24 bits, and wrapped.
    pub overflows: u64,
    /// Spikes that the callers' buffers had no room for.
    pub lost: u64,
    /// Cycles of its own clock; 0 where it has none.
    pub cycles: u64,
}

/// State that can be looked at and set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// The current.
    Current,
    /// The voltage.
    Voltage,
    /// Steps for which the voltage still stands still.
    Refractory,
}

/// What a device can't do, or was asked wrongly.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// Nothing has been loaded.
    #[error("no program is loaded")]
    Empty,
    /// An event for an input, or a look at a population, that the program does not have.
    #[error("there is no unit {unit} of node {node}")]
    Nowhere {
        /// The node.
        node: usize,
        /// The unit.
        unit: usize,
    },
    /// An event whose value is over what its input may have.
    #[error("an event of unit {unit} of input {node} has the value {value}; it may have {most} at most, in size")]
    Value {
        /// The input.
        node: usize,
        /// The unit.
        unit: usize,
        /// The value.
        value: i64,
        /// The most, in size.
        most: i32,
    },
    /// A value that a variable can't have.
    #[error("{value} is no value for that variable")]
    State {
        /// The value.
        value: i32,
    },
    /// Something was submitted while a step was pending.
    #[error("a step has been submitted, and not yet fetched")]
    Pending,
    /// Something was fetched while no step was pending.
    #[error("no step has been submitted")]
    Nothing,
    /// The device itself failed.
    #[error("the device failed: {0}")]
    Device(&'static str),
}

/// Something that runs spiking networks.
///
/// Memory is allocated by [`load`](Self::load) alone. A step that is refused with a [`Fault`] changes nothing: neither state nor counters.
pub trait Device {
    /// What it can hold and do.
    fn capabilities(&self) -> Capabilities;

    /// Takes a program in the place of the one that it has, and begins before its first step.
    ///
    /// # Errors
    /// [`Refused`] if the program is not one for this device; what was loaded before is still there.
    fn load(&mut self, program: &Program) -> Result<(), Refused>;

    /// Says whose spikes are wanted from the next step on. Until then, and whenever a program is loaded, all populations are read out. What
    /// the others fire acts and is counted, but no time is spent on telling of it.
    ///
    /// # Errors
    /// [`Fault::Nowhere`] for a population that is not there: then nothing changes. [`Fault::Pending`], [`Fault::Empty`].
    fn read_out(&mut self, populations: &[usize]) -> Result<(), Fault>;

    /// One step: `events` in, in any order; spikes into `out`. Of two events of one unit, values are added; where values do
    /// not matter, they are one.
    ///
    /// # Errors
    /// [`Fault`].
    fn step(&mut self, events: &[Spike], out: &mut [Spike]) -> Result<Step, Fault>;

    /// Starts a step, to be fetched with [`poll`](Self::poll). One can be pending.
    ///
    /// # Errors
    /// [`Fault`].
    fn submit(&mut self, events: &[Spike]) -> Result<(), Fault>;

    /// Fetches the step that was submitted, if it is done.
    ///
    /// # Errors
    /// [`Fault::Nothing`] if none was submitted.
    fn poll(&mut self, out: &mut [Spike]) -> Result<Option<Step>, Fault>;

    /// Back to before the first step; counters are cleared, too.
    ///
    /// # Errors
    /// [`Fault::Empty`].
    fn restart(&mut self) -> Result<(), Fault>;

    /// What a neuron's variable is, after the last step.
    ///
    /// # Errors
    /// [`Fault`].
    fn probe(&self, variable: Variable, population: usize, unit: usize) -> Result<i32, Fault>;

    /// The variable of all neurons of a population, into `out`, as many as there is room for.
    ///
    /// # Errors
    /// [`Fault`].
    fn probe_all(&self, variable: Variable, population: usize, out: &mut [i32]) -> Result<(), Fault> {
        for (unit, value) in out.iter_mut().enumerate() {
            *value = self.probe(variable, population, unit)?;
        }
        Ok(())
    }

    /// What a weight is after the last step, of a connection by its number: that which acts, and what has been learnt.
    ///
    /// # Errors
    /// [`Fault`]; a device that does not learn need not say it.
    fn weight(&self, connection: usize, target: usize, source: usize) -> Result<i32, Fault> {
        let _ = (connection, target, source);
        Err(Fault::Device("it does not say what its weights are"))
    }

    /// Sets a neuron's variable, before the next step.
    ///
    /// # Errors
    /// [`Fault::State`] if the variable can't have that value.
    fn poke(&mut self, variable: Variable, population: usize, unit: usize, value: i32) -> Result<(), Fault>;

    /// What it has counted.
    fn counters(&self) -> Counters;

    /// How many currents of a population wrapped: its part of [`Counters::overflows`].
    ///
    /// # Errors
    /// [`Fault`].
    fn overflows(&self, population: usize) -> Result<u64, Fault>;
}
