//! The agents beside the lane that write its log, read its tape and write the tape's file, and the lane's ends of their rings.

use super::board::SharedBoard;
use crate::base::Nanos;
use crate::shell::agent::{Agent, AgentError};
use crate::shell::broadcast::BroadcastWriter;
use crate::shell::journal::Sink;
use crate::shell::log::{FileWriter, LogError};
use crate::shell::ring::{FrameReader, FrameWriter};
use crate::shell::share::SharedTape;
use crate::shell::sync::{Counter, KillSwitch};
use std::io::{self, BufWriter, Write};
use std::time::{Duration, Instant};

/// The lane's end of the log's ring. Lossless: it waits for room, and its owner takes no input while there is little.
#[derive(Debug)]
pub(super) struct LogSink {
    ring: FrameWriter,
    /// A throw that the lane has not answered ends the wait: what rests is to be cancelled now.
    kill: KillSwitch,
}

/// How long the lane waits for a log that takes nothing, in the middle of an input: less than a venue waits for a heartbeat.
pub(super) const LOG_PATIENCE: Nanos = Nanos::from_secs(5);

impl LogSink {
    pub(super) fn new(ring: FrameWriter, kill: KillSwitch) -> Self {
        LogSink { ring, kill }
    }

    /// The owner made sure of room for an input and what one call of the lane writes; a filled gap may cause more.
    #[cold]
    fn wait(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        let since = Instant::now();
        while !self.ring.write(parts) {
            if self.ring.is_abandoned() {
                return Err(nobody());
            }
            if self.kill.is_unanswered() || since.elapsed() > Duration::from_nanos(LOG_PATIENCE.0) {
                return Err(stuck());
            }
            std::thread::yield_now();
        }
        Ok(())
    }
}

impl Sink for LogSink {
    #[inline]
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        if self.ring.write(parts) { Ok(()) } else { self.wait(parts) }
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

#[cold]
pub(super) fn stuck() -> LogError {
    io::Error::new(io::ErrorKind::TimedOut, "its disk takes nothing, and its ring is full").into()
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
    board: SharedBoard,
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
    /// Records that may still be in a buffer of ours.
    held: u64,
    /// Something is, the header at first.
    dirty: bool,
}

impl core::fmt::Debug for FileOut {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FileOut").field("dirty", &self.dirty).finish_non_exhaustive()
    }
}

impl FileOut {
    fn new(file: FileWriter<Box<dyn Write + Send>>) -> Self {
        FileOut { file: file.buffered(1 << 18), held: 0, dirty: true }
    }

    fn put(&mut self, record: &[u8]) -> io::Result<()> {
        self.dirty = true;
        self.held += 1;
        self.file.put(&[record])
    }

    /// How many records are in the file since the last time.
    fn flush(&mut self) -> io::Result<u64> {
        if self.dirty {
            self.file.flush()?;
            self.dirty = false;
        }
        Ok(std::mem::take(&mut self.held))
    }
}

impl LogScribe {
    pub(super) fn new(ring: FrameReader, file: FileWriter<Box<dyn Write + Send>>, board: SharedBoard) -> Self {
        LogScribe { ring: Some(ring), file: FileOut::new(file), board, failed: None }
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
        if let Err(error) = &written {
            // Said before the lane can see it.
            self.board.lock().log_error.get_or_insert_with(|| error.to_string());
            self.ring = None;
        }
        Ok(written?)
    }

    fn on_close(&mut self) {
        self.failed = rest(self).err();
    }
}

/// Fans the tape out: to the writer of its file, the board, and the ring of its readers. It waits for none of them, so that
/// the board, and with it the status, never hangs on a disk or a reader: what finds no room on its way to the file is missing
/// there and counted; a reader that falls behind is lapped.
#[derive(Debug)]
pub(super) struct TapeScribe {
    ring: FrameReader,
    file: Option<FrameWriter>,
    board: SharedBoard,
    readers: BroadcastWriter,
    /// The same ring once more, for other processes: what they may do to it is not to reach the readers of this one.
    share: Option<SharedTape>,
    /// Records that were to go to the file.
    pub(super) given: u64,
}

impl TapeScribe {
    pub(super) fn new(
        ring: FrameReader,
        file: Option<FrameWriter>,
        board: SharedBoard,
        readers: BroadcastWriter,
        share: Option<SharedTape>,
    ) -> Self {
        TapeScribe { ring, file, board, readers, share, given: 0 }
    }
}

impl Agent for TapeScribe {
    fn name(&self) -> &'static str {
        "tape"
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let (mut done, mut unwritten) = (0, 0);
        while done < BATCH {
            let Some(record) = self.ring.read() else { break };
            done += 1;
            if let Some(file) = &mut self.file {
                self.given += 1;
                unwritten += u64::from(!file.write(&[&record]));
            }
            self.readers.write(&record);
            if let Some(share) = &mut self.share {
                share.write(&record);
            }
            self.board.on_record(&record);
        }
        if let Some(share) = &mut self.share {
            share.beat();
        }
        if unwritten > 0 {
            self.board.lock().tape_unwritten += unwritten;
        }
        Ok(done)
    }

    fn on_close(&mut self) {
        let _infallible = rest(self);
    }
}

/// Writes the tape's file. One that fails concerns nobody's trading: it ends there, and what is missing from it is counted.
#[derive(Debug)]
pub(super) struct TapeFile {
    ring: FrameReader,
    file: Option<FileOut>,
    board: SharedBoard,
    /// Records that are in the file.
    kept: Counter,
    /// Why the file ends before the tape does.
    pub(super) failed: Option<AgentError>,
}

impl TapeFile {
    pub(super) fn new(
        ring: FrameReader,
        file: FileWriter<Box<dyn Write + Send>>,
        board: SharedBoard,
        kept: Counter,
    ) -> Self {
        TapeFile { ring, file: Some(FileOut::new(file)), board, kept, failed: None }
    }

    /// Nothing follows what is missing.
    #[cold]
    fn lose_file(&mut self, error: io::Error) {
        let held = self.file.take().map_or(0, |file| file.held);
        let mut board = self.board.lock();
        board.tape_error = Some(error.to_string());
        board.tape_unwritten += held;
        drop(board);
        self.failed = Some(error.into());
    }
}

impl Agent for TapeFile {
    fn name(&self) -> &'static str {
        "tape-file"
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let (mut done, mut unwritten) = (0, 0);
        let mut lost = None;
        while done < BATCH {
            let Some(record) = self.ring.read() else { break };
            done += 1;
            match &mut self.file {
                Some(file) if lost.is_none() => lost = file.put(&record).err(),
                _ => unwritten += 1,
            }
        }
        if let (0, Some(file)) = (done, &mut self.file) {
            match file.flush() {
                Ok(records) => self.kept.add(records),
                Err(error) => lost = Some(error),
            }
        }
        if let Some(error) = lost {
            self.lose_file(error);
        }
        if unwritten > 0 {
            self.board.lock().tape_unwritten += unwritten;
        }
        Ok(done)
    }

    fn on_close(&mut self) {
        let _infallible = rest(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::ring::ring;

    #[test]
    fn a_tape_record_without_room_is_lost_and_counted() {
        let (writer, mut reader) = ring(64);
        let lost = Counter::default();
        let mut sink = TapeSink::new(writer, lost.clone());
        // Two frames of 28 bytes and their headers are all that fits.
        for (record, losses) in [(28, 0), (28, 0), (28, 1), (0, 2)] {
            sink.put(&[&vec![1; record]]).unwrap();
            assert_eq!(lost.value(), losses);
        }
        assert_eq!(reader.read().as_deref(), Some(&[1; 28][..]));
        sink.put(&[&[2; 20], &[3; 8]]).unwrap();
        assert_eq!(lost.value(), 2, "there is room again");
        drop(reader);
        sink.put(&[&[4; 28]]).unwrap();
        assert_eq!(lost.value(), 3);
    }

    #[test]
    fn a_log_that_takes_nothing_is_waited_for_until_the_kill_switch_is_thrown() {
        let (writer, mut reader) = ring(32);
        let kill = KillSwitch::new();
        let mut sink = LogSink::new(writer, kill.clone());
        sink.put(&[&[1; 28]]).unwrap();
        let reads = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            assert_eq!(reader.read().as_deref(), Some(&[1; 28][..]));
            reader
        });
        sink.put(&[&[2; 28]]).unwrap();
        let reader = reads.join().unwrap();
        kill.throw();
        assert!(matches!(sink.put(&[&[3; 28]]), Err(LogError::Io(error)) if error.kind() == io::ErrorKind::TimedOut));
        drop(reader);
        assert!(matches!(sink.put(&[&[3; 28]]), Err(LogError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe));
    }
}
