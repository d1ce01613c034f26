//! Philox of 32 replicas at once, with AVX-512: the words of a counter are in the lower halves of lanes of 64 bits, so that a product needs no
//! shuffle.

use super::super::super::philox::{MULTIPLIERS, Random, Use, WEYL};
use std::arch::x86_64::*;

/// Eight numbers of 16 bits for each of 32 replicas, from `first` on: those of [`Random::eight`], by number and then by replica.
///
/// # Safety
/// The processor has AVX-512 F and BW.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,bmi1,bmi2,popcnt")]
pub(super) unsafe fn eight(random: Random, purpose: Use, first: u32, step: u32, block: u32) -> [__m512i; 8] {
    // Lane `q` of set `j` is replica `4 q + j`: what it says goes to lane `4 q + j` of 16 bits, by shifts alone.
    let every_fourth = _mm512_set_epi64(28, 24, 20, 16, 12, 8, 4, 0);
    let sets: [[__m512i; 4]; 4] = std::array::from_fn(|set| {
        let replicas = _mm512_add_epi64(every_fourth, _mm512_set1_epi64(i64::from(first) + set as i64));
        let word = |value: u32| _mm512_set1_epi64(i64::from(value));
        four([replicas, word(step), word(block), word(purpose as u32)], random.key())
    });
    let mut numbers = [_mm512_setzero_si512(); 8];
    for word in 0..4 {
        let [a, b, c, d] = [sets[0][word], sets[1][word], sets[2][word], sets[3][word]];
        numbers[2 * word] =
            together(a, _mm512_slli_epi64::<16>(b), _mm512_slli_epi64::<32>(c), _mm512_slli_epi64::<48>(d));
        numbers[2 * word + 1] =
            together(_mm512_srli_epi64::<16>(a), b, _mm512_slli_epi64::<16>(c), _mm512_slli_epi64::<32>(d));
    }
    numbers
}

/// The first of four lanes from `a`, the second from `b`, and so on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn together(a: __m512i, b: __m512i, c: __m512i, d: __m512i) -> __m512i {
    let with_b = _mm512_mask_mov_epi16(a, 0x2222_2222, b);
    let with_c = _mm512_mask_mov_epi16(with_b, 0x4444_4444, c);
    _mm512_mask_mov_epi16(with_c, 0x8888_8888, d)
}

/// Ten rounds. Upper halves are anything.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn four([mut a, mut b, mut c, mut d]: [__m512i; 4], key: [u32; 2]) -> [__m512i; 4] {
    let [left, right] = MULTIPLIERS.map(|multiplier| _mm512_set1_epi64(i64::from(multiplier)));
    let [mut k, mut l] = key;
    for _ in 0..10 {
        let (left, right) = (_mm512_mul_epu32(a, left), _mm512_mul_epu32(c, right));
        let exclusive = |high, word, key: u32| {
            _mm512_ternarylogic_epi64::<0x96>(_mm512_srli_epi64::<32>(high), word, _mm512_set1_epi64(i64::from(key)))
        };
        (a, b, c, d) = (exclusive(right, b, k), right, exclusive(left, d, l), left);
        (k, l) = (k.wrapping_add(WEYL[0]), l.wrapping_add(WEYL[1]));
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::super::{Path, Unit};
    use super::*;

    #[test]
    fn thirty_two_replicas_draw_what_each_of_them_draws() {
        if Unit::of(Path::Avx512).is_none() {
            return;
        }
        for (first, step, block, seed) in
            [(0, 0, 0, 0), (7, 1 << 20, 31, u64::MAX), (u32::MAX - 31, 5, u32::MAX, 12345)]
        {
            let random = Random::new(seed);
            // SAFETY: the processor has AVX-512, and a vector is as large as 32 numbers of 16 bits.
            let lanes: [[u16; 32]; 8] = unsafe { std::mem::transmute(eight(random, Use::Flip, first, step, block)) };
            for replica in 0..32 {
                let expected = random.eight(Use::Flip, first + replica, step, block);
                assert_eq!(lanes.map(|numbers| numbers[replica as usize]), expected);
            }
        }
    }
}
