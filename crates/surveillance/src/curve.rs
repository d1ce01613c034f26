//! What a detector is worth: its recall at so many false alarms an hour, how long it takes, and how sure that is.
//!
//! Days are what is drawn anew for an interval: what happens within one is not independent, days of different seeds are. Each drawn
//! set of days has the threshold that keeps to the rate on it, as the whole has.

use super::matching::{Judged, Met, Reach};
use firelane_sim::rng::Rng;
use serde::Serialize;

/// One alert of a detector, over days.
#[derive(Clone, PartialEq, Debug)]
pub struct Curve<T> {
    days: Vec<Judged<T>>,
    /// Each false alarm as in [`Judged::false_alarms`], with its day, descending.
    pooled: Vec<(f32, usize)>,
}

/// Targets that were met, of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Count {
    /// Met.
    pub met: u64,
    /// Of how many.
    pub of: u64,
}

impl Count {
    /// The part that was met; `None` if there were none.
    #[must_use]
    pub fn part(self) -> Option<f64> {
        (self.of > 0).then(|| self.met as f64 / self.of as f64)
    }
}

/// The quarter points of what was measured: of n values in order, number ceil(n/4), ceil(n/2) and ceil(3n/4).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Quartiles {
    /// A quarter of the values is not above it.
    pub low: u64,
    /// Half.
    pub median: u64,
    /// Three quarters.
    pub high: u64,
}

impl Quartiles {
    /// `None` of no values.
    #[must_use]
    pub fn of(mut values: Vec<u64>) -> Option<Self> {
        values.sort_unstable();
        let at = |quarters: usize| values.get((values.len() * quarters).div_ceil(4).checked_sub(1)?).copied();
        Some(Quartiles { low: at(1)?, median: at(2)?, high: at(3)? })
    }
}

impl<T: Copy> Curve<T> {
    /// Of days, in their order: the n-th of one alert and the n-th of another one are the same day.
    #[must_use]
    pub fn new(days: Vec<Judged<T>>) -> Self {
        let of_day =
            |(n, day): (usize, &Judged<T>)| day.false_alarms.iter().map(|score| (*score, n)).collect::<Vec<_>>();
        let mut pooled: Vec<(f32, usize)> = days.iter().enumerate().flat_map(of_day).collect();
        pooled.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        Curve { days, pooled }
    }

    /// Its days.
    #[must_use]
    pub fn days(&self) -> &[Judged<T>] {
        &self.days
    }

    /// Symbol-hours.
    #[must_use]
    pub fn hours(&self) -> f64 {
        self.days.iter().map(|day| day.hours).sum()
    }

    /// The lowest threshold with at most `rate` false alarms a symbol-hour; minus infinity: they are never more. Where false alarms of a day
    /// were not [all counted](Judged::floor) it is one down to which they were, and the rate is kept all the more.
    #[must_use]
    pub fn threshold(&self, rate: f64) -> f32 {
        self.threshold_of(rate, &vec![1; self.days.len()])
    }

    /// The same where each day counts so many times.
    fn threshold_of(&self, rate: f64, times: &[u64]) -> f32 {
        let hours: f64 = self.days.iter().zip(times).map(|(day, times)| day.hours * *times as f64).sum();
        let known = self.days.iter().zip(times).filter(|(_, times)| **times > 0).map(|(day, _)| day.floor);
        let floor = known.fold(f32::NEG_INFINITY, f32::max);
        // A rate that is reached exactly is kept, whatever the last bits of the hours are.
        let mut left = (rate * hours + 1e-6).floor().max(0.0) as u64;
        for (score, day) in &self.pooled {
            match left.checked_sub(times[*day]) {
                Some(less) => left = less,
                None => return score.next_up().max(floor),
            }
        }
        floor
    }

    /// False alarms a symbol-hour at a threshold.
    #[must_use]
    pub fn false_alarms_per_hour(&self, threshold: f32) -> f64 {
        let alarms: usize = self.days.iter().map(|day| day.false_alarms_at(threshold)).sum();
        alarms as f64 / self.hours()
    }

    /// Targets that are met at a threshold, of those that are wanted.
    #[must_use]
    pub fn met(&self, threshold: f32, wanted: impl Fn(&Met<T>) -> bool) -> Count {
        let mut count = Count::default();
        for met in self.days.iter().flat_map(|day| &day.met).filter(|met| wanted(met)) {
            count.of += 1;
            count.met += u64::from(met.at(threshold).is_some());
        }
        count
    }

    /// The first alerts of the targets that are wanted and met.
    pub fn first_alerts(&self, threshold: f32, wanted: impl Fn(&Met<T>) -> bool) -> Vec<Reach> {
        let met = self.days.iter().flat_map(|day| &day.met).filter(|met| wanted(met));
        met.filter_map(|met| met.at(threshold)).collect()
    }
}

/// How often days are drawn anew for an interval.
pub const RESAMPLES: usize = 1_000;

/// A part of all targets that were met, and the interval in which it is with a chance of 95 %: of [`RESAMPLES`] sets of as many days, drawn
/// with replacement, the 25th from below and from above. `None` without a target.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Recall {
    /// Met, of how many.
    #[serde(flatten)]
    pub count: Count,
    /// The part that was met.
    pub part: Option<f64>,
    /// From here...
    pub low: Option<f64>,
    /// ...to here.
    pub high: Option<f64>,
}

/// A set of days that was drawn: how often each is in it, and the threshold of each alert.
#[derive(Debug)]
struct Drawn {
    times: Vec<u64>,
    thresholds: Vec<f32>,
}

/// A detector's alerts, each with the threshold that keeps to so many false alarms a symbol-hour by itself.
#[derive(Debug)]
pub struct AtRate<'a, T> {
    curves: &'a [Curve<T>],
    /// Of all days, each once.
    whole: Drawn,
    drawn: Vec<Drawn>,
}

impl<'a, T: Copy> AtRate<'a, T> {
    /// For curves over the same days. `seed`: of the sets that are drawn, the same for all detectors that have as many days.
    #[must_use]
    pub fn new(curves: &'a [Curve<T>], rate: f64, seed: u64) -> Self {
        let days = curves.first().map_or(0, |curve| curve.days.len());
        let set = |times: Vec<u64>| {
            let thresholds = curves.iter().map(|curve| curve.threshold_of(rate, &times)).collect();
            Drawn { times, thresholds }
        };
        let mut rng = Rng::new(seed, "resampled days");
        let mut draw = || {
            let mut times = vec![0; days];
            (0..days).for_each(|_| times[rng.index(days)] += 1);
            set(times)
        };
        let drawn = (0..RESAMPLES).map(|_| draw()).collect();
        AtRate { curves, whole: set(vec![1; days]), drawn }
    }

    /// The threshold of each alert, over all days.
    #[must_use]
    pub fn thresholds(&self) -> &[f32] {
        &self.whole.thresholds
    }

    /// The recall of the targets that are wanted, by the number of their alert and by what they are.
    pub fn recall(&self, wanted: impl Fn(usize, &Met<T>) -> bool) -> Recall {
        let mut targets = Vec::new();
        for (alert, curve) in self.curves.iter().enumerate() {
            for (day, judged) in curve.days.iter().enumerate() {
                let of_it = judged.met.iter().filter(|met| wanted(alert, met));
                targets.extend(of_it.map(|met| (alert, day, met.highest())));
            }
        }
        let of = |set: &Drawn| {
            let mut count = Count::default();
            for (alert, day, highest) in &targets {
                let times = set.times[*day];
                count.of += times;
                count.met += if highest.is_some_and(|score| score >= set.thresholds[*alert]) { times } else { 0 };
            }
            count
        };
        let count = of(&self.whole);
        let mut parts: Vec<f64> = self.drawn.iter().filter_map(|set| of(set).part()).collect();
        parts.sort_by(f64::total_cmp);
        let tail = (parts.len() / 40).saturating_sub(1);
        Recall { count, part: count.part(), low: parts.get(tail).copied(), high: parts.iter().rev().nth(tail).copied() }
    }
}
