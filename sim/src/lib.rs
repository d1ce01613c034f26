//! A seeded world for the gateway.
