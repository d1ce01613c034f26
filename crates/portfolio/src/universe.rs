//! What can be held: names, expected returns, and the covariance of returns, checked.

pub mod file;

use crate::dense;
use std::collections::HashMap;
use thiserror::Error;

/// Names, at most: a covariance of so many takes 32 MB.
pub const MOST_NAMES: usize = 2_000;

/// How far below zero the least eigenvalue of a covariance may be, in parts of its largest variance. Correlations that are
/// rounded to six digits (OR-Library's) need some of it.
pub const SEMIDEFINITE: f64 = 1e-6;

/// How far two entries that must be equal may be apart, in parts of the largest variance.
pub const SYMMETRIC: f64 = 1e-12;

/// What can be held. Returns are fractions a period (0.01 is 1 %), covariances their products, of the same period.
#[derive(Clone, PartialEq, Debug)]
pub struct Universe {
    names: Vec<String>,
    mean: Vec<f64>,
    /// Row by row.
    covariance: Vec<f64>,
    index: HashMap<String, usize>,
}

/// Why this is no universe.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum UniverseError {
    /// No names, or too many.
    #[error("there are {0} names; a universe has 1 to {MOST_NAMES}")]
    Names(usize),
    /// Two are called alike.
    #[error("`{0}` is there twice; give each name once")]
    Twice(String),
    /// Lengths that do not fit.
    #[error("{what} has {is} numbers, and must have {must}, as there are {names} names")]
    Length {
        /// What has them.
        what: &'static str,
        /// So many there are.
        is: usize,
        /// So many must be.
        must: usize,
        /// For so many names.
        names: usize,
    },
    /// A number that is none.
    #[error("the mean of `{0}` is not finite; leave the name out, or give it a return")]
    Mean(String),
    /// A covariance that is none.
    #[error("the covariance of `{0}` and `{1}` is not finite; leave one out, or fill it")]
    Covariance(String, String),
    /// A variance below zero.
    #[error("the variance of `{0}` is {1:e}, below zero")]
    Variance(String, f64),
    /// `(i, j)` is not `(j, i)`.
    #[error("the covariance of `{0}` and `{1}` is {2:e}, and of `{1}` and `{0}` {3:e}; it must be symmetric")]
    NotSymmetric(String, String, f64, f64),
    /// A combination would have a negative variance.
    #[error(
        "the covariance is not positive semidefinite: some combination of `{0}` and the names before it has the \
         variance {1:e}; shrink it (towards its diagonal), or estimate it from more observations than names"
    )]
    NotSemidefinite(String, f64),
}

impl Universe {
    /// A universe of these names, their mean returns, and the covariance row by row.
    ///
    /// # Errors
    /// Whatever is wrong first: counts, names twice, numbers that are not finite, variances below zero, a covariance that is
    /// not symmetric to [`SYMMETRIC`] or not positive semidefinite to [`SEMIDEFINITE`].
    pub fn new(names: Vec<String>, mean: Vec<f64>, mut covariance: Vec<f64>) -> Result<Universe, UniverseError> {
        let n = names.len();
        if n == 0 || n > MOST_NAMES {
            return Err(UniverseError::Names(n));
        }
        for (what, is, must) in [("the mean", mean.len(), n), ("the covariance", covariance.len(), n * n)] {
            if is != must {
                return Err(UniverseError::Length { what, is, must, names: n });
            }
        }
        let mut index = HashMap::with_capacity(n);
        for (at, name) in names.iter().enumerate() {
            if index.insert(name.clone(), at).is_some() {
                return Err(UniverseError::Twice(name.clone()));
            }
        }
        if let Some(at) = mean.iter().position(|mean| !mean.is_finite()) {
            return Err(UniverseError::Mean(names[at].clone()));
        }
        if let Some(at) = covariance.iter().position(|value| !value.is_finite()) {
            return Err(UniverseError::Covariance(names[at / n].clone(), names[at % n].clone()));
        }
        if let Some(at) = (0..n).find(|at| covariance[at * (n + 1)] < 0.0) {
            return Err(UniverseError::Variance(names[at].clone(), covariance[at * (n + 1)]));
        }
        let scale = (0..n).map(|at| covariance[at * (n + 1)]).fold(0.0, f64::max);
        for i in 0..n {
            for j in 0..i {
                let (lower, upper) = (covariance[i * n + j], covariance[j * n + i]);
                // Halves are added: the sum of two might be infinite.
                if (lower / 2.0 - upper / 2.0).abs() > SYMMETRIC * scale / 2.0 {
                    return Err(UniverseError::NotSymmetric(names[i].clone(), names[j].clone(), lower, upper));
                }
                let middle = lower / 2.0 + upper / 2.0;
                (covariance[i * n + j], covariance[j * n + i]) = (middle, middle);
            }
        }
        semidefinite(&covariance, n, scale)
            .map_err(|(at, variance)| UniverseError::NotSemidefinite(names[at].clone(), variance))?;
        Ok(Universe { names, mean, covariance, index })
    }

    /// How many names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Never: a universe has a name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, by index.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where a name stands.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Mean returns a period.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// A name's row of the covariance.
    ///
    /// # Panics
    /// If there is no such name.
    #[must_use]
    pub fn covariances(&self, name: usize) -> &[f64] {
        &self.covariance[name * self.len()..(name + 1) * self.len()]
    }

    /// The covariance, row by row.
    #[must_use]
    pub fn covariance(&self) -> &[f64] {
        &self.covariance
    }

    /// The return of a portfolio: `μ'w`. Weights that are missing are 0.
    #[must_use]
    pub fn return_of(&self, weights: &[f64]) -> f64 {
        dense::dot(&self.mean, weights)
    }

    /// The variance of a portfolio: `w'Σw`. Weights that are missing are 0.
    #[must_use]
    pub fn variance_of(&self, weights: &[f64]) -> f64 {
        let rows = self.covariance.chunks_exact(self.len());
        weights.iter().zip(rows).filter(|(w, _)| **w != 0.0).map(|(w, row)| w * dense::dot(row, weights)).sum()
    }
}

/// Is it, with [`SEMIDEFINITE`] of `scale` added to the diagonal, positive definite? Else: up to where it is, and the variance
/// of the combination that shows it.
fn semidefinite(covariance: &[f64], n: usize, scale: f64) -> Result<(), (usize, f64)> {
    if scale == 0.0 {
        // Nothing varies; then nothing may covary.
        return covariance.iter().position(|value| *value != 0.0).map_or(Ok(()), |at| Err((at / n, 0.0)));
    }
    let mut factored: Vec<f64> = covariance.iter().map(|value| value / scale).collect();
    for at in 0..n {
        factored[at * (n + 1)] += SEMIDEFINITE;
    }
    dense::factor(&mut factored, n, |_, pivot| pivot > 0.0).map_err(|(at, pivot)| (at, pivot * scale))
}
