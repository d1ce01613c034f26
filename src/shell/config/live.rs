//! The part of the configuration that only a lane on real sockets and threads needs.

use super::check::{within, word};
use super::{Config, ConfigError, NetConfig, VenueConfig, VenueKind};
use crate::base::{Nanos, PerVenue};
use crate::flow::wire::soupbintcp::Password;
use crate::shell::net::{LineAddress, parse_address};
use crate::shell::plan::{CoreWish, IdleWish, Missing};
use serde::Deserialize;
use std::path::PathBuf;

/// How the lane's work is shared out among threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// Feed and core one after the other on one thread.
    Fused,
    /// A thread each, and a ring between them.
    Split,
}

impl Layout {
    /// As a configuration writes it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Layout::Fused => "fused",
            Layout::Split => "split",
        }
    }
}

/// Threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ThreadConfig {
    /// Who shares a thread.
    pub layout: Layout,
    /// What the hot threads do when there is nothing to do.
    pub idle: IdleWish,
    /// Cores of the hot threads, in the order lane (or feed), core; the system places those for which there is none.
    pub cores: Vec<CoreWish>,
    /// What becomes of a wish that cannot be had.
    pub missing: Missing,
    /// Bytes of the ring from feed to core in layout split.
    pub ring: usize,
}

/// Everything of a live lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LiveConfig {
    /// Where the venues are, in the order of their numbers.
    pub net: PerVenue<NetConfig>,
    /// Threads.
    pub threads: ThreadConfig,
    /// Bytes of the log's ring.
    pub log_ring: usize,
    /// Bytes of the tape's ring.
    pub tape_ring: usize,
    /// Bytes of the ring that the tape's readers share.
    pub tape_readers: usize,
    /// The file that the tape's readers in other processes map, if there is to be one.
    pub tape_shared: Option<PathBuf>,
    /// Readers of the tape over the control socket, at a time.
    pub tape_clients: usize,
    /// How often the lane says on the tape how it is doing.
    pub status_every: Nanos,
    /// Commands that may wait.
    pub commands: usize,
    /// How long a shutdown waits for the venue's answers.
    pub shutdown_timeout: Nanos,
    /// The control socket, if there is to be one.
    pub control: Option<PathBuf>,
}

table! { pub(super) RawNet {
    line_a: String = "127.0.0.1:26401".into(),
    line_b: String = "127.0.0.1:26402".into(),
    rerequest: String = "127.0.0.1:26403".into(),
    snapshot: String = "127.0.0.1:26404".into(),
    stream: String = "127.0.0.1:26405".into(),
    orders: String = "127.0.0.1:26400".into(),
    receive_buffer_bytes: u32 = 8_388_608,
    send_queue_bytes: u32 = 65_536,
    connect_timeout_ms: u64 = 3_000,
}}
table! { pub(super) RawThreads {
    layout: String = "fused".into(),
    idle: String = "auto".into(),
    cores: Vec<usize> = Vec::new(),
    when_missing: String = "replace".into(),
    ring_bytes: u32 = 4_194_304,
}}
table! { pub(super) RawTape {
    ring_bytes: u32 = 16_777_216,
    status_ms: u64 = 200,
    readers_bytes: u32 = 8_388_608,
    shared: String = String::new(),
    clients: u32 = 4,
}}
table! { pub(super) RawControl {
    socket: String = String::new(),
    commands: u32 = 64,
    shutdown_timeout_ms: u64 = 10_000,
}}

/// No record is longer than a ring of this size holds, together with all that one input causes.
pub(crate) const SMALLEST_RING: u32 = 1 << 21;
/// An eighth of it holds the longest record.
const SMALLEST_FOR_READERS: u32 = 1 << 20;
const RING: &str = "2097152 to 1073741824";

fn ring(key: &str, bytes: u32) -> Result<usize, ConfigError> {
    Ok(within(key, bytes, SMALLEST_RING..=1 << 30, RING)? as usize)
}

impl RawNet {
    /// Of a venue whose keys begin so, and whose feed has so many lines if it is of a kind that has any.
    pub(super) fn checked(&self, prefix: &str, lines: u8, kind: VenueKind) -> Result<NetConfig, ConfigError> {
        let wrong = |key: &str, error: &dyn std::fmt::Display| ConfigError::Address {
            key: format!("net.{key}"),
            error: error.to_string(),
        };
        let line = |key: &str, text: &str| text.parse::<LineAddress>().map_err(|e| wrong(key, &e));
        let server = |key: &str, text: &str| parse_address(text).map_err(|e| wrong(key, &e));
        within("net.receive_buffer_bytes", self.receive_buffer_bytes, 4_096..=1 << 30, "4096 to 1073741824")?;
        within("net.send_queue_bytes", self.send_queue_bytes, 4_096..=1 << 26, "4096 to 67108864")?;
        within("net.connect_timeout_ms", self.connect_timeout_ms, 1..=600_000, "1 to 600000")?;
        let stream = server("stream", &self.stream)?;
        let (lines, stream) = match kind {
            VenueKind::Nasdaq => (lines, None),
            VenueKind::Levels => (0, Some(stream)),
        };
        Ok(NetConfig {
            key: format!("{prefix}net."),
            lines: [line("line_a", &self.line_a)?, line("line_b", &self.line_b)?],
            line_count: usize::from(lines),
            stream,
            rerequest: server("rerequest", &self.rerequest)?,
            snapshot: server("snapshot", &self.snapshot)?,
            orders: server("orders", &self.orders)?,
            receive_buffer: self.receive_buffer_bytes as usize,
            send_queue: self.send_queue_bytes as usize,
            connect_timeout: Nanos::from_millis(self.connect_timeout_ms),
        })
    }
}

impl RawThreads {
    fn checked(&self) -> Result<ThreadConfig, ConfigError> {
        let layouts = [("fused", Layout::Fused), ("split", Layout::Split)];
        let missing = [("replace", Missing::Replace), ("refuse", Missing::Refuse)];
        let idles = "\"auto\", \"spin\", \"yield\" or \"park\"";
        Ok(ThreadConfig {
            layout: word("threads.layout", &self.layout, &layouts, "\"fused\" or \"split\"")?,
            idle: word("threads.idle", &self.idle, &IdleWish::WORDS, idles)?,
            cores: self.cores.iter().map(|core| CoreWish::Exactly(*core)).collect(),
            missing: word("threads.when_missing", &self.when_missing, &missing, "\"replace\" or \"refuse\"")?,
            ring: ring("threads.ring_bytes", self.ring_bytes)?,
        })
    }
}

/// The tables of a live lane, checked.
pub(super) fn checked(
    net: PerVenue<NetConfig>,
    threads: &RawThreads,
    log_ring: u32,
    tape: &RawTape,
    control: &RawControl,
) -> Result<LiveConfig, ConfigError> {
    within("tape.status_ms", tape.status_ms, 10..=60_000, "10 to 60000")?;
    within("tape.clients", tape.clients, 0..=64, "0 to 64")?;
    within("control.commands", control.commands, 1..=65_536, "1 to 65536")?;
    within("control.shutdown_timeout_ms", control.shutdown_timeout_ms, 1..=600_000, "1 to 600000")?;
    Ok(LiveConfig {
        net,
        threads: threads.checked()?,
        log_ring: ring("log.ring_bytes", log_ring)?,
        tape_ring: ring("tape.ring_bytes", tape.ring_bytes)?,
        tape_readers: within(
            "tape.readers_bytes",
            tape.readers_bytes,
            SMALLEST_FOR_READERS..=1 << 30,
            "1048576 to 1073741824",
        )? as usize,
        tape_shared: (!tape.shared.is_empty()).then(|| PathBuf::from(&tape.shared)),
        tape_clients: tape.clients as usize,
        status_every: Nanos::from_millis(tape.status_ms),
        commands: control.commands as usize,
        shutdown_timeout: Nanos::from_millis(control.shutdown_timeout_ms),
        control: (!control.socket.is_empty()).then(|| PathBuf::from(&control.socket)),
    })
}

/// A password that is not to be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("{key} names the environment variable {variable}, which is not set: set it to the password")]
    Missing {
        /// The configuration's key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// It is set to what cannot be a password.
    #[error("the password in {variable} (named by {key}) must be at most ten printable ASCII characters")]
    Unfit {
        /// The configuration's key.
        key: String,
        /// The variable.
        variable: String,
    },
}

/// The passwords of a venue.
#[derive(Clone, Copy, Debug)]
pub struct Passwords {
    /// Of order entry.
    pub orders: Password,
    /// Of the snapshot server, where the venue has one.
    pub snapshot: Option<Password>,
}

impl VenueConfig {
    /// Its passwords, from the variables that the configuration names.
    ///
    /// # Errors
    /// [`SecretError`]; it never shows what is set.
    pub fn passwords(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Passwords, SecretError> {
        let one = |key: &str, name: &String| {
            let key = self.key(key);
            let Some(text) = variable(name) else { return Err(SecretError::Missing { key, variable: name.clone() }) };
            let good = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_graphic());
            if !good {
                return Err(SecretError::Unfit { key, variable: name.clone() });
            }
            let mut padded = [b' '; 10];
            padded[..text.len()].copy_from_slice(text.as_bytes());
            Ok(Password(padded))
        };
        let orders = one("entry.password_env", &self.secrets.entry)?;
        let snapshot = match self.kind {
            VenueKind::Nasdaq => Some(one("feed.snapshot.password_env", &self.secrets.snapshot)?),
            VenueKind::Levels => None,
        };
        Ok(Passwords { orders, snapshot })
    }
}

impl Config {
    /// The passwords of all venues, from the variables that the configuration names.
    ///
    /// # Errors
    /// [`SecretError`] of the first that is not to be had; it never shows what is set.
    pub fn passwords(&self, variable: impl Fn(&str) -> Option<String>) -> Result<PerVenue<Passwords>, SecretError> {
        self.venues.try_map(|_, venue| venue.passwords(&variable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_come_from_the_named_variables_and_show_nowhere() {
        let text = "[entry]\npassword_env = \"E\"\n[feed.snapshot]\npassword_env = \"S\"";
        let config = Config::parse(text).unwrap();
        let set = |name: &str| Some(format!("{name}-secret"));
        let Passwords { orders, snapshot } = *config.passwords(set).unwrap().first();
        assert_eq!((orders.0, snapshot.unwrap().0), (*b"E-secret  ", *b"S-secret  "));
        let missing = config.passwords(|name| (name == "E").then(|| "x".to_owned())).unwrap_err().to_string();
        assert!(
            missing.contains("S, which is not set") && missing.starts_with("feed.snapshot.password_env"),
            "{missing}"
        );
        let unfit = config.passwords(|_| Some("far too long a secret".into())).unwrap_err().to_string();
        assert!(unfit.contains("at most ten") && !unfit.contains("secret"), "{unfit}");
    }

    #[test]
    fn every_limit_is_named_with_its_key() {
        for (text, key, allowed) in [
            ("[net]\nline_a = \"nowhere\"", "net.line_a", "must be ip:port"),
            ("[net]\norders = \"127.0.0.1:99999\"", "net.orders", "a port between 0 and 65535"),
            ("[net]\nstream = \"127.0.0.1\"", "net.stream", "a port between 0 and 65535"),
            ("[net]\nsend_queue_bytes = 4095", "net.send_queue_bytes", "4096 to 67108864"),
            ("[net]\nreceive_buffer_bytes = 4095", "net.receive_buffer_bytes", "4096 to 1073741824"),
            ("[net]\nconnect_timeout_ms = 0", "net.connect_timeout_ms", "1 to 600000"),
            ("[threads]\nlayout = \"both\"", "threads.layout", "\"fused\" or \"split\""),
            ("[threads]\nidle = \"nap\"", "threads.idle", "\"park\""),
            ("[threads]\nring_bytes = 2097151", "threads.ring_bytes", RING),
            ("[log]\nring_bytes = 1", "log.ring_bytes", RING),
            ("[tape]\nring_bytes = 1", "tape.ring_bytes", RING),
            ("[tape]\nstatus_ms = 9", "tape.status_ms", "10 to 60000"),
            ("[tape]\nreaders_bytes = 1048575", "tape.readers_bytes", "1048576 to 1073741824"),
            ("[tape]\nreaders_bytes = 1073741825", "tape.readers_bytes", "1048576 to 1073741824"),
            ("[tape]\nclients = 65", "tape.clients", "0 to 64"),
            ("[control]\ncommands = 0", "control.commands", "1 to 65536"),
            ("[control]\nshutdown_timeout_ms = 600001", "control.shutdown_timeout_ms", "1 to 600000"),
        ] {
            let error = Config::parse(text).unwrap_err().to_string();
            assert!(error.contains(key) && error.contains(allowed), "{text:?} gives {error:?}");
        }
        for text in [
            "[threads]\nring_bytes = 2097152",
            "[tape]\nstatus_ms = 10",
            "[tape]\nreaders_bytes = 1048576",
            "[tape]\nreaders_bytes = 1073741824",
            "[tape]\nclients = 0",
            "[tape]\nclients = 64",
            "[net]\nsend_queue_bytes = 4096",
        ] {
            assert!(Config::parse(text).is_ok(), "{text}");
        }
    }
}
