//! OUCH 5.0 against its specification (Nasdaq, "OUCH 5.0") and against real captures.

use std::mem::{offset_of, size_of};

use firelane_gateway::base::{self, Price, Qty, Symbol, VenueRef};
use firelane_gateway::flow::wire::ouch50::*;
use firelane_gateway::flow::wire::soupbintcp::{Framer, Packet};

use crate::mutations::{hex, million, unhex};
use crate::targets_orders::{self, Wire};
use crate::{data, pcap};

/// Every offset of the reference's tables.
#[test]
fn fields_lie_where_the_specification_says() {
    macro_rules! layout {
        ($($message:ident { $($field:ident $offset:literal,)* })*) => {$(
            $(assert_eq!(offset_of!($message, $field), $offset, concat!(stringify!($message), ".", stringify!($field)));)*
        )*};
    }
    layout! {
        EnterOrder {
            user_ref_num 1, side 5, quantity 6, symbol 10, price 18, time_in_force 26, display 27, capacity 28,
            inter_market_sweep 29, cross_type 30, cl_ord_id 31,
        }
        ReplaceOrder {
            orig_user_ref_num 1, user_ref_num 5, quantity 9, price 13, time_in_force 21, display 22,
            inter_market_sweep 23, cl_ord_id 24,
        }
        CancelOrder { user_ref_num 1, quantity 5, }
        ModifyOrder { user_ref_num 1, side 5, quantity 6, }
        MassCancel { user_ref_num 1, firm 5, symbol 9, }
        DisableOrderEntry { user_ref_num 1, firm 5, }
        EnableOrderEntry { user_ref_num 1, firm 5, }
        SystemEvent { timestamp 1, event 9, }
        OrderAccepted {
            timestamp 1, user_ref_num 9, side 13, quantity 14, symbol 18, price 26, time_in_force 34, display 35,
            order_reference 36, capacity 44, inter_market_sweep 45, cross_type 46, order_state 47, cl_ord_id 48,
        }
        OrderReplaced {
            timestamp 1, orig_user_ref_num 9, user_ref_num 13, side 17, quantity 18, symbol 22, price 30,
            time_in_force 38, display 39, order_reference 40, capacity 48, inter_market_sweep 49, cross_type 50,
            order_state 51, cl_ord_id 52,
        }
        OrderCanceled { timestamp 1, user_ref_num 9, quantity 13, reason 17, }
        AiqCanceled {
            timestamp 1, user_ref_num 9, decrement 13, reason 17, prevented 18, price 22, liquidity 30,
        }
        OrderExecuted { timestamp 1, user_ref_num 9, quantity 13, price 17, liquidity 25, match_number 26, }
        BrokenTrade { timestamp 1, user_ref_num 9, match_number 13, reason 21, cl_ord_id 22, }
        Rejected { timestamp 1, user_ref_num 9, reason 13, cl_ord_id 15, }
        CancelPending { timestamp 1, user_ref_num 9, }
        CancelReject { timestamp 1, user_ref_num 9, }
        OrderPriorityUpdate { timestamp 1, user_ref_num 9, price 13, display 21, order_reference 22, }
        OrderModified { timestamp 1, user_ref_num 9, side 13, quantity 14, }
        OrderRestated { timestamp 1, user_ref_num 9, reason 13, }
        MassCancelResponse { timestamp 1, user_ref_num 9, firm 13, symbol 17, }
        DisableResponse { timestamp 1, user_ref_num 9, firm 13, }
        EnableResponse { timestamp 1, user_ref_num 9, firm 13, }
        AccountQueryResponse { timestamp 1, next_user_ref_num 9, }
        TradeCorrection {
            timestamp 1, user_ref_num 9, quantity 13, price 17, liquidity 25, match_number 26, reason 34,
            cl_ord_id 35,
        }
    }
    assert_eq!(size_of::<AccountQuery>(), 1);
}

/// The lengths of a message: those without an appendage length, and the least one with it ("n or m+").
type Lengths = (u8, &'static [usize], Option<usize>);

const INBOUND: [Lengths; 8] = [
    (b'O', &[], Some(47)),
    (b'U', &[], Some(40)),
    (b'X', &[9], Some(11)),
    (b'M', &[10], Some(12)),
    (b'C', &[], Some(19)),
    (b'D', &[], Some(11)),
    (b'E', &[], Some(11)),
    (b'Q', &[1], Some(3)),
];

const OUTBOUND: [Lengths; 18] = [
    (b'S', &[10], None),
    (b'A', &[], Some(64)),
    (b'U', &[], Some(68)),
    (b'C', &[18], Some(20)),
    (b'D', &[31, 32], Some(34)),
    (b'E', &[], Some(36)),
    (b'B', &[36], Some(38)),
    (b'J', &[29], Some(31)),
    (b'P', &[13], Some(15)),
    (b'I', &[13], Some(15)),
    (b'T', &[30], Some(32)),
    (b'M', &[18], Some(20)),
    (b'R', &[], Some(16)),
    (b'X', &[], Some(27)),
    (b'G', &[], Some(19)),
    (b'K', &[], Some(19)),
    (b'Q', &[13], Some(15)),
    (b'F', &[49], None),
];

/// A message of some length with a well-formed appendage, of one option, where the length leaves room for one.
fn sample(letter: u8, length: usize, appended_from: Option<usize>) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..length).map(|i| (i * 37 + 11) as u8).collect();
    bytes[0] = letter;
    if let Some(start) = appended_from.filter(|start| *start <= length) {
        let options = length - start;
        bytes[start - 2..start].copy_from_slice(&(options as u16).to_be_bytes());
        if options > 0 {
            bytes[start] = (options - 1) as u8;
        }
    }
    bytes
}

fn every_form(table: &[Lengths], mut decode: impl FnMut(&[u8], &mut [u8]) -> Result<(usize, bool), Malformed>) {
    for &(letter, bare, appended) in table {
        for length in 1..120 {
            let bytes = sample(letter, length, appended);
            let mut out = [0; 128];
            let result = decode(&bytes, &mut out);
            let is_bare = bare.contains(&length);
            // One byte of options holds a length and no tag.
            let torn = appended.is_some_and(|start| length == start + 1);
            if is_bare || (appended.is_some_and(|start| length >= start) && !torn) {
                let (written, absent) = result.unwrap_or_else(|e| panic!("{} {length}: {e:?}", letter as char));
                assert_eq!(hex(&out[..written]), hex(&bytes));
                assert_eq!(absent, is_bare);
                assert_eq!(decode(&bytes, &mut [0; 128][..length - 1]).unwrap().0, 0, "no room");
            } else if torn {
                assert_eq!(result, Err(Malformed::BadAppendage { message_type: letter, length }));
            } else {
                assert_eq!(result, Err(Malformed::BadLength { message_type: letter, length }));
            }
            if appended.is_some_and(|start| length >= start) {
                let mut lying = bytes.clone();
                lying[appended.unwrap() - 1] ^= 1;
                let lie = Err(Malformed::BadAppendage { message_type: letter, length });
                assert_eq!(decode(&lying, &mut out), lie, "an appendage length that is not what follows");
            }
        }
    }
}

/// Both forms of every message, and no other length.
#[test]
fn every_form_of_every_inbound_message_round_trips() {
    every_form(&INBOUND, |bytes, out| {
        let message = Inbound::decode(bytes)?;
        Ok((message.encode_into(out).unwrap_or(0), message.appendage().is_absent()))
    });
}

/// Both forms of every message, and no other length; AIQ Canceled has three.
#[test]
fn every_form_of_every_outbound_message_round_trips() {
    every_form(&OUTBOUND, |bytes, out| {
        let message = Outbound::decode(bytes)?;
        Ok((message.encode_into(out).unwrap_or(0), message.appendage().is_absent()))
    });
}

#[test]
fn an_unknown_type_is_named() {
    assert_eq!(Inbound::decode(b""), Err(Malformed::Empty));
    assert_eq!(Outbound::decode(b""), Err(Malformed::Empty));
    for letter in 0..=255 {
        let bytes = [letter; 200];
        let known = |table: &[Lengths]| table.iter().any(|(l, ..)| *l == letter);
        assert_eq!(Inbound::decode(&bytes) == Err(Malformed::UnknownType(letter)), !known(&INBOUND));
        assert_eq!(Outbound::decode(&bytes) == Err(Malformed::UnknownType(letter)), !known(&OUTBOUND));
    }
}

#[test]
fn aiq_canceled_keeps_its_strategy() {
    for (length, strategy) in [(31, None), (32, Some(AiqStrategy::FIRM_DECREMENT)), (34, Some(AiqStrategy(b'D')))] {
        let mut bytes = sample(b'D', length, Some(34));
        if let Some(byte) = bytes.get_mut(31) {
            *byte = b'D';
        }
        let Ok(Outbound::AiqCanceled(_, decoded, _)) = Outbound::decode(&bytes) else { panic!("{length}") };
        assert_eq!(decoded, strategy);
    }
    // Without a strategy there is no place for an appendage.
    let bytes = sample(b'D', 31, None);
    let Ok(Outbound::AiqCanceled(message, ..)) = Outbound::decode(&bytes) else { panic!() };
    assert_eq!(Outbound::AiqCanceled(message, None, Appendage::EMPTY).encode_into(&mut [0; 99]), None);
}

/// A built message whose type always has an appendage length gets one, of zero, even if none was given.
#[test]
fn an_appendage_length_that_is_always_there_is_always_written() {
    let request =
        EnableOrderEntry { message_type: MessageType::NEW, user_ref_num: UserRefNum(7).into(), firm: *b"FIRE" };
    let mut out = [0xAA; 20];
    assert_eq!(Inbound::EnableOrderEntry(&request, Appendage::NONE).encode_into(&mut out), Some(11));
    assert_eq!(&out[..11], b"E\0\0\0\x07FIRE\0\0");
}

/// Messages of a captured session (public captures of OUCH 5.0).
#[test]
fn real_bytes_mean_what_they_should() {
    let enter = unhex(
        "4f 00000071 54 000000e1 43564c5420202020 0000000000099db8 30 59 41 4e 4e 4838465542384956202020202020 \
         0006 05024c494d45",
    );
    let Ok(Inbound::EnterOrder(order, appendage)) = Inbound::decode(&enter) else { panic!() };
    assert_eq!(order.user_ref_num.get(), UserRefNum(0x71));
    assert_eq!((order.side, order.side.of_market()), (Side::SELL_SHORT, Some(base::Side::Sell)));
    assert_eq!((order.quantity.get(), Symbol(order.symbol)), (Qty(225), Symbol::new("CVLT").unwrap()));
    assert_eq!((order.price.get(), order.price.is_market()), (Some(Price(630_200)), false));
    assert_eq!(
        (order.time_in_force, order.display, order.capacity),
        (TimeInForce::DAY, Display::VISIBLE, Capacity::AGENCY)
    );
    assert_eq!((order.inter_market_sweep, order.cross_type), (InterMarketSweep::NOT_ELIGIBLE, CrossType::CONTINUOUS));
    assert_eq!(&order.cl_ord_id, b"H8FUB8IV      ");
    assert!(appendage.known().eq([Ok(AppendageOption::Firm(*b"LIME"))]));

    // The same, built.
    let mut options = AppendageBuilder::<16>::new();
    options.push(AppendageOption::Firm(*b"LIME")).unwrap();
    let built = EnterOrder {
        message_type: MessageType::NEW,
        user_ref_num: UserRefNum(0x71).into(),
        side: Side::SELL_SHORT,
        quantity: WireQty::new(Qty(225)).unwrap(),
        symbol: Symbol::new("CVLT").unwrap().0,
        price: WirePrice::new(Price(630_200)).unwrap(),
        time_in_force: TimeInForce::DAY,
        display: Display::VISIBLE,
        capacity: Capacity::AGENCY,
        inter_market_sweep: InterMarketSweep::NOT_ELIGIBLE,
        cross_type: CrossType::CONTINUOUS,
        cl_ord_id: *b"H8FUB8IV      ",
    };
    let mut out = [0; 64];
    let length = Inbound::EnterOrder(&built, options.appendage()).encode_into(&mut out).unwrap();
    assert_eq!(hex(&out[..length]), hex(&enter));

    let canceled = unhex("43 0000289b4d681317 00753a8d 00000028 55");
    let Ok(Outbound::OrderCanceled(message, Appendage::NONE)) = Outbound::decode(&canceled) else { panic!() };
    assert_eq!(message.timestamp.get(), Timestamp(0x289b_4d68_1317));
    assert_eq!((message.user_ref_num.get(), message.quantity.get()), (UserRefNum(0x0075_3a8d), Qty(40)));
    assert_eq!(message.reason, CancelReason::USER);
}

/// Real packets: SoupBinTCP and OUCH are written again to the same bytes.
#[test]
fn captures_decode_and_encode_to_the_same_bytes() {
    let Some(folder) = data::shared("captures/Nasdaq/Nasdaq.Nsm.Ouch.v5.0") else { return };
    let mut seen = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        for stream in pcap::tcp_payloads(&std::fs::read(&path).unwrap()) {
            let mut framer = Framer::new(1 << 10);
            assert_eq!(framer.push(&stream), Ok(stream.len()));
            let mut wire = Wire::default();
            while let Some(packet) = framer.next_packet().unwrap() {
                packet.send(&mut wire).unwrap();
                let mut out = [0; 256];
                match packet {
                    Packet::Sequenced(payload) => {
                        let message = Outbound::decode(payload).unwrap();
                        let length = message.encode_into(&mut out).unwrap();
                        assert_eq!(hex(&out[..length]), hex(payload), "{}", path.display());
                        seen.push(format!("S{}", payload[0] as char));
                        if let Outbound::OrderAccepted(order, appendage) = message {
                            assert_eq!(order.order_reference.get(), VenueRef(0x0f56_b4f5));
                            assert_eq!(
                                (order.price.get(), order.order_state),
                                (Some(Price(4_777_800)), OrderState::LIVE)
                            );
                            let options = [AppendageOption::Firm(*b"MLRO"), AppendageOption::BboWeight(b'0')];
                            assert!(appendage.known().eq(options.map(Ok)));
                        }
                    }
                    Packet::Unsequenced(payload) => {
                        let length = Inbound::decode(payload).unwrap().encode_into(&mut out).unwrap();
                        assert_eq!(hex(&out[..length]), hex(payload), "{}", path.display());
                        seen.push(format!("U{}", payload[0] as char));
                    }
                    Packet::ServerHeartbeat | Packet::ClientHeartbeat => {
                        seen.push((packet.letter() as char).to_string());
                    }
                    other => panic!("{}: {other:?}", path.display()),
                }
            }
            assert_eq!(hex(&wire.0), hex(&stream), "{}", path.display());
        }
    }
    seen.sort();
    assert_eq!(seen, ["H", "R", "SA", "SC", "UO", "UX"]);
}

/// The table of tags: type and length of each, both ways.
#[test]
fn every_known_option_round_trips_and_no_other_length_does() {
    use AppendageOption as O;
    let known = [
        (O::SecondaryOrdRefNum(VenueRef(u64::MAX - 1)), 8),
        (O::Firm(*b"LIME"), 4),
        (O::MinQty(100), 4),
        (O::CustomerType(b'R'), 1),
        (O::MaxFloor(5), 4),
        (O::PriceType(b'M'), 1),
        (O::PegOffset(-100), 4),
        (O::DiscretionPrice(1_000_000), 8),
        (O::DiscretionPriceType(b'L'), 1),
        (O::DiscretionPegOffset(i32::MIN), 4),
        (O::PostOnly(b'P'), 1),
        (O::RandomReserves(10), 4),
        (O::Route(*b"SCAN"), 4),
        (O::ExpireTime(86_399), 4),
        (O::TradeNow(b'Y'), 1),
        (O::HandleInst(b'I'), 1),
        (O::BboWeight(b'S'), 1),
        (O::DisplayQuantity(7), 4),
        (O::DisplayPrice(9), 8),
        (O::GroupId(0xBEEF), 2),
        (O::SharesLocated(b'Y'), 1),
        (O::LocateBroker(*b"BRKR"), 4),
        (O::Side(Side::SELL_SHORT_EXEMPT), 1),
        (O::UserRefIdx(3), 1),
        (O::AiqStrategy(AiqStrategy::FIRM_CANCEL_OLDEST), 1),
        (O::AiqGroupId(*b"G1"), 2),
    ];
    assert!(known.iter().map(|(option, _)| option.tag()).eq(O::TAGS.iter().copied()));
    assert!(O::TAGS.iter().copied().eq((1..=30).filter(|tag| ![8, 19, 20, 21].contains(tag))));

    let mut all = AppendageBuilder::<256>::new();
    for (option, length) in known {
        all.push(option).unwrap();
        let mut one = AppendageBuilder::<16>::new();
        one.push(option).unwrap();
        assert_eq!(one.appendage().bytes().len(), 2 + length, "{option:?}");
        for wrong in (0..12).filter(|wrong| *wrong != length) {
            let bad = BadOption { tag: option.tag(), length: wrong };
            assert_eq!(O::parse(option.tag(), &[b' '; 12][..wrong]), Err(bad));
        }
    }
    assert!(all.appendage().known().eq(known.map(|(option, _)| Ok(option))));
    let reread = Appendage::new(all.appendage().bytes()).unwrap();
    assert_eq!(reread, all.appendage());
    assert_eq!(reread.user_ref_idx(), 3);
}

/// An unknown tag is skipped by its length; a wrong length harms its own option only.
#[test]
fn options_do_not_harm_their_neighbours() {
    let bytes = [3, 99, 1, 2, 3, 2, 1, 2, 2, 12, b'P', 1, 200];
    let appendage = Appendage::new(&bytes).unwrap();
    assert!(appendage.iter().eq([(99, &[1, 2][..]), (2, &[1, 2]), (12, b"P"), (200, &[])]));
    assert!(appendage.known().eq([Err(BadOption { tag: 2, length: 2 }), Ok(AppendageOption::PostOnly(b'P'))]));
    assert_eq!((appendage.find(12), appendage.find(13)), (Some(&b"P"[..]), None));
    assert_eq!(Appendage::new(&[0]), None, "an option without a tag");
    assert_eq!(Appendage::new(&[3, 1, 2]), None, "an option beyond the end");
    assert_eq!(Appendage::new(&[1; 65_536]), None, "more than the length field says");
}

#[test]
fn a_builder_is_full_at_its_capacity_and_not_before() {
    let mut exact = AppendageBuilder::<9>::new();
    exact.push(AppendageOption::Firm(*b"LIME")).unwrap();
    assert_eq!(exact.push(AppendageOption::GroupId(1)), Err(AppendageFull));
    exact.push(AppendageOption::PostOnly(b'P')).unwrap();
    assert_eq!(exact.push_raw(99, b""), Err(AppendageFull));
    assert_eq!(hex(exact.appendage().bytes()), "05024c494d45020c50");
    let mut long = AppendageBuilder::<600>::new();
    assert_eq!(long.push_raw(99, &[0; 255]), Err(AppendageFull));
    long.push_raw(99, &[0; 254]).unwrap();
    assert_eq!(Appendage::new(long.appendage().bytes()), Some(long.appendage()));
    assert!(!AppendageBuilder::<0>::new().appendage().is_absent());
}

/// What the specification does not list is a value like any other.
#[test]
fn codes_are_open() {
    assert_eq!(RejectReason::LISTED.len(), 52);
    assert!(RejectReason::LISTED.is_sorted_by(|a, b| a.0 < b.0));
    assert_eq!(
        (RejectReason(0x07).name(), RejectReason(0x40).name()),
        ("halted", "invalid self-match prevention (revision 1.05)")
    );
    assert_eq!(
        (RejectReason(0x2B), RejectReason(0xFFFF).name()),
        (RejectReason::RISK_SHORT_SELL_NOT_ALLOWED, "unlisted")
    );
    assert_eq!((LiquidityFlag::LISTED.len(), LiquidityFlag(b'3').name()), (25, "unlisted"));
    assert_eq!(
        (CancelReason::LISTED.len(), CancelReason(b'e').name()),
        (14, "excess of a direct listing with capital raise")
    );
    assert_eq!((AiqStrategy::LISTED.len(), Side(b'X').of_market()), (22, None));
    assert_eq!(format!("{:?}", CancelReason::USER), "CancelReason('U' requested by the user)");
    let mut bytes = sample(b'C', 18, Some(20));
    bytes[17] = 0xFE;
    assert!(Outbound::decode(&bytes).is_ok());
}

#[test]
fn prices_and_quantities_convert_only_if_they_fit() {
    assert_eq!(WirePrice::from_bits(u64::MAX).get(), None);
    assert_eq!(WirePrice::from_bits(1 << 63).get(), None);
    assert_eq!(WirePrice::from_bits((1 << 63) - 1).get(), Some(Price(i64::MAX)));
    assert_eq!(WirePrice::new(Price(-1)), None);
    assert!(
        WirePrice::new(MARKET_PRICE).unwrap().is_market() && WirePrice::new(MARKET_PRICE_DECIMAL).unwrap().is_market()
    );
    assert_eq!((MAX_LIMIT_PRICE.0, MARKET_PRICE.0), (0x7735_939C, 0x7FFF_FFFF));
    assert!(!WirePrice::new(MAX_LIMIT_PRICE).unwrap().is_market());
    assert_eq!((WireQty::new(Qty(-1)), WireQty::new(Qty(1 << 32))), (None, None));
    assert_eq!(WireQty::new(Qty(i64::from(u32::MAX))).unwrap().get(), Qty(0xFFFF_FFFF));
}

/// O, U, C, D and E take a number; X and M name an order; Q does neither.
#[test]
fn requests_say_which_number_they_take() {
    let takes: Vec<(char, bool)> = INBOUND
        .iter()
        .map(|&(letter, bare, appended)| {
            let bytes = sample(letter, *bare.first().or(appended.as_ref()).unwrap(), appended);
            (letter as char, Inbound::decode(&bytes).unwrap().takes_user_ref_num().is_some())
        })
        .collect();
    let expected =
        [('O', true), ('U', true), ('X', false), ('M', false), ('C', true), ('D', true), ('E', true), ('Q', false)];
    assert_eq!(takes, expected);
    let replace = sample(b'U', 40, Some(40));
    let second = u32::from_be_bytes(replace[5..9].try_into().unwrap());
    assert_eq!(Inbound::decode(&replace).unwrap().takes_user_ref_num(), Some(UserRefNum(second)));
}

fn corpus(table: &[Lengths]) -> Vec<Vec<u8>> {
    let lengths = |&(letter, bare, appended): &Lengths| {
        let appended_lengths =
            appended.into_iter().flat_map(|start| [start, start + 2, start + 3, start + 6, start + 10]);
        bare.iter()
            .copied()
            .chain(appended_lengths)
            .map(move |length| sample(letter, length, appended))
            .collect::<Vec<_>>()
    };
    table.iter().flat_map(lengths).collect()
}

#[test]
fn a_million_mutations_inbound() {
    million(0x0C, &corpus(&INBOUND), targets_orders::ouch_inbound);
}

#[test]
fn a_million_mutations_outbound() {
    million(0x0D, &corpus(&OUTBOUND), targets_orders::ouch_outbound);
}
