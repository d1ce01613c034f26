//! The gateway's own lane against the venue, over real sockets, on a clock that the test moves: whatever the faults do
//! to datagrams and connections, both sides come to rest and agree.

#[path = "../world/fidget.rs"]
mod fidget;
#[allow(dead_code, reason = "the lane is all that is wanted of it")]
#[path = "../world/rig.rs"]
mod world;

use super::rig::{ByHand, Rig};
use firelane_gateway::base::{ExchangeTime, InstrumentId, LineId, Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::Credentials;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::flow::{Arrival, CommandBytes, Input};
use firelane_gateway::shell::lane::Recorder;
use firelane_sim::exchange::Synthetic;
use firelane_sim::far_end::{FarEnd, FarEndConfig};
use firelane_sim::journal::Journal;
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::reconcile::{self, Statement, TapeLedger};
use firelane_sim::server::{Clock, Command, Setup, VenueStatus};
use firelane_sim::world::WorldConfig;
use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use world::{DAY, Run, Trader};

const SESSIONS: [SessionId; 2] = [SessionId::ORDERS, SessionId::SNAPSHOT];

/// What the lane wants done.
enum Wanted {
    Request(Vec<u8>),
    Send(SessionId, Class, Vec<u8>),
    Connect(SessionId),
    Disconnect(SessionId),
}

/// Where a session goes, with which password, and its connection.
struct Session {
    address: SocketAddr,
    password: Password,
    socket: Option<TcpStream>,
    out: Vec<u8>,
}

/// A lane with sockets, as bare as can be.
struct Gateway {
    lane: Recorder,
    tape: TapeLedger,
    clock: ByHand,
    /// Lines A and B, and where replies to requests come.
    datagrams: [UdpSocket; 3],
    rerequest: SocketAddr,
    /// Order entry, snapshots.
    sessions: [Session; 2],
    wanted: VecDeque<Wanted>,
}

impl Gateway {
    fn feed(&mut self, input: Input<'_>) {
        let Gateway { lane, tape, wanted, clock, .. } = self;
        let outcome = lane.input(clock.now(), input, |output| match output {
            Output::Datagram(_, bytes) => wanted.push_back(Wanted::Request(bytes.to_vec())),
            Output::Send { session, class, bytes, .. } => {
                wanted.push_back(Wanted::Send(session, class, bytes.to_vec()))
            }
            Output::Connect(_, session) => wanted.push_back(Wanted::Connect(session)),
            Output::Disconnect(_, session) => wanted.push_back(Wanted::Disconnect(session)),
            Output::Tape(record) => tape.on_record(record),
            Output::Snapshot(_) => {}
        });
        outcome.unwrap();
        while let Some(wanted) = self.wanted.pop_front() {
            self.act(wanted);
        }
    }

    fn act(&mut self, wanted: Wanted) {
        match wanted {
            Wanted::Request(bytes) => drop(self.datagrams[2].send_to(&bytes, self.rerequest)),
            Wanted::Send(session, class, mut bytes) => {
                let Session { password, out, .. } = &mut self.sessions[usize::from(session.0)];
                if class == Class::Session {
                    password.complete(&mut bytes);
                }
                out.extend(bytes);
            }
            Wanted::Connect(session) => {
                let Session { address, socket, out, .. } = &mut self.sessions[usize::from(session.0)];
                out.clear();
                *socket = TcpStream::connect(*address).ok();
                if let Some(socket) = socket {
                    socket.set_nonblocking(true).unwrap();
                    socket.set_nodelay(true).unwrap();
                }
                let up = socket.is_some();
                self.feed(Input::Session(
                    VenueId::FIRST,
                    session,
                    if up { SessionInput::Connected } else { SessionInput::Closed },
                ));
            }
            Wanted::Disconnect(session) => {
                if self.sessions[usize::from(session.0)].socket.take().is_some() {
                    self.feed(Input::Session(VenueId::FIRST, session, SessionInput::Closed));
                }
            }
        }
    }

    fn poll(&mut self) {
        let mut buffer = [0; 65_536];
        for (at, line) in [LineId::A, LineId::B, LineId::REREQUEST].into_iter().enumerate() {
            while let Ok((length, _)) = self.datagrams[at].recv_from(&mut buffer) {
                self.feed(Input::Packet(Arrival::on(VenueId::FIRST, line), &buffer[..length]));
            }
        }
        for (at, id) in SESSIONS.into_iter().enumerate() {
            let Session { socket: Some(socket), out, .. } = &mut self.sessions[at] else { continue };
            let mut gone = false;
            match socket.write(out) {
                Ok(length) => drop(out.drain(..length)),
                Err(error) => gone = error.kind() != ErrorKind::WouldBlock,
            }
            match socket.read(&mut buffer) {
                Ok(0) => gone = true,
                Ok(length) => self.feed(Input::Session(VenueId::FIRST, id, SessionInput::Bytes(&buffer[..length]))),
                Err(error) => gone |= error.kind() != ErrorKind::WouldBlock,
            }
            if gone && self.sessions[at].socket.take().is_some() {
                self.feed(Input::Session(VenueId::FIRST, id, SessionInput::Closed));
            }
        }
        while let Some(machine) = self.lane.lane().due(self.clock.now()) {
            self.feed(Input::Timer(machine));
        }
    }

    /// Every book of the lane can be trusted.
    fn is_fresh(&self) -> bool {
        let lane = self.lane.lane();
        (0..).map(InstrumentId).take(lane.instruments().rows().len()).all(|id| lane.book(id).freshness().is_fresh())
    }
}

/// The venue's far end before its day, or as its journal has it.
fn far_end_of(world: &WorldConfig, faults: Faults, seed: u64, journal: Option<&Path>) -> FarEnd {
    let flow = FlowConfig { symbols: 6, rate: 2_500, live_orders: 500, ..FlowConfig::default() };
    let epoch = ExchangeTime::new(DAY, 34_200_000_000_000);
    let market = Synthetic::new(epoch, flow, vec![world.port(*b"FIRE")], faults, seed);
    let around = FarEndConfig::under(faults, seed, world.snapshot);
    let mut far_end = match journal {
        Some(path) => FarEnd::resume(around, Box::new(market), Journal::open(path, seed, epoch).unwrap()).unwrap(),
        None => FarEnd::new(around, Box::new(market), Mono(0)),
    };
    if far_end.latest().is_none() {
        far_end.open(Mono(0));
    }
    far_end
}

/// A day of trading until rest. With a journal the venue is killed in the middle of it, and started again.
fn trade(faults: Faults, seed: u64, seconds: u64, journal: Option<&Path>) -> (Gateway, FarEnd, VenueStatus) {
    let clock = ByHand::default();
    let world = WorldConfig::new(seed, faults, Nanos::from_secs(seconds));
    let far_end = far_end_of(&world, faults, seed, journal);
    // What a maker has in the book is there when the venue is killed.
    let trader = if journal.is_some() { Trader::Maker } else { Trader::Taker };
    let datagrams = [0; 3].map(|_| {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    });
    let lines = [datagrams[0].local_addr().unwrap(), datagrams[1].local_addr().unwrap()];
    let change = |setup: &mut Setup| {
        (setup.faults, setup.seed) = (faults, seed);
        setup.addresses.lines = lines.map(|line| vec![line]);
    };
    let mut rig = Rig::with_clock(1, far_end, change, Some(clock.clone()));
    let at = rig.handle.addresses().clone();
    let session = |address, password| Session { address, password, socket: None, out: Vec::new() };
    let mut gateway = Gateway {
        lane: Recorder::new(Run { trader, ..Run::heavy(seed) }.lane()),
        tape: TapeLedger::default(),
        clock: clock.clone(),
        datagrams,
        rerequest: at.rerequest,
        sessions: [
            session(at.orders[0], Password(world.orders.password)),
            session(at.snapshot, Password(world.snapshot.password)),
        ],
        wanted: VecDeque::new(),
    };
    gateway.feed(Input::Command(CommandBytes::START));
    if journal.is_some() {
        rig.until("the middle of the day", |rig| {
            gateway.poll();
            clock.now() >= Mono(0).after(Nanos::from_secs(seconds / 2)) && rig.handle.status().ports[0].live > 0
        });
        let setup = Setup { addresses: at, ..rig.setup.clone() };
        // As if killed: nobody is told, and no input is written any more.
        drop(rig);
        // For a while there is nothing to connect to.
        let back = clock.now().after(Nanos::from_millis(300));
        while clock.now() < back {
            clock.pass(Nanos::from_micros(100));
            gateway.poll();
        }
        rig = Rig::at(setup, far_end_of(&world, faults, seed, journal), Some(clock.clone()));
    }
    rig.until("the end of trading", |_| {
        gateway.poll();
        clock.now() >= Mono(0).after(Nanos::from_secs(seconds))
    });
    rig.tell(Command::Stop);
    gateway.feed(Input::Command(CommandBytes::SHUTDOWN));
    let healed = clock.now().after(Nanos::from_millis(200));
    rig.until("the faults after the end of trading", |_| {
        gateway.poll();
        clock.now() >= healed
    });
    rig.tell(Command::Heal);
    rig.until("rest", |rig| {
        gateway.poll();
        let lane = gateway.lane.lane();
        lane.is_over()
            && gateway.is_fresh()
            && lane.next_sequence(VenueId::FIRST).unwrap() == rig.status().next_sequence
    });
    rig.tell(Command::EndSession);
    rig.until("the end of the session", |_| {
        gateway.poll();
        gateway.tape.counts().ends_of_session > 0
    });
    let status = rig.status();
    (gateway, rig.finish(), status)
}

fn assert_agreed(gateway: &Gateway, far_end: &FarEnd) {
    far_end.check().unwrap();
    let lane = gateway.lane.lane();
    let mut found = reconcile::compare(
        &Statement::of_lane(lane, VenueId::FIRST, &gateway.tape),
        &Statement::of_venue(far_end.exchange(), 0),
    );
    found.extend(reconcile::check_at_rest(lane));
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_lane_trades_over_sockets_and_both_sides_agree() {
    let (gateway, far_end, status) = trade(Faults::None, 31, 2, None);
    assert_agreed(&gateway, &far_end);
    assert!(gateway.tape.counts().fills > 0, "{:?}", gateway.tape.counts());
    assert_eq!(status.stalled + status.full + status.lost_events, 0);
}

#[test]
fn a_venue_that_is_killed_and_comes_back_doubles_nothing() {
    for (faults, seed) in [(Faults::None, 51), (Faults::Light, 52), (Faults::Heavy, 53)] {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("venue.journal");
        let (gateway, far_end, _) = trade(faults, seed, 4, Some(&journal));
        assert_agreed(&gateway, &far_end);
        let counts = gateway.tape.counts();
        assert!(counts.fills > 0 && counts.entry_ready > 1, "{counts:?}");
    }
}

#[test]
fn under_heavy_faults_both_sides_agree_in_the_end() {
    let mut fills = 0;
    for seed in 40..44 {
        let (gateway, far_end, status) = trade(Faults::Heavy, seed, 4, None);
        assert_agreed(&gateway, &far_end);
        let feed = gateway.lane.lane().feed_counters(VenueId::FIRST).unwrap();
        assert!(feed.gaps > 0 && status.datagrams[0].lost > 0, "seed {seed}: {status:?}");
        fills += gateway.tape.counts().fills;
    }
    // One of them may be cut off all day.
    assert!(fills > 0);
}
