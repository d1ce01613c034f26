//! The end where the market comes in: a native protocol decoded to [`Event`]s.

use super::book::Coming;
use super::event::Event;
use crate::base::{Instrument, InstrumentId, InstrumentTable, Name, State, Utc, VenueId, VenueRef};

/// What a message is, judged by type and length alone: what arbitration needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Soundness {
    /// Well-formed.
    Good,
    /// A type that this build does not know: delivered, counted, harmless.
    Unknown,
    /// A known type with a wrong length or an impossible field: counts as not received.
    Malformed,
}

/// Why a message gave no event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoEvent {
    /// Unknown type.
    UnknownType(u8),
    /// A known type with a wrong length.
    BadLength(u8),
    /// A known type with a field that cannot be.
    BadField(u8),
    /// About an instrument that the lane does not follow.
    Untracked,
    /// Names a new instrument for which there is no room.
    InstrumentsFull,
}

/// What can be seen of a message of a protocol by its bytes alone: what a feed needs to know that puts messages of it in order.
/// A feed is built for one such protocol.
pub trait Peek {
    /// Judges one message.
    fn classify(message: &[u8]) -> Soundness;

    /// A number that is the same for all messages of one instrument (the stock locate), read even from a malformed
    /// message if the bytes are there. `None` or `Some(0)`: unknown, or the whole market.
    fn locate(message: &[u8]) -> Option<u16>;

    /// The reference of the order that the message is about, for prefetching. Cheap, unvalidated.
    fn peek_order(message: &[u8]) -> Option<VenueRef>;
}

/// A market-data protocol. One value per lane and venue: it holds the day's locate codes.
pub trait MarketLine: State {
    /// The venue of which it admits instruments.
    fn venue(&self) -> VenueId;

    /// The row of an instrument of which the venue has said no more than its name.
    fn new_row(&self, name: Name) -> Instrument;

    /// Decodes one message. New instruments are admitted to `instruments`.
    ///
    /// # Errors
    /// [`NoEvent`], after which the line follows what it did before, or less.
    fn decode(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent>;

    /// The instrument of a locate code seen today.
    fn instrument(&self, locate: u16) -> Option<InstrumentId>;

    /// The instrument that a message is about, read even from one that is malformed. `None`: unknown, or the whole market.
    fn subject(&self, message: &[u8]) -> Option<InstrumentId>;

    /// What a message that is coming will touch, for hints ([`Books::foresee`](super::book::Books::foresee)): cheap, unvalidated, and
    /// without branches on its type. A line that does not say so gets no hints that are of use.
    #[inline]
    fn foresee(&self, _message: &[u8]) -> Coming {
        Coming::NOTHING
    }

    /// A new session: locate codes mean nothing any more, and another date may hold. `now` is universal time, where it is
    /// known.
    fn reset(&mut self, now: Option<Utc>);

    /// The market speaks, and nothing of it has been decoded yet. A line whose messages say no date may take that of now, if
    /// it was given none.
    fn begin(&mut self, now: Utc);
}
