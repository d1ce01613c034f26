//! Integration tests of the whole gateway.

mod captures;
mod data;
mod itch;
mod mutations;
mod targets;
mod tidy;
