//! What may not enter, by order of a person or a program: the kill switch of the lane and those of its parts, and the
//! strategies that are disabled.

use super::gate::{Gate, Refusal};
use crate::base::{InstrumentId, LoadError, StrategyId, StrategySet, VenueId, VenueSet};
use alloc::boxed::Box;
use alloc::vec;

/// How far a kill switch reaches. Each is thrown and released on its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KillScope {
    /// Everything.
    Lane,
    /// What trades at a venue.
    Venue(VenueId),
    /// An instrument.
    Instrument(InstrumentId),
    /// What a strategy sends.
    Strategy(StrategyId),
}

#[derive(Debug)]
pub(super) struct Stops {
    /// Is anything stopped at all? The one word that an order asks for on its way.
    any: bool,
    lane: bool,
    venues: VenueSet,
    instruments: Box<[bool]>,
    killed: StrategySet,
    disabled: StrategySet,
}

impl Stops {
    pub(super) fn new(instruments: usize) -> Self {
        Stops {
            any: false,
            lane: false,
            venues: VenueSet::default(),
            instruments: vec![false; instruments].into_boxed_slice(),
            killed: StrategySet::default(),
            disabled: StrategySet::default(),
        }
    }

    pub(super) fn number_strategies(&mut self, first: StrategyId, count: u16) {
        self.killed = StrategySet::none_of(first, count);
        self.disabled = StrategySet::none_of(first, count);
    }

    fn is_thrown(&self, scope: KillScope) -> bool {
        match scope {
            KillScope::Lane => self.lane,
            KillScope::Venue(venue) => self.venues.contains(venue),
            KillScope::Instrument(id) => self.instruments.get(id.0 as usize).copied().unwrap_or(false),
            KillScope::Strategy(strategy) => self.killed.contains(strategy),
        }
    }

    fn kill(&mut self, scope: KillScope, thrown: bool) {
        match scope {
            KillScope::Lane => self.lane = thrown,
            KillScope::Venue(venue) if thrown => self.venues.insert(venue),
            KillScope::Venue(venue) => self.venues.remove(venue),
            KillScope::Instrument(id) => {
                if let Some(one) = self.instruments.get_mut(id.0 as usize) {
                    *one = thrown;
                }
            }
            KillScope::Strategy(strategy) => self.killed.set(strategy, thrown),
        }
        self.any = self.is_any();
    }

    fn is_any(&self) -> bool {
        let instruments = self.instruments.contains(&true);
        self.lane || !self.venues.is_empty() || instruments || !self.killed.is_empty() || !self.disabled.is_empty()
    }

    /// How many parts are stopped by themselves.
    fn parts(&self) -> usize {
        let Stops { any: _, lane: _, venues, instruments, killed, disabled } = self;
        let mut venues = *venues;
        let venues = core::iter::from_fn(|| venues.take()).count();
        let instruments = instruments.iter().filter(|killed| **killed).count();
        [venues, instruments, killed.len(), disabled.len()].into_iter().sum()
    }

    fn follow(&mut self) -> Result<(), LoadError> {
        self.any = self.is_any();
        Ok(())
    }

    /// May a strategy enter an order there?
    #[inline]
    pub(super) fn ask(&self, id: InstrumentId, venue: VenueId, strategy: StrategyId) -> Result<(), Refusal> {
        if self.any { self.ask_each(id, venue, strategy) } else { Ok(()) }
    }

    #[cold]
    fn ask_each(&self, id: InstrumentId, venue: VenueId, strategy: StrategyId) -> Result<(), Refusal> {
        let instrument = self.instruments.get(id.0 as usize).copied().unwrap_or(false);
        if self.lane || self.venues.contains(venue) || instrument || self.killed.contains(strategy) {
            return Err(Refusal::Killed);
        }
        if self.disabled.contains(strategy) { Err(Refusal::Disabled) } else { Ok(()) }
    }
}

crate::state! { Stops { lane, venues, instruments, killed, disabled } without { any } then follow }

impl Gate {
    /// Throws the kill switch of the lane: nothing passes but cancels, until [`release`](Self::release).
    pub fn kill(&mut self) {
        self.kill_in(KillScope::Lane);
    }

    /// Releases the kill switch of the lane. Those of its parts stay as they are.
    pub fn release(&mut self) {
        self.release_in(KillScope::Lane);
    }

    /// Throws a kill switch: of what is in its scope nothing passes but cancels. A scope that is not there has none.
    pub fn kill_in(&mut self, scope: KillScope) {
        self.stops.kill(scope, true);
    }

    /// Releases a kill switch, and none but this one.
    pub fn release_in(&mut self, scope: KillScope) {
        self.stops.kill(scope, false);
    }

    /// Lets a strategy enter orders, or not. All may at first.
    pub fn let_enter(&mut self, strategy: StrategyId, may: bool) {
        self.stops.disabled.set(strategy, !may);
        self.stops.any = self.stops.is_any();
    }

    /// Is this kill switch thrown?
    #[must_use]
    pub fn is_killed_in(&self, scope: KillScope) -> bool {
        self.stops.is_thrown(scope)
    }

    /// Is the kill switch of the lane thrown?
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.stops.lane
    }

    /// Is any kill switch thrown, or any strategy disabled?
    #[inline]
    #[must_use]
    pub fn stops_any(&self) -> bool {
        self.stops.any
    }

    /// How many kill switches are thrown besides the lane's, and strategies disabled. Walks over all instruments where there are
    /// any.
    #[must_use]
    pub fn stopped_parts(&self) -> usize {
        if self.stops.any { self.stops.parts() } else { 0 }
    }

    /// Does the lane have such a strategy?
    #[must_use]
    pub fn has_strategy(&self, strategy: StrategyId) -> bool {
        self.stops.killed.knows(strategy)
    }

    /// May a strategy enter orders in an instrument of a venue: is no kill switch thrown whose scope it is in, and is it not
    /// disabled?
    ///
    /// # Errors
    /// [`Refusal::Killed`] or [`Refusal::Disabled`].
    #[inline]
    pub fn may_enter(&self, id: InstrumentId, venue: VenueId, strategy: StrategyId) -> Result<(), Refusal> {
        self.stops.ask(id, venue, strategy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    const SCOPES: [KillScope; 4] = [
        KillScope::Lane,
        KillScope::Venue(VenueId(1)),
        KillScope::Instrument(InstrumentId(1)),
        KillScope::Strategy(StrategyId(4)),
    ];

    fn stops() -> Stops {
        let mut stops = Stops::new(2);
        stops.number_strategies(StrategyId(3), 2);
        stops
    }

    #[test]
    fn each_switch_stops_what_is_in_its_scope_alone() {
        for scope in SCOPES {
            let mut stops = stops();
            stops.kill(scope, true);
            assert!(stops.any && SCOPES.iter().all(|other| stops.is_thrown(*other) == (*other == scope)));
            for (id, venue, strategy) in [(0, 0, 3), (1, 0, 3), (0, 1, 3), (0, 0, 4), (1, 1, 4), (9, 9, 9)] {
                let within = match scope {
                    KillScope::Lane => true,
                    KillScope::Venue(_) => venue == 1,
                    KillScope::Instrument(_) => id == 1,
                    KillScope::Strategy(_) => strategy == 4,
                };
                let asked = stops.ask(InstrumentId(id), VenueId(venue), StrategyId(strategy));
                assert_eq!(asked, if within { Err(Refusal::Killed) } else { Ok(()) }, "{scope:?}");
            }
            // No other switch releases it.
            for other in SCOPES.into_iter().filter(|other| *other != scope) {
                stops.kill(other, false);
            }
            let within = (InstrumentId(1), VenueId(1), StrategyId(4));
            assert_eq!(stops.ask(within.0, within.1, within.2), Err(Refusal::Killed), "{scope:?}");
            stops.kill(scope, false);
            assert!(!stops.any && stops.ask(within.0, within.1, within.2).is_ok(), "{scope:?}");
        }
        let mut stops = stops();
        for nowhere in
            [KillScope::Instrument(InstrumentId(2)), KillScope::Strategy(StrategyId(2)), KillScope::Venue(VenueId(64))]
        {
            stops.kill(nowhere, true);
            assert!(!stops.any, "{nowhere:?}");
        }
    }

    #[test]
    fn the_parts_that_are_stopped_are_counted_and_the_lane_is_none() {
        let mut stops = stops();
        for (n, scope) in SCOPES.into_iter().enumerate() {
            stops.kill(scope, true);
            assert_eq!(stops.parts(), n, "{scope:?}");
        }
        stops.disabled.set(StrategyId(4), true);
        assert_eq!(stops.parts(), 4);
        SCOPES.into_iter().for_each(|scope| stops.kill(scope, false));
        assert_eq!(stops.parts(), 1);
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut Stops); 8] = [
            |_| {},
            |s| s.kill(KillScope::Lane, true),
            |s| s.kill(KillScope::Venue(VenueId(1)), true),
            |s| s.kill(KillScope::Instrument(InstrumentId(0)), true),
            |s| s.kill(KillScope::Instrument(InstrumentId(1)), true),
            |s| s.kill(KillScope::Strategy(StrategyId(3)), true),
            |s| s.kill(KillScope::Strategy(StrategyId(4)), true),
            |s| s.disabled.set(StrategyId(4), true),
        ];
        assert_all_saved(stops, &changes);
        // What follows from the rest is made again.
        let mut thrown = stops();
        thrown.kill(KillScope::Strategy(StrategyId(4)), true);
        let mut restored = stops();
        crate::base::State::load(&mut restored, &mut crate::base::Reader(&crate::base::Writer::of(&thrown))).unwrap();
        assert!(restored.any);
    }
}
