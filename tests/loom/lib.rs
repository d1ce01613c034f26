//! The gateway's lock-free code under the model checker: `src/shell/sync.rs` and `broadcast.rs` with the atomics of loom. A
//! package of its own, so that it is built without whatever else the gateway needs.

#[path = "../../src/shell/broadcast.rs"]
pub mod broadcast;
#[path = "../../src/shell/sync.rs"]
pub mod sync;
