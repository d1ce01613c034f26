//! Real packets, each through every layer and back.

use crate::data::shared;
use crate::targets;
use firelane_gateway::flow::wire::{itch50, moldudp64};
use firelane_sim::capture::packets::{Reader, Skipped};
use firelane_sim::capture::{PcapWriter, read_all};
use std::path::{Path, PathBuf};

/// The captures under a folder, by path.
fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "pcap") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Decodes every message of a capture and encodes messages and packets back to the same bytes; how many messages.
fn round_trip(file: &[u8]) -> usize {
    let mut reader = Reader::new(file).unwrap();
    let mut count = 0;
    while let Some(datagram) = reader.next_datagram().unwrap() {
        let packet = moldudp64::Packet::parse(datagram.payload).unwrap();
        let header = packet.header();
        let mut buffer = [0; 1472];
        let mut builder = moldudp64::PacketBuilder::new(&mut buffer, header.session, header.sequence.get()).unwrap();
        for (index, block) in packet.messages().enumerate() {
            let (sequence, bytes) = block.unwrap();
            assert_eq!(sequence, header.sequence.get() + index as u64);
            let message = itch50::decode(bytes).unwrap();
            assert_eq!(message.as_bytes(), bytes);
            builder.push(message.as_bytes()).unwrap();
            count += 1;
        }
        assert_eq!(packet.trailing(), Some(0));
        assert_eq!(builder.finish(), datagram.payload);
        assert!(!datagram.cut);
    }
    assert_eq!(reader.skipped(), Skipped::default());
    count
}

#[test]
fn every_shared_itch_capture_comes_back_byte_for_byte() {
    let Some(folder) = shared("captures") else { return };
    let (mut files, mut messages) = (0, 0);
    for path in captures(&folder) {
        if path.to_string_lossy().contains(".TotalView.Itch.v5.0") {
            files += 1;
            messages += round_trip(&read_all(&path).unwrap());
        }
    }
    assert_eq!((files, messages), (49, 227));
}

#[test]
fn captures_of_other_feeds_are_read_to_their_end() {
    let Some(folder) = shared("captures") else { return };
    let (mut datagrams, mut segments) = (0, 0);
    for path in captures(&folder) {
        let file = read_all(&path).unwrap();
        targets::packets(&file);
        let mut reader = Reader::new(&file[..]).unwrap();
        while reader.next_datagram().unwrap().is_some() {
            datagrams += 1;
        }
        let mut reader = Reader::new(&file[..]).unwrap();
        while reader.next_segment().unwrap().is_some() {
            segments += 1;
        }
    }
    assert!(datagrams > 200 && segments >= 6, "{datagrams} datagrams, {segments} segments");
}

/// A capture like the real ones, of our own making.
pub(crate) fn own_capture() -> Vec<u8> {
    let messages = crate::itch::one_of_each();
    let mut pcap = PcapWriter::new(Vec::new()).unwrap();
    let (from, to) = ("10.0.0.1:49653".parse().unwrap(), "233.54.12.111:26477".parse().unwrap());
    for (sequence, part) in [(1, &messages[..15]), (16, &messages[15..]), (24, &[])] {
        let mut buffer = [0; 1472];
        let mut builder = moldudp64::PacketBuilder::new(&mut buffer, *b"000010059B", sequence).unwrap();
        part.iter().for_each(|message| builder.push(message).unwrap());
        pcap.write_udp(sequence * 1_000_000_007, from, to, builder.finish()).unwrap();
    }
    pcap.into_inner()
}

#[test]
fn a_capture_of_our_own_comes_back_byte_for_byte() {
    assert_eq!(round_trip(&own_capture()), 23);
}
