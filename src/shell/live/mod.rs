//! A lane on real sockets and threads.
//!
//! ```text
//!  fused   lines, re-request, Glimpse ─┐
//!          order sessions, commands ───┴─> [ feed ─> core ] ──ring──> log agent ──> file
//!                                              one thread  └──ring──> tape agent ─> board
//!                                                                         ├──ring──> tape's file
//!                                                                         └─one ring for all─> readers, a thread each
//!
//!  split   lines, re-request, Glimpse ───> [ feed ] ──ring──> [ core ] ──rings─> as above
//!          order sessions, commands ────────────────────────────┘
//! ```
//!
//! Of each venue, that is, or its one stream instead of lines, re-request and Glimpse; in which order they have their turn is
//! written down at the sockets of either side (`market_side`, `core_side`).
//!
//! Both layouts run the same machines ([`Lane`], or its halves) and write the same kind of log: every input in the order
//! in which the core took it. The lane's threads allocate, format and lock nothing after the start; whatever a person
//! may want to know they put on the tape, as bytes.

mod attention;
mod board;
mod core_side;
mod crossing;
mod fused;
mod inbox;
mod link;
mod market_side;
mod readers;
mod scribe;
mod split;

pub use board::{Answered, Board, Notice, SharedBoard};
pub use inbox::{Inbox, InboxFull};
pub use readers::Observer;

use super::agent::{Agent, AgentError, Ended, Idle, Runner};
use super::broadcast::{BroadcastWriter, ReaderState, Shared};
use super::clock::Clock;
use super::config::{Layout, LiveConfig, Passwords, ThreadConfig};
use super::journal::Journal;
use super::lane::Lane;
use super::log::{FileHeader, FileWriter, LogError, Role};
use super::net::{KillSwitch, Login};
use super::plan::{CoreWish, Plan, Wish};
use super::ring::ring;
use super::share::SharedTape;
use super::sync::{Counter, Stop};
use super::trace::Traced;
use crate::base::{Mono, Nanos, PerVenue};
use crate::flow::command::{CommandBuf, Commander, Word};
use crate::flow::record::FinalBody;
use crate::flow::venue::Venue;
use crate::flow::wire::soupbintcp::Password;
use crate::flow::wiring::Wiring;
use crate::flow::{Core, Gateway};
use core_side::{CoreSide, Written};
use crossbeam_queue::ArrayQueue;
use fused::FusedAgent;
use market_side::MarketSide;
use readers::Readers;
use scribe::{LOG_PATIENCE, LogScribe, LogSink, TapeFile, TapeScribe, TapeSink, stuck};
use split::{CoreAgent, FeedAgent, Halves};
use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name of the thread that runs a whole lane.
pub const LANE: &str = "lane";
/// Names of the threads that run a half each.
pub const HALVES: [&str; 2] = ["feed", "core"];

/// Where a file of records goes, and what its header says.
pub struct Sheet {
    /// The file.
    pub file: Box<dyn Write + Send>,
    /// Its header.
    pub header: FileHeader,
}

impl core::fmt::Debug for Sheet {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sheet").field("wiring", &self.header.wiring).finish_non_exhaustive()
    }
}

/// What the two sessions of a venue log in with. Those that have none leave logins as the lane wrote them.
#[derive(Clone, Default, Debug)]
pub struct Logins {
    /// Order entry.
    pub orders: Option<Login>,
    /// The snapshot server.
    pub snapshot: Option<Login>,
}

/// Over SoupBinTCP.
impl From<Passwords> for Logins {
    fn from(Passwords { orders, snapshot }: Passwords) -> Self {
        let login = |password| -> Login { Arc::new(password) };
        Logins { orders: Some(login(orders)), snapshot: snapshot.map(login) }
    }
}

/// Of all venues.
impl From<PerVenue<Passwords>> for PerVenue<Logins> {
    fn from(all: PerVenue<Passwords>) -> Self {
        all.map(|_, one| Logins::from(*one))
    }
}

/// Of one venue: order entry and the snapshot server.
impl From<(Password, Password)> for PerVenue<Logins> {
    fn from((orders, snapshot): (Password, Password)) -> Self {
        PerVenue::one(Passwords { orders, snapshot: Some(snapshot) }.into())
    }
}

/// What a live lane is started with, besides its configuration.
#[derive(Default)]
pub struct Setup {
    /// The lane's name, where there are several: those of its threads begin with it.
    pub name: String,
    /// The shell's kill switch, which may be thrown before there is a lane.
    pub kill: KillSwitch,
    /// What completes the logins, by venue; those of a venue beyond them are left as they are.
    pub logins: PerVenue<Logins>,
    /// The log, if it is to be kept.
    pub log: Option<Sheet>,
    /// The tape, if it is to be kept.
    pub tape: Option<Sheet>,
    /// Who commands it beside the shell (0) and the control socket (1), which have an inbox in any case.
    pub commanders: Vec<Commander>,
    /// Where readers in other processes find the tape, if they are to.
    pub share: Option<SharedTape>,
    /// Who else reads the tape: each has a thread and loses only records of its own.
    pub observers: Vec<Box<dyn Observer>>,
}

impl core::fmt::Debug for Setup {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Setup").field("log", &self.log).field("tape", &self.tape).finish_non_exhaustive()
    }
}

/// Why a live lane did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The lane has other venues than the configuration has addresses of: what it sends to one would reach nobody.
    #[error(
        "the lane has {lane} venues, and the configuration the addresses of {configured}: one [[venue]] is to be there for each"
    )]
    Addresses {
        /// Venues of the lane.
        lane: usize,
        /// Those that are configured.
        configured: usize,
    },
    /// A socket could not be opened.
    #[error("{what} {address}: {error}")]
    Socket {
        /// Which, as the configuration calls it.
        what: String,
        /// Where.
        address: String,
        /// Why.
        error: io::Error,
    },
    /// A thread could not be started.
    #[error("thread {name}: {error}")]
    Thread {
        /// Which.
        name: &'static str,
        /// Why.
        error: io::Error,
    },
    /// Not even the beginning of log or tape could be written.
    #[error("the {name} cannot be written: {error}")]
    File {
        /// Which.
        name: &'static str,
        /// Why.
        error: LogError,
    },
    /// A thread ended on its own.
    #[error("{name} stopped: {error}")]
    Stopped {
        /// Which.
        name: &'static str,
        /// Why.
        error: AgentError,
    },
}

/// What others may do to a running lane, and see of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The shell's, the control socket's, and those that were asked for.
    inboxes: Arc<[Inbox]>,
    kill: KillSwitch,
    over: Stop,
    failing: Stop,
    board: SharedBoard,
    tape: Shared,
    /// The ring of those in other processes.
    shared_tape: Option<Shared>,
}

impl Handle {
    /// Gives the lane a command of the shell's own. False: too many wait already. Kill and release act at once on the shell's switch, and the
    /// lane logs the command when it sees it.
    #[must_use]
    pub fn command(&self, command: impl Into<CommandBuf>) -> bool {
        let command = command.into();
        if command.bytes().is(Word::Kill) {
            self.kill.throw();
        } else if command.bytes().is(Word::Release) {
            self.kill.release();
        } else {
            return self.inboxes.first().is_some_and(|inbox| inbox.push(command).is_ok());
        }
        true
    }

    /// The inbox of a commander: [`Commander::CONTROL`], and those of [`Setup::commanders`].
    #[must_use]
    pub fn inbox(&self, of: Commander) -> Option<&Inbox> {
        self.inboxes.iter().find(|inbox| inbox.from() == of && of != Commander::SHELL)
    }

    /// The shell's kill switch, for a signal handler.
    #[must_use]
    pub fn kill_switch(&self) -> &KillSwitch {
        &self.kill
    }

    /// Is order entry over, after a shutdown or a fault?
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.over.is_stopped()
    }

    /// Does the lane end of itself, as something is gone that it cannot trade without: its log, or the market?
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.is_stopped()
    }

    /// What the tape has said.
    #[must_use]
    pub fn board(&self) -> &SharedBoard {
        &self.board
    }

    /// The tape itself, for readers that come and go: [`BroadcastReader::new`](super::broadcast::BroadcastReader::new).
    #[must_use]
    pub fn tape(&self) -> &Shared {
        &self.tape
    }

    /// How the tape's readers are doing, as far as they have said so; those in other processes, too.
    #[must_use]
    pub fn tape_readers(&self) -> Vec<ReaderState> {
        [Some(&self.tape), self.shared_tape.as_ref()].into_iter().flatten().flat_map(Shared::readers).collect()
    }
}

/// An inbox for each, the shell's first.
fn inboxes(of: Vec<Commander>, capacity: usize, kill: &KillSwitch, board: &SharedBoard) -> Arc<[Inbox]> {
    let mut all = vec![Commander::SHELL, Commander::CONTROL];
    for commander in of {
        if !all.contains(&commander) {
            all.push(commander);
        }
    }
    all.into_iter().map(|from| Inbox::new(from, capacity, kill, board)).collect()
}

/// The wishes of a lane's threads, in the order of their importance.
#[must_use]
pub fn wishes(threads: &ThreadConfig) -> Vec<Wish> {
    wishes_of("", threads)
}

/// The same of one of several lanes, by its name: [`Setup::name`].
#[must_use]
pub fn wishes_of(lane: &str, threads: &ThreadConfig) -> Vec<Wish> {
    let names: &[&'static str] = match threads.layout {
        Layout::Fused => &[LANE],
        Layout::Split => &HALVES,
    };
    let core = |n: usize| threads.cores.get(n).copied().unwrap_or(CoreWish::Auto);
    let wish =
        |(n, name): (usize, &&'static str)| Wish { name: thread_of(lane, name), idle: threads.idle, core: core(n) };
    names.iter().enumerate().map(wish).collect()
}

/// What a thread of a lane is called, in lists and in the plan.
pub(super) fn thread_of(lane: &str, agent: &'static str) -> Cow<'static, str> {
    if lane.is_empty() { Cow::Borrowed(agent) } else { Cow::Owned(format!("{lane}.{agent}")) }
}

/// Each with a stop of its own.
struct Threads {
    feed: Option<Runner<Box<dyn FeedEnd>>>,
    lane: Runner<Box<dyn LaneEnd>>,
}

/// A running lane.
pub struct Live {
    threads: Threads,
    scribes: Scribes,
    handle: Handle,
    clock: Clock,
    shutdown_timeout: Duration,
}

impl core::fmt::Debug for Live {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Live").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// An end that has been begun: see [`Live::begin_end`].
#[derive(Debug)]
pub struct BegunEnd {
    until: Instant,
    /// The lane has been asked.
    asked: bool,
}

/// What a run leaves behind.
pub struct Outcome {
    /// The lane, whole.
    pub lane: Box<dyn Lane>,
    /// What the log's last record says.
    pub summary: FinalBody,
    /// Duty cycles of the lane's threads.
    pub cycles: u64,
    /// Threads that were to be pinned, and were not.
    pub unpinned: Vec<String>,
    /// Why the log ends before the lane did: what came then is in no log.
    pub log_lost: Option<LiveError>,
    /// Why the tape's file ends before the tape does.
    pub tape_lost: Option<LiveError>,
    /// Records that observers were too slow for, all together.
    pub unobserved: u64,
}

impl core::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outcome")
            .field("summary", &self.summary)
            .field("log_lost", &self.log_lost)
            .field("tape_lost", &self.tape_lost)
            .field("unobserved", &self.unobserved)
            .finish_non_exhaustive()
    }
}

/// A live lane whose log and tape have their threads, and whose own agents have none yet: [`start`](Self::start) gives
/// them theirs. Tests drive them by hand.
pub struct Assembled {
    /// The lane's agents.
    pub agents: Agents,
    scribes: Scribes,
    handle: Handle,
    clock: Clock,
    name: String,
}

impl core::fmt::Debug for Assembled {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Assembled").field("handle", &self.handle).finish_non_exhaustive()
    }
}

/// The agents of a lane: of its own type each, and erased once. A duty cycle is one virtual call.
pub struct Agents {
    /// The feed, in layout split.
    pub feed: Option<Box<dyn FeedEnd>>,
    /// The whole lane, or its core: who sends orders, and can cancel them.
    pub lane: Box<dyn LaneEnd>,
}

impl core::fmt::Debug for Agents {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names = (self.feed.as_ref().map(|feed| feed.name()), self.lane.name());
        f.debug_tuple("Agents").field(&names).finish()
    }
}

/// The agent that takes the market in layout split.
pub trait FeedEnd: Agent {
    /// It has stopped: leaves its half of the lane to the [`LaneEnd`], which finishes after it.
    fn hand_over(self: Box<Self>);
}

/// The agent that sends orders.
pub trait LaneEnd: Agent {
    /// It has stopped, and the feed before it: the whole lane again.
    fn finish(self: Box<Self>) -> Finished;
}

/// What the agents leave behind.
#[allow(missing_debug_implementations)] // a lane has none
pub struct Finished {
    lane: Box<dyn Lane>,
    written: Written,
    /// Why there was no market to take any more.
    failed: Option<AgentError>,
}

/// What the agents of a lane are made of besides it: sockets, files, and the ring between the halves in layout split.
#[allow(missing_debug_implementations)] // sockets, some with a secret
pub struct Machinery {
    market: MarketSide,
    core: CoreSide,
    ring: Option<usize>,
    status_every: Nanos,
}

impl Machinery {
    /// The agents of a lane, which must be told that it is one so that it can be had back without its type.
    pub(super) fn agents<W: Wiring + 'static>(self, lane: Gateway<W>) -> Agents
    where
        Gateway<W>: Lane,
        Core<W>: Send,
        <W::Venue as Venue>::Feed: Send,
        W::Probe: Traced,
    {
        let Machinery { market, core, ring: bytes, status_every } = self;
        let Some(bytes) = bytes else {
            return Agents { feed: None, lane: Box::new(FusedAgent::new(lane, market, core)) };
        };
        let (feeds, half) = lane.split();
        let (writer, reader) = ring(bytes);
        let asks = Arc::new(ArrayQueue::new(1));
        let (lost, halves) = (Stop::new(), Halves::default());
        let ends = (lost.clone(), Arc::clone(&halves));
        let feed = FeedAgent::new(feeds, market, writer, Arc::clone(&asks), status_every, ends);
        let lane = CoreAgent::new(half, core, reader, asks, (lost, halves));
        Agents { feed: Some(Box::new(feed)), lane: Box::new(lane) }
    }
}

/// Who writes the log, reads the tape and writes its file, on threads that nap when there is nothing to do.
struct Scribes {
    log: Option<Runner<LogScribe>>,
    tape: Runner<TapeScribe>,
    tape_file: Option<Runner<TapeFile>>,
    readers: Readers,
    handle: Handle,
    /// Records in the tape's file.
    kept: Counter,
}

impl Scribes {
    fn start(
        log: Option<LogScribe>,
        tape: TapeScribe,
        tape_file: Option<TapeFile>,
        readers: Readers,
        (handle, kept, lane): (Handle, Counter, &str),
    ) -> Result<Self, LiveError> {
        let log = log.map(|log| Self::runner(log, lane)).transpose()?;
        let tape_file = tape_file.map(|file| Self::runner(file, lane)).transpose()?;
        Ok(Scribes { log, tape: Self::runner(tape, lane)?, tape_file, readers, handle, kept })
    }

    fn runner<A: Agent + 'static>(agent: A, lane: &str) -> Result<Runner<A>, LiveError> {
        let name = agent.name();
        let runner = Runner::named(&thread_of(lane, name), agent, Idle::Nap, None, Stop::new());
        runner.map_err(|error| LiveError::Thread { name, error })
    }

    fn have_failed(&self) -> bool {
        self.log.as_ref().is_some_and(Runner::is_finished)
    }

    /// Ends the journal in order, and then its readers: what was written last is read.
    fn end(
        self,
        lane: Box<dyn Lane>,
        (journal, lost): Written,
        now: Mono,
        (cycles, unpinned): (u64, Vec<String>),
    ) -> Outcome {
        let (inputs, state) = (lane.inputs(), lane.digest());
        let summary = journal.summary(inputs, state);
        let ended = journal.finish(now, inputs, state);
        let stopped = |name, error: Option<AgentError>| error.map(|error| LiveError::Stopped { name, error });
        let log = self.log.and_then(|log| {
            log.stop();
            let Ended { agent, error, .. } = log.join();
            error.or(agent.failed)
        });
        // Whoever wrote it knows best why it ends.
        let log = log.or(lost.or(ended.err()).map(AgentError::from));
        self.tape.stop();
        let given = self.tape.join().agent.given;
        let unobserved = self.readers.end(&self.handle.tape);
        let board = &self.handle.board;
        let tape_lost = self.tape_file.and_then(|file| end_tape_file(file, given, &self.kept, board));
        Outcome {
            lane,
            summary,
            cycles,
            unpinned,
            log_lost: stopped("log", log),
            tape_lost: stopped("tape", tape_lost),
            unobserved,
        }
    }
}

/// All that is left goes to the file, unless its disk takes nothing: then nobody waits for it for long.
fn end_tape_file(file: Runner<TapeFile>, given: u64, kept: &Counter, board: &SharedBoard) -> Option<AgentError> {
    file.stop();
    let since = Instant::now();
    while !file.is_finished() {
        if since.elapsed() >= Duration::from_nanos(LOG_PATIENCE.0) {
            let mut board = board.lock();
            let error = stuck();
            board.tape_error = Some(error.to_string());
            board.tape_unwritten = given.saturating_sub(kept.value());
            return Some(error.into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let Ended { agent, error, .. } = file.join();
    error.or(agent.failed)
}

impl Assembled {
    /// Opens the sockets, joins the parts, and starts those who write the log and read the tape.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn new(lane: Box<dyn Lane>, config: &LiveConfig, clock: Clock, setup: Setup) -> Result<Self, LiveError> {
        let (has, configured) = (lane.markets().count(), config.net.count());
        if has != configured {
            return Err(LiveError::Addresses { lane: has, configured });
        }
        let Setup { name, kill, logins, log, tape, share, commanders, observers } = setup;
        let board = SharedBoard::default();
        let handle = Handle {
            inboxes: inboxes(commanders, config.commands, &kill, &board),
            kill,
            over: Stop::new(),
            failing: Stop::new(),
            board,
            tape: Shared::new(config.tape_readers),
            shared_tape: share.as_ref().map(|share| share.ring().clone()),
        };
        let market = MarketSide::open(&config.net, |venue| logins.get(venue)?.snapshot.clone(), clock.clone())?;
        let mut journal = Journal::new(lane.number());
        let failed = |name| move |error| LiveError::File { name, error };
        let log = match log {
            None => None,
            Some(Sheet { file, header }) => {
                let (writer, reader) = ring(config.log_ring);
                journal.log_into(Box::new(LogSink::new(writer, handle.kill.clone())), header.effects);
                let file = FileWriter::new(file, Role::Log, &header).map_err(failed("log"))?;
                Some(LogScribe::new(reader, file, handle.board.clone()))
            }
        };
        let (writer, reader) = ring(config.tape_ring);
        let lost = Counter::default();
        journal.tape_into(Box::new(TapeSink::new(writer, lost.clone())));
        let file = tape.map(|Sheet { file, header }| FileWriter::new(file, Role::Tape, &header));
        let (kept, board) = (Counter::default(), handle.board.clone());
        let (to_file, file) = match file.transpose().map_err(failed("tape"))? {
            None => (None, None),
            Some(file) => {
                let (writer, reader) = ring(config.tape_ring);
                (Some(writer), Some(TapeFile::new(reader, file, board.clone(), kept.clone())))
            }
        };
        let readers = Readers::start(observers, &handle.tape)?;
        let tape = TapeScribe::new(reader, to_file, board, BroadcastWriter::new(handle.tape.clone()), share);
        let scribes = Scribes::start(log, tape, file, readers, (handle.clone(), kept, &name))?;
        let core =
            CoreSide::new(config, |venue| logins.get(venue)?.orders.clone(), journal, clock.clone(), &handle, lost);
        let ring = (config.threads.layout == Layout::Split).then_some(config.threads.ring);
        let agents = lane.agents(Machinery { market, core, ring, status_every: config.status_every });
        Ok(Assembled { agents, scribes, handle, clock, name })
    }

    /// What others may do to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Gives the agents their threads.
    ///
    /// # Errors
    /// [`LiveError::Thread`].
    pub fn start(self, config: &LiveConfig, plan: &Plan) -> Result<Live, LiveError> {
        let Assembled { agents, scribes, handle, clock, name: of } = self;
        let Agents { feed, lane } = agents;
        let lane = run(lane, &of, plan)?;
        let threads = Threads { feed: feed.map(|feed| run(feed, &of, plan)).transpose()?, lane };
        let shutdown_timeout = Duration::from_nanos(config.shutdown_timeout.0);
        Ok(Live { threads, scribes, handle, clock, shutdown_timeout })
    }

    /// For those who drove the agents themselves: ends log and tape in order.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn finish(self) -> Result<Outcome, LiveError> {
        let Agents { feed, lane } = self.agents;
        if let Some(feed) = feed {
            feed.hand_over();
        }
        let (name, Finished { lane, written, failed }) = (lane.name(), lane.finish());
        let outcome = self.scribes.end(lane, written, self.clock.now(), (0, Vec::new()));
        failed.map_or(Ok(outcome), |error| Err(LiveError::Stopped { name, error }))
    }
}

/// Gives an agent of a lane its thread.
fn run<A: Agent + 'static>(agent: A, lane: &str, plan: &Plan) -> Result<Runner<A>, LiveError> {
    let name = agent.name();
    let thread = thread_of(lane, name);
    let (idle, core) = plan.seat(&thread).map_or((Idle::Yield, None), |seat| (seat.idle, seat.core));
    Runner::named(&thread, agent, idle, core, Stop::new()).map_err(|error| LiveError::Thread { name, error })
}

impl Live {
    /// Opens the sockets, joins the parts and starts the threads, as `plan` says for [`wishes`].
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn start(
        lane: Box<dyn Lane>,
        config: &LiveConfig,
        clock: Clock,
        setup: Setup,
        plan: &Plan,
    ) -> Result<Self, LiveError> {
        Assembled::new(lane, config, clock, setup)?.start(config, plan)
    }

    /// What others may do to it.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The lane's clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Does the lane end of itself, or has one of its threads, or of those that write for it?
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let feed = self.threads.feed.as_ref().is_some_and(Runner::is_finished);
        self.handle.is_failing() || feed || self.is_dead() || self.scribes.have_failed()
    }

    /// Is there nobody any more who could cancel anything?
    fn is_dead(&self) -> bool {
        self.threads.lane.is_finished()
    }

    /// Cancels what rests, waits for the venue's answers, and logs out, for as long as the configuration allows. False: it
    /// did not come to that in time. `while_waiting` is called now and then.
    pub fn shut_down(&self, mut while_waiting: impl FnMut()) -> bool {
        let mut end = self.begin_end();
        loop {
            if let Some(answered) = self.has_ended(&mut end) {
                return answered;
            }
            while_waiting();
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Begins what [`shut_down`](Self::shut_down) does, for whoever waits for several lanes at once: asks it again and again
    /// whether the lane [`has_ended`](Self::has_ended).
    #[must_use]
    pub fn begin_end(&self) -> BegunEnd {
        BegunEnd { until: Instant::now() + self.shutdown_timeout, asked: false }
    }

    /// `None`: not yet. False: it did not come to an end in its time.
    pub fn has_ended(&self, end: &mut BegunEnd) -> Option<bool> {
        if self.handle.is_over() {
            return Some(true);
        }
        end.asked = end.asked || self.handle.command(Word::Shutdown);
        // In this order: what a thread did last, it did before it ended.
        (self.is_dead() || Instant::now() > end.until).then(|| self.handle.is_over())
    }

    /// Stops the threads, ends log and tape in order, and gives back the lane.
    ///
    /// # Errors
    /// Why a thread stopped before it was told to. The files are then as far as they got. That a file could not be written
    /// is no such error: see [`Outcome`].
    pub fn finish(self) -> Result<Outcome, LiveError> {
        let Live { threads, scribes, clock, .. } = self;
        let mut error = None;
        let (mut cycles, mut unpinned) = (0, Vec::new());
        // One after the other: a feed in the middle of an input may need a core that makes room for the rest of it.
        if let Some(feed) = threads.feed {
            feed.stop();
            let thread = feed.name().to_owned();
            let ended = feed.join();
            let name = ended.agent.name();
            (cycles, unpinned) = (ended.cycles, ended.unpinned.then_some(thread).into_iter().collect());
            // When the feed has lost the market, so has the core; when the core stops, so does the feed.
            let lost = ended.error.filter(|error| !error.is::<crossing::CoreGone>());
            error = lost.map(|error| LiveError::Stopped { name, error });
            ended.agent.hand_over();
        }
        threads.lane.stop();
        let thread = threads.lane.name().to_owned();
        let ended = threads.lane.join();
        let name = ended.agent.name();
        unpinned.extend(ended.unpinned.then_some(thread));
        let Finished { lane, written, failed } = ended.agent.finish();
        let error = error.or(failed.or(ended.error).map(|error| LiveError::Stopped { name, error }));
        let outcome = scribes.end(lane, written, clock.now(), (cycles + ended.cycles, unpinned));
        match error {
            // Without its log it stopped as it should.
            Some(error) if outcome.log_lost.is_none() => Err(error),
            _ => Ok(outcome),
        }
    }
}
