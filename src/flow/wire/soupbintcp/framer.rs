//! Cuts a TCP stream into packets.

use alloc::boxed::Box;
use alloc::vec;
use core::fmt;

use super::Packet;
use crate::base::{LoadError, Reader, Save, State, Value};

/// Why a stream cannot be cut into packets any further. There is no way to find the next packet: close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FrameError {
    /// A packet length of zero: not even a letter.
    Empty,
    /// A packet that the framer's buffer cannot hold: its packet length.
    Oversize(u16),
}

/// Collects bytes of a stream, however torn, and gives whole packets. Its memory is fixed: what it cannot take now
/// stays with the caller until packets have been taken out.
#[derive(Clone)]
pub struct Framer {
    buffer: Box<[u8]>,
    /// Of the bytes that wait: `start <= end <= buffer.len()`.
    start: usize,
    end: usize,
    error: Option<FrameError>,
}

/// The least capacity: every packet but data and debug fits.
const MIN_CAPACITY: usize = 64;

impl Framer {
    /// For packets of at most `capacity` bytes, length field included (at least 64;
    /// [`MAX_PACKET`](super::MAX_PACKET) refuses none).
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Framer { buffer: vec![0; capacity.max(MIN_CAPACITY)].into(), start: 0, end: 0, error: None }
    }

    /// Forgets what waits, for a new connection.
    pub fn clear(&mut self) {
        (self.start, self.end, self.error) = (0, 0, None);
    }

    /// The bytes that wait.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Does nothing wait?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes that wait for the rest of their packet, or to be taken out.
    #[must_use]
    pub fn waiting(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes bytes of the stream from the front of `bytes` and says how many. Fewer than all: take the packets out
    /// and push the rest; after that at least one byte is taken.
    ///
    /// # Errors
    /// The stream was found broken by [`next_packet`](Framer::next_packet).
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) -> Result<usize, FrameError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        if self.start > 0 && bytes.len() > self.buffer.len().saturating_sub(self.end) {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.len());
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let taken = free.len().min(bytes.len());
        for (to, from) in free.iter_mut().zip(bytes) {
            *to = *from;
        }
        self.end = self.end.saturating_add(taken);
        Ok(taken)
    }

    /// The next whole packet, if it is all there.
    ///
    /// # Errors
    /// The stream is broken, now and for good.
    #[inline]
    pub fn next_packet(&mut self) -> Result<Option<Packet<'_>>, FrameError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let waiting = self.buffer.get(self.start..self.end).unwrap_or_default();
        let Some((length, rest)) = waiting.split_first_chunk::<2>() else { return Ok(None) };
        let length = u16::from_be_bytes(*length);
        let room = self.buffer.len().saturating_sub(2);
        let error = match usize::from(length) {
            0 => FrameError::Empty,
            body if body > room => FrameError::Oversize(length),
            body => {
                let Some((letter, payload)) = rest.get(..body).and_then(<[u8]>::split_first) else { return Ok(None) };
                self.start = self.start.saturating_add(2).saturating_add(body);
                if self.start == self.end {
                    (self.start, self.end) = (0, 0);
                }
                return Ok(Some(Packet::decode(*letter, payload)));
            }
        };
        self.error = Some(error);
        Err(error)
    }
}

crate::value! { enum FrameError { 0 => Empty, 1 => Oversize(length) } }

/// The bytes that wait, wherever in the buffer.
impl State for Framer {
    fn save(&self, into: &mut dyn Save) {
        let Framer { buffer: _, start: _, end: _, error } = self;
        error.put(into);
        into.count(self.len());
        into.bytes(self.waiting());
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clear();
        let error = from.value()?;
        let waiting = from.count(self.buffer.len())?;
        let _all_fit = self.push(from.bytes(waiting)?);
        self.error = error;
        Ok(())
    }
}

/// Only how much waits, not what: a login waits here with its password.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Framer")
            .field("capacity", &self.buffer.len())
            .field("waiting", &self.len())
            .field("error", &self.error)
            .finish()
    }
}
