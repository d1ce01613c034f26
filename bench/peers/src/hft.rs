//! The market depths of `hftbacktest`, which hold orders of level 3.

use crate::Book;
use firelane_contest::itch::Event;
use firelane_contest::{Digest, Side};
use hftbacktest::depth::{BTreeMarketDepth, HashMapMarketDepth, L3MarketDepth, ROIVectorMarketDepth};
use hftbacktest::types::Side as HftSide;
use std::collections::BTreeSet;

/// A cent: it walks from tick to tick for the next best price.
pub(crate) const TICK: f64 = 0.01;
/// Highest price of the one that keeps a vector.
pub(crate) const HIGHEST: f64 = 2_000.0;
/// What that means.
pub(crate) const RANGE: &str = "prices above 2,000 dollars";

/// One of them.
pub(crate) struct Depth<D>(D);

pub(crate) fn hash() -> Depth<HashMapMarketDepth> {
    Depth(HashMapMarketDepth::new(TICK, 1.0))
}

pub(crate) fn btree() -> Depth<BTreeMarketDepth> {
    Depth(BTreeMarketDepth::new(TICK, 1.0))
}

pub(crate) fn roi() -> Depth<ROIVectorMarketDepth> {
    Depth(ROIVectorMarketDepth::new(TICK, 1.0, 0.0, HIGHEST))
}

fn price(wire: u32) -> f64 {
    f64::from(wire) / 10_000.0
}

impl<D: L3MarketDepth> Book for Depth<D> {
    #[inline]
    fn apply(&mut self, event: Event) -> bool {
        match event {
            Event::Add { order, side: Side::Bid, shares, price: at } => {
                self.0.add_buy_order(order, price(at), shares.into(), 0).is_ok()
            }
            Event::Add { order, side: Side::Ask, shares, price: at } => {
                self.0.add_sell_order(order, price(at), shares.into(), 0).is_ok()
            }
            Event::Reduce { order, shares } => {
                let Some(one) = self.0.orders().get(&order) else { return false };
                let (left, at) = (one.qty - f64::from(shares), one.price_tick as f64 * TICK);
                if left > 0.0 {
                    self.0.modify_order(order, at, left, 0).is_ok()
                } else {
                    self.0.delete_order(order, 0).is_ok()
                }
            }
            Event::Delete { order } => self.0.delete_order(order, 0).is_ok(),
            Event::Replace { order, new, shares, price: at } => match self.0.delete_order(order, 0) {
                Ok((HftSide::Buy, ..)) => self.0.add_buy_order(new, price(at), shares.into(), 0).is_ok(),
                Ok(_) => self.0.add_sell_order(new, price(at), shares.into(), 0).is_ok(),
                Err(_) => false,
            },
        }
    }

    fn levels(&self, locate: u16, digest: &mut Digest) {
        levels(&self.0, locate, digest);
    }
}

/// The levels of a depth into the digest.
pub(crate) fn levels(depth: &impl L3MarketDepth, locate: u16, digest: &mut Digest) {
    let orders = depth.orders().values();
    let ticks: BTreeSet<(bool, i64)> = orders.map(|one| (one.side == HftSide::Buy, one.price_tick)).collect();
    for (buy, tick) in ticks {
        let (side, shares) = match buy {
            true => (Side::Bid, depth.bid_qty_at_tick(tick)),
            false => (Side::Ask, depth.ask_qty_at_tick(tick)),
        };
        digest.add_level(locate, side, tick.unsigned_abs() * 100, shares.round() as u64);
    }
}
