//! `BinaryFILE`: messages after one another, each behind a two-byte big-endian length, without a header or an index.
//!
//! A length of zero ends the session. Nothing after it is a message; how many bytes there are is told, because some
//! tools write files whose lengths are all zero, and to pass over those in silence would
//! be to lose them.

use super::CaptureError;
use super::window::Window;
use std::io::{self, Read, Write};

/// The bytes end inside of the message, or of the length, at `offset`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the file ends inside of the message at byte {offset}")]
pub struct Truncated {
    /// Where the message's length stands.
    pub offset: usize,
}

/// Walks the messages of a whole file in memory; yields [`Truncated`] at most once, last.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    rest: &'a [u8],
    total: usize,
}

impl<'a> Messages<'a> {
    /// The messages of `bytes`, which are decompressed.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Messages { rest: bytes, total: bytes.len() }
    }

    /// Where the next message's length stands.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.total - self.rest.len()
    }

    /// Once the walk has ended: how many bytes follow the zero length that ended it.
    #[must_use]
    pub fn trailing(&self) -> usize {
        self.rest.len().saturating_sub(2)
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<&'a [u8], Truncated>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let whole = self.rest.split_first_chunk::<2>().and_then(|(length, rest)| {
            let length = usize::from(u16::from_be_bytes(*length));
            rest.split_at_checked(length)
        });
        match whole {
            Some(([], _)) => None,
            Some((message, rest)) => {
                self.rest = rest;
                Some(Ok(message))
            }
            None if self.rest.is_empty() => None,
            None => {
                let offset = self.offset();
                self.rest = &[];
                Some(Err(Truncated { offset }))
            }
        }
    }
}

impl std::iter::FusedIterator for Messages<'_> {}

/// Reads the messages of a stream one by one.
pub struct Reader<R> {
    window: Window<R>,
    /// How much of the window the message last read takes up.
    used: usize,
    trailing: u64,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// The messages of a decompressed stream.
    pub fn new(stream: R) -> Self {
        Reader { window: Window::new(stream, 1 << 20), used: 0, trailing: 0, ended: false }
    }

    /// The next message, or `None` at the end of the file or session.
    ///
    /// # Errors
    /// [`CaptureError::Truncated`] and [`CaptureError::Read`]; after either there is nothing more.
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<&[u8]>, CaptureError> {
        self.window.consume(std::mem::take(&mut self.used));
        let whole = whole_message(self.window.data());
        if whole.is_none_or(|length| length == 0) && !self.look_further()? {
            return Ok(None);
        }
        let length = whole_message(self.window.data()).unwrap_or(0);
        self.used = 2 + length;
        Ok(self.window.data().get(2..2 + length))
    }

    /// Is there another message? Reads on until it is there.
    #[cold]
    fn look_further(&mut self) -> Result<bool, CaptureError> {
        if self.ended {
            return Ok(false);
        }
        self.ended = true;
        let truncated = CaptureError::Truncated { offset: self.window.offset() };
        if !self.window.has(2)? {
            // A packed file that breaks off between two messages is incomplete all the same.
            let is_end = self.window.data().is_empty() && !self.window.is_cut();
            return if is_end { Ok(false) } else { Err(truncated) };
        }
        let length = usize::from(self.window.data().first_chunk().map_or(0, |length| u16::from_be_bytes(*length)));
        if length == 0 {
            self.window.consume(2);
            self.count_trailing()?;
            return Ok(false);
        }
        if !self.window.has(2 + length)? {
            return Err(truncated);
        }
        self.ended = false;
        Ok(true)
    }

    /// Whatever follows the end of the session is read and counted, and nothing else.
    fn count_trailing(&mut self) -> Result<(), CaptureError> {
        loop {
            let bytes = self.window.data().len();
            self.trailing += bytes as u64;
            self.window.consume(bytes);
            if !self.window.read_more()? {
                return Ok(());
            }
        }
    }

    /// Once the end has been reached: how many bytes follow the zero length that ended it.
    pub fn trailing(&self) -> u64 {
        self.trailing
    }
}

/// The length of the message that `bytes` begin with, if all of it is there.
#[inline]
fn whole_message(bytes: &[u8]) -> Option<usize> {
    let length = usize::from(u16::from_be_bytes(*bytes.first_chunk()?));
    (bytes.len() >= 2 + length).then_some(length)
}

/// Writes messages as a `BinaryFILE`, without an end of session.
///
/// # Errors
/// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a message of no bytes (which would end the session) or of
/// more than a length can say.
pub fn write_binary_file<'a>(mut out: impl Write, messages: impl IntoIterator<Item = &'a [u8]>) -> io::Result<()> {
    for message in messages {
        match u16::try_from(message.len()) {
            Ok(length) if length > 0 => {
                out.write_all(&length.to_be_bytes())?;
                out.write_all(message)?;
            }
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "a message has 1 to 65,535 bytes")),
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(messages: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        write_binary_file(&mut bytes, messages.iter().copied()).unwrap();
        bytes
    }

    /// What the streaming reader delivers, and where it says the file is cut.
    fn streamed(bytes: &[u8]) -> (Vec<Vec<u8>>, Option<u64>) {
        let mut reader = Reader::new(bytes);
        let mut messages = Vec::new();
        loop {
            match reader.next_message() {
                Ok(Some(message)) => messages.push(message.to_vec()),
                Ok(None) => return (messages, None),
                Err(CaptureError::Truncated { offset }) => {
                    assert!(matches!(reader.next_message(), Ok(None)), "the error comes once");
                    return (messages, Some(offset));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_cut_file_gives_what_is_whole_and_one_error() {
        let bytes = file(&[b"abc", b"d", b"efgh"]);
        let ends = [5, 8, 14];
        for cut in 0..=bytes.len() {
            let mut walk = Messages::new(&bytes[..cut]);
            let sound = walk.by_ref().take_while(Result::is_ok).count();
            assert_eq!(sound, ends.iter().filter(|end| **end <= cut).count());
            assert!(walk.next().is_none());
            let error = Messages::new(&bytes[..cut]).find_map(Result::err);
            let start = [0, 5, 8, 14][sound];
            assert_eq!(error, (cut != start).then_some(Truncated { offset: start }));
            assert_eq!(streamed(&bytes[..cut]).1, error.map(|e| e.offset as u64));
        }
    }

    #[test]
    fn a_zero_length_ends_the_session_and_tells_what_follows() {
        let mut bytes = file(&[b"abc"]);
        bytes.extend_from_slice(b"\0\0\0\x03xyz");
        let mut walk = Messages::new(&bytes);
        assert_eq!(walk.by_ref().collect::<Vec<_>>(), [Ok(&b"abc"[..])]);
        assert_eq!(walk.trailing(), 5);
        assert_eq!(streamed(&bytes), (vec![b"abc".to_vec()], None));

        let clean = file(&[b"abc"]);
        let mut walk = Messages::new(&clean);
        walk.by_ref().for_each(drop);
        assert_eq!(walk.trailing(), 0);
    }

    #[test]
    fn a_message_that_has_no_length_is_refused() {
        let long = vec![0; 65_536];
        assert!(write_binary_file(Vec::new(), [&long[..65_535]]).is_ok());
        assert!(write_binary_file(Vec::new(), [&long[..]]).is_err());
        assert!(write_binary_file(Vec::new(), [&b""[..]]).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20)) {
            let mut bytes = Vec::new();
            write_binary_file(&mut bytes, messages.iter().map(Vec::as_slice)).unwrap();
            let walked: Vec<_> = Messages::new(&bytes).map(Result::unwrap).collect();
            prop_assert_eq!(&walked, &messages.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(streamed(&bytes), (messages, None));
        }

        #[test]
        fn both_readers_agree_on_any_bytes(bytes in prop::collection::vec(prop::sample::select(vec![0u8, 1, 2, 3, 255]), 0..60)) {
            let (messages, cut) = streamed(&bytes);
            let walked: Vec<_> = Messages::new(&bytes).filter_map(Result::ok).map(<[u8]>::to_vec).collect();
            prop_assert_eq!(walked, messages);
            prop_assert_eq!(Messages::new(&bytes).find_map(Result::err).map(|e| e.offset as u64), cut);
        }
    }
}
