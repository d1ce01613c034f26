//! The far end of the wire, behind one trait: a synthetic market today, a recorded day just as well.

mod tricks;

use crate::clock::Agenda;
use crate::crowd::{Crowd, CrowdStats};
use crate::net::Faults;
use crate::order_flow::FlowConfig;
use crate::rng::Rng;
use crate::venue::Venue;
use crate::venue::acceptor::{ConnId, Output, PortConfig};
use crate::venue::engine::{EngineConfig, Resting};
use crate::venue::farewell::{Name, Remark};
use crate::venue::market::BreakReason;
use crate::venue::port::{OrderKey, OrderState, Port};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos, Price, Symbol};
use firelane_gateway::flow::wire::ouch50::{AppendageOption, RestatedReason};
use firelane_gateway::flow::wire::soupbintcp::Password;
use tricks::Tricks;

/// A market with order-entry ports: what publishes the feed and answers orders. The publisher and the servers around
/// it belong to the [`FarEnd`](crate::far_end::FarEnd), the network to whoever owns that.
///
/// The same calls at the same instants give the same answers, always. After any call, take what is to be sent.
pub trait Exchange: Send {
    /// The day begins.
    fn open(&mut self, now: Mono);
    /// When [`on_timer`](Self::on_timer) has something to do.
    fn next_deadline(&self) -> Mono;
    /// Time has passed.
    fn on_timer(&mut self, now: Mono);
    /// Everyone else stops trading, and the exchange's staff goes home. Order entry stays.
    fn stop(&mut self, now: Mono);

    /// The day ends: the market closes, what rests is cancelled, the ports' clients are told so, and their sessions are
    /// over for good.
    fn end_day(&mut self, now: Mono);

    /// Gives away the passwords of its ports, which it does not keep. From now on the password of each is
    /// [`NO_PASSWORD`](firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD), and whoever has them now compares.
    fn take_passwords(&mut self) -> Vec<Password>;
    /// A client connected to the address of a port.
    fn on_connect(&mut self, now: Mono, conn: ConnId, port: u16);
    /// Bytes from a client.
    fn on_bytes(&mut self, now: Mono, conn: ConnId, bytes: &[u8]);
    /// A client's connection is gone.
    fn on_close(&mut self, now: Mono, conn: ConnId);
    /// What is to be done with order-entry connections since the last call, in order.
    fn take_outputs(&mut self) -> Vec<Output>;

    /// What is to be said of the ports' clients since the last call: of which port, what, and how often by then.
    fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)>;
    /// The name that a connection's client tried to log in with.
    fn tried(&self, conn: ConnId) -> Option<Name>;

    /// Messages for the feed since the last call, in order. One without a byte is one that is lost before anybody hears it.
    fn take_messages(&mut self) -> Vec<Vec<u8>>;
    /// Has its market said all that it will ever say? Most never have.
    fn is_over(&self) -> bool {
        false
    }
    /// What a snapshot of this moment holds, in the order of the Glimpse specification.
    fn snapshot(&self, now: Mono) -> Vec<Vec<u8>>;

    /// The symbols listed.
    fn symbols(&self) -> Vec<Symbol>;
    /// A port: orders, fills, positions. They are numbered from 0.
    fn port(&self, index: u16) -> Option<&Port>;
    /// The connection over which a port's client is logged in.
    fn logged_in(&self, port: u16) -> Option<ConnId>;
    /// Who may log in at a port.
    fn user(&self, port: u16) -> Option<[u8; 6]>;
    /// The displayed book: bids, then asks, each in priority order.
    fn displayed(&self, symbol: Symbol) -> Vec<Resting>;
    /// What must be true between any two calls.
    ///
    /// # Errors
    /// What is not.
    fn check(&self) -> Result<(), String>;
    /// What everyone else did.
    fn crowd(&self) -> CrowdStats;
}

/// A venue with a synthetic crowd, and a staff that interferes.
#[derive(Debug)]
pub struct Synthetic {
    venue: Venue,
    crowd: Crowd,
    staff: Staff,
    /// Who plays tricks on the ports' clients.
    tricks: Option<Tricks>,
    stopped: bool,
}

impl Synthetic {
    /// A market before its day. `epoch` is the exchange's time when the caller's clock is zero.
    ///
    /// # Panics
    /// With more ports than 16 bits can number.
    #[must_use]
    pub fn new(epoch: ExchangeTime, flow: FlowConfig, ports: Vec<PortConfig>, faults: Faults, seed: u64) -> Self {
        let crowd = Crowd::new(flow, seed);
        let engine = EngineConfig { seed, ..EngineConfig::new(crowd.symbols()) };
        let staff = Staff::new(faults, seed, u16::try_from(ports.len()).expect("ports are numbered with 16 bits"));
        Synthetic { venue: Venue::new(epoch, &engine, ports), crowd, staff, tricks: None, stopped: false }
    }
}

impl Synthetic {
    /// The same, with somebody who plays tricks on the clients of its ports, all of the firm given: fills that come late
    /// or twice, orders that meet their own firm's, orders that can't be cancelled for a while.
    #[must_use]
    pub fn with_tricks(mut self, firm: [u8; 4], seed: u64) -> Self {
        self.tricks = Some(Tricks::new(firm, seed));
        self
    }
}

impl Exchange for Synthetic {
    fn open(&mut self, now: Mono) {
        self.venue.open(now);
    }

    fn next_deadline(&self) -> Mono {
        if self.stopped {
            return self.venue.next_deadline();
        }
        let tricks = self.tricks.as_ref().map_or(Mono::NEVER, Tricks::next_deadline);
        let deadlines = [self.crowd.next_deadline(), self.staff.agenda.next_deadline(), tricks];
        deadlines.into_iter().fold(self.venue.next_deadline(), Mono::min)
    }

    fn on_timer(&mut self, now: Mono) {
        self.venue.on_timer(now);
        if !self.stopped {
            self.crowd.on_timer(now, &mut self.venue);
            self.staff.on_timer(now, &mut self.venue);
            if let Some(tricks) = &mut self.tricks {
                tricks.on_timer(now, &mut self.venue);
            }
        }
    }

    fn stop(&mut self, now: Mono) {
        self.stopped = true;
        self.staff.go_home(now, &mut self.venue);
        if let Some(tricks) = &mut self.tricks {
            tricks.stop(now, &mut self.venue);
        }
    }

    fn end_day(&mut self, now: Mono) {
        self.venue.end_day(now);
    }

    fn take_passwords(&mut self) -> Vec<Password> {
        self.venue.take_passwords()
    }

    fn on_connect(&mut self, now: Mono, conn: ConnId, port: u16) {
        self.venue.on_connect(now, conn, port);
    }

    fn on_bytes(&mut self, now: Mono, conn: ConnId, bytes: &[u8]) {
        self.venue.on_bytes(now, conn, bytes);
    }

    fn on_close(&mut self, now: Mono, conn: ConnId) {
        self.venue.on_close(now, conn);
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        self.venue.take_outputs()
    }

    fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)> {
        self.venue.take_remarks()
    }

    fn tried(&self, conn: ConnId) -> Option<Name> {
        self.venue.tried(conn)
    }

    fn take_messages(&mut self) -> Vec<Vec<u8>> {
        self.venue.take_messages()
    }

    fn snapshot(&self, now: Mono) -> Vec<Vec<u8>> {
        self.venue.snapshot(now)
    }

    fn symbols(&self) -> Vec<Symbol> {
        self.crowd.symbols().to_vec()
    }

    fn port(&self, index: u16) -> Option<&Port> {
        self.venue.port(index)
    }

    fn logged_in(&self, port: u16) -> Option<ConnId> {
        self.venue.logged_in(port)
    }

    fn user(&self, port: u16) -> Option<[u8; 6]> {
        self.venue.user(port)
    }

    fn displayed(&self, symbol: Symbol) -> Vec<Resting> {
        let mut orders = self.venue.engine().book(symbol);
        orders.retain(|order| !order.hidden);
        orders
    }

    fn check(&self) -> Result<(), String> {
        self.venue.check()
    }

    fn crowd(&self) -> CrowdStats {
        self.crowd.stats()
    }
}

/// What a staff does now and then.
#[derive(Clone, Copy, Debug)]
enum Deed {
    BreakTrade,
    CorrectTrade,
    Reprioritise,
    Restate,
    Halt,
    Resume(Symbol),
}

/// The exchange's staff on a bad day: breaks and corrects the ports' trades, moves their orders in the queue, halts a
/// symbol.
#[derive(Debug)]
struct Staff {
    rng: Rng,
    ports: u16,
    agenda: Agenda<Deed>,
    halted: Vec<Symbol>,
}

/// Mean time between two deeds of a kind.
const DEEDS: [(Deed, Nanos); 5] = [
    (Deed::BreakTrade, Nanos::from_secs(2)),
    (Deed::CorrectTrade, Nanos::from_secs(4)),
    (Deed::Reprioritise, Nanos::from_millis(500)),
    (Deed::Restate, Nanos::from_secs(2)),
    (Deed::Halt, Nanos::from_secs(5)),
];

/// Only so many of the latest trades are looked into.
const LATEST: usize = 1_000;

/// Mean length of an operational halt.
const HALT: Nanos = Nanos::from_millis(200);

impl Staff {
    fn new(faults: Faults, seed: u64, ports: u16) -> Self {
        let mut staff = Staff { rng: Rng::new(seed, "staff"), ports, agenda: Agenda::new(), halted: Vec::new() };
        if faults == Faults::Heavy {
            for (deed, every) in DEEDS {
                staff.plan(Mono(0), every, deed);
            }
        }
        staff
    }

    fn plan(&mut self, now: Mono, mean: Nanos, deed: Deed) {
        let wait = self.rng.exponential(mean);
        self.agenda.after(now, wait, deed);
    }

    fn on_timer(&mut self, now: Mono, venue: &mut Venue) {
        while let Some((_, deed)) = self.agenda.due(now) {
            if let Some((_, every)) =
                DEEDS.iter().find(|(d, _)| std::mem::discriminant(d) == std::mem::discriminant(&deed))
            {
                self.plan(now, *every, deed);
            }
            self.act(now, deed, venue);
        }
    }

    fn act(&mut self, now: Mono, deed: Deed, venue: &mut Venue) {
        let index = if self.ports > 1 { self.rng.index(self.ports.into()) } else { 0 };
        let index = u16::try_from(index).unwrap_or(0);
        let Some(port) = venue.port(index) else { return };
        let latest = &port.fills()[port.fills().len().saturating_sub(LATEST)..];
        let fill = (!latest.is_empty()).then(|| latest[self.rng.index(latest.len())]);
        let mut live = port.orders().iter().filter(|(_, order)| order.state == OrderState::Live).map(|(key, _)| *key);
        let live: Option<OrderKey> = live.next_back();
        // What cannot be done, because a trade is broken already or an order is gone, is not done.
        match (deed, fill, live) {
            (Deed::BreakTrade, Some(fill), _) => {
                let _ = venue.break_trade(now, fill.trade, BreakReason::Erroneous);
            }
            (Deed::CorrectTrade, Some(fill), _) => {
                venue.correct_trade(now, fill.trade, Price(fill.price.0 + 100));
            }
            (Deed::Reprioritise, _, Some(order)) => {
                let _ = venue.reprioritise(now, index, order);
            }
            (Deed::Restate, _, Some(order)) => {
                let reference = port.orders()[&order].reference;
                let options = [AppendageOption::SecondaryOrdRefNum(reference)];
                venue.restate(now, index, order, RestatedReason::DISPLAY_REFRESH, &options);
            }
            (Deed::Halt, ..) => {
                let symbols: Vec<Symbol> = venue.engine().symbols().collect();
                let symbol = symbols[self.rng.index(symbols.len())];
                if !self.halted.contains(&symbol) && venue.set_operational_halt(now, symbol, true).is_ok() {
                    self.halted.push(symbol);
                    self.plan(now, HALT, Deed::Resume(symbol));
                }
            }
            (Deed::Resume(symbol), ..) => self.resume(now, symbol, venue),
            _ => {}
        }
    }

    fn resume(&mut self, now: Mono, symbol: Symbol, venue: &mut Venue) {
        self.halted.retain(|halted| *halted != symbol);
        let listed = venue.set_operational_halt(now, symbol, false);
        debug_assert!(listed.is_ok());
    }

    fn go_home(&mut self, now: Mono, venue: &mut Venue) {
        for symbol in std::mem::take(&mut self.halted) {
            self.resume(now, symbol, venue);
        }
        self.agenda.clear();
    }
}
