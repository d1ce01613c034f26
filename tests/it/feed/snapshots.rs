//! Snapshots: when one is fetched, how it is spliced, and every way it can go wrong.

use super::rig::*;
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::flow::feed::{FeedConfig, Notice, SnapshotTrouble, Start};
use firelane_gateway::flow::session::SessionInput::{Closed, Connected};
use firelane_gateway::flow::wire::soupbintcp::Packet;

const BEGIN: Got = Got::Notice(Notice::SnapshotBegin);

fn failed(why: SnapshotTrouble, next: u64) -> Got {
    n(Notice::SnapshotFailed { why, next })
}

fn end(next: u64) -> Got {
    n(Notice::SnapshotEnd { next })
}

fn s(sequence: u64) -> Got {
    Got::Snapshot(message(sequence))
}

fn late() -> FeedConfig {
    FeedConfig { start: Start::Snapshot, ..with_snapshots() }
}

fn login() -> Sent {
    Sent::Bytes(b"\0\x2FLUSER  SECRET                                 1".to_vec())
}

fn logout() -> Sent {
    Sent::Bytes(b"\0\x01O".to_vec())
}

/// Message 40 came first; the login to the snapshot server was accepted.
fn logged_in(config: FeedConfig) -> Rig {
    let mut rig = Rig::new(config);
    rig.packet(A, &packet(40..42));
    rig.pass(Nanos(0));
    rig.session(Connected);
    rig.bytes(&accepted());
    assert_eq!(
        (rig.take(), rig.sent()),
        (vec![n(Notice::Joined { first: 40 }), opened(40)], vec![Sent::Connect, login()])
    );
    rig
}

#[test]
fn a_late_start_is_spliced_onto_a_snapshot() {
    let mut rig = logged_in(late());
    rig.bytes(&[item(&message(901)), item(&message(902))].concat());
    rig.packet(B, &packet(42..44));
    rig.bytes(&item(&message(903)));
    assert_eq!(rig.take(), [BEGIN, s(901), s(902), s(903)]);
    assert!(!rig.feed.is_live());
    rig.bytes(&end_of_snapshot(43));
    assert_eq!(rig.take(), [end(43), closed(), m(43)]);
    assert_eq!((rig.feed.is_live(), rig.feed.next_sequence()), (true, 44));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [logout(), Sent::Disconnect]);
    rig.session(Closed);
    rig.packet(A, &packet(42..46));
    rig.pass(Nanos::from_secs(10));
    assert_eq!((rig.take(), rig.sent()), (ms(44..46), vec![]));
    let c = rig.feed.counters();
    assert_eq!((c.snapshot_attempts, c.snapshots_begun, c.snapshots_ended, c.snapshot_messages), (1, 1, 1, 3));
}

#[test]
fn a_start_with_the_first_message_needs_no_snapshot() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(1..3));
    rig.pass(Nanos::from_secs(1));
    assert_eq!((rig.take(), rig.sent()), (ms(1..3), vec![]));
}

#[test]
fn a_snapshot_of_nothing_is_a_snapshot() {
    let mut rig = logged_in(late());
    rig.bytes(&end_of_snapshot(41));
    assert_eq!(rig.take(), [BEGIN, end(41), closed(), m(41)]);
}

#[test]
fn a_snapshot_ahead_of_the_lines_voids_what_waits_and_says_what_it_waits_for() {
    let mut rig = logged_in(late());
    rig.bytes(&[item(&message(901)), end_of_snapshot(50)].concat());
    assert_eq!(rig.take(), [BEGIN, s(901), end(50), n(Notice::SnapshotAhead { next: 50, lines: 42 })]);
    rig.packet(A, &packet(42..49));
    rig.packet(B, &beat(49));
    assert_eq!(rig.take(), []);
    assert!(!rig.feed.is_live(), "the lines are not there yet");
    rig.packet(A, &packet(49..52));
    assert_eq!(rig.take(), [closed(), m(50), m(51)]);
    // The lines come exactly as far with a heartbeat.
    let mut rig = logged_in(late());
    rig.bytes(&end_of_snapshot(43));
    assert_eq!(rig.take(), [BEGIN, end(43), n(Notice::SnapshotAhead { next: 43, lines: 42 })]);
    rig.packet(B, &beat(43));
    assert_eq!(rig.take(), [closed()]);
}

#[test]
fn a_snapshot_may_be_ahead_by_as_much_as_a_gap_may_be_long() {
    for (ahead, expected) in [(999, true), (1_000, true), (1_001, false)] {
        let mut rig = logged_in(late());
        rig.bytes(&end_of_snapshot(42 + ahead));
        assert_eq!(rig.take().contains(&end(42 + ahead)), expected, "{ahead}");
    }
}

#[test]
fn what_is_missing_behind_a_snapshot_is_asked_for_at_once() {
    let mut rig = logged_in(late());
    rig.packet(A, &packet(45..46));
    rig.bytes(&end_of_snapshot(38));
    assert_eq!(rig.take(), [BEGIN, end(38)]);
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(38, 2), logout(), Sent::Disconnect]);
    rig.packet(R, &packet(38..40));
    assert_eq!(rig.take(), ms(38..42));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(42, 3)]);
    rig.packet(R, &packet(42..45));
    assert_eq!(rig.take(), [m(42), m(43), m(44), closed(), m(45)]);
}

#[test]
fn during_a_splice_nothing_is_asked_for() {
    let mut rig = logged_in(late());
    rig.packet(A, &packet(45..46));
    rig.pass(Nanos(PATIENCE.0 - 1));
    assert_eq!((rig.take(), rig.sent()), (vec![], vec![]));
}

#[test]
fn what_the_window_cannot_hold_during_a_splice_is_asked_for_afterwards() {
    let mut rig = logged_in(FeedConfig { window_messages: 8, ..late() });
    rig.packet(A, &packet(42..60));
    assert_eq!(rig.feed.counters().window_full, 12);
    rig.bytes(&end_of_snapshot(44));
    assert_eq!(rig.take(), [BEGIN, end(44), m(44), m(45), m(46), m(47)]);
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(48, 10), logout(), Sent::Disconnect]);
    rig.packet(R, &packet(48..58));
    rig.packet(A, &packet(58..60));
    assert_eq!(rig.take(), level(48..60));
}

#[test]
fn a_stream_cut_at_every_byte_gives_the_same_snapshot() {
    let heartbeat = soup(Packet::ServerHeartbeat);
    let debug = soup(Packet::Debug(b"hello"));
    let stream = [accepted(), heartbeat, item(&message(901)), debug, item(&message(902)), end_of_snapshot(41)].concat();
    let expected = [n(Notice::Joined { first: 40 }), opened(40), BEGIN, s(901), s(902), end(41), closed(), m(41)];
    for cut in 0..=stream.len() {
        let mut rig = Rig::new(late());
        rig.packet(A, &packet(40..42));
        rig.pass(Nanos(0));
        rig.session(Connected);
        rig.bytes(&stream[..cut]);
        rig.bytes(&stream[cut..]);
        assert_eq!(rig.take(), expected, "cut at {cut}");
    }
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..42));
    rig.pass(Nanos(0));
    rig.session(Connected);
    stream.chunks(1).for_each(|byte| rig.bytes(byte));
    assert_eq!(rig.take(), expected);
}

#[test]
fn more_bytes_than_the_buffer_holds_are_read_all_the_same() {
    let mut rig = logged_in(late());
    let mut stream: Vec<u8> = (1000..1100).flat_map(|n| item(&message(n))).collect();
    stream.extend(end_of_snapshot(42));
    rig.bytes(&stream);
    let expected = [vec![BEGIN], (1000..1100).map(s).collect(), vec![end(42), closed()]].concat();
    assert_eq!(rig.take(), expected);
}

#[test]
fn unknown_types_of_a_snapshot_are_delivered_unless_too_long() {
    let mut rig = logged_in(late());
    let odd = b"?odd".to_vec();
    rig.bytes(&[item(&odd), item(&[b'?'; 65]), end_of_snapshot(42)].concat());
    assert_eq!(rig.take(), [BEGIN, Got::Snapshot(odd), end(42), closed()]);
    assert_eq!(rig.feed.counters().snapshot_skipped, 1);
}

type Befall = fn(&mut Rig);

/// What may befall an attempt after its login.
fn misfortunes() -> [(&'static str, Befall); 14] {
    [
        ("closed before its end", |r| r.session(Closed)),
        ("torn within a message", |r| {
            r.bytes(&item(&message(902))[..7]);
            r.session(Closed);
        }),
        ("stalled", |r| r.pass(PATIENCE)),
        ("alive but silent", |r| {
            for _ in 0..5 {
                r.pass(Nanos(PATIENCE.0 / 5));
                r.bytes(&soup(Packet::ServerHeartbeat));
            }
        }),
        ("malformed message", |r| r.bytes(&item(&malformed(902)))),
        ("empty message", |r| r.bytes(&item(b""))),
        ("end without a number", |r| r.bytes(&item(b"G                   X"))),
        ("end of a wrong length", |r| r.bytes(&item(b"G123"))),
        ("end at zero", |r| r.bytes(&end_of_snapshot(0))),
        ("end ahead of all reason", |r| r.bytes(&end_of_snapshot(43 + 1_001))),
        ("end of session instead", |r| r.bytes(&soup(Packet::EndOfSession))),
        ("second login", |r| r.bytes(&accepted())),
        ("broken framing", |r| r.bytes(&[0, 0, 0, 0])),
        ("a packet beyond the buffer", |r| r.bytes(&[0xFF, 0xFF, b'S'])),
    ]
}

#[test]
fn a_failed_attempt_lets_the_stream_go_on_and_is_repeated_after_a_pause() {
    for (name, befall) in misfortunes() {
        let mut rig = logged_in(late());
        rig.bytes(&item(&message(901)));
        rig.packet(A, &packet(42..43));
        befall(&mut rig);
        assert_eq!(rig.take(), [BEGIN, s(901), m(40), m(41), closed(), m(42)], "{name}");
        assert_eq!(rig.feed.counters().snapshot_failures, 1, "{name}");
        rig.pass(Nanos(0));
        assert!(matches!(rig.sent()[..], [] | [Sent::Disconnect]), "{name}");
        rig.session(Closed);
        rig.packet(B, &packet(43..44));
        assert_eq!(rig.take(), ms(43..44), "{name}");
        rig.pass(Nanos(RETRY.0 - 1));
        assert_eq!(rig.sent(), [], "{name}");
        rig.pass(Nanos(1));
        assert_eq!(rig.sent(), [Sent::Connect], "{name}");
        rig.packet(A, &packet(44..45));
        rig.session(Connected);
        rig.packet(A, &packet(45..46));
        assert_eq!(rig.take(), [m(44), opened(45)], "{name}");
        rig.bytes(&[accepted(), item(&message(903)), end_of_snapshot(44)].concat());
        assert_eq!((rig.take(), rig.sent()), (vec![BEGIN, s(903), end(44)], vec![login()]), "{name}");
        rig.pass(Nanos(0));
        assert_eq!(rig.sent(), [ask(44, 1), logout(), Sent::Disconnect], "{name}");
        rig.packet(R, &packet(44..45));
        assert_eq!(rig.take(), [m(44), closed(), m(45)], "{name}");
    }
}

#[test]
fn a_refused_connection_and_a_rejected_login_are_failed_attempts() {
    for reject in [false, true] {
        let mut rig = Rig::new(late());
        rig.packet(A, &packet(40..42));
        rig.pass(Nanos(0));
        if reject {
            rig.session(Connected);
            rig.bytes(&soup(Packet::LoginRejected(b'A')));
            rig.pass(Nanos(0));
        }
        rig.session(Closed);
        let mut expected = vec![n(Notice::Joined { first: 40 }), opened(40), m(40), closed(), m(41)];
        if reject {
            expected.insert(2, failed(SnapshotTrouble::Refused, 0));
        }
        assert_eq!(rig.take(), expected);
        rig.sent();
        rig.pass(Nanos(RETRY.0));
        assert_eq!(rig.sent(), [Sent::Connect]);
    }
}

#[test]
fn a_server_that_does_not_answer_holds_the_stream_no_longer_than_the_timeout() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..42));
    rig.pass(Nanos(PATIENCE.0 - 1));
    assert_eq!(rig.take(), [n(Notice::Joined { first: 40 }), opened(40)]);
    rig.pass(Nanos(1));
    assert_eq!((rig.take(), rig.sent()), (vec![m(40), closed(), m(41)], vec![Sent::Connect, Sent::Disconnect]));
}

#[test]
fn no_second_connection_is_asked_for_while_the_first_may_live() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..42));
    rig.pass(PATIENCE);
    rig.pass(Nanos(RETRY.0));
    assert_eq!(rig.sent(), [Sent::Connect, Sent::Disconnect, Sent::Disconnect]);
    rig.session(Connected);
    assert_eq!(rig.sent(), [Sent::Disconnect], "too late");
    rig.session(Closed);
    rig.pass(Nanos(RETRY.0));
    assert_eq!(rig.sent(), [Sent::Connect]);
}

#[test]
fn after_enough_attempts_the_failure_is_reported_once_and_slow_attempts_go_on() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..41));
    rig.pass(Nanos(0));
    let mut notices = Vec::new();
    let mut pauses = Vec::new();
    for _ in 0..6 {
        assert_eq!(rig.sent(), [Sent::Connect]);
        rig.session(Closed);
        notices.push(rig.take().iter().filter(|got| **got == failed(SnapshotTrouble::Unreachable, 0)).count());
        let failed = rig.now;
        rig.pass(rig.feed.next_deadline().since(rig.now));
        pauses.push(rig.now.since(failed));
    }
    assert_eq!(notices, [0, 0, 1, 0, 0, 0], "one attempt and two more");
    assert_eq!(pauses, [RETRY, Nanos(2 * RETRY.0), SLOW, SLOW, SLOW, SLOW]);
    rig.session(Connected);
    rig.bytes(&[accepted(), end_of_snapshot(41)].concat());
    rig.pass(Nanos(0));
    rig.session(Closed);
    assert_eq!(rig.take(), [opened(41), BEGIN, end(41), closed()]);
    rig.pass(Nanos::from_secs(1));
    rig.sent();
    assert!(rig.feed.request_snapshot(rig.now, &mut rig.out));
    rig.drain(&[]);
    rig.session(Closed);
    rig.pass(RETRY);
    assert_eq!(rig.sent(), [Sent::Connect, Sent::Connect], "a success earns quick retries again");
}

/// What was said of attempts that failed, since the last look.
fn failures(rig: &mut Rig) -> Vec<Got> {
    let is_one = |got: &Got| matches!(got, Got::Notice(Notice::SnapshotFailed { .. }));
    rig.take().into_iter().filter(is_one).collect()
}

/// Time passes until the next one.
fn next_attempt(rig: &mut Rig) {
    let attempts = rig.feed.counters().snapshot_attempts;
    while rig.feed.counters().snapshot_attempts == attempts {
        rig.pass(rig.feed.next_deadline().since(rig.now));
    }
}

/// A login that is refused does not become right by being tried again: it is said at once, and again only after the
/// server has taken one, or in another session.
#[test]
fn a_refused_login_is_said_at_its_first_refusal_and_once() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..41));
    rig.pass(Nanos(0));
    let attempt = |rig: &mut Rig, answer: &[u8]| {
        assert_eq!(rig.sent().last(), Some(&Sent::Connect));
        if !answer.is_empty() {
            rig.session(Connected);
            rig.bytes(answer);
        }
        rig.session(Closed);
        let said = failures(rig);
        next_attempt(rig);
        said
    };
    let refusal = soup(Packet::LoginRejected(b'A'));
    let refused = [failed(SnapshotTrouble::Refused, 0)];
    assert_eq!(attempt(&mut rig, &refusal), refused);
    // Neither at the last quick attempt, nor later.
    for _ in 0..4 {
        assert_eq!(attempt(&mut rig, &refusal), []);
    }
    assert_eq!(attempt(&mut rig, &accepted()), [], "torn");
    assert_eq!(attempt(&mut rig, &refusal), refused, "it had been right in between");
    assert_eq!(attempt(&mut rig, &refusal), []);
}

/// What else fails is said in its turn, whether refusals came before it or not.
#[test]
fn what_may_pass_is_said_at_the_last_quick_attempt_also_after_a_refusal() {
    let mut rig = Rig::new(late());
    rig.packet(A, &packet(40..41));
    rig.pass(Nanos(0));
    rig.session(Connected);
    rig.bytes(&soup(Packet::LoginRejected(b'A')));
    for said in [vec![failed(SnapshotTrouble::Refused, 0)], vec![], vec![failed(SnapshotTrouble::Unreachable, 0)]] {
        rig.session(Closed);
        assert_eq!(failures(&mut rig), said);
        next_attempt(&mut rig);
    }
}

#[test]
fn a_snapshot_too_old_to_be_joined_is_of_no_use() {
    let mut no_server = late();
    no_server.rerequest.enabled = false;
    for (config, next, joined) in [
        (no_server, 40, true),
        (no_server, 39, false),
        (FeedConfig { max_gap: 5, ..late() }, 35, true),
        (FeedConfig { max_gap: 5, ..late() }, 34, false),
    ] {
        let mut rig = logged_in(config);
        rig.bytes(&end_of_snapshot(next));
        let got = rig.take();
        assert_eq!(got.contains(&end(next)), joined, "{next}: {got:?}");
        assert_eq!(rig.feed.counters().snapshot_failures, u64::from(!joined));
    }
}

#[test]
fn a_gap_that_cannot_be_filled_is_healed_by_a_snapshot() {
    let mut rig = Rig::running(with_snapshots());
    rig.packet(A, &packet(5..7));
    rig.pass(Nanos(GAP.0 + 3 * REPLY.0));
    assert_eq!(rig.sent(), [ask(3, 2), ask(3, 2), ask(3, 2), Sent::Connect]);
    assert_eq!(rig.take(), [opened(3), lost(3, 2)], "the stream waits for the snapshot");
    rig.session(Connected);
    rig.packet(A, &packet(7..8));
    rig.bytes(&[accepted(), item(&message(901)), end_of_snapshot(6)].concat());
    assert_eq!(rig.take(), [BEGIN, s(901), end(6), m(6), closed(), m(7)]);
}

#[test]
fn a_gap_that_opens_during_a_splice_is_handled_after_it() {
    let mut rig = logged_in(late());
    rig.bytes(&item(&message(901)));
    rig.packet(A, &packet(50..51));
    rig.bytes(&[item(&message(902)), end_of_snapshot(42)].concat());
    assert_eq!(rig.take(), [BEGIN, s(901), s(902), end(42)]);
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(42, 8), logout(), Sent::Disconnect]);
    rig.packet(R, &packet(42..50));
    assert_eq!(rig.take(), level(42..51));
}

#[test]
fn the_loss_of_one_book_does_not_make_the_others_wait_before_the_snapshot_comes() {
    let mut rig = Rig::running(with_snapshots());
    rig.packet(A, &spoiled(3..5, &[3]));
    rig.pass(Nanos(GAP.0 + 3 * REPLY.0));
    let only = n(Notice::Lost { first: 3, count: 1, locate: Some(locate(3)) });
    assert_eq!(rig.take(), [opened(3), only, closed(), m(4)]);
    assert_eq!(rig.sent().last(), Some(&Sent::Connect));
    rig.packet(A, &packet(5..6));
    assert_eq!(rig.take(), [m(5)]);
    rig.session(Connected);
    rig.packet(A, &packet(6..7));
    assert_eq!(rig.take(), [opened(6)]);
}

#[test]
fn the_core_may_ask_for_a_snapshot() {
    let mut rig = Rig::running(with_snapshots());
    assert!(rig.feed.request_snapshot(rig.now, &mut rig.out));
    rig.drain(&[]);
    assert!(rig.feed.request_snapshot(rig.now, &mut rig.out), "the same one");
    rig.drain(&[]);
    rig.packet(A, &packet(3..4));
    assert_eq!((rig.take(), rig.sent()), (vec![m(3)], vec![Sent::Connect]));
    rig.session(Connected);
    rig.bytes(&[accepted(), item(&message(901))].concat());
    rig.packet(A, &packet(4..5));
    // The snapshot itself may be what is wrong: then one more, but not at once.
    assert!(rig.feed.request_snapshot(rig.now, &mut rig.out));
    rig.drain(&[]);
    rig.bytes(&end_of_snapshot(4));
    assert_eq!(rig.take(), [opened(4), BEGIN, s(901), end(4), closed(), m(4)]);
    rig.pass(Nanos(0));
    rig.session(Closed);
    assert_eq!(rig.sent(), [login(), logout(), Sent::Disconnect]);
    rig.pass(Nanos(RETRY.0 - 1));
    assert_eq!(rig.sent(), []);
    rig.pass(Nanos(1));
    assert_eq!(rig.sent(), [Sent::Connect]);
}

#[test]
fn without_a_server_there_is_none_to_ask() {
    let mut rig = Rig::running(config());
    assert!(!rig.feed.request_snapshot(rig.now, &mut rig.out));
    rig.drain(&[]);
    rig.session(Connected);
    rig.bytes(b"anything");
    rig.session(Closed);
    assert_eq!((rig.take(), rig.sent()), (vec![], vec![]));
}

#[test]
fn a_snapshot_older_than_what_was_released_brings_the_stream_back_to_it() {
    let mut rig = Rig::running(with_snapshots());
    rig.packet(A, &packet(3..9));
    rig.feed.request_snapshot(rig.now, &mut rig.out);
    rig.drain(&[]);
    rig.session(Connected);
    rig.bytes(&[accepted(), end_of_snapshot(7)].concat());
    rig.pass(Nanos(0));
    rig.packet(R, &packet(7..9));
    rig.packet(A, &packet(9..10));
    assert_eq!(rig.take(), [ms(3..9), vec![opened(9), BEGIN, end(7), m(7), closed(), m(8), m(9)]].concat());
}

#[test]
fn a_snapshot_of_the_old_session_is_not_spliced_into_the_new_one() {
    let mut rig = logged_in(FeedConfig { line_timeout: Nanos(PATIENCE.0 - 1), ..late() });
    rig.bytes(&item(&message(901)));
    rig.pass(Nanos(PATIENCE.0 - 1));
    let tomorrow = packet_of(NEXT_DAY, 1, &[message(1)]);
    (0..2).for_each(|_| rig.packet(A, &tomorrow));
    rig.bytes(&end_of_snapshot(41));
    let silent = [A, B].map(|line| n(Notice::LineSilent(line)));
    assert_eq!(rig.take()[2..], [&silent[..], &[n(Notice::SessionChanged), n(Notice::LineBack(A)), m(1)]].concat());
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [logout(), Sent::Disconnect]);
    rig.session(Closed);
    rig.packet(A, &packet_of(NEXT_DAY, 2, &[message(2)]));
    rig.pass(Nanos(RETRY.0));
    assert_eq!((rig.take()[0].clone(), rig.sent()), (m(2), vec![]));
}

#[test]
fn a_long_snapshot_keeps_its_session_alive() {
    let config = late();
    let mut snapshot = config.snapshot.unwrap();
    snapshot.timeout = Nanos::from_secs(3);
    let mut rig = logged_in(FeedConfig { snapshot: Some(snapshot), ..config });
    for _ in 0..5 {
        rig.pass(Nanos::from_millis(1_500));
        rig.bytes(&item(&message(901)));
    }
    let heartbeats = rig.sent().iter().filter(|sent| **sent == Sent::Bytes(b"\0\x01R".to_vec())).count();
    assert!(heartbeats >= 5, "{heartbeats}");
    rig.bytes(&end_of_snapshot(42));
    assert_eq!(rig.take().last(), Some(&closed()));
    assert!(rig.now > Mono(7_000_000_000));
}
