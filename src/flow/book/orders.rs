//! Resting orders, and the queue that those of one price form.

use super::pool::{NIL, Pool};
use crate::base::VenueRef;

/// A resting order: half a cache line. Its instrument, side and price are its level's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub(super) reference: VenueRef,
    /// Displayed size left; positive.
    pub(super) qty: i64,
    pub(super) level: u32,
    /// The order before it in the queue; [`NIL`] for the first.
    pub(super) ahead: u32,
    /// The order after it in the queue; [`NIL`] for the last.
    pub(super) behind: u32,
    /// Number of its own mark; [`NIL`] for everyone else's orders.
    pub(super) own: u32,
}

const _: () = assert!(size_of::<Order>() == 32, "two orders share a cache line");

pub(super) const BLANK: Order = Order { reference: VenueRef(0), qty: 0, level: NIL, ahead: NIL, behind: NIL, own: NIL };

/// First and last of the orders of one price, in time priority.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queue {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Queue {
    pub(super) const EMPTY: Queue = Queue { first: NIL, last: NIL };

    /// Appends `slot`, whose own links are [`NIL`].
    #[inline(always)]
    pub(super) fn push(&mut self, orders: &mut Pool<Order>, slot: u32) {
        orders.at_mut(slot).ahead = self.last;
        orders.at_mut(self.last).behind = slot;
        if self.first == NIL {
            self.first = slot;
        }
        self.last = slot;
    }

    /// Takes `slot` out, wherever it stands.
    #[inline(always)]
    pub(super) fn remove(&mut self, orders: &mut Pool<Order>, slot: u32) {
        let Order { ahead, behind, .. } = *orders.at(slot);
        orders.at_mut(ahead).behind = behind;
        orders.at_mut(behind).ahead = ahead;
        if self.first == slot {
            self.first = behind;
        }
        if self.last == slot {
            self.last = ahead;
        }
    }
}
