//! Books as state.

use super::levels::Rest;
use super::own::Mark;
use super::stale::Freshness;
use super::{Book, BookKind, Books, Level, OwnMatch, Prints};
use crate::base::{Digest, InstrumentId, LoadError, Qty, Reader, Save, Side, State, Value};
use crate::flow::event::EventKind;
use alloc::vec::Vec;

impl Books {
    /// Feeds what all books display, in a form that depends on what they hold, not on how they came to hold it:
    /// instrument by instrument, side by side, from the best price on, each queue in time priority. Both ends of a
    /// feed agree on it.
    pub fn digest_displayed(&self, into: &mut Digest) {
        for (id, _) in (0u32..).zip(&self.books) {
            let view = self.view(InstrumentId(id));
            for side in [Side::Buy, Side::Sell] {
                into.u64(view.depth(side) as u64);
                for level in view.levels(side) {
                    into.i64(level.price.0);
                    into.u64(u64::from(level.orders));
                    if view.kind() == Some(BookKind::Levels) {
                        into.i64(level.qty.0);
                    }
                    for order in view.queue(side, level.price) {
                        into.u64(order.order.0);
                        into.i64(order.qty.0);
                    }
                }
            }
        }
    }
}

crate::value! { Prints { price, qty, volume } }
crate::value! { enum BookKind { 0 => Orders, 1 => Levels } }

impl Value for Freshness {
    fn put(&self, into: &mut dyn Save) {
        into.u8(self.bits());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, LoadError> {
        Freshness::from_bits(from.u8()?).ok_or(LoadError::BAD)
    }
}

/// What the books display, from the best price on and each queue in time priority; which slots hold it changes no answer.
/// Whether a mark's order rests the book tells.
impl State for Books {
    fn save(&self, into: &mut dyn Save) {
        let Books {
            index: _,
            orders: _,
            levels: _,
            books,
            prints,
            marks,
            rests,
            all,
            followed: _,
            hints_from: _,
            hinted: _,
            counters,
        } = self;
        counters.put(into);
        all.put(into);
        into.count(books.len());
        for ((id, Book { bids: _, asks: _, freshness, kind }), prints) in (0u32..).zip(books).zip(prints) {
            kind.put(into);
            freshness.put(into);
            prints.put(into);
            for side in [Side::Buy, Side::Sell] {
                self.save_side(InstrumentId(id), side, into);
            }
        }
        let mut marks: Vec<&Mark> = marks.all().collect();
        marks.sort_unstable_by_key(|mark| mark.reference.0);
        into.count(marks.len());
        for Mark { reference, client, resting: _ } in marks {
            reference.put(into);
            client.put(into);
        }
        let mut own: Vec<&Rest> = (0u32..).zip(books).flat_map(|(id, _)| rests.of(InstrumentId(id))).collect();
        own.sort_unstable_by_key(|rest| rest.order);
        into.count(own.len());
        for rest in own {
            let Rest { order, instrument, side, price, qty, next: _ } = rest;
            order.put(into);
            instrument.put(into);
            side.put(into);
            price.put(into);
            qty.put(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let built = LoadError::unless_equal;
        self.clear();
        self.marks.clear();
        self.rests.clear();
        // The table is another one now.
        self.followed = 0;
        let (counters, all) = (from.value()?, from.value()?);
        built(self.books.len(), from.u64()?).map_err(|error| error.within("Books.books"))?;
        for id in (0u32..).take(self.books.len()) {
            let kind = from.value()?;
            if let Some(book) = self.books.get_mut(id as usize) {
                book.kind = kind;
            }
            let (stale, prints) = (from.value()?, from.value()?);
            for side in [Side::Buy, Side::Sell] {
                self.load_side(InstrumentId(id), side, from).map_err(|error| error.within("Books.orders"))?;
            }
            if let (Some(book), Some(place)) = (self.books.get_mut(id as usize), self.prints.get_mut(id as usize)) {
                book.freshness = stale;
                *place = prints;
            }
        }
        let count = from.count(self.marks.capacity()).map_err(|error| error.within("Books.marks"))?;
        for _ in 0..count {
            let order = from.value()?;
            if self.marks.find(order).is_some() || self.own_add(order, from.value()?) == OwnMatch::Full {
                return Err(LoadError::OutOfRange("Books.marks"));
            }
        }
        let count = from.count(self.rests.capacity()).map_err(|error| error.within("Books.rests"))?;
        for _ in 0..count {
            let (order, id) = (from.value()?, from.value()?);
            let (side, price, qty): (_, _, Qty) = (from.value()?, from.value()?, from.value()?);
            let known = !qty.is_positive() || self.rests.get(order).is_some();
            if known || self.own_rests(id, order, side, price, qty) == OwnMatch::Full {
                return Err(LoadError::OutOfRange("Books.rests"));
            }
        }
        (self.counters, self.all) = (counters, all);
        Ok(())
    }
}

impl Books {
    fn save_side(&self, id: InstrumentId, side: Side, into: &mut dyn Save) {
        let view = self.view(id);
        if view.kind() == Some(BookKind::Levels) {
            into.count(view.depth(side));
            for Level { price, qty, orders, own_qty: _ } in view.levels(side) {
                price.put(into);
                qty.put(into);
                orders.put(into);
            }
            return;
        }
        into.u64(view.levels(side).map(|level| u64::from(level.orders)).sum());
        for level in view.levels(side) {
            for order in view.queue(side, level.price) {
                order.order.put(into);
                order.qty.put(into);
                level.price.put(into);
            }
        }
    }

    fn load_side(&mut self, id: InstrumentId, side: Side, from: &mut Reader<'_>) -> Result<(), LoadError> {
        if self.kind(id) == Some(BookKind::Levels) {
            let count = from.count(self.levels.pool.capacity())?;
            for _ in 0..count {
                let (price, qty, orders): (_, Qty, _) = (from.value()?, from.value()?, from.value()?);
                let level = EventKind::Level { side, price, qty, orders };
                if !qty.is_positive() || self.apply(id, &level).fault.is_some() {
                    return Err(LoadError::BAD);
                }
            }
            // One for each price.
            return if self.view(id).depth(side) == count { Ok(()) } else { Err(LoadError::BAD) };
        }
        for _ in 0..from.count(self.orders.capacity())? {
            let (order, qty, price) = (from.value()?, from.value()?, from.value()?);
            let add = EventKind::Add { order, side, qty, price };
            // One of no shares would be left out.
            if !qty.is_positive() || self.apply(id, &add).fault.is_some() {
                return Err(LoadError::BAD);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BookCapacity, Scope, StaleReason};
    use super::*;
    use crate::base::{ClientId, Price, VenueRef, Writer, assert_all_saved};

    const CAPACITY: BookCapacity = BookCapacity { instruments: 2, orders: 4, levels: 4, own: 2 };

    fn id(n: u32) -> InstrumentId {
        InstrumentId(n)
    }

    fn add(order: u64, side: Side, qty: i64, price: i64) -> EventKind {
        EventKind::Add { order: VenueRef(order), side, qty: Qty(qty), price: Price(price) }
    }

    fn level(side: Side, price: i64, qty: i64, orders: u32) -> EventKind {
        EventKind::Level { side, price: Price(price), qty: Qty(qty), orders }
    }

    fn print(qty: i64, price: i64) -> EventKind {
        EventKind::Trade { qty: Qty(qty), price: Price(price), trade: 1 }
    }

    #[test]
    fn everything_is_saved_and_restored() {
        let changes: [fn(&mut Books); 28] = [
            |_| {},
            |b| {
                b.apply(id(0), &add(9, Side::Buy, 1, 1));
            },
            |b| {
                b.apply(id(1), &add(9, Side::Buy, 1, 1));
            },
            |b| {
                b.apply(id(0), &add(8, Side::Buy, 1, 1));
            },
            |b| {
                b.apply(id(0), &add(9, Side::Sell, 1, 1));
            },
            |b| {
                b.apply(id(0), &add(9, Side::Buy, 2, 1));
            },
            |b| {
                b.apply(id(0), &add(9, Side::Buy, 1, 2));
            },
            |b| {
                b.apply(id(0), &print(1, 1));
            },
            |b| {
                b.apply(id(0), &print(2, 1));
            },
            |b| {
                b.apply(id(0), &print(1, 2));
            },
            |b| {
                b.apply(id(0), &print(1, 1));
                b.apply(id(0), &print(1, 1));
            },
            |b| b.mark_stale(Scope::All, StaleReason::Gap),
            |b| b.mark_stale(Scope::All, StaleReason::Fault),
            |b| b.mark_stale(Scope::One(id(1)), StaleReason::Gap),
            |b| {
                b.own_add(VenueRef(7), ClientId(1));
            },
            |b| {
                b.own_add(VenueRef(7), ClientId(2));
            },
            |b| {
                b.own_add(VenueRef(9), ClientId(1));
                b.apply(id(0), &add(9, Side::Buy, 1, 1));
            },
            |b| b.counters.unknown_ref = 1,
            |b| b.set_kind(id(0), BookKind::Orders),
            |b| b.set_kind(id(0), BookKind::Levels),
            |b| b.set_kind(id(1), BookKind::Levels),
            |b| _ = b.apply(id(0), &level(Side::Buy, 1, 1, 1)),
            |b| _ = b.apply(id(0), &level(Side::Sell, 1, 1, 1)),
            |b| _ = b.apply(id(0), &level(Side::Buy, 2, 1, 1)),
            |b| _ = b.apply(id(0), &level(Side::Buy, 1, 2, 1)),
            |b| _ = b.apply(id(0), &level(Side::Buy, 1, 1, 0)),
            |b| _ = b.own_rests(id(0), ClientId(1), Side::Buy, Price(1), Qty(1)),
            |b| {
                b.own_rests(id(0), ClientId(1), Side::Buy, Price(1), Qty(1));
                b.apply(id(0), &level(Side::Buy, 1, 1, 1));
            },
        ];
        assert_all_saved(|| Books::new(CAPACITY), &changes);
    }

    /// Orders of one price came and went, so that what is left lies in other slots than in the books that it is loaded into:
    /// both go on alike, to the last slot, and are saved alike.
    #[test]
    fn where_orders_lie_is_no_state() {
        let mut moved = Books::new(CAPACITY);
        for event in
            [add(1, Side::Buy, 5, 10), add(2, Side::Buy, 6, 10), add(3, Side::Buy, 7, 11), add(4, Side::Sell, 1, 20)]
        {
            moved.apply(id(0), &event);
        }
        moved.own_add(VenueRef(2), ClientId(8));
        moved.own_add(VenueRef(77), ClientId(9));
        for gone in [1, 4] {
            moved.apply(id(0), &EventKind::Delete { order: VenueRef(gone) });
        }
        moved.apply(id(0), &add(5, Side::Buy, 8, 10));
        let saved = Writer::of(&moved);
        let mut restored = Books::new(CAPACITY);
        restored.load(&mut Reader(&saved)).unwrap();
        assert_eq!(Writer::of(&restored), saved);
        let more = [
            add(77, Side::Sell, 4, 30),
            add(6, Side::Sell, 4, 31),
            EventKind::Execute { order: VenueRef(2), qty: Qty(6), price: None, printable: true, trade: 1 },
            EventKind::Replace { order: VenueRef(77), new: VenueRef(78), qty: Qty(9), price: Price(29) },
            add(9, Side::Buy, 3, 9),
            add(10, Side::Buy, 3, 8),
            EventKind::Delete { order: VenueRef(3) },
            add(11, Side::Sell, 1, 29),
        ];
        for event in more {
            assert_eq!(moved.apply(id(0), &event), restored.apply(id(0), &event), "{event:?}");
            assert_eq!(Writer::of(&moved), Writer::of(&restored), "{event:?}");
        }
        assert!(moved.counters().orders_full > 0 && moved.counters().peak_live_orders == 4);
    }

    #[test]
    fn what_does_not_fit_is_refused_by_name() {
        let saved = |change: &dyn Fn(&mut Books)| {
            let mut books = Books::new(BookCapacity { instruments: 2, orders: 8, levels: 8, own: 4 });
            change(&mut books);
            Writer::of(&books)
        };
        let load = |saved: &[u8], capacity| Books::new(capacity).load(&mut Reader(saved));
        let orders = |n| saved(&move |b| (1..=n).for_each(|n| _ = b.apply(id(0), &add(n, Side::Buy, 1, 10))));
        assert_eq!(load(&orders(4), CAPACITY), Ok(()));
        let error = LoadError::Capacity { of: "Books.orders", built: 4, saved: 5 };
        assert_eq!(load(&orders(5), CAPACITY), Err(error));
        let levels = saved(&|b| (1..=3).for_each(|n| _ = b.apply(id(0), &add(n, Side::Buy, 1, n.cast_signed()))));
        let tight = BookCapacity { levels: 2, ..CAPACITY };
        assert_eq!(load(&levels, tight), Err(LoadError::OutOfRange("Books.orders")));
        let marks = |n| saved(&move |b| (1..=n).for_each(|n| _ = b.own_add(VenueRef(n), ClientId(n))));
        assert_eq!(load(&marks(2), CAPACITY), Ok(()));
        let error = LoadError::Capacity { of: "Books.marks", built: 2, saved: 3 };
        assert_eq!(load(&marks(3), CAPACITY), Err(error));
        let error = LoadError::Capacity { of: "Books.books", built: 3, saved: 2 };
        assert_eq!(load(&marks(0), BookCapacity { instruments: 3, ..CAPACITY }), Err(error));
    }
}
