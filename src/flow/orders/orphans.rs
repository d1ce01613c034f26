//! Orders that live at the venue and have no place in the table: of an earlier run, for want of room or instrument.
//!
//! They are followed by token alone, for one purpose: to be cancelled, and to know when none of them lives any more.
//! Until then what the lane owns is not complete, and it must not trade ([`Orders::is_incomplete`]).

use super::report::Subject;
use super::{Anomaly, AnomalyKind, Booked, Effect, Heard, Orders, Report, Sent, Standing, bump};
use crate::base::{
    ClientId, InstrumentId, LoadError, Map, Mono, Name, Nanos, Qty, Reader, Save, Side, State, Token, Value, VenueId,
};
use crate::flow::action::{Change, Enter, Fill, Happening, SellMark, Tags};
use alloc::vec::Vec;

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Orphan {
    /// The name that its fills are booked under.
    pub id: ClientId,
    /// Where it lives.
    pub venue: VenueId,
    /// The token under which it lives there.
    pub token: Token,
    /// What the venue calls its instrument.
    pub name: Name,
    /// Its instrument, if the lane follows it: only then is there a position for its fills.
    pub instrument: Option<InstrumentId>,
    /// Its side.
    pub side: Side,
    /// How it sells.
    pub mark: SellMark,
    /// On whose behalf.
    pub tags: Tags,
    /// Shares that may still execute.
    pub open: Qty,
    /// A cancel was sent for it.
    pub cancelled: bool,
    /// The venue has answered for it. If not, its request may never have arrived.
    accepted: bool,
    /// The number of that request, 0 for one of an earlier run.
    request: u64,
}

impl Orphan {
    /// Something about it cannot be.
    fn anomaly(&self, what: AnomalyKind, about: Subject, said: i64, known: i64) -> Anomaly {
        let (order, instrument) = (Some(self.id), self.instrument);
        Anomaly { order, instrument, ..Anomaly::of(what, about, said, known) }
    }
}

crate::value! { Orphan { id, venue, token, name, instrument, side, mark, tags, open, cancelled, accepted, request } }

/// All of them, in the order in which they are cancelled; else it means nothing.
#[derive(Debug)]
pub(super) struct Orphans {
    list: Vec<Orphan>,
    by_token: Map,
    /// Orders for which there was no room even here: nothing can say when they are gone.
    beyond: u64,
    /// The next to be cancelled in this round.
    cursor: usize,
    /// When the next round begins.
    again_at: Mono,
}

impl Orphans {
    pub(super) fn new(capacity: u32) -> Self {
        let capacity = capacity as usize;
        Orphans {
            list: Vec::with_capacity(capacity),
            by_token: Map::new(capacity),
            beyond: 0,
            cursor: 0,
            again_at: Mono(0),
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    fn count(&self) -> u64 {
        (self.list.len() as u64).saturating_add(self.beyond)
    }

    pub(super) fn knows(&self, token: Token) -> bool {
        self.by_token.get(token.0).is_some()
    }

    fn find(&mut self, token: Token) -> Option<&mut Orphan> {
        self.list.get_mut(self.by_token.get(token.0)? as usize)
    }

    #[allow(clippy::cast_possible_truncation)] // below the capacity, a u32
    fn add(&mut self, orphan: Orphan) {
        // The venue may name one twice, and it is one.
        self.remove(orphan.token);
        let place = self.list.len();
        if place == self.list.capacity() || self.by_token.insert(orphan.token.0, place as u32).is_err() {
            return bump(&mut self.beyond);
        }
        self.list.push(orphan);
        // It has its turn at once.
        (self.cursor, self.again_at) = (0, Mono(0));
    }

    /// Takes one out; the last takes its place.
    fn remove(&mut self, token: Token) {
        let Some(place) = self.by_token.remove(token.0) else { return };
        if place as usize >= self.list.len() {
            return;
        }
        self.list.swap_remove(place as usize);
        if let Some(moved) = self.list.get(place as usize) {
            // The key is there: only its place is another.
            let _known = self.by_token.insert(moved.token.0, place);
        }
    }

    fn next(&mut self, now: Mono, patience: Nanos) -> Option<Orphan> {
        if now < self.again_at {
            return None;
        }
        if let Some(orphan) = self.list.get(self.cursor) {
            self.cursor = self.cursor.wrapping_add(1);
            return Some(*orphan);
        }
        (self.cursor, self.again_at) = (0, now.after(patience));
        None
    }
}

impl State for Orphans {
    fn save(&self, into: &mut dyn Save) {
        let Orphans { list, by_token: _, beyond, cursor, again_at } = self;
        into.count(list.len());
        list.iter().for_each(|orphan| orphan.put(into));
        beyond.put(into);
        cursor.put(into);
        again_at.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let Orphans { list, by_token, beyond, cursor, again_at } = self;
        list.clear();
        by_token.clear();
        for place in (0u32..).take(from.count(by_token.capacity())?) {
            let orphan: Orphan = from.value()?;
            if by_token.insert(orphan.token.0, place) != Ok(None) {
                return Err(LoadError::BAD);
            }
            list.push(orphan);
        }
        beyond.load(from)?;
        cursor.load(from)?;
        again_at.load(from)
    }
}

/// Orders that live and are not in the table.
impl Orders {
    /// May an order live at this venue that is not in the table? Then what the lane owns there is not complete: it must
    /// not trade there.
    #[inline]
    #[must_use]
    pub fn is_incomplete(&self, venue: VenueId) -> bool {
        self.heard_of(venue).is_some_and(|heard| !heard.orphans.is_empty() || heard.orphans.beyond > 0)
    }

    /// How many orders live, at all venues, that are not in the table, as far as they could be counted.
    #[must_use]
    pub fn orphan_count(&self) -> u64 {
        self.heard.iter().fold(0, |sum, heard| sum.saturating_add(heard.orphans.count()))
    }

    /// The same at one venue.
    #[must_use]
    pub fn orphan_count_at(&self, venue: VenueId) -> u64 {
        self.heard_of(venue).map_or(0, |heard| heard.orphans.count())
    }

    /// Those of a venue that are followed by token, in no order that means anything.
    #[must_use]
    pub fn orphans(&self, venue: VenueId) -> &[Orphan] {
        self.heard_of(venue).map_or(&[], |heard| &heard.orphans.list)
    }

    /// Does one live at this venue under this token?
    pub(super) fn is_orphan(&self, venue: VenueId, token: Token) -> bool {
        self.heard_of(venue).is_some_and(|heard| heard.orphans.knows(token))
    }

    /// The next to be cancelled: each in its turn, and again a `patience` after the last. `None`: nothing to do before
    /// [`orphan_deadline`](Self::orphan_deadline).
    pub fn next_orphan(&mut self, venue: VenueId, now: Mono, patience: Nanos) -> Option<Orphan> {
        self.heard.get_mut(usize::from(venue.0))?.orphans.next(now, patience)
    }

    /// When to ask for more of them.
    #[must_use]
    pub fn orphan_deadline(&self, venue: VenueId) -> Mono {
        let orphans = self.heard_of(venue).map(|heard| &heard.orphans);
        orphans.filter(|orphans| !orphans.is_empty()).map_or(Mono::NEVER, |orphans| orphans.again_at)
    }

    /// A cancel for it has left.
    pub fn orphan_cancel_sent(&mut self, venue: VenueId, token: Token) {
        if let Ok(orphan) = find(&mut self.heard, venue, token) {
            orphan.cancelled = true;
        }
    }

    fn add_orphan(&mut self, orphan: Orphan) {
        if let Some(heard) = self.heard.get_mut(usize::from(orphan.venue.0)) {
            heard.orphans.add(orphan);
        }
    }

    fn remove_orphan(&mut self, venue: VenueId, token: Token) {
        if let Some(heard) = self.heard.get_mut(usize::from(venue.0)) {
            heard.orphans.remove(token);
        }
    }

    /// An order of an earlier run lives, and can't be taken over.
    pub(super) fn orphan(&mut self, venue: VenueId, standing: &Standing, instrument: Option<InstrumentId>) {
        if !standing.live || !standing.qty.is_positive() {
            return;
        }
        let id = self.foreign_id();
        self.add_orphan(Orphan {
            id,
            venue,
            token: standing.token,
            name: standing.name,
            instrument,
            side: standing.side,
            mark: standing.mark,
            tags: standing.origin.unwrap_or_default().tags,
            open: standing.qty,
            cancelled: false,
            accepted: true,
            request: 0,
        });
    }

    /// An enter has left, and [`opened`](Self::opened) has no place for it. It can't be, for room is asked for before;
    /// but if it is, the order may live, and is followed here.
    pub fn not_opened(&mut self, venue: VenueId, enter: &Enter, mark: SellMark, name: Name, sent: Sent) {
        let id = self.foreign_id();
        self.add_orphan(Orphan {
            id,
            venue,
            token: sent.token,
            name,
            instrument: Some(enter.instrument),
            side: enter.side,
            mark,
            tags: enter.tags,
            open: enter.qty,
            cancelled: false,
            accepted: false,
            request: sent.request,
        });
    }

    /// A report about one of them: taken note of. `Err`: it is about none.
    pub(super) fn report_of_orphan(&mut self, about: Subject, report: &Report) -> Result<Option<Change>, ()> {
        let venue = about.venue;
        match *report {
            Report::Accepted(ref standing) => {
                let orphan = find(&mut self.heard, venue, standing.token)?;
                if core::mem::replace(&mut orphan.accepted, true) {
                    self.findings.note(orphan.anomaly(AnomalyKind::Repeated, about, 0, 0));
                } else if standing.live {
                    orphan.open = standing.qty;
                } else {
                    self.remove_orphan(venue, standing.token);
                }
            }
            Report::Replaced { orig, now: ref standing } => {
                let orphan = *find(&mut self.heard, venue, orig)?;
                self.remove_orphan(venue, orig);
                if standing.live && standing.qty.is_positive() {
                    self.add_orphan(Orphan { token: standing.token, open: standing.qty, accepted: true, ..orphan });
                }
            }
            Report::Canceled { decrement, .. } | Report::SelfMatched { decrement, .. } => {
                self.orphan_shrinks(about, decrement, AnomalyKind::OverCancel)?;
            }
            Report::Executed { token, qty, price, liquidity, trade } => {
                let before = *find(&mut self.heard, venue, token)?;
                if self.booked(venue, trade, before.side, before.id).is_some() {
                    self.findings.note(before.anomaly(AnomalyKind::Repeated, about, 0, 0));
                    return Ok(None);
                }
                let fill = Fill { qty, price, trade, liquidity };
                let left = self.orphan_shrinks(about, qty, AnomalyKind::Overfill)?;
                let Some(instrument) = before.instrument else {
                    bump(&mut self.findings.counters.orphan_fills);
                    return Ok(None);
                };
                let booked = Booked {
                    order: before.id,
                    venue,
                    token,
                    instrument,
                    side: before.side,
                    tags: before.tags,
                    short: matches!(before.mark, SellMark::Short { .. }),
                    first: (fill.qty, fill.price),
                    fill,
                    broken: false,
                };
                self.book(booked);
                let effect = Effect { fill: Some(fill), ..Effect::of(Happening::Filled) };
                return Ok(Some(booked.step(effect, !left.is_positive())));
            }
            Report::Modified { token, open, .. } => {
                let less = find(&mut self.heard, venue, token)?.open.minus(open);
                self.orphan_shrinks(about, Qty(less.0.max(0)), AnomalyKind::OverCancel)?;
            }
            Report::Rejected { token, reason } => {
                let orphan = find(&mut self.heard, venue, token)?;
                if orphan.accepted {
                    let code = i64::from(reason.code);
                    self.findings.note(orphan.anomaly(AnomalyKind::RejectedAfterAccept, about, code, 0));
                } else {
                    self.remove_orphan(venue, token);
                }
            }
            Report::CancelPending { token }
            | Report::CancelRejected { token }
            | Report::PriorityUpdated { token, .. }
            | Report::Restated { token, .. } => drop(find(&mut self.heard, venue, token)?),
            Report::Settled { upto, .. } => {
                // What the venue has not answered by now it has never received.
                let lost = |orphan: &&Orphan| !orphan.accepted && orphan.request <= upto;
                while let Some(token) = self.orphans(venue).iter().find(lost).map(|orphan| orphan.token) {
                    self.remove_orphan(venue, token);
                }
                return Err(());
            }
            Report::Unreadable(_)
            | Report::Broken { .. }
            | Report::Corrected { .. }
            | Report::Day(_)
            | Report::MassCancelled { .. }
            | Report::EntryDisabled { .. }
            | Report::EntryEnabled { .. } => return Err(()),
        }
        Ok(None)
    }

    /// Shares went from it; what is left. More than were open cannot go: that is `what`.
    fn orphan_shrinks(&mut self, about: Subject, by: Qty, what: AnomalyKind) -> Result<Qty, ()> {
        let orphan = find(&mut self.heard, about.venue, about.token)?;
        if by > orphan.open {
            self.findings.note(orphan.anomaly(what, about, by.0, orphan.open.0));
        }
        orphan.open = orphan.open.minus(by);
        let left = orphan.open;
        if !left.is_positive() {
            self.remove_orphan(about.venue, about.token);
        }
        Ok(left)
    }
}

/// The orphan that has this token at this venue. `Err`: none.
fn find(heard: &mut [Heard], venue: VenueId, token: Token) -> Result<&mut Orphan, ()> {
    heard.get_mut(usize::from(venue.0)).and_then(|heard| heard.orphans.find(token)).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    fn one() -> Orphan {
        Orphan {
            id: ClientId(1),
            venue: VenueId(0),
            token: Token(1),
            name: Name::new("TEST").unwrap(),
            instrument: None,
            side: Side::Buy,
            mark: SellMark::Long,
            tags: Tags::default(),
            open: Qty(1),
            cancelled: false,
            accepted: false,
            request: 0,
        }
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Orphan); 13] = [
            |_| {},
            |o| o.id = ClientId(2),
            |o| o.venue = VenueId(1),
            |o| o.token = Token(2),
            |o| o.name = Name::new("TESTS").unwrap(),
            |o| o.instrument = Some(InstrumentId(0)),
            |o| o.side = Side::Sell,
            |o| o.mark = SellMark::Short { located: false },
            |o| o.tags.strategy.0 = 1,
            |o| o.open = Qty(2),
            |o| o.cancelled = true,
            |o| o.accepted = true,
            |o| o.request = 1,
        ];
        assert_all_saved(one, &changes);
        let changes: [fn(&mut Orphans); 6] = [
            |_| {},
            |o| o.beyond = 1,
            |o| o.cursor = 1,
            |o| o.again_at = Mono(1),
            |o| o.add(one()),
            |o| (1..=3).rev().for_each(|token| o.add(Orphan { token: Token(token), ..one() })),
        ];
        assert_all_saved(|| Orphans::new(2), &changes);
    }

    #[test]
    fn one_that_is_named_twice_is_one() {
        let mut orphans = Orphans::new(3);
        [1, 2, 1].into_iter().for_each(|token| orphans.add(Orphan { token: Token(token), ..one() }));
        assert_eq!((orphans.list.len(), orphans.beyond), (2, 0));
        orphans.remove(Token(1));
        assert!(!orphans.knows(Token(1)) && orphans.find(Token(2)).unwrap().token == Token(2));
    }

    #[test]
    fn any_leaves_from_among_the_others() {
        let mut orphans = Orphans::new(3);
        (1..=4).for_each(|token| orphans.add(Orphan { token: Token(token), ..one() }));
        assert_eq!((orphans.list.len(), orphans.beyond), (3, 1));
        orphans.remove(Token(1));
        assert!(!orphans.knows(Token(1)) && [2, 3].iter().all(|t| orphans.find(Token(*t)).unwrap().token.0 == *t));
        orphans.remove(Token(2));
        orphans.remove(Token(2));
        orphans.remove(Token(3));
        assert!(orphans.is_empty() && !orphans.knows(Token(3)));
    }
}
