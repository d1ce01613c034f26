//! Is one of two slower? Pairs that were measured by turns, the signed-rank test on the logarithms of their ratios
//! (Wilcoxon 1945), and the interval of the ratio that belongs to it (Hodges and Lehmann 1963).
//!
//! It asks nothing of how times are distributed but that a ratio is as likely to be too high as too low: tails of a busy
//! machine do not matter.

use serde::Serialize;

/// How two compare.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Paired {
    /// Pairs.
    pub pairs: usize,
    /// The second's time over the first's: the estimate of Hodges and Lehmann.
    pub ratio: f64,
    /// The interval of the ratio, at the asked confidence: its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// How likely pairs like these are, at least so high, if the second takes the first's time and the tolerance at most.
    pub p: f64,
}

/// The first confidence that anybody asks for.
pub const CONFIDENCE: f64 = 0.99;

impl Paired {
    /// Of pairs (first, second), both above 0. `tolerance` is by how much the second may be slower: 0.01 is a hundredth.
    /// `None` without pairs, or with one that is not above 0.
    #[must_use]
    pub fn of(pairs: &[(f64, f64)], tolerance: f64, confidence: f64) -> Option<Paired> {
        let logs: Vec<f64> = pairs.iter().map(|(first, second)| (second / first).ln()).collect();
        if logs.is_empty() || logs.iter().any(|log| !log.is_finite()) {
            return None;
        }
        let mut walsh: Vec<f64> =
            logs.iter().enumerate().flat_map(|(n, a)| logs[n..].iter().map(move |b| (a + b) / 2.0)).collect();
        walsh.sort_by(f64::total_cmp);
        let (below, n) = (critical(logs.len(), (1.0 - confidence) / 2.0), walsh.len());
        let median = (walsh[(n - 1) / 2] + walsh[n / 2]) / 2.0;
        // Too few pairs for the confidence: the interval has no ends.
        let (low, high) = match below.checked_sub(1) {
            Some(k) => (walsh[k].exp(), walsh[n - 1 - k].exp()),
            None => (0.0, f64::INFINITY),
        };
        let shifted: Vec<f64> = logs.iter().map(|log| log - tolerance.ln_1p()).collect();
        Some(Paired { pairs: logs.len(), ratio: median.exp(), low, high, p: p_greater(&shifted) })
    }

    /// Is the second slower, more than the tolerance allows? As sure as this says: 0.01 is wrong once in a hundred times.
    #[must_use]
    pub fn is_slower(&self, alpha: f64) -> bool {
        self.p < alpha
    }
}

/// How the sum of the ranks of the positive ones is distributed if each is as likely negative: entry w is the share of the
/// 2^n signs with a sum of at most w.
fn at_most(n: usize) -> Vec<f64> {
    let mut share = vec![0.0; n * (n + 1) / 2 + 1];
    share[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..share.len()).rev() {
            let with = if sum >= rank { share[sum - rank] } else { 0.0 };
            share[sum] = (share[sum] + with) / 2.0;
        }
    }
    let mut sum = 0.0;
    for one in &mut share {
        sum += *one;
        *one = sum;
    }
    share
}

/// How many of the sorted averages lie outside of the interval on each side, the end itself included: the interval's ends
/// are the averages at this place from below and above. 0 if there are too few pairs.
fn critical(n: usize, tail: f64) -> usize {
    at_most(n).iter().take_while(|share| **share <= tail).count()
}

/// How likely a sum of positive ranks at least as high is. Zeros are left out, equal ones share their rank.
fn p_greater(logs: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = logs.iter().copied().filter(|log| *log != 0.0).collect();
    sorted.sort_by(|a, b| a.abs().total_cmp(&b.abs()));
    if sorted.is_empty() {
        return 1.0;
    }
    let (mut positive, mut from) = (0.0, 0);
    while from < sorted.len() {
        let to = from + sorted[from..].iter().take_while(|log| log.abs() == sorted[from].abs()).count();
        let rank = (from + 1 + to) as f64 / 2.0;
        positive += rank * sorted[from..to].iter().filter(|log| **log > 0.0).count() as f64;
        from = to;
    }
    // At least this sum is as likely as at most its mirror; a half rank counts for us.
    let all = (sorted.len() * (sorted.len() + 1) / 2) as f64;
    let mirror = (all - positive).ceil() as usize;
    at_most(sorted.len())[mirror]
}

impl std::fmt::Display for Paired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Paired { pairs, ratio, low, high, p } = self;
        write!(f, "{ratio:.3} ({low:.3} to {high:.3}), {pairs} pairs, p {p:.2e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(ratios: &[f64]) -> Vec<(f64, f64)> {
        ratios.iter().map(|ratio| (2.0, 2.0 * ratio)).collect()
    }

    #[test]
    fn the_distribution_is_that_of_the_tables() {
        // Tables of the signed-rank test: the highest sum with at most 0.005 and 0.025 in a tail.
        for (n, one, five) in
            [(8, Some(0), 3), (10, Some(3), 8), (15, Some(15), 25), (20, Some(37), 52), (25, Some(68), 89)]
        {
            assert_eq!(critical(n, 0.005).checked_sub(1), one, "{n}");
            assert_eq!(critical(n, 0.025) - 1, five, "{n}");
        }
        assert_eq!(critical(5, 0.025), 0, "five pairs can't be so sure: 1 in 32");
        assert!((at_most(30).last().unwrap() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn p_is_that_of_the_textbook() {
        // All of n positive: 1 in 2^n; the lowest alone negative: 2 in 2^n; all negative: 1.
        let logs = [0.1, 0.2, 0.3, 0.4, 0.5];
        assert_eq!(p_greater(&logs), 1.0 / 32.0);
        assert_eq!(p_greater(&[-0.1, 0.2, 0.3, 0.4, 0.5]), 2.0 / 32.0);
        assert_eq!(p_greater(&logs.map(|log| -log)), 1.0);
        assert_eq!(p_greater(&[0.0, 0.0]), 1.0);
        assert_eq!(p_greater(&[0.0, 0.3]), 0.5);
        // Two that are equal, one of each sign: sums of 0, 1.5, 1.5, 3.
        assert_eq!(p_greater(&[0.2, -0.2]), 0.75);
    }

    #[test]
    fn a_slower_one_is_found_and_an_equal_one_is_not() {
        let noise = |n: usize| 1.0 + ((n * 7919) % 21) as f64 / 1_000.0 - 0.010;
        let slower: Vec<f64> = (0..25).map(|n| 1.05 * noise(n)).collect();
        let found = Paired::of(&pairs(&slower), 0.01, CONFIDENCE).unwrap();
        assert!(found.is_slower(0.01) && found.low > 1.04 && found.high < 1.06, "{found}");
        assert!((found.ratio - 1.05).abs() < 0.003, "{found}");
        let equal: Vec<f64> = (0..25).map(noise).collect();
        let found = Paired::of(&pairs(&equal), 0.0, CONFIDENCE).unwrap();
        assert!(!found.is_slower(0.01) && found.low < 1.0 && found.high > 1.0, "{found}");
        // The tolerance is what decides.
        let slightly: Vec<f64> = (0..25).map(|n| 1.02 * (1.0 + (n % 5) as f64 / 10_000.0)).collect();
        assert!(Paired::of(&pairs(&slightly), 0.01, CONFIDENCE).unwrap().is_slower(0.01));
        assert!(!Paired::of(&pairs(&slightly), 0.03, CONFIDENCE).unwrap().is_slower(0.01));
        let faster: Vec<f64> = slower.iter().map(|ratio| 1.0 / ratio).collect();
        assert!(!Paired::of(&pairs(&faster), 0.01, CONFIDENCE).unwrap().is_slower(0.01));
    }

    #[test]
    fn a_few_pairs_say_nothing_for_sure() {
        let few = Paired::of(&pairs(&[1.5, 1.6, 1.7]), 0.0, CONFIDENCE).unwrap();
        assert!(!few.is_slower(0.01) && few.low == 0.0 && few.high == f64::INFINITY);
        assert_eq!(Paired::of(&[], 0.0, CONFIDENCE), None);
        assert_eq!(Paired::of(&[(0.0, 1.0)], 0.0, CONFIDENCE), None);
        assert_eq!(Paired::of(&[(1.0, f64::NAN)], 0.0, CONFIDENCE), None);
    }
}
