//! Do gateway and venue agree? Each side's account of orders, fills, positions and books, and the differences in words.
//!
//! The gateway's account of orders and fills is taken from its output tape, step by step as an outside observer would
//! keep it, so that it reaches back over the whole run whatever the lane has forgotten since; positions, books, and the
//! orders that the lane still remembers are its own. The venue's account is what its port and its engine say. Orders
//! are matched by the client's id that they carry, fills by order and match number.

use crate::exchange::Exchange;
use crate::venue::port::{OrderState, Port};
use firelane_gateway::base::{ClientId, InstrumentId, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::action::Happening;
use firelane_gateway::flow::book::{BookView, L3View};
use firelane_gateway::flow::entry::origin_of;
use firelane_gateway::flow::orders::{Cursor, Status};
use firelane_gateway::flow::record::{Alert, AlertBody, Kind, OrderBody, RecordHeader};
use firelane_gateway::shell::lane::Lane;
use std::collections::BTreeMap;
use std::fmt;
use zerocopy::FromBytes;

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
    pub token: Option<u32>,
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
    pub liquidity: u8,
}

/// What is held in one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Holding {
    /// Shares, negative when short.
    pub shares: i64,
    /// Money, in price units: what sales brought less what purchases cost.
    pub cash: i128,
}

/// A resting order of a book.
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

/// What the gateway's tape has said of its orders, kept step by step.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TapeLedger {
    orders: BTreeMap<ClientId, TapeOrder>,
    fills: BTreeMap<(ClientId, u64), FillRow>,
    counts: TapeCounts,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct TapeOrder {
    instrument: InstrumentId,
    side: Side,
    /// The venue has taken it, at some time.
    lived: bool,
    finished: bool,
    executed: i64,
    open: i64,
}

/// What the tape has told, in steps.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct TapeCounts {
    /// Orders sent.
    pub sent: u64,
    /// Of these accepted.
    pub accepted: u64,
    /// Orders rejected, or lost on the way.
    pub rejected: u64,
    /// Replaces in force.
    pub replaced: u64,
    /// Replaces and cancels refused, or without effect.
    pub refused: u64,
    /// Orders whose last shares were cancelled.
    pub cancelled: u64,
    /// Fills.
    pub fills: u64,
    /// Shares filled.
    pub shares: u64,
    /// Trades broken or corrected.
    pub revised: u64,
    /// Requests that were not answered in time.
    pub timed_out: u64,
    /// Kills.
    pub kills: u64,
    /// Ends of the market-data session.
    pub ends_of_session: u64,
    /// Times that order entry became ready.
    pub entry_ready: u64,
    /// Messages that contradicted a book.
    pub book_faults: u64,
}

impl TapeLedger {
    /// Takes in one record of the tape, header and body.
    pub fn on_record(&mut self, record: &[u8]) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        match Kind::from_byte(header.kind) {
            Some(Kind::Order) => {
                if let Ok(body) = OrderBody::ref_from_bytes(body) {
                    self.on_order(body);
                }
            }
            Some(Kind::Alert) => {
                if let Ok(body) = AlertBody::ref_from_bytes(body) {
                    let counts = &mut self.counts;
                    let counter = match body.alert.get() {
                        n if n == Alert::Killed as u16 => &mut counts.kills,
                        n if n == Alert::EndOfSession as u16 => &mut counts.ends_of_session,
                        n if n == Alert::EntryReady as u16 => &mut counts.entry_ready,
                        n if n == Alert::BookFault as u16 => &mut counts.book_faults,
                        _ => return,
                    };
                    *counter += 1;
                }
            }
            _ => {}
        }
    }

    fn on_order(&mut self, body: &OrderBody) {
        let id = ClientId(body.order.get());
        let side = if body.side == b'B' { Side::Buy } else { Side::Sell };
        let order = self.orders.entry(id).or_insert(TapeOrder {
            instrument: InstrumentId(body.instrument.get()),
            side,
            lived: false,
            finished: false,
            executed: 0,
            open: 0,
        });
        let is = |happening: Happening| body.what == happening as u8;
        let counts = &mut self.counts;
        let first = !order.lived && order.open == 0 && !order.finished;
        order.open = body.open.get();
        order.finished = body.finished == 1;
        let shares = body.fill_qty.get();
        let row =
            FillRow { shares: shares * side.sign(), price: Price(body.fill_price.get()), liquidity: body.liquidity };
        let key = (id, body.trade.get());
        if is(Happening::Sent) {
            counts.sent += u64::from(first);
        } else if is(Happening::Rejected) {
            counts.rejected += 1;
        } else if is(Happening::RequestRefused) {
            counts.refused += 1;
        } else if is(Happening::TimedOut) {
            counts.timed_out += 1;
        } else {
            // Whatever else is said of an order, the venue has taken it.
            counts.accepted += u64::from(!order.lived);
            order.lived = true;
        }
        if is(Happening::Filled) {
            order.executed += shares;
            counts.fills += 1;
            counts.shares += shares.unsigned_abs();
            self.fills.insert(key, row);
        } else if is(Happening::TradeBroken) {
            counts.revised += 1;
            self.fills.remove(&key);
        } else if is(Happening::TradeCorrected) {
            counts.revised += 1;
            self.fills.insert(key, row);
        } else if is(Happening::Replaced) {
            counts.replaced += 1;
        } else if is(Happening::Cancelled) {
            counts.cancelled += 1;
        }
    }

    /// What the tape has told so far, in numbers.
    #[must_use]
    pub fn counts(&self) -> TapeCounts {
        self.counts
    }

    /// Fills that were not broken.
    #[must_use]
    pub fn fills(&self) -> &BTreeMap<(ClientId, u64), FillRow> {
        &self.fills
    }
}

impl Statement {
    /// The gateway's account.
    #[must_use]
    pub fn of_lane(lane: &dyn Lane, tape: &TapeLedger) -> Self {
        let symbol_of = |id: InstrumentId| lane.instruments().get(id).map_or(Symbol::default(), |row| row.symbol);
        let lived = tape.orders.iter().filter(|(_, order)| order.lived);
        let orders = lived.map(|(id, order)| {
            let remembered = lane.orders().get(*id);
            let row = OrderRow {
                symbol: symbol_of(order.instrument),
                side: order.side,
                executed: order.executed,
                open: if order.finished { 0 } else { order.open },
                reference: remembered.and_then(|o| o.venue_ref),
                token: remembered.map(|o| o.token),
                limit: remembered.map(|o| o.price),
            };
            (*id, row)
        });
        let mut statement = Statement { orders: orders.collect(), fills: tape.fills.clone(), ..Self::default() };
        for (id, row) in (0..).map(InstrumentId).zip(lane.instruments().rows()) {
            let account = lane.gate().ledger().account(id);
            let holding = Holding { shares: account.position.0, cash: account.cash.0 };
            statement.holdings.insert(row.symbol, holding);
            statement.books.insert(row.symbol, book_of_lane(lane, id));
        }
        statement
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
            row.token = Some(key.urn);
            row.limit = record.terms.limit;
            debug_assert_eq!(record.state == OrderState::Live, record.open > 0);
        }
        for fill in port.fills().iter().filter(|fill| !fill.broken) {
            let row = FillRow { shares: fill.shares, price: fill.price, liquidity: fill.liquidity as u8 };
            statement.fills.insert((client_of(port, fill.order), fill.trade), row);
            let holding = statement.holdings.entry(fill.symbol).or_default();
            holding.shares += fill.shares;
            holding.cash -= i128::from(fill.shares) * i128::from(fill.price.0);
        }
        statement
    }
}

/// The gateway's name of an order of the port. One that carries none gets its number, above all names.
fn client_of(port: &Port, key: crate::venue::port::OrderKey) -> ClientId {
    let origin = port.orders().get(&key).and_then(|record| origin_of(&record.terms.cl_ord_id));
    origin.map_or(ClientId(u64::MAX - u64::from(key.urn)), |origin| origin.client)
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

/// One book of the lane.
#[must_use]
pub fn book_of_lane(lane: &dyn Lane, id: InstrumentId) -> BookRows {
    let view = lane.books().view(id);
    let side = |side| {
        let queues = view.levels(side).flat_map(|level| view.queue(side, level.price));
        queues.map(|o| BookRow { reference: o.order, price: o.price, shares: o.qty.0 }).collect()
    };
    BookRows { bids: side(Side::Buy), asks: side(Side::Sell) }
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
        let flag = char::from(self.liquidity);
        write!(f, "{} shares at {}, liquidity {flag}", self.shares, Dollars(self.price.0.into()))
    }
}

impl fmt::Display for BookRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} shares at {} (reference {})", self.shares, Dollars(self.price.0.into()), self.reference.0)
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

/// What must be true of the gateway alone once it is at rest: nothing lives, nothing is reserved, nothing was
/// misunderstood. A difference for each thing that is not.
#[must_use]
pub fn check_at_rest(lane: &dyn Lane) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut expect = |about: &str, value: i128| {
        if value != 0 {
            found.push(Difference { about: about.to_owned(), lane: value.to_string(), venue: "0".to_owned() });
        }
    };
    expect("live orders", lane.orders().live_count().into());
    expect("open notional", lane.gate().ledger().open().0);
    expect("arithmetic faults of the ledger", lane.gate().ledger().faults().into());
    for account in lane.gate().ledger().accounts() {
        expect("shares open to buy", account.buys.qty.0.into());
        expect("shares open to sell", account.sells.qty.0.into());
    }
    let counters = lane.orders().counters();
    expect("reports about unknown orders", counters.unknown.into());
    expect("reports that said what was known", counters.duplicates.into());
    expect("breaks of unknown trades", counters.unknown_trades.into());
    expect("reports that contradict others", counters.contradictions.into());
    expect("orders that could not be adopted", counters.not_adopted.into());
    found
}

/// At every moment: whatever the venue could still do to an order is covered by what the gateway counts for it.
#[must_use]
pub fn check_exposure(lane: &dyn Lane, exchange: &dyn Exchange, port: u16) -> Vec<Difference> {
    let mut found = Vec::new();
    let Some(port) = exchange.port(port) else { return found };
    for (key, record) in port.orders().iter().filter(|(_, record)| record.open > 0) {
        let id = client_of(port, *key);
        let most = i64::from(record.spent().executed) + i64::from(record.open);
        let known = lane.orders().get(id);
        let counted = known.map_or(0, |order| order.executed.0 + order.exposure().qty.0);
        if counted < most {
            found.push(Difference {
                about: format!("exposure of order {}", id.0),
                lane: known.map_or("no such order".to_owned(), |o| {
                    format!("{} executed, {} exposed, {:?}", o.executed.0, o.exposure().qty.0, o.status)
                }),
                venue: format!("{} executed, {} open", record.spent().executed, record.open),
            });
        }
    }
    found
}

/// Live orders of the lane, for messages about a lane that does not come to rest.
#[must_use]
pub fn live_orders(lane: &dyn Lane) -> Vec<(ClientId, Status)> {
    let mut cursor = Cursor::default();
    std::iter::from_fn(|| lane.orders().next_live(&mut cursor).map(|order| (order.id, order.status))).collect()
}
