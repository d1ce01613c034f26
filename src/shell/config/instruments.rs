//! What trades: symbols of US equities, and rows of instruments with all that a lane reckons with.

use super::check::{ConfigError, refuse, within, word};
use super::{RawSymbolRisk, VenueConfig};
use crate::base::{Currency, Instrument, Name, PerVenue, Symbol, VenueId};
use crate::flow::book::BookKind;
use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// The keys that an `[[instrument]]` may have: most have a default, so that no other table shows them all.
pub const KEYS: [&str; 12] = [
    "name",
    "venue",
    "tick",
    "fine_tick",
    "fine_below",
    "lot",
    "price_exponent",
    "qty_exponent",
    "multiplier",
    "currency",
    "book",
    "risk",
];

/// An `[[instrument]]`. Prices and sizes are decimal numbers in quotes, exact, in the currency and in shares or contracts.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawInstrument {
    name: String,
    tick: String,
    #[serde(default)]
    venue: Whose,
    fine_tick: Option<String>,
    fine_below: Option<String>,
    lot: Option<String>,
    #[serde(default = "ten_thousandths")]
    price_exponent: i8,
    #[serde(default)]
    qty_exponent: i8,
    #[serde(default = "one")]
    multiplier: i64,
    #[serde(default = "dollars")]
    currency: String,
    #[serde(default = "of_orders")]
    book: String,
    risk: Option<RawSymbolRisk>,
}

/// The venue of an instrument, by its place in the lane or by its name.
#[derive(Clone, Debug, PartialEq)]
enum Whose {
    Number(u64),
    Name(String),
}

impl Default for Whose {
    fn default() -> Self {
        Whose::Number(0)
    }
}

impl<'de> Deserialize<'de> for Whose {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct NumberOrName;
        impl Visitor<'_> for NumberOrName {
            type Value = Whose;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number or the name of a venue")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Whose, E> {
                // One below 0 is no venue's, and is said as it stands.
                u64::try_from(number).map(Whose::Number).or(Ok(Whose::Name(number.to_string())))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Whose, E> {
                Ok(Whose::Number(number))
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Whose, E> {
                Ok(Whose::Name(name.to_owned()))
            }
        }
        from.deserialize_any(NumberOrName)
    }
}

impl Whose {
    /// Its number. Where no `[[venue]]` is configured, a lane made by hand may have up to 64.
    fn among(&self, key: &str, venues: &PerVenue<VenueConfig>) -> Result<VenueId, ConfigError> {
        let named = venues.first().is_named();
        let most = if named { venues.count() } else { VenueId::MOST };
        let (found, shown) = match self {
            Whose::Number(number) => {
                (u8::try_from(*number).ok().filter(|n| usize::from(*n) < most).map(VenueId), number.to_string())
            }
            Whose::Name(name) => {
                let is = |_: VenueId, venue: &VenueConfig| venue.is_named() && venue.name.to_string() == *name;
                (venues.find(is), format!("{name:?}"))
            }
        };
        let allowed = if named {
            "the name of a [[venue]], or its place among them, from 0 on"
        } else {
            "0 to 63: the venue's place in the lane (names are those of a [[venue]])"
        };
        found.ok_or_else(|| refuse(key, shown, allowed))
    }
}

const fn ten_thousandths() -> i8 {
    -4
}

const fn one() -> i64 {
    1
}

fn dollars() -> String {
    "USD".to_owned()
}

fn of_orders() -> String {
    "orders".to_owned()
}

/// What is listed, in the order of its numbers: first the symbols, then the rows.
pub(super) struct Listed {
    pub(super) rows: Vec<Instrument>,
    /// Those with books of levels.
    pub(super) of_levels: Vec<(VenueId, Name)>,
    /// Where each row stands: what its keys begin with.
    pub(super) keys: Vec<String>,
    /// Limits of its own, by the row's place.
    pub(super) own: Vec<(usize, RawSymbolRisk)>,
}

impl Listed {
    pub(super) fn of(
        symbols: &[String],
        raw: &[RawInstrument],
        venues: &PerVenue<VenueConfig>,
    ) -> Result<Self, ConfigError> {
        let mut listed = Listed { rows: Vec::new(), of_levels: Vec::new(), keys: Vec::new(), own: Vec::new() };
        let mut seen = BTreeSet::new();
        for text in symbols {
            let row = Instrument::us_equity(symbol("instruments.listed", text)?);
            if !seen.insert((row.venue, row.name)) {
                return Err(refuse("instruments.listed", format!("{text:?}"), "listed once"));
            }
            listed.rows.push(row);
            listed.keys.push("instruments.listed.".to_owned());
        }
        for (at, one) in raw.iter().enumerate() {
            let key = |field: &str| key(raw.len(), at, field);
            let row = one.checked(&key, venues)?;
            if !seen.insert((row.venue, row.name)) {
                let allowed = "listed once at its venue, in instruments.listed or in one [[instrument]]";
                return Err(refuse(&key("name"), format!("{:?}", one.name), allowed));
            }
            let kinds = [("orders", BookKind::Orders), ("levels", BookKind::Levels)];
            if word(&key("book"), &one.book, &kinds, "\"orders\" or \"levels\"")? == BookKind::Levels {
                listed.of_levels.push((row.venue, row.name));
            }
            listed.own.extend(one.risk.clone().map(|own| (listed.rows.len(), own)));
            listed.keys.push(key(""));
            listed.rows.push(row);
        }
        Ok(listed)
    }
}

/// The name of a key in one of several tables.
pub(super) fn named(table: &str, of: usize, at: usize, field: &str) -> String {
    if of == 1 { format!("{table}.{field}") } else { format!("{table}[{at}].{field}") }
}

fn key(of: usize, at: usize, field: &str) -> String {
    named("instrument", of, at, field)
}

/// A name.
pub(super) fn name(key: &str, value: &str) -> Result<Name, ConfigError> {
    let allowed = "one to sixteen printable ASCII characters without spaces";
    Name::new(value).ok_or_else(|| refuse(key, format!("{value:?}"), allowed))
}

/// A symbol of US equities.
fn symbol(key: &str, value: &str) -> Result<Symbol, ConfigError> {
    Symbol::new(value).ok_or_else(|| refuse(key, format!("{value:?}"), "one to eight printable ASCII characters"))
}

impl RawInstrument {
    fn checked(
        &self,
        key: &impl Fn(&str) -> String,
        venues: &PerVenue<VenueConfig>,
    ) -> Result<Instrument, ConfigError> {
        let exponent = |field, value| within(&key(field), value, -18..=18, "-18 to 18");
        let price_exponent = exponent("price_exponent", self.price_exponent)?;
        let qty_exponent = exponent("qty_exponent", self.qty_exponent)?;
        let step = "a decimal number in quotes above 0, a multiple of 10^price_exponent";
        let zero = "a decimal number in quotes, 0 or more, a multiple of 10^price_exponent";
        let size = "a decimal number in quotes above 0, a multiple of 10^qty_exponent";
        let positive = |field, text: &str, exponent, allowed| {
            let value = units(text, exponent).filter(|value| *value > 0);
            value.ok_or_else(|| refuse(&key(field), format!("{text:?}"), allowed))
        };
        let tick = positive("tick", &self.tick, price_exponent, step)?;
        let fine_tick = match &self.fine_tick {
            Some(text) => positive("fine_tick", text, price_exponent, step)?,
            None => tick,
        };
        let fine_below = match &self.fine_below {
            Some(text) => {
                units(text, price_exponent).ok_or_else(|| refuse(&key("fine_below"), format!("{text:?}"), zero))?
            }
            None => 0,
        };
        let lot = match &self.lot {
            Some(text) => positive("lot", text, qty_exponent, size)?,
            None => units("1", qty_exponent)
                .ok_or_else(|| refuse(&key("lot"), "missing", "given where 1 is no multiple of 10^qty_exponent"))?,
        };
        Ok(Instrument {
            venue: self.venue.among(&key("venue"), venues)?,
            name: name(&key("name"), &self.name)?,
            price_exponent,
            qty_exponent,
            tick,
            fine_tick,
            fine_below,
            lot,
            multiplier: within(&key("multiplier"), self.multiplier, 1..=1_000_000_000, "1 to 1000000000")?,
            currency: currency(&key("currency"), &self.currency)?,
        })
    }
}

/// A currency by its code.
pub(super) fn currency(key: &str, code: &str) -> Result<Currency, ConfigError> {
    let allowed = "three to eight capital letters and digits, a letter first: \"USD\", \"USDT\"";
    Currency::new(code).ok_or_else(|| refuse(key, format!("{code:?}"), allowed))
}

/// A decimal number in units of 10^`exponent`. `None`: no number of 0 or more, no whole one of them, or beyond 2^62.
fn units(text: &str, exponent: i8) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let good = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !good(whole) || (decimals.len() + whole.len() != text.len() && !good(decimals)) {
        return None;
    }
    // The digits are so many units of 10^-decimals.
    let digits: i128 = format!("{whole}{decimals}").parse().ok()?;
    let shift = i32::from(exponent) + i32::try_from(decimals.len()).ok()?;
    let power = 10i128.checked_pow(shift.unsigned_abs())?;
    let value = if shift <= 0 {
        digits.checked_mul(power)?
    } else if digits % power == 0 {
        digits / power
    } else {
        return None;
    };
    i64::try_from(value).ok().filter(|value| *value <= 1 << 62)
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;

    #[test]
    fn decimal_numbers_are_units_or_none() {
        for (text, exponent, value) in [
            ("0.01", -4, 100),
            ("1", -4, 10_000),
            ("1.0000", -4, 10_000),
            ("0", -4, 0),
            ("0.00001", -8, 1_000),
            ("1500", 2, 15),
            ("1500.00", 2, 15),
            ("4611686018427387904", 0, 1 << 62),
        ] {
            assert_eq!(units(text, exponent), Some(value), "{text} {exponent}");
        }
        for (text, exponent) in [
            ("0.00001", -4),
            ("150", 2),
            ("4611686018427387905", 0),
            ("99999999999999999999999999999999999999999", 0),
            ("1", -40),
            ("", 0),
            (".", 0),
            (".5", -4),
            ("5.", -4),
            ("-1", 0),
            ("+1", 0),
            ("1e2", 0),
            ("1 ", 0),
            ("1.2.3", -4),
        ] {
            assert_eq!(units(text, exponent), None, "{text} {exponent}");
        }
    }

    const ROW: &str = "[[instrument]]\nname = \"BTC-USDT-PERP\"\nvenue = 1\ntick = \"0.5\"\nprice_exponent = -2\n\
        qty_exponent = -8\nlot = \"0.001\"\nmultiplier = 2\nbook = \"levels\"\nfine_tick = \"0.1\"\nfine_below = \"100\"\n";

    #[test]
    fn a_row_is_read_with_its_units_and_stands_behind_the_symbols() {
        let text = format!(
            "[risk]\nmoney_exponent = -18\n[instruments]\nlisted = [\"AAPL\"]\n{ROW}[[instrument]]\nname = \"X\"\ntick = \"0.01\""
        );
        let config = Config::parse(&text).unwrap();
        let name = Name::new("BTC-USDT-PERP").unwrap();
        let row = Instrument {
            venue: VenueId(1),
            name,
            price_exponent: -2,
            qty_exponent: -8,
            tick: 50,
            fine_tick: 10,
            fine_below: 10_000,
            lot: 100_000,
            multiplier: 2,
            currency: Currency::USD,
        };
        let aapl = Instrument::us_equity(Symbol(*b"AAPL    "));
        let x = Instrument { name: Name::new("X").unwrap(), fine_tick: 100, fine_below: 0, lot: 1, ..aapl };
        assert_eq!((config.listed, config.of_levels), (vec![aapl, row, x], vec![(VenueId(1), name)]));
    }

    #[test]
    fn limits_hold_at_and_below_them_and_what_is_beyond_names_its_key() {
        let with = |field: &str, value: &str| {
            let other: Vec<&str> = ROW.lines().filter(|line| !line.starts_with(&format!("{field} ="))).collect();
            Config::parse(&format!("[risk]\nmoney_exponent = -18\n{}\n{field} = {value}\n", other.join("\n")))
                .map(|_| ())
                .map_err(|e| e.to_string())
        };
        for (field, good, bad) in [
            ("name", &["\"A\"", "\"0123456789ABCDEF\""][..], &["\"\"", "\"A B\"", "\"0123456789ABCDEFG\""][..]),
            ("venue", &["0", "63"], &["64", "-1", "\"\"", "\"CME\""]),
            ("tick", &["\"0.01\"", "\"3\""], &["\"0\"", "\"0.001\"", "\"-1\"", "\"x\""]),
            ("fine_tick", &["\"0.01\""], &["\"0\"", "\"0.005\""]),
            ("fine_below", &["\"0\"", "\"5\""], &["\"-1\"", "\"0.005\""]),
            ("lot", &["\"0.00000001\"", "\"1\""], &["\"0\"", "\"0.000000001\""]),
            ("price_exponent", &["-10", "-1"], &["-19", "19", "0"]),
            ("qty_exponent", &["-16", "-3"], &["-19", "19", "-2"]),
            ("multiplier", &["1", "1000000000"], &["0", "1000000001", "-1"]),
            ("currency", &["\"USD\""], &["\"US\"", "\"usd\"", "\"TOOLONGXX\""]),
            ("book", &["\"orders\"", "\"levels\""], &["\"order\""]),
        ] {
            for value in good {
                assert_eq!(with(field, value), Ok(()), "{field} = {value}");
            }
            for value in bad {
                let said = with(field, value).unwrap_err();
                let of = if field.ends_with("exponent") { "instrument." } else { field };
                assert!(said.contains(of) && said.contains("must be"), "{field} = {value}: {said}");
            }
        }
        for missing in ["name", "tick"] {
            let rest: Vec<&str> = ROW.lines().filter(|line| !line.starts_with(&format!("{missing} ="))).collect();
            let said = Config::parse(&rest.join("\n")).unwrap_err().to_string();
            assert!(said.contains(&format!("missing field `{missing}`")), "{said}");
        }
        let coarse = "[[instrument]]\nname = \"X\"\ntick = \"1\"\nprice_exponent = 0\nqty_exponent = 1";
        assert!(Config::parse(coarse).unwrap_err().to_string().contains("instrument.lot = missing"));
    }

    /// The example in the sample is one: what stands there commented out is read, and has every key.
    #[test]
    fn the_row_in_the_sample_is_one() {
        let sample = super::super::SAMPLE;
        let row: Vec<&str> =
            sample.lines().skip_while(|line| *line != "# [[instrument]]").take(KEYS.len() + 1).collect();
        let text: String = row.iter().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let table: toml::Table = text.parse().unwrap();
        let keys = table["instrument"][0].as_table().unwrap();
        assert!(KEYS.iter().all(|key| keys.contains_key(*key)) && keys.len() == KEYS.len(), "{keys:?}");
        let read = Config::parse(&text).unwrap().listed[0];
        let least = Config::parse("[[instrument]]\nname = \"BTC-USDT-PERP\"\ntick = \"0.5\"").unwrap().listed[0];
        assert_eq!(read, least, "the others are defaults");
    }

    #[test]
    fn what_is_listed_twice_is_refused_by_name() {
        let row = |name: &str, venue: u8| format!("[[instrument]]\nname = {name:?}\nvenue = {venue}\ntick = \"1\"\n");
        let said = |text: &str| Config::parse(text).unwrap_err().to_string();
        let twice = [row("X", 0), row("Y", 0), row("X", 0)].concat();
        assert!(said(&twice).starts_with("instrument[2].name = \"X\""), "{}", said(&twice));
        let both = format!("[instruments]\nlisted = [\"X\"]\n{}", row("X", 0));
        assert!(said(&both).starts_with("instrument.name = \"X\""), "{}", said(&both));
        assert!(said("[instruments]\nlisted = [\"X\", \"X\"]").starts_with("instruments.listed = \"X\""));
        assert_eq!(Config::parse(&[row("X", 0), row("X", 1)].concat()).unwrap().listed.len(), 2, "at another venue");
    }
}
