//! A test that can't run here says so by name, past the harness, which shows nothing of tests that pass.

use std::io::Write;

/// Where `tests/run` counts what was skipped: a line a test.
const LIST: &str = "FIRELANE_SKIPS";

/// The test of this thread is skipped, and says why. The caller returns then. In CI (`CI=true`) everything is there that
/// a test needs, so that a skip is a failure.
#[track_caller]
pub(crate) fn skip(why: &str) {
    let at = std::panic::Location::caller();
    let thread = std::thread::current();
    // With one thread of tests, the harness runs them on its own.
    let name =
        thread.name().filter(|name| *name != "main").map_or(format!("{}:{}", at.file(), at.line()), str::to_owned);
    let line = said(&name, why, std::env::var("CI").as_deref() == Ok("true")).unwrap_or_else(|must| panic!("{must}"));
    let _ = std::io::stderr().write_all(format!("\n{line}").as_bytes());
    if let Some(list) = std::env::var_os(LIST) {
        let list = std::fs::OpenOptions::new().append(true).create(true).open(list);
        list.and_then(|mut list| list.write_all(line.as_bytes())).expect("the list of skipped tests can be written");
    }
}

/// What is said of a skipped test; the error, where none may be.
fn said(name: &str, why: &str, ci: bool) -> Result<String, String> {
    if ci { Err(format!("{name} must not be skipped in CI: {why}")) } else { Ok(format!("SKIPPED {name}: {why}\n")) }
}

#[test]
fn a_skip_is_said_by_name_and_is_a_failure_in_ci() {
    assert_eq!(said("feed::a_gap", "no data", false).unwrap(), "SKIPPED feed::a_gap: no data\n");
    assert_eq!(said("feed::a_gap", "no data", true).unwrap_err(), "feed::a_gap must not be skipped in CI: no data");
}
