//! Two processes trade, and end in order.

use super::rig::{Process, World, exists, firelane, number, side_by_side};
use serde_json::Value;

#[test]
fn gateway_and_venue_trade_and_agree_in_both_layouts() {
    side_by_side([("imbalance-taker", "fused"), ("market-maker", "split")], |(wiring, layout)| {
        let mut world = World::of(wiring, layout, "", "");
        let venue = world.venue();
        let gateway = world.gateway();
        gateway.says("Order entry is ready: logged in to 127.0.0.1:");
        let status = world.until("gateway", "fills", |status| number(status, "/fills") >= 5);
        assert_eq!((status["role"].as_str(), status["entry"].as_str()), (Some("gateway"), Some("ready")), "{status}");
        assert!(number(&status, "/tick_to_trade_ns/p50") > 0 && number(&status, "/market/messages") > 0, "{status}");
        // Every owner's counts are seen in a live process, those of the feed's thread and of the sockets too.
        for name in
            ["feed.line_a.packets", "sockets.line_b.datagrams", "core.fills", "entry.disconnects", "ledger.faults"]
        {
            assert!(status["counters"][name].is_u64(), "{name}: {status}");
        }
        let counted = |name: &str| number(&status, &format!("/counters/{name}"));
        assert!(
            counted("feed.line_a.packets") > 0 && counted("core.fills") >= 5 && counted("sockets.line_a.bytes") > 0
        );
        assert_eq!(counted("orders.contradictions") + counted("counters.left_out"), 0);
        let theirs = world.until("venue", "the same fills", |state| number(state, "/ports/0/fills") >= 5);
        assert_eq!(theirs["role"].as_str(), Some("venue"));
        for of in ["gateway", "venue"] {
            let table = firelane(&["status", &world.text(&format!("{of}.sock"))]).output().unwrap();
            let table = String::from_utf8(table.stdout).unwrap();
            assert!(table.contains("fills") && table.lines().count() >= 2, "{table}");
        }
        let report = world.end_and_compare(gateway, venue);
        assert_eq!(report["counters"]["core.fills"], report["fills"], "{report}");
        assert!(number(&report, "/counters/sockets.orders.received_bytes") > 0, "{report}");
        assert!(number(&report, "/tick_to_trade_ns/count") > 0 && number(&report, "/log/bytes") > 0, "{report}");
        assert_eq!(report["layout"].as_str(), Some(layout));
        assert_eq!(number(&report, "/tape/lost") + number(&report, "/lost"), 0, "{report}");
        world.assert_log_verifies();
        assert!(!exists(&world.path("gateway.sock")) && !exists(&world.path("venue.sock")), "sockets go with them");
    });
}

/// What both print as their configurations works together, as it is; only that the tests' ports are free ones.
#[test]
fn the_printed_configurations_work_together() {
    let mut world = World::of("listener", "fused", "", "");
    for (command, file) in [("run", "gateway.toml"), ("venue", "venue.toml")] {
        let printed = firelane(&[command, "--print-config"]).output().unwrap();
        assert!(printed.status.success());
        let mut text = String::from_utf8(printed.stdout).unwrap();
        let usual = [26_401, 26_402, 26_403, 26_404, 26_400];
        for (usual, port) in usual.iter().zip(world.ports) {
            assert_eq!(text.matches(&format!("\"127.0.0.1:{usual}\"")).count(), 1, "{command}: {usual}");
            text = text.replace(&format!("127.0.0.1:{usual}"), &format!("127.0.0.1:{port}"));
        }
        // A spinning lane would take a core from the other tests.
        text = text.replace("idle = \"auto\"", "idle = \"park\"");
        // It has one of its own, which another process of this user may have: the tests' lies in their folder.
        let (before, rest) = text.split_once("socket = \"").unwrap();
        let (usual, rest) = rest.split_once('"').unwrap();
        assert!(usual.starts_with('/') && usual.ends_with(".sock"), "{usual}");
        let socket = world.text(&file.replace("toml", "sock"));
        world.write(file, &format!("{before}socket = {socket:?}{rest}"));
    }
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    world.until("gateway", "fills", |status| number(status, "/fills") > 0);
    let report = world.end_and_compare(gateway, venue);
    world.assert_log_verifies();
    // What it brought: of each symbol, and in all.
    let rows = report["by_symbol"].as_object().unwrap();
    let of = |row: &Value, key: &str| row[key].as_i64().unwrap_or_else(|| panic!("{key}: {row}"));
    assert!(!rows.is_empty(), "{report}");
    for (symbol, row) in rows {
        assert_eq!(of(row, "bought") - of(row, "sold"), of(row, "position"), "{row}");
        assert_eq!(of(row, "position"), report["positions"][symbol].as_i64().unwrap_or(0), "{report}");
        // Averages are rounded, by half of the smallest unit at most.
        let side = |shares: i64, average: &str| if shares == 0 { 0 } else { shares * of(row, average) };
        let cash = side(of(row, "sold"), "average_sold") - side(of(row, "bought"), "average_bought");
        let most = (of(row, "bought") + of(row, "sold")) / 2 + 1;
        assert!((cash - of(row, "cash")).abs() <= most, "{row}");
    }
    for key in ["cash", "pnl"] {
        assert_eq!(rows.values().map(|row| of(row, key)).sum::<i64>(), of(&report, key), "{report}");
    }
}

/// What happens, with its time and how much it matters, for people and for programs; and as much of it as is asked for.
#[test]
fn lines_have_time_and_level_and_there_are_as_many_as_are_asked_for() {
    let world = World::of("listener", "fused", "", "");
    let venue = world.venue();
    let config = world.text("gateway.toml");
    let run = |more: &[&str]| firelane(&[&["run", &config, "--seconds", "3"], more].concat()).output().unwrap();
    let lines = |bytes: &[u8]| -> Vec<String> { String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect() };
    let programs = run(&["--log-format", "json", "-v"]);
    assert!(programs.status.success() && programs.stderr.is_empty());
    let all: Vec<Value> = lines(&programs.stdout)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    let (report, events) = all.split_last().unwrap();
    assert_eq!(report["ended"], "asked");
    for event in events {
        let time = event["time"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z') && event["seconds"].is_f64(), "{event}");
        assert!(["detail", "info", "warn", "error"].contains(&event["level"].as_str().unwrap()), "{event}");
    }
    for says in ["Gateway: listener", "Market: joined at message ", "Market: live, ", "Order entry is ready"] {
        assert!(events.iter().any(|event| event["text"].as_str().unwrap().starts_with(says)), "{says}: {events:#?}");
    }
    let people = lines(&run(&[]).stdout);
    let ready = people.iter().find(|line| line.contains("Order entry is ready")).unwrap();
    let (time, rest) = ready.split_once(' ').unwrap();
    assert!(time.len() == 12 && time.matches(':').count() == 2 && rest.starts_with("info   Order"), "{ready}");
    let quiet = lines(&run(&["-q"]).stdout);
    assert!(!quiet.iter().any(|line| line.contains("Gateway:") || line.contains(" info ")), "{quiet:#?}");
    assert!(quiet.iter().any(|line| line.contains("Ended in order")), "{quiet:#?}");
    venue.signal("-TERM");
    venue.report(0);
}

/// The venue ends its day: the gateway hears that its orders are cancelled and order entry is over, and ends in order
/// by itself, with nothing left to fear. What lived when the venue was told to end is in its report.
#[test]
fn a_gateway_ends_with_the_venues_day() {
    let mut world = World::of("market-maker", "fused", "", "cancel_on_disconnect = false");
    let venue = world.venue();
    let gateway = world.gateway();
    world.until("gateway", "orders that rest", |status| number(status, "/live_orders") > 0);
    let status = world.status("venue");
    assert!(number(&status, "/full") == 0 && status["gone"].is_object(), "{status}");
    venue.signal("-INT");
    let report = gateway.report(0);
    assert_eq!((report["ended"].as_str(), report["clean"].as_bool()), (Some("over"), Some(true)), "{report}");
    assert_eq!(number(&report, "/live_orders"), 0, "{report}");
    let theirs = venue.report(0);
    assert_eq!(report["positions"], theirs["ports"][0]["positions"], "{report} {theirs}");
    assert_eq!(report["fills"], theirs["ports"][0]["fills"]);
    assert_eq!(theirs["gone"]["session_ended"], 1, "{theirs}");
    world.assert_log_verifies();
}

#[test]
fn it_ends_by_itself_and_people_get_a_table() {
    let world = World::of("market-maker", "fused", "", "");
    let venue = world.venue();
    let run = Process::start(firelane(&[
        "run",
        &world.text("gateway.toml"),
        "--seconds",
        "4",
        "--tape",
        &world.text("run.tape"),
    ]));
    let (code, out, lines) = run.end();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(code, Some(0), "{text}{}", lines.join("\n"));
    for part in ["Gateway: market-maker", "thread", "Order entry is ready", "Ending:", "Ended in order", "fills"] {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    let stat = firelane(&["log", "stat", &world.text("run.tape")]).output().unwrap();
    assert!(String::from_utf8(stat.stdout).unwrap().contains("Status"));
    let dump = firelane(&["log", "dump", "--kind", "counters", &world.text("run.tape")]).output().unwrap();
    let dump = String::from_utf8(dump.stdout).unwrap();
    assert!(dump.contains("feed.line_a.packets ") && !dump.contains("orders.contradictions"), "{dump}");
    // A tape is not written over, and the log of a run that did not begin is not left behind; nor are both one file.
    for (log, tape) in [("new.log", "run.tape"), ("new.log", "new.log")] {
        let (log, tape) = (world.text(log), world.text(tape));
        let again = firelane(&["run", &world.text("gateway.toml"), "--log", &log, "--tape", &tape]).output().unwrap();
        assert_eq!(again.status.code(), Some(1));
        assert!(String::from_utf8(again.stderr).unwrap().contains("exists already"));
        assert!(!exists(&world.path("new.log")));
    }
    venue.signal("-TERM");
    venue.report(0);
}
