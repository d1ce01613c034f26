//! A digest of output, or of a state as it would be saved.

use super::state::{Save, State};
use xxhash_rust::xxh3::Xxh3;

/// A running 64-bit digest (XXH3) over bytes, fed in a fixed order.
pub struct Digest(Xxh3);

impl Default for Digest {
    fn default() -> Self {
        Digest(Xxh3::new())
    }
}

impl core::fmt::Debug for Digest {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Digest({:016x})", self.value())
    }
}

impl Digest {
    /// The digest of one slice.
    #[must_use]
    pub fn of(bytes: &[u8]) -> u64 {
        xxhash_rust::xxh3::xxh3_64(bytes)
    }

    /// The digest of a state: of the bytes that it would be saved as. What is saved is so in the digest, and what is not
    /// is in neither.
    #[must_use]
    pub fn of_state<S: State + ?Sized>(state: &S) -> u64 {
        let mut digest = Digest::default();
        state.save(&mut digest);
        digest.value()
    }

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a number.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Adds a signed number.
    pub fn i64(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

impl Save for Digest {
    fn bytes(&mut self, bytes: &[u8]) {
        Digest::bytes(self, bytes);
    }
}
