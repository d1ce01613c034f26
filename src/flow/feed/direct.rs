//! A stream that comes in order by itself: one connection, a snapshot at its beginning, then what changes.
//!
//! ```text
//!   wait ──> connect ──> greeting ──begin──> snapshot ──end──> live
//!    ↑                      │                 │ ↑               │ │
//!    │                      │                 │ └─────begin─────┘ │
//!    └──disconnect, pause───┴─────────────────┴───────────────────┘
//!         a wrong number, a frame that is none, silence, the connection lost, a snapshot asked for
//! ```
//!
//! Nothing can be missing on such a stream but by a fault of the peer's, and there is nobody to ask for it: whatever is wrong
//! ends the connection, and the next one begins with everything anew, as another session ([`Notice::SessionChanged`]), for what
//! its numbers mean is its own. While there is none nobody speaks for the books
//! ([`Notice::MarketSilent`]); those of other venues are not touched.
//!
//! Frames may be cut anywhere. Whole ones are released where they lie in the input; one that is cut is put together in a
//! buffer of the longest frame. Pauses grow as those of snapshots do; a connection that was live for longer than the longest
//! pause has helped.

use super::config::{ConfigError, StreamConfig};
use super::release::{Notice, Notices, Release, SnapshotTrouble};
use super::{Feed, FeedCounters, bump};
use crate::base::{LineId, LoadError, Mono, Nanos, Reader, Save, SessionId, State};
use crate::flow::outbox::Outbox;
use crate::flow::session::SessionInput;
use alloc::boxed::Box;
use alloc::vec;
use core::marker::PhantomData;

/// What a frame is to the feed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// All that the venue shows follows: what was said of it before is void.
    Begin,
    /// That was all; what follows are changes.
    End,
    /// The peer lives.
    Heartbeat,
    /// Something for the market line.
    Message,
}

/// The stream is no such stream: it cannot be cut any further, or not be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken;

/// How a stream is cut into frames, and what of each concerns the feed.
pub trait Framing {
    /// No frame is longer.
    const LONGEST: usize;

    /// How long the frame is that begins here; `None`: too few bytes came to tell. At most [`LONGEST`](Self::LONGEST), at
    /// least one.
    ///
    /// # Errors
    /// [`Broken`]: no frame begins so.
    fn length_of(bytes: &[u8]) -> Result<Option<usize>, Broken>;

    /// The number of a whole frame (1 is the first of a connection), and what it is.
    ///
    /// # Errors
    /// [`Broken`]: it is no frame.
    fn read(frame: &[u8]) -> Result<(u64, Said), Broken>;
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The next attempt begins at `until`.
    Waiting,
    /// The connection was asked for.
    Connecting,
    /// It is up, and no snapshot has begun.
    Greeting,
    /// A snapshot comes.
    Snapshot,
    /// What is released is the present.
    Live,
    /// Something was wrong: the connection is to be closed.
    Failed,
}

crate::value! { enum Phase { 0 => Waiting, 1 => Connecting, 2 => Greeting, 3 => Snapshot, 4 => Live, 5 => Failed } }

/// The part of a frame that has come.
#[derive(Debug)]
struct Held {
    bytes: Box<[u8]>,
    length: usize,
}

impl Held {
    fn get(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Takes as many as there is room for.
    fn push(&mut self, more: &[u8]) -> usize {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let taken = room.len().min(more.len());
        for (to, from) in room.iter_mut().zip(more) {
            *to = *from;
        }
        self.length = self.length.saturating_add(taken);
        taken
    }
}

impl State for Held {
    fn save(&self, into: &mut dyn Save) {
        into.count(self.length);
        into.bytes(self.get());
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.length = 0;
        let length = from.count(self.bytes.len())?;
        self.push(from.bytes(length)?);
        Ok(())
    }
}

/// What one step through the input found; it borrows nothing.
enum Step {
    Notice(Notice),
    /// A frame in the input, from here, so long; of a snapshot?
    Direct(usize, usize, bool),
    /// The frame that was put together: its length.
    Held(usize, bool),
}

/// The feed of a venue that speaks in order over a stream.
#[derive(Debug)]
pub struct Direct<P> {
    phase: Phase,
    /// When the phase is over, one way or the other.
    until: Mono,
    now: Mono,
    /// Is there, or may there still be, a connection?
    open: bool,
    /// A snapshot has begun before, in this connection or another.
    begun: bool,
    /// The number of the next frame.
    next: u64,
    held: Held,
    /// Since when the stream has been live.
    live_since: Option<Mono>,
    /// Connections in a row that failed, or did not last.
    fruitless: u32,
    /// Nobody speaks for the books, and that was said.
    dark: bool,
    dark_said: bool,
    /// A snapshot was asked for while one came.
    wanted: bool,
    counters: FeedCounters,
    notices: Notices,
    /// Bytes of the current input that were read; `None`: no input to read.
    taken: Option<usize>,
    config: StreamConfig,
    framing: PhantomData<P>,
}

crate::state! {
    [P: Framing] Direct[P] {
        phase, until, now, open, begun, next, held, live_since, fruitless, dark, dark_said, wanted, counters, notices,
    } without { taken, config, framing } then between_inputs
}

impl<P: Framing> Direct<P> {
    /// A feed that connects as soon as time passes. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`ConfigError`] names the field that is out of its range.
    pub fn new(config: StreamConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Direct {
            phase: Phase::Waiting,
            until: Mono(0),
            now: Mono(0),
            open: false,
            begun: false,
            next: 1,
            held: Held { bytes: vec![0; P::LONGEST].into_boxed_slice(), length: 0 },
            live_since: None,
            fruitless: 0,
            dark: true,
            dark_said: false,
            wanted: false,
            counters: FeedCounters::default(),
            notices: Notices::default(),
            taken: None,
            config,
            framing: PhantomData,
        })
    }

    fn between_inputs(&mut self) -> Result<(), LoadError> {
        self.taken = None;
        Ok(())
    }

    fn tell(&mut self, notice: Notice) {
        if !self.notices.push(notice) {
            bump(&mut self.counters.notices_dropped);
        }
    }

    const fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Greeting | Phase::Snapshot | Phase::Live)
    }

    /// What it means that nothing more comes in this phase.
    const fn stopped(&self) -> SnapshotTrouble {
        match self.phase {
            Phase::Connecting => SnapshotTrouble::Unreachable,
            Phase::Greeting => SnapshotTrouble::Unanswered,
            Phase::Live => SnapshotTrouble::Fruitless,
            _ => SnapshotTrouble::Torn,
        }
    }

    /// This connection is lost. It is closed with the next chance to write.
    fn fail(&mut self, why: SnapshotTrouble) {
        if self.phase != Phase::Live {
            bump(&mut self.counters.snapshot_failures);
        }
        let longest = self.config.slow_retry_after;
        let has_lasted = self.live_since.take().is_some_and(|since| self.now >= since.after(longest));
        self.fruitless = if has_lasted { 1 } else { self.fruitless.saturating_add(1) };
        (self.phase, self.until) = (Phase::Failed, self.now);
        (self.taken, self.held.length, self.wanted) = (None, 0, false);
        self.dark = true;
        if !core::mem::replace(&mut self.dark_said, true) {
            bump(&mut self.counters.silences);
            self.tell(Notice::MarketSilent { next: self.next, heard: why == SnapshotTrouble::Garbled });
        }
        if self.fruitless == self.config.retries.saturating_add(1) {
            self.tell(Notice::SnapshotFailed { why, next: 0 });
        }
    }

    /// Until the next attempt: twice as long each time, and the long pause once it has been tried often enough.
    fn pause(&self) -> Nanos {
        let StreamConfig { retry_after, slow_retry_after, retries, .. } = self.config;
        if self.fruitless > retries {
            return slow_retry_after;
        }
        let doubled = self.fruitless.saturating_sub(1).min(63);
        Nanos(retry_after.0.saturating_mul(1 << doubled).min(slow_retry_after.0))
    }

    /// Does what is due.
    fn recover(&mut self, out: &mut Outbox) {
        let due = self.now >= self.until;
        if due && (self.is_up() || self.phase == Phase::Connecting) {
            self.fail(self.stopped());
        }
        match self.phase {
            Phase::Failed => {
                if self.open {
                    out.disconnect(SessionId::STREAM);
                }
                (self.phase, self.until) = (Phase::Waiting, self.now.after(self.pause()));
            }
            // The last connection is still not gone.
            Phase::Waiting if due && self.open => {
                out.disconnect(SessionId::STREAM);
                self.until = self.now.after(self.pause());
            }
            Phase::Waiting if due => {
                out.connect(SessionId::STREAM);
                self.open = true;
                (self.phase, self.until) = (Phase::Connecting, self.now.after(self.config.timeout));
                bump(&mut self.counters.snapshot_attempts);
            }
            _ => {}
        }
    }

    /// One step through the input.
    #[inline]
    fn step(&mut self, input: &[u8]) -> Option<Step> {
        loop {
            if let Some(notice) = self.notices.pop() {
                return Some(Step::Notice(notice));
            }
            let from = self.taken?;
            let rest = input.get(from..).unwrap_or_default();
            if self.held.length > 0 {
                match self.put_together(from, rest) {
                    Some((length, snapshot)) => return Some(Step::Held(length, snapshot)),
                    None => continue,
                }
            }
            match P::length_of(rest) {
                Ok(Some(length)) if length > 0 && length <= rest.len() => {
                    self.taken = Some(from.saturating_add(length));
                    let read = P::read(rest.get(..length).unwrap_or_default());
                    if let Some(snapshot) = self.hear(read) {
                        return Some(Step::Direct(from, length, snapshot));
                    }
                }
                Ok(_) => {
                    self.held.push(rest);
                    self.taken = None;
                }
                Err(Broken) => _ = self.hear(Err(Broken)),
            }
        }
    }

    /// More of the frame that was cut. If it is a message and whole: its length, and is it a snapshot's?
    #[cold]
    fn put_together(&mut self, from: usize, rest: &[u8]) -> Option<(usize, bool)> {
        let length = match P::length_of(self.held.get()) {
            Ok(length) => length,
            Err(Broken) => return self.hear(Err(Broken)).map(|snapshot| (0, snapshot)),
        };
        // Byte by byte until it says how long it is.
        let end = length.unwrap_or(self.held.length.saturating_add(1));
        let missing = end.saturating_sub(self.held.length);
        if missing > 0 {
            let pushed = self.held.push(rest.get(..missing).unwrap_or(rest));
            self.taken = (pushed > 0).then(|| from.saturating_add(pushed));
            if pushed < missing || length.is_none() {
                return None;
            }
        }
        let read = P::read(self.held.get());
        self.held.length = 0;
        self.hear(read).map(|snapshot| (end, snapshot))
    }

    /// A whole frame. If it is a message: is it a snapshot's?
    #[inline]
    fn hear(&mut self, read: Result<(u64, Said), Broken>) -> Option<bool> {
        let [line, ..] = &mut self.counters.lines;
        let said = match read {
            Ok((sequence, said)) if sequence == self.next => said,
            Ok(_) => {
                bump(&mut line.out_of_order);
                bump(&mut self.counters.gaps);
                self.fail(SnapshotTrouble::Garbled);
                return None;
            }
            Err(Broken) => {
                bump(&mut line.malformed);
                self.fail(SnapshotTrouble::Garbled);
                return None;
            }
        };
        self.next = self.next.wrapping_add(1);
        self.until = self.now.after(self.config.timeout);
        match (said, self.phase) {
            (Said::Message, Phase::Live) => {
                bump(&mut line.messages);
                bump(&mut line.won);
                return Some(false);
            }
            (Said::Message, Phase::Snapshot) => {
                bump(&mut self.counters.snapshot_messages);
                return Some(true);
            }
            (Said::Heartbeat, _) => bump(&mut line.heartbeats),
            (Said::Begin, phase) => {
                // What the numbers of the last connection meant is void.
                if core::mem::replace(&mut self.begun, true) && phase == Phase::Greeting {
                    bump(&mut self.counters.session_changes);
                    self.tell(Notice::SessionChanged);
                }
                self.phase = Phase::Snapshot;
                bump(&mut self.counters.snapshots_begun);
                self.tell(Notice::SnapshotBegin);
            }
            (Said::End, Phase::Snapshot) => self.end_snapshot(),
            (Said::Message | Said::End, _) => {
                bump(&mut line.implausible);
                self.fail(SnapshotTrouble::Garbled);
            }
        }
        None
    }

    fn end_snapshot(&mut self) {
        self.phase = Phase::Live;
        self.live_since = self.live_since.or(Some(self.now));
        bump(&mut self.counters.snapshots_ended);
        self.tell(Notice::SnapshotEnd { next: self.next });
        if core::mem::take(&mut self.dark) {
            let said = core::mem::take(&mut self.dark_said);
            self.tell(Notice::MarketBack { next: self.next, said });
        }
        if self.wanted {
            self.fail(SnapshotTrouble::Fruitless);
        }
    }
}

impl<P: Framing> Feed for Direct<P> {
    /// It has no lines.
    fn on_packet(&mut self, now: Mono, _: LineId, _: &[u8], out: &mut Outbox) {
        self.now = self.now.max(now);
        bump(&mut self.counters.unknown_line);
        self.recover(out);
    }

    fn on_session(&mut self, now: Mono, session: SessionId, input: SessionInput<'_>, out: &mut Outbox) {
        if session != SessionId::STREAM {
            return;
        }
        self.now = self.now.max(now);
        match input {
            SessionInput::Connected if self.phase == Phase::Connecting => {
                self.next = 1;
                self.held.length = 0;
                (self.phase, self.until) = (Phase::Greeting, self.now.after(self.config.timeout));
            }
            SessionInput::Connected => {
                out.disconnect(SessionId::STREAM);
            }
            SessionInput::Bytes(_) => {
                let [line, ..] = &mut self.counters.lines;
                bump(&mut line.packets);
                if self.is_up() {
                    // Whatever was due: this may be what was waited for.
                    self.taken = Some(0);
                    return;
                }
                let [line, ..] = &mut self.counters.lines;
                bump(&mut line.late);
            }
            SessionInput::Closed => {
                self.open = false;
                if self.is_up() || self.phase == Phase::Connecting {
                    self.fail(self.stopped());
                }
            }
            // It sends nothing.
            SessionInput::Blocked | SessionInput::Writable | SessionInput::Dropped(_) => {}
        }
        self.recover(out);
    }

    fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        self.now = self.now.max(now);
        self.recover(out);
    }

    /// Connects anew, unless a connection is on its way whose snapshot is still to come.
    fn on_snapshot_wanted(&mut self, now: Mono, out: &mut Outbox) {
        self.now = self.now.max(now);
        match self.phase {
            Phase::Live => self.fail(SnapshotTrouble::Fruitless),
            // This one may itself be what is wrong.
            Phase::Snapshot => self.wanted = true,
            Phase::Waiting | Phase::Connecting | Phase::Greeting | Phase::Failed => {}
        }
        self.recover(out);
    }

    #[inline]
    fn next_deadline(&self) -> Mono {
        self.until
    }

    #[inline]
    fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>> {
        let (bytes, snapshot) = match self.step(input)? {
            Step::Notice(notice) => return Some(Release::Notice(notice)),
            Step::Direct(from, length, snapshot) => {
                (input.get(from..).and_then(|rest| rest.get(..length)).unwrap_or_default(), snapshot)
            }
            Step::Held(length, snapshot) => (self.held.bytes.get(..length).unwrap_or_default(), snapshot),
        };
        Some(if snapshot {
            Release::Snapshot { bytes }
        } else {
            Release::Message { sequence: self.next.wrapping_sub(1), bytes, arrived: self.now }
        })
    }

    fn counters(&self) -> &FeedCounters {
        &self.counters
    }

    fn next_sequence(&self) -> u64 {
        self.next
    }

    fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;
    use crate::flow::outbox::Output;
    use std::vec::Vec;

    /// Frames of a length, a number, a letter and whatever else.
    #[derive(Debug)]
    struct Plain;

    impl Framing for Plain {
        const LONGEST: usize = 8;

        fn length_of(bytes: &[u8]) -> Result<Option<usize>, Broken> {
            match bytes.first() {
                None => Ok(None),
                Some(length @ 3..=8) => Ok(Some(usize::from(*length))),
                Some(_) => Err(Broken),
            }
        }

        fn read(frame: &[u8]) -> Result<(u64, Said), Broken> {
            let said = match frame[2] {
                b'b' => Said::Begin,
                b'e' => Said::End,
                b'h' => Said::Heartbeat,
                b'm' => Said::Message,
                _ => return Err(Broken),
            };
            Ok((u64::from(frame[1]), said))
        }
    }

    const CONFIG: StreamConfig =
        StreamConfig { timeout: Nanos(100), retries: 2, retry_after: Nanos(10), slow_retry_after: Nanos(50) };

    /// The feed with what it has released and asked for.
    struct Line {
        feed: Direct<Plain>,
        now: Mono,
        out: Outbox,
        said: Vec<std::string::String>,
    }

    impl Line {
        fn new() -> Self {
            Line { feed: Direct::new(CONFIG).unwrap(), now: Mono(1), out: Outbox::new(0), said: Vec::new() }
        }

        fn give(&mut self, input: SessionInput<'_>) {
            self.feed.on_session(self.now, SessionId::STREAM, input, &mut self.out);
            self.drain(match input {
                SessionInput::Bytes(bytes) => bytes,
                _ => b"",
            });
        }

        fn drain(&mut self, bytes: &[u8]) {
            use std::format;
            while let Some(release) = self.feed.next(bytes) {
                self.said.push(match release {
                    Release::Message { sequence, bytes, arrived } => {
                        assert_eq!(arrived, self.now);
                        format!("{sequence}:{}", bytes.len())
                    }
                    Release::Snapshot { bytes } => format!("s{}", bytes.len()),
                    Release::Notice(notice) => format!("{notice:?}"),
                });
            }
            for output in self.out.outputs() {
                match output {
                    Output::Connect(..) => self.said.push("connect".into()),
                    Output::Disconnect(..) => self.said.push("disconnect".into()),
                    other => panic!("{other:?}"),
                }
            }
            self.out.clear();
        }

        /// To this time, timers and all.
        fn until(&mut self, at: u64) {
            while self.feed.next_deadline() <= Mono(at) {
                self.now = self.now.max(self.feed.next_deadline());
                self.feed.on_timer(self.now, &mut self.out);
                self.drain(b"");
            }
            self.now = Mono(at);
        }

        fn bytes(&mut self, bytes: &[u8]) {
            self.give(SessionInput::Bytes(bytes));
        }

        fn said(&mut self) -> Vec<std::string::String> {
            core::mem::take(&mut self.said)
        }

        fn live() -> Self {
            let mut line = Line::new();
            line.until(1);
            line.give(SessionInput::Connected);
            line.bytes(b"\x03\x01b\x03\x02e");
            assert!(line.feed.is_live());
            line.said.clear();
            line
        }
    }

    const SILENT: &str = "MarketSilent { next: 3, heard: false }";
    const GARBLED: &str = "MarketSilent { next: 3, heard: true }";

    #[test]
    fn a_connection_is_asked_for_and_its_snapshot_makes_it_live() {
        let mut line = Line::new();
        line.until(1);
        assert_eq!(line.said(), ["connect"]);
        line.give(SessionInput::Connected);
        line.bytes(b"\x03\x01h\x03\x02b\x05\x03mxx\x03\x04h\x03\x05e\x04\x06mx");
        let end = ["SnapshotBegin", "s5", "SnapshotEnd { next: 6 }", "MarketBack { next: 6, said: false }", "6:4"];
        assert_eq!(line.said(), end);
        // The venue starts over within the connection.
        line.bytes(b"\x03\x07b\x03\x08m\x03\x09e\x03\x0am");
        assert_eq!(line.said(), ["SnapshotBegin", "s3", "SnapshotEnd { next: 10 }", "10:3"]);
        let c = line.feed.counters();
        assert_eq!((c.snapshots_begun, c.snapshots_ended, c.snapshot_messages, c.lines[0].heartbeats), (2, 2, 2, 2));
        assert_eq!((c.lines[0].messages, c.snapshot_attempts, c.snapshot_failures, c.session_changes), (2, 1, 0, 0));
    }

    #[test]
    fn frames_may_be_cut_anywhere() {
        let wire = b"\x03\x01b\x08\x02mabcde\x03\x03e\x07\x04mabcd\x03\x05h\x03\x06m";
        let play = |cuts: &[usize]| {
            let mut line = Line::new();
            line.until(1);
            line.give(SessionInput::Connected);
            let mut from = 0;
            for cut in cuts.iter().copied().chain([wire.len()]) {
                line.bytes(&wire[from..cut]);
                from = cut;
            }
            line.said()
        };
        let whole = play(&[]);
        assert_eq!(whole.len(), 7, "{whole:?}");
        for one in 0..=wire.len() {
            for two in one..=wire.len() {
                assert_eq!(play(&[one, two]), whole, "{one} {two}");
            }
        }
        assert_eq!(play(&(1..wire.len()).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn whatever_is_wrong_ends_the_connection_and_the_next_begins_anew() {
        for (wrong, what) in [
            (&b"\x03\x04m"[..], GARBLED),                            // a number too far
            (b"\x03\x02m", GARBLED),                                 // one too few
            (b"\x02\x03", GARBLED),                                  // no length
            (b"\x03\x03?", GARBLED),                                 // no frame
            (b"\x03\x03e", "MarketSilent { next: 4, heard: true }"), // the end of nothing
        ] {
            let mut line = Line::live();
            line.bytes(wrong);
            assert_eq!(line.said(), [what], "{wrong:?}");
            assert!(!line.feed.is_live() && line.feed.next_deadline() <= line.now, "{wrong:?}");
            line.until(5);
            assert_eq!(line.said(), ["disconnect"]);
            // What still comes of it is nobody's.
            line.bytes(b"\x03\x03m");
            assert_eq!((line.said().len(), line.feed.counters().lines[0].late), (0, 1));
            line.give(SessionInput::Closed);
            line.until(10);
            assert_eq!(line.said().len(), 0, "the pause is not over");
            line.until(11);
            assert_eq!(line.said(), ["connect"]);
            line.give(SessionInput::Connected);
            line.bytes(b"\x03\x01b\x03\x02e");
            let healed =
                ["SessionChanged", "SnapshotBegin", "SnapshotEnd { next: 3 }", "MarketBack { next: 3, said: true }"];
            assert_eq!(line.said(), healed);
            assert_eq!(line.feed.counters().session_changes, 1);
        }
    }

    #[test]
    fn silence_and_a_lost_connection_are_told_once_and_pauses_grow() {
        let mut line = Line::live();
        line.until(100);
        assert!(line.feed.is_live() && line.said().is_empty());
        line.bytes(b"\x03\x03h");
        line.until(199);
        assert!(line.feed.is_live(), "a heartbeat counts");
        line.until(200);
        assert_eq!(line.said(), ["MarketSilent { next: 4, heard: false }", "disconnect"]);
        line.give(SessionInput::Closed);
        // It was live for long: the first pause is the short one; then 20, then 50.
        for at in [210, 230, 280, 330] {
            line.until(at - 1);
            assert!(line.said().is_empty(), "{at}");
            line.until(at);
            assert_eq!(line.said(), ["connect"], "{at}");
            line.give(SessionInput::Closed);
            let said = line.said();
            let expected: &[&str] = if at == 230 { &["SnapshotFailed { why: Unreachable, next: 0 }"] } else { &[] };
            assert_eq!(said, expected, "{at}");
        }
        assert_eq!((line.feed.counters().silences, line.feed.counters().snapshot_failures), (1, 4));
    }

    #[test]
    fn no_answer_and_a_torn_snapshot_are_failures() {
        let mut line = Line::new();
        line.until(101);
        assert_eq!(line.said(), ["connect", "MarketSilent { next: 1, heard: false }", "disconnect"]);
        // Up after all: too late.
        line.give(SessionInput::Connected);
        assert_eq!(line.said(), ["disconnect"]);
        line.give(SessionInput::Closed);
        line.until(111);
        line.give(SessionInput::Connected);
        line.bytes(b"\x03\x01b\x08\x02mab");
        line.give(SessionInput::Closed);
        assert_eq!(line.said(), ["connect", "SnapshotBegin"]);
        // Nothing of the cut frame is left.
        line.until(131);
        line.give(SessionInput::Connected);
        line.bytes(b"\x03\x01b\x03\x02m\x03\x03e");
        let all = line.said();
        assert_eq!(all[..4], ["connect", "SessionChanged", "SnapshotBegin", "s3"], "{all:?}");
        assert!(line.feed.is_live());
    }

    #[test]
    fn a_snapshot_that_is_wanted_is_another_connection() {
        let mut line = Line::live();
        line.feed.on_snapshot_wanted(line.now, &mut line.out);
        line.drain(b"");
        assert_eq!(line.said(), [SILENT, "disconnect"]);
        // Asked again while one is on its way: that one.
        for at in [2, 3] {
            line.now = Mono(at);
            line.feed.on_snapshot_wanted(line.now, &mut line.out);
            line.drain(b"");
        }
        line.give(SessionInput::Closed);
        line.until(11);
        assert_eq!(line.said(), ["connect"]);
        line.give(SessionInput::Connected);
        line.bytes(b"\x03\x01b");
        line.feed.on_snapshot_wanted(line.now, &mut line.out);
        line.said.clear();
        // What comes may itself be what is wrong.
        line.bytes(b"\x03\x02e");
        let end = ["SnapshotEnd { next: 3 }", "MarketBack { next: 3, said: true }", SILENT];
        assert_eq!(line.said(), end);
        assert!(!line.feed.is_live());
    }

    #[test]
    fn what_is_not_its_own_is_of_no_effect() {
        let mut line = Line::live();
        for session in [SessionId::ORDERS, SessionId::SNAPSHOT] {
            line.feed.on_session(line.now, session, SessionInput::Closed, &mut line.out);
            line.feed.on_session(line.now, session, SessionInput::Bytes(b"?"), &mut line.out);
        }
        line.feed.on_packet(line.now, LineId::A, b"packet", &mut line.out);
        line.drain(b"packet");
        line.give(SessionInput::Blocked);
        line.give(SessionInput::Writable);
        assert!(line.feed.is_live() && line.said().is_empty() && line.feed.counters().unknown_line == 1);
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Direct<Plain>); 18] = [
            |_| {},
            |d| d.phase = Phase::Connecting,
            |d| d.phase = Phase::Live,
            |d| d.until = Mono(9),
            |d| d.now = Mono(9),
            |d| d.open = true,
            |d| d.begun = true,
            |d| d.next = 9,
            |d| _ = d.held.push(b"a"),
            |d| _ = d.held.push(b"abcdefgh"),
            |d| d.live_since = Some(Mono(0)),
            |d| d.live_since = Some(Mono(9)),
            |d| d.fruitless = 9,
            |d| d.dark = false,
            |d| d.dark_said = true,
            |d| d.wanted = true,
            |d| d.counters.gaps = 9,
            |d| _ = d.notices.push(Notice::GapClosed),
        ];
        assert_all_saved(|| Direct::new(CONFIG).unwrap(), &changes);
    }

    #[test]
    fn values_out_of_their_range_are_refused_by_name() {
        let field = |config: StreamConfig| config.check().err().map(|error| error.field);
        assert_eq!(field(CONFIG), None);
        assert_eq!(field(StreamConfig { retries: 1_000, slow_retry_after: Nanos(10), ..CONFIG }), None);
        assert_eq!(field(StreamConfig { timeout: Nanos(0), ..CONFIG }), Some("stream.timeout"));
        assert_eq!(field(StreamConfig { retries: 1_001, ..CONFIG }), Some("stream.retries"));
        assert_eq!(field(StreamConfig { retry_after: Nanos(0), ..CONFIG }), Some("stream.retry_after"));
        assert_eq!(field(StreamConfig { slow_retry_after: Nanos(9), ..CONFIG }), Some("stream.slow_retry_after"));
    }
}
