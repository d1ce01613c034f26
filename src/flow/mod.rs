//! The hot path. No I/O, clock, allocation after construction, lock, or panic.
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![deny(clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

pub mod action;
pub mod book;
pub mod entry;
pub mod event;
pub mod itch_line;
pub mod feed;
pub mod market;
pub mod orders;
pub mod outbox;
pub mod record;
pub mod risk;
pub mod session;
pub mod trading;
pub mod signal;
pub mod strategy;
pub mod wire;
