//! A million seeded mutations of sound input for each parser, with overflow checks on: the fuzz targets, made stable.

use crate::targets;
use firelane_gateway::flow::wire::{glimpse, moldudp64, normal};
use firelane_sim::capture::write_binary_file;
use rand::{Rng, RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};

const MUTATIONS: u32 = 1_000_000;

/// Numbers at the edges that parsers get wrong.
const EDGES: [u64; 10] = [0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, u64::MAX];

/// Feeds `target` a million mutations of the samples.
pub(crate) fn million<F: Fn(&[u8]) + RefUnwindSafe>(seed: u64, samples: &[Vec<u8>], target: F) {
    mutations(MUTATIONS, seed, samples, target);
}

/// Feeds `target` what the fuzzers begin with and what they have found, then so many mutations of the samples: a fiftieth
/// of them under `tests/run quick`. A failure names the mutation, which the seed reproduces, and its bytes.
pub(crate) fn mutations<F: Fn(&[u8]) + RefUnwindSafe>(count: u32, seed: u64, samples: &[Vec<u8>], target: F) {
    let corpus = corpus_of::<F>();
    if std::env::var_os("FIRELANE_WRITE_CORPUS").is_some() {
        write_corpus(&corpus, seed, samples);
    }
    for (name, bytes) in read_corpus(&corpus) {
        if std::panic::catch_unwind(|| target(&bytes)).is_err() {
            panic!("{name}");
        }
    }
    let count = if quick() { count.div_ceil(50) } else { count };
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

/// Is this `tests/run quick`?
fn quick() -> bool {
    std::env::var("FIRELANE_TESTS").as_deref() == Ok("quick")
}

/// Where cargo-fuzz looks for the corpus of the target of this name.
fn corpus_of<F>() -> PathBuf {
    let name = std::any::type_name::<F>().rsplit("::").next().unwrap();
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name)
}

/// What is committed of it: of what a fuzzer has left there beside, nothing.
fn read_corpus(folder: &Path) -> impl Iterator<Item = (String, Vec<u8>)> {
    let files = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    let mut files: Vec<_> = files.map(|path| (path.display().to_string(), path)).collect();
    files.sort();
    let committed =
        |name: &str| ["sample-", "found-"].iter().any(|kind| name.rsplit('/').next().unwrap().starts_with(kind));
    files.into_iter().filter(move |(name, _)| committed(name)).map(|(name, path)| (name, std::fs::read(path).unwrap()))
}

/// A few of the samples, the small ones: the corpus is committed.
fn write_corpus(folder: &Path, seed: u64, samples: &[Vec<u8>]) {
    std::fs::create_dir_all(folder).unwrap();
    for (number, sample) in samples.iter().filter(|sample| sample.len() <= 4_096).take(8).enumerate() {
        std::fs::write(folder.join(format!("sample-{seed:x}-{number}")), sample).unwrap();
    }
}

/// `FIRELANE_WRITE_CORPUS=1 cargo test -p firelane-gateway --test it` writes what is missing.
#[test]
fn every_fuzz_target_has_something_to_begin_with() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for target in std::fs::read_dir(root.join("fuzz/fuzz_targets")).unwrap() {
        let name = target.unwrap().path().file_stem().unwrap().to_owned();
        assert!(read_corpus(&root.join("fuzz/corpus").join(&name)).next().is_some(), "fuzz/corpus/{}", name.display());
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

/// A snapshot of one instrument and what follows it, as an adapter says it.
#[test]
fn normal() {
    use firelane_gateway::base::{ExchangeTime, Side};
    use normal::{Body, InstrumentBody, LevelBody, TradeBody};
    let number = |n: i64| n.into();
    let fire = InstrumentBody {
        name: *b"FIRE-PERPETUAL  ",
        tick: number(5),
        lot: number(1),
        multiplier: number(1),
        price_exponent: -4,
        qty_exponent: 0,
        currency: *b"USD     ",
        live: b'Y',
        zero: [0; 5],
    };
    let level = LevelBody::new(Side::Buy, 100, 200, 3);
    let trade = TradeBody { price: number(100), qty: number(7), trade: 9.into() };
    let all = [
        (0, Body::SnapshotBegin),
        (0, Body::Status(normal::State::Open)),
        (1, Body::Instrument(&fire)),
        (1, Body::Clear(None)),
        (1, Body::Level(Side::Buy, &level)),
        (0, Body::SnapshotEnd),
        (1, Body::Trade(&trade)),
        (0, Body::Heartbeat),
        (1, Body::Level(Side::Sell, &level)),
    ];
    let (mut writer, mut buffer) = (normal::Writer::default(), [0; normal::LONGEST]);
    let mut frame = |(id, body)| writer.write(&mut buffer, ExchangeTime(1), id, body).unwrap().to_vec();
    let frames = all.map(&mut frame);
    let samples = [frames.concat(), frames[2].clone(), frames[4].clone(), frames[..6].concat()];
    mutations(MUTATIONS / 10, 9, &samples, targets::normal);
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

/// Two lines with a gap, a re-request's answer, another session and a packet of a third.
#[test]
fn a_merge_of_lines() {
    let mut pcap = firelane_sim::capture::PcapWriter::new(Vec::new()).unwrap();
    let messages = crate::itch::one_of_each();
    let from = "10.0.0.1:49653".parse().unwrap();
    let mut time = 0;
    let mut send = |to: &str, session: [u8; 10], first: u64, count: usize| {
        let mut buffer = [0; 1472];
        let mut builder = moldudp64::PacketBuilder::new(&mut buffer, session, first).unwrap();
        messages[first as usize..][..count].iter().for_each(|message| builder.push(message).unwrap());
        time += 1_000_000;
        pcap.write_udp(time, from, to.parse().unwrap(), builder.finish()).unwrap();
    };
    let (a, b, client) = ("233.54.12.111:26477", "233.86.230.111:26477", "10.0.0.7:40000");
    let [one, two, three] = [*b"000000001A", *b"000000001B", *b"000000001C"];
    for (to, session, first, count) in [
        (a, one, 1, 2),
        (b, one, 1, 3),
        (a, one, 6, 2),
        (b, three, 1, 1),
        (b, one, 7, 2),
        (client, one, 3, 2),
        (a, one, 9, 0),
        (a, two, 1, 2),
        (b, two, 1, 2),
        (a, two, 5, 1),
    ] {
        send(to, session, first, count);
    }
    mutations(MUTATIONS / 10, 7, &[pcap.into_inner(), crate::captures::own_capture()], targets::merge);
}

/// An order that is entered, replaced, executed in part, cancelled and looked up again, as both sides write it.
#[test]
fn an_account_of_orders() {
    let packet =
        |letter: u8, payload: &[u8]| [&(payload.len() as u16 + 1).to_be_bytes()[..], &[letter], payload].concat();
    let piece = |direction: u8, bytes: &[u8]| [&[direction, bytes.len() as u8][..], bytes].concat();
    let asks = |payload: &[u8]| piece(1, &packet(b'U', payload));
    let says = |payload: &[u8]| piece(4, &packet(b'S', payload));
    let parts = [
        piece(4, &packet(b'A', b"ORDERS0001                   1")),
        asks(b"O\0\0\0\x07B\0\0\0\x64AAPL    \0\0\0\0\0\x0f\x42\x400YPNN0000000A000000\0\0"),
        says(
            b"A\0\0\0\0\0\0\0\x01\0\0\0\x07B\0\0\0\x64AAPL    \0\0\0\0\0\x0f\x42\x400Y\0\0\0\0\0\0\x12\x34PNNL0000000A000000\0\0",
        ),
        asks(b"U\0\0\0\x07\0\0\0\x08\0\0\0\x50\0\0\0\0\0\x0f\x42\x410YN0000000A000000\0\0"),
        says(b"E\0\0\0\0\0\0\0\x02\0\0\0\x07\0\0\0\x0a\0\0\0\0\0\x0f\x42\x40A\0\0\0\0\0\0\0\x09\0\0"),
        says(
            b"U\0\0\0\0\0\0\0\x03\0\0\0\x07\0\0\0\x08B\0\0\0\x46AAPL    \0\0\0\0\0\x0f\x42\x410Y\0\0\0\0\0\0\x12\x35PNNL0000000A000000\0\0",
        ),
        says(b"F\0\0\0\0\0\0\0\x04\0\0\0\x07\0\0\0\x0a\0\0\0\0\0\x0f\x42\x3fA\0\0\0\0\0\0\0\x09N0000000A000000"),
        asks(b"X\0\0\0\x08\0\0\0\0"),
        says(b"C\0\0\0\0\0\0\0\x05\0\0\0\x08\0\0\0\x46U"),
        says(b"B\0\0\0\0\0\0\0\x06\0\0\0\x07\0\0\0\0\0\0\0\x09C0000000A000000"),
        asks(b"Q"),
        says(b"Q\0\0\0\0\0\0\0\x07\0\0\0\x09"),
    ];
    let sample = parts.concat();
    let mut account = firelane_sim::account::Account::default();
    parts.iter().for_each(|part| if part[0] == 1 { account.on_lane(&part[2..]) } else { account.on_venue(&part[2..]) });
    assert_eq!((account.odd(), account.live().count(), account.heard()), (&[][..], 0, 7));
    let counts = account.counts();
    assert_eq!((counts.fills, counts.corrected, counts.broken), (1, 1, 1));
    mutations(MUTATIONS / 10, 8, &[sample], targets::account);
}
