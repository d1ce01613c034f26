//! The session with the snapshot server (Glimpse): when to connect, what its messages mean, when to try again.
//!
//! It only fetches. What a snapshot does to the stream is decided by [`Mold`](super::Mold).

use super::FeedCounters;
use super::config::SnapshotConfig;
use super::release::SnapshotTrouble;
use crate::base::{LoadError, Mono, Nanos, Reader, Save, SessionId, State};
use crate::flow::market::{Peek, Soundness};
use crate::flow::outbox::{self, Outbox};
use crate::flow::session::SessionSink;
use crate::flow::wire::glimpse;
use crate::flow::wire::soupbintcp::{BLANK_SESSION, Client, ClientConfig, ClientEvent};
use alloc::boxed::Box;
use alloc::vec;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nothing to do.
    Idle,
    /// The next attempt begins at `until`.
    Waiting,
    /// The connection was asked for.
    Connecting,
    /// The login is out.
    LoggingIn,
    /// Messages come.
    Receiving,
    /// The attempt failed; the connection is to be closed.
    Failed,
    /// The snapshot is complete; to log out and close.
    Complete,
    /// The close was asked for.
    Closing,
}

/// What one step through the received bytes gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Served {
    /// All bytes are used up.
    Nothing,
    /// Nothing of interest.
    Ignored,
    /// A message of the snapshot, in the scratch cell.
    Item(ItemBytes),
    /// The snapshot is complete up to, not including, this message of the stream.
    End(u64),
    /// The attempt is lost.
    Failed(SnapshotTrouble),
}

/// A message in the scratch cell: its length.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ItemBytes(usize);

#[derive(Debug)]
pub(super) struct Snapshot {
    config: SnapshotConfig,
    client: Client,
    phase: Phase,
    /// When the phase is over, one way or the other.
    until: Mono,
    /// When a snapshot was complete last.
    completed: Option<Mono>,
    /// Attempts in a row that failed, or were complete and did not last: the next one was asked for soon after.
    fruitless: u32,
    /// Too many of them were complete and did not help: to be said.
    unsaid: bool,
    /// The server has refused the login, and taken none since: that was said.
    refused: bool,
    /// Is there, or may there still be, a connection?
    open: bool,
    /// Was a snapshot asked for when it was too late for the one under way?
    wanted: bool,
    /// Bytes of the current input that the client has taken; `None`: no input to read.
    taken: Option<usize>,
    /// One message, so that its bytes outlive the step that read it.
    scratch: Box<[u8]>,
}

impl Snapshot {
    pub(super) fn new(config: SnapshotConfig, longest: usize) -> Self {
        let mut client = ClientConfig::new(config.username, config.password);
        client.login_timeout = config.timeout;
        client.capacity = config.buffer_bytes;
        Snapshot {
            config,
            client: Client::new(client),
            phase: Phase::Idle,
            until: Mono(0),
            completed: None,
            fruitless: 0,
            unsaid: false,
            refused: false,
            open: false,
            wanted: false,
            taken: None,
            scratch: vec![0; longest].into_boxed_slice(),
        }
    }

    /// Asks for a snapshot taken from now on. True if this began an attempt that may connect at once.
    pub(super) fn want(&mut self, now: Mono) -> bool {
        match self.phase {
            Phase::Idle => {
                // One that is complete has helped if the next is not asked for soon after.
                let recent = self.completed.filter(|at| now < at.after(self.config.slow_retry_after));
                self.fruitless = if recent.is_some() { self.fruitless.saturating_add(1) } else { 0 };
                let rested = recent.map_or(now, |at| at.after(self.pause()));
                self.enter(Phase::Waiting, now.max(rested));
                self.unsaid |= self.is_enough();
                self.until == now
            }
            // The one under way may itself be what is wrong.
            Phase::Receiving | Phase::Complete | Phase::Closing => {
                self.wanted = true;
                false
            }
            Phase::Waiting | Phase::Connecting | Phase::LoggingIn | Phase::Failed => false,
        }
    }

    /// Is there to be said that snapshots do not help?
    pub(super) fn take_unsaid(&mut self) -> bool {
        core::mem::take(&mut self.unsaid)
    }

    /// Has it just been tried often enough to say so?
    fn is_enough(&self) -> bool {
        self.fruitless == self.config.retries.saturating_add(1)
    }

    /// Until the next attempt: twice as long each time, and the long pause once it has been tried often enough.
    fn pause(&self) -> Nanos {
        let SnapshotConfig { retry_after, slow_retry_after, retries, .. } = self.config;
        if self.fruitless > retries {
            return slow_retry_after;
        }
        let doubled = self.fruitless.saturating_sub(1).min(63);
        Nanos(retry_after.0.saturating_mul(1 << doubled).min(slow_retry_after.0))
    }

    /// Is one awaited, or asked for?
    pub(super) fn is_pending(&self) -> bool {
        self.wanted || !matches!(self.phase, Phase::Idle | Phase::Complete | Phase::Closing)
    }

    /// Does the stream have to wait for the snapshot that is being received?
    pub(super) fn is_receiving(&self) -> bool {
        matches!(self.phase, Phase::LoggingIn | Phase::Receiving)
    }

    /// When [`on_timer`](Self::on_timer) has something to do.
    pub(super) fn next_deadline(&self) -> Mono {
        match self.phase {
            Phase::Idle => Mono::NEVER,
            Phase::LoggingIn | Phase::Receiving => self.until.min(self.client.next_deadline()),
            _ => self.until,
        }
    }

    /// The connection is up. True if a login went out, from when on the stream must be kept.
    pub(super) fn on_connected(&mut self, now: Mono, out: &mut Outbox) -> bool {
        if self.phase != Phase::Connecting {
            out.disconnect(SessionId::SNAPSHOT);
            return false;
        }
        self.client.start_over(BLANK_SESSION, 1);
        self.client.on_connected(now, &mut sink(out));
        self.enter(Phase::LoggingIn, now.after(self.config.timeout));
        self.wanted = false;
        true
    }

    /// Bytes came: [`hear`](Self::hear) reads them.
    pub(super) fn on_bytes(&mut self, now: Mono, bytes: &[u8]) {
        self.taken = self.is_receiving().then(|| self.client.on_bytes(now, bytes));
    }

    /// The connection is gone. What that means for the attempt, if it ends one.
    pub(super) fn on_closed(&mut self, now: Mono) -> Option<SnapshotTrouble> {
        self.open = false;
        self.taken = None;
        self.client.on_closed(now);
        match self.phase {
            Phase::Connecting | Phase::LoggingIn | Phase::Receiving => self.stopped(),
            Phase::Complete | Phase::Closing => {
                self.finish(now);
                None
            }
            Phase::Idle | Phase::Waiting | Phase::Failed => None,
        }
    }

    /// What it means that nothing more comes in this phase.
    fn stopped(&self) -> Option<SnapshotTrouble> {
        Some(match self.phase {
            Phase::Connecting => SnapshotTrouble::Unreachable,
            Phase::LoggingIn => SnapshotTrouble::Unanswered,
            _ => SnapshotTrouble::Torn,
        })
    }

    /// Does what is due. Why the attempt failed, if it did for want of an answer.
    pub(super) fn on_timer(
        &mut self,
        now: Mono,
        out: &mut Outbox,
        counters: &mut FeedCounters,
    ) -> Option<SnapshotTrouble> {
        let due = now >= self.until;
        match self.phase {
            Phase::Idle => {}
            Phase::Waiting if !due => {}
            // The last connection is still not gone.
            Phase::Waiting if self.open => self.close(Phase::Waiting, now.after(self.config.retry_after), out),
            Phase::Waiting => {
                out.connect(SessionId::SNAPSHOT);
                self.open = true;
                self.enter(Phase::Connecting, now.after(self.config.timeout));
                counters.snapshot_attempts = counters.snapshot_attempts.wrapping_add(1);
            }
            Phase::Connecting if due => return self.stopped(),
            Phase::Connecting => {}
            Phase::LoggingIn | Phase::Receiving => {
                self.client.on_timer(now, &mut sink(out));
                if due || self.client.must_close() {
                    return self.stopped();
                }
            }
            Phase::Failed => {
                let pause = self.pause();
                self.close(Phase::Waiting, now.after(pause), out);
            }
            Phase::Complete => {
                // Without a login there is nothing to log out of; closing is enough.
                let _ = self.client.logout(now, &mut sink(out));
                self.close(Phase::Closing, now.after(self.config.timeout), out);
                if !self.open {
                    self.finish(now);
                }
            }
            Phase::Closing if due => self.close(Phase::Closing, now.after(self.config.timeout), out),
            Phase::Closing => {}
        }
        None
    }

    /// One step through the bytes of the current input.
    pub(super) fn hear<M: Peek>(&mut self, now: Mono, input: &[u8], counters: &mut FeedCounters) -> Served {
        let Some(taken) = self.taken else { return Served::Nothing };
        if !self.is_receiving() {
            self.taken = None;
            return Served::Nothing;
        }
        let Some(event) = self.client.next_event() else {
            let rest = input.get(taken..).unwrap_or_default();
            self.taken = match rest {
                [] => None,
                rest => Some(taken.saturating_add(self.client.on_bytes(now, rest))),
            };
            return Served::Ignored;
        };
        match event {
            ClientEvent::Sequenced { payload: end @ [glimpse::END_TYPE, ..], .. } => match glimpse::decode(end) {
                Ok(glimpse::Item::End { next_sequence }) => Served::End(next_sequence),
                _ => {
                    counters.snapshot_malformed = counters.snapshot_malformed.wrapping_add(1);
                    Served::Failed(SnapshotTrouble::Garbled)
                }
            },
            ClientEvent::Sequenced { payload, .. } => {
                self.until = now.after(self.config.timeout);
                match (M::classify(payload), self.scratch.get_mut(..payload.len())) {
                    (Soundness::Malformed, _) => {
                        counters.snapshot_malformed = counters.snapshot_malformed.wrapping_add(1);
                        Served::Failed(SnapshotTrouble::Garbled)
                    }
                    (_, Some(cell)) => {
                        cell.copy_from_slice(payload);
                        Served::Item(ItemBytes(payload.len()))
                    }
                    (_, None) => {
                        counters.snapshot_skipped = counters.snapshot_skipped.wrapping_add(1);
                        Served::Ignored
                    }
                }
            }
            ClientEvent::LoggedIn { .. } => {
                self.phase = Phase::Receiving;
                self.until = now.after(self.config.timeout);
                self.refused = false;
                Served::Ignored
            }
            ClientEvent::Rejected(_) => Served::Failed(SnapshotTrouble::Refused),
            ClientEvent::EndOfSession | ClientEvent::Dead => Served::Failed(SnapshotTrouble::Torn),
            ClientEvent::Duplicate { .. } | ClientEvent::ProtocolError(_) => Served::Failed(SnapshotTrouble::Garbled),
            ClientEvent::Unsequenced(_)
            | ClientEvent::Heartbeat
            | ClientEvent::Debug(_)
            | ClientEvent::Skipped { .. } => Served::Ignored,
        }
    }

    /// The message that [`hear`](Self::hear) read last.
    pub(super) fn bytes(&self, item: ItemBytes) -> &[u8] {
        self.scratch.get(..item.0).unwrap_or_default()
    }

    /// The attempt is lost; the next follows after a pause. True if that is to be said: a refusal at the first, for a
    /// login does not become right by being tried again; what may pass, at the last of the quick attempts.
    pub(super) fn fail(&mut self, now: Mono, why: SnapshotTrouble) -> bool {
        self.enter(Phase::Failed, now);
        self.fruitless = self.fruitless.saturating_add(1);
        self.completed = None;
        if why == SnapshotTrouble::Refused { !core::mem::replace(&mut self.refused, true) } else { self.is_enough() }
    }

    /// The snapshot is complete: log out and close.
    pub(super) fn complete(&mut self, now: Mono) {
        if self.phase != Phase::Idle {
            self.enter(Phase::Complete, now);
        }
        self.completed = Some(now);
    }

    /// Snapshots of this session are of no use any more.
    pub(super) fn abort(&mut self, now: Mono) {
        self.wanted = false;
        self.complete(now);
        self.completed = None;
        self.fruitless = 0;
        self.refused = false;
    }

    fn finish(&mut self, now: Mono) {
        self.phase = Phase::Idle;
        if core::mem::take(&mut self.wanted) {
            self.want(now);
        }
    }

    fn enter(&mut self, phase: Phase, until: Mono) {
        self.phase = phase;
        self.until = until;
    }

    fn close(&mut self, phase: Phase, until: Mono, out: &mut Outbox) {
        if self.open {
            out.disconnect(SessionId::SNAPSHOT);
        }
        self.enter(phase, until);
    }
}

crate::value! {
    enum Phase {
        0 => Idle, 1 => Waiting, 2 => Connecting, 3 => LoggingIn, 4 => Receiving, 5 => Failed, 6 => Complete, 7 => Closing
    }
}

crate::state! {
    Snapshot { client, phase, until, completed, fruitless, unsaid, refused, open, wanted }
    without { config, taken, scratch } then between_inputs
}

impl Snapshot {
    /// No bytes of an input are left to read.
    fn between_inputs(&mut self) -> Result<(), LoadError> {
        self.taken = None;
        Ok(())
    }
}

/// Whether there is a server to ask is configuration.
impl State for Option<Snapshot> {
    fn save(&self, into: &mut dyn Save) {
        into.count(usize::from(self.is_some()));
        self.iter().for_each(|snapshot| snapshot.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(usize::from(self.is_some()), from.u64()?)?;
        self.iter_mut().try_for_each(|snapshot| snapshot.load(from))
    }
}

fn sink(out: &mut Outbox) -> SessionSink<'_> {
    SessionSink { out, session: SessionId::SNAPSHOT, class: outbox::Class::Session }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::base::assert_all_saved;
    use crate::flow::wire::soupbintcp::Password;

    pub(in super::super) fn config() -> SnapshotConfig {
        SnapshotConfig {
            username: *b"USER  ",
            password: Password(*b"SECRET    "),
            timeout: Nanos(5_000),
            retries: 1,
            retry_after: Nanos(1_000),
            slow_retry_after: Nanos(9_000),
            buffer_bytes: 128,
        }
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Snapshot); 12] = [
            |_| {},
            |s| s.client.start_over(*b"OTHER     ", 1),
            |s| s.phase = Phase::Waiting,
            |s| s.phase = Phase::Receiving,
            |s| s.until = Mono(9),
            |s| s.completed = Some(Mono(0)),
            |s| s.completed = Some(Mono(9)),
            |s| s.fruitless = 9,
            |s| s.unsaid = true,
            |s| s.refused = true,
            |s| s.open = true,
            |s| s.wanted = true,
        ];
        assert_all_saved(|| Snapshot::new(config(), 64), &changes);
    }
}
