//! The fidelity kernel: how alike two points are is how alike the states are that a circuit makes of them (Havlicek and others,
//! Nature 567, 209, 2019).

use crate::circuit::Circuit;
use crate::error::{Error, finite, sized, within};
use crate::gate::Gate;
use crate::state::State;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::f64::consts::PI;

/// Most bytes of all states of a kernel together.
const MOST_BYTES: usize = 1 << 30;

/// The circuit that makes a state of a point: `repetitions` times a Hadamard and `p(2 x_i)` on each qubit, then on each pair, between
/// two `cx`, `p(2 (pi - x_i) (pi - x_j))` (Qiskit's ZZFeatureMap with full entanglement).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureMap {
    features: usize,
    repetitions: usize,
}

impl FeatureMap {
    /// For points of so many features, a qubit each.
    ///
    /// # Errors
    ///
    /// No feature, or more than are simulated; no repetition, or more than 16.
    pub fn new(features: usize, repetitions: usize) -> Result<FeatureMap, Error> {
        Circuit::new(features)?;
        within(repetitions as f64, "the number of repetitions", "1 to 16", (1..=16).contains(&repetitions))?;
        Ok(FeatureMap { features, repetitions })
    }

    /// The circuit of a point.
    ///
    /// # Errors
    ///
    /// Another number of features, one that is not finite.
    pub fn circuit(&self, point: &[f64]) -> Result<Circuit, Error> {
        sized(point.len(), self.features, "a point, in features,")?;
        for &feature in point {
            finite(feature, "a feature")?;
        }
        let mut circuit = Circuit::new(self.features)?;
        for _ in 0..self.repetitions {
            circuit.each(Gate::H)?;
            for (qubit, feature) in point.iter().enumerate() {
                circuit.one(Gate::P(2.0 * feature), qubit)?;
            }
            for i in 0..self.features {
                for j in i + 1..self.features {
                    circuit.controlled(Gate::X, i, j)?;
                    circuit.one(Gate::P(2.0 * (PI - point[i]) * (PI - point[j])), j)?;
                    circuit.controlled(Gate::X, i, j)?;
                }
            }
        }
        Ok(circuit)
    }

    /// The states of points, side by side.
    ///
    /// # Errors
    ///
    /// As of [`FeatureMap::circuit`]; more than a gibibyte of them.
    pub fn states(&self, points: &[Vec<f64>]) -> Result<Vec<State>, Error> {
        let bytes = points.len().saturating_mul(16 << self.features);
        within(
            bytes as f64,
            "the size of all states in bytes",
            "at most 1073741824: fewer points or features",
            bytes <= MOST_BYTES,
        )?;
        points.iter().map(|point| State::of(&self.circuit(point)?)).collect()
    }
}

/// |<a|b>|^2 of each `a` (a row) and each `b`, exactly.
///
/// # Errors
///
/// States of different numbers of qubits.
pub fn kernel(rows: &[State], columns: &[State]) -> Result<Vec<Vec<f64>>, Error> {
    let one = |a: &State, b: &State| Ok(a.inner(b)?.norm_sqr());
    rows.iter().map(|a| columns.iter().map(|b| one(a, b)).collect()).collect()
}

/// What so many shots of each entry would say: the part of them in which a circuit and another one's inverse lead back to 0.
///
/// # Errors
///
/// No shot.
pub fn sampled(exact: &[Vec<f64>], shots: usize, seed: u64) -> Result<Vec<Vec<f64>>, Error> {
    within(shots as f64, "the number of shots", "at least 1", shots >= 1)?;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut seen = |&p: &f64| (0..shots).filter(|_| random.random::<f64>() < p).count() as f64 / shots as f64;
    Ok(exact.iter().map(|row| row.iter().map(&mut seen).collect()).collect())
}

/// exp(-gamma |a - b|^2) of each `a` (a row) and each `b`: the classical kernel to compare with.
///
/// # Errors
///
/// Points of different numbers of features; a gamma that is not above 0.
pub fn gaussian(rows: &[Vec<f64>], columns: &[Vec<f64>], gamma: f64) -> Result<Vec<Vec<f64>>, Error> {
    within(gamma, "gamma", "above 0", gamma > 0.0)?;
    let one = |a: &Vec<f64>, b: &Vec<f64>| {
        sized(b.len(), a.len(), "a point, in features,")?;
        Ok((-gamma * a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>()).exp())
    };
    rows.iter().map(|a| columns.iter().map(|b| one(a, b)).collect()).collect()
}
