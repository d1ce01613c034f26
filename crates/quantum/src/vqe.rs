//! The variational quantum eigensolver (Peruzzo and others, Nature Communications 5, 4213, 2014), with the circuit that is called
//! RealAmplitudes elsewhere: a `ry` on each qubit, then layers of `cx` and another `ry` on each.
//!
//! The mean of an observable is a sine of each angle. So a first search sets one angle after the other to its best value, which three
//! values tell exactly (Nakanishi, Fujii and Todo, Physical Review Research 2, 043158, 2020; Ostaszewski and others call it
//! Rotosolve), and a second one follows the gradient, which two values a quarter turn to either side tell exactly (the
//! parameter-shift rule), from there.

use crate::circuit::Circuit;
use crate::error::{Error, finite, sized, within};
use crate::gate::Gate;
use crate::minimum::minimum;
use crate::observable::PauliSum;
use crate::state::State;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::Serialize;
use std::f64::consts::{FRAC_PI_2, PI};

/// Most layers of `cx`.
pub const MOST_LAYERS: usize = 64;

/// Which `cx` a layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Entanglement {
    /// (0 1), (1 2), (2 3) ...
    Linear,
    /// (0 1), (0 2) ... (1 2) ...
    Full,
}

/// A circuit with an angle for each `ry`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealAmplitudes {
    qubits: usize,
    layers: usize,
    entanglement: Entanglement,
}

/// Angles that were searched, and what they give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The angles, in radians: layer by layer, qubit by qubit.
    pub angles: Vec<f64>,
    /// The mean of the observable there, exactly.
    pub mean: f64,
    /// How often the circuit was computed.
    pub evaluations: usize,
}

impl RealAmplitudes {
    /// Of so many layers of `cx`.
    ///
    /// # Errors
    ///
    /// No qubit, more than are simulated, more than [`MOST_LAYERS`].
    pub fn new(qubits: usize, layers: usize, entanglement: Entanglement) -> Result<RealAmplitudes, Error> {
        Circuit::new(qubits)?;
        within(layers as f64, "the number of layers", "at most 64", layers <= MOST_LAYERS)?;
        Ok(RealAmplitudes { qubits, layers, entanglement })
    }

    /// How many angles it has.
    #[must_use]
    pub fn angles(&self) -> usize {
        self.qubits * (self.layers + 1)
    }

    /// The circuit of these angles.
    ///
    /// # Errors
    ///
    /// Another number of angles than [`RealAmplitudes::angles`], one that is not finite.
    pub fn circuit(&self, angles: &[f64]) -> Result<Circuit, Error> {
        sized(angles.len(), self.angles(), "the list of angles")?;
        let mut circuit = Circuit::new(self.qubits)?;
        for (layer, angles) in angles.chunks(self.qubits).enumerate() {
            if layer > 0 {
                for first in 0..self.qubits {
                    let last = match self.entanglement {
                        Entanglement::Linear => (first + 2).min(self.qubits),
                        Entanglement::Full => self.qubits,
                    };
                    for second in first + 1..last {
                        circuit.controlled(Gate::X, first, second)?;
                    }
                }
            }
            for (qubit, &angle) in angles.iter().enumerate() {
                circuit.one(Gate::Ry(finite(angle, "an angle")?), qubit)?;
            }
        }
        Ok(circuit)
    }

    /// Angles with a small mean: the best of what is found from `starts` random points, in at most so many steps by the gradient each. A
    /// good local minimum, and no promise of the least.
    ///
    /// # Errors
    ///
    /// An observable of another number of qubits; no memory; no start.
    pub fn search(&self, observable: &PauliSum, starts: usize, steps: usize, seed: u64) -> Result<Found, Error> {
        within(starts as f64, "the number of starts", "at least 1", starts >= 1)?;
        sized(observable.qubits(), self.qubits, "the observable, in qubits,")?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut best = Found { angles: Vec::new(), mean: f64::INFINITY, evaluations: 0 };
        for _ in 0..starts {
            let mut angles: Vec<f64> = (0..self.angles()).map(|_| random.random_range(-PI..PI)).collect();
            let mut evaluations = 0;
            let mut failed = None;
            let mut mean = |angles: &[f64]| {
                evaluations += 1;
                let state = self.circuit(angles).and_then(|circuit| State::of(&circuit));
                state.and_then(|state| observable.mean(&state)).unwrap_or_else(|error| {
                    failed = Some(error);
                    f64::NAN
                })
            };
            for _ in 0..SWEEPS {
                sweep(&mut angles, &mut mean);
            }
            let found = minimum(&angles, steps, 1e-8, |angles| {
                let value = mean(angles);
                let mut moved = angles.to_vec();
                let mut by = |k: usize| {
                    let [above, below] = [FRAC_PI_2, -FRAC_PI_2].map(|step| {
                        moved[k] = angles[k] + step;
                        mean(&moved)
                    });
                    moved[k] = angles[k];
                    (above - below) / 2.0
                };
                (value, (0..angles.len()).map(&mut by).collect())
            });
            if let Some(error) = failed {
                return Err(error);
            }
            best.evaluations += evaluations;
            if found.value < best.mean {
                best.mean = found.value;
                best.angles = found.at.into_iter().map(turned).collect();
            }
        }
        Ok(best)
    }
}

/// Times that each angle is set to its best value, before the gradient is followed.
const SWEEPS: usize = 3;

fn sweep(angles: &mut [f64], mean: &mut impl FnMut(&[f64]) -> f64) {
    for k in 0..angles.len() {
        let at = angles[k];
        let [value, above, below] = [0.0, FRAC_PI_2, -FRAC_PI_2].map(|step| {
            angles[k] = at + step;
            mean(angles)
        });
        // mean(at + d) = middle + radius sin(d + shift)
        let shift = (value - f64::midpoint(above, below)).atan2((above - below) / 2.0);
        angles[k] = turned(at - FRAC_PI_2 - shift);
    }
}

/// The same angle of a `ry`, up to a sign of the state, from -pi to pi.
fn turned(angle: f64) -> f64 {
    angle - (angle / (2.0 * PI)).round() * 2.0 * PI
}
