//! The venue: what a gateway finds on the other end of its wires.

pub mod publisher;
pub mod rerequest;
