//! A test in a network namespace of its own: the test's program runs itself once more, inside.

use crate::skip::skip;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

/// Set inside.
const INSIDE: &str = "FIRELANE_TEST_NAMESPACE";

/// Demos and captures want the cores for themselves: one test at a time.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `body` of the test of this name where the loopback is up and nothing else is on it.
///
/// The namespace belongs to the processes inside and ends with the last of them, however they end: there is nothing to
/// remove. Needs root, or a kernel that lets everybody be root in a namespace of users.
pub(super) fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(INSIDE).is_some() {
        assert!(runs("ip", &["link", "set", "lo", "up"]), "lo does not come up");
        return body();
    }
    for (program, argument) in [("tshark", "--version"), ("dumpcap", "--version"), ("ip", "-V"), ("unshare", "-V")] {
        if !runs(program, &[argument]) {
            return skip(&format!("{program} is not there; tests/run installs it"));
        }
    }
    let ways: [&[&str]; 2] = [&["--net"], &["--net", "--map-root-user"]];
    let Some(way) =
        ways.into_iter().find(|way| runs("unshare", &[way, &["ip", "link", "set", "lo", "up"][..]].concat()))
    else {
        return skip("no network namespace can be made here");
    };
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new("unshare")
        .args(way)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (said, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    // A name that no test has would pass as well.
    assert!(output.status.success() && said.contains("1 passed"), "{test}:\n{said}{told}");
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    let status = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}
