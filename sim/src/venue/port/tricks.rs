//! What a venue may do to its clients' reckoning within the letter of its specification, and seldom does: fills that
//! are told late, told twice, orders that cannot be cancelled for a while. Only for tests.

use super::{Desk, Fill, OrderKey, OrderState, Port};
use crate::rng::Rng;
use crate::venue::market::{CancelReason, Liquidity};
use firelane_gateway::base::{ExchangeTime, Price};

/// A trick.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trick {
    /// Shares that an order was told had been cancelled turn out to have traded, be it before a replacement took them over.
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
        let Some((key, told, most)) = self.pick_late(rng) else { return false };
        let shares = u32::try_from(rng.between(1, most.into())).unwrap_or(1);
        let Some(record) = self.orders.get_mut(&key) else { return false };
        record.canceled -= shares;
        if told != key {
            // What traded before was never taken over.
            record.entered -= shares;
            record.before.executed += shares;
            record.late += shares;
        }
        let Some(record) = self.orders.get_mut(&told) else { return false };
        record.executed += shares;
        if told != key {
            record.moved -= shares;
        }
        let terms = &record.terms;
        let signed = terms.side.of_market().map_or(0, |side| side.sign()) * i64::from(shares);
        let fill = Fill {
            order: told,
            trade: LATE_TRADES + self.fills.len() as u64,
            symbol: terms.symbol,
            shares: signed,
            price: terms.limit.unwrap_or(Price(1)),
            liquidity: Liquidity::Added,
            broken: false,
        };
        self.answers.executed(now, &fill);
        self.fills.push(fill);
        true
    }

    /// An order that was told of cancelled shares, the number under which some of them may turn out to have traded, and how
    /// many. That is its own number only once it is done: under that, one that lives just executes. A client knows
    /// an order by the number before as well, and by none before that.
    fn pick_late(&self, rng: &mut Rng) -> Option<(OrderKey, OrderKey, u32)> {
        let latest = self.orders.iter().rev().take(LATEST);
        let latest = latest.filter(|(_, record)| !matches!(record.state, OrderState::Replaced(_)));
        let late = latest.flat_map(|(key, record)| {
            let own = (record.state == OrderState::Done).then_some((*key, record.canceled));
            let before = record.replaces.map(|old| (old, record.canceled.min(self.orders[&old].moved)));
            let told = own.into_iter().chain(before).filter(|(_, shares)| *shares > 0);
            told.map(move |(told, shares)| (*key, told, shares))
        });
        let late: Vec<_> = late.collect();
        // Of an order that lives it is the rarer and the harder one.
        let lives: Vec<_> = late.iter().filter(|(key, ..)| self.orders[key].open > 0).copied().collect();
        let among = if lives.is_empty() || rng.coin() { late } else { lives };
        (!among.is_empty()).then(|| among[rng.index(among.len())])
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
