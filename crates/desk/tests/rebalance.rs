//! A portfolio beside the lane of the program, in a world without a clock and over sockets: `examples/portfolio/`.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

const CONFIG: &str = "examples/portfolio/gateway.toml";

/// `firelane`, where the example's paths are right.
fn firelane(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")).args(args).output().unwrap()
}

/// The demo on the example's configuration, with more of a command line.
fn demo(more: &[&str]) -> Value {
    let output = firelane(&[&["demo", "--config", CONFIG, "--symbols", "8", "--json"], more].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn targets_are_found_told_traded_towards_and_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("run.log");
    let run = || demo(&["--virtual", "--seconds", "24"]);
    let with_log = demo(&["--virtual", "--seconds", "24", "--log", log.to_str().unwrap()]);
    let portfolio = &with_log["portfolio"];
    let n = |key: &str| portfolio[key].as_u64().unwrap();
    assert!(n("targets") >= 2 && n("taken") == 6 * n("targets"), "{portfolio}");
    assert_eq!((n("refused"), n("expired"), n("rejected"), n("lost")), (0, 0, 0, 0), "{portfolio}");
    let names = portfolio["names"].as_object().unwrap();
    let sums = |key: &str| names.values().map(|name| name[key].as_f64().unwrap()).sum::<f64>();
    assert!((0.5..=0.9 + 1e-9).contains(&sums("weight")), "{portfolio}");
    let held = names.values().filter(|name| name["weight"] != 0.0);
    assert!((2..=4).contains(&held.clone().count()), "{portfolio}");
    // Within the band of the example, but where a market was too thin to get there.
    let near = held.filter(|name| (name["target"].as_i64().unwrap() - name["held"].as_i64().unwrap()).abs() <= 10);
    assert!(near.count() >= 1, "{portfolio}");
    // What a lane holds, its tape has told.
    for (symbol, name) in names {
        let position = with_log["by_symbol"][symbol]["position"].as_i64().unwrap_or(0);
        assert_eq!(name["held"].as_i64().unwrap(), position, "{symbol}");
    }
    // Deadlines are of clocks: where there is none, the same is found each time.
    assert_eq!(run()["digests"], with_log["digests"]);
    let verified = firelane(&["log", "verify", log.to_str().unwrap()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    let dump = firelane(&["log", "dump", log.to_str().unwrap()]);
    let text = String::from_utf8_lossy(&dump.stdout).into_owned();
    let targets = text.lines().filter(|line| line.contains("Target")).count() as u64;
    assert!(targets >= n("taken"), "the mandate and every word stand in the log: {targets}");
}

#[test]
fn a_target_that_nobody_renews_is_held_or_closed_as_configured() {
    // Asked for twice, and good for a second each time: at the end nothing is wanted any more.
    let sets = ["--set", "portfolio.valid_ms=1000", "--set", "portfolio.every_ms=7000"];
    for (expired, is_flat) in [("flat", true), ("hold", false)] {
        let then = format!("tracker.expired={expired}");
        let run = demo(&[&["--virtual", "--seconds", "20", "--set", &then], &sets[..]].concat());
        let names = run["portfolio"]["names"].as_object().unwrap();
        let held: i64 = names.values().map(|name| name["held"].as_i64().unwrap().abs()).sum();
        assert_eq!(held == 0, is_flat, "{expired}: {}", run["portfolio"]);
        assert!(run["fills"].as_u64().unwrap() > 0);
    }
}

#[test]
fn over_sockets_words_go_through_an_inbox_of_their_own() {
    let sets = ["--set", "portfolio.least=5", "--set", "portfolio.every_ms=1000"];
    let run = demo(&[&["--seconds", "6"], &sets[..]].concat());
    let portfolio = &run["portfolio"];
    assert!(portfolio["targets"].as_u64().unwrap() >= 1, "{portfolio}");
    assert!(portfolio["longest_ms"].as_f64().unwrap() > 0.0, "{portfolio}");
    assert_eq!((&portfolio["rejected"], &portfolio["unsent"]), (&0.into(), &0.into()), "{portfolio}");
    assert!(portfolio["taken"].as_u64().unwrap() >= 6, "{portfolio}");
}

#[test]
fn a_lane_that_has_no_use_for_targets_says_so_and_a_wrong_mandate_is_refused_at_the_start() {
    let sets = ["--set", "wiring=listener", "--set", "portfolio.least=5", "--set", "portfolio.every_ms=1000"];
    let run = demo(&[&["--virtual", "--seconds", "4"], &sets[..]].concat());
    let portfolio = &run["portfolio"];
    assert_eq!((&portfolio["taken"], portfolio["rejected"].as_u64() > Some(5)), (&0.into(), true), "{portfolio}");
    assert_eq!(portfolio["why_rejected"], "no strategy that it is for understands it");

    let folder = tempfile::tempdir().unwrap();
    let mandate = folder.path().join("mandate.toml");
    std::fs::write(&mandate, "at_most = 4\nlongs = 1\n").unwrap();
    let set = format!("portfolio.file={}", mandate.display());
    for (set, expected) in [
        (set.as_str(), "portfolio.document: line 2: unknown field `longs`"),
        ("portfolio.file=/nowhere/mandate.toml", "portfolio.file /nowhere/mandate.toml: the mandate can't be read"),
        ("portfolio.symbols=[\"NONE\"]", "portfolio.symbols: \"NONE\" is not listed"),
    ] {
        let output = firelane(&["demo", "--config", CONFIG, "--virtual", "--seconds", "1", "--set", set]);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && error.contains(expected), "{set}: {error}");
    }
}
