//! The venue's own order book: two sorted sets of ranks, and the orders by reference.
//!
//! It is written to be read, not to be fast: the key of the set *is* the priority rule, so that the order of
//! matching, of the snapshot and of any check is one and the same.

use super::announce::Shown;
use super::market::{CrossKind, Life, Owner, SelfMatch};
use firelane_gateway::base::{Price, Side, VenueRef};
use std::collections::{BTreeMap, BTreeSet};

/// The place of an order on its side: better price first, displayed before hidden, then the earlier reference.
/// References ascend in time and every loss of priority gives a new one, so a reference is a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Rank {
    /// The price, with its sign turned for bids.
    price: i64,
    hidden: bool,
    reference: VenueRef,
}

/// An order in the market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Whose; `None` for the background flow.
    pub owner: Option<Owner>,
    /// Side.
    pub side: Side,
    /// Its limit; `None` only while it waits for an auction, or trades on entry.
    pub limit: Option<Price>,
    /// Open shares.
    pub open: u32,
    /// Not displayed.
    pub hidden: bool,
    /// The name it shows.
    pub attributed: Option<[u8; 4]>,
    /// How long it may rest.
    pub life: Life,
    /// Self-match prevention.
    pub self_match: Option<SelfMatch>,
    /// The auction it waits for; `None` in the continuous book.
    pub cross: Option<CrossKind>,
}

/// All orders of one instrument.
#[derive(Debug, Default)]
pub struct Book {
    bids: BTreeSet<Rank>,
    asks: BTreeSet<Rank>,
    orders: BTreeMap<VenueRef, Order>,
}

impl Order {
    /// The order as the tape shows it; `None` when it is hidden or waits for an auction.
    #[must_use]
    pub fn shown(&self, reference: VenueRef) -> Option<Shown> {
        let price = self.limit.filter(|_| !self.hidden && self.cross.is_none())?;
        Some(Shown { reference, side: self.side, shares: self.open, price, attributed: self.attributed })
    }

    fn rank(&self, reference: VenueRef) -> Option<Rank> {
        let price = self.limit.filter(|_| self.cross.is_none())?;
        let price = match self.side {
            Side::Buy => -price.0,
            Side::Sell => price.0,
        };
        Some(Rank { price, hidden: self.hidden, reference })
    }
}

impl Book {
    fn side(&self, side: Side) -> &BTreeSet<Rank> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn side_mut(&mut self, side: Side) -> &mut BTreeSet<Rank> {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Adds an order with open shares, to the queue of its price or to its auction.
    pub fn insert(&mut self, reference: VenueRef, order: Order) {
        if let Some(rank) = order.rank(reference) {
            self.side_mut(order.side).insert(rank);
        }
        self.orders.insert(reference, order);
    }

    /// Takes an order out.
    pub fn remove(&mut self, reference: VenueRef) -> Option<Order> {
        let order = self.orders.remove(&reference)?;
        if let Some(rank) = order.rank(reference) {
            self.side_mut(order.side).remove(&rank);
        }
        Some(order)
    }

    /// Takes `shares` off an order, which keeps its place, or leaves when it has none left. Returns what is left.
    pub fn reduce(&mut self, reference: VenueRef, shares: u32) -> u32 {
        let Some(order) = self.orders.get_mut(&reference) else { return 0 };
        order.open -= shares;
        let left = order.open;
        if left == 0 {
            self.remove(reference);
        }
        left
    }

    /// One order.
    #[must_use]
    pub fn get(&self, reference: VenueRef) -> Option<&Order> {
        self.orders.get(&reference)
    }

    /// The order that trades first on a side of the continuous book.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<(VenueRef, Order)> {
        let reference = self.side(side).first()?.reference;
        Some((reference, *self.orders.get(&reference)?))
    }

    /// A side of the continuous book, in the order in which it trades.
    pub fn queue(&self, side: Side) -> impl Iterator<Item = (VenueRef, &Order)> {
        self.side(side).iter().filter_map(|rank| Some((rank.reference, self.orders.get(&rank.reference)?)))
    }

    /// Every order, those that wait for auctions too, by reference.
    pub fn all(&self) -> impl Iterator<Item = (VenueRef, &Order)> {
        self.orders.iter().map(|(reference, order)| (*reference, order))
    }

    /// Best displayed price of a side and the sum of its displayed shares.
    #[must_use]
    pub fn top(&self, side: Side) -> Option<(Price, u64)> {
        let mut displayed = self.queue(side).filter_map(|(reference, order)| order.shown(reference));
        let first = displayed.next()?;
        let others = displayed.take_while(|shown| shown.price == first.price);
        Some((first.price, u64::from(first.shares) + others.map(|shown| u64::from(shown.shares)).sum::<u64>()))
    }

    /// Could the best of both sides trade with each other?
    #[must_use]
    pub fn is_crossed(&self) -> bool {
        match (self.bids.first(), self.asks.first()) {
            (Some(bid), Some(ask)) => -bid.price >= ask.price,
            _ => false,
        }
    }

    /// What must always be true of a book by itself.
    ///
    /// # Errors
    /// What is not.
    pub fn check(&self) -> Result<(), String> {
        let ranked = self.bids.len() + self.asks.len();
        let resting = self.orders.values().filter(|order| order.cross.is_none()).count();
        if ranked != resting {
            return Err(format!("{ranked} ranks for {resting} resting orders"));
        }
        for (reference, order) in self.all() {
            let rank = order.rank(reference);
            if order.open == 0 {
                return Err(format!("{reference:?} rests with nothing open"));
            }
            if rank.is_some_and(|rank| !self.side(order.side).contains(&rank)) {
                return Err(format!("{reference:?} is not where its rank says"));
            }
            if rank.is_none() && order.cross.is_none() {
                return Err(format!("{reference:?} rests in the book without a limit"));
            }
        }
        Ok(())
    }
}
