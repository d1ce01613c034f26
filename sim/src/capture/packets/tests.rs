//! Captures of every kind, made by hand.

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

/// An IPv4 header of a protocol around it.
fn around(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = udp_v4()[..20].to_vec();
    ip[2..4].copy_from_slice(&(20 + payload.len() as u16).to_be_bytes());
    ip[9] = protocol;
    [&ip, payload].concat()
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
    // Tags behind cooked headers, which some systems leave there.
    let cooked_tag = [&[0; 14][..], &[0x81, 0], &tag].concat();
    let cooked2_tag = [&[0x81, 0][..], &[0; 18], &tag].concat();
    let mpls = [&[0, 6, 0x40, 0x40, 0, 6, 0x41, 0x40][..], &v4].concat();
    let pseudowire = [&[0, 6, 0x41, 0x40, 0, 0, 0, 0][..], &ethernet(0x0800, &v4)].concat();
    let session = [&[0x11, 0, 0, 1, 0, 0, 0, 0x21][..], &v4].concat();
    let snap = [&[0xAA, 0xAA, 3, 0, 0, 0, 8, 0][..], &v4].concat();
    let gre = |flags: &[u8], protocol: u16, rest: &[u8]| {
        let bytes = [flags.get(..2).unwrap(), &protocol.to_be_bytes(), &flags[2..], rest].concat();
        around(47, &bytes)
    };
    let frame = ethernet(0x0800, &v4);
    let mut vxlan = Vec::new();
    let network = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &frame].concat();
    PacketBuilder::ipv4([1; 4], [2; 4], 16).udp(50_000, 4_789).write(&mut vxlan, &network).unwrap();
    let cases = [
        (113, cooked_tag),
        (276, cooked2_tag),
        (1, ethernet(0x9100, &tag)),
        (1, ethernet(0x8847, &mpls)),
        (1, ethernet(0x8100, &[&[0, 5, 0x88, 0x47][..], &mpls].concat())),
        (1, ethernet(0x8847, &pseudowire)),
        (1, ethernet(0x8864, &session)),
        (1, ethernet(60, &snap)),
        (9, [&[0xFF, 3, 0, 0x21][..], &v4].concat()),
        (101, around(4, &v4)),
        (101, around(41, &v6)),
        (101, gre(&[0, 0], 0x0800, &v4)),
        (101, gre(&[0x20, 0, 1, 2, 3, 4], 0x86DD, &v6)),
        (101, gre(&[0, 0], 0x6558, &frame)),
        (101, gre(&[0x10, 0, 0, 0, 0, 1], 0x88BE, &[&[0; 8][..], &frame].concat())),
        (101, gre(&[0x10, 0, 0, 0, 0, 1], 0x22EB, &[&[0; 12][..], &frame].concat())),
        (101, vxlan),
        // What says how long the checksum behind each frame is.
        (1 | 0x1400_0000, [&frame[..], &[1, 2, 3, 4]].concat()),
    ];
    for (link, packet) in cases {
        assert_eq!(payloads(&pcap(link, &[&packet])), [PAYLOAD], "link {link}: {packet:02X?}");
    }
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
    let at = |ticks_per_s, offset_s, ticks| Interface { link: link::RAW, ticks_per_s, offset_s }.time_ns(ticks);
    assert_eq!(at(1, 0, u64::MAX), u64::MAX);
    assert_eq!(at(1, i64::MIN, 3), 0);
    assert_eq!(at(u64::MAX, i64::MAX, 0), u64::MAX);
    assert_eq!(at(1, -1, 3), 2_000_000_000);
}

/// Two pieces of a datagram, the second of them from byte 16 on.
fn pieces_v4() -> [Vec<u8>; 2] {
    let whole = udp_v4();
    let piece = |bytes: &[u8], flags: [u8; 2]| {
        let mut ip = around(17, bytes);
        ip[4..6].copy_from_slice(&[0, 9]);
        ip[6..8].copy_from_slice(&flags);
        ip
    };
    [piece(&whole[20..36], [0x20, 0]), piece(&whole[36..], [0, 2])]
}

fn pieces_v6() -> [Vec<u8>; 2] {
    let whole = udp_v6();
    let piece = |bytes: &[u8], offset: u16| {
        let mut ip = whole[..40].to_vec();
        ip[4..6].copy_from_slice(&(8 + bytes.len() as u16).to_be_bytes());
        ip[6] = 44;
        [&ip[..], &[17, 0], &offset.to_be_bytes(), &[0, 0, 0, 9], bytes].concat()
    };
    [piece(&whole[40..56], 1), piece(&whole[56..], 16)]
}

#[test]
fn fragments_are_put_together_in_any_order() {
    for [first, last] in [pieces_v4(), pieces_v6()] {
        assert_eq!(payloads(&pcap(101, &[&first, &last])), [PAYLOAD]);
        assert_eq!(payloads(&pcap(101, &[&last, &first])), [PAYLOAD]);
        assert_eq!(read(&pcap(101, &[&first])).2.fragments, 1);
        // Cut by the capture, it is of no use.
        let (seen, error, skipped) = read(&pcap(101, &[&first[..first.len() - 1], &last]));
        assert!(seen.is_empty() && error.is_none());
        assert_eq!(skipped.fragments, 2);
    }
}

#[test]
fn modified_records_are_read_in_both_byte_orders() {
    let ip = udp_v4();
    for order in [u32::to_le_bytes, u32::to_be_bytes] {
        let version = if order(1)[0] == 1 { [2, 0, 4, 0] } else { [0, 2, 0, 4] };
        let mut file = [&order(0xA1B2_CD34)[..], &version, &[0; 8]].concat();
        file.extend([65_535, 101].map(order).concat());
        for _ in 0..2 {
            let length = ip.len() as u32;
            file.extend([1_700_000_000, 123_456, length, length, 7, 8].map(order).concat());
            file.extend_from_slice(&ip);
        }
        let (seen, error, _) = read(&file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!((seen.len(), seen[1].0, &seen[1].3[..]), (2, 1_700_000_000_123_456_000, PAYLOAD));
    }
}

#[test]
fn packets_in_the_blocks_of_old_are_read() {
    for order in [u32::to_le_bytes, u32::to_be_bytes] {
        let mut ng = Ng::new(order);
        ng.interface(147, &[]);
        ng.interface(101, &[]);
        let (ip, drops) = (udp_v4(), ng.short(3));
        let words = [0, 2_000_000, ip.len() as u32, ip.len() as u32].map(order).concat();
        let body = [&ng.short(1)[..], &drops, &words, &ip].concat();
        ng.block(2, &body);
        let (seen, error, skipped) = read(&ng.file);
        assert!(error.is_none() && skipped == Skipped::default(), "{error:?} {skipped:?}");
        assert_eq!((seen[0].0, &seen[0].3[..]), (2_000_000_000, PAYLOAD));
    }
}

#[test]
fn damage_is_told_with_its_place_and_what_stands_before_it() {
    let damage = |file: &[u8]| {
        let (seen, error, _) = read(file);
        let Some(CaptureError::Damaged { offset, .. }) = error else { panic!("{error:?}") };
        (seen.len(), offset as usize)
    };
    let ip = udp_v4();
    let one = pcap(101, &[&ip]);
    // One capture behind another, and a length that no packet has.
    assert_eq!(damage(&[&one[..], &one].concat()), (1, one.len()));
    let mut long = pcap(101, &[&ip, &ip]);
    long[one.len() + 8..one.len() + 12].copy_from_slice(&300_000_u32.to_le_bytes());
    assert_eq!(damage(&long), (1, one.len()));
    // A hole in the file.
    let mut hole = pcap(101, &[&ip, &ip, &ip]);
    hole[one.len()..2 * one.len() - 24].fill(0);
    assert_eq!(damage(&hole), (1, one.len()));

    let mut ng = Ng::new(u32::to_le_bytes);
    ng.interface(101, &[]);
    ng.packet(0, 1, &ip);
    let second = ng.file.len();
    ng.packet(0, 1, &ip);
    let sound = ng.file;
    for (at, byte) in [(4, 0xFF), (5, 0xFF), (sound.len() - second - 4, 0), (20, 0xFF)] {
        let mut file = sound.clone();
        file[second + at] = byte;
        let (seen, error, _) = read(&file);
        let offset = match error {
            Some(CaptureError::Damaged { offset, .. } | CaptureError::Truncated { offset }) => offset,
            error => panic!("{at}: {error:?}"),
        };
        assert_eq!((seen.len(), offset as usize), (1, second), "{at}");
    }
}
