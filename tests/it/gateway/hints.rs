//! Hints to the books: when a lane gives them, and of how many messages. That they change nothing is in what they may touch.

use super::rig::*;
use firelane_gateway::base::{
    Instrument, InstrumentId, InstrumentTable, LoadError, Mono, Name, Reader, Save, State, Utc, VenueId,
};
use firelane_gateway::flow::book::{BATCH, BookCapacity, Coming};
use firelane_gateway::flow::either::Either;
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::{FeedConfig, Mold};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent};
use firelane_gateway::flow::outbox::{Outbox, Progress};
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::venue::VenueParts;
use firelane_gateway::flow::wiring::{Parts, Wiring};
use firelane_gateway::flow::{Arrival, Gateway, Input};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// With how many orders hints begin and end to pay here.
const FROM: usize = 1_000;
const UNTIL: usize = 750;

/// A line that counts the messages of which it is asked what is coming.
struct Counting(ItchLine, Arc<AtomicUsize>);

impl MarketLine for Counting {
    fn venue(&self) -> VenueId {
        self.0.venue()
    }
    fn new_row(&self, name: Name) -> Instrument {
        self.0.new_row(name)
    }
    fn decode(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent> {
        self.0.decode(message, instruments)
    }
    fn instrument(&self, locate: u16) -> Option<InstrumentId> {
        self.0.instrument(locate)
    }
    fn subject(&self, message: &[u8]) -> Option<InstrumentId> {
        self.0.subject(message)
    }
    fn foresee(&self, message: &[u8]) -> Coming {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.foresee(message)
    }
    fn reset(&mut self, now: Option<Utc>) {
        self.0.reset(now);
    }
    fn begin(&mut self, now: Utc) {
        self.0.begin(now);
    }
}

impl State for Counting {
    fn save(&self, into: &mut dyn Save) {
        self.0.save(into);
    }
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(from)
    }
}

/// Each end is one of two, so that those of both are asked.
struct Wired;

impl Wiring for Wired {
    type Venue = (Either<Mold<ItchLine>, Mold<ItchLine>>, Either<Counting, ItchLine>, OuchEntry);
    type Signal = Imbalance;
    type Strategy = Told;
    type Probe = ();
}

struct Lane {
    lane: Gateway<Wired>,
    out: Outbox,
    next: u64,
    order: u64,
    asked: Arc<AtomicUsize>,
}

impl Lane {
    fn new() -> Self {
        let room = 8 * FROM;
        let books = BookCapacity { instruments: 8, orders: room, levels: 1_024, own: 8 };
        let setup = Setup { books, feed: FeedConfig { snapshot: None, ..Setup::default().feed }, ..Setup::default() };
        let Parts { lane, tags, venues: _, instruments, signal, strategy, gate, orders, probe, policy } =
            parts(&setup, Told::default());
        let VenueParts { feed, line, books, trading, entry } = venue_parts(&setup, VenueId::FIRST);
        let asked = Arc::new(AtomicUsize::new(0));
        let line = Either::First(Counting(line, asked.clone()));
        let venues = firelane_gateway::base::PerVenue::one(VenueParts {
            feed: Either::First(feed),
            line,
            books: books.hints_from(FROM),
            trading,
            entry,
        });
        let parts = Parts { lane, tags, venues, instruments, signal, strategy, gate, orders, probe, policy };
        let mut lane = Lane { lane: Gateway::new(parts).unwrap(), out: Outbox::new(0), next: 1, order: 100_000, asked };
        lane.say(&opening(1));
        lane
    }

    /// One packet on one line; of how many messages the books heard before.
    fn say(&mut self, messages: &[Vec<u8>]) -> usize {
        let bytes = packet(DAY, self.next, messages);
        self.next += messages.len() as u64;
        self.hear(A, &bytes)
    }

    fn hear(&mut self, line: firelane_gateway::base::LineId, bytes: &[u8]) -> usize {
        let before = self.asked.load(Ordering::Relaxed);
        let arrival = Arrival::on(VenueId::FIRST, line);
        let mut progress = self.lane.on_packet(Mono(self.next), arrival, bytes, &mut self.out);
        while progress == Progress::Again {
            self.out.clear();
            progress = self.lane.resume(Input::Packet(arrival, bytes), &mut self.out);
        }
        self.out.clear();
        self.asked.load(Ordering::Relaxed) - before
    }

    fn adds(&mut self, count: usize) -> Vec<Vec<u8>> {
        let first = self.order;
        self.order += count as u64;
        (first..self.order).map(|order| add(1, order, b"B", 100, 90_000 + (order % 64) as u32 * 100)).collect()
    }

    fn live(&self) -> usize {
        self.lane.core().markets().first().books.live_orders()
    }

    /// Until so many orders rest.
    fn fill(&mut self, live: usize) {
        while self.live() < live {
            let some = self.adds((live - self.live()).min(100));
            self.say(&some);
        }
    }
}

#[test]
fn hints_are_given_of_full_packets_while_many_orders_rest() {
    let mut lane = Lane::new();
    lane.fill(FROM - 8);
    assert_eq!(lane.asked.load(Ordering::Relaxed), 0, "few orders rest");
    let some = lane.adds(8);
    assert_eq!((lane.say(&some), lane.live()), (0, FROM), "they did not when the packet came");
    let some = lane.adds(5);
    assert_eq!(lane.say(&some), 0, "five messages are too few");
    let some = lane.adds(6);
    assert_eq!(lane.say(&some), 6);
    let some = lane.adds(3 * BATCH + 7);
    let bytes = packet(DAY, lane.next, &some);
    assert_eq!(lane.say(&some), 3 * BATCH + 7, "batch by batch, each message once");
    assert_eq!(lane.hear(B, &bytes), 0, "the other line's copy is of no news");
    assert_eq!(lane.live(), FROM + 5 + 6 + 3 * BATCH + 7);
    // Nor are there any for what is not the next message.
    let some = lane.adds(8);
    let early = packet(DAY, lane.next + 1, &some);
    assert_eq!(lane.hear(A, &early), 0);
    let some = lane.adds(1);
    lane.say(&some);
    lane.next += 8;
    // They go on until fewer rest.
    let mut orders = 100_000..;
    while lane.live() > UNTIL {
        let some: Vec<_> = orders.by_ref().take((lane.live() - UNTIL).clamp(6, BATCH)).map(|n| delete(1, n)).collect();
        assert_eq!(lane.say(&some), some.len(), "{} rest", lane.live());
    }
    let some: Vec<_> = orders.by_ref().take(6).map(|n| delete(1, n)).collect();
    let (live, heard) = (lane.live(), lane.say(&some));
    assert_eq!(heard == 6, live >= UNTIL);
    let some: Vec<_> = orders.by_ref().take(6).map(|n| delete(1, n)).collect();
    assert_eq!(lane.say(&some), 0);
    lane.fill(FROM - 6);
    let some = lane.adds(6);
    assert_eq!(lane.say(&some), 0, "and do not begin again before as many rest as at first");
    let counters = lane.lane.core().markets().first().books.counters();
    assert_eq!((counters.unknown_ref, counters.duplicate_ref, counters.orders_full), (0, 0, 0));
}
