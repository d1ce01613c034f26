//! map
pub mod annealer;
pub mod cycles;
pub mod decimal;
pub mod edges;
pub mod longshort;
pub mod market;
pub mod pairs;
pub mod quotes;
