//! The gate and the ledger: each control below, at and beyond its limit, and against naive models.

use firelane_gateway::base::{
    ClientId, Currency, Digest, Instrument, InstrumentId, Mono, Nanos, Notional, ParentId, Price, Qty, Reader, Side,
    State, StrategyId, Symbol, VenueId, Writer,
};
use firelane_gateway::flow::action::{
    Cancel, Change, Enter, Exposure, Fill, Happening, MassCancel, Replace, SellMark, Tags, TimeInForce,
};
use firelane_gateway::flow::orders::{Liquidity, Reason};
use firelane_gateway::flow::risk::{
    Approvals, Distance, EmptyBook, Facts, Gate, InstrumentLimits, MarkedEnter, OneSided, OrderFacts, PriceCollar,
    Refusal, RiskLimits, ShortSale, Whose, ZeroCross,
};
use proptest::prelude::*;

mod left;
mod money;
mod stops;

const A: InstrumentId = InstrumentId(0);
const B: InstrumentId = InstrumentId(1);
const LOCATED: SellMark = SellMark::Short { located: true };
const NOTHING: Exposure = Exposure { qty: Qty::ZERO, price: Price(0), short: false };

fn row() -> Instrument {
    Instrument::us_equity(Symbol::new("TEST").unwrap())
}

/// $10.00 bid, $10.02 asked, no own orders, nothing in the way.
fn facts(row: &Instrument) -> Facts<'_> {
    Facts {
        now: Mono(1_000_000),
        instrument: row,
        best_bid: Some(Price(100_000)),
        best_ask: Some(Price(100_200)),
        fresh: true,
        crossed: false,
        tradable: true,
        collar: None,
        short_restricted: false,
        own_best_bid: None,
        own_best_ask: None,
        room: 2,
    }
}

fn enter(side: Side, price: i64, qty: i64) -> Enter {
    Enter {
        instrument: A,
        side,
        price: Price(price),
        qty: Qty(qty),
        tif: TimeInForce::Day,
        post_only: false,
        tags: Tags::default(),
    }
}

fn buy(price: i64, qty: i64) -> Enter {
    enter(Side::Buy, price, qty)
}

fn sell(price: i64, qty: i64) -> Enter {
    enter(Side::Sell, price, qty)
}

fn gate(change: impl FnOnce(&mut RiskLimits)) -> Gate {
    let mut limits = RiskLimits::widest();
    change(&mut limits);
    Gate::new(&limits, 2).unwrap()
}

/// A gate whose limits of every instrument are the widest but for `change`.
fn gate_each(change: impl FnOnce(&mut InstrumentLimits)) -> Gate {
    gate(|limits| change(&mut limits.each))
}

/// Asserts that the first is refused with `reason` and counted once, and that the second passes.
#[track_caller]
fn beyond_and_at(mut gate: Gate, reason: Refusal, beyond: (Enter, Facts<'_>), at: (Enter, Facts<'_>)) {
    assert_eq!(gate.enter(beyond.0, &beyond.1).err(), Some(reason), "beyond the limit");
    assert_eq!((gate.refused(reason), gate.passed()), (1, 0));
    assert_eq!(gate.enter(at.0, &at.1).err(), None, "at the limit");
    assert_eq!((gate.refused(reason), gate.passed()), (1, 1));
}

fn marks(approvals: Approvals) -> Vec<(i64, SellMark)> {
    approvals.into_iter().map(|a| (a.enter.qty.0, a.mark)).collect()
}

/// A step of an order of `A`.
fn step(side: Side, before: Exposure, after: Exposure, fill: Option<(i64, i64)>) -> Change {
    Change {
        order: ClientId(1),
        venue: VenueId(0),
        instrument: A,
        side,
        tags: Tags::default(),
        what: Happening::Sent,
        reason: Reason::NONE,
        before,
        after,
        fill: fill.map(|(qty, price)| Fill {
            qty: Qty(qty),
            price: Price(price),
            trade: 1,
            liquidity: Liquidity::UNKNOWN,
        }),
        reversed: None,
        left: None,
        joined: None,
        finished: false,
    }
}

fn exposed(qty: i64, price: i64, short: bool) -> Exposure {
    Exposure { qty: Qty(qty), price: Price(price), short }
}

/// Approves and sends: what the order table does.
#[track_caller]
fn send(gate: &mut Gate, enter: Enter, facts: &Facts<'_>) {
    for approved in gate.enter(enter, facts).unwrap() {
        let MarkedEnter { enter, mark } = approved.into_inner();
        let after = exposed(enter.qty.0, enter.price.0, mark != SellMark::Long);
        gate.apply(
            &Change { instrument: enter.instrument, ..step(enter.side, NOTHING, after, None) },
            facts.instrument,
        );
    }
}

/// A quiet live order of `A`.
fn live(side: Side, price: i64, open: i64, executed: i64, mark: SellMark) -> OrderFacts {
    OrderFacts {
        instrument: A,
        strategy: StrategyId(0),
        side,
        mark,
        price: Price(price),
        executed: Qty(executed),
        decremented: Qty::ZERO,
        open: Qty(open),
        exposure: exposed(open, price, mark != SellMark::Long),
        pending: false,
        cancel: None,
    }
}

fn to(price: i64, qty: i64) -> Replace {
    Replace { order: ClientId(1), price: Price(price), qty: Qty(qty) }
}

#[test]
fn the_kill_switch_is_latched_and_lets_cancels_pass() {
    let (row, mut gate) = (row(), gate(|_| {}));
    gate.kill();
    for _ in 0..3 {
        assert_eq!(gate.enter(buy(100_000, 100), &facts(&row)).err(), Some(Refusal::Killed));
    }
    let order = live(Side::Buy, 100_000, 100, 0, SellMark::Long);
    assert_eq!(gate.replace(to(99_900, 50), &order, &facts(&row)).err(), Some(Refusal::Killed));
    assert!(gate.cancel(Cancel { order: ClientId(1), keep: Qty::ZERO }, &order, Mono(0)).is_ok());
    assert!(gate.mass_cancel(MassCancel { instrument: None }, Mono(0)).is_ok());
    assert_eq!((gate.refused(Refusal::Killed), gate.is_killed()), (4, true));
    gate.release();
    assert!(gate.enter(buy(100_000, 100), &facts(&row)).is_ok());
}

#[test]
fn order_size_and_value_have_limits() {
    let row = row();
    let f = facts(&row);
    let small = |l: &mut InstrumentLimits| l.max_order_qty = Qty(100);
    beyond_and_at(gate_each(small), Refusal::OrderQuantity, (buy(100_000, 101), f), (buy(100_000, 100), f));
    let cheap = |l: &mut InstrumentLimits| l.max_order_notional = Notional(10_000_000);
    beyond_and_at(gate_each(cheap), Refusal::OrderNotional, (buy(100_100, 100), f), (buy(100_000, 100), f));
    // The multiplier counts.
    let future = Instrument { multiplier: 50, ..row };
    let lots = Facts { instrument: &future, ..f };
    beyond_and_at(gate_each(cheap), Refusal::OrderNotional, (buy(100_000, 3), lots), (buy(100_000, 2), lots));
    // What can't be computed is over every limit.
    let monster = Instrument { multiplier: i64::MAX, tick: 1, ..row };
    let big = Facts { instrument: &monster, ..f };
    beyond_and_at(gate(|_| {}), Refusal::OrderNotional, (buy(i64::MAX, 1 << 40), big), (buy(100_000, 100), f));
}

#[test]
fn sizes_and_prices_must_be_sane() {
    let row = row();
    let f = facts(&row);
    for (bad, good) in [(buy(100_000, 0), buy(100_000, 1)), (sell(100_000, -5), sell(100_000, 1))] {
        beyond_and_at(gate(|_| {}), Refusal::BadQuantity, (bad, f), (good, f));
    }
    let lots = |l: &mut InstrumentLimits| l.whole_lots = true;
    beyond_and_at(gate_each(lots), Refusal::BadQuantity, (buy(100_000, 150), f), (buy(100_000, 200), f));
    for bad in [0, -100, 10_001, 10_050, 99_950, 100_001] {
        beyond_and_at(gate(|_| {}), Refusal::BadPrice, (buy(bad, 1), f), (buy(100, 1), f));
    }
    let unfit = Instrument { tick: 0, fine_tick: 0, ..row };
    let no_tick = Facts { instrument: &unfit, ..f };
    for price in [100, 100_000] {
        beyond_and_at(gate(|_| {}), Refusal::BadPrice, (buy(price, 1), no_tick), (buy(price, 1), f));
    }
}

#[test]
fn below_one_dollar_prices_step_by_a_hundredth_of_a_cent() {
    let row = row();
    let f = Facts { best_bid: Some(Price(5_001)), best_ask: Some(Price(5_002)), ..facts(&row) };
    for price in [1, 5_001, 5_002, 9_999, 10_000, 10_100] {
        assert!(gate(|_| {}).enter(buy(price, 1), &f).is_ok(), "{price}");
    }
    // The collar's ticks are those of the price that it is measured from.
    let through = |l: &mut InstrumentLimits| l.collar.through = Distance { bps: None, ticks: Some(3) };
    beyond_and_at(gate_each(through), Refusal::PriceThrough, (buy(5_006, 1), f), (buy(5_005, 1), f));
    let dear = facts(&row);
    beyond_and_at(gate_each(through), Refusal::PriceThrough, (buy(100_600, 1), dear), (buy(100_500, 1), dear));
}

#[test]
fn a_locked_or_crossed_book_is_none_to_take_from_and_none_to_quote_on() {
    let row = row();
    let f = Facts { crossed: true, ..facts(&row) };
    beyond_and_at(gate(|_| {}), Refusal::CrossedBook, (buy(100_200, 1), f), (buy(100_200, 1), facts(&row)));
    let order = live(Side::Buy, 100_000, 100, 0, SellMark::Long);
    let replace = Replace { order: ClientId(1), price: Price(99_900), qty: Qty(100) };
    assert_eq!(gate(|_| {}).replace(replace, &order, &f), Err(Refusal::CrossedBook));
    let cancel = Cancel { order: ClientId(1), keep: Qty::ZERO };
    assert!(gate(|_| {}).cancel(cancel, &order, Mono(1)).is_ok(), "cancels pass");
}

#[test]
fn a_sale_in_two_parts_leaves_whole_or_not_at_all_and_a_refusal_spends_nothing() {
    let row = row();
    let mut gate = gate(|l| {
        (l.each.short, l.duplicate_window, l.orders_per_second, l.burst) =
            (ShortSale::MarketMaker, Nanos::from_secs(1), 1, 2)
    });
    gate.carry_in(A, None, Qty(60), Notional::ZERO);
    let f = facts(&row);
    for room in [0, 1] {
        assert_eq!(gate.enter(sell(100_200, 100), &Facts { room, ..f }), Err(Refusal::NoRoom), "room for {room}");
    }
    assert_eq!(gate.enter(buy(100_000, 1), &Facts { room: 0, ..f }), Err(Refusal::NoRoom));
    assert_eq!(gate.refused(Refusal::NoRoom), 3);
    // Neither the window of duplicates nor the two tokens of the rate are touched.
    let approvals = gate.enter(sell(100_200, 100), &Facts { room: 2, ..f }).unwrap();
    let parts: Vec<_> = approvals.into_iter().map(|part| (part.enter.qty.0, part.mark)).collect();
    assert_eq!(parts, [(60, SellMark::Long), (40, SellMark::Short { located: false })]);
    assert_eq!(gate.enter(sell(100_200, 100), &f), Err(Refusal::Duplicate));
    assert_eq!(gate.enter(buy(100_000, 1), &f), Err(Refusal::Rate));
}

#[test]
fn an_instrument_must_be_known_and_in_the_units_of_the_limits() {
    let row = row();
    let f = facts(&row);
    let stranger = Enter { instrument: InstrumentId(2), ..buy(100_000, 1) };
    beyond_and_at(gate(|_| {}), Refusal::UnknownInstrument, (stranger, f), (buy(100_000, 1), f));
    for (other, why) in [
        (Instrument { currency: Currency(*b"EUR     "), ..row }, Refusal::NoRate),
        (Instrument { price_exponent: -5, ..row }, Refusal::ForeignUnits),
    ] {
        let foreign = Facts { instrument: &other, ..f };
        beyond_and_at(gate(|_| {}), why, (buy(100_000, 1), foreign), (buy(100_000, 1), f));
    }
    let fine = Instrument { price_exponent: -6, qty_exponent: 2, ..row };
    assert!(gate(|_| {}).enter(buy(100_000, 1), &Facts { instrument: &fine, ..f }).is_ok());
}

#[test]
fn market_state_binds() {
    let row = row();
    let (f, order) = (facts(&row), buy(100_000, 100));
    beyond_and_at(gate(|_| {}), Refusal::NotTradable, (order, Facts { tradable: false, ..f }), (order, f));
    beyond_and_at(gate(|_| {}), Refusal::StaleBook, (order, Facts { fresh: false, ..f }), (order, f));
    let collar = Facts { collar: Some((Price(99_000), Price(101_000))), ..f };
    let above = (buy(101_100, 1), collar);
    beyond_and_at(gate(|_| {}), Refusal::AuctionCollar, above, (buy(101_000, 1), collar));
    let below = (sell(98_900, 1), collar);
    beyond_and_at(gate(|_| {}), Refusal::AuctionCollar, below, (sell(99_000, 1), collar));
    // The idle side is free.
    assert!(gate(|_| {}).enter(sell(150_000, 1), &collar).is_ok());
}

fn collared(through: Distance, behind: Distance, one_sided: OneSided, empty: EmptyBook) -> Gate {
    gate_each(|l| l.collar = PriceCollar { through, behind, one_sided, empty })
}

#[test]
fn the_price_collar_is_measured_from_the_book() {
    let row = row();
    let f = facts(&row);
    let ticks = |n| Distance { bps: None, ticks: Some(n) };
    let bps = |n| Distance { bps: Some(n), ticks: None };
    let free = Distance::default();
    let through = |d| collared(d, free, OneSided::Refuse, EmptyBook::Refuse);
    let behind = |d| collared(free, d, OneSided::Refuse, EmptyBook::Refuse);
    // 3 ticks through: ask 10.02 + 0.03, bid 10.00 - 0.03.
    beyond_and_at(through(ticks(3)), Refusal::PriceThrough, (buy(100_600, 1), f), (buy(100_500, 1), f));
    beyond_and_at(through(ticks(3)), Refusal::PriceThrough, (sell(99_600, 1), f), (sell(99_700, 1), f));
    beyond_and_at(through(ticks(0)), Refusal::PriceThrough, (buy(100_300, 1), f), (buy(100_200, 1), f));
    // 50 basis points of 10.00 are 5 ticks; of 10.02 a little more than 5, which is rounded down.
    beyond_and_at(through(bps(50)), Refusal::PriceThrough, (sell(99_400, 1), f), (sell(99_500, 1), f));
    beyond_and_at(through(bps(50)), Refusal::PriceThrough, (buy(100_800, 1), f), (buy(100_700, 1), f));
    // The shorter of two holds.
    let both = Distance { bps: Some(50), ticks: Some(2) };
    beyond_and_at(through(both), Refusal::PriceThrough, (buy(100_500, 1), f), (buy(100_400, 1), f));
    // Behind: bid 10.00 - 0.10, ask 10.02 + 0.10.
    beyond_and_at(behind(ticks(10)), Refusal::PriceBehind, (buy(98_900, 1), f), (buy(99_000, 1), f));
    beyond_and_at(behind(ticks(10)), Refusal::PriceBehind, (sell(101_300, 1), f), (sell(101_200, 1), f));
}

#[test]
fn the_price_collar_without_a_reference_does_as_configured() {
    let row = row();
    let no_ask = Facts { best_ask: None, ..facts(&row) };
    let empty = Facts { best_bid: None, ..no_ask };
    let near = Distance { bps: None, ticks: Some(3) };
    let gate = |one_sided, empty| collared(near, near, one_sided, empty);
    let refuse = gate(OneSided::Refuse, EmptyBook::Refuse);
    beyond_and_at(refuse, Refusal::NoReference, (buy(100_000, 1), no_ask), (buy(100_000, 1), facts(&row)));
    let refuse = gate(OneSided::Refuse, EmptyBook::Refuse);
    beyond_and_at(refuse, Refusal::NoReference, (sell(100_000, 1), empty), (sell(100_200, 1), facts(&row)));
    // Measured from the bid alone.
    let other = || gate(OneSided::UseOther, EmptyBook::Refuse);
    beyond_and_at(other(), Refusal::PriceThrough, (buy(100_400, 1), no_ask), (buy(100_300, 1), no_ask));
    beyond_and_at(other(), Refusal::PriceBehind, (buy(99_600, 1), no_ask), (buy(99_700, 1), no_ask));
    beyond_and_at(other(), Refusal::PriceBehind, (sell(100_400, 1), no_ask), (sell(100_300, 1), no_ask));
    assert!(gate(OneSided::Pass, EmptyBook::Refuse).enter(buy(1_000_000, 1), &no_ask).is_ok());
    assert!(gate(OneSided::Refuse, EmptyBook::Pass).enter(buy(1_000_000, 1), &empty).is_ok());
}

#[test]
fn own_orders_never_meet() {
    let row = row();
    let own = Facts { own_best_bid: Some(Price(100_000)), own_best_ask: Some(Price(100_200)), ..facts(&row) };
    beyond_and_at(gate(|_| {}), Refusal::SelfTrade, (buy(100_200, 1), own), (buy(100_100, 1), own));
    beyond_and_at(gate(|_| {}), Refusal::SelfTrade, (sell(100_000, 1), own), (sell(100_100, 1), own));
    let order = live(Side::Buy, 100_000, 100, 0, SellMark::Long);
    let replaced = gate(|_| {}).replace(to(100_200, 100), &order, &own);
    assert_eq!(replaced.err(), Some(Refusal::SelfTrade));
}

#[test]
fn the_position_limit_counts_everything_open_on_the_side() {
    let row = row();
    let f = facts(&row);
    let limited = || gate_each(|l| l.max_position = Qty(500));
    beyond_and_at(limited(), Refusal::Position, (buy(100_000, 501), f), (buy(100_000, 500), f));
    beyond_and_at(limited(), Refusal::Position, (sell(100_200, 501), f), (sell(100_200, 500), f));
    // Held 200, open buys 200: room for 100 more.
    let mut gate = limited();
    gate.carry_in(A, None, Qty(200), Notional(0));
    send(&mut gate, buy(100_000, 200), &f);
    beyond_and_at_after(gate, Refusal::Position, buy(99_900, 101), buy(99_900, 100), &f);
    // Open buys give no room to sell: 200 held, so 700 may be sold, whatever the buys do.
    let mut gate = limited();
    gate.carry_in(A, None, Qty(200), Notional(0));
    send(&mut gate, buy(99_900, 200), &f);
    beyond_and_at_after(gate, Refusal::Position, sell(100_200, 701), sell(100_200, 700), &f);
    // An account beyond its limit may still come back, up to the other limit.
    let mut gate = limited();
    gate.carry_in(A, None, Qty(900), Notional(0));
    beyond_and_at_after(gate, Refusal::Position, buy(99_900, 1), sell(100_200, 1_400), &f);
}

#[track_caller]
fn beyond_and_at_after(mut gate: Gate, reason: Refusal, beyond: Enter, at: Enter, facts: &Facts<'_>) {
    assert_eq!(gate.enter(beyond, facts).err(), Some(reason), "beyond the limit");
    assert_eq!(gate.refused(reason), 1);
    assert_eq!(gate.enter(at, facts).err(), None, "at the limit");
}

#[test]
fn open_exposure_has_limits_per_symbol_and_in_total() {
    let row = row();
    let f = facts(&row);
    let mut gate = gate(|l| {
        l.each.max_open = Notional(100_000 * 300);
        l.max_total_open = Notional(100_000 * 400);
    });
    send(&mut gate, buy(100_000, 100), &f);
    send(&mut gate, sell(200_000, 50), &f);
    assert_eq!(gate.ledger().open(), Notional(100_000 * 200));
    // Buys and sells add up: 100,000 x 100 are left in A, 100,000 x 200 in total.
    assert_eq!(gate.enter(buy(100_000, 101), &f).err(), Some(Refusal::OpenExposure));
    let of_b = |qty| Enter { instrument: B, ..buy(100_000, qty) };
    assert_eq!(gate.enter(of_b(201), &f).err(), Some(Refusal::TotalExposure));
    send(&mut gate, of_b(200), &f);
    assert_eq!(gate.enter(buy(100_000, 1), &f).err(), Some(Refusal::TotalExposure));
    // A cancel in B makes room in A, at the limit of A.
    let all = exposed(200, 100_000, false);
    gate.apply(&Change { instrument: B, ..step(Side::Buy, all, NOTHING, None) }, &row);
    assert!(gate.enter(buy(100_000, 100), &f).is_ok());
    assert_eq!((gate.refused(Refusal::OpenExposure), gate.refused(Refusal::TotalExposure)), (1, 2));
}

#[test]
fn the_order_rate_is_a_bucket_that_counts_enters_and_replaces() {
    let row = row();
    let mut gate = gate(|l| (l.orders_per_second, l.burst) = (1_000, 3));
    let at = |ns| Facts { now: Mono(ns), ..facts(&row) };
    let order = live(Side::Buy, 100_000, 100, 0, SellMark::Long);
    assert!(gate.enter(buy(100_000, 1), &at(0)).is_ok());
    assert!(gate.replace(to(99_900, 100), &order, &at(0)).is_ok());
    assert!(gate.enter(buy(100_000, 2), &at(0)).is_ok());
    assert_eq!(gate.enter(buy(100_000, 3), &at(0)).err(), Some(Refusal::Rate));
    assert_eq!(gate.replace(to(99_800, 100), &order, &at(999_999)).err(), Some(Refusal::Rate));
    // Cancels cost nothing and are never held up.
    assert!(gate.cancel(Cancel { order: ClientId(1), keep: Qty::ZERO }, &order, Mono(999_999)).is_ok());
    assert!(gate.enter(buy(100_000, 3), &at(1_000_000)).is_ok());
    assert_eq!(gate.enter(buy(100_000, 4), &at(1_000_000)).err(), Some(Refusal::Rate));
    // A clock that runs back (another source's) gives nothing for free.
    assert_eq!(gate.enter(buy(100_000, 4), &at(0)).err(), Some(Refusal::Rate));
    assert_eq!(gate.refused(Refusal::Rate), 4);
    // A split sale takes two.
    gate.carry_in(A, None, Qty(10), Notional(0));
    assert_eq!(gate.enter(sell(100_200, 20), &at(2_999_999)).err(), Some(Refusal::Rate));
    assert!(gate.enter(sell(100_200, 20), &at(3_000_000)).unwrap().second.is_some());
}

#[test]
fn the_same_order_again_within_the_window_is_refused() {
    let row = row();
    let at = |ns| Facts { now: Mono(ns), ..facts(&row) };
    let windowed = || gate(|l| (l.orders_per_second, l.burst, l.duplicate_window) = (1_000_000, 8, Nanos(1_000_000)));
    let mut gate = windowed();
    assert!(gate.enter(buy(100_000, 100), &at(0)).is_ok());
    assert_eq!(gate.enter(buy(100_000, 100), &at(999_999)).err(), Some(Refusal::Duplicate));
    for (n, other) in
        [buy(99_900, 100), buy(100_000, 99), sell(100_000, 100), Enter { instrument: B, ..buy(100_000, 100) }]
            .into_iter()
            .enumerate()
    {
        assert!(gate.enter(other, &at(999_999 + n as u64)).is_ok(), "{other:?}");
    }
    assert!(gate.enter(buy(100_000, 100), &at(1_000_003)).is_ok(), "the window is over");
    assert_eq!(gate.enter(buy(100_000, 100), &at(1_000_004)).err(), Some(Refusal::Duplicate));
    assert_eq!(gate.refused(Refusal::Duplicate), 2);
    // At exactly its end the window is over.
    let mut gate = windowed();
    assert!(gate.enter(buy(100_000, 100), &at(7)).is_ok());
    assert_eq!(gate.enter(buy(100_000, 100), &at(1_000_006)).err(), Some(Refusal::Duplicate));
    assert!(gate.enter(buy(100_000, 100), &at(1_000_007)).is_ok());
    // A refused order is no earlier order.
    let mut gate = windowed();
    assert!(gate.enter(buy(100_000, 100), &Facts { fresh: false, ..at(0) }).is_err());
    assert!(gate.enter(buy(100_000, 100), &at(1)).is_ok());
}

#[test]
fn sells_beyond_the_long_position_are_short() {
    let row = row();
    let f = facts(&row);
    let located = |l: &mut InstrumentLimits| (l.short, l.locates) = (ShortSale::Located, Qty(100));
    let mut gate = gate_each(located);
    gate.carry_in(A, None, Qty(300), Notional(0));
    assert_eq!(marks(gate.enter(sell(100_200, 300), &f).unwrap()), [(300, SellMark::Long)]);
    send(&mut gate, sell(100_200, 200), &f);
    // 100 of the 300 are left to be sold long: the rest is short, and 100 are located.
    assert_eq!(gate.ledger().account(A).long_available(), Qty(100));
    assert_eq!(gate.enter(sell(100_300, 201), &f).err(), Some(Refusal::NoLocate));
    assert_eq!(marks(gate.enter(sell(100_300, 200), &f).unwrap()), [(100, SellMark::Long), (100, LOCATED)]);
    send(&mut gate, sell(100_300, 100), &f);
    assert_eq!(marks(gate.enter(sell(100_400, 100), &f).unwrap()), [(100, LOCATED)]);
    // A buy that is open is not yet held.
    send(&mut gate, buy(100_000, 500), &f);
    assert_eq!(marks(gate.enter(sell(100_500, 100), &f).unwrap()), [(100, LOCATED)]);
    // Buys are never marked.
    assert_eq!(marks(gate.enter(buy(99_900, 1), &f).unwrap()), [(1, SellMark::Long)]);
}

#[test]
fn a_sell_through_zero_is_split_or_refused() {
    let row = row();
    let f = facts(&row);
    let refusing = || {
        let mut gate = gate_each(|l| l.zero_cross = ZeroCross::Refuse);
        gate.carry_in(A, None, Qty(50), Notional(0));
        gate
    };
    beyond_and_at(refusing(), Refusal::CrossesZero, (sell(100_200, 51), f), (sell(100_200, 50), f));
    let mut gate = gate(|_| {});
    gate.carry_in(A, None, Qty(50), Notional(0));
    let unlocated = SellMark::Short { located: false };
    assert_eq!(marks(gate.enter(sell(100_200, 51), &f).unwrap()), [(50, SellMark::Long), (1, unlocated)]);
}

#[test]
fn short_sales_need_a_locate_and_covering_brings_none_back() {
    let row = row();
    let f = facts(&row);
    let forbidding = gate_each(|l| l.short = ShortSale::Forbidden);
    beyond_and_at(forbidding, Refusal::ShortForbidden, (sell(100_200, 1), f), (buy(100_000, 1), f));

    let mut gate = gate_each(|l| l.short = ShortSale::Located);
    assert_eq!(gate.enter(sell(100_200, 1), &f).err(), Some(Refusal::NoLocate));
    gate.set_locates(A, Qty(100)).unwrap();
    assert_eq!(gate.enter(sell(100_200, 101), &f).err(), Some(Refusal::NoLocate));
    send(&mut gate, sell(100_200, 100), &f);
    assert_eq!(gate.enter(sell(100_300, 1), &f).err(), Some(Refusal::NoLocate));
    // 40 trade, the other 60 are cancelled: those come back.
    let (all, rest) = (exposed(100, 100_200, true), exposed(60, 100_200, true));
    gate.apply(&step(Side::Sell, all, rest, Some((40, 100_200))), &row);
    assert_eq!(gate.ledger().account(A).located(), Qty(100));
    gate.apply(&step(Side::Sell, rest, NOTHING, None), &row);
    assert_eq!(gate.ledger().account(A).located(), Qty(40));
    // Bought back: the 40 stay used up.
    let bought = exposed(40, 100_200, false);
    gate.apply(&step(Side::Buy, NOTHING, bought, None), &row);
    gate.apply(&step(Side::Buy, bought, NOTHING, Some((40, 100_200))), &row);
    assert_eq!(gate.ledger().account(A).position, Qty(0));
    assert_eq!(gate.enter(sell(100_300, 61), &f).err(), Some(Refusal::NoLocate));
    assert!(gate.enter(sell(100_300, 60), &f).is_ok());
    assert_eq!(gate.refused(Refusal::NoLocate), 4);
}

#[test]
fn under_the_price_test_a_short_sale_is_above_the_best_bid() {
    let row = row();
    let restricted = Facts { short_restricted: true, ..facts(&row) };
    let bid = sell(100_000, 1);
    beyond_and_at(gate(|_| {}), Refusal::ShortPrice, (bid, restricted), (sell(100_100, 1), restricted));
    beyond_and_at(gate(|_| {}), Refusal::ShortPrice, (bid, restricted), (bid, facts(&row)));
    // An own bid is part of the best bid.
    let own = Facts { own_best_bid: Some(Price(100_100)), ..restricted };
    let at_own = Facts { best_bid: Some(Price(100_100)), ..restricted };
    let above = sell(100_200, 1);
    beyond_and_at(gate(|_| {}), Refusal::ShortPrice, (sell(100_100, 1), at_own), (above, own));
    // And it is the best bid where it stands alone.
    let alone = Facts { best_bid: None, own_best_bid: Some(Price(100_000)), ..restricted };
    assert!(gate(|_| {}).enter(sell(100_100, 1), &alone).is_ok());
    // No bid known: no short sale. A long one is free.
    let blind = Facts { best_bid: None, ..restricted };
    assert_eq!(gate(|_| {}).enter(sell(100_200, 1), &blind).err(), Some(Refusal::ShortPrice));
    let mut holder = gate(|_| {});
    holder.carry_in(A, None, Qty(1), Notional(0));
    assert!(holder.enter(bid, &restricted).is_ok());
}

#[test]
fn a_replace_is_judged_by_its_larger_exposure() {
    let row = row();
    let f = facts(&row);
    let mut gate = gate_each(|l| (l.max_position, l.max_order_qty) = (Qty(500), Qty(450)));
    // Entered 500, 100 filled: 400 open, 100 held. OUCH: a replace to 500 leaves 400 open.
    gate.carry_in(A, None, Qty(100), Notional(0));
    gate.apply(&step(Side::Buy, NOTHING, exposed(400, 100_000, false), None), &row);
    let order = live(Side::Buy, 100_000, 400, 100, SellMark::Long);
    assert!(gate.replace(to(99_900, 500), &order, &f).is_ok());
    assert_eq!(gate.replace(to(99_900, 501), &order, &f).err(), Some(Refusal::Position));
    assert_eq!(gate.replace(to(99_900, 551), &order, &f).err(), Some(Refusal::OrderQuantity));
    // Shares that the venue took off count in the liability.
    let dec = OrderFacts { decremented: Qty(50), ..order };
    assert!(gate.replace(to(99_900, 550), &dec, &f).is_ok());
    assert_eq!(gate.replace(to(99_900, 551), &dec, &f).err(), Some(Refusal::Position));
    // To fewer: passes, also when the account is over its limit.
    gate.carry_in(A, None, Qty(900), Notional(0));
    assert!(gate.replace(to(99_900, 200), &order, &f).is_ok());
    assert_eq!(gate.replace(to(99_900, 501), &order, &f).err(), Some(Refusal::Position));
    // To nothing, to what it is, on top of another, on a dead order.
    assert_eq!(gate.replace(to(99_900, 100), &order, &f).err(), Some(Refusal::NothingOpen));
    assert_eq!(gate.replace(to(100_000, 500), &order, &f).err(), Some(Refusal::Duplicate));
    let pending = OrderFacts { pending: true, ..order };
    assert_eq!(gate.replace(to(99_900, 500), &pending, &f).err(), Some(Refusal::Pending));
    let dead = OrderFacts { exposure: NOTHING, ..order };
    assert_eq!(gate.replace(to(99_900, 500), &dead, &f).err(), Some(Refusal::NothingOpen));
}

#[test]
fn a_replace_passes_the_controls_of_an_order() {
    let row = row();
    let f = facts(&row);
    let order = live(Side::Buy, 100_000, 100, 0, SellMark::Long);
    let mut gate = gate(|l| {
        l.max_total_open = Notional(100_000 * 150);
        l.each.max_order_notional = Notional(100_000 * 140);
        l.each.max_open = Notional(100_000 * 120);
        l.each.collar.through = Distance { bps: None, ticks: Some(1) };
    });
    gate.apply(&step(Side::Buy, NOTHING, order.exposure, None), &row);
    let mut refusal = |price, qty, f| gate.replace(to(price, qty), &order, &f).err();
    assert_eq!(refusal(99_950, 100, f), Some(Refusal::BadPrice));
    assert_eq!(refusal(100_400, 100, f), Some(Refusal::PriceThrough));
    assert_eq!(refusal(99_900, 100, Facts { tradable: false, ..f }), Some(Refusal::NotTradable));
    assert_eq!(refusal(99_900, 100, Facts { fresh: false, ..f }), Some(Refusal::StaleBook));
    assert_eq!(refusal(100_000, 141, f), Some(Refusal::OrderNotional));
    assert_eq!(refusal(100_000, 121, f), Some(Refusal::OpenExposure));
    assert_eq!(refusal(100_000, 120, f), None);
    // Lower but larger: until the venue answers it may be either, so the larger size counts at the higher price.
    assert_eq!(refusal(99_000, 121, f), Some(Refusal::OpenExposure));
    assert_eq!(refusal(99_000, 120, f), None);
    // Higher but smaller, likewise.
    let mut full = gate_each(|l| l.max_open = Notional(100_000 * 100));
    full.apply(&step(Side::Buy, NOTHING, order.exposure, None), &row);
    assert_eq!(full.replace(to(100_100, 50), &order, &f).err(), Some(Refusal::OpenExposure));
    assert!(full.replace(to(100_000, 50), &order, &f).is_ok());
    // The other instrument takes up the total.
    gate.apply(&Change { instrument: B, ..step(Side::Buy, NOTHING, exposed(40, 100_000, false), None) }, &row);
    assert_eq!(gate.replace(to(100_000, 111), &order, &f).err(), Some(Refusal::TotalExposure));
    assert!(gate.replace(to(100_000, 110), &order, &f).is_ok());
}

#[test]
fn a_replace_can_not_turn_a_long_sale_short() {
    let row = row();
    let f = facts(&row);
    let mut gate = gate_each(|l| (l.short, l.locates) = (ShortSale::Located, Qty(1_000)));
    gate.carry_in(A, None, Qty(150), Notional(0));
    send(&mut gate, sell(100_200, 100), &f);
    let long = live(Side::Sell, 100_200, 100, 0, SellMark::Long);
    assert_eq!(gate.replace(to(100_300, 151), &long, &f).err(), Some(Refusal::TurnsShort));
    assert!(gate.replace(to(100_300, 150), &long, &f).is_ok());
    // A short one grows as far as shares are located, and its new price passes the price test.
    let mut gate = gate_each(|l| (l.short, l.locates) = (ShortSale::Located, Qty(120)));
    send(&mut gate, sell(100_200, 100), &f);
    let short = live(Side::Sell, 100_200, 100, 0, LOCATED);
    assert_eq!(gate.replace(to(100_300, 121), &short, &f).err(), Some(Refusal::NoLocate));
    assert!(gate.replace(to(100_300, 120), &short, &f).is_ok());
    let restricted = Facts { short_restricted: true, ..f };
    assert_eq!(gate.replace(to(100_000, 100), &short, &restricted).err(), Some(Refusal::ShortPrice));
    assert!(gate.replace(to(100_100, 100), &short, &restricted).is_ok());
}

#[test]
fn a_cancel_passes_if_it_reduces_and_is_not_repeated() {
    let mut gate = gate(|l| l.cancel_repeat = Nanos(1_000));
    let order = live(Side::Buy, 100_000, 400, 100, SellMark::Long);
    let mut cancel = |order: &OrderFacts, keep, at| {
        gate.cancel(Cancel { order: ClientId(1), keep: Qty(keep) }, order, Mono(at)).err()
    };
    assert_eq!(cancel(&order, 0, 10), None);
    assert_eq!(cancel(&order, 499, 10), None);
    assert_eq!(cancel(&order, 500, 10), Some(Refusal::NotReducing));
    assert_eq!(cancel(&order, -1, 10), Some(Refusal::NotReducing));
    assert_eq!(cancel(&OrderFacts { exposure: NOTHING, ..order }, 0, 10), Some(Refusal::NotReducing));
    let asked = OrderFacts { cancel: Some((Qty(300), Mono(10))), ..order };
    assert_eq!(cancel(&asked, 300, 1_009), Some(Refusal::RepeatedCancel));
    assert_eq!(cancel(&asked, 301, 1_009), Some(Refusal::RepeatedCancel));
    assert_eq!(cancel(&asked, 299, 1_009), None, "asks for more");
    assert_eq!(cancel(&asked, 300, 1_010), None, "the time is over");
    assert_eq!((gate.refused(Refusal::NotReducing), gate.refused(Refusal::RepeatedCancel)), (3, 2));
}

#[test]
fn a_mass_cancel_is_repeated_only_when_orders_left_since() {
    let row = row();
    let mut gate = gate(|l| l.cancel_repeat = Nanos(1_000));
    let (all, of_a, of_b) = (None, Some(A), Some(B));
    let mut at = 0;
    let mut sweep = |gate: &mut Gate, instrument| {
        at += 1;
        gate.mass_cancel(MassCancel { instrument }, Mono(at)).err()
    };
    assert_eq!(sweep(&mut gate, of_a), None);
    assert_eq!(sweep(&mut gate, of_a), Some(Refusal::RepeatedCancel));
    assert_eq!(sweep(&mut gate, of_b), None);
    assert_eq!(sweep(&mut gate, all), None, "wider than those before");
    assert_eq!(sweep(&mut gate, all), Some(Refusal::RepeatedCancel));
    assert_eq!(sweep(&mut gate, of_a), Some(Refusal::RepeatedCancel), "all were swept");
    assert!(gate.enter(buy(100_000, 1), &Facts { now: Mono(8), ..facts(&row) }).is_ok());
    assert_eq!(sweep(&mut gate, of_a), None);
    assert_eq!(sweep(&mut gate, of_b), Some(Refusal::RepeatedCancel), "nothing left in B");
    assert_eq!(sweep(&mut gate, all), None);
    assert!(gate.mass_cancel(MassCancel { instrument: None }, Mono(5_000)).is_ok(), "the time is over");
}

#[test]
fn an_instrument_may_have_limits_of_its_own() {
    let row = row();
    let mut gate = gate_each(|l| l.max_order_qty = Qty(100));
    let wide = InstrumentLimits { max_order_qty: Qty(200), ..gate.limits_of(B) };
    gate.set_limits(B, wide).unwrap();
    assert_eq!(gate.enter(buy(100_000, 101), &facts(&row)).err(), Some(Refusal::OrderQuantity));
    assert!(gate.enter(Enter { instrument: B, ..buy(100_000, 200) }, &facts(&row)).is_ok());
    assert_eq!(gate.set_limits(InstrumentId(2), wide).unwrap_err().field, "instrument");
    assert_eq!(gate.set_locates(A, Qty(-1)).unwrap_err().field, "risk.locates");
}

#[test]
fn limits_out_of_range_are_named() {
    type Case = (&'static str, fn(&mut RiskLimits));
    let cases: [Case; 14] = [
        ("risk.orders_per_second", |l| l.orders_per_second = 0),
        ("risk.orders_per_second", |l| l.orders_per_second = 1_000_001),
        ("risk.burst", |l| l.burst = 0),
        ("risk.burst", |l| l.burst = 4_097),
        // 4,096 in one burst, and one more in the window.
        ("risk.duplicate_window", |l| l.duplicate_window = Nanos(1_000)),
        ("risk.cancel_repeat", |l| l.cancel_repeat = Nanos(60_000_000_001)),
        ("risk.max_total_open", |l| l.max_total_open = Notional(0)),
        ("risk.max_order_qty", |l| l.each.max_order_qty = Qty(0)),
        ("risk.max_order_notional", |l| l.each.max_order_notional = Notional((1 << 100) + 1)),
        ("risk.max_position", |l| l.each.max_position = Qty(-1)),
        ("risk.max_open", |l| l.each.max_open = Notional(0)),
        ("risk.locates", |l| l.each.locates = Qty((1 << 40) + 1)),
        ("risk.collar.through.bps", |l| l.each.collar.through.bps = Some(1_000_001)),
        ("risk.collar.behind.bps", |l| l.each.collar.behind.bps = Some(1_000_001)),
    ];
    for (field, spoil) in cases {
        let mut limits = RiskLimits::widest();
        spoil(&mut limits);
        let error = Gate::new(&limits, 1).unwrap_err();
        assert_eq!(error.field, field);
        assert!(error.to_string().starts_with(field));
    }
    let mut full = RiskLimits::widest();
    full.duplicate_window = Nanos(999);
    assert_eq!(full.check(), Ok(()));
}

#[test]
fn every_reason_has_its_own_counter() {
    for (number, reason) in Refusal::ALL.into_iter().enumerate() {
        assert_eq!(reason as usize, number);
    }
}

#[test]
fn the_ledger_books_fills_breaks_and_corrections() {
    let (row, mut gate) = (row(), gate(|_| {}));
    let all = exposed(100, 100_000, false);
    gate.apply(&step(Side::Buy, NOTHING, all, None), &row);
    gate.apply(&step(Side::Buy, all, exposed(40, 100_000, false), Some((60, 99_900))), &row);
    let account = *gate.ledger().account(A);
    assert_eq!((account.position, account.cash), (Qty(60), Notional(-60 * 99_900)));
    assert_eq!(account.buys.qty, Qty(40));
    assert_eq!(account.profit(Price(100_000), 1), Some(Notional(60 * 100)));
    // A correction: the old fill out, the new one in.
    let left = exposed(40, 100_000, false);
    let old = Fill { qty: Qty(60), price: Price(99_900), trade: 1, liquidity: Liquidity::UNKNOWN };
    let corrected = Change { reversed: Some(old), ..step(Side::Buy, left, left, Some((60, 99_800))) };
    gate.apply(&corrected, &row);
    assert_eq!(gate.ledger().account(A).cash, Notional(-60 * 99_800));
    // A break, said either way.
    gate.apply(&step(Side::Buy, left, left, Some((-10, 99_800))), &row);
    let rest = Fill { qty: Qty(-50), price: Price(99_800), ..old };
    gate.apply(&Change { reversed: Some(rest), ..step(Side::Buy, left, left, None) }, &row);
    assert_eq!((gate.ledger().account(A).position, gate.ledger().account(A).cash), (Qty(0), Notional(0)));
    assert_eq!(gate.ledger().faults(), 0);
    // More taken away than there is: zero, and said so.
    gate.apply(&step(Side::Buy, exposed(41, 100_000, false), NOTHING, None), &row);
    assert_eq!((gate.ledger().account(A).buys.qty, gate.ledger().open()), (Qty(0), Notional(0)));
    assert!(gate.ledger().faults() > 0);
}

/// An order of the naive model: the sum over a list of these is what the ledger must hold.
#[derive(Clone, Debug)]
struct Modelled {
    instrument: InstrumentId,
    side: Side,
    short: bool,
    exposure: Exposure,
    fills: Vec<(i64, i64)>,
}

fn modelled_step(orders: &mut Vec<Modelled>, op: (u8, usize, i64, i64)) -> Change {
    let (kind, pick, qty, price) = op;
    if orders.is_empty() || kind == 0 {
        let side = if pick % 2 == 0 { Side::Buy } else { Side::Sell };
        let short = side == Side::Sell && pick % 4 == 1;
        let instrument = InstrumentId((pick / 4 % 2) as u32);
        orders.push(Modelled { instrument, side, short, exposure: NOTHING, fills: vec![] });
    }
    let at = if kind == 0 { orders.len() - 1 } else { pick % orders.len() };
    let order = &mut orders[at];
    let before = Exposure { short: order.short, ..order.exposure };
    let (mut fill, mut reversed) = (None, None);
    let booked = |qty, price| Fill { qty: Qty(qty), price: Price(price), trade: 0, liquidity: Liquidity::UNKNOWN };
    match kind {
        // Sent, replaced, restated: any exposure.
        0 | 1 => order.exposure = exposed(qty, price, order.short),
        2 => {
            let qty = qty.min(order.exposure.qty.0);
            if qty > 0 {
                order.exposure.qty = order.exposure.qty.minus(Qty(qty));
                order.fills.push((qty, price));
                fill = Some(booked(qty, price));
            }
        }
        3 => order.exposure.qty = Qty::ZERO,
        _ => {
            if let Some((qty, price)) = order.fills.pop() {
                reversed = Some(booked(qty, price));
            }
        }
    }
    order.exposure.short = order.short;
    Change { instrument: order.instrument, fill, reversed, ..step(order.side, before, order.exposure, None) }
}

/// Random limits and orders: tight enough that every outcome is common.
fn tight() -> RiskLimits {
    let mut limits = RiskLimits::widest();
    (limits.orders_per_second, limits.burst) = (1_000, 4);
    (limits.duplicate_window, limits.cancel_repeat) = (Nanos(2_000_000), Nanos(2_000_000));
    limits.each.max_position = Qty(300);
    limits.each.max_order_qty = Qty(150);
    (limits.each.short, limits.each.locates) = (ShortSale::Located, Qty(200));
    limits
}

/// Asks a gate for one random thing, and sends what passes.
fn ask(gate: &mut Gate, row: &Instrument, now: u64, op: (u8, usize, i64, i64)) -> Vec<String> {
    let (kind, pick, qty, price) = op;
    let side = if pick % 2 == 0 { Side::Buy } else { Side::Sell };
    let f = Facts { now: Mono(now), ..facts(row) };
    let order = live(side, 100_000, qty, 0, SellMark::Long);
    match kind {
        0 | 1 => match gate.enter(enter(side, price, qty), &f) {
            Ok(approvals) => {
                let all: Vec<_> = approvals.into_iter().map(|a| a.into_inner()).collect();
                for MarkedEnter { enter, mark } in &all {
                    let after = exposed(enter.qty.0, enter.price.0, *mark != SellMark::Long);
                    gate.apply(&step(side, NOTHING, after, None), row);
                    let fill = Some((enter.qty.0, enter.price.0));
                    gate.apply(&step(side, after, NOTHING, fill.filter(|_| pick % 3 == 0)), row);
                }
                all.iter().map(|a| format!("{a:?}")).collect()
            }
            Err(why) => vec![format!("{why:?}")],
        },
        2 => vec![format!("{:?}", gate.replace(to(price, qty / 2), &order, &f))],
        3 => vec![format!("{:?}", gate.cancel(Cancel { order: ClientId(1), keep: Qty(qty / 2) }, &order, f.now))],
        _ => {
            let instrument = [None, Some(A), Some(B)][pick % 3];
            vec![format!("{:?}", gate.mass_cancel(MassCancel { instrument }, f.now))]
        }
    }
}

fn digest(state: &impl State) -> u64 {
    Digest::of_state(state)
}

fn ops(prices: std::ops::Range<i64>) -> impl Strategy<Value = Vec<(u8, usize, i64, i64)>> {
    prop::collection::vec((0u8..5, 0usize..64, 1i64..200, prices), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn the_ledger_equals_a_sum_over_all_orders(ops in ops(-5..100)) {
        let (row, mut gate) = (row(), gate(|_| {}));
        gate.number_strategies(StrategyId(1), 1);
        let mut orders = vec![];
        for op in ops {
            // Buys are the strategy's, for a parent; sells are nobody's.
            let mut change = modelled_step(&mut orders, op);
            if change.side == Side::Buy {
                change.tags = Tags { strategy: StrategyId(1), parent: ParentId(9), ..change.tags };
            }
            gate.apply(&change, &row);
            let mut total = 0;
            for instrument in [A, B] {
                let account = gate.ledger().account(instrument);
                let of = || orders.iter().filter(|o| o.instrument == instrument);
                let worth = |o: &Modelled| i128::from(o.exposure.qty.0) * i128::from(o.exposure.price.0.abs());
                for side in [Side::Buy, Side::Sell] {
                    let open = of().filter(|o| o.side == side);
                    prop_assert_eq!(account.open(side).qty.0, open.clone().map(|o| o.exposure.qty.0).sum::<i64>());
                    prop_assert_eq!(account.open(side).notional.0, open.map(worth).sum::<i128>());
                }
                let short = || of().filter(|o| o.short);
                prop_assert_eq!(account.short_open.0, short().map(|o| o.exposure.qty.0).sum::<i64>());
                prop_assert_eq!(account.short_sold.0, short().flat_map(|o| &o.fills).map(|f| f.0).sum::<i64>());
                let signed = || of().flat_map(|o| o.fills.iter().map(|f| (o.side.sign() * f.0, f.1)));
                prop_assert_eq!(account.position.0, signed().map(|f| f.0).sum::<i64>());
                let bought = of().filter(|o| o.side == Side::Buy).flat_map(|o| &o.fills).map(|f| f.0).sum::<i64>();
                let held = |whose| gate.ledger().position(instrument, whose).0;
                prop_assert_eq!([held(Whose::Strategy(StrategyId(1))), held(Whose::Parent(ParentId(9)))], [bought; 2]);
                prop_assert_eq!(bought + held(Whose::Nobody), held(Whose::Lane));
                prop_assert_eq!(account.cash.0, -signed().map(|f| i128::from(f.0) * i128::from(f.1)).sum::<i128>());
                total += of().map(worth).sum::<i128>();
            }
            prop_assert_eq!((gate.ledger().open().0, gate.ledger().faults()), (total, 0));
        }
    }

    #[test]
    fn no_stretch_of_time_holds_more_orders_than_the_bucket(
        gaps in prop::collection::vec(0u64..2_500_000, 1..200),
        burst in 1u32..8,
    ) {
        let row = row();
        let mut gate = gate(|l| (l.orders_per_second, l.burst) = (1_000, burst));
        let (mut now, mut passed) = (0, vec![]);
        // The naive model: a bucket of tokens, in millionths, that grows by one a millisecond.
        let mut tokens = u64::from(burst) * 1_000_000;
        for (n, gap) in gaps.into_iter().enumerate() {
            now += gap;
            tokens = (tokens + gap).min(u64::from(burst) * 1_000_000);
            let ok = gate.enter(buy(100_000, 1 + n as i64), &Facts { now: Mono(now), ..facts(&row) }).is_ok();
            prop_assert_eq!(ok, tokens >= 1_000_000);
            if ok {
                tokens -= 1_000_000;
                passed.push(now);
            }
        }
        for (i, from) in passed.iter().enumerate() {
            for (j, until) in passed.iter().enumerate().skip(i) {
                prop_assert!((j - i + 1) as u64 <= u64::from(burst) + (until - from) / 1_000_000);
            }
        }
    }

    #[test]
    fn the_duplicate_check_forgets_nothing_within_its_window(
        asks in prop::collection::vec((0u64..900_000, 1i64..6, 0usize..2), 1..200),
    ) {
        let row = row();
        let window = 2_000_000;
        let mut gate = gate(|l| (l.orders_per_second, l.burst, l.duplicate_window) = (2_000, 3, Nanos(window)));
        let (mut now, mut seen) = (0, vec![]);
        for (gap, qty, side) in asks {
            now += gap;
            let enter = enter([Side::Buy, Side::Sell][side], 100_100, qty);
            let repeated = seen.iter().any(|(at, e)| *e == enter && now - at < window);
            let verdict = gate.enter(enter, &Facts { now: Mono(now), ..facts(&row) });
            prop_assert_eq!(verdict.as_ref().err() == Some(&Refusal::Duplicate), repeated);
            if verdict.is_ok() {
                seen.push((now, enter));
            }
        }
    }

    #[test]
    fn a_saved_gate_goes_on_as_the_one_it_was_saved_from(ops in ops(99_000..101_000), cut in 0usize..120) {
        let row = row();
        let mut gate = Gate::new(&tight(), 2).unwrap();
        let ops: Vec<_> = ops.into_iter().map(|(k, p, q, price)| (k, p, q, price / 500 * 500)).collect();
        let cut = cut.min(ops.len());
        for (n, op) in ops[..cut].iter().enumerate() {
            ask(&mut gate, &row, n as u64 * 700_000, *op);
        }
        if cut % 5 == 0 {
            gate.kill();
        }
        let mut saved = Writer::default();
        gate.save(&mut saved);
        let mut twin = Gate::new(&tight(), 2).unwrap();
        let mut reader = Reader(&saved.0);
        twin.load(&mut reader).unwrap();
        prop_assert!(reader.0.is_empty());
        prop_assert_eq!(digest(&gate), digest(&twin));
        for (n, op) in ops.iter().enumerate().skip(cut) {
            let now = n as u64 * 700_000;
            prop_assert_eq!(ask(&mut gate, &row, now, *op), ask(&mut twin, &row, now, *op));
            prop_assert_eq!(digest(&gate), digest(&twin));
        }
        for short in 0..saved.0.len() {
            prop_assert!(Gate::new(&tight(), 2).unwrap().load(&mut Reader(&saved.0[..short])).is_err());
        }
    }

    #[test]
    fn no_number_makes_the_gate_panic(
        numbers in prop::collection::vec(prop_oneof![
            Just(i64::MIN), Just(i64::MAX), Just(0i64), Just(-1i64), any::<i64>(), 1i64..1_000_000
        ], 16),
        tick in prop_oneof![Just(0i64), Just(1), Just(i64::MIN), Just(-1), Just(100)],
    ) {
        let odd = Instrument { tick, lot: numbers[0], multiplier: numbers[1], ..row() };
        let price = |n: usize| Some(Price(numbers[n]));
        let f = Facts {
            best_bid: price(2), best_ask: price(3), own_best_bid: price(4), own_best_ask: None, room: 2, crossed: false,
            collar: None, short_restricted: true, ..facts(&odd)
        };
        let mut gate = gate_each(|l| {
            l.whole_lots = true;
            l.collar.through = Distance { bps: Some(1_000_000), ticks: Some(u32::MAX) };
            l.collar.behind = l.collar.through;
        });
        gate.carry_in(A, None, Qty(numbers[5]), Notional(i128::MAX));
        let odd_order = OrderFacts {
            executed: Qty(numbers[6]), decremented: Qty(numbers[7]),
            exposure: exposed(numbers[8], numbers[9], numbers[8] % 2 == 0),
            ..live(Side::Sell, numbers[10], numbers[11], 0, SellMark::Long)
        };
        for side in [Side::Buy, Side::Sell] {
            let _ = gate.enter(enter(side, numbers[12], numbers[13]), &f);
            let order = OrderFacts { side, ..odd_order };
            let _ = gate.replace(to(numbers[12], numbers[13]), &order, &f);
            let _ = gate.cancel(Cancel { order: ClientId(1), keep: Qty(numbers[14]) }, &order, Mono(0));
            let change = step(side, order.exposure, exposed(numbers[14], numbers[15], true), Some((numbers[2], numbers[3])));
            gate.apply(&change, &odd);
            let account = gate.ledger().account(A);
            prop_assert!(account.open(side).qty >= Qty::ZERO && account.short_open >= Qty::ZERO);
            let _ = account.profit(Price(numbers[0]), odd.multiplier);
        }
    }
}
