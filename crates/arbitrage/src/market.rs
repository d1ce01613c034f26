//! What pairs and selections are chosen by: how alike stocks move, and how far each is from where it should be.

use firelane_portfolio::universe::Universe;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use thiserror::Error;

/// Names, at most.
pub const MOST_NAMES: usize = 2_000;
/// The furthest that a price may be from its reference, as a logarithm.
pub const MOST_DEVIATION: f64 = 5.0;

/// Why this is no market.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum MarketError {
    /// Too few names, or too many.
    #[error("there are {0} names; 2 to {MOST_NAMES} can be compared")]
    Names(usize),
    /// Lengths that do not fit.
    #[error("{what} has {is} numbers, and must have {must}")]
    Length {
        /// What.
        what: &'static str,
        /// So many there are.
        is: usize,
        /// So many must be.
        must: usize,
    },
    /// A price that is none.
    #[error("the {what} of `{name}` is {value}; prices are finite and above 0, and the bid is not above the ask")]
    Price {
        /// Which price.
        what: &'static str,
        /// Whose.
        name: String,
        /// What it is.
        value: f64,
    },
    /// A price far from its reference.
    #[error("the price of `{0}` is {1} times its reference: give the reference of the same share")]
    Far(String, f64),
    /// A correlation that is none.
    #[error("the correlation of `{0}` and `{1}` is {2}; it must be from -1 to 1, and the same both ways")]
    Correlation(String, String, f64),
    /// A name whose returns don't vary.
    #[error("the variance of `{0}` is 0: it has no correlation; leave it out")]
    Still(String),
}

/// A stock's prices.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Price {
    /// Where it can be sold.
    pub bid: f64,
    /// Where it can be bought.
    pub ask: f64,
    /// Where it should be: the close of yesterday, a volume-weighted average.
    pub reference: f64,
}

/// Stocks that were checked.
#[derive(Clone, PartialEq, Debug)]
pub struct Market {
    names: Vec<String>,
    /// Row by row.
    correlation: Vec<f64>,
    /// Logarithms of bid and ask over the reference.
    bid: Vec<f64>,
    ask: Vec<f64>,
    /// Standard deviation of a day's return.
    volatility: Vec<f64>,
}

impl Market {
    /// The first names of a universe at these prices.
    ///
    /// # Errors
    /// [`MarketError`].
    pub fn new(universe: &Universe, prices: &[Price]) -> Result<Market, MarketError> {
        let n = prices.len();
        if !(2..=MOST_NAMES).contains(&n) {
            return Err(MarketError::Names(n));
        }
        if n > universe.len() {
            return Err(MarketError::Length { what: "the list of prices", is: n, must: universe.len() });
        }
        let names = universe.names()[..n].to_vec();
        let mut volatility = Vec::with_capacity(n);
        for (at, name) in names.iter().enumerate() {
            let variance = universe.covariances(at)[at];
            if variance <= 0.0 {
                return Err(MarketError::Still(name.clone()));
            }
            volatility.push(variance.sqrt());
        }
        let mut correlation = vec![1.0; n * n];
        for i in 0..n {
            for j in 0..n {
                if i != j {
                    let value = universe.covariances(i)[j] / (volatility[i] * volatility[j]);
                    // Rounding alone may put it a hair beyond 1.
                    if !value.is_finite() || value.abs() > 1.0 + 1e-6 {
                        return Err(MarketError::Correlation(names[i].clone(), names[j].clone(), value));
                    }
                    correlation[i * n + j] = value.clamp(-1.0, 1.0);
                }
            }
        }
        let (mut bid, mut ask) = (Vec::with_capacity(n), Vec::with_capacity(n));
        for (price, name) in prices.iter().zip(&names) {
            for (what, value) in [("bid", price.bid), ("ask", price.ask), ("reference", price.reference)] {
                if !(value.is_finite() && value > 0.0) {
                    return Err(MarketError::Price { what, name: name.clone(), value });
                }
            }
            if price.bid > price.ask {
                return Err(MarketError::Price { what: "bid", name: name.clone(), value: price.bid });
            }
            for (of, value) in [(&mut bid, price.bid), (&mut ask, price.ask)] {
                let log = (value / price.reference).ln();
                // Infinite where the quotient is out of a float's range.
                if log.abs() > MOST_DEVIATION {
                    return Err(MarketError::Far(name.clone(), value / price.reference));
                }
                of.push(log);
            }
        }
        Ok(Market { names, correlation, bid, ask, volatility })
    }

    /// How many names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: there are two names at least.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Names, by index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// How alike two move, from -1 to 1.
    #[must_use]
    pub fn correlation(&self, i: usize, j: usize) -> f64 {
        self.correlation[i * self.len() + j]
    }

    /// The logarithm of the bid over the reference.
    #[must_use]
    pub fn bid(&self, name: usize) -> f64 {
        self.bid[name]
    }

    /// The logarithm of the ask over the reference.
    #[must_use]
    pub fn ask(&self, name: usize) -> f64 {
        self.ask[name]
    }

    /// Half way between the two, in standard deviations of a day's return.
    #[must_use]
    pub fn deviation(&self, name: usize) -> f64 {
        (self.bid[name] + self.ask[name]) / 2.0 / self.volatility[name]
    }
}

/// Prices of the first `count` names of a universe that were made up: a day's returns, drawn with the universe's covariance from a
/// reference of 100, and `half_spread` of it on either side. The same for the same seed.
#[must_use]
pub fn made(universe: &Universe, count: usize, half_spread: f64, seed: u64) -> Vec<Price> {
    let n = count.min(universe.len());
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let scale = (0..n).map(|at| universe.covariances(at)[at]).fold(0.0, f64::max);
    // The lower factor of Cholesky, with a hair on the diagonal: correlations are rounded, and may not quite be semidefinite.
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let left = universe.covariances(i)[j] - known;
            factor[i * n + j] = if i == j {
                (left + 1e-9 * scale).max(0.0).sqrt()
            } else if factor[j * n + j] > 0.0 {
                left / factor[j * n + j]
            } else {
                0.0
            };
        }
    }
    let drawn: Vec<f64> = (0..n).map(|_| normal(&mut random)).collect();
    let price = |name: usize| {
        let change: f64 = (0..=name).map(|k| factor[name * n + k] * drawn[k]).sum();
        let middle = 100.0 * (1.0 + change.clamp(-0.9, 9.0));
        Price { bid: middle * (1.0 - half_spread), ask: middle * (1.0 + half_spread), reference: 100.0 }
    };
    (0..n).map(price).collect()
}

/// Near enough normal, and the same everywhere: twelve uniform numbers, added up, less 6.
pub(crate) fn normal(random: &mut impl Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}
