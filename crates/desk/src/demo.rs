//! `firelane demo`: gateway and venue in one thread on a virtual clock, then every order, fill and book compared.

mod report;

use crate::cli::{Demo, Faults};
use crate::replay::input::{self, Recording};
use crate::{progress, wirings};
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{ExchangeTime, Nanos};
use firelane_gateway::flow::wire::itch50::{self, Message, codes};
use firelane_gateway::shell::config::{Config, SAMPLE};
use firelane_gateway::shell::lane::Recorder;
use firelane_gateway::shell::log::FileHeader;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::flow::FlowConfig;
use firelane_sim::net;
use firelane_sim::playthrough::{RecordedDay, time_of};
use firelane_sim::venue::acceptor::PortConfig;
use firelane_sim::world::{World, WorldConfig};
use report::Report;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// When the market opens: 9:30, in ns since midnight.
const OPENING: u64 = 34_200 * 1_000_000_000;

pub(crate) fn run(options: &Demo) -> Result<ExitCode> {
    if options.print_config {
        print!("{SAMPLE}");
        return Ok(ExitCode::SUCCESS);
    }
    let report = play(options)?;
    if options.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        report.print();
    }
    Ok(if report.reconciled { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Runs the world and says what came of it.
fn play(options: &Demo) -> Result<Report> {
    let recording = options.itch.as_deref().map(input::load).transpose()?;
    let config = read_config(options, recording.as_ref())?;
    let world_config = world_config(options, &config);
    let exchange = match recording {
        Some(recording) => recorded(recording, &config, &world_config),
        None => synthetic(options, &config, &world_config)?,
    };
    let mut world = World::new(world_config, recorder(options, &config)?, exchange);

    let bar = progress::virtual_time(options.seconds * 1_000);
    let began = Instant::now();
    let outcome = world.run(|now| {
        bar.set_position(now.0 / 1_000_000);
        bar.set_message(format!("{:.1} of {} virtual seconds", now.0 as f64 / 1e9, options.seconds));
    });
    let wall = began.elapsed();
    bar.finish_and_clear();

    let report = Report::of(options, &config, &world, outcome.err(), wall);
    world.finish().context("ending log and tape")?;
    Ok(report)
}

/// The configuration. The default one is given room for what the market holds, in its text too, so that a log stands
/// alone.
fn read_config(options: &Demo, recording: Option<&Recording>) -> Result<Config> {
    let (symbols, orders, levels) = match recording {
        Some(recording) => {
            let room = recording.capacity(false);
            (room.instruments, room.orders, room.levels)
        }
        None => (usize::from(options.symbols), 0, 0),
    };
    let Some(path) = &options.config else {
        let usual = Config::parse("")?;
        let (symbols, orders) = (usual.instruments.max(symbols), usual.books.orders.max(orders));
        let levels = usual.books.levels.max(levels);
        let text = format!("[instruments]\ncapacity = {symbols}\n\n[books]\norders = {orders}\nlevels = {levels}\n");
        return Ok(Config::parse(&text)?);
    };
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let config = Config::parse(&text).with_context(|| path.display().to_string())?;
    if recording.is_none() && config.directory && config.instruments < symbols {
        bail!("--symbols {symbols}: instruments.capacity = {} has no room for them", config.instruments);
    }
    Ok(config)
}

fn world_config(options: &Demo, config: &Config) -> WorldConfig {
    let faults = match options.faults {
        None => net::Faults::None,
        Some(Faults::Light) => net::Faults::Light,
        Some(Faults::Heavy) => net::Faults::Heavy,
    };
    let mut world = WorldConfig::new(options.seed, faults, Nanos::from_secs(options.seconds));
    world.orders.username = config.entry.login.username;
    if let Some(snapshot) = &config.feed.snapshot {
        world.snapshot.username = snapshot.username;
    }
    world
}

/// A seeded market.
fn synthetic(options: &Demo, config: &Config, world: &WorldConfig) -> Result<Box<dyn Exchange>> {
    let symbols = usize::from(options.symbols);
    let flow = FlowConfig {
        symbols,
        rate: u32::try_from(options.rate)?,
        live_orders: (100 * symbols).clamp(1_000, 100_000),
        ..FlowConfig::default()
    };
    let epoch = ExchangeTime::new(config.day, OPENING);
    Ok(Box::new(Synthetic::new(epoch, flow, vec![port(config, world)], world.faults, options.seed)))
}

/// A recorded day, from the start of its market hours on, or from its first message if it does not say when they are.
/// What was recorded before that is there at once.
fn recorded(recording: Recording, config: &Config, world: &WorldConfig) -> Box<dyn Exchange> {
    let midnight = ExchangeTime::new(config.day, 0);
    let mut messages = recording.messages().filter_map(Result::ok);
    let first = messages.next();
    let opening = first.into_iter().chain(messages).find(|message| {
        matches!(itch50::decode(message), Ok(Message::SystemEvent(m)) if m.event_code == codes::event::START_OF_MARKET_HOURS)
    });
    let epoch = opening.or(first).map_or(midnight, |message| time_of(message, midnight));
    let market = config.trading.market;
    Box::new(RecordedDay::new(recording.into_bytes(), epoch, market, vec![port(config, world)]))
}

fn port(config: &Config, world: &WorldConfig) -> PortConfig {
    world.port(config.entry.firm.unwrap_or(*b"DEMO"))
}

fn recorder(options: &Demo, config: &Config) -> Result<Recorder> {
    let mut recorder = Recorder::new(wirings::build(config, None)?);
    let listed = config.listed.iter().map(|row| row.symbol.to_string()).collect();
    let header = FileHeader::new(&config.wiring, &config.text, listed, config.effects);
    if let Some(path) = &options.log {
        recorder.log_to(create(path)?, &header).with_context(|| path.display().to_string())?;
    }
    if let Some(path) = &options.tape {
        recorder.tape_to(create(path)?, &header).with_context(|| path.display().to_string())?;
    }
    Ok(recorder)
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| path.display().to_string())?;
    Ok(BufWriter::with_capacity(1 << 18, file))
}

#[cfg(test)]
mod tests;
