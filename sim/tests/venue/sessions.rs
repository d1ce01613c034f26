//! The sessions of order entry: "SoupBinTCP 3.00", and what a lost connection does.

use crate::harness::{AAPL, P50, World, bytes, cancellation, describe, order, symbol};
use firelane_gateway::base::{Nanos, Side as Way};
use firelane_gateway::flow::wire::ouch50::{Appendage, Inbound, Side};
use firelane_gateway::flow::wire::soupbintcp::{self, BLANK_SESSION, letter};
use firelane_sim::venue::acceptor::{ConnId, Output};
use firelane_sim::venue::engine::Phase;

/// A login as a client that is not [`World`]'s writes it.
fn login(user: &[u8; 6], password: &[u8; 10], session: &[u8; 10], from: u64) -> Vec<u8> {
    let mut packet = vec![0, 47, letter::LOGIN_REQUEST];
    packet.extend_from_slice(user);
    packet.extend_from_slice(password);
    packet.extend_from_slice(session);
    packet.extend_from_slice(&soupbintcp::format_number(from));
    packet
}

/// Bytes sent to a connection since the last call, and whether it is to be closed.
fn sent(w: &mut World, conn: ConnId) -> (Vec<u8>, bool) {
    let mut bytes = Vec::new();
    let mut closed = false;
    for output in w.venue.take_outputs() {
        match output {
            Output::Bytes(to, more) if to == conn => bytes.extend(more),
            Output::Close(to, _) if to == conn => closed = true,
            other => panic!("{other:?}"),
        }
    }
    (bytes, closed)
}

#[test]
fn a_login_is_checked() {
    let mut w = World::closed(|_| {});
    let conn = |n: u64| ConnId(100 + n);
    for (n, packet, answer) in [
        (1, login(b"mallet", b"secret    ", &BLANK_SESSION, 1), [0, 2, b'J', b'A']),
        (2, login(b"alice ", b"wrong     ", &BLANK_SESSION, 1), [0, 2, b'J', b'A']),
        (3, login(b"bob   ", b"secret    ", &BLANK_SESSION, 1), [0, 2, b'J', b'A']),
        (4, login(b"alice ", b"secret    ", b"ANOTHER   ", 1), [0, 2, b'J', b'S']),
        (5, login(b"alice ", b"secret    ", &BLANK_SESSION, 9), [0, 2, b'J', b'S']),
    ] {
        w.venue.on_connect(w.now, conn(n), 0);
        w.venue.on_bytes(w.now, conn(n), &packet);
        assert_eq!(sent(&mut w, conn(n)), (answer.to_vec(), true));
    }
    w.venue.on_connect(w.now, conn(6), 0);
    w.venue.on_bytes(w.now, conn(6), &login(b"ALICE ", b"SECRET    ", &BLANK_SESSION, 1));
    assert_eq!(sent(&mut w, conn(6)), (b"\0\x1fASESSION001                   1".to_vec(), false));
    w.venue.on_connect(w.now, conn(7), 9);
    assert_eq!(sent(&mut w, conn(7)), (vec![], true), "there is no port 9");
}

#[test]
fn a_login_replays_from_any_message() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.sell(2, 100, P50 + 100);
    w.background(Way::Sell, 30, P50);
    let all: Vec<String> = w.traders[0].heard.iter().map(|message| describe(message)).collect();
    assert_eq!(all, ["S S", "A1 B100 @500000 0Y L", "A2 S100 @500100 0Y L", "E1 30 @500000 A #1"]);
    for from in 1..=5 {
        w.cut(0);
        w.traders[0].client.start_over(*b"SESSION001", from);
        w.traders[0].heard.clear();
        w.login(0);
        let again: Vec<String> = w.traders[0].heard.iter().map(|message| describe(message)).collect();
        let mut expected = all.clone();
        if from == 1 {
            // The first cut cancelled the orders; every later login hears of it too.
            expected.extend(["C1 -70 Z".to_owned(), "C2 -100 Z".to_owned()]);
        }
        let expected: Vec<String> = w.venue.port(0).unwrap().messages().iter().map(|m| describe(m)).collect();
        assert_eq!(again, expected[usize::try_from(from).unwrap() - 1..]);
        assert_eq!(expected[..4], all);
    }
}

#[test]
fn a_lost_connection_cancels_open_orders_if_so_configured() {
    for cancels in [true, false] {
        let mut w = World::with(|config| config.cancel_on_disconnect = cancels);
        w.buy(1, 100, P50);
        w.me = 1;
        w.buy(1, 50, P50);
        w.me = 0;
        w.published();
        w.cut(0);
        assert_eq!(w.queue(Way::Buy).len(), if cancels { 1 } else { 2 }, "and never those of another port");
        assert_eq!(w.published(), if cancels { "D" } else { "" });
        w.login(0);
        let expected: &[&str] = if cancels { &["C1 -100 Z"] } else { &[] };
        assert_eq!(w.heard(), expected);
    }
}

#[test]
fn a_connection_that_never_logged_in_cancels_nothing() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    let stranger = ConnId(999);
    w.venue.on_connect(w.now, stranger, 0);
    w.venue.on_bytes(w.now, stranger, &login(b"alice ", b"wrong     ", &BLANK_SESSION, 1));
    assert!(sent(&mut w, stranger).1);
    w.venue.on_connect(w.now, ConnId(1000), 0);
    w.venue.on_close(w.now, ConnId(1000));
    assert_eq!(w.record(1).open, 100);
}

/// "server may close after typically 15 s silence": what ends a half-open connection.
#[test]
fn a_silent_client_is_cut_off_and_its_orders_are_cancelled() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.pass(Nanos::from_secs(60), true);
    assert!(w.is_connected(0), "heartbeats keep both sides alive");
    w.pass(Nanos::from_secs(14), false);
    assert_eq!(w.record(1).open, 100);
    w.pass(Nanos::from_secs(2), false);
    assert_eq!(w.record(1).open, 0);
    assert!(!w.is_connected(0));
}

#[test]
fn a_new_login_cuts_off_the_one_before() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    let old = w.traders[0].heard.len();
    // The client comes again while the venue still believes in the old connection.
    w.traders[0].client.on_closed(w.now);
    w.login(0);
    let told: Vec<String> = w.traders[0].heard[old..].iter().map(|message| describe(message)).collect();
    assert_eq!(told, ["C1 -100 Z"]);
    assert_eq!(w.buy(2, 100, P50).last().unwrap(), "A2 B100 @500000 0Y L");
}

#[test]
fn packets_may_be_split_at_every_byte() {
    let mut w = World::open();
    let conn = ConnId(1);
    let mut stream = Vec::new();
    for message in [
        bytes(Inbound::EnterOrder(&order(1, Side::BUY, 100, P50), Appendage::EMPTY)),
        bytes(Inbound::CancelOrder(&cancellation(1, 60), Appendage::NONE)),
        bytes(Inbound::CancelOrder(&cancellation(1, 0), Appendage::NONE)),
    ] {
        stream.extend(soupbintcp::header(letter::UNSEQUENCED, message.len()).unwrap());
        stream.extend(message);
    }
    for byte in stream {
        w.venue.on_bytes(w.now, conn, &[byte]);
    }
    w.settle();
    assert_eq!(w.heard(), ["A1 B100 @500000 0Y L", "C1 -40 U", "C1 -60 U"]);
}

#[test]
fn a_logout_closes_at_once_and_a_session_can_end_for_good() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.venue.on_bytes(w.now, ConnId(1), &[0, 1, letter::LOGOUT]);
    assert_eq!(sent(&mut w, ConnId(1)), (vec![], true));
    assert_eq!(w.record(1).open, 0);
    w.venue.end_session(w.now, 1);
    assert_eq!(sent(&mut w, ConnId(2)), (vec![0, 1, letter::END_OF_SESSION], true));
}

/// "S System Event": start of day, end of day; cancels come before, and may come after.
#[test]
fn the_day_begins_and_ends_for_every_port() {
    let mut w = World::closed(|_| {});
    for phase in [Phase::Messages, Phase::System, Phase::Market] {
        w.set_phase(phase);
    }
    w.login(1);
    w.me = 1;
    assert_eq!(w.heard(), ["S S"]);
    for phase in [Phase::After, Phase::Ended, Phase::Done] {
        w.set_phase(phase);
    }
    assert_eq!(w.heard(), ["S E"]);
    let events: Vec<u8> = w.tape.iter().filter(|m| m[0] == b'S').map(|m| m[11]).collect();
    assert_eq!(events, *b"OSQMEC");
    assert!(w.venue.engine().is_continuous(symbol(AAPL)).eq(&false));
}

#[test]
fn what_is_not_ouch_is_counted_and_changes_nothing() {
    let mut w = World::open();
    let good = bytes(Inbound::EnterOrder(&order(1, Side::BUY, 100, P50), Appendage::EMPTY));
    assert_eq!(w.send_raw(&[]).len(), 0);
    assert_eq!(w.send_raw(b"?nonsense").len(), 0);
    assert_eq!(w.send_raw(&good[..46]).len(), 0);
    assert_eq!(w.send_raw(&[good.as_slice(), b"x"].concat()).len(), 0);
    assert_eq!(w.venue.port(0).unwrap().ignored().malformed, 4);
    assert_eq!(w.send_raw(&good), ["A1 B100 @500000 0Y L"]);
}
