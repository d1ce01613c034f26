//! The cardinality-constrained frontier of port1 against the exact one.

use crate::data;
use firelane_portfolio::mandate::{Count, Mandate, Span};
use firelane_portfolio::model::Problem;
use firelane_portfolio::orlib;
use firelane_portfolio::search::{Annealed, Options};
use std::ops::ControlFlow;

#[test]
fn all_fifty_points_of_port1_are_the_exact_ones() {
    let Some(exact) = data::orlib("ccef_port1_K10_eps0.01_scip_exact.jsonl") else { return };
    let universe = orlib::universe(&data::orlib("port1.txt").unwrap()).unwrap();
    let mandate = Mandate { count: Count::Exactly(10), long: Span { min: 0.01, max: 1.0 }, ..Mandate::default() };
    let mut starts = Annealed::new(1, 2_000);
    let mut options = Options { starts: 4, ..Options::default() };
    let mut lines = 0;
    for line in exact.lines() {
        let exact: serde_json::Value = serde_json::from_str(line).unwrap();
        let problem = Problem::new(&universe, &mandate, exact["lam"].as_f64().unwrap()).unwrap();
        let found = problem.solve(&options, &mut starts, &mut |_| ControlFlow::Continue(())).unwrap();
        let portfolio = &found.portfolio;
        let least = exact["obj"].as_f64().unwrap();
        assert!(portfolio.objective <= least + 1e-8, "{line}: {}", portfolio.objective);
        assert_eq!(portfolio.held().count(), 10);
        assert!((portfolio.weights.iter().sum::<f64>() - 1.0).abs() <= 1e-9);
        assert!(portfolio.held().all(|name| (0.01 - 1e-9..=1.0 + 1e-9).contains(&portfolio.weights[name])));
        assert!(portfolio.gap.abs() <= 1e-10 && portfolio.violation <= 1e-9, "{portfolio:?}");
        options.warm = found.support;
        lines += 1;
    }
    assert_eq!(lines, 50);
}
