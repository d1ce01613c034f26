//! Some of a lane's strategies.

use super::StrategyId;
use alloc::boxed::Box;
use alloc::vec;

/// Some of the strategies that are numbered from a first one on.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StrategySet {
    first: StrategyId,
    members: Box<[bool]>,
}

impl StrategySet {
    /// None of the strategies `first`, `first` + 1, and so on. Allocates.
    #[must_use]
    pub fn none_of(first: StrategyId, count: u16) -> Self {
        StrategySet { first, members: vec![false; count.into()].into_boxed_slice() }
    }

    /// Puts one in, or takes it out. One that is none of them is not put in.
    pub fn set(&mut self, strategy: StrategyId, member: bool) {
        let place = strategy.0.checked_sub(self.first.0).map(usize::from);
        if let Some(one) = place.and_then(|place| self.members.get_mut(place)) {
            *one = member;
        }
    }

    /// Is it in it?
    #[must_use]
    pub fn contains(&self, strategy: StrategyId) -> bool {
        let place = strategy.0.checked_sub(self.first.0).map(usize::from);
        place.and_then(|place| self.members.get(place)).copied().unwrap_or(false)
    }

    /// Is it one of those that may be in it?
    #[must_use]
    pub fn knows(&self, strategy: StrategyId) -> bool {
        strategy.0.checked_sub(self.first.0).is_some_and(|place| usize::from(place) < self.members.len())
    }

    /// How many are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.iter().filter(|member| **member).count()
    }

    /// Is nothing in it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.members.contains(&true)
    }
}

crate::state! { StrategySet { members } without { first } }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    #[test]
    fn strategies_beyond_the_lanes_are_in_no_set() {
        let mut set = StrategySet::none_of(StrategyId(3), 2);
        for (id, known) in [(2, false), (3, true), (4, true), (5, false), (u16::MAX, false)] {
            let id = StrategyId(id);
            set.set(id, true);
            assert_eq!((set.contains(id), set.knows(id), set.is_empty()), (known, known, !known), "{id:?}");
            assert_eq!(set.len(), usize::from(known));
            set.set(id, false);
            assert!(!set.contains(id) && set.is_empty());
        }
        set.set(StrategyId(u16::MAX), true);
        assert!(StrategySet::default().is_empty() && !StrategySet::default().knows(StrategyId(0)));
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut StrategySet); 3] =
            [|_| {}, |s| s.set(StrategyId(3), true), |s| s.set(StrategyId(4), true)];
        assert_all_saved(|| StrategySet::none_of(StrategyId(3), 2), &changes);
    }
}
