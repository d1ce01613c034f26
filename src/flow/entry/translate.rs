//! OUCH 5.0 and the words of the order table.

use crate::base::{AccountId, ClientId, ParentId, Qty, Side, StrategyId, Symbol, Token, VenueRef};
use crate::flow::action::{SellMark, Tags, TimeInForce};
use crate::flow::orders::{
    DayEvent, Liquidity, LiquidityKind, Origin, Reason, ReasonClass, Report, ReportKind, Standing, Visibility,
};
use crate::flow::wire::ouch50::{self, Appendage, Malformed, Outbound, UserRefNum, WirePrice, WireUserRefNum};

/// The largest order id that a ClOrdID carries: 40 bits.
pub const MAX_CLIENT_ID: u64 = (1 << 40) - 1;
/// The largest account that a ClOrdID carries: 15 bits.
pub const MAX_ACCOUNT: u16 = (1 << 15) - 1;
/// The largest strategy that a ClOrdID carries: 15 bits.
pub const MAX_STRATEGY: u16 = (1 << 15) - 1;

/// The client's text on an order, 14 base-32 digits of 70 bits (RFC 4648's
/// "extended hex": in the order of their values, and of one case): 40 of the order's id, 15 of the account, 15 of the
/// strategy. It comes back with Accepted and Replaced, so that after a restart the orders of the run before are known
/// by their names. The parent order is not carried: whatever sliced it is gone as well.
///
/// `None` if one of them is too large.
#[inline(always)]
#[must_use]
pub fn cl_ord_id(id: ClientId, tags: Tags) -> Option<[u8; 14]> {
    if id.0 > MAX_CLIENT_ID || tags.account.0 > MAX_ACCOUNT || tags.strategy.0 > MAX_STRATEGY {
        return None;
    }
    let [a, b, c, d, e, f, g, h] = digits(id.0);
    let [_, _, i, j, k, l, m, n] = digits(u64::from(tags.account.0) << 15 | u64::from(tags.strategy.0));
    Some([a, b, c, d, e, f, g, h, i, j, k, l, m, n])
}

/// The eight base-32 digits of a number of 40 bits, all at once: a byte a digit.
#[inline(always)]
fn digits(value: u64) -> [u8; 8] {
    /// The same in every byte.
    const fn bytes(n: u8) -> u64 {
        u64::from_ne_bytes([n; 8])
    }
    // Halves move apart: of the whole, of each half, of each quarter.
    let value = (value << 12 & 0x000F_FFFF_0000_0000) | value & 0x000F_FFFF;
    let value = (value << 6 & 0x03FF_0000_03FF_0000) | value & 0x0000_03FF_0000_03FF;
    let value = (value << 3 & 0x1F00_1F00_1F00_1F00) | value & 0x001F_001F_001F_001F;
    // A digit above 9 is a letter: adding 118 to it sets its byte's highest bit.
    let letters = value.wrapping_add(bytes(118)) >> 7 & bytes(1);
    let gap = letters.wrapping_mul(u64::from(b'A' - b'0' - 10));
    value.wrapping_add(bytes(b'0')).wrapping_add(gap).to_be_bytes()
}

fn value_of(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit.wrapping_sub(b'0'),
            b'A'..=b'V' => digit.wrapping_sub(b'A').wrapping_add(10),
            _ => return None,
        };
        Some(value << 5 | u64::from(digit))
    })
}

/// What [`cl_ord_id`] wrote. `None`: the text is another's.
#[must_use]
#[allow(clippy::cast_possible_truncation)] // 15 bits each
pub fn origin_of(text: &[u8; 14]) -> Option<Origin> {
    let (name, owner) = text.split_at_checked(8)?;
    let owner = value_of(owner)?;
    Some(Origin {
        client: ClientId(value_of(name)?),
        tags: Tags {
            account: AccountId((owner >> 15) as u16),
            strategy: StrategyId(owner as u16 & MAX_STRATEGY),
            parent: ParentId(0),
        },
    })
}

/// The lane's number of a request.
#[inline]
fn token_of(number: WireUserRefNum) -> Token {
    Token(number.get().0.into())
}

/// The number of a request on the wire. `None`: beyond what the protocol can say.
#[inline]
pub(super) fn number_of(token: Token) -> Option<WireUserRefNum> {
    u32::try_from(token.0).ok().map(|number| UserRefNum(number).into())
}

/// The letter of a side.
#[inline]
pub(super) fn side_letter(side: Side, mark: SellMark) -> ouch50::Side {
    match (side, mark) {
        (Side::Buy, _) => ouch50::Side::BUY,
        (Side::Sell, SellMark::Long) => ouch50::Side::SELL,
        (Side::Sell, SellMark::Short { .. }) => ouch50::Side::SELL_SHORT,
    }
}

/// How an order sells, by its letter and Shares Located (tag 25).
fn mark_of(letter: ouch50::Side, appendage: Appendage<'_>) -> SellMark {
    match letter {
        ouch50::Side::SELL_SHORT | ouch50::Side::SELL_SHORT_EXEMPT => {
            SellMark::Short { located: appendage.find(25) == Some(b"Y") }
        }
        _ => SellMark::Long,
    }
}

/// The letter of a time in force.
#[inline]
pub(super) fn tif_letter(tif: TimeInForce) -> ouch50::TimeInForce {
    match tif {
        TimeInForce::Day => ouch50::TimeInForce::DAY,
        TimeInForce::ImmediateOrCancel => ouch50::TimeInForce::IOC,
    }
}

fn tif_of(letter: ouch50::TimeInForce) -> TimeInForce {
    if letter == ouch50::TimeInForce::IOC { TimeInForce::ImmediateOrCancel } else { TimeInForce::Day }
}

fn visibility_of(letter: ouch50::Display) -> Visibility {
    match letter {
        ouch50::Display::VISIBLE => Visibility::Displayed,
        ouch50::Display::HIDDEN => Visibility::Hidden,
        ouch50::Display::ATTRIBUTABLE => Visibility::Attributed,
        ouch50::Display::CONFORMANT => Visibility::Conformed,
        _ => Visibility::Other,
    }
}

fn day_event_of(letter: ouch50::EventCode) -> DayEvent {
    match letter {
        ouch50::EventCode::START_OF_DAY => DayEvent::Begins,
        ouch50::EventCode::END_OF_DAY => DayEvent::Ends,
        ouch50::EventCode(code) => DayEvent::Other(code.into()),
    }
}

fn cancel_reason_of(letter: ouch50::CancelReason) -> Reason {
    use ouch50::CancelReason as Code;
    let class = match letter {
        Code::USER => ReasonClass::ByRequest,
        Code::IMMEDIATE | Code::TIMEOUT => ReasonClass::TimeInForce,
        Code::SELF_MATCH => ReasonClass::SelfMatch,
        Code::SUPERVISORY => ReasonClass::Supervisory,
        Code::REGULATORY => ReasonClass::Regulatory,
        Code::HALTED => ReasonClass::Halted,
        Code::CLOSED => ReasonClass::Closed,
        Code::COLLARS | Code::OPEN_PROTECTION => ReasonClass::PriceProtection,
        Code::POST_ONLY_NMS | Code::POST_ONLY_CONTRA => ReasonClass::PostOnly,
        Code::SYSTEM => ReasonClass::Venue,
        _ => ReasonClass::Other,
    };
    Reason::new(class, letter.0.into())
}

fn broken_reason_of(letter: ouch50::BrokenReason) -> Reason {
    let class = match letter {
        ouch50::BrokenReason::ERRONEOUS => ReasonClass::Erroneous,
        ouch50::BrokenReason::CONSENT => ReasonClass::Consent,
        ouch50::BrokenReason::SUPERVISORY => ReasonClass::Supervisory,
        ouch50::BrokenReason::EXTERNAL => ReasonClass::Venue,
        _ => ReasonClass::Other,
    };
    Reason::new(class, letter.0.into())
}

fn restated_reason_of(letter: ouch50::RestatedReason) -> Reason {
    let class = match letter {
        ouch50::RestatedReason::DISPLAY_REFRESH => ReasonClass::Refreshed,
        ouch50::RestatedReason::DISPLAYED_PRICE => ReasonClass::Repriced,
        _ => ReasonClass::Other,
    };
    Reason::new(class, letter.0.into())
}

fn reject_reason_of(code: ouch50::RejectReason) -> Reason {
    use ouch50::RejectReason as Code;
    let class = match code {
        Code::INVALID_DISPLAY
        | Code::INVALID_MAX_FLOOR
        | Code::INVALID_PEG_TYPE
        | Code::INVALID_SIDE
        | Code::INVALID_MIN_QUANTITY
        | Code::INVALID_QUANTITY
        | Code::INVALID_CROSS_ORDER
        | Code::INVALID_MIDPOINT_POST_ONLY_PRICE
        | Code::INVALID_DESTINATION
        | Code::INVALID_PRICE
        | Code::INVALID_AIQ => ReasonClass::InvalidField,
        Code::INVALID_SYMBOL => ReasonClass::UnknownInstrument,
        Code::HALTED => ReasonClass::Halted,
        Code::DESTINATION_CLOSED => ReasonClass::Closed,
        Code::CROSSED_MARKET
        | Code::LATE_LOC_TOO_AGGRESSIVE
        | Code::NO_CLOSING_REFERENCE_PRICE
        | Code::QUOTE_UNAVAILABLE => ReasonClass::PriceProtection,
        Code::CANCEL_PENDING => ReasonClass::TooLate,
        Code::ISO_NOT_ALLOWED
        | Code::FIRM_NOT_AUTHORIZED
        | Code::CANCEL_NOT_ALLOWED
        | Code::PEGGING_NOT_ALLOWED
        | Code::REPLACE_NOT_ALLOWED
        | Code::ROUTING_NOT_ALLOWED
        | Code::RETAIL_NOT_ALLOWED => ReasonClass::NotAllowed,
        Code::REG_SHO_STATE_NOT_AVAILABLE | Code::RISK_LOCATE_REQUIRED | Code::RISK_SHORT_SELL_RESTRICTED => {
            ReasonClass::Regulatory
        }
        Code::PROCESSING_ERROR | Code::TEST => ReasonClass::Venue,
        Code::FAT_FINGER | Code::SHARES_EXCEED_THRESHOLD | Code::EXCEEDS_MAX_NOTIONAL => ReasonClass::Risk,
        // Everything that its risk checks refuse has a number in this range.
        Code(0x20..=0x33) => ReasonClass::Risk,
        _ => ReasonClass::Other,
    };
    Reason::new(class, code.0.into())
}

fn liquidity_of(letter: ouch50::LiquidityFlag) -> Liquidity {
    use ouch50::LiquidityFlag as Code;
    let kind = match letter {
        Code::ADDED
        | Code::HIDDEN_ADDED
        | Code::MIDPOINT_ADDED
        | Code::RESERVE_ADDED
        | Code::PASSIVE_MIDPOINT
        | Code::IMPROVES_NBBO
        | Code::SETS_QBBO
        | Code::RETAIL_ADDED
        | Code::RPI_ADDED
        | Code::RPI_ADDED_NO_RPII => LiquidityKind::Added,
        Code::REMOVED
        | Code::MIDPOINT_REMOVED
        | Code::HIDDEN_IMPROVING_REMOVED
        | Code::RETAIL_REMOVED_MIDPOINT
        | Code::RETAIL_REMOVED_RPI
        | Code::RETAIL_REMOVED_IMPROVING => LiquidityKind::Removed,
        Code::OPENING_CROSS
        | Code::CLOSING_CROSS
        | Code::HALT_CROSS
        | Code::HALT
        | Code::AFTER_HOURS_CROSS
        | Code::IMBALANCE_ONLY_OPEN
        | Code::IMBALANCE_ONLY_CLOSE => LiquidityKind::Auction,
        _ => LiquidityKind::Other,
    };
    Liquidity::new(kind, letter.0.into())
}

/// The letter of the messages that become reports of this kind.
pub(super) fn letter_of(kind: ReportKind) -> u8 {
    match kind {
        ReportKind::Day => b'S',
        ReportKind::Accepted => b'A',
        ReportKind::Replaced => b'U',
        ReportKind::Canceled => b'C',
        ReportKind::SelfMatched => b'D',
        ReportKind::Executed => b'E',
        ReportKind::Broken => b'B',
        ReportKind::Corrected => b'F',
        ReportKind::Rejected => b'J',
        ReportKind::CancelPending => b'P',
        ReportKind::CancelRejected => b'I',
        ReportKind::PriorityUpdated => b'T',
        ReportKind::Modified => b'M',
        ReportKind::Restated => b'R',
        ReportKind::MassCancelled => b'X',
        ReportKind::EntryDisabled => b'G',
        ReportKind::EntryEnabled => b'K',
        ReportKind::Settled => b'Q',
        ReportKind::Unreadable => 0,
    }
}

/// Why a message gave no report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoReport {
    /// Not a message of the protocol.
    Malformed(Malformed),
    /// A message of this type with a field that can't be.
    BadField(u8),
}

/// Reads one outbound message. A report of [`Report::Settled`] still lacks what it settles, 0.
///
/// # Errors
/// `NoReport`: to be counted, and skipped.
#[inline]
pub fn report_of(message: &[u8]) -> Result<Report, NoReport> {
    let bad = NoReport::BadField(message.first().copied().unwrap_or(0));
    let price_of = |price: WirePrice| price.get().ok_or(bad);
    let side_of = |side: ouch50::Side| side.of_market().ok_or(bad);
    // Accepted and Replaced are two types with the same fields.
    macro_rules! standing {
        ($m:ident, $appendage:ident) => {
            Standing {
                token: token_of($m.user_ref_num),
                origin: origin_of(&$m.cl_ord_id),
                name: Symbol($m.symbol).into(),
                side: side_of($m.side)?,
                mark: mark_of($m.side, $appendage),
                qty: $m.quantity.get(),
                price: price_of($m.price)?,
                tif: tif_of($m.time_in_force),
                display: visibility_of($m.display),
                venue_ref: $m.order_reference.get(),
                live: $m.order_state != ouch50::OrderState::DEAD,
            }
        };
    }
    Ok(match Outbound::decode(message).map_err(NoReport::Malformed)? {
        Outbound::SystemEvent(m) => Report::Day(day_event_of(m.event)),
        Outbound::OrderAccepted(m, appendage) => Report::Accepted(standing!(m, appendage)),
        Outbound::OrderReplaced(m, appendage) => {
            Report::Replaced { orig: token_of(m.orig_user_ref_num), now: standing!(m, appendage) }
        }
        Outbound::OrderCanceled(m, _) => Report::Canceled {
            token: token_of(m.user_ref_num),
            decrement: m.quantity.get(),
            reason: cancel_reason_of(m.reason),
        },
        Outbound::AiqCanceled(m, _, _) => Report::SelfMatched {
            token: token_of(m.user_ref_num),
            decrement: m.decrement.get(),
            reason: cancel_reason_of(m.reason),
            prevented: m.prevented.get(),
            price: price_of(m.price)?,
            liquidity: liquidity_of(m.liquidity),
        },
        Outbound::OrderExecuted(m, _) => Report::Executed {
            token: token_of(m.user_ref_num),
            qty: m.quantity.get(),
            price: price_of(m.price)?,
            liquidity: liquidity_of(m.liquidity),
            trade: m.match_number.get().0,
        },
        Outbound::BrokenTrade(m, _) => Report::Broken {
            token: token_of(m.user_ref_num),
            trade: m.match_number.get().0,
            reason: broken_reason_of(m.reason),
        },
        Outbound::TradeCorrection(m) => Report::Corrected {
            token: token_of(m.user_ref_num),
            qty: m.quantity.get(),
            price: price_of(m.price)?,
            liquidity: liquidity_of(m.liquidity),
            trade: m.match_number.get().0,
            // The one that there is, net asset value, is the venue's own.
            reason: Reason::new(ReasonClass::Venue, m.reason.0.into()),
        },
        Outbound::Rejected(m, _) => {
            Report::Rejected { token: token_of(m.user_ref_num), reason: reject_reason_of(m.reason.get()) }
        }
        Outbound::CancelPending(m, _) => Report::CancelPending { token: token_of(m.user_ref_num) },
        Outbound::CancelReject(m, _) => Report::CancelRejected { token: token_of(m.user_ref_num) },
        Outbound::OrderPriorityUpdate(m, _) => Report::PriorityUpdated {
            token: token_of(m.user_ref_num),
            price: price_of(m.price)?,
            display: visibility_of(m.display),
            venue_ref: m.order_reference.get(),
        },
        Outbound::OrderModified(m, appendage) => Report::Modified {
            token: token_of(m.user_ref_num),
            side: side_of(m.side)?,
            mark: mark_of(m.side, appendage),
            open: m.quantity.get(),
        },
        Outbound::OrderRestated(m, appendage) => {
            let mut restated = (None, None, None);
            for option in appendage.known().flatten() {
                match option {
                    ouch50::AppendageOption::SecondaryOrdRefNum(reference) => restated.0 = Some(reference),
                    ouch50::AppendageOption::DisplayQuantity(shares) => restated.1 = Some(Qty(i64::from(shares))),
                    ouch50::AppendageOption::DisplayPrice(units) => restated.2 = WirePrice::from_bits(units).get(),
                    _ => {}
                }
            }
            let (displayed, qty, price): (Option<VenueRef>, _, _) = restated;
            Report::Restated {
                token: token_of(m.user_ref_num),
                reason: restated_reason_of(m.reason),
                displayed,
                qty,
                price,
            }
        }
        Outbound::MassCancelResponse(m, _) => Report::MassCancelled {
            token: token_of(m.user_ref_num),
            name: (m.symbol != *b"        ").then_some(Symbol(m.symbol).into()),
        },
        Outbound::DisableResponse(m, _) => Report::EntryDisabled { token: token_of(m.user_ref_num) },
        Outbound::EnableResponse(m, _) => Report::EntryEnabled { token: token_of(m.user_ref_num) },
        Outbound::AccountQueryResponse(m, _) => {
            Report::Settled { upto: 0, next: Some(token_of(m.next_user_ref_num)), unused: None }
        }
    })
}
