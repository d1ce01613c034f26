//! The frontier of a convex problem, point by point: the least variance at a return, and the best of a λ.

use crate::mandate::Mandate;
use crate::model::{Portfolio, Problem, SolveError};
use crate::program::Active;
use crate::universe::Universe;

/// Points of a frontier, one after another: what was active at one is tried first at the next, and the interior point is asked where
/// that does not lead to a proof.
#[derive(Clone, Debug)]
pub struct Efficient<'a> {
    problem: Problem<'a>,
    /// At the last return, and at the last λ.
    active: [Option<Active>; 2],
}

impl<'a> Efficient<'a> {
    /// The frontier under a mandate without counts and least holdings.
    ///
    /// # Errors
    /// What [`Mandate::check`] refuses; [`SolveError::NotConvex`] for a mandate that needs a search.
    pub fn new(universe: &'a Universe, mandate: &'a Mandate) -> Result<Efficient<'a>, SolveError> {
        let problem = Problem::new(universe, mandate, 1.0)?;
        if !problem.is_convex() {
            return Err(SolveError::NotConvex);
        }
        Ok(Efficient { problem, active: [None, None] })
    }

    /// The least variance of all portfolios with this mean return, before costs.
    ///
    /// # Errors
    /// [`SolveError::Unreachable`] if none has it; [`SolveError::Infeasible`] limits; what the solver says.
    pub fn at_return(&mut self, mean: f64) -> Result<Portfolio, SolveError> {
        if !mean.is_finite() {
            return Err(SolveError::Unreachable(mean));
        }
        let solved = self.problem.solve_at_return(mean, self.active[0].as_ref());
        let (portfolio, active) = solved.map_err(|error| match error {
            SolveError::NotFound { .. } => {
                self.problem.contradiction().map_or(SolveError::Unreachable(mean), Into::into)
            }
            other => other,
        })?;
        self.active[0] = active;
        Ok(portfolio)
    }

    /// The best portfolio of this λ.
    ///
    /// # Errors
    /// [`SolveError::Lambda`]; [`SolveError::Infeasible`] limits; what the solver says.
    pub fn at_lambda(&mut self, lambda: f64) -> Result<Portfolio, SolveError> {
        let problem = Problem::new(self.problem.universe(), self.problem.mandate(), lambda)?;
        let (portfolio, active) = problem.solve_convex(self.active[1].as_ref()).map_err(|error| match error {
            SolveError::NotFound { .. } => problem.contradiction().map_or(error, Into::into),
            other => other,
        })?;
        self.active[1] = active;
        Ok(portfolio)
    }
}
