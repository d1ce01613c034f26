//! The best path, certainly: all of them one after another, or, as every edge goes from dear to cheap, the best to each stock in turn.

use super::{MarketGraph, Path};
use std::cmp::Reverse;

/// Stocks whose paths are enumerated, at most: there are up to `2^n` paths.
pub const MOST_ENUMERATED: usize = 24;

/// The best of all paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Enumerated {
    /// Of equals the first, by stocks; none if there is no edge.
    pub best: Option<Path>,
    /// So many paths were looked at: all that there are.
    pub paths: u64,
}

/// Looks at every path. Nothing for more than [`MOST_ENUMERATED`] stocks.
#[must_use]
pub fn enumerate(graph: &MarketGraph) -> Option<Enumerated> {
    if graph.names() > MOST_ENUMERATED {
        return None;
    }
    let mut found = Enumerated { best: None, paths: 0 };
    for start in 0..graph.names() {
        further(graph, &mut vec![start], 0, &mut found);
    }
    Some(found)
}

fn further(graph: &MarketGraph, nodes: &mut Vec<usize>, weight: i64, found: &mut Enumerated) {
    let last = nodes[nodes.len() - 1];
    for next in 0..graph.names() {
        let Some(edge) = graph.weight(last, next) else { continue };
        nodes.push(next);
        let weight = weight + edge;
        found.paths += 1;
        if found.best.as_ref().is_none_or(|best| weight > best.weight) {
            found.best = Some(Path { nodes: nodes.clone(), weight });
        }
        further(graph, nodes, weight, found);
        nodes.pop();
    }
}

/// The best path of each pair of stocks that any leads between, the best pairs first, and of those so many: `n^3 / 6` steps.
#[must_use]
pub fn ranked(graph: &MarketGraph, most: usize) -> Vec<Path> {
    let order = graph.order();
    let mut all = Vec::new();
    for (place, &start) in order.iter().enumerate() {
        let mut best: Vec<Option<(i64, usize)>> = vec![None; graph.names()];
        best[start] = Some((0, start));
        for (at, &from) in order.iter().enumerate().skip(place) {
            let Some((here, _)) = best[from] else { continue };
            for &to in &order[at + 1..] {
                let Some(edge) = graph.weight(from, to) else { continue };
                if best[to].is_none_or(|(known, _)| here + edge > known) {
                    best[to] = Some((here + edge, from));
                }
            }
        }
        for end in (0..graph.names()).filter(|end| *end != start) {
            let Some((weight, _)) = best[end] else { continue };
            let mut nodes = vec![end];
            let mut at = end;
            while let Some((_, from)) = best[at].filter(|_| at != start) {
                nodes.push(from);
                at = from;
            }
            nodes.reverse();
            all.push(Path { nodes, weight });
        }
    }
    all.sort_by(|a, b| Reverse(a.weight).cmp(&Reverse(b.weight)).then_with(|| a.nodes.cmp(&b.nodes)));
    all.truncate(most);
    all
}
