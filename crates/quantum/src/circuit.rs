//! A circuit as data: a list of gates with targets and controls, checked as it is written.

use crate::error::{Error, MOST_QUBITS};
use crate::gate::{Gate, angle_in_words};
use serde::Serialize;
use std::fmt;

/// A gate on its qubits.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Operation {
    /// What is done.
    pub gate: Gate,
    /// To which qubits; of a gate with one target the first alone counts.
    pub targets: [u8; 2],
    /// Where all these qubits are 1 (a bit each) ...
    pub on: u32,
    /// ... and all these 0.
    pub off: u32,
}

impl Operation {
    /// The qubits that the gate itself acts on.
    pub fn targets(&self) -> &[u8] {
        &self.targets[..self.gate.targets()]
    }

    /// The bit of each of them.
    pub(crate) fn target_mask(&self) -> u32 {
        self.targets().iter().fold(0, |mask, &qubit| mask | 1 << qubit)
    }
}

/// Qubits whose values a gate depends on: numbers of those that must be 1, and of those that must be 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct Controls<'a> {
    /// These must be 1.
    pub on: &'a [usize],
    /// These must be 0.
    pub off: &'a [usize],
}

/// Gates in their order. Qubit 0 is the lowest bit of a basis state's number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Circuit {
    qubits: usize,
    operations: Vec<Operation>,
}

impl Circuit {
    /// No gate yet.
    ///
    /// # Errors
    ///
    /// No qubit, or more than [`MOST_QUBITS`].
    pub fn new(qubits: usize) -> Result<Circuit, Error> {
        match qubits {
            0 => Err(Error::NoQubits { what: "the circuit" }),
            1..=MOST_QUBITS => Ok(Circuit { qubits, operations: Vec::new() }),
            asked => Err(Error::TooManyQubits { asked }),
        }
    }

    /// How many qubits it is of.
    #[must_use]
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// Its gates, in their order.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// How many gates act after each other at most, if those on different qubits act at once.
    #[must_use]
    pub fn depth(&self) -> usize {
        let mut at = [0_usize; MOST_QUBITS];
        for operation in &self.operations {
            let mask = operation.target_mask() | operation.on | operation.off;
            let mine = || (0..self.qubits).filter(move |qubit| mask >> qubit & 1 == 1);
            let next = mine().map(|qubit| at[qubit]).max().unwrap_or(0) + 1;
            mine().for_each(|qubit| at[qubit] = next);
        }
        at.into_iter().max().unwrap_or(0)
    }

    fn bit(&self, qubit: usize, taken: &mut u32) -> Result<u8, Error> {
        if qubit >= self.qubits {
            return Err(Error::NoSuchQubit { qubit, qubits: self.qubits });
        }
        if *taken >> qubit & 1 == 1 {
            return Err(Error::TwiceInOneGate { qubit });
        }
        *taken |= 1 << qubit;
        Ok(qubit as u8)
    }

    /// A gate on `targets`, where the controls are as they must be.
    ///
    /// # Errors
    ///
    /// A wrong number of targets, a qubit that is not there or stands twice, an angle that is not finite.
    pub fn push(&mut self, gate: Gate, targets: &[usize], controls: Controls<'_>) -> Result<&mut Self, Error> {
        crate::error::sized(targets.len(), gate.targets(), "the list of a gate's targets")?;
        crate::error::finite(gate.angle().unwrap_or(0.0), "the angle of a gate")?;
        let mut taken = 0;
        let mut numbers = [0; 2];
        for (number, &qubit) in numbers.iter_mut().zip(targets) {
            *number = self.bit(qubit, &mut taken)?;
        }
        let (mut on, mut off) = (0, 0);
        for &qubit in controls.on {
            on |= 1 << self.bit(qubit, &mut taken)?;
        }
        for &qubit in controls.off {
            off |= 1 << self.bit(qubit, &mut taken)?;
        }
        self.operations.push(Operation { gate, targets: numbers, on, off });
        Ok(self)
    }

    /// A gate on one qubit.
    ///
    /// # Errors
    ///
    /// As of [`Circuit::push`].
    pub fn one(&mut self, gate: Gate, qubit: usize) -> Result<&mut Self, Error> {
        self.push(gate, &[qubit], Controls::default())
    }

    /// A gate on two qubits.
    ///
    /// # Errors
    ///
    /// As of [`Circuit::push`].
    pub fn two(&mut self, gate: Gate, first: usize, second: usize) -> Result<&mut Self, Error> {
        self.push(gate, &[first, second], Controls::default())
    }

    /// A gate on one qubit where another one is 1: `controlled(Gate::X, 0, 1)` is `cx`.
    ///
    /// # Errors
    ///
    /// As of [`Circuit::push`].
    pub fn controlled(&mut self, gate: Gate, control: usize, qubit: usize) -> Result<&mut Self, Error> {
        self.push(gate, &[qubit], Controls { on: &[control], off: &[] })
    }

    /// A gate on each qubit.
    ///
    /// # Errors
    ///
    /// As of [`Circuit::push`].
    pub fn each(&mut self, gate: Gate) -> Result<&mut Self, Error> {
        for qubit in 0..self.qubits {
            self.one(gate, qubit)?;
        }
        Ok(self)
    }

    /// Another circuit behind this one, its qubit `k` being `on[k]` here.
    ///
    /// # Errors
    ///
    /// `on` is not a different qubit of this circuit for each of the other's.
    pub fn append(&mut self, other: &Circuit, on: &[usize]) -> Result<&mut Self, Error> {
        crate::error::sized(on.len(), other.qubits, "the list of qubits that a circuit is put on")?;
        let mut taken = 0;
        for &qubit in on {
            self.bit(qubit, &mut taken)?;
        }
        let moved = |mask: u32| (0..other.qubits).filter(|k| mask >> k & 1 == 1).fold(0, |all, k| all | 1 << on[k]);
        let place = |target: u8| on.get(usize::from(target)).map_or(0, |&qubit| qubit as u8);
        self.operations.extend(other.operations.iter().map(|operation| Operation {
            targets: operation.targets.map(place),
            on: moved(operation.on),
            off: moved(operation.off),
            ..*operation
        }));
        Ok(self)
    }

    /// What undoes all of it.
    #[must_use]
    pub fn inverse(&self) -> Circuit {
        let undo = |operation: &Operation| Operation { gate: operation.gate.inverse(), ..*operation };
        Circuit { qubits: self.qubits, operations: self.operations.iter().rev().map(undo).collect() }
    }
}

/// Numbers of the bits of a mask.
pub(crate) fn bits(mask: u32) -> impl Iterator<Item = usize> {
    (0..32).filter(move |bit| mask >> bit & 1 == 1)
}

impl fmt::Display for Circuit {
    /// A line a gate: `ry(pi/2) 3  if 0, not 1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for operation in &self.operations {
            let angle = operation.gate.angle().map(|angle| format!("({})", angle_in_words(angle)));
            let targets: Vec<String> = operation.targets().iter().map(u8::to_string).collect();
            write!(f, "{}{} {}", operation.gate.name(), angle.unwrap_or_default(), targets.join(", "))?;
            let on = bits(operation.on).map(|qubit| qubit.to_string());
            let controls: Vec<String> = on.chain(bits(operation.off).map(|qubit| format!("not {qubit}"))).collect();
            if !controls.is_empty() {
                write!(f, "  if {}", controls.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
