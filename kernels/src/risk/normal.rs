//! The normal distribution: from the words of a generator to its quantiles, and back.
//!
//! A word of 32 bits stands for the middle of an interval of probabilities, and larger words for larger ones. From the nearer end, 0 or 1, intervals have 23
//! significant bits, so that the distance to that end is the same number in `f32` and `f64`. The least is 2⁻³³, a quantile of 6.3.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// The largest quantile of a word, rounded up.
pub const LARGEST: f64 = 6.34;

/// The sign of a word's quantile, and the probability of what is further out: above 0, below 1/2, of 24 significant bits at most.
#[must_use]
#[inline]
pub fn tail(word: u32) -> (f64, f64) {
    let (sign, rest) = if word >> 31 == 0 { (-1.0, word) } else { (1.0, !word) };
    let dropped = 9_u32.saturating_sub(rest.leading_zeros());
    let middle = 2 * (rest >> dropped) + 1;
    // Exact: whole numbers below 2^24, times a power of two.
    (sign, f64::from(middle) * f64::from(1 << dropped) * (1.0 / (1_u64 << 33) as f64))
}

/// The normal number of a word.
#[must_use]
#[inline]
pub fn of_word(word: u32) -> f64 {
    let (sign, probability) = tail(word);
    sign * upper(probability)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

#[inline]
fn ratio([over, under]: &[[f64; 8]; 2], at: f64) -> f64 {
    let value = |of: &[f64; 8]| of.iter().rev().fold(0.0, |sum, coefficient| sum * at + coefficient);
    value(over) / value(under)
}

/// The quantile that is passed with this probability, of 10⁻¹⁰ to 1/2: Wichura, *Algorithm AS 241*, Applied Statistics 37 (1988), PPND16, whose
/// relative error is about 10⁻¹⁶. (Its third branch is for less.)
#[must_use]
#[inline]
pub fn upper(probability: f64) -> f64 {
    let centred = 0.5 - probability;
    if centred <= 0.425 {
        return centred * ratio(&CENTRE, 0.180_625 - centred * centred);
    }
    ratio(&TAIL, (-probability.ln()).sqrt() - 1.6)
}

/// The density.
#[must_use]
#[inline]
pub fn density(at: f64) -> f64 {
    (-0.5 * at * at).exp() / TAU.sqrt()
}

/// The probability of what is below.
#[must_use]
#[inline]
pub fn below(at: f64) -> f64 {
    0.5 * libm::erfc(-at * FRAC_1_SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_intervals_of_equal_probability() {
        // Of all words that share their upper bits, the middles are the mean of what they stand for.
        for upper in [1_u32, 3, 0x1234] {
            let low = upper << 12;
            let mean = (low..low + (1 << 12)).map(|word| tail(word).1).sum::<f64>() / f64::from(1 << 12);
            let middle = (f64::from(low) + f64::from(1 << 11)) / (1_u64 << 32) as f64;
            assert!((mean - middle).abs() < 1e-12 * middle.max(1e-9), "{upper}: {mean} {middle}");
        }
        assert_eq!(tail(0), (-1.0, 0.5 / (1_u64 << 32) as f64));
        assert_eq!(tail(u32::MAX), (1.0, 0.5 / (1_u64 << 32) as f64));
        assert_eq!(tail(1 << 31), (1.0, 0.5 - 1.0 / f64::from(1 << 25)));
        for word in [0, 1, 0xff_ffff, 0x7f_ffff, 0x80_0000, 0x7fff_ffff, 0xdead_beef] {
            let (_, probability) = tail(word);
            assert_eq!(f64::from(probability as f32), probability, "{word:x} is the same in f32");
        }
    }

    #[test]
    fn the_largest_quantile_is_that_of_the_least_probability() {
        let largest = of_word(u32::MAX);
        assert!(largest < LARGEST && largest > LARGEST - 0.02, "{largest}");
        assert_eq!(of_word(0), -largest);
    }

    #[test]
    fn larger_words_are_larger_numbers() {
        let words = (0..1 << 12).map(|step| step << 20);
        let numbers: Vec<f64> = words.map(of_word).collect();
        assert!(numbers.windows(2).all(|two| two[0] < two[1]));
    }

    #[test]
    fn quantiles_invert_probabilities() {
        let mut probability: f64 = 1.2e-10;
        while probability < 0.5 {
            let at = upper(probability);
            assert!((below(-at) / probability - 1.0).abs() < 1e-13, "{probability}: {at}");
            probability *= 1.01;
        }
        assert_eq!(upper(0.5), 0.0);
        // NIST's table: 97.5 % and 99 %.
        assert!((upper(0.025) - 1.959_963_984_540_054).abs() < 1e-14);
        assert!((upper(0.01) - 2.326_347_874_040_841).abs() < 1e-14);
        assert!((density(1.0) - 0.241_970_724_519_143_37).abs() < 1e-15);
    }
}
