//! Everything that touches the world: files, configuration, and the recorder that runs a lane and writes its log.
//!
//! Sockets, cores and clocks come with the live shell; what is here needs a file system at most.

pub mod agent;
pub mod clock;
pub mod config;
pub mod journal;
pub mod lane;
pub mod log;
pub mod plan;
pub mod ring;
pub mod sync;
pub mod verify;
