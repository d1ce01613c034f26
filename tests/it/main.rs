//! Integration tests of the whole gateway.

mod tidy;
