//! Days with labelled manipulations: the synthetic market's, as bytes and rows.

use firelane_sim::manipulation::{self, Kind, Strength};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray2};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The messages of a day, its symbols, for how many nanoseconds it was open, and its episodes `(kind, decoy, strength, symbol, start, end)`, where kind, strength
/// and symbol are numbers of lists.
type Day<'py> = (Bound<'py, PyBytes>, Vec<String>, u64, Bound<'py, PyArray2<u64>>);

/// A kind, its alert, and for how many nanoseconds behind its end one counts.
type Known = (&'static str, &'static str, u64);

/// The day of a seed.
#[pyfunction]
pub(crate) fn day(py: Python<'_>, seed: u64) -> Day<'_> {
    let day = py.detach(|| manipulation::day(seed));
    let place = |found: Option<usize>| found.map_or(u64::MAX, |at| at as u64);
    let rows: Vec<[u64; 6]> = day
        .episodes
        .iter()
        .map(|e| {
            let kind = place(Kind::ALL.iter().position(|kind| *kind == e.kind));
            let strength = place(Strength::ALL.iter().position(|strength| *strength == e.strength));
            [kind, e.decoy.into(), strength, e.symbol as u64, e.start, e.end]
        })
        .collect();
    let symbols = day.symbols.iter().map(ToString::to_string).collect();
    (PyBytes::new(py, &day.file), symbols, day.length.0, Array2::from(rows).into_pyarray(py))
}

/// What there is: kinds; strengths; first seeds of the days to learn from, to choose by and to report on, each with the one behind the last.
#[pyfunction]
pub(crate) fn manipulations() -> (Vec<Known>, Vec<&'static str>, [(u64, u64); 3]) {
    let kinds = Kind::ALL.iter().map(|kind| (kind.name(), kind.alert().name(), kind.grace().0)).collect();
    let strengths = Strength::ALL.iter().map(|strength| strength.name()).collect();
    let seeds =
        [manipulation::TRAIN, manipulation::VALIDATION, manipulation::TEST].map(|seeds| (seeds.start, seeds.end));
    (kinds, strengths, seeds)
}
