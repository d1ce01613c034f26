//! Integration tests of the whole gateway.

mod book;
mod captures;
mod data;
mod feed;
mod itch;
mod itch_line;
mod mutations;
mod orders;
mod ouch;
mod pcap;
mod playthrough;
mod soup;
mod targets;
mod targets_orders;
mod feed;
mod itch_line;
mod risk;
mod soup;
mod strategy;
mod targets;
mod targets_feed;
mod targets_orders;
mod tidy;
mod trading;
