//! The messages of a file of either kind, one after the other, in memory that does not grow with the file.

use super::merge::{Counts, Merge};
use super::packets::Skipped;
use super::{Capture, CaptureError, beginning, looks_like, unpack};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// About so many bytes of messages come at once.
const BATCH: usize = 1 << 20;

/// Something between two messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mark {
    /// So many messages are missing here: nothing in the capture has them.
    Lost(u64),
    /// A new session begins: nothing of what was before counts any more.
    NewSession,
}

/// Some messages, and what stands between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Messages behind two-byte lengths, as in a BinaryFILE.
    bytes: Vec<u8>,
    /// Each before the message that begins at this byte.
    marks: Vec<(usize, Mark)>,
}

impl Batch {
    /// The messages, as a BinaryFILE holds them.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The messages, for good.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// What stands between them, each with the byte that it stands before.
    #[must_use]
    pub fn marks(&self) -> &[(usize, Mark)] {
        &self.marks
    }

    /// The same batch with nothing in it.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.marks.clear();
    }

    /// An empty message, which a packet may hold and a BinaryFILE may not, is left out.
    #[inline]
    pub(super) fn message(&mut self, message: &[u8]) {
        if let (Ok(length), false) = (u16::try_from(message.len()), message.is_empty()) {
            self.bytes.extend_from_slice(&length.to_be_bytes());
            self.bytes.extend_from_slice(message);
        }
    }

    pub(super) fn mark(&mut self, mark: Mark) {
        match (self.marks.last_mut(), mark) {
            (Some((at, Mark::Lost(count))), Mark::Lost(more)) if *at == self.bytes.len() => *count += more,
            _ => self.marks.push((self.bytes.len(), mark)),
        }
    }
}

/// How a file ended.
#[derive(Debug)]
pub enum Ending {
    /// It is not read to its end yet.
    Open,
    /// With its last message.
    Whole,
    /// In the middle of the record at this byte.
    Truncated(u64),
    /// Before its end: what follows cannot be read.
    Damaged(CaptureError),
}

/// How far a file is read.
#[derive(Clone, Debug)]
pub struct Position {
    read: Arc<AtomicU64>,
    of: Option<u64>,
}

impl Position {
    /// Bytes read of the file, as it is packed, and how many there are where that is known.
    #[must_use]
    pub fn get(&self) -> (u64, Option<u64>) {
        (self.read.load(Ordering::Relaxed), self.of)
    }
}

struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(out)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// Reads the messages of a file.
pub struct Stream {
    capture: Capture,
    merge: Merge,
    position: Position,
    first: Vec<u8>,
    ending: Ending,
}

impl Stream {
    /// Opens a file of either kind, packed or not.
    ///
    /// # Errors
    /// As [`super::open`]; [`CaptureError::UnsupportedLink`], [`CaptureError::Damaged`] for the header of a capture.
    pub fn open(path: &Path) -> Result<Stream, CaptureError> {
        let opening = |source| CaptureError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(opening)?;
        let metadata = file.metadata().map_err(opening)?;
        if metadata.is_dir() {
            return Err(CaptureError::Directory(path.to_owned()));
        }
        Stream::of(file, metadata.is_file().then_some(metadata.len()))
    }

    /// Reads from anything; `length` is how many bytes there are, if that is known.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn of(file: impl Read + Send + 'static, length: Option<u64>) -> Result<Stream, CaptureError> {
        let read = Arc::new(AtomicU64::new(0));
        let position = Position { read: Arc::clone(&read), of: length };
        let stream = unpack(Counting { inner: file, read })?;
        let (first, stream) = match beginning(stream) {
            Ok((first, rest)) => (first.clone(), Box::new(io::Cursor::new(first).chain(rest)) as Box<dyn Read + Send>),
            Err((first, error)) => {
                let rest = super::Failing(Some(error));
                (first.clone(), Box::new(io::Cursor::new(first).chain(rest)) as Box<dyn Read + Send>)
            }
        };
        let (capture, ending) = match Capture::of(stream) {
            Ok(capture) => (capture, Ending::Open),
            Err(error) => return Err(error),
        };
        Ok(Stream { capture, merge: Merge::default(), position, first, ending })
    }

    /// How far the file is read.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position.clone()
    }

    /// Adds the next messages to `batch`, about a megabyte of them; false at the end, when there are no more.
    pub fn fill(&mut self, batch: &mut Batch) -> bool {
        if !matches!(self.ending, Ending::Open) {
            return false;
        }
        let enough = batch.bytes.len() + BATCH;
        while batch.bytes.len() < enough {
            let next = match &mut self.capture {
                Capture::BinaryFile(reader) => {
                    reader.next_message().map(|next| next.map(|message| batch.message(message)))
                }
                Capture::Packets(reader) => {
                    reader.next_datagram().map(|next| next.map(|datagram| self.merge.take(&datagram, batch)))
                }
            };
            self.ending = match next {
                Ok(Some(())) => continue,
                Ok(None) => Ending::Whole,
                Err(CaptureError::Truncated { offset }) => Ending::Truncated(offset),
                Err(error) => Ending::Damaged(error),
            };
            self.merge.finish(batch);
            break;
        }
        true
    }

    /// How the file ended.
    #[must_use]
    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    /// The same, for good.
    #[must_use]
    pub fn into_ending(self) -> Ending {
        self.ending
    }

    /// Bytes behind the end of the session of a BinaryFILE.
    #[must_use]
    pub fn trailing(&self) -> u64 {
        match &self.capture {
            Capture::BinaryFile(reader) => reader.trailing(),
            Capture::Packets(_) => 0,
        }
    }

    /// Of a packet capture: what was passed over while the packets were taken from the file, and what while they were
    /// put in order.
    #[must_use]
    pub fn packets(&self) -> Option<(Skipped, Counts)> {
        match &self.capture {
            Capture::BinaryFile(_) => None,
            Capture::Packets(reader) => Some((reader.skipped(), self.merge.counts())),
        }
    }

    /// What the file looks like, if nothing in it could be used.
    #[must_use]
    pub fn looks_like(&self) -> &'static str {
        looks_like(&self.first)
    }
}
