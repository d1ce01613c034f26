//! From a captured packet to what UDP or TCP carries in it.
//!
//! A payload ends where the IP and UDP headers say, not where the frame does: captures carry padding, checksums and
//! trailers of taps behind it. Labels, tags and tunnels around a packet (VLAN, MPLS, PPPoE, GRE, ERSPAN, VXLAN, IP in
//! IP) are taken off.

use super::fragments::{Key, Piece};
use etherparse::{Ipv6ExtensionSlice, LaxIpv6Slice, LaxNetSlice, LaxSlicedPacket, TransportSlice, UdpSlice};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

/// Link layers that are read, by their number in captures (<https://www.tcpdump.org/linktypes.html>).
pub(super) mod link {
    pub(crate) const NULL: u32 = 0;
    pub(crate) const ETHERNET: u32 = 1;
    /// Older numbers of raw IP, as some systems still write them.
    pub(crate) const RAW_OLD: [u32; 2] = [12, 14];
    pub(crate) const PPP: u32 = 9;
    pub(crate) const RAW: u32 = 101;
    pub(crate) const LOOP: u32 = 108;
    pub(crate) const LINUX_SLL: u32 = 113;
    pub(crate) const IPV4: u32 = 228;
    pub(crate) const IPV6: u32 = 229;
    pub(crate) const LINUX_SLL2: u32 = 276;

    /// Is it one that is read?
    pub(crate) fn is_supported(link: u32) -> bool {
        RAW_OLD.contains(&link)
            || matches!(link, NULL | ETHERNET | PPP | RAW | LOOP | LINUX_SLL | IPV4 | IPV6 | LINUX_SLL2)
    }
}

/// Layers of tunnels taken off, and of tags in a row.
const DEEPEST: usize = 4;
const MOST_TAGS: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// Why a packet is passed over.
pub(super) enum Why {
    /// A fragment: whose, and where in the packet its bytes are.
    Fragment(Piece, Range<usize>),
    OtherTransport,
    Other,
    Malformed,
    /// A TCP segment that only acknowledges.
    NoBytes,
}

pub(super) struct Found {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) payload: Range<usize>,
    pub(super) cut: bool,
}

/// Takes the headers off a packet.
pub(super) fn unwrap(link: u32, packet: &[u8], wanted: Transport) -> Result<Found, Why> {
    let unwrapping = Unwrapping { packet, wanted };
    let after = |length| packet.get(length..).ok_or(Why::Malformed);
    match link {
        link::ETHERNET => unwrapping.ethernet(packet, 0),
        // A cooked header names the protocol at its end, or (in its second version) at its beginning.
        link::LINUX_SLL => unwrapping.ether_type(number(after(14)?)?, after(16)?, 0),
        link::LINUX_SLL2 => unwrapping.ether_type(number(packet)?, after(20)?, 0),
        // Four bytes name the family; the version of the IP header says the same.
        link::NULL | link::LOOP => unwrapping.ip(after(4)?, 0),
        link::PPP => {
            let rest = packet.strip_prefix(&[0xFF, 0x03]).unwrap_or(packet);
            unwrapping.ppp(rest, 0)
        }
        _ if link::is_supported(link) => unwrapping.ip(packet, 0),
        _ => Err(Why::Other),
    }
}

/// The UDP datagram in the payload of an IP datagram that was put together: where in it its own payload is.
pub(super) fn udp_of(key: &Key, whole: &[u8]) -> Option<Found> {
    if key.protocol != 17 {
        return None;
    }
    let udp = UdpSlice::from_slice_lax(whole).ok()?;
    Some(Found {
        source: SocketAddr::new(key.source, udp.source_port()),
        destination: SocketAddr::new(key.destination, udp.destination_port()),
        payload: place(whole, udp.payload()),
        cut: false,
    })
}

/// Where a part of `whole` is: the distance of their beginnings.
fn place(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}

fn number(bytes: &[u8]) -> Result<u16, Why> {
    bytes.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes)).ok_or(Why::Malformed)
}

fn after(bytes: &[u8], length: usize) -> Result<&[u8], Why> {
    bytes.get(length..).ok_or(Why::Malformed)
}

#[derive(Clone, Copy)]
struct Unwrapping<'a> {
    packet: &'a [u8],
    wanted: Transport,
}

impl<'a> Unwrapping<'a> {
    fn ethernet(self, frame: &'a [u8], depth: usize) -> Result<Found, Why> {
        self.ether_type(number(after(frame, 12)?)?, after(frame, 14)?, depth)
    }

    /// What follows a number of Ethernet's, tags and labels taken off.
    fn ether_type(self, mut ether_type: u16, mut rest: &'a [u8], depth: usize) -> Result<Found, Why> {
        for _ in 0..MOST_TAGS {
            match ether_type {
                0x0800 | 0x86DD => return self.ip(rest, depth),
                // 802.1Q, 802.1ad, and the numbers that were used before it.
                0x8100 | 0x88A8 | 0x9100 | 0x9200 => {
                    (ether_type, rest) = (number(after(rest, 2)?)?, after(rest, 4)?);
                }
                0x8847 | 0x8848 => return self.mpls(rest, depth),
                0x8864 => return self.ppp(after(rest, 6)?, depth),
                // A length: 802.2, and with SNAP an Ethernet number again.
                0..=1_500 if rest.starts_with(&[0xAA, 0xAA, 3, 0, 0, 0]) => {
                    (ether_type, rest) = (number(after(rest, 6)?)?, after(rest, 8)?);
                }
                _ => return Err(Why::Other),
            }
        }
        Err(Why::Other)
    }

    fn ppp(self, rest: &'a [u8], depth: usize) -> Result<Found, Why> {
        match number(rest)? {
            0x0021 | 0x0057 => self.ip(after(rest, 2)?, depth),
            0x0281 => self.mpls(after(rest, 2)?, depth),
            _ => Err(Why::Other),
        }
    }

    /// The label at the bottom is marked; what follows says itself what it is.
    fn mpls(self, mut rest: &'a [u8], depth: usize) -> Result<Found, Why> {
        for _ in 0..MOST_TAGS {
            let bottom = rest.get(2).ok_or(Why::Malformed)? & 1 == 1;
            rest = after(rest, 4)?;
            if bottom {
                return match rest.first().map(|first| first >> 4) {
                    Some(4 | 6) => self.ip(rest, depth),
                    // The control word of a pseudowire, then a frame.
                    Some(0) => self.tunnelled(depth, |depth| self.ethernet(after(rest, 4)?, depth)),
                    Some(_) => Err(Why::Other),
                    None => Err(Why::Malformed),
                };
            }
        }
        Err(Why::Other)
    }

    fn tunnelled(self, depth: usize, inner: impl FnOnce(usize) -> Result<Found, Why>) -> Result<Found, Why> {
        if depth < DEEPEST { inner(depth + 1) } else { Err(Why::Other) }
    }

    fn ip(self, bytes: &'a [u8], depth: usize) -> Result<Found, Why> {
        let sliced = LaxSlicedPacket::from_ip(bytes).map_err(|_| Why::Malformed)?;
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
        let protocol = ip_payload.ip_number.0;
        if ip_payload.fragmented {
            // A piece that the capture has cut cannot be used, nor can one of a tunnel.
            let piece = piece_of(&sliced, Key { source, destination, protocol, id: 0 });
            return match piece {
                Some(piece) if !ip_payload.incomplete && depth == 0 => {
                    Err(Why::Fragment(piece, place(self.packet, ip_payload.payload)))
                }
                Some(piece) => Err(Why::Fragment(piece, 0..0)),
                None => Err(Why::Malformed),
            };
        }
        match protocol {
            4 | 41 => return self.tunnelled(depth, |depth| self.ip(ip_payload.payload, depth)),
            47 => return self.tunnelled(depth, |depth| self.gre(ip_payload.payload, depth)),
            137 => return self.tunnelled(depth, |depth| self.mpls(ip_payload.payload, depth)),
            _ => {}
        }
        let (payload, from, to, is) = match &sliced.transport {
            Some(TransportSlice::Udp(udp)) => {
                (udp.payload(), udp.source_port(), udp.destination_port(), Transport::Udp)
            }
            Some(TransportSlice::Tcp(tcp)) => {
                (tcp.payload(), tcp.source_port(), tcp.destination_port(), Transport::Tcp)
            }
            _ => return Err(if sliced.stop_err.is_some() { Why::Malformed } else { Why::Other }),
        };
        // VXLAN: a network number and nothing else in eight bytes, then a frame. What only looks so is itself.
        if let (4789, [8, 0, 0, 0, _, _, _, 0, frame @ ..]) = (to, payload)
            && let Ok(found) = self.tunnelled(depth, |depth| self.ethernet(frame, depth))
        {
            return Ok(found);
        }
        if is != self.wanted {
            return Err(Why::OtherTransport);
        }
        if is == Transport::Tcp && payload.is_empty() {
            return Err(Why::NoBytes);
        }
        Ok(Found {
            source: SocketAddr::new(source, from),
            destination: SocketAddr::new(destination, to),
            payload: place(self.packet, payload),
            cut: ip_payload.incomplete,
        })
    }

    /// RFC 2784 and 2890; ERSPAN as switches mirror ports with it.
    fn gre(self, bytes: &'a [u8], depth: usize) -> Result<Found, Why> {
        let flags = number(bytes)?;
        let protocol = number(after(bytes, 2)?)?;
        // Version 0, without the routing that nobody uses.
        if flags & 0x4007 != 0 {
            return Err(Why::Other);
        }
        let optional = [0x8000, 0x2000, 0x1000].iter().filter(|flag| flags & **flag != 0).count();
        let rest = after(bytes, 4 + 4 * optional)?;
        match protocol {
            0x6558 => self.ethernet(rest, depth),
            // ERSPAN type I has no header, type II one of eight bytes, which the sequence number gives away.
            0x88BE if flags & 0x1000 == 0 => self.ethernet(rest, depth),
            0x88BE => self.ethernet(after(rest, 8)?, depth),
            0x22EB => {
                let more = if rest.get(11).ok_or(Why::Malformed)? & 1 == 1 { 8 } else { 0 };
                self.ethernet(after(rest, 12 + more)?, depth)
            }
            _ => self.ether_type(protocol, rest, depth),
        }
    }
}

/// What kind of piece a fragment is.
fn piece_of(sliced: &LaxSlicedPacket<'_>, key: Key) -> Option<Piece> {
    match sliced.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let offset = usize::from(header.fragments_offset().byte_offset());
            Some(Piece {
                key: Key { id: header.identification().into(), ..key },
                offset,
                more: header.more_fragments(),
            })
        }
        LaxNetSlice::Ipv6(ip) => fragment_header(ip, key),
        LaxNetSlice::Arp(_) => None,
    }
}

fn fragment_header(ip: &LaxIpv6Slice<'_>, key: Key) -> Option<Piece> {
    ip.extensions().clone().into_iter().find_map(|extension| match extension {
        Ipv6ExtensionSlice::Fragment(header) => {
            let offset = usize::from(header.fragment_offset().byte_offset());
            let key = Key { id: header.identification(), protocol: header.next_header().0, ..key };
            Some(Piece { key, offset, more: header.more_fragments() })
        }
        _ => None,
    })
}
