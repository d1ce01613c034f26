//! What the gate remembers of what it let pass: the order rate, and recent orders.

use super::limits::{MOST_RECENT, RiskLimits};
use crate::base::{Digest, LoadError, Mono, Nanos, Price, Qty, Reader, Side, State, Writer};
use crate::flow::action::Enter;
use alloc::boxed::Box;
use alloc::vec;

/// A token bucket in one word (the generic cell rate algorithm, ITU-T I.371): instead of counting tokens it keeps the
/// time at which the bucket is full again.
#[derive(Debug)]
pub(super) struct Throttle {
    full_at: Mono,
    /// Time that one token takes to grow.
    interval: u64,
    /// Time in which an empty bucket fills.
    depth: u64,
}

impl Throttle {
    pub(super) fn new(limits: &RiskLimits) -> Self {
        let interval = limits.interval();
        Throttle { full_at: Mono(0), interval, depth: interval.saturating_mul(u64::from(limits.burst)) }
    }

    /// When the bucket would be full again if `tokens` were taken now; `None` if it does not hold so many.
    #[inline]
    pub(super) fn ask(&self, now: Mono, tokens: u64) -> Option<Mono> {
        let full_at = self.full_at.max(now).after(Nanos(self.interval.saturating_mul(tokens)));
        (full_at.since(now).0 <= self.depth).then_some(full_at)
    }

    /// The most tokens for which [`ask`](Self::ask) has an answer.
    pub(super) fn left(&self, now: Mono) -> u32 {
        let free = self.depth.saturating_sub(self.full_at.since(now).0);
        u32::try_from(free.checked_div(self.interval).unwrap_or(0)).unwrap_or(u32::MAX)
    }

    /// Takes what [`ask`](Self::ask) answered.
    #[inline]
    pub(super) fn take(&mut self, full_at: Mono) {
        self.full_at = full_at;
    }
}

impl State for Throttle {
    fn digest(&self, into: &mut Digest) {
        let Throttle { full_at, interval: _, depth: _ } = self;
        into.u64(full_at.0);
    }

    fn save(&self, into: &mut Writer) {
        into.u64(self.full_at.0);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.full_at = Mono(from.u64()?);
        Ok(())
    }
}

/// The orders of the duplicate window, in a ring that holds as many as the order rate can let pass in that time: it
/// cannot be full of orders that still matter.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Box<[Seen]>,
    next: usize,
    window: Nanos,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When; `None` for a place never used.
    at: Option<Mono>,
    instrument: u32,
    side: Side,
    price: Price,
    qty: Qty,
}

impl Recent {
    pub(super) fn new(limits: &RiskLimits) -> Self {
        let never = Seen { at: None, instrument: 0, side: Side::Buy, price: Price(0), qty: Qty::ZERO };
        let places = usize::try_from(limits.most_recent().min(MOST_RECENT)).unwrap_or(0);
        Recent { ring: vec![never; places].into_boxed_slice(), next: 0, window: limits.duplicate_window }
    }

    /// Was the same order let pass less than the window ago? `now` never runs back.
    #[inline]
    pub(super) fn holds(&self, enter: &Enter, now: Mono) -> bool {
        let (older, newer) = self.ring.split_at_checked(self.next).unwrap_or((&[], &self.ring));
        // Newest first: the first that is too old ends the search.
        older
            .iter()
            .rev()
            .chain(newer.iter().rev())
            .take_while(|seen| seen.at.is_some_and(|at| now.since(at) < self.window))
            .any(|seen| {
                (seen.instrument, seen.side, seen.price, seen.qty)
                    == (enter.instrument.0, enter.side, enter.price, enter.qty)
            })
    }

    #[inline]
    pub(super) fn remember(&mut self, enter: &Enter, now: Mono) {
        let Some(place) = self.ring.get_mut(self.next) else { return };
        *place = Seen {
            at: Some(now),
            instrument: enter.instrument.0,
            side: enter.side,
            price: enter.price,
            qty: enter.qty,
        };
        self.next = self.next.wrapping_add(1);
        if self.next == self.ring.len() {
            self.next = 0;
        }
    }

    /// From the oldest to the newest.
    fn in_order(&self) -> impl Iterator<Item = &Seen> {
        let (newest, oldest) = self.ring.split_at_checked(self.next).unwrap_or((&[], &self.ring));
        oldest.iter().chain(newest).filter(|seen| seen.at.is_some())
    }
}

impl State for Recent {
    fn digest(&self, into: &mut Digest) {
        // Where the ring begins changes nothing.
        let Recent { ring: _, next: _, window: _ } = self;
        for Seen { at, instrument, side, price, qty } in self.in_order() {
            into.u64(at.map_or(0, |at| at.0));
            into.u64(u64::from(*instrument) << 1 | u64::from(*side as u8));
            into.i64(price.0);
            into.i64(qty.0);
        }
    }

    fn save(&self, into: &mut Writer) {
        into.u64(self.in_order().count() as u64);
        for seen in self.in_order() {
            into.u64(seen.at.map_or(0, |at| at.0));
            into.u64(u64::from(seen.instrument) << 1 | u64::from(seen.side as u8));
            into.i64(seen.price.0);
            into.i64(seen.qty.0);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let count = usize::try_from(from.u64()?).map_err(|_| LoadError::OutOfRange)?;
        if count > self.ring.len() {
            return Err(LoadError::OutOfRange);
        }
        for place in &mut self.ring {
            place.at = None;
        }
        self.next = if count == self.ring.len() { 0 } else { count };
        for place in self.ring.iter_mut().take(count) {
            let at = Some(Mono(from.u64()?));
            let word = from.u64()?;
            let instrument = u32::try_from(word >> 1).map_err(|_| LoadError::OutOfRange)?;
            let side = if word & 1 == 0 { Side::Buy } else { Side::Sell };
            *place = Seen { at, instrument, side, price: Price(from.i64()?), qty: Qty(from.i64()?) };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::first_repeated;
    use std::vec::Vec;

    #[test]
    fn the_digest_sees_every_field() {
        let limits =
            RiskLimits { duplicate_window: Nanos(1_000), burst: 4, orders_per_second: 1, ..RiskLimits::widest() };
        let one = Seen { at: Some(Mono(1)), instrument: 1, side: Side::Buy, price: Price(1), qty: Qty(1) };
        let changes: [fn(&mut Seen); 6] = [
            |_| {},
            |s| s.at = Some(Mono(2)),
            |s| s.instrument = 2,
            |s| s.side = Side::Sell,
            |s| s.price = Price(2),
            |s| s.qty = Qty(2),
        ];
        let mut digests: Vec<u64> = changes
            .iter()
            .map(|change| {
                let (mut seen, mut recent) = (one, Recent::new(&limits));
                change(&mut seen);
                recent.ring[0] = seen;
                Digest::of_state(|into| recent.digest(into))
            })
            .collect();
        let mut throttle = Throttle::new(&limits);
        digests.push(Digest::of_state(|into| throttle.digest(into)));
        throttle.take(Mono(1));
        digests.push(Digest::of_state(|into| throttle.digest(into)));
        assert_eq!(first_repeated(&digests), None);
    }
}
