//! Books of price levels (level 2): the venue says how much stands at a price, not whose orders it is.
//!
//! Levels stand on the same ladders and in the same pool as those of order books. What of them is own no mark can tell,
//! for the feed names no orders; it is reckoned from what the venue has confirmed to us: at each price the shares of own
//! orders that rest there ([`Books::own_rests`]), and of a level never more than it shows.

use super::ladder::Place;
use super::pool::{NIL, Pool};
use super::stale::{Scope, StaleReason};
use super::{Applied, BookFault, Books, OwnMatch};
use crate::base::{ClientId, InstrumentId, Map, Price, Qty, Side};
use alloc::boxed::Box;
use alloc::vec;

/// What a venue tells of a book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BookKind {
    /// Each order, by its reference (level 3).
    Orders,
    /// What stands at each price (level 2).
    Levels,
}

impl Books {
    /// Says of which kind an instrument's book is. Else its first event does, for good. What it held of another kind goes.
    pub fn set_kind(&mut self, id: InstrumentId, kind: BookKind) {
        if self.kind(id) != Some(kind) {
            self.clear_instrument(id);
        }
        if let Some(book) = self.books.get_mut(id.0 as usize) {
            book.kind = Some(kind);
        }
    }

    /// Of which kind a book is; `None` while nothing has been said of it.
    #[inline]
    #[must_use]
    pub fn kind(&self, id: InstrumentId) -> Option<BookKind> {
        self.books.get(id.0 as usize)?.kind
    }

    /// A level is so large now. Not a positive size: it is gone; that it was not there is no contradiction, for a venue may
    /// take away what is beyond the depth that it shows.
    #[inline]
    pub(super) fn level(&mut self, id: InstrumentId, side: Side, price: Price, qty: Qty, orders: u32) -> Applied {
        let Some(book) = self.books.get_mut(id.0 as usize) else {
            return self.fault(id, BookFault::UnknownInstrument, Applied::default());
        };
        if !book.is(BookKind::Levels) {
            return self.fault(id, BookFault::WrongKind, Applied::default());
        }
        let ladder = book.ladder_mut(side);
        let touched = Applied { instrument: Some(id), side: Some(side), ..Applied::default() };
        if !qty.is_positive() {
            let Some(number) = self.levels.find(ladder, Place::new(id.0, side), price) else {
                self.counters.absent_levels = self.counters.absent_levels.wrapping_add(1);
                return touched;
            };
            let top_changed = ladder.best == number;
            self.levels.disown(number);
            self.levels.remove(ladder, number);
            return Applied { top_changed, ..touched };
        }
        let levels = ladder.len;
        let Ok(number) = self.levels.find_or_add(ladder, Place::new(id.0, side), price) else {
            return self.fault(id, BookFault::LevelsFull, Applied::default());
        };
        let (is_top, is_new) = (ladder.best == number, ladder.len != levels);
        let level = self.levels.pool.at_mut(number);
        let another = level.qty != qty.0;
        (level.qty, level.orders) = (qty.0, orders);
        if is_new && !self.rests.is_empty() {
            for (qty, orders) in self.rests.at(id, side, price) {
                self.levels.change_own(number, qty.0, orders);
            }
        }
        Applied { top_changed: is_top && another, ..touched }
    }

    /// The venue starts a book, or one side of it, over: what it showed is gone. A whole book is as the venue's from then on,
    /// whatever was wrong with what it held.
    pub(super) fn start_over(&mut self, id: InstrumentId, side: Option<Side>) -> Applied {
        if id.0 as usize >= self.books.len() {
            return self.fault(id, BookFault::UnknownInstrument, Applied::default());
        }
        let mut top_changed = false;
        for one in [Side::Buy, Side::Sell].into_iter().filter(|one| side.is_none_or(|side| side == *one)) {
            top_changed |= self.best(id.0, one).is_some();
            self.clear_side(id, one);
        }
        if side.is_none() {
            for reason in [StaleReason::Malformed, StaleReason::Fault, StaleReason::Full] {
                self.heal(Scope::One(id), reason);
            }
        }
        Applied { instrument: Some(id), side, top_changed, ..Applied::default() }
    }

    /// What the venue has confirmed of an own order in a book of levels: so many shares rest at this price. Not a positive
    /// number: none do. Whether the feed shows them already, or still, cannot be known; nor where in the level they stand.
    pub fn own_rests(&mut self, id: InstrumentId, order: ClientId, side: Side, price: Price, qty: Qty) -> OwnMatch {
        if let Some(before) = self.rests.get(order) {
            self.change_own_at(before, -1);
        }
        let rest = Rest { order, instrument: id, side, price, qty, ..BLANK };
        match self.rests.set(rest) {
            Some(()) if qty.is_positive() => self.change_own_at(rest, 1),
            Some(()) => OwnMatch::Awaited,
            None => {
                self.counters.own_full = self.counters.own_full.wrapping_add(1);
                OwnMatch::Full
            }
        }
    }

    /// Adds an own order to the level where it rests, or takes it off it.
    fn change_own_at(&mut self, rest: Rest, sign: i32) -> OwnMatch {
        let Some(book) = self.books.get(rest.instrument.0 as usize) else { return OwnMatch::Awaited };
        match self.levels.find(book.ladder(rest.side), Place::new(rest.instrument.0, rest.side), rest.price) {
            Some(number) if book.kind == Some(BookKind::Levels) => {
                self.levels.change_own(number, rest.qty.0.wrapping_mul(sign.into()), sign);
                OwnMatch::Resting
            }
            _ => OwnMatch::Awaited,
        }
    }
}

/// An own order that rests at a venue that shows levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    pub(super) order: ClientId,
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) price: Price,
    pub(super) qty: Qty,
    /// The next of the same instrument.
    pub(super) next: u32,
}

const BLANK: Rest =
    Rest { order: ClientId(0), instrument: InstrumentId(0), side: Side::Buy, price: Price(0), qty: Qty(0), next: NIL };

/// The own orders that rest in books of levels, by order and by instrument.
#[derive(Debug)]
pub(super) struct Rests {
    pool: Pool<Rest>,
    by_order: Map,
    /// By instrument: the first of those that rest there, in no order that means anything.
    first: Box<[u32]>,
}

impl Rests {
    pub(super) fn new(capacity: usize, instruments: usize) -> Self {
        Rests {
            pool: Pool::new(capacity, BLANK),
            by_order: Map::new(capacity),
            first: vec![NIL; instruments].into_boxed_slice(),
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.pool.capacity()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.by_order.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.pool.reset();
        self.by_order.clear();
        self.first.fill(NIL);
    }

    pub(super) fn get(&self, order: ClientId) -> Option<Rest> {
        self.by_order.get(order.0).map(|number| *self.pool.at(number))
    }

    /// Those of an instrument.
    pub(super) fn of(&self, id: InstrumentId) -> impl Iterator<Item = &Rest> {
        let mut number = self.first.get(id.0 as usize).copied().unwrap_or(NIL);
        core::iter::from_fn(move || {
            let rest = (number != NIL).then(|| self.pool.at(number))?;
            number = rest.next;
            Some(rest)
        })
    }

    /// Shares and number of each that rests at a price.
    fn at(&self, id: InstrumentId, side: Side, price: Price) -> impl Iterator<Item = (Qty, i32)> {
        self.of(id).filter(move |rest| (rest.side, rest.price) == (side, price)).map(|rest| (rest.qty, 1))
    }

    /// Sets what rests of an order; nothing, when it is not a positive number. `None`: no room, or no such instrument.
    fn set(&mut self, rest: Rest) -> Option<()> {
        let known = self.by_order.get(rest.order.0);
        if !rest.qty.is_positive() {
            if let Some(number) = known {
                self.take(number);
            }
            return Some(());
        }
        if let Some(number) = known {
            let place = self.pool.at_mut(number);
            if place.instrument == rest.instrument {
                *place = Rest { next: place.next, ..rest };
                return Some(());
            }
            self.take(number);
        }
        let first = self.first.get_mut(rest.instrument.0 as usize)?;
        let number = self.pool.take()?;
        if self.by_order.insert(rest.order.0, number).is_err() {
            self.pool.give(number);
            return None;
        }
        *self.pool.at_mut(number) = Rest { next: *first, ..rest };
        *first = number;
        Some(())
    }

    fn take(&mut self, number: u32) {
        let gone = *self.pool.at(number);
        self.by_order.remove(gone.order.0);
        self.pool.give(number);
        let Some(first) = self.first.get_mut(gone.instrument.0 as usize) else { return };
        if *first == number {
            *first = gone.next;
            return;
        }
        let mut before = *first;
        while before != NIL && self.pool.at(before).next != number {
            before = self.pool.at(before).next;
        }
        self.pool.linked_mut(before).next = gone.next;
    }
}
