//! A venue that is absent, refuses, or stalls: one clear line each.

use super::rig::{World, firelane, until};
use std::time::{Duration, Instant};

/// Lines about order entry.
const ENTRY: &str = "Order entry ";

#[test]
fn an_absent_venue_is_one_line_and_no_error() {
    let mut world = World::of("market-maker", "fused", "", "");
    let gateway = world.gateway();
    let line = gateway.says(ENTRY);
    for part in ["127.0.0.1:", "nobody listens there", "trying again every 1.0 s", "net.orders"] {
        assert!(line.contains(part), "{part:?} is not in {line:?}");
    }
    gateway.says("Line A (127.0.0.1:");
    gateway.says("Line B (127.0.0.1:");
    // Some more attempts.
    let began = Instant::now();
    until("more attempts", || Some(()).filter(|()| began.elapsed() > Duration::from_secs(4)));
    assert_eq!(gateway.with(ENTRY).len(), 1, "{:#?}", gateway.lines());
    assert_eq!((gateway.with("Line A").len(), gateway.with("Line B").len()), (1, 1));
    gateway.signal("-TERM");
    let report = gateway.report(0);
    assert_eq!((report["live_orders"].as_u64(), report["ever_ready"].as_bool()), (Some(0), Some(false)));
    world.assert_log_verifies();
    // To people nothing is claimed that nobody knows.
    let run = firelane(&["run", &world.text("gateway.toml"), "--seconds", "1"]).output().unwrap();
    let text = String::from_utf8(run.stdout).unwrap();
    assert!(
        run.status.success() && text.contains("never ready") && !text.contains("no order of this gateway"),
        "{text}"
    );
}

#[test]
fn a_wrong_password_is_one_line_that_names_the_variable() {
    let world = World::of("market-maker", "fused", "", "");
    let venue = world.venue();
    let mut command = world.gateway_command();
    command.env("FIRELANE_ENTRY_PASSWORD", "WRONGxyz3");
    let (code, out, lines) = super::rig::Process::start(command).end();
    let entry: Vec<_> = lines.iter().filter(|line| line.contains(ENTRY)).collect();
    assert_eq!((code, entry.len()), (Some(1), 1), "{}", lines.join("\n"));
    for part in
        ["refuses the login", "entry.username = \"FIRE\"", "FIRELANE_ENTRY_PASSWORD", "password_env in the [[port]]"]
    {
        assert!(entry[0].contains(part), "{part:?} is not in {entry:?}");
    }
    let text = [lines.join("\n"), String::from_utf8(out).unwrap()].concat();
    assert!(!text.contains("WRONGxyz3"));
    assert!(text.contains("orders of an earlier run"), "{text}");
    // The venue says so too, and neither says which password.
    let refused = venue.says("login rejected: wrong password");
    assert!(
        refused.contains(" warn ") && refused.contains("FIRELANE_ENTRY_PASSWORD (port[0].password_env)"),
        "{refused}"
    );
    // Without any password nothing starts.
    let mut command = world.gateway_command();
    command.env_remove("FIRELANE_SNAPSHOT_PASSWORD");
    let (code, _, lines) = super::rig::Process::start(command).end();
    assert_eq!((code, lines.len()), (Some(1), 1));
    assert!(lines[0].contains("FIRELANE_SNAPSHOT_PASSWORD, which is not set"), "{lines:?}");
    venue.signal("-TERM");
    venue.report(0);
}

/// A process that is stopped keeps its connections: nothing comes, and nothing is read.
#[test]
fn a_stalled_venue_is_one_line_until_it_goes_on() {
    let mut world = World::of("market-maker", "fused", "", "");
    let venue = world.venue();
    let gateway = world.gateway();
    gateway.says("Order entry is ready");
    venue.signal("-STOP");
    let line = gateway.says("Order entry is stalled");
    // With the lines silent too, what rests is cancelled: that may be what goes unanswered first.
    let unanswered = line.contains("does not say what it has received");
    assert!(unanswered || line.contains("nothing came from 127.0.0.1:"), "{line}");
    assert!(line.contains("127.0.0.1:") && line.contains("trying again"), "{line}");
    gateway.says("Line A");
    // Some attempts to come back, which the stopped process's system accepts.
    let began = Instant::now();
    until("more attempts", || Some(()).filter(|()| began.elapsed() > Duration::from_secs(4)));
    assert_eq!(gateway.with(ENTRY).len(), 2, "{:#?}", gateway.lines());
    venue.signal("-CONT");
    gateway.says("Order entry is ready again");
    assert_eq!(gateway.with(ENTRY).len(), 3, "{:#?}", gateway.lines());
    world.end_and_compare(gateway, venue);
    world.assert_log_verifies();
}
