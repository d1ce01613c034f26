//! The control socket of a running gateway, under several clients and under garbage.

use super::rig::{Process, World, exists, firelane, number, side_by_side};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

struct Client(BufReader<UnixStream>);

impl Client {
    fn new(world: &World) -> Self {
        let stream = UnixStream::connect(world.path("gateway.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client(BufReader::new(stream))
    }

    fn ask(&mut self, line: &[u8]) -> Value {
        self.0.get_mut().write_all(line).unwrap();
        let mut answer = String::new();
        self.0.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
    }
}

/// A process that is stopped has its socket still.
#[test]
fn a_stopped_process_is_said_to_be_one() {
    let mut world = World::of("listener", "fused", "", "");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.signal("-STOP");
    let asked = firelane(&["status", &world.text("gateway.toml")]).output().unwrap();
    let said = String::from_utf8(asked.stderr).unwrap();
    assert_eq!((asked.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.contains("stopped (kill -CONT lets it go on) or stuck") && !said.contains("os error"), "{said}");
    gateway.signal("-CONT");
    world.end_and_compare(gateway, venue);
}

/// For a person text, for a program an object on each line; by the configuration, or by a socket that was set.
#[test]
fn a_watch_says_it_again_until_it_is_told_to_end() {
    let world = World::of("listener", "fused", "", "");
    let venue = world.venue();
    let socket = format!("control.socket={}", world.text("venue.sock"));
    let watches = [
        vec!["status".to_owned(), world.text("venue.toml"), "--watch".to_owned(), "--json".to_owned()],
        vec!["status".to_owned(), world.text("gateway.toml"), "--set".to_owned(), socket, "--watch=1".to_owned()],
    ];
    side_by_side(watches, |words| {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut watch = firelane(&words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
        let said: Vec<String> = lines.by_ref().filter(|line| line.contains("trading")).take(3).collect();
        assert!(said.len() == 3 && said[0] != said[2], "{said:#?}");
        if words.contains(&"--json") {
            assert!(said.iter().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{said:#?}");
        }
        assert!(Command::new("kill").args(["-INT", &watch.id().to_string()]).status().unwrap().success());
        lines.for_each(drop);
        assert_eq!(watch.wait().unwrap().code(), Some(0));
    });
    venue.signal("-TERM");
    venue.report(0);
}

#[test]
fn every_command_is_answered_and_garbage_is_refused() {
    let mut world = World::of("market-maker", "split", "", "");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    let mode = std::fs::metadata(world.path("gateway.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let mut clients = [Client::new(&world), Client::new(&world)];
    for client in &mut clients {
        let status = client.ask(b"status\n");
        assert_eq!((status["ok"].as_bool(), status["status"]["role"].as_str()), (Some(true), Some("gateway")));
        for garbage in [&b"\n"[..], b"sell everything\n", b"\xff\xfe\x00kill\n", b"{\"kill\":true}\n", b"KILL\n"] {
            let refused = client.ask(garbage);
            assert!(refused["ok"] == false && refused["error"].is_string(), "{refused}");
        }
    }
    assert!(
        clients[0].ask(b"stop\n")["error"]
            .as_str()
            .unwrap()
            .contains("status, shutdown, tape, answer TICKET, kill [venue N")
    );

    let [client, _] = &mut clients;
    assert_eq!(client.ask(b"disable\n")["ok"], true);
    let quiet = world.until("gateway", "nothing to live", |status| number(status, "/live_orders") == 0);
    assert_eq!(quiet["killed"], false);
    assert_eq!(client.ask(b"enable\n")["ok"], true);
    world.until("gateway", "orders again", |status| number(status, "/orders") > number(&quiet, "/orders"));
    let snapshots = number(&world.status("gateway"), "/market/snapshots");
    assert_eq!(client.ask(b"snapshot\n")["ok"], true);
    world.until("gateway", "a snapshot", |status| number(status, "/market/snapshots") > snapshots);
    gateway.says("the snapshot is in");

    // A second gateway on the same socket is refused before it touches anything.
    let second = firelane(&["run", &world.text("gateway.toml"), "--log", &world.text("second.log")]).output().unwrap();
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(second.status.code() == Some(1) && said.contains("a process listens there already"), "{said}");
    assert!(!exists(&world.path("second.log")) && exists(&world.path("gateway.sock")));

    // Words with arguments are answered by the lane.
    let config = world.text("gateway.toml");
    let say = |words: &[&str]| {
        let done = firelane(&[&["command", config.as_str()], words].concat()).output().unwrap();
        let said = [done.stdout, done.stderr].concat();
        (done.status.code(), String::from_utf8(said).unwrap().trim().to_owned())
    };
    let is = |code, said: &str| (Some(code), said.to_owned());
    let taken = "limits #0 max_position=400";
    assert_eq!(say(&["limits", "#0", "max_position=400"]), is(0, &format!("Taken: {taken}")));
    assert_eq!(say(&["limits", "#0", "max_position=-1"]), is(1, "Rejected: risk.max_position must be 0 to 2^40"));
    assert_eq!(say(&["kill", "venue", "9"]), is(1, "Rejected: the lane has no such venue"));
    let (code, said) = say(&["limits", "#0"]);
    assert!(code == Some(1) && said.contains("nothing is said to change"), "{said}");
    let (code, said) = say(&["target", "#0", "-300", "--json"]);
    assert!(code == Some(1) && said.contains("\"outcome\":\"rejected\"") && said.contains("understands"), "{said}");
    let (code, said) = say(&[]);
    assert!(code == Some(0) && said.contains("locates NAME SHARES"), "{said}");
    for part in [
        &["--instrument", "#0"][..],
        &["--instrument", "#0", "--release"],
        &["--venue", "0"],
        &["--venue=0", "--release"],
    ] {
        let (code, said) = world.kill(part);
        assert!(code == 0 && said.starts_with("Taken: "), "{said}");
    }
    let unknown = client.ask(b"answer 77777\n");
    assert_eq!((unknown["ok"].as_bool(), unknown["outcome"].as_str()), (Some(true), Some("pending")));

    assert_eq!(client.ask(b"shutdown\n")["ok"], true);
    let report = gateway.report(0);
    assert_eq!((report["ended"].as_str(), report["clean"].as_bool()), (Some("asked"), Some(true)), "{report}");
    world.assert_log_verifies();
    assert_eq!(
        world.commands(),
        [
            "Start", "Disable", "Enable", "Snapshot", "Limits", "Limits", "Kill", "Target", "Kill", "Release", "Kill",
            "Release", "Shutdown"
        ]
    );
    venue.signal("-TERM");
    venue.report(0);
}

#[test]
fn without_a_gateway_kill_says_what_else_can_be_done() {
    let world = World::of("market-maker", "fused", "", "");
    let (code, said) = world.kill(&[]);
    assert_eq!(code, 1);
    for part in ["no kill switch was reached", "nobody listens", "kill -USR1 PID", "cancels on disconnect"] {
        assert!(said.contains(part), "{part:?} is not in {said}");
    }
    assert!(
        said.starts_with("firelane: no kill switch was reached: nobody listens"),
        "what failed comes first: {said}"
    );
    let status = firelane(&["status", &world.text("gateway.toml")]).output().unwrap();
    assert_eq!(status.status.code(), Some(1));
    // A venue has no kill switch.
    let venue = world.venue();
    let kill = firelane(&["kill", &world.text("venue.toml")]).output().unwrap();
    assert!(kill.status.code() == Some(1) && String::from_utf8(kill.stderr).unwrap().contains("this is a venue"));
    venue.signal("-TERM");
    venue.report(0);
}

/// A socket that is in the way, taken ports: nothing is left behind.
#[test]
fn what_keeps_it_from_starting_is_said_in_one_line() {
    let world = World::of("market-maker", "fused", "", "");
    let taken = std::net::UdpSocket::bind(("127.0.0.1", world.ports[1])).unwrap();
    let (code, _, lines) = Process::start(world.gateway_command()).end();
    assert_eq!((code, lines.len()), (Some(1), 1), "{lines:?}");
    assert!(lines[0].contains("net.line_b 127.0.0.1:"), "{lines:?}");
    assert!(!exists(&world.path("run0.log")) && !exists(&world.path("gateway.sock")));
    drop(taken);
    world.write("gateway.sock", "not a socket");
    let (code, _, lines) = Process::start(world.gateway_command()).end();
    assert_eq!((code, lines.len()), (Some(1), 1), "{lines:?}");
    assert!(lines[0].contains("control.socket") && lines[0].contains("no socket"), "{lines:?}");
}
