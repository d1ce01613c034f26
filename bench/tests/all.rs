//! `lab all` as its user runs it.

use std::process::Command;

#[test]
fn all_is_measured_and_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("a new folder");
    let settings = "feed.snapshot.enabled = false\ntaker.threshold = 100000\ntaker.cooldown_us = 100";
    let output = Command::new(env!("CARGO_BIN_EXE_lab"))
        .args(["all", "--symbols", "20", "--live", "1000", "--messages", "3000", "--passes", "2", "--wire-rounds", "0"])
        .args(["--settings", settings, "--against", env!("CARGO_BIN_EXE_plain-contestant"), "--report"])
        .arg(&report)
        .output()
        .unwrap();
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{error}");
    for part in [
        "DECODE",
        "PARSE AND BOOK, THE MADE MARKET",
        "ENCODE",
        "ORDERS",
        "the straight line: the same orders",
        "QUOTES",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    let read = |name: &str| std::fs::read_to_string(report.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert!(read("table.txt").starts_with("lab all ") && read("table.txt").contains(text.trim_end()));
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(json["book_made"]["entries"][1]["name"], "plain maps");
    assert_eq!(json["decode"]["entries"][0]["broken"], serde_json::Value::Null);
    assert!(json["orders"]["straight"]["p50"].as_f64().unwrap() > 0.0 && json["wire"].is_null());
    let page = read("report.html");
    for name in ["decode", "book-made", "encode", "orders", "quotes"] {
        let svg = read(&format!("{name}.svg"));
        assert!(svg.starts_with("<svg xmlns=") && page.contains(&svg), "{name}");
    }
    // Self-contained: nothing is fetched.
    assert!(!page.contains("src=") && !page.contains("href="), "{page}");
    assert!(!page.contains("BROKEN") && read("book-made.svg").contains("plain maps"));
}
