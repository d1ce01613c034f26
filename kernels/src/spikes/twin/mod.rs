//! The software twin: the specification in scalar integers, and vector paths that give the same bits.

mod block;
mod kernels;
mod late;
mod loaded;
mod plastic;
mod saved;
mod scalar;
mod simd;
// What is laid out for it is read on x86-64 alone.
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
mod small;
mod train;

use super::device::{Capabilities, Counters, Device, Fault, Spike, Step, Variable};
use super::program::{self, Program, Refused};
use kernels::Kernels;
use loaded::Loaded;

pub use crate::path::Path;

/// A spiking device in software: computes a step where it is asked to, on the caller's thread.
#[derive(Clone, Debug)]
pub struct Software {
    kernels: Kernels,
    loaded: Option<Loaded>,
    /// A step that was submitted and not yet fetched.
    pending: bool,
}

impl Software {
    /// On this path; `None` if the processor does not have it.
    #[must_use]
    pub fn on(path: Path) -> Option<Self> {
        Kernels::on(path).map(|kernels| Software { kernels, loaded: None, pending: false })
    }

    /// On the fastest path that this processor has.
    ///
    /// # Panics
    /// Never: every processor has the scalar one.
    #[must_use]
    pub fn best() -> Self {
        let found = Path::ALL.iter().rev().find_map(|&path| Self::on(path));
        found.expect("the scalar path is everywhere")
    }

    /// The paths that this processor has, the specification first.
    pub fn paths() -> impl Iterator<Item = Path> {
        Path::ALL.into_iter().filter(|&path| Kernels::on(path).is_some())
    }

    /// On which it runs.
    #[must_use]
    pub fn path(&self) -> Path {
        self.kernels.path()
    }

    fn loaded(&mut self) -> Result<&mut Loaded, Fault> {
        self.loaded.as_mut().ok_or(Fault::Empty)
    }
}

impl Device for Software {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: format!("software/{}", self.path().name()),
            neurons: (program::NODES * program::UNITS) as u64,
            synapses: program::SYNAPSES as u64,
            fan_in: program::SYNAPSES as u64,
            state_bits: 24,
            weight_bits: 9,
            delay: program::DELAY as u8,
            graded: true,
            wraps: true,
            extensions: true,
            per_neuron: true,
            learns: true,
            own_clock: false,
        }
    }

    fn load(&mut self, program: &Program) -> Result<(), Refused> {
        self.loaded = Some(Loaded::new(program, self.kernels));
        self.pending = false;
        Ok(())
    }

    fn read_out(&mut self, populations: &[usize]) -> Result<(), Fault> {
        if self.pending {
            return Err(Fault::Pending);
        }
        self.loaded()?.read_out(populations)
    }

    #[inline]
    fn step(&mut self, events: &[Spike], out: &mut [Spike]) -> Result<Step, Fault> {
        if self.pending {
            return Err(Fault::Pending);
        }
        let kernels = self.kernels;
        let loaded = self.loaded()?;
        loaded.step(kernels, events)?;
        Ok(loaded.spikes(out))
    }

    fn submit(&mut self, events: &[Spike]) -> Result<(), Fault> {
        if self.pending {
            return Err(Fault::Pending);
        }
        let kernels = self.kernels;
        self.loaded()?.step(kernels, events)?;
        self.pending = true;
        Ok(())
    }

    fn poll(&mut self, out: &mut [Spike]) -> Result<Option<Step>, Fault> {
        if !std::mem::take(&mut self.pending) {
            return Err(Fault::Nothing);
        }
        Ok(Some(self.loaded()?.spikes(out)))
    }

    fn restart(&mut self) -> Result<(), Fault> {
        self.pending = false;
        self.loaded()?.restart();
        Ok(())
    }

    fn probe(&self, variable: Variable, population: usize, unit: usize) -> Result<i32, Fault> {
        self.loaded.as_ref().ok_or(Fault::Empty)?.probe(variable, population, unit)
    }

    fn weight(&self, connection: usize, target: usize, source: usize) -> Result<i32, Fault> {
        self.loaded.as_ref().ok_or(Fault::Empty)?.weight(connection, target, source)
    }

    fn poke(&mut self, variable: Variable, population: usize, unit: usize, value: i32) -> Result<(), Fault> {
        self.loaded()?.poke(variable, population, unit, value)
    }

    fn counters(&self) -> Counters {
        self.loaded.as_ref().map(Loaded::counters).unwrap_or_default()
    }

    fn overflows(&self, population: usize) -> Result<u64, Fault> {
        self.loaded.as_ref().ok_or(Fault::Empty)?.overflows(population)
    }
}
