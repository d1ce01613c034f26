//! Amplitude estimation: what is the probability that a circuit's objective qubit is 1?
//!
//! The circuit A makes sqrt(1 - a) |bad> + sqrt(a) |good>. Grover's operator Q = -A S0 A* Sx turns it further: behind Q^k A, the
//! objective is 1 with probability sin^2((2k + 1) theta), where a = sin^2(theta) (Brassard, Hoyer, Mosca and Tapp, 2002).
//! [`Amplified`] computes these probabilities by running the circuit, and `iterative` estimates a from single shots of them.

mod intervals;
mod iterative;

pub use intervals::{Interval, Method, interval};
pub use iterative::{Estimate, Settings, estimate};

use crate::circuit::{Circuit, Controls};
use crate::error::Error;
use crate::gate::Gate;
use crate::state::State;

/// Most powers of Grover's operator that are run: more of them are hours.
pub const MOST_POWER: usize = 1 << 20;

/// A circuit and its objective.
#[derive(Clone, Debug)]
pub struct Amplified {
    preparation: Circuit,
    objective: usize,
    grover: Circuit,
    /// Behind the last power of which it was asked.
    state: State,
    /// What came out for each power so far.
    found: Vec<f64>,
}

/// Grover's operator of a circuit: the phase of what is good is flipped, then all is reflected at what the circuit makes.
///
/// # Errors
///
/// The objective is no qubit of the circuit.
pub fn grover(preparation: &Circuit, objective: usize) -> Result<Circuit, Error> {
    let qubits = preparation.qubits();
    let all: Vec<usize> = (0..qubits).collect();
    let mut circuit = Circuit::new(qubits)?;
    circuit.one(Gate::Z, objective)?;
    circuit.append(&preparation.inverse(), &all)?;
    // The phase of all qubits 0. The operator's sign is a phase of everything, and left out.
    circuit.one(Gate::X, 0)?;
    circuit.push(Gate::Z, &[0], Controls { on: &[], off: &all[1..] })?;
    circuit.one(Gate::X, 0)?;
    circuit.append(preparation, &all)?;
    Ok(circuit)
}

impl Amplified {
    /// Of a circuit whose qubit `objective` is asked for.
    ///
    /// # Errors
    ///
    /// The objective is no qubit of the circuit; no memory.
    pub fn new(preparation: Circuit, objective: usize) -> Result<Amplified, Error> {
        let grover = grover(&preparation, objective)?;
        let state = State::of(&preparation)?;
        let found = vec![state.probability_of_one(objective)?];
        Ok(Amplified { preparation, objective, grover, state, found })
    }

    /// The circuit.
    #[must_use]
    pub fn preparation(&self) -> &Circuit {
        &self.preparation
    }

    /// The probability itself, exactly.
    #[must_use]
    pub fn amplitude(&self) -> f64 {
        self.found[0]
    }

    /// The probability behind this power of Grover's operator, exactly. Each power is run once.
    ///
    /// # Errors
    ///
    /// More than [`MOST_POWER`].
    pub fn probability(&mut self, power: usize) -> Result<f64, Error> {
        crate::error::within(power as f64, "the power of Grover's operator", "at most 2^20", power <= MOST_POWER)?;
        while self.found.len() <= power {
            self.state.run(&self.grover)?;
            self.found.push(self.state.probability_of_one(self.objective)?);
        }
        Ok(self.found[power])
    }

    /// The circuit with this power of Grover's operator behind it, as a machine would run it.
    ///
    /// # Errors
    ///
    /// More than [`MOST_POWER`].
    pub fn circuit(&self, power: usize) -> Result<Circuit, Error> {
        crate::error::within(power as f64, "the power of Grover's operator", "at most 2^20", power <= MOST_POWER)?;
        let all: Vec<usize> = (0..self.preparation.qubits()).collect();
        let mut circuit = self.preparation.clone();
        for _ in 0..power {
            circuit.append(&self.grover, &all)?;
        }
        Ok(circuit)
    }
}
