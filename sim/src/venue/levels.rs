//! Market data by levels, in order over a stream: how a venue that is not of Nasdaq's kind tells of its market, here as the
//! normalised protocol of adapters ([`normal`]), with the faults of an adapter that has a bad day.
//!
//! It is made from the venue's own messages, with a book of its own, which [`check`](LevelServer::check) compares with the
//! engine's. A connection begins with a snapshot; then each change of a level, each trade and each halt is a frame.
//!
//! ```text
//!   engine ──messages──> orders ──> levels ──┬──> client: snapshot, then changes
//!                                            └──> client
//! ```
//!
//! A stream loses nothing in the middle; what a client has to detect is one that ends in its snapshot, falls silent, leaves a
//! number out, speaks nonsense, or begins anew because the adapter had lost its venue.

use crate::net::Faults;
use crate::rng::Rng;
use crate::venue::acceptor::ConnId;
use crate::venue::engine::Resting;
use firelane_gateway::base::{ExchangeTime, Mono, Name, Nanos, Price, Side, Symbol, VenueRef};
use firelane_gateway::flow::wire::itch50::{self, Message, codes};
use firelane_gateway::flow::wire::normal::{self, Body, InstrumentBody, LONGEST, LevelBody, State, TradeBody, Writer};
use std::collections::BTreeMap;
use zerocopy::byteorder::little_endian::{I64, U64};

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// All goes well.
    Healthy,
    /// It is closed in the middle of its snapshot.
    Torn,
    /// It falls silent, without heartbeats.
    Stalled,
    /// A number is left out.
    Skipping,
    /// It says what is no frame.
    Garbled,
    /// The adapter has lost its venue, and begins anew.
    Lost,
}

/// How to tell of levels.
#[derive(Clone, Debug)]
pub struct LevelsConfig {
    /// The session's date, in days since 1970-01-01: the venue's messages tell the time of day alone.
    pub day: u32,
    /// A heartbeat after so long a silence.
    pub heartbeat: Nanos,
    /// What becomes of a connection: one of these, by weight. None is [`Mode::Healthy`].
    pub modes: Vec<(Mode, u32)>,
    /// What goes wrong does so within about so many frames of a connection.
    pub within: u64,
}

impl LevelsConfig {
    /// What a fault profile means to this server.
    #[must_use]
    pub fn under(faults: Faults, day: u32) -> Self {
        let modes = match faults {
            Faults::None => vec![],
            Faults::Light => vec![(Mode::Healthy, 90), (Mode::Lost, 10)],
            Faults::Heavy => vec![
                (Mode::Healthy, 40),
                (Mode::Torn, 12),
                (Mode::Stalled, 12),
                (Mode::Skipping, 12),
                (Mode::Garbled, 12),
                (Mode::Lost, 12),
            ],
        };
        LevelsConfig { day, heartbeat: Nanos::from_millis(500), modes, within: 4_000 }
    }
}

/// What became of connections.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LevelStats {
    /// Connections.
    pub connections: u64,
    /// Snapshots begun.
    pub snapshots: u64,
    /// Frames written.
    pub frames: u64,
    /// Connections closed in the middle of their snapshot.
    pub torn: u64,
    /// Silent from somewhere on.
    pub stalled: u64,
    /// Numbers left out.
    pub skipped: u64,
    /// Nonsense said.
    pub garbled: u64,
    /// Times that it began anew.
    pub lost: u64,
}

impl LevelStats {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        LevelStats {
            connections: self.connections + other.connections,
            snapshots: self.snapshots + other.snapshots,
            frames: self.frames + other.frames,
            torn: self.torn + other.torn,
            stalled: self.stalled + other.stalled,
            skipped: self.skipped + other.skipped,
            garbled: self.garbled + other.garbled,
            lost: self.lost + other.lost,
        }
    }
}

/// A displayed order.
#[derive(Clone, Copy, Debug)]
struct Shown {
    row: u16,
    side: Side,
    price: i64,
    shares: i64,
}

/// An instrument.
#[derive(Debug)]
struct Row {
    symbol: Symbol,
    lot: i64,
    live: bool,
    trades: bool,
    halted: bool,
    /// Bids and asks: shares and orders by price.
    sides: [BTreeMap<i64, (i64, u32)>; 2],
}

impl Row {
    fn state(&self) -> State {
        if self.trades && !self.halted { State::Open } else { State::Halted }
    }

    fn body(&self) -> InstrumentBody {
        InstrumentBody {
            name: Name::of(self.symbol).0,
            tick: I64::new(100),
            lot: I64::new(self.lot),
            multiplier: I64::new(1),
            price_exponent: -4,
            qty_exponent: 0,
            currency: *b"USD     ",
            live: if self.live { b'Y' } else { b'N' },
            zero: [0; 5],
        }
    }

    fn level(&self, side: Side, price: i64) -> LevelBody {
        let (qty, orders) = self.sides[side as usize].get(&price).copied().unwrap_or_default();
        LevelBody::new(side, price, qty, orders)
    }
}

#[derive(Debug)]
struct Client {
    conn: ConnId,
    writer: Writer,
    spoke_at: Mono,
    /// What becomes of it, after so many more frames.
    mode: Mode,
    left: u64,
    /// It is told nothing any more.
    silent: bool,
    closing: bool,
    out: Vec<u8>,
}

impl Client {
    fn say(&mut self, now: Mono, at: ExchangeTime, number: u32, body: Body<'_>, stats: &mut LevelStats) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.strike(stats),
        }
        if self.silent {
            return;
        }
        let mut buffer = [0; LONGEST];
        if let Some(frame) = self.writer.write(&mut buffer, at, number, body) {
            stats.frames += 1;
            self.spoke_at = now;
            self.out.extend_from_slice(frame);
        }
    }

    /// What was to become of it does. Of one that begins anew the server sees to it.
    fn strike(&mut self, stats: &mut LevelStats) {
        match self.mode {
            Mode::Healthy | Mode::Lost => return,
            Mode::Torn => {
                stats.torn += 1;
                (self.silent, self.closing) = (true, true);
            }
            Mode::Stalled => {
                stats.stalled += 1;
                self.silent = true;
            }
            Mode::Skipping => {
                stats.skipped += 1;
                self.writer = Writer::starting_with(self.writer.next() + 1);
            }
            Mode::Garbled => {
                stats.garbled += 1;
                self.out.extend_from_slice(&[0; normal::HEADER_LENGTH]);
            }
        }
        self.mode = Mode::Healthy;
    }
}

/// The server. After any call [take](Self::take_outputs) what is to be sent.
#[derive(Debug)]
pub struct LevelServer {
    config: LevelsConfig,
    rng: Rng,
    at: ExchangeTime,
    /// Has the market opened, and not closed?
    session: Option<State>,
    /// By the venue's locates, which are the stream's numbers.
    rows: BTreeMap<u16, Row>,
    orders: BTreeMap<VenueRef, Shown>,
    clients: Vec<Client>,
    stats: LevelStats,
}

impl LevelServer {
    /// A server without clients, before the venue's first message.
    #[must_use]
    pub fn new(config: LevelsConfig, seed: u64) -> Self {
        LevelServer {
            at: ExchangeTime::new(config.day, 0),
            config,
            rng: Rng::new(seed, "levels"),
            session: None,
            rows: BTreeMap::new(),
            orders: BTreeMap::new(),
            clients: Vec::new(),
            stats: LevelStats::default(),
        }
    }

    /// From now on all goes well, but for what is silent already.
    pub fn heal(&mut self) {
        self.config.modes.clear();
        self.clients.iter_mut().for_each(|client| client.mode = Mode::Healthy);
    }

    /// What became of connections so far.
    #[must_use]
    pub fn stats(&self) -> LevelStats {
        self.stats
    }

    /// The number of the next frame for a client. `None`: it will not get one.
    #[must_use]
    pub fn next_frame(&self, conn: ConnId) -> Option<u64> {
        let client = self.clients.iter().find(|client| client.conn == conn)?;
        (!client.silent).then(|| client.writer.next())
    }

    /// A client has connected: it is told all that there is.
    pub fn on_connect(&mut self, now: Mono, conn: ConnId) {
        let mode = self.rng.weighted(&self.config.modes).unwrap_or(Mode::Healthy);
        let levels = self.rows.values().flat_map(|row| &row.sides).map(BTreeMap::len).sum::<usize>();
        let left = match mode {
            Mode::Torn => self.rng.below(3 + (3 * self.rows.len() + levels) as u64),
            _ => self.rng.below(self.config.within),
        };
        let writer = Writer::default();
        self.stats.connections += 1;
        let mut client =
            Client { conn, writer, spoke_at: now, mode, left, silent: false, closing: false, out: Vec::new() };
        self.tell_all(now, &mut client);
        self.clients.push(client);
    }

    /// A client's connection is gone.
    pub fn on_close(&mut self, conn: ConnId) {
        self.clients.retain(|client| client.conn != conn);
    }

    /// The adapter has lost its venue: every client is told all anew.
    pub fn begin_anew(&mut self, now: Mono) {
        let mut clients = std::mem::take(&mut self.clients);
        for client in clients.iter_mut().filter(|client| !client.silent) {
            self.stats.lost += 1;
            self.tell_all(now, client);
        }
        self.clients = clients;
    }

    fn tell_all(&mut self, now: Mono, client: &mut Client) {
        let LevelServer { at, session, rows, stats, .. } = self;
        stats.snapshots += 1;
        client.say(now, *at, 0, Body::SnapshotBegin, stats);
        if let Some(state) = session {
            client.say(now, *at, 0, Body::Status(*state), stats);
        }
        for (number, row) in rows.iter().map(|(locate, row)| (u32::from(*locate), row)) {
            client.say(now, *at, number, Body::Instrument(&row.body()), stats);
            client.say(now, *at, number, Body::Status(row.state()), stats);
            client.say(now, *at, number, Body::Clear(None), stats);
            for (side, levels) in [Side::Buy, Side::Sell].into_iter().zip(&row.sides) {
                for (price, (qty, orders)) in levels {
                    let level = LevelBody::new(side, *price, *qty, *orders);
                    client.say(now, *at, number, Body::Level(side, &level), stats);
                }
            }
        }
        client.say(now, *at, 0, Body::SnapshotEnd, stats);
    }

    fn say(&mut self, now: Mono, number: u16, body: Body<'_>) {
        for client in &mut self.clients {
            client.say(now, self.at, number.into(), body, &mut self.stats);
        }
    }

    // ---- The venue's messages --------------------------------------------------------------------------------------

    /// The venue has published a message.
    pub fn on_message(&mut self, now: Mono, message: &[u8]) {
        let Ok(read) = itch50::decode(message) else { return };
        let (locate, ns) = (read.header().stock_locate.get(), read.header().ns());
        self.at = ExchangeTime::new(self.config.day, ns);
        match read {
            Message::SystemEvent(m) => self.on_event(now, m.event_code),
            Message::StockDirectory(m) => {
                let row = self.rows.entry(locate).or_insert_with(|| Row {
                    symbol: m.stock(),
                    lot: 1,
                    live: true,
                    trades: false,
                    halted: false,
                    sides: Default::default(),
                });
                row.lot = i64::from(m.round_lot_size.get()).max(1);
                row.live = m.authenticity != codes::authenticity::TEST;
                let (body, state) = (row.body(), row.state());
                self.say(now, locate, Body::Instrument(&body));
                self.say(now, locate, Body::Status(state));
            }
            Message::StockTradingAction(m) => {
                self.turn(now, locate, |row| row.trades = m.trading_state == codes::trading_state::TRADING);
            }
            Message::OperationalHalt(m) => {
                self.turn(now, locate, |row| row.halted = m.action == codes::operational::HALTED);
            }
            Message::AddOrder(m) => self.add(now, locate, m.order_ref(), (m.side(), m.price(), m.shares.get())),
            Message::AddOrderMpid(m) => self.add(now, locate, m.order_ref(), (m.side(), m.price(), m.shares.get())),
            Message::OrderExecuted(m) => {
                if let Some(order) = self.orders.get(&m.order_ref()).copied() {
                    self.trade(now, locate, order.price, m.shares.get(), m.match_number.get());
                }
                self.take_off(now, m.order_ref(), m.shares.get());
            }
            Message::OrderExecutedWithPrice(m) => {
                if m.is_printable() {
                    self.trade(now, locate, m.price().0, m.shares.get(), m.match_number.get());
                }
                self.take_off(now, m.order_ref(), m.shares.get());
            }
            Message::OrderCancel(m) => self.take_off(now, m.order_ref(), m.shares.get()),
            Message::OrderDelete(m) => self.take_off(now, m.order_ref(), u32::MAX),
            Message::OrderReplace(m) => {
                if let Some(old) = self.orders.get(&m.original_ref()).copied() {
                    self.take_off(now, m.original_ref(), u32::MAX);
                    self.add(now, old.row, m.new_ref(), (Some(old.side), m.price(), m.shares.get()));
                }
            }
            Message::Trade(m) => self.trade(now, locate, m.price().0, m.shares.get(), m.match_number.get()),
            Message::CrossTrade(m) => {
                let shares = u32::try_from(m.shares().0).unwrap_or(u32::MAX);
                self.trade(now, locate, m.price().0, shares, m.match_number.get());
            }
            _ => {}
        }
        self.begin_lost_ones_anew(now);
    }

    fn on_event(&mut self, now: Mono, code: u8) {
        let state = match code {
            codes::event::START_OF_MARKET_HOURS => State::Open,
            codes::event::END_OF_MARKET_HOURS => State::Closed,
            _ => return,
        };
        self.session = Some(state);
        self.say(now, 0, Body::Status(state));
    }

    fn turn(&mut self, now: Mono, locate: u16, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.rows.get_mut(&locate) else { return };
        let before = row.state();
        change(row);
        let state = row.state();
        if state != before {
            self.say(now, locate, Body::Status(state));
        }
    }

    fn add(&mut self, now: Mono, row: u16, order: VenueRef, (side, price, shares): (Option<Side>, Price, u32)) {
        let Some(side) = side else { return };
        let shown = Shown { row, side, price: price.0, shares: shares.into() };
        self.orders.insert(order, shown);
        self.change(now, &shown, |level| {
            level.0 += shown.shares;
            level.1 += 1;
        });
    }

    fn take_off(&mut self, now: Mono, order: VenueRef, shares: u32) {
        let Some(shown) = self.orders.get_mut(&order) else { return };
        let gone = shown.shares.min(shares.into());
        shown.shares -= gone;
        let shown = *shown;
        let is_done = shown.shares == 0;
        if is_done {
            self.orders.remove(&order);
        }
        self.change(now, &shown, |level| {
            level.0 -= gone;
            level.1 -= u32::from(is_done);
        });
    }

    fn change(&mut self, now: Mono, order: &Shown, change: impl FnOnce(&mut (i64, u32))) {
        let Some(row) = self.rows.get_mut(&order.row) else { return };
        let levels = &mut row.sides[order.side as usize];
        let level = levels.entry(order.price).or_default();
        change(level);
        if level.1 == 0 {
            levels.remove(&order.price);
        }
        let level = row.level(order.side, order.price);
        self.say(now, order.row, Body::Level(order.side, &level));
    }

    fn trade(&mut self, now: Mono, locate: u16, price: i64, shares: u32, number: u64) {
        if shares > 0 {
            let body = TradeBody { price: I64::new(price), qty: I64::new(shares.into()), trade: U64::new(number) };
            self.say(now, locate, Body::Trade(&body));
        }
    }

    fn begin_lost_ones_anew(&mut self, now: Mono) {
        let is_lost = |client: &Client| client.mode == Mode::Lost && client.left == 0 && !client.silent;
        if !self.clients.iter().any(is_lost) {
            return;
        }
        let mut clients = std::mem::take(&mut self.clients);
        for client in clients.iter_mut().filter(|client| is_lost(client)) {
            client.mode = Mode::Healthy;
            self.stats.lost += 1;
            self.tell_all(now, client);
        }
        self.clients = clients;
    }

    // ---- Out ---------------------------------------------------------------------------------------------------------

    /// When [`on_timer`](Self::on_timer) has something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let talking = self.clients.iter().filter(|client| !client.silent);
        talking.map(|client| client.spoke_at.after(self.config.heartbeat)).min().unwrap_or(Mono::NEVER)
    }

    /// Heartbeats.
    pub fn on_timer(&mut self, now: Mono) {
        let LevelServer { clients, at, stats, config, .. } = self;
        for client in clients.iter_mut().filter(|client| client.spoke_at.after(config.heartbeat) <= now) {
            client.say(now, *at, 0, Body::Heartbeat, stats);
        }
    }

    /// What is to be sent since the last call, and whether the connection is to be closed then, and is forgotten.
    pub fn take_outputs(&mut self) -> Vec<(ConnId, Vec<u8>, bool)> {
        let has_some = |client: &&mut Client| !client.out.is_empty() || client.closing;
        let clients = self.clients.iter_mut().filter(has_some);
        let out = clients.map(|client| (client.conn, std::mem::take(&mut client.out), client.closing)).collect();
        self.clients.retain(|client| !client.closing);
        out
    }

    /// The symbols that it tells of.
    pub fn symbols(&self) -> impl Iterator<Item = Symbol> {
        self.rows.values().map(|row| row.symbol)
    }

    /// Are its levels those of a displayed book (bids, then asks)?
    ///
    /// # Errors
    /// Where they are not.
    pub fn check(&self, symbol: Symbol, displayed: &[Resting]) -> Result<(), String> {
        let Some(row) = self.rows.values().find(|row| row.symbol == symbol) else { return Ok(()) };
        let mut sides: [BTreeMap<i64, (i64, u32)>; 2] = Default::default();
        for order in displayed {
            let level = sides[order.side as usize].entry(order.price.0).or_default();
            *level = (level.0 + i64::from(order.shares), level.1 + 1);
        }
        if sides == row.sides { Ok(()) } else { Err(format!("the levels of {symbol} are not those of its book")) }
    }
}

#[cfg(test)]
mod tests;
