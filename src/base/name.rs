//! What an instrument is called by its venue.

use super::Symbol;
use core::fmt;

/// The name of an instrument at its venue: one to sixteen printable ASCII bytes, left-justified, padded with spaces.
/// Protocols with shorter fields convert without loss ([`Symbol`]); what a venue calls by a longer name needs a name of its
/// adapter's or configuration's choice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Name(pub [u8; Name::LENGTH]);

crate::value! { Name(_) }

impl Name {
    /// No name is longer.
    pub const LENGTH: usize = 16;

    /// Of nothing.
    pub const BLANK: Name = Name([b' '; Name::LENGTH]);

    /// Pads `text` with spaces. `None` if it is longer than sixteen bytes, empty, or not printable ASCII (spaces are not).
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_graphic) {
            return None;
        }
        let mut padded = Name::BLANK;
        padded.0.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(padded)
    }

    /// Of a symbol of eight bytes, whatever they are.
    #[must_use]
    pub const fn of(symbol: Symbol) -> Self {
        let [a, b, c, d, e, f, g, h] = symbol.0;
        Name([a, b, c, d, e, f, g, h, b' ', b' ', b' ', b' ', b' ', b' ', b' ', b' '])
    }

    /// The same in eight bytes. `None`: it is longer.
    #[inline]
    #[must_use]
    pub fn symbol(&self) -> Option<Symbol> {
        let (head, tail) = self.0.split_first_chunk::<8>()?;
        (tail == [b' '; 8]).then_some(Symbol(*head))
    }

    /// A number to look it up by. Few names have the same.
    #[must_use]
    pub const fn key(self) -> u64 {
        /// Odd, so that no name of the second half is lost: 2^64 over the golden ratio.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let both = u128::from_be_bytes(self.0);
        let [head, tail] = [(both >> 64) as u64, (both & u64::MAX as u128) as u64];
        head ^ tail.wrapping_mul(SPREAD)
    }

    /// Without its padding; what is not printable shows as `?`.
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        let end = self.0.iter().rposition(|b| *b != b' ').map_or(0, |i| i.saturating_add(1));
        self.0.iter().take(end).map(|b| if b.is_ascii_graphic() { char::from(*b) } else { '?' })
    }
}

impl From<Symbol> for Name {
    fn from(symbol: Symbol) -> Self {
        Name::of(symbol)
    }
}

impl Default for Name {
    fn default() -> Self {
        Name::BLANK
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        self.chars().try_for_each(|c| f.write_char(c))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn names_have_one_to_sixteen_printable_characters() {
        assert_eq!(Name::new("BTC-USDT").unwrap().0, *b"BTC-USDT        ");
        assert_eq!(Name::new("0123456789ABCDEF").unwrap().to_string(), "0123456789ABCDEF");
        for none in ["", "0123456789ABCDEFG", "A B", "A\0", "\u{e4}"] {
            assert_eq!(Name::new(none), None, "{none:?}");
        }
        assert_eq!(Name::default().to_string(), "");
    }

    #[test]
    fn a_symbol_is_a_name_and_comes_back() {
        for symbol in [*b"AAPL    ", *b"ABCDEFGH", *b"A\0 \xFF    ", *b"        "] {
            assert_eq!(Name::from(Symbol(symbol)).symbol(), Some(Symbol(symbol)));
        }
        assert_eq!(Name::from(Symbol(*b"AAPL    ")), Name::new("AAPL").unwrap());
        for longer in ["ABCDEFGHI", "0123456789ABCDEF"] {
            assert_eq!(Name::new(longer).unwrap().symbol(), None);
        }
        assert_eq!(Name(*b"A\0       \0      ").symbol(), None);
        assert_eq!(Name(*b"A\0              ").to_string(), "A?");
    }

    #[test]
    fn keys_look_at_every_character() {
        let name = Name::new("0123456789ABCDEF").unwrap();
        for at in 0..Name::LENGTH {
            let mut other = name;
            other.0[at] = b'Z';
            assert_ne!(other.key(), name.key(), "{at}");
        }
    }
}
