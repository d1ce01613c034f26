//! Virtual fills against a recorded day: each rule on a day made by hand, all of them against the reference fills of a
//! real hour, and against a naive model on random days.

use crate::data::shared;
use firelane_gateway::base::{ExchangeTime, Mono, Price, Side, Symbol, VenueRef};
use firelane_sim::capture::{binary_file, read_all};
use firelane_sim::exchange::Exchange;
use firelane_sim::playthrough::{Playthrough, RecordedDay, time_of};
use firelane_sim::rng::Rng;
use firelane_sim::venue::acceptor::{ConnId, PortConfig};
use firelane_sim::venue::announce::{Line, Shown, Tape};
use firelane_sim::venue::engine::{Phase, TradingState};
use firelane_sim::venue::market::{
    BreakReason, CancelReason, CrossKind, Effect, Life, Liquidity, Market, NewOrder, Refusal, What,
};
use std::collections::BTreeMap;

const NOW: ExchangeTime = ExchangeTime(34_200_000_000_000);
const SYMBOL: Symbol = Symbol(*b"TEST    ");
const LINE: Line = Line { locate: 1, symbol: SYMBOL };
use Side::{Buy, Sell};

/// Cents to price units.
fn cents(cents: i64) -> Price {
    Price(cents * 100)
}

/// A recorded day in the making, with own orders in it.
struct Day {
    market: Playthrough,
    tape: Tape,
    /// What happened to own orders, not looked at yet.
    effects: Vec<Effect>,
}

impl Day {
    /// Market hours, the symbol trading.
    fn open() -> Self {
        let mut day = Day { market: Playthrough::new(b'Q'), tape: Tape::default(), effects: Vec::new() };
        day.tape.directory(NOW, LINE, 100, b'P');
        day.state(TradingState::Trading);
        day.phase(Phase::Market);
        day
    }

    /// The recording goes on with what `say` puts on the tape.
    fn recorded(&mut self, say: impl FnOnce(&mut Tape)) {
        say(&mut self.tape);
        for message in self.tape.take() {
            self.market.on_message(&message, &mut self.effects);
        }
    }

    fn phase(&mut self, phase: Phase) {
        self.recorded(|tape| tape.event(NOW, phase as u8));
    }

    fn state(&mut self, state: TradingState) {
        self.recorded(|tape| tape.trading_state(NOW, LINE, state as u8, *b"    "));
    }

    fn add(&mut self, reference: u64, side: Side, shares: u32, price: i64) {
        let shown = Shown { reference: VenueRef(reference), side, shares, price: cents(price), attributed: None };
        self.recorded(|tape| tape.add(NOW, LINE, shown));
    }

    fn executed(&mut self, reference: u64, shares: u32) {
        self.recorded(|tape| tape.executed(NOW, LINE, VenueRef(reference), shares, 1));
    }

    fn reduced(&mut self, reference: u64, shares: u32) {
        self.recorded(|tape| tape.reduced(NOW, LINE, VenueRef(reference), shares));
    }

    fn deleted(&mut self, reference: u64) {
        self.recorded(|tape| tape.deleted(NOW, LINE, VenueRef(reference)));
    }

    /// A replace; the tape takes the side of `new` from nowhere, as ITCH does.
    fn replaced(&mut self, original: u64, new: u64, shares: u32, price: i64) {
        let shown = Shown { reference: VenueRef(new), side: Buy, shares, price: cents(price), attributed: None };
        self.recorded(|tape| tape.replaced(NOW, LINE, VenueRef(original), shown));
    }

    /// An execution with a price, printable.
    fn executed_at(&mut self, reference: u64, shares: u32, price: i64) {
        self.tape.executed_in_cross(NOW, LINE, VenueRef(reference), (shares, cents(price)), 1);
        let mut message = self.tape.take().remove(0);
        message[31] = b'Y';
        self.recorded(|tape| tape.raw(&message));
    }

    /// An own order that is taken; its reference.
    fn enter(&mut self, order: NewOrder) -> VenueRef {
        let from = self.effects.len();
        self.market.enter(NOW, order, &mut self.effects).unwrap();
        let entered = self.effects.remove(from);
        assert!(matches!(entered.what, What::Entered { .. }));
        entered.reference
    }

    fn limit(&mut self, side: Side, shares: u32, price: i64) -> VenueRef {
        self.enter(NewOrder::limit(SYMBOL, side, shares, cents(price)))
    }

    fn ioc(&mut self, side: Side, shares: u32, price: i64) -> VenueRef {
        self.enter(NewOrder { life: Life::Immediate, ..NewOrder::limit(SYMBOL, side, shares, cents(price)) })
    }

    fn ahead(&self, own: VenueRef) -> u64 {
        self.market.ahead(own).expect("it rests")
    }

    /// Fills since the last look: order, shares, price in cents. Nothing else may have happened.
    fn fills(&mut self) -> Vec<(VenueRef, u32, i64)> {
        let fill = |effect: Effect| match effect.what {
            What::Executed { shares, price, .. } => (effect.reference, shares, price.0 / 100),
            other => panic!("not a fill: {other:?}"),
        };
        self.effects.drain(..).map(fill).collect()
    }

    /// Shares cancelled since the last look, and why. Nothing else may have happened.
    fn cancels(&mut self) -> Vec<(VenueRef, u32, CancelReason)> {
        let cancel = |effect: Effect| match effect.what {
            What::Canceled { shares, reason } => (effect.reference, shares, reason),
            other => panic!("not a cancel: {other:?}"),
        };
        self.effects.drain(..).map(cancel).collect()
    }
}

// ---- The queue -----------------------------------------------------------------------------------------------------

#[test]
fn the_queue_ahead_goes_by_trades_cancels_deletes_and_replaces() {
    let mut day = Day::open();
    for reference in 1..=4 {
        day.add(reference, Buy, 100, 1000);
    }
    let own = day.limit(Buy, 50, 1000);
    day.add(5, Buy, 100, 1000);
    assert_eq!(day.ahead(own), 400);
    day.executed(1, 100);
    assert_eq!(day.ahead(own), 300);
    day.reduced(2, 30);
    assert_eq!(day.ahead(own), 270);
    day.deleted(3);
    assert_eq!(day.ahead(own), 170);
    // A replaced order loses its place, even at the same price.
    day.replaced(4, 6, 100, 1000);
    assert_eq!(day.ahead(own), 70);
    day.reduced(2, 70);
    assert_eq!((day.ahead(own), day.fills()), (0, vec![]), "an empty queue alone fills nothing");
    day.executed(5, 20);
    day.executed(5, 80);
    assert_eq!(day.fills(), [(own, 20, 1000), (own, 30, 1000)], "up to the executed size, then up to what is open");
    assert_eq!(day.market.own().count(), 0);
}

#[test]
fn what_happens_behind_does_not_matter() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 50, 1000);
    day.add(2, Buy, 100, 1000);
    day.reduced(2, 60);
    day.deleted(2);
    day.add(3, Buy, 300, 1000);
    day.replaced(3, 4, 500, 1000);
    assert_eq!(day.ahead(own), 100);
    // An execution out of turn does not jump the queue for anybody.
    day.executed(4, 500);
    assert_eq!((day.ahead(own), day.fills()), (100, vec![]));
}

#[test]
fn the_queue_ahead_is_not_part_of_the_fill() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1000);
    let own = day.limit(Sell, 100, 1000);
    day.executed(1, 100);
    assert_eq!(day.fills(), []);
    day.add(2, Sell, 30, 1000);
    day.executed(2, 30);
    assert_eq!(day.fills(), [(own, 30, 1000)]);
    assert_eq!(day.market.own().next().unwrap().shares, 70);
}

#[test]
fn own_orders_of_a_price_share_an_execution_in_their_order() {
    let mut day = Day::open();
    let (first, second) = (day.limit(Buy, 50, 1000), day.limit(Buy, 50, 1000));
    day.add(1, Buy, 500, 1000);
    let third = day.limit(Buy, 50, 1000);
    day.executed(1, 70);
    assert_eq!(day.fills(), [(first, 50, 1000), (second, 20, 1000)]);
    assert_eq!(day.ahead(third), 430);
}

#[test]
fn a_replaced_own_order_loses_its_virtual_place() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 100, 1000);
    day.add(2, Buy, 200, 1000);
    assert_eq!(day.ahead(own), 100);
    let order = NewOrder::limit(SYMBOL, Buy, 90, cents(1000));
    day.market.replace(NOW, own, order, &mut day.effects).unwrap();
    let replaced = day.effects.pop().unwrap();
    assert!(matches!(replaced.what, What::Entered { replaces: Some(old), shares: 90, .. } if old == own));
    assert_eq!((day.market.ahead(own), day.ahead(replaced.reference)), (None, 300));
    assert_eq!(day.market.replace(NOW, own, order, &mut day.effects), Err(Refusal::UnknownOrder));
    // So does one that the exchange moves.
    day.add(3, Buy, 1, 1000);
    day.market.reprioritise(NOW, replaced.reference, &mut day.effects).unwrap();
    let moved = day.effects.pop().unwrap();
    assert!(matches!(moved.what, What::Reprioritised { .. }) && day.ahead(moved.reference) == 301);
}

#[test]
fn a_reduced_own_order_keeps_its_place() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 100, 1000);
    day.add(2, Buy, 200, 1000);
    day.market.reduce(NOW, own, 40, CancelReason::User, &mut day.effects).unwrap();
    assert_eq!(day.cancels(), [(own, 60, CancelReason::User)]);
    day.market.reduce(NOW, own, 40, CancelReason::User, &mut day.effects).unwrap();
    assert_eq!((day.cancels(), day.ahead(own)), (vec![], 100));
    day.market.reduce(NOW, own, 0, CancelReason::User, &mut day.effects).unwrap();
    assert_eq!(day.cancels(), [(own, 40, CancelReason::User)]);
    assert_eq!(
        day.market.reduce(NOW, own, 0, CancelReason::User, &mut day.effects),
        Err(Refusal::UnknownOrder),
        "it is gone"
    );
}

#[test]
fn a_hidden_order_stands_behind_everything_displayed_at_its_price() {
    let mut day = Day::open();
    let hidden = day.enter(NewOrder { hidden: true, ..NewOrder::limit(SYMBOL, Buy, 50, cents(1000)) });
    let shown = day.limit(Buy, 10, 1000);
    day.add(1, Buy, 100, 1000);
    assert_eq!((day.ahead(hidden), day.ahead(shown)), (100, 0));
    day.executed(1, 60);
    assert_eq!(day.fills(), [(shown, 10, 1000)]);
    day.add(2, Buy, 5, 999);
    day.executed(2, 5);
    let flags: Vec<What> = day.effects.iter().map(|effect| effect.what).collect();
    assert!(matches!(flags[..], [What::Executed { liquidity: Liquidity::AddedHidden, shares: 50, .. }]));
}

// ---- Trades through and in front -----------------------------------------------------------------------------------

#[test]
fn a_print_at_a_worse_price_fills_whatever_the_queue_was() {
    for (side, worse, better) in [(Buy, 999, 1001), (Sell, 1001, 999)] {
        let mut day = Day::open();
        day.add(1, side, 700, 1000);
        let own = day.limit(side, 50, 1000);
        day.add(2, side, 100, worse);
        day.add(3, side, 100, better);
        day.executed(3, 100);
        assert_eq!((day.ahead(own), day.fills()), (700, vec![]), "a better price says nothing");
        day.executed(2, 1);
        assert_eq!(day.fills(), [(own, 50, 1000)]);
    }
}

#[test]
fn an_order_alone_in_front_of_the_best_fills_by_executions_at_the_best() {
    for (side, price) in [(Buy, 1003), (Sell, 1007)] {
        let mut day = Day::open();
        day.add(1, Buy, 100, 1000);
        day.add(2, Sell, 100, 1010);
        let own = day.limit(side, 80, price);
        assert_eq!(day.ahead(own), 0);
        // The other side's executions are of whoever trades with them, not with us.
        let (with_us, against) = if side == Buy { (1, 2) } else { (2, 1) };
        day.executed(against, 30);
        assert_eq!(day.fills(), []);
        day.executed(with_us, 30);
        assert_eq!(day.fills(), [(own, 80, price)]);
    }
}

#[test]
fn what_comes_in_through_an_own_order_trades_with_it() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let (front, second) = (day.limit(Buy, 80, 1005), day.limit(Buy, 80, 1004));
    day.add(2, Sell, 30, 1006);
    assert_eq!(day.fills(), []);
    day.add(3, Sell, 100, 1004);
    assert_eq!(day.fills(), [(front, 80, 1005), (second, 20, 1004)], "up to its size, each at its own price");
    // What it traded with the one it has no more for another, while it is displayed.
    day.ioc(Buy, 500, 1004);
    assert!(matches!(day.effects[..], []), "all of order 3 is taken");
    // A replace can come in as well.
    day.replaced(2, 4, 25, 1004);
    assert_eq!(day.fills(), [(second, 25, 1004)]);
}

#[test]
fn nobody_comes_through_what_stands_before_in_the_recording() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 50, 1000);
    // A locked book: the recorded queue would have traded first, and the recording says that it did not.
    day.add(2, Sell, 40, 1000);
    assert_eq!((day.ahead(own), day.fills()), (100, vec![]));
}

#[test]
fn hidden_trades_fill_nothing_and_shorten_nothing() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 50, 1000);
    for price in [990, 1000, 1010] {
        day.recorded(|tape| tape.hidden_trade(NOW, LINE, 1_000, cents(price), 9));
    }
    assert_eq!((day.ahead(own), day.fills()), (100, vec![]));
}

#[test]
fn an_execution_with_a_price_counts_by_its_print() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 998);
    let own = day.limit(Buy, 50, 1000);
    day.executed_at(1, 10, 1001);
    day.executed_at(1, 10, 1000);
    assert_eq!(day.fills(), [], "a seller who got as much from another passed nobody over");
    day.executed_at(1, 10, 999);
    assert_eq!(day.fills(), [(own, 50, 1000)]);
    // At its own price the execution is of the queue, but only if it prints there.
    let own = day.limit(Buy, 50, 998);
    day.add(2, Buy, 100, 998);
    assert_eq!(day.ahead(own), 70);
    day.executed_at(1, 70, 999);
    day.executed_at(2, 10, 999);
    assert_eq!(day.fills(), []);
    day.executed_at(2, 10, 998);
    assert_eq!(day.fills(), [(own, 10, 998)]);
}

#[test]
fn an_auction_shortens_queues_and_fills_nobody() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let own = day.limit(Buy, 50, 1000);
    day.add(2, Buy, 100, 990);
    let cross = |order, shares| {
        move |tape: &mut Tape| tape.executed_in_cross(NOW, LINE, VenueRef(order), (shares, cents(985)), 7)
    };
    day.recorded(cross(1, 60));
    day.recorded(cross(2, 100));
    day.recorded(|tape| tape.cross(NOW, LINE, CrossKind::Halt, (160, cents(985)), 7));
    assert_eq!((day.ahead(own), day.fills()), (40, vec![]));
    assert_eq!(
        day.market.enter(
            NOW,
            NewOrder { cross: Some(CrossKind::Close), ..NewOrder::limit(SYMBOL, Buy, 1, cents(1)) },
            &mut day.effects
        ),
        Err(Refusal::LateForCross)
    );
}

// ---- Takers --------------------------------------------------------------------------------------------------------

#[test]
fn a_taker_takes_what_is_displayed_level_by_level_at_resting_prices() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1001);
    day.add(2, Sell, 50, 1000);
    day.add(3, Sell, 70, 1000);
    day.add(4, Sell, 10, 1003);
    let own = day.limit(Buy, 250, 1002);
    assert_eq!(day.fills(), [(own, 50, 1000), (own, 70, 1000), (own, 100, 1001)]);
    // What is left rests at its limit, in front of nothing.
    assert_eq!(day.ahead(own), 0);
    let rest = day.market.own().next().unwrap();
    assert_eq!((rest.price, rest.shares), (cents(1002), 30));
}

#[test]
fn displayed_size_is_taken_once_until_new_size_is_shown() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1000);
    let own = day.ioc(Buy, 60, 1000);
    assert_eq!(day.fills(), [(own, 60, 1000)]);
    let own = day.ioc(Buy, 60, 1000);
    assert_eq!(day.effects.remove(1).what, What::Canceled { shares: 20, reason: CancelReason::Immediate });
    assert_eq!(day.fills(), [(own, 40, 1000)]);
    // The order stands as it was: none of it is left to us. Its own trades and cancels free nothing.
    for message in 0..3 {
        match message {
            0 => {}
            1 => day.executed(1, 30),
            _ => day.reduced(1, 30),
        }
        day.market
            .enter(
                NOW,
                NewOrder { life: Life::Immediate, ..NewOrder::limit(SYMBOL, Buy, 60, cents(1000)) },
                &mut day.effects,
            )
            .unwrap();
        let all: Vec<What> = day.effects.drain(..).map(|effect| effect.what).collect();
        assert!(matches!(all[..], [What::Entered { live: false, .. }]), "dead on arrival: {all:?}");
    }
    // New references are new size.
    day.add(2, Sell, 10, 1000);
    day.replaced(1, 3, 25, 1000);
    let own = day.ioc(Buy, 35, 1000);
    assert_eq!(day.fills(), [(own, 10, 1000), (own, 25, 1000)]);
}

#[test]
fn a_taken_order_that_shrinks_has_only_what_exceeds_what_was_taken() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1000);
    day.ioc(Buy, 30, 1000);
    day.fills();
    day.reduced(1, 40);
    let own = day.ioc(Buy, 30, 1000);
    assert_eq!(day.fills(), [(own, 30, 1000)]);
    day.enter(NewOrder { post_only: true, ..NewOrder::limit(SYMBOL, Buy, 30, cents(1000)) });
    assert_eq!(day.cancels(), [], "nothing is left to take, so that nothing is crossed");
}

#[test]
fn an_immediate_order_rests_never_and_a_post_only_one_takes_never() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1000);
    let own = day.ioc(Buy, 150, 1000);
    let canceled = day.effects.pop().unwrap();
    assert_eq!(canceled.what, What::Canceled { shares: 50, reason: CancelReason::Immediate });
    assert_eq!(day.fills(), [(own, 100, 1000)]);
    day.add(2, Sell, 100, 1000);
    let post = NewOrder { post_only: true, ..NewOrder::limit(SYMBOL, Buy, 30, cents(1000)) };
    let own = day.enter(post);
    assert_eq!(day.cancels(), [(own, 30, CancelReason::PostOnly)]);
    let own = day.enter(NewOrder { limit: Some(cents(999)), ..post });
    assert_eq!((day.cancels(), day.ahead(own)), (vec![], 0));
}

// ---- The state of the day ------------------------------------------------------------------------------------------

#[test]
fn own_orders_obey_the_recordings_state_and_hours() {
    let order = NewOrder::limit(SYMBOL, Buy, 10, cents(1000));
    let mut day = Day { market: Playthrough::new(b'Q'), tape: Tape::default(), effects: Vec::new() };
    let refused = |day: &mut Day, order: NewOrder| day.market.enter(NOW, order, &mut Vec::new()).err();
    assert_eq!(refused(&mut day, order), Some(Refusal::UnknownSymbol));
    day.recorded(|tape| tape.directory(NOW, LINE, 100, b'P'));
    day.phase(Phase::System);
    assert_eq!(refused(&mut day, order), Some(Refusal::Closed));
    day.phase(Phase::Market);
    assert_eq!(refused(&mut day, order), Some(Refusal::Halted), "no trading action yet");
    day.state(TradingState::Trading);
    for bad in [
        NewOrder { shares: 0, ..order },
        NewOrder { limit: None, ..order },
        NewOrder { limit: Some(Price(100_001)), ..order },
    ] {
        assert_eq!(refused(&mut day, bad), Some(Refusal::Invalid));
    }
    let own = day.limit(Buy, 10, 1000);
    let late = day.enter(NewOrder { life: Life::Extended, ..order });
    // Halted: nothing enters, nothing trades, what rests stays and can be cancelled.
    for halt in [TradingState::Halted, TradingState::Paused] {
        day.state(halt);
        assert_eq!(refused(&mut day, order), Some(Refusal::Halted));
    }
    day.add(1, Buy, 5, 999);
    day.executed(1, 5);
    day.add(2, Sell, 5, 1000);
    assert_eq!((day.fills(), day.market.own().count()), (vec![], 2));
    day.deleted(2);
    // Quotation only: orders rest and do not trade.
    day.state(TradingState::QuotationOnly);
    day.add(3, Sell, 5, 1001);
    let quote = day.limit(Buy, 10, 1001);
    assert_eq!(day.fills(), []);
    day.market.reduce(NOW, quote, 0, CancelReason::User, &mut day.effects).unwrap();
    day.cancels();
    day.state(TradingState::Trading);
    // This market's own halt; another's does not matter.
    day.recorded(|tape| tape.operational(NOW, LINE, true));
    assert_eq!(refused(&mut day, order), Some(Refusal::Halted));
    day.recorded(|tape| tape.operational(NOW, LINE, false));
    day.tape.operational(NOW, LINE, true);
    let mut elsewhere = day.tape.take().remove(0);
    elsewhere[19] = b'X';
    day.recorded(|tape| tape.raw(&elsewhere));
    assert_eq!(refused(&mut day, order), None);
    // The end of hours.
    let left: Vec<VenueRef> = day.market.own().map(|resting| resting.reference).collect();
    day.phase(Phase::After);
    assert_eq!(day.cancels().len(), left.len() - 1);
    assert!(day.market.ahead(own).is_none() && day.market.ahead(late).is_some());
    day.phase(Phase::Ended);
    assert_eq!(day.cancels(), [(late, 10, CancelReason::Closed)]);
}

#[test]
fn a_short_sale_obeys_the_price_test() {
    let mut day = Day::open();
    day.add(1, Buy, 100, 1000);
    let short = NewOrder { short: true, ..NewOrder::limit(SYMBOL, Sell, 10, cents(1000)) };
    let own = day.enter(short);
    assert_eq!(day.fills(), [(own, 10, 1000)]);
    day.recorded(|tape| tape.reg_sho(NOW, LINE, b'1'));
    let immediate = NewOrder { life: Life::Immediate, ..short };
    assert_eq!(day.market.enter(NOW, immediate, &mut Vec::new()), Err(Refusal::ShortSaleRestricted));
    day.market.enter(NOW, short, &mut day.effects).unwrap();
    let entered = day.effects.pop().unwrap();
    assert!(
        matches!(entered.what, What::Entered { limit: Some(limit), conformed: true, live: true, .. } if limit == cents(1001))
    );
}

#[test]
fn a_broken_trade_is_told_once() {
    let mut day = Day::open();
    day.add(1, Sell, 100, 1000);
    day.ioc(Buy, 10, 1000);
    let What::Executed { trade, .. } = day.effects.pop().unwrap().what else { panic!("it took") };
    day.market.break_trade(NOW, trade, BreakReason::Erroneous, &mut day.effects).unwrap();
    assert!(matches!(day.effects.pop().unwrap().what, What::Broken { .. }));
    assert_eq!(
        day.market.break_trade(NOW, trade, BreakReason::Erroneous, &mut day.effects),
        Err(Refusal::UnknownOrder)
    );
}

// ---- Time ----------------------------------------------------------------------------------------------------------

#[test]
fn a_recordings_time_never_goes_back_and_garbage_has_none() {
    let mut tape = Tape::default();
    for ns in [5, 3, 9, 86_400_000_000_000] {
        tape.event(ExchangeTime(ns), b'O');
    }
    tape.raw(b"Snot a message of this length");
    let mut messages = tape.take();
    messages[3][5..11].copy_from_slice(&[0xFF; 6]);
    let mut at = ExchangeTime::new(1, 0);
    for (message, expected) in messages.iter().zip([5, 5, 9, 9, 9]) {
        at = time_of(message, at);
        assert_eq!(at, ExchangeTime::new(1, expected));
    }
}

// ---- As the far end of the wire ------------------------------------------------------------------------------------

/// A SoupBinTCP packet.
fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(1 + payload.len()).unwrap();
    [&length.to_be_bytes()[..], &[letter], payload].concat()
}

#[test]
fn a_recorded_day_goes_out_as_it_is_whatever_own_orders_do() {
    let mut tape = Tape::default();
    let at = |ns| ExchangeTime::new(1, NOW.0 + ns);
    tape.event(at(0), b'O');
    tape.directory(at(0), LINE, 100, b'P');
    tape.trading_state(at(0), LINE, b'T', *b"    ");
    tape.event(at(1_000), b'Q');
    let shown = |reference, side, price| Shown {
        reference: VenueRef(reference),
        side,
        shares: 300,
        price: cents(price),
        attributed: (reference == 7).then_some(*b"MMKR"),
    };
    tape.add(at(2_000), LINE, shown(7, Buy, 999));
    tape.add(at(2_000), LINE, shown(8, Sell, 1001));
    tape.raw(b"? not known here");
    tape.executed(at(5_000), LINE, VenueRef(7), 100, 1);
    let messages = tape.take();
    let mut bytes = Vec::new();
    binary_file::write_binary_file(&mut bytes, messages.iter().map(Vec::as_slice)).unwrap();
    // The caller's clock begins at the opening: what was before goes out at once.
    let port = PortConfig::new(*b"FIRE  ", *b"PASSWORD  ", *b"SESSION001", *b"FIRE");
    let mut day = RecordedDay::new(&bytes, at(1_000), b'Q', vec![port]);
    day.open(Mono(0));
    assert_eq!((day.take_messages().as_slice(), day.next_deadline()), (&messages[..4], Mono(1_000)));
    day.on_connect(Mono(0), ConnId(1), 0);
    let login = format!("FIRE  PASSWORD  {:10}{:>20}", "", 1);
    day.on_bytes(Mono(0), ConnId(1), &packet(b'L', login.as_bytes()));
    day.on_timer(Mono(1_000));
    assert_eq!(day.take_messages().as_slice(), &messages[4..7], "what can't be read goes with what was before it");
    // Buy 400 at 10.01: 300 are there, 100 stay in front of the recorded best.
    let order = b"O\0\0\0\x01B\0\0\x01\x90TEST    \0\0\0\0\0\x01\x87\x040YPNN00000000000001\0\0";
    day.on_bytes(Mono(1_500), ConnId(1), &packet(b'U', order));
    let filled =
        |day: &RecordedDay<&Vec<u8>>| day.port(0).unwrap().fills().iter().map(|fill| fill.shares).collect::<Vec<i64>>();
    assert_eq!((filled(&day), day.take_messages()), (vec![300], vec![]));
    assert!(!day.is_over() && day.next_deadline() == Mono(4_000));
    day.on_timer(Mono(4_000));
    assert_eq!((filled(&day), day.take_messages().as_slice()), (vec![300, 100], &messages[7..]));
    assert!(day.is_over() && day.take_outputs().len() == 3 && day.check().is_ok());

    // A snapshot holds the recorded day as it stands: phase, directory, state, what is left of each order.
    let snapshot = day.snapshot(Mono(4_000));
    assert_eq!(snapshot[..3], [&messages[3][..], &messages[1], &messages[2]]);
    let mut again = Playthrough::new(b'Q');
    snapshot.iter().for_each(|message| again.on_message(message, &mut Vec::new()));
    assert_eq!(again.book(SYMBOL), day.displayed(SYMBOL));
    assert_eq!((day.displayed(SYMBOL).len(), snapshot[3][0], snapshot[4][0]), (2, b'F', b'A'));
}

// ---- The reference fills of a real hour ----------------------------------------------------------------------------

/// How long an order of the reference lives. (The file does not say: fills come up to 24.9 s after arrival, and what
/// would fill from 25 s on is not in it.)
const REFERENCE_LIFE: u64 = 25_000_000_000;

#[test]
fn resting_orders_fill_as_in_the_reference_of_the_aapl_hour() {
    let (Some(recording), Some(reference)) =
        (shared("itch/aapl_20120621_da.itch.xz"), shared("micro/aapl_passive_fills.csv"))
    else {
        return;
    };
    let text = std::fs::read_to_string(reference).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(',').collect()).collect();
    assert_eq!(rows.len(), 118);
    let bytes = read_all(&recording).unwrap();
    let messages = binary_file::Messages::new(&bytes).map(|message| message.unwrap());

    let mut market = Playthrough::new(b'Q');
    let mut waiting = rows.iter().enumerate().peekable();
    let mut live: Option<(usize, VenueRef, u64)> = None;
    let mut fills: Vec<(Option<u64>, Option<u64>, u32)> = vec![(None, None, 0); rows.len()];
    let mut effects = Vec::new();
    let mut time = ExchangeTime(0);
    for message in messages {
        time = time_of(message, time);
        let at = time.ns_since_midnight();
        if let Some((_, own, until)) = live.filter(|(_, _, until)| *until < at) {
            let _ = market.reduce(NOW, own, 0, CancelReason::User, &mut effects);
            assert!(until > 0);
            live = None;
        }
        while let Some((index, row)) = waiting.next_if(|(_, row)| row[0].parse::<u64>().unwrap() < at) {
            effects.clear();
            let side = if row[1] == "B" { Buy } else { Sell };
            let order = NewOrder::limit(Symbol(*b"AAPL    "), side, 100, Price(row[2].parse().unwrap()));
            market.enter(NOW, order, &mut effects).unwrap();
            let [Effect { reference, what: What::Entered { .. }, .. }] = effects[..] else { panic!("it rests") };
            assert_eq!(market.ahead(reference), row[3].parse().ok(), "queue of order {index}");
            live = Some((index, reference, row[0].parse::<u64>().unwrap() + REFERENCE_LIFE));
        }
        effects.clear();
        market.on_message(message, &mut effects);
        for effect in effects.drain(..) {
            if let (Some((index, own, _)), What::Executed { shares, .. }) = (live, effect.what) {
                assert_eq!(own, effect.reference);
                let (first, full, filled) = &mut fills[index];
                *filled += shares;
                first.get_or_insert(at);
                *full = (*filled == 100).then_some(at);
            }
        }
    }
    for (row, (first, full, filled)) in rows.iter().zip(&fills) {
        let told = |time: &Option<u64>| time.map_or(String::new(), |t| t.to_string());
        let ours = [told(first), told(full), filled.to_string()];
        assert_eq!(ours.each_ref().map(String::as_str), row[4..7], "order of {} {}", row[0], row[1]);
    }
}

// ---- A naive model on random days ----------------------------------------------------------------------------------

/// The same rules told from the order's side: each own order remembers who is before it, by name.
#[derive(Default)]
struct Model {
    recorded: BTreeMap<u64, (Side, i64, u32, u32)>,
    own: Vec<(VenueRef, Side, i64, u32, Vec<u64>)>,
    fills: Vec<(VenueRef, u32, i64)>,
}

impl Model {
    fn add(&mut self, reference: u64, side: Side, shares: u32, price: i64) {
        let mut left = shares;
        let mut best: Vec<usize> = (0..self.own.len()).collect();
        best.sort_by_key(|i| if side == Sell { -self.own[*i].2 } else { self.own[*i].2 });
        for i in best {
            let (own, of, limit, open, before) = &mut self.own[i];
            let meets = *of != side && (if side == Sell { price <= *limit } else { price >= *limit });
            if meets && before.is_empty() && left.min(*open) > 0 {
                let n = left.min(*open);
                self.fills.push((*own, n, *limit));
                (left, *open) = (left - n, *open - n);
            }
        }
        self.recorded.insert(reference, (side, price, shares, shares - left));
    }

    fn executed(&mut self, reference: u64, shares: u32) {
        let (side, price, ..) = self.recorded[&reference];
        let mut left = shares;
        let mut best: Vec<usize> = (0..self.own.len()).collect();
        best.sort_by_key(|i| if side == Buy { -self.own[*i].2 } else { self.own[*i].2 });
        for i in best {
            let (own, of, limit, open, before) = &mut self.own[i];
            let through = if side == Buy { price < *limit } else { price > *limit };
            let n = match *of == side {
                true if through => *open,
                true if price == *limit && before.is_empty() => left.min(*open),
                _ => 0,
            };
            if n > 0 {
                self.fills.push((*own, n, *limit));
                *open -= n;
                left -= if through { 0 } else { n };
            }
        }
        self.shrink(reference, shares);
    }

    fn shrink(&mut self, reference: u64, shares: u32) {
        let order = self.recorded.get_mut(&reference).unwrap();
        order.2 -= shares;
        if order.2 == 0 {
            self.recorded.remove(&reference);
            for (.., before) in &mut self.own {
                before.retain(|r| *r != reference);
            }
        }
    }

    fn enter(&mut self, own: VenueRef, side: Side, shares: u32, limit: i64) {
        let mut open = shares;
        let mut makers: Vec<u64> = self.recorded.keys().copied().collect();
        // References ascend in time, which a stable sort by price keeps.
        makers.sort_by_key(|r| if side == Buy { self.recorded[r].1 } else { -self.recorded[r].1 });
        for maker in makers {
            let (of, price, shown, taken) = self.recorded.get_mut(&maker).unwrap();
            let crosses = *of != side && (if side == Buy { *price <= limit } else { *price >= limit });
            let n = open.min(shown.saturating_sub(*taken));
            if crosses && n > 0 {
                self.fills.push((own, n, *price));
                (*taken, open) = (*taken + n, open - n);
            }
        }
        let before = self.recorded.iter().filter(|(_, (of, price, ..))| (*of, *price) == (side, limit));
        let before = before.map(|(r, _)| *r).collect();
        self.own.push((own, side, limit, open, before));
    }
}

#[test]
fn random_days_fill_as_the_naive_model_says() {
    let mut fills = 0;
    for seed in 0..200 {
        let mut rng = Rng::new(seed, "playthrough");
        let (mut day, mut model) = (Day::open(), Model::default());
        let mut alone = Day::open();
        for step in 1..400u64 {
            let refs: Vec<u64> = model.recorded.keys().copied().collect();
            let picked = (!refs.is_empty()).then(|| refs[rng.below(refs.len() as u64) as usize]);
            let side = if rng.below(2) == 0 { Buy } else { Sell };
            let shares = 1 + rng.below(40) as u32;
            // Recorded bids up to 1,005 and offers from 1,004: sometimes locked or crossed, as no recording should be.
            let price = 1_000 + rng.below(6) as i64 + if side == Sell { 4 } else { 0 };
            match (rng.below(10), picked) {
                (0..=3, _) | (_, None) => {
                    model.add(step, side, shares, price);
                    day.add(step, side, shares, price);
                    alone.add(step, side, shares, price);
                }
                (4..=5, Some(r)) => {
                    let n = shares.min(model.recorded[&r].2);
                    model.executed(r, n);
                    day.executed(r, n);
                    alone.executed(r, n);
                }
                (6, Some(r)) => {
                    let n = shares.min(model.recorded[&r].2);
                    model.shrink(r, n);
                    day.reduced(r, n);
                    alone.reduced(r, n);
                }
                (7, Some(r)) => {
                    let (side, _, left, _) = model.recorded[&r];
                    model.shrink(r, left);
                    model.add(step, side, shares, price);
                    day.replaced(r, step, shares, price);
                    alone.replaced(r, step, shares, price);
                }
                _ => {
                    let own = day.limit(side, shares, price);
                    model.enter(own, side, shares, price);
                }
            }
            model.own.retain(|own| own.3 > 0);
            fills += model.fills.len();
            assert_eq!(day.fills(), std::mem::take(&mut model.fills).as_slice(), "seed {seed}, step {step}");
            for (own, _, limit, open, before) in &model.own {
                let ahead: u64 = before.iter().map(|r| u64::from(model.recorded[r].2)).sum();
                assert_eq!(day.ahead(*own), ahead, "seed {seed}, step {step}");
                let resting = day.market.own().find(|o| o.reference == *own).unwrap();
                assert_eq!((resting.price, resting.shares), (cents(*limit), *open), "seed {seed}, step {step}");
            }
        }
        // Own orders change nothing in the recording, whatever they traded.
        assert_eq!(day.market.book(SYMBOL), alone.market.book(SYMBOL), "seed {seed}");
    }
    assert!(fills > 10_000, "{fills} fills prove little");
}
