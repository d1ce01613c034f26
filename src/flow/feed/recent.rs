//! Fingerprints of the messages that came last, so that a second copy with other bytes is noticed.
//!
//! The first copy of a message is the one that counts. A line that then brings other bytes under the same number is at
//! fault, or the other one was: this is for people to find out. It is asked after a packet's messages are released, so
//! that no order waits for it.

use crate::base::{LoadError, Reader, Save, State};
use alloc::boxed::Box;
use alloc::vec;

/// So many messages the slower line may be behind and still be compared, at the most.
const MOST: usize = 2_048;

#[derive(Debug)]
pub(super) struct Recent {
    /// By the low bits of its number: the number's low half in front of the fingerprint. 0: none.
    slots: Box<[u64]>,
    /// The highest number noted.
    newest: u64,
}

impl Recent {
    /// For as many messages as wait at most, a power of two, but not more than are of use.
    pub(super) fn new(messages: usize) -> Self {
        let mut slots = vec![0; messages.min(MOST)].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        slots.fill(core::hint::black_box(0));
        Recent { slots, newest: 0 }
    }

    /// Looks the bytes of message `sequence` up, and notes them if it is to `keep` them. False: it was noted before, with
    /// others.
    #[inline]
    pub(super) fn note(&mut self, sequence: u64, message: &[u8], keep: bool) -> bool {
        if sequence.saturating_add(self.reach()) <= self.newest {
            return true;
        }
        let entry = entry(sequence, message);
        let index = self.index(sequence);
        let Some(slot) = self.slots.get_mut(index) else { return true };
        if *slot >> 32 == entry >> 32 && *slot != 0 {
            return *slot == entry;
        }
        if keep {
            *slot = entry;
            self.newest = self.newest.max(sequence);
        }
        true
    }

    fn reach(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // masked: below the number of slots
    fn index(&self, sequence: u64) -> usize {
        (sequence & self.reach().wrapping_sub(1)) as usize
    }

    /// The numbers begin anew.
    pub(super) fn clear(&mut self) {
        let Recent { slots, newest } = self;
        slots.fill(0);
        *newest = 0;
    }

    /// The places of what may still be compared with, in the order of the numbers: few while few were noted.
    fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let (newest, mask) = (self.newest, self.reach().wrapping_sub(1));
        let first = newest.saturating_sub(mask).max(1);
        #[allow(clippy::cast_possible_truncation)] // masked: below the number of slots
        (first..=newest).map(move |sequence| (sequence & mask) as usize)
    }
}

impl State for Recent {
    fn save(&self, into: &mut dyn Save) {
        let Recent { slots, newest } = self;
        into.count(slots.len());
        into.u64(*newest);
        self.places().for_each(|at| into.u64(slots.get(at).copied().unwrap_or_default()));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(self.slots.len(), from.u64()?)?;
        self.clear();
        self.newest = from.u64()?;
        for at in self.places() {
            let saved = from.u64()?;
            *self.slots.get_mut(at).ok_or(LoadError::BAD)? = saved;
        }
        Ok(())
    }
}

/// Number and fingerprint in one word. Multiplying and folding is plenty against accidents, which is what this is for.
#[inline]
fn entry(sequence: u64, message: &[u8]) -> u64 {
    let (words, rest) = message.as_chunks::<8>();
    // The last word again where it is not whole, so that no byte is read by itself; a short message has none to read.
    let last = match message.last_chunk::<8>() {
        Some(_) if rest.is_empty() => 0,
        Some(last) => u64::from_le_bytes(*last),
        None => rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    let print = words.iter().fold(mix(message.len() as u64, last), |print, word| mix(print, u64::from_le_bytes(*word)));
    sequence << 32 | print >> 32
}

#[inline]
const fn mix(print: u64, word: u64) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = (print ^ word).wrapping_mul(ODD);
    mixed ^ mixed >> 29
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_with_one_other_bit_is_noticed_and_an_equal_one_is_not() {
        for length in 0..70 {
            let message = vec![0x5A; length];
            for at in 0..length {
                let mut recent = Recent::new(8);
                assert!(recent.note(7, &message, true) && recent.note(7, &message, true));
                let mut other = message.clone();
                other[at] ^= 1;
                assert!(!recent.note(7, &other, true), "byte {at} of {length}");
                assert!(recent.note(7, &message, true), "the first copy counts");
            }
            let mut recent = Recent::new(8);
            recent.note(7, &message, true);
            assert!(!recent.note(7, &[&message[..], &[0]].concat(), true), "a zero more than {length}");
        }
    }

    #[test]
    fn it_reaches_back_exactly_so_far() {
        let mut recent = Recent::new(8);
        assert!(recent.note(1, b"one", true) && recent.note(8, b"last", true));
        assert!(!recent.note(1, b"other", true), "the oldest that is remembered");
        assert!(recent.note(8 + 1, b"next", true));
        assert!(recent.note(1, b"other", true), "out of reach: nothing to say");
        assert!(recent.note(8 + 1, b"next", true), "and nothing was overwritten");
        assert!(!recent.note(8, b"other", true));
        recent.clear();
        assert!(recent.note(8, b"other", true));
    }

    #[test]
    fn what_it_remembers_is_saved_and_restored() {
        let changes: [fn(&mut Recent); 7] = [
            |_| {},
            |r| _ = r.note(1, b"a", true),
            |r| _ = r.note(1, b"b", true),
            |r| _ = r.note(2, b"a", true),
            |r| _ = r.note(2, b"a", true) && r.note(1, b"a", true),
            |r| (1..=8).for_each(|n| assert!(r.note(n, b"a", true))),
            |r| (5..=20).for_each(|n| assert!(r.note(n, b"a", true))),
        ];
        crate::base::assert_all_saved(|| Recent::new(8), &changes);
    }
}
