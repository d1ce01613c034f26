//! Writes datagrams as a pcap file that every capture tool opens.

use etherparse::PacketBuilder;
use std::io::{self, Write};
use std::net::SocketAddrV4;

/// Longest payload that a UDP datagram over IPv4 can have.
const LONGEST_PAYLOAD: usize = 65_507;

/// A pcap file with nanoseconds, of UDP over IPv4 over Ethernet.
pub struct PcapWriter<W> {
    out: W,
    frame: Vec<u8>,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file's header.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn new(mut out: W) -> io::Result<Self> {
        let mut header = Vec::with_capacity(24);
        header.extend_from_slice(&0xA1B2_3C4D_u32.to_le_bytes()); // nanoseconds, little-endian
        header.extend_from_slice(&[2, 0, 4, 0]); // version 2.4
        header.extend_from_slice(&[0; 8]); // UTC, accuracy not stated
        header.extend_from_slice(&262_144_u32.to_le_bytes()); // packets are whole up to this length
        header.extend_from_slice(&1_u32.to_le_bytes()); // Ethernet
        out.write_all(&header)?;
        Ok(PcapWriter { out, frame: Vec::new() })
    }

    /// Writes one datagram, captured at `time_ns` (ns since 1970-01-01T00:00Z, before 2106).
    ///
    /// # Errors
    /// Those of `out`, and [`io::ErrorKind::InvalidInput`] for a payload or a time that does not fit.
    pub fn write_udp(
        &mut self,
        time_ns: u64,
        source: SocketAddrV4,
        destination: SocketAddrV4,
        payload: &[u8],
    ) -> io::Result<()> {
        let invalid = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
        if payload.len() > LONGEST_PAYLOAD {
            return Err(invalid("a UDP payload has at most 65,507 bytes"));
        }
        let seconds = u32::try_from(time_ns / 1_000_000_000).map_err(|_| invalid("pcap holds times before 2106"))?;
        let [_, b, c, d] = destination.ip().octets();
        let group = [0x01, 0x00, 0x5E, b & 0x7F, c, d];
        let builder = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], group)
            .ipv4(source.ip().octets(), destination.ip().octets(), 16)
            .udp(source.port(), destination.port());
        self.frame.clear();
        builder.write(&mut self.frame, payload).map_err(io::Error::other)?;
        let length = u32::try_from(self.frame.len()).map_err(|_| invalid("too long"))?.to_le_bytes();
        let nanos = (time_ns % 1_000_000_000).to_le_bytes();
        self.out.write_all(&seconds.to_le_bytes())?;
        self.out.write_all(nanos.first_chunk::<4>().unwrap_or(&[0; 4]))?;
        self.out.write_all(&length)?;
        self.out.write_all(&length)?;
        self.out.write_all(&self.frame)
    }

    /// The output, written but not flushed.
    pub fn into_inner(self) -> W {
        self.out
    }
}
