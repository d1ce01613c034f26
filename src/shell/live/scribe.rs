//! The agents beside the lane that write its log and read its tape, and the lane's ends of their rings.

use super::board::SharedBoard;
use crate::shell::agent::{Agent, AgentError};
use crate::shell::journal::Sink;
use crate::shell::log::{FileWriter, LogError};
use crate::shell::ring::{FrameReader, FrameWriter};
use crate::shell::sync::Counter;
use std::io::{self, BufWriter, Write};

/// The lane's end of the log's ring. Lossless: it waits for room, and its owner takes no input while there is little.
#[derive(Debug)]
pub(super) struct LogSink {
    ring: FrameWriter,
}

impl LogSink {
    pub(super) fn new(ring: FrameWriter) -> Self {
        LogSink { ring }
    }
}

impl Sink for LogSink {
    #[inline]
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        while !self.ring.write(parts) {
            if self.ring.is_abandoned() {
                return Err(nobody());
            }
            // The owner made sure of room for an input and what one call of the lane writes; a filled gap may cause more.
            std::thread::yield_now();
        }
        Ok(())
    }

    fn room(&self) -> Result<usize, LogError> {
        if self.ring.is_abandoned() { Err(nobody()) } else { Ok(self.ring.free()) }
    }

    fn finish(self: Box<Self>) -> Result<(), LogError> {
        Ok(())
    }
}

#[cold]
fn nobody() -> LogError {
    io::Error::new(io::ErrorKind::BrokenPipe, "nobody writes the log any more").into()
}

/// The lane's end of the tape's ring: what finds no room is lost and counted.
#[derive(Debug)]
pub(super) struct TapeSink {
    ring: FrameWriter,
    lost: Counter,
}

impl TapeSink {
    pub(super) fn new(ring: FrameWriter, lost: Counter) -> Self {
        TapeSink { ring, lost }
    }
}

impl Sink for TapeSink {
    #[inline]
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        if !self.ring.write(parts) {
            self.lost.add(1);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), LogError> {
        Ok(())
    }
}

/// Frames of one duty cycle.
const BATCH: usize = 512;

type File = FileWriter<BufWriter<Box<dyn Write + Send>>>;

/// Writes the log.
#[derive(Debug)]
pub(super) struct LogScribe {
    /// Given up when the file fails: the lane sees that nobody writes any more, and nothing follows what is missing.
    ring: Option<FrameReader>,
    file: FileOut,
    /// Why what was written last is not in the file.
    pub(super) failed: Option<AgentError>,
}

/// Everything that is left.
fn rest(scribe: &mut impl Agent) -> Result<(), AgentError> {
    while scribe.do_work()? > 0 {}
    Ok(())
}

/// A file that is flushed whenever there is nothing to write.
struct FileOut {
    file: File,
    dirty: bool,
}

impl core::fmt::Debug for FileOut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FileOut").field("dirty", &self.dirty).finish_non_exhaustive()
    }
}

impl FileOut {
    fn new(file: FileWriter<Box<dyn Write + Send>>) -> Self {
        FileOut { file: file.buffered(1 << 18), dirty: true }
    }

    fn put(&mut self, record: &[u8]) -> io::Result<()> {
        self.dirty = true;
        self.file.put(&[record])
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.flush()?;
            self.dirty = false;
        }
        Ok(())
    }
}

impl LogScribe {
    pub(super) fn new(ring: FrameReader, file: FileWriter<Box<dyn Write + Send>>) -> Self {
        LogScribe { ring: Some(ring), file: FileOut::new(file), failed: None }
    }

    fn write(&mut self) -> io::Result<usize> {
        let mut done = 0;
        let Some(ring) = &mut self.ring else { return Ok(0) };
        while let Some(record) = ring.read() {
            self.file.put(&record)?;
            done += 1;
            if done == BATCH {
                return Ok(done);
            }
        }
        // A run that is killed from outside loses what was in the ring, and no more.
        self.file.flush()?;
        Ok(done)
    }
}

impl Agent for LogScribe {
    fn name(&self) -> &'static str {
        "log"
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let written = self.write();
        if written.is_err() {
            self.ring = None;
        }
        Ok(written?)
    }

    fn on_close(&mut self) {
        self.failed = rest(self).err();
    }
}

/// Reads the tape as it is written.
pub trait Observer: Send {
    /// A record, header and body.
    fn on_record(&mut self, record: &[u8]);
}

/// Fans the tape out: to a file, the board, and whoever else.
pub(super) struct TapeScribe {
    ring: FrameReader,
    file: Option<FileOut>,
    board: SharedBoard,
    observers: Vec<Box<dyn Observer>>,
    /// Why what was written last is not in the file.
    pub(super) failed: Option<AgentError>,
}

impl core::fmt::Debug for TapeScribe {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("TapeScribe").field("ring", &self.ring).field("file", &self.file).finish_non_exhaustive()
    }
}

impl TapeScribe {
    pub(super) fn new(
        ring: FrameReader,
        file: Option<FileWriter<Box<dyn Write + Send>>>,
        board: SharedBoard,
        observers: Vec<Box<dyn Observer>>,
    ) -> Self {
        TapeScribe { ring, file: file.map(FileOut::new), board, observers, failed: None }
    }
}

impl Agent for TapeScribe {
    fn name(&self) -> &'static str {
        "tape"
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let mut done = 0;
        while done < BATCH {
            let Some(record) = self.ring.read() else { break };
            done += 1;
            if let Some(file) = &mut self.file {
                file.put(&record)?;
            }
            self.board.on_record(&record);
            for observer in &mut self.observers {
                observer.on_record(&record);
            }
        }
        if let (0, Some(file)) = (done, &mut self.file) {
            file.flush()?;
        }
        Ok(done)
    }

    fn on_close(&mut self) {
        self.failed = rest(self).err();
    }
}
