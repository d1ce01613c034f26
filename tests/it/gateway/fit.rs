//! May it trade? Crossed books, ticks and lots, what strategies are told of it, and strategies that stand still.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{
    InstrumentId, LoadError, Mono, Nanos, OutOfRange, Qty, Reader, Save, SessionId, Side, State, VenueId, VenueRef,
};
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::entry::{OrderEntry, OuchEntry, Stage};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::{Orders, OrdersConfig};
use firelane_gateway::flow::record::{Alert, Kind, TopBody};
use firelane_gateway::flow::risk::{Gate, Refusal};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig, Signal};
use firelane_gateway::flow::strategy::{Actions, ImbalanceTaker, ImbalanceTakerConfig, Strategy, View};
use firelane_gateway::flow::trading::Trading;
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wire::moldudp64::end_of_session;
use firelane_gateway::flow::wiring::{Parts, Policy};
use firelane_gateway::flow::{Gateway, Word};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use zerocopy::IntoBytes;

/// Notes what it is called for, of which instrument, and whether it is told that it may trade.
#[derive(Clone, Default)]
struct Watcher(Arc<Mutex<Vec<(char, u32, bool)>>>);

impl Watcher {
    fn note(&self, why: char, id: InstrumentId, view: &View<'_, Imbalance>) {
        self.0.lock().unwrap().push((why, id.0, view.may_trade(id).is_ok()));
    }

    fn take(&self) -> Vec<(char, u32, bool)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl State for Watcher {
    fn save(&self, _: &mut dyn Save) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Strategy<Imbalance> for Watcher {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, Imbalance>, _: &mut Actions) {
        self.note('e', id, view);
    }
    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, Imbalance>, _: &mut Actions) {
        self.note('n', id, view);
    }
}

/// What every instrument's strategies are told when all are told.
fn all(may: bool) -> Vec<(char, u32, bool)> {
    vec![('n', 0, may), ('n', 1, may)]
}

/// Two symbols open, and what a strategy notes from then on.
fn watched() -> (Rig<Watcher>, Watcher) {
    let watcher = Watcher::default();
    let mut rig = Rig::of(&Setup::default(), watcher.clone());
    rig.open(2);
    watcher.take();
    (rig, watcher)
}

#[test]
fn strategies_are_told_when_what_they_may_trade_changes_without_an_event() {
    let (mut rig, watcher) = watched();
    let missing = rig.next;
    rig.give(Given::Packet(A, packet(DAY, missing + 1, &[delete(1, 1_000)])));
    rig.next += 2;
    assert_eq!(watcher.take(), all(false), "a gap");
    rig.give(Given::Packet(B, packet(DAY, missing, &[add(1, 77, b"B", 100, 99_000)])));
    let told = watcher.take();
    assert_eq!(told.iter().filter(|t| t.0 == 'n').copied().collect::<Vec<_>>(), all(true), "closed: {told:?}");
    assert_eq!(told.iter().filter(|t| t.0 == 'e').count(), 2);

    rig.market(&[phase(b"M")]);
    assert_eq!(watcher.take(), all(false), "the market closed");
    rig.market(&[phase(b"Q")]);
    assert_eq!(watcher.take(), all(true));

    rig.command(Word::Kill);
    assert_eq!(watcher.take(), all(false));
    rig.command(Word::Release);
    assert_eq!(watcher.take(), all(true));
    rig.command(Word::Disable);
    assert_eq!(watcher.take(), []);
    rig.command(Word::Enable);
    assert_eq!(watcher.take(), all(true));

    rig.command(Word::Hold);
    assert_eq!(watcher.take(), []);
    rig.command(Word::Resume);
    assert_eq!(watcher.take(), all(true), "what came while it was held, nobody was told");

    rig.market(&[delete(1, 4_711)]);
    let told = watcher.take();
    assert!(told.contains(&('n', 0, false)) && told.contains(&('n', 1, true)), "one book is contradicted: {told:?}");
    rig.serve_snapshot(&opening(2), rig.next);
    assert_eq!(watcher.take().last(), Some(&('n', 1, true)));
}

#[test]
fn while_killed_strategies_are_told_that_they_may_not_trade() {
    let (mut rig, watcher) = watched();
    rig.market(&[add(1, 77, b"B", 100, 99_000)]);
    assert_eq!(watcher.take(), [('e', 0, true)]);
    rig.command(Word::Kill);
    watcher.take();
    rig.market(&[add(1, 78, b"B", 100, 99_000)]);
    assert_eq!(watcher.take(), [('e', 0, false)]);
    rig.command(Word::Release);
    watcher.take();
    rig.market(&[add(1, 79, b"B", 100, 99_000)]);
    assert_eq!(watcher.take(), [('e', 0, true)]);
}

/// What the imbalance signal says of the first book.
fn leans(rig: &Rig) -> bool {
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    signal.value(X, rig.lane.core().book(X)).is_some()
}

#[test]
fn a_locked_or_crossed_book_is_not_taken_from_and_is_counted() {
    for price in [101_000, 101_100] {
        let mut rig = Rig::trading(&Setup::default());
        assert!(leans(&rig));
        rig.tell(2, Do::Buy, 100, 99_000);
        rig.look();
        rig.market(&[add(1, 77, b"B", 100, price)]);
        assert_eq!((leans(&rig), rig.lane.core().counters().crossed), (false, 1), "{price}");
        rig.tell(1, Do::Buy, 100, 100_000);
        rig.tell(2, Do::Buy, 100, 98_000);
        assert_eq!(rig.decisions(), [refused(Refusal::CrossedBook), APPROVED], "{price}: that book alone");
        assert_eq!(rig.lane.core().gate().refused(Refusal::CrossedBook), 1);
        // A hundredth below the ask it is a book again.
        rig.market(&[delete(1, 77), add(1, 78, b"B", 100, 100_900)]);
        rig.look();
        rig.tell(1, Do::Buy, 100, 100_000);
        assert_eq!((rig.decisions(), leans(&rig)), (vec![APPROVED], true));
        assert_eq!(rig.lane.core().counters().crossed, 1);
    }
}

#[test]
fn own_orders_cross_a_book_too_and_halted_ones_are_not_counted() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 101_000);
    let reference = rig.venue.orders.values().next().unwrap().reference;
    rig.market(&[add(1, reference, b"B", 100, 101_000)]);
    assert_eq!((leans(&rig), rig.lane.core().counters().crossed), (false, 1));
    rig.market(&[action(2, b"H"), add(2, 77, b"B", 100, 102_000)]);
    assert!(rig.lane.core().book(Y).is_crossed());
    assert_eq!(rig.lane.core().counters().crossed, 1, "in a halt, books cross");
    rig.look();
    rig.tell(2, Do::Buy, 100, 100_000);
    assert_eq!(rig.decisions(), [refused(Refusal::NotTradable)]);
}

#[test]
fn the_taker_lets_a_crossed_book_be() {
    for (price, orders) in [(100_900, 1), (101_000, 0), (101_100, 0)] {
        let config = ImbalanceTakerConfig { threshold: 500_000, ..ImbalanceTakerConfig::default() };
        let mut rig = Rig::of(&Setup::default(), ImbalanceTaker::new(&config, 8).unwrap());
        rig.open(2);
        rig.look();
        rig.market(&[add(1, 77, b"B", 5_000, price)]);
        assert_eq!(rig.asked().len(), orders, "{price}");
    }
}

#[test]
fn a_book_below_a_dollar_is_traded_at_its_prices() {
    let mut rig = Rig::trading(&Setup::default());
    rig.market(&[delete(1, 1_000), delete(1, 1_001)]);
    rig.market(&[add(1, 71, b"B", 100, 5_001), add(1, 72, b"S", 100, 5_002)]);
    rig.look();
    rig.tell(1, Do::Buy, 100, 5_002);
    rig.tell(2, Do::Buy, 100, 99_999);
    assert_eq!(rig.decisions(), [APPROVED, refused(Refusal::BadPrice)]);
}

#[test]
fn the_directory_says_the_round_lot() {
    let mut setup = Setup::default();
    setup.risk.each.whole_lots = true;
    let mut rig = Rig::trading(&setup);
    let lot = |lot: u32| message(b'R', 1, &[(11, &symbol(1)), (21, &lot.to_be_bytes()), (29, b"P")]);
    rig.tell(1, Do::Buy, 40, 99_000);
    rig.market(&[lot(40)]);
    rig.tell(1, Do::Buy, 40, 98_900);
    rig.tell(1, Do::Buy, 100, 98_800);
    assert_eq!(rig.decisions(), [refused(Refusal::BadQuantity), APPROVED, refused(Refusal::BadQuantity)]);
    rig.market(&[lot(0)]);
    assert_eq!(rig.lane.core().instruments().get(X).unwrap().lot, 40, "a lot that is none is not taken");
}

/// Buys once, and then asks for deadlines that do not move.
#[derive(Default)]
struct Still {
    /// Of the two, in turn.
    both: bool,
    of: u32,
    calls: Arc<Mutex<u32>>,
    at: Option<Mono>,
}

impl State for Still {
    fn save(&self, _: &mut dyn Save) {}
    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

impl Strategy<Imbalance> for Still {
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Imbalance>, ask: &mut Actions) {
        let mut told = Told::default();
        told.on_event(id, event, view, ask);
        if ask.list().is_empty() {
            return;
        }
        self.at = Some(view.now().after(Nanos(1_000)));
    }
    fn on_timer(&mut self, _: InstrumentId, _: &View<'_, Imbalance>, _: &mut Actions) {
        *self.calls.lock().unwrap() += 1;
        if self.both {
            self.of = 1 - self.of;
        }
    }
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        Some((self.at?, InstrumentId(self.of)))
    }
}

#[test]
fn a_strategy_whose_deadline_stands_still_is_stopped_and_what_rests_is_cancelled() {
    // The same deadline; one that goes round among instruments; one of an instrument that has no row.
    for (both, of, most) in [(false, 0, 1), (true, 0, 3), (false, 7, 0)] {
        let calls = Arc::default();
        let mut rig = Rig::of(&Setup::default(), Still { both, of, calls: Arc::clone(&calls), at: None });
        rig.open(2);
        rig.market(&[tell(1, Do::Buy, 100, 99_000)]);
        rig.look();
        assert_eq!(rig.live(), 1);
        let before = rig.given.len();
        rig.pass(Nanos::from_millis(1));
        assert!(rig.given.len() < before + 10, "it ends");
        assert_eq!((rig.asked().as_str(), rig.live(), rig.lane.core().counters().stuck), ("X", 0, 1));
        assert_eq!((rig.alerts(), *calls.lock().unwrap()), (vec![Alert::Stuck as u16], most));
        // Enabled again, it is stopped again.
        rig.command(Word::Enable);
        rig.pass(Nanos::from_millis(1));
        assert_eq!(rig.lane.core().counters().stuck, 2);
    }
}

/// The shell holds a lane whose log is full. What else stops trading meanwhile, or did before, outlives that.
#[test]
fn the_end_of_a_hold_lifts_nothing_else() {
    let stop = |rig: &mut Rig, disabled: bool| {
        if disabled {
            return rig.command(Word::Disable);
        }
        // The venue has an order that nobody sent.
        let mut request = rig.venue.asked.iter().find(|asked| asked[0] == b'O').unwrap().clone();
        request[1..5].copy_from_slice(&77u32.to_be_bytes());
        let accepted = rig.venue.accept(&request);
        rig.say(accepted);
        assert!(rig.lane.core().is_stopped());
    };
    for (disabled, before) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut rig = Rig::trading(&Setup::default());
        rig.tell(1, Do::Buy, 100, 99_000);
        assert_eq!(rig.live(), 1);
        if before {
            stop(&mut rig, disabled);
        }
        rig.command(Word::Hold);
        assert_eq!(rig.live(), 0, "nothing rests");
        rig.tell(1, Do::Buy, 100, 99_000);
        if !before {
            stop(&mut rig, disabled);
        }
        rig.command(Word::Resume);
        rig.tell(1, Do::Buy, 100, 99_000);
        assert_eq!(rig.live(), 0, "disabled: {disabled}, before: {before}");
        rig.command(Word::Enable);
        rig.tell(1, Do::Buy, 100, 99_000);
        assert_eq!(rig.live(), 1);
    }
}

#[test]
fn deadlines_of_many_instruments_at_one_time_are_no_standstill_and_a_lane_that_is_held_waits_with_them() {
    /// One deadline for each instrument, all at once, three times over; how many came.
    struct Rounds(Vec<u64>, Mono, Arc<AtomicU64>);
    impl State for Rounds {
        fn save(&self, _: &mut dyn Save) {}
        fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
            Ok(())
        }
    }
    impl Strategy<Imbalance> for Rounds {
        fn on_event(&mut self, _: InstrumentId, _: &Event, view: &View<'_, Imbalance>, _: &mut Actions) {
            self.1 = view.now();
        }
        fn on_timer(&mut self, id: InstrumentId, _: &View<'_, Imbalance>, _: &mut Actions) {
            self.0[id.0 as usize] += 1;
            self.2.fetch_add(1, Ordering::Relaxed);
        }
        fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
            let (n, round) = self.0.iter().enumerate().min_by_key(|(_, round)| **round)?;
            let at = Mono(self.1.0 + 1_000 * (round + 1));
            (*round < 3 && self.1.0 > 0).then_some((at, InstrumentId(n as u32)))
        }
    }
    let came = Arc::new(AtomicU64::new(0));
    let mut rig = Rig::of(&Setup::default(), Rounds(vec![0; 2], Mono(0), Arc::clone(&came)));
    rig.open(2);
    rig.command(Word::Hold);
    let before = came.load(Ordering::Relaxed);
    rig.pass(Nanos::from_millis(1));
    assert_eq!(came.load(Ordering::Relaxed), before, "nobody acts");
    rig.command(Word::Resume);
    rig.pass(Nanos::from_millis(1));
    assert_eq!((rig.lane.core().counters().stuck, came.load(Ordering::Relaxed)), (0, 6));
}

#[test]
fn what_may_not_rest_any_more_is_cancelled_as_soon_as_order_entry_is_back() {
    let mut rig = Rig::trading(&Setup::default());
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.cut();
    rig.pass(Nanos::from_millis(500));
    rig.command(Word::Kill);
    rig.look();
    assert_eq!((rig.live(), rig.lane.core().ready(VenueId::FIRST)), (1, false));
    let mut waited = 0;
    while !rig.lane.core().ready(VenueId::FIRST) {
        rig.pass(Nanos::from_millis(10));
        waited += 10;
        assert!(waited < 10_000, "order entry comes back");
    }
    assert_eq!((rig.asked().as_str(), rig.live(), rig.venue.orders.len()), ("XQ", 0, 0), "before it may trade again");
}

/// A cancel that could not leave is tried again after a second; what stood in its way may be gone sooner.
#[test]
fn what_may_not_rest_any_more_is_cancelled_when_order_entry_is_back_and_not_a_second_later() {
    let mut setup = Setup::default();
    setup.entry.query_timeout = Nanos::from_millis(100);
    let step = Nanos::from_millis(5);
    let steps = |rig: &mut Rig, until: fn(&Rig) -> bool| {
        let mut steps = 0;
        while !until(rig) {
            rig.pass(step);
            steps += 1;
            assert!(steps < 2_000, "order entry comes back");
        }
        steps
    };
    let cut = || {
        let mut rig = Rig::trading(&setup);
        rig.tell(1, Do::Buy, 100, 99_000);
        rig.cut();
        rig.look();
        rig
    };
    let up = steps(&mut cut(), |rig| rig.lane.core().entry(VenueId::FIRST).unwrap().stage() == Stage::Replaying);
    let mut rig = cut();
    (1..up).for_each(|_| rig.pass(step));
    rig.command(Word::Kill);
    assert_eq!((rig.asked().as_str(), rig.live()), ("", 1), "nothing can leave");
    assert!(steps(&mut rig, |rig| rig.lane.core().ready(VenueId::FIRST)) < 100, "half a second");
    assert_eq!((rig.asked().as_str(), rig.live()), ("QX", 0));
}

#[test]
fn a_dead_mark_ends_with_the_snapshot_that_does_not_show_its_order() {
    for new_session in [false, true] {
        let mut setup = Setup::default();
        setup.books.own = 1;
        let mut rig = Rig::trading(&setup);
        rig.tell(1, Do::Buy, 100, 100_000);
        let (token, resting) = rig.venue.orders.iter().next().map(|(t, o)| (*t, o.reference)).unwrap();
        rig.market(&[add(1, resting, b"B", 100, 100_000)]);
        let cancelled = rig.venue.cancel(token).unwrap();
        rig.say(cancelled);
        let own = |rig: &Rig| rig.lane.core().book(X).order(VenueRef(resting)).and_then(|o| o.client);
        assert!(own(&rig).is_some(), "the feed still shows it");
        if new_session {
            rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
            let day = packet(NEXT_DAY, 1, &opening(2));
            rig.give(Given::Packet(A, day.clone()));
            rig.give(Given::Packet(B, day));
            let again = packet(NEXT_DAY, 1 + opening(2).len() as u64, &[add(1, resting, b"B", 100, 100_000)]);
            rig.give(Given::Packet(A, again));
        } else {
            rig.market(&[delete(1, 4_711)]);
            rig.serve_snapshot(&opening(2), rig.next);
            rig.market(&[add(1, resting, b"B", 100, 100_000)]);
        }
        assert_eq!(rig.lane.core().book(X).top(Side::Buy).map(|l| l.qty), Some(Qty(400)));
        assert_eq!(own(&rig), None, "the reference is somebody else's now (another session: {new_session})");
    }
}

#[test]
fn a_contradiction_about_an_order_of_another_book_stales_both() {
    let mut setup = Setup::default();
    setup.feed.snapshot = None;
    let mut rig = Rig::new(&setup);
    rig.open(3);
    // A message about the first instrument, and an order of the second's.
    rig.market(&[execute(1, 2_000, 301, 1)]);
    assert!(!rig.fresh(X) && !rig.fresh(Y) && rig.fresh(InstrumentId(2)));
}

#[test]
fn another_session_explains_its_locates_anew_and_has_no_date() {
    let mut rig = Rig::trading(&Setup::default());
    assert_eq!(rig.lane.core().markets().first().at.day(), 20_000);
    rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    let day = packet(NEXT_DAY, 1, &[phase(b"O"), delete(1, 1_000)]);
    rig.give(Given::Packet(A, day.clone()));
    rig.give(Given::Packet(B, day));
    let counters = rig.lane.core().counters();
    assert_eq!((counters.untracked, rig.fresh(X)), (1, true), "nobody has said what locate 1 is");
    // The locates of the two are the other way round.
    let swapped: Vec<Vec<u8>> = [(1u16, 2u16), (2, 1)]
        .into_iter()
        .map(|(locate, of)| {
            let (order, qty, price) = (u64::from(of).to_be_bytes(), 100u32.to_be_bytes(), 90_000u32.to_be_bytes());
            message(b'A', locate, &[(11, &order), (19, b"B"), (20, &qty), (24, &symbol(of)), (32, &price)])
        })
        .collect();
    rig.give(Given::Packet(A, packet(NEXT_DAY, 3, &swapped)));
    rig.give(Given::Packet(A, packet(NEXT_DAY, 5, &[delete(1, 2)])));
    let depth = |id| rig.lane.core().book(id).depth(Side::Buy);
    assert_eq!((depth(X), depth(Y)), (1, 0));
    let at = rig.lane.core().markets().first().at;
    assert_eq!((at.day(), at.ns_since_midnight()), (0, 36_000_000_000_000), "the date of a session that nobody named");
}

#[test]
fn parts_that_were_built_for_fewer_instruments_are_refused_by_name() {
    type Desked = Parts<Desk<ImbalanceTaker>>;
    type Change<'a> = &'a dyn Fn(&mut Desked);
    fn first(parts: &mut Desked) -> &mut VenueParts<Multicast<ItchLine, OuchEntry>> {
        parts.venues.get_mut(VenueId::FIRST).unwrap()
    }
    let taker = |n| ImbalanceTaker::new(&ImbalanceTakerConfig::default(), n).unwrap();
    let setup = Setup::default();
    let refused = |change: Change<'_>| -> Option<OutOfRange> {
        let mut parts = parts(&setup, taker(8));
        change(&mut parts);
        Gateway::new(parts).err()
    };
    assert!(refused(&|_| {}).is_none(), "eight each");
    let books = BookCapacity { instruments: 7, ..setup.books };
    let orders = OrdersConfig { instruments: 7, ..setup.orders };
    let changes: [(&str, Change<'_>); 5] = [
        ("parts.venues.books", &|p| first(p).books = Books::new(books)),
        ("parts.venues.trading", &|p| first(p).trading = Trading::new(setup.trading, 7)),
        ("parts.gate", &|p| p.gate = Gate::new(&setup.risk, 7).unwrap()),
        ("parts.orders", &|p| p.orders = Orders::new(&orders).unwrap()),
        ("parts.strategy", &|p| p.strategy = taker(7)),
    ];
    for (field, change) in changes {
        assert_eq!(refused(change).map(|e| e.field), Some(field));
    }
    assert!(refused(&|p| first(p).trading = Trading::new(setup.trading, 9)).is_none(), "more do no harm");
}

#[test]
fn tops_are_taped_for_a_crossed_book_too() {
    let policy = Policy { tape_tops: true, ..Policy::default() };
    let mut rig = Rig::trading(&Setup { policy, ..Setup::default() });
    rig.market(&[add(1, 77, b"B", 100, 102_000)]);
    let tops = rig.tape(Kind::Top, |top: &TopBody| (top.bid_price.get(), top.ask_price.get()));
    assert_eq!(tops, [(102_000, 101_000)]);
    rig.give(Given::Closed(SessionId::ORDERS));
}
