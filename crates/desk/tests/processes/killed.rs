//! One side is killed in mid-session and started again; the kill switch.

use super::rig::{World, number, side_by_side, until};
use serde_json::Value;

/// Orders outlive the connection, so that there is something to come back to.
const KEEP: &str = "cancel_on_disconnect = false";

fn fills(status: &Value) -> u64 {
    number(status, "/fills")
}

#[test]
fn a_killed_gateway_comes_back_learns_and_trades_on() {
    side_by_side([("market-maker", "fused"), ("imbalance-taker", "split")], |(wiring, layout)| {
        let mut world = World::of(wiring, layout, "", KEEP);
        let venue = world.venue();
        let gateway = world.gateway();
        world.until("gateway", "fills", |status| {
            fills(status) >= 5 && (wiring != "market-maker" || number(status, "/live_orders") > 0)
        });
        gateway.cut_off();
        let left = world.until("venue", "the loss", |state| state["ports"][0]["logged_in"] == false);
        let before = number(&left, "/ports/0/fills");
        // Its socket is still there, and nobody listens.
        let (code, said) = world.kill(&[]);
        assert!(code == 1 && said.contains("nobody listens") && said.contains("kill -USR1 PID"), "{said}");

        let gateway = world.gateway();
        gateway.says("Order entry is ready");
        // Every fill of the first run is known from the replay, and then there are more.
        world.until("gateway", "more fills", |status| fills(status) >= before + 3);
        let report = world.end_and_compare(gateway, venue);
        assert!(fills(&report) >= before + 3, "{report}");
        world.assert_log_verifies();
    });
}

#[test]
fn a_killed_venue_comes_back_from_its_journal_and_trades_on() {
    let mut world = World::of("market-maker", "fused", "journal = \"JOURNAL\"", KEEP);
    let text = std::fs::read_to_string(world.path("venue.toml")).unwrap();
    world.write("venue.toml", &text.replace("JOURNAL", &world.text("venue.journal")));
    let venue = world.venue();
    let gateway = world.gateway();
    let before = fills(&world.until("gateway", "fills", |status| fills(status) >= 5));
    venue.cut_off();
    gateway.says("Order entry is lost: ");
    gateway.says("nobody listens there");

    let venue = world.venue();
    gateway.says("Order entry is ready again");
    world.until("gateway", "more fills", |status| fills(status) >= before + 3);
    assert_eq!(gateway.with("Order entry is lost").len(), 1);
    assert_eq!(gateway.with("nobody listens").len(), 1, "however often it was tried");
    world.end_and_compare(gateway, venue);
    world.assert_log_verifies();
}

#[test]
fn the_kill_switch_stops_orders_until_it_is_released() {
    let mut world = World::of("market-maker", "fused", "", "");
    let venue = world.venue();
    let gateway = world.gateway();
    for by_signal in [true, false] {
        world.until("gateway", "resting orders", |status| number(status, "/live_orders") > 0);
        if by_signal {
            gateway.signal("-USR1");
        } else {
            let (code, said) = world.kill(&[]);
            assert_eq!(code, 0, "{said}");
            for part in ["thrown", "No order of its lives", "Positions are kept", "--release"] {
                assert!(said.contains(part), "{part:?} is not in {said}");
            }
        }
        let killed = world.until("gateway", "the end of orders", |status| {
            status["killed"] == true && number(status, "/live_orders") == 0
        });
        // The market goes on, and not one order leaves. What the venue says was so a moment ago: it tells its own time by
        // the messages that it has published.
        let messages = number(&killed, "/market/messages");
        let past = |n: u64| {
            let is_past = move |state: &Value| number(state, "/published") > messages + n;
            let state = world.until("venue", "the market", is_past);
            (number(&state, "/ports/0/orders"), number(&state, "/ports/0/live_orders"))
        };
        let (orders, live) = past(300);
        assert_eq!((live, past(900)), (0, (orders, 0)));
        let later = world.until("gateway", "the market", |status| number(status, "/market/messages") > messages + 900);
        assert_eq!(number(&later, "/orders"), number(&killed, "/orders"));
        assert_eq!((later["kill_switch"].as_bool(), later["ready"].as_bool()), (Some(true), Some(true)));
        let (code, said) = world.kill(&["--release", "--json"]);
        assert!(code == 0 && said.contains("\"thrown\":false"), "{said}");
        world.until("gateway", "orders again", |status| number(status, "/orders") > number(&killed, "/orders"));
    }
    // Each is told of when the gateway's screen is looked after next.
    until("the last word", || Some(()).filter(|()| gateway.with("Kill switch released").len() == 2));
    assert_eq!(gateway.with("KILL SWITCH thrown").len(), 2);
    world.end_and_compare(gateway, venue);
    // What is said over the socket is in the log twice: as the switch's, which acts at once, and as the commander's.
    let mut commands = world.commands();
    commands.dedup();
    assert_eq!(commands, ["Start", "Kill", "Release", "Kill", "Release", "Shutdown"]);
    world.assert_log_verifies();
}
