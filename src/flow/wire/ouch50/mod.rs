//! OUCH 5.0, Nasdaq's order entry, both directions. Inbound messages travel in SoupBinTCP Unsequenced packets,
//! outbound ones in Sequenced packets, one message a packet.
//!
//! Source: Nasdaq, "OUCH 5.0": May 2023, revisions 1.03 to 1.05, July 2025 print.
//! Revisions differ in whether some messages end before an appendage length; the packet's length tells, both forms
//! are accepted, and what was decoded is encoded in the form it had.

mod appendage;
mod codes;
mod fields;
mod inbound;
mod message;
mod outbound;

pub use appendage::{Appendage, AppendageBuilder, AppendageFull, AppendageOption, BadOption, Options};
pub use codes::{
    AiqStrategy, BrokenReason, CancelReason, Capacity, CorrectionReason, CrossType, Display, EventCode,
    InterMarketSweep, LiquidityFlag, OrderState, RejectReason, RestatedReason, Side, TimeInForce,
};
pub use fields::{
    MARKET_PRICE, MARKET_PRICE_DECIMAL, MAX_LIMIT_PRICE, MAX_QUANTITY, MIN_QUANTITY, MatchNumber, MessageType,
    Timestamp, UserRefNum, WireMatchNumber, WirePrice, WireQty, WireRejectReason, WireTimestamp, WireUserRefNum,
    WireVenueRef,
};
pub use inbound::{
    AccountQuery, CancelOrder, DisableOrderEntry, EnableOrderEntry, EnterOrder, Inbound, MassCancel, ModifyOrder,
    ReplaceOrder,
};
pub use message::{Appended, Malformed, Message};
pub use outbound::{
    AccountQueryResponse, AiqCanceled, BrokenTrade, CancelPending, CancelReject, DisableResponse, EnableResponse,
    MassCancelResponse, OrderAccepted, OrderCanceled, OrderExecuted, OrderModified, OrderPriorityUpdate, OrderReplaced,
    OrderRestated, Outbound, Rejected, SystemEvent, TradeCorrection,
};
