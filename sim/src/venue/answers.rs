//! What a port was told: OUCH 5.0 messages, kept in order.
//!
//! Messages that gained an appendage length in revision 1.03 carry one only when the order's channel is not the
//! default one ("OUCH 5.0", its revisions).

use super::market::{BreakReason, CancelReason, Liquidity, Prevention};
use super::port::{Fill, OrderKey, OrderRecord};
use firelane_gateway::base::{ExchangeTime, Price};
use firelane_gateway::flow::wire::ouch50::{
    self as ouch, AccountQueryResponse, AiqCanceled, AiqStrategy, Appendage, AppendageBuilder, AppendageOption,
    BrokenReason, BrokenTrade, CancelPending, CancelReject, CorrectionReason, DisableResponse, EnableResponse,
    EventCode, LiquidityFlag, MassCancel, MassCancelResponse, MatchNumber, MessageType, OrderAccepted, OrderCanceled,
    OrderExecuted, OrderModified, OrderPriorityUpdate, OrderReplaced, OrderRestated, Outbound, RejectReason, Rejected,
    RestatedReason, SystemEvent, Timestamp, TradeCorrection, UserRefNum, WirePrice, WireQty, WireTimestamp,
    WireUserRefNum,
};

/// Room for the options of one answer: every option of a request, and the channel.
const OPTIONS: usize = 4096;

/// The messages of a port's session.
#[derive(Debug, Default)]
pub(super) struct Answers {
    messages: Vec<Vec<u8>>,
}

fn at(now: ExchangeTime) -> WireTimestamp {
    Timestamp(now.ns_since_midnight()).into()
}

fn urn(key: OrderKey) -> WireUserRefNum {
    UserRefNum(key.urn).into()
}

fn price(price: Option<Price>) -> WirePrice {
    // No limit: the mark of a market order.
    WirePrice::new(price.unwrap_or(ouch::MARKET_PRICE)).unwrap_or_default()
}

fn shares(shares: u32) -> WireQty {
    WireQty::from_shares(shares)
}

fn state(live: bool) -> ouch::OrderState {
    if live { ouch::OrderState::LIVE } else { ouch::OrderState::DEAD }
}

/// The options of one answer.
struct Tail {
    builder: AppendageBuilder<OPTIONS>,
    empty: bool,
}

impl Tail {
    fn new(channel: u8) -> Self {
        let mut tail = Tail { builder: AppendageBuilder::new(), empty: true };
        if channel != 0 {
            tail.push(28, &[channel]);
        }
        tail
    }

    /// The options that the answer repeats, without `except`, and the channel.
    fn repeating(record: &OrderRecord, channel: u8, except: Option<u8>) -> Self {
        let mut tail = Tail::new(0);
        tail.push(2, &record.terms.firm);
        for (tag, value) in record.terms.echoed.iter().filter(|(tag, _)| **tag != 2 && Some(**tag) != except) {
            tail.push(*tag, value);
        }
        if channel != 0 {
            tail.push(28, &[channel]);
        }
        tail
    }

    fn push(&mut self, tag: u8, value: &[u8]) {
        self.builder.push_raw(tag, value).expect("the options of one answer fit its buffer");
        self.empty = false;
    }

    /// Absent when there is nothing to say; a message that always has a length field then says zero.
    fn appendage(&self) -> Appendage<'_> {
        if self.empty { Appendage::NONE } else { self.builder.appendage() }
    }
}

impl Answers {
    pub(super) fn messages(&self) -> &[Vec<u8>] {
        &self.messages
    }

    fn say(&mut self, message: Outbound<'_>) {
        let mut buffer = [0; OPTIONS + 128];
        let length = message.encode_into(&mut buffer).expect("an answer fits its buffer");
        self.messages.push(buffer[..length].to_vec());
    }

    pub(super) fn system_event(&mut self, now: ExchangeTime, starts: bool) {
        let event = if starts { EventCode::START_OF_DAY } else { EventCode::END_OF_DAY };
        self.say(Outbound::SystemEvent(&SystemEvent { message_type: MessageType::NEW, timestamp: at(now), event }));
    }

    pub(super) fn accepted(&mut self, now: ExchangeTime, key: OrderKey, record: &OrderRecord, live: bool) {
        let terms = &record.terms;
        let message = OrderAccepted {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            side: terms.side,
            quantity: shares(record.entered),
            symbol: terms.symbol.0,
            price: price(terms.limit),
            time_in_force: terms.time_in_force,
            display: terms.display,
            order_reference: record.reference.into(),
            capacity: terms.capacity,
            inter_market_sweep: terms.inter_market_sweep,
            cross_type: terms.cross_type,
            order_state: state(live),
            cl_ord_id: terms.cl_ord_id,
        };
        self.say(Outbound::OrderAccepted(&message, Tail::repeating(record, key.channel, None).appendage()));
    }

    pub(super) fn replaced(
        &mut self,
        now: ExchangeTime,
        old: OrderKey,
        key: OrderKey,
        record: &OrderRecord,
        live: bool,
    ) {
        let terms = &record.terms;
        let message = OrderReplaced {
            message_type: MessageType::NEW,
            timestamp: at(now),
            orig_user_ref_num: urn(old),
            user_ref_num: urn(key),
            side: terms.side,
            quantity: shares(record.entered),
            symbol: terms.symbol.0,
            price: price(terms.limit),
            time_in_force: terms.time_in_force,
            display: terms.display,
            order_reference: record.reference.into(),
            capacity: terms.capacity,
            inter_market_sweep: terms.inter_market_sweep,
            cross_type: terms.cross_type,
            order_state: state(live),
            cl_ord_id: terms.cl_ord_id,
        };
        // Group ID is in Accepted only.
        self.say(Outbound::OrderReplaced(&message, Tail::repeating(record, key.channel, Some(24)).appendage()));
    }

    pub(super) fn canceled(&mut self, now: ExchangeTime, key: OrderKey, gone: u32, reason: CancelReason) {
        let message = OrderCanceled {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            quantity: shares(gone),
            reason: ouch::CancelReason(reason as u8),
        };
        self.say(Outbound::OrderCanceled(&message, Tail::new(key.channel).appendage()));
    }

    /// Self-match prevention: Canceled when no details are wanted, else AIQ Canceled.
    pub(super) fn prevented(
        &mut self,
        now: ExchangeTime,
        key: OrderKey,
        (decrement, prevented, at_price): (u32, u32, Price),
        liquidity: Liquidity,
        action: Prevention,
        aiq: AiqStrategy,
    ) {
        if action == Prevention::DecrementBothPlain {
            return self.canceled(now, key, decrement, CancelReason::SelfMatch);
        }
        let message = AiqCanceled {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            decrement: shares(decrement),
            reason: ouch::CancelReason::SELF_MATCH,
            prevented: shares(prevented),
            price: price(Some(at_price)),
            liquidity: LiquidityFlag(liquidity as u8),
        };
        self.say(Outbound::AiqCanceled(&message, Some(aiq), Tail::new(key.channel).appendage()));
    }

    pub(super) fn executed(&mut self, now: ExchangeTime, fill: &Fill) {
        let message = OrderExecuted {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(fill.order),
            quantity: shares(executed_shares(fill)),
            price: price(Some(fill.price)),
            liquidity: LiquidityFlag(fill.liquidity as u8),
            match_number: MatchNumber(fill.trade).into(),
        };
        self.say(Outbound::OrderExecuted(&message, Tail::new(fill.order.channel).appendage()));
    }

    pub(super) fn broken(
        &mut self,
        now: ExchangeTime,
        key: OrderKey,
        trade: u64,
        reason: BreakReason,
        cl_ord_id: [u8; 14],
    ) {
        let message = BrokenTrade {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            match_number: MatchNumber(trade).into(),
            reason: BrokenReason(reason as u8),
            cl_ord_id,
        };
        self.say(Outbound::BrokenTrade(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn corrected(&mut self, now: ExchangeTime, fill: &Fill, reason: CorrectionReason, cl_ord_id: [u8; 14]) {
        self.say(Outbound::TradeCorrection(&TradeCorrection {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(fill.order),
            quantity: shares(executed_shares(fill)),
            price: price(Some(fill.price)),
            liquidity: LiquidityFlag(fill.liquidity as u8),
            match_number: MatchNumber(fill.trade).into(),
            reason,
            cl_ord_id,
        }));
    }

    pub(super) fn rejected(&mut self, now: ExchangeTime, key: OrderKey, reason: RejectReason, cl_ord_id: [u8; 14]) {
        let (message_type, timestamp, user_ref_num) = (MessageType::NEW, at(now), urn(key));
        let message = Rejected { message_type, timestamp, user_ref_num, reason: reason.into(), cl_ord_id };
        self.say(Outbound::Rejected(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn cancel_pending(&mut self, now: ExchangeTime, key: OrderKey) {
        let message = CancelPending { message_type: MessageType::NEW, timestamp: at(now), user_ref_num: urn(key) };
        self.say(Outbound::CancelPending(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn cancel_reject(&mut self, now: ExchangeTime, key: OrderKey) {
        let message = CancelReject { message_type: MessageType::NEW, timestamp: at(now), user_ref_num: urn(key) };
        self.say(Outbound::CancelReject(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn reprioritised(&mut self, now: ExchangeTime, key: OrderKey, record: &OrderRecord, at_price: Price) {
        let message = OrderPriorityUpdate {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            price: price(Some(at_price)),
            display: record.terms.display,
            order_reference: record.reference.into(),
        };
        self.say(Outbound::OrderPriorityUpdate(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn modified(&mut self, now: ExchangeTime, key: OrderKey, side: ouch::Side, open: u32) {
        let message = OrderModified {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            side,
            quantity: shares(open),
        };
        self.say(Outbound::OrderModified(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn restated(
        &mut self,
        now: ExchangeTime,
        key: OrderKey,
        reason: RestatedReason,
        options: &[AppendageOption],
    ) {
        let mut tail = Tail::new(0);
        for option in options {
            tail.builder.push(*option).expect("the options of one answer fit its buffer");
            tail.empty = false;
        }
        if key.channel != 0 {
            tail.push(28, &[key.channel]);
        }
        let message =
            OrderRestated { message_type: MessageType::NEW, timestamp: at(now), user_ref_num: urn(key), reason };
        self.say(Outbound::OrderRestated(&message, tail.appendage()));
    }

    /// Repeats the request, filters and all.
    pub(super) fn mass_cancel(
        &mut self,
        now: ExchangeTime,
        key: OrderKey,
        request: &MassCancel,
        side: Option<ouch::Side>,
        group: Option<u16>,
    ) {
        let mut tail = Tail::new(0);
        if let Some(group) = group {
            tail.push(24, &group.to_be_bytes());
        }
        if let Some(side) = side {
            tail.push(27, &[side.0]);
        }
        if key.channel != 0 {
            tail.push(28, &[key.channel]);
        }
        let message = MassCancelResponse {
            message_type: MessageType::NEW,
            timestamp: at(now),
            user_ref_num: urn(key),
            firm: request.firm,
            symbol: request.symbol,
        };
        self.say(Outbound::MassCancelResponse(&message, tail.appendage()));
    }

    pub(super) fn disabled(&mut self, now: ExchangeTime, key: OrderKey, firm: [u8; 4]) {
        let (timestamp, user_ref_num) = (at(now), urn(key));
        let message = DisableResponse { message_type: MessageType::NEW, timestamp, user_ref_num, firm };
        self.say(Outbound::DisableResponse(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn enabled(&mut self, now: ExchangeTime, key: OrderKey, firm: [u8; 4]) {
        let (timestamp, user_ref_num) = (at(now), urn(key));
        let message = EnableResponse { message_type: MessageType::NEW, timestamp, user_ref_num, firm };
        self.say(Outbound::EnableResponse(&message, Tail::new(key.channel).appendage()));
    }

    pub(super) fn account_query(&mut self, now: ExchangeTime, channel: u8, next: u32) {
        let next_user_ref_num = UserRefNum(next).into();
        let message = AccountQueryResponse { message_type: MessageType::NEW, timestamp: at(now), next_user_ref_num };
        self.say(Outbound::AccountQueryResponse(&message, Tail::new(channel).appendage()));
    }
}

/// A fill's shares without its direction.
fn executed_shares(fill: &Fill) -> u32 {
    u32::try_from(fill.shares.unsigned_abs()).expect("an execution is at most an order's shares")
}
