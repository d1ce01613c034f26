//! The cardinality-constrained frontier of port1 against the exact one.

use crate::{data, made};
use firelane_portfolio::frontier::{efficient, frontier, lambdas};
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
    let options = Options { starts: 4, ..Options::default() };
    let mut told = Vec::new();
    let points = frontier(&universe, &mandate, &lambdas(50), &options, &mut starts, &mut |at| {
        told.push(at.point);
        ControlFlow::Continue(())
    });
    let points = points.unwrap();
    assert!(told.is_sorted() && told.first() == Some(&0) && told.last() == Some(&49));
    assert_eq!(exact.lines().count(), 50);
    for (line, point) in exact.lines().zip(&points) {
        let exact: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(exact["lam"].as_f64(), Some(point.lambda));
        let (portfolio, least) = (&point.found.portfolio, exact["obj"].as_f64().unwrap());
        assert!(portfolio.objective <= least + 1e-8, "{line}: {}", portfolio.objective);
        let truth = point.lambda * universe.variance_of(&portfolio.weights)
            - (1.0 - point.lambda) * universe.return_of(&portfolio.weights);
        assert!((truth - portfolio.objective).abs() < 1e-15);
        assert_eq!(portfolio.held().count(), 10);
        assert!((portfolio.weights.iter().sum::<f64>() - 1.0).abs() <= 1e-9);
        assert!(portfolio.held().all(|name| (0.01 - 1e-9..=1.0 + 1e-9).contains(&portfolio.weights[name])));
        assert!(portfolio.gap.abs() <= 1e-12 && portfolio.violation <= 1e-9, "{portfolio:?}");
    }
}

#[test]
fn a_frontier_goes_from_the_least_variance_to_the_largest_return() {
    let universe = made::drawn(9, &made::values(8, 128));
    let convex = Mandate { long: Span { min: 0.0, max: 0.4 }, ..Mandate::default() };
    let portfolios = efficient(&universe, &convex, 20).unwrap();
    assert_eq!(portfolios.len(), 20);
    assert!(portfolios.is_sorted_by(|a, b| a.mean < b.mean && a.variance <= b.variance));
    let counted = Mandate { count: Count::AtMost(3), ..convex };
    let go = &mut |_: &_| ControlFlow::Continue(());
    let points =
        frontier(&universe, &counted, &lambdas(11), &Options::default(), &mut Annealed::new(1, 100), go).unwrap();
    assert!(points.is_sorted_by(|a, b| a.found.portfolio.variance >= b.found.portfolio.variance - 1e-15));
    for point in &points {
        let portfolio = &point.found.portfolio;
        // None is above the frontier of any number of names.
        let frontier = portfolios.iter().filter(|other| other.mean <= portfolio.mean).map(|other| other.variance);
        assert!(portfolio.variance >= frontier.fold(0.0, f64::max) - 1e-15);
        assert!(portfolio.held().count() <= 3);
    }
    assert_eq!((lambdas(0), lambdas(1), lambdas(3)), (vec![], vec![1.0], vec![0.0, 0.5, 1.0]));
}

#[test]
fn single_points_are_those_that_scip_found() {
    // PySCIPOpt 6.3.0: proved, but for port4's. Eight to ten digits of each.
    let mandate = Mandate { count: Count::Exactly(10), long: Span { min: 0.01, max: 1.0 }, ..Mandate::default() };
    for (set, lambda, least) in [
        (1, 0.5, -0.0033039966),
        (1, 0.99, 0.0006068669),
        (2, 0.9, -0.0003645474),
        (4, 0.9, -0.0002739295),
        (5, 0.9, 0.0001476649),
    ] {
        let Some(text) = data::orlib(&format!("port{set}.txt")) else { return };
        let universe = orlib::universe(&text).unwrap();
        let problem = Problem::new(&universe, &mandate, lambda).unwrap();
        let options = Options { starts: 2, ..Options::default() };
        let found = problem.solve(&options, &mut Annealed::new(1, 500), &mut |_| ControlFlow::Continue(())).unwrap();
        assert!((found.portfolio.objective - least).abs() < 2e-10, "port{set}: {}", found.portfolio.objective);
    }
}
