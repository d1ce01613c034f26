//! MoldUDP64 1.00: numbered messages in datagrams, and the request for those that got lost
//! (Nasdaq, "MoldUDP64 Protocol Specification 1.00").
//!
//! A packet is a [`Header`] and `count` blocks, each a two-byte length and as many bytes. Nothing here trusts the count
//! or a length: [`Messages`] walks what the bytes hold and says once where they end too early.

use zerocopy::byteorder::big_endian::{U16, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Count of a heartbeat: no messages; the sequence number is the next one to come, which also shows a gap.
pub const HEARTBEAT: u16 = 0;

/// Count that says the session has ended. Not a number of messages; the sequence number is one past the last.
pub const END_OF_SESSION: u16 = 0xFFFF;

/// Bytes of a header, and of a request.
pub const HEADER_LENGTH: usize = size_of::<Header>();

/// What stands before the messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Header {
    /// Which run of sequence numbers these belong to.
    pub session: [u8; 10],
    /// Number of the first message; of the next one to come in a heartbeat or an end of session.
    pub sequence: U64,
    /// How many messages follow, or [`HEARTBEAT`], or [`END_OF_SESSION`].
    pub count: U16,
}

const _: () = assert!(size_of::<Header>() == 20 && align_of::<Header>() == 1);

impl Header {
    /// How many messages the packet says it holds: none for a heartbeat and for an end of session.
    #[inline]
    #[must_use]
    pub fn messages(&self) -> u16 {
        match self.count.get() {
            END_OF_SESSION => 0,
            count => count,
        }
    }
}

/// Asks a re-request server for messages, by unicast. The answer is an ordinary packet and may hold fewer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Request {
    /// The session that the messages belong to.
    pub session: [u8; 10],
    /// Number of the first message wanted.
    pub sequence: U64,
    /// How many are wanted.
    pub count: U16,
}

const _: () = assert!(size_of::<Request>() == 20 && align_of::<Request>() == 1);

impl Request {
    /// A request for `count` messages from `sequence` on.
    #[must_use]
    pub fn new(session: [u8; 10], sequence: u64, count: u16) -> Self {
        Request { session, sequence: U64::new(sequence), count: U16::new(count) }
    }

    /// Reads a request.
    ///
    /// # Errors
    /// [`PacketError`] if it is not exactly 20 bytes.
    pub fn parse(bytes: &[u8]) -> Result<&Self, PacketError> {
        Request::ref_from_bytes(bytes)
            .map_err(|_| if bytes.len() < HEADER_LENGTH { PacketError::TooShort } else { PacketError::TooLong })
    }

    /// The request as it stands on the wire.
    #[must_use]
    pub fn encode(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Why bytes are no packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PacketError {
    /// Fewer than the 20 bytes of a header.
    TooShort,
    /// More than the 20 bytes of a request.
    TooLong,
}

/// A packet in place.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    header: &'a Header,
    bytes: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads the header. `bytes` is the UDP payload, cut at the length that the IP header gives.
    ///
    /// # Errors
    /// [`PacketError::TooShort`].
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PacketError> {
        let (header, _) = Header::ref_from_prefix(bytes).map_err(|_| PacketError::TooShort)?;
        Ok(Packet { header, bytes })
    }

    /// The header.
    #[inline]
    #[must_use]
    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// The messages, with their sequence numbers.
    #[inline]
    #[must_use]
    pub fn messages(&self) -> Messages<'a> {
        Messages::at(self.bytes, HEADER_LENGTH, self.header.sequence.get(), self.header.messages())
    }

    /// Bytes after the last counted message: 0 in a sound packet. `None` if the packet ends before that message does.
    #[inline]
    #[must_use]
    pub fn trailing(&self) -> Option<usize> {
        // By the lengths alone: a receiver asks before it takes anything from a packet.
        let mut rest = self.bytes.get(HEADER_LENGTH..)?;
        for _ in 0..self.header.messages() {
            let (length, behind) = rest.split_first_chunk::<2>()?;
            rest = behind.get(usize::from(u16::from_be_bytes(*length))..)?;
        }
        Some(rest.len())
    }
}

/// The packet ends before the messages that its count promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Truncated {
    /// Offset in the packet of the block that is not whole.
    pub offset: usize,
    /// Number of its message: this one and the `missing - 1` after it were not received.
    pub sequence: u64,
    /// How many counted messages are missing.
    pub missing: u16,
}

/// Walks the blocks of a packet; yields [`Truncated`] at most once, last.
///
/// A caller that must stop in between keeps [`offset`](Self::offset), [`next_sequence`](Self::next_sequence) and
/// [`remaining`](Self::remaining) and resumes with [`at`](Self::at) on the same bytes.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    packet: &'a [u8],
    offset: usize,
    sequence: u64,
    remaining: u16,
}

impl<'a> Messages<'a> {
    /// Resumes in `packet` (header included) at byte `offset`, where the block of message `next_sequence` begins and
    /// `remaining` messages are still to come.
    #[inline]
    #[must_use]
    pub fn at(packet: &'a [u8], offset: usize, next_sequence: u64, remaining: u16) -> Self {
        Messages { packet, offset, sequence: next_sequence, remaining }
    }

    /// Where the next block begins.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The number of the next message. Wraps past 2^64 - 1, which no session reaches.
    #[inline]
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.sequence
    }

    /// How many messages are still to come.
    #[inline]
    #[must_use]
    pub fn remaining(&self) -> u16 {
        self.remaining
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<(u64, &'a [u8]), Truncated>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.remaining == 0 {
            return None;
        }
        let block = self.packet.get(self.offset..).and_then(|rest| {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            rest.get(..usize::from(u16::from_be_bytes(*length)))
        });
        let Some(message) = block else {
            let error = Truncated { offset: self.offset, sequence: self.sequence, missing: self.remaining };
            self.remaining = 0;
            return Some(Err(error));
        };
        let sequence = self.sequence;
        // Within the packet, hence no overflow.
        self.offset = self.offset.wrapping_add(2).wrapping_add(message.len());
        self.sequence = sequence.wrapping_add(1);
        self.remaining = self.remaining.wrapping_sub(1);
        Some(Ok((sequence, message)))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::from(self.remaining > 0), Some(usize::from(self.remaining)))
    }
}

impl core::iter::FusedIterator for Messages<'_> {}

/// The message did not fit: send the packet, start another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketFull;

/// Fills a buffer of the caller's with one packet. The buffer's length is the limit of the payload (1,472 bytes under
/// Ethernet's MTU of 1,500 with IPv4).
#[derive(Debug)]
pub struct PacketBuilder<'b> {
    buffer: &'b mut [u8],
    length: usize,
    count: u16,
}

impl<'b> PacketBuilder<'b> {
    /// A packet of `session` whose first message will have number `sequence`; without messages it is a heartbeat.
    ///
    /// # Errors
    /// [`PacketFull`] if the buffer does not even hold a header.
    pub fn new(buffer: &'b mut [u8], session: [u8; 10], sequence: u64) -> Result<Self, PacketFull> {
        let header = Header { session, sequence: U64::new(sequence), count: U16::new(HEARTBEAT) };
        header.write_to_prefix(buffer).map_err(|_| PacketFull)?;
        Ok(PacketBuilder { buffer, length: HEADER_LENGTH, count: 0 })
    }

    /// Appends a message, which gets the next number.
    ///
    /// # Errors
    /// [`PacketFull`] if it does not fit, is longer than a length can say, or the count is used up; the packet stays as
    /// it was.
    pub fn push(&mut self, message: &[u8]) -> Result<(), PacketFull> {
        let count = self.count.checked_add(1).filter(|count| *count != END_OF_SESSION).ok_or(PacketFull)?;
        let length = u16::try_from(message.len()).map_err(|_| PacketFull)?;
        let room = self.buffer.get_mut(self.length..).ok_or(PacketFull)?;
        let (prefix, room) = room.split_first_chunk_mut::<2>().ok_or(PacketFull)?;
        room.get_mut(..message.len()).ok_or(PacketFull)?.copy_from_slice(message);
        *prefix = length.to_be_bytes();
        // Within the buffer, hence no overflow.
        self.length = self.length.wrapping_add(2).wrapping_add(message.len());
        self.count = count;
        Ok(())
    }

    /// How many messages it holds.
    #[must_use]
    pub fn count(&self) -> u16 {
        self.count
    }

    /// Writes the count; the packet's bytes, a heartbeat if no message was pushed.
    #[must_use]
    pub fn finish(self) -> &'b [u8] {
        let count = self.count;
        self.seal(count)
    }

    fn seal(self, count: u16) -> &'b [u8] {
        if let Ok((header, _)) = Header::mut_from_prefix(self.buffer) {
            header.count = U16::new(count);
        }
        let packet: &'b [u8] = self.buffer;
        packet.get(..self.length).unwrap_or_default()
    }
}

/// A header alone with the number of the next message: the sign of life of a quiet line.
#[must_use]
pub fn heartbeat(session: [u8; 10], next_sequence: u64) -> Header {
    Header { session, sequence: U64::new(next_sequence), count: U16::new(HEARTBEAT) }
}

/// A header alone that ends the session; `next_sequence` is one past its last message.
#[must_use]
pub fn end_of_session(session: [u8; 10], next_sequence: u64) -> Header {
    Header { session, sequence: U64::new(next_sequence), count: U16::new(END_OF_SESSION) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;

    const SESSION: [u8; 10] = *b"000000001A";

    fn packet(sequence: u64, messages: &[&[u8]]) -> Vec<u8> {
        let mut buffer = [0; 1472];
        let mut builder = PacketBuilder::new(&mut buffer, SESSION, sequence).unwrap();
        for message in messages {
            builder.push(message).unwrap();
        }
        builder.finish().to_vec()
    }

    #[test]
    fn messages_come_back_numbered_an_empty_one_too() {
        let bytes = packet(41, &[b"one", b"", b"three"]);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!((packet.header().session, packet.header().count.get()), (SESSION, 3));
        let all: Vec<_> = packet.messages().map(Result::unwrap).collect();
        assert_eq!(all, [(41, &b"one"[..]), (42, b""), (43, b"three")]);
        assert_eq!(packet.trailing(), Some(0));
    }

    #[test]
    fn a_packet_cut_anywhere_yields_what_is_whole_and_one_error() {
        let whole = packet(7, &[b"abc", b"de", b"fghi"]);
        for cut in HEADER_LENGTH..whole.len() {
            let packet = Packet::parse(&whole[..cut]).unwrap();
            let mut messages = packet.messages();
            let sound = messages.by_ref().take_while(Result::is_ok).count();
            assert_eq!(sound, [25, 29, 35].iter().filter(|end| **end <= cut).count());
            assert!(messages.next().is_none(), "the error comes once");
            assert_eq!(packet.trailing(), None);
            let error = packet.messages().find_map(Result::err).unwrap();
            assert_eq!((error.sequence, error.missing), (7 + sound as u64, 3 - sound as u16));
            assert_eq!(error.offset, [20, 25, 29][sound]);
        }
        for cut in 0..HEADER_LENGTH {
            assert_eq!(Packet::parse(&whole[..cut]).err(), Some(PacketError::TooShort));
        }
    }

    #[test]
    fn bytes_after_the_last_counted_message_are_reported_and_not_read() {
        let mut bytes = packet(1, &[b"abc"]);
        bytes.extend_from_slice(&[0, 1, b'x']);
        let packet = Packet::parse(&bytes).unwrap();
        assert_eq!(packet.messages().count(), 1);
        assert_eq!(packet.trailing(), Some(3));
    }

    #[test]
    fn heartbeat_and_end_of_session_hold_no_messages() {
        for header in [heartbeat(SESSION, 99), end_of_session(SESSION, 99)] {
            let mut bytes = header.as_bytes().to_vec();
            bytes.extend_from_slice(&[0; 40]);
            let packet = Packet::parse(&bytes).unwrap();
            assert_eq!(packet.header().sequence.get(), 99);
            assert_eq!(packet.messages().count(), 0);
        }
        assert_eq!(end_of_session(SESSION, 1).as_bytes()[18..], [0xFF, 0xFF]);
        assert_eq!(packet(99, &[]), heartbeat(SESSION, 99).as_bytes());
    }

    #[test]
    fn a_walk_resumes_where_it_stopped() {
        let bytes = packet(7, &[b"abc", b"de", b"", b"fghi"]);
        let straight: Vec<_> = Packet::parse(&bytes).unwrap().messages().collect();
        let mut hops = Vec::new();
        let mut walk = Packet::parse(&bytes).unwrap().messages();
        while let Some(message) = walk.next() {
            hops.push(message);
            walk = Messages::at(&bytes, walk.offset(), walk.next_sequence(), walk.remaining());
        }
        assert_eq!(hops, straight);
        assert!(Messages::at(&bytes, usize::MAX, 1, 1).next().unwrap().is_err());
    }

    #[test]
    fn sequence_numbers_at_the_end_of_u64_do_not_overflow() {
        let bytes = packet(u64::MAX, &[b"a", b"b"]);
        let all: Vec<_> = Packet::parse(&bytes).unwrap().messages().map(|m| m.unwrap().0).collect();
        assert_eq!(all, [u64::MAX, 0]);
    }

    #[test]
    fn a_packet_takes_messages_up_to_its_limit_and_stays_whole_beyond() {
        let mut buffer = [0; 20 + 2 * 38];
        let mut builder = PacketBuilder::new(&mut buffer, SESSION, 1).unwrap();
        let add = [b'A'; 36];
        assert_eq!(builder.push(&add), Ok(()));
        assert_eq!(builder.push(&[0; 37]), Err(PacketFull));
        assert_eq!(builder.push(&add), Ok(()));
        assert_eq!(builder.push(&[]), Err(PacketFull));
        assert_eq!(builder.count(), 2);
        let bytes = builder.finish();
        assert_eq!(bytes.len(), 96);
        assert!(Packet::parse(bytes).unwrap().messages().all(|m| m.unwrap().1 == add));
        assert!(PacketBuilder::new(&mut [0; 19], SESSION, 1).is_err());
    }

    #[test]
    fn the_count_never_reaches_the_end_of_session() {
        let mut buffer = vec![0; 20 + 2 * 70_000];
        let mut builder = PacketBuilder::new(&mut buffer, SESSION, 1).unwrap();
        let pushed = (0..70_000).take_while(|_| builder.push(&[]).is_ok()).count();
        assert_eq!(pushed, 65_534);
        assert_eq!(Packet::parse(builder.finish()).unwrap().messages().count(), 65_534);
    }

    #[test]
    fn requests_are_twenty_bytes_exactly() {
        let request = Request::new(SESSION, 0x0102_0304_0506_0708, 300);
        assert_eq!(request.encode(), b"000000001A\x01\x02\x03\x04\x05\x06\x07\x08\x01\x2C");
        assert_eq!(Request::parse(request.encode()), Ok(&request));
        assert_eq!(Request::parse(&request.encode()[1..]), Err(PacketError::TooShort));
        assert_eq!(Request::parse(&[0; 21]), Err(PacketError::TooLong));
    }
}
