//! Which packets are believed: of which session, with which numbers, and for how long silence is none.
//!
//! One rule for all of it: **while the lines go on where the stream stands, nothing else is believed.** A packet of
//! another session, or with a number out of reach, is counted and remembered. It is believed when a second one agrees,
//! and no line has said anything that follows on the stream for longer than a line may be silent, or the session is over.
//! (A session that itself goes on, packet after packet, while the current one says nothing, need not wait so long: copies
//! of one bad datagram can't do that.)
//! The other way round, what was believed is taken back when the lines go on before it: a number that only a header
//! named, when every line has since named lower ones; the place of the stream itself, when the lines stand before it for
//! as long; the session, as any other.

use super::release::Notice;
use super::{Mold, Peek, Start, bump};
use crate::base::{LineId, Mono, Nanos};
use crate::flow::wire::moldudp64::Packet;

/// A line's signs of life.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pulse {
    pub(super) heard: Mono,
    pub(super) silent: bool,
    /// Where the line's latest packet ended: the number that it would go on with. 0: none came.
    pub(super) stands: u64,
}

/// A number out of reach that was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Suspect {
    pub(super) number: u64,
    /// A second packet agreed. Until it is known who is right, the stream has a gap.
    pub(super) agreed: bool,
}

/// Another session that was heard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) name: [u8; 10],
    /// The lowest number that was heard of it: what it is joined at.
    pub(super) first: u64,
    /// Where its furthest packet ended.
    pub(super) number: u64,
    /// Packets that went on from there.
    pub(super) steps: u8,
}

/// So many packets that go on are a stream.
const STREAM: u8 = 3;

impl<M: Peek> Mold<M> {
    /// Clocks run from the first input on.
    pub(super) fn start(&mut self) {
        if !self.started {
            self.started = true;
            self.level = self.now;
            for pulse in &mut self.pulses {
                pulse.heard = self.now;
            }
        }
    }

    #[inline]
    pub(super) fn hear_line(&mut self, line: LineId) {
        let Some(pulse) = self.pulses.get_mut(usize::from(line.0)) else { return };
        pulse.heard = self.now;
        if pulse.silent {
            pulse.silent = false;
            self.tell(Notice::LineBack(line));
            self.plain = false;
        }
    }

    /// Does the packet hold the next message?
    pub(super) fn is_wanted(&self, packet: &[u8]) -> bool {
        Packet::parse(packet).is_ok_and(|packet| {
            let (header, first) = (packet.header(), packet.header().sequence.get());
            let within = self.next.checked_sub(first).is_some_and(|n| n < u64::from(header.messages()));
            within && self.session == Some(header.session)
        })
    }

    /// The number that a line's packet ended with. One that follows on the stream shows that it is where the lines are.
    #[inline]
    pub(super) fn stand_at(&mut self, line: usize, number: u64) {
        let Some(pulse) = self.pulses.get_mut(line) else { return };
        pulse.stands = number;
        if number >= self.next {
            self.level = self.now;
            if self.wary {
                self.reassure();
            }
        } else if self.dark {
            self.behind = self.behind.or(Some(self.now));
            self.plain = false;
        }
    }

    /// A line has gone on where the stream stands: what spoke against it is void.
    #[cold]
    fn reassure(&mut self) {
        self.plain = false;
        self.candidate = None;
        self.ahead = false;
        self.behind = None;
        if let Some(suspect) = self.suspect.take() {
            bump(&mut self.counters.jumps_dropped);
            self.tell(Notice::JumpDropped { number: suspect.number, next: self.next, damaged: false });
        }
        if self.ended && self.now >= self.end_heard.after(self.config.line_timeout) {
            self.ended = false;
            self.end = None;
            self.tell(Notice::SessionGoesOn);
        }
        self.brighten();
        self.wary = self.ended;
    }

    /// The lines are back. What is missing is said first, so that no book looks fresh in between.
    fn brighten(&mut self) {
        if self.dark {
            if self.is_open() && !self.gap_open {
                self.open_gap();
            }
            self.dark = false;
            let said = core::mem::take(&mut self.dark_said);
            self.tell(Notice::MarketBack { next: self.next, said });
        }
    }

    /// Where the lines stand that are heard: what the furthest of them goes on with. 0: none is.
    pub(super) fn stand(&self) -> u64 {
        let heard = self.pulses.iter().take(self.config.lines.into()).filter(|pulse| !pulse.silent);
        heard.map(|pulse| pulse.stands).max().unwrap_or_default()
    }

    /// When silence is to be looked at next.
    pub(super) fn silence_deadline(&self) -> Mono {
        let lines = self.pulses.iter().take(self.config.lines.into()).filter(|p| !p.silent && !self.ended);
        let lines = lines.map(|p| p.heard.after(self.config.line_timeout)).min().unwrap_or(Mono::NEVER);
        lines.min(self.darkness())
    }

    /// When the stream, if it is not dark yet, is; or when lines that came back before it have said so for long enough.
    fn darkness(&self) -> Mono {
        let since = if self.is_dark_news() { Some(self.level) } else { self.behind };
        since.map_or(Mono::NEVER, |since| since.after(self.config.line_timeout))
    }

    /// Would anything change if the lines said nothing for too long?
    fn is_dark_news(&self) -> bool {
        !self.dark || !self.dark_said && !self.ended
    }

    /// Lines, and the stream as a whole, that have said nothing for too long.
    pub(super) fn look_for_silence(&mut self) {
        let timeout = self.config.line_timeout;
        for (index, id) in [LineId::A, LineId::B].into_iter().enumerate().take(self.config.lines.into()) {
            let ended = self.ended;
            let Some(pulse) = self.pulses.get_mut(index) else { continue };
            if !ended && !pulse.silent && self.now >= pulse.heard.after(timeout) {
                pulse.silent = true;
                self.tell(Notice::LineSilent(id));
            }
        }
        if self.now < self.darkness() {
            return;
        }
        self.behind = None;
        self.dark = true;
        self.wary = true;
        let stand = self.stand();
        if stand != 0 && stand < self.next {
            self.go_back(stand);
        } else if !self.ended && !self.dark_said {
            self.dark_said = true;
            bump(&mut self.counters.silences);
            let lines = self.pulses.iter().take(self.config.lines.into());
            let heard = lines.map(|pulse| pulse.heard).any(|heard| self.now < heard.after(timeout));
            self.tell(Notice::MarketSilent { next: self.next, heard });
        }
    }

    /// The lines speak, and what they say lies before what was released, for too long to be late: the stream's place was
    /// wrong. What they said meanwhile was taken for old, so that only a snapshot makes the books right.
    fn go_back(&mut self, to: u64) {
        let number = self.next.max(self.known);
        bump(&mut self.counters.jumps_dropped);
        self.place_at(to);
        self.damaged = true;
        self.ahead = false;
        self.candidate = None;
        self.level = self.now;
        self.tell(Notice::JumpDropped { number, next: to, damaged: true });
        self.want_snapshot();
        self.brighten();
        self.wary = false;
    }

    /// The stream goes on at `next`, and nothing is known of what comes.
    pub(super) fn place_at(&mut self, next: u64) {
        self.window.clear();
        self.recent.clear();
        self.next = next;
        self.known = next;
        self.asked = None;
        self.item = None;
        self.lost = (0, 0);
        self.end = None;
        self.ended = false;
        self.suspect = None;
        self.jumped = None;
        self.behind = None;
        self.plain = false;
    }

    /// A packet of a session that is not the current one: the first, the next, or none of ours?
    #[cold]
    pub(super) fn admit(&mut self, session: [u8; 10], line: usize, first: u64, end: u64) -> bool {
        self.plain = false;
        let expected = self.config.session.is_none_or(|expected| expected == session);
        // A session is ten characters: other bytes are no header.
        let is_name = session.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let fit = line < self.pulses.len() && expected && is_name;
        if fit && self.session.is_none() {
            self.session = Some(session);
            self.join(first);
            return true;
        }
        // A straggler of the session before does not turn the clock back, unless the one after it has fallen silent.
        let silent = self.dark && self.now >= self.level.after(self.config.line_timeout);
        let over = silent || self.ended && self.previous != Some(session);
        if fit {
            let before = self.candidate.filter(|candidate| candidate.name == session);
            let mut now = before.unwrap_or(Candidate { name: session, first, number: end, steps: 0 });
            now.first = now.first.min(first);
            if end > now.number {
                now = Candidate { number: end, steps: now.steps.saturating_add(1), ..now };
            }
            let is_stream = now.steps >= STREAM && self.previous != Some(session);
            if before.is_some() && over || is_stream {
                // What the packets before this one held is asked for: it was heard, and is not lost.
                self.change_session(session, now.first);
                return true;
            }
            self.candidate = Some(now);
            self.wary = true;
        }
        if let Some(count) = self.counters.lines.get_mut(line) {
            bump(&mut count.foreign);
        }
        false
    }

    /// The first packet ever, or of a session.
    fn join(&mut self, first: u64) {
        if self.config.start == Start::First || first == 1 {
            return;
        }
        self.next = first;
        self.known = first;
        self.lost = (1, first);
        self.damaged = true;
        self.tell(Notice::Joined { first });
        if self.config.start == Start::Snapshot {
            self.want_snapshot();
        }
    }

    fn change_session(&mut self, session: [u8; 10], first: u64) {
        self.previous = self.session.replace(session);
        bump(&mut self.counters.session_changes);
        self.place_at(1);
        self.gap_open = false;
        self.counted = false;
        self.held = false;
        self.begun = false;
        self.candidate = None;
        self.ahead = false;
        self.damaged = false;
        self.differ_said = false;
        // Until its numbers are believed, too; but it has its time for that.
        self.dark = true;
        self.level = self.now;
        self.wary = true;
        for pulse in &mut self.pulses {
            pulse.stands = 0;
        }
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.abort(self.now);
        }
        self.tell(Notice::SessionChanged);
        self.join(first);
    }

    /// Is `sequence` within reach? One much farther ahead is believed when nothing speaks against it any more: one
    /// corrupt number, even on both lines, must not make the feed skip the day.
    pub(super) fn is_plausible(&mut self, line: usize, sequence: u64) -> bool {
        let reach = self.config.max_gap;
        if sequence <= self.known.max(self.next).saturating_add(reach) {
            return true;
        }
        if line < self.pulses.len() {
            let agreed = self.suspect.is_some_and(|suspect| suspect.number.abs_diff(sequence) <= reach);
            if agreed && self.dark {
                self.suspect = None;
                self.jumped = self.jumped.or(Some(self.next));
                return true;
            }
            self.suspect = Some(Suspect { number: sequence, agreed });
            self.wary = true;
            self.plain = false;
        }
        if let Some(count) = self.counters.lines.get_mut(line) {
            bump(&mut count.implausible);
        }
        false
    }

    /// A header without messages: the number of the next one, for now or for good.
    #[inline]
    pub(super) fn announce(&mut self, line: usize, next: u64, is_end: bool) {
        if line >= self.pulses.len() {
            return;
        }
        if is_end && next < self.known.max(self.next) {
            // An end before what exists is none.
            if let Some(count) = self.counters.lines.get_mut(line) {
                bump(&mut count.implausible);
            }
            return;
        }
        if next > self.next && !self.is_plausible(line, next) {
            return;
        }
        if is_end {
            self.end_heard = self.now;
            self.end = Some(next);
            self.plain = false;
        }
        if next > self.next {
            self.plain = false;
            self.raise(next);
        }
        self.stand_at(line, next);
    }

    /// Messages below `number` are known to exist.
    #[inline]
    pub(super) fn raise(&mut self, number: u64) {
        if number > self.known.max(self.next) {
            self.known = number;
            self.raised = self.now;
            self.miss();
        }
    }

    /// A message is missing: counted once until the gap is closed.
    #[inline]
    pub(super) fn miss(&mut self) {
        if !self.counted {
            self.counted = true;
            bump(&mut self.counters.gaps);
        }
    }

    /// Has every line that is heard named lower numbers since, and is there nothing but a header's word for what is
    /// known?
    pub(super) fn is_contradicted(&self) -> bool {
        let stand = self.stand();
        stand != 0 && stand < self.known && self.window.is_empty()
    }

    /// For how long the word of a header stands: as long as it takes to ask for what it announced.
    pub(super) fn patience(&self) -> Nanos {
        let r = &self.config.rerequest;
        let asking =
            if r.enabled { r.reply_timeout.0.saturating_mul(u64::from(r.retries).saturating_add(1)) } else { 0 };
        Nanos(self.config.gap_timeout.0.saturating_add(asking))
    }

    /// The number that was announced is none.
    pub(super) fn drop_claim(&mut self) {
        let number = self.known;
        self.known = self.stand().max(self.next);
        self.raised = self.now;
        self.end = self.end.filter(|end| *end <= self.known);
        self.restart_gap(self.next);
        bump(&mut self.counters.jumps_dropped);
        self.tell(Notice::JumpDropped { number, next: self.next, damaged: false });
    }
}
