//! Fits weights and trees, and takes them out of the trainers.

use super::rows::Rows;
use firelane_surveillance::contest::logistic::Weights;
use firelane_surveillance::contest::trees::{Node, Tree};
use serde::{Deserialize, Serialize};
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};
use smartcore::tree::decision_tree_regressor::{DecisionTreeRegressor, DecisionTreeRegressorParameters};
use std::error::Error;

/// Logistic regression with this penalty on the square of its weights, of columns brought to mean 0 and deviation 1.
pub(crate) fn logistic(rows: &Rows, penalty: f64) -> Result<Weights, Box<dyn Error>> {
    let count = rows.count() as f64;
    let mut values = rows.values.clone();
    let mut scales = Vec::new();
    for column in values.chunks_mut(rows.count()) {
        let mean = column.iter().sum::<f64>() / count;
        let variance = column.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        // What never varies says nothing.
        let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
        column.iter_mut().for_each(|value| *value = (*value - mean) * scale);
        scales.push((mean, scale));
    }
    let matrix = DenseMatrix::new(rows.count(), rows.columns, values, true)?;
    let wanted: Vec<u8> = rows.wanted.iter().map(|wanted| u8::from(*wanted)).collect();
    let model = LogisticRegression::fit(&matrix, &wanted, LogisticRegressionParameters::default().with_alpha(penalty))?;
    let mut bias = *model.intercept().get((0, 0));
    let mut of = Vec::new();
    for (column, (mean, scale)) in scales.into_iter().enumerate() {
        let weight = *model.coefficients().get((0, column)) * scale;
        bias -= weight * mean;
        of.push(weight as f32);
    }
    Ok(Weights { bias: bias as f32, of })
}

/// LogitBoost (Friedman, Hastie and Tibshirani, Annals of Statistics 28, 337, 2000): each tree is the weighted least squares fit of what
/// a step of Newton's method would add to the log-odds, of which a part is taken.
pub(crate) fn trees(rows: &Rows, step: f64, count: usize) -> Result<Vec<Tree>, Box<dyn Error>> {
    let matrix = DenseMatrix::new(rows.count(), rows.columns, rows.values.clone(), true)?;
    let parameters = DecisionTreeRegressorParameters::default().with_max_depth(DEPTH).with_min_samples_leaf(LEAF);
    let mut odds = vec![0.0; rows.count()];
    let mut trees = Vec::new();
    for _ in 0..count {
        let chance = |odds: &f64| 1.0 / (1.0 + (-odds).exp());
        let weights: Vec<f64> = odds.iter().map(|odds| (chance(odds) * (1.0 - chance(odds))).max(LIGHTEST)).collect();
        let missing = rows.wanted.iter().zip(&odds).map(|(wanted, odds)| f64::from(u8::from(*wanted)) - chance(odds));
        let steps: Vec<f64> =
            missing.zip(&weights).map(|(missing, weight)| (missing / weight).clamp(-FARTHEST, FARTHEST)).collect();
        let fitted = DecisionTreeRegressor::fit_with_weights(&matrix, &steps, &weights, parameters.clone())?;
        let said: Vec<f64> = fitted.predict(&matrix)?;
        odds.iter_mut().zip(said).for_each(|(odds, said)| *odds += step * said);
        trees.push(taken(&fitted, step, rows.columns)?);
    }
    Ok(trees)
}

/// Of a tree: levels of nodes, the leaves among them, and rows in a leaf, at least.
const DEPTH: u16 = 4;
const LEAF: usize = 20;
/// Where a chance is all but certain, its weight is this, and a step no larger than that.
const LIGHTEST: f64 = 1e-4;
const FARTHEST: f64 = 4.0;

/// The trainer's tree as it writes it down.
#[derive(Deserialize)]
struct Written {
    tree_regressor: Base,
}

#[derive(Deserialize)]
struct Base {
    nodes: Vec<WrittenNode>,
}

#[derive(Deserialize)]
struct WrittenNode {
    output: f64,
    split_feature: usize,
    split_value: Option<f64>,
    true_child: Option<usize>,
    false_child: Option<usize>,
}

/// The trainer's tree in our words, its leaves times `step`.
fn taken(tree: &impl Serialize, step: f64, columns: usize) -> Result<Tree, Box<dyn Error>> {
    let written: Written = serde_json::from_value(serde_json::to_value(tree)?)?;
    let node = |node: WrittenNode| match (node.split_value, node.true_child, node.false_child) {
        (Some(split), Some(low), Some(high)) => {
            Node::Split(node.split_feature as u16, bound(split), low as u16, high as u16)
        }
        _ => Node::Leaf((step * node.output) as f32),
    };
    Ok(Tree::new(written.tree_regressor.nodes.into_iter().map(node).collect(), columns)?)
}

/// Of numbers of 32 bits, the least one that is above the split: those below it are those that are not above the split.
fn bound(split: f64) -> f32 {
    let near = split as f32;
    if f64::from(near) <= split { near.next_up() } else { near }
}
