//! Vectors of four numbers.

use std::arch::x86_64::*;

type V = __m256d;
const LANES: usize = 4;
const LANE_BITS: usize = 2;
/// Of 16 registers, twice four hold amplitudes.
const ROWS: usize = 4;

#[derive(Clone, Copy)]
enum Flip {
    Neighbours,
    Halves,
}

const FLIPS: [Flip; LANE_BITS] = [Flip::Neighbours, Flip::Halves];

/// Each lane's partner: of the qubit that lies within a vector.
#[inline]
#[target_feature(enable = "avx2")]
fn flipped(v: V, flip: Flip) -> V {
    match flip {
        Flip::Neighbours => _mm256_permute_pd::<0b0101>(v),
        Flip::Halves => _mm256_permute2f128_pd::<0b0001>(v, v),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn load(from: &[f64; LANES]) -> V {
    // SAFETY: the array is as large as the vector, and the load asks for no alignment.
    unsafe { _mm256_loadu_pd(from.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn store(v: V, to: &mut [f64; LANES]) {
    // SAFETY: the array is as large as the vector, and the store asks for no alignment.
    unsafe { _mm256_storeu_pd(to.as_mut_ptr(), v) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn splat(x: f64) -> V {
    _mm256_set1_pd(x)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: V, b: V) -> V {
    _mm256_add_pd(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn sub(a: V, b: V) -> V {
    _mm256_sub_pd(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn mul(a: V, b: V) -> V {
    _mm256_mul_pd(a, b)
}

kernels!("avx2");
