//! A step of a small program in one pass, with AVX2: sums stay in registers until their neurons have taken them.

use super::super::block::Block;
use super::super::loaded::Layer;
use super::super::small::{FEW, Heard, Laid, Small, Stage};
use super::avx2::{LANES, Words, bits, decay, load, load_bytes, load_counts, load_full, store};
use crate::spikes::program::STATE;
use std::arch::x86_64::*;

/// All populations, one after another; events have been taken. Says through how many synapses spikes came, and how many were fired.
#[target_feature(enable = "avx2,bmi1,popcnt")]
pub(super) fn step(small: &mut Small, layers: &mut [Layer], inputs: usize, now: usize) -> [u64; 2] {
    let Small { stages, fired, .. } = small;
    let (mut operations, mut spikes) = (0, 0);
    for ((stage, layer), own) in stages.iter().zip(layers).zip(inputs..) {
        let (heard, up) = match stage.n {
            0..=FEW => few(stage, layer, fired, now),
            9..=16 => some::<1>(stage, layer, fired, now),
            17..=32 => some::<2>(stage, layer, fired, now),
            _ => some::<4>(stage, layer, fired, now),
        };
        operations += heard;
        spikes += u64::from(up.count_ones());
        if let Some(two) = fired.get_mut(own) {
            two[now] = up;
        }
    }
    [operations, spikes]
}

/// Who fired of those that a connection hears.
#[inline(always)]
fn arrived(heard: &Heard, fired: &[[u64; 2]], now: usize) -> u64 {
    fired.get(heard.source).map_or(0, |two| two[(now ^ heard.lag) & 1])
}

/// Up to 16 neurons for each of `M`: through how many synapses they heard, and who fires.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn some<const M: usize>(stage: &Stage, layer: &mut Layer, fired: &[[u64; 2]], now: usize) -> (u64, u64) {
    let mut sums = [[_mm256_setzero_si256(); 2]; M];
    if let Some(bias) = layer.sum_bias.first() {
        for (sums, bias) in sums.iter_mut().zip(vectors(bias)) {
            *sums = [load(&bias[0]), load(&bias[1])];
        }
    }
    let mut operations = 0;
    for heard in &stage.heard {
        let Laid::Along(rows) = &heard.weights else { continue };
        let arrived = arrived(heard, fired, now);
        let mut totals = [_mm256_setzero_si256(); M];
        let mut left = arrived;
        while left != 0 {
            let unit = left.trailing_zeros() as usize;
            operations += u64::from(heard.fan_out.0[unit % Block::<u8>::UNITS]);
            if let Some(row) = rows.get(unit) {
                for (total, weights) in totals.iter_mut().zip(row.0.as_chunks::<{ 2 * LANES }>().0) {
                    *total = _mm256_add_epi16(*total, _mm256_cvtepi8_epi16(load_bytes(weights)));
                }
            }
            left &= left - 1;
        }
        for (sums, total) in sums.iter_mut().zip(totals) {
            let low = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(total));
            let high = _mm256_cvtepi16_epi32(_mm256_extracti128_si256::<1>(total));
            *sums = [added(sums[0], low, heard.exponent), added(sums[1], high, heard.exponent)];
        }
    }
    let rule = Rule::of(layer);
    let ([u, ..], [v, ..], [bias, ..]) = (&mut layer.u[..], &mut layer.v[..], &layer.bias[..]) else { return (0, 0) };
    let mut up = 0;
    let cells = vectors_mut(u).zip(vectors_mut(v)).zip(vectors(bias));
    for ((at, sums), (([u0, u1], [v0, v1]), [bias0, bias1])) in sums.into_iter().enumerate().zip(cells) {
        up |= rule.step(u0, v0, sums[0], bias0) << (2 * LANES * at);
        up |= rule.step(u1, v1, sums[1], bias1) << (2 * LANES * at + LANES);
    }
    (operations, up & u64::MAX >> (Block::<u8>::UNITS - stage.n))
}

/// [`FEW`] neurons at most: none of their sources is asked whether it fired, as a wrong guess of how many did would take longer.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn few(stage: &Stage, layer: &mut Layer, fired: &[[u64; 2]], now: usize) -> (u64, u64) {
    let mut sum = match layer.sum_bias.first().and_then(|bias| bias.0.first_chunk()) {
        Some(bias) => load(bias),
        None => _mm256_setzero_si256(),
    };
    let mut operations = 0;
    for heard in &stage.heard {
        let Laid::Across(across) = &heard.weights else { continue };
        let arrived = arrived(heard, fired, now);
        let arrived = [bytes(arrived as u32), bytes((arrived >> 32) as u32)];
        operations += count(arrived, &heard.fan_out);
        sum = added(sum, weigh(arrived, across, stage.n), heard.exponent);
    }
    let rule = Rule::of(layer);
    let ([u, ..], [v, ..], [bias, ..]) = (&mut layer.u[..], &mut layer.v[..], &layer.bias[..]) else { return (0, 0) };
    let (Some(u), Some(v), Some(bias)) = (u.0.first_chunk_mut(), v.0.first_chunk_mut(), bias.0.first_chunk()) else {
        return (0, 0);
    };
    (operations, rule.step(u, v, sum, bias) & u64::MAX >> (Block::<u8>::UNITS - stage.n))
}

/// `sum`, and what arrives, shifted.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn added(sum: Words, arrives: Words, exponent: i32) -> Words {
    let bits = _mm_cvtsi32_si128(exponent.wrapping_abs());
    let shifted = if exponent >= 0 { _mm256_sll_epi32(arrives, bits) } else { _mm256_sra_epi32(arrives, bits) };
    _mm256_add_epi32(sum, shifted)
}

/// What holds for every neuron, as vectors.
#[derive(Clone, Copy)]
struct Rule {
    keep_u: Words,
    keep_v: Words,
    above: Words,
}

impl Rule {
    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn of(layer: &Layer) -> Self {
        let rule = &layer.rule;
        let (keep_u, keep_v) = (_mm256_set1_epi32(rule.keep_u), _mm256_set1_epi32(rule.keep_v));
        Rule { keep_u, keep_v, above: _mm256_set1_epi32(rule.above) }
    }

    /// Eight neurons that get `sum`: [`update`](super::avx2::update) of the plainest sort. A bit for each that fires.
    #[inline]
    #[target_feature(enable = "avx2,bmi1,popcnt")]
    fn step(self, u: &mut [i32; LANES], v: &mut [i32; LANES], sum: Words, bias: &[i32; LANES]) -> u64 {
        let current = _mm256_add_epi32(decay::<true>(load(u), self.keep_u), _mm256_slli_epi32::<6>(sum));
        store(u, current);
        let voltage = _mm256_add_epi32(_mm256_add_epi32(decay::<true>(load(v), self.keep_v), current), load(bias));
        let (least, most) = (_mm256_set1_epi32(1 - STATE), _mm256_set1_epi32(STATE - 1));
        let voltage = _mm256_max_epi32(_mm256_min_epi32(voltage, most), least);
        let over = _mm256_cmpgt_epi32(voltage, self.above);
        store(v, _mm256_andnot_si256(over, voltage));
        bits(over)
    }
}

/// A block as pairs of vectors: those of a vector of 16 bits.
#[inline(always)]
fn vectors(block: &Block<i32>) -> impl Iterator<Item = &[[i32; LANES]; 2]> {
    block.0.as_chunks().0.as_chunks().0.iter()
}

#[inline(always)]
fn vectors_mut(block: &mut Block<i32>) -> impl Iterator<Item = &mut [[i32; LANES]; 2]> {
    block.0.as_chunks_mut().0.as_chunks_mut().0.iter_mut()
}

/// Of each neuron, what those weigh that fired.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn weigh(fired: [Words; 2], across: &[Block<i8>; FEW], n: usize) -> Words {
    let (fours, _) = across.as_chunks::<4>();
    let low = weigh_four(fired, &fours[0]);
    let high = if n > 4 { weigh_four(fired, &fours[1]) } else { _mm_setzero_si128() };
    _mm256_set_m128i(high, low)
}

#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn weigh_four(fired: [Words; 2], across: &[Block<i8>; 4]) -> __m128i {
    let mut totals = [_mm256_setzero_si256(); 4];
    for (total, neuron) in totals.iter_mut().zip(across) {
        let [low, high] = neuron.0.as_chunks().0 else { continue };
        // Neither a sum of two weights nor one of four leaves 16 bits.
        let low = _mm256_maddubs_epi16(fired[0], load_full(low));
        let high = _mm256_maddubs_epi16(fired[1], load_full(high));
        *total = _mm256_madd_epi16(_mm256_add_epi16(low, high), _mm256_set1_epi16(1));
    }
    let [a, b, c, d] = totals;
    let all = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    _mm_add_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256::<1>(all))
}

/// What those that fired have in `each`, in all, which is 8 of each at most.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn count(fired: [Words; 2], each: &Block<u8>) -> u64 {
    let [low, high] = each.0.as_chunks().0 else { return 0 };
    let of = |fired: Words, each: &[u8; 4 * LANES]| {
        _mm256_and_si256(_mm256_cmpgt_epi8(fired, _mm256_setzero_si256()), load_counts(each))
    };
    let sums = _mm256_sad_epu8(_mm256_add_epi8(of(fired[0], low), of(fired[1], high)), _mm256_setzero_si256());
    let sums = _mm_add_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let sum = _mm_add_epi64(sums, _mm_unpackhi_epi64(sums, sums));
    _mm_cvtsi128_si64(sum).cast_unsigned()
}

/// A byte for each bit, 1 where it is set.
#[inline]
#[target_feature(enable = "avx2,bmi1,popcnt")]
fn bytes(bits: u32) -> Words {
    let of = _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let each = _mm256_shuffle_epi8(_mm256_set1_epi32(bits.cast_signed()), of);
    let bit = _mm256_set1_epi64x(0x8040_2010_0804_0201_u64.cast_signed());
    _mm256_min_epu8(_mm256_and_si256(each, bit), _mm256_set1_epi8(1))
}
