//! `firelane run` with several lanes, as its user has them: one configuration, one socket, a log for each.

use super::rig::{Process, World, exists, firelane, free_ports, number};
use firelane_sim::order_flow::symbol_name;
use serde_json::Value;

/// A venue with a port for each of two lanes, and a gateway of both; `apart`: at an address each, or both at one.
fn world(layout: &str, apart: bool) -> World {
    let world = World::new("", "", "");
    let [a, b, rerequest, snapshot, orders] = world.ports.map(|port| format!("127.0.0.1:{port}"));
    let [c, d, _, _, other] = free_ports().map(|port| format!("127.0.0.1:{port}"));
    let other = if apart { other } else { orders.clone() };
    let socket = |name: &str| world.text(name);
    world.write(
        "venue.toml",
        &format!(
            "[addresses]\nline_a = [{a:?}, {c:?}]\nline_b = [{b:?}, {d:?}]\nrerequest = {rerequest:?}\nsnapshot = {snapshot:?}\n\
             [market]\nsymbols = 4\nrate = 1000\n[control]\nsocket = {:?}\n\
             [[port]]\nlisten = {orders:?}\nusername = \"NORTH\"\nlocate_required = false\n\
             [[port]]\nlisten = {other:?}\nusername = \"SOUTH\"\nsession = \"ORDERS0002\"\nlocate_required = false\n",
            socket("venue.sock")
        ),
    );
    let lane = |name: &str, of: [usize; 2], lines: [&str; 2], orders: &str| {
        let [first, second] = of.map(|n| symbol_name(n).to_string());
        format!(
            "[[lane]]\nname = {name:?}\ninstruments.listed = [{first:?}, {second:?}]\nentry.username = {:?}\n\
             net = {{ line_a = {:?}, line_b = {:?}, orders = {orders:?} }}\n",
            name.to_uppercase(),
            lines[0],
            lines[1]
        )
    };
    world.write(
        "gateway.toml",
        &format!(
            "wiring = \"market-maker\"\ninstruments.directory = false\n\
             threads = {{ layout = {layout:?}, idle = \"park\" }}\ntape.status_ms = 20\n\
             risk = {{ max_total_open = 500000, short = \"market-maker\" }}\n\
             net = {{ rerequest = {rerequest:?}, snapshot = {snapshot:?} }}\ncontrol.socket = {:?}\n\
             [firm]\nmax_total_open = 1000000\nburst = 512\n{}{}",
            socket("gateway.sock"),
            lane("north", [0, 2], [&a, &b], &orders),
            lane("south", [1, 3], [&c, &d], &other)
        ),
    );
    world
}

fn said(world: &World, words: &[&str]) -> (i32, String) {
    let config = world.text("gateway.toml");
    let output = firelane(&[&words[..1], &[config.as_str()], &words[1..]].concat()).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), said.trim_end().to_owned())
}

#[track_caller]
fn says(world: &World, words: &[&str], code: i32, parts: &[&str]) {
    let (ended, said) = said(world, words);
    assert_eq!(ended, code, "{words:?}: {said}");
    for part in parts {
        assert!(said.contains(part), "{words:?}: {part:?} is not in {said}");
    }
}

fn lane<'a>(status: &'a Value, name: &str) -> &'a Value {
    status["lanes"].as_array().unwrap().iter().find(|lane| lane["lane"] == name).unwrap()
}

fn both(status: &Value, holds: impl Fn(&Value) -> bool) -> bool {
    ["north", "south"].into_iter().all(|name| holds(lane(status, name)))
}

fn start(world: &World) -> (Process, Process) {
    let venue = world.venue();
    let run = [
        "run",
        &world.text("gateway.toml"),
        "--json",
        "--log",
        &world.text("run.log"),
        "--tape",
        &world.text("run.tape"),
    ];
    let gateway = Process::start(firelane(&run));
    gateway.says("Ctrl-C ends all in order");
    world.until("gateway", "both to trade", |status| both(status, |lane| number(lane, "/orders") > 0));
    (venue, gateway)
}

/// The log of each reproduces by itself.
fn logs_verify(world: &World) {
    for name in ["run.north.log", "run.south.log"] {
        let output = firelane(&["log", "verify", &world.text(name)]).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(exists(&world.path(&name.replace(".log", ".tape"))));
    }
    assert!(!exists(&world.path("run.log")) && !exists(&world.path("run.tape")));
}

#[test]
fn two_lanes_are_watched_stopped_and_leased_to_by_one_socket() {
    let world = world("fused", true);
    let (venue, gateway) = start(&world);
    for part in
        ["Gateway of 2 lanes", "lane north: market-maker", "user SOUTH", "run.south.log", "north.lane", "south.lane"]
    {
        gateway.says(part);
    }
    says(&world, &["check"], 0, &["Lane north would run", "Lane south would run"]);
    says(&world, &["status"], 0, &["Gateway of 2 lanes", "  north ", "  south ", "the firm", "1,000,000"]);
    says(&world, &["status", "--lane", "south"], 0, &["lane south", "order entry  ready"]);
    says(&world, &["status", "--lane", "west"], 1, &["there is no lane \"west\"; there are: north, south"]);
    let status = world.status("gateway");
    assert_eq!((status["wiring"].as_str(), status["ready"].as_bool()), (Some("market-maker"), Some(true)));
    assert_eq!(number(&status, "/orders"), number(&status, "/lanes/0/orders") + number(&status, "/lanes/1/orders"));
    assert_eq!((number(&status, "/lanes/1/number"), number(&status, "/firm/max_total_open")), (2, 1_000_000));

    // Switches: one for all, one each, each released for itself.
    says(&world, &["kill", "--lane", "north"], 0, &["Kill switch of lane north of process", "--lane north --release"]);
    let killed = |name: &str| lane(&world.status("gateway"), name)["killed"].as_bool().unwrap();
    assert_eq!((killed("north"), killed("south")), (true, false));
    says(&world, &["kill"], 0, &["Kill switch of all 2 lanes of process", "No order of its lives"]);
    assert_eq!((killed("north"), killed("south")), (true, true));
    says(&world, &["status"], 0, &["THROWN, that of all lanes"]);
    says(&world, &["kill", "--lane", "south", "--release"], 0, &["That of all lanes is thrown"]);
    assert!(killed("south"));
    says(&world, &["kill", "--release"], 0, &["Lane north's own is thrown still", "--lane north --release"]);
    let before = number(&world.status("gateway"), "/lanes/1/orders");
    world.until("gateway", "orders of the other", |status| number(status, "/lanes/1/orders") > before);
    assert_eq!((killed("north"), killed("south")), (true, false));
    says(&world, &["kill", "--lane", "north", "--release"], 0, &["orders may leave again"]);
    gateway.signal("-USR1");
    world.until("gateway", "the signal in both", |status| both(status, |lane| lane["killed"] == true));
    says(&world, &["kill", "--release", "--json"], 0, &["\"thrown\":false", "\"confirmed\":true"]);
    world.until("gateway", "both to trade again", |status| both(status, |lane| lane["killed"] == false));

    // Leases.
    let lease = ["command", "lease", "south", "max_total_open=900000", "north", "max_total_open=100000"];
    says(&world, &lease, 0, &["Taken: lease south"]);
    let status = world.status("gateway");
    assert_eq!(number(lane(&status, "south"), "/lease/max_total_open"), 900_000, "{status}");
    let over = ["command", "lease", "north", "max_total_open=100001"];
    says(&world, &over, 1, &["1000001 together, and the firm has 1000000"]);
    says(&world, &["command", "lane-limits", "burst=3"], 1, &["is for one lane: which?"]);
    says(
        &world,
        &["command", "lane-limits", "burst=300", "--lane", "north"],
        1,
        &["burst is leased to the lane up to 256"],
    );
    says(&world, &["command", "lane-limits", "burst=100", "--lane", "north"], 0, &["Taken: lane-limits burst=100"]);
    let first = symbol_name(0).to_string();
    says(&world, &["command", "limits", &first, "max_position=400", "--lane", "north"], 0, &["Taken"]);
    says(&world, &["command", "limits", &first, "max_position=400", "--lane", "south"], 1, &["is not listed"]);
    says(&world, &["command", "disable"], 0, &["All 2 lanes are told."]);
    says(&world, &["enable", "--lane", "north"], 0, &["Strategies may act again."]);
    says(&world, &["enable"], 0, &["Strategies may act again."]);

    // Tapes.
    says(&world, &["tape", "x"], 2, &[]);
    let tail = |extra: &[&str]| {
        let config = world.text("gateway.toml");
        let words = [&["tape", "tail", &config, "--seconds", "1", "--json"], extra].concat();
        let output = firelane(&words).output().unwrap();
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, text) = tail(&["--lane", "south"]);
    assert!(code == Some(0) && text.contains("\"kind\":\"Status\""), "{text}");
    let (code, text) = tail(&[]);
    assert!(code == Some(1) && text.contains("the tape of which lane?"), "{text}");

    gateway.signal("-INT");
    let report = gateway.report(0);
    assert_eq!((report["ended"].as_str(), report["clean"].as_bool()), (Some("asked"), Some(true)), "{report}");
    venue.signal("-INT");
    let theirs = venue.report(0);
    for (n, name) in ["north", "south"].into_iter().enumerate() {
        let (mine, port) = (lane(&report, name), &theirs["ports"][n]);
        assert_eq!((&mine["positions"], &mine["fills"]), (&port["positions"], &port["fills"]), "{mine}\n{port}");
        assert_eq!(mine["threads"][0]["name"], format!("{name}.lane"));
    }
    logs_verify(&world);
    // What the log of a lane holds is a configuration by itself.
    let output =
        firelane(&["log", "dump", &world.text("run.south.log"), "--kind", "Command", "--json"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\"command\":\"LaneLimits\"") && text.contains("\"from\":65535"), "{text}");
}

#[test]
fn a_lane_that_ends_leaves_the_other_trading_and_what_cannot_start_leaves_nothing() {
    let world = world("split", false);
    let (venue, gateway) = start(&world);
    let mut client = std::os::unix::net::UnixStream::connect(world.path("gateway.sock")).unwrap();
    std::io::Write::write_all(&mut client, b"lane north shutdown\n").unwrap();
    gateway.says("Lane north: order entry is over, and it ends; the others go on.");
    let status = world.until("gateway", "its end", |status| lane(status, "north")["phase"] == "ended");
    assert_eq!(lane(&status, "south")["phase"], "running");
    world.until("gateway", "orders of the other", |now| {
        number(lane(now, "south"), "/orders") > number(lane(&status, "south"), "/orders")
    });
    // What it has given up may be leased.
    let lease = ["command", "lease", "south", "max_total_open=1000000"];
    says(&world, &lease, 0, &["Taken"]);

    // The same lines again: refused by name, before anything is there.
    let other = world.text("second.log");
    let socket = format!("control.socket={}", world.text("second.sock"));
    let run = ["run", &world.text("gateway.toml"), "--log", &other, "--set", &socket];
    let refused = firelane(&run).output().unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    assert!(
        refused.status.code() == Some(1) && text.contains("lane \"north\"") || text.contains("lane \"south\""),
        "{text}"
    );
    assert!(!exists(&world.path("second.north.log")) && !exists(&world.path("second.south.log")));

    let demo = firelane(&["demo", "--config", &world.text("gateway.toml")]).output().unwrap();
    let text = String::from_utf8(demo.stderr).unwrap();
    assert!(demo.status.code() == Some(1) && text.contains("has 2 lanes, and one is needed here"), "{text}");
    let twice = firelane(&["run", &world.text("gateway.toml"), "--log", "-"]).output().unwrap();
    assert!(String::from_utf8(twice.stderr).unwrap().contains("takes one log or tape, and there are 2 lanes"));

    gateway.signal("-TERM");
    let report = gateway.report(0);
    assert_eq!(
        (lane(&report, "north")["ended"].as_str(), report["ended"].as_str()),
        (Some("over"), Some("over")),
        "{report}"
    );
    venue.signal("-INT");
    venue.report(0);
    logs_verify(&world);
}

#[test]
fn what_is_wrong_with_lanes_is_said_with_lines_and_all_at_once() {
    let world = world("fused", true);
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    let wrong = text
        .replace("entry.username = \"SOUTH\"", "entry.username = \"SOUTH\"\nrisk.burst = 0\nmarker.size = 7")
        .replace("entry.username = \"NORTH\"", "entry.username = \"NORTH\"\nfeed.lines = \"two\"");
    world.write("gateway.toml", &wrong);
    let line = |of: &str| wrong.lines().position(|line| line.starts_with(of)).unwrap() + 1;
    says(
        &world,
        &["check"],
        1,
        &[
            "3 things are wrong",
            &format!("line {}: lane \"south\": risk.burst must be 1 to 4096", line("risk.burst")),
            &format!("line {}: lane \"south\": marker: there is no such key; did you mean", line("marker")),
            &format!("line {}: lane \"north\": feed.lines: must be a whole number from 0 to 255", line("feed.lines")),
        ],
    );
}
