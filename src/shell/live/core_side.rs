//! What a whole lane and a core on its own have in common: the order sessions, commands and kill switch, log and tape.

use super::Handle;
use super::attention::{Attention, Pace};
use super::inbox::Inboxes;
use super::link::{Link, event_input, link_body};
use super::market_side::Back;
use super::scribe::{LOG_PATIENCE, stuck};
use crate::base::{Mono, Nanos, PerVenue, SessionId, VenueId, VenueSet};
use crate::flow::command::{Command, CommandBuf, CommandBytes, Commander, Outcome, Why as Rejection, Word};
use crate::flow::outbox::{Class, Outbox, Output, Progress};
use crate::flow::record::log::LONGEST_SESSION_TAG;
use crate::flow::record::{self, AnswerBody, Kind, RecordHeader, StatusBody, TraceBody, VenueStatusBody};
use crate::flow::wiring::Wiring;
use crate::flow::{Core, Gateway, Input, Machine};
use crate::shell::agent::AgentError;
use crate::shell::clock::{Clock, UtcWatch};
use crate::shell::config::{LiveConfig, SMALLEST_RING};
use crate::shell::counters::Tally;
use crate::shell::journal::Journal;
use crate::shell::lane;
use crate::shell::log::{LogError, MAX_BODY};
use crate::shell::net::{KillSwitch, Login, Sent, Session, SessionCounters};
use crate::shell::ring;
use crate::shell::sync::{Counter, KillNews, KillWatch, Stop};
use crate::shell::trace::Traced;
use std::collections::VecDeque;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U64;

/// What takes inputs: a whole lane, or its core, of one type each.
pub(super) trait Driven {
    /// Begins an input, and goes as far as one call does.
    fn take(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// Goes on with it.
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// Inputs consumed.
    fn inputs(&self) -> u64;
    /// When the core, without the feed, wants to be called again.
    fn core_deadline(&self) -> Mono;
    /// Orders since the last look.
    fn traces(&self) -> &[TraceBody];
    /// They have been seen to.
    fn forget_traces(&mut self);
    /// Is order entry over?
    fn is_over(&self) -> bool;
    /// How it is doing.
    fn status(&self, into: &mut StatusBody);
    /// How it is doing at a venue.
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody);
    /// What it has counted.
    fn counters(&self, into: &mut Tally);
}

impl<W: Wiring> Driven for Gateway<W>
where
    W::Probe: Traced,
{
    #[inline]
    fn take(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.on_input(now, input, out)
    }
    #[inline]
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.resume(input, out)
    }
    fn inputs(&self) -> u64 {
        self.core().inputs()
    }
    fn core_deadline(&self) -> Mono {
        self.core().next_deadline()
    }
    #[inline]
    fn traces(&self) -> &[TraceBody] {
        self.core().probe().traces()
    }
    fn forget_traces(&mut self) {
        self.probe_mut().forget();
    }
    fn is_over(&self) -> bool {
        lane::is_over(self.core())
    }
    fn status(&self, into: &mut StatusBody) {
        lane::feed_status(self.feeds(), into);
        lane::core_status(self.core(), into);
    }
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody) {
        lane::feed_status_at(self.feeds(), venue, into);
        lane::core_status_at(self.core(), venue, into);
    }
    fn counters(&self, into: &mut Tally) {
        lane::feed_counters(self.feeds(), into);
        lane::core_counters(self.core(), into);
    }
}

impl<W: Wiring> Driven for Core<W>
where
    W::Probe: Traced,
{
    #[inline]
    fn take(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.begin(now, input, out);
        self.run(input, out)
    }
    #[inline]
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.run(input, out)
    }
    fn inputs(&self) -> u64 {
        self.inputs()
    }
    fn core_deadline(&self) -> Mono {
        self.next_deadline()
    }
    #[inline]
    fn traces(&self) -> &[TraceBody] {
        self.probe().traces()
    }
    fn forget_traces(&mut self) {
        self.probe_mut().forget();
    }
    fn is_over(&self) -> bool {
        lane::is_over(self)
    }
    fn status(&self, into: &mut StatusBody) {
        lane::core_status(self, into);
    }
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody) {
        lane::core_status_at(self, venue, into);
    }
    fn counters(&self, into: &mut Tally) {
        lane::core_counters(self, into);
    }
}

/// What the market side has to say of itself.
pub(super) trait Market {
    /// How it is doing, where the lane at hand does not know.
    fn status(&self, into: &mut StatusBody);
    /// The same of a venue.
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody);
    /// What it has counted, its sockets and what the lane at hand does not know.
    fn counters(&self, into: &mut Tally);
}

/// What one call of the lane may write.
const OUTBOX: usize = 1 << 17;
/// Bytes that the log must be able to take before another input of the market's is taken.
const LOG_RESERVE: usize = 1 << 20;
/// The end of it, without which no input is taken at all: the longest input, and what one call of the lane writes. What lies
/// between the two is for whatever cannot wait: the kill switch and its cancels, the venue's answers, heartbeats.
const LAST_RESERVE: usize = logged(MAX_BODY) + logged_outbox(OUTBOX) + logged(size_of::<U64>());
/// So much free, or half of the ring if that is more, and the market is taken again after it had to wait.
const LOG_ENOUGH: usize = LOG_RESERVE + LOG_RESERVE / 2;
/// Orders whose send is stamped, of one call.
const STAMPS: usize = 512;
/// Events of an order session in one duty cycle.
const EVENTS: usize = 32;
/// Commands in one duty cycle.
const COMMANDS: usize = 32;

/// What a record of so long a body takes of the log's ring.
const fn logged(body: usize) -> usize {
    ring::HEADER + size_of::<RecordHeader>() + body
}

/// The most that an outbox of so many bytes takes there: records of ours have the longer header, and the shorter they are,
/// the more of them there are.
const fn logged_outbox(bytes: usize) -> usize {
    bytes + bytes / Outbox::HEADER * (logged(LONGEST_SESSION_TAG) - Outbox::HEADER)
}

const _: () = {
    assert!(OUTBOX >= 4 * Outbox::STEP, "an outbox is never smaller");
    assert!(LAST_RESERVE < LOG_RESERVE && LOG_ENOUGH < SMALLEST_RING as usize);
    // The kill switch hands back the bytes of one send at a time.
    assert!(OUTBOX - Outbox::HEADER + LONGEST_SESSION_TAG <= MAX_BODY, "what is sent, or dropped, is one record");
};

/// Log and tape, and why the log ends before the lane does, if it does.
pub(super) type Written = (Journal, Option<LogError>);

/// What inputs are taken. See `docs/adr/0008-when-the-log-fails.md`.
enum Course {
    /// All.
    Open,
    /// The log's ring is nearly full: the market waits. A lane that does not see the market has nothing resting in it: its
    /// strategies are held. Since when there is not even room for what cannot wait, if there is none.
    Held(Option<Mono>),
    /// Something is gone that the lane cannot trade without. It takes no more of the market, cancels what rests, waits for
    /// the answers, logs out. At the latest then.
    Ending(Mono),
}

/// See the module.
pub(super) struct CoreSide {
    pub(super) out: Outbox,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    /// The order sessions.
    orders: PerVenue<Session>,
    /// When to look at each.
    attention: PerVenue<Attention>,
    /// To be told once in each duty cycle.
    pub(super) pace: Pace,
    /// So far nothing has happened in this duty cycle.
    pub(super) nothing_yet: bool,
    inboxes: Inboxes,
    /// Its limits are leased: they have an owner, who commands.
    leased: bool,
    kill: KillSwitch,
    /// As the lane knows it.
    killed: KillWatch,
    over: Stop,
    /// Raised for whoever runs the lane: it ends of itself.
    failing: Stop,
    course: Course,
    /// The lane knows that it ends.
    told: bool,
    shutdown_timeout: Nanos,
    /// Why the log ends before the lane does.
    log_lost: Option<LogError>,
    /// So much room in the log ends a wait.
    log_enough: usize,
    /// The core wants a snapshot, and the feed does not know yet.
    wants_snapshot: VenueSet,
    /// So do others, by command.
    asked_snapshots: VecDeque<CommandBuf>,
    /// When the sends of this call's orders returned; 0 for one that waits.
    stamps: Vec<u64>,
    /// Session bytes on their way into the lane, which may send on the same session.
    received: Box<[u8]>,
    status: StatusBody,
    counters: Tally,
    status_at: Mono,
    status_every: Nanos,
    /// What the lane knows of universal time, and whether it is time to see if that still holds.
    utc: UtcWatch,
    utc_due: bool,
    stalls: u64,
    tape_lost: Counter,
}

impl CoreSide {
    pub(super) fn new(
        config: &LiveConfig,
        login: impl Fn(VenueId) -> Option<Login>,
        journal: Journal,
        clock: Clock,
        handle: &Handle,
        tape_lost: Counter,
    ) -> Self {
        let orders = config.net.map(|venue, net| {
            let session = net.session(login(venue));
            // Bytes of the venue's go where those of one order go that the kill switch kept back.
            assert!(session.receive_bytes <= OUTBOX, "there is room for what a session receives at once");
            Session::new(net.orders, &session, handle.kill.clone())
        });
        let mut received = vec![0; OUTBOX].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        received.fill(std::hint::black_box(0xA5));
        CoreSide {
            out: Outbox::new(OUTBOX),
            journal,
            clock,
            attention: orders.map(|_, _| Attention::default()),
            pace: Pace::default(),
            nothing_yet: false,
            orders,
            inboxes: Inboxes::new(&handle.inboxes),
            leased: handle.inbox(Commander::OWNER).is_some(),
            kill: handle.kill.clone(),
            killed: KillWatch::default(),
            over: handle.over.clone(),
            failing: handle.failing.clone(),
            course: Course::Open,
            told: false,
            shutdown_timeout: config.shutdown_timeout,
            log_lost: None,
            log_enough: LOG_ENOUGH.max(config.log_ring / 2),
            wants_snapshot: VenueSet::default(),
            asked_snapshots: VecDeque::with_capacity(COMMANDS),
            stamps: Vec::with_capacity(STAMPS),
            received,
            status: StatusBody::default(),
            counters: Tally::new(),
            status_at: Mono(0),
            status_every: config.status_every,
            utc: UtcWatch::default(),
            utc_due: true,
            stalls: 0,
            tape_lost,
        }
    }

    /// May another input of the market's be taken? If not, [`tend`](Self::tend) sees to what follows from it.
    #[inline]
    pub(super) fn takes_market(&self) -> bool {
        matches!(self.course, Course::Open) && self.journal.log_room().is_ok_and(|room| room >= LOG_RESERVE)
    }

    /// May an input be taken that cannot wait: the kill switch, the order session's, a timer of the core's?
    #[inline]
    fn takes_urgent(&self) -> bool {
        self.journal.log_room().is_ok_and(|room| room >= LAST_RESERVE)
    }

    /// In every duty cycle in which the market is not taken: what becomes of the lane meanwhile.
    ///
    /// # Errors
    /// The lane has ended as far as it could in its time, and the venue has not answered.
    #[cold]
    pub(super) fn tend(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> Result<usize, AgentError> {
        let now = self.clock.now();
        let command = match (&self.course, self.journal.log_room()) {
            (_, Err(error)) => {
                self.lose_log(error);
                return Ok(0);
            }
            (Course::Ending(until), _) if now > *until && !lane.is_over() => {
                return Err("the venue has not answered in time what was to be the end".into());
            }
            (Course::Ending(_), Ok(room)) if !self.told && room >= LAST_RESERVE => {
                self.told = true;
                CommandBytes::SHUTDOWN
            }
            (_, Ok(room)) if room < LAST_RESERVE => {
                self.wait_for_log(now);
                return Ok(0);
            }
            (Course::Ending(_), Ok(_)) => return Ok(0),
            (Course::Held(_), Ok(room)) if room >= self.log_enough => {
                self.course = Course::Open;
                CommandBytes::RESUME
            }
            (Course::Held(_), Ok(_)) => {
                self.course = Course::Held(None);
                return Ok(0);
            }
            (Course::Open, Ok(_)) => {
                self.stalls += 1;
                self.course = Course::Held(None);
                CommandBytes::HOLD
            }
        };
        self.input(lane, back, now, Input::Command(command));
        Ok(1)
    }

    /// There is no room for any input. A disk that is only slow makes some; one that is stuck keeps nobody from cancelling.
    fn wait_for_log(&mut self, now: Mono) {
        let since = match self.course {
            Course::Held(since) => since,
            Course::Open => {
                self.stalls += 1;
                None
            }
            Course::Ending(_) => Some(Mono(0)),
        };
        let since = since.unwrap_or(now);
        if self.kill.is_unanswered() || now.since(since) >= LOG_PATIENCE {
            self.lose_log(stuck());
        } else {
            self.course = Course::Held(Some(since));
        }
    }

    /// The log ends here, and the lane too: from now on no order leaves, as it would be in no log. What must be done to end
    /// is done without it.
    #[cold]
    fn lose_log(&mut self, error: LogError) {
        self.journal.end_log();
        self.orders.iter_mut().for_each(|(_, orders)| orders.hold_orders());
        self.log_lost.get_or_insert(error);
        self.end();
    }

    /// The lane cannot go on: it ends as if it were told to.
    #[cold]
    pub(super) fn end(&mut self) {
        if !matches!(self.course, Course::Ending(_)) {
            self.course = Course::Ending(self.clock.now().after(self.shutdown_timeout));
        }
        self.failing.stop();
    }

    /// What the log says to what was written.
    #[inline]
    pub(super) fn kept(&mut self, written: Result<(), LogError>) {
        if let Err(error) = written {
            self.lose_log(error);
        }
    }

    /// Does what the lane takes still come to the log?
    pub(super) fn has_lost_log(&self) -> bool {
        self.log_lost.is_some()
    }

    /// One input to its end. The sockets come first: an order leaves before anything of it is written down.
    #[inline]
    pub(super) fn input(&mut self, lane: &mut impl Driven, back: &mut impl Back, now: Mono, input: Input<'_>) {
        let mut progress = lane.take(now, input, &mut self.out);
        let number = lane.inputs();
        self.act(now, back);
        let written = self.journal.input(number, now, &input);
        self.kept(written);
        loop {
            self.write_down(lane, number, now);
            if progress == Progress::Done {
                break;
            }
            progress = lane.resume(input, &mut self.out);
            self.act(now, back);
        }
        let written = self.journal.done(number, now);
        self.kept(written);
    }

    /// Does what the lane wrote.
    #[inline]
    pub(super) fn act(&mut self, now: Mono, back: &mut impl Back) {
        for output in self.out.outputs() {
            match output {
                Output::Send { venue, session: SessionId::ORDERS, class, bytes } => {
                    let Some(orders) = self.orders.get_mut(venue) else { continue };
                    let sent = orders.send(class, bytes);
                    self.attention.get_mut(venue).into_iter().for_each(Attention::sent);
                    if class == Class::Order && self.stamps.len() < STAMPS {
                        self.stamps.push(if sent == Sent::Written { self.clock.now().0 } else { 0 });
                    }
                }
                Output::Connect(venue, SessionId::ORDERS) => {
                    self.orders.get_mut(venue).into_iter().for_each(|orders| orders.connect(now));
                }
                Output::Disconnect(venue, SessionId::ORDERS) => {
                    self.orders.get_mut(venue).into_iter().for_each(Session::disconnect);
                }
                Output::Snapshot(venue) => self.wants_snapshot.insert(venue),
                Output::Tape(_) => {}
                other => back.take(now, &other),
            }
        }
    }

    /// Log and tape of what the lane wrote; then the outbox is empty.
    #[inline]
    pub(super) fn write_down(&mut self, lane: &mut impl Driven, number: u64, now: Mono) {
        let written = self.journal.outputs(number, now, &self.out);
        self.kept(written);
        self.out.clear();
        if !lane.traces().is_empty() {
            // The last orders sent are the ones traced: what was sent before a message was at hand has no trace.
            let untraced = self.stamps.len().saturating_sub(lane.traces().len());
            for (trace, sent) in lane.traces().iter().zip(&self.stamps[untraced..]) {
                let trace = TraceBody { sent: U64::new(*sent), ..*trace };
                put(&mut self.journal, Kind::Trace, number, now, trace.as_bytes());
            }
            lane.forget_traces();
        }
        self.stamps.clear();
    }

    /// Universal time for the lane, before anything else comes in, and again where it has moved; seen to as often as the
    /// status is told.
    #[inline]
    pub(super) fn tell_time(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> usize {
        if !self.utc_due || !self.takes_urgent() {
            return 0;
        }
        self.utc_due = false;
        let Some(offset) = self.utc.look(self.clock.utc_offset()) else { return 0 };
        self.input(lane, back, self.clock.now(), Input::Clock(offset));
        1
    }

    /// The next snapshot of a venue's market that somebody wants: as a command for its feed. Each is answered once, then
    /// forgotten.
    #[inline]
    pub(super) fn take_wish(&mut self) -> Option<CommandBuf> {
        let asked = self.asked_snapshots.pop_front();
        asked.or_else(|| self.wants_snapshot.take().map(CommandBuf::snapshot))
    }

    /// The feed has not had room for a wish: it is asked again.
    pub(super) fn keep_wish(&mut self, wish: CommandBuf) {
        match wish.bytes().snapshot_of() {
            // Of the core's own one is enough, and where there is one venue, it is the one before this.
            Some(venue) if wish.read().from == Commander::SHELL => {
                if self.orders.count() > 1 {
                    self.wants_snapshot.insert(venue);
                }
            }
            _ => self.asked_snapshots.push_front(wish),
        }
    }

    /// The kill switch, commands, and what comes from the order ports, one venue after the other, as far as the log has room for
    /// what cannot wait.
    #[inline]
    pub(super) fn serve(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> usize {
        if !self.takes_urgent() {
            // Cancels among what waits go out all the same, and the kill switch acts on the rest.
            self.orders.iter_mut().for_each(|(_, orders)| orders.flush());
            return 0;
        }
        let mut work = self.look_at_switch(lane, back);
        for _ in 0..COMMANDS {
            if !self.takes_urgent() || self.asked_snapshots.len() == COMMANDS {
                break;
            }
            let Some(command) = self.inboxes.pop() else { break };
            work += 1;
            self.command(lane, back, command);
        }
        for venue in self.orders.ids() {
            if !self.has_its_turn(venue, work) {
                continue;
            }
            for _ in 0..EVENTS {
                if !self.takes_urgent() || !self.poll_orders(venue, lane, back) {
                    break;
                }
                work += 1;
            }
        }
        work
    }

    /// Is the order session of a venue looked at in this duty cycle? Always if there is more to do than to see whether bytes came.
    #[inline]
    fn has_its_turn(&mut self, venue: VenueId, work: usize) -> bool {
        let (Some(orders), Some(attention)) = (self.orders.get(venue), self.attention.get_mut(venue)) else {
            return true;
        };
        attention.is_due(self.nothing_yet && work == 0 && !self.pace.is_slow()) || !orders.is_idle()
    }

    /// What was done to the kill switch since the last look.
    #[inline]
    fn look_at_switch(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> usize {
        let Some(news) = self.killed.look(&self.kill) else { return 0 };
        let commands: &[CommandBytes<'_>] = match news {
            KillNews::Thrown => &[CommandBytes::KILL],
            KillNews::Released => &[CommandBytes::RELEASE],
            KillNews::ThrownAndReleased => &[CommandBytes::KILL, CommandBytes::RELEASE],
        };
        for command in commands {
            self.input(lane, back, self.clock.now(), Input::Command(*command));
        }
        self.killed.answer(&self.kill);
        1
    }

    #[cold]
    fn command(&mut self, lane: &mut impl Driven, back: &mut impl Back, command: CommandBuf) {
        let bytes = command.bytes();
        if bytes.is(Word::Kill) || bytes.is(Word::Release) {
            // What the gate is told here must not be what the next look takes for known.
            self.look_at_switch(lane, back);
        }
        // Said to the switch too, which is as it is now, whatever was said to it before.
        let thrown = self.kill.is_thrown_itself();
        let late = thrown && bytes.is(Word::Release) || !thrown && bytes.is(Word::Kill);
        if matches!(self.course, Course::Ending(_)) {
            self.refuse(&command, Rejection::Refused("the lane is ending"));
        } else if bytes.is(Word::Release) && self.kill.is_thrown_above() {
            // The gate follows both switches: it opens when the last of them is released.
            let why = "the lane's own kill switch is released, and that of all lanes is thrown: release it, too";
            self.refuse(&command, Rejection::Refused(why));
        } else if self.leased && self.touches_lease(&command) {
            self.refuse(
                &command,
                Rejection::Refused("the lane's limits are leased to it: their owner alone changes them"),
            );
        } else if late {
            self.refuse(&command, Rejection::Refused("the kill switch was thrown or released again since"));
        } else if bytes.snapshot_of().is_some() {
            self.asked_snapshots.push_back(command);
        } else {
            self.input(lane, back, self.clock.now(), Input::Command(bytes));
        }
    }

    /// Is it about the limits that the firm has leased to the lane, and of somebody else than their owner?
    fn touches_lease(&self, command: &CommandBuf) -> bool {
        let Command { from, word, .. } = command.read();
        matches!(word, Word::LaneLimits(_)) && from != Commander::OWNER
    }

    /// Answers a command that never becomes an input. Beside the lane, as all that the shell says.
    fn refuse(&mut self, command: &CommandBuf, why: Rejection) {
        let (body, text) = AnswerBody::of(&command.read(), Outcome::Rejected(why));
        let parts = [body.as_bytes(), text[0].as_bytes()];
        let length = parts.iter().map(|part| part.len()).sum();
        let header = record::header(Kind::Answer, self.journal.lane(), 0, self.clock.now(), length);
        let _infallible = self.journal.aside(&[header.as_bytes(), parts[0], parts[1]]);
    }

    /// Timers of the core's that are due, while those of the feed must wait; at most so many.
    #[inline]
    pub(super) fn core_timers(
        &mut self,
        lane: &mut impl Driven,
        back: &mut impl Back,
        now: Mono,
        most: usize,
    ) -> usize {
        let mut work = 0;
        while work < most && lane.core_deadline() <= now && self.takes_urgent() {
            self.input(lane, back, now, Input::Timer(Machine::Core));
            work += 1;
        }
        work
    }

    /// The next event of a venue's order session. False: none.
    #[inline]
    fn poll_orders(&mut self, venue: VenueId, lane: &mut impl Driven, back: &mut impl Back) -> bool {
        let Some(orders) = self.orders.get_mut(venue) else { return false };
        let Some(event) = orders.poll(self.clock.now()) else { return false };
        self.attention.get_mut(venue).into_iter().for_each(Attention::heard);
        let now = self.clock.now();
        // The lane may send on the session whose buffer these bytes lie in: they move to a place of their own.
        let mut received = std::mem::take(&mut self.received);
        let (input, link) = event_input(event, &mut received);
        if let Some(why) = link {
            self.link(Link { venue, session: SessionId::ORDERS, why }, now);
        }
        self.input(lane, back, now, Input::Session(venue, SessionId::ORDERS, input));
        self.received = received;
        true
    }

    /// Says on the tape what became of a connection.
    pub(super) fn link(&mut self, link: Link, now: Mono) {
        put(&mut self.journal, Kind::Link, 0, now, link_body(link).as_bytes());
    }

    /// Says on the tape how the lane is doing, and what it has counted, when it is time to. `market` adds what this side
    /// does not know.
    #[inline]
    pub(super) fn report(&mut self, lane: &impl Driven, market: &impl Market, now: Mono) {
        if lane.is_over() {
            self.over.stop();
        }
        if now < self.status_at {
            return;
        }
        self.status_at = now.after(self.status_every);
        self.utc_due = true;
        self.status = StatusBody::default();
        market.status(&mut self.status);
        lane.status(&mut self.status);
        let room = if self.has_lost_log() { 0 } else { self.journal.log_room().unwrap_or(0) };
        self.status.log_free.set(room as u64);
        self.status.log_stalls.set(self.stalls);
        self.status.tape_lost.set(self.tape_lost.value());
        put(&mut self.journal, Kind::Status, lane.inputs(), now, self.status.as_bytes());
        if self.orders.count() > 1 {
            self.report_venues(lane, market, now);
        }
        self.count(lane, market);
        put(&mut self.journal, Kind::Counters, lane.inputs(), now, self.counters.body());
    }

    /// How each venue is doing, where one status for all does not say it.
    fn report_venues(&mut self, lane: &impl Driven, market: &impl Market, now: Mono) {
        for venue in self.orders.ids() {
            let mut status = VenueStatusBody { venue: venue.0, ..VenueStatusBody::default() };
            market.venue_status(venue, &mut status);
            lane.venue_status(venue, &mut status);
            put(&mut self.journal, Kind::VenueStatus, lane.inputs(), now, status.as_bytes());
        }
    }

    /// Every count there is: of the market side, of the lane, and of this side.
    fn count(&mut self, lane: &impl Driven, market: &impl Market) {
        let tally = &mut self.counters;
        tally.clear();
        market.counters(tally);
        lane.counters(tally);
        for (venue, orders) in self.orders.iter() {
            let values = orders.counters().values();
            tally.of_venue(venue, |tally| tally.all("sockets.orders", SessionCounters::NAMES, values));
        }
        tally.put("outbox", "overflowed", self.out.overflowed());
        tally.put("log", "stalls", self.stalls);
        tally.put("tape", "lost", self.tape_lost.value());
        tally.put("counters", "left_out", tally.left_out());
    }

    /// Log and tape, to be ended, and why the log has ended already; the sockets close.
    pub(super) fn into_journal(self) -> Written {
        (self.journal, self.log_lost)
    }
}

/// A record of the shell's own on the tape, which loses what it has no room for and has no other error.
#[inline]
fn put(journal: &mut Journal, kind: Kind, number: u64, now: Mono, body: &[u8]) {
    let header = record::header(kind, journal.lane(), number, now, body.len());
    let _infallible = journal.aside(&[header.as_bytes(), body]);
}

#[cfg(test)]
mod tests;
