//! The two things that a step does to a whole population, on whichever unit of the processor: add weights up, and update
//! the neurons.

use super::block::Block;
use super::loaded::Layer;
use super::small::Small;
use super::{scalar, simd};
use crate::path::Path;
use crate::spikes::network::Reset;

/// What holds for every neuron of a population.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) keep_u: i32,
    pub(super) keep_v: i32,
    pub(super) above: i32,
    pub(super) below: Option<i32>,
    pub(super) reset: Reset,
    pub(super) refractory: u8,
    /// Currents can leave their 24 bits, and then wrap. If not, they are known to stay within.
    pub(super) wraps: bool,
}

/// The neurons of a population: as many blocks of each, but `still`, which is empty where there is no refractory period.
#[derive(Debug)]
pub(super) struct Population<'a> {
    pub(super) u: &'a mut [Block<i32>],
    pub(super) v: &'a mut [Block<i32>],
    pub(super) still: &'a mut [Block<u8>],
    pub(super) sums: &'a [Block<i32>],
    pub(super) bias: &'a [Block<i32>],
}

/// What becomes of what weights add up to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sum {
    /// It is shifted left by this; right, where it is negative.
    pub(super) exponent: i32,
    /// It takes the place of what was there; if not, it is added.
    pub(super) first: bool,
    /// Neurons; what is behind them in the last block does not matter.
    pub(super) targets: usize,
}

/// Who fired: a bit for each neuron, in as many words as there are blocks. `there`: who is a neuron at all.
#[derive(Debug)]
pub(super) struct Fired<'a> {
    pub(super) up: &'a mut [u64],
    pub(super) down: &'a mut [u64],
    pub(super) there: &'a [u64],
}

/// The weights of a connection, a row of blocks for each unit of the source.
#[derive(Clone, Debug)]
pub(super) enum Rows {
    /// In eight bits. No sum of theirs, nor of a part of them, leaves 16 bits.
    Narrow(Vec<Block<i8>>),
    /// In sixteen.
    Wide(Vec<Block<i16>>),
}

/// A path that this processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels(simd::Unit);

impl Kernels {
    /// What [`Kernels::units`] may write behind the last unit.
    pub(super) const BEHIND: usize = 16;

    /// If this processor has it.
    pub(super) fn on(path: Path) -> Option<Kernels> {
        simd::Unit::of(path).map(Kernels)
    }

    pub(super) fn path(self) -> Path {
        self.0.path()
    }

    /// Updates a population, of which each neuron has a rule of its `own`, or all have one; says how many currents wrapped.
    pub(super) fn update(
        self,
        rule: &Rule,
        own: &[Rule],
        population: &mut Population<'_>,
        fired: &mut Fired<'_>,
    ) -> u64 {
        // Counting steps down, and constants of their own, neuron by neuron, are left to the specification.
        if !own.is_empty() {
            return scalar::update_each(rule, own, population, fired);
        }
        if rule.refractory > 0 {
            return scalar::update(rule, population, fired);
        }
        self.0.update(rule, population, fired)
    }

    /// Has it a way of its own for small programs?
    pub(super) fn has_small(self) -> bool {
        self.0.has_small()
    }

    /// A step of a small program, whose events have been taken. Says through how many synapses spikes came, and how many were fired.
    #[inline]
    pub(super) fn small(self, small: &mut Small, layers: &mut [Layer], inputs: usize, now: usize) -> [u64; 2] {
        self.0.small(small, layers, inputs, now)
    }

    /// The numbers of the bits that are set, in rising order, into `to`; says how many. `to` has room for all bits, and for
    /// [`Kernels::BEHIND`] more.
    pub(super) fn units(self, masks: &[u64], to: &mut [u32]) -> usize {
        self.0.units(masks, to)
    }

    /// Adds up what the spikes of `units` weigh, into `sums`.
    pub(super) fn gather(self, units: &[u32], rows: &Rows, how: Sum, sums: &mut [Block<i32>]) {
        match rows {
            Rows::Narrow(rows) => self.0.gather_narrow(units, rows, how, sums),
            Rows::Wide(rows) => self.0.gather_wide(units, rows, how, sums),
        }
    }
}
