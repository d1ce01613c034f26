//! A connection that is lost, and one that says nothing or nothing of sense: what is asked of the venue when it is back.

use super::*;

/// Three orders, of which the venue fills one in part and cancels another; a replace and a cancel besides. Everything
/// between the first and the last byte may be cut.
pub(super) fn busy_minute(rig: &mut Rig) {
    let first = rig.buy(100, 10);
    rig.buy(101, 20);
    let third = rig.buy(102, 30);
    rig.settle();
    rig.venue_fills(1, 4);
    rig.venue_fills(2, 20);
    if rig.orders.get(third).is_some_and(|o| o.can_replace()) {
        let _ = rig.replace(third, 103, 40);
    }
    rig.settle();
    if rig.orders.get(first).is_some_and(|o| o.is_live()) {
        let _ = rig.cancel(first, 0);
    }
    rig.settle();
}

impl Rig {
    /// The venue fills what it has of an order, whether or not anyone is connected.
    fn venue_fills(&mut self, token: u32, qty: u32) {
        if let Some(open) = self.venue.open.get_mut(&token) {
            *open -= qty;
            let left = *open;
            if left == 0 {
                self.venue.open.remove(&token);
            }
            self.say(executed(token, qty, 100, u64::from(token)));
        }
    }

    /// Both sides agree on every order, nothing is owed, and the session is up again.
    fn assert_reconciled(&self, context: &str) {
        assert_eq!(self.entry.stage(), Stage::Ready, "{context}");
        let mut cursor = firelane_gateway::flow::orders::Cursor::default();
        let mut open = std::collections::BTreeMap::new();
        while let Some(order) = self.orders.next_live(&mut cursor) {
            assert!(order.replacing.is_none() && order.cancelling.is_none(), "{context}: {order:?}");
            open.insert(u32::try_from(order.token.0).unwrap(), u32::try_from(order.open.0).unwrap());
        }
        assert_eq!(open, self.venue.open, "{context}");
        let filled: i64 = self
            .venue
            .said
            .iter()
            .filter_map(|m| match report_of(m) {
                Ok(Report::Executed { qty, .. }) => Some(qty.0),
                _ => None,
            })
            .sum();
        assert_eq!(self.position(), filled, "{context}");
        let counters = self.orders.counters();
        assert_eq!((counters.contradictions, counters.unknown, counters.duplicates), (0, 0, 0), "{context}");
    }
}

#[test]
fn a_connection_cut_at_any_byte_loses_and_repeats_nothing() {
    let mut calm = Rig::ready();
    let (down, up) = (usize::MAX / 2, usize::MAX / 2);
    (calm.down_left, calm.up_left) = (down, up);
    busy_minute(&mut calm);
    let (said, asked) = (down - calm.down_left, up - calm.up_left);
    calm.pass(5 * SECOND);
    calm.assert_reconciled("without a cut");
    assert!(said > 350 && asked > 200, "{said} {asked}");
    for cut in 0..said {
        let mut rig = Rig::ready();
        rig.down_left = cut;
        busy_minute(&mut rig);
        rig.pass(5 * SECOND);
        rig.assert_reconciled(&format!("{cut} bytes from the venue"));
        assert_eq!(rig.venue.connections, 2, "{cut} bytes from the venue");
        assert_eq!(rig.happened(Happening::Accepted), 3, "all three had arrived");
    }
    for cut in 0..asked {
        let mut rig = Rig::ready();
        rig.up_left = cut;
        busy_minute(&mut rig);
        rig.pass(5 * SECOND);
        rig.assert_reconciled(&format!("{cut} bytes to the venue"));
        // Every order has ended in an answer: accepted, or lost for certain.
        let lost =
            rig.changes.iter().filter(|c| c.what == Happening::Rejected && c.reason == Reason::NO_ANSWER).count();
        assert_eq!(lost + rig.happened(Happening::Accepted), 3, "{cut} bytes to the venue");
    }
}

#[test]
fn after_a_reconnect_orders_that_never_arrived_are_lost_and_the_others_live() {
    let mut rig = Rig::ready();
    let kept = rig.buy(100, 10);
    rig.settle();
    rig.venue.deaf = vec![b'O'];
    let lost = rig.buy(100, 20);
    rig.settle();
    // The answer to this one is said while nobody listens.
    rig.venue.deaf.clear();
    rig.down_left = 0;
    let late = rig.buy(100, 30);
    rig.settle();
    assert_eq!((rig.connected, rig.entry.stage()), (false, Stage::Down));
    assert_eq!(rig.enter(Rig::asked(Side::Buy, 1, 1)), Err(Refused::NotReady));
    assert_eq!(rig.cancel(kept, 0), Err(Refused::NotReady));
    assert_eq!(rig.orders.get(lost).unwrap().exposure().qty, Qty(20), "until it is certain it counts");

    rig.pass(SECOND + 1);
    assert_eq!((rig.entry.stage(), rig.orders.get(late).unwrap().status), (Stage::Replaying, Status::Live));
    assert_eq!(rig.orders.get(lost).unwrap().status, Status::Pending);
    rig.pass(SECOND + 2);
    let status = |id| rig.orders.get(id).unwrap().status;
    assert_eq!([kept, lost, late].map(status), [Status::Live, Status::Rejected, Status::Live]);
    assert_eq!((rig.entry.stage(), rig.heard(b'X').len()), (Stage::Ready, 0), "nothing is swept: it is the same run");
}

#[test]
fn a_lost_request_is_settled_by_a_query_without_a_reconnect() {
    let mut rig = Rig::ready();
    let resting = rig.buy(100, 10);
    rig.settle();
    rig.venue.deaf = vec![b'O', b'U', b'X'];
    let lost = rig.buy(100, 20);
    rig.replace(resting, 105, 90).unwrap();
    rig.settle();
    assert_eq!(rig.orders.get(resting).unwrap().exposure().qty, Qty(90));
    rig.pass(SECOND);
    assert_eq!((rig.happened(Happening::TimedOut), rig.venue.connections), (2, 1));
    assert_eq!(rig.orders.get(lost).unwrap().status, Status::Rejected);
    assert_eq!(rig.orders.get(resting).unwrap().exposure().qty, Qty(10));
    assert!(rig.orders.get(resting).unwrap().can_replace());
}

#[test]
fn a_query_without_an_answer_ends_the_connection_and_is_asked_afresh() {
    let mut rig = Rig::ready();
    rig.venue.deaf = vec![b'O', b'Q'];
    let lost = rig.buy(100, 20);
    rig.settle();
    rig.pass(3 * SECOND);
    assert_eq!((rig.entry.counters().dead_queries, rig.orders.get(lost).unwrap().status), (1, Status::Pending));
    rig.venue.deaf.clear();
    // The answer to the first, late: it is in the replay and is not taken for the answer to the second.
    rig.venue.say(rig.now, next_token(1));
    rig.pass(3 * SECOND);
    assert_eq!((rig.entry.stage(), rig.venue.connections), (Stage::Ready, 2));
    assert_eq!(rig.orders.get(lost).unwrap().status, Status::Rejected);
    assert_eq!(rig.entry.counters().stale_answers, 1);
}

#[test]
fn a_question_dies_with_its_connection() {
    let mut rig = Rig::ready();
    rig.venue.deaf = vec![b'O'];
    let lost = rig.buy(100, 20);
    rig.settle();
    // The query leaves and is heard, but its answer finds the connection cut; it comes with the replay. (The venue has
    // just spoken, so that no heartbeat of its own comes in between.)
    rig.say(event(EventCode::START_OF_DAY));
    rig.down_left = 0;
    rig.pass(SECOND * 6 / 10);
    assert_eq!((rig.heard(b'Q').len(), rig.connected), (2, false));
    rig.pass(SECOND + 1);
    assert_eq!((rig.entry.stage(), rig.entry.counters().stale_answers), (Stage::Replaying, 1));
    assert_eq!(rig.orders.get(lost).unwrap().status, Status::Pending);
    rig.pass(2 * SECOND);
    assert_eq!((rig.entry.counters().dead_queries, rig.orders.get(lost).unwrap().status), (0, Status::Rejected));
}

/// The venue says something twice a second for so many seconds.
fn chatter(rig: &mut Rig, seconds: u64) {
    for _ in 0..2 * seconds {
        rig.pass(SECOND / 2);
        rig.say(event(EventCode::START_OF_DAY));
    }
}

#[test]
fn a_venue_that_is_never_silent_keeps_nobody_away_who_has_no_question_open() {
    let mut rig = Rig::ready();
    let kept = rig.buy(100, 10);
    rig.settle();
    rig.venue.deaf = vec![b'O'];
    let lost = rig.buy(100, 20);
    rig.close();
    rig.venue.deaf.clear();
    chatter(&mut rig, 2);
    assert_eq!((rig.entry.stage(), rig.heard(b'Q').len()), (Stage::Replaying, 1), "a silence says more, and may come");
    chatter(&mut rig, 2);
    let status = |rig: &Rig, id| rig.orders.get(id).unwrap().status;
    assert_eq!((rig.entry.stage(), rig.heard(b'Q').len()), (Stage::Ready, 2));
    assert_eq!((status(&rig, kept), status(&rig, lost)), (Status::Live, Status::Rejected));
    // A question that nobody answered: its answer may come at any time, and looks like that to any other.
    rig.venue.deaf = vec![b'O', b'Q'];
    let lost = rig.buy(100, 20);
    chatter(&mut rig, 4);
    assert_eq!(rig.entry.counters().dead_queries, 1);
    rig.venue.deaf.clear();
    chatter(&mut rig, 8);
    assert_eq!((rig.entry.stage(), status(&rig, lost)), (Stage::Replaying, Status::Pending));
    rig.venue.say(rig.now, next_token(1));
    chatter(&mut rig, 2);
    assert_eq!((rig.entry.stage(), rig.entry.counters().stale_answers), (Stage::Replaying, 1));
    rig.pass(2 * SECOND);
    assert_eq!((rig.entry.stage(), status(&rig, lost)), (Stage::Ready, Status::Rejected));
}

#[test]
fn numbers_that_were_never_sent_and_are_gone_are_another_clients() {
    for (more, expected) in [(0, None), (1, Some((AnomalyKind::NumbersTaken, 4, 3)))] {
        let mut rig = Rig::ready();
        for _ in 0..2 {
            rig.buy(100, 10);
        }
        rig.settle();
        assert_eq!(rig.entry.next_token(), 3);
        rig.venue.last += more;
        rig.entry.confirm(rig.now, &mut rig.out);
        rig.settle();
        let found = rig.orders.take_anomaly().map(|found| (found.what, found.said, found.known));
        assert_eq!((found, rig.entry.next_token()), (expected, 3 + u64::from(more)));
    }
}

#[test]
fn a_silent_server_is_left_and_joined_again() {
    let mut rig = Rig::ready();
    let order = rig.buy(100, 20);
    rig.settle();
    // Half-open: nothing comes through, and nobody says so.
    rig.venue.answers = false;
    for _ in 0..17 {
        rig.now = Mono(rig.now.0 + SECOND);
        rig.entry.on_timer(rig.now, &mut rig.out);
        while rig.entry.next_report(rig.now, &mut rig.out).is_some() {}
    }
    assert_eq!(rig.entry.away(), Away::Silent);
    rig.settle();
    assert_eq!((rig.entry.stage(), rig.entry.counters().disconnects), (Stage::Down, 1));
    rig.venue.answers = true;
    rig.pass(5 * SECOND);
    assert_eq!((rig.entry.stage(), rig.orders.get(order).unwrap().status), (Stage::Ready, Status::Live));
}

#[test]
fn heartbeats_leave_when_nothing_else_does() {
    let mut rig = Rig::ready();
    rig.sent.clear();
    rig.pass(3 * SECOND);
    assert!((2..=3).contains(&rig.sent.len()), "{}", rig.sent.len());
    assert!(rig.sent.iter().all(|(class, bytes)| *class == Class::Session && bytes == b"\0\x01R"));
}

#[test]
fn a_server_that_makes_no_sense_is_left_and_joined_again() {
    let mut rig = Rig::ready();
    rig.buy(100, 20);
    rig.settle();
    rig.bytes(b"\0\0");
    rig.settle();
    assert_eq!((rig.entry.stage(), rig.connected), (Stage::Down, false));
    rig.pass(4 * SECOND);
    rig.assert_reconciled("after a broken stream");
}
