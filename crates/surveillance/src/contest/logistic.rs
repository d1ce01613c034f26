//! Logistic regression on traces: what is compared with a threshold is a weighted sum.

use super::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use serde::{Deserialize, Serialize};

/// The weights of one alert.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// What is added.
    pub bias: f32,
    /// Of each trace.
    pub of: Vec<f32>,
}

impl Weights {
    /// The log-odds of the alert.
    #[must_use]
    pub fn score(&self, traces: &[f32]) -> f32 {
        self.of.iter().zip(traces).fold(self.bias, |sum, (weight, value)| sum + weight * value)
    }
}

/// A weighted sum for each of [`ALERTS`].
#[derive(Clone, Debug)]
pub struct Logistic {
    alerts: Vec<Weights>,
    spent: Spent,
}

impl Logistic {
    /// With the weights of each of [`ALERTS`].
    #[must_use]
    pub fn new(alerts: Vec<Weights>) -> Self {
        Logistic { alerts, spent: Spent::default() }
    }

    fn weights(&self) -> impl Iterator<Item = &f32> {
        self.alerts.iter().flat_map(|weights| &weights.of)
    }
}

impl Contestant for Logistic {
    fn name(&self) -> &'static str {
        "logistic"
    }

    fn restart(&mut self) {}

    fn hear(&mut self, heard: &Heard<'_>) -> Scores {
        self.spent.events += 1;
        let active = heard.traces.iter().filter(|value| **value != 0.0).count() as u64;
        self.spent.multiplies += active * ALERTS.len() as u64;
        let mut scores = [f32::NAN; ALERTS.len()];
        for (score, weights) in scores.iter_mut().zip(&self.alerts) {
            *score = weights.score(heard.traces);
        }
        scores
    }

    fn build(&self) -> Build {
        let weights = self.weights().count() as u64;
        let zeros = self.weights().filter(|weight| **weight == 0.0).count();
        let (biases, traces) = (self.alerts.len() as u64, weights / ALERTS.len() as u64);
        Build {
            footprint_bytes: (weights + biases + traces) * size_of::<f32>() as u64,
            connection_sparsity: (weights > 0).then(|| zeros as f64 / weights as f64),
            neurons: 0,
            dense_operations: weights,
        }
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}
