//! A gateway and three venues, two of Nasdaq's kind and one of levels, a process each.

use super::rig::{PASSWORDS, Process, World, firelane, number};
use serde_json::Value;

/// The configuration of a venue that is one of three, beside the one that the world has.
fn venue(world: &World, at: usize, kind: &str) -> World {
    let other = World::of("listener", "fused", &format!("kind = {kind:?}"), "");
    let text = std::fs::read_to_string(other.path("venue.toml")).unwrap();
    let [.., snapshot, _] = other.ports;
    // Of a venue of levels, the port of its snapshots is that of its stream.
    let text = text.replace("[market]", &format!("levels = \"127.0.0.1:{snapshot}\"\n[market]\nseed = {at}"));
    let text = text.replace(&other.text("venue.sock"), &world.text(&format!("venue{at}.sock")));
    world.write(&format!("venue{at}.toml"), &text);
    other
}

fn start(world: &World, at: usize) -> Process {
    let path = world.text(&format!("venue{at}.toml"));
    let venue = Process::start(firelane(&["venue", &path, "--json"]));
    venue.says("order port 0");
    venue
}

/// The positions at one venue, of all that a gateway reports.
fn held(report: &Value, at: usize) -> Vec<(String, i64)> {
    let all = report["positions"].as_object().unwrap().iter();
    let of = |(name, shares): (&String, &Value)| {
        let (name, venue) = name.split_once('@').unwrap_or((name, "0"));
        (venue == at.to_string()).then(|| (name.to_owned(), shares.as_i64().unwrap()))
    };
    all.filter_map(of).collect()
}

#[test]
fn a_gateway_trades_at_three_venues_and_each_agrees() {
    let mut world = World::new("", "", "");
    std::fs::copy(world.path("venue.toml"), world.path("venue0.toml")).unwrap();
    let others = [venue(&world, 1, "nasdaq"), venue(&world, 2, "levels")];
    let mut rows = String::from("[[venue]]\nname = \"XNAS\"\n");
    for (other, (name, kind)) in others.iter().zip([("XBOS", "nasdaq"), ("KRAKEN", "levels")]) {
        let [a, b, rerequest, snapshot, orders] = other.ports.map(|port| format!("\"127.0.0.1:{port}\""));
        rows += &format!("[[venue]]\nname = {name:?}\nkind = {kind:?}\n[venue.net]\norders = {orders}\n");
        rows += &match kind {
            "levels" => format!("stream = {snapshot}\n"),
            _ => format!("line_a = {a}\nline_b = {b}\nrerequest = {rerequest}\nsnapshot = {snapshot}\n"),
        };
    }
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    let strategies = "strategies = [\"maker\"]\nsignals = [\"imbalance\"]\nthreads.idle = \"park\"\n";
    let text = text.replace("[control]", "[control]\nshutdown_timeout_ms = 1500");
    world.write("gateway.toml", &format!("{strategies}{text}{rows}"));
    // Whatever is wrong with a row is said of its line.
    let checked = firelane(&["check", &world.text("gateway.toml")]).output().unwrap();
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.contains("nothing is wrong") && said.contains("(KRAKEN)"), "{said}");

    let venues = [0, 1, 2].map(|at| start(&world, at));
    let gateway = world.gateway();
    for text in ["  venue         XBOS (nasdaq)", "  levels        from 127.0.0.1:"] {
        gateway.says(text);
    }
    for name in ["XNAS", "XBOS", "KRAKEN"] {
        gateway.says(&format!("{name}: Order entry is ready: logged in to 127.0.0.1:"));
        gateway.says(&format!("{name}: Market: live"));
    }
    let status = world.until("gateway", "orders at each", |status| {
        let at = |n| number(status, &format!("/venues/{n}/live_orders")) > 0;
        at(0) && at(1) && at(2) && number(status, "/fills") >= 5
    });
    assert_eq!(status["venues"][2]["name"].as_str(), Some("KRAKEN"), "{status}");
    assert!(number(&status, "/counters/venue2.sockets.stream.received_bytes") > 0, "{status}");
    let table = firelane(&["status", &world.text("gateway.toml")]).env("COLUMNS", "80").output().unwrap();
    let table = String::from_utf8(table.stdout).unwrap();
    assert!(table.contains("  venue 1      XBOS: orders ready, market live"), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");

    // One is killed: its own books alone are stale, and the others are traded at.
    let [near, gone, far] = venues;
    gone.cut_off();
    let whole = |status: &Value, n: usize| {
        let at = &status["venues"][n];
        (&at["ready"], &at["live_market"], &at["stale"]) == (&true.into(), &true.into(), &0.into())
    };
    let status = world.until("gateway", "it knows that one is gone", |status| {
        assert!(whole(status, 0) && whole(status, 2), "{status}");
        number(status, "/venues/1/stale") == 3 && status["venues"][1]["ready"] == false
    });
    assert_eq!(status["ready"], false, "not everywhere");
    let sent = number(&status, "/orders");
    world.until("gateway", "orders at the others", |status| number(status, "/orders") > sent);

    gateway.signal("-INT");
    // What lives at the one that is gone nobody can say.
    let (code, out, lines) = gateway.end();
    let report: Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((code, report["clean"].as_bool()), (Some(1), Some(false)), "{report} {lines:#?}");
    assert!(lines.iter().any(|line| line.contains("XBOS: Order entry is lost")), "{lines:#?}");
    for at in [0, 2] {
        let at = &report["venues"][at];
        assert_eq!((at["entry"].as_str(), at["live_orders"].as_u64()), (Some("over"), Some(0)), "{report}");
    }
    for (at, venue) in [(0, near), (2, far)] {
        venue.signal("-INT");
        let theirs = venue.report(0);
        let port = &theirs["ports"][0];
        assert!(number(port, "/orders") > 0, "{theirs}");
        let positions = port["positions"].as_object().unwrap().iter();
        let positions: Vec<_> = positions.map(|(name, shares)| (name.clone(), shares.as_i64().unwrap())).collect();
        assert_eq!(held(&report, at), positions, "{report}\n{theirs}");
    }
    world.assert_log_verifies();
    let log = std::fs::read(world.path(&world.log())).unwrap();
    assert!(PASSWORDS.iter().all(|secret| !log.windows(secret.len()).any(|window| window == secret.as_bytes())));
}

/// What cannot be traded at is said by its venue.
#[test]
fn a_wiring_of_nasdaqs_kind_alone_refuses_another_by_name() {
    let world = World::new("wiring = \"listener\"", "", "");
    let text = std::fs::read_to_string(world.path("gateway.toml")).unwrap();
    world.write("gateway.toml", &format!("{text}[[venue]]\nname = \"KRAKEN\"\nkind = \"levels\"\n"));
    for command in ["check", "run"] {
        let output = firelane(&[command, &world.text("gateway.toml")]).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains("venue.kind = \"levels\" (of KRAKEN): must be \"nasdaq\""), "{said}");
    }
    for command in [&["demo", "--virtual", "--seconds", "1", "--config"][..], &["replay", "x.itch", "--config"]] {
        let output = firelane(command).arg(world.path("gateway.toml")).output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{command:?}");
    }
}
