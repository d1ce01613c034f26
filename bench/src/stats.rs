//! Medians and percentiles.

use serde::Serialize;

/// Fastest and middle of several rounds, in nanoseconds a message.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Rounds {
    /// The fastest round: the code without its neighbours.
    pub best: f64,
    /// The middle round: what a loaded machine gives.
    pub median: f64,
}

impl Rounds {
    /// Of at least one round.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        Rounds { best: rounds[0], median: rounds[rounds.len() / 2] }
    }
}

impl std::fmt::Display for Rounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:6.2} ns/message (best {:.2})", self.median, self.best)
    }
}

/// How a latency is distributed, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Percentiles {
    /// How many samples.
    pub samples: usize,
    /// The smallest.
    pub min: f64,
    /// The middle one.
    pub p50: f64,
    /// Nine in ten are no larger.
    pub p90: f64,
    /// 99 in 100 are no larger.
    pub p99: f64,
    /// 999 in 1,000 are no larger.
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

impl Percentiles {
    /// Of samples in ticks. `None` without samples.
    #[must_use]
    pub fn of(mut ticks: Vec<u64>, ns_per_tick: f64) -> Option<Self> {
        ticks.sort_unstable();
        let at = |share: f64| {
            let rank = (ticks.len() as f64 * share).ceil() as usize;
            ticks.get(rank.clamp(1, ticks.len()) - 1).map(|n| *n as f64 * ns_per_tick)
        };
        Some(Percentiles {
            samples: ticks.len(),
            min: *ticks.first()? as f64 * ns_per_tick,
            p50: at(0.5)?,
            p90: at(0.9)?,
            p99: at(0.99)?,
            p999: at(0.999)?,
            max: at(1.0)?,
        })
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Percentiles { p50, p90, p99, p999, .. } = self;
        write!(f, "p50 {p50:6.0}  p90 {p90:6.0}  p99 {p99:6.0}  p99.9 {p999:7.0}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_sample_that_so_many_do_not_exceed() {
        let all = Percentiles::of((1..=1000).rev().collect(), 2.0).unwrap();
        assert_eq!((all.min, all.p50, all.p90), (2.0, 1000.0, 1800.0));
        assert_eq!((all.p99, all.p999, all.max), (1980.0, 1998.0, 2000.0));
        let one = Percentiles::of(vec![7], 1.0).unwrap();
        assert_eq!((one.p50, one.p99, one.samples), (7.0, 7.0, 1));
        assert_eq!(Percentiles::of(Vec::new(), 1.0), None);
        assert_eq!(Rounds::of(vec![3.0, 1.0, 2.0]), Rounds { best: 1.0, median: 2.0 });
    }
}
