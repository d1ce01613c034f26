//! Pairs of stocks to trade, as paths through a market graph.
//!
//! After Tatsumura, Hidaka, Nakayama, Kashimata and Yamasaki ("Pairs-trading system using quantum-inspired combinatorial optimization
//! accelerator for optimal path search in market graphs", IEEE Access 11, 2023; arXiv:2307.05923): nodes are stocks, a directed edge is weighed by
//! the difference of two prices at this instant times how alike the two move, and the best path's two ends are what is sold and bought. Which paths are
//! paths is written here in our own way:
//!
//! - The weight of `i -> j` is `rho_ij (b_i - a_j)`: `b` and `a` are logarithms of the bid and the ask over a reference. Selling `i` at its bid
//!   and buying `j` at its ask gains that much if both come back to their references, times the trust there is in it.
//! - An edge is there if both factors are above 0: a path goes from dear to cheap, step by step. So the weight of a path is never more than
//!   what its two ends differ by, there is no cycle, and a bypass `i -> k -> j` is better than the direct edge where `i` and `j` have
//!   little to do with each other, and both with `k`.
//!
//! Weights are whole numbers of 10^-12, so that equal is equal. [`exact`]: all paths, or the best to each stock in turn. [`annealed`]: the same on
//! an Ising machine, a spin for each of the `n (n - 1)` directed pairs.

pub mod annealed;
pub mod exact;

use crate::edges::Edges;
use crate::market::Market;

/// Units that a weight of 1 is.
pub const UNITS: f64 = 1e12;

/// The directed edges of a market.
#[derive(Clone, PartialEq, Debug)]
pub struct MarketGraph {
    names: usize,
    weights: Vec<Option<i64>>,
    /// From dear to cheap: every edge goes from an earlier to a later one.
    order: Vec<usize>,
}

/// A path, and what it is worth.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Path {
    /// What is sold first, what is bought last; between them, why.
    pub nodes: Vec<usize>,
    /// In units of [`UNITS`].
    pub weight: i64,
}

impl Path {
    /// The weight, as a part of the price.
    #[must_use]
    pub fn worth(&self) -> f64 {
        self.weight as f64 / UNITS
    }
}

impl MarketGraph {
    /// Of a market.
    #[must_use]
    pub fn new(market: &Market) -> MarketGraph {
        let n = market.len();
        let weight = |i: usize, j: usize| {
            let (correlation, difference) = (market.correlation(i, j), market.bid(i) - market.ask(j));
            let worth = (i != j && correlation > 0.0 && difference > 0.0).then_some(correlation * difference * UNITS);
            worth.map(|worth| worth as i64).filter(|weight| *weight > 0)
        };
        let weights = (0..n * n).map(|at| weight(at / n, at % n)).collect();
        let mut order: Vec<usize> = (0..n).collect();
        // An edge from i to j has a_i >= b_i > a_j.
        order.sort_by(|i, j| market.ask(*j).total_cmp(&market.ask(*i)).then(i.cmp(j)));
        MarketGraph { names: n, weights, order }
    }

    /// How many stocks.
    #[must_use]
    pub fn names(&self) -> usize {
        self.names
    }

    /// How many edges are there, of `n (n - 1)`.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.weights.iter().flatten().count()
    }

    /// What an edge is worth, if it is there.
    #[must_use]
    #[inline]
    pub fn weight(&self, from: usize, to: usize) -> Option<i64> {
        self.weights[from * self.names + to]
    }

    /// The path through these stocks, if all its edges are there.
    #[must_use]
    pub fn path(&self, nodes: &[usize]) -> Option<Path> {
        let weights: Option<Vec<i64>> = nodes.windows(2).map(|two| self.weight(two[0], two[1])).collect();
        Some(Path { nodes: nodes.to_vec(), weight: weights?.iter().sum() })
    }

    /// Stocks from dear to cheap.
    #[must_use]
    pub fn order(&self) -> &[usize] {
        &self.order
    }

    /// As bits.
    #[must_use]
    pub fn bits(&self) -> Edges {
        Edges::new(self.names, self.weights.clone())
    }
}
