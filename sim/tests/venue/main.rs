//! The venue: matching, the rules of order entry one by one, sessions, and random streams against models.

mod engine;
mod harness;
mod literal;
mod random;
mod rules;
mod sessions;
