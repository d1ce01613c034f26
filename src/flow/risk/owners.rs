//! Whose a position is: by strategy, and by parent order.

use crate::base::{InstrumentId, LoadError, Map, ParentId, Qty, Reader, Save, State, StrategyId, Value};
use crate::flow::action::Tags;
use alloc::boxed::Box;
use alloc::vec;

/// Whose position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// The lane's: the sum of all its strategies' and of nobody's.
    Lane,
    /// A strategy's.
    Strategy(StrategyId),
    /// A parent order's.
    Parent(ParentId),
    /// No strategy's of this lane: brought in for none, or traded by orders of an earlier run with other strategies.
    Nobody,
}

/// The positions of every strategy, and of those parents that have something open or are not flat.
#[derive(Debug)]
pub(super) struct Owners {
    first: StrategyId,
    strategies: u16,
    /// Row by row: for each instrument its strategies' positions, then nobody's.
    rows: Box<[Qty]>,
    parents: Parents,
}

impl Owners {
    /// Nobody's positions alone, all flat, for so many instruments, and room for so many parents (in each instrument that
    /// they trade).
    pub(super) fn new(instruments: usize, parents: u32) -> Self {
        let rows = vec![Qty::ZERO; instruments].into_boxed_slice();
        Owners { first: StrategyId(0), strategies: 0, rows, parents: Parents::new(parents) }
    }

    /// Columns for strategies `first`, `first` + 1, ... What is held so far is nobody's.
    pub(super) fn number(&mut self, first: StrategyId, strategies: u16) {
        let (wide, instruments) = (usize::from(strategies).saturating_add(1), self.instruments());
        let rows = vec![Qty::ZERO; instruments.saturating_mul(wide)].into_boxed_slice();
        let before = core::mem::replace(&mut self.rows, rows);
        let width = self.width();
        (self.first, self.strategies) = (first, strategies);
        for (id, row) in (0u32..).zip(before.chunks(width)) {
            self.add(InstrumentId(id), None, row.iter().fold(Qty::ZERO, |sum, position| sum.plus(*position)));
        }
    }

    fn width(&self) -> usize {
        usize::from(self.strategies).saturating_add(1)
    }

    fn instruments(&self) -> usize {
        self.rows.len().checked_div(self.width()).unwrap_or(0)
    }

    /// The column of a strategy; nobody's for one that is not of the lane.
    #[inline]
    fn column(&self, strategy: StrategyId) -> usize {
        match strategy.0.checked_sub(self.first.0) {
            Some(column) if column < self.strategies => column.into(),
            _ => self.strategies.into(),
        }
    }

    fn at(&self, instrument: InstrumentId, column: usize) -> Qty {
        let place = (instrument.0 as usize).saturating_mul(self.width()).saturating_add(column);
        self.rows.get(place).copied().unwrap_or(Qty::ZERO)
    }

    /// Adds to the position of a strategy, or of nobody.
    pub(super) fn add(&mut self, instrument: InstrumentId, strategy: Option<StrategyId>, shares: Qty) {
        let column = strategy.map_or(self.strategies.into(), |strategy| self.column(strategy));
        let place = (instrument.0 as usize).saturating_mul(self.width()).saturating_add(column);
        if let Some(position) = self.rows.get_mut(place) {
            *position = position.plus(shares);
        }
    }

    /// A step of an order: so many shares came (or went), and so many more may now trade (or fewer). False: its parent
    /// found no room.
    #[inline]
    pub(super) fn step(&mut self, instrument: InstrumentId, tags: Tags, came: Qty, opened: Qty) -> bool {
        if came != Qty::ZERO {
            self.add(instrument, Some(tags.strategy), came);
        }
        tags.parent == ParentId(0) || self.parents.step(tags.parent, instrument, came, opened)
    }

    /// Could the position of an order's parent be kept?
    #[inline]
    pub(super) fn has_room(&self, instrument: InstrumentId, parent: ParentId) -> bool {
        parent == ParentId(0)
            || self.parents.len < self.parents.entries.len()
            || self.parents.find(parent, instrument).is_some()
    }

    /// A position. `None` for the lane's: the account has it.
    pub(super) fn position(&self, instrument: InstrumentId, whose: Whose) -> Option<Qty> {
        match whose {
            Whose::Lane => None,
            Whose::Nobody => Some(self.at(instrument, self.strategies.into())),
            Whose::Strategy(strategy) => {
                let column = self.column(strategy);
                let known = column < usize::from(self.strategies);
                Some(if known { self.at(instrument, column) } else { Qty::ZERO })
            }
            Whose::Parent(parent) => {
                let entry = self.parents.find(parent, instrument).and_then(|n| self.parents.entries.get(n as usize));
                Some(entry.map_or(Qty::ZERO, |entry| entry.position))
            }
        }
    }

    /// Parents kept now, in each instrument that they trade.
    pub(super) fn parents(&self) -> usize {
        self.parents.len
    }
}

/// What is known of a parent in one instrument.
#[derive(Clone, Copy, Debug)]
struct Entry {
    parent: ParentId,
    instrument: InstrumentId,
    position: Qty,
    /// Shares of its orders that may still trade.
    open: Qty,
    /// The same parent's in another instrument.
    next: u32,
}

const NIL: u32 = u32::MAX;
const VACANT: Entry =
    Entry { parent: ParentId(0), instrument: InstrumentId(0), position: Qty(0), open: Qty(0), next: NIL };

/// Parents that have something open or are not flat: all others need no place, for nothing is known of them. Packed, in
/// an order that the steps alone decide.
#[derive(Debug)]
struct Parents {
    entries: Box<[Entry]>,
    len: usize,
    /// By parent: the number of one of its entries.
    by_parent: Map,
}

impl Parents {
    fn new(capacity: u32) -> Self {
        let mut entries = vec![VACANT; capacity as usize].into_boxed_slice();
        entries.fill(core::hint::black_box(VACANT));
        Parents { entries, len: 0, by_parent: Map::new(capacity as usize) }
    }

    fn find(&self, parent: ParentId, instrument: InstrumentId) -> Option<u32> {
        let mut number = self.by_parent.get(parent.0)?;
        loop {
            let entry = self.entries.get(number as usize)?;
            if entry.instrument == instrument {
                return Some(number);
            }
            number = entry.next;
        }
    }

    fn step(&mut self, parent: ParentId, instrument: InstrumentId, came: Qty, opened: Qty) -> bool {
        let number = match self.find(parent, instrument) {
            Some(number) => number,
            None if came == Qty::ZERO && opened.0 <= 0 => return true,
            None => match self.put(Entry { parent, instrument, ..VACANT }) {
                Some(number) => number,
                None => return false,
            },
        };
        if let Some(entry) = self.entries.get_mut(number as usize) {
            entry.position = entry.position.plus(came);
            entry.open = Qty(entry.open.plus(opened).0.max(0));
            if entry.position == Qty::ZERO && entry.open == Qty::ZERO {
                self.take(number);
            }
        }
        true
    }

    /// A new last entry. `None`: no room.
    fn put(&mut self, entry: Entry) -> Option<u32> {
        let number = u32::try_from(self.len).ok()?;
        let place = self.entries.get_mut(self.len)?;
        let next = self.by_parent.insert(entry.parent.0, number).ok()?;
        *place = Entry { next: next.unwrap_or(NIL), ..entry };
        self.len = self.len.wrapping_add(1);
        Some(number)
    }

    /// Takes an entry out; the last one takes its place.
    fn take(&mut self, number: u32) {
        let Some(gone) = self.entries.get(number as usize).copied() else { return };
        self.repoint(gone.parent, number, gone.next);
        self.len = self.len.saturating_sub(1);
        let Some(last) = self.entries.get(self.len).copied() else { return };
        if let Ok(from) = u32::try_from(self.len)
            && from != number
        {
            self.repoint(last.parent, from, number);
            if let Some(place) = self.entries.get_mut(number as usize) {
                *place = last;
            }
        }
        if let Some(place) = self.entries.get_mut(self.len) {
            *place = VACANT;
        }
    }

    /// Whatever points to entry `from` of a parent points to `to` instead.
    fn repoint(&mut self, parent: ParentId, from: u32, to: u32) {
        let Some(mut number) = self.by_parent.get(parent.0) else { return };
        if number == from {
            if to == NIL {
                self.by_parent.remove(parent.0);
            } else {
                let _ = self.by_parent.insert(parent.0, to);
            }
            return;
        }
        while let Some(entry) = self.entries.get_mut(number as usize) {
            if entry.next == from {
                entry.next = to;
                return;
            }
            number = entry.next;
        }
    }

    fn used(&self) -> &[Entry] {
        self.entries.get(..self.len).unwrap_or_default()
    }
}

crate::state! { Owners { rows, parents } without { first, strategies } }

impl State for Parents {
    fn save(&self, into: &mut dyn Save) {
        let Parents { entries: _, len, by_parent: _ } = self;
        into.count(*len);
        for Entry { parent, instrument, position, open, next: _ } in self.used() {
            parent.put(into);
            instrument.put(into);
            position.put(into);
            open.put(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.by_parent.clear();
        self.len = 0;
        for _ in 0..from.count(self.entries.len())? {
            let (parent, instrument) = (from.value()?, from.value()?);
            let entry = Entry { parent, instrument, position: from.value()?, open: from.value()?, next: NIL };
            let empty = entry.position == Qty::ZERO && entry.open == Qty::ZERO;
            if empty || self.find(parent, instrument).is_some() || self.put(entry).is_none() {
                return Err(LoadError::BAD);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Writer, assert_all_saved};
    use std::collections::BTreeMap;

    fn tags(strategy: u16, parent: u64) -> Tags {
        Tags { strategy: StrategyId(strategy), parent: ParentId(parent), ..Tags::default() }
    }

    fn owners() -> Owners {
        let mut owners = Owners::new(3, 6);
        owners.number(StrategyId(5), 2);
        owners
    }

    /// Against sums by key, with strategies that are not the lane's and more parents than there is room for; now and then
    /// saved and loaded, and each is asked after every step.
    #[test]
    fn positions_are_the_sums_of_what_came_and_parents_have_a_place_as_long_as_they_need_one() {
        let mut x = 1u64;
        let mut below = move |end: u64| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (x >> 33) % end
        };
        let mut owners = owners();
        let mut strategies = BTreeMap::<(u32, u16), i64>::new();
        let mut parents = BTreeMap::<(u64, u32), (i64, i64)>::new();
        let (mut turned_away, mut freed) = (0, 0);
        for step in 0..40_000 {
            let (id, strategy, parent) = (below(3) as u32, 4 + below(4) as u16, below(5) * 7);
            let known = parents.get(&(parent, id)).copied().unwrap_or_default();
            // Small numbers, so that parents are often flat; often all of it back.
            let (came, opened) = match below(3) {
                0 => (-known.0, -known.1),
                _ => (below(5) as i64 - 2, below(5) as i64 - 2),
            };
            let room = owners.has_room(InstrumentId(id), ParentId(parent));
            let kept = owners.step(InstrumentId(id), tags(strategy, parent), Qty(came), Qty(opened));
            let column = if (5..7).contains(&strategy) { strategy } else { 0 };
            *strategies.entry((id, column)).or_default() += came;
            if parent != 0 {
                let now = (known.0 + came, (known.1 + opened).max(0));
                assert_eq!(room, parents.contains_key(&(parent, id)) || parents.len() < 6);
                assert_eq!(kept, room || (came == 0 && opened <= 0));
                if now == (0, 0) {
                    freed += usize::from(parents.remove(&(parent, id)).is_some());
                } else if kept {
                    parents.insert((parent, id), now);
                } else {
                    turned_away += 1;
                }
            }
            assert_eq!(owners.parents(), parents.len(), "step {step}");
            for id in 0..3 {
                let at = |whose| owners.position(InstrumentId(id), whose).unwrap().0;
                let of = |column: u16| strategies.get(&(id, column)).copied().unwrap_or(0);
                assert_eq!(
                    [at(Whose::Nobody), at(Whose::Strategy(StrategyId(5))), at(Whose::Strategy(StrategyId(6)))],
                    [of(0), of(5), of(6)]
                );
                assert_eq!(at(Whose::Strategy(StrategyId(4))) + at(Whose::Strategy(StrategyId(7))), 0);
                for parent in [0, 7, 14, 21, 28] {
                    let known = parents.get(&(parent, id)).map_or(0, |known| known.0);
                    assert_eq!(at(Whose::Parent(ParentId(parent))), known);
                }
            }
            if step % 97 == 0 {
                let mut twin = self::owners();
                twin.load(&mut Reader(&Writer::of(&owners))).unwrap();
                assert_eq!(Writer::of(&twin), Writer::of(&owners));
                owners = twin;
            }
        }
        assert!(turned_away > 500 && freed > 500, "{turned_away} {freed}");
    }

    #[test]
    fn what_is_held_before_strategies_are_numbered_is_nobodys() {
        let mut owners = Owners::new(2, 1);
        owners.add(InstrumentId(1), Some(StrategyId(5)), Qty(30));
        owners.number(StrategyId(5), 2);
        owners.add(InstrumentId(1), Some(StrategyId(6)), Qty(4));
        owners.number(StrategyId(5), 1);
        assert_eq!(owners.position(InstrumentId(1), Whose::Nobody), Some(Qty(34)));
        assert_eq!(owners.position(InstrumentId(1), Whose::Strategy(StrategyId(5))), Some(Qty(0)));
        assert_eq!(owners.position(InstrumentId(0), Whose::Nobody), Some(Qty(0)));
    }

    #[test]
    fn what_cannot_be_is_not_loaded() {
        let mut full = owners();
        full.step(InstrumentId(0), tags(5, 7), Qty(1), Qty(1));
        let bytes = Writer::of(&full);
        for cut in 0..bytes.len() {
            assert!(owners().load(&mut Reader(&bytes[..cut])).is_err());
        }
        let mut wider = Owners::new(3, 6);
        wider.number(StrategyId(5), 3);
        assert!(matches!(wider.load(&mut Reader(&bytes)), Err(LoadError::Capacity { of: "Owners.rows", .. })));
        let mut none = Owners::new(3, 0);
        none.number(StrategyId(5), 2);
        assert!(matches!(none.load(&mut Reader(&bytes)), Err(LoadError::Capacity { of: "Owners.parents", .. })));
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Owners); 8] = [
            |_| {},
            |o| o.add(InstrumentId(0), Some(StrategyId(5)), Qty(1)),
            |o| o.add(InstrumentId(0), Some(StrategyId(6)), Qty(1)),
            |o| o.add(InstrumentId(1), None, Qty(1)),
            |o| _ = o.parents.step(ParentId(1), InstrumentId(0), Qty(1), Qty(0)),
            |o| _ = o.parents.step(ParentId(2), InstrumentId(0), Qty(1), Qty(0)),
            |o| _ = o.parents.step(ParentId(1), InstrumentId(1), Qty(1), Qty(0)),
            |o| _ = o.parents.step(ParentId(1), InstrumentId(0), Qty(0), Qty(1)),
        ];
        assert_all_saved(owners, &changes);
    }
}
