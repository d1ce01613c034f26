//! Quantum references: a statevector simulator, and the algorithms of finance that are said to profit from quantum computers.
//!
//! All of it is a classical simulation, exact but for rounding, and no quantum advantage is claimed: what these circuits compute is
//! computed here by ordinary arithmetic as well, faster, and printed beside it.
//!
//! ```text
//! Circuit (gates as data) ──> State (2^n amplitudes) ──> probabilities, samples, means of observables
//!    ^          └──> OpenQASM 3       ^
//!    │                                └── Qaoa, RealAmplitudes: angles that make a mean small
//!    ├── arithmetic: distributions, sums, comparisons ──> finance: option, credit ──> estimation: amplitudes from shots
//!    └── fidelity: a state of a point ──> a kernel ──> classifier
//! ```
//!
//! 1. [`gate`], [`circuit`], [`state`]: what a circuit is, and what it does; [`observable`], [`ising`], [`costs`]: what is asked of a
//!    state; `simd`, `layer`: how it is done fast; [`qasm`](mod@qasm): the way out to machines. 2. [`qaoa`] (with [`dicke`]),
//!    [`vqe`]: searches ([`minimum`](mod@minimum) has the optimiser). 3. [`arithmetic`], [`estimation`], [`finance`]. 4. [`fidelity`],
//!    [`classifier`]. 5. [`graph`], [`points`]: problems as text; [`references`]: those of the tutorials.
//!
//! `docs/quantum.md` has definitions and figures, `docs/adr/0037-quantum-references.md` the reasons.

pub mod arithmetic;
pub mod circuit;
pub mod classifier;
pub mod costs;
pub mod dicke;
pub mod error;
pub mod estimation;
pub mod fidelity;
pub mod finance;
pub mod gate;
pub mod graph;
pub mod ising;
mod layer;
pub mod minimum;
pub mod observable;
pub mod points;
mod products;
pub mod qaoa;
pub mod qasm;
pub mod references;
mod simd;
pub mod state;
pub mod vqe;

pub use circuit::{Circuit, Controls, Operation};
pub use error::Error;
pub use gate::Gate;
pub use simd::{Path, Unit};
pub use state::State;
