//! Books as state: digest, save, load.

use super::own::{Mark, Marks};
use super::stale::Freshness;
use super::{Book, BookCounters, Books, OwnMatch, Prints};
use crate::base::{ClientId, Digest, InstrumentId, LoadError, Price, Qty, Reader, Side, State, VenueRef, Writer};
use crate::flow::event::EventKind;

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
                    for order in view.queue(side, level.price) {
                        into.u64(order.order.0);
                        into.i64(order.qty.0);
                    }
                }
            }
        }
    }

    /// Feeds everything that can change a later answer: what is displayed, prints, staleness, own marks. As
    /// [`State::digest`], without the trait.
    pub fn digest(&self, into: &mut Digest) {
        // What is displayed is in the first four; which slots hold it changes nothing.
        let Books { index: _, orders: _, levels: _, books, prints, marks, all, counters: _ } = self;
        self.digest_displayed(into);
        into.u64(u64::from(all.bits()));
        for (Book { bids: _, asks: _, freshness }, Prints { price, qty, volume }) in books.iter().zip(prints) {
            into.u64(u64::from(freshness.bits()));
            into.i64(price.0);
            into.i64(qty.0);
            into.i64(volume.0);
        }
        marks.digest(into);
    }
}

impl State for Books {
    fn digest(&self, into: &mut Digest) {
        Books::digest(self, into);
    }

    fn save(&self, into: &mut Writer) {
        for counter in counters(&self.counters) {
            into.u64(counter);
        }
        self.marks.save(into);
        into.u64(self.books.len() as u64);
        into.u64(u64::from(self.all.bits()));
        for ((id, book), prints) in (0u32..).zip(&self.books).zip(&self.prints) {
            into.u64(u64::from(book.freshness.bits()));
            into.i64(prints.price.0);
            into.i64(prints.qty.0);
            into.i64(prints.volume.0);
            let view = self.view(InstrumentId(id));
            for side in [Side::Buy, Side::Sell] {
                into.u64(view.levels(side).map(|level| u64::from(level.orders)).sum());
                for level in view.levels(side) {
                    for order in view.queue(side, level.price) {
                        into.u64(order.order.0);
                        into.i64(order.qty.0);
                        into.i64(level.price.0);
                    }
                }
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clear();
        let mut saved = BookCounters::default();
        for counter in counters_mut(&mut saved) {
            *counter = from.u64()?;
        }
        self.marks.clear();
        for _ in 0..from.u64()? {
            let (order, client) = (VenueRef(from.u64()?), ClientId(from.u64()?));
            if self.own_add(order, client) == OwnMatch::Full {
                return Err(LoadError::OutOfRange);
            }
        }
        if from.u64()? != self.books.len() as u64 {
            return Err(LoadError::OutOfRange);
        }
        let all = freshness(from)?;
        for id in (0u32..).take(self.books.len()) {
            let stale = freshness(from)?;
            let prints = Prints { price: Price(from.i64()?), qty: Qty(from.i64()?), volume: Qty(from.i64()?) };
            for side in [Side::Buy, Side::Sell] {
                for _ in 0..from.u64()? {
                    let (order, qty) = (VenueRef(from.u64()?), Qty(from.i64()?));
                    let add = EventKind::Add { order, side, qty, price: Price(from.i64()?) };
                    if self.apply(InstrumentId(id), &add).fault.is_some() {
                        return Err(LoadError::OutOfRange);
                    }
                }
            }
            if let (Some(book), Some(place)) = (self.books.get_mut(id as usize), self.prints.get_mut(id as usize)) {
                book.freshness = stale;
                *place = prints;
            }
        }
        self.all = all;
        self.counters = saved;
        Ok(())
    }
}

fn freshness(from: &mut Reader<'_>) -> Result<Freshness, LoadError> {
    u8::try_from(from.u64()?).ok().and_then(Freshness::from_bits).ok_or(LoadError::OutOfRange)
}

fn counters(of: &BookCounters) -> [u64; 9] {
    let mut of = *of;
    counters_mut(&mut of).map(|counter| *counter)
}

fn counters_mut(of: &mut BookCounters) -> [&mut u64; 9] {
    let BookCounters {
        unknown_ref,
        duplicate_ref,
        over_reduce,
        orders_full,
        levels_full,
        unknown_instrument,
        empty_orders,
        own_full,
        peak_live_orders,
    } = of;
    [
        unknown_ref,
        duplicate_ref,
        over_reduce,
        orders_full,
        levels_full,
        unknown_instrument,
        empty_orders,
        own_full,
        peak_live_orders,
    ]
}

impl Marks {
    /// Every mark, in no order that means anything. Whether it rests the book tells.
    fn save(&self, into: &mut Writer) {
        into.u64(self.all().count() as u64);
        for mark in self.all() {
            into.u64(mark.reference.0);
            into.u64(mark.client.0);
        }
    }

    /// As a sum over the marks: they have no order.
    fn digest(&self, into: &mut Digest) {
        into.u64(self.all().count() as u64);
        into.u64(self.all().fold(0, |sum, mark| {
            let Mark { reference, client, resting } = mark;
            let one = Digest::of_state(|one| {
                one.u64(reference.0);
                one.u64(client.0);
                one.u64(u64::from(*resting));
            });
            sum.wrapping_add(one)
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{BookCapacity, Scope, StaleReason};
    use super::*;
    use crate::base::first_repeated;
    use std::vec::Vec;

    #[test]
    fn the_digest_sees_everything_that_can_change_an_answer() {
        let id = InstrumentId;
        let add = |order, side, qty, price| EventKind::Add {
            order: VenueRef(order),
            side,
            qty: Qty(qty),
            price: Price(price),
        };
        let print = |qty, price| EventKind::Trade { qty: Qty(qty), price: Price(price), trade: 1 };
        let changes: [&dyn Fn(&mut Books); 17] = [
            &|_| {},
            &|b| {
                b.apply(id(0), &add(9, Side::Buy, 1, 1));
            },
            &|b| {
                b.apply(id(1), &add(9, Side::Buy, 1, 1));
            },
            &|b| {
                b.apply(id(0), &add(8, Side::Buy, 1, 1));
            },
            &|b| {
                b.apply(id(0), &add(9, Side::Sell, 1, 1));
            },
            &|b| {
                b.apply(id(0), &add(9, Side::Buy, 2, 1));
            },
            &|b| {
                b.apply(id(0), &add(9, Side::Buy, 1, 2));
            },
            &|b| {
                b.apply(id(0), &print(1, 1));
            },
            &|b| {
                b.apply(id(0), &print(2, 1));
            },
            &|b| {
                b.apply(id(0), &print(1, 2));
            },
            &|b| {
                b.apply(id(0), &print(1, 1));
                b.apply(id(0), &print(1, 1));
            },
            &|b| b.mark_stale(Scope::All, StaleReason::Gap),
            &|b| b.mark_stale(Scope::All, StaleReason::Fault),
            &|b| b.mark_stale(Scope::One(id(1)), StaleReason::Gap),
            &|b| {
                b.own_add(VenueRef(7), ClientId(1));
            },
            &|b| {
                b.own_add(VenueRef(7), ClientId(2));
            },
            &|b| {
                b.own_add(VenueRef(9), ClientId(1));
                b.apply(id(0), &add(9, Side::Buy, 1, 1));
            },
        ];
        let digests: Vec<u64> = changes
            .iter()
            .map(|change| {
                let mut books = Books::new(BookCapacity { instruments: 2, orders: 4, levels: 4, own: 2 });
                change(&mut books);
                Digest::of_state(|into| books.digest(into))
            })
            .collect();
        assert_eq!(first_repeated(&digests), None);
    }
}
