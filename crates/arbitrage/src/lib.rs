//! Arbitrage: what quotes and prices that don't agree are worth, exactly where that can be had, and by annealing where it can't.
//!
//! ```text
//! quotes ──┬─> cycles: the best way around, enumerated ──────────────────> legs, gain, size
//!          └─> trades: whole lots within limits ── annealer ─> mended ──> lots; branch and bound: how far from the best
//! market ──┬─> pairs: from dear to cheap, all paths ── or the annealer ─> what to sell, what to buy
//! (prices, │
//!  how they└─> longshort: balanced selections ── annealer, descents ────> what to buy, what to sell
//!  move)
//! ```
//!
//! 1. [`decimal`], [`quotes`]: prices as they are written; quotes, read or made up. 2. [`cycles`]: the best cycle through currencies. 3. [`trades`]: the
//!    best set of trades at once. 4. [`market`]: stocks, their prices and correlations. 5. [`pairs`]: paths of a market graph.
//!    6. [`longshort`]: balanced selections. 7. [`annealer`], [`edges`]: functions of bits for any Ising machine; paths and cycles as such a function.
//!
//! `docs/arbitrage.md` has definitions and figures, `docs/adr/0039-arbitrage.md` the reasons.

pub mod annealer;
pub mod cycles;
pub mod decimal;
pub mod edges;
pub mod longshort;
pub mod market;
pub mod pairs;
pub mod quotes;
pub mod trades;
