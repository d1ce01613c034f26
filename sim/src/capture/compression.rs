//! Compressed files, told by their first bytes: gzip, xz, zstd. Each may hold several members after one another, as
//! tools that compress in parallel or append write them, and zeros behind the last, as tapes and block devices pad; all
//! are read as one stream.
//!
//! What breaks off gives what can be had of it, then [`io::ErrorKind::UnexpectedEof`]; what asks for too much memory
//! gives [`io::ErrorKind::OutOfMemory`]; whatever else is wrong with it, [`io::ErrorKind::InvalidData`].

use flate2::bufread::GzDecoder;
use lzma_rust2::{Action, Status, XzStream};
use ruzstd::decoding::errors::{FrameDecoderError, FrameHeaderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::error::Error;
use std::io::{self, BufRead, ErrorKind, Read};

/// Most memory that a packed file may ask for: what `xz -9` needs eight times over, and `zstd --long=29`.
const MEMORY_LIMIT: u32 = 1 << 29;

/// The decompressed bytes of `packed`, or its bytes if it is not compressed.
///
/// # Errors
/// Those of `packed` while its first bytes are read.
pub fn decompress<R: BufRead + Send + 'static>(mut packed: R) -> io::Result<Box<dyn Read + Send>> {
    Ok(match packed.fill_buf()? {
        [0x1F, 0x8B, ..] => Box::new(Gzip { member: Some(GzDecoder::new(packed)) }),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(Xz { source: packed, stream: XzStream::new_mem_limit(true, MEMORY_LIMIT >> 10) })
        }
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Box::new(Zstd::new(packed)),
        _ => Box::new(packed),
    })
}

fn invalid(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

fn too_much() -> io::Error {
    let limit = MEMORY_LIMIT >> 20;
    io::Error::new(ErrorKind::OutOfMemory, format!("it was packed so that unpacking takes more than {limit} MiB"))
}

/// Skips zeros; whether anything follows them.
fn skip_padding(source: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let bytes = source.fill_buf()?;
        let (zeros, all) = (bytes.iter().take_while(|b| **b == 0).count(), bytes.len());
        source.consume(zeros);
        if zeros < all || all == 0 {
            return Ok(all > 0);
        }
    }
}

/// The members of a gzip file.
struct Gzip<R> {
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(out) {
                Ok(0) if !out.is_empty() => {}
                // What the decoder calls bad input is a matter of the file, not of the call.
                Err(error) if error.kind() == ErrorKind::InvalidInput => return Err(invalid(error)),
                other => return other,
            }
            let Some(mut source) = self.member.take().map(GzDecoder::into_inner) else { break };
            if skip_padding(&mut source)? {
                if source.fill_buf()?.first() != Some(&0x1F) {
                    return Err(invalid("behind the end of the gzip data stands something else"));
                }
                self.member = Some(GzDecoder::new(source));
            }
        }
        Ok(0)
    }
}

/// An xz file, decoded as it comes: a reader of whole chunks would lose the last one of a file that breaks off.
struct Xz<R> {
    source: R,
    stream: XzStream,
}

impl<R: BufRead> Read for Xz<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = self.source.fill_buf()?;
            let at_end = input.is_empty();
            let action = if at_end { Action::Finish } else { Action::Run };
            let done = self.stream.process(input, out, action).map_err(|error| match error.kind() {
                ErrorKind::OutOfMemory => too_much(),
                ErrorKind::UnexpectedEof => error,
                _ => invalid(error),
            })?;
            self.source.consume(done.bytes_consumed);
            if done.bytes_produced > 0 || out.is_empty() || (at_end && done.status == Status::StreamEnd) {
                return Ok(done.bytes_produced);
            }
            if at_end {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// The frames of a zstd file: skippable ones skipped, checksums checked.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
    /// The file broke off inside of this frame; what was decoded of it is still handed out.
    cut: bool,
    /// This frame has a checksum behind its last block.
    checksum: bool,
    block: Vec<u8>,
}

/// What ends a frame that breaks off, so that the decoder gives up what it holds: an empty last block, and the place of
/// a checksum.
const END_OF_FRAME: [u8; 7] = [1, 0, 0, 0, 0, 0, 0];

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(u64::from(MEMORY_LIMIT));
        Zstd { source, decoder, in_frame: false, cut: false, checksum: false, block: Vec::new() }
    }

    /// Goes to the next frame that holds data; `false` at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while skip_padding(&mut self.source)? {
            let mut head = [0; 5];
            self.source.read_exact(&mut head)?;
            // The third bit of the frame header's descriptor (RFC 8878, section 3.1.1.1.1).
            self.checksum = head[4] & 4 != 0;
            match self.decoder.reset(head.chain(&mut self.source)) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(broken(error)),
            }
        }
        Ok(false)
    }

    /// The next block of the frame, whole: one that breaks off would leave the decoder with half of it.
    fn next_block(&mut self) -> io::Result<()> {
        self.block.clear();
        let header = self.source.by_ref().take(3).read_to_end(&mut self.block)?;
        let (length, last) = match *self.block {
            [a, b, c] => {
                let word = u32::from_le_bytes([a, b, c, 0]);
                // A block of one repeated byte has that byte alone, whatever its length says.
                (if word >> 1 & 3 == 1 { 1 } else { u64::from(word >> 3) }, word & 1 == 1)
            }
            _ => (0, false),
        };
        let body = self.source.by_ref().take(length).read_to_end(&mut self.block)?;
        if header < 3 || (body as u64) < length {
            self.cut = true;
            return self.decode(END_OF_FRAME.as_slice());
        }
        if last && self.checksum {
            let read = self.source.by_ref().take(4).read_to_end(&mut self.block)?;
            self.cut = read < 4;
            self.block.resize(self.block.len() + 4 - read, 0);
        }
        let block = std::mem::take(&mut self.block);
        self.decode(block.as_slice())?;
        self.block = block;
        Ok(())
    }

    fn decode(&mut self, source: impl Read) -> io::Result<()> {
        self.decoder.decode_blocks(source, BlockDecodingStrategy::UptoBlocks(1)).map(drop).map_err(broken)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.in_frame = false;
        if self.cut {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        match self.decoder.get_checksum_from_data() {
            stored @ Some(_) if stored != self.decoder.get_calculated_checksum() => {
                Err(invalid("the checksum of a zstd frame does not match"))
            }
            _ => Ok(()),
        }
    }
}

/// What the decoder's error means to a reader of files.
fn broken(error: FrameDecoderError) -> io::Error {
    match &error {
        FrameDecoderError::WindowSizeTooBig { .. }
        | FrameDecoderError::FailedToInitialize(FrameHeaderError::WindowTooBig { .. }) => return too_much(),
        _ => {}
    }
    // The cause stands somewhere at the end of a chain.
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(this) = cause {
        if let Some(io) = this.downcast_ref::<io::Error>()
            && (io.kind() == ErrorKind::UnexpectedEof || io.raw_os_error().is_some())
        {
            return io.raw_os_error().map_or_else(|| io.kind().into(), io::Error::from_raw_os_error);
        }
        cause = this.source();
    }
    invalid(error)
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            if self.in_frame && self.decoder.can_collect() > 0 {
                return self.decoder.read(out);
            }
            if self.in_frame && self.decoder.is_finished() {
                self.end_frame()?;
            }
            if !self.in_frame {
                if self.cut || !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            if !self.decoder.is_finished() {
                self.next_block()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // "firelane firelane\n", packed by gzip 1.12, xz 5.4.1 and zstd 1.5.4 (with its checksum).
    const PLAIN: &[u8] = b"firelane firelane\n";
    const GZIP: &[u8] =
        b"\x1F\x8B\x08\x00\x00\x00\x00\x00\x00\x03\x4B\xCB\x2C\x4A\xCD\x49\xCC\x4B\x55\x48\x83\x32\xB8\x00\x93\
        \x18\x2D\xC9\x12\x00\x00\x00";
    const XZ: &[u8] =
        b"\xFD\x37\x7A\x58\x5A\x00\x00\x04\xE6\xD6\xB4\x46\x02\x00\x21\x01\x16\x00\x00\x00\x74\x2F\xE5\xA3\xE0\
        \x00\x11\x00\x10\x5D\x00\x33\x1A\x4A\xAA\xE8\x01\xD7\x92\x5A\x59\xEC\xE4\x30\x22\x00\x00\x00\xFB\x3C\
        \x73\x61\x6E\x6E\x61\x20\x00\x01\x2C\x12\xCD\xAF\x0E\xEA\x1F\xB6\xF3\x7D\x01\x00\x00\x00\x00\x04\x59\
        \x5A";
    const ZSTD: &[u8] =
        b"\x28\xB5\x2F\xFD\x04\x58\x91\x00\x00\x66\x69\x72\x65\x6C\x61\x6E\x65\x20\x66\x69\x72\x65\x6C\x61\x6E\
        \x65\x0A\xBF\x8E\xD4\x4E";

    fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        decompress(io::Cursor::new(bytes.to_vec()))?.read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn each_packing_is_known_by_its_first_bytes() {
        for bytes in [PLAIN, GZIP, XZ, ZSTD] {
            assert_eq!(unpacked(bytes).unwrap(), PLAIN);
        }
        assert_eq!(unpacked(b"").unwrap(), b"");
        assert_eq!(unpacked(b"\x1F").unwrap(), b"\x1F");
    }

    #[test]
    fn members_after_one_another_are_one_stream() {
        for bytes in [GZIP, XZ, ZSTD] {
            assert_eq!(unpacked(&[bytes, bytes, bytes].concat()).unwrap(), PLAIN.repeat(3));
        }
    }

    /// What was decoded before a stream broke off.
    fn before_the_cut(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let error = decompress(io::Cursor::new(bytes.to_vec())).unwrap().read_to_end(&mut out).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
        out
    }

    #[test]
    fn what_breaks_off_is_read_as_far_as_it_goes() {
        for bytes in [GZIP, ZSTD] {
            // Of the last member the checksum alone is missing.
            let torn = [bytes, &bytes[..bytes.len() - 1]].concat();
            assert_eq!(before_the_cut(&torn), PLAIN.repeat(2));
        }
        let block = [&ZSTD[..6], &[0x91 - 1, 0, 0], &ZSTD[9..27], &[0x40, 0]].concat();
        assert_eq!(before_the_cut(&block), PLAIN, "a block is whole, and the next one is not");
        assert_eq!(before_the_cut(&[XZ, &XZ[..40]].concat()), PLAIN);
    }

    #[test]
    fn zeros_behind_the_end_are_padding() {
        for bytes in [GZIP, XZ, ZSTD] {
            for zeros in [4, 512, 70_000] {
                assert_eq!(unpacked(&[bytes, &vec![0; zeros]].concat()).unwrap(), PLAIN, "{zeros}");
            }
            assert_eq!(unpacked(&[bytes, &[0; 8], bytes].concat()).unwrap(), PLAIN.repeat(2));
        }
        assert_eq!(unpacked(&[GZIP, b"\0garbage"].concat()).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn what_asks_for_too_much_memory_says_so() {
        // A window of 3.75 GiB.
        let huge = [&ZSTD[..4], &[0x00, 0xAF, 1, 0, 0]].concat();
        assert_eq!(unpacked(&huge).unwrap_err().kind(), ErrorKind::OutOfMemory);
    }

    #[test]
    fn a_skippable_frame_of_zstd_is_skipped() {
        let skippable = b"\x5A\x2A\x4D\x18\x03\0\0\0abc";
        assert_eq!(unpacked(&[skippable, ZSTD, skippable, ZSTD].concat()).unwrap(), PLAIN.repeat(2));
        assert!(unpacked(&skippable[..10]).is_err());
    }

    #[test]
    fn a_packed_file_that_is_cut_or_damaged_is_an_error() {
        for bytes in [GZIP, XZ, ZSTD] {
            for cut in 8..bytes.len() {
                let error = unpacked(&bytes[..cut]).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "cut at {cut}: {error}");
            }
            let mut damaged = bytes.to_vec();
            let last_checked = damaged.len() - 1;
            damaged[last_checked] ^= 1;
            assert!(unpacked(&damaged).is_err());
        }
    }
}
