//! A venue with its sockets, driven by the test, and clients that speak the protocols and nothing else.

use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_gateway::flow::wire::moldudp64::{END_OF_SESSION, Packet};
use firelane_gateway::flow::wire::soupbintcp::{Client, ClientConfig, ClientEvent, Password, Sink};
use firelane_gateway::shell::agent::Agent;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::far_end::{FarEnd, FarEndConfig, Login};
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::server::{Clock, Command, Setup, SinceStart, VenueEvent, VenueHandle, VenueServer, VenueStatus};
use firelane_sim::venue::acceptor::PortConfig;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// However slow the machine is, this is enough.
const PATIENCE: Duration = Duration::from_secs(60);
pub(super) const SNAPSHOT: Login = Login { username: *b"SNAP  ", password: *b"SNAPSHOT  " };
pub(super) const EPOCH: ExchangeTime = ExchangeTime::new(20_047, 34_200_000_000_000);

/// Login of a port.
pub(super) fn login(port: usize) -> Login {
    let n = b'0' + port as u8;
    Login {
        username: [b'F', b'I', b'R', b'E', n, b' '],
        password: [b'P', b'A', b'S', b'S', n, b' ', b' ', b' ', b' ', b' '],
    }
}

pub(super) fn market(ports: usize, rate: u32, seed: u64, faults: Faults) -> Box<dyn Exchange> {
    let flow = FlowConfig { symbols: 3, rate, live_orders: 300, ..FlowConfig::default() };
    let ports = (0..ports).map(|port| {
        let Login { username, password } = login(port);
        PortConfig::new(username, password, *b"ORDERS0001", *b"FIRE")
    });
    Box::new(Synthetic::new(EPOCH, flow, ports.collect(), faults, seed))
}

pub(super) fn far_end(ports: usize, rate: u32, seed: u64, faults: Faults) -> FarEnd {
    let mut far_end =
        FarEnd::new(FarEndConfig::under(faults, seed, SNAPSHOT), market(ports, rate, seed, faults), Mono(0));
    far_end.open(Mono(0));
    far_end
}

/// A clock that the test moves.
#[derive(Clone, Default)]
pub(super) struct ByHand(pub(super) Arc<AtomicU64>);

impl Clock for ByHand {
    fn now(&self) -> Mono {
        Mono(self.0.load(Ordering::Relaxed))
    }
}

impl ByHand {
    pub(super) fn pass(&self, time: Nanos) {
        self.0.fetch_add(time.0, Ordering::Relaxed);
    }
}

/// What came on one line.
pub(super) struct Line {
    socket: UdpSocket,
    pub(super) session: [u8; 10],
    pub(super) messages: BTreeMap<u64, Vec<u8>>,
    pub(super) datagrams: u64,
    pub(super) ended: bool,
    /// The highest number announced.
    pub(super) next: u64,
}

impl Line {
    pub(super) fn new() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Line::of(socket)
    }

    pub(super) fn of(socket: UdpSocket) -> Self {
        Line { socket, session: [0; 10], messages: BTreeMap::new(), datagrams: 0, ended: false, next: 1 }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    pub(super) fn poll(&mut self) -> usize {
        let mut buffer = [0; 65_536];
        let mut count = 0;
        while let Ok((length, _)) = self.socket.recv_from(&mut buffer) {
            count += 1;
            self.take(&buffer[..length]);
        }
        count
    }

    fn take(&mut self, bytes: &[u8]) {
        let packet = Packet::parse(bytes).unwrap();
        let header = packet.header();
        if header.session != self.session {
            self.session = header.session;
            self.messages.clear();
            self.next = 1;
        }
        self.datagrams += 1;
        self.ended |= header.count.get() == END_OF_SESSION;
        let mut number = header.sequence.get();
        for message in packet.messages() {
            let (at, bytes) = message.unwrap();
            assert_eq!(at, number);
            self.messages.insert(at, bytes.to_vec());
            number += 1;
        }
        self.next = self.next.max(number);
    }
}

struct Out<'a>(&'a mut Vec<u8>);

impl Sink for Out<'_> {
    fn write(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
    }
}

/// A client of order entry or of snapshots.
pub(super) struct Trader {
    pub(super) socket: TcpStream,
    session: Client,
    clock: SinceStart,
    out: Vec<u8>,
    pub(super) logged_in: Option<u64>,
    pub(super) rejected: bool,
    pub(super) closed: bool,
    /// Messages of the session, in order.
    pub(super) got: Vec<Vec<u8>>,
}

impl Trader {
    /// Connects, and logs in at a message (0: the next one).
    pub(super) fn new(address: SocketAddr, login: Login, from: u64) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket.set_nodelay(true).unwrap();
        let config =
            ClientConfig { next_sequence: from, ..ClientConfig::new(login.username, Password(login.password)) };
        let mut trader = Trader {
            socket,
            session: Client::new(config),
            clock: SinceStart::default(),
            out: Vec::new(),
            logged_in: None,
            rejected: false,
            closed: false,
            got: Vec::new(),
        };
        trader.session.on_connected(trader.clock.now(), &mut Out(&mut trader.out));
        trader
    }

    pub(super) fn poll(&mut self) -> usize {
        let now = self.clock.now();
        self.session.on_timer(now, &mut Out(&mut self.out));
        let mut done = 0;
        match self.socket.write(&self.out) {
            Ok(length) => {
                self.out.drain(..length);
                done += length;
            }
            Err(error) => self.closed |= error.kind() != ErrorKind::WouldBlock,
        }
        let mut buffer = [0; 65_536];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.closed = true;
                    break;
                }
                Ok(length) => {
                    done += length;
                    let mut rest = &buffer[..length];
                    while !rest.is_empty() {
                        let taken = self.session.on_bytes(now, rest);
                        rest = &rest[taken..];
                        self.take_events();
                    }
                }
                Err(error) => {
                    self.closed |= error.kind() != ErrorKind::WouldBlock;
                    break;
                }
            }
        }
        done
    }

    fn take_events(&mut self) {
        while let Some(event) = self.session.next_event() {
            match event {
                ClientEvent::LoggedIn { next_sequence, .. } => self.logged_in = Some(next_sequence),
                ClientEvent::Sequenced { payload, .. } => self.got.push(payload.to_vec()),
                ClientEvent::Rejected(_) => self.rejected = true,
                ClientEvent::Heartbeat => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(super) fn send(&mut self, message: &[u8]) {
        self.session.send_unsequenced(self.clock.now(), &[message], &mut Out(&mut self.out)).unwrap();
    }

    /// Enters a day order and says nothing more of it.
    pub(super) fn enter(&mut self, urn: u32, side: u8, shares: u32, symbol: &[u8; 8], price: u64) {
        self.send(&enter(urn, side, shares, symbol, price));
    }

    /// Answers of a kind so far.
    pub(super) fn count(&self, kind: u8) -> usize {
        self.got.iter().filter(|message| message[0] == kind).count()
    }
}

/// Enter Order (OUCH 5.0).
pub(super) fn enter(urn: u32, side: u8, shares: u32, symbol: &[u8; 8], price: u64) -> Vec<u8> {
    let mut order = vec![b'O'];
    order.extend(urn.to_be_bytes());
    order.push(side);
    order.extend(shares.to_be_bytes());
    order.extend(symbol);
    order.extend(price.to_be_bytes());
    order.extend(b"0YPNN");
    order.extend(format!("{urn:014}").as_bytes());
    order.extend([0, 0]);
    order
}

pub(super) struct Rig {
    pub(super) server: VenueServer,
    pub(super) setup: Setup,
    pub(super) handle: VenueHandle,
    pub(super) events: Receiver<VenueEvent>,
    pub(super) seen: Vec<VenueEvent>,
    pub(super) lines: [Line; 2],
    pub(super) traders: Vec<Trader>,
    pub(super) clock: Option<ByHand>,
}

impl Rig {
    pub(super) fn new(ports: usize, far_end: FarEnd, change: impl FnOnce(&mut Setup)) -> Self {
        Rig::with_clock(ports, far_end, change, None)
    }

    /// With a clock that goes on by a tenth of a millisecond each duty cycle.
    pub(super) fn with_clock(
        ports: usize,
        far_end: FarEnd,
        change: impl FnOnce(&mut Setup),
        clock: Option<ByHand>,
    ) -> Self {
        let lines = [Line::new(), Line::new()];
        let mut setup = Setup::loopback([lines[0].address(), lines[1].address()], ports);
        change(&mut setup);
        Rig { lines, ..Rig::at(setup, far_end, clock) }
    }

    /// With everything said, and lines that are not listened to.
    pub(super) fn at(setup: Setup, far_end: FarEnd, clock: Option<ByHand>) -> Self {
        let lines = [Line::new(), Line::new()];
        let machine: Box<dyn Clock> = match &clock {
            Some(clock) => Box::new(clock.clone()),
            None => Box::new(SinceStart::default()),
        };
        let from = far_end.latest().unwrap_or(Mono(0));
        let mut server = VenueServer::bind(&setup, far_end, machine, from).unwrap();
        let (handle, events) = (server.handle(), server.events());
        Rig { server, setup, handle, events, seen: Vec::new(), lines, traders: Vec::new(), clock }
    }

    /// A client of a port.
    pub(super) fn trader(&mut self, port: usize, from: u64) -> usize {
        self.traders.push(Trader::new(self.handle.addresses().orders[port], login(port), from));
        self.traders.len() - 1
    }

    pub(super) fn cycle(&mut self) -> usize {
        let mut done = self.server.do_work().unwrap();
        if let Some(clock) = &self.clock {
            clock.pass(Nanos::from_micros(100));
            done += 1;
        }
        done += self.lines.iter_mut().map(Line::poll).sum::<usize>();
        done += self.traders.iter_mut().filter(|trader| !trader.closed).map(Trader::poll).sum::<usize>();
        self.seen.extend(self.events.try_iter());
        done
    }

    /// Goes on until something is so.
    pub(super) fn until(&mut self, what: &str, mut is_so: impl FnMut(&mut Rig) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}: {:?}", self.handle.status());
            if self.cycle() == 0 {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }

    pub(super) fn tell(&mut self, command: Command) {
        assert!(self.handle.tell(command));
        self.cycle();
    }

    /// The status of now.
    pub(super) fn status(&mut self) -> VenueStatus {
        self.tell(Command::Report);
        self.handle.status()
    }

    /// Ends it in order and gives the far end back.
    pub(super) fn finish(mut self) -> FarEnd {
        self.server.on_close();
        self.handle.take_far_end().unwrap()
    }
}
