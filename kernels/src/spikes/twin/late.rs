//! Synapses with delays: what they weigh waits in a ring of steps.

use super::block::{Block, blocks};
use super::scalar::shift;
use super::train::Train;
use crate::spikes::program::Synapses;

/// A connection with delays.
#[derive(Clone, Debug)]
pub(super) struct Late {
    /// Where the synapses of each unit of the source begin, and where those of the last end.
    starts: Vec<usize>,
    synapses: Vec<Synapse>,
    exponent: i32,
    graded: bool,
    /// Values of a step: as many as the blocks of the target hold.
    width: usize,
    /// What arrives, a step for each delay from 0 on, beginning at `head` and going round.
    ring: Vec<i32>,
    head: usize,
    /// The sums of this step by delay, where each has still to be shifted right; empty where nothing is.
    unshifted: Vec<i32>,
}

#[derive(Clone, Copy, Debug)]
struct Synapse {
    target: u32,
    delay: u8,
    weight: i16,
}

impl Late {
    pub(super) fn of(one: &Synapses, targets: usize) -> Self {
        let (delays, longest) = one.delays.as_ref().map_or((&[][..], 0), |(all, longest)| (all.as_slice(), *longest));
        let mut starts = vec![0];
        let mut synapses = Vec::new();
        for unit in 0..one.fan_in {
            for target in 0..targets {
                let at = target * one.fan_in + unit;
                let (weight, delay) = (one.weights[at], delays[at]);
                if weight != 0 {
                    synapses.push(Synapse { target: target as u32, delay, weight });
                }
            }
            starts.push(synapses.len());
        }
        let width = blocks(targets) * Block::<u8>::UNITS;
        let ring = vec![0; (usize::from(longest) + 1) * width];
        let unshifted = if one.exponent < 0 { ring.clone() } else { Vec::new() };
        Late { starts, synapses, exponent: one.exponent, graded: one.graded, width, ring, head: 0, unshifted }
    }

    /// Takes what fires now, and gives what arrives now.
    pub(super) fn deliver(&mut self, train: &Train, first: bool, sums: &mut [Block<i32>]) {
        for (&unit, &value) in train.units().iter().zip(train.values()) {
            self.fire(unit as usize, if self.graded { value } else { 1 });
        }
        if !self.unshifted.is_empty() && train.len() > 0 {
            self.shift();
        }
        let arriving = self.ring[self.head..self.head + self.width].as_chunks_mut::<{ Block::<u8>::UNITS }>().0;
        for (block, arriving) in sums.iter_mut().zip(arriving) {
            for (sum, arriving) in block.0.iter_mut().zip(arriving) {
                *sum = if first { *arriving } else { sum.wrapping_add(*arriving) };
                *arriving = 0;
            }
        }
        self.head = if self.head + self.width == self.ring.len() { 0 } else { self.head + self.width };
    }

    /// The weight between this unit and this target; 0 where there is none.
    pub(super) fn weight(&self, target: usize, unit: usize) -> Option<i32> {
        let synapses = self.synapses.get(*self.starts.get(unit)?..*self.starts.get(unit + 1)?)?;
        let found = synapses.iter().find(|one| one.target as usize == target);
        Some(found.map_or(0, |one| one.weight.into()))
    }

    fn fire(&mut self, unit: usize, value: i32) {
        let synapses = self.synapses.get(self.starts[unit]..self.starts[unit + 1]).unwrap_or_default();
        for synapse in synapses {
            let weighed = i32::from(synapse.weight).wrapping_mul(value);
            let slot = usize::from(synapse.delay) * self.width;
            let to = if self.unshifted.is_empty() {
                let at = self.head + slot;
                let at = if at >= self.ring.len() { at - self.ring.len() } else { at };
                &mut self.ring[at + synapse.target as usize]
            } else {
                &mut self.unshifted[slot + synapse.target as usize]
            };
            let weighed = if self.exponent > 0 { shift(weighed, self.exponent) } else { weighed };
            *to = to.wrapping_add(weighed);
        }
    }

    /// Shifts the sums of this step, each delay's by itself, and puts them into the ring.
    fn shift(&mut self) {
        let (late, soon) = self.ring.split_at_mut(self.head);
        for (to, sum) in soon.iter_mut().chain(late).zip(&mut self.unshifted) {
            *to = to.wrapping_add(shift(*sum, self.exponent));
            *sum = 0;
        }
    }

    /// What is still to arrive, from the next step on. Between steps nothing is unshifted.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &i32> {
        let (late, soon) = self.ring.split_at(self.head);
        soon.iter().chain(late)
    }

    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = &mut i32> {
        let (late, soon) = self.ring.split_at_mut(self.head);
        soon.iter_mut().chain(late)
    }

    pub(super) fn restart(&mut self) {
        self.ring.fill(0);
        self.head = 0;
    }
}
