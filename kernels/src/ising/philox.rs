//! Philox4x32-10: random numbers that are a function of where they are used, so that any device draws the same ones in any order.
//!
//! Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC 2011. The known answers of its authors' library
//! (Random123, `kat_vectors`) are in the tests.

/// Rounds; the "10" of the name.
const ROUNDS: u32 = 10;
/// What the two halves of a counter are multiplied with.
pub const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
/// What is added to the two words of a key from round to round.
pub const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The 128 bits that belong to this counter under this key.
#[must_use]
#[inline]
pub const fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k, mut l] = key;
    let mut round = 0;
    while round < ROUNDS {
        let left = a as u64 * MULTIPLIERS[0] as u64;
        let right = c as u64 * MULTIPLIERS[1] as u64;
        a = (right >> 32) as u32 ^ b ^ k;
        b = right as u32;
        c = (left >> 32) as u32 ^ d ^ l;
        d = left as u32;
        k = k.wrapping_add(WEYL[0]);
        l = l.wrapping_add(WEYL[1]);
        round += 1;
    }
    [a, b, c, d]
}

/// What random numbers are drawn for: the last word of a counter, so that no two uses share any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Use {
    /// Where a replica begins.
    Start = 0,
    /// Whether a spin flips.
    Flip = 1,
    /// Whether two temperatures are exchanged.
    Exchange = 2,
}

/// The random numbers of one seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    key: [u32; 2],
}

impl Random {
    /// Of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Random { key: [seed as u32, (seed >> 32) as u32] }
    }

    /// The key, as it is handed to a device.
    #[must_use]
    pub const fn key(self) -> [u32; 2] {
        self.key
    }

    /// Eight numbers of 16 bits for the sites `8 * block ..` of a replica at a step: site `8 * block + k` has the `k`-th, the lower half of a
    /// word before its upper half.
    #[must_use]
    #[inline]
    pub const fn eight(self, purpose: Use, replica: u32, step: u32, block: u32) -> [u16; 8] {
        self.eight_of(purpose, 0, replica, step, block)
    }

    /// The same, of one of several parts of a replica: rungs of a ladder, slices of a ring.
    #[must_use]
    #[inline]
    pub const fn eight_of(self, purpose: Use, part: u32, replica: u32, step: u32, block: u32) -> [u16; 8] {
        let words = philox4x32([replica, step, block, purpose as u32 | part << 8], self.key);
        let mut eight = [0; 8];
        let mut word = 0;
        while word < 4 {
            eight[2 * word] = words[word] as u16;
            eight[2 * word + 1] = (words[word] >> 16) as u16;
            word += 1;
        }
        eight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authors_known_answers() {
        let zero = philox4x32([0; 4], [0; 2]);
        assert_eq!(zero, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        let ones = philox4x32([u32::MAX; 4], [u32::MAX; 2]);
        assert_eq!(ones, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        let pi = philox4x32([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]);
        assert_eq!(pi, [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]);
    }

    #[test]
    fn eight_numbers_are_the_four_words_lower_half_first() {
        let random = Random::new(0x299f_31d0_a409_3822);
        let words = philox4x32([7, 9, 11, Use::Flip as u32], random.key());
        let eight = random.eight(Use::Flip, 7, 9, 11);
        for (word, pair) in words.iter().zip(eight.chunks(2)) {
            assert_eq!(*word, u32::from(pair[0]) | u32::from(pair[1]) << 16);
        }
        assert_ne!(eight, random.eight(Use::Start, 7, 9, 11), "uses share nothing");
    }
}
