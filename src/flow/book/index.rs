//! From order reference to order: a hash index of eight-byte entries.

use super::orders::Order;
use super::pool::Pool;
use crate::base::VenueRef;
use alloc::boxed::Box;
use alloc::vec;

/// Open addressing with linear probing over a table at most half full, sized by the orders that can rest at once: a
/// reference may be any 64-bit number, and sparse ones cost no more than dense ones.
///
/// An entry is the upper half: 32 bits of hash (the *tag*), whose lowest bits are the entry's home; the lower half: the
/// order's slot plus one; zero is vacant. The full reference stands in the order itself, which the caller is about
/// to touch anyway. Eight neighbouring references share one cache line, because venues number orders in sequence.
/// Removal shifts the cluster back, so that a day of adds and deletes leaves no debris.
#[derive(Debug)]
pub(super) struct Index {
    entries: Box<[u64]>,
    mask: usize,
}

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
    position: usize,
}

/// Where a reference that was not found belongs.
#[derive(Clone, Copy)]
pub(super) struct Vacant {
    tag: u32,
    position: usize,
}

impl Index {
    /// For at most `orders` orders at once. Allocates and touches all its memory now.
    pub(super) fn new(orders: usize) -> Self {
        let size = orders.saturating_mul(2).max(16).next_power_of_two();
        let mut entries = vec![0u64; size].into_boxed_slice();
        for entry in &mut entries {
            *entry = core::hint::black_box(0);
        }
        Index { entries, mask: size.wrapping_sub(1) }
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.entries.fill(0);
    }

    /// Finds a reference. The table always has a vacant entry, so the walk ends.
    #[inline(always)]
    pub(super) fn find(&self, reference: VenueRef, orders: &Pool<Order>) -> Result<Found, Vacant> {
        let tag = tag(reference);
        let mut position = tag as usize & self.mask;
        loop {
            let entry = self.entries.get(position).copied().unwrap_or(0);
            if entry == 0 {
                return Err(Vacant { tag, position });
            }
            if tag_of(entry) == tag && orders.at(slot_of(entry)).reference == reference {
                return Ok(Found { slot: slot_of(entry), position });
            }
            position = position.wrapping_add(1) & self.mask;
        }
    }

    /// Enters the order at the vacant place that [`find`](Self::find) named, with no removal in between.
    #[inline(always)]
    pub(super) fn insert(&mut self, at: Vacant, slot: u32) {
        if let Some(entry) = self.entries.get_mut(at.position) {
            *entry = u64::from(at.tag) << 32 | u64::from(slot.wrapping_add(1));
        }
    }

    /// Removes what [`find`](Self::find) found, with no insertion or removal in between.
    #[inline(always)]
    pub(super) fn remove(&mut self, found: Found) {
        let mut hole = found.position;
        let mut position = hole;
        loop {
            position = position.wrapping_add(1) & self.mask;
            let next = self.entries.get(position).copied().unwrap_or(0);
            if next == 0 {
                break;
            }
            // `next` may move into the hole unless its home lies cyclically in (hole, position].
            let home = tag_of(next) as usize;
            if position.wrapping_sub(home) & self.mask >= position.wrapping_sub(hole) & self.mask {
                if let Some(entry) = self.entries.get_mut(hole) {
                    *entry = next;
                }
                hole = position;
            }
        }
        if let Some(entry) = self.entries.get_mut(hole) {
            *entry = 0;
        }
    }
}
