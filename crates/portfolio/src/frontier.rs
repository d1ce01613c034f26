//! The frontier of a mandate that needs a search: the best portfolio of one λ after another.

use crate::efficient::Efficient;
use crate::mandate::Mandate;
use crate::model::{Portfolio, Problem, SolveError};
use crate::search::{Found, Options, Progress, Starts};
use crate::universe::Universe;
use std::ops::ControlFlow;

/// How far a frontier is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct At {
    /// Points that are found.
    pub point: usize,
    /// All of them.
    pub points: usize,
    /// λ of the one that is searched for.
    pub lambda: f64,
    /// How far that is.
    pub search: Progress,
}

/// A point of it.
#[derive(Clone, PartialEq, Debug)]
pub struct Point {
    /// How variance was weighed.
    pub lambda: f64,
    /// What was found.
    pub found: Found,
}

/// `count` values of λ from 0 to 1, both included; one alone is 1.
#[must_use]
pub fn lambdas(count: usize) -> Vec<f64> {
    (0..count).map(|n| if count == 1 { 1.0 } else { n as f64 / (count - 1) as f64 }).collect()
}

/// The best portfolios of these λ, each search beginning with the names of the point before. `watch` may stop the search for a point.
///
/// # Errors
/// The first point's [`SolveError`].
pub fn frontier(
    universe: &Universe,
    mandate: &Mandate,
    lambdas: &[f64],
    options: &Options,
    starts: &mut dyn Starts,
    watch: &mut dyn FnMut(&At) -> ControlFlow<()>,
) -> Result<Vec<Point>, SolveError> {
    let mut options = options.clone();
    let mut points = Vec::with_capacity(lambdas.len());
    for (point, lambda) in lambdas.iter().copied().enumerate() {
        let problem = Problem::new(universe, mandate, lambda)?;
        let mut told = |search: &Progress| watch(&At { point, points: lambdas.len(), lambda, search: *search });
        let found = problem.solve(&options, starts, &mut told)?;
        options.warm.clone_from(&found.support);
        points.push(Point { lambda, found });
    }
    Ok(points)
}

/// `count` portfolios of the efficient frontier of a convex mandate, from the least variance to the largest return, evenly spread by return.
///
/// # Errors
/// What [`Efficient`] says.
pub fn efficient(universe: &Universe, mandate: &Mandate, count: usize) -> Result<Vec<Portfolio>, SolveError> {
    let mut frontier = Efficient::new(universe, mandate)?;
    let (low, high) = (frontier.at_lambda(1.0)?.mean, frontier.at_lambda(0.0)?.mean);
    let mut portfolios = Vec::with_capacity(count);
    for part in lambdas(count) {
        // Its very end may be out of reach by rounding.
        let mean = low + (high - low) * part * (1.0 - 1e-9);
        portfolios.push(frontier.at_return(mean)?);
    }
    Ok(portfolios)
}
