//! A lane with a venue on its other side: hand-made market packets, and an OUCH port that answers by rote.
//!
//! The lane's strategy does what the market data says: see [`Told`]. So a run is a list of inputs and nothing else,
//! which can be fed to another lane, recorded, cut differently, or mutated.
#![allow(unreachable_pub, dead_code)] // each user of the rig takes what it needs

use firelane_gateway::base::{
    AccountId, ClientId, Instrument, InstrumentId, LineId, Mono, Nanos, PerVenue, Price, Qty, SessionId, Side,
    StrategyId, Symbol, VenueId,
};
use firelane_gateway::flow::action::{Action, Cancel, Enter, MassCancel, Replace, Tags, TimeInForce};
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::entry::{Away, OuchConfig, OuchEntry};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::feed::{FeedConfig, RerequestConfig, SnapshotConfig};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::OrdersConfig;
use firelane_gateway::flow::outbox::{Class, Outbox, Output, Progress};
use firelane_gateway::flow::record::{Alert, AlertBody, DecisionBody, Kind};
use firelane_gateway::flow::risk::RiskLimits;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig, Signal};
use firelane_gateway::flow::strategy::{Actions, Awaits, Strategy, View};
use firelane_gateway::flow::trading::TradingConfig;
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wire::itch50::length_of;
use firelane_gateway::flow::wire::moldudp64::{PacketBuilder, heartbeat};
use firelane_gateway::flow::wire::soupbintcp::{
    ClientConfig, LoginAccepted, Packet, Password, Server, ServerConfig, ServerEvent, Sink, format_number,
};
use firelane_gateway::flow::wiring::{Parts, Policy, Wiring};
use firelane_gateway::flow::{Arrival, CommandBuf, Gateway, Input, Machine, Word};
use firelane_gateway::shell::config::{Config, VenueConfig};
use firelane_gateway::shell::plug::{House, Nasdaq};
use std::collections::BTreeMap;
use zerocopy::{FromBytes, IntoBytes};

pub const A: LineId = LineId::A;
pub const B: LineId = LineId::B;
pub const R: LineId = LineId::REREQUEST;
pub const DAY: [u8; 10] = *b"20261121AB";
pub const NEXT_DAY: [u8; 10] = *b"20261122AB";
/// The first instrument of [`opening`], and the second.
pub const X: InstrumentId = InstrumentId(0);
pub const Y: InstrumentId = InstrumentId(1);
pub const PASSWORD: [u8; 10] = firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;

// ---- market messages ----------------------------------------------------------------------------------------------

/// A message of `kind` from `locate`: zeroes, with `fields` written at their offsets.
pub fn message(kind: u8, locate: u16, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; length_of(kind).unwrap()];
    bytes[0] = kind;
    bytes[1..3].copy_from_slice(&locate.to_be_bytes());
    bytes[5..11].copy_from_slice(&36_000_000_000_000u64.to_be_bytes()[2..]);
    for (offset, field) in fields {
        bytes[*offset..][..field.len()].copy_from_slice(field);
    }
    bytes
}

/// The symbol of a locate: `S1`, `S2`, ...
pub fn symbol(locate: u16) -> [u8; 8] {
    Symbol::new(&format!("S{locate}")).unwrap().0
}

pub fn directory(locate: u16) -> Vec<u8> {
    message(b'R', locate, &[(11, &symbol(locate)), (21, &100u32.to_be_bytes()), (29, b"P")])
}

pub fn action(locate: u16, state: &[u8; 1]) -> Vec<u8> {
    message(b'H', locate, &[(11, &symbol(locate)), (19, state)])
}

pub fn phase(code: &[u8; 1]) -> Vec<u8> {
    message(b'S', 0, &[(11, code)])
}

pub fn add(locate: u16, order: u64, side: &[u8; 1], shares: u32, price: u32) -> Vec<u8> {
    let (order, shares, price) = (order.to_be_bytes(), shares.to_be_bytes(), price.to_be_bytes());
    message(b'A', locate, &[(11, &order), (19, side), (20, &shares), (24, &symbol(locate)), (32, &price)])
}

pub fn execute(locate: u16, order: u64, shares: u32, trade: u64) -> Vec<u8> {
    let (order, shares, trade) = (order.to_be_bytes(), shares.to_be_bytes(), trade.to_be_bytes());
    message(b'E', locate, &[(11, &order), (19, &shares), (23, &trade)])
}

pub fn delete(locate: u16, order: u64) -> Vec<u8> {
    message(b'D', locate, &[(11, &order.to_be_bytes())])
}

/// One byte too long for its type; its locate can be read.
pub fn malformed(locate: u16) -> Vec<u8> {
    let mut bytes = delete(locate, 1);
    bytes.push(0);
    bytes
}

/// What a test tells [`Told`] to do, by the match number of a trade message (which leaves the book alone).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Do {
    Nothing = 0,
    Buy = 1,
    Sell = 2,
    /// The oldest own order that awaits nothing, to this liability and price.
    Replace = 3,
    /// The oldest own order.
    Cancel = 4,
    CancelAll = 5,
    BuyNow = 6,
    /// So many buys at once, of 100 each.
    BuyMany = 7,
    /// Buy on a timer, so many nanoseconds from now.
    BuyLater = 8,
}

pub fn tell(locate: u16, what: Do, shares: u32, price: u32) -> Vec<u8> {
    let (shares, price, trade) = (shares.to_be_bytes(), price.to_be_bytes(), (what as u64).to_be_bytes());
    let stock = symbol(locate);
    message(b'P', locate, &[(19, b"B"), (20, &shares), (24, &stock), (32, &price), (36, &trade)])
}

/// Market hours, and each of so many symbols trading, with 300 bid at 10.00 and 500 offered at 10.10 (references
/// 1000 x locate and the next).
pub fn opening(symbols: u16) -> Vec<Vec<u8>> {
    let mut all = vec![phase(b"O"), phase(b"S"), phase(b"Q")];
    for locate in 1..=symbols {
        let first = u64::from(locate) * 1_000;
        all.extend([directory(locate), action(locate, b"T")]);
        all.extend([add(locate, first, b"B", 300, 100_000), add(locate, first + 1, b"S", 500, 101_000)]);
    }
    all
}

pub fn packet(session: [u8; 10], first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let mut builder = PacketBuilder::new(&mut buffer, session, first).unwrap();
    messages.iter().for_each(|m| builder.push(m).unwrap());
    builder.finish().to_vec()
}

// ---- the lane -----------------------------------------------------------------------------------------------------

/// A strategy that does what the last trade message says ([`Do`]).
#[derive(Debug, Default)]
pub struct Told {
    later: Option<(Mono, InstrumentId)>,
}

impl Told {
    fn enter((instrument, tags): (InstrumentId, Tags), side: Side, qty: Qty, price: Price, tif: TimeInForce) -> Action {
        Action::Enter(Enter { instrument, side, price, qty, tif, post_only: false, tags })
    }
}

firelane_gateway::state! { Told { later } }

impl Strategy<Imbalance> for Told {
    fn on_event(&mut self, id: InstrumentId, event: &Event, view: &View<'_, Imbalance>, ask: &mut Actions) {
        let EventKind::Trade { qty, price, trade } = event.kind else { return };
        let (whose, day) = ((id, view.tags()), TimeInForce::Day);
        let mut own = view.own(id);
        match trade {
            1 => drop(ask.push(Self::enter(whose, Side::Buy, qty, price, day))),
            2 => drop(ask.push(Self::enter(whose, Side::Sell, qty, price, day))),
            3 => {
                if let Some(order) = own.find(|o| o.awaits == Awaits::Nothing) {
                    ask.push(Action::Replace(Replace { order: order.order, price, qty }));
                }
            }
            4 => {
                if let Some(order) = own.next() {
                    ask.push(Action::Cancel(Cancel { order: order.order, keep: Qty::ZERO }));
                }
            }
            5 => drop(ask.push(Action::MassCancel(MassCancel { instrument: Some(id) }))),
            6 => drop(ask.push(Self::enter(whose, Side::Buy, qty, price, TimeInForce::ImmediateOrCancel))),
            7 => (0..qty.0).for_each(|n| {
                ask.push(Self::enter(whose, Side::Buy, Qty(100), Price(price.0 - 100 * n), day));
            }),
            8 => self.later = Some((view.now().after(Nanos(qty.0.cast_unsigned())), id)),
            _ => {}
        }
    }

    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, Imbalance>, ask: &mut Actions) {
        self.later = None;
        ask.push(Self::enter((id, view.tags()), Side::Buy, Qty(100), Price(99_000), TimeInForce::Day));
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.later
    }
}

/// Nasdaq, as the desk wires it.
pub type Desk<S, G = Imbalance> = Nasdaq<G, S, ()>;

/// Everything about a lane that tests vary.
#[derive(Clone)]
pub struct Setup {
    pub policy: Policy,
    pub feed: FeedConfig,
    pub trading: TradingConfig,
    pub books: BookCapacity,
    pub orders: OrdersConfig,
    pub entry: OuchConfig,
    pub risk: RiskLimits,
    pub instruments: usize,
    /// The symbols that it follows, if it is not to follow all that the directory names: `S1`, `S2`, ... by number.
    pub listed: Option<Vec<u16>>,
}

pub const GAP: Nanos = Nanos(100_000);
pub const REPLY: Nanos = Nanos(1_000_000);

impl Default for Setup {
    fn default() -> Self {
        let mut entry = OuchConfig::new(ClientConfig::new(*b"FIRE  ", Password(PASSWORD)));
        entry.firm = Some(*b"FIRE");
        Setup {
            policy: Policy::default(),
            feed: FeedConfig {
                window_messages: 4_096,
                gap_timeout: GAP,
                line_timeout: Nanos::from_secs(3_600),
                rerequest: RerequestConfig { enabled: true, max_messages: 4_000, reply_timeout: REPLY, retries: 1 },
                snapshot: Some(SnapshotConfig {
                    username: *b"FIRE  ",
                    password: Password(PASSWORD),
                    timeout: Nanos::from_millis(100),
                    retries: 2,
                    retry_after: Nanos::from_millis(10),
                    slow_retry_after: Nanos::from_millis(50),
                    buffer_bytes: 256,
                }),
                ..FeedConfig::default()
            },
            trading: TradingConfig::default(),
            books: BookCapacity { instruments: 8, orders: 8_192, levels: 1_024, own: 64 },
            orders: OrdersConfig {
                capacity: 64,
                retained: 64,
                fills: 256,
                instruments: 8,
                venues: 1,
                first_id: 1,
                request_timeout: Nanos::from_millis(500),
            },
            entry,
            risk: RiskLimits::widest(),
            instruments: 8,
            listed: None,
        }
    }
}

impl Setup {
    /// As a configuration.
    pub fn config(&self) -> Config {
        let listed = self.listed.iter().flatten().map(|n| Instrument::us_equity(Symbol(symbol(*n))));
        let config = Config::parse("").unwrap();
        let venue = VenueConfig {
            day: 20_000,
            books: self.books,
            feed: self.feed,
            trading: self.trading,
            entry: self.entry.clone(),
            ..config.venues.first().clone()
        };
        let venues = PerVenue::one(venue.clone());
        Config {
            // As many of one kind as there is room for orders of.
            venues: (1..self.orders.venues).fold(venues, |venues, _| venues.and(venue.clone())),
            listed: listed.collect(),
            directory: self.listed.is_none(),
            instruments: self.instruments,
            risk: self.risk,
            orders: self.orders,
            tags: Tags { account: AccountId(7), strategy: StrategyId(1), ..Tags::default() },
            policy: self.policy,
            ..config
        }
    }
}

/// The parts of a lane.
pub fn parts<S: Strategy<Imbalance>>(setup: &Setup, strategy: S) -> Parts<Desk<S>> {
    parts_with(setup, Imbalance::new(&ImbalanceConfig::default()).unwrap(), strategy)
}

/// The parts of a lane with a signal of one's own.
pub fn parts_with<G: Signal, S: Strategy<G>>(setup: &Setup, signal: G, strategy: S) -> Parts<Desk<S, G>> {
    House::new(&setup.config(), ()).with(signal, strategy).unwrap()
}

/// What one venue of a lane is made of.
pub fn venue_parts(setup: &Setup, venue: VenueId) -> VenueParts<Multicast<ItchLine, OuchEntry>> {
    let mut config = setup.config();
    let one = config.venues.first().clone();
    config.venues = (0..venue.0).fold(PerVenue::one(one.clone()), |venues, _| venues.and(one.clone()));
    House::new(&config, ()).venue(venue).unwrap()
}

/// Builds a lane.
pub fn lane<S: Strategy<Imbalance>>(setup: &Setup, strategy: S) -> Gateway<Desk<S>> {
    Gateway::new(parts(setup, strategy)).unwrap()
}

/// An input that owns its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // a command is of fixed size, whatever it says
pub enum Given {
    Packet(LineId, Vec<u8>),
    Connected(SessionId),
    Bytes(SessionId, Vec<u8>),
    Closed(SessionId),
    Command(CommandBuf),
    Timer(Machine),
    Blocked(SessionId),
    Writable(SessionId),
    Dropped(SessionId, Vec<u8>),
}

impl Given {
    pub fn as_input(&self) -> Input<'_> {
        match self {
            Given::Packet(line, bytes) => Input::Packet(Arrival::on(VenueId::FIRST, *line), bytes),
            Given::Connected(session) => Input::Session(VenueId::FIRST, *session, SessionInput::Connected),
            Given::Bytes(session, bytes) => Input::Session(VenueId::FIRST, *session, SessionInput::Bytes(bytes)),
            Given::Closed(session) => Input::Session(VenueId::FIRST, *session, SessionInput::Closed),
            Given::Command(command) => Input::Command(command.bytes()),
            Given::Timer(machine) => Input::Timer(*machine),
            Given::Blocked(session) => Input::Session(VenueId::FIRST, *session, SessionInput::Blocked),
            Given::Writable(session) => Input::Session(VenueId::FIRST, *session, SessionInput::Writable),
            Given::Dropped(session, frames) => Input::Session(VenueId::FIRST, *session, SessionInput::Dropped(frames)),
        }
    }
}

/// An effect that owns its bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    Datagram(Vec<u8>),
    Send(SessionId, Class, Vec<u8>),
    Connect(SessionId),
    Disconnect(SessionId),
    Snapshot,
}

/// What a lane did: its effects, and the tape as (kind, body).
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Trace {
    pub effects: Vec<Effect>,
    pub tape: Vec<(u8, Vec<u8>)>,
}

impl Trace {
    pub fn take(&mut self, out: &mut Outbox) {
        for output in out.outputs() {
            match output {
                Output::Datagram(_, bytes) => self.effects.push(Effect::Datagram(bytes.to_vec())),
                Output::Send { session, class, bytes, .. } => {
                    self.effects.push(Effect::Send(session, class, bytes.to_vec()));
                }
                Output::Connect(_, session) => self.effects.push(Effect::Connect(session)),
                Output::Disconnect(_, session) => self.effects.push(Effect::Disconnect(session)),
                Output::Snapshot(_) => self.effects.push(Effect::Snapshot),
                Output::Tape(record) => self.tape.push((record[4], record[24..].to_vec())),
            }
        }
        assert_eq!(out.overflowed(), 0, "a step wrote more than it asked room for");
        out.clear();
    }
}

/// One input to its end. Says how often the lane had to be resumed.
pub fn feed<W: Wiring>(
    lane: &mut Gateway<W>,
    now: Mono,
    input: Input<'_>,
    out: &mut Outbox,
    mut drain: impl FnMut(&mut Outbox),
) -> usize {
    let mut resumed = 0;
    let mut progress = lane.on_input(now, input, out);
    drain(out);
    while progress == Progress::Again {
        resumed += 1;
        assert!(resumed < 100_000, "an input without an end");
        progress = lane.resume(input, out);
        drain(out);
    }
    resumed
}

// ---- the venue ----------------------------------------------------------------------------------------------------

#[derive(Default)]
struct Wire(Vec<u8>);

impl Sink for Wire {
    fn write(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|p| self.0.extend_from_slice(p));
    }
}

pub fn soup(packet: Packet<'_>) -> Vec<u8> {
    let mut wire = Wire::default();
    packet.send(&mut wire).unwrap();
    wire.0
}

/// An order as the port remembers it.
#[derive(Clone, Debug)]
pub struct Resting {
    pub open: u32,
    pub executed: u32,
    pub reference: u64,
    request: Vec<u8>,
}

/// An OUCH port: SoupBinTCP around answers by rote. What it says is kept, to be repeated after a login.
pub struct Venue {
    server: Server,
    said: Vec<Vec<u8>>,
    /// What the lane asked, in order.
    pub asked: Vec<Vec<u8>>,
    pub orders: BTreeMap<u32, Resting>,
    /// Does it answer at all? If not, tests do.
    pub answers: bool,
    /// Does it accept connections?
    pub up: bool,
    /// Heartbeats of the lane's.
    pub beats: u64,
    next_token: u32,
    next_reference: u64,
    next_trade: u64,
    connected: bool,
    logged_out: bool,
}

const STAMP: [u8; 8] = 36_000_000_000_000u64.to_be_bytes();

fn outbound(letter: u8, parts: &[&[u8]]) -> Vec<u8> {
    [&[letter], &STAMP[..], &parts.concat()].concat()
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes[..4].try_into().unwrap())
}

impl Venue {
    pub fn new() -> Self {
        Venue {
            server: Server::new(ServerConfig::new(*b"FIRE  ", Password(PASSWORD), *b"    FIRE01")),
            said: Vec::new(),
            asked: Vec::new(),
            orders: BTreeMap::new(),
            answers: true,
            up: true,
            beats: 0,
            next_token: 1,
            next_reference: 5_000_001,
            next_trade: 1,
            connected: false,
            logged_out: false,
        }
    }

    /// The same port, for the next run of a lane: no connection, its messages kept.
    pub fn restarted(self) -> Self {
        let fresh = Venue::new();
        Venue { server: fresh.server, connected: false, asked: Vec::new(), logged_out: false, ..self }
    }

    /// Accepted, as an answer to `request`; the order then rests.
    pub fn accept(&mut self, request: &[u8]) -> Vec<u8> {
        let (token, reference) = (number(&request[1..]), self.next_reference);
        self.next_reference += 1;
        self.orders
            .insert(token, Resting { open: number(&request[6..]), executed: 0, reference, request: request.to_vec() });
        outbound(b'A', &[&request[1..28], &reference.to_be_bytes(), &request[28..31], b"L", &request[31..45], &[0, 0]])
    }

    /// Replaced. `None`: the original is dead.
    pub fn replace(&mut self, request: &[u8]) -> Option<Vec<u8>> {
        let (orig, token) = (number(&request[1..]), number(&request[5..]));
        let mut resting = self.orders.remove(&orig)?;
        resting.open = number(&request[9..]).saturating_sub(resting.executed);
        resting.reference = self.next_reference;
        self.next_reference += 1;
        let (side, stock) = (resting.request[5], resting.request[10..18].to_vec());
        let report = outbound(
            b'U',
            &[
                &request[1..9],
                &[side],
                &resting.open.to_be_bytes(),
                &stock,
                &request[13..23],
                &resting.reference.to_be_bytes(),
                &resting.request[28..29],
                b"N",
                b"N",
                b"L",
                &request[24..38],
                &[0, 0],
            ],
        );
        self.orders.insert(token, resting);
        Some(report)
    }

    /// Canceled, whole. `None`: there is nothing to cancel.
    pub fn cancel(&mut self, token: u32) -> Option<Vec<u8>> {
        let resting = self.orders.remove(&token)?;
        Some(outbound(b'C', &[&token.to_be_bytes(), &resting.open.to_be_bytes(), b"U"]))
    }

    /// A system event of the port: `S` starts its day, `E` ends it.
    pub fn event(code: u8) -> Vec<u8> {
        outbound(b'S', &[&[code]])
    }

    /// Order entry of the firm is disabled.
    pub fn disabled() -> Vec<u8> {
        outbound(b'G', &[&9u32.to_be_bytes(), b"FIRE", &[0, 0]])
    }

    pub fn rejected(request: &[u8]) -> Vec<u8> {
        outbound(b'J', &[&request[1..5], &[0, 0x0F], &[b' '; 14]])
    }

    /// Executed.
    pub fn execute(&mut self, token: u32, shares: u32, price: u64) -> Vec<u8> {
        let resting = self.orders.get_mut(&token).expect("it rests");
        resting.open -= shares;
        resting.executed += shares;
        if resting.open == 0 {
            self.orders.remove(&token);
        }
        let trade = self.next_trade;
        self.next_trade += 1;
        let parts = [&token.to_be_bytes()[..], &shares.to_be_bytes(), &price.to_be_bytes(), b"A", &trade.to_be_bytes()];
        outbound(b'E', &[&parts.concat(), &[0, 0]])
    }

    /// A trade is broken.
    pub fn broken(token: u32, trade: u64) -> Vec<u8> {
        outbound(b'B', &[&token.to_be_bytes(), &trade.to_be_bytes(), b"E", &[b' '; 14]])
    }

    /// A trade is corrected.
    pub fn corrected(token: u32, trade: u64, shares: u32, price: u64) -> Vec<u8> {
        let (shares, price) = (shares.to_be_bytes(), price.to_be_bytes());
        outbound(b'F', &[&token.to_be_bytes(), &shares, &price, b"A", &trade.to_be_bytes(), b"N", &[b' '; 14]])
    }

    /// The lane has said good-bye: a venue closes the connection then.
    pub fn has_logged_out(&self) -> bool {
        self.logged_out
    }

    /// The lane has connected.
    pub fn connect(&mut self, now: Mono) {
        self.server.on_connected(now);
        (self.connected, self.logged_out) = (true, false);
    }

    /// Says something of its own accord: the bytes, if anybody is there.
    pub fn say(&mut self, now: Mono, message: Vec<u8>) -> Vec<u8> {
        let mut wire = Wire::default();
        if self.server.is_live() {
            self.server.send_sequenced(now, &[&message], &mut wire).unwrap();
        }
        self.said.push(message);
        wire.0
    }

    /// The connection is gone.
    pub fn close(&mut self, now: Mono) {
        self.server.on_closed(now);
        self.connected = false;
    }

    /// When it wants to say something next.
    pub fn next_deadline(&self) -> Mono {
        if self.connected { self.server.next_deadline() } else { Mono::NEVER }
    }

    /// Is the lane connected?
    pub fn is_connected(&self) -> bool {
        self.connected
    }

    /// Time has passed; what is to be said.
    pub fn on_timer(&mut self, now: Mono) -> Vec<u8> {
        let mut wire = Wire::default();
        self.server.on_timer(now, &mut wire);
        wire.0
    }

    /// Bytes of the lane, and what is said to them.
    pub fn hear(&mut self, now: Mono, bytes: &[u8]) -> Vec<u8> {
        assert_eq!(self.server.on_bytes(now, bytes), bytes.len());
        let mut wire = Wire::default();
        let head = self.said.len() as u64 + 1;
        loop {
            let (mut from, mut request) = (None, None);
            match self.server.next_event(now, head, &mut wire) {
                None => return wire.0,
                Some(ServerEvent::Replay { from: first }) => from = Some(first),
                Some(ServerEvent::Unsequenced(message)) => request = Some(message.to_vec()),
                Some(ServerEvent::Heartbeat) => self.beats += 1,
                Some(ServerEvent::Logout) => self.logged_out = true,
                Some(other) => panic!("{other:?}"),
            }
            if let Some(first) = from {
                for message in self.said.clone().iter().skip(first as usize - 1) {
                    self.server.send_sequenced(now, &[message], &mut wire).unwrap();
                }
            }
            if let Some(request) = request {
                for message in self.answer(&request) {
                    self.server.send_sequenced(now, &[&message], &mut wire).unwrap();
                    self.said.push(message);
                }
                self.asked.push(request);
            }
        }
    }

    fn answer(&mut self, request: &[u8]) -> Vec<Vec<u8>> {
        match request[0] {
            b'O' => {
                self.next_token = self.next_token.max(number(&request[1..]) + 1);
                if !self.answers {
                    return vec![];
                }
                let accepted = self.accept(request);
                let token = number(&request[1..]);
                // Immediate or cancel: nothing to trade with.
                if request[26] == b'3' { vec![accepted, self.cancel(token).unwrap()] } else { vec![accepted] }
            }
            b'U' => {
                self.next_token = self.next_token.max(number(&request[5..]) + 1);
                if self.answers { self.replace(request).into_iter().collect() } else { vec![] }
            }
            b'X' if self.answers => self.cancel(number(&request[1..])).into_iter().collect(),
            b'C' if self.answers => {
                self.next_token = self.next_token.max(number(&request[1..]) + 1);
                let stock = &request[9..17];
                let tokens: Vec<u32> =
                    self.orders.iter().filter(|(_, o)| &o.request[10..18] == stock).map(|(t, _)| *t).collect();
                let mut said = vec![outbound(b'X', &[&request[1..17], &[0, 0]])];
                said.extend(tokens.into_iter().filter_map(|t| self.cancel(t)));
                said
            }
            b'Q' => vec![outbound(b'Q', &[&self.next_token.to_be_bytes()])],
            _ => vec![],
        }
    }
}

// ---- both together ------------------------------------------------------------------------------------------------

/// A lane and its venue on one clock.
pub struct Rig<S: Strategy<G> = Told, G: Signal = Imbalance> {
    pub lane: Gateway<Desk<S, G>>,
    pub venue: Venue,
    pub now: Mono,
    /// Everything fed so far.
    pub given: Vec<(Mono, Given)>,
    /// Everything done so far.
    pub trace: Trace,
    /// Numbers of the market data stream.
    pub next: u64,
    out: Outbox,
    /// Effects up to here were acted on.
    seen: usize,
    pub looked: (usize, usize),
}

impl Rig<Told> {
    /// A lane that is not started and has heard nothing.
    pub fn new(setup: &Setup) -> Self {
        Rig::of(setup, Told::default())
    }

    /// Trading: order entry ready, two symbols open.
    pub fn trading(setup: &Setup) -> Self {
        let mut rig = Rig::new(setup);
        rig.open(2);
        rig.look();
        rig
    }

    /// Tells the strategy, by the next market message.
    pub fn tell(&mut self, locate: u16, what: Do, shares: u32, price: u32) {
        self.market(&[tell(locate, what, shares, price)]);
    }
}

impl<S: Strategy<Imbalance>> Rig<S> {
    pub fn of(setup: &Setup, strategy: S) -> Self {
        Rig::with(parts(setup, strategy))
    }
}

impl<G: Signal, S: Strategy<G>> Rig<S, G> {
    /// A lane of these parts.
    pub fn with(parts: Parts<Desk<S, G>>) -> Self {
        Rig {
            lane: Gateway::new(parts).unwrap(),
            venue: Venue::new(),
            now: Mono(1_000_000_000),
            given: Vec::new(),
            trace: Trace::default(),
            next: 1,
            out: Outbox::new(0),
            seen: 0,
            looked: (0, 0),
        }
    }

    /// Starts order entry and opens so many symbols.
    pub fn open(&mut self, symbols: u16) {
        self.start();
        self.market(&opening(symbols));
    }

    /// Starts order entry: log in, replay, heartbeat, query, sweep, ready.
    pub fn start(&mut self) {
        self.command(Word::Start);
        self.pass(Nanos::from_millis(1_100));
    }

    pub fn give(&mut self, given: Given) {
        let (lane, out, trace) = (&mut self.lane, &mut self.out, &mut self.trace);
        feed(lane, self.now, given.as_input(), out, |out| trace.take(out));
        self.given.push((self.now, given));
        self.act();
    }

    pub fn command(&mut self, command: impl Into<CommandBuf>) {
        self.give(Given::Command(command.into()));
    }

    /// A packet of the next messages on both lines.
    pub fn market(&mut self, messages: &[Vec<u8>]) {
        let bytes = packet(DAY, self.next, messages);
        self.next += messages.len() as u64;
        self.give(Given::Packet(A, bytes.clone()));
        self.give(Given::Packet(B, bytes));
    }

    /// One of the lines says how far the stream is.
    pub fn beat(&mut self) {
        let bytes = heartbeat(DAY, self.next).as_bytes().to_vec();
        self.give(Given::Packet(A, bytes));
    }

    /// Time passes on both sides.
    pub fn pass(&mut self, time: Nanos) {
        let until = self.now.after(time);
        for step in 0.. {
            assert!(step < 10_000, "a deadline that never passes");
            let server = self.venue.next_deadline();
            let due = self.lane.next_deadline().min(server);
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            if server <= self.now {
                let wire = self.venue.on_timer(self.now);
                self.feed_lane(wire);
            }
            if let Some(machine) = self.lane.due(self.now) {
                self.give(Given::Timer(machine));
            }
        }
        self.now = until;
    }

    /// The venue says something of its own accord.
    pub fn say(&mut self, message: Vec<u8>) {
        let bytes = self.venue.say(self.now, message);
        self.feed_lane(bytes);
    }

    /// The connection of order entry breaks.
    pub fn cut(&mut self) {
        self.venue.close(self.now);
        self.give(Given::Closed(SessionId::ORDERS));
    }

    /// Serves a snapshot to the connection that the lane has asked for.
    pub fn serve_snapshot(&mut self, items: &[Vec<u8>], next: u64) {
        self.give(Given::Connected(SessionId::SNAPSHOT));
        let accepted = LoginAccepted { session: *b"   GLIMPSE", sequence: format_number(1) };
        let mut bytes = soup(Packet::LoginAccepted(&accepted));
        items.iter().for_each(|item| bytes.extend(soup(Packet::Sequenced(item))));
        bytes.extend(soup(Packet::Sequenced(format!("G{next:>20}").as_bytes())));
        self.give(Given::Bytes(SessionId::SNAPSHOT, bytes));
        self.give(Given::Timer(Machine::Feed(VenueId::FIRST)));
        self.give(Given::Closed(SessionId::SNAPSHOT));
    }

    fn feed_lane(&mut self, bytes: Vec<u8>) {
        if !bytes.is_empty() && self.venue.connected {
            self.give(Given::Bytes(SessionId::ORDERS, bytes));
        }
    }

    /// The venue's side of what the lane has just done.
    fn act(&mut self) {
        while let Some(effect) = self.trace.effects.get(self.seen).cloned() {
            self.seen += 1;
            match effect {
                Effect::Connect(SessionId::ORDERS) if self.venue.up => {
                    self.venue.connect(self.now);
                    self.give(Given::Connected(SessionId::ORDERS));
                }
                Effect::Connect(SessionId::ORDERS) => self.give(Given::Closed(SessionId::ORDERS)),
                Effect::Disconnect(SessionId::ORDERS) if self.venue.connected => self.cut(),
                Effect::Snapshot => self.command(CommandBuf::snapshot(VenueId::FIRST)),
                Effect::Send(SessionId::ORDERS, _, bytes) if self.venue.connected => self.hear(&bytes),
                _ => {}
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let answers = self.venue.hear(self.now, bytes);
        self.feed_lane(answers);
        if self.venue.logged_out && self.venue.connected {
            self.cut();
        }
    }

    // ---- what is to be seen ---------------------------------------------------------------------------------------

    /// What follows is compared from here on: forgets requests, decisions and alerts seen so far.
    pub fn look(&mut self) {
        self.looked = (self.venue.asked.len(), self.trace.tape.len());
    }

    /// The letters of the requests since [`look`](Self::look).
    pub fn asked(&self) -> String {
        self.venue.asked[self.looked.0..].iter().map(|r| char::from(r[0])).collect()
    }

    /// What the gate said since [`look`](Self::look): letter of the action, number of the refusal.
    pub fn decisions(&self) -> Vec<(char, u16)> {
        self.tape(Kind::Decision, |body: &DecisionBody| (char::from(body.action), body.refusal.get()))
    }

    /// Alerts since [`look`](Self::look).
    pub fn alerts(&self) -> Vec<u16> {
        self.tape(Kind::Alert, |body: &AlertBody| body.alert.get())
    }

    /// Why order entry was lost, each time since the last look.
    pub fn lost_for(&self) -> Vec<Away> {
        let alerts = self.tape(Kind::Alert, |body: &AlertBody| (body.alert.get(), body.first.get()));
        let lost = alerts.into_iter().filter(|(alert, _)| *alert == Alert::EntryLost as u16);
        lost.map(|(_, why)| Away::from_number(why).unwrap()).collect()
    }

    pub fn tape<T: FromBytes, U>(&self, kind: Kind, of: impl Fn(&T) -> U) -> Vec<U> {
        let tape = self.trace.tape[self.looked.1..].iter().filter(|(k, _)| *k == kind as u8);
        tape.map(|(_, body)| of(&T::read_from_bytes(body).unwrap())).collect()
    }

    /// The lane's live orders.
    pub fn live(&self) -> u32 {
        self.lane.core().orders().live_count()
    }

    pub fn fresh(&self, id: InstrumentId) -> bool {
        self.lane.core().book(id).freshness().is_fresh()
    }

    pub fn position(&self, id: InstrumentId) -> i64 {
        self.lane.core().gate().ledger().account(id).position.0
    }

    /// The newest own order.
    pub fn newest(&self) -> (ClientId, u32) {
        let mut cursor = firelane_gateway::flow::orders::Cursor::default();
        let mut last = None;
        while let Some(order) = self.lane.core().orders().next_live(&mut cursor) {
            last = Some((order.id, u32::try_from(order.token.0).unwrap()));
        }
        last.expect("an order lives")
    }
}

/// Feeds recorded inputs to a lane. `cut`: order-entry bytes come in pieces of so many.
pub fn replay<W: Wiring>(
    lane: &mut Gateway<W>,
    given: &[(Mono, Given)],
    capacity: usize,
    cut: usize,
) -> (Trace, usize) {
    let (mut out, mut trace, mut resumed) = (Outbox::new(capacity), Trace::default(), 0);
    for (now, given) in given {
        match given {
            Given::Bytes(session, bytes) if *session == SessionId::ORDERS => {
                for part in bytes.chunks(cut) {
                    let input = Input::Session(VenueId::FIRST, *session, SessionInput::Bytes(part));
                    resumed += feed(lane, *now, input, &mut out, |out| trace.take(out));
                }
            }
            other => resumed += feed(lane, *now, other.as_input(), &mut out, |out| trace.take(out)),
        }
    }
    (trace, resumed)
}
