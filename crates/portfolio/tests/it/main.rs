//! Tests of portfolios, in one binary.

mod cardinality;
mod data;
mod efficient;
mod equal;
mod feasible;
mod made;
mod mandates;
mod support;
mod universe;
