//! What only the core itself can bring about: a fault of its own, and a save that forgets nothing.

use super::*;
use crate::base::{Nanos, ParentId, Qty, Symbol, assert_all_saved};
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
    core.orders.not_opened(VenueId(0), &ENTER, crate::flow::action::SellMark::Long, Symbol(*b"TEST    "), sent);
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
