//! Cancelling everything, order by order, until nothing lives.

use super::table::Cursor;
use super::{Order, Orders};
use crate::base::{InstrumentId, Mono, Nanos, Qty, VenueId};
use crate::flow::action::Cancel;

/// Whose orders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Which {
    /// All.
    All,
    /// Those at one venue.
    At(VenueId),
    /// Those in one instrument.
    Of(InstrumentId),
}

crate::value! { enum Which { 0 => All, 1 => At(venue), 2 => Of(instrument) } }

/// A round over live orders that gives a full cancel for each that has none on its way, and again for one whose
/// cancel is older than `patience`. Works with every venue, also one without mass cancel; after a mass cancel, a
/// sweep finds what it missed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sweep {
    of: Which,
    patience: Nanos,
    cursor: Cursor,
    /// When to go round again; the end of time while a round is under way.
    again_at: Mono,
    /// This round has met an order that shall go.
    found: bool,
}

crate::value! { Sweep { of, patience, cursor, again_at, found } }

impl Sweep {
    /// Of these.
    #[must_use]
    pub fn new(of: Which, patience: Nanos) -> Self {
        Sweep { of, patience, cursor: Cursor::default(), again_at: Mono::NEVER, found: false }
    }

    /// The next cancel to send. `None`: nothing to do before [`next_deadline`](Self::next_deadline). Looks at each
    /// live order once a round; one that is not cancelled now (no room, refused) has its turn in the next.
    pub fn next(&mut self, now: Mono, orders: &Orders) -> Option<Cancel> {
        self.next_where(now, orders, |_| true)
    }

    /// The same, of the orders that shall go.
    pub fn next_where(&mut self, now: Mono, orders: &Orders, goes: impl Fn(&Order) -> bool) -> Option<Cancel> {
        if self.again_at != Mono::NEVER {
            if now < self.again_at {
                return None;
            }
            (self.cursor, self.again_at, self.found) = (Cursor::default(), Mono::NEVER, false);
        }
        loop {
            let order = match self.of {
                Which::All => orders.next_live(&mut self.cursor),
                Which::At(venue) => orders.next_live_at(venue, &mut self.cursor),
                Which::Of(instrument) => orders.next_live_of(instrument, &mut self.cursor),
            };
            let Some(order) = order else {
                self.again_at = now.after(self.patience);
                return None;
            };
            if !goes(order) {
                continue;
            }
            self.found = true;
            if self.wants(now, order) {
                return Some(Cancel { order: order.id, keep: Qty::ZERO });
            }
        }
    }

    fn wants(&self, now: Mono, order: &Order) -> bool {
        order.cancelling.is_none_or(|c| c.keep.is_positive() || !c.deferred && c.at.after(self.patience) <= now)
    }

    /// Has this round met an order that shall go, its cancel sent or not?
    #[must_use]
    pub fn has_found(&self) -> bool {
        self.found
    }

    /// When to ask for more.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.again_at
    }

    /// Is nothing left alive?
    #[must_use]
    pub fn is_done(&self, orders: &Orders) -> bool {
        match self.of {
            Which::All => orders.live_count() == 0,
            Which::At(venue) => orders.live_count_at(venue) == 0,
            Which::Of(instrument) => orders.next_live_of(instrument, &mut Cursor::default()).is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Sweep); 8] = [
            |_| {},
            |s| s.of = Which::At(VenueId(0)),
            |s| s.of = Which::Of(InstrumentId(0)),
            |s| s.patience = Nanos(9),
            |s| s.cursor = Cursor::at(0, 0),
            |s| s.cursor = Cursor::at(0, 9),
            |s| s.again_at = Mono(9),
            |s| s.found = true,
        ];
        assert_all_saved(|| Sweep::new(Which::All, Nanos(1)), &changes);
    }
}
