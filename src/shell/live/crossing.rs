//! What crosses from the feed's thread to the core's, as frames of a ring.
//!
//! ```text
//!  each input of the feed's:   Input  Effect*  (Message | Snapshot | Notice)*  End
//!  between them:               Status, VenueStatus, Counters, Link
//! ```
//!
//! Every input that the feed took crosses, also one that released nothing: the core writes the log, and its order is
//! the order.

use super::link::{Link, link_body, link_of};
use crate::base::{LineId, Mono};
use crate::flow::Input;
use crate::flow::feed::{Notice, Release, SnapshotTrouble};
use crate::flow::outbox::Outbox;
use crate::flow::record::log::{Body, input_of};
use crate::flow::record::{Kind, LinkBody, StatusBody, VenueStatusBody};
use crate::shell::ring::FrameWriter;
use zerocopy::{FromBytes, IntoBytes};

const INPUT: u8 = 0;
const EFFECT: u8 = 1;
const MESSAGE: u8 = 2;
const SNAPSHOT: u8 = 3;
const NOTICE: u8 = 4;
const END: u8 = 5;
const STATUS: u8 = 6;
const LINK: u8 = 7;
const COUNTERS: u8 = 8;
const VENUE_STATUS: u8 = 9;

/// How one end of the ring waits for the other in the middle of an input: it is at work, or has lost its core to someone.
#[derive(Debug, Default)]
pub(super) struct Patience(u32);

impl Patience {
    /// Empty looks before others may have the core.
    const SPINS: u32 = 200;

    pub(super) fn wait(&mut self) {
        self.0 = self.0.saturating_add(1);
        if self.0 < Self::SPINS { std::hint::spin_loop() } else { std::thread::yield_now() }
    }
}

/// One frame, as the core reads it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Frame<'a> {
    /// The feed took an input.
    Input(Mono, Input<'a>),
    /// The feed did this for it: kind, tag and payload of a log record.
    Effect(Kind, &'a [u8], &'a [u8]),
    /// It released this.
    Release(Release<'a>),
    /// And that was all.
    End,
    /// How the feed is doing.
    Status(StatusBody),
    /// What it and its sockets have counted.
    Counters(&'a [u8]),
    /// How one venue's feed is doing, of several.
    VenueStatus(VenueStatusBody),
    /// What became of a connection of its.
    Link(Link),
}

/// The core's thread is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the core has stopped")]
pub(super) struct CoreGone;

/// Writes frames, and waits for room where it must: the core is behind.
#[derive(Debug)]
pub(super) struct Writer {
    ring: FrameWriter,
}

impl Writer {
    pub(super) fn new(ring: FrameWriter) -> Self {
        Writer { ring }
    }

    /// Room for a frame of so many bytes?
    #[inline]
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.ring.fits(bytes)
    }

    #[inline]
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), CoreGone> {
        let mut patience = Patience::default();
        while !self.ring.write(parts) {
            if self.ring.is_abandoned() {
                return Err(CoreGone);
            }
            patience.wait();
        }
        Ok(())
    }

    #[inline]
    pub(super) fn input(&mut self, now: Mono, input: &Input<'_>) -> Result<(), CoreGone> {
        let body = Body::of_input(input);
        self.put(&[&[INPUT, body.kind as u8], &now.0.to_ne_bytes(), body.tag(), body.payload])
    }

    /// What the feed wrote.
    #[inline]
    pub(super) fn effects(&mut self, out: &Outbox) -> Result<(), CoreGone> {
        for output in out.outputs() {
            let body = Body::of_effect(&output);
            let tag = body.as_ref().map_or(&[][..], Body::tag);
            // A feed writes no tape.
            let Some(Body { kind, payload, .. }) = body else { continue };
            #[allow(clippy::cast_possible_truncation)] // a tag is short
            self.put(&[&[EFFECT, kind as u8, tag.len() as u8], tag, payload])?;
        }
        Ok(())
    }

    #[inline]
    pub(super) fn release(&mut self, release: &Release<'_>) -> Result<(), CoreGone> {
        match release {
            Release::Message { sequence, bytes, arrived } => {
                self.put(&[&[MESSAGE], &sequence.to_ne_bytes(), &arrived.0.to_ne_bytes(), bytes])
            }
            Release::Snapshot { bytes } => self.put(&[&[SNAPSHOT], bytes]),
            Release::Notice(notice) => {
                let (code, first, second, locate) = encode(*notice);
                let locate = locate.map_or(u32::MAX, u32::from);
                self.put(&[&[NOTICE, code], &first.to_ne_bytes(), &second.to_ne_bytes(), &locate.to_ne_bytes()])
            }
        }
    }

    #[inline]
    pub(super) fn end(&mut self) -> Result<(), CoreGone> {
        self.put(&[&[END]])
    }

    pub(super) fn link(&mut self, link: Link) -> Result<(), CoreGone> {
        self.put(&[&[LINK], link_body(link).as_bytes()])
    }

    pub(super) fn venue_status(&mut self, status: &VenueStatusBody) -> Result<(), CoreGone> {
        self.put(&[&[VENUE_STATUS], status.as_bytes()])
    }

    pub(super) fn status(&mut self, status: &StatusBody) -> Result<(), CoreGone> {
        self.put(&[&[STATUS], status.as_bytes()])
    }

    pub(super) fn counters(&mut self, body: &[u8]) -> Result<(), CoreGone> {
        self.put(&[&[COUNTERS], body])
    }
}

/// A frame from its bytes. `None`: no writer writes such.
#[inline]
pub(super) fn read(frame: &[u8]) -> Option<Frame<'_>> {
    let (&kind, rest) = frame.split_first()?;
    Some(match kind {
        MESSAGE => {
            let (sequence, rest) = number(rest)?;
            let (arrived, bytes) = number(rest)?;
            Frame::Release(Release::Message { sequence, bytes, arrived: Mono(arrived) })
        }
        INPUT => {
            let (&kind, rest) = rest.split_first()?;
            let (now, body) = number(rest)?;
            Frame::Input(Mono(now), input_of(Kind::from_byte(kind)?, body)?)
        }
        END => Frame::End,
        EFFECT => {
            let (&[kind, length], rest) = rest.split_first_chunk()?;
            let (tag, bytes) = rest.split_at_checked(usize::from(length))?;
            Frame::Effect(Kind::from_byte(kind)?, tag, bytes)
        }
        SNAPSHOT => Frame::Release(Release::Snapshot { bytes: rest }),
        NOTICE => {
            let (&code, rest) = rest.split_first()?;
            let (first, rest) = number(rest)?;
            let (second, rest) = number(rest)?;
            let locate = u32::from_ne_bytes(*rest.first_chunk()?);
            Frame::Release(Release::Notice(decode(code, first, second, u16::try_from(locate).ok())?))
        }
        STATUS => Frame::Status(StatusBody::read_from_bytes(rest).ok()?),
        COUNTERS => Frame::Counters(rest),
        LINK => Frame::Link(link_of(&LinkBody::read_from_bytes(rest).ok()?)?),
        VENUE_STATUS => Frame::VenueStatus(VenueStatusBody::read_from_bytes(rest).ok()?),
        _ => return None,
    })
}

#[inline]
fn number(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u64::from_ne_bytes(*number), rest))
}

fn encode(notice: Notice) -> (u8, u64, u64, Option<u16>) {
    match notice {
        Notice::GapOpened { first } => (0, first, 0, None),
        Notice::GapClosed => (1, 0, 0, None),
        Notice::Lost { first, count, locate } => (2, first, count, locate),
        Notice::SnapshotBegin => (3, 0, 0, None),
        Notice::SnapshotEnd { next } => (4, next, 0, None),
        Notice::SnapshotFailed { why, next } => (5, why as u64, next, None),
        Notice::SessionChanged => (6, 0, 0, None),
        Notice::EndOfSession => (7, 0, 0, None),
        Notice::LineSilent(line) => (8, line.0.into(), 0, None),
        Notice::LineBack(line) => (9, line.0.into(), 0, None),
        Notice::SnapshotAhead { next, lines } => (10, next, lines, None),
        Notice::SessionGoesOn => (11, 0, 0, None),
        Notice::MarketSilent { next, heard } => (12, next, heard.into(), None),
        Notice::MarketBack { next, said } => (13, next, said.into(), None),
        Notice::JumpDropped { number, next, damaged } => (14, number, next, damaged.then_some(0)),
        Notice::LinesDiffer { sequence, line } => (15, sequence, line.0.into(), None),
        Notice::Overrun => (16, 0, 0, None),
        Notice::Joined { first } => (17, first, 0, None),
    }
}

fn decode(code: u8, first: u64, second: u64, locate: Option<u16>) -> Option<Notice> {
    let line = || u8::try_from(first).ok().map(LineId);
    Some(match code {
        0 => Notice::GapOpened { first },
        1 => Notice::GapClosed,
        2 => Notice::Lost { first, count: second, locate },
        3 => Notice::SnapshotBegin,
        4 => Notice::SnapshotEnd { next: first },
        5 => Notice::SnapshotFailed { why: SnapshotTrouble::from_number(first)?, next: second },
        6 => Notice::SessionChanged,
        7 => Notice::EndOfSession,
        8 => Notice::LineSilent(line()?),
        9 => Notice::LineBack(line()?),
        10 => Notice::SnapshotAhead { next: first, lines: second },
        11 => Notice::SessionGoesOn,
        12 => Notice::MarketSilent { next: first, heard: second != 0 },
        13 => Notice::MarketBack { next: first, said: second != 0 },
        14 => Notice::JumpDropped { number: first, next: second, damaged: locate.is_some() },
        15 => Notice::LinesDiffer { sequence: first, line: LineId(u8::try_from(second).ok()?) },
        16 => Notice::Overrun,
        17 => Notice::Joined { first },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{SessionId, Utc, VenueId};
    use crate::flow::outbox::Class;
    use crate::flow::session::SessionInput;
    use crate::flow::{Arrival, CommandBuf, Machine};
    use crate::shell::net::Why;
    use crate::shell::ring::ring;

    #[test]
    fn every_frame_crosses_as_it_is() {
        let (writer, mut reader) = ring(1 << 16);
        let mut writer = Writer::new(writer);
        let snapshot = CommandBuf::snapshot(VenueId(3));
        let inputs = [
            Input::Packet(Arrival::on(VenueId(3), LineId::B), b"packet"),
            Input::Packet(Arrival { stamp: Some(Utc(7)), ..Arrival::on(VenueId::FIRST, LineId::A) }, b""),
            Input::Session(VenueId::FIRST, SessionId::SNAPSHOT, SessionInput::Connected),
            Input::Session(VenueId::FIRST, SessionId::SNAPSHOT, SessionInput::Bytes(b"bytes")),
            Input::Session(VenueId::FIRST, SessionId::SNAPSHOT, SessionInput::Closed),
            Input::Command(snapshot.bytes()),
            Input::Timer(Machine::Feed(VenueId(3))),
        ];
        for (now, input) in (7..).map(Mono).zip(&inputs) {
            writer.input(now, input).unwrap();
            assert_eq!(read(&reader.read().unwrap()), Some(Frame::Input(now, *input)));
        }
        let locates = [None, Some(0), Some(u16::MAX)].map(|locate| Notice::Lost { first: 3, count: 4, locate });
        let notices = [
            Notice::GapOpened { first: u64::MAX },
            Notice::GapClosed,
            Notice::SnapshotBegin,
            Notice::SnapshotEnd { next: 9 },
            Notice::SnapshotFailed { why: SnapshotTrouble::Unfit, next: 11 },
            Notice::SnapshotAhead { next: 12, lines: 13 },
            Notice::SessionChanged,
            Notice::EndOfSession,
            Notice::LineSilent(LineId::B),
            Notice::LineBack(LineId::A),
            Notice::SessionGoesOn,
            Notice::MarketSilent { next: 14, heard: false },
            Notice::MarketSilent { next: 14, heard: true },
            Notice::MarketBack { next: 15, said: false },
            Notice::MarketBack { next: 15, said: true },
            Notice::JumpDropped { number: u64::MAX, next: 16, damaged: false },
            Notice::JumpDropped { number: u64::MAX, next: 16, damaged: true },
            Notice::LinesDiffer { sequence: 17, line: LineId::REREQUEST },
            Notice::Overrun,
            Notice::Joined { first: 18 },
        ];
        let mut releases: Vec<_> = notices.into_iter().chain(locates).map(Release::Notice).collect();
        releases.push(Release::Message { sequence: 5, bytes: b"message", arrived: Mono(6) });
        releases.push(Release::Snapshot { bytes: b"item" });
        for release in releases {
            writer.release(&release).unwrap();
            assert_eq!(read(&reader.read().unwrap()), Some(Frame::Release(release)));
        }
        let mut out = Outbox::new(0);
        assert!(out.datagram(b"request") && out.send(SessionId::SNAPSHOT, Class::Session, &[b"login"]));
        assert!(out.connect(SessionId::SNAPSHOT));
        writer.effects(&out).unwrap();
        for (kind, tag, bytes) in [
            (Kind::Datagram, &[0][..], &b"request"[..]),
            (Kind::Sent, &[0, 1, 0], b"login"),
            (Kind::Connect, &[0, 1], b""),
        ] {
            assert_eq!(read(&reader.read().unwrap()), Some(Frame::Effect(kind, tag, bytes)));
        }
        let status = StatusBody { live_market: 1, ..StatusBody::default() };
        writer.status(&status).unwrap();
        assert_eq!(read(&reader.read().unwrap()), Some(Frame::Status(status)));
        writer.counters(b"counts").unwrap();
        assert_eq!(read(&reader.read().unwrap()), Some(Frame::Counters(b"counts")));
        let status = VenueStatusBody { venue: 3, live_market: 1, ..VenueStatusBody::default() };
        writer.venue_status(&status).unwrap();
        assert_eq!(read(&reader.read().unwrap()), Some(Frame::VenueStatus(status)));
        let link = Link { venue: VenueId(3), session: SessionId::STREAM, why: Some(Why::Reset) };
        writer.link(link).unwrap();
        assert_eq!(read(&reader.read().unwrap()), Some(Frame::Link(link)));
        writer.end().unwrap();
        assert_eq!(read(&reader.read().unwrap()), Some(Frame::End));
    }

    /// The bytes of a frame as its writer writes them; `None` for an effect, which is written from an outbox alone.
    fn written(frame: &Frame<'_>) -> Option<Vec<u8>> {
        let (writer, mut reader) = ring(1 << 12);
        let mut writer = Writer::new(writer);
        match frame {
            Frame::Input(now, input) => writer.input(*now, input),
            Frame::Effect(..) => return None,
            Frame::Release(release) => writer.release(release),
            Frame::End => writer.end(),
            Frame::Status(status) => writer.status(status),
            Frame::Counters(counters) => writer.counters(counters),
            Frame::VenueStatus(status) => writer.venue_status(status),
            Frame::Link(link) => writer.link(*link),
        }
        .unwrap();
        Some(reader.read().unwrap().to_vec())
    }

    proptest::proptest! {
        /// Whatever is read of any bytes is what a writer would have written: no byte of it is lost, and none is made up.
        #[test]
        fn any_bytes_are_a_frame_that_can_be_written_or_none(
            kind in 0..12_u8,
            second in 0..32_u8,
            rest in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        ) {
            let bytes = [&[kind, second][..], &rest].concat();
            let Some(frame) = read(&bytes) else {
                // These hold any bytes that are long enough.
                assert!(kind != SNAPSHOT && kind != END && (kind != MESSAGE || bytes.len() < 17), "{bytes:?}");
                return Ok(());
            };
            let again = written(&frame);
            match frame {
                Frame::Effect(_, tag, payload) => {
                    assert_eq!((tag.len(), [tag, payload].concat()), (rest[0].into(), rest[1..].to_vec()));
                }
                Frame::Release(Release::Message { .. } | Release::Snapshot { .. })
                | Frame::Status(_)
                | Frame::VenueStatus(_)
                | Frame::Counters(_) => {
                    assert_eq!(again.as_ref(), Some(&bytes));
                }
                // What a field does not use may be anything.
                Frame::Input(..) | Frame::Release(Release::Notice(_)) | Frame::Link(..) | Frame::End => {
                    let again = again.unwrap();
                    assert_eq!((again[0], read(&again)), (kind, Some(frame)));
                }
            }
        }
    }

    #[test]
    fn what_no_writer_writes_is_none_and_a_reader_that_is_gone_is_an_error() {
        for frame in [
            &[][..],
            &[9],
            &[LINK, 0, 9],
            &[INPUT],
            &[INPUT, 200, 0, 0, 0, 0, 0, 0, 0, 0],
            &[MESSAGE, 1],
            &[NOTICE, 17],
        ] {
            assert_eq!(read(frame), None, "{frame:?}");
        }
        let (writer, reader) = ring(16);
        let mut writer = Writer::new(writer);
        drop(reader);
        assert_eq!((writer.end(), writer.end(), writer.end()), (Ok(()), Ok(()), Ok(())));
        assert_eq!(writer.end(), Err(CoreGone));
    }
}
