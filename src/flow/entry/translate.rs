//! OUCH 5.0 and the words of the order table.

use crate::base::{AccountId, ClientId, ParentId, Qty, Side, StrategyId, Symbol, Token, VenueRef};
use crate::flow::action::{SellMark, Tags, TimeInForce};
use crate::flow::orders::{Origin, Report, Standing};
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
#[inline]
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
#[inline]
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

/// Why a message gave no report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoReport {
    /// Not a message of the protocol.
    Malformed(Malformed),
    /// A message of this type with a field that can't be.
    BadField(u8),
}

/// Reads one outbound message. A report of [`Report::Queried`] still lacks what it settles, 0.
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
                symbol: Symbol($m.symbol),
                side: side_of($m.side)?,
                mark: mark_of($m.side, $appendage),
                qty: $m.quantity.get(),
                price: price_of($m.price)?,
                tif: tif_of($m.time_in_force),
                display: $m.display.0,
                venue_ref: $m.order_reference.get(),
                live: $m.order_state != ouch50::OrderState::DEAD,
            }
        };
    }
    Ok(match Outbound::decode(message).map_err(NoReport::Malformed)? {
        Outbound::SystemEvent(m) => Report::SystemEvent { code: m.event.0 },
        Outbound::OrderAccepted(m, appendage) => Report::Accepted(standing!(m, appendage)),
        Outbound::OrderReplaced(m, appendage) => {
            Report::Replaced { orig: token_of(m.orig_user_ref_num), now: standing!(m, appendage) }
        }
        Outbound::OrderCanceled(m, _) => {
            Report::Canceled { token: token_of(m.user_ref_num), decrement: m.quantity.get(), reason: m.reason.0 }
        }
        Outbound::AiqCanceled(m, _, _) => Report::AiqCanceled {
            token: token_of(m.user_ref_num),
            decrement: m.decrement.get(),
            reason: m.reason.0,
            prevented: m.prevented.get(),
            price: price_of(m.price)?,
            liquidity: m.liquidity.0,
        },
        Outbound::OrderExecuted(m, _) => Report::Executed {
            token: token_of(m.user_ref_num),
            qty: m.quantity.get(),
            price: price_of(m.price)?,
            liquidity: m.liquidity.0,
            trade: m.match_number.get().0,
        },
        Outbound::BrokenTrade(m, _) => {
            Report::Broken { token: token_of(m.user_ref_num), trade: m.match_number.get().0, reason: m.reason.0 }
        }
        Outbound::TradeCorrection(m) => Report::Corrected {
            token: token_of(m.user_ref_num),
            qty: m.quantity.get(),
            price: price_of(m.price)?,
            liquidity: m.liquidity.0,
            trade: m.match_number.get().0,
            reason: m.reason.0,
        },
        Outbound::Rejected(m, _) => Report::Rejected { token: token_of(m.user_ref_num), reason: m.reason.get().0 },
        Outbound::CancelPending(m, _) => Report::CancelPending { token: token_of(m.user_ref_num) },
        Outbound::CancelReject(m, _) => Report::CancelRejected { token: token_of(m.user_ref_num) },
        Outbound::OrderPriorityUpdate(m, _) => Report::PriorityUpdated {
            token: token_of(m.user_ref_num),
            price: price_of(m.price)?,
            display: m.display.0,
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
            Report::Restated { token: token_of(m.user_ref_num), reason: m.reason.0, displayed, qty, price }
        }
        Outbound::MassCancelResponse(m, _) => Report::MassCancelled {
            token: token_of(m.user_ref_num),
            symbol: (m.symbol != *b"        ").then_some(Symbol(m.symbol)),
        },
        Outbound::DisableResponse(m, _) => Report::EntryDisabled { token: token_of(m.user_ref_num) },
        Outbound::EnableResponse(m, _) => Report::EntryEnabled { token: token_of(m.user_ref_num) },
        Outbound::AccountQueryResponse(m, _) => {
            Report::Queried { next: token_of(m.next_user_ref_num), unused: None, settled: 0 }
        }
    })
}
