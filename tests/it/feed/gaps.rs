//! Gaps: who may fill them, when they are asked for, when they are given up.

use super::rig::*;
use firelane_gateway::base::Nanos;
use firelane_gateway::flow::feed::{FeedConfig, Notice};

#[test]
fn what_comes_too_early_waits_for_the_other_line() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..7));
    rig.packet(A, &packet(7..9));
    assert_eq!(rig.take(), [opened(3)]);
    assert!(!rig.feed.is_live());
    rig.pass(Nanos(GAP.0 - 1));
    rig.packet(B, &packet(3..6));
    assert_eq!((rig.take(), rig.sent()), (level(3..9), vec![]));
    let c = rig.feed.counters();
    assert_eq!((c.gaps, c.filled_by_line, c.filled_by_rerequest), (1, 2, 0));
    assert_eq!(c.lines[0].out_of_order, 4);
}

#[test]
fn after_the_gap_timeout_the_hole_is_asked_for_and_no_more() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..7));
    rig.pass(Nanos(GAP.0 - 1));
    assert_eq!(rig.sent(), []);
    rig.pass(Nanos(1));
    assert_eq!(rig.sent(), [ask(3, 2)]);
    rig.packet(R, &packet(3..5));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), m(5), closed(), m(6)]);
    let c = rig.feed.counters();
    assert_eq!((c.requests, c.filled_by_rerequest, c.partial_replies), (1, 2, 0));
    rig.pass(Nanos::from_secs(1));
    assert_eq!(rig.sent(), []);
}

#[test]
fn a_busy_owner_that_never_calls_the_timer_still_asks() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..6));
    rig.now = rig.now.after(GAP);
    rig.packet(A, &packet(6..7));
    assert_eq!(rig.sent(), [ask(3, 2)]);
}

#[test]
fn what_is_in_hand_is_not_given_up_however_late_it_is() {
    let mut config = config();
    config.rerequest.enabled = false;
    let mut rig = Rig::running(config);
    rig.packet(A, &packet(5..6));
    rig.now = rig.now.after(GAP);
    rig.packet(B, &packet(2..5));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), closed(), m(5)]);
}

#[test]
fn one_request_asks_for_at_most_so_many() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(28..29));
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 10)]);
    rig.packet(R, &packet(3..13));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(13, 10)]);
    rig.packet(R, &packet(13..23));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(23, 5)]);
}

#[test]
fn after_a_partial_reply_the_rest_is_asked_for_at_once() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(9..10));
    rig.pass(GAP);
    rig.packet(R, &packet(3..5));
    rig.pass(Nanos(0));
    rig.packet(R, &packet(5..8));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(3, 6), ask(5, 4), ask(8, 1)]);
    assert_eq!(rig.feed.counters().partial_replies, 2);
}

#[test]
fn a_second_copy_of_a_reply_asks_for_nothing() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(9..10));
    rig.pass(GAP);
    rig.packet(R, &packet(3..5));
    rig.pass(Nanos(0));
    rig.sent();
    rig.packet(R, &packet(3..5));
    rig.packet(R, &packet(1..3));
    rig.pass(Nanos(REPLY.0 - 1));
    assert_eq!(rig.sent(), []);
}

#[test]
fn only_a_reply_that_begins_where_the_request_does_ends_the_wait_for_it() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(9..10));
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 6)]);
    rig.packet(B, &packet(3..4));
    rig.packet(R, &packet(5..6));
    rig.pass(Nanos(REPLY.0 - 1));
    assert_eq!(rig.sent(), []);
    rig.pass(Nanos(1));
    assert_eq!(rig.sent(), [ask(4, 1)]);
}

#[test]
fn without_an_answer_it_asks_again_up_to_the_limit_and_then_reports_the_loss() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..7));
    rig.pass(GAP);
    for _ in 0..2 {
        assert_eq!(rig.sent(), [ask(3, 2)]);
        rig.pass(Nanos(REPLY.0 - 1));
        assert_eq!(rig.sent(), []);
        rig.pass(Nanos(1));
    }
    assert_eq!(rig.sent(), [ask(3, 2)], "one request and two more");
    assert_eq!(rig.take(), [opened(3)]);
    rig.pass(REPLY);
    assert_eq!((rig.take(), rig.sent()), (vec![lost(3, 2), m(5), closed(), m(6)], vec![]));
    let c = rig.feed.counters();
    assert_eq!((c.requests, c.reply_timeouts, c.lost), (3, 3, 2));
    rig.packet(A, &packet(7..8));
    assert_eq!(rig.take(), [m(7)]);
}

#[test]
fn every_bit_of_progress_earns_a_full_set_of_retries() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(6..7));
    rig.pass(Nanos(GAP.0 + 2 * REPLY.0));
    assert_eq!(rig.sent().len(), 3);
    rig.packet(B, &packet(3..4));
    rig.pass(Nanos(3 * REPLY.0));
    assert_eq!(rig.sent(), [ask(4, 2), ask(4, 2), ask(4, 2)]);
    rig.pass(REPLY);
    assert_eq!(rig.take(), [opened(3), m(3), lost(4, 2), closed(), m(6)]);
}

#[test]
fn a_hole_that_was_given_up_costs_the_next_one_no_question() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(4..6));
    rig.packet(A, &packet(8..9));
    rig.pass(Nanos(GAP.0 + 3 * REPLY.0));
    assert_eq!(rig.take(), [opened(3), lost(3, 1), m(4), m(5)]);
    assert_eq!(rig.sent(), [ask(3, 1), ask(3, 1), ask(3, 1), ask(6, 2)]);
    rig.packet(R, &packet(6..8));
    assert_eq!(rig.take(), [m(6), m(7), closed(), m(8)]);
}

#[test]
fn holes_are_asked_for_one_after_the_other_and_what_is_between_is_kept() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(4..6));
    rig.packet(A, &packet(8..9));
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 1)]);
    rig.packet(R, &packet(3..4));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), m(5)]);
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(6, 2)]);
    rig.packet(R, &packet(6..8));
    assert_eq!(rig.take(), [m(6), m(7), closed(), m(8)]);
    assert_eq!(rig.feed.counters().gaps, 1);
}

#[test]
fn a_hole_seen_later_has_its_own_time_for_the_other_line() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(4..5));
    rig.pass(Nanos(GAP.0 - 1));
    rig.packet(A, &packet(6..7));
    rig.pass(Nanos(1));
    assert_eq!(rig.sent(), [ask(3, 1)]);
    rig.packet(R, &packet(3..4));
    rig.pass(Nanos(GAP.0 - 1));
    assert_eq!(rig.sent(), []);
    rig.pass(Nanos(1));
    assert_eq!(rig.sent(), [ask(5, 1)]);
}

#[test]
fn a_heartbeat_shows_a_gap() {
    let mut rig = Rig::running(config());
    rig.packet(A, &beat(3));
    assert_eq!(rig.take(), []);
    rig.packet(B, &beat(5));
    assert_eq!(rig.take(), [opened(3)]);
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 2)]);
    rig.packet(R, &packet(3..5));
    assert_eq!(rig.take(), [m(3), closed(), m(4)]);
    assert_eq!(rig.feed.counters().lines[1].heartbeats, 1);
}

#[test]
fn the_end_of_the_session_comes_once_and_after_everything() {
    let mut rig = Rig::running(config());
    rig.packet(A, &farewell(5));
    rig.packet(B, &farewell(5));
    assert_eq!(rig.take(), [opened(3)]);
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 2)]);
    rig.packet(R, &packet(3..5));
    assert_eq!(rig.take(), [m(3), closed(), m(4), n(Notice::EndOfSession)]);
    rig.packet(A, &farewell(5));
    rig.packet(B, &farewell(5));
    assert_eq!(rig.take(), []);
}

#[test]
fn an_end_before_what_exists_is_none() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet(5..6));
    rig.packet(A, &farewell(2));
    rig.packet(A, &farewell(4));
    rig.packet(B, &packet(3..5));
    assert_eq!(rig.take(), [opened(3), m(3), m(4), closed(), m(5)]);
    assert_eq!(rig.feed.counters().lines[0].implausible, 2);
}

#[test]
fn the_end_of_the_session_comes_after_a_loss_too() {
    let mut rig = Rig::running(config());
    rig.packet(A, &farewell(5));
    rig.pass(Nanos::from_secs(1));
    assert_eq!(rig.take(), [opened(3), lost(3, 2), closed(), n(Notice::EndOfSession)]);
}

#[test]
fn a_re_request_heals_a_malformed_copy() {
    let mut rig = Rig::running(config());
    rig.packet(A, &spoiled(3..5, &[3]));
    rig.packet(B, &spoiled(3..5, &[3]));
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 1)]);
    rig.packet(R, &spoiled(3..4, &[3]));
    rig.pass(Nanos(0));
    assert_eq!(rig.sent(), [ask(3, 1)], "a malformed answer is none");
    rig.packet(R, &packet(3..4));
    assert_eq!(rig.take(), [opened(3), m(3), closed(), m(4)]);
}

#[test]
fn if_every_copy_is_malformed_only_its_book_is_named() {
    let mut rig = Rig::running(config());
    rig.packet(A, &spoiled(3..7, &[4, 5]));
    rig.pass(GAP);
    for first in [4, 5] {
        for _ in 0..3 {
            rig.packet(R, &spoiled(first..6, &[4, 5]));
            rig.pass(Nanos(0));
        }
    }
    let only = |first| n(Notice::Lost { first, count: 1, locate: Some(locate(first)) });
    assert_eq!(rig.take(), [m(3), opened(4), only(4), only(5), closed(), m(6)]);
}

#[test]
fn a_malformed_message_without_a_locate_is_about_every_book() {
    let mut rig = Rig::running(config());
    rig.packet(A, &packet_of(DAY, 3, &[b"a".to_vec(), message(4)]));
    rig.pass(Nanos::from_secs(1));
    assert_eq!(rig.take(), [opened(3), lost(3, 1), closed(), m(4)]);
}

#[test]
fn a_loss_ends_where_a_malformed_copy_came() {
    let mut rig = Rig::running(config());
    rig.packet(A, &spoiled(5..7, &[5]));
    rig.pass(Nanos::from_secs(1));
    let only = n(Notice::Lost { first: 5, count: 1, locate: Some(locate(5)) });
    assert_eq!(rig.take(), [opened(3), lost(3, 2), only, closed(), m(6)]);
}

#[test]
fn a_gap_too_long_to_ask_for_is_given_up_at_once() {
    let mut rig = Rig::running(FeedConfig { max_gap: 20, ..config() });
    rig.packet(A, &packet(23..24));
    rig.pass(GAP);
    assert_eq!(rig.sent(), [ask(3, 10)], "twenty are worth it");
}

/// Farther than is believed at once: the books are stale, and once the stream has been silent for too long it is so.
#[test]
fn a_jump_that_nothing_speaks_against_is_believed_and_given_up_at_once() {
    let mut rig = Rig::running(FeedConfig { max_gap: 20, ..watched() });
    rig.packet(A, &packet(24..25));
    assert_eq!(rig.take(), []);
    rig.packet(B, &packet(24..25));
    assert_eq!(rig.take(), [opened(3)]);
    rig.pass(QUIET);
    rig.packet(A, &packet(25..26));
    rig.pass(GAP);
    let got = rig.take();
    assert_eq!((&got[got.len() - 3..], rig.sent()), (&[lost(3, 22), closed(), m(25)][..], vec![]));
    assert_eq!(rig.feed.counters().gaps, 1);
}

#[test]
fn without_a_server_the_gap_timeout_decides() {
    let mut config = config();
    config.rerequest.enabled = false;
    let mut rig = Rig::running(config);
    rig.packet(A, &packet(5..6));
    rig.pass(Nanos(GAP.0 - 1));
    assert_eq!(rig.take(), [opened(3)]);
    rig.pass(Nanos(1));
    assert_eq!((rig.take(), rig.sent()), (vec![lost(3, 2), closed(), m(5)], vec![]));
}

/// `window` messages fit behind the missing one (which has a cell, too); what is beyond is asked for in its turn.
#[test]
fn the_window_holds_exactly_what_it_has_room_for() {
    for (messages, dropped) in [(6, 0), (7, 0), (8, 1), (9, 2)] {
        let mut rig = Rig::running(FeedConfig { window_messages: 8, ..config() });
        rig.packet(A, &packet(4..4 + messages));
        assert_eq!(rig.feed.counters().window_full, dropped);
        rig.packet(B, &packet(3..4));
        let held = 4 + messages - dropped;
        let mut expected = vec![opened(3)];
        expected.extend(if dropped == 0 { level(3..held) } else { ms(3..held) });
        assert_eq!(rig.take(), expected);
        rig.pass(GAP);
        let asked = if dropped == 0 { vec![] } else { vec![ask(held, dropped as u16)] };
        assert_eq!(rig.sent(), asked);
        rig.packet(R, &packet(held..held + dropped));
        assert!(rig.feed.is_live());
    }
}

#[test]
fn a_message_longer_than_a_cell_does_not_wait_but_comes_in_its_turn() {
    for (length, waits) in [(63, true), (64, true), (65, false)] {
        let long = vec![b'?'; length];
        let mut rig = Rig::running(config());
        let early = packet_of(DAY, 4, &[long.clone(), message(5)]);
        rig.packet(A, &early);
        rig.packet(B, &packet(3..4));
        assert_eq!(rig.feed.counters().window_full, u64::from(!waits));
        if !waits {
            assert_eq!(rig.take(), [opened(3), m(3)]);
            rig.pass(GAP);
            assert_eq!(rig.sent(), [ask(4, 1)]);
            rig.packet(R, &packet_of(DAY, 4, std::slice::from_ref(&long)));
            assert_eq!(rig.take(), [Got::Message(4, long), closed(), m(5)]);
        } else {
            assert_eq!(rig.take(), [opened(3), m(3), Got::Message(4, long), closed(), m(5)]);
        }
    }
}

#[test]
fn a_gap_far_longer_than_the_window_is_filled_all_the_same() {
    let mut rig = Rig::running(FeedConfig { window_messages: 8, ..config() });
    let mut live = 500;
    rig.packet(A, &packet(live - 1..live));
    for _ in 0..10_000 {
        rig.pass(GAP);
        for sent in rig.sent() {
            let Sent::Request { first, count, .. } = sent else { panic!("{sent:?}") };
            rig.packet(R, &packet(first..first + u64::from(count).min(4)));
        }
        if rig.feed.is_live() {
            break;
        }
        if live < 700 {
            rig.packet(A, &packet(live..live + 1));
            live += 1;
        }
    }
    // Whenever nothing more was known to be missing, the gap was closed.
    let mut got = rig.take();
    got.retain(|got| !matches!(got, Got::Notice(_)));
    assert_eq!(got, ms(3..live));
    assert_eq!(rig.feed.counters().lost, 0);
}

#[test]
fn what_is_released_does_not_depend_on_when_the_outbox_is_drained() {
    let bytes = packet(4..9);
    let run = |drain_at: Option<usize>| {
        let mut rig = Rig::running(config());
        rig.packet(A, &packet(9..12));
        rig.now = rig.now.after(GAP);
        // A request is written and not drained when the packet comes.
        rig.feed.on_timer(rig.now, &mut rig.out);
        assert!(!rig.release(&[]));
        rig.feed.on_packet(rig.now, B, &packet(3..9), &mut rig.out);
        let input = packet(3..9);
        let mut step = 0;
        loop {
            if drain_at.is_none_or(|at| at == step) {
                rig.collect();
            }
            if !rig.release(&input) {
                break;
            }
            step += 1;
        }
        rig.collect();
        rig.packet(A, &bytes);
        (rig.take(), rig.sent(), rig.digest(), step)
    };
    let all = run(None);
    assert_eq!(all.1, [ask(3, 6)]);
    (0..=all.3).for_each(|at| assert_eq!(run(Some(at)), all));
}
