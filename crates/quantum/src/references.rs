//! The problems that Qiskit's tutorials are about, as they were written by its packages (`vectors/make.py`): what a command computes
//! that is told of no other, and what this crate's numbers are compared with.

use crate::error::Error;
use crate::finance::credit::Loan;
use crate::finance::option::Call;
use crate::finance::portfolio::Portfolio;
use crate::graph::Graph;
use crate::points::Points;
use crate::qaoa::Angles;
use serde::Deserialize;
use serde::de::DeserializeOwned;

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let wrong =
        |error: serde_json::Error| Error::Document { what: "a vector that is built in", why: error.to_string() };
    serde_json::from_str(text).map_err(wrong)
}

/// Four assets of January 2016 (qiskit-finance's RandomDataProvider with seed 123).
///
/// # Errors
///
/// None, as a test says.
pub fn portfolio() -> Result<Portfolio, Error> {
    #[derive(Deserialize)]
    struct Document {
        mu: Vec<f64>,
        sigma: Vec<Vec<f64>>,
    }
    let Document { mu, sigma } = read(include_str!("../vectors/portfolio.json"))?;
    Ok(Portfolio { mu, sigma })
}

/// A call of 40 days on a price of 2.
///
/// # Errors
///
/// None, as a test says.
pub fn call() -> Result<Call, Error> {
    read(include_str!("../vectors/option.json"))
}

/// Two loans that can lose 1 and 2.
///
/// # Errors
///
/// None, as a test says.
pub fn loans() -> Result<Vec<Loan>, Error> {
    #[derive(Deserialize)]
    struct Document {
        default: Vec<f64>,
        sensitivity: Vec<f64>,
        loss: Vec<usize>,
    }
    let document: Document = read(include_str!("../vectors/credit.json"))?;
    let all = document.default.into_iter().zip(document.sensitivity).zip(document.loss);
    Ok(all.map(|((default, sensitivity), loss)| Loan { default, sensitivity, loss }).collect())
}

/// A random graph of 20 nodes with three edges each (networkx, seed 7), and angles of four layers.
///
/// # Errors
///
/// None, as a test says.
pub fn graph() -> Result<(Graph, Angles), Error> {
    #[derive(Deserialize)]
    struct Document {
        nodes: usize,
        edges: Vec<(usize, usize)>,
        gammas: Vec<f64>,
        betas: Vec<f64>,
    }
    let Document { nodes, edges, gammas, betas } = read(include_str!("../vectors/qaoa.json"))?;
    let edges = edges.into_iter().map(|(i, j)| (i, j, 1.0)).collect();
    Ok((Graph { nodes, edges }, Angles { gammas, betas }))
}

/// Points of two rings, one within the other: those to learn from, and those to be told apart.
///
/// # Errors
///
/// None, as a test says.
pub fn rings() -> Result<(Points, Points), Error> {
    #[derive(Deserialize)]
    struct Document {
        points: Vec<Vec<f64>>,
        classes: Vec<bool>,
        trained: usize,
    }
    let Document { points, classes, trained } = read(include_str!("../vectors/kernel.json"))?;
    Ok(Points { features: points, classes }.split(trained))
}
