//! The venues of a lane: a `[[venue]]` each, laid over the tables at the top, which have whatever it leaves out.

use super::check::{ConfigError, day, refuse, variable, within, word};
use super::instruments::named;
use super::live::RawNet;
use super::{RawBooks, RawEntry, RawFeed, RawStream, RawTrading, Secrets};
use crate::base::{Name, Nanos, PerVenue, VenueId};
use crate::flow::book::BookCapacity;
use crate::flow::entry::OuchConfig;
use crate::flow::feed::{FeedConfig, StreamConfig};
use crate::flow::trading::TradingConfig;
use crate::shell::net::{LineAddress, Login, SessionConfig};
use serde::Deserialize;
use std::fmt;
use std::net::SocketAddr;
use toml::{Table, Value};

/// The keys that a `[[venue]]` may have: its name and kind, and the keys and tables at the top that it may have otherwise.
pub const KEYS: [&str; 10] =
    ["name", "kind", "day", "utc_offset_minutes", "books", "feed", "stream", "trading", "entry", "net"];

/// The first of them that are its own alone.
const OWN: usize = 2;

/// What a venue speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VenueKind {
    /// ITCH 5.0 over two lines of MoldUDP64, and OUCH 5.0.
    Nasdaq,
    /// The normalised protocol of adapters ([`normal`](crate::flow::wire::normal)) over one stream in order, in levels; orders
    /// by OUCH 5.0.
    Levels,
}

impl VenueKind {
    const WORDS: [(&'static str, VenueKind); 2] = [("nasdaq", VenueKind::Nasdaq), ("levels", VenueKind::Levels)];

    /// As a configuration writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            VenueKind::Nasdaq => "nasdaq",
            VenueKind::Levels => "levels",
        }
    }
}

/// A venue of a lane: what it speaks, and what the lane has of it. Where it is stands in
/// [`LiveConfig::net`](super::LiveConfig::net).
#[derive(Clone, Debug)]
pub struct VenueConfig {
    /// What people call it; blank where no `[[venue]]` names one.
    pub name: Name,
    /// What its keys begin with: `venue[1].`, or nothing for the tables at the top.
    pub key: String,
    /// What it speaks.
    pub kind: VenueKind,
    /// The first session's date: days since 1970-01-01; 0: not known.
    pub day: u32,
    /// Minutes that its clock is ahead of universal time.
    pub utc_offset_minutes: i16,
    /// Room in its books.
    pub books: BookCapacity,
    /// Arbitration and recovery of its lines.
    pub feed: FeedConfig,
    /// How its stream is kept up, if it has one.
    pub stream: StreamConfig,
    /// The highest number that its stream may give an instrument.
    pub stream_instruments: usize,
    /// Trading state.
    pub trading: TradingConfig,
    /// Order entry.
    pub entry: OuchConfig,
    /// Environment variables that hold its passwords.
    pub secrets: Secrets,
}

impl VenueConfig {
    /// Has it a name? The venue of a configuration without `[[venue]]` has none.
    #[must_use]
    pub fn is_named(&self) -> bool {
        self.name != Name::BLANK
    }

    /// A key of it, as the configuration has it: `venue[1].net.orders`.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.key)
    }
}

/// As people call it: its name, or that there is one alone.
impl fmt::Display for VenueConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_named() { self.name.fmt(f) } else { f.write_str("the venue") }
    }
}

/// Where a venue is, for sockets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NetConfig {
    /// What its keys begin with: `venue[1].net.`, or `net.` for the table at the top.
    pub key: String,
    /// Lines A and B.
    pub lines: [LineAddress; 2],
    /// How many of them are listened to: `feed.lines`; none where the market comes over a stream.
    pub line_count: usize,
    /// The re-request server.
    pub rerequest: SocketAddr,
    /// The snapshot server.
    pub snapshot: SocketAddr,
    /// Where the market comes in order, of a venue of levels: then there are no lines, re-requests and snapshots.
    pub stream: Option<SocketAddr>,
    /// The order-entry port.
    pub orders: SocketAddr,
    /// Receive buffer of each line, as it is asked of the kernel.
    pub receive_buffer: usize,
    /// Bytes of orders that may wait for a venue that does not read.
    pub send_queue: usize,
    /// How long a connection may take to be made.
    pub connect_timeout: Nanos,
}

impl NetConfig {
    /// A key of it, as the configuration has it: `venue[1].net.orders`.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.key)
    }

    /// A session's configuration, with what completes its login.
    #[must_use]
    pub fn session(&self, login: Option<Login>) -> SessionConfig {
        SessionConfig {
            connect_timeout: self.connect_timeout,
            queue_bytes: self.send_queue,
            login,
            ..SessionConfig::default()
        }
    }
}

/// What a venue has of its own, or of the top.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Option<String>,
    kind: Option<String>,
    day: Option<toml::value::Datetime>,
    utc_offset_minutes: Option<i16>,
    #[serde(default)]
    books: RawBooks,
    #[serde(default)]
    feed: RawFeed,
    #[serde(default)]
    stream: RawStream,
    #[serde(default)]
    trading: RawTrading,
    #[serde(default)]
    entry: RawEntry,
    #[serde(default)]
    net: RawNet,
}

/// The venues of a configuration, and where they are.
pub(super) type Venues = (PerVenue<VenueConfig>, PerVenue<NetConfig>);

/// All venues of a document, whose keys at the top have been read and are of the right types. `instruments`: room for so many.
pub(super) fn of(document: &Table, instruments: usize) -> Result<Venues, ConfigError> {
    let mut top = document.clone();
    top.retain(|key, _| KEYS[OWN..].contains(&key));
    let first = Raw::deserialize(top.clone())?.checked("", VenueKind::Nasdaq, Name::BLANK, instruments)?;
    let rows = match document.get("venue") {
        None => return Ok(alone(first)),
        Some(Value::Array(rows)) => rows,
        Some(_) => return Err(refuse("venue", "a table", "tables in double brackets: [[venue]]")),
    };
    if !(1..=VenueId::MOST).contains(&rows.len()) {
        return Err(refuse("venue", rows.len(), "1 to 64 tables"));
    }
    let mut all: Vec<(VenueConfig, NetConfig)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let Value::Table(row) = row else { return Err(refuse("venue", row, "tables: [[venue]]")) };
        let prefix = named("venue", rows.len(), at, "");
        let raw = laid_over(&top, row, &prefix)?;
        let (venue, net) = raw.row(&prefix, instruments)?;
        different(&all, &venue, &net)?;
        all.push((venue, net));
    }
    let mut all = all.into_iter();
    let first = all.next().ok_or_else(|| refuse("venue", 0, "1 to 64 tables"))?;
    Ok(all.fold(alone(first), |(venues, nets), (venue, net)| (venues.and(venue), nets.and(net))))
}

fn alone((venue, net): (VenueConfig, NetConfig)) -> Venues {
    (PerVenue::one(venue), PerVenue::one(net))
}

/// Two venues are two: each has a name, and a session of its own for orders.
fn different(before: &[(VenueConfig, NetConfig)], venue: &VenueConfig, net: &NetConfig) -> Result<(), ConfigError> {
    if before.iter().any(|(other, _)| other.name == venue.name) {
        return Err(refuse(&venue.key("name"), format!("\"{}\"", venue.name), "a name that no other venue has"));
    }
    let user = |venue: &VenueConfig| venue.entry.login.username;
    if let Some((other, _)) = before.iter().find(|(other, at)| at.orders == net.orders && user(other) == user(venue)) {
        let value = format!("{} (of {other}, too, for the same entry.username)", net.orders);
        let allowed = "another address or user than those of the other venues: they would share one session";
        return Err(refuse(&venue.key("net.orders"), value, allowed));
    }
    Ok(())
}

/// A row over the tables at the top. What is wrong with it is one of its own keys: it is read key by key.
fn laid_over(top: &Table, row: &Table, prefix: &str) -> Result<Raw, ConfigError> {
    let mut leaves = Vec::new();
    walk(row, &mut Vec::new(), &mut leaves);
    let (mut all, mut raw) = (top.clone(), Raw::default());
    for (path, value) in leaves {
        let before = all.clone();
        put(&mut all, &path, value);
        let key = || format!("{prefix}{}", path.join("."));
        raw = match Raw::deserialize(all.clone()) {
            Ok(raw) => raw,
            Err(error) => {
                let message = error.message().to_owned();
                return Err(ConfigError::Key { key: format!("{prefix}{}", refused(&before, &path)), message });
            }
        };
        if path[..] == ["entry", "account"] {
            return Err(ConfigError::Limit { key: key(), allowed: "given in [entry] alone: a lane has one account" });
        }
    }
    Ok(raw)
}

/// Which table or key of a path is the one that there is not.
fn refused(before: &Table, path: &[&str]) -> String {
    let is_none = |length: &usize| {
        let mut with = before.clone();
        put(&mut with, &path[..*length], Value::Table(Table::new()));
        Raw::deserialize(with).is_err()
    };
    let length = (1..path.len()).find(is_none).unwrap_or(path.len());
    path[..length].join(".")
}

/// Every key of a table with a value that is none, by its path.
fn walk<'a>(table: &'a Table, within: &mut Vec<&'a str>, leaves: &mut Vec<(Vec<&'a str>, Value)>) {
    for (key, value) in table {
        within.push(key);
        match value {
            Value::Table(inner) if !inner.is_empty() => walk(inner, within, leaves),
            value => leaves.push((within.clone(), value.clone())),
        }
        within.pop();
    }
}

/// Puts a value in its place. An empty table takes nothing away.
fn put(into: &mut Table, path: &[&str], value: Value) {
    let Some((last, tables)) = path.split_last() else { return };
    let mut at = into;
    for name in tables {
        let next = at.entry(*name).or_insert_with(|| Value::Table(Table::new()));
        if !next.is_table() {
            *next = Value::Table(Table::new());
        }
        let Value::Table(next) = next else { return };
        at = next;
    }
    let is_empty = value.as_table().is_some_and(Table::is_empty);
    if !(is_empty && at.get(*last).is_some_and(Value::is_table)) {
        at.insert((*last).to_owned(), value);
    }
}

impl Raw {
    /// A `[[venue]]`.
    fn row(&self, prefix: &str, instruments: usize) -> Result<(VenueConfig, NetConfig), ConfigError> {
        let key = format!("{prefix}name");
        let shown = self.name.as_ref().map_or("missing".to_owned(), |name| format!("{name:?}"));
        let allowed = "one to sixteen printable ASCII characters without spaces, not digits alone";
        let name = self.name.as_deref().filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
        let name = name.and_then(Name::new).ok_or_else(|| refuse(&key, shown, allowed))?;
        let kind = self.kind.as_deref().unwrap_or(VenueKind::Nasdaq.word());
        let kind = word(&format!("{prefix}kind"), kind, &VenueKind::WORDS, "\"nasdaq\" or \"levels\"")?;
        self.checked(prefix, kind, name, instruments).map_err(|error| error.within(prefix))
    }

    /// What is wrong is named as it is at the top.
    fn checked(
        &self,
        prefix: &str,
        kind: VenueKind,
        name: Name,
        instruments: usize,
    ) -> Result<(VenueConfig, NetConfig), ConfigError> {
        let offset = self.utc_offset_minutes.unwrap_or(super::UTC_OFFSET_MINUTES);
        let (stream, stream_instruments) = self.stream.checked()?;
        let feed = self.feed.checked()?;
        let venue = VenueConfig {
            name,
            key: prefix.to_owned(),
            kind,
            day: day("day", self.day)?,
            utc_offset_minutes: within("utc_offset_minutes", offset, -720..=840, "-720 to 840")?,
            books: self.books.checked(instruments)?,
            feed,
            stream,
            stream_instruments,
            trading: self.trading.checked()?,
            entry: self.entry.checked()?,
            secrets: Secrets {
                entry: variable("entry.password_env", &self.entry.password_env)?,
                snapshot: variable("feed.snapshot.password_env", &self.feed.snapshot.password_env)?,
            },
        };
        Ok((venue, self.net.checked(prefix, feed.lines, kind)?))
    }
}

#[cfg(test)]
mod tests;
