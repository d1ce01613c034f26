//! A recorded day of ITCH 5.0, message by message into books, and a row for each message that a followed symbol was touched by.

mod books;
mod observer;
mod rows;

use crate::detector::Detector;
use crate::network::wrong;
use books::Recorded;
use firelane_gateway::base::{Side, Symbol};
use firelane_sim::capture::{CaptureError, Ending, Stream};
use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use observer::Observer;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// Most levels of a side that a row can have.
const MOST_LEVELS: usize = 50;

/// A file, or bytes, that are being replayed. In a box, for books lie on cache lines, and Python's objects do not.
#[pyclass(module = "firelane._firelane")]
pub(crate) struct Replay(Mutex<Box<Recorded>>);

/// Price, size, orders: a row for each level.
type Levels<'py> = Bound<'py, PyArray2<i64>>;

/// Alerts, rows that were heard, spikes.
type Heard<'py> = (Bound<'py, PyArray1<u8>>, Levels<'py>, Levels<'py>);

#[derive(FromPyObject)]
enum Input {
    Bytes(Vec<u8>),
    Path(PathBuf),
}

#[pymethods]
impl Replay {
    /// Opens a file (or takes bytes), in which these symbols are followed, or all if there are none.
    #[new]
    #[pyo3(signature = (source, symbols, levels=1, detector=None))]
    fn new(
        source: Input,
        symbols: Vec<String>,
        levels: usize,
        detector: Option<PyRef<'_, Detector>>,
    ) -> PyResult<Self> {
        let parse = |text: &String| {
            let rule = "a symbol is one to eight printable ASCII characters without spaces";
            Symbol::new(text).ok_or_else(|| wrong(format!("symbols: {text:?}: {rule}")))
        };
        let symbols = symbols.iter().map(parse).collect::<PyResult<Vec<_>>>()?;
        if !(1..=MOST_LEVELS).contains(&levels) {
            return Err(wrong(format!("levels is {levels}; it must be 1 to {MOST_LEVELS}")));
        }
        let stream = match source {
            Input::Path(path) => Stream::open(&path),
            Input::Bytes(bytes) => {
                let length = bytes.len() as u64;
                Stream::of(Cursor::new(bytes), Some(length))
            }
        };
        let room = Recorded::instruments(&symbols);
        let observer = detector.map(|detector| Observer::new(&detector.0, room)).transpose().map_err(wrong)?;
        Ok(Replay(Mutex::new(Box::new(Recorded::new(stream.map_err(refused)?, &symbols, levels, observer)))))
    }

    /// The next rows, as the bytes of packed records: as many as `rows` says at most, and of messages before `until`
    /// (nanoseconds since midnight).
    #[pyo3(signature = (rows=None, until=None))]
    fn read<'py>(
        &mut self,
        py: Python<'py>,
        rows: Option<usize>,
        until: Option<u64>,
    ) -> PyResult<Bound<'py, PyArray1<u8>>> {
        let recorded = self.recorded();
        let rows = py.detach(|| recorded.read(rows.unwrap_or(usize::MAX), until.unwrap_or(u64::MAX)));
        Ok(rows.into_pyarray(py))
    }

    /// What the detector has said and heard since this was asked last: alerts as the bytes of packed records; of each row that it
    /// heard of `(row, started over)`; its spikes `(row, input, unit, value)`. Rows count from 0 in each `read`.
    fn heard<'py>(&mut self, py: Python<'py>) -> PyResult<Heard<'py>> {
        let none = || wrong("no detector watches this recording");
        let observer = self.recorded().observer.as_mut().ok_or_else(none)?;
        let alerts = std::mem::take(&mut observer.alerts).into_pyarray(py);
        let heard = Array2::from(std::mem::take(&mut observer.heard)).into_pyarray(py);
        Ok((alerts, heard, Array2::from(std::mem::take(&mut observer.spikes)).into_pyarray(py)))
    }

    /// What its networks have counted.
    fn watched<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        let mut failed = Ok(());
        if let Some(observer) = &self.recorded().observer {
            observer.counters(|name, count| {
                if let Err(error) = counts.set_item(name, count) {
                    failed = Err(error);
                }
            });
        }
        failed?;
        Ok(counts)
    }

    /// Bids and asks of a symbol as they are now: `(price, size, orders)`, best first; and whether the book may be trusted.
    fn book<'py>(&mut self, py: Python<'py>, symbol: &str) -> PyResult<(Levels<'py>, Levels<'py>, bool)> {
        let id = Symbol::new(symbol).and_then(|symbol| self.recorded().find(symbol));
        let id = id.ok_or_else(|| wrong(format!("{symbol:?} is not followed, or no message has named it yet")))?;
        let view = self.recorded().view(id);
        let fresh = view.freshness().is_fresh();
        let [bids, asks] = [Side::Buy, Side::Sell].map(|side| {
            let levels: Vec<[i64; 3]> =
                view.levels(side).map(|one| [one.price.0, one.qty.0, one.orders.into()]).collect();
            Array2::from(levels).into_pyarray(py)
        });
        Ok((bids, asks, fresh))
    }

    /// Messages that were read, by type.
    fn counts<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (letter, &count) in (0..=u8::MAX).zip(self.recorded().letters.iter()).filter(|(_, count)| **count > 0) {
            counts.set_item(char::from(letter), count)?;
        }
        Ok(counts)
    }

    /// What was wrong with them.
    fn errors<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let errors = PyDict::new(py);
        for (what, count) in self.recorded().errors.list() {
            errors.set_item(what, count)?;
        }
        Ok(errors)
    }

    /// The followed symbols that no message has named so far.
    fn missing(&mut self) -> Vec<String> {
        self.recorded().missing().map(|symbol| symbol.to_string()).collect()
    }

    /// `None` while there is more; then "" for a whole file, or how it broke off.
    fn ending(&mut self) -> Option<String> {
        match self.recorded().ending() {
            Ending::Open => None,
            Ending::Whole => Some(String::new()),
            Ending::Truncated(byte) => Some(CaptureError::Truncated { offset: *byte }.to_string()),
            Ending::Damaged(error) => Some(error.to_string()),
        }
    }

    /// What the file looks like, for one in which there is nothing of use.
    fn looks_like(&mut self) -> &'static str {
        self.recorded().looks_like()
    }
}

impl Replay {
    fn recorded(&mut self) -> &mut Recorded {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: CaptureError) -> PyErr {
    match &error {
        CaptureError::Open { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
            pyo3::exceptions::PyFileNotFoundError::new_err(error.to_string())
        }
        CaptureError::Open { .. } | CaptureError::Directory(_) => PyOSError::new_err(error.to_string()),
        _ => wrong(error),
    }
}
