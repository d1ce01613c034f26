//! Packet captures: the datagrams of a pcap or pcapng file.
//!
//! Records are parsed by `pcap-parser`, headers by `etherparse`. A payload ends where the IP and UDP headers say, not
//! where the frame does: captures carry padding, checksums and trailers of taps behind it. What is not a whole UDP
//! datagram is counted in [`Skipped`] and passed over.

use super::{CaptureError, Format};
use etherparse::{LaxNetSlice, LaxSlicedPacket, TransportSlice, ether_type};
use pcap_parser::nom::Err as Parse;
use pcap_parser::nom::Needed;
use pcap_parser::traits::PcapNGPacketBlock;
use pcap_parser::{
    Block, Linktype, OptionCode, PcapError, parse_block_be, parse_block_le, parse_pcap_frame, parse_pcap_frame_be,
    parse_pcap_frame_modified, parse_pcap_header,
};
use std::io::Read;
use std::net::{IpAddr, SocketAddr};

/// Longest record taken for one: far above the 262,144 bytes to which capture tools cut a packet.
const LONGEST_RECORD: usize = 1 << 24;

const NS_PER_S: u64 = 1_000_000_000;

/// One datagram (or TCP segment).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Datagram<'a> {
    /// When it was captured, in ns since 1970-01-01T00:00Z; 0 if the file does not say.
    pub time_ns: u64,
    /// Who sent it.
    pub source: SocketAddr,
    /// To whom; for market data a multicast group.
    pub destination: SocketAddr,
    /// What is behind the UDP (or TCP) header.
    pub payload: &'a [u8],
    /// The capture holds fewer bytes of it than were sent: the payload is a beginning.
    pub cut: bool,
}

/// Packets that were passed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Skipped {
    /// Fragments of IP packets, which are not put together.
    pub fragments: u64,
    /// TCP, while datagrams are asked for; UDP, while segments are.
    pub other_transport: u64,
    /// Neither TCP nor UDP: ARP, ICMP, unknown link layers of a pcapng interface and so on.
    pub other: u64,
    /// Headers that contradict the packet.
    pub malformed: u64,
}

/// What a packet's first byte belongs to, and how its time is counted.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: Linktype,
    ticks_per_s: u64,
    offset_s: i64,
}

impl Interface {
    fn time_ns(self, ticks: u64) -> u64 {
        let ns = u128::from(ticks) * u128::from(NS_PER_S) / u128::from(self.ticks_per_s);
        let shifted = i128::try_from(ns).unwrap_or(i128::MAX).saturating_add(i128::from(self.offset_s) * 1_000_000_000);
        u64::try_from(shifted.max(0)).unwrap_or(u64::MAX)
    }
}

/// Which records follow.
#[derive(Clone, Debug)]
enum Kind {
    Pcap { parse: PcapFrame, interface: Interface },
    PcapNg { big_endian: bool, interfaces: Vec<Interface> },
}

type PcapFrame =
    for<'a> fn(&'a [u8]) -> pcap_parser::nom::IResult<&'a [u8], pcap_parser::LegacyPcapBlock<'a>, PcapError<&'a [u8]>>;

/// Reads the datagrams of a decompressed stream, in bounded memory.
pub struct Reader<R> {
    window: Window<R>,
    kind: Kind,
    /// The packet last read, and which interface it came by.
    packet: Vec<u8>,
    skipped: Skipped,
    ended: bool,
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// [`CaptureError::Damaged`] if it is none, [`CaptureError::UnsupportedLink`], [`CaptureError::Read`].
    pub fn new(stream: R) -> Result<Self, CaptureError> {
        Self::with_buffer(stream, 1 << 17)
    }

    /// As [`new`](Self::new), with a buffer of so many bytes, which grows to the longest record.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_buffer(stream: R, bytes: usize) -> Result<Self, CaptureError> {
        let mut window = Window { stream, bytes: vec![0; bytes.max(64)], start: 0, end: 0, offset: 0, at_end: false };
        while window.data().len() < 24 && window.read_more()? {}
        let kind = match Format::of(window.data()) {
            Format::PcapNg => Kind::PcapNg { big_endian: false, interfaces: Vec::new() },
            Format::Pcap | Format::BinaryFile => {
                let Ok((_, header)) = parse_pcap_header(window.data()) else {
                    return Err(window.damaged("neither a pcap nor a pcapng header"));
                };
                let link = header.network;
                if !is_supported(link) {
                    return Err(CaptureError::UnsupportedLink(link.0.cast_unsigned()));
                }
                let parse: PcapFrame = if header.is_modified_format() {
                    parse_pcap_frame_modified
                } else if header.is_bigendian() {
                    parse_pcap_frame_be
                } else {
                    parse_pcap_frame
                };
                let ticks_per_s = if header.is_nanosecond_precision() { NS_PER_S } else { 1_000_000 };
                window.consume(header.size());
                Kind::Pcap { parse, interface: Interface { link, ticks_per_s, offset_s: 0 } }
            }
        };
        Ok(Reader { window, kind, packet: Vec::new(), skipped: Skipped::default(), ended: false })
    }

    /// Packets passed over so far.
    pub fn skipped(&self) -> Skipped {
        self.skipped
    }

    /// The next UDP datagram, or `None` at the end.
    ///
    /// # Errors
    /// [`CaptureError`]; after one there is nothing more, because without the length of one record the next is not found.
    pub fn next_datagram(&mut self) -> Result<Option<Datagram<'_>>, CaptureError> {
        self.next_of(Transport::Udp)
    }

    /// The next TCP segment that carries bytes, in the order of the capture: neither reordered nor freed of
    /// retransmissions.
    ///
    /// # Errors
    /// As [`next_datagram`](Self::next_datagram).
    pub fn next_segment(&mut self) -> Result<Option<Datagram<'_>>, CaptureError> {
        self.next_of(Transport::Tcp)
    }

    fn next_of(&mut self, wanted: Transport) -> Result<Option<Datagram<'_>>, CaptureError> {
        while !self.ended {
            self.ended = true;
            let Some((time_ns, link)) = self.next_packet()? else { break };
            self.ended = false;
            // What is found is remembered as a range: a borrow of the buffer could not outlive the turn of the loop.
            match unwrap(link, &self.packet, wanted) {
                Ok(found) => {
                    let payload = self.packet.get(found.payload).unwrap_or_default();
                    let Found { source, destination, cut, .. } = found;
                    return Ok(Some(Datagram { time_ns, source, destination, payload, cut }));
                }
                Err(Why::Fragment) => self.skipped.fragments += 1,
                Err(Why::OtherTransport) => self.skipped.other_transport += 1,
                Err(Why::Other) => self.skipped.other += 1,
                Err(Why::Malformed) => self.skipped.malformed += 1,
                Err(Why::NoBytes) => {}
            }
        }
        Ok(None)
    }

    /// Copies the next packet into `self.packet`; its time and link layer.
    fn next_packet(&mut self) -> Result<Option<(u64, Linktype)>, CaptureError> {
        loop {
            let data = self.window.data();
            if data.is_empty() && !self.window.read_more()? {
                return Ok(None);
            }
            let step = match &mut self.kind {
                Kind::Pcap { parse, interface } => pcap_step(*parse, *interface, self.window.data(), &mut self.packet),
                Kind::PcapNg { big_endian, interfaces } => {
                    pcapng_step(big_endian, interfaces, self.window.data(), &mut self.packet)
                }
            };
            match step {
                Step::Packet { length, time_ns, link } => {
                    self.window.consume(length);
                    return Ok(Some((time_ns, link)));
                }
                Step::Orphan { length } => {
                    self.skipped.malformed += 1;
                    self.window.consume(length);
                }
                Step::Other { length } => self.window.consume(length),
                Step::Incomplete { more } => {
                    if self.window.data().len().saturating_add(more) > LONGEST_RECORD {
                        return Err(self.window.damaged("it claims to be longer than 16 MiB"));
                    }
                    if !self.window.read_more()? {
                        return Err(CaptureError::Truncated { offset: self.window.offset });
                    }
                }
                Step::Damaged => return Err(self.window.damaged("its type or lengths are wrong")),
            }
        }
    }
}

/// What stands at the beginning of the window.
enum Step {
    /// A packet, now copied out.
    Packet { length: usize, time_ns: u64, link: Linktype },
    /// A packet of an interface that was not described.
    Orphan { length: usize },
    /// Another record.
    Other { length: usize },
    /// A record of which at least `more` bytes are missing.
    Incomplete { more: usize },
    /// No record.
    Damaged,
}

impl Step {
    fn without(error: &Parse<PcapError<&[u8]>>) -> Step {
        match error {
            Parse::Incomplete(Needed::Size(more)) => Step::Incomplete { more: more.get() },
            Parse::Incomplete(Needed::Unknown) => Step::Incomplete { more: 1 },
            Parse::Error(_) | Parse::Failure(_) => Step::Damaged,
        }
    }
}

fn pcap_step(parse: PcapFrame, interface: Interface, data: &[u8], packet: &mut Vec<u8>) -> Step {
    match parse(data) {
        Ok((rest, frame)) => {
            packet.clear();
            packet.extend_from_slice(frame.data);
            let ticks =
                u64::from(frame.ts_sec).saturating_mul(interface.ticks_per_s).saturating_add(u64::from(frame.ts_usec));
            Step::Packet { length: data.len() - rest.len(), time_ns: interface.time_ns(ticks), link: interface.link }
        }
        Err(error) => Step::without(&error),
    }
}

fn pcapng_step(big_endian: &mut bool, interfaces: &mut Vec<Interface>, data: &[u8], packet: &mut Vec<u8>) -> Step {
    let parsed = if *big_endian { parse_block_be(data) } else { parse_block_le(data) };
    let (rest, block) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Step::without(&error),
    };
    let length = data.len() - rest.len();
    if length == 0 {
        return Step::Damaged;
    }
    let (ticks, interface, bytes) = match &block {
        Block::SectionHeader(header) => {
            *big_endian = header.big_endian();
            interfaces.clear();
            return Step::Other { length };
        }
        Block::InterfaceDescription(description) => {
            interfaces.push(described(description, *big_endian));
            return Step::Other { length };
        }
        Block::EnhancedPacket(block) => {
            let ticks = u64::from(block.ts_high) << 32 | u64::from(block.ts_low);
            (Some(ticks), interfaces.get(block.if_id as usize), block.packet_data())
        }
        // Always of the first interface, and without a time.
        Block::SimplePacket(block) => (None, interfaces.first(), block.packet_data()),
        _ => return Step::Other { length },
    };
    let Some(interface) = interface else { return Step::Orphan { length } };
    packet.clear();
    packet.extend_from_slice(bytes);
    Step::Packet { length, time_ns: ticks.map_or(0, |ticks| interface.time_ns(ticks)), link: interface.link }
}

/// An interface by its description. The clock's options are read here and not by the parser, which takes no powers of
/// two for a resolution and reads the offset in little-endian order whatever the file's is (`pcap-parser` 0.17).
fn described(description: &pcap_parser::InterfaceDescriptionBlock<'_>, big_endian: bool) -> Interface {
    let mut interface = Interface { link: description.linktype, ticks_per_s: 1_000_000, offset_s: 0 };
    for option in &description.options {
        match (option.code, option.value()) {
            (OptionCode::IfTsresol, [exponent, ..]) => {
                let power = u32::from(exponent & 0x7F);
                let base: u64 = if exponent & 0x80 == 0 { 10 } else { 2 };
                // A resolution beyond 64 bits is no clock's: times then count as 0.
                interface.ticks_per_s = base.checked_pow(power).unwrap_or(u64::MAX);
            }
            (OptionCode::IfTsoffset, value) => {
                if let Some((seconds, _)) = value.split_first_chunk::<8>() {
                    let read = if big_endian { i64::from_be_bytes } else { i64::from_le_bytes };
                    interface.offset_s = read(*seconds);
                }
            }
            _ => {}
        }
    }
    interface
}

/// The part of the stream that is in memory.
struct Window<R> {
    stream: R,
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where `start` stands in the stream.
    offset: u64,
    at_end: bool,
}

impl<R: Read> Window<R> {
    fn data(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    fn consume(&mut self, length: usize) {
        self.start = self.start.saturating_add(length).min(self.end);
        self.offset += length as u64;
    }

    /// Reads on; `false` at the end of the stream. Memory grows with what is there, not with what a length claims.
    fn read_more(&mut self) -> Result<bool, CaptureError> {
        if self.at_end {
            return Ok(false);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.bytes.len() {
            self.bytes.resize(self.bytes.len() * 2, 0);
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.stream.read(room) {
                Ok(0) => {
                    self.at_end = true;
                    return Ok(false);
                }
                Ok(n) => {
                    self.end = self.end.saturating_add(n).min(self.bytes.len());
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(CaptureError::Read { offset: self.offset + (self.end - self.start) as u64, source });
                }
            }
        }
    }

    fn damaged(&self, reason: &'static str) -> CaptureError {
        CaptureError::Damaged { offset: self.offset, reason }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Transport {
    Udp,
    Tcp,
}

/// Why a packet is passed over.
enum Why {
    Fragment,
    OtherTransport,
    Other,
    Malformed,
    /// A TCP segment that only acknowledges.
    NoBytes,
}

struct Found {
    source: SocketAddr,
    destination: SocketAddr,
    payload: std::ops::Range<usize>,
    cut: bool,
}

/// Older numbers of raw IP, as some systems still write them.
const RAW_OLD: [Linktype; 2] = [Linktype(12), Linktype(14)];

fn is_supported(link: Linktype) -> bool {
    RAW_OLD.contains(&link)
        || matches!(
            link,
            Linktype::ETHERNET
                | Linktype::RAW
                | Linktype::IPV4
                | Linktype::IPV6
                | Linktype::LINUX_SLL
                | Linktype::LINUX_SLL2
                | Linktype::NULL
                | Linktype::LOOP
        )
}

/// Takes the headers off a packet.
fn unwrap(link: Linktype, packet: &[u8], wanted: Transport) -> Result<Found, Why> {
    if !is_supported(link) {
        return Err(Why::Other);
    }
    let sliced = match link {
        Linktype::ETHERNET => LaxSlicedPacket::from_ethernet(packet).map_err(|_| Why::Malformed)?,
        Linktype::LINUX_SLL => from_cooked(packet.get(14..))?,
        Linktype::LINUX_SLL2 => {
            let rest = packet.get(20..).ok_or(Why::Malformed)?;
            from_ether_type(packet, rest)?
        }
        // Four bytes name the family; the version of the IP header says the same.
        Linktype::NULL | Linktype::LOOP => from_ip(packet.get(4..).ok_or(Why::Malformed)?)?,
        _ => from_ip(packet)?,
    };
    let (source, destination) = match &sliced.net {
        Some(LaxNetSlice::Ipv4(ip)) => {
            (IpAddr::V4(ip.header().source_addr()), IpAddr::V4(ip.header().destination_addr()))
        }
        Some(LaxNetSlice::Ipv6(ip)) => {
            (IpAddr::V6(ip.header().source_addr()), IpAddr::V6(ip.header().destination_addr()))
        }
        _ => return Err(if sliced.stop_err.is_some() { Why::Malformed } else { Why::Other }),
    };
    let ip_payload = sliced.ip_payload().ok_or(Why::Malformed)?;
    if ip_payload.fragmented {
        return Err(Why::Fragment);
    }
    let (payload, from, to, is) = match &sliced.transport {
        Some(TransportSlice::Udp(udp)) => (udp.payload(), udp.source_port(), udp.destination_port(), Transport::Udp),
        Some(TransportSlice::Tcp(tcp)) => (tcp.payload(), tcp.source_port(), tcp.destination_port(), Transport::Tcp),
        _ => return Err(if sliced.stop_err.is_some() { Why::Malformed } else { Why::Other }),
    };
    if is != wanted {
        return Err(Why::OtherTransport);
    }
    if is == Transport::Tcp && payload.is_empty() {
        return Err(Why::NoBytes);
    }
    // A part of `packet`: the distance of their beginnings is its place.
    let start = (payload.as_ptr() as usize).saturating_sub(packet.as_ptr() as usize);
    Ok(Found {
        source: SocketAddr::new(source, from),
        destination: SocketAddr::new(destination, to),
        payload: start..start.saturating_add(payload.len()),
        cut: ip_payload.incomplete,
    })
}

fn from_ip(packet: &[u8]) -> Result<LaxSlicedPacket<'_>, Why> {
    LaxSlicedPacket::from_ip(packet).map_err(|_| Why::Malformed)
}

/// Linux cooked capture: its header ends with the protocol.
fn from_cooked(protocol: Option<&[u8]>) -> Result<LaxSlicedPacket<'_>, Why> {
    let protocol = protocol.ok_or(Why::Malformed)?;
    from_ether_type(protocol, protocol.get(2..).ok_or(Why::Malformed)?)
}

/// `protocol` begins with a number of Ethernet's, which says what `rest` is.
fn from_ether_type<'a>(protocol: &[u8], rest: &'a [u8]) -> Result<LaxSlicedPacket<'a>, Why> {
    let (number, _) = protocol.split_first_chunk::<2>().ok_or(Why::Malformed)?;
    let number = etherparse::EtherType(u16::from_be_bytes(*number));
    match number {
        ether_type::IPV4 | ether_type::IPV6 | ether_type::VLAN_TAGGED_FRAME | ether_type::PROVIDER_BRIDGING => {
            Ok(LaxSlicedPacket::from_ether_type(number, rest))
        }
        _ => Err(Why::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::PcapWriter;
    use etherparse::{PacketBuilder, VlanId};

    const PAYLOAD: &[u8] = b"000010059B payload";

    type Seen = (u64, SocketAddr, SocketAddr, Vec<u8>, bool);

    /// Everything a file yields: its datagrams, the error at its end, what was skipped.
    fn read(bytes: &[u8]) -> (Vec<Seen>, Option<CaptureError>, Skipped) {
        let mut reader = match Reader::with_buffer(bytes, 64) {
            Ok(reader) => reader,
            Err(error) => return (Vec::new(), Some(error), Skipped::default()),
        };
        let mut seen = Vec::new();
        loop {
            match reader.next_datagram() {
                Ok(Some(d)) => seen.push((d.time_ns, d.source, d.destination, d.payload.to_vec(), d.cut)),
                Ok(None) => return (seen, None, reader.skipped()),
                Err(error) => {
                    assert!(matches!(reader.next_datagram(), Ok(None)), "the error comes once");
                    return (seen, Some(error), reader.skipped());
                }
            }
        }
    }

    fn udp_v4() -> Vec<u8> {
        let mut ip = Vec::new();
        PacketBuilder::ipv4([206, 200, 127, 138], [233, 54, 12, 111], 16)
            .udp(49653, 26477)
            .write(&mut ip, PAYLOAD)
            .unwrap();
        ip
    }

    fn udp_v6() -> Vec<u8> {
        let mut ip = Vec::new();
        PacketBuilder::ipv6([1; 16], [0xFF; 16], 16).udp(1, 2).write(&mut ip, PAYLOAD).unwrap();
        ip
    }

    fn ethernet(ether_type: u16, rest: &[u8]) -> Vec<u8> {
        [&[0; 12], &ether_type.to_be_bytes()[..], rest].concat()
    }

    /// A little-endian pcap in microseconds.
    fn pcap(link: u32, packets: &[&[u8]]) -> Vec<u8> {
        let mut file = [0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 65_535, link].map(u32::to_le_bytes).concat();
        for packet in packets {
            let length = packet.len() as u32;
            file.extend([1_700_000_000, 123_456, length, length].map(u32::to_le_bytes).concat());
            file.extend_from_slice(packet);
        }
        file
    }

    fn payloads(file: &[u8]) -> Vec<Vec<u8>> {
        let (seen, error, skipped) = read(file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(skipped, Skipped::default());
        seen.into_iter().map(|d| d.3).collect()
    }

    #[test]
    fn what_the_writer_wrote_is_read() {
        let (from, to) = ("10.1.2.3:4".parse().unwrap(), "233.200.12.111:26477".parse().unwrap());
        let mut writer = PcapWriter::new(Vec::new()).unwrap();
        let times = [0, 1_700_000_000_123_456_789, 4_294_967_295_999_999_999];
        for time in times {
            writer.write_udp(time, from, to, PAYLOAD).unwrap();
        }
        assert!(writer.write_udp(4_294_967_296_000_000_000, from, to, PAYLOAD).is_err());
        assert!(writer.write_udp(0, from, to, &[0; 65_508]).is_err());
        writer.write_udp(0, from, to, &[7; 65_507]).unwrap();
        let file = writer.into_inner();
        let (seen, error, skipped) = read(&file);
        assert!(error.is_none() && skipped == Skipped::default());
        for (d, time) in seen.iter().zip(times) {
            assert_eq!(*d, (time, from.into(), to.into(), PAYLOAD.to_vec(), false));
        }
        assert_eq!(seen[3].3, [7; 65_507]);
    }

    #[test]
    fn every_supported_link_layer_leads_to_the_payload() {
        let (v4, v6) = (udp_v4(), udp_v6());
        let tag = [&[0, 5, 8, 0], &v4[..]].concat();
        let tags = [&[0, 5, 0x81, 0], &tag[..]].concat();
        let cooked = [&[0; 14][..], &[8, 0], &v4].concat();
        let cooked2 = [&[0x86, 0xDD][..], &[0; 18], &v6].concat();
        let loopback = [&[2, 0, 0, 0], &v4[..]].concat();
        let cases: [(u32, Vec<u8>); 14] = [
            (1, ethernet(0x0800, &v4)),
            (1, ethernet(0x86DD, &v6)),
            (1, ethernet(0x8100, &tag)),
            (1, ethernet(0x8100, &tags)),
            (1, ethernet(0x88A8, &tags)),
            (101, v4.clone()),
            (101, v6.clone()),
            (12, v4.clone()),
            (228, v4.clone()),
            (229, v6.clone()),
            (113, cooked),
            (276, cooked2),
            (0, loopback.clone()),
            (108, loopback),
        ];
        for (link, packet) in cases {
            assert_eq!(payloads(&pcap(link, &[&packet])), [PAYLOAD], "link {link}");
        }
    }

    #[test]
    fn a_vlan_tag_written_by_another_hand_is_read() {
        let mut frame = Vec::new();
        PacketBuilder::ethernet2([0; 6], [1; 6])
            .single_vlan(VlanId::try_new(141).unwrap())
            .ipv4([1; 4], [2; 4], 3)
            .udp(4, 5)
            .write(&mut frame, PAYLOAD)
            .unwrap();
        assert_eq!(payloads(&pcap(1, &[&frame])), [PAYLOAD]);
    }

    #[test]
    fn an_unknown_link_layer_is_named() {
        let (_, error, _) = read(&pcap(147, &[&udp_v4()]));
        assert!(matches!(error, Some(CaptureError::UnsupportedLink(147))));
    }

    #[test]
    fn trailers_of_taps_are_not_payload() {
        for ip in [udp_v4(), udp_v6()] {
            let frame = [&ip[..], b"trailer of a tap, 20"].concat();
            assert_eq!(payloads(&pcap(101, &[&frame])), [PAYLOAD]);
        }
        // The shorter of the IP and the UDP length holds.
        let mut ip = udp_v4();
        ip[24..26].copy_from_slice(&18_u16.to_be_bytes());
        assert_eq!(payloads(&pcap(101, &[&ip])), [&PAYLOAD[..10]]);
        ip[24..26].copy_from_slice(&60_000_u16.to_be_bytes());
        assert_eq!(payloads(&pcap(101, &[&ip])), [PAYLOAD]);
    }

    #[test]
    fn checksums_and_addresses_of_zero_do_not_matter() {
        let mut ip = udp_v4();
        ip[10..20].fill(0);
        ip[26..28].fill(0);
        assert_eq!(payloads(&pcap(101, &[&ip])), [PAYLOAD]);
    }

    #[test]
    fn a_packet_cut_by_the_capture_says_so() {
        let ip = udp_v4();
        let (seen, error, _) = read(&pcap(101, &[&ip[..ip.len() - 8]]));
        assert!(error.is_none());
        assert_eq!((&seen[0].3[..], seen[0].4), (&PAYLOAD[..10], true));
    }

    #[test]
    fn what_is_no_datagram_is_counted_and_skipped() {
        let whole = udp_v4();
        let mut fragment = whole.clone();
        fragment[6] = 0x20; // more fragments
        let mut last_fragment = whole.clone();
        last_fragment[7] = 0x10; // an offset
        let mut tcp = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 3).tcp(1, 2, 3, 4).write(&mut tcp, PAYLOAD).unwrap();
        let mut icmp = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 3).icmpv4_echo_request(1, 2).write(&mut icmp, PAYLOAD).unwrap();
        let file = pcap(101, &[&fragment, &tcp, &last_fragment, &icmp, &whole, &whole[..7], &[], &whole[..24]]);
        let (seen, error, skipped) = read(&file);
        assert!(error.is_none());
        assert_eq!(seen.len(), 1);
        assert_eq!(skipped, Skipped { fragments: 2, other_transport: 1, other: 1, malformed: 3 });

        let arp = ethernet(0x0806, &[0; 28]);
        assert_eq!(read(&pcap(1, &[&arp, &ethernet(0x9999, &[])])).2.other, 2);
    }

    #[test]
    fn segments_are_read_in_the_place_of_datagrams() {
        let mut tcp = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 3).tcp(10, 20, 3, 4).write(&mut tcp, PAYLOAD).unwrap();
        let mut ack = Vec::new();
        PacketBuilder::ipv4([1; 4], [2; 4], 3).tcp(10, 20, 3, 4).write(&mut ack, &[]).unwrap();
        let file = pcap(101, &[&ack, &udp_v4(), &tcp]);
        let mut reader = Reader::new(&file[..]).unwrap();
        let segment = reader.next_segment().unwrap().unwrap();
        assert_eq!((segment.payload, segment.source.port(), segment.destination.port()), (PAYLOAD, 10, 20));
        assert!(reader.next_segment().unwrap().is_none());
        assert_eq!(reader.skipped(), Skipped { other_transport: 1, ..Skipped::default() });
    }

    #[test]
    fn both_byte_orders_and_both_clocks_of_pcap() {
        let ip = udp_v4();
        for (magic, fraction) in [(0xA1B2_C3D4_u32, 123_456_u32), (0xA1B2_3C4D, 123_456_000)] {
            let header = [65_535, 101];
            let record = [1_700_000_000, fraction, ip.len() as u32, ip.len() as u32];
            for order in [u32::to_le_bytes, u32::to_be_bytes] {
                let version = if order(1)[0] == 1 { [2, 0, 4, 0] } else { [0, 2, 0, 4] };
                let mut file = [&order(magic)[..], &version, &[0; 8]].concat();
                file.extend(header.map(order).concat());
                file.extend(record.map(order).concat());
                file.extend_from_slice(&ip);
                let (seen, error, _) = read(&file);
                assert!(error.is_none(), "{error:?}");
                assert_eq!((seen[0].0, &seen[0].3[..]), (1_700_000_000_123_456_000, PAYLOAD));
            }
        }
    }

    #[test]
    fn a_pcap_cut_anywhere_gives_what_is_whole_and_one_error() {
        let ip = udp_v4();
        let file = pcap(101, &[&ip, &ip]);
        let record = 16 + ip.len();
        for cut in 0..file.len() {
            let (seen, error, _) = read(&file[..cut]);
            let sound = cut.saturating_sub(24) / record;
            assert_eq!(seen.len(), sound);
            match error {
                None => assert_eq!(cut, 24 + sound * record),
                Some(CaptureError::Damaged { offset, .. }) => assert_eq!((offset, cut < 24), (0, true)),
                Some(CaptureError::Truncated { offset }) => assert_eq!(offset, (24 + sound * record) as u64),
                Some(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_length_beyond_reason_is_damage_at_its_place() {
        let ip = udp_v4();
        let mut file = pcap(101, &[&ip, &ip]);
        let second = 24 + 16 + ip.len();
        file[second + 8..second + 12].fill(0xFF);
        let (seen, error, _) = read(&file);
        assert_eq!(seen.len(), 1);
        assert!(matches!(error, Some(CaptureError::Damaged { offset, .. }) if offset == second as u64));
    }

    /// Builds pcapng blocks in either byte order.
    struct Ng {
        order: fn(u32) -> [u8; 4],
        file: Vec<u8>,
    }

    impl Ng {
        fn new(order: fn(u32) -> [u8; 4]) -> Self {
            let mut ng = Ng { order, file: Vec::new() };
            ng.section();
            ng
        }

        fn section(&mut self) {
            let version = if (self.order)(1)[0] == 1 { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
            let body = [&(self.order)(0x1A2B_3C4D)[..], &version, &[0xFF; 8]].concat();
            self.block(0x0A0D_0D0A, &body);
        }

        fn block(&mut self, block_type: u32, body: &[u8]) {
            let padding = body.len().next_multiple_of(4) - body.len();
            let length = (self.order)((12 + body.len() + padding) as u32);
            self.file.extend([&(self.order)(block_type)[..], &length, body, &[0; 3][..padding], &length].concat());
        }

        fn short(&self, value: u16) -> [u8; 2] {
            if (self.order)(1)[0] == 1 { value.to_le_bytes() } else { value.to_be_bytes() }
        }

        fn interface(&mut self, link: u16, options: &[(u16, &[u8])]) {
            let mut body = [&self.short(link)[..], &[0; 6]].concat();
            for (code, value) in options {
                body.extend([self.short(*code), self.short(value.len() as u16)].concat());
                body.extend_from_slice(value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            if !options.is_empty() {
                body.extend([0; 4]);
            }
            self.block(1, &body);
        }

        fn packet(&mut self, interface: u32, ticks: u64, packet: &[u8]) {
            let length = packet.len() as u32;
            let words = [interface, (ticks >> 32) as u32, ticks as u32, length, length].map(self.order);
            self.block(6, &[&words.concat()[..], packet].concat());
        }
    }

    #[test]
    fn pcapng_interfaces_have_their_own_link_layer_and_clock() {
        for order in [u32::to_le_bytes, u32::to_be_bytes] {
            let mut ng = Ng::new(order);
            let offset = if order(1)[0] == 1 { (-5_i64).to_le_bytes() } else { (-5_i64).to_be_bytes() };
            ng.interface(1, &[]);
            ng.interface(101, &[(9, &[9])]);
            ng.interface(101, &[(9, &[0x80 | 10]), (14, &offset)]);
            ng.interface(147, &[]);
            ng.block(0x0BAD, b"a block of a kind not yet known");
            ng.packet(0, 7_000_001, &ethernet(0x0800, &udp_v4()));
            ng.packet(1, 7_000_000_002, &udp_v6());
            ng.packet(2, 7 * 1024 + 512, &udp_v4());
            ng.packet(3, 0, &udp_v4());
            ng.packet(4, 0, &udp_v4());
            let simple = ethernet(0x0800, &udp_v4());
            ng.block(3, &[&order(simple.len() as u32)[..], &simple].concat());
            let (seen, error, skipped) = read(&ng.file);
            assert!(error.is_none(), "{error:?}");
            assert_eq!(seen.iter().map(|d| d.0).collect::<Vec<_>>(), [7_000_001_000, 7_000_000_002, 2_500_000_000, 0]);
            assert!(seen.iter().all(|d| d.3 == PAYLOAD));
            assert_eq!(skipped, Skipped { other: 1, malformed: 1, ..Skipped::default() });
        }
    }

    #[test]
    fn a_second_section_describes_its_own_interfaces_in_its_own_byte_order() {
        let mut ng = Ng::new(u32::to_le_bytes);
        ng.interface(101, &[]);
        ng.packet(0, 1, &udp_v4());
        ng.order = u32::to_be_bytes;
        ng.section();
        ng.packet(0, 2, &udp_v4());
        ng.interface(101, &[]);
        ng.packet(0, 3, &udp_v4());
        let (seen, error, skipped) = read(&ng.file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(seen.iter().map(|d| d.0).collect::<Vec<_>>(), [1_000, 3_000]);
        assert_eq!(skipped.malformed, 1);
    }

    #[test]
    fn clocks_beyond_reason_saturate() {
        let at = |ticks_per_s, offset_s, ticks| Interface { link: Linktype::RAW, ticks_per_s, offset_s }.time_ns(ticks);
        assert_eq!(at(1, 0, u64::MAX), u64::MAX);
        assert_eq!(at(1, i64::MIN, 3), 0);
        assert_eq!(at(u64::MAX, i64::MAX, 0), u64::MAX);
        assert_eq!(at(1, -1, 3), 2_000_000_000);
    }
}
