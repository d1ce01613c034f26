//! Dicke states: all basis states with so many ones, alike. What a budget leaves to choose from.

use crate::circuit::{Circuit, Controls};
use crate::error::{Error, within};
use crate::gate::Gate;
use crate::state::State;

fn check(qubits: usize, ones: usize) -> Result<(), Error> {
    within(ones as f64, "the number of ones", "at most the number of qubits", ones <= qubits).map(drop)
}

/// The state itself.
///
/// # Errors
///
/// More ones than qubits; as of [`State::new`].
pub fn state(qubits: usize, ones: usize) -> Result<State, Error> {
    check(qubits, ones)?;
    let mut state = State::new(qubits)?;
    state.re[0] = 0.0;
    let has = |number: &usize| number.count_ones() as usize == ones;
    let amplitude = 1.0 / ((0..1 << qubits).filter(has).count() as f64).sqrt();
    (0..1 << qubits).filter(has).for_each(|number| state.re[number] = amplitude);
    Ok(state)
}

/// A circuit that makes it of all qubits 0 (Bärtschi and Eidenbenz, FCT 2019, section 3): ones at the end are split, from the last
/// qubit on, into those that stay there and those that move one place down.
///
/// # Errors
///
/// More ones than qubits; as of [`Circuit::new`].
pub fn circuit(qubits: usize, ones: usize) -> Result<Circuit, Error> {
    check(qubits, ones)?;
    let mut circuit = Circuit::new(qubits)?;
    for qubit in qubits - ones..qubits {
        circuit.one(Gate::X, qubit)?;
    }
    for size in (2..=qubits).rev() {
        let last = size - 1;
        for moved in 1..=ones.min(last) {
            let from = last - moved;
            let angle = 2.0 * (moved as f64 / size as f64).sqrt().acos();
            let on: &[usize] = if moved == 1 { &[last] } else { &[last, from + 1] };
            circuit.controlled(Gate::X, from, last)?;
            circuit.push(Gate::Ry(angle), &[from], Controls { on, off: &[] })?;
            circuit.controlled(Gate::X, from, last)?;
        }
    }
    Ok(circuit)
}
