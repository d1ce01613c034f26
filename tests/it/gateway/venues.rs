//! Several venues in one lane: each has its own stream, books, sessions and numbers, and what befalls one is no other's.

use super::rig::*;
use super::street::Street;
use firelane_gateway::base::{
    Instrument, InstrumentId, InstrumentTable, Mono, Nanos, OutOfRange, PerVenue, Reader, SessionId, Side, Symbol,
    VenueId, Writer,
};
use firelane_gateway::flow::book::StaleReason;
use firelane_gateway::flow::entry::{OrderEntry, Stage};
use firelane_gateway::flow::orders::OrdersConfig;
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wiring::Parts;
use firelane_gateway::flow::{Arrival, CommandBuf, CommandBytes, Gateway, Input, Machine};

const ONE: VenueId = VenueId(0);
const OTHER: VenueId = VenueId(1);
/// The first symbol, as the two venues list it: the first venue opens first.
const X: InstrumentId = InstrumentId(0);
const X_THERE: InstrumentId = InstrumentId(2);

type Lane = Gateway<Desk<Told>>;

fn setup() -> Setup {
    let plain = Setup::default();
    Setup { orders: OrdersConfig { venues: 2, ..plain.orders }, ..plain }
}

pub(crate) fn lane() -> Lane {
    let setup = setup();
    let mut parts = parts(&setup, Told::default());
    parts.venues = PerVenue::one(venue_parts(&setup, ONE)).and(venue_parts(&setup, OTHER));
    Gateway::new(parts).unwrap()
}

pub(super) type Pair = Street<Desk<Told>, 2>;

/// Trading at both.
pub(super) fn open() -> Pair {
    let mut street = Street::new(lane());
    street.give(Input::Command(CommandBytes::START));
    street.pass(Nanos::from_millis(1_100));
    street.market(ONE, &opening(2));
    street.market(OTHER, &opening(2));
    for venue in [ONE, OTHER] {
        assert!(street.lane.core().ready(venue) && street.fresh(venue));
    }
    assert_eq!(street.lane.core().instruments().rows().len(), 4, "two at each");
    street
}

impl Pair {
    pub(super) fn tell(&mut self, venue: VenueId, what: Do, shares: u32, price: u32) {
        self.market(venue, &[tell(1, what, shares, price)]);
    }

    fn top(&self, id: InstrumentId) -> Option<i64> {
        self.lane.core().book(id).top(Side::Buy).map(|level| level.price.0)
    }

    /// Who was sent such a thing.
    fn sent(&self, is: impl Fn(&Effect) -> bool) -> Vec<VenueId> {
        self.wires.iter().filter(|(_, effect)| is(effect)).map(|(venue, _)| *venue).collect()
    }
}

#[test]
fn the_same_symbol_at_two_venues_has_two_books_and_the_same_order_number_is_two_orders() {
    let mut street = open();
    let rows = street.lane.core().instruments();
    let name = |id| rows.get(id).map(|row| (row.venue, row.name));
    assert_eq!(name(X), Some((ONE, Symbol(symbol(1)).into())));
    assert_eq!(name(X_THERE), Some((OTHER, Symbol(symbol(1)).into())));
    // The venues number their orders alike.
    street.market(OTHER, &[delete(1, 1_000)]);
    assert_eq!((street.top(X), street.top(X_THERE)), (Some(100_000), None));
    street.market(ONE, &[add(1, 7, b"B", 100, 100_100)]);
    assert_eq!((street.top(X), street.top(X_THERE)), (Some(100_100), None));
    assert_eq!(street.lane.core().market(OTHER).unwrap().books.counters().unknown_ref, 0);
}

#[test]
fn a_gap_at_one_venue_stales_its_own_books_alone_and_is_healed_by_its_own_stream() {
    let mut street = open();
    street.tell(ONE, Do::Buy, 100, 90_000);
    street.tell(OTHER, Do::Buy, 100, 90_000);
    let missed = street.next[1];
    street.next[1] += 1;
    street.market(OTHER, &[add(1, 8, b"B", 100, 99_000)]);
    assert!(street.fresh(ONE) && !street.fresh(OTHER));
    assert_eq!((street.said(Alert::GapOpened, ONE), street.said(Alert::GapOpened, OTHER)), (0, 1));
    assert_eq!((street.asked(ONE), street.asked(OTHER)), ("QO".into(), "QOX".into()), "what rests there is cancelled");
    // Re-requested from its own server, after its own time.
    street.pass(GAP);
    let asked = street.sent(|effect| matches!(effect, Effect::Datagram(_)));
    assert!(!asked.is_empty() && asked.iter().all(|venue| *venue == OTHER), "{asked:?}");
    let reply = packet(DAY, missed, &[add(1, 9, b"B", 100, 98_000)]);
    street.give(Input::Packet(Arrival::on(OTHER, R), &reply));
    assert!(street.fresh(ONE) && street.fresh(OTHER));
    assert_eq!(street.said(Alert::GapClosed, OTHER), 1);
}

#[test]
fn what_contradicts_a_book_asks_for_a_snapshot_of_its_venue() {
    let mut street = open();
    street.market(OTHER, &[execute(1, 999_999, 100, 5)]);
    assert_eq!(street.snapshots, [OTHER]);
    let stale = |id| street.lane.core().book(id).freshness();
    assert!(stale(X).is_fresh() && stale(X_THERE).has(StaleReason::Fault));
    assert_eq!((street.said(Alert::BookFault, ONE), street.said(Alert::BookFault, OTHER)), (0, 1));
    // It connects to its own server.
    let connects = street.sent(|effect| matches!(effect, Effect::Connect(_)));
    assert!(!connects.is_empty() && connects.iter().all(|venue| *venue == OTHER), "{connects:?}");
}

#[test]
fn orders_go_where_their_instrument_trades_and_numbers_are_each_venues_own() {
    let mut street = open();
    for venue in [ONE, OTHER, OTHER] {
        street.tell(venue, Do::Buy, 100, 90_000);
    }
    let tokens = |street: &Pair, venue: VenueId| -> Vec<u32> {
        street.ports[usize::from(venue.0)].orders.keys().copied().collect()
    };
    assert_eq!((tokens(&street, ONE), tokens(&street, OTHER)), (vec![1], vec![1, 2]), "the same number at both");
    assert_eq!(street.lane.core().orders().live_count(), 3);
    // A fill at one moves that instrument, and no order at the other.
    let fill = street.ports[1].execute(1, 100, 90_000);
    street.say(OTHER, fill);
    let position = |id| street.lane.core().gate().ledger().account(id).position.0;
    assert_eq!((position(X), position(X_THERE), street.lane.core().orders().live_count()), (0, 100, 2));
    let venues: Vec<u16> = street.steps.iter().map(|(venue, _)| *venue).collect();
    assert_eq!(venues, [0, 0, 1, 1, 1, 1, 1], "sent and accepted, three times, and one fill");
    // A cancel goes to the venue of its order.
    street.tell(OTHER, Do::Cancel, 0, 0);
    assert_eq!((street.asked(ONE), street.asked(OTHER)), ("QO".into(), "QOOX".into()));
}

#[test]
fn a_session_lost_at_one_venue_stops_no_order_at_the_other() {
    let mut street = open();
    street.tell(ONE, Do::Buy, 100, 90_000);
    street.tell(OTHER, Do::Buy, 100, 90_000);
    street.cut(OTHER);
    let core = street.lane.core();
    assert!(core.ready(ONE) && !core.ready(OTHER));
    assert_eq!((street.said(Alert::EntryLost, ONE), street.said(Alert::EntryLost, OTHER)), (0, 1));
    street.tell(ONE, Do::Buy, 100, 90_100);
    street.tell(OTHER, Do::Buy, 100, 90_100);
    assert_eq!((street.asked(ONE), street.asked(OTHER)), ("QOO".into(), "QO".into()));
    // It comes back, repeats and sweeps its own orders, and those alone.
    street.pass(Nanos::from_secs(10));
    assert!(street.lane.core().ready(OTHER));
    assert_eq!(street.ports[0].orders.len(), 2, "the other's orders go on living");
    // A shutdown ends both.
    street.give(Input::Command(CommandBytes::SHUTDOWN));
    street.pass(Nanos::from_secs(10));
    let over = street.lane.core().entries().all(|(_, entry)| entry.stage() == Stage::Over);
    assert!(over && street.lane.core().orders().live_count() == 0);
    assert_eq!((street.said(Alert::EntryOver, ONE), street.said(Alert::EntryOver, OTHER)), (1, 1));
}

#[test]
fn a_venue_that_comes_late_waits_for_no_order_at_the_other() {
    let mut street = Pair::new(lane());
    street.ports[1].up = false;
    street.give(Input::Command(CommandBytes::START));
    street.pass(Nanos::from_millis(1_100));
    street.market(ONE, &opening(2));
    street.market(OTHER, &opening(2));
    street.tell(ONE, Do::Buy, 100, 90_000);
    assert_eq!((street.ports[0].orders.len(), street.lane.core().ready(OTHER)), (1, false));
    street.ports[1].up = true;
    street.pass(Nanos::from_secs(10));
    assert!(street.lane.core().ready(OTHER), "nothing of its own is to be swept");
    assert_eq!((street.ports[0].orders.len(), street.asked(ONE)), (1, "QO".into()));
}

#[test]
fn what_is_cancelled_by_venue_is_cancelled_there_alone() {
    let mut street = open();
    street.tell(ONE, Do::Buy, 100, 90_000);
    street.tell(OTHER, Do::Buy, 100, 90_000);
    street.tell(OTHER, Do::CancelAll, 0, 0);
    assert_eq!((street.asked(ONE).len(), street.asked(OTHER).len()), (2, 3), "a mass cancel of its instrument");
    // An order that nobody here knows is cancelled where it was heard of.
    let request = street.ports[0].asked.last().unwrap().clone();
    let unknown = [&request[..1], &9u32.to_be_bytes(), &request[5..]].concat();
    let accepted = street.ports[1].accept(&unknown);
    let before = street.asked(ONE);
    street.say(OTHER, accepted);
    let cancels = |asked: &[Vec<u8>]| asked.iter().filter(|r| r[0] == b'X' && r[1..5] == 9u32.to_be_bytes()).count();
    assert_eq!((cancels(&street.ports[0].asked), cancels(&street.ports[1].asked)), (0, 1));
    assert!(street.asked(ONE).starts_with(&before));
}

#[test]
fn a_packet_that_is_late_asks_its_own_venue_at_once() {
    let mut street = open();
    street.next[0] += 1;
    street.market(ONE, &[add(1, 8, b"B", 100, 99_000)]);
    // What is due is done with the next packet, too, whoever's was the last.
    street.market(OTHER, &[add(1, 8, b"B", 100, 99_000)]);
    street.now = street.now.after(GAP);
    street.market(ONE, &[add(1, 9, b"B", 100, 98_000)]);
    let asked = street.sent(|effect| matches!(effect, Effect::Datagram(_)));
    assert!(!asked.is_empty() && asked.iter().all(|venue| *venue == ONE), "{asked:?}");
}

#[test]
fn what_names_a_venue_that_is_not_there_is_counted_and_of_no_effect() {
    let mut street = open();
    let before = street.lane.digest();
    let nowhere = VenueId(2);
    let packet = packet(DAY, 1, &opening(2));
    let snapshot = CommandBuf::snapshot(nowhere);
    let inputs = [
        Input::Packet(Arrival::on(nowhere, A), &packet),
        Input::Session(nowhere, SessionId::ORDERS, SessionInput::Connected),
        Input::Session(nowhere, SessionId::SNAPSHOT, SessionInput::Bytes(b"bytes")),
        Input::Timer(Machine::Feed(nowhere)),
        Input::Command(snapshot.bytes()),
    ];
    for (n, input) in (1..).zip(inputs) {
        street.give(input);
        assert_eq!(street.lane.core().counters().elsewhere, n);
    }
    assert_ne!(street.lane.digest(), before, "they are inputs, numbered as any");
    assert!(street.fresh(ONE) && street.fresh(OTHER) && street.snapshots.is_empty());
}

#[test]
fn a_lane_of_two_venues_is_saved_and_goes_on() {
    let mut street = open();
    street.tell(ONE, Do::Buy, 100, 90_000);
    street.tell(OTHER, Do::Sell, 100, 110_000);
    street.next[1] += 1;
    street.market(OTHER, &[add(1, 8, b"B", 100, 99_000)]);
    street.cut(ONE);
    let mut saved = Writer::default();
    street.lane.save(&mut saved);
    let mut restored = lane();
    restored.load(&mut Reader(&saved.0)).unwrap();
    assert_eq!(restored.digest(), street.lane.digest());
    // The same inputs have the same outputs.
    let traces = [&mut street.lane, &mut restored].map(|lane| {
        let (mut out, mut all) = (Outbox::new(0), Trace::default());
        for step in 1..200u64 {
            let now = Mono(street.now.0 + step * 10_000_000);
            while let Some(machine) = lane.due(now) {
                feed(lane, now, Input::Timer(machine), &mut out, |out| all.take(out));
            }
        }
        all
    });
    assert!(!traces[0].effects.is_empty() && traces[0] == traces[1]);
    assert_eq!(restored.digest(), street.lane.digest());
}

#[test]
fn parts_that_do_not_fit_their_venues_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut Parts<Desk<Told>>)| -> Option<OutOfRange> {
        let setup = setup();
        let mut parts = parts(&setup, Told::default());
        parts.venues = PerVenue::one(venue_parts(&setup, ONE)).and(venue_parts(&setup, OTHER));
        change(&mut parts);
        Gateway::new(parts).err()
    };
    let many = |n: u8| {
        let setup = Setup { instruments: 8, ..setup() };
        (1..n).fold(PerVenue::one(venue_parts(&setup, ONE)), |all, n| all.and(venue_parts(&setup, VenueId(n))))
    };
    assert_eq!(refused(&|_| {}), None);
    let field = |e: Option<OutOfRange>| e.map(|e| e.field);
    assert_eq!(field(refused(&|p| p.venues = many(3))), Some("parts.orders"), "orders of two venues");
    let twice = |p: &mut Parts<Desk<Told>>| {
        p.venues = PerVenue::one(venue_parts(&setup(), ONE)).and(venue_parts(&setup(), ONE));
    };
    assert_eq!(field(refused(&twice)), Some("parts.venues.line"));
    assert_eq!(field(refused(&|p| p.venues = many(65))), Some("parts.venues"), "64 at most");
    let away = Instrument { venue: VenueId(2), ..Instrument::us_equity(Symbol(symbol(1))) };
    let listed = InstrumentTable::new(&[away], 8, true);
    let listed = std::cell::Cell::new(Some(listed));
    assert_eq!(field(refused(&|p| p.instruments = listed.take().unwrap())), Some("parts.instruments"));
}
