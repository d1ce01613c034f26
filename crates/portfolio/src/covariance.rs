//! A covariance that is kept up to date: mid prices on a grid of exchange time, their log returns, and what these vary together.
//!
//! ```text
//! mids (name, time) ──> Grid: the last mid of each at every point ──> a row of log returns ──> Returns: window, or fading ──> Estimate
//!                                                                                             (shrunk, positive semidefinite)
//! ```
//!
//! Shrinkage is that of Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate
//! Analysis 88, 2004: towards the mean variance on the diagonal, by as much as the observations say. Pure: no clock, no I/O, and memory
//! only from the start.

mod returns;

pub use returns::{Estimate, Returns, Weighting};

use crate::universe::MOST_NAMES;
use thiserror::Error;

/// Observations that a window holds, at most.
pub const MOST_OBSERVATIONS: usize = 100_000;

/// Points without a mid that a grid goes on across, at most: each of them gives a row.
pub const MOST_IDLE: u64 = 100_000;

/// Why something was not taken. Nothing has changed then.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum CovarianceError {
    /// No names, or too many.
    #[error("there are {0} names; a covariance has 1 to {MOST_NAMES}")]
    Names(usize),
    /// A grid that does not go on.
    #[error("the grid's step is 0 ns; it must be 1 or more")]
    Step,
    /// It would go on for too long without a mid.
    #[error("a grid goes on across {0} idle points; it must be {MOST_IDLE} at most")]
    Idle(u64),
    /// A window, or a half-life, out of range.
    #[error("{what} is {value}; it must be {range}")]
    Weighting {
        /// What it is.
        what: &'static str,
        /// As it was given.
        value: f64,
        /// Its range.
        range: &'static str,
    },
    /// No such name.
    #[error("there is no name #{name}; there are {names}")]
    Name {
        /// As it was given.
        name: usize,
        /// So many there are.
        names: usize,
    },
    /// A price that is none.
    #[error("the mid {0} is no price; it must be above 0 and finite")]
    Mid(f64),
    /// An earlier time than the last.
    #[error("the time {at} ns is before {last} ns; mids must come in order")]
    Order {
        /// As it was given.
        at: u64,
        /// The last one.
        last: u64,
    },
    /// Returns of another number of names, or one that is none.
    #[error("a row of returns has {is} numbers of which all are finite; it must be {must}")]
    Row {
        /// Finite ones.
        is: usize,
        /// So many names.
        must: usize,
    },
}

/// Samples mids at points of time, `step` apart: the last that was known at or before each.
#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    step: u64,
    /// Points without any mid after which the market is taken to have been away: no return is taken across.
    idle: u64,
    /// The next point; none before the first mid.
    next: Option<u64>,
    last: u64,
    /// The last mid of each name, 0 before the first.
    mids: Vec<f64>,
    /// Logarithms at the last point where all names had a mid.
    sampled: Vec<f64>,
    is_sampled: bool,
    row: Vec<f64>,
}

impl Grid {
    /// A grid of points at multiples of `step` nanoseconds, for so many names. Across `idle` points without a mid (a night, a halt of the
    /// feed) no return is taken.
    ///
    /// # Errors
    /// [`CovarianceError::Names`], [`CovarianceError::Step`], [`CovarianceError::Idle`].
    pub fn new(names: usize, step: u64, idle: u64) -> Result<Grid, CovarianceError> {
        if names == 0 || names > MOST_NAMES {
            return Err(CovarianceError::Names(names));
        }
        if step == 0 {
            return Err(CovarianceError::Step);
        }
        if idle > MOST_IDLE {
            return Err(CovarianceError::Idle(idle));
        }
        let zeros = vec![0.0; names];
        let (sampled, row) = (zeros.clone(), zeros.clone());
        Ok(Grid { step, idle, next: None, last: 0, mids: zeros, sampled, is_sampled: false, row })
    }

    /// A mid price of a name, `at` nanoseconds of exchange time. The rows of log returns of the points before it are added to `returns`;
    /// the answer is how many.
    ///
    /// # Errors
    /// [`CovarianceError::Name`], [`CovarianceError::Mid`], [`CovarianceError::Order`]; [`CovarianceError::Row`] if `returns` are of
    /// other names.
    pub fn on_mid(&mut self, at: u64, name: usize, mid: f64, returns: &mut Returns) -> Result<u64, CovarianceError> {
        let names = self.mids.len();
        if name >= names {
            return Err(CovarianceError::Name { name, names });
        }
        if !(mid.is_finite() && mid > 0.0) {
            return Err(CovarianceError::Mid(mid));
        }
        if returns.names() != names {
            return Err(CovarianceError::Row { is: names, must: returns.names() });
        }
        let rows = self.advance(at, returns)?;
        self.mids[name] = mid;
        Ok(rows)
    }

    /// It is `at` nanoseconds: the same without a mid.
    ///
    /// # Errors
    /// [`CovarianceError::Order`]; [`CovarianceError::Row`] if `returns` are of other names.
    pub fn advance(&mut self, at: u64, returns: &mut Returns) -> Result<u64, CovarianceError> {
        if at < self.last {
            return Err(CovarianceError::Order { at, last: self.last });
        }
        self.last = at;
        let Some(next) = self.next else {
            // Behind the end of time there is no point.
            self.next = Some(at.checked_next_multiple_of(self.step).unwrap_or(u64::MAX));
            return Ok(0);
        };
        // A mid at a point itself is part of it.
        let points = if at > next { (at - next).div_ceil(self.step) } else { 0 };
        self.next = Some(next.saturating_add(points.saturating_mul(self.step)));
        let mut rows = 0;
        if points > self.idle.saturating_add(1) {
            // The point that the last mids belong to still counts; then there is nothing to measure from.
            rows += u64::from(self.sample(returns)?);
            self.is_sampled = false;
            return Ok(rows);
        }
        for _ in 0..points {
            rows += u64::from(self.sample(returns)?);
        }
        Ok(rows)
    }

    fn sample(&mut self, returns: &mut Returns) -> Result<bool, CovarianceError> {
        if self.mids.contains(&0.0) {
            return Ok(false);
        }
        for ((row, sampled), mid) in self.row.iter_mut().zip(&mut self.sampled).zip(&self.mids) {
            let now = mid.ln();
            *row = now - *sampled;
            *sampled = now;
        }
        if !std::mem::replace(&mut self.is_sampled, true) {
            return Ok(false);
        }
        returns.add(&self.row)?;
        Ok(true)
    }
}
