//! Do gateway and venue agree? Each side's account of orders, fills, positions and books, and the differences in words.
//!
//! The gateway's account of orders and fills is taken from its output tape, step by step as an outside observer would
//! keep it, so that it reaches back over the whole run whatever the lane has forgotten since; positions, books, and the
//! orders that the lane still remembers are its own. The venue's account is what its port and its engine say. Orders
//! are matched by the client's id that they carry, fills by order and match number.
//!
//! There is a checker a file: this one compares the two statements, `books` the books, `rest` looks at what must be
//! true of the lane alone, and `heard` compares both sides with a third account, kept from the bytes between them.

mod books;
mod heard;
mod rest;
mod tape;

pub use books::{BookRow, BookRows, book_of_lane, book_of_venue, compare_books, levels_of_venue};
pub use heard::{AtVenue, compare_with_lane, compare_with_venue};
pub use rest::{Reach, Rest, check_at_rest, check_exposure, live_orders, reach_of_lane, reach_of_venue};
pub use tape::{TapeCounts, TapeLedger, Traded, Volume};

use crate::exchange::Exchange;
use crate::venue::port::{OrderKey, OrderState, Port};
use firelane_gateway::base::{ClientId, Instrument, InstrumentId, Price, Side, Symbol, VenueId, VenueRef};
use firelane_gateway::flow::entry::origin_of;
use firelane_gateway::shell::lane::Lane;
use std::collections::BTreeMap;
use std::fmt;

/// One thing in which the two sides differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// What they differ in.
    pub about: String,
    /// What the gateway has.
    pub lane: String,
    /// What the venue has.
    pub venue: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: the gateway has {}, the venue {}", self.about, self.lane, self.venue)
    }
}

/// An order over its whole chain of replaces.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OrderRow {
    /// Instrument.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// Shares executed, trades broken since included.
    pub executed: i64,
    /// Shares that may still execute.
    pub open: i64,
    /// The venue's last reference of it, where it is known.
    pub reference: Option<VenueRef>,
    /// The number under which it stands, or stood last, where it is known.
    pub token: Option<u64>,
    /// The price at which the venue works it, where it is known.
    pub limit: Option<Price>,
}

/// A fill that was not broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FillRow {
    /// Shares, negative for a sale.
    pub shares: i64,
    /// Price, as last corrected.
    pub price: Price,
    /// Liquidity flag.
    pub liquidity: u32,
}

/// What is held in one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Holding {
    /// Shares, negative when short.
    pub shares: i64,
    /// Money, in price units: what sales brought less what purchases cost.
    pub cash: i128,
}

/// One side's account of everything.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Statement {
    /// Every order that lived, by its id.
    pub orders: BTreeMap<ClientId, OrderRow>,
    /// Every fill that was not broken, by order and match number.
    pub fills: BTreeMap<(ClientId, u64), FillRow>,
    /// What is held.
    pub holdings: BTreeMap<Symbol, Holding>,
    /// Every book.
    pub books: BTreeMap<Symbol, BookRows>,
}

/// What this venue calls an instrument of the lane: it knows none by a longer name.
pub(crate) fn symbol_of(row: &Instrument) -> Symbol {
    row.name.symbol().unwrap_or_default()
}

impl Statement {
    /// The gateway's account of what it has at a venue.
    #[must_use]
    pub fn of_lane(lane: &dyn Lane, venue: VenueId, tape: &TapeLedger) -> Self {
        let symbol_at = |id: InstrumentId| lane.instruments().get(id).map(symbol_of).unwrap_or_default();
        let is_there = |id: InstrumentId| lane.instruments().get(id).is_some_and(|row| row.venue == venue);
        let lived = tape.orders.iter().filter(|(_, order)| order.lived && is_there(order.instrument));
        let orders = lived.map(|(id, order)| {
            let remembered = lane.orders().get(*id);
            let row = OrderRow {
                symbol: symbol_at(order.instrument),
                side: order.side,
                executed: order.executed,
                open: if order.finished { 0 } else { order.open },
                reference: remembered.and_then(|o| o.venue_ref),
                token: remembered.map(|o| o.token.0),
                limit: remembered.map(|o| o.price),
            };
            (*id, row)
        });
        let mut statement = Statement { orders: orders.collect(), ..Self::default() };
        let of_order = |id: &ClientId| tape.orders.get(id).is_some_and(|order| is_there(order.instrument));
        let fills = tape.fills().iter().filter(|((id, _), _)| of_order(id));
        statement.fills = fills.map(|(key, row)| (*key, *row)).collect();
        let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
        for (id, row) in rows.filter(|(_, row)| row.venue == venue) {
            let account = lane.gate().ledger().account(id);
            let holding = Holding { shares: account.position.0, cash: account.cash.0 };
            statement.holdings.insert(symbol_of(row), holding);
            statement.books.insert(symbol_of(row), book_of_lane(lane, id));
        }
        statement
    }

    /// The same, with what books say by levels alone.
    #[must_use]
    pub fn in_levels(self) -> Self {
        let books = self.books.iter().map(|(symbol, book)| (*symbol, book.in_levels())).collect();
        Statement { books, ..self }
    }

    /// The venue's account of one port and of every book. Of a port that it has not, it has nothing to say.
    #[must_use]
    pub fn of_venue(exchange: &dyn Exchange, port: u16) -> Self {
        let mut statement = Statement::default();
        for symbol in exchange.symbols() {
            statement.holdings.insert(symbol, Holding::default());
            statement.books.insert(symbol, book_of_venue(exchange, symbol));
        }
        let Some(port) = exchange.port(port) else { return statement };
        for (key, record) in port.orders() {
            let row = statement.orders.entry(client_of(port, *key)).or_insert(OrderRow {
                symbol: record.terms.symbol,
                side: record.terms.side.of_market().unwrap_or(Side::Buy),
                executed: 0,
                open: 0,
                reference: None,
                token: None,
                limit: None,
            });
            // The orders of a chain have ascending numbers: what the last one says holds.
            row.executed += i64::from(record.executed);
            row.open += i64::from(record.open);
            row.reference = Some(record.reference);
            row.token = Some(key.urn.into());
            row.limit = record.terms.limit;
            debug_assert_eq!(record.state == OrderState::Live, record.open > 0);
        }
        for fill in port.fills().iter().filter(|fill| !fill.broken) {
            let row = FillRow { shares: fill.shares, price: fill.price, liquidity: u32::from(fill.liquidity as u8) };
            statement.fills.insert((client_of(port, fill.order), fill.trade), row);
            let holding = statement.holdings.entry(fill.symbol).or_default();
            holding.shares += fill.shares;
            holding.cash -= i128::from(fill.shares) * i128::from(fill.price.0);
        }
        statement
    }
}

/// The gateway's name of an order of the port. One that carries none gets its number, above all names.
fn client_of(port: &Port, key: OrderKey) -> ClientId {
    let origin = port.orders().get(&key).and_then(|record| origin_of(&record.terms.cl_ord_id));
    origin.map_or(ClientId(u64::MAX - u64::from(key.urn)), |origin| origin.client)
}

/// Every difference between the two sides.
#[must_use]
pub fn compare(lane: &Statement, venue: &Statement) -> Vec<Difference> {
    let mut found = Vec::new();
    let order = |row: Option<&OrderRow>| row.map_or("none".to_owned(), ToString::to_string);
    for (id, lane, venue) in both(&lane.orders, &venue.orders) {
        let same = matches!((lane, venue), (Some(lane), Some(venue)) if lane.agrees_with(venue));
        if !same {
            found.push(Difference { about: format!("order {}", id.0), lane: order(lane), venue: order(venue) });
        }
    }
    let fill = |row: Option<&FillRow>| row.map_or("none".to_owned(), ToString::to_string);
    for ((id, trade), lane, venue) in both(&lane.fills, &venue.fills) {
        if lane != venue {
            let about = format!("fill of order {} in trade {trade}", id.0);
            found.push(Difference { about, lane: fill(lane), venue: fill(venue) });
        }
    }
    let nothing = Holding::default();
    for (symbol, lane, venue) in both(&lane.holdings, &venue.holdings) {
        let (lane, venue) = (lane.unwrap_or(&nothing), venue.unwrap_or(&nothing));
        if lane != venue {
            let words = |h: &Holding| format!("{} shares and {}", h.shares, Dollars(h.cash));
            found.push(Difference { about: format!("position in {symbol}"), lane: words(lane), venue: words(venue) });
        }
    }
    let empty = BookRows::default();
    for (symbol, lane, venue) in both(&lane.books, &venue.books) {
        let (lane, venue) = (lane.unwrap_or(&empty), venue.unwrap_or(&empty));
        found.extend(compare_books(*symbol, lane, venue));
    }
    found
}

/// The keys of both maps in order, with what each has.
fn both<'a, K: Ord, V>(
    a: &'a BTreeMap<K, V>,
    b: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let only_b = b.iter().filter(|(key, _)| !a.contains_key(key)).map(|(key, value)| (key, None, Some(value)));
    a.iter().map(|(key, value)| (key, Some(value), b.get(key))).chain(only_b)
}

impl OrderRow {
    /// Equal, as far as both know.
    fn agrees_with(&self, other: &OrderRow) -> bool {
        fn known<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.is_none() || b.is_none() || a == b
        }
        (self.symbol, self.side, self.executed, self.open) == (other.symbol, other.side, other.executed, other.open)
            && known(self.reference, other.reference)
            && known(self.token, other.token)
            && known(self.limit, other.limit)
    }
}

impl fmt::Display for OrderRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {} executed, {} open", self.side, self.symbol, self.executed, self.open)?;
        if let Some(limit) = self.limit {
            write!(f, ", at {}", Dollars(limit.0.into()))?;
        }
        if let Some(token) = self.token {
            write!(f, ", UserRefNum {token}")?;
        }
        self.reference.map_or(Ok(()), |reference| write!(f, ", reference {}", reference.0))
    }
}

impl fmt::Display for FillRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = char::from_u32(self.liquidity).unwrap_or('?');
        write!(f, "{} shares at {}, liquidity {flag}", self.shares, Dollars(self.price.0.into()))
    }
}

/// 1/10,000 of a dollar, in words.
#[derive(Clone, Copy, Debug)]
pub struct Dollars(pub i128);

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, units) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let (whole, part) = (units / 10_000, units % 10_000);
        if part % 100 == 0 {
            write!(f, "{sign}${whole}.{:02}", part / 100)
        } else {
            write!(f, "{sign}${whole}.{part:04}")
        }
    }
}
