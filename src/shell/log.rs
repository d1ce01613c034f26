//! The files of the input log and the output tape: written, read, checked.
//!
//! Format: see [`record`](crate::flow::record). A log file stands alone: its header holds the wiring's name, the whole
//! configuration text (which names secrets but never holds one) and the instruments listed in it, with all that the lane
//! reckons with, so that a file and a build of the same wiring reproduce the run.

use super::lane::Lane;
use super::rows::InstrumentRow;
use crate::base::Digest;
use crate::flow::record::{FinalBody, Kind, RecordHeader};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use zerocopy::FromBytes;

/// First bytes of every file.
pub const MAGIC: [u8; 8] = *b"FIRELANE";
/// Version of the file's frame: of what stands before its records. 2 since the header has whole instruments.
pub const FORMAT: u32 = 2;
/// No record body is longer: a datagram of 64 KiB and change.
pub const MAX_BODY: usize = 128 * 1024;
/// No header text is longer.
const MAX_TEXT: usize = 16 * 1024 * 1024;

/// What a file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Role {
    /// Inputs and their effects.
    Log = 1,
    /// Orders, decisions, alerts, tops.
    Tape = 2,
    /// The state of a lane: see [`saved`](super::saved).
    State = 3,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Role::Log => "log",
            Role::Tape => "tape",
            Role::State => "state",
        }
    }
}

/// How a log keeps the effects of each input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Effects {
    /// Every byte.
    #[default]
    Bytes,
    /// A 64-bit digest for each input.
    Digest,
}

/// What a file says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileHeader {
    /// Name of the wiring that ran.
    pub wiring: String,
    /// The build that wrote it: program, version and commit, as far as it knows them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub build: String,
    /// Digest of the wiring's name and shape, in hexadecimal: of the types of its parts and the versions of the records. Empty
    /// where no lane was at hand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub wiring_hash: String,
    /// How effects are kept.
    pub effects: Effects,
    /// Digest of `config`, in hexadecimal.
    pub config_digest: String,
    /// When the lane's clock began, in nanoseconds since 1970 UTC; none where it was virtual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began_unix_ns: Option<u64>,
    /// The configuration, as TOML.
    pub config: String,
    /// The instrument table at the start, in the order of its ids.
    pub instruments: Vec<InstrumentRow>,
}

impl FileHeader {
    /// What a file has for its build where no program says more.
    pub const BUILD: &'static str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

    /// A header for a run of `wiring` under `config`.
    #[must_use]
    pub fn new(wiring: &str, config: &str, instruments: Vec<InstrumentRow>, effects: Effects) -> Self {
        FileHeader {
            wiring: wiring.to_owned(),
            build: Self::BUILD.to_owned(),
            wiring_hash: String::new(),
            effects,
            config_digest: format!("{:016x}", Digest::of(config.as_bytes())),
            instruments,
            began_unix_ns: None,
            config: config.to_owned(),
        }
    }

    /// The same, of a lane whose clock began at so many nanoseconds since 1970 UTC.
    #[must_use]
    pub fn began_at(self, unix_ns: u64) -> Self {
        FileHeader { began_unix_ns: Some(unix_ns), ..self }
    }

    /// The same, written by a program that knows more of itself than the version of this library.
    #[must_use]
    pub fn built_by(self, build: &str) -> Self {
        FileHeader { build: build.to_owned(), ..self }
    }

    /// The same, of this lane before its first input: with its instruments and the hash of its wiring.
    #[must_use]
    pub fn of_lane(self, lane: &dyn Lane) -> Self {
        let instruments = InstrumentRow::of_all(lane.instruments().rows());
        FileHeader { wiring_hash: self.hash_of(lane), instruments, ..self }
    }

    /// Of the wiring of a lane under the name that the file has for it.
    fn hash_of(&self, lane: &dyn Lane) -> String {
        let mut digest = Digest::default();
        digest.bytes(self.wiring.as_bytes());
        lane.shape(&mut digest);
        for kind in Kind::ALL {
            digest.bytes(&[*kind as u8, kind.version()]);
        }
        format!("{:016x}", digest.value())
    }

    /// In what a build and the lane that it makes of this file are other than those that wrote it: a line for each. None of
    /// it keeps anybody from reading the file; it explains why a run may not reproduce.
    #[must_use]
    pub fn unlike(&self, build: &str, lane: &dyn Lane) -> Vec<String> {
        let mut lines = Vec::new();
        if self.build != build {
            let by = if self.build.is_empty() { "a build that does not name itself" } else { &self.build };
            lines.push(format!("written by {by}; this is {build}"));
        }
        let hash = self.hash_of(lane);
        if !self.wiring_hash.is_empty() && self.wiring_hash != hash {
            let Self { wiring, wiring_hash, .. } = self;
            lines.push(format!("wiring {wiring:?} had another shape (hash {wiring_hash}) than in this build ({hash})"));
        }
        let rows = InstrumentRow::of_all(lane.instruments().rows());
        if !self.wiring_hash.is_empty() && self.instruments != rows {
            let said = |row: Option<&InstrumentRow>| row.map_or("none".to_owned(), |row| format!("{row:?}"));
            let place = (0..).find(|n| self.instruments.get(*n) != rows.get(*n)).unwrap_or_default();
            let (had, has) = (said(self.instruments.get(place)), said(rows.get(place)));
            lines.push(format!("instrument {place} was {had}; in this build it is {has}"));
        }
        lines
    }

    /// When the lane's clock began, in nanoseconds of the day (UTC), where the file says so.
    #[must_use]
    pub fn began_ns_of_day(&self) -> Option<u64> {
        const DAY: u64 = 86_400_000_000_000;
        self.began_unix_ns.map(|ns| ns % DAY)
    }
}

/// What is wrong with a log or tape file.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The file system said no.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The lane wrote more in one step than it asks room for.
    #[error(
        "the lane wrote more in one step than its outbox holds, and what did not fit is lost: a fault of this program"
    )]
    Overflow,
    /// Not a file of ours.
    #[error("not a Firelane file: the first eight bytes are not {:?}", "FIRELANE")]
    NotOurs,
    /// Written by another version.
    #[error("format version {found}; this build reads version {FORMAT}: use the build that wrote the file")]
    Format {
        /// The file's version.
        found: u32,
    },
    /// Written by a build in which records of this kind have another body.
    #[error(
        "record {index} at byte {offset}: {kind} of version {found}; this build reads version {reads}: \
         use the build that wrote the file"
    )]
    Version {
        /// Number of the record, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
        /// Name of its kind.
        kind: &'static str,
        /// The record's version.
        found: u8,
        /// That of this build.
        reads: u8,
    },
    /// The other kind of file.
    #[error("this is not a {wanted} file: its role is {found}")]
    Role {
        /// What was asked for.
        wanted: &'static str,
        /// What it is.
        found: u32,
    },
    /// The header does not hold together.
    #[error("the file's header is damaged: {0}")]
    Header(String),
    /// The checksum of a record is wrong.
    #[error("record {index} at byte {offset} is damaged: its checksum does not match")]
    Damaged {
        /// Number of the record, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
    },
    /// The file ends inside a record: a crash while writing. What is before it is whole.
    #[error("the file ends inside record {index} at byte {offset}: the run stopped while writing it")]
    Torn {
        /// Number of the record, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
    },
    /// A length that no writer writes.
    #[error("record {index} at byte {offset} claims {length} bytes; no record is longer than {MAX_BODY}")]
    TooLong {
        /// Number of the record, from 0.
        index: u64,
        /// Where it begins.
        offset: u64,
        /// The claim.
        length: u32,
    },
}

/// Writes records to a file or to any other sink.
#[derive(Debug)]
pub struct FileWriter<W: Write> {
    out: W,
    records: u64,
}

impl<W: Write> FileWriter<W> {
    /// Writes the file's header.
    ///
    /// # Errors
    /// What the sink says.
    pub fn new(mut out: W, role: Role, header: &FileHeader) -> Result<Self, LogError> {
        let text = toml::to_string(header).map_err(|e| LogError::Header(e.to_string()))?;
        let length = u32::try_from(text.len()).map_err(|_| LogError::Header("configuration over 4 GiB".into()))?;
        out.write_all(&MAGIC)?;
        out.write_all(&FORMAT.to_le_bytes())?;
        out.write_all(&(role as u32).to_le_bytes())?;
        out.write_all(&length.to_le_bytes())?;
        out.write_all(text.as_bytes())?;
        out.write_all(&crc32c::crc32c(text.as_bytes()).to_le_bytes())?;
        Ok(FileWriter { out, records: 0 })
    }

    /// Appends one record, header first: the concatenation of `parts`.
    ///
    /// # Errors
    /// What the sink says.
    pub fn put(&mut self, parts: &[&[u8]]) -> io::Result<()> {
        let mut crc = 0;
        for part in parts {
            crc = crc32c::crc32c_append(crc, part);
            self.out.write_all(part)?;
        }
        self.records += 1;
        self.out.write_all(&crc.to_le_bytes())
    }

    /// Hands the sink what was held back for it.
    ///
    /// # Errors
    /// What the sink says.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// The same file behind a buffer of `bytes`.
    #[must_use]
    pub fn buffered(self, bytes: usize) -> FileWriter<io::BufWriter<W>> {
        FileWriter { out: io::BufWriter::with_capacity(bytes, self.out), records: self.records }
    }

    /// Records written.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Flushes and gives the sink back.
    ///
    /// # Errors
    /// What the sink says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}

/// One record of a file.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its header.
    pub header: RecordHeader,
    /// Its kind; `None` for one that this build does not know.
    pub kind: Option<Kind>,
    /// Its body.
    pub body: Vec<u8>,
    /// Where it begins in the file.
    pub offset: u64,
}

impl Record {
    /// One as it is in memory, header and body: the `index`-th, after `offset` bytes of others.
    ///
    /// # Errors
    /// [`LogError`]: it is none, or of another version.
    pub fn parse(bytes: &[u8], index: u64, offset: u64) -> Result<Self, LogError> {
        match RecordHeader::read_from_prefix(bytes) {
            Ok((header, body)) if header.length.get() as usize == body.len() => {
                Ok(Record { header, kind: known(&header, index, offset)?, body: body.to_vec(), offset })
            }
            _ => Err(LogError::Torn { index, offset }),
        }
    }

    /// The first byte of the body and the rest: how every session and packet record is laid out.
    #[must_use]
    pub fn tagged(&self) -> Option<(u8, &[u8])> {
        self.body.split_first().map(|(tag, rest)| (*tag, rest))
    }
}

/// The kind of a record that this build can read; `None` for one that it does not know.
fn known(header: &RecordHeader, index: u64, offset: u64) -> Result<Option<Kind>, LogError> {
    let kind = Kind::from_byte(header.kind);
    match kind.filter(|kind| kind.version() != header.version) {
        None => Ok(kind),
        Some(kind) => {
            let (kind, reads) = (kind.name(), kind.version());
            Err(LogError::Version { index, offset, kind, found: header.version, reads })
        }
    }
}

/// Reads records.
#[derive(Debug)]
pub struct FileReader<R: Read> {
    input: R,
    header: FileHeader,
    role: u32,
    index: u64,
    offset: u64,
}

/// Fills `buffer` as far as the input goes; the number of bytes read.
fn fill(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match input.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

impl<R: Read> FileReader<R> {
    /// Reads and checks the file's header.
    ///
    /// # Errors
    /// [`LogError`] when it is not such a file.
    pub fn new(mut input: R) -> Result<Self, LogError> {
        let mut fixed = [0u8; 20];
        let got = fill(&mut input, &mut fixed)?;
        if got < 8 || fixed[..8] != MAGIC {
            return Err(LogError::NotOurs);
        }
        if got < fixed.len() {
            return Err(LogError::Header("the file ends inside it".into()));
        }
        let word = |i: usize| u32::from_le_bytes([fixed[i], fixed[i + 1], fixed[i + 2], fixed[i + 3]]);
        if word(8) != FORMAT {
            return Err(LogError::Format { found: word(8) });
        }
        let length = word(16) as usize;
        if length > MAX_TEXT {
            return Err(LogError::Header(format!("it claims {length} bytes")));
        }
        let mut text = vec![0; length + 4];
        if fill(&mut input, &mut text)? < text.len() {
            return Err(LogError::Header("the file ends inside it".into()));
        }
        let (text, crc) = text.split_at(length);
        if crc32c::crc32c(text).to_le_bytes() != crc {
            return Err(LogError::Header("its checksum does not match".into()));
        }
        let text = std::str::from_utf8(text).map_err(|e| LogError::Header(e.to_string()))?;
        let header: FileHeader = toml::from_str(text).map_err(|e| LogError::Header(e.message().to_owned()))?;
        if header.config_digest != format!("{:016x}", Digest::of(header.config.as_bytes())) {
            return Err(LogError::Header("the configuration does not match its digest".into()));
        }
        Ok(FileReader { input, header, role: word(12), index: 0, offset: (24 + length) as u64 })
    }

    /// Insists on a role.
    ///
    /// # Errors
    /// [`LogError::Role`] when it is another.
    pub fn expect(self, role: Role) -> Result<Self, LogError> {
        if self.role == role as u32 {
            return Ok(self);
        }
        Err(LogError::Role { wanted: role.name(), found: self.role })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn header(&self) -> &FileHeader {
        &self.header
    }

    /// What is left to read, and what the file says of itself.
    pub(super) fn into_parts(self) -> (FileHeader, R) {
        (self.header, self.input)
    }

    /// Is it a log?
    #[must_use]
    pub fn is_log(&self) -> bool {
        self.role == Role::Log as u32
    }

    /// The next record; `None` at the end of the file.
    ///
    /// # Errors
    /// [`LogError`]; nothing can be read after it.
    pub fn next_record(&mut self) -> Result<Option<Record>, LogError> {
        let (index, offset) = (self.index, self.offset);
        let mut head = [0u8; size_of::<RecordHeader>()];
        match fill(&mut self.input, &mut head)? {
            0 => return Ok(None),
            n if n < head.len() => return Err(LogError::Torn { index, offset }),
            _ => {}
        }
        let Ok(header) = RecordHeader::read_from_bytes(&head) else { return Err(LogError::Torn { index, offset }) };
        let length = header.length.get();
        if length as usize > MAX_BODY {
            return Err(LogError::TooLong { index, offset, length });
        }
        let mut body = vec![0; length as usize + 4];
        if fill(&mut self.input, &mut body)? < body.len() {
            return Err(LogError::Torn { index, offset });
        }
        let crc = body.split_off(length as usize);
        if crc32c::crc32c_append(crc32c::crc32c(&head), &body).to_le_bytes() != crc[..] {
            return Err(LogError::Damaged { index, offset });
        }
        let kind = known(&header, index, offset)?;
        self.index += 1;
        self.offset += (head.len() + body.len() + 4) as u64;
        Ok(Some(Record { header, kind, body, offset }))
    }
}

/// A [`FinalBody`] from its bytes.
#[must_use]
pub fn final_body(record: &Record) -> Option<FinalBody> {
    FinalBody::read_from_bytes(&record.body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Instrument, Mono, Symbol};
    use crate::flow::record;
    use zerocopy::IntoBytes;

    fn aapl() -> InstrumentRow {
        InstrumentRow::from(&Instrument::us_equity(Symbol::new("AAPL").unwrap()))
    }

    fn sample() -> Vec<u8> {
        let head = FileHeader::new("w", "a = 1\n", vec![aapl()], Effects::Bytes);
        let mut w = FileWriter::new(Vec::new(), Role::Log, &head).unwrap();
        w.put(&[record::header(Kind::Packet, 0, 1, Mono(7), 4).as_bytes(), &[0], b"abc"]).unwrap();
        w.put(&[record::header(Kind::Timer, 0, 2, Mono(8), 0).as_bytes()]).unwrap();
        assert_eq!(w.records(), 2);
        w.finish().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<Record>, LogError> {
        let mut r = FileReader::new(bytes)?.expect(Role::Log)?;
        let mut all = Vec::new();
        while let Some(record) = r.next_record()? {
            all.push(record);
        }
        Ok(all)
    }

    #[test]
    fn records_come_back() {
        let all = read(&sample()).unwrap();
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].tagged(), Some((0, &b"abc"[..])));
        assert_eq!((all[1].kind, all[1].header.sequence.get(), all[1].header.time.get()), (Some(Kind::Timer), 2, 8));
        assert_eq!(FileReader::new(&sample()[..]).unwrap().header().instruments, [aapl()]);
    }

    #[test]
    fn another_version_of_the_frame_is_refused_by_name() {
        for found in [FORMAT - 1, FORMAT + 1] {
            let mut old = sample();
            old[8] = found as u8;
            let said = FileReader::new(&old[..]).unwrap_err().to_string();
            assert!(said.starts_with(&format!("format version {found}; this build reads version {FORMAT}")), "{said}");
        }
    }

    #[test]
    fn a_record_of_another_version_is_refused_by_name_and_an_unknown_kind_is_not() {
        let head = FileHeader::new("w", "", vec![], Effects::Bytes);
        let file = |kind: u8, version: u8| {
            let mut w = FileWriter::new(Vec::new(), Role::Log, &head).unwrap();
            w.put(&[record::header(Kind::Timer, 0, 1, Mono(8), 0).as_bytes()]).unwrap();
            let header = RecordHeader { kind, version, ..record::header(Kind::Order, 0, 1, Mono(8), 0) };
            w.put(&[header.as_bytes()]).unwrap();
            w.finish().unwrap()
        };
        for kind in Kind::ALL {
            let own = kind.version();
            assert!(read(&file(*kind as u8, own)).is_ok());
            for other in [own - 1, own + 1] {
                let said = read(&file(*kind as u8, other)).unwrap_err().to_string();
                let (name, end) = (kind.name(), "use the build that wrote the file");
                let wanted = format!("{name} of version {other}; this build reads version {own}: {end}");
                assert!(said.starts_with("record 1 at byte ") && said.ends_with(&wanted), "{said}");
            }
        }
        assert_eq!(read(&file(63, 9)).unwrap()[1].kind, None, "a kind of another build's is for the reader to judge");
    }

    #[test]
    fn every_cut_is_named_and_every_flipped_bit_is_found() {
        let good = sample();
        let ends: Vec<usize> = [read(&good).unwrap()[0].offset, read(&good).unwrap()[1].offset, good.len() as u64]
            .iter()
            .map(|o| *o as usize)
            .collect();
        for cut in 0..good.len() {
            assert_eq!(read(&good[..cut]).is_ok(), ends.contains(&cut), "cut at {cut}");
        }
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(read(&bad).is_err(), "bit {bit}");
        }
    }
}
