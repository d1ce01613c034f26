//! The records of the input log and of the output tape: one header, one file format, little-endian.
//!
//! Each body is encoded and decoded in one place: [`log`] has what goes into a lane and what comes of it, [`command`] what it
//! is told and answers, [`tape`] what it tells, [`shell`] what the shell adds to that.
//!
//! ```text
//! file   = "FIRELANE" version:u32 role:u32 text_length:u32 text crc32c:u32   record*
//! record = RecordHeader body crc32c:u32            (crc over header and body; files only, never in memory)
//! ```
//!
//! Each kind has a version: a body changes, and only files with such records need the build that wrote them.
//!
//! `sequence` numbers the lane's inputs from 1; every record that an input caused carries the input's number. The log
//! alone reproduces a run; the tape is for observers and may lose records, which they see by its own count.

pub mod command;
pub mod log;
pub mod shell;
pub mod tape;

pub use command::{AnswerBody, CommandBody};
pub use log::FinalBody;
pub use shell::{LappedBody, LinkBody, MarketBody, StatusBody, TraceBody, VenueStatusBody};
pub use tape::{
    Alert, AlertBody, AnomalyBody, BookEventBody, DecisionBody, OrderBody, PositionBody, SignalBody, TopBody,
    instrument_field, side_byte,
};

use crate::base::Mono;
use zerocopy::byteorder::little_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// In front of each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RecordHeader {
    /// Bytes of the body.
    pub length: U32,
    /// A [`Kind`].
    pub kind: u8,
    /// [`Kind::version`] of the build that wrote it.
    pub version: u8,
    /// Which lane.
    pub lane: U16,
    /// Number of the input that is, or caused, this record.
    pub sequence: U64,
    /// The lane's clock at that input: ns.
    pub time: U64,
}

const _: () = assert!(size_of::<RecordHeader>() == 24);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $value:literal (version $version:literal),)*) => {
        /// What a record is. Inputs are below 64, their effects below 128, the lane's tape records below 192, the shell's above.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $value,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// From the byte of a header.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte { $($value => Some(Kind::$name),)* _ => None }
            }

            /// Its name in dumps.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Kind::$name => stringify!($name),)* }
            }

            /// Version of its body. A reader refuses records of this kind that have another; whoever changes the body raises
            /// it, here alone.
            #[must_use]
            pub const fn version(self) -> u8 {
                match self { $(Kind::$name => $version,)* }
            }
        }
    };
}

kinds! {
    /// Input: a datagram. Body: venue (u8), line (u8), payload.
    Packet = 1 (version 4),
    /// Input: a session is connected. Body: venue (u8), session (u8).
    Connected = 2 (version 4),
    /// Input: bytes of a session. Body: venue (u8), session (u8), bytes.
    Bytes = 3 (version 4),
    /// Input: a session is closed. Body: venue (u8), session (u8).
    Closed = 4 (version 4),
    /// Input: a command. Body: [`CommandBody`], and that of its [`Word`](super::command::Word).
    Command = 5 (version 5),
    /// Input: a machine's deadline has passed. Body: 0 and the venue of the feed (u8), or 1 and 0 for the core.
    Timer = 6 (version 4),
    /// Input: a session's peer does not read. Body: venue (u8), session (u8).
    Blocked = 7 (version 4),
    /// Input: all that waited for a session's peer has been taken. Body: venue (u8), session (u8).
    Writable = 8 (version 4),
    /// Input: order frames that the kill switch took out before they were begun. Body: venue (u8), session (u8),
    /// bytes.
    Dropped = 9 (version 4),
    /// Input: a datagram that the network card has stamped. Body: venue (u8), line (u8), ns since 1970 UTC (u64), payload.
    StampedPacket = 10 (version 4),
    /// Input: how the lane's clock and universal time differ. Body: ns to be added to the former (i64).
    Clock = 11 (version 4),

    /// Effect: session bytes. Body: venue (u8), session (u8), class (u8), bytes.
    Sent = 64 (version 4),
    /// Effect: a datagram to the re-request server. Body: venue (u8), bytes.
    Datagram = 65 (version 4),
    /// Effect: connect. Body: venue (u8), session (u8).
    Connect = 66 (version 4),
    /// Effect: disconnect. Body: venue (u8), session (u8).
    Disconnect = 67 (version 4),
    /// The digest of an input's effects, where a configuration keeps digests instead of bytes. Body: u64.
    EffectsDigest = 68 (version 4),
    /// The last record of a log that was closed in order. Body: [`FinalBody`].
    Final = 69 (version 4),
    /// Effect: a snapshot of the market is asked for; the command is the next input of the feed's. Body: venue
    /// (u8).
    Snapshot = 70 (version 4),

    /// Tape: an order's step. Body: [`OrderBody`].
    Order = 128 (version 4),
    /// Tape: what the gate said to a strategy's wish. Body: [`DecisionBody`].
    Decision = 129 (version 4),
    /// Tape: something a person should know. Body: [`AlertBody`].
    Alert = 130 (version 5),
    /// Tape: the best bid and offer changed. Body: [`TopBody`].
    Top = 131 (version 4),
    /// Tape: a normalised book event. Body: [`BookEventBody`].
    BookEvent = 132 (version 4),
    /// Tape: the venue said what cannot be, the first of its kind. Body: [`AnomalyBody`].
    Anomaly = 133 (version 5),
    /// Tape: a signal speaks. Body: [`SignalBody`].
    Signal = 134 (version 4),
    /// Tape: what became of a command. Body: [`AnswerBody`], and why in words.
    Answer = 135 (version 1),
    /// Tape: what is held of an instrument is another, by a fill or brought in. Body: [`PositionBody`].
    Position = 136 (version 1),

    /// Tape, written by the shell beside the lane, in no digest: how long an order took. Body: [`TraceBody`].
    Trace = 192 (version 4),
    /// Tape, by the shell: how the lane is doing. Body: [`StatusBody`].
    Status = 193 (version 5),
    /// Tape, by the shell: what became of a connection. Body: [`LinkBody`].
    Link = 194 (version 5),
    /// Tape, by the shell: every count of the lane and its sockets by name. Body: `shell::counters`.
    Counters = 195 (version 4),
    /// Tape, by a reader of it and in its copy alone: what is missing here. Body: [`LappedBody`].
    Lapped = 196 (version 1),
    /// Tape, by the shell: how a lane of several venues is doing at one of them. Body: [`VenueStatusBody`].
    VenueStatus = 197 (version 1),
}

/// A header for a body of `length` bytes.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn header(kind: Kind, lane: u16, sequence: u64, time: Mono, length: usize) -> RecordHeader {
    RecordHeader {
        length: U32::new(length as u32),
        kind: kind as u8,
        version: kind.version(),
        lane: U16::new(lane),
        sequence: U64::new(sequence),
        time: U64::new(time.0),
    }
}
