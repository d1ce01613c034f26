//! What must hold of every parser for any bytes at all. The fuzzers and the stable mutation tests share these.
#![allow(unreachable_pub)] // the fuzzers take this file in by its path

use firelane_gateway::base::{InstrumentTable, Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::feed::{Direct, Feed, Notice, Release, StreamConfig};
use firelane_gateway::flow::market::{MarketLine, NoEvent};
use firelane_gateway::flow::normal_line::NormalLine;
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::{glimpse, itch50, moldudp64, normal};
use firelane_sim::account::Account;
use firelane_sim::capture::merge::Merge;
use firelane_sim::capture::{Batch, CaptureError, Mark, binary_file, packets};

/// A message either comes back byte for byte or is refused for a reason that is true.
pub fn itch50(data: &[u8]) {
    match itch50::decode(data) {
        Ok(message) => {
            assert_eq!(message.as_bytes(), data);
            assert_eq!(itch50::length_of(message.header().message_type), Some(data.len()));
            assert_eq!(Some(message.header().stock_locate.get()), itch50::locate_of(data));
            assert!(message.header().timestamp.ns() < 1 << 48);
        }
        Err(itch50::Malformed::Empty) => assert!(data.is_empty()),
        Err(itch50::Malformed::UnknownType(message_type)) => {
            assert_eq!(data.first(), Some(&message_type));
            assert_eq!(itch50::length_of(message_type), None);
        }
        Err(itch50::Malformed::BadLength { message_type, length, expected }) => {
            assert_eq!((data.first(), data.len()), (Some(&message_type), length));
            assert!(itch50::length_of(message_type) == Some(expected) && length != expected);
        }
        Err(itch50::Malformed::BadSide(side)) => {
            assert!(matches!(data[0], b'A' | b'F') && data[19] == side && !matches!(side, b'B' | b'S'));
        }
    }
}

/// Blocks follow each other within the packet, numbers follow each other, an error comes last, a walk can be resumed
/// after any message, and a sound packet is what the builder makes of its messages.
pub fn moldudp64(data: &[u8]) {
    if let Ok(request) = moldudp64::Request::parse(data) {
        assert_eq!(request.encode(), data);
    }
    let Ok(packet) = moldudp64::Packet::parse(data) else {
        assert!(data.len() < moldudp64::HEADER_LENGTH);
        return;
    };
    let header = packet.header();
    let mut buffer = vec![0; data.len()];
    let mut builder = moldudp64::PacketBuilder::new(&mut buffer, header.session, header.sequence.get()).unwrap();
    let mut walk = packet.messages();
    let mut expected = header.sequence.get();
    let mut cut = None;
    loop {
        let before = (walk.offset(), walk.next_sequence(), walk.remaining());
        let mut resumed = moldudp64::Messages::at(data, before.0, before.1, before.2);
        let next = walk.next();
        assert_eq!(resumed.next(), next);
        match next {
            None => break,
            Some(Ok((sequence, message))) => {
                assert!(cut.is_none());
                assert_eq!(sequence, expected);
                assert_eq!(&data[before.0 + 2..walk.offset()], message);
                expected = expected.wrapping_add(1);
                builder.push(message).unwrap();
                itch50(message);
            }
            Some(Err(error)) => {
                assert!(cut.is_none());
                assert_eq!((error.offset, error.sequence, error.missing), before);
                cut = Some(error);
            }
        }
    }
    match packet.trailing() {
        None => assert!(cut.is_some()),
        Some(trailing) => {
            assert!(cut.is_none());
            let whole = &data[..data.len() - trailing];
            if header.count.get() == moldudp64::END_OF_SESSION {
                assert_eq!(whole.len(), moldudp64::HEADER_LENGTH);
            } else {
                assert_eq!(builder.finish(), whole);
            }
        }
    }
}

/// What is sound comes back as it was. As a stream: however it is cut, the same is released of it, in order, within what was
/// said to be a snapshot or live, and every message is one that the line takes or does not know.
pub fn normal(data: &[u8]) {
    if let Ok(frame) = normal::decode(data) {
        let mut writer = normal::Writer::starting_with(frame.header.sequence.get());
        let mut buffer = [0; normal::LONGEST];
        let (at, id) = (frame.header.time(), frame.header.instrument.get());
        assert_eq!(writer.write(&mut buffer, at, id, frame.body), Some(data));
    }
    let whole = released(&[data]);
    let (one, rest) = data.split_at(data.len() / 3);
    assert_eq!(released(&[one, rest]), whole);
    assert_eq!(released(&data.chunks(1).collect::<Vec<_>>()), whole);
}

/// What a feed and a line make of the pieces of a stream.
fn released(pieces: &[&[u8]]) -> Vec<String> {
    const STREAM: StreamConfig =
        StreamConfig { timeout: Nanos(9), retries: 1, retry_after: Nanos(1), slow_retry_after: Nanos(1) };
    let mut feed = Direct::<NormalLine>::new(STREAM).unwrap();
    let mut line = NormalLine::new(VenueId::FIRST, 4).unwrap();
    let mut table = InstrumentTable::new(&[], 2, true);
    let (mut out, mut all, mut next, mut within) = (Outbox::new(0), Vec::new(), 0, false);
    feed.on_timer(Mono(0), &mut out);
    feed.on_session(Mono(0), SessionId::STREAM, SessionInput::Connected, &mut out);
    for piece in pieces {
        feed.on_session(Mono(0), SessionId::STREAM, SessionInput::Bytes(piece), &mut out);
        while let Some(release) = feed.next(piece) {
            let (bytes, snapshot) = match release {
                Release::Message { bytes, sequence, .. } => {
                    assert!(sequence > next);
                    next = sequence;
                    (bytes, false)
                }
                Release::Snapshot { bytes } => (bytes, true),
                Release::Notice(notice) => {
                    within =
                        (within || notice == Notice::SnapshotBegin) && !matches!(notice, Notice::SnapshotEnd { .. });
                    all.push(format!("{notice:?}"));
                    continue;
                }
            };
            assert_eq!(snapshot, within);
            let decoded = line.decode(bytes, &mut table);
            let is_sound = normal::decode(bytes).is_ok();
            assert!(is_sound || matches!(decoded, Err(NoEvent::UnknownType(_))));
            all.push(format!("{decoded:?} {:?}", line.subject(bytes)));
        }
    }
    assert_eq!(out.overflowed(), 0);
    all
}

/// As for ITCH; the number that ends a snapshot comes back in every padding.
pub fn glimpse(data: &[u8]) {
    use glimpse::Padding::{LeadingSpaces, LeadingZeros, TrailingSpaces};
    match glimpse::decode(data) {
        Ok(glimpse::Item::Itch(message)) => assert_eq!(message.as_bytes(), data),
        Ok(end @ glimpse::Item::End { next_sequence }) => {
            assert!(data.len() == glimpse::END_LENGTH && data[0] == glimpse::END_TYPE);
            for padding in [LeadingSpaces, LeadingZeros, TrailingSpaces] {
                assert_eq!(glimpse::decode(&glimpse::encode_end(next_sequence, padding)), Ok(end));
            }
        }
        Err(glimpse::Malformed::Itch(_)) => assert_ne!(data.first(), Some(&glimpse::END_TYPE)),
        Err(glimpse::Malformed::EndLength(length)) => {
            assert!(length == data.len() && length != glimpse::END_LENGTH);
        }
        Err(glimpse::Malformed::EndNumber) => assert_eq!(data.len(), glimpse::END_LENGTH),
    }
}

/// The walk over memory and the reader of streams see the same messages, which make up the file again, and the same cut.
pub fn binary_file(data: &[u8]) {
    let mut walk = binary_file::Messages::new(data);
    let mut reader = binary_file::Reader::new(data);
    let mut rebuilt = Vec::with_capacity(data.len());
    loop {
        match (walk.next(), reader.next_message()) {
            (Some(Ok(walked)), Ok(Some(read))) => {
                assert_eq!(walked, read);
                binary_file::write_binary_file(&mut rebuilt, [walked]).unwrap();
                itch50(walked);
            }
            (Some(Err(cut)), Err(CaptureError::Truncated { offset })) => {
                assert_eq!((cut.offset, cut.offset as u64), (rebuilt.len(), offset));
                assert!(walk.next().is_none() && matches!(reader.next_message(), Ok(None)));
                break;
            }
            (None, Ok(None)) => {
                let zero_length = if rebuilt.len() < data.len() { 2 } else { 0 };
                assert_eq!(rebuilt.len() + zero_length + walk.trailing(), data.len());
                break;
            }
            (walked, read) => panic!("the walk says {walked:?}, the reader {read:?}"),
        }
    }
    assert_eq!(rebuilt, data[..rebuilt.len()]);
}

/// The capture reader ends, with at most one error, and never delivers more than there is.
pub fn packets(data: &[u8]) {
    let Ok(mut reader) = packets::Reader::with_buffer(data, 64) else { return };
    let mut delivered = 0;
    loop {
        match reader.next_datagram() {
            Ok(Some(datagram)) => {
                delivered += datagram.payload.len();
                assert!(delivered <= data.len());
                moldudp64(datagram.payload);
            }
            Ok(None) => break,
            Err(error) => {
                assert!(!matches!(error, CaptureError::Open { .. } | CaptureError::Read { .. }));
                break;
            }
        }
    }
    assert!(matches!(reader.next_datagram(), Ok(None)));
}

/// A capture's packets come out as messages in one run: none that was not in it, and what is said to be missing between them
/// is what is counted; each packet is counted once.
pub fn merge(data: &[u8]) {
    let Ok(mut reader) = packets::Reader::with_buffer(data, 64) else { return };
    let (mut merge, mut out) = (Merge::new(1_024), Batch::default());
    let (mut taken, mut delivered) = (0, 0);
    while let Ok(Some(datagram)) = reader.next_datagram() {
        (taken, delivered) = (taken + 1, delivered + datagram.payload.len());
        merge.take(&datagram, &mut out);
    }
    merge.finish(&mut out);
    assert!(out.bytes().len() <= delivered);
    assert!(binary_file::Messages::new(out.bytes()).all(|message| message.is_ok_and(|message| !message.is_empty())));
    let counts = merge.counts();
    let once = counts.packets + counts.replies + counts.third_line + counts.foreign + counts.other_session;
    assert_eq!(once, taken, "{counts:?}");
    let (mut lost, mut changes) = (0, 0);
    for (at, mark) in out.marks() {
        assert!(*at <= out.bytes().len());
        match mark {
            Mark::Lost(count) => lost += count,
            Mark::NewSession => changes += 1,
        }
    }
    assert_eq!((lost, changes), (counts.lost, counts.session_changes));
}

/// Pieces of what lane and venue say to each other, each behind its direction and length: the account of orders never fails,
/// and what it holds is of its orders.
pub fn account(data: &[u8]) {
    let (mut account, mut rest) = (Account::default(), data);
    while let [direction, length, tail @ ..] = rest {
        let (piece, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        match direction % 8 {
            0 => account.on_new_connection(),
            1..4 => account.on_lane(piece),
            _ => account.on_venue(piece),
        }
        rest = tail;
    }
    assert!(account.live().all(|chain| chain.exposure().0 >= 0 || !account.odd().is_empty()));
    let mut held = std::collections::BTreeMap::new();
    for (id, _, fill) in account.fills().filter(|(_, _, fill)| !fill.broken) {
        let symbol = account.chains().iter().find(|chain| chain.id == id).unwrap().symbol;
        *held.entry(symbol).or_insert(0) += fill.shares;
    }
    // Two orders of one name are said to be odd, and are one here.
    let is_odd = |odd: &String| odd.contains("twice");
    assert!(
        account.odd().iter().any(is_odd) || held.iter().all(|(symbol, shares)| account.held(*symbol).shares == *shares)
    );
}
