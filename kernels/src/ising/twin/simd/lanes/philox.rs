//! Philox of 16 replicas at once, with AVX2; as with AVX-512 beside it, on half as many lanes.

use super::super::super::super::philox::{MULTIPLIERS, Random, Use, WEYL};
use std::arch::x86_64::*;

/// Eight numbers of 16 bits for each of 16 replicas, from `first` on: those of [`Random::eight`], by number and then by replica.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn eight(random: Random, purpose: Use, first: u32, step: u32, block: u32) -> [__m256i; 8] {
    // Lane `q` of set `j` is replica `4 q + j`: what it says goes to lane `4 q + j` of 16 bits, by shifts alone.
    let every_fourth = _mm256_set_epi64x(12, 8, 4, 0);
    let sets: [[__m256i; 4]; 4] = std::array::from_fn(|set| {
        let replicas = _mm256_add_epi64(every_fourth, _mm256_set1_epi64x(i64::from(first) + set as i64));
        let word = |value: u32| _mm256_set1_epi64x(i64::from(value));
        four([replicas, word(step), word(block), word(purpose as u32)], random.key())
    });
    let mut numbers = [_mm256_setzero_si256(); 8];
    for word in 0..4 {
        let [a, b, c, d] = [sets[0][word], sets[1][word], sets[2][word], sets[3][word]];
        numbers[2 * word] =
            together(a, _mm256_slli_epi64::<16>(b), _mm256_slli_epi64::<32>(c), _mm256_slli_epi64::<48>(d));
        numbers[2 * word + 1] =
            together(_mm256_srli_epi64::<16>(a), b, _mm256_slli_epi64::<16>(c), _mm256_slli_epi64::<32>(d));
    }
    numbers
}

/// The first of four lanes from `a`, the second from `b`, and so on.
#[inline]
#[target_feature(enable = "avx2")]
fn together(a: __m256i, b: __m256i, c: __m256i, d: __m256i) -> __m256i {
    let with_b = _mm256_blend_epi16::<0x22>(a, b);
    let with_c = _mm256_blend_epi16::<0x44>(with_b, c);
    _mm256_blend_epi16::<0x88>(with_c, d)
}

/// Ten rounds. Upper halves are anything.
#[inline]
#[target_feature(enable = "avx2")]
fn four([mut a, mut b, mut c, mut d]: [__m256i; 4], key: [u32; 2]) -> [__m256i; 4] {
    let [left, right] = MULTIPLIERS.map(|multiplier| _mm256_set1_epi64x(i64::from(multiplier)));
    let [mut k, mut l] = key;
    for _ in 0..10 {
        let (left, right) = (_mm256_mul_epu32(a, left), _mm256_mul_epu32(c, right));
        let exclusive = |high, word, key: u32| {
            let mixed = _mm256_xor_si256(_mm256_srli_epi64::<32>(high), word);
            _mm256_xor_si256(mixed, _mm256_set1_epi64x(i64::from(key)))
        };
        (a, b, c, d) = (exclusive(right, b, k), right, exclusive(left, d, l), left);
        (k, l) = (k.wrapping_add(WEYL[0]), l.wrapping_add(WEYL[1]));
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::super::super::{Path, Unit};
    use super::*;

    #[test]
    fn sixteen_replicas_draw_what_each_of_them_draws() {
        if Unit::of(Path::Avx2).is_none() {
            return;
        }
        for (first, step, block, seed) in
            [(0, 0, 0, 0), (7, 1 << 20, 31, u64::MAX), (u32::MAX - 15, 5, u32::MAX, 12345)]
        {
            let random = Random::new(seed);
            // SAFETY: the processor has AVX2, and a vector is as large as 16 numbers of 16 bits.
            let lanes: [[u16; 16]; 8] = unsafe { std::mem::transmute(eight(random, Use::Flip, first, step, block)) };
            for replica in 0..16 {
                let expected = random.eight(Use::Flip, first + replica, step, block);
                assert_eq!(lanes.map(|numbers| numbers[replica as usize]), expected);
            }
        }
    }
}
