//! The lane as a whole, against a venue that answers by rote: staleness and its healing, own orders in the feed,
//! commands, the life of the order-entry session, capacities, and that neither outbox nor TCP decide anything.

mod capacity;
mod commands;
mod contradictions;
mod dates;
mod fit;
mod halves;
mod hints;
mod market;
mod mixed;
mod orders;
mod orphans;
pub(crate) mod rig;
mod said;
mod same;
mod signals;
mod silence;
mod street;
pub(crate) mod venues;
mod view;
