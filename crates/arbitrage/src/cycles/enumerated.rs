//! One cycle after another, each once: from its lowest currency. What can't become better than the best is not gone on with.

use super::{CLOSE, Graph};

/// Legs to be looked at, at most, for cycles of at most so many legs: `n! / (n - k)! / k` cycles of `k` legs, and what leads to them.
pub(super) fn steps(n: usize, longest: usize) -> u64 {
    let mut all = 0_u64;
    let mut ways = 1_u64;
    for length in 1..=longest {
        ways = ways.saturating_mul((n + 1 - length) as u64);
        all = all.saturating_add(ways.div_ceil(length as u64));
    }
    all
}

struct Search<'a, 'b> {
    graph: &'a Graph<'b>,
    longest: usize,
    /// The largest of all weights: what a leg more can bring.
    most: f64,
    path: Vec<usize>,
    best: Option<(f64, Vec<usize>)>,
    steps: u64,
}

/// The currencies of the best cycle of 2 to `longest` legs, and how many legs were looked at.
#[must_use]
pub fn best(graph: &Graph<'_>, longest: usize) -> (Option<Vec<usize>>, u64) {
    let n = graph.currencies();
    let most = (0..n * n).map(|at| graph.weight(at / n, at % n)).fold(f64::NEG_INFINITY, f64::max);
    let mut search = Search { graph, longest, most, path: Vec::new(), best: None, steps: 0 };
    for first in 0..n {
        search.path.push(first);
        search.further(0.0, 1 << first);
        search.path.pop();
    }
    (search.best.map(|(_, through)| through), search.steps)
}

impl Search<'_, '_> {
    fn further(&mut self, value: f64, visited: u64) {
        let (first, last) = (self.path[0], self.path[self.path.len() - 1]);
        if self.path.len() > 1 {
            self.steps += 1;
            let log = value + self.graph.weight(last, first);
            if log.is_finite() && self.graph.is_better(log, &self.path, &self.best) {
                self.best = Some((log, self.path.clone()));
            }
        }
        if self.path.len() == self.longest {
            return;
        }
        for next in first + 1..self.graph.currencies() {
            if visited >> next & 1 == 1 {
                continue;
            }
            self.steps += 1;
            let value = value + self.graph.weight(last, next);
            // This many legs follow at most, the one back included; one at least.
            let follow = (self.longest - self.path.len()) as f64;
            let hope = value + if self.most > 0.0 { self.most * follow } else { self.most };
            if hope.is_finite() && self.best.as_ref().is_none_or(|(best, _)| hope >= best - CLOSE) {
                self.path.push(next);
                self.further(value, visited | 1 << next);
                self.path.pop();
            }
        }
    }
}
