//! OUCH 5.0, "Outbound Messages".

use firelane_gateway::base::VenueRef;
use firelane_gateway::flow::wire::ouch50::*;

const NONE: Appendage<'static> = Appendage::NONE;
const EMPTY: Appendage<'static> = Appendage::EMPTY;
/// The time of each of them, in ns since midnight: 41 42 43 44 45 46 47 48.
const AT: Timestamp = Timestamp(0x4142_4344_4546_4748);
/// The order or request that each of them is about: 31 32 33 34.
const URN: UserRefNum = UserRefNum(0x3132_3334);

both_ways!(Outbound);

macro_rules! outbound {
    ($name:ident { $($field:ident: $value:expr),* $(,)? }) => {
        $name { message_type: MessageType::NEW, timestamp: AT.into(), $($field: $value),* }
    };
}

#[test]
fn system_event() {
    let message = outbound!(SystemEvent { event: EventCode::END_OF_DAY });
    holds(&Outbound::SystemEvent(&message), b"SABCDEFGHE");
}

#[test]
fn order_accepted() {
    let message = outbound!(OrderAccepted {
        user_ref_num: URN.into(),
        side: Side::SELL,
        quantity: WireQty::from_shares(0x0102_0304),
        symbol: *b"SYM     ",
        price: WirePrice::from_bits(0x0506_0708_090a_0b0c),
        time_in_force: TimeInForce::GTX,
        display: Display::CONFORMANT,
        order_reference: VenueRef(0x0d0e_0f10_1112_1314).into(),
        capacity: Capacity::RISKLESS,
        inter_market_sweep: InterMarketSweep::ELIGIBLE,
        cross_type: CrossType::CLOSE,
        order_state: OrderState::DEAD,
        cl_ord_id: *b"text          ",
    });
    let bytes: &[u8; 64] = b"AABCDEFGH1234S\x01\x02\x03\x04SYM     \x05\x06\x07\x08\x09\x0a\x0b\x0c5Z\
        \x0d\x0e\x0f\x10\x11\x12\x13\x14RYCDtext          \x00\x00";
    holds(&Outbound::OrderAccepted(&message, EMPTY), bytes);
}

#[test]
fn order_replaced() {
    let message = outbound!(OrderReplaced {
        orig_user_ref_num: URN.into(),
        user_ref_num: UserRefNum(0x3536_3738).into(),
        side: Side::BUY,
        quantity: WireQty::from_shares(0x0102_0304),
        symbol: *b"SYM     ",
        price: WirePrice::from_bits(0x0506_0708_090a_0b0c),
        time_in_force: TimeInForce::DAY,
        display: Display::VISIBLE,
        order_reference: VenueRef(0x0d0e_0f10_1112_1314).into(),
        capacity: Capacity::OTHER,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cross_type: CrossType::HALT,
        order_state: OrderState::LIVE,
        cl_ord_id: *b"text          ",
    });
    let bytes: &[u8; 68] = b"UABCDEFGH12345678B\x01\x02\x03\x04SYM     \x05\x06\x07\x08\x09\x0a\x0b\x0c0Y\
        \x0d\x0e\x0f\x10\x11\x12\x13\x14ONHLtext          \x00\x00";
    holds(&Outbound::OrderReplaced(&message, EMPTY), bytes);
}

#[test]
fn order_canceled() {
    let message = outbound!(OrderCanceled {
        user_ref_num: URN.into(),
        quantity: WireQty::from_shares(0x0102_0304),
        reason: CancelReason::TIMEOUT,
    });
    holds(&Outbound::OrderCanceled(&message, NONE), b"CABCDEFGH1234\x01\x02\x03\x04T");
    holds(&Outbound::OrderCanceled(&message, EMPTY), b"CABCDEFGH1234\x01\x02\x03\x04T\x00\x00");
}

#[test]
fn aiq_canceled() {
    let message = outbound!(AiqCanceled {
        user_ref_num: URN.into(),
        decrement: WireQty::from_shares(0x0102_0304),
        reason: CancelReason::SELF_MATCH,
        prevented: WireQty::from_shares(0x0506_0708),
        price: WirePrice::from_bits(0x090a_0b0c_0d0e_0f10),
        liquidity: LiquidityFlag(b'R'),
    });
    let bytes = b"DABCDEFGH1234\x01\x02\x03\x04Q\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10RO\x00\x00";
    let strategy = Some(AiqStrategy::FIRM_CANCEL_OLDEST);
    holds(&Outbound::AiqCanceled(&message, None, NONE), &bytes[..31]);
    holds(&Outbound::AiqCanceled(&message, strategy, NONE), &bytes[..32]);
    holds(&Outbound::AiqCanceled(&message, strategy, EMPTY), bytes);
}

#[test]
fn order_executed() {
    let message = outbound!(OrderExecuted {
        user_ref_num: URN.into(),
        quantity: WireQty::from_shares(0x0102_0304),
        price: WirePrice::from_bits(0x0506_0708_090a_0b0c),
        liquidity: LiquidityFlag(b'J'),
        match_number: MatchNumber(0x0d0e_0f10_1112_1314).into(),
    });
    let bytes = b"EABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cJ\
        \x0d\x0e\x0f\x10\x11\x12\x13\x14\x00\x00";
    holds(&Outbound::OrderExecuted(&message, EMPTY), bytes);
}

#[test]
fn broken_trade() {
    let message = outbound!(BrokenTrade {
        user_ref_num: URN.into(),
        match_number: MatchNumber(0x0102_0304_0506_0708).into(),
        reason: BrokenReason::SUPERVISORY,
        cl_ord_id: *b"text          ",
    });
    holds(&Outbound::BrokenTrade(&message, NONE), b"BABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08Stext          ");
}

#[test]
fn rejected() {
    let message = outbound!(Rejected {
        user_ref_num: URN.into(),
        reason: RejectReason(0x0117).into(),
        cl_ord_id: *b"text          ",
    });
    holds(&Outbound::Rejected(&message, NONE), b"JABCDEFGH1234\x01\x17text          ");
}

#[test]
fn cancel_pending_and_cancel_reject() {
    let pending = outbound!(CancelPending { user_ref_num: URN.into() });
    holds(&Outbound::CancelPending(&pending, NONE), b"PABCDEFGH1234");
    let reject = outbound!(CancelReject { user_ref_num: URN.into() });
    holds(&Outbound::CancelReject(&reject, NONE), b"IABCDEFGH1234");
}

#[test]
fn order_priority_update() {
    let message = outbound!(OrderPriorityUpdate {
        user_ref_num: URN.into(),
        price: WirePrice::from_bits(0x0102_0304_0506_0708),
        display: Display::HIDDEN,
        order_reference: VenueRef(0x090a_0b0c_0d0e_0f10).into(),
    });
    let bytes = b"TABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08N\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10";
    holds(&Outbound::OrderPriorityUpdate(&message, NONE), bytes);
}

#[test]
fn order_modified() {
    let message = outbound!(OrderModified {
        user_ref_num: URN.into(),
        side: Side::SELL_SHORT,
        quantity: WireQty::from_shares(0x0102_0304),
    });
    holds(&Outbound::OrderModified(&message, NONE), b"MABCDEFGH1234T\x01\x02\x03\x04");
}

#[test]
fn order_restated() {
    let message = outbound!(OrderRestated { user_ref_num: URN.into(), reason: RestatedReason::DISPLAY_REFRESH });
    holds(&Outbound::OrderRestated(&message, EMPTY), b"RABCDEFGH1234R\x00\x00");
}

#[test]
fn mass_cancel_response() {
    let message = outbound!(MassCancelResponse { user_ref_num: URN.into(), firm: *b"FIRM", symbol: *b"SYM     " });
    holds(&Outbound::MassCancelResponse(&message, EMPTY), b"XABCDEFGH1234FIRMSYM     \x00\x00");
}

#[test]
fn disable_and_enable_order_entry_response() {
    let disable = outbound!(DisableResponse { user_ref_num: URN.into(), firm: *b"FIRM" });
    holds(&Outbound::DisableResponse(&disable, EMPTY), b"GABCDEFGH1234FIRM\x00\x00");
    let enable = outbound!(EnableResponse { user_ref_num: URN.into(), firm: *b"FIRM" });
    holds(&Outbound::EnableResponse(&enable, EMPTY), b"KABCDEFGH1234FIRM\x00\x00");
}

#[test]
fn account_query_response() {
    let message = outbound!(AccountQueryResponse { next_user_ref_num: URN.into() });
    holds(&Outbound::AccountQueryResponse(&message, NONE), b"QABCDEFGH1234");
}

#[test]
fn trade_correction() {
    let message = outbound!(TradeCorrection {
        user_ref_num: URN.into(),
        quantity: WireQty::from_shares(0x0102_0304),
        price: WirePrice::from_bits(0x0506_0708_090a_0b0c),
        liquidity: LiquidityFlag(b'A'),
        match_number: MatchNumber(0x0d0e_0f10_1112_1314).into(),
        reason: CorrectionReason::NAV,
        cl_ord_id: *b"text          ",
    });
    let bytes = b"FABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cA\
        \x0d\x0e\x0f\x10\x11\x12\x13\x14Ntext          ";
    holds(&Outbound::TradeCorrection(&message), bytes);
}

/// The code letters of the specification, in the order in which they are named.
#[test]
fn every_code_letter() {
    macro_rules! letters {
        ($($code:ident $letters:literal,)*) => {$(
            let listed: Vec<u8> = $code::LISTED.iter().map(|code| code.0).collect();
            assert_eq!(listed, $letters, stringify!($code));
        )*};
    }
    letters! {
        Side b"BSTE",
        TimeInForce b"0356E",
        Display b"YNAZ",
        Capacity b"APRO",
        InterMarketSweep b"YN",
        CrossType b"NOCHSREA",
        OrderState b"LD",
        EventCode b"SE",
        CancelReason b"DEFGHIKQSTUXZe",
        LiquidityFlag b"ARJkmuNn780OCHKiMLej1pqrt",
        BrokenReason b"ECSX",
        RestatedReason b"RP",
        CorrectionReason b"N",
        AiqStrategy b"YDOWRydowrZEPXS01245N*",
    }
    let reasons: Vec<u16> = RejectReason::LISTED.iter().map(|reason| reason.0).collect();
    assert!(reasons.into_iter().eq((0x01..=0x33).chain([0x40])));
}
