//! Matching, and what is published of it. The published feed is checked against a book that knows ITCH only.

use crate::harness::{AAPL, P50, World, symbol};
use firelane_gateway::base::{ExchangeTime, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::itch50::{self, Message};
use firelane_sim::venue::engine::{Engine, EngineConfig, Phase, TradingState};
use firelane_sim::venue::market::{
    CancelReason, CrossKind, Effect, Life, Liquidity, Market, NewOrder, Prevention, Refusal, SelfMatch, What,
};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::BTreeMap;

/// A book built from ITCH messages alone, with the semantics of "TotalView-ITCH 5.0".
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct FeedBook {
    /// Reference to: arrival, symbol, side, price, shares.
    orders: BTreeMap<u64, (u64, Symbol, Side, u32, u32)>,
    arrivals: u64,
}

impl FeedBook {
    pub(crate) fn apply(&mut self, bytes: &[u8]) {
        self.arrivals += 1;
        let arrival = self.arrivals;
        let side = |letter| if letter == b'B' { Side::Buy } else { Side::Sell };
        match itch50::decode(bytes).expect("the venue speaks ITCH") {
            Message::AddOrder(m) => {
                let order = (arrival, m.stock(), side(m.side), m.price.get(), m.shares.get());
                assert!(self.orders.insert(m.order_ref.get(), order).is_none(), "a reference twice");
            }
            Message::AddOrderMpid(m) => {
                let order = (arrival, m.stock(), side(m.side), m.price.get(), m.shares.get());
                assert!(self.orders.insert(m.order_ref.get(), order).is_none(), "a reference twice");
            }
            Message::OrderExecuted(m) => self.take(m.order_ref.get(), m.shares.get()),
            Message::OrderExecutedWithPrice(m) => self.take(m.order_ref.get(), m.shares.get()),
            Message::OrderCancel(m) => {
                self.take(m.order_ref.get(), m.shares.get());
                assert!(self.orders.contains_key(&m.order_ref.get()), "the last share goes by a delete");
            }
            Message::OrderDelete(m) => assert!(self.orders.remove(&m.order_ref.get()).is_some(), "unknown reference"),
            Message::OrderReplace(m) => {
                let (_, stock, side, ..) = self.orders.remove(&m.original_ref.get()).expect("unknown reference");
                let order = (arrival, stock, side, m.price.get(), m.shares.get());
                assert!(self.orders.insert(m.new_ref.get(), order).is_none(), "a reference twice");
            }
            _ => {}
        }
    }

    fn take(&mut self, reference: u64, shares: u32) {
        let order = self.orders.get_mut(&reference).expect("unknown reference");
        order.4 = order.4.checked_sub(shares).expect("more than is there");
        if order.4 == 0 {
            self.orders.remove(&reference);
        }
    }

    /// Bids, then asks, each by price and arrival: reference, price, shares.
    pub(crate) fn book(&self, of: Symbol) -> Vec<(u64, i64, u32)> {
        let mut both = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            let mut queue: Vec<_> = self.orders.iter().filter(|(_, order)| order.1 == of && order.2 == side).collect();
            queue.sort_by_key(|(_, order)| (-side.sign() * i64::from(order.3), order.0));
            both.extend(queue.iter().map(|(reference, order)| (**reference, i64::from(order.3), order.4)));
        }
        both
    }
}

/// The displayed part of an engine's book in the same form.
pub(crate) fn displayed(engine: &Engine, of: Symbol) -> Vec<(u64, i64, u32)> {
    let book = engine.book(of);
    book.iter().filter(|r| !r.hidden).map(|r| (r.reference.0, r.price.0, r.shares)).collect()
}

const NOW: ExchangeTime = ExchangeTime::new(20_000, 36_000_000_000_000);

fn trading() -> Engine {
    let mut engine = Engine::new(&EngineConfig::new(&[symbol("AAPL"), symbol("MSFT"), symbol("ZVZZT")]));
    for phase in [Phase::Messages, Phase::System, Phase::Market] {
        engine.set_phase(NOW, phase, &mut Vec::new());
    }
    engine.take_messages();
    engine
}

fn limit(side: Side, shares: u32, price: i64) -> NewOrder {
    NewOrder::limit(symbol(AAPL), side, shares, Price(price))
}

fn enter(engine: &mut Engine, order: NewOrder) -> Vec<Effect> {
    let mut effects = Vec::new();
    engine.enter(NOW, order, &mut effects).expect("the market takes it");
    engine.check().unwrap();
    effects
}

fn letters(engine: &mut Engine) -> String {
    engine.take_messages().iter().map(|message| char::from(message[0])).collect()
}

/// Who traded, in order: reference, shares, price.
fn trades(effects: &[Effect]) -> Vec<(VenueRef, u32, i64)> {
    let executed = |effect: &Effect| match effect.what {
        What::Executed { shares, price, .. } => Some((effect.reference, shares, price.0)),
        _ => None,
    };
    effects.iter().filter_map(executed).collect()
}

#[test]
fn better_price_then_displayed_then_time() {
    let mut engine = trading();
    let hidden = enter(&mut engine, NewOrder { hidden: true, ..limit(Side::Sell, 10, 500_000) })[0].reference;
    let first = enter(&mut engine, limit(Side::Sell, 20, 500_000))[0].reference;
    let second = enter(&mut engine, limit(Side::Sell, 30, 500_000))[0].reference;
    let better = enter(&mut engine, limit(Side::Sell, 40, 499_900))[0].reference;
    assert_eq!(letters(&mut engine), "AAA", "hidden orders are not published");
    let effects = enter(&mut engine, limit(Side::Buy, 1_000, 500_000));
    let taker = effects[0].reference;
    let makers: Vec<_> = trades(&effects).into_iter().filter(|trade| trade.0 != taker).collect();
    assert_eq!(makers, [(better, 40, 499_900), (first, 20, 500_000), (second, 30, 500_000), (hidden, 10, 500_000)]);
    assert_eq!(letters(&mut engine), "EEEPA", "a trade of a hidden order is a P; the rest is added last");
    assert_eq!(engine.top(symbol(AAPL)).bid, Some((Price(500_000), 900)));
}

#[test]
fn an_order_that_trades_away_on_entry_is_never_published() {
    let mut engine = trading();
    enter(&mut engine, limit(Side::Sell, 100, 500_000));
    engine.take_messages();
    enter(&mut engine, limit(Side::Buy, 60, 500_000));
    assert_eq!(letters(&mut engine), "E");
    enter(&mut engine, NewOrder { life: Life::Immediate, ..limit(Side::Buy, 60, 500_000) });
    assert_eq!(letters(&mut engine), "E", "and what is cancelled at once neither");
}

#[test]
fn a_market_order_takes_what_there_is() {
    let mut engine = trading();
    let far = enter(&mut engine, limit(Side::Sell, 100, 1_000_000))[0].reference;
    let effects = enter(&mut engine, NewOrder { limit: None, ..limit(Side::Buy, 150, 1) });
    assert_eq!(trades(&effects)[0], (far, 100, 1_000_000));
    let last = effects.last().unwrap().what;
    assert_eq!(last, What::Canceled { shares: 50, reason: CancelReason::Immediate });
    assert_eq!(engine.book(symbol(AAPL)), []);
}

#[test]
fn the_top_is_the_whole_displayed_level() {
    let mut engine = trading();
    for shares in [100, 200, 300] {
        enter(&mut engine, limit(Side::Buy, shares, 500_000));
    }
    enter(&mut engine, NewOrder { hidden: true, ..limit(Side::Buy, 999, 500_100) });
    assert_eq!(engine.top(symbol(AAPL)).bid, Some((Price(500_000), 600)));
    assert_eq!(engine.top(symbol(AAPL)).ask, None);
}

#[test]
fn a_replace_is_published_as_u_and_as_a_delete_when_it_trades_or_hides() {
    let mut engine = trading();
    let replace = |engine: &mut Engine, old: VenueRef, order: NewOrder| {
        let mut effects = Vec::new();
        engine.replace(NOW, old, order, &mut effects).unwrap();
        engine.check().unwrap();
        (effects[0].reference, letters(engine))
    };
    let old = enter(&mut engine, limit(Side::Buy, 100, 500_000))[0].reference;
    engine.take_messages();
    let (old, published) = replace(&mut engine, old, limit(Side::Buy, 200, 499_900));
    assert_eq!(published, "U");
    let (old, published) = replace(&mut engine, old, NewOrder { hidden: true, ..limit(Side::Buy, 200, 499_900) });
    assert_eq!(published, "D");
    let (old, published) = replace(&mut engine, old, limit(Side::Buy, 200, 499_900));
    assert_eq!(published, "A");
    let named = NewOrder { attributed: Some(*b"FIRE"), ..limit(Side::Buy, 200, 499_900) };
    let (old, published) = replace(&mut engine, old, named);
    assert_eq!(published, "DF", "U would inherit that it has no name");
    enter(&mut engine, limit(Side::Sell, 50, 500_000));
    engine.take_messages();
    let (old, published) = replace(&mut engine, old, limit(Side::Buy, 200, 500_000));
    assert_eq!(published, "DEA");
    assert_eq!(displayed(&engine, symbol(AAPL)), [(old.0, 500_000, 150)]);
    let mut refused = |old, order| engine.replace(NOW, old, order, &mut Vec::new()).expect_err("refused");
    assert_eq!(refused(VenueRef(1), limit(Side::Buy, 1, 500_000)), Refusal::UnknownOrder);
    assert_eq!(refused(old, limit(Side::Sell, 1, 500_000)), Refusal::Invalid, "another side");
    let elsewhere = NewOrder::limit(symbol("MSFT"), Side::Buy, 1, Price(500_000));
    assert_eq!(refused(old, elsewhere), Refusal::Invalid, "another instrument");
}

#[test]
fn references_ascend_with_gaps() {
    let mut engine = trading();
    let references: Vec<u64> =
        (0..100).map(|_| enter(&mut engine, limit(Side::Buy, 1, 500_000))[0].reference.0).collect();
    let gaps: Vec<u64> = references.windows(2).map(|pair| pair[1].checked_sub(pair[0]).expect("ascending")).collect();
    assert!(gaps.iter().all(|gap| (1..=64).contains(gap)));
    assert!(gaps.iter().any(|gap| *gap != gaps[0]), "irregular");
}

#[test]
fn refusals_change_nothing() {
    let mut engine = trading();
    let mut refused = |order| engine.enter(NOW, order, &mut Vec::new()).expect_err("refused");
    assert_eq!(refused(NewOrder::limit(symbol("NOBODY"), Side::Buy, 1, Price(100))), Refusal::UnknownSymbol);
    assert_eq!(refused(limit(Side::Buy, 0, 500_000)), Refusal::Invalid);
    assert_eq!(refused(limit(Side::Buy, 1, 0)), Refusal::Invalid);
    assert_eq!(refused(limit(Side::Buy, 1, -100)), Refusal::Invalid);
    assert_eq!(refused(limit(Side::Buy, 1, 500_001)), Refusal::Invalid);
    assert_eq!(refused(NewOrder { life: Life::AfterHours, ..limit(Side::Buy, 1, 500_000) }), Refusal::Closed);
    let open = NewOrder { cross: Some(CrossKind::Open), ..limit(Side::Buy, 1, 500_000) };
    assert_eq!(refused(open), Refusal::Closed, "the opening cross is over");
    assert_eq!(engine.take_messages(), Vec::<Vec<u8>>::new());
}

#[test]
fn a_cross_trades_the_most_at_one_price() {
    let mut engine = trading();
    let at_close = |order| NewOrder { cross: Some(CrossKind::Close), ..order };
    let resting = enter(&mut engine, limit(Side::Buy, 100, 500_000))[0].reference;
    let market = enter(&mut engine, at_close(NewOrder { limit: None, ..limit(Side::Buy, 300, 1) }))[0].reference;
    let seller = enter(&mut engine, at_close(limit(Side::Sell, 350, 499_000)))[0].reference;
    let dear = enter(&mut engine, at_close(limit(Side::Sell, 500, 600_000)))[0].reference;
    engine.take_messages();
    let mut effects = Vec::new();
    engine.set_phase(NOW, Phase::After, &mut effects);
    // 350 trade at any price from 499,000 to 500,000; the lowest holds. The market order goes first.
    assert_eq!(trades(&effects), [(market, 300, 499_000), (resting, 50, 499_000), (seller, 350, 499_000)]);
    let canceled: Vec<_> = effects.iter().filter(|e| matches!(e.what, What::Canceled { .. })).collect();
    assert_eq!(canceled.iter().map(|e| e.reference).collect::<Vec<_>>(), [dear, resting]);
    let liquidity = |e: &Effect| matches!(e.what, What::Executed { liquidity: Liquidity::ClosingCross, .. });
    assert!(liquidity(&effects[0]));
    let published = engine.take_messages();
    let types: String = published.iter().map(|message| char::from(message[0])).collect();
    assert_eq!(types, "CQSD", "only the displayed order has a message of its own, and it does not print");
    let Ok(Message::OrderExecutedWithPrice(c)) = itch50::decode(&published[0]) else { panic!() };
    assert_eq!((c.printable, c.price.get(), c.shares.get()), (b'N', 499_000, 50));
    let Ok(Message::CrossTrade(q)) = itch50::decode(&published[1]) else { panic!() };
    assert_eq!((q.shares.get(), q.price.get(), q.cross_type), (350, 499_000, b'C'));
    assert_eq!(q.match_number, c.match_number);
    engine.check().unwrap();
}

/// "of equal ones ... the nearest to" the last trade, whose own price is one to choose from.
#[test]
fn a_cross_that_may_have_several_prices_has_that_of_the_last_trade() {
    for last in [None, Some(499_400), Some(498_000), Some(501_000)] {
        let mut engine = trading();
        if let Some(price) = last {
            enter(&mut engine, limit(Side::Sell, 10, price));
            enter(&mut engine, limit(Side::Buy, 10, price));
        }
        let at_close = |order| NewOrder { cross: Some(CrossKind::Close), ..order };
        let buyer = enter(&mut engine, at_close(limit(Side::Buy, 100, 500_000)))[0].reference;
        let seller = enter(&mut engine, at_close(limit(Side::Sell, 100, 499_000)))[0].reference;
        let mut effects = Vec::new();
        engine.set_phase(NOW, Phase::After, &mut effects);
        let price = last.unwrap_or(499_000).clamp(499_000, 500_000);
        assert_eq!(trades(&effects), [(buyer, 100, price), (seller, 100, price)], "{last:?}");
    }
}

/// A cross frees what it froze: orders for the next one of its kind are not late.
#[test]
fn after_a_halt_cross_orders_join_the_next_one() {
    let mut engine = trading();
    let mut effects = Vec::new();
    for _ in 0..2 {
        engine.set_state(NOW, symbol(AAPL), TradingState::Halted, *b"T1  ", &mut effects).unwrap();
        let at_halt = |side| NewOrder { cross: Some(CrossKind::Halt), ..limit(side, 100, 500_000) };
        enter(&mut engine, at_halt(Side::Buy));
        enter(&mut engine, at_halt(Side::Sell));
        engine.freeze(symbol(AAPL), CrossKind::Halt).unwrap();
        let late = engine.enter(NOW, at_halt(Side::Buy), &mut effects);
        assert_eq!(late, Err(Refusal::LateForCross));
        effects.clear();
        engine.set_state(NOW, symbol(AAPL), TradingState::Trading, *b"    ", &mut effects).unwrap();
        assert_eq!(trades(&effects).len(), 2);
    }
}

#[test]
fn a_halted_instrument_has_no_closing_cross() {
    let mut engine = trading();
    let buyer = NewOrder { cross: Some(CrossKind::Close), ..limit(Side::Buy, 100, 500_000) };
    let seller = NewOrder { cross: Some(CrossKind::Close), ..limit(Side::Sell, 100, 500_000) };
    enter(&mut engine, buyer);
    enter(&mut engine, seller);
    let mut effects = Vec::new();
    engine.set_state(NOW, symbol(AAPL), TradingState::Halted, *b"T1  ", &mut effects).unwrap();
    engine.set_phase(NOW, Phase::After, &mut effects);
    assert_eq!(trades(&effects), []);
    assert_eq!(effects.len(), 2);
    assert!(effects.iter().all(|e| e.what == What::Canceled { shares: 100, reason: CancelReason::Halted }));
}

#[test]
fn the_day_opens_with_the_directory_and_the_snapshot_has_it_all() {
    let mut w = World::closed(|_| {});
    w.venue.open(w.now);
    w.settle();
    assert_eq!(w.published(), "SRRHYHYSS");
    w.background(Side::Buy, 100, P50);
    w.background(Side::Sell, 100, P50 + 100);
    w.background(Side::Sell, 40, P50);
    w.background_order(NewOrder { hidden: true, ..NewOrder::limit(symbol(AAPL), Side::Buy, 5, Price(500_000)) });
    w.background_order(NewOrder {
        attributed: Some(*b"FIRE"),
        ..NewOrder::limit(symbol("MSFT"), Side::Buy, 5, Price(500_000))
    });
    w.venue.set_operational_halt(w.now, symbol("MSFT"), true).unwrap();
    w.settle();
    let snapshot = w.venue.snapshot(w.now);
    let types: String = snapshot.iter().map(|message| char::from(message[0])).collect();
    assert_eq!(types, "SRRHYHYhAAF");
    assert_eq!(snapshot[0][11], b'Q', "the phase it is");
    let mut book = FeedBook::default();
    snapshot.iter().for_each(|message| book.apply(message));
    for of in [symbol(AAPL), symbol("MSFT")] {
        assert_eq!(book.book(of), displayed(w.venue.engine(), of));
    }
    assert_eq!(book.book(symbol(AAPL))[0].2, 60, "remaining shares");
}

/// Everything that an engine can be asked, at random, and then: its invariants hold; the books that the feed and the
/// snapshot give are its own; every share entered is executed, cancelled, prevented, moved or open.
#[test]
fn a_random_day_is_published_exactly() {
    for seed in 0..40 {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let mut engine = Engine::new(&EngineConfig { seed, ..EngineConfig::new(&[symbol(AAPL), symbol("MSFT")]) });
        let mut feed = FeedBook::default();
        let mut shares: BTreeMap<VenueRef, (i64, bool)> = BTreeMap::new();
        let mut known = Vec::new();
        let mut effects = Vec::new();
        for phase in [Phase::Messages, Phase::System, Phase::Market] {
            engine.set_phase(NOW, phase, &mut effects);
        }
        for step in 0..1_500 {
            let of = if rng.random_ratio(3, 4) { symbol(AAPL) } else { symbol("MSFT") };
            let order = NewOrder {
                short: rng.random_ratio(1, 5),
                life: if rng.random_ratio(1, 4) { Life::Immediate } else { Life::Day },
                hidden: rng.random_ratio(1, 6),
                attributed: rng.random_ratio(1, 6).then_some(*b"FIRE"),
                post_only: rng.random_ratio(1, 8),
                cross: rng.random_ratio(1, 20).then_some(CrossKind::Halt),
                limit: rng.random_ratio(19, 20).then(|| Price(500_000 + 100 * rng.random_range(-6..=6))),
                self_match: rng.random_ratio(1, 3).then(|| SelfMatch {
                    house: (b'F', *b"FIRE", *b"  "),
                    action: [
                        None,
                        Some(Prevention::DecrementBoth),
                        Some(Prevention::DecrementBothPlain),
                        Some(Prevention::CancelOldest),
                        Some(Prevention::CancelNewest),
                    ][rng.random_range(0..5)],
                }),
                ..NewOrder::limit(
                    of,
                    if rng.random() { Side::Buy } else { Side::Sell },
                    rng.random_range(0..500),
                    Price(1),
                )
            };
            let any = known.get(rng.random_range(0..=known.len())).copied().unwrap_or(VenueRef(3));
            let states = [
                TradingState::Halted,
                TradingState::Paused,
                TradingState::QuotationOnly,
                TradingState::Trading,
                TradingState::Trading,
            ];
            let _ = match rng.random_range(0..100) {
                0..55 => engine.enter(NOW, order, &mut effects),
                55..70 => engine.replace(NOW, any, order, &mut effects),
                70..88 => engine.reduce(NOW, any, rng.random_range(0..300), CancelReason::User, &mut effects),
                88..92 => engine.reprioritise(NOW, any, &mut effects),
                92..96 => engine.set_state(NOW, of, states[rng.random_range(0..5)], *b"    ", &mut effects),
                96 => engine.set_reg_sho(NOW, of, [b'0', b'1'][rng.random_range(0..2)]),
                97 => engine.set_operational_halt(NOW, of, rng.random_ratio(1, 3)),
                98 => engine.freeze(of, CrossKind::Halt),
                _ => engine.break_trade(
                    NOW,
                    rng.random_range(0..50),
                    firelane_sim::venue::market::BreakReason::Consent,
                    &mut effects,
                ),
            };
            engine.check().unwrap_or_else(|what| panic!("seed {seed}, step {step}: {what}"));
            for effect in effects.drain(..) {
                match effect.what {
                    What::Entered { shares: entered, live, replaces, .. } => {
                        if let Some(old) = replaces {
                            assert!(shares.remove(&old).is_some(), "seed {seed}: replaced what was not there");
                        }
                        if live {
                            known.push(effect.reference);
                            shares.insert(effect.reference, (i64::from(entered), true));
                        }
                    }
                    What::Executed { shares: n, .. }
                    | What::Canceled { shares: n, .. }
                    | What::Prevented { decrement: n, .. } => {
                        let left = shares.get_mut(&effect.reference).expect("an effect on a live order");
                        left.0 -= i64::from(n);
                        assert!(left.0 >= 0, "seed {seed}, step {step}: more went than there was");
                        if left.0 == 0 {
                            shares.remove(&effect.reference);
                        }
                    }
                    What::Reprioritised { .. } => {
                        let left = shares.remove(&any).expect("a live order");
                        shares.insert(effect.reference, left);
                        known.push(effect.reference);
                    }
                    What::Broken { .. } => {}
                }
            }
            engine.take_messages().iter().for_each(|message| feed.apply(message));
            let open: BTreeMap<VenueRef, i64> = shares.iter().map(|(reference, left)| (*reference, left.0)).collect();
            let held = known.iter().filter_map(|r| Some((*r, i64::from(engine.order(*r)?.open))));
            assert_eq!(held.collect::<BTreeMap<_, _>>(), open, "seed {seed}, step {step}");
        }
        let mut spliced = FeedBook::default();
        engine.snapshot(NOW).iter().for_each(|message| spliced.apply(message));
        for of in [symbol(AAPL), symbol("MSFT")] {
            assert_eq!(feed.book(of), displayed(&engine, of), "seed {seed}");
            assert_eq!(spliced.book(of), displayed(&engine, of), "seed {seed}");
        }
    }
}

#[test]
fn the_same_calls_give_the_same_bytes() {
    let run = || {
        let mut w = World::open();
        for n in 0..200u32 {
            let side = if n % 3 == 0 { Side::Sell } else { Side::Buy };
            w.background(side, 10 + n, P50 + u64::from(n * 7 % 11) * 100);
        }
        w.settle();
        w.tape
    };
    assert_eq!(run(), run());
}
