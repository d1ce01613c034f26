//! A European call on a price that is log-normal at maturity, on a grid of 2^n prices (Stamatopoulos and others, Quantum 4, 291,
//! 2020).
//!
//! What is computed is the expected payoff at maturity, not discounted.

use super::Linear;
use crate::arithmetic::{at_least, load, rotate};
use crate::circuit::Circuit;
use crate::error::{Error, within};
use crate::estimation::Amplified;
use serde::{Deserialize, Serialize};

/// The price's model and the option's terms.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The price today.
    pub spot: f64,
    /// Of a year, as a part: 0.4 is 40 %.
    pub volatility: f64,
    /// The risk-free rate of a year, as a part, by which the price drifts.
    pub rate: f64,
    /// Years to maturity.
    pub years: f64,
    /// What the option lets one buy at.
    pub strike: f64,
}

/// A distribution on a grid that is as wide apart everywhere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Grid {
    /// Prices, from the lowest.
    pub values: Vec<f64>,
    /// Their probabilities, which sum to 1.
    pub probabilities: Vec<f64>,
}

/// A call whose price is on a grid, and what reads its value from an amplitude.
#[derive(Clone, Debug)]
pub struct Priced {
    grid: Grid,
    strike: f64,
    qubits: usize,
    linear: Linear,
}

/// Most qubits of a grid of prices.
pub const MOST_GRID_QUBITS: usize = 12;

impl Call {
    /// The density at 2^qubits prices from three standard deviations below the mean (or 0) to three above it, made to sum to 1.
    ///
    /// # Errors
    ///
    /// A price, a volatility or a time that is not positive, or so large that the grid is not finite; no qubit, or more than
    /// [`MOST_GRID_QUBITS`].
    pub fn grid(&self, qubits: usize) -> Result<Grid, Error> {
        for (value, what) in [
            (self.spot, "the spot price"),
            (self.volatility, "the volatility"),
            (self.years, "the time to maturity"),
            (self.strike, "the strike price"),
        ] {
            within(value, what, "above 0", value > 0.0)?;
        }
        crate::error::finite(self.rate, "the rate")?;
        within(
            qubits as f64,
            "the number of qubits of the price",
            "1 to 12",
            (1..=MOST_GRID_QUBITS).contains(&qubits),
        )?;
        let variance = self.volatility.powi(2) * self.years;
        let centre = self.spot.ln() + (self.rate - 0.5 * self.volatility.powi(2)) * self.years;
        let mean = (centre + variance / 2.0).exp();
        let deviation = (variance.exp_m1() * (2.0 * centre + variance).exp()).sqrt();
        let low = (mean - 3.0 * deviation).max(0.0);
        let high = crate::error::finite(mean + 3.0 * deviation, "the highest price of the grid")?;
        let last = (1 << qubits) - 1;
        let price = |k: usize| low + (high - low) * k as f64 / f64::from(last);
        let values: Vec<f64> = (0..=last as usize).map(price).collect();
        let density = |&value: &f64| {
            if value > 0.0 { (-(value.ln() - centre).powi(2) / (2.0 * variance)).exp() / value } else { 0.0 }
        };
        let densities: Vec<f64> = values.iter().map(density).collect();
        let sum = densities.iter().sum::<f64>();
        within(
            sum,
            "the sum of the densities on the grid",
            "above 0: take more qubits or another volatility",
            sum > 0.0,
        )?;
        Ok(Grid { values, probabilities: densities.iter().map(|density| density / sum).collect() })
    }

    /// The call on a grid of 2^qubits prices. `scale` is that of the payoff's line: 0.25 is usual.
    ///
    /// # Errors
    ///
    /// As of [`Call::grid`]; a strike that is not below the grid's highest price; a scale that is not above 0 and at most 1.
    pub fn priced(&self, qubits: usize, scale: f64) -> Result<Priced, Error> {
        let grid = self.grid(qubits)?;
        let high = grid.values.last().copied().unwrap_or(0.0);
        let range = "below the highest price of the grid, three standard deviations above the mean";
        within(self.strike, "the strike price", range, self.strike < high)?;
        Ok(Priced { grid, strike: self.strike, qubits, linear: Linear::new(scale)? })
    }

    /// The same expectation without a grid: Black and Scholes' formula, not discounted.
    #[must_use]
    pub fn black_scholes(&self) -> f64 {
        let spread = self.volatility * self.years.sqrt();
        let forward = self.spot * (self.rate * self.years).exp();
        let above = ((forward / self.strike).ln() + spread.powi(2) / 2.0) / spread;
        let normal = |x: f64| 0.5 * statrs::function::erf::erfc(-x / std::f64::consts::SQRT_2);
        forward * normal(above) - self.strike * normal(above - spread)
    }
}

impl Priced {
    /// The grid.
    #[must_use]
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    fn mean(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.grid.values.iter().zip(&self.grid.probabilities).map(|(&value, p)| p * of(value)).sum()
    }

    /// The expected payoff on the grid, exactly.
    #[must_use]
    pub fn exact(&self) -> f64 {
        self.mean(|value| (value - self.strike).max(0.0))
    }

    /// The probability that the option is worth something on the grid, or nothing by a hair: its delta, exactly.
    #[must_use]
    pub fn exact_delta(&self) -> f64 {
        self.mean(|value| f64::from(u8::from(value >= self.strike)))
    }

    fn least(&self) -> usize {
        self.grid.values.partition_point(|value| *value < self.strike)
    }

    /// The circuit of the payoff: the price's qubits, then a flag (not below the strike), then the objective.
    ///
    /// # Errors
    ///
    /// None for a call that was made; no memory.
    pub fn payoff(&self) -> Result<Amplified, Error> {
        let n = self.qubits;
        let (price, flag, objective) = ((0..n).collect::<Vec<_>>(), n, n + 1);
        let mut circuit = Circuit::new(n + 2)?;
        load(&mut circuit, &price, &self.grid.probabilities)?;
        at_least(&mut circuit, &price, self.least(), flag)?;
        let (low, high) = (self.grid.values[0], self.grid.values[self.grid.values.len() - 1]);
        let step = (high - low) / (self.grid.values.len() - 1) as f64;
        let widest = high - self.strike;
        rotate(&mut circuit, &[], [self.linear.base(), 0.0], objective, &[])?;
        let line = [self.linear.of((low - self.strike) / widest), self.linear.of(step / widest)];
        rotate(&mut circuit, &price, line, objective, &[flag])?;
        Amplified::new(circuit, objective)
    }

    /// The circuit of the delta: the price's qubits, then the objective.
    ///
    /// # Errors
    ///
    /// None for a call that was made; no memory.
    pub fn delta(&self) -> Result<Amplified, Error> {
        let price: Vec<usize> = (0..self.qubits).collect();
        let mut circuit = Circuit::new(self.qubits + 1)?;
        load(&mut circuit, &price, &self.grid.probabilities)?;
        at_least(&mut circuit, &price, self.least(), self.qubits)?;
        Amplified::new(circuit, self.qubits)
    }

    /// The expected payoff that an amplitude of [`Priced::payoff`] stands for: for the exact amplitude this is what amplitude estimation
    /// aims at, and differs from [`Priced::exact`] by what sin^2 differs from its line.
    #[must_use]
    pub fn value(&self, amplitude: f64) -> f64 {
        self.linear.value(amplitude) * (self.grid.values[self.grid.values.len() - 1] - self.strike)
    }
}
