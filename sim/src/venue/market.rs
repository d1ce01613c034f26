//! What stands behind an order port: the words of a market, and the trait that any market implements.
//!
//! The venue's words are its own. It shares byte layouts and the base units with the gateway, and nothing else: no
//! book type, no order state, no quantity arithmetic. Only so can one check the other.

use firelane_gateway::base::{ExchangeTime, Price, Side, Symbol, VenueRef};

/// Whose order it is: a port, a `UserRefIdx` channel within it, and the `UserRefNum`. The background flow has none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Owner {
    /// Index of the port in the acceptor's configuration.
    pub port: u16,
    /// `UserRefIdx`; 0 is the channel of a request that names none.
    pub channel: u8,
    /// `UserRefNum`.
    pub urn: u32,
}

/// How long an order may live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Until the end of market hours. (An order with a time limit is a day order that its port cancels earlier.)
    Day,
    /// What does not trade at once is cancelled.
    Immediate,
    /// All system hours.
    Extended,
    /// From the end of market hours to the end of system hours.
    AfterHours,
}

/// An auction. The discriminant is the code of ITCH and OUCH (`CrossType`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum CrossKind {
    /// Opening cross.
    Open = b'O',
    /// Closing cross.
    Close = b'C',
    /// The cross that ends a halt, a pause or an IPO's quotation period.
    Halt = b'H',
}

/// What happens when an order would trade with one of its own side of the house (anti-internalisation, AIQ).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Prevention {
    /// Both shrink by the smaller size, each told by a plain cancel.
    DecrementBothPlain,
    /// Both shrink by the smaller size, each told what was prevented.
    DecrementBoth,
    /// The resting order leaves.
    CancelOldest,
    /// The incoming order leaves.
    CancelNewest,
}

/// Self-match prevention of one order. Two orders are of one house when their `house` values are equal; then the
/// incoming order's `action` rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SelfMatch {
    /// Level (`F` firm, `O` organisation, `A` affiliate), its four-letter name, and the AIQ group.
    pub house: (u8, [u8; 4], [u8; 2]),
    /// What to do; `None` leaves it to the other order, and does nothing when that one rests.
    pub action: Option<Prevention>,
}

/// An order as a market takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NewOrder {
    /// Who is told; `None` for background flow.
    pub owner: Option<Owner>,
    /// Instrument.
    pub symbol: Symbol,
    /// Side.
    pub side: Side,
    /// A sale that the Regulation SHO price test binds.
    pub short: bool,
    /// Shares to trade or rest. For a replacement: what is to be open, not the chain's liability.
    pub shares: u32,
    /// Limit in 1/10,000 dollar; `None` is a market order.
    pub limit: Option<Price>,
    /// How long it may rest.
    pub life: Life,
    /// Not displayed: ranks behind the displayed orders of its price.
    pub hidden: bool,
    /// Shown with the market participant's name (ITCH `F` rather than `A`).
    pub attributed: Option<[u8; 4]>,
    /// Must not take liquidity.
    pub post_only: bool,
    /// Waits for an auction instead of entering the continuous book.
    pub cross: Option<CrossKind>,
    /// Self-match prevention, if the order has it.
    pub self_match: Option<SelfMatch>,
}

impl NewOrder {
    /// A displayed day limit order of the background flow, to be adjusted with struct update.
    #[must_use]
    pub fn limit(symbol: Symbol, side: Side, shares: u32, price: Price) -> Self {
        NewOrder {
            owner: None,
            symbol,
            side,
            short: false,
            shares,
            limit: Some(price),
            life: Life::Day,
            hidden: false,
            attributed: None,
            post_only: false,
            cross: None,
            self_match: None,
        }
    }
}

/// Why a market does not take an order. Nothing has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Not listed here.
    UnknownSymbol,
    /// Halted or paused, or this venue's own halt.
    Halted,
    /// Outside the hours of such an order.
    Closed,
    /// A limit off the tick, or a size of zero.
    Invalid,
    /// A short sale at or below the bid, which cannot be repriced.
    ShortSaleRestricted,
    /// The auction no longer takes orders of this kind.
    LateForCross,
    /// There is no such order in the market.
    UnknownOrder,
}

/// Why shares left an order without trading. The discriminant is OUCH's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum CancelReason {
    /// Asked for.
    User = b'U',
    /// The rest of an immediate-or-cancel order, or of an order for one auction.
    Immediate = b'I',
    /// Its time limit passed.
    Timeout = b'T',
    /// Its hours are over.
    Closed = b'E',
    /// The instrument does not trade.
    Halted = b'H',
    /// Post-only, and would have traded.
    PostOnly = b'G',
    /// Would have traded with its own house.
    SelfMatch = b'Q',
    /// The exchange's staff.
    Supervisory = b'S',
    /// The system, for example on a disconnect.
    System = b'Z',
}

/// Which side of a trade an order was on. The discriminant is OUCH's liquidity flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Liquidity {
    /// Rested, displayed.
    Added = b'A',
    /// Rested, hidden.
    AddedHidden = b'J',
    /// Came in and took.
    Removed = b'R',
    /// Opening cross.
    OpeningCross = b'O',
    /// Closing cross.
    ClosingCross = b'C',
    /// Halt or IPO cross.
    HaltCross = b'H',
}

/// Why a trade is broken. The discriminant is OUCH's code.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum BreakReason {
    /// Clearly erroneous.
    Erroneous = b'E',
    /// Both sides agreed.
    Consent = b'C',
    /// The exchange's staff.
    Supervisory = b'S',
    /// Another venue or the clearing house.
    External = b'X',
}

/// One thing that happened to one order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Effect {
    /// Whose order; `None` for the background flow's.
    pub owner: Option<Owner>,
    /// The order, by the reference that holds from now on.
    pub reference: VenueRef,
    /// What happened.
    pub what: What,
}

/// What happened to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// Taken, always before anything else of this order. When `live` is false nothing follows.
    Entered {
        /// Open shares before it trades.
        shares: u32,
        /// The limit it stands at, never worse for the customer than asked.
        limit: Option<Price>,
        /// The limit was moved to conform to a regulation.
        conformed: bool,
        /// Can it trade or rest at all?
        live: bool,
        /// The order that died for it.
        replaces: Option<VenueRef>,
    },
    /// Traded.
    Executed {
        /// Shares, this time.
        shares: u32,
        /// At.
        price: Price,
        /// Match number, the same for both sides.
        trade: u64,
        /// Maker, taker, or auction.
        liquidity: Liquidity,
    },
    /// Shares taken off; the order is gone when none are left.
    Canceled {
        /// Shares, this time.
        shares: u32,
        /// Why.
        reason: CancelReason,
    },
    /// Shares taken off because the trade would have been with its own house.
    Prevented {
        /// Shares taken off this order.
        decrement: u32,
        /// Shares that would have traded.
        prevented: u32,
        /// The price they would have traded at.
        price: Price,
        /// What it would have been.
        liquidity: Liquidity,
        /// The rule applied.
        action: Prevention,
    },
    /// The system moved it in the queue: `reference` is new.
    Reprioritised {
        /// Where it stands.
        price: Price,
    },
    /// A trade of it is broken. What was traded is undone; the order does not come back.
    Broken {
        /// Match number.
        trade: u64,
        /// Why.
        reason: BreakReason,
    },
}

/// A market that orders can be sent to. Everything that happens comes back in `effects`, in order, for the orders
/// of all owners: a new order of one port fills another port's resting one.
pub trait Market {
    /// A new order.
    ///
    /// # Errors
    /// [`Refusal`]; nothing has happened.
    fn enter(&mut self, now: ExchangeTime, order: NewOrder, effects: &mut Vec<Effect>) -> Result<(), Refusal>;

    /// `original` dies and `order` takes its place with a new reference, behind the queue of its price.
    ///
    /// # Errors
    /// [`Refusal`]; the original is as it was.
    fn replace(
        &mut self,
        now: ExchangeTime,
        original: VenueRef,
        order: NewOrder,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal>;

    /// Takes shares off so that at most `open` remain; the order keeps its place. No effect when it has no more.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`].
    fn reduce(
        &mut self,
        now: ExchangeTime,
        order: VenueRef,
        open: u32,
        reason: CancelReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal>;

    /// Is the order in an auction that it can no longer leave?
    fn is_frozen(&self, order: VenueRef) -> bool;

    /// Moves an order behind the queue of its price under a new reference, as the exchange's system may.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`].
    fn reprioritise(&mut self, now: ExchangeTime, order: VenueRef, effects: &mut Vec<Effect>) -> Result<(), Refusal>;

    /// Breaks a trade for all its parties.
    ///
    /// # Errors
    /// [`Refusal::UnknownOrder`] when there is no such trade, or it is broken already.
    fn break_trade(
        &mut self,
        now: ExchangeTime,
        trade: u64,
        reason: BreakReason,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal>;
}
