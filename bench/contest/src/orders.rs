//! Orders to be framed, and what is to come of them.
//!
//! A file of them has 40 bytes each, numbers big-endian: token (4), side (`B` or `T`), shares (4), symbol (8), price of four
//! decimals (8), the client's own text (14), and one of nothing. Of each comes one SoupBinTCP packet of type `U` with an
//! Enter Order of OUCH 5.0: immediate or cancel (`3`), visible (`Y`), principal (`P`), no sweep (`N`), continuous (`N`), and of
//! options the firm `FIRE`, and with a short sale (`T`) that its shares are located (`Y`).
//!
//! The digest is two lines: `first BYTES`, the first packet in hexadecimal digits, and `sent COUNT HASH`, how many packets and
//! [`struct@Hash`] of all their bytes in 16 hexadecimal digits.

/// An order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// Its token, `UserRefNum`.
    pub token: u32,
    /// `B` or `T`.
    pub side: u8,
    /// Its shares.
    pub shares: u32,
    /// Padded with spaces.
    pub symbol: [u8; 8],
    /// Four decimals.
    pub price: u64,
    /// Padded with spaces.
    pub text: [u8; 14],
}

/// Bytes of one.
pub const LENGTH: usize = 40;

impl Order {
    /// As it stands in the file.
    #[must_use]
    pub fn bytes(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..4].copy_from_slice(&self.token.to_be_bytes());
        bytes[4] = self.side;
        bytes[5..9].copy_from_slice(&self.shares.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.symbol);
        bytes[17..25].copy_from_slice(&self.price.to_be_bytes());
        bytes[25..39].copy_from_slice(&self.text);
        bytes
    }

    /// All orders of a file. A cut one at its end is none.
    #[must_use]
    pub fn all(file: &[u8]) -> Vec<Order> {
        file.as_chunks::<LENGTH>().0.iter().map(Order::of).collect()
    }

    fn of(bytes: &[u8; LENGTH]) -> Order {
        fn part<const N: usize>(bytes: &[u8; LENGTH], at: usize) -> [u8; N] {
            let mut part = [0; N];
            part.copy_from_slice(&bytes[at..at + N]);
            part
        }
        Order {
            token: u32::from_be_bytes(part(bytes, 0)),
            side: bytes[4],
            shares: u32::from_be_bytes(part(bytes, 5)),
            symbol: part(bytes, 9),
            price: u64::from_be_bytes(part(bytes, 17)),
            text: part(bytes, 25),
        }
    }

    /// The packet that is to come of it.
    #[must_use]
    pub fn frame(&self) -> Vec<u8> {
        let firm = b"\x05\x02FIRE";
        let options = if self.side == b'T' { [&firm[..], b"\x02\x19Y"].concat() } else { firm.to_vec() };
        let message = [
            &b"O"[..],
            &self.token.to_be_bytes(),
            &[self.side],
            &self.shares.to_be_bytes(),
            &self.symbol,
            &self.price.to_be_bytes(),
            b"3YPNN",
            &self.text,
            &(options.len() as u16).to_be_bytes(),
            &options,
        ]
        .concat();
        [&(message.len() as u16 + 1).to_be_bytes()[..], b"U", &message].concat()
    }
}

/// FNV-1a of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hash(pub u64);

impl Default for Hash {
    fn default() -> Self {
        Hash(0xCBF2_9CE4_8422_2325)
    }
}

impl Hash {
    /// Takes bytes in.
    pub fn take(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3));
    }
}

/// What a digest says of how many were sent.
#[must_use]
pub fn sent(count: u64, hash: Hash) -> String {
    format!("sent {count} {:016x}", hash.0)
}

/// Packets, for the digest.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Packets {
    count: u64,
    hash: Hash,
    first: String,
}

impl Packets {
    /// The next one.
    pub fn take(&mut self, frame: &[u8]) {
        if self.count == 0 {
            self.first = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        }
        self.count += 1;
        self.hash.take(frame);
    }

    /// The digest's lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        vec![format!("first {}", self.first), sent(self.count, self.hash)]
    }

    /// What is right of a file.
    #[must_use]
    pub fn right(file: &[u8]) -> Packets {
        let mut packets = Packets::default();
        Order::all(file).iter().for_each(|order| packets.take(&order.frame()));
        packets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order =
        Order { token: 7, side: b'T', shares: 300, symbol: *b"AAPL    ", price: 5_853_300, text: *b"0000000700W000" };

    #[test]
    fn orders_are_read_back_and_framed() {
        let file = [&ORDER.bytes()[..], &Order { side: b'B', ..ORDER }.bytes(), &[1, 2]].concat();
        let all = Order::all(&file);
        assert_eq!(all, [ORDER, Order { side: b'B', ..ORDER }]);
        // Length, U, 45 bytes of fields, 2 of the options' length, 6 of the firm and 3 of the located shares.
        assert_eq!([all[0].frame().len(), all[1].frame().len()], [59, 56]);
        assert_eq!(all[0].frame()[..5], [0, 57, b'U', b'O', 0]);
        let [two, one] = [&file[..], &file[..40]].map(|file| Packets::right(file).lines());
        assert!(two[0].starts_with("first 0039554f00000007") && two[0] == one[0], "{two:?}");
        assert!(two[1].starts_with("sent 2 ") && one[1].starts_with("sent 1 "));
    }

    #[test]
    fn the_hash_is_fnv_1a() {
        // Of the reference: the empty text, and "a".
        let mut hash = Hash::default();
        assert_eq!(hash.0, 0xCBF2_9CE4_8422_2325);
        hash.take(b"a");
        assert_eq!(hash.0, 0xAF63_DC4C_8601_EC8C);
    }
}
