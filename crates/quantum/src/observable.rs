//! Sums of Pauli strings, and their exact means.

use crate::error::{Error, MOST_QUBITS, finite, sized};
use crate::ising::Ising;
use crate::state::State;
use num_complex::Complex64;

/// One string: on qubits of `x` alone an X, of `z` alone a Z, of both a Y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pauli {
    x: u32,
    z: u32,
}

/// A sum of Pauli strings with real weights: an observable.
#[derive(Clone, Debug, PartialEq)]
pub struct PauliSum {
    qubits: usize,
    terms: Vec<(Pauli, f64)>,
}

impl PauliSum {
    /// Of strings of I, X, Y and Z, a letter for each qubit, the last for qubit 0, with their weights.
    ///
    /// # Errors
    ///
    /// No string, no or another letter, strings of different lengths or of more than [`MOST_QUBITS`], a weight that is not finite.
    pub fn parse(terms: &[(&str, f64)]) -> Result<PauliSum, Error> {
        let qubits = terms.first().map_or(0, |(letters, _)| letters.chars().count());
        match qubits {
            0 => return Err(Error::NoQubits { what: "the observable" }),
            1..=MOST_QUBITS => {}
            asked => return Err(Error::TooManyQubits { asked }),
        }
        let mut sum = PauliSum { qubits, terms: Vec::new() };
        for (letters, weight) in terms {
            sized(letters.chars().count(), qubits, "a Pauli string, in letters,")?;
            let mut pauli = Pauli { x: 0, z: 0 };
            for (qubit, letter) in letters.chars().rev().enumerate() {
                let (x, z) = match letter {
                    'I' => (0, 0),
                    'X' => (1, 0),
                    'Y' => (1, 1),
                    'Z' => (0, 1),
                    letter => return Err(Error::NoPauli { letter }),
                };
                pauli.x |= x << qubit;
                pauli.z |= z << qubit;
            }
            sum.terms.push((pauli, finite(*weight, "the weight of a Pauli string")?));
        }
        Ok(sum)
    }

    /// Of an Ising problem, its offset as the identity.
    ///
    /// # Errors
    ///
    /// What is wrong with the problem; more spins than [`MOST_QUBITS`].
    pub fn of(ising: &Ising) -> Result<PauliSum, Error> {
        ising.checked()?;
        if ising.spins() > MOST_QUBITS {
            return Err(Error::TooManyQubits { asked: ising.spins() });
        }
        let string = |z: u32| Pauli { x: 0, z };
        let fields = ising.fields.iter().enumerate().map(|(i, &weight)| (string(1 << i), weight));
        let pairs = ising.couplings.iter().map(|&(i, j, weight)| (string(1 << i | 1 << j), weight));
        let terms = std::iter::once((string(0), ising.offset)).chain(fields).chain(pairs).collect();
        Ok(PauliSum { qubits: ising.spins(), terms })
    }

    /// How many qubits it is of.
    #[must_use]
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// Its mean in a state.
    ///
    /// # Errors
    ///
    /// The state is of another number of qubits.
    pub fn mean(&self, state: &State) -> Result<f64, Error> {
        sized(state.qubits(), self.qubits, "the state, in qubits,")?;
        Ok(self.terms.iter().map(|(pauli, weight)| weight * pauli.mean(state)).sum())
    }
}

impl Pauli {
    /// <state|P|state>: P takes basis state k to k ^ x, with a sign for each Z that meets a 1 and an i for each Y.
    fn mean(self, state: &State) -> f64 {
        let (x, z) = (self.x as usize, self.z as usize);
        let sign = |k: usize| if (k & z).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
        if x == 0 {
            return state.probabilities().enumerate().map(|(k, p)| sign(k) * p).sum();
        }
        let turn = [Complex64::ONE, Complex64::I, -Complex64::ONE, -Complex64::I];
        let by = turn[(self.x & self.z).count_ones() as usize % 4];
        let term = |(k, one): (usize, Complex64)| {
            let other = Complex64::new(state.re[k ^ x], state.im[k ^ x]);
            sign(k) * (other.conj() * by * one).re
        };
        state.amplitudes().enumerate().map(term).sum()
    }
}
