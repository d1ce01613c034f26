//! May a book be traded on?

use crate::base::InstrumentId;

/// Why a book may differ from the venue's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum StaleReason {
    /// Messages are missing. Healed when the gap is filled, or by a snapshot.
    Gap = 0,
    /// A message came malformed. Healed when a good copy comes, or by a snapshot.
    Malformed = 1,
    /// The feed contradicted the book ([`BookFault`](super::BookFault)). Healed by a snapshot.
    Fault = 2,
    /// An order was left out for want of room. Healed by a snapshot that fits.
    Full = 3,
    /// A snapshot is awaited or being read. Healed by its end.
    Snapshot = 4,
    /// Nobody speaks for the market: nothing was heard yet, or every line is silent, or the session is over. Healed when a
    /// line says how the stream goes on, or by another session.
    Silent = 5,
}

/// All reasons, in the order of their bits.
pub const STALE_REASONS: [StaleReason; 6] = [
    StaleReason::Gap,
    StaleReason::Malformed,
    StaleReason::Fault,
    StaleReason::Full,
    StaleReason::Snapshot,
    StaleReason::Silent,
];

/// The reasons for which a book is stale now; none when it is fresh.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Freshness(u8);

impl Freshness {
    /// As the venue's book, as far as this side can know.
    pub const FRESH: Freshness = Freshness(0);

    /// Is there no reason for doubt?
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        self.0 == 0
    }

    /// Is it stale for this reason (and perhaps others)?
    #[must_use]
    pub const fn has(self, reason: StaleReason) -> bool {
        self.0 & (1 << reason as u8) != 0
    }

    /// The reasons, one bit each, in the order of [`STALE_REASONS`].
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// What [`bits`](Self::bits) gave.
    pub(super) const fn from_bits(bits: u8) -> Option<Self> {
        if bits >> STALE_REASONS.len() == 0 { Some(Freshness(bits)) } else { None }
    }

    #[must_use]
    pub(super) const fn with(self, reason: StaleReason) -> Self {
        Freshness(self.0 | 1 << reason as u8)
    }

    #[must_use]
    pub(super) const fn without(self, reason: StaleReason) -> Self {
        Freshness(self.0 & !(1 << reason as u8))
    }

    #[must_use]
    pub(super) const fn and(self, other: Freshness) -> Self {
        Freshness(self.0 | other.0)
    }
}

/// What a staleness is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// Every book.
    All,
    /// One book.
    One(InstrumentId),
}
