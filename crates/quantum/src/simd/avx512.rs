//! Vectors of eight numbers.

use std::arch::x86_64::*;

type V = __m512d;
const LANES: usize = 8;
const LANE_BITS: usize = 3;
/// Of 32 registers, twice eight hold amplitudes.
const ROWS: usize = 8;

#[derive(Clone, Copy)]
enum Flip {
    Neighbours,
    Pairs,
    Halves,
}

const FLIPS: [Flip; LANE_BITS] = [Flip::Neighbours, Flip::Pairs, Flip::Halves];

/// Each lane's partner: of the qubit that lies within a vector.
#[inline]
#[target_feature(enable = "avx512f")]
fn flipped(v: V, flip: Flip) -> V {
    match flip {
        Flip::Neighbours => _mm512_permute_pd::<0b0101_0101>(v),
        Flip::Pairs => _mm512_permutex_pd::<0b01_00_11_10>(v),
        Flip::Halves => _mm512_shuffle_f64x2::<0b01_00_11_10>(v, v),
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(from: &[f64; LANES]) -> V {
    // SAFETY: the array is as large as the vector, and the load asks for no alignment.
    unsafe { _mm512_loadu_pd(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn store(v: V, to: &mut [f64; LANES]) {
    // SAFETY: the array is as large as the vector, and the store asks for no alignment.
    unsafe { _mm512_storeu_pd(to.as_mut_ptr(), v) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(x: f64) -> V {
    _mm512_set1_pd(x)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn add(a: V, b: V) -> V {
    _mm512_add_pd(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sub(a: V, b: V) -> V {
    _mm512_sub_pd(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mul(a: V, b: V) -> V {
    _mm512_mul_pd(a, b)
}

kernels!("avx512f");
