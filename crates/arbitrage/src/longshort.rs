//! Balanced selections: which stocks to buy and which to sell, as many of either.
//!
//! After Tatsumura, Hidaka, Nakayama, Kashimata and Yamasaki ("Real-time trading system based on selections of potentially profitable,
//! uncorrelated, and balanced stocks by NP-hard combinatorial optimization", IEEE Access 11, 2023; arXiv:2307.06339): instantaneous expected returns
//! are deviations from a reference price, what is selected is to have little correlation in sum, and to be delta-neutral. Written here as
//!
//! ```text
//! value(x) = sum of r_i x_i  -  lambda sum over pairs of rho_ij s_i s_j x_i x_j,    sum of s_i x_i = 0,  x in {0, 1}
//! ```
//!
//! `r_i` is how far stock `i` is from its reference, in standard deviations, and `s_i` its side: 1 (bought) below the reference, -1
//! (sold) above it. Each number is rounded to [`UNITS`], and from there on all is in whole numbers: equal values are equal.
//!
//! [`exact`]: all selections of few stocks. [`search`](mod@search): exchanges that help, from any start; annealed starts.

pub mod exact;
pub mod search;

use crate::annealer::Function;
use crate::market::Market;
use thiserror::Error;

/// Units that a value of 1 is.
pub const UNITS: f64 = 65_536.0;
/// Stocks, at most.
pub const MOST_NAMES: usize = 1_000;
/// The largest weight of correlations.
pub const MOST_LAMBDA: f64 = 100.0;

/// Why there is nothing to be selected from.
#[derive(Clone, Copy, PartialEq, Debug, Error)]
pub enum SelectionError {
    /// Too many stocks.
    #[error("there are {0} stocks; from 2 to {MOST_NAMES} can be selected from")]
    Names(usize),
    /// A weight that is none.
    #[error("lambda is {0}; it must be from 0 to {MOST_LAMBDA}")]
    Lambda(f64),
}

/// What is selected from.
#[derive(Clone, PartialEq, Debug)]
pub struct Selection {
    names: usize,
    /// 1 is bought, -1 sold.
    side: Vec<i8>,
    /// `r_i`, in units.
    reward: Vec<i64>,
    /// `lambda rho_ij s_i s_j`, in units, row by row, 0 on the diagonal.
    cost: Vec<i64>,
}

impl Selection {
    /// Of a market.
    ///
    /// # Errors
    /// [`SelectionError`].
    pub fn new(market: &Market, lambda: f64) -> Result<Selection, SelectionError> {
        let n = market.len();
        if n > MOST_NAMES {
            return Err(SelectionError::Names(n));
        }
        if !(0.0..=MOST_LAMBDA).contains(&lambda) {
            return Err(SelectionError::Lambda(lambda));
        }
        // Further than a hundred standard deviations is no further: units stay within 31 bits.
        let deviation: Vec<f64> = (0..n).map(|name| market.deviation(name).clamp(-100.0, 100.0)).collect();
        let side: Vec<i8> = deviation.iter().map(|deviation| if *deviation > 0.0 { -1 } else { 1 }).collect();
        let reward = deviation.iter().map(|deviation| (deviation.abs() * UNITS).round() as i64).collect();
        let cost = (0..n * n).map(|at| {
            let (i, j) = (at / n, at % n);
            let sides = f64::from(side[i] * side[j]);
            if i == j { 0 } else { (lambda * market.correlation(i.min(j), i.max(j)) * sides * UNITS).round() as i64 }
        });
        let cost = cost.collect();
        Ok(Selection { names: n, side, reward, cost })
    }

    /// How many stocks.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names
    }

    /// 1 if this one would be bought, -1 if sold.
    #[must_use]
    pub fn side(&self, name: usize) -> i8 {
        self.side[name]
    }

    /// `r_i` in units.
    #[must_use]
    pub fn reward(&self, name: usize) -> i64 {
        self.reward[name]
    }

    /// `lambda rho_ij s_i s_j` in units.
    #[must_use]
    #[inline]
    pub fn cost(&self, i: usize, j: usize) -> i64 {
        self.cost[i * self.names + j]
    }

    /// What is bought less what is sold.
    #[must_use]
    pub fn net(&self, chosen: &[bool]) -> i64 {
        (0..self.names).filter(|name| chosen[*name]).map(|name| i64::from(self.side[name])).sum()
    }

    /// The value, in units, balanced or not.
    #[must_use]
    pub fn value(&self, chosen: &[bool]) -> i64 {
        let on = || (0..self.names).filter(|name| chosen[*name]);
        on().map(|i| self.reward[i] - on().filter(|j| *j < i).map(|j| self.cost(i, j)).sum::<i64>()).sum()
    }

    /// `- value + penalty net^2`, to be made small. With a penalty above what one stock can change in value, a least one is balanced;
    /// annealers find better with less.
    #[must_use]
    pub fn function(&self, penalty: i64) -> Function {
        let mut function = Function::new(self.names);
        for i in 0..self.names {
            function.add(i, i, penalty - self.reward[i]);
            for j in 0..i {
                let sides = i64::from(self.side[i] * self.side[j]);
                function.add(i, j, self.cost(i, j) + 2 * penalty * sides);
            }
        }
        function
    }
}
