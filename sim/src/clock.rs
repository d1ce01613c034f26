//! The virtual clock: what is to happen, in the order in which it will.

use firelane_gateway::base::{Mono, Nanos};
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// Things to come. Those of the same instant come in the order in which they were put in, always: with one thread
/// and one seed this is what makes two runs the same.
#[derive(Debug)]
pub struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    put: u64,
}

#[derive(Debug)]
struct Entry<T> {
    when: Mono,
    number: u64,
    what: T,
}

impl<T> Entry<T> {
    fn key(&self) -> (Mono, u64) {
        (self.when, self.number)
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Entry<T> {}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Agenda { heap: BinaryHeap::new(), put: 0 }
    }
}

impl<T> Agenda<T> {
    /// Nothing to come.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// `what` is to happen at `when`. At [`Mono::NEVER`] it never does, and is dropped.
    pub fn at(&mut self, when: Mono, what: T) {
        if when < Mono::NEVER {
            self.put += 1;
            self.heap.push(Reverse(Entry { when, number: self.put, what }));
        }
    }

    /// `what` is to happen `delay` after `now`.
    pub fn after(&mut self, now: Mono, delay: Nanos, what: T) {
        self.at(now.after(delay), what);
    }

    /// When the next thing happens; [`Mono::NEVER`] if nothing is left.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        self.heap.peek().map_or(Mono::NEVER, |e| e.0.when)
    }

    /// The next thing if it is due by `now`, and when it was due.
    pub fn due(&mut self, now: Mono) -> Option<(Mono, T)> {
        if self.next_deadline() <= now { self.next() } else { None }
    }

    /// The next thing, however far off, and when it is due: a caller's clock then stands there.
    #[allow(clippy::should_implement_trait, reason = "an agenda is put into while it is taken from")]
    pub fn next(&mut self) -> Option<(Mono, T)> {
        self.heap.pop().map(|Reverse(e)| (e.when, e.what))
    }

    /// How many things are to come.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Is nothing left?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Nothing of it will happen.
    pub fn clear(&mut self) {
        self.heap.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn equal_times_keep_the_order_of_insertion() {
        let mut agenda = Agenda::new();
        let mut rng = Rng::new(1, "agenda");
        let mut put: Vec<(Mono, usize)> = (0..1_000).map(|i| (Mono(rng.below(20)), i)).collect();
        for (when, what) in &put {
            agenda.at(*when, *what);
        }
        put.sort_by_key(|(when, _)| *when); // a stable sort: the naive agenda
        assert_eq!(std::iter::from_fn(|| agenda.next()).collect::<Vec<_>>(), put);
    }

    #[test]
    fn only_what_is_due_comes() {
        let mut agenda = Agenda::new();
        assert_eq!(agenda.next_deadline(), Mono::NEVER);
        agenda.after(Mono(5), Nanos(5), 'b');
        agenda.at(Mono(9), 'a');
        agenda.at(Mono::NEVER, 'z');
        assert_eq!((agenda.next_deadline(), agenda.due(Mono(8))), (Mono(9), None));
        assert_eq!(agenda.due(Mono(10)), Some((Mono(9), 'a')));
        assert_eq!(agenda.due(Mono(10)), Some((Mono(10), 'b')));
        assert!(agenda.is_empty() && agenda.due(Mono::NEVER).is_none());
    }
}
