//! A network as Python describes it, into one of the kernels.

use firelane_kernels::spikes::{Connection, Kind, Network, Overflow, Population, Rules, Schedule, SignMode, Source};
use numpy::PyReadonlyArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A population: the keys of a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct PopulationKeys {
    id: String,
    n: usize,
    kind: String,
    du: i64,
    dv: i64,
    /// One threshold; two of a `TernaryLIF`, the upper one first.
    vth: Vec<i64>,
    bias_mant: Vec<i64>,
    bias_exp: Vec<i64>,
    u0: Vec<i64>,
    v0: Vec<i64>,
    /// Interval and offset of a `LIFReset`.
    reset: (i64, i64),
}

/// A connection, likewise.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ConnectionKeys<'py> {
    /// Is the source an input?
    from_input: bool,
    source: usize,
    target: usize,
    weights: PyReadonlyArray2<'py, i64>,
    weight_exp: i64,
    num_weight_bits: i64,
    num_message_bits: i64,
    /// Lava's number of the mode; `None`: as the signs are.
    sign_mode: Option<i64>,
    delays: Option<PyReadonlyArray2<'py, i64>>,
    at_once: bool,
}

/// What is wrong with what somebody wrote.
pub(crate) fn wrong(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// `lava` or `cascade`; `wrap` or `forbidden`.
pub(crate) fn rules(schedule: &str, overflow: &str) -> PyResult<Rules> {
    let schedule = match schedule {
        "lava" => Schedule::Lava,
        "cascade" => Schedule::Cascade,
        other => return Err(wrong(format!("schedule is {other:?}; it must be \"lava\" or \"cascade\""))),
    };
    let overflow = match overflow {
        "wrap" => Overflow::Wrap,
        "forbidden" => Overflow::Forbidden,
        other => return Err(wrong(format!("overflow is {other:?}; it must be \"wrap\" or \"forbidden\""))),
    };
    Ok(Rules { schedule, overflow })
}

/// The network of these.
pub(crate) fn network(
    name: &str,
    inputs: Vec<(String, usize)>,
    populations: Vec<PopulationKeys>,
    connections: &[ConnectionKeys<'_>],
) -> PyResult<Network> {
    let mut network = Network::new(name);
    for (id, n) in inputs {
        network.input(&id, n);
    }
    for keys in populations {
        network.population(keys.population()?);
    }
    for keys in connections {
        network.connections.push(keys.connection()?);
    }
    Ok(network)
}

impl PopulationKeys {
    fn population(self) -> PyResult<Population> {
        let (kind, vth) = match (self.kind.as_str(), self.vth.as_slice()) {
            ("LIF", &[vth]) => (Kind::Lif, vth),
            ("LIFReset", &[vth]) => (Kind::LifReset { interval: self.reset.0, offset: self.reset.1 }, vth),
            ("TernaryLIF", &[vth_hi, vth_lo]) => (Kind::TernaryLif { vth_hi, vth_lo }, 0),
            (kind, vth) => {
                return Err(wrong(format!("{}: there is no kind {kind:?} with {} thresholds", self.id, vth.len())));
            }
        };
        Ok(Population {
            kind,
            du: self.du,
            dv: self.dv,
            vth,
            bias_mant: self.bias_mant,
            bias_exp: self.bias_exp,
            u0: self.u0,
            v0: self.v0,
            ..Population::lif(&self.id, self.n)
        })
    }
}

impl ConnectionKeys<'_> {
    fn connection(&self) -> PyResult<Connection> {
        let source = if self.from_input { Source::Input(self.source) } else { Source::Population(self.source) };
        let sign_mode = match self.sign_mode {
            None => None,
            Some(0) => Some(SignMode::Null),
            Some(1) => Some(SignMode::Mixed),
            Some(2) => Some(SignMode::Excitatory),
            Some(3) => Some(SignMode::Inhibitory),
            Some(other) => return Err(wrong(format!("there is no sign mode {other}"))),
        };
        Ok(Connection {
            weight_exp: self.weight_exp,
            num_weight_bits: self.num_weight_bits,
            num_message_bits: self.num_message_bits,
            sign_mode,
            delays: self.delays.as_ref().map(rows),
            at_once: self.at_once,
            ..Connection::of(source, self.target, rows(&self.weights))
        })
    }
}

fn rows(matrix: &PyReadonlyArray2<'_, i64>) -> Vec<Vec<i64>> {
    matrix.as_array().rows().into_iter().map(|row| row.to_vec()).collect()
}
