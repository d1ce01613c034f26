//! MoldUDP64 1.00 and GLIMPSE 5.0.

use firelane_gateway::flow::wire::glimpse::{self, Item, Padding};
use firelane_gateway::flow::wire::moldudp64::{
    END_OF_SESSION, Header, Packet, PacketBuilder, Request, end_of_session, heartbeat,
};
use zerocopy::IntoBytes;

/// Session, sequence number of the first message, message count; then each message behind its length: a short one, an
/// empty one, and one of 258 bytes, whose length has two different bytes.
fn packet() -> Vec<u8> {
    let mut bytes = b"SESSION\x20\x20A\x01\x02\x03\x04\x05\x06\x07\x08\x00\x03".to_vec();
    bytes.extend(b"\x00\x03one");
    bytes.extend(b"\x00\x00");
    bytes.extend(b"\x01\x02");
    bytes.extend([b'x'; 0x0102]);
    bytes
}

#[test]
fn a_downstream_packet() {
    let bytes = packet();
    let read = Packet::parse(&bytes).unwrap();
    let Header { session, sequence, count } = read.header();
    assert_eq!((session, sequence.get(), count.get()), (b"SESSION  A", 0x0102_0304_0506_0708, 3));
    let messages: Vec<(u64, &[u8])> = read.messages().map(Result::unwrap).collect();
    let first = 0x0102_0304_0506_0708;
    assert_eq!(messages, [(first, &b"one"[..]), (first + 1, b""), (first + 2, &[b'x'; 258])]);
    assert_eq!(read.trailing(), Some(0));

    let mut buffer = [0; 400];
    let mut built = PacketBuilder::new(&mut buffer, *b"SESSION  A", 0x0102_0304_0506_0708).unwrap();
    for message in [&b"one"[..], b"", &[b'x'; 258]] {
        built.push(message).unwrap();
    }
    assert_eq!(built.finish(), bytes);
}

/// A count of more than 255: both of its bytes count.
#[test]
fn a_count_of_two_bytes() {
    let mut bytes = b"SESSION  A\x00\x00\x00\x00\x00\x00\x00\x01\x01\x02".to_vec();
    bytes.extend([0; 2 * 0x0102]);
    assert_eq!(Packet::parse(&bytes).unwrap().messages().filter(Result::is_ok).count(), 258);
    let mut buffer = [1; 600];
    let mut built = PacketBuilder::new(&mut buffer, *b"SESSION  A", 1).unwrap();
    (0..258).for_each(|_| built.push(b"").unwrap());
    assert_eq!(built.finish(), bytes);
}

#[test]
fn a_heartbeat_and_an_end_of_session() {
    let beat = b"SESSION  A\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00";
    let end = b"SESSION  A\x01\x02\x03\x04\x05\x06\x07\x08\xff\xff";
    assert_eq!(heartbeat(*b"SESSION  A", 0x0102_0304_0506_0708).as_bytes(), beat);
    assert_eq!(end_of_session(*b"SESSION  A", 0x0102_0304_0506_0708).as_bytes(), end);
    for (bytes, count) in [(beat, 0), (end, END_OF_SESSION)] {
        let read = Packet::parse(bytes).unwrap();
        assert_eq!((read.header().count.get(), read.messages().count()), (count, 0));
        assert_eq!(read.header().sequence.get(), 0x0102_0304_0506_0708);
    }
}

#[test]
fn a_request() {
    let bytes = b"SESSION  A\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a";
    let request = Request::new(*b"SESSION  A", 0x0102_0304_0506_0708, 0x090a);
    assert_eq!(request.encode(), bytes);
    let read = Request::parse(bytes).unwrap();
    assert_eq!((&read.session, read.sequence.get(), read.count.get()), (b"SESSION  A", 0x0102_0304_0506_0708, 0x090a));
}

/// GLIMPSE 5.0, End of Snapshot: `G` and the number of the next live message, twenty ASCII digits.
#[test]
fn an_end_of_snapshot() {
    let bytes = b"G           1234567890";
    assert_eq!(bytes.len(), 22, "this one is a byte too long");
    assert!(glimpse::decode(bytes).is_err());
    let bytes = b"G          1234567890";
    assert_eq!(glimpse::decode(bytes), Ok(Item::End { next_sequence: 1_234_567_890 }));
    assert_eq!(&glimpse::encode_end(1_234_567_890, Padding::LeadingSpaces), bytes);
}
