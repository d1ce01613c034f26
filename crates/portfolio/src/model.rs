//! The mean-variance model: what is asked, what is answered, and the convex program of names and sides that are chosen.
//!
//! ```text
//! minimise   λ w'Σw - (1 - λ) (μ'w - costs(w))     over weights w that keep to the mandate
//! ```
//!
//! λ = 0 asks for return alone, λ = 1 for the least variance (Chang and others, 2000, section 2).

use crate::feasible::Infeasible;
use crate::mandate::{Mandate, Refused, Span};
use crate::program::{Active, Program, Solved, Unsolved};
use crate::universe::Universe;
use serde::Serialize;
use thiserror::Error;

/// A weight that may be 0 and is no larger is 0.
const NOTHING: f64 = 1e-12;

/// Which way a name is held.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Owned.
    Long,
    /// Owed.
    Short,
}

/// A name that is held, by index.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Held {
    /// Which one.
    pub name: usize,
    /// Which way.
    pub side: Side,
}

/// What is asked: the best portfolio of a universe under a mandate, for one weighing of variance and return.
#[derive(Clone, Copy, Debug)]
pub struct Problem<'a> {
    universe: &'a Universe,
    mandate: &'a Mandate,
    lambda: f64,
}

/// A portfolio that answers a [`Problem`].
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Portfolio {
    /// One weight a name; what is not held is 0.
    pub weights: Vec<f64>,
    /// `μ'w`, before costs.
    pub mean: f64,
    /// `w'Σw`.
    pub variance: f64,
    /// Of trading there from what is held now.
    pub cost: f64,
    /// What was minimised.
    pub objective: f64,
    /// For these names and sides, the objective is at most so far above the least there is (of the dual point beside it).
    pub gap: f64,
    /// By how much the limit is missed that is missed most: 1e-9 at most.
    pub violation: f64,
}

impl Portfolio {
    /// Names held, by index.
    pub fn held(&self) -> impl Iterator<Item = usize> + '_ {
        self.weights.iter().enumerate().filter(|(_, w)| **w != 0.0).map(|(name, _)| name)
    }
}

/// Why there is no portfolio.
#[derive(Clone, PartialEq, Debug, Error)]
pub enum SolveError {
    /// λ is no part.
    #[error("lambda is {0}; it must be 0 (return alone) to 1 (variance alone)")]
    Lambda(f64),
    /// The mandate says what cannot be meant.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its limits cannot be met together.
    #[error(transparent)]
    Infeasible(#[from] Infeasible),
    /// The search found nothing that keeps to the mandate, and nobody has proved that there is nothing.
    #[error(
        "no portfolio was found that keeps to the mandate, after {starts} starts; none of its limits is proved impossible: \
         search longer, or loosen count, minimum or turnover"
    )]
    NotFound {
        /// So many were tried.
        starts: u64,
    },
    /// A name of a support that cannot be held so.
    #[error("the support has the name #{0} twice, on a side that it may not have, or it is not there")]
    Support(usize),
    /// Only a search answers this.
    #[error("the mandate limits how many names are held, or how little of one; only a search answers that")]
    NotConvex,
    /// No portfolio has this return.
    #[error("no portfolio under this mandate has the mean return {0}")]
    Unreachable(f64),
    /// The solver of convex programs gave up.
    #[error("the convex solver gave up ({0}); are there weights, returns or variances many magnitudes apart?")]
    GaveUp(&'static str),
    /// Its solution misses a limit by more than 1e-9.
    #[error("the solution misses a limit by {0:e}; are there limits many magnitudes apart?")]
    Inexact(f64),
}

impl<'a> Problem<'a> {
    /// A problem of this universe.
    ///
    /// # Errors
    /// λ out of range, or what [`Mandate::check`] refuses.
    pub fn new(universe: &'a Universe, mandate: &'a Mandate, lambda: f64) -> Result<Problem<'a>, SolveError> {
        if !(0.0..=1.0).contains(&lambda) {
            return Err(SolveError::Lambda(lambda));
        }
        mandate.check(universe)?;
        Ok(Problem { universe, mandate, lambda })
    }

    /// What can be held.
    #[must_use]
    pub fn universe(&self) -> &'a Universe {
        self.universe
    }

    /// What must be kept to.
    #[must_use]
    pub fn mandate(&self) -> &'a Mandate {
        self.mandate
    }

    /// How variance is weighed.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// The same with another λ of 0 to 1, which is kept in that range.
    #[must_use]
    pub fn at(&self, lambda: f64) -> Problem<'a> {
        Problem { lambda: if lambda.is_finite() { lambda.clamp(0.0, 1.0) } else { self.lambda }, ..*self }
    }

    /// `λ w'Σw - (1 - λ) (μ'w - costs)`.
    #[must_use]
    pub fn objective_of(&self, weights: &[f64]) -> f64 {
        let mean = self.universe.return_of(weights) - self.mandate.cost_of(weights);
        self.lambda * self.universe.variance_of(weights) - (1.0 - self.lambda) * mean
    }

    /// Is the problem convex as it stands: any number of names, and none with a least holding?
    #[must_use]
    pub fn is_convex(&self) -> bool {
        let least = |name: usize| {
            let spans = [self.mandate.long_of(name), self.mandate.short_of(name)];
            spans.into_iter().flatten().all(|span| span.min == 0.0)
        };
        self.mandate.most_names(self.universe.len()) == self.universe.len()
            && !matches!(self.mandate.count, crate::mandate::Count::Exactly(_))
            && (0..self.universe.len()).all(least)
    }

    /// The weights a name may have that is held so; `None` if it may not, or is not there.
    #[must_use]
    pub fn span_of(&self, held: Held) -> Option<Span> {
        if held.name >= self.universe.len() {
            return None;
        }
        match held.side {
            Side::Long => self.mandate.long_of(held.name),
            Side::Short => self.mandate.short_of(held.name).map(|span| Span { min: -span.max, max: -span.min }),
        }
    }

    /// All of a convex problem's names, and the weights they may have.
    fn whole(&self) -> Vec<(usize, Span)> {
        let span = |name: usize| {
            let long = self.mandate.long_of(name).map_or(0.0, |span| span.max);
            Span { min: self.mandate.short_of(name).map_or(0.0, |span| -span.max), max: long }
        };
        (0..self.universe.len()).map(|name| (name, span(name))).collect()
    }

    /// The best weights for names and sides that are chosen; every other name weighs 0.
    ///
    /// # Errors
    /// [`SolveError::Support`] for a name that is not there, there twice, or on a side that it may not have; [`SolveError::NotFound`]
    /// if no weights keep to the mandate with these, or what the solver says.
    pub fn weigh(&self, support: &[Held]) -> Result<Portfolio, SolveError> {
        let mut slots = Vec::with_capacity(support.len());
        for held in support {
            let span = self.span_of(*held).filter(|_| slots.iter().all(|(name, _)| *name != held.name));
            slots.push((held.name, span.ok_or(SolveError::Support(held.name))?));
        }
        self.answer(&slots, self.program(&slots, None).solve(None))
    }

    /// The solution of a convex problem.
    ///
    /// # Errors
    /// [`Infeasible`] limits, or what the solver says.
    pub(crate) fn solve_convex(&self, warm: Option<&Active>) -> Result<(Portfolio, Option<Active>), SolveError> {
        let slots = self.whole();
        let solved = self.program(&slots, None).solve(warm);
        let active = solved.as_ref().ok().and_then(|solved| solved.active.clone());
        let portfolio = self.answer(&slots, solved)?;
        Ok((portfolio, active))
    }

    /// The least variance at a return of exactly `mean`, of a convex problem.
    pub(crate) fn solve_at_return(
        &self,
        mean: f64,
        warm: Option<&Active>,
    ) -> Result<(Portfolio, Option<Active>), SolveError> {
        let slots = self.whole();
        let mut program = self.program(&slots, None);
        let terms = slots.iter().enumerate().map(|(at, (name, _))| (at, self.universe.mean()[*name])).collect();
        program.row(terms, mean, mean);
        let solved = program.solve(warm);
        let active = solved.as_ref().ok().and_then(|solved| solved.active.clone());
        Ok((self.answer(&slots, solved)?, active))
    }

    fn answer(&self, slots: &[(usize, Span)], solved: Result<Solved, Unsolved>) -> Result<Portfolio, SolveError> {
        let solved = match solved {
            Ok(solved) => solved,
            Err(Unsolved::Infeasible) => return Err(SolveError::NotFound { starts: 1 }),
            Err(Unsolved::GaveUp(why)) => return Err(SolveError::GaveUp(why)),
        };
        let mut weights = vec![0.0; self.universe.len()];
        for ((name, span), w) in slots.iter().zip(&solved.x) {
            // Rounding is no holding.
            weights[*name] = if w.abs() <= NOTHING && span.min <= 0.0 && span.max >= 0.0 { 0.0 } else { *w };
        }
        self.portfolio(weights, solved.gap)
    }

    /// A portfolio of these weights, if they keep to the mandate.
    pub(crate) fn portfolio(&self, weights: Vec<f64>, gap: f64) -> Result<Portfolio, SolveError> {
        let violation = self.mandate.violation_of(&weights);
        if violation > crate::program::FEASIBLE {
            return Err(SolveError::Inexact(violation));
        }
        Ok(Portfolio {
            mean: self.universe.return_of(&weights),
            variance: self.universe.variance_of(&weights),
            cost: self.mandate.cost_of(&weights),
            objective: self.objective_of(&weights),
            gap,
            violation,
            weights,
        })
    }

    /// The program of these names with weights in these spans, its variables the weights first. With `elastic`, what is asked of sums
    /// may be missed, at that price a unit.
    pub(crate) fn program(&self, slots: &[(usize, Span)], elastic: Option<f64>) -> Program {
        let k = slots.len();
        let (universe, mandate) = (self.universe, self.mandate);
        let mut program = Program { order: k, ..Program::default() };
        for (name, span) in slots {
            let row = universe.covariances(*name);
            program.quadratic.extend(slots.iter().map(|(other, _)| 2.0 * self.lambda * row[*other]));
            program.variable(-(1.0 - self.lambda) * universe.mean()[*name], span.min, span.max);
        }
        let mut rows = vec![((0..k).map(|at| (at, 1.0)).collect::<Vec<_>>(), mandate.net)];
        for sector in &mandate.sectors {
            let inside = slots.iter().enumerate().filter(|(_, (name, _))| sector.members.contains(name));
            rows.push((inside.map(|(at, _)| (at, 1.0)).collect(), sector.net));
        }
        if let Some(limit) = mandate.gross {
            rows.push((program.sizes(slots), Span { min: f64::NEG_INFINITY, max: limit }));
        }
        if mandate.minds_trades() {
            let (terms, forced) = self.trades(&mut program, slots);
            if let Some(limit) = mandate.turnover {
                rows.push((terms, Span { min: f64::NEG_INFINITY, max: limit - forced }));
            }
        }
        for (mut terms, span) in rows {
            // Nothing missed is more than the sum of all that there can be.
            let most: f64 =
                terms.iter().map(|(at, c)| (c * program.floor[*at]).abs().max((c * program.ceiling[*at]).abs())).sum();
            for (price, end, sign) in elastic.iter().flat_map(|price| [(price, span.min, 1.0), (price, span.max, -1.0)])
            {
                if end.is_finite() {
                    terms.push((program.variable(*price, 0.0, most + end.abs()), sign));
                }
            }
            program.row(terms, span.min, span.max);
        }
        program
    }

    /// Adds what is bought and sold of each name. The terms of the turnover, and what of it the names take that are let go.
    fn trades(&self, program: &mut Program, slots: &[(usize, Span)]) -> (Vec<(usize, f64)>, f64) {
        let mut terms = Vec::new();
        for (at, (name, span)) in slots.iter().enumerate() {
            let now = self.mandate.current_of(*name);
            let price = |rate: f64| (1.0 - self.lambda) * rate;
            let buy = program.variable(price(self.mandate.costs.buy), 0.0, (span.max - now).max(0.0));
            let sell = program.variable(price(self.mandate.costs.sell), 0.0, (now - span.min).max(0.0));
            program.row(vec![(at, 1.0), (buy, -1.0), (sell, 1.0)], now, now);
            terms.extend([(buy, 1.0), (sell, 1.0)]);
        }
        let chosen = |name: usize| slots.iter().any(|(slot, _)| *slot == name);
        let gone = self.mandate.current.iter().enumerate().filter(|(name, _)| !chosen(*name));
        (terms, gone.map(|(_, w)| w.abs()).sum())
    }
}

impl Program {
    /// The terms of the sum of sizes; a variable is added for each name whose side is open.
    fn sizes(&mut self, slots: &[(usize, Span)]) -> Vec<(usize, f64)> {
        let size = |(at, (_, span)): (usize, &(usize, Span))| {
            if span.min >= 0.0 || span.max <= 0.0 {
                return (at, if span.min >= 0.0 { 1.0 } else { -1.0 });
            }
            let size = self.variable(0.0, 0.0, span.max.max(-span.min));
            self.row(vec![(size, 1.0), (at, -1.0)], 0.0, f64::INFINITY);
            self.row(vec![(size, 1.0), (at, 1.0)], 0.0, f64::INFINITY);
            (size, 1.0)
        };
        slots.iter().enumerate().map(size).collect()
    }
}
