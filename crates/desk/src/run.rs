//! `firelane run`: the gateway as a process of its own, on real sockets and threads.

mod files;
mod fleet;
mod report;

use crate::beside::BesideLive;
use crate::check;
use crate::cli::Run;
use crate::control::{self, Gateway, Tapes};
use crate::detector;
use crate::money::Fills;
use crate::notices::Notices;
use crate::outfile;
use crate::replay::{counted, group};
use crate::screen::{Level, Screen, Style};
use crate::settings;
use crate::times::{self, in_short, span};
use crate::wirings;
use anyhow::{Context, Result, anyhow};
use files::Kept;
use firelane_gateway::base::Mono;
use firelane_gateway::flow::Word;
use firelane_gateway::flow::entry::Fault;
use firelane_gateway::flow::record::StatusBody;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, NetConfig, VenueConfig};
use firelane_gateway::shell::latency::Percentiles;
use firelane_gateway::shell::live::{Handle, Live, LiveError, Observer, Setup, wishes};
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::share::SharedTape;
use firelane_gateway::shell::signals::{self, LastWords};
use firelane_gateway::shell::sync::Stop;
use report::{Ending, Report};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &Run) -> Result<ExitCode> {
    if options.print_config {
        say!("{}", settings::printed(&wirings::sample(), "firelane"));
        return Ok(ExitCode::SUCCESS);
    }
    let path = options.config.as_deref().context("which configuration?")?;
    outfile::check_dashes(&[], &[&options.log, &options.tape].map(|path| path.as_deref()), options.json);
    let fleet = settings::fleet(path, &options.set)?;
    match fleet.lanes.as_slice() {
        [config] if fleet.is_alone() => alone(options, path, config),
        _ => fleet::run(options, path, &fleet),
    }
}

/// A lane that is the only one.
fn alone(options: &Run, path: &Path, config: &Config) -> Result<ExitCode> {
    let passwords = config.passwords(|name| std::env::var(name).ok()).with_context(|| path.display().to_string())?;
    let threads = &config.live.threads;
    let plan = Plan::new(&wishes(threads), &Cores::here(), threads.missing)
        .with_context(|| format!("{}: threads", path.display()))?;
    let words = LastWords::default();
    let (end, kill) = (signals::asked_to_end(words.clone())?, signals::kill_switch()?);
    let socket = config.live.control.as_deref().map(control::bind).transpose()?;
    let clock = Clock::new();
    // Whatever is wrong with it is said before a file is made.
    detector::within_budget(config)?;
    let lane = wirings::build(config, Some(clock.clone()))?;
    let mut beside = BesideLive::of(config)?;
    let header = wirings::header(config, &*lane).began_at(clock.began());
    let log = Kept::at(options.log.as_deref(), &[path])?;
    let tape = Kept::at(options.tape.as_deref(), &[path]).inspect_err(|_| log.discard())?;
    let fills = Fills::default();
    let (share, unshared) = match SharedTape::of(&config.live, &header) {
        Ok(share) => (share, None),
        Err(why) => (None, Some(crate::without_number(&why))),
    };
    let setup = Setup {
        kill,
        logins: passwords.into(),
        log: log.sheet(&header),
        tape: tape.sheet(&header),
        share,
        observers: observers(&fills, &beside),
        commanders: BesideLive::COMMANDERS.to_vec(),
        ..Setup::default()
    };
    let live = Live::start(lane, &config.live, clock.clone(), setup, &plan);
    let live =
        live.inspect_err(|_| [&log, &tape].into_iter().for_each(Kept::discard)).map_err(|error| match error {
            LiveError::File { name: "log", error } => anyhow!("--log {}: {error}", log.name()),
            LiveError::File { error, .. } => anyhow!("--tape {}: {error}", tape.name()),
            other => other.into(),
        })?;
    let handle = live.handle().clone();
    beside.commands(&handle)?;
    words.are(last_words(config, handle.clone(), clock.clone()));
    let mut show = Show::new(
        Rc::new(Screen::new(Style::of(&options.telling, options.json, clock.began()))),
        config,
        handle.clone(),
    );
    show.files = [&log, &tape].map(Kept::name);
    show.greet(config, &plan, &clock);
    if let Some(why) = &unshared {
        show.say(Level::Warn, clock.now(), why);
    }
    let mut answers = Gateway::new(handle.clone(), clock.clone(), config, end.clone());
    answers.unshared = unshared;
    let tapes = Tapes::new(handle.tape().clone(), header, config.live.tape_clients);
    let served = socket.map(|bound| bound.serve_with(move |line| answers.answer(line), Some(tapes)));
    let served = served.transpose()?;

    let _started = handle.command(Word::Start);
    let ending = show.until_the_end(&live, &end, options.seconds.map(Duration::from_secs));
    let answered = show.end(&live, ending, config.live.shutdown_timeout.0);
    let outcome = live.finish();
    drop(served);
    show.tell();
    show.screen.clear();
    let mut report = Report::of(config, plan.seats(), &show, (ending, answered), outcome, (&log, &tape), &fills);
    report.beside = beside.reports();
    if show.screen.style().ends_with_an_object() {
        crate::output::json(&report)?;
    } else {
        report.print();
    }
    Ok(report.exit_code())
}

/// Who hears the tape in this process.
fn observers(fills: &Fills, beside: &BesideLive) -> Vec<Box<dyn Observer>> {
    let fills: Box<dyn Observer> = Box::new(fills.clone());
    [fills].into_iter().chain(beside.observers()).collect()
}

/// What is said when it is ended at once: what may live at the venue.
fn last_words(config: &Config, handle: Handle, clock: Clock) -> impl Fn() -> String + Send + 'static {
    let orders = check::orders_to(config);
    let ask = "Ask the venue, or start the gateway again: it learns what lives there and cancels it.";
    move || {
        // Whoever holds the board holds it for a moment only; who is stuck with it must not keep anyone waiting.
        let looks = (0..20).find_map(|_| {
            let board = handle.board().try_lock().map(|board| (board.status, board.status_at));
            board.or_else(|| {
                std::thread::sleep(Duration::from_millis(10));
                None
            })
        });
        let Some((status, at)) = looks else {
            return format!("Ended at once. How many orders live at {orders} is not known. {ask}");
        };
        let live = status.live.get();
        if handle.is_over() && live == 0 {
            return format!(
                "Ended at once. Order entry was closed before: no order of this gateway lives at {orders}."
            );
        }
        let age = clock.now().0.saturating_sub(at.0);
        let old = if age > 1_000_000_000 { format!(", as of {} ago", span(age)) } else { String::new() };
        match live {
            0 => format!(
                "Ended at once, before the venue could answer{old}: whether an order lives at {orders} is not known. {ask}"
            ),
            n => format!("Ended at once. {} orders may live at {orders}{old}. {ask}", group(n)),
        }
    }
}

/// Where a venue is, a line for each of its ends.
fn ends(venue: &VenueConfig, net: &NetConfig) -> Vec<String> {
    let mut all = Vec::new();
    if venue.is_named() {
        all.push(format!("  venue         {venue} ({})", venue.kind.word()));
    }
    match net.stream {
        Some(stream) => all.push(format!("  levels        from {stream} (TCP)")),
        None => {
            let lines = ["A", "B"].into_iter().zip(&net.lines).take(net.line_count);
            all.extend(lines.map(|(name, at)| format!("  line {name}        at {at} (UDP)")));
            all.push(format!("  re-requests   to {} (UDP)", net.rerequest));
            all.push(format!("  snapshots     from {} (TCP)", net.snapshot));
        }
    }
    let username = venue.entry.login.username;
    all.push(format!("  order entry   to {} (TCP), user {}", net.orders, username.trim_ascii().escape_ascii()));
    all
}

/// What a person sees meanwhile.
struct Show {
    screen: Rc<Screen>,
    /// Before each line: of which lane it is, where there are several.
    before: String,
    notices: Notices,
    handle: Handle,
    began: Instant,
    missed: u64,
    /// Names of log and tape.
    files: [String; 2],
    /// Their errors have been said, and that the tape's disk is slow.
    told_of: [bool; 3],
    /// When messages were counted last, and how many; and how many a second they were.
    rate: (Instant, u64, f64),
}

impl Show {
    fn new(screen: Rc<Screen>, config: &Config, handle: Handle) -> Self {
        let began = Instant::now();
        let notices = Notices::new(config);
        let (files, told_of) = Default::default();
        let before = if config.lane.name.is_empty() { String::new() } else { format!("Lane {}: ", config.lane.name) };
        Show { screen, before, notices, handle, began, missed: 0, files, told_of, rate: (began, 0, 0.0) }
    }

    fn greet(&self, config: &Config, plan: &Plan, clock: &Clock) {
        let line = |text: &str| self.screen.line(text);
        line(&format!(
            "Gateway: {}, layout {}, process {}",
            config.wiring,
            config.live.threads.layout.word(),
            std::process::id()
        ));
        line(&format!(
            "  clock         {}, {} UTC",
            clock.source(),
            times::utc(clock.began()).get(..16).unwrap_or_default().replace('T', " ")
        ));
        for ((_, venue), (_, net)) in config.venues.iter().zip(config.live.net.iter()) {
            ends(venue, net).iter().for_each(|text| line(text));
        }
        if let Some(path) = &config.live.control {
            line(&format!("  control       {}", path.display()));
        }
        if let Some(path) = &config.live.tape_shared {
            line(&format!("  tape          {} (firelane tape tail)", path.display()));
        }
        plan.to_string().lines().for_each(|text| line(&format!("  {text}")));
        let day = check::another_day(config, clock.began());
        check::limits(config).iter().chain(&day).for_each(|warning| line(&format!("  Warning: {warning}.")));
        line(&format!("  Ctrl-C ends it in order; kill -USR1 {} throws the kill switch.", std::process::id()));
    }

    /// What has happened since the last look.
    fn tell(&mut self) {
        let (status, times) = self.look();
        self.screen.now(format!(
            "{:.0} s: {}, {} a second{}",
            self.began.elapsed().as_secs_f64(),
            counted(&[
                (status.messages.get(), "messages"),
                (status.market.gaps.get(), "gaps"),
                (status.orders.get(), "orders"),
                (status.fills.get(), "fills"),
                (status.live.get(), "live"),
            ]),
            group(self.rate.2 as u64),
            in_short(&times)
        ));
    }

    /// The same, without the line that moves.
    fn look(&mut self) -> (StatusBody, Percentiles) {
        let mut board = self.handle.board().lock();
        let notices: Vec<_> = board.take_notices().collect();
        let (status, at, missed) = (board.status, board.status_at, board.missed);
        let venues = board.venues.clone();
        let times = board.latency.percentiles();
        let errors = [board.log_error.clone(), board.tape_error.clone()];
        let is_slow = board.tape_error.is_none() && board.tape_unwritten > 0;
        drop(board);
        self.tell_of_files(errors, is_slow);
        let mut lines = Vec::new();
        for (at, notice) in notices {
            lines.extend(self.notices.tell(at, &notice).map(|text| (at, Notices::level(&notice), text)));
        }
        lines.extend(self.notices.status(at, &status, &venues).into_iter().map(|(level, text)| (at, level, text)));
        // A status is older than what was heard since.
        lines.sort_by_key(|(at, ..)| *at);
        for (at, level, text) in lines {
            self.say(level, at, &text);
        }
        if missed > self.missed {
            self.missed = missed;
            self.say(Level::Warn, at, &format!("{} notices came too fast to be told of.", group(missed)));
        }
        let (since, before, _) = self.rate;
        if since.elapsed() >= Duration::from_secs(1) {
            let messages = status.messages.get();
            let rate = messages.saturating_sub(before) as f64 / since.elapsed().as_secs_f64();
            self.rate = (Instant::now(), messages, rate);
        }
        (status, times)
    }

    /// What became of log and tape.
    fn tell_of_files(&mut self, [log, tape]: [Option<String>; 2], tape_is_slow: bool) {
        let failing = self.handle.is_failing();
        let now = self.began.elapsed();
        if failing && !std::mem::replace(&mut self.told_of[0], true) {
            let what = match log {
                Some(error) => format!("Log: {} cannot be written any more: {error}", self.files[0]),
                None => "The lane cannot go on".to_owned(),
            };
            self.event(
                Level::Error,
                now,
                &format!(
                    "{what}. No market data is taken from now on; what rests is cancelled, and the gateway logs out."
                ),
            );
        }
        if tape_is_slow && !std::mem::replace(&mut self.told_of[2], true) {
            self.event(
                Level::Warn,
                now,
                &format!(
                    "Tape: the disk of {} takes nothing, or too slowly: records are missing in it from now on. Trading goes on.",
                    self.files[1]
                ),
            );
        }
        if let Some(error) = tape
            && !std::mem::replace(&mut self.told_of[1], true)
        {
            let file = &self.files[1];
            self.event(
                Level::Warn,
                now,
                &format!(
                    "Tape: {file} cannot be written any more: {error}. Trading goes on; the tape's file ends here."
                ),
            );
        }
    }

    /// Times are the lane's clock's, which began a moment before anything was shown.
    fn say(&self, level: Level, at: Mono, text: &str) {
        self.event(level, Duration::from_nanos(at.0), text);
    }

    fn event(&self, level: Level, at: Duration, text: &str) {
        self.screen.event(level, at, &format!("{}{text}", self.before));
    }

    fn until_the_end(&mut self, live: &Live, end: &Stop, limit: Option<Duration>) -> Ending {
        loop {
            self.tell();
            if live.has_failed() {
                return Ending::Failed;
            }
            if end.is_stopped() || limit.is_some_and(|limit| self.began.elapsed() >= limit) {
                return Ending::Asked;
            }
            if self.handle.is_over() {
                return Ending::Over;
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Cancels, waits, logs out. False: the venue's answers did not come in time.
    fn end(&mut self, live: &Live, ending: Ending, timeout: u64) -> bool {
        if ending == Ending::Asked {
            self.say(
                Level::Info,
                live.clock().now(),
                &format!(
                    "Ending: orders are cancelled, answers waited for, at most {}; again to end at once.",
                    span(timeout)
                ),
            );
        }
        live.shut_down(|| self.tell())
    }

    fn fault(&self) -> Option<Fault> {
        self.notices.fault()
    }
}
