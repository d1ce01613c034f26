//! Which assets to hold: risk sigma x - mu x over bits, with so many ones.

use crate::error::{Error, finite, sized, within};
use crate::ising::Qubo;
use serde::{Deserialize, Serialize};

/// Expected returns and covariances of a period, of each asset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Portfolio {
    /// Mean returns.
    pub mu: Vec<f64>,
    /// Covariances of returns: as many rows as assets, each of as many numbers.
    pub sigma: Vec<Vec<f64>>,
}

impl Portfolio {
    /// Of a JSON document `{"mu": [...], "sigma": [[...], ...]}`.
    ///
    /// # Errors
    ///
    /// It is something else, or its numbers are wrong.
    pub fn parse(text: &str) -> Result<Portfolio, Error> {
        let what = "a portfolio, {\"mu\": [...], \"sigma\": [[...], ...]}";
        let portfolio: Portfolio =
            serde_json::from_str(text).map_err(|error| Error::Document { what, why: error.to_string() })?;
        portfolio.check()?;
        Ok(portfolio)
    }

    fn check(&self) -> Result<(), Error> {
        if self.mu.is_empty() {
            return Err(Error::NoQubits { what: "a portfolio without assets" });
        }
        sized(self.sigma.len(), self.mu.len(), "the list of rows of sigma")?;
        for row in &self.sigma {
            sized(row.len(), self.mu.len(), "a row of sigma")?;
        }
        for &value in self.mu.iter().chain(self.sigma.iter().flatten()) {
            finite(value, "a number of the portfolio")?;
        }
        Ok(())
    }

    /// `risk` x' sigma x - mu x + `penalty` (sum x - budget)^2.
    ///
    /// # Errors
    ///
    /// What is wrong with the numbers; a risk or a penalty that is negative; a budget above the number of assets.
    pub fn qubo(&self, risk: f64, budget: usize, penalty: f64) -> Result<Qubo, Error> {
        self.check()?;
        within(risk, "the weight of risk", "0 or more", risk >= 0.0)?;
        within(penalty, "the penalty", "0 or more", penalty >= 0.0)?;
        let assets = self.mu.len();
        within(budget as f64, "the budget", "at most the number of assets", budget <= assets)?;
        let wanted = budget as f64;
        let alone = |i: usize| risk * self.sigma[i][i] - self.mu[i] + penalty * (1.0 - 2.0 * wanted);
        let pair = |i: usize, j: usize| risk * (self.sigma[i][j] + self.sigma[j][i]) + 2.0 * penalty;
        Ok(Qubo {
            constant: penalty * wanted * wanted,
            linear: (0..assets).map(alone).collect(),
            quadratic: (0..assets).flat_map(|i| (i + 1..assets).map(move |j| (i, j, pair(i, j)))).collect(),
        })
    }
}
