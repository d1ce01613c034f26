//! What a lane is made of: one trait with associated types, so that the whole path from packet to order is one
//! monomorphised function tree, and a user's own strategy is one `impl`.

use super::action::Tags;
use super::market::MarketLine;
use super::orders::Orders;
use super::risk::Gate;
use super::signal::Signal;
use super::strategy::Strategy;
use super::venue::{Venue, VenueParts};
use crate::base::{Instrument, InstrumentTable, Mono, OutOfRange, PerVenue, VenueId};

/// The parts of a lane, by type.
pub trait Wiring {
    /// Its venues: the protocols of their two ends.
    type Venue: Venue;
    /// The signal, or a pair of signals.
    type Signal: Signal;
    /// The strategy, or a pair of strategies.
    type Strategy: Strategy<Self::Signal>;
    /// Who is told of the marks passed.
    type Probe: Probe;
}

/// Marks on the way from packet to order, in their order: where a stage of it ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// A message left the feed and is decoded.
    Decoded,
    /// Book and trading state have it.
    Booked,
    /// Signals and strategies have seen it.
    Decided,
    /// The gate has approved an action.
    Approved,
    /// The bytes of an order are written.
    Encoded,
}

/// Is told when a mark is passed. The lane can't read it back, so it can't decide by it.
pub trait Probe {
    /// An input is begun, which came in at `now`.
    #[inline(always)]
    fn begin(&mut self, _now: Mono) {}

    /// A message of the market is taken up, which came in at `arrived`: before the input at hand, if it had to wait
    /// behind a gap.
    #[inline(always)]
    fn message(&mut self, _arrived: Mono) {}

    /// A mark was passed.
    fn pass(&mut self, mark: Mark);
}

/// Tells nobody, costs nothing.
impl Probe for () {
    #[inline(always)]
    fn pass(&mut self, _mark: Mark) {}
}

/// What the lane does of its own accord.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Policy {
    /// Cancel the resting orders of a book that has become stale.
    pub cancel_when_stale: bool,
    /// Cancel the resting orders of an instrument that can't be traded any more.
    pub cancel_when_untradable: bool,
    /// Ask for a snapshot when a message contradicts a book.
    pub snapshot_on_fault: bool,
    /// Stop trading when the venue says what cannot be and its orders or fills may be others than the lane knows.
    pub stop_on_contradiction: bool,
    /// Write book tops to the tape.
    pub tape_tops: bool,
    /// Write every normalised book event to the tape.
    pub tape_events: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            cancel_when_stale: true,
            cancel_when_untradable: false,
            snapshot_on_fault: true,
            stop_on_contradiction: true,
            tape_tops: true,
            tape_events: false,
        }
    }
}

impl<W: Wiring> Parts<W> {
    /// Do the parts fit together? Each must have room for every instrument that the table may come to hold: else an order
    /// could leave that another part has no place for.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first part that was built for fewer.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let all = self.instruments.capacity();
        let allowed = "built for as many instruments as the instrument table holds, or more";
        OutOfRange::unless(self.venues.count() <= VenueId::MOST, "parts.venues", "at most 64")?;
        for (number, venue) in self.venues.iter() {
            OutOfRange::unless(venue.books.instruments() >= all, "parts.venues.books", allowed)?;
            OutOfRange::unless(venue.trading.instruments() >= all, "parts.venues.trading", allowed)?;
            let own = "built for the number that the venue has in the lane";
            OutOfRange::unless(venue.line.venue() == number, "parts.venues.line", own)?;
        }
        let foreign = |row: &Instrument| self.venues.get(row.venue).is_none();
        OutOfRange::unless(!self.instruments.rows().iter().any(foreign), "parts.instruments", "of the lane's venues")?;
        OutOfRange::unless(self.gate.instruments() >= all, "parts.gate", allowed)?;
        OutOfRange::unless(self.orders.instruments() >= all, "parts.orders", allowed)?;
        let venues = "built for as many venues as the lane has, or more";
        OutOfRange::unless(self.orders.venues() >= self.venues.count(), "parts.orders", venues)?;
        OutOfRange::unless(self.signal.instruments().is_none_or(|n| n >= all), "parts.signal", allowed)?;
        OutOfRange::unless(self.strategy.instruments().is_none_or(|n| n >= all), "parts.strategy", allowed)
    }
}

/// The parts of a lane, built and checked, ready to be joined.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct Parts<W: Wiring> {
    /// Number of the lane.
    pub lane: u16,
    /// What its orders carry; the strategies' own numbers count up from this one's.
    pub tags: Tags,
    /// Its venues, in the order of their numbers.
    pub venues: PerVenue<VenueParts<W::Venue>>,
    /// Instruments.
    pub instruments: InstrumentTable,
    /// Signals.
    pub signal: W::Signal,
    /// Strategies.
    pub strategy: W::Strategy,
    /// The gate, with its limits.
    pub gate: Gate,
    /// The order table.
    pub orders: Orders,
    /// Probe.
    pub probe: W::Probe,
    /// What the lane does of its own accord.
    pub policy: Policy,
}
