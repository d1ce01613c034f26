//! Pieces of circuits that compute: a distribution as amplitudes, comparisons and sums of integers, rotations that are linear in an
//! integer.
//!
//! All of it is without auxiliary qubits: gates have as many controls as they need, which a machine would have to take apart. A
//! register is a list of qubits, the lowest bit first.

use crate::circuit::{Circuit, Controls};
use crate::error::{Error, finite, sized, within};
use crate::gate::Gate;

/// From all qubits 0: the square root of each probability as the amplitude of its number. They are normalised here.
///
/// # Errors
///
/// Not 2^n of them for n qubits, one that is negative or not finite, all of them zero.
pub fn load(circuit: &mut Circuit, register: &[usize], probabilities: &[f64]) -> Result<(), Error> {
    sized(probabilities.len(), 1 << register.len().min(30), "the list of probabilities")?;
    for &probability in probabilities {
        within(probability, "a probability", "0 or more", probability >= 0.0)?;
    }
    let total = probabilities.iter().sum::<f64>();
    within(total, "the sum of probabilities", "above 0", total > 0.0)?;
    // From the highest bit down: each is turned by how its half of what is left is split, where the bits above are so.
    for (done, &target) in register.iter().rev().enumerate() {
        let above = &register[register.len() - done..];
        let size = probabilities.len() >> done;
        for (number, part) in probabilities.chunks(size).enumerate() {
            let (zero, one) = part.split_at(size / 2);
            let (zero, one) = (zero.iter().sum::<f64>(), one.iter().sum::<f64>());
            let angle = 2.0 * one.sqrt().atan2(zero.sqrt());
            if angle != 0.0 {
                let (on, off) = pattern(above, number);
                circuit.push(Gate::Ry(angle), &[target], Controls { on: &on, off: &off })?;
            }
        }
    }
    Ok(())
}

/// The qubits of a register that are 1 in a number, and those that are 0.
fn pattern(register: &[usize], number: usize) -> (Vec<usize>, Vec<usize>) {
    let bit = |k: usize| number >> k & 1 == 1;
    let all = || register.iter().copied().enumerate();
    (
        all().filter(|(k, _)| bit(*k)).map(|(_, qubit)| qubit).collect(),
        all().filter(|(k, _)| !bit(*k)).map(|(_, qubit)| qubit).collect(),
    )
}

/// `target` is flipped where the register's number is `least` or more.
///
/// # Errors
///
/// Qubits that are not there or stand twice.
pub fn at_least(circuit: &mut Circuit, register: &[usize], least: usize, target: usize) -> Result<(), Error> {
    let bits = register.len();
    if least >> bits.min(63) != 0 {
        return Ok(());
    }
    // The number is larger if it has a 1 where `least` has its first difference from it, and a 0 there; or it is the same.
    for low in (0..bits).filter(|low| least >> low & 1 == 0) {
        let (mut on, off) = pattern(&register[low + 1..], least >> (low + 1));
        on.push(register[low]);
        circuit.push(Gate::X, &[target], Controls { on: &on, off: &off })?;
    }
    let (on, off) = pattern(register, least);
    circuit.push(Gate::X, &[target], Controls { on: &on, off: &off })?;
    Ok(())
}

/// `number` is added to the register, modulo 2^n, where `control` is 1.
///
/// # Errors
///
/// Qubits that are not there or stand twice.
pub fn add_where(circuit: &mut Circuit, control: usize, number: usize, register: &[usize]) -> Result<(), Error> {
    for low in (0..register.len()).filter(|low| number >> low & 1 == 1) {
        // One more from this bit on: from the highest down, each is flipped if all below it carry.
        for bit in (low..register.len()).rev() {
            let on: Vec<usize> = register[low..bit].iter().copied().chain([control]).collect();
            circuit.push(Gate::X, &[register[bit]], Controls { on: &on, off: &[] })?;
        }
    }
    Ok(())
}

/// `ry(offset + slope * number)` on `target`, where all of `on` are 1.
///
/// # Errors
///
/// Qubits that are not there or stand twice, an angle that is not finite.
pub fn rotate(
    circuit: &mut Circuit,
    register: &[usize],
    [offset, slope]: [f64; 2],
    target: usize,
    on: &[usize],
) -> Result<(), Error> {
    finite(offset, "the offset of a rotation")?;
    circuit.push(Gate::Ry(offset), &[target], Controls { on, off: &[] })?;
    for (bit, &qubit) in register.iter().enumerate() {
        let angle = finite(slope * (bit as f64).exp2(), "the slope of a rotation")?;
        let on: Vec<usize> = on.iter().copied().chain([qubit]).collect();
        circuit.push(Gate::Ry(angle), &[target], Controls { on: &on, off: &[] })?;
    }
    Ok(())
}
