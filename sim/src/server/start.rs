//! From a configuration to a venue that runs.

use super::{ConfigError, Running, ServerError, SinceStart, Speed, VenueConfig, VenueServer};
use crate::capture::binary_file::Messages;
use crate::capture::{self, CaptureError, Format};
use crate::exchange::{Exchange, Synthetic};
use crate::far_end::{FarEnd, FarEndConfig, Login};
use crate::journal::{Journal, JournalError};
use crate::net::Faults;
use crate::order_flow::FlowConfig;
use crate::playthrough::{RecordedDay, opening_of};
use crate::venue::acceptor::PortConfig;
use crate::venue::levels::LevelsConfig;
use firelane_gateway::base::{Digest, ExchangeTime, Mono, Nanos};
use firelane_gateway::flow::wire::itch50;
use firelane_gateway::flow::wire::soupbintcp::ServerConfig;
use firelane_gateway::shell::agent::Idle;
use std::path::{Path, PathBuf};

/// When the synthetic market opens: 9:30, in ns since midnight.
const OPENING: u64 = 34_200 * 1_000_000_000;

/// How often the end of the market-data session is said.
const END_EVERY: Nanos = Nanos::from_millis(100);

/// Why a venue did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A password is missing.
    #[error("{key} names the environment variable {variable}, which {problem}")]
    Password {
        /// The key that names it.
        key: String,
        /// The variable.
        variable: String,
        /// What is wrong with it; never what it holds.
        problem: &'static str,
    },
    /// The recorded day cannot be read.
    #[error("market.itch: {0}")]
    Recording(CaptureError),
    /// No message of ITCH 5.0 is in it.
    #[error("market.itch = {:?}: no message of ITCH 5.0 is in it; it is {looks_like}", path.display())]
    Nothing {
        /// Which file.
        path: PathBuf,
        /// What it looks like.
        looks_like: &'static str,
    },
    /// It is a capture of packets, and not a run of messages.
    #[error("market.itch = {:?}: holds packets; a venue plays a BinaryFILE", .0.display())]
    Packets(PathBuf),
    /// Its journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A socket or a thread.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Starts a venue on a thread of its own, which sleeps when there is nothing to do. `secret` knows what environment
/// variables hold.
///
/// # Errors
/// [`StartError`].
pub fn start(config: &VenueConfig, secret: &dyn Fn(&str) -> Option<String>) -> Result<Running, StartError> {
    let recording = config.market.itch.as_deref().map(load).transpose()?;
    Ok(Running::spawn(build(config, recording, secret)?, Idle::Park, None)?)
}

fn load(path: &Path) -> Result<Vec<u8>, StartError> {
    let recording = capture::read_all(path).map_err(StartError::Recording)?;
    match Format::of(&recording) {
        Format::BinaryFile if has_itch(&recording) => Ok(recording),
        Format::BinaryFile => {
            Err(StartError::Nothing { path: path.to_owned(), looks_like: capture::looks_like(&recording) })
        }
        Format::Pcap | Format::PcapNg => Err(StartError::Packets(path.to_owned())),
    }
}

fn has_itch(recording: &[u8]) -> bool {
    Messages::new(recording).flatten().any(|message| itch50::check(message).is_ok())
}

/// A venue with its sockets open and its day begun, or gone on with where its journal ends. It does not run yet.
/// `recording` is the recorded day that it plays (`BinaryFILE`, decompressed), if any.
///
/// # Errors
/// [`StartError`].
pub fn build(
    config: &VenueConfig,
    recording: Option<Vec<u8>>,
    secret: &dyn Fn(&str) -> Option<String>,
) -> Result<VenueServer, StartError> {
    let setup = &config.setup;
    let password = |key: String, variable: &str| {
        let wrong = |problem| StartError::Password { key: key.clone(), variable: variable.to_owned(), problem };
        let text = secret(variable).ok_or_else(|| wrong("is not set"))?;
        let good = (1..=10).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !good {
            return Err(wrong("does not hold one to ten printable characters"));
        }
        let mut padded = [b' '; 10];
        padded[..text.len()].copy_from_slice(text.as_bytes());
        Ok(padded)
    };
    let mut ports = Vec::new();
    for (at, entry) in config.ports.iter().enumerate() {
        let password = password(format!("port[{at}].password_env"), &entry.password_env)?;
        let mut port = PortConfig::new(entry.username, password, entry.session, entry.firm);
        port.entitlements.locate_required = entry.locate_required;
        port.cancel_on_disconnect = entry.cancel_on_disconnect;
        keep_patience(&mut port.login, setup.speed);
        ports.push(port);
    }
    let by_levels = setup.addresses.levels.is_some();
    let snapshot = Login {
        username: config.snapshot.username,
        password: match by_levels {
            // Nobody can come to that server.
            true => [b' '; 10],
            false => password("snapshot.password_env".to_owned(), &config.snapshot.password_env)?,
        },
    };
    let mut around = FarEndConfig::under(setup.faults, setup.seed, snapshot);
    around.levels = by_levels.then(|| LevelsConfig::under(setup.faults, config.market.day));
    around.publisher.end_for = config.end_for;
    around.publisher.end_every = END_EVERY;
    keep_pace(&mut around, setup.speed);

    let epoch = match &recording {
        Some(recording) => opening_of(recording, config.market.day),
        None => ExchangeTime::new(config.market.day, OPENING),
    };
    let mut far_end = match &config.journal {
        Some(path) => {
            let journal = Journal::open(path, digest(config, recording.as_deref(), &ports), epoch)?;
            let exchange = exchange(config, recording, ports, journal.epoch());
            FarEnd::resume(around, exchange, journal)?
        }
        None => FarEnd::new(around, exchange(config, recording, ports, epoch), Mono(0)),
    };
    if far_end.latest().is_none() {
        far_end.open(Mono(0));
    }
    let from = far_end.latest().unwrap_or(Mono(0));
    Ok(VenueServer::bind(setup, far_end, Box::new(SinceStart::default()), from)?)
}

fn exchange(
    config: &VenueConfig,
    recording: Option<Vec<u8>>,
    ports: Vec<PortConfig>,
    epoch: ExchangeTime,
) -> Box<dyn Exchange> {
    let market = &config.market;
    if let Some(recording) = recording {
        return Box::new(RecordedDay::new(recording, epoch, market.code, ports));
    }
    let symbols = usize::from(market.symbols);
    let flow = FlowConfig {
        symbols,
        rate: market.rate,
        live_orders: (100 * symbols).clamp(1_000, 100_000),
        ..FlowConfig::default()
    };
    Box::new(Synthetic::new(epoch, flow, ports, config.setup.faults, config.setup.seed))
}

/// Of everything in a configuration that decides what the exchange does with the same inputs: a journal belongs to one
/// of these. Passwords are no part of it: a replay needs none, as who was let in is journaled, and whoever had the file
/// could try passwords against the digest. So they may change between two starts, and the new ones count from then on.
fn digest(config: &VenueConfig, recording: Option<&[u8]>, ports: &[PortConfig]) -> u64 {
    let mut digest = Digest::default();
    let VenueConfig { setup, market, .. } = config;
    let faults = match setup.faults {
        Faults::None => 0,
        Faults::Light => 1,
        Faults::Heavy => 2,
    };
    for number in [
        setup.seed,
        faults,
        setup.speed.0.into(),
        market.symbols.into(),
        market.rate.into(),
        market.code.into(),
        market.day.into(),
        recording.map_or(0, Digest::of),
        ports.len() as u64,
    ] {
        digest.u64(number);
    }
    for port in ports {
        digest.bytes(&port.login.username);
        digest.bytes(&port.login.session);
        port.entitlements.firms.iter().for_each(|firm| digest.bytes(firm));
        digest.u64(port.cancel_on_disconnect.into());
        digest.u64(port.entitlements.locate_required.into());
    }
    digest.value()
}

/// Clients live by the machine's clock, whatever the venue's does.
fn keep_patience(login: &mut ServerConfig, speed: Speed) {
    for time in [&mut login.heartbeat_interval, &mut login.dead_after, &mut login.login_timeout] {
        *time = speed.of(*time);
    }
}

/// And so do lines and servers.
fn keep_pace(config: &mut FarEndConfig, speed: Speed) {
    let scale = |time: &mut Nanos| *time = speed.of(*time);
    let FarEndConfig { publisher, rerequest, glimpse, levels, .. } = config;
    levels.iter_mut().for_each(|levels| scale(&mut levels.heartbeat));
    scale(&mut publisher.heartbeat);
    scale(&mut publisher.end_for);
    scale(&mut publisher.end_every);
    for line in &mut publisher.lines {
        scale(&mut line.wait);
    }
    scale(&mut rerequest.period);
    scale(&mut glimpse.pace);
    scale(&mut glimpse.refresh);
    keep_patience(&mut glimpse.login, speed);
}
