//! Three clocks that must never be mixed, hence three types.

/// A length of time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Nanos(pub u64);

impl Nanos {
    /// From milliseconds, saturating.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Nanos(ms.saturating_mul(1_000_000))
    }

    /// From microseconds, saturating.
    #[must_use]
    pub const fn from_micros(us: u64) -> Self {
        Nanos(us.saturating_mul(1_000))
    }

    /// From seconds, saturating.
    #[must_use]
    pub const fn from_secs(s: u64) -> Self {
        Nanos(s.saturating_mul(1_000_000_000))
    }
}

/// The host's monotonic clock: ns since an arbitrary start. What timers run on. Monotone per input source only.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Mono(pub u64);

/// Coordinated universal time: ns since 1970-01-01T00:00Z. The lane gets it as an input (an offset from [`Mono`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct Utc(pub u64);

/// The exchange's own clock: the session's date and ns since its local midnight, kept as ns since
/// 1970-01-01T00:00 in the exchange's local time, so that one comparison orders two stamps.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
#[repr(transparent)]
pub struct ExchangeTime(pub u64);

crate::value! { Nanos(_) Mono(_) Utc(_) ExchangeTime(_) }

/// Nanoseconds in a day.
const DAY: u64 = 86_400 * 1_000_000_000;

impl Mono {
    /// The end of time: a deadline that never comes.
    pub const NEVER: Mono = Mono(u64::MAX);

    /// `self + d`, saturating at [`Mono::NEVER`].
    #[must_use]
    pub const fn after(self, d: Nanos) -> Self {
        Mono(self.0.saturating_add(d.0))
    }

    /// Time passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Mono) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

impl ExchangeTime {
    /// From a date (days since 1970-01-01, exchange-local) and ns since midnight.
    #[must_use]
    pub const fn new(day: u32, ns_since_midnight: u64) -> Self {
        ExchangeTime((day as u64).saturating_mul(DAY).saturating_add(ns_since_midnight))
    }

    /// Days since 1970-01-01, exchange-local.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub const fn day(self) -> u32 {
        (self.0 / DAY) as u32
    }

    /// Nanoseconds since the exchange's local midnight.
    #[must_use]
    pub const fn ns_since_midnight(self) -> u64 {
        self.0 % DAY
    }

    /// `self + d`, saturating.
    #[must_use]
    pub const fn after(self, d: Nanos) -> Self {
        ExchangeTime(self.0.saturating_add(d.0))
    }

    /// Time passed since `earlier`; zero if `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: ExchangeTime) -> Nanos {
        Nanos(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchange_time_keeps_date_and_time_of_day() {
        let t = ExchangeTime::new(15_512, 34_200_000_000_001);
        assert_eq!((t.day(), t.ns_since_midnight()), (15_512, 34_200_000_000_001));
        assert!(t < ExchangeTime::new(15_513, 0));
    }

    #[test]
    fn deadlines_saturate() {
        assert_eq!(Mono(u64::MAX - 1).after(Nanos(5)), Mono::NEVER);
        assert_eq!(Mono(3).since(Mono(5)), Nanos(0));
    }
}
