//! The reorder window: messages that came before their turn wait here.
//!
//! One cell of fixed size for each of the next `capacity` sequence numbers, found by the low bits of the number. So
//! storing and taking cost the same whatever the disorder, there is nothing to fragment, and hardware can have the
//! same geometry. The window itself does not know where it begins; its owner says so with each call.

use crate::base::{LoadError, Mono, Reader, Save, State, Value};
use alloc::boxed::Box;
use alloc::vec;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Slot {
    Empty,
    /// A message of so many bytes.
    Held(u16),
    /// Only malformed copies came so far; the last one's locate code could not be read.
    Malformed,
    /// Only malformed copies came so far; the last one named this locate code.
    MalformedAt(u16),
}

/// What became of a message to store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stored {
    New,
    Duplicate,
    /// Beyond the end of the window, or longer than a cell.
    NoRoom,
}

/// A message taken out: its bytes stay readable until the next change of the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Taken {
    start: usize,
    length: usize,
    /// When it came.
    pub(super) arrived: Mono,
}

#[derive(Debug)]
pub(super) struct Window {
    slots: Box<[Slot]>,
    cells: Box<[u8]>,
    /// When what a slot holds came.
    arrivals: Box<[Mono]>,
    cell: usize,
    mask: u64,
    /// Slots that are not empty.
    used: usize,
}

impl Window {
    /// Room for `capacity` messages (a power of two) of at most `cell` bytes each.
    pub(super) fn new(capacity: usize, cell: usize) -> Self {
        let mut slots = vec![Slot::Empty; capacity].into_boxed_slice();
        let mut cells = vec![0; capacity.saturating_mul(cell)].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        let mut arrivals = vec![Mono(0); capacity].into_boxed_slice();
        slots.fill(core::hint::black_box(Slot::Empty));
        cells.fill(core::hint::black_box(0xA5));
        arrivals.fill(core::hint::black_box(Mono(1)));
        Window { slots, cells, arrivals, cell, mask: (capacity as u64).wrapping_sub(1), used: 0 }
    }

    /// Nothing held and no malformed copy remembered?
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub(super) fn capacity(&self) -> u64 {
        self.slots.len() as u64
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // masked: below the number of slots
    fn index(&self, sequence: u64) -> usize {
        (sequence & self.mask) as usize
    }

    fn slot(&self, sequence: u64) -> Slot {
        self.slots.get(self.index(sequence)).copied().unwrap_or(Slot::Empty)
    }

    fn set(&mut self, sequence: u64, slot: Slot) {
        let index = self.index(sequence);
        if let Some(place) = self.slots.get_mut(index) {
            self.used = self.used.wrapping_sub(usize::from(*place != Slot::Empty));
            self.used = self.used.wrapping_add(usize::from(slot != Slot::Empty));
            *place = slot;
        }
    }

    /// Keeps a copy of message `sequence`, not below `first`, where the window begins.
    pub(super) fn store(&mut self, first: u64, sequence: u64, message: &[u8], now: Mono) -> Stored {
        if sequence.wrapping_sub(first) >= self.capacity() || message.len() > self.cell {
            return Stored::NoRoom;
        }
        if matches!(self.slot(sequence), Slot::Held(_)) {
            return Stored::Duplicate;
        }
        let Ok(length) = u16::try_from(message.len()) else { return Stored::NoRoom };
        let index = self.index(sequence);
        let start = index.wrapping_mul(self.cell);
        let end = start.wrapping_add(message.len());
        let (Some(cell), Some(arrived)) = (self.cells.get_mut(start..end), self.arrivals.get_mut(index)) else {
            return Stored::NoRoom;
        };
        cell.copy_from_slice(message);
        *arrived = now;
        self.set(sequence, Slot::Held(length));
        Stored::New
    }

    /// Remembers that a malformed copy of message `sequence` came, unless a good one is held.
    pub(super) fn mark_malformed(&mut self, first: u64, sequence: u64, locate: Option<u16>) {
        if sequence.wrapping_sub(first) < self.capacity() && !matches!(self.slot(sequence), Slot::Held(_)) {
            self.set(sequence, locate.map_or(Slot::Malformed, Slot::MalformedAt));
        }
    }

    /// Is message `sequence` held?
    #[inline]
    pub(super) fn holds(&self, sequence: u64) -> bool {
        matches!(self.slot(sequence), Slot::Held(_))
    }

    /// Takes message `sequence` out, if it is held.
    #[inline]
    pub(super) fn take(&mut self, sequence: u64) -> Option<Taken> {
        let Slot::Held(length) = self.slot(sequence) else { return None };
        self.set(sequence, Slot::Empty);
        let index = self.index(sequence);
        let arrived = self.arrivals.get(index).copied().unwrap_or_default();
        Some(Taken { start: index.wrapping_mul(self.cell), length: usize::from(length), arrived })
    }

    /// The bytes of what was taken last.
    #[inline]
    pub(super) fn bytes(&self, taken: Taken) -> &[u8] {
        self.cells.get(taken.start..).and_then(|rest| rest.get(..taken.length)).unwrap_or_default()
    }

    /// Message `sequence` was delivered from elsewhere: what the window knows of it is void.
    #[inline]
    pub(super) fn forget(&mut self, sequence: u64) {
        self.set(sequence, Slot::Empty);
    }

    /// If only malformed copies of `sequence` came: the locate code of the last, if it could be read.
    pub(super) fn malformed(&self, sequence: u64) -> Option<Option<u16>> {
        match self.slot(sequence) {
            Slot::Malformed => Some(None),
            Slot::MalformedAt(locate) => Some(Some(locate)),
            Slot::Empty | Slot::Held(_) => None,
        }
    }

    /// End of the run of messages from `first`, where the window begins, that are not held; at most `end`.
    pub(super) fn end_of_hole(&self, first: u64, end: u64) -> u64 {
        self.end_of_run(first, end, |slot| !matches!(slot, Slot::Held(_)))
    }

    /// End of the run of messages from `first`, where the window begins, of which no copy came; at most `end`.
    pub(super) fn end_of_silence(&self, first: u64, end: u64) -> u64 {
        self.end_of_run(first, end, |slot| slot == Slot::Empty)
    }

    fn end_of_run(&self, first: u64, end: u64, belongs: impl Fn(Slot) -> bool) -> u64 {
        if self.is_empty() {
            return end;
        }
        let reach = end.min(first.saturating_add(self.capacity()));
        // Beyond its reach the window holds nothing: a run that gets there goes on to the end.
        (first..reach).find(|sequence| !belongs(self.slot(*sequence))).unwrap_or(end)
    }

    /// The window that began at `from` begins at `to`; what lies outside of it is forgotten.
    pub(super) fn move_to(&mut self, from: u64, to: u64) {
        if self.is_empty() {
            return;
        }
        let end = from.saturating_add(self.capacity());
        let drop = if to >= from { from..to.min(end) } else { to.saturating_add(self.capacity()).max(from)..end };
        for sequence in drop {
            self.set(sequence, Slot::Empty);
        }
    }

    pub(super) fn clear(&mut self) {
        if !self.is_empty() {
            self.slots.fill(Slot::Empty);
            self.used = 0;
        }
    }
}

crate::value! { enum Slot { 0 => Empty, 1 => Held(length), 2 => Malformed, 3 => MalformedAt(locate) } }

/// What it holds, by place. Cells and arrivals of slots that hold nothing are void.
impl State for Window {
    fn save(&self, into: &mut dyn Save) {
        let Window { slots, cells: _, arrivals, cell, mask: _, used } = self;
        into.count(slots.len());
        into.count(*cell);
        into.count(*used);
        for ((index, slot), arrived) in slots.iter().enumerate().zip(arrivals).filter(|((_, s), _)| **s != Slot::Empty)
        {
            into.count(index);
            slot.put(into);
            if let Slot::Held(length) = *slot {
                arrived.put(into);
                let start = index.wrapping_mul(*cell);
                into.bytes(self.bytes(Taken { start, length: usize::from(length), arrived: *arrived }));
            }
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        LoadError::unless_equal(self.slots.len(), from.u64()?)?;
        LoadError::unless_equal(self.cell, from.u64()?)?;
        self.clear();
        for _ in 0..from.count(self.slots.len())? {
            let (index, slot) = (from.u64()?, from.value()?);
            if index >= self.capacity() || self.slot(index) != Slot::Empty || slot == Slot::Empty {
                return Err(LoadError::BAD);
            }
            if let Slot::Held(length) = slot {
                let (arrived, message) = (from.value()?, from.bytes(usize::from(length))?);
                if self.store(index, index, message, arrived) != Stored::New {
                    return Err(LoadError::BAD);
                }
            }
            self.set(index, slot);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_for_exactly_the_next_messages_of_at_most_a_cell() {
        let mut w = Window::new(4, 3);
        assert_eq!(w.store(10, 13, b"abc", Mono(7)), Stored::New, "the last cell");
        assert_eq!(w.store(10, 14, b"abc", Mono(7)), Stored::NoRoom, "one beyond");
        assert_eq!(w.store(10, 12, b"abcd", Mono(7)), Stored::NoRoom, "one byte too long");
        assert_eq!(w.store(10, 12, b"", Mono(7)), Stored::New);
        assert_eq!(w.store(10, 13, b"x", Mono(7)), Stored::Duplicate);
        assert_eq!(w.store(11, 14, b"e", Mono(7)), Stored::New, "room as soon as the window moves");
        assert_eq!(w.take(11), None);
        let taken = w.take(13).unwrap();
        assert_eq!(w.bytes(taken), b"abc");
        assert_eq!(w.take(13), None);
    }

    #[test]
    fn holes_end_where_something_is_held() {
        let mut w = Window::new(8, 4);
        assert_eq!(w.end_of_hole(5, 100), 100, "empty: the hole reaches as far as messages are known");
        w.store(5, 9, b"a", Mono(7));
        w.mark_malformed(5, 7, Some(3));
        w.mark_malformed(5, 9, None);
        assert_eq!((w.end_of_hole(5, 100), w.end_of_silence(5, 100)), (9, 7));
        assert_eq!((w.malformed(7), w.malformed(9), w.malformed(8)), (Some(Some(3)), None, None));
        assert_eq!(w.end_of_hole(10, 12), 12);
        w.store(5, 7, b"b", Mono(7));
        assert_eq!(w.malformed(7), None, "a good copy heals");
    }

    #[test]
    fn a_window_that_moves_forgets_what_falls_out() {
        let mut w = Window::new(4, 4);
        (20..24).for_each(|n| assert_eq!(w.store(20, n, b"m", Mono(7)), Stored::New));
        w.move_to(20, 18);
        assert_eq!([20, 21, 22, 23].map(|n| w.take(n).is_some()), [true, true, false, false]);
        (20..24).for_each(|n| assert_eq!(w.store(20, n, b"m", Mono(7)), Stored::New));
        w.move_to(20, 22);
        assert_eq!([20, 21, 22, 23].map(|n| w.take(n).is_some()), [false, false, true, true]);
        assert!(w.is_empty());
        w.store(20, 23, b"m", Mono(7));
        w.move_to(20, u64::MAX);
        assert!(w.is_empty());
    }

    #[test]
    fn what_it_holds_is_saved_and_restored() {
        let changes: [fn(&mut Window); 9] = [
            |_| {},
            |w| _ = w.store(1, 1, b"a", Mono(1)),
            |w| _ = w.store(1, 2, b"a", Mono(1)),
            |w| _ = w.store(1, 1, b"b", Mono(1)),
            |w| _ = w.store(1, 1, b"aa", Mono(1)),
            |w| _ = w.store(1, 1, b"a", Mono(2)),
            |w| w.mark_malformed(1, 1, None),
            |w| w.mark_malformed(1, 1, Some(0)),
            |w| w.mark_malformed(1, 1, Some(1)),
        ];
        crate::base::assert_all_saved(|| Window::new(4, 3), &changes);
    }
}
