//! An Ising solver, and the valuation of books in scenarios, on a GPU: shaders in WGSL, and what drives them. `docs/gpu.md` has how to use it and what it can
//! do, `docs/adr/0038-shaders.md` and `docs/adr/0040-value-at-risk.md` the reasons.
//!
//! ```text
//! problem ──> layout: words ──────────────────────────┐
//! job ──> plan: integers ──> run: groups of replicas ──> engine: submissions ──> host: wgpu ──> wgsl/*.wgsl
//!                               ^ pace: how many steps       ^ kernel: which shader
//! ```
//!
//! 1. [`kernel`]: which parts make a shader, and for what. It is here without the feature `gpu`, too: that its shaders are valid is tested
//!    without any adapter.
//! 2. `adapter`: which adapters there are, and which one is meant.
//! 3. `host`: a device of wgpu, its pipelines, its troubles; `memory`: the buffers that jobs share.
//! 4. `layout`: how a problem lies there; `engine`: a problem that is loaded, and submissions of steps.
//! 5. `run`: a job, from submissions, with what looks see; `pace`: how much is submitted at once; `turns`: how much an adapter can do at once.
//! 6. `solver`: the `Device` of all this, `Gpu`.
//! 7. [`scenarios`]: the shader that values books; `valuer`: the `Device` of `firelane_kernels::risk` around it, `RiskGpu`.
//!
//! The arithmetic of Ising machines is that of `firelane_kernels::ising::twin`, in 32 bits, with 64 for energies: the same bits on any adapter. That of scenarios is
//! `f32`, within the bound of `firelane_kernels::risk::bound`.

pub mod kernel;
pub mod scenarios;

#[cfg(feature = "gpu")]
mod adapter;
#[cfg(feature = "gpu")]
mod engine;
#[cfg(feature = "gpu")]
mod host;
#[cfg(all(test, feature = "gpu"))]
mod judged;
#[cfg(feature = "gpu")]
mod layout;
#[cfg(feature = "gpu")]
mod memory;
#[cfg(feature = "gpu")]
mod pace;
#[cfg(feature = "gpu")]
mod run;
#[cfg(all(test, feature = "gpu"))]
#[path = "../tests/adapter/mod.rs"]
mod skipping;
#[cfg(feature = "gpu")]
mod solver;
#[cfg(feature = "gpu")]
mod turns;
#[cfg(feature = "gpu")]
mod valuer;

#[cfg(feature = "gpu")]
pub use adapter::{Adapter, Sort, Unavailable, adapters, choose};
#[cfg(feature = "gpu")]
pub use solver::{Gpu, open_or_cpu};
#[cfg(feature = "gpu")]
pub use valuer::{RiskGpu, risk_on};
