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

    /// Takes out an order, wherever it stands.
    #[inline(always)]
    pub(super) fn remove(&mut self, orders: &mut Pool<Order>, slot: u32, order: &Order) {
        orders.linked_mut(order.ahead).behind = order.behind;
        orders.linked_mut(order.behind).ahead = order.ahead;
        if self.first == slot {
            self.first = order.behind;
        }
        if self.last == slot {
            self.last = order.ahead;
        }
    }
}
