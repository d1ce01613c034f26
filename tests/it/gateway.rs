//! The lane as a whole, against a venue that answers by rote: staleness and its healing, own orders in the feed,
//! commands, the life of the order-entry session, capacities, and that neither outbox nor TCP decide anything.

mod capacity;
mod halves;
mod market;
mod orders;
pub(crate) mod rig;
mod same;
mod silence;
