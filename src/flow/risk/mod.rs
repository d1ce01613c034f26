//! What may leave: the pre-trade gate, and the ledger of what the lane owns and owes.

mod gate;

pub use gate::{Approved, MarkedEnter};
