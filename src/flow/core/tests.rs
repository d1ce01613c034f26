//! What only the core itself can bring about: a fault of its own, and a save that forgets nothing.

use super::*;
use crate::base::{Name, Nanos, ParentId, Qty, Symbol, assert_all_saved};
use crate::flow::action::{Tags, TimeInForce};
use crate::flow::book::BookCapacity;
use crate::flow::entry::{OuchConfig, OuchEntry};
use crate::flow::feed::{FeedConfig, Mold};
use crate::flow::itch_line::ItchLine;
use crate::flow::orders::{OrdersConfig, Sent};
use crate::flow::risk::RiskLimits;
use crate::flow::trading::{Trading, TradingConfig};
use crate::flow::venue::{Multicast, VenueParts};
use crate::flow::wire::soupbintcp::{ClientConfig, Password};

struct Plain;

impl Wiring for Plain {
    type Venue = Multicast<ItchLine, OuchEntry>;
    type Signal = ();
    type Strategy = ();
    type Probe = ();
}

fn core() -> Core<Plain> {
    let feed = FeedConfig { window_messages: 64, snapshot: None, ..FeedConfig::default() };
    let orders = OrdersConfig {
        capacity: 2,
        retained: 2,
        fills: 2,
        instruments: 2,
        venues: 1,
        first_id: 1,
        request_timeout: Nanos::from_secs(1),
    };
    let login = ClientConfig::new(*b"LANE01", Password(*b"**********"));
    let row = Instrument::us_equity(Symbol(*b"TEST    "));
    Core::new(Parts {
        lane: 0,
        tags: Tags::default(),
        venues: PerVenue::one(VenueParts {
            feed: Mold::new(feed).unwrap(),
            line: ItchLine::new(0),
            books: Books::new(BookCapacity { instruments: 2, orders: 8, levels: 8, own: 2 }),
            trading: Trading::new(TradingConfig::default(), 2),
            entry: OuchEntry::new(OuchConfig::new(login)).unwrap(),
        }),
        instruments: InstrumentTable::new(&[row], 2, true),
        signal: (),
        strategy: (),
        gate: Gate::new(&RiskLimits::widest(), 2).unwrap(),
        orders: Orders::new(&orders).unwrap(),
        probe: (),
        policy: Policy::default(),
    })
    .1
}

const ENTER: Enter = Enter {
    instrument: InstrumentId(0),
    side: Side::Buy,
    price: crate::base::Price(10_000),
    qty: Qty(100),
    tif: TimeInForce::Day,
    post_only: false,
    tags: Tags { account: crate::base::AccountId(0), strategy: crate::base::StrategyId(0), parent: ParentId(0) },
};

#[test]
fn what_left_and_has_no_place_throws_the_kill_switch_and_is_followed() {
    let (mut core, mut out) = (core(), Outbox::new(0));
    let sent = Sent { token: Token(7), request: 1 };
    core.orders.not_opened(VenueId(0), &ENTER, crate::flow::action::SellMark::Long, Name::new("TEST").unwrap(), sent);
    core.fault(ENTER.instrument, Token(7), &mut out);
    assert!(core.gate.is_killed() && core.orders.is_incomplete(VenueId(0)) && !core.ready(VenueId::FIRST));
    assert_eq!((core.counters.faults, core.orders.orphan_count()), (1, 1));
    // The venue never had it: it is gone, and the switch stays until a person has looked.
    assert_eq!(core.orders.report(VenueId(0), &Report::Settled { upto: 0, next: None, unused: None }), None);
    assert_eq!(core.orders.orphan_count(), 1, "not settled yet");
    assert_eq!(core.orders.report(VenueId(0), &Report::Settled { upto: 1, next: None, unused: None }), None);
    assert!(!core.orders.is_incomplete(VenueId(0)) && core.gate.is_killed());
}

fn ends(core: &mut Core<Plain>) -> &mut Ends<Multicast<ItchLine, OuchEntry>> {
    core.ends.get_mut(VenueId::FIRST).unwrap()
}

fn market(core: &mut Core<Plain>) -> &mut MarketState {
    core.markets.get_mut(VenueId::FIRST).unwrap()
}

#[test]
fn every_field_is_saved_and_restored() {
    type Change = fn(&mut Core<Plain>);
    let changes: [Change; 36] = [
        |_| {},
        |c| _ = ends(c).line.decode(&directory(), &mut InstrumentTable::new(&[], 2, true)),
        |c| _ = c.instruments.admit(Instrument::us_equity(Symbol(*b"MORE    "))),
        |c| c.instruments.revise(InstrumentId(0), 10),
        |c| market(c).books.mark_stale(Scope::All, StaleReason::Gap),
        |c| market(c).trading.apply(ExchangeTime(0), None, &Status::Breaker(1)),
        |c| c.gate.kill(),
        |c| {
            _ = c.orders.opened(
                Mono(0),
                VenueId(0),
                &ENTER,
                crate::flow::action::SellMark::Long,
                Sent { token: Token(1), request: 1 },
            )
        },
        |c| ends(c).entry.shutdown(Mono(0), &mut Outbox::new(0)),
        |c| c.input = 1,
        |c| c.now = Mono(1),
        |c| c.taken = 1,
        |c| market(c).at = ExchangeTime(1),
        |c| _ = c.actions.push(Action::Enter(ENTER)),
        |c| _ = c.actions.push(Action::Enter(Enter { qty: Qty(101), ..ENTER })),
        |c| _ = c.actions.push(Action::MassCancel(MassCancel { instrument: None })),
        |c| c.judged = 1,
        |c| c.begin_sweep(),
        |c| c.sweep = Some(Sweep::new(Which::Of(InstrumentId(0)), PATIENCE)),
        |c| {
            c.begin_sweep();
            c.sweep.as_mut().unwrap().next(Mono(0), &c.orders);
        },
        |c| c.enabled = false,
        |c| c.held = true,
        |c| ends(c).was_ready = true,
        |c| ends(c).was_away = Away::Silent,
        |c| ends(c).was_over = true,
        |c| c.wanted.insert(VenueId::FIRST),
        |c| ends(c).snapshot_contradicts = true,
        |c| c.news = Some(InstrumentId(0)),
        |c| c.standing = 1,
        |c| c.due.insert(VenueId::FIRST),
        |c| c.speaking.insert(VenueId::FIRST),
        |c| c.signals_stuck = true,
        |c| c.stopped = true,
        |c| c.told = 1,
        |c| c.counters.actions_dropped = 1,
        |c| c.counters.messages = 1,
    ];
    assert_all_saved(core, &changes);
}

/// A directory message of one symbol, at locate 1.
fn directory() -> [u8; 39] {
    let mut bytes = [b' '; 39];
    bytes[..11].copy_from_slice(&[b'R', 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    bytes[11..19].copy_from_slice(b"TEST    ");
    bytes
}

/// An order of ours in a book of levels, step by step: sent, accepted, traded in part, cancelled.
#[test]
fn own_orders_are_told_apart_in_a_book_of_levels_as_far_as_the_venue_has_confirmed_them() {
    use crate::base::{Price, VenueRef};
    use crate::flow::action::SellMark;
    use crate::flow::book::BookKind;
    use crate::flow::orders::Standing;
    use crate::flow::words::{Liquidity, Reason, Visibility};
    let (mut core, mut out) = (core(), Outbox::new(0));
    let id = InstrumentId(0);
    let level = |qty| EventKind::Level { side: Side::Buy, price: Price(10_000), qty: Qty(qty), orders: 0 };
    let at = |core: &mut Core<Plain>, qty, out: &mut Outbox| {
        let event = Event { at: ExchangeTime(0), instrument: Some(id), kind: level(qty) };
        core.on_event(Mono(1), VenueId::FIRST, &event, out);
        let view = core.book(id);
        let others = view.top_without_own(Side::Buy).map_or(0, |level| level.qty.0);
        (view.top(Side::Buy).map_or(0, |level| level.own_qty.0), others)
    };
    assert_eq!(at(&mut core, 300, &mut out), (0, 300));
    assert_eq!(core.book(id).kind(), Some(BookKind::Levels));
    let sent = Sent { token: Token(7), request: 1 };
    let change = core.orders.opened(Mono(1), VenueId::FIRST, &ENTER, SellMark::Long, sent).unwrap();
    core.took_step(Mono(1), &change, &mut out);
    assert_eq!(at(&mut core, 400, &mut out), (0, 400), "it may be there, or not");
    let standing = Standing {
        token: Token(7),
        origin: None,
        name: Name::new("TEST").unwrap(),
        side: Side::Buy,
        mark: SellMark::Long,
        qty: ENTER.qty,
        price: ENTER.price,
        tif: ENTER.tif,
        display: Visibility::Displayed,
        venue_ref: VenueRef(7),
        live: true,
    };
    let executed = |qty, trade| Report::Executed {
        token: Token(7),
        qty: Qty(qty),
        price: ENTER.price,
        liquidity: Liquidity::UNKNOWN,
        trade,
    };
    let cancelled = Report::Canceled { token: Token(7), decrement: Qty(30), reason: Reason::NONE };
    for (report, shown, expected) in [
        (Report::Accepted(standing), 400, (100, 300)),
        (executed(60, 1), 400, (40, 360)),
        // The venue does not show all of ours yet: nobody else is there.
        (executed(10, 2), 20, (20, 0)),
        (cancelled, 350, (0, 350)),
    ] {
        let change = core.orders.report(VenueId::FIRST, &report).unwrap();
        core.took_step(Mono(2), &change, &mut out);
        assert_eq!(at(&mut core, shown, &mut out), expected, "{report:?}");
    }
    assert_eq!(core.counters.own_full, 0);
    // One that takes or goes does not rest.
    let ioc = Enter { tif: TimeInForce::ImmediateOrCancel, ..ENTER };
    let change = core
        .orders
        .opened(Mono(3), VenueId::FIRST, &ioc, SellMark::Long, Sent { token: Token(8), request: 2 })
        .unwrap();
    core.took_step(Mono(3), &change, &mut out);
    let taken = Standing { token: Token(8), tif: ioc.tif, venue_ref: VenueRef(8), ..standing };
    let change = core.orders.report(VenueId::FIRST, &Report::Accepted(taken)).unwrap();
    core.took_step(Mono(3), &change, &mut out);
    assert_eq!(at(&mut core, 351, &mut out), (0, 351));
    // Nor is one that is hidden shown.
    let change =
        core.orders.opened(Mono(4), VenueId::FIRST, &ENTER, SellMark::Long, Sent { token: Token(9), request: 3 });
    core.took_step(Mono(4), &change.unwrap(), &mut out);
    let hidden = Standing { token: Token(9), display: Visibility::Hidden, venue_ref: VenueRef(9), ..standing };
    let change = core.orders.report(VenueId::FIRST, &Report::Accepted(hidden)).unwrap();
    core.took_step(Mono(4), &change, &mut out);
    assert_eq!(at(&mut core, 352, &mut out), (0, 352));
}
