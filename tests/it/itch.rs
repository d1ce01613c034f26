//! ITCH 5.0 as a whole: every layout against the reference, every type in a file, files with one thing wrong.

use crate::data::shared;
use core::mem::offset_of;
use firelane_gateway::flow::wire::itch50::*;
use firelane_sim::capture::{binary_file, read_all, write_binary_file};
use proptest::prelude::*;

/// The offsets of "TotalView-ITCH 5.0", field by field: sizes alone would not notice two fields exchanged.
#[test]
fn every_field_stands_where_the_reference_has_it() {
    macro_rules! layout {
        ($($message:ident: $($offset:literal $field:ident),*;)*) => {$(
            assert_eq!(
                [$((offset_of!($message, $field), stringify!($field))),*],
                [$(($offset, stringify!($field))),*],
                stringify!($message)
            );
        )*};
    }
    layout! {
        Header: 0 message_type, 1 stock_locate, 3 tracking_number, 5 timestamp;
        SystemEvent: 0 header, 11 event_code;
        StockDirectory: 0 header, 11 stock, 19 market_category, 20 financial_status, 21 round_lot_size,
            25 round_lots_only, 26 issue_classification, 27 issue_sub_type, 29 authenticity, 30 short_sale_threshold,
            31 ipo_flag, 32 luld_tier, 33 etp_flag, 34 etp_leverage, 38 inverse;
        StockTradingAction: 0 header, 11 stock, 19 trading_state, 20 reserved, 21 reason;
        RegShoRestriction: 0 header, 11 stock, 19 action;
        MarketParticipantPosition: 0 header, 11 mpid, 15 stock, 23 primary_market_maker, 24 market_maker_mode,
            25 state;
        MwcbDeclineLevel: 0 header, 11 level_1, 19 level_2, 27 level_3;
        MwcbStatus: 0 header, 11 breached_level;
        QuotingPeriodUpdate: 0 header, 11 stock, 19 release_time, 23 release_qualifier, 24 ipo_price;
        LuldAuctionCollar: 0 header, 11 stock, 19 reference_price, 23 upper_price, 27 lower_price, 31 extension;
        OperationalHalt: 0 header, 11 stock, 19 market_code, 20 action;
        AddOrder: 0 header, 11 order_ref, 19 side, 20 shares, 24 stock, 32 price;
        AddOrderMpid: 0 header, 11 order_ref, 19 side, 20 shares, 24 stock, 32 price, 36 attribution;
        OrderExecuted: 0 header, 11 order_ref, 19 shares, 23 match_number;
        OrderExecutedWithPrice: 0 header, 11 order_ref, 19 shares, 23 match_number, 31 printable, 32 price;
        OrderCancel: 0 header, 11 order_ref, 19 shares;
        OrderDelete: 0 header, 11 order_ref;
        OrderReplace: 0 header, 11 original_ref, 19 new_ref, 27 shares, 31 price;
        Trade: 0 header, 11 order_ref, 19 side, 20 shares, 24 stock, 32 price, 36 match_number;
        CrossTrade: 0 header, 11 shares, 19 stock, 27 price, 31 match_number, 39 cross_type;
        BrokenTrade: 0 header, 11 match_number;
        Noii: 0 header, 11 paired_shares, 19 imbalance_shares, 27 imbalance_direction, 28 stock, 36 far_price,
            40 near_price, 44 reference_price, 48 cross_type, 49 price_variation;
        RetailInterest: 0 header, 11 stock, 19 interest_flag;
        DlcrPriceDiscovery: 0 header, 11 stock, 19 open_eligibility, 20 minimum_price, 24 maximum_price,
            28 near_price, 32 near_time, 40 lower_collar, 44 upper_collar;
    }
}

/// The lengths of "TotalView-ITCH 5.0".
#[test]
fn every_type_has_the_length_of_the_reference() {
    let reference = [
        (b'S', 12),
        (b'R', 39),
        (b'H', 25),
        (b'Y', 20),
        (b'L', 26),
        (b'V', 35),
        (b'W', 12),
        (b'K', 28),
        (b'J', 35),
        (b'h', 21),
        (b'A', 36),
        (b'F', 40),
        (b'E', 31),
        (b'C', 36),
        (b'X', 23),
        (b'D', 19),
        (b'U', 35),
        (b'P', 44),
        (b'Q', 40),
        (b'B', 19),
        (b'I', 50),
        (b'N', 20),
        (b'O', 48),
    ];
    assert_eq!(TYPES.map(|t| (t, length_of(t).unwrap())), reference);
}

/// One message of each type, every byte after the type different from its neighbours but for a valid side.
pub(crate) fn one_of_each() -> Vec<Vec<u8>> {
    let message = |message_type: u8| {
        let mut bytes: Vec<u8> = (0..length_of(message_type).unwrap()).map(|i| 0x80 | i as u8).collect();
        bytes[0] = message_type;
        if matches!(message_type, b'A' | b'F') {
            bytes[19] = b'S';
        }
        bytes
    };
    TYPES.map(message).to_vec()
}

fn file_of(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_binary_file(&mut bytes, messages.iter().map(Vec::as_slice)).unwrap();
    bytes
}

/// Everything wrong with a file, and how many messages decoded.
#[derive(Default, PartialEq, Debug)]
struct Outcome {
    decoded: usize,
    malformed: Vec<Malformed>,
    truncated_at: Option<usize>,
}

fn replay(bytes: &[u8]) -> Outcome {
    let mut outcome = Outcome::default();
    for message in binary_file::Messages::new(bytes) {
        match message.map(decode) {
            Ok(Ok(decoded)) => {
                assert_eq!(Ok(decoded.as_bytes()), message);
                outcome.decoded += 1;
            }
            Ok(Err(malformed)) => outcome.malformed.push(malformed),
            Err(cut) => outcome.truncated_at = Some(cut.offset),
        }
    }
    outcome
}

#[test]
fn a_file_of_every_type_decodes_and_each_fault_is_one_error() {
    let good = one_of_each();
    let last = vec![good[0].clone()];
    let clean = Outcome { decoded: 23, ..Outcome::default() };
    assert_eq!(replay(&file_of(&good)), clean);

    let with = |odd: Vec<u8>| replay(&file_of(&[&good[..], &[odd], &last].concat()));
    let one = |error| Outcome { decoded: 24, malformed: vec![error], truncated_at: None };
    assert_eq!(with(b"z2345678901".to_vec()), one(Malformed::UnknownType(b'z')));
    let bad_length = Malformed::BadLength { message_type: b'D', length: 20, expected: 19 };
    assert_eq!(with([b"D", &[0; 19][..]].concat()), one(bad_length));
    let mut no_side = good[10].clone();
    no_side[19] = b' ';
    assert_eq!(with(no_side), one(Malformed::BadSide(b' ')));

    let whole = file_of(&good);
    let start = whole.len() - 50;
    let cut = Outcome { decoded: 22, malformed: vec![], truncated_at: Some(start) };
    assert_eq!(replay(&whole[..whole.len() - 5]), cut);
}

#[test]
fn the_shared_files_of_every_type_decode_with_the_one_error_each_contains() {
    let Some(folder) = shared("itch") else { return };
    let outcome = |name: &str| replay(&read_all(&folder.join(name)).unwrap());
    assert_eq!(outcome("all23.itch"), Outcome { decoded: 23, ..Outcome::default() });
    let one = |error| Outcome { decoded: 24, malformed: vec![error], truncated_at: None };
    assert_eq!(outcome("all23_plus_unknown.itch"), one(Malformed::UnknownType(b'z')));
    let bad_length = Malformed::BadLength { message_type: b'D', length: 20, expected: 19 };
    assert_eq!(outcome("all23_plus_badlen.itch"), one(bad_length));
    let cut = Outcome { decoded: 22, malformed: vec![], truncated_at: Some(690) };
    assert_eq!(outcome("all23_truncated.itch"), cut);
}

#[test]
fn the_shared_hour_of_a_real_stock_decodes_without_an_error() {
    let Some(path) = shared("itch/aapl_20120621_da.itch.xz") else { return };
    let outcome = replay(&read_all(&path).unwrap());
    assert!(outcome.malformed.is_empty() && outcome.truncated_at.is_none());
    assert_eq!(outcome.decoded, 91_979);
}

proptest! {
    /// Whatever a struct is given comes back through its bytes.
    #[test]
    fn adds_and_replaces_round_trip(
        locate in any::<u16>(), tracking in any::<u16>(), ns in 0..1u64 << 48, reference in any::<u64>(),
        other in any::<u64>(), sell in any::<bool>(), shares in any::<u32>(), price in any::<u32>(),
        stock in any::<[u8; 8]>(), mpid in any::<[u8; 4]>(),
    ) {
        let header = |message_type| Header {
            message_type,
            stock_locate: U16::new(locate),
            tracking_number: U16::new(tracking),
            timestamp: Timestamp48::new(ns),
        };
        let add = AddOrderMpid {
            header: header(AddOrderMpid::TYPE),
            order_ref: U64::new(reference),
            side: if sell { b'S' } else { b'B' },
            shares: U32::new(shares),
            stock,
            price: U32::new(price),
            attribution: mpid,
        };
        let replace = OrderReplace {
            header: header(OrderReplace::TYPE),
            original_ref: U64::new(reference),
            new_ref: U64::new(other),
            shares: U32::new(shares),
            price: U32::new(price),
        };
        prop_assert_eq!(decode(Message::AddOrderMpid(&add).as_bytes()), Ok(Message::AddOrderMpid(&add)));
        prop_assert_eq!(decode(Message::OrderReplace(&replace).as_bytes()), Ok(Message::OrderReplace(&replace)));
        prop_assert_eq!(add.header.timestamp.ns(), ns);
        prop_assert_eq!((add.shares().0, add.price().0), (i64::from(shares), i64::from(price)));
        prop_assert_eq!((add.order_ref().0, replace.new_ref().0, add.stock().0), (reference, other, stock));
    }

    /// Any bytes of the right type and length decode, and come back.
    #[test]
    fn any_content_of_the_right_length_round_trips(which in 0..23usize, mut bytes in any::<[u8; 64]>(), sell in any::<bool>()) {
        let length = length_of(TYPES[which]).unwrap();
        bytes[0] = TYPES[which];
        if matches!(TYPES[which], b'A' | b'F') {
            bytes[19] = if sell { b'S' } else { b'B' };
        }
        prop_assert_eq!(decode(&bytes[..length]).unwrap().as_bytes(), &bytes[..length]);
    }
}
