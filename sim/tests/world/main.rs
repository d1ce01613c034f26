//! Gateway and venue against each other, over a bad network, seed by seed: what the whole product must hold.

mod rig;
mod seeds;
