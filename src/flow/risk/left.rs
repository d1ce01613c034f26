//! What the gate would still let out, for whoever plans ahead. The gate itself judges each order as it comes.

use super::gate::Gate;
use super::limits::{ShortSale, ZeroCross};
use crate::base::{Instrument, InstrumentId, Mono, Notional, Qty, Side};

/// How far the limits would let one new order of a side go, at this moment. What depends on its price (collars, the price
/// test on short sales, own orders that it would meet) and on the market is not in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Left {
    /// The most shares: by the limit on an order, by the position if everything open on this side executed, and for a
    /// sale by what is held and what may be sold short. Lots are not looked at.
    pub qty: Qty,
    /// The most that it may be worth, in the instrument's units of its currency: by the limits on an order, on what is open
    /// in the instrument, in the currency, and in the lane.
    pub notional: Notional,
    /// How many enters and replaces the order rate lets out now (a sale in two parts takes two).
    pub rate: u32,
    /// For how many more orders there is room (likewise).
    pub orders: u32,
}

impl Gate {
    /// What it would let out in an instrument with this row. Nothing while the kill switch is thrown, and in a currency
    /// without a rate. `room`: for how many more orders there is room.
    #[must_use]
    pub fn left(&self, (instrument, row): (InstrumentId, &Instrument), side: Side, now: Mono, room: u32) -> Left {
        if self.is_killed() || instrument.0 as usize >= self.instruments() {
            return Left::default();
        }
        let Ok(place) = self.ledger().place(row) else { return Left::default() };
        let (limits, account) = (self.limits_of(instrument), self.ledger().account(instrument));
        let used = account.buys.notional.plus(account.sells.notional).and_then(|used| place.money(used));
        let most = place.limit(limits.max_open, limits.money);
        let open = used.and_then(|used| most.minus(used)).unwrap_or(Notional::ZERO).max(Notional::ZERO);
        let total = self.ledger().money().left(&place, self.limits().max_total_open);
        let order = place.limit(limits.max_order_notional, limits.money);
        let held = i128::from(account.position.0).saturating_mul(side.sign().into());
        let more = i128::from(limits.max_position.0)
            .saturating_sub(held)
            .saturating_sub(account.open(side).qty.0.into())
            .clamp(0, i64::MAX.into());
        let most = limits.max_order_qty.min(Qty(i64::try_from(more).unwrap_or(0)));
        let sold = || {
            let long = account.long_available();
            let short = match limits.short {
                ShortSale::Forbidden => Qty::ZERO,
                ShortSale::Located => Qty(limits.locates.minus(account.located()).0.max(0)),
                ShortSale::MarketMaker => Qty(i64::MAX),
            };
            let whole = long.is_positive() && limits.zero_cross == ZeroCross::Refuse;
            if whole { long } else { long.plus(short) }
        };
        Left {
            qty: if side == Side::Sell { most.min(sold()) } else { most },
            notional: place.amount(order.min(open).min(total)),
            rate: self.rate_left(now),
            orders: room,
        }
    }
}
