//! What is believed: silence, ends, numbers out of reach, other sessions, packets that are none. Whatever a datagram
//! says, and on however many lines, the feed is level with the stream again soon after the stream goes on.

use super::rig::*;
use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::feed::{FeedConfig, Notice, SnapshotTrouble, Start};
use firelane_gateway::flow::session::SessionInput::{Closed, Connected};
use firelane_gateway::flow::wire::moldudp64::{end_of_session, heartbeat};
use zerocopy::IntoBytes;

fn dropped(number: u64, next: u64) -> Got {
    n(Notice::JumpDropped { number, next, damaged: false })
}

fn silent(next: u64, heard: bool) -> Got {
    n(Notice::MarketSilent { next, heard })
}

fn back(next: u64, said: bool) -> Got {
    n(Notice::MarketBack { next, said })
}

/// Running, and telling of silence, but not line by line.
fn listening(config: FeedConfig) -> Rig {
    let mut rig = Rig::running(config);
    rig.hears_silence = true;
    rig
}

fn heard(rig: &mut Rig) -> Vec<Got> {
    let mut got = rig.take();
    got.retain(|got| !matches!(got, Got::Notice(Notice::LineSilent(_) | Notice::LineBack(_))));
    got
}

fn far_beat(session: [u8; 10], next: u64) -> Vec<u8> {
    heartbeat(session, next).as_bytes().to_vec()
}

#[test]
fn the_feed_is_dark_until_a_line_is_heard_and_says_so_after_a_while() {
    let mut rig = Rig { hears_silence: true, ..Rig::new(watched()) };
    assert!(!rig.feed.is_live());
    rig.pass(Nanos(0));
    rig.pass(Nanos(QUIET.0 - 1));
    assert_eq!(heard(&mut rig), []);
    rig.pass(Nanos(1));
    assert_eq!(heard(&mut rig), [silent(1, false)]);
    rig.pass(Nanos(10 * QUIET.0));
    assert_eq!((heard(&mut rig), rig.feed.counters().silences), (vec![], 1), "once");
    rig.packet(B, &packet(1..3));
    assert_eq!(heard(&mut rig), [back(1, true), m(1), m(2)]);
    assert!(rig.feed.is_live());
    let mut rig = Rig { hears_silence: true, ..Rig::new(watched()) };
    rig.packet(A, &beat(1));
    assert_eq!(heard(&mut rig), [back(1, false)]);
}

#[test]
fn silence_of_all_lines_begins_exactly_at_the_timeout_and_ends_with_a_packet_that_follows() {
    let mut rig = listening(watched());
    rig.pass(Nanos(QUIET.0 - 1));
    assert!(heard(&mut rig).is_empty() && rig.feed.is_live());
    rig.pass(Nanos(1));
    assert_eq!(heard(&mut rig), [silent(3, false)]);
    assert!(!rig.feed.is_live());
    // What is older than the stream does not show where it is, nor does a broken packet or another session.
    rig.packet(A, &packet(1..2));
    rig.packet(A, &beat(2));
    rig.packet(A, &packet(3..5)[..30]);
    rig.packet(A, &far_beat(NEXT_DAY, 3));
    rig.packet(R, &packet(1..3));
    assert_eq!(heard(&mut rig), []);
    rig.packet(A, &packet(1..3));
    assert_eq!(heard(&mut rig), [back(3, true)], "one that ends exactly there does");
    for (bytes, got) in [(beat(3), vec![]), (packet(3..5), ms(3..5)), (packet(2..4), ms(3..4))] {
        let mut rig = listening(watched());
        rig.pass(QUIET);
        rig.packet(B, &bytes);
        assert_eq!(heard(&mut rig), [vec![silent(3, false), back(3, true)], got].concat());
        assert!(rig.feed.is_live());
    }
}

#[test]
fn a_gap_that_is_found_after_a_silence_is_said_before_its_end() {
    for bytes in [beat(5), packet(5..6)] {
        let mut rig = listening(watched());
        rig.pass(QUIET);
        rig.packet(B, &bytes);
        assert_eq!(heard(&mut rig), [silent(3, false), opened(3), back(3, true)]);
        assert!(!rig.feed.is_live());
        rig.packet(A, &packet(3..6));
        assert!(rig.feed.is_live());
    }
}

#[test]
fn one_line_that_speaks_is_enough_and_a_single_line_that_does_not_is_too_little() {
    let mut rig = listening(watched());
    for _ in 0..20 {
        rig.pass(Nanos(QUIET.0 - 1));
        rig.packet(B, &beat(3));
    }
    assert!(heard(&mut rig).is_empty() && rig.feed.is_live());
    let mut rig = listening(FeedConfig { lines: 1, ..watched() });
    rig.pass(QUIET);
    assert_eq!(heard(&mut rig), [silent(3, false)]);
}

#[test]
fn after_the_end_the_session_goes_on_only_if_it_speaks_longer_than_its_end_is_repeated() {
    let mut rig = listening(watched());
    rig.packet(A, &farewell(3));
    assert_eq!(heard(&mut rig), [n(Notice::EndOfSession)]);
    assert!(!rig.feed.is_live());
    rig.packet(B, &packet(3..4));
    rig.pass(Nanos(QUIET.0 - 1));
    rig.packet(B, &packet(4..5));
    assert_eq!(heard(&mut rig), [m(3), m(4)], "released, for whoever keeps books");
    assert!(!rig.feed.is_live());
    rig.packet(B, &farewell(5));
    rig.pass(Nanos(QUIET.0 - 1));
    rig.packet(B, &packet(5..6));
    assert_eq!(heard(&mut rig), [m(5)], "its end was said again");
    rig.pass(Nanos(1));
    rig.packet(B, &packet(1..2));
    assert_eq!(heard(&mut rig), [], "a straggler");
    rig.packet(B, &beat(6));
    assert_eq!(heard(&mut rig), [n(Notice::SessionGoesOn)]);
    assert!(rig.feed.is_live());
    // And has an end again.
    rig.packet(B, &farewell(6));
    assert_eq!(heard(&mut rig), [n(Notice::EndOfSession)]);
    // After the end silence is no news, but lines that come back late do not make it fresh for nothing.
    rig.pass(Nanos(5 * QUIET.0));
    assert_eq!(heard(&mut rig), []);
    rig.packet(A, &farewell(6));
    assert!(!rig.feed.is_live() && heard(&mut rig) == [back(6, false)]);
}

/// The end of one session says nothing about the next one.
#[test]
fn a_known_end_does_not_outlive_its_session() {
    let mut rig = Rig::running(watched());
    rig.packet(A, &packet(8..9));
    rig.packet(A, &farewell(9));
    rig.now = rig.now.after(QUIET);
    rig.feed.on_timer(rig.now, &mut rig.out);
    rig.drain(&[]);
    let tomorrow = packet_of(NEXT_DAY, 1, &(1..8).map(message).collect::<Vec<_>>());
    (0..2).for_each(|_| rig.packet(A, &tomorrow));
    rig.take();
    rig.packet(A, &packet_of(NEXT_DAY, 8, &[message(8), message(9)]));
    rig.packet(A, &packet_of(NEXT_DAY, 10, &[message(10)]));
    // Whatever there is to say of it is said now.
    rig.feed.on_timer(rig.now, &mut rig.out);
    rig.drain(&[]);
    assert_eq!(rig.take(), ms(8..11));
    assert!(rig.feed.is_live(), "ten messages, and no end");
}

/// Of each kind one datagram, on both lines.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let mut random = 0x1234_5678_9ABC_DEF0u64;
    let noise = (0..1_400).map(|_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (random >> 56) as u8
    });
    let mut long = packet(3..5);
    long[21] += 1;
    vec![
        ("a heartbeat at the end of all numbers", far_beat(DAY, u64::MAX)),
        ("an end at the end of all numbers", end_of_session(DAY, u64::MAX).as_bytes().to_vec()),
        ("a heartbeat far ahead", far_beat(DAY, 1_000_000)),
        ("messages far ahead", packet(1_000_000..1_000_002)),
        ("a heartbeat within reach", far_beat(DAY, 500)),
        ("an end within reach", end_of_session(DAY, 500).as_bytes().to_vec()),
        ("an end at once", farewell(3)),
        ("a heartbeat of another session", far_beat(NEXT_DAY, 3)),
        ("messages of another session", packet_of(NEXT_DAY, 1, &[message(1)])),
        ("an end of another session", end_of_session(NEXT_DAY, 1).as_bytes().to_vec()),
        ("a session that is no name", far_beat(*b"\x002026\xFF1121", 3)),
        ("1,400 random bytes", noise.collect()),
        ("a length that does not fit", long),
        ("a torn packet", packet(3..9)[..60].to_vec()),
        ("nothing", vec![]),
    ]
}

/// The stream goes on, at one message a step of a tenth of the time that a line may be silent.
fn go_on(rig: &mut Rig, from: u64, steps: u64) -> u64 {
    for number in from..from + steps {
        rig.pass(Nanos(QUIET.0 / 10));
        for sent in rig.sent() {
            // The re-request server has what was published.
            if let Sent::Request { first, count, .. } = sent
                && first < number
            {
                let end = (first + u64::from(count)).min(number);
                rig.packet(R, &packet(first..end));
            }
        }
        rig.packet(A, &packet(number..number + 1));
        rig.packet(B, &packet(number..number + 1));
    }
    from + steps
}

#[test]
fn no_datagram_ends_the_feed() {
    for lines in [&[A][..], &[A, B], &[A, A, B, B], &[A, B, R]] {
        for (what, bytes) in hostile() {
            for server in [true, false] {
                let mut config = watched();
                config.rerequest.enabled = server;
                let mut rig = Rig::running(config);
                lines.iter().for_each(|line| rig.packet(*line, &bytes));
                let next = go_on(&mut rig, 3, 40);
                let context = format!("{what} on {lines:?}, re-requests: {server}");
                assert_eq!((rig.feed.session(), rig.feed.next_sequence()), (Some(DAY), next), "{context}");
                let got: Vec<_> = rig.take();
                let numbers: Vec<_> =
                    got.iter().filter_map(|g| if let Got::Message(n, _) = g { Some(*n) } else { None }).collect();
                let lost = rig.feed.counters().lost > 0;
                assert!(lost || numbers == (3..next).collect::<Vec<_>>(), "{context}: {numbers:?}");
                assert!(rig.feed.is_live() || lost, "{context}: {got:?}");
                assert!(!lost || !server, "{context}: nothing is lost that can be asked for");
            }
        }
    }
}

#[test]
fn a_number_within_reach_that_no_line_bears_out_is_dropped_without_a_loss() {
    let mut rig = Rig::running(watched());
    rig.packet(A, &beat(500));
    assert_eq!(rig.take(), [opened(3)]);
    rig.packet(A, &packet(3..4));
    rig.packet(B, &packet(3..4));
    // The set of requests that it takes to believe that nobody has the rest.
    rig.pass(Nanos(GAP.0 + 3 * REPLY.0 - 1));
    assert_eq!(rig.take(), [m(3)]);
    rig.pass(Nanos(REPLY.0));
    assert_eq!(rig.take(), [dropped(500, 4), closed()]);
    assert!(rig.feed.is_live() && rig.feed.counters().jumps_dropped == 1 && rig.feed.counters().lost == 0);
    // But one that a line still stands by is not.
    let mut rig = Rig::running(watched());
    rig.packet(A, &beat(5));
    rig.packet(B, &beat(3));
    rig.pass(Nanos(GAP.0 + 4 * REPLY.0));
    assert_eq!(rig.take(), [opened(3), lost(3, 2), closed()]);
}

/// Copies of one datagram are no stream; packets that go on are, if nothing is heard of the current session.
#[test]
fn another_session_that_goes_on_while_this_one_is_quiet_is_believed_soon() {
    let one = |number: u64| packet_of(NEXT_DAY, number, &[message(number)]);
    let mut rig = Rig::running(watched());
    for number in [1, 1, 2, 2, 1, 3] {
        rig.packet(A, &one(number));
    }
    assert_eq!(rig.take(), []);
    rig.packet(B, &beat(3));
    for number in [4, 5, 6, 6] {
        rig.packet(A, &one(number));
    }
    assert_eq!(rig.take(), [], "this one was heard in between");
    rig.packet(A, &one(7));
    assert_eq!(rig.take(), [n(Notice::SessionChanged), opened(1)]);
    // The one before does not come back that way: its stragglers go on, too.
    rig.now = rig.now.after(Nanos(QUIET.0 - 1));
    (3..20).for_each(|number| rig.packet(B, &packet(number..number + 1)));
    assert_eq!(rig.feed.session(), Some(NEXT_DAY));
}

/// Its first packet is not believed yet, and yet it was heard: what it held is asked for, also by a feed that joins wherever
/// the stream stands. Its place is not what a single number says, however far ahead that is.
#[test]
fn another_session_is_joined_at_the_first_number_that_was_heard_of_it() {
    for (heard, joined) in [([1, 3], 1), ([4, 6], 4), ([6, 4], 4), ([3, 900_000_000], 3), ([900_000_000, 3], 3)] {
        let mut rig = Rig::running(FeedConfig { start: Start::Next, ..watched() });
        rig.packet(A, &farewell(3));
        rig.take();
        for number in heard {
            rig.packet(A, &packet_of(NEXT_DAY, number, &[message(number), message(number + 1)]));
        }
        assert_eq!(rig.feed.session(), Some(NEXT_DAY), "{heard:?}");
        let told = joined > 1;
        assert_eq!(rig.take().contains(&n(Notice::Joined { first: joined })), told, "{heard:?}");
        let first = rig.feed.next_sequence();
        let already = u64::from(heard[1] == joined) * 2;
        assert_eq!((first, rig.feed.counters().lost), (joined + already, 0), "{heard:?}");
        rig.take();
        rig.packet(B, &packet_of(NEXT_DAY, first, &[message(first)]));
        assert!(rig.take().contains(&m(first)), "{heard:?}");
    }
}

#[test]
fn a_session_that_speaks_on_wins_its_place_back() {
    let mut rig = Rig::running(watched());
    rig.pass(QUIET);
    rig.take();
    // While the lines were away another session was heard twice.
    (0..2).for_each(|_| rig.packet(A, &far_beat(NEXT_DAY, 1)));
    assert_eq!(rig.feed.session(), Some(NEXT_DAY));
    go_on(&mut rig, 3, 9);
    assert_eq!(rig.feed.session(), Some(NEXT_DAY), "it has its time");
    rig.take();
    let next = go_on(&mut rig, 12, 20);
    assert_eq!((rig.feed.session(), rig.feed.next_sequence()), (Some(DAY), next));
    assert!(rig.feed.is_live() && rig.take().contains(&n(Notice::SessionChanged)));
}

#[test]
fn lines_that_stand_before_the_stream_for_long_take_it_back() {
    let mut config = watched();
    config.rerequest.enabled = false;
    let mut rig = Rig { hears_silence: true, ..Rig::running(config) };
    rig.packet(A, &beat(500));
    rig.pass(GAP);
    assert_eq!(heard(&mut rig), [opened(3), lost(3, 497), closed()], "nothing spoke against it yet");
    for number in 3..12 {
        rig.pass(Nanos(QUIET.0 / 10));
        rig.packet(B, &packet(number..number + 1));
    }
    assert_eq!(heard(&mut rig), []);
    rig.pass(Nanos(QUIET.0 / 10));
    let taken_back = n(Notice::JumpDropped { number: 500, next: 12, damaged: true });
    assert_eq!(heard(&mut rig), [taken_back.clone(), back(12, false)]);
    rig.packet(B, &packet(12..14));
    assert_eq!(heard(&mut rig), ms(12..14));
    assert!(!rig.feed.is_live(), "what was missed makes the books wrong");
    // So do lines that are silent first, and come back before it.
    let mut rig = listening(watched());
    rig.packet(A, &packet(3..9));
    rig.pass(QUIET);
    rig.packet(B, &beat(7));
    rig.pass(Nanos(QUIET.0 - 1));
    rig.packet(B, &beat(7));
    assert_eq!(heard(&mut rig), [ms(3..9), vec![silent(9, false)]].concat());
    rig.pass(Nanos(1));
    let taken_back = n(Notice::JumpDropped { number: 9, next: 7, damaged: true });
    assert_eq!(heard(&mut rig), [taken_back, back(7, true)]);
}

/// A late start with a snapshot: message 40 came first, and the login was accepted.
fn splicing(config: FeedConfig) -> Rig {
    let mut rig = Rig::new(FeedConfig { start: Start::Snapshot, ..config });
    rig.packet(A, &packet(40..42));
    rig.pass(Nanos(0));
    rig.session(Connected);
    rig.bytes(&accepted());
    rig.take();
    rig
}

#[test]
fn a_jump_that_was_believed_is_dropped_when_a_snapshot_contradicts_it() {
    let mut rig = Rig::running(FeedConfig { line_timeout: QUIET, ..with_snapshots() });
    rig.pass(QUIET);
    (0..2).for_each(|_| rig.packet(A, &beat(u64::MAX)));
    rig.pass(GAP);
    let got = rig.take();
    assert!(got.contains(&lost(3, u64::MAX - 3)), "{got:?}");
    assert_eq!(rig.sent(), [Sent::Connect]);
    rig.session(Connected);
    rig.bytes(&[accepted(), item(&message(901)), end_of_snapshot(60)].concat());
    let got = rig.take();
    let begin = got.iter().position(|got| *got == n(Notice::SnapshotBegin)).unwrap();
    let end = n(Notice::SnapshotEnd { next: 60 });
    assert_eq!(got[begin + 2..begin + 4], [dropped(u64::MAX, 60), end]);
    rig.packet(B, &packet(60..62));
    assert_eq!(rig.take().last(), Some(&m(61)));
    rig.pass(Nanos(0));
    rig.session(Closed);
    assert!(rig.feed.is_live() && rig.feed.counters().snapshot_failures == 0);
}

#[test]
fn a_snapshot_that_cannot_be_joined_is_said_once_with_where_it_stands() {
    let mut rig = splicing(FeedConfig { max_gap: 5, ..with_snapshots() });
    let mut said = Vec::new();
    let mut attempts = vec![rig.now];
    for _ in 0..8 {
        rig.bytes(&end_of_snapshot(20));
        said.extend(rig.take().into_iter().filter(|got| matches!(got, Got::Notice(Notice::SnapshotFailed { .. }))));
        rig.pass(Nanos(0));
        rig.session(Closed);
        rig.pass(rig.feed.next_deadline().since(rig.now));
        attempts.push(rig.now);
        rig.session(Connected);
        rig.bytes(&accepted());
    }
    assert_eq!(said, [n(Notice::SnapshotFailed { why: SnapshotTrouble::Unfit, next: 20 })]);
    let pauses: Vec<_> = attempts.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    let [one, two] = [RETRY, Nanos(2 * RETRY.0)];
    assert_eq!(pauses, [one, two, SLOW, SLOW, SLOW, SLOW, SLOW, SLOW]);
    assert_eq!(rig.feed.counters().gaps, 0, "attempts are no gaps");
}

#[test]
fn snapshots_that_are_spliced_and_do_not_help_are_taken_at_longer_intervals_and_it_is_said_once() {
    let mut rig = Rig::running(with_snapshots());
    let (mut said, mut ended) = (Vec::new(), Vec::<Mono>::new());
    for _ in 0..8 {
        assert!(rig.feed.request_snapshot(rig.now, &mut rig.out));
        rig.drain(&[]);
        for _ in 0..5 {
            if rig.sent().contains(&Sent::Connect) {
                break;
            }
            rig.pass(rig.feed.next_deadline().since(rig.now));
        }
        rig.session(Connected);
        rig.bytes(&[accepted(), end_of_snapshot(3)].concat());
        ended.push(rig.now);
        rig.pass(Nanos(0));
        rig.session(Closed);
        said.extend(rig.take().into_iter().filter(|got| matches!(got, Got::Notice(Notice::SnapshotFailed { .. }))));
    }
    assert_eq!(said, [n(Notice::SnapshotFailed { why: SnapshotTrouble::Fruitless, next: 0 })]);
    let pauses: Vec<_> = ended.windows(2).map(|pair| pair[1].since(pair[0])).collect();
    assert_eq!(pauses, [RETRY, Nanos(2 * RETRY.0), SLOW, SLOW, SLOW, SLOW, SLOW]);
    assert_eq!(rig.feed.counters().gaps, 0);
    // One that lasts earns quick ones again.
    rig.pass(SLOW);
    rig.sent();
    rig.feed.request_snapshot(rig.now, &mut rig.out);
    rig.drain(&[]);
    assert_eq!(rig.sent(), [Sent::Connect]);
}

#[test]
fn one_gap_is_one_gap_however_often_a_snapshot_is_tried_for_it() {
    let mut rig = Rig::running(with_snapshots());
    rig.packet(A, &packet(5..6));
    rig.pass(Nanos(GAP.0 + 3 * REPLY.0));
    for _ in 0..6 {
        rig.session(Connected);
        rig.bytes(&[accepted(), item(&message(901))].concat());
        rig.session(Closed);
        rig.pass(rig.feed.next_deadline().since(rig.now));
        rig.pass(rig.feed.next_deadline().since(rig.now));
    }
    // And one that is spliced behind what cannot be had.
    rig.session(Connected);
    rig.bytes(&[accepted(), end_of_snapshot(4)].concat());
    rig.pass(Nanos(GAP.0 + 4 * REPLY.0));
    assert_eq!(rig.feed.counters().gaps, 1);
}

#[test]
fn live_is_only_what_can_be_trusted() {
    let mut rig = Rig::running(with_snapshots());
    assert!(rig.feed.is_live());
    rig.feed.request_snapshot(rig.now, &mut rig.out);
    rig.drain(&[]);
    assert!(!rig.feed.is_live(), "a snapshot is awaited");
    rig.session(Connected);
    rig.bytes(&[accepted(), item(&message(901))].concat());
    assert!(!rig.feed.is_live(), "it is being read");
    rig.bytes(&end_of_snapshot(3));
    assert!(rig.feed.is_live());
    rig.pass(Nanos(0));
    assert!(rig.feed.is_live(), "that its connection is closed is nobody's trouble");
    // A loss, where there is no snapshot to make it good.
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..6));
    rig.pass(Nanos::from_secs(1));
    assert_eq!(rig.take(), [opened(3), lost(3, 2), closed(), m(5)]);
    assert!(!rig.feed.is_live());
    rig.packet(A, &packet(6..7));
    assert!(!rig.feed.is_live());
}

#[test]
fn copies_that_differ_are_counted_by_line_and_said_once_a_session() {
    let other = |number: u64| {
        let mut bytes = message(number);
        *bytes.last_mut().unwrap() ^= 1;
        bytes
    };
    let mut rig = Rig::running(config());
    rig.packet(B, &packet_of(DAY, 1, &[message(1), other(2)]));
    assert_eq!(rig.take(), [n(Notice::LinesDiffer { sequence: 2, line: B })]);
    rig.packet(B, &packet_of(DAY, 1, &[other(1), other(2)]));
    assert_eq!((rig.take(), rig.feed.counters().lines[1].contradictions), (vec![], 3));
    // Line A is the second to bring these; they wait behind a gap.
    rig.packet(B, &packet(4..6));
    rig.packet(A, &packet_of(DAY, 4, &[other(4), message(5), message(6)]));
    let [a, b, _] = rig.feed.counters().lines;
    assert_eq!((a.contradictions, b.contradictions), (1, 3));
    rig.packet(A, &packet(3..4));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), m(5), closed(), m(6)], "the first copy counts");
    // A malformed copy is none, whichever comes first.
    rig.packet(A, &spoiled(7..9, &[7]));
    rig.packet(B, &packet(7..9));
    rig.packet(A, &spoiled(7..9, &[8]));
    let [a, b, _] = rig.feed.counters().lines;
    assert_eq!((a.contradictions, b.contradictions), (1, 3));
    // Equal copies in another cut.
    rig.packet(A, &packet(9..12));
    rig.packet(B, &packet(8..10));
    rig.packet(B, &packet(10..12));
    assert_eq!(rig.feed.counters().lines[1].contradictions, 3);
}

#[test]
fn notices_that_an_owner_does_not_take_are_counted_and_every_book_is_damaged() {
    let mut rig = listening(watched());
    for line in [LineId::A, LineId::B].into_iter().cycle().take(40) {
        rig.now = rig.now.after(QUIET);
        rig.feed.on_timer(rig.now, &mut rig.out);
        rig.feed.on_packet(rig.now, line, &beat(3), &mut rig.out);
    }
    assert!(rig.feed.counters().notices_dropped > 10 && !rig.feed.is_live());
    rig.drain(&[]);
    assert_eq!(rig.take().last(), Some(&n(Notice::Overrun)));
    rig.packet(A, &beat(3));
    assert!(!rig.feed.is_live(), "until a snapshot");
}
