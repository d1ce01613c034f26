//! Packet captures: the datagrams of a pcap or pcapng file.
//!
//! What is not a whole UDP datagram is counted in [`Skipped`] and passed over; fragments are put together where all
//! of their pieces are there.

use super::fragments::Fragments;
use super::headers::{self, Found, Transport, Why, link, udp_of};
use super::window::Window;
use super::{CaptureError, Format};
use std::io::Read;
use std::net::SocketAddr;
use std::ops::Range;

/// Longest record taken for one: far above the 262,144 bytes to which capture tools cut a packet.
const LONGEST_RECORD: usize = 1 << 24;

/// To so many bytes capture tools cut a packet, if they are not told otherwise.
const USUAL_CUT: u32 = 262_144;

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
    /// Fragments of IP packets that were not all there.
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
    link: u32,
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

/// The order of a file's bytes.
#[derive(Clone, Copy, Debug)]
struct Order {
    big: bool,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

/// Which records follow.
#[derive(Clone, Debug)]
enum Kind {
    /// Records behind headers of so many bytes; a file that follows at once begins with these bytes.
    Pcap {
        order: Order,
        header: usize,
        longest: usize,
        begins: [u8; 8],
        interface: Interface,
    },
    PcapNg {
        order: Order,
        interfaces: Vec<Interface>,
    },
}

/// Reads the datagrams of a decompressed stream, in bounded memory.
pub struct Reader<R> {
    window: Window<R>,
    kind: Kind,
    /// How much of the window the packet last read takes up.
    used: usize,
    fragments: Fragments,
    /// The datagram that was put together last.
    whole: Vec<u8>,
    skipped: Skipped,
    ended: bool,
}

/// Where the found payload is.
enum Place {
    Window(Range<usize>),
    Whole(Range<usize>),
}

impl<R: Read> Reader<R> {
    /// Reads the file's header.
    ///
    /// # Errors
    /// [`CaptureError::Damaged`] if it is none, [`CaptureError::UnsupportedLink`], [`CaptureError::Read`].
    pub fn new(stream: R) -> Result<Self, CaptureError> {
        Self::with_buffer(stream, 1 << 18)
    }

    /// As [`new`](Self::new), with a buffer of so many bytes, which grows to the longest record.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_buffer(stream: R, bytes: usize) -> Result<Self, CaptureError> {
        let mut window = Window::new(stream, bytes);
        window.has(24)?;
        let kind = match Format::of(window.data()) {
            Format::PcapNg => Kind::PcapNg { order: Order { big: false }, interfaces: Vec::new() },
            Format::Pcap | Format::BinaryFile => {
                let kind =
                    pcap_header(window.data()).ok_or_else(|| damaged(&window, "neither a pcap nor a pcapng header"))?;
                if let Kind::Pcap { interface, .. } = &kind
                    && !link::is_supported(interface.link)
                {
                    return Err(CaptureError::UnsupportedLink(interface.link));
                }
                window.consume(24);
                kind
            }
        };
        let (fragments, skipped) = (Fragments::default(), Skipped::default());
        Ok(Reader { window, kind, used: 0, fragments, whole: Vec::new(), skipped, ended: false })
    }

    /// Packets passed over so far.
    pub fn skipped(&self) -> Skipped {
        Skipped { fragments: self.skipped.fragments + self.fragments.unused(), ..self.skipped }
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
            let Some((time_ns, link, body)) = self.next_packet()? else { break };
            self.ended = false;
            // What is found is remembered as a range: a borrow of the buffer could not outlive the turn of the loop.
            let packet = self.window.data().get(body.clone()).unwrap_or_default();
            let (found, place) = match headers::unwrap(link, packet, wanted) {
                Ok(found) => {
                    let Range { start, end } = found.payload;
                    (found, Place::Window(body.start + start..body.start + end))
                }
                Err(why) => match self.put_together(why, body, wanted) {
                    Some(found) => {
                        let payload = found.payload.clone();
                        (found, Place::Whole(payload))
                    }
                    None => continue,
                },
            };
            let payload = match place {
                Place::Window(range) => self.window.data().get(range),
                Place::Whole(range) => self.whole.get(range),
            };
            let Found { source, destination, cut, .. } = found;
            return Ok(Some(Datagram { time_ns, source, destination, payload: payload.unwrap_or_default(), cut }));
        }
        Ok(None)
    }

    /// A packet without a payload of its own: the datagram whose last piece it is, or one more that is passed over.
    fn put_together(&mut self, why: Why, body: Range<usize>, wanted: Transport) -> Option<Found> {
        match why {
            Why::Fragment(_, range) if range.is_empty() => self.skipped.fragments += 1,
            Why::Fragment(piece, range) => {
                let bytes = self.window.data().get(body.start + range.start..body.start + range.end)?;
                self.whole = self.fragments.take(piece, bytes)?;
                match udp_of(&piece.key, &self.whole) {
                    Some(found) if wanted == Transport::Udp => return Some(found),
                    _ => self.skipped.other_transport += 1,
                }
            }
            Why::OtherTransport => self.skipped.other_transport += 1,
            Why::Other => self.skipped.other += 1,
            Why::Malformed => self.skipped.malformed += 1,
            Why::NoBytes => {}
        }
        None
    }

    /// The next packet: its time, its link layer, and where in the window it is.
    fn next_packet(&mut self) -> Result<Option<(u64, u32, Range<usize>)>, CaptureError> {
        self.window.consume(std::mem::take(&mut self.used));
        loop {
            if self.window.data().is_empty() && !self.window.read_more()? {
                let offset = self.window.offset();
                return if self.window.is_cut() { Err(CaptureError::Truncated { offset }) } else { Ok(None) };
            }
            let step = match &mut self.kind {
                Kind::Pcap { order, header, longest, begins, interface } => {
                    pcap_step(*order, *header, *longest, begins, *interface, self.window.data())
                }
                Kind::PcapNg { order, interfaces } => pcapng_step(order, interfaces, self.window.data()),
            };
            match step {
                Step::Packet { length, time_ns, link, body } => {
                    self.used = length;
                    return Ok(Some((time_ns, link, body)));
                }
                Step::Orphan { length } => {
                    self.skipped.malformed += 1;
                    self.window.consume(length);
                }
                Step::Other { length } => self.window.consume(length),
                Step::Incomplete { wanted } => {
                    if wanted > LONGEST_RECORD {
                        return Err(damaged(&self.window, "it claims to be longer than 16 MiB"));
                    }
                    if !self.window.has(wanted)? {
                        return Err(CaptureError::Truncated { offset: self.window.offset() });
                    }
                }
                Step::Damaged(reason) => return Err(damaged(&self.window, reason)),
            }
        }
    }
}

fn damaged<R: Read>(window: &Window<R>, reason: &'static str) -> CaptureError {
    CaptureError::Damaged { offset: window.offset(), reason }
}

/// What stands at the beginning of the window.
enum Step {
    /// A packet.
    Packet { length: usize, time_ns: u64, link: u32, body: Range<usize> },
    /// A packet of an interface that was not described.
    Orphan { length: usize },
    /// Another record.
    Other { length: usize },
    /// A record of at least so many bytes.
    Incomplete { wanted: usize },
    /// No record.
    Damaged(&'static str),
}

/// The header of a pcap file (draft-ietf-opsawg-pcap, section 4).
fn pcap_header(data: &[u8]) -> Option<Kind> {
    let magic = u32::from_le_bytes(*data.first_chunk()?);
    let big = matches!(magic.swap_bytes(), 0xA1B2_C3D4 | 0xA1B2_3C4D | 0xA1B2_CD34);
    let order = Order { big };
    let (ticks_per_s, header) = match if big { magic.swap_bytes() } else { magic } {
        0xA1B2_C3D4 => (1_000_000, 16),
        0xA1B2_3C4D => (NS_PER_S, 16),
        // Kuznetzov's: an interface, a protocol and a packet type behind the lengths.
        0xA1B2_CD34 => (1_000_000, 24),
        _ => return None,
    };
    let longest = order.u32(data, 16)?.clamp(USUAL_CUT, 1 << 24) as usize;
    // The upper bits say how long the checksum behind each frame is; a payload ends before it anyway.
    let link = order.u32(data, 20)? & 0x03FF_FFFF;
    let interface = Interface { link, ticks_per_s, offset_s: 0 };
    Some(Kind::Pcap { order, header, longest, begins: *data.first_chunk()?, interface })
}

fn pcap_step(order: Order, header: usize, longest: usize, begins: &[u8; 8], interface: Interface, data: &[u8]) -> Step {
    let (Some(seconds), Some(fraction), Some(length), Some(_)) =
        (order.u32(data, 0), order.u32(data, 4), order.u32(data, 8), order.u32(data, header - 4))
    else {
        return Step::Incomplete { wanted: header };
    };
    if data.starts_with(begins) {
        return Step::Damaged("another capture begins here, and each has a header of its own: read them one by one");
    }
    if data.get(..header).is_some_and(|header| header.iter().all(|byte| *byte == 0)) {
        return Step::Damaged("nothing but zeros, as a copy leaves that broke off and went on");
    }
    let length = length as usize;
    if length > longest {
        return Step::Damaged("it claims to be longer than the capture's packets may be");
    }
    let body = header..header + length;
    if data.len() < body.end {
        return Step::Incomplete { wanted: body.end };
    }
    let ticks = u64::from(seconds).saturating_mul(interface.ticks_per_s).saturating_add(u64::from(fraction));
    Step::Packet { length: body.end, time_ns: interface.time_ns(ticks), link: interface.link, body }
}

/// The types of blocks (draft-ietf-opsawg-pcapng, section 11.1).
mod block {
    pub(super) const SECTION: u32 = 0x0A0D_0D0A;
    pub(super) const INTERFACE: u32 = 1;
    /// What packets were written in before there was [`ENHANCED`].
    pub(super) const PACKET: u32 = 2;
    pub(super) const SIMPLE: u32 = 3;
    pub(super) const ENHANCED: u32 = 6;
}

/// Type, length, and the length again at the end.
const BLOCK_HEADER: usize = 8;
const SHORTEST_BLOCK: usize = 12;

fn pcapng_step(order: &mut Order, interfaces: &mut Vec<Interface>, data: &[u8]) -> Step {
    let Some(kind) = order.u32(data, 0) else { return Step::Incomplete { wanted: SHORTEST_BLOCK } };
    if kind == block::SECTION {
        match data.get(8..12) {
            None => return Step::Incomplete { wanted: SHORTEST_BLOCK },
            Some([0x1A, 0x2B, 0x3C, 0x4D]) => *order = Order { big: true },
            Some([0x4D, 0x3C, 0x2B, 0x1A]) => *order = Order { big: false },
            Some(_) => return Step::Damaged("a section that does not say in which order its bytes are"),
        }
        interfaces.clear();
    }
    let Some(length) = order.u32(data, 4) else { return Step::Incomplete { wanted: SHORTEST_BLOCK } };
    let length = length as usize;
    if length < SHORTEST_BLOCK || !length.is_multiple_of(4) {
        return Step::Damaged("its length is none that a block can have");
    }
    if data.len() < length {
        return Step::Incomplete { wanted: length };
    }
    if order.u32(data, length - 4).map(|again| again as usize) != Some(length) {
        return Step::Damaged("its two lengths differ");
    }
    let body = data.get(BLOCK_HEADER..length - 4).unwrap_or_default();
    // Where the packet begins, how long it is, of which interface and from when.
    let word = |at| order.u32(body, at);
    let packet = match kind {
        block::INTERFACE => {
            let Some(interface) = described(body, *order) else { return Step::Damaged("an interface without a link") };
            interfaces.push(interface);
            return Step::Other { length };
        }
        block::ENHANCED => word(0).zip(word(12)).map(|(id, length)| (20, length, id as usize, ticks(*order, body))),
        block::PACKET => {
            let id = order.u16(body, 0).map(usize::from);
            id.zip(word(12)).map(|(id, length)| (20, length, id, ticks(*order, body)))
        }
        // Always of the first interface, and without a time.
        block::SIMPLE => word(0).map(|length| {
            let room = body.len().saturating_sub(4);
            (4, length.min(u32::try_from(room).unwrap_or(u32::MAX)), 0, None)
        }),
        _ => return Step::Other { length },
    };
    let Some((at, bytes, id, ticks)) = packet else { return Step::Damaged("a packet's block that is too short") };
    let bytes = bytes as usize;
    if body.len() < at + bytes {
        return Step::Damaged("its packet is longer than the block");
    }
    let Some(interface) = interfaces.get(id) else { return Step::Orphan { length } };
    let start = BLOCK_HEADER + at;
    let time_ns = ticks.map_or(0, |ticks| interface.time_ns(ticks));
    Step::Packet { length, time_ns, link: interface.link, body: start..start + bytes }
}

fn ticks(order: Order, body: &[u8]) -> Option<u64> {
    Some(u64::from(order.u32(body, 4)?) << 32 | u64::from(order.u32(body, 8)?))
}

/// An interface by its description.
fn described(body: &[u8], order: Order) -> Option<Interface> {
    const RESOLUTION: u16 = 9;
    const OFFSET: u16 = 14;
    let mut interface = Interface { link: order.u16(body, 0)?.into(), ticks_per_s: 1_000_000, offset_s: 0 };
    let mut options = body.get(8..).unwrap_or_default();
    while let (Some(code @ 1..), Some(length)) = (order.u16(options, 0), order.u16(options, 2)) {
        let length = usize::from(length);
        let Some(value) = options.get(4..4 + length) else { break };
        match (code, value) {
            (RESOLUTION, [exponent, ..]) => {
                let power = u32::from(exponent & 0x7F);
                let base: u64 = if exponent & 0x80 == 0 { 10 } else { 2 };
                // A resolution beyond 64 bits is no clock's: times then count as 0.
                interface.ticks_per_s = base.checked_pow(power).unwrap_or(u64::MAX);
            }
            (OFFSET, value) => {
                if let Some(seconds) = value.first_chunk::<8>() {
                    let read = if order.big { i64::from_be_bytes } else { i64::from_le_bytes };
                    interface.offset_s = read(*seconds);
                }
            }
            _ => {}
        }
        options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(interface)
}

#[cfg(test)]
mod tests;
