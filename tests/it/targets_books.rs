//! Books of both kinds side by side, against a naive model, for any script at all. The fuzzer and the stable tests share
//! it.
#![allow(unreachable_pub)] // the fuzzers take this file in by its path

use firelane_gateway::base::{
    ClientId, Instrument, InstrumentId, InstrumentTable, Price, Qty, Reader, Side, State, Symbol, VenueRef, Writer,
};
use firelane_gateway::flow::book::{
    Applied, BookCapacity, BookFault, BookKind, BookRef, Books, Level, OwnMatch, Scope, StaleReason,
};
use firelane_gateway::flow::event::EventKind;
use std::collections::{BTreeMap, BTreeSet};

const SIDES: [Side; 2] = [Side::Buy, Side::Sell];
/// Small, so that everything is full now and then.
const CAPACITY: BookCapacity = BookCapacity { instruments: 3, orders: 6, levels: 8, own: 4 };
/// Bytes of one step of a script.
pub const STEP: usize = 12;

#[derive(Clone, Copy)]
struct Place {
    id: u32,
    side: Side,
    price: i64,
    qty: i64,
}

/// What the books should be, in sorted maps.
#[derive(Default)]
struct Model {
    kinds: BTreeMap<u32, BookKind>,
    levels: BTreeMap<(u32, Side, i64), (i64, u32)>,
    orders: BTreeMap<u64, Place>,
    own: BTreeMap<u64, Place>,
    stale: BTreeSet<(u32, u8)>,
    last: BTreeMap<u32, (i64, i64)>,
    wrong_kind: u64,
    absent: u64,
}

impl Model {
    /// Is the book of this kind, or does it become so?
    fn is(&mut self, id: u32, kind: BookKind) -> bool {
        *self.kinds.entry(id).or_insert(kind) == kind
    }

    fn level_count(&self) -> usize {
        let of_orders: BTreeSet<_> = self.orders.values().map(|o| (o.id, o.side, o.price)).collect();
        self.levels.len() + of_orders.len()
    }

    fn has_level(&self, at: (u32, Side, i64)) -> bool {
        self.levels.contains_key(&at) || self.orders.values().any(|o| (o.id, o.side, o.price) == at)
    }

    fn empty(&mut self, id: u32, side: Option<Side>) {
        let goes = |at: u32, of: Side| at == id && side.is_none_or(|side| side == of);
        self.levels.retain(|(at, of, _), _| !goes(*at, *of));
        self.orders.retain(|_, order| !goes(order.id, order.side));
    }

    fn apply(&mut self, id: u32, kind: &EventKind) -> Option<BookFault> {
        let known = (id as usize) < CAPACITY.instruments;
        let fault = match *kind {
            EventKind::Level { .. } | EventKind::Add { .. } | EventKind::Clear { .. } if !known => {
                Some(BookFault::UnknownInstrument)
            }
            EventKind::Level { .. } if !self.is(id, BookKind::Levels) => Some(BookFault::WrongKind),
            EventKind::Level { side, price, qty, orders } => self.level((id, side, price.0), qty.0, orders),
            EventKind::Clear { side } => {
                self.empty(id, side);
                if side.is_none() {
                    self.stale.retain(|(at, reason)| *at != id || *reason == StaleReason::Gap as u8);
                }
                None
            }
            EventKind::Add { .. } if !self.is(id, BookKind::Orders) => Some(BookFault::WrongKind),
            EventKind::Add { order, side, qty, price } => {
                self.add(order.0, Place { id, side, price: price.0, qty: qty.0 })
            }
            EventKind::Delete { order } if self.orders.remove(&order.0).is_some() => None,
            EventKind::Delete { .. } if self.kinds.get(&id) == Some(&BookKind::Levels) => Some(BookFault::WrongKind),
            EventKind::Delete { .. } => Some(BookFault::UnknownRef),
            EventKind::Trade { qty, price, .. } => {
                if known && qty.0 > 0 {
                    self.last.insert(id, (price.0, qty.0));
                }
                None
            }
            _ => None,
        };
        if let (Some(fault), true) = (fault, known) {
            let full = matches!(fault, BookFault::OrdersFull | BookFault::LevelsFull);
            self.stale.insert((id, if full { StaleReason::Full } else { StaleReason::Fault } as u8));
        }
        self.wrong_kind += u64::from(fault == Some(BookFault::WrongKind));
        fault
    }

    fn level(&mut self, at: (u32, Side, i64), qty: i64, orders: u32) -> Option<BookFault> {
        if qty <= 0 {
            self.absent += u64::from(self.levels.remove(&at).is_none());
            return None;
        }
        if !self.has_level(at) && self.level_count() == CAPACITY.levels {
            return Some(BookFault::LevelsFull);
        }
        self.levels.insert(at, (qty, orders));
        None
    }

    fn add(&mut self, reference: u64, order: Place) -> Option<BookFault> {
        if self.orders.contains_key(&reference) {
            return Some(BookFault::DuplicateRef);
        }
        if order.qty <= 0 {
            return None;
        }
        if self.orders.len() == CAPACITY.orders {
            return Some(BookFault::OrdersFull);
        }
        if !self.has_level((order.id, order.side, order.price)) && self.level_count() == CAPACITY.levels {
            return Some(BookFault::LevelsFull);
        }
        self.orders.insert(reference, order);
        None
    }

    fn rests(&mut self, client: u64, own: Place) -> OwnMatch {
        let before = self.own.remove(&client);
        if own.qty <= 0 {
            return OwnMatch::Awaited;
        }
        if own.id as usize >= CAPACITY.instruments || (before.is_none() && self.own.len() == CAPACITY.own) {
            return OwnMatch::Full;
        }
        self.own.insert(client, own);
        let shown = self.levels.contains_key(&(own.id, own.side, own.price));
        if shown { OwnMatch::Resting } else { OwnMatch::Awaited }
    }

    fn set_kind(&mut self, id: u32, kind: BookKind) {
        if (id as usize) < CAPACITY.instruments && self.kinds.insert(id, kind) != Some(kind) {
            self.empty(id, None);
            self.last.remove(&id);
        }
    }

    /// Levels of a side, best first.
    fn side(&self, id: u32, side: Side) -> Vec<Level> {
        let mut all: BTreeMap<i64, Level> = BTreeMap::new();
        for ((_, _, price), (qty, orders)) in self.levels.range((id, side, i64::MIN)..=(id, side, i64::MAX)) {
            let own = self.own.values().filter(|own| (own.id, own.side, own.price) == (id, side, *price));
            let own_qty = Qty(own.map(|own| own.qty).sum::<i64>().min(*qty));
            all.insert(*price, Level { price: Price(*price), qty: Qty(*qty), orders: *orders, own_qty });
        }
        for order in self.orders.values().filter(|order| (order.id, order.side) == (id, side)) {
            let blank = Level { price: Price(order.price), qty: Qty(0), orders: 0, own_qty: Qty(0) };
            let level = all.entry(order.price).or_insert(blank);
            (level.qty, level.orders) = (level.qty.plus(Qty(order.qty)), level.orders + 1);
        }
        let all = all.into_values();
        if side == Side::Buy { all.rev().collect() } else { all.collect() }
    }

    fn check(&self, books: &Books) {
        for id in 0..CAPACITY.instruments as u32 {
            let view = books.view(InstrumentId(id));
            assert_eq!(view.kind(), self.kinds.get(&id).copied());
            for side in SIDES {
                let levels = self.side(id, side);
                assert_eq!(view.levels(side).collect::<Vec<_>>(), levels, "{side:?} of {id}");
                assert_eq!((view.top(side), view.depth(side)), (levels.first().copied(), levels.len()));
                better_levels_agree(view, side, &levels);
                let others = levels.iter().find(|level| level.qty > level.own_qty);
                let others = others.map(|level| (level.price, level.qty.minus(level.own_qty)));
                assert_eq!(view.top_without_own(side).map(|level| (level.price, level.qty)), others);
                let detail = levels.iter().map(|level| view.queue(side, level.price).count()).sum::<usize>();
                let orders = self.orders.values().filter(|order| (order.id, order.side) == (id, side));
                assert_eq!(detail, orders.count(), "a book of levels has no orders");
            }
            let touch = |side| self.side(id, side).first().map(|level| level.price);
            let crossed = touch(Side::Buy).zip(touch(Side::Sell)).is_some_and(|(bid, ask)| bid >= ask);
            assert_eq!(view.is_crossed(), crossed);
            assert_eq!(view.last_trade().map(|(price, qty)| (price.0, qty.0)), self.last.get(&id).copied());
            for reason in firelane_gateway::flow::book::STALE_REASONS {
                assert_eq!(
                    view.freshness().has(reason),
                    self.stale.contains(&(id, reason as u8)),
                    "{reason:?} of {id}"
                );
            }
        }
        let counters = books.counters();
        assert_eq!((counters.wrong_kind, counters.absent_levels), (self.wrong_kind, self.absent));
    }
}

/// Best price and size of each side.
fn tops(view: BookRef<'_>) -> [Option<(Price, Qty)>; 2] {
    SIDES.map(|side| view.top(side).map(|level| (level.price, level.qty)))
}

fn of_tick(tick: i64) -> InstrumentTable {
    let row = |name: &str| Instrument { tick, ..Instrument::us_equity(Symbol::new(name).unwrap()) };
    InstrumentTable::new(&["A", "B", "C"].map(row), 3, false)
}

/// A script: each step a message, or something that the lane does with its books.
pub fn books(data: &[u8]) {
    let (mut books, mut model) = (Books::new(CAPACITY), Model::default());
    // Of a tick that the script's length tells, or none: prices are then in windows or on chains, and it must not matter.
    let table = of_tick((data.len() / STEP % 4) as i64);
    for (n, step) in data.chunks_exact(STEP).enumerate() {
        if n >= data.len() / STEP % 7 && table.rows().iter().all(|row| row.tick > 0) {
            books.follow(&table);
        }
        let &[what, id, side, price, number, orders, ref wide @ ..] = step else { return };
        let id = u32::from(id % 4);
        let price = match side >> 4 {
            14 => i64::MIN + i64::from(price),
            15 => i64::MAX - i64::from(price),
            // Far enough apart for blocks of ticks to meet in one place.
            11..14 => i64::from(price) * 37,
            _ => i64::from(price.cast_signed() % 8),
        };
        let side = SIDES[usize::from(side % 2)];
        let wide = i64::from(i32::from_le_bytes([wide[0], wide[1], wide[2], wide[3]]));
        let qty = if number < 16 { wide } else { i64::from(number.cast_signed()) };
        let order = VenueRef((orders % 9).into());
        let event = match what % 20 {
            0..7 => EventKind::Level { side, price: Price(price), qty: Qty(qty.abs()), orders: orders.into() },
            7 => EventKind::Level { side, price: Price(price), qty: Qty(qty), orders: 0 },
            8 => EventKind::Level { side, price: Price(price), qty: Qty(0), orders: 0 },
            9 => EventKind::Clear { side: [None, Some(Side::Buy), Some(Side::Sell)][usize::from(orders % 3)] },
            10..12 => EventKind::Add { order, side, qty: Qty(qty), price: Price(price) },
            12 => EventKind::Delete { order },
            13 => EventKind::Trade { qty: Qty(qty), price: Price(price), trade: 1 },
            14..17 => {
                let (client, own) = (u64::from(orders % 6), Place { id, side, price, qty });
                let found = books.own_rests(InstrumentId(id), ClientId(client), side, Price(price), Qty(qty));
                assert_eq!(found, model.rests(client, own));
                model.check(&books);
                continue;
            }
            17 => {
                let kind = if orders % 2 == 0 { BookKind::Orders } else { BookKind::Levels };
                books.set_kind(InstrumentId(id), kind);
                model.set_kind(id, kind);
                model.check(&books);
                continue;
            }
            18 => {
                books.mark_stale(Scope::One(InstrumentId(id)), StaleReason::Gap);
                if (id as usize) < CAPACITY.instruments {
                    model.stale.insert((id, StaleReason::Gap as u8));
                }
                if orders % 4 == 0 {
                    books.clear();
                    (0..3).for_each(|id| model.empty(id, None));
                    model.last.clear();
                }
                model.check(&books);
                continue;
            }
            _ => {
                let saved = Writer::of(&books);
                let mut twin = Books::new(CAPACITY);
                let mut reader = Reader(&saved);
                twin.load(&mut reader).and_then(|()| reader.end()).unwrap();
                assert!(Writer::of(&twin) == saved);
                books = twin;
                model.check(&books);
                continue;
            }
        };
        let before = tops(books.view(InstrumentId(id)));
        let resting = match event {
            EventKind::Delete { order } => model.orders.get(&order.0).map_or(id, |order| order.id),
            _ => id,
        };
        let there = tops(books.view(InstrumentId(resting)));
        let applied: Applied = books.apply(InstrumentId(id), &event);
        assert_eq!(applied.fault, model.apply(id, &event), "{event:?}");
        model.check(&books);
        let changed = if resting == id { before } else { there } != tops(books.view(InstrumentId(resting)));
        assert_eq!(applied.top_changed, changed, "{event:?}");
        assert!(!applied.own);
    }
}

/// Counts of better levels, at levels, beside them and beyond them, beside what those of a side are.
pub fn better_levels_agree(view: BookRef<'_>, side: Side, levels: &[Level]) {
    let places = [0, 1, 2, 30, 31, 63, levels.len() / 2, levels.len().saturating_sub(1)];
    let there = places.into_iter().filter_map(|place| levels.get(place));
    let beside = there.flat_map(|level| [-1, 0, 1].map(|off| level.price.0.saturating_add(off)));
    for price in beside.chain([i64::MIN, i64::MAX]).map(Price) {
        let better = levels.iter().filter(|level| side.is_better(level.price, price)).count() as u32;
        assert_eq!(view.level_at(side, price), levels.iter().find(|level| level.price == price).copied());
        for most in [0, 1, 3, better, better + 1, u32::MAX] {
            assert_eq!(view.better_levels(side, price, most), better.min(most), "{price:?} of {side:?}");
        }
    }
}
