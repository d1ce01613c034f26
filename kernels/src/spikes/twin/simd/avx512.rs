//! Sixteen neurons at a time: AVX-512.

use super::super::block::Block;
use super::super::kernels::{Fired, Population, Rule, Sum};
use super::{filled, parts, parts_mut, push, pushed};
use crate::spikes::network::Reset;
use crate::spikes::program::STATE;
use std::arch::x86_64::*;

/// Vectors of 32 bits in a block.
const PARTS: usize = Block::<u8>::UNITS / LANES;

/// Lanes of 32 bits in a vector.
const LANES: usize = 16;

type Words = __m512i;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn load(from: &[i32; LANES]) -> Words {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm512_loadu_si512(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn store(to: &mut [i32; LANES], value: Words) {
    // SAFETY: the array is as long as the vector, and a store without alignment needs nothing else.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn load_bytes(from: &[i8; 2 * LANES]) -> __m256i {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn load_halves(from: &[i16; LANES]) -> __m256i {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn store_units(to: &mut [u32; LANES], value: Words) {
    // SAFETY: the array is as long as the vector, and a store without alignment needs nothing else.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), value) }
}

/// What is kept of any `x`. With x = 4096 high + low, x keep = 4096 high keep + low keep, and low keep has 24 bits: so that all fits
/// 32 bits. A negative product is cut upwards, which is toward zero, by 4095 more ahead of the shift.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn decay(x: Words, keep: Words) -> Words {
    let low_bits = _mm512_set1_epi32(4_095);
    let (high, low) = (_mm512_srai_epi32::<12>(x), _mm512_and_si512(x, low_bits));
    let up = _mm512_and_si512(_mm512_srai_epi32::<31>(x), low_bits);
    let (high, low) = (_mm512_mullo_epi32(high, keep), _mm512_mullo_epi32(low, keep));
    _mm512_add_epi32(high, _mm512_srli_epi32::<12>(_mm512_add_epi32(low, up)))
}

/// The same of an `x` of at most 2^24 in size, with `keep` / 4096 as a float: floats hold both of them. Their product is cut toward zero to the
/// 24 bits of a float, and then to a whole number. That is the whole number which the product itself is cut to: a float holds it, too, so that what
/// lies beyond it is not cut to less.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn decay_in_floats(x: Words, keep: __m512) -> Words {
    const TOWARD_ZERO: i32 = _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC;
    _mm512_cvttps_epi32(_mm512_mul_round_ps::<TOWARD_ZERO>(_mm512_cvtepi32_ps(x), keep))
}

/// [`scalar::update`](super::super::scalar::update), but for refractory periods.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
pub(super) fn update(rule: &Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    update_by!(rule, population, fired)
}

/// `PLAIN`: spikes are positive, and reset to zero. `WHOLE`: every block is full, which the compiler is to know.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn update_as<const WRAPS: bool, const PLAIN: bool, const WHOLE: bool>(
    rule: &Rule,
    population: &mut Population<'_>,
    fired: &mut Fired<'_>,
) -> u64 {
    // Where currents do not wrap they have 24 bits, as voltages have.
    let part = |keep: i32| _mm512_set1_ps(keep as f32 / 4_096.0);
    let (all_u, keep_u, keep_v) = (_mm512_set1_epi32(rule.keep_u), part(rule.keep_u), part(rule.keep_v));
    let (above, below) = (_mm512_set1_epi32(rule.above), _mm512_set1_epi32(rule.below.unwrap_or(i32::MIN)));
    let (least, most) = (_mm512_set1_epi32(1 - STATE), _mm512_set1_epi32(STATE - 1));
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
            let input = _mm512_slli_epi32::<6>(load(sum));
            let mut current = if WRAPS {
                _mm512_add_epi32(decay(load(u), all_u), input)
            } else {
                _mm512_add_epi32(decay_in_floats(load(u), keep_u), input)
            };
            if WRAPS {
                let over = _mm512_cmpgt_epi32_mask(current, _mm512_set1_epi32(STATE));
                let under = _mm512_cmple_epi32_mask(current, _mm512_set1_epi32(-STATE));
                let whole = _mm512_set1_epi32(2 * STATE);
                wrapped = push::<LANES>(wrapped, u64::from(over | under));
                current = _mm512_mask_sub_epi32(current, over, current, whole);
                current = _mm512_mask_add_epi32(current, under, current, whole);
            }
            store(u, current);
            let kept = decay_in_floats(load(v), keep_v);
            let voltage = _mm512_add_epi32(_mm512_add_epi32(kept, current), load(bias));
            let voltage = _mm512_max_epi32(_mm512_min_epi32(voltage, most), least);
            if PLAIN {
                let rest = _mm512_cmple_epi32_mask(voltage, above);
                all_up = push::<LANES>(all_up, u64::from(!rest));
                store(v, _mm512_maskz_mov_epi32(rest, voltage));
                continue;
            }
            let over = _mm512_cmpgt_epi32_mask(voltage, above);
            all_up = push::<LANES>(all_up, u64::from(over));
            // Above the upper threshold it can't be below the lower one, which is at most as high.
            let under = _mm512_cmplt_epi32_mask(voltage, below);
            all_down = push::<LANES>(all_down, u64::from(under));
            let left = match rule.reset {
                Reset::Zero => _mm512_setzero_si512(),
                Reset::To(value) => _mm512_set1_epi32(value as i32),
                Reset::By(value) => _mm512_sub_epi32(voltage, _mm512_set1_epi32(value as i32)),
                Reset::Subtract => _mm512_sub_epi32(voltage, _mm512_mask_mov_epi32(above, under, below)),
            };
            store(v, _mm512_mask_mov_epi32(voltage, over | under, left));
        }
        let [all_up, all_down, wrapped] = [all_up, all_down, wrapped].map(|all| pushed::<LANES>(all, vectors));
        (*up, *down) = (all_up & there, all_down & there);
        if WRAPS {
            overflows += u64::from((wrapped & there).count_ones());
        }
    }
    overflows
}

/// [`scalar::units`](super::super::scalar::units): sixteen at a time, without a branch that anything could guess wrong.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
pub(super) fn units(masks: &[u64], to: &mut [u32]) -> usize {
    let mut numbers = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let mut len = 0_usize;
    for &mask in masks {
        for quarter in 0..PARTS {
            let some = (mask >> (LANES * quarter)) as u16;
            if let Some(to) = to.get_mut(len..).and_then(|rest| rest.first_chunk_mut::<LANES>()) {
                store_units(to, _mm512_maskz_compress_epi32(some, numbers));
            }
            len += some.count_ones() as usize;
            numbers = _mm512_add_epi32(numbers, _mm512_set1_epi32(LANES as i32));
        }
    }
    len
}

/// [`scalar::gather`](super::super::scalar::gather) of weights whose sums stay within 16 bits.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
pub(super) fn gather_narrow(units: &[u32], rows: &[Block<i8>], how: Sum, sums: &mut [Block<i32>]) {
    let blocks = sums.len();
    let (fours, rest) = sums.as_chunks_mut::<4>();
    for (at, four) in fours.iter_mut().enumerate() {
        narrow_blocks(units, rows, (blocks, 4 * at), how, four);
    }
    for (at, one) in rest.as_chunks_mut::<1>().0.iter_mut().enumerate() {
        narrow_blocks(units, rows, (blocks, blocks / 4 * 4 + at), how, one);
    }
}

/// `N` blocks side by side, whose sums stay in registers: those from the second of `(blocks, begin)` on, of rows of so many.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn narrow_blocks<const N: usize>(
    units: &[u32],
    rows: &[Block<i8>],
    (blocks, begin): (usize, usize),
    how: Sum,
    sums: &mut [Block<i32>; N],
) {
    let mut totals = [[_mm512_setzero_si512(); PARTS / 2]; N];
    for &unit in units {
        let at = unit as usize * blocks + begin;
        let Some(row) = rows.get(at..).and_then(|rest| rest.first_chunk::<N>()) else { continue };
        for (block, totals) in row.iter().zip(&mut totals) {
            let Some(weights) = block.0.as_chunks::<{ 2 * LANES }>().0.first_chunk::<{ PARTS / 2 }>() else { continue };
            for (total, weights) in totals.iter_mut().zip(weights) {
                *total = _mm512_add_epi16(*total, _mm512_cvtepi8_epi16(load_bytes(weights)));
            }
        }
    }
    for ([a, b], block) in totals.into_iter().zip(sums) {
        let (a_low, a_high) = (_mm512_castsi512_si256(a), _mm512_extracti64x4_epi64::<1>(a));
        let (b_low, b_high) = (_mm512_castsi512_si256(b), _mm512_extracti64x4_epi64::<1>(b));
        put([a_low, a_high, b_low, b_high].map(|half| _mm512_cvtepi16_epi32(half)), how, block);
    }
}

/// [`scalar::gather`](super::super::scalar::gather).
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
pub(super) fn gather_wide(units: &[u32], rows: &[Block<i16>], how: Sum, sums: &mut [Block<i32>]) {
    let blocks = sums.len();
    for (at, block) in sums.iter_mut().enumerate() {
        let mut totals = [_mm512_setzero_si512(); 4];
        for row in units.iter().filter_map(|&unit| rows.get(unit as usize * blocks + at)) {
            for (total, weights) in totals.iter_mut().zip(row.0.as_chunks::<LANES>().0) {
                *total = _mm512_add_epi32(*total, _mm512_cvtepi16_epi32(load_halves(weights)));
            }
        }
        put(totals, how, block);
    }
}

/// Shifts the sums of a block, and puts or adds them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,popcnt")]
fn put(totals: [Words; 4], how: Sum, block: &mut Block<i32>) {
    let bits = _mm_cvtsi32_si128(how.exponent.abs());
    let Some(block) = parts_mut::<LANES, PARTS>(&mut block.0) else { return };
    for at in 0..PARTS {
        let shifted =
            if how.exponent >= 0 { _mm512_sll_epi32(totals[at], bits) } else { _mm512_sra_epi32(totals[at], bits) };
        let sum = if how.first { shifted } else { _mm512_add_epi32(load(&block[at]), shifted) };
        store(&mut block[at], sum);
    }
}
