//! A venue: a market with its two ends, where its data comes in and where orders leave.

use super::book::{BookRef, Books};
use super::entry::OrderEntry;
use super::feed::{Feed, Mold, Release};
use super::input::{Arrival, Input, Machine};
use super::market::MarketLine;
use super::outbox::Outbox;
use super::trading::Trading;
use crate::base::{ExchangeTime, InstrumentId, InstrumentTable, Mono, PerVenue, VenueId};

/// The ends of a venue, by type. All venues of a lane are of one type, so that a lane can have any number of them and its
/// path stays one; where their protocols differ, each end is a choice among several (an `enum` that is one of them).
pub trait Venue {
    /// Puts its market data in order.
    type Feed: Feed;
    /// Its market-data protocol.
    type Line: MarketLine;
    /// Its order-entry protocol.
    type Entry: OrderEntry;
}

/// The ends of a venue, written down by type.
impl<F: Feed, L: MarketLine, E: OrderEntry> Venue for (F, L, E) {
    type Feed = F;
    type Line = L;
    type Entry = E;
}

/// A venue whose market data comes in two lines of MoldUDP64, by its two protocols.
pub type Multicast<L, E> = (Mold<L>, L, E);

/// What a venue is made of, ready to be joined to a lane.
#[allow(missing_debug_implementations)] // the user's parts need not have it
pub struct VenueParts<V: Venue> {
    /// Arbitration and recovery.
    pub feed: V::Feed,
    /// Market-data protocol.
    pub line: V::Line,
    /// Its books. They are indexed by the lane's instruments, and hold those of this venue.
    pub books: Books,
    /// Trading state of its instruments.
    pub trading: Trading,
    /// Order-entry protocol.
    pub entry: V::Entry,
}

/// What a lane knows of a venue's market.
#[derive(Debug)]
pub struct MarketState {
    /// Its books: what makes them stale is this venue's alone.
    pub books: Books,
    /// Trading state of its instruments.
    pub trading: Trading,
    /// The venue's latest stamp.
    pub at: ExchangeTime,
}

impl MarketState {
    /// Does the venue trade the instrument: market open, continuous trading, not halted?
    #[inline]
    #[must_use]
    pub fn trades(&self, id: InstrumentId) -> bool {
        self.trading.is_tradable(id, self.at)
    }
}

crate::state! { MarketState { books, trading, at } }

/// The markets of a lane, by instrument.
#[derive(Clone, Copy, Debug)]
pub struct Markets<'a> {
    /// Where each instrument trades.
    pub instruments: &'a InstrumentTable,
    /// Each venue's.
    pub markets: &'a PerVenue<MarketState>,
}

impl<'a> Markets<'a> {
    /// The market in which an instrument trades. `None`: the lane does not know the instrument.
    #[inline]
    #[must_use]
    pub fn of(self, id: InstrumentId) -> Option<&'a MarketState> {
        self.markets.get(self.instruments.get(id)?.venue)
    }

    /// The book of an instrument. Of one that the lane does not know, one that nothing is in.
    #[inline]
    #[must_use]
    pub fn book(self, id: InstrumentId) -> BookRef<'a> {
        self.of(id).unwrap_or(self.markets.first()).books.view(id)
    }
}

/// The first machines of a lane: a feed for each venue.
#[derive(Debug)]
pub struct Feeds<F> {
    feeds: PerVenue<F>,
}

impl<F: Feed> Feeds<F> {
    pub(super) fn new(feeds: PerVenue<F>) -> Self {
        Feeds { feeds }
    }

    /// One venue's.
    #[inline]
    #[must_use]
    pub fn get(&self, venue: VenueId) -> Option<&F> {
        self.feeds.get(venue)
    }

    /// Of how many venues.
    #[must_use]
    pub fn count(&self) -> usize {
        self.feeds.count()
    }

    /// The first venue's.
    #[must_use]
    pub fn first(&self) -> &F {
        self.feeds.first()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, venue: VenueId) -> Option<&mut F> {
        self.feeds.get_mut(venue)
    }

    /// All of them, in the order of their venues.
    pub fn iter(&self) -> impl Iterator<Item = (VenueId, &F)> {
        self.feeds.iter()
    }

    /// A datagram on a line of a venue's. One of a venue that is not there is nobody's: the core counts it.
    #[inline]
    pub fn on_packet(&mut self, now: Mono, arrival: Arrival, packet: &[u8], out: &mut Outbox) {
        out.towards(arrival.venue);
        if let Some(feed) = self.feeds.get_mut(arrival.venue) {
            feed.on_packet(now, arrival.line, packet, out);
        }
    }

    /// An input that is a feed's.
    #[inline]
    pub fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) {
        if let Machine::Feed(venue) = input.machine() {
            out.towards(venue);
            if let Some(feed) = self.feeds.get_mut(venue) {
                feed.on_input(now, input, out);
            }
        }
    }

    /// The next thing that the feed of `venue` releases of its input.
    #[inline]
    pub fn next<'a>(&'a mut self, venue: VenueId, input: &'a [u8]) -> Option<Release<'a>> {
        self.feeds.get_mut(venue)?.next(input)
    }

    /// Whose deadline has passed by `now`, the first of them.
    #[inline]
    #[must_use]
    pub fn due(&self, now: Mono) -> Option<VenueId> {
        self.feeds.find(|_, feed| feed.next_deadline() <= now)
    }

    /// The earliest deadline.
    #[inline]
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.feeds.least(|_, feed| feed.next_deadline())
    }
}

crate::state! { [F: Feed] Feeds[F] { feeds } }
