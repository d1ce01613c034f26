//! Seeded randomness. One generator a component, each split off the run's seed by the component's name, so that
//! adding a component, or one drawing more often, changes no other.
//!
//! Chances are integers ([`Ppm`]); the one distribution that needs a logarithm computes it from IEEE basic operations
//! alone, so that a seed means the same run on every machine.

use firelane_gateway::base::{Digest, Nanos};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

/// A chance in parts per million.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Ppm(pub u32);

impl Ppm {
    /// Never.
    pub const NEVER: Ppm = Ppm(0);
    /// Always.
    pub const ALWAYS: Ppm = Ppm(1_000_000);

    /// From a percentage.
    #[must_use]
    pub const fn percent(percent: u32) -> Self {
        Ppm(percent * 10_000)
    }
}

/// The random numbers of one component.
#[derive(Clone, Debug)]
pub struct Rng(Xoshiro256PlusPlus);

impl Rng {
    /// The generator of the component called `name` in the run of `seed`.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let mut mixed = Digest::default();
        mixed.u64(seed);
        mixed.bytes(name.as_bytes());
        Rng(Xoshiro256PlusPlus::seed_from_u64(mixed.value()))
    }

    /// Any number.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`; 0 if `end` is 0. The bias of the multiply-shift is below `end` / 2^64.
    #[allow(clippy::cast_possible_truncation)]
    pub fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.u64()) * u128::from(end)) >> 64) as u64
    }

    /// A number of `first..=last`; `first` if the range is empty.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last.saturating_sub(first).saturating_add(1))
    }

    /// An index into something of length `len` (0 if that is empty).
    #[allow(clippy::cast_possible_truncation)]
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// Does a thing of this chance happen? Draws nothing for what never happens.
    pub fn chance(&mut self, p: Ppm) -> bool {
        p.0 > 0 && self.below(1_000_000) < u64::from(p.0)
    }

    /// Heads or tails.
    pub fn coin(&mut self) -> bool {
        self.u64() >> 63 == 1
    }

    /// How many times in a row a thing of chance `p` happens, at most `cap`.
    pub fn run(&mut self, p: Ppm, cap: u64) -> u64 {
        let mut n = 0;
        while n < cap && self.chance(p) {
            n += 1;
        }
        n
    }

    /// One of `choices`, by weight. `None` if there is none of any weight.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, u32)]) -> Option<T> {
        let mut drawn = self.below(choices.iter().map(|(_, weight)| u64::from(*weight)).sum());
        for (choice, weight) in choices {
            match drawn.checked_sub(u64::from(*weight)) {
                Some(rest) => drawn = rest,
                None => return Some(*choice),
            }
        }
        None
    }

    /// A size with the tail P(size >= k) = 1/k, from 1 to `cap`: most are one, a few are huge.
    pub fn heavy_tailed(&mut self, cap: u64) -> u64 {
        (u64::MAX / self.u64().max(1)).clamp(1, cap.max(1))
    }

    /// An exponentially distributed time: the wait for the next of events that come `mean` apart on average.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn exponential(&mut self, mean: Nanos) -> Nanos {
        Nanos((mean.0 as f64 * minus_ln(self.u64())) as u64)
    }
}

/// -ln(u / 2^64), to better than 10^-7.
#[allow(clippy::cast_precision_loss)]
fn minus_ln(u: u64) -> f64 {
    let u = u.max(1);
    let zeros = u.leading_zeros();
    // u / 2^64 = m * 2^-(zeros + 1) with m in [1, 2); ln m = 2 atanh((m - 1) / (m + 1)).
    let m = (u << zeros) as f64 / (1u64 << 63) as f64;
    let s = (m - 1.0) / (m + 1.0);
    let s2 = s * s;
    let series = [1.0 / 13.0, 1.0 / 11.0, 1.0 / 9.0, 1.0 / 7.0, 1.0 / 5.0, 1.0 / 3.0, 1.0];
    let atanh = s * series.iter().fold(0.0, |sum, c| sum * s2 + c);
    f64::from(zeros + 1) * core::f64::consts::LN_2 - 2.0 * atanh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_has_its_own_numbers_whoever_else_draws() {
        let draw = |seed, name| {
            let mut r = Rng::new(seed, name);
            [r.u64(), r.u64(), r.u64()]
        };
        assert_eq!(draw(1, "line A"), draw(1, "line A"));
        assert_ne!(draw(1, "line A"), draw(1, "line B"));
        assert_ne!(draw(1, "line A"), draw(2, "line A"));
    }

    #[test]
    fn the_logarithm_is_one() {
        let mut r = Rng::new(7, "ln");
        for _ in 0..10_000 {
            let u = r.u64().max(1);
            let exact = -(u as f64 / 2f64.powi(64)).ln();
            assert!((minus_ln(u) - exact).abs() < 1e-7, "{u}");
        }
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut r = Rng::new(3, "moments");
        let n = 200_000u64;
        let (mut sum, mut squares, mut hits, mut tail) = (0f64, 0f64, 0u64, 0u64);
        for _ in 0..n {
            let x = r.exponential(Nanos(1_000_000)).0 as f64;
            sum += x;
            squares += x * x;
            hits += u64::from(r.chance(Ppm::percent(3)));
            tail += u64::from(r.heavy_tailed(1_000) >= 10);
        }
        let mean = sum / n as f64;
        assert!((mean / 1e6 - 1.0).abs() < 0.01, "mean {mean}");
        assert!(((squares / n as f64 - mean * mean) / 1e12 - 1.0).abs() < 0.03);
        assert!(hits.abs_diff(n * 3 / 100) < 400, "{hits}");
        assert!(tail.abs_diff(n / 10) < 700, "{tail}");
        let b = (0..10_000).filter(|_| r.weighted(&[('a', 3), ('b', 7), ('c', 0)]) == Some('b')).count();
        assert!((6_800..7_200).contains(&b), "{b}");
        assert_eq!(r.weighted(&[('a', 0)]), None);
        assert!((0..1000).all(|_| (5..=9).contains(&r.between(5, 9))));
        assert_eq!((r.below(0), r.index(0), r.chance(Ppm::NEVER), r.chance(Ppm::ALWAYS)), (0, 0, false, true));
    }
}
