//! The latency lab.

pub mod market;
