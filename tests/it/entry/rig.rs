//! A gateway's order entry, tied to a venue made by hand: the session is real on both sides, the venue's words are the
//! test's.

use crate::targets_orders::Wire;
use firelane_gateway::base::{
    ClientId, Digest, Instrument, InstrumentId, InstrumentTable, Mono, Name, Nanos, Price, Qty, SessionId, Side, State,
    Symbol, VenueId,
};
use firelane_gateway::flow::action::{Cancel, Change, Enter, Happening, Replace, Tags, TimeInForce};
use firelane_gateway::flow::entry::{OrderEntry, OuchConfig, OuchEntry, Refused, Stage, cl_ord_id};
use firelane_gateway::flow::orders::{Order, Orders, OrdersConfig, Report, Sent, Sweep, Which};
use firelane_gateway::flow::outbox::{Class, Outbox, Output};
use firelane_gateway::flow::risk::{Facts, Gate, OrderFacts, RiskLimits};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::ouch50::{
    AccountQueryResponse, Capacity, CrossType, Display, EventCode, Inbound, InterMarketSweep, LiquidityFlag,
    MatchNumber, MessageType, OrderAccepted, OrderCanceled, OrderExecuted, OrderReplaced, OrderState, Outbound,
    Side as OuchSide, SystemEvent, TimeInForce as OuchTif, Timestamp, UserRefNum, WirePrice, WireQty,
};
use firelane_gateway::flow::wire::ouch50::{Appendage, CancelReason};
use firelane_gateway::flow::wire::soupbintcp::{ClientConfig, Password, Server, ServerConfig, ServerEvent};
use std::collections::BTreeMap;

pub(super) const HERE: InstrumentId = InstrumentId(0);
pub(super) const SYMBOL: Symbol = Symbol(*b"TEST    ");
const USER: [u8; 6] = *b"LANE01";
const PASSWORD: Password = Password(*b"SECRET    ");
pub(super) const SESSION: [u8; 10] = *b"     DAY01";
pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn config() -> OuchConfig {
    OuchConfig { firm: Some(*b"LANE"), ..OuchConfig::new(ClientConfig::new(USER, PASSWORD)) }
}

/// The venue's end: keeps what it has said, hears what arrives, and answers if it is told to.
pub(super) struct Venue {
    pub(super) server: Server,
    /// Everything that it has said in this session.
    pub(super) said: Vec<Vec<u8>>,
    /// Everything that has arrived.
    pub(super) heard: Vec<Vec<u8>>,
    /// Answers by itself.
    pub(super) answers: bool,
    /// Does not hear requests of these types.
    pub(super) deaf: Vec<u8>,
    /// The largest token taken.
    pub(super) last: u32,
    /// Open shares by token.
    pub(super) open: BTreeMap<u32, u32>,
    wire: Wire,
    pub(super) connections: u32,
}

pub(super) fn encode(message: Outbound<'_>) -> Vec<u8> {
    let mut bytes = [0; 256];
    let length = message.encode_into(&mut bytes).unwrap();
    bytes[..length].to_vec()
}

pub(super) fn accepted(token: u32, side: OuchSide, qty: u32, price: u64, cl_ord_id: [u8; 14]) -> OrderAccepted {
    OrderAccepted {
        message_type: MessageType::NEW,
        timestamp: Timestamp(1).into(),
        user_ref_num: UserRefNum(token).into(),
        side,
        quantity: WireQty::from_shares(qty),
        symbol: SYMBOL.0,
        price: WirePrice::from_bits(price),
        time_in_force: OuchTif::DAY,
        display: Display::VISIBLE,
        order_reference: firelane_gateway::base::VenueRef(1_000 + u64::from(token)).into(),
        capacity: Capacity::PRINCIPAL,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cross_type: CrossType::CONTINUOUS,
        order_state: OrderState::LIVE,
        cl_ord_id,
    }
}

pub(super) fn replaced(orig: u32, a: OrderAccepted) -> OrderReplaced {
    OrderReplaced {
        message_type: MessageType::NEW,
        timestamp: a.timestamp,
        orig_user_ref_num: UserRefNum(orig).into(),
        user_ref_num: a.user_ref_num,
        side: a.side,
        quantity: a.quantity,
        symbol: a.symbol,
        price: a.price,
        time_in_force: a.time_in_force,
        display: a.display,
        order_reference: a.order_reference,
        capacity: a.capacity,
        inter_market_sweep: a.inter_market_sweep,
        cross_type: a.cross_type,
        order_state: a.order_state,
        cl_ord_id: a.cl_ord_id,
    }
}

pub(super) fn executed(token: u32, qty: u32, price: u64, trade: u64) -> Vec<u8> {
    let message = OrderExecuted {
        message_type: MessageType::NEW,
        timestamp: Timestamp(1).into(),
        user_ref_num: UserRefNum(token).into(),
        quantity: WireQty::from_shares(qty),
        price: WirePrice::from_bits(price),
        liquidity: LiquidityFlag::ADDED,
        match_number: MatchNumber(trade).into(),
    };
    encode(Outbound::OrderExecuted(&message, Appendage::EMPTY))
}

pub(super) fn canceled(token: u32, qty: u32) -> Vec<u8> {
    let message = OrderCanceled {
        message_type: MessageType::NEW,
        timestamp: Timestamp(1).into(),
        user_ref_num: UserRefNum(token).into(),
        quantity: WireQty::from_shares(qty),
        reason: CancelReason::USER,
    };
    encode(Outbound::OrderCanceled(&message, Appendage::NONE))
}

pub(super) fn next_token(next: u32) -> Vec<u8> {
    let message = AccountQueryResponse {
        message_type: MessageType::NEW,
        timestamp: Timestamp(1).into(),
        next_user_ref_num: UserRefNum(next).into(),
    };
    encode(Outbound::AccountQueryResponse(&message, Appendage::NONE))
}

pub(super) fn event(event: EventCode) -> Vec<u8> {
    let message = SystemEvent { message_type: MessageType::NEW, timestamp: Timestamp(1).into(), event };
    encode(Outbound::SystemEvent(&message))
}

pub(super) fn name(id: u64) -> [u8; 14] {
    cl_ord_id(ClientId(id), Tags::default()).unwrap()
}

impl Venue {
    fn new() -> Self {
        Venue {
            server: Server::new(ServerConfig::new(USER, PASSWORD, SESSION)),
            said: Vec::new(),
            heard: Vec::new(),
            answers: true,
            deaf: Vec::new(),
            last: 0,
            open: BTreeMap::new(),
            wire: Wire::default(),
            connections: 0,
        }
    }

    /// Says something new: kept for whoever logs in later, sent to who is logged in.
    pub(super) fn say(&mut self, now: Mono, message: Vec<u8>) {
        if self.server.is_live() {
            self.server.send_sequenced(now, &[&message], &mut self.wire).unwrap();
        }
        self.said.push(message);
    }

    fn hear(&mut self, now: Mono, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.server.on_bytes(now, rest);
            rest = &rest[taken..];
            let head = self.said.len() as u64 + 1;
            while let Some(event) = self.server.next_event(now, head, &mut self.wire) {
                match event {
                    ServerEvent::Replay { from } => {
                        for message in &self.said[from as usize - 1..] {
                            self.server.send_sequenced(now, &[message], &mut self.wire).unwrap();
                        }
                    }
                    ServerEvent::Unsequenced(message) => {
                        let message = message.to_vec();
                        self.take(now, message);
                    }
                    _ => {}
                }
            }
        }
    }

    fn take(&mut self, now: Mono, message: Vec<u8>) {
        if self.deaf.contains(&message[0]) {
            return;
        }
        self.heard.push(message.clone());
        if !self.answers {
            return;
        }
        match Inbound::decode(&message).unwrap() {
            Inbound::EnterOrder(m, _) if m.user_ref_num.get().0 > self.last => {
                let token = m.user_ref_num.get().0;
                self.last = token;
                self.open.insert(token, m.quantity.shares());
                let a = accepted(token, m.side, m.quantity.shares(), m.price.bits(), m.cl_ord_id);
                self.say(now, encode(Outbound::OrderAccepted(&a, Appendage::EMPTY)));
            }
            Inbound::ReplaceOrder(m, _) => {
                let (orig, token) = (m.orig_user_ref_num.get().0, m.user_ref_num.get().0);
                if self.open.remove(&orig).is_some() {
                    self.last = token;
                    self.open.insert(token, m.quantity.shares());
                    let a = accepted(token, OuchSide::BUY, m.quantity.shares(), m.price.bits(), m.cl_ord_id);
                    self.say(now, encode(Outbound::OrderReplaced(&replaced(orig, a), Appendage::EMPTY)));
                }
            }
            Inbound::CancelOrder(m, _) => {
                let token = m.user_ref_num.get().0;
                if let Some(open) = self.open.remove(&token) {
                    self.say(now, canceled(token, open));
                }
            }
            Inbound::AccountQuery(..) => self.say(now, next_token(self.last + 1)),
            _ => {}
        }
    }
}

pub(super) struct Rig {
    pub(super) now: Mono,
    pub(super) entry: OuchEntry,
    pub(super) orders: Orders,
    pub(super) gate: Gate,
    pub(super) table: InstrumentTable,
    pub(super) out: Outbox,
    pub(super) venue: Venue,
    /// What order entry reported, and what it did to orders.
    pub(super) reports: Vec<Report>,
    pub(super) changes: Vec<Change>,
    /// What left, by class.
    pub(super) sent: Vec<(Class, Vec<u8>)>,
    /// Bytes that may still pass before the connection breaks: to the gateway, to the venue.
    pub(super) down_left: usize,
    pub(super) up_left: usize,
    /// Hand over this many bytes at a time.
    pub(super) chunk: usize,
    pub(super) connected: bool,
    /// Cancel what lives when order entry asks for it.
    pub(super) sweeps: bool,
    sweep: Sweep,
}

impl Rig {
    pub(super) fn new(config: OuchConfig) -> Self {
        let orders = OrdersConfig {
            capacity: 64,
            retained: 64,
            fills: 64,
            instruments: 3,
            venues: 1,
            first_id: 1,
            request_timeout: Nanos(SECOND / 2),
        };
        let listed = Instrument { tick: 1, ..Instrument::us_equity(SYMBOL) };
        let cents = Instrument { name: Symbol(*b"CENTS   ").into(), price_exponent: -2, ..listed };
        let long = Instrument { name: Name::new("NINECHARS").unwrap(), ..listed };
        Rig {
            now: Mono(SECOND),
            entry: OuchEntry::new(config).unwrap(),
            orders: Orders::new(&orders).unwrap(),
            gate: Gate::new(&RiskLimits::widest(), 3).unwrap(),
            table: InstrumentTable::new(&[listed, cents, long], 3, false),
            out: Outbox::new(0),
            venue: Venue::new(),
            reports: Vec::new(),
            changes: Vec::new(),
            sent: Vec::new(),
            down_left: usize::MAX,
            up_left: usize::MAX,
            chunk: usize::MAX,
            connected: false,
            sweeps: true,
            sweep: Sweep::new(Which::All, Nanos(SECOND)),
        }
    }

    /// Up and trading.
    pub(super) fn ready() -> Self {
        let mut rig = Rig::new(config());
        rig.start();
        rig.pass(3 * SECOND);
        assert_eq!(rig.entry.stage(), Stage::Ready);
        rig
    }

    pub(super) fn start(&mut self) {
        self.entry.start(self.now, &mut self.out);
        self.settle();
    }

    /// Lets time pass, timer by timer.
    pub(super) fn pass(&mut self, ns: u64) {
        let end = Mono(self.now.0 + ns);
        loop {
            let sweep = if self.entry.stage() == Stage::Sweeping { self.sweep.next_deadline() } else { Mono::NEVER };
            let next = self.entry.next_deadline().min(self.orders.next_deadline()).min(sweep);
            let next = next.min(self.venue.server.next_deadline()).max(self.now);
            if next > end {
                break;
            }
            // A deadline that does not move on would hang the lane as well.
            self.now = if next == self.now { Mono(self.now.0 + 1) } else { next };
            self.entry.on_timer(self.now, &mut self.out);
            self.venue.server.on_timer(self.now, &mut self.venue.wire);
            self.settle();
        }
        self.now = end;
    }

    /// Hands everything over, both ways, until nothing moves.
    pub(super) fn settle(&mut self) {
        loop {
            self.drain();
            let outputs: Vec<_> = self.out.outputs().map(own).collect();
            self.out.clear();
            let to_lane = std::mem::take(&mut self.venue.wire.0);
            if outputs.is_empty() && to_lane.is_empty() {
                return;
            }
            for output in outputs {
                match output {
                    Owned::Connect => self.connect(),
                    Owned::Disconnect => self.close(),
                    Owned::Send(class, bytes) => {
                        self.sent.push((class, bytes.clone()));
                        let passes = bytes.len().min(self.up_left);
                        self.up_left -= passes.min(self.up_left);
                        if self.connected {
                            self.venue.hear(self.now, &bytes[..passes]);
                        }
                        if passes < bytes.len() || self.venue.server.must_close() {
                            self.close();
                        }
                    }
                }
            }
            if self.connected && !to_lane.is_empty() {
                let passes = to_lane.len().min(self.down_left);
                self.down_left -= passes;
                for piece in to_lane[..passes].chunks(self.chunk.min(1 << 20)) {
                    self.bytes(piece);
                }
                if passes < to_lane.len() {
                    self.close();
                }
            }
        }
    }

    pub(super) fn bytes(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.entry.on_session(self.now, SessionInput::Bytes(bytes), &mut self.out);
            bytes = &bytes[taken..];
            self.drain();
        }
    }

    fn connect(&mut self) {
        self.venue.connections += 1;
        self.connected = true;
        self.venue.server.on_connected(self.now);
        self.entry.on_session(self.now, SessionInput::Connected, &mut self.out);
    }

    /// The connection breaks, and limits on what may pass are over.
    pub(super) fn close(&mut self) {
        if std::mem::take(&mut self.connected) {
            (self.down_left, self.up_left) = (usize::MAX, usize::MAX);
            self.venue.server.on_closed(self.now);
            self.venue.wire.0.clear();
            self.entry.on_session(self.now, SessionInput::Closed, &mut self.out);
        }
    }

    /// What a lane does with what order entry says.
    fn drain(&mut self) {
        while let Some(report) = self.entry.next_report(self.now, &mut self.out) {
            self.reports.push(report);
            let change = self.orders.adopt(VenueId(0), &report, |symbol| self.table.find(VenueId(0), symbol));
            self.changes.extend(change);
        }
        while let Some(change) = self.orders.timed_out(self.now) {
            self.changes.push(change);
        }
        if self.orders.is_overdue(VenueId(0)) {
            self.entry.confirm(self.now, &mut self.out);
        }
        if self.sweeps && self.entry.stage() == Stage::Sweeping {
            while let Some(cancel) = self.sweep.next(self.now, &self.orders) {
                let _ = self.cancel_quietly(cancel);
            }
            if self.sweep.is_done(&self.orders) {
                self.entry.swept(self.now, &mut self.out);
            }
        }
    }

    pub(super) fn asked(side: Side, price: i64, qty: i64) -> Enter {
        Enter {
            instrument: HERE,
            side,
            price: Price(price),
            qty: Qty(qty),
            tif: TimeInForce::Day,
            post_only: false,
            tags: Tags::default(),
        }
    }

    /// Asks the gate, sends, and tells the order table.
    pub(super) fn enter(&mut self, enter: Enter) -> Result<ClientId, Refused> {
        let facts = facts(&self.table, self.now);
        let approved = self.gate.enter(enter, &facts).unwrap().first;
        let mark = approved.mark;
        let id = self.orders.next_id();
        let row = self.table.get(enter.instrument).unwrap();
        let sent = self.entry.enter(self.now, approved, id, row, &mut self.out)?;
        self.changes.extend(self.orders.opened(self.now, VenueId(0), &enter, mark, sent));
        Ok(id)
    }

    pub(super) fn buy(&mut self, price: i64, qty: i64) -> ClientId {
        self.enter(Rig::asked(Side::Buy, price, qty)).unwrap()
    }

    pub(super) fn replace(&mut self, order: ClientId, price: i64, qty: i64) -> Result<Sent, Refused> {
        let replace = Replace { order, price: Price(price), qty: Qty(qty) };
        let known = *self.orders.get(order).unwrap();
        let facts = facts(&self.table, self.now);
        let approved = self.gate.replace(replace, &order_facts(&known), &facts).unwrap();
        let sent = self.entry.replace(self.now, approved, &known, &mut self.out)?;
        self.changes.extend(self.orders.replace_sent(self.now, &replace, sent));
        Ok(sent)
    }

    pub(super) fn cancel(&mut self, order: ClientId, keep: i64) -> Result<Sent, Refused> {
        self.cancel_quietly(Cancel { order, keep: Qty(keep) })
    }

    fn cancel_quietly(&mut self, cancel: Cancel) -> Result<Sent, Refused> {
        let known = *self.orders.get(cancel.order).unwrap();
        let approved = self.gate.cancel(cancel, &order_facts(&known), self.now).unwrap();
        let sent = self.entry.cancel(self.now, approved, &known, &mut self.out)?;
        self.changes.extend(self.orders.cancel_sent(self.now, &cancel, sent));
        Ok(sent)
    }

    pub(super) fn say(&mut self, message: Vec<u8>) {
        self.venue.say(self.now, message);
        self.settle();
    }

    /// What the last message from the venue did.
    pub(super) fn told(&mut self, message: Vec<u8>) -> Change {
        let before = self.changes.len();
        self.say(message);
        assert_eq!(self.changes.len(), before + 1, "one message, one change");
        self.changes[before]
    }

    pub(super) fn position(&self) -> i64 {
        let fills = self.changes.iter().flat_map(|c| [c.fill, c.reversed].map(|f| (c.side, f)));
        fills.filter_map(|(side, fill)| Some(side.sign() * fill?.qty.0)).sum()
    }

    pub(super) fn happened(&self, what: Happening) -> usize {
        self.changes.iter().filter(|c| c.what == what).count()
    }

    /// The messages of a type that reached the venue.
    pub(super) fn heard(&self, letter: u8) -> Vec<&[u8]> {
        self.venue.heard.iter().filter(|m| m[0] == letter).map(Vec::as_slice).collect()
    }

    pub(super) fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        self.entry.save(&mut digest);
        self.orders.save(&mut digest);
        digest.value()
    }
}

pub(super) fn facts(table: &InstrumentTable, now: Mono) -> Facts<'_> {
    Facts {
        now,
        instrument: table.get(HERE).unwrap(),
        best_bid: None,
        best_ask: None,
        fresh: true,
        tradable: true,
        collar: None,
        short_restricted: false,
        own_best_bid: None,
        own_best_ask: None,
        crossed: false,
        room: 2,
    }
}

pub(super) fn order_facts(order: &Order) -> OrderFacts {
    OrderFacts {
        instrument: order.instrument,
        strategy: order.tags.strategy,
        side: order.side,
        mark: order.mark,
        price: order.limit,
        executed: order.executed,
        decremented: order.decremented,
        open: order.open,
        exposure: order.exposure(),
        pending: false,
        cancel: None,
    }
}

enum Owned {
    Connect,
    Disconnect,
    Send(Class, Vec<u8>),
}

fn own(output: Output<'_>) -> Owned {
    match output {
        Output::Connect(_, SessionId::ORDERS) => Owned::Connect,
        Output::Disconnect(_, SessionId::ORDERS) => Owned::Disconnect,
        Output::Send { session: SessionId::ORDERS, class, bytes, .. } => Owned::Send(class, bytes.to_vec()),
        other => panic!("{other:?} is not of the order session"),
    }
}
