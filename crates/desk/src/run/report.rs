//! What a run leaves behind, for people and programs. The layout of its JSON is stable: fields are added, never renamed or
//! removed.

use super::Show;
use super::files::{Kept, Records};
use crate::control::Market;
use crate::counters::{self, Counters, unusual};
use crate::replay::group;
use crate::times::OrderTimes;
use firelane_gateway::base::InstrumentId;
use firelane_gateway::flow::entry::Fault;
use firelane_gateway::flow::record::StatusBody;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::live::{LiveError, Outcome};
use firelane_gateway::shell::plan::Plan;
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
    orders: u64,
    cancels: u64,
    fills: u64,
    refused: u64,
    /// Orders that lived at the end.
    live_orders: u64,
    /// Net shares by symbol, where there are any. Absent if the lane could not be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    positions: Option<BTreeMap<String, i64>>,
    #[serde(flatten)]
    times: OrderTimes,
    inputs: u64,
    /// Every count by its name, at the end as far as the lane could be asked.
    counters: Counters,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<File>,
    tape: Tape,
    #[serde(skip_serializing_if = "Option::is_none")]
    digests: Option<Digests>,
}

#[derive(Debug, Serialize)]
struct Thread {
    name: &'static str,
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
}

#[derive(Debug, Serialize)]
struct Tape {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    bytes: u64,
    records: u64,
    lost: u64,
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
        plan: &Plan,
        show: &Show,
        (ending, answered): (Ending, bool),
        outcome: Result<Outcome, LiveError>,
        (log, tape, records): (&Kept, &Kept, &Records),
    ) -> Self {
        let board = show.handle.board().lock();
        let (mut status, times, mut counters) = (board.status, OrderTimes::of(&board.latency), board.counters());
        drop(board);
        let (mut errors, mut positions, mut digests, mut unpinned) = (Vec::new(), None, None, Vec::new());
        match outcome {
            Ok(outcome) => {
                let (free, stalls, lost) = (status.log_free, status.log_stalls, status.tape_lost);
                outcome.lane.status(&mut status);
                (status.log_free, status.log_stalls, status.tape_lost) = (free, stalls, lost);
                counters = counters::of(&*outcome.lane, counters);
                positions = Some(held(&*outcome.lane));
                digests = Some(Digests {
                    effects: format!("{:016x}", outcome.summary.effects.get()),
                    tape: format!("{:016x}", outcome.summary.tape.get()),
                    state: format!("{:016x}", outcome.summary.state.get()),
                });
                unpinned = outcome.unpinned;
            }
            Err(error) => errors.push(error.to_string()),
        }
        errors.extend(unsettled(&status, show, answered));
        let at_fault = !matches!(show.fault(), None | Some(Fault::Ended));
        let clean = errors.is_empty() && ending != Ending::Failed && !at_fault;
        let seats = plan.seats().iter();
        Report {
            ended: ending,
            clean,
            ever_ready: show.notices.was_ever_ready(),
            errors,
            wiring: config.wiring.clone(),
            layout: config.live.threads.layout.word(),
            threads: seats
                .map(|seat| Thread {
                    name: seat.name,
                    idle: seat.idle.word(),
                    core: seat.core,
                    unpinned: unpinned.contains(&seat.name),
                })
                .collect(),
            seconds: show.began.elapsed().as_secs_f64(),
            market: Market::of(&status),
            orders: status.orders.get(),
            cancels: status.cancels.get(),
            fills: status.fills.get(),
            refused: status.refused.get(),
            live_orders: status.live.get(),
            positions,
            times,
            inputs: status.inputs.get(),
            counters,
            log: log.path().map(|path| File {
                file: path.to_owned(),
                bytes: log.bytes(),
                stalls: status.log_stalls.get(),
            }),
            tape: Tape {
                file: tape.path().map(Path::to_owned),
                bytes: tape.bytes(),
                records: records.count(),
                lost: status.tape_lost.get(),
            },
            digests,
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        if self.clean { ExitCode::SUCCESS } else { ExitCode::from(1) }
    }

    pub(super) fn print(&self) {
        let row = |name: &str, value: u64, note: String| say!("  {name:<10}{:>14}   {note}", group(value));
        say!("{} for {:.1} s, layout {}", self.wiring, self.seconds, self.layout);
        let market = &self.market;
        row("messages", market.messages, format!("the next is {}", group(market.next_sequence)));
        row(
            "gaps",
            market.gaps,
            format!(
                "messages filled in: {} by the other line, {} by re-request; {} given up; {} snapshots",
                group(market.filled_by_line),
                group(market.filled_by_rerequest),
                group(market.lost),
                group(market.snapshots)
            ),
        );
        row(
            "orders",
            self.orders,
            format!("{} cancels, {} refused by the risk gate", group(self.cancels), group(self.refused)),
        );
        row("fills", self.fills, format!("{} orders live", group(self.live_orders)));
        for (symbol, shares) in self.positions.iter().flatten() {
            say!("    {symbol:<8} {shares:>+10}");
        }
        if let Some(log) = &self.log {
            row(
                "log",
                log.bytes,
                format!("bytes, {} inputs: firelane log verify {}", group(self.inputs), log.file.display()),
            );
        }
        let lost = if self.tape.lost > 0 { format!(", {} lost", group(self.tape.lost)) } else { String::new() };
        match &self.tape.file {
            Some(file) => row("tape", self.tape.bytes, format!("bytes in {}{lost}", file.display())),
            None => row("tape", self.tape.records, format!("records{lost}")),
        }
        for thread in self.threads.iter().filter(|thread| thread.unpinned) {
            say!("  The system did not let thread {} be pinned to core {:?}.", thread.name, thread.core);
        }
        for count in unusual(&self.counters) {
            say!("  unusual   {count}");
        }
        self.times.table().iter().for_each(|line| say!("{line}"));
        match self.errors.as_slice() {
            [] if self.clean && !self.ever_ready => say!(
                "Ended in order. Order entry was never ready: nothing was sent, and whether orders of an earlier run live at \
                 the venue is not known."
            ),
            [] if self.clean => say!("Ended in order: no order of this gateway lives at the venue."),
            [] => say!("Ended, though not as asked: see above."),
            errors => errors.iter().for_each(|error| say!("NOT in order: {error}")),
        }
    }
}

/// Net shares by symbol, where there are any.
fn held(lane: &dyn Lane) -> BTreeMap<String, i64> {
    let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
    let all = rows.map(|(id, row)| (row.symbol.to_string(), lane.gate().ledger().account(id).position.0));
    all.filter(|(_, shares)| *shares != 0).collect()
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
