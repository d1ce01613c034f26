//! The market maker: on books made by hand, and against a desk that answers at random.

use super::*;

pub(super) fn maker(change: impl FnOnce(&mut MarketMakerConfig)) -> MarketMaker {
    let mut config = MarketMakerConfig {
        reference: Reference::Best,
        offset: 0,
        skew: 1_000,
        size: Qty(100),
        refill: Qty(50),
        max_position: Qty(300),
        requote: 0,
        pause: Nanos(1_000),
    };
    change(&mut config);
    MarketMaker::new(&config, 1).unwrap()
}

/// What it asks for, in short: enters as (side, price, qty).
pub(super) fn entered(actions: &[Action]) -> Vec<(Side, i64, i64)> {
    let short = |a: &Action| match a {
        Action::Enter(e) => {
            assert!(e.post_only && e.tif == TimeInForce::Day);
            (e.side, e.price.0, e.qty.0)
        }
        other => panic!("{other:?}"),
    };
    actions.iter().map(short).collect()
}

fn quoted(maker: &mut MarketMaker, book: &Hand, position: i64, orders: &[OwnOrder]) -> Vec<Action> {
    let row = row();
    asks(maker, &Scene { position: Qty(position), orders, ..context(&row, book, &()) })
}

pub(super) fn replaced(order: u64, price: i64, qty: i64) -> Action {
    Action::Replace(Replace { order: ClientId(order), price: Price(price), qty: Qty(qty) })
}

pub(super) fn cancelled(order: u64) -> Action {
    Action::Cancel(Cancel { order: ClientId(order), keep: Qty::ZERO })
}

#[test]
fn the_maker_quotes_both_sides_of_its_reference() {
    let quotes = |change: fn(&mut MarketMakerConfig), book: &Hand| entered(&quoted(&mut maker(change), book, 0, &[]));
    assert_eq!(quotes(|_| {}, &even()), [(Buy, 100_000, 100), (Sell, 100_200, 100)]);
    assert_eq!(quotes(|c| c.offset = 2, &even()), [(Buy, 99_800, 100), (Sell, 100_400, 100)]);
    let mid = |c: &mut MarketMakerConfig| (c.reference, c.offset) = (Reference::Mid, 1);
    assert_eq!(quotes(mid, &even()), [(Buy, 100_000, 100), (Sell, 100_200, 100)]);
    // A mid between two ticks: both round away from it.
    let odd = hand(&[(100_000, 100, 0)], &[(100_300, 100, 0)]);
    assert_eq!(quotes(mid, &odd), [(Buy, 100_000, 100), (Sell, 100_300, 100)]);
    // Own shares are no reference.
    let own_best = hand(&[(100_100, 100, 100), (100_000, 100, 0)], &[(100_200, 100, 0)]);
    assert_eq!(quotes(|_| {}, &own_best), [(Buy, 100_000, 100), (Sell, 100_200, 100)]);
}

#[test]
fn below_one_dollar_the_maker_quotes_between_the_cents() {
    let cents = |p: i64, q: i64| hand(&[(p, 100, 0)], &[(q, 100, 0)]);
    let quotes = |change: fn(&mut MarketMakerConfig), book: &Hand| entered(&quoted(&mut maker(change), book, 0, &[]));
    assert_eq!(quotes(|_| {}, &cents(5_001, 5_002)), [(Buy, 5_001, 100), (Sell, 5_002, 100)]);
    assert_eq!(quotes(|c| c.offset = 2, &cents(5_001, 5_002)), [(Buy, 4_999, 100), (Sell, 5_004, 100)]);
    // Across the dollar each quote has the step of its own price.
    assert_eq!(quotes(|_| {}, &cents(9_999, 10_000)), [(Buy, 9_999, 100), (Sell, 10_000, 100)]);
    assert_eq!(quotes(|c| c.offset = 1, &cents(9_999, 10_000)), [(Buy, 9_998, 100), (Sell, 10_100, 100)]);
    // A round lot of 10: the same position leans ten times as far.
    let row = Instrument { lot: 10, ..row() };
    let book = even();
    let lots =
        |position| asks(&mut maker(|c| c.offset = 50), &Scene { position: Qty(position), ..context(&row, &book, &()) });
    assert_eq!(entered(&lots(-10))[0], (Buy, 95_100, 100));
}

#[test]
fn inventory_leans_both_quotes_and_shrinks_the_one_that_adds() {
    let quotes = |position| entered(&quoted(&mut maker(|c| c.offset = 5), &even(), position, &[]));
    // One tick a lot. A sale is never larger than what is held: the rest would be another, short, order.
    assert_eq!(quotes(100), [(Buy, 99_400, 100), (Sell, 100_600, 100)]);
    assert_eq!(quotes(-100), [(Buy, 99_600, 100), (Sell, 100_800, 100)]);
    assert_eq!(quotes(40), [(Buy, 99_400, 100), (Sell, 100_700, 40)]);
    assert_eq!(quotes(250), [(Buy, 99_200, 50), (Sell, 100_500, 100)]);
    assert_eq!(quotes(300), [(Sell, 100_400, 100)]);
    assert_eq!(quotes(-300), [(Buy, 99_800, 100)]);
    // However far it leans, it doesn't take.
    let far = |position| entered(&quoted(&mut maker(|c| c.skew = 1_000_000), &even(), position, &[]));
    assert_eq!(far(100), [(Sell, 100_100, 100)], "the bid would be below zero");
    assert_eq!(far(-100)[0], (Buy, 100_100, 100));
}

#[test]
fn the_maker_moves_by_replace_and_waits_for_answers() {
    let (bid, ask) = (own(1, Buy, 100_000, 100), own(2, Sell, 100_200, 100));
    let mut m = maker(|_| {});
    assert_eq!(quoted(&mut m, &even(), 0, &[bid, ask]), [], "in place");
    let up = hand(&[(100_100, 100, 0)], &[(100_300, 100, 0)]);
    assert_eq!(quoted(&mut m, &up, 0, &[bid, ask]), [replaced(1, 100_100, 100), replaced(2, 100_300, 100)]);
    for awaits in [Awaits::Enter, Awaits::Replace, Awaits::Cancel] {
        let waiting = OwnOrder { awaits, ..bid };
        assert_eq!(quoted(&mut m, &up, 0, &[waiting, ask]), [replaced(2, 100_300, 100)]);
    }
    assert_eq!(quoted(&mut maker(|c| c.requote = 1), &up, 0, &[bid, ask]), [], "near enough");
    // Liability: 60 executed and 40 open; to leave 100 open it must be 160.
    let worn = OwnOrder { open: Qty(40), spent: Qty(60), ..bid };
    assert_eq!(quoted(&mut m, &even(), 0, &[worn, ask]), [replaced(1, 100_000, 160)]);
    let enough = OwnOrder { open: Qty(50), spent: Qty(50), ..bid };
    assert_eq!(quoted(&mut m, &even(), 0, &[enough, ask]), [], "not yet to be filled up");
    // What is marked long does not grow beyond what is held; what is marked short does.
    let held = OwnOrder { open: Qty(30), ..ask };
    assert_eq!(quoted(&mut m, &even(), 30, &[bid, held])[1..], [replaced(2, 100_200, 30)][..0]);
    let short = OwnOrder { mark: SellMark::Short { located: true }, ..held };
    assert_eq!(quoted(&mut m, &even(), 0, &[bid, short]), [replaced(2, 100_200, 100)]);
    // One order a side.
    let extra = own(3, Buy, 99_900, 100);
    assert_eq!(quoted(&mut m, &even(), 0, &[bid, ask, extra]), [cancelled(3)]);
    // At its limit the quote that would add goes.
    assert_eq!(quoted(&mut maker(|c| c.skew = 0), &even(), 300, &[bid, ask]), [cancelled(1)]);
}

/// A directory may name another tick or lot, with nothing else new: the quotes follow.
#[test]
fn the_makers_quotes_follow_tick_and_lot() {
    let book = even();
    let row = Instrument { fine_tick: 100, ..row() };
    let fine = Instrument { fine_below: 1_000_000, ..row };
    for (position, row, other) in [
        (0, row, Instrument { tick: 200, ..row }),
        (0, fine, Instrument { fine_tick: 200, ..fine }),
        (100, row, Instrument { lot: 10, ..row }),
    ] {
        let mut m = maker(|c| c.offset = 1);
        // A lot of a hundred leans by a tick of a hundred.
        let orders = [own(1, Buy, 99_900 - position, 100), own(2, Sell, 100_300 - position, 100)];
        let scene = |row| asks(&mut m, &Scene { position: Qty(position), orders: &orders, ..context(row, &book, &()) });
        let [first, again, moved] = [&row, &row, &other].map(scene);
        assert!(first.is_empty() && again.is_empty(), "in place: {first:?}");
        assert!(!moved.is_empty(), "{other:?}");
    }
}

#[test]
fn the_maker_never_quotes_where_its_other_quote_may_stand() {
    let down = hand(&[(99_700, 100, 0)], &[(99_900, 100, 0)]);
    // Its bid of 10.00 may still be there: the ask stays above it until it is known to have moved.
    let (bid, ask) = (own(1, Buy, 100_000, 100), own(2, Sell, 100_200, 100));
    assert_eq!(
        quoted(&mut maker(|_| {}), &down, 0, &[bid, ask]),
        [replaced(1, 99_700, 100), replaced(2, 100_100, 100)]
    );
    let moving = OwnOrder { price: Price(99_700), awaits: Awaits::Replace, ..bid };
    let moved = OwnOrder { touch: Price(99_700), awaits: Awaits::Nothing, ..moving };
    let waits = own(2, Sell, 100_100, 100);
    assert_eq!(quoted(&mut maker(|_| {}), &down, 0, &[moving, waits]), []);
    assert_eq!(quoted(&mut maker(|_| {}), &down, 0, &[moved, waits]), [replaced(2, 99_900, 100)]);
    assert_eq!(entered(&quoted(&mut maker(|_| {}), &down, 0, &[moving])), [(Sell, 100_100, 100)]);
}

/// Of several orders of a side the first is the quote, and each of them keeps the other quote away, whichever was sent first.
#[test]
fn the_maker_keeps_one_order_a_side_and_off_all_others() {
    let (down, up) = (hand(&[(99_700, 100, 0)], &[(99_900, 100, 0)]), hand(&[(100_300, 100, 0)], &[(100_500, 100, 0)]));
    let sold = Action::Enter(Enter {
        instrument: A,
        side: Sell,
        price: Price(100_100),
        qty: Qty(100),
        tif: TimeInForce::Day,
        post_only: true,
        tags: Tags::default(),
    });
    for [second, third] in [[100_000, 99_600], [99_600, 100_000]] {
        let buys = [own(1, Buy, 99_700, 100), own(2, Buy, second, 100), own(3, Buy, third, 100)];
        assert_eq!(quoted(&mut maker(|_| {}), &down, 0, &buys), [cancelled(2), cancelled(3), sold]);
    }
    for [second, third] in [[100_200, 100_600], [100_600, 100_200]] {
        let sells = [own(1, Sell, 100_500, 100), own(2, Sell, second, 100), own(3, Sell, third, 100)];
        let all = quoted(&mut maker(|_| {}), &up, 0, &sells);
        assert_eq!(entered(&all[..1]), [(Buy, 100_100, 100)]);
        assert_eq!(all[1..], [cancelled(2), cancelled(3)]);
    }
    // What is too many goes before the quote does, at its limit too.
    let [buy, sell] = [own(1, Buy, 100_000, 100), own(2, Sell, 100_200, 100)];
    let all = quoted(&mut maker(|c| c.skew = 0), &even(), 300, &[buy, sell, own(3, Buy, 99_900, 100)]);
    assert_eq!(all, [cancelled(3), cancelled(1)]);
}

#[test]
fn the_maker_pulls_its_quotes_when_the_book_is_unfit() {
    let orders = [own(1, Buy, 100_000, 100), OwnOrder { awaits: Awaits::Replace, ..own(2, Sell, 100_200, 100) }];
    let pulled = vec![cancelled(1), cancelled(2)];
    let one_sided = hand(&[(100_000, 100, 0)], &[(100_200, 100, 100)]);
    let locked = hand(&[(100_200, 100, 0)], &[(100_200, 100, 0)]);
    let crossed = hand(&[(100_300, 100, 0)], &[(100_200, 100, 0)]);
    for book in [stale(&even()), one_sided, locked, crossed, hand(&[], &[])] {
        assert_eq!(quoted(&mut maker(|_| {}), &book, 0, &orders), pulled);
        assert_eq!(quoted(&mut maker(|_| {}), &book, 0, &[]), []);
    }
    let (row, book) = (row(), even());
    let halted = Scene { tradable: false, orders: &orders, ..context(&row, &book, &()) };
    assert_eq!(asks(&mut maker(|_| {}), &halted), pulled);
    // Called for staleness alone, it does the same; what is being cancelled is not cancelled again.
    let gone = stale(&book);
    let going = [OwnOrder { awaits: Awaits::Cancel, ..orders[0] }, orders[1]];
    let mut actions = Actions::new(4);
    Scene { orders: &going, ..context(&row, &gone, &()) }.look(|view| maker(|_| {}).on_notice(A, view, &mut actions));
    assert_eq!(actions.list(), [cancelled(2)]);
}

#[test]
fn the_maker_pauses_after_a_refusal_but_still_pulls() {
    let (row, book) = (row(), even());
    let at = |ns| Scene { now: Mono(ns), ..context(&row, &book, &()) };
    let mut m = maker(|_| {});
    let asked = asks(&mut m, &at(5));
    assert_eq!(asked.len(), 2);
    refuse(&mut m, &asked[0], Refusal::Rate, &at(5));
    assert_eq!(asks(&mut m, &at(1_004)), []);
    assert_eq!(asks(&mut m, &at(1_005)).len(), 2);
    let mut actions = Actions::new(4);
    at(2_000).look(|view| m.on_change(&change(Happening::Rejected, 0), view, &mut actions));
    assert_eq!(asks(&mut m, &at(2_999)), []);
    let (orders, gone) = ([own(1, Buy, 100_000, 100)], stale(&book));
    assert_eq!(asks(&mut m, &Scene { book: &gone, orders: &orders, ..at(2_999) }), [cancelled(1)]);
    // A fill is acted upon at once.
    at(3_000).look(|view| m.on_change(&change(Happening::Filled, 0), view, &mut actions));
    assert_eq!(actions.list().len(), 2);
}

// ---- the maker against a desk that answers at random

/// An order at the desk: as the venue has it, and what is on its way.
#[derive(Clone, Copy, Debug)]
struct Live {
    id: u64,
    side: Side,
    mark: SellMark,
    price: i64,
    open: i64,
    executed: i64,
    accepted: bool,
    /// Price and liability.
    replacing: Option<(i64, i64)>,
    cancelling: bool,
}

impl Live {
    fn exposure(&self) -> Exposure {
        let (price, open) = self.replacing.map_or((self.price, self.open), |(p, q)| (p, q - self.executed));
        Exposure {
            qty: Qty(self.open.max(open)),
            price: Price(self.price.max(price)),
            short: self.mark != SellMark::Long,
        }
    }

    fn seen(&self) -> OwnOrder {
        let (price, open) = self.replacing.map_or((self.price, self.open), |(p, q)| (p, (q - self.executed).max(0)));
        let aggressive = if self.side.is_better(Price(price), Price(self.price)) { price } else { self.price };
        OwnOrder {
            touch: Price(aggressive),
            spent: Qty(self.executed),
            mark: self.mark,
            awaits: match (self.cancelling, self.accepted, self.replacing) {
                (true, ..) => Awaits::Cancel,
                (_, false, _) => Awaits::Enter,
                (.., Some(_)) => Awaits::Replace,
                _ => Awaits::Nothing,
            },
            ..own(self.id, self.side, price, open)
        }
    }
}

struct Desk {
    gate: Gate,
    row: Instrument,
    now: u64,
    next: u64,
    orders: Vec<Live>,
    bid: i64,
    ask: i64,
}

impl Desk {
    fn new(max_position: i64) -> Self {
        let mut limits = RiskLimits::widest();
        limits.each.max_position = Qty(max_position);
        limits.each.short = ShortSale::MarketMaker;
        limits.each.zero_cross = ZeroCross::Refuse;
        let gate = Gate::new(&limits, 1).unwrap();
        Desk { gate, row: row(), now: 0, next: 1, orders: vec![], bid: 100_000, ask: 100_200 }
    }

    fn position(&self) -> i64 {
        self.gate.ledger().account(A).position.0
    }

    fn best(&self, side: Side) -> Option<i64> {
        let touches = self.orders.iter().filter(|o| o.side == side).map(|o| o.seen().touch.0);
        if side == Buy { touches.max() } else { touches.min() }
    }

    /// Changes an order and tells the ledger; dead ones go.
    fn update(&mut self, at: usize, change: impl FnOnce(&mut Live) -> Option<i64>) {
        let order = &mut self.orders[at];
        let before = order.exposure();
        let price = order.price;
        let traded = change(order);
        let dead = order.open <= 0;
        let after = if dead { Exposure { qty: Qty(0), ..before } } else { order.exposure() };
        let fill =
            traded.map(|qty| Fill { qty: Qty(qty), price: Price(price), trade: 0, liquidity: Liquidity::UNKNOWN });
        let step = Change { side: order.side, before, after, fill, ..self::change(Happening::Filled, 0) };
        self.gate.apply(&step, &self.row);
        if dead {
            self.orders.remove(at);
        }
    }

    fn obey(&mut self, maker: &mut MarketMaker, pulled: bool) -> usize {
        let bids = [(self.bid, 500, 0)];
        let offers = [(self.ask, 500, 0)];
        let book = hand(&bids, &offers);
        let book = if pulled { stale(&book) } else { book };
        let seen: Vec<_> = self.orders.iter().map(Live::seen).collect();
        let row = self.row;
        let position = Qty(self.position());
        let cx = Scene { now: Mono(self.now), position, orders: &seen, ..context(&row, &book, &()) };
        let mut actions = Actions::new(16);
        cx.look(|view| maker.on_event(A, &info(&cx), view, &mut actions));
        assert_eq!(actions.dropped(), 0);
        assert!(actions.list().len() <= 2, "one action a side: {:?}", actions.list());
        for action in actions.list() {
            let facts = Facts {
                now: Mono(self.now),
                instrument: &row,
                best_bid: Some(Price(self.bid)),
                best_ask: Some(Price(self.ask)),
                fresh: !pulled,
                crossed: false,
                room: 2,
                tradable: true,
                collar: None,
                short_restricted: false,
                own_best_bid: self.best(Buy).map(Price),
                own_best_ask: self.best(Sell).map(Price),
            };
            if let Err(why) = self.send(action, &facts) {
                panic!("{action:?} refused: {why:?}, orders {:?}", self.orders);
            }
        }
        actions.list().len()
    }

    fn send(&mut self, action: &Action, facts: &Facts<'_>) -> Result<(), Refusal> {
        let find = |orders: &[Live], id: ClientId| orders.iter().position(|o| o.id == id.0).unwrap();
        let of = |o: &Live| OrderFacts {
            instrument: A,
            strategy: StrategyId(0),
            side: o.side,
            mark: o.mark,
            price: Price(o.price),
            executed: Qty(o.executed),
            decremented: Qty(0),
            open: Qty(o.open),
            exposure: o.exposure(),
            pending: o.replacing.is_some() || !o.accepted,
            cancel: None,
        };
        let passive = |side: Side, price: Price| match side {
            Buy => price < facts.best_ask.unwrap(),
            Sell => price > facts.best_bid.unwrap(),
        };
        match *action {
            Action::Enter(enter) => {
                assert!(passive(enter.side, enter.price) && enter.price.0 % TICK == 0, "{enter:?}");
                for approved in self.gate.enter(enter, facts)? {
                    let made = approved.into_inner();
                    let (id, side) = (self.next, enter.side);
                    self.next += 1;
                    let order = Live {
                        id,
                        side,
                        mark: made.mark,
                        price: enter.price.0,
                        open: made.enter.qty.0,
                        executed: 0,
                        accepted: false,
                        replacing: None,
                        cancelling: false,
                    };
                    let after = order.exposure();
                    let before = Exposure { qty: Qty(0), ..after };
                    self.gate.apply(&Change { side, before, after, ..change(Happening::Sent, 0) }, facts.instrument);
                    self.orders.push(order);
                }
            }
            Action::Replace(replace) => {
                let at = find(&self.orders, replace.order);
                let order = self.orders[at];
                assert!(passive(order.side, replace.price) && replace.price.0 % TICK == 0, "{replace:?}");
                assert!(order.accepted && order.replacing.is_none() && !order.cancelling, "{order:?}");
                let _ = self.gate.replace(replace, &of(&order), facts)?;
                self.update(at, |o| {
                    o.replacing = Some((replace.price.0, replace.qty.0));
                    None
                });
            }
            Action::Cancel(cancel) => {
                let at = find(&self.orders, cancel.order);
                assert!(!self.orders[at].cancelling, "cancelled twice");
                let _ = self.gate.cancel(cancel, &of(&self.orders[at]), facts.now)?;
                self.orders[at].cancelling = true;
            }
            Action::MassCancel(_) => unreachable!(),
        }
        Ok(())
    }

    /// The venue answers what is oldest of one order.
    fn answer(&mut self, pick: usize) {
        if self.orders.is_empty() {
            return;
        }
        let at = pick % self.orders.len();
        self.update(at, |o| {
            match (o.accepted, o.replacing.take()) {
                (false, replacing) => {
                    o.accepted = true;
                    o.replacing = replacing;
                }
                (true, Some((price, qty))) => (o.price, o.open) = (price, qty - o.executed),
                (true, None) if o.cancelling => o.open = 0,
                (true, None) => {}
            }
            None
        });
    }

    fn trade(&mut self, pick: usize, qty: i64) {
        if let Some(at) = (!self.orders.is_empty()).then(|| pick % self.orders.len()) {
            self.update(at, |o| {
                let traded = qty.min(o.open);
                o.accepted = true;
                o.open -= traded;
                o.executed += traded;
                Some(traded)
            });
        }
    }
}

fn maker_config() -> impl Generator<Value = MarketMakerConfig> {
    (prop::bool::ANY, 1u32..4, 0u32..3_000, 1i64..200, 0i64..200, 0i64..600, 0u32..3).prop_map(
        |(mid, offset, skew, size, refill, max_position, requote)| MarketMakerConfig {
            reference: if mid { Reference::Mid } else { Reference::Best },
            offset: if mid { offset } else { offset - 1 },
            skew,
            size: Qty(size),
            refill: Qty(refill.min(size)),
            max_position: Qty(max_position),
            requote,
            pause: Nanos(0),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn the_makers_quotes_never_meet_and_never_pass_a_limit(
        config in maker_config(),
        ops in prop::collection::vec((0u8..6, 0usize..8, 1i64..120, -3i64..4), 1..150),
    ) {
        let mut maker = MarketMaker::new(&config, 1).unwrap();
        // The gate's limit is the maker's own: a refusal of any kind fails the test.
        let mut desk = Desk::new(config.max_position.0);
        for (kind, pick, qty, ticks) in ops {
            desk.now += 1;
            match kind {
                0 => {
                    // Not into own orders: those would have traded.
                    desk.bid = (desk.bid + ticks * TICK).clamp(TICK, 200_000);
                    desk.ask = desk.bid + (1 + pick as i64 % 4) * TICK;
                }
                1 => desk.trade(pick, qty),
                2..=4 => desk.answer(pick),
                _ => {}
            }
            desk.obey(&mut maker, kind == 5 && pick == 0);
            if let (Some(bid), Some(ask)) = (desk.best(Buy), desk.best(Sell)) {
                prop_assert!(bid < ask, "own quotes meet: {:?}", desk.orders);
            }
            let account = desk.gate.ledger().account(A);
            let most = config.max_position.0;
            prop_assert!(account.position.0 + account.buys.qty.0 <= most);
            prop_assert!(account.sells.qty.0 - account.position.0 <= most);
            prop_assert_eq!(desk.gate.ledger().faults(), 0);
        }
        // Left alone, it comes to rest with a quote on each side that has room.
        for _ in 0..64 {
            for at in 0..desk.orders.len() {
                desk.answer(at);
            }
            desk.obey(&mut maker, false);
        }
        prop_assert_eq!(desk.obey(&mut maker, false), 0, "at rest: {:?}", desk.orders);
        for side in [Buy, Sell] {
            let quotes = desk.orders.iter().filter(|o| o.side == side).count();
            let room = config.max_position.0 - desk.position() * side.sign();
            prop_assert_eq!(quotes, usize::from(room > 0), "{:?} at {}", side, desk.position());
        }
    }

    #[test]
    fn the_longer_the_inventory_the_lower_the_quotes(
        config in maker_config(), position in -500i64..500, more in 1i64..500,
    ) {
        let config = MarketMakerConfig { max_position: Qty(1 << 40), ..config };
        let book = hand(&[(100_000, 100, 0)], &[(100_000 + 5_000, 100, 0)]);
        let quotes = |position| {
            let asked = entered(&quoted(&mut MarketMaker::new(&config, 1).unwrap(), &book, position, &[]));
            (asked[0].1, asked[1].1)
        };
        let (bid, ask) = quotes(position);
        let (lower_bid, lower_ask) = quotes(position + more);
        prop_assert!(lower_bid <= bid && lower_ask <= ask);
        // One tick or more of lean shows: in the bid at least, whose room downwards is unbounded.
        if i64::from(config.skew) * more >= 2 * 1_000 * 100 && position >= 0 {
            prop_assert!(lower_bid < bid);
        }
    }
}
