//! A lane without its type, and the recorder that runs one on a virtual clock.

use super::counters::Tally;
use super::journal::Journal;
use super::live::{Agents, Machinery};
use super::log::{FileHeader, LogError};
use super::trace::Traced;
use crate::base::{Digest, InstrumentId, InstrumentTable, LoadError, Mono, PerVenue, Reader, Save, VenueId, VenueSet};
use crate::flow::book::BookRef;
use crate::flow::entry::{OrderEntry, Stage};
use crate::flow::feed::{Feed, FeedCounters};
use crate::flow::orders::Orders;
use crate::flow::outbox::{Outbox, Output, Progress};
use crate::flow::record::{FinalBody, MarketBody, StatusBody, TraceBody, VenueStatusBody};
use crate::flow::risk::{Gate, Refusal};
use crate::flow::signal::Signal;
use crate::flow::strategy::Strategy;
use crate::flow::venue::{Feeds, MarketState, Markets, Venue};
use crate::flow::wiring::Wiring;
use crate::flow::{CommandBuf, Core, CoreCounters, Gateway, Input, Machine};
use std::any::type_name;
use std::io::Write;

/// Any [`Gateway`], without its type: what a list of plugs hands out. On a virtual clock it is driven as it is, with one virtual
/// call an input; live it becomes agents of its own type, which are erased in its place. At rest all of it can be read.
pub trait Lane: Send {
    /// See [`Gateway::on_input`].
    fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// See [`Gateway::resume`].
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// See [`Gateway::next_deadline`].
    fn next_deadline(&self) -> Mono;
    /// See [`Gateway::due`].
    fn due(&self, now: Mono) -> Option<Machine>;
    /// See [`Gateway::digest`].
    fn digest(&self) -> u64;
    /// See [`Gateway::save`].
    fn save(&self, into: &mut dyn Save);
    /// See [`Gateway::load`].
    ///
    /// # Errors
    /// [`LoadError`]: these bytes are no state of this lane.
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError>;
    /// Its number.
    fn number(&self) -> u16;
    /// Of which types its venues, signal and strategy are: the same for the same source, however it is compiled.
    fn shape(&self, into: &mut Digest);
    /// Inputs consumed.
    fn inputs(&self) -> u64;
    /// Counters of a venue's feed.
    fn feed_counters(&self, venue: VenueId) -> Option<&FeedCounters>;
    /// The next market-data message of a venue that it waits for.
    fn next_sequence(&self, venue: VenueId) -> Option<u64>;
    /// Core counters.
    fn core_counters(&self) -> &CoreCounters;
    /// Instruments.
    fn instruments(&self) -> &InstrumentTable;
    /// Each venue's books and trading state.
    fn markets(&self) -> &PerVenue<MarketState>;
    /// The book of an instrument, at the venue where it trades.
    fn book(&self, id: InstrumentId) -> BookRef<'_> {
        Markets { instruments: self.instruments(), markets: self.markets() }.book(id)
    }
    /// Orders.
    fn orders(&self) -> &Orders;
    /// Gate and ledger.
    fn gate(&self) -> &Gate;
    /// May orders be sent to every venue?
    fn ready(&self) -> bool;
    /// Is order entry over at every venue, after a shutdown or a fault?
    fn is_over(&self) -> bool;
    /// How it is doing: all that feed and core know of.
    fn status(&self, into: &mut StatusBody);
    /// How it is doing at a venue; nothing is changed if it has no such venue.
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody);
    /// Everything that feed and core have counted.
    fn counters(&self, into: &mut Tally);
    /// The orders encoded since [`forget_traces`](Self::forget_traces), with their stamps.
    fn traces(&self) -> &[TraceBody];
    /// They have been seen to.
    fn forget_traces(&mut self);
    /// The agents that run it live.
    fn agents(self: Box<Self>, with: Machinery) -> Agents;
}

/// How the feeds are doing.
pub(super) fn feed_status<F: Feed>(feeds: &Feeds<F>, into: &mut StatusBody) {
    into.market = MarketBody::default();
    feeds.iter().for_each(|(_, feed)| add(feed.counters(), &mut into.market));
    into.market.next_sequence.set(feeds.first().next_sequence());
    into.live_market = u8::from(feeds.iter().all(|(_, feed)| feed.is_live()));
}

/// How the feed of a venue is doing.
pub(super) fn feed_status_at<F: Feed>(feeds: &Feeds<F>, venue: VenueId, into: &mut VenueStatusBody) {
    let Some(feed) = feeds.get(venue) else { return };
    into.market = MarketBody::default();
    add(feed.counters(), &mut into.market);
    into.market.next_sequence.set(feed.next_sequence());
    into.live_market = u8::from(feed.is_live());
}

/// Adds what a feed has counted.
fn add(counters: &FeedCounters, into: &mut MarketBody) {
    for (sum, more) in [
        (&mut into.gaps, counters.gaps),
        (&mut into.filled_by_line, counters.filled_by_line),
        (&mut into.filled_by_rerequest, counters.filled_by_rerequest),
        (&mut into.lost, counters.lost),
        (&mut into.snapshots, counters.snapshots_ended),
    ] {
        sum.set(sum.get().wrapping_add(more));
    }
}

/// What the feeds have counted.
pub(super) fn feed_counters<F: Feed>(feeds: &Feeds<F>, into: &mut Tally) {
    for (venue, feed) in feeds.iter() {
        into.of_venue(venue, |into| into.feed(feed.counters()));
    }
}

/// Is order entry over at every venue?
pub(super) fn is_over<W: Wiring>(core: &Core<W>) -> bool {
    core.entries().all(|(_, entry)| entry.stage() == Stage::Over)
}

/// How the core is doing: what the feeds have said before stands.
pub(super) fn core_status<W: Wiring>(core: &Core<W>, into: &mut StatusBody) {
    let counters = core.counters();
    into.inputs.set(core.inputs());
    into.messages.set(counters.messages);
    into.orders.set(counters.entered + counters.replaced);
    into.cancels.set(counters.cancelled);
    into.fills.set(counters.fills);
    into.refused.set(Refusal::ALL.into_iter().map(|why| core.gate().refused(why)).sum());
    into.live.set(u64::from(core.orders().live_count()) + core.orders().orphan_count());
    let (limits, ledger) = (core.gate().limits(), core.gate().ledger());
    into.open.set(ledger.open().0);
    into.max_total_open.set(limits.max_total_open.0);
    into.orders_per_second.set(limits.orders_per_second);
    into.burst.set(limits.burst);
    into.stale.set(core.markets().iter().map(|(venue, market)| stale(core, venue, market)).sum());
    let stages = || core.entries().map(|(_, entry)| entry.stage());
    // Of several, that of the first that does not trade.
    into.entry = stages().find(|stage| *stage != Stage::Ready).unwrap_or(Stage::Ready) as u8;
    into.ready = u8::from(core.entries().all(|(venue, _)| core.ready(venue)));
    into.killed = u8::from(core.gate().is_killed());
    // The feed has said what it knows; the core may know of more.
    into.live_market &= u8::from(core.markets().iter().all(|(_, market)| market.books.shared_freshness().is_fresh()));
}

/// Books of a venue that can't be trusted.
fn stale<W: Wiring>(core: &Core<W>, venue: VenueId, market: &MarketState) -> u64 {
    // Of this venue's alone: the others' books lie elsewhere.
    let own = (0..).map(InstrumentId).zip(core.instruments().rows()).filter(|(_, row)| row.venue == venue);
    own.filter(|(id, _)| !market.books.freshness(*id).is_fresh()).count() as u64
}

/// How the core is doing at a venue: what its feed has said before stands.
pub(super) fn core_status_at<W: Wiring>(core: &Core<W>, venue: VenueId, into: &mut VenueStatusBody) {
    let (Some(market), Some(entry)) = (core.market(venue), core.entry(venue)) else { return };
    into.stale.set(stale(core, venue, market));
    into.live.set(u64::from(core.orders().live_count_at(venue)) + core.orders().orphan_count_at(venue));
    into.entry = entry.stage() as u8;
    into.ready = u8::from(core.ready(venue));
    into.live_market &= u8::from(market.books.shared_freshness().is_fresh());
}

/// What the core has counted.
pub(super) fn core_counters<W: Wiring>(core: &Core<W>, into: &mut Tally) {
    into.core(core.counters());
    into.put("core", "stopped", u64::from(core.is_stopped()));
    into.put("core", "stopped_parts", core.gate().stopped_parts() as u64);
    for (venue, market) in core.markets().iter() {
        into.of_venue(venue, |into| into.books(market.books.counters()));
    }
    into.orders(core.orders());
    for (venue, entry) in core.entries() {
        into.of_venue(venue, |into| entry.counters(&mut |name, value| into.put("entry", name, value)));
    }
    into.gate(core.gate());
    core.signal().counters(&mut |name, value| into.put("signal", name, value));
    core.strategy().counters(&mut |name, value| into.put("strategy", name, value));
}

impl<W: Wiring + 'static> Lane for Gateway<W>
where
    Gateway<W>: Send,
    Core<W>: Send,
    <W::Venue as Venue>::Feed: Send,
    W::Probe: Traced,
{
    fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.on_input(now, input, out)
    }
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.resume(input, out)
    }
    fn next_deadline(&self) -> Mono {
        self.next_deadline()
    }
    fn due(&self, now: Mono) -> Option<Machine> {
        self.due(now)
    }
    fn digest(&self) -> u64 {
        self.digest()
    }
    fn save(&self, into: &mut dyn Save) {
        self.save(into);
    }
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.load(from)
    }
    fn number(&self) -> u16 {
        self.core().lane()
    }
    fn shape(&self, into: &mut Digest) {
        for part in [type_name::<W::Venue>(), type_name::<W::Signal>(), type_name::<W::Strategy>()] {
            into.bytes(part.as_bytes());
        }
    }
    fn inputs(&self) -> u64 {
        self.core().inputs()
    }
    fn feed_counters(&self, venue: VenueId) -> Option<&FeedCounters> {
        self.feeds().get(venue).map(Feed::counters)
    }
    fn next_sequence(&self, venue: VenueId) -> Option<u64> {
        self.feeds().get(venue).map(Feed::next_sequence)
    }
    fn core_counters(&self) -> &CoreCounters {
        self.core().counters()
    }
    fn instruments(&self) -> &InstrumentTable {
        self.core().instruments()
    }
    fn markets(&self) -> &PerVenue<MarketState> {
        self.core().markets()
    }
    fn orders(&self) -> &Orders {
        self.core().orders()
    }
    fn gate(&self) -> &Gate {
        self.core().gate()
    }
    fn ready(&self) -> bool {
        self.core().entries().all(|(venue, _)| self.core().ready(venue))
    }
    fn is_over(&self) -> bool {
        is_over(self.core())
    }
    fn status(&self, into: &mut StatusBody) {
        feed_status(self.feeds(), into);
        core_status(self.core(), into);
    }
    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody) {
        feed_status_at(self.feeds(), venue, into);
        core_status_at(self.core(), venue, into);
    }
    fn counters(&self, into: &mut Tally) {
        feed_counters(self.feeds(), into);
        core_counters(self.core(), into);
    }
    #[inline]
    fn traces(&self) -> &[TraceBody] {
        self.core().probe().traces()
    }
    #[inline]
    fn forget_traces(&mut self) {
        self.probe_mut().forget();
    }
    fn agents(self: Box<Self>, with: Machinery) -> Agents {
        with.agents(*self)
    }
}

/// Runs a lane to the end of each input, hands its effects on, and writes log and tape: on a virtual clock, in one
/// thread.
pub struct Recorder<L: ?Sized = dyn Lane> {
    out: Outbox,
    journal: Journal,
    lane: Box<L>,
}

impl<L: ?Sized> core::fmt::Debug for Recorder<L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recorder").field("journal", &self.journal).finish_non_exhaustive()
    }
}

impl<L: Lane + ?Sized> Recorder<L> {
    /// A recorder that writes nothing yet.
    #[must_use]
    pub fn new(lane: Box<L>) -> Self {
        Self::with_outbox(lane, 1 << 18)
    }

    /// The same with an outbox of so many bytes (32 KiB at least), for worlds by the thousand: what the lane does is the same
    /// with any, in more steps or fewer.
    #[must_use]
    pub fn with_outbox(lane: Box<L>, bytes: usize) -> Self {
        Recorder { out: Outbox::new(bytes), journal: Journal::new(lane.number()), lane }
    }

    /// Writes every input and its effects to `file`, from the first input on.
    ///
    /// # Errors
    /// What the file says.
    pub fn log_to(&mut self, file: impl Write + Send + 'static, header: &FileHeader) -> Result<(), LogError> {
        self.journal.log_to(file, header)
    }

    /// Writes the tape to `file`.
    ///
    /// # Errors
    /// What the file says.
    pub fn tape_to(&mut self, file: impl Write + Send + 'static, header: &FileHeader) -> Result<(), LogError> {
        self.journal.tape_to(file, header)
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &L {
        &self.lane
    }

    /// One input, to its end, and the snapshot command that it may ask for. `sink` is handed every effect and every tape
    /// record, in order.
    ///
    /// # Errors
    /// What log or tape say; the lane itself has consumed the input all the same.
    pub fn input(&mut self, now: Mono, input: Input<'_>, mut sink: impl FnMut(Output<'_>)) -> Result<(), LogError> {
        let mut wants_snapshot = self.step(now, input, &mut sink)?;
        while let Some(venue) = wants_snapshot.take() {
            let command = CommandBuf::snapshot(venue);
            let wants_again = self.step(now, Input::Command(command.bytes()), &mut sink)?;
            wants_snapshot.add(wants_again);
        }
        Ok(())
    }

    /// One input, to its end. Of which venues does it ask for a snapshot?
    fn step(&mut self, now: Mono, input: Input<'_>, sink: &mut impl FnMut(Output<'_>)) -> Result<VenueSet, LogError> {
        let Recorder { out, journal, lane } = self;
        let mut wants_snapshot = VenueSet::default();
        out.clear();
        let mut progress = lane.on_input(now, input, out);
        let number = lane.inputs();
        journal.input(number, now, &input)?;
        loop {
            for output in out.outputs() {
                if let Output::Snapshot(venue) = output {
                    wants_snapshot.insert(venue);
                }
                sink(output);
            }
            journal.outputs(number, now, out)?;
            if progress == Progress::Done {
                break;
            }
            out.clear();
            progress = lane.resume(input, out);
        }
        journal.done(number, now)?;
        Ok(wants_snapshot)
    }

    /// What the log's last record says of the run so far.
    #[must_use]
    pub fn summary(&self) -> FinalBody {
        self.journal.summary(self.lane.inputs(), self.lane.digest())
    }

    /// Ends log and tape in order, and gives the lane back.
    ///
    /// # Errors
    /// What the files say.
    pub fn finish(self, now: Mono) -> Result<Box<L>, LogError> {
        self.journal.finish(now, self.lane.inputs(), self.lane.digest())?;
        Ok(self.lane)
    }
}
