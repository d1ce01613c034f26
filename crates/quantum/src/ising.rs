//! Quadratic problems over bits and over spins, and the way between them.
//!
//! A bit x is a spin s = 1 - 2x: 0 is +1, as |0> is the eigenstate of Z with +1.

use crate::error::{Error, finite, reserved};
use serde::{Deserialize, Serialize};

/// constant + sum linear_i x_i + sum weight x_i x_j, over bits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Qubo {
    /// What is added whatever the bits are.
    #[serde(default)]
    pub constant: f64,
    /// Of each bit.
    pub linear: Vec<f64>,
    /// Of each pair: two different bits, and the weight of their product.
    pub quadratic: Vec<(usize, usize, f64)>,
}

/// offset + sum field_i s_i + sum coupling s_i s_j, over spins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ising {
    /// What is added whatever the spins are.
    #[serde(default)]
    pub offset: f64,
    /// Of each spin.
    pub fields: Vec<f64>,
    /// Of each pair: two different spins, and the weight of their product.
    pub couplings: Vec<(usize, usize, f64)>,
}

fn check(constant: f64, linear: &[f64], pairs: &[(usize, usize, f64)]) -> Result<(), Error> {
    if linear.is_empty() {
        return Err(Error::NoQubits { what: "the problem" });
    }
    for &value in linear.iter().chain([&constant]).chain(pairs.iter().map(|(_, _, weight)| weight)) {
        finite(value, "a coefficient of the problem")?;
    }
    for &(first, second, _) in pairs {
        for qubit in [first, second] {
            if qubit >= linear.len() {
                return Err(Error::NoSuchQubit { qubit, qubits: linear.len() });
            }
        }
        if first == second {
            return Err(Error::TwiceInOneGate { qubit: first });
        }
    }
    Ok(())
}

impl Qubo {
    /// As an Ising problem of the same value everywhere.
    ///
    /// # Errors
    ///
    /// No bit, a pair of one bit or of one that is not there, a coefficient that is not finite.
    pub fn ising(&self) -> Result<Ising, Error> {
        check(self.constant, &self.linear, &self.quadratic)?;
        let mut ising = Ising { offset: self.constant, fields: vec![0.0; self.linear.len()], couplings: Vec::new() };
        for (field, linear) in ising.fields.iter_mut().zip(&self.linear) {
            // x = (1 - s) / 2
            *field = -linear / 2.0;
            ising.offset += linear / 2.0;
        }
        for &(first, second, weight) in &self.quadratic {
            ising.offset += weight / 4.0;
            ising.fields[first] -= weight / 4.0;
            ising.fields[second] -= weight / 4.0;
            ising.couplings.push((first, second, weight / 4.0));
        }
        Ok(ising)
    }

    /// The value of these bits, bit `i` of `bits` being x_i.
    #[must_use]
    pub fn value(&self, bits: usize) -> f64 {
        let set = |i: &usize| bits >> i & 1 == 1;
        let linear: f64 = self.linear.iter().enumerate().filter(|(i, _)| set(i)).map(|(_, weight)| weight).sum();
        let pairs = self.quadratic.iter().filter(|(i, j, _)| set(i) && set(j));
        self.constant + linear + pairs.map(|(_, _, weight)| weight).sum::<f64>()
    }
}

impl Ising {
    /// Nobody's fields, no offset: minus the weight of the edges that are cut, so that the largest cut is the least value.
    ///
    /// # Errors
    ///
    /// As of [`Qubo::ising`].
    pub fn of_cut(nodes: usize, edges: &[(usize, usize, f64)]) -> Result<Ising, Error> {
        let half = edges.iter().map(|&(first, second, weight)| (first, second, weight / 2.0)).collect();
        let offset = -edges.iter().map(|(_, _, weight)| weight / 2.0).sum::<f64>();
        let ising = Ising { offset, fields: vec![0.0; nodes], couplings: half };
        ising.checked()?;
        Ok(ising)
    }

    /// As a problem over bits of the same value everywhere.
    ///
    /// # Errors
    ///
    /// As of [`Qubo::ising`].
    pub fn qubo(&self) -> Result<Qubo, Error> {
        self.checked()?;
        let mut qubo = Qubo { constant: self.offset, linear: Vec::new(), quadratic: Vec::new() };
        for field in &self.fields {
            qubo.linear.push(-2.0 * field);
            qubo.constant += field;
        }
        for &(first, second, coupling) in &self.couplings {
            qubo.constant += coupling;
            qubo.linear[first] -= 2.0 * coupling;
            qubo.linear[second] -= 2.0 * coupling;
            qubo.quadratic.push((first, second, 4.0 * coupling));
        }
        Ok(qubo)
    }

    /// How many spins it is of.
    #[must_use]
    pub fn spins(&self) -> usize {
        self.fields.len()
    }

    /// # Errors
    ///
    /// As of [`Qubo::ising`].
    pub(crate) fn checked(&self) -> Result<(), Error> {
        check(self.offset, &self.fields, &self.couplings)
    }

    /// The value of these spins, spin `i` being -1 where bit `i` of `bits` is set.
    #[must_use]
    pub fn value(&self, bits: usize) -> f64 {
        let spin = |i: usize| if bits >> i & 1 == 1 { -1.0 } else { 1.0 };
        let fields: f64 = self.fields.iter().enumerate().map(|(i, field)| field * spin(i)).sum();
        let pairs: f64 = self.couplings.iter().map(|&(i, j, weight)| weight * spin(i) * spin(j)).sum();
        self.offset + fields + pairs
    }

    /// Values of all 2^n spin patterns, in about two additions each.
    ///
    /// The upper spins fix a field on each lower one; what lower spins add to that is doubled, spin by spin.
    ///
    /// # Errors
    ///
    /// No memory for them.
    pub(crate) fn values(&self) -> Result<Vec<f64>, Error> {
        let spins = self.spins();
        let lower = spins.div_ceil(2);
        let upper = spins - lower;
        let within = |i: &usize, j: &usize| *i < lower && *j < lower;
        let above = |i: &usize, j: &usize| *i >= lower && *j >= lower;
        let of_lower = self.among(0, lower, |i, j| within(i, j), self.offset);
        let of_upper = self.among(lower, upper, |i, j| above(i, j), 0.0);
        let across: Vec<(usize, usize, f64)> = self
            .couplings
            .iter()
            .filter(|(i, j, _)| !within(i, j) && !above(i, j))
            .map(|&(i, j, weight)| (i.min(j), i.max(j) - lower, weight))
            .collect();
        let mut values = reserved(spins)?;
        let (mut fields, mut row) = (vec![0.0; lower], vec![0.0; 1 << lower]);
        for (high, base) in of_upper.iter().enumerate() {
            fields.fill(0.0);
            for &(low, up, weight) in &across {
                fields[low] += if high >> up & 1 == 1 { -weight } else { weight };
            }
            row[0] = base + fields.iter().sum::<f64>();
            for (spin, field) in fields.iter().enumerate() {
                let (was, new) = row.split_at_mut(1 << spin);
                new.iter_mut().zip(was).for_each(|(new, was)| *new = *was - 2.0 * field);
            }
            values.extend(row.iter().zip(&of_lower).map(|(across, own)| across + own));
        }
        Ok(values)
    }

    /// Values of spins `from` to `from + count` among themselves.
    fn among(&self, from: usize, count: usize, own: impl Fn(&usize, &usize) -> bool, offset: f64) -> Vec<f64> {
        let fields = self.fields[from..from + count].to_vec();
        let shifted = |&(i, j, weight): &(usize, usize, f64)| (i - from, j - from, weight);
        let couplings = self.couplings.iter().filter(|(i, j, _)| own(i, j)).map(shifted).collect();
        let part = Ising { offset, fields, couplings };
        (0..1 << count).map(|bits| part.value(bits)).collect()
    }
}
