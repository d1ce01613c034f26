//! From order reference to order: a hash index of eight-byte entries.

use super::orders::Order;
use super::pool::{NIL, Pool};
use crate::base::{VenueRef, raw};
use alloc::boxed::Box;
use alloc::vec;
use core::hint::select_unpredictable;

/// Open addressing with linear probing; the table is a quarter full at most, the largest one half full. A reference may be any 64-bit number, and
/// sparse ones cost no more than dense ones.
///
/// An entry is the upper half: 32 bits of hash (the *tag*), whose lowest bits are the entry's home; the lower half: the
/// order's slot plus one; zero is vacant. The full reference stands in the order itself, which the caller is about
/// to touch anyway. Eight neighbouring references share one cache line, because venues number orders in sequence.
/// Removal shifts the cluster back, so that a day of adds and deletes leaves no debris.
///
/// Room for millions of orders must not cost a cache miss each when hundreds rest, so the table in use is sized by the
/// most orders that ever rested, not by the capacity. When it is a quarter full, one of twice the size takes over: new
/// orders enter there, and each brings along a cluster of the old table, which is empty long before the next turn.
/// All tables lie in one allocation: that of `n` entries at `n..2 * n`.
#[derive(Debug)]
pub(super) struct Index {
    entries: Box<[u64]>,
    /// Entries of the table in use: a power of two.
    size: usize,
    /// With how many orders the next table takes over.
    grow_above: usize,
    /// Entries of the table before, while it is not empty; else 0.
    old_size: usize,
    /// How many entries of the old table are known to be vacant, cyclically from `old_start` on.
    old_done: usize,
    /// A place in the old table that follows a vacant one.
    old_start: usize,
}

/// Entries of the smallest table: 8 kB.
const SMALLEST: usize = 1 << 10;

/// Eight entries of eight bytes: one cache line.
const LINE_MASK: u32 = 7;

/// 32 hash bits of a reference. The low three keep the eight references of a line apart; the others hash the line.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn tag(reference: VenueRef) -> u32 {
    let line = reference.0 >> LINE_MASK.count_ones();
    // A full 64 x 64 multiplication folded in two: every bit of the reference reaches every bit of the hash, also
    // when only high bits differ (references that are multiples of a large power of two).
    let product = u128::from(line ^ 0xA076_1D64_78BD_642F).wrapping_mul(0xE703_7ED1_A0B4_28DB);
    let hash = (product as u64) ^ ((product >> 64) as u64);
    (hash as u32 & !LINE_MASK) | ((reference.0 as u32 ^ (hash >> 32) as u32) & LINE_MASK)
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn tag_of(entry: u64) -> u32 {
    (entry >> 32) as u32
}

#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn slot_of(entry: u64) -> u32 {
    (entry as u32).wrapping_sub(1)
}

/// Where a reference was found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// The order's slot.
    pub(super) slot: u32,
    /// In the table of this size.
    size: usize,
    place: usize,
}

/// Where a reference that was not found belongs: in the table in use.
#[derive(Clone, Copy)]
pub(super) struct Vacant {
    tag: u32,
    place: usize,
}

impl Index {
    /// For at most `orders` orders at once. Allocates and touches all its memory now.
    pub(super) fn new(orders: usize) -> Self {
        let largest = orders.saturating_mul(2).next_power_of_two().max(SMALLEST);
        let mut entries = vec![0u64; largest.saturating_mul(2)].into_boxed_slice();
        entries.fill(core::hint::black_box(0));
        let mut index = Index { entries, size: 0, grow_above: 0, old_size: 0, old_done: 0, old_start: 0 };
        index.take_over(SMALLEST);
        index
    }

    /// Makes the table of `size` entries the one in use.
    fn take_over(&mut self, size: usize) {
        self.size = size;
        let is_largest = size.wrapping_mul(4) > self.entries.len();
        self.grow_above = if is_largest { usize::MAX } else { size / 4 };
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        let used = self.entries.get_mut(..self.size.wrapping_mul(2));
        used.unwrap_or_default().fill(0);
        self.old_size = 0;
        self.take_over(SMALLEST);
    }

    #[inline(always)]
    fn at(&self, size: usize, place: usize) -> u64 {
        self.entries.get(size | place).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn set(&mut self, size: usize, place: usize, entry: u64) {
        if let Some(at) = self.entries.get_mut(size | place) {
            *at = entry;
        }
    }

    /// Finds a reference.
    #[inline(always)]
    pub(super) fn find(&self, reference: VenueRef, orders: &Pool<Order>) -> Result<Found, Vacant> {
        let tag = tag(reference);
        let missing = match self.probe(self.size, tag, reference, orders) {
            Ok(found) => return Ok(found),
            Err(missing) => missing,
        };
        if self.old_size != 0
            && let Ok(found) = self.probe(self.old_size, tag, reference, orders)
        {
            return Ok(found);
        }
        Err(missing)
    }

    /// Hints that a reference will be looked for.
    #[inline(always)]
    pub(super) fn prefetch(&self, reference: VenueRef) {
        let tag = tag(reference) as usize;
        raw::prefetch(&self.entries, self.size | (tag & self.size.wrapping_sub(1)));
        if self.old_size != 0 {
            raw::prefetch(&self.entries, self.old_size | (tag & self.old_size.wrapping_sub(1)));
        }
    }

    /// The slot that a reference most likely has, for hints: by its tag alone, if it is in its place or in the next one of the
    /// table in use. [`NIL`] if not. Does not branch on what it finds.
    #[inline(always)]
    pub(super) fn likely(&self, reference: VenueRef) -> u32 {
        let tag = tag(reference);
        let mask = self.size.wrapping_sub(1);
        let place = tag as usize & mask;
        let (first, second) = (self.at(self.size, place), self.at(self.size, place.wrapping_add(1) & mask));
        let second = select_unpredictable(tag_of(second) == tag, slot_of(second), NIL);
        select_unpredictable(tag_of(first) == tag, slot_of(first), second)
    }

    /// A table always has a vacant entry, so the walk ends.
    #[inline(always)]
    fn probe(&self, size: usize, tag: u32, reference: VenueRef, orders: &Pool<Order>) -> Result<Found, Vacant> {
        let mask = size.wrapping_sub(1);
        let mut place = tag as usize & mask;
        loop {
            let entry = self.at(size, place);
            if entry == 0 {
                return Err(Vacant { tag, place });
            }
            if tag_of(entry) == tag && orders.at(slot_of(entry)).reference == reference {
                return Ok(Found { slot: slot_of(entry), size, place });
            }
            place = place.wrapping_add(1) & mask;
        }
    }

    /// Enters the order at the vacant place that [`find`](Self::find) named, with nothing entered or removed in between.
    /// `orders`: how many there are with it.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: Vacant, slot: u32, orders: usize) {
        self.set(self.size, at.place, u64::from(at.tag) << 32 | u64::from(slot.wrapping_add(1)));
        if self.old_size != 0 || orders > self.grow_above {
            self.bring_along();
        }
    }

    /// Turns to the next table if need be, and moves a cluster of the old one, or skips some vacancy, so that it is empty
    /// in time: a quarter as many insertions as it has entries lead to the next turn. Whole clusters: no probe meets a
    /// hole.
    #[cold]
    fn bring_along(&mut self) {
        if self.old_size == 0 {
            let vacant = (0..self.size).find(|place| self.at(self.size, *place) == 0).unwrap_or(0);
            (self.old_size, self.old_start, self.old_done) = (self.size, vacant.wrapping_add(1), 0);
            self.take_over(self.size.wrapping_mul(2));
        }
        let mask = self.old_size.wrapping_sub(1);
        let mut steps = 0u32;
        while self.old_done < self.old_size {
            let place = self.old_start.wrapping_add(self.old_done) & mask;
            let entry = self.at(self.old_size, place);
            if entry == 0 && steps >= 8 {
                return;
            }
            if entry != 0 {
                self.set(self.old_size, place, 0);
                let mask = self.size.wrapping_sub(1);
                let mut to = tag_of(entry) as usize & mask;
                while self.at(self.size, to) != 0 {
                    to = to.wrapping_add(1) & mask;
                }
                self.set(self.size, to, entry);
            }
            self.old_done = self.old_done.wrapping_add(1);
            steps = steps.wrapping_add(1);
        }
        self.old_size = 0;
    }

    /// Removes what [`find`](Self::find) found, with nothing entered or removed in between.
    #[inline(always)]
    pub(super) fn remove(&mut self, found: Found) {
        let Found { size, place: mut hole, .. } = found;
        let mask = size.wrapping_sub(1);
        let mut place = hole;
        loop {
            place = place.wrapping_add(1) & mask;
            let next = self.at(size, place);
            if next == 0 {
                break;
            }
            // `next` may move into the hole unless its home lies cyclically in (hole, place].
            let home = tag_of(next) as usize;
            if place.wrapping_sub(home) & mask >= place.wrapping_sub(hole) & mask {
                self.set(size, hole, next);
                hole = place;
            }
        }
        self.set(size, hole, 0);
    }
}
