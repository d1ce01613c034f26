//! What lies between neurons, folded: matrices, factors and delays become one matrix for each pair of a source and a target.

use super::flat::{Cells, Flat, Op};
use super::{NirError, at_most, value};
use crate::spikes::program::{DELAY, SYNAPSES};

/// Most products of numbers that folding may take.
const PRODUCTS: u64 = 1 << 32;

/// Inputs and neurons, and the matrices between them.
#[derive(Clone, Debug)]
pub(super) struct Folded {
    /// Name and units.
    pub(super) inputs: Vec<(String, usize)>,
    /// In the order of a cascade.
    pub(super) groups: Vec<Group>,
}

/// Neurons of one node, and what leads to them.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) n: usize,
    pub(super) cells: Cells,
    /// What comes in whatever fires, of each neuron.
    pub(super) bias: Vec<f64>,
    pub(super) paths: Vec<Path>,
}

/// Everything that leads from one source to one target with the same delays.
#[derive(Clone, Debug)]
pub(super) struct Path {
    pub(super) source: Source,
    /// `weight[target * columns + source]`.
    pub(super) weight: Vec<f64>,
    /// Seconds of each unit of the source, and of each neuron of the target; a synapse takes both.
    pub(super) delay: (Vec<f64>, Vec<f64>),
}

/// Where a path begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Input(usize),
    Group(usize),
}

/// What a node gives on: the sum of terms, and a bias.
#[derive(Clone, Debug, Default)]
struct Signal {
    terms: Vec<Term>,
    bias: Vec<f64>,
}

/// Spikes of a node, delayed, times a matrix, delayed again.
#[derive(Clone, Debug, PartialEq)]
struct Term {
    /// A node of the flat graph.
    source: usize,
    matrix: Matrix,
    before: Vec<f64>,
    behind: Vec<f64>,
}

#[derive(Clone, Debug, PartialEq)]
enum Matrix {
    /// As many rows as columns, and nothing beside the diagonal.
    Diagonal(Vec<f64>),
    Dense {
        rows: usize,
        columns: usize,
        values: Vec<f64>,
    },
}

impl Folded {
    pub(super) fn of(flat: &Flat) -> Result<Folded, NirError> {
        let arriving = arriving(flat)?;
        let order = order(flat, &arriving)?;
        let inputs: Vec<usize> = (0..flat.nodes.len()).filter(|&at| flat.nodes[at].op == Op::Input).collect();
        let place = |source: usize| {
            let input = inputs.iter().position(|&at| at == source).map(Source::Input);
            input.or_else(|| order.iter().position(|&at| at == source).map(Source::Group))
        };
        let mut groups = Vec::with_capacity(order.len());
        let mut total = 0_u64;
        for &at in &order {
            let (node, signal) = (&flat.nodes[at], &arriving[at]);
            let Op::Cells(cells) = &node.op else { continue };
            let n = node.wide.0;
            let mut paths = Vec::with_capacity(signal.terms.len());
            for term in &signal.terms {
                let source = &flat.nodes[term.source];
                if matches!(&source.op, Op::Cells(cells) if cells.threshold.is_empty()) {
                    let text = format!("{} leads to it, whose neurons do not fire; only spikes lead on", source.name);
                    return Err(value(&node.name, text));
                }
                let columns = source.wide.1;
                total += (n * columns) as u64;
                at_most(&node.name, "synapses up to here", total, SYNAPSES as u64)?;
                let delay = (term.before.clone(), term.behind.clone());
                if let Some(source) = place(term.source) {
                    paths.push(Path { source, weight: term.matrix.dense(), delay });
                }
            }
            groups.push(Group { name: node.name.clone(), n, cells: cells.clone(), bias: signal.bias.clone(), paths });
        }
        if groups.is_empty() {
            return Err(value(
                "graph",
                "it has no neurons: a node of the type LIF, IF, CubaLIF, LI, CubaLI or Threshold",
            ));
        }
        let inputs = inputs.iter().map(|&at| (flat.nodes[at].name.clone(), flat.nodes[at].wide.1)).collect();
        Ok(Folded { inputs, groups })
    }
}

/// What arrives at each node. Those without state are computed ahead of what they lead to.
fn arriving(flat: &Flat) -> Result<Vec<Signal>, NirError> {
    let stateless = |at: usize| !matches!(flat.nodes[at].op, Op::Input | Op::Cells(_));
    let mut waits: Vec<usize> =
        flat.nodes.iter().map(|node| node.from.iter().filter(|&&from| stateless(from)).count()).collect();
    let mut leads = vec![Vec::new(); flat.nodes.len()];
    for (to, node) in flat.nodes.iter().enumerate() {
        node.from.iter().for_each(|&from| leads[from].push(to));
    }
    let mut given = vec![Signal::default(); flat.nodes.len()];
    let mut arriving = vec![Signal::default(); flat.nodes.len()];
    let mut ready: Vec<usize> = (0..flat.nodes.len()).filter(|&at| waits[at] == 0).collect();
    let mut done = vec![false; flat.nodes.len()];
    let mut cost = Cost::default();
    while let Some(at) = ready.pop() {
        done[at] = true;
        let node = &flat.nodes[at];
        let mut sum = Signal { terms: Vec::new(), bias: vec![0.0; node.wide.0] };
        for &from in &node.from {
            let one = if stateless(from) { given[from].clone() } else { Signal::spikes(from, flat.nodes[from].wide.1) };
            sum.add(&node.name, one)?;
        }
        if stateless(at) {
            given[at] = sum.through(&node.name, &node.op, &mut cost)?;
            for &to in &leads[at] {
                waits[to] -= 1;
                if waits[to] == 0 {
                    ready.push(to);
                }
            }
        } else {
            arriving[at] = sum;
        }
    }
    if done.iter().all(|&done| done) {
        return Ok(arriving);
    }
    // What the loop leads to waits, too, and is not of it.
    while let Some(end) = (0..done.len()).find(|&at| !done[at] && leads[at].iter().all(|&to| done[to])) {
        done[end] = true;
    }
    let stuck: Vec<&str> = (0..done.len()).filter(|&at| !done[at]).map(|at| flat.nodes[at].name.as_str()).collect();
    let text = "a loop of nodes without state; a loop must pass neurons, whose spikes take a step to come round";
    Err(value(&stuck.join(", "), text))
}

/// The neurons in the order of a cascade: sources ahead of targets. Of a loop, the one that an input reaches over the fewest edges
/// comes first, by name if there are several.
fn order(flat: &Flat, arriving: &[Signal]) -> Result<Vec<usize>, NirError> {
    let cells: Vec<usize> = (0..flat.nodes.len()).filter(|&at| matches!(flat.nodes[at].op, Op::Cells(_))).collect();
    let heard = |at: usize| arriving[at].terms.iter().map(|term| term.source);
    let mut distance = vec![usize::MAX; flat.nodes.len()];
    for (at, node) in flat.nodes.iter().enumerate().filter(|(_, node)| node.op == Op::Input) {
        distance[at] = 0;
        at_most(&node.name, "neurons", cells.len() as u64, crate::spikes::program::NODES as u64)?;
    }
    for _ in 0..cells.len() {
        for &at in &cells {
            let nearest = heard(at).map(|from| distance[from]).min().unwrap_or(usize::MAX);
            distance[at] = distance[at].min(nearest.saturating_add(1));
        }
    }
    let mut left = cells;
    let mut order = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = |&at: &usize| heard(at).all(|from| from == at || !left.contains(&from));
        let rank = |&at: &usize| (!free(&at), distance[at], flat.nodes[at].name.clone());
        let Some(next) = left.iter().copied().min_by_key(rank) else { break };
        left.retain(|&at| at != next);
        order.push(next);
    }
    Ok(order)
}

/// What folding has taken.
#[derive(Debug, Default)]
struct Cost {
    products: u64,
    values: u64,
}

impl Cost {
    fn take(&mut self, node: &str, products: u64, values: u64) -> Result<(), NirError> {
        self.products = self.products.saturating_add(products);
        self.values = self.values.saturating_add(values);
        at_most(node, "products of weights up to here", self.products, PRODUCTS)?;
        at_most(node, "weights up to here", self.values, SYNAPSES as u64)
    }
}

impl Signal {
    fn spikes(source: usize, n: usize) -> Self {
        let term = Term { source, matrix: Matrix::Diagonal(vec![1.0; n]), before: vec![0.0; n], behind: vec![0.0; n] };
        Signal { terms: vec![term], bias: vec![0.0; n] }
    }

    /// Terms of one source with one delay are one.
    fn add(&mut self, node: &str, other: Signal) -> Result<(), NirError> {
        add(&mut self.bias, &other.bias);
        for term in other.terms {
            let same =
                |one: &&mut Term| one.source == term.source && one.before == term.before && one.behind == term.behind;
            match self.terms.iter_mut().find(same) {
                Some(one) => one.matrix.add(term.matrix),
                None => self.terms.push(term),
            }
        }
        let most = (crate::spikes::program::NODES as u64) * (DELAY as u64 + 1);
        at_most(node, "ways to it with delays of their own", self.terms.len() as u64, most)
    }

    /// What becomes of it in a node without state.
    fn through(mut self, node: &str, op: &Op, cost: &mut Cost) -> Result<Signal, NirError> {
        match op {
            Op::Scale(factors) => {
                let factor = |row: usize| one_of(factors, row);
                self.bias.iter_mut().enumerate().for_each(|(row, bias)| *bias *= factor(row));
                self.terms.iter_mut().for_each(|term| term.matrix.scale(factor));
            }
            Op::Delay(delays) => {
                let delay = |row: usize| one_of(delays, row);
                for term in &mut self.terms {
                    term.behind.iter_mut().enumerate().for_each(|(row, all)| *all += delay(row));
                }
            }
            Op::Matrix { rows, columns, weight, bias } => {
                let mut sums = multiply(*rows, *columns, weight, 1, &self.bias);
                if !bias.is_empty() {
                    add(&mut sums, bias);
                }
                let mut terms = Vec::with_capacity(self.terms.len());
                for term in self.terms {
                    let inner = term.matrix.columns() as u64;
                    let products = if matches!(term.matrix, Matrix::Dense { .. }) { inner } else { 1 };
                    cost.take(node, weight.len() as u64 * products, *rows as u64 * inner)?;
                    terms.push(term.times(node, (*rows, *columns), weight)?);
                }
                let folded = Signal { terms, bias: sums };
                return folded.merged(node);
            }
            Op::Input | Op::Output | Op::Same | Op::Cells(_) => {}
        }
        Ok(self)
    }

    fn merged(self, node: &str) -> Result<Signal, NirError> {
        let mut sum = Signal { terms: Vec::new(), bias: vec![0.0; self.bias.len()] };
        sum.add(node, self)?;
        Ok(sum)
    }
}

impl Term {
    /// A matrix behind it. What is delayed row by row ahead of a matrix must have been delayed by the unit of the source.
    fn times(mut self, node: &str, (rows, columns): (usize, usize), weight: &[f64]) -> Result<Term, NirError> {
        let first = self.behind.first().copied().unwrap_or_default();
        if self.behind.iter().all(|&one| one == first) {
            self.before.iter_mut().for_each(|all| *all += first);
        } else if matches!(self.matrix, Matrix::Diagonal(_)) {
            add(&mut self.before, &self.behind);
        } else {
            let text = "delays that differ stand between this matrix and the one before it; a synapse can have one delay alone";
            return Err(value(node, text));
        }
        self.behind = vec![0.0; rows];
        self.matrix = match self.matrix {
            Matrix::Diagonal(factors) => {
                let scaled =
                    weight.chunks(columns).flat_map(|row| row.iter().zip(&factors).map(|(one, factor)| one * factor));
                Matrix::Dense { rows, columns, values: scaled.collect() }
            }
            Matrix::Dense { columns: inner, values, .. } => {
                Matrix::Dense { rows, columns: inner, values: multiply(rows, columns, weight, inner, &values) }
            }
        };
        Ok(self)
    }
}

impl Matrix {
    fn columns(&self) -> usize {
        match self {
            Matrix::Diagonal(all) => all.len(),
            Matrix::Dense { columns, .. } => *columns,
        }
    }

    fn dense(&self) -> Vec<f64> {
        match self {
            Matrix::Dense { values, .. } => values.clone(),
            Matrix::Diagonal(all) => {
                let mut values = vec![0.0; all.len() * all.len()];
                all.iter().enumerate().for_each(|(at, &one)| values[at * all.len() + at] = one);
                values
            }
        }
    }

    fn scale(&mut self, factor: impl Fn(usize) -> f64) {
        match self {
            Matrix::Diagonal(all) => all.iter_mut().enumerate().for_each(|(row, one)| *one *= factor(row)),
            Matrix::Dense { columns, values, .. } => {
                values.iter_mut().enumerate().for_each(|(at, one)| *one *= factor(at / *columns));
            }
        }
    }

    fn add(&mut self, other: Matrix) {
        match (&mut *self, other) {
            (Matrix::Diagonal(all), Matrix::Diagonal(other)) => add(all, &other),
            (Matrix::Dense { values, .. }, other) => add(values, &other.dense()),
            (Matrix::Diagonal(all), Matrix::Dense { rows, columns, mut values }) => {
                all.iter().enumerate().for_each(|(at, &one)| values[at * columns + at] += one);
                *self = Matrix::Dense { rows, columns, values };
            }
        }
    }
}

/// The value of this unit, of one for each or of one for all.
pub(super) fn one_of(all: &[f64], unit: usize) -> f64 {
    if all.len() == 1 { all[0] } else { all[unit] }
}

fn add(to: &mut [f64], other: &[f64]) {
    to.iter_mut().zip(other).for_each(|(to, one)| *to += one);
}

/// A matrix of `rows` and `columns` times one of `columns` and `inner`.
fn multiply(rows: usize, columns: usize, left: &[f64], inner: usize, right: &[f64]) -> Vec<f64> {
    let mut product = vec![0.0; rows * inner];
    for (to, row) in product.chunks_mut(inner.max(1)).zip(left.chunks(columns)) {
        for (&factor, from) in row.iter().zip(right.chunks(inner.max(1))) {
            to.iter_mut().zip(from).for_each(|(to, one)| *to += factor * one);
        }
    }
    product
}
