//! Gateway and venue against each other, over a bad network, seed by seed: what the whole product must hold.

mod broken;
mod corruption;
mod rig;
mod seeds;
