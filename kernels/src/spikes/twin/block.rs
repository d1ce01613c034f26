//! Memory in the pieces that a vector unit takes: 64 values, aligned to a line of the cache.

/// Values of 64 units, side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub(super) struct Block<T>(pub(super) [T; Block::<u8>::UNITS]);

impl Block<u8> {
    /// Units in a block.
    pub(super) const UNITS: usize = 64;
}

impl<T: Copy + Default> Block<T> {
    /// All zero.
    pub(super) fn zero() -> Self {
        Block([T::default(); Block::<u8>::UNITS])
    }

    /// As many as `n` units need, all zero.
    pub(super) fn zeros(n: usize) -> Vec<Self> {
        vec![Self::zero(); blocks(n)]
    }

    /// `values`, and zeros behind them.
    pub(super) fn filled(values: &[T]) -> Vec<Self> {
        let mut all = Self::zeros(values.len());
        for (at, &value) in values.iter().enumerate() {
            set(&mut all, at, value);
        }
        all
    }
}

/// How many blocks `n` units are.
pub(super) fn blocks(n: usize) -> usize {
    n.div_ceil(Block::<u8>::UNITS)
}

/// The value of this unit.
pub(super) fn get<T: Copy>(all: &[Block<T>], unit: usize) -> Option<T> {
    all.get(unit / Block::<u8>::UNITS).map(|block| block.0[unit % Block::<u8>::UNITS])
}

/// Sets the value of this unit.
pub(super) fn set<T>(all: &mut [Block<T>], unit: usize, value: T) {
    if let Some(block) = all.get_mut(unit / Block::<u8>::UNITS) {
        block.0[unit % Block::<u8>::UNITS] = value;
    }
}

/// Of each block, a bit for each of `n` units that is there.
pub(super) fn there(n: usize) -> Vec<u64> {
    let last = n % Block::<u8>::UNITS;
    let mut all = vec![u64::MAX; blocks(n)];
    if last != 0
        && let Some(end) = all.last_mut()
    {
        *end = (1 << last) - 1;
    }
    all
}

/// The numbers of the bits that are set, in rising order.
#[inline(always)]
pub(super) fn ones(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let next = (bits != 0).then(|| bits.trailing_zeros());
        bits &= bits.wrapping_sub(1);
        next
    })
}
