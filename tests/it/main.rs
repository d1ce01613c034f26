//! Integration tests of the whole gateway.

mod captures;
mod data;
mod itch;
mod mutations;
mod targets;
mod data;
mod mutations;
mod ouch;
mod pcap;
mod soup;
mod targets_orders;
mod book;
mod data;
mod tidy;
