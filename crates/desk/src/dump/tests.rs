//! What `firelane log dump` says of each kind of record.

use super::*;
use firelane_gateway::base::{Instrument, Mono, Symbol};
use firelane_gateway::flow::record;
use firelane_gateway::flow::wire::soupbintcp::header;
use firelane_gateway::shell::log::{Effects, FileWriter, Role};
use firelane_gateway::shell::rows::InstrumentRow;
use zerocopy::IntoBytes;

const AT: u64 = 1_700_000_000_000_000_000;

/// The records as a reader gives them back.
fn records(parts: &[(Kind, &[u8])]) -> (FileHeader, Vec<Record>) {
    let header = FileHeader::new(
        "w",
        "",
        vec![InstrumentRow::from(&Instrument::us_equity(Symbol(*b"AAPL    ")))],
        Effects::Bytes,
    )
    .began_at(AT);
    let mut file = FileWriter::new(Vec::new(), Role::Log, &header).unwrap();
    for (number, (kind, body)) in parts.iter().enumerate() {
        let number = number as u64 + 1;
        file.put(&[record::header(*kind, 0, number, Mono(number * 1_000_000), body.len()).as_bytes(), body]).unwrap();
    }
    let bytes = file.finish().unwrap();
    let mut reader = FileReader::new(&bytes[..]).unwrap();
    assert_eq!(reader.header(), &header);
    let mut all = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        all.push(record);
    }
    (header, all)
}

fn entries(parts: &[(Kind, &[u8])]) -> Vec<Entry> {
    let (header, records) = records(parts);
    let mut reading = Reading::new(&header);
    records.iter().map(|record| reading.entry(record)).collect()
}

fn packet(messages: &[&[u8]]) -> Vec<u8> {
    let mut buffer = [0; 1_472];
    let mut builder = moldudp64::PacketBuilder::new(&mut buffer, *b"000000001A", 7).unwrap();
    messages.iter().for_each(|message| builder.push(message).unwrap());
    [&[0, 0][..], builder.finish()].concat()
}

#[test]
fn what_cannot_be_decoded_says_its_message_and_byte() {
    let delete = itch50::OrderDelete { header: itch50::Header::new(b'D', 1, 5), order_ref: 9.into() };
    let body = packet(&[delete.as_bytes(), b"?what", &delete.as_bytes()[..18]]);
    let whole = entries(&[(Kind::Packet, &body)]).remove(0);
    let text = whole.text(80);
    assert!(text.contains("ITCH 7 Order Delete: order_ref 9,"), "{text}");
    // Header of 20, a message of 19 and its length; then one of 5.
    assert!(text.contains("ITCH 8 ERROR at byte 43: no ITCH message has type \"?\""), "{text}");
    assert!(text.contains("ITCH 9 ERROR at byte 50: an ITCH message of type \"D\" has 19 bytes,"), "{text}");
    let torn = entries(&[(Kind::Packet, &body[..body.len() - 1])]).remove(0).text(80);
    assert!(torn.contains("MoldUDP64 9 ERROR at byte 48: the packet ends here; 1 of its messages"), "{torn}");
    let noise = entries(&[(Kind::Packet, b"\0\x01short")]).remove(0).text(120);
    assert!(noise.contains("Packet line B ERROR: 5 bytes are no MoldUDP64"), "{noise}");
}

/// A record in front of which a packet began: it is told with the bytes that end it.
#[test]
fn packets_of_a_stream_are_told_where_they_end() {
    let bytes = [&header(b'Z', 0).unwrap()[..], &header(b'H', 0).unwrap()].concat();
    let first = [&[0, 0][..], &bytes[..4]].concat();
    let second = [&[0, 0][..], &bytes[4..]].concat();
    let all = entries(&[(Kind::Bytes, &first), (Kind::Bytes, &second)]);
    let [first, second] = [&all[0], &all[1]].map(|entry| entry.text(120));
    assert!(first.contains("session order entry, bytes 4, of_a_packet_to_come 1") && first.contains("End of Session"));
    assert!(second.contains("SoupBinTCP Heartbeat") && !second.contains("End of Session"), "{second}");
    let broken = entries(&[(Kind::Bytes, &[0, 0, 0, 0, 1])]).remove(0).text(80);
    assert!(broken.contains("ERROR at byte 0: a packet of no length"), "{broken}");
}

#[test]
fn times_are_times_of_day_where_the_file_knows_them() {
    let timer = entries(&[(Kind::Timer, &[0, 0])]).remove(0);
    // 1,700,000,000 s is 2023-11-14 22:13:20 UTC.
    assert_eq!(timer.time.as_deref(), Some("22:13:20.001000000"));
    assert_eq!(timer.text(80), "        1 22:13:20.001000000 Timer machine feed");
    let json = serde_json::to_string(&timer).unwrap();
    assert_eq!(
        json,
        r#"{"input":1,"time_ns":1000000,"time":"22:13:20.001000000","kind":"Timer","fields":{"machine":"feed"}}"#
    );
}

/// No body whatever its length makes a dump stop.
#[test]
fn a_body_of_any_length_is_told() {
    for kind in (0..=u8::MAX).filter_map(Kind::from_byte) {
        for length in (0..200).step_by(3) {
            for byte in [0, 0x41] {
                let body = vec![byte; length];
                let entry = entries(&[(kind, &body)]).remove(0);
                assert!(!entry.text(80).is_empty() && serde_json::to_string(&entry).is_ok());
            }
        }
    }
}

/// A venue of levels, cut anywhere, and begun anew with its connection.
#[test]
fn a_stream_of_levels_is_told_frame_by_frame() {
    use firelane_gateway::base::{ExchangeTime, Side};
    use firelane_gateway::flow::wire::normal::{Body, InstrumentBody, LevelBody, State, TradeBody, Writer};
    use zerocopy::byteorder::little_endian::I64;
    let instrument = InstrumentBody {
        name: *b"BTC-USDT        ",
        tick: I64::new(100),
        lot: I64::new(1),
        multiplier: I64::new(1),
        price_exponent: -4,
        qty_exponent: 0,
        currency: *b"USDT    ",
        live: b'Y',
        zero: [0; 5],
    };
    let level = LevelBody::new(Side::Buy, 101_500, 7, 2);
    let trade = TradeBody { price: I64::new(101_500), qty: I64::new(3), trade: 9.into() };
    let all = [
        (0, Body::SnapshotBegin),
        (1, Body::Instrument(&instrument)),
        (1, Body::Level(Side::Buy, &level)),
        (0, Body::SnapshotEnd),
        (1, Body::Clear(Some(Side::Sell))),
        (1, Body::Trade(&trade)),
        (0, Body::Status(State::Halted)),
        (0, Body::Heartbeat),
    ];
    let (mut writer, mut bytes) = (Writer::default(), Vec::new());
    for (number, body) in all {
        let mut room = [0; 256];
        bytes.extend_from_slice(
            writer.write(&mut room, ExchangeTime::new(1, 34_200_000_000_000), number, body).unwrap(),
        );
    }
    let of = |part: &[u8]| [&[2, 2][..], part].concat();
    let (first, rest) = bytes.split_at(61);
    let parts =
        [(Kind::Connected, of(&[])), (Kind::Bytes, of(first)), (Kind::Bytes, of(rest)), (Kind::Closed, of(&[]))];
    // What was cut off by the end of a connection is not the beginning of the next.
    let more = [
        (Kind::Bytes, of(&bytes[..30])),
        (Kind::Closed, of(&[])),
        (Kind::Connected, of(&[])),
        (Kind::Bytes, of(&bytes[..24])),
        (Kind::Bytes, of(&[0; 3])),
    ];
    let parts: Vec<(Kind, &[u8])> = parts.iter().chain(&more).map(|(kind, body)| (*kind, &body[..])).collect();
    let entries = entries(&parts);
    assert!(entries.iter().all(|entry| entry.error.is_none()));
    assert_eq!(entries[1].items.len(), 1, "the second frame is cut");
    assert!(entries[1].text(200).contains("of_a_packet_to_come 37"), "{}", entries[1].text(200));
    let text: Vec<String> = entries[2].items.iter().map(|item| item.text(300).trim().to_owned()).collect();
    let expected = [
        "Levels 2 Instrument: symbol BTC-USDT, tick 100, lot 1, multiplier 1, price_exponent -4, qty_exponent 0, currency USDT, live Y (live), instrument_number 1, timestamp 09:30:00.000000000",
        "Levels 3 Level of BTC-USDT: side B (buy), price $10.1500, qty 7, orders 2, instrument_number 1, timestamp 09:30:00.000000000",
        "Levels 4 Snapshot End: timestamp 09:30:00.000000000",
        "Levels 5 Clear of BTC-USDT: side S (sell), instrument_number 1, timestamp 09:30:00.000000000",
        "Levels 6 Trade of BTC-USDT: price $10.1500, qty 3, match_number 9, instrument_number 1, timestamp 09:30:00.000000000",
        "Levels 7 Status: state halted, timestamp 09:30:00.000000000",
        "Levels 8 Heartbeat: timestamp 09:30:00.000000000",
    ];
    assert_eq!(text, expected, "{text:#?}");
    assert_eq!((entries[7].items.len(), entries[8].items.len()), (1, 1));
    assert!(entries[8].text(200).contains("ERROR at byte 24: no frame begins so"), "{}", entries[8].text(200));
}

/// Two venues number their instruments alike.
#[test]
fn numbers_of_one_venue_name_nothing_at_another() {
    let reading_of = |venue: u8, symbol: &[u8; 8]| {
        let header = FileHeader::new("w", "", vec![], Effects::Bytes);
        let header: &'static FileHeader = Box::leak(Box::new(header));
        let mut reading = Reading::new(header);
        reading.by_locate.insert((VenueId(venue), 7), String::from_utf8_lossy(symbol).trim().to_owned());
        let fields = vec![("stock_locate", Value::Number(7))];
        let mut item = Item::said("ITCH", None, None, Said::new("Add Order", fields));
        reading.name(VenueId(1), &mut item);
        item.symbol
    };
    assert_eq!((reading_of(1, b"FIRE    "), reading_of(0, b"FIRE    ")), (Some("FIRE".to_owned()), None));
}
