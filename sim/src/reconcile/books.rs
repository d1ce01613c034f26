//! The displayed books of both sides: order by order, or level by level where the lane has no more.

use super::{Difference, Dollars};
use crate::exchange::Exchange;
use firelane_gateway::base::{InstrumentId, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::book::{BookKind, Level};
use firelane_gateway::shell::lane::Lane;
use std::fmt;

/// A resting order of a book, or, with reference 0, a level of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BookRow {
    /// Reference.
    pub reference: VenueRef,
    /// Price.
    pub price: Price,
    /// Displayed shares.
    pub shares: i64,
}

/// Both sides of a book, each in priority order.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct BookRows {
    /// Bids.
    pub bids: Vec<BookRow>,
    /// Asks.
    pub asks: Vec<BookRow>,
}

/// One book of the venue, as it is displayed.
#[must_use]
pub fn book_of_venue(exchange: &dyn Exchange, symbol: Symbol) -> BookRows {
    let mut book = BookRows::default();
    for order in exchange.displayed(symbol) {
        let row = BookRow { reference: order.reference, price: order.price, shares: order.shares.into() };
        match order.side {
            Side::Buy => book.bids.push(row),
            Side::Sell => book.asks.push(row),
        }
    }
    book
}

/// The same by its levels.
#[must_use]
pub fn levels_of_venue(exchange: &dyn Exchange, symbol: Symbol) -> BookRows {
    book_of_venue(exchange, symbol).in_levels()
}

impl BookRows {
    /// What stands at each price.
    #[must_use]
    pub fn in_levels(&self) -> Self {
        fn levels(rows: &[BookRow]) -> Vec<BookRow> {
            let of_price = |rows: &[BookRow]| BookRow {
                reference: VenueRef(0),
                price: rows[0].price,
                shares: rows.iter().map(|row| row.shares).sum(),
            };
            rows.chunk_by(|a, b| a.price == b.price).map(of_price).collect()
        }
        BookRows { bids: levels(&self.bids), asks: levels(&self.asks) }
    }
}

/// One book of the lane: its levels, where it is of levels.
#[must_use]
pub fn book_of_lane(lane: &dyn Lane, id: InstrumentId) -> BookRows {
    let view = lane.book(id);
    if view.kind() == Some(BookKind::Levels) {
        let level = |level: Level| BookRow { reference: VenueRef(0), price: level.price, shares: level.qty.0 };
        let side = |side| view.levels(side).map(level).collect();
        return BookRows { bids: side(Side::Buy), asks: side(Side::Sell) };
    }
    let side = |side| {
        let queues = view.levels(side).flat_map(|level| view.queue(side, level.price));
        queues.map(|o| BookRow { reference: o.order, price: o.price, shares: o.qty.0 }).collect()
    };
    BookRows { bids: side(Side::Buy), asks: side(Side::Sell) }
}

/// The differences of one book: on each side the first order that differs, and how many there are.
#[must_use]
pub fn compare_books(symbol: Symbol, lane: &BookRows, venue: &BookRows) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, lane, venue) in [("bids", &lane.bids, &venue.bids), ("asks", &lane.asks, &venue.asks)] {
        let same = lane.iter().zip(venue).take_while(|(l, v)| l == v).count();
        if same < lane.len().max(venue.len()) {
            let words = |rows: &[BookRow]| match rows.get(same) {
                Some(row) => format!("{row} of {}", rows.len()),
                None => format!("no more than {}", rows.len()),
            };
            let about = format!("{name} of {symbol}, order {} in priority", same + 1);
            found.push(Difference { about, lane: words(lane), venue: words(venue) });
        }
    }
    found
}

impl fmt::Display for BookRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shares at {} (reference {})", self.shares, Dollars(self.price.0.into()), self.reference.0)
    }
}
