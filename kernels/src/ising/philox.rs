//! What Ising machines draw from [Philox](crate::philox): eight numbers of 16 bits for each use, replica, step and block of sites.

pub use crate::philox::{MULTIPLIERS, WEYL, philox4x32};

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
