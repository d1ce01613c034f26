//! A message in words: its name and every field by its name, for people and as JSON.

use crate::money::price;
use serde::ser::{Serialize, SerializeMap, Serializer};
use std::fmt;

/// What a field says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Value {
    /// A text of the protocol's, without its padding.
    Text(String),
    /// Counts by name; people see those above zero.
    Counts(Vec<(String, u64)>),
    /// A symbol.
    Symbol(String),
    /// A number, or a number of shares.
    Number(u64),
    /// A number that may be negative.
    Signed(i64),
    /// An amount in 1/10,000 of a dollar.
    Dollars(i64),
    /// Index points with eight decimals.
    Points(u64),
    /// Nanoseconds since midnight.
    Time(u64),
    /// A code letter or number as it stands on the wire, and what it means.
    Code(String, &'static str),
    /// The venue's number of an order.
    Order(u64),
    /// The firm's own number of an order or request.
    Own(u64),
}

impl Value {
    /// A code letter; what is not listed is said to be so.
    pub(crate) fn letter(letter: u8, listed: &[(u8, &'static str)]) -> Self {
        let meaning = listed.iter().find(|(code, _)| *code == letter).map_or("unlisted", |(_, meaning)| meaning);
        Value::code(letter, meaning)
    }

    /// A code letter and its meaning.
    pub(crate) fn code(letter: u8, meaning: &'static str) -> Self {
        Value::Code(letter.escape_ascii().to_string(), meaning)
    }

    /// A padded text.
    pub(crate) fn text(padded: &[u8]) -> Self {
        Value::Text(trimmed(padded))
    }

    /// A padded symbol.
    pub(crate) fn symbol(padded: [u8; 8]) -> Self {
        Value::Symbol(trimmed(&padded))
    }

    /// A price as a message has it: from the wire, and beyond what a price can be on a wire of 64 bits.
    pub(crate) fn price(units: u64) -> Self {
        i64::try_from(units).map_or(Value::Number(units), Value::Dollars)
    }
}

/// Without padding, and printable.
pub(crate) fn trimmed(padded: &[u8]) -> String {
    padded.trim_ascii().escape_ascii().to_string()
}

/// Nanoseconds since midnight as a time of day. A day has 24 hours; what is beyond stays readable.
pub(crate) fn time_of_day(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    format!("{:02}:{:02}:{:02}.{:09}", seconds / 3_600, seconds / 60 % 60, seconds % 60, ns % 1_000_000_000)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) if text.is_empty() => f.write_str("blank"),
            Value::Text(text) | Value::Symbol(text) => f.write_str(text),
            Value::Number(n) | Value::Order(n) | Value::Own(n) => write!(f, "{n}"),
            Value::Signed(n) => write!(f, "{n}"),
            Value::Dollars(units) => f.write_str(&price(*units)),
            Value::Points(points) => write!(f, "{}.{:08} points", points / 100_000_000, points % 100_000_000),
            Value::Time(ns) => f.write_str(&time_of_day(*ns)),
            Value::Counts(counts) => {
                let above_zero = counts.iter().filter(|(_, n)| *n > 0);
                f.write_str(&above_zero.map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", "))
            }
            Value::Code(code, meaning) => write!(f, "{} ({meaning})", if code == " " { "blank" } else { code }),
        }
    }
}

/// As the README of the JSON has it: money in 1/10,000 of a dollar, times in nanoseconds.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Text(text) | Value::Symbol(text) => to.serialize_str(text),
            Value::Number(n) | Value::Order(n) | Value::Own(n) | Value::Points(n) | Value::Time(n) => {
                to.serialize_u64(*n)
            }
            Value::Signed(n) | Value::Dollars(n) => to.serialize_i64(*n),
            Value::Counts(counts) => to.collect_map(counts.iter().map(|(name, n)| (name, n))),
            Value::Code(code, meaning) => {
                let mut map = to.serialize_map(Some(2))?;
                map.serialize_entry("code", code)?;
                map.serialize_entry("is", meaning)?;
                map.end()
            }
        }
    }
}

/// Fields by name, in the order in which people want them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Value)>);

impl Fields {
    /// The symbol that one of them names.
    pub(crate) fn symbol(&self) -> Option<&str> {
        self.0.iter().find_map(|(_, value)| match value {
            Value::Symbol(symbol) if !symbol.is_empty() => Some(symbol.as_str()),
            _ => None,
        })
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// One message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Said {
    /// Its name in the specification.
    pub(crate) name: &'static str,
    /// Every field.
    pub(crate) fields: Fields,
}

impl Said {
    pub(crate) fn new(name: &'static str, fields: Vec<(&'static str, Value)>) -> Self {
        Said { name, fields: Fields(fields) }
    }
}

/// A name as it is typed: `Add Order` is `add-order`.
pub(crate) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if slug.ends_with('-') || slug.is_empty() => {}
            _ => slug.push('-'),
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_times_and_names_are_as_people_write_them() {
        assert_eq!(time_of_day(34_200_000_000_001), "09:30:00.000000001");
        assert_eq!(time_of_day(u64::MAX), "5124095:34:33.709551615");
        assert_eq!(slug("NOII (Net Order Imbalance)"), "noii-net-order-imbalance");
        assert_eq!(Value::price(u64::MAX), Value::Number(u64::MAX));
        assert_eq!(Value::letter(b'Z', &[(b'B', "buy")]).to_string(), "Z (unlisted)");
        assert_eq!(Value::letter(b' ', &[(b' ', "none")]).to_string(), "blank (none)");
    }
}
