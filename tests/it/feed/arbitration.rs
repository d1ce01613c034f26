//! One stream out of two lines: what is released, what is believed, what is dropped.

use super::rig::*;
use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::feed::{FeedConfig, Mold, Notice, Release, SnapshotConfig, Start};
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::wire::moldudp64::end_of_session;
use zerocopy::IntoBytes;

#[test]
fn messages_in_turn_come_out_of_the_packet_itself() {
    let (mut feed, mut out) = (Mold::<Toy>::new(config()).unwrap(), Outbox::new(0));
    feed.on_packet(Mono(1), A, &beat(1), &mut out);
    assert!(matches!(feed.next(&[]), Some(Release::Notice(Notice::MarketBack { next: 1, said: false }))));
    assert_eq!(feed.next(&[]), None);
    for first in [1, 5] {
        let bytes = packet(first..first + 4);
        feed.on_packet(Mono(1), A, &bytes, &mut out);
        for n in first..first + 4 {
            let Some(Release::Message { sequence, bytes: message, .. }) = feed.next(&bytes) else { panic!("{n}") };
            assert_eq!(sequence, n);
            assert!(bytes.as_ptr_range().contains(&message.as_ptr()), "no copy");
        }
        assert_eq!(feed.next(&bytes), None);
    }
    assert_eq!((feed.next_sequence(), feed.is_live()), (9, true));
    assert_eq!((feed.counters().lines[0].won, feed.counters().lines[0].packets), (8, 3));
}

#[test]
fn a_duplicate_is_dropped_and_counted_a_broken_one_as_broken() {
    let mut rig = Rig::running(config());
    let mut copy = packet(1..3);
    rig.packet(B, &copy);
    let b = rig.feed.counters().lines[1];
    assert_eq!((b.duplicates, b.truncated, b.malformed, b.won), (2, 0, 0, 0));
    copy[20..].fill(0xFF);
    rig.packet(B, &copy);
    assert_eq!((rig.take(), rig.sent()), (vec![], vec![]));
    let b = rig.feed.counters().lines[1];
    assert_eq!((b.duplicates, b.truncated, b.malformed, b.won), (2, 1, 0, 0));
}

#[test]
fn the_lines_may_cut_the_stream_differently() {
    let mut rig = Rig::new(config());
    rig.packet(A, &packet(1..4));
    rig.packet(B, &packet(1..2));
    rig.packet(B, &packet(2..7));
    rig.packet(A, &packet(4..6));
    rig.packet(A, &packet(6..9));
    assert_eq!(rig.take(), ms(1..9));
    let [a, b, _] = rig.feed.counters().lines;
    assert_eq!((a.won, b.won), (5, 3));
    assert_eq!((a.duplicates, b.duplicates), (3, 3));
}

#[test]
fn a_malformed_copy_counts_as_not_received_and_the_other_line_heals_it() {
    let mut rig = Rig::running(config());
    rig.packet(A, &spoiled(3..6, &[4]));
    assert_eq!(rig.take(), [m(3), opened(4)]);
    rig.packet(B, &packet(3..6));
    assert_eq!(rig.take(), [m(4), closed(), m(5)]);
    assert_eq!(rig.feed.counters().lines[0].malformed, 1);
    assert_eq!(rig.sent(), []);
}

#[test]
fn a_malformed_copy_does_not_spoil_a_good_one() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(4..6));
    rig.packet(B, &spoiled(4..6, &[4, 5]));
    rig.packet(B, &spoiled(2..4, &[2]));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), closed(), m(5)]);
}

#[test]
fn a_packet_torn_anywhere_is_dropped_whole_and_no_word_of_it_believed() {
    let whole = packet(3..9);
    for cut in 20..whole.len() {
        let mut rig = Rig::running(config());
        rig.packet(A, &whole[..cut]);
        assert_eq!((rig.take(), rig.feed.counters().lines[0].truncated), (vec![], 1), "{cut}");
        rig.packet(B, &packet(3..6));
        assert_eq!(rig.take(), ms(3..6));
        assert!(rig.feed.is_live(), "of message 6 and on there was only the word of a torn packet");
    }
}

#[test]
fn unknown_types_are_messages_and_open_no_gap() {
    let mut rig = Rig::running(config());
    let odd = b"?what is this".to_vec();
    rig.packet(A, &packet_of(DAY, 3, &[odd.clone(), message(4)]));
    assert_eq!(rig.take(), [Got::Message(3, odd), m(4)]);
    assert!(rig.feed.is_live());
}

#[test]
fn a_new_session_is_believed_when_it_is_heard_twice_and_starts_from_one() {
    let mut rig = Rig::running(watched());
    rig.packet(A, &packet(9..10));
    assert_eq!(rig.take(), [opened(3)]);
    let tomorrow = packet_of(NEXT_DAY, 1, &[message(1)]);
    // While this session may still speak, none is believed, however often it is heard.
    rig.now = rig.now.after(Nanos(QUIET.0 - 1));
    (0..5).for_each(|_| rig.packet(A, &tomorrow));
    assert_eq!(rig.take(), []);
    rig.packet(A, &beat(10));
    rig.pass(QUIET);
    rig.take();
    rig.sent();
    rig.packet(A, &tomorrow);
    assert_eq!(rig.take(), []);
    rig.packet(B, &tomorrow);
    assert_eq!(rig.take(), [n(Notice::SessionChanged), n(Notice::LineBack(B)), m(1)]);
    assert_eq!((rig.feed.session(), rig.feed.next_sequence()), (Some(NEXT_DAY), 2));
    // Nothing of the old session is left, neither what waited nor its gap.
    rig.pass(Nanos(QUIET.0 - 1));
    assert_eq!((rig.take(), rig.sent()), (vec![], vec![]));
    rig.packet(B, &packet_of(NEXT_DAY, 2, &(2..9).map(message).collect::<Vec<_>>()));
    assert_eq!(rig.take(), ms(2..9));
    assert_eq!(rig.feed.counters().session_changes, 1);
}

#[test]
fn stragglers_do_not_turn_the_session_back() {
    let mut rig = Rig::running(watched());
    rig.packet(A, &farewell(3));
    let tomorrow = packet_of(NEXT_DAY, 1, &[message(1)]);
    (0..2).for_each(|_| rig.packet(A, &tomorrow));
    rig.take();
    for _ in 0..5 {
        rig.packet(B, &packet(3..6));
        rig.packet(B, &farewell(6));
    }
    // Not even when the new one is over: until that, too, has been silent for long.
    let over = end_of_session(NEXT_DAY, 2).as_bytes().to_vec();
    rig.packet(A, &over);
    (0..5).for_each(|_| rig.packet(B, &packet(3..6)));
    assert_eq!(rig.take(), [n(Notice::EndOfSession)]);
    assert_eq!((rig.feed.session(), rig.feed.counters().lines[1].foreign), (Some(NEXT_DAY), 15));
}

#[test]
fn a_stray_session_is_forgotten_as_soon_as_ours_moves_on() {
    let mut rig = Rig::running(config());
    for first in 3..20 {
        rig.packet(B, &packet_of(NEXT_DAY, 1, &[message(1)]));
        rig.packet(A, &packet(first..first + 1));
    }
    assert_eq!(rig.take(), ms(3..20));
    assert_eq!((rig.feed.counters().session_changes, rig.feed.counters().lines[1].foreign), (0, 17));
}

#[test]
fn after_the_end_of_a_session_the_next_is_believed_when_it_is_heard_twice() {
    let mut rig = Rig::running(config());
    rig.packet(A, &farewell(3));
    let tomorrow = packet_of(NEXT_DAY, 1, &[message(1)]);
    rig.packet(A, &tomorrow);
    rig.packet(A, &farewell(3));
    rig.packet(B, &tomorrow);
    assert_eq!(rig.take(), [n(Notice::EndOfSession)], "the old one was heard in between");
    rig.packet(A, &tomorrow);
    assert_eq!(rig.take(), [n(Notice::SessionChanged), m(1)]);
}

#[test]
fn with_a_session_configured_no_other_is_heard() {
    let mut rig = Rig::new(FeedConfig { session: Some(DAY), ..config() });
    for _ in 0..3 {
        rig.packet(A, &packet_of(NEXT_DAY, 1, &[message(1)]));
    }
    assert_eq!((rig.take(), rig.feed.session()), (vec![], None));
    rig.packet(A, &packet(1..2));
    rig.packet(A, &farewell(2));
    for _ in 0..3 {
        rig.packet(A, &packet_of(NEXT_DAY, 1, &[message(1)]));
    }
    assert_eq!(rig.take(), [m(1), n(Notice::EndOfSession)]);
    assert_eq!(rig.feed.counters().lines[0].foreign, 6);
}

#[test]
fn the_replies_of_the_server_name_no_session() {
    let mut rig = Rig::new(config());
    rig.packet(R, &packet(1..2));
    assert_eq!((rig.take(), rig.feed.session()), (vec![], None));
    rig.packet(A, &packet(1..2));
    (0..3).for_each(|_| rig.packet(R, &packet_of(NEXT_DAY, 1, &[message(1)])));
    assert_eq!((rig.take(), rig.feed.session()), (ms(1..2), Some(DAY)));
    assert_eq!(rig.feed.counters().lines[2].foreign, 4);
}

#[test]
fn numbers_that_cannot_be_are_counted_and_nothing_else() {
    let mut rig = Rig::running(config());
    let mut sent = 0;
    for (first, count) in [(0, 1), (0, 0), (0, 0xFFFF), (u64::MAX, 1), (u64::MAX - 3, 4)] {
        let mut bytes = packet(3..4);
        bytes[10..18].copy_from_slice(&u64::to_be_bytes(first));
        bytes[18..20].copy_from_slice(&u16::to_be_bytes(count));
        rig.packet(A, &bytes);
        sent += 1;
    }
    for length in 0..20 {
        rig.packet(A, &packet(3..4)[..length]);
        sent += 1;
    }
    assert_eq!(rig.take(), []);
    assert_eq!(rig.feed.counters().lines[0].bad_header, sent);
    rig.packet(LineId(3), &packet(3..4));
    rig.packet(LineId(255), &packet(3..4));
    assert_eq!((rig.take(), rig.feed.counters().unknown_line), (vec![], 2));
    rig.packet(A, &packet(3..4));
    assert_eq!(rig.take(), [m(3)]);
}

#[test]
fn the_last_numbers_of_all_are_no_trouble() {
    let last = u64::MAX - 1;
    let mut rig = Rig::new(FeedConfig { start: Start::Next, ..config() });
    rig.packet(A, &packet(last - 1..last));
    rig.packet(A, &packet(last..u64::MAX));
    rig.packet(A, &beat(u64::MAX));
    rig.packet(A, &farewell(u64::MAX));
    rig.pass(Nanos::from_secs(10));
    assert_eq!(rig.take(), [n(Notice::Joined { first: last - 1 }), m(last - 1), m(last), n(Notice::EndOfSession)]);
}

#[test]
fn a_count_beyond_the_bytes_is_not_believed() {
    for count in [3, 60_000u16] {
        let mut rig = Rig::running(config());
        let mut bytes = packet(3..5);
        bytes[18..20].copy_from_slice(&count.to_be_bytes());
        rig.packet(A, &bytes);
        rig.pass(Nanos(GAP.0));
        assert_eq!((rig.take(), rig.sent(), rig.feed.counters().lines[0].truncated), (vec![], vec![], 1));
    }
}

#[test]
fn a_packet_with_bytes_behind_the_counted_messages_is_dropped_whole() {
    for (mut bytes, extra) in [(packet(3..5), 1), (packet(3..5), 30), (beat(9), 1), (farewell(3), 1)] {
        let mut rig = Rig::running(config());
        bytes.resize(bytes.len() + extra, 0);
        rig.packet(A, &bytes);
        assert_eq!((rig.take(), rig.feed.counters().lines[0].trailing), (vec![], 1));
    }
}

#[test]
fn a_jump_beyond_reason_needs_a_second_witness() {
    let far = 5_000;
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(far..far + 1));
    rig.packet(A, &beat(far * far));
    rig.packet(A, &packet(3..4));
    let dropped = |number, next| n(Notice::JumpDropped { number, next, damaged: false });
    assert_eq!(rig.take(), [dropped(far * far, 3), m(3)]);
    assert_eq!((rig.feed.counters().lines[0].implausible, rig.feed.counters().jumps_dropped), (2, 1));
    rig.packet(A, &packet(far + 1..far + 2));
    assert_eq!(rig.take(), [], "the last one heard was another");
    rig.packet(B, &packet(far + 1..far + 2));
    assert_eq!(rig.take(), [opened(4)], "until it is known who is right");
    assert!(!rig.feed.is_live());
    rig.packet(B, &packet(4..5));
    assert_eq!(rig.take(), [dropped(far + 1, 4), closed(), m(4)], "the lines go on");
    assert!(rig.feed.is_live() && rig.feed.counters().gaps == 0, "nothing was ever missing");
}

#[test]
fn a_late_copy_of_what_was_given_up_is_dropped_and_counted() {
    let mut config = config();
    config.rerequest.enabled = false;
    let mut rig = Rig::running(config);
    rig.packet(A, &packet(5..6));
    rig.pass(GAP);
    assert_eq!(rig.take(), [opened(3), lost(3, 2), closed(), m(5)]);
    rig.packet(B, &packet(3..5));
    rig.packet(B, &packet(1..3));
    assert_eq!((rig.take(), rig.feed.counters().lines[1].late), (vec![], 1));
    // Up to where the stream stands.
    rig.packet(A, &beat(8));
    rig.pass(GAP);
    assert_eq!(rig.take(), [opened(6), lost(6, 2), closed()]);
    rig.packet(B, &packet(6..8));
    assert_eq!((rig.take(), rig.feed.counters().lines[1].late), (vec![], 2));
}

#[test]
fn a_line_that_is_not_heard_is_reported_and_so_is_its_return() {
    let mut rig = Rig::new(FeedConfig { line_timeout: Nanos(500), ..config() });
    rig.pass(Nanos(0));
    rig.pass(Nanos(499));
    assert_eq!(rig.take(), []);
    rig.packet(A, &packet(1..2));
    rig.pass(Nanos(1));
    assert_eq!(rig.take(), [m(1), n(Notice::LineSilent(B))]);
    rig.pass(Nanos(400));
    rig.packet(R, &packet(1..2));
    rig.packet(B, &packet_of(NEXT_DAY, 1, &[message(1)]));
    assert_eq!(rig.take(), [], "neither a reply nor a stray is a sign of life");
    rig.packet(B, &beat(2));
    assert_eq!(rig.take(), [n(Notice::LineBack(B))]);
    rig.pass(Nanos(600));
    assert_eq!(rig.take(), [n(Notice::LineSilent(A)), n(Notice::LineSilent(B))]);
    rig.packet(A, &packet(1..3));
    assert_eq!(rig.take(), [n(Notice::LineBack(A)), m(2)]);
    rig.packet(A, &farewell(3));
    rig.pass(Nanos::from_secs(10));
    assert_eq!(rig.take(), [n(Notice::EndOfSession)], "after the end silence is no news");
}

#[test]
fn a_feed_of_one_line_does_not_miss_the_other() {
    let mut rig = Rig::new(FeedConfig { line_timeout: Nanos(500), lines: 1, ..config() });
    rig.pass(Nanos(500));
    rig.pass(Nanos(10_000));
    assert_eq!(rig.take(), [n(Notice::LineSilent(A))]);
}

#[test]
fn a_feed_may_begin_in_the_middle_and_says_what_it_lacks() {
    let mut rig = Rig::new(FeedConfig { start: Start::Next, ..config() });
    rig.packet(B, &packet(40..42));
    assert_eq!(rig.take(), [n(Notice::Joined { first: 40 }), m(40), m(41)]);
    let mut rig = Rig::new(FeedConfig { start: Start::Next, ..config() });
    rig.pass(Nanos(1));
    rig.packet(B, &beat(40));
    rig.packet(B, &packet(40..42));
    assert_eq!(rig.take(), [n(Notice::Joined { first: 40 }), m(40), m(41)]);
    let mut rig = Rig::new(FeedConfig { start: Start::Next, ..config() });
    rig.packet(B, &packet(1..3));
    assert_eq!(rig.take(), ms(1..3));
}

#[test]
fn every_error_of_the_configuration_names_its_field() {
    let snapshot = with_snapshots().snapshot.unwrap();
    let bad_snapshot = |s: SnapshotConfig| FeedConfig { snapshot: Some(s), ..config() };
    let bad_request = |max_messages, reply_timeout, retries| {
        let mut c = config();
        c.rerequest.max_messages = max_messages;
        c.rerequest.reply_timeout = reply_timeout;
        c.rerequest.retries = retries;
        c
    };
    let cases = [
        ("lines", FeedConfig { lines: 0, ..config() }),
        ("lines", FeedConfig { lines: 3, ..config() }),
        ("window_messages", FeedConfig { window_messages: 0, ..config() }),
        ("window_messages", FeedConfig { window_messages: 1, ..config() }),
        ("window_messages", FeedConfig { window_messages: 65, ..config() }),
        ("window_messages", FeedConfig { window_messages: 1 << 23, ..config() }),
        ("window_message_bytes", FeedConfig { window_message_bytes: 63, ..config() }),
        ("window_message_bytes", FeedConfig { window_message_bytes: 65_536, ..config() }),
        ("max_gap", FeedConfig { max_gap: 0, ..config() }),
        ("max_gap", FeedConfig { max_gap: (1 << 40) + 1, ..config() }),
        ("line_timeout", FeedConfig { line_timeout: Nanos(0), ..config() }),
        ("rerequest.max_messages", bad_request(0, REPLY, 1)),
        ("rerequest.max_messages", bad_request(65_535, REPLY, 1)),
        ("rerequest.reply_timeout", bad_request(1, Nanos(0), 1)),
        ("rerequest.retries", bad_request(1, REPLY, 1_001)),
        ("snapshot", FeedConfig { start: Start::Snapshot, ..config() }),
        ("snapshot.timeout", bad_snapshot(SnapshotConfig { timeout: Nanos(0), ..snapshot })),
        ("snapshot.retries", bad_snapshot(SnapshotConfig { retries: 1_001, ..snapshot })),
        ("snapshot.retry_after", bad_snapshot(SnapshotConfig { retry_after: Nanos(0), ..snapshot })),
        ("snapshot.slow_retry_after", bad_snapshot(SnapshotConfig { slow_retry_after: Nanos(1), ..snapshot })),
        ("snapshot.buffer_bytes", bad_snapshot(SnapshotConfig { buffer_bytes: 127, ..snapshot })),
        ("snapshot.buffer_bytes", bad_snapshot(SnapshotConfig { buffer_bytes: 65_538, ..snapshot })),
    ];
    for (field, config) in cases {
        let error = Mold::<Toy>::new(config).err().unwrap_or_else(|| panic!("{field} passed"));
        assert_eq!(error.field, field);
        assert!(error.to_string().starts_with(&format!("{field} must be ")));
    }
    assert!(Mold::<Toy>::new(FeedConfig::default()).is_ok() && Mold::<Toy>::new(with_snapshots()).is_ok());
}

#[test]
fn equal_inputs_give_equal_digests_and_every_wait_shows_in_them() {
    let inputs: [fn(&mut Rig); 8] = [
        |r| r.packet(A, &packet(1..3)),
        |r| r.packet(A, &packet(5..6)),
        |r| r.packet(A, &spoiled(4..5, &[4])),
        |r| r.packet(B, &packet_of(NEXT_DAY, 1, &[message(1)])),
        |r| r.pass(GAP),
        |r| r.packet(B, &beat(9)),
        |r| r.packet(R, &packet(3..4)),
        |r| r.packet(A, &farewell(9)),
    ];
    let (mut one, mut two) = (Rig::new(config()), Rig::new(config()));
    let mut seen = vec![one.digest()];
    for input in inputs {
        input(&mut one);
        input(&mut two);
        assert_eq!(one.digest(), two.digest());
        assert!(!seen.contains(&one.digest()));
        seen.push(one.digest());
    }
}
