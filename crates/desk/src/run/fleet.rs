//! A run of several lanes: one process, one screen, one control socket, and of each lane its own log, tape and report.

use super::files::Kept;
use super::report::{Ending, Report};
use super::{LOOK, Show, observers};
use crate::beside::BesideLive;
use crate::check;
use crate::cli::{Run, dash};
use crate::control::{self, Fleet as Answers, Served, Tapes};
use crate::detector;
use crate::money::Fills;
use crate::replay::{counted, group};
use crate::screen::{Level, Screen, Style};
use crate::times::{self, span};
use crate::wirings;
use anyhow::{Context, Result, anyhow, bail};
use firelane_gateway::base::PerVenue;
use firelane_gateway::flow::record::StatusBody;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, Fleet, NetConfig, VenueConfig, lane_path};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::lanes::{self, Ended, LaneSetup, Lanes, LanesError, LanesHandle, Phase, Why};
use firelane_gateway::shell::live::{LiveError, Logins, Setup};
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::plan::{Cores, Plan, Seat};
use firelane_gateway::shell::share::SharedTape;
use firelane_gateway::shell::signals::{self, LastWords};
use firelane_gateway::shell::sync::Stop;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// `run --json` of several lanes. The layout is stable: fields are added, never renamed or removed.
#[derive(Serialize)]
struct All {
    /// Why the process ended: as the first of its lanes that did not end as it was asked to, if there is one.
    ended: Ending,
    /// All of them as they should: the exit code is 0.
    clean: bool,
    /// What each leaves behind.
    lanes: Vec<Report>,
}

/// What there is of a lane besides itself.
struct Around {
    header: FileHeader,
    log: Kept,
    tape: Kept,
    fills: Fills,
    beside: BesideLive,
    unshared: Option<String>,
}

pub(super) fn run(options: &Run, path: &Path, fleet: &Fleet) -> Result<ExitCode> {
    if [&options.log, &options.tape].into_iter().flatten().any(|path| dash(path)) {
        bail!("standard output (-) takes one log or tape, and there are {} lanes: name a file", fleet.lanes.len());
    }
    let plan = lanes::plan(fleet, &Cores::here()).with_context(|| format!("{}: threads", path.display()))?;
    let words = LastWords::default();
    let (end, kill) = (signals::asked_to_end(words.clone())?, signals::kill_switch()?);
    let socket =
        fleet.lanes.first().and_then(|config| config.live.control.as_deref()).map(control::bind).transpose()?;
    let clock = Clock::new();
    let built = build(path, fleet, &clock)?;
    let (mut around, setups) = around(options, path, built, &clock)?;
    let started = Lanes::start(setups, &clock, kill, fleet.firm.as_ref(), &plan);
    let lanes = started.map_err(|error| {
        discard(&around);
        explained(error, fleet, &around)
    })?;
    let handle = lanes.handle().clone();
    for (member, around) in handle.members().iter().zip(&mut around) {
        around.beside.commands(&member.handle)?;
    }
    words.are(last_words(handle.clone(), fleet));
    let screen = Rc::new(Screen::new(Style::of(&options.telling, options.json, clock.began())));
    let shows = fleet.lanes.iter().zip(handle.members()).zip(&around).map(|((config, member), around)| {
        let mut show = Show::new(Rc::clone(&screen), config, member.handle.clone());
        show.files = [&around.log, &around.tape].map(Kept::name);
        show
    });
    let mut shown = Shown { shows: shows.collect(), screen, lanes, clock: clock.clone(), began: Instant::now() };
    shown.greet(fleet, &plan, &around);
    let served = socket.map(|bound| serve(bound, &handle, &clock, fleet, &around, &end)).transpose()?;
    let asked = shown.until_the_end(&end, options.seconds.map(Duration::from_secs));
    let reports = shown.end(asked, fleet, &plan, &around);
    drop(served);
    report(options, reports)
}

fn report(options: &Run, lanes: Vec<Report>) -> Result<ExitCode> {
    let clean = lanes.iter().all(Report::is_clean);
    let ended = lanes.iter().map(Report::ended).find(|ended| *ended != Ending::Asked).unwrap_or(Ending::Asked);
    let code = if clean { ExitCode::SUCCESS } else { ExitCode::from(1) };
    let all = All { ended, clean, lanes };
    if options.json || options.telling.log_format == crate::cli::LogFormat::Json {
        crate::output::json(&all)?;
        return Ok(code);
    }
    for (n, report) in all.lanes.iter().enumerate() {
        if n > 0 {
            say!();
        }
        report.print();
    }
    Ok(code)
}

/// A lane that is built, with what it logs in with.
type Built<'a> = (&'a Config, Box<dyn Lane>, PerVenue<Logins>);

/// All lanes: whatever is wrong with any of them is said before a file is made.
fn build<'a>(path: &Path, fleet: &'a Fleet, clock: &Clock) -> Result<Vec<Built<'a>>> {
    let of = |config: &'a Config| -> Result<Built<'a>> {
        let passwords = config.passwords(|name| std::env::var(name).ok())?;
        detector::within_budget(config)?;
        Ok((config, wirings::build(config, Some(clock.clone()))?, passwords.into()))
    };
    let named =
        |config: &'a Config| of(config).with_context(|| format!("{}: lane {:?}", path.display(), config.lane.name));
    fleet.lanes.iter().map(named).collect()
}

/// The files of each, and what it is started with.
fn around<'a>(
    options: &Run,
    path: &Path,
    built: Vec<Built<'a>>,
    clock: &Clock,
) -> Result<(Vec<Around>, Vec<LaneSetup<'a>>)> {
    let (mut all, mut setups) = (Vec::new(), Vec::new());
    for (config, lane, logins) in built {
        let header = wirings::header(config, &*lane).began_at(clock.began());
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| lane_path(path, &config.lane.name));
        let files = Kept::at(at(&options.log).as_deref(), &[path]).and_then(|log| {
            let tape = Kept::at(at(&options.tape).as_deref(), &[path]).inspect_err(|_| log.discard())?;
            Ok((log, tape))
        });
        let (log, tape) = files.inspect_err(|_| discard(&all))?;
        let (share, unshared) = match SharedTape::of(&config.live, &header) {
            Ok(share) => (share, None),
            Err(why) => (None, Some(crate::without_number(&why))),
        };
        let fills = Fills::default();
        let beside = BesideLive::of(config)?;
        let setup = Setup {
            logins,
            log: log.sheet(&header),
            tape: tape.sheet(&header),
            share,
            observers: observers(&fills, &beside),
            commanders: BesideLive::COMMANDERS.to_vec(),
            ..Setup::default()
        };
        setups.push(LaneSetup { config, lane, setup });
        all.push(Around { header, log, tape, fills, beside, unshared });
    }
    Ok((all, setups))
}

/// Nothing came of the run: neither of its files.
fn discard(around: &[Around]) {
    around.iter().flat_map(|around| [&around.log, &around.tape]).for_each(Kept::discard);
}

fn explained(error: LanesError, fleet: &Fleet, around: &[Around]) -> anyhow::Error {
    let LanesError::Lane { lane, error } = error else { return error.into() };
    let of = fleet.lanes.iter().zip(around).find(|(config, _)| config.lane.name == lane).map(|(_, around)| around);
    match (error, of) {
        (LiveError::File { name: "log", error }, Some(around)) => anyhow!("--log {}: {error}", around.log.name()),
        (LiveError::File { error, .. }, Some(around)) => anyhow!("--tape {}: {error}", around.tape.name()),
        (error, _) => anyhow!("lane {lane:?}: {error}"),
    }
}

fn serve(
    bound: control::Bound,
    handle: &LanesHandle,
    clock: &Clock,
    fleet: &Fleet,
    around: &[Around],
    end: &Stop,
) -> Result<Served> {
    let unshared = around.iter().map(|around| around.unshared.clone()).collect();
    let mut answers = Answers::new(handle.clone(), clock, &fleet.lanes, end.clone(), unshared);
    let tapes = handle.members().iter().zip(around);
    let tapes =
        tapes.map(|(member, around)| (member.name.clone(), member.handle.tape().clone(), around.header.clone()));
    let most = fleet.lanes.iter().map(|config| config.live.tape_clients).max().unwrap_or(0);
    bound.serve_with(move |line| answers.answer(line), Some(Tapes::of(tapes.collect(), most)))
}

/// What is said when it is ended at once: what may live at each venue.
fn last_words(handle: LanesHandle, fleet: &Fleet) -> impl Fn() -> String + Send + 'static {
    let orders: Vec<_> = fleet.lanes.iter().map(check::orders_to).collect();
    move || {
        let of = |(member, orders): (&lanes::LaneHandle, &_)| {
            let name = &member.name;
            match member.handle.board().try_lock().map(|board| board.status.live.get()) {
                Some(0) if member.handle.is_over() => format!("no order of lane {name} lives at {orders}"),
                Some(0) => format!("whether an order of lane {name} lives at {orders} is not known"),
                Some(live) => format!("{} orders of lane {name} may live at {orders}", group(live)),
                None => format!("how many orders of lane {name} live at {orders} is not known"),
            }
        };
        let all: Vec<String> = handle.members().iter().zip(&orders).map(of).collect();
        let ask = "Ask the venue, or start the gateway again: it learns what lives there and cancels it.";
        format!("Ended at once: {}. {ask}", all.join("; "))
    }
}

/// Where a venue of a lane is, in short.
fn ends(venue: &VenueConfig, net: &NetConfig) -> Vec<String> {
    let mut all = Vec::new();
    if venue.is_named() {
        all.push(format!("    venue       {venue} ({})", venue.kind.word()));
    }
    let lines = net.lines.iter().take(net.line_count).map(ToString::to_string);
    all.push(match net.stream {
        Some(stream) => format!("    levels      from {stream} (TCP)"),
        None => format!("    lines       at {} (UDP)", lines.collect::<Vec<_>>().join(" and ")),
    });
    let user = venue.entry.login.username;
    all.push(format!("    order entry to {} (TCP), user {}", net.orders, user.trim_ascii().escape_ascii()));
    all
}

/// The lanes, and what a person sees of them.
struct Shown {
    shows: Vec<Show>,
    screen: Rc<Screen>,
    lanes: Lanes,
    clock: Clock,
    began: Instant,
}

impl Shown {
    fn greet(&self, fleet: &Fleet, plan: &Plan, around: &[Around]) {
        let line = |text: &str| self.screen.line(text);
        let process = std::process::id();
        line(&format!("Gateway of {} lanes, process {process}", fleet.lanes.len()));
        let now = times::utc(self.clock.began()).get(..16).unwrap_or_default().replace('T', " ");
        line(&format!("  clock         {}, {now} UTC", self.clock.source()));
        if let Some(path) = fleet.lanes.first().and_then(|config| config.live.control.as_ref()) {
            line(&format!("  control       {} (--lane NAME for one of them)", path.display()));
        }
        for (config, around) in fleet.lanes.iter().zip(around) {
            line(&format!(
                "  lane {}: {}, layout {}",
                config.lane.name,
                config.wiring,
                config.live.threads.layout.word()
            ));
            for ((_, venue), (_, net)) in config.venues.iter().zip(config.live.net.iter()) {
                ends(venue, net).iter().for_each(|text| line(text));
            }
            for (what, file) in [("log", around.log.name()), ("tape", around.tape.name())] {
                if !file.is_empty() {
                    line(&format!("    {what:<11} {file}"));
                }
            }
            let day = check::another_day(config, self.clock.began());
            for warning in check::limits(config).iter().chain(&day) {
                line(&format!("    Warning: {warning}."));
            }
        }
        plan.to_string().lines().for_each(|text| line(&format!("  {text}")));
        line(&format!("  Ctrl-C ends all in order; kill -USR1 {process} throws the kill switch of all."));
        for (show, around) in self.shows.iter().zip(around) {
            around.unshared.iter().for_each(|why| show.say(Level::Warn, self.clock.now(), why));
        }
    }

    /// What has happened in each since the last look; all together in the line that moves.
    fn tell(&mut self) {
        let mut sum = [0; 4];
        for show in &mut self.shows {
            let (status, _) = show.look();
            let of = |status: &StatusBody| [status.messages, status.orders, status.fills, status.live].map(|n| n.get());
            sum.iter_mut().zip(of(&status)).for_each(|(sum, one)| *sum += one);
        }
        let [messages, orders, fills, live] = sum;
        self.screen.now(format!(
            "{:.0} s, {} lanes: {}",
            self.began.elapsed().as_secs_f64(),
            self.shows.len(),
            counted(&[(messages, "messages"), (orders, "orders"), (fills, "fills"), (live, "live")])
        ));
    }

    /// Runs until it is told to end, or all have ended of themselves. Was it told to?
    fn until_the_end(&mut self, end: &Stop, limit: Option<Duration>) -> bool {
        let mut told = vec![false; self.shows.len()];
        loop {
            self.lanes.tend();
            self.tell();
            for (lane, told) in told.iter_mut().enumerate() {
                let why = match self.lanes.phase(lane) {
                    Some(Phase::Ending(why) | Phase::Ended(why)) if !*told => why,
                    _ => continue,
                };
                *told = true;
                let (level, text) = match why {
                    Why::Failed => (Level::Error, "it cannot go on, and ends; the others go on."),
                    Why::Over | Why::Asked => (Level::Info, "order entry is over, and it ends; the others go on."),
                };
                self.shows[lane].say(level, self.clock.now(), text);
            }
            if self.lanes.all_ended() {
                return false;
            }
            if end.is_stopped() || limit.is_some_and(|limit| self.began.elapsed() >= limit) {
                return true;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Ends those that still run, all at once, and reports of each.
    fn end(mut self, asked: bool, fleet: &Fleet, plan: &Plan, around: &[Around]) -> Vec<Report> {
        if asked {
            let longest = fleet.lanes.iter().map(|config| config.live.shutdown_timeout.0).max().unwrap_or(0);
            let text = format!(
                "Ending: orders of all lanes are cancelled, answers waited for, at most {}; again to end at once.",
                span(longest)
            );
            self.screen.event(Level::Info, Duration::from_nanos(self.clock.now().0), &text);
        }
        self.lanes.end();
        while !self.lanes.all_ended() {
            self.lanes.tend();
            self.tell();
            std::thread::sleep(Duration::from_millis(2));
        }
        self.tell();
        self.screen.clear();
        let Shown { shows, lanes, .. } = self;
        let ended = lanes.finish().into_iter().zip(&fleet.lanes).zip(&shows).zip(around);
        let of = |(((ended, config), show), around): (((Ended, &Config), &Show), &Around)| {
            let ending = match ended.why {
                Why::Asked => Ending::Asked,
                Why::Over => Ending::Over,
                Why::Failed => Ending::Failed,
            };
            let begins = format!("{}.", config.lane.name);
            let seats: Vec<Seat> = plan.seats().iter().filter(|seat| seat.name.starts_with(&begins)).cloned().collect();
            let (files, how) = ((&around.log, &around.tape), (ending, ended.answered));
            let mut report = Report::of(config, &seats, show, how, ended.outcome, files, &around.fills);
            report.beside = around.beside.reports();
            report
        };
        ended.map(of).collect()
    }
}
