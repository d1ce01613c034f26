//! The ring of the tape's readers in a file that other processes map: [`SharedTape`] writes it, [`SharedReader`] reads it.
//!
//! ```text
//! page 0   "FIRETAPE" layout | bytes in all | ring: at, bytes | header: at, bytes, crc32c | process | heartbeat
//! page 1   control words of the ring (see `broadcast`), slots of readers among them
//! then     the header of a tape's file, as TOML: build, wiring and its hash, instruments; the ring
//! ```
//!
//! Numbers are 64-bit words in native order: the file never leaves the machine. It belongs to whoever started the writer, as
//! the control socket does (mode 0600): whoever may write to it may spoil it for its readers, and whoever cuts it off ends its
//! writer. One who may only read it reads it all the same, and has no slot.
//!
//! The writer holds a lock on it (`flock`), which the system releases whatever becomes of the process: so a reader knows that
//! its writer has died, and a new writer that a file was left behind. The heartbeat tells one that is stopped from one that
//! has nothing to say.
//!
//! ```
//! use firelane_gateway::shell::broadcast::{Begin, Got};
//! use firelane_gateway::shell::log::{Effects, FileHeader};
//! use firelane_gateway::shell::share::{SharedReader, SharedTape, WriterState};
//!
//! let path = std::env::temp_dir().join(format!("firelane-doc-{}.tape", std::process::id()));
//! // A gateway does this where its configuration has tape.shared; examples/tape_reader.rs is the other end.
//! let mut tape = SharedTape::create(&path, 1 << 20, &FileHeader::new("listener", "", vec![], Effects::Bytes))?;
//! let mut reader = SharedReader::open(&path, Begin::Now, "doc")?;
//! tape.write(b"a record");
//! assert_eq!(reader.read()?, Got::Record(b"a record"));
//! assert_eq!(reader.read()?, Got::Nothing);
//! assert_eq!((reader.writer(), tape.ring().readers()[0].read), (WriterState::Alive, 1));
//! drop(tape);
//! assert_eq!(reader.read()?, Got::End);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use super::broadcast::{Area, Begin, BroadcastReader, BroadcastWriter, CONTROL, Damaged, Geometry, Got, Shared};
use super::config::LiveConfig;
use super::log::FileHeader;
use super::raw::Mapped;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// First bytes of the file.
pub const MAGIC: [u8; 8] = *b"FIRETAPE";
/// Version of its layout, and of the ring's.
pub const LAYOUT: u64 = 1;
const PAGE: usize = 4_096;
const WORD: usize = size_of::<u64>();

/// Words of page 0 behind the magic.
const AT_LAYOUT: usize = 1;
const AT_BYTES: usize = 2;
const AT_RING: usize = 3;
const AT_RING_BYTES: usize = 4;
const AT_TEXT: usize = 5;
const AT_TEXT_BYTES: usize = 6;
const AT_TEXT_CRC: usize = 7;
const AT_PROCESS: usize = 8;
const AT_BEAT: usize = 9;
const FIXED: usize = 10;

/// Where the control words are.
const CONTROL_AT: usize = PAGE / WORD;
/// No header is longer.
const MAX_TEXT: usize = 16 * 1024 * 1024;
/// A writer that is so long without a heartbeat is stopped, or stuck.
const SILENCE: Duration = Duration::from_secs(2);
/// How often a writer asks for the lock of a file that was left behind: a reader may just be looking at it.
const ASKS: u32 = 20;

/// Why a tape could not be shared, or a shared one not read.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// The system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The file system has no room for the ring.
    #[error("there is no room for {bytes} bytes: {error} (tape.readers_bytes is the ring's size)")]
    NoRoom {
        /// Bytes of the file.
        bytes: usize,
        /// What the system says.
        error: io::Error,
    },
    /// There is a file that no program of ours has made.
    #[error("there is a file that is no shared tape, and it is not written over: give another name, or remove it")]
    Foreign,
    /// Another process writes it.
    #[error("process {process} writes its tape there already: give another name")]
    InUse {
        /// Which.
        process: u64,
    },
    /// Not a file of ours.
    #[error("this is no shared tape: the first eight bytes are not \"FIRETAPE\"")]
    NotOurs,
    /// Of another build.
    #[error("this is a shared tape of layout {found}; this build reads layout {LAYOUT}: use the build that writes it")]
    Layout {
        /// The file's.
        found: u64,
    },
    /// It does not hold together.
    #[error("the shared tape is damaged: {0}")]
    Header(String),
    /// A record does not.
    #[error("{0}")]
    Damaged(#[from] Damaged),
}

/// The end that writes: for the tape's agent. The file goes away with it.
pub struct SharedTape {
    writer: BroadcastWriter,
    area: Arc<Mapped>,
    /// Holds the lock.
    _file: File,
    path: PathBuf,
    /// Device and number of the file.
    id: (u64, u64),
    cycles: u32,
}

impl core::fmt::Debug for SharedTape {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedTape").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SharedTape {
    /// A new file at `path`, with room for a ring of so many bytes: all of it is written once, so that a disk, or a memory,
    /// that is full is known now and not when a record comes. A file that a process left behind is replaced; one that is in
    /// use, and one that is no tape of ours, is not.
    ///
    /// # Errors
    /// [`ShareError`]. What was there is then as it was.
    pub fn create(path: &Path, ring_bytes: usize, header: &FileHeader) -> Result<Self, ShareError> {
        let name = path.file_name().ok_or(ErrorKind::InvalidInput).map_err(io::Error::from)?;
        make_place(path)?;
        // Made under a name of its own and linked to its place whole: no reader sees half of it, and nothing that appears
        // there meanwhile is written over.
        let mut own = std::ffi::OsString::from(".");
        own.push(name);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        own.push(format!(".{}.{}", std::process::id(), now.as_nanos()));
        let temporary = path.with_file_name(own);
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&temporary)?;
        let made = Self::fill(file, path, ring_bytes, header).and_then(|tape| match fs::hard_link(&temporary, path) {
            Ok(()) => Ok(tape),
            Err(error) => Err(error.into()),
        });
        let _gone = fs::remove_file(&temporary);
        made
    }

    /// The one that a configuration asks for, if it does.
    ///
    /// # Errors
    /// Why readers in other processes do not find it there, as a sentence for people. Nobody's trading hangs on it.
    pub fn of(config: &LiveConfig, header: &FileHeader) -> Result<Option<Self>, String> {
        let Some(path) = &config.tape_shared else { return Ok(None) };
        Self::create(path, config.tape_readers, header).map(Some).map_err(|error| {
            let name = path.display();
            format!("Tape: {name} cannot be shared, and readers in other processes find none there: {error}. Trading is not concerned.")
        })
    }

    fn fill(mut file: File, path: &Path, ring_bytes: usize, header: &FileHeader) -> Result<Self, ShareError> {
        let text = toml::to_string(header).map_err(|error| ShareError::Header(error.to_string()))?;
        let text_at = (CONTROL_AT + CONTROL) * WORD;
        let ring_at = (text_at + text.len()).next_multiple_of(PAGE);
        let ring_bytes = ring_bytes.next_multiple_of(PAGE);
        let bytes = ring_at + ring_bytes;
        take_room(&mut file, bytes)?;
        let area = Arc::new(Mapped::new(&file, bytes, true)?);
        let words = area.words();
        let put = |at: usize, word: u64| words[at].store(word, Ordering::Relaxed);
        for (at, chunk) in text.as_bytes().chunks(WORD).enumerate() {
            let mut word = [0; WORD];
            word[..chunk.len()].copy_from_slice(chunk);
            put(text_at / WORD + at, u64::from_ne_bytes(word));
        }
        for (at, word) in [
            (AT_LAYOUT, LAYOUT),
            (AT_BYTES, bytes as u64),
            (AT_RING, ring_at as u64),
            (AT_RING_BYTES, ring_bytes as u64),
            (AT_TEXT, text_at as u64),
            (AT_TEXT_BYTES, text.len() as u64),
            (AT_TEXT_CRC, crc32c::crc32c(text.as_bytes()).into()),
            (AT_PROCESS, std::process::id().into()),
            (0, u64::from_ne_bytes(MAGIC)),
        ] {
            put(at, word);
        }
        let at = Geometry { control: CONTROL_AT, ring: ring_at / WORD, capacity: ring_bytes / WORD };
        let whole: Arc<dyn Area> = Arc::clone(&area) as _;
        let shared = Shared::over(whole, at).ok_or_else(|| ShareError::Header("its parts do not fit".to_owned()))?;
        file.try_lock().map_err(|error| match error {
            TryLockError::Error(error) => error,
            TryLockError::WouldBlock => ErrorKind::WouldBlock.into(),
        })?;
        let there = file.metadata()?;
        let id = (there.dev(), there.ino());
        Ok(SharedTape { writer: BroadcastWriter::new(shared), area, _file: file, path: path.to_owned(), id, cycles: 0 })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ring, and who reads it.
    #[must_use]
    pub fn ring(&self) -> &Shared {
        self.writer.shared()
    }

    /// Writes a record. False: it is longer than an eighth of the ring.
    #[inline]
    pub fn write(&mut self, record: &[u8]) -> bool {
        self.writer.write(record)
    }

    /// Says that the writer lives, whether it has anything to write or not; now and then it frees the slots of readers that
    /// died. For each duty cycle.
    pub fn beat(&mut self) {
        self.cycles = self.cycles.wrapping_add(1);
        self.area.words()[AT_BEAT].store(self.cycles.into(), Ordering::Relaxed);
        if self.cycles.is_multiple_of(1 << 10) {
            self.writer.shared().free_slots_of_the_dead(is_alive);
        }
    }
}

impl Drop for SharedTape {
    fn drop(&mut self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|now| (now.dev(), now.ino()) == self.id) {
            // Whoever has it mapped reads on to its end.
            let _gone = fs::remove_file(&self.path);
        }
    }
}

/// Writes so many zeros: a mapping over holes would end the process that touches one for which there is no room (SIGBUS).
fn take_room(file: &mut impl Write, bytes: usize) -> Result<(), ShareError> {
    let zeros = vec![0; 1 << 20];
    let mut left = bytes;
    while left > 0 {
        let some = left.min(zeros.len());
        file.write_all(&zeros[..some]).map_err(|error| ShareError::NoRoom { bytes, error })?;
        left -= some;
    }
    Ok(())
}

/// Is there a process of this number that runs, as far as it can be told? One that has ended and that nobody has asked for how
/// (a zombie, state Z) does not: proc(5), "/proc/pid/stat".
fn is_alive(process: u32) -> bool {
    match fs::read_to_string(format!("/proc/{process}/stat")) {
        Ok(stat) => !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => !Path::new("/proc/self").exists(),
    }
}

/// Removes what a writer left behind.
fn make_place(path: &Path) -> Result<(), ShareError> {
    let there = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        there => there?,
    };
    if !there.is_file() {
        return Err(ShareError::Foreign);
    }
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let Ok(fixed) = fixed(&file) else { return Err(ShareError::Foreign) };
    for ask in 1.. {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(error.into()),
            Err(TryLockError::WouldBlock) if ask < ASKS => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::WouldBlock) => return Err(ShareError::InUse { process: fixed[AT_PROCESS] }),
        }
    }
    // Still the one that was looked at, and locked so that no other start of ours takes its place meanwhile.
    let now = fs::symlink_metadata(path)?;
    if (now.dev(), now.ino()) != (there.dev(), there.ino()) {
        return Err(ShareError::Foreign);
    }
    Ok(fs::remove_file(path)?)
}

/// Why no tape could be shared at `path`, as far as it can be told without making one.
#[must_use]
pub fn cannot_share(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Some(format!("there is no folder {}", folder.display()));
    }
    match fs::symlink_metadata(path) {
        Err(_) => None,
        Ok(there) if !there.is_file() => Some(ShareError::Foreign.to_string()),
        Ok(_) => File::open(path).map_or_else(
            |error| Some(error.to_string()),
            |file| fixed(&file).is_err().then(|| ShareError::Foreign.to_string()),
        ),
    }
}

/// The words of page 0, of a file that begins as ours do, whatever its layout.
fn fixed(file: &File) -> Result<[u64; FIXED], ShareError> {
    use std::os::unix::fs::FileExt;
    let mut bytes = [0; FIXED * WORD];
    match file.read_exact_at(&mut bytes, 0) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(ShareError::NotOurs),
        read => read?,
    }
    let mut words = [0; FIXED];
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks::<WORD>().0) {
        *word = u64::from_ne_bytes(*bytes);
    }
    if words[0].to_ne_bytes() == MAGIC { Ok(words) } else { Err(ShareError::NotOurs) }
}

/// How the writer of a shared tape is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriterState {
    /// It writes, or has nothing to write.
    Alive,
    /// Its process is there, and has done nothing for so long: it is stopped, or stuck.
    Silent(Duration),
    /// It has ended in order: what is in the ring is the end of the tape.
    Ended,
    /// Its process is gone and has not ended in order: the end of the tape may be missing.
    Died,
}

/// The end that reads, in whatever process.
pub struct SharedReader {
    reader: BroadcastReader,
    area: Arc<Mapped>,
    file: File,
    header: FileHeader,
    process: u64,
    beat: (u64, Instant),
}

impl core::fmt::Debug for SharedReader {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SharedReader")
            .field("reader", &self.reader)
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

impl SharedReader {
    /// Reads the tape at `path`, seen under `name` by whoever asks its writer (if the file may be written to, and has a slot
    /// left). What a writer that died left behind can be read, too.
    ///
    /// # Errors
    /// [`ShareError`].
    pub fn open(path: &Path, begin: Begin, name: &str) -> Result<Self, ShareError> {
        if !fs::metadata(path)?.is_file() {
            return Err(ShareError::NotOurs);
        }
        match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => Self::of(file, true, begin, name),
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => {
                Self::of(File::open(path)?, false, begin, name)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn of(file: File, writable: bool, begin: Begin, name: &str) -> Result<Self, ShareError> {
        let fixed = fixed(&file)?;
        if fixed[AT_LAYOUT] != LAYOUT {
            return Err(ShareError::Layout { found: fixed[AT_LAYOUT] });
        }
        let damaged = |what: &str| ShareError::Header(what.to_owned());
        let [bytes, ring_at, ring_bytes, text_at, text_bytes] =
            [AT_BYTES, AT_RING, AT_RING_BYTES, AT_TEXT, AT_TEXT_BYTES]
                .map(|at| usize::try_from(fixed[at]).unwrap_or(usize::MAX));
        if file.metadata()?.len() != fixed[AT_BYTES] {
            return Err(damaged("it has another length than it says"));
        }
        let area = Arc::new(Mapped::new(&file, bytes, writable)?);
        let text = text(&area, text_at, text_bytes).ok_or_else(|| damaged("its header is not within it"))?;
        if u64::from(crc32c::crc32c(&text)) != fixed[AT_TEXT_CRC] {
            return Err(damaged("the checksum of its header does not match"));
        }
        let text = String::from_utf8(text).map_err(|error| damaged(&error.to_string()))?;
        let header: FileHeader = toml::from_str(&text).map_err(|error| damaged(error.message()))?;
        let at = Geometry { control: CONTROL_AT, ring: ring_at / WORD, capacity: ring_bytes / WORD };
        let whole: Arc<dyn Area> = Arc::clone(&area) as _;
        let shared = Shared::over(whole, at).ok_or_else(|| damaged("its ring is not within it"))?;
        let reader = BroadcastReader::new(shared, begin).ok_or_else(|| damaged("no record begins where one should"))?;
        let reader = if writable { reader.called(name) } else { reader };
        let process = fixed[AT_PROCESS];
        Ok(SharedReader { reader, area, file, header, process, beat: (0, Instant::now()) })
    }

    /// What the tape says of itself: build, wiring and its hash, instruments.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// The process that writes it.
    #[must_use]
    pub fn process(&self) -> u64 {
        self.process
    }

    /// The reader itself: what it has read and lost.
    #[must_use]
    pub fn reader(&self) -> &BroadcastReader {
        &self.reader
    }

    /// What comes next. Never waits. [`Got::Nothing`] of a writer that has [died](Self::writer) is the end.
    ///
    /// # Errors
    /// [`Damaged`]: another program has written to the file.
    #[inline]
    pub fn read(&mut self) -> Result<Got<'_>, Damaged> {
        self.reader.read()
    }

    /// How its writer is. A few system calls: to be asked when there is nothing to read, some times a second.
    pub fn writer(&mut self) -> WriterState {
        // In this order: one that has ended has closed it before.
        let is_gone = match self.file.try_lock_shared() {
            Ok(()) => self.file.unlock().is_ok(),
            Err(_) => false,
        };
        if self.reader.shared().is_closed() {
            return WriterState::Ended;
        }
        if is_gone {
            return WriterState::Died;
        }
        let beat = self.area.words()[AT_BEAT].load(Ordering::Relaxed);
        if beat != self.beat.0 {
            self.beat = (beat, Instant::now());
        }
        match self.beat.1.elapsed() {
            silence if silence >= SILENCE => WriterState::Silent(silence),
            _ => WriterState::Alive,
        }
    }
}

/// Bytes of the area.
fn text(area: &Mapped, at: usize, bytes: usize) -> Option<Vec<u8>> {
    if bytes > MAX_TEXT {
        return None;
    }
    let words: &[AtomicU64] = area.words().get(at / WORD..)?.get(..bytes.div_ceil(WORD))?;
    let mut text: Vec<u8> = words.iter().flat_map(|word| word.load(Ordering::Relaxed).to_ne_bytes()).collect();
    text.truncate(bytes);
    Some(text)
}

#[cfg(test)]
mod tests;
