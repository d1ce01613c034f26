//! Covariances as they go: against scikit-learn, sums reckoned plainly, and days by hand.

use crate::made;
use firelane_portfolio::covariance::{CovarianceError, Grid, MOST_IDLE, MOST_OBSERVATIONS, Returns, Weighting};
use firelane_portfolio::universe::MOST_NAMES;
use proptest::prelude::*;
use serde_json::Value;

const VECTORS: &str = include_str!("../vectors/ledoit_wolf.json");

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn a_window_is_shrunk_as_scikit_learn_does() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let names = case["names"].as_u64().unwrap() as usize;
        let rows: Vec<Vec<f64>> = case["rows"].as_array().unwrap().iter().map(numbers).collect();
        let mut returns = Returns::new(names, Weighting::Window(rows.len())).unwrap();
        // What has left the window does not count.
        for row in made::values(5, 64).chunks_exact(names).take(4).map(<[f64]>::to_vec).chain(rows.iter().cloned()) {
            returns.add(&row).unwrap();
        }
        let estimate = returns.estimate().unwrap();
        let must = numbers(&case["covariance"]);
        let scale = must.iter().map(|value| value.abs()).fold(0.0, f64::max);
        for (is, must) in estimate.covariance.iter().zip(&must) {
            assert!((is - must).abs() <= 1e-12 * scale, "{names} names: {is} and not {must}");
        }
        assert!((estimate.shrinkage - case["shrinkage"].as_f64().unwrap()).abs() < 1e-10, "{names} names");
        assert_eq!(
            (estimate.observations, returns.added()),
            (rows.len() as f64, rows.len() as u64 + 4.min(64 / names as u64))
        );
        assert!(estimate.universe(vec!["x".into(); 1], vec![], 1.0).is_err() || names == 1);
    }
}

#[test]
fn what_fades_is_the_weighted_sum_of_all_rows() {
    let (names, half) = (3, 4.0);
    let mut returns = Returns::new(names, Weighting::HalfLife(half)).unwrap();
    let rows: Vec<Vec<f64>> = made::values(3, 60).chunks_exact(names).map(<[f64]>::to_vec).collect();
    for (n, row) in rows.iter().enumerate() {
        returns.add(row).unwrap();
        let Some(estimate) = returns.estimate() else {
            assert_eq!(n, 0);
            continue;
        };
        let raw: Vec<f64> = (0..=n).map(|k| 0.5f64.powf((n - k) as f64 / half)).collect();
        let sum: f64 = raw.iter().sum();
        let weights: Vec<f64> = raw.iter().map(|w| w / sum).collect();
        let mut observed = [[0.0; 3]; 3];
        for (w, row) in weights.iter().zip(&rows) {
            for i in 0..names {
                for j in 0..names {
                    observed[i][j] += w * row[i] * row[j];
                }
            }
        }
        let noise: f64 = weights
            .iter()
            .zip(&rows)
            .map(|(w, row)| {
                let cells = (0..9).map(|at| row[at / 3] * row[at % 3] - observed[at / 3][at % 3]);
                w * w * cells.map(|cell| cell * cell).sum::<f64>()
            })
            .sum();
        let mean = (0..3).map(|i| observed[i][i]).sum::<f64>() / 3.0;
        let target = |i: usize, j: usize| if i == j { mean } else { 0.0 };
        let apart: f64 = (0..9).map(|at| (observed[at / 3][at % 3] - target(at / 3, at % 3)).powi(2)).sum();
        let shrinkage = (noise / apart).min(1.0);
        assert!((estimate.shrinkage - shrinkage).abs() < 1e-9, "{} {shrinkage}", estimate.shrinkage);
        for at in 0..9 {
            let must = (1.0 - shrinkage) * observed[at / 3][at % 3] + shrinkage * target(at / 3, at % 3);
            assert!((estimate.covariance[at] - must).abs() < 1e-12);
        }
        let alike = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();
        assert!((estimate.observations - alike).abs() < 1e-9);
    }
}

#[test]
fn a_grid_samples_the_last_mid_of_each() {
    let mut grid = Grid::new(2, 10, 3).unwrap();
    let mut returns = Returns::new(2, Weighting::Window(100)).unwrap();
    let mut put = |at, name, mid| grid.on_mid(at, name, mid, &mut returns);
    assert_eq!(put(5, 0, 100.0), Ok(0));
    assert_eq!(put(12, 0, 101.0), Ok(0), "at 10 the second name has no mid yet");
    assert_eq!(put(13, 1, 50.0), Ok(0));
    assert_eq!(put(20, 0, 102.0), Ok(0), "a mid at a point is part of it");
    assert_eq!(put(21, 1, 51.0), Ok(0), "20 is the first point with both, to measure from");
    assert_eq!(put(29, 1, 52.0), Ok(0));
    assert_eq!(put(30, 1, 53.0), Ok(0));
    assert_eq!(put(31, 0, 104.0), Ok(1), "the row of 30");
    assert_eq!(put(61, 0, 104.0), Ok(3), "of 40, 50 and 60");
    // Idle points are allowed 3: after 70, the next mid may be at 110.
    assert_eq!(put(110, 0, 105.0), Ok(4), "of 70, 80, 90 and 100");
    assert_eq!(put(161, 0, 110.0), Ok(1), "of 110 alone: then it was away");
    assert_eq!(put(171, 0, 111.0), Ok(0), "170 is measured from");
    assert_eq!(put(181, 0, 112.0), Ok(1));
    assert_eq!(returns.added(), 10);
    // The rows, newest last: a window of two of them says what they are.
    let mut two = Returns::new(2, Weighting::Window(2)).unwrap();
    let mut grid = Grid::new(2, 10, 3).unwrap();
    for (at, name, mid) in [(0, 0, 100.0), (0, 1, 50.0), (9, 0, 110.0), (10, 1, 45.0), (20, 0, 121.0), (21, 1, 1.0)] {
        grid.on_mid(at, name, mid, &mut two).unwrap();
    }
    // 0 to 10: ln 1.1, ln 0.9; 10 to 20: ln 1.1, 0. The first does not vary, the second by a half of ln 0.9, squared.
    let estimate = two.estimate().unwrap();
    assert!(estimate.covariance[0] >= 0.0 && estimate.covariance[1].abs() < 1e-15);
    let trace = estimate.covariance[0] + estimate.covariance[3];
    assert!((trace - (0.9f64.ln() / 2.0).powi(2)).abs() < 1e-15, "shrinkage keeps the sum of variances: {estimate:?}");
}

#[test]
fn what_is_not_taken_changes_nothing() {
    let mut grid = Grid::new(2, 10, 3).unwrap();
    let mut returns = Returns::new(2, Weighting::Window(2)).unwrap();
    grid.on_mid(100, 0, 1.0, &mut returns).unwrap();
    let before = (grid.clone(), returns.clone());
    for mid in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(grid.on_mid(100, 0, mid, &mut returns), Err(CovarianceError::Mid(_))));
    }
    assert_eq!(grid.on_mid(99, 0, 1.0, &mut returns), Err(CovarianceError::Order { at: 99, last: 100 }));
    assert_eq!(grid.on_mid(100, 2, 1.0, &mut returns), Err(CovarianceError::Name { name: 2, names: 2 }));
    let mut other = Returns::new(3, Weighting::Window(2)).unwrap();
    assert_eq!(grid.on_mid(100, 0, 1.0, &mut other), Err(CovarianceError::Row { is: 2, must: 3 }));
    for row in [vec![1.0], vec![1.0, f64::NAN], vec![1.0; 3]] {
        assert!(matches!(returns.add(&row), Err(CovarianceError::Row { .. })));
    }
    assert_eq!((grid, returns), before);
    for (names, fits) in [(0, false), (1, true), (MOST_NAMES, true), (MOST_NAMES + 1, false)] {
        assert_eq!(Grid::new(names, 1, 0).is_ok(), fits);
        assert_eq!(Returns::new(names, Weighting::Window(2)).is_ok(), fits);
    }
    assert_eq!(Grid::new(1, 0, 0), Err(CovarianceError::Step));
    for (rows, fits) in [(1, false), (2, true), (MOST_OBSERVATIONS, true), (MOST_OBSERVATIONS + 1, false)] {
        assert_eq!(Returns::new(1, Weighting::Window(rows)).is_ok(), fits);
    }
    for (half, fits) in [(0.0, false), (1e-300, true), (1e300, true), (f64::INFINITY, false), (f64::NAN, false)] {
        assert_eq!(Returns::new(1, Weighting::HalfLife(half)).is_ok(), fits);
    }
    assert!(Returns::new(1, Weighting::Window(2)).unwrap().estimate().is_none());
    for step in [1, 10, u64::MAX - 1, u64::MAX] {
        let mut late = Grid::new(1, step, MOST_IDLE).unwrap();
        let mut one = Returns::new(1, Weighting::Window(2)).unwrap();
        for at in [u64::MAX - 2, u64::MAX - 1, u64::MAX, u64::MAX] {
            assert!(late.on_mid(at, 0, 1.0, &mut one).is_ok_and(|rows| rows <= 1), "the end of time");
        }
    }
    assert_eq!(Grid::new(1, 1, MOST_IDLE + 1), Err(CovarianceError::Idle(MOST_IDLE + 1)));
}

proptest! {
    #[test]
    fn an_estimate_is_always_a_universe(seed in 1u64..10_000, names in 1usize..12, rows in 2usize..8, fading in any::<bool>()) {
        // Fewer rows than names are no obstacle.
        let weighting = if fading { Weighting::HalfLife(3.0) } else { Weighting::Window(6) };
        let mut returns = Returns::new(names, weighting).unwrap();
        for row in made::values(seed, names * rows).chunks_exact(names) {
            returns.add(&row.iter().map(|x| x * 1e-3).collect::<Vec<_>>()).unwrap();
        }
        let estimate = returns.estimate().unwrap();
        prop_assert!((0.0..=1.0).contains(&estimate.shrinkage));
        let called = (0..names).map(|n| n.to_string()).collect();
        prop_assert!(estimate.universe(called, vec![0.0; names], 390.0).is_ok());
    }

    #[test]
    fn a_grid_is_what_anybody_would_sample(steps in prop::collection::vec((0u64..40, 0usize..3, 1u32..1000), 1..120)) {
        let (step, idle) = (10, 2);
        let mut grid = Grid::new(3, step, idle).unwrap();
        let mut returns = Returns::new(3, Weighting::Window(1000)).unwrap();
        let mut at = 3;
        let mut mids: Vec<(u64, usize, f64)> = Vec::new();
        let mut rows = 0;
        for (wait, name, mid) in steps {
            at += wait;
            rows += grid.on_mid(at, name, f64::from(mid), &mut returns).unwrap();
            mids.push((at, name, f64::from(mid)));
        }
        // Every point before the last mid, one by one.
        let mut expected = 0;
        let mut measured = false;
        let mut point = mids[0].0.next_multiple_of(step);
        while point < at {
            let known = (0..3).all(|name| mids.iter().any(|mid| mid.1 == name && mid.0 <= point));
            // The silence that this point is in, from the last mid at or before it to the first behind it.
            let before = mids.iter().rev().find(|mid| mid.0 <= point).unwrap().0;
            let behind = mids.iter().find(|mid| mid.0 > point).unwrap().0;
            let first = before.next_multiple_of(step).max(mids[0].0.next_multiple_of(step));
            let points = (behind - first).div_ceil(step);
            if points > idle + 1 {
                expected += u64::from(point == first && known && measured);
                measured = false;
            } else if known {
                expected += u64::from(measured);
                measured = true;
            }
            point += step;
        }
        prop_assert_eq!(rows, expected);
        prop_assert_eq!(returns.added(), expected);
    }
}
