//! The life of an order: each rule by itself, then all of them at random against a naive venue.

mod anomalies;
mod model;
mod venues;

use firelane_gateway::base::{
    AccountId, ClientId, Digest, InstrumentId, Mono, Nanos, Price, Qty, Side, StrategyId, Symbol, Token, VenueId,
    VenueRef,
};
use firelane_gateway::flow::action::{
    Cancel, Change, Enter, Exposure, Happening, Replace, SellMark, Tags, TimeInForce,
};
use firelane_gateway::flow::orders::{
    Cursor, Liquidity, LiquidityKind, Orders, OrdersConfig, Origin, Reason, ReasonClass, Report, Sent, Standing,
    Status, Sweep, Visibility, Which,
};
use model::{Mood, Request, Venue};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

const SYMBOL: Symbol = Symbol(*b"TEST    ");
const HERE: InstrumentId = InstrumentId(0);
const VENUE: VenueId = VenueId(0);

/// A reason with this code.
fn why(code: u32) -> Reason {
    Reason::new(ReasonClass::Other, code)
}

fn letter(code: u8) -> Reason {
    why(code.into())
}

fn part(code: u8) -> Liquidity {
    Liquidity::new(LiquidityKind::Added, code.into())
}

fn config() -> OrdersConfig {
    OrdersConfig {
        capacity: 8,
        retained: 4,
        fills: 64,
        instruments: 2,
        venues: 2,
        first_id: 1,
        request_timeout: Nanos(1_000),
    }
}

/// An order table and the numbers of what was sent.
struct Desk {
    orders: Orders,
    now: Mono,
    token: u64,
    requests: u64,
}

impl Desk {
    fn new() -> Self {
        Desk::with(config())
    }

    fn with(config: OrdersConfig) -> Self {
        Desk { orders: Orders::new(&config).unwrap(), now: Mono(0), token: 0, requests: 0 }
    }

    fn sent(&mut self) -> Sent {
        self.token += 1;
        self.requests += 1;
        Sent { token: Token(self.token), request: self.requests }
    }

    fn enter(&mut self, side: Side, price: i64, qty: i64) -> (ClientId, Token) {
        let sent = self.sent();
        let change = self.orders.opened(self.now, VENUE, &enter(side, price, qty), SellMark::Long, sent).unwrap();
        (change.order, sent.token)
    }

    /// Entered and accepted.
    fn live(&mut self, side: Side, price: i64, qty: i64) -> (ClientId, Token) {
        let (order, token) = self.enter(side, price, qty);
        let standing = accepted(token, side, price, qty);
        assert_eq!(self.tell(Report::Accepted(standing)).what, Happening::Accepted);
        (order, token)
    }

    fn replace(&mut self, order: ClientId, price: i64, qty: i64) -> Token {
        let sent = self.sent();
        let replace = Replace { order, price: Price(price), qty: Qty(qty) };
        self.orders.replace_sent(self.now, &replace, sent).unwrap();
        sent.token
    }

    fn cancel(&mut self, order: ClientId, keep: i64) {
        self.requests += 1;
        let sent = Sent { token: self.orders.get(order).unwrap().token, request: self.requests };
        self.orders.cancel_sent(self.now, &Cancel { order, keep: Qty(keep) }, sent).unwrap();
    }

    fn tell(&mut self, report: Report) -> Change {
        self.orders.report(VENUE, &report).unwrap_or_else(|| panic!("{report:?} was ignored"))
    }

    fn exposure(&self, order: ClientId) -> (i64, i64) {
        let exposure = self.orders.get(order).unwrap().exposure();
        (exposure.qty.0, exposure.price.0)
    }

    fn open(&self, order: ClientId) -> i64 {
        self.orders.get(order).unwrap().open.0
    }

    fn status(&self, order: ClientId) -> Status {
        self.orders.get(order).unwrap().status
    }
}

fn enter(side: Side, price: i64, qty: i64) -> Enter {
    Enter {
        instrument: HERE,
        side,
        price: Price(price),
        qty: Qty(qty),
        tif: TimeInForce::Day,
        post_only: false,
        tags: Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() },
    }
}

fn accepted(token: Token, side: Side, price: i64, qty: i64) -> Standing {
    Standing {
        token,
        origin: None,
        name: SYMBOL.into(),
        side,
        mark: SellMark::Long,
        qty: Qty(qty),
        price: Price(price),
        tif: TimeInForce::Day,
        display: Visibility::Displayed,
        venue_ref: VenueRef(1_000 + token.0),
        live: true,
    }
}

fn executed(token: Token, qty: i64, price: i64, trade: u64) -> Report {
    Report::Executed { token, qty: Qty(qty), price: Price(price), liquidity: part(b'A'), trade }
}

fn canceled(token: Token, decrement: i64) -> Report {
    Report::Canceled { token, decrement: Qty(decrement), reason: letter(b'U') }
}

#[test]
fn an_order_is_pending_live_partially_filled_and_filled() {
    let mut desk = Desk::new();
    let sent = desk.sent();
    let opened = desk.orders.opened(desk.now, VENUE, &enter(Side::Buy, 100, 500), SellMark::Long, sent).unwrap();
    assert_eq!((opened.what, opened.before, opened.finished), (Happening::Sent, Exposure::default(), false));
    assert_eq!(opened.after, Exposure { qty: Qty(500), price: Price(100), short: false });
    assert_eq!(desk.status(opened.order), Status::Pending);

    let accept = desk.tell(Report::Accepted(accepted(Token(1), Side::Buy, 100, 500)));
    assert_eq!((accept.before, accept.joined, accept.left), (opened.after, Some(VenueRef(1_001)), None));
    assert_eq!(desk.status(opened.order), Status::Live);

    let first = desk.tell(executed(Token(1), 200, 99, 7));
    let fill = first.fill.unwrap();
    assert_eq!((fill.qty, fill.price, fill.trade, fill.liquidity), (Qty(200), Price(99), 7, part(b'A')));
    assert_eq!((first.after.qty, desk.status(opened.order)), (Qty(300), Status::PartiallyFilled));

    let last = desk.tell(executed(Token(1), 300, 100, 8));
    assert_eq!((last.finished, last.after, last.left), (true, Exposure::default(), Some(VenueRef(1_001))));
    assert_eq!((desk.status(opened.order), desk.orders.live_count()), (Status::Filled, 0));
}

#[test]
fn accepted_at_a_better_price_still_counts_at_its_limit() {
    let mut desk = Desk::new();
    let (order, token) = desk.enter(Side::Buy, 100, 10);
    desk.tell(Report::Accepted(accepted(token, Side::Buy, 98, 10)));
    // The venue may move it back up to the limit.
    assert_eq!(desk.exposure(order), (10, 100));
    assert_eq!(desk.orders.get(order).unwrap().price, Price(98));
    assert_eq!(desk.orders.own_best(HERE, Side::Buy), Some(Price(100)));
}

#[test]
fn accepted_dead_is_the_end() {
    let mut desk = Desk::new();
    let (order, token) = desk.enter(Side::Buy, 100, 10);
    let change = desk.tell(Report::Accepted(Standing { live: false, ..accepted(token, Side::Buy, 100, 10) }));
    assert_eq!((change.what, change.finished, change.after.qty), (Happening::Cancelled, true, Qty(0)));
    assert_eq!((change.joined, desk.status(order)), (None, Status::Cancelled));
}

#[test]
fn rejected_never_lived() {
    let mut desk = Desk::new();
    let (order, token) = desk.enter(Side::Sell, 100, 10);
    let change = desk.tell(Report::Rejected { token, reason: why(0x1D) });
    assert_eq!((change.what, change.reason, change.finished), (Happening::Rejected, why(0x1D), true));
    assert_eq!((desk.status(order), desk.orders.own_best(HERE, Side::Sell)), (Status::Rejected, None));
}

#[test]
fn a_replace_names_the_liability_of_the_whole_chain() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.tell(executed(token, 100, 100, 1));
    let new = desk.replace(order, 101, 500);
    // 500 of which 100 are used: no more than what is open already.
    assert_eq!(desk.exposure(order), (400, 101));
    let change = desk.tell(Report::Replaced { orig: token, now: accepted(new, Side::Buy, 101, 400) });
    assert_eq!((change.what, change.after.qty), (Happening::Replaced, Qty(400)));
    assert_eq!((change.left, change.joined), (Some(VenueRef(1_001)), Some(VenueRef(1_002))));
    assert_eq!((desk.open(order), desk.status(order)), (400, Status::PartiallyFilled));
    assert_eq!(desk.orders.by_token(VENUE, new).unwrap().id, order);
}

#[test]
fn while_a_replace_is_pending_the_larger_quantity_and_the_higher_price_count() {
    for (price, qty, expected) in [(110, 800, (800, 110)), (90, 100, (500, 100)), (90, 800, (800, 100))] {
        let mut desk = Desk::new();
        let (order, token) = desk.live(Side::Buy, 100, 500);
        let new = desk.replace(order, price, qty);
        assert_eq!(desk.exposure(order), expected);
        assert!(!desk.orders.get(order).unwrap().can_replace(), "one replace at a time");
        // A fill of the original takes from both candidates.
        desk.tell(executed(token, 50, 100, 1));
        assert_eq!(desk.exposure(order).0, expected.0 - 50);
        desk.tell(Report::Replaced { orig: token, now: accepted(new, Side::Buy, price, qty - 50) });
        assert_eq!(desk.exposure(order), (qty - 50, price));
    }
}

#[test]
fn an_invalid_replace_kills_the_original() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.replace(order, 101, 900);
    let change = desk.tell(canceled(token, 500));
    assert_eq!((change.what, change.finished, change.before.qty), (Happening::Cancelled, true, Qty(900)));
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER, "no answer is owed to the replace any more");
}

#[test]
fn a_replace_of_a_filled_order_gets_no_answer_and_adds_nothing() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.replace(order, 101, 900);
    let change = desk.tell(executed(token, 500, 100, 1));
    assert_eq!((change.finished, change.after.qty, desk.status(order)), (true, Qty(0), Status::Filled));
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER);
}

#[test]
fn a_rejected_replace_leaves_the_original_as_it_was() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Sell, 100, 500);
    let new = desk.replace(order, 90, 900);
    assert_eq!(desk.orders.own_best(HERE, Side::Sell), Some(Price(90)));
    let change = desk.tell(Report::Rejected { token: new, reason: why(0x15) });
    assert_eq!((change.what, change.finished), (Happening::RequestRefused, false));
    assert_eq!((desk.exposure(order), desk.status(order)), ((500, 100), Status::Live));
    assert_eq!(desk.orders.own_best(HERE, Side::Sell), Some(Price(100)));
    assert_eq!(desk.tell(executed(token, 1, 100, 1)).order, order);
}

#[test]
fn a_fill_of_the_old_token_after_the_replacement_moves_the_position_alone() {
    let mut desk = Desk::new();
    let (order, old) = desk.live(Side::Buy, 100, 500);
    let new = desk.replace(order, 101, 500);
    desk.tell(Report::Replaced { orig: old, now: accepted(new, Side::Buy, 101, 500) });
    let change = desk.tell(executed(old, 100, 100, 1));
    // What the replacement reported as open was already without it.
    assert_eq!((change.fill.unwrap().qty, change.after.qty, desk.open(order)), (Qty(100), Qty(500), 500));
    assert_eq!(desk.orders.counters().late_fills, 1);
    assert_eq!(desk.orders.get(order).unwrap().executed, Qty(100));
}

#[test]
fn a_cancel_names_the_size_in_all() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.tell(executed(token, 100, 100, 1));
    desk.cancel(order, 300);
    assert_eq!(desk.open(order), 400, "nothing is free before the answer");
    let change = desk.tell(canceled(token, 200));
    assert_eq!((change.what, change.after.qty, desk.open(order)), (Happening::Reduced, Qty(200), 200));
    assert_eq!(desk.orders.get(order).unwrap().cancelling, None);
    desk.cancel(order, 0);
    let change = desk.tell(canceled(token, 200));
    assert_eq!((change.what, change.reason, change.finished), (Happening::Cancelled, letter(b'U'), true));
}

#[test]
fn a_fill_races_a_cancel_and_the_cancel_takes_the_rest() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.cancel(order, 0);
    assert_eq!(desk.tell(executed(token, 300, 100, 1)).after.qty, Qty(200));
    let change = desk.tell(canceled(token, 200));
    assert_eq!((change.finished, desk.status(order)), (true, Status::Cancelled));
    assert_eq!(desk.orders.get(order).unwrap().executed, Qty(300));
}

#[test]
fn a_fill_after_the_cancel_moves_the_position_and_is_counted() {
    let mut desk = Desk::new();
    let (_, token) = desk.live(Side::Sell, 100, 500);
    desk.tell(canceled(token, 500));
    let change = desk.tell(executed(token, 50, 100, 1));
    assert_eq!((change.fill.unwrap().qty, change.after.qty, change.finished), (Qty(50), Qty(0), true));
    assert_eq!(desk.orders.counters().late_fills, 1);
}

#[test]
fn a_cancel_with_nothing_to_do_owes_no_answer() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.cancel(order, 500);
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER);
    // Asked in time, done by a fill in between: silence as well.
    desk.cancel(order, 400);
    assert_ne!(desk.orders.next_deadline(), Mono::NEVER);
    desk.tell(Report::SelfMatched {
        token,
        decrement: Qty(100),
        reason: letter(b'Q'),
        prevented: Qty(100),
        price: Price(100),
        liquidity: part(b'A'),
    });
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER);
}

#[test]
fn a_late_cross_order_is_cancelled_later_or_not_in_part() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.cancel(order, 100);
    let refused = desk.tell(Report::CancelRejected { token });
    assert_eq!((refused.what, refused.after.qty), (Happening::RequestRefused, Qty(500)));
    assert_eq!(desk.orders.get(order).unwrap().cancelling, None);

    desk.cancel(order, 0);
    let pending = desk.tell(Report::CancelPending { token });
    assert_eq!((pending.what, pending.after.qty), (Happening::CancelPending, Qty(500)));
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER, "the venue will act after the cross: nothing is owed");
    assert!(!desk.orders.get(order).unwrap().can_replace());
    desk.cancel(order, 0);
    assert_eq!(desk.orders.next_deadline(), Mono::NEVER, "it says so once");
    assert!(desk.tell(canceled(token, 500)).finished);
}

#[test]
fn self_match_decrements_count_towards_the_liability() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    let decrement = |qty| Report::SelfMatched {
        token,
        decrement: Qty(qty),
        reason: letter(b'Q'),
        prevented: Qty(qty + 7),
        price: Price(100),
        liquidity: part(b'R'),
    };
    assert_eq!(desk.tell(decrement(200)).after.qty, Qty(300));
    desk.replace(order, 100, 600);
    assert_eq!(desk.exposure(order).0, 400, "600 less the 200 that met our own");
    assert!(desk.tell(decrement(300)).finished);
}

#[test]
fn a_priority_update_changes_reference_and_price() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    let venue_ref = VenueRef(77);
    let change =
        desk.tell(Report::PriorityUpdated { token, price: Price(99), display: Visibility::Conformed, venue_ref });
    assert_eq!((change.what, change.left, change.joined), (Happening::Revised, Some(VenueRef(1_001)), Some(venue_ref)));
    let order = desk.orders.get(order).unwrap();
    assert_eq!((order.price, order.display, order.exposure().price), (Price(99), Visibility::Conformed, Price(100)));
}

#[test]
fn a_restatement_moves_to_the_displayed_parts_reference() {
    let mut desk = Desk::new();
    let (_, token) = desk.live(Side::Buy, 100, 500);
    let restated = |displayed| Report::Restated {
        token,
        reason: letter(b'R'),
        displayed,
        qty: Some(Qty(100)),
        price: Some(Price(100)),
    };
    let change = desk.tell(restated(Some(VenueRef(5))));
    assert_eq!((change.left, change.joined), (Some(VenueRef(1_001)), Some(VenueRef(5))));
    assert_eq!((change.what, change.reason), (Happening::Revised, letter(b'R')));
    assert_eq!((change.before, change.after.qty), (change.after, Qty(500)));
    assert_eq!(desk.tell(restated(None)).left, None);
    assert_eq!(desk.tell(canceled(token, 500)).left, Some(VenueRef(5)));
}

#[test]
fn a_modification_changes_the_mark_and_reports_what_is_open() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Sell, 100, 500);
    let mark = SellMark::Short { located: true };
    let change = desk.tell(Report::Modified { token, side: Side::Sell, mark, open: Qty(300) });
    assert_eq!((change.what, change.after.qty, change.before.short), (Happening::Reduced, Qty(300), false));
    assert!(change.after.short && desk.orders.get(order).unwrap().mark == mark);
    let same = desk.tell(Report::Modified { token, side: Side::Sell, mark, open: Qty(300) });
    assert_eq!(same.what, Happening::Revised);
    assert!(desk.tell(Report::Modified { token, side: Side::Sell, mark, open: Qty(0) }).finished);
}

#[test]
fn a_broken_trade_is_taken_back_once() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    desk.tell(executed(token, 200, 99, 7));
    let broken = Report::Broken { token, trade: 7, reason: letter(b'E') };
    let change = desk.tell(broken);
    let reversed = change.reversed.unwrap();
    assert_eq!((change.what, change.reason, change.fill), (Happening::TradeBroken, letter(b'E'), None));
    assert_eq!((reversed.qty, reversed.price, reversed.trade), (Qty(-200), Price(99), 7));
    assert_eq!((change.after.qty, desk.open(order)), (Qty(300), 300), "a break does not reopen the order");
    assert_eq!(desk.orders.report(VENUE, &broken), None);
    assert_eq!(desk.orders.report(VENUE, &executed(token, 200, 99, 7)), None, "nor does the fill count again");
    assert_eq!(desk.orders.counters().duplicates, 2);
    let unknown = desk.tell(Report::Broken { token, trade: 8, reason: letter(b'E') });
    assert_eq!((unknown.reversed, desk.orders.counters().unknown_trades), (None, 1));
}

#[test]
fn a_corrected_trade_is_reversed_and_booked_anew() {
    let mut desk = Desk::new();
    let (_, token) = desk.live(Side::Buy, 100, 500);
    desk.tell(executed(token, 200, 99, 7));
    let corrected = |price| Report::Corrected {
        token,
        qty: Qty(200),
        price: Price(price),
        liquidity: part(b'A'),
        trade: 7,
        reason: letter(b'N'),
    };
    for (from, to) in [(99, 95), (95, 96)] {
        let change = desk.tell(corrected(to));
        let (old, new) = (change.reversed.unwrap(), change.fill.unwrap());
        assert_eq!((change.what, change.reason), (Happening::TradeCorrected, letter(b'N')));
        assert_eq!((old.qty, old.price, new.qty, new.price), (Qty(-200), Price(from), Qty(200), Price(to)));
    }
    let broken = desk.tell(Report::Broken { token, trade: 7, reason: letter(b'E') });
    assert_eq!(broken.reversed.unwrap().price, Price(96));
    assert_eq!(desk.orders.report(VENUE, &corrected(97)), None, "what is broken is not corrected");
}

#[test]
fn an_execution_counts_once_for_its_match_number() {
    let mut desk = Desk::new();
    let (bid, buy) = desk.live(Side::Buy, 100, 500);
    let (ask, sell) = desk.live(Side::Sell, 100, 500);
    desk.tell(executed(buy, 100, 100, 7));
    assert_eq!(desk.orders.report(VENUE, &executed(buy, 100, 100, 7)), None);
    // Both sides of a trade have its number, and both may be ours.
    desk.tell(executed(sell, 100, 100, 7));
    assert_eq!((desk.open(bid), desk.open(ask), desk.orders.counters().duplicates), (400, 400, 1));
    let broken = [buy, sell].map(|token| desk.tell(Report::Broken { token, trade: 7, reason: letter(b'C') }));
    assert_eq!(broken.map(|c| (c.side, c.reversed.unwrap().qty)), [(Side::Buy, Qty(-100)), (Side::Sell, Qty(-100))]);
}

#[test]
fn a_broken_trade_of_a_forgotten_order_is_still_taken_back() {
    let mut desk = Desk::with(OrdersConfig { capacity: 1, retained: 1, ..config() });
    let (order, token) = desk.live(Side::Sell, 100, 5);
    desk.tell(executed(token, 5, 100, 1));
    for _ in 0..2 {
        let (_, token) = desk.live(Side::Buy, 100, 5);
        desk.tell(canceled(token, 5));
    }
    assert!(desk.orders.get(order).is_none() && desk.orders.by_token(VENUE, token).is_none());
    let change = desk.tell(Report::Broken { token, trade: 1, reason: letter(b'E') });
    assert_eq!((change.order, change.side, change.finished), (order, Side::Sell, true));
    assert_eq!((change.tags.account, change.reversed.unwrap().qty), (AccountId(7), Qty(-5)));
    // A fill of it would find nothing: counted, and that is what `retained` is to be sized for.
    assert_eq!(desk.orders.report(VENUE, &executed(token, 1, 100, 2)), None);
    assert_eq!(desk.orders.counters().unknown, 1);
}

#[test]
fn when_the_fills_are_full_the_oldest_is_forgotten_and_counted() {
    let mut desk = Desk::with(OrdersConfig { fills: 2, ..config() });
    let (_, token) = desk.live(Side::Buy, 100, 500);
    for trade in 1..=3 {
        desk.tell(executed(token, 1, 100, trade));
    }
    assert_eq!(desk.orders.forgotten_fills(), 1);
    let broken = |trade| Report::Broken { token, trade, reason: letter(b'E') };
    assert!(desk.tell(broken(1)).reversed.is_none() && desk.orders.counters().unknown_trades == 1);
    assert!(desk.tell(broken(2)).reversed.is_some() && desk.tell(broken(3)).reversed.is_some());
}

#[test]
fn a_full_table_says_so_and_keeps_the_latest_finished_orders() {
    let mut desk = Desk::with(OrdersConfig { capacity: 2, retained: 1, ..config() });
    let (first, token) = desk.live(Side::Buy, 100, 5);
    let (second, _) = desk.live(Side::Buy, 100, 5);
    assert!(desk.orders.is_full() && desk.orders.live_count() == 2);
    desk.tell(canceled(token, 5));
    assert!(!desk.orders.is_full() && desk.orders.get(first).is_some());
    let (third, _) = desk.enter(Side::Buy, 100, 5);
    assert!(desk.orders.is_full() && desk.orders.get(first).is_some(), "one finished order is kept");
    // Beyond the capacity a slot may yet be had, so that nothing that was sent goes unwatched; beyond that, none.
    let sent = desk.sent();
    assert!(desk.orders.opened(desk.now, VENUE, &enter(Side::Buy, 1, 1), SellMark::Long, sent).is_some());
    assert!(desk.orders.get(first).is_none() && desk.orders.get(second).is_some() && desk.orders.get(third).is_some());
    let sent = desk.sent();
    assert_eq!(desk.orders.opened(desk.now, VENUE, &enter(Side::Buy, 1, 1), SellMark::Long, sent), None);
    let other = Enter { instrument: InstrumentId(2), ..enter(Side::Buy, 1, 1) };
    assert_eq!(Desk::new().orders.opened(Mono(0), VENUE, &other, SellMark::Long, sent), None);
}

#[test]
fn configuration_out_of_range_is_named() {
    let bad = [
        (OrdersConfig { capacity: 0, ..config() }, "orders.capacity"),
        (OrdersConfig { retained: 0, ..config() }, "orders.retained"),
        (OrdersConfig { fills: u32::MAX, ..config() }, "orders.fills"),
        (OrdersConfig { instruments: 0, ..config() }, "orders.instruments"),
        (OrdersConfig { venues: 0, ..config() }, "orders.venues"),
        (OrdersConfig { venues: 65, ..config() }, "orders.venues"),
        (OrdersConfig { first_id: 0, ..config() }, "orders.first_id"),
        (OrdersConfig { request_timeout: Nanos(0), ..config() }, "orders.request_timeout"),
    ];
    for (config, field) in bad {
        assert_eq!(Orders::new(&config).unwrap_err().field, field);
    }
}

#[test]
fn a_late_answer_is_reported_once_and_changes_nothing_else() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 500);
    let new = desk.replace(order, 110, 900);
    assert_eq!(desk.orders.next_deadline(), Mono(1_000));
    assert_eq!(desk.orders.timed_out(Mono(999)), None);
    let change = desk.orders.timed_out(Mono(1_000)).unwrap();
    assert_eq!((change.what, change.before, change.after.qty), (Happening::TimedOut, change.after, Qty(900)));
    assert!(desk.orders.is_overdue(VENUE) && desk.orders.timed_out(Mono(9_999)).is_none());
    assert_eq!(desk.exposure(order), (900, 110), "both outcomes stay counted");
    desk.tell(Report::Replaced { orig: token, now: accepted(new, Side::Buy, 110, 900) });
    assert!(!desk.orders.is_overdue(VENUE) && desk.orders.counters().timed_out == 1);
}

#[test]
fn a_query_settles_what_was_sent_before_it_and_nothing_after() {
    let mut desk = Desk::new();
    let (quoted, token) = desk.live(Side::Buy, 100, 500);
    let (reduced, _) = desk.live(Side::Buy, 100, 500);
    let (lost, _) = desk.enter(Side::Sell, 200, 10);
    desk.replace(quoted, 110, 900);
    desk.cancel(reduced, 100);
    assert!(desk.orders.timed_out(Mono(1_000)).is_some(), "one of them is late, the others are not yet");
    let settled = desk.requests;
    let (after, _) = desk.enter(Side::Buy, 100, 10);

    assert_eq!(desk.orders.report(VENUE, &Report::Settled { upto: settled, next: Some(Token(3)), unused: None }), None);
    assert_eq!(desk.orders.next_deadline(), Mono(0), "there is something to tell at once");
    let mut told = HashMap::new();
    while let Some(change) = desk.orders.timed_out(Mono(1_000)).filter(|c| c.what != Happening::TimedOut) {
        assert_eq!(change.reason, Reason::NO_ANSWER);
        told.insert(change.order, (change.what, change.after.qty.0, change.finished));
    }
    let expected = [
        (lost, (Happening::Rejected, 0, true)),
        (quoted, (Happening::RequestRefused, 500, false)),
        (reduced, (Happening::RequestRefused, 500, false)),
    ];
    assert_eq!(told, HashMap::from(expected));
    assert_eq!((desk.status(after), desk.orders.counters().unanswered), (Status::Pending, 3));
    assert!(desk.orders.get(quoted).unwrap().can_replace());
    assert_eq!(desk.tell(executed(token, 1, 100, 1)).after.qty, Qty(499));
}

#[test]
fn a_lost_order_that_lives_all_the_same_counts_again() {
    let mut desk = Desk::new();
    let (order, token) = desk.enter(Side::Buy, 100, 10);
    desk.orders.report(VENUE, &Report::Settled { upto: 1, next: Some(Token(1)), unused: None });
    assert!(desk.orders.timed_out(Mono(0)).unwrap().finished);
    let change = desk.tell(Report::Accepted(accepted(token, Side::Buy, 100, 10)));
    assert_eq!((change.before.qty, change.after.qty, change.finished), (Qty(0), Qty(10), false));
    assert_eq!((desk.orders.live_count(), desk.orders.counters().contradictions), (1, 1));
    assert_eq!(desk.orders.own_best(HERE, Side::Buy), Some(Price(100)));
    assert!(desk.tell(canceled(token, 10)).finished && desk.status(order) == Status::Cancelled);
}

#[test]
fn contradictions_are_counted_and_never_make_a_number_negative() {
    let mut desk = Desk::new();
    let (order, token) = desk.live(Side::Buy, 100, 10);
    let change = desk.tell(executed(token, 30, 100, 1));
    assert_eq!((change.after.qty, change.fill.unwrap().qty, desk.open(order)), (Qty(0), Qty(30), 0));
    let (_, other) = desk.live(Side::Buy, 100, 10);
    assert_eq!(desk.tell(canceled(other, 30)).after.qty, Qty(0));
    assert_eq!(desk.orders.report(VENUE, &canceled(other, 1)), None);
    assert_eq!(desk.orders.report(VENUE, &Report::CancelPending { token: other }), None);
    assert_eq!(desk.orders.report(VENUE, &Report::Rejected { token: other, reason: why(1) }), None);
    assert_eq!(desk.orders.counters().contradictions, 5);
    assert_eq!(desk.orders.report(VENUE, &executed(Token(99), 1, 1, 1)), None);
    let replaced = Report::Replaced { orig: Token(98), now: accepted(Token(99), Side::Buy, 1, 1) };
    assert_eq!(desk.orders.report(VENUE, &replaced), None);
    assert_eq!(desk.orders.counters().unknown, 2);
    let again = Report::Accepted(accepted(token, Side::Buy, 100, 10));
    assert_eq!((desk.orders.report(VENUE, &again), desk.orders.counters().duplicates), (None, 1));
}

fn adopt(desk: &mut Desk, report: &Report) -> Option<Change> {
    desk.orders.adopt(VENUE, report, |name| (name == SYMBOL.into()).then_some(HERE))
}

#[test]
fn after_a_restart_orders_and_fills_are_rebuilt_from_the_replay() {
    let mut desk = Desk::new();
    let tags = Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() };
    let origin = Some(Origin { client: ClientId(40), tags });
    let mut told = Vec::new();
    for report in [
        Report::Accepted(Standing { origin, ..accepted(Token(1), Side::Buy, 100, 500) }),
        executed(Token(1), 100, 100, 1),
        Report::Replaced { orig: Token(1), now: Standing { origin, ..accepted(Token(2), Side::Buy, 101, 400) } },
        executed(Token(2), 50, 101, 2),
        Report::Broken { token: Token(1), trade: 1, reason: letter(b'E') },
    ] {
        told.push(adopt(&mut desk, &report).unwrap());
    }
    assert_eq!((told[0].what, told[0].before.qty, told[0].after.qty), (Happening::Accepted, Qty(0), Qty(500)));
    let position: i64 = told.iter().flat_map(|c| [c.fill, c.reversed]).flatten().map(|f| f.qty.0).sum();
    let order = desk.orders.get(ClientId(40)).unwrap();
    assert_eq!((position, order.open, order.executed, order.token), (50, Qty(350), Qty(150), Token(2)));
    assert_eq!((order.tags, order.status), (tags, Status::PartiallyFilled));
    assert_eq!(desk.orders.next_id(), ClientId(41), "ids are never used again");
    assert_eq!(desk.orders.own_best(HERE, Side::Buy), Some(Price(101)));
}

#[test]
fn orders_without_a_name_of_ours_get_one_of_their_own() {
    let mut desk = Desk::new();
    let stranger = adopt(&mut desk, &Report::Accepted(accepted(Token(1), Side::Buy, 100, 5))).unwrap();
    let origin = Some(Origin { client: ClientId(1), tags: Tags::default() });
    let ours =
        adopt(&mut desk, &Report::Accepted(Standing { origin, ..accepted(Token(2), Side::Buy, 100, 5) })).unwrap();
    let twin =
        adopt(&mut desk, &Report::Accepted(Standing { origin, ..accepted(Token(3), Side::Buy, 100, 5) })).unwrap();
    assert_eq!(ours.order, ClientId(1));
    assert_eq!([stranger.order, twin.order], [ClientId(1 << 63 | 1), ClientId(1 << 63 | 2)]);
    assert_eq!((desk.orders.live_count(), desk.orders.next_id()), (3, ClientId(2)));
    assert_eq!(adopt(&mut desk, &Report::Accepted(accepted(Token(3), Side::Buy, 100, 5))), None, "known by now");
    // In the middle of a chain whose beginning was not seen.
    let replaced = Report::Replaced { orig: Token(8), now: accepted(Token(9), Side::Sell, 100, 5) };
    assert_eq!(adopt(&mut desk, &replaced).unwrap().after.qty, Qty(5));
    // While trading, an order that is not known is a finding, not ours to trade.
    assert_eq!(desk.orders.report(VENUE, &Report::Accepted(accepted(Token(20), Side::Buy, 1, 1))), None);
    assert_eq!(desk.orders.counters().unknown, 1);
}

#[test]
fn what_can_not_be_adopted_is_counted() {
    let mut desk = Desk::with(OrdersConfig { capacity: 1, retained: 1, ..config() });
    let foreign = Standing { name: Symbol(*b"OTHER   ").into(), ..accepted(Token(1), Side::Buy, 100, 5) };
    assert_eq!(adopt(&mut desk, &Report::Accepted(foreign)), None);
    for token in 2..=4 {
        adopt(&mut desk, &Report::Accepted(accepted(Token(token), Side::Buy, 100, 5)));
    }
    assert_eq!((desk.orders.live_count(), desk.orders.counters().not_adopted), (2, 2));
    assert_eq!(adopt(&mut desk, &Report::Accepted(accepted(Token(0), Side::Buy, 100, 5))), None, "there is no token 0");
}

#[test]
fn the_best_own_price_follows_entries_replaces_and_ends() {
    let mut desk = Desk::new();
    let best = |desk: &Desk| [Side::Buy, Side::Sell].map(|side| desk.orders.own_best(HERE, side).map(|p| p.0));
    let (_, low) = desk.live(Side::Buy, 98, 5);
    let (mid, _) = desk.enter(Side::Buy, 99, 5);
    let (_, ask) = desk.live(Side::Sell, 105, 5);
    assert_eq!(best(&desk), [Some(99), Some(105)], "from the moment it is sent");
    desk.tell(Report::Accepted(accepted(Token(2), Side::Buy, 99, 5)));
    let new = desk.replace(mid, 97, 5);
    assert_eq!(best(&desk)[0], Some(99), "the original may trade yet");
    desk.tell(Report::Replaced { orig: Token(2), now: accepted(new, Side::Buy, 97, 5) });
    assert_eq!(best(&desk)[0], Some(98));
    desk.tell(canceled(low, 5));
    desk.tell(executed(ask, 5, 105, 1));
    assert_eq!(best(&desk), [Some(97), None]);
    assert_eq!(desk.orders.own_best(InstrumentId(1), Side::Buy), None);
    assert_eq!(desk.orders.own_best(InstrumentId(9), Side::Buy), None);
}

#[test]
fn iteration_survives_what_happens_in_between() {
    let mut desk = Desk::new();
    let all: Vec<_> = (0..5).map(|n| desk.live(Side::Buy, 100 + n, 5)).collect();
    let mut cursor = Cursor::default();
    let mut seen = Vec::new();
    while let Some(order) = desk.orders.next_live(&mut cursor).map(|o| (o.id, o.token)) {
        seen.push(order.0);
        // The one that the cursor stands at goes away, and the one after the next as well.
        desk.tell(canceled(order.1, 5));
        if seen.len() == 1 {
            desk.tell(canceled(all[2].1, 5));
            desk.live(Side::Sell, 200, 5);
        }
    }
    let late = ClientId(6);
    assert_eq!(seen, [all[0].0, all[1].0, all[3].0, all[4].0, late]);
    assert!(desk.orders.next_live_of(InstrumentId(1), &mut Cursor::default()).is_none());
    desk.live(Side::Buy, 100, 5);
    assert_eq!(desk.orders.next_live_of(HERE, &mut Cursor::default()).unwrap().id, ClientId(7));
}

#[test]
fn a_sweep_cancels_everything_and_repeats_what_is_not_answered() {
    let mut desk = Desk::new();
    let tokens = [desk.live(Side::Buy, 100, 5).1, desk.live(Side::Sell, 101, 5).1, desk.live(Side::Sell, 102, 5).1];
    let mut sweep = Sweep::new(Which::All, Nanos(100));
    let mut round = |desk: &mut Desk, now: u64| {
        desk.now = Mono(now);
        let mut asked = Vec::new();
        while let Some(cancel) = sweep.next(desk.now, &desk.orders) {
            assert_eq!(cancel.keep, Qty(0));
            asked.push(cancel.order.0);
            desk.cancel(cancel.order, 0);
        }
        (asked, sweep.is_done(&desk.orders))
    };
    assert_eq!(round(&mut desk, 0), (vec![1, 2, 3], false));
    assert_eq!(round(&mut desk, 50).0, Vec::<u64>::new(), "not before its time");
    desk.tell(canceled(tokens[0], 5));
    desk.tell(Report::CancelPending { token: tokens[1] });
    assert_eq!(round(&mut desk, 100).0, [3], "one is done, one waits for the cross, one was lost");
    desk.tell(canceled(tokens[1], 5));
    desk.tell(canceled(tokens[2], 5));
    assert_eq!(round(&mut desk, 200), (vec![], true));
    assert!(Sweep::new(Which::Of(InstrumentId(1)), Nanos(1)).is_done(&desk.orders));
}

#[test]
fn equal_histories_have_equal_digests() {
    let digest = |desk: &Desk| Digest::of_state(&desk.orders);
    let history = |qty: i64, last: Report| {
        let mut desk = Desk::new();
        let (order, token) = desk.live(Side::Buy, 100, qty);
        desk.tell(executed(token, 1, 100, 1));
        desk.replace(order, 101, 900);
        desk.orders.report(VENUE, &last);
        digest(&desk)
    };
    let broken = Report::Broken { token: Token(1), trade: 1, reason: letter(b'E') };
    let queried = Report::Settled { upto: 2, next: Some(Token(3)), unused: None };
    let all =
        [history(500, broken), history(501, broken), history(500, queried), history(500, executed(Token(9), 1, 1, 1))];
    assert_eq!(all[0], history(500, broken));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
}

/// The lane's side of the random test: the order table, what its changes add up to, and the rules that they must keep.
struct Lane {
    desk: Desk,
    ids: Vec<(ClientId, Token)>,
    exposure: HashMap<ClientId, Exposure>,
    refs: HashSet<VenueRef>,
    position: i64,
    cash: i64,
    traded: HashSet<u64>,
}

impl Lane {
    fn apply(&mut self, change: Change) {
        let known = self.exposure.insert(change.order, change.after).unwrap_or_default();
        assert_eq!(known, change.before, "each change begins where the last one ended: {change:?}");
        assert!(change.after.qty.0 >= 0);
        assert_eq!(change.finished, !self.desk.orders.get(change.order).unwrap().is_live());
        if let Some(left) = change.left {
            assert!(self.refs.remove(&left), "{left:?} left and had not joined");
        }
        if let Some(joined) = change.joined {
            assert!(self.refs.insert(joined), "{joined:?} joined twice");
        }
        for fill in [change.fill, change.reversed].into_iter().flatten() {
            self.position += fill.qty.0 * change.side.sign();
            self.cash -= fill.qty.0 * fill.price.0 * change.side.sign();
        }
    }

    fn live(&self) -> Vec<ClientId> {
        let mut cursor = Cursor::default();
        std::iter::from_fn(|| self.desk.orders.next_live(&mut cursor).map(|o| o.id)).collect()
    }

    /// What must hold at every moment.
    fn check(&self, venue: &Venue) {
        let orders = &self.desk.orders;
        for (id, first) in &self.ids {
            let (qty, price) = venue.worst(*first);
            let Some(order) = orders.get(*id) else {
                assert_eq!(qty, 0, "{id:?} is forgotten and may still trade");
                continue;
            };
            let exposure = order.exposure();
            assert!(exposure.qty.0 >= qty, "{order:?} may trade {qty}, {:?} is counted", exposure.qty);
            if qty > 0 && order.is_live() {
                assert!(order.side == Side::Sell || exposure.price.0 >= price, "{order:?} may trade at {price}");
                let best = orders.own_best(HERE, order.side).unwrap();
                assert!(!order.side.is_better(order.reach().unwrap(), best), "{order:?} reaches beyond {best:?}");
            }
        }
        let live = self.live();
        assert_eq!(live.len(), orders.live_count() as usize);
        for side in [Side::Buy, Side::Sell] {
            let reaches = live.iter().map(|id| orders.get(*id).unwrap()).filter(|o| o.side == side);
            let best = reaches.filter_map(|o| o.reach()).map(|p| p.0 * side.sign()).max();
            assert_eq!(orders.own_best(HERE, side).map(|p| p.0 * side.sign()), best);
        }
        let shown = live.iter().filter_map(|id| orders.get(*id).unwrap().venue_ref);
        assert_eq!(shown.collect::<HashSet<_>>(), self.refs);
    }

    fn hear(&mut self, report: &Report) {
        if let Some(change) = self.desk.orders.report(VENUE, report) {
            if let Report::Executed { trade, .. } = report {
                assert!(self.traded.insert(*trade), "trade {trade} counted twice");
            }
            self.apply(change);
        }
    }

    fn timers(&mut self) {
        while let Some(change) = self.desk.orders.timed_out(self.desk.now) {
            self.apply(change);
        }
    }
}

fn play(steps: &[(u8, u8, u16)]) {
    let table = OrdersConfig { capacity: 6, retained: 200, fills: 4_096, ..config() };
    let mut lane = Lane {
        desk: Desk::with(table),
        ids: Vec::new(),
        exposure: HashMap::new(),
        refs: HashSet::new(),
        position: 0,
        cash: 0,
        traded: HashSet::new(),
    };
    let mut venue = Venue::default();
    for &(what, which, amount) in steps {
        let (which, amount) = (usize::from(which), i64::from(amount % 900));
        let live = lane.live();
        let order = (!live.is_empty()).then(|| *lane.desk.orders.get(live[which % live.len()]).unwrap());
        let alive: Vec<usize> = (0..venue.chains.len()).filter(|i| venue.chains[*i].open > 0).collect();
        let there = (!alive.is_empty()).then(|| alive[which % alive.len()]);
        match what % 24 {
            0..3 if !lane.desk.orders.is_full() => {
                let side = if which % 2 == 0 { Side::Buy } else { Side::Sell };
                let (price, qty) = (1_000 + amount % 50, 1 + amount);
                let (id, token) = {
                    let sent = lane.desk.sent();
                    let asked = enter(side, price, qty);
                    let change = lane.desk.orders.opened(lane.desk.now, VENUE, &asked, SellMark::Long, sent).unwrap();
                    lane.apply(change);
                    (change.order, sent.token)
                };
                lane.ids.push((id, token));
                venue.inbox.push_back(Request::Enter { token, side, price, qty });
            }
            3..6 => {
                if let Some(order) = order.filter(|o| o.can_replace()) {
                    let (price, qty) = (1_000 + amount % 50, 1 + amount);
                    let sent = lane.desk.sent();
                    let replace = Replace { order: order.id, price: Price(price), qty: Qty(qty) };
                    let change = lane.desk.orders.replace_sent(lane.desk.now, &replace, sent).unwrap();
                    lane.apply(change);
                    venue.inbox.push_back(Request::Replace { orig: order.token, token: sent.token, price, qty });
                }
            }
            6..8 => {
                if let Some(order) = order {
                    let keep = if which % 3 == 0 { 0 } else { amount };
                    lane.desk.requests += 1;
                    let sent = Sent { token: order.token, request: lane.desk.requests };
                    let cancel = Cancel { order: order.id, keep: Qty(keep) };
                    let change = lane.desk.orders.cancel_sent(lane.desk.now, &cancel, sent).unwrap();
                    lane.apply(change);
                    for token in [Some(order.token), order.replacing.map(|r| r.token)].into_iter().flatten() {
                        venue.inbox.push_back(Request::Cancel { token, keep });
                    }
                }
            }
            8..12 => {
                let moods = [Mood::Plain, Mood::Plain, Mood::Invalid, Mood::Better, Mood::Plain, Mood::Dead];
                venue.work(moods[which % moods.len()]);
            }
            12..16 => {
                if let Some(report) = venue.sent.pop_front() {
                    lane.hear(&report);
                    // A mirrored host says it again.
                    if matches!(report, Report::Executed { .. } | Report::Broken { .. }) && which % 4 == 0 {
                        lane.hear(&report);
                    }
                }
            }
            16..18 => {
                if let Some(there) = there {
                    venue.execute(there, 1 + amount);
                }
            }
            18 => {
                if let Some(there) = there {
                    match which % 4 {
                        0 => venue.cancel_by_system(there),
                        1 => venue.self_match(there, 1 + amount),
                        2 => venue.reprice(there, amount % 5),
                        _ => venue.chains[there].late = true,
                    }
                }
            }
            19 => venue.cross(),
            20 if !venue.trades.is_empty() => {
                let index = which % venue.trades.len();
                if amount % 2 == 0 { venue.break_trade(index) } else { venue.correct_trade(index, 900 + amount) }
            }
            // A request is lost on its way.
            21 if !venue.inbox.is_empty() => {
                let index = which % venue.inbox.len();
                if !matches!(venue.inbox[index], Request::Query { .. }) {
                    venue.inbox.remove(index);
                }
            }
            22 => {
                lane.desk.now = Mono(lane.desk.now.0 + 400);
                lane.timers();
            }
            23 => venue.inbox.push_back(Request::Query { settles: lane.desk.requests }),
            _ => {}
        }
        lane.check(&venue);
    }

    // At rest: every request worked through and every answer heard, nothing is owed, and both sides agree.
    venue.cross();
    venue.inbox.push_back(Request::Query { settles: lane.desk.requests });
    while !venue.inbox.is_empty() {
        venue.work(Mood::Plain);
    }
    while let Some(report) = venue.sent.pop_front() {
        lane.hear(&report);
        lane.check(&venue);
    }
    lane.timers();
    lane.check(&venue);
    for (id, first) in &lane.ids {
        let order = lane.desk.orders.get(*id).unwrap();
        let chain = venue.chains.iter().find(|c| c.first == *first);
        let (open, executed, limit) = chain.map_or((0, 0, 0), |c| (c.open, c.executed, c.limit));
        assert_eq!((order.open.0, order.executed.0), (open, executed), "{order:?}");
        assert_eq!((order.replacing.is_some() && order.is_live(), order.is_live()), (false, open > 0));
        let expected = if open > 0 { (open, limit) } else { (0, 0) };
        let exposure = order.exposure();
        let price = if order.side == Side::Buy || open == 0 { exposure.price.0 } else { limit };
        assert_eq!((exposure.qty.0, price), expected, "{order:?}");
        assert_eq!(lane.exposure[id], exposure);
    }
    assert_eq!((lane.position, lane.cash), (venue.position(), venue.cash()));
    let counters = lane.desk.orders.counters();
    assert_eq!((counters.contradictions, counters.unknown_trades, counters.unknown), (0, 0, 0), "{counters:?}");
    assert_eq!(lane.desk.orders.next_deadline(), Mono::NEVER);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_race_lets_the_venue_do_more_than_is_counted(
        steps in proptest::collection::vec(any::<(u8, u8, u16)>(), 0..400)
    ) {
        play(&steps);
    }
}
