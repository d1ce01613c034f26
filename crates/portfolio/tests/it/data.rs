//! OR-Library's files, which stand beside the repository (`../shared/data/orlib`, or `data/orlib` where `FIRELANE_DATA` says).

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file's text; without it the test is skipped, by name, or fails where everything must be there (`CI=true`).
pub(crate) fn orlib(name: &str) -> Option<String> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let base = std::env::var_os("FIRELANE_DATA").map_or_else(beside, PathBuf::from);
    let path = base.join("data/orlib").join(name);
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Some(text);
    }
    let line = format!("SKIPPED {}: no {name}\n", std::thread::current().name().unwrap_or("portfolio"));
    assert!(std::env::var("CI").as_deref() != Ok("true"), "must not be skipped in CI: {line}");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(list) = std::env::var_os("FIRELANE_SKIPS") {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of skipped tests can be written");
    }
    None
}
