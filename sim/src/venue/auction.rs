//! The price of a cross: one price, the largest volume, the smallest imbalance.

use super::book::Order;
use firelane_gateway::base::{Price, Side, VenueRef};

/// How an auction ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Uncrossed {
    /// The one price; 0 when nothing trades.
    pub price: Price,
    /// Shares that trade on each side.
    pub shares: u64,
    /// The orders that trade, buyers first, each side by priority, with their shares.
    pub fills: Vec<(VenueRef, Order, u32)>,
}

/// Finds the price at which the most shares trade; of equal ones that with the smallest imbalance, then the nearest
/// to `reference`, then the lowest. Orders without a limit trade at any price, but somebody must name one.
#[must_use]
pub fn uncross(interest: &[(VenueRef, Order)], reference: Option<Price>) -> Uncrossed {
    let none = Uncrossed { price: Price(0), shares: 0, fills: Vec::new() };
    let mut prices: Vec<Price> = interest.iter().filter_map(|(_, order)| order.limit).chain(reference).collect();
    prices.sort_unstable();
    prices.dedup();
    let volume = |side: Side, price: Price| -> u64 {
        let willing = interest.iter().filter(|(_, o)| o.side == side && is_willing(o, price));
        willing.map(|(_, o)| u64::from(o.open)).sum()
    };
    let best = prices.into_iter().max_by_key(|price| {
        let (bought, sold) = (volume(Side::Buy, *price), volume(Side::Sell, *price));
        let away = reference.map_or(0, |r| price.above(r).unsigned_abs());
        (bought.min(sold), std::cmp::Reverse((bought.abs_diff(sold), away, *price)))
    });
    let Some(price) = best else { return none };
    let shares = volume(Side::Buy, price).min(volume(Side::Sell, price));
    if shares == 0 {
        return none;
    }
    let mut fills = Vec::new();
    for side in [Side::Buy, Side::Sell] {
        let mut queue: Vec<_> = interest.iter().filter(|(_, o)| o.side == side && is_willing(o, price)).collect();
        // Market orders first, then the better limit, displayed before hidden, then time.
        queue.sort_unstable_by_key(|(reference, o)| {
            let eagerness = o.limit.map(|limit| -side.sign() * limit.0);
            (eagerness.is_some(), eagerness, o.hidden, *reference)
        });
        let mut left = shares;
        for (reference, order) in queue {
            let part = left.min(u64::from(order.open));
            if part > 0 {
                fills.push((*reference, *order, u32::try_from(part).expect("at most the open shares of one order")));
            }
            left -= part;
        }
    }
    Uncrossed { price, shares, fills }
}

fn is_willing(order: &Order, price: Price) -> bool {
    order.limit.is_none_or(|limit| order.side.crosses(limit, price))
}
