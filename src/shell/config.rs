//! The configuration: TOML text into raw values, raw values into checked ones.
//!
//! Every key but `wiring` has a default, and a unit in its name or its comment; unknown keys are refused; every error names
//! the key and what it may be. [`SAMPLE`] is the default configuration, written out and explained; a test holds the two
//! equal. What trades brings tables of its own: see [`plug`], and [`sample`](super::plug::sample) for the
//! configuration of a whole program.
//! Secrets are not part of it: a key ending in `_env` names the environment variable that holds one.

use crate::base::{AccountId, Instrument, Name, Nanos, OutOfRange, PerVenue, Qty, StrategyId, VenueId};
use crate::flow::action::Tags;
use crate::flow::book::BookCapacity;
use crate::flow::entry::OuchConfig;
use crate::flow::feed::{FeedConfig, RerequestConfig, SnapshotConfig, Start, StreamConfig};
use crate::flow::orders::OrdersConfig;
use crate::flow::risk::{
    CurrencyLimits, Distance, EmptyBook, InstrumentLimits, MoneyIn, OneSided, PriceCollar, RiskLimits, ShortSale,
    ZeroCross,
};
use crate::flow::trading::{TradingConfig, UnknownState};
use crate::flow::wire::ouch50::{Capacity, Display};
use crate::flow::wire::soupbintcp::NO_PASSWORD;
use crate::flow::wire::soupbintcp::{ClientConfig, Password};
use crate::flow::wiring::Policy;
use crate::shell::log::Effects;
use crate::shell::plug::{self, Plugged};
use serde::Deserialize;
use std::collections::BTreeMap;

/// The default configuration of a lane with every key explained, and nothing that trades.
pub const SAMPLE: &str = include_str!("config.toml");

/// The wiring that combines what `strategies` and `signals` name. Where there are strategies, it need not be named.
pub const MIX: &str = "mix";

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// Which of several lanes it is of.
    pub lane: LaneName,
    /// Name of the wiring; empty where none is named, for no strategy is a default.
    pub wiring: String,
    /// The venues, in the order of their numbers: what each speaks, and what the lane has of it.
    pub venues: PerVenue<VenueConfig>,
    /// Instruments that are followed from the start.
    pub listed: Vec<Instrument>,
    /// Those of them whose books are of levels.
    pub of_levels: Vec<(VenueId, Name)>,
    /// Follow every other instrument of the exchange's directory too.
    pub directory: bool,
    /// Room for instruments.
    pub instruments: usize,
    /// The gate's limits.
    pub risk: RiskLimits,
    /// Currencies beside its base currency.
    pub currencies: Vec<CurrencyLimits>,
    /// Limits of single instruments.
    pub risk_of: Vec<LimitsOf>,
    /// The order table.
    pub orders: OrdersConfig,
    /// Account and strategy numbers.
    pub tags: Tags,
    /// What the lane does of its own accord.
    pub policy: Policy,
    /// How a log keeps effects.
    pub effects: Effects,
    /// Latencies of virtual fills.
    pub replay: ReplayConfig,
    /// Sockets, threads, rings: of a lane that is live.
    pub live: LiveConfig,
    /// The text that all of this was read from.
    pub text: String,
}

/// Fixed latencies of `replay --orders` and `demo --itch`, on exchange time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReplayConfig {
    /// From the message that caused an order to its arrival at the venue.
    pub order_latency: Nanos,
    /// From the venue's answer to its arrival at the gateway.
    pub answer_latency: Nanos,
}

/// Where the secrets of a venue are found. Names only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secrets {
    /// Of order entry.
    pub entry: String,
    /// Of the snapshot server.
    pub snapshot: String,
}

macro_rules! table {
    // The whole document: it has other tables beside its own, which are known by their names.
    (document $name:ident { $($field:ident: $type:ty = $default:expr,)* }) => {
        table! { @struct [#[serde(default)]] $name { $($field: $type = $default,)* } }

        impl $name {
            const KEYS: &[&str] = &[$(stringify!($field)),*];
        }
    };
    ($vis:vis $name:ident { $($field:ident: $type:ty = $default:expr,)* }) => {
        table! { @struct [#[serde(deny_unknown_fields, default)]] $vis $name { $($field: $type = $default,)* } }
    };
    (@struct [#[$unknown:meta]] $vis:vis $name:ident { $($field:ident: $type:ty = $default:expr,)* }) => {
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[$unknown]
        $vis struct $name { $($field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $default,)* }
            }
        }
    };
}

pub mod check;
mod instruments;
mod lanes;
mod live;
mod money; // behind the macro that it uses
mod venues;

pub use check::ConfigError;
use check::{padded, refuse, within, word};
pub use instruments::KEYS as INSTRUMENT_KEYS;
use instruments::{Listed, RawInstrument};
pub use lanes::{FIRM_KEYS, Fleet, LaneName, MOST_LANES, lane_path};
pub use money::KEYS as CURRENCY_KEYS;
pub use money::LimitsOf;
use money::RawCurrency;

use lanes::RawLane;
pub(crate) use live::SMALLEST_RING;
pub use live::{Layout, LiveConfig, Passwords, SecretError, ThreadConfig};
use live::{RawControl, RawNet, RawTape, RawThreads};
pub use venues::{KEYS as VENUE_KEYS, NetConfig, VenueConfig, VenueKind};

/// Of New York, without summer time.
const UTC_OFFSET_MINUTES: i16 = -300;

table! { document Raw {
    wiring: String = String::new(),
    lane: Option<RawLane> = None,
    strategies: Vec<String> = Vec::new(),
    signals: Vec<String> = Vec::new(),
    day: Option<toml::value::Datetime> = None,
    utc_offset_minutes: i16 = UTC_OFFSET_MINUTES,
    venue: Vec<toml::Table> = Vec::new(),
    instruments: RawInstruments = RawInstruments::default(),
    instrument: Vec<RawInstrument> = Vec::new(),
    currency: Vec<RawCurrency> = Vec::new(),
    books: RawBooks = RawBooks::default(),
    feed: RawFeed = RawFeed::default(),
    stream: RawStream = RawStream::default(),
    trading: RawTrading = RawTrading::default(),
    risk: RawRisk = RawRisk::default(),
    orders: RawOrders = RawOrders::default(),
    entry: RawEntry = RawEntry::default(),
    policy: RawPolicy = RawPolicy::default(),
    log: RawLog = RawLog::default(),
    net: RawNet = RawNet::default(),
    threads: RawThreads = RawThreads::default(),
    tape: RawTape = RawTape::default(),
    control: RawControl = RawControl::default(),
    replay: RawReplay = RawReplay::default(),
}}
table! { RawInstruments {
    listed: Vec<String> = Vec::new(),
    directory: bool = true,
    capacity: u32 = 1_024,
}}
table! { RawBooks {
    orders: u32 = 262_144,
    levels: u32 = 65_536,
    own: u32 = 4_096,
}}
table! { RawFeed {
    session: String = String::new(),
    start: String = "first".into(),
    lines: u8 = 2,
    window_messages: u32 = 65_536,
    window_message_bytes: u32 = 64,
    max_gap: u64 = 1_000_000,
    gap_timeout_us: u64 = 500,
    line_timeout_ms: u64 = 3_000,
    rerequest: RawRerequest = RawRerequest::default(),
    snapshot: RawSnapshot = RawSnapshot::default(),
}}
table! { RawRerequest {
    enabled: bool = true,
    max_messages: u16 = 1_000,
    reply_timeout_ms: u64 = 20,
    retries: u32 = 5,
}}
table! { RawSnapshot {
    enabled: bool = true,
    username: String = "FIRE".into(),
    password_env: String = "FIRELANE_SNAPSHOT_PASSWORD".into(),
    timeout_ms: u64 = 2_000,
    retries: u32 = 5,
    retry_after_ms: u64 = 200,
    slow_retry_after_ms: u64 = 5_000,
    buffer_bytes: u32 = 65_537,
}}
table! { RawStream {
    instruments: u32 = 1_024,
    timeout_ms: u64 = 2_000,
    retries: u32 = 5,
    retry_after_ms: u64 = 200,
    slow_retry_after_ms: u64 = 5_000,
}}
table! { RawTrading {
    market: String = "Q".into(),
    mpid: String = String::new(),
    unknown_participant: String = "allow".into(),
    unknown_breaker_levels: String = "allow".into(),
    unknown_breaker: String = "allow".into(),
    unknown_ipo: String = "allow".into(),
    unknown_collar: String = "allow".into(),
    unknown_direct_listing: String = "allow".into(),
}}
table! { RawRisk {
    base_currency: String = "USD".into(),
    money_exponent: i8 = -4,
    orders_per_second: u32 = 10_000,
    burst: u32 = 256,
    duplicate_window_us: u64 = 0,
    cancel_repeat_ms: u64 = 500,
    max_total_open: u64 = 10_000_000,
    parents: u32 = 4_096,
    max_order_qty: i64 = 1_000,
    max_order_notional: u64 = 1_000_000,
    whole_lots: bool = false,
    max_position: i64 = 2_000,
    max_open: u64 = 5_000_000,
    collar_through_bps: u32 = 100,
    collar_behind_bps: u32 = 1_000,
    one_sided_book: String = "refuse".into(),
    empty_book: String = "refuse".into(),
    short: String = "located".into(),
    locates: i64 = 1_000_000,
    zero_cross: String = "split".into(),
    symbols: BTreeMap<String, RawSymbolRisk> = BTreeMap::new(),
}}
table! { RawSymbolRisk {
    max_order_qty: Option<i64> = None,
    max_order_notional: Option<u64> = None,
    max_position: Option<i64> = None,
    max_open: Option<u64> = None,
    short: Option<String> = None,
    locates: Option<i64> = None,
}}
table! { RawOrders {
    capacity: u32 = 1_024,
    retained: u32 = 4_096,
    fills: u32 = 65_536,
    request_timeout_ms: u64 = 1_000,
}}
table! { RawEntry {
    username: String = "FIRE".into(),
    password_env: String = "FIRELANE_ENTRY_PASSWORD".into(),
    firm: String = "FIRE".into(),
    capacity: String = "P".into(),
    display: String = "Y".into(),
    locate_broker: String = "FIRE".into(),
    appendage_lengths: bool = false,
    mass_cancel: bool = true,
    reconnect_delay_ms: u64 = 1_000,
    query_timeout_ms: u64 = 2_000,
    account: u16 = 1,
}}
table! { RawPolicy {
    cancel_when_stale: bool = true,
    cancel_when_untradable: bool = false,
    snapshot_on_fault: bool = true,
    stop_on_contradiction: bool = true,
    tape_tops: bool = true,
    tape_events: bool = false,
}}
table! { RawLog {
    effects: Effects = Effects::Bytes,
    ring_bytes: u32 = 33_554_432,
}}
table! { RawReplay {
    order_latency_ns: u64 = 5_000,
    answer_latency_ns: u64 = 5_000,
}}

fn optional<const N: usize>(key: &str, value: &str, allowed: &'static str) -> Result<Option<[u8; N]>, ConfigError> {
    if value.is_empty() { Ok(None) } else { padded(key, value, allowed).map(Some) }
}

const SHORT: [(&str, ShortSale); 3] =
    [("forbidden", ShortSale::Forbidden), ("located", ShortSale::Located), ("market-maker", ShortSale::MarketMaker)];
const SHORT_ALLOWED: &str = "\"forbidden\", \"located\" or \"market-maker\"";

impl Config {
    /// Reads and checks the configuration of a lane in which nothing trades. An empty text is the default one.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong: a table of a plug is one.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        Self::parse_with(text, &[])
    }

    /// The same of a program that has these plugs: the tables of all of them may be there, and are checked, whichever
    /// `wiring` names.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong.
    pub fn parse_with(text: &str, plugs: &[Plugged]) -> Result<Self, ConfigError> {
        let document: toml::Table = text.parse()?;
        if let Some(count) = lanes::count(&document) {
            let problem = format!("the document has {count} lanes, and one is needed here: only a run takes several");
            return Err(ConfigError::Lanes { key: "lane".to_owned(), problem });
        }
        let raw: Raw = toml::from_str(text)?;
        known_keys(document, plugs)?;
        let config = Self::checked(raw, text)?;
        plugs.iter().try_for_each(|plug| plug.check(text))?;
        Ok(config)
    }

    fn checked(raw: Raw, text: &str) -> Result<Self, ConfigError> {
        let instruments = raw.instruments.capacity;
        let (venues, net) = venues::of(&text.parse()?, instruments as usize)?;
        let listed = Listed::of(&raw.instruments.listed, &raw.instrument, &venues)?;
        if !(1..=65_535).contains(&instruments) || (instruments as usize) < listed.rows.len() {
            return Err(refuse("instruments.capacity", instruments, "1 to 65535, and no fewer than are listed"));
        }
        let risk = raw.risk.checked()?;
        let currencies = money::currencies(&raw.currency, &risk)?;
        money::check(&listed, &currencies, &risk)?;
        let risk_of = money::limits(&raw.risk, &listed, &currencies, &risk)?;
        let orders = OrdersConfig {
            capacity: raw.orders.capacity,
            retained: raw.orders.retained,
            fills: raw.orders.fills,
            instruments,
            venues: u8::try_from(venues.count()).unwrap_or(u8::MAX),
            first_id: 1,
            request_timeout: Nanos::from_millis(raw.orders.request_timeout_ms),
        };
        Ok(Config {
            lane: raw.lane.as_ref().map_or(Ok(LaneName::default()), RawLane::checked)?,
            venues,
            listed: listed.rows,
            of_levels: listed.of_levels,
            directory: raw.instruments.directory,
            instruments: instruments as usize,
            risk,
            currencies,
            risk_of,
            orders,
            tags: Tags { account: AccountId(raw.entry.account), strategy: StrategyId(1), ..Tags::default() },
            policy: Policy {
                cancel_when_stale: raw.policy.cancel_when_stale,
                cancel_when_untradable: raw.policy.cancel_when_untradable,
                snapshot_on_fault: raw.policy.snapshot_on_fault,
                stop_on_contradiction: raw.policy.stop_on_contradiction,
                tape_tops: raw.policy.tape_tops,
                tape_events: raw.policy.tape_events,
            },
            live: live::checked(net, &raw.threads, raw.log.ring_bytes, &raw.tape, &raw.control)?,
            effects: raw.log.effects,
            replay: ReplayConfig {
                order_latency: Nanos(raw.replay.order_latency_ns),
                answer_latency: Nanos(raw.replay.answer_latency_ns),
            },
            wiring: wiring(raw.wiring, &raw.strategies, &raw.signals)?,
            text: text.to_owned(),
        })
    }
}

/// What trades: by its name, or by the names of what it combines.
fn wiring(named: String, strategies: &[String], signals: &[String]) -> Result<String, ConfigError> {
    let combines = [("strategies", strategies), ("signals", signals)].into_iter().find(|(_, names)| !names.is_empty());
    match combines {
        Some((key, names)) if !named.is_empty() && named != MIX => {
            Err(refuse(key, format!("{names:?}"), "left out, unless wiring is \"mix\" or is left out, too"))
        }
        Some(_) => Ok(MIX.to_owned()),
        None => Ok(named),
    }
}

/// Are all keys at the top either the lane's own or tables of `plugs`?
fn known_keys(document: toml::Table, plugs: &[Plugged]) -> Result<(), ConfigError> {
    let own = plug::tables(plugs).into_iter().map(|table| table.name);
    let known: Vec<&str> = Raw::KEYS.iter().copied().chain(own).collect();
    match document.into_iter().find(|(key, _)| !known.contains(&key.as_str())) {
        Some((key, _)) if key == "firm" => {
            let allowed = "left out where there is no [[lane]]: the limits of a lane alone are those of its [risk]";
            Err(ConfigError::Limit { key, allowed })
        }
        Some((key, _)) => Err(ConfigError::Unknown { key, known: known.join(", ") }),
        None => Ok(()),
    }
}

impl RawBooks {
    fn checked(&self, instruments: usize) -> Result<BookCapacity, ConfigError> {
        for (key, value) in [("books.orders", self.orders), ("books.levels", self.levels)] {
            if !(16..=1 << 28).contains(&value) {
                return Err(refuse(key, value, "16 to 268435456"));
            }
        }
        if !(1..=1 << 24).contains(&self.own) {
            return Err(refuse("books.own", self.own, "1 to 16777216"));
        }
        let [orders, levels, own] = [self.orders, self.levels, self.own].map(|n| n as usize);
        Ok(BookCapacity { instruments, orders, levels, own })
    }
}

impl RawStream {
    /// And the highest number that it may give an instrument.
    fn checked(&self) -> Result<(StreamConfig, usize), ConfigError> {
        let instruments = within("stream.instruments", self.instruments, 1..=1_000_000, "1 to 1000000")?;
        let config = StreamConfig {
            timeout: Nanos::from_millis(self.timeout_ms),
            retries: self.retries,
            retry_after: Nanos::from_millis(self.retry_after_ms),
            slow_retry_after: Nanos::from_millis(self.slow_retry_after_ms),
        };
        config.check().map_err(|e| {
            // As the keys are called here, with their unit.
            let unit = if e.field == "stream.retries" { "" } else { "_ms" };
            ConfigError::Limit { key: format!("{}{unit}", e.field), allowed: e.allowed }
        })?;
        Ok((config, instruments as usize))
    }
}

impl RawFeed {
    fn checked(&self) -> Result<FeedConfig, ConfigError> {
        let start = word(
            "feed.start",
            &self.start,
            &[("first", Start::First), ("snapshot", Start::Snapshot), ("next", Start::Next)],
            "\"first\", \"snapshot\" or \"next\"",
        )?;
        let (r, s) = (&self.rerequest, &self.snapshot);
        let snapshot = SnapshotConfig {
            username: padded("feed.snapshot.username", &s.username, "at most six printable characters")?,
            password: Password(NO_PASSWORD),
            timeout: Nanos::from_millis(s.timeout_ms),
            retries: s.retries,
            retry_after: Nanos::from_millis(s.retry_after_ms),
            slow_retry_after: Nanos::from_millis(s.slow_retry_after_ms),
            buffer_bytes: s.buffer_bytes as usize,
        };
        let config = FeedConfig {
            session: optional("feed.session", &self.session, "at most ten printable characters")?,
            start,
            lines: self.lines,
            window_messages: self.window_messages as usize,
            window_message_bytes: self.window_message_bytes as usize,
            max_gap: self.max_gap,
            gap_timeout: Nanos::from_micros(self.gap_timeout_us),
            line_timeout: Nanos::from_millis(self.line_timeout_ms),
            rerequest: RerequestConfig {
                enabled: r.enabled,
                max_messages: r.max_messages,
                reply_timeout: Nanos::from_millis(r.reply_timeout_ms),
                retries: r.retries,
            },
            snapshot: s.enabled.then_some(snapshot),
        };
        config.check().map_err(|e| ConfigError::Limit { key: format!("feed.{}", e.field), allowed: e.allowed })?;
        Ok(config)
    }
}

impl RawTrading {
    fn checked(&self) -> Result<TradingConfig, ConfigError> {
        let unknown = |key: &str, value: &str| {
            let words = [("allow", UnknownState::Allow), ("block", UnknownState::Block)];
            word(key, value, &words, "\"allow\" or \"block\"")
        };
        Ok(TradingConfig {
            market: word(
                "trading.market",
                &self.market,
                &[("Q", b'Q'), ("B", b'B'), ("X", b'X')],
                "\"Q\" (Nasdaq), \"B\" (BX) or \"X\" (PSX)",
            )?,
            mpid: optional("trading.mpid", &self.mpid, "at most four printable characters")?,
            unknown: [
                unknown("trading.unknown_participant", &self.unknown_participant)?,
                unknown("trading.unknown_breaker_levels", &self.unknown_breaker_levels)?,
                unknown("trading.unknown_breaker", &self.unknown_breaker)?,
                unknown("trading.unknown_ipo", &self.unknown_ipo)?,
                unknown("trading.unknown_collar", &self.unknown_collar)?,
                unknown("trading.unknown_direct_listing", &self.unknown_direct_listing)?,
            ],
        })
    }
}

impl RawRisk {
    fn checked(&self) -> Result<RiskLimits, ConfigError> {
        let refuse_or_pass = "\"refuse\" or \"pass\"";
        // Before anything is reckoned with it; the limits check it again.
        let exponent = self.money_exponent;
        OutOfRange::unless((-18..=0).contains(&exponent), "risk.money_exponent", "-18 to 0")?;
        let whole = |amount: u64| money::amount(amount, exponent);
        let limits = RiskLimits {
            currency: instruments::currency("risk.base_currency", &self.base_currency)?,
            exponent,
            orders_per_second: self.orders_per_second,
            burst: self.burst,
            duplicate_window: Nanos::from_micros(self.duplicate_window_us),
            cancel_repeat: Nanos::from_millis(self.cancel_repeat_ms),
            max_total_open: whole(self.max_total_open),
            parents: self.parents,
            each: InstrumentLimits {
                max_order_qty: Qty(self.max_order_qty),
                money: MoneyIn::Base,
                max_order_notional: whole(self.max_order_notional),
                whole_lots: self.whole_lots,
                max_position: Qty(self.max_position),
                max_open: whole(self.max_open),
                collar: PriceCollar {
                    through: Distance { bps: Some(self.collar_through_bps), ticks: None },
                    behind: Distance { bps: Some(self.collar_behind_bps), ticks: None },
                    one_sided: word(
                        "risk.one_sided_book",
                        &self.one_sided_book,
                        &[("refuse", OneSided::Refuse), ("use-other", OneSided::UseOther), ("pass", OneSided::Pass)],
                        "\"refuse\", \"use-other\" or \"pass\"",
                    )?,
                    empty: word(
                        "risk.empty_book",
                        &self.empty_book,
                        &[("refuse", EmptyBook::Refuse), ("pass", EmptyBook::Pass)],
                        refuse_or_pass,
                    )?,
                },
                short: word("risk.short", &self.short, &SHORT, SHORT_ALLOWED)?,
                locates: Qty(self.locates),
                zero_cross: word(
                    "risk.zero_cross",
                    &self.zero_cross,
                    &[("split", ZeroCross::Split), ("refuse", ZeroCross::Refuse)],
                    "\"split\" or \"refuse\"",
                )?,
            },
        };
        limits.check()?;
        Ok(limits)
    }
}

impl RawEntry {
    fn checked(&self) -> Result<OuchConfig, ConfigError> {
        let username = padded("entry.username", &self.username, "at most six printable characters")?;
        let letter = |key: &str, text: &str, allowed: &'static str| match text.as_bytes() {
            [one] => Ok(*one),
            _ => Err(refuse(key, format!("{text:?}"), allowed)),
        };
        let four = "four capital letters, or empty";
        Ok(OuchConfig {
            firm: optional("entry.firm", &self.firm, four)?,
            capacity: Capacity(letter("entry.capacity", &self.capacity, "\"A\", \"P\", \"R\" or \"O\"")?),
            display: Display(letter("entry.display", &self.display, "\"Y\", \"N\" or \"A\"")?),
            locate_broker: optional("entry.locate_broker", &self.locate_broker, four)?,
            appendage_lengths: self.appendage_lengths,
            mass_cancel: self.mass_cancel,
            reconnect_delay: Nanos::from_millis(self.reconnect_delay_ms),
            query_timeout: Nanos::from_millis(self.query_timeout_ms),
            ..OuchConfig::new(ClientConfig::new(username, Password(NO_PASSWORD)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_default_with_every_key_written_out() {
        let sample: Raw = toml::from_str(SAMPLE).unwrap();
        assert_eq!(sample, Raw { day: sample.day, ..Raw::default() });
        let written: toml::Table = SAMPLE.parse().unwrap();
        let keys: usize = written.values().map(|v| v.as_table().map_or(1, toml::Table::len)).sum();
        assert!(keys >= 70, "{keys} keys: has one been forgotten in the sample?");
        Config::parse(SAMPLE).unwrap();
        Config::parse("").unwrap();
    }

    #[test]
    fn an_error_names_the_key_and_the_range() {
        for (text, key, allowed) in [
            ("[feed]\nlines = 3", "feed.lines", "1 or 2"),
            ("utc_offset_minutes = -721", "utc_offset_minutes", "-720 to 840"),
            ("utc_offset_minutes = 841", "utc_offset_minutes", "-720 to 840"),
            ("[risk]\nburst = 0", "risk.burst", "1 to 4096"),
            ("[books]\norders = 1", "books.orders", "16 to 268435456"),
            ("[instruments]\nlisted = [\"TOO LONG\"]", "instruments.listed", "one to eight"),
            ("[risk.symbols.AAPL]\nmax_order_qty = 0", "risk.symbols.AAPL.max_order_qty", "1 to 2^40"),
            ("[entry]\nusername = \"SEVENCH\"", "entry.username", "at most six"),
            ("nonsense = 1", "nonsense", "expected one of"),
            ("[feed]\nline = 3", "line", "expected one of"),
            ("[stream]\ninstruments = 0", "stream.instruments", "1 to 1000000"),
            ("[stream]\nretries = 1001", "stream.retries", "0 to 1000"),
            ("[stream]\ntimeout_ms = 0", "stream.timeout_ms", "more than 0"),
            ("[stream]\nretry_after_ms = 0", "stream.retry_after_ms", "more than 0"),
            ("[stream]\nretry_after_ms = 5001", "stream.slow_retry_after_ms", "at least stream.retry_after"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(allowed), "{text:?} gives {error:?}");
        }
    }
}
