//! The best path on an Ising machine.
//!
//! Several paths may be chosen at once, each at a charge: the sum is below 0 where one brings more than the charge. So the charge begins as what the
//! best single edge brings, and becomes what the best path brings that was found, until none brings more. Were the machine exact, the last
//! would be the best there is.

use super::{MarketGraph, Path};
use crate::annealer::{AnnealError, Annealer};

/// Times that the charge is raised, at most.
pub const MOST_ROUNDS: u32 = 32;

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annealed {
    /// The best path; none if there is no edge.
    pub best: Option<Path>,
    /// Problems that were solved.
    pub rounds: u32,
    /// The best path of each replica of the first problem: how often is the best found at once?
    pub first: Vec<Option<Path>>,
}

/// Searches.
///
/// # Errors
/// [`AnnealError`].
pub fn search(graph: &MarketGraph, annealer: &mut Annealer<'_>) -> Result<Annealed, AnnealError> {
    let names = 0..graph.names();
    let pairs = names.clone().flat_map(|i| names.clone().map(move |j| [i, j]));
    let mut best = pairs.filter_map(|two| graph.path(&two)).max_by_key(|path| path.weight);
    let mut found = Annealed { best: None, rounds: 0, first: Vec::new() };
    let edges = graph.bits();
    while let Some(known) = best.as_mut().filter(|_| found.rounds < MOST_ROUNDS) {
        let states = annealer.run(&edges.function(known.weight), found.rounds.into())?;
        let of = |bits: Vec<bool>| {
            edges.parts(&bits).paths.iter().filter_map(|nodes| graph.path(nodes)).max_by_key(|path| path.weight)
        };
        let each: Vec<Option<Path>> = states.into_iter().map(of).collect();
        let better = each.iter().flatten().max_by_key(|path| path.weight).filter(|path| path.weight > known.weight);
        let better = better.cloned();
        if found.rounds == 0 {
            found.first = each;
        }
        found.rounds += 1;
        match better {
            Some(path) => *known = path,
            None => break,
        }
    }
    found.best = best;
    Ok(found)
}
