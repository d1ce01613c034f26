//! The words for what goes into a lane. They import none of its machines.

use super::command::CommandBytes;
use super::session::SessionInput;
use crate::base::{LineId, Mono, SessionId, Utc, VenueId};

/// The machines of a lane. Inputs flow through a venue's feed and the core in this order, and nothing flows back: what the
/// core wants of a feed (a snapshot) leaves the lane as an output and comes back as an input, so that it is in the log like
/// everything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    /// Puts the lines of a venue in order.
    Feed(VenueId),
    /// Decodes, books, decides, gates, sends.
    Core,
}

/// Where a datagram came in, and when, as the hardware says it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Whose it is.
    pub venue: VenueId,
    /// On which line.
    pub line: LineId,
    /// When the network card received it, where it says so. For the log and whoever measures by it: nothing in the lane
    /// reads it.
    pub stamp: Option<Utc>,
}

impl Arrival {
    /// On a line of a venue, by a card that stamps nothing.
    #[inline]
    #[must_use]
    pub const fn on(venue: VenueId, line: LineId) -> Self {
        Arrival { venue, line, stamp: None }
    }
}

/// Everything that can happen to a lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// A datagram came on a line.
    Packet(Arrival, &'a [u8]),
    /// Something happened on a session with a venue.
    Session(VenueId, SessionId, SessionInput<'a>),
    /// Someone outside wants something.
    Command(CommandBytes<'a>),
    /// A machine's deadline has passed.
    Timer(Machine),
    /// From now on the lane's clock and universal time differ by this.
    Clock(UtcOffset),
}

/// What is to be added to the lane's clock to have universal time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UtcOffset(pub i64);

crate::value! { UtcOffset(_) }

impl UtcOffset {
    /// Universal time at `now`. `None`: before 1970.
    #[inline]
    #[must_use]
    pub const fn at(self, now: Mono) -> Option<Utc> {
        match now.0.checked_add_signed(self.0) {
            Some(ns) => Some(Utc(ns)),
            None => None,
        }
    }
}

impl<'a> Input<'a> {
    /// Whose it is. What is a feed's passes through the core too; what is the core's is its alone.
    #[inline]
    #[must_use]
    pub fn machine(&self) -> Machine {
        match *self {
            Input::Packet(Arrival { venue, .. }, _)
            | Input::Session(venue, SessionId::SNAPSHOT | SessionId::STREAM, _) => Machine::Feed(venue),
            Input::Command(command) => command.snapshot_of().map_or(Machine::Core, Machine::Feed),
            Input::Session(..) | Input::Clock(_) => Machine::Core,
            Input::Timer(machine) => machine,
        }
    }

    /// The bytes that a feed's releases may point into.
    #[inline]
    pub(super) fn market_bytes(&self) -> &'a [u8] {
        match *self {
            Input::Packet(_, bytes)
            | Input::Session(_, SessionId::SNAPSHOT | SessionId::STREAM, SessionInput::Bytes(bytes)) => bytes,
            _ => &[],
        }
    }
}
