//! Tests of portfolios, in one binary.

mod cardinality;
mod covariance;
mod data;
mod efficient;
mod equal;
mod feasible;
mod lots;
mod made;
mod mandates;
mod qubo;
mod rebalance;
mod support;
mod universe;
