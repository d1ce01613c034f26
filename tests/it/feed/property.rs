//! Random worlds: whatever the lines, the re-request server, the snapshot server and strangers do to it, the stream that
//! comes out is whole and in order, or what is missing was announced. And a million mutations of scripts.

use super::rig::*;
use crate::mutations::million;
use crate::targets_feed::{feed, input};
use firelane_gateway::base::{LineId, Mono, Nanos};
use firelane_gateway::flow::feed::{FeedConfig, Notice, RerequestConfig, Start};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::moldudp64::{end_of_session, heartbeat};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{BTreeMap, BTreeSet};
use zerocopy::IntoBytes;

type Random = Xoshiro256PlusPlus;

/// Time between two messages of the publisher.
const PACE: u64 = 50;

enum Happens {
    Packet(LineId, Vec<u8>),
    /// A datagram that is not of the publisher's.
    Stray(LineId, Vec<u8>),
    Connected(u32),
    Bytes(u32, Vec<u8>),
    Closed(u32),
}

/// How bad it is, in parts of a hundred.
struct Faults {
    loss: u32,
    twice: u32,
    jitter: u64,
    malformed: u32,
    torn: u32,
    server: u32,
    stray: u32,
}

struct World {
    random: Random,
    faults: Faults,
    /// Messages of each session.
    length: u64,
    /// Of these every copy is malformed.
    cursed: BTreeSet<u64>,
    agenda: BTreeMap<(u64, u32), Happens>,
    serial: u32,
    /// The connection of the snapshot session that is open, or being opened.
    connection: Option<u32>,
    strays: u64,
    rig: Rig,
}

/// What a snapshot of messages up to `last` consists of.
fn contents(last: u64) -> Vec<Vec<u8>> {
    (0..3 + last % 5).map(|i| message(1_000_000 + last * 10 + i)).collect()
}

impl World {
    fn new(seed: u64) -> (Self, bool) {
        let mut random = Random::seed_from_u64(seed);
        let r = &mut random;
        let two_days = r.random_bool(0.2);
        let quiet = r.random_bool(0.1);
        let percent = |r: &mut Random, most: u32| if quiet { 0 } else { r.random_range(0..=most) };
        let faults = Faults {
            loss: percent(r, 30),
            twice: percent(r, 10),
            jitter: u64::from(percent(r, 100)) * 8 + 1,
            malformed: percent(r, 8),
            torn: percent(r, 5),
            server: percent(r, 60),
            // In quiet worlds, too: what is none of the stream's does nothing to it.
            stray: if r.random_bool(0.5) { r.random_range(1..30) } else { 0 },
        };
        let length = r.random_range(1..200);
        let cursed = (1..=length).filter(|_| percent(r, 100) > 98).collect();
        let snapshots = !two_days && r.random_bool(0.6);
        let base = if snapshots { with_snapshots() } else { config() };
        let start = match r.random_range(0..3) {
            0 if snapshots => Start::Snapshot,
            1 => Start::Next,
            _ => Start::First,
        };
        let config = FeedConfig {
            start,
            window_messages: 1 << r.random_range(1..8),
            max_gap: if r.random_bool(0.2) { 20 } else { 1_000 },
            gap_timeout: Nanos(r.random_range(0..500)),
            line_timeout: Nanos(if two_days { 8_000 } else { 2_000 }),
            rerequest: RerequestConfig {
                enabled: r.random_bool(0.8),
                max_messages: r.random_range(1..30),
                reply_timeout: Nanos(r.random_range(1..2_000)),
                retries: r.random_range(0..4),
            },
            ..base
        };
        let agenda = BTreeMap::new();
        let rig = Rig { now: Mono(0), hears_silence: true, ..Rig::new(config) };
        let mut world = World { random, faults, length, cursed, agenda, serial: 0, connection: None, strays: 0, rig };
        world.publish(DAY, 1_000);
        if two_days {
            let pause = world.random.random_range(0..20) * PACE;
            world.publish(NEXT_DAY, 1_000 + length * PACE + pause);
        }
        (world, two_days)
    }

    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }

    fn at(&mut self, time: u64, what: Happens) {
        self.serial += 1;
        self.agenda.insert((time, self.serial), what);
    }

    /// A packet with what may befall it on its way.
    fn send(&mut self, time: u64, line: LineId, bytes: &[u8]) {
        let copies = if self.chance(self.faults.loss) { 0 } else { 1 + u32::from(self.chance(self.faults.twice)) };
        for _ in 0..copies {
            let delay = self.random.random_range(0..self.faults.jitter);
            let mut bytes = bytes.to_vec();
            if self.chance(self.faults.torn) {
                bytes.truncate(self.random.random_range(0..bytes.len()));
            }
            self.at(time + delay, Happens::Packet(line, bytes));
        }
        if self.chance(self.faults.stray) {
            let (delay, stray) = (self.random.random_range(0..200), self.stray(bytes));
            self.at(time + delay, Happens::Stray(line, stray));
        }
    }

    /// Something that must not be believed, beside the packet `bytes`. No two agree.
    fn stray(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.serial += 1;
        let far = (1 << 40) + u64::from(self.serial) * 1_000_000;
        let mut stray = bytes.to_vec();
        match self.random.random_range(0..8) {
            0 => {
                stray = vec![0; self.random.random_range(0..1_400)];
                self.random.fill(&mut stray[..]);
            }
            1 => stray = heartbeat(DAY, far).as_bytes().to_vec(),
            2 => stray = end_of_session(DAY, far).as_bytes().to_vec(),
            3 => stray[10..18].copy_from_slice(&far.to_be_bytes()),
            4 => stray[..10].copy_from_slice(format!("X{:09}", self.serial).as_bytes()),
            // Numbers that cannot be: none, and beyond 64 bits with what the packet holds.
            5 => stray[10..18].fill([0, 0xFF][usize::from(bytes.len() > 20)]),
            6 => stray.push(0),
            _ => stray[18..20].copy_from_slice(&40_000u16.to_be_bytes()),
        }
        stray
    }

    fn copies(&mut self, numbers: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        let mut copy = |n| match self.cursed.contains(&n) || self.random.random_range(0..100) < self.faults.malformed {
            true => malformed(n),
            false => message(n),
        };
        numbers.map(&mut copy).collect()
    }

    /// A day on both lines, each with its own batches and heartbeats.
    fn publish(&mut self, day: [u8; 10], opening: u64) {
        let closing = opening + self.length * PACE;
        for line in [A, B] {
            let mut next = 1;
            while next <= self.length {
                let end = (next + self.random.random_range(1..8)).min(self.length + 1);
                let bytes = packet_of(day, next, &self.copies(next..end));
                let time = opening + (end - 1) * PACE;
                self.send(time, line, &bytes);
                if self.chance(10) {
                    self.send(time, line, &packet_of(day, end, &[]));
                }
                next = end;
            }
            for i in 0..10 {
                let mut bytes = packet_of(day, next, &[]);
                bytes[18..20].fill(0xFF);
                self.send(closing + i * 1_000, line, &bytes);
            }
        }
        // However bad it is, these are heard.
        let mut bytes = packet_of(day, self.length + 1, &[]);
        bytes[18..20].fill(0xFF);
        let late: &[u64] = if day == DAY { &[9_500] } else { &[9_500, 40_000, 100_000] };
        for i in late.iter().flat_map(|late| (0..3).map(move |i| late + i)) {
            self.at(closing + i, Happens::Packet(A, bytes.clone()));
        }
    }

    fn published(&self) -> u64 {
        (self.rig.now.0.saturating_sub(1_000) / PACE).min(self.length)
    }

    /// The servers see what the feed sent.
    fn serve(&mut self) {
        for sent in self.rig.sent() {
            let soon = self.rig.now.0 + self.random.random_range(1..300);
            match sent {
                Sent::Request { session: day, first, count } => {
                    assert!(count > 0 && (day == DAY || day == NEXT_DAY));
                    let most = (self.length + 1).min(first + u64::from(count));
                    if first >= most || self.chance(self.faults.server) {
                        continue;
                    }
                    let end = self.random.random_range(first + 1..=most);
                    let bytes = packet_of(day, first, &self.copies(first..end));
                    self.send(soon, R, &bytes);
                }
                Sent::Connect => {
                    assert_eq!(self.connection, None, "one connection at a time");
                    self.serial += 1;
                    let c = self.serial;
                    self.connection = Some(c);
                    let refused = self.chance(self.faults.server / 2);
                    self.at(soon, if refused { Happens::Closed(c) } else { Happens::Connected(c) });
                }
                Sent::Disconnect => {
                    if let Some(c) = self.connection {
                        self.at(soon, Happens::Closed(c));
                    }
                }
                Sent::Bytes(bytes) if bytes[2] == b'L' => self.snapshot(soon),
                Sent::Bytes(_) => {}
            }
        }
    }

    fn snapshot(&mut self, mut time: u64) {
        let Some(c) = self.connection else { return };
        let last = self.published().saturating_sub(self.random.random_range(0..5));
        let mut stream = accepted();
        for bytes in contents(last) {
            let bad = self.chance(self.faults.malformed / 4);
            stream.extend(item(&if bad { [&bytes[..], b"!"].concat() } else { bytes }));
        }
        stream.extend(end_of_snapshot(last + 1));
        if self.chance(self.faults.server) {
            stream.truncate(self.random.random_range(0..stream.len()));
            if self.chance(50) {
                self.at(time + 3_000, Happens::Closed(c));
            }
        }
        let mut rest = &stream[..];
        while !rest.is_empty() {
            let (chunk, tail) = rest.split_at(self.random.random_range(1..=rest.len().min(60)));
            self.at(time, Happens::Bytes(c, chunk.to_vec()));
            time += self.random.random_range(0..200);
            rest = tail;
        }
    }

    /// The next thing happens. False: nothing more will.
    fn step(&mut self) -> bool {
        let due = self.rig.feed.next_deadline();
        let Some((&(time, serial), _)) = self.agenda.first_key_value() else {
            // Only timers are left.
            if due > self.rig.now.after(Nanos(10 * SLOW.0)) {
                return false;
            }
            self.tick(due);
            return true;
        };
        // Now and then the owner is late for a timer.
        if due.0 <= time && !self.chance(10) {
            self.tick(due);
            return true;
        }
        let what = self.agenda.remove(&(time, serial)).unwrap();
        self.rig.now = self.rig.now.max(Mono(time));
        match what {
            Happens::Packet(line, bytes) => self.rig.packet(line, &bytes),
            // The first session that is heard is believed.
            Happens::Stray(line, bytes) if self.rig.feed.session().is_some() => {
                self.strays += 1;
                self.rig.packet(line, &bytes);
            }
            Happens::Connected(c) if self.connection == Some(c) => self.rig.session(SessionInput::Connected),
            Happens::Bytes(c, bytes) if self.connection == Some(c) => self.rig.bytes(&bytes),
            Happens::Closed(c) if self.connection == Some(c) => {
                self.connection = None;
                self.rig.session(SessionInput::Closed);
            }
            Happens::Stray(..) | Happens::Connected(_) | Happens::Bytes(..) | Happens::Closed(_) => {}
        }
        true
    }

    fn tick(&mut self, due: Mono) {
        self.rig.now = self.rig.now.max(due);
        let now = self.rig.now;
        self.rig.feed.on_timer(now, &mut self.rig.out);
        self.rig.drain(&[]);
    }
}

/// What must hold of everything that is released.
#[derive(Default)]
struct Reader {
    /// The next message; `None` before the first.
    next: Option<u64>,
    snapshot: Option<Vec<Vec<u8>>>,
    gap: bool,
    heard: bool,
    silent: bool,
    ended: bool,
    dropped: u64,
    ends: u32,
    lost: u64,
    days: u32,
    spliced: u64,
}

impl Reader {
    fn read(&mut self, got: Got, cursed: &BTreeSet<u64>) {
        match got {
            Got::Message(sequence, bytes) => {
                assert_eq!(sequence, self.next.unwrap_or(1), "in order, each once");
                assert_eq!(bytes, message(sequence));
                assert!(!cursed.contains(&sequence));
                self.next = Some(sequence + 1);
                self.snapshot = None;
            }
            Got::Snapshot(bytes) => self.snapshot.as_mut().expect("begun").push(bytes),
            Got::Notice(Notice::Lost { first, count, locate: code }) => {
                assert!(count > 0 && first == self.next.unwrap_or(1));
                if code.is_some() {
                    assert_eq!((count, code), (1, Some(locate(first))));
                }
                self.next = Some(first + count);
                self.lost += count;
            }
            Got::Notice(Notice::Joined { first }) => {
                assert!(first > 1 && self.next.unwrap_or(1) == 1);
                self.next = Some(first);
            }
            Got::Notice(Notice::SnapshotBegin) => self.snapshot = Some(Vec::new()),
            Got::Notice(Notice::SnapshotEnd { next }) => {
                assert_eq!(self.snapshot.take().expect("begun"), contents(next - 1));
                self.next = Some(next);
                self.spliced += 1;
            }
            Got::Notice(Notice::GapOpened { first }) => {
                assert_eq!(first, self.next.unwrap_or(1));
                assert!(!std::mem::replace(&mut self.gap, true));
            }
            Got::Notice(Notice::GapClosed) => assert!(std::mem::replace(&mut self.gap, false)),
            Got::Notice(Notice::SessionChanged) => {
                (self.next, self.gap) = (Some(1), false);
                (self.heard, self.ended) = (false, false);
                self.days += 1;
            }
            Got::Notice(Notice::EndOfSession) => {
                assert!(!self.gap);
                self.ended = true;
                self.ends += 1;
            }
            Got::Notice(Notice::MarketSilent { .. }) => assert!(!std::mem::replace(&mut self.silent, true)),
            Got::Notice(Notice::MarketBack { said, .. }) => {
                assert_eq!(std::mem::replace(&mut self.silent, false), said);
                self.heard = true;
            }
            Got::Notice(Notice::SessionGoesOn) => {
                self.ends -= 1;
                self.ended = false;
            }
            Got::Notice(Notice::JumpDropped { next, .. }) => {
                self.next = Some(next);
                self.dropped += 1;
            }
            Got::Notice(Notice::LinesDiffer { .. } | Notice::Overrun) => panic!("{got:?}"),
            Got::Notice(
                Notice::SnapshotFailed { .. }
                | Notice::SnapshotAhead { .. }
                | Notice::LineSilent(_)
                | Notice::LineBack(_),
            ) => {}
        }
    }
}

/// One world to its end; what was seen in it.
fn live_through(seed: u64) -> (World, Reader) {
    let (mut world, two_days) = World::new(seed);
    let mut reader = Reader::default();
    for step in 0.. {
        assert!(step < 200_000, "it does not come to rest");
        let more = world.step();
        for got in world.rig.take() {
            reader.read(got, &world.cursed);
        }
        let feed = &world.rig.feed;
        let followed = feed.session().is_some() && reader.heard && !reader.silent;
        assert!(!feed.is_live() || followed && !reader.gap && !reader.ended && reader.snapshot.is_none());
        world.serve();
        let over = reader.ends > u32::from(two_days) && !reader.gap && world.agenda.is_empty();
        if !more || over {
            break;
        }
    }
    assert_eq!(reader.days, u32::from(two_days));
    assert_eq!(reader.next, Some(world.length + 1), "all messages, or their loss");
    assert!(!reader.gap);
    assert!(reader.ends >= 1 && reader.ends <= 1 + u32::from(two_days), "the end is told once");
    assert_eq!(world.rig.feed.counters().lost, reader.lost);
    (world, reader)
}

#[test]
fn in_any_world_the_stream_is_whole_or_says_what_it_lacks() {
    let mut sums = [0; 7];
    for seed in 0..1_500 {
        let lived = std::panic::catch_unwind(|| live_through(seed));
        let (world, reader) = lived.unwrap_or_else(|_| panic!("seed {seed}"));
        let c = world.rig.feed.counters();
        let filled = c.filled_by_line + c.filled_by_rerequest;
        let sum = [filled, c.lost, c.partial_replies, c.window_full, reader.spliced, c.snapshot_failures, world.strays];
        sums.iter_mut().zip(sum).for_each(|(total, n)| *total += n);
    }
    // The worlds are bad enough to mean something.
    assert!(sums.iter().all(|n| *n > 300), "{sums:?}");
}

#[test]
fn a_quiet_world_loses_nothing_and_asks_for_nothing() {
    let quiet = |seed| {
        let (mut world, _) = World::new(seed);
        let faults = &mut world.faults;
        (faults.loss, faults.jitter, faults.malformed, faults.torn) == (0, 1, 0, 0)
    };
    let seeds: Vec<u64> = (0..300).filter(|seed| quiet(*seed)).collect();
    assert!(seeds.len() > 10);
    let mut strays = 0;
    for seed in seeds {
        let (world, reader) = live_through(seed);
        let c = world.rig.feed.counters();
        assert_eq!((c.requests, c.lost, reader.spliced), (0, 0, 0), "seed {seed}");
        strays += world.strays;
    }
    assert!(strays > 30, "{strays}");
}

#[test]
fn a_million_mutations_of_scripts_break_no_rule() {
    let time = |ns: u32| input(b't', &ns.to_be_bytes());
    let gap = [
        input(b'0', &packet(1..3)),
        input(b'1', &packet(1..4)),
        input(b'0', &packet(5..8)),
        time(150),
        input(b'2', &packet(4..5)),
        input(b'0', &spoiled(8..11, &[9])),
        time(3_000),
        input(b'1', &farewell(12)),
        time(30_000),
    ];
    let splice = [
        input(b'0', &packet(40..42)),
        time(0),
        input(b'c', b""),
        input(b'b', &[accepted(), item(&message(901))].concat()),
        input(b'0', &packet(42..44)),
        input(b'b', &end_of_snapshot(43)),
        time(1),
        input(b'x', b""),
        input(b's', b""),
        input(b'1', &packet(44..46)),
        time(9_000),
    ];
    let torn = [
        input(b'0', &packet(30..31)),
        time(0),
        input(b'c', b""),
        input(b'b', &accepted()),
        input(b'b', &item(&message(901))[..5]),
        input(b'x', b""),
        time(1_000),
        input(b'c', b""),
        input(b'b', &[accepted(), item(&malformed(902))].concat()),
        input(b'0', &beat(33)),
    ];
    let days = [
        input(b'0', &packet(1..3)),
        input(b'0', &packet(200..201)),
        input(b'1', &packet(200..201)),
        input(b'1', &packet_of(NEXT_DAY, 1, &[message(1)])),
        input(b'0', &packet_of(NEXT_DAY, 1, &[message(1), message(2)])),
        input(b'0', &packet(3..5)),
        time(2_500),
        input(b'1', &packet_of(NEXT_DAY, 4, &[message(4)])),
        time(60_000),
    ];
    million(0xFEED, &[gap.concat(), splice.concat(), torn.concat(), days.concat()], feed);
}
