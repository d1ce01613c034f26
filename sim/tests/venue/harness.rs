//! A venue with clients that speak to it in bytes, and the words to say in one line what they were told.

use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price, Side as Way, Symbol, VenueRef};
use firelane_gateway::flow::wire::ouch50::{
    AccountQuery, Appendage, AppendageBuilder, AppendageOption, CancelOrder, Capacity, CrossType, DisableOrderEntry,
    Display, EnableOrderEntry, EnterOrder, Inbound, InterMarketSweep, MassCancel, MessageType, ModifyOrder, Outbound,
    ReplaceOrder, Side, TimeInForce, UserRefNum, WirePrice, WireQty,
};
use firelane_gateway::flow::wire::soupbintcp::{Client, ClientConfig, ClientEvent, Password, Sink};
use firelane_sim::venue::Venue;
use firelane_sim::venue::acceptor::{ConnId, Output, PortConfig};
use firelane_sim::venue::engine::{EngineConfig, Phase};
use firelane_sim::venue::market::{NewOrder, What};
use firelane_sim::venue::port::{OrderKey, OrderRecord};

/// The one symbol that most tests trade.
pub(crate) const AAPL: &str = "AAPL";
/// Fifty dollars.
pub(crate) const P50: u64 = 500_000;
/// The firm of both ports.
pub(crate) const FIRM: [u8; 4] = *b"FIRE";

pub(crate) fn symbol(text: &str) -> Symbol {
    Symbol::new(text).expect("a symbol")
}

#[derive(Default)]
struct Wire(Vec<u8>);

impl Sink for Wire {
    fn write(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
    }
}

/// A client of one port.
pub(crate) struct Trader {
    port: u16,
    conn: Option<ConnId>,
    pub(crate) client: Client,
    /// Sequenced messages as they came.
    pub(crate) heard: Vec<Vec<u8>>,
    /// How many of them a test has read.
    read: usize,
}

/// Which port a test speaks for.
pub(crate) struct World {
    pub(crate) venue: Venue,
    pub(crate) now: Mono,
    pub(crate) traders: Vec<Trader>,
    /// The port that the short verbs speak for.
    pub(crate) me: usize,
    next_conn: u64,
    /// ITCH messages published so far.
    pub(crate) tape: Vec<Vec<u8>>,
}

impl World {
    /// Two ports, two symbols, market hours, both logged in.
    pub(crate) fn open() -> Self {
        Self::with(|_| {})
    }

    /// As [`World::open`], with ports configured otherwise.
    pub(crate) fn with(configure: impl Fn(&mut PortConfig)) -> Self {
        let mut world = Self::closed(configure);
        world.venue.open(world.now);
        world.login(0);
        world.login(1);
        world.heard();
        world.me = 1;
        world.heard();
        world.me = 0;
        world
    }

    /// Before the day, nobody logged in.
    pub(crate) fn closed(configure: impl Fn(&mut PortConfig)) -> Self {
        let ports = [*b"alice ", *b"bob   "].map(|username| {
            let mut config = PortConfig::new(username, *b"secret    ", *b"SESSION001", FIRM);
            configure(&mut config);
            config
        });
        let traders = ports.iter().enumerate().map(|(port, config)| Trader {
            port: u16::try_from(port).unwrap(),
            conn: None,
            client: Client::new(ClientConfig::new(config.login.username, Password(*b"SECRET    "))),
            heard: Vec::new(),
            read: 0,
        });
        let traders = traders.collect();
        let epoch = ExchangeTime::new(20_000, 34_200_000_000_000);
        let engine = EngineConfig::new(&[symbol(AAPL), symbol("MSFT")]);
        let venue = Venue::new(epoch, &engine, ports.to_vec());
        World { venue, now: Mono(0), traders, me: 0, next_conn: 0, tape: Vec::new() }
    }

    /// Connects and logs a trader in.
    pub(crate) fn login(&mut self, trader: usize) {
        self.next_conn += 1;
        let conn = ConnId(self.next_conn);
        let port = self.traders[trader].port;
        self.traders[trader].conn = Some(conn);
        self.venue.on_connect(self.now, conn, port);
        let mut wire = Wire::default();
        self.traders[trader].client.on_connected(self.now, &mut wire);
        self.venue.on_bytes(self.now, conn, &wire.0);
        self.settle();
    }

    /// Cuts a trader's connection.
    pub(crate) fn cut(&mut self, trader: usize) {
        let conn = self.traders[trader].conn.take().expect("connected");
        self.traders[trader].client.on_closed(self.now);
        self.venue.on_close(self.now, conn);
        self.settle();
    }

    pub(crate) fn is_connected(&self, trader: usize) -> bool {
        self.traders[trader].conn.is_some()
    }

    /// Lets time pass, with all its timers, those of the clients too if they still have one.
    pub(crate) fn pass(&mut self, time: Nanos, clients_live: bool) {
        let end = self.now.after(time);
        loop {
            let clients = self.traders.iter().map(|t| t.client.next_deadline()).filter(|_| clients_live);
            let next = clients.chain([self.venue.next_deadline()]).min().unwrap();
            if next > end {
                break;
            }
            self.now = next.max(self.now);
            self.venue.on_timer(self.now);
            for at in (0..self.traders.len()).filter(|_| clients_live) {
                let mut wire = Wire::default();
                self.traders[at].client.on_timer(self.now, &mut wire);
                if let Some(conn) = self.traders[at].conn {
                    self.venue.on_bytes(self.now, conn, &wire.0);
                }
            }
            self.settle();
        }
        self.now = end;
    }

    /// Carries everything that the venue has to say to whom it says it, and checks the invariants.
    pub(crate) fn settle(&mut self) {
        self.venue.check().expect("the venue's invariants");
        self.tape.extend(self.venue.take_messages());
        for output in self.venue.take_outputs() {
            match output {
                Output::Bytes(conn, mut bytes) => {
                    let Some(trader) = self.traders.iter_mut().find(|t| t.conn == Some(conn)) else { continue };
                    while !bytes.is_empty() {
                        let taken = trader.client.on_bytes(self.now, &bytes);
                        bytes.drain(..taken);
                        while let Some(event) = trader.client.next_event() {
                            match event {
                                ClientEvent::Sequenced { payload, .. } => trader.heard.push(payload.to_vec()),
                                ClientEvent::ProtocolError(error) => panic!("{error:?}"),
                                _ => {}
                            }
                        }
                    }
                }
                Output::Close(conn, _) => {
                    if let Some(trader) = self.traders.iter_mut().find(|t| t.conn == Some(conn)) {
                        trader.conn = None;
                        trader.client.on_closed(self.now);
                    }
                }
            }
        }
    }

    /// What the trader was told since the last call, one line a message.
    pub(crate) fn heard(&mut self) -> Vec<String> {
        self.heard_raw().iter().map(|message| describe(message)).collect()
    }

    /// The same, in bytes.
    pub(crate) fn heard_raw(&mut self) -> Vec<Vec<u8>> {
        let trader = &mut self.traders[self.me];
        let new = trader.heard[trader.read..].to_vec();
        trader.read = trader.heard.len();
        new
    }

    /// Sends one OUCH message, returns what the trader was told.
    pub(crate) fn send_raw(&mut self, message: &[u8]) -> Vec<String> {
        let trader = &mut self.traders[self.me];
        let mut wire = Wire::default();
        trader.client.send_unsequenced(self.now, &[message], &mut wire).expect("logged in");
        let conn = trader.conn.expect("connected");
        self.venue.on_bytes(self.now, conn, &wire.0);
        self.settle();
        self.heard()
    }

    pub(crate) fn send(&mut self, message: Inbound<'_>) -> Vec<String> {
        self.send_raw(&bytes(message))
    }

    // ---- Requests --------------------------------------------------------------------------------------------

    pub(crate) fn enter(&mut self, request: EnterOrder, options: &[AppendageOption]) -> Vec<String> {
        let tail = tail(options);
        self.send(Inbound::EnterOrder(&request, tail.appendage()))
    }

    pub(crate) fn buy(&mut self, urn: u32, shares: u32, price: u64) -> Vec<String> {
        self.enter(order(urn, Side::BUY, shares, price), &[])
    }

    pub(crate) fn sell(&mut self, urn: u32, shares: u32, price: u64) -> Vec<String> {
        self.enter(order(urn, Side::SELL, shares, price), &[])
    }

    pub(crate) fn replace(&mut self, old: u32, new: u32, shares: u32, price: u64) -> Vec<String> {
        self.replace_with(replacement(old, new, shares, price), &[])
    }

    pub(crate) fn replace_with(&mut self, request: ReplaceOrder, options: &[AppendageOption]) -> Vec<String> {
        let tail = tail(options);
        self.send(Inbound::ReplaceOrder(&request, tail.appendage()))
    }

    pub(crate) fn cancel(&mut self, urn: u32, quantity: u32) -> Vec<String> {
        self.send(Inbound::CancelOrder(&cancellation(urn, quantity), Appendage::NONE))
    }

    pub(crate) fn modify(&mut self, urn: u32, side: Side, quantity: u32) -> Vec<String> {
        let (user_ref_num, quantity) = (UserRefNum(urn).into(), WireQty::from_shares(quantity));
        let request = ModifyOrder { message_type: MessageType::NEW, user_ref_num, side, quantity };
        self.send(Inbound::ModifyOrder(&request, Appendage::NONE))
    }

    pub(crate) fn mass_cancel(&mut self, urn: u32, symbol: &[u8; 8], options: &[AppendageOption]) -> Vec<String> {
        let tail = tail(options);
        let user_ref_num = UserRefNum(urn).into();
        let request = MassCancel { message_type: MessageType::NEW, user_ref_num, firm: FIRM, symbol: *symbol };
        self.send(Inbound::MassCancel(&request, tail.appendage()))
    }

    pub(crate) fn disable(&mut self, urn: u32) -> Vec<String> {
        let request =
            DisableOrderEntry { message_type: MessageType::NEW, user_ref_num: UserRefNum(urn).into(), firm: FIRM };
        self.send(Inbound::DisableOrderEntry(&request, Appendage::EMPTY))
    }

    pub(crate) fn enable(&mut self, urn: u32) -> Vec<String> {
        let request =
            EnableOrderEntry { message_type: MessageType::NEW, user_ref_num: UserRefNum(urn).into(), firm: FIRM };
        self.send(Inbound::EnableOrderEntry(&request, Appendage::EMPTY))
    }

    pub(crate) fn query(&mut self, options: &[AppendageOption]) -> Vec<String> {
        let tail = tail(options);
        let appendage = if options.is_empty() { Appendage::NONE } else { tail.appendage() };
        self.send(Inbound::AccountQuery(&AccountQuery { message_type: MessageType::NEW }, appendage))
    }

    // ---- Everybody else --------------------------------------------------------------------------------------

    /// An order of the background flow; its reference.
    pub(crate) fn background(&mut self, side: Way, shares: u32, price: u64) -> VenueRef {
        self.background_order(NewOrder::limit(symbol(AAPL), side, shares, Price(i64::try_from(price).unwrap())))
    }

    pub(crate) fn background_order(&mut self, order: NewOrder) -> VenueRef {
        let effects = self.venue.enter(self.now, order).expect("the market takes it");
        assert!(matches!(effects[0].what, What::Entered { .. }));
        self.settle();
        effects[0].reference
    }

    pub(crate) fn set_phase(&mut self, phase: Phase) {
        self.venue.set_phase(self.now, phase);
        self.settle();
    }

    /// The venue's own record of an order of the trader.
    pub(crate) fn record(&self, urn: u32) -> &OrderRecord {
        let port = self.venue.port(self.traders[self.me].port).unwrap();
        &port.orders()[&OrderKey { channel: 0, urn }]
    }

    /// References of the continuous book of AAPL on one side, in priority order.
    pub(crate) fn queue(&self, side: Way) -> Vec<VenueRef> {
        let book = self.venue.engine().book(symbol(AAPL));
        book.iter().filter(|resting| resting.side == side).map(|resting| resting.reference).collect()
    }

    /// Types of the ITCH messages since the last call.
    pub(crate) fn published(&mut self) -> String {
        self.tape.drain(..).map(|message| char::from(message[0])).collect()
    }
}

pub(crate) fn order(urn: u32, side: Side, shares: u32, price: u64) -> EnterOrder {
    EnterOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(urn).into(),
        side,
        quantity: WireQty::from_shares(shares),
        symbol: symbol(AAPL).0,
        price: WirePrice::from_bits(price),
        time_in_force: TimeInForce::DAY,
        display: Display::VISIBLE,
        capacity: Capacity::PRINCIPAL,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cross_type: CrossType::CONTINUOUS,
        cl_ord_id: *b"any text here ",
    }
}

pub(crate) fn replacement(old: u32, new: u32, shares: u32, price: u64) -> ReplaceOrder {
    ReplaceOrder {
        message_type: MessageType::NEW,
        orig_user_ref_num: UserRefNum(old).into(),
        user_ref_num: UserRefNum(new).into(),
        quantity: WireQty::from_shares(shares),
        price: WirePrice::from_bits(price),
        time_in_force: TimeInForce::DAY,
        display: Display::VISIBLE,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cl_ord_id: *b"other text    ",
    }
}

pub(crate) fn cancellation(urn: u32, quantity: u32) -> CancelOrder {
    let (user_ref_num, quantity) = (UserRefNum(urn).into(), WireQty::from_shares(quantity));
    CancelOrder { message_type: MessageType::NEW, user_ref_num, quantity }
}

pub(crate) fn tail(options: &[AppendageOption]) -> AppendageBuilder<256> {
    let mut builder = AppendageBuilder::new();
    options.iter().for_each(|option| builder.push(*option).expect("room"));
    builder
}

pub(crate) fn bytes(message: Inbound<'_>) -> Vec<u8> {
    let mut buffer = [0; 512];
    let length = message.encode_into(&mut buffer).expect("room");
    buffer[..length].to_vec()
}

/// One line for one answer: letter and `UserRefNum` first.
pub(crate) fn describe(message: &[u8]) -> String {
    let c = |byte: u8| char::from(byte);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    match Outbound::decode(message).expect("the venue speaks OUCH") {
        Outbound::SystemEvent(m) => format!("S {}", c(m.event.0)),
        Outbound::OrderAccepted(m, _) => format!(
            "A{} {}{} @{} {}{} {}",
            m.user_ref_num.get().0,
            c(m.side.0),
            m.quantity.shares(),
            m.price.bits(),
            c(m.time_in_force.0),
            c(m.display.0),
            c(m.order_state.0)
        ),
        Outbound::OrderReplaced(m, _) => format!(
            "U{}>{} {}{} @{} {}{} {}",
            m.orig_user_ref_num.get().0,
            m.user_ref_num.get().0,
            c(m.side.0),
            m.quantity.shares(),
            m.price.bits(),
            c(m.time_in_force.0),
            c(m.display.0),
            c(m.order_state.0)
        ),
        Outbound::OrderCanceled(m, _) => {
            format!("C{} -{} {}", m.user_ref_num.get().0, m.quantity.shares(), c(m.reason.0))
        }
        Outbound::AiqCanceled(m, strategy, _) => format!(
            "D{} -{} {} prevented {} @{} {} {}",
            m.user_ref_num.get().0,
            m.decrement.shares(),
            c(m.reason.0),
            m.prevented.shares(),
            m.price.bits(),
            c(m.liquidity.0),
            strategy.map_or('-', |s| c(s.0))
        ),
        Outbound::OrderExecuted(m, _) => format!(
            "E{} {} @{} {} #{}",
            m.user_ref_num.get().0,
            m.quantity.shares(),
            m.price.bits(),
            c(m.liquidity.0),
            m.match_number.get().0
        ),
        Outbound::BrokenTrade(m, _) => {
            format!("B{} #{} {}", m.user_ref_num.get().0, m.match_number.get().0, c(m.reason.0))
        }
        Outbound::Rejected(m, _) => format!("J{} {:02X}", m.user_ref_num.get().0, m.reason.get().0),
        Outbound::CancelPending(m, _) => format!("P{}", m.user_ref_num.get().0),
        Outbound::CancelReject(m, _) => format!("I{}", m.user_ref_num.get().0),
        Outbound::OrderPriorityUpdate(m, _) => {
            format!("T{} @{} {}", m.user_ref_num.get().0, m.price.bits(), c(m.display.0))
        }
        Outbound::OrderModified(m, _) => {
            format!("M{} {}{}", m.user_ref_num.get().0, c(m.side.0), m.quantity.shares())
        }
        Outbound::OrderRestated(m, _) => format!("R{} {}", m.user_ref_num.get().0, c(m.reason.0)),
        Outbound::MassCancelResponse(m, _) => {
            format!("X{} {} [{}]", m.user_ref_num.get().0, text(&m.firm), text(&m.symbol))
        }
        Outbound::DisableResponse(m, _) => format!("G{} {}", m.user_ref_num.get().0, text(&m.firm)),
        Outbound::EnableResponse(m, _) => format!("K{} {}", m.user_ref_num.get().0, text(&m.firm)),
        Outbound::AccountQueryResponse(m, _) => format!("Q next {}", m.next_user_ref_num.get().0),
        Outbound::TradeCorrection(m) => format!(
            "F{} {} @{} {} #{} {}",
            m.user_ref_num.get().0,
            m.quantity.shares(),
            m.price.bits(),
            c(m.liquidity.0),
            m.match_number.get().0,
            c(m.reason.0)
        ),
    }
}
