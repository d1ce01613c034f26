//! `firelane spikes score` on the built program.

mod built;

use built::{Built, fits};
use std::path::Path;

const SCORE: Built = Built(&["spikes", "score"]);

// Of no day that anybody learns from or is reported on.
const SHORT: [&str; 6] = ["--seeds", "1..2", "--validation", "2..3", "--minutes", "1"];

#[test]
fn the_table_fits_a_terminal_and_has_every_contestant() {
    let (code, text, error) = SCORE.said(&SHORT);
    assert_eq!((code, error.as_str()), (0, ""));
    fits(&text);
    for name in ["chance", "rule", "logistic", "trees", "network"] {
        let rows = text.lines().filter(|line| line.split_whitespace().any(|word| word == name)).count();
        // Four groups of recall, strengths, four kinds of delay, three alerts, costs.
        assert_eq!(rows, 13, "{name}:\n{text}");
    }
    assert!(text.starts_with("manipulation: days of seeds 1 to 1, 0.1 symbol-hours"), "{text}");
}

#[test]
fn json_has_the_same_and_two_runs_agree() {
    let report = SCORE.json(&SHORT);
    assert_eq!(SCORE.json(&SHORT), report);
    assert_eq!(report["seeds"], serde_json::json!([1, 2]));
    assert_eq!(report["contestants"].as_array().unwrap().len(), 5);
    for key in ["alerts", "recall", "delay", "transfer", "cost"] {
        assert!(!report["contestants"][4][key].is_null(), "{key}");
    }
    for key in ["footprint_bytes", "connection_sparsity", "activation_sparsity", "dense_operations", "effective_acs"] {
        assert!(report["contestants"][4]["cost"][key].is_number(), "{key}");
    }
    for key in ["met", "of", "part", "low", "high", "per_hour"] {
        assert!(report["contestants"][4]["recall"][0][key].is_number(), "{key}");
    }
}

#[test]
fn what_is_no_detector_or_no_range_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none.toml");
    let (code, _, error) = SCORE.said(&["--detector", nowhere.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(error.contains("none.toml") && error.contains("No such file"), "{error}");
    let sweeps = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/detectors/sweeps.toml");
    let (code, _, error) = SCORE.said(&["--detector", sweeps.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(error.contains("none of its alerts is called layering, ignition or iceberg"), "{error}");
    for (argument, words) in [
        ("3000", "as in 3000..3024"),
        ("a..b", "as in 3000..3024"),
        ("7..7", "the larger seed behind the dots"),
        ("8..7", "the larger seed behind the dots"),
        ("0..1001", "at most 1000 days"),
    ] {
        let (code, _, error) = SCORE.said(&["--seeds", argument]);
        assert!(code == 2 && error.contains(words), "{argument}: {error}");
    }
    for minutes in ["0", "391"] {
        assert_eq!(SCORE.said(&["--minutes", minutes]).0, 2);
    }
}

#[test]
fn another_detector_is_scored_by_itself() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../surveillance/tests/large.toml");
    let (code, text, error) = SCORE.said(&[&SHORT[..], &["--detector", file.to_str().unwrap()]].concat());
    assert_eq!((code, error.as_str()), (0, ""));
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("trained on other spikes than this detector hears"), "{text}");
    assert!(!text.contains("logistic") && text.contains("network"), "{text}");
}
