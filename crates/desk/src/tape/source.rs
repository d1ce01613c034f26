//! Where a tape comes from: a file that another process writes in memory, its control socket, or a tape's file. All of them
//! give the same records; what was lost on the way is one of them.

use super::{none_there, summed_up};
use crate::cli::{TapeOf, Where, dash};
use crate::control::{Target, answer, connect, lapped, to_lane};
use crate::log;
use crate::output;
use crate::replay::group;
use crate::settings::{self, Role};
use crate::wirings;
use anyhow::{Context, Result, bail};
use firelane_gateway::base::Mono;
use firelane_gateway::flow::record::{Kind, LappedBody};
use firelane_gateway::shell::broadcast::{Begin, Got};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::log::{FileHeader, FileReader, LogError, Record, Role as FileRole};
use firelane_gateway::shell::share::{self, ShareError, SharedReader, WriterState};
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use zerocopy::FromBytes;

/// Between two looks at a tape that says nothing.
const PAUSE: Duration = Duration::from_millis(5);
/// Between two looks at its writer.
const LOOK: Duration = Duration::from_millis(250);
/// Records between the socket and whoever prints them.
const WAITING: usize = 256;

/// What a tape says next.
pub(super) enum Next {
    Record(Record),
    /// Nothing for the moment.
    Nothing,
    /// Nothing any more, and why that is not in order.
    End(Option<String>),
}

enum From {
    Memory { reader: SharedReader, looked: Instant, was_silent: bool, died: bool },
    Socket(Receiver<Result<Option<Record>, LogError>>),
    File(FileReader<Box<dyn Read>>),
}

/// A tape that is read.
pub(super) struct Source {
    from: From,
    header: FileHeader,
    /// What it is called where something is wrong with it.
    name: String,
    /// Input and time of the latest record.
    last: (u64, Mono),
    /// Records, records lost, and bytes of these.
    sum: [u64; 3],
}

impl Source {
    /// A tape that is being written.
    pub(super) fn live(of: &TapeOf) -> Result<Source> {
        Self::open(of, false)
    }

    /// The same, or a tape's file.
    pub(super) fn any(of: &TapeOf) -> Result<Source> {
        Self::open(of, true)
    }

    fn open(of: &TapeOf, files: bool) -> Result<Source> {
        let path = of.target.as_path();
        if dash(path) || begins(path) == Some(firelane_gateway::shell::log::MAGIC) {
            return if files {
                Self::file(path)
            } else {
                bail!(
                    "{}: this is a file, and nobody writes to it any more that could be followed: firelane log dump, or firelane tape export",
                    path.display()
                )
            };
        }
        if begins(path) == Some(share::MAGIC) && !of.socket {
            return Self::memory(path, of);
        }
        let is_socket = std::fs::metadata(path).is_ok_and(|there| there.file_type().is_socket());
        let shared = if is_socket || of.socket { None } else { shared(of)? };
        if let Some(shared) = shared {
            match Self::memory(&shared, of) {
                Err(error) => {
                    // It may not be allowed to map it, or the gateway could not share it.
                    let Ok(target) = Target::of(path, &of.set) else { return Err(error) };
                    complain!("firelane: {error:#}; the control socket is asked instead");
                    return Self::socket(&target, of);
                }
                source => return source,
            }
        }
        if !is_socket
            && !of.socket
            && path.exists()
            && wirings::fleet(settings::text(path, &of.set)?.as_str())
                .is_ok_and(|fleet| fleet.lanes.iter().all(|config| config.live.control.is_none()))
        {
            return none_there(path);
        }
        Self::socket(&Target::of(path, &of.set)?, of)
    }

    fn new(from: From, header: FileHeader, name: String) -> Source {
        Source { from, header, name, last: (0, Mono(0)), sum: [0; 3] }
    }

    fn file(path: &Path) -> Result<Source> {
        let reader = FileReader::new(log::open(path)?).and_then(|reader| reader.expect(FileRole::Tape));
        let reader = reader.with_context(|| log::hint(path))?;
        let header = reader.header().clone();
        Ok(Self::new(From::File(reader), header, path.display().to_string()))
    }

    fn memory(path: &Path, of: &TapeOf) -> Result<Source> {
        let reader = SharedReader::open(path, of.from.begin(), &of.name).map_err(|error| match error {
            ShareError::Io(error) if error.kind() == ErrorKind::PermissionDenied => {
                anyhow::anyhow!(
                    "{}: it belongs to another user: only who started the gateway may read its tape",
                    path.display()
                )
            }
            error => anyhow::Error::from(error).context(path.display().to_string()),
        })?;
        let header = reader.header().clone();
        let from = From::Memory { reader, looked: Instant::now(), was_silent: false, died: false };
        Ok(Self::new(from, header, path.display().to_string()))
    }

    fn socket(target: &Target, of: &TapeOf) -> Result<Source> {
        let name = target.socket.display().to_string();
        let stream = connect(target, &to_lane(of.lane.as_deref(), &format!("tape {} {}", of.from.word(), of.name)))?;
        let mut from = BufReader::with_capacity(1 << 16, stream);
        let reply = answer(target, &mut from)?;
        if let Some(error) = reply.error {
            bail!("{name}: {error}");
        }
        from.get_ref().set_read_timeout(None)?;
        let mut reader = FileReader::new(from).with_context(|| name.clone())?;
        let header = reader.header().clone();
        let (to, records) = sync_channel(WAITING);
        // It waits for the socket so that whoever prints need not: a signal ends that at once.
        thread::Builder::new().name("socket".to_owned()).spawn(move || {
            loop {
                let next = reader.next_record();
                let is_last = !matches!(next, Ok(Some(_)));
                if to.send(next).is_err() || is_last {
                    return;
                }
            }
        })?;
        Ok(Self::new(From::Socket(records), header, name))
    }

    pub(super) fn header(&self) -> &FileHeader {
        &self.header
    }

    pub(super) fn is_live(&self) -> bool {
        !matches!(self.from, From::File(_))
    }

    /// The next record, waited for a little.
    pub(super) fn next(&mut self) -> Result<Next> {
        let next = match &mut self.from {
            From::File(reader) => reader.next_record().map(|record| record.map_or(Next::End(None), Next::Record)),
            From::Socket(records) => match records.recv_timeout(LOOK / 5) {
                Ok(Ok(Some(record))) => Ok(Next::Record(record)),
                Ok(Ok(None)) | Err(RecvTimeoutError::Disconnected) => Ok(Next::End(died(Path::new(&self.name)))),
                Ok(Err(LogError::Torn { .. })) => {
                    Ok(Next::End(Some(format!("{}: the gateway is gone in the middle of a record", self.name))))
                }
                Ok(Err(error)) => Err(error),
                Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            },
            From::Memory { .. } => self.next_of_memory(),
        };
        let next = next.with_context(|| self.name.clone())?;
        if let Next::Record(record) = &next {
            self.count(record);
        }
        Ok(next)
    }

    fn next_of_memory(&mut self) -> Result<Next, LogError> {
        let From::Memory { reader, looked, was_silent, died } = &mut self.from else { return Ok(Next::End(None)) };
        let index = reader.reader().upcoming();
        match reader.read() {
            Ok(Got::Record(bytes)) => return Record::parse(bytes, index, 0).map(Next::Record),
            Ok(Got::Lost { records, bytes }) => {
                return Record::parse(&lapped(self.last, records, bytes), index, 0).map(Next::Record);
            }
            Ok(Got::End) => return Ok(Next::End(None)),
            // Read once more after it was seen to be gone: what it wrote last is there.
            Ok(Got::Nothing) if *died => {
                return Ok(Next::End(Some(format!(
                    "{}: process {}, which wrote it, is gone and has not ended in order: the end of the tape may be missing",
                    self.name,
                    reader.process()
                ))));
            }
            Ok(Got::Nothing) => {}
            Err(damaged) => return Ok(Next::End(Some(format!("{}: {damaged}", self.name)))),
        }
        thread::sleep(PAUSE);
        if looked.elapsed() < LOOK {
            return Ok(Next::Nothing);
        }
        *looked = Instant::now();
        let process = reader.process();
        match reader.writer() {
            WriterState::Died => *died = true,
            WriterState::Silent(silence) => {
                if !std::mem::replace(was_silent, true) {
                    complain!(
                        "firelane: process {process}, which writes the tape, has done nothing for {} s: it is stopped (kill -CONT \
                         lets it go on) or stuck",
                        silence.as_secs()
                    );
                }
            }
            _ => *was_silent = false,
        }
        Ok(Next::Nothing)
    }

    fn count(&mut self, record: &Record) {
        self.last = (record.header.sequence.get(), Mono(record.header.time.get()));
        match (record.kind, LappedBody::read_from_bytes(&record.body)) {
            (Some(Kind::Lapped), Ok(body)) => {
                self.sum[1] = self.sum[1].saturating_add(body.records.get());
                self.sum[2] = self.sum[2].saturating_add(body.bytes.get());
            }
            _ => self.sum[0] += 1,
        }
    }

    /// After one that says so. True, so that it goes on.
    pub(super) fn say_lost(&self) -> bool {
        if self.is_live() {
            complain!(
                "firelane: lapped: {} records lost so far, this reader is too slow for the tape",
                group(self.sum[1])
            );
        }
        true
    }

    /// On standard error, for the records are on standard output.
    pub(super) fn sum_up(&self) {
        output::complain(format_args!("{}", summed_up(self.sum)));
    }
}

/// A process that ends in order takes its socket with it, if a little later than what it gave there.
fn died(socket: &Path) -> Option<String> {
    let since = Instant::now();
    while socket.exists() {
        let refused = UnixStream::connect(socket).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused);
        if refused && since.elapsed() > LOOK * 4 {
            let name = socket.display();
            return Some(format!(
                "{name}: the gateway is gone and has not ended in order: the end of the tape may be missing"
            ));
        }
        if since.elapsed() > LOOK * 40 {
            return Some(format!("{}: the gateway gives its tape no more, and has not ended", socket.display()));
        }
        thread::sleep(PAUSE);
    }
    None
}

/// The first eight bytes of a regular file.
fn begins(path: &Path) -> Option<[u8; 8]> {
    if !std::fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut bytes = [0; 8];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Where the configuration shares the tape.
fn shared(of: &TapeOf) -> Result<Option<std::path::PathBuf>> {
    if !of.target.exists() {
        return Ok(None);
    }
    let text = settings::text(&of.target, &of.set)?;
    Ok(match Role::of(text.as_str()) {
        Role::Gateway => {
            let lanes = wirings::fleet(text.as_str()).map(|fleet| fleet.lanes).unwrap_or_default();
            of_lane(lanes, of.lane.as_deref())?.and_then(|config| config.live.tape_shared)
        }
        Role::Venue => None,
    })
}

/// The configuration of the lane that is asked for. None: there is none to choose from.
fn of_lane(lanes: Vec<Config>, lane: Option<&str>) -> Result<Option<Config>> {
    let names: Vec<String> = lanes.iter().map(|config| config.lane.name.clone()).collect();
    match (lane, names.as_slice()) {
        (_, []) => return Ok(None),
        (None, [alone]) if alone.is_empty() => {}
        (None, _) => bail!("the tape of which lane? --lane says it: {}", names.join(", ")),
        (Some(_), [alone]) if alone.is_empty() => bail!("there is one lane here, without a name: leave --lane out"),
        (Some(lane), names) if !names.iter().any(|name| name == lane) => {
            bail!("there is no lane {lane:?}; there are: {}", names.join(", "))
        }
        _ => {}
    }
    Ok(lanes.into_iter().find(|config| config.lane.name == lane.unwrap_or("")))
}

impl Where {
    fn begin(self) -> Begin {
        match self {
            Where::Now => Begin::Now,
            Where::Oldest => Begin::Oldest,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Where::Now => "now",
            Where::Oldest => "oldest",
        }
    }
}
