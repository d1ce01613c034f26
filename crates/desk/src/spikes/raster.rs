//! `firelane spikes raster`: what a network heard and did, as a picture: spikes in, spikes of each population, voltages, detections.

mod picture;

use crate::cli::SpikesRaster;
use crate::detector::SIGNAL;
use crate::layout::sentence;
use crate::outfile::{OutFile, check_dashes};
use crate::replay::{input, orders};
use crate::{progress, settings, wirings};
use anyhow::{Context, Result, bail};
use firelane_gateway::base::{Nanos, Symbol};
use firelane_gateway::flow::outbox::Output;
use firelane_gateway::flow::record::{Kind, RecordHeader, SignalBody};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Recorder as Lane;
use firelane_kernels::detector::Settings;
use firelane_kernels::detector::file::Time;
use firelane_kernels::detector::tape::Beside;
use firelane_kernels::detector::watcher::LAGGING;
use firelane_kernels::spikes::golden::Golden;
use firelane_kernels::spikes::{
    Capabilities, Counters, Device, Fault, Program, Refused, Rules, Software, Spike, Step, Variable,
};
use firelane_sim::backtest::{Backtest, BacktestConfig};
use picture::{Axis, Picture, Rows, Trace, some};
use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use zerocopy::FromBytes;

pub(super) fn run(options: &SpikesRaster) -> Result<ExitCode> {
    check_dashes(&[Some(&options.source), options.detector.as_deref()], &[Some(&options.output)], false);
    let read_from: Vec<&Path> =
        [Some(&options.source), options.detector.as_ref()].into_iter().flatten().map(AsRef::as_ref).collect();
    let picture = match &options.detector {
        Some(detector) => of_recording(options, detector)?,
        None => of_network(options)?,
    };
    let mut out = OutFile::create(&options.output, &read_from, options.force)?;
    let written = out.write_all(picture.svg().as_bytes()).and_then(|()| out.finish());
    written.with_context(|| format!("writing {}", options.output.display()))?;
    say!("{}", sentence(&picture.summary(), 2));
    Ok(ExitCode::SUCCESS)
}

/// A step of a network, as it is drawn.
#[derive(Clone, Debug, Default)]
struct Drawn {
    /// When it began: nanoseconds since midnight, or its number.
    at: i64,
    heard: Vec<Spike>,
    fired: Vec<Spike>,
    /// Voltages of the neurons that are followed.
    voltages: Vec<i32>,
}

/// A device that writes down what another one does: all of it, whatever is read out.
struct Followed {
    device: Software,
    /// Its spikes, of all populations.
    all: Vec<Spike>,
    /// Whose are wanted; `None`: everybody's.
    read: Option<Vec<usize>>,
    /// Whose voltages.
    neurons: Vec<(usize, usize)>,
    steps: Rc<RefCell<Vec<Drawn>>>,
}

impl Followed {
    fn of(neurons: Vec<(usize, usize)>, steps: Rc<RefCell<Vec<Drawn>>>) -> Self {
        Followed { device: Software::best(), all: Vec::new(), read: None, neurons, steps }
    }
}

impl Device for Followed {
    fn capabilities(&self) -> Capabilities {
        self.device.capabilities()
    }

    fn load(&mut self, program: &Program) -> Result<(), Refused> {
        (self.all, self.read) = (vec![Spike::default(); program.neurons()], None);
        Device::load(&mut self.device, program)
    }

    fn read_out(&mut self, populations: &[usize]) -> Result<(), Fault> {
        self.read = Some(populations.to_vec());
        Ok(())
    }

    fn step(&mut self, events: &[Spike], out: &mut [Spike]) -> Result<Step, Fault> {
        let step = self.device.step(events, &mut self.all)?;
        let fired = self.all.get(..step.spikes).unwrap_or_default();
        let voltage = |&(population, unit): &(usize, usize)| self.device.probe(Variable::Voltage, population, unit);
        self.steps.borrow_mut().push(Drawn {
            at: 0,
            heard: events.to_vec(),
            fired: fired.to_vec(),
            voltages: self.neurons.iter().map(voltage).collect::<Result<_, _>>()?,
        });
        let wanted = |spike: &&Spike| self.read.as_ref().is_none_or(|read| read.contains(&spike.node.into()));
        out.iter_mut().zip(fired.iter().filter(wanted)).for_each(|(to, spike)| *to = *spike);
        let spikes = fired.iter().filter(wanted).count();
        Ok(Step { spikes, lost: spikes.saturating_sub(out.len()), ..step })
    }

    fn submit(&mut self, _: &[Spike]) -> Result<(), Fault> {
        Err(Fault::Device("only whole steps are drawn"))
    }

    fn poll(&mut self, _: &mut [Spike]) -> Result<Option<Step>, Fault> {
        Err(Fault::Nothing)
    }

    fn restart(&mut self) -> Result<(), Fault> {
        self.device.restart()
    }

    fn probe(&self, variable: Variable, population: usize, unit: usize) -> Result<i32, Fault> {
        self.device.probe(variable, population, unit)
    }

    fn poke(&mut self, variable: Variable, population: usize, unit: usize, value: i32) -> Result<(), Fault> {
        self.device.poke(variable, population, unit, value)
    }

    fn counters(&self) -> Counters {
        self.device.counters()
    }

    fn overflows(&self, population: usize) -> Result<u64, Fault> {
        self.device.overflows(population)
    }
}

/// What is seen of a recording, step by step.
struct Seen {
    beside: Beside<Followed>,
    steps: Rc<RefCell<Vec<Drawn>>>,
    /// Steps taken: those that are drawn, once they are wanted.
    kept: Vec<Drawn>,
    alerts: Vec<(i64, String)>,
    settings: Settings,
    /// The step by a clock that waits.
    now: Option<u64>,
    number: i64,
    wanted: Wanted,
    most: usize,
}

/// Where the picture begins.
#[derive(Clone, Copy)]
enum Wanted {
    /// Nowhere: the first alert is looked for.
    Alert,
    /// At the first step that begins then or later, as steps are told of.
    From(i64),
    /// At the first event stamped then or later.
    Stamp(u64),
}

impl Seen {
    fn new(settings: &Settings, config: &Config, wanted: Wanted, most: usize) -> Result<Self> {
        let steps = Rc::new(RefCell::new(Vec::new()));
        let neurons: Vec<_> =
            settings.alerts().iter().map(|a| (usize::from(a.population), usize::from(a.unit))).collect();
        let device = || Followed::of(neurons.clone(), Rc::clone(&steps));
        let beside = Beside::new(settings, config.instruments, SIGNAL, device)?;
        let (kept, alerts, settings) = (Vec::new(), Vec::new(), settings.clone());
        Ok(Seen { beside, steps, kept, alerts, settings, now: None, number: 0, wanted, most })
    }

    /// Is all there that is wanted?
    fn is_done(&self) -> bool {
        self.kept.len() >= self.most || (matches!(self.wanted, Wanted::Alert) && !self.alerts.is_empty())
    }

    fn on_record(&mut self, record: &[u8]) {
        let Ok((header, body)) = RecordHeader::ref_from_prefix(record) else { return };
        let Ok(body) = SignalBody::ref_from_bytes(body) else { return };
        // One instrument is drawn: the first.
        if header.kind != Kind::Signal as u8 || body.instrument.get() != 0 || self.is_done() {
            return;
        }
        let (alerts, settings) = (&mut self.alerts, &self.settings);
        let mut lagged = false;
        self.beside.on_record(record, |told| {
            lagged |= told.raised.code == LAGGING;
            let alert = (told.raised.code as usize).checked_sub(1).and_then(|n| settings.alerts().get(n));
            alerts.extend(alert.map(|alert| (told.raised.second, alert.name.clone())));
        });
        let taken = std::mem::take(&mut *self.steps.borrow_mut());
        self.date(body.at.get(), taken, lagged);
    }

    /// Says of each step that was taken when it began, and keeps those that are wanted.
    fn date(&mut self, at: u64, taken: Vec<Drawn>, lagged: bool) {
        let count = taken.len() as u64;
        for (n, mut step) in (0..).zip(taken) {
            self.number += 1;
            step.at = match self.settings.time() {
                Time::Event => self.number,
                // They are those before the one that waits now; behind a silence that was too long, the one that waited.
                Time::Dt(dt) if lagged => (self.now.unwrap_or(at / dt) * dt).cast_signed(),
                Time::Dt(dt) => ((at / dt - count + n) * dt).cast_signed(),
            };
            let wanted = match self.wanted {
                Wanted::Alert => false,
                Wanted::From(from) => step.at >= from,
                Wanted::Stamp(from) => at >= from,
            };
            if wanted && self.kept.len() < self.most {
                self.kept.push(step);
            }
        }
        if let Time::Dt(dt) = self.settings.time() {
            self.now = Some(at / dt);
        }
    }
}

/// A detector over a recording.
fn of_recording(options: &SpikesRaster, detector: &Path) -> Result<Picture> {
    let sets = settings::watched(&options.set, Some(detector));
    let place = "detector.place=beside".parse().ok().context("the place of the detector")?;
    let sets: Vec<_> = sets.into_iter().chain([place]).collect();
    let config = settings::with("wiring = \"listener\"", &sets, None)?;
    let Some((settings, _)) = crate::detector::of(&config)? else { bail!("{}: is no detector", detector.display()) };
    let symbol = options.symbol.as_deref();
    let symbol = symbol.map(|text| Symbol::new(text).with_context(|| format!("--symbol {text:?}: is no symbol")));
    let symbol = symbol.transpose()?;
    let most = options.steps;
    let unit = if let Time::Dt(dt) = settings.time() { dt.cast_signed() } else { 1 };
    let wanted = match options.from {
        Some(Clock(at)) => Wanted::Stamp(at),
        None => {
            let seen = watch(options, &config, &settings, symbol, Wanted::Alert)?;
            // A third of the picture is what led to it; without an alert, it begins with the recording.
            let before = (most / 3 * 2) as i64 * unit;
            seen.alerts.first().map_or(Wanted::Stamp(0), |(at, _)| Wanted::From(at - before))
        }
    };
    let seen = watch(options, &config, &settings, symbol, wanted)?;
    if seen.kept.is_empty() {
        let of = symbol.map_or("it".to_owned(), |symbol| symbol.to_string());
        bail!(
            "{}: there is nothing of {of} to draw from there on: another --symbol, or an earlier --from",
            options.source.display()
        );
    }
    Ok(picture(options, settings.name(), settings.program(), &settings, seen))
}

/// One pass over the recording, as far as it is needed.
fn watch(
    options: &SpikesRaster,
    config: &Config,
    settings: &Settings,
    symbol: Option<Symbol>,
    wanted: Wanted,
) -> Result<Seen> {
    let recording = input::load(&options.source)?;
    let config = orders::configure(config.clone(), &recording, symbol, true);
    let spinner = progress::spinner("watching");
    let venue = config.venues.first();
    let none = Nanos(1);
    let mut backtest = BacktestConfig::new(venue.day, venue.entry.login.username, *b"FIRE", none, none);
    backtest.market = venue.trading.market;
    let lane = Lane::new(wirings::build(&config, None)?);
    let mut run = Backtest::new(&backtest, recording.into_bytes(), Vec::new(), lane);
    let mut seen = Seen::new(settings, &config, wanted, options.steps)?;
    while !seen.is_done() {
        let goes_on = run.step_with(&mut |_, _, output| {
            if let Output::Tape(record) = output {
                seen.on_record(record);
            }
        })?;
        if !goes_on {
            break;
        }
    }
    spinner.finish_and_clear();
    Ok(seen)
}

fn picture(options: &SpikesRaster, name: &str, program: &Program, settings: &Settings, seen: Seen) -> Picture {
    let axis = match settings.time() {
        Time::Event => Axis::Steps,
        Time::Dt(_) => Axis::Clock,
    };
    let traces = settings.alerts().iter().map(|alert| {
        let cells = program.cells().get(usize::from(alert.population));
        (alert.name.clone(), cells.map_or(0, |cells| cells.above))
    });
    let (first, last) = (seen.kept.first().map_or(0, |step| step.at), seen.kept.last().map_or(0, |step| step.at));
    let alerts = seen.alerts.iter().filter(|(at, _)| (first..=last).contains(at)).cloned().collect();
    let of = options.symbol.clone().unwrap_or_default();
    let source = options.source.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned());
    draw(format!("{name}: {source} {of}").trim_end().to_owned(), axis, program, &seen.kept, traces.collect(), alerts)
}

/// A network over the inputs of its file.
fn of_network(options: &SpikesRaster) -> Result<Picture> {
    let name = || options.source.display().to_string();
    let bytes = std::fs::read(&options.source).with_context(name)?;
    let hint = || format!("{}: a network (JSON) is drawn alone, a recording with --detector FILE", name());
    let text = String::from_utf8(bytes).ok().with_context(hint)?;
    let golden = Golden::parse(&text).with_context(hint)?;
    if golden.steps() == 0 {
        bail!("{}: it has no inputs of its own: there is nothing to draw", name());
    }
    let rules = if golden.is_lavas() { Rules::LAVA } else { Rules::default() };
    let program = Program::check(golden.network(), &rules).with_context(name)?;
    let neurons: Vec<(usize, usize)> = (0..)
        .zip(program.cells())
        .flat_map(|(population, cells)| (0..cells.n).map(move |unit| (population, unit)))
        .take(picture::TRACES)
        .collect();
    let traces = neurons.iter().map(|(population, unit)| {
        let cells = &program.cells()[*population];
        (format!("{} {unit}", cells.id), cells.above)
    });
    let traces = traces.collect();
    let steps = Rc::new(RefCell::new(Vec::new()));
    let mut device = Followed::of(neurons, Rc::clone(&steps));
    Device::load(&mut device, &program)?;
    let (mut events, mut out) = (Vec::new(), vec![Spike::default(); program.neurons()]);
    for step in 0..golden.steps().min(options.steps) {
        golden.events(step, &mut events);
        device.step(&events, &mut out)?;
    }
    let mut all = steps.take();
    all.iter_mut().zip(1..).for_each(|(step, number)| step.at = number);
    let title = if golden.network().name.is_empty() { name() } else { golden.network().name.clone() };
    Ok(draw(title, Axis::Steps, &program, &all, traces, Vec::new()))
}

fn draw(
    title: String,
    axis: Axis,
    program: &Program,
    steps: &[Drawn],
    traces: Vec<(String, i32)>,
    alerts: Vec<(i64, String)>,
) -> Picture {
    let rows = |name: &str, units: usize, node: usize, of: fn(&Drawn) -> &[Spike]| Rows {
        name: name.to_owned(),
        units,
        spikes: steps
            .iter()
            .flat_map(|step| of(step).iter().map(move |spike| (step.at, spike)))
            .filter(|(_, spike)| usize::from(spike.node) == node)
            .map(|(at, spike)| (at, usize::from(spike.unit)))
            .collect(),
    };
    let inputs = program.inputs().iter().enumerate().map(|(n, (id, units))| rows(id, *units, n, |step| &step.heard));
    let populations =
        program.cells().iter().enumerate().map(|(n, cells)| rows(&cells.id, cells.n, n, |step| &step.fired));
    let trace = |(n, (name, threshold)): (usize, (String, i32))| Trace {
        name,
        threshold,
        values: steps.iter().filter_map(|step| Some((step.at, *step.voltages.get(n)?))).collect(),
    };
    Picture {
        title,
        axis,
        steps: steps.iter().map(|step| step.at).collect(),
        rows: inputs.chain(populations).collect(),
        traces: traces.into_iter().enumerate().take(picture::TRACES).map(trace).collect(),
        alerts,
    }
}

/// A time of day: nanoseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Clock(u64);

impl std::str::FromStr for Clock {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be a time of day: HH:MM:SS or HH:MM:SS.sss, with up to nine digits";
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let parts: Vec<u64> = whole.split(':').map(|part| part.parse().map_err(|_| WRONG)).collect::<Result<_, _>>()?;
        let [hours, minutes, seconds] = parts[..] else { return Err(WRONG) };
        let digits = (1..=9).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if hours > 23 || minutes > 59 || seconds > 59 || !digits {
            return Err(WRONG);
        }
        let part: u64 = format!("{part:0<9}").parse().map_err(|_| WRONG)?;
        Ok(Clock(((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + part))
    }
}

impl Picture {
    /// What it shows, in a line.
    fn summary(&self) -> String {
        let spikes = self.rows.iter().map(|rows| rows.spikes.len()).sum();
        let alerts: Vec<&str> = self.alerts.iter().map(|(_, name)| name.as_str()).collect();
        format!(
            "{}: {}, {}, {}, alerts: {}.",
            self.title,
            some(self.steps.len(), "step"),
            some(spikes, "spike"),
            some(self.traces.len(), "voltage"),
            if alerts.is_empty() { "none".to_owned() } else { alerts.join(", ") }
        )
    }
}

#[cfg(test)]
mod tests;
