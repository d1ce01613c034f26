//! What strategies see of a book.

use super::ladder::{Ladder, Place, Walk};
use super::pool::NIL;
use super::{BookKind, Books, Freshness};
use crate::base::{ClientId, InstrumentId, Price, Qty, Side, VenueRef};

/// One price level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Level {
    /// The price.
    pub price: Price,
    /// Displayed size of the whole level, not of its first order.
    pub qty: Qty,
    /// How many orders; 0 where the venue does not say.
    pub orders: u32,
    /// How much of `qty` is own. In a book of levels: what the venue has confirmed to us, as far as the level is so large.
    /// It may not show it yet, or still show what is gone.
    pub own_qty: Qty,
}

/// An order in the book.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RestingOrder {
    /// Its reference.
    pub order: VenueRef,
    /// The book it rests in.
    pub instrument: InstrumentId,
    /// Our name for it, if it is own.
    pub client: Option<ClientId>,
    /// Its side.
    pub side: Side,
    /// Its limit.
    pub price: Price,
    /// Displayed size left.
    pub qty: Qty,
}

/// An order in the book, as those see it who look at order flow: all in one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its side.
    pub side: Side,
    /// Displayed size left.
    pub qty: Qty,
    /// It is one of ours.
    pub own: bool,
    /// How many levels of its side are better: see [`BookRef::better_levels`].
    pub better: u32,
}

/// What an order must know of a book: all in one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Touch {
    /// The best bid without own orders: [`BookRef::top_without_own`].
    pub bid: Option<Level>,
    /// The best ask without own orders.
    pub ask: Option<Level>,
    /// [`BookRef::freshness`]: may the book be trusted?
    pub fresh: bool,
    /// [`BookRef::is_crossed`].
    pub crossed: bool,
}

/// One book of [`Books`]. An instrument beyond the capacity shows an empty, stale one.
#[derive(Clone, Copy, Debug)]
pub struct BookRef<'a> {
    pub(super) books: &'a Books,
    pub(super) id: InstrumentId,
}

impl<'a> BookRef<'a> {
    fn ladder(self, side: Side) -> Ladder {
        self.books.books.get(self.id.0 as usize).map_or(Ladder::EMPTY, |book| *book.ladder(side))
    }

    #[inline(always)]
    fn level_of(self, number: u32) -> Option<Level> {
        if number == NIL {
            return None;
        }
        let level = self.books.levels.pool.at(number);
        let own_qty = if level.place.has_own() { self.own_part(number, level.qty) } else { Qty::ZERO };
        Some(Level { price: level.price, qty: Qty(level.qty), orders: level.orders, own_qty })
    }

    /// How much of a level of so many shares is own.
    #[cold]
    fn own_part(self, number: u32, shown: i64) -> Qty {
        let own = self.books.levels.own(number).qty;
        Qty(if self.kind() == Some(BookKind::Levels) { own.min(shown).max(0) } else { own })
    }

    fn walk(self, side: Side) -> Walk<'a> {
        self.books.levels.walk(&self.ladder(side), Place::new(self.id.0, side))
    }

    fn resting(self, slot: u32) -> Option<RestingOrder> {
        if slot == NIL {
            return None;
        }
        let order = self.books.orders.at(slot);
        let level = self.books.levels.pool.at(order.level);
        let client = (order.own != NIL).then(|| self.books.marks.get(order.own).client);
        Some(RestingOrder {
            order: order.reference,
            instrument: InstrumentId(level.place.book()),
            client,
            side: level.place.side(),
            price: level.price,
            qty: Qty(order.qty),
        })
    }

    /// The slot of an order of this book.
    #[inline]
    fn slot(self, order: VenueRef) -> Option<u32> {
        let slot = self.books.index.find(order, &self.books.orders).ok()?.slot;
        let level = self.books.orders.at(slot).level;
        (self.books.levels.pool.at(level).place.book() == self.id.0).then_some(slot)
    }
}

/// By price: what venues of either kind give.
impl<'a> BookRef<'a> {
    /// The instrument.
    #[inline]
    #[must_use]
    pub fn id(self) -> InstrumentId {
        self.id
    }

    /// Whether it is of orders or of levels; `None` while nothing has been said of it.
    #[inline]
    #[must_use]
    pub fn kind(self) -> Option<BookKind> {
        self.books.kind(self.id)
    }

    /// The best level of a side. O(1).
    #[inline(always)]
    #[must_use]
    pub fn top(self, side: Side) -> Option<Level> {
        self.level_of(self.books.books.get(self.id.0 as usize)?.ladder(side).best)
    }

    /// The best level of a side as it would be without own orders: what signals should see. Walks on while a level
    /// holds only own orders.
    // Asked several times on the way to an order: what own orders are not in is two loads then.
    #[inline(always)]
    #[must_use]
    pub fn top_without_own(self, side: Side) -> Option<Level> {
        let top = self.top(side)?;
        if top.own_qty == Qty::ZERO { Some(top) } else { self.first_of_others(side) }
    }

    /// The best level that others have a part in.
    #[inline(never)]
    fn first_of_others(self, side: Side) -> Option<Level> {
        self.walk(side).find_map(|number| {
            let level = self.level_of(number)?;
            let own = self.books.levels.own(number);
            let orders = level.orders.saturating_sub(own.orders);
            let qty = level.qty.minus(level.own_qty);
            let others = match self.kind() {
                Some(BookKind::Levels) => qty.is_positive(),
                _ => orders > 0,
            };
            others.then_some(Level { price: level.price, qty, orders, own_qty: Qty::ZERO })
        })
    }

    /// Both best levels, and whether the book may be traded on.
    #[inline(always)]
    #[must_use]
    pub fn touch(self) -> Touch {
        let Some(book) = self.books.books.get(self.id.0 as usize) else {
            return Touch { bid: None, ask: None, fresh: false, crossed: false };
        };
        let (bid, ask) = (self.level_of(book.bids.best), self.level_of(book.asks.best));
        let others = |side, top: Option<Level>| match top {
            Some(level) if level.own_qty != Qty::ZERO => self.first_of_others(side),
            top => top,
        };
        Touch {
            bid: others(Side::Buy, bid),
            ask: others(Side::Sell, ask),
            fresh: self.books.all.and(book.freshness).is_fresh(),
            crossed: bid.zip(ask).is_some_and(|(bid, ask)| bid.price >= ask.price),
        }
    }

    /// The level at `depth`; 0 is the best.
    #[must_use]
    pub fn level(self, side: Side, depth: usize) -> Option<Level> {
        let mut walk = self.walk(side);
        walk.skip_levels(depth);
        self.level_of(walk.next()?)
    }

    /// The level at a price.
    #[must_use]
    pub fn level_at(self, side: Side, price: Price) -> Option<Level> {
        self.level_of(self.books.levels.find(&self.ladder(side), Place::new(self.id.0, side), price)?)
    }

    /// All levels of a side, best first.
    pub fn levels(self, side: Side) -> impl Iterator<Item = Level> + use<'a> {
        self.walk(side).filter_map(move |number| self.level_of(number))
    }

    /// How many levels of a side are better than a price, at which there need not be one; `most` if there are as many.
    #[inline]
    #[must_use]
    pub fn better_levels(self, side: Side, price: Price, most: u32) -> u32 {
        self.books.levels.better(&self.ladder(side), Place::new(self.id.0, side), price, most)
    }

    /// How many levels a side has.
    #[must_use]
    pub fn depth(self, side: Side) -> usize {
        self.ladder(side).len as usize
    }

    /// Price and size of the last printed trade: execution, trade against a hidden order, or cross.
    #[must_use]
    pub fn last_trade(self) -> Option<(Price, Qty)> {
        let prints = self.books.prints.get(self.id.0 as usize)?;
        prints.qty.is_positive().then_some((prints.price, prints.qty))
    }

    /// Shares printed so far. Executions that are not printable do not count (they come again in a cross); broken
    /// trades stay counted (their size is not in the message that breaks them).
    #[must_use]
    pub fn volume(self) -> Qty {
        self.books.prints.get(self.id.0 as usize).map_or(Qty::ZERO, |prints| prints.volume)
    }

    /// May the book be trusted?
    #[inline]
    #[must_use]
    pub fn freshness(self) -> Freshness {
        self.books.freshness(self.id)
    }

    /// Is the best bid at or above the best ask, own orders included? An exchange's own book shows neither in continuous
    /// trading: what could trade has traded before it is shown. (That quotes lock and cross is of markets among each
    /// other, Regulation NMS, Rule 610.) So one that does shows something wrong, and is no book to take from.
    #[inline]
    #[must_use]
    pub fn is_crossed(self) -> bool {
        let best = |side| self.books.best(self.id.0, side);
        best(Side::Buy).zip(best(Side::Sell)).is_some_and(|(bid, ask)| bid.0 >= ask.0)
    }
}

/// By order: what order-level (level 3) venues give. A book of levels has none.
impl<'a> BookRef<'a> {
    /// An order that rests in this book.
    #[must_use]
    pub fn order(self, order: VenueRef) -> Option<RestingOrder> {
        self.resting(self.slot(order)?)
    }

    /// Where an order of this book stands, the better levels counted up to `most`.
    #[inline]
    #[must_use]
    pub fn standing(self, order: VenueRef, most: u32) -> Option<Standing> {
        let order = self.books.orders.at(self.slot(order)?);
        let level = self.books.levels.pool.at(order.level);
        let (side, own) = (level.place.side(), order.own != NIL);
        Some(Standing { side, qty: Qty(order.qty), own, better: self.better_levels(side, level.price, most) })
    }

    /// Shares that stand before it in its level's queue, own ones included. Walks from the order to the head of its
    /// queue.
    #[must_use]
    pub fn queue_ahead(self, order: VenueRef) -> Option<Qty> {
        let mut sum = Qty::ZERO;
        let mut slot = self.books.orders.at(self.slot(order)?).ahead;
        while slot != NIL {
            let order = self.books.orders.at(slot);
            sum = sum.plus(Qty(order.qty));
            slot = order.ahead;
        }
        Some(sum)
    }

    /// The orders at a price, first in time first.
    pub fn queue(self, side: Side, price: Price) -> impl Iterator<Item = RestingOrder> + use<'a> {
        let first = self.books.levels.find(&self.ladder(side), Place::new(self.id.0, side), price);
        let mut slot = first.map_or(NIL, |level| self.books.levels.pool.at(level).queue.first);
        core::iter::from_fn(move || {
            let order = self.resting(slot)?;
            slot = self.books.orders.at(slot).behind;
            Some(order)
        })
    }
}
