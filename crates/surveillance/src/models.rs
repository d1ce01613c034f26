//! The baselines as they are committed: `models/baselines.json`, made by `examples/train`.

use crate::contest::ALERTS;
use crate::contest::logistic::{Logistic, Weights};
use crate::contest::meaning::Meanings;
use crate::contest::rule::{Rule, Rules};
use crate::contest::trees::{Lost, Tree, Trees};
use crate::detector::Detector;
use crate::traces::Constants;
use crate::watch::Units;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What is wrong with a file of baselines.
#[derive(Debug, Error)]
pub enum ModelError {
    /// No JSON, or other keys.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Another number of alerts or traces than there are.
    #[error(
        "{what} has {found}; it must have {expected}: train again (cargo run --release -p firelane-surveillance --example train)"
    )]
    Shape {
        /// What.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there must be.
        expected: usize,
    },
    /// A tree that can't be walked.
    #[error("trees: {0}")]
    Tree(#[from] Lost),
}

/// All that training has found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baselines {
    /// What their encoder hears: [`Detector::hears`].
    pub hears: String,
    /// Time constants of the traces.
    pub constants: Constants,
    /// Constants of the rules.
    pub rules: Rules,
    /// Weights of the logistic regressions, by alert.
    pub logistic: Vec<Weights>,
    /// The trees, by alert.
    pub trees: Vec<Vec<Tree>>,
}

impl Baselines {
    /// Those that are committed.
    ///
    /// # Errors
    /// [`ModelError`]: never, or the program was built of a file that is none.
    pub fn shipped() -> Result<Self, ModelError> {
        Self::parse(include_str!("../models/baselines.json"))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn parse(text: &str) -> Result<Self, ModelError> {
        let read: Baselines = serde_json::from_str(text)?;
        let alerts = |what, found| match found {
            found if found == ALERTS.len() => Ok(()),
            found => Err(ModelError::Shape { what, found, expected: ALERTS.len() }),
        };
        alerts("logistic", read.logistic.len())?;
        alerts("trees", read.trees.len())?;
        Ok(read)
    }

    /// At work on what a detector hears; `None`: they were trained on something else.
    ///
    /// # Errors
    /// [`ModelError`]: they do not fit each other.
    pub fn contestants(&self, detector: &Detector) -> Result<Option<(Rule, Logistic, Trees)>, ModelError> {
        if self.hears != detector.hears() {
            return Ok(None);
        }
        let traces = Units::of(detector.settings()).count() * self.constants.0.len();
        for weights in &self.logistic {
            if weights.of.len() != traces {
                return Err(ModelError::Shape { what: "logistic", found: weights.of.len(), expected: traces });
            }
        }
        self.trees.iter().flatten().try_for_each(|tree| tree.sound(traces))?;
        let rule = Rule::new(self.rules, Meanings::new(detector.settings()));
        Ok(Some((rule, Logistic::new(self.logistic.clone()), Trees::new(self.trees.clone(), traces))))
    }
}
