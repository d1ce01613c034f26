//! The venue on real sockets, over loopback, against clients that are written here.

mod any_bytes;
mod by_hand;
mod clients;
mod faults;
mod journal;
mod lane;
mod levels;
mod rig;
mod secrets;
mod start;
