//! Where the lane writes what leaves it: one bounded buffer, owned by the caller, drained between calls.
//!
//! The lane writes whole records in the order in which they must take effect. Before each step it asks for
//! [`Outbox::STEP`] bytes of room; when there is less, the call answers [`Progress::Again`] and the caller drains.
//! So no record is ever cut or lost, and nothing grows.

use crate::base::{SessionId, VenueId};
use alloc::boxed::Box;
use alloc::vec;

/// Is the work of this input finished?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "an unfinished input must be resumed before any other"]
pub enum Progress {
    /// Finished.
    Done,
    /// More to do: drain the outbox and resume with the same input before any other.
    Again,
}

/// How a record of session bytes may be treated by the shell's own kill switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Class {
    /// Log in, heartbeat, log out, query: always passes.
    Session = 0,
    /// Reduces exposure: always passes.
    Cancel = 1,
    /// May add exposure: a whole frame not yet begun is dropped when the switch is thrown.
    Order = 2,
}

impl Class {
    /// From its number.
    #[inline]
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Class::Session),
            1 => Some(Class::Cancel),
            2 => Some(Class::Order),
            _ => None,
        }
    }
}

/// One record, as the caller reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output<'a> {
    /// A datagram to the venue's re-request server.
    Datagram(VenueId, &'a [u8]),
    /// Bytes for a stream session: whole frames.
    Send {
        /// With which venue.
        venue: VenueId,
        /// Which session.
        session: SessionId,
        /// How the kill switch treats it.
        class: Class,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// Open (or reopen) a session; answered by an input `Connected` or `Closed`.
    Connect(VenueId, SessionId),
    /// Close a session; answered by an input `Closed`.
    Disconnect(VenueId, SessionId),
    /// A book of the venue's can't be trusted: answered by a command [`Word::Snapshot`](super::command::Word::Snapshot), for
    /// the feed.
    Snapshot(VenueId),
    /// A tape record: header and body.
    Tape(&'a [u8]),
}

/// The buffer.
pub struct Outbox {
    buffer: Box<[u8]>,
    used: usize,
    overflowed: u64,
    venue: VenueId,
}

impl core::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Outbox").field("used", &self.used).field("overflowed", &self.overflowed).finish()
    }
}

const DATAGRAM: u8 = 0;
const SEND: u8 = 1;
const CONNECT: u8 = 2;
const DISCONNECT: u8 = 3;
const TAPE: u8 = 4;
const SNAPSHOT: u8 = 5;

impl Outbox {
    /// Bytes before each record: kind, target, class, venue, length (u32, native order: it never leaves the process).
    pub const HEADER: usize = 8;

    /// The most that one step of the lane (one market event, one report, one timer, one swept order) writes.
    pub const STEP: usize = 8 * 1024;

    /// The most that one message to a venue takes, header included. A step writes a few at most.
    pub const MESSAGE: usize = 256;

    /// A buffer of `capacity` bytes, at least four steps.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let mut buffer = vec![0; capacity.max(Self::STEP.saturating_mul(4))].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        buffer.fill(core::hint::black_box(0xA5));
        Outbox { buffer, used: 0, overflowed: 0, venue: VenueId::FIRST }
    }

    /// Room for one more step?
    #[inline]
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.buffer.len().wrapping_sub(self.used) >= Self::STEP
    }

    /// Room for one more message? The lane asks for a whole step's room and then writes its messages; order entry by
    /// itself asks for no more than it needs, so that how full the box is does not change what a step does.
    #[inline]
    #[must_use]
    pub fn fits_message(&self) -> bool {
        self.buffer.len().wrapping_sub(self.used) >= Self::MESSAGE
    }

    /// How many messages fit now.
    #[inline]
    #[must_use]
    pub fn messages(&self) -> usize {
        self.buffer.len().wrapping_sub(self.used) / Self::MESSAGE
    }

    /// Nothing to drain?
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Records refused for want of room. Anything but zero is a bug in the lane's accounting of [`Self::STEP`].
    #[must_use]
    pub fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// What is written from now on, but for the tape, is for this venue. Its ends need not know which of the lane's they are.
    #[inline]
    pub fn towards(&mut self, venue: VenueId) {
        self.venue = venue;
    }

    /// Forgets what was written: the caller has drained it.
    #[inline]
    pub fn clear(&mut self) {
        self.used = 0;
    }

    /// The records in order.
    #[must_use]
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs { rest: self.buffer.get(..self.used).unwrap_or_default() }
    }

    // Inlined, because callers know the lengths of their parts: copies become moves.
    #[inline(always)]
    fn push(&mut self, kind: u8, target: u8, class: u8, parts: &[&[u8]]) -> bool {
        let length = parts.iter().fold(0usize, |n, p| n.saturating_add(p.len()));
        let end = self.used.saturating_add(Self::HEADER).saturating_add(length);
        let (Some(room), Ok(length)) = (self.buffer.get_mut(self.used..end), u32::try_from(length)) else {
            self.overflowed = self.overflowed.wrapping_add(1);
            return false;
        };
        let Some((header, mut body)) = room.split_first_chunk_mut::<{ Outbox::HEADER }>() else { return false };
        let [l0, l1, l2, l3] = length.to_ne_bytes();
        *header = [kind, target, class, self.venue.0, l0, l1, l2, l3];
        for part in parts {
            let Some((head, tail)) = body.split_at_mut_checked(part.len()) else { return false };
            head.copy_from_slice(part);
            body = tail;
        }
        self.used = end;
        true
    }

    /// Session bytes: the parts together are whole frames. False: no room (see [`Self::overflowed`]).
    #[inline]
    pub fn send(&mut self, session: SessionId, class: Class, parts: &[&[u8]]) -> bool {
        self.push(SEND, session.0, class as u8, parts)
    }

    /// The same of the first `length` bytes of `whole`; answers where they lie, for what changes in them to be written there: an
    /// order's fields go into the message once, and no wide load has to wait for narrow stores. `None`: no room (see
    /// [`Self::overflowed`]).
    #[inline(always)]
    pub fn send_template<const N: usize>(
        &mut self,
        session: SessionId,
        class: Class,
        whole: &[u8; N],
        length: usize,
    ) -> Option<&mut [u8]> {
        let start = self.used;
        // All of it is copied, whatever its length: so many bytes are a few moves, an unknown number a call.
        if length > N || !self.push(SEND, session.0, class as u8, &[whole]) {
            return None;
        }
        self.used = self.used.wrapping_sub(N.wrapping_sub(length));
        let (header, rest) = self.buffer.get_mut(start..)?.split_first_chunk_mut::<{ Outbox::HEADER }>()?;
        let [_, _, _, _, rest_of_header @ ..] = header;
        *rest_of_header = u32::try_from(length).ok()?.to_ne_bytes();
        rest.get_mut(..length)
    }

    /// A datagram to the re-request server.
    pub fn datagram(&mut self, bytes: &[u8]) -> bool {
        self.push(DATAGRAM, 0, 0, &[bytes])
    }

    /// Asks for a connection.
    pub fn connect(&mut self, session: SessionId) -> bool {
        self.push(CONNECT, session.0, 0, &[])
    }

    /// Asks for an end of a connection.
    pub fn disconnect(&mut self, session: SessionId) -> bool {
        self.push(DISCONNECT, session.0, 0, &[])
    }

    /// Asks for a snapshot of the market.
    pub fn snapshot(&mut self) -> bool {
        self.push(SNAPSHOT, 0, 0, &[])
    }

    /// A tape record.
    #[inline(always)]
    pub fn tape(&mut self, parts: &[&[u8]]) -> bool {
        self.push(TAPE, 0, 0, parts)
    }
}

/// Iterator over an [`Outbox`].
#[derive(Clone, Debug)]
pub struct Outputs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Outputs<'a> {
    type Item = Output<'a>;

    #[inline]
    fn next(&mut self) -> Option<Output<'a>> {
        let (&[kind, target, class, venue, l0, l1, l2, l3], rest) =
            self.rest.split_first_chunk::<{ Outbox::HEADER }>()?;
        let (bytes, rest) = rest.split_at_checked(u32::from_ne_bytes([l0, l1, l2, l3]) as usize)?;
        self.rest = rest;
        let venue = VenueId(venue);
        Some(match kind {
            DATAGRAM => Output::Datagram(venue, bytes),
            SEND => Output::Send {
                venue,
                session: SessionId(target),
                class: Class::from_byte(class).unwrap_or(Class::Order),
                bytes,
            },
            CONNECT => Output::Connect(venue, SessionId(target)),
            DISCONNECT => Output::Disconnect(venue, SessionId(target)),
            SNAPSHOT => Output::Snapshot(venue),
            _ => Output::Tape(bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn records_come_back_in_order_and_a_full_box_refuses_whole_records() {
        let mut out = Outbox::new(0);
        assert!(out.send(SessionId(3), Class::Order, &[b"ab", b"", b"c"]));
        out.towards(VenueId(7));
        assert!(out.connect(SessionId(1)) && out.datagram(b"d") && out.tape(&[b"t"]));
        let all: Vec<_> = out.outputs().collect();
        assert_eq!(
            all,
            [
                Output::Send { venue: VenueId(0), session: SessionId(3), class: Class::Order, bytes: b"abc" },
                Output::Connect(VenueId(7), SessionId(1)),
                Output::Datagram(VenueId(7), b"d"),
                Output::Tape(b"t"),
            ]
        );
        let big = [0u8; Outbox::STEP];
        while out.has_room() {
            assert!(out.tape(&[&big[..Outbox::STEP / 2]]));
        }
        let count = out.outputs().count();
        assert!(!out.tape(&[&big]) && out.overflowed() == 1 && out.outputs().count() == count);
        out.clear();
        assert!(out.has_room() && out.outputs().next().is_none());
    }

    /// Of a template, so many bytes leave, with what was written over them; others take its place in the box.
    #[test]
    fn a_template_leaves_as_long_as_it_is_said_to_be() {
        let mut out = Outbox::new(0);
        out.towards(VenueId(3));
        let template = *b"abcdef";
        for (length, leaves) in [(0, &b""[..]), (4, b"aXcd"), (6, b"aXcdef")] {
            if let Some(second) = out.send_template(SessionId(1), Class::Order, &template, length).unwrap().get_mut(1) {
                *second = b'X';
            }
            assert!(out.tape(&[b"behind"]));
            let sent = Output::Send { venue: VenueId(3), session: SessionId(1), class: Class::Order, bytes: leaves };
            assert_eq!(out.outputs().collect::<Vec<_>>(), [sent, Output::Tape(b"behind")]);
            out.clear();
        }
        assert_eq!(out.send_template(SessionId(1), Class::Order, &template, 7), None, "it is not so long");
        assert!(out.is_empty());
        while out.tape(&[&[0; 64]]) {}
        let (full, count) = (out.overflowed(), out.outputs().count());
        assert_eq!(out.send_template(SessionId(1), Class::Order, &[0; 72], 1), None);
        assert_eq!((out.overflowed(), out.outputs().count()), (full + 1, count), "no room, and nothing was written");
    }
}
