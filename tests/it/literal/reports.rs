//! What a lane makes of the venue's bytes, and its own text on an order.

use firelane_gateway::base::{AccountId, ClientId, ParentId, Price, Qty, Side, StrategyId, Symbol, Token, VenueRef};
use firelane_gateway::flow::action::{SellMark, Tags, TimeInForce};
use firelane_gateway::flow::entry::{cl_ord_id, origin_of, report_of};
use firelane_gateway::flow::orders::{
    DayEvent, Liquidity, LiquidityKind, Origin, Reason, ReasonClass, Report, Standing, Visibility,
};

/// 40 bits of id, 15 of account, 15 of strategy, five at a time, 0 to 9 and A to V. By hand:
/// `0x0123456789` is 00000 00100 10001 10100 01010 11001 11100 01001: 0 4 H K A P S 9;
/// account `0x1234` is 00100 10001 10100: 4 H K; strategy `0x5678` is 10101 10011 11000: L J O.
const TEXT: &[u8; 14] = b"04HKAPS94HKLJO";

fn origin() -> Origin {
    Origin {
        client: ClientId(0x01_2345_6789),
        tags: Tags { account: AccountId(0x1234), strategy: StrategyId(0x5678), parent: ParentId(0) },
    }
}

#[test]
fn the_clients_text() {
    assert_eq!(cl_ord_id(origin().client, origin().tags).as_ref(), Some(TEXT));
    let read = origin_of(TEXT).unwrap();
    assert_eq!((read.client, read.tags), (origin().client, origin().tags));
}

fn why(class: ReasonClass, letter: u8) -> Reason {
    Reason::new(class, letter.into())
}

fn part(kind: LiquidityKind, letter: u8) -> Liquidity {
    Liquidity::new(kind, letter.into())
}

fn standing(token: Token, side: Side, mark: SellMark) -> Standing {
    Standing {
        token,
        origin: Some(origin()),
        name: Symbol(*b"SYM     ").into(),
        side,
        mark,
        qty: Qty(0x0102_0304),
        price: Price(0x0506_0708_090a_0b0c),
        tif: TimeInForce::ImmediateOrCancel,
        display: Visibility::Displayed,
        venue_ref: VenueRef(0x0d0e_0f10_1112_1314),
        live: true,
    }
}

#[test]
fn an_order_that_stands() {
    let rest = b"\x01\x02\x03\x04SYM     \x05\x06\x07\x08\x09\x0a\x0b\x0c3Y\x0d\x0e\x0f\x10\x11\x12\x13\x14PNNL";
    let order = |head: &[u8], tail: &[u8]| [head, rest, TEXT, tail].concat();
    let short = order(b"AABCDEFGH1234T", b"\x00\x03\x02\x19Y");
    let mark = SellMark::Short { located: true };
    assert_eq!(report_of(&short), Ok(Report::Accepted(standing(Token(0x3132_3334), Side::Sell, mark))));
    let replaced = order(b"UABCDEFGH12345678B", b"\x00\x00");
    let now = standing(Token(0x3536_3738), Side::Buy, SellMark::Long);
    assert_eq!(report_of(&replaced), Ok(Report::Replaced { orig: Token(0x3132_3334), now }));
    let mut dead = replaced.clone();
    dead[51] = b'D';
    let now = Standing { live: false, ..now };
    assert_eq!(report_of(&dead), Ok(Report::Replaced { orig: Token(0x3132_3334), now }));
}

/// Every listed code has a class of its own accord; what nobody lists is another, with its code.
#[test]
fn codes_have_classes() {
    use firelane_gateway::flow::wire::ouch50::{BrokenReason, CancelReason, LiquidityFlag, RejectReason};
    let canceled = |code: u8| match report_of(&[&b"CABCDEFGH1234\0\0\0\x01"[..], &[code]].concat()) {
        Ok(Report::Canceled { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let broken = |code: u8| match report_of(&[&b"BABCDEFGH1234\0\0\0\0\0\0\0\x01"[..], &[code], TEXT].concat()) {
        Ok(Report::Broken { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let rejected = |code: u16| match report_of(&[&b"JABCDEFGH1234"[..], &code.to_be_bytes(), TEXT].concat()) {
        Ok(Report::Rejected { reason, .. }) => reason,
        other => panic!("{other:?}"),
    };
    let executed = |code: u8| {
        let price = b"\0\0\0\0\0\0\0\x01";
        let message = [&b"EABCDEFGH1234\0\0\0\x01"[..], price, &[code], price, b"\0\0"].concat();
        match report_of(&message) {
            Ok(Report::Executed { liquidity, .. }) => liquidity,
            other => panic!("{other:?}"),
        }
    };
    let sorted = [
        (canceled(b'U'), ReasonClass::ByRequest),
        (canceled(b'I'), ReasonClass::TimeInForce),
        (canceled(b'T'), ReasonClass::TimeInForce),
        (canceled(b'Q'), ReasonClass::SelfMatch),
        (canceled(b'S'), ReasonClass::Supervisory),
        (canceled(b'D'), ReasonClass::Regulatory),
        (canceled(b'H'), ReasonClass::Halted),
        (canceled(b'E'), ReasonClass::Closed),
        (canceled(b'K'), ReasonClass::PriceProtection),
        (canceled(b'X'), ReasonClass::PriceProtection),
        (canceled(b'F'), ReasonClass::PostOnly),
        (canceled(b'G'), ReasonClass::PostOnly),
        (canceled(b'Z'), ReasonClass::Venue),
        (canceled(b'?'), ReasonClass::Other),
        (broken(b'E'), ReasonClass::Erroneous),
        (broken(b'C'), ReasonClass::Consent),
        (broken(b'X'), ReasonClass::Venue),
        (broken(b'?'), ReasonClass::Other),
        (rejected(0x02), ReasonClass::Closed),
        (rejected(0x07), ReasonClass::Halted),
        (rejected(0x0A), ReasonClass::Venue),
        (rejected(0x0B), ReasonClass::TooLate),
        (rejected(0x12), ReasonClass::PriceProtection),
        (rejected(0x13), ReasonClass::InvalidField),
        (rejected(0x15), ReasonClass::NotAllowed),
        (rejected(0x17), ReasonClass::UnknownInstrument),
        (rejected(0x1F), ReasonClass::Risk),
        (rejected(0x23), ReasonClass::Regulatory),
        (rejected(0x31), ReasonClass::Risk),
        (rejected(0x40), ReasonClass::InvalidField),
        (rejected(0x99), ReasonClass::Other),
    ];
    sorted.into_iter().for_each(|(reason, class)| assert_eq!(reason.class, class, "{reason:?}"));
    // What is listed is sorted, but for what the specification itself calls other or has once a year.
    let unsorted = |reason: &Reason| reason.class == ReasonClass::Other;
    let canceled: Vec<Reason> = CancelReason::LISTED.iter().map(|code| canceled(code.0)).filter(unsorted).collect();
    assert_eq!(canceled, [why(ReasonClass::Other, b'e')]);
    assert!(!BrokenReason::LISTED.iter().any(|code| unsorted(&broken(code.0))));
    let rejected: Vec<Reason> = RejectReason::LISTED.iter().map(|code| rejected(code.0)).filter(unsorted).collect();
    assert_eq!(rejected, [Reason::new(ReasonClass::Other, 0x0F)]);
    let others = LiquidityFlag::LISTED.iter().map(|code| executed(code.0)).filter(|l| l.kind == LiquidityKind::Other);
    assert_eq!(others.map(|l| l.code).collect::<Vec<_>>(), [u32::from(b'n'), u32::from(b'0')]);
    let kinds = [b'A', b'R', b'O', b'?'].map(|letter| executed(letter).kind);
    let expected = [LiquidityKind::Added, LiquidityKind::Removed, LiquidityKind::Auction, LiquidityKind::Other];
    assert_eq!(kinds, expected);
}

#[test]
fn all_else() {
    let token = Token(0x3132_3334);
    let trade = 0x0d0e_0f10_1112_1314;
    let (qty, price) = (Qty(0x0102_0304), Price(0x0506_0708_090a_0b0c));
    let table: [(&[u8], Report); 17] = [
        (b"SABCDEFGHE", Report::Day(DayEvent::Ends)),
        (
            b"CABCDEFGH1234\x01\x02\x03\x04T",
            Report::Canceled { token, decrement: qty, reason: why(ReasonClass::TimeInForce, b'T') },
        ),
        (
            b"DABCDEFGH1234\x01\x02\x03\x04Q\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10R",
            Report::SelfMatched {
                token,
                decrement: qty,
                reason: why(ReasonClass::SelfMatch, b'Q'),
                prevented: Qty(0x0506_0708),
                price: Price(0x090a_0b0c_0d0e_0f10),
                liquidity: part(LiquidityKind::Removed, b'R'),
            },
        ),
        (
            b"EABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cJ\x0d\x0e\x0f\x10\x11\x12\x13\x14\x00\x00",
            Report::Executed { token, qty, price, liquidity: part(LiquidityKind::Added, b'J'), trade },
        ),
        (
            b"BABCDEFGH1234\x0d\x0e\x0f\x10\x11\x12\x13\x14Stext          ",
            Report::Broken { token, trade, reason: why(ReasonClass::Supervisory, b'S') },
        ),
        (
            b"FABCDEFGH1234\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0cA\x0d\x0e\x0f\x10\x11\x12\x13\x14N\
              text          ",
            Report::Corrected {
                token,
                qty,
                price,
                liquidity: part(LiquidityKind::Added, b'A'),
                trade,
                reason: why(ReasonClass::Venue, b'N'),
            },
        ),
        (
            b"JABCDEFGH1234\x01\x17text          ",
            Report::Rejected { token, reason: Reason::new(ReasonClass::Other, 0x0117) },
        ),
        (b"PABCDEFGH1234", Report::CancelPending { token }),
        (b"IABCDEFGH1234", Report::CancelRejected { token }),
        (
            b"TABCDEFGH1234\x05\x06\x07\x08\x09\x0a\x0b\x0cN\x0d\x0e\x0f\x10\x11\x12\x13\x14",
            Report::PriorityUpdated { token, price, display: Visibility::Hidden, venue_ref: VenueRef(trade) },
        ),
        (
            b"MABCDEFGH1234T\x01\x02\x03\x04",
            Report::Modified { token, side: Side::Sell, mark: SellMark::Short { located: false }, open: qty },
        ),
        (
            b"RABCDEFGH1234R\x00\x1a\
              \x09\x01\x0d\x0e\x0f\x10\x11\x12\x13\x14\x05\x16\x01\x02\x03\x04\x09\x17\x05\x06\x07\x08\x09\x0a\x0b\x0c",
            Report::Restated {
                token,
                reason: why(ReasonClass::Refreshed, b'R'),
                displayed: Some(VenueRef(trade)),
                qty: Some(qty),
                price: Some(price),
            },
        ),
        (
            b"XABCDEFGH1234FIRMSYM     \x00\x00",
            Report::MassCancelled { token, name: Some(Symbol(*b"SYM     ").into()) },
        ),
        (b"XABCDEFGH1234FIRM        \x00\x00", Report::MassCancelled { token, name: None }),
        (b"GABCDEFGH1234FIRM\x00\x00", Report::EntryDisabled { token }),
        (b"KABCDEFGH1234FIRM\x00\x00", Report::EntryEnabled { token }),
        (b"QABCDEFGH1234", Report::Settled { upto: 0, next: Some(token), unused: None }),
    ];
    for (bytes, report) in table {
        assert_eq!(report_of(bytes), Ok(report), "{}", bytes.escape_ascii());
    }
}
