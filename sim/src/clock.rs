//! The virtual clock: what is to happen, in the order in which it will.

use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_gateway::flow::UtcOffset;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// What is to be added to a virtual clock to have universal time, where the exchange's time is `epoch` when the clock is
/// zero. The exchange is in New York: four hours behind from the second Sunday of March to the first of November (until 2006:
/// from the first of April to the last of October), else five (15 U.S.C. 260a).
#[must_use]
pub fn utc_offset(epoch: ExchangeTime) -> UtcOffset {
    const HOUR: u64 = 3_600_000_000_000;
    let hours = if is_summer(epoch.day()) { 4 } else { 5 };
    UtcOffset(i64::try_from(epoch.0.saturating_add(hours * HOUR)).unwrap_or(i64::MAX))
}

/// Does daylight saving time hold in New York at noon of a day (since 1970-01-01)?
fn is_summer(day: u32) -> bool {
    // The civil date: years begin in March, so that leap days come last.
    let days = i64::from(day) + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (date, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // 1970-01-01 was a Thursday. Of this month: the date of its first Sunday.
    let weekday = (i64::from(day) + 4) % 7;
    let first_sunday = (date - 1 - weekday).rem_euclid(7) + 1;
    match (month, year >= 2007) {
        (3, true) => date >= first_sunday + 7,
        (11, true) => date < first_sunday,
        (4..=10, true) => true,
        (4, false) => date >= first_sunday,
        (10, false) => date < first_sunday + if first_sunday + 28 <= 31 { 28 } else { 21 },
        (5..=9, false) => true,
        _ => false,
    }
}

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
    use firelane_gateway::base::Utc;

    #[test]
    fn new_york_is_four_or_five_hours_behind() {
        // Days since 1970-01-01, and the date; each is the last or the first of its kind.
        for (day, hours, date) in [
            (0, 5, "1970-01-01"),
            (13_239, 5, "2006-04-01"),
            (13_240, 4, "2006-04-02"),
            (13_449, 4, "2006-10-28"),
            (13_450, 5, "2006-10-29"),
            (13_582, 5, "2007-03-10"),
            (13_583, 4, "2007-03-11"),
            (13_820, 4, "2007-11-03"),
            (13_821, 5, "2007-11-04"),
            (15_512, 4, "2012-06-21"),
            (19_791, 5, "2024-03-09"),
            (19_792, 4, "2024-03-10"),
            (19_782, 5, "2024-02-29"),
            (20_029, 4, "2024-11-02"),
            (20_030, 5, "2024-11-03"),
            (20_453, 5, "2025-12-31"),
        ] {
            let epoch = ExchangeTime::new(day, 34_200_000_000_000);
            let opening = utc_offset(epoch).at(Mono(7));
            let expected = u64::from(day) * 86_400_000_000_000 + (9 + hours) * 3_600_000_000_000 + 1_800_000_000_007;
            assert_eq!(opening, Some(Utc(expected)), "{date}");
        }
    }
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
