//! What makes books stale, what that does, and what alone heals them.

use super::rig::*;
use firelane_gateway::base::{Nanos, SessionId, Side, VenueId};
use firelane_gateway::flow::outbox::{Outbox, Progress};
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::flow::trading::{NotInSnapshot, TradingConfig, UnknownState};
use firelane_gateway::flow::wire::moldudp64::end_of_session;
use firelane_gateway::flow::wiring::Policy;
use firelane_gateway::flow::{Arrival, Input};
use zerocopy::IntoBytes;

pub(super) const APPROVED: (char, u16) = ('E', 0);

pub(super) fn refused(why: Refusal) -> (char, u16) {
    ('E', why as u16 + 1)
}

fn without_snapshots() -> Setup {
    let mut setup = Setup::default();
    setup.feed.snapshot = None;
    setup
}

fn bid(rig: &Rig, id: firelane_gateway::base::InstrumentId) -> (i64, i64) {
    rig.lane.core().book(id).top(Side::Buy).map_or((0, 0), |l| (l.price.0, l.qty.0))
}

/// The next message goes missing, the one after it comes.
fn lose_one(rig: &mut Rig, next: Vec<u8>) -> u64 {
    let missing = rig.next;
    rig.next += 1;
    rig.market(&[next]);
    missing
}

fn wants_snapshot(rig: &Rig) -> bool {
    rig.trace.effects.contains(&Effect::Connect(SessionId::SNAPSHOT))
}

#[test]
fn an_open_gap_stops_new_orders_and_a_filled_one_heals() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::BuyLater, 50_000, 0);
    let missing = lose_one(&mut rig, add(1, 77, b"B", 100, 100_100));
    assert!(!rig.fresh(X) && !rig.fresh(Y), "whose the missing message is, nobody knows");
    rig.pass(Nanos(60_000));
    assert_eq!(rig.decisions(), [refused(Refusal::StaleBook)], "the strategy's timer came within the gap");
    assert_eq!(bid(&rig, X), (100_000, 300), "what is behind the gap waits");

    rig.give(Given::Packet(R, packet(DAY, missing, &[add(1, 76, b"B", 200, 100_100)])));
    assert!(rig.fresh(X) && rig.fresh(Y));
    assert_eq!(bid(&rig, X), (100_100, 300), "the missing one and the waiting one");
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!((rig.decisions(), rig.asked()), (vec![APPROVED], "O".to_owned()));
}

#[test]
fn resting_quotes_are_cancelled_in_a_gap_as_configured() {
    for (cancel_when_stale, asked, left) in [(true, "X", 0), (false, "", 1)] {
        let policy = Policy { cancel_when_stale, ..Policy::default() };
        let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.look();
        lose_one(&mut rig, add(2, 77, b"B", 100, 100_100));
        assert_eq!((rig.asked().as_str(), rig.live()), (asked, left));
    }
}

#[test]
fn after_a_loss_updates_go_on_and_only_a_snapshot_heals() {
    let mut rig = Rig::trading(&without_snapshots());
    lose_one(&mut rig, add(1, 77, b"B", 100, 100_100));
    rig.pass(Nanos::from_millis(10));
    assert_eq!(rig.lane.feeds().first().counters().lost, 1);
    assert_eq!(bid(&rig, X), (100_100, 100), "updates go on");
    rig.market(&[add(1, 78, b"B", 100, 100_200)]);
    assert_eq!(bid(&rig, X), (100_200, 100));
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::StaleBook)]);
}

#[test]
fn a_malformed_copy_is_healed_by_the_other_line() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    let n = rig.next;
    rig.give(Given::Packet(A, packet(DAY, n, &[malformed(1)])));
    assert!(!rig.fresh(X), "not received");
    rig.give(Given::Packet(B, packet(DAY, n, &[add(1, 77, b"B", 100, 100_100)])));
    assert!(rig.fresh(X) && bid(&rig, X) == (100_100, 100));
    assert_eq!((rig.lane.feeds().first().counters().lost, rig.lane.core().counters().bad_length), (0, 0));
}

#[test]
fn a_message_malformed_on_both_lines_stales_its_own_book_until_a_snapshot() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[malformed(2)]);
    rig.pass(Nanos::from_millis(5));
    assert!(rig.fresh(X) && !rig.fresh(Y));
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [APPROVED, refused(Refusal::StaleBook)], "other books trade on");
    rig.market(&[add(2, 77, b"B", 100, 100_100)]);
    assert!(!rig.fresh(Y) && bid(&rig, Y) == (100_100, 100));

    assert!(wants_snapshot(&rig));
    rig.serve_snapshot(&opening(2), rig.next);
    assert!(rig.fresh(X) && rig.fresh(Y));
    assert_eq!(bid(&rig, Y), (100_000, 300), "as the snapshot has it");
}

#[test]
fn an_unknown_type_makes_nothing_stale() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[b"z12345".to_vec(), add(1, 77, b"B", 100, 100_100)]);
    assert!(rig.fresh(X) && rig.fresh(Y) && bid(&rig, X) == (100_100, 100));
    assert_eq!(rig.lane.core().counters().unknown_type, 1);
    assert_eq!(rig.alerts(), [Alert::Skipped as u16]);
    assert!(!wants_snapshot(&rig));
}

#[test]
fn a_contradicted_book_alone_is_stale_until_the_snapshot_it_asks_for() {
    let faults = [delete(1, 4_711), add(1, 1_000, b"B", 100, 99_000), execute(1, 1_000, 301, 9)];
    for fault in faults {
        let mut rig = Rig::trading(&Setup::default());
        rig.market(std::slice::from_ref(&fault));
        assert_eq!(rig.alerts(), [Alert::BookFault as u16]);
        assert!(!rig.fresh(X) && rig.fresh(Y) && wants_snapshot(&rig));
        rig.look();
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.tell(2, Do::Buy, 100, 99_000);
        assert_eq!(rig.decisions(), [refused(Refusal::StaleBook), APPROVED]);
        rig.serve_snapshot(&opening(2), rig.next);
        assert!(rig.fresh(X) && bid(&rig, X) == (100_000, 300));

        let policy = Policy { snapshot_on_fault: false, ..Policy::default() };
        let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
        rig.market(&[fault]);
        assert!(!rig.fresh(X) && !wants_snapshot(&rig));
    }
}

/// The end of a snapshot is not the end of a gap: what was missed meanwhile has still to come.
#[test]
fn a_book_stays_stale_after_a_snapshot_until_the_gap_behind_it_is_closed() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[delete(1, 4_711)]);
    rig.give(Given::Connected(SessionId::SNAPSHOT));
    let at = rig.next;
    rig.market(&[add(1, 77, b"B", 100, 100_100)]);
    let missing = lose_one(&mut rig, add(1, 79, b"B", 100, 100_100));
    let connected = rig.given.len();
    rig.serve_snapshot(&opening(2), at);
    assert!(rig.given.len() > connected && rig.alerts().contains(&(Alert::SnapshotEnd as u16)));
    assert_eq!(bid(&rig, X), (100_100, 100), "as far as the stream is whole");
    assert!(!rig.fresh(X) && !rig.fresh(Y), "a message is missing");
    rig.give(Given::Packet(R, packet(DAY, missing, &[add(1, 78, b"B", 100, 100_100)])));
    assert!(rig.fresh(X) && rig.fresh(Y) && bid(&rig, X) == (100_100, 300));
}

#[test]
fn a_snapshot_that_contradicts_itself_does_not_heal_its_book_and_is_asked_for_again() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[delete(1, 4_711)]);
    let mut lossy = opening(2);
    lossy.push(add(1, 1_000, b"B", 300, 100_000));
    rig.serve_snapshot(&lossy, rig.next);
    assert!(!rig.fresh(X) && rig.fresh(Y));
    let attempts = rig.lane.feeds().first().counters().snapshot_attempts;
    rig.pass(Nanos::from_millis(15));
    assert_eq!(rig.lane.feeds().first().counters().snapshot_attempts, attempts + 1);
    rig.serve_snapshot(&opening(2), rig.next);
    assert!(rig.fresh(X));
}

#[test]
fn a_snapshot_that_does_not_fit_leaves_the_book_stale() {
    let mut setup = Setup::default();
    setup.books.orders = 4;
    let mut rig = Rig::trading(&setup);
    rig.market(&[add(1, 77, b"B", 100, 100_000)]);
    assert!(!rig.fresh(X) && rig.fresh(Y), "five orders, room for four");
    let mut items = opening(2);
    items.push(add(1, 77, b"B", 100, 100_000));
    rig.serve_snapshot(&items, rig.next);
    assert!(!rig.fresh(X) && rig.fresh(Y));
    rig.look();
    rig.pass(Nanos::from_millis(500));
    assert!(rig.alerts().is_empty(), "the same again would not fit either");
}

#[test]
fn what_a_snapshot_does_not_carry_is_unknown_with_the_configured_effect() {
    for (effect, decision) in [(UnknownState::Allow, APPROVED), (UnknownState::Block, refused(Refusal::NotTradable))] {
        let mut trading = TradingConfig::default();
        trading.unknown[NotInSnapshot::Breaker as usize] = effect;
        let mut rig = Rig::trading(&Setup { trading, ..Setup::default() });
        rig.market(&[delete(1, 4_711)]);
        rig.serve_snapshot(&opening(2), rig.next);
        rig.look();
        rig.tell(1, Do::Buy, 100, 99_000);
        assert_eq!(rig.decisions(), [decision]);
        rig.market(&[action(1, b"T")]);
        rig.look();
        rig.tell(1, Do::Buy, 100, 99_000);
        assert_eq!(rig.decisions(), [APPROVED], "an H T answers it");
    }
}

/// "Glimpse 5.0": an R without an H is halted.
#[test]
fn a_symbol_that_a_snapshot_names_without_an_h_is_halted() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[delete(1, 4_711)]);
    let items: Vec<_> = opening(2).into_iter().filter(|m| !(m[0] == b'H' && m[2] == 1)).collect();
    rig.serve_snapshot(&items, rig.next);
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::NotTradable), APPROVED]);
}

/// At once, by the very message: nothing else may come for long.
#[test]
fn what_rests_in_a_halted_symbol_is_cancelled_where_the_policy_says_so_and_nowhere_else() {
    for (cancel_when_untradable, asked) in [(true, "X"), (false, "")] {
        let policy = Policy { cancel_when_untradable, ..Policy::default() };
        let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.tell(2, Do::Buy, 100, 99_000);
        rig.look();
        rig.market(&[action(1, b"H")]);
        assert_eq!(rig.asked().as_str(), asked);
    }
}

/// More than the outbox holds comes of one packet: the lane waits to be drained, and goes on where it was.
#[test]
fn a_packet_that_writes_more_than_there_is_room_for_is_taken_in_parts() {
    let policy = Policy { tape_events: true, ..Policy::default() };
    let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
    // Each a new best bid: an event and a top on the tape. Fewer than the steps of one call.
    let messages: Vec<_> = (0..240).map(|n| add(1, 50_000 + n, b"B", 100, 100_001 + n as u32)).collect();
    let packet = packet(DAY, rig.next, &messages);
    let input = Input::Packet(Arrival::on(VenueId::FIRST, A), &packet);
    let mut out = Outbox::new(0);
    let (mut records, mut waited) = (0, 0);
    let mut progress = rig.lane.on_input(rig.now, input, &mut out);
    loop {
        records += out.outputs().count();
        out.clear();
        if progress == Progress::Done {
            break;
        }
        waited += 1;
        progress = rig.lane.resume(input, &mut out);
    }
    assert!(waited > 0, "{records} records found room at once");
    assert_eq!((records, out.overflowed()), (2 * messages.len(), 0));
    assert_eq!(bid(&rig, X), (100_240, 100));
}

#[test]
fn another_session_begins_from_nothing() {
    let policy = Policy { cancel_when_untradable: true, cancel_when_stale: false, ..Policy::default() };
    let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    rig.look();
    let day = packet(NEXT_DAY, 1, &[phase(b"O")]);
    rig.give(Given::Packet(A, day.clone()));
    assert!(rig.alerts().is_empty(), "one packet may be a stray");
    rig.give(Given::Packet(B, day));
    assert_eq!(rig.alerts(), [Alert::SessionChanged as u16]);
    assert_eq!((bid(&rig, X), rig.fresh(X), rig.lane.feeds().first().next_sequence()), ((0, 0), true, 2));
    assert_eq!((rig.asked().as_str(), rig.live()), ("X", 0), "not tradable any more");
    rig.give(Given::Packet(A, packet(NEXT_DAY, 2, &opening(2))));
    rig.look();
    rig.give(Given::Packet(A, packet(NEXT_DAY, 2 + opening(2).len() as u64, &[tell(1, Do::Buy, 100, 99_000)])));
    assert_eq!(rig.decisions(), [APPROVED]);
}
