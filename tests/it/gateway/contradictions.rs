//! What a venue says that cannot be, and what the lane does about it; and what only looks like it.

use super::market::APPROVED;
use super::rig::*;
use super::silence::Greedy;
use firelane_gateway::base::{Nanos, SessionId, VenueId};
use firelane_gateway::flow::Word;
use firelane_gateway::flow::entry::{OrderEntry, Stage};
use firelane_gateway::flow::orders::{AnomalyKind, Counters};
use firelane_gateway::flow::record::{AnomalyBody, Kind};
use firelane_gateway::flow::wiring::Policy;

/// What was said to be impossible since the last look, and whether trading was stopped for it.
fn told<S>(rig: &Rig<S>) -> Vec<(AnomalyKind, bool)>
where
    S: firelane_gateway::flow::strategy::Strategy<firelane_gateway::flow::signal::Imbalance>,
{
    rig.tape(Kind::Anomaly, |b: &AnomalyBody| (AnomalyKind::from_number(b.what).unwrap(), b.stops == 1))
}

fn going_on() -> Setup {
    Setup { policy: Policy { stop_on_contradiction: false, ..Policy::default() }, ..Setup::default() }
}

/// A lane that buys again for each fill, with an order in each of two symbols; the first one's number.
fn greedy(setup: &Setup) -> (Rig<Greedy>, u32) {
    let mut rig = Rig::of(setup, Greedy::default());
    rig.open(2);
    rig.market(&[tell(2, Do::Buy, 100, 99_000)]);
    rig.market(&[tell(1, Do::Buy, 100, 99_000)]);
    let token = rig.newest().1;
    rig.look();
    (rig, token)
}

#[test]
fn a_contradiction_stops_trading_before_a_strategy_can_answer_it_until_somebody_enables_it_again() {
    let (mut rig, token) = greedy(&Setup::default());
    let report = rig.venue.execute(token, 50, 99_100);
    rig.say(report);
    assert_eq!(told(&rig), [(AnomalyKind::BeyondLimit, true)]);
    assert_eq!(
        (rig.asked().as_str(), rig.live(), rig.position(X)),
        ("XX", 0, 50),
        "the fill counts, and nothing rests"
    );
    assert!(rig.lane.core().is_stopped() && !rig.lane.core().gate().is_killed());
    rig.market(&[tell(2, Do::Buy, 100, 98_000)]);
    assert_eq!(rig.asked(), "XX", "nobody is asked");
    // Of the same kind nothing more is said; another kind is.
    rig.say(Venue::rejected(&[b'O', 0, 0, 9, 9]));
    rig.say(Venue::rejected(&[b'O', 0, 0, 9, 9]));
    assert_eq!(told(&rig)[1..], [(AnomalyKind::UnknownOrder, true)]);
    assert_eq!(rig.lane.core().counters().stops, 1);
    rig.command(Word::Enable);
    assert!(!rig.lane.core().is_stopped());
    rig.market(&[tell(1, Do::Buy, 100, 98_000)]);
    assert_eq!((rig.decisions().last(), rig.live()), (Some(&APPROVED), 1));
    rig.look();
    let token = rig.newest().1;
    let report = rig.venue.execute(token, 50, 98_100);
    rig.say(report);
    assert_eq!((told(&rig), rig.live()), (vec![(AnomalyKind::BeyondLimit, true)], 0), "said, and stopped, again");
    assert_eq!(rig.lane.core().counters().stops, 2);
}

#[test]
fn a_lane_that_is_not_to_stop_says_it_and_goes_on() {
    let (mut rig, token) = greedy(&going_on());
    for _ in 0..2 {
        let report = rig.venue.execute(token, 50, 99_100);
        rig.say(report);
    }
    assert_eq!(told(&rig), [(AnomalyKind::BeyondLimit, false)], "once");
    assert_eq!((rig.asked().as_str(), rig.live(), rig.position(X)), ("OO", 3, 100));
    assert!(!rig.lane.core().is_stopped());
    let core = rig.lane.core();
    assert_eq!((core.counters().stops, core.orders().counters().contradictions), (0, 2));
}

#[test]
fn what_does_not_cast_doubt_on_orders_or_positions_is_said_and_stops_nothing() {
    let (mut rig, token) = greedy(&Setup::default());
    let report = rig.venue.execute(token, 50, 99_000);
    rig.say(report.clone());
    rig.say(report);
    rig.say(b"?".to_vec());
    assert_eq!(told(&rig), [(AnomalyKind::Repeated, false), (AnomalyKind::UnknownType, false)]);
    assert_eq!((rig.position(X), rig.asked().as_str()), (50, "O"), "a fill counts once, and is answered once");
    assert!(!rig.lane.core().is_stopped());
}

#[test]
fn a_fill_that_is_corrected_or_broken_was_one_fill() {
    let (mut rig, token) = greedy(&Setup::default());
    let fills = |rig: &Rig<Greedy>| (rig.lane.core().counters().fills, rig.position(X));
    let report = rig.venue.execute(token, 50, 99_000);
    rig.say(report);
    assert_eq!(fills(&rig), (1, 50));
    rig.say(Venue::corrected(token, 1, 40, 98_900));
    assert_eq!(fills(&rig), (1, 40));
    let report = rig.venue.execute(token, 50, 99_000);
    rig.say(report);
    assert_eq!(fills(&rig), (2, 90));
    rig.say(Venue::broken(token, 2));
    assert_eq!((fills(&rig), told(&rig)), ((2, 40), vec![]));
}

/// What the venue says while nobody listens is repeated after the next login: fills, a cancel, and the answers to what
/// had just been sent. None of it is a contradiction.
#[test]
fn what_a_reconnect_repeats_stops_nothing() {
    let mut rig = Rig::trading(&Setup::default());
    let mut buy = |price| {
        rig.tell(1, Do::Buy, 100, price);
        rig.newest().1
    };
    let (filled, cancelled, replaced) = (buy(99_000), buy(98_900), buy(98_800));
    let report = rig.venue.execute(filled, 30, 99_000);
    rig.say(report);
    rig.venue.answers = false;
    rig.tell(1, Do::Replace, 200, 98_700);
    rig.tell(1, Do::Buy, 100, 98_600);
    let [.., replace, enter] = &rig.venue.asked[..] else { unreachable!() };
    let (replace, enter) = (replace.clone(), enter.clone());
    assert_eq!((replace[0], enter[0]), (b'U', b'O'));
    rig.look();
    rig.cut();
    // The order that was to be replaced is the oldest: its fill comes first, then the replacement, less that.
    let missed = [
        rig.venue.execute(filled, 20, 99_000),
        rig.venue.replace(&replace).unwrap(),
        rig.venue.cancel(cancelled).unwrap(),
        rig.venue.execute(replaced, 100, 98_800),
        rig.venue.accept(&enter),
    ];
    missed.into_iter().for_each(|message| rig.say(message));
    rig.venue.answers = true;
    rig.pass(Nanos::from_millis(3_500));
    assert_eq!((told(&rig), rig.lane.core().entry(VenueId::FIRST).unwrap().stage()), (vec![], Stage::Ready));
    assert!(!rig.lane.core().is_stopped());
    assert_eq!((rig.position(X), rig.live(), rig.asked().as_str()), (150, 2, "Q"));
    let counters = rig.lane.core().orders().counters();
    // Two requests were answered late, after the time that the connection took.
    assert_eq!(counters, Counters { timed_out: 2, ..Counters::default() });
    rig.tell(1, Do::Buy, 100, 98_000);
    assert_eq!(rig.decisions().last(), Some(&APPROVED));
}

/// An order under a number that the lane never sent, as the venue says it. It is the venue's only to end.
fn stranger(rig: &mut Rig, token: u32) -> Vec<u8> {
    let mut request = rig.venue.asked.iter().find(|r| r[0] == b'O').expect("an order was sent").clone();
    request[1..5].copy_from_slice(&token.to_be_bytes());
    rig.venue.accept(&request)
}

#[test]
fn an_order_that_nobody_here_knows_is_cancelled_by_its_number_each_time() {
    // At a venue without mass cancel, and wherever the session stands.
    let mut setup = Setup::default();
    setup.entry.mass_cancel = false;
    for after_a_reconnect in [false, true] {
        let mut rig = Rig::trading(&setup);
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.look();
        let says = [stranger(&mut rig, 77), stranger(&mut rig, 78)];
        if after_a_reconnect {
            rig.cut();
        }
        says.into_iter().for_each(|message| rig.say(message));
        rig.pass(Nanos::from_millis(3_500));
        assert!(rig.venue.orders.is_empty(), "neither these nor our own: {:?}", rig.venue.orders);
        let cancelled: Vec<u8> = rig.venue.asked.iter().filter(|r| r[0] == b'X').map(|r| r[4]).collect();
        assert_eq!(cancelled.len(), 3, "{cancelled:?}");
        assert!([1, 77, 78].iter().all(|token| cancelled.contains(token)), "{cancelled:?}");
        assert_eq!(told(&rig).first(), Some(&(AnomalyKind::UnknownAccepted, true)));
        assert_eq!((rig.live(), rig.lane.core().is_stopped()), (0, true));
    }
}

#[test]
fn a_stranger_that_trades_is_cancelled_too_and_a_lane_that_goes_on_keeps_its_own() {
    let mut rig = Rig::trading(&going_on());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.venue.answers = false;
    let accepted = stranger(&mut rig, 77);
    rig.say(accepted);
    rig.venue.answers = true;
    rig.look();
    assert!(rig.venue.orders.contains_key(&77), "its cancel was lost");
    let report = rig.venue.execute(77, 40, 99_000);
    rig.say(report);
    assert_eq!((rig.asked().as_str(), rig.venue.orders.keys().copied().collect::<Vec<_>>()), ("X", vec![1]));
    assert_eq!((rig.live(), rig.position(X), rig.lane.core().is_stopped()), (1, 0, false));
    // A replacement of what nobody knows, of a number that nobody knows.
    let mut request = rig.venue.asked.iter().find(|r| r[0] == b'O').unwrap().clone();
    request[1..5].copy_from_slice(&80u32.to_be_bytes());
    let _unsaid = rig.venue.accept(&request);
    let replace = [&b"U"[..], &80u32.to_be_bytes(), &81u32.to_be_bytes(), &100u32.to_be_bytes(), &request[18..26]];
    let mut replace = replace.concat();
    replace.extend_from_slice(b"0YN");
    replace.extend_from_slice(&[b' '; 14]);
    let report = rig.venue.replace(&replace).unwrap();
    rig.say(report);
    assert_eq!(rig.venue.orders.keys().copied().collect::<Vec<_>>(), [1]);
    rig.give(Given::Writable(SessionId::ORDERS));
    assert_eq!(rig.live(), 1);
}
