//! The same books with room for more: for readers of recorded days, which do not know how much is to come. A lane's books never grow.

use super::{BookCapacity, Books, STALE_REASONS, Scope};
use crate::base::{InstrumentId, Side};
use crate::flow::event::EventKind;

impl Books {
    /// These books, of orders and without own ones, with room for `capacity`, which is as much as they hold at least. Allocates.
    #[must_use]
    pub fn grown(&self, capacity: BookCapacity) -> Books {
        let mut books = Books::new(capacity);
        for (id, _) in (0u32..).map(InstrumentId).zip(&self.books) {
            let view = self.view(id);
            for side in [Side::Buy, Side::Sell] {
                for level in view.levels(side) {
                    for one in view.queue(side, level.price) {
                        books.apply(id, &EventKind::Add { order: one.order, side, qty: one.qty, price: level.price });
                    }
                }
            }
            let freshness = view.freshness();
            for reason in STALE_REASONS.into_iter().filter(|reason| freshness.has(*reason)) {
                books.mark_stale(Scope::One(id), reason);
            }
        }
        // What is wrong with all of them is wrong with those, too, that are not known yet.
        for reason in STALE_REASONS.into_iter().filter(|reason| self.all.has(*reason)) {
            books.mark_stale(Scope::All, reason);
        }
        books
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Digest, Price, Qty, VenueRef};
    use crate::flow::book::StaleReason;

    #[test]
    fn what_has_grown_holds_the_same_and_has_room_for_more() {
        let small = BookCapacity { instruments: 2, orders: 3, levels: 3, own: 1 };
        let mut books = Books::new(small);
        let add =
            |order, price, side| EventKind::Add { order: VenueRef(order), side, qty: Qty(100), price: Price(price) };
        for (id, order, price, side) in [(0, 1, 1_000, Side::Buy), (0, 2, 1_000, Side::Buy), (1, 3, 1_100, Side::Sell)]
        {
            books.apply(InstrumentId(id), &add(order, price, side));
        }
        books.mark_stale(Scope::One(InstrumentId(1)), StaleReason::Malformed);
        books.mark_stale(Scope::All, StaleReason::Gap);
        let mut grown = books.grown(BookCapacity { instruments: 3, orders: 9, levels: 9, own: 1 });
        let digest = |books: &Books| {
            let mut digest = Digest::default();
            books.digest_displayed(&mut digest);
            digest.value()
        };
        assert_eq!(digest(&books.grown(small)), digest(&books));
        let queue: Vec<_> = grown.view(InstrumentId(0)).queue(Side::Buy, Price(1_000)).map(|one| one.order.0).collect();
        assert_eq!(queue, [1, 2], "in the order in which they came");
        for (id, malformed) in [(0, false), (1, true), (2, false)] {
            let freshness = grown.freshness(InstrumentId(id));
            assert_eq!((freshness.has(StaleReason::Malformed), freshness.has(StaleReason::Gap)), (malformed, true));
        }
        for order in 4..10 {
            grown.apply(InstrumentId(2), &add(order, 900 + order as i64, Side::Buy));
        }
        assert_eq!((grown.live_orders(), books.live_orders()), (9, 3));
    }
}
