//! `firelane demo`: gateway and venue against each other, over sockets or on a virtual clock, then every order, fill and
//! book compared.

mod chart;
mod report;
mod sockets;
mod virtual_clock;

use crate::cli::{Demo, Faults, Layout};
use crate::detector;
use crate::outfile::{check_dashes, stream};
use crate::replay::input::{self, Recording};
use crate::settings;
use crate::wirings;
use anyhow::{Result, bail};
use firelane_gateway::base::Nanos;
use firelane_gateway::shell::config::Config;
use firelane_sim::net;
use firelane_sim::world::WorldConfig;
use report::Report;
use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn run(options: &Demo) -> Result<ExitCode> {
    if options.print_config {
        say!("{}", wirings::sample().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let report = play(options)?;
    if options.json {
        crate::output::json(&report)?;
    } else {
        report.print();
    }
    Ok(if report.reconciled { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Runs both sides and says what came of it.
fn play(options: &Demo) -> Result<Report> {
    let [itch, config, log, tape] =
        [&options.itch, &options.config, &options.log, &options.tape].map(|path| path.as_deref());
    check_dashes(&[itch, config], &[log, tape], options.json);
    let recording = options.itch.as_deref().map(input::load).transpose()?;
    let config = read_config(options, recording.as_ref())?;
    detector::within_budget(&config)?;
    if options.virtual_clock {
        virtual_clock::play(options, &config, recording)
    } else {
        sockets::play(options, config, recording)
    }
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
    let layout = options.layout.map(|layout| match layout {
        Layout::Fused => "fused",
        Layout::Split => "split",
    });
    let sets = settings::watched(&options.set, options.detector.as_deref());
    let Some(path) = &options.config else {
        let usual = Config::parse("")?;
        let (symbols, orders) = (usual.instruments.max(symbols), usual.venues.first().books.orders.max(orders));
        let levels = usual.venues.first().books.levels.max(levels);
        let layout = layout.map_or(String::new(), |layout| format!("\n[threads]\nlayout = \"{layout}\"\n"));
        let text =
            format!("[instruments]\ncapacity = {symbols}\n\n[books]\norders = {orders}\nlevels = {levels}\n{layout}");
        return settings::with(&text, &sets, Some(wirings::first()));
    };
    let config = settings::gateway(Some(path), &sets, Some(wirings::first()))?;
    settings::of_one_venue(&config, "a demo")?;
    if recording.is_none() && config.directory && config.instruments < symbols {
        bail!("--symbols {symbols}: instruments.capacity = {} has no room for them", config.instruments);
    }
    if let Some(layout) = layout.filter(|layout| config.live.threads.layout.word() != *layout) {
        bail!("--layout {layout}: {} says threads.layout = {:?}", path.display(), config.live.threads.layout.word());
    }
    Ok(config)
}

/// How bad everything is, who may log in, and what is planned.
fn world_config(options: &Demo, config: &Config) -> WorldConfig {
    let faults = match options.faults {
        None => net::Faults::None,
        Some(Faults::Light) => net::Faults::Light,
        Some(Faults::Heavy) => net::Faults::Heavy,
    };
    let mut world = WorldConfig::new(options.seed, faults, Nanos::from_secs(options.seconds));
    world.orders.username = config.venues.first().entry.login.username;
    if let Some(snapshot) = &config.venues.first().feed.snapshot {
        world.snapshot.username = snapshot.username;
    }
    world
}

/// The firm that the venue knows the gateway as.
fn firm(config: &Config) -> [u8; 4] {
    config.venues.first().entry.firm.unwrap_or(*b"DEMO")
}

/// Log and tape, as far as they are to be kept. Made once nothing else can be wrong, and before anything is sent.
fn files(options: &Demo) -> Result<[Option<File>; 2]> {
    let mut others: Vec<&Path> =
        [&options.itch, &options.config, &options.detector].into_iter().flatten().map(AsRef::as_ref).collect();
    let make = |path: &Path, others: &[&Path]| stream(path, others, options.force, "--force writes it over");
    let log = options.log.as_deref().map(|path| make(path, &others)).transpose()?;
    others.extend(options.log.as_deref());
    let tape = options.tape.as_deref().map(|path| make(path, &others)).transpose()?;
    Ok([log, tape])
}

#[cfg(test)]
mod tests;
