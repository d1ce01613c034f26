//! From numbers to spikes: the kernels' encoders, over whole arrays.

use crate::network::wrong;
use firelane_kernels::spikes::encode;
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2};
use pyo3::prelude::*;

/// Delta modulation.
#[pyclass(module = "firelane._firelane")]
pub(crate) struct Delta {
    inner: encode::Delta,
    units: usize,
}

#[pymethods]
impl Delta {
    #[new]
    #[pyo3(signature = (units, vth, spike_exp=0, num_bits=None))]
    fn new(units: usize, vth: i64, spike_exp: u32, num_bits: Option<u32>) -> PyResult<Self> {
        Ok(Delta { inner: encode::Delta::new(units, vth, spike_exp, num_bits).map_err(wrong)?, units })
    }

    /// The spikes that these values `(steps, units)` make; what was not told is kept for the next call.
    fn encode<'py>(
        &mut self,
        py: Python<'py>,
        values: PyReadonlyArray2<'py, i64>,
    ) -> PyResult<Bound<'py, PyArray2<i32>>> {
        let values = values.as_array();
        if values.ncols() != self.units {
            return Err(wrong(format!(
                "delta: values have {} columns; there are {} units",
                values.ncols(),
                self.units
            )));
        }
        let mut spikes = Array2::zeros(values.dim());
        for (row, mut out) in values.rows().into_iter().zip(spikes.rows_mut()) {
            for (unit, (&value, spike)) in row.iter().zip(&mut out).enumerate() {
                *spike = self.inner.encode(unit, value);
            }
        }
        Ok(spikes.into_pyarray(py))
    }
}

/// Rate coding.
#[pyclass(module = "firelane._firelane")]
pub(crate) struct Rate(encode::Rate);

#[pymethods]
impl Rate {
    #[new]
    fn new(seed: u64) -> Self {
        Rate(encode::Rate::new(seed))
    }

    /// Who fires in the steps from `first` on: `rates` `(steps, units)` are in 1/65,536.
    fn encode<'py>(
        &self,
        py: Python<'py>,
        rates: PyReadonlyArray2<'py, i64>,
        first: u64,
    ) -> PyResult<Bound<'py, PyArray2<i32>>> {
        let rates = rates.as_array();
        let mut spikes = Array2::zeros(rates.dim());
        for ((at, unit), &rate) in rates.indexed_iter() {
            let always = i64::from(encode::Rate::ALWAYS);
            if !(0..=always).contains(&rate) {
                return Err(wrong(format!(
                    "rate: the rate of step {at}, unit {unit} is {rate}; it must be 0 to {always}"
                )));
            }
            let step = first.wrapping_add(at as u64);
            spikes[(at, unit)] = i32::from(self.0.fires(step, unit as u32, rate as u32));
        }
        Ok(spikes.into_pyarray(py))
    }
}
