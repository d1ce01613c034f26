//! The part of a stream that is in memory.

use super::CaptureError;
use std::io::{ErrorKind, Read};

/// Bytes of a stream, read on as they are used up. Memory grows with what is there, not with what a length claims.
pub(super) struct Window<R> {
    stream: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `start` stands in the stream.
    offset: u64,
    at_end: bool,
    /// The stream ended before its packing said so.
    cut: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(stream: R, bytes: usize) -> Self {
        Window { stream, bytes: vec![0; bytes.max(64)], start: 0, end: 0, offset: 0, at_end: false, cut: false }
    }

    #[inline]
    pub(super) fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Where [`data`](Self::data) begins, in decompressed bytes of the stream.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    #[inline]
    pub(super) fn consume(&mut self, length: usize) {
        self.start = self.start.saturating_add(length).min(self.end);
        self.offset += length as u64;
    }

    /// A packed stream broke off: what was read of it is all that there is.
    pub(super) fn is_cut(&self) -> bool {
        self.cut
    }

    /// Reads until `wanted` bytes are there; false if the stream ends before.
    #[inline]
    pub(super) fn has(&mut self, wanted: usize) -> Result<bool, CaptureError> {
        while self.end - self.start < wanted {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads on; `false` at the end of the stream.
    pub(super) fn read_more(&mut self) -> Result<bool, CaptureError> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.stream.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.end = self.end.saturating_add(n).min(self.bytes.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A packing that ends too early is read as far as it goes, as a plain file is.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    (self.at_end, self.cut) = (true, true);
                    return Ok(false);
                }
                Err(source) => {
                    self.at_end = true;
                    return Err(CaptureError::reading(self.offset + (self.end - self.start) as u64, source));
                }
            }
        }
    }
}
