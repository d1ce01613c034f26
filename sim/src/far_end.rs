//! The far end of every wire, without the wires: exchange, publisher, re-request server, snapshot servers, and what the
//! venue does to its clients on a bad day.
//!
//! ```text
//!               ┌──────────────────── FarEnd ────────────────────┐
//!  connections ─┼─> exchange ──> publisher ──────────────────────┼─> datagrams of lines A and B
//!               │      └───────────┬─┴─> re-request server <─────┼── requests
//!               ├──────────> snapshot servers <──────────────────┼── connections
//!               └──────────> levels over streams <───────────────┼── connections
//!                                                                ┘
//! ```
//!
//! It sees no socket and no clock: every input is a call with the time, and what is to be sent is taken afterwards.
//! The virtual [`World`](crate::world::World) and the venue on real sockets are two owners of the same far end.

mod doorman;

use crate::clock::Agenda;
use crate::exchange::Exchange;
use crate::journal::{Input, Journal, JournalError};
use crate::net::Faults;
use crate::rng::Rng;
use crate::venue::acceptor::{self, ConnId, Farewell};
use crate::venue::farewell::{Name, Remark, Why};
use crate::venue::glimpse::{GlimpseConfig, GlimpseServer, GlimpseStats, Snapshot};
use crate::venue::levels::{LevelServer, LevelStats, LevelsConfig};
use crate::venue::publisher::{Datagram, Publisher, PublisherConfig, Session};
use crate::venue::rerequest::{RerequestConfig, RerequestServer, RerequestStats, Unanswered};
use doorman::Doorman;
use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::wire::soupbintcp::{Password, ServerConfig};
use std::collections::BTreeMap;
use std::fmt;

/// Who may log in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Login {
    /// Username, padded with spaces.
    pub username: [u8; 6],
    /// Password, padded with spaces. The lane never knows it; whoever owns the wire fills it in.
    pub password: [u8; 10],
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("username", &self.username.escape_ascii().to_string()).finish_non_exhaustive()
    }
}

/// What stands around an exchange.
#[derive(Clone, Debug)]
pub struct FarEndConfig {
    /// Seed of the servers and of the deeds.
    pub seed: u64,
    /// Lines A and B.
    pub publisher: PublisherConfig,
    /// The re-request server.
    pub rerequest: RerequestConfig,
    /// The snapshot servers; all have one login.
    pub glimpse: GlimpseConfig,
    /// The market by levels, over a stream, if the venue has that too.
    pub levels: Option<LevelsConfig>,
}

impl FarEndConfig {
    /// What a fault profile means to all of it.
    #[must_use]
    pub fn under(faults: Faults, seed: u64, snapshot: Login) -> Self {
        let login = ServerConfig::new(snapshot.username, Password(snapshot.password), *b"SNAPSHOT 1");
        FarEndConfig {
            seed,
            publisher: PublisherConfig::default(),
            rerequest: RerequestConfig::under(faults),
            glimpse: GlimpseConfig::under(faults, login),
            levels: None,
        }
    }

    /// The same, and its market by levels.
    #[must_use]
    pub fn with_levels(self, levels: LevelsConfig) -> Self {
        FarEndConfig { levels: Some(levels), ..self }
    }
}

/// Where a client connects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Door {
    /// An order-entry port, by its number.
    Orders(u16),
    /// The snapshot server.
    Snapshot,
    /// The market by levels, in order.
    Stream,
}

/// What the far end wants done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// A datagram on line A or B.
    Datagram(LineId, Vec<u8>),
    /// Bytes for a connection.
    Bytes(ConnId, Vec<u8>),
    /// A connection is to be closed, once what was written on it before has been sent. The far end has forgotten it.
    Close(ConnId, Farewell),
}

/// What the venue does to its clients on a bad day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// Another market-data session begins.
    ChangeSession,
    /// It hangs up on an order-entry client for no reason.
    HangUp,
}

/// What happened, beyond what the exchange counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FarEndStats {
    /// Re-request server.
    pub rerequest: RerequestStats,
    /// Snapshot servers, taken together.
    pub glimpse: GlimpseStats,
    /// The market by levels.
    pub levels: LevelStats,
    /// Changes of the market-data session.
    pub session_changes: u64,
    /// Times that the venue hung up on order entry for no reason.
    pub hang_ups: u64,
    /// Messages published, over all sessions.
    pub published: u64,
}

/// A snapshot server and its client.
#[derive(Debug)]
struct Desk {
    client: Option<ConnId>,
    server: GlimpseServer,
}

/// The far end. After any call, [take](Self::take_outputs) what is to be sent; once all inputs of an instant are in,
/// [settle](Self::settle) it.
pub struct FarEnd {
    exchange: Box<dyn Exchange>,
    doorman: Doorman,
    publisher: Publisher,
    session: u8,
    rerequest: RerequestServer,
    /// One for each snapshot client at a time. The first is always there, so that it can have an old snapshot.
    desks: Vec<Desk>,
    /// For one more of them.
    glimpse: GlimpseConfig,
    levels: Option<LevelServer>,
    seed: u64,
    /// Every open connection, and how many there ever were.
    doors: BTreeMap<ConnId, Door>,
    conns: u64,
    deeds: Agenda<Deed>,
    /// Deeds come again and again, so far apart on average.
    every: Option<Nanos>,
    rng: Rng,
    out: Vec<Output>,
    /// Something that could not be published.
    fault: Option<String>,
    /// Where inputs are noted before they act.
    journal: Option<Journal>,
    /// What is to be said of clients: of which port, what, and how often by then.
    remarks: Vec<(u16, Remark, u64)>,
    /// When the last input came that a journal holds, or would hold; `None` before the day has begun.
    latest: Option<Mono>,
    stats: FarEndStats,
}

impl fmt::Debug for FarEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let next = self.publisher.next_sequence();
        f.debug_struct("FarEnd").field("next_sequence", &next).field("doors", &self.doors).finish_non_exhaustive()
    }
}

fn session_name(number: u8) -> Session {
    let mut name = *b"DEMO     A";
    name[9] = b'A' + number % 26;
    name
}

impl FarEnd {
    /// A far end before its day.
    #[must_use]
    pub fn new(config: FarEndConfig, mut exchange: Box<dyn Exchange>, now: Mono) -> Self {
        let FarEndConfig { seed, publisher, rerequest, glimpse, levels } = config;
        let first = GlimpseServer::new(glimpse.clone(), Rng::new(seed, "glimpse"));
        FarEnd {
            doorman: Doorman::new(exchange.take_passwords()),
            exchange,
            publisher: Publisher::new(publisher, session_name(0), now),
            session: 0,
            rerequest: RerequestServer::new(rerequest, seed),
            desks: vec![Desk { client: None, server: first }],
            glimpse,
            levels: levels.map(|levels| LevelServer::new(levels, seed)),
            seed,
            doors: BTreeMap::new(),
            conns: 0,
            deeds: Agenda::new(),
            every: None,
            rng: Rng::new(seed, "deeds"),
            out: Vec::new(),
            fault: None,
            remarks: Vec::new(),
            journal: None,
            latest: None,
            stats: FarEndStats::default(),
        }
    }

    /// A far end as it was when its journal ends, with every connection of then closed, that goes on writing the
    /// journal. The exchange must be as before its day, and configured as it was then.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn resume(
        config: FarEndConfig,
        exchange: Box<dyn Exchange>,
        mut journal: Journal,
    ) -> Result<Self, JournalError> {
        let mut far_end = FarEnd::new(config, exchange, Mono(0));
        journal.replay(|now, input| {
            far_end.apply(now, input);
            // Everyone has seen it, or will ask for it again.
            far_end.out.clear();
            far_end.remarks.clear();
        })?;
        far_end.journal = Some(journal);
        if let Some(now) = far_end.latest {
            far_end.publisher.resume(now);
            let open: Vec<ConnId> = far_end.doors.keys().copied().collect();
            for conn in open {
                far_end.on_close(now, conn);
            }
        }
        Ok(far_end)
    }

    /// Writes down every input so far. What they caused may leave only then.
    ///
    /// # Errors
    /// [`JournalError`]: it may not leave.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        self.journal.as_mut().map_or(Ok(()), Journal::commit)
    }

    // ---- What others read ------------------------------------------------------------------------------------

    /// When its last input came; `None` before its day has begun. After a restart its clock goes on from there.
    #[must_use]
    pub fn latest(&self) -> Option<Mono> {
        self.latest
    }

    /// The exchange.
    #[must_use]
    pub fn exchange(&self) -> &dyn Exchange {
        &*self.exchange
    }

    /// The publisher of lines A and B.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// What happened.
    #[must_use]
    pub fn stats(&self) -> FarEndStats {
        let glimpse =
            self.desks.iter().map(|desk| desk.server.stats()).fold(GlimpseStats::default(), GlimpseStats::plus);
        let levels = self.levels.as_ref().map(LevelServer::stats).unwrap_or_default();
        FarEndStats { rerequest: self.rerequest.stats(), glimpse, levels, ..self.stats }
    }

    /// Every open connection.
    #[must_use]
    pub fn doors(&self) -> &BTreeMap<ConnId, Door> {
        &self.doors
    }

    /// Is this connection's client logged in?
    #[must_use]
    pub fn is_logged_in(&self, conn: ConnId) -> bool {
        match self.doors.get(&conn) {
            Some(Door::Orders(port)) => self.exchange.logged_in(*port) == Some(conn),
            Some(Door::Snapshot) => {
                self.desks.iter().any(|desk| desk.client == Some(conn) && desk.server.is_logged_in())
            }
            // Nobody logs in there: whoever connects is served.
            Some(Door::Stream) => true,
            None => false,
        }
    }

    /// The name that a connection's client tried to log in with.
    #[must_use]
    pub fn tried(&self, conn: ConnId) -> Option<Name> {
        match self.doors.get(&conn)? {
            Door::Orders(_) => self.exchange.tried(conn),
            Door::Snapshot => self.desks[self.desk_of(conn)?].server.tried(),
            Door::Stream => None,
        }
    }

    /// Does a connection keep its place only because nobody else wants it? So it does before it has logged in, and, at
    /// the snapshot server, once it has got its snapshot.
    #[must_use]
    pub fn is_idle(&self, conn: ConnId) -> bool {
        let served = || self.desk_of(conn).is_some_and(|at| self.desks[at].server.is_served());
        !self.is_logged_in(conn) || (self.doors.get(&conn) == Some(&Door::Snapshot) && served())
    }

    /// What must be true between any two calls.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        self.fault.clone().map_or(Ok(()), Err)?;
        if let Some(levels) = &self.levels {
            levels.symbols().try_for_each(|symbol| levels.check(symbol, &self.exchange.displayed(symbol)))?;
        }
        self.exchange.check()
    }

    /// When [`on_timer`](Self::on_timer) and [`settle`](Self::settle) have something to do.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let desks = self.desks.iter().map(|desk| desk.server.next_deadline()).min().unwrap_or(Mono::NEVER);
        let levels = self.levels.as_ref().map_or(Mono::NEVER, LevelServer::next_deadline);
        let deadlines = [self.exchange.next_deadline(), self.publisher.next_deadline(), self.deeds.next_deadline()];
        deadlines.into_iter().fold(desks.min(levels), Mono::min)
    }

    /// What is to be done since the last call, in order.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    /// What is to be said of clients since the last call: of which port, what, and how often it was so by then.
    pub fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)> {
        std::mem::take(&mut self.remarks)
    }

    // ---- The day ---------------------------------------------------------------------------------------------

    /// The day begins.
    pub fn open(&mut self, now: Mono) {
        self.input(now, Input::Open);
    }

    /// Everyone else stops trading, the staff goes home, and no more deeds are done. Order entry and servers stay.
    pub fn stop(&mut self, now: Mono) {
        self.deeds.clear();
        self.every = None;
        self.input(now, Input::Stop);
    }

    /// The servers are healthy from now on.
    pub fn heal(&mut self) {
        self.rerequest.heal();
        self.glimpse.modes.clear();
        for desk in &mut self.desks {
            desk.server.heal();
        }
        if let Some(levels) = &mut self.levels {
            levels.heal();
        }
    }

    /// The market-data session ends: its end is said again and again for a while.
    pub fn end_session(&mut self, now: Mono) {
        self.input(now, Input::EndSession);
    }

    /// The day ends: the market closes, what rests is cancelled, and order entry is over for good, which its clients are
    /// told.
    pub fn end_day(&mut self, now: Mono) {
        self.input(now, Input::EndDay);
    }

    /// Is nothing of the market-data session to be had any more, not even that it has ended?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.publisher.store().is_none()
    }

    /// Something is to happen at a time.
    pub fn plan(&mut self, at: Mono, deed: Deed) {
        self.deeds.at(at, deed);
    }

    /// Every deed is to happen again and again, so far apart on average, until the market stops.
    pub fn plan_often(&mut self, now: Mono, every: Nanos) {
        self.every = Some(every);
        for deed in [Deed::ChangeSession, Deed::HangUp] {
            let wait = self.rng.exponential(every);
            self.deeds.after(now, wait, deed);
        }
    }

    /// Time has passed: deeds, and whatever the exchange does.
    pub fn on_timer(&mut self, now: Mono) {
        while let Some((_, deed)) = self.deeds.due(now) {
            if let Some(every) = self.every {
                let wait = self.rng.exponential(every);
                self.deeds.after(now, wait, deed);
            }
            match deed {
                Deed::ChangeSession if self.publisher.has_ended() => {}
                Deed::ChangeSession => self.input(now, Input::ChangeSession),
                Deed::HangUp => self.hang_up(now),
            }
        }
        if self.exchange.next_deadline() <= now {
            self.input(now, Input::Timer);
        }
    }

    /// All inputs of this instant are in: serves snapshots and sends what waits on the lines. Only now do a book and the
    /// next number belong together.
    pub fn settle(&mut self, now: Mono) {
        if self.desks.iter().any(|desk| desk.server.wants_snapshot(now)) {
            let messages = self.exchange.snapshot(now);
            let snapshot = Snapshot { messages, next_sequence: self.publisher.next_sequence() };
            for desk in self.desks.iter_mut().filter(|desk| desk.server.wants_snapshot(now)) {
                desk.server.give(now, snapshot.clone());
            }
        }
        for at in 0..self.desks.len() {
            if self.desks[at].server.next_deadline() <= now {
                let mut bytes = Vec::new();
                self.desks[at].server.on_timer(now, &mut bytes);
                self.answer_snapshot(now, at, bytes);
            }
        }
        if self.publisher.next_deadline() <= now {
            let mut datagrams = Vec::new();
            self.publisher.on_timer(now, &mut datagrams);
            self.send(datagrams);
        }
        if let Some(levels) = &mut self.levels {
            levels.on_timer(now);
            self.answer_streams();
        }
    }

    // ---- Clients ---------------------------------------------------------------------------------------------

    /// A client connected.
    pub fn on_connect(&mut self, now: Mono, door: Door) -> ConnId {
        let conn = ConnId(self.conns + 1);
        match door {
            Door::Orders(port) => self.input(now, Input::Connect(conn, port)),
            Door::Snapshot => {
                self.conns = conn.0;
                self.doors.insert(conn, door);
                let at = self.free_desk();
                self.desks[at].client = Some(conn);
                self.desks[at].server.on_connected(now);
            }
            Door::Stream => {
                self.conns = conn.0;
                self.doors.insert(conn, door);
                match &mut self.levels {
                    Some(levels) => levels.on_connect(now, conn),
                    None => self.hang_up_on(now, conn, Why::NoPort),
                }
                self.answer_streams();
            }
        }
        conn
    }

    fn free_desk(&mut self) -> usize {
        self.desks.iter().position(|desk| desk.client.is_none()).unwrap_or_else(|| {
            // The others take no snapshots of their own accord: a few old ones are enough.
            let config = GlimpseConfig { refresh: Nanos(0), ..self.glimpse.clone() };
            let rng = Rng::new(self.seed, &format!("glimpse {}", self.desks.len()));
            self.desks.push(Desk { client: None, server: GlimpseServer::new(config, rng) });
            self.desks.len() - 1
        })
    }

    /// Bytes from a client. Those of a connection that is closed are dropped.
    pub fn on_bytes(&mut self, now: Mono, conn: ConnId, bytes: &[u8]) {
        match self.doors.get(&conn) {
            Some(Door::Orders(port)) => {
                let bytes = self.doorman.pass(conn, *port, bytes);
                self.input(now, Input::Bytes(conn, &bytes));
            }
            Some(Door::Snapshot) => {
                if let Some(at) = self.desk_of(conn) {
                    let mut out = Vec::new();
                    self.desks[at].server.on_bytes(now, bytes, &mut out);
                    self.answer_snapshot(now, at, out);
                }
            }
            // There is nothing to say there.
            Some(Door::Stream) | None => {}
        }
    }

    /// A client's connection is gone.
    pub fn on_close(&mut self, now: Mono, conn: ConnId) {
        match self.doors.get(&conn) {
            Some(Door::Orders(_)) => self.input(now, Input::Close(conn)),
            Some(Door::Snapshot) => {
                self.doors.remove(&conn);
                if let Some(at) = self.desk_of(conn) {
                    self.desks[at].client = None;
                    self.desks[at].server.on_closed(now);
                }
            }
            Some(Door::Stream) => {
                self.doors.remove(&conn);
                if let Some(levels) = &mut self.levels {
                    levels.on_close(conn);
                }
            }
            None => {}
        }
    }

    /// The reply to a re-request.
    ///
    /// # Errors
    /// [`Unanswered`]: it gets none.
    pub fn on_request(&mut self, now: Mono, bytes: &[u8]) -> Result<Vec<u8>, Unanswered> {
        self.rerequest.on_request(now, bytes, &self.publisher)
    }

    /// The number of the next frame for a client of the market by levels. `None`: it will not get one.
    #[must_use]
    pub fn next_frame(&self, conn: ConnId) -> Option<u64> {
        self.levels.as_ref()?.next_frame(conn)
    }

    fn answer_streams(&mut self) {
        for (conn, bytes, closes) in self.levels.as_mut().map(LevelServer::take_outputs).unwrap_or_default() {
            if !bytes.is_empty() {
                self.out.push(Output::Bytes(conn, bytes));
            }
            if closes {
                self.doors.remove(&conn);
                self.out.push(Output::Close(conn, Farewell { why: Why::BadDay, user: None }));
            }
        }
    }

    fn desk_of(&self, conn: ConnId) -> Option<usize> {
        self.desks.iter().position(|desk| desk.client == Some(conn))
    }

    fn answer_snapshot(&mut self, now: Mono, at: usize, bytes: Vec<u8>) {
        let Desk { client, server } = &mut self.desks[at];
        let Some(conn) = *client else { return };
        if !bytes.is_empty() {
            self.out.push(Output::Bytes(conn, bytes));
        }
        if server.must_close() {
            let farewell = Farewell { why: server.why(), user: server.tried() };
            server.on_closed(now);
            *client = None;
            self.doors.remove(&conn);
            self.out.push(Output::Close(conn, farewell));
        }
    }

    // ---- What a journal holds --------------------------------------------------------------------------------

    /// An input acts, once it is noted.
    fn input(&mut self, now: Mono, input: Input<'_>) {
        if let Some(journal) = &mut self.journal {
            journal.note(now, input);
        }
        self.apply(now, input);
    }

    /// Everything that decides what the venue is passes through here, and nothing else does.
    fn apply(&mut self, now: Mono, input: Input<'_>) {
        self.latest = self.latest.max(Some(now));
        match input {
            Input::Open => self.exchange.open(now),
            Input::Timer => self.exchange.on_timer(now),
            Input::Connect(conn, port) => {
                self.conns = self.conns.max(conn.0);
                self.doors.insert(conn, Door::Orders(port));
                self.exchange.on_connect(now, conn, port);
            }
            Input::Bytes(conn, bytes) => self.exchange.on_bytes(now, conn, bytes),
            Input::Close(conn) => {
                self.doors.remove(&conn);
                self.doorman.forget(conn);
                self.exchange.on_close(now, conn);
            }
            Input::Stop => self.exchange.stop(now),
            Input::ChangeSession => self.change_session(now),
            Input::EndDay => self.exchange.end_day(now),
            Input::EndSession => {
                let mut datagrams = Vec::new();
                self.publisher.end_session(now, &mut datagrams);
                self.send(datagrams);
            }
        }
        self.carry(now);
    }

    // ---- Deeds -----------------------------------------------------------------------------------------------

    /// Another market-data session, which begins with the state of the market: the directory first, and the day's
    /// phase last, so that nobody trades on half a book.
    fn change_session(&mut self, now: Mono) {
        self.session = self.session.wrapping_add(1);
        self.stats.session_changes += 1;
        let mut datagrams = Vec::new();
        self.publisher.change_session(now, session_name(self.session), &mut datagrams);
        self.send(datagrams);
        for desk in &mut self.desks {
            desk.server.on_session_change();
        }
        let (phase, state): (Vec<_>, Vec<_>) =
            self.exchange.snapshot(now).into_iter().partition(|message| message.first() == Some(&b'S'));
        for message in state.iter().chain(&phase) {
            self.publish_one(now, message);
        }
        if let Some(levels) = &mut self.levels {
            levels.begin_anew(now);
        }
    }

    /// Any client of order entry loses its connection.
    fn hang_up(&mut self, now: Mono) {
        let orders = self.doors.iter().filter(|(_, door)| matches!(door, Door::Orders(_)));
        let orders: Vec<ConnId> = orders.map(|(conn, _)| *conn).collect();
        if orders.is_empty() {
            return;
        }
        let conn = orders[if orders.len() > 1 { self.rng.index(orders.len()) } else { 0 }];
        self.stats.hang_ups += 1;
        self.hang_up_on(now, conn, Why::BadDay);
    }

    fn hang_up_on(&mut self, now: Mono, conn: ConnId, why: Why) {
        self.out.push(Output::Close(conn, Farewell { why, user: self.tried(conn) }));
        self.on_close(now, conn);
    }

    // ---- Out -------------------------------------------------------------------------------------------------

    /// What the exchange has to say goes where it belongs.
    fn carry(&mut self, now: Mono) {
        for output in self.exchange.take_outputs() {
            self.out.push(match output {
                acceptor::Output::Bytes(conn, bytes) => Output::Bytes(conn, bytes),
                acceptor::Output::Close(conn, farewell) => {
                    self.doors.remove(&conn);
                    self.doorman.forget(conn);
                    Output::Close(conn, farewell)
                }
            });
        }
        self.remarks.extend(self.exchange.take_remarks());
        self.publish(now);
    }

    fn publish(&mut self, now: Mono) {
        for message in self.exchange.take_messages() {
            self.publish_one(now, &message);
            if let Some(levels) = &mut self.levels {
                levels.on_message(now, &message);
            }
        }
        self.answer_streams();
        if self.publisher.is_at_once() {
            let mut datagrams = Vec::new();
            self.publisher.on_timer(now, &mut datagrams);
            self.send(datagrams);
        }
    }

    /// A message without a byte is one that never comes.
    fn publish_one(&mut self, now: Mono, message: &[u8]) {
        if message.is_empty() {
            // What was published before has its number, and goes out first.
            let mut datagrams = Vec::new();
            self.publisher.on_timer(now, &mut datagrams);
            self.send(datagrams);
            return self.publisher.skip();
        }
        self.stats.published += 1;
        if let Err(error) = self.publisher.publish(now, message) {
            self.fault = Some(error.to_string());
        }
    }

    fn send(&mut self, datagrams: Vec<Datagram>) {
        self.out.extend(datagrams.into_iter().map(|datagram| Output::Datagram(datagram.line, datagram.bytes)));
    }
}
