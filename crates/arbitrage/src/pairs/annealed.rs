//! The best path on an Ising machine.
//!
//! Several paths may be chosen at once, each at a charge: the least value is of paths that bring more than it. With a charge just below the best, only the best would
//! be left, as a hole in a plain that nothing leads to; so the charge is a part of what the best known path brings, each of [`CHARGES`] in
//! turn, and a path that was found is mended: a stock more, less, or another, while that helps.

use super::{MarketGraph, Path};
use crate::annealer::{AnnealError, Annealer};

/// Charges, in parts of the best path that is known.
pub const CHARGES: [f64; 5] = [0.0, 0.1, 0.25, 0.5, 0.75];

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annealed {
    /// The best path; none if there is no edge.
    pub best: Option<Path>,
    /// Problems that were solved.
    pub rounds: u32,
    /// Of each replica of each problem the best path, as it was, and the best of all once mended.
    pub each: Vec<(Path, Path)>,
}

/// Searches.
///
/// # Errors
/// [`AnnealError`].
pub fn search(graph: &MarketGraph, annealer: &mut Annealer<'_>) -> Result<Annealed, AnnealError> {
    let names = 0..graph.names();
    let pairs = names.clone().flat_map(|i| names.clone().map(move |j| [i, j]));
    let direct = pairs.filter_map(|two| graph.path(&two)).max_by_key(|path| path.weight);
    let mut found = Annealed { best: direct, rounds: 0, each: Vec::new() };
    let edges = graph.bits();
    for part in CHARGES {
        let Some(known) = &mut found.best else { break };
        let charge = (known.weight as f64 * part) as i64;
        for bits in annealer.run(&edges.function(charge), found.rounds.into())? {
            let parts = edges.parts(&bits);
            let paths: Vec<Path> = parts.paths.iter().filter_map(|nodes| graph.path(nodes)).collect();
            let mended = paths.iter().map(|path| mended(graph, path)).max_by_key(|path| path.weight);
            let best = paths.into_iter().max_by_key(|path| path.weight);
            let (Some(path), Some(mended)) = (best, mended) else { continue };
            if mended.weight > known.weight {
                *known = mended.clone();
            }
            found.each.push((path, mended));
        }
        found.rounds += 1;
    }
    Ok(found)
}

/// The path with a stock more, less or another at any place, whichever is best, again and again until none is better.
#[must_use]
pub fn mended(graph: &MarketGraph, path: &Path) -> Path {
    let mut best = path.clone();
    loop {
        let mut next = best.clone();
        let mut look = |nodes: &[usize]| {
            if let Some(path) = graph.path(nodes).filter(|path| path.weight > next.weight) {
                next = path;
            }
        };
        for at in 0..=best.nodes.len() {
            let (before, behind) = best.nodes.split_at(at);
            for name in 0..graph.names() {
                look(&[before, &[name], behind].concat());
                if let Some((_, behind)) = behind.split_first() {
                    look(&[before, &[name], behind].concat());
                }
            }
            if let Some((_, behind)) = behind.split_first() {
                look(&[before, behind].concat());
            }
        }
        if next.weight == best.weight {
            return best;
        }
        best = next;
    }
}
