//! Price levels, and the ladder on which those of one side of one book stand in order of price.
//!
//! Near the best, prices are found by their tick ([`Window`]). All others, those off the tick and far away, stand on a chain of
//! chunks behind it; the two meet in the best level, and where the ladder is walked.
//!
//! The chain is of *chunks*, each a sorted run of at most [`RUNGS`] rungs (key and level number) in one
//! 512-byte record; its best price is the last rung of its first chunk. Compared with one growing array a side, an insertion
//! moves at most one chunk however deep the book is, and records of one size never fragment their pool: whenever a level is
//! free, so is a chunk.
//!
//! Worst case: a price that is on the chain, `n` levels of it away from its best, is found in at most `n / 8` steps from chunk
//! to chunk, plus one chunk read; a block that moves into the window or out of it does so for each of its 64 levels at most.

use super::orders::Queue;
use super::pool::{NIL, Pool};
use super::window::{Run, TICKS, Tick, Window};
use crate::base::{Price, Side};
use alloc::boxed::Box;
use alloc::vec;

/// One price of one side of one book: half a cache line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    pub(super) price: Price,
    /// Displayed size of all its orders.
    pub(super) qty: i64,
    /// Empty in a book of levels.
    pub(super) queue: Queue,
    /// How many orders; positive. In a book of levels as the venue says, perhaps 0.
    pub(super) orders: u32,
    pub(super) place: Place,
}

const _: () = assert!(size_of::<Level>() == 32, "two levels share a cache line");

/// Which side of which book, and whether any of the orders is own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(u32);

impl Place {
    /// Books are numbered below this.
    pub(super) const MAX_BOOKS: usize = 1 << 30;
    const OWN: u32 = 1 << 31;

    #[inline(always)]
    pub(super) fn new(book: u32, side: Side) -> Self {
        Place(book << 1 | side as u32)
    }

    #[inline(always)]
    pub(super) fn book(self) -> u32 {
        (self.0 & !Self::OWN) >> 1
    }

    /// Of which window its levels near the best are.
    #[inline(always)]
    fn window(self) -> usize {
        (self.0 & !Self::OWN) as usize
    }

    #[inline(always)]
    pub(super) fn side(self) -> Side {
        if self.0 & 1 == 0 { Side::Buy } else { Side::Sell }
    }

    #[inline(always)]
    pub(super) fn has_own(self) -> bool {
        self.0 & Self::OWN != 0
    }

    pub(super) fn set_own(&mut self, own: bool) {
        self.0 = if own { self.0 | Self::OWN } else { self.0 & !Self::OWN };
    }
}

/// What of a level is own. Kept apart from [`Level`], because most levels hold nothing own.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct OwnPart {
    pub(super) qty: i64,
    pub(super) orders: u32,
}

/// A price turned so that the larger key is the better price on its side. `!p` is `-p - 1`: it reverses the order of
/// all `i64` without overflow.
#[inline(always)]
pub(super) fn key(side: Side, price: Price) -> i64 {
    match side {
        Side::Buy => price.0,
        Side::Sell => !price.0,
    }
}

#[derive(Clone, Copy, Debug)]
struct Rung {
    key: i64,
    level: u32,
}

const RUNGS: usize = 31;
/// No two neighbouring chunks hold fewer than this together: half of a split chunk (15) and any other (1).
const MERGE_BELOW: usize = 16;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Chunk {
    /// Next chunk towards worse prices.
    worse: u32,
    /// Next chunk towards better prices.
    better: u32,
    len: u32,
    /// Worst price first.
    rungs: [Rung; RUNGS],
}

const _: () = assert!(size_of::<Chunk>() == 512, "a chunk is eight cache lines");

const BLANK_CHUNK: Chunk = Chunk { worse: NIL, better: NIL, len: 0, rungs: [Rung { key: 0, level: NIL }; RUNGS] };
const BLANK_LEVEL: Level = Level { price: Price(0), qty: 0, queue: Queue::EMPTY, orders: 0, place: Place(0) };

impl Chunk {
    #[inline(always)]
    fn rungs(&self) -> &[Rung] {
        self.rungs.get(..self.len as usize).unwrap_or(&[])
    }

    /// Where `key` is, or else how many rungs are worse: where it belongs. Looks from the best on, where most orders go.
    #[inline(always)]
    fn seek(&self, key: i64) -> Result<u32, usize> {
        for (position, rung) in self.rungs().iter().enumerate().rev() {
            if rung.key == key {
                return Ok(rung.level);
            }
            if rung.key < key {
                return Err(position.wrapping_add(1));
            }
        }
        Err(0)
    }

    /// Puts a rung at `position`, in a chunk that is not full. A loop that carries one rung along: a call to `memmove`
    /// costs more than the few rungs that are better.
    #[inline(always)]
    fn insert(&mut self, position: usize, rung: Rung) {
        let mut carried = rung;
        for place in self.rungs.get_mut(position..=self.len as usize).unwrap_or_default() {
            core::mem::swap(place, &mut carried);
        }
        self.len = self.len.wrapping_add(1);
    }

    /// Takes out the rung of a level that is in this chunk. Finds it and closes the gap in one walk from the best on.
    #[inline(always)]
    fn remove(&mut self, level: u32) {
        let mut carried = Rung { key: 0, level: NIL };
        for place in self.rungs.get_mut(..self.len as usize).unwrap_or_default().iter_mut().rev() {
            core::mem::swap(place, &mut carried);
            if carried.level == level {
                break;
            }
        }
        self.len = self.len.wrapping_sub(1);
    }
}

/// One side of one book: where its ladder begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ladder {
    /// Key of the best price; of meaning only with a best level.
    best_key: i64,
    /// The best level; [`NIL`] on an empty side.
    pub(super) best: u32,
    /// The chunk with the best price of the chain; [`NIL`] where that is empty.
    top: u32,
    /// How many levels, on the chain and in the window.
    pub(super) len: u32,
}

impl Ladder {
    pub(super) const EMPTY: Ladder = Ladder { best_key: 0, best: NIL, top: NIL, len: 0 };
}

/// No room for another level.
#[derive(Debug)]
pub(super) struct LevelsFull;

/// All levels of all books, the windows, and the chunks of the chains behind them.
#[derive(Debug)]
pub(super) struct Levels {
    pub(super) pool: Pool<Level>,
    own: Box<[OwnPart]>,
    /// By side of a book, as far as there are any.
    windows: Box<[Window]>,
    chunks: Pool<Chunk>,
}

/// There are no more windows than one for so many levels, and these: each is as large as 20 levels are.
const LEVELS_A_WINDOW: usize = 16;
const FIRST_WINDOWS: usize = 16;

impl Levels {
    /// `levels` levels over `sides` sides.
    pub(super) fn new(levels: usize, sides: usize) -> Self {
        // Neighbouring chunks hold 16 rungs at least, so a side of n > 0 levels has at most n / 8 + 1 chunks.
        let chunks = (levels / (MERGE_BELOW / 2)).saturating_add(sides.min(levels)).saturating_add(1);
        let windows = sides.min((levels / LEVELS_A_WINDOW).saturating_add(FIRST_WINDOWS));
        let mut windows = vec![Window::EMPTY; windows].into_boxed_slice();
        windows.fill(core::hint::black_box(Window::EMPTY));
        Levels {
            pool: Pool::new(levels, BLANK_LEVEL),
            own: vec![OwnPart::default(); levels].into_boxed_slice(),
            windows,
            chunks: Pool::new(chunks, BLANK_CHUNK),
        }
    }

    pub(super) fn reset(&mut self) {
        self.pool.reset();
        self.chunks.reset();
        self.own.fill(OwnPart::default());
        self.windows.iter_mut().for_each(Window::clear);
    }

    /// Says what a tick of a side is. Levels that are there already stand on the chain, until their block is wanted.
    pub(super) fn set_tick(&mut self, ladder: &mut Ladder, place: Place, tick: i64) {
        let Some(window) = self.windows.get(place.window()) else { return };
        if window.has_tick(tick) {
            return;
        }
        while let Some(tick) = self.windows.get(place.window()).and_then(|window| window.best().first()) {
            self.evict(ladder, place, tick);
        }
        if let Some(window) = self.windows.get_mut(place.window()) {
            window.clear();
            window.set_tick(tick);
        }
    }

    pub(super) fn own(&self, level: u32) -> OwnPart {
        if !self.pool.at(level).place.has_own() {
            return OwnPart::default();
        }
        self.own.get(level as usize).copied().unwrap_or_default()
    }

    /// Changes what of a level is own.
    pub(super) fn change_own(&mut self, level: u32, qty: i64, orders: i32) {
        let Some(part) = self.own.get_mut(level as usize) else { return };
        part.qty = part.qty.wrapping_add(qty);
        part.orders = part.orders.wrapping_add_signed(orders);
        self.pool.at_mut(level).place.set_own(part.orders > 0);
    }

    /// Nothing of a level is own any more.
    pub(super) fn disown(&mut self, level: u32) {
        if let Some(part) = self.own.get_mut(level as usize) {
            *part = OwnPart::default();
        }
        self.pool.at_mut(level).place.set_own(false);
    }

    /// The level of `price`, made (with no orders) if it is not there.
    #[inline(always)]
    pub(super) fn find_or_add(&mut self, ladder: &mut Ladder, place: Place, price: Price) -> Result<u32, LevelsFull> {
        let key = key(place.side(), price);
        if key == ladder.best_key && ladder.best != NIL {
            return Ok(ladder.best);
        }
        let level = 'found: {
            if let Some(window) = self.windows.get(place.window())
                && let Some(tick) = window.tick_of(place.side(), price)
                && (window.has_block_of(tick) || self.claim(ladder, place, tick))
                && let Some(window) = self.windows.get_mut(place.window())
            {
                if let Some(level) = window.level(tick) {
                    return Ok(level);
                }
                let level = self.pool.take().ok_or(LevelsFull)?;
                window.put(tick, level);
                break 'found level;
            }
            match self.chain(ladder, key)? {
                (level, false) => return Ok(level),
                (level, true) => level,
            }
        };
        *self.pool.at_mut(level) = Level { price, qty: 0, queue: Queue::EMPTY, orders: 0, place };
        ladder.len = ladder.len.wrapping_add(1);
        if ladder.best == NIL || key > ladder.best_key {
            ladder.best = level;
            ladder.best_key = key;
        }
        Ok(level)
    }

    /// The level of a key on the chain, and whether it was made.
    #[inline(never)]
    fn chain(&mut self, ladder: &mut Ladder, key: i64) -> Result<(u32, bool), LevelsFull> {
        let number = self.chunk_of(ladder, key);
        if number != NIL
            && let Ok(level) = self.chunks.at(number).seek(key)
        {
            return Ok((level, false));
        }
        let level = self.pool.take().ok_or(LevelsFull)?;
        if self.link(ladder, Rung { key, level }) {
            return Ok((level, true));
        }
        self.pool.give(level);
        Err(LevelsFull)
    }

    /// Puts a rung on the chain, where none has its key. False: there is no room for it, which is as good as impossible.
    fn link(&mut self, ladder: &mut Ladder, rung: Rung) -> bool {
        let mut number = self.chunk_of(ladder, rung.key);
        let mut position = if number == NIL { 0 } else { self.chunks.at(number).seek(rung.key).err().unwrap_or(0) };
        if number == NIL || self.chunks.at(number).len as usize == RUNGS {
            let Some(room) = self.make_room(ladder, number, position) else { return false };
            (number, position) = room;
        }
        self.chunks.at_mut(number).insert(position, rung);
        true
    }

    /// Takes a level off the chain.
    fn unlink(&mut self, ladder: &mut Ladder, key: i64, level: u32) {
        let number = self.chunk_of(ladder, key);
        let chunk = self.chunks.at_mut(number);
        chunk.remove(level);
        if (chunk.len as usize) < MERGE_BELOW {
            self.merge(ladder, number);
        }
    }

    /// Gives the block of `tick`, which is not in the window, its place there if it should have it: it is near the best, and
    /// better than the one that is there, or that one is empty. Answers whether it has.
    #[cold]
    #[inline(never)]
    fn claim(&mut self, ladder: &mut Ladder, place: Place, tick: Tick) -> bool {
        let Some(window) = self.windows.get(place.window()) else { return false };
        // Near is near enough where the best is off the tick; where it has no tick near it, any block may come.
        let best = window.tick_near(place.side(), self.pool.at(ladder.best).price).map_or(tick.block(), Tick::block);
        if ladder.best != NIL && !Window::is_near(tick.block(), best) {
            return false;
        }
        if let Some((block, has_levels)) = window.occupant(tick) {
            if has_levels && block > tick.block() {
                return false;
            }
            self.evict(ladder, place, tick);
        }
        self.settle(ladder, place, tick);
        true
    }

    /// Moves the block that has the place of `tick` to the chain.
    fn evict(&mut self, ladder: &mut Ladder, place: Place, tick: Tick) {
        let side = place.side();
        while let Some(window) = self.windows.get_mut(place.window())
            && let Some((tick, level)) = window.first(window.in_place_of(tick))
        {
            window.take(tick);
            let rung = Rung { key: window.key(side, tick), level };
            let _there_are_chunks_for_all_levels = self.link(ladder, rung);
        }
    }

    /// Makes the block of `tick` the one in its place, which is empty, with what of it stands on the chain.
    fn settle(&mut self, ladder: &mut Ladder, place: Place, tick: Tick) {
        let side = place.side();
        let Some((worst, best)) = self.windows.get(place.window()).map(|window| window.span(side, tick)) else {
            return;
        };
        let mut found = [Rung { key: 0, level: NIL }; TICKS];
        let mut room = found.iter_mut();
        let mut number = self.chunk_of(ladder, best);
        let Some(window) = self.windows.get_mut(place.window()) else { return };
        window.settle(tick);
        'chain: while number != NIL {
            let chunk = self.chunks.at(number);
            for rung in chunk.rungs().iter().rev().filter(|rung| rung.key <= best) {
                if rung.key < worst {
                    break 'chain;
                }
                let price = self.pool.at(rung.level).price;
                if let Some(tick) = window.tick_of(side, price)
                    && let Some(place) = room.next()
                {
                    *place = *rung;
                    window.put(tick, rung.level);
                }
            }
            number = chunk.worse;
        }
        for rung in found.iter().take_while(|rung| rung.level != NIL) {
            self.unlink(ladder, rung.key, rung.level);
        }
    }

    /// The level of a price, if it is there.
    pub(super) fn find(&self, ladder: &Ladder, place: Place, price: Price) -> Option<u32> {
        if let Some(window) = self.windows.get(place.window())
            && let Some(tick) = window.tick_of(place.side(), price)
            && window.has_block_of(tick)
        {
            return window.level(tick);
        }
        let key = key(place.side(), price);
        let number = self.chunk_of(ladder, key);
        if number == NIL { None } else { self.chunks.at(number).seek(key).ok() }
    }

    /// How many levels are better than a price, which need not have one; `most` if there are as many. Counts the
    /// first of a chunk and the bits of a block, and does not look for the price: so that a branch seldom depends on where it is.
    #[inline]
    pub(super) fn better(&self, ladder: &Ladder, place: Place, price: Price, most: u32) -> u32 {
        let key = key(place.side(), price);
        let mut better = 0_u32;
        let mut number = ladder.top;
        while number != NIL && better < most {
            let chunk = self.chunks.at(number);
            let ahead = chunk.rungs().iter().rev().take(most as usize);
            let count = ahead.fold(0_u32, |count, rung| count.wrapping_add(u32::from(rung.key > key)));
            better = better.wrapping_add(count);
            // Behind one that is not better all are worse.
            number = if count == chunk.len { chunk.worse } else { NIL };
        }
        if let Some(window) = self.windows.get(place.window()).filter(|window| window.knows_tick()) {
            better = better.wrapping_add(match window.tick_of(place.side(), price) {
                Some(tick) => window.better_than(tick),
                None => window.count(|tick| window.key(place.side(), tick) > key),
            });
        }
        better.min(most)
    }

    /// The chunk where `key` is or belongs: the first that is not all better. What is better than all of that chunk
    /// belongs at its better end.
    #[inline(always)]
    fn chunk_of(&self, ladder: &Ladder, key: i64) -> u32 {
        let mut number = ladder.top;
        while number != NIL {
            let chunk = self.chunks.at(number);
            let [worst, ..] = &chunk.rungs;
            if worst.key <= key || chunk.worse == NIL {
                break;
            }
            number = chunk.worse;
        }
        number
    }

    /// A chunk with room for one more rung, and where it belongs there.
    #[cold]
    fn make_room(&mut self, ladder: &mut Ladder, number: u32, position: usize) -> Option<(u32, usize)> {
        if number != NIL {
            return self.split(ladder, number, position);
        }
        let number = self.chunks.take()?;
        let first = self.chunks.at_mut(number);
        (first.worse, first.better, first.len) = (NIL, NIL, 0);
        ladder.top = number;
        Some((number, 0))
    }

    /// Moves the better half of a full chunk to a new one. Says where `position` is now.
    #[allow(clippy::cast_possible_truncation)]
    fn split(&mut self, ladder: &mut Ladder, worse: u32, position: usize) -> Option<(u32, usize)> {
        const KEEP: usize = RUNGS / 2;
        let better = self.chunks.take()?;
        let full = *self.chunks.at(worse);
        let moved = full.rungs.get(KEEP..).unwrap_or(&[]);
        let fresh = self.chunks.at_mut(better);
        if let Some(place) = fresh.rungs.get_mut(..moved.len()) {
            place.copy_from_slice(moved);
        }
        fresh.len = moved.len() as u32;
        fresh.worse = worse;
        fresh.better = full.better;
        let kept = self.chunks.at_mut(worse);
        kept.len = KEEP as u32;
        kept.better = better;
        self.chunks.linked_mut(full.better).worse = better;
        if ladder.top == worse {
            ladder.top = better;
        }
        // A place between the halves belongs to either; the smaller one takes it.
        Some(if position <= KEEP { (worse, position) } else { (better, position.wrapping_sub(KEEP)) })
    }

    /// Takes a level off its ladder and frees it.
    #[inline(always)]
    pub(super) fn remove(&mut self, ladder: &mut Ladder, level: u32) {
        let Level { price, place, .. } = *self.pool.at(level);
        self.pool.give(level);
        ladder.len = ladder.len.wrapping_sub(1);
        if let Some(window) = self.windows.get_mut(place.window())
            && let Some(tick) = window.tick_of(place.side(), price)
            && window.has_block_of(tick)
        {
            window.take(tick);
            if ladder.best != level {
                return;
            }
            let next = window.best_after(tick);
            if ladder.top == NIL
                && let Some((tick, next)) = window.first(next)
            {
                (ladder.best, ladder.best_key) = (next, window.key(place.side(), tick));
                return;
            }
        } else {
            self.unlink(ladder, key(place.side(), price), level);
            if ladder.best != level {
                return;
            }
        }
        self.look_for_best(ladder, place);
    }

    /// The best of what is in the window and on the chain.
    #[inline(never)]
    fn look_for_best(&self, ladder: &mut Ladder, place: Place) {
        let near = self.windows.get(place.window()).and_then(|window| {
            let (tick, level) = window.first(window.best())?;
            Some(Rung { key: window.key(place.side(), tick), level })
        });
        let far = if ladder.top == NIL { None } else { self.chunks.at(ladder.top).rungs().last().copied() };
        let best = match (near, far) {
            (Some(near), Some(far)) => Some(if far.key > near.key { far } else { near }),
            (near, far) => near.or(far),
        };
        ladder.best = best.map_or(NIL, |rung| rung.level);
        ladder.best_key = best.map_or(0, |rung| rung.key);
    }

    /// Keeps the promise of [`MERGE_BELOW`] after a chunk lost a rung.
    #[inline]
    fn merge(&mut self, ladder: &mut Ladder, number: u32) {
        let Chunk { worse, better, len, .. } = *self.chunks.at(number);
        let joins = |other: u32| {
            other != NIL && (len == 0 || (self.chunks.at(other).len.wrapping_add(len) as usize) < MERGE_BELOW)
        };
        if joins(worse) {
            self.join(ladder, worse, number);
        } else if joins(better) {
            self.join(ladder, number, better);
        } else if len == 0 {
            ladder.top = NIL;
            self.chunks.give(number);
        }
    }

    /// Moves all of `better` to its neighbour `worse` and frees it.
    #[cold]
    #[allow(clippy::cast_possible_truncation)]
    fn join(&mut self, ladder: &mut Ladder, worse: u32, better: u32) {
        let gone = *self.chunks.at(better);
        let kept = self.chunks.at_mut(worse);
        let from = kept.len as usize;
        if let Some(place) = kept.rungs.get_mut(from..from.wrapping_add(gone.rungs().len())) {
            place.copy_from_slice(gone.rungs());
            kept.len = kept.len.wrapping_add(gone.len);
        }
        kept.better = gone.better;
        self.chunks.linked_mut(gone.better).worse = worse;
        if ladder.top == better {
            ladder.top = worse;
        }
        self.chunks.give(better);
    }

    /// Hints that what is near the best of a side will be needed soon.
    #[inline(always)]
    pub(super) fn prefetch_window(&self, place: Place) {
        if let Some(window) = self.windows.get(place.window()) {
            window.prefetch_head();
        }
    }

    /// Hints that it will soon be asked which level has a price near the best.
    #[inline(always)]
    pub(super) fn prefetch_note(&self, place: Place, price: Price) {
        if let Some(window) = self.windows.get(place.window())
            && let Some(tick) = window.tick_of(place.side(), price)
        {
            window.prefetch_number(tick);
        }
    }

    /// The level that has this price, if it is near the best: for hints, for it may be that of another one that is not there.
    #[inline(always)]
    pub(super) fn noted(&self, place: Place, price: Price) -> u32 {
        if let Some(window) = self.windows.get(place.window())
            && let Some(tick) = window.tick_of(place.side(), price)
        {
            return window.number(tick);
        }
        NIL
    }

    /// Level numbers of a side, best price first.
    pub(super) fn walk(&self, ladder: &Ladder, place: Place) -> Walk<'_> {
        let window = self.windows.get(place.window());
        let chain = if ladder.top == NIL { &[][..] } else { self.chunks.at(ladder.top).rungs() };
        Walk {
            levels: self,
            side: place.side(),
            window,
            run: window.map_or(Run::NONE, Window::best),
            chunk: ladder.top,
            chain,
        }
    }
}

/// Walks a ladder from the best price to the worst: the window and the chain side by side.
#[derive(Clone, Debug)]
pub(super) struct Walk<'a> {
    levels: &'a Levels,
    side: Side,
    window: Option<&'a Window>,
    /// What is left of a block.
    run: Run,
    chunk: u32,
    /// What is left of a chunk.
    chain: &'a [Rung],
}

impl Walk<'_> {
    /// Skips `n` levels: a block at a time where nothing of the chain is between, a chunk at a time behind the last block.
    pub(super) fn skip_levels(&mut self, mut n: usize) {
        while n > 0 {
            self.refill();
            let next = self.chain.last().map_or(i64::MIN, |rung| rung.key);
            match self.window.zip(self.run.last()) {
                Some((window, last)) if self.run.len() <= n && window.key(self.side, last) > next => {
                    n = n.wrapping_sub(self.run.len());
                    self.run = window.after(self.run.block);
                }
                None if self.chunk != NIL && self.chain.len() <= n => {
                    n = n.wrapping_sub(self.chain.len());
                    self.next_chunk();
                }
                _ => {
                    if self.next().is_none() {
                        return;
                    }
                    n = n.wrapping_sub(1);
                }
            }
        }
    }

    /// Goes on to the next chunk where one is read to its end.
    #[inline]
    fn refill(&mut self) {
        if self.chain.is_empty() && self.chunk != NIL {
            self.next_chunk();
        }
    }

    fn next_chunk(&mut self) {
        self.chunk = self.levels.chunks.at(self.chunk).worse;
        self.chain = if self.chunk == NIL { &[] } else { self.levels.chunks.at(self.chunk).rungs() };
    }
}

impl Iterator for Walk<'_> {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        self.refill();
        let far = self.chain.split_last();
        if let Some(window) = self.window
            && let Some((tick, level)) = window.first(self.run)
            && far.is_none_or(|(rung, _)| rung.key < window.key(self.side, tick))
        {
            self.run = self.run.rest();
            if self.run.len() == 0 {
                self.run = window.after(self.run.block);
            }
            return Some(level);
        }
        let (rung, rest) = far?;
        self.chain = rest;
        Some(rung.level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place(0);

    /// Levels of bids at these ticks, of a tick of one; where each stands then.
    struct Side(Levels, Ladder);

    impl Side {
        fn new() -> Self {
            let mut side = Side(Levels::new(2_000, 2), Ladder::EMPTY);
            side.0.set_tick(&mut side.1, PLACE, 1);
            side
        }

        fn add(&mut self, price: i64) {
            self.0.find_or_add(&mut self.1, PLACE, Price(price)).unwrap();
        }

        fn remove(&mut self, price: i64) {
            let level = self.0.find(&self.1, PLACE, Price(price)).unwrap();
            self.0.remove(&mut self.1, level);
        }

        fn is_near(&self, price: i64) -> bool {
            let window = &self.0.windows[PLACE.window()];
            window.has_block_of(window.tick_of(PLACE.side(), Price(price)).unwrap())
        }

        fn on_chain(&self) -> bool {
            self.1.top != NIL
        }
    }

    /// Which of the two structures has a price changes no answer, so that only here is seen that it is the right one.
    #[test]
    fn what_is_near_the_best_is_in_the_window_and_what_is_far_is_on_the_chain() {
        let mut side = Side::new();
        (0..512).for_each(|n| side.add(64 * 100 + n));
        assert!((0..512).all(|n| side.is_near(64 * 100 + n)) && !side.on_chain());
        // Worse than all, in the place of a better block that has levels.
        side.add(64 * 99);
        assert!(!side.is_near(64 * 99) && side.is_near(64 * 107) && side.on_chain());
        // Better than all, in the place of the worst block: that one goes.
        side.add(64 * 108);
        assert!(side.is_near(64 * 108) && !side.is_near(64 * 100) && side.is_near(64 * 101));
        assert_eq!(side.1.len, 514);
        // That is gone, and its place is empty: whoever comes next of the block before brings all of it back.
        side.remove(64 * 108);
        side.add(64 * 100 + 7);
        assert!(side.is_near(64 * 100) && !side.is_near(64 * 108) && side.1.len == 513);
        side.remove(64 * 99);
        assert!(!side.on_chain());
        side.add(64 * 99);
        let walked: Vec<i64> = side.0.walk(&side.1, PLACE).map(|level| side.0.pool.at(level).price.0).collect();
        assert!(walked.is_sorted_by(|a, b| a > b) && walked.len() == 513);
        // An empty place is not for what is far from the best.
        let mut far = Side::new();
        far.add(64 * 200);
        far.add(64 * 193);
        far.add(64 * 191);
        assert!(far.is_near(64 * 193) && !far.is_near(64 * 191), "eight blocks, from the best on");
    }
}
