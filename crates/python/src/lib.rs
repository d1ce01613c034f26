//! What Python loads as `firelane._firelane`: the software twin, the encoders and the reader of recorded days, each a thin
//! class over NumPy arrays. What people write against is the package in `python/firelane`, and `docs/python.md` describes it.
//!
//! Python's lock is given back while steps are computed and files are read.

mod detector;
mod encode;
mod itch;
mod manipulation;
mod network;
mod twin;

use pyo3::prelude::*;

// What allocates objects for Python knows no larger alignment.
const _: () = assert!(align_of::<twin::Twin>() <= 16 && align_of::<itch::Replay>() <= 16);

#[pymodule]
fn _firelane(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<twin::Twin>()?;
    module.add_class::<detector::Detector>()?;
    module.add_class::<encode::Delta>()?;
    module.add_class::<encode::Rate>()?;
    module.add_class::<itch::Replay>()?;
    module.add_function(wrap_pyfunction!(manipulation::day, module)?)?;
    module.add_function(wrap_pyfunction!(manipulation::manipulations, module)?)?;
    Ok(())
}
