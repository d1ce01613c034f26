//! A million seeded mutations of sound input for each parser, with overflow checks on: the fuzz targets, made stable.

use crate::targets;
use firelane_gateway::flow::wire::{glimpse, moldudp64};
use firelane_sim::capture::write_binary_file;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const MUTATIONS: u32 = 1_000_000;

/// Numbers at the edges that parsers get wrong.
const EDGES: [u64; 10] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, u64::MAX];

/// Feeds `target` a million mutations of the samples.
pub(crate) fn million(seed: u64, samples: &[Vec<u8>], target: fn(&[u8])) {
    mutations(MUTATIONS, seed, samples, target);
}

/// Feeds `target` so many mutations of the samples. A failure names the mutation, which the seed reproduces, and its
/// bytes.
pub(crate) fn mutations(count: u32, seed: u64, samples: &[Vec<u8>], target: fn(&[u8])) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut bytes = Vec::new();
    for number in 0..count {
        bytes.clear();
        bytes.extend_from_slice(&samples[random.random_range(0..samples.len())]);
        for _ in 0..random.random_range(1..=4) {
            mutate(&mut random, &mut bytes, samples);
        }
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("mutation {number} of seed {seed}: {bytes:02x?}");
        }
    }
}

/// One change: a bit, a byte, a number at an edge in either byte order, a cut, an insertion, a repetition, a removal,
/// or the tail of another sample, as torn and repeated streams have it.
fn mutate(random: &mut impl Rng, bytes: &mut Vec<u8>, samples: &[Vec<u8>]) {
    if bytes.is_empty() {
        bytes.push(random.random());
        return;
    }
    let at = random.random_range(0..bytes.len());
    let upto = random.random_range(at..bytes.len());
    match random.random_range(0..10) {
        0 | 1 => bytes[at] ^= 1 << random.random_range(0..8),
        2 => bytes[at] = random.random(),
        3 | 4 => {
            let edge = EDGES[random.random_range(0..EDGES.len())];
            let number = if random.random() { edge.to_be_bytes() } else { edge.to_le_bytes() };
            let width = 1 << random.random_range(0..4);
            let part = if number[7] == edge as u8 { &number[8 - width..] } else { &number[..width] };
            for (old, new) in bytes[at..].iter_mut().zip(part) {
                *old = *new;
            }
        }
        5 => bytes.truncate(at),
        6 => bytes.insert(at, random.random()),
        7 => bytes.extend_from_within(at..=upto.min(at + 64)),
        8 => drop(bytes.drain(at..=upto.min(at + 64))),
        _ => {
            let other = &samples[random.random_range(0..samples.len())];
            bytes.truncate(at);
            bytes.extend_from_slice(&other[random.random_range(0..=other.len())..]);
        }
    }
}

/// For people.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// From digits in pairs; spaces do not count.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

fn packet(sequence: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut buffer = [0; 1472];
    let mut builder = moldudp64::PacketBuilder::new(&mut buffer, *b"000010059B", sequence).unwrap();
    messages.iter().for_each(|message| builder.push(message).unwrap());
    builder.finish().to_vec()
}

#[test]
fn itch50() {
    million(1, &crate::itch::one_of_each(), targets::itch50);
}

#[test]
fn moldudp64() {
    let messages = crate::itch::one_of_each();
    let samples =
        [packet(1, &messages[..3]), packet(u64::MAX - 1, &messages[9..13]), packet(9, &[]), packet(7, &[vec![]])];
    million(2, &samples, targets::moldudp64);
}

#[test]
fn glimpse() {
    use glimpse::Padding::{LeadingSpaces, LeadingZeros, TrailingSpaces};
    let ends = [(1, LeadingSpaces), (u64::MAX, LeadingZeros), (123_456, TrailingSpaces)];
    let mut samples: Vec<Vec<u8>> = ends.map(|(n, padding)| glimpse::encode_end(n, padding).to_vec()).to_vec();
    samples.extend(crate::itch::one_of_each().into_iter().take(3));
    million(3, &samples, targets::glimpse);
}

#[test]
fn binary_file() {
    let messages = crate::itch::one_of_each();
    let file = |part: &[Vec<u8>]| {
        let mut bytes = Vec::new();
        write_binary_file(&mut bytes, part.iter().map(Vec::as_slice)).unwrap();
        bytes
    };
    let samples = [file(&messages[..3]), file(&messages[10..14]), [file(&messages[..1]), vec![0, 0]].concat()];
    million(4, &samples, targets::binary_file);
}

#[test]
fn pcap() {
    million(5, &[crate::captures::own_capture()], targets::packets);
}

/// The frames of our own capture as a pcapng of one little-endian section.
fn own_pcapng() -> Vec<u8> {
    fn block(file: &mut Vec<u8>, block_type: u32, body: &[u8]) {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = (12 + body.len() as u32 + padding as u32).to_le_bytes();
        file.extend([&block_type.to_le_bytes()[..], &length, body, &[0; 3][..padding], &length].concat());
    }
    let mut file = Vec::new();
    block(&mut file, 0x0A0D_0D0A, &[&[0x4D, 0x3C, 0x2B, 0x1A, 1, 0, 0, 0][..], &[0xFF; 8]].concat());
    // Ethernet, its clock in nanoseconds, an hour ahead.
    let options = [9, 0, 1, 0, 9, 0, 0, 0, 14, 0, 8, 0, 0x10, 0x0E, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    block(&mut file, 1, &[&[1, 0, 0, 0, 0, 0, 0, 0][..], &options].concat());
    let pcap = crate::captures::own_capture();
    let mut records = &pcap[24..];
    while !records.is_empty() {
        let length = u32::from_le_bytes(records[8..12].try_into().unwrap());
        let (record, rest) = records.split_at(16 + length as usize);
        let words = [0, 0, 7, length, length].map(u32::to_le_bytes).concat();
        block(&mut file, 6, &[&words, &record[16..]].concat());
        records = rest;
    }
    block(&mut file, 0x0BAD, b"unknown");
    file
}

#[test]
fn pcapng() {
    let file = own_pcapng();
    let mut reader = firelane_sim::capture::packets::Reader::new(&file[..]).unwrap();
    let first = reader.next_datagram().unwrap().unwrap();
    assert_eq!(first.time_ns, 3_600_000_000_007);
    million(6, &[file], targets::packets);
}
