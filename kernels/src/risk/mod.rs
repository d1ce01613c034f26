//! Risk: what a book of stocks and options can lose, by Monte Carlo.
//!
//! ```text
//! file ──> Book ─┐
//!               ├──> Plan ──> Device::load, losses ──> estimate: VaR, ES, intervals, who contributes
//!          Job ─┘    (f64)      │                └───> closed: what formulas say
//!                               └─ Software (the twin), a GPU (f32, within the bound)
//! ```
//!
//! Stocks are correlated geometric Brownian motions with a drift of the real world; every option is valued anew in every scenario by Black and
//! Scholes. Random numbers are a function of scenario, time and asset ([`philox`](crate::philox)), so that a scenario is the same on every device and in
//! any order. `docs/var.md` has conventions and measures, `docs/adr/0040-value-at-risk.md` the reasons.
//!
//! 1. [`book`]: what is held, by [`cholesky`]; [`file`](mod@file): as TOML. 2. [`plan`]: what is asked, and the numbers of it. 3. [`device`]: what values;
//!    [`twin`]: the specification, by [`normal`] and `sobol`. 4. [`bound`]: how far `f32` may be from it. 5. [`estimate`]: VaR and ES; [`closed`]: formulas
//!    beside them. 6. [`conformance`]: the suite.
//!
//! ```
//! use firelane_kernels::risk::device::Device;
//! use firelane_kernels::risk::plan::{Job, Plan, Sampling};
//! use firelane_kernels::risk::twin::Software;
//! use firelane_kernels::risk::{estimate, file};
//! use std::sync::Arc;
//!
//! let book = file::parse(r#"
//!     rate = 0.03
//!     asset = [{ name = "ACME", spot = 50.0, volatility = 0.3 }]
//!     stock = [{ asset = "ACME", quantity = 100 }]
//!     option = [{ asset = "ACME", kind = "put", strike = 45.0, expiry = 63, quantity = 100 }]
//! "#)?;
//! let job = Job { horizon: 10.0, steps: 1, scenarios: 20_000, seed: 1, sampling: Sampling::Pseudo };
//! let plan = Arc::new(Plan::new(&book, &job)?);
//! let mut device = Software::default();
//! device.load(&plan)?;
//! let mut losses: Vec<f64> = device.losses(0, job.scenarios)?.iter().map(|loss| loss.end).collect();
//! let risk = estimate::of(&plan, &mut losses, 0.99);
//! assert!(risk.var.value > 0.0 && risk.es.value > risk.var.value);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod book;
pub mod bound;
pub mod cholesky;
pub mod closed;
pub mod conformance;
pub mod device;
pub mod estimate;
pub mod file;
pub mod normal;
pub mod plan;
mod sobol;
pub mod twin;
