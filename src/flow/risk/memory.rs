//! What the gate remembers of what it let pass: the order rate, and recent orders.

use super::limits::{MOST_RECENT, RiskLimits};
use crate::base::{LoadError, Mono, Nanos, Price, Qty, Reader, Save, Side, State, Value};
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
        let mut throttle = Throttle { full_at: Mono(0), interval: 0, depth: 0 };
        throttle.follow(limits);
        throttle
    }

    /// The rate is another from now on. What is spent stays spent.
    pub(super) fn follow(&mut self, limits: &RiskLimits) {
        self.interval = limits.interval();
        self.depth = self.interval.saturating_mul(u64::from(limits.burst));
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

crate::state! { Throttle { full_at } without { interval, depth } }

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

const NEVER: Seen = Seen { at: None, instrument: 0, side: Side::Buy, price: Price(0), qty: Qty::ZERO };

impl Recent {
    pub(super) fn new(limits: &RiskLimits) -> Self {
        let places = usize::try_from(limits.most_recent().min(MOST_RECENT)).unwrap_or(0);
        Recent { ring: vec![NEVER; places].into_boxed_slice(), next: 0, window: limits.duplicate_window }
    }

    /// How many orders it can remember.
    pub(super) fn places(&self) -> u64 {
        self.ring.len() as u64
    }

    /// Was the same order let pass less than the window ago? `now` never runs back.
    #[inline(always)]
    pub(super) fn holds(&self, enter: &Enter, now: Mono) -> bool {
        !self.ring.is_empty() && self.finds(enter, now)
    }

    fn finds(&self, enter: &Enter, now: Mono) -> bool {
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

crate::value! { Seen { at, instrument, side, price, qty } }

/// From the oldest to the newest: where the ring begins changes nothing.
impl State for Recent {
    fn save(&self, into: &mut dyn Save) {
        let Recent { ring: _, next: _, window: _ } = self;
        into.count(self.in_order().count());
        self.in_order().for_each(|seen| seen.put(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let count = from.count(self.ring.len())?;
        self.ring.fill(NEVER);
        self.next = if count == self.ring.len() { 0 } else { count };
        for place in self.ring.iter_mut().take(count) {
            *place = from.value()?;
            if place.at.is_none() {
                return Err(LoadError::BAD);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    fn limits() -> RiskLimits {
        RiskLimits { duplicate_window: Nanos(1_000), burst: 4, orders_per_second: 1, ..RiskLimits::widest() }
    }

    fn seen(recent: &mut Recent, change: impl FnOnce(&mut Seen)) {
        let mut one = Seen { at: Some(Mono(1)), instrument: 1, side: Side::Buy, price: Price(1), qty: Qty(1) };
        change(&mut one);
        recent.ring[recent.next] = one;
        recent.next = (recent.next + 1) % recent.ring.len();
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Recent); 8] = [
            |_| {},
            |r| seen(r, |_| {}),
            |r| seen(r, |s| s.at = Some(Mono(2))),
            |r| seen(r, |s| s.instrument = 2),
            |r| seen(r, |s| s.side = Side::Sell),
            |r| seen(r, |s| s.price = Price(2)),
            |r| seen(r, |s| s.qty = Qty(2)),
            |r| (0..9).for_each(|n| seen(r, |s| s.at = Some(Mono(n)))),
        ];
        assert_all_saved(|| Recent::new(&limits()), &changes);
        let changes: [fn(&mut Throttle); 2] = [|_| {}, |t| t.take(Mono(1))];
        assert_all_saved(|| Throttle::new(&limits()), &changes);
    }
}
