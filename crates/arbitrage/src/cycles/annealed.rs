//! The best cycle by an Ising machine: for comparison. Enumeration is exact and faster at every size that it takes (`docs/arbitrage.md`).
//!
//! The edge form of Rosenberg ("Finding optimal arbitrage opportunities using a quantum annealer", 1QBit, 2016): a bit for each directed pair, the
//! logarithm of its rate as its weight. Lengths are not limited, and several cycles apart from each other may be chosen at once.

use super::{Cycle, Graph, compare};
use crate::annealer::{AnnealError, Annealer};
use crate::edges::Edges;
use std::cmp::Ordering;

/// Weights in parts of 10^12.
const UNITS: f64 = 1e12;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annealed {
    /// The best cycle of all replicas.
    pub cycle: Option<Cycle>,
    /// Of each replica, the best.
    pub each: Vec<Option<Cycle>>,
}

/// As bits.
#[must_use]
pub fn edges(graph: &Graph<'_>) -> Edges {
    let n = graph.currencies();
    let weight = |at: usize| Some(graph.weight(at / n, at % n)).filter(|w| w.is_finite()).map(|w| (w * UNITS) as i64);
    Edges::new(n, (0..n * n).map(weight).collect())
}

/// Searches.
///
/// # Errors
/// [`AnnealError`].
pub fn search(graph: &Graph<'_>, annealer: &mut Annealer<'_>) -> Result<Annealed, AnnealError> {
    let edges = edges(graph);
    let n = graph.currencies();
    // An open path is to cost more than all its legs can bring.
    let most = (0..n * n).map(|at| graph.weight(at / n, at % n)).fold(0.0, f64::max);
    let charge = (most * UNITS) as i64 * 4;
    let states = annealer.run(&edges.function(charge), 0)?;
    let better = |a: &Cycle, b: &Cycle| compare(graph.quotes(), &a.legs, &b.legs);
    let of =
        |bits: Vec<bool>| edges.parts(&bits).cycles.iter().filter_map(|through| graph.cycle(through)).max_by(better);
    let each: Vec<Option<Cycle>> = states.into_iter().map(of).collect();
    let cycle = each.iter().flatten().fold(None, |best: Option<&Cycle>, cycle| match best {
        Some(best) if better(cycle, best) != Ordering::Greater => Some(best),
        _ => Some(cycle),
    });
    Ok(Annealed { cycle: cycle.cloned(), each })
}
