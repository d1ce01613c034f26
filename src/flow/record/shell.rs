//! What the shell adds to a lane's tape: bodies of observations that do not reproduce and are in no digest.

use zerocopy::byteorder::little_endian::{I128, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Body of [`Kind::Trace`](super::Kind::Trace): one order frame that left for a message of the market. All times are on the lane's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct TraceBody {
    /// The packet that held the message came in: the receive call returned.
    pub arrived: U64,
    /// The input that released it came in: later, if it had to wait behind a gap.
    pub released: U64,
    /// Decoded, in its turn within the packet.
    pub decoded: U64,
    /// Book and trading state had it.
    pub booked: U64,
    /// The strategies had seen it.
    pub decided: U64,
    /// The gate had approved.
    pub approved: U64,
    /// The order's bytes were written.
    pub encoded: U64,
    /// They were handed to the kernel: the send call returned. 0: they had to wait, the venue did not read.
    pub sent: U64,
}

/// Of a [`StatusBody`] and of a [`VenueStatusBody`]: how far a market is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct MarketBody {
    /// The next market message waited for.
    pub next_sequence: U64,
    /// Gaps opened.
    pub gaps: U64,
    /// Missing messages that the other line brought.
    pub filled_by_line: U64,
    /// Missing messages that the re-request server brought.
    pub filled_by_rerequest: U64,
    /// Messages given up.
    pub lost: U64,
    /// Snapshots spliced into the stream.
    pub snapshots: U64,
}

/// Body of [`Kind::Status`](super::Kind::Status): counts since the start, and states at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct StatusBody {
    /// Inputs consumed.
    pub inputs: U64,
    /// Market messages taken.
    pub messages: U64,
    /// How far the market is followed: the next message of the first venue's, and sums of the rest.
    pub market: MarketBody,
    /// Orders and replaces that left.
    pub orders: U64,
    /// Cancels that left.
    pub cancels: U64,
    /// Fills.
    pub fills: U64,
    /// Actions that the gate refused.
    pub refused: U64,
    /// Orders that live.
    pub live: U64,
    /// Books that can't be trusted.
    pub stale: U64,
    /// Bytes free in the log's ring, `u64::MAX` without a log.
    pub log_free: U64,
    /// Times that the lane took no input because the log's ring was full.
    pub log_stalls: U64,
    /// Tape records lost for want of room.
    pub tape_lost: U64,
    /// Open notional over all instruments and both sides, in money units of the base currency.
    pub open: I128,
    /// What it may be at most now, in the same units.
    pub max_total_open: I128,
    /// Enters and replaces a second that may be sent now, sustained.
    pub orders_per_second: U32,
    /// And at one instant.
    pub burst: U32,
    /// Order entry: the number of its [`Stage`](crate::flow::entry::Stage).
    pub entry: u8,
    /// 1: orders may be sent.
    pub ready: u8,
    /// 1: the kill switch is thrown.
    pub killed: u8,
    /// 1: the market is followed: no gap, no loss, no snapshot awaited, lines that speak, a session that is not over.
    pub live_market: u8,
}

/// Body of [`Kind::VenueStatus`](super::Kind::VenueStatus): what a [`StatusBody`] says of all venues together, or of one, said of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct VenueStatusBody {
    /// How far its market is followed.
    pub market: MarketBody,
    /// Books that can't be trusted.
    pub stale: U64,
    /// Orders that live.
    pub live: U64,
    /// Which venue.
    pub venue: u8,
    /// Order entry: the number of its [`Stage`](crate::flow::entry::Stage).
    pub entry: u8,
    /// 1: orders may be sent.
    pub ready: u8,
    /// 1: the market is followed, as in [`StatusBody::live_market`].
    pub live_market: u8,
}

/// Body of [`Kind::Link`](super::Kind::Link).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LinkBody {
    /// Venue.
    pub venue: u8,
    /// Session.
    pub session: u8,
    /// What happened, in the shell's numbers (`shell::live::link`).
    pub what: u8,
    /// The system's error number, or 0.
    pub error: U32,
}

/// Body of [`Kind::Lapped`](super::Kind::Lapped): a reader was slower than the tape for so long that its ring went round. Its
/// header has input and time of the last record before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LappedBody {
    /// Records that are missing.
    pub records: U64,
    /// Bytes of them, headers included.
    pub bytes: U64,
}
