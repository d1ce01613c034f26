//! What a strategy asks for, what the gate lets pass, and what an order's life reports back.
//!
//! These are the words that strategy, risk gate, order table and order entry share. Quantities follow the arithmetic
//! of OUCH 5.0, which is safe under races: a replace names the liability of its whole chain (what was executed
//! included), a cancel names the size that the order shall have in all.

use super::words::{Liquidity, Reason};
use crate::base::{
    AccountId, ClientId, InstrumentId, ParentId, Price, Qty, Side, StrategyId, Token, VenueId, VenueRef,
};

/// On whose behalf: carried by every order record.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tags {
    /// The account.
    pub account: AccountId,
    /// The strategy within the lane.
    pub strategy: StrategyId,
    /// The parent order, 0 for none.
    pub parent: ParentId,
}

crate::value! { Tags { account, strategy, parent } }

/// How long an order may stay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TimeInForce {
    /// Until the end of market hours.
    Day,
    /// Trade at once, cancel the rest.
    ImmediateOrCancel,
}

crate::value! { enum TimeInForce { 0 => Day, 1 => ImmediateOrCancel } }

/// A new order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enter {
    /// Instrument.
    pub instrument: InstrumentId,
    /// Buy or sell; whether a sell is long or short is the gate's to say.
    pub side: Side,
    /// Limit.
    pub price: Price,
    /// Size.
    pub qty: Qty,
    /// Time in force.
    pub tif: TimeInForce,
    /// Never take liquidity.
    pub post_only: bool,
    /// On whose behalf.
    pub tags: Tags,
}

/// A change of price or size of a live order. Loses priority, always.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Replace {
    /// The order.
    pub order: ClientId,
    /// Its new limit.
    pub price: Price,
    /// The liability of the whole chain, executed shares included: 500 entered, 100 filled, replaced with 500 leaves
    /// 400 open.
    pub qty: Qty,
}

/// A cancel, full or partial. Keeps priority.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cancel {
    /// The order.
    pub order: ClientId,
    /// The most that the order may execute in all; zero cancels it whole.
    pub keep: Qty,
}

/// Cancel everything, of one instrument or of all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MassCancel {
    /// `None`: all instruments.
    pub instrument: Option<InstrumentId>,
}

/// A full cancel of an order that the venue alone knows, by the token under which it lives there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CancelToken {
    /// The token.
    pub token: Token,
}

/// What a strategy may ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// A new order.
    Enter(Enter),
    /// A change.
    Replace(Replace),
    /// A cancel.
    Cancel(Cancel),
    /// Cancel all.
    MassCancel(MassCancel),
}

crate::value! { Enter { instrument, side, price, qty, tif, post_only, tags } }
crate::value! { Replace { order, price, qty } }
crate::value! { Cancel { order, keep } }
crate::value! { MassCancel { instrument } }
crate::value! { enum Action { 1 => Enter(enter), 2 => Replace(replace), 3 => Cancel(cancel), 4 => MassCancel(cancel) } }

/// How a sell leaves (Regulation SHO).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SellMark {
    /// A buy, or a sell of shares held.
    Long,
    /// A sale of shares not held; `located` says that a locate was found.
    Short {
        /// A locate was found.
        located: bool,
    },
}

crate::value! { enum SellMark { 0 => Long, 1 => Short { located } } }

/// What an order could still do to the position: the larger of what is open and of what a pending replace would open,
/// at the price that costs more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Exposure {
    /// Shares that may still execute.
    pub qty: Qty,
    /// The worst price (highest for a buy; for a sell the highest too: it bounds the notional).
    pub price: Price,
    /// How many of the shares are a short sale.
    pub short: bool,
}

/// Shares that traded, or, with a negative quantity, a trade taken back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fill {
    /// Size; negative when a trade is broken.
    pub qty: Qty,
    /// Price.
    pub price: Price,
    /// The venue's match number: the key under which a fill counts once.
    pub trade: u64,
    /// Which part the order had.
    pub liquidity: Liquidity,
}

crate::value! { Fill { qty, price, trade, liquidity } }

/// What happened to an order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    /// Sent, no answer yet.
    Sent,
    /// Live at the venue.
    Accepted,
    /// The replacement is live.
    Replaced,
    /// Shares traded; live if any are left.
    Filled,
    /// Some shares were cancelled; the order is still live.
    Reduced,
    /// No shares left, by cancel.
    Cancelled,
    /// Never lived.
    Rejected,
    /// A replace or a cancel was refused; the order is as before.
    RequestRefused,
    /// A cancel will take effect later (cross orders).
    CancelPending,
    /// The venue changed price, display, priority or reference.
    Revised,
    /// A trade was broken.
    TradeBroken,
    /// A trade was corrected: its price (and perhaps size) changed.
    TradeCorrected,
    /// A request got no answer in time; its outcome is unknown until the venue says.
    TimedOut,
}

/// One step in an order's life: what it was worth before, what it is worth after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Change {
    /// The order.
    pub order: ClientId,
    /// Where it is.
    pub venue: VenueId,
    /// Its instrument.
    pub instrument: InstrumentId,
    /// Its side.
    pub side: Side,
    /// On whose behalf.
    pub tags: Tags,
    /// What happened.
    pub what: Happening,
    /// Why, where the venue said so (cancel, reject, broken, restated).
    pub reason: Reason,
    /// Exposure before the step.
    pub before: Exposure,
    /// Exposure after the step.
    pub after: Exposure,
    /// What traded.
    pub fill: Option<Fill>,
    /// A trade taken back in the same step (a correction is the old fill reversed and the new one booked).
    pub reversed: Option<Fill>,
    /// The venue's reference that stopped being ours.
    pub left: Option<VenueRef>,
    /// The venue's reference that became ours.
    pub joined: Option<VenueRef>,
    /// No further step can add exposure: the slot may be reused.
    pub finished: bool,
}
