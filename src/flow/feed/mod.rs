//! One numbered stream out of two lossy lines: A/B arbitration, gaps, re-requests, snapshots.
//!
//! ```text
//!  A ────────┐   session, sequence number       in turn: straight out of the packet
//!  B ────────┼──────────────────────────────┬──────────────────────────────────────────> messages, in order, once
//!  replies ──┘   a duplicate is known by    └─> too early: a copy into the window ──┘
//!                its header alone
//! ```
//!
//! A [`Feed`] is a state machine for one MoldUDP64 channel (`nasdaq-protocols.md` sections 4 and 5; traps: `feed.md`
//! section 5, no. 11). It sees no clock and no socket. After each input its owner takes what is released by calling
//! [`Feed::next`] until there is nothing more, with the same bytes, and calls [`Feed::on_timer`] when
//! [`Feed::next_deadline`] has come.
//!
//! **Arbitration** is by message, not by packet: the lines may cut the stream differently. What is malformed counts as
//! not received, so that another copy may heal it.
//!
//! **A gap** is open while a message is known to exist that has not come. Messages behind it wait in the window; what
//! finds no room there is dropped and asked for in its turn. The other line has `gap_timeout` to fill it, then the
//! re-request server is asked, hole by hole, until an answer is complete or brought nothing too often. Then what is
//! missing is reported lost, the stream goes on behind it, and if there is a snapshot server it is asked.
//!
//! **A snapshot** is spliced in: from the login on (for a loss: from the first attempt on) the stream waits in the
//! window; at its end the snapshot names the message to go on with. The window keeps the oldest of what comes
//! meanwhile: they are needed first, and the later ones can be asked for as any gap. If an attempt fails the stream
//! goes on until the next one. So window, `max_gap` and re-request server have to be up to the messages that come while
//! a snapshot is sent: if they are not, the rest is lost again and the next snapshot is asked for.

mod config;
mod counters;
mod release;
mod snapshot;
mod window;

pub use config::{ConfigError, FeedConfig, RerequestConfig, SnapshotConfig, Start};
pub use counters::{FeedCounters, LineCounters};
pub use release::{Notice, Release};

use super::market::{Class, MarketLine};
use super::outbox::Outbox;
use super::session::SessionInput;
use super::wire::moldudp64::{END_OF_SESSION, HEADER_LENGTH, Messages, Packet, Request};
use super::{Command, Input};
use crate::base::{Digest, LineId, Mono};
use core::marker::PhantomData;
use release::Notices;
use snapshot::{Heard, Item, Snapshot};
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

/// A line's signs of life.
#[derive(Clone, Copy, Debug, Default)]
struct Pulse {
    heard: Mono,
    silent: bool,
}

/// What one step of [`Feed::next`] found; it borrows nothing, so that the steps can be a loop.
enum Step<'a> {
    Direct(u64, &'a [u8]),
    Held(u64, Taken),
    Snapshot(Item),
    Notice(Notice),
}

/// Arbitration and recovery of one channel.
#[derive(Debug)]
pub struct Feed<M> {
    /// Nothing is missing, waiting, or to be said: the next packet's messages go straight through.
    plain: bool,
    /// The next message to release.
    next: u64,
    cursor: Cursor,
    session: Option<[u8; 10]>,
    now: Mono,
    pulses: [Pulse; 2],
    counters: FeedCounters,

    window: Window,
    /// Messages below this are known to exist (those below `next` anyway).
    known: u64,
    gap_open: bool,
    gap: Gap,
    asked: Option<Asked>,
    /// The stream waits for a snapshot.
    held: bool,
    snapshot: Option<Snapshot>,
    /// A message of the snapshot that waits for its notice.
    item: Option<Item>,
    begun: bool,
    /// The numbers that were reported lost last.
    lost: (u64, u64),
    /// One past the last message of the session, once that is known.
    end: Option<u64>,
    ended: bool,
    /// The session before, whose stragglers may still come.
    previous: Option<[u8; 10]>,
    /// A session heard once while this one stood at that message.
    candidate: Option<([u8; 10], u64)>,
    /// A sequence number too far ahead, heard once.
    suspect: Option<u64>,
    started: bool,
    notices: Notices,
    config: FeedConfig,
    line: PhantomData<M>,
}

impl<M: MarketLine> Feed<M> {
    /// A feed that has heard nothing yet. Allocates all that it will ever need.
    ///
    /// # Errors
    /// [`ConfigError`] names the field that is out of its range.
    pub fn new(config: FeedConfig) -> Result<Self, ConfigError> {
        config.check()?;
        Ok(Feed {
            plain: false,
            next: 1,
            cursor: Cursor { line: 0, offset: 0, sequence: 0, remaining: 0, first: 0, open: false },
            session: None,
            now: Mono(0),
            pulses: [Pulse::default(); 2],
            counters: FeedCounters::default(),
            window: Window::new(config.window_messages, config.window_message_bytes),
            known: 1,
            gap_open: false,
            gap: Gap::default(),
            asked: None,
            held: false,
            snapshot: config.snapshot.map(|s| Snapshot::new(s, config.window_message_bytes)),
            item: None,
            begun: false,
            lost: (0, 0),
            end: None,
            ended: false,
            previous: None,
            candidate: None,
            suspect: None,
            started: false,
            notices: Notices::default(),
            config,
            line: PhantomData,
        })
    }

    /// One input of the feed's, by its kind.
    #[inline]
    pub fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) {
        match input {
            Input::Packet(line, packet) => self.on_packet(now, line, packet, out),
            Input::Session(_, input) => self.on_session(now, input, out),
            Input::Timer(_) => self.on_timer(now, out),
            Input::Command(Command::Snapshot) => {
                self.request_snapshot(now, out);
            }
            Input::Command(_) => {}
        }
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
        let Ok(packet) = Packet::parse(packet) else {
            bump(&mut count.bad_header);
            return;
        };
        let header = packet.header();
        let (first, messages) = (header.sequence.get(), header.messages());
        let (Some(end), 1..) = (first.checked_add(u64::from(messages)), first) else {
            bump(&mut count.bad_header);
            return;
        };
        if self.session != Some(header.session) && !self.admit(header.session, index, first) {
            return;
        }
        self.hear_line(line);
        let Some(count) = self.counters.lines.get_mut(index) else { return };
        if messages == 0 {
            bump(&mut count.heartbeats);
            self.announce(index, first, header.count.get() == END_OF_SESSION);
            return;
        }
        count.messages = count.messages.wrapping_add(u64::from(messages));
        if end <= self.next {
            count.duplicates = count.duplicates.wrapping_add(u64::from(messages));
            if first < self.lost.1 && end > self.lost.0 {
                bump(&mut count.late);
            }
            return;
        }
        if first > self.next {
            if !self.is_plausible(index, first) {
                return;
            }
            self.plain = false;
            self.known = self.known.max(first);
        }
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
                if snapshot.on_closed(self.now) {
                    self.fail_snapshot();
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
        for (id, pulse) in [LineId::A, LineId::B].into_iter().zip(&mut self.pulses).take(self.config.lines.into()) {
            if !self.ended && !pulse.silent && self.now >= pulse.heard.after(self.config.line_timeout) {
                pulse.silent = true;
                self.notices.push(Notice::LineSilent(id));
            }
        }
        self.recover(out);
    }

    /// When to call [`on_timer`](Self::on_timer) next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        if !self.started {
            return Mono(0);
        }
        let lines = self.pulses.iter().take(self.config.lines.into()).filter(|p| !p.silent && !self.ended);
        let silence = lines.map(|p| p.heard.after(self.config.line_timeout)).min().unwrap_or(Mono::NEVER);
        let snapshot = self.snapshot.as_ref().map_or(Mono::NEVER, Snapshot::next_deadline);
        silence.min(snapshot).min(self.gap_deadline())
    }

    /// The next thing released. After each input: call until `None`, with the packet or the session bytes of that
    /// input (anything after another input), before there is another input.
    #[inline]
    pub fn next<'a>(&'a mut self, input: &'a [u8]) -> Option<Release<'a>> {
        while self.plain && self.cursor.open {
            let c = &mut self.cursor;
            let mut walk = Messages::at(input, c.offset, c.sequence, c.remaining);
            let Some(block) = walk.next() else {
                c.open = false;
                return None;
            };
            match block {
                Ok((sequence, bytes)) if sequence == self.next && M::classify(bytes) != Class::Malformed => {
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

    /// Asks for a snapshot: a book is stale for a reason that the feed does not know of. False: there is no server to
    /// ask, or no session yet. A wish that comes while one is on its way is that one's.
    pub fn request_snapshot(&mut self, now: Mono, out: &mut Outbox) -> bool {
        self.now = self.now.max(now);
        self.plain = false;
        let (Some(snapshot), Some(_)) = (&mut self.snapshot, self.session) else { return false };
        snapshot.want(self.now);
        self.recover(out);
        true
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

    /// In a session, and no message is known to be missing or waiting?
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.session.is_some() && !self.held && self.known <= self.next
    }

    /// Feeds every value that can change a later release.
    pub fn digest(&self, into: &mut Digest) {
        let flag = u64::from;
        let mut put = |values: &[u64]| values.iter().for_each(|n| into.u64(*n));
        put(&[flag(self.session.is_some()), self.next, self.known, self.now.0, flag(self.started)]);
        put(&[flag(self.held), flag(self.begun), flag(self.ended), flag(self.gap_open), self.lost.0, self.lost.1]);
        let gap = &self.gap;
        put(&[gap.ripe, gap.known, gap.marked.0, u64::from(gap.attempts), flag(self.asked.is_some())]);
        if let Some(asked) = &self.asked {
            put(&[asked.first, asked.end, asked.until.0, flag(asked.answered)]);
        }
        put(&[self.end.map_or(0, |end| end.saturating_add(1)), self.suspect.map_or(0, |n| n.saturating_add(1))]);
        self.pulses.iter().for_each(|pulse| put(&[pulse.heard.0, flag(pulse.silent)]));
        let (candidate, at) = self.candidate.unwrap_or_default();
        put(&[at]);
        [self.session.unwrap_or_default(), self.previous.unwrap_or_default(), candidate]
            .iter()
            .for_each(|s| into.bytes(s));
        self.window.digest(self.next, into);
        if let Some(snapshot) = &self.snapshot {
            snapshot.digest(into);
        }
    }

    // ---- Which packets are believed.

    /// Clocks run from the first input on.
    fn start(&mut self) {
        if !self.started {
            self.started = true;
            for pulse in &mut self.pulses {
                pulse.heard = self.now;
            }
        }
    }

    #[inline]
    fn hear_line(&mut self, line: LineId) {
        let Some(pulse) = self.pulses.get_mut(usize::from(line.0)) else { return };
        pulse.heard = self.now;
        if pulse.silent {
            pulse.silent = false;
            self.notices.push(Notice::LineBack(line));
            self.plain = false;
        }
    }

    /// Does the packet hold the next message?
    fn is_wanted(&self, packet: &[u8]) -> bool {
        Packet::parse(packet).is_ok_and(|packet| {
            let (header, first) = (packet.header(), packet.header().sequence.get());
            let within = self.next.checked_sub(first).is_some_and(|n| n < u64::from(header.messages()));
            within && self.session == Some(header.session)
        })
    }

    /// A packet of a session that is not the current one: the first, the next, or none of ours?
    #[cold]
    fn admit(&mut self, session: [u8; 10], line: usize, first: u64) -> bool {
        let expected = self.config.session.is_none_or(|expected| expected == session);
        let multicast = line < self.pulses.len();
        self.plain = false;
        if multicast && expected && self.session.is_none() {
            self.session = Some(session);
            self.join(first);
            return true;
        }
        // A straggler does not turn the clock back; and one packet alone may be a stray: a new session is believed when
        // it is heard again while the current one stands still, or is over.
        let heard_again = self.ended || self.candidate == Some((session, self.next));
        if !multicast || !expected || self.session.is_none() || self.previous == Some(session) || !heard_again {
            if multicast && expected && self.previous != Some(session) {
                self.candidate = Some((session, self.next));
            }
            if let Some(count) = self.counters.lines.get_mut(line) {
                bump(&mut count.foreign);
            }
            return false;
        }
        self.change_session(session);
        true
    }

    /// The first packet ever.
    fn join(&mut self, first: u64) {
        if self.config.start == Start::First || first == 1 {
            return;
        }
        let count = first.saturating_sub(1);
        self.next = first;
        self.known = first;
        self.lost = (1, first);
        self.counters.lost = self.counters.lost.wrapping_add(count);
        self.notices.push(Notice::Lost { first: 1, count, locate: None });
        if self.config.start == Start::Snapshot {
            self.want_snapshot();
        }
    }

    fn change_session(&mut self, session: [u8; 10]) {
        self.previous = self.session.replace(session);
        bump(&mut self.counters.session_changes);
        self.next = 1;
        self.known = 1;
        self.window.clear();
        self.gap_open = false;
        self.asked = None;
        self.held = false;
        self.item = None;
        self.begun = false;
        self.lost = (0, 0);
        self.end = None;
        self.ended = false;
        self.candidate = None;
        self.suspect = None;
        self.plain = false;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.abort(self.now);
        }
        self.notices.push(Notice::SessionChanged);
    }

    /// Is `sequence` within reach? Much farther ahead it is believed when a second packet agrees: one corrupt number
    /// must not make the feed skip the day.
    fn is_plausible(&mut self, line: usize, sequence: u64) -> bool {
        let reach = self.config.max_gap;
        if sequence <= self.known.max(self.next).saturating_add(reach) {
            return true;
        }
        if self.suspect.is_some_and(|suspect| suspect.abs_diff(sequence) <= reach) {
            self.suspect = None;
            return true;
        }
        self.suspect = Some(sequence);
        if let Some(count) = self.counters.lines.get_mut(line) {
            bump(&mut count.implausible);
        }
        false
    }

    /// A header without messages: the number of the next one, for now or for good.
    #[inline]
    fn announce(&mut self, line: usize, next: u64, is_end: bool) {
        if next <= self.next && !is_end {
            return;
        }
        if is_end && next < self.known.max(self.next) {
            // An end before what exists is none.
            if let Some(count) = self.counters.lines.get_mut(line) {
                bump(&mut count.implausible);
            }
            return;
        }
        if !self.is_plausible(line, next) {
            return;
        }
        self.plain = false;
        self.known = self.known.max(next);
        if is_end {
            self.end = Some(next);
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
            if !self.held
                && let Some(taken) = self.window.take(self.next)
            {
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
                None => Heard::Nothing,
            };
            match heard {
                Heard::Nothing if self.settle() => return None,
                Heard::Nothing | Heard::Ignored => {}
                Heard::Item(item) => {
                    self.begin_snapshot();
                    self.item = Some(item);
                }
                Heard::End(next) => self.end_snapshot(next),
                Heard::Failed => self.fail_snapshot(),
            }
        }
    }

    /// One block of the current packet.
    fn walk<'a>(&mut self, input: &'a [u8]) -> Option<Step<'a>> {
        let c = self.cursor;
        let count = self.counters.lines.get_mut(c.line)?;
        let mut walk = Messages::at(input, c.offset, c.sequence, c.remaining);
        let block = walk.next();
        self.cursor.step_to(&walk);
        let (sequence, bytes) = match block {
            None => {
                self.cursor.open = false;
                self.take_reply(c.line, c.first, c.sequence);
                return None;
            }
            Some(Err(torn)) => {
                bump(&mut count.truncated);
                // The message that begins here exists. Of those after it there is only the word of a torn packet.
                self.known = self.known.max(torn.sequence.saturating_add(1));
                return None;
            }
            Some(Ok(block)) => block,
        };
        if sequence < self.next {
            bump(&mut count.duplicates);
            return None;
        }
        let was_known = sequence < self.known;
        self.known = self.known.max(sequence.saturating_add(1));
        if M::classify(bytes) == Class::Malformed {
            bump(&mut count.malformed);
            self.window.mark_malformed(self.next, sequence, M::locate(bytes));
            return None;
        }
        if sequence == self.next && !self.held {
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
        let open = self.held || self.known > self.next;
        if open != self.gap_open {
            self.gap_open = open;
            if open {
                bump(&mut self.counters.gaps);
                self.restart_gap(self.next);
                self.notices.push(Notice::GapOpened { first: self.next });
            } else {
                self.asked = None;
                self.notices.push(Notice::GapClosed);
            }
        }
        if !open && !self.ended && self.end.is_some_and(|end| self.next >= end) {
            self.ended = true;
            self.notices.push(Notice::EndOfSession);
        }
        self.plain = !open && self.window.is_empty() && self.notices.is_empty();
        self.notices.is_empty()
    }

    // ---- Gaps.

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
            && snapshot.on_timer(self.now, out, &mut self.counters)
        {
            self.fail_snapshot();
        }
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
        self.notices.push(Notice::Lost { first, count, locate });
        match locate {
            None => self.want_snapshot(),
            // One book is stale; the others go on until the snapshot really begins.
            Some(_) => {
                if let Some(snapshot) = &mut self.snapshot {
                    snapshot.want(self.now);
                }
            }
        }
    }

    // ---- Snapshots.

    /// Every book is stale: what comes now is worth more after the snapshot than before it.
    fn want_snapshot(&mut self) {
        if let Some(snapshot) = &mut self.snapshot
            && snapshot.want(self.now)
        {
            self.hold();
        }
    }

    /// The stream waits.
    fn hold(&mut self) {
        self.held = true;
        self.plain = false;
        self.asked = None;
    }

    /// The stream goes on; what is missing has its time from now on.
    fn let_go(&mut self) {
        if self.held {
            self.held = false;
            self.restart_gap(self.next);
        }
    }

    fn begin_snapshot(&mut self) {
        if !self.begun {
            self.begun = true;
            bump(&mut self.counters.snapshots_begun);
            self.notices.push(Notice::SnapshotBegin);
        }
    }

    /// The snapshot holds everything before `next`. It is of no use if that is where the stream can't be joined: behind
    /// what is still to be had, or ahead of all reason.
    fn end_snapshot(&mut self, next: u64) {
        let behind = self.next.saturating_sub(next);
        let ahead = next.saturating_sub(self.known.max(self.next));
        let too_old = behind > 0 && (!self.config.rerequest.enabled || behind > self.config.max_gap);
        if next == 0 || too_old || ahead > self.config.max_gap {
            self.fail_snapshot();
            return;
        }
        self.begin_snapshot();
        self.known = self.known.max(self.next);
        self.window.move_to(self.next, next);
        self.next = next;
        self.lost = (0, 0);
        self.let_go();
        // It was missing all the time that the snapshot took.
        self.gap.ripe = self.known;
        self.begun = false;
        bump(&mut self.counters.snapshots_ended);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.complete(self.now);
        }
        self.notices.push(Notice::SnapshotEnd { next });
    }

    /// This attempt is lost.
    fn fail_snapshot(&mut self) {
        let Some(snapshot) = &mut self.snapshot else { return };
        bump(&mut self.counters.snapshot_failures);
        if snapshot.fail(self.now) {
            self.notices.push(Notice::SnapshotFailed);
        }
        self.item = None;
        self.begun = false;
        self.plain = false;
        self.let_go();
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
