//! The file of a detector: which network, what it hears, by which clock, and what its neurons mean.
//!
//! TOML; `docs/spikes.md` explains every key. A detector's document holds its network, so that it stands alone in the log of a
//! lane; its file may name another file instead, which [`whole`] puts in its place.

use super::encoder::{Feature, What};
use crate::spikes::device::Fault;
use crate::spikes::encode::{Delta, Rate};
use crate::spikes::golden::{Golden, GoldenError};
use crate::spikes::network::Source;
use crate::spikes::program::{Program, Refused, Rules};
use serde::Deserialize;
use std::sync::Arc;
use thiserror::Error;

/// What is wrong with a detector's file.
#[derive(Debug, Error)]
pub enum DetectorError {
    /// No TOML, in which line; or a key that is not known, or a value of another kind. The lines themselves are left out: they may be long.
    #[error("{0}")]
    Toml(String),
    /// A value that can't be.
    #[error("{key}: {text}")]
    Key {
        /// The key, with its table.
        key: String,
        /// What is wrong with it, and what to do.
        text: String,
    },
    /// The network can't be read.
    #[error("network: {0}")]
    Network(GoldenError),
    /// It can be read and is no program: the gateway's networks are run by the schedule `cascade`, and must not overflow.
    #[error("network: {0}")]
    Refused(#[from] Refused),
    /// The device failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<toml::de::Error> for DetectorError {
    fn from(mut error: toml::de::Error) -> Self {
        // Without the text it names the key.
        error.set_input(None);
        DetectorError::Toml(error.to_string().trim_end().replace('\n', " "))
    }
}

fn wrong(key: impl Into<String>, text: impl Into<String>) -> DetectorError {
    DetectorError::Key { key: key.into(), text: text.into() }
}

/// What makes a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Time {
    /// Each event of the instrument's book.
    Event,
    /// So many nanoseconds of exchange time: events of one share a step, which is taken once the next event is of a later one.
    Dt(u64),
}

/// Address events: for each kind of event, side, level and size one unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// The input, by its number in the program.
    pub input: u16,
    /// Kinds of events that have units, in their order.
    pub kinds: Vec<What>,
    /// Are bids and asks told apart?
    pub sides: bool,
    /// Levels from the best on that have units of their own; what is deeper shares one more.
    pub levels: u16,
    /// Where the next bucket of sizes begins, ascending: one more bucket than there are bounds.
    pub sizes: Vec<i64>,
}

impl Address {
    /// How many units there are.
    #[must_use]
    pub fn units(&self) -> usize {
        self.kinds.len() * (1 + usize::from(self.sides)) * (usize::from(self.levels) + 1) * (self.sizes.len() + 1)
    }
}

/// How a value becomes spikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coding {
    /// Delta modulation: one unit fires as the value rises by the threshold, the next one as it falls.
    Delta {
        /// By how much.
        threshold: i64,
        /// Is the spike's value what was moved, and not 1?
        graded: bool,
    },
    /// Rate coding: each of these units fires in a part of all steps, none at `low` and all at `high`.
    Rate {
        /// How many units.
        units: u16,
        /// The value at which none fires.
        low: i64,
        /// The value at which all do.
        high: i64,
    },
}

/// A value of the book that is followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Channel {
    /// Which.
    pub of: Feature,
    /// The input, by its number in the program.
    pub input: u16,
    /// Its first unit.
    pub unit: u16,
    /// How.
    pub coding: Coding,
}

/// What a neuron's spike means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alert {
    /// What people call it.
    pub name: String,
    /// The population, by its number in the program.
    pub population: u16,
    /// The neuron.
    pub unit: u16,
    /// Are new orders in the instrument withheld after it?
    pub gates: bool,
    /// For how long: nanoseconds of exchange time.
    pub hold: u64,
    /// Spikes within so many steps of one that was told of are part of it, and are not told of.
    pub merge: u64,
}

/// A detector's file, checked, with its program.
#[derive(Clone, Debug)]
pub struct Settings {
    pub(super) name: String,
    pub(super) program: Arc<Program>,
    pub(super) time: Time,
    pub(super) catch_up: u64,
    pub(super) warm_up: u64,
    pub(super) copies: usize,
    pub(super) seed: u64,
    pub(super) address: Option<Address>,
    pub(super) channels: Vec<Channel>,
    pub(super) alerts: Vec<Alert>,
}

/// The most channels of a detector.
pub const CHANNELS: usize = 8;
/// The most alerts of a detector.
pub const ALERTS: usize = 32;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    name: String,
    network: String,
    time: String,
    dt_us: Option<u64>,
    catch_up: Option<u64>,
    #[serde(default)]
    warm_up: u64,
    copies: Option<u64>,
    #[serde(default)]
    seed: u64,
    address: Option<RawAddress>,
    #[serde(default)]
    delta: Vec<RawDelta>,
    #[serde(default)]
    rate: Vec<RawRate>,
    #[serde(default)]
    alert: Vec<RawAlert>,
}

fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAddress {
    input: String,
    kinds: Vec<String>,
    #[serde(default = "yes")]
    sides: bool,
    #[serde(default)]
    levels: u64,
    #[serde(default)]
    sizes: Vec<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDelta {
    of: String,
    input: String,
    #[serde(default)]
    unit: u64,
    threshold: i64,
    #[serde(default)]
    graded: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRate {
    of: String,
    input: String,
    #[serde(default)]
    unit: u64,
    units: u64,
    low: i64,
    high: i64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAlert {
    name: String,
    population: String,
    #[serde(default)]
    unit: u64,
    #[serde(default)]
    gates: bool,
    hold_ms: Option<u64>,
    #[serde(default)]
    merge: u64,
}

/// A detector's file with its network in it: what `read` gives for the name that stands there, unless the network does already. Inputs
/// and traces that the network's file may have are left out.
///
/// # Errors
/// [`DetectorError`], naming the key.
pub fn whole(text: &str, read: impl FnOnce(&str) -> std::io::Result<String>) -> Result<String, DetectorError> {
    let mut document: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        DetectorError::Toml(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })?;
    let named = match document.get("network") {
        Some(toml::Value::String(network)) if !network.trim_start().starts_with('{') => network.clone(),
        // What is no text is refused by whoever reads it.
        _ => return Ok(text.to_owned()),
    };
    let json = read(&named).map_err(|error| wrong("network", format!("{named}: {error}")))?;
    let mut network: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(&json).map_err(|error| DetectorError::Network(error.into()))?;
    network.retain(|key, _| ["name", "populations", "connections"].contains(&key.as_str()));
    let network = serde_json::Value::Object(network).to_string();
    document.insert("network".to_owned(), toml::Value::String(network));
    Ok(document.to_string())
}

/// A number within its limits.
fn within(key: &str, value: u64, low: u64, high: u64) -> Result<u64, DetectorError> {
    if (low..=high).contains(&value) {
        return Ok(value);
    }
    Err(wrong(key, format!("is {value}; it must be {low} to {high}")))
}

impl Settings {
    /// Reads a detector's document, with its network.
    ///
    /// # Errors
    /// [`DetectorError`], naming the key that is wrong.
    pub fn parse(text: &str) -> Result<Self, DetectorError> {
        let raw: Raw = toml::from_str(text)?;
        if !raw.network.trim_start().starts_with('{') {
            let text = format!("is {:?}; the network itself must stand here: its file's JSON", raw.network);
            return Err(wrong("network", text));
        }
        let golden = Golden::parse(&raw.network).map_err(DetectorError::Network)?;
        let program = Program::check(golden.network(), &Rules::default())?;
        let time = time(&raw)?;
        let catch_up = within("catch_up", raw.catch_up.unwrap_or(1_000), 0, 1_000_000)?;
        let address = raw.address.as_ref().map(|raw| address(raw, &program)).transpose()?;
        let channels = channels(&raw, &program)?;
        if address.is_none() && channels.is_empty() {
            return Err(wrong(
                "address",
                "is missing, and there is no [[delta]] and no [[rate]]: the network would hear nothing",
            ));
        }
        Ok(Settings {
            name: if raw.name.is_empty() { program.name().to_owned() } else { raw.name.clone() },
            time,
            catch_up,
            warm_up: within("warm_up", raw.warm_up, 0, 1_000_000_000)?,
            copies: within("copies", raw.copies.unwrap_or(64), 1, 65_535)? as usize,
            seed: raw.seed,
            alerts: alerts(&raw, &program)?,
            address,
            channels,
            program: Arc::new(program),
        })
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its network.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// What makes a step.
    #[must_use]
    pub fn time(&self) -> Time {
        self.time
    }

    /// Steps of a silence that are taken, at most.
    #[must_use]
    pub fn catch_up(&self) -> u64 {
        self.catch_up
    }

    /// Steps from a start on in which it raises no alert.
    #[must_use]
    pub fn warm_up(&self) -> u64 {
        self.warm_up
    }

    /// For how many instruments it has a network.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.copies
    }

    /// What its neurons mean, in the order of their codes, from 1 on.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// Its address events, if it hears any.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// The values that it follows.
    #[must_use]
    pub fn channels(&self) -> &[Channel] {
        &self.channels
    }
}

fn time(raw: &Raw) -> Result<Time, DetectorError> {
    match (raw.time.as_str(), raw.dt_us) {
        ("event", None) => Ok(Time::Event),
        ("event", Some(_)) => Err(wrong("dt_us", "is of time = \"dt\"; leave it out, or change time")),
        ("dt", Some(us)) => Ok(Time::Dt(within("dt_us", us, 1, 60_000_000)? * 1_000)),
        ("dt", None) => Err(wrong("dt_us", "is missing: say how many microseconds a step is, 1 to 60000000")),
        (other, _) => Err(wrong("time", format!("is {other:?}; it must be \"event\" or \"dt\""))),
    }
}

/// An input of the program, and how many units it has.
fn input(key: &str, name: &str, program: &Program) -> Result<(u16, usize), DetectorError> {
    let found = program.inputs().iter().position(|(id, _)| id == name);
    let at = found.ok_or_else(|| {
        let names: Vec<&str> = program.inputs().iter().map(|(id, _)| id.as_str()).collect();
        wrong(key, format!("is {name:?}; the network's inputs are {}", names.join(", ")))
    })?;
    Ok((at as u16, program.inputs()[at].1))
}

/// Are weights multiplied by the values of an input's events?
fn multiplies(input: u16, program: &Program) -> bool {
    let source = Source::Input(usize::from(input));
    program.synapses().iter().any(|synapses| synapses.source == source && synapses.graded)
}

/// Are there units `first` to `first + count - 1`?
fn units(key: &str, name: &str, has: usize, first: u64, count: u64) -> Result<u16, DetectorError> {
    if first.saturating_add(count) <= has as u64 {
        return Ok(first as u16);
    }
    let last = first.saturating_add(count).saturating_sub(1);
    Err(wrong(key, format!("takes units {first} to {last}; the input {name:?} has {has}, numbered from 0")))
}

fn address(raw: &RawAddress, program: &Program) -> Result<Address, DetectorError> {
    let (input, has) = input("address.input", &raw.input, program)?;
    let mut kinds: Vec<What> = Vec::new();
    for name in &raw.kinds {
        let Some(what) = What::ALL.into_iter().find(|what| what.word() == name) else {
            let known = What::ALL.map(What::word).join(", ");
            return Err(wrong("address.kinds", format!("has {name:?}; there are: {known}")));
        };
        if kinds.contains(&what) {
            return Err(wrong("address.kinds", format!("has {name:?} twice; name each once")));
        }
        kinds.push(what);
    }
    if kinds.is_empty() {
        return Err(wrong(
            "address.kinds",
            format!("is empty; name some of: {}", What::ALL.map(What::word).join(", ")),
        ));
    }
    let levels = within("address.levels", raw.levels, 0, 16)? as u16;
    if raw.sizes.len() > 15 || raw.sizes.iter().any(|size| *size < 1) || !raw.sizes.is_sorted_by(|a, b| a < b) {
        return Err(wrong("address.sizes", "must be at most 15 sizes, each positive and larger than the one before"));
    }
    let address = Address { input, kinds, sides: raw.sides, levels, sizes: raw.sizes.clone() };
    if address.units() != has {
        let (kinds, sides, sizes) = (address.kinds.len(), 1 + usize::from(raw.sides), address.sizes.len() + 1);
        let text = format!(
            "makes {} units ({kinds} kinds x {sides} sides x {} levels x {sizes} sizes); the input {:?} has {has}: they must be as \
             many",
            address.units(),
            levels + 1,
            raw.input
        );
        return Err(wrong("address", text));
    }
    Ok(address)
}

fn feature(key: &str, name: &str) -> Result<Feature, DetectorError> {
    Feature::ALL.into_iter().find(|one| one.word() == name).ok_or_else(|| {
        wrong(key, format!("is {name:?}; it must be one of {}", Feature::ALL.map(Feature::word).join(", ")))
    })
}

fn channels(raw: &Raw, program: &Program) -> Result<Vec<Channel>, DetectorError> {
    let mut channels = Vec::new();
    for (n, one) in raw.delta.iter().enumerate() {
        let key = |of: &str| format!("delta[{n}].{of}");
        let (input, has) = input(&key("input"), &one.input, program)?;
        let unit = units(&key("unit"), &one.input, has, one.unit, 2)?;
        if !(1..=Delta::MOST).contains(&one.threshold) {
            return Err(wrong(key("threshold"), format!("is {}; it must be 1 to 2^40", one.threshold)));
        }
        if one.graded && !multiplies(input, program) {
            let text = format!(
                "is true, and the connections of the input {:?} have num_message_bits = 0: their spikes have no values",
                one.input
            );
            return Err(wrong(key("graded"), text));
        }
        let coding = Coding::Delta { threshold: one.threshold, graded: one.graded };
        channels.push(Channel { of: feature(&key("of"), &one.of)?, input, unit, coding });
    }
    for (n, one) in raw.rate.iter().enumerate() {
        let key = |of: &str| format!("rate[{n}].{of}");
        let (input, has) = input(&key("input"), &one.input, program)?;
        let count = within(&key("units"), one.units, 1, 256)?;
        let unit = units(&key("unit"), &one.input, has, one.unit, count)?;
        let most = 1_i64 << 40;
        if one.low >= one.high || one.low < -most || one.high > most {
            return Err(wrong(key("high"), "must be larger than low, and both within 2^40 of 0"));
        }
        let coding = Coding::Rate { units: count as u16, low: one.low, high: one.high };
        channels.push(Channel { of: feature(&key("of"), &one.of)?, input, unit, coding });
    }
    if channels.len() > CHANNELS {
        let text = format!("and rate together are {} tables; at most {CHANNELS}", channels.len());
        return Err(wrong("delta", text));
    }
    Ok(channels)
}

fn alerts(raw: &Raw, program: &Program) -> Result<Vec<Alert>, DetectorError> {
    let mut alerts: Vec<Alert> = Vec::new();
    for (n, one) in raw.alert.iter().enumerate() {
        let key = |of: &str| format!("alert[{n}].{of}");
        if one.name.is_empty() || alerts.iter().any(|other| other.name == one.name) {
            return Err(wrong(key("name"), format!("is {:?}; each alert needs a name of its own", one.name)));
        }
        let Some(at) = program.cells().iter().position(|cells| cells.id == one.population) else {
            let names: Vec<&str> = program.cells().iter().map(|cells| cells.id.as_str()).collect();
            let text = format!("is {:?}; the network's populations are {}", one.population, names.join(", "));
            return Err(wrong(key("population"), text));
        };
        let has = program.cells()[at].n as u64;
        let unit = within(&key("unit"), one.unit, 0, has.saturating_sub(1))? as u16;
        if alerts.iter().any(|other| (usize::from(other.population), other.unit) == (at, unit)) {
            return Err(wrong(key("unit"), format!("is {unit}, which another alert has: a neuron means one thing")));
        }
        if one.hold_ms.is_some() && !one.gates {
            return Err(wrong(key("hold_ms"), "is of gates = true; leave it out, or change gates"));
        }
        let hold = within(&key("hold_ms"), one.hold_ms.unwrap_or(100), 1, 3_600_000)? * 1_000_000;
        let merge = within(&key("merge"), one.merge, 0, 1_000_000_000)?;
        let (name, population) = (one.name.clone(), at as u16);
        alerts.push(Alert { name, population, unit, gates: one.gates, hold, merge });
    }
    match alerts.len() {
        0 => Err(wrong("alert", "is missing: say with [[alert]] which neuron means what")),
        1..=ALERTS => Ok(alerts),
        many => Err(wrong("alert", format!("has {many} tables; at most {ALERTS}"))),
    }
}

/// What fires in every step.
pub(super) const ALWAYS: i64 = Rate::ALWAYS as i64;
