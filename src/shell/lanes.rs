//! Several lanes in one process: each a [`Live`] with its own agents, cores, sockets, log and tape. They share nothing that
//! changes but the general kill switch; what the firm may have is leased to them ([`Firm`]).
//!
//! ```text
//!            ┌─ lane north: its threads, log, tape, inboxes, kill switch ─┐
//!  Lanes ────┼─ lane south: the same of its own                          ─┼─ below the general kill switch
//!    │       └─ ...                                                       ─┘
//!    └─ tend: ends what has failed, drives the owner of the limits
//! ```
//!
//! A lane that fails, or whose venue's day is over, ends alone and in order; the others go on. Whoever runs them calls
//! [`Lanes::tend`] now and then (a few times a second: leases move no faster), and tells no thread of a lane anything but by its
//! inboxes.

use super::clock::Clock;
use super::config::{Config, Fleet};
use super::firm::{Firm, FirmLimits, Lease};
use super::lane::Lane;
use super::live::{BegunEnd, Handle, Live, LiveError, Outcome, Setup, wishes_of};
use super::plan::{Cores, Missing, Plan, PlanError};
use super::sync::KillSwitch;
use crate::base::{Nanos, Notional};
use crate::flow::command::{Commander, To, Word};
use crate::flow::record::StatusBody;
use crate::flow::record::command::Said;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a lane has to take what the owner tells it.
const PATIENCE: Nanos = Nanos::from_secs(5);
/// Between two looks, where this waits itself.
const LOOK: Duration = Duration::from_millis(2);

/// The plan for the threads of all lanes, in the order of the lanes. Missing cores are refused if one lane refuses them.
///
/// # Errors
/// [`PlanError`].
pub fn plan(fleet: &Fleet, cores: &Cores) -> Result<Plan, PlanError> {
    let threads = || fleet.lanes.iter().map(|config| &config.live.threads);
    let missing = threads().map(|threads| threads.missing).find(|missing| *missing == Missing::Refuse);
    let wishes: Vec<_> =
        fleet.lanes.iter().flat_map(|config| wishes_of(&config.lane.name, &config.live.threads)).collect();
    Plan::new(&wishes, cores, missing.unwrap_or_default())
}

/// A lane that is to run.
#[allow(missing_debug_implementations)] // a lane has none
pub struct LaneSetup<'a> {
    /// Its configuration: one of a [`Fleet`]'s.
    pub config: &'a Config,
    /// The lane that it describes.
    pub lane: Box<dyn Lane>,
    /// What it is started with. Name and kill switch are set here.
    pub setup: Setup,
}

/// Why the lanes did not start: one of them did not.
#[derive(Debug, thiserror::Error)]
pub enum LanesError {
    /// A lane did not start.
    #[error("{}{error}", of(lane))]
    Lane {
        /// Its name.
        lane: String,
        /// Why.
        error: LiveError,
    },
    /// The lanes' own limits are more together than the firm's.
    #[error("the lanes have more together than the firm: lower their limits in [risk], or raise those in [firm]")]
    OverFirm,
}

/// Before what is said of a lane; nothing of one that is alone.
fn of(lane: &str) -> String {
    if lane.is_empty() { String::new() } else { format!("lane {lane:?}: ") }
}

/// One of the lanes, for whoever commands and watches them.
#[derive(Clone, Debug)]
pub struct LaneHandle {
    /// Its name; empty where it is alone.
    pub name: String,
    /// Its number in records.
    pub number: u16,
    /// What may be done to it.
    pub handle: Handle,
}

/// What others may do to running lanes, and see of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct LanesHandle {
    members: Arc<[LaneHandle]>,
    kill: KillSwitch,
    firm: Option<Arc<Mutex<Firm>>>,
}

impl LanesHandle {
    /// All lanes, those that have ended too.
    #[must_use]
    pub fn members(&self) -> &[LaneHandle] {
        &self.members
    }

    /// The lane of this name, and its place among the [`members`](Self::members).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &LaneHandle)> {
        self.members.iter().enumerate().find(|(_, member)| member.name == name)
    }

    /// The kill switch of all lanes. Each has one of its own below it: [`Handle::kill_switch`].
    #[must_use]
    pub fn kill_switch(&self) -> &KillSwitch {
        &self.kill
    }

    /// The owner of the firm's limits, if they are leased, until the guard is dropped. No lane waits for it.
    #[must_use]
    pub fn firm(&self) -> Option<MutexGuard<'_, Firm>> {
        self.firm.as_ref().map(|firm| firm.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Hears what the lanes say of their limits, and tells them what the owner wants.
    fn drive(&self, clock: &Clock) {
        let Some(mut firm) = self.firm() else { return };
        for (lane, member) in self.members.iter().enumerate() {
            let Some(inbox) = member.handle.inbox(Commander::OWNER) else { continue };
            let board = member.handle.board().lock();
            let (status, at) = (board.status, board.status_at);
            let ticket = firm.waits_for(lane);
            let answer = ticket.and_then(|ticket| board.answer(Commander::OWNER, ticket)).cloned();
            drop(board);
            if let (Some(ticket), Some(answer)) = (ticket, answer) {
                let why = if answer.why.is_empty() { answer.said.name() } else { &answer.why };
                firm.answered(lane, ticket, answer.at, (answer.said != Said::Taken).then_some(why));
            }
            firm.heard(lane, at, leased(&status), Notional(status.open.get()));
            if let Some(to) = firm.next(lane) {
                let expires = clock.now().after(PATIENCE);
                // A full inbox is tried again.
                if let Ok(ticket) = inbox.send(To::LANE, expires, Word::LaneLimits(to.change())) {
                    firm.sent(lane, to, ticket, expires);
                }
            }
        }
    }
}

/// What a lane says that it may have.
fn leased(status: &StatusBody) -> Lease {
    Lease::new(Notional(status.max_total_open.get()), status.orders_per_second.get(), status.burst.get())
}

/// Why a lane ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It was told to.
    Asked,
    /// Order entry is over: nothing can be traded any more.
    Over,
    /// It could not go on.
    Failed,
}

/// How far a lane is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// It trades.
    Running,
    /// What rests is cancelled, answers are waited for, files ended.
    Ending(Why),
    /// It has ended.
    Ended(Why),
}

/// What a lane leaves behind.
#[derive(Debug)]
pub struct Ended {
    /// Its name.
    pub name: String,
    /// Why it ended.
    pub why: Why,
    /// The venue's answers came in time: none of its orders lives.
    pub answered: bool,
    /// All else. An error: why one of its threads ended of itself.
    pub outcome: Result<Outcome, LiveError>,
}

enum State {
    Running(Live),
    Ending(Live, BegunEnd),
    /// Its files are ended, on a thread that may have to wait for a disk.
    Finishing(JoinHandle<Result<Outcome, LiveError>>),
    Ended(Result<Outcome, LiveError>),
}

struct Place {
    /// `None` within a step alone.
    state: Option<State>,
    why: Why,
    answered: bool,
}

/// Running lanes.
pub struct Lanes {
    places: Vec<Place>,
    handle: LanesHandle,
    clock: Clock,
}

impl core::fmt::Debug for Lanes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lanes").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl Lanes {
    /// Starts all of them, as `plan` says, on one clock; none is told to trade before all are there. `kill` is the switch of all,
    /// and of a lane that is alone. With `firm`, their own limits are the leases that they begin with.
    ///
    /// # Errors
    /// [`LanesError`]: those that had been started are ended again, and nothing of them was sent.
    pub fn start(
        setups: Vec<LaneSetup<'_>>,
        clock: &Clock,
        kill: KillSwitch,
        firm: Option<&FirmLimits>,
        plan: &Plan,
    ) -> Result<Self, LanesError> {
        let leases: Vec<Lease> = setups.iter().map(|setup| Lease::of(setup.lane.gate().limits())).collect();
        let exponent = setups.first().map_or(0, |setup| setup.config.risk.exponent);
        let firm = firm.map(|firm| Firm::new(*firm, exponent, &leases).ok_or(LanesError::OverFirm)).transpose()?;
        let (mut places, mut members) = (Vec::new(), Vec::new());
        for LaneSetup { config, lane, mut setup } in setups {
            let (name, number) = (config.lane.name.clone(), lane.number());
            setup.name.clone_from(&name);
            setup.kill = if name.is_empty() { kill.clone() } else { KillSwitch::below(&kill) };
            setup.commanders.extend(firm.as_ref().map(|_| Commander::OWNER));
            match Live::start(lane, &config.live, clock.clone(), setup, plan) {
                Ok(live) => {
                    members.push(LaneHandle { name, number, handle: live.handle().clone() });
                    places.push(Place { state: Some(State::Running(live)), why: Why::Asked, answered: false });
                }
                Err(error) => {
                    discard(places);
                    return Err(LanesError::Lane { lane: name, error });
                }
            }
        }
        for member in &members {
            let _room = member.handle.command(Word::Start);
        }
        let handle = LanesHandle { members: members.into(), kill, firm: firm.map(|firm| Arc::new(Mutex::new(firm))) };
        Ok(Lanes { places, handle, clock: clock.clone() })
    }

    /// What others may do to them.
    #[must_use]
    pub fn handle(&self) -> &LanesHandle {
        &self.handle
    }

    /// How far a lane is, by its place.
    #[must_use]
    pub fn phase(&self, lane: usize) -> Option<Phase> {
        let place = self.places.get(lane)?;
        Some(match &place.state {
            Some(State::Running(_)) => Phase::Running,
            Some(State::Ending(..) | State::Finishing(_)) => Phase::Ending(place.why),
            Some(State::Ended(_)) | None => Phase::Ended(place.why),
        })
    }

    /// Have all of them ended?
    #[must_use]
    pub fn all_ended(&self) -> bool {
        self.places.iter().all(|place| matches!(place.state, Some(State::Ended(_))))
    }

    /// All that is to be done now: moves leases, ends lanes that cannot go on. Waits for nothing.
    pub fn tend(&mut self) {
        self.handle.drive(&self.clock);
        for (lane, place) in self.places.iter_mut().enumerate() {
            let Some(open) = place.step() else { continue };
            if let Some(mut firm) = self.handle.firm() {
                firm.ended(lane, open);
            }
        }
    }

    /// Ends all that still run: at once, each within its own time.
    pub fn end(&mut self) {
        for place in &mut self.places {
            place.end(Why::Asked);
        }
    }

    /// Ends all that still run, waits for them, and says what each leaves behind.
    #[must_use]
    pub fn finish(mut self) -> Vec<Ended> {
        self.end();
        while !self.all_ended() {
            self.tend();
            std::thread::sleep(LOOK);
        }
        let Lanes { places, handle, .. } = self;
        let ended = |(place, member): (Place, &LaneHandle)| {
            let Place { state: Some(State::Ended(outcome)), why, answered } = place else { return None };
            Some(Ended { name: member.name.clone(), why, answered, outcome })
        };
        places.into_iter().zip(handle.members()).filter_map(ended).collect()
    }
}

/// Of a start that came to nothing: nobody was told to trade.
fn discard(places: Vec<Place>) {
    for place in places {
        if let Some(State::Running(live)) = place.state {
            let _nothing_came_of_it = live.finish();
        }
    }
}

impl Place {
    fn end(&mut self, why: Why) {
        self.state = match self.state.take() {
            Some(State::Running(live)) => {
                self.why = why;
                let end = live.begin_end();
                Some(State::Ending(live, end))
            }
            other => other,
        };
    }

    /// The next step, if it is time for one. Something: it has ended, and has so much open, if that can be told.
    fn step(&mut self) -> Option<Option<Notional>> {
        let why = match &self.state {
            Some(State::Running(live)) if live.has_failed() => Some(Why::Failed),
            Some(State::Running(live)) if live.handle().is_over() => Some(Why::Over),
            _ => None,
        };
        if let Some(why) = why {
            self.end(why);
        }
        let mut ended = None;
        self.state = match self.state.take() {
            Some(State::Ending(live, mut end)) => match live.has_ended(&mut end) {
                None => Some(State::Ending(live, end)),
                Some(answered) => {
                    self.answered = answered;
                    Some(finishing(live))
                }
            },
            Some(State::Finishing(thread)) if thread.is_finished() => {
                let outcome = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                ended = Some(outcome.as_ref().ok().and_then(left_open));
                Some(State::Ended(outcome))
            }
            other => other,
        };
        ended
    }
}

fn finishing(live: Live) -> State {
    let (to, from) = std::sync::mpsc::channel();
    let thread = std::thread::Builder::new().name("finish".to_owned()).spawn(move || {
        let live: Live = from.recv().expect("it is sent before anything else is done");
        live.finish()
    });
    match thread {
        Ok(thread) => {
            let _taken = to.send(live);
            State::Finishing(thread)
        }
        // Then whoever asked waits.
        Err(_) => State::Ended(live.finish()),
    }
}

/// What a lane has open at its end; nothing is known where orders of earlier runs may live.
fn left_open(outcome: &Outcome) -> Option<Notional> {
    (outcome.lane.orders().orphan_count() == 0).then(|| outcome.lane.gate().ledger().open())
}
