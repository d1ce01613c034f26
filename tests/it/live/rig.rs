//! Live lanes for tests: against the real venue on its own threads, or against a scripted port, driven by hand.
#![allow(unreachable_pub, dead_code)] // also part of no_alloc, which needs some of it

use super::gateway_rig::*;
use firelane_gateway::base::{Mono, StrategyId};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::Word;
use firelane_gateway::flow::action::Tags;
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::Strategy;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::shell::agent::Agent;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, LiveConfig};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::live::{Agents, Assembled, Observer, Outcome, Setup as LiveSetup, Sheet};
use firelane_gateway::shell::log::{Effects, FileHeader};
use firelane_gateway::shell::net::LineAddress;
use firelane_gateway::shell::plug::House;
use firelane_gateway::shell::trace::StageProbe;
use firelane_sim::net::Faults;
use firelane_sim::server::{Running, VenueConfig, VenueServer, build};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A lane with a stage probe.
pub fn stamped<S>(setup: &Setup, strategy: S, clock: Option<Clock>) -> Box<dyn Lane>
where
    S: Strategy<Imbalance> + Send + 'static,
{
    let setup = Setup { books: BookCapacity { instruments: setup.instruments, ..setup.books }, ..setup.clone() };
    let config = Config { tags: Tags { strategy: StrategyId(1), ..setup.config().tags }, ..setup.config() };
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    Box::new(Gateway::new(House::new(&config, StageProbe::new(clock)).with(signal, strategy).unwrap()).unwrap())
}

/// A file in memory that others can look into.
#[derive(Clone, Default)]
pub struct Memory(pub Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Memory {
    pub fn sheet(&self) -> Option<Sheet> {
        let header = FileHeader::new("live", "", vec![], Effects::Bytes);
        Some(Sheet { file: Box::new(self.clone()), header })
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap().clone()
    }
}

/// The live part of a configuration: `[threads]` and the like in `text`, addresses as given.
pub fn live_config(text: &str, lines: [SocketAddr; 2], [rerequest, snapshot, orders]: [SocketAddr; 3]) -> LiveConfig {
    let mut live = Config::parse(text).unwrap().live;
    let net = live.net.first_mut();
    net.lines = lines.map(|to| LineAddress { to, interface: Ipv4Addr::LOCALHOST });
    (net.rerequest, net.snapshot, net.orders) = (rerequest, snapshot, orders);
    live
}

pub fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Two ports that are free now, below those that the system hands out by itself: it might give one to another socket
/// before the gateway listens there.
pub fn free_lines() -> [SocketAddr; 2] {
    const FIRST: u16 = 10_000;
    const PORTS: u32 = 8_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let next = || {
        // Each process begins elsewhere.
        let place = std::process::id().wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + u16::try_from(place).unwrap()))
    };
    std::array::from_fn(|_| std::iter::repeat_with(next).find(|at| UdpSocket::bind(at).is_ok()).unwrap())
}

/// One duty cycle of everything that a lane is.
pub fn turn(agents: &mut Agents) -> usize {
    agents.feed.as_mut().map_or(0, |feed| feed.do_work().unwrap()) + agents.lane.do_work().unwrap()
}

// ---- the real venue ------------------------------------------------------------------------------------------------

/// Passwords of order entry and snapshot.
pub const SECRETS: (Password, Password) = (Password(*b"ORDERS    "), Password(*b"SNAPSHOT  "));

/// A venue with its sockets open: some symbols, a few thousand messages a second.
pub fn venue(faults: Faults, seed: u64) -> (VenueServer, [SocketAddr; 2], [SocketAddr; 3]) {
    let lines = free_lines();
    let mut config = VenueConfig::parse("").unwrap();
    let at = &mut config.setup.addresses;
    at.lines = lines.map(|line| vec![line]);
    (at.rerequest, at.snapshot, at.orders) = (any(), any(), vec![any()]);
    (config.setup.faults, config.setup.seed) = (faults, seed);
    (config.market.symbols, config.market.rate, config.market.day) = (6, 3_000, 20_000);
    let (orders, snapshot) = (config.ports[0].password_env.clone(), config.snapshot.password_env.clone());
    let secret = |name: &str| {
        [(&orders, "ORDERS"), (&snapshot, "SNAPSHOT")].into_iter().find(|(n, _)| *n == name).map(|(_, s)| s.to_owned())
    };
    let server = build(&config, None, &secret).unwrap();
    let at = server.handle().addresses().clone();
    (server, lines, [at.rerequest, at.snapshot, at.orders[0]])
}

/// A setup with room for what the venue does, and its snapshots.
pub fn roomy() -> Setup {
    let config = Config::parse("").unwrap();
    let venue = config.venues.first();
    Setup {
        feed: venue.feed,
        trading: venue.trading,
        books: venue.books,
        policy: config.policy,
        orders: config.orders,
        entry: venue.entry.clone(),
        risk: config.risk,
        instruments: 16,
        listed: None,
    }
}

// ---- a scripted port -----------------------------------------------------------------------------------------------

/// A live lane, driven by hand, and the port that it trades with: a TCP listener with [`Venue`] behind it, and the
/// sender of line A.
pub struct Floor {
    pub lane: Assembled,
    pub venue: Venue,
    pub log: Memory,
    clock: Clock,
    listener: TcpListener,
    port: Option<TcpStream>,
    /// What the port says, and the lane has not taken yet.
    waiting: Vec<u8>,
    sender: UdpSocket,
    lines: [SocketAddr; 2],
    next: u64,
}

impl Floor {
    /// Trading: order entry ready, two symbols open.
    pub fn trading(text: &str) -> Self {
        let log = Memory::default();
        Floor { log: log.clone(), ..Floor::with(text, LiveSetup { log: log.sheet(), ..LiveSetup::default() }) }
    }

    /// The same with files of one's own.
    pub fn with(text: &str, parts: LiveSetup) -> Self {
        let listener = TcpListener::bind(any()).unwrap();
        listener.set_nonblocking(true).unwrap();
        let lines = free_lines();
        let live = live_config(text, lines, [any(), any(), listener.local_addr().unwrap()]);
        let (clock, log) = (Clock::new(), Memory::default());
        let mut setup = Setup::default();
        setup.feed.snapshot = None;
        let lane = stamped(&setup, Told::default(), Some(clock.clone()));
        let lane = Assembled::new(lane, &live, clock.clone(), parts).unwrap();
        let sender = UdpSocket::bind(any()).unwrap();
        let venue = Venue::new();
        let mut floor =
            Floor { lane, venue, log, clock, listener, port: None, waiting: vec![], sender, lines, next: 1 };
        assert!(floor.lane.handle().command(Word::Start));
        floor.market(&opening(2));
        floor.until("order entry is ready", |floor| floor.lane.handle().board().status().ready == 1);
        floor
    }

    /// The next messages of the market, in one packet.
    pub fn market(&mut self, messages: &[Vec<u8>]) {
        let bytes = packet(DAY, self.next, messages);
        self.next += messages.len() as u64;
        self.sender.send_to(&bytes, self.lines[0]).unwrap();
    }

    /// Something that everybody knows already, in so many bytes: an input like any other.
    pub fn noise(&mut self, bytes: usize) {
        self.noise_on(0, bytes);
    }

    /// The same on line A (0) or B (1).
    pub fn noise_on(&mut self, line: usize, bytes: usize) {
        self.sender.send_to(&packet(DAY, 1, &[vec![b'S'; bytes]]), self.lines[line]).unwrap();
    }

    /// The port sends this, as it is.
    pub fn port_says(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Tells the strategy, by the next market message.
    pub fn tell(&mut self, what: Do, shares: u32, price: u32) {
        self.market(&[tell(1, what, shares, price)]);
    }

    /// One turn of both sides.
    pub fn turn(&mut self) {
        turn(&mut self.lane.agents);
        self.turn_port();
    }

    /// One turn of the port.
    pub fn turn_port(&mut self) {
        let now = self.clock.now();
        if let Ok((stream, _)) = self.listener.accept() {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
            self.venue.connect(now);
            self.waiting.clear();
            self.port = Some(stream);
        }
        let Some(port) = &mut self.port else { return };
        self.waiting.extend(self.venue.on_timer(now));
        let mut buffer = [0; 4_096];
        match port.read(&mut buffer) {
            Ok(length) => self.waiting.extend(self.venue.hear(now, &buffer[..length])),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        match port.write(&self.waiting) {
            Ok(length) => drop(self.waiting.drain(..length)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        if self.venue.has_logged_out() {
            self.port = None;
        }
    }

    /// Turns until it holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
            self.turn();
        }
    }

    /// What was asked of the port: letters.
    pub fn asked(&self) -> String {
        self.venue.asked.iter().map(|request| char::from(request[0])).collect()
    }

    pub fn finish(self) -> (Outcome, Vec<u8>) {
        let outcome = self.lane.finish().unwrap();
        (outcome, self.log.bytes())
    }
}

/// The lane's clock now, for inputs.
pub fn now(clock: &Clock) -> Mono {
    clock.now()
}

/// Keeps the venue's view of things: who reads the tape in a test.
#[derive(Clone, Default)]
pub struct Ledger(pub Arc<Mutex<firelane_sim::reconcile::TapeLedger>>);

impl Observer for Ledger {
    fn on_record(&mut self, record: &[u8]) {
        self.0.lock().unwrap().on_record(record);
    }
}

/// A venue on a thread that gives way to the lane.
pub fn spawn(server: VenueServer) -> Running {
    Running::spawn(server, firelane_gateway::shell::agent::Idle::Park, None).unwrap()
}
