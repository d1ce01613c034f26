//! From a message in order to the bytes of an order: decode, book, decide, gate, send.

use super::action::{Action, Cancel, CancelToken, Change, Enter, Happening, MassCancel, Replace, Tags};
use super::book::{Applied, BookFault, BookRef, Books, OwnMatch, STALE_REASONS, Scope, StaleReason};
use super::entry::{Away, OrderEntry, Refused, Stage as EntryStage};
use super::event::{Event, EventKind, Status};
use super::feed::{Notice, Release};
use super::market::{MarketLine, NoEvent};
use super::orders::{Anomaly, AnomalyKind, Order, Orders, Orphan, Report, Sweep, Which};
use super::outbox::{Outbox, Progress};
use super::record::{self, Alert, AlertBody, AnomalyBody, BookEventBody, DecisionBody, Kind, OrderBody, TopBody};
use super::risk::{Approvals, Approved, Facts, Gate, MarkedEnter, OrderFacts, Refusal};
use super::session::SessionInput;
use super::signal::{Said, Signal};
use super::strategy::{Actions, Sources, Strategy, View};
use super::venue::{Feeds, MarketState, Markets, Venue, VenueParts};
use super::wiring::{Mark, Parts, Policy, Probe, Wiring};
use super::{FeedsOf, Input, Machine, UtcOffset};
use crate::base::{
    ClientId, ExchangeTime, Instrument, InstrumentId, InstrumentTable, Mono, Name, Nanos, PerVenue, SessionId, Side,
    Token, VenueId, VenueRef, VenueSet, counters,
};
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{I64, U16, U32, U64};

mod commands;
mod hints;
mod market;
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
        /// Inputs of venues that the lane has not.
        pub elsewhere: u64,
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
        /// Commands that were taken.
        pub commands_taken: u64,
        /// Commands that came too late.
        pub commands_expired: u64,
        /// Commands that this build does not know.
        pub commands_unknown: u64,
        /// Commands that were rejected.
        pub commands_rejected: u64,
    }
}

/// The second machine of a lane. For each input, in the order of the log: [`begin`](Self::begin), then
/// [`run`](Self::run) until it is done; for each release of the feed's, [`on_release`](Self::on_release) and `run` until
/// it is done. [`Gateway`](super::Gateway) does so on one core; in layout `split` the shell does, on another core than
/// the feed's.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Core<W: Wiring> {
    instruments: InstrumentTable,
    /// What is known of each venue's market, and what leads there.
    markets: PerVenue<MarketState>,
    ends: PerVenue<Ends<W::Venue>>,
    signal: W::Signal,
    strategy: W::Strategy,
    gate: Gate,
    orders: Orders,
    probe: W::Probe,
    policy: Policy,
    tags: Tags,
    lane: u16,
    /// Number of the current input, and the lane's clock at it.
    input: u64,
    now: Mono,
    /// Universal time, once somebody has said how it and the lane's clock differ.
    utc: Option<UtcOffset>,
    /// Bytes of the current order-entry input that were taken.
    taken: usize,
    /// What the strategies have asked for, and how much of it the gate has judged.
    actions: Actions,
    judged: usize,
    /// What the last of them sent, which is written down once it is on its way. Empty between inputs.
    left: sending::Parts,
    /// A walk over the live orders that cancels those that may not rest any more.
    sweep: Option<Sweep>,
    enabled: bool,
    /// The shell does not take the market for now.
    held: bool,
    /// Stopped, until somebody enables it, because the venue said what cannot be.
    stopped: bool,
    /// Kinds of such things that were told of since, a bit each.
    told: u32,
    /// Snapshots that are to be asked for.
    wanted: VenueSet,
    /// The next instrument whose strategies are to be told that fitness to trade may have changed.
    news: Option<InstrumentId>,
    /// Timers of strategies in a row after which the next deadline was not later.
    standing: usize,
    /// The signals' deadline stood still: it is not kept until somebody enables the lane again.
    signals_stuck: bool,
    /// Order entries that may have something to report.
    speaking: VenueSet,
    /// Something happened there that [`Core::on_due`] must look at.
    due: VenueSet,
    counters: CoreCounters,
}

/// What leads to a venue, and how order entry stood when that was last told of.
struct Ends<V: Venue> {
    line: V::Line,
    entry: V::Entry,
    was_ready: bool,
    was_away: Away,
    was_over: bool,
    /// A message of the snapshot that is being read contradicted those before it.
    snapshot_contradicts: bool,
}

impl<V: Venue> Ends<V> {
    fn new(line: V::Line, entry: V::Entry) -> Self {
        Ends { line, entry, was_ready: false, was_away: Away::Closed, was_over: false, snapshot_contradicts: false }
    }

    /// May orders be sent? Not while one lives there that the order table has no place for.
    #[inline]
    fn ready(&self, incomplete: bool) -> bool {
        self.entry.ready() && !incomplete
    }

    /// Why not, while they may not.
    #[inline]
    fn away(&self, incomplete: bool) -> Away {
        // `Opening` is also what an entry says that has nothing to complain of.
        match self.entry.away() {
            Away::Opening if incomplete && self.knows_all() => Away::Incomplete,
            why => why,
        }
    }

    /// Has the venue said everything about earlier runs and connections?
    fn knows_all(&self) -> bool {
        matches!(self.entry.stage(), EntryStage::Sweeping | EntryStage::Ready)
    }
}

/// How many actions strategies may ask for in one call.
const ACTIONS: usize = 32;

/// What one step writes at most: a sale in two parts (each its message, the order's step, the decision), what the session
/// adds of its own, what is said about all that, and what signals say.
const MOST: usize =
    4 * (Outbox::HEADER + Outbox::MESSAGE) + (16 + Said::MOST as usize) * (Outbox::HEADER + RECORD) + ANSWER;
/// The longest answer to a command.
const ANSWER: usize =
    Outbox::HEADER + size_of::<record::RecordHeader>() + size_of::<record::AnswerBody>() + record::AnswerBody::TEXT;
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
    /// The core, and the feeds that go before it.
    pub(super) fn new(parts: Parts<W>) -> (FeedsOf<W>, Self) {
        let (feeds, others) = parts.venues.unzip(|VenueParts { feed, line, mut books, trading, entry }| {
            // Until the feed hears a line, as it will say.
            books.mark_stale(Scope::All, StaleReason::Silent);
            (feed, (MarketState { books, trading, at: ExchangeTime(0) }, Ends::new(line, entry)))
        });
        let (markets, ends) = others.unzip(|both| both);
        let mut core = Core {
            instruments: parts.instruments,
            markets,
            ends,
            signal: parts.signal,
            strategy: parts.strategy,
            gate: parts.gate,
            orders: parts.orders,
            probe: parts.probe,
            policy: parts.policy,
            tags: parts.tags,
            lane: parts.lane,
            input: 0,
            now: Mono(0),
            utc: None,
            taken: 0,
            actions: Actions::new(ACTIONS).numbered_from(parts.tags.strategy),
            judged: 0,
            left: sending::Parts::default(),
            sweep: None,
            enabled: true,
            held: false,
            stopped: false,
            told: 0,
            wanted: VenueSet::default(),
            news: None,
            standing: 0,
            signals_stuck: false,
            speaking: VenueSet::default(),
            due: VenueSet::default(),
            counters: CoreCounters::default(),
        };
        core.gate.number_strategies(core.tags.strategy, Self::STRATEGIES);
        (Feeds::new(feeds), core)
    }

    // ---- what the gateway calls ------------------------------------------------------------------------------------

    /// A new input: numbered, timed, and what is the core's of it begun. Time never runs backwards here, though the
    /// machines' inputs each have their own clock reading: what the feed saw may reach the core behind a later input.
    #[inline]
    pub fn begin(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) {
        if let Machine::Feed(venue) = input.machine() {
            self.begin_market(now, venue);
            if let Input::Command(command) = input {
                self.on_command(now, command, out);
            }
            return;
        }
        self.number(now);
        match input {
            Input::Session(venue, _, input) => self.taken = self.on_session(self.now, venue, input, out),
            Input::Command(command) => self.on_command(now, command, out),
            Input::Timer(_) => self.on_timer(self.now, out),
            Input::Clock(offset) => self.utc = Some(offset),
            Input::Packet(..) => {}
        }
    }

    /// The same of an input that is the feed's of a venue.
    #[inline]
    pub(super) fn begin_market(&mut self, now: Mono, venue: VenueId) {
        self.number(now);
        if self.ends.get(venue).is_none() {
            self.count_elsewhere();
        }
    }

    #[inline]
    fn number(&mut self, now: Mono) {
        self.input = self.input.wrapping_add(1);
        self.now = self.now.max(now);
        self.probe.begin(now);
        self.taken = 0;
    }

    /// An input names a venue that the lane has not.
    #[cold]
    fn count_elsewhere(&mut self) {
        self.counters.elsewhere = self.counters.elsewhere.wrapping_add(1);
    }

    /// What the feed of a venue released of the input. What it begins is finished by [`run`](Self::run).
    #[inline]
    pub fn on_release(&mut self, venue: VenueId, release: Release<'_>, out: &mut Outbox) {
        match release {
            Release::Message { bytes, arrived, .. } => {
                self.probe.message(arrived);
                self.on_message(self.now, venue, bytes, out);
            }
            Release::Snapshot { bytes } => self.on_snapshot_message(venue, bytes, out),
            Release::Notice(notice) => self.on_notice(venue, notice, out),
        }
    }

    /// Finishes what the input or the last release of it began. Answers [`Progress::Again`] when it is to be called
    /// again with the same input, after the outbox was drained; then the next release, or the next input.
    ///
    /// An order is sent first: as soon as one is in the outbox, the answer is `Again`, and order table, ledger, marks, tape and
    /// strategy hear of it in the next call. Nothing comes between, for no other input may be taken before this one is done.
    // From most messages nothing follows: that is seen where it is asked, without a call.
    #[inline(always)]
    pub fn run(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        if out.has_room() && !self.owes() && !self.is_busy(input) { Progress::Done } else { self.work(input, out) }
    }

    /// Did an action leave that is not settled, or was one asked for that is not judged?
    #[inline(always)]
    fn owes(&self) -> bool {
        !self.left.is_empty() || self.judged < self.actions.list().len()
    }

    /// The same where something may follow.
    #[inline(never)]
    fn work(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        for _ in 0..super::STEPS_PER_CALL {
            if !out.has_room() {
                return Progress::Again;
            }
            if !self.left.is_empty() {
                self.settle(self.now, out);
            } else if self.judged < self.actions.list().len() {
                self.judge(self.now, out);
                if !self.left.is_empty() {
                    return Progress::Again;
                }
            } else if !self.is_busy(input) || !self.step(self.now, input, out) {
                return Progress::Done;
            }
        }
        Progress::Again
    }

    /// May there be anything for [`step`](Self::step) to do?
    #[inline(always)]
    fn is_busy(&self, input: Input<'_>) -> bool {
        !(self.speaking.is_empty() && self.due.is_empty() && self.wanted.is_empty())
            || self.sweep.is_some()
            || self.news.is_some()
            || self.is_incomplete()
            || matches!(input, Input::Session(_, SessionId::ORDERS, _))
    }

    /// One thing that was left to do before the next message: a report of the venue, an order to cancel, a snapshot to ask
    /// for, more bytes of the session's. False: nothing was.
    // Out of line: of each packet that needs none of it, it would cost what the optimiser prepares.
    #[inline(never)]
    fn step(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> bool {
        !self.speaking.is_empty() && self.hear(now, out)
            || !self.due.is_empty() && self.on_due(now, out)
            || self.sweep.is_some() && self.sweep_one(now, out)
            || self.is_incomplete() && self.cancel_orphan(now, out)
            || self.news.is_some() && self.tell_next(now)
            || !self.wanted.is_empty() && self.ask_for_snapshot(out)
            || self.take_more(now, input, out)
    }

    /// The next report of a venue that has one. False: none has.
    fn hear(&mut self, now: Mono, out: &mut Outbox) -> bool {
        while let Some(venue) = self.speaking.first() {
            out.towards(venue);
            let report = self.ends.get_mut(venue).and_then(|ends| ends.entry.next_report(now, out));
            if let Some(report) = report {
                self.on_report(now, venue, &report, out);
                return true;
            }
            self.speaking.remove(venue);
        }
        false
    }

    #[cold]
    fn ask_for_snapshot(&mut self, out: &mut Outbox) -> bool {
        let Some(venue) = self.wanted.take() else { return false };
        out.towards(venue);
        out.snapshot()
    }

    /// The next bytes of an order-entry session that could not take all at once.
    fn take_more(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> bool {
        let Input::Session(venue, SessionId::ORDERS, input) = input else { return false };
        let (SessionInput::Bytes(bytes) | SessionInput::Dropped(bytes)) = input else { return false };
        let rest = bytes.get(self.taken..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        let rest = match input {
            SessionInput::Dropped(_) => SessionInput::Dropped(rest),
            _ => SessionInput::Bytes(rest),
        };
        let taken = self.on_session(now, venue, rest, out);
        self.taken = self.taken.saturating_add(taken);
        taken > 0
    }

    /// An input of the order-entry session; how many of its bytes were taken. The rest is for later, after the reports
    /// in these are worked through.
    fn on_session(&mut self, now: Mono, venue: VenueId, input: SessionInput<'_>, out: &mut Outbox) -> usize {
        let Some(ends) = self.ends.get_mut(venue) else {
            self.count_elsewhere();
            return 0;
        };
        out.towards(venue);
        self.due.insert(venue);
        self.speaking.insert(venue);
        let SessionInput::Dropped(frames) = input else { return ends.entry.on_session(now, input, out) };
        // The shell's kill switch took these out: the venue never sees them, their exposure is free again.
        let mut rest = frames;
        let report = ends.entry.dropped(&mut rest);
        if let Some(report) = &report {
            self.on_report(now, venue, report, out);
        }
        if report.is_some() { frames.len().saturating_sub(rest.len()) } else { frames.len() }
    }

    fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        self.each_entry(out, |entry, out| entry.on_timer(now, out));
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
        let latest = self.markets.iter().map(|(_, market)| market.at).max().unwrap_or_default();
        let mut said = Said::new(out, self.lane, self.input, now, latest);
        let markets = Markets { instruments: &self.instruments, markets: &self.markets };
        self.signal.on_timer(now, markets, &mut said);
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

    /// When the core is due.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let strategy = self.strategy_deadline().map_or(Mono::NEVER, |(at, _)| at);
        let sweep = self.sweep.as_ref().map_or(Mono::NEVER, Sweep::next_deadline);
        // What can't be cancelled yet is waited for in vain.
        let ends = self.ends.least(|venue, ends| {
            let orphan = if ends.knows_all() { self.orders.orphan_deadline(venue) } else { Mono::NEVER };
            ends.entry.next_deadline().min(orphan)
        });
        let signal = self.signal_deadline();
        ends.min(self.orders.next_deadline()).min(strategy).min(signal).min(sweep)
    }

    /// Does anything live that the order table has no place for?
    #[inline]
    fn is_incomplete(&self) -> bool {
        self.ends.find(|venue, _| self.orders.is_incomplete(venue)).is_some()
    }

    /// Every venue.
    fn all(&self) -> VenueSet {
        VenueSet::of_first(self.ends.count())
    }

    /// Does the same to each order entry.
    fn each_entry(&mut self, out: &mut Outbox, mut act: impl FnMut(&mut <W::Venue as Venue>::Entry, &mut Outbox)) {
        for (venue, ends) in self.ends.iter_mut() {
            out.towards(venue);
            act(&mut ends.entry, out);
        }
        (self.due, self.speaking) = (self.all(), self.all());
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

    /// What is known of a venue's market.
    #[inline]
    #[must_use]
    pub fn market(&self, venue: VenueId) -> Option<&MarketState> {
        self.markets.get(venue)
    }

    /// The same of all venues, in the order of their numbers.
    #[must_use]
    pub fn markets(&self) -> &PerVenue<MarketState> {
        &self.markets
    }

    /// The book of an instrument, at the venue where it trades.
    #[must_use]
    pub fn book(&self, id: InstrumentId) -> BookRef<'_> {
        Markets { instruments: &self.instruments, markets: &self.markets }.book(id)
    }

    /// The signals.
    #[must_use]
    pub fn signal(&self) -> &W::Signal {
        &self.signal
    }

    /// The strategies.
    #[must_use]
    pub fn strategy(&self) -> &W::Strategy {
        &self.strategy
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

    /// Order entry of a venue.
    #[must_use]
    pub fn entry(&self, venue: VenueId) -> Option<&<W::Venue as Venue>::Entry> {
        self.ends.get(venue).map(|ends| &ends.entry)
    }

    /// The same of all venues, in the order of their numbers.
    pub fn entries(&self) -> impl Iterator<Item = (VenueId, &<W::Venue as Venue>::Entry)> {
        self.ends.iter().map(|(venue, ends)| (venue, &ends.entry))
    }

    /// May orders be sent to a venue: is order entry ready, and everything known that lives there?
    #[inline]
    #[must_use]
    pub fn ready(&self, venue: VenueId) -> bool {
        self.ends.get(venue).is_some_and(|ends| ends.ready(self.orders.is_incomplete(venue)))
    }

    /// Why not, while they may not.
    #[must_use]
    pub fn away(&self, venue: VenueId) -> Away {
        self.ends.get(venue).map_or(Away::Over, |ends| ends.away(self.orders.is_incomplete(venue)))
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
}

crate::state! {
    [W: Wiring] Core[W] {
        instruments, markets, ends, signal, strategy, gate, orders, input, now, utc, taken, actions, judged, sweep, enabled,
        held, stopped, told, wanted, news, standing, signals_stuck, speaking, due, counters,
    } without { left, probe, policy, tags, lane }
}

crate::state! {
    [V: Venue] Ends[V] { line, entry, was_ready, was_away, was_over, snapshot_contradicts }
}
