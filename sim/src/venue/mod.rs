//! A venue in one thread: matching engine, order-entry acceptor, publisher.
//!
//! It is the gateway's counterpart and its judge, so it shares byte layouts and base units with it and nothing else.

pub mod announce;
pub mod auction;
pub mod book;
pub mod engine;
pub mod market;
pub mod publisher;
pub mod rerequest;
