//! A universe as a file: OR-Library's, or JSON with `names`, `mean` and `covariance` (a list of rows).

use super::{Universe, UniverseError};
use crate::orlib::{self, OrLibError};
use serde::Deserialize;
use thiserror::Error;

/// Why a file is no universe.
#[derive(Debug, Error)]
pub enum FileError {
    /// No JSON, or not of this layout.
    #[error("{0}; a universe in JSON has names, mean and covariance (a list of rows)")]
    Json(#[from] serde_json::Error),
    /// Rows of the covariance that do not fit.
    #[error("row {row} of the covariance has {is} numbers, and there are {names} names")]
    Row {
        /// Counted from 1.
        row: usize,
        /// So many there are.
        is: usize,
        /// For so many names.
        names: usize,
    },
    /// It is read, and no universe.
    #[error(transparent)]
    Universe(#[from] UniverseError),
    /// No file of OR-Library's.
    #[error(transparent)]
    OrLib(#[from] OrLibError),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    names: Vec<String>,
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Universe {
    /// Reads a universe: JSON if it begins with a brace, else OR-Library's.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its line where there is one.
    pub fn parse(text: &str) -> Result<Universe, FileError> {
        if !text.trim_start().starts_with('{') {
            return Ok(orlib::universe(text)?);
        }
        let document: Document = serde_json::from_str(text)?;
        let names = document.names.len();
        let short = document.covariance.iter().position(|row| row.len() != names);
        if let Some(row) = short {
            return Err(FileError::Row { row: row + 1, is: document.covariance[row].len(), names });
        }
        Ok(Universe::new(document.names, document.mean, document.covariance.concat())?)
    }
}
