//! Integration tests of the whole gateway.

mod book;
mod captures;
mod data;
mod entry;
mod feed;
mod gateway;
mod itch;
mod itch_line;
mod literal;
mod live;
mod mutations;
mod orders;
mod ouch;
mod pcap;
mod playthrough;
mod risk;
mod soup;
mod strategy;
mod targets;
mod targets_feed;
mod targets_gateway;
mod targets_orders;
mod tidy;
mod trading;
mod verify;
