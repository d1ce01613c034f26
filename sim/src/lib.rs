//! A seeded world for the gateway: everything on the far side of the wire.
//!
//! The [`far_end`] is all of a venue, without wires and without a clock. The [`world`] puts venues and lanes into one
//! thread, on a virtual clock, with networks between them: one seed reproduces a run bit for bit, as there is no
//! clock but [`clock`]'s agenda, no randomness but [`rng`]'s, and no container whose order of iteration depends on a
//! hash. The [`server`] puts the same far end on real sockets and the machine's clock, with the same faults in between. A [`backtest`] is a world whose market was recorded. Into a [`manipulation`] day somebody plays what surveillance looks for.
// They panic where they cannot write, and a panic ends a process with its orders alive.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod account;
pub mod backtest;
pub mod capture;
pub mod clock;
pub mod crowd;
pub mod exchange;
pub mod far_end;
pub mod journal;
pub mod manipulation;
pub mod net;
pub mod order_flow;
pub mod playthrough;
pub mod reconcile;
pub mod rng;
pub mod server;
pub mod venue;
pub mod world;
