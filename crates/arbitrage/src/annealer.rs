//! A device of [`firelane_kernels::ising`], and what is asked of it each time.

use firelane_kernels::ising::device::{Device, Fault};
use firelane_kernels::ising::job::{Algorithm, Answer, Job};
use firelane_kernels::ising::problem::{Pair, Problem, Unfit};
use std::sync::Arc;
use thiserror::Error;

/// Why nothing was annealed.
#[derive(Debug, Error)]
pub enum AnnealError {
    /// The problem does not fit an Ising machine.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// The device can't do it, or failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// A device and how it is used.
pub struct Annealer<'a> {
    /// What solves.
    pub device: &'a mut dyn Device,
    /// How.
    pub algorithm: Algorithm,
    /// Steps or sweeps of each replica.
    pub steps: u32,
    /// Independent runs of each problem.
    pub replicas: u32,
    /// Of all random numbers.
    pub seed: u64,
}

/// A function of bits in whole numbers, gathered term by term.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Function {
    bits: usize,
    terms: Vec<Pair>,
}

impl Function {
    /// Of so many bits, 0 everywhere.
    #[must_use]
    pub fn new(bits: usize) -> Function {
        Function { bits, terms: Vec::new() }
    }

    /// Adds `value` where both bits are 1; of one bit twice, where it is. What is over 31 bits is cut to them, and refused later.
    pub fn add(&mut self, i: usize, j: usize, value: i64) {
        if value != 0 {
            let coupling = value.clamp(-i64::from(i32::MAX), i64::from(i32::MAX)) as i32;
            self.terms.push(Pair { i: i as u32, j: j as u32, coupling });
        }
    }

    /// As a problem.
    ///
    /// # Errors
    /// [`Unfit`]: no bit, or numbers that are too large.
    pub fn problem(&self) -> Result<Problem, Unfit> {
        Problem::qubo(self.bits, &self.terms)
    }

    /// What it is of these bits.
    #[must_use]
    pub fn value(&self, bits: &[bool]) -> i64 {
        let on = |at: u32| bits[at as usize];
        self.terms.iter().filter(|term| on(term.i) && on(term.j)).map(|term| i64::from(term.coupling)).sum()
    }
}

impl Annealer<'_> {
    /// Makes a function small: the best bits of each replica. `round` makes the random numbers of one problem others than those of
    /// the next.
    ///
    /// # Errors
    /// [`AnnealError`].
    pub fn run(&mut self, function: &Function, round: u64) -> Result<Vec<Vec<bool>>, AnnealError> {
        let problem = Arc::new(function.problem()?);
        self.device.load(&problem)?;
        let seed = self.seed.wrapping_add(round.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let answer: Answer = self.device.solve(&Job::new(self.algorithm, self.steps, self.replicas, seed))?;
        let bits = |replica: firelane_kernels::ising::job::Replica| {
            (0..problem.sites()).map(|site| replica.spins.up(site)).collect()
        };
        Ok(answer.replicas.into_iter().map(bits).collect())
    }
}
