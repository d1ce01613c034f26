//! Networks as files: with their inputs, and with the trace of every neuron, as `tests/vectors/snn/README.md` describes
//! the format `lava-golden-1`.

mod document;
mod written;

use super::device::{Device, Fault, Spike, Variable};
use super::network::{Network, Source};
use super::program::{Program, Refused, Rules};
use document::Document;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

pub use written::document;

/// What is wrong with a file, or with running it.
#[derive(Debug, Error)]
pub enum GoldenError {
    /// Not JSON, or a key with a value of another kind, or one that is not known.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// A value that can't be.
    #[error("{node}: {text}")]
    Value {
        /// The input, population or connection.
        node: String,
        /// What is wrong with it.
        text: String,
    },
    /// The network is no program.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The device did not take a step.
    #[error("step {step}: {fault}")]
    Fault {
        /// Which, from 0 on, as the file counts them.
        step: usize,
        /// Why.
        fault: Fault,
    },
}

/// Every current, voltage and spike of a population: `[step][neuron]`, after the step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// Currents.
    pub u: Vec<Vec<i32>>,
    /// Voltages, after the reset of those that fired.
    pub v: Vec<Vec<i32>>,
    /// Spikes: 0, 1 or -1.
    pub s: Vec<Vec<i32>>,
}

/// Traces by population.
pub type Traces = BTreeMap<String, Trace>;

/// A network with its inputs.
#[derive(Clone, Debug)]
pub struct Golden {
    /// The whole file, but what was replaced.
    whole: serde_json::Map<String, serde_json::Value>,
    network: Network,
    /// Steps that it gives inputs for.
    steps: usize,
    /// Values of each input.
    inputs: Vec<document::Rows>,
    trace: Option<Traces>,
}

/// Where two traces differ first, and in how many values.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{count} values differ; the first is {first}")]
pub struct Differs {
    /// In how many values.
    pub count: usize,
    /// Where, and how.
    pub first: String,
}

impl Golden {
    /// Reads a file.
    ///
    /// # Errors
    /// [`GoldenError`], with the node that is wrong.
    pub fn parse(text: &str) -> Result<Self, GoldenError> {
        let document: Document = serde_json::from_str(text)?;
        let whole: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
        document.into_golden(whole)
    }

    /// The same network, with the steps and inputs of another file: of one that may hold nothing else.
    ///
    /// # Errors
    /// [`GoldenError`] if its inputs are not the network's.
    pub fn with_inputs(mut self, text: &str) -> Result<Self, GoldenError> {
        let given = document::Inputs::parse(text)?;
        let network = &self.network;
        (self.steps, self.inputs) = given.of(network)?;
        let given: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text)?;
        self.whole.extend(given.into_iter().filter(|(key, _)| key == "inputs" || key == "steps"));
        self.whole.insert("steps".to_owned(), self.steps.into());
        (self.trace, _) = (None, self.whole.remove("trace"));
        Ok(self)
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Does it say that it is of the format of Lava's vectors?
    #[must_use]
    pub fn is_lavas(&self) -> bool {
        is_lavas(&self.whole)
    }

    /// For how many steps there are inputs.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The trace in the file, if it has one.
    #[must_use]
    pub fn trace(&self) -> Option<&Traces> {
        self.trace.as_ref()
    }

    /// The events of a step, in place of what is in `events`.
    pub fn events(&self, step: usize, events: &mut Vec<Spike>) {
        events.clear();
        for (node, steps) in self.inputs.iter().enumerate() {
            for (unit, &value) in steps.get(step).into_iter().flatten().enumerate() {
                if value != 0 {
                    events.push(Spike { node: node as u16, unit: unit as u16, value });
                }
            }
        }
    }

    /// The values of each input, in the network's order: `[input][step][unit]`.
    #[must_use]
    pub fn inputs(&self) -> &[Vec<Vec<i32>>] {
        &self.inputs
    }

    /// Runs it, whole, and writes every state down.
    ///
    /// # Errors
    /// [`GoldenError`].
    pub fn run(&self, device: &mut dyn Device, rules: &Rules) -> Result<Traces, GoldenError> {
        let program = Program::check(&self.network, rules)?;
        device.load(&program)?;
        let mut events = Vec::new();
        let mut out = vec![Spike::default(); program.neurons()];
        let mut traces = vec![Trace::default(); program.cells().len()];
        for step in 0..self.steps {
            let fault = |fault| GoldenError::Fault { step, fault };
            self.events(step, &mut events);
            let done = device.step(&events, &mut out).map_err(fault)?;
            for (node, (cells, trace)) in program.cells().iter().zip(&mut traces).enumerate() {
                for (variable, rows) in [(Variable::Current, &mut trace.u), (Variable::Voltage, &mut trace.v)] {
                    let mut row = vec![0; cells.n];
                    device.probe_all(variable, node, &mut row).map_err(fault)?;
                    rows.push(row);
                }
                trace.s.push(vec![0; cells.n]);
            }
            for spike in out.iter().take(done.spikes) {
                let row = traces.get_mut(usize::from(spike.node)).and_then(|trace| trace.s.last_mut());
                if let Some(value) = row.and_then(|row| row.get_mut(usize::from(spike.unit))) {
                    *value = spike.value;
                }
            }
        }
        Ok(program.cells().iter().map(|cells| cells.id.clone()).zip(traces).collect())
    }

    /// The file, with this trace.
    #[must_use]
    pub fn with_trace(&self, traces: &Traces) -> serde_json::Value {
        let mut whole = self.whole.clone();
        whole.insert("trace".to_owned(), serde_json::json!(traces));
        serde_json::Value::Object(whole)
    }
}

/// Does `found` hold all that `expected` does, and nothing else there?
///
/// # Errors
/// [`Differs`].
pub fn compare(expected: &Traces, found: &Traces) -> Result<(), Differs> {
    let mut differs = Differs { count: 0, first: String::new() };
    let nothing = Trace::default();
    for (id, expected) in expected {
        let found = found.get(id).unwrap_or(&nothing);
        for (name, expected, found) in
            [("u", &expected.u, &found.u), ("v", &expected.v, &found.v), ("s", &expected.s, &found.s)]
        {
            let steps = expected.len().max(found.len());
            for step in 0..steps {
                let row = |rows: &[Vec<i32>]| rows.get(step).cloned().unwrap_or_default();
                let (expected, found) = (row(expected), row(found));
                for unit in 0..expected.len().max(found.len()) {
                    let (expected, found) = (expected.get(unit), found.get(unit));
                    if expected != found {
                        if differs.count == 0 {
                            let text = |value: Option<&i32>| value.map_or("nothing".to_owned(), i32::to_string);
                            let (expected, found) = (text(expected), text(found));
                            differs.first =
                                format!("{name} of {id}[{unit}] after step {step}: {found}, not {expected}");
                        }
                        differs.count += 1;
                    }
                }
            }
        }
    }
    if differs.count == 0 { Ok(()) } else { Err(differs) }
}

fn is_lavas(whole: &serde_json::Map<String, serde_json::Value>) -> bool {
    whole.get("format").and_then(serde_json::Value::as_str) == Some("lava-golden-1")
}

/// The name of each input, and how many units it has.
fn inputs_of(network: &Network) -> impl Iterator<Item = (usize, &str, usize)> {
    network.inputs.iter().enumerate().map(|(at, input)| (at, input.id.as_str(), input.n))
}

/// The node of that name.
fn source_of(network: &Network, id: &str) -> Option<Source> {
    let input = network.inputs.iter().position(|input| input.id == id).map(Source::Input);
    input.or_else(|| network.populations.iter().position(|one| one.id == id).map(Source::Population))
}
