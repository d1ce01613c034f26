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
