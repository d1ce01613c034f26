//! The venue on real sockets: the same [`FarEnd`] as in the virtual world, driven by the machine's clock.
//!
//! One duty cycle takes commands, time, connections and bytes in, lets the far end settle, writes its journal, and only
//! then lets anything out. It never waits. Whatever it keeps for a client is bounded: a client that does not read is
//! cut. Faults are put between the sockets and the far end, by the same links as in the virtual world; without faults
//! there is nothing in between.

mod clock;
mod config;
mod entrance;
mod lines;
mod running;
mod start;
mod status;

pub use clock::{Clock, SinceStart, Speed};
pub use config::{MarketConfig, PortEntry, SAMPLE, SnapshotEntry, VenueConfig};
pub use running::Running;
pub use start::{StartError, build, start};
pub use status::{Ended, PortStatus, VenueEvent, VenueStatus};

use crate::far_end::{Door, FarEnd, Output};
use crate::net::{Faults, StreamStats};
use clock::VenueClock;
use entrance::Entrance;
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::shell::agent::{Agent, AgentError};
pub use firelane_gateway::shell::config::ConfigError;
use lines::{Lines, Requests};
use status::News;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the venue is. What it listens on may have port 0, for any that is free.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addresses {
    /// Where lines A and B are sent: one address or several, unicast or multicast.
    pub lines: [Vec<SocketAddr>; 2],
    /// The re-request server (UDP).
    pub rerequest: SocketAddr,
    /// The snapshot server (TCP).
    pub snapshot: SocketAddr,
    /// The market by levels (TCP), of a venue of that kind: then nothing is sent on lines, and nobody is answered at the
    /// re-request and snapshot servers.
    pub levels: Option<SocketAddr>,
    /// Order entry (TCP), port by port.
    pub orders: Vec<SocketAddr>,
}

/// How multicast lines are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Multicast {
    /// From the interface with this address.
    pub interface: Ipv4Addr,
    /// How far.
    pub ttl: u32,
    /// To this machine too?
    pub loopback: bool,
}

impl Default for Multicast {
    fn default() -> Self {
        Multicast { interface: Ipv4Addr::LOCALHOST, ttl: 1, loopback: true }
    }
}

/// How much there is room for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Connections at one address; more are closed at once.
    pub connections: usize,
    /// Bytes that may wait for a client; one for whom more waits is cut.
    pub write_buffer: usize,
    /// The system's buffer for what is sent to a client, in bytes; the usual one if not said.
    pub send_buffer: Option<usize>,
    /// The rate of a line.
    pub datagrams_per_second: u32,
    /// Datagrams that may wait for their turn on a line; more are lost.
    pub waiting_datagrams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 64,
            write_buffer: 16 << 20,
            send_buffer: None,
            datagrams_per_second: 20_000,
            waiting_datagrams: 65_536,
        }
    }
}

/// What a server is made of, besides the far end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setup {
    /// Where it is.
    pub addresses: Addresses,
    /// How multicast lines are sent.
    pub multicast: Multicast,
    /// How bad the wires are, and whether the venue changes sessions and hangs up.
    pub faults: Faults,
    /// Seed of the faults.
    pub seed: u64,
    /// How fast its clock runs.
    pub speed: Speed,
    /// How much there is room for.
    pub limits: Limits,
}

impl Setup {
    /// A server on loopback, at free ports, with so many order-entry ports, that sends its lines there.
    #[must_use]
    pub fn loopback(lines: [SocketAddr; 2], ports: usize) -> Self {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Setup {
            addresses: Addresses {
                lines: lines.map(|line| vec![line]),
                rerequest: free,
                snapshot: free,
                levels: None,
                orders: vec![free; ports],
            },
            multicast: Multicast::default(),
            faults: Faults::None,
            seed: 1,
            speed: Speed::NORMAL,
            limits: Limits::default(),
        }
    }
}

/// Why a venue cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// A socket.
    #[error("{what} on {address}: {error}")]
    Socket {
        /// What it is for.
        what: String,
        /// Its address.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// A thread.
    #[error("no thread for the venue: {0}")]
    Thread(io::Error),
}

/// Where the venue's day stands.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Phase {
    /// The market trades.
    #[default]
    Trading,
    /// Everyone else has stopped; order entry, lines and servers go on.
    Stopped,
    /// The market-data session has been ended, and its end is being said.
    Ended,
    /// That was said for long enough: there is nothing more to come.
    Said,
    /// The server is over.
    Over,
}

/// What a venue can be told while it runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Command {
    /// Everyone else stops trading, the staff goes home, no more deeds.
    Stop,
    /// Wires and servers are healthy from now on.
    Heal,
    /// End the day: the market closes, what rests is cancelled, order entry is told and over for good.
    EndDay,
    /// End the market-data session: its end is said for a while.
    EndSession,
    /// Tell the status now.
    Report,
}

/// Commands that may wait.
const COMMANDS: usize = 64;
/// Events that may wait.
const EVENTS: usize = 1_024;
/// How often the status is told.
const STATUS_EVERY: Nanos = Nanos::from_millis(200);
/// The venue's clock goes on by at most so much of the machine's time in one duty cycle. A market that is too much for
/// this machine falls behind, visibly, and leaves clients no less time.
const STEP: Nanos = Nanos::from_millis(5);
/// Under heavy faults the venue changes its session, and hangs up, so often on average.
const DEEDS_EVERY: Nanos = Nanos::from_secs(15);

/// What is known of a venue from other threads.
#[derive(Clone, Debug)]
pub struct VenueHandle {
    addresses: Addresses,
    commands: SyncSender<Command>,
    status: Arc<Mutex<VenueStatus>>,
    left: Arc<Mutex<Option<FarEnd>>>,
}

impl VenueHandle {
    /// Where it really listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Tells it something. False if it has too much to do, or is no more.
    pub fn tell(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }

    /// How it is doing, or was doing a fifth of a second ago.
    #[must_use]
    pub fn status(&self) -> VenueStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The far end, once the server is over. It can be taken once.
    #[must_use]
    pub fn take_far_end(&self) -> Option<FarEnd> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The venue on real sockets. An [`Agent`]: whoever drives it chooses the thread.
pub struct VenueServer {
    /// Until it is over.
    far_end: Option<FarEnd>,
    machine: Box<dyn Clock>,
    clock: VenueClock,
    /// What the venue's clock has come to.
    venue_now: Mono,
    entrances: Vec<Entrance>,
    lines: Lines,
    /// None of a venue of levels.
    requests: Option<Requests>,
    phase: Phase,
    healed: bool,
    commands: Receiver<Command>,
    news: News,
    told_at: Mono,
    tell_every: Nanos,
    /// Orders of each port that lived when the day was ended; empty before.
    live_at_end: Vec<usize>,
    /// Someone has told it something, and will want to see what came of it.
    asked: bool,
    handle: VenueHandle,
}

impl std::fmt::Debug for VenueServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VenueServer").field("addresses", &self.handle.addresses).finish_non_exhaustive()
    }
}

impl VenueServer {
    /// Opens every socket. The venue's clock stands at `from`; the far end's day has begun by then.
    ///
    /// # Errors
    /// [`ServerError::Socket`].
    pub fn bind(setup: &Setup, mut far_end: FarEnd, machine: Box<dyn Clock>, from: Mono) -> Result<Self, ServerError> {
        let Setup { addresses, multicast, faults, seed, speed, limits } = setup;
        let socket = |what: &str, address: SocketAddr| {
            let what = what.to_owned();
            move |error| ServerError::Socket { what, address, error }
        };
        let mut entrances = Vec::new();
        let mut actual = addresses.clone();
        let doors = (0..).map(Door::Orders).zip(addresses.orders.iter().copied());
        let market = addresses.levels.map_or((Door::Snapshot, addresses.snapshot), |levels| (Door::Stream, levels));
        for (door, address) in doors.chain([market]) {
            let what = match door {
                Door::Orders(port) => format!("order entry, port {port}"),
                Door::Snapshot => "snapshots".to_owned(),
                Door::Stream => "levels".to_owned(),
            };
            // A port at the address of an earlier one has its own users there.
            let shared = |n: &usize| matches!(door, Door::Orders(_)) && addresses.orders[*n] == address;
            let earlier = (0..entrances.len()).find(shared).filter(|_| address.port() > 0);
            if let (Some(at), Door::Orders(port)) = (earlier, door) {
                let first: &mut Entrance = &mut entrances[at];
                first.share(door, far_end.exchange().user(port));
                actual.orders[usize::from(port)] = first.address().map_err(socket(&what, address))?;
                continue;
            }
            let mut entrance = Entrance::new(door, address, *faults, *seed, *limits).map_err(socket(&what, address))?;
            if let Door::Orders(port) = door {
                entrance.share(door, far_end.exchange().user(port));
            }
            let bound = entrance.address().map_err(socket(&what, address))?;
            match door {
                Door::Orders(port) => actual.orders[usize::from(port)] = bound,
                Door::Snapshot => actual.snapshot = bound,
                Door::Stream => actual.levels = Some(bound),
            }
            entrances.push(entrance);
        }
        let mut requests = None;
        if addresses.levels.is_none() {
            let wrong = || socket("re-requests", addresses.rerequest);
            let server = Requests::new(addresses.rerequest, *faults, *seed).map_err(wrong())?;
            actual.rerequest = server.address().map_err(wrong())?;
            requests = Some(server);
        } else {
            actual.lines = [Vec::new(), Vec::new()];
        }
        let [a, b] = &actual.lines;
        let first = a.first().or(b.first()).copied().unwrap_or(addresses.rerequest);
        let lines = Lines::new(&actual, multicast, *faults, *seed, *limits).map_err(socket("lines", first))?;
        if *faults == Faults::Heavy {
            far_end.plan_often(from, speed.of(DEEDS_EVERY));
        }
        let (sender, commands) = mpsc::sync_channel(COMMANDS);
        let now = machine.now();
        let mut server = VenueServer {
            far_end: Some(far_end),
            clock: VenueClock::new(*speed, now, from),
            venue_now: from,
            machine,
            entrances,
            lines,
            requests,
            phase: Phase::Trading,
            healed: *faults == Faults::None,
            commands,
            news: News::default(),
            told_at: now,
            tell_every: STATUS_EVERY,
            live_at_end: Vec::new(),
            asked: false,
            handle: VenueHandle { addresses: actual, commands: sender, status: Arc::default(), left: Arc::default() },
        };
        server.tell_status(now);
        Ok(server)
    }

    /// What other threads may know and say. Can be cloned.
    #[must_use]
    pub fn handle(&self) -> VenueHandle {
        self.handle.clone()
    }

    /// Events from now on. Whoever does not take them in time misses some.
    pub fn events(&mut self) -> Receiver<VenueEvent> {
        let (to, events) = mpsc::sync_channel(EVENTS);
        self.news.to = Some(to);
        events
    }

    fn command(&mut self, now: Mono, command: Command) {
        let venue_now = self.venue_now;
        let Some(far_end) = &mut self.far_end else { return };
        match command {
            Command::Stop => {
                far_end.stop(venue_now);
                self.phase = self.phase.max(Phase::Stopped);
            }
            Command::Heal => {
                far_end.heal();
                self.lines.heal();
                self.requests.iter_mut().for_each(Requests::heal);
                for entrance in &mut self.entrances {
                    entrance.heal(now);
                }
                self.healed = true;
            }
            Command::EndDay => {
                let exchange = far_end.exchange();
                let live =
                    (0..).map_while(|index| exchange.port(index)).map(|port| PortStatus::of(port, 0, false).live);
                self.live_at_end = live.collect();
                far_end.end_day(venue_now);
                self.phase = self.phase.max(Phase::Stopped);
            }
            Command::EndSession => {
                far_end.end_session(venue_now);
                self.phase = self.phase.max(Phase::Ended);
            }
            Command::Report => {}
        }
    }

    /// Everything that the far end wants sent.
    fn send(&mut self, now: Mono) -> usize {
        let Some(far_end) = &mut self.far_end else { return 0 };
        let outputs = far_end.take_outputs();
        let done = outputs.len();
        for (port, what, count) in far_end.take_remarks() {
            self.news.tell(VenueEvent::Remark { port, what, count });
        }
        for output in outputs {
            match output {
                Output::Datagram(line, bytes) => self.lines.publish(now, line, bytes),
                // A connection that is gone hears no more.
                Output::Bytes(conn, bytes) => {
                    let _gone = !self.entrances.iter_mut().any(|entrance| entrance.write(now, conn, &bytes));
                }
                Output::Close(conn, farewell) => {
                    let _gone = !self.entrances.iter_mut().any(|entrance| entrance.close(now, conn, farewell));
                }
            }
        }
        done
    }

    fn tell_status(&mut self, now: Mono) {
        (self.told_at, self.asked) = (now, false);
        let Some(far_end) = &self.far_end else { return };
        let of = |port: u16| self.entrances.iter().map(|entrance| entrance.count_at(Door::Orders(port))).sum();
        let exchange = far_end.exchange();
        let ports = (0..).map_while(|index| Some((index, exchange.port(index)?)));
        let ports = ports.map(|(index, port)| {
            let status = PortStatus::of(port, of(index), exchange.logged_in(index).is_some());
            let live = self.live_at_end.get(usize::from(index)).copied().unwrap_or(status.live);
            PortStatus { live, ..status }
        });
        let [replies, requests] = self.requests.as_ref().map(Requests::stats).unwrap_or_default();
        let [a, b] = self.lines.stats();
        let streams = |orders: bool| {
            let these = self.entrances.iter().filter(|entrance| matches!(entrance.door, Door::Orders(_)) == orders);
            these.fold(StreamStats::default(), |sum, entrance| sum.plus(entrance.stats()))
        };
        let status = VenueStatus {
            at: self.venue_now,
            behind: self.clock.at(now).since(self.venue_now),
            phase: self.phase,
            healed: self.healed,
            session: far_end.publisher().session(),
            next_sequence: far_end.publisher().next_sequence(),
            ports: ports.collect(),
            snapshot_clients: self.entrances.iter().filter(|e| e.door == Door::Snapshot).map(Entrance::count).sum(),
            far_end: far_end.stats(),
            crowd: exchange.crowd(),
            datagrams: [a, b, replies, requests],
            streams: [streams(true), streams(false)],
            waiting_datagrams: self.lines.waiting(),
            full: self.entrances.iter().map(|entrance| entrance.full).sum(),
            stalled: self.entrances.iter().map(|entrance| entrance.stalled).sum(),
            gone: self.news.gone.clone(),
            lost_events: self.news.lost,
        };
        *self.handle.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }
}

impl Agent for VenueServer {
    fn name(&self) -> &'static str {
        "venue"
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let now = self.machine.now();
        let mut done = 0;
        while let Ok(command) = self.commands.try_recv() {
            self.command(now, command);
            self.asked = true;
            done += 1;
        }
        self.venue_now = self.clock.at(now).min(self.venue_now.after(self.clock.speed.of(STEP)));
        let venue_now = self.venue_now;
        let Some(far_end) = &mut self.far_end else { return Ok(0) };
        far_end.on_timer(venue_now);
        for entrance in &mut self.entrances {
            done += entrance.take_in(now, venue_now, far_end, &mut self.news);
        }
        far_end.settle(venue_now);
        if self.phase == Phase::Ended && far_end.is_over() {
            self.phase = Phase::Said;
            self.asked = true;
        }
        if let Some(requests) = &mut self.requests {
            done += requests.serve(now, venue_now, far_end, &mut self.news);
        }
        // Only what is written down may leave.
        far_end.commit()?;
        done += self.send(now);
        done += self.lines.flush(now);
        done += self.requests.as_mut().map_or(0, |requests| requests.flush(now));
        let Some(far_end) = &mut self.far_end else { return Ok(0) };
        for entrance in &mut self.entrances {
            done += entrance.flush(now, venue_now, far_end, &mut self.news);
        }
        if self.asked || now.since(self.told_at) >= self.tell_every {
            self.tell_status(now);
            // A long day takes long to sum up: that is done less often then.
            let took = self.machine.now().since(now);
            self.tell_every = STATUS_EVERY.max(Nanos(took.0.saturating_mul(50)));
        }
        Ok(done)
    }

    /// Closes every socket, and leaves the far end behind for whoever has a [handle](VenueHandle::take_far_end).
    fn on_close(&mut self) {
        self.phase = Phase::Over;
        let now = self.machine.now();
        self.tell_status(now);
        self.entrances.clear();
        let mut far_end = self.far_end.take();
        // It may be too late to say so; then the last inputs are lost, and nobody has seen what they caused.
        let _committed = far_end.as_mut().map(FarEnd::commit);
        *self.handle.left.lock().unwrap_or_else(PoisonError::into_inner) = far_end;
    }
}
