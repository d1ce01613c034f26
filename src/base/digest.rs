//! State that can be compared, saved and restored.

use alloc::vec::Vec;
use xxhash_rust::xxh3::Xxh3;

/// A running 64-bit digest (XXH3) over state or output, fed in a fixed order.
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

    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Adds a number.
    pub fn u64(&mut self, value: u64) {
        self.0.update(&value.to_le_bytes());
    }

    /// Adds a signed number.
    pub fn i64(&mut self, value: i64) {
        self.0.update(&value.to_le_bytes());
    }

    /// Adds a wide number.
    pub fn i128(&mut self, value: i128) {
        self.0.update(&value.to_le_bytes());
    }

    /// The digest of what `feed` feeds.
    #[must_use]
    pub fn of_state(feed: impl FnOnce(&mut Digest)) -> u64 {
        let mut digest = Digest::default();
        feed(&mut digest);
        digest.value()
    }

    /// The digest so far.
    #[must_use]
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

/// Why saved state could not be loaded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// The bytes end too early.
    Short,
    /// A value is out of the range its configuration allows.
    OutOfRange,
}

/// Appends little-endian values; used off the lane only, hence a growing buffer.
#[derive(Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// Appends bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends a number.
    pub fn u64(&mut self, value: u64) {
        self.bytes(&value.to_le_bytes());
    }

    /// Appends a signed number.
    pub fn i64(&mut self, value: i64) {
        self.bytes(&value.to_le_bytes());
    }
}

/// Reads what [`Writer`] wrote.
#[derive(Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next `n` bytes.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], LoadError> {
        let (head, tail) = self.0.split_at_checked(n).ok_or(LoadError::Short)?;
        self.0 = tail;
        Ok(head)
    }

    /// The next number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer than eight bytes.
    pub fn u64(&mut self) -> Result<u64, LoadError> {
        let (head, tail) = self.0.split_first_chunk::<8>().ok_or(LoadError::Short)?;
        self.0 = tail;
        Ok(u64::from_le_bytes(*head))
    }

    /// The next signed number.
    ///
    /// # Errors
    /// [`LoadError::Short`] if there are fewer than eight bytes.
    pub fn i64(&mut self) -> Result<i64, LoadError> {
        let (head, tail) = self.0.split_first_chunk::<8>().ok_or(LoadError::Short)?;
        self.0 = tail;
        Ok(i64::from_le_bytes(*head))
    }
}

/// A part of the lane whose state decides what comes next. Equal state gives equal digests; `load` of what `save`
/// wrote restores it, so that snapshots, recovery and replay checks hold for a user's own parts too.
pub trait State {
    /// Feeds every value that can change a later output.
    fn digest(&self, into: &mut Digest);
    /// Writes the state.
    fn save(&self, into: &mut Writer);
    /// Restores the state into a part built from the same configuration.
    ///
    /// # Errors
    /// [`LoadError`] when the bytes are not such a state; the part is then unusable.
    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError>;
}

/// No state.
impl State for () {
    fn digest(&self, _: &mut Digest) {}

    fn save(&self, _: &mut Writer) {}

    fn load(&mut self, _: &mut Reader<'_>) -> Result<(), LoadError> {
        Ok(())
    }
}

/// Parts side by side.
impl<A: State, B: State> State for (A, B) {
    fn digest(&self, into: &mut Digest) {
        self.0.digest(into);
        self.1.digest(into);
    }

    fn save(&self, into: &mut Writer) {
        self.0.save(into);
        self.1.save(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.0.load(from)?;
        self.1.load(from)
    }
}

/// For tests of digests: each of them is of a state that differs from the others' in one field. The first that is the same
/// as another.
#[cfg(test)]
pub(crate) fn first_repeated(digests: &[u64]) -> Option<usize> {
    digests.iter().enumerate().position(|(n, digest)| digests.iter().take(n).any(|other| other == digest))
}
