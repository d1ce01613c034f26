//! What accelerators compute for the gateway: the interface that every device of a kind stands behind, its software twin,
//! and the suite that judges any of them.
//!
//! The twin in scalar Rust is the specification: a vector unit, a circuit or a board must give the same bits, or, in floating point, be
//! within the stated bound. There are three kinds: [`spikes`], spiking networks, of which [`detector`] has one watch order flow, in the lane or
//! beside it; [`ising`], machines that make the energy of spins small; and [`risk`], what a book of stocks and options can lose. [`path`] is what the
//! twins of the first two compute with, [`philox`] what random numbers of the last two are.

pub mod detector;
pub mod ising;
pub mod path;
pub mod philox;
pub mod risk;
pub mod spikes;
pub mod suite;
