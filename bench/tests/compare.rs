//! `lab compare` as its user runs it: builds that are equal, slower, broken, and that do other work.

use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

const LAB: &str = env!("CARGO_BIN_EXE_lab");
const SMALL: [&str; 8] = ["--symbols", "5", "--live", "200", "--messages", "1000", "--passes", "2"];

/// A build of the lab that takes so many nanoseconds a pass, some noise included, and says that it holds this.
fn build(dir: &TempDir, name: &str, ns: u64, digest: &str) -> PathBuf {
    let path = dir.path().join(name);
    let script = format!(
        "#!/bin/sh\n[ $1 = serve ] || exit 9\necho contestant 1 L3 $2\necho ready\nn=$$\n\
         while read -r q; do\n  n=$((n * 7 % 1009))\n  \
         if [ $q = pass ]; then sleep 0.002; echo pass 1000 $(({ns} + {ns} * (n % 9) / 1000)); else printf '{digest}end\\n'; fi\n\
         done\n"
    );
    std::fs::write(&path, script).unwrap();
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn compare(first: &str, second: &str, more: &[&str]) -> Output {
    let arguments = [&["compare", first, second], &SMALL[..], more].concat();
    Command::new(LAB).args(arguments).output().unwrap()
}

fn of(dir: &TempDir, second: u64, more: &[&str]) -> (Option<i32>, String) {
    let (a, b) = (build(dir, "a", 100_000, ""), build(dir, "b", second, ""));
    let output = compare(a.to_str().unwrap(), b.to_str().unwrap(), more);
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code(), text)
}

#[test]
fn a_slower_build_ends_with_1_and_the_verdict() {
    let dir = tempfile::tempdir().unwrap();
    let (code, text) = of(&dir, 110_000, &[]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the second is SLOWER by more than 1 %: p 0.0000, asked below 0.01"), "{text}");
    assert!(text.contains("second / first: 1.1") || text.contains("second / first: 1.09"), "{text}");
    let (code, text) = of(&dir, 110_000, &["--json"]);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((code, &json["report"]["slower"]), (Some(1), &true.into()));
    assert_eq!(json["report"]["second_to_first"]["pairs"], 25);
}

#[test]
fn an_equal_one_a_faster_one_and_one_within_the_tolerance_are_not_slower() {
    let dir = tempfile::tempdir().unwrap();
    for (ns, more) in
        [(100_000, &[][..]), (90_000, &[]), (110_000, &["--tolerance", "0.15"]), (110_000, &["--starts", "5"])]
    {
        let (code, text) = of(&dir, ns, more);
        assert_eq!(code, Some(0), "{ns}: {text}");
        assert!(text.contains("not slower"), "{text}");
    }
}

#[test]
fn builds_that_do_not_do_the_same_are_not_compared() {
    let dir = tempfile::tempdir().unwrap();
    let a = build(&dir, "a", 100_000, "book 1 B 1 2 3\\n");
    let b = build(&dir, "b", 50_000, "book 1 B 1 2 4\\n");
    let output = compare(a.to_str().unwrap(), b.to_str().unwrap(), &[]);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && error.contains("the second does not do what the first does: symbol 1 bids"),
        "{error}"
    );
    let output = compare(a.to_str().unwrap(), "no-such-build", &[]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-build"), "{output:?}");
}

#[test]
fn the_lab_compares_itself_in_all_that_it_does() {
    for what in ["book", "decode", "orders", "straight", "encode"] {
        let settings = "feed.snapshot.enabled = false\ntaker.threshold = 100000\ntaker.cooldown_us = 0";
        let output = compare(LAB, LAB, &["--what", what, "--starts", "2", "--settings", settings]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{what}: {text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(&format!("{what}, 2 starts of each by turns")), "{text}");
    }
}
