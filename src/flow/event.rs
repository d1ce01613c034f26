//! Normalised market events: what a market line decodes to, what books, signals and backtests are fed with.
//!
//! Prices and sizes are in the instrument's own units. One event is small and `Copy`: it travels in registers or one
//! cache line, never on the heap.

use crate::base::{ExchangeTime, InstrumentId, Price, Qty, Side, VenueRef};

/// One market event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    /// The exchange's stamp.
    pub at: ExchangeTime,
    /// What it is about; `None` for the whole market.
    pub instrument: Option<InstrumentId>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// A displayed order enters the book, last in its level's queue.
    Add {
        /// The new order.
        order: VenueRef,
        /// Its side.
        side: Side,
        /// Its displayed size.
        qty: Qty,
        /// Its limit.
        price: Price,
    },
    /// A resting order trades. The book loses `qty` at the order's resting price.
    Execute {
        /// The resting order.
        order: VenueRef,
        /// Size traded.
        qty: Qty,
        /// The price when it is not the resting price.
        price: Option<Price>,
        /// False: reported again in a [`Cross`](EventKind::Cross), so it must not count as volume twice.
        printable: bool,
        /// The venue's number of the trade.
        trade: u64,
    },
    /// A resting order gets smaller and keeps its place.
    Reduce {
        /// The resting order.
        order: VenueRef,
        /// Size taken away.
        qty: Qty,
    },
    /// A resting order leaves.
    Delete {
        /// The resting order.
        order: VenueRef,
    },
    /// A resting order is replaced: `order` dies; `new` inherits side and instrument and joins the end of the queue.
    Replace {
        /// The order that dies.
        order: VenueRef,
        /// The order that takes its place.
        new: VenueRef,
        /// The new displayed size.
        qty: Qty,
        /// The new limit.
        price: Price,
    },
    /// So much stands at a price of a book of levels.
    Level {
        /// The side.
        side: Side,
        /// The price.
        price: Price,
        /// All that stands there now; 0: the level is gone.
        qty: Qty,
        /// Of how many orders; 0: not said.
        orders: u32,
    },
    /// The venue starts its book, of either kind, over: what it showed is gone.
    Clear {
        /// Which side; `None`: both.
        side: Option<Side>,
    },
    /// A trade against a hidden order, or (of a book of levels) any trade. The displayed book does not change.
    Trade {
        /// Size traded.
        qty: Qty,
        /// Price.
        price: Price,
        /// The venue's number of the trade.
        trade: u64,
    },
    /// An auction's bulk print. The displayed book does not change. Size and price may be zero.
    Cross {
        /// Size traded.
        qty: Qty,
        /// Price.
        price: Price,
        /// The venue's number of the trade.
        trade: u64,
    },
    /// A trade is broken. The displayed book does not change.
    Broken {
        /// The venue's number of the trade.
        trade: u64,
    },
    /// Auction imbalance. The displayed book does not change.
    Imbalance {
        /// Shares that pair at the reference price.
        paired: Qty,
        /// Shares left over.
        imbalance: Qty,
        /// Which side they are on, if any.
        side: Option<Side>,
        /// The reference price.
        reference: Price,
    },
    /// Trading state, in the words of [`Status`].
    Status(Status),
    /// Known and of no effect on book or state (retail interest, participant positions of others).
    Info,
}

/// A change of trading state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// The trading day moves on (the whole market).
    Session(SessionPhase),
    /// The directory names an instrument.
    Directory {
        /// False for a test symbol, which must never be traded.
        live: bool,
        /// Round lot.
        lot: Qty,
    },
    /// The primary listing exchange's trading state.
    Trading(TradingAction),
    /// This venue's own halt.
    OperationalHalt {
        /// The market it applies to (`Q`, `B`, `X`): only that of the gateway's venue matters.
        market: u8,
        /// Begins or ends.
        halted: bool,
    },
    /// Regulation SHO short-sale price test.
    ShortSaleRestricted(bool),
    /// The limits of a limit-up-limit-down auction.
    Collar {
        /// Reference price.
        reference: Price,
        /// No auction price below it.
        lower: Price,
        /// No auction price above it.
        upper: Price,
    },
    /// Market-wide circuit breaker levels (the whole market), in 1/10^8 of an index point.
    BreakerLevels([u64; 3]),
    /// A market-wide circuit breaker is breached: level 1, 2 or 3.
    Breaker(u8),
    /// An IPO's quotation release: anticipated, at `release_ns` since midnight, or cancelled.
    Ipo {
        /// Anticipated, or cancelled.
        anticipated: bool,
        /// When quoting may start: ns since midnight.
        release_ns: u64,
        /// IPO price.
        price: Price,
    },
    /// Direct listing: may the cross happen, and between which prices.
    DirectListing {
        /// Eligible to be released for trading.
        eligible: bool,
        /// Lower collar.
        lower: Price,
        /// Upper collar.
        upper: Price,
    },
    /// A market participant's state in the instrument. Of use where it is the own one.
    Participant {
        /// Market participant identifier.
        mpid: [u8; 4],
        /// May it quote?
        active: bool,
    },
}

/// Where the trading day stands (ITCH 5.0, System Event codes).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum SessionPhase {
    /// Nothing heard yet.
    #[default]
    Unknown,
    /// `O`: first message of the day.
    StartOfMessages,
    /// `S`: the system takes orders.
    StartOfSystemHours,
    /// `Q`: continuous trading.
    StartOfMarketHours,
    /// `M`: continuous trading is over.
    EndOfMarketHours,
    /// `E`: the system takes no more orders; breaks and deletes may still come.
    EndOfSystemHours,
    /// `C`: last message of the day.
    EndOfMessages,
}

crate::value! {
    enum SessionPhase {
        0 => Unknown,
        1 => StartOfMessages,
        2 => StartOfSystemHours,
        3 => StartOfMarketHours,
        4 => EndOfMarketHours,
        5 => EndOfSystemHours,
        6 => EndOfMessages,
    }
}

/// The primary market's state of an instrument (ITCH 5.0, Stock Trading Action).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum TradingAction {
    /// `H`, and every instrument before its first action.
    #[default]
    Halted,
    /// `P`.
    Paused,
    /// `Q`.
    QuotationOnly,
    /// `T`.
    Trading,
}

crate::value! { enum TradingAction { 0 => Halted, 1 => Paused, 2 => QuotationOnly, 3 => Trading } }

const _: () = assert!(size_of::<Event>() <= 64, "an event fits one cache line");
