//! What a venue says that cannot be: each kind has a number, and is counted and said, never swallowed.
//!
//! A session is in order and complete, so that none of it is a matter of timing. Either side has lost count then, or the
//! port has another client: which, the lane cannot know.

use super::super::words::ReportKind;
use super::Counters;
use super::report::Subject;
use crate::base::{ClientId, InstrumentId, Token, VenueId};

macro_rules! anomalies {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $stops:literal;)*) => {
        /// What cannot be. What `said` and `known` of an [`Anomaly`] hold stands with each.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum AnomalyKind { $($(#[$doc])* $name = $value,)* }

        impl AnomalyKind {
            /// Every kind.
            pub const ALL: &'static [AnomalyKind] = &[$(AnomalyKind::$name),*];

            /// From the number in a record.
            #[must_use]
            pub const fn from_number(number: u8) -> Option<Self> {
                match number { $($value => Some(AnomalyKind::$name),)* _ => None }
            }

            /// Is what it says the venue's code of a report, which order entry knows?
            #[must_use]
            pub const fn says_code(self) -> bool {
                matches!(self, AnomalyKind::UnknownOrder | AnomalyKind::FinishedOrder | AnomalyKind::Repeated)
            }

            /// Does it cast doubt on what the lane holds or has at the venue, so that trading is to stop?
            #[must_use]
            pub const fn is_grave(self) -> bool {
                match self { $(AnomalyKind::$name => $stops,)* }
            }
        }

        crate::value! { enum AnomalyKind { $($value => $name),* } }
    };
}

anomalies! {
    /// An order stands under a number that was never sent; said: shares, known: price.
    UnknownAccepted = 1, true;
    /// A replacement stands for an order that was never sent; said: shares, known: price.
    UnknownReplaced = 2, true;
    /// Shares traded under a number that was never sent: the position lacks them; said: shares, known: price.
    UnknownFill = 3, true;
    /// Anything else about a number that was never sent; said: the venue's code of such a report.
    UnknownOrder = 4, true;
    /// A trade is broken or corrected of which nothing is known (any more): the position lacks it; said: its number.
    UnknownTrade = 5, true;
    /// More shares traded than could; said: shares, known: how many could.
    Overfill = 6, true;
    /// More shares cancelled than were open; said: shares, known: open ones.
    OverCancel = 7, true;
    /// A refusal of an order that had been accepted; said: the reason's code.
    RejectedAfterAccept = 8, true;
    /// Something about an order that is finished, or under a number that it had before; said: the venue's code of
    /// such a report.
    FinishedOrder = 9, true;
    /// An order that was refused, or settled as lost, stands; said: shares.
    AcceptedAfterReject = 10, true;
    /// An order stands otherwise than it was asked for: more shares, a worse price, the other side, another symbol;
    /// said: shares, known: how many were asked for.
    StandsOtherwise = 11, true;
    /// A replacement stands that was not asked for, or of an order that was finished; said: shares.
    ReplacedUnasked = 12, true;
    /// Shares traded at a price worse than the order's limit; said: price, known: limit.
    BeyondLimit = 13, true;
    /// A second trade of an order under one match number; said: shares, known: those of the first.
    TradeTwice = 14, true;
    /// A trade of no shares; said: 0.
    EmptyTrade = 15, true;
    /// An order has more open than before, though nobody asked; said: open shares, known: those before.
    Grown = 16, true;
    /// A message of a known type with a wrong length or an impossible field: what it said is lost; said: the code of
    /// its type, known: its length.
    Malformed = 17, true;
    /// A numbered message of no bytes: what it was to say is lost.
    Empty = 18, true;
    /// A message of a type that this build does not know; said: the code of its type, known: its length.
    UnknownType = 19, false;
    /// A session packet of an unknown letter, or of a length that does not suit it; said: the code of its type, known: its length.
    UnknownPacket = 20, false;
    /// A message outside the numbered ones, where the protocol has none; said: the code of its type, known: its length.
    Unsequenced = 21, false;
    /// What was said before is said again under a new number: of no effect; said: the venue's code of such
    /// a report.
    Repeated = 22, false;
    /// The venue has received numbers that were never sent; said: the number that it would take next, known: the one that
    /// would have been sent next.
    NumbersTaken = 23, true;
}

/// One thing that cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Anomaly {
    /// What.
    pub what: AnomalyKind,
    /// Which venue said it.
    pub venue: VenueId,
    /// In what kind of report.
    pub report: ReportKind,
    /// The number that it named, 0 where it named none.
    pub token: Token,
    /// Whose number it is.
    pub order: Option<ClientId>,
    /// In which instrument.
    pub instrument: Option<InstrumentId>,
    /// What the venue said; see the kind. Where that is the code of a report, order entry knows it: 0 here.
    pub said: i64,
    /// What was known; see the kind.
    pub known: i64,
}

crate::value! { Anomaly { what, venue, report, token, order, instrument, said, known } }

impl Anomaly {
    pub(super) fn of(what: AnomalyKind, about: Subject, said: i64, known: i64) -> Self {
        let Subject { venue, token, kind } = about;
        Anomaly { what, venue, report: kind, token, order: None, instrument: None, said, known }
    }
}

/// What of the venue's words makes no sense by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// [`AnomalyKind::Malformed`] or one of those after it.
    pub why: AnomalyKind,
    /// The code of its type, as the venue writes it: a letter's ASCII number, a number. 0: it has none.
    pub code: u32,
    /// Its length in bytes.
    pub length: u32,
}

/// What [`Orders`](super::Orders) found last, until somebody takes it. One report finds one at most: the first.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) counters: Counters,
    pub(super) last: Option<Anomaly>,
}

crate::state! { Findings { counters, last } }

impl Findings {
    #[cold]
    pub(super) fn note(&mut self, anomaly: Anomaly) {
        let counters = &mut self.counters;
        let counter = match anomaly.what {
            AnomalyKind::UnknownAccepted
            | AnomalyKind::UnknownReplaced
            | AnomalyKind::UnknownFill
            | AnomalyKind::UnknownOrder
            | AnomalyKind::NumbersTaken => &mut counters.unknown,
            AnomalyKind::UnknownTrade => &mut counters.unknown_trades,
            AnomalyKind::Repeated => &mut counters.duplicates,
            // Order entry has counted it.
            AnomalyKind::Malformed
            | AnomalyKind::Empty
            | AnomalyKind::UnknownType
            | AnomalyKind::UnknownPacket
            | AnomalyKind::Unsequenced => &mut counters.unreadable,
            _ => &mut counters.contradictions,
        };
        *counter = counter.wrapping_add(1);
        self.last = self.last.or(Some(anomaly));
    }
}
