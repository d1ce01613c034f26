//! Surveillance: what finds manipulation in order flow, and what finding it well means.
//!
//! ```text
//! day(seed) ──> watch: what an encoder hears ──> contestants: a score an event and alert ──> matching ──> curves ──> a report
//!    (labels) ────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! 1. [`matching`]: from scores and labels to what was met and what was a false alarm. 2. [`curve`]: recall at so many false alarms an
//!    hour, delays, intervals. Neither knows where scores or labels come from. 3. [`watch`](mod@watch), [`traces`]: what all contestants
//!    hear. 4. [`contest`]: the contestants; [`detector`] and [`models`] their files. 5. [`score`](mod@score): all of it over days of
//!    `firelane_sim::manipulation`, which is what `firelane spikes score` prints.
//!
//! `docs/surveillance.md` has the definitions, `docs/adr/0033-scoring.md` the reasons.

pub mod contest;
pub mod curve;
pub mod detector;
pub mod matching;
pub mod models;
pub mod score;
pub mod traces;
pub mod watch;
