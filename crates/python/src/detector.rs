//! A detector as its file describes it.

use crate::network::wrong;
use firelane_kernels::detector::Settings;
use firelane_kernels::detector::file::{Time, whole};
use pyo3::exceptions::PyFileNotFoundError;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A detector's file, read and checked.
#[pyclass(module = "firelane._firelane", frozen)]
pub(crate) struct Detector(pub(crate) Settings);

#[pymethods]
impl Detector {
    /// The file, and what it names beside itself.
    #[new]
    fn new(path: PathBuf) -> PyResult<Self> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path);
        let text = text.map_err(|error| PyFileNotFoundError::new_err(format!("{name}: {error}")))?;
        let beside = |network: &str| {
            let path = path.parent().map_or(network.into(), |folder| folder.join(network));
            std::fs::read_to_string(path)
        };
        let document = whole(&text, beside).map_err(|error| wrong(format!("{name}: {error}")))?;
        Ok(Detector(Settings::parse(&document).map_err(|error| wrong(format!("{name}: {error}")))?))
    }

    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// What its alerts are called; their codes count from 1 on.
    #[getter]
    fn alerts(&self) -> Vec<String> {
        self.0.alerts().iter().map(|alert| alert.name.clone()).collect()
    }

    /// Inputs of its network, and their units.
    #[getter]
    fn inputs(&self) -> Vec<(String, usize)> {
        self.0.program().inputs().to_vec()
    }

    /// Nanoseconds of a step; `None`: each event is one.
    #[getter]
    fn dt(&self) -> Option<u64> {
        match self.0.time() {
            Time::Event => None,
            Time::Dt(dt) => Some(dt),
        }
    }
}
