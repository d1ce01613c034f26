//! OR-Library's files, which stand beside the repository (`../shared/data/orlib`, or `data/orlib` where `FIRELANE_DATA` says).

use firelane_portfolio::universe::Universe;
use std::io::Write;
use std::path::{Path, PathBuf};

/// A file's text; without it the test is skipped, by name, or fails where everything must be there (`CI=true`).
fn orlib(name: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let base = std::env::var_os("FIRELANE_DATA").map_or_else(beside, PathBuf::from);
    let path = base.join("data/orlib").join(name);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(text);
    }
    let line = format!("SKIPPED {}: no {name}\n", std::thread::current().name().unwrap_or("arbitrage"));
    assert!(std::env::var("CI").as_deref() != Ok("true"), "must not be skipped in CI: {line}");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os("FIRELANE_SKIPS") {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of skipped tests can be written");
    }
    None
}

/// A universe of OR-Library's.
pub(crate) fn universe(name: &str) -> Option<Universe> {
    orlib(name).map(|text| Universe::parse(&text).unwrap())
}

/// Stocks that hang on three factors, more or less: correlations of either sign.
pub(crate) fn factors(names: usize, seed: u64) -> Universe {
    let number = |at: u64| {
        let mixed = (at + 1).wrapping_mul(seed.wrapping_mul(2) | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / (1_u64 << 24) as f64
    };
    let load = |name: usize, factor: usize| 0.02 * (number((name * 3 + factor) as u64) - 0.3);
    let covariance = |at: usize| {
        let (i, j) = (at / names, at % names);
        (0..3).map(|factor| load(i, factor) * load(j, factor)).sum::<f64>() + if i == j { 4e-5 } else { 0.0 }
    };
    let names_of = (0..names).map(|name| name.to_string()).collect();
    Universe::new(names_of, vec![0.0; names], (0..names * names).map(covariance).collect()).unwrap()
}
