//! How long each order took, and where: stamps taken as the lane passes its stages, handed to the shell afterwards.
//!
//! ```text
//!  packet in ──(gap)──> released ─> decoded ─> booked ─> decided ─> approved ─> encoded ─> sent
//!  receive returns                                                                        send returns
//! ```
//!
//! A packet's stamp is the `now` of its input: taken when its receive call returned, so that the wait of messages behind
//! others in one packet counts. A message that had to wait behind a gap keeps the stamp of its own packet; that wait is a
//! stage of its own. Orders that no market message caused (after a fill, by a timer) are not traced.

use crate::base::Mono;
use crate::flow::record::TraceBody;
use crate::flow::wiring::{Mark, Probe};
use crate::shell::clock::Clock;
use zerocopy::byteorder::little_endian::U64;

/// What the shell asks of a probe.
pub trait Traced {
    /// The orders encoded since [`forget`](Self::forget), in their order; `sent` is still 0.
    fn traces(&self) -> &[TraceBody] {
        &[]
    }

    /// They have been seen to.
    fn forget(&mut self) {}
}

impl Traced for () {}

/// Orders between two looks of the shell: one call of the lane writes no more than its outbox holds.
const MOST: usize = 4_096;

/// Stamps every stage with a clock; without one (virtual time, replay) it does nothing.
#[derive(Debug, Default)]
pub struct StageProbe {
    clock: Option<Clock>,
    /// A market message is at hand.
    within: bool,
    at_hand: TraceBody,
    orders: Vec<TraceBody>,
}

impl StageProbe {
    /// With a clock, or without.
    #[must_use]
    pub fn new(clock: Option<Clock>) -> Self {
        let orders = Vec::with_capacity(if clock.is_some() { MOST } else { 0 });
        StageProbe { clock, within: false, at_hand: TraceBody::default(), orders }
    }
}

impl Probe for StageProbe {
    #[inline]
    fn begin(&mut self, now: Mono) {
        self.within = false;
        self.at_hand.released = U64::new(now.0);
    }

    #[inline]
    fn message(&mut self, arrived: Mono) {
        self.within = true;
        self.at_hand.arrived = U64::new(arrived.0);
    }

    #[inline]
    fn pass(&mut self, mark: Mark) {
        let (Some(clock), true) = (&self.clock, self.within) else { return };
        let now = U64::new(clock.now().0);
        let order = &mut self.at_hand;
        match mark {
            Mark::Decoded => order.decoded = now,
            Mark::Booked => order.booked = now,
            Mark::Decided => order.decided = now,
            Mark::Approved => order.approved = now,
            Mark::Encoded => {
                order.encoded = now;
                if self.orders.len() < self.orders.capacity() {
                    self.orders.push(self.at_hand);
                }
            }
        }
    }
}

impl Traced for StageProbe {
    #[inline]
    fn traces(&self) -> &[TraceBody] {
        &self.orders
    }

    #[inline]
    fn forget(&mut self) {
        self.orders.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mark; 5] = [Mark::Decoded, Mark::Booked, Mark::Decided, Mark::Approved, Mark::Encoded];

    #[test]
    fn an_order_carries_its_stamps_in_order_and_the_wait_of_its_message() {
        let clock = Clock::new();
        let mut probe = StageProbe::new(Some(clock.clone()));
        let (arrived, released) = (clock.now(), clock.now());
        probe.begin(released);
        probe.message(arrived);
        ALL.iter().for_each(|stage| probe.pass(*stage));
        // A second order for the same message: its own gate and encoding.
        probe.pass(Mark::Approved);
        probe.pass(Mark::Encoded);
        let [first, second] = probe.traces() else { panic!("two orders") };
        assert_eq!((first.arrived.get(), first.released.get()), (arrived.0, released.0));
        for order in [first, second] {
            let stamps = [order.arrived, order.released, order.decoded, order.booked, order.decided, order.approved];
            assert!(stamps.is_sorted_by_key(|s| s.get()) && order.encoded.get() >= order.approved.get());
            assert_eq!(order.sent.get(), 0);
        }
        assert!(second.encoded.get() >= first.encoded.get() && second.decided == first.decided);
        probe.forget();
        assert!(probe.traces().is_empty());
    }

    #[test]
    fn what_no_message_caused_is_not_traced_and_without_a_clock_nothing_is() {
        let mut probe = StageProbe::new(Some(Clock::new()));
        probe.begin(Mono(5));
        probe.pass(Mark::Encoded);
        probe.message(Mono(5));
        probe.begin(Mono(6));
        probe.pass(Mark::Encoded);
        assert!(probe.traces().is_empty());
        let mut blind = StageProbe::new(None);
        blind.message(Mono(5));
        ALL.iter().for_each(|stage| blind.pass(*stage));
        assert!(blind.traces().is_empty());
    }

    #[test]
    fn more_orders_than_there_is_room_for_are_left_out_and_nothing_grows() {
        let mut probe = StageProbe::new(Some(Clock::new()));
        probe.message(Mono(1));
        let capacity = probe.orders.capacity();
        (0..capacity + 3).for_each(|_| probe.pass(Mark::Encoded));
        assert_eq!((probe.traces().len(), probe.orders.capacity()), (capacity, capacity));
    }
}
