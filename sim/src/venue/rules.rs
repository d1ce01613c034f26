//! What OUCH asks of a request, and the arithmetic of its quantities. Pure: a request and a port's configuration in,
//! the order's terms or a reason out. Rules are those of "OUCH 5.0".

use super::engine::HIGHEST_PRICE;
use super::market::{CrossKind, Life, NewOrder, Owner, Prevention, Refusal, SelfMatch};
use firelane_gateway::base::{Price, Symbol};
use firelane_gateway::flow::wire::ouch50::{
    AiqStrategy, Appendage, AppendageOption, Capacity, CrossType, Display, EnterOrder, InterMarketSweep, RejectReason,
    ReplaceOrder, Side, TimeInForce, WirePrice,
};
use std::collections::BTreeMap;

/// The most shares of an order, and of a chain of replaces ("Quantity").
pub const MOST_SHARES: u32 = 999_999;

/// Seconds of a day: a time limit must be shorter (tag 15).
const DAY_SECONDS: u32 = 86_400;

/// What the holder of a port may do, and what holds where a request says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entitlements {
    /// Firms that may be named; the first is the account's default. Orders of any other are rejected.
    pub firms: Vec<[u8; 4]>,
    /// Name of the organisation that the firms belong to, for self-match prevention at that level.
    pub organization: [u8; 4],
    /// Name of its affiliation, likewise.
    pub affiliate: [u8; 4],
    /// Self-match prevention of an order that names none.
    pub aiq: AiqStrategy,
    /// May orders live beyond market hours? If not, the venue shortens their time in force.
    pub extended_hours: bool,
    /// Must a short sale say that its shares are located?
    pub locate_required: bool,
}

impl Entitlements {
    /// One firm, no self-match prevention, all hours, no locates asked for.
    #[must_use]
    pub fn new(firm: [u8; 4]) -> Self {
        Entitlements {
            firms: vec![firm],
            organization: firm,
            affiliate: firm,
            aiq: AiqStrategy::DISABLED,
            extended_hours: true,
            locate_required: false,
        }
    }
}

/// An order's terms as the port's answers repeat them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// Side, with the kind of sale.
    pub side: Side,
    /// Symbol.
    pub symbol: Symbol,
    /// Limit; `None` is a market order for a cross.
    pub limit: Option<Price>,
    /// Time in force.
    pub time_in_force: TimeInForce,
    /// Display.
    pub display: Display,
    /// Capacity.
    pub capacity: Capacity,
    /// Intermarket sweep eligibility.
    pub inter_market_sweep: InterMarketSweep,
    /// Cross type.
    pub cross_type: CrossType,
    /// The client's own text.
    pub cl_ord_id: [u8; 14],
    /// Firm.
    pub firm: [u8; 4],
    /// Group, for mass cancels; 0 is none.
    pub group: u16,
    /// Must not take liquidity.
    pub post_only: bool,
    /// Self-match prevention.
    pub aiq: AiqStrategy,
    /// Self-match prevention group.
    pub aiq_group: [u8; 2],
    /// Seconds to live, for orders with a time limit.
    pub expire_seconds: Option<u32>,
    /// Options that the answer repeats, by tag.
    pub echoed: BTreeMap<u8, Vec<u8>>,
}

/// Shares that count against a chain of replaces besides the open ones.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Spent {
    /// Executed.
    pub executed: u32,
    /// Taken off by self-match prevention.
    pub prevented: u32,
}

/// Open shares of a replacement: its quantity is the liability of the whole chain, executed and self-match
/// decremented shares included ("U quantity"). `None` when nothing would be left open.
#[must_use]
pub fn open_after_replace(quantity: u32, spent: Spent) -> Option<u32> {
    quantity.checked_sub(spent.executed)?.checked_sub(spent.prevented).filter(|open| *open > 0)
}

/// Open shares after a cancel or modify: its quantity is the most that the order may execute in total
/// ("X quantity").
#[must_use]
pub fn open_after_cancel(open: u32, quantity: u32, spent: Spent) -> u32 {
    open.min(quantity.saturating_sub(spent.executed))
}

/// May a sale of one kind become one of the other? ("M": S, T and E interchange.)
#[must_use]
pub fn interchangeable(from: Side, to: Side) -> bool {
    let sale = |side| matches!(side, Side::SELL | Side::SELL_SHORT | Side::SELL_SHORT_EXEMPT);
    from == to || (sale(from) && sale(to))
}

/// The terms of a new order.
///
/// # Errors
/// Why it is rejected.
pub fn enter(may: &Entitlements, request: &EnterOrder, appendage: Appendage<'_>) -> Result<Terms, RejectReason> {
    if request.side.of_market().is_none() {
        return Err(RejectReason::INVALID_SIDE);
    }
    check_quantity(request.quantity.shares())?;
    if !Capacity::LISTED.contains(&request.capacity) {
        return Err(RejectReason::OTHER);
    }
    if cross_kind(request.cross_type).is_none() && request.cross_type != CrossType::CONTINUOUS {
        return Err(RejectReason::INVALID_CROSS_ORDER);
    }
    let mut terms = Terms {
        side: request.side,
        symbol: Symbol(request.symbol),
        limit: limit(request.price, request.cross_type)?,
        time_in_force: request.time_in_force,
        display: request.display,
        capacity: request.capacity,
        inter_market_sweep: request.inter_market_sweep,
        cross_type: request.cross_type,
        cl_ord_id: request.cl_ord_id,
        firm: may.firms.first().copied().unwrap_or(*b"    "),
        group: 0,
        post_only: false,
        aiq: may.aiq,
        aiq_group: *b"  ",
        expire_seconds: None,
        echoed: BTreeMap::new(),
    };
    let located = terms.apply(may, appendage, Request::Enter)?;
    terms.check(may, located)?;
    Ok(terms)
}

/// The terms of a replacement: what the request says, and for the rest what the original had.
///
/// # Errors
/// What is invalid about it: the original is then killed.
pub fn replace(
    may: &Entitlements,
    original: &Terms,
    request: &ReplaceOrder,
    appendage: Appendage<'_>,
) -> Result<Terms, RejectReason> {
    check_quantity(request.quantity.shares())?;
    if request.time_in_force == TimeInForce::AFTER_HOURS {
        return Err(RejectReason::OTHER);
    }
    let mut terms = Terms {
        limit: limit(request.price, original.cross_type)?,
        time_in_force: request.time_in_force,
        display: request.display,
        inter_market_sweep: request.inter_market_sweep,
        cl_ord_id: request.cl_ord_id,
        ..original.clone()
    };
    let located = terms.apply(may, appendage, Request::Replace)?;
    if !interchangeable(original.side, terms.side) {
        return Err(RejectReason::INVALID_SIDE);
    }
    terms.check(may, located)?;
    Ok(terms)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    Enter,
    Replace,
}

fn check_quantity(shares: u32) -> Result<(), RejectReason> {
    if (1..=MOST_SHARES).contains(&shares) { Ok(()) } else { Err(RejectReason::INVALID_QUANTITY) }
}

/// A market order is for a cross only ("Price").
fn limit(price: WirePrice, cross_type: CrossType) -> Result<Option<Price>, RejectReason> {
    match price.get() {
        _ if price.is_market() && cross_type != CrossType::CONTINUOUS => Ok(None),
        Some(price) if price.0 > 0 && price <= HIGHEST_PRICE => Ok(Some(price)),
        _ => Err(RejectReason::INVALID_PRICE),
    }
}

fn cross_kind(cross_type: CrossType) -> Option<CrossKind> {
    match cross_type {
        CrossType::OPEN => Some(CrossKind::Open),
        CrossType::CLOSE => Some(CrossKind::Close),
        CrossType::HALT => Some(CrossKind::Halt),
        _ => None,
    }
}

impl Terms {
    /// Reads the options. Those of other tags, and of tags that are not for this request, are skipped. Says whether
    /// the shares of a short sale are located, which a replacement does not inherit.
    fn apply(&mut self, may: &Entitlements, appendage: Appendage<'_>, request: Request) -> Result<bool, RejectReason> {
        let mut located = false;
        for (tag, value) in appendage {
            let Some(option) = AppendageOption::parse(tag, value).map_err(|_| RejectReason::OTHER)? else { continue };
            match option {
                // Inherited by a replacement, whatever it says ("U effect").
                AppendageOption::Firm(_) | AppendageOption::GroupId(_) if request == Request::Replace => continue,
                AppendageOption::Firm(firm) if may.firms.contains(&firm) => self.firm = firm,
                AppendageOption::Firm(_) => return Err(RejectReason::FIRM_NOT_AUTHORIZED),
                AppendageOption::GroupId(group) => self.group = group,
                AppendageOption::Side(side) if request == Request::Replace => self.side = side,
                AppendageOption::PostOnly(b'P') => self.post_only = true,
                AppendageOption::PostOnly(b'N') => self.post_only = false,
                AppendageOption::ExpireTime(seconds) => self.expire_seconds = Some(seconds),
                AppendageOption::AiqStrategy(AiqStrategy::PORT_DEFAULT) => self.aiq = may.aiq,
                AppendageOption::AiqStrategy(aiq) => self.aiq = aiq,
                AppendageOption::AiqGroupId(group) => self.aiq_group = group,
                AppendageOption::SharesLocated(flag) => located = flag == b'Y',
                // This venue has no pegs, reserves, discretion, minimum quantities, routing or retail programme:
                // it says so, rather than take such an order for a plain one.
                AppendageOption::MinQty(0)
                | AppendageOption::MaxFloor(0)
                | AppendageOption::PriceType(b'L')
                | AppendageOption::PegOffset(0)
                | AppendageOption::DiscretionPrice(0)
                | AppendageOption::DiscretionPriceType(b'L')
                | AppendageOption::DiscretionPegOffset(0)
                | AppendageOption::RandomReserves(0)
                | AppendageOption::HandleInst(b' ')
                | AppendageOption::CustomerType(b'R' | b'N')
                | AppendageOption::TradeNow(b'Y' | b'N')
                | AppendageOption::LocateBroker(_)
                | AppendageOption::UserRefIdx(_) => {}
                AppendageOption::MinQty(_) => return Err(RejectReason::INVALID_MIN_QUANTITY),
                AppendageOption::MaxFloor(_) | AppendageOption::RandomReserves(_) => {
                    return Err(RejectReason::INVALID_MAX_FLOOR);
                }
                AppendageOption::PriceType(_) => return Err(RejectReason::PEGGING_NOT_ALLOWED),
                AppendageOption::PegOffset(_) => return Err(RejectReason::INVALID_PEG_TYPE),
                AppendageOption::Route(_) => return Err(RejectReason::ROUTING_NOT_ALLOWED),
                AppendageOption::HandleInst(_) => return Err(RejectReason::RETAIL_NOT_ALLOWED),
                AppendageOption::DiscretionPrice(_)
                | AppendageOption::DiscretionPriceType(_)
                | AppendageOption::DiscretionPegOffset(_)
                | AppendageOption::CustomerType(_)
                | AppendageOption::TradeNow(_)
                | AppendageOption::PostOnly(_) => return Err(RejectReason::OTHER),
                // Not for these requests: skipped, as an unknown tag is.
                AppendageOption::SecondaryOrdRefNum(_)
                | AppendageOption::BboWeight(_)
                | AppendageOption::DisplayQuantity(_)
                | AppendageOption::DisplayPrice(_)
                | AppendageOption::Side(_) => continue,
            }
            // Shares Located, Locate Broker and Side are not in the answer; the channel is added to each answer.
            if !matches!(tag, 25..=28) {
                self.echoed.insert(tag, value.to_vec());
            }
        }
        Ok(located)
    }

    /// What can only be judged with all options known.
    fn check(&mut self, may: &Entitlements, located: bool) -> Result<(), RejectReason> {
        if !matches!(self.display, Display::VISIBLE | Display::HIDDEN | Display::ATTRIBUTABLE) {
            return Err(RejectReason::INVALID_DISPLAY);
        }
        if !InterMarketSweep::LISTED.contains(&self.inter_market_sweep) {
            return Err(RejectReason::ISO_NOT_ALLOWED);
        }
        let timed = self.time_in_force == TimeInForce::GTT;
        let good_time = self.expire_seconds.is_some_and(|seconds| (1..DAY_SECONDS).contains(&seconds));
        if !TimeInForce::LISTED.contains(&self.time_in_force) || (timed && !good_time) {
            return Err(RejectReason::OTHER);
        }
        let for_cross = self.cross_type != CrossType::CONTINUOUS;
        if for_cross && (!matches!(self.time_in_force, TimeInForce::DAY | TimeInForce::IOC) || self.post_only) {
            return Err(RejectReason::INVALID_CROSS_ORDER);
        }
        if !matches!(self.aiq, AiqStrategy::DISABLED) && strategy(self.aiq).is_none() {
            return Err(RejectReason::INVALID_AIQ);
        }
        if may.locate_required && self.side == Side::SELL_SHORT && !located {
            return Err(RejectReason::RISK_LOCATE_REQUIRED);
        }
        // The venue may shorten a time in force ("O": TIF equal or shorter).
        if self.time_in_force == TimeInForce::GTX && !may.extended_hours {
            self.time_in_force = TimeInForce::DAY;
        }
        Ok(())
    }

    /// Does it have a time limit of its own?
    #[must_use]
    pub fn is_timed(&self) -> bool {
        self.time_in_force == TimeInForce::GTT
    }

    /// The order as a market takes it.
    #[must_use]
    pub fn order(&self, may: &Entitlements, owner: Owner, shares: u32) -> NewOrder {
        let self_match = strategy(self.aiq).map(|(level, action)| {
            let name = match level {
                b'F' => self.firm,
                b'O' => may.organization,
                _ => may.affiliate,
            };
            SelfMatch { house: (level, name, self.aiq_group), action }
        });
        NewOrder {
            owner: Some(owner),
            symbol: self.symbol,
            side: self.side.of_market().expect("checked when the terms were made"),
            short: self.side == Side::SELL_SHORT,
            shares,
            limit: self.limit,
            life: match self.time_in_force {
                TimeInForce::IOC => Life::Immediate,
                TimeInForce::GTX => Life::Extended,
                TimeInForce::AFTER_HOURS => Life::AfterHours,
                _ => Life::Day,
            },
            hidden: self.display == Display::HIDDEN,
            attributed: (self.display == Display::ATTRIBUTABLE).then_some(self.firm),
            post_only: self.post_only,
            cross: cross_kind(self.cross_type),
            self_match,
        }
    }
}

/// Level and action of a self-match prevention strategy; `None` for one that this venue does not have.
fn strategy(aiq: AiqStrategy) -> Option<(u8, Option<Prevention>)> {
    let (level, letters) = match aiq.0 {
        b'Y' | b'D' | b'O' | b'W' | b'R' => (b'F', *b"YDOWR"),
        b'y' | b'd' | b'o' | b'w' | b'r' => (b'O', *b"ydowr"),
        b'Z' | b'E' | b'P' | b'X' | b'S' => (b'A', *b"ZEPXS"),
        _ => return None,
    };
    let action = match letters.iter().position(|letter| *letter == aiq.0)? {
        0 => Some(Prevention::DecrementBothPlain),
        1 => Some(Prevention::DecrementBoth),
        2 => Some(Prevention::CancelOldest),
        3 => Some(Prevention::CancelNewest),
        _ => None,
    };
    Some((level, action))
}

/// How a market's refusal of a new order is told.
#[must_use]
pub fn reject_reason(refusal: Refusal, cross_type: CrossType) -> RejectReason {
    match refusal {
        Refusal::UnknownSymbol => RejectReason::INVALID_SYMBOL,
        Refusal::Halted => RejectReason::HALTED,
        Refusal::Closed => RejectReason::DESTINATION_CLOSED,
        Refusal::Invalid => RejectReason::INVALID_PRICE,
        Refusal::ShortSaleRestricted => RejectReason::RISK_SHORT_SELL_RESTRICTED,
        Refusal::LateForCross if cross_type == CrossType::CLOSE => RejectReason::LATE_LOC_TOO_AGGRESSIVE,
        Refusal::LateForCross => RejectReason::INVALID_CROSS_ORDER,
        Refusal::UnknownOrder => RejectReason::OTHER,
    }
}
