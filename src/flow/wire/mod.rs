//! Wire protocols, one a file, both directions: the gateway speaks one side, the simulated venue the other.

pub mod glimpse;
pub mod itch50;
pub mod moldudp64;
pub mod normal;
pub mod ouch50;
pub mod soupbintcp;
