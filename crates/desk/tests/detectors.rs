//! Detectors, run as a user runs them: in the lane and beside it, over a replayed hour and a demo, and files that are wrong.

#[path = "replay/days.rs"]
#[allow(dead_code)] // of what it has, an hour is made
mod days;

use firelane_gateway::base::Side;
use firelane_sim::rng::Rng;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const SWEEPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/detectors/sweeps.toml");
const BESIDE: [&str; 2] = ["--set", "detector.place=beside"];
/// Of a build for tests, on a machine with neighbours.
const PATIENT: [&str; 2] = ["--set", "detector.budget_ns=1000000"];

fn firelane(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firelane")).args(arguments).current_dir(folder).output().unwrap()
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let output = firelane(folder, &[arguments, &PATIENT, &["--json", "--force"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(folder: &Path, arguments: &[&str]) -> String {
    let output = firelane(folder, arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// An hour of three symbols, bursts of orders at the best and away from it, and of the same taken out again; silences from
/// microseconds to half a minute.
fn an_hour() -> Vec<u8> {
    let symbols = ["AAA", "BBB", "CCC"];
    let mut day = days::opened(&symbols);
    let mut rng = Rng::new(7, "an hour");
    let (mut reference, mut live, mut gone) = (1_u64, Vec::new(), 0_u64);
    while gone < 3_600_000_000_000 {
        let pause = 1_000 << rng.between(0, 24);
        day.at(pause);
        gone += pause;
        let symbol = symbols[rng.between(0, 2) as usize];
        let side = if rng.between(0, 1) == 0 { Side::Buy } else { Side::Sell };
        let pulls = rng.between(0, 1) == 1;
        for _ in 0..rng.between(1, 12) {
            let step = 10_000 * rng.between(1, 60);
            day.at(step);
            gone += step;
            let mine = live.iter().rposition(|(of, at, _)| pulls && *of == symbol && *at == side);
            if let Some(at) = mine {
                let (_, _, reference) = live.swap_remove(at);
                day.delete(symbol, reference);
                continue;
            }
            let cents = 10_000 - side.sign() * (1 + rng.between(0, 2) as i64);
            day.add(symbol, reference, side, 100 * rng.between(1, 9) as u32, cents);
            live.push((symbol, side, reference));
            reference += 1;
        }
    }
    day.at(1_000_000);
    day.note();
    day.binary_file()
}

#[test]
fn one_replayed_hour_has_identical_alerts_in_the_lane_and_beside_it() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("hour.itch"), an_hour()).unwrap();
    for time in ["dt", "event"] {
        let text = std::fs::read_to_string(SWEEPS).unwrap();
        let text = match time {
            "event" => text.replace("time = \"dt\" ", "time = \"event\" ").replace("dt_us = 1000", ""),
            _ => text,
        };
        std::fs::write(folder.path().join("sweeps.toml"), text).unwrap();
        let network = std::fs::read(SWEEPS.replace(".toml", ".json")).unwrap();
        std::fs::write(folder.path().join("sweeps.json"), network).unwrap();
        let options = ["replay", "hour.itch", "--detector", "sweeps.toml", "--orders", "o.ouch", "--alerts", "a.csv"];
        let read = |name: &str| std::fs::read(folder.path().join(name)).unwrap();
        let lane = json(folder.path(), &options);
        let (alerts, orders) = (read("a.csv"), read("o.ouch"));
        let beside = json(folder.path(), &[&options[..], &BESIDE].concat());
        assert_eq!((read("a.csv"), read("o.ouch")), (alerts.clone(), orders.clone()), "{time}");
        assert_eq!((&lane["detector"]["place"], &beside["detector"]["place"]), (&"lane".into(), &"beside".into()));
        for key in ["alerts", "lagging", "digest"] {
            assert_eq!(lane["detector"][key], beside["detector"][key], "{time} {key}");
        }
        let text = String::from_utf8(alerts).unwrap();
        assert!(text.starts_with("time_ns,symbol,alert,value,step\n34") && text.lines().count() > 50, "{text}");
        let lags = lane["detector"]["lagging"].as_u64().unwrap();
        assert_eq!(lags > 20, time == "dt", "{lags}");
        // Without a file for the orders it is the same run.
        let alone = json(folder.path(), &["replay", "hour.itch", "--detector", "sweeps.toml"]);
        assert_eq!(alone["detector"], lane["detector"]);
        assert_eq!(alone["orders"], lane["orders"]);
    }
}

#[test]
fn a_demo_with_a_detector_is_verified_from_its_log_wherever_it_ran() {
    let folder = TempDir::new().unwrap();
    let demo = ["demo", "--virtual", "--seconds", "4", "--faults", "light"];
    let plain = json(folder.path(), &demo);
    let watched = [&demo[..], &["--detector", SWEEPS, "--log", "d.log", "--tape", "d.tape"]].concat();
    let verify = |held: &Value| {
        let output = firelane(folder.path(), &["log", "verify", "d.log"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(held["reconciled"].as_bool().unwrap());
    };
    let lane = json(folder.path(), &watched);
    verify(&lane);
    let dump = firelane(folder.path(), &["log", "dump", "d.tape", "--kind", "signal", "--json"]);
    let said = String::from_utf8(dump.stdout).unwrap();
    let alerts = said.lines().filter(|line| {
        let record: Value = serde_json::from_str(line).unwrap();
        (1..=4).contains(&record["fields"]["code"].as_u64().unwrap())
    });
    let counted: u64 = lane["detector"]["alerts"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(alerts.count() as u64, counted);
    assert!(counted > 10, "{counted}");
    let withheld = |report: &Value| report["counters"]["strategy.withheld"].as_u64().unwrap();
    assert!(withheld(&lane) > 0, "an alert that gates holds orders back");
    assert_ne!(lane["digests"]["effects"], plain["digests"]["effects"]);

    let beside = json(folder.path(), &[&watched[..], &BESIDE].concat());
    verify(&beside);
    assert!(
        withheld(&beside) > 0
            && beside["counters"]["core.commands_taken"].as_u64() > plain["counters"]["core.commands_taken"].as_u64()
    );
    assert_eq!(beside["detector"]["counters"]["network_lost"], 0);

    // One that gates nothing changes no byte of what is sent.
    let text = std::fs::read_to_string(SWEEPS).unwrap();
    let text: String = text
        .lines()
        .filter(|line| !line.starts_with("gates") && !line.starts_with("hold"))
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(folder.path().join("quiet.toml"), text).unwrap();
    std::fs::copy(SWEEPS.replace(".toml", ".json"), folder.path().join("sweeps.json")).unwrap();
    let faults = ["demo", "--virtual", "--seconds", "4", "--faults", "heavy", "--seed", "1"];
    let heavy = json(folder.path(), &faults);
    let mut digests = Vec::new();
    for place in [&[][..], &BESIDE] {
        let quiet = json(folder.path(), &[&demo[..], &["--detector", "quiet.toml"], place].concat());
        assert_eq!(quiet["digests"]["effects"], plain["digests"]["effects"], "{place:?}");
        assert_eq!(quiet["detector"]["alerts"].as_object().unwrap().len(), 4);
        // Neither with gaps, snapshots and cut sessions, behind which networks start over.
        let quiet = json(folder.path(), &[&faults[..], &["--detector", "quiet.toml"], place].concat());
        assert_eq!(quiet["digests"]["effects"], heavy["digests"]["effects"], "{place:?}");
        assert!(quiet["recovery"]["snapshots"].as_u64() > Some(0));
        assert!(quiet["counters"]["signal.detector_restarts"].as_u64() > Some(7), "{quiet}");
        digests.push(quiet["detector"]["digest"].clone());
    }
    assert_eq!(digests[0], digests[1]);
}

/// Each wiring of the program can have one.
#[test]
fn every_wiring_can_be_watched() {
    let folder = TempDir::new().unwrap();
    let demo = ["demo", "--virtual", "--seconds", "2", "--detector", SWEEPS];
    for set in [
        &["wiring=imbalance-taker"][..],
        &["wiring=market-maker"],
        &["wiring=listener"],
        &["strategies=[\"maker\", \"taker\"]", "signals=[\"imbalance\"]"],
    ] {
        let sets = set.iter().flat_map(|set| ["--set", set]);
        let report = json(folder.path(), &demo.iter().copied().chain(sets).collect::<Vec<_>>());
        assert!(report["counters"]["signal.detector_events"].as_u64().unwrap() > 5_000, "{set:?}");
        assert_eq!(report["orders"].as_u64() == Some(0), set == ["wiring=listener"], "{set:?}");
    }
}

#[test]
fn what_is_wrong_says_which_key_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    std::fs::copy(SWEEPS.replace(".toml", ".json"), path("sweeps.json")).unwrap();
    let text = std::fs::read_to_string(SWEEPS).unwrap();
    std::fs::write(path("ok.toml"), &text).unwrap();
    let demo = |more: &[&str]| refused(folder.path(), &[&["demo", "--virtual", "--seconds", "1"], more].concat());
    for (from, to, expected) in [
        ("levels = 1", "levels = 2", "address: makes 36 units"),
        ("time = \"dt\"", "time = \"d\"", "time: is \"d\"; it must be \"event\" or \"dt\""),
        ("\"sweeps.json\"", "\"swept.json\"", "network: swept.json: No such file"),
        (
            "population = \"alerts\"\nunit = 3",
            "population = \"alerts\"\nunit = 4",
            "alert[3].unit: is 4; it must be 0 to 3",
        ),
    ] {
        assert!(text.contains(from), "{from}");
        std::fs::write(path("bad.toml"), text.replace(from, to)).unwrap();
        let said = demo(&["--detector", "bad.toml"]);
        assert!(said.starts_with("firelane: detector.file bad.toml: ") && said.contains(expected), "{said}");
    }
    let said = demo(&["--detector", "none.toml"]);
    assert!(said.contains("detector.file none.toml: No such file"), "{said}");
    let said = demo(&["--detector", "ok.toml", "--set", "detector.place=aside"]);
    assert!(said.contains("detector.place: is \"aside\"; it must be \"lane\" or \"beside\""), "{said}");
    let said = demo(&["--detector", "ok.toml", "--set", "detector.budget_ns=0"]);
    assert!(said.contains("detector.budget_ns: is 0; it must be 1 to 1000000"), "{said}");
    // Over its budget on any machine; beside the lane it has none.
    let said = demo(&["--detector", "ok.toml", "--set", "detector.budget_ns=1"]);
    assert!(said.contains("--set detector.place=beside runs it beside the lane"), "{said}");
    let output = firelane(
        folder.path(),
        &[
            "demo",
            "--virtual",
            "--seconds",
            "1",
            "--detector",
            "ok.toml",
            "--set",
            "detector.budget_ns=1",
            "--set",
            "detector.place=beside",
        ],
    );
    assert!(output.status.success());
    // A configuration of one's own may have it, too, and is checked with it.
    std::fs::write(path("gateway.toml"), "wiring = \"listener\"\n[detector]\nfile = \"ok.toml\"\n").unwrap();
    let output = firelane(folder.path(), &["check", "gateway.toml"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let said = refused(folder.path(), &["replay", "sweeps.json", "--alerts", "a.csv", "--detector", "none.toml"]);
    assert!(said.contains("none.toml"), "{said}");
}

/// The picture has what the run had: as many steps as were asked for, around the first alert of the symbol.
#[test]
fn a_raster_shows_what_led_to_an_alert() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("hour.itch"), an_hour()).unwrap();
    let options = ["replay", "hour.itch", "--detector", SWEEPS, "--symbol", "BBB", "--alerts", "a.csv"];
    json(folder.path(), &options);
    let alerts = std::fs::read_to_string(folder.path().join("a.csv")).unwrap();
    let first: Vec<&str> = alerts.lines().nth(1).unwrap().split(',').collect();
    let raster = |more: &[&str]| {
        let fixed =
            ["spikes", "raster", "hour.itch", "--detector", SWEEPS, "--symbol", "BBB", "--output", "a.svg", "--force"];
        let output = firelane(folder.path(), &[&fixed[..], more].concat());
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{said}");
        (said, std::fs::read_to_string(folder.path().join("a.svg")).unwrap())
    };
    let (said, svg) = raster(&[]);
    assert!(said.contains("300 steps") && said.contains("4 voltages") && said.contains(first[2]), "{said}");
    for text in [">orders</text>", ">alerts</text>", "24 units", "4 units", "sweeps: hour.itch BBB"] {
        assert!(svg.contains(text), "{text}");
    }
    assert!(svg.contains(&format!(">{}</text>", first[2])), "{}", first[2]);
    // From a time on, and shorter; the hour begins at 9:30.
    let (said, svg) = raster(&["--from", "09:45:00", "--steps", "50"]);
    assert!(said.contains("50 steps"), "{said}");
    assert!(svg.contains(">09:45:") || svg.contains(">09:44:59"), "{svg}");
    let refused = |more: &[&str]| {
        let fixed = ["spikes", "raster", "hour.itch", "--output", "b.svg"];
        refused(folder.path(), &[&fixed[..], more].concat())
    };
    assert!(
        refused(&["--detector", SWEEPS, "--from", "17:00:00"]).contains("there is nothing of it to draw from there on")
    );
    assert!(refused(&[]).contains("a recording with --detector FILE"));
    assert!(!folder.path().join("b.svg").exists());
    // A network over its inputs.
    let net = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/snn/g05_recurrent.json");
    let output = firelane(folder.path(), &["spikes", "raster", net, "--output", "-", "--steps", "40"]);
    assert!(output.status.success());
    let svg = String::from_utf8(output.stdout).unwrap();
    assert!(svg.contains(">step 1<") && svg.contains(">step 40<") && svg.contains("</svg>"), "{svg}");
}

/// Over sockets, where the network beside the lane has a thread of its own.
#[test]
fn live_it_runs_in_the_lane_and_in_a_reader_of_the_tape() {
    let folder = TempDir::new().unwrap();
    let demo = ["demo", "--seconds", "2", "--rate", "3000", "--detector", SWEEPS, "--log", "d.log"];
    for place in [&[][..], &BESIDE] {
        let report = json(folder.path(), &[&demo[..], place].concat());
        let alerts: u64 = report["detector"]["alerts"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert!(alerts > 0, "{report}");
        let output = firelane(folder.path(), &["log", "verify", "d.log"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
