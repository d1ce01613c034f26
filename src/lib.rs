//! Firelane's gateway: market data in, orders out, and nothing between them that can wait.
//!
//! ```text
//!  line A ─┐            ┌──────────────────────────── Core ───────────────────────────────┐
//!  line B ─┼─> Feed ───>│ decode -> book -> signal -> strategy -> risk gate -> order entry │──> session bytes
//!  re-req ─┘  in order  └──────────────────────────────────────────────────────────────────┘──> tape records
//! ```
//!
//! Reading order: [`base`] (the words), [`flow`] (the packet's path, on one screen in `flow/mod.rs`),
//! then `shell` (whatever touches the world). `base` and `flow` are `no_std`: they see no socket, file,
//! clock, lock or thread, allocate in constructors only, and do not panic.
#![cfg_attr(not(feature = "shell"), no_std)]
// They panic where they cannot write, and a panic ends a process with its orders alive.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

extern crate alloc;
// So that the macros name the crate alike within and without.
extern crate self as firelane_gateway;

pub mod base;
pub mod flow;
#[cfg(feature = "shell")]
pub mod shell;

#[cfg(feature = "shell")]
pub use shell::run::run;
