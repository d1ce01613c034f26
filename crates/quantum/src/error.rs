//! What can be wrong with a circuit, a problem or a figure, and what to do about it.

use thiserror::Error;

/// Most qubits of a state: 2^26 amplitudes are a gibibyte.
pub const MOST_QUBITS: usize = 26;

/// Bytes of the amplitudes of so many qubits (16 each), if they can be counted.
#[must_use]
pub fn bytes_of(qubits: usize) -> Option<u64> {
    u32::try_from(qubits).ok().and_then(|qubits| 16_u64.checked_mul(1_u64.checked_shl(qubits)?))
}

fn bytes_in_words(qubits: usize) -> String {
    bytes_of(qubits).map_or_else(|| "more than 2^64 bytes".to_owned(), |bytes| format!("{bytes} bytes"))
}

/// A refusal. Each says what to do next.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Error {
    /// More qubits than are simulated.
    #[error(
        "{asked} qubits need {} of amplitudes; at most {MOST_QUBITS} qubits are simulated: take fewer",
        bytes_in_words(*asked)
    )]
    TooManyQubits {
        /// How many were asked for.
        asked: usize,
    },
    /// The system has no memory for them.
    #[error("there is no memory for the {bytes} bytes of {qubits} qubits; take fewer, or free some")]
    NoMemory {
        /// How many were asked for.
        qubits: usize,
        /// What their amplitudes need.
        bytes: u64,
    },
    /// Something without a qubit.
    #[error("{what} has no qubit; give it at least one")]
    NoQubits {
        /// What it is.
        what: &'static str,
    },
    /// A qubit that is not there.
    #[error("there is no qubit {qubit}: they are 0 to {}", .qubits - 1)]
    NoSuchQubit {
        /// Its number.
        qubit: usize,
        /// How many there are.
        qubits: usize,
    },
    /// One qubit in two roles of one gate.
    #[error("qubit {qubit} stands twice in one gate; each qubit has one role in it")]
    TwiceInOneGate {
        /// Its number.
        qubit: usize,
    },
    /// A circuit, observable or table for another number of qubits.
    #[error("{what} is of {given} and must be of {needed}")]
    Size {
        /// What it is.
        what: &'static str,
        /// Its size.
        given: usize,
        /// The size that fits.
        needed: usize,
    },
    /// An infinity or no number at all.
    #[error("{what} is not a finite number; leave none out and divide by nothing that is zero")]
    NotFinite {
        /// What it is.
        what: &'static str,
    },
    /// A number outside of its range.
    #[error("{what} is {value} and must be {range}")]
    Range {
        /// What it is.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed, in words.
        range: &'static str,
    },
    /// A letter that is no Pauli operator.
    #[error("{letter:?} is no Pauli operator; write a letter I, X, Y or Z for each qubit, the last for qubit 0")]
    NoPauli {
        /// The letter.
        letter: char,
    },
    /// A line of a file that is not what it must be.
    #[error("line {line}: {why}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong, and what is right.
        why: &'static str,
    },
    /// A JSON document that is not what it must be.
    #[error("{what}: {why}")]
    Document {
        /// What it should be.
        what: &'static str,
        /// What its reader says.
        why: String,
    },
}

/// `value`, if it is finite.
pub(crate) fn finite(value: f64, what: &'static str) -> Result<f64, Error> {
    if value.is_finite() { Ok(value) } else { Err(Error::NotFinite { what }) }
}

/// `value`, if it is finite and `fits`.
pub(crate) fn within(value: f64, what: &'static str, range: &'static str, fits: bool) -> Result<f64, Error> {
    finite(value, what)?;
    if fits { Ok(value) } else { Err(Error::Range { what, value, range }) }
}

/// `given`, if it is `needed`.
pub(crate) fn sized(given: usize, needed: usize, what: &'static str) -> Result<(), Error> {
    if given == needed { Ok(()) } else { Err(Error::Size { what, given, needed }) }
}

/// An empty list with room for something of each basis state of so many qubits, which are not more than are simulated.
pub(crate) fn reserved<T>(qubits: usize) -> Result<Vec<T>, Error> {
    let mut all = Vec::new();
    let bytes = bytes_of(qubits).unwrap_or(u64::MAX);
    all.try_reserve_exact(1 << qubits).map_err(|_| Error::NoMemory { qubits, bytes })?;
    Ok(all)
}
