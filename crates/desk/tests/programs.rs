//! Programs outside of this workspace: `examples/outside` is copied away, built with the library as its dependency, and run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// The folder of both programs. What they share with the repository's other builds stays between two runs of this test.
fn programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (away, target) = (folder.path().join("away"), Path::new(env!("CARGO_TARGET_TMPDIR")).join("outside"));
        copy(&root.join("examples/outside"), &away);
        for name in ["own_strategy", "own_signal", "own_desk"] {
            let path = away.join(name).join("Cargo.toml");
            let text = fs::read_to_string(&path).unwrap();
            let text = text.replace("\"../../..", &format!("\"{}", root.display()));
            assert!(text.contains(&root.display().to_string()), "{text}");
            fs::write(&path, text).unwrap();
        }
        // The versions that are here already, for there may be no network.
        fs::copy(root.join("Cargo.lock"), away.join("Cargo.lock")).unwrap();
        // Their own tests, too, on lanes made by hand.
        for stage in ["build", "test"] {
            let built = Command::new(env!("CARGO"))
                .args([stage, "--offline", "--quiet"])
                .current_dir(&away)
                .env("CARGO_TARGET_DIR", &target)
                .output()
                .unwrap();
            let said = [built.stdout, built.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
            assert!(built.status.success(), "{said}");
        }
        target.join("debug")
    })
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(programs().join(program));
    command.args(arguments).env("FIRELANE_ENTRY_PASSWORD", "a").env("FIRELANE_SNAPSHOT_PASSWORD", "b");
    command.env_remove("CARGO").env_remove("CARGO_MANIFEST_DIR").output().unwrap()
}

/// What it wrote, if it ended with `code`.
fn said(program: &str, arguments: &[&str], code: i32) -> String {
    let output = run(program, arguments);
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert_eq!(output.status.code(), Some(code), "{program} {arguments:?}: {text}");
    text
}

#[test]
fn a_program_of_one_strategy_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.toml").display().to_string();
    let help = said("own-strategy", &["--help"], 0);
    assert!(help.contains("swing: buys at the offer") && help.contains("--print-config"), "{help}");
    let sample = said("own-strategy", &["--print-config"], 0);
    for line in [
        "\nwiring = \"swing\"\n",
        "\n[swing]                    # of the wiring \"swing\"\n",
        "\nhold_ms = 50               # how long they are held, and how long it waits then: 1 to 60000\n",
    ] {
        assert!(sample.contains(line), "{line:?} is not in {sample}");
    }
    assert!(!sample.contains("[taker]"), "{sample}");
    // It runs, finds no venue, and ends as asked: nothing lives anywhere.
    let local = sample.replace("264", "2").replace("shutdown_timeout_ms = 10000", "shutdown_timeout_ms = 1000");
    fs::write(&path, local).unwrap();
    let log = folder.path().join("own.log").display().to_string();
    let ran = said("own-strategy", &[&path, "--seconds", "1", "--log", &log], 0);
    assert!(ran.contains("swing runs as process") && ran.contains("0 messages, 0 orders, 0 fills."), "{ran}");
    let verified = said("own-desk", &["log", "verify", &log], 0);
    assert!(verified.contains("verified"), "{verified}");
    // It is never written over.
    assert!(said("own-strategy", &[&path, "--log", &log], 1).contains("own.log"));
    // And so it does in two lanes, each with a log of its own.
    let rows = "wiring = \"swing\"\ninstruments.directory = false\nthreads.idle = \"park\"\ncontrol.shutdown_timeout_ms = 1000\n\
                net = { line_a = \"127.0.0.1:0\", line_b = \"127.0.0.1:0\", orders = \"127.0.0.1:9\" }\n[firm]\nburst = 512\n\
                [[lane]]\nname = \"north\"\nentry.username = \"N\"\n[[lane]]\nname = \"south\"\nentry.username = \"S\"\n";
    let lanes = folder.path().join("lanes.toml").display().to_string();
    fs::write(&lanes, rows).unwrap();
    let log = folder.path().join("lanes.log").display().to_string();
    let ran = said("own-strategy", &[&lanes, "--seconds", "1", "--log", &log], 0);
    for name in ["north", "south"] {
        assert!(ran.contains(&format!("lane {name:?}: swing runs as process")), "{ran}");
        assert!(ran.contains(&format!("lane {name:?}: 0 messages, 0 orders, 0 fills.")), "{ran}");
        let log = log.replace("lanes.log", &format!("lanes.{name}.log"));
        assert!(said("own-desk", &["log", "verify", &log], 0).contains("verified"));
    }
    fs::write(&lanes, rows.replace("\"S\"", "\"N\"")).unwrap();
    assert!(said("own-strategy", &[&lanes], 1).contains("would both log in as N at 127.0.0.1:9"));
    for (text, says) in [("[swing]\nsise = 1\n", "size"), ("[swing]\nsize = 0\n", "swing.size"), ("[taker]\n", "taker")]
    {
        fs::write(&path, format!("wiring = \"swing\"\n{text}")).unwrap();
        let refused = said("own-strategy", &[&path], 1);
        assert!(refused.contains(says), "{text}: {refused}");
    }
    assert!(said("own-strategy", &["--frob"], 2).contains("no option --frob"));
    assert!(said("own-strategy", &["--version"], 0).starts_with("own-strategy firelane-gateway"));
}

#[test]
fn the_whole_tool_stands_around_a_strategy_of_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let [log, path] = ["run.log", "own.toml"].map(|name| folder.path().join(name).display().to_string());
    let demo = ["demo", "--virtual", "--seconds", "2", "--json", "--log", &log, "--set", "swing.hold_ms=20"];
    let report = said("own-desk", &demo, 0);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["wiring"], &report["reconciled"]), (&"swing".into(), &true.into()), "{report}");
    assert!(report["fills"].as_u64().unwrap() > 10, "{report}");
    let verified = said("own-desk", &["log", "verify", &log], 0);
    assert!(verified.contains("verified"), "{verified}");
    // Its keys are known by all that people are told of keys.
    fs::write(&path, "wiring = \"swing\"\n\n[swing]\nsise = 3\n[taker]\nsize = 3\n").unwrap();
    let wrong = said("own-desk", &["check", &path], 1);
    assert!(wrong.contains("line 4: swing.sise") && wrong.contains("did you mean \"size\"?"), "{wrong}");
    assert!(wrong.contains("line 5: taker"), "{wrong}");
    fs::write(&path, "wiring = \"swing\"\n[swing]\nsize = 2000\n").unwrap();
    assert!(said("own-desk", &["check", &path], 0).contains("swing.size = 2000 is over risk.max_order_qty"));
    // The other of its list is run by its name, and what its signal says is on the tape.
    let tape = folder.path().join("run.tape").display().to_string();
    let burst = ["demo", "--virtual", "--seconds", "2", "--json", "--tape", &tape];
    let burst = [&burst[..], &["--set", "wiring=burst", "--set", "burst.shares=1"]].concat();
    said("own-desk", &burst, 0);
    assert!(said("own-desk", &["log", "dump", &tape, "--kind", "signal"], 0).contains(" Signal "), "{tape}");
    // And nobody else's can be run by it, nor its log by another.
    assert!(said("own-desk", &["check", &path, "--set", "wiring=listener"], 1).contains("must be one of \"swing\""));
    let other = Command::new(env!("CARGO_BIN_EXE_firelane")).args(["log", "verify", &log]).output().unwrap();
    assert_eq!(other.status.code(), Some(1), "{other:?}");
}
