//! One writes, any number read, and nobody waits: a ring of records that are written over when it is full.
//!
//! Each reader has a cursor of its own. Whoever falls behind by more than the ring holds is lapped: it goes on about half a
//! ring behind the writer and is told exactly how many records, and bytes of them, it has lost. Nobody else notices.
//! The design is that of Agrona's broadcast buffer: what is about to be written over is announced before, what is written is
//! committed after, and a reader that finds its place announced throws away what it has copied. So no record is ever torn.
//!
//! ```text
//!  words   intent | tail | total | closed | marks | slots of readers | ...  ring: frame*
//!  frame = length (bytes):u64 number:u64 before (bytes of all earlier records):u64 body, padded to whole words
//! ```
//!
//! Everything is 64-bit words, and every word an atomic: a race is a stale or a newer word, never undefined. The ring may be
//! memory of the process or a mapped file ([`share`](super::share)); nothing that the writer needs is read back from it, so that
//! what others do to such a file is their readers' misfortune alone.
//!
//! ```
//! use firelane_gateway::shell::broadcast::{Begin, BroadcastReader, BroadcastWriter, Got, Shared};
//!
//! let ring = Shared::new(4_096);
//! let mut writer = BroadcastWriter::new(ring.clone());
//! let mut reader = BroadcastReader::new(ring.clone(), Begin::Now).ok_or("no place to begin")?.called("doc");
//! (0..100).for_each(|n: u64| assert!(writer.write(&n.to_ne_bytes())));
//! // The ring holds 128 frames of four words; nothing is lost until it has gone round.
//! assert_eq!(reader.read()?, Got::Record(&0_u64.to_ne_bytes()));
//! (100..200).for_each(|n: u64| assert!(writer.write(&n.to_ne_bytes())));
//! let Got::Lost { records, bytes } = reader.read()? else { return Err("it was lapped".into()) };
//! assert_eq!((reader.read()?, bytes), (Got::Record(&(1 + records).to_ne_bytes()), 8 * records));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The atomics come through [`sync`](super::sync), so that package `tests/loom` checks this file too.

use super::sync::atomic::{AtomicU64, Ordering, fence};
use std::fmt;
use std::sync::Arc;

/// Words of a frame before its body.
const HEADER: usize = 3;
/// Bytes of a word.
const WORD: usize = size_of::<u64>();

/// Words between those that different threads write: two cache lines, as processors fetch them in pairs. The model checker
/// has no cache lines, and takes its time for each word.
const APART: usize = if cfg!(loom) { 1 } else { 16 };
/// Places in the ring at which a record is known to begin.
const MARKS: usize = if cfg!(loom) { 2 } else { 64 };
/// Readers that can be seen at a time.
pub const SLOTS: usize = if cfg!(loom) { 1 } else { 32 };
/// Bytes of a reader's name that are kept.
const NAME: usize = 32;

/// Where the frame in the making ends: all of it is about to be written over.
const INTENT: usize = 0;
/// Where the last whole frame ends.
const TAIL: usize = APART;
/// Records so far.
const TOTAL: usize = APART + 1;
/// Not 0: nothing comes any more.
const CLOSED: usize = APART + 2;
const MARKS_AT: usize = APART + 3;
const SLOTS_AT: usize = (MARKS_AT + MARKS).next_multiple_of(APART);
/// Whose slot it is: the process and a number in it; 0 is nobody's. Then where it reads, and what became of it.
const OWNER: usize = 0;
const NEXT: usize = 1;
const READ: usize = 2;
const LOST: usize = 3;
const LOST_BYTES: usize = 4;
const NAME_AT: usize = 5;
const SLOT: usize = (NAME_AT + NAME / WORD).next_multiple_of(APART);
/// Words before the ring.
pub const CONTROL: usize = SLOTS_AT + SLOTS * SLOT;

/// Words that both ends see.
pub trait Area: Send + Sync {
    /// All of them, always the same.
    fn words(&self) -> &[AtomicU64];
}

impl Area for Box<[AtomicU64]> {
    fn words(&self) -> &[AtomicU64] {
        self
    }
}

/// Where in an area control words and ring are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Geometry {
    /// First of the control words.
    pub control: usize,
    /// First word of the ring.
    pub ring: usize,
    /// Words of the ring.
    pub capacity: usize,
}

impl Geometry {
    /// Words that an area of it must have; `None`: none can be so large, or its parts overlap.
    #[must_use]
    pub fn words(&self) -> Option<usize> {
        let control = self.control.checked_add(CONTROL)?;
        (control <= self.ring && self.capacity >= MARKS).then_some(self.ring)?.checked_add(self.capacity)
    }

    /// No frame is longer: an eighth of the ring, so that there are marks to go on from (Agrona has the same limit).
    const fn longest(&self) -> usize {
        if cfg!(loom) { self.capacity } else { self.capacity / 8 }
    }
}

/// An area and where in it things are. Cheap to clone.
#[derive(Clone)]
pub struct Shared {
    area: Arc<dyn Area>,
    at: Geometry,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("at", &self.at).finish_non_exhaustive()
    }
}

/// Control words and ring, looked up once for each call.
#[derive(Clone, Copy)]
struct Look<'a> {
    control: &'a [AtomicU64],
    ring: &'a [AtomicU64],
}

impl Look<'_> {
    /// The first of two stretches of the ring from a position on, and the second, where it wraps.
    #[inline]
    fn stretch(&self, position: u64, length: usize) -> (&[AtomicU64], &[AtomicU64]) {
        #[allow(clippy::cast_possible_truncation)] // less than a length
        let from = (position % self.ring.len() as u64) as usize;
        let first = length.min(self.ring.len() - from);
        (&self.ring[from..from + first], &self.ring[..length - first])
    }

    fn slot(&self, number: usize) -> &[AtomicU64] {
        &self.control[SLOTS_AT + number * SLOT..][..SLOT]
    }
}

impl Shared {
    /// Memory of this process for a ring of so many bytes (rounded up), every page of it touched.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        let capacity = bytes.div_ceil(WORD).next_multiple_of(MARKS).max(MARKS);
        let words = CONTROL.next_multiple_of(APART);
        let at = Geometry { control: 0, ring: words, capacity };
        let area: Box<[AtomicU64]> = (0..words + capacity).map(|_| AtomicU64::new(0)).collect();
        // Written, and not only asked for as zeros: no page fault happens later.
        area.iter().for_each(|word| word.store(std::hint::black_box(0), Ordering::Relaxed));
        Shared { area: Arc::new(area), at }
    }

    /// An area of others, all zeros where nobody has written yet. `None`: it is smaller than that.
    #[must_use]
    pub fn over(area: Arc<dyn Area>, at: Geometry) -> Option<Self> {
        (at.words()? <= area.words().len()).then_some(Shared { area, at })
    }

    #[inline]
    fn look(&self) -> Look<'_> {
        let words = self.area.words();
        Look { control: &words[self.at.control..][..CONTROL], ring: &words[self.at.ring..][..self.at.capacity] }
    }

    /// Bytes of the ring.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.at.capacity * WORD
    }

    /// Bytes of the longest record that can be written.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.at.longest().saturating_sub(HEADER) * WORD
    }

    /// Records that were written.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.look().control[TOTAL].load(Ordering::Relaxed)
    }

    /// Has its writer ended in order?
    #[must_use]
    pub fn is_closed(&self) -> bool {
        acquired(&self.look().control[CLOSED]) != 0
    }

    /// How each reader that can be seen is doing.
    #[must_use]
    pub fn readers(&self) -> Vec<ReaderState> {
        let look = self.look();
        let total = self.total();
        (0..SLOTS).filter_map(|number| ReaderState::of(look.slot(number), total)).collect()
    }

    /// Frees the slots of processes that are gone, which could not free them themselves.
    pub fn free_slots_of_the_dead(&self, is_alive: impl Fn(u32) -> bool) {
        let look = self.look();
        for owner in (0..SLOTS).map(|number| &look.slot(number)[OWNER]) {
            let token = owner.load(Ordering::Relaxed);
            if token != 0 && !is_alive(process_of(token)) {
                let _freed = owner.compare_exchange(token, 0, Ordering::AcqRel, Ordering::Relaxed);
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // the upper half
const fn process_of(token: u64) -> u32 {
    (token >> 32) as u32
}

/// How a reader is doing, as far as it has said so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderState {
    /// What it calls itself.
    pub name: String,
    /// Its process.
    pub process: u32,
    /// Records that it has read.
    pub read: u64,
    /// Records that wait for it; those that are written over by now are among them.
    pub behind: u64,
    /// Records that were written over before it read them.
    pub lost: u64,
    /// Bytes of these.
    pub lost_bytes: u64,
}

impl ReaderState {
    fn of(slot: &[AtomicU64], total: u64) -> Option<Self> {
        let word = |at: usize| slot[at].load(Ordering::Relaxed);
        let token = acquired(&slot[OWNER]);
        if token == 0 {
            return None;
        }
        let name: Vec<u8> = (0..NAME / WORD).flat_map(|n| word(NAME_AT + n).to_ne_bytes()).collect();
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        // Of another process: whatever it wrote there is shown in one line, or not.
        let name = String::from_utf8_lossy(&name[..end]).chars().filter(|c| !c.is_control()).collect();
        let behind = total.saturating_sub(word(NEXT));
        let (read, lost, lost_bytes) = (word(READ), word(LOST), word(LOST_BYTES));
        Some(ReaderState { name, process: process_of(token), read, behind, lost, lost_bytes })
    }
}

/// The end that writes. There is one.
#[derive(Debug)]
pub struct BroadcastWriter {
    shared: Shared,
    /// Where the next frame begins, in words since the first.
    tail: u64,
    number: u64,
    bytes: u64,
    /// From here on a record's beginning is to be marked.
    next_mark: u64,
    too_long: u64,
}

impl BroadcastWriter {
    /// Over an area that nobody has written to.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        BroadcastWriter { shared, tail: 0, number: 0, bytes: 0, next_mark: 0, too_long: 0 }
    }

    /// What it writes to.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Records that were longer than an eighth of the ring, and so are missing in it.
    #[must_use]
    pub fn too_long(&self) -> u64 {
        self.too_long
    }

    /// Writes a record over the oldest. False: it is too long.
    #[inline]
    pub fn write(&mut self, record: &[u8]) -> bool {
        let frame = HEADER + record.len().div_ceil(WORD);
        if frame > self.shared.at.longest() {
            self.too_long += 1;
            return false;
        }
        let look = self.shared.look();
        let end = self.tail + frame as u64;
        look.control[INTENT].store(end, Ordering::Relaxed);
        // Whoever sees a word of what follows also sees the intent, if it looks after a fence of its own.
        fence(Ordering::Release);
        let head = [record.len() as u64, self.number, self.bytes];
        match look.stretch(self.tail, frame) {
            (whole, []) => {
                let (places, body) = whole.split_at(HEADER);
                store(places.iter(), head);
                store_bytes(body.iter(), record);
            }
            (first, second) => {
                store(first.iter().chain(second), head);
                store_bytes(first.iter().chain(second).skip(HEADER), record);
            }
        }
        if self.tail >= self.next_mark {
            // The first record of each stretch of the ring is one to go on from.
            let stretch = (self.shared.at.capacity / MARKS) as u64;
            let number = self.tail / stretch;
            #[allow(clippy::cast_possible_truncation)] // less than MARKS
            look.control[MARKS_AT + (number % MARKS as u64) as usize].store(self.tail, Ordering::Relaxed);
            self.next_mark = (number + 1) * stretch;
        }
        self.tail = end;
        self.number += 1;
        self.bytes += record.len() as u64;
        look.control[TOTAL].store(self.number, Ordering::Relaxed);
        look.control[TAIL].store(end, Ordering::Release);
        true
    }

    /// Nothing comes any more: readers end when they have read what there is. So does dropping it.
    pub fn close(&self) {
        self.shared.look().control[CLOSED].store(1, Ordering::Release);
    }
}

impl Drop for BroadcastWriter {
    fn drop(&mut self) {
        self.close();
    }
}

#[inline]
fn store<'a>(places: impl Iterator<Item = &'a AtomicU64>, words: impl IntoIterator<Item = u64>) {
    places.zip(words).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
}

/// The last word is filled up with zeros.
#[inline]
fn store_bytes<'a>(mut places: impl Iterator<Item = &'a AtomicU64> + Clone, bytes: &[u8]) {
    let (words, rest) = bytes.as_chunks::<WORD>();
    store(places.clone(), words.iter().map(|word| u64::from_ne_bytes(*word)));
    if let (false, Some(place)) = (rest.is_empty(), places.nth(words.len())) {
        let mut last = [0; WORD];
        last[..rest.len()].copy_from_slice(rest);
        place.store(u64::from_ne_bytes(last), Ordering::Relaxed);
    }
}

/// Where a reader begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// With what comes from now on.
    Now,
    /// With the oldest record that is not about to be written over.
    Oldest,
}

/// What a reader finds.
#[derive(PartialEq, Eq, Debug)]
pub enum Got<'a> {
    /// The next record.
    Record(&'a [u8]),
    /// It was lapped: what it did not read in time is gone.
    Lost {
        /// So many records.
        records: u64,
        /// Bytes of them.
        bytes: u64,
    },
    /// Nothing yet.
    Nothing,
    /// Nothing any more: the writer has ended, and all of it was read.
    End,
}

/// What is in the ring is not what the writer wrote: another program has written there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damaged {
    /// Number of the record, from 0.
    pub record: u64,
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} in the ring is damaged: another program has written there", self.record)
    }
}

impl std::error::Error for Damaged {}

/// Before a body.
#[derive(Clone, Copy, Debug)]
struct Head {
    length: u64,
    number: u64,
    before: u64,
}

/// Frames begin here, and this is the first.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Words since the first frame.
    cursor: u64,
    /// Number of the record there, and bytes of all before it.
    number: u64,
    before: u64,
}

/// What was found at a place.
enum Found {
    Head(Head),
    /// It is, or may be, written over.
    Gone,
    /// It is nothing that a writer writes.
    Nonsense,
}

/// The end that reads. There may be any number; each copies what it reads into a buffer of its own.
pub struct BroadcastReader {
    shared: Shared,
    place: Place,
    /// It went on from another place than that at which it was: how much lies between will be seen there.
    jumped: bool,
    buffer: Box<[u8]>,
    /// Calls in a row that found a place neither to read at nor to go on from.
    fruitless: u32,
    read: u64,
    lost: u64,
    lost_bytes: u64,
    /// Its slot and the word that makes it its own.
    slot: Option<(usize, u64)>,
}

impl fmt::Debug for BroadcastReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, read, lost, .. } = self;
        f.debug_struct("BroadcastReader").field("place", place).field("read", read).field("lost", lost).finish()
    }
}

/// How often a reader looks for a place to begin or to go on while the writer writes over it.
const TRIES: usize = if cfg!(loom) { 2 } else { 64 };
/// And how many calls in a row may find none.
const FRUITLESS: u32 = 1_000;

impl BroadcastReader {
    /// A reader that nobody sees. `None`: where a record begins could not be found, as in a ring that is damaged.
    #[must_use]
    pub fn new(shared: Shared, from: Begin) -> Option<Self> {
        let buffer = vec![0; shared.at.longest() * WORD].into_boxed_slice();
        let place = Place { cursor: 0, number: 0, before: 0 };
        let (read, lost, lost_bytes) = (0, 0, 0);
        let (jumped, fruitless, slot) = (false, 0, None);
        let mut reader = BroadcastReader { shared, place, jumped, buffer, fruitless, read, lost, lost_bytes, slot };
        (0..TRIES).any(|_| reader.begin(from)).then_some(reader)
    }

    /// The same, seen by whoever looks at [`Shared::readers`] under this name, if there is a slot left; the area must be one
    /// that can be written to.
    #[must_use]
    pub fn called(mut self, name: &str) -> Self {
        static NUMBERS: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, std::sync::atomic::Ordering::Relaxed) & u64::from(u32::MAX);
        let token = u64::from(std::process::id()) << 32 | number;
        let look = self.shared.look();
        let free = |slot: &[AtomicU64]| slot[OWNER].compare_exchange(0, token, Ordering::AcqRel, Ordering::Relaxed);
        self.slot = (0..SLOTS).find(|number| free(look.slot(*number)).is_ok()).map(|number| (number, token));
        if let Some((number, _)) = self.slot {
            let mut bytes = [0; NAME];
            let mut end = name.len().min(NAME);
            while !name.is_char_boundary(end) {
                end -= 1;
            }
            bytes[..end].copy_from_slice(&name.as_bytes()[..end]);
            for (place, word) in look.slot(number)[NAME_AT..].iter().zip(bytes.as_chunks::<WORD>().0) {
                place.store(u64::from_ne_bytes(*word), Ordering::Relaxed);
            }
            self.say();
        }
        self
    }

    /// Can it be seen?
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.slot.is_some()
    }

    /// Records read.
    #[must_use]
    pub fn read_so_far(&self) -> u64 {
        self.read
    }

    /// Number of the record that it comes to next, from 0: so many were written before.
    #[must_use]
    pub fn upcoming(&self) -> u64 {
        self.place.number
    }

    /// Records and bytes lost.
    #[must_use]
    pub fn lost_so_far(&self) -> (u64, u64) {
        (self.lost, self.lost_bytes)
    }

    /// What it reads from.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// What comes next. Never waits.
    ///
    /// # Errors
    /// [`Damaged`], as each call after it. No writer of ours leaves a ring so.
    pub fn read(&mut self) -> Result<Got<'_>, Damaged> {
        for _ in 0..TRIES {
            // In this order: what is not closed yet may still be written.
            let is_closed = self.shared.is_closed();
            let look = self.shared.look();
            let tail = acquired(&look.control[TAIL]);
            if tail == self.place.cursor {
                return Ok(if is_closed { Got::End } else { Got::Nothing });
            }
            match head(look, self.place.cursor, tail, self.shared.at.longest()) {
                Found::Nonsense => return Err(self.damaged()),
                Found::Gone => self.jump(),
                Found::Head(head) if self.jumped => return self.arrived(head),
                Found::Head(head) if (head.number, head.before) != (self.place.number, self.place.before) => {
                    return Err(self.damaged());
                }
                Found::Head(head) => {
                    if self.body(head) {
                        return Ok(Got::Record(self.taken(head)));
                    }
                    self.jump();
                }
            }
        }
        // A writer that laps it again and again while it looks for its place: next time. None does so for ever.
        self.fruitless += 1;
        if self.fruitless < FRUITLESS { Ok(Got::Nothing) } else { Err(self.damaged()) }
    }

    #[cold]
    const fn damaged(&self) -> Damaged {
        Damaged { record: self.place.number }
    }

    /// After a jump the first record says what lies between.
    #[cold]
    fn arrived(&mut self, head: Head) -> Result<Got<'_>, Damaged> {
        let (records, bytes) =
            match (head.number.checked_sub(self.place.number), head.before.checked_sub(self.place.before)) {
                (Some(records), Some(bytes)) => (records, bytes),
                _ => return Err(self.damaged()),
            };
        self.jumped = false;
        (self.place.number, self.place.before) = (head.number, head.before);
        self.lost = self.lost.saturating_add(records);
        self.lost_bytes = self.lost_bytes.saturating_add(bytes);
        self.say();
        Ok(Got::Lost { records, bytes })
    }

    /// Copies a body. False: it was, or may have been, written over meanwhile.
    fn body(&mut self, head: Head) -> bool {
        let look = self.shared.look();
        let words = words_of(head.length);
        let (first, second) = look.stretch(self.place.cursor + HEADER as u64, words);
        let (begin, rest) = self.buffer.as_chunks_mut::<WORD>().0.split_at_mut(first.len());
        for (into, stretch) in [(begin, first), (rest, second)] {
            into.iter_mut().zip(stretch).for_each(|(word, place)| *word = place.load(Ordering::Relaxed).to_ne_bytes());
        }
        !is_gone(look, self.place.cursor)
    }

    /// The record in the buffer, and on to the next.
    #[inline]
    fn taken(&mut self, head: Head) -> &[u8] {
        let words = words_of(head.length);
        self.place.cursor += (HEADER + words) as u64;
        self.place.number += 1;
        self.place.before = self.place.before.saturating_add(head.length);
        self.read += 1;
        self.say();
        self.fruitless = 0;
        #[allow(clippy::cast_possible_truncation)] // shorter than the buffer
        &self.buffer[..head.length as usize]
    }

    /// On to a place about half a ring behind the writer.
    #[cold]
    fn jump(&mut self) {
        let look = self.shared.look();
        let tail = acquired(&look.control[TAIL]);
        let keep = self.shared.at.capacity as u64 / 2;
        let mark = marks(look).filter(|mark| tail.checked_sub(*mark).is_some_and(|behind| behind <= keep)).min();
        self.place.cursor = mark.unwrap_or(tail);
        self.jumped = true;
    }

    /// To its first place, and what the record there is. False: it was written over meanwhile.
    fn begin(&mut self, from: Begin) -> bool {
        let look = self.shared.look();
        let tail = acquired(&look.control[TAIL]);
        let keep = self.shared.at.capacity as u64 / 8 * 7;
        let before = marks(look).filter(|mark| *mark < tail);
        let mark = match from {
            Begin::Oldest => before.filter(|mark| tail - mark <= keep).min(),
            Begin::Now => before.max(),
        };
        let Some(mark) = mark else {
            self.place = Place { cursor: 0, number: 0, before: 0 };
            return tail == 0;
        };
        let mut cursor = mark;
        loop {
            let Found::Head(head) = head(look, cursor, tail, self.shared.at.longest()) else { return false };
            self.place = Place { cursor, number: head.number, before: head.before };
            if from == Begin::Oldest {
                return true;
            }
            cursor += HEADER as u64 + words_of(head.length) as u64;
            if cursor == tail {
                self.place = Place {
                    cursor,
                    number: head.number.wrapping_add(1),
                    before: head.before.saturating_add(head.length),
                };
                return true;
            }
        }
    }

    /// Says in its slot how far it is, unless that was given to another.
    #[inline]
    fn say(&self) {
        let Some((number, token)) = self.slot else { return };
        let look = self.shared.look();
        let slot = look.slot(number);
        if slot[OWNER].load(Ordering::Relaxed) == token {
            slot[NEXT].store(self.place.number, Ordering::Relaxed);
            slot[READ].store(self.read, Ordering::Relaxed);
            slot[LOST].store(self.lost, Ordering::Relaxed);
            slot[LOST_BYTES].store(self.lost_bytes, Ordering::Relaxed);
        }
    }
}

impl Drop for BroadcastReader {
    fn drop(&mut self) {
        if let Some((number, token)) = self.slot {
            let look = self.shared.look();
            let owner = &look.slot(number)[OWNER];
            let _freed = owner.compare_exchange(token, 0, Ordering::AcqRel, Ordering::Relaxed);
        }
    }
}

/// The frame's words before its body. `tail` was loaded before.
fn head(look: Look<'_>, cursor: u64, tail: u64, longest: usize) -> Found {
    let (first, second) = look.stretch(cursor, HEADER);
    let mut words = [0; HEADER];
    for (word, place) in words.iter_mut().zip(first.iter().chain(second)) {
        *word = place.load(Ordering::Relaxed);
    }
    if is_gone(look, cursor) {
        return Found::Gone;
    }
    let [length, number, before] = words;
    let frame = length.div_ceil(WORD as u64).saturating_add(HEADER as u64);
    let whole = tail.checked_sub(cursor).is_some_and(|there| frame <= there);
    if whole && frame <= longest as u64 { Found::Head(Head { length, number, before }) } else { Found::Nonsense }
}

/// A word, and whatever was written before it was. In two steps, as memory that is mapped for reading alone allows no other
/// loads than relaxed ones (`core::sync::atomic`, "Atomic accesses to read-only memory").
#[inline]
fn acquired(word: &AtomicU64) -> u64 {
    let value = word.load(Ordering::Relaxed);
    fence(Ordering::Acquire);
    value
}

/// Words of a body that is known not to be too long.
#[allow(clippy::cast_possible_truncation)]
const fn words_of(length: u64) -> usize {
    length.div_ceil(WORD as u64) as usize
}

/// Has the writer begun to write over a frame that begins there? Asked after its words were loaded.
#[inline]
fn is_gone(look: Look<'_>, cursor: u64) -> bool {
    fence(Ordering::Acquire);
    let intent = look.control[INTENT].load(Ordering::Relaxed);
    // Of a ring that another program wrote to, it may be anything.
    intent.saturating_sub(cursor) > look.ring.len() as u64
}

/// Where records begin, as far as it is known.
fn marks(look: Look<'_>) -> impl Iterator<Item = u64> {
    look.control[MARKS_AT..][..MARKS].iter().map(|mark| mark.load(Ordering::Relaxed))
}

#[cfg(all(test, not(loom)))]
#[path = "broadcast/tests.rs"]
mod tests;

#[cfg(all(test, loom))]
mod loom_tests {
    use super::*;
    use loom::thread;

    /// A ring of two frames, each of one word beside its header.
    fn ring() -> Shared {
        let at = Geometry { control: 0, ring: CONTROL, capacity: 2 * (HEADER + 1) };
        let area: Box<[AtomicU64]> = (0..at.words().unwrap()).map(|_| AtomicU64::new(0)).collect();
        Shared::over(Arc::new(area), at).unwrap()
    }

    fn body(number: u64) -> [u8; WORD] {
        (number ^ 0x5555_AAAA_5555_AAAA).to_ne_bytes()
    }

    /// Reads a few times beside a writer, then all that is left: whatever it gets is whole and in order, and with what it
    /// was told that it lost it is all of it.
    fn follows(mut writer: BroadcastWriter, mut reader: BroadcastReader, from: u64, to: u64, reads: usize) {
        let writes = thread::spawn(move || {
            for number in from..to {
                assert!(writer.write(&body(number)));
            }
        });
        let mut seen = reader.place.number;
        let mut step = |reader: &mut BroadcastReader| match reader.read().unwrap() {
            Got::Record(record) => {
                assert_eq!(record, body(seen), "record {seen}");
                seen += 1;
                true
            }
            Got::Lost { records, bytes } => {
                assert_eq!(bytes, records * WORD as u64);
                seen += records;
                true
            }
            Got::Nothing => true,
            Got::End => {
                assert_eq!(seen, to);
                false
            }
        };
        for _ in 0..reads {
            step(&mut reader);
        }
        writes.join().unwrap();
        while step(&mut reader) {}
        assert_eq!(reader.read + reader.lost, to);
    }

    fn bounded(check: impl Fn() + Send + Sync + 'static) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(check);
    }

    /// The first record appears whole or not at all.
    #[test]
    fn loom_what_is_committed_is_whole() {
        bounded(|| {
            let ring = ring();
            let reader = BroadcastReader::new(ring.clone(), Begin::Now).unwrap();
            follows(BroadcastWriter::new(ring), reader, 0, 1, 1);
        });
    }

    /// A reader in the middle of a frame that the writer comes round to does not take it for the old one.
    #[test]
    fn loom_what_is_written_over_is_never_read() {
        bounded(|| {
            let ring = ring();
            let mut writer = BroadcastWriter::new(ring.clone());
            let reader = BroadcastReader::new(ring, Begin::Now).unwrap();
            (0..2).for_each(|number| assert!(writer.write(&body(number))));
            follows(writer, reader, 2, 3, 1);
        });
    }
}
