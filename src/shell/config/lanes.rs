//! Several lanes in one document: `[[lane]]` rows, each with what its lane has differently, laid over the rest of the document.
//!
//! Each lane has an effective text of its own, which is a configuration of one lane and stands in the header of its log: whoever
//! reads that needs to know nothing of the others.

use super::check::{ConfigError, refuse};
use super::instruments::named;
use super::{Config, Plugged};
use crate::base::Notional;
use crate::shell::firm::{FirmLimits, Lease};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// Lanes of a process.
pub const MOST_LANES: usize = 64;
/// The keys of `[firm]`.
pub const FIRM_KEYS: [&str; 3] = crate::shell::firm::KEYS;
/// Bytes of a lane's name: names of threads begin with it, and the system keeps 15 bytes of those.
const LONGEST_NAME: usize = 16;
const NAMES: &str = "one to 16 letters, digits and dashes, beginning with a letter or digit";

/// Which of several lanes a configuration is of: what its table `[lane]` says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct LaneName {
    /// Its number in records, from 1 on. 0: it is alone.
    pub number: u16,
    /// Its name; empty where it is alone.
    pub name: String,
}

/// The `[lane]` of an effective text.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLane {
    name: String,
    number: u16,
}

impl RawLane {
    pub(super) fn checked(&self) -> Result<LaneName, ConfigError> {
        if self.number == 0 || usize::from(self.number) > MOST_LANES {
            return Err(refuse("lane.number", self.number, "1 to 64"));
        }
        if !is_sound(&self.name) {
            return Err(refuse("lane.name", format!("{:?}", self.name), NAMES));
        }
        Ok(LaneName { number: self.number, name: self.name.clone() })
    }
}

fn is_sound(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len())
        && !name.starts_with('-')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawFirm {
    max_total_open: Option<u64>,
    orders_per_second: Option<u32>,
    burst: Option<u32>,
}

/// The configuration of a process: one lane, or several.
///
/// ```
/// use firelane_gateway::shell::config::Fleet;
///
/// let fleet = Fleet::parse_with(
///     r#"
///     instruments.directory = false
///     [firm]
///     max_total_open = 15_000_000
///     [[lane]]
///     name = "north"
///     instruments.listed = ["AAPL"]
///     entry.username = "NORTH"
///     [[lane]]
///     name = "south"
///     instruments.listed = ["MSFT"]
///     entry.username = "SOUTH"
///     risk.max_total_open = 5_000_000
///     "#,
///     &[],
/// )?;
/// assert_eq!(fleet.lanes.iter().map(|config| config.lane.name.as_str()).collect::<Vec<_>>(), ["north", "south"]);
/// // Each lane's text is a configuration by itself.
/// let south = firelane_gateway::shell::config::Config::parse(&fleet.lanes[1].text)?;
/// assert_eq!((south.lane.number, &south.venues.first().entry.login.username), (2, b"SOUTH "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fleet {
    /// A configuration for each lane, in the order of their numbers.
    pub lanes: Vec<Config>,
    /// What they may have together, if that is limited.
    pub firm: Option<FirmLimits>,
}

impl Fleet {
    /// Reads and checks a document: of a lane alone, as [`Config::parse_with`] does, or of several.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong, and the lane where it is one lane's.
    pub fn parse_with(text: &str, plugs: &[Plugged]) -> Result<Self, ConfigError> {
        let document = text.parse::<Table>().ok();
        let rows = document.as_ref().and_then(|document| rows_of(document));
        let (Some(document), Some(rows)) = (&document, rows) else {
            return Ok(Fleet { lanes: vec![Config::parse_with(text, plugs)?], firm: None });
        };
        if !(1..=MOST_LANES).contains(&rows.len()) {
            return Err(refuse("lane", rows.len(), "1 to 64 tables [[lane]]"));
        }
        let names = names(rows)?;
        let mut base = document.clone();
        base.remove("lane");
        let firm = base.remove("firm").map(|firm| RawFirm::deserialize(firm).map_err(of_firm)).transpose()?;
        let mut lanes = Vec::new();
        for (at, (row, name)) in rows.iter().zip(&names).enumerate() {
            let row = row.as_table().unwrap_or(&base);
            let row_key = |key: &str| named("lane", rows.len(), at, key);
            misplaced(row, &row_key)?;
            let text = effective(&base, row, name, at + 1).to_string();
            let config = Config::parse_with(&text, plugs);
            lanes.push(config.map_err(|error| of_lane(error, &text, name, row, &row_key))?);
        }
        if lanes.len() > 1 {
            together(&lanes)?;
        }
        let firm = firm.map(|firm| firm.checked(&lanes)).transpose()?;
        Ok(Fleet { lanes, firm })
    }

    /// Is it a document without `[[lane]]`?
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.lanes.iter().all(|config| config.lane == LaneName::default())
    }
}

/// How many lanes a document has rows for. `None`: it has none, and is of a lane alone.
pub(super) fn count(document: &Table) -> Option<usize> {
    rows_of(document).map(<[Value]>::len)
}

fn rows_of(document: &Table) -> Option<&[Value]> {
    document.get("lane").and_then(Value::as_array).map(Vec::as_slice)
}

fn names(rows: &[Value]) -> Result<Vec<String>, ConfigError> {
    let mut names: Vec<String> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let key = named("lane", rows.len(), at, "name");
        let name = match row.get("name") {
            Some(Value::String(name)) if is_sound(name) => name,
            Some(other) => return Err(refuse(&key, other, NAMES)),
            None => return Err(ConfigError::Limit { key, allowed: NAMES }),
        };
        if names.contains(name) {
            return Err(refuse(&key, format!("{name:?}"), "another name for each lane"));
        }
        names.push(name.clone());
    }
    Ok(names)
}

/// What is of the process, and cannot be of one of its lanes.
fn misplaced(row: &Table, row_key: &dyn Fn(&str) -> String) -> Result<(), ConfigError> {
    let wrong = |key: &str, allowed| Err(ConfigError::Limit { key: row_key(key), allowed });
    if row.get("control").and_then(|control| control.get("socket")).is_some() {
        return wrong("control.socket", "of the document and not of a lane: the process has one socket for all");
    }
    for key in ["firm", "lane"] {
        if row.contains_key(key) {
            return wrong(key, "a table of the document and not of a lane");
        }
    }
    Ok(())
}

/// The lane's own text: the document, with what the row says laid over it.
fn effective(base: &Table, row: &Table, name: &str, number: usize) -> Table {
    let mut table = base.clone();
    let mut row = row.clone();
    row.remove("name");
    let of = |table: &Table| {
        let shared = table.get("tape").and_then(|tape| tape.get("shared")).and_then(Value::as_str);
        shared.filter(|path| !path.is_empty()).map(str::to_owned)
    };
    let (shared, own) = (of(&table), of(&row));
    merge(&mut table, row);
    if let (Some(shared), None) = (shared, own)
        && let Some(Value::Table(tape)) = table.get_mut("tape")
    {
        let path = lane_path(Path::new(&shared), name).display().to_string();
        tape.insert("shared".to_owned(), Value::String(path));
    }
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let lane = [("name", Value::String(name.to_owned())), ("number", Value::Integer(number))];
    let lane: Table = lane.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
    table.insert("lane".to_owned(), Value::Table(lane));
    table
}

/// Tables are merged; whatever else is there takes the place of what was.
fn merge(into: &mut Table, row: Table) {
    for (key, value) in row {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(row)) => merge(into, row),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Where a lane's own of several files is: `run.log` of lane `north` is `run.north.log`.
#[must_use]
pub fn lane_path(path: &Path, lane: &str) -> PathBuf {
    if lane.is_empty() {
        return path.to_owned();
    }
    let ending = path.extension().map_or(String::new(), |ending| format!(".{}", ending.to_string_lossy()));
    let stem = path.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned());
    path.with_file_name(format!("{stem}.{lane}{ending}"))
}

/// What is wrong with a lane's text, said of the document: the key of its row if it stands there, else that of the rest.
fn of_lane(error: ConfigError, text: &str, lane: &str, row: &Table, row_key: &dyn Fn(&str) -> String) -> ConfigError {
    let within = match &error {
        ConfigError::Toml(error) => error.span().and_then(|span| key_at(text, span.start)),
        error => error.key().map(str::to_owned),
    };
    let key = within.as_ref().map(|key| if stands_in(row, key) { row_key(key) } else { key.clone() });
    ConfigError::Lane { lane: lane.to_owned(), key, within, error: Box::new(error) }
}

/// Does a dotted key, or the array that it is within, stand in a row?
fn stands_in(row: &Table, key: &str) -> bool {
    let mut at = row;
    for part in key.split('.') {
        match at.get(part.split('[').next().unwrap_or(part)) {
            Some(Value::Table(next)) => at = next,
            Some(_) => return true,
            // A key that is missing in a table which is the row's alone; or a name with dots.
            None => return false,
        }
    }
    true
}

/// The innermost key that a byte belongs to.
fn key_at(text: &str, byte: usize) -> Option<String> {
    fn within(table: &DeTable<'_>, byte: usize) -> Option<String> {
        for (name, value) in table {
            let deeper = match value.get_ref() {
                DeValue::Table(table) => within(table, byte),
                DeValue::Array(all) => all.iter().enumerate().find_map(|(n, value)| {
                    match value.get_ref() {
                        DeValue::Table(table) => within(table, byte).map(|key| (n, key)),
                        _ => None,
                    }
                    .map(|(n, key)| format!("[{n}].{key}"))
                }),
                _ => None,
            };
            let name_is = name.get_ref();
            match deeper {
                Some(key) if key.starts_with('[') => return Some(format!("{name_is}{key}")),
                Some(key) => return Some(format!("{name_is}.{key}")),
                None if name.span().contains(&byte) || value.span().contains(&byte) => {
                    return Some(name_is.to_string());
                }
                None => {}
            }
        }
        None
    }
    let (table, _) = DeTable::parse_recoverable(text);
    within(table.get_ref(), byte)
}

fn of_firm(error: toml::de::Error) -> ConfigError {
    ConfigError::Lanes { key: "firm".to_owned(), problem: error.to_string().trim().replace('\n', " ") }
}

/// What several lanes cannot have at once.
fn together(lanes: &[Config]) -> Result<(), ConfigError> {
    let key = |at: usize, key: &str| named("lane", lanes.len(), at, key);
    let wrong = |at: usize, field: &str, problem: String| Err(ConfigError::Lanes { key: key(at, field), problem });
    let name = |at: usize| &lanes[at].lane.name;
    let (mut users, mut owners, mut tapes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (at, config) in lanes.iter().enumerate() {
        if config.directory {
            let problem = "must be false where there are several lanes: each owns the instruments that it lists";
            return wrong(at, "instruments.directory", format!("lane {:?}: {problem}", name(at)));
        }
        for ((_, venue), (_, net)) in config.venues.iter().zip(config.live.net.iter()) {
            let (orders, user) = (net.orders, venue.entry.login.username);
            if let Some(other) = users.insert((orders, user), at) {
                let user = user.trim_ascii().escape_ascii();
                let problem =
                    format!("lanes {:?} and {:?} would both log in as {user} at {orders}", name(other), name(at));
                let key = venue.key("entry.username");
                return wrong(at, &key, format!("{problem}: give each a user, or an address, of its own"));
            }
        }
        for row in &config.listed {
            // Lanes may number their venues otherwise: an instrument is known by where its orders go.
            let orders = config.live.net.get(row.venue).unwrap_or(config.live.net.first()).orders;
            if let Some(other) = owners.insert((orders, row.name), at).filter(|other| *other != at) {
                let problem = format!("lanes {:?} and {:?} both list {} at {orders}", name(other), name(at), row.name);
                return wrong(at, "instruments.listed", format!("{problem}: an instrument is one lane's at a venue"));
            }
        }
        if let Some(shared) = &config.live.tape_shared
            && let Some(other) = tapes.insert(shared, at)
        {
            let (shared, other) = (shared.display(), name(other));
            return wrong(
                at,
                "tape.shared",
                format!("{shared} is lane {other:?}'s, too: each needs a file of its own"),
            );
        }
    }
    Ok(())
}

impl RawFirm {
    /// The leases that lanes begin with are their own limits.
    fn checked(&self, lanes: &[Config]) -> Result<FirmLimits, ConfigError> {
        let wrong = |key: &str, problem: String| Err(ConfigError::Lanes { key: format!("firm.{key}"), problem });
        let RawFirm { max_total_open, orders_per_second, burst } = *self;
        let given = [max_total_open, orders_per_second.map(u64::from), burst.map(u64::from)];
        if let Some(k) = given.iter().position(|value| *value == Some(0)) {
            return Err(refuse(&format!("firm.{}", FIRM_KEYS[k]), 0, "1 at least"));
        }
        let money = |config: &Config| (config.risk.currency, config.risk.exponent);
        let Some(first) = lanes.first() else { return Ok(FirmLimits::default()) };
        if let Some(other) = lanes.iter().find(|config| money(config) != money(first)) {
            let (one, other) = (&first.lane.name, &other.lane.name);
            let problem = format!("lanes {one:?} and {other:?} count money in other currencies or units");
            return wrong(
                "max_total_open",
                format!("{problem}: give all one risk.base_currency and risk.money_exponent"),
            );
        }
        let unit = 10_i128.pow(u32::from(first.risk.exponent.unsigned_abs()));
        let open = max_total_open.map(|whole| Notional(i128::from(whole) * unit));
        let firm = FirmLimits { max_total_open: open, orders_per_second, burst };
        let leases = || lanes.iter().map(|config| Lease::of(&config.risk));
        if let Some((key, sum, most)) = firm.exceeded_by(leases()) {
            let whole = |value: i128| if key == FIRM_KEYS[0] { value / unit } else { value };
            let names: Vec<&str> = lanes.iter().map(|config| config.lane.name.as_str()).collect();
            let problem = format!("risk.{key} of the lanes ({}) is {} together", names.join(", "), whole(sum));
            return wrong(key, format!("{problem}, and the firm has {}: lower theirs, or raise it", whole(most)));
        }
        Ok(firm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::plug::plugged;
    use crate::shell::plugs::Taker;

    const TWO: &str = r#"wiring = "imbalance-taker"
        instruments.directory = false
        [risk]
        burst = 10
        max_total_open = 1000
        [taker]
        size = 7
        [control]
        socket = "/run/gw.sock"
        [tape]
        shared = "/dev/shm/f.tape"
        [[lane]]
        name = "north"
        instruments.listed = ["A"]
        entry.username = "NORTH"
        [[lane]]
        name = "south-2"
        threads.layout = "split"
        taker.size = 9
        [lane.risk]
        max_total_open = 500
        [lane.instruments]
        listed = ["B", "C"]
        [lane.entry]
        username = "SOUTH"
        "#;

    fn parse(text: &str) -> Result<Fleet, ConfigError> {
        Fleet::parse_with(text, &[plugged::<Taker>()])
    }

    fn error(text: &str) -> (String, String) {
        let error = parse(text).unwrap_err();
        (error.key().unwrap_or("none").to_owned(), error.to_string())
    }

    #[test]
    fn each_lane_has_a_text_of_its_own_that_is_a_configuration_by_itself() {
        let fleet = parse(TWO).unwrap();
        assert!(!fleet.is_alone() && fleet.firm.is_none());
        let [north, south] = &fleet.lanes[..] else { panic!("{}", fleet.lanes.len()) };
        let named = |config: &Config| (config.lane.number, config.lane.name.clone());
        assert_eq!([named(north), named(south)], [(1, "north".to_owned()), (2, "south-2".to_owned())]);
        // Tables are merged, arrays replaced.
        let unit = 10_000;
        assert_eq!([north, south].map(|c| c.risk.max_total_open.0), [1_000 * unit, 500 * unit]);
        assert_eq!([north, south].map(|c| c.risk.burst), [10, 10]);
        assert_eq!([north, south].map(|c| c.listed.len()), [1, 2]);
        assert_eq!([north, south].map(|c| c.live.threads.layout.word()), ["fused", "split"]);
        let shared = |config: &Config| config.live.tape_shared.as_ref().unwrap().display().to_string();
        assert_eq!([north, south].map(shared), ["/dev/shm/f.north.tape", "/dev/shm/f.south-2.tape"]);
        let size = |config: &Config| config.text.parse::<Table>().unwrap()["taker"]["size"].as_integer();
        assert_eq!([north, south].map(size), [Some(7), Some(9)]);
        for config in [north, south] {
            let again = Config::parse_with(&config.text, &[plugged::<Taker>()]).unwrap();
            assert_eq!((named(&again), again.text.as_str()), (named(config), config.text.as_str()));
            assert!(again.live == config.live && again.risk == config.risk && again.listed == config.listed);
        }
        // Of a document without rows nothing is touched.
        let text = "wiring = \"imbalance-taker\"\n# a comment\n";
        let alone = parse(text).unwrap();
        assert!(alone.is_alone() && alone.lanes[0].text == text && alone.lanes[0].lane == LaneName::default());
        // One row is a fleet of one, which may follow the whole directory.
        let one = parse("[[lane]]\nname = \"only\"\n").unwrap();
        assert!(!one.is_alone() && one.lanes[0].lane.number == 1 && one.lanes[0].directory);
        let several = Config::parse(TWO).unwrap_err().to_string();
        assert!(several.contains("lane: the document has 2 lanes"), "{several}");
    }

    #[test]
    fn what_lanes_cannot_have_is_refused_with_key_and_lane() {
        let with = |from: &str, to: &str| {
            assert!(TWO.contains(from), "{from}");
            error(&TWO.replacen(from, to, 1))
        };
        for (from, to, key, says) in [
            ("\"south-2\"", "\"north\"", "lane[1].name", "another name for each lane"),
            ("\"south-2\"", "\"so uth\"", "lane[1].name", "letters, digits and dashes"),
            ("\"south-2\"", "\"-south\"", "lane[1].name", "beginning with a letter or digit"),
            ("\"south-2\"", "\"seventeen-letters\"", "lane[1].name", "one to 16 letters"),
            ("\"south-2\"", "7", "lane[1].name", "one to 16 letters"),
            ("name = \"north\"", "", "lane[0].name", "must be one to 16 letters"),
            ("directory = false", "directory = true", "lane[0].instruments.directory", "lane \"north\": must be false"),
            (
                "[\"B\", \"C\"]",
                "[\"B\", \"A\"]",
                "lane[1].instruments.listed",
                "\"north\" and \"south-2\" both list A at 127.",
            ),
            ("\"SOUTH\"", "\"NORTH\"", "lane[1].entry.username", "would both log in as NORTH at 127.0.0.1:26400"),
            (
                "[lane.entry]",
                "[lane.control]\nsocket = \"s\"\n[lane.entry]",
                "lane[1].control.socket",
                "one socket for all",
            ),
            (
                "[lane.entry]",
                "[lane.firm]\nburst = 9\n[lane.entry]",
                "lane[1].firm",
                "of the document and not of a lane",
            ),
            ("[lane.entry]", "[lane.lane]\n[lane.entry]", "lane[1].lane", "of the document and not of a lane"),
            (
                "max_total_open = 500",
                "max_total_open = 0",
                "lane[1].risk.max_total_open",
                "lane \"south-2\": risk.max_total_open",
            ),
            ("burst = 10", "burst = 0", "risk.burst", "lane \"north\": risk.burst"),
            ("burst = 10", "burst = \"x\"", "risk.burst", "lane \"north\": risk.burst: invalid type"),
            (
                "taker.size = 9",
                "taker.size = \"x\"",
                "lane[1].taker.size",
                "lane \"south-2\": taker.size: invalid type",
            ),
            ("taker.size = 9", "taker.sise = 9", "lane[1].taker.sise", "unknown field `sise`"),
            ("taker.size = 9", "tacker.size = 9", "lane[1].tacker", "unknown field `tacker`"),
            ("name = \"north\"", "name = \"north\"\nname_2 = 1", "lane[0].name_2", "unknown field `name_2`"),
            (
                "[control]",
                "[firm]\nmax_total_open = 1499\n[control]",
                "firm.max_total_open",
                "(north, south-2) is 1500 together, and the firm has 1499",
            ),
            ("[control]", "[firm]\nburst = 19\n[control]", "firm.burst", "is 20 together, and the firm has 19"),
            ("[control]", "[firm]\norders_per_second = 1\n[control]", "firm.orders_per_second", "is 20000 together"),
            ("[control]", "[firm]\nburst = 0\n[control]", "firm.burst", "must be 1 at least"),
            ("[control]", "[firm]\nburts = 9\n[control]", "firm", "unknown field `burts`"),
            (
                "[lane.risk]",
                "tape.shared = \"/dev/shm/f.north.tape\"\n[lane.risk]",
                "lane[1].tape.shared",
                "is lane \"north\"'s, too",
            ),
        ] {
            let (at, error) = with(from, to);
            assert!(at == key && error.contains(says), "{to}: {at}: {error}");
        }
        let at_limit = "[firm]\nmax_total_open = 1500\nburst = 20\norders_per_second = 20000\n[control]";
        let fleet = parse(&TWO.replacen("[control]", at_limit, 1)).unwrap();
        assert_eq!(fleet.firm.unwrap().values(), [Some(15_000_000), Some(20_000), Some(20)]);
    }

    /// Of the venues of all lanes, whichever number each has in its own.
    #[test]
    fn no_two_lanes_share_a_session_or_an_instrument_at_any_of_their_venues() {
        let text = "instruments.directory = false\n[[lane]]\nname = \"north\"\ninstruments.listed = [\"A\"]\n\
            [[lane.venue]]\nname = \"X\"\nentry.username = \"N\"\n\
            [[lane.venue]]\nname = \"Y\"\nentry.username = \"N\"\nnet.orders = \"10.0.0.1:1\"\n\
            [[lane]]\nname = \"south\"\n[[lane.instrument]]\nname = \"A\"\ntick = \"1\"\nvenue = \"Y\"\n\
            [[lane.venue]]\nname = \"Y\"\nentry.username = \"S\"\nnet.orders = \"10.0.0.1:1\"\n\
            [[lane.venue]]\nname = \"X\"\nentry.username = \"S\"\n";
        let fleet = Fleet::parse_with(text, &[]).unwrap();
        let names =
            |config: &Config| config.venues.iter().map(|(_, venue)| venue.to_string()).collect::<Vec<_>>().concat();
        assert_eq!(fleet.lanes.iter().map(names).collect::<Vec<_>>(), ["XY", "YX"]);
        let said = |from: &str, to: &str| {
            let error = Fleet::parse_with(&text.replacen(from, to, 1), &[]).unwrap_err();
            (error.key().unwrap_or("none").to_owned(), error.to_string())
        };
        // The second lane's first venue is the first lane's second.
        let (key, why) = said("\"S\"", "\"N\"");
        assert_eq!(key, "lane[1].venue[0].entry.username");
        assert!(why.contains("would both log in as N at 10.0.0.1:1"), "{why}");
        let (key, why) = said("venue = \"Y\"", "venue = \"X\"");
        assert_eq!(key, "lane[1].instruments.listed");
        assert!(why.contains("both list A at 127.0.0.1:26400"), "{why}");
    }

    #[test]
    fn what_is_of_a_fleet_alone_is_refused_elsewhere() {
        for (text, key, says) in [
            ("[firm]\nburst = 3", "firm", "left out where there is no [[lane]]"),
            ("[lane]\nname = \"a\"\nnumber = 0", "lane.number", "1 to 64"),
            ("[lane]\nname = \"a b\"\nnumber = 1", "lane.name", "letters"),
            ("lane = []", "lane", "1 to 64 tables"),
            (
                "risk.money_exponent = -4\n[firm]\n[[lane]]\nname = \"a\"\n[[lane]]\nname = \"b\"\nrisk.money_exponent = -5\n\
              entry.username = \"B\"\n",
                "",
                "",
            ),
        ] {
            if key.is_empty() {
                let text = format!("instruments.directory = false\n{text}");
                let (at, error) = error(&text);
                assert!(at == "firm.max_total_open" && error.contains("other currencies or units"), "{at}: {error}");
                continue;
            }
            let (at, error) = error(text);
            assert!(at == key && error.contains(says), "{text}: {at}: {error}");
        }
        let rows: String = (0..65).map(|n| format!("[[lane]]\nname = \"l{n}\"\nentry.username = \"U{n}\"\n")).collect();
        assert!(error(&format!("instruments.directory = false\n{rows}")).1.contains("lane = 65: must be 1 to 64"));
    }

    #[test]
    fn the_rows_that_the_sample_explains_can_be_used() {
        let (sample, rows) = super::super::SAMPLE.split_once("# [[lane]]").unwrap();
        let rows: String = rows.lines().map(|line| format!("{}\n", line.trim_start_matches("# "))).collect();
        let fleet = Fleet::parse_with(&format!("{sample}\n[[lane]]{rows}"), &[]).unwrap();
        assert_eq!((fleet.lanes[0].lane.name.as_str(), fleet.lanes.len()), ("north", 1));
        assert_eq!(fleet.firm.unwrap().values().map(|key| key.is_some()), [true; 3]);
    }

    #[test]
    fn a_lanes_file_has_its_name_before_the_ending() {
        for (path, is) in [("run.log", "run.a.log"), ("x/run", "x/run.a"), ("/v/r.b.tape", "/v/r.b.a.tape")] {
            assert_eq!(lane_path(Path::new(path), "a"), Path::new(is));
            assert_eq!(lane_path(Path::new(path), ""), Path::new(path));
        }
    }
}
