//! What a venue says about orders, whatever its protocol.
//!
//! A report names an order by its token: the number under which the request that made it was sent (OUCH:
//! UserRefNum). Field by field these are the outbound messages of OUCH 5.0 (nasdaq-protocols.md section 1).

use super::super::action::{SellMark, Tags, TimeInForce};
use super::anomaly::Unreadable;
use crate::base::{ClientId, Price, Qty, Side, Symbol, Token, VenueRef};

/// One message from the venue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Report {
    /// The day moves on: `S` starts, `E` ends (breaks and cancels may follow).
    SystemEvent {
        /// The venue's event code.
        code: u8,
    },
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
        /// The venue's reason (OUCH: `U` by request).
        reason: u8,
    },
    /// Shares were taken off because they met an order of the same firm (anti-internalisation).
    AiqCanceled {
        /// The order.
        token: Token,
        /// How many, in this step alone.
        decrement: Qty,
        /// The venue's reason.
        reason: u8,
        /// Shares that would have traded.
        prevented: Qty,
        /// The price at which they would have.
        price: Price,
        /// The liquidity flag that they would have had.
        liquidity: u8,
    },
    /// Shares traded.
    Executed {
        /// The order.
        token: Token,
        /// How many, in this step alone.
        qty: Qty,
        /// At which price.
        price: Price,
        /// The venue's liquidity flag.
        liquidity: u8,
        /// The venue's match number; both sides of a trade have the same.
        trade: u64,
    },
    /// A trade is broken: it never was.
    Broken {
        /// The order.
        token: Token,
        /// The trade.
        trade: u64,
        /// The venue's reason.
        reason: u8,
    },
    /// A trade has another price or size.
    Corrected {
        /// The order.
        token: Token,
        /// The size that holds.
        qty: Qty,
        /// The price that holds.
        price: Price,
        /// The venue's liquidity flag.
        liquidity: u8,
        /// The trade.
        trade: u64,
        /// The venue's reason.
        reason: u8,
    },
    /// An enter or a replace was refused.
    Rejected {
        /// The token that the request would have taken (it is consumed).
        token: Token,
        /// The venue's reason.
        reason: u16,
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
        display: u8,
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
        /// The venue's reason (`R` display refresh, `P` displayed price).
        reason: u8,
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
        symbol: Option<Symbol>,
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
    /// The venue has worked through every request up to `settled`: their answers, if they get any, came before this.
    Queried {
        /// The smallest token that the venue would take.
        next: Token,
        /// The smallest that was never used, as far as is known here; `None` while that is being learnt.
        unused: Option<Token>,
        /// Requests with numbers up to this one ([`Sent::request`]) are behind us.
        settled: u64,
    },
    /// Something that makes no sense by itself: whatever it said is lost.
    Unreadable(Unreadable),
}

impl Report {
    /// The number that it names first and the letter of its type: OUCH's, for people.
    #[must_use]
    pub(super) fn subject(&self) -> (Token, u8) {
        match *self {
            Report::SystemEvent { .. } => (Token(0), b'S'),
            Report::Accepted(standing) => (standing.token, b'A'),
            Report::Replaced { now, .. } => (now.token, b'U'),
            Report::Canceled { token, .. } => (token, b'C'),
            Report::AiqCanceled { token, .. } => (token, b'D'),
            Report::Executed { token, .. } => (token, b'E'),
            Report::Broken { token, .. } => (token, b'B'),
            Report::Corrected { token, .. } => (token, b'F'),
            Report::Rejected { token, .. } => (token, b'J'),
            Report::CancelPending { token } => (token, b'P'),
            Report::CancelRejected { token } => (token, b'I'),
            Report::PriorityUpdated { token, .. } => (token, b'T'),
            Report::Modified { token, .. } => (token, b'M'),
            Report::Restated { token, .. } => (token, b'R'),
            Report::MassCancelled { token, .. } => (token, b'X'),
            Report::EntryDisabled { token } => (token, b'G'),
            Report::EntryEnabled { token } => (token, b'K'),
            Report::Queried { .. } => (Token(0), b'Q'),
            Report::Unreadable(what) => (Token(0), what.letter),
        }
    }
}

/// An order as the venue says it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Its token.
    pub token: Token,
    /// Whose it is, as far as the order itself carries it. `None`: not entered by this program.
    pub origin: Option<Origin>,
    /// Instrument.
    pub symbol: Symbol,
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
    /// How it is displayed (OUCH: `Y` visible, `N` hidden, `A` attributable, `Z` conformant).
    pub display: u8,
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
