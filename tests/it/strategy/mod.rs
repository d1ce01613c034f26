//! Signals and the built-in strategies, on small books made by hand and against a desk that answers at random.

use firelane_gateway::base::{
    ClientId, Digest, ExchangeTime, Instrument, InstrumentId, InstrumentTable, LoadError, Mono, Name, Nanos, Notional,
    PerVenue, Price, Qty, Reader, Side, State, StrategyId, Symbol, Token, VenueId, VenueRef, Writer,
};
use firelane_gateway::flow::action::{
    Action, Cancel, Change, Enter, Exposure, Fill, Happening, MassCancel, Replace, SellMark, Tags, TimeInForce,
};
use firelane_gateway::flow::book::{BookCapacity, BookRef, Books, Scope, StaleReason};
use firelane_gateway::flow::command::{Command, Heard, Word};
use firelane_gateway::flow::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use firelane_gateway::flow::orders::{Liquidity, Orders, OrdersConfig, Reason, Report, Sent, Standing, Visibility};
use firelane_gateway::flow::risk::{Facts, Gate, OrderFacts, Refusal, RiskLimits, ShortSale, ZeroCross};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig, Pressure, Signal};
use firelane_gateway::flow::strategy::{
    Actions, Awaits, ImbalanceTaker, ImbalanceTakerConfig, MarketMaker, MarketMakerConfig, OwnOrder, Reference,
    Sources, Strategy, TargetTrackerConfig, View,
};
use firelane_gateway::flow::trading::{Trading, TradingConfig};
use firelane_gateway::flow::venue::MarketState;
use proptest::prelude::*;
use proptest::strategy::Strategy as Generator;

mod gated;
mod maker;
mod tracker;

use Side::{Buy, Sell};
use maker::{cancelled, entered, maker, replaced};

const A: InstrumentId = InstrumentId(0);
const TICK: i64 = 100;

fn row() -> Instrument {
    Instrument::us_equity(Symbol::new("TEST").unwrap())
}

/// A book by hand: levels best first, as (price, all shares, own shares).
#[derive(Clone)]
struct Hand {
    bids: Vec<Shown>,
    asks: Vec<Shown>,
    stale: bool,
}

type Shown = (i64, i64, i64);

fn hand(bids: &[Shown], asks: &[Shown]) -> Hand {
    Hand { bids: bids.to_vec(), asks: asks.to_vec(), stale: false }
}

fn stale(book: &Hand) -> Hand {
    Hand { stale: true, ..book.clone() }
}

impl Hand {
    /// Books of which `id` is this one: of each level's shares, the own ones are one order and the others' another.
    fn books(&self, id: InstrumentId) -> Books {
        let mut books = Books::new(BookCapacity { instruments: 3, orders: 32, levels: 16, own: 8 });
        let mut next = 1;
        for (side, levels) in [(Buy, &self.bids), (Sell, &self.asks)] {
            for &(price, qty, own) in levels {
                for (qty, own) in [(own, true), (qty - own, false)] {
                    if qty > 0 {
                        let (order, qty, price) = (VenueRef(next), Qty(qty), Price(price));
                        next += 1;
                        if own {
                            books.own_add(order, ClientId(next));
                        }
                        assert_eq!(books.apply(id, &EventKind::Add { order, side, qty, price }).fault, None);
                    }
                }
            }
        }
        if self.stale {
            books.mark_stale(Scope::One(id), StaleReason::Gap);
        }
        books
    }
}

/// $10.00 bid for 300, $10.02 asked for 100.
fn leaning_up() -> Hand {
    hand(&[(100_000, 300, 0)], &[(100_200, 100, 0)])
}

fn leaning_down() -> Hand {
    hand(&[(100_000, 100, 0)], &[(100_200, 300, 0)])
}

fn even() -> Hand {
    hand(&[(100_000, 100, 0)], &[(100_200, 100, 0)])
}

/// A lane by hand, as a strategy comes upon it.
struct Scene<'a, S> {
    now: Mono,
    instrument: InstrumentId,
    row: &'a Instrument,
    book: &'a Hand,
    signals: &'a S,
    tradable: bool,
    position: Qty,
    orders: &'a [OwnOrder],
    tags: Tags,
}

impl<S> Clone for Scene<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Scene<'_, S> {}

fn context<'a, S>(row: &'a Instrument, book: &'a Hand, signals: &'a S) -> Scene<'a, S> {
    Scene {
        now: Mono(1_000_000_000),
        instrument: A,
        row,
        book,
        signals,
        tradable: true,
        position: Qty(0),
        orders: &[],
        tags: Tags::default(),
    }
}

impl<S: Signal> Scene<'_, S> {
    /// Calls with a view of it.
    fn look<T>(&self, call: impl FnOnce(&View<'_, S>) -> T) -> T {
        let symbols = ["TEST", "MORE", "MOST"].map(|s| Instrument { name: Name::new(s).unwrap(), ..*self.row });
        let mut trading = Trading::new(TradingConfig::default(), 3);
        if self.tradable {
            let (at, id) = (ExchangeTime(0), Some(self.instrument));
            trading.apply(at, None, &Status::Session(SessionPhase::StartOfMarketHours));
            trading.apply(at, id, &Status::Directory { live: true, lot: Qty(self.row.lot) });
            trading.apply(at, id, &Status::Trading(TradingAction::Trading));
        }
        let mut gate = Gate::new(&RiskLimits::widest(), 3).unwrap();
        gate.carry_in(self.instrument, None, self.position, Notional::ZERO);
        let lane = Sources {
            now: self.now,
            utc: None,
            instruments: &InstrumentTable::new(&symbols, 3, false),
            markets: &PerVenue::one(MarketState {
                books: self.book.books(self.instrument),
                trading,
                at: ExchangeTime(0),
            }),
            gate: &gate,
            orders: &table(self.orders),
            signals: self.signals,
        };
        let view = View::new(lane, self.tags);
        let seen: Vec<_> = view.orders(self.instrument).collect();
        // What is being cancelled shows as it will be.
        let left = |own: &OwnOrder| if own.awaits == Awaits::Cancel { Qty::ZERO } else { own.open };
        let told = self.orders.iter().filter(|own| own.instrument == self.instrument);
        let told: Vec<_> = told.map(|own| OwnOrder { open: left(own), ..*own }).collect();
        assert_eq!(seen.iter().map(|own| OwnOrder { open: left(own), ..*own }).collect::<Vec<_>>(), told);
        call(&view)
    }
}

/// An order table in which these orders live, sent in the order of their numbers, and come to what they are.
fn table(orders: &[OwnOrder]) -> Orders {
    let config = OrdersConfig {
        capacity: 8,
        retained: 8,
        fills: 16,
        instruments: 3,
        venues: 1,
        first_id: orders.first().map_or(1, |own| own.order.0),
        request_timeout: Nanos::from_secs(1),
    };
    let mut table = Orders::new(&config).unwrap();
    let mut token = 0u64;
    let mut sent = || {
        token += 1;
        Sent { token: Token(token), request: token }
    };
    let mut fill = |table: &mut Orders, own: &OwnOrder| {
        // Replaced on its way: it stands where it may be met.
        let moving = own.awaits == Awaits::Replace || own.touch != own.price;
        let enter = Enter {
            instrument: own.instrument,
            side: own.side,
            price: own.touch,
            qty: own.spent.plus(own.open.max(Qty(1))),
            tif: TimeInForce::Day,
            post_only: true,
            tags: own.tags,
        };
        let sent_as = sent();
        let _ = table.opened(Mono(0), VenueId(0), &enter, own.mark, sent_as).unwrap();
        if table.get(own.order).is_none() {
            return Some(sent_as.token);
        }
        let standing = Standing {
            token: sent_as.token,
            origin: None,
            name: Name::new("TEST").unwrap(),
            side: own.side,
            mark: own.mark,
            qty: enter.qty,
            price: enter.price,
            tif: TimeInForce::Day,
            display: Visibility::Displayed,
            venue_ref: VenueRef(own.order.0),
            live: true,
        };
        if own.awaits != Awaits::Enter {
            table.report(VenueId(0), &Report::Accepted(standing)).unwrap();
        }
        if own.spent.is_positive() {
            let (token, qty, price) = (sent_as.token, own.spent, own.touch);
            let (liquidity, trade) = (Liquidity::UNKNOWN, own.order.0);
            table.report(VenueId(0), &Report::Executed { token, qty, price, liquidity, trade }).unwrap();
        }
        if moving {
            let replace = Replace { order: own.order, price: own.price, qty: own.spent.plus(own.open) };
            table.replace_sent(Mono(0), &replace, sent()).unwrap();
        }
        if own.awaits == Awaits::Cancel {
            let cancel = Cancel { order: own.order, keep: Qty::ZERO };
            table.cancel_sent(Mono(0), &cancel, Sent { token: sent_as.token, request: sent().request }).unwrap();
        }
        None
    };
    for own in orders {
        // Numbers between are of orders that are gone.
        while let Some(token) = fill(&mut table, own) {
            table.report(VenueId(0), &Report::Rejected { token, reason: Reason::NONE }).unwrap();
        }
    }
    table
}

fn info(scene: &Scene<'_, impl Signal>) -> Event {
    Event { at: ExchangeTime(0), instrument: Some(scene.instrument), kind: EventKind::Info }
}

fn asks<S: Signal, T: Strategy<S>>(strategy: &mut T, scene: &Scene<'_, S>) -> Vec<Action> {
    let mut actions = Actions::new(8);
    scene.look(|view| strategy.on_event(scene.instrument, &info(scene), view, &mut actions));
    assert_eq!(actions.dropped(), 0);
    actions.list().to_vec()
}

/// Refuses it something.
fn refuse<S: Signal, T: Strategy<S>>(strategy: &mut T, action: &Action, why: Refusal, scene: &Scene<'_, S>) {
    scene.look(|view| strategy.on_refusal(scene.instrument, action, why, view));
}

fn own(order: u64, side: Side, price: i64, open: i64) -> OwnOrder {
    OwnOrder {
        order: ClientId(order),
        instrument: A,
        tags: Tags::default(),
        side,
        mark: SellMark::Long,
        price: Price(price),
        touch: Price(price),
        open: Qty(open),
        spent: Qty(0),
        awaits: Awaits::Nothing,
    }
}

fn imbalance(levels: u32) -> Imbalance {
    Imbalance::new(&ImbalanceConfig { levels }).unwrap()
}

fn digest(state: &impl State) -> u64 {
    Digest::of_state(state)
}

fn saved(state: &impl State) -> Vec<u8> {
    Writer::of(state)
}

// ---- signals

#[test]
fn imbalance_weighs_the_best_levels_without_own_shares() {
    let bids = [(100_000, 300, 100), (99_900, 50, 50), (99_800, 70, 0), (99_700, 900, 0)];
    let book = hand(&bids, &[(100_200, 100, 0), (100_300, 40, 10)]);
    let of = |book: &Hand, levels| imbalance(levels).value(A, book.books(A).view(A));
    let value = |levels| of(&book, levels).map(|p| (p.bid.0, p.ask.0));
    assert_eq!(value(1), Some((200, 100)));
    // The level that holds own shares alone is not one of the two.
    assert_eq!(value(2), Some((270, 130)));
    assert_eq!(value(64), Some((1_170, 130)));
    assert_eq!(of(&book, 1).unwrap().millionths(), 333_333);
    assert_eq!(of(&stale(&book), 1), None, "stale");
    for levels in [1, 2] {
        assert_eq!(of(&hand(&bids, &[(100_200, 10, 10)]), levels), None, "an empty side");
    }
    assert_eq!(Imbalance::new(&ImbalanceConfig { levels: 0 }).unwrap_err().field, "imbalance.levels");
    assert_eq!(Imbalance::new(&ImbalanceConfig { levels: 65 }).unwrap_err().field, "imbalance.levels");
}

#[test]
fn signals_side_by_side_speak_side_by_side() {
    let books = leaning_up().books(A);
    let book = books.view(A);
    let pair = (imbalance(1), ((), imbalance(2)));
    let (first, ((), second)) = pair.value(A, book);
    assert_eq!((first, second), (imbalance(1).value(A, book), imbalance(2).value(A, book)));
}

// ---- the taker

fn taker(change: impl FnOnce(&mut ImbalanceTakerConfig)) -> ImbalanceTaker {
    // 300 against 100 is 500,000 millionths.
    let mut config = ImbalanceTakerConfig {
        threshold: 500_000,
        exit: 0,
        size: Qty(80),
        max_position: Qty(100),
        cooldown: Nanos(1_000),
    };
    change(&mut config);
    ImbalanceTaker::new(&config, 2).unwrap()
}

fn ioc(side: Side, price: i64, qty: i64) -> Vec<Action> {
    vec![Action::Enter(Enter {
        instrument: A,
        side,
        price: Price(price),
        qty: Qty(qty),
        tif: TimeInForce::ImmediateOrCancel,
        post_only: false,
        tags: Tags::default(),
    })]
}

#[test]
fn the_taker_takes_the_side_that_the_book_leans_against() {
    let (row, signal) = (row(), imbalance(1));
    let first = |t: &mut ImbalanceTaker, book: &Hand| asks(t, &context(&row, book, &signal));
    assert_eq!(first(&mut taker(|_| {}), &leaning_up()), ioc(Side::Buy, 100_200, 80));
    assert_eq!(first(&mut taker(|_| {}), &leaning_down()), ioc(Side::Sell, 100_000, 80));
    assert_eq!(first(&mut taker(|_| {}), &even()), []);
    // Exactly at the threshold it takes, one millionth below it doesn't.
    assert_eq!(first(&mut taker(|c| c.threshold = 500_001), &leaning_up()), []);
    assert_eq!(first(&mut taker(|c| c.threshold = 500_001), &leaning_down()), []);
    // No more than is shown.
    assert_eq!(
        first(&mut taker(|c| (c.size, c.max_position) = (Qty(500), Qty(500))), &leaning_up()),
        ioc(Side::Buy, 100_200, 100)
    );
    assert_eq!(first(&mut taker(|_| {}), &stale(&leaning_up())), []);
    let book = leaning_up();
    let closed = Scene { tradable: false, ..context(&row, &book, &signal) };
    assert_eq!(asks(&mut taker(|_| {}), &closed), []);
}

#[test]
fn the_taker_waits_for_its_order_and_for_its_cooldown() {
    let (row, signal, book) = (row(), imbalance(1), leaning_up());
    let at = |ns| Scene { now: Mono(ns), ..context(&row, &book, &signal) };
    let mut t = taker(|_| {});
    assert_eq!(asks(&mut t, &at(10)).len(), 1);
    assert_eq!(asks(&mut t, &at(1_009)), []);
    let other = Scene { instrument: InstrumentId(1), ..at(11) };
    assert_eq!(asks(&mut t, &other).len(), 1, "each instrument has a cooldown of its own");
    let pending = [own(1, Side::Buy, 100_200, 80)];
    assert_eq!(asks(&mut t, &Scene { orders: &pending, ..at(1_010) }), []);
    let other = [OwnOrder { instrument: InstrumentId(1), ..pending[0] }];
    assert_eq!(asks(&mut t, &Scene { orders: &other, ..at(1_010) }).len(), 1, "of another instrument");
    let mut t = taker(|_| {});
    let not_mine = [OwnOrder { tags: Tags { strategy: StrategyId(7), ..Tags::default() }, ..pending[0] }];
    assert_eq!(asks(&mut t, &Scene { orders: &not_mine, ..at(1_010) }).len(), 1);
    assert_eq!(asks(&mut t, &Scene { instrument: InstrumentId(2), ..at(5_000) }), [], "beyond its capacity");
}

#[test]
fn the_taker_keeps_its_position_within_bounds_and_leaves_it() {
    let (row, signal) = (row(), imbalance(1));
    let with = |position, book: &Hand, exit| {
        let c = Scene { position: Qty(position), ..context(&row, book, &signal) };
        asks(&mut taker(|c| c.exit = exit), &c)
    };
    assert_eq!(with(70, &leaning_up(), 0), ioc(Side::Buy, 100_200, 30));
    assert_eq!(with(100, &leaning_up(), 0), []);
    assert_eq!(with(-100, &leaning_down(), 0), []);
    // The imbalance in its favour is 0: it stays at an exit of 0, and goes at 1.
    assert_eq!(with(50, &even(), 0), []);
    assert_eq!(with(50, &even(), 1), ioc(Side::Sell, 100_000, 50));
    assert_eq!(with(-50, &even(), 1), ioc(Side::Buy, 100_200, 50));
    // Against it: out, in orders of the configured size, never through zero.
    assert_eq!(with(100, &leaning_down(), 0), ioc(Side::Sell, 100_000, 80));
    assert_eq!(with(20, &leaning_down(), 0), ioc(Side::Sell, 100_000, 20));
    assert_eq!(with(20, &leaning_down(), -1_000_000), [], "never out, and no order through zero");
}

#[test]
fn a_configuration_out_of_range_is_named() {
    type Case<C> = (&'static str, fn(&mut C));
    let cases: [Case<ImbalanceTakerConfig>; 7] = [
        ("taker.threshold", |c| c.threshold = 0),
        ("taker.threshold", |c| c.threshold = 1_000_001),
        ("taker.exit", |c| c.exit = c.threshold + 1),
        ("taker.size", |c| c.size = Qty(0)),
        ("taker.size", |c| c.size = Qty(1_000_000)),
        ("taker.max_position", |c| c.max_position = Qty(-1)),
        ("taker.cooldown", |c| c.cooldown = Nanos(3_600_000_000_001)),
    ];
    for (field, spoil) in cases {
        let mut config = ImbalanceTakerConfig::default();
        spoil(&mut config);
        assert_eq!(ImbalanceTaker::new(&config, 1).unwrap_err().field, field);
    }
    let cases: [Case<MarketMakerConfig>; 8] = [
        ("maker.offset", |c| (c.reference, c.offset) = (Reference::Mid, 0)),
        ("maker.offset", |c| c.offset = 10_001),
        ("maker.skew", |c| c.skew = 1_000_001),
        ("maker.size", |c| c.size = Qty(0)),
        ("maker.refill", |c| c.refill = c.size.plus(Qty(1))),
        ("maker.max_position", |c| c.max_position = Qty(-1)),
        ("maker.requote", |c| c.requote = 10_001),
        ("maker.pause", |c| c.pause = Nanos(3_600_000_000_001)),
    ];
    for (field, spoil) in cases {
        let mut config = MarketMakerConfig::default();
        spoil(&mut config);
        assert_eq!(MarketMaker::new(&config, 1).unwrap_err().field, field);
    }
    assert_eq!(ImbalanceTakerConfig::default().check(), Ok(()));
    assert_eq!(MarketMakerConfig::default().check(), Ok(()));
    assert_eq!(TargetTrackerConfig::default().check(), Ok(()));
    assert_eq!(ImbalanceConfig::default().check(), Ok(()));
}

// ---- the plug shape

fn change(what: Happening, strategy: u16) -> Change {
    let none = Exposure::default();
    Change {
        order: ClientId(1),
        venue: VenueId(0),
        instrument: A,
        side: Buy,
        tags: Tags { strategy: StrategyId(strategy), ..Tags::default() },
        what,
        reason: Reason::NONE,
        before: none,
        after: none,
        fill: None,
        reversed: None,
        left: None,
        joined: None,
        finished: false,
    }
}

/// Says its name as a mass cancel, and counts what it hears.
#[derive(Default)]
struct Parrot {
    changes: u32,
    refusals: u32,
    timers: u32,
    commands: u32,
    deadline: Option<u64>,
    says: Heard,
}

firelane_gateway::state! { Parrot { changes, refusals, timers, commands, deadline } without { says } }

impl<S: Signal> Strategy<S> for Parrot {
    fn on_event(&mut self, _: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        // With a wrong tag on purpose: the buffer sets the right one.
        let tags = Tags { strategy: StrategyId(99), ..view.tags() };
        let price = Price(i64::from(view.tags().strategy.0));
        let tif = TimeInForce::Day;
        let enter = Enter { instrument: A, side: Buy, price, qty: Qty(1), tif, post_only: true, tags };
        ask.push(Action::Enter(enter));
    }
    fn on_change(&mut self, _: &Change, _: &View<'_, S>, _: &mut Actions) {
        self.changes += 1;
    }
    fn on_refusal(&mut self, _: InstrumentId, _: &Action, _: Refusal, _: &View<'_, S>) {
        self.refusals += 1;
    }
    fn on_timer(&mut self, _: InstrumentId, _: &View<'_, S>, _: &mut Actions) {
        self.timers += 1;
    }
    fn on_command(&mut self, _: &Command<'_>, _: &View<'_, S>, _: &mut Actions) -> Heard {
        self.commands += 1;
        self.says
    }
    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.deadline.map(|ns| (Mono(ns), A))
    }
}

fn count<S: Signal, T: Strategy<S>>(_: &T, _: &Scene<'_, S>) -> u16 {
    T::COUNT
}

#[test]
fn strategies_that_share_a_lane_are_told_apart() {
    let (row, book) = (row(), even());
    let orders = [own(1, Buy, 100_000, 100)].map(|o| OwnOrder { tags: change(Happening::Sent, 2).tags, ..o });
    let cx = Scene { orders: &orders, ..context(&row, &book, &()) };
    let mut all = ((Parrot::default(), Parrot::default()), Parrot::default());
    assert_eq!(count(&all, &cx), 3);
    let tags: Vec<_> = asks(&mut all, &cx)
        .iter()
        .map(|a| match a {
            Action::Enter(e) => (e.tags.strategy.0, e.price.0),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(tags, [(0, 0), (1, 1), (2, 2)], "tags set, contexts of their own");
    let heard = |all: &((Parrot, Parrot), Parrot)| (all.0.0.changes, all.0.1.changes, all.1.changes);
    let mut actions = Actions::new(1);
    for (strategy, expected) in [(1, (0, 1, 0)), (2, (0, 1, 1)), (0, (1, 1, 1))] {
        cx.look(|view| all.on_change(&change(Happening::Filled, strategy), view, &mut actions));
        assert_eq!(heard(&all), expected);
    }
    let refused = |all: &((Parrot, Parrot), Parrot)| (all.0.0.refusals, all.0.1.refusals, all.1.refusals);
    refuse(&mut all, &replaced(1, 100, 1), Refusal::Rate, &cx);
    assert_eq!(refused(&all), (0, 0, 1), "the owner of the order");
    refuse(&mut all, &Action::MassCancel(MassCancel { instrument: None }), Refusal::RepeatedCancel, &cx);
    assert_eq!(refused(&all), (1, 1, 2), "all, when it may be anyone's");
    cx.look(|view| {
        all.on_timer(A, view, &mut actions);
        let _nothing = all.on_command(&Command::of(Word::Kill), view, &mut actions);
    });
    assert_eq!((all.0.0.timers, all.0.1.timers, all.1.timers), (1, 1, 1));
    assert_eq!((all.0.0.commands, all.0.1.commands, all.1.commands), (1, 1, 1));
    let next = |all: &((Parrot, Parrot), Parrot)| Strategy::<()>::next_deadline(all);
    assert_eq!(next(&all), None);
    (all.0.1.deadline, all.1.deadline) = (Some(7), Some(5));
    assert_eq!(next(&all), Some((Mono(5), A)));
    // State goes part by part.
    let mut twin = ((Parrot::default(), Parrot::default()), Parrot::default());
    assert_ne!(digest(&twin), digest(&all));
    twin.load(&mut Reader(&saved(&all))).unwrap();
    assert_eq!(digest(&twin), digest(&all));
}

#[test]
fn a_full_action_buffer_drops_and_counts() {
    let mut actions = Actions::new(2);
    let ask = cancelled(1);
    assert!(actions.push(ask) && actions.push(ask) && !actions.push(cancelled(2)));
    assert_eq!((actions.list(), actions.dropped()), (&[ask, ask][..], 1));
    actions.clear();
    assert!(actions.list().is_empty() && actions.push(ask));
    assert!(!Actions::new(0).push(ask));
}

/// Looks at single orders.
struct Queuer;

firelane_gateway::state! { Queuer {} }

impl<S: Signal> Strategy<S> for Queuer {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        let book: BookRef<'_> = view.book(id);
        let first = book.queue(Buy, Price(100_000)).next();
        if first.is_some_and(|order| book.queue_ahead(order.order) == Some(Qty::ZERO)) {
            ask.push(Action::MassCancel(MassCancel { instrument: None }));
        }
    }
}

#[test]
fn strategies_that_share_a_lane_are_asked_in_turn() {
    let (row, book, signal) = (row(), leaning_up(), imbalance(1));
    let mut strategy = ((taker(|_| {}), maker(|_| {})), Queuer);
    let asked = asks(&mut strategy, &context(&row, &book, &signal));
    assert_eq!(asked[..1], ioc(Buy, 100_200, 80));
    assert_eq!(entered(&asked[1..3]), [(Buy, 100_000, 100), (Sell, 100_200, 100)]);
    assert_eq!(asked[3], Action::MassCancel(MassCancel { instrument: None }));
}

/// Sizes on both sides of 32 bits, and some that are often the same.
fn size() -> impl Generator<Value = i64> {
    prop_oneof![1i64..9, 1i64..1 << 12, (1i64 << 32) - 3..(1 << 32) + 3, 1i64..1 << 40]
}

/// Thresholds, those at the ends and a little beyond, and some that small sizes meet exactly.
fn threshold() -> impl Generator<Value = i64> {
    let ends = prop_oneof![-1_000_003i64..-999_997, 999_998i64..1_000_004];
    prop_oneof![-1_000_000i64..1_000_001, ends, (-10i64..11).prop_map(|tenths| tenths * 100_000)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn a_threshold_judged_by_multiplying_is_the_ratio(bid in size(), ask in size(), n in threshold()) {
        let pressure = Pressure { bid: Qty(bid), ask: Qty(ask) };
        let scaled = i128::from(bid - ask) * 1_000_000;
        prop_assert_eq!(i128::from(pressure.millionths()), scaled / i128::from(bid + ask));
        prop_assert_eq!(pressure.favours(Buy, n), scaled >= i128::from(n) * i128::from(bid + ask));
        let mirrored = Pressure { bid: Qty(ask), ask: Qty(bid) };
        prop_assert_eq!(mirrored.favours(Sell, n), pressure.favours(Buy, n));
    }

    #[test]
    fn saved_strategies_go_on_as_before(
        books in prop::collection::vec((1i64..500, 1i64..500, -150i64..150, 0u64..1_500), 1..60),
        cut in 0usize..60,
    ) {
        let row = row();
        let signal = imbalance(1);
        let pair = || (taker(|c| c.threshold = 200_000), maker(|_| {}));
        let mut first = pair();
        let mut second = None;
        let mut now = 0;
        for (n, (bid, ask, position, gap)) in books.into_iter().enumerate() {
            now += gap;
            let book = hand(&[(100_000, bid, 0)], &[(100_200, ask, 0)]);
            let cx = Scene { now: Mono(now), position: Qty(position), ..context(&row, &book, &signal) };
            if n == cut {
                let bytes = saved(&first);
                let mut twin = pair();
                let mut reader = Reader(&bytes);
                twin.load(&mut reader).unwrap();
                prop_assert!(reader.0.is_empty());
                for short in 0..bytes.len() {
                    prop_assert!(pair().load(&mut Reader(&bytes[..short])).is_err());
                }
                second = Some(twin);
            }
            let asked = asks(&mut first, &cx);
            if let Some(twin) = &mut second {
                prop_assert_eq!(&asked, &asks(twin, &cx));
                prop_assert_eq!(digest(&first), digest(twin));
            }
            if gap % 7 == 0 && let Some(action) = asked.last() {
                refuse(&mut first, action, Refusal::Rate, &cx);
                if let Some(twin) = &mut second {
                    refuse(twin, action, Refusal::Rate, &cx);
                }
            }
        }
        let mut other = ImbalanceTaker::new(&ImbalanceTakerConfig::default(), 3).unwrap();
        let refused = other.load(&mut Reader(&saved(&first.0)));
        let is_other_size = matches!(refused, Err(LoadError::Capacity { .. }));
        prop_assert!(is_other_size, "{refused:?}");
    }
}

#[test]
fn a_view_says_why_an_instrument_may_not_be_traded() {
    let (row, good) = (row(), even());
    let says = |scene: &Scene<'_, ()>| scene.look(|view| (view.tradable(A), view.may_trade(A)));
    assert_eq!(says(&context(&row, &good, &())), (Ok(()), Ok(())));
    let closed = Err(Refusal::NotTradable);
    assert_eq!(says(&Scene { tradable: false, ..context(&row, &good, &()) }), (closed, closed));
    assert_eq!(says(&context(&row, &stale(&good), &())), (Ok(()), Err(Refusal::StaleBook)));
    let locked = hand(&[(100_200, 100, 0)], &[(100_200, 100, 0)]);
    assert_eq!(says(&context(&row, &locked, &())), (Ok(()), Err(Refusal::CrossedBook)));
    context(&row, &good, &()).look(|view| {
        let beyond = InstrumentId(9);
        assert_eq!((view.tradable(beyond), view.position(beyond)), (closed, Qty::ZERO));
        assert!(view.row(beyond).is_none() && view.book(beyond).top(Buy).is_none());
        assert_eq!((view.orders(beyond).count(), view.order(ClientId(1)), view.utc()), (0, None, None));
    });
}
