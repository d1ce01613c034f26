//! Venues of different protocols in one lane: two of order books over multicast, one of levels over a stream.

use super::rig::*;
use super::street::Street;
use firelane_gateway::base::{
    Digest, ExchangeTime, InstrumentId, Nanos, PerVenue, Reader, SessionId, Side, VenueId, Writer,
};
use firelane_gateway::flow::book::{BookKind, StaleReason};
use firelane_gateway::flow::either::Either;
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::feed::{Direct, Feed, Mold, StreamConfig};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::normal_line::NormalLine;
use firelane_gateway::flow::orders::OrdersConfig;
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::venue::VenueParts;
use firelane_gateway::flow::wire::normal::{self, Body, InstrumentBody, LONGEST, LevelBody, State, TradeBody};
use firelane_gateway::flow::wiring::{Parts, Wiring};
use firelane_gateway::flow::{CommandBytes, Gateway, Input};
use std::ops::{Deref, DerefMut};
use zerocopy::byteorder::little_endian::{I64, U64};

const ONE: VenueId = VenueId(0);
const TWO: VenueId = VenueId(1);
/// The venue of levels.
const FAR: VenueId = VenueId(2);
const ALL: [VenueId; 3] = [ONE, TWO, FAR];
/// The only instrument of the third venue; the others' come first.
const Z: InstrumentId = InstrumentId(4);

struct Mixed;

impl Wiring for Mixed {
    type Venue =
        (Either<Mold<ItchLine>, Direct<NormalLine>>, Either<ItchLine, NormalLine>, Either<OuchEntry, OuchEntry>);
    type Signal = Imbalance;
    type Strategy = Told;
    type Probe = ();
}

type Lane = Gateway<Mixed>;
type Ends = VenueParts<<Mixed as Wiring>::Venue>;

const STREAM: StreamConfig = StreamConfig {
    timeout: Nanos::from_secs(60),
    retries: 2,
    retry_after: Nanos::from_millis(10),
    slow_retry_after: Nanos::from_millis(50),
};

fn lane() -> Lane {
    let plain = Setup::default();
    let setup = Setup { orders: OrdersConfig { venues: 3, ..plain.orders }, ..plain };
    let itch = |venue| {
        let VenueParts { feed, line, books, trading, entry } = venue_parts(&setup, venue);
        VenueParts { feed: Either::First(feed), line: Either::First(line), books, trading, entry: Either::First(entry) }
    };
    let VenueParts { feed: _, line: _, books, trading, entry } = venue_parts(&setup, FAR);
    let far: Ends = VenueParts {
        feed: Either::Second(Direct::new(STREAM).unwrap()),
        line: Either::Second(NormalLine::new(FAR, 4).unwrap()),
        books,
        trading,
        entry: Either::Second(entry),
    };
    let Parts { lane, tags, venues: _, instruments, signal, strategy, gate, orders, probe, policy } =
        parts(&setup, Told::default());
    let venues = PerVenue::one(itch(ONE)).and(itch(TWO)).and(far);
    Gateway::new(Parts { lane, tags, venues, instruments, signal, strategy, gate, orders, probe, policy }).unwrap()
}

// ---- the adapter --------------------------------------------------------------------------------------------------

fn frames(writer: &mut normal::Writer, all: &[(u32, Body<'_>)]) -> Vec<u8> {
    let mut buffer = [0; LONGEST];
    let stamp = ExchangeTime::new(20_000, 36_000_000_000_000);
    all.iter().flat_map(|(id, body)| writer.write(&mut buffer, stamp, *id, *body).unwrap().to_vec()).collect()
}

fn instrument() -> InstrumentBody {
    InstrumentBody {
        name: *b"FIREFAR         ",
        tick: I64::new(500),
        lot: I64::new(10),
        multiplier: I64::new(1),
        price_exponent: -4,
        qty_exponent: 0,
        currency: *b"USD     ",
        live: b'Y',
        zero: [0; 5],
    }
}

/// What the stream begins with: 300 bid at 20.00 and 200 at 19.95, 500 offered at 20.10.
fn snapshot(writer: &mut normal::Writer, bid: i64) -> Vec<u8> {
    let instrument = instrument();
    let levels = [(Side::Buy, 200_000, bid), (Side::Buy, 199_500, 200), (Side::Sell, 201_000, 500)]
        .map(|(side, price, qty)| (side, LevelBody::new(side, price, qty, 3)));
    let mut all = vec![
        (0, Body::SnapshotBegin),
        (0, Body::Status(State::Open)),
        (1, Body::Instrument(&instrument)),
        (1, Body::Status(State::Open)),
        (1, Body::Clear(None)),
    ];
    all.extend(levels.iter().map(|(side, level)| (1, Body::Level(*side, level))));
    all.push((0, Body::SnapshotEnd));
    frames(writer, &all)
}

/// Changes: the best bid goes, another comes, the offer changes, and trades in between.
fn changes(writer: &mut normal::Writer) -> Vec<u8> {
    let (gone, new) = (LevelBody::new(Side::Buy, 200_000, 0, 0), LevelBody::new(Side::Buy, 200_500, 70, 1));
    let less = LevelBody::new(Side::Sell, 201_000, 100, 1);
    let trade = TradeBody { price: I64::new(200_000), qty: I64::new(300), trade: U64::new(0) };
    frames(
        writer,
        &[
            (1, Body::Trade(&trade)),
            (1, Body::Level(Side::Buy, &gone)),
            (0, Body::Heartbeat),
            (1, Body::Level(Side::Buy, &new)),
            (1, Body::Level(Side::Sell, &less)),
        ],
    )
}

// ---- the lane and its venues --------------------------------------------------------------------------------------

/// Two venues of order books, and the adapter of the third.
struct Trio {
    street: Street<Mixed, 3>,
    stream: normal::Writer,
}

impl Deref for Trio {
    type Target = Street<Mixed, 3>;

    fn deref(&self) -> &Self::Target {
        &self.street
    }
}

impl DerefMut for Trio {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.street
    }
}

impl Trio {
    /// Trading at all three.
    fn open() -> Self {
        let mut street = Trio::connected();
        let bytes = snapshot(&mut street.stream, 300);
        street.far(&bytes);
        ALL.iter().for_each(|venue| assert!(street.fresh(*venue), "{venue:?}"));
        assert!(street.lane.feeds().get(FAR).unwrap().is_live());
        street
    }

    /// Trading at two, and the third's stream is up.
    fn connected() -> Self {
        let mut street = Trio { street: Street::new(lane()), stream: normal::Writer::default() };
        street.give(Input::Command(CommandBytes::START));
        street.pass(Nanos::from_millis(1_100));
        street.market(ONE, &opening(2));
        street.market(TWO, &opening(2));
        assert!(ALL.iter().all(|venue| street.lane.core().ready(*venue)));
        assert_eq!(street.wires, [(FAR, Effect::Connect(SessionId::STREAM))]);
        assert!(street.fresh(ONE) && !street.fresh(FAR));
        street.wires.clear();
        street.up();
        street
    }

    fn up(&mut self) {
        self.stream = normal::Writer::default();
        self.give(Input::Session(FAR, SessionId::STREAM, SessionInput::Connected));
    }

    fn down(&mut self) {
        self.give(Input::Session(FAR, SessionId::STREAM, SessionInput::Closed));
    }

    /// Bytes of the adapter.
    fn far(&mut self, bytes: &[u8]) {
        self.give(Input::Session(FAR, SessionId::STREAM, SessionInput::Bytes(bytes)));
    }

    fn tell_far(&mut self, what: Do, qty: i64, price: i64) {
        let trade = TradeBody { price: I64::new(price), qty: I64::new(qty), trade: U64::new(what as u64) };
        let bytes = frames(&mut self.stream, &[(1, Body::Trade(&trade))]);
        self.far(&bytes);
    }

    fn levels(&self, id: InstrumentId, side: Side) -> Vec<(i64, i64)> {
        self.lane.core().book(id).levels(side).map(|level| (level.price.0, level.qty.0)).collect()
    }

    fn displayed(&self) -> u64 {
        let mut digest = Digest::default();
        ALL.iter().for_each(|venue| self.lane.core().market(*venue).unwrap().books.digest_displayed(&mut digest));
        digest.value()
    }
}

#[test]
fn books_of_orders_and_of_levels_stand_side_by_side() {
    let mut street = Trio::open();
    let core = street.lane.core();
    let row = core.instruments().get(Z).unwrap();
    assert_eq!((row.venue, row.tick, row.lot, &row.name.0), (FAR, 500, 10, b"FIREFAR         "));
    assert_eq!((core.book(X).kind(), core.book(Z).kind()), (Some(BookKind::Orders), Some(BookKind::Levels)));
    assert_eq!(street.levels(Z, Side::Buy), [(200_000, 300), (199_500, 200)]);
    assert_eq!(
        (street.levels(X, Side::Buy), street.levels(Z, Side::Sell)),
        (vec![(100_000, 300)], vec![(201_000, 500)])
    );
    let bytes = changes(&mut street.stream);
    street.far(&bytes);
    street.market(TWO, &[delete(1, 1_000)]);
    assert_eq!(street.levels(Z, Side::Buy), [(200_500, 70), (199_500, 200)]);
    assert_eq!((street.levels(X, Side::Buy).len(), street.levels(Z, Side::Sell)), (1, vec![(201_000, 100)]));
    assert!(street.levels(InstrumentId(2), Side::Buy).is_empty());
    assert!(street.lane.core().market(FAR).unwrap().trades(Z));
}

#[test]
fn orders_go_to_the_venue_of_levels_by_its_own_port_and_stop_when_it_halts() {
    let mut street = Trio::open();
    street.tell_far(Do::Buy, 100, 199_500);
    street.market(ONE, &[tell(1, Do::Buy, 100, 90_000)]);
    assert_eq!(ALL.map(|venue| street.asked(venue)), ["QO", "Q", "QO"].map(String::from));
    let fill = street.ports[2].execute(1, 40, 199_500);
    street.say(FAR, fill);
    let position = |id| street.lane.core().gate().ledger().account(id).position.0;
    assert_eq!((position(Z), position(X)), (40, 0));
    // The level at 19.95 holds what is left of the own order.
    let level = street.lane.core().book(Z).levels(Side::Buy).nth(1).unwrap();
    assert_eq!((level.own_qty.0, level.qty.0), (60, 200));
    let bytes = frames(&mut street.stream, &[(1, Body::Status(State::Halted))]);
    street.far(&bytes);
    street.tell_far(Do::Buy, 100, 199_500);
    assert_eq!(street.asked(FAR), "QO", "it is halted");
    let bytes = frames(&mut street.stream, &[(1, Body::Status(State::Open))]);
    street.far(&bytes);
    street.tell_far(Do::Buy, 100, 199_000);
    assert_eq!(street.asked(FAR), "QOO");
    let bytes = frames(&mut street.stream, &[(0, Body::Status(State::Closed))]);
    street.far(&bytes);
    street.tell_far(Do::Buy, 100, 199_000);
    assert_eq!(street.asked(FAR), "QOO", "the market is closed");
}

#[test]
fn a_lost_stream_stales_its_own_books_alone_and_the_next_snapshot_heals_them() {
    let mut street = Trio::open();
    street.tell_far(Do::Buy, 100, 199_500);
    street.market(ONE, &[tell(1, Do::Buy, 100, 90_000)]);
    street.down();
    assert_eq!(ALL.map(|venue| street.fresh(venue)), [true, true, false]);
    assert_eq!(ALL.map(|venue| street.said(Alert::MarketSilent, venue)), [0, 0, 1]);
    assert_eq!((street.asked(ONE), street.asked(FAR)), ("QO".into(), "QOX".into()), "what rests there is cancelled");
    assert!(street.wires.is_empty());
    street.pass(STREAM.retry_after);
    assert_eq!(street.wires, [(FAR, Effect::Connect(SessionId::STREAM))]);
    street.up();
    let bytes = snapshot(&mut street.stream, 250);
    street.far(&bytes[..bytes.len() - 1]);
    assert!(!street.fresh(FAR), "its end is not here");
    assert!(street.lane.core().book(Z).freshness().has(StaleReason::Snapshot));
    street.far(&bytes[bytes.len() - 1..]);
    assert_eq!(ALL.map(|venue| street.fresh(venue)), [true; 3]);
    assert_eq!((street.said(Alert::MarketBack, FAR), street.said(Alert::SnapshotEnd, FAR)), (1, 2));
    assert_eq!(street.levels(Z, Side::Buy), [(200_000, 250), (199_500, 200)]);
    // And trades again.
    street.tell_far(Do::Buy, 100, 199_500);
    assert_eq!(street.asked(FAR), "QOXO");
    assert_eq!(street.levels(X, Side::Buy), [(100_000, 300)]);
}

#[test]
fn a_wrong_number_a_broken_frame_and_silence_end_the_connection() {
    let skipped = |writer: &mut normal::Writer| {
        frames(writer, &[(0, Body::Heartbeat)]);
        frames(writer, &[(0, Body::Heartbeat)])
    };
    let broken = |writer: &mut normal::Writer| {
        let mut bytes = changes(writer);
        bytes[0] = 0;
        bytes
    };
    for wrong in [&skipped as &dyn Fn(&mut normal::Writer) -> Vec<u8>, &broken, &|_| Vec::new()] {
        let mut street = Trio::open();
        let bytes = wrong(&mut street.stream);
        if bytes.is_empty() {
            street.pass(STREAM.timeout);
        } else {
            street.far(&bytes);
            assert!(!street.fresh(FAR));
            street.pass(Nanos(0));
        }
        assert_eq!(ALL.map(|venue| street.fresh(venue)), [true, true, false]);
        assert_eq!(street.wires, [(FAR, Effect::Disconnect(SessionId::STREAM))]);
        street.wires.clear();
        street.down();
        street.pass(STREAM.retry_after);
        assert_eq!(street.wires, [(FAR, Effect::Connect(SessionId::STREAM))]);
        street.up();
        let bytes = snapshot(&mut street.stream, 300);
        street.far(&bytes);
        assert!(street.fresh(FAR) && street.lane.core().book(Z).freshness().is_fresh());
    }
}

#[test]
fn what_contradicts_its_book_is_healed_by_another_connection() {
    let mut street = Trio::open();
    // An instrument in other units than those in which it is known.
    let other = InstrumentBody { price_exponent: -2, ..instrument() };
    let bytes = frames(&mut street.stream, &[(1, Body::Instrument(&other))]);
    street.far(&bytes);
    assert_eq!(ALL.map(|venue| street.fresh(venue)), [true, true, false]);
    assert_eq!(street.said(Alert::Skipped, FAR), 1);
    assert_eq!(street.wires, [(FAR, Effect::Disconnect(SessionId::STREAM))]);
    street.down();
    street.pass(STREAM.retry_after);
    street.up();
    let bytes = snapshot(&mut street.stream, 300);
    street.far(&bytes);
    assert!(street.fresh(FAR));
}

#[test]
fn bytes_cut_at_every_place_give_the_same_books() {
    let mut writer = normal::Writer::default();
    let wire = [snapshot(&mut writer, 300), changes(&mut writer)].concat();
    let whole = {
        let mut street = Trio::connected();
        street.far(&wire);
        assert!(street.fresh(FAR));
        street.displayed()
    };
    // A lane of its own for each cut takes long: one is put back to where it was.
    let mut street = Trio::connected();
    let mut before = Writer::default();
    street.lane.save(&mut before);
    let empty = street.displayed();
    let ends = (0..=wire.len()).map(|cut| vec![cut]).chain([(1..wire.len()).collect()]);
    for cuts in ends {
        street.lane.load(&mut Reader(&before.0)).unwrap();
        assert_eq!(street.displayed(), empty);
        let mut from = 0;
        for cut in cuts.iter().copied().chain([wire.len()]) {
            street.far(&wire[from..cut]);
            from = cut;
        }
        assert!(street.fresh(FAR) && street.displayed() == whole, "cut at {cuts:?}");
    }
}

#[test]
fn a_lane_that_is_saved_in_the_middle_of_a_snapshot_goes_on() {
    let mut street = Trio::connected();
    let bytes = [snapshot(&mut street.stream, 300), changes(&mut street.stream)].concat();
    for cut in [0, 30, 100, 217, 300] {
        street.far(&bytes[..cut]);
        let mut saved = Writer::default();
        street.lane.save(&mut saved);
        let mut restored = lane();
        restored.load(&mut Reader(&saved.0)).unwrap();
        assert_eq!(restored.digest(), street.lane.digest(), "{cut}");
        let now = street.now;
        let mut lanes = [street.street.lane, restored];
        let outputs = lanes.each_mut().map(|lane| {
            let (mut out, mut all) = (Outbox::new(0), Trace::default());
            let more = Input::Session(FAR, SessionId::STREAM, SessionInput::Bytes(&bytes[cut..]));
            feed(lane, now, more, &mut out, |out| all.take(out));
            for _ in 0..40 {
                let at = lane.next_deadline();
                let Some(machine) = lane.due(at) else { break };
                feed(lane, at, Input::Timer(machine), &mut out, |out| all.take(out));
            }
            all
        });
        assert!(outputs[0] == outputs[1] && !outputs[0].tape.is_empty(), "{cut}");
        assert_eq!(lanes[0].digest(), lanes[1].digest(), "{cut}");
        assert!(lanes[0].core().book(Z).depth(Side::Buy) == 2, "{cut}");
        street = Trio::connected();
    }
}
