//! Where messages come from: a recorded file, or a made market.

use crate::market::{Market, Stream, market};
use anyhow::{Context, Result, ensure};
use firelane_sim::capture::{self, Format};
use std::path::Path;

/// A recorded BinaryFILE, packed or not.
///
/// # Errors
/// If it can't be read, or is a packet capture.
pub fn file(path: &Path) -> Result<Stream> {
    let bytes = capture::read_all(path).with_context(|| path.display().to_string())?;
    ensure!(Format::of(&bytes) == Format::BinaryFile, "{}: not a BinaryFILE (.itch)", path.display());
    Ok(Stream { bytes, built: 0 })
}

/// Walks the messages of a BinaryFILE image. The length of the message after next is read before a message is given
/// out: it need not wait until the processor has found out which way the message's reader went.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    rest: &'a [u8],
    length: usize,
}

impl<'a> Walk<'a> {
    /// From the first message on.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        let mut walk = Walk { rest: bytes, length: 0 };
        walk.read_length();
        walk
    }

    #[inline(always)]
    fn read_length(&mut self) {
        match self.rest.split_first_chunk::<2>() {
            Some((prefix, rest)) => (self.rest, self.length) = (rest, usize::from(u16::from_be_bytes(*prefix))),
            None => self.length = usize::MAX,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (message, rest) = self.rest.split_at_checked(self.length)?;
        self.rest = rest;
        self.read_length();
        Some(message)
    }
}

/// The file, or without one a made market.
///
/// # Errors
/// Those of [`file()`].
pub fn of(path: Option<&Path>, otherwise: Market) -> Result<Stream> {
    path.map_or_else(|| Ok(market(otherwise)), file)
}
