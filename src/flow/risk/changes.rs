//! Limits that are changed while the lane runs. Each is judged as the configuration judges it; nothing is changed when one
//! is out of its range.
//!
//! A limit that is lowered below what is there already refuses what would add to it, and nothing else: a position over its
//! limit can be reduced, and what rests rests. Only the limits on an order's own size and value are asked of each order as
//! it comes, so that a larger one cannot be replaced but by one within them; it can be cancelled, in part too.

use super::gate::Gate;
use super::limits::{InstrumentLimits, RiskLimits, ShortSale};
use crate::base::{InstrumentId, Notional, OutOfRange, Qty, StrategyId};

/// Other limits for an instrument. What is `None` stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LimitChange {
    /// See [`InstrumentLimits::max_order_qty`].
    pub order_qty: Option<Qty>,
    /// See [`InstrumentLimits::max_order_notional`].
    pub order_notional: Option<Notional>,
    /// See [`InstrumentLimits::max_position`].
    pub position: Option<Qty>,
    /// See [`InstrumentLimits::max_open`].
    pub open: Option<Notional>,
    /// See [`InstrumentLimits::short`].
    pub short: Option<ShortSale>,
}

/// Other limits for the lane. What is `None` stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct LaneLimitChange {
    /// See [`RiskLimits::max_total_open`].
    pub total_open: Option<Notional>,
    /// See [`RiskLimits::orders_per_second`].
    pub orders_per_second: Option<u32>,
    /// See [`RiskLimits::burst`].
    pub burst: Option<u32>,
}

/// Beyond every real position and its cost, and yet so small that the sums of many can't overflow.
const MOST_SHARES: i64 = 1 << 40;
const MOST_COST: i128 = 1 << 100;

impl Gate {
    /// Changes limits of an instrument.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first limit out of its range, or the instrument; nothing is changed then.
    pub fn change_limits(&mut self, instrument: InstrumentId, change: &LimitChange) -> Result<(), OutOfRange> {
        let LimitChange { order_qty, order_notional, position, open, short } = *change;
        let now = self.limits_of(instrument);
        let limits = InstrumentLimits {
            max_order_qty: order_qty.unwrap_or(now.max_order_qty),
            max_order_notional: order_notional.unwrap_or(now.max_order_notional),
            max_position: position.unwrap_or(now.max_position),
            max_open: open.unwrap_or(now.max_open),
            short: short.unwrap_or(now.short),
            ..now
        };
        self.set_limits(instrument, limits)
    }

    /// Changes limits of the lane. The order rate keeps what is spent of it.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first limit out of its range; nothing is changed then.
    pub fn change_lane_limits(&mut self, change: &LaneLimitChange) -> Result<(), OutOfRange> {
        let LaneLimitChange { total_open, orders_per_second, burst } = *change;
        let limits = RiskLimits {
            max_total_open: total_open.unwrap_or(self.limits.max_total_open),
            orders_per_second: orders_per_second.unwrap_or(self.limits.orders_per_second),
            burst: burst.unwrap_or(self.limits.burst),
            ..self.limits
        };
        limits.check()?;
        OutOfRange::unless(
            limits.most_recent() <= self.recent.places(),
            "risk.orders_per_second and risk.burst",
            "so low that within risk.duplicate_window no more orders leave than with the configured ones",
        )?;
        self.limits = limits;
        self.throttle.follow(&limits);
        Ok(())
    }

    /// Brings in a position, as [`carry_in`](Self::carry_in), if it is one that can be.
    ///
    /// # Errors
    /// [`OutOfRange`]; nothing is changed then.
    pub fn try_carry_in(
        &mut self,
        instrument: InstrumentId,
        strategy: Option<StrategyId>,
        shares: Qty,
        cost: Notional,
    ) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        unless((-MOST_SHARES..=MOST_SHARES).contains(&shares.0), "carry-in.shares", "-2^40 to 2^40")?;
        unless((-MOST_COST..=MOST_COST).contains(&cost.0), "carry-in.cost", "-2^100 to 2^100")?;
        let account = self.ledger().account(instrument);
        let position = account.position.0.saturating_add(shares.0);
        let allowed = "so small that the position with it is within -2^40 to 2^40";
        unless((-MOST_SHARES..=MOST_SHARES).contains(&position), "carry-in.shares", allowed)?;
        let cash = account.cash.0.saturating_sub(cost.0);
        let allowed = "so small that the cash with it is within -2^100 to 2^100";
        unless((-MOST_COST..=MOST_COST).contains(&cash), "carry-in.cost", allowed)?;
        self.carry_in(instrument, strategy, shares, cost);
        Ok(())
    }
}
