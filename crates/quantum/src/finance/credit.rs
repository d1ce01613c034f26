//! What a loan book can lose: defaults that depend on one common factor (the Gaussian conditional independence model), the
//! distribution of the loss, its value at risk and conditional value at risk (Egger, Gutierrez, Cahue Mestre and Woerner, IEEE
//! Transactions on Computers 70(12), 2021).

use super::Linear;
use crate::arithmetic::{add_where, at_least, load, rotate};
use crate::circuit::Circuit;
use crate::error::{Error, MOST_QUBITS, within};
use crate::estimation::{Amplified, Estimate, Interval, Settings, estimate};
use crate::gate::Gate;
use crate::state::State;
use serde::{Deserialize, Serialize};
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

/// How far the common factor reaches, in standard deviations.
const REACH: f64 = 2.0;
/// Most that all loans together can lose, in units.
pub const MOST_LOSS: usize = 4_095;

/// A loan.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loan {
    /// The probability of its default where the factor is at its mean.
    pub default: f64,
    /// How much it depends on the factor: from 0 to below 1.
    pub sensitivity: f64,
    /// What is lost if it defaults, in whole units.
    pub loss: usize,
}

/// Loans, and the factor on a grid of 2^n values.
#[derive(Clone, Debug)]
pub struct Book {
    loans: Vec<Loan>,
    factor: usize,
    sum: usize,
    total: usize,
    linear: Linear,
    /// Probability of each loss, from 0.
    losses: Vec<f64>,
}

/// A value at risk that was searched by estimates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Searched {
    /// The least loss that is not exceeded with the probability that was asked for, as estimated.
    pub value: usize,
    /// Each loss that was tried, and the probability of not more.
    pub tried: Vec<(usize, Estimate)>,
    /// Is no interval on both sides of what was asked for?
    pub decided: bool,
}

impl Book {
    /// Of these loans. `scale` is that of the expectations' line: 0.25 is usual.
    ///
    /// # Errors
    ///
    /// No loan, one with a probability that is not between 0 and 1, a sensitivity that is not from 0 to below 1, nothing to lose or
    /// more than [`MOST_LOSS`], more qubits than are simulated, a scale that is not above 0 and at most 1.
    pub fn new(loans: Vec<Loan>, factor_qubits: usize, scale: f64) -> Result<Book, Error> {
        if loans.is_empty() {
            return Err(Error::NoQubits { what: "a book without loans" });
        }
        for loan in &loans {
            within(
                loan.default,
                "a probability of default",
                "between 0 and 1",
                loan.default > 0.0 && loan.default < 1.0,
            )?;
            let fits = (0.0..1.0).contains(&loan.sensitivity);
            within(loan.sensitivity, "a sensitivity", "from 0 to below 1", fits)?;
            within(loan.loss as f64, "a loss", "at most 4095 units", loan.loss <= MOST_LOSS)?;
        }
        let total = loans.iter().map(|loan| loan.loss).sum::<usize>();
        within(total as f64, "what all loans lose", "1 to 4095 units", (1..=MOST_LOSS).contains(&total))?;
        within(factor_qubits as f64, "the number of qubits of the factor", "1 to 8", (1..=8).contains(&factor_qubits))?;
        let sum = total.ilog2() as usize + 1;
        let asked = factor_qubits + loans.len() + sum + 2;
        if asked > MOST_QUBITS {
            return Err(Error::TooManyQubits { asked });
        }
        let linear = Linear::new(scale)?;
        let mut book = Book { loans, factor: factor_qubits, sum, total, linear, losses: vec![0.0; total + 1] };
        // What the loans' circuit says, added up loss by loss: no sum register is needed for that.
        let mut circuit = Circuit::new(factor_qubits + book.loans.len())?;
        book.uncertainty(&mut circuit)?;
        for (number, probability) in State::of(&circuit)?.probabilities().enumerate() {
            let defaulted = |k: &usize| number >> (factor_qubits + k) & 1 == 1;
            let loss: usize = (0..book.loans.len()).filter(defaulted).map(|k| book.loans[k].loss).sum();
            book.losses[loss] += probability;
        }
        Ok(book)
    }

    /// The factor, and a qubit for each loan that says if it defaults: a probability whose angle is a line in the factor, which touches
    /// the model's own curve at its mean.
    fn uncertainty(&self, circuit: &mut Circuit) -> Result<(), Error> {
        let normal = Normal::standard();
        let last = ((1_usize << self.factor) - 1) as f64;
        let at = |k: usize| -REACH + 2.0 * REACH * k as f64 / last;
        let factor: Vec<usize> = (0..self.factor).collect();
        let densities: Vec<f64> = (0..1 << self.factor).map(|k| normal.pdf(at(k))).collect();
        load(circuit, &factor, &densities)?;
        for (number, loan) in self.loans.iter().enumerate() {
            let rest = 1.0 - loan.sensitivity;
            let threshold = normal.inverse_cdf(loan.default) / rest.sqrt();
            let mean = normal.cdf(threshold);
            let slope = -(loan.sensitivity / rest).sqrt() * normal.pdf(threshold) / (mean * (1.0 - mean)).sqrt();
            let offset = 2.0 * mean.sqrt().asin();
            let line = [offset - slope * REACH, slope * 2.0 * REACH / last];
            rotate(circuit, &factor, line, self.factor + number, &[])?;
        }
        Ok(())
    }

    /// The qubits of the sum, behind those of the factor and the loans; behind them an objective and a flag.
    fn sum_register(&self) -> Vec<usize> {
        let from = self.factor + self.loans.len();
        (from..from + self.sum).collect()
    }

    /// Factor, loans and the sum of what is lost, with so many more qubits.
    fn summed(&self, more: usize) -> Result<(Circuit, Vec<usize>, usize), Error> {
        let sum = self.sum_register();
        let next = self.factor + self.loans.len() + self.sum;
        let mut circuit = Circuit::new(next + more)?;
        self.uncertainty(&mut circuit)?;
        for (number, loan) in self.loans.iter().enumerate() {
            add_where(&mut circuit, self.factor + number, loan.loss, &sum)?;
        }
        Ok((circuit, sum, next))
    }

    /// The probability of each loss, from 0 to what all loans lose, exactly (as the circuit's lines have it).
    #[must_use]
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// What all loans lose.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// The expected loss, exactly.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.losses.iter().enumerate().map(|(loss, p)| loss as f64 * p).sum()
    }

    /// The probability of no more than this loss, exactly.
    #[must_use]
    pub fn not_above(&self, loss: usize) -> f64 {
        self.losses.iter().take(loss.saturating_add(1)).sum()
    }

    /// The least loss that is not exceeded with this probability, exactly.
    ///
    /// # Errors
    ///
    /// A level that is not between 0 and 1.
    pub fn value_at_risk(&self, level: f64) -> Result<usize, Error> {
        within(level, "the level", "between 0 and 1", level > 0.0 && level < 1.0)?;
        Ok((0..self.total).find(|&loss| self.not_above(loss) >= level).unwrap_or(self.total))
    }

    /// The mean of all losses above this one, exactly; none if there is none.
    #[must_use]
    pub fn mean_above(&self, loss: usize) -> Option<f64> {
        let above = || self.losses.iter().enumerate().skip(loss.saturating_add(1));
        let probability: f64 = above().map(|(_, p)| p).sum();
        (loss < self.total && probability > 0.0).then(|| above().map(|(l, p)| l as f64 * p).sum::<f64>() / probability)
    }

    /// The circuit of the expected loss.
    ///
    /// # Errors
    ///
    /// No memory.
    pub fn loss_circuit(&self) -> Result<Amplified, Error> {
        let (mut circuit, sum, objective) = self.summed(1)?;
        let line = [self.linear.base(), self.linear.of(1.0 / self.total as f64)];
        rotate(&mut circuit, &sum, line, objective, &[])?;
        Amplified::new(circuit, objective)
    }

    /// The expected loss that an amplitude of [`Book::loss_circuit`] stands for.
    #[must_use]
    pub fn loss_of(&self, amplitude: f64) -> f64 {
        self.linear.value(amplitude) * self.total as f64
    }

    /// The circuit of the probability of no more than this loss.
    ///
    /// # Errors
    ///
    /// No memory.
    pub fn not_above_circuit(&self, loss: usize) -> Result<Amplified, Error> {
        let (mut circuit, sum, objective) = self.summed(1)?;
        at_least(&mut circuit, &sum, loss.saturating_add(1), objective)?;
        circuit.one(Gate::X, objective)?;
        Amplified::new(circuit, objective)
    }

    /// The circuit of how far losses are above this one, in the mean: 0 where they are not.
    ///
    /// # Errors
    ///
    /// A loss that is not below what all loans lose; no memory.
    pub fn above_circuit(&self, loss: usize) -> Result<Amplified, Error> {
        within(loss as f64, "the loss", "below what all loans lose", loss < self.total)?;
        let (mut circuit, sum, objective) = self.summed(2)?;
        let flag = objective + 1;
        at_least(&mut circuit, &sum, loss + 1, flag)?;
        let widest = (self.total - loss) as f64;
        rotate(&mut circuit, &[], [self.linear.base(), 0.0], objective, &[])?;
        let line = [self.linear.of(-(loss as f64) / widest), self.linear.of(1.0 / widest)];
        rotate(&mut circuit, &sum, line, objective, &[flag])?;
        Amplified::new(circuit, objective)
    }

    /// The mean of losses above this one that an amplitude of [`Book::above_circuit`] stands for, if so much probability is not above.
    #[must_use]
    pub fn mean_above_of(&self, loss: usize, amplitude: f64, not_above: f64) -> f64 {
        let beyond = self.linear.value(amplitude) * (self.total.saturating_sub(loss)) as f64;
        loss as f64 + beyond / (1.0 - not_above)
    }

    /// The same for intervals of both.
    #[must_use]
    pub fn mean_above_within(&self, loss: usize, amplitude: Interval, not_above: Interval) -> Interval {
        let value = |amplitude, not_above| self.mean_above_of(loss, amplitude, not_above);
        let ends = [
            value(amplitude.low, not_above.low),
            value(amplitude.low, not_above.high),
            value(amplitude.high, not_above.low),
            value(amplitude.high, not_above.high),
        ];
        Interval {
            low: ends.into_iter().fold(f64::INFINITY, f64::min),
            high: ends.into_iter().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// The value at risk by halving: the probability of not more than a loss is estimated for one loss after the other.
    ///
    /// # Errors
    ///
    /// A level that is not between 0 and 1; what [`estimate`] refuses.
    pub fn search_value_at_risk(&self, level: f64, settings: &Settings) -> Result<Searched, Error> {
        within(level, "the level", "between 0 and 1", level > 0.0 && level < 1.0)?;
        let (mut low, mut high) = (0, self.total);
        let mut tried = Vec::new();
        while low < high {
            let middle = usize::midpoint(low, high);
            let seed = settings.seed.wrapping_add(tried.len() as u64);
            let found = estimate(&mut self.not_above_circuit(middle)?, &Settings { seed, ..*settings })?;
            if found.value >= level {
                high = middle
            } else {
                low = middle + 1
            }
            tried.push((middle, found));
        }
        let decided = tried.iter().all(|(_, found)| !found.interval.contains(level));
        Ok(Searched { value: low, tried, decided })
    }
}
