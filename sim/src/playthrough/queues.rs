//! Both sides of a book as sorted queues: the key is the priority rule.

use firelane_gateway::base::{Price, Side, VenueRef};
use std::collections::BTreeMap;

/// The place of an order on its side: better price first, displayed before hidden, then whoever came first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Rank {
    /// The price, with its sign turned for bids.
    key: i64,
    hidden: bool,
    /// Arrivals of recorded and own orders are counted together: this is who came first.
    serial: u64,
}

impl Rank {
    pub(super) fn new(side: Side, price: Price, hidden: bool, serial: u64) -> Self {
        Rank { key: key(side, price), hidden, serial }
    }

    /// Before every order of its price.
    fn front(self) -> Self {
        Rank { key: self.key, hidden: false, serial: 0 }
    }
}

fn key(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => -price.0,
        Side::Sell => price.0,
    }
}

/// The references of one instrument's orders, each side in priority order.
#[derive(Debug, Default)]
pub(super) struct Queues {
    sides: [BTreeMap<Rank, VenueRef>; 2],
}

impl Queues {
    pub(super) fn insert(&mut self, side: Side, rank: Rank, reference: VenueRef) {
        self.sides[side as usize].insert(rank, reference);
    }

    pub(super) fn remove(&mut self, side: Side, rank: Rank) {
        self.sides[side as usize].remove(&rank);
    }

    /// A side in priority order.
    pub(super) fn side(&self, side: Side) -> impl Iterator<Item = VenueRef> {
        self.sides[side as usize].values().copied()
    }

    /// What stands at the price of `rank` and before it.
    pub(super) fn ahead(&self, side: Side, rank: Rank) -> impl Iterator<Item = VenueRef> {
        self.sides[side as usize].range(rank.front()..rank).map(|(_, reference)| *reference)
    }

    pub(super) fn is_empty(&self, side: Side) -> bool {
        self.sides[side as usize].is_empty()
    }
}
