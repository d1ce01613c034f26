//! Commands and the answers to them, as log and tape hold them.
//!
//! ```text
//! command = CommandBody  the word's own body
//! answer  = AnswerBody   why it was rejected, in words
//! ```
//!
//! A command is read from its record alone, in a live lane as in its replay, so that no two readings of one can differ.
//! What cannot be read as a word of this build is [`Word::Unknown`].

use crate::base::{AccountId, InstrumentId, Mono, Notional, ParentId, Price, Qty, Side, StrategyId, VenueId};
use crate::flow::command::{
    Command, Commander, Detected, Foreign, Key, Outcome, Own, ParentOrder, ParentStep, To, Word,
};
use crate::flow::risk::{LaneLimitChange, LimitChange, ShortSale};
use core::fmt;
use zerocopy::byteorder::little_endian::{I64, I128, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Body of [`Kind::Command`](super::Kind::Command): what stands in front of the word's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct CommandBody {
    /// [`Word::code`].
    pub code: u8,
    /// Which of the next are named: 1 a venue, 2 an instrument, 4 a strategy, in sum.
    pub to: u8,
    /// Who says it.
    pub from: U16,
    /// His number for it.
    pub ticket: U64,
    /// Venue, or 0.
    pub venue: u8,
    /// Strategy, or 0.
    pub strategy: U16,
    /// Instrument, or 0.
    pub instrument: U32,
    /// Until when it holds, ns on the lane's clock.
    pub expires: U64,
}

const HEAD: usize = size_of::<CommandBody>();
const _: () = assert!(HEAD == 27);

const VENUE: u8 = 1;
const INSTRUMENT: u8 = 2;
const STRATEGY: u8 = 4;

/// Body of [`Word::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LimitsBody {
    /// Which of the next are changed: 1, 2, 4, 8, 16, in their order, in sum.
    pub set: u8,
    /// Largest size of an order.
    pub order_qty: I64,
    /// Largest value of an order.
    pub order_notional: I128,
    /// Largest position.
    pub position: I64,
    /// Open notional of the instrument.
    pub open: I128,
    /// Short sales: 0 forbidden, 1 located, 2 market maker.
    pub short: u8,
}

/// Body of [`Word::LaneLimits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LaneLimitsBody {
    /// Which of the next are changed: 1, 2, 4, in their order, in sum.
    pub set: u8,
    /// Open notional of the lane.
    pub total_open: I128,
    /// Orders a second.
    pub orders_per_second: U32,
    /// Orders at one instant.
    pub burst: U32,
}

/// Body of [`Word::CarryIn`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct CarryInBody {
    /// Shares, negative when short.
    pub shares: I64,
    /// Cost.
    pub cost: I128,
}

/// Body of [`Word::Alert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct DetectedBody {
    /// Which detector.
    pub detector: U16,
    /// How much.
    pub value: I64,
    /// When, ns on the lane's clock.
    pub at: U64,
}

/// Body of [`Word::Parameter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ParameterBody {
    /// Its name, padded with zeros.
    pub key: [u8; Key::MOST],
    /// Its value.
    pub value: I64,
}

/// Body of [`Word::Parent`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ParentBody {
    /// The place of the step in [`ParentStep::ALL`].
    pub what: u8,
    /// `B` or `S`.
    pub side: u8,
    /// 1: there is a limit.
    pub limited: u8,
    /// Urgency.
    pub urgency: u8,
    /// Algorithm.
    pub algorithm: U16,
    /// Account.
    pub account: U16,
    /// Its number.
    pub parent: U64,
    /// Shares.
    pub qty: I64,
    /// Limit, or 0.
    pub limit: I64,
    /// Not before, ns on the lane's clock.
    pub start: U64,
    /// Not after.
    pub end: U64,
}

/// A command as its record holds it, borrowed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CommandBytes<'a>(&'a [u8]);

/// One of the shell's, to the lane, without arguments.
const fn plain(code: u8) -> [u8; HEAD] {
    [code, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]
}

impl CommandBytes<'static> {
    /// The shell's [`Word::Kill`] to the lane; so are the next.
    pub const KILL: Self = CommandBytes(&plain(Word::Kill.code()));
    /// [`Word::Release`].
    pub const RELEASE: Self = CommandBytes(&plain(Word::Release.code()));
    /// [`Word::Enable`].
    pub const ENABLE: Self = CommandBytes(&plain(Word::Enable.code()));
    /// [`Word::Disable`].
    pub const DISABLE: Self = CommandBytes(&plain(Word::Disable.code()));
    /// [`Word::Shutdown`].
    pub const SHUTDOWN: Self = CommandBytes(&plain(Word::Shutdown.code()));
    /// [`Word::Start`].
    pub const START: Self = CommandBytes(&plain(Word::Start.code()));
    /// [`Word::Hold`].
    pub const HOLD: Self = CommandBytes(&plain(Word::Hold.code()));
    /// [`Word::Resume`].
    pub const RESUME: Self = CommandBytes(&plain(Word::Resume.code()));
}

impl<'a> CommandBytes<'a> {
    /// Bytes of the longest.
    pub const MOST: usize = HEAD + Own::MOST;

    /// `None`: too short or too long for any command.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Option<Self> {
        (HEAD..=Self::MOST).contains(&bytes.len()).then_some(CommandBytes(bytes))
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub const fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// The command.
    #[must_use]
    pub fn read(self) -> Command<'a> {
        let Ok((head, body)) = CommandBody::ref_from_prefix(self.0) else {
            return Command::of(Word::Unknown(Foreign::NONE));
        };
        let named = |bit| head.to & bit != 0;
        let known = head.to & !(VENUE | INSTRUMENT | STRATEGY) == 0;
        let word = if known { word_of(head.code, body) } else { None };
        let foreign = Foreign::new(head.code, body).unwrap_or(Foreign::NONE);
        Command {
            from: Commander(head.from.get()),
            ticket: head.ticket.get(),
            to: To {
                venue: named(VENUE).then_some(VenueId(head.venue)),
                instrument: named(INSTRUMENT).then_some(InstrumentId(head.instrument.get())),
                strategy: named(STRATEGY).then_some(StrategyId(head.strategy.get())),
            },
            expires: Mono(head.expires.get()),
            word: word.unwrap_or(Word::Unknown(foreign)),
        }
    }

    /// The venue whose feed it is for: of a [`Word::Snapshot`] that names one, and nothing else.
    #[inline]
    #[must_use]
    pub fn snapshot_of(self) -> Option<VenueId> {
        let head = CommandBody::ref_from_bytes(self.0).ok()?;
        ((head.code, head.to) == (Word::Snapshot.code(), VENUE)).then_some(VenueId(head.venue))
    }

    /// Has it expired at `now`?
    #[must_use]
    pub fn is_expired(self, now: Mono) -> bool {
        self.read().expires < now
    }

    /// Is it this word, without arguments, whoever says it, to the whole lane?
    #[must_use]
    pub fn is(self, word: Word<'_>) -> bool {
        CommandBody::ref_from_bytes(self.0).is_ok_and(|head| head.code == word.code() && head.to == 0)
    }
}

impl fmt::Debug for CommandBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read().fmt(f)
    }
}

/// A command as its record holds it, with its bytes: what waits in an inbox.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CommandBuf {
    bytes: [u8; CommandBytes::MOST],
    length: usize,
}

impl fmt::Debug for CommandBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().fmt(f)
    }
}

impl CommandBuf {
    /// A command, written down.
    #[must_use]
    pub fn of(command: &Command<'_>) -> Self {
        let Command { from, ticket, to, expires, word } = *command;
        let bit = |named: bool, bit: u8| if named { bit } else { 0 };
        let head = CommandBody {
            code: word.code(),
            to: bit(to.venue.is_some(), VENUE)
                | bit(to.instrument.is_some(), INSTRUMENT)
                | bit(to.strategy.is_some(), STRATEGY),
            from: U16::new(from.0),
            ticket: U64::new(ticket),
            venue: to.venue.map_or(0, |venue| venue.0),
            strategy: U16::new(to.strategy.map_or(0, |strategy| strategy.0)),
            instrument: U32::new(to.instrument.map_or(0, |instrument| instrument.0)),
            expires: U64::new(expires.0),
        };
        let mut buf = CommandBuf { bytes: [0; CommandBytes::MOST], length: 0 };
        buf.put(head.as_bytes());
        buf.put_word(&word);
        buf
    }

    /// The shell's [`Word::Snapshot`] of a venue.
    #[must_use]
    pub fn snapshot(venue: VenueId) -> Self {
        CommandBuf::of(&Command::of(Word::Snapshot).to(To::venue(venue)))
    }

    /// As it goes into a lane.
    #[must_use]
    pub fn bytes(&self) -> CommandBytes<'_> {
        CommandBytes(self.bytes.get(..self.length).unwrap_or_default())
    }

    /// The command.
    #[must_use]
    pub fn read(&self) -> Command<'_> {
        self.bytes().read()
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(room) = self.bytes.get_mut(self.length..end) {
            room.copy_from_slice(bytes);
            self.length = end;
        }
    }
}

/// The shell's, to the whole lane.
impl PartialEq<Word<'_>> for CommandBuf {
    fn eq(&self, word: &Word<'_>) -> bool {
        self.read() == Command::of(*word)
    }
}

impl From<Command<'_>> for CommandBuf {
    fn from(command: Command<'_>) -> Self {
        CommandBuf::of(&command)
    }
}

impl From<Word<'_>> for CommandBuf {
    /// The shell's, to the whole lane.
    fn from(word: Word<'_>) -> Self {
        CommandBuf::of(&Command::of(word))
    }
}

impl From<CommandBytes<'_>> for CommandBuf {
    fn from(command: CommandBytes<'_>) -> Self {
        let mut buf = CommandBuf { bytes: [0; CommandBytes::MOST], length: 0 };
        buf.put(command.0);
        buf
    }
}

// ---- each word's body: written here, read below ------------------------------------------------------------------------

impl CommandBuf {
    fn put_word(&mut self, word: &Word<'_>) {
        match word {
            Word::Kill | Word::Release | Word::Enable | Word::Disable | Word::Shutdown => {}
            Word::Snapshot | Word::Start | Word::Hold | Word::Resume => {}
            Word::Limits(change) => self.put(limits(change).as_bytes()),
            Word::LaneLimits(change) => self.put(lane_limits(change).as_bytes()),
            Word::Locates { shares } => self.put(I64::new(shares.0).as_bytes()),
            Word::CarryIn { shares, cost } => {
                self.put(CarryInBody { shares: I64::new(shares.0), cost: I128::new(cost.0) }.as_bytes());
            }
            Word::Target { position } => self.put(I64::new(position.0).as_bytes()),
            Word::Alert(Detected { detector, value, at }) => {
                let (value, at) = (I64::new(*value), U64::new(at.0));
                self.put(DetectedBody { detector: U16::new(*detector), value, at }.as_bytes());
            }
            Word::Parameter { key, value } => {
                self.put(ParameterBody { key: key.padded(), value: I64::new(*value) }.as_bytes());
            }
            Word::Parent(order) => self.put(parent(order).as_bytes()),
            Word::Own(own) => self.put(own.bytes()),
            Word::Unknown(foreign) => self.put(foreign.bytes()),
        }
    }
}

/// `None`: no word of this build.
fn word_of(code: u8, body: &[u8]) -> Option<Word<'_>> {
    let number = || Some(Qty(I64::read_from_bytes(body).ok()?.get()));
    Some(match code {
        1 if body.is_empty() => Word::Kill,
        2 if body.is_empty() => Word::Release,
        3 if body.is_empty() => Word::Enable,
        4 if body.is_empty() => Word::Disable,
        5 if body.is_empty() => Word::Shutdown,
        6 if body.is_empty() => Word::Snapshot,
        7 if body.is_empty() => Word::Start,
        8 if body.is_empty() => Word::Hold,
        9 if body.is_empty() => Word::Resume,
        10 => Word::Limits(limits_of(LimitsBody::ref_from_bytes(body).ok()?)?),
        11 => Word::LaneLimits(lane_limits_of(LaneLimitsBody::ref_from_bytes(body).ok()?)?),
        12 => Word::Locates { shares: number()? },
        13 => {
            let CarryInBody { shares, cost } = CarryInBody::read_from_bytes(body).ok()?;
            Word::CarryIn { shares: Qty(shares.get()), cost: Notional(cost.get()) }
        }
        14 => Word::Target { position: number()? },
        15 => {
            let DetectedBody { detector, value, at } = DetectedBody::read_from_bytes(body).ok()?;
            Word::Alert(Detected { detector: detector.get(), value: value.get(), at: Mono(at.get()) })
        }
        16 => {
            let ParameterBody { key, value } = ParameterBody::read_from_bytes(body).ok()?;
            Word::Parameter { key: Key::from_padded(key)?, value: value.get() }
        }
        17 => Word::Parent(parent_of(ParentBody::ref_from_bytes(body).ok()?)?),
        18 => Word::Own(Own::new(body)?),
        _ => return None,
    })
}

/// The places of `given` that are there, each a bit.
fn set_of(given: &[bool]) -> u8 {
    let bit = |(place, given): (u32, &bool)| if *given { 1u8.checked_shl(place).unwrap_or(0) } else { 0 };
    (0..).zip(given).map(bit).fold(0, |sum, bit| sum | bit)
}

/// `value`, where its bit is set. `None`: it has one without it.
fn where_set<T: PartialEq + Default>(set: u8, place: u32, value: T) -> Option<Option<T>> {
    if set & 1u8.checked_shl(place)? != 0 { Some(Some(value)) } else { (value == T::default()).then_some(None) }
}

const SHORT: [ShortSale; 3] = [ShortSale::Forbidden, ShortSale::Located, ShortSale::MarketMaker];

fn limits(change: &LimitChange) -> LimitsBody {
    let LimitChange { order_qty, order_notional, position, open, short } = *change;
    LimitsBody {
        set: set_of(&[
            order_qty.is_some(),
            order_notional.is_some(),
            position.is_some(),
            open.is_some(),
            short.is_some(),
        ]),
        order_qty: I64::new(order_qty.map_or(0, |qty| qty.0)),
        order_notional: I128::new(order_notional.map_or(0, |worth| worth.0)),
        position: I64::new(position.map_or(0, |qty| qty.0)),
        open: I128::new(open.map_or(0, |worth| worth.0)),
        short: match short {
            None | Some(ShortSale::Forbidden) => 0,
            Some(ShortSale::Located) => 1,
            Some(ShortSale::MarketMaker) => 2,
        },
    }
}

fn limits_of(body: &LimitsBody) -> Option<LimitChange> {
    let LimitsBody { set, order_qty, order_notional, position, open, short } = *body;
    if set > 0b1_1111 {
        return None;
    }
    Some(LimitChange {
        order_qty: where_set(set, 0, order_qty.get())?.map(Qty),
        order_notional: where_set(set, 1, order_notional.get())?.map(Notional),
        position: where_set(set, 2, position.get())?.map(Qty),
        open: where_set(set, 3, open.get())?.map(Notional),
        short: match where_set(set, 4, short)? {
            None => None,
            Some(short) => Some(*SHORT.get(usize::from(short))?),
        },
    })
}

fn lane_limits(change: &LaneLimitChange) -> LaneLimitsBody {
    let LaneLimitChange { total_open, orders_per_second, burst } = *change;
    LaneLimitsBody {
        set: set_of(&[total_open.is_some(), orders_per_second.is_some(), burst.is_some()]),
        total_open: I128::new(total_open.map_or(0, |worth| worth.0)),
        orders_per_second: U32::new(orders_per_second.unwrap_or(0)),
        burst: U32::new(burst.unwrap_or(0)),
    }
}

fn lane_limits_of(body: &LaneLimitsBody) -> Option<LaneLimitChange> {
    let LaneLimitsBody { set, total_open, orders_per_second, burst } = *body;
    if set > 0b111 {
        return None;
    }
    Some(LaneLimitChange {
        total_open: where_set(set, 0, total_open.get())?.map(Notional),
        orders_per_second: where_set(set, 1, orders_per_second.get())?,
        burst: where_set(set, 2, burst.get())?,
    })
}

fn parent(order: &ParentOrder) -> ParentBody {
    let ParentOrder { what, parent, side, qty, limit, start, end, urgency, algorithm, account } = *order;
    ParentBody {
        what: match what {
            ParentStep::New => 0,
            ParentStep::Amend => 1,
            ParentStep::Pause => 2,
            ParentStep::Resume => 3,
            ParentStep::Cancel => 4,
        },
        side: super::side_byte(side),
        limited: u8::from(limit.is_some()),
        urgency,
        algorithm: U16::new(algorithm),
        account: U16::new(account.0),
        parent: U64::new(parent.0),
        qty: I64::new(qty.0),
        limit: I64::new(limit.map_or(0, |price| price.0)),
        start: U64::new(start.0),
        end: U64::new(end.0),
    }
}

fn parent_of(body: &ParentBody) -> Option<ParentOrder> {
    let ParentBody { what, side, limited, urgency, algorithm, account, parent, qty, limit, start, end } = *body;
    Some(ParentOrder {
        what: *ParentStep::ALL.get(usize::from(what))?,
        parent: ParentId(parent.get()),
        side: match side {
            b'B' => Side::Buy,
            b'S' => Side::Sell,
            _ => return None,
        },
        qty: Qty(qty.get()),
        limit: if limited > 1 { None } else { where_set(limited, 0, limit.get()) }?.map(Price),
        start: Mono(start.get()),
        end: Mono(end.get()),
        urgency,
        algorithm: algorithm.get(),
        account: AccountId(account.get()),
    })
}

// ---- answers -----------------------------------------------------------------------------------------------------------

/// Body of [`Kind::Answer`](super::Kind::Answer): behind it stands why, as text, where there is something to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct AnswerBody {
    /// Who gave the command.
    pub from: U16,
    /// His number for it.
    pub ticket: U64,
    /// [`Word::code`] of the command.
    pub code: u8,
    /// 0 taken, 1 expired, 2 unknown, 3 rejected.
    pub outcome: u8,
    /// [`Why::number`](crate::flow::command::Why::number), 0 for none.
    pub why: u8,
}

impl AnswerBody {
    /// The most bytes of the text.
    pub const TEXT: usize = 160;

    /// To a command; and the parts of its text.
    #[must_use]
    pub fn of(command: &Command<'_>, outcome: Outcome) -> (Self, [&'static str; 3]) {
        let (outcome, why, text) = match outcome {
            Outcome::Taken => (0, 0, [""; 3]),
            Outcome::Expired => (1, 0, [""; 3]),
            Outcome::Unknown => (2, 0, [""; 3]),
            Outcome::Rejected(why) => (3, why.number(), why.words()),
        };
        let (from, ticket) = (U16::new(command.from.0), U64::new(command.ticket));
        (AnswerBody { from, ticket, code: command.word.code(), outcome, why }, text)
    }
}

/// An answer, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer<'a> {
    /// Who gave the command.
    pub from: Commander,
    /// His number for it.
    pub ticket: u64,
    /// [`Word::code`] of the command.
    pub code: u8,
    /// What became of it.
    pub said: Said,
    /// [`Why::number`](crate::flow::command::Why::number), 0 for none.
    pub why: u8,
    /// Why, in words.
    pub text: &'a str,
}

/// What became of a command, without why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// See [`Outcome::Taken`].
    Taken,
    /// See [`Outcome::Expired`].
    Expired,
    /// See [`Outcome::Unknown`].
    Unknown,
    /// See [`Outcome::Rejected`].
    Rejected,
}

impl Said {
    /// In dumps.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Said::Taken => "taken",
            Said::Expired => "expired",
            Said::Unknown => "unknown",
            Said::Rejected => "rejected",
        }
    }
}

impl<'a> Answer<'a> {
    /// From the body of its record. `None`: of none.
    #[must_use]
    pub fn read(body: &'a [u8]) -> Option<Self> {
        let (&AnswerBody { from, ticket, code, outcome, why }, text) = AnswerBody::ref_from_prefix(body).ok()?;
        let all = [Said::Taken, Said::Expired, Said::Unknown, Said::Rejected];
        Some(Answer {
            from: Commander(from.get()),
            ticket: ticket.get(),
            code,
            said: *all.get(usize::from(outcome))?,
            why,
            text: core::str::from_utf8(text).ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
