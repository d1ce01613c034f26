//! What a venue may do to its clients' reckoning within the letter of its specification, and seldom does: fills that
//! are told late, told twice, orders that cannot be cancelled for a while. Only for tests.

use super::{Desk, Fill, OrderKey, OrderState, Port};
use crate::rng::Rng;
use crate::venue::market::{CancelReason, Liquidity};
use firelane_gateway::base::{ExchangeTime, Price};

/// A trick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// Shares that an order was told had been cancelled turn out to have traded.
    FillLate,
    /// A fill is told again.
    RepeatFill,
    /// Live orders stand as if late for a cross, they can be neither replaced nor cancelled; new ones are refused.
    Hold,
    /// They can again, and what was to be cancelled is.
    LetGo,
}

/// Only so many of the latest orders are looked at: a client may have forgotten older ones.
const LATEST: usize = 40;
/// Trades of nobody but the port have numbers above all others.
const LATE_TRADES: u64 = 1 << 40;

impl Port {
    /// Plays a trick. False: there was no occasion.
    pub(in crate::venue) fn trick(&mut self, desk: &mut Desk<'_>, trick: Trick, rng: &mut Rng) -> bool {
        match trick {
            Trick::FillLate => self.fill_late(desk.now, rng),
            Trick::RepeatFill => self.repeat_fill(desk.now, rng),
            Trick::Hold => {
                self.held = true;
                true
            }
            Trick::LetGo => {
                self.let_go(desk);
                true
            }
        }
    }

    fn fill_late(&mut self, now: ExchangeTime, rng: &mut Rng) -> bool {
        // What a replacement has taken over it may still trade: a fill of that under the number before would be more than
        // was asked for, which no venue may do.
        let known = |key: OrderKey| match self.orders[&key].state {
            OrderState::Live | OrderState::Replaced(_) => None,
            OrderState::Done => Some(self.orders[&key].canceled),
        };
        let latest = self.orders.keys().rev().take(LATEST).copied();
        let late: Vec<(OrderKey, u32)> =
            latest.filter_map(|key| known(key).filter(|shares| *shares > 0).map(|shares| (key, shares))).collect();
        if late.is_empty() {
            return false;
        }
        let (key, most) = late[rng.index(late.len())];
        let shares = u32::try_from(rng.between(1, most.into())).unwrap_or(1);
        let Some(record) = self.orders.get_mut(&key) else { return false };
        record.executed += shares;
        record.late += shares;
        let terms = (record.terms.side, record.terms.symbol, record.terms.limit.unwrap_or(Price(1)));
        let (side, symbol, price) = terms;
        record.canceled -= shares;
        let signed = side.of_market().map_or(0, |side| side.sign()) * i64::from(shares);
        let trade = LATE_TRADES + self.fills.len() as u64;
        let liquidity = Liquidity::Added;
        let fill = Fill { order: key, trade, symbol, shares: signed, price, liquidity, broken: false };
        self.answers.executed(now, &fill);
        self.fills.push(fill);
        true
    }

    fn repeat_fill(&mut self, now: ExchangeTime, rng: &mut Rng) -> bool {
        let latest = self.fills.len().saturating_sub(LATEST);
        let told = &self.fills[latest..];
        // A client that has forgotten the order has forgotten the fill.
        let remembered = |fill: &&Fill| self.orders.keys().rev().take(LATEST).any(|key| *key == fill.order);
        let told: Vec<Fill> = told.iter().filter(remembered).copied().collect();
        if told.is_empty() {
            return false;
        }
        let fill = told[rng.index(told.len())];
        let replaced = |key| matches!(self.orders[&key].state, OrderState::Replaced(_));
        match self.orders[&fill.order].state {
            OrderState::Replaced(next) if replaced(next) => return false,
            _ => {}
        }
        self.answers.executed(now, &fill);
        true
    }

    fn let_go(&mut self, desk: &mut Desk<'_>) {
        self.held = false;
        for record in self.orders.values_mut() {
            if record.state == OrderState::Live && record.cancel_pending {
                let _ = desk.market.reduce(desk.now, record.reference, 0, CancelReason::User, desk.effects);
            }
            record.cancel_refused = false;
        }
    }
}
