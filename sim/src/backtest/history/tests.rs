//! What is written down says what was put in: read again, it is the same market.

use super::*;
use crate::capture::binary_file::Messages;
use crate::playthrough::Playthrough;
use crate::rng::Rng;
use firelane_gateway::base::{InstrumentTable, Nanos};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;

const DAY: u32 = 20_047;

fn at(ns: u64) -> ExchangeTime {
    ExchangeTime::new(DAY, 34_200_000_000_000).after(Nanos(ns))
}

fn symbols() -> [Symbol; 2] {
    ["ONE", "TWO"].map(|text| Symbol::new(text).unwrap())
}

fn of(instrument: u32, kind: EventKind) -> Event {
    Event { at: at(5), instrument: Some(InstrumentId(instrument)), kind }
}

fn level(side: Side, price: i64, qty: i64) -> EventKind {
    EventKind::Level { side, price: Price(price), qty: Qty(qty), orders: 0 }
}

fn written(events: &[Event]) -> Vec<u8> {
    let mut history = History::new(&symbols());
    history.open(at(0)).unwrap();
    for event in events {
        history.push(event).unwrap();
    }
    history.into_bytes()
}

/// What a market line makes of it, behind the opening.
fn read(bytes: &[u8]) -> Vec<Event> {
    let (mut line, mut table) = (ItchLine::new(DAY), InstrumentTable::new(&[], 2, true));
    let events = Messages::new(bytes).map(|message| line.decode(message.unwrap(), &mut table).unwrap());
    events.skip(7).collect()
}

#[test]
fn events_of_orders_are_read_as_they_were_written() {
    let (order, new, qty, price) = (VenueRef(7), VenueRef(9), Qty(100), Price(150_000));
    let events: Vec<Event> = [
        EventKind::Add { order, side: Side::Sell, qty, price },
        EventKind::Execute { order, qty: Qty(10), price: None, printable: true, trade: 4 },
        EventKind::Execute { order, qty: Qty(10), price: Some(Price(149_900)), printable: false, trade: 5 },
        EventKind::Reduce { order, qty: Qty(5) },
        EventKind::Replace { order, new, qty: Qty(60), price: Price(150_100) },
        EventKind::Delete { order: new },
        EventKind::Trade { qty, price, trade: 6 },
        EventKind::Status(Status::Trading(TradingAction::Paused)),
        EventKind::Status(Status::ShortSaleRestricted(true)),
        EventKind::Status(Status::OperationalHalt { market: b'Q', halted: true }),
        EventKind::Status(Status::Directory { live: false, lot: Qty(10) }),
    ]
    .map(|kind| of(1, kind))
    .into();
    assert_eq!(read(&written(&events)), events);
    let phases = [SessionPhase::EndOfMarketHours, SessionPhase::EndOfSystemHours, SessionPhase::EndOfMessages];
    let ends =
        phases.map(|phase| Event { at: at(9), instrument: None, kind: EventKind::Status(Status::Session(phase)) });
    assert_eq!(read(&written(&ends)), ends);
}

/// Shares at each price, best first, as the virtual fills see them.
fn book(bytes: &[u8], symbol: Symbol) -> Vec<(Side, i64, Vec<u32>)> {
    let (mut day, mut effects) = (Playthrough::new(b'Q'), Vec::new());
    Messages::new(bytes).for_each(|message| day.on_message(message.unwrap(), &mut effects));
    let mut levels: Vec<(Side, i64, Vec<u32>)> = Vec::new();
    for order in day.book(symbol) {
        match levels.last_mut().filter(|(side, price, _)| (*side, *price) == (order.side, order.price.0)) {
            Some((.., queue)) => queue.push(order.shares),
            None => levels.push((order.side, order.price.0, vec![order.shares])),
        }
    }
    levels
}

#[test]
fn levels_grow_at_the_back_shrink_from_the_back_and_trade_from_the_front() {
    let (one, bid) = (symbols()[0], |qty| of(0, level(Side::Buy, 100_000, qty)));
    let mut events = vec![bid(300), bid(500)];
    let now = |events: &[Event]| book(&written(events), one);
    let queue = |shares: &[u32]| vec![(Side::Buy, 100_000, shares.to_vec())];
    assert_eq!(now(&events), queue(&[300, 200]));
    events.push(bid(450));
    assert_eq!(now(&events), queue(&[300, 150]));
    events.push(of(0, EventKind::Trade { qty: Qty(320), price: Price(100_000), trade: 1 }));
    assert_eq!(now(&events), queue(&[130]));
    // What the trade said already changes nothing.
    events.push(bid(130));
    assert_eq!(now(&events), queue(&[130]));
    events.push(of(0, EventKind::Trade { qty: Qty(200), price: Price(100_000), trade: 2 }));
    let last = read(&written(&events)).split_off(5);
    let kinds: Vec<_> = last.iter().map(|event| event.kind).collect();
    assert!(
        matches!(
            kinds[..],
            [EventKind::Execute { qty: Qty(130), trade: 2, .. }, EventKind::Trade { qty: Qty(70), trade: 2, .. }]
        ),
        "{kinds:?}"
    );
    events.extend([of(0, level(Side::Sell, 100_500, 40)), bid(10), of(1, level(Side::Buy, 7, 8))]);
    assert_eq!(now(&events), [(Side::Buy, 100_000, vec![10]), (Side::Sell, 100_500, vec![40])]);
    events.push(of(0, EventKind::Clear { side: Some(Side::Buy) }));
    assert_eq!(now(&events), [(Side::Sell, 100_500, vec![40])]);
    events.push(of(0, EventKind::Clear { side: None }));
    assert!(now(&events).is_empty() && book(&written(&events), symbols()[1]).len() == 1);
    // And it starts over.
    events.push(bid(20));
    assert_eq!(now(&events), queue(&[20]));
}

#[test]
fn any_levels_are_read_as_they_were_written() {
    let mut rng = Rng::new(3, "levels");
    for _ in 0..50 {
        let mut expected: BTreeMap<(u32, bool, i64), i64> = BTreeMap::new();
        let mut events = Vec::new();
        for _ in 0..200 {
            let (id, buys) = (rng.below(2) as u32, rng.coin());
            let price = if buys { 100_000 - 100 * rng.below(5) as i64 } else { 100_100 + 100 * rng.below(5) as i64 };
            let qty = rng.below(4) as i64 * 100;
            let side = if buys { Side::Buy } else { Side::Sell };
            events.push(of(id, level(side, price, qty)));
            expected.insert((id, buys, price), qty);
        }
        expected.retain(|_, qty| *qty > 0);
        let bytes = written(&events);
        let mut found = BTreeMap::new();
        for (id, symbol) in (0..).zip(symbols()) {
            for (side, price, queue) in book(&bytes, symbol) {
                found.insert((id, side == Side::Buy, price), queue.iter().map(|shares| i64::from(*shares)).sum());
            }
        }
        assert_eq!(found, expected);
    }
}

#[test]
fn what_cannot_be_said_is_refused_and_what_need_not_be_is_counted() {
    let mut history = History::new(&symbols());
    history.open(at(0)).unwrap();
    let before = history.bytes.len();
    let qty = |qty| of(0, level(Side::Buy, 100, qty));
    let price = |price| of(0, level(Side::Buy, price, 1));
    let cases = [
        (of(2, level(Side::Buy, 1, 1)), Unsayable::Instrument(Some(InstrumentId(2)))),
        (Event { instrument: None, ..qty(1) }, Unsayable::Instrument(None)),
        (qty(-1), Unsayable::Qty(Qty(-1))),
        (qty(1 << 32), Unsayable::Qty(Qty(1 << 32))),
        (price(0), Unsayable::Price(Price(0))),
        (price(1 << 32), Unsayable::Price(Price(1 << 32))),
        (of(0, EventKind::Trade { qty: Qty(0), price: Price(1), trade: 0 }), Unsayable::Qty(Qty(0))),
        (Event { at: ExchangeTime::new(DAY + 1, 0), ..qty(1) }, Unsayable::Day(DAY + 1)),
    ];
    for (event, why) in cases {
        assert_eq!(history.push(&event), Err(why));
    }
    assert_eq!(history.bytes.len(), before);
    assert!(Unsayable::Price(Price(0)).to_string().contains("1/10,000"));
    for event in [qty((1 << 32) - 1), of(1, level(Side::Sell, (1 << 32) - 1, 1)), qty(0)] {
        history.push(&event).unwrap();
    }
    history.push(&of(0, EventKind::Info)).unwrap();
    history.push(&of(0, EventKind::Broken { trade: 1 })).unwrap();
    assert_eq!(history.left_out(), 2);
}
