//! TCP at the socket: a listener, its connections, and between each of them and the far end a link with its faults, or
//! nothing.
//!
//! With a link, the socket is the client's end of it: what the client writes goes through the link before the far end
//! sees it, what the far end writes goes through it before the socket does, and where the link is cut, refused or
//! half-open, so is the connection.
//!
//! Several order ports may be behind one listener: the first packet of a client is its login (SoupBinTCP 3.0, "Login Request
//! Packet"), and the name in it says which of them it wants. Until that has come the socket waits in front.

use super::Limits;
use super::status::{Ended, News, VenueEvent};
use crate::far_end::{Door, FarEnd};
use crate::net::{End, Faults, StreamEvent, StreamLink, StreamStats};
use crate::rng::Rng;
use crate::venue::acceptor::{ConnId, Farewell};
use crate::venue::farewell::Name;
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::flow::wire::soupbintcp::letter;
use socket2::{Domain, Protocol, Socket, Type};
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};

/// At most so many connections are accepted in a duty cycle.
const MOST_ACCEPTED: usize = 16;
/// At most so many reads of a connection in a duty cycle.
const MOST_READS: usize = 4;
/// After the last byte has been written, a client has so long to close its end too.
const LINGER: Nanos = Nanos::from_secs(1);
/// A client that is to be closed and takes nothing of what still waits for it is cut after so long: it would keep its
/// place for ever.
const STUCK: Nanos = Nanos::from_secs(15);

/// A client has so long to say who it is where several ports share an address; then it is the first one's, which sends it away
/// when it likes.
const ANONYMOUS: Nanos = Nanos::from_secs(5);
/// Where a Login Request packet has its letter and its username.
const LETTER: usize = 2;
const USER: std::ops::Range<usize> = 3..9;

/// A socket whose client has not said yet who it is.
#[derive(Debug)]
struct Caller {
    socket: TcpStream,
    peer: SocketAddr,
    until: Mono,
}

/// Where the socket of a connection stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Socketed {
    Open,
    /// What waits is still written; then the writing side is closed, and the client's end is waited for. Some of it was
    /// taken last at this time.
    Flushing(Mono),
    Lingering(Mono),
    Gone,
}

#[derive(Debug)]
struct Connection {
    door: Door,
    socket: TcpStream,
    state: Socketed,
    peer: SocketAddr,
    link: Option<StreamLink>,
    /// Its number at the far end, while it has one there.
    conn: Option<ConnId>,
    out: VecDeque<u8>,
    /// The name that was tried.
    user: Option<Name>,
    logged_in: bool,
    /// Bytes came since it was last asked whether they logged in.
    heard: bool,
    /// Why it ends, and whether that was told.
    ended: Option<Ended>,
    told: bool,
}

/// A listener and its connections.
#[derive(Debug)]
pub(super) struct Entrance {
    /// The first that is behind it.
    pub(super) door: Door,
    /// All of them, with whose they are; nobody is asked for his name where there is one.
    doors: Vec<(Door, [u8; 6])>,
    callers: Vec<Caller>,
    listener: TcpListener,
    connections: Vec<Connection>,
    faults: Faults,
    seed: u64,
    limits: Limits,
    /// New connections are refused until then, after a cut.
    down_until: Mono,
    accepted: u64,
    /// Of connections that are gone, and of those without a link.
    stats: StreamStats,
    /// Connections closed at once because there were too many, or because their client did not read.
    pub(super) full: u64,
    pub(super) stalled: u64,
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A venue that is started again takes its address back at once.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

impl Entrance {
    pub(super) fn new(door: Door, address: SocketAddr, faults: Faults, seed: u64, limits: Limits) -> io::Result<Self> {
        Ok(Entrance {
            door,
            doors: Vec::new(),
            callers: Vec::new(),
            listener: listen(address)?,
            connections: Vec::new(),
            faults,
            seed,
            limits,
            down_until: Mono(0),
            accepted: 0,
            stats: StreamStats::default(),
            full: 0,
            stalled: 0,
        })
    }

    /// Another door behind the same listener, for whoever logs in by this name.
    pub(super) fn share(&mut self, door: Door, user: Option<[u8; 6]>) {
        self.doors.extend(user.map(|user| (door, user)));
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub(super) fn heal(&mut self, now: Mono) {
        self.faults = Faults::None;
        self.down_until = Mono(0);
        for link in self.connections.iter_mut().filter_map(|c| c.link.as_mut()) {
            link.set_faults(now, self.faults.session());
        }
    }

    /// Connections whose socket is open.
    pub(super) fn count(&self) -> usize {
        self.connections.iter().filter(|c| c.state == Socketed::Open).count()
    }

    /// The same of one door.
    pub(super) fn count_at(&self, door: Door) -> usize {
        self.connections.iter().filter(|c| c.state == Socketed::Open && c.door == door).count()
    }

    pub(super) fn stats(&self) -> StreamStats {
        let links = self.connections.iter().filter_map(|c| c.link.as_ref());
        links.fold(self.stats, |sum, link| sum.plus(link.stats()))
    }

    // ---- One duty cycle ----------------------------------------------------------------------------------------

    /// New connections, what clients wrote, and what is due on the links; how much that was.
    pub(super) fn take_in(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, news: &mut News) -> usize {
        let mut done = self.accept(now, venue_now, far_end, news);
        for connection in &mut self.connections {
            done += connection.read(now, venue_now, far_end, &mut self.stats);
            done += connection.carry(now, venue_now, far_end);
            if let Some(link) = &connection.link {
                self.down_until = self.down_until.max(link.down_until());
            }
            if connection.heard
                && let Some(conn) = connection.conn
            {
                connection.heard = false;
                connection.user = far_end.tried(conn);
                if !connection.logged_in && far_end.is_logged_in(conn) {
                    connection.logged_in = true;
                    let (door, peer, user) = (connection.door, connection.peer, connection.user);
                    news.tell(VenueEvent::LoggedIn { door, peer, user });
                }
            }
        }
        done
    }

    fn accept(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, news: &mut News) -> usize {
        let mut done = 0;
        while done < MOST_ACCEPTED {
            // An error is about a client that went away before it was accepted, or a shortage that may pass.
            let Ok((socket, peer)) = self.listener.accept() else { break };
            done += 1;
            if !self.make_room(now, venue_now, far_end) {
                self.full += 1;
                if self.full.is_power_of_two() {
                    news.tell(VenueEvent::Full { door: self.door, peer, count: self.full });
                }
                continue;
            }
            if prepare(&socket, &self.limits).is_err() {
                continue;
            }
            if self.doors.len() > 1 {
                self.callers.push(Caller { socket, peer, until: now.after(ANONYMOUS) });
            } else {
                self.admit(self.door, socket, peer, (now, venue_now), far_end, news);
            }
        }
        done + self.ask_callers(now, venue_now, far_end, news)
    }

    /// Lets those in who have said who they are.
    fn ask_callers(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, news: &mut News) -> usize {
        let mut done = 0;
        for caller in std::mem::take(&mut self.callers) {
            let mut said = [0; USER.end];
            match caller.socket.peek(&mut said) {
                // It has gone without a word.
                Ok(0) => done += 1,
                Ok(length) if length == said.len() || now >= caller.until => {
                    done += 1;
                    let door = self.door_of(&said[..length]);
                    self.admit(door, caller.socket, caller.peer, (now, venue_now), far_end, news);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock && now >= caller.until => {
                    done += 1;
                    self.admit(self.door, caller.socket, caller.peer, (now, venue_now), far_end, news);
                }
                Ok(_) => self.callers.push(caller),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    self.callers.push(caller);
                }
                Err(_) => done += 1,
            }
        }
        done
    }

    /// Whose door a client wants, by the first bytes that it sends. Whoever is nobody's, or sends something else, is the first
    /// one's to refuse.
    fn door_of(&self, said: &[u8]) -> Door {
        let name = said.get(USER).filter(|_| said.get(LETTER) == Some(&letter::LOGIN_REQUEST));
        let is = |user: &[u8; 6]| name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(user.trim_ascii()));
        self.doors.iter().find(|(_, user)| is(user)).map_or(self.door, |(door, _)| *door)
    }

    fn admit(
        &mut self,
        door: Door,
        socket: TcpStream,
        peer: SocketAddr,
        (now, venue_now): (Mono, Mono),
        far_end: &mut FarEnd,
        news: &mut News,
    ) {
        self.accepted += 1;
        let mut connection = Connection {
            door,
            socket,
            state: Socketed::Open,
            peer,
            link: None,
            conn: None,
            out: VecDeque::new(),
            user: None,
            logged_in: false,
            heard: false,
            ended: None,
            told: false,
        };
        if self.faults == Faults::None {
            self.stats.connects += 1;
            connection.conn = Some(far_end.on_connect(venue_now, door));
        } else {
            let name = format!("{:?} {}", self.door, self.accepted);
            let mut link = StreamLink::new(self.faults.session(), Rng::new(self.seed, &name));
            link.refuse_until(self.down_until);
            link.connect(now);
            connection.link = Some(link);
        }
        news.tell(VenueEvent::Connected { door, peer });
        self.connections.push(connection);
    }

    /// Is there a place for one more? Whoever is logged in to an order port takes none, as it is one that a port has and
    /// a new login displaces it. Of the others, one that is idle gives its place up, and then one that is being closed
    /// and takes its time: nobody is locked out by connections that do nothing.
    fn make_room(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd) -> bool {
        let is_order_port = matches!(self.door, Door::Orders(_));
        let trades = |c: &Connection| is_order_port && c.logged_in && c.state == Socketed::Open;
        let idle = self.connections.iter().filter(|c| c.state != Socketed::Gone && !trades(c)).count();
        if idle + self.callers.len() < self.limits.connections {
            return true;
        }
        if !self.callers.is_empty() {
            // The one that has been silent for longest.
            self.callers.remove(0);
            return true;
        }
        // What a faulty wire still carries to it is on its way to somebody idle, too.
        let is_idle = |c: &Connection| c.state == Socketed::Open && c.conn.is_none_or(|conn| far_end.is_idle(conn));
        let closing = |c: &Connection| matches!(c.state, Socketed::Flushing(_) | Socketed::Lingering(_));
        let oldest = self.connections.iter().position(is_idle).or_else(|| self.connections.iter().position(closing));
        let Some(oldest) = oldest.and_then(|at| self.connections.get_mut(at)) else { return false };
        oldest.ended.get_or_insert(Ended::MadeRoom);
        oldest.lose(now, venue_now, far_end);
        true
    }

    /// The far end writes to a connection. False if it is not one of these.
    pub(super) fn write(&mut self, now: Mono, conn: ConnId, bytes: &[u8]) -> bool {
        let Some(connection) = self.connections.iter_mut().find(|c| c.conn == Some(conn)) else { return false };
        match &mut connection.link {
            Some(link) => link.send(now, End::Server, bytes),
            None => {
                self.stats.sent += bytes.len() as u64;
                connection.out.extend(bytes);
            }
        }
        true
    }

    /// The far end has closed a connection. False if it is not one of these.
    pub(super) fn close(&mut self, now: Mono, conn: ConnId, farewell: Farewell) -> bool {
        let Some(connection) = self.connections.iter_mut().find(|c| c.conn == Some(conn)) else { return false };
        connection.conn = None;
        connection.ended.get_or_insert(Ended::ByVenue(farewell.why));
        connection.user = farewell.user.or(connection.user);
        match &mut connection.link {
            Some(link) => link.close(now, End::Server),
            None => connection.finish(now),
        }
        true
    }

    /// Writes what waits; forgets connections that are over. How many sockets were written to.
    pub(super) fn flush(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, news: &mut News) -> usize {
        let mut done = 0;
        for connection in &mut self.connections {
            done += usize::from(connection.flush(now, venue_now, far_end));
            if connection.out.len() > self.limits.write_buffer {
                self.stalled += 1;
                connection.ended.get_or_insert(Ended::Stalled);
                connection.lose(now, venue_now, far_end);
            }
            if connection.state != Socketed::Open && !connection.told {
                connection.told = true;
                let (door, peer, user) = (connection.door, connection.peer, connection.user);
                let why = connection.ended.unwrap_or(Ended::ByClient);
                *news.gone.entry(why.key()).or_insert(0) += 1;
                news.tell(VenueEvent::Disconnected { door, peer, user, why });
            }
        }
        let stats = &mut self.stats;
        self.connections.retain(|connection| {
            let keep = !connection.is_over();
            if let (false, Some(link)) = (keep, &connection.link) {
                *stats = stats.plus(link.stats());
            }
            keep
        });
        done
    }
}

fn prepare(socket: &TcpStream, limits: &Limits) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    socket.set_nodelay(true)?;
    if let Some(bytes) = limits.send_buffer {
        socket2::SockRef::from(socket).set_send_buffer_size(bytes)?;
    }
    Ok(())
}

impl Connection {
    /// Does the client's end of the wire take bytes? Until it does, they wait in the socket.
    fn is_ready(&self) -> bool {
        self.link.as_ref().is_none_or(|link| link.is_open(End::Client))
    }

    /// Takes what the client wrote.
    fn read(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd, stats: &mut StreamStats) -> usize {
        if self.state == Socketed::Gone || (self.state == Socketed::Open && !self.is_ready()) {
            return 0;
        }
        let mut buffer = [0; 16_384];
        let mut done = 0;
        while done < MOST_READS {
            match self.socket.read(&mut buffer) {
                Ok(0) => {
                    self.lose(now, venue_now, far_end);
                    return done + 1;
                }
                Ok(length) => {
                    done += 1;
                    // What comes after the end is thrown away.
                    if self.state == Socketed::Open {
                        self.heard = true;
                        match (&mut self.link, self.conn) {
                            (Some(link), _) => link.send(now, End::Client, &buffer[..length]),
                            (None, Some(conn)) => {
                                stats.chunks += 1;
                                stats.delivered += length as u64;
                                far_end.on_bytes(venue_now, conn, &buffer[..length]);
                            }
                            (None, None) => {}
                        }
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return done,
                Err(_) => {
                    self.lose(now, venue_now, far_end);
                    return done + 1;
                }
            }
        }
        done
    }

    /// Delivers what is due on the link.
    fn carry(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd) -> usize {
        let door = self.door;
        let Some(mut link) = self.link.take() else { return 0 };
        let mut done = 0;
        while let Some((end, event)) = link.receive(now) {
            done += 1;
            match (end, event, self.conn) {
                (End::Server, StreamEvent::Connected, _) => self.conn = Some(far_end.on_connect(venue_now, door)),
                (End::Server, StreamEvent::Bytes(bytes), Some(conn)) => {
                    self.heard = true;
                    far_end.on_bytes(venue_now, conn, &bytes);
                }
                (End::Server, StreamEvent::Closed, Some(conn)) => {
                    self.conn = None;
                    far_end.on_close(venue_now, conn);
                }
                (End::Server, _, None) | (End::Client, StreamEvent::Connected, _) => {}
                (End::Client, StreamEvent::Bytes(bytes), _) => self.out.extend(bytes),
                (End::Client, StreamEvent::Closed, _) => {
                    self.ended.get_or_insert(Ended::ByFault);
                    self.finish(now);
                }
            }
        }
        self.link = Some(link);
        done
    }

    /// The socket is to be closed once all is written.
    fn finish(&mut self, now: Mono) {
        if self.state == Socketed::Open {
            self.state = Socketed::Flushing(now);
        }
    }

    /// The socket is gone, or has to go.
    fn lose(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd) {
        let was = std::mem::replace(&mut self.state, Socketed::Gone);
        self.out = VecDeque::new();
        let _gone_already = self.socket.shutdown(Shutdown::Both);
        if was != Socketed::Open {
            return;
        }
        match (&mut self.link, self.conn.take()) {
            (Some(link), conn) => {
                // The far end hears of it when the link says so.
                self.conn = conn;
                link.close(now, End::Client);
            }
            (None, Some(conn)) => far_end.on_close(venue_now, conn),
            (None, None) => {}
        }
    }

    /// Writes what waits. Was there anything to write?
    fn flush(&mut self, now: Mono, venue_now: Mono, far_end: &mut FarEnd) -> bool {
        let mut wrote = false;
        while self.state != Socketed::Gone && !self.out.is_empty() {
            match self.socket.write(self.out.as_slices().0) {
                Ok(length) => {
                    self.out.drain(..length);
                    wrote |= length > 0;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.lose(now, venue_now, far_end),
            }
        }
        match self.state {
            Socketed::Flushing(_) if self.out.is_empty() => {
                let _gone_already = self.socket.shutdown(Shutdown::Write);
                self.state = Socketed::Lingering(now.after(LINGER));
            }
            Socketed::Flushing(_) if wrote => self.state = Socketed::Flushing(now),
            Socketed::Flushing(since) if now >= since.after(STUCK) => self.lose(now, venue_now, far_end),
            Socketed::Lingering(until) if now >= until => self.lose(now, venue_now, far_end),
            _ => {}
        }
        wrote
    }

    /// Is there nothing left to do, on either side?
    fn is_over(&self) -> bool {
        let link_is_over =
            self.link.as_ref().is_none_or(|link| !link.is_open(End::Server) && link.next_deadline() == Mono::NEVER);
        self.state == Socketed::Gone && self.conn.is_none() && link_is_over
    }
}
