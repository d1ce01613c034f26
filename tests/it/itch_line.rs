//! ITCH 5.0 as a market line: what each message becomes, and how locate codes are learnt.

use firelane_gateway::base::{
    ExchangeTime, Instrument, InstrumentId, InstrumentTable, Price, Qty, Side, Symbol, VenueRef,
};
use firelane_gateway::flow::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent, Peek, Soundness};
use firelane_gateway::flow::wire::itch50::{TYPES, length_of};

const DAY: u32 = 15_512;
const NS: u64 = 34_200_000_000_001;

/// A message of `kind` from `locate`: zeroes, with `fields` written at their offsets, as far as it reaches.
fn message(kind: u8, locate: u16, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; length_of(kind).unwrap()];
    bytes[0] = kind;
    bytes[1..3].copy_from_slice(&locate.to_be_bytes());
    bytes[5..11].copy_from_slice(&NS.to_be_bytes()[2..]);
    for (offset, field) in fields {
        bytes.iter_mut().skip(*offset).zip(*field).for_each(|(to, from)| *to = *from);
    }
    bytes
}

fn symbol(text: &str) -> [u8; 8] {
    Symbol::new(text).unwrap().0
}

fn add(locate: u16, reference: u64, stock: &str) -> Vec<u8> {
    message(
        b'A',
        locate,
        &[
            (11, &reference.to_be_bytes()),
            (19, b"S"),
            (20, &300u32.to_be_bytes()),
            (24, &symbol(stock)),
            (32, &5_853_300u32.to_be_bytes()),
        ],
    )
}

fn open_table(capacity: usize) -> InstrumentTable {
    InstrumentTable::new(&[], capacity, true)
}

fn listed(symbols: &[&str]) -> InstrumentTable {
    let rows: Vec<_> = symbols.iter().map(|s| Instrument::us_equity(Symbol::new(s).unwrap())).collect();
    InstrumentTable::new(&rows, rows.len(), false)
}

fn kind(bytes: &[u8]) -> EventKind {
    let mut line = ItchLine::new(DAY);
    let mut table = open_table(2);
    // Locate 7 is explained, so that messages without a symbol find their instrument.
    line.decode(&message(b'N', 7, &[(11, &symbol("AAPL"))]), &mut table).unwrap();
    let event = line.decode(bytes, &mut table).unwrap();
    assert_eq!(event.at, ExchangeTime::new(DAY, NS));
    event.kind
}

const REF: VenueRef = VenueRef(0x0102_0304_0506_0708);
const REF_BYTES: [u8; 8] = REF.0.to_be_bytes();

#[test]
fn order_messages_become_order_events() {
    let (qty, n) = (Qty(300), 300u32.to_be_bytes());
    let (price, p) = (Price(5_853_300), 5_853_300u32.to_be_bytes());
    let trade = 77u64.to_be_bytes();
    assert_eq!(kind(&add(7, REF.0, "AAPL")), EventKind::Add { order: REF, side: Side::Sell, qty, price });
    let f = [(11, &REF_BYTES[..]), (19, b"B"), (20, &n), (24, &symbol("AAPL")), (32, &p), (36, b"FIRE")];
    assert_eq!(kind(&message(b'F', 7, &f)), EventKind::Add { order: REF, side: Side::Buy, qty, price });
    let execute = |price, printable| EventKind::Execute { order: REF, qty, price, printable, trade: 77 };
    assert_eq!(kind(&message(b'E', 7, &[(11, &REF_BYTES), (19, &n), (23, &trade)])), execute(None, true));
    for (flag, printable) in [(b"Y", true), (b"N", false)] {
        let c = [(11, &REF_BYTES[..]), (19, &n), (23, &trade), (31, flag), (32, &p)];
        assert_eq!(kind(&message(b'C', 7, &c)), execute(Some(price), printable));
    }
    assert_eq!(kind(&message(b'X', 7, &[(11, &REF_BYTES), (19, &n)])), EventKind::Reduce { order: REF, qty });
    assert_eq!(kind(&message(b'D', 7, &[(11, &REF_BYTES)])), EventKind::Delete { order: REF });
    let u = [(11, &REF_BYTES[..]), (19, &99u64.to_be_bytes()), (27, &n), (31, &p)];
    assert_eq!(kind(&message(b'U', 7, &u)), EventKind::Replace { order: REF, new: VenueRef(99), qty, price });
    let traded = [(20, &n[..]), (24, &symbol("AAPL")), (32, &p), (36, &trade)];
    assert_eq!(kind(&message(b'P', 7, &traded)), EventKind::Trade { qty, price, trade: 77 });
    let crossed = [(11, &300u64.to_be_bytes()[..]), (19, &symbol("AAPL")), (27, &p), (31, &trade)];
    assert_eq!(kind(&message(b'Q', 7, &crossed)), EventKind::Cross { qty, price, trade: 77 });
    assert_eq!(kind(&message(b'B', 7, &[(11, &trade)])), EventKind::Broken { trade: 77 });
}

#[test]
fn state_messages_become_statuses() {
    let stock = symbol("AAPL");
    let status = |bytes: &[u8]| match kind(bytes) {
        EventKind::Status(status) => status,
        other => panic!("{other:?}"),
    };
    for (code, phase) in [
        (b"O", SessionPhase::StartOfMessages),
        (b"S", SessionPhase::StartOfSystemHours),
        (b"Q", SessionPhase::StartOfMarketHours),
        (b"M", SessionPhase::EndOfMarketHours),
        (b"E", SessionPhase::EndOfSystemHours),
        (b"C", SessionPhase::EndOfMessages),
    ] {
        assert_eq!(status(&message(b'S', 0, &[(11, code)])), Status::Session(phase));
    }
    assert_eq!(kind(&message(b'S', 0, &[(11, b"?")])), EventKind::Info);
    for (code, live) in [(b"P", true), (b"T", false), (b" ", false)] {
        let r = [(11, &stock[..]), (21, &10u32.to_be_bytes()), (29, code)];
        assert_eq!(status(&message(b'R', 7, &r)), Status::Directory { live, lot: Qty(10) });
    }
    for (code, action) in [
        (b"H", TradingAction::Halted),
        (b"P", TradingAction::Paused),
        (b"Q", TradingAction::QuotationOnly),
        (b"T", TradingAction::Trading),
        (b"?", TradingAction::Halted),
    ] {
        assert_eq!(status(&message(b'H', 7, &[(11, &stock), (19, code)])), Status::Trading(action));
    }
    for (code, halted) in [(b"H", true), (b"T", false), (b"?", true)] {
        let h = [(11, &stock[..]), (19, b"Q"), (20, code)];
        assert_eq!(status(&message(b'h', 7, &h)), Status::OperationalHalt { market: b'Q', halted });
    }
    for (code, restricted) in [(b"0", false), (b"1", true), (b"2", true)] {
        let y = [(11, &stock[..]), (19, code)];
        assert_eq!(status(&message(b'Y', 7, &y)), Status::ShortSaleRestricted(restricted));
    }
    let p = |price: u32| price.to_be_bytes();
    let j = [(11, &stock[..]), (19, &p(100)), (23, &p(110)), (27, &p(90))];
    let collar = Status::Collar { reference: Price(100), lower: Price(90), upper: Price(110) };
    assert_eq!(status(&message(b'J', 7, &j)), collar);
    let v = [(11, &3u64.to_be_bytes()[..]), (19, &2u64.to_be_bytes()), (27, &1u64.to_be_bytes())];
    assert_eq!(status(&message(b'V', 0, &v)), Status::BreakerLevels([3, 2, 1]));
    assert_eq!(status(&message(b'W', 0, &[(11, b"2")])), Status::Breaker(2));
    for (code, anticipated) in [(b"A", true), (b"C", false), (b"?", false)] {
        let k = [(11, &stock[..]), (19, &p(34_200)), (23, code), (24, &p(150_000))];
        let ipo = Status::Ipo { anticipated, release_ns: 34_200_000_000_000, price: Price(150_000) };
        assert_eq!(status(&message(b'K', 7, &k)), ipo);
    }
    for (code, eligible) in [(b"Y", true), (b"N", false)] {
        let o = [(11, &stock[..]), (19, code), (40, &p(90)), (44, &p(110))];
        let listing = Status::DirectListing { eligible, lower: Price(90), upper: Price(110) };
        assert_eq!(status(&message(b'O', 7, &o)), listing);
    }
    for (code, active) in [(b"A", true), (b"E", false), (b"W", false), (b"S", false), (b"D", false)] {
        let l = [(11, &b"FIRE"[..]), (15, &stock), (25, code)];
        assert_eq!(status(&message(b'L', 7, &l)), Status::Participant { mpid: *b"FIRE", active });
    }
    let i = [(11, &5u64.to_be_bytes()[..]), (19, &6u64.to_be_bytes()), (27, b"S"), (28, &stock), (44, &p(100))];
    let imbalance =
        EventKind::Imbalance { paired: Qty(5), imbalance: Qty(6), side: Some(Side::Sell), reference: Price(100) };
    assert_eq!(kind(&message(b'I', 7, &i)), imbalance);
    assert_eq!(kind(&message(b'N', 7, &[(11, &stock), (19, b"A")])), EventKind::Info);
}

/// Section 6, Locate: "day-scoped, from 1; 0 = none".
#[test]
fn a_locate_means_what_the_day_has_said_and_nothing_after_it() {
    let mut line = ItchLine::new(DAY);
    let mut table = listed(&["AAPL", "MSFT"]);
    let delete = message(b'D', 7, &[]);
    assert_eq!(line.decode(&delete, &mut table), Err(NoEvent::Untracked));
    let instrument = |event: Result<Event, NoEvent>| event.unwrap().instrument;
    assert_eq!(instrument(line.decode(&add(7, 1, "MSFT"), &mut table)), Some(InstrumentId(1)));
    assert_eq!((line.instrument(7), line.instrument(8)), (Some(InstrumentId(1)), None));
    assert_eq!(instrument(line.decode(&delete, &mut table)), Some(InstrumentId(1)));
    // The symbol counts: a message that disagrees with the locate teaches it anew.
    assert_eq!(instrument(line.decode(&add(7, 2, "AAPL"), &mut table)), Some(InstrumentId(0)));
    assert_eq!(line.instrument(7), Some(InstrumentId(0)));
    line.reset(None);
    assert_eq!(line.instrument(7), None);
    assert_eq!(line.decode(&delete, &mut table), Err(NoEvent::Untracked));
}

#[test]
fn locates_that_a_small_line_has_no_room_for_are_not_followed() {
    let (mut line, mut table) = (ItchLine::with_locates(DAY, 4), InstrumentTable::new(&[], 8, true));
    assert!(line.decode(&add(3, 1, "LAST"), &mut table).is_ok());
    for locate in [4, 5, u16::MAX] {
        assert_eq!(line.decode(&add(locate, 2, "BEYOND"), &mut table), Err(NoEvent::InstrumentsFull), "{locate}");
    }
    assert_eq!((table.rows().len(), line.instrument(3), line.instrument(4)), (1, Some(InstrumentId(0)), None));
}

#[test]
fn locate_zero_is_never_learnt() {
    let mut line = ItchLine::new(DAY);
    let mut table = listed(&["AAPL"]);
    let ipo = message(b'K', 0, &[(11, &symbol("AAPL"))]);
    assert_eq!(line.decode(&ipo, &mut table).unwrap().instrument, Some(InstrumentId(0)));
    assert_eq!(line.instrument(0), None);
    assert_eq!(line.decode(&message(b'D', 0, &[]), &mut table), Err(NoEvent::Untracked));
}

#[test]
fn a_symbol_that_is_not_followed_gives_no_event() {
    let mut line = ItchLine::new(DAY);
    let mut table = listed(&["AAPL"]);
    for _ in 0..2 {
        assert_eq!(line.decode(&add(9, 1, "ZZZZ"), &mut table), Err(NoEvent::Untracked));
        assert_eq!(line.decode(&message(b'D', 9, &[]), &mut table), Err(NoEvent::Untracked));
    }
    assert_eq!(line.instrument(9), None);
}

#[test]
fn a_full_table_refuses_and_the_line_stays_as_it_was() {
    let mut line = ItchLine::new(DAY);
    let mut table = open_table(1);
    assert!(line.decode(&add(1, 1, "A"), &mut table).is_ok());
    for _ in 0..2 {
        assert_eq!(line.decode(&add(2, 2, "B"), &mut table), Err(NoEvent::InstrumentsFull));
        assert_eq!(line.instrument(2), None);
    }
    assert!(line.decode(&add(1, 3, "A"), &mut table).is_ok());
}

#[test]
fn what_cannot_be_decoded_is_classified_and_named() {
    let mut line = ItchLine::new(DAY);
    let mut table = open_table(1);
    let mut decode = |bytes: &[u8]| (ItchLine::classify(bytes), line.decode(bytes, &mut table));
    for kind in TYPES {
        let mut bytes = message(kind, 1, &[(19, b"B")]);
        assert_eq!(ItchLine::classify(&bytes), Soundness::Good, "{}", char::from(kind));
        bytes.push(0);
        assert_eq!(decode(&bytes), (Soundness::Malformed, Err(NoEvent::BadLength(kind))));
        bytes.truncate(bytes.len() - 2);
        assert_eq!(decode(&bytes), (Soundness::Malformed, Err(NoEvent::BadLength(kind))));
    }
    assert_eq!(decode(b"z234"), (Soundness::Unknown, Err(NoEvent::UnknownType(b'z'))));
    assert_eq!(
        decode(b""),
        (Soundness::Unknown, Err(NoEvent::UnknownType(0))),
        "MoldUDP64 allows it; it carries nothing"
    );
    let mut sideless = add(1, 1, "A");
    sideless[19] = b'X';
    assert_eq!(decode(&sideless).0, Soundness::Malformed);
    assert!(matches!(decode(&sideless).1, Err(NoEvent::BadField(_))));
    assert_eq!((ItchLine::locate(b"z\x01\x02"), ItchLine::locate(b"z\x01")), (Some(0x102), None));
}

#[test]
fn the_order_that_a_message_is_about_can_be_peeked() {
    for kind in TYPES {
        let bytes = message(kind, 1, &[(11, &REF_BYTES)]);
        let of_order = b"AFECXDU".contains(&kind);
        assert_eq!(ItchLine::peek_order(&bytes), of_order.then_some(REF), "{}", char::from(kind));
    }
    assert_eq!(ItchLine::peek_order(b"A234567890123456"), None);
    assert_eq!(ItchLine::peek_order(b""), None);
}

#[test]
fn what_is_coming_is_what_is_decoded_then() {
    let new = VenueRef(0x1112_1314_1516_1718);
    let learnt = || {
        let (mut line, mut table) = (ItchLine::new(DAY), open_table(4));
        for (locate, name) in [(3, "AA"), (7, "AAPL")] {
            line.decode(&message(b'N', locate, &[(11, &symbol(name))]), &mut table).unwrap();
        }
        (line, table)
    };
    for kind in TYPES {
        for side in [b"B", b"S"] {
            let fields: &[(usize, &[u8])] = match kind {
                b'A' | b'F' => {
                    &[(11, &REF_BYTES), (19, side), (20, &[1; 4]), (24, &symbol("AAPL")), (32, &[0x70, 2, 3, 4])]
                }
                b'U' => &[(11, &REF_BYTES), (19, &new.0.to_be_bytes()), (27, &[1; 4]), (31, &[9; 4])],
                // A share, a price and a side where others have something else.
                _ => &[(11, &REF_BYTES), (19, side), (20, &[7; 19])],
            };
            let (mut line, mut table) = learnt();
            let bytes = message(kind, 7, fields);
            let coming = line.foresee(&bytes);
            assert_eq!((coming.id, coming.adds), (InstrumentId(1), b"AF".contains(&kind)), "{}", char::from(kind));
            match line.decode(&bytes, &mut table).map(|event| event.kind) {
                Ok(EventKind::Add { order, side, price, .. }) => {
                    assert_eq!((coming.order, coming.enters, coming.side, coming.price), (order, order, side, price));
                }
                Ok(EventKind::Replace { order, new, .. }) => assert_eq!((coming.order, coming.enters), (order, new)),
                Ok(
                    EventKind::Delete { order } | EventKind::Reduce { order, .. } | EventKind::Execute { order, .. },
                ) => assert_eq!((coming.order, coming.enters), (order, order)),
                _ => assert!(!b"AFECXDU".contains(&kind), "{}", char::from(kind)),
            }
            assert!(coming.adds || coming.price == Price(0));
        }
        // However it is cut, there is nothing to fear.
        let (line, _) = learnt();
        let whole = message(kind, 7, &[(11, &REF_BYTES)]);
        (0..whole.len()).for_each(|length| _ = line.foresee(&whole[..length]));
        assert!(line.foresee(&message(kind, 8, &[])).id.0 >= 2, "a locate that nobody has explained");
        assert_eq!(line.foresee(b"").order, VenueRef(0));
    }
}
