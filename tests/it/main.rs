//! Integration tests of the whole gateway.

mod book;
mod data;
mod tidy;
