//! What a venue says about orders, whatever its protocol.
//!
//! A report names an order by its token: the number under which the request that made it was sent. Order entry makes
//! reports of what its protocol says, and leaves none of the protocol's letters in them but as codes for people.

use super::super::action::{SellMark, Tags, TimeInForce};
use super::super::words::{DayEvent, Liquidity, Reason, ReportKind, Visibility};
use super::anomaly::Unreadable;
use crate::base::{ClientId, Name, Price, Qty, Side, Token, VenueId, VenueRef};

/// One message from the venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// The day moves on.
    Day(DayEvent),
    /// A new order stands, perhaps at a better price or already dead.
    Accepted(Standing),
    /// The order `orig` is dead and this one stands in its place.
    Replaced {
        /// The token of the order replaced.
        orig: Token,
        /// The order that stands now; its quantity is what is open, not the liability that was asked for.
        now: Standing,
    },
    /// Shares were taken off the order.
    Canceled {
        /// The order.
        token: Token,
        /// How many, in this step alone.
        decrement: Qty,
        /// Why.
        reason: Reason,
    },
    /// Shares were taken off because they met an order of our own (self-match prevention).
    SelfMatched {
        /// The order.
        token: Token,
        /// How many, in this step alone.
        decrement: Qty,
        /// Why.
        reason: Reason,
        /// Shares that would have traded.
        prevented: Qty,
        /// The price at which they would have.
        price: Price,
        /// Which part they would have had.
        liquidity: Liquidity,
    },
    /// Shares traded.
    Executed {
        /// The order.
        token: Token,
        /// How many, in this step alone.
        qty: Qty,
        /// At which price.
        price: Price,
        /// Which part the order had.
        liquidity: Liquidity,
        /// The venue's match number; both sides of a trade have the same.
        trade: u64,
    },
    /// A trade is broken: it never was.
    Broken {
        /// The order.
        token: Token,
        /// The trade.
        trade: u64,
        /// Why.
        reason: Reason,
    },
    /// A trade has another price or size.
    Corrected {
        /// The order.
        token: Token,
        /// The size that holds.
        qty: Qty,
        /// The price that holds.
        price: Price,
        /// Which part the order had.
        liquidity: Liquidity,
        /// The trade.
        trade: u64,
        /// Why.
        reason: Reason,
    },
    /// An enter or a replace was refused.
    Rejected {
        /// The token that the request would have taken (it is consumed).
        token: Token,
        /// Why.
        reason: Reason,
    },
    /// A full cancel waits for a cross.
    CancelPending {
        /// The order.
        token: Token,
    },
    /// A partial cancel was refused (late, of a cross order).
    CancelRejected {
        /// The order.
        token: Token,
    },
    /// The venue repriced or requeued the order.
    PriorityUpdated {
        /// The order.
        token: Token,
        /// Its price now.
        price: Price,
        /// How it is displayed now.
        display: Visibility,
        /// Its reference now.
        venue_ref: VenueRef,
    },
    /// The side's short marking or the size changed by request.
    Modified {
        /// The order.
        token: Token,
        /// Its side.
        side: Side,
        /// How it sells.
        mark: SellMark,
        /// What is open now.
        open: Qty,
    },
    /// What the feed shows of the order changed.
    Restated {
        /// The order.
        token: Token,
        /// Why.
        reason: Reason,
        /// The reference of the displayed part.
        displayed: Option<VenueRef>,
        /// Its size.
        qty: Option<Qty>,
        /// Its price.
        price: Option<Price>,
    },
    /// A mass cancel was taken; a cancel per order follows.
    MassCancelled {
        /// The request.
        token: Token,
        /// The instrument, if the request named one.
        name: Option<Name>,
    },
    /// The venue takes no new orders of the firm.
    EntryDisabled {
        /// The request.
        token: Token,
    },
    /// The venue takes new orders of the firm again.
    EntryEnabled {
        /// The request.
        token: Token,
    },
    /// The venue has worked through every request up to `upto`: their answers, if they get any, came before this.
    Settled {
        /// Requests with numbers up to this one ([`Sent::request`]) are behind us.
        upto: u64,
        /// The smallest token that the venue would take, if it says so.
        next: Option<Token>,
        /// The smallest that was never used, as far as is known here; `None` while that is being learnt.
        unused: Option<Token>,
    },
    /// Something that makes no sense by itself: whatever it said is lost.
    Unreadable(Unreadable),
}

impl Report {
    /// What it is about, said by `venue`: the number that it names first, 0 for none, and its kind.
    pub(super) fn subject(&self, venue: VenueId) -> Subject {
        const NONE: Token = Token(0);
        let (token, kind) = match *self {
            Report::Day(_) => (NONE, ReportKind::Day),
            Report::Accepted(standing) => (standing.token, ReportKind::Accepted),
            Report::Replaced { now, .. } => (now.token, ReportKind::Replaced),
            Report::Canceled { token, .. } => (token, ReportKind::Canceled),
            Report::SelfMatched { token, .. } => (token, ReportKind::SelfMatched),
            Report::Executed { token, .. } => (token, ReportKind::Executed),
            Report::Broken { token, .. } => (token, ReportKind::Broken),
            Report::Corrected { token, .. } => (token, ReportKind::Corrected),
            Report::Rejected { token, .. } => (token, ReportKind::Rejected),
            Report::CancelPending { token } => (token, ReportKind::CancelPending),
            Report::CancelRejected { token } => (token, ReportKind::CancelRejected),
            Report::PriorityUpdated { token, .. } => (token, ReportKind::PriorityUpdated),
            Report::Modified { token, .. } => (token, ReportKind::Modified),
            Report::Restated { token, .. } => (token, ReportKind::Restated),
            Report::MassCancelled { token, .. } => (token, ReportKind::MassCancelled),
            Report::EntryDisabled { token } => (token, ReportKind::EntryDisabled),
            Report::EntryEnabled { token } => (token, ReportKind::EntryEnabled),
            Report::Settled { .. } => (NONE, ReportKind::Settled),
            Report::Unreadable(_) => (NONE, ReportKind::Unreadable),
        };
        Subject { venue, token, kind }
    }
}

/// What a report is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Subject {
    /// Who says it.
    pub(super) venue: VenueId,
    /// The number that it names, 0 for none.
    pub(super) token: Token,
    /// Its kind.
    pub(super) kind: ReportKind,
}

/// An order as the venue says it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its token.
    pub token: Token,
    /// Whose it is, as far as the order itself carries it. `None`: not entered by this program.
    pub origin: Option<Origin>,
    /// What the venue calls its instrument.
    pub name: Name,
    /// Buy or sell.
    pub side: Side,
    /// How it sells.
    pub mark: SellMark,
    /// What is open.
    pub qty: Qty,
    /// Its price: the limit or better.
    pub price: Price,
    /// Time in force.
    pub tif: TimeInForce,
    /// How it is displayed.
    pub display: Visibility,
    /// The venue's reference.
    pub venue_ref: VenueRef,
    /// False: dead already, nothing follows.
    pub live: bool,
}

/// What an order carries to the venue and back, so that it is known again after a restart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Origin {
    /// The order.
    pub client: ClientId,
    /// On whose behalf; the parent order is not carried, 0.
    pub tags: Tags,
}

/// A request as it left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The token that it took; for a cancel, that of the order.
    pub token: Token,
    /// Its number among all requests of the program, from 1.
    pub request: u64,
}
