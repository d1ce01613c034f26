//! GLIMPSE 5.0: a snapshot of the ITCH feed over SoupBinTCP (Nasdaq, "Glimpse 5.0").
//!
//! Its messages are ITCH messages, then one of its own: `G`, which names the first live message still to apply.

use super::itch50;

/// Type of the end of a snapshot.
pub const END_TYPE: u8 = b'G';

/// Bytes of the end of a snapshot: the type and twenty ASCII digits, without a header of ITCH.
pub const END_LENGTH: usize = 21;

/// A message of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A message as on the live feed.
    Itch(itch50::Message<'a>),
    /// The snapshot is complete.
    End {
        /// Apply live messages from this number on; drop those with a lower one.
        next_sequence: u64,
    },
}

/// Why bytes are not a message of a snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Not an ITCH message.
    Itch(itch50::Malformed),
    /// An end of snapshot of this many bytes instead of 21.
    EndLength(usize),
    /// An end of snapshot whose number is not one: without it the snapshot can't be spliced and is void.
    EndNumber,
}

/// How a number is padded to its twenty characters. The specification does not say; [`decode`] takes each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// Right-justified after spaces, as numbers are in `SoupBinTCP`.
    LeadingSpaces,
    /// Right-justified after zeros.
    LeadingZeros,
    /// Left-justified before spaces.
    TrailingSpaces,
}

/// Decodes one message of a snapshot, without the framing of `SoupBinTCP`.
///
/// # Errors
/// [`Malformed`] says why not. All but the errors of the end are to be skipped and counted.
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Item<'_>, Malformed> {
    match bytes {
        [END_TYPE, number @ ..] => {
            let digits: &[u8; 20] = number.try_into().map_err(|_| Malformed::EndLength(bytes.len()))?;
            number_of(digits).map(|next_sequence| Item::End { next_sequence }).ok_or(Malformed::EndNumber)
        }
        _ => itch50::decode(bytes).map(Item::Itch).map_err(Malformed::Itch),
    }
}

/// The end of a snapshot as it stands on the wire.
#[must_use]
pub fn encode_end(next_sequence: u64, padding: Padding) -> [u8; END_LENGTH] {
    let mut digits = [b'0'; 20];
    let mut rest = next_sequence;
    for digit in digits.iter_mut().rev() {
        let [low, ..] = (rest % 10).to_le_bytes();
        *digit = b'0' | low;
        rest /= 10;
    }
    let leading = digits.iter().take(19).take_while(|digit| **digit == b'0').count();
    match padding {
        Padding::LeadingZeros => {}
        Padding::LeadingSpaces => digits.iter_mut().take(leading).for_each(|digit| *digit = b' '),
        Padding::TrailingSpaces => {
            digits.rotate_left(leading);
            digits.iter_mut().rev().take(leading).for_each(|digit| *digit = b' ');
        }
    }
    let mut message = [END_TYPE; END_LENGTH];
    let [_, number @ ..] = &mut message;
    *number = digits;
    message
}

/// Digits between spaces; `None` if there are none, if anything else is among them, or if they exceed 64 bits.
fn number_of(padded: &[u8; 20]) -> Option<u64> {
    let digits = padded.trim_ascii();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then_some(byte & 0x0F)?;
        number.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(digits: &[u8; 20]) -> Result<Item<'static>, Malformed> {
        let mut bytes = [END_TYPE; END_LENGTH];
        bytes[1..].copy_from_slice(digits);
        match decode(&bytes) {
            Ok(Item::End { next_sequence }) => Ok(Item::End { next_sequence }),
            Err(error) => Err(error),
            Ok(Item::Itch(_)) => panic!("the end was taken for ITCH"),
        }
    }

    #[test]
    fn the_end_is_read_in_every_padding() {
        for text in [b"              123456", b"123456              ", b"00000000000000123456", b"       123456       "]
        {
            assert_eq!(end(text), Ok(Item::End { next_sequence: 123_456 }));
        }
        assert_eq!(end(b"18446744073709551615"), Ok(Item::End { next_sequence: u64::MAX }));
    }

    #[test]
    fn a_number_that_is_none_voids_the_end() {
        for text in [b"                    ", b"12 34               ", b"-1                  ", b"18446744073709551616"]
        {
            assert_eq!(end(text), Err(Malformed::EndNumber));
        }
        assert_eq!(decode(b"G1"), Err(Malformed::EndLength(2)));
        assert_eq!(decode(&[END_TYPE; 22]), Err(Malformed::EndLength(22)));
    }

    #[test]
    fn the_end_comes_back_in_every_padding() {
        assert_eq!(&encode_end(42, Padding::LeadingSpaces), b"G                  42");
        assert_eq!(&encode_end(42, Padding::LeadingZeros), b"G00000000000000000042");
        assert_eq!(&encode_end(42, Padding::TrailingSpaces), b"G42                  ");
        for next_sequence in [0, 1, 9, 10, 123_456_789, u64::MAX] {
            for padding in [Padding::LeadingSpaces, Padding::LeadingZeros, Padding::TrailingSpaces] {
                assert_eq!(decode(&encode_end(next_sequence, padding)), Ok(Item::End { next_sequence }));
            }
        }
    }

    #[test]
    fn everything_else_is_itch() {
        let mut event = [0; 12];
        event[0] = b'S';
        assert!(matches!(decode(&event), Ok(Item::Itch(itch50::Message::SystemEvent(_)))));
        assert_eq!(decode(b"z"), Err(Malformed::Itch(itch50::Malformed::UnknownType(b'z'))));
        assert_eq!(decode(b""), Err(Malformed::Itch(itch50::Malformed::Empty)));
    }
}
