//! The tape over the control socket, for whoever cannot map it: the line `tape now` or `tape oldest` (and a name) is answered
//! as any other, and then by the tape as a file has it, until it ends or its reader goes.
//!
//! Each reader has a thread and a place in the ring of its own: one that does not read is lapped, and finds a record of what
//! it lost when it goes on. Only its thread waits for it.

use super::Reply;
use super::fleet::addressed;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::record::{self, Kind, LappedBody, RecordHeader};
use firelane_gateway::shell::broadcast::{Begin, BroadcastReader, Got, Shared};
use firelane_gateway::shell::log::{FileHeader, FileWriter, Role};
use firelane_gateway::shell::sync::Stop;
use std::io::{self, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use zerocopy::{FromBytes, IntoBytes};

/// Between two looks for records.
const PAUSE: Duration = Duration::from_millis(2);
/// Bytes that are collected for one write.
const BUFFER: usize = 1 << 16;
/// How long a write waits at a time.
const WAIT: Duration = Duration::from_millis(50);
/// How long a reader has for the rest of a tape that has ended.
const GRACE: Duration = Duration::from_secs(2);

/// Readers that are being served.
pub(crate) struct Tapes {
    /// Of each lane, by its name: empty where there is one.
    tapes: Vec<(String, Shared, FileHeader)>,
    most: usize,
    threads: Vec<JoinHandle<()>>,
    stop: Stop,
}

impl Tapes {
    /// Serves this tape, to so many at a time.
    pub(crate) fn new(tape: Shared, header: FileHeader, most: usize) -> Self {
        Self::of(vec![(String::new(), tape, header)], most)
    }

    /// Serves those of several lanes, by their names, to so many at a time in all.
    pub(crate) fn of(tapes: Vec<(String, Shared, FileHeader)>, most: usize) -> Self {
        Tapes { tapes, most, threads: Vec::new(), stop: Stop::new() }
    }

    fn of_lane(&self, lane: Option<&str>) -> Result<(Shared, FileHeader), Reply> {
        let found = self.tapes.iter().find(|(name, ..)| name == lane.unwrap_or(""));
        let (_, tape, header) = found.ok_or_else(|| {
            let names: Vec<&str> = self.tapes.iter().map(|(name, ..)| name.as_str()).collect();
            Reply::error(match (lane, names.as_slice()) {
                (Some(_), [""]) => "there is one lane here, without a name: leave --lane out".to_owned(),
                (Some(lane), names) => format!("there is no lane {lane:?}; there are: {}", names.join(", ")),
                (None, names) => format!("the tape of which lane? --lane says it: {}", names.join(", ")),
            })
        })?;
        Ok((tape.clone(), header.clone()))
    }

    fn serve(&mut self, lane: Option<&str>, begin: Begin, name: &str, stream: &UnixStream) -> Result<(), Reply> {
        let (tape, header) = self.of_lane(lane)?;
        self.threads.retain(|thread| !thread.is_finished());
        if self.threads.len() >= self.most {
            return Err(Reply::error(match self.most {
                0 => "the tape is not given over this socket (tape.clients = 0): share it in memory (tape.shared)"
                    .to_owned(),
                n => format!(
                    "{n} readers are served already (tape.clients): try again, or share the tape in memory (tape.shared)"
                ),
            }));
        }
        let fault = |error: io::Error| Reply::error(format!("the tape cannot be given: {error}"));
        let reader = BroadcastReader::new(tape, begin);
        let Some(reader) = reader.map(|reader| reader.called(name)) else {
            return Err(Reply::error("the tape's ring is damaged"));
        };
        let stream = stream.try_clone().map_err(fault)?;
        let stop = self.stop.clone();
        let thread = thread::Builder::new().name("tape-client".to_owned()).spawn(move || {
            // A reader that goes closes its end: that is how most of them end.
            let _gone = give(reader, stream, &header, stop);
        });
        self.threads.push(thread.map_err(fault)?);
        Ok(())
    }
}

impl Drop for Tapes {
    fn drop(&mut self) {
        self.stop.stop();
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Is a line `tape ...`, or `lane NAME tape ...`?
pub(super) fn is_asked_for(line: &str) -> bool {
    let (_, rest) = addressed(line.trim()).unwrap_or(("", line));
    rest.split_whitespace().next() == Some("tape")
}

/// Answers a line that begins with `tape`, on another thread from now on; or says why not.
pub(super) fn take(tapes: Option<&mut Tapes>, line: &str, stream: &UnixStream) -> Result<(), Reply> {
    let Some(tapes) = tapes else { return Err(Reply::error("there is no tape here: ask a gateway")) };
    let (lane, line) = addressed(line).map_or((None, line), |(lane, rest)| (Some(lane), rest));
    let mut words = line.split_whitespace().skip(1);
    let begin = match words.next() {
        Some("now") => Begin::Now,
        Some("oldest") => Begin::Oldest,
        _ => return Err(Reply::error("where is it to begin? There are: tape now, tape oldest")),
    };
    tapes.serve(lane, begin, words.next().unwrap_or("socket"), stream)
}

/// A stream whose reader may take its time, until all has ended and some more.
struct Patient {
    stream: UnixStream,
    stop: Stop,
    ends: Option<Instant>,
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.stream.write(bytes) {
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.stop.is_stopped() && self.ends.get_or_insert_with(Instant::now).elapsed() > GRACE {
                        return Err(error);
                    }
                }
                written => return written,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn give(mut reader: BroadcastReader, stream: UnixStream, header: &FileHeader, stop: Stop) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_write_timeout(Some(WAIT))?;
    let mut to = Patient { stream, stop, ends: None };
    to.write_all(&Reply::done("the tape follows").line())?;
    let file = FileWriter::new(to, Role::Tape, header).map_err(io::Error::other)?;
    let mut file = file.buffered(BUFFER);
    let mut last = (0, Mono(0));
    loop {
        match reader.read().map_err(io::Error::other)? {
            Got::Record(record) => {
                if let Ok((header, _)) = RecordHeader::ref_from_prefix(record) {
                    last = (header.sequence.get(), Mono(header.time.get()));
                }
                file.put(&[record])?;
            }
            Got::Lost { records, bytes } => file.put(&[&lapped(last, records, bytes)])?,
            Got::Nothing => {
                file.flush()?;
                thread::sleep(PAUSE);
            }
            Got::End => return file.flush(),
        }
    }
}

/// The record of what a reader lost after one of this input and time.
pub(crate) fn lapped((input, time): (u64, Mono), records: u64, bytes: u64) -> Vec<u8> {
    let body = LappedBody { records: records.into(), bytes: bytes.into() };
    let header = record::header(Kind::Lapped, 0, input, time, size_of::<LappedBody>());
    [header.as_bytes(), body.as_bytes()].concat()
}
