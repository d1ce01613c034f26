//! Paths and cycles of a directed graph as a function of bits, one a directed edge.
//!
//! ```text
//! - sum of w_e x_e  +  conflict * (pairs of edges that leave one node, or enter one)  +  charge * (edges - joints)
//! ```
//!
//! A joint is an edge into a node and one out of it. Where no two edges leave or enter one node, edges less joints are the open paths: each
//! costs `charge`, and cycles nothing. With a charge above what any path brings, the least value is of cycles alone; with one just below,
//! it is below 0 where a path brings more than that. With `conflict > w + 3 charge`, `w` the largest weight, no least value has a
//! conflict: of the node with most edges on one side, `d >= 2`, dropping one edge saves `(d - 1) conflict` and costs `w + (2d - 1) charge`
//! at most.

use crate::annealer::Function;

/// Units that the largest weight is, when weights become whole numbers.
const UNITS: i64 = 1 << 16;

/// Weights of the directed edges of a complete graph.
#[derive(Clone, PartialEq, Debug)]
pub struct Edges {
    nodes: usize,
    /// By node that is left and node that is entered; `None` is no edge.
    weights: Vec<Option<i64>>,
}

/// What is in a choice of edges, once one edge is left of those that leave or enter one node.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parts {
    /// Nodes of open paths, two or more each.
    pub paths: Vec<Vec<usize>>,
    /// Nodes of cycles, each from its lowest.
    pub cycles: Vec<Vec<usize>>,
}

impl Edges {
    /// Weights by node left and node entered. The diagonal is none.
    ///
    /// # Panics
    /// If there are not `nodes * nodes`.
    #[must_use]
    pub fn new(nodes: usize, mut weights: Vec<Option<i64>>) -> Edges {
        assert_eq!(weights.len(), nodes * nodes, "a weight, or none, for each pair");
        (0..nodes).for_each(|node| weights[node * (nodes + 1)] = None);
        Edges { nodes, weights }
    }

    /// Directed pairs, which are the bits: `n (n - 1)`.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.nodes * (self.nodes - 1)
    }

    fn ends(&self, bit: usize) -> (usize, usize) {
        let (from, to) = (bit / (self.nodes - 1), bit % (self.nodes - 1));
        (from, if to < from { to } else { to + 1 })
    }

    /// The function. An edge that there is none of costs more than the largest weight and a charge bring.
    #[must_use]
    pub fn function(&self, charge: i64) -> Function {
        let largest = self.weights.iter().flatten().copied().max().unwrap_or(0).max(charge).max(1);
        let scaled = |weight: i64| (i128::from(weight) * i128::from(UNITS) / i128::from(largest)) as i64;
        let charge = scaled(charge);
        let conflict = UNITS + 3 * charge + 1;
        // Such an edge may join two paths to one, or close one: that saves a charge.
        let absent = -UNITS - charge - 1;
        let mut function = Function::new(self.bits());
        let ends: Vec<(usize, usize)> = (0..self.bits()).map(|bit| self.ends(bit)).collect();
        for (bit, &(from, to)) in ends.iter().enumerate() {
            let weight = self.weights[from * self.nodes + to].map_or(absent, |weight| scaled(weight).max(absent));
            function.add(bit, bit, charge - weight);
            for (other, &(leaves, enters)) in ends.iter().enumerate().skip(bit + 1) {
                let conflicts = i64::from(leaves == from) + i64::from(enters == to);
                let joints = i64::from(leaves == to) + i64::from(enters == from);
                function.add(bit, other, conflict * conflicts - charge * joints);
            }
        }
        function
    }

    /// What is in these bits. Of edges in conflict the heavier stays; edges that there are none of are left out.
    #[must_use]
    pub fn parts(&self, bits: &[bool]) -> Parts {
        let weight = |from: usize, to: usize| self.weights[from * self.nodes + to];
        let mut chosen: Vec<(i64, usize, usize)> = (0..self.bits())
            .filter(|bit| bits[*bit])
            .filter_map(|bit| {
                let (from, to) = self.ends(bit);
                weight(from, to).map(|weight| (weight, from, to))
            })
            .collect();
        chosen.sort_by_key(|(weight, from, to)| (std::cmp::Reverse(*weight), *from, *to));
        let (mut next, mut before) = (vec![None; self.nodes], vec![None; self.nodes]);
        for (_, from, to) in chosen {
            if next[from].is_none() && before[to].is_none() {
                (next[from], before[to]) = (Some(to), Some(from));
            }
        }
        let mut parts = Parts::default();
        let mut seen = vec![false; self.nodes];
        // Starts of paths first; what is left then goes in circles.
        let starts = (0..self.nodes).filter(|node| before[*node].is_none()).chain(0..self.nodes);
        for start in starts {
            let open = before[start].is_none();
            let mut part = Vec::new();
            let mut at = Some(start);
            while let Some(node) = at.filter(|node| !seen[*node]) {
                seen[node] = true;
                part.push(node);
                at = next[node];
            }
            if part.len() > 1 {
                if open { parts.paths.push(part) } else { parts.cycles.push(part) }
            }
        }
        parts
    }

    /// The bits of these paths and cycles.
    #[must_use]
    pub fn choice(&self, parts: &Parts) -> Vec<bool> {
        let mut bits = vec![false; self.bits()];
        let mut set = |from: usize, to: usize| bits[from * (self.nodes - 1) + to - usize::from(to > from)] = true;
        for path in parts.paths.iter().chain(&parts.cycles) {
            path.windows(2).for_each(|two| set(two[0], two[1]));
        }
        parts.cycles.iter().for_each(|cycle| set(cycle[cycle.len() - 1], cycle[0]));
        bits
    }
}
