//! The specification: how neurons change in a step, and what synapses add up, in plain integers.
//!
//! Everything here wraps at 32 bits, as the arrays of Lava's models do. Where a program forbids overflow nothing comes near.

use super::block::Block;
use super::kernels::{Fired, Population, Rule, Sum};
use crate::spikes::network::Reset;
use crate::spikes::program::STATE;

/// What is left of `x` when it keeps `keep` of 4096: toward zero, in size.
///
/// Lava 0.10, `AbstractPyLifModelFixed.subthr_dynamics`.
pub(super) fn decay(x: i32, keep: i32) -> i32 {
    let kept = (i64::from(x).abs() * i64::from(keep)) >> 12;
    (kept * i64::from(x.signum())) as i32
}

/// A current beyond its 24 bits comes back from the other side, once; the bool says whether it was.
pub(super) fn wrapped(u: i32) -> (i32, bool) {
    if u > STATE {
        (u.wrapping_sub(2 * STATE), true)
    } else if u <= -STATE {
        (u.wrapping_add(2 * STATE), true)
    } else {
        (u, false)
    }
}

/// Current and voltage of a neuron, and how long its voltage still stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neuron {
    pub(super) u: i32,
    pub(super) v: i32,
    pub(super) still: u8,
}

impl Neuron {
    /// One step, with the sum of its weighted inputs and its bias: the spike that it fires (1, -1 or 0), and whether its current wrapped.
    pub(super) fn step(&mut self, rule: &Rule, sum: i32, bias: i32) -> (i32, bool) {
        let u = decay(self.u, rule.keep_u).wrapping_add(sum.wrapping_shl(6));
        let (u, overflow) = if rule.wraps { wrapped(u) } else { (u, false) };
        self.u = u;
        if self.still > 0 {
            self.still -= 1;
            return (0, overflow);
        }
        let v = decay(self.v, rule.keep_v).wrapping_add(u).wrapping_add(bias).clamp(1 - STATE, STATE - 1);
        let spike = if v > rule.above {
            1
        } else if rule.below.is_some_and(|below| v < below) {
            -1
        } else {
            0
        };
        self.v = match (spike, rule.reset) {
            (0, _) => v,
            (_, Reset::Zero) => 0,
            (_, Reset::To(value)) => value as i32,
            (_, Reset::By(value)) => v - value as i32,
            (1, Reset::Subtract) => v - rule.above,
            (_, Reset::Subtract) => v - rule.below.unwrap_or_default(),
        };
        if spike != 0 {
            self.still = rule.refractory;
        }
        (spike, overflow)
    }
}

/// A step of a whole population.
pub(super) fn update(rule: &Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    update_by(|_| rule, population, fired)
}

/// The same, where each neuron has a rule of its own. `rule` is that of those that are not there.
pub(super) fn update_each(rule: &Rule, own: &[Rule], population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    update_by(|unit| own.get(unit).unwrap_or(rule), population, fired)
}

#[inline(always)]
fn update_by<'a>(rule_of: impl Fn(usize) -> &'a Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    let mut overflows = 0_u64;
    let cells = population.u.iter_mut().zip(population.v.iter_mut()).zip(population.sums).zip(population.bias);
    let masks = fired.up.iter_mut().zip(fired.down.iter_mut()).zip(fired.there);
    for (at, ((((u, v), sums), bias), ((up, down), &there))) in cells.zip(masks).enumerate() {
        let mut none = Block([0; 64]);
        let still = population.still.get_mut(at).unwrap_or(&mut none);
        (*up, *down) = (0, 0);
        // Those that are not there stay as they are.
        for lane in 0..Block::<u8>::UNITS - there.leading_zeros() as usize {
            let mut neuron = Neuron { u: u.0[lane], v: v.0[lane], still: still.0[lane] };
            let rule = rule_of(at * Block::<u8>::UNITS + lane);
            let (spike, overflow) = neuron.step(rule, sums.0[lane], bias.0[lane]);
            (u.0[lane], v.0[lane], still.0[lane]) = (neuron.u, neuron.v, neuron.still);
            let bit = (1 << lane) & there;
            overflows += u64::from(overflow && bit != 0);
            *up |= if spike > 0 { bit } else { 0 };
            *down |= if spike < 0 { bit } else { 0 };
        }
    }
    overflows
}

/// The numbers of the bits that are set.
#[inline]
pub(super) fn units(masks: &[u64], to: &mut [u32]) -> usize {
    let mut len = 0;
    for (at, &mask) in masks.iter().enumerate() {
        let mut left = mask;
        while left != 0 {
            if let Some(to) = to.get_mut(len) {
                *to = (at * Block::<u8>::UNITS) as u32 + left.trailing_zeros();
            }
            left &= left - 1;
            len += 1;
        }
    }
    len
}

/// Adds the rows of `units` up, shifts the sums, and puts or adds them into `sums`.
pub(super) fn gather<W: Copy + Into<i32>>(units: &[u32], rows: &[Block<W>], how: Sum, sums: &mut [Block<i32>]) {
    gather_times(units.iter().map(|&unit| (unit, 1)), rows, how, sums);
}

/// The same, each weight times the value of its spike.
pub(super) fn gather_graded(units: &[u32], values: &[i32], rows: &[Block<i16>], how: Sum, sums: &mut [Block<i32>]) {
    gather_times(units.iter().copied().zip(values.iter().copied()), rows, how, sums);
}

#[inline(always)]
fn gather_times<W: Copy + Into<i32>>(
    spikes: impl Iterator<Item = (u32, i32)> + Clone,
    rows: &[Block<W>],
    how: Sum,
    sums: &mut [Block<i32>],
) {
    let blocks = sums.len();
    for (at, block) in sums.iter_mut().enumerate() {
        let mut total = [0_i32; 64];
        for (unit, value) in spikes.clone() {
            let Some(row) = rows.get(unit as usize * blocks + at) else { continue };
            for (sum, &weight) in total.iter_mut().zip(&row.0) {
                *sum = sum.wrapping_add(weight.into().wrapping_mul(value));
            }
        }
        put(&total, how, block);
    }
}

fn put(total: &[i32; 64], how: Sum, block: &mut Block<i32>) {
    for (sum, &total) in block.0.iter_mut().zip(total) {
        let shifted = shift(total, how.exponent);
        *sum = if how.first { shifted } else { sum.wrapping_add(shifted) };
    }
}

/// Left by `exponent`, or right (down), where it is negative.
pub(super) fn shift(sum: i32, exponent: i32) -> i32 {
    if exponent >= 0 { sum.wrapping_shl(exponent.unsigned_abs()) } else { sum >> exponent.unsigned_abs() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the remainder that was lost, which the size of the result and the sign of `x` decide.
    #[test]
    fn what_is_kept_is_cut_toward_zero() {
        for (x, keep, kept) in [
            (0, 4_096, 0),
            (1, 4_096, 1),
            (1, 4_095, 0),
            (-1, 4_095, 0),
            (4_096, 4_095, 4_095),
            (-4_097, 4_095, -4_095),
            (STATE, 1, 2_048),
            (-STATE, 4_095, -8_386_560),
            (i32::MIN, 4_095, -2_146_959_360),
            (i32::MAX, 0, 0),
        ] {
            assert_eq!(decay(x, keep), kept, "{x} {keep}");
        }
    }

    /// What the path of AVX-512 does with floats, which cut toward zero.
    #[test]
    fn what_is_kept_is_what_a_float_holds_that_cuts_toward_zero() {
        let in_floats = |x: i32, keep: i32| {
            // Of the 48 bits and fewer of the product, which a double holds, the first 24.
            let product = f64::from(x as f32) * f64::from(keep as f32 / 4_096.0);
            let cut = f64::from_bits(product.to_bits() & !0 << 29);
            cut as i32
        };
        let steps = (-STATE..=STATE).step_by(4_093);
        for x in steps.chain([1 - STATE, STATE - 1, -1, 1, 4_095, 4_097]) {
            for keep in [0, 1, 2, 3, 77, 2_047, 2_048, 3_797, 4_031, 4_094, 4_095, 4_096] {
                assert_eq!(in_floats(x, keep), decay(x, keep), "{x} {keep}");
            }
        }
    }

    #[test]
    fn a_current_wraps_once_and_to_plus_two_to_the_23() {
        for (u, after, overflow) in [
            (STATE, STATE, false),
            (STATE + 1, 1 - STATE, true),
            (1 - STATE, 1 - STATE, false),
            (-STATE, STATE, true),
            (-STATE - 1, STATE - 1, true),
            // Beyond three times, it stays outside.
            (3 * STATE + 1, STATE + 1, true),
        ] {
            assert_eq!(wrapped(u), (after, overflow), "{u}");
        }
    }

    fn rule(reset: Reset) -> Rule {
        Rule { keep_u: 0, keep_v: 4_096, above: 640, below: None, reset, refractory: 2, wraps: false }
    }

    #[test]
    fn a_spike_is_fired_above_the_threshold_and_resets_as_it_is_told() {
        for (reset, left) in [(Reset::Zero, 0), (Reset::To(-7), -7), (Reset::Subtract, 64), (Reset::By(705), -1)] {
            let mut at = Neuron { u: 0, v: 0, still: 0 };
            assert_eq!((at.step(&rule(reset), 10, 0), at.v), ((0, false), 640));
            assert_eq!((at.step(&rule(reset), 1, 0), at.v, at.u), ((1, false), left, 64));
        }
    }

    #[test]
    fn a_voltage_stands_still_for_so_many_steps_and_a_current_does_not() {
        let mut at = Neuron { u: 0, v: 0, still: 0 };
        let spikes: Vec<i32> = (0..7).map(|_| at.step(&rule(Reset::Zero), 11, 0).0).collect();
        assert_eq!((spikes, at.u), (vec![1, 0, 0, 1, 0, 0, 1], 704));
        assert_eq!((at.step(&rule(Reset::Zero), 11, 0).0, at.v, at.still), (0, 0, 1));
    }

    #[test]
    fn a_sum_is_shifted_as_a_whole_and_down() {
        assert_eq!((shift(-5, -1), shift(-1, -6), shift(5, 3), shift(7, 0)), (-3, -1, 40, 7));
        assert_eq!((shift(-1, -31), shift(1, 31)), (-1, i32::MIN));
    }
}
