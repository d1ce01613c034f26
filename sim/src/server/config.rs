//! The venue's configuration: TOML text into raw values, raw values into checked ones.
//!
//! Every key has a default; unknown keys are refused; every error names the key and what it may be. [`SAMPLE`] is the
//! default configuration, written out and explained; a test holds the two equal. Secrets are not part of it.

use super::{Addresses, Limits, Multicast, Setup, Speed};
use crate::net::Faults;
use firelane_gateway::base::Nanos;
use firelane_gateway::shell::config::ConfigError;
use firelane_gateway::shell::config::check::{day, padded, refuse, variable, within, word};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// The default configuration with every key explained.
pub const SAMPLE: &str = include_str!("venue.toml");

/// A checked configuration.
#[derive(Clone, PartialEq, Debug)]
pub struct VenueConfig {
    /// Sockets and wires.
    pub setup: Setup,
    /// What trades.
    pub market: MarketConfig,
    /// Order-entry ports; their addresses are in [`setup`](Self::setup), in the same order.
    pub ports: Vec<PortEntry>,
    /// The snapshot server's login.
    pub snapshot: SnapshotEntry,
    /// How long the end of the market-data session is said before the venue is over.
    pub end_for: Nanos,
    /// The journal's file.
    pub journal: Option<PathBuf>,
    /// The control socket, if there is to be one: for the program that runs the venue.
    pub control: Option<PathBuf>,
}

/// What trades.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MarketConfig {
    /// Symbols of the synthetic market.
    pub symbols: u16,
    /// Its mean messages a second.
    pub rate: u32,
    /// A recorded day instead.
    pub itch: Option<PathBuf>,
    /// Code of the market that was recorded.
    pub code: u8,
    /// The session's date: days since 1970-01-01.
    pub day: u32,
}

/// One order-entry port.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PortEntry {
    /// Username, padded.
    pub username: [u8; 6],
    /// The environment variable that holds the password.
    pub password_env: String,
    /// Session, padded.
    pub session: [u8; 10],
    /// Firm.
    pub firm: [u8; 4],
    /// Are open orders cancelled when the connection is lost?
    pub cancel_on_disconnect: bool,
    /// Must a short sale name who located the shares?
    pub locate_required: bool,
}

/// The snapshot server's login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SnapshotEntry {
    /// Username, padded.
    pub username: [u8; 6],
    /// The environment variable that holds the password.
    pub password_env: String,
}

macro_rules! table {
    ($name:ident { $($field:ident: $type:ty = $default:expr,)* }) => {
        #[derive(Clone, Debug, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        struct $name { $($field: $type,)* }

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $default,)* }
            }
        }
    };
}

table! { Raw {
    journal: String = String::new(),
    end_seconds: u32 = 1,
    kind: String = "nasdaq".into(),
    addresses: RawAddresses = RawAddresses::default(),
    market: RawMarket = RawMarket::default(),
    snapshot: RawSnapshot = RawSnapshot::default(),
    limits: RawLimits = RawLimits::default(),
    control: RawControl = RawControl::default(),
    port: Vec<RawPort> = vec![RawPort::default()],
}}
table! { RawAddresses {
    line_a: OneOrMore = OneOrMore::One("127.0.0.1:26401".into()),
    line_b: OneOrMore = OneOrMore::One("127.0.0.1:26402".into()),
    rerequest: String = "127.0.0.1:26403".into(),
    snapshot: String = "127.0.0.1:26404".into(),
    levels: String = "127.0.0.1:26405".into(),
    multicast_interface: String = "127.0.0.1".into(),
    multicast_ttl: u32 = 1,
    multicast_loop: bool = true,
}}
table! { RawMarket {
    symbols: u16 = 8,
    rate: u32 = 5_000,
    seed: u64 = 1,
    faults: String = "none".into(),
    itch: String = String::new(),
    speed: f64 = 1.0,
    market: String = "Q".into(),
    day: Option<toml::value::Datetime> = None,
}}
table! { RawSnapshot {
    username: String = "FIRE".into(),
    password_env: String = "FIRELANE_SNAPSHOT_PASSWORD".into(),
}}
table! { RawLimits {
    connections: u32 = 64,
    write_buffer_kib: u32 = 16_384,
    datagrams_per_second: u32 = 20_000,
    waiting_datagrams: u32 = 65_536,
}}
table! { RawControl {
    socket: String = String::new(),
}}
table! { RawPort {
    username: String = "FIRE".into(),
    password_env: String = "FIRELANE_ENTRY_PASSWORD".into(),
    session: String = "ORDERS0001".into(),
    firm: String = "FIRE".into(),
    listen: String = "127.0.0.1:26400".into(),
    cancel_on_disconnect: bool = true,
    locate_required: bool = true,
}}

/// A text, or a list of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// An address to listen on.
fn address(key: &str, text: &str) -> Result<SocketAddr, ConfigError> {
    let allowed = "an IP address and a port, as in \"127.0.0.1:26400\"; no multicast";
    let address = text.parse::<SocketAddr>().ok().filter(|address| !address.ip().is_multicast());
    address.ok_or_else(|| refuse(key, format!("{text:?}"), allowed))
}

/// Addresses to send to.
fn destinations(key: &str, texts: &OneOrMore) -> Result<Vec<SocketAddr>, ConfigError> {
    let allowed = "one to 64 IP addresses with ports, none of them 0; multicast is IPv4";
    let texts: &[String] = match texts {
        OneOrMore::One(text) => std::slice::from_ref(text),
        OneOrMore::More(texts) => texts,
    };
    let good = |address: &SocketAddr| {
        address.port() > 0 && !(address.is_ipv6() && address.ip().is_multicast()) && !address.ip().is_unspecified()
    };
    let read = texts.iter().map(|text| text.parse::<SocketAddr>().ok().filter(good)).collect::<Option<Vec<_>>>();
    let read = read.filter(|addresses| (1..=64).contains(&addresses.len()));
    read.ok_or_else(|| refuse(key, format!("{texts:?}"), allowed))
}

/// One to `N` printable characters, padded with spaces.
fn filled<const N: usize>(key: &str, value: &str, allowed: &'static str) -> Result<[u8; N], ConfigError> {
    if value.is_empty() { Err(refuse(key, "\"\"", allowed)) } else { padded(key, value, allowed) }
}

fn username(key: &str, value: &str) -> Result<[u8; 6], ConfigError> {
    filled(key, value, "one to six printable characters")
}

impl VenueConfig {
    /// Reads and checks a configuration. An empty text is the default one.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first key that is wrong.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text)?;
        let file = |name: &str| (!name.is_empty()).then(|| PathBuf::from(name));
        if !(1..=64).contains(&raw.port.len()) {
            return Err(refuse("port", raw.port.len(), "one to 64 tables"));
        }
        let mut ports = Vec::new();
        let mut orders = Vec::new();
        for (at, port) in raw.port.iter().enumerate() {
            let key =
                |name: &str| if raw.port.len() == 1 { format!("port.{name}") } else { format!("port[{at}].{name}") };
            let (entry, listen) = port.checked(key)?;
            ports.push(entry);
            orders.push(listen);
        }
        let by_levels = word("kind", &raw.kind, &[("nasdaq", false), ("levels", true)], "\"nasdaq\" or \"levels\"")?;
        let users = ports.iter().map(|port: &PortEntry| port.username.map(|b| b.to_ascii_uppercase()));
        let addresses = raw.addresses.checked(orders.into_iter().zip(users).collect(), by_levels)?;
        let market = raw.market.checked()?;
        let setup = Setup {
            addresses,
            multicast: raw.addresses.multicast()?,
            faults: raw.market.faults()?,
            seed: raw.market.seed,
            speed: raw.market.speed()?,
            limits: raw.limits.checked()?,
        };
        let snapshot = SnapshotEntry {
            username: username("snapshot.username", &raw.snapshot.username)?,
            password_env: variable("snapshot.password_env", &raw.snapshot.password_env)?,
        };
        let end_seconds = within("end_seconds", raw.end_seconds, 0..=60, "0 to 60 seconds")?;
        let end_for = Nanos::from_secs(end_seconds.into());
        let (journal, control) = (file(&raw.journal), file(&raw.control.socket));
        Ok(VenueConfig { setup, market, ports, snapshot, end_for, journal, control })
    }
}

impl RawAddresses {
    /// `orders`: of each port its address, and who logs in there.
    fn checked(&self, orders: Vec<(SocketAddr, [u8; 6])>, by_levels: bool) -> Result<Addresses, ConfigError> {
        let lines = [destinations("addresses.line_a", &self.line_a)?, destinations("addresses.line_b", &self.line_b)?];
        let rerequest = address("addresses.rerequest", &self.rerequest)?;
        let snapshot = address("addresses.snapshot", &self.snapshot)?;
        let levels = address("addresses.levels", &self.levels)?;
        let market = if by_levels { levels } else { snapshot };
        // Whoever logs in is told apart by address and name.
        let mut taken = BTreeSet::new();
        for (listen, user) in orders.iter().filter(|(address, _)| address.port() > 0) {
            if *listen == market || !taken.insert((*listen, *user)) {
                let allowed = if by_levels {
                    "another address, or with another username, for each port, and not addresses.levels"
                } else {
                    "another address, or with another username, for each port, and not the snapshot server's"
                };
                return Err(refuse("port.listen", listen, allowed));
            }
        }
        Ok(Addresses {
            lines,
            rerequest,
            snapshot,
            levels: by_levels.then_some(levels),
            orders: orders.into_iter().map(|(address, _)| address).collect(),
        })
    }

    fn multicast(&self) -> Result<Multicast, ConfigError> {
        let interface = self.multicast_interface.parse::<Ipv4Addr>().ok().filter(|ip| !ip.is_multicast());
        let interface = interface.ok_or_else(|| {
            let allowed = "the IPv4 address of an interface, or 0.0.0.0 for the system's choice";
            refuse("addresses.multicast_interface", format!("{:?}", self.multicast_interface), allowed)
        })?;
        let ttl = within("addresses.multicast_ttl", self.multicast_ttl, 0..=255, "0 to 255")?;
        Ok(Multicast { interface, ttl, loopback: self.multicast_loop })
    }
}

impl RawMarket {
    fn checked(&self) -> Result<MarketConfig, ConfigError> {
        let codes = [("Q", b'Q'), ("B", b'B'), ("X", b'X')];
        let code = word("market.market", &self.market, &codes, "\"Q\" (Nasdaq), \"B\" (BX) or \"X\" (PSX)")?;
        Ok(MarketConfig {
            symbols: u16::try_from(within("market.symbols", self.symbols.into(), 1..=8_000, "1 to 8000")?).unwrap_or(1),
            rate: within("market.rate", self.rate, 1..=5_000_000, "1 to 5000000")?,
            itch: (!self.itch.is_empty()).then(|| PathBuf::from(&self.itch)),
            code,
            day: day("market.day", self.day)?,
        })
    }

    fn faults(&self) -> Result<Faults, ConfigError> {
        let words = [("none", Faults::None), ("light", Faults::Light), ("heavy", Faults::Heavy)];
        word("market.faults", &self.faults, &words, "\"none\", \"light\" or \"heavy\"")
    }

    fn speed(&self) -> Result<Speed, ConfigError> {
        Speed::times(self.speed).ok_or_else(|| refuse("market.speed", self.speed, "0.001 to 1000"))
    }
}

impl RawLimits {
    fn checked(&self) -> Result<Limits, ConfigError> {
        let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        let kib = within("limits.write_buffer_kib", self.write_buffer_kib, 64..=1 << 20, "64 to 1048576")?;
        Ok(Limits {
            connections: size(within("limits.connections", self.connections, 1..=1_024, "1 to 1024")?),
            write_buffer: size(kib) << 10,
            send_buffer: None,
            datagrams_per_second: within(
                "limits.datagrams_per_second",
                self.datagrams_per_second,
                100..=10_000_000,
                "100 to 10000000",
            )?,
            waiting_datagrams: size(within(
                "limits.waiting_datagrams",
                self.waiting_datagrams,
                1_024..=1 << 22,
                "1024 to 4194304",
            )?),
        })
    }
}

impl RawPort {
    fn checked(&self, key: impl Fn(&str) -> String) -> Result<(PortEntry, SocketAddr), ConfigError> {
        let firm = filled(&key("firm"), &self.firm, "four capital letters")?;
        if !firm.iter().all(u8::is_ascii_uppercase) {
            return Err(refuse(&key("firm"), format!("{:?}", self.firm), "four capital letters"));
        }
        let entry = PortEntry {
            username: username(&key("username"), &self.username)?,
            password_env: variable(&key("password_env"), &self.password_env)?,
            session: filled(&key("session"), &self.session, "one to ten printable characters")?,
            firm,
            cancel_on_disconnect: self.cancel_on_disconnect,
            locate_required: self.locate_required,
        };
        Ok((entry, address(&key("listen"), &self.listen)?))
    }
}

impl Addresses {
    /// Is every address, to listen on or to send to, one of this machine alone?
    #[must_use]
    pub fn are_loopback(&self) -> bool {
        let of_lines = [&self.rerequest, &self.snapshot].into_iter().chain(self.lines.iter().flatten());
        let of_lines = of_lines.filter(|_| self.levels.is_none());
        let mut all = self.orders.iter().chain(&self.levels).chain(of_lines);
        all.all(|address| address.ip().is_loopback())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_the_default_with_every_key_written_out() {
        assert_eq!(toml::from_str::<Raw>(SAMPLE).unwrap(), Raw::default());
        let written: toml::Table = SAMPLE.parse().unwrap();
        let keys: usize = written.values().map(|v| v.as_table().map_or(1, toml::Table::len)).sum();
        let in_port = written["port"].as_array().unwrap()[0].as_table().unwrap().len();
        assert_eq!((keys, in_port), (26, 7), "has a key been forgotten in the sample?");
        assert_eq!(VenueConfig::parse(SAMPLE).unwrap(), VenueConfig::parse("").unwrap());
    }

    #[test]
    fn an_error_names_the_key_and_the_range() {
        for (text, key, allowed) in [
            ("[market]\nsymbols = 0", "market.symbols", "1 to 8000"),
            ("[market]\nrate = 0", "market.rate", "1 to 5000000"),
            ("[market]\nfaults = \"some\"", "market.faults", "\"light\""),
            ("[market]\nspeed = 0.0", "market.speed", "0.001 to 1000"),
            ("[market]\nspeed = nan", "market.speed", "0.001 to 1000"),
            ("[market]\nmarket = \"N\"", "market.market", "(BX)"),
            ("[market]\nday = 1969-12-31", "market.day", "from 1970-01-01"),
            ("[addresses]\nline_a = \"127.0.0.1:0\"", "addresses.line_a", "none of them 0"),
            ("[addresses]\nline_b = []", "addresses.line_b", "one to 64"),
            ("[addresses]\nsnapshot = \"localhost\"", "addresses.snapshot", "an IP address and a port"),
            ("[addresses]\nmulticast_ttl = 256", "addresses.multicast_ttl", "0 to 255"),
            ("[addresses]\nmulticast_interface = \"eth0\"", "addresses.multicast_interface", "0.0.0.0"),
            ("[limits]\nconnections = 0", "limits.connections", "1 to 1024"),
            ("kind = \"both\"", "kind", "\"nasdaq\" or \"levels\""),
            ("[addresses]\nlevels = \"x\"", "addresses.levels", "an IP address and a port"),
            (
                "kind = \"levels\"\n[[port]]\nlisten = \"127.0.0.1:26405\"",
                "port.listen = 127.0.0.1:26405",
                "not addresses.levels",
            ),
            ("end_seconds = 61", "end_seconds", "0 to 60 seconds"),
            ("port = []", "port", "one to 64 tables"),
            ("[[port]]\nfirm = \"fire\"", "port.firm", "four capital letters"),
            ("[[port]]\nusername = \"SEVENCH\"", "port.username", "one to six"),
            ("[[port]]\nsession = \"\"", "port.session", "one to ten"),
            ("[[port]]\n[[port]]\n", "port.listen", "another address, or with another username, for each port"),
            ("[[port]]\nusername = \"a\"\n[[port]]\nusername = \"A\"\n", "port.listen", "another address, or"),
            ("[[port]]\n[[port]]\nlisten = \"x\"", "port[1].listen", "an IP address and a port"),
            ("nonsense = 1", "nonsense", "expected one of"),
            ("[market]\nsymbol = 1", "symbol", "expected one of"),
        ] {
            let error = VenueConfig::parse(text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(allowed), "{text:?} gives {error:?}");
        }
    }

    #[test]
    fn a_password_written_in_the_wrong_place_is_not_repeated() {
        let error = VenueConfig::parse("[snapshot]\npassword_env = \"my secret!\"").unwrap_err().to_string();
        assert!(error.contains("snapshot.password_env") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_written_is_what_is_meant() {
        let text = "[addresses]\nline_a = [\"239.1.1.1:5000\", \"10.0.0.1:5000\"]\n[market]\nspeed = 2.5\n\
                    day = 2024-11-20\n[[port]]\nlisten = \"127.0.0.1:0\"\n[[port]]\nlisten = \"127.0.0.1:0\"\nfirm = \"ABCD\"";
        let config = VenueConfig::parse(text).unwrap();
        assert_eq!(config.setup.addresses.lines.each_ref().map(Vec::len), [2, 1]);
        assert_eq!((config.setup.speed, config.market.day), (Speed(2_500), 20_047));
        assert_eq!(config.ports.iter().map(|port| port.firm).collect::<Vec<_>>(), [*b"FIRE", *b"ABCD"]);
        assert!(!config.setup.addresses.are_loopback());
        let loopback = |text: &str| VenueConfig::parse(text).unwrap().setup.addresses.are_loopback();
        assert!(loopback(""));
        // Where its lines would go concerns nobody at a venue that has none.
        let far = "[addresses]\nline_a = \"10.0.0.1:1\"\n";
        assert!(!loopback(far) && loopback(&format!("kind = \"levels\"\n{far}")));
        assert!(!loopback("kind = \"levels\"\n[addresses]\nlevels = \"0.0.0.0:1\"\n"));
        assert_eq!(VenueConfig::parse(far).unwrap().setup.addresses.levels, None);
    }
}
