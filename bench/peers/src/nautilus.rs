//! The order book of `nautilus-model`, market by order.

use crate::Book;
use firelane_contest::itch::Event;
use firelane_contest::{Digest, Side};
use nautilus_model::data::order::BookOrder;
use nautilus_model::enums::{BookType, OrderSide};
use nautilus_model::identifiers::InstrumentId;
use nautilus_model::orderbook::OrderBook;
use nautilus_model::types::{Price, Quantity};
use std::collections::HashMap;

/// What an update and a delete must say, and the message does not.
pub(crate) const FINDS: &str = "side, price and rest by reference: a hash map of the adapter's";

/// A price of the wire has four decimals, one of theirs nine; a share is as many of theirs.
const PRICE: i64 = 100_000;
const SHARE: u64 = 1_000_000_000;

/// The book, and what is left of each order.
pub(crate) struct Nautilus {
    book: OrderBook,
    orders: HashMap<u64, BookOrder>,
}

pub(crate) fn new() -> Nautilus {
    Nautilus { book: OrderBook::new(InstrumentId::from("PEER.XNAS"), BookType::L3_MBO), orders: HashMap::new() }
}

impl Nautilus {
    fn add(&mut self, order: u64, side: OrderSide, shares: u32, price: u32) -> bool {
        let price = Price::from_raw(i64::from(price) * PRICE, 4);
        let size = Quantity::from_raw(u64::from(shares) * SHARE, 0);
        let one = BookOrder::new(side, price, size, order);
        self.orders.insert(order, one);
        self.book.add(one, 0, 0, 0.into());
        true
    }

    fn delete(&mut self, order: u64) -> Option<OrderSide> {
        let one = self.orders.remove(&order)?;
        self.book.delete(one, 0, 0, 0.into());
        Some(one.side)
    }
}

impl Book for Nautilus {
    #[inline]
    fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::Add { order, side, shares, price } => {
                let side = if side == Side::Bid { OrderSide::Buy } else { OrderSide::Sell };
                self.add(order, side, shares, price)
            }
            Event::Reduce { order, shares } => {
                let Some(one) = self.orders.get_mut(&order) else { return false };
                let left = one.size.raw.saturating_sub(u64::from(shares) * SHARE);
                if left == 0 {
                    return self.delete(order).is_some();
                }
                one.size = Quantity::from_raw(left, 0);
                self.book.update(*one, 0, 0, 0.into());
                true
            }
            Event::Delete { order } => self.delete(order).is_some(),
            Event::Replace { order, new, shares, price } => match self.delete(order) {
                Some(side) => self.add(new, side, shares, price),
                None => false,
            },
        }
    }

    fn levels(&self, locate: u16, digest: &mut Digest) {
        let bids = self.book.bids(None).map(|level| (Side::Bid, level));
        for (side, level) in bids.chain(self.book.asks(None).map(|level| (Side::Ask, level))) {
            let price = level.price.value.raw / PRICE;
            digest.add_level(locate, side, price.unsigned_abs(), level.size_raw() / SHARE);
        }
    }
}
