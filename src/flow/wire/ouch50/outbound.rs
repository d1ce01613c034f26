//! What the venue sends. Offsets are those of Nasdaq's "OUCH 5.0", outbound messages.

use super::codes::{
    AiqStrategy, BrokenReason, CancelReason, Capacity, CorrectionReason, CrossType, Display, EventCode,
    InterMarketSweep, LiquidityFlag, OrderState, RestatedReason, Side, TimeInForce,
};
use super::fields::{
    MessageType, WireMatchNumber, WirePrice, WireQty, WireRejectReason, WireTimestamp, WireUserRefNum, WireVenueRef,
};
use super::message::{Appended, Malformed, Message, Writer, appendage, messages, parse};
use super::{Appendage, Timestamp, UserRefNum};
use zerocopy::{FromBytes, IntoBytes};

messages! {
    /// `S` System Event, 10.
    SystemEvent = b'S', fixed 10, Never {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: event.
        event: EventCode,
    }
    /// `A` Order Accepted, 64+. Price may be better, time in force shorter, display `Z`, and the order dead.
    OrderAccepted = b'A', fixed 62, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: side.
        side: Side,
        /// 14: shares.
        quantity: WireQty,
        /// 18: symbol, padded with spaces.
        symbol: [u8; 8],
        /// 26: accepted price.
        price: WirePrice,
        /// 34: accepted time in force.
        time_in_force: TimeInForce,
        /// 35: accepted display.
        display: Display,
        /// 36: the venue's number of the order.
        order_reference: WireVenueRef,
        /// 44: capacity.
        capacity: Capacity,
        /// 45: intermarket sweep eligibility.
        inter_market_sweep: InterMarketSweep,
        /// 46: cross type.
        cross_type: CrossType,
        /// 47: live or dead.
        order_state: OrderState,
        /// 48: the client's own text.
        cl_ord_id: [u8; 14],
    }
    /// `U` Order Replaced, 68+. Its quantity is what is open.
    OrderReplaced = b'U', fixed 66, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order that was replaced.
        orig_user_ref_num: WireUserRefNum,
        /// 13: the order in its place.
        user_ref_num: WireUserRefNum,
        /// 17: side.
        side: Side,
        /// 18: open shares.
        quantity: WireQty,
        /// 22: symbol, padded with spaces.
        symbol: [u8; 8],
        /// 30: accepted price.
        price: WirePrice,
        /// 38: accepted time in force.
        time_in_force: TimeInForce,
        /// 39: accepted display.
        display: Display,
        /// 40: the venue's number of the new order.
        order_reference: WireVenueRef,
        /// 48: capacity.
        capacity: Capacity,
        /// 49: intermarket sweep eligibility.
        inter_market_sweep: InterMarketSweep,
        /// 50: cross type.
        cross_type: CrossType,
        /// 51: live or dead.
        order_state: OrderState,
        /// 52: the client's own text.
        cl_ord_id: [u8; 14],
    }
    /// `C` Order Canceled, 18 or 20+. Its quantity is incremental.
    OrderCanceled = b'C', fixed 18, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: shares taken off the order.
        quantity: WireQty,
        /// 17: why.
        reason: CancelReason,
    }
    /// `D` AIQ Canceled: self-match prevention. 31 bytes; 32 with the strategy; 34+ with strategy and appendage.
    AiqCanceled = b'D', fixed 31, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: shares taken off the order.
        decrement: WireQty,
        /// 17: why.
        reason: CancelReason,
        /// 18: shares that did not trade.
        prevented: WireQty,
        /// 22: the price they would have traded at.
        price: WirePrice,
        /// 30: whether they would have added or removed liquidity.
        liquidity: LiquidityFlag,
    }
    /// `E` Order Executed, 36+. Incremental.
    OrderExecuted = b'E', fixed 34, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: executed shares.
        quantity: WireQty,
        /// 17: execution price.
        price: WirePrice,
        /// 25: whether it added or removed liquidity.
        liquidity: LiquidityFlag,
        /// 26: match number, the other side's too.
        match_number: WireMatchNumber,
    }
    /// `B` Broken Trade, 36 or 38+. Follows the execution that it undoes.
    BrokenTrade = b'B', fixed 36, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: the match that is broken.
        match_number: WireMatchNumber,
        /// 21: why.
        reason: BrokenReason,
        /// 22: the client's own text.
        cl_ord_id: [u8; 14],
    }
    /// `J` Rejected, 29 or 31+. The UserRefNum is consumed; the original of a rejected replace is intact.
    Rejected = b'J', fixed 29, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the rejected request.
        user_ref_num: WireUserRefNum,
        /// 13: why.
        reason: WireRejectReason,
        /// 15: the client's own text.
        cl_ord_id: [u8; 14],
    }
    /// `P` Cancel Pending, 13 or 15+: a late cross order, cancelled after the cross.
    CancelPending = b'P', fixed 13, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
    }
    /// `I` Cancel Reject, 13 or 15+: a late cross order cannot be cancelled in part.
    CancelReject = b'I', fixed 13, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
    }
    /// `T` Order Priority Update, 30 or 32+: the system changed the order's priority.
    OrderPriorityUpdate = b'T', fixed 30, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: its price.
        price: WirePrice,
        /// 21: its display.
        display: Display,
        /// 22: its new number.
        order_reference: WireVenueRef,
    }
    /// `M` Order Modified, 18 or 20+. Its quantity is what is open.
    OrderModified = b'M', fixed 18, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: its side now.
        side: Side,
        /// 14: open shares.
        quantity: WireQty,
    }
    /// `R` Order Restated, 16+: what changed is in the appendage (tags 1, 22, 23, 28).
    OrderRestated = b'R', fixed 14, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: why.
        reason: RestatedReason,
    }
    /// `X` Mass Cancel Response, 27+ (since revision 1.03): echoes the request.
    MassCancelResponse = b'X', fixed 25, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the request.
        user_ref_num: WireUserRefNum,
        /// 13: whose orders.
        firm: [u8; 4],
        /// 17: of which symbol; blank for all.
        symbol: [u8; 8],
    }
    /// `G` Disable Order Entry Response, 19+ (since revision 1.03).
    DisableResponse = b'G', fixed 17, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the request.
        user_ref_num: WireUserRefNum,
        /// 13: whose orders.
        firm: [u8; 4],
    }
    /// `K` Enable Order Entry Response, 19+ (since revision 1.03).
    EnableResponse = b'K', fixed 17, Always {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the request.
        user_ref_num: WireUserRefNum,
        /// 13: whose orders.
        firm: [u8; 4],
    }
    /// `Q` Account Query Response, 13 or 15+.
    AccountQueryResponse = b'Q', fixed 13, Optional {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the lowest number that a request may take.
        next_user_ref_num: WireUserRefNum,
    }
    /// `F` Trade Correction, 49 (removed in May 2023).
    TradeCorrection = b'F', fixed 49, Never {
        /// 1: ns since midnight.
        timestamp: WireTimestamp,
        /// 9: the order.
        user_ref_num: WireUserRefNum,
        /// 13: executed shares.
        quantity: WireQty,
        /// 17: corrected price.
        price: WirePrice,
        /// 25: whether it added or removed liquidity.
        liquidity: LiquidityFlag,
        /// 26: the match that is corrected.
        match_number: WireMatchNumber,
        /// 34: why.
        reason: CorrectionReason,
        /// 35: the client's own text.
        cl_ord_id: [u8; 14],
    }
}

/// A message from the venue: its fixed part and its appendage.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Outbound<'a> {
    /// `S`.
    SystemEvent(&'a SystemEvent),
    /// `A`.
    OrderAccepted(&'a OrderAccepted, Appendage<'a>),
    /// `U`.
    OrderReplaced(&'a OrderReplaced, Appendage<'a>),
    /// `C`.
    OrderCanceled(&'a OrderCanceled, Appendage<'a>),
    /// `D`. An appendage length follows only a strategy byte.
    AiqCanceled(&'a AiqCanceled, Option<AiqStrategy>, Appendage<'a>),
    /// `E`.
    OrderExecuted(&'a OrderExecuted, Appendage<'a>),
    /// `B`.
    BrokenTrade(&'a BrokenTrade, Appendage<'a>),
    /// `J`.
    Rejected(&'a Rejected, Appendage<'a>),
    /// `P`.
    CancelPending(&'a CancelPending, Appendage<'a>),
    /// `I`.
    CancelReject(&'a CancelReject, Appendage<'a>),
    /// `T`.
    OrderPriorityUpdate(&'a OrderPriorityUpdate, Appendage<'a>),
    /// `M`.
    OrderModified(&'a OrderModified, Appendage<'a>),
    /// `R`.
    OrderRestated(&'a OrderRestated, Appendage<'a>),
    /// `X`.
    MassCancelResponse(&'a MassCancelResponse, Appendage<'a>),
    /// `G`.
    DisableResponse(&'a DisableResponse, Appendage<'a>),
    /// `K`.
    EnableResponse(&'a EnableResponse, Appendage<'a>),
    /// `Q`.
    AccountQueryResponse(&'a AccountQueryResponse, Appendage<'a>),
    /// `F`.
    TradeCorrection(&'a TradeCorrection),
}

impl<'a> Outbound<'a> {
    /// Decodes one whole message, the payload of a SoupBinTCP Sequenced packet.
    ///
    /// # Errors
    /// What is wrong with it; the bytes are then to be skipped and counted.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match *bytes.first().ok_or(Malformed::Empty)? {
            SystemEvent::TYPE => parse(bytes).map(|(m, _)| Outbound::SystemEvent(m)),
            OrderAccepted::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderAccepted(m, a)),
            OrderReplaced::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderReplaced(m, a)),
            OrderCanceled::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderCanceled(m, a)),
            AiqCanceled::TYPE => parse_aiq(bytes),
            OrderExecuted::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderExecuted(m, a)),
            BrokenTrade::TYPE => parse(bytes).map(|(m, a)| Outbound::BrokenTrade(m, a)),
            Rejected::TYPE => parse(bytes).map(|(m, a)| Outbound::Rejected(m, a)),
            CancelPending::TYPE => parse(bytes).map(|(m, a)| Outbound::CancelPending(m, a)),
            CancelReject::TYPE => parse(bytes).map(|(m, a)| Outbound::CancelReject(m, a)),
            OrderPriorityUpdate::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderPriorityUpdate(m, a)),
            OrderModified::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderModified(m, a)),
            OrderRestated::TYPE => parse(bytes).map(|(m, a)| Outbound::OrderRestated(m, a)),
            MassCancelResponse::TYPE => parse(bytes).map(|(m, a)| Outbound::MassCancelResponse(m, a)),
            DisableResponse::TYPE => parse(bytes).map(|(m, a)| Outbound::DisableResponse(m, a)),
            EnableResponse::TYPE => parse(bytes).map(|(m, a)| Outbound::EnableResponse(m, a)),
            AccountQueryResponse::TYPE => parse(bytes).map(|(m, a)| Outbound::AccountQueryResponse(m, a)),
            TradeCorrection::TYPE => parse(bytes).map(|(m, _)| Outbound::TradeCorrection(m)),
            unknown => Err(Malformed::UnknownType(unknown)),
        }
    }

    /// Writes the message to the front of `out` and returns its length. A decoded message comes out in the form it
    /// came in: with an appendage length where it had one, without where it had none.
    ///
    /// `None`: `out` has no room, or the appendage is beyond what a packet can say.
    #[inline]
    pub fn encode_into(&self, out: &mut [u8]) -> Option<usize> {
        let writer = Writer::new(out);
        match *self {
            Outbound::SystemEvent(m) => writer.message(m, Appendage::NONE),
            Outbound::OrderAccepted(m, a) => writer.message(m, a),
            Outbound::OrderReplaced(m, a) => writer.message(m, a),
            Outbound::OrderCanceled(m, a) => writer.message(m, a),
            Outbound::AiqCanceled(m, strategy, a) => write_aiq(writer, m, strategy, a),
            Outbound::OrderExecuted(m, a) => writer.message(m, a),
            Outbound::BrokenTrade(m, a) => writer.message(m, a),
            Outbound::Rejected(m, a) => writer.message(m, a),
            Outbound::CancelPending(m, a) => writer.message(m, a),
            Outbound::CancelReject(m, a) => writer.message(m, a),
            Outbound::OrderPriorityUpdate(m, a) => writer.message(m, a),
            Outbound::OrderModified(m, a) => writer.message(m, a),
            Outbound::OrderRestated(m, a) => writer.message(m, a),
            Outbound::MassCancelResponse(m, a) => writer.message(m, a),
            Outbound::DisableResponse(m, a) => writer.message(m, a),
            Outbound::EnableResponse(m, a) => writer.message(m, a),
            Outbound::AccountQueryResponse(m, a) => writer.message(m, a),
            Outbound::TradeCorrection(m) => writer.message(m, Appendage::NONE),
        }
    }

    /// The appendage; absent where the message has none.
    #[must_use]
    pub fn appendage(&self) -> Appendage<'a> {
        match *self {
            Outbound::SystemEvent(_) | Outbound::TradeCorrection(_) => Appendage::NONE,
            Outbound::OrderAccepted(_, a)
            | Outbound::OrderReplaced(_, a)
            | Outbound::OrderCanceled(_, a)
            | Outbound::AiqCanceled(_, _, a)
            | Outbound::OrderExecuted(_, a)
            | Outbound::BrokenTrade(_, a)
            | Outbound::Rejected(_, a)
            | Outbound::CancelPending(_, a)
            | Outbound::CancelReject(_, a)
            | Outbound::OrderPriorityUpdate(_, a)
            | Outbound::OrderModified(_, a)
            | Outbound::OrderRestated(_, a)
            | Outbound::MassCancelResponse(_, a)
            | Outbound::DisableResponse(_, a)
            | Outbound::EnableResponse(_, a)
            | Outbound::AccountQueryResponse(_, a) => a,
        }
    }

    /// When the venue sent it, and the order or request it is about (none for a system event and a query's answer).
    #[must_use]
    pub fn about(&self) -> (Timestamp, Option<UserRefNum>) {
        macro_rules! of {
            ($m:expr) => {
                ($m.timestamp.get(), Some($m.user_ref_num.get()))
            };
        }
        match self {
            Outbound::SystemEvent(m) => (m.timestamp.get(), None),
            Outbound::AccountQueryResponse(m, _) => (m.timestamp.get(), None),
            Outbound::OrderAccepted(m, _) => of!(m),
            Outbound::OrderReplaced(m, _) => of!(m),
            Outbound::OrderCanceled(m, _) => of!(m),
            Outbound::AiqCanceled(m, _, _) => of!(m),
            Outbound::OrderExecuted(m, _) => of!(m),
            Outbound::BrokenTrade(m, _) => of!(m),
            Outbound::Rejected(m, _) => of!(m),
            Outbound::CancelPending(m, _) => of!(m),
            Outbound::CancelReject(m, _) => of!(m),
            Outbound::OrderPriorityUpdate(m, _) => of!(m),
            Outbound::OrderModified(m, _) => of!(m),
            Outbound::OrderRestated(m, _) => of!(m),
            Outbound::MassCancelResponse(m, _) => of!(m),
            Outbound::DisableResponse(m, _) => of!(m),
            Outbound::EnableResponse(m, _) => of!(m),
            Outbound::TradeCorrection(m) => of!(m),
        }
    }
}

/// AIQ Canceled grew twice: 31 bytes, then a strategy byte, then an appendage length after that.
fn parse_aiq(bytes: &[u8]) -> Result<Outbound<'_>, Malformed> {
    let bad_length = Malformed::BadLength { message_type: AiqCanceled::TYPE, length: bytes.len() };
    let (message, rest) = AiqCanceled::ref_from_prefix(bytes).map_err(|_| bad_length)?;
    match rest {
        [] => Ok(Outbound::AiqCanceled(message, None, Appendage::NONE)),
        [strategy] => Ok(Outbound::AiqCanceled(message, Some(AiqStrategy(*strategy)), Appendage::NONE)),
        [strategy, appended @ ..] if appended.len() >= 2 => {
            let appendage = appendage::<AiqCanceled>(bytes, appended)?;
            Ok(Outbound::AiqCanceled(message, Some(AiqStrategy(*strategy)), appendage))
        }
        _ => Err(bad_length),
    }
}

/// The shortest form that holds what is given; without a strategy there is no place for an appendage.
fn write_aiq(
    writer: Writer<'_>,
    message: &AiqCanceled,
    strategy: Option<AiqStrategy>,
    appendage: Appendage<'_>,
) -> Option<usize> {
    let writer = writer.put(message.as_bytes())?;
    let Some(strategy) = strategy else {
        return appendage.is_absent().then(|| writer.finish());
    };
    let writer = writer.put(&[strategy.0])?;
    if appendage.is_absent() { Some(writer.finish()) } else { writer.appendage(appendage) }
}
