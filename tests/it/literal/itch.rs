//! ITCH 5.0: every message, field after field.

use firelane_gateway::flow::wire::itch50::*;

/// Locate 0x4142, tracking number 0x4344, 0x454647484950 ns since midnight.
fn header(message_type: u8) -> Header {
    Header {
        message_type,
        stock_locate: U16::new(0x4142),
        tracking_number: U16::new(0x4344),
        timestamp: Timestamp48::new(0x4546_4748_494a),
    }
}

/// As bytes: the letter, `ABCDEFGHIJ`, and then what is given.
#[track_caller]
fn holds(message: Message<'_>, rest: &[u8]) {
    let bytes = [message.as_bytes()[..1].to_vec(), b"ABCDEFGHIJ".to_vec(), rest.to_vec()].concat();
    assert_eq!(message.as_bytes().escape_ascii().to_string(), bytes.escape_ascii().to_string());
    assert_eq!(decode(&bytes), Ok(message));
    let read = message.header();
    assert_eq!((read.stock_locate.get(), read.tracking_number.get()), (0x4142, 0x4344));
    assert_eq!((read.ns(), read.timestamp.ns()), (0x4546_4748_494a, 0x4546_4748_494a));
    assert_eq!(locate_of(&bytes), Some(0x4142));
}

const STOCK: [u8; 8] = *b"SYM     ";

#[test]
fn of_the_day_and_the_market() {
    holds(Message::SystemEvent(&SystemEvent { header: header(b'S'), event_code: b'Q' }), b"Q");
    holds(
        Message::MwcbDeclineLevel(&MwcbDeclineLevel {
            header: header(b'V'),
            level_1: U64::new(0x0102_0304_0506_0708),
            level_2: U64::new(0x1112_1314_1516_1718),
            level_3: U64::new(0x2122_2324_2526_2728),
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28",
    );
    holds(Message::MwcbStatus(&MwcbStatus { header: header(b'W'), breached_level: b'2' }), b"2");
}

#[test]
fn of_a_stock() {
    holds(
        Message::StockDirectory(&StockDirectory {
            header: header(b'R'),
            stock: STOCK,
            market_category: b'Q',
            financial_status: b'D',
            round_lot_size: U32::new(0x0102_0304),
            round_lots_only: b'Y',
            issue_classification: b'C',
            issue_sub_type: *b"Z ",
            authenticity: b'P',
            short_sale_threshold: b'N',
            ipo_flag: b'Z',
            luld_tier: b'1',
            etp_flag: b'X',
            etp_leverage: U32::new(0x0506_0708),
            inverse: b'I',
        }),
        b"SYM     QD\x01\x02\x03\x04YCZ PNZ1X\x05\x06\x07\x08I",
    );
    holds(
        Message::StockTradingAction(&StockTradingAction {
            header: header(b'H'),
            stock: STOCK,
            trading_state: b'P',
            reserved: b'r',
            reason: *b"LUDP",
        }),
        b"SYM     PrLUDP",
    );
    holds(
        Message::RegShoRestriction(&RegShoRestriction { header: header(b'Y'), stock: STOCK, action: b'1' }),
        b"SYM     1",
    );
    holds(
        Message::MarketParticipantPosition(&MarketParticipantPosition {
            header: header(b'L'),
            mpid: *b"MPID",
            stock: STOCK,
            primary_market_maker: b'Y',
            market_maker_mode: b'S',
            state: b'E',
        }),
        b"MPIDSYM     YSE",
    );
    holds(
        Message::QuotingPeriodUpdate(&QuotingPeriodUpdate {
            header: header(b'K'),
            stock: STOCK,
            release_time: U32::new(0x0102_0304),
            release_qualifier: b'A',
            ipo_price: U32::new(0x0506_0708),
        }),
        b"SYM     \x01\x02\x03\x04A\x05\x06\x07\x08",
    );
    holds(
        Message::LuldAuctionCollar(&LuldAuctionCollar {
            header: header(b'J'),
            stock: STOCK,
            reference_price: U32::new(0x0102_0304),
            upper_price: U32::new(0x0506_0708),
            lower_price: U32::new(0x090a_0b0c),
            extension: U32::new(0x0d0e_0f10),
        }),
        b"SYM     \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10",
    );
    holds(
        Message::OperationalHalt(&OperationalHalt {
            header: header(b'h'),
            stock: STOCK,
            market_code: b'B',
            action: b'T',
        }),
        b"SYM     BT",
    );
    holds(
        Message::RetailInterest(&RetailInterest { header: header(b'N'), stock: STOCK, interest_flag: b'A' }),
        b"SYM     A",
    );
}

#[test]
fn of_an_order() {
    let (order_ref, shares, stock, price) =
        (U64::new(0x0102_0304_0506_0708), U32::new(0x1112_1314), STOCK, U32::new(0x2122_2324));
    let match_number = U64::new(0x3132_3334_3536_3738);
    let add = AddOrder { header: header(b'A'), order_ref, side: b'S', shares, stock, price };
    holds(Message::AddOrder(&add), b"\x01\x02\x03\x04\x05\x06\x07\x08S\x11\x12\x13\x14SYM     \x21\x22\x23\x24");
    assert_eq!((add.order_ref().0, add.shares().0, add.price().0), (0x0102_0304_0506_0708, 0x1112_1314, 0x2122_2324));
    holds(
        Message::AddOrderMpid(&AddOrderMpid {
            header: header(b'F'),
            order_ref,
            side: b'B',
            shares,
            stock,
            price,
            attribution: *b"MPID",
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08B\x11\x12\x13\x14SYM     \x21\x22\x23\x24MPID",
    );
    holds(
        Message::OrderExecuted(&OrderExecuted { header: header(b'E'), order_ref, shares, match_number }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x1412345678",
    );
    holds(
        Message::OrderExecutedWithPrice(&OrderExecutedWithPrice {
            header: header(b'C'),
            order_ref,
            shares,
            match_number,
            printable: b'N',
            price,
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x1412345678N\x21\x22\x23\x24",
    );
    holds(
        Message::OrderCancel(&OrderCancel { header: header(b'X'), order_ref, shares }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14",
    );
    holds(Message::OrderDelete(&OrderDelete { header: header(b'D'), order_ref }), b"\x01\x02\x03\x04\x05\x06\x07\x08");
    holds(
        Message::OrderReplace(&OrderReplace {
            header: header(b'U'),
            original_ref: order_ref,
            new_ref: match_number,
            shares,
            price,
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x0812345678\x11\x12\x13\x14\x21\x22\x23\x24",
    );
}

#[test]
fn of_a_trade_and_an_auction() {
    let (stock, price) = (STOCK, U32::new(0x2122_2324));
    let match_number = U64::new(0x3132_3334_3536_3738);
    holds(
        Message::Trade(&Trade {
            header: header(b'P'),
            order_ref: U64::new(0x0102_0304_0506_0708),
            side: b'B',
            shares: U32::new(0x1112_1314),
            stock,
            price,
            match_number,
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08B\x11\x12\x13\x14SYM     \x21\x22\x23\x2412345678",
    );
    holds(
        Message::CrossTrade(&CrossTrade {
            header: header(b'Q'),
            shares: U64::new(0x0102_0304_0506_0708),
            stock,
            price,
            match_number,
            cross_type: b'H',
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08SYM     \x21\x22\x23\x2412345678H",
    );
    holds(Message::BrokenTrade(&BrokenTrade { header: header(b'B'), match_number }), b"12345678");
    holds(
        Message::Noii(&Noii {
            header: header(b'I'),
            paired_shares: U64::new(0x0102_0304_0506_0708),
            imbalance_shares: U64::new(0x1112_1314_1516_1718),
            imbalance_direction: b'O',
            stock,
            far_price: U32::new(0x0102_0304),
            near_price: U32::new(0x0506_0708),
            reference_price: U32::new(0x090a_0b0c),
            cross_type: b'C',
            price_variation: b'L',
        }),
        b"\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18OSYM     \
          \x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cCL",
    );
    holds(
        Message::DlcrPriceDiscovery(&DlcrPriceDiscovery {
            header: header(b'O'),
            stock,
            open_eligibility: b'Y',
            minimum_price: U32::new(0x0102_0304),
            maximum_price: U32::new(0x0506_0708),
            near_price: U32::new(0x090a_0b0c),
            near_time: U64::new(0x1112_1314_1516_1718),
            lower_collar: U32::new(0x2122_2324),
            upper_collar: U32::new(0x2526_2728),
        }),
        b"SYM     Y\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\
          \x11\x12\x13\x14\x15\x16\x17\x18\x21\x22\x23\x24\x25\x26\x27\x28",
    );
}
