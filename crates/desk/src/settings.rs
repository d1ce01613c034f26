//! Configurations as files: read, with what `--set` says in place of what stands there, and all that is wrong said at once.

mod spans;

use crate::cli::dash;
use crate::nearest::nearest;
use crate::wirings;
use anyhow::{Context, Result, anyhow, bail};
use firelane_gateway::base::OutOfRange;
use firelane_gateway::shell::config::{
    CURRENCY_KEYS, Config, ConfigError, FIRM_KEYS, Fleet, INSTRUMENT_KEYS, VENUE_KEYS, VenueKind,
};
use firelane_gateway::shell::plug::BuildError;
use firelane_sim::server::{self, VenueConfig};
use spans::Spans;
use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use toml::{Table, Value};

/// No configuration has so much wrong with it that is worth a line.
const MOST: usize = 100;

/// So many are shown of a configuration that keeps a command from starting.
const SHOWN: usize = 10;

/// Whose configuration it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Of `firelane run`, `demo` and `replay`.
    Gateway,
    /// Of `firelane venue`.
    Venue,
}

impl Role {
    /// Told by the tables that there are. One that could be either is a gateway's.
    pub(crate) fn of(text: &str) -> Self {
        if Role::Venue.keys_in(text) > Role::Gateway.keys_in(text) { Role::Venue } else { Role::Gateway }
    }

    /// How many of the keys at the top are known to it.
    fn keys_in(self, text: &str) -> usize {
        let Ok(table) = text.parse::<Table>() else { return 0 };
        let known = self.known();
        table.keys().filter(|key| known.contains_key(*key)).count()
    }

    fn other(self) -> Self {
        match self {
            Role::Gateway => Role::Venue,
            Role::Venue => Role::Gateway,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Role::Gateway => "gateway",
            Role::Venue => "venue",
        }
    }

    /// Every key that there is, in its table: the sample has all that have a default.
    fn known(self) -> Table {
        let (sample, more): (_, &[(&str, &str)]) = match self {
            Role::Gateway => (
                wirings::sample(),
                &[("", "day"), ("", "instrument"), ("", "currency"), ("", "venue"), ("", "lane"), ("", "firm")],
            ),
            Role::Venue => (server::SAMPLE.to_owned(), &[("market", "day")]),
        };
        let mut table: Table = sample.parse().unwrap_or_default();
        for (within, key) in more {
            let into =
                if within.is_empty() { Some(&mut table) } else { table.get_mut(*within).and_then(Value::as_table_mut) };
            into.map(|into| into.insert((*key).to_owned(), Value::String(String::new())));
        }
        table
    }

    /// The keys of a table; for those of single symbols, the keys that a symbol may have.
    fn keys_of(self, path: &[String]) -> Vec<String> {
        const OF_SYMBOL: [&str; 6] =
            ["max_order_qty", "max_order_notional", "max_position", "max_open", "short", "locates"];
        if let [risk, symbols, _] = path
            && risk == "risk"
            && symbols == "symbols"
        {
            return OF_SYMBOL.map(str::to_owned).to_vec();
        }
        let table = path.first().and_then(|first| first.split('[').next());
        match (table, path) {
            (Some("instrument"), [_]) => return INSTRUMENT_KEYS.map(str::to_owned).to_vec(),
            (Some("instrument"), [_, risk]) if risk == "risk" => return OF_SYMBOL.map(str::to_owned).to_vec(),
            (Some("venue"), [_]) => return VENUE_KEYS.map(str::to_owned).to_vec(),
            // A table of a venue's is one at the top.
            (Some("venue"), [_, own @ ..]) => return self.keys_of(own),
            (Some("currency"), [_]) => return CURRENCY_KEYS.map(str::to_owned).to_vec(),
            (Some("firm"), [_]) => return FIRM_KEYS.map(str::to_owned).to_vec(),
            // A row has whatever a document has, and its name.
            (Some("lane"), [_, within @ ..]) => {
                let mut keys = self.keys_of(within);
                keys.extend(within.is_empty().then(|| "name".to_owned()));
                return keys;
            }
            _ => {}
        }
        let known = self.known();
        let mut at = Some(&known);
        for part in path {
            let name = part.split('[').next().unwrap_or(part);
            at = at.and_then(|table| match table.get(name) {
                Some(Value::Array(tables)) => tables.first().and_then(Value::as_table),
                other => other.and_then(Value::as_table),
            });
        }
        at.map_or(Vec::new(), |table| table.keys().cloned().collect())
    }

    fn parse(self, text: &str) -> Result<(), ConfigError> {
        match self {
            Role::Gateway => wirings::fleet(text).map(|_| ()),
            Role::Venue => VenueConfig::parse(text).map(|_| ()),
        }
    }
}

/// `--set KEY=VALUE`.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Set {
    key: String,
    value: Value,
}

/// The settings of a command line, with a detector's file among them.
pub(crate) fn watched(sets: &[Set], detector: Option<&Path>) -> Vec<Set> {
    let file =
        detector.map(|file| Set { key: "detector.file".to_owned(), value: Value::String(file.display().to_string()) });
    sets.iter().cloned().chain(file).collect()
}

impl FromStr for Set {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be KEY=VALUE with the key's table, as in taker.size=100".to_owned();
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        let (key, value) = (key.trim(), value.trim());
        if path_of(key).is_none() {
            return Err(wrong());
        }
        // What is no value of TOML is meant as a text: wiring=listener needs no quotes.
        let read = format!("value = {value}").parse::<Table>().ok().and_then(|mut table| table.remove("value"));
        Ok(Set { key: key.to_owned(), value: read.unwrap_or_else(|| Value::String(value.to_owned())) })
    }
}

/// The tables and the key that a dotted name goes through; `None`: it is none.
fn path_of(key: &str) -> Option<Vec<String>> {
    // A number in brackets is of ours, not TOML's.
    let bare = key.split('.').map(|part| part.split('[').next().unwrap_or(part)).collect::<Vec<_>>().join(".");
    let index = key.split('.').next().and_then(|first| first.split_once('[')).map(|(_, index)| format!("[{index}"));
    let mut table = format!("{bare} = 0").parse::<Table>().ok()?;
    let mut path = Vec::new();
    loop {
        let (name, value) = table.into_iter().next()?;
        path.push(name);
        match value {
            Value::Table(next) => table = next,
            _ => break,
        }
    }
    if let Some(index) = index {
        path[0].push_str(&index);
    }
    Some(path)
}

/// A configuration: what counts, and what people know of it.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// With the settings in it.
    text: String,
    /// As it stands in the file: its lines are those that are named.
    file: String,
    /// The keys that were set.
    set: Vec<Vec<String>>,
}

impl Written {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// What is wrong with a key, said of where it stands: in the file, or in a setting.
    fn problem(&self, at: &Spans, key: Option<&Vec<String>>, text: String) -> Problem {
        let Some(key) = key else { return Problem { line: None, text } };
        let line = at.line(&self.file, key);
        // The table of a key that is not in the file was set with it.
        if self.set.iter().any(|set| set == key || (line.is_none() && set.starts_with(key))) {
            return Problem { line: None, text: format!("--set {text}") };
        }
        Problem { line, text }
    }
}

impl From<&str> for Written {
    fn from(text: &str) -> Self {
        Written { text: text.to_owned(), file: text.to_owned(), set: Vec::new() }
    }
}

/// `text` with the settings in it. Untouched where there are none.
fn with_settings(text: &str, sets: &[Set]) -> Result<Written> {
    let mut written = Written::from(text);
    // What is no TOML is said of the file itself.
    let Ok(mut table) = text.parse::<Table>() else { return Ok(written) };
    for set in sets {
        let name = || format!("--set {}", set.key);
        let path = path_of(&set.key).with_context(name)?;
        let (last, tables) = path.split_last().with_context(name)?;
        let mut at = &mut table;
        for part in tables {
            at = enter(at, part).with_context(name)?;
        }
        at.insert(last.clone(), set.value.clone());
        written.set.push(path);
    }
    let read = documents(&mut table)?;
    if !sets.is_empty() || read {
        written.text = table.to_string();
    }
    Ok(written)
}

/// Reads what a table's file says.
type ReadDocument = fn(&Path) -> Result<String>;

/// Tables that name a file which is part of the configuration, and what is read from it.
const DOCUMENTS: [(&str, ReadDocument); 2] =
    [("detector", crate::detector::document_of), ("portfolio", crate::rebalance::document_of)];

/// Puts what such a file says in the place of its name, so that a log stands alone: in the tables of a document of one lane, or of each
/// lane. True: something was put in.
pub(crate) fn documents(document: &mut Table) -> Result<bool> {
    let mut changed = false;
    for (name, value) in document.iter_mut() {
        match (value, DOCUMENTS.iter().find(|(table, _)| table == name)) {
            (Value::Table(table), Some((_, read))) => changed |= read_document(name, table, *read)?,
            (Value::Array(rows), _) if name == "lane" => {
                for row in rows.iter_mut().filter_map(Value::as_table_mut) {
                    changed |= documents(row)?;
                }
            }
            _ => {}
        }
    }
    Ok(changed)
}

fn read_document(name: &str, table: &mut Table, read: ReadDocument) -> Result<bool> {
    let Some(Value::String(file)) = table.get("file") else { return Ok(false) };
    let file = PathBuf::from(file);
    if file.as_os_str().is_empty() {
        return Ok(false);
    }
    if table.get("document").and_then(Value::as_str).is_some_and(|document| !document.is_empty()) {
        bail!("{name}.file: is there, and so is {name}.document: leave one of them out");
    }
    let document = read(&file).with_context(|| format!("{name}.file {}", file.display()))?;
    table.remove("file");
    table.insert("document".to_owned(), Value::String(document));
    Ok(true)
}

fn enter<'a>(table: &'a mut Table, part: &str) -> Result<&'a mut Table> {
    let (name, index) = match part.split_once('[') {
        Some((name, index)) => (name, Some(index.trim_end_matches(']').parse::<usize>().context("which one?")?)),
        None => (part, None),
    };
    let many = ["port", "venue", "instrument", "currency", "lane"].contains(&name);
    let empty = || if many { Value::Array(vec![Table::new().into()]) } else { Table::new().into() };
    match table.entry(name).or_insert_with(empty) {
        Value::Table(table) => Ok(table),
        Value::Array(tables) => {
            let count = tables.len();
            if index.is_none() && count != 1 {
                bail!("there are {count} of {name}: say which one, as in {name}[0]");
            }
            let one = tables.get_mut(index.unwrap_or(0)).and_then(Value::as_table_mut);
            one.with_context(|| format!("there are {count} of {name}, the first is {name}[0]"))
        }
        _ => bail!("{name} is no table"),
    }
}

/// One thing that is wrong with a configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// Where the key stands in the file, if it does.
    pub(crate) line: Option<usize>,
    /// What is wrong, key first.
    pub(crate) text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        f.write_str(&self.text)
    }
}

/// All that is wrong with a configuration: each key that is refused is taken out, and the rest looked at again. `more` says
/// what else refuses it, once it can be read.
pub(crate) fn problems(config: &Written, role: Role, more: impl Fn(&str) -> Result<(), anyhow::Error>) -> Vec<Problem> {
    let Written { text, file, .. } = config;
    let at = Spans::of(file);
    let mut found: Vec<Problem> = Vec::new();
    if !at.errors.is_empty() {
        let line = |at: usize| file[..at.min(file.len())].matches('\n').count() + 1;
        found.extend(
            at.errors
                .iter()
                .take(MOST)
                .map(|(at, message)| Problem { line: Some(line(*at)), text: message.trim().replace('\n', ", ") }),
        );
        return found;
    }
    let Ok(mut table) = text.parse::<Table>() else { return found };
    while found.len() < MOST {
        // As it stands the first time: its own places are those that people know.
        let now = if found.is_empty() { text.to_owned() } else { table.to_string() };
        let Some((key, message)) = first_problem(&now, role, &more) else { break };
        found.push(config.problem(&at, key.as_ref(), message));
        // A default of it may be what is refused beside the rest: then its table goes, for the sake of the others.
        let key = key.unwrap_or_default();
        if role == Role::Gateway && key == ["wiring"] {
            // One must be named.
            table.insert("wiring".to_owned(), Value::String(wirings::first().to_owned()));
            continue;
        }
        let gone = (1..=key.len()).rev().any(|length| {
            let name = &key[..length];
            remove(&mut table, name) || (length == 1 && table.remove(name[0].split('[').next().unwrap_or("")).is_some())
        });
        if !gone {
            break;
        }
    }
    found.sort_by_key(|problem| problem.line.unwrap_or(usize::MAX));
    found
}

/// The key that is refused first, and why.
fn first_problem(
    text: &str,
    role: Role,
    more: &impl Fn(&str) -> Result<(), anyhow::Error>,
) -> Option<(Option<Vec<String>>, String)> {
    let error = match role.parse(text) {
        Err(error) => error,
        Ok(()) => {
            let error = more(text).err()?;
            let said = crate::explain(&error);
            let wiring = said.starts_with("wiring").then(|| vec!["wiring".to_owned()]);
            let range = error.downcast_ref::<OutOfRange>().map(|range| range.field);
            let key = range.or(error.downcast_ref::<BuildError>().and_then(BuildError::key));
            let key = key.map(parts).or(wiring);
            return Some((key, said));
        }
    };
    if let ConfigError::Lane { lane, within, error: inner, .. } = &error {
        let key = error.key().map(parts);
        let within = within.as_deref().map(parts);
        let message = match (&**inner, &within) {
            (ConfigError::Toml(error), Some(key)) => of_a_type(error.message(), key, role),
            (ConfigError::Unknown { .. }, Some(key)) => unknown(key, role),
            (other, _) => other.to_string(),
        };
        return Some((key, format!("lane {lane:?}: {message}")));
    }
    if let ConfigError::Toml(error) = &error {
        let Some(key) = error.span().and_then(|span| Spans::of(text).key_at(span.start)) else {
            return Some((None, error.message().to_owned()));
        };
        let message = of_a_type(error.message(), &key, role);
        return Some((Some(key), message));
    }
    let key = error.key().map(parts);
    if let (ConfigError::Key { message, .. }, Some(key)) = (&error, &key) {
        return Some((Some(key.clone()), of_a_type(message, key, role)));
    }
    match (&error, &key) {
        (ConfigError::Unknown { .. }, Some(name)) => Some((key.clone(), unknown(name, role))),
        _ => Some((key, error.to_string())),
    }
}

/// The parts of a dotted key as our errors write it. The name of a symbol may hold dots.
fn parts(key: &str) -> Vec<String> {
    if let Some((lane, rest)) = key.split_once('.').filter(|(first, _)| first.split('[').next() == Some("lane")) {
        return [vec![lane.to_owned()], parts(rest)].concat();
    }
    if let Some((symbol, field)) = key.strip_prefix("risk.symbols.").and_then(|rest| rest.rsplit_once('.')) {
        return ["risk", "symbols", symbol, field].map(str::to_owned).to_vec();
    }
    key.split('.').map(str::to_owned).collect()
}

fn dotted(key: &[String]) -> String {
    key.join(".")
}

/// What the reader of TOML says, in the words of the rest.
fn of_a_type(message: &str, key: &[String], role: Role) -> String {
    let name = dotted(key);
    if !message.starts_with("unknown field") {
        let ranges = [
            ("expected u8", "a whole number from 0 to 255"),
            ("expected u16", "a whole number from 0 to 65535"),
            ("expected u32", "a whole number from 0 to 4294967295"),
            ("expected u64", "a whole number from 0 on"),
            ("expected i64", "a whole number"),
            ("expected usize", "a whole number from 0 on"),
            ("expected f64", "a number"),
            ("expected a boolean", "true or false"),
            ("expected a string", "a text in quotes"),
            ("expected a sequence", "a list in brackets"),
        ];
        let allowed = ranges.iter().find(|(said, _)| message.ends_with(said)).map(|(_, allowed)| allowed);
        return match allowed {
            Some(allowed) => format!("{name}: must be {allowed}"),
            None => format!("{name}: {message}"),
        };
    }
    unknown(key, role)
}

/// What is said of a key that there is not.
fn unknown(key: &[String], role: Role) -> String {
    let name = dotted(key);
    let (last, within) = key.split_last().map_or((String::new(), &[][..]), |(last, within)| (last.clone(), within));
    let known = role.keys_of(within);
    if let Some(word) = nearest(&last, known.iter().map(String::as_str)) {
        return format!("{name}: there is no such key; did you mean {word:?}?");
    }
    // A key of another table, or at the top where it belongs into one.
    let elsewhere = role.known().into_iter().find_map(|(table, value)| {
        let has = value.as_table().is_some_and(|table| table.contains_key(&last));
        (has && vec![table.clone()] != within).then_some(table)
    });
    match elsewhere {
        Some(table) => format!("{name}: there is no such key; [{table}] has one"),
        None if within.is_empty() => format!("{name}: there is no such key; there are: {}", known.join(", ")),
        None => format!("{name}: there is no such key; [{}] has: {}", dotted(within), known.join(", ")),
    }
}

/// Takes a key out. False: it is not there.
fn remove(table: &mut Table, key: &[String]) -> bool {
    let Some((last, within)) = key.split_last() else { return false };
    let mut at = table;
    for part in within {
        let Ok(next) = existing(at, part) else { return false };
        at = next;
    }
    at.remove(last).is_some()
}

fn existing<'a>(table: &'a mut Table, part: &str) -> Result<&'a mut Table> {
    let name = part.split('[').next().unwrap_or(part);
    if table.contains_key(name) { enter(table, part) } else { bail!("{name} is not there") }
}

/// The text of a file (`-` is standard input) with the settings in it.
pub(crate) fn text(path: &Path, sets: &[Set]) -> Result<Written> {
    let name = || path.display().to_string();
    let text = if dash(path) {
        std::io::read_to_string(std::io::stdin().lock()).context("standard input")?
    } else {
        let bytes = std::fs::read(path).with_context(name)?;
        String::from_utf8(bytes).map_err(|_| anyhow!("{}: it is no text, so no configuration", name()))?
    };
    with_settings(&text, sets).with_context(name)
}

/// A gateway's configuration: of a file, or the default one, with the settings in it. With `wiring`, that is what trades
/// where none is named; its text says so, so that a log stands alone.
pub(crate) fn gateway(path: Option<&Path>, sets: &[Set], wiring: Option<&str>) -> Result<Config> {
    let Some(path) = path else { return with("", sets, wiring) };
    trading(text(path, sets)?, wiring).with_context(|| path.display().to_string())
}

/// The same of a text of ours.
pub(crate) fn with(text: &str, sets: &[Set], wiring: Option<&str>) -> Result<Config> {
    trading(with_settings(text, sets)?, wiring)
}

/// The keys that say what trades.
const NAMING: [&str; 3] = ["wiring", "strategies", "signals"];

fn trading(mut written: Written, wiring: Option<&str>) -> Result<Config> {
    if let Some(wiring) = wiring
        && written.text.parse::<Table>().is_ok_and(|table| NAMING.iter().all(|key| !table.contains_key(*key)))
    {
        written.text = format!("wiring = {wiring:?}\n{}", written.text);
    }
    wirings::parse(&written.text).map_err(|error| match error {
        // Nothing is wrong with it, but it is of several lanes.
        ConfigError::Lanes { .. } if wirings::fleet(&written.text).is_ok() => error.into(),
        _ => refused(&written, Role::Gateway),
    })
}

/// What a gateway runs: one lane, or several.
pub(crate) fn fleet(path: &Path, sets: &[Set]) -> Result<Fleet> {
    let written = text(path, sets)?;
    let fleet = wirings::fleet(&written.text).map_err(|_| refused(&written, Role::Gateway));
    fleet.with_context(|| path.display().to_string())
}

/// Whoever plays the market plays one, of Nasdaq's kind.
pub(crate) fn of_one_venue(config: &Config, what: &str) -> Result<()> {
    let venue = config.venues.first();
    match (config.venues.count(), venue.kind) {
        (1, VenueKind::Nasdaq) => Ok(()),
        (1, kind) => bail!("{what} has a venue of kind \"nasdaq\", and {venue} is of kind {:?}", kind.word()),
        (count, _) => bail!("{what} has one venue, and this configuration has {count} of [[venue]]"),
    }
}

/// A venue's configuration, with the settings in it.
pub(crate) fn venue(path: &Path, sets: &[Set]) -> Result<VenueConfig> {
    let written = text(path, sets)?;
    VenueConfig::parse(&written.text)
        .map_err(|_| refused(&written, Role::Venue))
        .with_context(|| path.display().to_string())
}

/// What is wrong, as one error: on a line if it is one thing, else a line each, the first few.
pub(crate) fn refused(config: &Written, role: Role) -> anyhow::Error {
    let other = role.other();
    if other.keys_in(&config.text) > role.keys_in(&config.text) {
        return anyhow::anyhow!("this is the configuration of a {}, not of a {}", other.word(), role.word());
    }
    let problems = problems(config, role, |_| Ok(()));
    match &problems[..] {
        [one] => anyhow::anyhow!("{one}"),
        several => {
            let mut lines: String = several.iter().take(SHOWN).map(|problem| format!("\n  {problem}")).collect();
            if several.len() > SHOWN {
                lines += &format!("\n  and {} more: firelane check says all", several.len() - SHOWN);
            }
            anyhow::anyhow!("{} things are wrong:{lines}", several.len())
        }
    }
}

/// A sample as it is printed: with a control socket, so that status and kill work at once.
pub(crate) fn printed(sample: &str, name: &str) -> String {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    let (socket, why) = match folder {
        Some(folder) => (folder.join(format!("{name}.sock")), "in your runtime directory (XDG_RUNTIME_DIR)"),
        None => {
            let user = std::fs::metadata("/proc/self").map_or(0, |me| me.uid());
            let file = format!("{name}-{user}.sock");
            (
                std::env::temp_dir().join(file),
                "among temporary files, for there is no runtime directory (XDG_RUNTIME_DIR)",
            )
        }
    };
    let comment =
        format!("[control]\n# The socket lies {why}; its owner alone may use it. Each process needs its own.");
    let text = sample.trim_end().replacen("[control]", &comment, 1);
    text.replacen("socket = \"\" ", &format!("socket = {:?} ", socket.display().to_string()), 1)
}

#[cfg(test)]
mod tests;
