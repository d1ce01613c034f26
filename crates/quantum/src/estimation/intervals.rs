//! Confidence intervals of a probability, from how often something was seen.

use crate::error::{Error, within};
use serde::Serialize;
use statrs::distribution::{Beta, ContinuousCDF};

/// From and to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Is it within?
    #[must_use]
    pub fn contains(self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Its middle.
    #[must_use]
    pub fn middle(self) -> f64 {
        f64::midpoint(self.low, self.high)
    }

    /// Both ends taken somewhere else by a rising or falling function.
    #[must_use]
    pub fn map(self, function: impl Fn(f64) -> f64) -> Interval {
        let (a, b) = (function(self.low), function(self.high));
        Interval { low: a.min(b), high: a.max(b) }
    }
}

/// How an interval is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// From the quantiles of the binomial distribution: exact (Clopper and Pearson, 1934).
    #[default]
    ClopperPearson,
    /// By the bound of Chernoff and Hoeffding.
    Chernoff,
}

/// The interval that holds the probability of what was seen `hits` times in `shots`, but for `alpha` of all cases.
///
/// # Errors
///
/// No shot, more hits than shots, an `alpha` that is not between 0 and 1.
pub fn interval(hits: usize, shots: usize, alpha: f64, method: Method) -> Result<Interval, Error> {
    within(shots as f64, "the number of shots", "at least 1", shots >= 1)?;
    within(hits as f64, "the number of hits", "at most the number of shots", hits <= shots)?;
    within(alpha, "alpha", "between 0 and 1", alpha > 0.0 && alpha < 1.0)?;
    let (n, k) = (shots as f64, hits as f64);
    Ok(match method {
        Method::Chernoff => {
            let half = ((2.0 / alpha).ln() / (2.0 * n)).sqrt();
            Interval { low: (k / n - half).max(0.0), high: (k / n + half).min(1.0) }
        }
        Method::ClopperPearson => {
            // Both parameters are at least 1 here.
            let quantile = |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |beta| beta.inverse_cdf(p));
            let low = if hits == 0 { 0.0 } else { quantile(k, n - k + 1.0, alpha / 2.0) };
            let high = if hits == shots { 1.0 } else { quantile(k + 1.0, n - k, 1.0 - alpha / 2.0) };
            Interval { low, high }
        }
    })
}
