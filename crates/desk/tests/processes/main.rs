//! `firelane run` and `firelane venue` as two processes that trade with each other, and what becomes of one when the
//! other is killed, refuses, stalls or is not there. Nothing here depends on how fast the machine is.

mod bad_day;
mod control;
mod impossible;
mod killed;
mod lanes;
mod mishaps;
mod notices;
mod outputs;
mod rig;
#[path = "../../../../tests/it/skip.rs"]
mod skip;
mod tape;
mod trade;
mod venues;
