//! Own orders: which of the resting ones are ours.
//!
//! The feed may show an order before or after the venue's answer names it to us, so a mark may wait for its order and
//! an order may rest a while without its mark. A mark lives until its owner takes it back; the feed moves it (a
//! replace) but never drops it, so that a snapshot that rebuilds the book finds it again.

use super::pool::{NIL, Pool};
use crate::base::{ClientId, Map, VenueRef};

#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) reference: VenueRef,
    pub(super) client: ClientId,
    /// Is the order in the book?
    pub(super) resting: bool,
}

#[derive(Debug)]
pub(super) struct Marks {
    pool: Pool<Mark>,
    by_reference: Map,
    /// How many marks wait for their order: while it is zero, an add need not look.
    awaited: usize,
}

impl Marks {
    pub(super) fn new(capacity: usize) -> Self {
        let blank = Mark { reference: VenueRef(0), client: ClientId(0), resting: false };
        Marks { pool: Pool::new(capacity, blank), by_reference: Map::new(capacity), awaited: 0 }
    }

    /// For how many orders it was built.
    pub(super) fn capacity(&self) -> usize {
        self.pool.capacity()
    }

    pub(super) fn get(&self, number: u32) -> &Mark {
        self.pool.at(number)
    }

    pub(super) fn find(&self, reference: VenueRef) -> Option<u32> {
        self.by_reference.get(reference.0)
    }

    /// A new mark, waiting. `None` when full.
    pub(super) fn add(&mut self, reference: VenueRef, client: ClientId) -> Option<u32> {
        let number = self.pool.take()?;
        *self.pool.at_mut(number) = Mark { reference, client, resting: false };
        if self.by_reference.insert(reference.0, number).is_err() {
            self.pool.give(number);
            return None;
        }
        self.awaited = self.awaited.wrapping_add(1);
        Some(number)
    }

    pub(super) fn set_client(&mut self, number: u32, client: ClientId) {
        self.pool.at_mut(number).client = client;
    }

    pub(super) fn remove(&mut self, reference: VenueRef) -> Option<Mark> {
        let number = self.by_reference.remove(reference.0)?;
        let mark = *self.pool.at(number);
        self.pool.give(number);
        if !mark.resting {
            self.awaited = self.awaited.wrapping_sub(1);
        }
        Some(mark)
    }

    /// The mark of an order that enters: one that waits for its reference, else the one that it inherits from the
    /// order that it replaces. From now on it rests.
    #[inline(always)]
    pub(super) fn arrive(&mut self, reference: VenueRef, inherited: u32) -> u32 {
        // An inherited mark is waiting too, so that this one comparison covers both.
        if self.awaited == 0 { NIL } else { self.arrive_awaited(reference, inherited) }
    }

    #[cold]
    fn arrive_awaited(&mut self, reference: VenueRef, inherited: u32) -> u32 {
        let number = match self.find(reference) {
            Some(number) => number,
            None if inherited == NIL => return NIL,
            None => {
                self.by_reference.remove(self.pool.at(inherited).reference.0);
                if self.by_reference.insert(reference.0, inherited).is_err() {
                    return NIL;
                }
                self.pool.at_mut(inherited).reference = reference;
                inherited
            }
        };
        self.rest(number);
        number
    }

    pub(super) fn rest(&mut self, number: u32) {
        let mark = self.pool.at_mut(number);
        if !mark.resting {
            mark.resting = true;
            self.awaited = self.awaited.wrapping_sub(1);
        }
    }

    /// The order left the book.
    pub(super) fn leave(&mut self, number: u32) {
        let mark = self.pool.at_mut(number);
        if mark.resting {
            mark.resting = false;
            self.awaited = self.awaited.wrapping_add(1);
        }
    }

    /// Takes back marks that wait for their order, where `gone` says so.
    pub(super) fn forget(&mut self, gone: impl Fn(ClientId) -> bool) {
        for number in (0u32..).take(self.pool.capacity()) {
            let mark = *self.pool.at(number);
            if !mark.resting && self.find(mark.reference) == Some(number) && gone(mark.client) {
                self.remove(mark.reference);
            }
        }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Mark> {
        let marks = (0u32..).take(self.pool.capacity()).map(|number| (number, self.pool.at(number)));
        marks.filter(|(number, mark)| self.find(mark.reference) == Some(*number)).map(|(_, mark)| mark)
    }

    /// All orders left the book.
    pub(super) fn all_leave(&mut self) {
        for number in (0u32..).take(self.pool.capacity()) {
            self.pool.at_mut(number).resting = false;
        }
        self.awaited = self.by_reference.len();
    }

    pub(super) fn clear(&mut self) {
        self.pool.reset();
        self.by_reference.clear();
        self.awaited = 0;
    }
}
