//! The tape of a running gateway, read by other processes: in memory and over the control socket; readers that are stopped,
//! killed or too many, and files that cannot be shared, while it trades on.

use super::rig::{World, exists, firelane, number, side_by_side, until};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::process::{Child, Output, Stdio};
use std::thread::JoinHandle;

/// A gateway whose tape is shared in memory, with the smallest ring that there is.
fn world(tape: &str) -> World {
    let world = World::of("market-maker", "fused", "", "");
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    let shared = format!("[tape]\nshared = {:?}\nreaders_bytes = 1048576\n{tape}\n", world.text("tape"));
    // As `--print-config` has it, with what trades in a table of its own.
    world.write("gateway.toml", &(text.replace("[tape]\n", &shared) + "\n[maker]\nsize = 100\n"));
    world
}

/// A reader, its lines on their way to whoever waits for its end.
struct Reader {
    child: Child,
    lines: JoinHandle<Vec<String>>,
}

impl Reader {
    fn start(world: &World, words: &[&str]) -> Self {
        let gateway = world.text("gateway.toml");
        let mut command = firelane(&[&["tape", "tail", &gateway], words].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Reader { child, lines: std::thread::spawn(move || out.lines().map_while(Result::ok).collect()) }
    }

    fn signal(&self, name: &str) {
        let done = std::process::Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Its exit code, its lines, and what it said on standard error.
    fn end(self) -> (Option<i32>, Vec<String>, String) {
        let Output { status, stderr, .. } = self.child.wait_with_output().unwrap();
        (status.code(), self.lines.join().unwrap(), String::from_utf8(stderr).unwrap())
    }

    fn seen<'a>(&self, status: &'a Value) -> Option<&'a Value> {
        status["tape_readers"].as_array()?.iter().find(|reader| {
            // Over the socket the process is the gateway's.
            reader["pid"] == self.child.id() || reader["name"] == "socket"
        })
    }
}

fn objects(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> Vec<&'a Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

#[test]
fn a_tape_is_followed_in_memory_and_over_the_socket_to_its_end() {
    let mut world = world("clients = 1");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    let orders = |n: u64| world.until("gateway", "orders", |status| number(status, "/orders") > n);
    orders(0);
    let memory = Reader::start(&world, &["--json", "--from", "oldest"]);
    let socket = Reader::start(&world, &["--json", "--from", "oldest", "--socket", "--name", "socket"]);
    let text = Reader::start(&world, &["--kind", "order,status"]);
    let status = world.until("gateway", "readers", |status| status["tape_readers"].as_array().unwrap().len() == 4);
    for reader in [&memory, &socket, &text] {
        assert!(reader.seen(&status).is_some(), "{status}");
    }
    assert_eq!(status["tape_shared"], world.text("tape").as_str());
    let asked = firelane(&["status", &world.text("gateway.toml")]).output().unwrap();
    let said = String::from_utf8(asked.stdout).unwrap();
    assert!(
        said.contains(&format!("tail (process {}): ", memory.child.id())) && said.contains("records read"),
        "{said}"
    );
    // One more over the socket than are allowed.
    let (code, _, said) = Reader::start(&world, &["--socket"]).end();
    assert!(code == Some(1) && said.contains("1 readers are served already (tape.clients)"), "{said}");
    let (code, lines, said) = Reader::start(&world, &["--seconds", "1", "--json"]).end();
    assert!(code == Some(0) && !lines.is_empty() && said.contains("records read, none lost"), "{said}");
    let (code, _, said) = Reader::start(&world, &["--kind", "nonsense"]).end();
    assert!(code == Some(1) && said.contains("no record and no message is called so"), "{said}");
    let file =
        firelane(&["tape", "export", &world.text("gateway.toml"), "--from", "oldest", "--seconds", "1", "--raw"])
            .args(["-o", &world.text("late.tape")])
            .output()
            .unwrap();
    assert!(file.status.success(), "{}", String::from_utf8_lossy(&file.stderr));
    let before = number(&world.status("gateway"), "/orders");
    orders(before);
    world.end_and_compare(gateway, venue);

    for (reader, name) in [(memory, "memory"), (socket, "socket")] {
        let (code, lines, said) = reader.end();
        assert!(code == Some(0) && said.contains("none lost"), "{name}: {said}");
        let all = objects(&lines);
        // From the oldest to the last: its beginning is in it, and what the gateway did when it ended.
        assert!(
            !of_kind(&all, "Order").is_empty() && of_kind(&all, "Status").len() > 10,
            "{name}: {} lines",
            all.len()
        );
        assert!(all.iter().all(|object| object["error"].is_null()), "{name}");
        let last = of_kind(&all, "Link");
        assert_ne!(last.last().unwrap()["fields"]["what"], "connected", "{name}: {last:?}");
    }
    let (code, lines, said) = text.end();
    assert!(code == Some(0) && lines.iter().all(|line| line.chars().count() <= 80), "{said}");
    assert!(lines.iter().any(|line| line.contains(" Order ")) && lines.iter().any(|line| line.contains(" Status ")));
    assert!(!lines.iter().any(|line| line.contains(" Counters ")));
    assert!(!exists(&world.path("tape")), "it goes away with the gateway");
    let dumped = firelane(&["log", "dump", &world.text("late.tape"), "--kind", "status", "--json"]).output().unwrap();
    assert!(dumped.status.success() && dumped.stdout.len() > 1_000);
}

/// In memory and over the socket: each is lapped alone and is told so; one that is killed leaves no trace.
#[test]
fn readers_that_are_stopped_or_killed_hurt_nobody() {
    let mut world = world("clients = 2");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    let stopped = [
        Reader::start(&world, &["--json", "--kind", "order", "--name", "map"]),
        Reader::start(&world, &["--json", "--kind", "order", "--name", "sock", "--socket"]),
    ];
    let killed = Reader::start(&world, &["--name", "killed"]);
    let names = |status: &Value, name: &str| {
        let readers = status["tape_readers"].as_array().unwrap().clone();
        readers.into_iter().find(|reader| reader["name"] == name)
    };
    world.until("gateway", "readers", |status| {
        ["map", "sock", "killed"].iter().all(|name| names(status, name).is_some())
    });
    stopped.iter().for_each(|reader| reader.signal("-STOP"));
    killed.signal("-KILL");
    let before = number(&world.status("gateway"), "/orders");
    // More than a ring full waits for each: some 150 bytes a record, and 6 KiB for the counters now and then.
    let far = |status: &Value, name: &str| names(status, name).is_some_and(|reader| number(&reader, "/behind") > 8_000);
    let status = world.until("gateway", "they are far behind", |status| far(status, "map") && far(status, "sock"));
    assert!(number(&status, "/orders") > before, "it trades on");
    assert_eq!(number(&status, "/tape_lost"), 0);
    world.until("gateway", "the slot of the dead is free", |status| names(status, "killed").is_none());
    stopped.iter().for_each(|reader| reader.signal("-CONT"));
    world.until("gateway", "they know", |status| {
        ["map", "sock"].iter().all(|name| number(&names(status, name).unwrap(), "/lost") > 0)
    });
    let asked = firelane(&["status", &world.text("gateway.toml")]).output().unwrap();
    assert!(String::from_utf8(asked.stdout).unwrap().contains("lost, it is too slow"));
    world.end_and_compare(gateway, venue);
    for reader in stopped {
        let (code, lines, said) = reader.end();
        let all = objects(&lines);
        let lapped = of_kind(&all, "Lapped");
        assert!(!lapped.is_empty() && number(lapped[0], "/fields/records") > 0, "{said}");
        assert!(number(lapped[0], "/fields/bytes") > 100_000, "{lapped:?}");
        assert!(
            code == Some(0) && said.contains("firelane: lapped: ") && said.contains("too slow for the tape"),
            "{said}"
        );
    }
    drop(killed.end());
}

/// The network beside the lane is a reader as well, with a slot of its own: those that die beside it, in the middle of a record or not,
/// take nothing from it, nor from the lane.
#[test]
fn readers_that_are_killed_leave_a_detector_beside_the_lane_alone() {
    const SWEEPS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/detectors/sweeps.toml");
    let mut world = world("clients = 2");
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    // Room enough that the network itself is not lapped on a machine that is busy.
    let text = text.replace("readers_bytes = 1048576", "readers_bytes = 67108864");
    world.write("gateway.toml", &format!("{text}\n[detector]\nfile = {SWEEPS:?}\nplace = \"beside\"\n"));
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    let slots = |status: &Value| status["tape_readers"].as_array().unwrap().len();
    let before = slots(&world.until("gateway", "the network", |status| {
        status["tape_readers"].as_array().unwrap().iter().any(|reader| reader["name"] == "detector")
    }));
    for round in 0..3 {
        let readers = [
            Reader::start(&world, &["--from", "oldest", "--kind", "signal", "--json"]),
            Reader::start(&world, &["--from", "oldest", "--socket", "--name", "socket"]),
        ];
        let status = world.until("gateway", "readers", |status| readers.iter().all(|one| one.seen(status).is_some()));
        readers.iter().for_each(|reader| reader.signal("-KILL"));
        let orders = number(&status, "/orders");
        let trades = |status: &Value| slots(status) == before && number(status, "/orders") > orders;
        let status = world.until("gateway", "it trades on without them", trades);
        let detector = status["tape_readers"].as_array().unwrap().iter().find(|reader| reader["name"] == "detector");
        assert_eq!(detector.map(|reader| number(reader, "/lost")), Some(0), "{round}: {status}");
        for reader in readers {
            assert_eq!(reader.end().0, None, "it was killed");
        }
    }
    let report = world.end_and_compare(gateway, venue);
    let counted = |name: &str| number(&report, &format!("/detector/counters/{name}"));
    assert!(counted("network_steps") > 1_000 && counted("network_lost") == 0, "{report}");
    world.assert_log_verifies();
}

#[test]
fn a_tape_that_cannot_be_shared_is_said_and_nothing_else() {
    // A folder that is not there, and a file of somebody's.
    type Prepare = fn(&World);
    let cases: [(&str, Prepare); 2] = [
        ("No such file", |world| {
            let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
            let (old, new) = (world.text("tape"), world.text("nowhere/tape"));
            world.write("gateway.toml", &text.replace(&format!("{old:?}"), &format!("{new:?}")));
        }),
        ("is no shared tape, and it is not written over", |world| world.write("tape", "dear diary")),
    ];
    side_by_side(cases, |(why, prepare)| {
        let mut world = world("");
        prepare(&world);
        let checked = firelane(&["check", &world.text("gateway.toml")]).output().unwrap();
        assert!(String::from_utf8(checked.stdout).unwrap().contains("tape.shared = "), "{why}");
        let venue = world.venue();
        let gateway = world.gateway();
        gateway.says("cannot be shared");
        let status = world.until("gateway", "orders", |status| number(status, "/orders") > 0);
        assert!(status["tape_unshared"].as_str().unwrap().contains(why) && status["tape_shared"].is_null(), "{status}");
        let (code, lines, said) = Reader::start(&world, &["--json", "--seconds", "1"]).end();
        assert!(code == Some(0) && !lines.is_empty() && said.contains("the control socket is asked instead"), "{said}");
        world.end_and_compare(gateway, venue);
        if exists(&world.path("tape")) {
            assert_eq!(std::fs::read_to_string(world.path("tape")).unwrap(), "dear diary");
        }
    });
}

/// Whoever reads learns of it at once, in memory and over the socket; the next gateway takes the place of what was left.
#[test]
fn a_killed_gateway_is_missed_and_its_tape_replaced() {
    let mut world = world("");
    let venue = world.venue();
    let gateway = world.gateway();
    world.until("gateway", "orders", |status| number(status, "/orders") > 0);
    let readers = [Reader::start(&world, &[]), Reader::start(&world, &["--socket", "--name", "socket"])];
    world.until("gateway", "readers", |status| readers.iter().all(|reader| reader.seen(status).is_some()));
    gateway.cut_off();
    for reader in readers {
        let (code, _, said) = reader.end();
        assert!(code == Some(1) && said.contains("is gone and has not ended in order"), "{said}");
    }
    let left = firelane(&["tape", "export", &world.text("tape"), "--from", "oldest"]).output().unwrap();
    assert!(left.status.code() == Some(1) && left.stdout.len() > 1_000, "what it left can be read");
    let (code, _, said) = Reader::start(&world, &["--socket"]).end();
    assert!(code == Some(1) && said.contains("nobody listens"), "{said}");
    let gateway = world.gateway();
    let status = world.until("gateway", "orders", |status| number(status, "/orders") > 0);
    assert_eq!(status["tape_shared"], world.text("tape").as_str());

    // Somebody scribbles over the ring: its readers say so, and nobody else notices.
    let file = std::fs::OpenOptions::new().write(true).open(world.path("tape")).unwrap();
    let reader = Reader::start(&world, &["--from", "oldest"]);
    world.until("gateway", "the reader", |status| reader.seen(status).is_some());
    let length = file.metadata().unwrap().len();
    until("it is said", || {
        file.write_all_at(&[0x5A; 1 << 20], length - (1 << 20)).unwrap();
        world.status("gateway")["tape_readers"]
            .as_array()
            .unwrap()
            .iter()
            .all(|reader| reader["name"] != "tail")
            .then_some(())
    });
    let (code, _, said) = reader.end();
    assert!(code == Some(1) && said.contains("is damaged: another program has written there"), "{said}");
    let before = number(&world.status("gateway"), "/orders");
    world.until("gateway", "it trades on", |status| number(status, "/orders") > before);
    world.end_and_compare(gateway, venue);
}
