//! What values a book in many scenarios. Everything that does so for Firelane is one of these, and whoever uses one uses nothing else.

use super::plan::Plan;
use std::sync::Arc;
use thiserror::Error;

/// How a device reckons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// In `f64`: as the specification does, but for the last bits.
    Double,
    /// In `f32`: within the [bound](super::bound) of each scenario.
    Single,
}

/// What a device can hold and do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// What it is called: `cpu`.
    pub name: String,
    /// How it reckons.
    pub precision: Precision,
    /// Does it have Sobol sequences?
    pub sobol: bool,
    /// Most assets.
    pub assets: usize,
    /// Most options times times.
    pub terms: usize,
}

/// What a device can't do, or was asked wrongly.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Fault {
    /// Nothing has been loaded.
    #[error("no book is loaded")]
    Empty,
    /// A plan that it can't hold.
    #[error("{device} holds {most} {what}, and the book has {has}: value it on the CPU")]
    TooLarge {
        /// Which device.
        device: String,
        /// Of what it has too many.
        what: &'static str,
        /// How many.
        has: usize,
        /// How many it holds.
        most: usize,
    },
    /// A kind of random numbers that it hasn't.
    #[error("{device} has no Sobol sequences: take pseudo-random numbers, or the CPU")]
    NoSobol {
        /// Which device.
        device: String,
    },
    /// Scenarios that the job does not have.
    #[error("scenarios {first} to {end} were asked for, and the job has {scenarios}")]
    Beyond {
        /// The first one.
        first: u32,
        /// The one after the last.
        end: u64,
        /// How many there are.
        scenarios: u32,
    },
    /// The device itself failed.
    #[error("the device failed: {0}")]
    Device(String),
}

/// What a scenario costs, in units of money: positive where it is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loss {
    /// At the horizon.
    pub end: f64,
    /// The most at any of the times up to it.
    pub deepest: f64,
}

/// Something that values a book in many scenarios.
///
/// A scenario has one loss, whatever else is asked for, in whichever order: that of the specification, within the device's precision. A call does so many
/// scenarios as it is asked for and waits for them, so that whoever asks for a few thousand at a time can show how far it has come, and stop.
pub trait Device {
    /// What it can hold and do.
    fn capabilities(&self) -> Capabilities;

    /// Takes a plan in the place of the one that it has.
    ///
    /// # Errors
    /// [`Fault::TooLarge`], [`Fault::NoSobol`], [`Fault::Device`]; what was loaded before is still there.
    fn load(&mut self, plan: &Arc<Plan>) -> Result<(), Fault>;

    /// The losses of so many scenarios, from this one on.
    ///
    /// # Errors
    /// [`Fault::Empty`], [`Fault::Beyond`], [`Fault::Device`].
    fn losses(&mut self, first: u32, count: u32) -> Result<Vec<Loss>, Fault>;
}

/// Are these scenarios of the job's?
///
/// # Errors
/// [`Fault::Beyond`].
pub fn within(plan: &Plan, first: u32, count: u32) -> Result<(), Fault> {
    let (end, scenarios) = (u64::from(first) + u64::from(count), plan.job.scenarios);
    if end <= u64::from(scenarios) { Ok(()) } else { Err(Fault::Beyond { first, end, scenarios }) }
}
