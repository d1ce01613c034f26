//! `orderbook-rs`: a matching engine, used as a book.

use crate::Book;
use firelane_contest::itch::Event;
use firelane_contest::{Digest, Side};
use orderbook_rs::{Id, OrderBook, TimeInForce};
use pricelevel::{OrderUpdate, Quantity, Side as TheirSide};

/// What it can't.
pub(crate) const ALONE: &str = "a book alone: each order is tried against the other side, under locks";

/// The book.
pub(crate) struct Matching(OrderBook<()>);

pub(crate) fn new() -> Matching {
    Matching(OrderBook::new("PEER"))
}

impl Matching {
    fn add(&self, order: u64, side: TheirSide, shares: u32, price: u32) -> bool {
        let id = Id::Sequential(order);
        self.0.add_limit_order(id, price.into(), shares.into(), side, TimeInForce::Gtc, None).is_ok()
    }
}

impl Book for Matching {
    #[inline]
    fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::Add { order, side, shares, price } => {
                let side = if side == Side::Bid { TheirSide::Buy } else { TheirSide::Sell };
                self.add(order, side, shares, price)
            }
            Event::Reduce { order, shares } => {
                let id = Id::Sequential(order);
                let Some(one) = self.0.get_order(id) else { return false };
                match one.visible_quantity().as_u64().saturating_sub(shares.into()) {
                    0 => self.0.cancel_order(id).is_ok(),
                    left => {
                        let update = OrderUpdate::UpdateQuantity { order_id: id, new_quantity: Quantity::new(left) };
                        self.0.update_order(update).is_ok()
                    }
                }
            }
            Event::Delete { order } => self.0.cancel_order(Id::Sequential(order)).is_ok_and(|found| found.is_some()),
            Event::Replace { order, new, shares, price } => match self.0.cancel_order(Id::Sequential(order)) {
                Ok(Some(old)) => self.add(new, old.side(), shares, price),
                _ => false,
            },
        }
    }

    fn levels(&self, locate: u16, digest: &mut Digest) {
        for (side, theirs) in [(Side::Bid, TheirSide::Buy), (Side::Ask, TheirSide::Sell)] {
            for level in self.0.levels_with_cumulative_depth(theirs).flatten() {
                digest.add_level(locate, side, u64::try_from(level.price).unwrap_or(u64::MAX), level.quantity);
            }
        }
    }
}
