//! A feed with its owner: it drains what is released after each input, and keeps it.

use firelane_gateway::base::{Digest, LineId, Mono, Nanos, SessionId};
use firelane_gateway::flow::feed::{FeedConfig, Mold, Notice, Release, RerequestConfig, SnapshotConfig};
use firelane_gateway::flow::outbox::{Outbox, Output};
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::moldudp64::{PacketBuilder, Request, end_of_session, heartbeat};
use firelane_gateway::flow::wire::soupbintcp::{LoginAccepted, Packet, Password, Sink, format_number};
use zerocopy::IntoBytes;

pub(super) const A: LineId = LineId::A;
pub(super) const B: LineId = LineId::B;
pub(super) const R: LineId = LineId::REREQUEST;
pub(super) const DAY: [u8; 10] = *b"20261121AB";
pub(super) const NEXT_DAY: [u8; 10] = *b"20261122AB";

pub(super) use crate::targets_feed::Toy;

/// The message that has this number in every test.
pub(super) fn message(sequence: u64) -> Vec<u8> {
    let extra = (sequence % 11) as u8;
    let mut bytes = vec![b'a' + extra];
    bytes.extend(locate(sequence).to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.resize(11 + usize::from(extra), 0xEE);
    bytes
}

pub(super) fn locate(sequence: u64) -> u16 {
    (sequence % 5 + 1) as u16
}

/// The same with a length that its type does not have; its locate is still there.
pub(super) fn malformed(sequence: u64) -> Vec<u8> {
    let mut bytes = message(sequence);
    bytes.push(0);
    bytes
}

pub(super) fn packet_of(session: [u8; 10], first: u64, messages: &[Vec<u8>]) -> Vec<u8> {
    let mut buffer = vec![0; 65_536];
    let mut builder = PacketBuilder::new(&mut buffer, session, first).unwrap();
    messages.iter().for_each(|m| builder.push(m).unwrap());
    builder.finish().to_vec()
}

/// Messages `numbers` in one packet.
pub(super) fn packet(numbers: std::ops::Range<u64>) -> Vec<u8> {
    packet_of(DAY, numbers.start, &numbers.map(message).collect::<Vec<_>>())
}

/// As [`packet`], with messages `bad` malformed.
pub(super) fn spoiled(numbers: std::ops::Range<u64>, bad: &[u64]) -> Vec<u8> {
    let copy = |n| if bad.contains(&n) { malformed(n) } else { message(n) };
    packet_of(DAY, numbers.start, &numbers.map(copy).collect::<Vec<_>>())
}

pub(super) fn beat(next: u64) -> Vec<u8> {
    heartbeat(DAY, next).as_bytes().to_vec()
}

pub(super) fn farewell(next: u64) -> Vec<u8> {
    end_of_session(DAY, next).as_bytes().to_vec()
}

#[derive(Default)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Sink for Bytes {
    fn write(&mut self, parts: &[&[u8]]) {
        parts.iter().for_each(|p| self.0.extend_from_slice(p));
    }
}

pub(super) fn soup(packet: Packet<'_>) -> Vec<u8> {
    let mut bytes = Bytes::default();
    packet.send(&mut bytes).unwrap();
    bytes.0
}

pub(super) fn accepted() -> Vec<u8> {
    soup(Packet::LoginAccepted(&LoginAccepted { session: *b"   GLIMPSE", sequence: format_number(1) }))
}

pub(super) fn item(bytes: &[u8]) -> Vec<u8> {
    soup(Packet::Sequenced(bytes))
}

pub(super) fn end_of_snapshot(next: u64) -> Vec<u8> {
    item(format!("G{next:>20}").as_bytes())
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Got {
    Message(u64, Vec<u8>),
    Snapshot(Vec<u8>),
    Notice(Notice),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Sent {
    Request { session: [u8; 10], first: u64, count: u16 },
    Bytes(Vec<u8>),
    Connect,
    Disconnect,
}

pub(super) const GAP: Nanos = Nanos(100);
pub(super) const REPLY: Nanos = Nanos(1_000);
pub(super) const RETRY: Nanos = Nanos(10_000);
pub(super) const SLOW: Nanos = Nanos(50_000);
pub(super) const PATIENCE: Nanos = Nanos(5_000);

/// How long a line may be silent in tests that are about it.
pub(super) const QUIET: Nanos = Nanos(20_000);

/// [`config`], with lines that may be silent for [`QUIET`].
pub(super) fn watched() -> FeedConfig {
    FeedConfig { line_timeout: QUIET, ..config() }
}

/// Short times, so that they are easy to tell apart: gap 100, reply 1,000, two retries, ten messages a request.
pub(super) fn config() -> FeedConfig {
    FeedConfig {
        window_messages: 64,
        max_gap: 1_000,
        gap_timeout: GAP,
        line_timeout: Nanos(u64::MAX),
        rerequest: RerequestConfig { enabled: true, max_messages: 10, reply_timeout: REPLY, retries: 2 },
        ..FeedConfig::default()
    }
}

pub(super) fn with_snapshots() -> FeedConfig {
    FeedConfig {
        snapshot: Some(SnapshotConfig {
            username: *b"USER  ",
            password: Password(*b"SECRET    "),
            timeout: PATIENCE,
            retries: 2,
            retry_after: RETRY,
            slow_retry_after: SLOW,
            buffer_bytes: 256,
        }),
        ..config()
    }
}

pub(super) struct Rig {
    pub(super) feed: Mold<Toy>,
    pub(super) out: Outbox,
    pub(super) now: Mono,
    pub(super) got: Vec<Got>,
    pub(super) sent: Vec<Sent>,
    /// Whether [`Rig::take`] gives the notices about silence, which is what few tests are about.
    pub(super) hears_silence: bool,
}

impl Rig {
    pub(super) fn new(config: FeedConfig) -> Self {
        let feed = Mold::new(config).unwrap();
        Rig { feed, out: Outbox::new(0), now: Mono(1_000), got: Vec::new(), sent: Vec::new(), hears_silence: false }
    }

    /// In session, with messages 1 and 2 released and forgotten.
    pub(super) fn running(config: FeedConfig) -> Self {
        let mut rig = Rig::new(config);
        rig.packet(A, &packet(1..3));
        assert_eq!(rig.take(), [m(1), m(2)]);
        rig
    }

    pub(super) fn packet(&mut self, line: LineId, bytes: &[u8]) {
        self.feed.on_packet(self.now, line, bytes, &mut self.out);
        self.drain(bytes);
    }

    pub(super) fn session(&mut self, input: SessionInput<'_>) {
        self.feed.on_session(self.now, input, &mut self.out);
        self.drain(if let SessionInput::Bytes(bytes) = input { bytes } else { &[] });
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.session(SessionInput::Bytes(bytes));
    }

    /// Time passes; timers run when they are due, as often as they are.
    pub(super) fn pass(&mut self, time: Nanos) {
        let until = self.now.after(time);
        for step in 0.. {
            assert!(step < 10_000, "a deadline that never passes");
            let due = self.feed.next_deadline();
            if due > until {
                break;
            }
            self.now = self.now.max(due);
            self.feed.on_timer(self.now, &mut self.out);
            self.drain(&[]);
        }
        self.now = until;
    }

    pub(super) fn drain(&mut self, input: &[u8]) {
        while self.release(input) {}
        self.collect();
    }

    pub(super) fn release(&mut self, input: &[u8]) -> bool {
        let got = match self.feed.next(input) {
            None => return false,
            Some(Release::Message { sequence, bytes, .. }) => Got::Message(sequence, bytes.to_vec()),
            Some(Release::Snapshot { bytes }) => Got::Snapshot(bytes.to_vec()),
            Some(Release::Notice(notice)) => Got::Notice(notice),
        };
        self.got.push(got);
        true
    }

    pub(super) fn collect(&mut self) {
        for output in self.out.outputs() {
            self.sent.push(match output {
                Output::Datagram(_, bytes) => {
                    let request = Request::parse(bytes).unwrap();
                    Sent::Request {
                        session: request.session,
                        first: request.sequence.get(),
                        count: request.count.get(),
                    }
                }
                Output::Send { session: SessionId::SNAPSHOT, bytes, .. } => Sent::Bytes(bytes.to_vec()),
                Output::Connect(_, SessionId::SNAPSHOT) => Sent::Connect,
                Output::Disconnect(_, SessionId::SNAPSHOT) => Sent::Disconnect,
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(self.out.overflowed(), 0);
        self.out.clear();
    }

    /// What was released since the last time.
    pub(super) fn take(&mut self) -> Vec<Got> {
        let mut got = std::mem::take(&mut self.got);
        let about_silence =
            |got: &Got| matches!(got, Got::Notice(Notice::MarketSilent { .. } | Notice::MarketBack { .. }));
        got.retain(|got| self.hears_silence || !about_silence(got));
        got
    }

    /// What was sent since the last time.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.sent)
    }

    pub(super) fn digest(&self) -> u64 {
        Digest::of_state(&self.feed)
    }
}

pub(super) fn m(sequence: u64) -> Got {
    Got::Message(sequence, message(sequence))
}

pub(super) fn ms(numbers: std::ops::Range<u64>) -> Vec<Got> {
    numbers.map(m).collect()
}

pub(super) fn n(notice: Notice) -> Got {
    Got::Notice(notice)
}

pub(super) fn opened(first: u64) -> Got {
    n(Notice::GapOpened { first })
}

pub(super) fn closed() -> Got {
    n(Notice::GapClosed)
}

/// Messages that make the stream level: with the last of them the gap is closed.
pub(super) fn level(numbers: std::ops::Range<u64>) -> Vec<Got> {
    let mut got = ms(numbers);
    got.insert(got.len() - 1, closed());
    got
}

pub(super) fn lost(first: u64, count: u64) -> Got {
    n(Notice::Lost { first, count, locate: None })
}

pub(super) fn ask(first: u64, count: u16) -> Sent {
    Sent::Request { session: DAY, first, count }
}
