//! One numbered stream out of two lossy lines: A/B arbitration, gaps, re-requests, snapshots.
//!
//! ```text
//!  A ────────┐   session, sequence number       in turn: straight out of the packet
//!  B ────────┼──────────────────────────────┬──────────────────────────────────────────> messages, in order, once
//!  replies ──┘   a duplicate is known by    └─> too early: a copy into the window ──┘
//!                its header alone
//! ```
//!
//! Two kinds of feed are here: [`Mold`], which this text is about, and [`Direct`], of a stream that comes in order by itself.
//!
//! A [`Mold`] is a state machine for one MoldUDP64 channel (MoldUDP64 1.00; snapshots: GLIMPSE 5.0). It sees no clock and
//! no socket. After each input its owner takes what is released by calling
//! [`Mold::next`] until there is nothing more, with the same bytes, and calls [`Mold::on_timer`] when
//! [`Mold::next_deadline`] has come.
//!
//! **Arbitration** is by message, not by packet: the lines may cut the stream differently. What is malformed counts as
//! not received, so that another copy may heal it. A packet whose lengths do not fill it exactly is dropped whole.
//!
//! **Silence** of all lines, or the end of the session, is no market: [`Notice::MarketSilent`]. What lines say is believed
//! as far as `trust.rs` says.
//!
//! **A gap** is open while a message is known to exist that has not come. Messages behind it wait in the window; what
//! finds no room there is dropped and asked for in its turn. The other line has `gap_timeout` to fill it, then the
//! re-request server is asked, hole by hole, until an answer is complete or brought nothing too often. Then what is
//! missing is reported lost, the stream goes on behind it, and if there is a snapshot server it is asked. When all that
//! is known has come, what waited is released; with the last of it the gap is closed, and not before: a book that is
//! known to be behind is none to decide on.
//!
//! **A snapshot** is spliced in: from the login on (for a loss: from the first attempt on) the stream waits in the
//! window; at its end the snapshot names the message to go on with. The window keeps the oldest of what comes
//! meanwhile: they are needed first, and the later ones can be asked for as any gap. If an attempt fails the stream
//! goes on until the next one. So window, `max_gap` and re-request server have to be up to the messages that come while
//! a snapshot is sent: if they are not, the rest is lost again and the next snapshot is asked for.

mod config;
mod counters;
mod direct;
mod recent;
mod release;
mod snapshot;
mod splice;
mod state;
mod trust;
mod window;

pub use config::{ConfigError, FeedConfig, RerequestConfig, SnapshotConfig, Start, StreamConfig};
pub use counters::{FeedCounters, LineCounters};
pub use direct::{Broken, Direct, Framing, Said};
pub use release::{Notice, Release, SnapshotTrouble};

use super::Input;
use super::market::{Peek, Soundness};
use super::outbox::Outbox;
use super::session::SessionInput;
use super::wire::moldudp64::{END_OF_SESSION, HEADER_LENGTH, Header, Messages, Packet, Request};
use crate::base::{LineId, Mono, SessionId, State};
use core::marker::PhantomData;
use recent::Recent;
use release::Notices;
use snapshot::{ItemBytes, Served, Snapshot};
use trust::{Candidate, Pulse, Suspect};
use window::{Stored, Taken, Window};

/// Where the walk through the current packet stands.
#[derive(Clone, Copy, Debug)]
struct Cursor {
    line: usize,
    offset: usize,
    sequence: u64,
    remaining: u16,
    /// Where the packet's messages began.
    first: u64,
    /// There is a packet, and its end has not been seen to.
    open: bool,
}

/// A re-request that is out.
#[derive(Clone, Copy, Debug)]
struct Asked {
    first: u64,
    end: u64,
    until: Mono,
    /// The reply has come.
    answered: bool,
}

/// What stands behind an open gap.
#[derive(Clone, Copy, Debug, Default)]
struct Gap {
    /// What is missing below this has had its time and may be asked for.
    ripe: u64,
    /// What is missing below this was known at `marked`, and ripens `gap_timeout` later. One mark for all holes: what
    /// is found missing in between waits for the next one, up to twice as long.
    known: u64,
    marked: Mono,
    /// Requests since something came.
    attempts: u32,
}

/// What one step of [`Mold::next`] found; it borrows nothing, so that the steps can be a loop.
enum Step<'a> {
    Direct(u64, &'a [u8]),
    Held(u64, Taken),
    Snapshot(ItemBytes),
    Notice(Notice),
}

/// Puts a venue's market data in order: whatever comes in twice or too late, what is missing is found, and all of it is
/// released once, in the order in which the venue said it, with a word about each doubt.
///
/// After each input its owner takes what is released by calling [`next`](Self::next) until there is nothing more, with the
/// same bytes.
pub trait Feed: State {
    /// A datagram came on a line.
    fn on_packet(&mut self, now: Mono, line: LineId, packet: &[u8], out: &mut Outbox);

    /// Something happened to a session of its own.
    fn on_session(&mut self, now: Mono, session: SessionId, input: SessionInput<'_>, out: &mut Outbox);

    /// Time has passed.
    fn on_timer(&mut self, now: Mono, out: &mut Outbox);

    /// Books can't be trusted: everything is to be had anew.
    fn on_snapshot_wanted(&mut self, now: Mono, out: &mut Outbox);

    /// When to call [`on_timer`](Self::on_timer) next.
    fn next_deadline(&self) -> Mono;

    /// The next thing released, with the bytes of the input at hand.
    fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>>;

    /// Messages of the input at hand that [`next`](Self::next) will release in turn unless something is wrong with one of them: for
    /// hints alone. None, where it is not known that easily.
    #[inline]
    fn coming<'a>(&self, _input: &'a [u8]) -> Messages<'a> {
        Messages::at(&[], 0, 0, 0)
    }

    /// What was counted so far. What has no meaning for a protocol stays zero.
    fn counters(&self) -> &FeedCounters;

    /// The number of the next message to release.
    fn next_sequence(&self) -> u64;

    /// Can the books be trusted, as far as the feed knows?
    fn is_live(&self) -> bool;

    /// One input of the feed's, by its kind.
    #[inline]
    fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Packet(arrival, packet) => self.on_packet(now, arrival.line, packet, out),
            Input::Session(_, session, input) => self.on_session(now, session, input, out),
            Input::Timer(_) => self.on_timer(now, out),
            // Of a venue's feed there is one command.
            Input::Command(command) if !command.is_expired(now) => self.on_snapshot_wanted(now, out),
            Input::Command(_) | Input::Clock(_) => {}
        }
    }
}

impl<M: Peek> Feed for Mold<M> {
    #[inline]
    fn on_packet(&mut self, now: Mono, line: LineId, packet: &[u8], out: &mut Outbox) {
        self.on_packet(now, line, packet, out);
    }

    fn on_session(&mut self, now: Mono, session: SessionId, input: SessionInput<'_>, out: &mut Outbox) {
        if session == SessionId::SNAPSHOT {
            self.on_session(now, input, out);
        }
    }

    fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        self.on_timer(now, out);
    }

    fn on_snapshot_wanted(&mut self, now: Mono, out: &mut Outbox) {
        self.request_snapshot(now, out);
    }

    #[inline]
    fn next_deadline(&self) -> Mono {
        self.next_deadline()
    }

    #[inline]
    fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>> {
        self.next(input)
    }

    /// While all is plain: what is left of the packet.
    #[inline]
    fn coming<'a>(&self, input: &'a [u8]) -> Messages<'a> {
        let Cursor { offset, sequence, remaining, open, .. } = self.cursor;
        Messages::at(input, offset, sequence, if self.plain && open { remaining } else { 0 })
    }

    fn counters(&self) -> &FeedCounters {
        self.counters()
    }

    fn next_sequence(&self) -> u64 {
        self.next_sequence()
    }

    fn is_live(&self) -> bool {
        self.is_live()
    }
}

/// Arbitration and recovery of one channel of MoldUDP64.
#[derive(Debug)]
pub struct Mold<M> {
    /// Nothing is missing, waiting, or to be said: the next packet's messages go straight through.
    plain: bool,
    /// The next message to release.
    next: u64,
    cursor: Cursor,
    session: Option<[u8; 10]>,
    now: Mono,
    pulses: [Pulse; 2],
    /// When a line last said something that follows on the stream.
    level: Mono,
    /// Something speaks against where the stream stands, to be thrown out when a line goes on with it.
    wary: bool,
    recent: Recent,
    counters: FeedCounters,

    window: Window,
    /// Messages below this are known to exist (those below `next` anyway).
    known: u64,
    /// When that was last raised.
    raised: Mono,
    gap_open: bool,
    /// The gap has been counted.
    counted: bool,
    gap: Gap,
    asked: Option<Asked>,
    /// The stream waits for a snapshot.
    held: bool,
    snapshot: Option<Snapshot>,
    /// A message of the snapshot that waits for its notice.
    item: Option<ItemBytes>,
    begun: bool,
    /// The numbers that were reported lost last.
    lost: (u64, u64),
    /// What was released is not all that the books should have had; only a snapshot makes that good.
    damaged: bool,
    /// One past the last message of the session, once that is known, and when that was last said.
    end: Option<u64>,
    end_heard: Mono,
    ended: bool,
    /// No line says how the stream goes on, for longer than one may be silent; so it is at the start.
    dark: bool,
    dark_said: bool,
    /// Since when, in the dark, lines have spoken that stand before the stream.
    behind: Option<Mono>,
    /// A snapshot was spliced that the lines have not come up to.
    ahead: bool,
    /// The session before, whose stragglers may still come.
    previous: Option<[u8; 10]>,
    /// Another session, heard since a line last said how this one goes on.
    candidate: Option<Candidate>,
    /// A sequence number too far ahead, heard since then.
    suspect: Option<Suspect>,
    /// Where the stream stood before it was believed to be too far ahead.
    jumped: Option<u64>,
    /// Lines that contradict each other have been reported.
    differ_said: bool,
    started: bool,
    notices: Notices,
    config: FeedConfig,
    line: PhantomData<M>,
}

impl<M: Peek> Mold<M> {
    /// A feed that has heard nothing yet. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`ConfigError`] names the field that is out of its range.
    pub fn new(config: FeedConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Mold {
            plain: false,
            next: 1,
            cursor: Cursor { line: 0, offset: 0, sequence: 0, remaining: 0, first: 0, open: false },
            session: None,
            now: Mono(0),
            pulses: [Pulse::default(); 2],
            level: Mono(0),
            wary: true,
            recent: Recent::new(config.window_messages),
            counters: FeedCounters::default(),
            window: Window::new(config.window_messages, config.window_message_bytes),
            known: 1,
            raised: Mono(0),
            gap_open: false,
            counted: false,
            gap: Gap::default(),
            asked: None,
            held: false,
            snapshot: config.snapshot.map(|s| Snapshot::new(s, config.window_message_bytes)),
            item: None,
            begun: false,
            lost: (0, 0),
            damaged: false,
            end: None,
            end_heard: Mono(0),
            ended: false,
            dark: true,
            dark_said: false,
            behind: None,
            ahead: false,
            previous: None,
            candidate: None,
            suspect: None,
            jumped: None,
            differ_said: false,
            started: false,
            notices: Notices::default(),
            config,
            line: PhantomData,
        })
    }

    /// A packet (the UDP payload) came on a line. What is due by `now` is done first, unless the packet
    /// brings what is missing.
    #[inline]
    pub fn on_packet(&mut self, now: Mono, line: LineId, packet: &[u8], out: &mut Outbox) {
        self.now = self.now.max(now);
        if !self.plain {
            self.start();
            // Giving up what is in hand would be a pity.
            if !self.is_wanted(packet) {
                self.recover(out);
            }
        }
        let index = usize::from(line.0);
        let Some(count) = self.counters.lines.get_mut(index) else {
            bump(&mut self.counters.unknown_line);
            return;
        };
        bump(&mut count.packets);
        let Ok(whole) = Packet::parse(packet) else {
            bump(&mut count.bad_header);
            return;
        };
        let header = whole.header();
        let (first, messages) = (header.sequence.get(), header.messages());
        let (Some(end), 1..) = (first.checked_add(u64::from(messages)), first) else {
            bump(&mut count.bad_header);
            return;
        };
        // What is broken somewhere may be broken anywhere: its numbers are no word to go by, nor its messages.
        match whole.trailing() {
            Some(0) => {}
            Some(_) => return bump(&mut count.trailing),
            None => return bump(&mut count.truncated),
        }
        if self.session != Some(header.session) && !self.admit(header.session, index, first, end) {
            return;
        }
        self.hear_line(line);
        if messages == 0 {
            if let Some(count) = self.counters.lines.get_mut(index) {
                bump(&mut count.heartbeats);
            }
            self.announce(index, first, header.count.get() == END_OF_SESSION);
            return;
        }
        self.take_up(index, header, end, packet);
    }

    /// A sound packet with messages up to, not including, `end`.
    #[inline]
    fn take_up(&mut self, index: usize, header: &Header, end: u64, packet: &[u8]) {
        let Some(count) = self.counters.lines.get_mut(index) else { return };
        let (first, messages) = (header.sequence.get(), header.messages());
        count.messages = count.messages.wrapping_add(u64::from(messages));
        if end <= self.next {
            count.duplicates = count.duplicates.wrapping_add(u64::from(messages));
            if first < self.lost.1 && end > self.lost.0 {
                bump(&mut count.late);
            }
            // What is behind the stream is looked up, and not noted.
            self.compare(index, first, end, packet, |_| false);
            self.stand_at(index, end);
            return;
        }
        if first > self.next {
            if !self.is_plausible(index, first) {
                return;
            }
            self.plain = false;
            self.raise(first);
        }
        self.stand_at(index, end);
        let offset = HEADER_LENGTH;
        self.cursor = Cursor { line: index, offset, sequence: first, remaining: messages, first, open: true };
    }

    /// Something happened to the snapshot session.
    pub fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) {
        self.now = self.now.max(now);
        self.plain = false;
        self.start();
        let Some(snapshot) = &mut self.snapshot else { return };
        match input {
            SessionInput::Connected => {
                if snapshot.on_connected(self.now, out) {
                    self.hold();
                }
            }
            SessionInput::Bytes(bytes) => snapshot.on_bytes(self.now, bytes),
            SessionInput::Closed => {
                if let Some(why) = snapshot.on_closed(self.now) {
                    self.fail_snapshot(why, 0);
                }
            }
            // It sends a login and heartbeats, and no orders.
            SessionInput::Blocked | SessionInput::Writable | SessionInput::Dropped(_) => {}
        }
        self.recover(out);
    }

    /// Time has passed.
    pub fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        self.now = self.now.max(now);
        self.plain = false;
        self.start();
        self.look_for_silence();
        self.recover(out);
    }

    /// When to call [`on_timer`](Self::on_timer) next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        if !self.started {
            return Mono(0);
        }
        let snapshot = self.snapshot.as_ref().map_or(Mono::NEVER, Snapshot::next_deadline);
        self.silence_deadline().min(snapshot).min(self.gap_deadline())
    }

    /// The next thing released. After each input: call until `None`, with the packet or the session bytes of that
    /// input (anything after another input), before there is another input.
    #[inline]
    pub fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>> {
        while self.plain && self.cursor.open {
            let c = &mut self.cursor;
            let mut walk = Messages::at(input, c.offset, c.sequence, c.remaining);
            let Some(block) = walk.next() else {
                let (line, first, end) = (c.line, c.first, c.sequence);
                c.open = false;
                self.compare(line, first, end, input, |_| true);
                break;
            };
            match block {
                Ok((sequence, bytes)) if sequence == self.next && M::classify(bytes) != Soundness::Malformed => {
                    c.step_to(&walk);
                    self.next = sequence.wrapping_add(1);
                    self.win();
                    return Some(Release::Message { sequence, bytes, arrived: self.now });
                }
                _ => self.plain = false,
            }
        }
        if self.plain {
            return None;
        }
        Some(match self.step(input)? {
            Step::Direct(sequence, bytes) => Release::Message { sequence, bytes, arrived: self.now },
            Step::Held(sequence, taken) => {
                Release::Message { sequence, bytes: self.window.bytes(taken), arrived: taken.arrived }
            }
            Step::Snapshot(item) => {
                Release::Snapshot { bytes: self.snapshot.as_ref().map_or(&[], |snapshot| snapshot.bytes(item)) }
            }
            Step::Notice(notice) => Release::Notice(notice),
        })
    }

    /// What was counted so far.
    #[must_use]
    pub fn counters(&self) -> &FeedCounters {
        &self.counters
    }

    /// The number of the next message to release.
    #[must_use]
    pub fn next_sequence(&self) -> u64 {
        self.next
    }

    /// The session that the feed is in.
    #[must_use]
    pub fn session(&self) -> Option<[u8; 10]> {
        self.session
    }

    /// Can the books be trusted, as far as the feed knows? In a session that is not over, with a line that says how it
    /// goes on; no message missing or waiting, none lost since the last snapshot, and no snapshot asked for.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let quiet = self.session.is_some() && !self.ended && !self.dark;
        let whole = !self.is_open() && !self.gap_open && !self.damaged;
        quiet && whole && !self.snapshot.as_ref().is_some_and(Snapshot::is_pending)
    }

    /// Is what was released behind what is known, or may it be?
    fn is_open(&self) -> bool {
        let doubt = self.suspect.is_some_and(|suspect| suspect.agreed);
        self.held || self.ahead || doubt || self.known > self.next
    }

    fn tell(&mut self, notice: Notice) {
        if !self.notices.push(notice) {
            bump(&mut self.counters.notices_dropped);
            self.damaged = true;
        }
    }

    /// Has another copy of these messages had other bytes? Malformed ones are none.
    #[inline]
    fn compare(&mut self, line: usize, first: u64, end: u64, packet: &[u8], keep: impl Fn(&[u8]) -> bool) {
        let count = u16::try_from(end.saturating_sub(first)).unwrap_or(u16::MAX);
        for (sequence, bytes) in Messages::at(packet, HEADER_LENGTH, first, count).flatten() {
            if !self.recent.note(sequence, bytes, keep(bytes)) && M::classify(bytes) != Soundness::Malformed {
                self.differ(line, sequence);
            }
        }
    }

    #[cold]
    fn differ(&mut self, line: usize, sequence: u64) {
        if let Some(count) = self.counters.lines.get_mut(line) {
            bump(&mut count.contradictions);
        }
        if !core::mem::replace(&mut self.differ_said, true) {
            self.plain = false;
            self.tell(Notice::LinesDiffer { sequence, line: LineId(u8::try_from(line).unwrap_or(u8::MAX)) });
        }
    }

    // ---- What is released.

    /// One step off the fast path.
    fn step<'a>(&mut self, input: &'a [u8]) -> Option<Step<'a>> {
        loop {
            if let Some(notice) = self.notices.pop() {
                return Some(Step::Notice(notice));
            }
            if let Some(item) = self.item.take() {
                bump(&mut self.counters.snapshot_messages);
                return Some(Step::Snapshot(item));
            }
            if !self.held && self.window.holds(self.next) {
                if self.is_last(self.next) {
                    self.close_gap();
                    continue;
                }
                let Some(taken) = self.window.take(self.next) else { continue };
                let sequence = self.next;
                self.next = sequence.saturating_add(1);
                return Some(Step::Held(sequence, taken));
            }
            if self.cursor.open {
                match self.walk(input) {
                    Some(step) => return Some(step),
                    None => continue,
                }
            }
            let heard = match &mut self.snapshot {
                Some(snapshot) => snapshot.hear::<M>(self.now, input, &mut self.counters),
                None => Served::Nothing,
            };
            match heard {
                Served::Nothing if self.settle() => return None,
                Served::Nothing | Served::Ignored => {}
                Served::Item(item) => {
                    self.begin_snapshot();
                    self.item = Some(item);
                }
                Served::End(next) => self.end_snapshot(next),
                Served::Failed(why) => self.fail_snapshot(why, 0),
            }
        }
    }

    /// One block of the current packet.
    fn walk<'a>(&mut self, input: &'a [u8]) -> Option<Step<'a>> {
        let c = self.cursor;
        let mut walk = Messages::at(input, c.offset, c.sequence, c.remaining);
        let Some(Ok((sequence, bytes))) = walk.next() else {
            self.cursor.open = false;
            self.take_reply(c.line, c.first, c.sequence);
            self.compare(c.line, c.first, c.sequence, input, |bytes| M::classify(bytes) != Soundness::Malformed);
            return None;
        };
        let is_sound = M::classify(bytes) != Soundness::Malformed;
        let is_next = sequence == self.next && is_sound && !self.held;
        if is_next && self.is_last(sequence) {
            // Said first; then this message comes again.
            self.close_gap();
            return None;
        }
        let was_known = sequence < self.known;
        self.known = self.known.max(sequence.saturating_add(1));
        self.cursor.step_to(&walk);
        let count = self.counters.lines.get_mut(c.line)?;
        if sequence < self.next {
            bump(&mut count.duplicates);
            return None;
        }
        if !is_sound {
            bump(&mut count.malformed);
            if !was_known {
                self.miss();
            }
            self.window.mark_malformed(self.next, sequence, M::locate(bytes));
            return None;
        }
        if is_next {
            self.window.forget(sequence);
            self.next = sequence.saturating_add(1);
            self.win();
            self.fill(was_known, c.line);
            return Some(Step::Direct(sequence, bytes));
        }
        bump(&mut count.out_of_order);
        match self.window.store(self.next, sequence, bytes, self.now) {
            Stored::New => {
                self.win();
                self.fill(was_known, c.line);
            }
            Stored::Duplicate => bump(&mut count.duplicates),
            Stored::NoRoom => bump(&mut self.counters.window_full),
        }
        None
    }

    #[inline]
    fn win(&mut self) {
        if let Some(count) = self.counters.lines.get_mut(self.cursor.line) {
            bump(&mut count.won);
        }
    }

    fn fill(&mut self, was_known: bool, line: usize) {
        if was_known {
            let by_line = line < self.pulses.len();
            let c = &mut self.counters;
            bump(if by_line { &mut c.filled_by_line } else { &mut c.filled_by_rerequest });
        }
    }

    /// An input is used up: does a gap open or close, is the session over? True if there was nothing to say.
    fn settle(&mut self) -> bool {
        if self.asked.is_some_and(|asked| self.next >= asked.end) {
            self.asked = None;
            self.gap.attempts = 0;
        }
        let open = self.is_open();
        if open && !self.gap_open {
            self.open_gap();
        } else if !open && self.gap_open {
            self.close_gap();
        }
        self.counted &= open;
        if !open && !self.ended && self.end.is_some_and(|end| self.next >= end) {
            self.ended = true;
            self.wary = true;
            self.tell(Notice::EndOfSession);
        }
        self.plain = !open && self.window.is_empty() && self.notices.is_empty();
        self.notices.is_empty()
    }

    // ---- Gaps.

    fn open_gap(&mut self) {
        self.gap_open = true;
        self.restart_gap(self.next);
        self.tell(Notice::GapOpened { first: self.next });
    }

    fn close_gap(&mut self) {
        self.gap_open = false;
        self.counted = false;
        self.asked = None;
        self.tell(Notice::GapClosed);
    }

    /// Is message `sequence`, which is the next one, the last that the stream is behind?
    fn is_last(&self, sequence: u64) -> bool {
        let doubt = self.suspect.is_some_and(|suspect| suspect.agreed);
        self.gap_open && !self.ahead && !doubt && sequence.saturating_add(1) >= self.known
    }

    /// Missing messages below `ripe` may be asked for at once, those known by now after their time.
    fn restart_gap(&mut self, ripe: u64) {
        self.asked = None;
        self.gap = Gap { ripe, known: self.known, marked: self.now, attempts: 0 };
    }

    /// When the gap, if there is one, needs attention.
    fn gap_deadline(&self) -> Mono {
        if !self.gap_open || self.held || self.known <= self.next {
            return Mono::NEVER;
        }
        match &self.asked {
            Some(asked) if asked.answered => self.now,
            Some(asked) => asked.until,
            None if self.next < self.gap.ripe => self.now,
            None => self.gap.marked.after(self.config.gap_timeout),
        }
    }

    /// Did this packet answer the request that is out? Then the rest is asked for without waiting.
    fn take_reply(&mut self, line: usize, first: u64, end: u64) {
        let Some(asked) = &mut self.asked else { return };
        if line == usize::from(LineId::REREQUEST.0) && first <= asked.first && end > asked.first {
            asked.answered = true;
            if end < asked.end {
                bump(&mut self.counters.partial_replies);
            }
        }
    }

    /// Does what is due by now.
    fn recover(&mut self, out: &mut Outbox) {
        if self.now >= self.gap_deadline() {
            self.recover_gap(out);
        }
        if let Some(snapshot) = &mut self.snapshot
            && let Some(why) = snapshot.on_timer(self.now, out, &mut self.counters)
        {
            self.fail_snapshot(why, 0);
        }
        self.say_fruitless();
    }

    fn recover_gap(&mut self, out: &mut Outbox) {
        if self.now >= self.gap.marked.after(self.config.gap_timeout) {
            self.gap = Gap { ripe: self.gap.known, known: self.known, marked: self.now, ..self.gap };
        }
        if let Some(asked) = self.asked.take() {
            if self.next > asked.first {
                self.gap.attempts = 0;
            }
            if !asked.answered {
                bump(&mut self.counters.reply_timeouts);
            }
        }
        if self.next >= self.gap.ripe {
            return;
        }
        if self.is_contradicted() && self.now >= self.raised.after(self.patience()) {
            self.drop_claim();
            return;
        }
        let hole = self.window.end_of_hole(self.next, self.known).saturating_sub(self.next);
        let r = &self.config.rerequest;
        let tried = self.gap.attempts > r.retries;
        match self.session {
            Some(session) if r.enabled && !tried && hole <= self.config.max_gap => {
                let count = u16::try_from(hole).unwrap_or(u16::MAX).min(r.max_messages);
                out.datagram(Request::new(session, self.next, count).encode());
                bump(&mut self.counters.requests);
                self.gap.attempts = self.gap.attempts.saturating_add(1);
                let until = self.now.after(r.reply_timeout);
                let end = self.next.saturating_add(u64::from(count));
                self.asked = Some(Asked { first: self.next, end, until, answered: false });
            }
            _ => self.give_up(),
        }
    }

    /// The next message will not come, nor those after it of which nothing was seen.
    fn give_up(&mut self) {
        if self.is_contradicted() {
            self.drop_claim();
            return;
        }
        let first = self.next;
        let (end, locate) = match self.window.malformed(first) {
            Some(locate) => (first.saturating_add(1), locate),
            None => (self.window.end_of_silence(first, self.known), None),
        };
        let count = end.saturating_sub(first);
        self.window.move_to(first, end);
        self.next = end;
        self.lost = (first, end);
        self.gap.attempts = 0;
        self.counters.lost = self.counters.lost.wrapping_add(count);
        self.damaged = true;
        self.tell(Notice::Lost { first, count, locate });
        match locate {
            None => self.want_snapshot(),
            // One book is stale; the others go on until the snapshot really begins.
            Some(_) => {
                self.wish();
            }
        }
    }
}

impl Cursor {
    #[inline]
    fn step_to(&mut self, walk: &Messages<'_>) {
        self.offset = walk.offset();
        self.sequence = walk.next_sequence();
        self.remaining = walk.remaining();
    }
}

#[inline]
fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}
