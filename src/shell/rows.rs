//! Rows of the instrument table in a file's header: what the numbers in its records are of.

use crate::base::{Currency, Instrument, Name, VenueId};
use serde::{Deserialize, Serialize};

/// An [`Instrument`], field by field, as text.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs)] // `Instrument` says what each is
pub struct InstrumentRow {
    pub venue: u8,
    pub name: String,
    pub price_exponent: i8,
    pub qty_exponent: i8,
    pub tick: i64,
    pub fine_tick: i64,
    pub fine_below: i64,
    pub lot: i64,
    pub multiplier: i64,
    pub currency: String,
}

impl From<&Instrument> for InstrumentRow {
    fn from(row: &Instrument) -> Self {
        let &Instrument {
            venue,
            name,
            price_exponent,
            qty_exponent,
            tick,
            fine_tick,
            fine_below,
            lot,
            multiplier,
            currency,
        } = row;
        let (name, currency) = (name.to_string(), currency.to_string());
        let venue = venue.0;
        InstrumentRow {
            venue,
            name,
            price_exponent,
            qty_exponent,
            tick,
            fine_tick,
            fine_below,
            lot,
            multiplier,
            currency,
        }
    }
}

impl InstrumentRow {
    /// Of every instrument, in the order of their ids.
    #[must_use]
    pub fn of_all(rows: &[Instrument]) -> Vec<Self> {
        rows.iter().map(InstrumentRow::from).collect()
    }

    /// The instrument. `None`: its name or currency is none.
    #[must_use]
    pub fn instrument(&self) -> Option<Instrument> {
        Some(Instrument {
            venue: VenueId(self.venue),
            name: Name::new(&self.name)?,
            price_exponent: self.price_exponent,
            qty_exponent: self.qty_exponent,
            tick: self.tick,
            fine_tick: self.fine_tick,
            fine_below: self.fine_below,
            lot: self.lot,
            multiplier: self.multiplier,
            currency: Currency::new(&self.currency)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Symbol;

    #[test]
    fn a_row_comes_back_field_by_field() {
        let row = Instrument {
            venue: VenueId(3),
            name: Name::new("BTC-USDT-PERP").unwrap(),
            price_exponent: -2,
            qty_exponent: -8,
            tick: 50,
            fine_tick: 10,
            fine_below: 7,
            lot: 1_000,
            multiplier: 9,
            currency: Currency::new("USDT").unwrap(),
        };
        for row in [row, Instrument::us_equity(Symbol::new("AAPL").unwrap())] {
            assert_eq!(InstrumentRow::from(&row).instrument(), Some(row));
        }
        let good = InstrumentRow::from(&row);
        assert_eq!(InstrumentRow { name: "12345678901234567".into(), ..good.clone() }.instrument(), None);
        assert_eq!(InstrumentRow { currency: "usd".into(), ..good }.instrument(), None);
    }
}
