//! The fuzz targets by name. What they check stands beside the tests (`tests/it/targets*.rs`), which run the same
//! functions on seeded mutations with a stable compiler.
#![allow(dead_code, unused_imports)]

#[path = "../../tests/it/gateway/rig.rs"]
pub mod rig;
/// Where the shared files look for the rig.
pub mod gateway {
    pub use crate::rig;
}
#[path = "../../tests/it/targets.rs"]
pub mod targets;
#[path = "../../tests/it/targets_books.rs"]
pub mod targets_books;
#[path = "../../tests/it/targets_feed.rs"]
pub mod targets_feed;
#[path = "../../tests/it/targets_gateway.rs"]
pub mod targets_gateway;
#[path = "../../tests/it/targets_orders.rs"]
pub mod targets_orders;

/// One target by its name, whatever file it stands in.
macro_rules! targets {
    ($($module:ident: $($name:ident)*;)*) => {$($(
        /// See the file that it stands in.
        pub fn $name(data: &[u8]) {
            $module::$name(data);
        }
    )*)*};
}

targets! {
    targets: itch50 moldudp64 normal glimpse binary_file packets merge account;
    targets_books: books;
    targets_feed: feed;
    targets_orders: ouch_inbound ouch_outbound soup_framer soup_client soup_server order_session;
    targets_gateway: whole_lane log_file config saved;
}
