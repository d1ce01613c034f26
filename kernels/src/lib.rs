//! What accelerators compute for the gateway: the interface that every device of a kind stands behind, its software twin,
//! and the suite that judges any of them.
//!
//! The twin in scalar Rust is the specification: a vector unit, a circuit or a board must give the same bits. There are two kinds:
//! [`spikes`], spiking networks, of which [`detector`] has one watch order flow, in the lane or beside it; and [`ising`], machines that make
//! the energy of spins small. [`path`] is what their twins compute with.

pub mod detector;
pub mod ising;
pub mod path;
pub mod spikes;
pub mod suite;
