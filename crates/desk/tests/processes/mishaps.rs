//! Everything that a live process writes, and what becomes of its orders when that cannot be written: a full disk, a closed
//! pipe, a folder that is gone. The venue keeps orders whose gateway is gone, so that none may be left by a gateway that
//! cannot go on.

use super::rig::{Process, World, exists, firelane, limited, number, side_by_side, until, with_passwords};
use super::skip::skip;
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A venue that does not cancel on disconnect.
const KEEP: &str = "cancel_on_disconnect = false";

fn trades(status: &Value) -> bool {
    number(status, "/fills") >= 3 && number(status, "/live_orders") > 0
}

/// Nothing of the gateway lives at the venue, and it has logged out.
fn nothing_left(world: &World) {
    let state = world.until("venue", "the gateway's end", |state| state["ports"][0]["logged_in"] == false);
    assert_eq!(number(&state, "/ports/0/live_orders"), 0, "{state}");
}

/// A device that is always full, where there is one.
fn full() -> Option<[Stdio; 2]> {
    let open = || OpenOptions::new().write(true).open("/dev/full").ok().map(Stdio::from);
    let both = open().zip(open()).map(|(out, err)| [out, err]);
    if both.is_none() {
        skip("there is no /dev/full here");
    }
    both
}

/// Pipes whose readers are gone.
fn closed() -> [Stdio; 2] {
    [(), ()].map(|()| Stdio::from(io::pipe().unwrap().1))
}

#[test]
fn a_gateway_whose_console_cannot_be_written_trades_and_ends_in_order() {
    // How the console is broken, whether as JSON, and the exit code: 1 where the report is a loss.
    let mut ways = vec![(closed(), false, 0), (closed(), true, 1)];
    for json in [false, true] {
        ways.extend(full().map(|streams| (streams, json, 1)));
    }
    side_by_side(ways, |([out, err], json, code)| {
        let world = World::of("market-maker", "fused", "", KEEP);
        let venue = world.venue();
        let mut command = firelane(&["run", &world.text("gateway.toml")]);
        command.args(json.then_some("--json"));
        let gateway = Process::unheard(command, out, err);
        until("its socket", || exists(&world.path("gateway.sock")).then_some(()));
        let status = || {
            let said = firelane(&["status", &world.text("gateway.toml"), "--json"]).output().unwrap().stdout;
            serde_json::from_slice::<Value>(&said).ok()
        };
        until("orders", || status().filter(trades));
        // A notice of its own in the middle of the run: it is dropped, and nothing else.
        let (killed, said) = world.kill(&[]);
        assert_eq!(killed, 0, "{said}");
        assert_eq!(world.kill(&["--release"]).0, 0);
        until("orders again", || status().filter(trades));
        gateway.signal("-INT");
        let ended = gateway.ended();
        assert_eq!(ended.code(), Some(code), "json {json}: {ended}");
        nothing_left(&world);
        venue.signal("-TERM");
        venue.report(0);
    });
}

/// Closed from the start: the system has something in their place.
#[test]
fn a_gateway_without_a_console_trades_and_ends_in_order() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let venue = world.venue();
    let mut command = Command::new("sh");
    let script = "exec \"$0\" run \"$1\" --seconds 3 --log \"$2\" >&- 2>&-";
    command.args(["-c", script, env!("CARGO_BIN_EXE_firelane"), &world.text("gateway.toml"), &world.text("run0.log")]);
    with_passwords(&mut command);
    assert_eq!(Process::unheard(command, Stdio::null(), Stdio::null()).ended().code(), Some(0));
    nothing_left(&world);
    world.assert_log_verifies();
    venue.signal("-TERM");
    venue.report(0);
}

#[test]
fn a_venue_whose_console_cannot_be_written_serves_to_the_end() {
    let mut ways = vec![(closed(), 0)];
    ways.extend(full().map(|streams| (streams, 1)));
    side_by_side(ways, |([out, err], code)| {
        let mut world = World::of("market-maker", "fused", "", KEEP);
        let venue = Process::unheard(firelane(&["venue", &world.text("venue.toml")]), out, err);
        until("its socket", || exists(&world.path("venue.sock")).then_some(()));
        let gateway = world.gateway();
        world.until("gateway", "orders", trades);
        gateway.signal("-INT");
        gateway.report(0);
        nothing_left(&world);
        venue.signal("-INT");
        assert_eq!(venue.ended().code(), Some(code));
    });
}

#[test]
fn a_demo_whose_console_cannot_be_written_comes_to_its_end() {
    let mut ways = vec![(closed(), false, 0)];
    for json in [false, true] {
        ways.extend(full().map(|streams| (streams, json, 1)));
    }
    side_by_side(ways, |([out, err], json, code)| {
        let mut command = firelane(&["demo", "--seconds", "1"]);
        command.args(json.then_some("--json"));
        assert_eq!(Process::unheard(command, out, err).ended().code(), Some(code), "json {json}");
    });
}

/// Every command: a result that nobody could read is no success.
#[test]
fn a_result_that_cannot_be_written_is_exit_code_1() {
    for arguments in [&["run", "--print-config"][..], &["venue", "--print-config"], &["--help"], &["--version"]] {
        let Some([out, err]) = full() else { return };
        assert_eq!(Process::unheard(firelane(arguments), out, err).ended().code(), Some(1), "{arguments:?}");
        assert!(firelane(arguments).output().unwrap().status.success(), "{arguments:?}");
    }
    // Wrong arguments are wrong wherever that is said.
    let [out, err] = closed();
    assert!(!Process::unheard(firelane(&["run", "--speed"]), out, err).ended().success());
    assert_eq!(firelane(&["run", "--speed"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_full_disk_under_the_log_leaves_no_order_and_says_what_to_do() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let venue = world.venue();
    let log = world.text("run.log");
    let gateway = Process::start(limited(1_200, &["run", &world.text("gateway.toml"), "--json", "--log", &log]));
    let said = gateway.says(&format!("Log: {log} cannot be written any more: "));
    assert!(said.contains("what rests is cancelled"), "{said}");
    let report = gateway.report(1);
    assert_eq!((report["ended"].as_str(), report["clean"].as_bool()), (Some("failed"), Some(false)));
    let errors = report["errors"].as_array().unwrap();
    let text = errors[0].as_str().unwrap();
    for part in [&log, "arge", "Make room", "another --log", "firelane log verify"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!text.contains("  "), "{text}");
    assert_eq!((errors.len(), number(&report, "/live_orders")), (1, 0), "{report}");
    assert!(report["log"]["error"].is_string(), "{report}");
    nothing_left(&world);
    // What is there proves itself.
    let verified = firelane(&["log", "verify", &log, "--json"]).output().unwrap();
    let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert!(number(&verified, "/inputs") > 100, "{verified}");
    venue.signal("-TERM");
    venue.report(0);
}

/// The log is a pipe, and its reader goes away while orders rest.
#[test]
fn a_closed_pipe_under_the_log_leaves_no_order() {
    side_by_side(["fused", "split"], |layout| {
        let world = World::of("market-maker", layout, "", KEEP);
        let venue = world.venue();
        let pipe = world.text("pipe.log");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
        let gateway = Process::start(firelane(&["run", &world.text("gateway.toml"), "--json", "--log", &pipe]));
        // The gateway has its end: this one is to be the only reader.
        gateway.says("Order entry is ready");
        let mut only = File::open(&pipe).unwrap();
        drop(reader);
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let copy = std::thread::spawn(move || {
            let (mut all, mut some) = (Vec::new(), [0; 4_096]);
            while stopped.try_recv() != Err(std::sync::mpsc::TryRecvError::Disconnected) {
                let length = only.read(&mut some).unwrap();
                all.extend_from_slice(&some[..length]);
            }
            all
        });
        world.until("gateway", "orders", trades);
        drop(stop);
        let log = copy.join().unwrap();
        gateway.says(&format!("Log: {pipe} cannot be written any more: Broken pipe"));
        let report = gateway.report(1);
        assert!(number(&report, "/orders") > 0 && number(&report, "/live_orders") == 0, "{report}");
        assert!(report["errors"].as_array().unwrap().len() == 1 && report["positions"].is_object(), "{report}");
        nothing_left(&world);
        // What came through proves itself.
        std::fs::write(world.path("copy.log"), log).unwrap();
        let verified = firelane(&["log", "verify", &world.text("copy.log"), "--json"]).output().unwrap();
        let verified: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert!(number(&verified, "/inputs") > 100, "{verified}");
        venue.signal("-TERM");
        venue.report(0);
    });
}

/// The log's disk takes nothing and refuses nothing: a pipe that is open, and that nobody reads.
#[test]
fn a_stuck_disk_under_the_log_leaves_nothing_in_the_market_and_a_second_signal_says_so() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    world.write("gateway.toml", &format!("{text}[log]\nring_bytes = 2097152\n"));
    let venue = world.venue();
    let pipe = world.text("stuck.log");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    // Both ways, so that opening it waits for nobody.
    let held = OpenOptions::new().read(true).write(true).open(&pipe).unwrap();
    let gateway = Process::start(firelane(&["run", &world.text("gateway.toml"), "--json", "--log", &pipe]));
    gateway.says("Log: its ring was full");
    let stuck = |status: &Value| number(status, "/log/stalls") > 0 && number(status, "/live_orders") == 0;
    let before = world.until("gateway", "nothing to live", stuck);
    world.until("venue", "nothing to live", |state| number(state, "/ports/0/live_orders") == 0);
    // The session lives, the kill switch answers, and the market waits.
    let (code, said) = world.kill(&[]);
    assert_eq!(code, 0, "{said}");
    let after = world.status("gateway");
    assert_eq!((after["killed"].as_bool(), after["ready"].as_bool()), (Some(true), Some(true)), "{after}");
    assert_eq!(number(&after, "/market/messages"), number(&before, "/market/messages"));
    gateway.signal("-INT");
    nothing_left(&world);
    // It has logged out, and waits for its disk.
    std::thread::sleep(std::time::Duration::from_millis(300));
    gateway.signal("-INT");
    let (code, _, lines) = gateway.end();
    let last = lines.last().unwrap();
    assert!(code == Some(1) && last.contains("no order of this gateway lives at 127.0.0.1:"), "{code:?} {lines:?}");
    drop(held);
    venue.signal("-TERM");
    venue.report(0);
}

/// The venue does not answer: who ends the gateway at once is told what may live there.
#[test]
fn a_second_signal_says_what_may_live_at_the_venue() {
    let mut world = World::of("market-maker", "fused", "", KEEP);
    let venue = world.venue();
    let gateway = world.gateway();
    world.until("gateway", "orders", trades);
    venue.signal("-STOP");
    gateway.signal("-INT");
    gateway.says("Ending: ");
    gateway.signal("-INT");
    let (code, _, lines) = gateway.end();
    let last = lines.last().unwrap();
    assert_eq!(code, Some(1), "{lines:?}");
    for part in ["Ended at once. ", " orders may live at 127.0.0.1:", "Ask the venue"] {
        assert!(last.contains(part), "{part:?} is not in {last}");
    }
    venue.signal("-CONT");
    world.until("venue", "the loss", |state| state["ports"][0]["logged_in"] == false);
    // Whoever starts it again learns what became of them.
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    world.end_and_compare(gateway, venue);
}

#[test]
fn a_full_disk_under_the_tape_concerns_no_order_and_is_said() {
    side_by_side(["fused", "split"], |layout| {
        let world = World::of("market-maker", layout, "", KEEP);
        let venue = world.venue();
        let tape = world.text("run.tape");
        let arguments = ["run", &world.text("gateway.toml"), "--json", "--tape", &tape];
        let gateway = Process::start(limited(40, &arguments));
        let said = gateway.says(&format!("Tape: {tape} cannot be written any more: "));
        assert!(said.contains("Trading goes on"), "{said}");
        let lost = |status: &Value| number(status, "/tape_unwritten") > 10;
        let status = world.until("gateway", "the loss", lost);
        assert!(status["tape_error"].as_str().unwrap().contains("arge"), "{status}");
        let fills = number(&status, "/fills");
        world.until("gateway", "more fills", |status| number(status, "/fills") >= fills + 2);
        let text = firelane(&["status", &world.text("gateway.toml")]).output().unwrap().stdout;
        assert!(String::from_utf8(text).unwrap().contains("FILE CANNOT BE WRITTEN"));
        gateway.signal("-INT");
        let report = gateway.report(0);
        assert_eq!((report["ended"].as_str(), report["clean"].as_bool()), (Some("asked"), Some(true)));
        assert!(report["tape"]["error"].is_string() && number(&report, "/tape/unwritten") > 10, "{report}");
        assert_eq!(number(&report, "/tape/lost"), 0);
        nothing_left(&world);
        venue.signal("-TERM");
        venue.report(0);
    });
}

/// The venue's own journal: what it caused does not leave, and the day goes on from what is written.
#[test]
fn a_venue_whose_journal_is_full_ends_and_comes_back() {
    let mut world = World::of("market-maker", "fused", "journal = \"JOURNAL\"", KEEP);
    let text = std::fs::read_to_string(world.path("venue.toml")).unwrap();
    let journal = world.text("venue.journal");
    world.write("venue.toml", &text.replace("JOURNAL", &journal));
    let venue = Process::start(limited(300, &["venue", &world.text("venue.toml"), "--json"]));
    venue.says("order port 0");
    let gateway = world.gateway();
    let before = number(&world.until("gateway", "fills", trades), "/fills");
    let (code, _, lines) = venue.end();
    let last = lines.last().unwrap();
    assert!(code == Some(1) && last.contains(&journal) && last.contains("arge"), "{code:?} {last}");
    gateway.says("Order entry is lost: ");
    let venue = world.venue();
    gateway.says("Order entry is ready again");
    world.until("gateway", "more fills", |status| number(status, "/fills") >= before + 3);
    world.end_and_compare(gateway, venue);
    world.assert_log_verifies();
}

/// The folder of log, tape and socket goes away under a gateway that runs.
#[test]
fn a_folder_that_is_gone_keeps_nobody_from_trading_or_ending() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let folder = world.path("going");
    std::fs::create_dir(&folder).unwrap();
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    world.write("gateway.toml", &text.replace("gateway.sock", "going/gateway.sock"));
    let venue = world.venue();
    let file = |name: &str| folder.join(name).display().to_string();
    let (log, tape) = (file("run.log"), file("run.tape"));
    let arguments = ["run", &world.text("gateway.toml"), "--json", "--log", &log, "--tape", &tape];
    let gateway = Process::start(firelane(&arguments));
    gateway.says("Order entry is ready");
    world.until("gateway", "orders", trades);
    std::fs::remove_dir_all(&folder).unwrap();
    let (code, said) = world.kill(&[]);
    assert!(code == 1 && said.contains("no kill switch was reached") && said.contains("kill -USR1"), "{said}");
    gateway.signal("-USR1");
    let killed = |state: &Value| number(state, "/ports/0/live_orders") == 0;
    world.until("venue", "the end of orders", killed);
    gateway.says("KILL SWITCH thrown");
    gateway.signal("-INT");
    let report = gateway.report(0);
    assert!(number(&report, "/log/bytes") > 0 && report["clean"] == true, "{report}");
    nothing_left(&world);
    venue.signal("-TERM");
    venue.report(0);
}

/// What cannot be written at all is refused before anything is sent, and by its name.
#[test]
fn what_cannot_be_written_from_the_start_is_refused_by_name() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let locked = world.path("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o500)).unwrap();
    let mut places = vec![world.text("gone/run")];
    // It does not bind a user who may do everything; where there is a /proc, nobody makes a file there.
    places.extend(File::create(locked.join("probe")).is_err().then(|| world.text("locked/run")));
    places.extend(Path::new("/proc").exists().then(|| "/proc/run".to_owned()));
    places.extend(Path::new("/dev/full").exists().then(|| "/dev/full".to_owned()));
    for place in &places {
        for option in ["--log", "--tape"] {
            let mut ways = vec![vec!["run", "CONFIG", option, place]];
            if place != "/dev/full" {
                ways.push(vec!["demo", "--seconds", "1", option, place]);
            }
            for mut arguments in ways {
                let config = world.text("gateway.toml");
                arguments.iter_mut().filter(|part| **part == "CONFIG").for_each(|part| *part = &config);
                let refused = firelane(&arguments).output().unwrap();
                let said = String::from_utf8(refused.stderr).unwrap();
                assert!(refused.status.code() == Some(1) && said.contains(place.as_str()), "{arguments:?}: {said}");
            }
        }
    }
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    for (file, text) in
        [("gateway.toml", text), ("venue.toml", std::fs::read_to_string(world.path("venue.toml")).unwrap())]
    {
        world.write("moved.toml", &text.replace(".sock", "/gone/x.sock"));
        let command = if file == "venue.toml" { "venue" } else { "run" };
        let refused = firelane(&[command, &world.text("moved.toml")]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(refused.status.code() == Some(1) && said.contains("control.socket") && said.contains("gone"), "{said}");
    }
    let text = std::fs::read_to_string(world.path("venue.toml")).unwrap();
    world.write("moved.toml", &format!("journal = {:?}\n{text}", world.text("gone/venue.journal")));
    let refused = firelane(&["venue", &world.text("moved.toml")]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(1) && said.contains("gone/venue.journal"), "{said}");
}

/// The demo as the run: without its log it stops, cancels and says so; without its tape it goes on.
#[test]
fn a_demo_on_a_full_disk_says_what_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    side_by_side(["fused", "split"], |layout| {
        let log = file(&format!("{layout}.log"));
        let arguments = ["demo", "--seconds", "60", "--layout", layout, "--json", "--log", &log];
        let report = Process::start(limited(600, &arguments)).report(1);
        let error = report["error"].as_str().unwrap();
        for part in [log.as_str(), "arge", "0 orders lived at the end", "Make room"] {
            assert!(error.contains(part), "{part:?} is not in {error}");
        }
        let tape = file(&format!("{layout}.tape"));
        let arguments = ["demo", "--seconds", "2", "--layout", layout, "--json", "--tape", &tape];
        let report = Process::start(limited(40, &arguments)).report(0);
        assert!(report["tape_error"].as_str().unwrap().contains("are not in the file"), "{report}");
        assert_eq!(report["reconciled"], true);
    });
}

/// A console that is stopped for good: nobody reads the pipe, and it is full.
#[test]
fn a_console_that_nobody_reads_keeps_no_gateway_from_ending() {
    let world = World::of("market-maker", "fused", "", KEEP);
    let venue = world.venue();
    let (mut unread, full) = io::pipe().unwrap();
    let mut filler =
        Process::unheard(firelane(&["run", "--print-config"]), full.try_clone().unwrap().into(), Stdio::null());
    // Until one of these finds no room.
    loop {
        std::thread::sleep(std::time::Duration::from_millis(500));
        if !filler.is_over() {
            break;
        }
        filler =
            Process::unheard(firelane(&["run", "--print-config"]), full.try_clone().unwrap().into(), Stdio::null());
    }
    let command = firelane(&["run", &world.text("gateway.toml"), "--json"]);
    let gateway = Process::unheard(command, Stdio::null(), full.into());
    until("its socket", || exists(&world.path("gateway.sock")).then_some(()));
    world.until("gateway", "orders", trades);
    gateway.signal("-INT");
    assert_eq!(gateway.ended().code(), Some(0));
    nothing_left(&world);
    drop(filler);
    let mut read = Vec::new();
    unread.read_to_end(&mut read).unwrap();
    assert!(read.len() > 4_096);
    venue.signal("-TERM");
    venue.report(0);
}
