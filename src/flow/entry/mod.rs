//! The end where orders leave: one trait over the native protocols, and OUCH 5.0.
//!
//! ```text
//!   start ─> log in ─> replay ─> confirm ─> sweep ─> ready ─────> shutdown: sweep ─> log out
//!                        ↑         │  (first time)   │ connection lost
//!                        └──────────┴─────────────────┘
//! ```
//!
//! # The barrier
//!
//! Some requests get no answer, and what was sent on a connection that broke may have arrived or not. So an entry must be
//! able to ask the venue for something that it answers after everything sent before ([`OrderEntry::confirm`]), and tell
//! the order table by [`Report::Settled`] up to which request: what is unanswered then never will be. What it asks is the
//! protocol's:
//!
//! * OUCH 5.0: an Account Query. A port works in order, so that its answer is behind all others.
//! * FIX: a TestRequest (35=1), whose Heartbeat brings its TestReqID back; where a venue answers it ahead of what its
//!   matching engine still holds, an OrderMassStatusRequest (35=AF), of which the last report says that it is.
//! * OUCH 4.2 has no query, and is silent about a cancel of what is finished. A barrier there is a request whose answer is
//!   certain: an order that must be rejected (of no shares), which takes a token, and whose Rejected is the answer. It
//!   is of the session, not of a strategy: nothing that could trade.
//! * REST, where requests are answered one by one: the answer to a listing of open orders that was asked for after the last
//!   request was answered or timed out.
//!
//! A venue with none of these confirms by silence: [`Report::Settled`] after a time with nothing unanswered in the log of
//! the connection. Then [`Stage::Confirming`] takes that time, and is else the same. An entry that is confirmed at
//! once may leave it out.
//!
//! # What survives the program
//!
//! An entry is part of the lane's state: a lane that is restored goes on with its session as it was. A lane that starts
//! anew learns its orders from the venue, and most protocols let it: SoupBinTCP repeats the day from message 1. Where both
//! sides number their messages over connections and restarts (FIX, MsgSeqNum 34), those numbers are in
//! [`OrderEntry::durable`], which the shell writes down whenever [`OrderEntry::durable_mark`] has changed, and
//! [`OrderEntry::resume`] takes them up before [`OrderEntry::start`].

mod detail;
mod names;
mod ouch;
mod template;
mod translate;

pub use detail::Detail;
pub use names::{LONGEST, Names, NamesCounters, NoName};
pub use ouch::{OuchConfig, OuchCounters, OuchEntry};
pub use translate::{MAX_ACCOUNT, MAX_CLIENT_ID, MAX_STRATEGY, cl_ord_id, origin_of, report_of};

use super::action::{Cancel, CancelToken, Enter, MassCancel, Replace};
use super::orders::{Order, Report, ReportKind, Sent};
use super::outbox::Outbox;
use super::risk::{Approved, MarkedEnter};
use super::session::SessionInput;
use crate::base::{ClientId, Instrument, InstrumentTable, LoadError, Mono, Reader, Save, State};

/// Where a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Not connected; if a reconnect is due it waits for its time.
    Down,
    /// A connection was asked for, or is up and not logged in, or is being closed.
    Connecting,
    /// Logged in; the venue repeats what was missed. Orders of an earlier run are to be adopted.
    Replaying,
    /// What was missed is all here; the venue is asked to confirm what it has worked through.
    Confirming,
    /// Everything known. Before trading, or before logging out, whatever lives is to be cancelled; then
    /// [`OrderEntry::swept`].
    Sweeping,
    /// Trading.
    Ready,
    /// Over, with a [`Fault`] or after a shutdown: no reconnect.
    Over,
}

crate::value! {
    enum Stage { 0 => Down, 1 => Connecting, 2 => Replaying, 3 => Confirming, 4 => Sweeping, 5 => Ready, 6 => Over }
}

/// Why a session is over for good. What is known stays; what lives at the venue is unknown until a restart, so that
/// its exposure stays counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Username or password is wrong.
    NotAuthorized,
    /// The session that was joined is not there any more, or another is in its place.
    SessionGone,
    /// The venue can't repeat what was missed.
    MessagesLost,
    /// The venue has closed the session for good: the day is over.
    Ended,
}

crate::value! { enum Fault { 0 => NotAuthorized, 1 => SessionGone, 2 => MessagesLost, 3 => Ended } }

macro_rules! aways {
    ($($(#[$doc:meta])* $name:ident = $value:literal,)*) => {
        /// Why orders cannot be entered now: for people, on the tape.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Away { $($(#[$doc])* $name = $value,)* }

        impl Away {
            /// Every reason.
            pub const ALL: &'static [Away] = &[$(Away::$name),*];

            /// From the number in an alert.
            #[must_use]
            pub const fn from_number(number: u64) -> Option<Self> {
                match number { $($value => Some(Away::$name),)* _ => None }
            }
        }

        crate::value! { enum Away { $($value => $name),* } }
    };
}

aways! {
    /// The session is being opened: connecting, logging in, learning what is known.
    Opening = 0,
    /// The connection was closed, or could not be made; the shell knows how.
    Closed = 1,
    /// Given up here: the venue did not answer the login in time.
    LoginUnanswered = 2,
    /// Given up here: the venue has no such session now.
    LoginRejected = 3,
    /// Given up here: the venue was silent for too long.
    Silent = 4,
    /// Given up here: the venue did not confirm in time what it has worked through.
    Unconfirmed = 5,
    /// Given up here: what the venue sent made no sense.
    Garbled = 6,
    /// The venue does not read what is sent.
    Blocked = 7,
    /// The venue has disabled order entry.
    Disabled = 8,
    /// The venue's day is over.
    DayOver = 9,
    /// A shutdown was asked for.
    Closing = 10,
    /// Over for good.
    Over = 11,
    /// An order of an earlier run lives that could not be taken over: it is cancelled first.
    Incomplete = 12,
}

impl Away {
    /// Has this side ended the connection? Then the shell knows only that it was asked to.
    #[must_use]
    pub const fn gave_up(self) -> bool {
        matches!(self, Away::LoginUnanswered | Away::LoginRejected | Away::Silent | Away::Unconfirmed | Away::Garbled)
    }
}

/// Why a request did not leave. Nothing was written, no token was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// Not logged in; or, for an enter or a replace, not [`Stage::Ready`], or order entry is disabled or over for the
    /// day.
    NotReady,
    /// The outbox has no room for a message.
    NoRoom,
    /// The protocol can't say it: size, price, id or tags beyond its fields, an instrument in other units.
    CannotSay,
    /// This venue's revision has no such message, or the configuration lacks what it needs.
    Unsupported,
    /// The order is finished; or, for a replace, a request is on its way.
    WrongState,
    /// All tokens of the day are used.
    OutOfTokens,
}

/// Where orders leave, whatever the protocol. Encodes orders and cancels only from what the gate has approved, taken
/// by value; each request that left is answered by a [`Sent`], to be told to the order table at once.
///
/// After [`on_session`](Self::on_session) and [`on_timer`](Self::on_timer) take reports until there are none.
pub trait OrderEntry: State {
    /// Opens the session.
    fn start(&mut self, now: Mono, out: &mut Outbox);

    /// How many orders could leave now that are like `enter` (or a part of it), the first of them known as `first`:
    /// asked before the gate is, so that a sale of two parts leaves whole or not at all.
    ///
    /// # Errors
    /// [`Refused`]: not even one.
    fn room(&self, enter: &Enter, first: ClientId, row: &Instrument, out: &Outbox) -> Result<u32, Refused>;

    /// Sends a new order in the instrument of `row`, which will be known as `id`.
    ///
    /// # Errors
    /// [`Refused`]: it did not leave.
    fn enter(
        &mut self,
        now: Mono,
        order: Approved<MarkedEnter>,
        id: ClientId,
        row: &Instrument,
        out: &mut Outbox,
    ) -> Result<Sent, Refused>;

    /// Sends a replace of `order`.
    ///
    /// # Errors
    /// [`Refused`]: it did not leave.
    fn replace(
        &mut self,
        now: Mono,
        replace: Approved<Replace>,
        order: &Order,
        out: &mut Outbox,
    ) -> Result<Sent, Refused>;

    /// Sends a cancel of `order`, and of a replacement that is on its way.
    ///
    /// # Errors
    /// [`Refused`]: it did not leave.
    fn cancel(&mut self, now: Mono, cancel: Approved<Cancel>, order: &Order, out: &mut Outbox)
    -> Result<Sent, Refused>;

    /// Sends a full cancel of an order that is not in the order table, by its token.
    ///
    /// # Errors
    /// [`Refused`]: it did not leave.
    fn cancel_token(&mut self, now: Mono, cancel: Approved<CancelToken>, out: &mut Outbox) -> Result<(), Refused>;

    /// Sends a mass cancel. Orders are told by a cancel each; a [`Sweep`](super::orders::Sweep) finds those that are
    /// not.
    ///
    /// # Errors
    /// [`Refused`]: it did not leave.
    fn mass_cancel(
        &mut self,
        now: Mono,
        cancel: Approved<MassCancel>,
        instruments: &InstrumentTable,
        out: &mut Outbox,
    ) -> Result<Sent, Refused>;

    /// Asks the venue to confirm what it has worked through, answered by a [`Report::Settled`]: the barrier. Of no effect
    /// if it is being asked already or can't be now.
    fn confirm(&mut self, now: Mono, out: &mut Outbox);

    /// An order is finished: what the entry keeps for it, such as its names, may be forgotten. Fills may come late.
    fn finished(&mut self, _order: &Order) {}

    /// An input of the session. Answers how many bytes it took: take all reports, then pass the rest.
    fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) -> usize;

    /// Time has passed.
    fn on_timer(&mut self, now: Mono, out: &mut Outbox);

    /// When to call [`on_timer`](Self::on_timer) next.
    fn next_deadline(&self) -> Mono;

    /// The next thing that the venue said. One report a call; session traffic in between is answered.
    fn next_report(&mut self, now: Mono, out: &mut Outbox) -> Option<Report>;

    /// The shell's kill switch has dropped a whole frame of orders, which the venue will never see: the reports that
    /// free its exposure, one for each call with what is left of `frames`.
    fn dropped(&mut self, frames: &mut &[u8]) -> Option<Report>;

    /// Where the session stands.
    fn stage(&self) -> Stage;

    /// Why it is over, if it is over for a fault.
    fn fault(&self) -> Option<Fault>;

    /// What exactly the venue did that [`away`](Self::away) or [`fault`](Self::fault) is about, for people: a number that
    /// the protocol gives a meaning, 0 where there is none.
    fn detail(&self) -> u64;

    /// Is the venue telling of an earlier run? Orders that are not known are to be adopted then, and at no other time.
    fn tells_of_earlier(&self) -> bool;

    /// May enters and replaces be sent?
    fn ready(&self) -> bool;

    /// Why not, while they may not.
    fn away(&self) -> Away;

    /// Nothing lives any more: leaves [`Stage::Sweeping`], to trade or, after a shutdown, to log out.
    fn swept(&mut self, now: Mono, out: &mut Outbox);

    /// No new orders from now on: sweep, then log out. Without a connection that means to come back first, if anything
    /// was sent in this run: what became of it must be known.
    fn shutdown(&mut self, now: Mono, out: &mut Outbox);

    /// What must outlive the program, for a session that is numbered beyond it. It may be ahead of what was sent, for the
    /// shell writes it beside the lane and not before the bytes: an entry reserves numbers and names the end of what it
    /// has reserved. Numbers that were skipped so are filled as the protocol does it (FIX: SequenceReset-GapFill).
    fn durable(&self, _into: &mut dyn Save) {}

    /// Another number whenever [`durable`](Self::durable) says something else.
    fn durable_mark(&self) -> u64 {
        0
    }

    /// Takes up what an earlier run's [`durable`](Self::durable) said; before [`start`](Self::start).
    ///
    /// # Errors
    /// [`LoadError`]: it said no such thing.
    fn resume(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        from.end()
    }

    /// The venue's own code of a report of this kind, for people; 0 where it has none.
    fn code_of(&self, _kind: ReportKind) -> u32 {
        0
    }

    /// What it has counted, by name.
    fn counters(&self, see: &mut dyn FnMut(&'static str, u64));
}
