//! The words in which any venue's reports are told: why, how visible, which side of a trade, what of the day.
//!
//! A venue's own codes are letters in OUCH, numbers in FIX, texts elsewhere. Order entry sorts each into a class here,
//! for programs, and keeps the code, for people: nothing in the lane reads a code.

/// Names for small numbers that stand on the tape.
macro_rules! words {
    ($($(#[$meta:meta])* $word:ident { $($(#[$doc:meta])* $name:ident = $number:literal $text:literal,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum $word { $($(#[$doc])* $name = $number,)* }

        impl $word {
            /// Every one.
            pub const ALL: &'static [$word] = &[$($word::$name),*];

            /// From the number in a record.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($number => Some($word::$name),)* _ => None }
            }

            /// For people.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($word::$name => $text,)* }
            }
        }

        crate::value! { enum $word { $($number => $name),* } }
    )*};
}

words! {
    /// What kind of thing a venue said.
    ReportKind {
        /// The day moves on.
        Day = 1 "day",
        /// A new order stands.
        Accepted = 2 "accepted",
        /// A replacement stands.
        Replaced = 3 "replaced",
        /// Shares were taken off.
        Canceled = 4 "cancelled",
        /// Shares were taken off because they met our own.
        SelfMatched = 5 "self-match",
        /// Shares traded.
        Executed = 6 "executed",
        /// A trade is broken.
        Broken = 7 "trade broken",
        /// A trade is corrected.
        Corrected = 8 "trade corrected",
        /// A request was refused.
        Rejected = 9 "rejected",
        /// A cancel waits.
        CancelPending = 10 "cancel pending",
        /// A cancel was refused.
        CancelRejected = 11 "cancel rejected",
        /// Price or place in the queue changed.
        PriorityUpdated = 12 "priority updated",
        /// Marking or size changed.
        Modified = 13 "modified",
        /// What the feed shows changed.
        Restated = 14 "restated",
        /// A mass cancel was taken.
        MassCancelled = 15 "mass cancel",
        /// No new orders are taken.
        EntryDisabled = 16 "entry disabled",
        /// New orders are taken again.
        EntryEnabled = 17 "entry enabled",
        /// Everything up to here is worked through.
        Settled = 18 "settled",
        /// Makes no sense.
        Unreadable = 19 "unreadable",
    }

    /// Why a venue did something, in classes that hold for every venue: from the reasons of OUCH 5.0 and 4.2 and of FIX
    /// (OrdRejReason 103, CxlRejReason 102, ExecRestatementReason 378).
    ReasonClass {
        /// It gave none.
        None = 0 "none",
        /// Somebody on our side asked for it. (OUCH `U`.)
        ByRequest = 1 "by request",
        /// The time in force is over, or nothing was there to trade with at once. (OUCH `T`, `I`.)
        TimeInForce = 2 "time in force",
        /// It met our own order. (OUCH `Q`.)
        SelfMatch = 3 "self-match",
        /// The venue's staff did it. (OUCH `S`; FIX 103=12.)
        Supervisory = 4 "supervisory",
        /// A rule forbids it: short-sale restriction, a locate that is missing. (OUCH `D`.)
        Regulatory = 5 "regulatory",
        /// The instrument is halted. (OUCH `H`; FIX 378=6.)
        Halted = 6 "halted",
        /// The market is closed. (OUCH `E`; FIX 103=2.)
        Closed = 7 "closed",
        /// Its price is beyond a band, collar or other protection of the market. (OUCH `K`, `X`; FIX 103=16.)
        PriceProtection = 8 "price protection",
        /// It would have taken liquidity, and was not to. (OUCH `F`, `G`.)
        PostOnly = 9 "post-only",
        /// The venue itself: its systems, or of its own accord. (OUCH `Z`; FIX 103=0, 378=7 and 8.)
        Venue = 10 "venue",
        /// The firm or port may not do this. (FIX 103=11 and 15.)
        NotAllowed = 11 "not allowed",
        /// A field can't be so. (FIX 103=13 and 18.)
        InvalidField = 12 "invalid field",
        /// There is no such instrument. (FIX 103=1.)
        UnknownInstrument = 13 "unknown instrument",
        /// A limit of the venue's risk checks. (FIX 103=3.)
        Risk = 14 "risk",
        /// The request's number was used before. (FIX 103=6, 102=6.)
        Duplicate = 15 "duplicate",
        /// There is no such order. (FIX 103=5, 102=1.)
        UnknownOrder = 16 "unknown order",
        /// Too late for it, or something else is under way. (FIX 103=4, 102=0 and 3.)
        TooLate = 17 "too late",
        /// No answer ever came: said by this program, not by a venue.
        NoAnswer = 18 "no answer",
        /// A trade was clearly erroneous.
        Erroneous = 19 "erroneous",
        /// Both sides of a trade agreed.
        Consent = 20 "consent",
        /// The price that is shown was changed. (FIX 378=3.)
        Repriced = 21 "repriced",
        /// The size that is shown was refreshed. (FIX 378=11.)
        Refreshed = 22 "refreshed",
        /// Anything else. (FIX 99.)
        Other = 23 "other",
    }

    /// Which part an order had in a trade.
    LiquidityKind {
        /// Not said.
        Unknown = 0 "unknown",
        /// It rested.
        Added = 1 "added",
        /// It came, and traded at once.
        Removed = 2 "removed",
        /// In an auction.
        Auction = 3 "auction",
        /// At another venue.
        Routed = 4 "routed",
        /// In a way of the venue's own.
        Other = 5 "other",
    }

    /// How an order is shown.
    Visibility {
        /// Not said, or in a way of the venue's own.
        Other = 0 "other",
        /// To all, without a name.
        Displayed = 1 "displayed",
        /// To nobody.
        Hidden = 2 "hidden",
        /// To all, with the firm's name.
        Attributed = 3 "attributed",
        /// To all, but not as it was asked for: so that it keeps the market's rules.
        Conformed = 4 "conformed",
    }
}

/// Why: the class, and the venue's own code for people. A letter is its ASCII number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reason {
    /// For programs.
    pub class: ReasonClass,
    /// For people, 0 where the venue gave none.
    pub code: u32,
}

crate::value! { Reason { class, code } }

impl Reason {
    /// None was given.
    pub const NONE: Reason = Reason { class: ReasonClass::None, code: 0 };
    /// Of a step that no message of the venue caused: a request that was never answered.
    pub const NO_ANSWER: Reason = Reason { class: ReasonClass::NoAnswer, code: 0 };

    /// Of this class, as the venue calls it.
    #[inline]
    #[must_use]
    pub const fn new(class: ReasonClass, code: u32) -> Self {
        Reason { class, code }
    }
}

/// Which part an order had in a trade: the kind, and the venue's own code for people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Liquidity {
    /// For programs.
    pub kind: LiquidityKind,
    /// For people, 0 where the venue gave none.
    pub code: u32,
}

crate::value! { Liquidity { kind, code } }

impl Liquidity {
    /// Nothing was said.
    pub const UNKNOWN: Liquidity = Liquidity { kind: LiquidityKind::Unknown, code: 0 };

    /// Of this kind, as the venue calls it.
    #[inline]
    #[must_use]
    pub const fn new(kind: LiquidityKind, code: u32) -> Self {
        Liquidity { kind, code }
    }
}

/// What a venue says of its day.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DayEvent {
    /// It begins.
    Begins,
    /// It ends: no new orders; breaks and cancels may follow.
    Ends,
    /// Something else, by the venue's own code.
    Other(u32),
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn numbers_come_back_and_names_are_told_apart() {
        macro_rules! all {
            ($($word:ident)*) => {$(
                let names: BTreeSet<&str> = $word::ALL.iter().map(|word| word.name()).collect();
                assert_eq!(names.len(), $word::ALL.len());
                assert!($word::ALL.iter().all(|word| $word::from_number(*word as u8) == Some(*word)));
                assert_eq!($word::from_number(200), None);
            )*};
        }
        all!(ReportKind ReasonClass LiquidityKind Visibility);
    }
}
