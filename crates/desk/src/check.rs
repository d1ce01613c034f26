//! `firelane check`: all that is wrong with a configuration, and what cannot work although it can be read.

use crate::cli::Check;
use crate::control;
use crate::paint;
use crate::settings::{self, Problem, Role};
use crate::times;
use crate::wirings;
use anyhow::Result;
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::{Config, Fleet, Layout, VenueKind};
use firelane_gateway::shell::lanes;
use firelane_gateway::shell::live::wishes;
use firelane_gateway::shell::net::LineAddress;
use firelane_gateway::shell::plan::{Cores, Plan};
use firelane_gateway::shell::share::cannot_share;
use firelane_sim::server::VenueConfig;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;

/// `check --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Verdict {
    /// Nothing is wrong.
    ok: bool,
    /// `gateway` or `venue`.
    role: &'static str,
    /// What is wrong.
    errors: Vec<Line>,
    /// What can be read, and cannot work or will surprise.
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Line {
    /// Where it stands in the file, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    text: String,
}

pub(crate) fn run(options: &Check) -> Result<ExitCode> {
    let text = settings::text(&options.config, &options.set)?;
    let role = Role::of(text.as_str());
    let problems = settings::problems(&text, role, |text| builds(text, role));
    let warnings = if problems.is_empty() { warnings_of(text.as_str(), role) } else { Vec::new() };
    let code = match (problems.is_empty(), warnings.is_empty()) {
        (false, _) => ExitCode::from(1),
        (true, false) if options.strict => ExitCode::from(2),
        _ => ExitCode::SUCCESS,
    };
    if options.json {
        let errors = problems.into_iter().map(|Problem { line, text }| Line { line, text }).collect::<Vec<_>>();
        let verdict = Verdict { ok: errors.is_empty(), role: role.word(), errors, warnings };
        crate::output::json(&verdict)?;
    } else {
        print(&options.config, role, text.as_str(), &problems, &warnings);
    }
    Ok(code)
}

fn print(path: &Path, role: Role, text: &str, problems: &[Problem], warnings: &[String]) {
    let (name, width, role_word) = (path.display(), crate::layout::width(), role.word());
    let say = |text: String, indent: usize| {
        let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        say!("{}", crate::layout::laid_out(&words, indent, width));
    };
    let head = match (problems, warnings) {
        ([], []) => format!("{name}: nothing is wrong with this configuration of a {role_word}."),
        ([], some) => format!("{name}: it can be used, but {} will not work as it stands:", count(some.len(), "thing")),
        (some, _) => format!("{name}: {} wrong with this configuration of a {role_word}:", are(some.len())),
    };
    say(head, 2);
    let list = |kind: &str, text: &str| say(format!("  {kind} {text}"), 4);
    problems.iter().for_each(|problem| list(&paint::bad("wrong"), &problem.to_string()));
    warnings.iter().for_each(|warning| list(&paint::amber("warning"), warning));
    if problems.is_empty() {
        summary(text, role).iter().for_each(|line| say(format!("  {line}"), 4));
    }
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn are(n: usize) -> String {
    if n == 1 { "1 thing is".to_owned() } else { format!("{n} things are") }
}

/// What it would do, in a few words.
fn summary(text: &str, role: Role) -> Vec<String> {
    match (wirings::fleet(text), VenueConfig::parse(text)) {
        (Ok(fleet), _) if role == Role::Gateway => fleet.lanes.iter().map(would_run).collect(),
        (_, Ok(venue)) if role == Role::Venue => {
            let market = match &venue.market.itch {
                Some(file) => file.display().to_string(),
                None => format!("{} synthetic symbols", venue.market.symbols),
            };
            let ports = match venue.ports.len() {
                1 => "1 order port".to_owned(),
                ports => format!("{ports} order ports"),
            };
            vec![format!("It would play {market} to {ports}.")]
        }
        _ => Vec::new(),
    }
}

fn would_run(config: &Config) -> String {
    let control = config.live.control.as_ref().map_or("none".to_owned(), |path| path.display().to_string());
    let lane = if config.lane.name.is_empty() { "It".to_owned() } else { format!("Lane {}", config.lane.name) };
    format!(
        "{lane} would run {}, layout {}, orders to {}, control {control}.",
        config.wiring,
        config.live.threads.layout.word(),
        orders_to(config),
    )
}

/// What refuses a configuration that can be read: the parts of the lane, the plan of its threads.
fn builds(text: &str, role: Role) -> Result<()> {
    if role == Role::Venue {
        return Ok(());
    }
    let mut fleet = wirings::fleet(text)?;
    for config in &mut fleet.lanes {
        // Whether they can be built does not hang on how large the books are; memory does.
        let least = BookCapacity { instruments: config.instruments, orders: 16, levels: 16, own: 1 };
        config.venues.iter_mut().for_each(|(_, venue)| venue.books = least);
        let built = wirings::build(config, None).map(|_| ());
        built.map_err(|error| match config.lane.name.as_str() {
            "" => error,
            lane => error.context(format!("lane {lane:?}")),
        })?;
    }
    lanes::plan(&fleet, &Cores::here())?;
    Ok(())
}

fn warnings_of(text: &str, role: Role) -> Vec<String> {
    match role {
        Role::Gateway => wirings::fleet(text).map_or(Vec::new(), |fleet| of_gateway(&fleet)),
        Role::Venue => VenueConfig::parse(text).map_or(Vec::new(), |config| of_venue(&config)),
    }
}

fn of_gateway(fleet: &Fleet) -> Vec<String> {
    let mut all = Vec::new();
    for config in &fleet.lanes {
        let mut own = warnings(config, &Cores::here());
        own.extend(another_day(config, Clock::new().began()));
        own.extend(config.live.tape_shared.as_deref().and_then(shared));
        all.extend(own.into_iter().map(|warning| of_lane(config, &warning)));
    }
    if fleet.lanes.len() > 1
        && let Ok(plan) = lanes::plan(fleet, &Cores::here())
    {
        all.extend(plan.notes().iter().map(|note| format!("threads: {note}")));
    }
    let variables = fleet.lanes.iter().flat_map(variables);
    all.extend(secrets(&variables.collect::<Vec<_>>()));
    // It is one for all.
    all.extend(fleet.lanes.first().and_then(|config| config.live.control.as_deref()).and_then(socket));
    all
}

/// What is said of one of several lanes.
pub(crate) fn of_lane(config: &Config, text: &str) -> String {
    if config.lane.name.is_empty() { text.to_owned() } else { format!("lane {}: {text}", config.lane.name) }
}

fn secrets(variables: &[&String]) -> Vec<String> {
    let mut unset: Vec<&str> = variables.iter().map(|name| name.as_str()).collect();
    unset.retain(|name| std::env::var_os(name).is_none());
    unset.sort_unstable();
    unset.dedup();
    let say =
        |name: &str| format!("{name} is not set here: set it to the password (one to ten characters) before the start");
    unset.into_iter().map(say).collect()
}

fn shared(path: &Path) -> Option<String> {
    cannot_share(path).map(|why| format!("tape.shared = {:?}: {why}", path.display().to_string()))
}

fn socket(path: &Path) -> Option<String> {
    control::cannot_bind(path).map(|why| format!("control.socket = {:?}: {why}", path.display().to_string()))
}

/// What a gateway's configuration asks for and cannot have.
fn warnings(config: &Config, cores: &Cores) -> Vec<String> {
    let mut all = limits(config);
    all.extend(threads(config, cores));
    all
}

/// The part of it that hangs on the configuration alone: a run says it too.
pub(crate) fn limits(config: &Config) -> Vec<String> {
    let mut all = wirings::named(&config.wiring).map_or(Vec::new(), |plug| plug.warnings(config));
    let mut warn = |text: String| all.push(text);
    if config.listed.is_empty() && !config.directory {
        warn("instruments.listed is empty and instruments.directory = false: no symbol is followed".to_owned());
    }
    for (_, venue) in config.venues.iter().filter(|(_, venue)| venue.kind == VenueKind::Nasdaq) {
        let [requests, snapshots] = ["feed.rerequest", "feed.snapshot"].map(|key| venue.key(key));
        if !venue.feed.rerequest.enabled && venue.feed.snapshot.is_none() {
            warn(format!(
                "{requests} and {snapshots} are both off: what both lines lose stays lost, and its book stale"
            ));
        }
    }
    addresses(config).into_iter().for_each(warn);
    all
}

/// Addresses that two ends share, and cannot.
fn addresses(config: &Config) -> Vec<String> {
    let mut all = Vec::new();
    let mut lines: Vec<(String, LineAddress)> = Vec::new();
    for (_, net) in config.live.net.iter() {
        for (key, line) in ["line_a", "line_b"].into_iter().zip(net.lines).take(net.line_count) {
            let key = net.key(key);
            if let Some((other, _)) = lines.iter().find(|(_, other)| other.to == line.to) {
                let why = if line.is_multicast() { "they are one line" } else { "the second cannot be listened to" };
                all.push(format!("{other} and {key} are both {line}: {why}"));
            }
            lines.push((key, line));
        }
        let market = net.stream.map_or((net.key("snapshot"), net.snapshot), |stream| (net.key("stream"), stream));
        if net.orders == market.1 {
            all.push(format!("{} and {} are both {}", net.key("orders"), market.0, net.orders));
        }
    }
    all
}

/// Where orders go: to each venue that has a name, by its name.
pub(crate) fn orders_to(config: &Config) -> String {
    let nets = config.live.net.iter().map(|(_, net)| net.orders);
    let to = config.venues.iter().zip(nets).map(|((_, venue), orders)| match venue.is_named() {
        true => format!("{orders} ({venue})"),
        false => orders.to_string(),
    });
    to.collect::<Vec<_>>().join(", ")
}

/// The environment variables that hold its passwords.
fn variables(config: &Config) -> Vec<&String> {
    let mut all = Vec::new();
    for (_, venue) in config.venues.iter() {
        all.push(&venue.secrets.entry);
        all.extend((venue.kind == VenueKind::Nasdaq).then_some(&venue.secrets.snapshot));
    }
    all
}

/// Is the configured date another one than the venue has at `now`, in nanoseconds since 1970 UTC? It dates the first session
/// of a live lane, whatever the clock says.
pub(crate) fn another_day(config: &Config, now: u64) -> Vec<String> {
    const NS_A_DAY: u64 = 86_400_000_000_000;
    let date = |days: u64| times::utc(days * NS_A_DAY).get(..10).unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for (_, venue) in config.venues.iter().filter(|(_, venue)| venue.day != 0) {
        let ahead = i64::from(venue.utc_offset_minutes) * 60_000_000_000;
        let there = now.saturating_add_signed(ahead) / NS_A_DAY;
        if u64::from(venue.day) != there {
            let (key, day, today) = (venue.key("day"), date(venue.day.into()), date(there));
            all.push(format!(
                "{key} = {day}, and at {venue} it is {today}: leave it out, and a live session has the date at which it begins"
            ));
        }
    }
    all
}

fn threads(config: &Config, cores: &Cores) -> Vec<String> {
    let threads = &config.live.threads;
    let mut all = Vec::new();
    let wanted = wishes(threads).len();
    if threads.cores.len() > wanted {
        all.push(format!(
            "threads.cores names {} cores, layout {} has {wanted} thread(s): the rest is left out",
            threads.cores.len(),
            threads.layout.word()
        ));
    }
    if let Ok(plan) = Plan::new(&wishes(threads), cores, threads.missing) {
        all.extend(plan.notes().iter().map(|note| format!("threads: {note}")));
    }
    if threads.layout == Layout::Split && cores.count() < 3 {
        all.push(format!(
            "threads.layout = \"split\" on {} core(s): feed and core take turns with everything else; \"fused\" is faster here",
            cores.count()
        ));
    }
    all
}

fn of_venue(config: &VenueConfig) -> Vec<String> {
    let mut variables: Vec<&String> = config.ports.iter().map(|port| &port.password_env).collect();
    variables.extend(config.setup.addresses.levels.is_none().then_some(&config.snapshot.password_env));
    let mut all = secrets(&variables);
    all.extend(config.control.as_deref().and_then(socket));
    if let Some(file) = &config.market.itch
        && let Err(error) = std::fs::File::open(file)
    {
        all.push(format!(
            "market.itch = {:?}: {}",
            file.display().to_string(),
            crate::without_number(&error.to_string())
        ));
    }
    if let Some(file) = &config.journal {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !folder.is_dir() {
            all.push(format!("journal = {:?}: there is no such folder", file.display().to_string()));
        }
    }
    let addresses = &config.setup.addresses;
    if addresses.lines[0].iter().any(|line| addresses.lines[1].contains(line)) {
        all.push(
            "addresses.line_a and addresses.line_b share an address: a gateway takes them for one line".to_owned(),
        );
    }
    for (at, port) in config.ports.iter().enumerate() {
        if config.ports[..at].iter().any(|other| other.session == port.session) {
            let session = String::from_utf8_lossy(&port.session).trim_end().to_owned();
            all.push(format!("port[{at}].session = {session:?} is another port's too: clients cannot tell them apart"));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warned(text: &str, cores: usize) -> String {
        warnings(&wirings::parse(text).unwrap(), &Cores::of(cores)).join("\n")
    }

    #[test]
    fn what_cannot_work_is_warned_of_and_the_sample_can() {
        assert_eq!(warned(&wirings::sample(), 4), "");
        for (text, says) in [
            (
                "wiring = \"imbalance-taker\"\n[taker]\nsize = 2000\nmax_position = 2000",
                "over risk.max_order_qty = 1000",
            ),
            (
                "wiring = \"market-maker\"\n[maker]\nsize = 3000\nmax_position = 3000",
                "over risk.max_position = 2000: no order passes",
            ),
            (
                "wiring = \"market-maker\"\n[maker]\nmax_position = 2001",
                "maker.max_position = 2001 is over risk.max_position",
            ),
            ("wiring = \"market-maker\"\n[maker]\nsize = 1000", "it never asks for its whole size"),
            (
                "wiring = \"imbalance-taker\"\n[instruments]\nlisted = [\"A\"]\n[risk.symbols.A]\nmax_order_qty = 50",
                "risk.symbols.A.max_order_qty = 50",
            ),
            ("wiring = \"imbalance-taker\"\n[risk]\nlocates = 0", "short sales are refused"),
            ("wiring = \"imbalance-taker\"\n[entry]\nlocate_broker = \"\"", "who located"),
            ("[instruments]\ndirectory = false", "no symbol is followed"),
            ("[feed.rerequest]\nenabled = false\n[feed.snapshot]\nenabled = false", "stays lost"),
            ("[net]\nline_b = \"127.0.0.1:26401\"", "cannot be listened to"),
            ("[threads]\ncores = [64]", "this process has no such core"),
            ("[threads]\ncores = [0, 1]", "names 2 cores"),
        ] {
            let all = warned(text, 4);
            assert!(all.contains(says), "{text}: {all}");
        }
        let on = |day: &str, now| another_day(&wirings::parse(day).unwrap(), now);
        // Five hours behind: the venue's 2 January 1970 begins at 05:00 UTC.
        let begins = (24 + 5) * 3_600_000_000_000;
        assert!(["", "day = 1970-01-02"].iter().all(|day| on(day, begins).is_empty()));
        let says = on("day = 1970-01-02", begins - 1).concat();
        assert!(says.contains("day = 1970-01-02, and at the venue it is 1970-01-01"), "{says}");
        assert_eq!(on("day = 1970-01-02", begins + 24 * 3_600_000_000_000).len(), 1);
        let rows = "[[venue]]\nname = \"A\"\n[[venue]]\nname = \"B\"\nday = 1970-01-02\nnet = { orders = \":1\" }";
        assert!(
            on(rows, 0)[..]
                == [on("day = 1970-01-02", 0).concat().replace("day =", "venue[1].day =").replace("the venue", "B")]
        );
        assert!(warned("[threads]\nlayout = \"split\"", 2).contains("\"fused\" is faster here"));
        assert_eq!(warned("[threads]\nlayout = \"split\"", 4), "");
        // Two venues whose ends are one.
        let rows = |more: &str| {
            let two = "[[venue]]\nname = \"A\"\n[[venue]]\nname = \"B\"\n[venue.entry]\nusername = \"B\"\n";
            warned(&format!("wiring = \"imbalance-taker\"\n[net]\nline_b = \":9001\"\n{two}{more}"), 4)
        };
        let all = rows(
            "locate_broker = \"\"\n[venue.feed]\nlines = 1\n[venue.feed.rerequest]\nenabled = false\n[venue.feed.snapshot]\nenabled = false",
        );
        for says in [
            "venue[0].net.line_a and venue[1].net.line_a are both 127.0.0.1:26401: the second cannot be listened to",
            "venue[1].feed.rerequest and venue[1].feed.snapshot are both off",
            "venue[1].entry.locate_broker is empty",
        ] {
            assert!(all.contains(says), "{says}: {all}");
        }
        assert!(!all.contains("line_b") && !all.contains("venue[0].feed"), "{all}");
        let far = rows("[venue.net]\nstream = \":7\"\norders = \":7\"\n");
        let far = far.lines().filter(|line| line.contains(":7")).count();
        assert_eq!(far, 0, "it is not of levels");
        let levels =
            warned("[[venue]]\nname = \"A\"\nkind = \"levels\"\nnet = { stream = \":7\", orders = \":7\" }", 4);
        assert_eq!(levels, "venue.net.orders and venue.net.stream are both 127.0.0.1:7");
        // What only another wiring uses is no concern.
        assert_eq!(warned("wiring = \"listener\"\n[taker]\nsize = 2000", 4), "");
        // At the limit it passes.
        assert_eq!(warned("wiring = \"imbalance-taker\"\n[taker]\nsize = 1000\nmax_position = 2000", 4), "");
    }
}
