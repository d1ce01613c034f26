//! Lanes and venues in one thread, on one virtual clock, over networks with faults.
//!
//! ```text
//!              ┌─ line A ──────────────────────────┐
//!  publisher ──┼─ line B ──────────────────────────┼──> lane ──> tape
//!      ↑       └─ re-request server <── requests ──┤      ↑
//!      │          Glimpse server <──── session ────┤   commands
//!  exchange  <─── order entry <─────── session ────┘
//! ```
//!
//! A world has any number of lanes and of venues, and links between them: a [`Wire`] says at which venue, and at which of
//! its ports, a lane's own [`VenueId`] is, and what network lies between. Several lanes may be at one venue, each at a port
//! of its own, and a lane may be at several venues.
//!
//! Whoever drives one [steps](World::step), or goes on [until](World::step_until) a time, gives [commands](World::command)
//! and looks at what there is: that is a backtest, an environment to learn in, a test. The usual [day](WorldConfig) is
//! built on it: the market trades; everyone else stops, the lanes shut down (own orders are cancelled and answered) and the
//! network heals; the publishers end their sessions and what is missing is filled in. It is over when all is at rest, and a
//! failure if that takes too long. Then the sides are compared ([`World::reconcile`]). While it goes on, what must hold at
//! every moment is checked now and then ([`World::audit`]). However it is driven, after every word between a lane and its
//! venues the lane's orders and accounts are compared with [`Account`]s kept from the bytes on the wires alone.
//!
//! One seed, and the same calls, reproduce a world bit for bit.
//!
//! ```
//! use firelane_gateway::base::{ExchangeTime, Mono, Nanos, VenueId};
//! use firelane_sim::exchange::{Exchange, Synthetic};
//! use firelane_sim::far_end::{FarEnd, FarEndConfig, Login};
//! use firelane_sim::order_flow::FlowConfig;
//! use firelane_sim::net::Faults;
//! use firelane_sim::world::World;
//!
//! // A venue without anybody's lane: its market goes on by itself.
//! let market = Synthetic::new(ExchangeTime::new(20_047, 34_200_000_000_000), FlowConfig::default(), vec![], Faults::None, 7);
//! let login = Login { username: *b"FIRE  ", password: *b"SNAPSHOT  " };
//! let mut world = World::new(7);
//! let venue = world.add_venue(FarEnd::new(FarEndConfig::under(Faults::None, 7, login), Box::new(market), Mono(0)));
//! world.step_until(Mono(0).after(Nanos::from_millis(100)))?;
//! assert_eq!(world.now(), Mono(100_000_000));
//! assert!(world.venue(venue).publisher().next_sequence() > 100);
//! # Ok::<(), firelane_sim::world::WorldError>(())
//! ```

mod day;
mod judge;
mod net;
mod wires;

pub use day::WorldConfig;
pub use net::Network;
pub use wires::{MarketData, Place, Seat, Wire};

use crate::account::Account;
use crate::clock::Agenda;
use crate::exchange::Exchange;
use crate::far_end::{FarEnd, Output};
use crate::net::{LinkStats, StreamStats};
use crate::reconcile::{Difference, TapeLedger};
use crate::venue::glimpse::GlimpseStats;
use crate::venue::rerequest::RerequestStats;
use day::{Day, Phase};
use firelane_gateway::base::{LineId, Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::command::{Command, CommandBuf, CommandBytes};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::{Arrival, Input, UtcOffset, outbox as lane};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::LogError;
use wires::Link;

/// Why a world does not go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The log or the tape could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A day was to be run that nobody has planned.
    #[error("no day is planned: World::plan_day comes first")]
    NotPlanned,
    /// Something did not come to rest in time.
    #[error("not at rest after {} s: {waiting}", .within.0 / 1_000_000_000)]
    NotAtRest {
        /// The time it had.
        within: Nanos,
        /// What was still waited for.
        waiting: String,
    },
    /// A lane asks to be called again and again at one instant.
    #[error("the lane's deadline stands still at {} ns", .0.0)]
    Standstill(Mono),
    /// A venue contradicts itself.
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

/// What is planned to happen.
#[derive(Debug)]
enum Deed {
    /// The lane is there from now on, and is told to start.
    Start(usize),
    /// Somebody wants something of a lane.
    Command(usize, Box<CommandBuf>),
    Audit,
    Rest,
    Heal,
}

/// What happened in a world, over all its lanes and venues, beyond what they count themselves.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WorldStats {
    /// Lines A and B, replies and requests of the re-request servers.
    pub datagrams: [LinkStats; 4],
    /// Order entry, snapshots.
    pub streams: [StreamStats; 2],
    /// Market data in order over streams.
    pub market_streams: StreamStats,
    /// Re-request servers.
    pub rerequest: RerequestStats,
    /// Snapshot servers.
    pub glimpse: GlimpseStats,
    /// Changes of the market-data session.
    pub session_changes: u64,
    /// Times that a venue hung up on order entry for no reason.
    pub hang_ups: u64,
    /// Messages published, over all sessions.
    pub published: u64,
    /// Audits, and books that were compared in them.
    pub audits: u64,
    /// Books compared in audits.
    pub audited_books: u64,
    /// Times that a lane was compared with what the bytes between it and its venues say.
    pub compared: u64,
}

/// A lane, and what is known of it from outside.
struct LaneState {
    lane: Recorder,
    /// It hears nothing, and does nothing, until it is started.
    listening: bool,
    utc: Option<UtcOffset>,
    tape: TapeLedger,
    /// Its links, by its own numbers of its venues.
    links: Vec<usize>,
    /// Requests, answers and tape records when it was last compared with the accounts.
    compared: (u64, u64),
}

/// A running world.
pub struct World {
    seed: u64,
    now: Mono,
    /// The venues' day has begun.
    opened: bool,
    judged: bool,
    /// Timers of lanes at this instant.
    timers: u32,
    lanes: Vec<LaneState>,
    venues: Vec<FarEnd>,
    links: Vec<Link>,
    plan: Agenda<Deed>,
    day: Option<Day>,
    stats: WorldStats,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = (self.lanes.len(), self.venues.len());
        f.debug_struct("World").field("now", &self.now).field("lanes, venues", &counts).finish_non_exhaustive()
    }
}

/// After so many timers at one instant a lane's deadline stands still.
const MOST_TIMERS: u32 = 10_000;

/// Is told what lanes do, as they do it: whose, when, what (session bytes and tape records among it).
pub type Tap<'t> = &'t mut dyn FnMut(Seat, Mono, lane::Output<'_>);

impl World {
    /// A world without anything in it. The seed is of its networks and of what is [planned](Self::plan_day); venues and
    /// their markets have their own.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        World {
            seed,
            now: Mono(0),
            opened: false,
            judged: true,
            timers: 0,
            lanes: Vec::new(),
            venues: Vec::new(),
            links: Vec::new(),
            plan: Agenda::new(),
            day: None,
            stats: WorldStats::default(),
        }
    }

    /// Adds a venue, before its day. It opens with the first step.
    pub fn add_venue(&mut self, mut venue: FarEnd) -> Place {
        if self.opened {
            venue.open(self.now);
        }
        self.venues.push(venue);
        Place(self.venues.len() - 1)
    }

    /// Adds a lane. Its [`VenueId`]s count the wires up. It hears nothing until it is [started](Self::start).
    ///
    /// # Panics
    /// If a wire leads to no venue of this world.
    pub fn add_lane(&mut self, lane: Recorder, wires: &[Wire]) -> Seat {
        let seat = self.lanes.len();
        let mut links = Vec::new();
        for (venue, wire) in (0..=u8::MAX).map(VenueId).zip(wires) {
            assert!(wire.place.0 < self.venues.len(), "{wire:?} leads to no venue of this world");
            links.push(self.links.len());
            self.links.push(Link::new(self.seed, self.links.len(), seat, venue, wire));
        }
        let tape = TapeLedger::default();
        self.lanes.push(LaneState { lane, listening: false, utc: None, tape, links, compared: (0, 0) });
        Seat(seat)
    }

    // ---- What others read ------------------------------------------------------------------------------------

    /// The virtual clock.
    #[must_use]
    pub fn now(&self) -> Mono {
        self.now
    }

    /// A lane.
    #[must_use]
    pub fn lane(&self, seat: Seat) -> &dyn Lane {
        self.lanes[seat.0].lane.lane()
    }

    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// A lane and what records it.
    #[must_use]
    pub fn recorder(&self, seat: Seat) -> &Recorder {
        &self.lanes[seat.0].lane
    }

    /// What a lane's tape has said.
    #[must_use]
    pub fn tape(&self, seat: Seat) -> &TapeLedger {
        &self.lanes[seat.0].tape
    }

    /// What the bytes between a lane and one of its venues say.
    ///
    /// # Panics
    /// If the lane has no such venue.
    #[must_use]
    pub fn account(&self, seat: Seat, venue: VenueId) -> &Account {
        &self.links[self.lanes[seat.0].links[usize::from(venue.0)]].account
    }

    /// A venue.
    #[must_use]
    pub fn venue(&self, place: Place) -> &FarEnd {
        &self.venues[place.0]
    }

    /// A venue's exchange.
    #[must_use]
    pub fn exchange(&self, place: Place) -> &dyn Exchange {
        self.venues[place.0].exchange()
    }

    /// What happened on the wires between a lane and one of its venues: lines A and B, replies and requests; order entry,
    /// snapshots, the stream.
    ///
    /// # Panics
    /// If the lane has no such venue.
    #[must_use]
    pub fn wires(&self, seat: Seat, venue: VenueId) -> ([LinkStats; 4], [StreamStats; 3]) {
        let net = &self.links[self.lanes[seat.0].links[usize::from(venue.0)]].net;
        (net.datagrams(), net.streams())
    }

    /// What happened.
    #[must_use]
    pub fn stats(&self) -> WorldStats {
        let mut stats = self.stats;
        for link in &self.links {
            for (sum, of) in stats.datagrams.iter_mut().zip(link.net.datagrams()) {
                *sum = sum.plus(of);
            }
            let [orders, snapshots, stream] = link.net.streams();
            stats.streams = [stats.streams[0].plus(orders), stats.streams[1].plus(snapshots)];
            stats.market_streams = stats.market_streams.plus(stream);
        }
        for venue in self.venues.iter().map(FarEnd::stats) {
            stats.rerequest = stats.rerequest.plus(venue.rerequest);
            stats.glimpse = stats.glimpse.plus(venue.glimpse);
            stats.session_changes += venue.session_changes;
            stats.hang_ups += venue.hang_ups;
            stats.published += venue.published;
        }
        stats
    }

    /// Ends logs and tapes in order, and gives the lanes back.
    ///
    /// # Errors
    /// What their sinks say.
    pub fn finish(self) -> Result<Vec<Box<dyn Lane>>, WorldError> {
        self.lanes.into_iter().map(|state| Ok(state.lane.finish(self.now)?)).collect()
    }

    // ---- What may be asked of it -----------------------------------------------------------------------------

    /// From `at` on a lane is there: it is told to start. Before, it hears nothing.
    pub fn start(&mut self, seat: Seat, at: Mono) {
        self.plan.at(at.max(self.now), Deed::Start(seat.0));
    }

    /// A lane hears, as its first input, how its clock (the world's) and universal time differ.
    pub fn set_utc(&mut self, seat: Seat, offset: UtcOffset) {
        self.lanes[seat.0].utc = Some(offset);
    }

    /// Are [`Account`]s of the wires kept, and compared with the lanes after every word? They are, unless somebody says so before
    /// the first step: they cost time, and memory for every order that there ever was.
    pub fn set_judged(&mut self, judged: bool) {
        self.judged = judged;
    }

    /// Somebody wants something of a lane, at a time, or with the next step if that has passed.
    pub fn command(&mut self, seat: Seat, at: Mono, command: &Command<'_>) {
        self.plan.at(at.max(self.now), Deed::Command(seat.0, Box::new(CommandBuf::of(command))));
    }

    /// When something happens next; [`Mono::NEVER`]: nothing is to come.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        if !self.opened && !self.venues.is_empty() {
            return self.now;
        }
        let lanes = self.lanes.iter().filter(|state| state.listening).map(|state| state.lane.lane().next_deadline());
        let venues = self.venues.iter().map(FarEnd::next_deadline);
        let next = lanes.chain(venues).fold(self.plan.next_deadline().min(self.under_way()), Mono::min);
        if next == Mono::NEVER { next } else { next.max(self.now) }
    }

    /// When something arrives next.
    fn under_way(&self) -> Mono {
        self.links.iter().map(|link| link.net.next_deadline()).min().unwrap_or(Mono::NEVER)
    }

    /// All that happens until then, and at that instant; then the clock stands there.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn step_until(&mut self, until: Mono) -> Result<(), WorldError> {
        self.step_until_with(until, &mut |_, _, _| ())
    }

    /// The same; `tap` is told what lanes do.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn step_until_with(&mut self, until: Mono, tap: Tap<'_>) -> Result<(), WorldError> {
        while self.next_deadline() <= until && self.step_with(tap)? {}
        if until < Mono::NEVER {
            self.now = self.now.max(until);
        }
        Ok(())
    }

    /// All that happens at the next instant at which something does. False: nothing is to come.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn step(&mut self) -> Result<bool, WorldError> {
        self.step_with(&mut |_, _, _| ())
    }

    /// The same; `tap` is told what lanes do.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn step_with(&mut self, tap: Tap<'_>) -> Result<bool, WorldError> {
        self.open(tap)?;
        let next = self.next_deadline();
        if next == Mono::NEVER {
            return Ok(false);
        }
        self.timers = if next > self.now { 0 } else { self.timers };
        self.now = next;
        while let Some((_, deed)) = self.plan.due(self.now) {
            self.act(deed, tap)?;
        }
        for place in 0..self.venues.len() {
            self.venues[place].on_timer(self.now);
            self.carry_outputs(place, tap)?;
        }
        for link in 0..self.links.len() {
            self.carry_sessions(link, tap)?;
        }
        for place in 0..self.venues.len() {
            self.venues[place].settle(self.now);
            self.carry_outputs(place, tap)?;
        }
        for link in 0..self.links.len() {
            self.carry_requests(link, tap)?;
        }
        for link in 0..self.links.len() {
            while let Some((line, packet)) = self.links[link].net.next_packet(self.now) {
                self.on_packet(link, line, &packet, tap)?;
            }
        }
        for lane in 0..self.lanes.len() {
            self.wake(lane, tap)?;
        }
        for lane in 0..if self.judged { self.lanes.len() } else { 0 } {
            self.compare_with_accounts(lane)?;
        }
        Ok(true)
    }

    // ---- The steps of a step ---------------------------------------------------------------------------------

    fn open(&mut self, tap: Tap<'_>) -> Result<(), WorldError> {
        if std::mem::replace(&mut self.opened, true) {
            return Ok(());
        }
        for place in 0..self.venues.len() {
            self.venues[place].open(self.now);
            self.carry_outputs(place, tap)?;
        }
        Ok(())
    }

    /// One input for a lane, and what it does to the world.
    fn feed(&mut self, seat: usize, input: Input<'_>, tap: Tap<'_>) -> Result<(), WorldError> {
        let World { lanes, links, now, judged, .. } = self;
        let judged = *judged;
        let LaneState { lane, tape, links: of, .. } = &mut lanes[seat];
        for (venue, link) in (0..=u8::MAX).map(VenueId).zip(of.iter()).filter(|_| judged) {
            let account = &mut links[*link].account;
            match input {
                Input::Session(at, SessionId::ORDERS, SessionInput::Bytes(bytes)) if at == venue => {
                    account.on_venue(bytes);
                }
                Input::Session(at, SessionId::ORDERS, SessionInput::Connected | SessionInput::Closed)
                    if at == venue =>
                {
                    account.on_new_connection();
                }
                _ => account.on_nothing(),
            }
        }
        lane.input(*now, input, |output| {
            tap(Seat(seat), *now, output);
            let venue = match output {
                lane::Output::Tape(record) => return tape.on_record(record),
                lane::Output::Snapshot(_) => return,
                lane::Output::Datagram(venue, _)
                | lane::Output::Send { venue, .. }
                | lane::Output::Connect(venue, _)
                | lane::Output::Disconnect(venue, _) => venue,
            };
            let Some(link) = of.get(usize::from(venue.0)) else { return };
            if let lane::Output::Send { session: SessionId::ORDERS, bytes, .. } = output
                && judged
            {
                links[*link].account.on_lane(bytes);
            }
            links[*link].net.take(*now, output);
        })?;
        for at in 0..self.lanes[seat].links.len() {
            let link = self.lanes[seat].links[at];
            while let Some(session) = self.links[link].net.next_closed() {
                let venue = self.links[link].venue;
                self.feed(seat, Input::Session(venue, session, SessionInput::Closed), tap)?;
            }
        }
        Ok(())
    }

    /// The same, if it is there to hear it.
    fn tell(&mut self, seat: usize, input: Input<'_>, tap: Tap<'_>) -> Result<(), WorldError> {
        if self.lanes[seat].listening { self.feed(seat, input, tap) } else { Ok(()) }
    }

    fn on_packet(&mut self, link: usize, line: LineId, packet: &[u8], tap: Tap<'_>) -> Result<(), WorldError> {
        let Link { seat, venue, .. } = self.links[link];
        self.tell(seat, Input::Packet(Arrival::on(venue, line), packet), tap)
    }

    /// The timers of a lane that are due. What arrives at the same instant (over wires that take no time) comes first.
    fn wake(&mut self, seat: usize, tap: Tap<'_>) -> Result<(), WorldError> {
        while self.lanes[seat].listening && self.under_way() > self.now {
            let Some(machine) = self.lanes[seat].lane.lane().due(self.now) else { break };
            self.timers += 1;
            if self.timers > MOST_TIMERS {
                return Err(WorldError::Standstill(self.now));
            }
            self.feed(seat, Input::Timer(machine), tap)?;
        }
        Ok(())
    }

    fn act(&mut self, deed: Deed, tap: Tap<'_>) -> Result<(), WorldError> {
        match deed {
            Deed::Start(seat) => {
                self.lanes[seat].listening = true;
                if let Some(offset) = self.lanes[seat].utc {
                    self.feed(seat, Input::Clock(offset), tap)?;
                }
                self.feed(seat, Input::Command(CommandBytes::START), tap)
            }
            Deed::Command(seat, command) => self.tell(seat, Input::Command(command.bytes()), tap),
            Deed::Audit => self.on_audit(),
            Deed::Rest => self.on_rest(tap),
            Deed::Heal => {
                self.links.iter_mut().for_each(|link| link.net.heal(self.now));
                self.venues.iter_mut().for_each(FarEnd::heal);
                Ok(())
            }
        }
    }

    // ---- Between lanes and venues ----------------------------------------------------------------------------

    fn carry_sessions(&mut self, link: usize, tap: Tap<'_>) -> Result<(), WorldError> {
        for id in net::SESSIONS {
            while let Some((end, event)) = self.links[link].net.next_event(self.now, id) {
                let Link { seat, venue, place, .. } = self.links[link];
                match end {
                    crate::net::End::Client => {
                        self.tell(seat, Input::Session(venue, id, wires::as_input(&event)), tap)?;
                    }
                    crate::net::End::Server => {
                        self.links[link].on_far_end(self.now, &mut self.venues[place], id, &event);
                        // What was written before a close goes out before it.
                        self.carry_outputs(place, tap)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn carry_requests(&mut self, link: usize, tap: Tap<'_>) -> Result<(), WorldError> {
        while let Some(request) = self.links[link].net.next_request(self.now) {
            let place = self.links[link].place;
            if let Ok(reply) = self.venues[place].on_request(self.now, &request)
                && let Some(reply) = self.links[link].net.publish(self.now, LineId::REREQUEST, reply)
            {
                self.on_packet(link, LineId::REREQUEST, &reply, tap)?;
            }
        }
        Ok(())
    }

    fn carry_outputs(&mut self, place: usize, tap: Tap<'_>) -> Result<(), WorldError> {
        for output in self.venues[place].take_outputs() {
            match output {
                Output::Datagram(line, bytes) => self.publish(place, line, bytes, tap)?,
                Output::Bytes(conn, bytes) => {
                    if let Some((link, id)) = self.session_of(place, conn) {
                        self.links[link].net.answer(self.now, id, &bytes);
                    }
                }
                Output::Close(conn, _) => {
                    if let Some((link, id)) = self.session_of(place, conn) {
                        self.links[link].forget(id);
                        self.links[link].net.hang_up(self.now, id);
                    }
                }
            }
        }
        Ok(())
    }

    /// A datagram goes out to every lane that listens to the venue's lines.
    fn publish(&mut self, place: usize, line: LineId, bytes: Vec<u8>, tap: Tap<'_>) -> Result<(), WorldError> {
        let mut to = (0..self.links.len()).filter(|at| self.links[*at].hears(place)).collect::<Vec<_>>();
        let Some(last) = to.pop() else { return Ok(()) };
        for link in to {
            if let Some(bytes) = self.links[link].net.publish(self.now, line, bytes.clone()) {
                self.on_packet(link, line, &bytes, tap)?;
            }
        }
        match self.links[last].net.publish(self.now, line, bytes) {
            Some(bytes) => self.on_packet(last, line, &bytes, tap),
            None => Ok(()),
        }
    }

    fn session_of(&self, place: usize, conn: crate::venue::acceptor::ConnId) -> Option<(usize, SessionId)> {
        let links = self.links.iter().enumerate().filter(|(_, link)| link.place == place);
        links.filter_map(|(at, link)| Some((at, link.session_of(conn)?))).next()
    }

    /// Where the day stands.
    fn phase(&self) -> Phase {
        self.day.as_ref().map_or(Phase::Trading, |day| day.phase)
    }
}
