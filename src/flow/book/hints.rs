//! Hints of what is coming, a batch at a time.
//!
//! Where millions of orders rest, nothing that a message touches is in a cache: index entry, order, its neighbours, level and
//! window are places each of which has to be read before the next one is known. One message waits for all of them in turn. A
//! batch of messages need not: all first places are asked for, then all second ones, and so on in four rounds, by the end of which
//! most of it has come.
//!
//! No round branches on what kind of message it is: kinds alternate at random, and a branch that is guessed wrong costs as
//! much as a round saves. Each reads all that any kind needs; what a kind does not need is read at a place that is always at hand.
//!
//! Hints change nothing and answer nothing. Where few orders rest all is at hand anyway, and a hint costs what it costs:
//! [`Books::hints_pay`] says whether to give any.

use super::index::Index;
use super::ladder::{Levels, Place};
use super::orders::Order;
use super::pool::Pool;
use super::{Book, Books};
use crate::base::{InstrumentId, Price, Side, VenueRef, raw};
use core::hint::select_unpredictable;

/// What a message that is coming seems to be about. Nothing depends on it but time: it may be wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coming {
    /// The order that it names.
    pub order: VenueRef,
    /// The order that it makes rest: the same for one that is new, and for messages that make none.
    pub enters: VenueRef,
    /// The instrument that it names.
    pub id: InstrumentId,
    /// Is it an order that is new? Then `side` and `price` are its own.
    pub adds: bool,
    /// Of meaning for a new order.
    pub side: Side,
    /// Of meaning for a new order.
    pub price: Price,
}

impl Coming {
    /// A message that touches no book.
    pub const NOTHING: Coming = Coming {
        order: VenueRef(0),
        enters: VenueRef(0),
        id: InstrumentId(0),
        adds: false,
        side: Side::Buy,
        price: Price(0),
    };

    /// The place of a new order; for all others one that is always at hand.
    #[inline(always)]
    fn place(&self) -> Place {
        Place::new(select_unpredictable(self.adds, self.id.0, 0), self.side)
    }
}

/// Messages of which hints are given at once. More would not fit the places that a processor asks for at a time.
pub const BATCH: usize = 32;

/// So many orders rest, and hints begin to pay: what is touched of them is more than the 2 MB of cache that a core has.
pub const HINTS_FROM: usize = 262_144;

/// What the rounds before have found out about a message.
#[derive(Clone, Copy)]
struct Known {
    order: u32,
    level: u32,
}

impl Books {
    /// The same books, where hints pay as soon as so many orders rest, instead of [`HINTS_FROM`]: 0 is always.
    #[must_use]
    pub fn hints_from(self, orders: usize) -> Self {
        Books { hints_from: orders, ..self }
    }

    /// Is it worth while to give hints? Asked once a batch. They pay until a quarter fewer orders rest than when they began to, so
    /// that a market near the border does not switch at every batch.
    #[inline(always)]
    pub fn hints_pay(&mut self) -> bool {
        let slack = if self.hinted { self.hints_from / 4 } else { 0 };
        self.hinted = self.orders.used() >= self.hints_from.wrapping_sub(slack);
        self.hinted
    }

    /// Says what is coming next: of the first [`BATCH`] messages all that they touch is asked for. Changes nothing, and never has to
    /// be called.
    #[inline]
    pub fn foresee(&self, messages: impl IntoIterator<Item = Coming>) {
        let mut coming = [Coming::NOTHING; BATCH];
        let mut count = 0_usize;
        for (place, next) in coming.iter_mut().zip(messages) {
            *place = next;
            count = count.wrapping_add(1);
        }
        self.ask_for(coming.get(..count).unwrap_or_default());
    }

    #[inline(never)]
    fn ask_for(&self, coming: &[Coming]) {
        let Books { index, orders, levels, books, .. } = self;
        let mut known = [Known { order: 0, level: 0 }; BATCH];
        for next in coming {
            first(index, levels, books, next);
        }
        for (next, known) in coming.iter().zip(&mut known) {
            known.order = second(index, orders, levels, next);
        }
        for (next, known) in coming.iter().zip(&mut known) {
            known.level = third(orders, levels, next, known.order);
        }
        for (next, known) in coming.iter().zip(&known) {
            fourth(orders, levels, next, *known);
        }
    }
}

/// Index entries, the head of the book, and that of the window in which a new order belongs.
#[inline(always)]
fn first(index: &Index, levels: &Levels, books: &[Book], next: &Coming) {
    index.prefetch(next.order);
    index.prefetch(next.enters);
    raw::prefetch(books, next.id.0 as usize);
    levels.prefetch_window(next.place());
}

/// The order that is named, and where a new one's level is noted.
#[inline(always)]
fn second(index: &Index, orders: &Pool<Order>, levels: &Levels, next: &Coming) -> u32 {
    let slot = orders.near(index.likely(next.order));
    orders.prefetch(slot);
    levels.prefetch_note(next.place(), next.price);
    slot
}

/// The level, and the neighbours in its queue of an order that may go.
#[inline(always)]
fn third(orders: &Pool<Order>, levels: &Levels, next: &Coming, slot: u32) -> u32 {
    let Order { level, ahead, behind, .. } = *orders.at(slot);
    let noted = levels.noted(next.place(), next.price);
    let level = levels.pool.near(select_unpredictable(next.adds, noted, level));
    levels.pool.prefetch(level);
    orders.prefetch(orders.near(ahead));
    orders.prefetch(orders.near(behind));
    level
}

/// The order behind which a new one will stand, and the window of one that may go.
#[inline(always)]
fn fourth(orders: &Pool<Order>, levels: &Levels, next: &Coming, known: Known) {
    let level = levels.pool.at(known.level);
    let last = select_unpredictable(next.adds, level.queue.last, known.order);
    orders.prefetch(orders.near(last));
    levels.prefetch_window(level.place);
}
