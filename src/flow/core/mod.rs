//! From a message in order to the bytes of an order: decode, book, decide, gate, send.

use super::action::{Action, Cancel, CancelToken, Change, Enter, Happening, MassCancel, Replace, Tags};
use super::book::{Applied, BookFault, Books, OwnMatch, STALE_REASONS, Scope, StaleReason};
use super::entry::{Away, OrderEntry, Refused, Stage as EntryStage};
use super::event::{Event, EventKind, Status};
use super::feed::{Feed, Notice, Release};
use super::market::{MarketLine, NoEvent};
use super::orders::{Anomaly, AnomalyKind, Order, Orders, Report, Sweep, Which};
use super::outbox::{Outbox, Progress};
use super::record::{self, Alert, AlertBody, AnomalyBody, BookEventBody, DecisionBody, Kind, OrderBody, TopBody};
use super::risk::{Facts, Gate, OrderFacts, Refusal};
use super::session::SessionInput;
use super::signal::{Said, Signal};
use super::strategy::{Actions, Sources, Strategy, View};
use super::trading::Trading;
use super::wiring::{Parts, Policy, Probe, Stage, Wiring};
use super::{Command, Input, Machine, UtcOffset};
use crate::base::{
    ClientId, ExchangeTime, Instrument, InstrumentId, InstrumentTable, Mono, Nanos, SessionId, Side, Token, VenueId,
    VenueRef, counters,
};
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{I64, U16, U32, U64};

mod sending;
mod tape;
#[cfg(test)]
mod tests;

counters! {
    /// What the core has counted. Books, orders, gate and entry count their own.
    pub struct CoreCounters {
        /// Live messages taken.
        pub messages: u64,
        /// Messages of snapshots taken.
        pub snapshot_messages: u64,
        /// Messages of a type that this build does not know.
        pub unknown_type: u64,
        /// Messages of a known type with a wrong length.
        pub bad_length: u64,
        /// Messages with an impossible field.
        pub bad_field: u64,
        /// Messages about instruments that are not followed.
        pub untracked: u64,
        /// Messages about new instruments for which there was no room.
        pub instruments_full: u64,
        /// Enters that left.
        pub entered: u64,
        /// Replaces that left.
        pub replaced: u64,
        /// Cancels that left.
        pub cancelled: u64,
        /// Fills. What was broken or corrected later stays one.
        pub fills: u64,
        /// Own orders that the book had no room to mark.
        pub own_full: u64,
        /// Actions that strategies asked for beyond what one call may ask.
        pub actions_dropped: u64,
        /// Times that trading was stopped because the venue said what cannot be.
        pub stops: u64,
        /// Events after which a book that is otherwise fit to trade on was locked or crossed.
        pub crossed: u64,
        /// Deadlines of strategies and signals that stood still.
        pub stuck: u64,
        /// Tape records that signals wrote beyond what one call may write.
        pub said_dropped: u64,
        /// Requests that left and could not be held in the order table.
        pub faults: u64,
    }
}

/// The second machine of a lane. For each input, in the order of the log: [`begin`](Self::begin), then
/// [`run`](Self::run) until it is done; for each release of the feed's, [`on_release`](Self::on_release) and `run` until
/// it is done. [`Gateway`](super::Gateway) does so on one core; in layout `split` the shell does, on another core than
/// the feed's.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Core<W: Wiring> {
    market: W::Market,
    instruments: InstrumentTable,
    books: Books,
    trading: Trading,
    signal: W::Signal,
    strategy: W::Strategy,
    gate: Gate,
    orders: Orders,
    entry: W::Entry,
    probe: W::Probe,
    policy: Policy,
    tags: Tags,
    lane: u16,
    venue: VenueId,
    /// Number of the current input, and the lane's clock at it.
    input: u64,
    now: Mono,
    /// Universal time, once somebody has said how it and the lane's clock differ.
    utc: Option<UtcOffset>,
    /// Bytes of the current order-entry input that were taken.
    taken: usize,
    /// The exchange's latest stamp.
    at: ExchangeTime,
    /// What the strategies have asked for, and how much of it the gate has judged.
    actions: Actions,
    judged: usize,
    /// A walk over the live orders that cancels those that may not rest any more.
    sweep: Option<Sweep>,
    enabled: bool,
    /// The shell does not take the market for now.
    held: bool,
    /// Stopped, until somebody enables it, because the venue said what cannot be.
    stopped: bool,
    /// Kinds of such things that were told of since, a bit each.
    told: u32,
    was_ready: bool,
    was_away: Away,
    was_over: bool,
    want_snapshot: bool,
    /// A message of the snapshot that is being read contradicted those before it.
    snapshot_contradicts: bool,
    /// The next instrument whose strategies are to be told that fitness to trade may have changed.
    news: Option<InstrumentId>,
    /// Timers of strategies in a row after which the next deadline was not later.
    standing: usize,
    /// The signals' deadline stood still: it is not kept until somebody enables the lane again.
    signals_stuck: bool,
    /// Something happened that [`Core::on_due`] must look at.
    due: bool,
    counters: CoreCounters,
}

/// How many actions strategies may ask for in one call.
const ACTIONS: usize = 32;

/// What one step writes at most: a sale in two parts (each its message, the order's step, the decision), what the session
/// adds of its own, what is said about all that, and what signals say.
const MOST: usize = 4 * (Outbox::HEADER + Outbox::MESSAGE) + (16 + Said::MOST as usize) * (Outbox::HEADER + RECORD);
/// The longest record of the tape.
const RECORD: usize = size_of::<record::RecordHeader>() + size_of::<OrderBody>();
const _: () = assert!(MOST <= Outbox::STEP);
const OTHERS: [usize; 4] =
    [size_of::<BookEventBody>(), size_of::<TopBody>(), size_of::<AlertBody>(), size_of::<DecisionBody>()];
const _: () = assert!(OTHERS[0] <= size_of::<OrderBody>() && OTHERS[1] <= size_of::<OrderBody>());
const _: () = assert!(OTHERS[2] <= size_of::<OrderBody>() && OTHERS[3] <= size_of::<OrderBody>());

/// How long a cancel that nobody answered is waited for before another is sent.
const PATIENCE: Nanos = Nanos::from_secs(1);

impl<W: Wiring> Core<W> {
    /// The core, and the feed that goes before it.
    pub(super) fn new(parts: Parts<W>) -> (Feed<W::Market>, Self) {
        let mut core = Core {
            books: parts.books,
            market: parts.market,
            instruments: parts.instruments,
            trading: parts.trading,
            signal: parts.signal,
            strategy: parts.strategy,
            gate: parts.gate,
            orders: parts.orders,
            entry: parts.entry,
            probe: parts.probe,
            policy: parts.policy,
            tags: parts.tags,
            lane: parts.lane,
            venue: parts.venue,
            input: 0,
            now: Mono(0),
            utc: None,
            taken: 0,
            at: ExchangeTime(0),
            actions: Actions::new(ACTIONS).numbered_from(parts.tags.strategy),
            judged: 0,
            sweep: None,
            enabled: true,
            held: false,
            stopped: false,
            told: 0,
            was_ready: false,
            was_away: Away::Closed,
            was_over: false,
            want_snapshot: false,
            snapshot_contradicts: false,
            news: None,
            standing: 0,
            signals_stuck: false,
            due: false,
            counters: CoreCounters::default(),
        };
        core.gate.number_strategies(core.tags.strategy, Self::STRATEGIES);
        // Until the feed hears a line, as it will say.
        core.books.mark_stale(Scope::All, StaleReason::Silent);
        (parts.feed, core)
    }

    // ---- what the gateway calls ------------------------------------------------------------------------------------

    /// A new input: numbered, timed, and what is the core's of it begun. Time never runs backwards here, though the
    /// machines' inputs each have their own clock reading: what the feed saw may reach the core behind a later input.
    #[inline]
    pub fn begin(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) {
        self.input = self.input.wrapping_add(1);
        self.now = self.now.max(now);
        self.probe.begin(now);
        self.taken = 0;
        if input.machine() != Machine::Core {
            return;
        }
        out.towards(VenueId::FIRST);
        match input {
            Input::Session(_, _, input) => self.taken = self.on_session(self.now, input, out),
            Input::Command(command) => self.on_command(self.now, command, out),
            Input::Timer(_) => self.on_timer(self.now, out),
            Input::Clock(offset) => self.utc = Some(offset),
            Input::Packet(..) => {}
        }
    }

    /// What the feed released of the input. What it begins is finished by [`run`](Self::run).
    #[inline]
    pub fn on_release(&mut self, release: Release<'_>, out: &mut Outbox) {
        match release {
            Release::Message { bytes, arrived, .. } => {
                self.probe.message(arrived);
                self.on_message(self.now, bytes, out);
            }
            Release::Snapshot { bytes } => self.on_snapshot_message(bytes, out),
            Release::Notice(notice) => self.on_notice(notice, out),
        }
    }

    /// Finishes what the input or the last release of it began. Answers [`Progress::Again`] when it is to be called
    /// again with the same input, after the outbox was drained; then the next release, or the next input.
    #[inline]
    pub fn run(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        for _ in 0..super::STEPS_PER_CALL {
            if !out.has_room() {
                return Progress::Again;
            }
            if !self.step(self.now, out) && !self.take_more(self.now, input, out) {
                return Progress::Done;
            }
        }
        Progress::Again
    }

    /// One thing that was left to do before the next message: an action to judge, a report of the venue, an order to
    /// cancel, a snapshot to ask for. False: nothing was.
    #[inline]
    fn step(&mut self, now: Mono, out: &mut Outbox) -> bool {
        if self.judged < self.actions.list().len() {
            self.judge(now, out);
            return true;
        }
        if let Some(report) = self.entry.next_report(now, out) {
            self.on_report(now, &report, out);
            return true;
        }
        self.due && self.on_due(now, out)
            || self.sweep.is_some() && self.sweep_one(now, out)
            || self.orders.is_incomplete(self.venue) && self.cancel_orphan(now, out)
            || self.news.is_some() && self.tell_next(now)
            || core::mem::take(&mut self.want_snapshot) && out.snapshot()
    }

    /// The next bytes of an order-entry session that could not take all at once.
    fn take_more(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> bool {
        let Input::Session(_, SessionId::ORDERS, input) = input else { return false };
        let (SessionInput::Bytes(bytes) | SessionInput::Dropped(bytes)) = input else { return false };
        let rest = bytes.get(self.taken..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        let rest = match input {
            SessionInput::Dropped(_) => SessionInput::Dropped(rest),
            _ => SessionInput::Bytes(rest),
        };
        let taken = self.on_session(now, rest, out);
        self.taken = self.taken.saturating_add(taken);
        taken > 0
    }

    /// An input of the order-entry session; how many of its bytes were taken. The rest is for later, after the reports
    /// in these are worked through.
    fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) -> usize {
        self.due = true;
        let SessionInput::Dropped(frames) = input else { return self.entry.on_session(now, input, out) };
        // The shell's kill switch took these out: the venue never sees them, their exposure is free again.
        let mut rest = frames;
        let report = self.entry.dropped(&mut rest);
        if let Some(report) = &report {
            self.on_report(now, report, out);
        }
        if report.is_some() { frames.len().saturating_sub(rest.len()) } else { frames.len() }
    }

    fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        self.entry.on_timer(now, out);
        self.due = true;
        // Before the strategies, who read them.
        if self.signal_deadline() <= now {
            self.on_signal_timer(now, out);
        }
        if let Some((at, id)) = self.strategy_deadline()
            && at <= now
        {
            self.call(now, id, |strategy, view, ask| strategy.on_timer(id, view, ask));
            self.look_at_deadline(at, id, out);
        }
    }

    /// The signals' own deadline has come. One that stands still would be due for ever.
    fn on_signal_timer(&mut self, now: Mono, out: &mut Outbox) {
        let at = self.signal.next_deadline();
        let mut said = Said::new(out, self.lane, self.input, now, self.at);
        self.signal.on_timer(now, &self.books, &mut said);
        let dropped = said.dropped();
        self.counters.said_dropped = self.counters.said_dropped.wrapping_add(dropped);
        if self.signal.next_deadline() <= at {
            self.signals_stuck = true;
            self.stuck(at, None, out);
        }
    }

    /// Strategies that stand still, or whose signals do, are stopped.
    fn stuck(&mut self, at: Mono, of: Option<InstrumentId>, out: &mut Outbox) {
        self.counters.stuck = self.counters.stuck.wrapping_add(1);
        self.enabled = false;
        self.begin_sweep();
        self.alert(Alert::Stuck, of, at.0, u64::from(of.is_none()), out);
    }

    /// After the timer of `at` and `id`: does time move on for the strategies? A deadline that stands still, or whose
    /// instrument has no row so that nobody can be called, is due for ever.
    fn look_at_deadline(&mut self, at: Mono, id: InstrumentId, out: &mut Outbox) {
        let next = self.strategy_deadline();
        if next.is_none_or(|(next, _)| next > at) {
            self.standing = 0;
            return;
        }
        self.standing = self.standing.saturating_add(1);
        // As many may be due at one time as there are instruments, for each strategy.
        let most = self.instruments.rows().len().saturating_mul(usize::from(Self::STRATEGIES));
        if next == Some((at, id)) || self.standing > most {
            self.standing = 0;
            self.stuck(at, Some(id), out);
        }
    }

    const STRATEGIES: u16 = <W::Strategy as Strategy<W::Signal>>::COUNT;

    /// Tells the strategies of the next instrument that it may be fit to trade on now, or not any more. False: all are
    /// told.
    #[cold]
    fn tell_next(&mut self, now: Mono) -> bool {
        let Some(id) = self.news.take() else { return false };
        if !self.acts() || id.0 as usize >= self.instruments.rows().len() {
            return false;
        }
        self.news = Some(InstrumentId(id.0.saturating_add(1)));
        self.call(now, id, |strategy, view, ask| strategy.on_notice(id, view, ask));
        true
    }

    /// All strategies are to be told.
    fn tell_all(&mut self) {
        self.news = Some(InstrumentId(0));
    }

    fn on_command(&mut self, now: Mono, command: Command, out: &mut Outbox) {
        match command {
            Command::Kill => {
                self.gate.kill();
                self.alert(Alert::Killed, None, 0, 0, out);
            }
            Command::Release => {
                self.gate.release();
                self.alert(Alert::Released, None, 0, 0, out);
            }
            Command::Enable => {
                self.enabled = true;
                self.stopped = false;
                self.signals_stuck = false;
                self.told = 0;
            }
            Command::Disable => self.enabled = false,
            Command::Hold => self.held = true,
            Command::Resume => self.held = false,
            Command::Shutdown => {
                self.enabled = false;
                self.entry.shutdown(now, out);
            }
            Command::Start => self.entry.start(now, out),
            // The feed's.
            Command::Snapshot(_) => {}
        }
        if matches!(command, Command::Kill | Command::Release | Command::Enable | Command::Resume) {
            self.tell_all();
        }
        self.begin_sweep();
        self.due = true;
        self.call_all(now, |strategy, view, ask| strategy.on_command(&command, view, ask));
        if !self.acts() {
            self.actions.clear();
        }
    }

    /// When the core is due.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let strategy = self.strategy_deadline().map_or(Mono::NEVER, |(at, _)| at);
        let sweep = self.sweep.as_ref().map_or(Mono::NEVER, Sweep::next_deadline);
        // What can't be cancelled yet is waited for in vain.
        let orphan = if self.knows_all() { self.orders.orphan_deadline(self.venue) } else { Mono::NEVER };
        let signal = self.signal_deadline();
        self.entry.next_deadline().min(self.orders.next_deadline()).min(strategy).min(signal).min(sweep).min(orphan)
    }

    /// What the signals wait for. They hear the market while the strategies are stopped, and so have their timers; while the
    /// lane is held, neither.
    #[inline]
    fn signal_deadline(&self) -> Mono {
        if self.held || self.signals_stuck { Mono::NEVER } else { self.signal.next_deadline() }
    }

    /// May strategies act?
    #[inline]
    fn acts(&self) -> bool {
        self.enabled && !self.held
    }

    /// What the strategy waits for. One that is stopped waits for nothing.
    fn strategy_deadline(&self) -> Option<(Mono, InstrumentId)> {
        if self.acts() { self.strategy.next_deadline() } else { None }
    }

    // ---- the market ------------------------------------------------------------------------------------------------

    #[inline]
    fn on_message(&mut self, now: Mono, bytes: &[u8], out: &mut Outbox) {
        self.counters.messages = self.counters.messages.wrapping_add(1);
        match self.market.decode(bytes, &mut self.instruments) {
            Ok(event) => {
                self.probe.pass(Stage::Decoded);
                self.on_event(now, &event, out);
            }
            Err(why) => self.skip(why, bytes, out),
        }
    }

    /// One normalised event: the way in for a backtest on history that has no bytes.
    #[inline]
    pub fn on_event(&mut self, now: Mono, event: &Event, out: &mut Outbox) {
        self.at = event.at;
        let applied = self.take_in(event, out);
        self.probe.pass(Stage::Booked);
        // Without an instrument, the event is about the whole market: no book to decide on.
        let Some(id) = applied.instrument.or(event.instrument) else { return };
        if self.policy.tape_events {
            self.tape_event(id, event, out);
        }
        if applied.top_changed {
            if self.policy.tape_tops {
                self.tape_top(id, out);
            }
            if self.books.view(id).is_crossed() {
                self.note_crossed(id);
            }
        }
        let mut said = Said::new(out, self.lane, self.input, now, event.at);
        self.signal.on_event(now, id, event, self.books.view(id), &mut said);
        let dropped = said.dropped();
        self.counters.said_dropped = self.counters.said_dropped.wrapping_add(dropped);
        if self.acts() {
            self.call(now, id, |strategy, view, ask| strategy.on_event(id, event, view, ask));
            self.probe.pass(Stage::Decided);
        }
    }

    #[cold]
    fn note_crossed(&mut self, id: InstrumentId) {
        if self.books.freshness(id).is_fresh() && self.trading.tradable(id, self.at).is_ok() {
            self.counters.crossed = self.counters.crossed.wrapping_add(1);
        }
    }

    /// Book and trading state take an event in, on the live path and from a snapshot alike.
    #[inline]
    fn take_in(&mut self, event: &Event, out: &mut Outbox) -> Applied {
        if let EventKind::Status(status) = &event.kind {
            self.trading.apply(event.at, event.instrument, status);
            match (event.instrument, status) {
                (Some(id), Status::Directory { lot, .. }) => self.instruments.revise(id, lot.0),
                (Some(_), _) => {}
                (None, _) => self.tell_all(),
            }
            if self.policy.cancel_when_untradable {
                self.begin_sweep();
            }
            return Applied::default();
        }
        let Some(id) = event.instrument else { return Applied::default() };
        let applied = self.books.apply(id, &event.kind);
        if let Some((client, touch)) = applied.own
            && touch.is_last()
            && !self.is_live(client)
        {
            self.books.own_remove(VenueRef(order_of(&event.kind)));
        }
        if let Some(fault) = applied.fault {
            let order = order_of(&event.kind);
            if !self.books.freshness(id).has(StaleReason::Snapshot) {
                self.alert(Alert::BookFault, Some(id), order, fault as u64, out);
                self.became_stale(true);
            } else if !matches!(fault, BookFault::OrdersFull | BookFault::LevelsFull) {
                // Between a torn snapshot and the next one, every message is about orders that are not there; within a
                // snapshot, it is the snapshot that is wrong. (One that does not fit would not fit again.)
                self.snapshot_contradicts = true;
            }
        }
        applied
    }

    #[cold]
    fn skip(&mut self, why: NoEvent, bytes: &[u8], out: &mut Outbox) {
        let kind = u64::from(bytes.first().copied().unwrap_or_default());
        let counter = match why {
            NoEvent::UnknownType(_) => &mut self.counters.unknown_type,
            NoEvent::BadLength(_) => &mut self.counters.bad_length,
            NoEvent::BadField(_) => &mut self.counters.bad_field,
            NoEvent::Untracked => &mut self.counters.untracked,
            NoEvent::InstrumentsFull => &mut self.counters.instruments_full,
        };
        *counter = counter.wrapping_add(1);
        let code = match why {
            NoEvent::Untracked => return,
            NoEvent::UnknownType(_) => 1,
            NoEvent::BadLength(_) => 2,
            NoEvent::BadField(_) => 3,
            NoEvent::InstrumentsFull => 4,
        };
        let instrument = W::Market::locate(bytes).and_then(|l| self.market.instrument(l));
        self.alert(Alert::Skipped, instrument, kind, code, out);
        // What is malformed was not applied: the books that it was about are not the venue's any more. An unknown
        // type makes nothing stale.
        if matches!(why, NoEvent::BadLength(_) | NoEvent::BadField(_)) {
            self.books.mark_stale(instrument.map_or(Scope::All, Scope::One), StaleReason::Malformed);
            self.became_stale(true);
        }
    }

    fn on_snapshot_message(&mut self, bytes: &[u8], out: &mut Outbox) {
        self.counters.snapshot_messages = self.counters.snapshot_messages.wrapping_add(1);
        match self.market.decode(bytes, &mut self.instruments) {
            Ok(event) => {
                self.take_in(&event, out);
            }
            Err(why) => self.skip(why, bytes, out),
        }
    }

    fn on_notice(&mut self, notice: Notice, out: &mut Outbox) {
        match notice {
            Notice::GapOpened { first } => {
                self.books.mark_stale(Scope::All, StaleReason::Gap);
                self.became_stale(false);
                self.alert(Alert::GapOpened, None, first, 0, out);
            }
            Notice::GapClosed => {
                self.books.heal(Scope::All, StaleReason::Gap);
                self.tell_all();
                self.alert(Alert::GapClosed, None, 0, 0, out);
            }
            Notice::Lost { first, count, locate } => {
                let one = locate.and_then(|l| self.market.instrument(l));
                self.books.mark_stale(one.map_or(Scope::All, Scope::One), StaleReason::Malformed);
                self.became_stale(true);
                self.alert(Alert::Lost, one, first, count, out);
            }
            Notice::Joined { first } => {
                self.books.mark_stale(Scope::All, StaleReason::Malformed);
                self.became_stale(true);
                self.alert(Alert::Joined, None, first, 0, out);
            }
            Notice::SnapshotBegin => {
                // What was damaged is gone with the books. A gap is the feed's to close.
                self.books.clear();
                for reason in [StaleReason::Malformed, StaleReason::Fault, StaleReason::Full] {
                    self.books.heal(Scope::All, reason);
                }
                self.books.mark_stale(Scope::All, StaleReason::Snapshot);
                self.trading.before_snapshot();
                self.snapshot_contradicts = false;
                self.became_stale(false);
                self.alert(Alert::SnapshotBegin, None, 0, 0, out);
            }
            Notice::SnapshotEnd { next } => {
                self.trading.after_snapshot();
                self.forget_dead_marks();
                // A book that the snapshot itself contradicted, or that had no room for it, stays stale.
                self.books.heal(Scope::All, StaleReason::Snapshot);
                self.want_snapshot = self.snapshot_contradicts && self.policy.snapshot_on_fault;
                self.begin_sweep();
                self.tell_all();
                self.alert(Alert::SnapshotEnd, None, next, 0, out);
            }
            Notice::SnapshotFailed { why, next } => self.alert(Alert::SnapshotFailed, None, why as u64, next, out),
            Notice::SnapshotAhead { next, lines } => self.alert(Alert::SnapshotAhead, None, next, lines, out),
            Notice::SessionChanged => {
                self.market.reset();
                self.books.clear();
                self.trading.reset();
                self.forget_dead_marks();
                for reason in STALE_REASONS {
                    self.books.heal(Scope::All, reason);
                }
                // Until its numbers are believed.
                self.books.mark_stale(Scope::All, StaleReason::Silent);
                self.begin_sweep();
                self.tell_all();
                self.alert(Alert::SessionChanged, None, 0, 0, out);
            }
            Notice::EndOfSession => self.nobody_speaks(Alert::EndOfSession, 0, false, out),
            Notice::SessionGoesOn => {
                self.books.heal(Scope::All, StaleReason::Silent);
                self.tell_all();
                self.alert(Alert::SessionGoesOn, None, 0, 0, out);
            }
            Notice::MarketSilent { next, heard } => self.nobody_speaks(Alert::MarketSilent, next, heard, out),
            Notice::MarketBack { next, said } => {
                self.books.heal(Scope::All, StaleReason::Silent);
                self.tell_all();
                if said {
                    self.alert(Alert::MarketBack, None, next, 0, out);
                }
            }
            Notice::JumpDropped { number, next, damaged } => {
                if damaged {
                    self.books.mark_stale(Scope::All, StaleReason::Malformed);
                    self.became_stale(true);
                }
                self.alert(Alert::JumpDropped, None, number, next, out);
            }
            Notice::LinesDiffer { sequence, line } => {
                self.alert(Alert::LinesDiffer, None, sequence, u64::from(line.0), out);
            }
            Notice::Overrun => {
                self.books.mark_stale(Scope::All, StaleReason::Malformed);
                self.became_stale(true);
                self.alert(Alert::FeedOverrun, None, 0, 0, out);
            }
            Notice::LineSilent(line) => self.alert(Alert::LineSilent, None, u64::from(line.0), 0, out),
            Notice::LineBack(line) => self.alert(Alert::LineBack, None, u64::from(line.0), 0, out),
        }
    }

    /// No book can be trusted until someone speaks for the market again.
    fn nobody_speaks(&mut self, alert: Alert, next: u64, heard: bool, out: &mut Outbox) {
        self.books.mark_stale(Scope::All, StaleReason::Silent);
        self.became_stale(false);
        self.alert(alert, None, next, u64::from(heard), out);
    }

    /// Some book can't be trusted any more. A gap the feed heals by itself; damage only a snapshot does.
    fn became_stale(&mut self, damaged: bool) {
        self.begin_sweep();
        self.tell_all();
        self.want_snapshot |= damaged && self.policy.snapshot_on_fault;
    }

    /// Marks of finished orders that waited for a feed that has been replaced by a snapshot or another session.
    fn forget_dead_marks(&mut self) {
        let orders = &self.orders;
        self.books.own_forget(|client| orders.get(client).is_none_or(|order| !order.is_live()));
    }

    /// May the order still do something?
    fn is_live(&self, client: ClientId) -> bool {
        self.orders.get(client).is_some_and(Order::is_live)
    }

    /// Looks at every live order: may it rest?
    fn begin_sweep(&mut self) {
        self.sweep = Some(Sweep::new(Which::All, PATIENCE));
    }

    // ---- what others may look at -----------------------------------------------------------------------------------

    /// Instruments.
    #[must_use]
    pub fn instruments(&self) -> &InstrumentTable {
        &self.instruments
    }

    /// Books.
    #[must_use]
    pub fn books(&self) -> &Books {
        &self.books
    }

    /// Trading state.
    #[must_use]
    pub fn trading(&self) -> &Trading {
        &self.trading
    }

    /// The gate and its ledger.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Orders.
    #[must_use]
    pub fn orders(&self) -> &Orders {
        &self.orders
    }

    /// Order entry.
    #[must_use]
    pub fn entry(&self) -> &W::Entry {
        &self.entry
    }

    /// May orders be sent: is order entry ready, and everything known that lives at the venue?
    #[inline]
    #[must_use]
    pub fn ready(&self) -> bool {
        self.entry.ready() && !self.orders.is_incomplete(self.venue)
    }

    /// Why not, while they may not.
    #[must_use]
    pub fn away(&self) -> Away {
        // `Opening` is also what an entry says that has nothing to complain of.
        match self.entry.away() {
            Away::Opening if self.knows_all() && self.orders.is_incomplete(self.venue) => Away::Incomplete,
            why => why,
        }
    }

    /// The probe: for the shell. Nothing in the lane reads it.
    #[must_use]
    pub fn probe(&self) -> &W::Probe {
        &self.probe
    }

    /// The probe, to be emptied.
    pub fn probe_mut(&mut self) -> &mut W::Probe {
        &mut self.probe
    }

    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &CoreCounters {
        &self.counters
    }

    /// Is trading stopped because the venue said what cannot be?
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.stopped
    }

    /// The lane's number.
    #[must_use]
    pub fn lane(&self) -> u16 {
        self.lane
    }

    /// Inputs consumed.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        self.input
    }

    /// The exchange's latest stamp.
    #[must_use]
    pub fn exchange_time(&self) -> ExchangeTime {
        self.at
    }
}

crate::state! {
    [W: Wiring] Core[W] {
        market, instruments, books, trading, signal, strategy, gate, orders, entry, input, now, utc, taken, at, actions, judged,
        sweep, enabled, held, stopped, told, was_ready, was_away, was_over, want_snapshot, snapshot_contradicts, news,
        standing, signals_stuck, due, counters,
    } without { probe, policy, tags, lane, venue }
}

/// The reference of the order that an event is about, 0 for none.
fn order_of(kind: &EventKind) -> u64 {
    match kind {
        EventKind::Add { order, .. }
        | EventKind::Execute { order, .. }
        | EventKind::Reduce { order, .. }
        | EventKind::Delete { order }
        | EventKind::Replace { order, .. } => order.0,
        _ => 0,
    }
}
