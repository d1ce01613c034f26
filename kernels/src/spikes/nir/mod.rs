//! Networks that were trained elsewhere, from NIR files: the neuromorphic intermediate representation (Pedersen et al., Nature
//! Communications 15, 8122, 2024), as the Python package `nir` 1.0 writes it.
//!
//! ```text
//! file ── hdf5 or json ──> Graph ── flat ──> nodes without nesting ── fold ──> matrices between neurons ── quantise ──> Network
//! ```
//!
//! NIR describes neurons in continuous time and in floating point. What it leaves open has to be said ([`Options`]): the length of a
//! step, how a differential equation becomes steps, what a reset does and when, how many bits a weight has. [`Imported::compare`] says
//! how far the integers are from the same steps in floating point.
//!
//! Known are Input, Output, Linear, Affine, Scale, Threshold, Flatten, IF, LIF, LI, CubaLIF, CubaLI, Delay and nested graphs.
//! Everything else is refused by name.
//!
//! ```
//! use firelane_kernels::spikes::nir::{Graph, Options, import};
//! use firelane_kernels::spikes::{Device, Program, Rules, Software, Spike};
//!
//! let graph = Graph::from_json(r#"{"type": "NIRGraph", "edges": [["in", "fc"], ["fc", "lif"], ["lif", "out"]], "nodes": {
//!     "in": {"type": "Input", "shape": [2]},
//!     "fc": {"type": "Linear", "weight": [[0.6, 0.5]]},
//!     "lif": {"type": "LIF", "tau": [0.01], "r": [10], "v_leak": [0], "v_threshold": [1]},
//!     "out": {"type": "Output", "shape": [1]}}}"#)?;
//! let imported = import(&graph, &Options::new(0.001))?;
//! let mut device = Software::best();
//! device.load(&Program::check(&imported.network, &Rules::default())?)?;
//! // Neither input alone brings the neuron above its threshold of 1; both together do.
//! assert_eq!(device.step(&[Spike::of(0, 0)], &mut [])?.spikes, 0);
//! device.restart()?;
//! assert_eq!(device.step(&[Spike::of(0, 0), Spike::of(0, 1)], &mut [])?.spikes, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod flat;
mod float;
mod fold;
#[cfg(feature = "hdf5")]
mod hdf5;
mod json;
mod quantise;

use super::network::Network;
use super::program::Refused;
use std::collections::BTreeMap;
use thiserror::Error;

pub use float::{Distance, Fired};

/// Most nodes of a graph, those of nested ones counted.
pub const NODES: usize = 4_096;
/// Most edges of a graph, likewise.
pub const EDGES: usize = 65_536;
/// How deep graphs may be nested.
pub const DEPTH: usize = 16;

/// A graph as a file has it: not yet understood.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Nodes by their names.
    pub nodes: BTreeMap<String, Node>,
    /// From which node to which.
    pub edges: Vec<(String, String)>,
}

/// A node as a file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// `LIF`, `Affine`, ...
    pub kind: String,
    /// Its numbers by their keys.
    pub values: BTreeMap<String, Tensor>,
    /// What is in it, of a `NIRGraph`.
    pub graph: Option<Graph>,
}

/// Numbers in rows: the last dimension varies fastest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// Its dimensions; none of a single number.
    pub shape: Vec<usize>,
    /// As many as the dimensions multiply to.
    pub values: Vec<f64>,
}

/// What NIR leaves open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Seconds of a step. A file of snnTorch's is of 0.0001.
    pub dt: f64,
    /// How decays become steps.
    pub discretisation: Discretisation,
    /// What a spike does to the voltage.
    pub reset: ResetMode,
    /// The reset acts in the step after the spike, behind that step's decay and input, as in most layers of snnTorch with `reset_delay`.
    pub reset_delay: bool,
    /// Bits of a weight, with its sign: 8, 6 or 4.
    pub bits: u32,
    /// Bits of the values of input events; 0: they have none.
    pub message_bits: u32,
}

impl Options {
    /// Steps of `dt` seconds, forward Euler, resets as the file has them and at once, weights of 8 bits, events without values.
    #[must_use]
    pub fn new(dt: f64) -> Self {
        let (discretisation, reset) = (Discretisation::Euler, ResetMode::File);
        Options { dt, discretisation, reset, reset_delay: false, bits: 8, message_bits: 0 }
    }
}

/// How dx/dt = -x / tau becomes steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Discretisation {
    /// x keeps 1 - dt / tau of itself.
    Euler,
    /// x keeps exp(-dt / tau) of itself, and takes the rest of what comes in.
    Exponential,
}

/// What a spike does to the voltage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResetMode {
    /// It becomes `v_reset`: what NIR means.
    File,
    /// It becomes 0.
    Zero,
    /// It loses the threshold. NIR can't say that; most networks of snnTorch are trained so.
    Subtract,
}

/// Why a graph is no network.
#[derive(Debug, Error)]
pub enum NirError {
    /// Not JSON, or not of this form.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// Not HDF5, or broken.
    #[error("{node}: {text}")]
    File {
        /// The group or dataset that was read.
        node: String,
        /// What is wrong with it.
        text: String,
    },
    /// A kind of node that is not understood.
    #[error("{node}: nodes of the type {kind} are not known; {} are", flat::KINDS.join(", "))]
    Kind {
        /// The node.
        node: String,
        /// What it is.
        kind: String,
    },
    /// A number, shape or edge that can't be.
    #[error("{node}: {text}")]
    Value {
        /// The node.
        node: String,
        /// What is wrong with it.
        text: String,
    },
    /// More of something than there may be.
    #[error("{node}: {found} {what}; there may be {limit} at most")]
    TooLarge {
        /// The node.
        node: String,
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        limit: u64,
    },
    /// The integer network is no program.
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// A network that was made of a graph.
#[derive(Clone, Debug)]
pub struct Imported {
    /// In integers.
    pub network: Network,
    /// Which populations lead to Output nodes.
    pub outputs: Vec<String>,
    /// The same in floating point.
    float: float::Float,
}

/// Makes a network of a graph.
///
/// # Errors
/// [`NirError`]: the node that is wrong, or not known; the limit that is broken.
pub fn import(graph: &Graph, options: &Options) -> Result<Imported, NirError> {
    options.check()?;
    let flat = flat::Flat::of(graph)?;
    let folded = fold::Folded::of(&flat)?;
    let mut float = float::Float::of(folded, options)?;
    let network = quantise::network(&mut float, options)?;
    super::program::Program::check(&network, &super::program::Rules::default())?;
    Ok(Imported { network, outputs: flat.outputs()?, float })
}

impl Options {
    fn check(&self) -> Result<(), NirError> {
        let wrong = |node: &str, text: &str| Err(value(node, text));
        if !(self.dt.is_finite() && self.dt > 0.0) {
            return wrong("dt", "it must be a number of seconds above 0");
        }
        if ![8, 6, 4].contains(&self.bits) {
            return wrong("bits", "it must be 8, 6 or 4");
        }
        if self.message_bits > 24 {
            return wrong("message bits", "it must be 0 to 24");
        }
        Ok(())
    }
}

fn value(node: &str, text: impl Into<String>) -> NirError {
    NirError::Value { node: node.to_owned(), text: text.into() }
}

/// Refuses more than there may be.
fn at_most(node: &str, what: &'static str, found: u64, limit: u64) -> Result<(), NirError> {
    if found <= limit { Ok(()) } else { Err(NirError::TooLarge { node: node.to_owned(), what, found, limit }) }
}
