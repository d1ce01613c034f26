//! The feed: each rule of arbitration and recovery, one test.

mod arbitration;
mod gaps;
mod property;
mod rig;
mod snapshots;
mod trust;
