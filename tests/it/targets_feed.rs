//! What must hold of the feed for any inputs at all. The fuzzers and the stable mutation test share this.
#![allow(unreachable_pub)] // the fuzzers take this file in by its path

use firelane_gateway::base::{
    Instrument, InstrumentId, InstrumentTable, LineId, Mono, Name, Nanos, Reader, State, Symbol, Utc, VenueId,
    VenueRef, Writer,
};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::{FeedConfig, Mold, Notice, Release, RerequestConfig, SnapshotConfig, Start};
use firelane_gateway::flow::market::{MarketLine, NoEvent, Peek, Soundness};
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::session::SessionInput;
use firelane_gateway::flow::wire::soupbintcp::Password;

/// A protocol as plain as can be: type, locate, number, padding. A message of type `a` + k has 11 + k bytes.
#[derive(Debug)]
pub struct Toy;

firelane_gateway::state! { Toy {} }

impl Peek for Toy {
    fn classify(message: &[u8]) -> Soundness {
        match message {
            [kind @ b'a'..=b'k', ..] if message.len() == 11 + usize::from(kind - b'a') => Soundness::Good,
            [] | [b'a'..=b'k', ..] => Soundness::Malformed,
            _ => Soundness::Unknown,
        }
    }
    fn locate(message: &[u8]) -> Option<u16> {
        Some(u16::from_be_bytes(message.get(1..3)?.try_into().ok()?))
    }
    fn peek_order(_: &[u8]) -> Option<VenueRef> {
        None
    }
}

impl MarketLine for Toy {
    fn venue(&self) -> VenueId {
        VenueId::FIRST
    }
    fn new_row(&self, name: Name) -> Instrument {
        Instrument { name, ..Instrument::us_equity(Symbol::default()) }
    }
    fn decode(&mut self, _: &[u8], _: &mut InstrumentTable) -> Result<Event, NoEvent> {
        Err(NoEvent::Untracked)
    }
    fn instrument(&self, _: u16) -> Option<InstrumentId> {
        None
    }
    fn subject(&self, _: &[u8]) -> Option<InstrumentId> {
        None
    }
    fn reset(&mut self, _now: Option<Utc>) {}
    fn begin(&mut self, _now: Utc) {}
}

/// An input in a script: a letter, a length, and as many bytes.
///
/// `0`, `1`, `2`: a packet on that line. `c`, `b`, `x`: the session is up, has bytes, is gone. `t`: as many
/// nanoseconds pass as the bytes say. `s`: the core asks for a snapshot.
pub fn input(letter: u8, bytes: &[u8]) -> Vec<u8> {
    let [high, low] = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    [&[letter, high, low], bytes].concat()
}

/// Plays a script to a small feed. Whatever it holds: messages are released in order, each once, or reported lost;
/// none is malformed; the session's messages never mix with a snapshot's; work ends; nothing overflows.
pub fn feed(script: &[u8]) {
    let snapshot = SnapshotConfig {
        username: *b"USER  ",
        password: Password(*b"SECRET    "),
        timeout: Nanos(5_000),
        retries: 1,
        retry_after: Nanos(1_000),
        slow_retry_after: Nanos(9_000),
        buffer_bytes: 128,
    };
    let config = FeedConfig {
        start: [Start::First, Start::Snapshot, Start::Next][script.len() % 3],
        window_messages: 8,
        max_gap: 100,
        gap_timeout: Nanos(100),
        line_timeout: Nanos(2_000),
        rerequest: RerequestConfig { enabled: true, max_messages: 4, reply_timeout: Nanos(500), retries: 1 },
        snapshot: Some(snapshot),
        ..FeedConfig::default()
    };
    let mut owner = Owner {
        feed: Mold::new(config).unwrap(),
        out: Outbox::new(0),
        next: None,
        snapshot: false,
        gap: false,
        now: Mono(0),
    };
    let mut rest = script;
    while let [letter, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(tail.len());
        let (bytes, tail) = tail.split_at(length);
        rest = tail;
        owner.play(*letter, bytes);
    }
    let saved = Writer::of(&owner.feed);
    let mut restored: Mold<Toy> = Mold::new(config).unwrap();
    restored.load(&mut Reader(&saved)).unwrap();
    assert!(Writer::of(&restored) == saved, "what is loaded is what was saved");
}

struct Owner {
    feed: Mold<Toy>,
    out: Outbox,
    next: Option<u64>,
    snapshot: bool,
    gap: bool,
    now: Mono,
}

impl Owner {
    fn play(&mut self, letter: u8, bytes: &[u8]) {
        let (now, out) = (self.now, &mut self.out);
        match letter {
            b'0'..=b'9' => self.feed.on_packet(now, LineId(letter - b'0'), bytes, out),
            b'c' => self.feed.on_session(now, SessionInput::Connected, out),
            b'b' => self.feed.on_session(now, SessionInput::Bytes(bytes), out),
            b'x' => self.feed.on_session(now, SessionInput::Closed, out),
            b's' => drop(self.feed.request_snapshot(now, out)),
            _ => self.pass(bytes),
        }
        self.drain(bytes);
    }

    fn pass(&mut self, time: &[u8]) {
        let time = time.iter().take(4).fold(0, |n, byte| n << 8 | u64::from(*byte));
        let until = self.now.after(Nanos(time));
        let mut calls = 0;
        // A silent server is asked for days if a script says so; some of that is enough.
        for _ in 0..50 {
            let due = self.feed.next_deadline();
            if due > until {
                break;
            }
            calls = if due > self.now { 0 } else { calls + 1 };
            assert!(calls < 10, "called for nothing");
            self.now = self.now.max(due);
            self.feed.on_timer(self.now, &mut self.out);
            self.drain(&[]);
        }
        self.now = until;
    }

    fn drain(&mut self, input: &[u8]) {
        while let Some(release) = self.feed.next(input) {
            match release {
                Release::Message { sequence, bytes, .. } => {
                    assert_eq!(self.next.replace(sequence + 1).unwrap_or(sequence), sequence);
                    assert_ne!(Toy::classify(bytes), Soundness::Malformed);
                    self.snapshot = false;
                }
                Release::Snapshot { bytes } => {
                    assert!(self.snapshot);
                    assert_ne!(Toy::classify(bytes), Soundness::Malformed);
                }
                Release::Notice(Notice::Lost { first, count, .. }) => {
                    assert!(count > 0);
                    assert_eq!(self.next.replace(first + count).unwrap_or(first), first);
                }
                Release::Notice(Notice::Joined { first }) => {
                    assert_eq!(self.next.replace(first).unwrap_or(1), 1);
                }
                Release::Notice(Notice::JumpDropped { next, .. }) => self.next = Some(next),
                Release::Notice(Notice::SnapshotBegin) => self.snapshot = true,
                Release::Notice(Notice::SnapshotEnd { next }) => {
                    assert!(core::mem::take(&mut self.snapshot));
                    self.next = Some(next);
                }
                Release::Notice(Notice::SessionChanged) => {
                    (self.next, self.snapshot, self.gap) = (Some(1), false, false);
                }
                Release::Notice(Notice::GapOpened { first }) => {
                    assert!(!core::mem::replace(&mut self.gap, true) && first == self.feed.next_sequence());
                }
                Release::Notice(Notice::GapClosed) => assert!(core::mem::take(&mut self.gap)),
                Release::Notice(_) => {}
            }
        }
        assert!(!self.feed.is_live() || self.feed.session().is_some() && !self.gap);
        assert_eq!(self.feed.counters().notices_dropped, 0);
        assert_eq!(self.out.overflowed(), 0);
        self.out.clear();
    }
}
