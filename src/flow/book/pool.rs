//! A pool of equal records, named by dense `u32` numbers.

use crate::base::raw;
use alloc::boxed::Box;
use alloc::vec;

/// No record. Out of every pool's range by construction.
pub(super) const NIL: u32 = u32::MAX;

/// Records of one kind in one allocation. Free numbers are kept on a stack, so that the record freed last, whose
/// cache line is still hot, is taken first.
///
/// Reading or writing outside (at [`NIL`], the end of every list) reaches one spare record instead: what is written
/// there is lost, what is read there means nothing. List surgery so needs no case for its ends.
#[derive(Debug)]
pub(super) struct Pool<T> {
    items: Box<[T]>,
    outside: T,
    free: Box<[u32]>,
    free_len: usize,
}

impl<T: Copy> Pool<T> {
    /// `capacity` records (at most `u32::MAX`), all touched now, so that no page fault happens on the lane.
    pub(super) fn new(capacity: usize, blank: T) -> Self {
        let capacity = capacity.min(NIL as usize);
        let mut items = vec![blank; capacity].into_boxed_slice();
        for item in &mut items {
            *item = core::hint::black_box(blank);
        }
        let mut pool = Pool { items, outside: blank, free: vec![0; capacity].into_boxed_slice(), free_len: 0 };
        pool.reset();
        pool
    }

    /// Frees every record. The lowest numbers are taken first.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn reset(&mut self) {
        for (number, slot) in self.free.iter_mut().rev().enumerate() {
            *slot = number as u32;
        }
        self.free_len = self.free.len();
    }

    /// Takes a record, if one is left; it holds what it held last.
    #[inline]
    pub(super) fn take(&mut self) -> Option<u32> {
        let top = self.free_len.checked_sub(1)?;
        let number = *self.free.get(top)?;
        self.free_len = top;
        Some(number)
    }

    /// Gives a record back. Each taken record is given back once.
    #[inline]
    pub(super) fn give(&mut self, number: u32) {
        if let Some(slot) = self.free.get_mut(self.free_len) {
            *slot = number;
            self.free_len = self.free_len.wrapping_add(1);
        }
    }

    /// How many records are in use.
    #[inline]
    pub(super) fn used(&self) -> usize {
        self.items.len().wrapping_sub(self.free_len)
    }

    /// How many records there are in all.
    pub(super) fn capacity(&self) -> usize {
        self.items.len()
    }

    /// A record that is in use.
    #[inline(always)]
    pub(super) fn at(&self, number: u32) -> &T {
        match self.items.get(number as usize) {
            Some(item) => item,
            None => self.outside(),
        }
    }

    /// A record that is in use.
    #[inline(always)]
    pub(super) fn at_mut(&mut self, number: u32) -> &mut T {
        match self.items.get_mut(number as usize) {
            Some(item) => item,
            None => outside_mut(&mut self.outside),
        }
    }

    /// A record at the other end of a link, or the spare one at [`NIL`]. As `at_mut`, but no branch to mispredict.
    #[inline(always)]
    pub(super) fn linked_mut(&mut self, number: u32) -> &mut T {
        match self.items.get_mut(number as usize) {
            Some(item) => item,
            None => &mut self.outside,
        }
    }

    #[cold]
    fn outside(&self) -> &T {
        &self.outside
    }

    /// The number itself, or that of the last record: for hints, which must neither fail nor branch.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // capacities are below `u32::MAX`
    pub(super) fn near(&self, number: u32) -> u32 {
        number.min((self.items.len() as u32).wrapping_sub(1))
    }

    /// Hints that a record will be needed soon.
    #[inline(always)]
    pub(super) fn prefetch(&self, number: u32) {
        raw::prefetch(&self.items, number as usize);
    }
}

#[cold]
fn outside_mut<T>(outside: &mut T) -> &mut T {
    outside
}
