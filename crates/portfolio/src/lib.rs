//! Portfolios: the best weights of many names under a mandate, and which names these are.
//!
//! ```text
//! universe (names, means, covariance) ──┐
//! mandate (counts, sectors, turnover) ──┼──> problem ──> search: which names ──> program: their weights ──> portfolio ──> lots
//! λ (variance against return) ──────────┘                    ^ starts               (proof: a dual point)
//!                                                            └── chance, annealing, anybody's own
//! ```
//!
//! 1. [`universe`], [`orlib`]: what can be held. 2. [`mandate`]: what must be kept to; [`feasible`] names limits that contradict each
//!    other. 3. [`model`]: what is asked and answered. `program`: convex programs, solved to a proof. 4. [`efficient`]: frontiers of what
//!    is convex. 5. [`search`], [`frontier`](mod@frontier): counts and least holdings. 6. [`equal`]: equal weights; [`qubo`]: the same as a penalty QUBO.
//!    7. [`lots`]: whole lots, and the cash that is left over. 8. [`covariance`]: kept up to date from mid prices; [`rebalance`]: from what is held
//!    to what should be, with an expiry.
//!
//! `docs/portfolio.md` has definitions and figures, `docs/adr/0036-portfolios.md` the reasons.

pub mod covariance;
mod dense;
pub mod efficient;
pub mod equal;
pub mod feasible;
pub mod frontier;
pub mod lots;
pub mod mandate;
pub mod model;
pub mod orlib;
mod program;
pub mod qubo;
pub mod rebalance;
pub mod search;
pub mod universe;
