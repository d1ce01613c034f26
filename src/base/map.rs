//! A hash map from `u64` to `u32` with a fixed capacity and no tombstones.

use super::state::{LoadError, Reader, Save, State, Value};
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// No room for another key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Full;

/// Open addressing with linear probing over a table at most half full; removal shifts the cluster back, so that a
/// day of adds and deletes leaves no debris and a lookup never costs more than its own cluster.
#[derive(Debug)]
pub struct Map {
    slots: Box<[Slot]>,
    mask: usize,
    len: usize,
    capacity: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    key: u64,
    /// The value plus one; zero is an empty slot.
    stored: u64,
}

const EMPTY: Slot = Slot { key: 0, stored: 0 };

/// Neighbouring keys share a block of this many slots: venues number orders in sequence, and eight neighbours in
/// two cache lines beat eight strangers in eight.
const BLOCK_BITS: u32 = 2;

impl Map {
    /// Room for `capacity` keys. Allocates and touches all its memory now.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let capacity = capacity.max(1);
        let size = capacity.saturating_mul(2).max(16).next_power_of_two();
        let mut slots = vec![EMPTY; size].into_boxed_slice();
        // A zeroed allocation is not yet memory: write it once, so that no page fault happens on the lane.
        for slot in &mut slots {
            *slot = core::hint::black_box(EMPTY);
        }
        Map { slots, mask: size.saturating_sub(1), len: 0, capacity }
    }

    /// Number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// No keys?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many keys fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets every key.
    pub fn clear(&mut self) {
        if self.len > 0 {
            self.slots.fill(EMPTY);
            self.len = 0;
        }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    fn home(&self, key: u64) -> usize {
        let block = key >> BLOCK_BITS;
        let within = key & ((1 << BLOCK_BITS) - 1);
        let mixed = block.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        // The high bits of the product are the well-mixed ones.
        (((mixed ^ (mixed >> 32)) << BLOCK_BITS | within) as usize) & self.mask
    }

    #[inline]
    fn find(&self, key: u64) -> Result<usize, usize> {
        let mut i = self.home(key);
        loop {
            match self.slots.get(i) {
                Some(slot) if slot.stored == 0 => return Err(i),
                Some(slot) if slot.key == key => return Ok(i),
                _ => i = i.wrapping_add(1) & self.mask,
            }
        }
    }

    /// The value of `key`.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn get(&self, key: u64) -> Option<u32> {
        let slot = self.slots.get(self.find(key).ok()?)?;
        Some(slot.stored.wrapping_sub(1) as u32)
    }

    /// Sets `key` to `value` and returns the value it had.
    ///
    /// # Errors
    /// [`Full`] when `key` is new and there is no room.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub fn insert(&mut self, key: u64, value: u32) -> Result<Option<u32>, Full> {
        let stored = u64::from(value).wrapping_add(1);
        match self.find(key) {
            Ok(i) => {
                let old = self.slots.get_mut(i).map(|s| core::mem::replace(&mut s.stored, stored));
                Ok(old.map(|s| s.wrapping_sub(1) as u32))
            }
            Err(_) if self.len >= self.capacity => Err(Full),
            Err(i) => {
                if let Some(slot) = self.slots.get_mut(i) {
                    *slot = Slot { key, stored };
                    self.len = self.len.wrapping_add(1);
                }
                Ok(None)
            }
        }
    }

    /// Removes `key` and returns its value.
    #[inline]
    #[allow(clippy::cast_possible_truncation)]
    pub fn remove(&mut self, key: u64) -> Option<u32> {
        let mut hole = self.find(key).ok()?;
        let value = self.slots.get(hole)?.stored.wrapping_sub(1) as u32;
        self.len = self.len.wrapping_sub(1);
        let mut i = hole;
        loop {
            i = i.wrapping_add(1) & self.mask;
            let Some(&next) = self.slots.get(i) else { break };
            if next.stored == 0 {
                break;
            }
            // `next` may move into the hole unless its home lies cyclically in (hole, i].
            let home = self.home(next.key);
            if i.wrapping_sub(home) & self.mask >= i.wrapping_sub(hole) & self.mask {
                if let Some(slot) = self.slots.get_mut(hole) {
                    *slot = next;
                }
                hole = i;
            }
        }
        if let Some(slot) = self.slots.get_mut(hole) {
            *slot = EMPTY;
        }
        Some(value)
    }
}

/// What is in it, in the order of the keys: where in the table it lies depends on what was there before.
impl State for Map {
    fn save(&self, into: &mut dyn Save) {
        let Map { slots, mask: _, len, capacity: _ } = self;
        let mut all: Vec<&Slot> = slots.iter().filter(|slot| slot.stored != 0).collect();
        all.sort_unstable_by_key(|slot| slot.key);
        into.count(*len);
        for Slot { key, stored } in all {
            key.put(into);
            stored.put(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.clear();
        for _ in 0..from.count(self.capacity)? {
            let (key, stored) = (from.u64()?, from.u64()?);
            let value = stored.checked_sub(1).and_then(|value| u32::try_from(value).ok()).ok_or(LoadError::BAD)?;
            if self.insert(key, value) != Ok(None) {
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
    use std::collections::HashMap;

    #[test]
    fn what_is_in_it_is_saved_in_one_order_however_it_came_there() {
        let of = |keys: &[u64]| {
            let mut map = Map::new(8);
            keys.iter().for_each(|key| assert_eq!(map.insert(*key, 3), Ok(None)));
            map
        };
        assert_eq!(Writer::of(&of(&[1, 2, 3])), Writer::of(&of(&[3, 1, 2])));
        let changes: [fn(&mut Map); 5] = [
            |_| {},
            |m| _ = m.insert(1, 0),
            |m| _ = m.insert(1, u32::MAX),
            |m| _ = m.insert(2, 0),
            |m| (0..8).for_each(|key| assert_eq!(m.insert(key << 40, 1), Ok(None))),
        ];
        assert_all_saved(|| Map::new(8), &changes);
        let full = Writer::of(&of(&[1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(Map::new(8).load(&mut Reader(&full)), Ok(()));
        let small = Map::new(7).load(&mut Reader(&full));
        assert_eq!(small, Err(LoadError::Capacity { of: "", built: 7, saved: 8 }));
    }

    #[test]
    fn behaves_as_a_hash_map_under_collisions() {
        let mut x = 1u64;
        let mut map = Map::new(64);
        let mut model = HashMap::new();
        for _ in 0..200_000 {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Keys that are multiples of a large power of two defeat a weak hash.
            let key = ((x >> 33) % 96) << 40;
            match x % 3 {
                0 => assert_eq!(map.remove(key), model.remove(&key)),
                1 => assert_eq!(map.get(key), model.get(&key).copied()),
                _ if model.len() == 64 && !model.contains_key(&key) => assert_eq!(map.insert(key, 1), Err(Full)),
                _ => assert_eq!(map.insert(key, x as u32), Ok(model.insert(key, x as u32))),
            }
            assert_eq!(map.len(), model.len());
        }
    }
}
