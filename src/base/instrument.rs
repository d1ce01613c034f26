//! The instrument table: what the lane's dense ids mean.
//!
//! An instrument is known by its venue and by what that venue calls it ([`Name`]). Listed instruments are fixed by the
//! configuration. A table in *directory* mode also admits, up to its capacity, each one that the exchange's own directory
//! names, in order of appearance: the same input gives the same table.

use super::{Currency, InstrumentId, LoadError, Map, Name, Reader, Save, State, Symbol, VenueId};
use alloc::vec::Vec;
use core::fmt;

/// What the lane needs to know of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instrument {
    /// Where it trades.
    pub venue: VenueId,
    /// What the venue calls it.
    pub name: Name,
    /// A price unit is 10^`price_exponent` of the currency (-4 for Nasdaq equities).
    pub price_exponent: i8,
    /// A quantity unit is 10^`qty_exponent` of a share.
    pub qty_exponent: i8,
    /// Smallest price step, in price units.
    pub tick: i64,
    /// Smallest step of prices below [`fine_below`](Self::fine_below).
    pub fine_tick: i64,
    /// Prices below this have the fine tick.
    pub fine_below: i64,
    /// Round lot, in quantity units.
    pub lot: i64,
    /// Contract multiplier: what one quantity unit is of, as price times quantity counts it.
    pub multiplier: i64,
    /// What its prices are in.
    pub currency: Currency,
}

impl Instrument {
    /// A US equity: four decimals, lots of 100, dollars; steps of one cent, and of a hundredth of a cent below one dollar
    /// (Regulation NMS, Rule 612).
    #[must_use]
    pub const fn us_equity(symbol: Symbol) -> Self {
        Instrument {
            venue: VenueId::FIRST,
            name: Name::of(symbol),
            price_exponent: -4,
            qty_exponent: 0,
            tick: 100,
            fine_tick: 1,
            fine_below: 10_000,
            lot: 100,
            multiplier: 1,
            currency: Currency::USD,
        }
    }
}

impl Instrument {
    /// The step of prices around `price`.
    #[inline]
    #[must_use]
    pub const fn tick_at(&self, price: i64) -> i64 {
        if price < self.fine_below { self.fine_tick } else { self.tick }
    }

    /// The highest price at or below `price` that an order may have. `None`: a tick that is none.
    #[inline]
    #[must_use]
    pub fn floor(&self, price: i64) -> Option<i64> {
        Some(price.saturating_sub(price.checked_rem_euclid(self.tick_at(price))?))
    }

    /// The lowest price at or above `price` that an order may have.
    #[inline]
    #[must_use]
    pub fn ceil(&self, price: i64) -> Option<i64> {
        Some(price.saturating_add(price.saturating_neg().checked_rem_euclid(self.tick_at(price))?))
    }
}

/// By its name; of a venue that is not the first, with its number: `AAPL`, `AAPL@1`.
impl fmt::Display for Instrument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.venue {
            VenueId::FIRST => write!(f, "{}", self.name),
            VenueId(number) => write!(f, "{}@{number}", self.name),
        }
    }
}

crate::value! {
    Instrument { venue, name, price_exponent, qty_exponent, tick, fine_tick, fine_below, lot, multiplier, currency }
}

/// The table is full; the instrument stays unknown to the lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstrumentsFull;

/// All instruments of a session, by dense id, and by venue and name.
#[derive(Debug)]
pub struct InstrumentTable {
    rows: Vec<Instrument>,
    by_name: Map,
    capacity: usize,
    open: bool,
}

impl InstrumentTable {
    /// A table of `listed`, with room for `capacity` in all (at least `listed`). `open` admits others by
    /// [`admit`](Self::admit). Of an instrument listed twice the first row holds.
    #[must_use]
    pub fn new(listed: &[Instrument], capacity: usize, open: bool) -> Self {
        let capacity = capacity.max(listed.len()).max(1);
        let mut table =
            InstrumentTable { rows: Vec::with_capacity(capacity), by_name: Map::new(capacity), capacity, open: true };
        for row in listed {
            let _ = table.admit(*row);
        }
        table.open = open;
        table
    }

    /// The id of what a venue calls by a name. For the slow ways in: a market line finds an instrument by the venue's number.
    #[must_use]
    pub fn find(&self, venue: VenueId, name: impl Into<Name>) -> Option<InstrumentId> {
        self.search(venue, name.into()).ok()
    }

    /// The id, or the key under which it may be added: names whose keys are the same have keys one after the other.
    fn search(&self, venue: VenueId, name: Name) -> Result<InstrumentId, u64> {
        /// 2^64 over the golden ratio: venues far apart.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut key = name.key() ^ u64::from(venue.0).wrapping_mul(SPREAD);
        while let Some(id) = self.by_name.get(key) {
            if self.get(InstrumentId(id)).is_some_and(|row| (row.venue, row.name) == (venue, name)) {
                return Ok(InstrumentId(id));
            }
            key = key.wrapping_add(1);
        }
        Err(key)
    }

    /// The id of `row.name` at `row.venue`, adding it if the table is open and has room. `Ok(None)`: closed and not listed.
    ///
    /// # Errors
    /// [`InstrumentsFull`] when it would be added and there is no room.
    pub fn admit(&mut self, row: Instrument) -> Result<Option<InstrumentId>, InstrumentsFull> {
        let key = match self.search(row.venue, row.name) {
            Ok(id) => return Ok(Some(id)),
            Err(key) => key,
        };
        if !self.open {
            return Ok(None);
        }
        let Ok(id) = u32::try_from(self.rows.len()) else { return Err(InstrumentsFull) };
        if self.rows.len() == self.capacity || self.by_name.insert(key, id).is_err() {
            return Err(InstrumentsFull);
        }
        self.rows.push(row);
        Ok(Some(InstrumentId(id)))
    }

    /// One row.
    #[inline]
    #[must_use]
    pub fn get(&self, id: InstrumentId) -> Option<&Instrument> {
        self.rows.get(id.0 as usize)
    }

    /// All rows in the order of their ids.
    #[must_use]
    pub fn rows(&self) -> &[Instrument] {
        &self.rows
    }

    /// How many instruments it can hold.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The exchange's directory gives an instrument's round lot. One that can't be is not taken.
    pub fn revise(&mut self, id: InstrumentId, lot: i64) {
        if let Some(row) = self.rows.get_mut(id.0 as usize)
            && lot > 0
        {
            row.lot = lot;
        }
    }

    /// The venue gives an instrument's smallest price step, the same at every price. One that can't be is not taken.
    pub fn revise_tick(&mut self, id: InstrumentId, tick: i64) {
        if let Some(row) = self.rows.get_mut(id.0 as usize)
            && tick > 0
        {
            (row.tick, row.fine_tick) = (tick, tick);
        }
    }
}

/// All rows: what the directory has named since, and what it has said of those that are listed.
impl State for InstrumentTable {
    fn save(&self, into: &mut dyn Save) {
        let InstrumentTable { rows, by_name: _, capacity: _, open: _ } = self;
        into.count(rows.len());
        rows.iter().for_each(|row| row.save(into));
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        self.rows.clear();
        self.by_name.clear();
        for id in (0u32..).take(from.count(self.capacity)?) {
            let row: Instrument = from.value()?;
            let Err(key) = self.search(row.venue, row.name) else { return Err(LoadError::BAD) };
            if self.by_name.insert(key, id).is_err() {
                return Err(LoadError::BAD);
            }
            self.rows.push(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Writer, assert_all_saved};

    fn row(s: &str) -> Instrument {
        Instrument::us_equity(Symbol::new(s).unwrap())
    }

    #[test]
    fn an_open_table_admits_up_to_its_capacity() {
        let mut t = InstrumentTable::new(&[row("A")], 2, true);
        assert_eq!(t.admit(row("A")), Ok(Some(InstrumentId(0))));
        assert_eq!(t.admit(row("B")), Ok(Some(InstrumentId(1))));
        assert_eq!(t.admit(row("C")), Err(InstrumentsFull));
        assert_eq!(t.find(VenueId::FIRST, Symbol::new("C").unwrap()), None);
        assert_eq!(t.rows().len(), 2);
    }

    #[test]
    fn the_same_name_at_two_venues_is_two_instruments_also_where_their_keys_are_the_same() {
        let mut table = InstrumentTable::new(&[], 7, true);
        let at = |venue, name| Instrument { venue: VenueId(venue), name, ..row("A") };
        let one = Name::new("AAPL").unwrap();
        // Keys that are one apart, and the same: the first half alone makes any.
        let with_key = |key: u64| {
            let mut name = one;
            let tail = Name([[0; 8], *name.0.last_chunk().unwrap()].concat().try_into().unwrap()).key();
            name.0[..8].copy_from_slice(&(key ^ tail).to_be_bytes());
            assert_eq!(name.key(), key);
            name
        };
        let (clash, next) = (with_key(one.key() ^ 0x9E37_79B9_7F4A_7C15), with_key(one.key() + 1));
        // And names that are other only beyond the eighth character.
        let (long, longer) = (Name::new("BTC-USDT-PERP").unwrap(), Name::new("BTC-USDT-PERPS").unwrap());
        let rows = [at(0, one), at(1, one), at(1, clash), at(0, next), at(0, long), at(0, longer), at(1, long)];
        for (id, row) in (0..).map(InstrumentId).zip(rows) {
            assert_eq!(table.find(row.venue, row.name), None);
            assert_eq!(table.admit(row), Ok(Some(id)));
        }
        let mut restored = InstrumentTable::new(&[], 7, true);
        restored.load(&mut Reader(&Writer::of(&table))).unwrap();
        for (id, row) in (0..).map(InstrumentId).zip(rows) {
            assert_eq!((table.find(row.venue, row.name), table.admit(row)), (Some(id), Ok(Some(id))));
            assert_eq!(restored.find(row.venue, row.name), Some(id));
        }
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut InstrumentTable); 13] = [
            |_| {},
            |t| _ = t.admit(row("B")),
            |t| t.rows.clear(),
            |t| t.rows[0].venue = VenueId(1),
            |t| t.rows[0].name = Name::new("B").unwrap(),
            |t| t.rows[0].price_exponent = -2,
            |t| t.rows[0].qty_exponent = -2,
            |t| t.rows[0].tick = 7,
            |t| t.rows[0].fine_tick = 7,
            |t| t.rows[0].fine_below = 7,
            |t| t.rows[0].lot = 7,
            |t| t.rows[0].multiplier = 7,
            |t| t.rows[0].currency = Currency::new("EUR").unwrap(),
        ];
        assert_all_saved(|| InstrumentTable::new(&[row("A")], 2, true), &changes);
    }

    #[test]
    fn a_restored_table_finds_its_rows_and_holds_no_more_than_it_was_built_for() {
        let (mut one, mut two) = (InstrumentTable::new(&[row("A")], 2, true), InstrumentTable::new(&[], 2, true));
        assert!(one.admit(row("B")).is_ok() && two.admit(row("C")).is_ok());
        let saved = Writer::of(&one);
        two.load(&mut Reader(&saved)).unwrap();
        assert_eq!(
            (two.find(VenueId::FIRST, row("B").name), two.find(VenueId::FIRST, row("C").name)),
            (Some(InstrumentId(1)), None)
        );
        assert_eq!(two.admit(row("C")), Err(InstrumentsFull));
        let small = InstrumentTable::new(&[], 1, true).load(&mut Reader(&saved));
        assert_eq!(small, Err(LoadError::Capacity { of: "", built: 1, saved: 2 }));
    }

    #[test]
    fn prices_step_by_a_cent_and_below_a_dollar_by_a_hundredth_of_one() {
        let row = row("A");
        let around = |price| (row.floor(price), row.ceil(price));
        assert_eq!(around(100_050), (Some(100_000), Some(100_100)));
        assert_eq!(around(100_100), (Some(100_100), Some(100_100)));
        assert_eq!(around(10_001), (Some(10_000), Some(10_100)));
        assert_eq!(around(10_000), (Some(10_000), Some(10_000)));
        assert_eq!(around(9_999), (Some(9_999), Some(9_999)));
        assert_eq!((row.floor(-1), row.ceil(-1)), (Some(-1), Some(-1)));
        assert_eq!(Instrument { tick: 0, ..row }.floor(10_000), None);
        assert_eq!(Instrument { fine_tick: 0, ..row }.ceil(9_999), None);
    }

    #[test]
    fn what_the_venue_says_of_tick_and_lot_is_taken_where_it_can_be() {
        let mut t = InstrumentTable::new(&[row("A")], 1, false);
        for (given, tick, lot) in [(0, 100, 100), (-1, 100, 100), (5, 5, 5)] {
            t.revise_tick(InstrumentId(0), given);
            t.revise(InstrumentId(0), given);
            t.revise_tick(InstrumentId(1), given);
            let row = t.get(InstrumentId(0)).unwrap();
            assert_eq!((row.tick_at(20_000), row.lot), (tick, lot));
        }
        assert_eq!(t.get(InstrumentId(0)).unwrap().tick_at(1), 5, "at every price");
    }

    #[test]
    fn the_same_name_elsewhere_shows_its_venue() {
        use alloc::string::ToString;
        let there = Instrument { venue: VenueId(1), ..row("A") };
        assert_eq!((row("A").to_string(), there.to_string()), ("A".to_string(), "A@1".to_string()));
    }

    #[test]
    fn a_closed_table_admits_only_what_is_listed() {
        let mut t = InstrumentTable::new(&[row("A")], 8, false);
        assert_eq!(t.admit(row("B")), Ok(None));
        assert_eq!(t.admit(row("A")), Ok(Some(InstrumentId(0))));
    }
}
