//! The unconstrained frontier against OR-Library's.

use crate::{data, made};
use firelane_portfolio::efficient::Efficient;
use firelane_portfolio::mandate::{Count, Mandate};
use firelane_portfolio::model::SolveError;
use firelane_portfolio::orlib;

/// The relative error of the variance that is farthest from `portef`'s, over all points.
fn farthest(set: usize) -> Option<f64> {
    let universe = orlib::universe(&data::orlib(&format!("port{set}.txt"))?).unwrap();
    let points = orlib::frontier(&data::orlib(&format!("portef{set}.txt"))?).unwrap();
    assert_eq!(points.len(), 2_000);
    let mandate = Mandate::default();
    let mut frontier = Efficient::new(&universe, &mandate).unwrap();
    let mut most = 0.0_f64;
    for point in &points {
        let portfolio = frontier.at_return(point.mean).unwrap();
        assert!(portfolio.violation <= 1e-9 && (portfolio.mean - point.mean).abs() < 1e-9);
        assert!(portfolio.gap.abs() < 1e-12, "{portfolio:?}");
        most = most.max((portfolio.variance / point.variance - 1.0).abs());
    }
    Some(most)
}

#[test]
fn variances_are_or_librarys() {
    for set in 1..=5 {
        let Some(most) = farthest(set) else { return };
        assert!(most <= 5e-5, "port{set}: {most:e}");
    }
}

#[test]
fn two_names_have_the_frontier_of_a_formula() {
    let universe = made::universe(&[0.1, 0.2], &[&[0.04, 0.01], &[0.01, 0.09]]).unwrap();
    let mandate = Mandate::default();
    let mut frontier = Efficient::new(&universe, &mandate).unwrap();
    for mean in [0.1, 0.12, 0.15, 0.2] {
        let second = (mean - 0.1) / 0.1;
        let portfolio = frontier.at_return(mean).unwrap();
        assert!((portfolio.weights[1] - second).abs() < 1e-12, "{portfolio:?}");
    }
    // Of λ: (1 - λ) (μ2 - μ1) = 2 λ (b (σ22 + σ11 - 2 σ12) - (σ11 - σ12)), where it is between 0 and 1.
    for lambda in [0.3, 0.5, 0.9, 1.0] {
        let second = (((1.0 - lambda) * 0.1 / (2.0 * lambda) + 0.03) / 0.11_f64).clamp(0.0, 1.0);
        let portfolio = frontier.at_lambda(lambda).unwrap();
        assert!((portfolio.weights[1] - second).abs() < 1e-12, "{lambda}: {portfolio:?}");
    }
    assert_eq!(frontier.at_lambda(0.0).unwrap().weights, [0.0, 1.0]);
    for (mean, text) in [(0.21, "0.21"), (0.09, "0.09"), (f64::NAN, "NaN")] {
        let error = frontier.at_return(mean).unwrap_err();
        assert_eq!(error.to_string(), format!("no portfolio under this mandate has the mean return {text}"));
    }
    assert_eq!(frontier.at_lambda(1.01), Err(SolveError::Lambda(1.01)));
    let counted = Mandate { count: Count::AtMost(1), ..Mandate::default() };
    assert!(matches!(Efficient::new(&universe, &counted), Err(SolveError::NotConvex)));
}
