//! Integration tests of the whole gateway.

mod data;
mod mutations;
mod ouch;
mod pcap;
mod soup;
mod targets_orders;
mod tidy;
