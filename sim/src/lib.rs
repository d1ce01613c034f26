//! A seeded world for the gateway: everything on the far side of the wire, in one thread, on a virtual clock.
//!
//! One seed reproduces a run bit for bit: there is no clock but [`clock`]'s agenda, no randomness but [`rng`]'s, and
//! no container whose order of iteration depends on a hash.

pub mod capture;
pub mod clock;
pub mod crowd;
pub mod exchange;
pub mod far_end;
pub mod flow;
pub mod journal;
pub mod net;
pub mod playthrough;
pub mod reconcile;
pub mod rng;
pub mod server;
pub mod venue;
pub mod world;
