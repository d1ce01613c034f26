//! Eight neurons at a time: AVX2.

use super::super::block::Block;
use super::super::kernels::{Fired, Population, Rule, Sum};
use super::{filled, parts, parts_mut, push, pushed};
use crate::spikes::network::Reset;
use crate::spikes::program::STATE;
use std::arch::x86_64::*;

/// Vectors of 32 bits in a block.
const PARTS: usize = Block::<u8>::UNITS / LANES;

/// Lanes of 32 bits in a vector.
pub(super) const LANES: usize = 8;

/// Vectors of 16 bits in a block.
const HALF: usize = PARTS / 2;

pub(super) type Words = __m256i;

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn load(from: &[i32; LANES]) -> Words {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn store(to: &mut [i32; LANES], value: Words) {
    // SAFETY: the array is as long as the vector, and a store without alignment needs nothing else.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), value) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn load_bytes(from: &[i8; 2 * LANES]) -> __m128i {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn load_full(from: &[i8; 4 * LANES]) -> Words {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn load_counts(from: &[u8; 4 * LANES]) -> Words {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn load_halves(from: &[i16; LANES]) -> __m128i {
    // SAFETY: the array is as long as the vector, and a load without alignment needs nothing else.
    unsafe { _mm_loadu_si128(from.as_ptr().cast()) }
}

/// A bit for each lane that is all ones.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn bits(lanes: Words) -> u64 {
    u64::from(_mm256_movemask_ps(_mm256_castsi256_ps(lanes)).cast_unsigned())
}

/// What is kept of `x`. With x = 4096 high + low, x keep = 4096 high keep + low keep, and low keep has 24 bits: so that all fits
/// 32 bits. A negative product is cut upwards, which is toward zero, by 4095 more ahead of the shift.
///
/// `SMALL`: x is known to have 28 bits with its sign. Then high, low and keep have 16, and a product of 16 bits costs half.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn decay<const SMALL: bool>(x: Words, keep: Words) -> Words {
    let low_bits = _mm256_set1_epi32(4_095);
    let (high, low) = (_mm256_srai_epi32::<12>(x), _mm256_and_si256(x, low_bits));
    let up = _mm256_and_si256(_mm256_srai_epi32::<31>(x), low_bits);
    let (high, low) = if SMALL {
        // The upper halves of `low` and of `keep` are zero, and that of `high` its sign: times zero, it adds nothing.
        (_mm256_madd_epi16(high, keep), _mm256_madd_epi16(low, keep))
    } else {
        (_mm256_mullo_epi32(high, keep), _mm256_mullo_epi32(low, keep))
    };
    _mm256_add_epi32(high, _mm256_srli_epi32::<12>(_mm256_add_epi32(low, up)))
}

/// [`scalar::update`](super::super::scalar::update), but for refractory periods.
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn update(rule: &Rule, population: &mut Population<'_>, fired: &mut Fired<'_>) -> u64 {
    update_by!(rule, population, fired)
}

/// `PLAIN`: spikes are positive, and reset to zero. `WHOLE`: every block is full, which the compiler is to know.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn update_as<const WRAPS: bool, const PLAIN: bool, const WHOLE: bool>(
    rule: &Rule,
    population: &mut Population<'_>,
    fired: &mut Fired<'_>,
) -> u64 {
    let (keep_u, keep_v) = (_mm256_set1_epi32(rule.keep_u), _mm256_set1_epi32(rule.keep_v));
    let (above, below) = (_mm256_set1_epi32(rule.above), _mm256_set1_epi32(rule.below.unwrap_or(i32::MIN)));
    let (least, most) = (_mm256_set1_epi32(1 - STATE), _mm256_set1_epi32(STATE - 1));
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
            let input = _mm256_slli_epi32::<6>(load(sum));
            let mut current = if WRAPS {
                _mm256_add_epi32(decay::<false>(load(u), keep_u), input)
            } else {
                _mm256_add_epi32(decay::<true>(load(u), keep_u), input)
            };
            if WRAPS {
                let over = _mm256_cmpgt_epi32(current, _mm256_set1_epi32(STATE));
                let under = _mm256_cmpgt_epi32(_mm256_set1_epi32(1 - STATE), current);
                let whole = _mm256_set1_epi32(2 * STATE);
                wrapped = push::<LANES>(wrapped, bits(_mm256_or_si256(over, under)));
                current = _mm256_sub_epi32(current, _mm256_and_si256(over, whole));
                current = _mm256_add_epi32(current, _mm256_and_si256(under, whole));
            }
            store(u, current);
            let kept = decay::<true>(load(v), keep_v);
            let voltage = _mm256_add_epi32(_mm256_add_epi32(kept, current), load(bias));
            let voltage = _mm256_max_epi32(_mm256_min_epi32(voltage, most), least);
            let over = _mm256_cmpgt_epi32(voltage, above);
            all_up = push::<LANES>(all_up, bits(over));
            if PLAIN {
                store(v, _mm256_andnot_si256(over, voltage));
                continue;
            }
            // Above the upper threshold it can't be below the lower one, which is at most as high.
            let under = _mm256_cmpgt_epi32(below, voltage);
            all_down = push::<LANES>(all_down, bits(under));
            let left = match rule.reset {
                Reset::Zero => _mm256_setzero_si256(),
                Reset::To(value) => _mm256_set1_epi32(value as i32),
                Reset::By(value) => _mm256_sub_epi32(voltage, _mm256_set1_epi32(value as i32)),
                Reset::Subtract => _mm256_sub_epi32(voltage, _mm256_blendv_epi8(above, below, under)),
            };
            store(v, _mm256_blendv_epi8(voltage, left, _mm256_or_si256(over, under)));
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
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn units(masks: &[u64], to: &mut [u32]) -> usize {
    super::super::scalar::units(masks, to)
}

/// [`scalar::gather`](super::super::scalar::gather) of weights whose sums stay within 16 bits.
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn gather_narrow(units: &[u32], rows: &[Block<i8>], how: Sum, sums: &mut [Block<i32>]) {
    let blocks = sums.len();
    let (twos, rest) = sums.as_chunks_mut::<2>();
    for (at, two) in twos.iter_mut().enumerate() {
        narrow_blocks::<2, HALF>(units, rows, (blocks, 2 * at), how, two);
    }
    for one in rest.as_chunks_mut::<1>().0 {
        let last = (blocks, blocks - 1);
        // Of a block that is full, 0.
        match (how.targets % Block::<u8>::UNITS).div_ceil(2 * LANES) {
            1 => narrow_blocks::<1, 1>(units, rows, last, how, one),
            2 => narrow_blocks::<1, 2>(units, rows, last, how, one),
            _ => narrow_blocks::<1, HALF>(units, rows, last, how, one),
        }
    }
}

/// `N` blocks side by side, whose sums stay in registers: those from the second of `(blocks, begin)` on, of rows of so many. Of each,
/// the first `M` vectors of 16 bits.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn narrow_blocks<const N: usize, const M: usize>(
    units: &[u32],
    rows: &[Block<i8>],
    (blocks, begin): (usize, usize),
    how: Sum,
    sums: &mut [Block<i32>; N],
) {
    let mut totals = [[_mm256_setzero_si256(); M]; N];
    for &unit in units {
        let at = unit as usize * blocks + begin;
        let Some(row) = rows.get(at..).and_then(|rest| rest.first_chunk::<N>()) else { continue };
        for (block, totals) in row.iter().zip(&mut totals) {
            let Some(weights) = block.0.as_chunks::<{ 2 * LANES }>().0.first_chunk::<M>() else { continue };
            for (total, weights) in totals.iter_mut().zip(weights) {
                *total = _mm256_add_epi16(*total, _mm256_cvtepi8_epi16(load_bytes(weights)));
            }
        }
    }
    let shift = Shift::of(how);
    for (totals, block) in totals.iter().zip(sums) {
        let pairs = block.0.as_chunks_mut::<LANES>().0.as_chunks_mut::<2>().0;
        for (total, [first, second]) in totals.iter().zip(pairs) {
            let (low, high) = (_mm256_castsi256_si128(*total), _mm256_extracti128_si256::<1>(*total));
            put(_mm256_cvtepi16_epi32(low), shift, first);
            put(_mm256_cvtepi16_epi32(high), shift, second);
        }
    }
}

/// [`scalar::gather`](super::super::scalar::gather).
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn gather_wide(units: &[u32], rows: &[Block<i16>], how: Sum, sums: &mut [Block<i32>]) {
    let (blocks, shift) = (sums.len(), Shift::of(how));
    for (at, block) in sums.iter_mut().enumerate() {
        let mut totals = [_mm256_setzero_si256(); PARTS];
        for row in units.iter().filter_map(|&unit| rows.get(unit as usize * blocks + at)) {
            for (total, weights) in totals.iter_mut().zip(row.0.as_chunks::<LANES>().0) {
                *total = _mm256_add_epi32(*total, _mm256_cvtepi16_epi32(load_halves(weights)));
            }
        }
        for (total, to) in totals.iter().zip(block.0.as_chunks_mut::<LANES>().0) {
            put(*total, shift, to);
        }
    }
}

/// How sums are shifted, as vectors, one of which shifts by 0; and whether they take the place of what was there.
#[derive(Clone, Copy)]
struct Shift {
    left: Words,
    right: Words,
    first: bool,
}

impl Shift {
    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn of(how: Sum) -> Self {
        let by = |bits: i32| _mm256_set1_epi32(bits.max(0));
        Shift { left: by(how.exponent), right: by(-how.exponent), first: how.first }
    }
}

/// Shifts sums, and puts or adds them.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn put(total: Words, shift: Shift, to: &mut [i32; LANES]) {
    let shifted = _mm256_srav_epi32(_mm256_sllv_epi32(total, shift.left), shift.right);
    store(to, if shift.first { shifted } else { _mm256_add_epi32(load(to), shifted) });
}
