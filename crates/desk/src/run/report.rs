//! What a run leaves behind, for people and programs. The layout of its JSON is stable: fields are added, never renamed or
//! removed.

use super::Show;
use super::files::Kept;
use crate::beside::Reports;
use crate::control::{AtVenue, Market, at_venue};
use crate::counters::{self, Counters, unusual_at_the_end};
use crate::invoked::me;
use crate::layout;
use crate::money::{Fills, Money};
use crate::paint;
use crate::replay::{counted, group};
use crate::times::OrderTimes;
use firelane_gateway::base::InstrumentId;
use firelane_gateway::flow::entry::Fault;
use firelane_gateway::flow::record::StatusBody;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::live::{LiveError, Outcome};
use firelane_gateway::shell::plan::Seat;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ending {
    /// By a signal, a command, or its time.
    Asked,
    /// Order entry is over: nothing can be traded any more.
    Over,
    /// One of its threads could not go on.
    Failed,
}

#[derive(Debug, Serialize)]
pub(super) struct Report {
    /// Of one of several lanes: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    ended: Ending,
    /// As it should: the exit code is 0.
    clean: bool,
    /// Order entry was ready in this run. If not, nothing was sent, and orders of an earlier run may live unseen.
    ever_ready: bool,
    /// What was wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<String>,
    wiring: String,
    layout: &'static str,
    threads: Vec<Thread>,
    seconds: f64,
    #[serde(flatten)]
    market: Market,
    /// Of each of several venues.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    venues: Vec<AtVenue>,
    orders: u64,
    cancels: u64,
    fills: u64,
    refused: u64,
    /// Orders that lived at the end.
    live_orders: u64,
    /// Net shares by symbol, where there are any. Absent if the lane could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    positions: Option<BTreeMap<String, i64>>,
    /// What it brought; absent as they are.
    #[serde(flatten)]
    money: Option<Money>,
    #[serde(flatten)]
    times: OrderTimes,
    inputs: u64,
    /// What those beside the lane came to: a detector, a portfolio.
    #[serde(flatten)]
    pub(super) beside: Reports,
    /// Every count by its name, at the end as far as the lane could be asked.
    counters: Counters,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<File>,
    tape: Tape,
    /// Lines that could not be written to the console.
    notices_lost: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    digests: Option<Digests>,
}

#[derive(Debug, Serialize)]
struct Thread {
    name: String,
    idle: &'static str,
    core: Option<usize>,
    /// The system did not let it be pinned.
    unpinned: bool,
}

#[derive(Debug, Serialize)]
struct File {
    file: PathBuf,
    bytes: u64,
    /// Times that the lane waited for it.
    stalls: u64,
    /// Why it ends before the run did.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct Tape {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    bytes: u64,
    records: u64,
    lost: u64,
    /// Why the file ends before the tape does, and how many records are not in it for that.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    unwritten: u64,
    /// Records that came too fast for the account of fills: what trading brought is then not known.
    unobserved: u64,
}

#[derive(Debug, Serialize)]
struct Digests {
    effects: String,
    tape: String,
    state: String,
}

impl Report {
    /// `ended`: why, and whether every answer of the venue came.
    pub(super) fn of(
        config: &Config,
        seats: &[Seat],
        show: &Show,
        (ending, answered): (Ending, bool),
        outcome: Result<Outcome, LiveError>,
        (log, tape): (&Kept, &Kept),
        fills: &Fills,
    ) -> Self {
        let board = show.handle.board().lock();
        let (mut status, times, mut counters) = (board.status, OrderTimes::of(&board.latency), board.counters());
        let (tape_error, unwritten) = (board.tape_error.clone(), board.tape_unwritten);
        drop(board);
        let names = at_venue::names(config);
        let mut venues = AtVenue::all(&names, &show.handle.board().lock().venues);
        let mut log_error = None;
        let (mut errors, mut positions, mut digests, mut unpinned) = (Vec::new(), None, None, Vec::new());
        let (mut money, mut unobserved) = (None, 0);
        match outcome {
            Ok(outcome) => {
                let (free, stalls, lost) = (status.log_free, status.log_stalls, status.tape_lost);
                outcome.lane.status(&mut status);
                venues = AtVenue::of_lane(&names, &*outcome.lane);
                (status.log_free, status.log_stalls, status.tape_lost) = (free, stalls, lost);
                counters = counters::of(&*outcome.lane, counters);
                positions = Some(held(&*outcome.lane));
                unobserved = outcome.unobserved;
                money = (unobserved == 0).then(|| Money::of(&*outcome.lane, &fills.traded()));
                log_error = outcome.log_lost.map(|error| reason(&error));
                // They are of what the log holds, too.
                digests = log_error.is_none().then(|| Digests {
                    effects: format!("{:016x}", outcome.summary.effects.get()),
                    tape: format!("{:016x}", outcome.summary.tape.get()),
                    state: format!("{:016x}", outcome.summary.state.get()),
                });
                unpinned = outcome.unpinned;
            }
            Err(error) => errors.push(error.to_string()),
        }
        errors.extend(log_error.as_deref().map(|error| log_lost(log, error)));
        errors.extend(unsettled(&status, show, answered));
        errors.extend(impossible(&counters));
        let at_fault = !matches!(show.fault(), None | Some(Fault::Ended));
        let clean = errors.is_empty() && ending != Ending::Failed && !at_fault;
        Report {
            lane: Some(config.lane.name.clone()).filter(|name| !name.is_empty()),
            ended: ending,
            clean,
            ever_ready: show.notices.was_ever_ready(),
            errors,
            wiring: config.wiring.clone(),
            layout: config.live.threads.layout.word(),
            threads: seats
                .iter()
                .map(|seat| Thread {
                    name: seat.name.to_string(),
                    idle: seat.idle.word(),
                    core: seat.core,
                    unpinned: unpinned.iter().any(|name| *name == seat.name),
                })
                .collect(),
            seconds: show.began.elapsed().as_secs_f64(),
            market: Market::of(&status),
            venues,
            orders: status.orders.get(),
            cancels: status.cancels.get(),
            fills: status.fills.get(),
            refused: status.refused.get(),
            live_orders: status.live.get(),
            positions,
            money,
            times,
            inputs: status.inputs.get(),
            beside: Reports::default(),
            counters,
            log: log.path().map(|path| File {
                file: path.to_owned(),
                bytes: log.bytes(),
                stalls: status.log_stalls.get(),
                error: log_error.clone(),
            }),
            tape: Tape {
                file: tape.path().map(Path::to_owned),
                bytes: tape.bytes(),
                records: show.handle.tape().total(),
                lost: status.tape_lost.get(),
                error: tape_error,
                unwritten,
                unobserved,
            },
            notices_lost: show.screen.lost(),
            digests,
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        if self.clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }

    /// It ended as it should.
    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    pub(super) fn ended(&self) -> Ending {
        self.ended
    }

    pub(super) fn print(&self) {
        let row = |name: &str, value: u64, note: String| say!("{}", layout::row(name, &group(value), &note));
        let lane = self.lane.as_ref().map_or(String::new(), |lane| format!("Lane {lane}: "));
        say!("{lane}{} for {:.1} s, layout {}", self.wiring, self.seconds, self.layout);
        let market = &self.market;
        let next = || format!("the next is {}", group(market.followed.next_sequence));
        row("messages", market.messages, if self.venues.is_empty() { next() } else { String::new() });
        let filled = [
            (market.followed.filled_by_line, "filled in by the other line"),
            (market.followed.filled_by_rerequest, "by re-request"),
            (market.followed.lost, "given up"),
        ];
        if market.followed.gaps > 0 || filled.iter().any(|(n, _)| *n > 0) {
            row("gaps", market.followed.gaps, format!("messages: {}", counted(&filled)));
        }
        if market.followed.snapshots > 0 {
            row("snapshots", market.followed.snapshots, "from which the books were made anew".to_owned());
        }
        for [name, text] in self.venues.iter().map(AtVenue::words) {
            say!("{}", layout::sentence(&format!("  {name:<10}{text}"), 12));
        }
        let steps = [
            (self.cancels, "cancels"),
            (self.live_orders, "live at the end"),
            (self.refused, "refused by the risk gate"),
        ];
        let steps = if steps.iter().all(|(n, _)| *n == 0) { String::new() } else { counted(&steps) };
        row("orders", self.orders, steps);
        row("fills", self.fills, String::new());
        for (name, value, note) in self.beside.rows() {
            row(&name, value, note);
        }
        self.money.iter().flat_map(Money::rows).for_each(|row| say!("{row}"));
        if let Some(log) = &self.log {
            row(
                "log",
                log.bytes,
                format!("bytes, {} inputs: {} log verify {}", group(self.inputs), me(), log.file.display()),
            );
        }
        let lost = if self.tape.lost > 0 { format!(", {} lost", group(self.tape.lost)) } else { String::new() };
        match &self.tape.file {
            Some(file) => row("tape", self.tape.bytes, format!("bytes in {}{lost}", file.display())),
            None => row("tape", self.tape.records, format!("records{lost}")),
        }
        if let Some(file) = self.tape.file.as_ref().filter(|_| self.tape.error.is_some() || self.tape.unwritten > 0) {
            let why = self.tape.error.as_deref().unwrap_or("its disk was too slow");
            let (file, n) = (file.display(), group(self.tape.unwritten));
            let text = format!(
                "  The tape in {file} is not complete, {n} records are missing in it: {why}. Trading was not concerned."
            );
            say!("{}", layout::sentence(&text, 2));
        }
        if self.tape.unobserved > 0 {
            let text = format!(
                "  {} records of the tape came too fast for the account of fills: what trading brought is not known.",
                group(self.tape.unobserved)
            );
            say!("{}", layout::sentence(&text, 2));
        }
        if self.notices_lost > 0 {
            say!("  {} notices could not be written to the console.", group(self.notices_lost));
        }
        for thread in self.threads.iter().filter(|thread| thread.unpinned) {
            say!("  The system did not let thread {} be pinned to core {:?}.", thread.name, thread.core);
        }
        for count in unusual_at_the_end(&self.counters) {
            say!("  unusual   {}", paint::amber(&count));
        }
        self.times.table().iter().for_each(|line| say!("{line}"));
        match self.errors.as_slice() {
            [] if self.clean && !self.ever_ready => {
                let text = "Order entry was never ready: nothing was sent, and whether orders of an earlier run live at the \
                            venue is not known.";
                say!("{}", layout::sentence(&format!("{} {text}", paint::good("Ended in order.")), 2));
            }
            [] if self.clean => {
                let whose = if self.lane.is_some() { "lane" } else { "gateway" };
                let which = if self.venues.is_empty() { "the" } else { "any" };
                say!("{} no order of this {whose} lives at {which} venue.", paint::good("Ended in order:"));
            }
            [] => say!("{}", paint::amber("Ended, though not as asked: see above.")),
            errors => errors.iter().for_each(|error| {
                say!("{}", layout::sentence(&format!("{} {error}", paint::bad("NOT in order:")), 2));
            }),
        }
    }
}

/// Net shares by symbol, where there are any.
fn held(lane: &dyn Lane) -> BTreeMap<String, i64> {
    let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
    let all = rows.map(|(id, row)| (row.to_string(), lane.gate().ledger().account(id).position.0));
    all.filter(|(_, shares)| *shares != 0).collect()
}

/// What the venue said that cannot be: then nobody here knows for certain what lives there, nor what is held.
fn impossible(counters: &Counters) -> Option<String> {
    let is_one = |name: &str| counters::IMPOSSIBLE.contains(&counters::of_any_venue(name));
    let all = counters.iter().filter(|(name, n)| **n > 0 && is_one(name));
    let said: Vec<String> = all.map(|(name, n)| format!("{name} {}", group(*n))).collect();
    (!said.is_empty()).then(|| {
        format!(
            "the venue said what cannot be ({}): compare orders and positions with it before trading again",
            said.join(", ")
        )
    })
}

/// Why a file ends, without which one.
fn reason(error: &LiveError) -> String {
    match error {
        LiveError::Stopped { error, .. } => error.to_string(),
        other => other.to_string(),
    }
}

/// What became of a log that could not be written to its end, and what to do.
fn log_lost(log: &Kept, error: &str) -> String {
    let file = log.name();
    format!(
        "the log {file} could not be written any more: {error}. From then on no market data was taken and no order left; what \
         rested was cancelled. Make room, start again with another --log, and keep this one: firelane log verify {file} proves \
         it as far as it goes"
    )
}

/// What may still be at the venue.
fn unsettled(status: &StatusBody, show: &Show, answered: bool) -> Option<String> {
    let live = status.live.get();
    let ask = "ask the venue, or start the gateway again: it learns what lives there and cancels it";
    match (live, show.fault()) {
        (0, None) if answered => None,
        (0, Some(Fault::Ended)) => None,
        (0, Some(Fault::NotAuthorized)) if !show.notices.was_ever_ready() => {
            Some("the venue refused the login: whether orders of an earlier run live there is not known".to_owned())
        }
        (0, _) => Some(format!("the venue has not confirmed that nothing lives there any more: {ask}")),
        (n, _) => Some(format!(
            "{} orders may still live at the venue (one that cancels on disconnect has cancelled them): {ask}",
            group(n)
        )),
    }
}
