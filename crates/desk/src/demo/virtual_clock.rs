//! `firelane demo --virtual`: both sides in one thread on a virtual clock. The same options give the same run, bit for
//! bit.

use super::report::{Account, Report};
use super::{files, firm, world_config};
use crate::beside::Beside;
use crate::cli::Demo;
use crate::replay::input::Recording;
use crate::{progress, wirings};
use anyhow::{Context, Result};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_gateway::flow::outbox::Output;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Recorder;
use firelane_sim::clock::utc_offset;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::playthrough::{RecordedDay, opening_of};
use firelane_sim::world::{Place, Seat, World, WorldConfig};
use std::cell::RefCell;
use std::io::BufWriter;
use std::time::Instant;

/// When the market opens: 9:30, in ns since midnight.
const OPENING: u64 = 34_200 * 1_000_000_000;

pub(super) fn play(options: &Demo, config: &Config, recording: Option<Recording>) -> Result<Report> {
    let world_config = world_config(options, config);
    let (exchange, epoch) = match recording {
        Some(recording) => recorded(recording, config, &world_config),
        None => synthetic(options, config, &world_config)?,
    };
    let mut world = World::of_one(&world_config, recorder(options, config)?, exchange);
    if config.venues.first().day > 0 {
        world.set_utc(Seat::FIRST, utc_offset(epoch));
    }

    let bar = progress::time(options.seconds * 1_000);
    let began = Instant::now();
    let beside = RefCell::new(Beside::of(config)?);
    let hear = |now, record: &[u8]| beside.borrow_mut().on_record(now, record, |_, _| ());
    let mut looked = Mono(0);
    let outcome = world.run_with(
        &mut |_, now, output| {
            if let Output::Tape(record) = output {
                hear(now, record);
            }
        },
        |world| {
            let now = world.now();
            for command in beside.borrow_mut().commands() {
                world.command(Seat::FIRST, now, &command.bytes().read());
            }
            if now.since(looked) >= Nanos::from_millis(10) {
                looked = now;
                bar.set_position(now.0 / 1_000_000);
                bar.set_message(format!("{:.1} of {} virtual seconds", now.0 as f64 / 1e9, options.seconds));
            }
        },
    );
    let wall = began.elapsed();
    bar.finish_and_clear();

    let differences = world.reconcile().iter().map(ToString::to_string).collect();
    let account = Account {
        lane: world.lane(Seat::FIRST),
        tape: world.tape(Seat::FIRST).counts(),
        volumes: world.tape(Seat::FIRST).traded().clone(),
        symbols: world.exchange(Place::FIRST).symbols().len(),
        stats: world.stats(),
        summary: world.recorder(Seat::FIRST).summary(),
        seconds: world.now().0 as f64 / 1e9,
        traded: options.seconds as f64,
        wall,
        differences,
        tape_error: None,
        error: outcome.err().map(|error| error.to_string()),
        beside: beside.borrow().reports(),
        live: None,
    };
    let report = Report::of(options, config, &account);
    world.finish().context("ending log and tape")?;
    Ok(report)
}

/// A market, and its time when the virtual clock is zero.
type Opened = (Box<dyn Exchange>, ExchangeTime);

/// A seeded market.
fn synthetic(options: &Demo, config: &Config, world: &WorldConfig) -> Result<Opened> {
    let symbols = usize::from(options.symbols);
    let flow = FlowConfig {
        symbols,
        rate: u32::try_from(options.rate)?,
        live_orders: (100 * symbols).clamp(1_000, 100_000),
        ..FlowConfig::default()
    };
    let epoch = ExchangeTime::new(config.venues.first().day, OPENING);
    let ports = vec![world.port(firm(config))];
    Ok((Box::new(Synthetic::new(epoch, flow, ports, world.faults, options.seed)), epoch))
}

/// A recorded day, from the start of its market hours on, or from its first message if it does not say when they are.
/// What was recorded before that is there at once.
fn recorded(recording: Recording, config: &Config, world: &WorldConfig) -> Opened {
    let bytes = recording.into_bytes();
    let epoch = opening_of(&bytes, config.venues.first().day);
    let day = RecordedDay::new(bytes, epoch, config.venues.first().trading.market, vec![world.port(firm(config))]);
    (Box::new(day), epoch)
}

fn recorder(options: &Demo, config: &Config) -> Result<Recorder> {
    let mut recorder = Recorder::new(wirings::build(config, None)?);
    let header = wirings::header(config, recorder.lane());
    let buffered = |file| BufWriter::with_capacity(1 << 18, file);
    let [log, tape] = files(options)?;
    if let (Some(path), Some(file)) = (&options.log, log) {
        recorder.log_to(buffered(file), &header).with_context(|| path.display().to_string())?;
    }
    if let (Some(path), Some(file)) = (&options.tape, tape) {
        recorder.tape_to(buffered(file), &header).with_context(|| path.display().to_string())?;
    }
    Ok(recorder)
}
