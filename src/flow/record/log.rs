//! What goes into a lane and what comes of it, as its log holds them.

use super::Kind;
use crate::base::{LineId, SessionId, Utc, VenueId};
use crate::flow::command::CommandBytes;
use crate::flow::input::{Arrival, Input, Machine, UtcOffset};
use crate::flow::outbox::{Class, Output};
use crate::flow::session::SessionInput;
use zerocopy::byteorder::little_endian::U64;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Body of [`Kind::Final`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct FinalBody {
    /// Inputs consumed.
    pub inputs: U64,
    /// Digest of all effects in order.
    pub effects: U64,
    /// Digest of all tape records in order.
    pub tape: U64,
    /// Digest of the lane's state.
    pub state: U64,
}

/// Bytes in front of a body's payload, at most.
const LONGEST_TAG: usize = 10;
/// The same of an effect, and of what a session brings.
pub const LONGEST_SESSION_TAG: usize = 3;

/// A body: its kind, a few bytes that say whose it is, and its payload.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// What it is.
    pub kind: Kind,
    tag: [u8; LONGEST_TAG],
    tag_length: usize,
    /// What follows the tag.
    pub payload: &'a [u8],
}

impl<'a> Body<'a> {
    #[inline]
    fn new<const N: usize>(kind: Kind, tag: [u8; N], payload: &'a [u8]) -> Self {
        const { assert!(N <= LONGEST_TAG) };
        let mut all = [0; LONGEST_TAG];
        if let Some(front) = all.first_chunk_mut() {
            *front = tag;
        }
        Body { kind, tag: all, tag_length: N, payload }
    }

    /// What stands in front of the payload.
    #[inline]
    #[must_use]
    pub fn tag(&self) -> &[u8] {
        self.tag.get(..self.tag_length).unwrap_or_default()
    }

    /// An input.
    #[inline]
    #[must_use]
    pub fn of_input(input: &Input<'a>) -> Self {
        match *input {
            Input::Packet(Arrival { venue, line, stamp: None }, bytes) => {
                Body::new(Kind::Packet, [venue.0, line.0], bytes)
            }
            Input::Packet(Arrival { venue, line, stamp: Some(stamp) }, bytes) => {
                let [a, b, c, d, e, f, g, h] = stamp.0.to_le_bytes();
                Body::new(Kind::StampedPacket, [venue.0, line.0, a, b, c, d, e, f, g, h], bytes)
            }
            Input::Session(venue, session, input) => {
                let (kind, bytes): (_, &[u8]) = match input {
                    SessionInput::Connected => (Kind::Connected, &[]),
                    SessionInput::Bytes(bytes) => (Kind::Bytes, bytes),
                    SessionInput::Closed => (Kind::Closed, &[]),
                    SessionInput::Blocked => (Kind::Blocked, &[]),
                    SessionInput::Writable => (Kind::Writable, &[]),
                    SessionInput::Dropped(bytes) => (Kind::Dropped, bytes),
                };
                Body::new(kind, [venue.0, session.0], bytes)
            }
            Input::Timer(Machine::Feed(venue)) => Body::new(Kind::Timer, [FEED, venue.0], &[]),
            Input::Timer(Machine::Core) => Body::new(Kind::Timer, [CORE, 0], &[]),
            Input::Clock(UtcOffset(offset)) => Body::new(Kind::Clock, offset.to_le_bytes(), &[]),
            Input::Command(command) => Body::new(Kind::Command, [], command.bytes()),
        }
    }

    /// An effect. `None`: a tape record, which is one already.
    #[inline]
    #[must_use]
    pub fn of_effect(output: &Output<'a>) -> Option<Self> {
        Some(match *output {
            Output::Send { venue, session, class, bytes } => {
                let tag: [u8; LONGEST_SESSION_TAG] = [venue.0, session.0, class as u8];
                Body::new(Kind::Sent, tag, bytes)
            }
            Output::Datagram(venue, bytes) => Body::new(Kind::Datagram, [venue.0], bytes),
            Output::Connect(venue, session) => Body::new(Kind::Connect, [venue.0, session.0], &[]),
            Output::Disconnect(venue, session) => Body::new(Kind::Disconnect, [venue.0, session.0], &[]),
            Output::Snapshot(venue) => Body::new(Kind::Snapshot, [venue.0], &[]),
            Output::Tape(_) => return None,
        })
    }
}

const FEED: u8 = 0;
const CORE: u8 = 1;

/// The input of which [`Body::of_input`] made a body of this kind. `None`: of none.
#[must_use]
pub fn input_of(kind: Kind, body: &[u8]) -> Option<Input<'_>> {
    match kind {
        Kind::Command => return Some(Input::Command(CommandBytes::new(body)?)),
        Kind::Clock => return Some(Input::Clock(UtcOffset(i64::from_le_bytes(body.try_into().ok()?)))),
        _ => {}
    }
    let (&[venue, end], bytes) = body.split_first_chunk()?;
    let session = |input| Some(Input::Session(VenueId(venue), SessionId(end), input));
    let nothing = bytes.is_empty();
    match kind {
        Kind::Packet => Some(Input::Packet(Arrival::on(VenueId(venue), LineId(end)), bytes)),
        Kind::StampedPacket => {
            let (stamp, bytes) = bytes.split_first_chunk()?;
            let stamp = Some(Utc(u64::from_le_bytes(*stamp)));
            Some(Input::Packet(Arrival { stamp, ..Arrival::on(VenueId(venue), LineId(end)) }, bytes))
        }
        Kind::Connected if nothing => session(SessionInput::Connected),
        Kind::Bytes => session(SessionInput::Bytes(bytes)),
        Kind::Closed if nothing => session(SessionInput::Closed),
        Kind::Blocked if nothing => session(SessionInput::Blocked),
        Kind::Writable if nothing => session(SessionInput::Writable),
        Kind::Dropped => session(SessionInput::Dropped(bytes)),
        Kind::Timer if nothing && venue == FEED => Some(Input::Timer(Machine::Feed(VenueId(end)))),
        Kind::Timer if nothing && [venue, end] == [CORE, 0] => Some(Input::Timer(Machine::Core)),
        _ => None,
    }
}

/// The effect of which [`Body::of_effect`] made a body of this kind. `None`: of none.
#[must_use]
pub fn effect_of(kind: Kind, body: &[u8]) -> Option<Output<'_>> {
    let (&venue, rest) = body.split_first()?;
    let venue = VenueId(venue);
    let session = || if let &[session] = rest { Some(SessionId(session)) } else { None };
    Some(match kind {
        Kind::Sent => {
            let (&[session, class], bytes) = rest.split_first_chunk()?;
            Output::Send { venue, session: SessionId(session), class: Class::from_byte(class)?, bytes }
        }
        Kind::Datagram => Output::Datagram(venue, rest),
        Kind::Connect => Output::Connect(venue, session()?),
        Kind::Disconnect => Output::Disconnect(venue, session()?),
        Kind::Snapshot if rest.is_empty() => Output::Snapshot(venue),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::command::CommandBuf;
    use std::vec::Vec;

    fn bytes(body: &Body<'_>) -> Vec<u8> {
        [body.tag(), body.payload].concat()
    }

    #[test]
    fn every_input_and_effect_survives_the_log() {
        let (venue, session) = (VenueId(3), SessionId::STREAM);
        let on = Arrival::on(venue, LineId::B);
        let sessions = [
            SessionInput::Connected,
            SessionInput::Bytes(b"bytes"),
            SessionInput::Bytes(b""),
            SessionInput::Closed,
            SessionInput::Blocked,
            SessionInput::Writable,
            SessionInput::Dropped(b"frames"),
        ];
        let snapshot = CommandBuf::snapshot(venue);
        let others = [
            Input::Packet(on, b"packet"),
            Input::Packet(on, b""),
            Input::Packet(Arrival { stamp: Some(Utc(u64::MAX)), ..on }, b"packet"),
            Input::Packet(Arrival { stamp: Some(Utc(0)), ..on }, b""),
            Input::Command(CommandBytes::KILL),
            Input::Command(snapshot.bytes()),
            Input::Timer(Machine::Feed(venue)),
            Input::Timer(Machine::Core),
            Input::Clock(UtcOffset(i64::MIN)),
        ];
        for input in sessions.map(|input| Input::Session(venue, session, input)).iter().chain(&others) {
            let body = Body::of_input(input);
            assert!((body.kind as u8) < 64);
            assert_eq!(input_of(body.kind, &bytes(&body)), Some(*input));
        }
        let effects = [
            Output::Send { venue, session, class: Class::Order, bytes: b"frame" },
            Output::Send { venue, session, class: Class::Session, bytes: b"" },
            Output::Datagram(venue, b"request"),
            Output::Connect(venue, session),
            Output::Disconnect(venue, session),
            Output::Snapshot(venue),
        ];
        for effect in &effects {
            let body = Body::of_effect(effect).unwrap();
            assert!((64..128).contains(&(body.kind as u8)));
            assert_eq!(effect_of(body.kind, &bytes(&body)), Some(*effect));
        }
        assert!(Body::of_effect(&Output::Tape(b"record")).is_none());
    }

    proptest::proptest! {
        /// Whatever is read of any bytes is what would have been written: no byte is lost, and none is made up.
        #[test]
        fn any_bytes_are_what_they_are_read_as_or_nothing(
            kind in 0..128_u8,
            body in proptest::collection::vec(proptest::num::u8::ANY, 0..40),
        ) {
            let Some(kind) = Kind::from_byte(kind) else { return Ok(()) };
            if let Some(input) = input_of(kind, &body) {
                let again = Body::of_input(&input);
                assert_eq!((again.kind, bytes(&again)), (kind, body.clone()));
            }
            if let Some(effect) = effect_of(kind, &body) {
                let again = Body::of_effect(&effect).unwrap();
                assert_eq!((again.kind, bytes(&again)), (kind, body));
            }
        }
    }
}
