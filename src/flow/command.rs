//! What may be said to a running lane. Commands are inputs like any other: logged, numbered, replayed.
//!
//! A [`Command`] is a word with its arguments, an addressee, an expiry, and who says it. It goes into the lane as its
//! record ([`CommandBytes`], encoded and decoded in `record::command`): what the lane acts on is what the log holds, byte
//! for byte. Each is answered by one tape record ([`Outcome`]), which names who asked and the number that he gave it.

use super::risk::{LaneLimitChange, LimitChange};
use crate::base::{
    AccountId, InstrumentId, Mono, Notional, OutOfRange, ParentId, Price, Qty, Side, StrategyId, VenueId,
};
use core::fmt;

pub use super::record::command::{CommandBuf, CommandBytes};

/// Who commands. The shell gives each of its inboxes one, so that nobody speaks in another's name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Commander(pub u16);

impl Commander {
    /// The shell itself: the kill switch, the start, the end.
    pub const SHELL: Commander = Commander(0);
    /// Whoever speaks over the control socket.
    pub const CONTROL: Commander = Commander(1);
    /// A portfolio beside the lane, which says targets.
    pub const PORTFOLIO: Commander = Commander(2);
    /// Who owns the limits of the firm and leases them to its lanes.
    pub const OWNER: Commander = Commander(u16::MAX);
}

/// Whom a command is for, or whom it is about. Nobody named: the lane as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct To {
    /// A venue of the lane.
    pub venue: Option<VenueId>,
    /// An instrument of the lane.
    pub instrument: Option<InstrumentId>,
    /// A strategy of the lane.
    pub strategy: Option<StrategyId>,
}

impl To {
    /// The lane as a whole.
    pub const LANE: To = To { venue: None, instrument: None, strategy: None };

    /// A venue.
    #[must_use]
    pub const fn venue(venue: VenueId) -> Self {
        To { venue: Some(venue), ..To::LANE }
    }

    /// An instrument.
    #[must_use]
    pub const fn instrument(instrument: InstrumentId) -> Self {
        To { instrument: Some(instrument), ..To::LANE }
    }

    /// A strategy.
    #[must_use]
    pub const fn strategy(strategy: StrategyId) -> Self {
        To { strategy: Some(strategy), ..To::LANE }
    }
}

/// One command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Command<'a> {
    /// Who says it.
    pub from: Commander,
    /// His own number for it, which the answer repeats. 0: he wants none.
    pub ticket: u64,
    /// For whom, or about whom.
    pub to: To,
    /// From the lane's clock later than this it has no effect. [`Mono::NEVER`]: it does not expire.
    pub expires: Mono,
    /// What is wanted.
    pub word: Word<'a>,
}

impl<'a> Command<'a> {
    /// The shell's, to the whole lane, for as long as it takes.
    #[must_use]
    pub const fn of(word: Word<'a>) -> Self {
        Command { from: Commander::SHELL, ticket: 0, to: To::LANE, expires: Mono::NEVER, word }
    }

    /// The same to somebody else.
    #[must_use]
    pub const fn to(self, to: To) -> Self {
        Command { to, ..self }
    }
}

/// What is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word<'a> {
    /// Throw the kill switch: what rests is cancelled, nothing may enter. Latched until released. To the lane, or to one
    /// venue, instrument or strategy, for what is there alone.
    Kill,
    /// Release the kill switch of the lane, a venue, an instrument or a strategy. Each has its own: the lane's releases
    /// none of the others.
    Release,
    /// Let the strategies act, or one of them.
    Enable,
    /// Stop the strategies, or one of them, and cancel what rests; the market goes on being followed. One that is stopped
    /// alone goes on hearing, and no order of its may enter.
    Disable,
    /// Stop for good: cancel what rests, wait for the answers, log out.
    Shutdown,
    /// Ask for a snapshot of a venue's market: the splice heals its books. To the venue.
    Snapshot,
    /// Open order entry: log in, learn what is known of earlier runs, cancel it, then trade.
    Start,
    /// The market is not taken for a while: the strategies wait, and nothing rests. The shell's own; whatever else has stopped
    /// the strategies is not touched by it, nor by its end.
    Hold,
    /// It is taken again. The shell's own.
    Resume,
    /// Other limits for an instrument.
    Limits(LimitChange),
    /// Other limits for the lane.
    LaneLimits(LaneLimitChange),
    /// So many shares of an instrument are located for the day, used ones included.
    Locates {
        /// Shares: 0 to 2^40.
        shares: Qty,
    },
    /// A position of an instrument was brought in, a strategy's if one is named, else nobody's.
    CarryIn {
        /// Shares, negative when short: -2^40 to 2^40.
        shares: Qty,
        /// What they cost, as the ledger counts money; negative for a short position. -2^100 to 2^100.
        cost: Notional,
    },
    /// Hold this position in an instrument. For strategies.
    Target {
        /// Shares, negative when short.
        position: Qty,
    },
    /// A detector elsewhere has seen something, in an instrument if one is named. For strategies.
    Alert(Detected),
    /// A parameter of a strategy has another value.
    Parameter {
        /// Which, as the strategy names it.
        key: Key,
        /// What it is now, in the unit that its configuration gives it; times in nanoseconds.
        value: i64,
    },
    /// An order to be worked by a strategy that executes.
    Parent(ParentOrder),
    /// A strategy's own words.
    Own(Own<'a>),
    /// One that this build does not know: counted, told of, and without effect.
    Unknown(Foreign<'a>),
}

macro_rules! words {
    ($($name:ident = $code:literal,)*) => {
        impl Word<'_> {
            /// Its number in the log.
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self { $(Word::$name { .. } => $code,)* Word::Unknown(foreign) => foreign.code }
            }

            /// The name in dumps of the word of a number. `None`: this build does not know it.
            #[must_use]
            pub const fn name_of(code: u8) -> Option<&'static str> {
                match code { $($code => Some(stringify!($name)),)* _ => None }
            }
        }
    };
}

words! {
    Kill = 1,
    Release = 2,
    Enable = 3,
    Disable = 4,
    Shutdown = 5,
    Snapshot = 6,
    Start = 7,
    Hold = 8,
    Resume = 9,
    Limits = 10,
    LaneLimits = 11,
    Locates = 12,
    CarryIn = 13,
    Target = 14,
    Alert = 15,
    Parameter = 16,
    Parent = 17,
    Own = 18,
}

impl Word<'_> {
    /// Its name in dumps.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Word::Unknown(_) => "Unknown",
            word => match Self::name_of(word.code()) {
                Some(name) => name,
                None => "Unknown",
            },
        }
    }
}

/// What a detector has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Detected {
    /// Which detector, as strategies and detectors agree.
    pub detector: u16,
    /// How much of it, in the detector's unit.
    pub value: i64,
    /// When it saw it, on the lane's clock.
    pub at: Mono,
}

/// A parent order: a whole that a strategy slices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParentOrder {
    /// What is to become of it.
    pub what: ParentStep,
    /// Its number: not 0.
    pub parent: ParentId,
    /// Which side.
    pub side: Side,
    /// Shares in all.
    pub qty: Qty,
    /// Not beyond this price.
    pub limit: Option<Price>,
    /// Not before, on the lane's clock.
    pub start: Mono,
    /// Not after.
    pub end: Mono,
    /// How much it may cost to be done sooner, as the algorithm reads it.
    pub urgency: u8,
    /// Which algorithm, as the strategy numbers them.
    pub algorithm: u16,
    /// For which account.
    pub account: AccountId,
}

/// What is to become of a parent order. Of pause, resume and cancel its number alone counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParentStep {
    /// It is new.
    New,
    /// It is as said now.
    Amend,
    /// Nothing more of it is sent, and what rests is cancelled.
    Pause,
    /// It goes on.
    Resume,
    /// It ends.
    Cancel,
}

impl ParentStep {
    /// Every step, in the order of its number.
    pub const ALL: [ParentStep; 5] =
        [ParentStep::New, ParentStep::Amend, ParentStep::Pause, ParentStep::Resume, ParentStep::Cancel];
}

/// The name of a parameter: 1 to 32 bytes of printable ASCII without spaces.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key([u8; Key::MOST]);

impl Key {
    /// Bytes of the longest.
    pub const MOST: usize = 32;

    /// `None`: empty, too long, or of other bytes.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut padded = [0; Key::MOST];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Key::from_padded(padded)
    }

    /// From its bytes, padded with zeros.
    #[must_use]
    pub(super) fn from_padded(bytes: [u8; Key::MOST]) -> Option<Self> {
        let mut rest = bytes.iter().skip_while(|b| b.is_ascii_graphic());
        let sound = bytes.first().is_some_and(u8::is_ascii_graphic) && rest.all(|b| *b == 0);
        sound.then_some(Key(bytes))
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.0.iter().position(|b| *b == 0).unwrap_or(Key::MOST);
        core::str::from_utf8(self.0.get(..end).unwrap_or_default()).unwrap_or_default()
    }

    pub(super) const fn padded(&self) -> [u8; Key::MOST] {
        self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.as_str())
    }
}

/// A strategy's own words: 0 to 256 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Own<'a>(&'a [u8]);

impl<'a> Own<'a> {
    /// Bytes of the longest.
    pub const MOST: usize = 256;

    /// `None`: too long.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() <= Self::MOST { Some(Own(bytes)) } else { None }
    }

    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// A word of another build.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Foreign<'a> {
    code: u8,
    bytes: &'a [u8],
}

impl<'a> Foreign<'a> {
    /// What is no word at all.
    pub(super) const NONE: Foreign<'static> = Foreign { code: 0, bytes: &[] };

    /// `None`: longer than any word. It is read as what it is: with the number of a word that this build knows, it may be
    /// that word.
    #[must_use]
    pub const fn new(code: u8, bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() <= Own::MOST { Some(Foreign { code, bytes }) } else { None }
    }

    /// Its number.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }

    /// What stands behind it.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// What became of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The lane took it, and did what is its to do.
    Taken,
    /// It came too late, and had no effect.
    Expired,
    /// This build does not know it, and it had no effect.
    Unknown,
    /// It had no effect, for this reason.
    Rejected(Why),
}

/// Why a command was rejected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// The lane has no such venue.
    NoSuchVenue,
    /// The lane has no such instrument, or not at that venue.
    NoSuchInstrument,
    /// The lane has no such strategy.
    NoSuchStrategy,
    /// It names somebody that the word is not for, or does not name whom it is for.
    Addressee(&'static str),
    /// The word is the shell's own.
    NotYours,
    /// A value is out of its range; nothing was changed.
    OutOfRange(OutOfRange),
    /// No strategy that it is for has a use for the word.
    NotUnderstood,
    /// A strategy's own reason.
    Refused(&'static str),
}

impl Why {
    /// Its number on the tape.
    #[must_use]
    pub const fn number(&self) -> u8 {
        match self {
            Why::NoSuchVenue => 1,
            Why::NoSuchInstrument => 2,
            Why::NoSuchStrategy => 3,
            Why::Addressee(_) => 4,
            Why::NotYours => 5,
            Why::OutOfRange(_) => 6,
            Why::NotUnderstood => 7,
            Why::Refused(_) => 8,
        }
    }

    /// In words: the parts of a sentence.
    #[must_use]
    pub const fn words(&self) -> [&'static str; 3] {
        match *self {
            Why::NoSuchVenue => ["the lane has no such venue", "", ""],
            Why::NoSuchInstrument => ["the lane has no such instrument there", "", ""],
            Why::NoSuchStrategy => ["the lane has no such strategy", "", ""],
            Why::Addressee(text) | Why::Refused(text) => [text, "", ""],
            Why::NotYours => ["only the shell says that", "", ""],
            Why::OutOfRange(OutOfRange { field, allowed }) => [field, " must be ", allowed],
            Why::NotUnderstood => ["no strategy that it is for understands it", "", ""],
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.words().iter().try_for_each(|part| f.write_str(part))
    }
}

impl From<OutOfRange> for Why {
    fn from(error: OutOfRange) -> Self {
        Why::OutOfRange(error)
    }
}

/// What a strategy says to a command.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[must_use]
pub enum Heard {
    /// It has no use for it.
    #[default]
    NotMine,
    /// It does as it is told.
    Taken,
    /// It does not, and nothing of it is changed.
    Refused(Why),
}

impl Heard {
    /// Of two strategies: one that takes it is enough.
    pub const fn or(self, other: Heard) -> Heard {
        match (self, other) {
            (Heard::Taken, _) | (_, Heard::Taken) => Heard::Taken,
            (Heard::Refused(why), _) | (Heard::NotMine, Heard::Refused(why)) => Heard::Refused(why),
            (Heard::NotMine, Heard::NotMine) => Heard::NotMine,
        }
    }
}

impl From<Result<(), OutOfRange>> for Heard {
    fn from(changed: Result<(), OutOfRange>) -> Self {
        changed.map_or_else(|error| Heard::Refused(error.into()), |()| Heard::Taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn keys_are_of_one_to_32_printable_bytes() {
        let long = "k".repeat(Key::MOST);
        for sound in ["a", "taker.size", &long] {
            assert_eq!(Key::new(sound).unwrap().as_str(), sound);
        }
        for bad in ["", "with space", "zero\0", "ümlaut", &(long.clone() + "k")] {
            assert_eq!(Key::new(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn own_words_are_of_256_bytes_at_most() {
        let bytes = [7; Own::MOST + 1];
        assert!(Own::new(&bytes).is_none() && Own::new(&bytes[1..]).is_some() && Own::new(&[]).is_some());
        assert!(Foreign::new(200, &bytes).is_none() && Foreign::new(200, &bytes[1..]).is_some());
    }

    #[test]
    fn one_that_takes_it_is_enough() {
        let (refused, other) = (Heard::Refused(Why::NotYours), Heard::Refused(Why::NotUnderstood));
        for (first, second, both) in [
            (Heard::NotMine, Heard::NotMine, Heard::NotMine),
            (Heard::NotMine, Heard::Taken, Heard::Taken),
            (refused, Heard::Taken, Heard::Taken),
            (Heard::Taken, refused, Heard::Taken),
            (refused, other, refused),
            (Heard::NotMine, refused, refused),
            (refused, Heard::NotMine, refused),
        ] {
            assert_eq!(first.or(second), both);
        }
        let range = Why::from(OutOfRange { field: "taker.size", allowed: "1 to 999999" });
        assert_eq!(range.to_string(), "taker.size must be 1 to 999999");
    }
}
