//! Doubly linked lists through fixed slots: any slot leaves from the middle in constant time, nothing allocates.

use crate::base::Save;
use alloc::boxed::Box;
use alloc::vec;

/// No slot.
pub(super) const NIL: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

const ALONE: Link = Link { prev: NIL, next: NIL };

/// The links of one family of lists. A slot is in at most one list of a family.
#[derive(Debug)]
pub(super) struct Links(Box<[Link]>);

/// The ends of one list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) head: u32,
    pub(super) tail: u32,
}

impl List {
    pub(super) const EMPTY: List = List { head: NIL, tail: NIL };
}

impl Links {
    pub(super) fn new(slots: usize) -> Self {
        Links(vec![ALONE; slots].into_boxed_slice())
    }

    #[inline]
    pub(super) fn next(&self, slot: u32) -> u32 {
        self.0.get(slot as usize).map_or(NIL, |l| l.next)
    }

    fn set_next(&mut self, list: &mut List, slot: u32, to: u32) {
        match self.0.get_mut(slot as usize) {
            Some(link) => link.next = to,
            None => list.head = to,
        }
    }

    fn set_prev(&mut self, list: &mut List, slot: u32, to: u32) {
        match self.0.get_mut(slot as usize) {
            Some(link) => link.prev = to,
            None => list.tail = to,
        }
    }

    /// Puts `slot`, which is in no list of the family, behind `after`; behind `NIL` is the front.
    pub(super) fn insert_after(&mut self, list: &mut List, after: u32, slot: u32) {
        let next = if after == NIL { list.head } else { self.next(after) };
        if let Some(link) = self.0.get_mut(slot as usize) {
            *link = Link { prev: after, next };
            self.set_next(list, after, slot);
            self.set_prev(list, next, slot);
        }
    }

    /// Saves how many slots a list has, and which, from its head on.
    pub(super) fn save(&self, list: List, into: &mut dyn Save) {
        let slots = || core::iter::successors(Some(list.head), |slot| Some(self.next(*slot))).take_while(|s| *s != NIL);
        into.count(slots().count());
        slots().for_each(|slot| into.u32(slot));
    }

    /// Forgets every list.
    pub(super) fn clear(&mut self) {
        self.0.fill(ALONE);
    }

    pub(super) fn push_back(&mut self, list: &mut List, slot: u32) {
        let tail = list.tail;
        self.insert_after(list, tail, slot);
    }

    /// Takes `slot`, which is in `list`, out of it.
    pub(super) fn remove(&mut self, list: &mut List, slot: u32) {
        let Some(Link { prev, next }) = self.0.get_mut(slot as usize).map(|l| core::mem::replace(l, ALONE)) else {
            return;
        };
        self.set_next(list, prev, next);
        self.set_prev(list, next, prev);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn slots(links: &Links, list: &List) -> Vec<u32> {
        let mut all = Vec::new();
        let mut at = list.head;
        while at != NIL {
            all.push(at);
            at = links.next(at);
        }
        all
    }

    #[test]
    fn slots_leave_from_either_end_and_from_the_middle() {
        let (mut links, mut list) = (Links::new(4), List::EMPTY);
        for slot in 0..3 {
            links.push_back(&mut list, slot);
        }
        links.insert_after(&mut list, 0, 3);
        assert_eq!(slots(&links, &list), [0, 3, 1, 2]);
        links.remove(&mut list, 3);
        links.remove(&mut list, 0);
        links.remove(&mut list, 2);
        assert_eq!((slots(&links, &list), list.head, list.tail), (Vec::from([1]), 1, 1));
        links.remove(&mut list, 1);
        assert_eq!((list.head, list.tail), (NIL, NIL));
        links.insert_after(&mut list, NIL, 2);
        assert_eq!(slots(&links, &list), [2]);
    }
}
