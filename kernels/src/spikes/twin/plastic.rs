//! Synapses that learn, as [`learning`](crate::spikes::learning) specifies it: neuron by neuron, on every path.

use super::block::{Block, blocks, get};
use super::kernels::Rows;
use super::loaded::rows;
use super::train::Train;
use crate::spikes::learning::{Learning, Register};
use crate::spikes::program::Synapses;

/// What a connection has learnt, and how.
#[derive(Clone, Debug)]
pub(super) struct Plastic {
    rule: Learning,
    /// A row for each unit of the source.
    pub(super) rows: Rows,
    pub(super) targets: usize,
    /// The weights at the start.
    start: Vec<Block<i16>>,
    pre: Vec<u16>,
    post: Vec<u16>,
    registers: Vec<Register>,
    /// `[unit * targets + target]`; empty: there is no reward.
    eligible: Vec<i16>,
    /// Units that arrived, in rising order, where they came in another.
    sorted: Vec<u32>,
}

/// What happened in a step, for those that learn from it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    /// The step's number, from 1 on.
    pub(super) number: u64,
    /// Units whose spikes arrived, and neurons that fired.
    pub(super) arrived: &'a [u32],
    pub(super) fired: &'a [u32],
    /// The reward, or 0.
    pub(super) reward: i32,
}

/// A size of 16 bits that keeps `keep` of 4096.
fn decayed(trace: u16, keep: i64) -> u16 {
    ((i64::from(trace) * keep) >> 12) as u16
}

impl Plastic {
    pub(super) fn of(one: &Synapses, rule: &Learning, targets: usize) -> Self {
        let start = rows(one, targets, |weight| weight);
        let eligible = if rule.reward.is_some() { vec![0; one.fan_in * targets] } else { Vec::new() };
        Plastic {
            rule: rule.clone(),
            rows: Rows::Wide(start.clone()),
            targets,
            start,
            pre: vec![0; one.fan_in],
            post: vec![0; targets],
            registers: registers(rule, targets),
            eligible,
            sorted: Vec::with_capacity(one.fan_in),
        }
    }

    pub(super) fn restart(&mut self) {
        if let Rows::Wide(rows) = &mut self.rows {
            rows.clone_from(&self.start);
        }
        self.pre.fill(0);
        self.post.fill(0);
        self.eligible.fill(0);
        for (neuron, register) in self.registers.iter_mut().enumerate() {
            *register = Register::of(self.rule.seed as u32, neuron);
        }
    }

    /// The weight between this unit and this neuron.
    pub(super) fn weight(&self, target: usize, unit: usize) -> Option<i16> {
        let Rows::Wide(rows) = &self.rows else { return None };
        let wide = blocks(self.targets);
        let row = rows.get(unit * wide..(unit + 1) * wide)?;
        get(row, target).filter(|_| target < self.targets)
    }

    /// Learns from a step.
    pub(super) fn learn(&mut self, seen: &Seen<'_>) {
        let (keep_pre, keep_post) = (4_096 - self.rule.pre_decay, 4_096 - self.rule.post_decay);
        self.pre.iter_mut().for_each(|trace| *trace = decayed(*trace, keep_pre));
        self.post.iter_mut().for_each(|trace| *trace = decayed(*trace, keep_post));
        // An input whose values matter to somebody else has its units as they came.
        let mut sorted = std::mem::take(&mut self.sorted);
        sorted.clear();
        sorted.extend_from_slice(seen.arrived);
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        sorted.iter().for_each(|&unit| self.depress(unit as usize));
        self.sorted = sorted;
        let (impulse, nearest) = (self.rule.impulse as u16, self.rule.nearest);
        let mark = |traces: &mut [u16], units: &[u32]| {
            for &unit in units {
                if let Some(trace) = traces.get_mut(unit as usize) {
                    *trace = if nearest { impulse } else { trace.saturating_add(impulse) };
                }
            }
        };
        mark(&mut self.pre, seen.arrived);
        for &neuron in seen.fired {
            self.potentiate(neuron as usize);
        }
        mark(&mut self.post, seen.fired);
        if let Some(reward) = self.rule.reward {
            if seen.reward != 0 {
                self.reward(i64::from(seen.reward), 8 + reward.shift as u32);
            }
            if seen.number.is_multiple_of(reward.every as u64) {
                let keep = (4_096 - reward.decay) as i32;
                // Division of integers cuts toward 0.
                self.eligible.iter_mut().for_each(|one| *one = (i32::from(*one) * keep / 4_096) as i16);
            }
        }
    }

    /// A spike of this unit has arrived.
    fn depress(&mut self, unit: usize) {
        for neuron in 0..self.targets {
            let post = self.post.get(neuron).copied().unwrap_or_default();
            self.change(unit, neuron, -self.rule.a_minus * i64::from(post));
        }
    }

    /// This neuron has fired.
    fn potentiate(&mut self, neuron: usize) {
        for unit in 0..self.pre.len() {
            let pre = self.pre.get(unit).copied().unwrap_or_default();
            self.change(unit, neuron, self.rule.a_plus * i64::from(pre) - (self.rule.a_fire << 16));
        }
    }

    /// A change of the weight in 2^-24, or of what it is eligible for.
    #[inline]
    fn change(&mut self, unit: usize, neuron: usize, change: i64) {
        if change == 0 {
            return;
        }
        let Some(random) = self.registers.get_mut(neuron).map(Register::draw) else { return };
        if self.rule.reward.is_none() {
            self.add(unit, neuron, (change + random) >> 24);
        } else if let Some(eligible) = self.eligible.get_mut(unit * self.targets + neuron) {
            let sum = i64::from(*eligible) + ((change + (random & 0xffff)) >> 16);
            *eligible = sum.clamp(i16::MIN.into(), i16::MAX.into()) as i16;
        }
    }

    fn reward(&mut self, reward: i64, shift: u32) {
        for neuron in 0..self.targets {
            for unit in 0..self.pre.len() {
                let eligible = self.eligible.get(unit * self.targets + neuron).copied().unwrap_or_default();
                if eligible == 0 {
                    continue;
                }
                let Some(random) = self.registers.get_mut(neuron).map(Register::draw) else { return };
                let change = (reward * i64::from(eligible) + (random & ((1 << shift) - 1))) >> shift;
                self.add(unit, neuron, change);
            }
        }
    }

    /// Adds to a weight, within its bounds.
    #[inline]
    fn add(&mut self, unit: usize, neuron: usize, change: i64) {
        let Rows::Wide(rows) = &mut self.rows else { return };
        let at = unit * blocks(self.targets) + neuron / Block::<u8>::UNITS;
        if let Some(weight) = rows.get_mut(at).map(|block| &mut block.0[neuron % Block::<u8>::UNITS]) {
            *weight = (i64::from(*weight) + change).clamp(self.rule.low, self.rule.high) as i16;
        }
    }

    /// Everything that changes, as 32 bits each: weights, traces, registers, eligibilities.
    pub(super) fn saved(&self) -> impl Iterator<Item = u32> {
        let units = self.pre.len();
        let weights = (0..units).flat_map(move |unit| (0..self.targets).map(move |target| (target, unit)));
        let weights =
            weights.map(|(target, unit)| i32::from(self.weight(target, unit).unwrap_or_default()).cast_unsigned());
        let traces = self.pre.iter().chain(&self.post).map(|&trace| u32::from(trace));
        let registers = self.registers.iter().map(|register| register.bits());
        let eligible = self.eligible.iter().map(|&one| i32::from(one).cast_unsigned());
        weights.chain(traces).chain(registers).chain(eligible)
    }

    /// Takes back what was saved; false: it can't be.
    pub(super) fn restore<E>(&mut self, mut next: impl FnMut() -> Result<u32, E>) -> Result<bool, E> {
        let mut fits = true;
        for unit in 0..self.pre.len() {
            for target in 0..self.targets {
                let weight = i64::from(next()?.cast_signed());
                fits &= (self.rule.low..=self.rule.high).contains(&weight);
                let before = self.weight(target, unit).unwrap_or_default();
                self.add(unit, target, weight - i64::from(before));
            }
        }
        for trace in self.pre.iter_mut().chain(&mut self.post) {
            let value = next()?;
            fits &= value <= u32::from(u16::MAX);
            *trace = value as u16;
        }
        for register in &mut self.registers {
            let bits = next()?;
            fits &= bits != 0;
            *register = Register::from_bits(bits).unwrap_or(*register);
        }
        for eligible in &mut self.eligible {
            let value = next()?.cast_signed();
            fits &= i16::try_from(value).is_ok();
            *eligible = value as i16;
        }
        Ok(fits)
    }

    /// How many values [`saved`](Self::saved) gives.
    pub(super) fn values(&self) -> usize {
        self.pre.len() * self.targets + self.pre.len() + 2 * self.targets + self.eligible.len()
    }
}

fn registers(rule: &Learning, targets: usize) -> Vec<Register> {
    (0..targets).map(|neuron| Register::of(rule.seed as u32, neuron)).collect()
}

/// The value of the reward's event in this step, or 0.
pub(super) fn reward_of(train: &Train) -> i32 {
    train.values().first().filter(|_| train.len() > 0).copied().unwrap_or_default()
}
