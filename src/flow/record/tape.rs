//! What a lane tells: the bodies of its tape records.

use crate::base::{InstrumentId, Price, Qty, Side};
use crate::flow::action::{Change, Fill};
use crate::flow::words::Liquidity;
use zerocopy::byteorder::little_endian::{I64, I128, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Body of [`Kind::Order`](super::Kind::Order): a [`Change`], whole.
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
    /// The number of the reason's [`ReasonClass`](crate::flow::words::ReasonClass), 0 for none.
    pub reason: u8,
    /// The number of the fill's [`LiquidityKind`](crate::flow::words::LiquidityKind), 0 for none.
    pub liquidity: u8,
    /// The venue's own code of the reason, for people, or 0.
    pub reason_code: U32,
    /// The venue's own code of the fill's liquidity, for people, or 0.
    pub liquidity_code: U32,
    /// Instrument.
    pub instrument: U32,
    /// `B` or `S`.
    pub side: u8,
    /// A [`Happening`](crate::flow::action::Happening) as its number.
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

/// Body of [`Kind::Decision`](super::Kind::Decision).
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

/// Body of [`Kind::Alert`](super::Kind::Alert).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AlertBody {
    /// An [`Alert`] as its number.
    pub alert: U16,
    /// Venue (`u8::MAX`: the lane as a whole).
    pub venue: u8,
    /// Instrument (u32::MAX: all or none).
    pub instrument: U32,
    /// Its [`Name`](crate::base::Name), or spaces: whoever reads this need not know the lane's numbers.
    pub name: [u8; 16],
    /// What it is about, see [`Alert`].
    pub first: U64,
    /// See [`Alert`].
    pub second: U64,
}

/// Body of [`Kind::Anomaly`](super::Kind::Anomaly): an [`Anomaly`](crate::flow::orders::Anomaly), whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AnomalyBody {
    /// The number of its [`AnomalyKind`](crate::flow::orders::AnomalyKind).
    pub what: u8,
    /// 1: trading was stopped for it.
    pub stops: u8,
    /// Which venue said it.
    pub venue: u8,
    /// The number of the [`ReportKind`](crate::flow::words::ReportKind) in which it said so.
    pub report: u8,
    /// Instrument (`u32::MAX`: not known).
    pub instrument: U32,
    /// Its [`Name`](crate::base::Name), or spaces.
    pub name: [u8; 16],
    /// The number that the venue named, 0 for none.
    pub token: U64,
    /// The lane's order, 0: not known.
    pub order: U64,
    /// What the venue said; see the kind.
    pub said: I64,
    /// What was known; see the kind.
    pub known: I64,
}

/// Body of [`Kind::Top`](super::Kind::Top). An empty side has size 0.
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

/// Body of [`Kind::Position`](super::Kind::Position): what the lane's ledger has of an instrument now, so that whoever has missed some
/// of them knows all from the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct PositionBody {
    /// Instrument.
    pub instrument: U32,
    /// The strategy whose fill it was, or that it was brought in for (u16::MAX: nobody).
    pub strategy: U16,
    /// Shares that the lane holds, of all its strategies; negative when short.
    pub position: I64,
    /// Got for sells less paid for buys and for what was brought in, before fees: in units of the instrument's money.
    pub cash: I128,
}

/// Body of [`Kind::BookEvent`](super::Kind::BookEvent).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct BookEventBody {
    /// Instrument.
    pub instrument: U32,
    /// ITCH's letter for it: `A`, `E`, `X`, `D`, `U`, `P`, `Q`, `B`; of books of levels `L` (a level), `C` (cleared: the
    /// side, or both).
    pub what: u8,
    /// `B`, `S` or space where the event names none.
    pub side: u8,
    /// Exchange time, ns since midnight.
    pub at: U64,
    /// Order reference or 0.
    pub order: U64,
    /// The new reference of a replace, the match number of a trade, the orders of a level, or 0.
    pub other: U64,
    /// Size.
    pub qty: I64,
    /// Price or 0.
    pub price: I64,
}

/// Body of [`Kind::Signal`](super::Kind::Signal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct SignalBody {
    /// Which of the lane's signals, in the order written.
    pub signal: U16,
    /// Instrument (u32::MAX: all or none).
    pub instrument: U32,
    /// What it says, in its own words, as the next two.
    pub code: U32,
    /// Exchange time, ns since midnight.
    pub at: U64,
    /// A value.
    pub first: I64,
    /// Another.
    pub second: I64,
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
    /// [`SnapshotTrouble`](crate::flow::feed::SnapshotTrouble), second: the message that it goes on with, or 0.
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
    /// The kill switch of the lane is thrown.
    Killed = 13,
    /// The kill switch of the lane is released.
    Released = 14,
    /// Order entry is ready to trade.
    EntryReady = 15,
    /// Order entry is lost, or this side gave up an attempt; first: the number of the reason
    /// ([`Away`](crate::flow::entry::Away)).
    EntryLost = 16,
    /// A strategy asked for more actions at once than fit; first: how many were dropped.
    TooManyActions = 17,
    /// Order entry is over, no reconnect follows; first: 0 after a shutdown, else 1 + the number of the
    /// [`Fault`](crate::flow::entry::Fault).
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
    /// An order lives at the venue that could not be taken over, and is cancelled; first: its token. The record's name
    /// is that of its instrument, also where the lane does not know one.
    Orphan = 26,
    /// Something left that the order table could not hold, which is a fault of this program: the kill switch is thrown;
    /// first: its token.
    Fault = 27,
    /// A deadline stands still: the strategies are disabled and what rests is cancelled; first: the deadline, second: 0 a
    /// strategy's, 1 a signal's, which is called no more.
    Stuck = 28,
    /// The stream is joined at this message; what came before was not asked for, and books are stale until a snapshot.
    Joined = 29,
    /// The kill switch of a part of the lane is thrown; first: 1 a venue, 2 an instrument, 3 a strategy; second: its number.
    PartKilled = 30,
    /// It is released; first and second as above.
    PartReleased = 31,
}

/// `B` or `S`.
#[must_use]
pub const fn side_byte(side: Side) -> u8 {
    match side {
        Side::Buy => b'B',
        Side::Sell => b'S',
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
            venue: U16::new(change.venue.0.into()),
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
