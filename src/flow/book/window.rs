//! The prices of one side of one book that are whole ticks and near the best, found without a search.
//!
//! Ticks stand in *blocks* of 64. A window has eight places for a block: a word of bits, which say what ticks have a level, and
//! 64 level numbers. Block `b` can be in place `b % 8` alone, so that eight neighbouring ones are there together: the 512
//! ticks around the best, for most books all that ever happens. What is off the tick or has no place stands on chunks
//! ([`ladder`](super::ladder)); a block is in the window with all of its levels or with none.
//!
//! Blocks come and go one at a time: whatever the market does, a message moves at most 64 levels out and 64 in.

use crate::base::{Price, Side, raw};

/// Blocks in a window.
const BLOCKS: usize = 8;
/// Ticks in a block: bits of a word.
pub(super) const TICKS: usize = 64;
/// The bits of a tick that are its place in its block.
const WITHIN: i64 = 63;

const _: () = assert!(TICKS == 64 && WITHIN == 63, "a block is a word");

/// A price as a number of ticks, turned so that the larger one is the better on its side (see [`key`](super::ladder::key)).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Tick(i64);

impl Tick {
    /// Its block. That of no tick is [`NO_BLOCK`].
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // `MOST_TICKS`
    pub(super) fn block(self) -> i32 {
        (self.0 >> TICKS.ilog2()) as i32
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn place(self) -> usize {
        self.block() as usize % BLOCKS
    }

    #[inline(always)]
    fn bit(self) -> u64 {
        1 << (self.0 & WITHIN)
    }
}

/// A place without a block.
const NO_BLOCK: i32 = i32::MIN;
/// Prices in fewer ticks than this have a block.
const MOST_TICKS: u64 = 1 << 36;
/// Coarsest tick, and a bound of prices, for which the division by a product is exact: see [`Window::tick_of`].
const MOST_TICK: u64 = 1 << 20;
const MOST_PRICE: u64 = 1 << 43;

/// Ticks near the best, of one side of one book. Its head is two cache lines.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(128))]
pub(super) struct Window {
    /// By place: which ticks have a level.
    bits: [u64; BLOCKS],
    /// By place: which block is there.
    blocks: [i32; BLOCKS],
    /// 2^63 over the tick, rounded up.
    reciprocal: u64,
    /// Prices from here on have no tick; all of them, while the tick is not known.
    beyond: u64,
    /// Price units a tick.
    tick: u64,
    _rest: u64,
    /// By the last bits of a tick: its level, of meaning where there is one.
    levels: [u32; BLOCKS * TICKS],
}

const _: () = assert!(core::mem::offset_of!(Window, levels) == 128, "the head of a window is two cache lines");

impl Window {
    pub(super) const EMPTY: Window = Window {
        bits: [0; BLOCKS],
        blocks: [NO_BLOCK; BLOCKS],
        reciprocal: 0,
        beyond: 0,
        tick: 0,
        _rest: 0,
        levels: [0; BLOCKS * TICKS],
    };

    /// Says what a tick is, while the window is empty. One that cannot be leaves everything to the chunks.
    pub(super) fn set_tick(&mut self, tick: i64) {
        let known = u64::try_from(tick).ok().filter(|tick| (1..=MOST_TICK).contains(tick));
        self.tick = known.unwrap_or(0);
        self.reciprocal = (1_u64 << 63).checked_div(self.tick).unwrap_or(0);
        // Rounded up, and exact for powers of two.
        let is_exact = self.reciprocal.wrapping_mul(self.tick) == 1 << 63;
        self.reciprocal = self.reciprocal.wrapping_add(u64::from(!is_exact && self.tick != 0));
        self.beyond = MOST_PRICE.min(MOST_TICKS.saturating_mul(self.tick));
    }

    /// Is there a tick? If not, no level is here.
    #[inline(always)]
    pub(super) fn knows_tick(&self) -> bool {
        self.tick != 0
    }

    pub(super) fn has_tick(&self, tick: i64) -> bool {
        i64::try_from(self.tick) == Ok(tick)
    }

    /// No level any more; the tick stays.
    pub(super) fn clear(&mut self) {
        self.bits = [0; BLOCKS];
        self.blocks = [NO_BLOCK; BLOCKS];
    }

    /// The tick of a price; `None` for one that is no whole number of them, negative, or too high.
    ///
    /// The quotient is the upper part of a product: with `m` = 2^63 / d rounded up, `p * m / 2^63` is off by less than
    /// `p * d / 2^63 / d`, which reaches no whole number while `p * d` is below 2^63 (Granlund and Montgomery, "Division by
    /// invariant integers using multiplication", 1994).
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]
    pub(super) fn tick_of(&self, side: Side, price: Price) -> Option<Tick> {
        let units = price.0 as u64; // a negative one is beyond
        let ticks = (u128::from(units).wrapping_mul(u128::from(self.reciprocal)) >> 63) as u64;
        if units >= self.beyond || ticks.wrapping_mul(self.tick) != units {
            return None;
        }
        Some(match side {
            Side::Buy => Tick(ticks as i64),
            Side::Sell => Tick(!(ticks as i64)),
        })
    }

    /// The tick of a price or the worse one next to it; `None` for a price that has none near it.
    pub(super) fn tick_near(&self, side: Side, price: Price) -> Option<Tick> {
        let off = price.0.checked_rem(i64::try_from(self.tick).ok()?)?;
        self.tick_of(side, Price(price.0.wrapping_sub(off)))
    }

    /// Is the block of this tick here?
    #[inline(always)]
    pub(super) fn has_block_of(&self, tick: Tick) -> bool {
        self.blocks.get(tick.place()).is_some_and(|block| *block == tick.block())
    }

    /// The level of a tick whose block is here.
    #[inline(always)]
    pub(super) fn level(&self, tick: Tick) -> Option<u32> {
        let bits = self.bits.get(tick.place())?;
        if bits & tick.bit() != 0 { Some(self.number(tick)) } else { None }
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn number(&self, tick: Tick) -> u32 {
        self.levels.get(tick.0 as usize % (BLOCKS * TICKS)).copied().unwrap_or(0)
    }

    /// Puts a level at a tick whose block is here.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn put(&mut self, tick: Tick, level: u32) {
        if let Some(bits) = self.bits.get_mut(tick.place()) {
            *bits |= tick.bit();
        }
        if let Some(number) = self.levels.get_mut(tick.0 as usize % (BLOCKS * TICKS)) {
            *number = level;
        }
    }

    /// Takes the level off a tick whose block is here.
    #[inline(always)]
    pub(super) fn take(&mut self, tick: Tick) {
        if let Some(bits) = self.bits.get_mut(tick.place()) {
            *bits &= !tick.bit();
        }
    }

    /// What is in the place of this tick's block: the block, and whether it has levels.
    pub(super) fn occupant(&self, tick: Tick) -> Option<(i32, bool)> {
        let (block, bits) = (self.blocks.get(tick.place())?, self.bits.get(tick.place())?);
        (*block != NO_BLOCK).then_some((*block, *bits != 0))
    }

    /// Makes room for the block of a tick where no levels are.
    pub(super) fn settle(&mut self, tick: Tick) {
        if let Some(block) = self.blocks.get_mut(tick.place()) {
            *block = tick.block();
        }
    }

    /// Is a block, which has no place here, near one of which it would not take the place?
    pub(super) fn is_near(block: i32, best: i32) -> bool {
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        const REACH: i32 = BLOCKS as i32;
        best.saturating_sub(block) < REACH
    }

    /// How many levels stand at better ticks.
    #[inline]
    pub(super) fn better_than(&self, tick: Tick) -> u32 {
        // Those of the tick's own block, whose bits are above its bit.
        let above = !(tick.bit() | tick.bit().wrapping_sub(1));
        let mut better = 0_u32;
        for (block, bits) in self.blocks.iter().zip(&self.bits) {
            if *bits != 0 && *block >= tick.block() {
                let bits = if *block == tick.block() { bits & above } else { *bits };
                better = better.wrapping_add(bits.count_ones());
            }
        }
        better
    }

    /// How many levels stand at ticks that are `wanted`.
    pub(super) fn count(&self, wanted: impl Fn(Tick) -> bool) -> u32 {
        let runs = self.blocks.iter().zip(&self.bits).map(|(block, bits)| Run { block: *block, bits: *bits });
        let ticks =
            runs.flat_map(|run| core::iter::successors(Some(run), |run| Some(run.rest())).map_while(Run::first));
        ticks.filter(|tick| wanted(*tick)).fold(0, |count: u32, _| count.wrapping_add(1))
    }

    /// Levels at the ticks of the block that has the place of `tick`, best first.
    pub(super) fn in_place_of(&self, tick: Tick) -> Run {
        let place = tick.place();
        Run {
            block: self.blocks.get(place).copied().unwrap_or(NO_BLOCK),
            bits: self.bits.get(place).copied().unwrap_or(0),
        }
    }

    /// The best levels, of the best block that has any.
    #[inline]
    pub(super) fn best(&self) -> Run {
        self.after(i32::MAX)
    }

    /// Those of the best block below this one that has any; an empty run behind the last.
    #[inline]
    pub(super) fn after(&self, before: i32) -> Run {
        let mut run = Run::NONE;
        for (block, bits) in self.blocks.iter().zip(&self.bits) {
            if *bits != 0 && *block > run.block && *block < before {
                run = Run { block: *block, bits: *bits };
            }
        }
        run
    }

    /// The best levels, the best of all having gone from this tick.
    #[inline(always)]
    pub(super) fn best_after(&self, tick: Tick) -> Run {
        match self.bits.get(tick.place()) {
            Some(bits) if *bits != 0 => Run { block: tick.block(), bits: *bits },
            _ => self.best(),
        }
    }

    /// The price at a tick, as a key.
    #[inline(always)]
    #[allow(clippy::cast_possible_wrap)]
    pub(super) fn key(&self, side: Side, tick: Tick) -> i64 {
        match side {
            Side::Buy => tick.0.wrapping_mul(self.tick as i64),
            Side::Sell => !(!tick.0).wrapping_mul(self.tick as i64),
        }
    }

    /// The level of the best tick of a run of this window.
    #[inline(always)]
    pub(super) fn first(&self, run: Run) -> Option<(Tick, u32)> {
        let tick = run.first()?;
        Some((tick, self.number(tick)))
    }

    /// Keys of the worst and of the best tick of a tick's block.
    pub(super) fn span(&self, side: Side, tick: Tick) -> (i64, i64) {
        (self.key(side, Tick(tick.0 & !WITHIN)), self.key(side, Tick(tick.0 | WITHIN)))
    }

    /// Hints that the level of a tick will be asked for.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn prefetch_number(&self, tick: Tick) {
        raw::prefetch(&self.levels, tick.0 as usize % (BLOCKS * TICKS));
    }

    /// Hints that the head will be needed.
    #[inline(always)]
    pub(super) fn prefetch_head(&self) {
        raw::prefetch(&self.bits, 0);
        raw::prefetch(&self.blocks, 0);
    }
}

/// Ticks of one block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) block: i32,
    bits: u64,
}

impl Run {
    pub(super) const NONE: Run = Run { block: NO_BLOCK, bits: 0 };

    /// The best of them.
    #[inline(always)]
    pub(super) fn first(self) -> Option<Tick> {
        let bit = self.bits.checked_ilog2()?;
        Some(Tick(i64::from(self.block) << TICKS.ilog2() | i64::from(bit)))
    }

    /// The worst of them.
    pub(super) fn last(self) -> Option<Tick> {
        (self.bits != 0).then(|| Tick(i64::from(self.block) << TICKS.ilog2() | i64::from(self.bits.trailing_zeros())))
    }

    /// All but the best.
    #[inline(always)]
    pub(super) fn rest(self) -> Run {
        let best = self.bits.checked_ilog2().map_or(0, |bit| 1 << bit);
        Run { bits: self.bits & !best, ..self }
    }

    /// How many.
    pub(super) fn len(self) -> usize {
        self.bits.count_ones() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tick: i64) -> Window {
        let mut window = Window::EMPTY;
        window.set_tick(tick);
        window
    }

    #[test]
    fn a_price_has_a_tick_where_it_is_a_whole_number_of_them() {
        let ticks = [1, 2, 3, 5, 7, 10, 25, 64, 97, 100, 1_000, 12_345, 65_536, 99_999, (1 << 20) - 1, 1 << 20];
        for tick in ticks {
            let window = of(tick);
            assert!(window.has_tick(tick));
            let most = (MOST_PRICE as i64 - 1).min(tick * (MOST_TICKS as i64) - 1);
            for near in [0, 1, tick, 100 * tick, 4_567_890, most / 2, most - tick] {
                let low = near.saturating_sub(2).max(0);
                for price in low..(low + 6).min(most) {
                    for side in [Side::Buy, Side::Sell] {
                        let found = window.tick_of(side, Price(price));
                        let ticks = if side == Side::Buy { price / tick } else { !(price / tick) };
                        assert_eq!(found, (price % tick == 0).then_some(Tick(ticks)), "{price} of {tick}");
                        if let Some(found) = found {
                            assert_eq!(window.key(side, found), crate::flow::book::ladder::key(side, Price(price)));
                        }
                        let near = window.tick_near(side, Price(price)).unwrap();
                        let below = crate::flow::book::ladder::key(side, Price(price - price % tick));
                        assert_eq!(window.key(side, near), below);
                    }
                }
            }
            for price in [-1, -tick, i64::MIN, i64::MAX, (most / tick + 1) * tick] {
                assert_eq!(window.tick_of(Side::Buy, Price(price)), None, "{price} of {tick}");
            }
        }
        for none in [0, -1, i64::MIN, i64::MAX, (1 << 20) + 1] {
            assert!([0, 1, 100].iter().all(|price| of(none).tick_of(Side::Sell, Price(*price)).is_none()), "{none}");
        }
    }

    #[test]
    fn runs_come_best_block_first_whatever_place_they_have() {
        let mut window = of(1);
        for side in [Side::Buy, Side::Sell] {
            window.clear();
            assert_eq!((window.best(), window.best().first()), (Run::NONE, None));
            let prices = [640, 639, 700, 255, 256, 193, 450];
            let mut keys = Vec::new();
            for price in prices {
                let tick = window.tick_of(side, Price(price)).unwrap();
                window.settle(tick);
                window.put(tick, price as u32);
                assert!(window.has_block_of(tick) && window.level(tick) == Some(price as u32));
                keys.push(window.key(side, tick));
            }
            keys.sort_unstable_by(|a, b| b.cmp(a));
            let (mut run, mut walked) = (window.best(), Vec::new());
            while let Some((tick, _)) = window.first(run) {
                walked.push(window.key(side, tick));
                assert!(run.last() <= Some(tick));
                run = if run.len() > 1 { run.rest() } else { window.after(run.block) };
            }
            assert_eq!(walked, keys);
            for price in prices {
                let tick = window.tick_of(side, Price(price)).unwrap();
                window.take(tick);
                assert_eq!(window.level(tick), None);
            }
            assert_eq!(window.best(), Run::NONE);
        }
    }

    #[test]
    fn eight_neighbouring_blocks_have_a_place_each() {
        assert!(Window::is_near(-7, 0) && !Window::is_near(-8, 0) && Window::is_near(9, 0));
        let places: Vec<_> = (-4..4).map(|block| Tick(block * TICKS as i64).place()).collect();
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..BLOCKS).collect::<Vec<_>>(), "{places:?}");
        assert_eq!(size_of::<Window>(), 128 + 4 * BLOCKS * TICKS);
    }
}
