//! The latency lab.
