//! What a snapshot does to the stream.

use super::release::{Notice, SnapshotTrouble};
use super::snapshot::Snapshot;
use super::{Mold, Peek, bump};
use crate::base::Mono;
use crate::flow::outbox::Outbox;

impl<M: Peek> Mold<M> {
    /// Every book is stale: what comes now is worth more after the snapshot than before it.
    pub(super) fn want_snapshot(&mut self) {
        if self.wish() {
            self.hold();
        }
    }

    /// Asks for a snapshot. True if an attempt may begin at once.
    pub(super) fn wish(&mut self) -> bool {
        self.snapshot.as_mut().is_some_and(|snapshot| snapshot.want(self.now))
    }

    /// Says it, when one snapshot after the other did not help.
    pub(super) fn say_fruitless(&mut self) {
        if self.snapshot.as_mut().is_some_and(Snapshot::take_unsaid) {
            self.tell(Notice::SnapshotFailed { why: SnapshotTrouble::Fruitless, next: 0 });
        }
    }

    /// Asks for a snapshot: a book is stale for a reason that the feed does not know of. False: there is no server to
    /// ask, or no session yet. A wish that comes while one is on its way is that one's.
    pub fn request_snapshot(&mut self, now: Mono, out: &mut Outbox) -> bool {
        self.now = self.now.max(now);
        self.plain = false;
        if self.snapshot.is_none() || self.session.is_none() {
            return false;
        }
        self.wish();
        self.recover(out);
        true
    }

    /// The stream waits.
    pub(super) fn hold(&mut self) {
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

    pub(super) fn begin_snapshot(&mut self) {
        if !self.begun {
            self.begun = true;
            bump(&mut self.counters.snapshots_begun);
            self.tell(Notice::SnapshotBegin);
        }
    }

    /// The snapshot holds everything before `next`. It is of no use if that is where the stream can't be joined: behind
    /// what is still to be had, or ahead of all reason. If the lines stand before the stream, or it got where it is by a
    /// jump that only their numbers bear out, it is the snapshot that is believed.
    pub(super) fn end_snapshot(&mut self, next: u64) {
        let (max_gap, stand) = (self.config.max_gap, self.stand());
        let behind = self.next.saturating_sub(next);
        let jumped = behind > max_gap && self.jumped.is_some_and(|from| next.saturating_add(max_gap) >= from);
        let is_wrong = behind > 0 && (jumped || stand != 0 && stand < self.next);
        let too_old = !is_wrong && behind > 0 && (!self.config.rerequest.enabled || behind > max_gap);
        let ahead = next.saturating_sub(self.known.max(self.next));
        let borne_out = self.suspect.is_some_and(|suspect| suspect.number.abs_diff(next) <= max_gap);
        if next == 0 || too_old || ahead > max_gap && !borne_out {
            self.fail_snapshot(SnapshotTrouble::Unfit, next);
            return;
        }
        self.begin_snapshot();
        if is_wrong {
            let number = self.next;
            bump(&mut self.counters.jumps_dropped);
            self.place_at(next);
            self.known = if jumped { next } else { stand.max(next) };
            self.tell(Notice::JumpDropped { number, next, damaged: false });
        } else {
            self.known = self.known.max(self.next);
            self.window.move_to(self.next, next);
            self.next = next;
            self.lost = (0, 0);
            self.jumped = None;
        }
        self.damaged = false;
        self.let_go();
        // It was missing all the time that the snapshot took.
        self.gap.ripe = self.known;
        self.begun = false;
        bump(&mut self.counters.snapshots_ended);
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.complete(self.now);
        }
        self.tell(Notice::SnapshotEnd { next });
        self.ahead = self.stand() < next && ahead > 0;
        if self.ahead {
            self.wary = true;
            self.tell(Notice::SnapshotAhead { next, lines: stand });
        }
    }

    /// This attempt is lost.
    pub(super) fn fail_snapshot(&mut self, why: SnapshotTrouble, next: u64) {
        let Some(snapshot) = &mut self.snapshot else { return };
        bump(&mut self.counters.snapshot_failures);
        if snapshot.fail(self.now, why) {
            self.tell(Notice::SnapshotFailed { why, next });
        }
        self.item = None;
        self.begun = false;
        self.plain = false;
        self.let_go();
    }
}
