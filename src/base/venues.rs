//! The venues of a lane: some of them, and one thing for each.

use super::{State, VenueId};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Some of a lane's venues.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct VenueSet(u64);

impl VenueSet {
    /// Adds one. Beyond [`VenueId::MOST`] there is none.
    #[inline]
    pub fn insert(&mut self, venue: VenueId) {
        self.0 |= 1u64.checked_shl(venue.0.into()).unwrap_or(0);
    }

    /// Is it in it?
    #[inline]
    #[must_use]
    pub fn contains(self, venue: VenueId) -> bool {
        self.0 & 1u64.checked_shl(venue.0.into()).unwrap_or(0) != 0
    }

    /// The first so many.
    #[inline]
    #[must_use]
    pub fn of_first(count: usize) -> Self {
        let rest = u64::BITS.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
        VenueSet(u64::MAX.checked_shr(rest).unwrap_or(0))
    }

    /// Is nothing in it?
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One bit for each, the first one lowest.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Takes one out, if it is there.
    #[inline]
    pub fn remove(&mut self, venue: VenueId) {
        self.0 &= !1u64.checked_shl(venue.0.into()).unwrap_or(0);
    }

    /// The first one.
    #[inline]
    #[must_use]
    #[allow(clippy::cast_possible_truncation)] // below 64
    pub fn first(self) -> Option<VenueId> {
        let first = self.0.trailing_zeros();
        (first < u64::BITS).then_some(VenueId(first as u8))
    }

    /// Adds all of another.
    #[inline]
    pub fn add(&mut self, other: VenueSet) {
        self.0 |= other.0;
    }

    /// Takes the first one out.
    #[inline]
    pub fn take(&mut self) -> Option<VenueId> {
        let first = self.first();
        self.0 &= self.0.wrapping_sub(1);
        first
    }
}

/// One `T` for each venue of a lane, which has one venue at least.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PerVenue<T> {
    /// Most lanes have this one alone: it is where its owner is, and nothing leads there.
    first: T,
    others: Box<[T]>,
}

impl<T> PerVenue<T> {
    /// Of a lane with one venue.
    #[must_use]
    pub fn one(first: T) -> Self {
        PerVenue { first, others: Box::default() }
    }

    /// And another one, the next.
    #[must_use]
    pub fn and(self, next: T) -> Self {
        PerVenue { first: self.first, others: self.others.into_iter().chain([next]).collect() }
    }

    /// For how many venues.
    #[must_use]
    pub fn count(&self) -> usize {
        self.others.len().saturating_add(1)
    }

    /// The venues, in their order.
    #[inline]
    pub fn ids(&self) -> impl Iterator<Item = VenueId> + use<T> {
        (0..=u8::MAX).map(VenueId).take(self.count())
    }

    /// That of the first venue.
    #[inline]
    #[must_use]
    pub fn first(&self) -> &T {
        &self.first
    }

    /// The same, to be changed.
    #[inline]
    pub fn first_mut(&mut self) -> &mut T {
        &mut self.first
    }

    /// That of a venue. `None`: the lane has no such venue.
    #[inline]
    #[must_use]
    pub fn get(&self, venue: VenueId) -> Option<&T> {
        match usize::from(venue.0).checked_sub(1) {
            None => Some(&self.first),
            Some(other) => self.others.get(other),
        }
    }

    /// The same, to be changed.
    #[inline]
    pub fn get_mut(&mut self, venue: VenueId) -> Option<&mut T> {
        match usize::from(venue.0).checked_sub(1) {
            None => Some(&mut self.first),
            Some(other) => self.others.get_mut(other),
        }
    }

    /// All, in the order of their venues.
    #[inline]
    pub fn iter(&self) -> impl Iterator<Item = (VenueId, &T)> {
        (0..=u8::MAX).map(VenueId).zip(core::iter::once(&self.first).chain(&self.others))
    }

    /// The same, to be changed.
    #[inline]
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (VenueId, &mut T)> {
        (0..=u8::MAX).map(VenueId).zip(core::iter::once(&mut self.first).chain(&mut self.others))
    }

    /// The first venue of which this is so.
    #[inline]
    pub fn find(&self, mut is: impl FnMut(VenueId, &T) -> bool) -> Option<VenueId> {
        if is(VenueId::FIRST, &self.first) {
            return Some(VenueId::FIRST);
        }
        if self.others.is_empty() {
            return None;
        }
        self.iter().skip(1).find(|(venue, other)| is(*venue, other)).map(|(venue, _)| venue)
    }

    /// The least of what is said of each.
    #[inline]
    pub fn least<U: Ord>(&self, of: impl Fn(VenueId, &T) -> U) -> U {
        let first = of(VenueId::FIRST, &self.first);
        if self.others.is_empty() {
            return first;
        }
        self.iter().skip(1).fold(first, |least, (venue, other)| least.min(of(venue, other)))
    }

    /// Another thing for each venue.
    pub fn map<U>(&self, mut of: impl FnMut(VenueId, &T) -> U) -> PerVenue<U> {
        let first = of(VenueId::FIRST, &self.first);
        PerVenue { first, others: self.iter().skip(1).map(|(venue, other)| of(venue, other)).collect() }
    }

    /// The same where it may fail.
    ///
    /// # Errors
    /// That of the first venue that fails.
    pub fn try_map<U, E>(&self, mut of: impl FnMut(VenueId, &T) -> Result<U, E>) -> Result<PerVenue<U>, E> {
        let first = of(VenueId::FIRST, &self.first)?;
        let others = self.iter().skip(1).map(|(venue, other)| of(venue, other)).collect::<Result<_, E>>()?;
        Ok(PerVenue { first, others })
    }

    /// Two of what each becomes.
    pub fn unzip<A, B>(self, mut split: impl FnMut(T) -> (A, B)) -> (PerVenue<A>, PerVenue<B>) {
        let (a, b) = split(self.first);
        let (others_a, others_b): (Vec<A>, Vec<B>) = self.others.into_iter().map(split).unzip();
        (
            PerVenue { first: a, others: others_a.into_boxed_slice() },
            PerVenue { first: b, others: others_b.into_boxed_slice() },
        )
    }
}

crate::value! { VenueSet(_) }
crate::state! { [T: State] PerVenue[T] { first, others } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_venues_gives_each_back_once() {
        let mut set = VenueSet::default();
        [63, 0, 5, 5, 64, 255].into_iter().map(VenueId).for_each(|venue| set.insert(venue));
        let all: Vec<_> = core::iter::from_fn(|| set.take()).collect();
        assert_eq!((all, set.take()), (alloc::vec![VenueId(0), VenueId(5), VenueId(63)], None));
        for (count, bits) in [(0, 0), (1, 1), (3, 7), (63, u64::MAX >> 1), (64, u64::MAX), (999, u64::MAX)] {
            assert_eq!(VenueSet::of_first(count).bits(), bits);
        }
        let mut set = VenueSet::of_first(3);
        [VenueId(0), VenueId(9), VenueId(255)].into_iter().for_each(|venue| set.remove(venue));
        assert_eq!((set.first(), set.bits(), set.is_empty()), (Some(VenueId(1)), 6, false));
    }

    #[test]
    fn each_venue_has_its_own_and_others_have_none() {
        let mut letters = PerVenue::one('a').and('b').and('c');
        assert_eq!((letters.count(), *letters.first()), (3, 'a'));
        for (venue, letter) in [(0, Some('a')), (1, Some('b')), (2, Some('c')), (3, None), (255, None)] {
            assert_eq!(letters.get(VenueId(venue)).copied(), letter);
            assert_eq!(letters.get_mut(VenueId(venue)).copied(), letter);
        }
        assert_eq!(letters.find(|_, letter| *letter != 'a'), Some(VenueId(1)));
        assert_eq!(letters.find(|venue, letter| venue.0 == 0 && *letter == 'a'), Some(VenueId::FIRST));
        assert_eq!((letters.find(|venue, _| venue.0 > 2), PerVenue::one(5).find(|_, n| *n > 5)), (None, None));
        assert_eq!((letters.least(|venue, _| 3 - venue.0), letters.least(|_, letter| *letter)), (1, 'a'));
        assert_eq!(PerVenue::one(5).least(|_, n| *n), 5);
        letters.iter_mut().for_each(|(venue, letter)| {
            if venue == VenueId(1) {
                *letter = 'x';
            }
        });
        let all: Vec<_> = letters.iter().map(|(venue, letter)| (venue.0, *letter)).collect();
        assert_eq!(all, [(0, 'a'), (1, 'x'), (2, 'c')]);
        *letters.first_mut() = 'b';
        assert!(letters.ids().eq([0, 1, 2].map(VenueId)) && PerVenue::one(7).ids().eq([VenueId::FIRST]));
        let all = letters.map(|venue, letter| (venue.0, *letter));
        assert_eq!(all, PerVenue::one((0, 'b')).and((1, 'x')).and((2, 'c')));
        let number = |venue: VenueId, letter: &char| if *letter == 'x' { Err(venue) } else { Ok(venue.0) };
        assert_eq!(
            (letters.try_map(number), PerVenue::one('a').try_map(number)),
            (Err(VenueId(1)), Ok(PerVenue::one(0)))
        );
        *letters.first_mut() = 'a';
        let (upper, codes) = letters.unzip(|letter| (letter.to_ascii_uppercase(), letter as u32));
        assert_eq!((upper.get(VenueId(2)), codes.first()), (Some(&'C'), &97));
    }
}
