//! `firelane run`: the gateway as a process of its own, on real sockets and threads.

mod files;
mod report;

use crate::check;
use crate::cli::Run;
use crate::control::{self, Gateway};
use crate::notices::Notices;
use crate::replay::group;
use crate::screen::Screen;
use crate::settings;
use crate::signals;
use crate::times::{self, span};
use crate::wirings;
use anyhow::{Context, Result};
use files::{Kept, Records};
use firelane_gateway::base::Mono;
use firelane_gateway::flow::Command;
use firelane_gateway::flow::entry::Fault;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, SAMPLE};
use firelane_gateway::shell::live::{Handle, Live, Setup, wishes};
use firelane_gateway::shell::log::FileHeader;
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::sync::Stop;
use report::{Ending, Report};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &Run) -> Result<ExitCode> {
    if options.print_config {
        say!("{}", settings::printed(SAMPLE, "firelane"));
        return Ok(ExitCode::SUCCESS);
    }
    let path = options.config.as_deref().context("which configuration?")?;
    let config = settings::gateway(Some(path), &options.set, None)?;
    let passwords = config.secrets.read(|name| std::env::var(name).ok()).with_context(|| path.display().to_string())?;
    let threads = &config.live.threads;
    let plan = Plan::new(&wishes(threads), &Cores::here(), threads.missing)
        .with_context(|| format!("{}: threads", path.display()))?;
    let (end, kill) = (signals::asked_to_end()?, signals::kill_switch()?);
    let socket = config.live.control.as_deref().map(control::bind).transpose()?;
    let clock = Clock::new();
    // Whatever is wrong with it is said before a file is made.
    let lane = wirings::build(&config, Some(clock.clone()))?;
    let listed = config.listed.iter().map(|row| row.symbol.to_string()).collect();
    let header = FileHeader::new(&config.wiring, &config.text, listed, config.effects).began_at(times::began(&clock));
    let log = Kept::at(options.log.as_deref())?;
    let tape = Kept::at(options.tape.as_deref()).inspect_err(|_| log.discard())?;
    let records = Records::default();
    let setup = Setup {
        kill,
        passwords: Some(passwords),
        log: log.sheet(&header),
        tape: tape.sheet(&header),
        observers: vec![Box::new(records.clone())],
    };
    let live = Live::start(lane, &config.live, clock.clone(), setup, &plan);
    let live = live.inspect_err(|_| [&log, &tape].into_iter().for_each(Kept::discard))?;
    let handle = live.handle().clone();
    let mut show = Show::new(options.json, &config, handle.clone());
    show.greet(&config, &plan, &clock);
    let answers = Gateway::new(handle.clone(), clock.clone(), &config, end.clone());
    let served = socket.map(|bound| {
        let mut answers = answers;
        bound.serve(move |line| answers.answer(line))
    });
    let served = served.transpose()?;

    let _started = handle.command(Command::Start);
    let ending = show.until_the_end(&live, &end, options.seconds.map(Duration::from_secs));
    let answered = ending != Ending::Failed && show.end(&live, ending, config.live.shutdown_timeout.0);
    let outcome = live.finish();
    drop(served);
    show.tell();
    show.screen.clear();
    let report = Report::of(&config, &plan, &show, (ending, answered), outcome, (&log, &tape, &records));
    if options.json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        report.print();
    }
    Ok(report.exit_code())
}

/// What a person sees meanwhile.
struct Show {
    screen: Screen,
    notices: Notices,
    handle: Handle,
    began: Instant,
    missed: u64,
    /// When messages were counted last, and how many; and how many a second they were.
    rate: (Instant, u64, f64),
}

impl Show {
    fn new(json: bool, config: &Config, handle: Handle) -> Self {
        let began = Instant::now();
        let (screen, notices) = (Screen::new(json), Notices::new(config));
        Show { screen, notices, handle, began, missed: 0, rate: (began, 0, 0.0) }
    }

    fn greet(&self, config: &Config, plan: &Plan, clock: &Clock) {
        let net = &config.live.net;
        let line = |text: &str| self.screen.line(text);
        line(&format!(
            "Gateway: {}, layout {}, process {}, clock: {}",
            config.wiring,
            config.live.threads.layout.word(),
            std::process::id(),
            clock.source()
        ));
        line(&format!("  line A        at {} (UDP)", net.lines[0]));
        if config.feed.lines > 1 {
            line(&format!("  line B        at {} (UDP)", net.lines[1]));
        }
        line(&format!("  re-requests   to {} (UDP)", net.rerequest));
        line(&format!("  snapshots     from {} (TCP)", net.snapshot));
        let username = config.entry.login.username;
        line(&format!("  order entry   to {} (TCP), user {}", net.orders, username.trim_ascii().escape_ascii()));
        if let Some(path) = &config.live.control {
            line(&format!("  control       {}", path.display()));
        }
        plan.to_string().lines().for_each(|text| line(&format!("  {text}")));
        check::limits(config).iter().for_each(|warning| line(&format!("  Warning: {warning}.")));
        line(&format!("  Ctrl-C ends it in order; kill -USR1 {} throws the kill switch.", std::process::id()));
    }

    /// What has happened since the last look.
    fn tell(&mut self) {
        let mut board = self.handle.board().lock();
        let notices: Vec<_> = board.take_notices().collect();
        let (status, at, missed) = (board.status, board.status_at, board.missed);
        let times = board.latency.percentiles();
        drop(board);
        for (at, notice) in notices {
            if let Some(text) = self.notices.tell(at, &notice) {
                self.say(at, &text);
            }
        }
        for text in self.notices.status(at, &status) {
            self.say(at, &text);
        }
        if missed > self.missed {
            self.missed = missed;
            self.say(at, &format!("{} notices came too fast to be told of.", group(missed)));
        }
        let (since, before, _) = self.rate;
        if since.elapsed() >= Duration::from_secs(1) {
            let messages = status.messages.get();
            let rate = messages.saturating_sub(before) as f64 / since.elapsed().as_secs_f64();
            self.rate = (Instant::now(), messages, rate);
        }
        self.screen.now(format!(
            "{:.0} s: {} messages, {:.0}/s, {} gaps, {} orders, {} fills, {} live, tick to trade p50 {} p99 {}",
            self.began.elapsed().as_secs_f64(),
            group(status.messages.get()),
            self.rate.2,
            group(status.gaps.get()),
            group(status.orders.get()),
            group(status.fills.get()),
            group(status.live.get()),
            span(times.p50),
            span(times.p99)
        ));
    }

    /// Times are the lane's clock's, which began a moment before anything was shown.
    fn say(&self, at: Mono, text: &str) {
        self.screen.line_at(Duration::from_nanos(at.0), text);
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
