//! A feed that says nothing, or says that it is over, is no market: nothing rests on its books and nothing is sent off
//! them, not even for a fill.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{InstrumentId, LineId, LoadError, Nanos, Price, Qty, Reader, Save, Side, State};
use firelane_gateway::flow::action::{Action, Change, Enter, TimeInForce};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::{FeedConfig, Start};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind};
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use firelane_gateway::flow::wire::moldudp64::{end_of_session, heartbeat};
use firelane_gateway::flow::wiring::Policy;
use zerocopy::IntoBytes;

const QUIET: Nanos = Nanos::from_millis(3_000);

fn watched() -> Setup {
    let setup = Setup::default();
    Setup { feed: FeedConfig { line_timeout: QUIET, ..setup.feed }, ..setup }
}

fn farewell<S: Strategy<Imbalance>>(rig: &mut Rig<S>) {
    for line in [LineId::A, LineId::B] {
        rig.give(Given::Packet(line, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    }
}

fn alerts_about_silence(rig: &Rig) -> Vec<u16> {
    let lines = [Alert::LineSilent as u16, Alert::LineBack as u16];
    rig.alerts().into_iter().filter(|alert| !lines.contains(alert)).collect()
}

#[test]
fn when_every_line_is_silent_what_rests_is_cancelled_and_nothing_enters_until_one_is_level() {
    for (cancel_when_stale, asked, left) in [(true, "X", 0), (false, "", 1)] {
        let policy = Policy { cancel_when_stale, ..Policy::default() };
        let mut rig = Rig::trading(&Setup { policy, ..watched() });
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.look();
        rig.pass(Nanos(QUIET.0 - 1));
        assert!(rig.fresh(X) && rig.lane.feeds().first().is_live() && rig.asked().is_empty());
        rig.pass(Nanos(1));
        assert!(!rig.fresh(X) && !rig.fresh(Y) && !rig.lane.feeds().first().is_live());
        assert_eq!(alerts_about_silence(&rig), [Alert::MarketSilent as u16]);
        assert_eq!((rig.asked().as_str(), rig.live()), (asked, left));
        rig.beat();
        assert!(rig.fresh(X) && rig.fresh(Y) && rig.lane.feeds().first().is_live());
        assert_eq!(alerts_about_silence(&rig)[1..], [Alert::MarketBack as u16]);
        rig.look();
        rig.tell(1, Do::Buy, 100, 98_000);
        assert_eq!(rig.decisions(), [APPROVED]);
    }
}

#[test]
fn one_line_that_speaks_is_a_market() {
    let mut rig = Rig::trading(&watched());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.look();
    for _ in 0..10 {
        rig.pass(Nanos(QUIET.0 - 1));
        rig.beat();
    }
    assert!(rig.fresh(X) && rig.asked().is_empty() && rig.live() == 1);
}

#[test]
fn lines_that_come_back_with_a_gap_heal_nothing_before_it_is_filled() {
    let mut rig = Rig::trading(&watched());
    rig.pass(QUIET);
    let missing = rig.next;
    rig.next += 1;
    rig.beat();
    assert!(!rig.fresh(X));
    rig.give(Given::Packet(LineId::B, packet(DAY, missing, &[tell(1, Do::Buy, 100, 99_000)])));
    assert!(rig.fresh(X));
    assert_eq!(rig.decisions(), [APPROVED], "the message that makes the stream level may draw an order as any other");
}

#[test]
fn a_lane_that_has_heard_nothing_has_no_book() {
    let mut rig = Rig::new(&watched());
    assert!(!rig.fresh(X) && !rig.lane.feeds().first().is_live());
    rig.start();
    assert!(!rig.fresh(X));
    rig.beat();
    assert!(rig.fresh(X) && rig.alerts().iter().all(|alert| *alert != Alert::MarketBack as u16));
}

/// What came before it joined, the books lack.
#[test]
fn a_lane_that_joins_in_the_middle_says_where_and_has_no_book_before_a_snapshot() {
    for start in [Start::Next, Start::Snapshot] {
        let mut setup = Setup::default();
        (setup.feed.start, setup.policy.snapshot_on_fault) = (start, false);
        let mut rig = Rig::new(&setup);
        rig.next = 40;
        rig.market(&opening(2));
        rig.beat();
        let said = rig.tape(Kind::Alert, |body: &AlertBody| (body.alert.get(), body.first.get()));
        assert!(said.contains(&(Alert::Joined as u16, 40)), "{start:?}: {said:?}");
        assert!(!rig.fresh(X), "{start:?}");
        if start == Start::Snapshot {
            rig.serve_snapshot(&opening(2), rig.next);
            assert!(rig.fresh(X));
        }
    }
}

#[test]
fn after_the_end_of_the_session_nothing_rests_and_what_comes_is_not_traded_on() {
    let mut rig = Rig::trading(&watched());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.look();
    farewell(&mut rig);
    assert_eq!(rig.alerts(), [Alert::EndOfSession as u16]);
    assert_eq!((rig.asked().as_str(), rig.live()), ("X", 0));
    assert!(!rig.fresh(X) && !rig.lane.feeds().first().is_live());
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::StaleBook)]);
    // The end is said again now and then, and must not be forgotten for it.
    rig.pass(Nanos(QUIET.0 - 1));
    farewell(&mut rig);
    rig.pass(Nanos(QUIET.0 - 1));
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [refused(Refusal::StaleBook)]);
}

#[test]
fn a_session_that_goes_on_after_its_end_was_said_is_believed_after_a_while() {
    let mut rig = Rig::trading(&watched());
    farewell(&mut rig);
    rig.pass(Nanos(QUIET.0 - 1));
    rig.beat();
    assert!(!rig.fresh(X));
    rig.pass(Nanos(1));
    rig.look();
    rig.beat();
    assert_eq!(rig.alerts(), [Alert::SessionGoesOn as u16]);
    assert!(rig.fresh(X) && rig.lane.feeds().first().is_live());
    rig.look();
    rig.tell(1, Do::Buy, 100, 99_000);
    assert_eq!(rig.decisions(), [APPROVED]);
}

#[test]
fn another_session_ends_the_silence_when_its_numbers_are_believed() {
    let mut rig = Rig::trading(&watched());
    rig.pass(QUIET);
    rig.look();
    let far = heartbeat(NEXT_DAY, 5_000_000).as_bytes().to_vec();
    (0..2).for_each(|_| rig.give(Given::Packet(LineId::A, far.clone())));
    assert_eq!(alerts_about_silence(&rig), [Alert::SessionChanged as u16]);
    assert!(!rig.fresh(X) && !rig.lane.feeds().first().is_live(), "its first number is out of all reason");
    rig.give(Given::Packet(LineId::B, heartbeat(NEXT_DAY, 1).as_bytes().to_vec()));
    assert!(rig.fresh(X) && rig.lane.feeds().first().is_live());
}

/// Does what it is told, and buys again for each fill without a look at the book.
#[derive(Debug, Default)]
pub(super) struct Greedy(Told);

impl State for Greedy {
    fn save(&self, into: &mut dyn Save) {
        self.0.save(into);
    }
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(from)
    }
}

impl Strategy<Imbalance> for Greedy {
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Imbalance>, ask: &mut Actions) {
        self.0.on_event(id, event, view, ask);
    }
    fn on_change(&mut self, change: &Change, view: &View<'_, Imbalance>, ask: &mut Actions) {
        if change.fill.is_some() {
            let (instrument, tags) = (change.instrument, view.tags());
            let (side, price, qty, tif) = (Side::Buy, Price(99_000), Qty(100), TimeInForce::Day);
            ask.push(Action::Enter(Enter { instrument, side, price, qty, tif, post_only: false, tags }));
        }
    }
}

/// The strategy does not look; the gate does.
#[test]
fn a_fill_that_comes_in_the_silence_draws_no_order() {
    for over in [false, true] {
        let policy = Policy { cancel_when_stale: false, ..Policy::default() };
        let mut rig = Rig::of(&Setup { policy, ..watched() }, Greedy::default());
        rig.open(2);
        rig.market(&[tell(1, Do::Buy, 100, 99_000)]);
        let (_, token) = rig.newest();
        rig.look();
        if over {
            farewell(&mut rig);
        } else {
            rig.pass(QUIET);
        }
        let report = rig.venue.execute(token, 50, 99_000);
        rig.say(report);
        assert_eq!((rig.position(X), rig.asked().as_str()), (50, ""), "heard, and not acted upon");
        assert_eq!(rig.decisions(), [refused(Refusal::StaleBook)]);
        if !over {
            rig.beat();
            rig.look();
            let report = rig.venue.execute(token, 50, 99_000);
            rig.say(report);
            assert_eq!((rig.asked().as_str(), rig.decisions()), ("O", vec![APPROVED]));
        }
    }
}
