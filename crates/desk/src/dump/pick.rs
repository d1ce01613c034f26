//! Which records of a dump are shown.

use super::words::{Value, slug};
use super::{Entry, Item, itch, ouch, session};
use crate::cli::Dump;
use crate::nearest::did_you_mean;
use anyhow::{Result, bail};
use firelane_gateway::flow::record::Kind;
use std::collections::{BTreeSet, HashSet};
use std::str::FromStr;

/// A moment of a run, as it is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// Nanoseconds since midnight (UTC).
    OfDay(u64),
    /// Nanoseconds since the lane's clock began.
    Since(u64),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str =
            "must be a time of day (HH:MM, HH:MM:SS or HH:MM:SS.sss, UTC) or seconds since the start (1.5s)";
        let seconds = |text: &str| -> Option<u64> {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
            if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
                return None;
            }
            let nanos: u64 = format!("{fraction:0<9}").parse().ok()?;
            whole.parse::<u64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
        };
        if let Some(since) = text.strip_suffix('s').or(text.strip_prefix('+')) {
            return seconds(since).map(When::Since).ok_or(WRONG);
        }
        let parts: Vec<&str> = text.split(':').collect();
        let (hours, minutes, rest) = match parts[..] {
            [hours, minutes] => (hours, minutes, "0"),
            [hours, minutes, rest] => (hours, minutes, rest),
            _ => return Err(WRONG),
        };
        let whole = |text: &str, below: u64| {
            let good = matches!(text.len(), 1 | 2) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u64>().ok().filter(|n| good && *n < below)
        };
        let (Some(hours), Some(minutes), Some(rest)) = (whole(hours, 24), whole(minutes, 60), seconds(rest)) else {
            return Err(WRONG);
        };
        if rest >= 60_000_000_000 {
            return Err(WRONG);
        }
        Ok(When::OfDay((hours * 3_600 + minutes * 60) * 1_000_000_000 + rest))
    }
}

/// A time of day, in nanoseconds since a start at another. One that is long before it is of the night after.
fn since_start(ns: u64, began: u64) -> u64 {
    const DAY: u64 = 86_400_000_000_000;
    match began.saturating_sub(ns) {
        before if before > DAY / 2 => DAY - before,
        _ => ns.saturating_sub(began),
    }
}

/// Every word that `--kind` knows, by what it picks.
fn words() -> Vec<(&'static str, BTreeSet<String>)> {
    let records = (0..=u8::MAX).filter_map(Kind::from_byte).map(|kind| slug(&spaced(kind.name())));
    vec![
        ("records", records.collect()),
        ("protocols", ["itch", "ouch", "soupbintcp", "glimpse", "moldudp64", "levels"].map(str::to_owned).into()),
        ("ITCH", itch::NAMES.iter().map(|name| slug(name)).collect()),
        ("OUCH", ouch::NAMES.iter().map(|name| slug(name)).collect()),
        ("SoupBinTCP", session::NAMES.iter().map(|name| slug(name)).collect()),
        ("others", ["error".to_owned(), "end-of-snapshot".to_owned()].into()),
    ]
}

fn spaced(name: &str) -> String {
    name.chars().enumerate().fold(String::new(), |mut text, (at, c)| {
        if at > 0 && c.is_ascii_uppercase() {
            text.push(' ');
        }
        text.push(c);
        text
    })
}

/// What `--kind` may be.
fn kinds_help() -> String {
    let mut text = String::new();
    for (name, words) in words() {
        let mut line = format!("  {name}:");
        for word in words {
            if line.len() + 1 + word.len() > 78 {
                text.push_str(&line);
                text.push('\n');
                line = "   ".to_owned();
            }
            line.push(' ');
            line.push_str(&word);
        }
        text.push_str(&line);
        text.push('\n');
    }
    text.trim_end().to_owned()
}

/// What is asked for. Without any of it, everything.
pub(super) struct Pick {
    input: Option<u64>,
    symbols: Vec<String>,
    kinds: HashSet<String>,
    /// Numbers of the order that is followed: the venue's and the firm's. Replaces add to them.
    orders: Option<[HashSet<u64>; 2]>,
    from: u64,
    to: u64,
}

impl Pick {
    pub(super) fn new(options: &Dump, began: Option<u64>) -> Result<Self> {
        let known: Vec<String> = words().into_iter().flat_map(|(_, words)| words).collect();
        let mut kinds = HashSet::new();
        for kind in &options.kind {
            let word = slug(&kind.replace('_', "-"));
            if !known.contains(&word) {
                let near = did_you_mean(&word, known.iter().map(String::as_str));
                bail!("--kind {kind}: no record and no message is called so{near}\nThere are:\n{}", kinds_help());
            }
            kinds.insert(word);
        }
        let since = |name: &str, when: Option<When>| match (when, began) {
            (None, _) => Ok(None),
            (Some(When::Since(ns)), _) => Ok(Some(ns)),
            (Some(When::OfDay(ns)), Some(began)) => Ok(Some(since_start(ns, began))),
            (Some(When::OfDay(_)), None) => bail!(
                "--{name}: it does not say at what time of day it began (its clock was virtual, or an older build wrote \
                 it): give seconds since its start, as in --{name} 1.5s"
            ),
        };
        Ok(Pick {
            input: options.input,
            symbols: options.symbol.iter().map(|symbol| symbol.to_ascii_uppercase()).collect(),
            kinds,
            orders: options.order.map(|order| [HashSet::from([order]), HashSet::from([order])]),
            from: since("from", options.from)?.unwrap_or(0),
            to: since("to", options.to)?.unwrap_or(u64::MAX),
        })
    }

    /// The record as it is to be shown: with the messages that are asked for alone. `None`: not at all.
    pub(super) fn picked(&mut self, mut entry: Entry) -> Option<Entry> {
        // Followed through what is not shown too.
        let in_time = (self.from..=self.to).contains(&entry.time_ns) && self.input.is_none_or(|n| n == entry.input);
        let record_kind = slug(&spaced(entry.kind));
        let whole = self.kinds.is_empty() || self.kinds.contains(&record_kind);
        let of_messages = !entry.items.is_empty();
        entry.items.retain(|item| {
            let followed = self.orders.as_mut().is_none_or(|orders| follows(orders, item));
            let symbol = self.symbols.is_empty() || item.symbol.as_ref().is_some_and(|s| self.symbols.contains(s));
            followed && symbol && (whole || is_kind(&self.kinds, item))
        });
        let own = if of_messages {
            !entry.items.is_empty()
        } else {
            let symbol = entry.fields.symbol();
            let erroneous = entry.error.is_some() && self.kinds.contains("error");
            (whole || erroneous)
                && (self.symbols.is_empty() || symbol.is_some_and(|s| self.symbols.iter().any(|asked| asked == s)))
                && self.orders.as_mut().is_none_or(|orders| names(orders, &entry.fields.0))
        };
        (own && in_time).then_some(entry)
    }
}

fn is_kind(kinds: &HashSet<String>, item: &Item) -> bool {
    let name = match &item.what {
        Ok(said) => slug(said.name),
        Err(_) => "error".to_owned(),
    };
    kinds.contains(&name) || kinds.contains(&slug(item.protocol))
}

fn follows(orders: &mut [HashSet<u64>; 2], item: &Item) -> bool {
    item.what.as_ref().is_ok_and(|said| names(orders, &said.fields.0))
}

/// Is one of the numbers among the fields? Then all of them belong to the order.
fn names(orders: &mut [HashSet<u64>; 2], fields: &[(&'static str, Value)]) -> bool {
    let numbers = fields.iter().filter_map(|(name, value)| match value {
        Value::Order(n) if *n > 0 => Some((0, *n)),
        Value::Own(n) if *n > 0 && *name != "next_user_ref_num" => Some((1, *n)),
        _ => None,
    });
    let numbers: Vec<(usize, u64)> = numbers.collect();
    let found = numbers.iter().any(|(which, n)| orders[*which].contains(n));
    if found {
        for (which, n) in numbers {
            orders[which].insert(n);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_day_or_since_the_start() {
        let second = 1_000_000_000;
        for (text, when) in [
            ("09:30", When::OfDay(34_200 * second)),
            ("9:30:00.5", When::OfDay(34_200 * second + 500_000_000)),
            ("23:59:59.999999999", When::OfDay(86_400 * second - 1)),
            ("0s", When::Since(0)),
            ("+1.5", When::Since(1_500_000_000)),
            ("1.5s", When::Since(1_500_000_000)),
        ] {
            assert_eq!(text.parse(), Ok(when), "{text}");
        }
        for wrong in ["", "s", "24:00", "09:60", "09:30:60", "9", "1.5", "09:30:00.1234567890", "-1s", "a:b", "1:2:3:4"]
        {
            assert!(wrong.parse::<When>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_time_of_day_may_be_of_the_night_after() {
        let at = |text: &str| match text.parse() {
            Ok(When::OfDay(ns)) => ns,
            other => panic!("{other:?}"),
        };
        let minutes = |time: &str, began: &str| since_start(at(time), at(began)) / 60_000_000_000;
        assert_eq!(minutes("09:45", "09:30"), 15);
        assert_eq!(minutes("23:00", "00:00"), 23 * 60, "a day is long");
        assert_eq!(minutes("09:00", "09:30"), 0, "from the start on");
        assert_eq!(minutes("00:10", "23:50"), 20);
        assert_eq!((minutes("00:00", "12:00"), minutes("00:00", "12:01")), (0, 11 * 60 + 59));
    }

    #[test]
    fn every_kind_has_a_word_and_the_help_fits() {
        assert!(kinds_help().lines().all(|line| line.len() <= 80));
        for word in ["packet", "add-order", "enter-order", "login-request", "effects-digest", "ouch"] {
            assert!(kinds_help().split_whitespace().any(|known| known == word), "{word}");
        }
    }
}
