//! Numbers for names: what a venue calls an order in text, the lane calls by a number.
//!
//! The order table knows requests by [`Token`](crate::base::Token) and what the feed shows by
//! [`VenueRef`](crate::base::VenueRef), numbers of 64 bits. A protocol whose names are numbers that fit uses them as they
//! are. One whose names are texts keeps a [`Names`] for each kind of name, beside its session, as part of its state:
//!
//! * **OUCH 4.2** (Order Token, 14 characters): an own token is the digits of a number that the entry counts up, so that
//!   the number is the lane's `Token` without any table. Only tokens that are no such digits, of another program on the
//!   port or of an earlier run that named otherwise, are interned; [`Names::new`] then counts from beyond the digits. The
//!   Order Reference Number is a number: the `VenueRef`.
//! * **FIX** (ClOrdID 11, OrderID 37, both of any text): ClOrdID as above, the digits behind a prefix of the session's.
//!   OrderID is interned, and its number is the `VenueRef`; an ExecID (17), if it is no number, likewise, for the number
//!   under which a fill counts once.
//! * **REST** (a client order id of one's own, an order id of the venue's as a UUID of 36 characters): as FIX.
//!
//! A name is taken by [`intern`](Names::intern) when the venue first says it, and given up by
//! [`finish`](Names::finish) when its order is finished ([`OrderEntry::finished`](super::OrderEntry::finished)). It is
//! still known then, for what comes late, until its place is needed: the one that was finished longest ago goes first. If
//! nothing is finished, a new name is refused and counted, and the entry says what it can't name as
//! [`Report::Unreadable`](crate::flow::orders::Report::Unreadable), so that trading stops. Sized as the order table is
//! (live and retained), it is full only where that is.
//!
//! Numbers rise and are never used again, so that a number means one name for the life of a log.

use crate::base::{LoadError, Map, OutOfRange, Reader, Save, State, Value, counters};
use alloc::boxed::Box;
use alloc::vec;

/// The longest name.
pub const LONGEST: usize = 36;

const NIL: u32 = u32::MAX;

/// Why a text got no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoName {
    /// It has no bytes, or more than [`LONGEST`].
    Unfit,
    /// There is no room, and no name is finished.
    Full,
}

counters! {
    /// What was out of the ordinary.
    pub struct NamesCounters {
        /// Texts without bytes, or longer than any name.
        pub unfit: u64,
        /// Names for which there was no room.
        pub full: u64,
        /// Finished names that were given up for new ones.
        pub forgotten: u64,
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// 0: never used.
    number: u64,
    text: [u8; LONGEST],
    length: u8,
    finished: bool,
    /// The next with the same hash.
    same: u32,
    /// The one that was finished after it.
    after: u32,
}

const VACANT: Slot = Slot { number: 0, text: [0; LONGEST], length: 0, finished: false, same: NIL, after: NIL };

crate::value! { Slot { number, text, length, finished, same, after } }

impl Slot {
    #[inline]
    fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// Names of one kind at one venue. Allocates in [`new`](Self::new) alone.
#[derive(Debug)]
pub struct Names {
    slots: Box<[Slot]>,
    /// So many were ever used.
    used: u32,
    /// By the hash of a text: the newest slot that has it.
    by_hash: Map,
    by_number: Map,
    next: u64,
    /// The finished, in the order in which they became so.
    oldest: u32,
    newest: u32,
    counters: NamesCounters,
}

/// FNV-1a: a few bytes at a time, and the same everywhere.
#[inline]
fn hash(text: &[u8]) -> u64 {
    text.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

impl Names {
    /// Room for `capacity` names, the first of which gets the number `first`.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first value that is.
    pub fn new(capacity: u32, first: u64) -> Result<Self, OutOfRange> {
        OutOfRange::unless((1..=1 << 24).contains(&capacity), "names.capacity", "1 to 16777216")?;
        OutOfRange::unless(first > 0, "names.first", "above zero")?;
        let mut slots = vec![VACANT; capacity as usize].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        slots.fill(core::hint::black_box(VACANT));
        Ok(Names {
            slots,
            used: 0,
            by_hash: Map::new(capacity as usize),
            by_number: Map::new(capacity as usize),
            next: first,
            oldest: NIL,
            newest: NIL,
            counters: NamesCounters::default(),
        })
    }

    /// The number of a name; a new one if it has none.
    ///
    /// # Errors
    /// [`NoName`]: it can have none, which was counted.
    pub fn intern(&mut self, name: &[u8]) -> Result<u64, NoName> {
        let mut text = [0; LONGEST];
        let Some(room) = text.get_mut(..name.len()).filter(|_| !name.is_empty()) else {
            bump(&mut self.counters.unfit);
            return Err(NoName::Unfit);
        };
        room.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        if let Some(number) = self.number(name) {
            return Ok(number);
        }
        let Some(place) = self.room() else {
            bump(&mut self.counters.full);
            return Err(NoName::Full);
        };
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        // Room is certain in both: there is one key at most for each place.
        let same = self.by_hash.insert(hash(name), place).ok().flatten().unwrap_or(NIL);
        let _fits = self.by_number.insert(number, place);
        if let Some(slot) = self.slots.get_mut(place as usize) {
            #[allow(clippy::cast_possible_truncation)] // 36 at most
            let length = name.len() as u8;
            *slot = Slot { number, text, length, same, ..VACANT };
        }
        Ok(number)
    }

    /// The number that a name has.
    #[inline]
    #[must_use]
    pub fn number(&self, name: &[u8]) -> Option<u64> {
        let mut place = self.by_hash.get(hash(name))?;
        loop {
            let slot = self.slots.get(place as usize)?;
            if slot.text() == name {
                return Some(slot.number);
            }
            place = slot.same;
        }
    }

    /// The name that has this number.
    #[inline]
    #[must_use]
    pub fn name(&self, number: u64) -> Option<&[u8]> {
        Some(self.slots.get(self.by_number.get(number)? as usize)?.text())
    }

    /// A name's order is finished: its place may be used again. False: no such name, or finished already.
    pub fn finish(&mut self, number: u64) -> bool {
        let Some(place) = self.by_number.get(number) else { return false };
        let Some(slot) = self.slots.get_mut(place as usize).filter(|slot| !slot.finished) else { return false };
        (slot.finished, slot.after) = (true, NIL);
        match self.slots.get_mut(self.newest as usize) {
            Some(newest) => newest.after = place,
            None => self.oldest = place,
        }
        self.newest = place;
        true
    }

    /// How many names have a number.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_number.len()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    /// How many fit.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.slots.len()
    }

    /// What was out of the ordinary.
    #[must_use]
    pub fn counters(&self) -> NamesCounters {
        self.counters
    }

    /// A place for a new name.
    fn room(&mut self) -> Option<u32> {
        if (self.used as usize) < self.slots.len() {
            self.used = self.used.wrapping_add(1);
            return Some(self.used.wrapping_sub(1));
        }
        let place = self.oldest;
        let old = *self.slots.get(place as usize)?;
        self.oldest = old.after;
        if self.oldest == NIL {
            self.newest = NIL;
        }
        self.unlink(place, &old);
        self.by_number.remove(old.number);
        bump(&mut self.counters.forgotten);
        Some(place)
    }

    /// Takes a slot out of those with its hash.
    fn unlink(&mut self, place: u32, slot: &Slot) {
        let key = hash(slot.text());
        let Some(first) = self.by_hash.get(key) else { return };
        if first == place {
            if slot.same == NIL {
                self.by_hash.remove(key);
            } else {
                // The key is there: only its place is another.
                let _known = self.by_hash.insert(key, slot.same);
            }
            return;
        }
        let mut at = first;
        while let Some(before) = self.slots.get_mut(at as usize) {
            if before.same == place {
                before.same = slot.same;
                return;
            }
            at = before.same;
        }
    }
}

fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

impl State for Names {
    fn save(&self, into: &mut dyn Save) {
        let Names { slots, used, by_hash, by_number, next, oldest, newest, counters } = self;
        into.count(slots.len());
        used.put(into);
        slots.iter().take(*used as usize).for_each(|slot| slot.put(into));
        by_hash.save(into);
        by_number.save(into);
        next.put(into);
        oldest.put(into);
        newest.put(into);
        counters.put(into);
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let Names { slots, used, by_hash, by_number, next, oldest, newest, counters } = self;
        LoadError::unless_equal(slots.len(), from.u64()?)?;
        slots.fill(VACANT);
        *used = from.value()?;
        let places = slots.get_mut(..*used as usize).ok_or(LoadError::BAD)?;
        for slot in places {
            *slot = from.value()?;
            // A link to the same hash is to an older name, so that no chain goes round.
            if usize::from(slot.length) > LONGEST || slot.length == 0 || slot.number == 0 {
                return Err(LoadError::BAD);
            }
        }
        by_hash.load(from)?;
        by_number.load(from)?;
        *next = from.value()?;
        *oldest = from.value()?;
        *newest = from.value()?;
        *counters = from.value()?;
        let number = |place: u32| slots.get(place as usize).map(|slot| slot.number);
        let older = |slot: &Slot| slot.same == NIL || number(slot.same).is_some_and(|n| n != 0 && n < slot.number);
        if slots.iter().all(older) { Ok(()) } else { Err(LoadError::BAD) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Writer, assert_all_saved};

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Names); 8] = [
            |_| {},
            |n| _ = n.intern(b"A").unwrap(),
            |n| _ = n.intern(b"B").unwrap(),
            |n| _ = n.intern(b"").is_err(),
            |n| n.next = 9,
            |n| {
                n.intern(b"A").unwrap();
                n.finish(1);
            },
            |n| {
                n.intern(b"A").unwrap();
                n.intern(b"B").unwrap();
                n.finish(2);
                n.finish(1);
            },
            |n| {
                n.intern(b"A").unwrap();
                n.intern(b"B").unwrap();
                n.finish(1);
                n.finish(2);
                n.intern(b"C").unwrap();
            },
        ];
        assert_all_saved(|| Names::new(2, 1).unwrap(), &changes);
    }

    /// Texts of one hash are made by a collision in the map's own key alone, so they are linked by hand.
    #[test]
    fn names_of_one_hash_are_told_apart_and_leave_in_any_order() {
        for (leaves, stay) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
            let mut names = Names::new(3, 1).unwrap();
            let texts: [&[u8]; 3] = [b"A", b"B", b"C"];
            texts.iter().for_each(|text| _ = names.intern(text).unwrap());
            // All three under the hash of `A`, the newest first.
            names.by_hash.clear();
            names.by_hash.insert(hash(b"A"), 2).unwrap();
            (names.slots[2].same, names.slots[1].same, names.slots[0].same) = (1, 0, NIL);
            let slot = names.slots[leaves as usize - 1];
            let key = Slot { text: names.slots[0].text, ..slot };
            names.unlink(leaves - 1, &key);
            let mut found = std::vec::Vec::new();
            let mut place = names.by_hash.get(hash(b"A")).unwrap();
            while let Some(slot) = names.slots.get(place as usize) {
                found.push(slot.number);
                place = slot.same;
            }
            found.sort_unstable();
            assert_eq!(found, stay, "{leaves} leaves");
        }
    }

    #[test]
    fn what_cannot_be_is_not_loaded() {
        let mut names = Names::new(2, 1).unwrap();
        names.intern(b"A").unwrap();
        let saved = Writer::of(&names);
        let load = |bytes: &[u8]| Names::new(2, 1).unwrap().load(&mut Reader(bytes));
        assert_eq!(load(&saved), Ok(()));
        assert!(Names::new(3, 1).unwrap().load(&mut Reader(&saved)).is_err(), "another capacity");
        // So many used (3), a number of 0, a length of 0 and of 37, a link to itself.
        let (number, length, same) = (12, 12 + 8 + LONGEST, 12 + 8 + LONGEST + 2);
        for (at, wrong) in [(8, 3), (number, 0), (length, 0), (length, 37), (same, 0)] {
            let mut bytes = saved.clone();
            bytes[at] = wrong;
            if at == same {
                bytes[same..same + 4].fill(0);
            }
            assert!(load(&bytes).is_err(), "{at}: {wrong}");
        }
    }
}
