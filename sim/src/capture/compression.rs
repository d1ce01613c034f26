//! Compressed files, told by their first bytes: gzip, xz, zstd. Each may hold several members after one another, as
//! tools that compress in parallel or append write them; all are read as one stream.

use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use std::io::{self, BufRead, Read};

/// Most memory that a packed file may ask for: what `xz -9` needs eight times over, and `zstd --long=29`.
const MEMORY_LIMIT: u32 = 1 << 29;

/// The decompressed bytes of `packed`, or its bytes if it is not compressed.
///
/// # Errors
/// Those of `packed` while its first bytes are read.
pub fn decompress<R: BufRead + 'static>(mut packed: R) -> io::Result<Box<dyn Read>> {
    Ok(match packed.fill_buf()? {
        [0x1F, 0x8B, ..] => Box::new(MultiGzDecoder::new(packed)),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Box::new(XzReader::new_mem_limit(packed, true, MEMORY_LIMIT >> 10)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Box::new(Zstd::new(packed)),
        _ => Box::new(packed),
    })
}

/// The frames of a zstd file: skippable ones skipped, checksums checked.
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
    in_frame: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(u64::from(MEMORY_LIMIT));
        Zstd { source, decoder, in_frame: false }
    }

    /// Goes to the next frame that holds data; `false` at the end of the file.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut self.source.by_ref().take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        Ok(false)
    }

    fn end_frame(&mut self) -> io::Result<()> {
        self.in_frame = false;
        match self.decoder.get_checksum_from_data() {
            stored @ Some(_) if stored != self.decoder.get_calculated_checksum() => {
                Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum of a zstd frame does not match"))
            }
            _ => Ok(()),
        }
    }
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
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.in_frame = true;
            }
            if !self.decoder.is_finished() {
                self.decoder
                    .decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1))
                    .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
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
                assert!(unpacked(&bytes[..cut]).is_err(), "cut at {cut}");
            }
            let mut damaged = bytes.to_vec();
            let last_checked = damaged.len() - 1;
            damaged[last_checked] ^= 1;
            assert!(unpacked(&damaged).is_err());
        }
    }
}
