//! Universes made by hand or by lot.

use firelane_portfolio::universe::{Universe, UniverseError};

/// A universe of these means and this covariance; names are A, B, C and so on.
pub(crate) fn universe(mean: &[f64], covariance: &[&[f64]]) -> Result<Universe, UniverseError> {
    let names = (0..mean.len()).map(|n| char::from(b'A' + n as u8).to_string()).collect();
    Universe::new(names, mean.to_vec(), covariance.concat())
}

/// A universe of `names` names from numbers of -1 to 1: a factor model, so that it is definite. Means are up to 1 %, deviations up
/// to some 10 %.
pub(crate) fn drawn(names: usize, values: &[f64]) -> Universe {
    let at = |i: usize| values[i % values.len()];
    let factor = |name: usize, f: usize| 0.05 * at(name * 3 + f + 7);
    let rows: Vec<Vec<f64>> = (0..names)
        .map(|i| {
            let common = |j: usize| (0..3).map(|f| factor(i, f) * factor(j, f)).sum::<f64>();
            (0..names).map(|j| common(j) + if i == j { 0.0005 + 0.001 * at(i).abs() } else { 0.0 }).collect()
        })
        .collect();
    let mean: Vec<f64> = (0..names).map(|name| 0.01 * at(name * 5 + 1)).collect();
    universe(&mean, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>()).unwrap()
}

/// The same numbers for a seed, from -1 to 1.
pub(crate) fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    (0..count).map(|_| next()).collect()
}
