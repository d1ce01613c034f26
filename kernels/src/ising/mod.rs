//! Ising machines: what they solve, what solves it, and what proves that it does so exactly.
//!
//! ```text
//! file ──> Problem ──> Device::load ──> Device ── submit(Job) ──> poll ──> Answer
//!          (integers)                     │    Plan (integers)            (spins, energies, when)
//!                                         └─ Software (the twin: scalar, AVX-512), a GPU, a circuit, a machine elsewhere
//! ```
//!
//! What the papers have in floating point is decided once, in [`plan`], and given to devices as integers: random numbers are a function of replica,
//! step and site ([`philox`]), so that the same job has the same answer everywhere, bit for bit. `docs/ising.md` has the arithmetic and
//! the measures, `docs/adr/0035-ising-machines.md` the reasons.
//!
//! 1. [`problem`]: couplings, fields, and what an energy stands for; [`file`](mod@file): as files. 2. [`job`]: what is asked, and what is answered.
//!    3. [`plan`]: from both to integers, by [`spectrum`]. 4. [`device`]: what solves. 5. [`twin`]: the software twin. 6. [`exhaustive`]: the
//!    truth, of small problems. 7. [`conformance`]: the suite. 8. For whoever makes a device: [`tally`], what looks have seen; [`background`],
//!    a job that a thread does.
//!
//! ```
//! use firelane_kernels::ising::device::Device;
//! use firelane_kernels::ising::job::{Algorithm, Job};
//! use firelane_kernels::ising::problem::{Pair, Problem};
//! use firelane_kernels::ising::twin::Software;
//! use std::sync::Arc;
//!
//! // A square with one diagonal: all but the diagonal can be cut.
//! let edge = |i, j| Pair { i, j, coupling: 1 };
//! let square = Problem::max_cut(4, &[edge(0, 1), edge(1, 2), edge(2, 3), edge(3, 0), edge(0, 2)])?;
//!
//! let mut device = Software::best();
//! device.load(&Arc::new(square.clone()))?;
//! let answer = device.solve(&Job::new(Algorithm::ALL[0], 50, 8, 1))?;
//! let best = answer.best().expect("eight replicas were run");
//! assert_eq!(square.value(&best.spins.signs()), 4.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod background;
pub mod conformance;
pub mod device;
pub mod exhaustive;
pub mod file;
pub mod job;
pub mod philox;
pub mod plan;
pub mod problem;
pub mod spectrum;
pub mod tally;
pub mod twin;
