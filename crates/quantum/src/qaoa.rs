//! The quantum approximate optimisation algorithm (Farhi, Goldstone and Gutmann, 2014), with mixers that keep a budget (Hadfield and
//! others, Algorithms 12(2):34, 2019).
//!
//! Of p layers, each is exp(-i gamma C), C being the cost as a diagonal operator, and then a mixer with angle beta:
//!
//! | mixer | what it is, in this order | where it begins |
//! |---|---|---|
//! | [`Mixer::X`] | exp(-i beta X) on each qubit | all basis states alike |
//! | [`Mixer::Ring`] | exp(-i beta (XX + YY) / 2) on the pairs (0 1), (2 3) ... of a ring, then (1 2), (3 4) ... | all with so many ones alike |
//! | [`Mixer::Complete`] | the same on all pairs, (0 1), (0 2) ... (1 2) ... | all with so many ones alike |

use crate::circuit::Circuit;
use crate::costs::Costs;
use crate::dicke;
use crate::error::{Error, finite, sized, within};
use crate::gate::Gate;
use crate::ising::Ising;
use crate::minimum::minimum;
use crate::state::State;
use serde::Serialize;

/// Most layers.
pub const MOST_LAYERS: usize = 64;

/// What moves amplitude between basis states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mixer {
    /// Any basis state can be reached.
    X,
    /// Those with so many ones alone, by exchanges of neighbours in a ring.
    Ring(usize),
    /// Those with so many ones alone, by exchanges of any two.
    Complete(usize),
}

impl Mixer {
    /// The number of ones that it keeps, if it does.
    #[must_use]
    pub fn ones(self) -> Option<usize> {
        match self {
            Mixer::X => None,
            Mixer::Ring(ones) | Mixer::Complete(ones) => Some(ones),
        }
    }

    /// Pairs of qubits, in the order in which they are mixed.
    fn pairs(self, qubits: usize) -> Vec<(usize, usize)> {
        match self {
            Mixer::X => Vec::new(),
            Mixer::Complete(_) => (0..qubits).flat_map(|i| (i + 1..qubits).map(move |j| (i, j))).collect(),
            Mixer::Ring(_) => {
                let neighbours = |i: usize| (i, (i + 1) % qubits);
                let ring = (0..qubits).step_by(2).chain((1..qubits).step_by(2)).map(neighbours);
                // A ring of two has one pair.
                ring.filter(|(i, j)| i != j).take(if qubits == 2 { 1 } else { qubits }).collect()
            }
        }
    }
}

/// The angles of each layer, in radians.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Angles {
    /// Of the cost.
    pub gammas: Vec<f64>,
    /// Of the mixer.
    pub betas: Vec<f64>,
}

impl Angles {
    /// How many layers they are of.
    ///
    /// # Errors
    ///
    /// Not as many gammas as betas, more than [`MOST_LAYERS`], an angle that is not finite.
    pub fn layers(&self) -> Result<usize, Error> {
        sized(self.betas.len(), self.gammas.len(), "the list of betas")?;
        for &angle in self.gammas.iter().chain(&self.betas) {
            finite(angle, "an angle")?;
        }
        let layers = self.gammas.len();
        within(layers as f64, "the number of layers", "at most 64", layers <= MOST_LAYERS)?;
        Ok(layers)
    }

    fn of(all: &[f64]) -> Angles {
        let (gammas, betas) = all.split_at(all.len() / 2);
        Angles { gammas: gammas.to_vec(), betas: betas.to_vec() }
    }

    fn all(&self) -> Vec<f64> {
        [&self.gammas[..], &self.betas[..]].concat()
    }

    /// Angles of one more layer, which lie on the same curve (Zhou and others, Physical Review X 10, 021067, 2020, appendix B).
    fn one_more(&self) -> Angles {
        let stretched = |angles: &[f64]| {
            let p = angles.len();
            let at = |k: usize| angles.get(k).copied().unwrap_or(0.0);
            let between = |k: usize| {
                let before = if k == 0 { 0.0 } else { at(k - 1) };
                (k as f64 * before + (p - k) as f64 * at(k)) / p as f64
            };
            (0..=p).map(between).collect()
        };
        Angles { gammas: stretched(&self.gammas), betas: stretched(&self.betas) }
    }
}

/// Angles that were searched, and what they give.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tuned {
    /// The angles.
    pub angles: Angles,
    /// The mean cost there, exactly.
    pub mean: f64,
    /// How often the circuit (and its gradient) was computed.
    pub evaluations: usize,
}

/// A cost, its table, and a mixer.
#[derive(Clone, Debug)]
pub struct Qaoa {
    ising: Ising,
    costs: Costs,
    mixer: Mixer,
    pairs: Vec<(usize, usize)>,
}

impl Qaoa {
    /// To make the mean of `ising` small.
    ///
    /// # Errors
    ///
    /// What is wrong with the problem, more spins than are simulated, a mixer of more ones than qubits.
    pub fn new(ising: Ising, mixer: Mixer) -> Result<Qaoa, Error> {
        let costs = Costs::of(&ising)?;
        let qubits = costs.qubits();
        let ones = mixer.ones().unwrap_or(0);
        within(ones as f64, "the number of ones", "at most the number of qubits", ones <= qubits)?;
        Ok(Qaoa { ising, costs, mixer, pairs: mixer.pairs(qubits) })
    }

    /// The value of each basis state.
    #[must_use]
    pub fn costs(&self) -> &Costs {
        &self.costs
    }

    /// Can the mixer reach this basis state?
    #[must_use]
    pub fn reaches(&self, number: usize) -> bool {
        self.mixer.ones().is_none_or(|ones| number.count_ones() as usize == ones)
    }

    fn start(&self) -> Result<State, Error> {
        match self.mixer.ones() {
            None => State::plus(self.costs.qubits()),
            Some(ones) => dicke::state(self.costs.qubits(), ones),
        }
    }

    /// The state that the circuit of these angles makes.
    ///
    /// # Errors
    ///
    /// What is wrong with the angles; no memory.
    pub fn state(&self, angles: &Angles) -> Result<State, Error> {
        angles.layers()?;
        self.run(self.start()?, angles)
    }

    /// The same on a state that is there already, from wherever it stands: for measurements of one path.
    ///
    /// # Errors
    ///
    /// What is wrong with the angles; a state of another number of qubits.
    pub fn run(&self, mut state: State, angles: &Angles) -> Result<State, Error> {
        angles.layers()?;
        sized(state.qubits(), self.costs.qubits(), "the state, in qubits,")?;
        for (&gamma, &beta) in angles.gammas.iter().zip(&angles.betas) {
            self.phase_and_mix(&mut state, gamma, beta);
        }
        Ok(state)
    }

    fn phase_and_mix(&self, state: &mut State, gamma: f64, beta: f64) {
        let (phases, unit) = (self.costs.phases(gamma), state.unit());
        if self.mixer == Mixer::X {
            state.turn_all(2.0 * beta, |first, block| phases.act(unit, first, block));
        } else {
            state.whole(|all| phases.act(unit, 0, all));
            self.pairs.iter().for_each(|&(i, j)| state.pair(Gate::Xy(2.0 * beta), i, j));
        }
    }

    /// The exact mean cost of these angles.
    ///
    /// # Errors
    ///
    /// As of [`Qaoa::state`].
    pub fn mean(&self, angles: &Angles) -> Result<f64, Error> {
        self.costs.mean(&self.state(angles)?)
    }

    /// The mean cost of so many shots, and its standard error.
    ///
    /// # Errors
    ///
    /// As of [`Qaoa::state`]; fewer than two shots.
    pub fn estimate(&self, angles: &Angles, shots: usize, seed: u64) -> Result<(f64, f64), Error> {
        within(shots as f64, "the number of shots", "at least 2", shots >= 2)?;
        let counts = self.state(angles)?.sample(shots, seed)?;
        let cost = |number: usize| self.costs.values()[number];
        let mean = counts.iter().map(|(&number, &count)| count as f64 * cost(number)).sum::<f64>() / shots as f64;
        let squares = counts.iter().map(|(&number, &count)| count as f64 * (cost(number) - mean).powi(2)).sum::<f64>();
        Ok((mean, (squares / (shots - 1) as f64 / shots as f64).sqrt()))
    }

    /// The exact mean and its derivative by each gamma, then by each beta: gates are undone one by one on the state and on the cost
    /// times the state (adjoint differentiation; Jones and Gacon, arXiv:2009.02823).
    ///
    /// # Errors
    ///
    /// As of [`Qaoa::state`].
    pub fn gradient(&self, angles: &Angles) -> Result<(f64, Vec<f64>), Error> {
        let layers = angles.layers()?;
        let mut state = self.state(angles)?;
        let mean = self.costs.mean(&state)?;
        let mut other = state.clone();
        other.scale(self.costs.values());
        let mut gradient = vec![0.0; 2 * layers];
        for layer in (0..layers).rev() {
            let (gamma, beta) = (angles.gammas[layer], angles.betas[layer]);
            if self.mixer == Mixer::X {
                gradient[layers + layer] = 2.0 * other.flipped_product(&state);
                state.turn_all(-2.0 * beta, |_, _| {});
                other.turn_all(-2.0 * beta, |_, _| {});
            } else {
                for &(i, j) in self.pairs.iter().rev() {
                    gradient[layers + layer] += 2.0 * other.exchanged_product(&state, i, j);
                    state.pair(Gate::Xy(-2.0 * beta), i, j);
                    other.pair(Gate::Xy(-2.0 * beta), i, j);
                }
            }
            gradient[layer] = 2.0 * other.weighed_product(&state, self.costs.values());
            let (phases, unit) = (self.costs.phases(-gamma), state.unit());
            state.whole(|all| phases.act(unit, 0, all));
            other.whole(|all| phases.act(unit, 0, all));
        }
        Ok((mean, gradient))
    }

    /// Angles with a small mean cost: the best of a coarse grid for one layer, then layer by layer from the angles of one fewer, each
    /// time down to where the gradient vanishes. A good local minimum, and no promise of the least.
    ///
    /// # Errors
    ///
    /// No layer or more than [`MOST_LAYERS`]; no memory.
    pub fn tune(&self, layers: usize, iterations: usize) -> Result<Tuned, Error> {
        within(layers as f64, "the number of layers", "1 to 64", (1..=MOST_LAYERS).contains(&layers))?;
        let (mut tuned, scale) = self.coarse()?;
        loop {
            // In units in which cost and mixer turn alike.
            let unscaled = |point: &[f64]| {
                let mut angles = Angles::of(point);
                angles.gammas.iter_mut().for_each(|gamma| *gamma /= scale);
                angles
            };
            let mut start = tuned.angles.clone();
            start.gammas.iter_mut().for_each(|gamma| *gamma *= scale);
            let mut failed = None;
            let found = minimum(&start.all(), iterations, 1e-6 * scale, |point| {
                let half = point.len() / 2;
                let (mean, mut gradient) = self.gradient(&unscaled(point)).unwrap_or_else(|error| {
                    failed = Some(error);
                    (f64::NAN, vec![0.0; point.len()])
                });
                gradient[..half].iter_mut().for_each(|by| *by /= scale);
                (mean, gradient)
            });
            if let Some(error) = failed {
                return Err(error);
            }
            tuned.angles = unscaled(&found.at);
            tuned.mean = found.value;
            tuned.evaluations += found.evaluations;
            if tuned.angles.gammas.len() == layers {
                return Ok(tuned);
            }
            tuned.angles = tuned.angles.one_more();
        }
    }

    /// The best angles of one layer on a grid, and the spread of costs that it is laid out by.
    fn coarse(&self) -> Result<(Tuned, f64), Error> {
        const ACROSS: u32 = 6;
        let start = self.start()?;
        let reached = |values: &dyn Fn(f64) -> f64| -> f64 {
            start.probabilities().zip(self.costs.values()).map(|(p, &value)| p * values(value)).sum()
        };
        let mean = reached(&|value| value);
        let spread = reached(&|value| (value - mean).powi(2)).sqrt();
        let scale = if spread > 0.0 { spread } else { 1.0 };
        let mut best = Tuned { angles: Angles::default(), mean: f64::INFINITY, evaluations: 0 };
        for i in 1..=ACROSS {
            for j in 1..=ACROSS {
                let gamma = 2.0 * f64::from(i) / f64::from(ACROSS) / scale;
                // All of a mixer's period.
                let beta = std::f64::consts::PI * (f64::from(j) / f64::from(ACROSS) - 0.5 - 0.5 / f64::from(ACROSS));
                let angles = Angles { gammas: vec![gamma], betas: vec![beta] };
                let mean = self.mean(&angles)?;
                best.evaluations += 1;
                if mean < best.mean {
                    (best.angles, best.mean) = (angles, mean);
                }
            }
        }
        Ok((best, scale))
    }

    /// The circuit of these angles, gate by gate. It makes the same state, but for a phase of all amplitudes.
    ///
    /// # Errors
    ///
    /// What is wrong with the angles.
    pub fn circuit(&self, angles: &Angles) -> Result<Circuit, Error> {
        angles.layers()?;
        let qubits = self.costs.qubits();
        let mut circuit = match self.mixer.ones() {
            None => Circuit::new(qubits)?,
            Some(ones) => dicke::circuit(qubits, ones)?,
        };
        if self.mixer == Mixer::X {
            circuit.each(Gate::H)?;
        }
        for (&gamma, &beta) in angles.gammas.iter().zip(&angles.betas) {
            for (qubit, &field) in self.ising.fields.iter().enumerate().filter(|(_, field)| **field != 0.0) {
                circuit.one(Gate::Rz(2.0 * gamma * field), qubit)?;
            }
            for &(i, j, coupling) in &self.ising.couplings {
                circuit.two(Gate::Rzz(2.0 * gamma * coupling), i, j)?;
            }
            if self.mixer == Mixer::X {
                circuit.each(Gate::Rx(2.0 * beta))?;
            }
            for &(i, j) in &self.pairs {
                circuit.two(Gate::Xy(2.0 * beta), i, j)?;
            }
        }
        Ok(circuit)
    }
}
