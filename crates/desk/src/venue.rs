//! `firelane venue`: the simulated venue as a process of its own, on real sockets.

use crate::cli::Venue;
use crate::control;
use crate::layout;
use crate::outfile;
use crate::paint;
use crate::replay::{counted, group, input};
use crate::screen::{Level, Screen, Style};
use crate::settings;
use anyhow::{Context, Result, anyhow, bail};
use firelane_gateway::flow::wire::soupbintcp::Refused;
use firelane_gateway::shell::agent::Idle;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::signals::{self, LastWords};
use firelane_sim::far_end::{Door, FarEnd};
use firelane_sim::net::Faults;
use firelane_sim::server::{
    Addresses, Command, Ended, Phase, PortStatus, Running, SAMPLE, VenueConfig, VenueEvent, VenueStatus, build,
};
use firelane_sim::venue::farewell::Why;
use serde::Serialize;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How often to look.
const LOOK: Duration = Duration::from_millis(100);
/// How long an orderly end may take.
const END_WITHIN: Duration = Duration::from_secs(2);

pub(crate) fn run(options: &Venue) -> Result<ExitCode> {
    if options.print_config {
        say!("{}", settings::printed(SAMPLE, "firelane-venue"));
        return Ok(ExitCode::SUCCESS);
    }
    let path = options.config.as_deref().context("which configuration?")?;
    let config = settings::venue(path, &options.set)?;
    if let Some(journal) = &config.journal
        && let Some(other) = [Some(path), config.market.itch.as_deref()]
            .into_iter()
            .flatten()
            .find(|other| outfile::are_one(journal, other))
    {
        bail!(
            "journal = {:?}: is the same file as {}; name another one",
            journal.display().to_string(),
            other.display()
        );
    }
    let socket = config.control.as_deref().map(control::bind).transpose()?;
    let words = LastWords::default();
    words.are(last_words(&config));
    let stop = signals::asked_to_end(words)?;
    let recording = config.market.itch.as_deref().map(input::load).transpose()?.map(input::Recording::into_bytes);
    let server = build(&config, recording, &|name| std::env::var(name).ok())?;
    let before = server.handle().status();
    let screen = Screen::new(Style::of(&options.telling, options.json, Clock::new().began()));
    greet(&screen, &config, server.handle().addresses(), &before);

    let began = Instant::now();
    let venue = Running::spawn(server, Idle::Park, None)?;
    let _served = socket.map(|bound| bound.serve(control::venue(venue.handle().clone(), &config))).transpose()?;
    while !stop.is_stopped()
        && !venue.is_finished()
        && options.seconds.is_none_or(|limit| began.elapsed() < Duration::from_secs(limit))
    {
        std::thread::sleep(LOOK);
        tell(&screen, &venue, &config, began.elapsed());
    }
    if config.journal.is_none() {
        end_in_order(&screen, &venue, &config, began);
    }
    tell(&screen, &venue, &config, began.elapsed());
    screen.clear();
    let handle = venue.handle().clone();
    let far_end = venue.shutdown().map_err(|error| anyhow!("{error}"))?;
    let sound = far_end.check();
    let report = Report::of(&config, &handle.status(), &far_end, sound.as_ref().err().cloned(), screen.lost());
    if screen.style().ends_with_an_object() {
        crate::output::json(&report)?;
    } else {
        report.print();
    }
    Ok(if sound.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// What is said when it is ended at once.
fn last_words(config: &VenueConfig) -> impl Fn() -> String + Send + 'static {
    let text = match &config.journal {
        Some(path) => format!(
            "Ended at once. {} holds all that anyone has seen of the day: start the venue again and it goes on.",
            path.display()
        ),
        None => "Ended at once, without a journal: this day, with its orders and positions, is gone.".to_owned(),
    };
    move || text.clone()
}

/// A day that nobody can go on with is ended, so that gateways need not find out: what rests is cancelled, order entry
/// and the lines are told, and the end of the market-data session is said for a while.
fn end_in_order(screen: &Screen, venue: &Running, config: &VenueConfig, began: Instant) {
    screen.event(
        Level::Info,
        began.elapsed(),
        &format!(
            "ending the day: the lines say so for {} s (end_seconds); again Ctrl-C: at once",
            config.end_for.0 / 1_000_000_000
        ),
    );
    for command in [Command::Stop, Command::EndDay, Command::EndSession] {
        venue.tell(command);
    }
    let within = END_WITHIN + Duration::from_nanos(config.end_for.0);
    let asked = Instant::now();
    while venue.status().phase < Phase::Said && !venue.is_finished() && asked.elapsed() < within {
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Connections that are gone, by why.
pub(crate) fn gone(status: &VenueStatus) -> BTreeMap<String, u64> {
    status.gone.iter().map(|(why, count)| ((*why).to_owned(), *count)).collect()
}

/// Re-requests that got no reply, by why.
pub(crate) fn unanswered(status: &VenueStatus) -> BTreeMap<String, u64> {
    let stats = status.far_end.rerequest;
    let counts = [
        ("malformed", stats.malformed),
        ("no_count", stats.no_count),
        ("wrong_session", stats.wrong_session),
        ("out_of_range", stats.out_of_range),
        ("over_rate", stats.over_rate),
        ("bad_hours", stats.unanswered),
    ];
    counts.into_iter().filter(|(_, count)| *count > 0).map(|(why, count)| (why.to_owned(), count)).collect()
}

/// For people; `None` if there is nothing to say.
pub(crate) fn counts(counts: &BTreeMap<String, u64>) -> Option<String> {
    let of = |(what, count): (&String, &u64)| format!("{} {}", what.replace('_', " "), group(*count));
    (!counts.is_empty()).then(|| counts.iter().map(of).collect::<Vec<_>>().join(", "))
}

/// Orders of a port, those live, their fills and the shares in them; "no orders" where there are none.
pub(crate) fn counted_orders([orders, live, fills, shares]: [u64; 4]) -> String {
    let counts = [(orders, "orders"), (live, "live"), (fills, "fills"), (shares, "shares")];
    if counts.iter().all(|(n, _)| *n == 0) { "no orders".to_owned() } else { counted(&counts) }
}

fn list(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn greet(screen: &Screen, config: &VenueConfig, at: &Addresses, before: &VenueStatus) {
    let market = match &config.market.itch {
        Some(file) => format!("{} at {} times its speed", file.display(), f64::from(config.setup.speed.0) / 1e3),
        None => format!(
            "{} symbols, {} messages a second, seed {}",
            config.market.symbols,
            group(config.market.rate.into()),
            config.setup.seed
        ),
    };
    screen.line(&format!("Venue: {market}, faults {}", word(config.setup.faults)));
    if let Some(levels) = at.levels {
        screen.line(&format!("  levels        on {levels} (TCP)"));
    } else {
        screen.line(&format!("  line A        to {} (UDP)", list(&at.lines[0])));
        screen.line(&format!("  line B        to {} (UDP)", list(&at.lines[1])));
        screen.line(&format!("  re-requests   on {} (UDP)", at.rerequest));
        screen.line(&format!("  snapshots     on {} (TCP), user {}", at.snapshot, text(&config.snapshot.username)));
    }
    for (index, (port, address)) in config.ports.iter().zip(&at.orders).enumerate() {
        let session = text(&port.session);
        screen.line(&format!(
            "  order port {index}  on {address} (TCP), user {}, session {session}",
            text(&port.username)
        ));
    }
    if let Some(path) = &config.journal {
        let state = if before.at.0 == 0 {
            "begins a new day".to_owned()
        } else {
            let session = text(&before.session);
            format!("goes on in session {session:?}, at message {}", group(before.next_sequence))
        };
        screen.line(&format!("  journal       {}: {state}", path.display()));
    }
    if let Some(path) = &config.control {
        screen.line(&format!("  control       {}", path.display()));
    }
    if !at.are_loopback() {
        screen.line("  Reachable from other machines. Nothing is encrypted, as in the protocols that it speaks.");
    }
}

/// An event in words, with what to compare where a login is refused, and how much it matters.
fn told(event: &VenueEvent, config: &VenueConfig) -> (Level, String) {
    let text = event.to_string();
    let level = match event {
        // Who logs in, or does not, is said when it is known.
        VenueEvent::Connected { .. } => Level::Detail,
        VenueEvent::LoggedIn { .. } => Level::Info,
        VenueEvent::Disconnected { why: Ended::ByClient | Ended::ByVenue(Why::Logout | Why::SessionEnded), .. } => {
            Level::Info
        }
        _ => Level::Warn,
    };
    let VenueEvent::Disconnected { door, why: Ended::ByVenue(Why::Refused(refused)), .. } = event else {
        return (level, text);
    };
    let port = |number: u16| config.ports.get(usize::from(number));
    let known = match door {
        Door::Snapshot => Some(("snapshot".to_owned(), config.snapshot.username, &config.snapshot.password_env)),
        Door::Orders(number) => {
            port(*number).map(|port| (format!("port[{number}]"), port.username, &port.password_env))
        }
        Door::Stream => None,
    };
    let hint = match (refused, known) {
        (Refused::Password, Some((table, _, variable))) => format!(
            ". Compare the client's with the one in the environment variable {variable} ({table}.password_env) when the venue \
             was started"
        ),
        (Refused::Username, Some((table, name, _))) => {
            format!(". {table}.username is {:?}", self::text(&name))
        }
        _ => String::new(),
    };
    (level, format!("{text}{hint}"))
}

/// What has happened since the last look.
fn tell(screen: &Screen, venue: &Running, config: &VenueConfig, elapsed: Duration) {
    for event in venue.events().try_iter() {
        let (level, text) = told(&event, config);
        screen.event(level, elapsed, &text);
    }
    let status = venue.status();
    let sum = |of: fn(&PortStatus) -> usize| group(status.ports.iter().map(of).sum::<usize>() as u64);
    screen.now(format!(
        "{:.0} s: {} messages published, {} of {} ports logged in, {} orders, {} live, {} fills",
        elapsed.as_secs_f64(),
        group(status.far_end.published),
        status.ports.iter().filter(|port| port.logged_in).count(),
        status.ports.len(),
        sum(|port| port.orders),
        sum(|port| port.live),
        sum(|port| port.fills),
    ));
}

fn word(faults: Faults) -> &'static str {
    match faults {
        Faults::None => "none",
        Faults::Light => "light",
        Faults::Heavy => "heavy",
    }
}

fn text(padded: &[u8]) -> String {
    padded.trim_ascii().escape_ascii().to_string()
}

/// What it says at the end. The layout of its JSON is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    /// Seconds on the venue's clock, since its day began.
    venue_seconds: f64,
    /// The market-data session.
    session: String,
    /// Messages published, over all sessions.
    published: u64,
    /// Changes of the market-data session.
    session_changes: u64,
    /// Datagrams that the lines were made to lose.
    datagrams_lost: u64,
    /// Connections that the wire was made to cut.
    sessions_cut: u64,
    /// Re-requests, and of these answered.
    rerequests: [u64; 2],
    /// Snapshots served to the end.
    snapshots: u64,
    /// Connections cut because their client did not read.
    stalled: u64,
    /// Connections that are gone, by why.
    gone: BTreeMap<String, u64>,
    /// Connections closed at once because there were too many.
    full: u64,
    /// Re-requests without a reply, by why.
    rerequests_unanswered: BTreeMap<String, u64>,
    /// Order entry.
    ports: Vec<PortReport>,
    /// Lines that could not be written to the console.
    notices_lost: u64,
    /// Where the venue contradicts itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct PortReport {
    port: usize,
    username: String,
    session: String,
    /// Orders that were accepted, replacements included.
    orders: usize,
    /// Of these in the market when the venue was told to end.
    live: usize,
    /// Executions that were not broken.
    fills: usize,
    /// Shares in them.
    shares: u64,
    /// Messages of the session.
    messages: usize,
    /// Requests that had no effect, or were rejected, by what was wrong.
    requests_without_effect: BTreeMap<String, u64>,
    /// Net shares by symbol.
    positions: BTreeMap<String, i64>,
}

impl Report {
    fn of(config: &VenueConfig, status: &VenueStatus, far_end: &FarEnd, error: Option<String>, lost: u64) -> Self {
        let stats = far_end.stats();
        let ports = config.ports.iter().enumerate().filter_map(|(index, entry)| {
            let port = far_end.exchange().port(u16::try_from(index).ok()?)?;
            let PortStatus { orders, live, fills, shares, messages, remarks, positions, .. } =
                PortStatus::of(port, 0, false);
            let live = status.ports.get(index).map_or(live, |at_end| at_end.live);
            let held = positions.into_iter().filter(|(_, shares)| *shares != 0);
            Some(PortReport {
                port: index,
                username: text(&entry.username),
                session: text(&entry.session),
                orders,
                live,
                fills,
                shares,
                messages,
                requests_without_effect: remarks,
                positions: held.map(|(symbol, shares)| (symbol.to_string(), shares)).collect(),
            })
        });
        let [a, b, ..] = status.datagrams;
        Report {
            venue_seconds: status.at.0 as f64 / 1e9,
            session: text(&far_end.publisher().session()),
            published: stats.published,
            session_changes: stats.session_changes,
            datagrams_lost: [a, b].iter().map(|line| line.lost + line.lost_in_burst + line.corrupt_dropped).sum(),
            sessions_cut: status.streams.iter().map(|streams| streams.cuts).sum(),
            rerequests: [stats.rerequest.requests, stats.rerequest.answered],
            snapshots: stats.glimpse.completed,
            stalled: status.stalled,
            gone: gone(status),
            full: status.full,
            rerequests_unanswered: unanswered(status),
            ports: ports.collect(),
            notices_lost: lost,
            error,
        }
    }

    fn print(&self) {
        let row = |text: String| say!("{}", layout::sentence(&text, 4));
        let mut head = format!(
            "Venue closed after {:.1} s of its day: {} messages published",
            self.venue_seconds,
            group(self.published)
        );
        if self.rerequests[0] > 0 {
            head += &format!(", {} of {} re-requests answered", group(self.rerequests[1]), group(self.rerequests[0]));
        }
        if self.snapshots > 0 {
            head += &format!(", {} snapshots", group(self.snapshots));
        }
        row(format!("{head}."));
        for port in &self.ports {
            row(format!(
                "  order port {} ({}): {}",
                port.port,
                port.username,
                counted_orders([port.orders as u64, port.live as u64, port.fills as u64, port.shares])
            ));
            for (symbol, shares) in &port.positions {
                say!("    {symbol:<8} {shares:>+10}");
            }
            if let Some(counts) = counts(&port.requests_without_effect) {
                row(format!("    without effect: {counts}"));
            }
        }
        if let Some(counts) = counts(&self.gone) {
            row(format!("  connections gone: {counts}"));
        }
        if self.full > 0 {
            row(format!("  connections closed at once because limits.connections was reached: {}", group(self.full)));
        }
        if let Some(counts) = counts(&self.rerequests_unanswered) {
            row(format!("  re-requests without a reply: {counts}"));
        }
        if self.notices_lost > 0 {
            say!("{} notices could not be written to the console.", group(self.notices_lost));
        }
        if let Some(error) = &self.error {
            row(format!("{} {error}", paint::bad("The venue contradicts itself:")));
        }
    }
}
