//! The instrument table: what the lane's dense ids mean.
//!
//! Listed instruments are fixed by the configuration. A table in *directory* mode also admits, up to its capacity,
//! each symbol that the exchange's own directory names, in order of appearance: the same input gives the same table.

use super::{InstrumentId, Map, Symbol};
use alloc::vec::Vec;

/// What the lane needs to know of one instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instrument {
    /// The venue's symbol.
    pub symbol: Symbol,
    /// A price unit is 10^`price_exponent` of the currency (-4 for Nasdaq equities).
    pub price_exponent: i8,
    /// A quantity unit is 10^`qty_exponent` of a share.
    pub qty_exponent: i8,
    /// Smallest price step, in price units.
    pub tick: i64,
    /// Round lot, in quantity units.
    pub lot: i64,
    /// Contract multiplier.
    pub multiplier: i64,
    /// ISO 4217.
    pub currency: [u8; 3],
}

impl Instrument {
    /// A US equity: four decimals, one-cent tick, lots of 100, dollars.
    #[must_use]
    pub const fn us_equity(symbol: Symbol) -> Self {
        Instrument {
            symbol,
            price_exponent: -4,
            qty_exponent: 0,
            tick: 100,
            lot: 100,
            multiplier: 1,
            currency: *b"USD",
        }
    }
}

/// The table is full; the symbol stays unknown to the lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstrumentsFull;

/// All instruments of a session, by dense id and by symbol.
#[derive(Debug)]
pub struct InstrumentTable {
    rows: Vec<Instrument>,
    by_symbol: Map,
    open: bool,
}

impl InstrumentTable {
    /// A table of `listed`, with room for `capacity` in all (at least `listed`). `open` admits others by
    /// [`admit`](Self::admit). Of a symbol listed twice the first row holds.
    #[must_use]
    pub fn new(listed: &[Instrument], capacity: usize, open: bool) -> Self {
        let capacity = capacity.max(listed.len()).max(1);
        let mut table =
            InstrumentTable { rows: Vec::with_capacity(capacity), by_symbol: Map::new(capacity), open: true };
        for row in listed {
            let _ = table.admit(*row);
        }
        table.open = open;
        table
    }

    /// The id of a symbol.
    #[must_use]
    pub fn find(&self, symbol: Symbol) -> Option<InstrumentId> {
        self.by_symbol.get(symbol.key()).map(InstrumentId)
    }

    /// The id of `row.symbol`, adding it if the table is open and has room. `Ok(None)`: closed and not listed.
    ///
    /// # Errors
    /// [`InstrumentsFull`] when it would be added and there is no room.
    pub fn admit(&mut self, row: Instrument) -> Result<Option<InstrumentId>, InstrumentsFull> {
        if let Some(id) = self.find(row.symbol) {
            return Ok(Some(id));
        }
        if !self.open {
            return Ok(None);
        }
        let Ok(id) = u32::try_from(self.rows.len()) else { return Err(InstrumentsFull) };
        if self.rows.len() == self.rows.capacity() || self.by_symbol.insert(row.symbol.key(), id).is_err() {
            return Err(InstrumentsFull);
        }
        self.rows.push(row);
        Ok(Some(InstrumentId(id)))
    }

    /// One row.
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
        self.rows.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(s: &str) -> Instrument {
        Instrument::us_equity(Symbol::new(s).unwrap())
    }

    #[test]
    fn an_open_table_admits_up_to_its_capacity() {
        let mut t = InstrumentTable::new(&[row("A")], 2, true);
        assert_eq!(t.admit(row("A")), Ok(Some(InstrumentId(0))));
        assert_eq!(t.admit(row("B")), Ok(Some(InstrumentId(1))));
        assert_eq!(t.admit(row("C")), Err(InstrumentsFull));
        assert_eq!(t.find(Symbol::new("C").unwrap()), None);
        assert_eq!(t.rows().len(), 2);
    }

    #[test]
    fn a_closed_table_admits_only_what_is_listed() {
        let mut t = InstrumentTable::new(&[row("A")], 8, false);
        assert_eq!(t.admit(row("B")), Ok(None));
        assert_eq!(t.admit(row("A")), Ok(Some(InstrumentId(0))));
    }
}
