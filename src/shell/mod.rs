//! Everything that touches the world: files, configuration, the recorder that runs a lane and writes its log; and what a
//! live lane stands on: sockets, threads and their cores, rings between them, the clock.

pub mod agent;
pub mod broadcast;
pub mod clock;
pub mod config;
pub mod counters;
pub mod firm;
pub mod journal;
pub mod lane;
pub mod lanes;
pub mod latency;
pub mod live;
pub mod log;
pub mod made;
pub mod net;
pub mod plan;
pub mod plug;
pub mod plugs;
mod raw;
pub mod ring;
pub mod rows;
pub mod run;
pub mod saved;
pub mod share;
pub mod signals;
pub mod sync;
pub mod trace;
pub mod verify;
