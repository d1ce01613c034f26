//! Four neurons at a time: NEON, which every 64-bit ARM processor has.

use super::super::block::Block;
use super::super::kernels::{Fired, Population, Rule, Sum};
use super::{filled, parts, parts_mut, push, pushed};
use crate::spikes::network::Reset;
use crate::spikes::program::STATE;
use std::arch::aarch64::*;

/// Vectors of 32 bits in a block.
const PARTS: usize = Block::<u8>::UNITS / LANES;

/// Lanes of 32 bits in a vector.
const LANES: usize = 4;

type Words = int32x4_t;

#[inline]
#[target_feature(enable = "neon")]
fn load(from: &[i32; LANES]) -> Words {
    // SAFETY: the array is as long as the vector, and a load needs nothing else.
    unsafe { vld1q_s32(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn store(to: &mut [i32; LANES], value: Words) {
    // SAFETY: the array is as long as the vector, and a store needs nothing else.
    unsafe { vst1q_s32(to.as_mut_ptr(), value) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_bytes(from: &[i8; 4 * LANES]) -> int8x16_t {
    // SAFETY: the array is as long as the vector, and a load needs nothing else.
    unsafe { vld1q_s8(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
fn load_halves(from: &[i16; LANES]) -> int16x4_t {
    // SAFETY: the array is as long as the vector, and a load needs nothing else.
    unsafe { vld1_s16(from.as_ptr()) }
}

/// A bit for each lane that is all ones.
#[inline]
#[target_feature(enable = "neon")]
fn bits(lanes: uint32x4_t) -> u64 {
    let places = load(&[1, 2, 4, 8]);
    u64::from(vaddvq_u32(vandq_u32(lanes, vreinterpretq_u32_s32(places))))
}

/// What is kept of `x`. With x = 4096 high + low, x keep = 4096 high keep + low keep, and low keep has 24 bits: so that all fits
/// 32 bits. A negative product is cut upwards, which is toward zero, by 4095 more ahead of the shift.
#[inline]
#[target_feature(enable = "neon")]
fn decay(x: Words, keep: Words) -> Words {
    let low_bits = vdupq_n_s32(4_095);
    let (high, low) = (vshrq_n_s32::<12>(x), vandq_s32(x, low_bits));
    let up = vandq_s32(vshrq_n_s32::<31>(x), low_bits);
    // The product is added to the first operand.
    vmlaq_s32(vshrq_n_s32::<12>(vmlaq_s32(up, low, keep)), high, keep)
}

/// [`scalar::update`](super::super::scalar::update), but for refractory periods.
#[target_feature(enable = "neon")]
pub(super) fn update(rule: &Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    update_by!(rule, population, fired)
}

/// `PLAIN`: spikes are positive, and reset to zero. `WHOLE`: every block is full, which the compiler is to know.
#[inline]
#[target_feature(enable = "neon")]
fn update_as<const WRAPS: bool, const PLAIN: bool, const WHOLE: bool>(
    rule: &Rule,
    population: &mut Population<'_>,
    fired: &mut Fired<'_>,
) -> u64 {
    let (keep_u, keep_v) = (vdupq_n_s32(rule.keep_u), vdupq_n_s32(rule.keep_v));
    let (above, below) = (vdupq_n_s32(rule.above), vdupq_n_s32(rule.below.unwrap_or(i32::MIN)));
    let (least, most) = (vdupq_n_s32(1 - STATE), vdupq_n_s32(STATE - 1));
    let mut overflows = 0;
    let cells = population.u.iter_mut().zip(population.v.iter_mut()).zip(population.sums).zip(population.bias);
    let masks = fired.up.iter_mut().zip(fired.down.iter_mut()).zip(fired.there);
    for ((((u, v), sums), bias), ((up, down), &there)) in cells.zip(masks) {
        let (Some(us), Some(vs)) = (parts_mut::<LANES, PARTS>(&mut u.0), parts_mut::<LANES, PARTS>(&mut v.0)) else {
            continue;
        };
        let (Some(sums), Some(biases)) = (parts::<LANES, PARTS>(&sums.0), parts::<LANES, PARTS>(&bias.0)) else {
            continue;
        };
        let (mut all_up, mut all_down, mut wrapped) = (0_u64, 0_u64, 0_u64);
        let vectors = if WHOLE { PARTS } else { filled::<LANES>(there) };
        for (((u, v), sum), bias) in us.iter_mut().zip(vs).zip(sums).zip(biases).take(vectors) {
            let mut current = vaddq_s32(decay(load(u), keep_u), vshlq_n_s32::<6>(load(sum)));
            if WRAPS {
                let over = vcgtq_s32(current, vdupq_n_s32(STATE));
                let under = vcleq_s32(current, vdupq_n_s32(-STATE));
                let whole = vdupq_n_u32(2 * STATE.cast_unsigned());
                wrapped = push::<LANES>(wrapped, bits(vorrq_u32(over, under)));
                current = vsubq_s32(current, vreinterpretq_s32_u32(vandq_u32(over, whole)));
                current = vaddq_s32(current, vreinterpretq_s32_u32(vandq_u32(under, whole)));
            }
            store(u, current);
            let voltage = vaddq_s32(vaddq_s32(decay(load(v), keep_v), current), load(bias));
            let voltage = vmaxq_s32(vminq_s32(voltage, most), least);
            let over = vcgtq_s32(voltage, above);
            all_up = push::<LANES>(all_up, bits(over));
            if PLAIN {
                store(v, vbicq_s32(voltage, vreinterpretq_s32_u32(over)));
                continue;
            }
            // Above the upper threshold it can't be below the lower one, which is at most as high.
            let under = vcltq_s32(voltage, below);
            all_down = push::<LANES>(all_down, bits(under));
            let left = match rule.reset {
                Reset::Zero => vdupq_n_s32(0),
                Reset::To(value) => vdupq_n_s32(value as i32),
                Reset::By(value) => vsubq_s32(voltage, vdupq_n_s32(value as i32)),
                Reset::Subtract => vsubq_s32(voltage, vbslq_s32(under, below, above)),
            };
            store(v, vbslq_s32(vorrq_u32(over, under), left, voltage));
        }
        let [all_up, all_down, wrapped] = [all_up, all_down, wrapped].map(|all| pushed::<LANES>(all, vectors));
        (*up, *down) = (all_up & there, all_down & there);
        if WRAPS {
            overflows += u64::from((wrapped & there).count_ones());
        }
    }
    overflows
}

/// [`scalar::units`](super::super::scalar::units), with its instructions.
#[target_feature(enable = "neon")]
pub(super) fn units(masks: &[u64], to: &mut [u32]) -> usize {
    super::super::scalar::units(masks, to)
}

/// [`scalar::gather`](super::super::scalar::gather) of weights whose sums stay within 16 bits.
#[target_feature(enable = "neon")]
pub(super) fn gather_narrow(units: &[u32], rows: &[Block<i8>], how: Sum, sums: &mut [Block<i32>]) {
    let blocks = sums.len();
    for (at, block) in sums.iter_mut().enumerate() {
        let there = how.targets.saturating_sub(at * Block::<u8>::UNITS).div_ceil(4 * LANES);
        let mut totals = [vdupq_n_s16(0); PARTS / 2];
        for row in units.iter().filter_map(|&unit| rows.get(unit as usize * blocks + at)) {
            let weights = row.0.as_chunks::<{ 4 * LANES }>().0;
            for (two, weights) in totals.as_chunks_mut::<2>().0.iter_mut().zip(weights).take(there) {
                let weights = load_bytes(weights);
                *two = [vaddw_s8(two[0], vget_low_s8(weights)), vaddw_high_s8(two[1], weights)];
            }
        }
        let mut wide = [vdupq_n_s32(0); PARTS];
        for (pair, total) in wide.as_chunks_mut::<2>().0.iter_mut().zip(totals) {
            *pair = [vmovl_s16(vget_low_s16(total)), vmovl_high_s16(total)];
        }
        put(wide, how, block);
    }
}

/// [`scalar::gather`](super::super::scalar::gather).
#[target_feature(enable = "neon")]
pub(super) fn gather_wide(units: &[u32], rows: &[Block<i16>], how: Sum, sums: &mut [Block<i32>]) {
    let blocks = sums.len();
    for (at, block) in sums.iter_mut().enumerate() {
        let mut totals = [vdupq_n_s32(0); PARTS];
        for row in units.iter().filter_map(|&unit| rows.get(unit as usize * blocks + at)) {
            for (total, weights) in totals.iter_mut().zip(row.0.as_chunks::<LANES>().0) {
                *total = vaddw_s16(*total, load_halves(weights));
            }
        }
        put(totals, how, block);
    }
}

/// Shifts the sums of a block, and puts or adds them.
#[inline]
#[target_feature(enable = "neon")]
fn put(totals: [Words; PARTS], how: Sum, block: &mut Block<i32>) {
    let Some(block) = parts_mut::<LANES, PARTS>(&mut block.0) else { return };
    for (to, total) in block.iter_mut().zip(totals) {
        // Left, or right and down where the exponent is negative.
        let shifted = vshlq_s32(total, vdupq_n_s32(how.exponent));
        let sum = if how.first { shifted } else { vaddq_s32(load(to), shifted) };
        store(to, sum);
    }
}
