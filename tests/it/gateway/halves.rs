//! The two machines of a lane on their own: what one core does with both, two cores do with one each.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{Mono, Nanos, Qty, SessionId, VenueId};
use firelane_gateway::flow::entry::{Away, OrderEntry, Stage};
use firelane_gateway::flow::feed::Release;
use firelane_gateway::flow::outbox::{Class, Outbox, Progress};
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wiring::Wiring;
use firelane_gateway::flow::{Core, Gateway, Input, Machine};

/// A release that owns its bytes, as it would cross a ring.
enum Crossing {
    Message(u64, Vec<u8>, Mono),
    Snapshot(Vec<u8>),
    Notice(firelane_gateway::flow::feed::Notice),
}

fn finish<W: Wiring>(core: &mut Core<W>, input: Input<'_>, out: &mut Outbox, trace: &mut Trace) {
    while core.run(input, out) == Progress::Again {
        trace.take(out);
    }
    trace.take(out);
}

/// Feeds a recorded run to the two machines apart: the feed runs as far ahead as it can, up to the next input that is
/// the core's.
fn apart<W: Wiring>(lane: Gateway<W>, given: &[(Mono, Given)]) -> (Trace, Gateway<W>) {
    let (mut feed, mut core) = lane.split();
    let (mut trace, mut out, mut feeds) = (Trace::default(), Outbox::new(0), Outbox::new(0));
    let runs = given.chunk_by(|a, b| a.1.as_input().machine() == b.1.as_input().machine());
    for run in runs {
        let mut crossing = Vec::new();
        for (now, given) in run.iter().filter(|(_, given)| given.as_input().machine() == Machine::Feed(VenueId::FIRST))
        {
            let input = given.as_input();
            let mut own = Trace::default();
            feed.on_input(*now, input, &mut feeds);
            own.take(&mut feeds);
            let bytes = match input {
                Input::Packet(_, bytes) | Input::Session(_, _, SessionInput::Bytes(bytes)) => bytes,
                _ => &[],
            };
            let mut released = Vec::new();
            while let Some(release) = feed.next(VenueId::FIRST, bytes) {
                released.push(match release {
                    Release::Message { sequence, bytes, arrived } => {
                        Crossing::Message(sequence, bytes.to_vec(), arrived)
                    }
                    Release::Snapshot { bytes } => Crossing::Snapshot(bytes.to_vec()),
                    Release::Notice(notice) => Crossing::Notice(notice),
                });
            }
            crossing.push((own, released));
        }
        let mut crossing = crossing.into_iter();
        for (now, given) in run {
            let input = given.as_input();
            let mut released = Vec::new();
            if input.machine() != Machine::Core {
                let (own, releases) = crossing.next().unwrap();
                trace.effects.extend(own.effects);
                released = releases;
            }
            core.begin(*now, input, &mut out);
            finish(&mut core, input, &mut out, &mut trace);
            for release in &released {
                let release = match release {
                    Crossing::Message(sequence, bytes, arrived) => {
                        Release::Message { sequence: *sequence, bytes, arrived: *arrived }
                    }
                    Crossing::Snapshot(bytes) => Release::Snapshot { bytes },
                    Crossing::Notice(notice) => Release::Notice(*notice),
                };
                core.on_release(VenueId::FIRST, release, &mut out);
                finish(&mut core, input, &mut out, &mut trace);
            }
        }
    }
    (trace, Gateway::join(feed, core))
}

#[test]
fn two_machines_apart_do_what_they_do_together() {
    for seed in 30..34 {
        let rig = super::same::a_day(seed, 1_200);
        let (trace, lane) = apart(lane(&Setup::default(), super::same::maker()), &rig.given);
        assert!(trace == rig.trace, "seed {seed}");
        assert_eq!(lane.digest(), rig.lane.digest(), "seed {seed}");
    }
}

/// In two threads, what the feed saw first may reach the core behind something later.
#[test]
fn time_does_not_run_backwards_in_the_core() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    let (order, _) = rig.newest();
    let early = rig.now;
    rig.pass(Nanos::from_millis(5));
    rig.command(firelane_gateway::flow::Word::Enable);
    let late = rig.now;
    rig.now = early;
    rig.venue.answers = false;
    rig.tell(1, Do::Cancel, 0, 0);
    assert_eq!(rig.lane.core().orders().get(order).and_then(|o| o.cancelling).map(|c| c.at), Some(late));
}

#[test]
fn a_message_that_waited_behind_a_gap_says_when_it_came() {
    let mut feed = firelane_gateway::flow::feed::Mold::<firelane_gateway::flow::itch_line::ItchLine>::new(
        firelane_gateway::flow::feed::FeedConfig::default(),
    )
    .unwrap();
    let mut out = Outbox::new(0);
    let mut released = |at: u64, sequence: u64| {
        let bytes = packet(DAY, sequence, &[add(1, sequence, b"B", 100, 99_500)]);
        feed.on_packet(Mono(at), A, &bytes, &mut out);
        let mut all = Vec::new();
        while let Some(release) = feed.next(&bytes) {
            if let Release::Message { sequence, arrived, .. } = release {
                all.push((sequence, arrived.0));
            }
        }
        all
    };
    assert_eq!(released(10, 1), [(1, 10)]);
    assert_eq!(released(20, 3), []);
    assert_eq!(released(30, 4), []);
    assert_eq!(released(40, 2), [(2, 40), (3, 20), (4, 30)]);
    assert_eq!(released(50, 5), [(5, 50)]);
}

/// The frames that the lane sent last, as the shell's kill switch would take them out.
fn last_order(rig: &Rig) -> Vec<u8> {
    let sent = rig.trace.effects.iter().rev().find_map(|effect| match effect {
        Effect::Send(SessionId::ORDERS, Class::Order, bytes) => Some(bytes.clone()),
        _ => None,
    });
    sent.unwrap()
}

#[test]
fn orders_that_the_kill_switch_took_out_free_their_exposure() {
    let mut rig = Rig::trading(&Setup::default());
    rig.venue.answers = false;
    rig.tell(1, Do::Buy, 100, 99_000);
    let first = last_order(&rig);
    rig.tell(1, Do::Buy, 200, 98_000);
    let second = last_order(&rig);
    let open = |rig: &Rig| rig.lane.core().gate().ledger().account(X).buys.qty;
    assert_eq!((rig.live(), open(&rig)), (2, Qty(300)));
    rig.give(Given::Dropped(SessionId::ORDERS, [first, second].concat()));
    assert_eq!((rig.live(), open(&rig)), (0, Qty(0)));
    // What is no order frees nothing, and does no harm.
    rig.give(Given::Dropped(SessionId::ORDERS, vec![0, 3, b'U', 1, 2, 9, 9]));
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.live(), 1);
}

#[test]
fn nothing_new_is_sent_to_a_venue_that_does_not_read() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.look();
    rig.give(Given::Blocked(SessionId::ORDERS));
    rig.tell(1, Do::Buy, 100, 98_000);
    assert_eq!(rig.decisions(), [refused(Refusal::EntryNotReady)]);
    rig.tell(1, Do::Cancel, 0, 0);
    assert_eq!(rig.asked(), "X", "a cancel goes all the same");
    rig.look();
    rig.give(Given::Writable(SessionId::ORDERS));
    rig.tell(1, Do::Buy, 100, 98_000);
    assert_eq!((rig.asked().as_str(), rig.decisions()), ("O", vec![APPROVED]));
    // A lost connection takes its blockage with it.
    rig.give(Given::Blocked(SessionId::ORDERS));
    rig.cut();
    rig.pass(Nanos::from_secs(4));
    assert!(rig.lane.core().entry(VenueId::FIRST).unwrap().ready());
}

#[test]
fn whoever_reads_the_tape_learns_why_order_entry_was_lost() {
    let mut rig = Rig::trading(&Setup::default());
    rig.look();
    rig.give(Given::Blocked(SessionId::ORDERS));
    rig.give(Given::Writable(SessionId::ORDERS));
    assert_eq!(rig.alerts(), [Alert::EntryLost as u16, Alert::EntryReady as u16]);
    assert_eq!(rig.lost_for(), [Away::Blocked]);
    rig.look();
    rig.cut();
    assert_eq!(rig.lost_for(), [Away::Closed]);
    rig.pass(Nanos::from_secs(4));
    rig.look();
    // A stream that makes no sense, first when it is ready, and then on each new attempt.
    for _ in 0..2 {
        rig.give(Given::Bytes(SessionId::ORDERS, vec![0, 0]));
        rig.cut();
        assert_eq!(rig.lost_for(), [Away::Garbled]);
        rig.look();
        rig.pass(Nanos::from_millis(1_100));
        assert!(!rig.lane.core().entry(VenueId::FIRST).unwrap().ready() && rig.alerts().is_empty());
    }
    rig.pass(Nanos::from_secs(4));
    assert_eq!(rig.alerts(), [Alert::EntryReady as u16]);
    rig.look();
    rig.command(firelane_gateway::flow::Word::Shutdown);
    assert_eq!(rig.lost_for(), [Away::Closing]);
}

#[test]
fn the_end_of_order_entry_is_said_once_with_its_reason() {
    let mut rig = Rig::trading(&Setup::default());
    rig.look();
    rig.command(firelane_gateway::flow::Word::Shutdown);
    rig.pass(Nanos::from_secs(3));
    assert_eq!(rig.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Over);
    let over = rig.alerts().into_iter().filter(|alert| *alert == Alert::EntryOver as u16).count();
    assert_eq!(over, 1);
}
