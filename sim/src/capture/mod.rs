//! Files of recorded market data: what they are packed in, what they are, and their messages or datagrams.
//!
//! Two kinds of file, told apart by their first bytes, whatever they are called:
//! * *`BinaryFILE`* (`.itch`): messages after one another, each behind a two-byte big-endian length;
//! * *packets* (pcap or pcapng): datagrams as they were on the wire.
//!
//! Each may be plain or packed with gzip, xz or zstd. For a replay read the whole file with [`read_all`], look at
//! [`Format::of`], and walk [`binary_file::Messages`] or [`packets::Reader`] over the bytes. [`Capture::open`] does the
//! same in bounded memory.

pub mod binary_file;
mod compression;
pub mod packets;
mod pcap_writer;

pub use binary_file::write_binary_file;
pub use compression::decompress;
pub use pcap_writer::PcapWriter;

use std::fs::File;
use std::io::{self, BufReader, Read};
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
    /// Reading or decompressing failed.
    #[error(
        "reading failed after {offset} decompressed bytes: {source}; the file is damaged or incomplete, copy it again"
    )]
    Read {
        /// Bytes read before.
        offset: u64,
        /// What the system or the decompressor says.
        source: io::Error,
    },
    /// The file ends inside of a message or packet record. All before it was delivered.
    #[error("the file ends inside of the record at byte {offset}; what stands before it is sound")]
    Truncated {
        /// Where the record begins.
        offset: u64,
    },
    /// A packet record is none. There is no way to find the next one.
    #[error("no packet record at byte {offset} ({reason}); cut the file there, or repair it with a capture tool")]
    Damaged {
        /// Where the record begins.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The packets are of a link layer that is not read here.
    #[error(
        "link type {0} is not supported (Ethernet, raw IP, Linux cooked, loopback are); capture on an Ethernet port"
    )]
    UnsupportedLink(u32),
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
            | [0x34, 0xCD, 0xB2, 0xA1, ..] => Format::Pcap,
            _ => Format::BinaryFile,
        }
    }
}

/// A file's decompressed bytes, as a stream.
///
/// # Errors
/// [`CaptureError::Open`], or [`CaptureError::Read`] if the first bytes cannot be read.
pub fn open(path: &Path) -> Result<Box<dyn Read>, CaptureError> {
    let file = File::open(path).map_err(|source| CaptureError::Open { path: path.to_owned(), source })?;
    decompress(BufReader::with_capacity(1 << 18, file)).map_err(|source| CaptureError::Read { offset: 0, source })
}

/// A file's decompressed bytes, all of them.
///
/// # Errors
/// [`CaptureError::Open`] and [`CaptureError::Read`].
pub fn read_all(path: &Path) -> Result<Vec<u8>, CaptureError> {
    let mut bytes = Vec::new();
    match open(path)?.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(CaptureError::Read { offset: bytes.len() as u64, source }),
    }
}

/// A file read as a stream, in bounded memory.
pub enum Capture {
    /// Messages.
    BinaryFile(binary_file::Reader<Box<dyn Read>>),
    /// Datagrams.
    Packets(Box<packets::Reader<Box<dyn Read>>>),
}

impl Capture {
    /// Opens a file of either kind, packed or not.
    ///
    /// # Errors
    /// Those of [`open`], and those of [`packets::Reader::new`].
    pub fn open(path: &Path) -> Result<Capture, CaptureError> {
        let mut stream = open(path)?;
        let mut first = Vec::with_capacity(4);
        stream
            .by_ref()
            .take(4)
            .read_to_end(&mut first)
            .map_err(|source| CaptureError::Read { offset: first.len() as u64, source })?;
        let format = Format::of(&first);
        let whole: Box<dyn Read> = Box::new(io::Cursor::new(first).chain(stream));
        Ok(match format {
            Format::BinaryFile => Capture::BinaryFile(binary_file::Reader::new(whole)),
            Format::Pcap | Format::PcapNg => Capture::Packets(Box::new(packets::Reader::new(whole)?)),
        })
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
