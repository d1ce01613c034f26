//! Files of recorded market data: what they are packed in, what they are, and their messages or datagrams.
//!
//! Two kinds of file, told apart by their first bytes, whatever they are called:
//! * *`BinaryFILE`* (`.itch`): messages after one another, each behind a two-byte big-endian length;
//! * *packets* (pcap or pcapng): datagrams as they were on the wire.
//!
//! Each may be plain or packed with gzip, xz or zstd. [`Stream`] reads the messages of either kind in bounded memory,
//! the packets of a capture put in order by [`merge`]. [`Capture::open`] gives messages or datagrams as they stand in
//! the file; [`read_all`] the decompressed bytes.

pub mod binary_file;
mod compression;
mod fragments;
mod headers;
pub mod merge;
mod names;
pub mod packets;
mod pcap_writer;
mod stream;
mod window;

pub use binary_file::write_binary_file;
pub use compression::decompress;
pub use names::looks_like;
pub use pcap_writer::PcapWriter;
pub use stream::{Batch, Ending, Mark, Position, Stream};

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Why a file could not be read. Offsets count decompressed bytes.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error("cannot open {}: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is no file.
    #[error("it is a directory; name a file in it")]
    Directory(PathBuf),
    /// It is something else than what is read here.
    #[error("it is {what}, which is not read here: {advice}")]
    Stranger {
        /// What it is.
        what: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// Reading failed.
    #[error("reading failed after {offset} decompressed bytes: {source}")]
    Read {
        /// Bytes read before.
        offset: u64,
        /// What the system says.
        source: io::Error,
    },
    /// What the file is packed in is damaged.
    #[error("the packing is damaged after {offset} decompressed bytes: {source}; copy the file again")]
    Packing {
        /// Bytes read before.
        offset: u64,
        /// What the decompressor says.
        source: io::Error,
    },
    /// There is nothing wrong with the file; the machine is too small for it.
    #[error("not enough memory after {offset} decompressed bytes: {source}; the file itself may well be sound")]
    Memory {
        /// Bytes read before.
        offset: u64,
        /// Who ran out of it.
        source: io::Error,
    },
    /// The file ends inside of a message or packet record. All before it was delivered.
    #[error("the file ends inside of the record at byte {offset}; what stands before it is sound")]
    Truncated {
        /// Where the record begins.
        offset: u64,
    },
    /// A packet record is none. There is no way to find the next one. All before it was delivered.
    #[error("no packet record at byte {offset} ({reason}); cut the file there, or repair it with a capture tool")]
    Damaged {
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The packets are of a link layer that is not read here.
    #[error(
        "link type {0} is not supported (Ethernet, raw IP, Linux cooked, loopback, PPP are); capture on an Ethernet port"
    )]
    UnsupportedLink(u32),
}

impl CaptureError {
    /// Where in the decompressed bytes reading ended, if it had begun.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        match self {
            CaptureError::Read { offset, .. }
            | CaptureError::Packing { offset, .. }
            | CaptureError::Memory { offset, .. }
            | CaptureError::Truncated { offset }
            | CaptureError::Damaged { offset, .. } => Some(*offset),
            CaptureError::Open { .. }
            | CaptureError::Directory(_)
            | CaptureError::Stranger { .. }
            | CaptureError::UnsupportedLink(_) => None,
        }
    }

    /// An error of a read, `offset` decompressed bytes on.
    fn reading(offset: u64, source: io::Error) -> Self {
        match source.kind() {
            ErrorKind::OutOfMemory => CaptureError::Memory { offset, source },
            _ if source.raw_os_error().is_some() => CaptureError::Read { offset, source },
            ErrorKind::UnexpectedEof => CaptureError::Truncated { offset },
            _ => CaptureError::Packing { offset, source },
        }
    }
}

/// What decompressed bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Messages behind two-byte lengths. It has no mark of its own: whatever is nothing else is taken for it.
    BinaryFile,
    /// pcap, in either byte order, with micro- or nanoseconds.
    Pcap,
    /// pcapng.
    PcapNg,
}

impl Format {
    /// Tells by the first four bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Format {
        match bytes {
            [0x0A, 0x0D, 0x0D, 0x0A, ..] => Format::PcapNg,
            [0xD4, 0xC3, 0xB2, 0xA1, ..]
            | [0xA1, 0xB2, 0xC3, 0xD4, ..]
            | [0x4D, 0x3C, 0xB2, 0xA1, ..]
            | [0xA1, 0xB2, 0x3C, 0x4D, ..]
            | [0x34, 0xCD, 0xB2, 0xA1, ..]
            | [0xA1, 0xB2, 0xCD, 0x34, ..] => Format::Pcap,
            _ => Format::BinaryFile,
        }
    }
}

/// A file's decompressed bytes, as a stream.
///
/// # Errors
/// [`CaptureError::Open`], [`CaptureError::Directory`], [`CaptureError::Stranger`] for what is known to be something
/// else, or those of a read if the first bytes cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn Read + Send>, CaptureError> {
    let opening = |source| CaptureError::Open { path: path.to_owned(), source };
    let file = File::open(path).map_err(opening)?;
    if file.metadata().map_err(opening)?.is_dir() {
        return Err(CaptureError::Directory(path.to_owned()));
    }
    unpack(file)
}

/// The decompressed bytes of a file that is open.
///
/// # Errors
/// As [`open`].
fn unpack(file: impl Read + Send + 'static) -> Result<Box<dyn Read + Send>, CaptureError> {
    let failed = |source| CaptureError::reading(0, source);
    // Enough to see what it is, also where it comes in small pieces.
    let (first, rest) = beginning(file).map_err(|(_, error)| failed(error))?;
    recognised(&first)?;
    let packed = io::Cursor::new(first.clone()).chain(rest);
    let stream = decompress(BufReader::with_capacity(1 << 18, packed)).map_err(failed)?;
    let (unpacked, rest) = match beginning(stream) {
        Ok(beginning) => beginning,
        // What breaks off or is damaged at once is told when it is read.
        Err((partly, error)) => {
            return Ok(Box::new(io::Cursor::new(partly).chain(Failing(Some(error)))));
        }
    };
    if unpacked != first {
        recognised(&unpacked)?;
        if matches!(*unpacked, [0x1F, 0x8B, ..] | [0xFD, b'7', b'z', b'X', b'Z', 0, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..])
        {
            return Err(CaptureError::Stranger { what: "packed twice", advice: "unpack it once" });
        }
    }
    Ok(Box::new(io::Cursor::new(unpacked).chain(rest)))
}

fn recognised(first: &[u8]) -> Result<(), CaptureError> {
    names::stranger(first).map_or(Ok(()), |(what, advice)| Err(CaptureError::Stranger { what, advice }))
}

/// A file's decompressed bytes, all of them.
///
/// # Errors
/// Those of [`open`], and those of a read.
pub fn read_all(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let mut bytes = Vec::new();
    match open(path)?.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(CaptureError::reading(bytes.len() as u64, source)),
    }
}

/// A file read as a stream, in bounded memory.
pub enum Capture {
    /// Messages.
    BinaryFile(binary_file::Reader<Box<dyn Read + Send>>),
    /// Datagrams.
    Packets(Box<packets::Reader<Box<dyn Read + Send>>>),
}

impl Capture {
    /// Opens a file of either kind, packed or not.
    ///
    /// # Errors
    /// Those of [`open`], and those of [`packets::Reader::new`].
    pub fn open(path: &Path) -> Result<Capture, CaptureError> {
        Capture::of(open(path)?)
    }

    /// A decompressed stream of either kind.
    fn of(mut stream: Box<dyn Read + Send>) -> Result<Capture, CaptureError> {
        let mut first = Vec::with_capacity(4);
        let failure = stream.by_ref().take(4).read_to_end(&mut first).err();
        let format = Format::of(&first);
        let whole: Box<dyn Read + Send> = match failure {
            None => Box::new(io::Cursor::new(first).chain(stream)),
            Some(error) => Box::new(io::Cursor::new(first).chain(Failing(Some(error)))),
        };
        Ok(match format {
            Format::BinaryFile => Capture::BinaryFile(binary_file::Reader::new(whole)),
            Format::Pcap | Format::PcapNg => Capture::Packets(Box::new(packets::Reader::new(whole)?)),
        })
    }
}

/// The first bytes of a stream, and the rest of it.
#[allow(clippy::type_complexity)]
fn beginning<R: Read>(mut stream: R) -> Result<(Vec<u8>, R), (Vec<u8>, io::Error)> {
    let mut first = Vec::with_capacity(512);
    match stream.by_ref().take(512).read_to_end(&mut first) {
        Ok(_) => Ok((first, stream)),
        Err(error) => Err((first, error)),
    }
}

/// A stream that fails at its first read.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const MESSAGES: [&[u8]; 3] = [b"Sfirst", b"", b"Clast"];

    fn file_of(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn a_file_is_known_by_its_content() {
        let mut binary = Vec::new();
        write_binary_file(&mut binary, [&b"Sfirst"[..], b"Clast"]).unwrap();
        let file = file_of(&binary);
        assert_eq!(read_all(file.path()).unwrap(), binary);
        let Capture::BinaryFile(mut reader) = Capture::open(file.path()).unwrap() else { panic!() };
        assert_eq!(reader.next_message().unwrap(), Some(&b"Sfirst"[..]));
        assert_eq!(reader.next_message().unwrap(), Some(&b"Clast"[..]));
        assert_eq!(reader.next_message().unwrap(), None);

        let mut pcap = PcapWriter::new(Vec::new()).unwrap();
        let (from, to) = ("10.0.0.1:1".parse().unwrap(), "233.54.12.111:26400".parse().unwrap());
        for message in MESSAGES {
            pcap.write_udp(7, from, to, message).unwrap();
        }
        let file = file_of(&pcap.into_inner());
        let Capture::Packets(mut reader) = Capture::open(file.path()).unwrap() else { panic!() };
        for message in MESSAGES {
            assert_eq!(reader.next_datagram().unwrap().unwrap().payload, message);
        }
        assert!(reader.next_datagram().unwrap().is_none());
    }

    #[test]
    fn short_and_empty_files_are_streams_of_nothing() {
        for length in 0..4 {
            let file = file_of(&[0; 3][..length.min(3)]);
            let Capture::BinaryFile(mut reader) = Capture::open(file.path()).unwrap() else { panic!() };
            let ended = reader.next_message();
            assert_eq!(ended.is_err(), length == 1, "one byte is half a length, two are the end of the session");
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = read_all(Path::new("no/such/file.itch")).unwrap_err();
        assert!(error.to_string().starts_with("cannot open no/such/file.itch: "));
    }
}
