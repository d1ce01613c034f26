//! Identities. Each is its own type, so that none is passed for another.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        #[repr(transparent)]
        pub struct $name(pub $inner);
        crate::value! { $name(_) }
    };
}

id!(/// Dense index into the session's [`InstrumentTable`](super::InstrumentTable).
    InstrumentId(u32));
id!(/// An order as the lane knows it: stable over replaces, unique for the life of a log, never reused.
    ClientId(u64));
id!(/// An order as the venue knows it (Order Reference Number); a replace gives it a new one.
    VenueRef(u64));
id!(/// The number under which a request went to a venue, and by which the venue speaks of the order that it made. Each
    /// venue has its own; a name that is text has a number in its stead (`flow::entry::Names`).
    Token(u64));
id!(/// A market-data line of a venue: A, B, or the replies of the re-request server.
    LineId(u8));
id!(/// A byte-stream session with a venue: order entry, snapshot, an ordered stream of market data.
    SessionId(u8));
id!(/// A venue of the lane, as its place among them: dense, from 0.
    VenueId(u8));
id!(/// The account an order is for.
    AccountId(u16));
id!(/// The strategy that asked for an order.
    StrategyId(u16));
id!(/// The parent order that an execution algorithm slices; 0 for none.
    ParentId(u64));

impl VenueId {
    /// The first venue of a lane; of most lanes the only one.
    pub const FIRST: VenueId = VenueId(0);
}

impl VenueId {
    /// So many venues may be in one lane.
    pub const MOST: usize = 64;
}

impl LineId {
    /// First multicast line.
    pub const A: LineId = LineId(0);
    /// Second multicast line, the same messages.
    pub const B: LineId = LineId(1);
    /// Replies of the re-request server.
    pub const REREQUEST: LineId = LineId(2);
}

impl SessionId {
    /// Order entry.
    pub const ORDERS: SessionId = SessionId(0);
    /// Snapshot (Glimpse).
    pub const SNAPSHOT: SessionId = SessionId(1);
    /// Market data in order over a stream, snapshots included.
    pub const STREAM: SessionId = SessionId(2);
}

/// A stock symbol as Nasdaq writes it on the wire: eight ASCII bytes, left-justified, padded with spaces. What a lane calls an
/// instrument is its [`Name`](super::Name).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Symbol(pub [u8; 8]);

crate::value! { Symbol(_) }

impl Symbol {
    /// Pads `text` with spaces. `None` if it is longer than eight bytes, empty, or not printable ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut padded = [b' '; 8];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(Symbol(padded))
    }

    /// Without its padding; what is not ASCII shows as `?`.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        let end = self.0.iter().rposition(|b| *b != b' ').map_or(0, |i| i.saturating_add(1));
        self.0.iter().take(end).map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' })
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.chars().try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Debug for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Symbol({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn symbols_pad_and_print() {
        assert_eq!(Symbol::new("AAPL").unwrap().0, *b"AAPL    ");
        assert_eq!(Symbol::new("BRK.A").unwrap().to_string(), "BRK.A");
        assert_eq!(Symbol::new("TOOLONGXX"), None);
        assert_eq!(Symbol::new(""), None);
        assert_eq!(Symbol(*b"A\x00      ").to_string(), "A?");
    }
}
