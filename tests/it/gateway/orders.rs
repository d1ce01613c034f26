//! Own orders in the feed, commands, and the life of the order-entry session.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{Nanos, Qty, SessionId, Side, VenueId, VenueRef};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::entry::{OrderEntry, Stage};
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig, Signal};

/// What the imbalance signal weighs: shares bid and offered.
fn pressure(rig: &Rig) -> (i64, i64) {
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    let p = signal.value(X, rig.lane.core().book(X)).unwrap();
    (p.bid.0, p.ask.0)
}

#[test]
fn own_orders_are_matched_to_the_feed_whichever_comes_first() {
    for feed_first in [false, true] {
        let mut rig = Rig::trading(&Setup::default());
        rig.venue.answers = false;
        rig.tell(1, Do::Buy, 100, 100_000);
        let request = rig.venue.asked.last().unwrap().clone();
        let accepted = rig.venue.accept(&request);
        let token = *rig.venue.orders.keys().next().unwrap();
        let reference = rig.venue.orders[&token].reference;
        let shown = add(1, reference, b"B", 100, 100_000);
        if feed_first {
            rig.market(&[shown]);
            assert_eq!(pressure(&rig), (400, 500), "not yet known to be ours");
            rig.say(accepted);
        } else {
            rig.say(accepted);
            assert_eq!(pressure(&rig), (300, 500));
            rig.market(&[shown]);
        }
        assert_eq!(pressure(&rig), (300, 500), "corrected: own shares do not count");
        let book = rig.lane.core().book(X);
        assert_eq!(book.top(Side::Buy).map(|l| (l.qty, l.own_qty)), Some((Qty(400), Qty(100))));
        assert_eq!(book.queue_ahead(VenueRef(reference)), Some(Qty(300)));
        assert_eq!(book.order(VenueRef(reference)).and_then(|o| o.client), Some(rig.newest().0));
        // Someone behind it does not count; who is before it and trades does.
        rig.market(&[add(1, 90, b"B", 50, 100_000), execute(1, 1_000, 200, 1)]);
        assert_eq!(rig.lane.core().book(X).queue_ahead(VenueRef(reference)), Some(Qty(100)));
        assert_eq!(pressure(&rig), (150, 500));
        // Its end: whatever the feed still shows is not ours any more.
        let cancelled = rig.venue.cancel(token).unwrap();
        rig.say(cancelled);
        rig.market(&[delete(1, reference)]);
        assert_eq!((pressure(&rig), rig.live()), ((150, 500), 0));
    }
}

#[test]
fn a_finished_order_stays_own_until_the_feed_takes_it_out() {
    let mut rig = Rig::trading(&Setup::default());
    rig.venue.answers = false;
    rig.tell(1, Do::Buy, 100, 100_000);
    let request = rig.venue.asked.last().unwrap().clone();
    let accepted = rig.venue.accept(&request);
    let token = *rig.venue.orders.keys().next().unwrap();
    let reference = rig.venue.orders[&token].reference;
    rig.say(accepted);
    rig.market(&[add(1, reference, b"B", 100, 100_000)]);
    let own = |rig: &Rig| rig.lane.core().book(X).top(Side::Buy).map(|l| (l.qty, l.own_qty));
    assert_eq!(own(&rig), Some((Qty(400), Qty(100))));
    // The venue says first that it is gone; the feed still shows it, and nobody must take it for interest.
    let cancelled = rig.venue.cancel(token).unwrap();
    rig.say(cancelled);
    assert_eq!((rig.live(), own(&rig), pressure(&rig)), (0, Some((Qty(400), Qty(100))), (300, 500)));
    rig.market(&[delete(1, reference)]);
    assert_eq!((own(&rig), pressure(&rig)), (Some((Qty(300), Qty(0))), (300, 500)));
    // Its mark is gone with it: the same reference, used again, is somebody else's.
    rig.market(&[add(1, reference, b"B", 100, 100_000)]);
    assert_eq!(own(&rig), Some((Qty(400), Qty(0))));
}

#[test]
fn a_kill_cancels_everything_lets_nothing_in_and_can_be_released() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.tell(2, Do::Buy, 100, 99_000);
    rig.venue.answers = false;
    rig.tell(2, Do::Replace, 200, 99_100);
    rig.look();
    rig.command(Word::Kill);
    assert_eq!(rig.asked(), "X".repeat(3), "two orders and the replacement on its way");
    rig.tell(1, Do::Sell, 100, 102_000);
    assert_eq!(rig.decisions().last(), Some(&refused(Refusal::Killed)));
    assert!(!rig.asked().contains('O'));
    // A cancel that is not answered is sent again: cancels pass.
    rig.look();
    rig.venue.answers = true;
    rig.pass(Nanos::from_millis(1_500));
    assert!(rig.asked().contains('X') && rig.live() == 0, "{}", rig.asked());

    rig.command(Word::Release);
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!((rig.decisions(), rig.live()), (vec![APPROVED], 1));
}

#[test]
fn a_disabled_strategy_is_not_asked_and_what_rested_is_cancelled() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.tell(1, Do::BuyLater, 1_000, 0);
    rig.look();
    rig.command(Word::Disable);
    assert_eq!((rig.asked().as_str(), rig.live()), ("X", 0));
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.pass(Nanos::from_millis(10));
    assert!(rig.decisions().is_empty(), "neither by messages nor by its timer");
    assert_eq!(rig.lane.core().book(X).last_trade().map(|t| t.1), Some(Qty(100)), "the market goes on");
    rig.command(Word::Enable);
    rig.tell(1, Do::Buy, 100, 99_000);
    assert!(rig.decisions().contains(&APPROVED));
}

#[test]
fn a_shutdown_cancels_waits_for_the_answers_and_logs_out() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.venue.answers = false;
    rig.look();
    rig.command(Word::Shutdown);
    assert_eq!((rig.asked().as_str(), rig.lane.core().entry(VenueId::FIRST).unwrap().stage()), ("X", Stage::Sweeping));
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.asked(), "X");
    let token = rig.newest().1;
    let cancelled = rig.venue.cancel(token).unwrap();
    rig.say(cancelled);
    assert_eq!((rig.live(), rig.lane.core().entry(VenueId::FIRST).unwrap().stage()), (0, Stage::Over));
    let logout = Effect::Send(SessionId::ORDERS, firelane_gateway::flow::outbox::Class::Session, vec![0, 1, b'O']);
    assert!(rig.trace.effects.contains(&logout));
    let effects = rig.trace.effects.len();
    rig.pass(Nanos::from_secs(10));
    assert_eq!(rig.trace.effects.len(), effects, "it does not come back");
}

#[test]
fn a_lost_session_comes_back_and_orders_that_may_not_rest_any_more_are_swept() {
    let mut setup = Setup::default();
    setup.feed.snapshot = None;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.tell(2, Do::Buy, 100, 99_000);
    rig.look();
    rig.cut();
    assert_eq!(rig.alerts(), [Alert::EntryLost as u16]);
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::EntryNotReady)]);
    // The book of the first turns stale while nothing can be cancelled.
    rig.market(&[delete(1, 4_711)]);
    assert_eq!((rig.asked().as_str(), rig.live()), ("", 2));
    rig.look();
    // Cancels pass as soon as there is a login; enters wait for the answer to the query.
    rig.pass(Nanos::from_millis(3_500));
    assert_eq!(rig.alerts(), [Alert::EntryReady as u16]);
    assert_eq!((rig.asked().as_str(), rig.live()), ("XQ", 1), "the other one may stay");
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions().last(), Some(&APPROVED));
}

/// A venue with a history: one order partly filled and alive, one replaced and alive, one filled.
fn history() -> Venue {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 500, 99_000);
    let first = rig.newest().1;
    rig.tell(2, Do::Sell, 200, 102_000);
    let filled = rig.newest().1;
    let report = rig.venue.execute(first, 60, 99_000);
    rig.say(report);
    let report = rig.venue.execute(filled, 200, 102_000);
    rig.say(report);
    rig.tell(1, Do::Replace, 400, 99_100);
    assert_eq!((rig.position(X), rig.position(Y), rig.live()), (60, -200, 1));
    rig.venue
}

#[test]
fn a_restart_replays_from_one_cancels_what_lives_takes_positions_and_then_trades() {
    let mut rig = Rig::new(&Setup::default());
    rig.venue = history().restarted();
    rig.market(&opening(2));
    rig.look();
    rig.start();
    let login = rig.trace.effects.iter().find_map(|e| match e {
        Effect::Send(SessionId::ORDERS, _, bytes) => Some(bytes.clone()),
        _ => None,
    });
    assert_eq!(login.unwrap()[29..49].trim_ascii(), b"1");
    assert_eq!(rig.asked(), "QX", "asks what the venue knows, cancels what lives");
    assert_eq!((rig.position(X), rig.position(Y), rig.live()), (60, -200, 0));
    assert_eq!(rig.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Ready);
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!((rig.decisions().last(), rig.live()), (Some(&APPROVED), 1));
    let tokens: Vec<u32> = rig.venue.orders.keys().copied().collect();
    assert_eq!(tokens, [4], "beyond every token of the run before");
}

#[test]
fn nothing_is_traded_before_the_replay_is_worked_through() {
    let mut rig = Rig::new(&Setup::default());
    rig.venue = history().restarted();
    rig.market(&opening(2));
    rig.command(Word::Start);
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::EntryNotReady)]);
    assert_eq!((rig.position(X), rig.live()), (60, 1), "adopted, and not yet cancelled");
}

#[test]
fn an_input_larger_than_the_framer_is_taken_in_parts() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 1_000, 99_000);
    let token = rig.newest().1;
    for _ in 0..100 {
        let report = rig.venue.execute(token, 3, 99_000);
        rig.say(report);
    }
    let mut setup = Setup::default();
    setup.entry.login.capacity = 128;
    let mut again = Rig::new(&setup);
    again.venue = rig.venue.restarted();
    again.market(&opening(2));
    again.start();
    let longest = again.given.iter().map(|(_, g)| if let Given::Bytes(_, b) = g { b.len() } else { 0 }).max();
    assert!(longest > Some(3_000), "the whole replay came at once");
    assert_eq!((again.position(X), again.live()), (300, 0));
    assert_eq!(again.lane.core().entry(VenueId::FIRST).unwrap().stage(), Stage::Ready);
}
