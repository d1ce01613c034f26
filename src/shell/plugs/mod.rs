//! What the house itself has to plug in: a strategy or signal with its table of the configuration, one file each. Programs
//! name those that they want in a list of theirs.

mod imbalance;
mod listener;
mod maker;
pub mod sizes;
mod taker;
mod tracker;

pub use imbalance::{ImbalanceParams, Leaning};
pub use listener::Listener;
pub use maker::{Maker, MakerParams};
pub use taker::{Taker, TakerParams};
pub use tracker::{Tracker, TrackerParams};
