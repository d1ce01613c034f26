//! From what is held to what should be, again and again: the half of a portfolio strategy that stands beside the lane.
//!
//! ```text
//! positions, prices, cash ──> current weights ──> search, from the names of the last time ──> whole lots ──> Target ──> (until it expires)
//! covariance, means ───────────────────────────────┘ (ends when its watcher says so)
//! ```
//!
//! Pure: the time is an argument, and a deadline is a watcher that looks at a clock of its own.

use crate::lots::{LotsError, Terms, round_within};
use crate::mandate::Mandate;
use crate::model::{Held, Portfolio, Problem, Side, SolveError};
use crate::search::{Options, Progress, Starts};
use crate::universe::Universe;
use std::ops::ControlFlow;
use thiserror::Error;

/// Nodes that the proof of whole lots may take: some milliseconds.
const EFFORT: u64 = 20_000;

/// What there is when weights are asked for.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// Nanoseconds, of any clock: what [`Target::wanted`] is asked by.
    pub at: u64,
    /// What can be held.
    pub universe: &'a Universe,
    /// Shares of each name; what is owed is negative.
    pub shares: &'a [i64],
    /// Of a share, in units of money.
    pub price: &'a [u64],
    /// Shares of a lot.
    pub lot: &'a [u64],
    /// In units of money; what is borrowed is negative.
    pub cash: i64,
}

/// What becomes of a target that nobody has renewed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expired {
    /// What is held then is kept.
    Hold,
    /// Nothing is to be held.
    Flat,
}

/// What to trade towards.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted<'a> {
    /// So many shares of each name.
    Shares(&'a [i64]),
    /// What there is.
    Hold,
    /// Nothing.
    Flat,
}

/// Whole lots to trade towards, for some time.
#[derive(Clone, PartialEq, Debug)]
pub struct Target {
    /// Shares of each name.
    pub shares: Vec<i64>,
    /// The weights that these track.
    pub portfolio: Portfolio,
    /// What is left over then, in units of money.
    pub cash: i64,
    /// Was the search ended by its watcher?
    pub stopped: bool,
    /// It is good before this time.
    pub until: u64,
    /// And what then.
    pub then: Expired,
}

impl Target {
    /// What is wanted at a time.
    #[must_use]
    pub fn wanted(&self, at: u64) -> Wanted<'_> {
        match self.then {
            _ if at < self.until => Wanted::Shares(&self.shares),
            Expired::Hold => Wanted::Hold,
            Expired::Flat => Wanted::Flat,
        }
    }
}

/// Why there is no target; the last one is good until it expires.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum RebalanceError {
    /// Not one for each name.
    #[error("{what}: {is} are given, and there are {names} names")]
    Length {
        /// Of what.
        what: &'static str,
        /// So many there are.
        is: usize,
        /// For so many names.
        names: usize,
    },
    /// Nothing is left to invest.
    #[error("positions and cash are worth {0} units of money; there must be 1 or more to invest")]
    Equity(i128),
    /// No portfolio.
    #[error(transparent)]
    Solve(#[from] SolveError),
    /// No lots.
    #[error(transparent)]
    Lots(#[from] LotsError),
    /// Whole lots miss a limit.
    #[error(
        "no whole lots were found that keep to the mandate: a limit is missed by {0:.2e}; more capital, smaller lots or looser limits would do"
    )]
    Missed(f64),
}

/// Asks again and again, and remembers which names were best.
#[derive(Clone, Debug)]
pub struct Rebalancer<S> {
    mandate: Mandate,
    lambda: f64,
    starts: S,
    /// Descents besides the one from the last time.
    descents: u64,
    /// How long a target is good, in nanoseconds, and what then.
    valid: u64,
    then: Expired,
    support: Vec<Held>,
}

impl<S: Starts> Rebalancer<S> {
    /// Under this mandate, whose `current` weights are those of each time.
    #[must_use]
    pub fn new(mandate: Mandate, lambda: f64, starts: S, descents: u64, valid: u64, then: Expired) -> Rebalancer<S> {
        Rebalancer { mandate, lambda, starts, descents, valid, then, support: Vec::new() }
    }

    /// The target of now. `watch` ends the search, at a deadline.
    ///
    /// # Errors
    /// [`RebalanceError`]; which names were best is remembered from before then.
    pub fn target(
        &mut self,
        now: &Now<'_>,
        watch: &mut dyn FnMut(&Progress) -> ControlFlow<()>,
    ) -> Result<Target, RebalanceError> {
        let names = now.universe.len();
        for (what, is) in [("shares", now.shares.len()), ("prices", now.price.len()), ("lots", now.lot.len())] {
            if is != names {
                return Err(RebalanceError::Length { what, is, names });
            }
        }
        let value = |name: usize| i128::from(now.shares[name]) * i128::from(now.price[name]);
        let equity = (0..names).map(value).sum::<i128>() + i128::from(now.cash);
        let capital =
            u64::try_from(equity).ok().filter(|capital| *capital > 0).ok_or(RebalanceError::Equity(equity))?;
        let current: Vec<f64> = (0..names).map(|name| value(name) as f64 / capital as f64).collect();
        let mandate = Mandate { current, ..self.mandate.clone() };
        let problem = Problem::new(now.universe, &mandate, self.lambda)?;
        let held = |name: &usize| mandate.current[*name] != 0.0;
        let side = |name: usize| if mandate.current[name] < 0.0 { Side::Short } else { Side::Long };
        let warm = if self.support.is_empty() {
            (0..names).filter(held).map(|name| Held { name, side: side(name) }).collect()
        } else {
            self.support.clone()
        };
        let found = problem.solve(&Options { starts: self.descents, warm }, &mut self.starts, watch)?;
        let terms = Terms { price: now.price.to_vec(), lot: now.lot.to_vec(), capital };
        let lots = round_within(now.universe, &mandate, &found.portfolio.weights, &terms, EFFORT)?;
        if lots.violation > 0.0 {
            return Err(RebalanceError::Missed(lots.violation));
        }
        self.support = found.support;
        Ok(Target {
            shares: lots.shares,
            cash: lots.cash,
            portfolio: found.portfolio,
            stopped: found.stopped,
            until: now.at.saturating_add(self.valid),
            then: self.then,
        })
    }
}
