//! What accelerators compute for the gateway: the interface that every device of a kind stands behind, its software twin,
//! and the suite that judges any of them.
//!
//! The twin in scalar Rust is the specification: a vector unit, a circuit or a board must give the same bits. So far there
//! is one kind, [`spikes`]: spiking networks; [`detector`] has one of them watch order flow, in the lane or beside it.

pub mod detector;
pub mod spikes;
