//! Gateway and venue in one thread, on one virtual clock, over a network with faults.
//!
//! ```text
//!              ┌─ line A ──────────────────────────┐
//!  publisher ──┼─ line B ──────────────────────────┼──> lane ──> tape
//!      ↑       └─ re-request server <── requests ──┤      ↑
//!      │          Glimpse server <──── session ────┤   commands
//!  exchange  <─── order entry <─────── session ────┘
//! ```
//!
//! A run has three parts: the market trades; everyone else stops, the lane shuts down (own orders are cancelled and
//! answered) and the network heals; the publisher ends its session and what is missing is filled in. It is over when
//! all is at rest, and a failure if that takes too long. Then the two sides are compared ([`World::reconcile`]). While
//! it goes on, what must hold at every moment is checked now and then ([`World::audit`]), and after every word between
//! the two the lane's orders and accounts are compared with an [`Account`] kept from the bytes on the wire alone.
//!
//! One seed and one configuration reproduce a run bit for bit.

mod net;

pub use net::Network;

use crate::account::Account;
use crate::clock::Agenda;
use crate::exchange::Exchange;
use crate::far_end::{self, Door, FarEnd, FarEndConfig, Login, Output};
use crate::net::{End, Faults, LinkStats, StreamEvent, StreamStats};
use crate::reconcile::{self, Difference, Rest, Statement, TapeLedger};
use crate::rng::Rng;
use crate::venue::acceptor::{ConnId, PortConfig};
use crate::venue::glimpse::GlimpseStats;
use crate::venue::rerequest::RerequestStats;
use firelane_gateway::base::{InstrumentId, LineId, Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::ouch50::AiqStrategy;
use firelane_gateway::flow::{Arrival, Command, Input, outbox as lane};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::LogError;
use net::{Net, SESSIONS};

/// What a run is made of, besides the lane and the exchange.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Seed of the network, the servers and the commands.
    pub seed: u64,
    /// How bad the servers are, and whether somebody throws the kill switch, changes sessions, hangs up.
    pub faults: Faults,
    /// How bad the network is.
    pub network: Network,
    /// How long the market trades.
    pub trade_for: Nanos,
    /// How long it may take until all is at rest afterwards.
    pub rest_within: Nanos,
    /// The lane comes this much after the market has opened.
    pub late_by: Nanos,
    /// How often to check what must hold at every moment; zero is never.
    pub audit_every: Nanos,
    /// The order-entry port's login; the same as in the exchange's [`PortConfig`].
    pub orders: Login,
    /// The snapshot server's login.
    pub snapshot: Login,
}

impl WorldConfig {
    /// The usual run: two minutes to come to rest, forty audits, and under heavy faults now and then a late start.
    #[must_use]
    pub fn new(seed: u64, faults: Faults, trade_for: Nanos) -> Self {
        let mut rng = Rng::new(seed, "world");
        let late = faults == Faults::Heavy && rng.coin();
        let late_by = if late { Nanos(rng.between(1, trade_for.0 / 4)) } else { Nanos(0) };
        WorldConfig {
            seed,
            faults,
            network: Network::under(faults),
            trade_for,
            rest_within: Nanos::from_secs(120),
            late_by,
            audit_every: Nanos(trade_for.0 / 40),
            orders: Login { username: *b"FIRE  ", password: *b"ORDERS    " },
            snapshot: Login { username: *b"FIRE  ", password: *b"SNAPSHOT  " },
        }
    }

    /// The port that goes with it: cancels on disconnect, one firm whose orders do not trade with each other, short sales
    /// need a locate.
    #[must_use]
    pub fn port(&self, firm: [u8; 4]) -> PortConfig {
        let mut port = PortConfig::new(self.orders.username, self.orders.password, *b"ORDERS0001", firm);
        port.entitlements.locate_required = true;
        port.entitlements.aiq = AiqStrategy::FIRM_DECREMENT;
        port
    }
}

/// Why a run did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The log or the tape could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Something did not come to rest in time.
    #[error("not at rest after {} s: {waiting}", .within.0 / 1_000_000_000)]
    NotAtRest {
        /// The time it had.
        within: Nanos,
        /// What was still waited for.
        waiting: String,
    },
    /// The lane asks to be called again and again at one instant.
    #[error("the lane's deadline stands still at {} ns", .0.0)]
    Standstill(Mono),
    /// The venue contradicts itself.
    #[error("the venue contradicts itself: {0}")]
    Venue(String),
    /// Something that must hold at every moment did not.
    #[error("at {} ns: {}", .at.0, list(.differences))]
    Audit {
        /// When.
        at: Mono,
        /// What.
        differences: Vec<Difference>,
    },
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What is planned to happen to the lane.
#[derive(Clone, Copy, Debug)]
enum Deed {
    StartLane,
    Kill,
    Release,
    Audit,
    Rest,
    Heal,
}

/// Where a run stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Trading,
    /// The lane is shut down; until then all must be at rest.
    Resting(Mono),
    /// And the market-data session is being ended.
    Ending(Mono),
}

/// What happened in a run, beyond what lane and venue count themselves.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WorldStats {
    /// Lines A and B, replies and requests of the re-request server.
    pub datagrams: [LinkStats; 4],
    /// Order entry, snapshots.
    pub streams: [StreamStats; 2],
    /// Re-request server.
    pub rerequest: RerequestStats,
    /// Snapshot server.
    pub glimpse: GlimpseStats,
    /// Changes of the market-data session.
    pub session_changes: u64,
    /// Times that the venue hung up on order entry for no reason.
    pub hang_ups: u64,
    /// Messages published, over all sessions.
    pub published: u64,
    /// Audits, and books that were compared in them.
    pub audits: u64,
    /// Books compared in audits.
    pub audited_books: u64,
    /// Times that the lane was compared with what the bytes between it and the venue say.
    pub compared: u64,
}

/// A running world.
pub struct World {
    config: WorldConfig,
    now: Mono,
    lane: Recorder,
    listening: bool,
    tape: TapeLedger,
    /// What passes between lane and venue, reckoned by a third.
    account: Account,
    /// Requests, answers and tape records of the account's last comparison with the lane.
    compared: (u64, u64),
    far_end: FarEnd,
    net: Net,
    /// The present connection of each session, in the order of [`SESSIONS`].
    conns: [Option<ConnId>; 2],
    plan: Agenda<Deed>,
    phase: Phase,
    stats: WorldStats,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("now", &self.now).field("phase", &self.phase).finish_non_exhaustive()
    }
}

/// After so many timers at one instant the lane's deadline stands still.
const MOST_TIMERS: u32 = 10_000;
/// The faults go on for so long after trading has ended.
const HEAL_AFTER: Nanos = Nanos::from_millis(500);

/// The lane's order-entry port, the only one.
const PORT: u16 = 0;

impl World {
    /// A world before its day.
    #[must_use]
    pub fn new(config: WorldConfig, lane: Recorder, exchange: Box<dyn Exchange>) -> Self {
        let (seed, faults) = (config.seed, config.faults);
        let around = FarEndConfig::under(faults, seed, config.snapshot);
        let mut world = World {
            now: Mono(0),
            lane,
            listening: false,
            tape: TapeLedger::default(),
            account: Account::default(),
            compared: (0, 0),
            far_end: FarEnd::new(around, exchange, Mono(0)),
            net: Net::new(&config.network, [config.orders.password, config.snapshot.password], seed),
            conns: [None; 2],
            plan: Agenda::new(),
            phase: Phase::Trading,
            stats: WorldStats::default(),
            config,
        };
        world.make_plans();
        world
    }

    /// When what happens to the lane.
    fn make_plans(&mut self) {
        let WorldConfig { seed, faults, trade_for, late_by, audit_every, .. } = self.config;
        let end = Mono(0).after(trade_for);
        let start = Mono(0).after(late_by);
        self.plan.at(start, Deed::StartLane);
        if audit_every.0 > 0 {
            self.plan.after(start, audit_every, Deed::Audit);
        }
        if faults == Faults::Heavy {
            let mut rng = Rng::new(seed, "plans");
            let most = 1 + trade_for.0 / 20_000_000_000;
            for _ in 0..rng.between(0, most) {
                self.far_end.plan(Mono(rng.between(start.0, end.0)), far_end::Deed::ChangeSession);
            }
            for _ in 0..rng.between(0, most) {
                let at = Mono(rng.between(start.0, end.0));
                let later = rng.exponential(Nanos::from_millis(300));
                self.plan.at(at, Deed::Kill);
                self.plan.after(at, later, Deed::Release);
            }
            for _ in 0..rng.between(0, most) {
                self.far_end.plan(Mono(rng.between(start.0, end.0)), far_end::Deed::HangUp);
            }
        }
        self.plan.at(end, Deed::Rest);
        self.plan.after(end, HEAL_AFTER, Deed::Heal);
    }

    // ---- What others read ------------------------------------------------------------------------------------

    /// The virtual clock.
    #[must_use]
    pub fn now(&self) -> Mono {
        self.now
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &dyn Lane {
        self.lane.lane()
    }

    /// The lane and what records it.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.lane
    }

    /// What the lane's tape has said.
    #[must_use]
    pub fn tape(&self) -> &TapeLedger {
        &self.tape
    }

    /// What the bytes between lane and venue say.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The far end.
    #[must_use]
    pub fn exchange(&self) -> &dyn Exchange {
        self.far_end.exchange()
    }

    /// What happened.
    #[must_use]
    pub fn stats(&self) -> WorldStats {
        let far_end = self.far_end.stats();
        WorldStats {
            datagrams: self.net.datagrams(),
            streams: self.net.streams(),
            rerequest: far_end.rerequest,
            glimpse: far_end.glimpse,
            session_changes: far_end.session_changes,
            hang_ups: far_end.hang_ups,
            published: far_end.published,
            ..self.stats
        }
    }

    /// Every difference between the two sides, and whatever the lane still owes. None, once all is at rest.
    #[must_use]
    pub fn reconcile(&self) -> Vec<Difference> {
        let lane = Statement::of_lane(self.lane(), &self.tape);
        let venue = Statement::of_venue(self.exchange(), PORT);
        let mut differences = reconcile::compare(&lane, &venue);
        differences.extend(Rest::of_lane(self.lane()).check(Some(&self.account.counts())));
        differences.extend(reconcile::compare_with_lane(&self.account, self.lane(), &self.tape));
        differences.extend(self.compare_with_venue());
        differences
    }

    /// The account and the venue's own books, unless the venue has said what has not arrived.
    fn compare_with_venue(&self) -> Vec<Difference> {
        let said = self.exchange().port(PORT).map_or(0, |port| port.messages().len() as u64);
        if self.account.heard() != said {
            return Vec::new();
        }
        reconcile::compare_with_venue(&self.account, self.exchange(), PORT)
    }

    /// Ends log and tape in order.
    ///
    /// # Errors
    /// What their sinks say.
    pub fn finish(self) -> Result<Box<dyn Lane>, WorldError> {
        Ok(self.lane.finish(self.now)?)
    }

    // ---- The run ---------------------------------------------------------------------------------------------

    /// Runs until all is at rest. `progress` is told the time now and then.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn run(&mut self, mut progress: impl FnMut(Mono)) -> Result<(), WorldError> {
        self.run_and_look(|world| progress(world.now))
    }

    /// The same; the world itself may be looked at now and then.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn run_and_look(&mut self, mut look: impl FnMut(&World)) -> Result<(), WorldError> {
        self.far_end.open(self.now);
        self.carry_outputs();
        let mut looked = Mono(0);
        while !self.is_over()? {
            self.step()?;
            if self.now.since(looked) >= Nanos::from_millis(10) {
                looked = self.now;
                look(self);
            }
        }
        self.far_end.check().map_err(WorldError::Venue)
    }

    /// All that happens at the next instant at which something does.
    fn step(&mut self) -> Result<(), WorldError> {
        let lane = if self.listening { self.lane.lane().next_deadline() } else { Mono::NEVER };
        let next = [self.plan.next_deadline(), self.far_end.next_deadline(), self.net.next_deadline(), lane];
        self.now = self.now.max(next.into_iter().min().unwrap_or(Mono::NEVER));
        while let Some((_, deed)) = self.plan.due(self.now) {
            self.act(deed)?;
        }
        self.far_end.on_timer(self.now);
        self.carry_outputs();
        self.carry_sessions()?;
        self.far_end.settle(self.now);
        self.carry_outputs();
        while let Some(request) = self.net.next_request(self.now) {
            if let Ok(reply) = self.far_end.on_request(self.now, &request) {
                self.net.publish(self.now, LineId::REREQUEST, reply);
            }
        }
        while let Some((line, packet)) = self.net.next_packet(self.now) {
            self.feed(Input::Packet(Arrival::on(VenueId::FIRST, line), &packet))?;
        }
        self.wake_lane()?;
        self.compare_with_lane()
    }

    /// What the lane makes of its orders is what the bytes between it and the venue make of them, whenever something
    /// has been said by either.
    fn compare_with_lane(&mut self) -> Result<(), WorldError> {
        let said = (self.account.steps(), self.tape.records());
        if self.compared == said {
            return Ok(());
        }
        self.compared = said;
        self.stats.compared += 1;
        let differences = reconcile::compare_with_lane(&self.account, self.lane.lane(), &self.tape);
        if differences.is_empty() { Ok(()) } else { Err(WorldError::Audit { at: self.now, differences }) }
    }

    /// One input for the lane, and what it does to the world.
    fn feed(&mut self, input: Input<'_>) -> Result<(), WorldError> {
        if !self.listening {
            return Ok(());
        }
        let World { lane, net, tape, account, now, .. } = self;
        match input {
            Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Bytes(bytes)) => account.on_venue(bytes),
            Input::Session(VenueId::FIRST, SessionId::ORDERS, SessionInput::Connected | SessionInput::Closed) => {
                account.on_new_connection();
            }
            _ => account.on_nothing(),
        }
        lane.input(*now, input, |output| match output {
            lane::Output::Tape(record) => tape.on_record(record),
            output => {
                if let lane::Output::Send { session: SessionId::ORDERS, bytes, .. } = output {
                    account.on_lane(bytes);
                }
                net.take(*now, output);
            }
        })?;
        while let Some(session) = self.net.next_closed() {
            self.feed(Input::Session(VenueId::FIRST, session, SessionInput::Closed))?;
        }
        Ok(())
    }

    fn wake_lane(&mut self) -> Result<(), WorldError> {
        for _ in 0..MOST_TIMERS {
            match self.lane.lane().due(self.now).filter(|_| self.listening) {
                Some(machine) => self.feed(Input::Timer(machine))?,
                None => return Ok(()),
            }
        }
        Err(WorldError::Standstill(self.now))
    }

    fn act(&mut self, deed: Deed) -> Result<(), WorldError> {
        match deed {
            Deed::StartLane => {
                self.listening = true;
                self.feed(Input::Command(Command::Start))
            }
            Deed::Kill => self.feed(Input::Command(Command::Kill)),
            Deed::Release => self.feed(Input::Command(Command::Release)),
            Deed::Audit => {
                self.plan.after(self.now, self.config.audit_every, Deed::Audit);
                self.audit()
            }
            Deed::Rest => {
                self.phase = Phase::Resting(self.now.after(self.config.rest_within));
                self.far_end.stop(self.now);
                self.carry_outputs();
                self.feed(Input::Command(Command::Shutdown))
            }
            Deed::Heal => {
                self.net.heal(self.now);
                self.far_end.heal();
                Ok(())
            }
        }
    }

    // ---- Between the two -------------------------------------------------------------------------------------

    fn carry_sessions(&mut self) -> Result<(), WorldError> {
        for (at, id) in SESSIONS.into_iter().enumerate() {
            while let Some((end, event)) = self.net.next_event(self.now, id) {
                match end {
                    End::Client => self.feed(Input::Session(
                        VenueId::FIRST,
                        id,
                        match &event {
                            StreamEvent::Connected => SessionInput::Connected,
                            StreamEvent::Bytes(bytes) => SessionInput::Bytes(bytes),
                            StreamEvent::Closed => SessionInput::Closed,
                        },
                    ))?,
                    End::Server => self.on_far_end(at, &event),
                }
            }
        }
        Ok(())
    }

    /// Something arrives at the far end of a session.
    fn on_far_end(&mut self, at: usize, event: &StreamEvent) {
        match (event, self.conns[at]) {
            (StreamEvent::Connected, _) => {
                let door = if SESSIONS[at] == SessionId::ORDERS { Door::Orders(PORT) } else { Door::Snapshot };
                self.conns[at] = Some(self.far_end.on_connect(self.now, door));
            }
            (StreamEvent::Bytes(bytes), Some(conn)) => self.far_end.on_bytes(self.now, conn, bytes),
            (StreamEvent::Closed, Some(conn)) => {
                self.conns[at] = None;
                self.far_end.on_close(self.now, conn);
            }
            (_, None) => {}
        }
        // What was written before a close goes out before it.
        self.carry_outputs();
    }

    fn carry_outputs(&mut self) {
        for output in self.far_end.take_outputs() {
            match output {
                Output::Datagram(line, bytes) => self.net.publish(self.now, line, bytes),
                Output::Bytes(conn, bytes) => {
                    if let Some(at) = self.session_of(conn) {
                        self.net.answer(self.now, SESSIONS[at], &bytes);
                    }
                }
                Output::Close(conn, _) => {
                    if let Some(at) = self.session_of(conn) {
                        self.conns[at] = None;
                        self.net.hang_up(self.now, SESSIONS[at]);
                    }
                }
            }
        }
    }

    fn session_of(&self, conn: ConnId) -> Option<usize> {
        self.conns.iter().position(|open| *open == Some(conn))
    }

    // ---- What must hold --------------------------------------------------------------------------------------

    /// What must hold at every moment: the venue is sound, whatever it could do to an order is counted by the lane, and
    /// a book that the lane trusts, at the venue's own message number, is the venue's book.
    ///
    /// # Errors
    /// [`WorldError::Audit`] or [`WorldError::Venue`].
    pub fn audit(&mut self) -> Result<(), WorldError> {
        self.far_end.check().map_err(WorldError::Venue)?;
        self.stats.audits += 1;
        let may = reconcile::reach_of_venue(self.exchange(), PORT);
        let mut differences = reconcile::check_exposure(&reconcile::reach_of_lane(self.lane.lane(), &may), &may);
        differences.extend(self.compare_with_venue());
        let lane = self.lane.lane();
        let same_session = lane
            .feed_counters(VenueId::FIRST)
            .is_some_and(|feed| feed.session_changes == self.far_end.stats().session_changes);
        if same_session && lane.next_sequence(VenueId::FIRST) == Some(self.far_end.publisher().next_sequence()) {
            for (id, row) in (0..).map(InstrumentId).zip(lane.instruments().rows()) {
                if lane.book(id).freshness().is_fresh() {
                    self.stats.audited_books += 1;
                    let own = reconcile::book_of_lane(lane, id);
                    let venue = reconcile::book_of_venue(self.far_end.exchange(), reconcile::symbol_of(row));
                    differences.extend(reconcile::compare_books(reconcile::symbol_of(row), &own, &venue));
                }
            }
        }
        if differences.is_empty() { Ok(()) } else { Err(WorldError::Audit { at: self.now, differences }) }
    }

    /// Is all at rest? Moves on to the last part of the run on the way.
    fn is_over(&mut self) -> Result<bool, WorldError> {
        let (until, waiting) = match self.phase {
            Phase::Trading => return Ok(false),
            Phase::Resting(until) => (until, self.waiting()),
            Phase::Ending(until) => {
                let ended = self.tape.counts().ends_of_session > 0;
                (until, if ended { None } else { Some("the end of the market-data session".to_owned()) })
            }
        };
        match (waiting, self.phase) {
            (None, Phase::Resting(until)) => {
                self.phase = Phase::Ending(until);
                self.far_end.end_session(self.now);
                self.carry_outputs();
                Ok(false)
            }
            (None, _) => Ok(true),
            (Some(waiting), _) if self.now > until => {
                Err(WorldError::NotAtRest { within: self.config.rest_within, waiting })
            }
            (Some(_), _) => Ok(false),
        }
    }

    /// What is still waited for before the market-data session is ended.
    fn waiting(&self) -> Option<String> {
        let lane = self.lane.lane();
        if !lane.is_over() {
            let live = reconcile::live_orders(lane);
            return Some(format!("order entry is not over, {} orders live: {live:?}", live.len()));
        }
        let (next, head) = (lane.next_sequence(VenueId::FIRST), self.far_end.publisher().next_sequence());
        if next != Some(head) {
            return Some(format!("the lane waits for message {next:?}, the publisher is at {head}"));
        }
        let stale = (0..).map(InstrumentId).zip(lane.instruments().rows());
        let stale = stale.filter(|(id, _)| !lane.book(*id).freshness().is_fresh()).map(|(_, row)| row.name.to_string());
        let stale: Vec<String> = stale.collect();
        if stale.is_empty() { None } else { Some(format!("stale books: {}", stale.join(" "))) }
    }
}
