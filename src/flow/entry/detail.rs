//! What exactly a venue did when a session ended on this side: one number on the tape, words for people.

use crate::flow::wire::soupbintcp::{FrameError, ProtocolError};

/// What the venue did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Detail {
    /// Nothing that needs more words.
    None,
    /// It rejected the login with this code (SoupBinTCP, Login Rejected).
    Rejected(u8),
    /// A packet with a length of zero.
    EmptyPacket,
    /// A packet longer than any that is taken.
    LongPacket(u16),
    /// A packet of this letter, which does not belong there and then.
    Unexpected(u8),
    /// Its answer to the login names no sequence number.
    BadNumber,
    /// Its answer to the login names another session than the one that was joined.
    OtherSession,
    /// It would go on with this message, which is not the one that was asked for.
    Offers(u64),
}

crate::value! {
    enum Detail {
        0 => None,
        1 => Rejected(code),
        2 => EmptyPacket,
        3 => LongPacket(length),
        4 => Unexpected(letter),
        5 => BadNumber,
        6 => OtherSession,
        7 => Offers(sequence),
    }
}

/// Where the numbers of messages are cut off: no session has so many.
const MOST: u64 = (1 << 56) - 1;

impl Detail {
    pub(super) fn of(error: ProtocolError) -> Self {
        match error {
            ProtocolError::Frame(FrameError::Empty) => Detail::EmptyPacket,
            ProtocolError::Frame(FrameError::Oversize(length)) => Detail::LongPacket(length),
            ProtocolError::Unexpected(letter) => Detail::Unexpected(letter),
            ProtocolError::BadNumber => Detail::BadNumber,
            ProtocolError::LoginTimeout => Detail::None,
            ProtocolError::WrongSession(_) => Detail::OtherSession,
            ProtocolError::SequenceGap { offered, .. } => Detail::Offers(offered),
        }
    }

    /// As an alert holds it: the kind in the low byte, its value above.
    #[must_use]
    pub fn number(self) -> u64 {
        let (kind, value) = match self {
            Detail::None => (0, 0),
            Detail::Rejected(code) => (1, u64::from(code)),
            Detail::EmptyPacket => (2, 0),
            Detail::LongPacket(length) => (3, u64::from(length)),
            Detail::Unexpected(letter) => (4, u64::from(letter)),
            Detail::BadNumber => (5, 0),
            Detail::OtherSession => (6, 0),
            Detail::Offers(sequence) => (7, sequence.min(MOST)),
        };
        value << 8 | kind
    }

    /// From an alert. What another build wrote is [`Detail::None`].
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // as it was put there
    pub fn from_number(number: u64) -> Self {
        let value = number >> 8;
        match number & 0xFF {
            1 => Detail::Rejected(value as u8),
            2 => Detail::EmptyPacket,
            3 => Detail::LongPacket(value as u16),
            4 => Detail::Unexpected(value as u8),
            5 => Detail::BadNumber,
            6 => Detail::OtherSession,
            7 => Detail::Offers(value),
            _ => Detail::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_venue_did_survives_the_tape() {
        for detail in [
            Detail::None,
            Detail::Rejected(b'X'),
            Detail::EmptyPacket,
            Detail::LongPacket(u16::MAX),
            Detail::Unexpected(b'S'),
            Detail::BadNumber,
            Detail::OtherSession,
            Detail::Offers(1_000_000),
        ] {
            assert_eq!(Detail::from_number(detail.number()), detail);
        }
        assert_eq!(Detail::from_number(Detail::Offers(u64::MAX).number()), Detail::Offers(MOST));
        assert_eq!(Detail::from_number(99), Detail::None);
    }
}
