//! What must hold of the whole lane for any inputs at all, and of the files that the shell reads. The fuzzers and the
//! stable mutation tests share these.
#![allow(unreachable_pub)] // the fuzzers take this file in by its path

use crate::gateway::rig::*;
use firelane_gateway::base::{LineId, Mono, Nanos, Reader, SessionId, VenueId, Writer};
use firelane_gateway::flow::record::log::input_of;
use firelane_gateway::flow::record::{Kind, RecordHeader};
use firelane_gateway::flow::wire::soupbintcp::Packet;
use firelane_gateway::flow::{CommandBuf, CommandBytes, Gateway, Machine, Word};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader, FileWriter, LogError, MAX_BODY, Role};
use firelane_gateway::shell::net::LineAddress;
use firelane_gateway::shell::plug::plugged;
use firelane_gateway::shell::plugs::{Listener, Maker, Taker};
use firelane_gateway::shell::saved::Saved;
use firelane_sim::server::VenueConfig;
use zerocopy::{FromBytes, IntoBytes};

/// Everything small, so that every capacity is soon met.
fn small() -> Setup {
    let mut setup = Setup { instruments: 2, ..Setup::default() };
    setup.feed.window_messages = 8;
    setup.feed.rerequest.max_messages = 4;
    setup.books.instruments = 2;
    setup.books.orders = 8;
    setup.books.levels = 4;
    setup.books.own = 2;
    setup.orders.capacity = 4;
    setup.orders.retained = 2;
    setup.orders.fills = 2;
    setup.entry.login.capacity = 96;
    setup
}

/// An operation in a script: a letter, a length, and as many bytes.
///
/// `a`, `b`, `r`: a packet on that line, as it is. `m`: one message, the next of the stream, on line A. `s`, `g`: bytes
/// of order entry, of the snapshot. `q`: a message of the venue. `C`, `c`, `X`, `x`: order entry is up, the snapshot is
/// up, they are gone. `B`, `W`: the venue does not read orders, reads again; `d`: the kill switch took these out. `k`: a
/// command. `t`: time passes, in units of 2^16 ns. `f`: a deadline of the feed; anything else: one of the core.
pub fn operation(letter: u8, bytes: &[u8]) -> Vec<u8> {
    [&[letter, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

/// The inputs of a script, as a shell would give them: monotone in time, no packet beyond what UDP carries.
fn inputs(mut script: &[u8]) -> Vec<(Mono, Given)> {
    let (mut now, mut next, mut given) = (Mono(1_000), 1, Vec::new());
    while let [letter, length, rest @ ..] = script {
        let (bytes, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        script = rest;
        let bytes = bytes.to_vec();
        let input = match letter {
            b'a' => Given::Packet(LineId::A, bytes),
            b'b' => Given::Packet(LineId::B, bytes),
            b'r' => Given::Packet(LineId::REREQUEST, bytes),
            b'm' => {
                next += 1;
                Given::Packet(LineId::A, packet(DAY, next - 1, &[bytes]))
            }
            b's' => Given::Bytes(SessionId::ORDERS, bytes),
            b'q' => Given::Bytes(SessionId::ORDERS, soup(Packet::Sequenced(&bytes))),
            b'g' => Given::Bytes(SessionId::SNAPSHOT, bytes),
            b'C' => Given::Connected(SessionId::ORDERS),
            b'c' => Given::Connected(SessionId::SNAPSHOT),
            b'X' => Given::Closed(SessionId::ORDERS),
            b'x' => Given::Closed(SessionId::SNAPSHOT),
            b'k' => Given::Command(match bytes.first().map_or(0, |b| b % 9) {
                // Any words, to anybody.
                _ if CommandBytes::new(&bytes).is_some() => CommandBytes::new(&bytes).unwrap().into(),
                0 => Word::Kill.into(),
                1 => Word::Release.into(),
                2 => Word::Enable.into(),
                3 => Word::Disable.into(),
                4 => Word::Shutdown.into(),
                5 => CommandBuf::snapshot(VenueId::FIRST),
                6 => Word::Hold.into(),
                7 => Word::Resume.into(),
                _ => Word::Start.into(),
            }),
            b't' => {
                now = now.after(Nanos(u64::from(bytes.first().copied().unwrap_or(1)) << 16));
                Given::Timer(Machine::Feed(VenueId::FIRST))
            }
            b'd' => Given::Dropped(SessionId::ORDERS, bytes),
            b'B' => Given::Blocked(SessionId::ORDERS),
            b'W' => Given::Writable(SessionId::ORDERS),
            b'f' => Given::Timer(Machine::Feed(VenueId::FIRST)),
            _ => Given::Timer(Machine::Core),
        };
        given.push((now, input));
    }
    given
}

/// Whatever comes: every input ends, no step overflows the outbox, no order leaves after a kill, and another lane with
/// a larger outbox does and becomes the same.
pub fn whole_lane(script: &[u8]) {
    let given = inputs(script);
    let (mut tiny, mut roomy) = (lane(&small(), Told::default()), lane(&small(), Told::default()));
    let (trace, _) = replay(&mut tiny, &given, 0, usize::MAX);
    let (other, _) = replay(&mut roomy, &given, 1 << 20, usize::MAX);
    assert_eq!(trace, other);
    assert_eq!(tiny.digest(), roomy.digest());
    let live = tiny.core().orders().live_count();
    assert!(live <= 4, "{live} live orders in a table for four");
}

/// A lane in the middle of its day, with what can be in its state: orders, fills, a gap with messages that wait behind it, a
/// torn packet of the venue's.
pub fn middle() -> Gateway<Desk<Told>> {
    let mut rig = Rig::new(&small());
    rig.open(2);
    rig.tell(1, Do::Buy, 500, 99_000);
    rig.tell(2, Do::Buy, 300, 99_000);
    let report = rig.venue.execute(rig.newest().1, 60, 99_000);
    rig.say(report);
    rig.give(Given::Bytes(SessionId::ORDERS, vec![0, 40, b'S', b'A']));
    for ahead in [2, 3, 5] {
        rig.give(Given::Packet(LineId::A, packet(DAY, rig.next + ahead, &[add(2, 90 + ahead, b"B", 100, 90_000)])));
    }
    rig.lane
}

/// Its state as a file, and as the bytes alone.
pub fn saved_samples() -> [Vec<u8>; 2] {
    let (lane, mut file) = (middle(), Vec::new());
    Saved::of(&lane, &FileHeader::new("fuzz", "", vec![], Effects::Bytes)).save_to(&mut file).unwrap();
    [file, Writer::of(&lane)]
}

/// Any bytes, as the file of a saved state and as the state itself, loaded into a lane that holds another one: refused in
/// words, or it is a state, which is saved as it was loaded and from which the lane goes on, without a panic and to the end
/// of every input.
pub fn saved(data: &[u8]) {
    use std::cell::RefCell;
    thread_local! {
        static LANE: RefCell<Gateway<Desk<Told>>> = RefCell::new(middle());
        static DAY: Vec<(Mono, Given)> = inputs(&sample());
    }
    let header = FileHeader::new("fuzz", "", vec![], Effects::Bytes);
    LANE.with_borrow_mut(|lane| {
        match Saved::load_from(data) {
            Ok(saved) => drop(saved.restore(lane, &header)),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
        let mut from = Reader(data);
        match lane.load(&mut from) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(()) => {
                let once = Writer::of(lane);
                lane.load(&mut Reader(&once)).expect("what was saved");
                assert!(Writer::of(lane) == once, "what is saved is what was loaded");
                DAY.with(|day| drop(replay(lane, day, 0, usize::MAX)));
            }
        }
    });
}

/// A log file: a record read is the record in the file; reading ends with at most one error; and records with good
/// checksums come back whole, whatever is in them.
pub fn log_file(data: &[u8]) {
    if let Ok(mut reader) = FileReader::new(data) {
        let mut end = 0;
        loop {
            match reader.next_record() {
                Ok(Some(record)) => {
                    let start = record.offset as usize;
                    end = start + 24 + record.body.len();
                    assert_eq!(&data[start + 24..end], record.body);
                    let _ = record.kind.and_then(|kind| input_of(kind, &record.body));
                }
                Ok(None) => break,
                Err(error) => {
                    assert!(!matches!(error, LogError::Io(_) | LogError::NotOurs | LogError::Role { .. }));
                    break;
                }
            }
        }
        assert!(end <= data.len());
    }
    let header = FileHeader::new("fuzz", "", vec![], Effects::Bytes);
    let mut writer = FileWriter::new(Vec::new(), Role::Log, &header).unwrap();
    let mut written = Vec::new();
    for chunk in data.chunks(48) {
        let Some((head, body)) = chunk.split_first_chunk::<24>() else { break };
        let mut head = RecordHeader::read_from_bytes(head).unwrap();
        head.length.set(body.len() as u32);
        if let Some(kind) = Kind::from_byte(head.kind) {
            head.version = kind.version();
        }
        writer.put(&[head.as_bytes(), body]).unwrap();
        written.push((head, body));
    }
    let file = writer.finish().unwrap();
    let mut reader = FileReader::new(&file[..]).unwrap();
    for (head, body) in written {
        let record = reader.next_record().unwrap().unwrap();
        assert_eq!((record.header, &record.body[..]), (head, body));
        assert!(body.len() <= MAX_BODY);
        let _ = record.kind.and_then(|kind| input_of(kind, &record.body));
    }
    assert!(reader.next_record().unwrap().is_none());
}

/// A configuration, of the gateway or of the venue, is either taken, and says what it was read from, or refused in words.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let plugs = [plugged::<Taker>(), plugged::<Maker>(), plugged::<Listener>()];
    match Config::parse_with(text, &plugs) {
        Ok(config) => assert_eq!(config.text, text),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Err(error) = VenueConfig::parse(text) {
        assert!(!error.to_string().is_empty());
    }
    for line in text.lines() {
        if let Ok(address) = line.parse::<LineAddress>() {
            assert_eq!(address.to_string().parse(), Ok(address));
        }
    }
}

/// A script that brings the lane to trade and goes on with orders, answers, a gap and a splice.
pub fn sample() -> Vec<u8> {
    let mut script = Vec::new();
    let mut put = |letter, bytes: &[u8]| script.extend(operation(letter, bytes));
    let mut rig = Rig::new(&small());
    rig.open(2);
    rig.tell(1, Do::Buy, 500, 99_000);
    rig.tell(1, Do::Replace, 400, 99_100);
    let (_, token) = rig.newest();
    let report = rig.venue.execute(token, 60, 99_100);
    rig.say(report);
    rig.market(&[add(1, 80, b"B", 100, 100_100), delete(1, 4_711)]);
    rig.serve_snapshot(&opening(1), rig.next);
    rig.tell(1, Do::BuyMany, 5, 99_000);
    rig.command(Word::Kill);
    let mut at = Mono(1_000_000_000);
    for (now, given) in &rig.given {
        while at < *now {
            let units = (now.since(at).0 >> 16).clamp(1, 255);
            put(b't', &[units as u8]);
            at = at.after(Nanos(units << 16));
        }
        match given {
            Given::Packet(LineId::A, bytes) => {
                let packet = firelane_gateway::flow::wire::moldudp64::Packet::parse(bytes).unwrap();
                packet.messages().for_each(|m| put(b'm', m.unwrap().1));
            }
            Given::Bytes(SessionId::ORDERS, bytes) => bytes.chunks(255).for_each(|part| put(b's', part)),
            Given::Bytes(_, bytes) => bytes.chunks(255).for_each(|part| put(b'g', part)),
            Given::Connected(SessionId::ORDERS) => put(b'C', &[]),
            Given::Connected(_) => put(b'c', &[]),
            Given::Closed(SessionId::ORDERS) => put(b'X', &[]),
            Given::Closed(_) => put(b'x', &[]),
            Given::Command(command) => put(b'k', command.bytes().bytes()),
            Given::Packet(..) => {}
            Given::Timer(Machine::Feed(_)) => put(b'f', &[]),
            Given::Timer(Machine::Core) => put(b'.', &[]),
            Given::Blocked(_) => put(b'B', &[]),
            Given::Writable(_) => put(b'W', &[]),
            Given::Dropped(_, frames) => put(b'd', frames),
        }
    }
    script
}
