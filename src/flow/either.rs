//! One of two: venues of different protocols in one lane.
//!
//! All venues of a lane are of one type ([`Venue`](super::venue::Venue)). Where they differ, each end is an [`Either`], and more
//! than two are an `Either` of `Either`s:
//!
//! ```
//! use firelane_gateway::flow::either::Either;
//! use firelane_gateway::flow::entry::OuchEntry;
//! use firelane_gateway::flow::feed::{Direct, Mold};
//! use firelane_gateway::flow::itch_line::ItchLine;
//! use firelane_gateway::flow::normal_line::NormalLine;
//!
//! /// Order books over multicast, or books of levels over a stream.
//! type Ends = (Either<Mold<ItchLine>, Direct<NormalLine>>, Either<ItchLine, NormalLine>, OuchEntry);
//! # fn is_a_venue<V: firelane_gateway::flow::venue::Venue>() {}
//! # is_a_venue::<Ends>();
//! ```
//!
//! It costs a comparison for each call, and nothing where it is not used. That the feed and the line of a venue speak the same
//! protocol is the wiring's to see to: bytes of another are counted as what they are not.

use super::action::{Cancel, CancelToken, Enter, MassCancel, Replace};
use super::book::Coming;
use super::entry::{Away, Fault, OrderEntry, Refused, Stage};
use super::event::Event;
use super::feed::{Feed, FeedCounters, Release};
use super::market::{MarketLine, NoEvent};
use super::orders::{Order, Report, ReportKind, Sent};
use super::outbox::Outbox;
use super::risk::{Approved, MarkedEnter};
use super::session::SessionInput;
use super::wire::moldudp64::Messages;
use crate::base::{
    ClientId, Instrument, InstrumentId, InstrumentTable, LineId, LoadError, Mono, Name, Reader, Save, SessionId, State,
    Utc, VenueId,
};

/// One of two, by configuration: which one it is never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Either<A, B> {
    /// The first.
    First(A),
    /// The second.
    Second(B),
}

/// Passes each call on to the one that is there.
macro_rules! either {
    ($trait:ident { $(fn $name:ident $(<$life:lifetime>)? ($($args:tt)*) $(-> $answer:ty)?;)* }) => {
        impl<A: $trait, B: $trait> $trait for Either<A, B> {
            $(either! { @method $name [$(<$life>)?] ($($args)*) [$(-> $answer)?] })*
        }
    };
    (@method $name:ident [$($life:tt)*] (&$($self_life:lifetime)? mut $self:ident $(, $arg:ident: $type:ty)*) [$($answer:tt)*]) => {
        #[inline]
        fn $name $($life)* (&$($self_life)? mut $self $(, $arg: $type)*) $($answer)* {
            match $self {
                Either::First(one) => one.$name($($arg),*),
                Either::Second(one) => one.$name($($arg),*),
            }
        }
    };
    (@method $name:ident [$($life:tt)*] (&$self:ident $(, $arg:ident: $type:ty)*) [$($answer:tt)*]) => {
        #[inline]
        fn $name $($life)* (&$self $(, $arg: $type)*) $($answer)* {
            match $self {
                Either::First(one) => one.$name($($arg),*),
                Either::Second(one) => one.$name($($arg),*),
            }
        }
    };
}

either! { Feed {
    fn on_packet(&mut self, now: Mono, line: LineId, packet: &[u8], out: &mut Outbox);
    fn on_session(&mut self, now: Mono, session: SessionId, input: SessionInput<'_>, out: &mut Outbox);
    fn on_timer(&mut self, now: Mono, out: &mut Outbox);
    fn on_snapshot_wanted(&mut self, now: Mono, out: &mut Outbox);
    fn next_deadline(&self) -> Mono;
    fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>>;
    fn coming<'a>(&self, input: &'a [u8]) -> Messages<'a>;
    fn counters(&self) -> &FeedCounters;
    fn next_sequence(&self) -> u64;
    fn is_live(&self) -> bool;
} }

either! { MarketLine {
    fn venue(&self) -> VenueId;
    fn new_row(&self, name: Name) -> Instrument;
    fn decode(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent>;
    fn instrument(&self, locate: u16) -> Option<InstrumentId>;
    fn subject(&self, message: &[u8]) -> Option<InstrumentId>;
    fn foresee(&self, message: &[u8]) -> Coming;
    fn reset(&mut self, now: Option<Utc>);
    fn begin(&mut self, now: Utc);
} }

either! { OrderEntry {
    fn start(&mut self, now: Mono, out: &mut Outbox);
    fn room(&self, enter: &Enter, first: ClientId, row: &Instrument, out: &Outbox) -> Result<u32, Refused>;
    fn enter(&mut self, now: Mono, order: Approved<MarkedEnter>, id: ClientId, instruments: &InstrumentTable, out: &mut Outbox) -> Result<Sent, Refused>;
    fn replace(&mut self, now: Mono, replace: Approved<Replace>, order: &Order, out: &mut Outbox) -> Result<Sent, Refused>;
    fn cancel(&mut self, now: Mono, cancel: Approved<Cancel>, order: &Order, out: &mut Outbox) -> Result<Sent, Refused>;
    fn cancel_token(&mut self, now: Mono, cancel: Approved<CancelToken>, out: &mut Outbox) -> Result<(), Refused>;
    fn mass_cancel(&mut self, now: Mono, cancel: Approved<MassCancel>, instruments: &InstrumentTable, out: &mut Outbox) -> Result<Sent, Refused>;
    fn confirm(&mut self, now: Mono, out: &mut Outbox);
    fn finished(&mut self, order: &Order);
    fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) -> usize;
    fn on_timer(&mut self, now: Mono, out: &mut Outbox);
    fn next_deadline(&self) -> Mono;
    fn next_report(&mut self, now: Mono, out: &mut Outbox) -> Option<Report>;
    fn dropped(&mut self, frames: &mut &[u8]) -> Option<Report>;
    fn stage(&self) -> Stage;
    fn fault(&self) -> Option<Fault>;
    fn detail(&self) -> u64;
    fn tells_of_earlier(&self) -> bool;
    fn ready(&self) -> bool;
    fn away(&self) -> Away;
    fn swept(&mut self, now: Mono, out: &mut Outbox);
    fn shutdown(&mut self, now: Mono, out: &mut Outbox);
    fn durable(&self, into: &mut dyn Save);
    fn durable_mark(&self) -> u64;
    fn resume(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError>;
    fn code_of(&self, kind: ReportKind) -> u32;
    fn counters(&self, see: &mut dyn FnMut(&'static str, u64));
} }

/// Which of the two, and its state: that of the other is refused.
impl<A: State, B: State> State for Either<A, B> {
    fn save(&self, into: &mut dyn Save) {
        match self {
            Either::First(one) => {
                into.u8(0);
                one.save(into);
            }
            Either::Second(one) => {
                into.u8(1);
                one.save(into);
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        match (from.u8()?, self) {
            (0, Either::First(one)) => one.load(from),
            (1, Either::Second(one)) => one.load(from),
            _ => Err(LoadError::BAD.within("Either")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Writer;

    type Numbers = Either<u8, u16>;

    #[test]
    fn each_is_saved_as_what_it_is_and_not_restored_into_the_other() {
        let (one, other): (Numbers, Numbers) = (Either::First(7), Either::Second(7));
        for (saved, mut same, mut another) in [
            (Writer::of(&one), Either::First(0), Either::Second(0)),
            (Writer::of(&other), Either::Second(0), Either::First(0)),
        ] {
            let mut from = Reader(&saved);
            assert_eq!(State::load(&mut same, &mut from).and_then(|()| from.end()), Ok(()));
            assert!(same == one || same == other);
            let refused: Result<(), LoadError> = Numbers::load(&mut another, &mut Reader(&saved));
            assert_eq!(refused, Err(LoadError::OutOfRange("Either")));
        }
        let mut none: Numbers = one;
        assert_eq!(none.load(&mut Reader(&[2, 0])), Err(LoadError::OutOfRange("Either")));
    }
}
