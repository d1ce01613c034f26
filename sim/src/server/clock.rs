//! The clocks of the venue: the machine's, by which sockets and wires are timed, and the venue's own, which a recorded
//! day may run at a multiple of it.

use firelane_gateway::base::{Mono, Nanos};
use std::time::Instant;

/// A monotonic clock.
pub trait Clock: Send {
    /// The time. Never earlier than what it said before.
    fn now(&self) -> Mono;
}

/// The machine's clock, from zero.
#[derive(Clone, Copy, Debug)]
pub struct SinceStart(Instant);

impl Default for SinceStart {
    fn default() -> Self {
        SinceStart(Instant::now())
    }
}

impl Clock for SinceStart {
    fn now(&self) -> Mono {
        Mono(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// How fast the venue's clock runs, in thousandths of the machine's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Speed(pub u32);

impl Speed {
    /// As fast as the machine's.
    pub const NORMAL: Speed = Speed(1_000);

    /// So many times as fast, from a thousandth to a thousand.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
    pub fn times(factor: f64) -> Option<Self> {
        (0.001..=1_000.0).contains(&factor).then(|| Speed((factor * 1_000.0).round() as u32))
    }

    /// What so much of the machine's time is on the venue's clock.
    #[must_use]
    pub fn of(self, time: Nanos) -> Nanos {
        let scaled = u128::from(time.0) * u128::from(self.0) / 1_000;
        Nanos(u64::try_from(scaled).unwrap_or(u64::MAX))
    }
}

/// The venue's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct VenueClock {
    pub(super) speed: Speed,
    /// Both clocks at one instant.
    began: (Mono, Mono),
}

impl VenueClock {
    /// It stands at `venue` when the machine's clock stands at `now`.
    pub(super) fn new(speed: Speed, now: Mono, venue: Mono) -> Self {
        VenueClock { speed, began: (now, venue) }
    }

    pub(super) fn at(&self, now: Mono) -> Mono {
        self.began.1.after(self.speed.of(now.since(self.began.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_venues_clock_goes_on_from_where_it_stood_at_its_own_speed() {
        let clock = VenueClock::new(Speed(2_500), Mono(100), Mono(7_000));
        assert_eq!(
            [clock.at(Mono(50)), clock.at(Mono(100)), clock.at(Mono(104))],
            [Mono(7_000), Mono(7_000), Mono(7_010)]
        );
        assert_eq!(Speed::NORMAL.of(Nanos(u64::MAX)), Nanos(u64::MAX));
        assert_eq!(Speed(4_000_000_000).of(Nanos(u64::MAX)), Nanos(u64::MAX));
    }
}
