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
use std::cell::Cell;

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
