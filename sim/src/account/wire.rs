//! The bytes of an order-entry session, read at literal offsets: SoupBinTCP 3.00 and OUCH 5.0, as their specifications
//! print them.
//!
//! Deliberately not the codec that both ends use: where that is wrong in the same way twice, nobody else would notice.

/// Cuts a stream of bytes into SoupBinTCP packets: two bytes of length, then as many bytes, the first of which is the
/// packet's type.
#[derive(Clone, Default, Debug)]
pub(super) struct Frames {
    bytes: Vec<u8>,
    at: usize,
}

impl Frames {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.at = 0;
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole packet: its type and its payload.
    pub(super) fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let rest = &self.bytes[self.at..];
        let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
        let packet = rest.get(2..2 + length)?;
        self.at += 2 + length;
        let (letter, payload) = packet.split_first()?;
        Some((*letter, payload.to_vec()))
    }
}

/// The sequence number of a Login Accepted packet's payload: session (10), then 20 digits, padded on the left.
pub(super) fn login_sequence(payload: &[u8]) -> Option<u64> {
    std::str::from_utf8(payload.get(10..30)?).ok()?.trim().parse().ok()
}

fn u16_at(message: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*message.get(at..)?.first_chunk()?))
}

fn u32_at(message: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*message.get(at..)?.first_chunk()?))
}

fn u64_at(message: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_be_bytes(*message.get(at..)?.first_chunk()?))
}

fn shares_at(message: &[u8], at: usize) -> Option<i64> {
    u32_at(message, at).map(i64::from)
}

fn price_at(message: &[u8], at: usize) -> Option<i64> {
    i64::try_from(u64_at(message, at)?).ok()
}

fn text_at<const N: usize>(message: &[u8], at: usize) -> Option<[u8; N]> {
    message.get(at..)?.first_chunk().copied()
}

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Request {
    Enter { token: u32, side: u8, qty: i64, symbol: [u8; 8], price: i64, text: [u8; 14] },
    Replace { orig: u32, token: u32, qty: i64, price: i64, text: [u8; 14] },
    Cancel { token: u32, keep: i64 },
    MassCancel { token: u32 },
    Query,
}

/// One message of a client, the payload of an Unsequenced packet. `None`: none that a lane has cause to send.
pub(super) fn request(m: &[u8]) -> Option<Request> {
    Some(match m.first()? {
        b'O' => Request::Enter {
            token: u32_at(m, 1)?,
            side: *m.get(5)?,
            qty: shares_at(m, 6)?,
            symbol: text_at(m, 10)?,
            price: price_at(m, 18)?,
            text: text_at(m, 31)?,
        },
        b'U' => Request::Replace {
            orig: u32_at(m, 1)?,
            token: u32_at(m, 5)?,
            qty: shares_at(m, 9)?,
            price: price_at(m, 13)?,
            text: text_at(m, 24)?,
        },
        b'X' => Request::Cancel { token: u32_at(m, 1)?, keep: shares_at(m, 5)? },
        b'C' => Request::MassCancel { token: u32_at(m, 1)? },
        b'Q' => Request::Query,
        _ => return None,
    })
}

/// An order as the venue says that it stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stands {
    pub(super) token: u32,
    pub(super) side: u8,
    pub(super) qty: i64,
    pub(super) price: i64,
    pub(super) display: u8,
    pub(super) reference: u64,
    pub(super) live: bool,
}

/// Shares that traded, as an execution and a correction of it say it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Traded {
    pub(super) token: u32,
    pub(super) qty: i64,
    pub(super) price: i64,
    pub(super) liquidity: u8,
    pub(super) trade: u64,
}

/// What the venue answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    Accepted(Stands),
    Replaced {
        orig: u32,
        now: Stands,
    },
    Canceled {
        token: u32,
        gone: i64,
    },
    Prevented {
        token: u32,
        gone: i64,
    },
    Executed(Traded),
    Broken {
        token: u32,
        trade: u64,
    },
    Corrected(Traded),
    Rejected {
        token: u32,
    },
    CancelPending {
        token: u32,
    },
    CancelRejected {
        token: u32,
    },
    Moved {
        token: u32,
        price: i64,
        display: u8,
        reference: u64,
    },
    Restated {
        token: u32,
        reference: Option<u64>,
    },
    Queried,
    /// About no order: a day's event, the echo of a mass cancel.
    Other,
}

/// Side to order state of Accepted, and of Replaced four bytes later.
fn stands(m: &[u8], token: u32, at: usize) -> Option<Stands> {
    Some(Stands {
        token,
        side: *m.get(at)?,
        qty: shares_at(m, at + 1)?,
        price: price_at(m, at + 13)?,
        display: *m.get(at + 22)?,
        reference: u64_at(m, at + 23)?,
        live: *m.get(at + 34)? == b'L',
    })
}

/// Shares to match number of Executed and of Trade Correction.
fn traded(m: &[u8], token: u32) -> Option<Traded> {
    let (qty, price) = (shares_at(m, 13)?, price_at(m, 17)?);
    Some(Traded { token, qty, price, liquidity: *m.get(25)?, trade: u64_at(m, 26)? })
}

/// One message of the venue, the payload of a Sequenced packet. `None`: none that the specification knows.
pub(super) fn answer(m: &[u8]) -> Option<Answer> {
    let letter = *m.first()?;
    if letter == b'S' || letter == b'Q' {
        return Some(if letter == b'Q' { Answer::Queried } else { Answer::Other });
    }
    let token = u32_at(m, 9)?;
    Some(match letter {
        b'A' => Answer::Accepted(stands(m, token, 13)?),
        b'U' => Answer::Replaced { orig: token, now: stands(m, u32_at(m, 13)?, 17)? },
        b'C' => Answer::Canceled { token, gone: shares_at(m, 13)? },
        b'D' => Answer::Prevented { token, gone: shares_at(m, 13)? },
        b'E' => Answer::Executed(traded(m, token)?),
        b'B' => Answer::Broken { token, trade: u64_at(m, 13)? },
        b'F' => Answer::Corrected(traded(m, token)?),
        b'J' => Answer::Rejected { token },
        b'P' => Answer::CancelPending { token },
        b'I' => Answer::CancelRejected { token },
        b'T' => Answer::Moved { token, price: price_at(m, 13)?, display: *m.get(21)?, reference: u64_at(m, 22)? },
        b'R' => Answer::Restated { token, reference: displayed_reference(m.get(14..)?) },
        b'X' | b'G' | b'K' => Answer::Other,
        _ => return None,
    })
}

/// Tag 1 of an appendage: two bytes of length, then options of length, tag, value.
fn displayed_reference(appendage: &[u8]) -> Option<u64> {
    let length = usize::from(u16_at(appendage, 0)?);
    let mut options = appendage.get(2..2 + length)?;
    while let Some((size, rest)) = options.split_first() {
        let (option, rest) = rest.split_at_checked(usize::from(*size))?;
        if option.first() == Some(&1) {
            return u64_at(option, 1);
        }
        options = rest;
    }
    None
}

/// The order's name in a client's text: its first eight characters, base 32 with the digits 0 to 9 and A to V.
pub(super) fn name(text: &[u8; 14]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(&text[..8]).ok()?, 32).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An Accepted and a Replaced, byte by byte as the tables of OUCH 5.0 have them.
    #[test]
    fn offsets_are_those_of_the_specification() {
        let accepted = b"A\0\0\0\0\0\0\0\x01\0\0\0\x07B\0\0\0\x64AAPL    \0\0\0\0\0\x0f\x42\x400Y\0\0\0\0\0\0\x12\x34PNNL00000001000000\0\0";
        let stands =
            Stands { token: 7, side: b'B', qty: 100, price: 1_000_000, display: b'Y', reference: 0x1234, live: true };
        assert_eq!(answer(accepted), Some(Answer::Accepted(stands)));
        let mut replaced = b"U\0\0\0\0\0\0\0\x01\0\0\0\x06".to_vec();
        replaced.extend_from_slice(&accepted[9..]);
        assert_eq!(answer(&replaced), Some(Answer::Replaced { orig: 6, now: stands }));
        let executed = b"E\0\0\0\0\0\0\0\x01\0\0\0\x07\0\0\0\x0a\0\0\0\0\0\x0f\x42\x40A\0\0\0\0\0\0\0\x09\0\0";
        let traded = Traded { token: 7, qty: 10, price: 1_000_000, liquidity: b'A', trade: 9 };
        assert_eq!(answer(executed), Some(Answer::Executed(traded)));
        let mut corrected = [b"F", &executed[1..34]].concat();
        corrected.extend_from_slice(b"N00000001000000");
        assert_eq!(answer(&corrected), Some(Answer::Corrected(traded)));
        let enter = b"O\0\0\0\x07B\0\0\0\x64AAPL    \0\0\0\0\0\x0f\x42\x400YPNN0000000A000000\0\0";
        let text = *b"0000000A000000";
        let (token, side, qty, price) = (7, b'B', 100, 1_000_000);
        assert_eq!(request(enter), Some(Request::Enter { token, side, qty, symbol: *b"AAPL    ", price, text }));
        assert_eq!(name(&text), Some(10));
        let restated = b"R\0\0\0\0\0\0\0\x01\0\0\0\x07R\0\x0d\x02\x0cN\x09\x01\0\0\0\0\0\0\0\x05";
        assert_eq!(answer(restated), Some(Answer::Restated { token: 7, reference: Some(5) }));
    }

    #[test]
    fn packets_come_out_whole_however_they_come_in() {
        let stream = [0, 1, b'H', 0, 3, b'S', b'x', b'y', 0, 1, b'Z'];
        for cut in 0..=stream.len() {
            let mut frames = Frames::default();
            let mut got = Vec::new();
            for part in [&stream[..cut], &stream[cut..]] {
                frames.push(part);
                got.extend(std::iter::from_fn(|| frames.next()));
            }
            let expected = [(b'H', vec![]), (b'S', b"xy".to_vec()), (b'Z', vec![])];
            assert_eq!(got, expected, "cut at {cut}");
        }
    }
}
