//! The statevector: what gates do to it, what is read of it.
//!
//! 2^n complex amplitudes of double precision, real and imaginary parts apart. A gate is a few actions; each acts on runs of
//! amplitudes that lie beside each other, as long as the lowest qubit lets them be.

use crate::circuit::{Circuit, Operation};
use crate::error::{Error, MOST_QUBITS, reserved, sized};
use crate::gate::{Action, Gate};
use crate::simd::{Half, Unit};
use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::BTreeMap;

/// Amplitudes of so many qubits. Qubit 0 is the lowest bit of an amplitude's number.
#[derive(Clone, Debug)]
pub struct State {
    qubits: usize,
    unit: Unit,
    pub(crate) re: Vec<f64>,
    pub(crate) im: Vec<f64>,
}

/// Which amplitudes: those whose bits in `fixed` are a given pattern, run by run.
struct Runs {
    fixed: usize,
    length: usize,
    next: usize,
    end: usize,
}

impl Runs {
    fn new(fixed: u32, qubits: usize) -> Runs {
        let fixed = fixed as usize;
        let length = if fixed == 0 { 1 << qubits } else { 1 << fixed.trailing_zeros() };
        Runs { fixed, length, next: 0, end: 1 << qubits }
    }
}

impl Iterator for Runs {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let at = self.next;
        (at < self.end).then(|| {
            // The next number whose fixed bits are zero.
            self.next = ((at | self.fixed | (self.length - 1)) + 1) & !self.fixed;
            at
        })
    }
}

fn zeros(qubits: usize) -> Result<Vec<f64>, Error> {
    let mut all = reserved(qubits)?;
    all.resize(1 << qubits, 0.0);
    Ok(all)
}

impl State {
    /// All qubits 0.
    ///
    /// # Errors
    ///
    /// No qubit, more than [`MOST_QUBITS`], or no memory for them.
    pub fn new(qubits: usize) -> Result<State, Error> {
        let mut state = State::blank(qubits)?;
        state.re[0] = 1.0;
        Ok(state)
    }

    fn blank(qubits: usize) -> Result<State, Error> {
        match qubits {
            0 => Err(Error::NoQubits { what: "the state" }),
            1..=MOST_QUBITS => Ok(State { qubits, unit: Unit::best(), re: zeros(qubits)?, im: zeros(qubits)? }),
            asked => Err(Error::TooManyQubits { asked }),
        }
    }

    /// All basis states alike: what `h` on each qubit makes of 0.
    ///
    /// # Errors
    ///
    /// As of [`State::new`].
    pub fn plus(qubits: usize) -> Result<State, Error> {
        let mut state = State::blank(qubits)?;
        state.re.fill((-(qubits as f64) / 2.0).exp2());
        Ok(state)
    }

    /// The state of these amplitudes, as they are: their squares should sum to 1.
    ///
    /// # Errors
    ///
    /// They are not 2^n, for n from 1 to [`MOST_QUBITS`], or one is not finite.
    pub fn from_amplitudes(amplitudes: &[Complex64]) -> Result<State, Error> {
        let qubits = amplitudes.len().checked_ilog2().unwrap_or(0) as usize;
        sized(amplitudes.len(), 1 << qubits, "the list of amplitudes")?;
        if amplitudes.iter().any(|one| !one.is_finite()) {
            return Err(Error::NotFinite { what: "an amplitude" });
        }
        let mut state = State::blank(qubits)?;
        for (k, one) in amplitudes.iter().enumerate() {
            (state.re[k], state.im[k]) = (one.re, one.im);
        }
        Ok(state)
    }

    /// What a circuit makes of all qubits 0.
    ///
    /// # Errors
    ///
    /// As of [`State::new`].
    pub fn of(circuit: &Circuit) -> Result<State, Error> {
        let mut state = State::new(circuit.qubits())?;
        state.run(circuit)?;
        Ok(state)
    }

    /// The same, computed on another path from now on.
    #[must_use]
    pub fn on(mut self, unit: Unit) -> State {
        self.unit = unit;
        self
    }

    pub(crate) fn unit(&self) -> Unit {
        self.unit
    }

    /// How many qubits it is of.
    #[must_use]
    pub fn qubits(&self) -> usize {
        self.qubits
    }

    /// The amplitude of a basis state, if there is one of this number.
    #[must_use]
    pub fn amplitude(&self, number: usize) -> Option<Complex64> {
        Some(Complex64::new(*self.re.get(number)?, *self.im.get(number)?))
    }

    /// All amplitudes, from that of basis state 0 on.
    pub fn amplitudes(&self) -> impl ExactSizeIterator<Item = Complex64> + '_ {
        self.re.iter().zip(&self.im).map(|(&re, &im)| Complex64::new(re, im))
    }

    /// The probability of each basis state.
    pub fn probabilities(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.re.iter().zip(&self.im).map(|(&re, &im)| re * re + im * im)
    }

    /// The sum of all probabilities: 1, but for rounding.
    #[must_use]
    pub fn norm(&self) -> f64 {
        self.probabilities().sum()
    }

    /// How probable it is that this qubit is measured as 1.
    ///
    /// # Errors
    ///
    /// There is no such qubit.
    pub fn probability_of_one(&self, qubit: usize) -> Result<f64, Error> {
        if qubit >= self.qubits {
            return Err(Error::NoSuchQubit { qubit, qubits: self.qubits });
        }
        Ok(self.probabilities().enumerate().filter(|(k, _)| k >> qubit & 1 == 1).map(|(_, p)| p).sum())
    }

    /// The inner product of this state (conjugated) and another.
    ///
    /// # Errors
    ///
    /// The other is of another number of qubits.
    pub fn inner(&self, other: &State) -> Result<Complex64, Error> {
        sized(other.qubits, self.qubits, "the other state, in qubits,")?;
        Ok(self.amplitudes().zip(other.amplitudes()).map(|(a, b)| a.conj() * b).sum())
    }

    /// Runs a circuit on it.
    ///
    /// # Errors
    ///
    /// The circuit is of another number of qubits.
    pub fn run(&mut self, circuit: &Circuit) -> Result<(), Error> {
        sized(circuit.qubits(), self.qubits, "the circuit, in qubits,")?;
        circuit.operations().iter().for_each(|operation| self.apply(operation));
        Ok(())
    }

    /// One gate of a circuit of as many qubits, which checked it.
    fn apply(&mut self, operation: &Operation) {
        let [first, second] = operation.targets;
        let two = operation.gate.targets() == 2;
        let fixed = operation.target_mask() | operation.on | operation.off;
        // Where the amplitudes stand whose targets are `bits`, and whose controls are as they must be.
        let place = |bits: u8| {
            let low = u32::from(bits & 1) << first;
            let high = if two { u32::from(bits >> 1) << second } else { 0 };
            (operation.on | low | high) as usize
        };
        let (unit, runs) = (self.unit, || Runs::new(fixed, self.qubits));
        for action in operation.gate.actions() {
            match action {
                Action::Phase { of, by } => {
                    let runs = runs();
                    let (place, length) = (place(of), runs.length);
                    for at in runs {
                        let range = at | place..(at | place) + length;
                        let half = &mut Half { re: &mut self.re[range.clone()], im: &mut self.im[range] };
                        unit.phase(by.re, by.im, half);
                    }
                }
                Action::Swap { zero, one } => {
                    pairs(&mut self.re, &mut self.im, runs(), [place(zero), place(one)], |a, b| unit.swap(a, b));
                }
                Action::Turn { zero, one, c, s } => {
                    let places = [place(zero), place(one)];
                    pairs(&mut self.re, &mut self.im, runs(), places, |a, b| unit.turn(c, s, a, b));
                }
                Action::Real { zero, one, m } => {
                    let places = [place(zero), place(one)];
                    pairs(&mut self.re, &mut self.im, runs(), places, |a, b| unit.real(m, a, b));
                }
                Action::General { zero, one, m } => {
                    let places = [place(zero), place(one)];
                    pairs(&mut self.re, &mut self.im, runs(), places, |a, b| unit.general(&m, a, b));
                }
            }
        }
    }

    /// `rx(angle)` on each qubit, in blocks that stay in the caches.
    pub(crate) fn turn_all(&mut self, angle: f64, first: impl FnMut(usize, &mut Half<'_>)) {
        crate::layer::turn_all(self, angle, first);
    }

    /// Measures all qubits `shots` times: how often each basis state was seen. The same seed gives the same counts.
    ///
    /// # Errors
    ///
    /// The amplitudes do not sum to a positive number.
    pub fn sample(&self, shots: usize, seed: u64) -> Result<BTreeMap<usize, usize>, Error> {
        let norm = self.norm();
        crate::error::within(norm, "the sum of all probabilities", "positive", norm > 0.0)?;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut drawn: Vec<f64> = (0..shots).map(|_| random.random::<f64>() * norm).collect();
        drawn.sort_unstable_by(f64::total_cmp);
        let mut counts = BTreeMap::new();
        let (mut below, mut next, mut last) = (0.0, 0, 0);
        for (number, probability) in self.probabilities().enumerate() {
            if next == drawn.len() {
                break;
            }
            below += probability;
            if probability > 0.0 {
                last = number;
            }
            let first = next;
            while next < drawn.len() && drawn[next] < below {
                next += 1;
            }
            if next > first {
                counts.insert(number, next - first);
            }
        }
        // What rounding leaves above the last sum belongs to the last state that can be seen.
        if next < drawn.len() {
            *counts.entry(last).or_insert(0) += drawn.len() - next;
        }
        Ok(counts)
    }

    /// `gate` on the qubits of a pair, without a circuit around it: `gate` has two targets, which are there and differ.
    pub(crate) fn pair(&mut self, gate: Gate, first: usize, second: usize) {
        self.apply(&Operation { gate, targets: [first as u8, second as u8], on: 0, off: 0 });
    }

    /// Where the two qubits of a pair are 01 and 10: the runs of both places and their length.
    pub(crate) fn pair_runs(&self, first: usize, second: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let runs = Runs::new(1 << first | 1 << second, self.qubits);
        let length = runs.length;
        runs.map(move |at| (at | 1 << first, at | 1 << second, length))
    }
}

/// `act` on both amplitudes of each pair, run by run.
fn pairs(
    re: &mut [f64],
    im: &mut [f64],
    runs: Runs,
    [zero, one]: [usize; 2],
    mut act: impl FnMut(&mut Half<'_>, &mut Half<'_>),
) {
    // Only what is alike from both sides has two targets, which may stand in falling order.
    let (low, high) = (zero.min(one), zero.max(one));
    let length = runs.length;
    for at in runs {
        let (low, high) = (at | low, at | high);
        let (re_low, re_high) = re[low..high + length].split_at_mut(high - low);
        let (im_low, im_high) = im[low..high + length].split_at_mut(high - low);
        let mut low = Half { re: &mut re_low[..length], im: &mut im_low[..length] };
        let mut high = Half { re: re_high, im: im_high };
        act(&mut low, &mut high);
    }
}
