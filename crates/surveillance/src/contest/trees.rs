//! Gradient-boosted trees on traces: what is compared with a threshold is the sum of a leaf of each.

use super::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// A node of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Node {
    /// Trace, bound, and the numbers of two nodes behind this one: the first if the trace is below the bound.
    Split(u16, f32, u16, u16),
    /// What it adds.
    Leaf(f32),
}

/// A tree that can be walked: nodes lead to nodes behind them, and traces are there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tree(Vec<Node>);

/// What is wrong with a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("node {0} of a tree leads nowhere, or looks at a trace that is not there")]
pub struct Lost(usize);

impl Tree {
    /// Of these nodes, over so many traces.
    ///
    /// # Errors
    /// [`Lost`].
    pub fn new(nodes: Vec<Node>, traces: usize) -> Result<Self, Lost> {
        let tree = Tree(nodes);
        tree.sound(traces)?;
        Ok(tree)
    }

    /// Can it be walked, over so many traces?
    ///
    /// # Errors
    /// [`Lost`].
    pub fn sound(&self, traces: usize) -> Result<(), Lost> {
        let behind = |number: usize, child: u16| (number + 1..self.0.len()).contains(&usize::from(child));
        let lost = self.0.iter().enumerate().find(|&(number, node)| match *node {
            Node::Split(trace, _, left, right) => {
                usize::from(trace) >= traces || !behind(number, left) || !behind(number, right)
            }
            Node::Leaf(_) => false,
        });
        match lost {
            Some((number, _)) => Err(Lost(number)),
            None if self.0.is_empty() => Err(Lost(0)),
            None => Ok(()),
        }
    }

    /// What it adds, and how many traces it looked at.
    fn walk(&self, traces: &[f32]) -> (f32, u64) {
        let (mut number, mut looked) = (0, 0);
        loop {
            match self.0[number] {
                Node::Split(trace, bound, left, right) => {
                    looked += 1;
                    number = usize::from(if traces[usize::from(trace)] < bound { left } else { right });
                }
                Node::Leaf(value) => return (value, looked),
            }
        }
    }
}

/// What trees of one alert say, and how many traces they looked at.
#[must_use]
pub fn score(trees: &[Tree], traces: &[f32]) -> (f32, u64) {
    trees.iter().map(|tree| tree.walk(traces)).fold((0.0, 0), |sum, (value, looked)| (sum.0 + value, sum.1 + looked))
}

/// Trees for each of [`ALERTS`].
#[derive(Clone, Debug)]
pub struct Trees {
    alerts: Vec<Vec<Tree>>,
    traces: usize,
    spent: Spent,
}

impl Trees {
    /// Those of each of [`ALERTS`], over so many traces.
    #[must_use]
    pub fn new(alerts: Vec<Vec<Tree>>, traces: usize) -> Self {
        Trees { alerts, traces, spent: Spent::default() }
    }
}

impl Contestant for Trees {
    fn name(&self) -> &'static str {
        "trees"
    }

    fn restart(&mut self) {}

    fn hear(&mut self, heard: &Heard<'_>) -> Scores {
        self.spent.events += 1;
        let mut scores = [f32::NAN; ALERTS.len()];
        for (place, trees) in scores.iter_mut().zip(&self.alerts) {
            let (value, looked) = score(trees, heard.traces);
            *place = value;
            self.spent.comparisons += looked;
        }
        scores
    }

    fn build(&self) -> Build {
        let nodes: usize = self.alerts.iter().flatten().map(|tree| tree.0.len()).sum();
        let bytes = nodes * size_of::<Node>() + self.traces * size_of::<f32>();
        Build { footprint_bytes: bytes as u64, connection_sparsity: None, neurons: 0, dense_operations: 0 }
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}
