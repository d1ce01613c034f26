//! The one place of the shell for what safe Rust cannot say: the words of a mapped file.

use super::broadcast::Area;
use memmap2::{MmapOptions, MmapRaw};
use std::fs::File;
use std::io;
use std::sync::atomic::AtomicU64;

/// A file as words, shared with every process that maps it. The file must not get shorter meanwhile: a process that touches
/// what is cut off is ended by the system (SIGBUS).
pub(super) struct Mapped {
    map: MmapRaw,
    words: usize,
}

impl Mapped {
    /// The first `bytes` of a file that has so many; none of what is left over by whole words. What is mapped for reading alone
    /// must not be stored to.
    pub(super) fn new(file: &File, bytes: usize, writable: bool) -> io::Result<Self> {
        if file.metadata()?.len() < bytes as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let options = MmapOptions::new().len(bytes).to_owned();
        let map = if writable { options.map_raw(file)? } else { options.map_raw_read_only(file)? };
        Ok(Mapped { map, words: bytes / size_of::<u64>() })
    }
}

impl Area for Mapped {
    #[inline]
    fn words(&self) -> &[AtomicU64] {
        // SAFETY: the pointer is that of a mapping of at least `words` words (checked against the file's length before it was
        // mapped), which begins at a page and so is aligned, and lives as long as `self`. Every bit pattern is an AtomicU64.
        // Other threads and processes change the words, which is what an atomic is for; nobody has another kind of reference
        // to them: `map` is used for nothing else. Through a mapping for reading alone nothing but relaxed loads happen
        // (`broadcast`), which need no right to write.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast::<AtomicU64>(), self.words) }
    }
}
