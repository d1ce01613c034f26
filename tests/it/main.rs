//! Integration tests of the whole gateway.

mod book;
mod captures;
mod data;
mod itch;
mod mutations;
mod orders;
mod ouch;
mod pcap;
mod soup;
mod targets;
mod targets_orders;
mod feed;
mod itch_line;
mod risk;
mod tidy;
mod trading;
