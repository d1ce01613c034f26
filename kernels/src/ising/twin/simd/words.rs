//! Vectors of 16 bits, a site in each lane, and how sites move: of AVX-512 and of AVX2.

use super::super::super::plan::{Force, ONE};
use super::flipped::Flipped;
use std::arch::x86_64::*;
use std::ops::Range;

/// A vector of 16 bits. Its functions are to be called where its instructions are compiled for, alone.
pub(super) trait Words: Copy + Send + 'static {
    /// Sites of a vector.
    const LANES: usize;
    /// A step's rule.
    unsafe fn rule(force: Force, pull: i16) -> Rule<Self>;
    /// Zeros.
    unsafe fn zero() -> Self;
    /// From so many words.
    unsafe fn load(from: *const i16) -> Self;
    /// Into so many words.
    unsafe fn store(self, to: *mut i16);
    /// So many bytes as words.
    unsafe fn widened(from: *const i8) -> Self;
    /// Both, modulo 2^16.
    unsafe fn add(self, other: Self) -> Self;
    /// Positions and momenta of these sites, a step later, and which positions are below 0.
    unsafe fn moved(rule: &Rule<Self>, x: Self, y: Self, felt: Self) -> (Self, Self, u32);
    /// Steps of an engine, compiled for these instructions.
    unsafe fn steps(engine: &mut Flipped<Self>, steps: Range<usize>);
}

/// How a site moves.
#[derive(Clone, Copy)]
pub(super) struct Rule<W> {
    shift: __m128i,
    clip: W,
    minus_clip: W,
    gain: W,
    pull: W,
}

macro_rules! words {
    ($vector:ty, $lanes:literal, $features:literal, $load:ident, $store:ident, $load_half:ident, $widen:ident, $zero:ident, $set:ident,
     $sra:ident, $min:ident, $max:ident, $mullo:ident, $mulhrs:ident, $add:ident, $adds:ident, $subs:ident, $walled:ident, $down:ident) => {
        impl Words for $vector {
            const LANES: usize = $lanes;

            #[inline(always)]
            unsafe fn rule(force: Force, pull: i16) -> Rule<Self> {
                // SAFETY: called where its instructions are compiled for.
                unsafe {
                    let shift = _mm_cvtsi32_si128(force.shift as i32);
                    let (clip, minus_clip) = ($set(force.clip), $set(-force.clip));
                    Rule { shift, clip, minus_clip, gain: $set(force.gain), pull: $set(pull) }
                }
            }

            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $zero() }
            }

            #[inline(always)]
            unsafe fn load(from: *const i16) -> Self {
                // SAFETY: so many words are there.
                unsafe { $load(from.cast()) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut i16) {
                // SAFETY: so many words are there.
                unsafe { $store(to.cast(), self) }
            }

            #[inline(always)]
            unsafe fn widened(from: *const i8) -> Self {
                // SAFETY: so many bytes are there.
                unsafe { $widen($load_half(from.cast())) }
            }

            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: called where its instructions are compiled for.
                unsafe { $add(self, other) }
            }

            #[inline(always)]
            unsafe fn moved(rule: &Rule<Self>, x: Self, y: Self, felt: Self) -> (Self, Self, u32) {
                // SAFETY: called where its instructions are compiled for.
                unsafe {
                    let field = $max($min($sra(felt, rule.shift), rule.clip), rule.minus_clip);
                    let y = $adds($subs(y, $mulhrs(rule.pull, x)), $mullo(field, rule.gain));
                    let moved = $adds(x, $adds(y, y));
                    let x = $max($min(moved, $set(ONE as i16)), $set(-ONE as i16));
                    // Of what is not yet clamped: it has the same sign, and is there sooner.
                    (x, $walled(moved, x, y), $down(moved))
                }
            }

            unsafe fn steps(engine: &mut Flipped<Self>, steps: Range<usize>) {
                #[target_feature(enable = $features)]
                unsafe fn all(engine: &mut Flipped<$vector>, steps: Range<usize>) {
                    // SAFETY: as of this function.
                    unsafe { engine.steps(steps) }
                }
                // SAFETY: whoever calls has seen that the processor has them.
                unsafe { all(engine, steps) }
            }
        }
    };
}

words!(
    __m512i,
    32,
    "avx512f,avx512bw,avx512vl,bmi1,bmi2,popcnt",
    _mm512_load_si512,
    _mm512_store_si512,
    _mm256_load_si256,
    _mm512_cvtepi8_epi16,
    _mm512_setzero_si512,
    _mm512_set1_epi16,
    _mm512_sra_epi16,
    _mm512_min_epi16,
    _mm512_max_epi16,
    _mm512_mullo_epi16,
    _mm512_mulhrs_epi16,
    _mm512_add_epi16,
    _mm512_adds_epi16,
    _mm512_subs_epi16,
    walled_512,
    down_512
);
words!(
    __m256i,
    16,
    "avx2,bmi1,bmi2,popcnt",
    _mm256_load_si256,
    _mm256_store_si256,
    _mm_load_si128,
    _mm256_cvtepi8_epi16,
    _mm256_setzero_si256,
    _mm256_set1_epi16,
    _mm256_sra_epi16,
    _mm256_min_epi16,
    _mm256_max_epi16,
    _mm256_mullo_epi16,
    _mm256_mulhrs_epi16,
    _mm256_add_epi16,
    _mm256_adds_epi16,
    _mm256_subs_epi16,
    walled_256,
    down_256
);

/// Momenta, but of those that a wall has stopped.
#[inline(always)]
unsafe fn walled_512(moved: __m512i, x: __m512i, y: __m512i) -> __m512i {
    // SAFETY: called where its instructions are compiled for.
    unsafe { _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(moved, x), y) }
}

/// The same.
#[inline(always)]
unsafe fn walled_256(moved: __m256i, x: __m256i, y: __m256i) -> __m256i {
    // SAFETY: called where its instructions are compiled for.
    unsafe { _mm256_and_si256(_mm256_cmpeq_epi16(moved, x), y) }
}

/// Which are below 0.
#[inline(always)]
unsafe fn down_512(moved: __m512i) -> u32 {
    // SAFETY: called where its instructions are compiled for.
    unsafe { _mm512_movepi16_mask(moved) }
}

/// The same: a bit of each word, by its sign as a byte.
#[inline(always)]
unsafe fn down_256(moved: __m256i) -> u32 {
    // SAFETY: called where its instructions are compiled for.
    unsafe {
        let (low, high) = (_mm256_castsi256_si128(moved), _mm256_extracti128_si256::<1>(moved));
        _mm_movemask_epi8(_mm_packs_epi16(low, high)) as u32
    }
}
