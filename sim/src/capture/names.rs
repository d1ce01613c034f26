//! What a file is that is none of those that are read here, by its first bytes: so that it can be named.

/// First bytes, what begins with them, and what to do about it.
const KNOWN: [(&[u8], &str, &str); 24] = [
    (b"\x04\x22\x4D\x18", "packed with lz4", "unpack it with lz4 -d"),
    (b"\x02\x21\x4C\x18", "packed with lz4 (an old form)", "unpack it with lz4 -d"),
    (b"PK\x03\x04", "a zip archive", "unpack it with unzip"),
    (b"PK\x05\x06", "an empty zip archive", "fetch it again"),
    (b"PK\x07\x08", "a zip archive in parts", "unpack it with unzip"),
    (b"\x5D\x00\x00", "packed with lzma (the old form of xz)", "unpack it with xz -d --format=lzma"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", "unpack it with 7z x"),
    (b"Rar!\x1A\x07", "a rar archive", "unpack it with unrar"),
    (b"LZIP", "packed with lzip", "unpack it with lzip -d"),
    (b"\x89LZO\x00\x0D\x0A\x1A\x0A", "packed with lzop", "unpack it with lzop -d"),
    (b"LRZI", "packed with lrzip", "unpack it with lrzip -d"),
    (b"\x1F\x9D", "packed with compress", "unpack it with gzip -d"),
    (b"\x1F\xA0", "packed with compress (an old form)", "unpack it with gzip -d"),
    (b"\x1F\x1E", "packed with pack", "unpack it with gzip -d"),
    (b"\xFF\x06\x00\x00sNaPpY", "packed with snappy", "unpack it with snzip -d"),
    (b"MSCF", "a cabinet archive", "unpack it with cabextract"),
    (b"snoop\x00\x00\x00", "a snoop capture", "convert it with editcap -F pcap"),
    (b"XCP\x00", "a NetXRay capture", "convert it with editcap -F pcap"),
    (b"RTSS", "a Network Monitor capture", "convert it with editcap -F pcap"),
    (b"GMBU", "a Network Monitor capture", "convert it with editcap -F pcap"),
    (b"PAR1", "a Parquet file", "what is read are BinaryFILE, pcap and pcapng"),
    (b"\x89HDF\x0D\x0A\x1A\x0A", "an HDF5 file", "what is read are BinaryFILE, pcap and pcapng"),
    (b"\x7FELF", "a program", "what is read are BinaryFILE, pcap and pcapng"),
    (b"%PDF-", "a PDF document", "what is read are BinaryFILE, pcap and pcapng"),
];

/// What the bytes are, if they are known to be something else, and what to do about it.
pub(super) fn stranger(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    // Nine levels, and then the block or the end of a stream without one.
    if let [b'B', b'Z', b'h', b'1'..=b'9', rest @ ..] = bytes
        && (rest.starts_with(b"1AY&SY") || rest.starts_with(b"\x17\x72\x45\x38\x50\x90") || rest.len() < 6)
    {
        return Some(("packed with bzip2", "unpack it with bzip2 -d"));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Some(("a tar archive", "unpack it with tar -x"));
    }
    KNOWN.iter().find(|(magic, ..)| bytes.starts_with(magic)).map(|(_, what, advice)| (*what, *advice))
}

/// What bytes look like that hold nothing that is read here.
#[must_use]
pub fn looks_like(bytes: &[u8]) -> &'static str {
    let first = bytes.get(..512).unwrap_or(bytes);
    let begins = |with: &[u8]| {
        let text = first.trim_ascii_start();
        text.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with))
    };
    let is_text = |b: &u8| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7E | 0x80..);
    if first.is_empty() {
        "empty"
    } else if begins(b"<!doctype html") || begins(b"<html") {
        "a web page: a download that went wrong?"
    } else if first.iter().all(|b| *b == 0) {
        "nothing but zeros: a download or copy that broke off?"
    } else if first.iter().all(is_text) && std::str::from_utf8(first).map_or_else(|e| e.error_len().is_none(), |_| true)
    {
        "text"
    } else {
        "nothing that is known here"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_named() {
        for (bytes, named) in [
            (&b"BZh91AY&SY..."[..], "bzip2"),
            (b"BZh9\x17\x72\x45\x38\x50\x90", "bzip2"),
            (b"\x04\x22\x4D\x18d@", "lz4"),
            (b"PK\x03\x04\x14", "zip"),
            (b"\x5D\x00\x00\x80\x00\xFF\xFF", "lzma"),
            (b"7z\xBC\xAF\x27\x1C", "7z"),
            (b"\x1F\x9D\x90", "compress"),
        ] {
            assert!(stranger(bytes).is_some_and(|(what, _)| what.contains(named)), "{named}");
        }
        let mut tar = vec![0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert!(stranger(&tar).is_some_and(|(what, _)| what.contains("tar")));
        // A BinaryFILE begins with a length, and no message is that long.
        for first in [&b"\x00\x0CS"[..], b"\x00\x27R", b"", b"BZhat", b"\x00"] {
            assert_eq!(stranger(first), None);
        }
    }

    #[test]
    fn what_it_looks_like_is_said() {
        assert_eq!(looks_like(b""), "empty");
        assert!(looks_like(b"\n<!DOCTYPE HTML>").contains("web page"));
        assert_eq!(looks_like("# Firelane \u{e9}t".as_bytes()), "text");
        assert!(looks_like(&[0; 40]).contains("zeros"));
        assert!(looks_like(&[1, 2, 3]).contains("nothing"));
    }
}
