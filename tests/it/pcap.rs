//! The payloads of TCP segments in a classic pcap file, by hand: an oracle that shares no code with the program.

/// The payload of every TCP segment over IPv4 over Ethernet, tagged or not, in file order. A payload ends where the
/// IP total length says, not where the frame ends: captures carry trailers.
pub(crate) fn tcp_payloads(file: &[u8]) -> Vec<Vec<u8>> {
    let le32 = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    assert!(matches!(le32(0), 0xa1b2_c3d4 | 0xa1b2_3c4d), "a little-endian pcap, in micro- or nanoseconds");
    assert_eq!(le32(20), 1, "Ethernet");
    let (mut at, mut payloads) = (24, Vec::new());
    while at < file.len() {
        let captured = le32(at + 8);
        let frame = &file[at + 16..at + 16 + captured];
        at += 16 + captured;
        let be16 = |at: usize| usize::from(u16::from_be_bytes([frame[at], frame[at + 1]]));
        let ip = if be16(12) == 0x8100 { 18 } else { 14 };
        assert_eq!((be16(ip - 2), frame[ip] >> 4, frame[ip + 9]), (0x0800, 4, 6), "TCP over IPv4");
        let tcp = ip + usize::from(frame[ip] & 15) * 4;
        let payload = tcp + usize::from(frame[tcp + 12] >> 4) * 4;
        payloads.push(frame[payload..ip + be16(ip + 2)].to_vec());
    }
    payloads
}
