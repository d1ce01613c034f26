//! A seeded world for the gateway.

pub mod venue;
