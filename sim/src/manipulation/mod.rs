//! Manipulations, labelled: a synthetic market into which somebody plays what surveillance looks for, and others play what looks like it.
//!
//! The [order flow](crate::order_flow) trades as ever. Into each symbol [`day`] plays one episode after the other: with an even
//! chance a manipulation or a decoy, of any [`Kind`] and [`Strength`]. What is written down of it is the truth that a detector is
//! judged by: which kind, how strong, and the exchange's stamps of its first and last message.
//!
//! | kind | what is done | its decoys |
//! |---|---|---|
//! | layering | orders at several prices of a side, until a small order of the other side has traded; then all are pulled | quotes at several prices of both sides, renewed; a side that is pulled after one of its own orders traded; a parent order in slices, each cancelled in its own time |
//! | spoofing | the same with a single large order | a large order that trades and whose rest is cancelled; one that is moved along with the market |
//! | ignition | a burst of orders that take one price after the other, followers, and the position sold to them | the burst of somebody who keeps what was bought; news, after which all trade in a direction; a burst in both directions |
//! | iceberg | an order at the best price that is there again, with the same size, as soon as it has traded | others who join that price; a large order that trades bit by bit; one that comes back at a worse price |
//!
//! Layering and spoofing are one manipulation to those who forbid them, and momentum ignition another: both are among the practices that annex II of the
//! Delegated Regulation (EU) 2016/522 describes. An iceberg is allowed, and looked for because it hides size.
//!
//! A faint one is slower, smaller and of fewer orders: see [`Strength`]. Sizes of the flow itself have a heavy tail, so that a large order alone says nothing.

mod day;
mod script;
#[cfg(test)]
mod tests;

pub use day::{Day, DayConfig, day};

use firelane_gateway::base::Nanos;
use std::ops::Range;

/// Seeds of the days that a detector may learn from.
pub const TRAIN: Range<u64> = 1_000..1_024;
/// Seeds of the days by which it is chosen, and its threshold.
pub const VALIDATION: Range<u64> = 2_000..2_008;
/// Seeds of the days on which it is reported. Nothing is chosen by them.
pub const TEST: Range<u64> = 3_000..3_024;

/// What is labelled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// Orders at several prices that are there to be seen.
    Layering,
    /// One large order that is there to be seen.
    Spoofing,
    /// A burst of trades that others are to follow.
    Ignition,
    /// An order that shows a part of its size.
    Iceberg,
}

/// What a detector says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Alert {
    /// Layering or spoofing.
    Layering,
    /// Momentum ignition.
    Ignition,
    /// An iceberg.
    Iceberg,
}

/// How easily it is seen. Times are means.
///
/// | | layers, lots of each | lots of a spoof | come, and are pulled, apart by | sweeps, apart by | an iceberg's refills, after, their sizes within |
/// |---|---|---|---|---|---|
/// | blatant | 5 to 8, 10 to 30 | 40 to 90 | 1 ms, 0.2 ms | 10 to 15, 2 ms | 6 to 12, 0.5 ms, the same |
/// | plain | 3 to 5, 5 to 12 | 20 to 40 | 8 ms, 3 ms | 6 to 9, 10 ms | 4 to 6, 3 ms, a fifth |
/// | faint | 2 or 3, 3 to 8 | 10 to 20 | 40 ms, 20 ms | 4 or 5, 40 ms | 3 or 4, 15 ms, a half |
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Strength {
    /// Large, fast and many.
    Blatant,
    /// In between.
    Plain,
    /// Small, slow and few.
    Faint,
}

/// A manipulation, or a decoy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Episode {
    /// What it is, or looks like.
    pub kind: Kind,
    /// It is none.
    pub decoy: bool,
    /// How strong.
    pub strength: Strength,
    /// Index into [`Day::symbols`].
    pub symbol: usize,
    /// The exchange's stamp of its first message, in ns since midnight.
    pub start: u64,
    /// That of its last.
    pub end: u64,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 4] = [Kind::Layering, Kind::Spoofing, Kind::Ignition, Kind::Iceberg];

    /// What a detector says of it.
    #[must_use]
    pub const fn alert(self) -> Alert {
        match self {
            Kind::Layering | Kind::Spoofing => Alert::Layering,
            Kind::Ignition => Alert::Ignition,
            Kind::Iceberg => Alert::Iceberg,
        }
    }

    /// How long after its end an alert still counts (D). The last cancel, trade or refill is what gives most of them away; half a second later the next
    /// events of the symbol have come. Icebergs go on more slowly.
    #[must_use]
    pub const fn grace(self) -> Nanos {
        match self {
            Kind::Layering | Kind::Spoofing | Kind::Ignition => Nanos::from_millis(500),
            Kind::Iceberg => Nanos::from_millis(1_000),
        }
    }

    /// As reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Layering => "layering",
            Kind::Spoofing => "spoofing",
            Kind::Ignition => "ignition",
            Kind::Iceberg => "iceberg",
        }
    }
}

impl Alert {
    /// All of them.
    pub const ALL: [Alert; 3] = [Alert::Layering, Alert::Ignition, Alert::Iceberg];

    /// As reports and detectors call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Alert::Layering => "layering",
            Alert::Ignition => "ignition",
            Alert::Iceberg => "iceberg",
        }
    }
}

impl Strength {
    /// All of them.
    pub const ALL: [Strength; 3] = [Strength::Blatant, Strength::Plain, Strength::Faint];

    /// As reports call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Strength::Blatant => "blatant",
            Strength::Plain => "plain",
            Strength::Faint => "faint",
        }
    }
}
