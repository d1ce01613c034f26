//! Every command's result where it cannot be written: a device that is full, and a pipe that nobody reads any more.

use super::rig::{Process, World, firelane, until, with_passwords};
use super::skip::skip;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

/// A pipe that nobody reads any more.
fn closed() -> Stdio {
    let (reads, writes) = io::pipe().unwrap();
    drop(reads);
    writes.into()
}

/// Exit code, and the lines on standard error.
fn ended(world: &World, arguments: &[&str], out: Stdio) -> (Option<i32>, Vec<String>) {
    let said = world.path("said");
    let err = Stdio::from(File::create(&said).unwrap());
    let status = Process::unheard(firelane(arguments), out, err).ended();
    (status.code(), fs::read_to_string(&said).unwrap().lines().map(str::to_owned).collect())
}

/// What a command was called for is lost on a full device, and in half a JSON object; text may be read as far as one likes.
#[test]
fn every_result_that_cannot_be_written_is_exit_code_1_and_one_line() {
    let mut world = World::of("market-maker", "fused", "", "");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    let (config, log) = (world.text("gateway.toml"), world.text("demo.log"));
    let day = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/p04.pcap").display().to_string();
    let made = firelane(&["demo", "--virtual", "--seconds", "1", "--log", &log]).output().unwrap();
    assert!(made.status.success());
    let text: &[&[&str]] = &[
        &["--help"],
        &["--version"],
        &["run", "--help"],
        &["log", "dump", "--help"],
        &["demo", "--virtual", "--seconds", "1"],
        &["demo", "--print-config"],
        &["run", "--print-config"],
        &["venue", "--print-config"],
        &["replay", &day],
        &["status", &config],
        &["status", &config, "--watch"],
        &["kill", &config],
        &["kill", &config, "--release"],
        &["enable", &config],
        &["check", &config],
        &["completions", "bash"],
        &["man"],
        &["log", "verify", &log],
        &["log", "stat", &log],
        &["log", "dump", &log],
        // Each record is whole.
        &["log", "dump", &log, "--json"],
    ];
    let json: &[&[&str]] = &[
        &["demo", "--virtual", "--seconds", "1", "--json"],
        &["replay", &day, "--json"],
        &["status", &config, "--json"],
        &["status", &config, "--json", "--watch"],
        &["kill", &config, "--json"],
        &["kill", &config, "--release", "--json"],
        &["check", &config, "--json"],
        &["log", "verify", &log, "--json"],
        &["log", "stat", &log, "--json"],
    ];
    for (commands, if_closed) in [(text, 0), (json, 1)] {
        for arguments in commands {
            let (code, said) = ended(&world, arguments, closed());
            assert_eq!((code, said.len()), (Some(if_closed), if_closed as usize), "closed: {arguments:?}: {said:?}");
            let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
                skip("there is no /dev/full here");
                continue;
            };
            let (code, said) = ended(&world, arguments, full.into());
            assert_eq!((code, said.len()), (Some(1), 1), "full: {arguments:?}: {said:?}");
            assert!(said[0].contains("No space left") && !said[0].contains("os error"), "{said:?}");
        }
    }
    gateway.signal("-INT");
    gateway.report(0);
    venue.signal("-TERM");
    venue.report(0);
}

/// What is written to a full device, or to nobody, is a table or a log: a reader may have seen enough of the table.
#[test]
fn a_file_to_standard_output_that_cannot_be_written_is_one_line() {
    let world = World::of("listener", "fused", "", "");
    let day = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/p04.pcap").display().to_string();
    let demo = ["demo", "--virtual", "--seconds", "1"];
    for (arguments, if_closed) in [
        (vec!["replay", &day, "--symbol", "AAPL", "--bbo", "-"], 0),
        ([&demo[..], &["--log", "-"]].concat(), 1),
        ([&demo[..], &["--tape", "-"]].concat(), 1),
    ] {
        let (code, said) = ended(&world, &arguments, closed());
        assert_eq!(code, Some(if_closed), "closed: {arguments:?}: {said:?}");
        let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
            return skip("there is no /dev/full here");
        };
        let (code, said) = ended(&world, &arguments, full.into());
        assert_eq!((code, said.len()), (Some(1), 1), "full: {arguments:?}: {said:?}");
        assert!(said[0].contains("No space left") && !said[0].contains("os error"), "{said:?}");
    }
}

/// Runs it with this on standard input.
fn fed(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = firelane(arguments);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut to = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = thread::spawn(move || to.write_all(&input));
    let output = child.wait_with_output().unwrap();
    let _read_as_far_as_it_wanted = feeder.join().unwrap();
    output
}

/// `-` is standard input or output wherever a file is named; the report is on standard error then.
#[test]
fn a_dash_is_standard_input_or_output_in_every_command() {
    let world = World::of("market-maker", "fused", "", "");
    let read = |name: &str| fs::read(world.path(name)).unwrap();
    let (gateway, venue) = (read("gateway.toml"), read("venue.toml"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/p04.pcap");
    let (day, path) = (fs::read(&path).unwrap(), path.display().to_string());
    let (log, tape) = (world.text("virtual.log"), world.text("virtual.tape"));
    let demo = ["demo", "--virtual", "--seconds", "1"];
    let kept = fed(&[&demo[..], &["--log", &log, "--tape", &tape]].concat(), b"");
    assert!(kept.status.success());
    let (log, tape) = (read("virtual.log"), read("virtual.tape"));
    let good = |arguments: &[&str], input: &[u8]| {
        let output = fed(arguments, input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
        (output.stdout, said)
    };
    // Written.
    for (option, expected) in [("--log", &log), ("--tape", &tape)] {
        let (written, said) = good(&[&demo[..], &[option, "-"]].concat(), b"");
        assert!(written == *expected && said.contains("Reconciled"), "{option}: {said}");
    }
    let (written, said) = good(&["demo", "--seconds", "1", "--log", "-"], b"");
    assert!(said.contains("A venue and the gateway") && said.contains("Reconciled"), "{said}");
    good(&["log", "verify", "-"], &written);
    for option in ["--bbo", "--orders"] {
        let (written, said) = good(&["replay", "-", "--symbol", "AAPL", option, "-"], &day);
        assert!(said.contains("messages") && !String::from_utf8_lossy(&written).contains("messages"), "{said}");
    }
    // Read.
    for (arguments, input) in [
        (&["log", "verify", "-"][..], &log),
        (&["log", "stat", "-"], &tape),
        (&["log", "dump", "-"], &log),
        (&["check", "-"], &gateway),
        (&["check", "-"], &venue),
        (&["replay", "-"], &day),
        (&["replay", &path, "--config", "-", "--orders", "/dev/null"], &gateway),
        (&["demo", "--virtual", "--seconds", "1", "--config", "-"], &gateway),
        (&["demo", "--virtual", "--seconds", "1", "--itch", "-"], &day),
        (&["venue", "-", "--seconds", "1"], &venue),
    ] {
        good(arguments, input);
    }
    let exchange = world.venue();
    let mut command = firelane(&["run", "-", "--log", "-"]);
    command.stdin(File::open(world.path("gateway.toml")).unwrap());
    let trading = Process::start(command);
    trading.says("Order entry is ready");
    for command in ["status", "kill", "enable"] {
        good(&[command, "-"], &gateway);
    }
    trading.signal("-INT");
    let (code, written, said) = trading.end();
    assert!(code == Some(0) && said.iter().any(|line| line.contains("Ended in order")), "{said:?}");
    good(&["log", "verify", "-"], &written);
    exchange.signal("-TERM");
    exchange.report(0);
    // One thing each.
    for arguments in [
        &["demo", "--virtual", "--log", "-", "--tape", "-"][..],
        &["demo", "--virtual", "--log", "-", "--json"],
        &["demo", "--virtual", "--config", "-", "--itch", "-"],
        &["run", "-", "--log", "-", "--tape", "-"],
        &["run", "-", "--tape", "-", "--json"],
        &["replay", "-", "--config", "-"],
        &["replay", &path, "--symbol", "AAPL", "--bbo", "-", "--orders", "-"],
        &["replay", &path, "--symbol", "AAPL", "--bbo", "-", "--json"],
    ] {
        let refused = fed(arguments, b"");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && said.contains("standard"), "{arguments:?}: {said}");
    }
}

/// What is read is never written over, under whatever name; what is there, only when told to.
#[test]
fn no_command_destroys_a_file_that_it_reads_or_that_is_there() {
    let world = World::of("market-maker", "fused", "", "");
    let day = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/p04.pcap");
    fs::copy(&day, world.path("day.pcap")).unwrap();
    fs::hard_link(world.path("day.pcap"), world.path("linked.pcap")).unwrap();
    let (day, linked) = (world.text("day.pcap"), world.text("linked.pcap"));
    let (config, venue) = (world.text("gateway.toml"), world.text("venue.toml"));
    let there = world.text("there");
    world.write("there", "of the user");
    let both = world.text("both");
    let read = "by this command already";
    let mut cases: Vec<(Vec<&str>, &str)> = Vec::new();
    for option in ["--log", "--tape"] {
        for clock in [&["--virtual"][..], &[]] {
            let demo = |more: &[&'static str]| [&["demo", "--seconds", "1"], clock, more].concat();
            cases.push(([demo(&["--itch"]), vec![&day, option, &linked]].concat(), read));
            cases.push(([demo(&["--force", "--itch"]), vec![&day, option, &linked]].concat(), read));
            cases.push(([demo(&["--force", "--config"]), vec![&config, option, &config]].concat(), read));
            cases.push(([demo(&[]), vec![option, &there]].concat(), "exists already; --force"));
        }
        cases.push((vec!["run", &config, option, &config], read));
        cases.push((vec!["run", &config, option, &there], "never written over"));
        cases.push((vec!["replay", &day, "--force", "--symbol", "AAPL", "--bbo", &linked], read));
        cases.push((vec!["replay", &day, "--force", "--config", &config, "--orders", &config], read));
    }
    cases.push((vec!["demo", "--seconds", "1", "--virtual", "--force", "--log", &both, "--tape", &both], read));
    let (itch, journal) = (format!("market.itch={day:?}"), format!("journal={linked:?}"));
    cases.push((vec!["venue", &venue, "--set", &itch, "--set", &journal], "is the same file as"));
    let own = format!("journal={venue:?}");
    cases.push((vec!["venue", &venue, "--set", &own], "is the same file as"));
    let before = [&day, &config, &venue, &there].map(|file| fs::read(file).unwrap());
    // What standard output is, the command cannot choose.
    let appended = || OpenOptions::new().append(true).open(&day).unwrap();
    let output = firelane(&["replay", &day, "--symbol", "AAPL", "--bbo", "-"]).stdout(appended()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains(read), "{said}");
    for (arguments, says) in &cases {
        let output = firelane(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && said.contains(says), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!([&day, &config, &venue, &there].map(|file| fs::read(file).unwrap()), before);
    // When told to, it is.
    let told = firelane(&["demo", "--virtual", "--seconds", "1", "--force", "--log", &there]).output().unwrap();
    assert!(told.status.success() && fs::read(&there).unwrap().starts_with(b"FIRELANE"));
}

/// A page of another version is the user's until told otherwise.
#[test]
fn manual_pages_are_written_over_when_told_to() {
    let world = World::of("listener", "fused", "", "");
    let folder = world.text("man1");
    let man = |more: &[&str]| firelane(&[&["man", "--dir", &folder], more].concat()).output().unwrap();
    assert!(man(&[]).status.success() && man(&[]).status.success(), "the same pages are there already");
    world.write("man1/firelane-run.1", "another version");
    let refused = man(&[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("firelane-run.1: exists already; --force"), "{said}");
    assert!(man(&["--force"]).status.success());
    assert!(fs::read_to_string(world.path("man1/firelane-run.1")).unwrap().contains(".TH "));
}

/// A replay that a signal ends leaves nothing of what it was to write.
#[test]
fn a_replay_that_is_interrupted_leaves_no_half_file() {
    let world = World::of("listener", "fused", "", "");
    let folder = world.path("out");
    fs::create_dir(&folder).unwrap();
    let day = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/b24.itch")).unwrap();
    for signal in ["-INT", "-TERM"] {
        // It goes on for as long as it is read.
        let (input, mut open) = io::pipe().unwrap();
        let day = day.repeat(1_000);
        thread::spawn(move || while open.write_all(&day).is_ok() {});
        let out = folder.join("aapl.csv").display().to_string();
        let mut command: Command = firelane(&["replay", "-", "--symbol", "AAPL", "--bbo", &out]);
        command.stdin(input);
        let replay = Process::unheard(command, Stdio::null(), Stdio::null());
        let count = || fs::read_dir(&folder).unwrap().count();
        until("its file", || (count() == 1).then_some(()));
        replay.signal(signal);
        let ended = replay.ended();
        assert_eq!((ended.code(), count()), (None, 0), "{signal}: it ends by the signal, and leaves nothing");
    }
}

/// Nothing is begun that could not be written down, and what is in the way is named. (A file system that is open for writing
/// cannot be made read-only from outside; one that makes itself so fails its writes as a full one does.)
#[test]
fn a_read_only_file_system_is_refused_by_name() {
    let world = World::of("market-maker", "fused", "", "");
    let folder = world.text("locked");
    fs::create_dir(&folder).unwrap();
    let inside = |arguments: &[&str]| {
        let script = "mount -t tmpfs -o ro none \"$0\" && exec \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script, &folder]).args(arguments);
        with_passwords(&mut command);
        command.output().ok()
    };
    if !inside(&["true"]).is_some_and(|tried| tried.status.success()) {
        return skip("nothing can be mounted here");
    }
    let (gateway, venue) = (world.text("gateway.toml"), world.text("venue.toml"));
    let day = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trouble/p04.pcap").display().to_string();
    let out = format!("{folder}/out");
    let (socket, journal) = (format!("control.socket={out:?}"), format!("journal={out:?}"));
    let demo = ["demo", "--seconds", "1"];
    for arguments in [
        vec!["run", &gateway, "--log", &out],
        vec!["run", &gateway, "--tape", &out],
        vec!["run", &gateway, "--set", &socket],
        vec!["venue", &venue, "--set", &socket],
        vec!["venue", &venue, "--set", &journal],
        [&demo[..], &["--log", &out]].concat(),
        [&demo[..], &["--tape", &out]].concat(),
        [&demo[..], &["--virtual", "--log", &out]].concat(),
        vec!["replay", &day, "--symbol", "AAPL", "--bbo", &out],
        vec!["man", "--dir", &out],
    ] {
        let refused = inside(&[&[env!("CARGO_BIN_EXE_firelane")], &arguments[..]].concat()).unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(1) && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(said.contains(&folder) && said.contains("Read-only file system"), "{arguments:?}: {said}");
    }
}
