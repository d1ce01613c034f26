//! The latency lab: what the lane costs, measured beside its peers in one process. `README.md` has the numbers.

pub mod acceptor;
pub mod all;
pub mod book;
pub mod compare;
pub mod contest;
pub mod counts;
pub mod course;
pub mod decode;
pub mod encode;
mod floor;
pub mod machine;
pub mod market;
pub mod orders;
pub mod paired;
pub mod picture;
pub mod pieces;
pub mod quoting;
pub mod raw;
pub mod serve;
#[cfg(test)]
#[path = "../../tests/it/skip.rs"]
mod skip;
pub mod stats;
pub mod straight;
pub mod stream;
pub mod taker;
pub mod wire;
