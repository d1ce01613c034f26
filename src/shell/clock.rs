//! The host's clock: nanoseconds since it was made, from the processor's time-stamp counter.
//!
//! A reading is the raw counter (no system call), one subtraction, one multiplication and one shift, and the result
//! never goes back on one clock. `quanta` measures the counter's rate against the system's monotonic clock once a process,
//! when the first clock is made, for up to 200 ms. A clock's rate is therefore off by some parts in a million, up to
//! some twenty (0.1 s in an hour), and it is not corrected later. That does for latencies and timers; the offset to UTC is
//! measured again and again by whoever needs it. The counter is not serialised: a reading may be taken some nanoseconds
//! before or after its neighbours in the program. One tick is a fraction of a nanosecond on x86-64, up to 40 ns
//! on some ARM machines.
//!
//! Where the counter does not run at a constant rate, the system's own monotonic clock is read (dearer by a call);
//! [`Clock::source`] says so.

use crate::base::Mono;
use crate::flow::UtcOffset;
use std::cell::Cell;
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock. Clones share zero and rate, so that times of different threads can be compared; each thread has its own,
/// because each remembers its last reading.
#[derive(Clone, Debug)]
pub struct Clock {
    counter: quanta::Clock,
    zero: u64,
    last: Cell<u64>,
    counts: bool,
}

impl Clock {
    /// A clock that begins now. The first of a process takes up to 200 ms: it measures the counter's rate.
    #[must_use]
    pub fn new() -> Self {
        let counter = quanta::Clock::new();
        // Only a counter has a rate of its own: the system's clock counts nanoseconds, exactly.
        const MANY: u64 = 1_000_000_000_000;
        let counts = counter.delta_as_nanos(0, MANY) != MANY;
        let zero = counter.raw();
        Clock { counter, zero, last: Cell::new(0), counts }
    }

    /// Time since the clock was made. Never earlier than what this clock said before.
    #[inline]
    #[must_use]
    pub fn now(&self) -> Mono {
        let read = self.counter.delta_as_nanos(self.zero, self.counter.raw());
        // Counters of two cores may differ by a few ticks, and the system may move a thread between two readings.
        let now = read.max(self.last.get());
        self.last.set(now);
        Mono(now)
    }

    /// When it began: nanoseconds since 1970 UTC, by the system's clock now.
    #[must_use]
    pub fn began(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(self.now().0)
    }

    /// What is to be added to this clock to have universal time, as the system has it now.
    #[must_use]
    pub fn utc_offset(&self) -> UtcOffset {
        /// The closest of so many counts: a thread may lose its core between two readings.
        const READINGS: usize = 3;
        let read = |_| {
            let (before, utc, after) = (self.now().0, SystemTime::now(), self.now().0);
            let width = after.saturating_sub(before);
            let utc = match utc.duration_since(UNIX_EPOCH) {
                Ok(since) => since.as_nanos().cast_signed(),
                Err(early) => -early.duration().as_nanos().cast_signed(),
            };
            (width, utc - i128::from(before.saturating_add(width / 2)))
        };
        let (_, offset) = (0..READINGS).map(read).min_by_key(|(width, _)| *width).unwrap_or_default();
        UtcOffset(i64::try_from(offset).unwrap_or_default())
    }

    /// What is read, in words for reports.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match (self.counts, cfg!(any(target_arch = "x86_64", target_arch = "x86"))) {
            (true, true) => "TSC",
            (true, false) => "system counter",
            (false, _) => "system clock (no constant TSC here)",
        }
    }
}

/// What a lane has been told of universal time, and when that is to be told again: the clock's rate is a little off, and
/// the system's time is set from outside.
#[derive(Clone, Copy, Default, Debug)]
pub struct UtcWatch {
    told: Option<UtcOffset>,
}

impl UtcWatch {
    /// By more than so many nanoseconds the offset must have moved to be told again.
    pub const BOUND: u64 = 1_000_000;

    /// Is the lane to be told of this offset? If so it counts as told.
    #[must_use]
    pub fn look(&mut self, found: UtcOffset) -> Option<UtcOffset> {
        let near = |told: UtcOffset| told.0.abs_diff(found.0) <= Self::BOUND;
        if self.told.is_some_and(near) {
            return None;
        }
        self.told = Some(found);
        self.told
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn it_never_goes_back() {
        let clock = Clock::new();
        let mut last = clock.now();
        for _ in 0..200_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
        assert!(!clock.source().is_empty());
    }

    #[test]
    fn the_offset_is_that_of_the_systems_time() {
        let clock = Clock::new();
        let unix = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let before = unix();
        let utc = clock.utc_offset().at(clock.now()).unwrap().0;
        let after = unix();
        const SLACK: u64 = 1_000_000;
        assert!((before - SLACK..=after + SLACK).contains(&utc), "{before} {utc} {after}");
    }

    #[test]
    fn an_offset_is_told_at_first_and_when_it_has_moved_by_more_than_the_bound() {
        const BOUND: i64 = UtcWatch::BOUND as i64;
        for start in [1_700_000_000_000_000_000, 0, -5, i64::MIN + BOUND + 1, i64::MAX - BOUND - 1] {
            for moved in [BOUND - 1, BOUND, BOUND + 1].into_iter().flat_map(|by| [by, -by]) {
                let (mut watch, found) = (UtcWatch::default(), UtcOffset(start + moved));
                assert_eq!(watch.look(UtcOffset(start)), Some(UtcOffset(start)), "whatever it is");
                assert_eq!(watch.look(found), (moved.abs() > BOUND).then_some(found), "{start} {moved}");
            }
        }
        // It is measured from what was told, so that it cannot creep away.
        let mut watch = UtcWatch::default();
        let told =
            (0..=3 * BOUND).step_by(BOUND as usize / 4).filter(|at| watch.look(UtcOffset(*at)).is_some()).count();
        assert_eq!(told, 3);
        assert!(watch.look(UtcOffset(i64::MIN)).is_some() && watch.look(UtcOffset(i64::MAX)).is_some());
    }

    #[test]
    fn clones_share_zero_and_rate() {
        let clock = Clock::new();
        let other = clock.clone();
        // Taken in this order on one thread, through three clocks: before, between, after. The counters of two cores
        // may differ a little; a second zero or another rate would differ by far more than a millisecond.
        const SLACK: u64 = 1_000_000;
        std::thread::sleep(Duration::from_millis(20));
        let before = clock.now();
        let between = std::thread::spawn(move || other.now()).join().unwrap();
        let after = clock.now();
        assert!(before.0 <= between.0 + SLACK && between.0 <= after.0 + SLACK, "{before:?} {between:?} {after:?}");
    }

    #[test]
    fn it_counts_nanoseconds_from_zero() {
        // The clock's span lies within the one measured around it and encloses the one measured inside it; 1 % is far
        // more than its rate can be off, and far less than a wrong unit.
        let around = Instant::now();
        let clock = Clock::new();
        let first = clock.now();
        let inside = Instant::now();
        std::thread::sleep(Duration::from_millis(50));
        let inside = inside.elapsed().as_nanos() as u64;
        let last = clock.now();
        let around = around.elapsed().as_nanos() as u64;
        assert!(last.0 <= around + around / 100 && last.0 - first.0 >= inside - inside / 100);
    }
}
