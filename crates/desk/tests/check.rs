//! `firelane check`, `--set`, and a strategy that is never a default, on the built program.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn firelane(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firelane"));
    command.env("FIRELANE_ENTRY_PASSWORD", "a").env("FIRELANE_SNAPSHOT_PASSWORD", "b").env_remove("COLUMNS");
    command.args(arguments).output().unwrap()
}

/// Exit code, standard output and standard error.
fn said(arguments: &[&str]) -> (i32, String, String) {
    let output = firelane(arguments);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_fits_eighty_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(
        folder.path(),
        "gateway.toml",
        "wiring = \"market-makr\"\n[risk]\nmax_order_quantity = 5\nburst = 0\n[feed]\nlines = 3\n[tape]\nstatus_ms = 1\n",
    );
    let (code, text, _) = said(&["check", &path]);
    assert_eq!(code, 1, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in [
        "line 1: wiring = \"market-makr\"",
        "did you mean \"market-maker\"?",
        "line 3: risk.max_order_quantity: there is no such key; did you mean \"max_order_qty\"?",
        "line 4: risk.burst",
        "line 6: feed.lines",
        "line 8: tape.status_ms = 1: must be 10 to 60000",
    ] {
        assert!(flat.contains(says), "{says}\nis not in\n{text}");
    }
    let (code, json, _) = said(&["check", &path, "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, json["ok"].as_bool(), json["role"].as_str()), (1, Some(false), Some("gateway")));
    assert_eq!(json["errors"].as_array().unwrap().len(), 5, "{json}");
    // A run says all of it too.
    let (code, _, error) = said(&["run", &path]);
    assert!(code == 1 && error.contains("4 things are wrong") && error.contains("feed.lines"), "{error}");
}

#[test]
fn what_cannot_work_is_a_warning_and_an_error_under_strict() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "gateway.toml", "wiring = \"imbalance-taker\"\n");
    let (code, text, _) = said(&["check", &path]);
    assert!(code == 0 && text.contains("nothing is wrong"), "{text}");
    let big = ["check", &path, "--set", "taker.size=2000", "--set", "threads.cores=[4095]"];
    let (code, text, _) = said(&big);
    assert!(code == 0 && text.contains("taker.size = 2000 is over risk.max_order_qty = 1000"), "{text}");
    assert!(text.contains("core 4095"), "{text}");
    let (code, ..) = said(&[&big[..], &["--strict"]].concat());
    assert_eq!(code, 2);
    let (code, text, _) = said(&["check", &path, "--set", "entry.password_env=NOT_SET_HERE"]);
    assert!(code == 0 && text.contains("NOT_SET_HERE is not set here"), "{text}");
}

#[test]
fn a_venue_is_checked_as_a_venue() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "venue.toml", "[market]\nsymbls = 3\nrate = 0\n[[port]]\nfirm = \"x\"\n");
    let (code, text, _) = said(&["check", &path]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 1 && text.contains("3 things are wrong with this configuration of a venue"), "{text}");
    assert!(text.contains("did you mean \"symbols\"?"), "{text}");
    let path = file(folder.path(), "venue.toml", "[market]\nitch = \"/no/such/day.itch\"\n");
    let (code, text, _) = said(&["check", &path]);
    assert!(code == 0 && text.contains("No such file") && !text.contains("os error"), "{text}");
}

#[test]
fn no_strategy_is_a_default_but_in_the_demo() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "gateway.toml", "[risk]\nburst = 3\n");
    for arguments in [["run", path.as_str()], ["check", path.as_str()]] {
        let (code, text, error) = said(&arguments);
        let flat = [text, error].concat().split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(code, 1, "{flat}");
        for says in ["wiring is not named", "\"imbalance-taker\" (", "\"market-maker\" (", "\"listener\" ("] {
            assert!(flat.contains(says), "{flat}");
        }
    }
    // The demo names its own, and writes it into the log.
    let log = folder.path().join("run.log");
    let demo = ["demo", "--virtual", "--seconds", "1", "--config", &path, "--log", log.to_str().unwrap(), "--json"];
    let (code, json, error) = said(&demo);
    assert_eq!(code, 0, "{error}");
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["wiring"], "imbalance-taker");
    assert_eq!(said(&["log", "verify", log.to_str().unwrap()]).0, 0);
}

#[test]
fn a_setting_takes_the_place_of_a_key_and_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("run.log");
    let log = log.to_str().unwrap();
    let demo = ["demo", "--virtual", "--seconds", "1", "--set", "wiring=listener", "--log", log, "--json"];
    let (code, json, error) = said(&demo);
    assert_eq!(code, 0, "{error}");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["wiring"].as_str(), json["orders"].as_u64()), (Some("listener"), Some(0)));
    assert_eq!(said(&["log", "verify", log]).0, 0);
    let (code, _, error) = said(&["demo", "--set", "taker.sise=3"]);
    assert!(code == 1 && error.contains("did you mean \"size\"?"), "{error}");
    // A setting that nothing of this time goes by is looked at, too.
    for command in [&["replay", log, "--set", "taker.sise=3"][..], &["run", "/dev/null", "--set", "taker.sise=3"]] {
        let (code, _, error) = said(command);
        assert!(code == 1 && error.contains("--set taker.sise: there is no such key"), "{error}");
    }
    let (code, _, error) = said(&["demo", "--set", "nonsense"]);
    assert!(code == 2 && error.contains("must be KEY=VALUE"), "{error}");
}

#[test]
fn the_printed_configuration_has_a_socket_and_is_sound() {
    let folder = tempfile::tempdir().unwrap();
    for (command, name) in [("run", "firelane.sock"), ("venue", "firelane-venue.sock")] {
        let mut print = Command::new(env!("CARGO_BIN_EXE_firelane"));
        let printed = print.args([command, "--print-config"]).env("XDG_RUNTIME_DIR", folder.path()).output().unwrap();
        let text = String::from_utf8(printed.stdout).unwrap();
        let socket = folder.path().join(name).display().to_string();
        assert!(text.contains(&format!("\nsocket = {socket:?}")) && text.contains("XDG_RUNTIME_DIR"), "{text}");
        let path = file(folder.path(), "printed.toml", &text);
        let (code, said, _) = said(&["check", &path, "--strict"]);
        assert_eq!(code, 0, "{said}");
        let none = Command::new(env!("CARGO_BIN_EXE_firelane"))
            .args([command, "--print-config"])
            .env_remove("XDG_RUNTIME_DIR")
            .output()
            .unwrap();
        assert!(
            String::from_utf8(none.stdout)
                .unwrap()
                .contains(&format!("\nsocket = \"{}", std::env::temp_dir().join("firelane").display()))
        );
    }
}
