//! The records of the input log and of the output tape: one header, one file format, little-endian.
//!
//! ```text
//! file   = "FIRELANE" version:u32 role:u32 text_length:u32 text crc32c:u32   record*
//! record = RecordHeader body crc32c:u32            (crc over header and body; files only, never in memory)
//! ```
//!
//! `sequence` numbers the lane's inputs from 1; every record that an input caused carries the input's number. The log
//! alone reproduces a run; the tape is for observers and may lose records, which they see by its own count.

use super::action::{Change, Fill};
use super::words::Liquidity;
use crate::base::{InstrumentId, Mono, Price, Qty, Side};
use zerocopy::byteorder::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Version of every record body below. A reader refuses others.
pub const VERSION: u8 = 4;

/// In front of each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct RecordHeader {
    /// Bytes of the body.
    pub length: U32,
    /// A [`Kind`].
    pub kind: u8,
    /// [`VERSION`].
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
    ($($(#[$doc:meta])* $name:ident = $value:literal,)*) => {
        /// What a record is. Inputs are below 64, their effects below 128, the lane's tape records below 192, the shell's above.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Kind { $($(#[$doc])* $name = $value,)* }

        impl Kind {
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
        }
    };
}

kinds! {
    /// Input: a datagram. Body: line (u8), payload.
    Packet = 1,
    /// Input: a session is connected. Body: session (u8).
    Connected = 2,
    /// Input: bytes of a session. Body: session (u8), bytes.
    Bytes = 3,
    /// Input: a session is closed. Body: session (u8).
    Closed = 4,
    /// Input: a command. Body: [`Command`](super::Command) as [`CommandBody`].
    Command = 5,
    /// Input: a machine's deadline has passed. Body: the [`Machine`](super::Machine) (u8).
    Timer = 6,
    /// Input: a session's peer does not read. Body: session (u8).
    Blocked = 7,
    /// Input: all that waited for a session's peer has been taken. Body: session (u8).
    Writable = 8,
    /// Input: order frames that the kill switch took out before they were begun. Body: session (u8), bytes.
    Dropped = 9,

    /// Effect: session bytes. Body: session (u8), class (u8), bytes.
    Sent = 64,
    /// Effect: a datagram to the re-request server. Body: bytes.
    Datagram = 65,
    /// Effect: connect. Body: session (u8).
    Connect = 66,
    /// Effect: disconnect. Body: session (u8).
    Disconnect = 67,
    /// The digest of an input's effects, where a configuration keeps digests instead of bytes. Body: u64.
    EffectsDigest = 68,
    /// The last record of a log that was closed in order. Body: [`FinalBody`].
    Final = 69,
    /// Effect: a snapshot of the market is asked for; the command is the next input of the feed's. No body.
    Snapshot = 70,

    /// Tape: an order's step. Body: [`OrderBody`].
    Order = 128,
    /// Tape: what the gate said to a strategy's wish. Body: [`DecisionBody`].
    Decision = 129,
    /// Tape: something a person should know. Body: [`AlertBody`].
    Alert = 130,
    /// Tape: the best bid and offer changed. Body: [`TopBody`].
    Top = 131,
    /// Tape: a normalised book event. Body: [`BookEventBody`].
    BookEvent = 132,
    /// Tape: the venue said what cannot be, the first of its kind. Body: [`AnomalyBody`].
    Anomaly = 133,

    /// Tape, written by the shell beside the lane, in no digest: how long an order took. Body: [`TraceBody`].
    Trace = 192,
    /// Tape, by the shell: how the lane is doing. Body: [`StatusBody`].
    Status = 193,
    /// Tape, by the shell: what became of a connection. Body: [`LinkBody`].
    Link = 194,
    /// Tape, by the shell: every count of the lane and its sockets by name. Body: `shell::counters`.
    Counters = 195,
}

/// Body of [`Kind::Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct CommandBody {
    /// Which command.
    pub code: u8,
    /// Its argument.
    pub argument: U64,
}

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

/// Body of [`Kind::Order`]: a [`Change`], whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct OrderBody {
    /// The lane's order.
    pub order: U64,
    /// Parent order, 0 for none.
    pub parent: U64,
    /// Venue.
    pub venue: U16,
    /// Account.
    pub account: U16,
    /// Strategy.
    pub strategy: U16,
    /// The number of the reason's [`ReasonClass`](super::words::ReasonClass), 0 for none.
    pub reason: u8,
    /// The number of the fill's [`LiquidityKind`](super::words::LiquidityKind), 0 for none.
    pub liquidity: u8,
    /// The venue's own code of the reason, for people, or 0.
    pub reason_code: U32,
    /// The venue's own code of the fill's liquidity, for people, or 0.
    pub liquidity_code: U32,
    /// Instrument.
    pub instrument: U32,
    /// `B` or `S`.
    pub side: u8,
    /// A [`Happening`](super::action::Happening) as its number.
    pub what: u8,
    /// 1 when no further step can come.
    pub finished: u8,
    /// Shares that may still execute.
    pub open: I64,
    /// Price they may execute at.
    pub price: I64,
    /// Shares filled by this step (negative: taken back).
    pub fill_qty: I64,
    /// Price of the fill.
    pub fill_price: I64,
    /// Match number of the fill.
    pub trade: U64,
    /// The venue's reference that became ours, or 0.
    pub venue_ref: U64,
}

/// Body of [`Kind::Decision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct DecisionBody {
    /// Instrument (u32::MAX: all).
    pub instrument: U32,
    /// `E`nter, `R`eplace, `C`ancel, `M`ass cancel.
    pub action: u8,
    /// `B`, `S` or space.
    pub side: u8,
    /// 0 approved; else the number of the gate's refusal.
    pub refusal: U16,
    /// The order that it names, or that an approved enter became (one record for each part of a split sale). 0: none.
    pub order: U64,
    /// Price asked.
    pub price: I64,
    /// Quantity asked.
    pub qty: I64,
}

/// Body of [`Kind::Alert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AlertBody {
    /// An [`Alert`] as its number.
    pub alert: U16,
    /// Instrument (u32::MAX: all or none).
    pub instrument: U32,
    /// Its symbol, or spaces: whoever reads this need not know the lane's numbers.
    pub symbol: [u8; 8],
    /// What it is about, see [`Alert`].
    pub first: U64,
    /// See [`Alert`].
    pub second: U64,
}

/// Body of [`Kind::Anomaly`]: an [`Anomaly`](super::orders::Anomaly), whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AnomalyBody {
    /// The number of its [`AnomalyKind`](super::orders::AnomalyKind).
    pub what: u8,
    /// 1: trading was stopped for it.
    pub stops: u8,
    /// Which venue said it.
    pub venue: U16,
    /// The number of the [`ReportKind`](super::words::ReportKind) in which it said so.
    pub report: u8,
    /// Instrument (`u32::MAX`: not known).
    pub instrument: U32,
    /// Its symbol, or spaces.
    pub symbol: [u8; 8],
    /// The number that the venue named, 0 for none.
    pub token: U64,
    /// The lane's order, 0: not known.
    pub order: U64,
    /// What the venue said; see the kind.
    pub said: I64,
    /// What was known; see the kind.
    pub known: I64,
}

/// Body of [`Kind::Top`]. An empty side has size 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct TopBody {
    /// Instrument.
    pub instrument: U32,
    /// 1 when the book is stale.
    pub stale: u8,
    /// Exchange time, ns since midnight.
    pub at: U64,
    /// Best bid.
    pub bid_price: I64,
    /// Its level's whole size.
    pub bid_qty: I64,
    /// Best ask.
    pub ask_price: I64,
    /// Its level's whole size.
    pub ask_qty: I64,
}

/// Body of [`Kind::BookEvent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BookEventBody {
    /// Instrument.
    pub instrument: U32,
    /// ITCH's letter for it: `A`, `E`, `X`, `D`, `U`, `P`, `Q`, `B`.
    pub what: u8,
    /// `B`, `S` or space where the event names none.
    pub side: u8,
    /// Exchange time, ns since midnight.
    pub at: U64,
    /// Order reference or 0.
    pub order: U64,
    /// The new reference of a replace, the match number of a trade, or 0.
    pub other: U64,
    /// Size.
    pub qty: I64,
    /// Price or 0.
    pub price: I64,
}

/// Body of [`Kind::Trace`]: one order frame that left for a message of the market. All times are on the lane's clock.
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

/// Body of [`Kind::Status`]: counts since the start, and states at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct StatusBody {
    /// Inputs consumed.
    pub inputs: U64,
    /// Market messages taken.
    pub messages: U64,
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
    /// Order entry: the number of its [`Stage`](super::entry::Stage).
    pub entry: u8,
    /// 1: orders may be sent.
    pub ready: u8,
    /// 1: the kill switch is thrown.
    pub killed: u8,
    /// 1: the market is followed: no gap, no loss, no snapshot awaited, lines that speak, a session that is not over.
    pub live_market: u8,
}

/// Body of [`Kind::Link`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LinkBody {
    /// Session.
    pub session: u8,
    /// What happened, in the shell's numbers (`shell::live::link`).
    pub what: u8,
    /// The system's error number, or 0.
    pub error: U32,
}

macro_rules! alerts {
    ($($(#[$doc:meta])* $name:ident = $value:literal,)*) => {
        /// What an alert says.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u16)]
        pub enum Alert { $($(#[$doc])* $name = $value,)* }

        impl Alert {
            /// From the number in a body.
            #[must_use]
            pub const fn from_number(number: u16) -> Option<Self> {
                match number { $($value => Some(Alert::$name),)* _ => None }
            }

            /// Its name in dumps.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Alert::$name => stringify!($name),)* }
            }
        }
    };
}

alerts! {
    /// A gap opened; first: first missing sequence number.
    GapOpened = 1,
    /// Every gap is closed.
    GapClosed = 2,
    /// Messages are lost for good; first: sequence number, second: how many.
    Lost = 3,
    /// A snapshot begins.
    SnapshotBegin = 4,
    /// A snapshot is spliced; first: next live sequence number.
    SnapshotEnd = 5,
    /// No snapshot could be had, or none that helped; first: the number of the
    /// [`SnapshotTrouble`](super::feed::SnapshotTrouble), second: the message that it goes on with, or 0.
    SnapshotFailed = 6,
    /// The market-data session changed.
    SessionChanged = 7,
    /// The market-data session ended.
    EndOfSession = 8,
    /// A line is silent; first: line.
    LineSilent = 9,
    /// A line speaks again; first: line.
    LineBack = 10,
    /// A message contradicts the book; first: order reference, second: the fault's number.
    BookFault = 11,
    /// A message was skipped; first: its type, second: 1 unknown type, 2 wrong length, 3 impossible field,
    /// 4 no room for its instrument.
    Skipped = 12,
    /// The kill switch is thrown.
    Killed = 13,
    /// The kill switch is released.
    Released = 14,
    /// Order entry is ready to trade.
    EntryReady = 15,
    /// Order entry is lost, or this side gave up an attempt; first: the number of the reason
    /// ([`Away`](super::entry::Away)).
    EntryLost = 16,
    /// A strategy asked for more actions at once than fit; first: how many were dropped.
    TooManyActions = 17,
    /// Order entry is over, no reconnect follows; first: 0 after a shutdown, else 1 + the number of the
    /// [`Fault`](super::entry::Fault).
    EntryOver = 18,
    /// Every line is silent, or what they say does not follow on the stream; first: the message waited for, second: 1 if
    /// they are heard.
    MarketSilent = 19,
    /// A line says again how the stream goes on; first: the message waited for.
    MarketBack = 20,
    /// The session whose end was announced goes on.
    SessionGoesOn = 21,
    /// A number that was named is wrong; first: it, second: the message that the stream goes on with.
    JumpDropped = 22,
    /// Two copies of a message differ; first: its number, second: the line that brought the second one.
    LinesDiffer = 23,
    /// A snapshot stands ahead of the lines; first: the message it goes on with, second: the one the lines do.
    SnapshotAhead = 24,
    /// The feed had more to say than there was room for: every book is stale until a snapshot.
    FeedOverrun = 25,
    /// An order lives at the venue that could not be taken over, and is cancelled; first: its token, second: its symbol,
    /// as [`Symbol::key`](crate::base::Symbol::key).
    Orphan = 26,
    /// Something left that the order table could not hold, which is a fault of this program: the kill switch is thrown;
    /// first: its token.
    Fault = 27,
    /// A strategy's deadline stands still: the strategies are disabled and what rests is cancelled; first: the deadline.
    Stuck = 28,
    /// The stream is joined at this message; what came before was not asked for, and books are stale until a snapshot.
    Joined = 29,
}

/// `B` or `S`.
#[must_use]
pub const fn side_byte(side: Side) -> u8 {
    match side {
        Side::Buy => b'B',
        Side::Sell => b'S',
    }
}

/// A header for a body of `length` bytes.
#[must_use]
#[allow(clippy::cast_possible_truncation)]
pub fn header(kind: Kind, lane: u16, sequence: u64, time: Mono, length: usize) -> RecordHeader {
    RecordHeader {
        length: U32::new(length as u32),
        kind: kind as u8,
        version: VERSION,
        lane: U16::new(lane),
        sequence: U64::new(sequence),
        time: U64::new(time.0),
    }
}

impl OrderBody {
    /// The tape's form of a change.
    #[must_use]
    pub fn of(change: &Change) -> Self {
        let fill = change.fill.or(change.reversed).unwrap_or(Fill {
            qty: Qty::ZERO,
            price: Price(0),
            trade: 0,
            liquidity: Liquidity::UNKNOWN,
        });
        OrderBody {
            order: U64::new(change.order.0),
            parent: U64::new(change.tags.parent.0),
            venue: U16::new(change.venue.0),
            account: U16::new(change.tags.account.0),
            strategy: U16::new(change.tags.strategy.0),
            reason: change.reason.class as u8,
            liquidity: fill.liquidity.kind as u8,
            reason_code: U32::new(change.reason.code),
            liquidity_code: U32::new(fill.liquidity.code),
            instrument: U32::new(change.instrument.0),
            side: side_byte(change.side),
            what: change.what as u8,
            finished: u8::from(change.finished),
            open: I64::new(change.after.qty.0),
            price: I64::new(change.after.price.0),
            fill_qty: I64::new(fill.qty.0),
            fill_price: I64::new(fill.price.0),
            trade: U64::new(fill.trade),
            venue_ref: U64::new(change.joined.map_or(0, |r| r.0)),
        }
    }
}

/// The instrument field of records that may name none.
#[must_use]
pub fn instrument_field(id: Option<InstrumentId>) -> U32 {
    U32::new(id.map_or(u32::MAX, |i| i.0))
}
