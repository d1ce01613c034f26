//! OUCH 5.0, "Inbound Messages", and its table of appendage tags.

use firelane_gateway::base::{Price, Qty, VenueRef};
use firelane_gateway::flow::wire::ouch50::*;

both_ways!(Inbound);

const NONE: Appendage<'static> = Appendage::NONE;
const EMPTY: Appendage<'static> = Appendage::EMPTY;

#[test]
fn enter_order() {
    let message = EnterOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0x0102_0304).into(),
        side: Side::SELL_SHORT,
        quantity: WireQty::new(Qty(0x0506_0708)).unwrap(),
        symbol: *b"SYM     ",
        price: WirePrice::new(Price(0x090a_0b0c_0d0e_0f10)).unwrap(),
        time_in_force: TimeInForce::GTT,
        display: Display::HIDDEN,
        capacity: Capacity::AGENCY,
        inter_market_sweep: InterMarketSweep::ELIGIBLE,
        cross_type: CrossType::OPEN,
        cl_ord_id: *b"text          ",
    };
    let mut bytes = b"O\x01\x02\x03\x04T\x05\x06\x07\x08SYM     ".to_vec();
    bytes.extend(b"\x09\x0a\x0b\x0c\x0d\x0e\x0f\x106NAYOtext          \x00\x00");
    assert_eq!(bytes.len(), 47);
    holds(&Inbound::EnterOrder(&message, EMPTY), &bytes);
    // With options: the appendage length, then each behind its own length, which counts the tag.
    let mut options = AppendageBuilder::<32>::new();
    options.push(AppendageOption::Firm(*b"FIRM")).unwrap();
    options.push(AppendageOption::ExpireTime(0x1112_1314)).unwrap();
    bytes.truncate(45);
    bytes.extend(b"\x00\x0c\x05\x02FIRM\x05\x0f\x11\x12\x13\x14");
    holds(&Inbound::EnterOrder(&message, options.appendage()), &bytes);
}

/// The appendage length has two bytes.
#[test]
fn an_appendage_of_more_than_255_bytes() {
    let mut options = AppendageBuilder::<300>::new();
    options.push_raw(200, &[b'x'; 254]).unwrap();
    options.push_raw(201, b"").unwrap();
    let message =
        DisableOrderEntry { message_type: MessageType::NEW, user_ref_num: UserRefNum(1).into(), firm: *b"FIRM" };
    let mut bytes = b"D\x00\x00\x00\x01FIRM\x01\x02\xff\xc8".to_vec();
    bytes.extend([b'x'; 254]);
    bytes.extend(b"\x01\xc9");
    holds(&Inbound::DisableOrderEntry(&message, options.appendage()), &bytes);
}

#[test]
fn replace_order_request() {
    let message = ReplaceOrder {
        message_type: MessageType::NEW,
        orig_user_ref_num: UserRefNum(0x0102_0304).into(),
        user_ref_num: UserRefNum(0x0506_0708).into(),
        quantity: WireQty::from_shares(0x090a_0b0c),
        price: WirePrice::from_bits(0x0d0e_0f10_1112_1314),
        time_in_force: TimeInForce::IOC,
        display: Display::ATTRIBUTABLE,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cl_ord_id: *b"replacement   ",
    };
    let bytes: &[u8; 40] = b"U\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\
        \x0d\x0e\x0f\x10\x11\x12\x13\x143ANreplacement   \x00\x00";
    holds(&Inbound::ReplaceOrder(&message, EMPTY), bytes);
}

#[test]
fn cancel_order_request() {
    let message = CancelOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0x0102_0304).into(),
        quantity: WireQty::from_shares(0x0506_0708),
    };
    holds(&Inbound::CancelOrder(&message, NONE), b"X\x01\x02\x03\x04\x05\x06\x07\x08");
    holds(&Inbound::CancelOrder(&message, EMPTY), b"X\x01\x02\x03\x04\x05\x06\x07\x08\x00\x00");
}

#[test]
fn modify_order_request() {
    let message = ModifyOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0x0102_0304).into(),
        side: Side::SELL_SHORT_EXEMPT,
        quantity: WireQty::from_shares(0x0506_0708),
    };
    holds(&Inbound::ModifyOrder(&message, NONE), b"M\x01\x02\x03\x04E\x05\x06\x07\x08");
}

#[test]
fn mass_cancel_request() {
    let message = MassCancel {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0x0102_0304).into(),
        firm: *b"FIRM",
        symbol: *b"SYM     ",
    };
    holds(&Inbound::MassCancel(&message, EMPTY), b"C\x01\x02\x03\x04FIRMSYM     \x00\x00");
}

#[test]
fn disable_and_enable_order_entry_request() {
    let user_ref_num = UserRefNum(0x0102_0304).into();
    let disable = DisableOrderEntry { message_type: MessageType::NEW, user_ref_num, firm: *b"FIRM" };
    holds(&Inbound::DisableOrderEntry(&disable, EMPTY), b"D\x01\x02\x03\x04FIRM\x00\x00");
    let enable = EnableOrderEntry { message_type: MessageType::NEW, user_ref_num, firm: *b"FIRM" };
    holds(&Inbound::EnableOrderEntry(&enable, EMPTY), b"E\x01\x02\x03\x04FIRM\x00\x00");
}

#[test]
fn account_query_request() {
    let message = AccountQuery { message_type: MessageType::NEW };
    holds(&Inbound::AccountQuery(&message, NONE), b"Q");
    let mut options = AppendageBuilder::<8>::new();
    options.push(AppendageOption::UserRefIdx(7)).unwrap();
    holds(&Inbound::AccountQuery(&message, options.appendage()), b"Q\x00\x03\x02\x1c\x07");
    assert_eq!(Inbound::decode(b"Q\x00\x03\x02\x1c\x07").unwrap().appendage().user_ref_idx(), 7);
}

/// Appendix "Option tags": length, tag, value.
#[test]
fn every_option() {
    use AppendageOption as O;
    let table: [(O, &[u8]); 26] = [
        (O::SecondaryOrdRefNum(VenueRef(0x0102_0304_0506_0708)), b"\x09\x01\x01\x02\x03\x04\x05\x06\x07\x08"),
        (O::Firm(*b"FIRM"), b"\x05\x02FIRM"),
        (O::MinQty(0x0102_0304), b"\x05\x03\x01\x02\x03\x04"),
        (O::CustomerType(b'R'), b"\x02\x04R"),
        (O::MaxFloor(0x0102_0304), b"\x05\x05\x01\x02\x03\x04"),
        (O::PriceType(b'P'), b"\x02\x06P"),
        // -2: two's complement.
        (O::PegOffset(-2), b"\x05\x07\xff\xff\xff\xfe"),
        (O::DiscretionPrice(0x0102_0304_0506_0708), b"\x09\x09\x01\x02\x03\x04\x05\x06\x07\x08"),
        (O::DiscretionPriceType(b'M'), b"\x02\x0aM"),
        (O::DiscretionPegOffset(0x0102_0304), b"\x05\x0b\x01\x02\x03\x04"),
        (O::PostOnly(b'P'), b"\x02\x0cP"),
        (O::RandomReserves(0x0102_0304), b"\x05\x0d\x01\x02\x03\x04"),
        (O::Route(*b"SCAN"), b"\x05\x0eSCAN"),
        (O::ExpireTime(0x0102_0304), b"\x05\x0f\x01\x02\x03\x04"),
        (O::TradeNow(b'Y'), b"\x02\x10Y"),
        (O::HandleInst(b'I'), b"\x02\x11I"),
        (O::BboWeight(b'2'), b"\x02\x122"),
        (O::DisplayQuantity(0x0102_0304), b"\x05\x16\x01\x02\x03\x04"),
        (O::DisplayPrice(0x0102_0304_0506_0708), b"\x09\x17\x01\x02\x03\x04\x05\x06\x07\x08"),
        (O::GroupId(0x0102), b"\x03\x18\x01\x02"),
        (O::SharesLocated(b'Y'), b"\x02\x19Y"),
        (O::LocateBroker(*b"BRKR"), b"\x05\x1aBRKR"),
        (O::Side(Side::SELL), b"\x02\x1bS"),
        (O::UserRefIdx(9), b"\x02\x1c\x09"),
        (O::AiqStrategy(AiqStrategy::FIRM_CANCEL_OLDEST), b"\x02\x1dO"),
        (O::AiqGroupId(*b"G1"), b"\x03\x1eG1"),
    ];
    for (option, bytes) in table {
        let mut built = AppendageBuilder::<16>::new();
        built.push(option).unwrap();
        assert_eq!(built.appendage().bytes(), bytes, "{option:?}");
        assert!(Appendage::new(bytes).unwrap().known().eq([Ok(option)]), "{option:?}");
    }
}
