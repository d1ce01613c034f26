//! The venue's journal: every input that changes what it is, in order, so that a venue that was killed comes back as it
//! was. What an exchange answers follows from its inputs; so they are all that is kept.
//!
//! A file is a header and frames. A frame holds the inputs of one duty cycle and is written with one call before
//! anything that they caused leaves the process. What a crash cuts short is the last frame: it is dropped, as nobody has
//! seen anything of it. Anything else that is not as it was written is damage, and is refused with its place.
//!
//! No password is in it: the far end's doorman has taken them off what clients wrote.
//!
//! ```text
//! header: magic, version, digest of the configuration, the exchange's time at zero, checksum
//! frame:  length, checksum of it; inputs, checksum of them
//! input:  kind, instant, and what it consists of
//! ```

use crate::venue::acceptor::ConnId;
use firelane_gateway::base::{ExchangeTime, Mono};
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// One input of the far end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input<'a> {
    /// The day begins.
    Open,
    /// Time has passed.
    Timer,
    /// A client connected to an order-entry port.
    Connect(ConnId, u16),
    /// It wrote this, but for passwords: they are taken off before.
    Bytes(ConnId, &'a [u8]),
    /// It is gone.
    Close(ConnId),
    /// The market stops.
    Stop,
    /// Another market-data session begins.
    ChangeSession,
    /// The market-data session ends.
    EndSession,
    /// The day ends: order entry is over for good.
    EndDay,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be read or written.
    #[error("journal {}: {error}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Another process writes it.
    #[error("journal {}: another venue is using it", .0.display())]
    InUse(PathBuf),
    /// It is something else.
    #[error("{} is not a venue's journal, or of another version", .0.display())]
    NotAJournal(PathBuf),
    /// It was written under another configuration.
    #[error(
        "journal {} was written under another configuration of market or ports; remove it to begin a new day, or \
         start the venue with the configuration that it was written with",
        .0.display()
    )]
    OtherConfiguration(PathBuf),
    /// It is not as it was written.
    #[error("journal {}: damaged at byte {at}: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged part begins.
        at: u64,
        /// What is wrong.
        what: &'static str,
    },
}

const MAGIC: &[u8; 8] = b"FLVENUE\x03";
/// Magic, digest, epoch, checksum.
const HEADER: usize = 8 + 8 + 8 + 4;
/// A frame is closed when it is so long; one input more may make it longer.
const LONG_FRAME: usize = 1 << 20;
/// No frame is longer than this.
const LONGEST_FRAME: usize = LONG_FRAME + (1 << 17);

mod kind {
    pub(super) const OPEN: u8 = 1;
    pub(super) const TIMER: u8 = 2;
    pub(super) const CONNECT: u8 = 3;
    pub(super) const BYTES: u8 = 4;
    pub(super) const CLOSE: u8 = 5;
    pub(super) const STOP: u8 = 6;
    pub(super) const CHANGE_SESSION: u8 = 7;
    pub(super) const END_SESSION: u8 = 8;
    pub(super) const END_DAY: u8 = 9;
}

/// A journal that is being written.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where frames go instead of into the file.
    instead: Option<Box<dyn Write + Send>>,
    epoch: ExchangeTime,
    /// Whole frames, to be written.
    pending: Vec<u8>,
    /// The frame that is being filled.
    frame: Vec<u8>,
    /// A write has failed: the file may end inside a frame, and nothing may stand behind that.
    broken: bool,
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("path", &self.path).field("broken", &self.broken).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens a journal, or begins one. `digest` is that of everything in the configuration that decides what the venue
    /// does; `epoch` is the exchange's time at zero, unless the journal has one already.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(path: &Path, digest: u64, epoch: ExchangeTime) -> Result<Self, JournalError> {
        let io = |error| JournalError::Io { path: path.to_owned(), error };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // Clients' orders are in it, and who they are.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(io)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(JournalError::InUse(path.to_owned())),
            // Where files cannot be locked, nothing is lost but this check.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let mut header = Vec::new();
        (&file).take(HEADER as u64).read_to_end(&mut header).map_err(io)?;
        let mut expected = Vec::from(*MAGIC);
        expected.extend(digest.to_le_bytes());
        let known = header.len().min(expected.len());
        if header[..known.min(MAGIC.len())] != MAGIC[..known.min(MAGIC.len())] {
            return Err(JournalError::NotAJournal(path.to_owned()));
        }
        if header[..known] != expected[..known] {
            return Err(JournalError::OtherConfiguration(path.to_owned()));
        }
        let epoch = if header.len() < HEADER {
            // Nothing, or a header that a crash cut short: nothing can have come after it.
            expected.extend(epoch.0.to_le_bytes());
            expected.extend(crc32c::crc32c(&expected).to_le_bytes());
            file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&expected)).map_err(io)?;
            epoch
        } else {
            let (body, checksum) = header.split_at(HEADER - 4);
            if crc32c::crc32c(body).to_le_bytes() != checksum {
                return Err(JournalError::Damaged { path: path.to_owned(), at: 0, what: "the header's checksum" });
            }
            ExchangeTime(u64::from_le_bytes(body[16..].try_into().unwrap_or_default()))
        };
        let (pending, frame) = (Vec::new(), Vec::new());
        Ok(Journal { path: path.to_owned(), file, instead: None, epoch, pending, frame, broken: false })
    }

    /// Frames go there from now on, and no more into the file: for tests, of a disk that fails.
    #[must_use]
    pub fn written_to(self, writer: impl Write + Send + 'static) -> Self {
        Journal { instead: Some(Box::new(writer)), ..self }
    }

    /// The exchange's time at zero.
    #[must_use]
    pub fn epoch(&self) -> ExchangeTime {
        self.epoch
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every input, in order, and drops a frame at the end that a crash cut short. How many there were.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] or [`JournalError::Io`].
    pub fn replay(&mut self, mut take: impl FnMut(Mono, Input<'_>)) -> Result<u64, JournalError> {
        let Journal { path, file, .. } = self;
        let io = |error| JournalError::Io { path: path.clone(), error };
        let damaged = |at, what| JournalError::Damaged { path: path.clone(), at, what };
        file.seek(SeekFrom::Start(HEADER as u64)).map_err(io)?;
        let mut reader = BufReader::with_capacity(1 << 18, &*file);
        let (mut at, mut count) = (HEADER as u64, 0);
        let mut frame = Vec::new();
        loop {
            frame.clear();
            reader.by_ref().take(8).read_to_end(&mut frame).map_err(io)?;
            let Ok(head) = <[u8; 8]>::try_from(frame.as_slice()) else { break };
            let (length, checksum) = head.split_at(4);
            if crc32c::crc32c(length).to_le_bytes() != checksum {
                return Err(damaged(at, "the checksum of a frame's length"));
            }
            let length = u32::from_le_bytes(length.try_into().unwrap_or_default()) as usize;
            if length > LONGEST_FRAME {
                return Err(damaged(at, "a frame longer than any that is written"));
            }
            frame.clear();
            reader.by_ref().take(length as u64 + 4).read_to_end(&mut frame).map_err(io)?;
            if frame.len() < length + 4 {
                break;
            }
            let (inputs, checksum) = frame.split_at(length);
            if crc32c::crc32c(inputs).to_le_bytes() != checksum {
                return Err(damaged(at, "the checksum of a frame"));
            }
            let mut rest = Fields(inputs);
            while !rest.0.is_empty() {
                let Some((now, input)) = rest.input() else { return Err(damaged(at, "an input that is none")) };
                take(now, input);
                count += 1;
            }
            at += 8 + length as u64 + 4;
        }
        file.set_len(at).and_then(|()| file.seek(SeekFrom::Start(at))).map_err(io)?;
        Ok(count)
    }

    /// Notes an input. It is not written yet.
    pub fn note(&mut self, now: Mono, input: Input<'_>) {
        let number = match input {
            Input::Open => kind::OPEN,
            Input::Timer => kind::TIMER,
            Input::Connect(..) => kind::CONNECT,
            Input::Bytes(..) => kind::BYTES,
            Input::Close(_) => kind::CLOSE,
            Input::Stop => kind::STOP,
            Input::ChangeSession => kind::CHANGE_SESSION,
            Input::EndSession => kind::END_SESSION,
            Input::EndDay => kind::END_DAY,
        };
        let frame = &mut self.frame;
        frame.push(number);
        frame.extend(now.0.to_le_bytes());
        match input {
            Input::Connect(conn, port) => {
                frame.extend(conn.0.to_le_bytes());
                frame.extend(port.to_le_bytes());
            }
            Input::Bytes(conn, bytes) => {
                frame.extend(conn.0.to_le_bytes());
                // What is read at a time is far shorter.
                let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
                frame.extend(length.to_le_bytes());
                frame.extend_from_slice(bytes);
            }
            Input::Close(conn) => frame.extend(conn.0.to_le_bytes()),
            Input::Open | Input::Timer | Input::Stop | Input::ChangeSession | Input::EndSession | Input::EndDay => {}
        }
        if self.frame.len() >= LONG_FRAME {
            self.seal();
        }
    }

    fn seal(&mut self) {
        if self.frame.is_empty() {
            return;
        }
        let length = u32::try_from(self.frame.len()).unwrap_or(u32::MAX).to_le_bytes();
        self.pending.extend(length);
        self.pending.extend(crc32c::crc32c(&length).to_le_bytes());
        self.pending.extend_from_slice(&self.frame);
        self.pending.extend(crc32c::crc32c(&self.frame).to_le_bytes());
        self.frame.clear();
    }

    /// Hands everything noted to the system, with one call. From then on it survives the death of this process; to
    /// survive the machine's it would have to be synced, which it is not.
    ///
    /// # Errors
    /// [`JournalError::Io`]: nothing that these inputs caused may leave, nor what any later ones cause.
    pub fn commit(&mut self) -> Result<(), JournalError> {
        self.seal();
        let written = if self.broken {
            Err(io::Error::other("an earlier write has failed"))
        } else if self.pending.is_empty() {
            return Ok(());
        } else {
            self.instead.as_mut().map_or(&mut self.file as &mut dyn Write, |to| to).write_all(&self.pending)
        };
        self.broken = written.is_err();
        self.pending.clear();
        written.map_err(|error| JournalError::Io { path: self.path.clone(), error })
    }
}

/// Reads inputs from the front.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn conn(&mut self) -> Option<ConnId> {
        Some(ConnId(u64::from_le_bytes(self.number()?)))
    }

    fn input(&mut self) -> Option<(Mono, Input<'a>)> {
        let [kind] = self.number()?;
        let now = Mono(u64::from_le_bytes(self.number()?));
        let input = match kind {
            kind::OPEN => Input::Open,
            kind::TIMER => Input::Timer,
            kind::CONNECT => Input::Connect(self.conn()?, u16::from_le_bytes(self.number()?)),
            kind::BYTES => {
                let (conn, length) = (self.conn()?, u32::from_le_bytes(self.number()?));
                Input::Bytes(conn, self.take(length as usize)?)
            }
            kind::CLOSE => Input::Close(self.conn()?),
            kind::STOP => Input::Stop,
            kind::CHANGE_SESSION => Input::ChangeSession,
            kind::END_SESSION => Input::EndSession,
            kind::END_DAY => Input::EndDay,
            _ => return None,
        };
        Some((now, input))
    }
}
