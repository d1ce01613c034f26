//! The words that everything else is said in: units, identities, clocks, fixed-capacity containers.
//!
//! Uses nothing of the crate. Every container takes its capacity in its constructor, which is also where its
//! memory is allocated and faulted in; afterwards being full is an outcome, never a reallocation.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod check;
mod counters;
mod digest;
mod ids;
mod instrument;
mod map;
mod money;
mod name;
pub mod raw;
mod state;
mod strategies;
mod time;
mod units;
mod venues;

pub use check::OutOfRange;
pub(crate) use counters::counters;
pub use digest::Digest;
pub use ids::{
    AccountId, ClientId, InstrumentId, LineId, ParentId, SessionId, StrategyId, Symbol, Token, VenueId, VenueRef,
};
pub use instrument::{Instrument, InstrumentTable, InstrumentsFull};
pub use map::{Full, Map};
pub use money::{Currency, Rate};
pub use name::Name;
#[cfg(test)]
pub(crate) use state::tests::assert_all_saved;
pub use state::{LoadError, Reader, Save, State, Value, Writer};
pub use strategies::StrategySet;
pub use time::{ExchangeTime, Mono, Nanos, Utc};
pub use units::{Notional, Price, Qty, Side};
pub use venues::{PerVenue, VenueSet};
