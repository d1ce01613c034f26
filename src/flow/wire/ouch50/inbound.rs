//! What a client sends. Offsets are those of Nasdaq's "OUCH 5.0", inbound messages.

use super::codes::{Capacity, CrossType, Display, InterMarketSweep, Side, TimeInForce};
use super::fields::{MessageType, WirePrice, WireQty, WireUserRefNum};
use super::message::{Appended, Malformed, Message, Writer, messages, parse};
use super::{Appendage, UserRefNum};

messages! {
    /// `O` Enter Order, 47+: asks for a new order. Answered by Accepted or Rejected.
    EnterOrder = b'O', fixed 45, Always {
        /// 1: consumed by this request.
        user_ref_num: WireUserRefNum,
        /// 5: side.
        side: Side,
        /// 6: shares, 1 to 999,999.
        quantity: WireQty,
        /// 10: symbol, padded with spaces.
        symbol: [u8; 8],
        /// 18: limit price, or a market order's mark.
        price: WirePrice,
        /// 26: time in force.
        time_in_force: TimeInForce,
        /// 27: display.
        display: Display,
        /// 28: capacity.
        capacity: Capacity,
        /// 29: intermarket sweep eligibility.
        inter_market_sweep: InterMarketSweep,
        /// 30: cross type.
        cross_type: CrossType,
        /// 31: the client's own text, padded with spaces.
        cl_ord_id: [u8; 14],
    }
    /// `U` Replace Order Request, 40+: a new order in the place of another, with a new priority.
    ReplaceOrder = b'U', fixed 38, Always {
        /// 1: the order to replace.
        orig_user_ref_num: WireUserRefNum,
        /// 5: consumed by this request if it is answered by Replaced or Rejected.
        user_ref_num: WireUserRefNum,
        /// 9: liability of the whole chain, what it already executed included.
        quantity: WireQty,
        /// 13: limit price, or a market order's mark.
        price: WirePrice,
        /// 21: time in force (`E` is not allowed).
        time_in_force: TimeInForce,
        /// 22: display.
        display: Display,
        /// 23: intermarket sweep eligibility.
        inter_market_sweep: InterMarketSweep,
        /// 24: the client's own text, padded with spaces.
        cl_ord_id: [u8; 14],
    }
    /// `X` Cancel Order Request, 9 or 11+.
    CancelOrder = b'X', fixed 9, Optional {
        /// 1: the order.
        user_ref_num: WireUserRefNum,
        /// 5: the most shares that the order may execute in total; 0 cancels all that is open.
        quantity: WireQty,
    }
    /// `M` Modify Order Request, 10 or 12+: changes the kind of a sale; may reduce as a cancel does.
    ModifyOrder = b'M', fixed 10, Optional {
        /// 1: the order.
        user_ref_num: WireUserRefNum,
        /// 5: the new side; only S, T and E are interchangeable.
        side: Side,
        /// 6: as in [`CancelOrder`].
        quantity: WireQty,
    }
    /// `C` Mass Cancel Request, 19+ (since revision 1.03): the booked orders of a firm.
    MassCancel = b'C', fixed 17, Always {
        /// 1: consumed by this request.
        user_ref_num: WireUserRefNum,
        /// 5: whose orders.
        firm: [u8; 4],
        /// 9: of which symbol; blank for all. Side and Group ID filter in the appendage.
        symbol: [u8; 8],
    }
    /// `D` Disable Order Entry Request, 11+ (since revision 1.03): blocks new orders of a firm.
    DisableOrderEntry = b'D', fixed 9, Always {
        /// 1: consumed by this request.
        user_ref_num: WireUserRefNum,
        /// 5: whose orders.
        firm: [u8; 4],
    }
    /// `E` Enable Order Entry Request, 11+ (since revision 1.03).
    EnableOrderEntry = b'E', fixed 9, Always {
        /// 1: consumed by this request.
        user_ref_num: WireUserRefNum,
        /// 5: whose orders.
        firm: [u8; 4],
    }
    /// `Q` Account Query Request, 1 or 3+: asks for the next usable UserRefNum.
    AccountQuery = b'Q', fixed 1, Optional {}
}

/// A message from a client: its fixed part and its appendage.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Inbound<'a> {
    /// `O`.
    EnterOrder(&'a EnterOrder, Appendage<'a>),
    /// `U`.
    ReplaceOrder(&'a ReplaceOrder, Appendage<'a>),
    /// `X`.
    CancelOrder(&'a CancelOrder, Appendage<'a>),
    /// `M`.
    ModifyOrder(&'a ModifyOrder, Appendage<'a>),
    /// `C`.
    MassCancel(&'a MassCancel, Appendage<'a>),
    /// `D`.
    DisableOrderEntry(&'a DisableOrderEntry, Appendage<'a>),
    /// `E`.
    EnableOrderEntry(&'a EnableOrderEntry, Appendage<'a>),
    /// `Q`.
    AccountQuery(&'a AccountQuery, Appendage<'a>),
}

impl<'a> Inbound<'a> {
    /// Decodes one whole message, the payload of a SoupBinTCP Unsequenced packet.
    ///
    /// # Errors
    /// What is wrong with it; the bytes are then to be skipped and counted.
    #[inline]
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match *bytes.first().ok_or(Malformed::Empty)? {
            EnterOrder::TYPE => parse(bytes).map(|(m, a)| Inbound::EnterOrder(m, a)),
            ReplaceOrder::TYPE => parse(bytes).map(|(m, a)| Inbound::ReplaceOrder(m, a)),
            CancelOrder::TYPE => parse(bytes).map(|(m, a)| Inbound::CancelOrder(m, a)),
            ModifyOrder::TYPE => parse(bytes).map(|(m, a)| Inbound::ModifyOrder(m, a)),
            MassCancel::TYPE => parse(bytes).map(|(m, a)| Inbound::MassCancel(m, a)),
            DisableOrderEntry::TYPE => parse(bytes).map(|(m, a)| Inbound::DisableOrderEntry(m, a)),
            EnableOrderEntry::TYPE => parse(bytes).map(|(m, a)| Inbound::EnableOrderEntry(m, a)),
            AccountQuery::TYPE => parse(bytes).map(|(m, a)| Inbound::AccountQuery(m, a)),
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
            Inbound::EnterOrder(m, a) => writer.message(m, a),
            Inbound::ReplaceOrder(m, a) => writer.message(m, a),
            Inbound::CancelOrder(m, a) => writer.message(m, a),
            Inbound::ModifyOrder(m, a) => writer.message(m, a),
            Inbound::MassCancel(m, a) => writer.message(m, a),
            Inbound::DisableOrderEntry(m, a) => writer.message(m, a),
            Inbound::EnableOrderEntry(m, a) => writer.message(m, a),
            Inbound::AccountQuery(m, a) => writer.message(m, a),
        }
    }

    /// The number that this request consumes (unlike one that only names an order): O, U, C, D and E do.
    #[must_use]
    pub fn takes_user_ref_num(&self) -> Option<UserRefNum> {
        match self {
            Inbound::EnterOrder(m, _) => Some(m.user_ref_num.get()),
            Inbound::ReplaceOrder(m, _) => Some(m.user_ref_num.get()),
            Inbound::MassCancel(m, _) => Some(m.user_ref_num.get()),
            Inbound::DisableOrderEntry(m, _) => Some(m.user_ref_num.get()),
            Inbound::EnableOrderEntry(m, _) => Some(m.user_ref_num.get()),
            Inbound::CancelOrder(..) | Inbound::ModifyOrder(..) | Inbound::AccountQuery(..) => None,
        }
    }

    /// The appendage.
    #[must_use]
    pub fn appendage(&self) -> Appendage<'a> {
        match *self {
            Inbound::EnterOrder(_, a)
            | Inbound::ReplaceOrder(_, a)
            | Inbound::CancelOrder(_, a)
            | Inbound::ModifyOrder(_, a)
            | Inbound::MassCancel(_, a)
            | Inbound::DisableOrderEntry(_, a)
            | Inbound::EnableOrderEntry(_, a)
            | Inbound::AccountQuery(_, a) => a,
        }
    }
}
