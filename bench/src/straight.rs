//! The straight line: the same way from a packet's bytes to an order's bytes as the lane's, on the same books, in one function
//! that does nothing else. What the lane takes beyond it is the price of what stands in [`LEFT_OUT`], and of form.
//!
//! It must send the lane's orders, byte for byte: `lab orders` compares them.

use crate::raw::stamp;
use anyhow::{Context, Result, ensure};
use firelane_gateway::base::{ClientId, ExchangeTime, InstrumentId, InstrumentTable, Mono, Price, Qty, Side};
use firelane_gateway::flow::book::{BookRef, Books};
use firelane_gateway::flow::entry::{OuchConfig, cl_ord_id};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use firelane_gateway::flow::risk::{EmptyBook, OneSided, RiskLimits, ShortSale};
use firelane_gateway::flow::strategy::ImbalanceTakerConfig;
use firelane_gateway::flow::trading::Trading;
use firelane_gateway::flow::wire::moldudp64::Packet;
use firelane_gateway::flow::wire::ouch50::{
    AppendageBuilder, AppendageOption, CrossType, EnterOrder, Inbound, InterMarketSweep, MessageType, Side as OuchSide,
    TimeInForce, UserRefNum, WirePrice, WireQty,
};
use firelane_gateway::shell::config::Config;

/// What the lane does on the way and the straight line does not.
pub const LEFT_OUT: &[&str] = &[
    "the second line's arbitration, gaps, re-requests, snapshots, silence",
    "tape: no record of top of book, order or decision",
    "order table, ledger, marks in the book: each order is as good as cancelled",
    "replaces, cancels, split sales, positions carried in, duplicates, currencies",
    "strategy and signal as parts: one rule, on the best level",
    "session: no heartbeat, window or state; the stream is never full",
    "bounds: an instrument has a row, a packet holds whole messages",
];

/// One packet of a session, two bytes of length and `U`, before the message.
const FRAME: usize = 3;
/// An enter's fields that change, in the frame.
const TOKEN: usize = FRAME + 1;
const SHARES: usize = FRAME + 6;
const SYMBOL: usize = FRAME + 10;
const PRICE: usize = FRAME + 18;
const NAME: usize = FRAME + 31;
/// The longest frame.
const ROOM: usize = 96;

/// A frame to be filled in.
#[derive(Clone, Copy, Debug)]
struct Template {
    bytes: [u8; ROOM],
    length: usize,
}

/// What is known of an instrument: all that the gate asks, side by side.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Row {
    idle_until: Mono,
    tradable: bool,
    short_restricted: bool,
    killed: bool,
    tick: i64,
    fine_tick: i64,
    fine_below: i64,
    /// 1 if any number of shares will do.
    lot: i64,
    max_qty: i64,
    max_notional: i64,
    max_position: i64,
    max_open: i64,
    position: i64,
    open: [i64; 2],
    open_value: i64,
    located: i64,
    locates: i64,
    lower: i64,
    upper: i64,
    own_best: [i64; 2],
    symbol: [u8; 8],
}

/// The line.
#[allow(missing_debug_implementations)] // books have none
pub struct Straight {
    line: ItchLine,
    table: InstrumentTable,
    books: Books,
    trading: Trading,
    rows: Vec<Row>,
    limits: Limits,
    taker: ImbalanceTakerConfig,
    /// A buy's, and a short sale's.
    templates: [Template; 2],
    next: u64,
    token: u32,
    id: u64,
    tags: firelane_gateway::flow::action::Tags,
    full_at: u64,
    open_total: i64,
    out: [u8; ROOM],
    length: usize,
}

/// The limits that hold for all.
#[derive(Clone, Copy, Debug)]
struct Limits {
    interval: u64,
    depth: u64,
    through: i64,
    behind: i64,
    max_total_open: i64,
}

/// An order that may leave.
#[derive(Clone, Copy)]
struct Order {
    side: Side,
    price: i64,
    qty: i64,
}

impl Straight {
    /// The line of a lane's configuration.
    ///
    /// # Errors
    /// If the configuration asks for what the line leaves out.
    pub fn new(config: &Config, taker: &ImbalanceTakerConfig, levels: u32) -> Result<Self> {
        let (risk, each) = (&config.risk, &config.risk.each);
        ensure!(levels == 1, "it weighs the best level alone: imbalance.levels");
        ensure!(risk.duplicate_window.0 == 0, "it has no duplicate check: risk.duplicate_window_us");
        ensure!(
            (each.collar.one_sided, each.collar.empty) == (OneSided::Refuse, EmptyBook::Refuse),
            "it refuses where a side is empty: risk.one_sided_book, risk.empty_book"
        );
        ensure!(each.short == ShortSale::Located, "it locates what it sells short: risk.short");
        ensure!(
            config.risk_of.is_empty() && config.currencies.is_empty(),
            "it has one set of limits: risk.symbols, currency"
        );
        let (through, behind) = (each.collar.through.bps, each.collar.behind.bps);
        let limits = Limits {
            interval: 1_000_000_000u64.div_ceil(u64::from(risk.orders_per_second)),
            depth: 1_000_000_000u64.div_ceil(u64::from(risk.orders_per_second)) * u64::from(risk.burst),
            through: i64::from(through.context("it knows a collar in bps: risk.collar_through_bps")?),
            behind: i64::from(behind.context("it knows a collar in bps: risk.collar_behind_bps")?),
            max_total_open: i64::try_from(risk.max_total_open.0)?,
        };
        let venue = config.venues.first();
        Ok(Straight {
            line: ItchLine::new(venue.day),
            table: InstrumentTable::new(&config.listed, config.instruments, config.directory),
            books: Books::new(venue.books),
            trading: Trading::new(venue.trading, config.instruments),
            rows: vec![row(risk)?; config.instruments],
            limits,
            taker: *taker,
            templates: [template(&venue.entry, false)?, template(&venue.entry, true)?],
            next: 1,
            token: 1,
            id: config.orders.first_id,
            tags: config.tags,
            full_at: 0,
            open_total: 0,
            out: [0; ROOM],
            length: 0,
        })
    }

    /// The frame of the order that the last packet caused.
    #[must_use]
    pub fn frame(&self) -> &[u8] {
        &self.out[..self.length]
    }

    /// All of the way: a packet, and the stamp when the bytes of an order lie in the frame, if it caused one.
    #[inline(never)]
    pub fn packet(&mut self, now: Mono, packet: &[u8]) -> Option<u64> {
        let packet = Packet::parse(packet).ok()?;
        if packet.header().sequence.get() != self.next {
            return None;
        }
        let mut stamped = None;
        for (_, message) in packet.messages().flatten() {
            self.next += 1;
            let Ok(event) = self.line.decode(message, &mut self.table) else { continue };
            let Some(id) = event.instrument else {
                self.status(&event);
                continue;
            };
            if matches!(event.kind, EventKind::Status(_)) {
                self.status(&event);
                continue;
            }
            let _ = self.books.apply(id, &event.kind);
            if let Some(order) = self.decide(now, id)
                && self.passes(now, id, &order)
            {
                self.encode(id, &order);
                stamped = Some(stamp());
            }
        }
        stamped
    }

    /// The rule of the imbalance taker for who holds nothing.
    #[inline(always)]
    fn decide(&mut self, now: Mono, id: InstrumentId) -> Option<Order> {
        let row = &mut self.rows[id.0 as usize];
        if now < row.idle_until {
            return None;
        }
        let book = self.books.view(id);
        if !book.freshness().is_fresh() || book.is_crossed() {
            return None;
        }
        let (bid, ask) = (book.top(Side::Buy)?, book.top(Side::Sell)?);
        // Sizes of the wire have 32 bits: nothing here has 64.
        let (difference, sum) = (bid.qty.0 - ask.qty.0, bid.qty.0 + ask.qty.0);
        let leans = |difference: i64| difference * 1_000_000 >= sum * self.taker.threshold;
        let (side, target) = match (leans(difference), leans(-difference)) {
            (true, _) => (Side::Buy, ask),
            (_, true) => (Side::Sell, bid),
            _ => return None,
        };
        if !row.tradable {
            return None;
        }
        let qty = self.taker.size.0.min(self.taker.max_position.0).min(target.qty.0);
        if qty <= 0 {
            return None;
        }
        row.idle_until = now.after(self.taker.cooldown);
        Some(Order { side, price: target.price.0, qty })
    }

    /// The gate's controls, from the row and the book.
    #[inline(always)]
    fn passes(&mut self, now: Mono, id: InstrumentId, order: &Order) -> bool {
        let Order { side, price, qty } = *order;
        let (row, limits, book) = (&self.rows[id.0 as usize], &self.limits, self.books.view(id));
        let Some((own, opposite)) = touch(book, side) else { return false };
        let (at, sell) = (side as usize, side == Side::Sell);
        let worth = price * qty;
        let tick = if price < row.fine_below { row.fine_tick } else { row.tick };
        let sign = side.sign();
        let full_at = self.full_at.max(now.0) + limits.interval;
        let good = !row.killed
            && row.tradable
            && qty > 0
            && qty % row.lot == 0
            && price > 0
            && price % tick == 0
            && qty <= row.max_qty
            && worth <= row.max_notional
            && !book.is_crossed()
            && (if sell { price >= row.lower } else { price <= row.upper })
            && (price - opposite) * sign * 10_000 <= opposite * limits.through
            && (own - price) * sign * 10_000 <= own * limits.behind
            && (row.own_best[1 - at] - price) * sign > 0
            && row.position * sign + row.open[at] + qty <= row.max_position
            && row.open_value + worth <= row.max_open
            && self.open_total + worth <= limits.max_total_open
            && (!sell || row.located + qty <= row.locates && (!row.short_restricted || price > opposite))
            && full_at - now.0 <= limits.depth;
        if good {
            self.full_at = full_at;
        }
        good
    }

    /// The template, and what changes in it.
    #[inline(always)]
    fn encode(&mut self, id: InstrumentId, order: &Order) {
        let template = &self.templates[usize::from(order.side == Side::Sell)];
        self.out = template.bytes;
        self.length = template.length;
        let out = &mut self.out;
        out[TOKEN..TOKEN + 4].copy_from_slice(&self.token.to_be_bytes());
        out[SHARES..SHARES + 4].copy_from_slice(&(order.qty as u32).to_be_bytes());
        out[SYMBOL..SYMBOL + 8].copy_from_slice(&self.rows[id.0 as usize].symbol);
        out[PRICE..PRICE + 8].copy_from_slice(&(order.price as u64).to_be_bytes());
        if let Some(name) = cl_ord_id(ClientId(self.id), self.tags) {
            out[NAME..NAME + 14].copy_from_slice(&name);
        }
        self.token += 1;
        self.id += 1;
    }

    /// What is not about a book: rarely, and then for all rows.
    #[cold]
    fn status(&mut self, event: &Event) {
        if let EventKind::Status(status) = &event.kind {
            self.trading.apply(event.at, event.instrument, status);
        }
        for (n, instrument) in (0u32..).zip(self.table.rows()) {
            let (id, row) = (InstrumentId(n), &mut self.rows[n as usize]);
            row.tradable = self.trading.tradable(id, ExchangeTime(u64::MAX)).is_ok();
            row.short_restricted = self.trading.short_restricted(id);
            (row.lower, row.upper) = self.trading.collar(id).map_or((i64::MIN, i64::MAX), |(l, u)| (l.0, u.0));
            (row.tick, row.fine_tick, row.fine_below) = (instrument.tick, instrument.fine_tick, instrument.fine_below);
            row.symbol = instrument.name.symbol().map_or([b' '; 8], |symbol| symbol.0);
        }
    }
}

/// Best of the own side, and of the other.
#[inline(always)]
fn touch(book: BookRef<'_>, side: Side) -> Option<(i64, i64)> {
    Some((book.top(side)?.price.0, book.top(side.opposite())?.price.0))
}

fn row(risk: &RiskLimits) -> Result<Row> {
    let each = &risk.each;
    let whole = |amount: i128| i64::try_from(amount).context("it has limits of 64 bits");
    Ok(Row {
        idle_until: Mono(0),
        tradable: false,
        short_restricted: true,
        killed: false,
        tick: 1,
        fine_tick: 1,
        fine_below: 0,
        lot: if each.whole_lots { 100 } else { 1 },
        max_qty: each.max_order_qty.0,
        max_notional: whole(each.max_order_notional.0)?,
        max_position: each.max_position.0,
        max_open: whole(each.max_open.0)?,
        position: 0,
        open: [0; 2],
        open_value: 0,
        located: 0,
        locates: each.locates.0,
        lower: i64::MIN,
        upper: i64::MAX,
        // Nothing of ours rests: no buy reaches the highest ask, no sale the lowest bid.
        own_best: [i64::MIN / 4, i64::MAX / 4],
        symbol: [b' '; 8],
    })
}

/// The frame of an enter of this configuration.
fn template(config: &OuchConfig, short: bool) -> Result<Template> {
    let mut options = AppendageBuilder::<64>::new();
    let broker = config.locate_broker.filter(|_| short);
    for option in [
        config.firm.map(AppendageOption::Firm),
        short.then_some(AppendageOption::SharesLocated(b'Y')),
        broker.map(AppendageOption::LocateBroker),
        config.aiq.map(AppendageOption::AiqStrategy),
    ]
    .into_iter()
    .flatten()
    {
        options.push(option).ok().context("an appendage too long")?;
    }
    let enter = EnterOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0).into(),
        side: if short { OuchSide::SELL_SHORT } else { OuchSide::BUY },
        quantity: WireQty::new(Qty(1)).context("a quantity")?,
        symbol: [b' '; 8],
        price: WirePrice::new(Price(1)).context("a price")?,
        time_in_force: TimeInForce::IOC,
        display: config.display,
        capacity: config.capacity,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cross_type: CrossType::CONTINUOUS,
        cl_ord_id: [b' '; 14],
    };
    let mut message = [0; ROOM - FRAME];
    let length = Inbound::EnterOrder(&enter, options.appendage()).encode_into(&mut message).context("no room")?;
    let mut bytes = [0; ROOM];
    bytes[..2].copy_from_slice(&u16::try_from(length + 1)?.to_be_bytes());
    bytes[2] = b'U';
    bytes[FRAME..].copy_from_slice(&message);
    Ok(Template { bytes, length: FRAME + length })
}
