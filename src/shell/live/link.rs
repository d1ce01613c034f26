//! What happens to a connection: as the lane hears of it, and as the tape tells people.

use crate::base::{SessionId, VenueId};
use crate::flow::record::LinkBody;
use crate::flow::session::SessionInput;
use crate::shell::net::{Event, Why};
use zerocopy::byteorder::little_endian::U32;

/// A connection and what became of it, for people: it is up, or it is gone or could not be made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link {
    /// Whose.
    pub(super) venue: VenueId,
    /// Which.
    pub(super) session: SessionId,
    /// Why it is gone; `None`: it is up.
    pub(super) why: Option<Why>,
}

/// What became of a connection, as the tape says it.
pub(super) fn link_body(Link { venue, session, why }: Link) -> LinkBody {
    let (what, error) = match why {
        None => (0, 0),
        Some(Why::Refused) => (1, 0),
        Some(Why::TimedOut) => (2, 0),
        Some(Why::Unreachable) => (3, 0),
        Some(Why::Reset) => (4, 0),
        Some(Why::ByPeer) => (5, 0),
        Some(Why::Overflow) => (6, 0),
        Some(Why::AskedFor) => (7, 0),
        Some(Why::Other(number)) => (8, number),
    };
    LinkBody { venue: venue.0, session: session.0, what, error: U32::new(error.cast_unsigned()) }
}

/// [`link_body`] back. `None`: of another build.
pub(super) fn link_of(body: &LinkBody) -> Option<Link> {
    let why = match body.what {
        0 => None,
        1 => Some(Why::Refused),
        2 => Some(Why::TimedOut),
        3 => Some(Why::Unreachable),
        4 => Some(Why::Reset),
        5 => Some(Why::ByPeer),
        6 => Some(Why::Overflow),
        7 => Some(Why::AskedFor),
        8 => Some(Why::Other(body.error.get().cast_signed())),
        _ => return None,
    };
    Some(Link { venue: VenueId(body.venue), session: SessionId(body.session), why })
}

/// A session's event as the lane hears of it, its bytes copied to `into`; and what people are to hear of it.
#[inline]
pub(super) fn event_input<'a>(event: Event<'_>, into: &'a mut [u8]) -> (SessionInput<'a>, Option<Option<Why>>) {
    match event {
        Event::Bytes(bytes) => (SessionInput::Bytes(copied(bytes, into)), None),
        Event::Dropped(bytes) => (SessionInput::Dropped(copied(bytes, into)), None),
        Event::Connected => (SessionInput::Connected, Some(None)),
        Event::Closed(why) => (SessionInput::Closed, Some(Some(why))),
        Event::Blocked => (SessionInput::Blocked, None),
        Event::Writable => (SessionInput::Writable, None),
    }
}

/// `bytes` at the front of `into`, which has room: both were made for one session.
#[inline]
pub(super) fn copied<'a>(bytes: &[u8], into: &'a mut [u8]) -> &'a [u8] {
    let into = &mut into[..bytes.len()];
    into.copy_from_slice(bytes);
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_connection_survives_the_tape() {
        let all = [Why::Refused, Why::TimedOut, Why::Unreachable, Why::Reset, Why::ByPeer, Why::Overflow];
        for why in all.into_iter().chain([Why::AskedFor, Why::Other(113)]).map(Some).chain([None]) {
            let link = Link { venue: VenueId(7), session: SessionId::SNAPSHOT, why };
            assert_eq!(link_of(&link_body(link)), Some(link));
        }
        assert_eq!(link_of(&LinkBody { venue: 0, session: 0, what: 9, error: U32::new(0) }), None);
    }
}
