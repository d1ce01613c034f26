//! Some cycle that gains, by Bellman and Ford: `n` rounds over all legs. That there is none, it proves; that the one it finds is the
//! best, it does not.

use super::{Cycle, Graph};

/// A cycle that gains, if there is one whose logarithm is above [`super::CLOSE`].
#[must_use]
pub fn any(graph: &Graph<'_>) -> Option<Cycle> {
    let n = graph.currencies();
    let mut value = vec![0.0_f64; n];
    let mut from: Vec<Option<usize>> = vec![None; n];
    let mut changed = None;
    for _ in 0..=n {
        changed = None;
        for one in 0..n {
            for to in 0..n {
                let there = value[one] + graph.weight(one, to);
                if there > value[to] + super::CLOSE {
                    (value[to], from[to], changed) = (there, Some(one), Some(to));
                }
            }
        }
    }
    // Whoever still changes after so many rounds hangs on a cycle: n steps back are on it.
    let mut at = changed?;
    for _ in 0..n {
        at = from[at]?;
    }
    let mut through = vec![at];
    let mut before = from[at]?;
    while before != at {
        through.push(before);
        before = from[before]?;
    }
    through.reverse();
    graph.cycle(&through)
}
