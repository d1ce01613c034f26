//! Fragments of IP datagrams, put together again in bounded memory.

use std::collections::VecDeque;
use std::net::IpAddr;

/// Most datagrams in pieces at once; the oldest makes room. A sender's fragments follow each other closely.
const IN_PIECES: usize = 64;

/// Most pieces of one datagram: the longest one in pieces of the smallest.
const MOST_PIECES: usize = 8_192;

/// No datagram is longer.
const LONGEST: usize = 65_535;

/// Whose piece it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Key {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) protocol: u8,
    pub(super) id: u32,
}

/// One piece: where it belongs, and whether others follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) key: Key,
    pub(super) offset: usize,
    pub(super) more: bool,
}

struct Partial {
    key: Key,
    /// The pieces by their place, none overlapping.
    pieces: Vec<(usize, Vec<u8>)>,
    /// How many came.
    count: u64,
    length: Option<usize>,
}

/// Datagrams of which pieces are missing.
#[derive(Default)]
pub(super) struct Fragments {
    partial: VecDeque<Partial>,
    given_up: u64,
}

impl Fragments {
    /// Takes a piece; the whole payload of the datagram, if it is the last.
    pub(super) fn take(&mut self, piece: Piece, bytes: &[u8]) -> Option<Vec<u8>> {
        let at = self.partial.iter().position(|partial| partial.key == piece.key).unwrap_or_else(|| {
            if self.partial.len() == IN_PIECES
                && let Some(oldest) = self.partial.pop_front()
            {
                self.given_up += oldest.count;
            }
            self.partial.push_back(Partial { key: piece.key, pieces: Vec::new(), count: 0, length: None });
            self.partial.len() - 1
        });
        let partial = self.partial.get_mut(at)?;
        partial.count += 1;
        let end = piece.offset.saturating_add(bytes.len());
        if end > LONGEST || partial.pieces.len() == MOST_PIECES {
            return None;
        }
        let place = partial.pieces.partition_point(|(offset, _)| *offset < piece.offset);
        let before = place.checked_sub(1).and_then(|at| partial.pieces.get(at));
        let overlaps = before.is_some_and(|(offset, bytes)| offset + bytes.len() > piece.offset)
            || partial.pieces.get(place).is_some_and(|(offset, _)| *offset < end);
        // The same piece twice, as a tap of two ports records it.
        if overlaps {
            return None;
        }
        partial.pieces.insert(place, (piece.offset, bytes.to_vec()));
        if !piece.more {
            partial.length = Some(end);
        }
        let mut whole = 0;
        for (offset, bytes) in &partial.pieces {
            if *offset != whole {
                return None;
            }
            whole += bytes.len();
        }
        if partial.length != Some(whole) {
            return None;
        }
        let done = self.partial.remove(at)?;
        Some(done.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect())
    }

    /// Pieces of datagrams that were given up, and of those that still wait.
    pub(super) fn unused(&self) -> u64 {
        self.given_up + self.partial.iter().map(|partial| partial.count).sum::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(id: u32, offset: usize, more: bool) -> Piece {
        let of = |last| IpAddr::from([10, 0, 0, last]);
        Piece { key: Key { source: of(1), destination: of(2), protocol: 17, id }, offset, more }
    }

    #[test]
    fn pieces_in_any_order_make_the_whole() {
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1]] {
            let mut fragments = Fragments::default();
            let parts: [(usize, &[u8]); 3] = [(0, b"12345678"), (8, b"abcdefgh"), (16, b"xyz")];
            let mut whole = None;
            for at in order {
                assert_eq!(whole, None);
                let (offset, bytes) = parts[at];
                // The same again says nothing new.
                whole = fragments.take(piece(7, offset, at < 2), bytes);
                if whole.is_none() {
                    assert_eq!(fragments.take(piece(7, offset, at < 2), bytes), None);
                }
            }
            assert_eq!(whole.as_deref(), Some(&b"12345678abcdefghxyz"[..]));
            assert_eq!(fragments.unused(), 0);
        }
    }

    #[test]
    fn what_never_becomes_whole_makes_room_and_is_counted() {
        let mut fragments = Fragments::default();
        for id in 0..IN_PIECES as u32 + 1 {
            assert_eq!(fragments.take(piece(id, 0, true), b"12345678"), None);
        }
        assert_eq!(fragments.take(piece(1, 8, false), b"9").as_deref(), Some(&b"123456789"[..]));
        assert_eq!(fragments.take(piece(0, 8, false), b"9"), None, "the oldest was given up");
        assert_eq!(fragments.unused(), IN_PIECES as u64 + 1);
    }

    #[test]
    fn a_piece_beyond_the_longest_datagram_is_none() {
        let mut fragments = Fragments::default();
        assert_eq!(fragments.take(piece(1, 65_528, false), &[0; 8]), None);
        assert_eq!(fragments.unused(), 1);
    }
}
