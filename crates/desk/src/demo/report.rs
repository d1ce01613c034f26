//! What `demo` says. The layout of its JSON is stable: fields are added, never renamed or removed.

use super::chart;
use crate::beside::Reports;
use crate::cli::{Demo, Faults};
use crate::counters::{self, Counters, unusual_at_the_end};
use crate::invoked::me;
use crate::layout;
use crate::money::Money;
use crate::paint;
use crate::replay::{counted, group};
use crate::times::Times;
use firelane_gateway::base::VenueId;
use firelane_gateway::flow::record::FinalBody;
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::latency::Latency;
use firelane_sim::reconcile::{TapeCounts, Traded};
use firelane_sim::world::WorldStats;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// Feed, core and venue spin, and one core is left to the rest.
pub(super) const SPLIT_CORES: usize = 4;

/// What both sides leave behind.
pub(super) struct Account<'a> {
    pub(super) lane: &'a dyn Lane,
    pub(super) tape: TapeCounts,
    pub(super) volumes: Traded,
    pub(super) symbols: usize,
    pub(super) stats: WorldStats,
    pub(super) summary: FinalBody,
    /// On the run's clock, until all was at rest.
    pub(super) seconds: f64,
    /// Of these, while the market traded.
    pub(super) traded: f64,
    pub(super) wall: Duration,
    /// Between the two sides, in words.
    pub(super) differences: Vec<String>,
    /// Why the run did not come to its end.
    pub(super) error: Option<String>,
    /// Why the tape's file is not complete.
    pub(super) tape_error: Option<String>,
    /// What those beside the lane came to.
    pub(super) beside: Reports,
    /// Of a run over sockets.
    pub(super) live: Option<LiveFigures>,
}

/// What only a run over sockets has.
pub(super) struct LiveFigures {
    pub(super) layout: &'static str,
    pub(super) latency: Latency,
    pub(super) counters: Counters,
    pub(super) log_stalls: u64,
    /// Order entry was ready while the market traded.
    pub(super) was_ready: bool,
    pub(super) cycles: u64,
    /// Hot threads and what they did when there was nothing to do.
    pub(super) threads: BTreeMap<String, &'static str>,
    pub(super) unpinned: Vec<String>,
}

/// The report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// All came to rest in time, and every order, fill, position and book is equal on both sides.
    pub(crate) reconciled: bool,
    /// Seed of the run.
    pub(crate) seed: u64,
    /// The wiring that ran.
    pub(crate) wiring: String,
    /// "synthetic" or "recorded".
    pub(crate) market: &'static str,
    /// Mean market messages a second that were asked for; absent for a recorded market.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate_asked: Option<u64>,
    /// Those that were published while the market traded.
    rate_reached: u64,
    /// Symbols traded.
    pub(crate) symbols: usize,
    /// Seconds on the run's clock, which is virtual with `--virtual`, until all was at rest.
    pub(crate) virtual_seconds: f64,
    /// Seconds that it took.
    pub(crate) wall_seconds: f64,
    /// Market messages that the gateway worked through, those of snapshots not counted.
    pub(crate) messages: u64,
    /// Market messages published.
    pub(crate) published: u64,
    /// Gaps opened.
    pub(crate) gaps: u64,
    /// What became of what was missing.
    pub(crate) recovery: Recovery,
    /// Orders sent.
    pub(crate) orders: u64,
    /// What became of them.
    pub(crate) order_steps: OrderSteps,
    /// Fills.
    pub(crate) fills: u64,
    /// Shares in them.
    pub(crate) shares: u64,
    /// What it brought.
    #[serde(flatten)]
    pub(crate) money: Money,
    /// Actions that the risk gate refused, by reason.
    pub(crate) rejects: BTreeMap<String, u64>,
    /// What the world did to both.
    pub(crate) faults: FaultCounts,
    /// What those beside the lane came to: a detector, a portfolio.
    #[serde(flatten)]
    pub(crate) beside: Reports,
    /// Every count of the gateway by its name; with sockets, the shell's too.
    pub(crate) counters: Counters,
    /// Digests of the run, in hexadecimal: the same options give the same.
    pub(crate) digests: Digests,
    /// Books that were found equal while the market traded.
    pub(crate) audited_books: u64,
    /// Differences between the two sides, in words.
    pub(crate) differences: Vec<String>,
    /// From the packet that held the message to the return of the send call: ns. Absent with `--virtual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tick_to_trade_ns: Option<Times>,
    /// The same way in pieces, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stages_ns: Option<BTreeMap<&'static str, Times>>,
    /// How the run was shared out. Absent with `--virtual`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) run: Option<RunFigures>,
    /// Why the tape's file is not complete: trading was not concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    tape_error: Option<String>,
    /// Lines that could not be written to the console.
    notices_lost: u64,
    /// Order entry was ready while the market traded.
    #[serde(skip)]
    was_ready: bool,
    /// The two pictures.
    #[serde(skip)]
    charts: Option<(String, String)>,
    /// Why the run did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// How a run over sockets was shared out.
#[derive(Debug, Serialize)]
pub(crate) struct RunFigures {
    /// "fused" or "split".
    layout: &'static str,
    /// What each hot thread did when there was nothing to do: "spin", "yield" or "park".
    threads: BTreeMap<String, &'static str>,
    /// Threads that were to be pinned to a core, and were not.
    unpinned: Vec<String>,
    /// Duty cycles of the lane's threads.
    duty_cycles: u64,
    /// Times that the market had to wait for the log.
    log_stalls: u64,
    /// Orders that had to wait for a venue that did not read; their way is in no percentile.
    orders_that_waited: u64,
    /// How much of all the time from packet to send the stages explain: 1 is all.
    stages_explain: f64,
}

/// How missing market data was recovered.
#[derive(Debug, Serialize)]
pub(crate) struct Recovery {
    /// Missing messages that the other line brought.
    filled_by_line: u64,
    /// Missing messages that the re-request server brought.
    filled_by_rerequest: u64,
    /// Re-requests sent.
    requests: u64,
    /// Messages given up, and replaced by a snapshot.
    lost: u64,
    /// Snapshots spliced into the stream.
    snapshots: u64,
    /// Attempts at a snapshot that failed.
    snapshot_failures: u64,
    /// Changes of the market-data session.
    session_changes: u64,
}

/// What became of orders.
#[derive(Debug, Serialize)]
pub(crate) struct OrderSteps {
    /// Accepted by the venue.
    accepted: u64,
    /// Rejected by the venue, or lost on the way.
    rejected: u64,
    /// Replaces in force.
    replaced: u64,
    /// Replaces and cancels refused, or without effect.
    refused: u64,
    /// Orders whose last shares were cancelled.
    cancelled: u64,
    /// Requests that were not answered in time.
    timed_out: u64,
    /// Trades broken or corrected.
    revised_trades: u64,
}

/// What the world did.
#[derive(Debug, Serialize)]
pub(crate) struct FaultCounts {
    /// "none", "light" or "heavy".
    profile: &'static str,
    /// Datagrams lost, on lines A and B and to and from the re-request server.
    datagrams_lost: u64,
    /// Datagrams that came twice.
    datagrams_duplicated: u64,
    /// Datagrams that came late.
    datagrams_overtaken: u64,
    /// Datagrams that a checksum dropped.
    datagrams_corrupted: u64,
    /// Re-requests that got no answer, or a part of one.
    rerequests_unserved: u64,
    /// Sessions cut.
    sessions_cut: u64,
    /// Sessions that went silent in one direction.
    sessions_half_open: u64,
    /// Connections refused.
    connections_refused: u64,
    /// Snapshots torn, stalled, unfinished or old.
    snapshots_bad: u64,
    /// Changes of the market-data session.
    session_changes: u64,
    /// Times that the kill switch was thrown.
    kills: u64,
}

/// Digests.
#[derive(Debug, Serialize)]
pub(crate) struct Digests {
    /// Every byte that the gateway sent.
    pub(super) effects: String,
    /// Its tape.
    tape: String,
    /// Its final state.
    state: String,
}

impl Report {
    pub(super) fn of(options: &Demo, config: &Config, account: &Account<'_>) -> Self {
        let Account { lane, tape, volumes, stats, summary, live, .. } = account;
        let feed = lane.feed_counters(VenueId::FIRST).copied().unwrap_or_default();
        let gate = lane.gate();
        let refused = Refusal::ALL.into_iter().map(|why| (format!("{why:?}"), gate.refused(why)));
        let sum = |count: fn(&firelane_sim::net::LinkStats) -> u64| stats.datagrams.iter().map(count).sum();
        let streams = |count: fn(&firelane_sim::net::StreamStats) -> u64| stats.streams.iter().map(count).sum();
        let (rerequest, glimpse) = (stats.rerequest, stats.glimpse);
        Report {
            reconciled: account.error.is_none() && account.differences.is_empty(),
            seed: options.seed,
            wiring: config.wiring.clone(),
            market: if options.itch.is_some() { "recorded" } else { "synthetic" },
            rate_asked: options.itch.is_none().then_some(options.rate),
            rate_reached: (stats.published as f64 / account.traded.max(1e-9)) as u64,
            symbols: account.symbols,
            virtual_seconds: account.seconds,
            wall_seconds: account.wall.as_secs_f64(),
            messages: lane.core_counters().messages,
            published: stats.published,
            gaps: feed.gaps,
            recovery: Recovery {
                filled_by_line: feed.filled_by_line,
                filled_by_rerequest: feed.filled_by_rerequest,
                requests: feed.requests,
                lost: feed.lost,
                snapshots: feed.snapshots_ended,
                snapshot_failures: feed.snapshot_failures,
                session_changes: feed.session_changes,
            },
            orders: tape.sent,
            order_steps: OrderSteps {
                accepted: tape.accepted,
                rejected: tape.rejected,
                replaced: tape.replaced,
                refused: tape.refused,
                cancelled: tape.cancelled,
                timed_out: tape.timed_out,
                revised_trades: tape.revised,
            },
            fills: tape.fills,
            shares: tape.shares,
            money: Money::of(*lane, volumes),
            rejects: refused.filter(|(_, n)| *n > 0).collect(),
            faults: FaultCounts {
                profile: match options.faults {
                    None => "none",
                    Some(Faults::Light) => "light",
                    Some(Faults::Heavy) => "heavy",
                },
                datagrams_lost: sum(|s| s.lost + s.lost_in_burst),
                datagrams_duplicated: sum(|s| s.duplicated),
                datagrams_overtaken: sum(|s| s.overtaken),
                datagrams_corrupted: sum(|s| s.corrupt_dropped + s.corrupt_delivered),
                rerequests_unserved: rerequest.unanswered + rerequest.partial,
                sessions_cut: streams(|s| s.cuts) + stats.hang_ups,
                sessions_half_open: streams(|s| s.half_opens),
                connections_refused: streams(|s| s.refused),
                snapshots_bad: glimpse.torn + glimpse.stalled + glimpse.unfinished + glimpse.stale,
                session_changes: stats.session_changes,
                kills: tape.kills,
            },
            beside: account.beside.clone(),
            counters: counters::of(*lane, live.as_ref().map_or_else(Counters::new, |live| live.counters.clone())),
            digests: Digests {
                effects: format!("{:016x}", summary.effects.get()),
                tape: format!("{:016x}", summary.tape.get()),
                state: format!("{:016x}", summary.state.get()),
            },
            audited_books: stats.audited_books,
            differences: account.differences.clone(),
            tick_to_trade_ns: live.as_ref().map(|live| live.latency.percentiles().into()),
            stages_ns: live.as_ref().map(|live| {
                live.latency.pieces().map(|(piece, percentiles)| (piece.word(), percentiles.into())).collect()
            }),
            run: live.as_ref().map(RunFigures::of),
            charts: live
                .as_ref()
                .map(|live| (chart::pieces(&live.latency, layout::width()), chart::spread(&live.latency))),
            was_ready: live.as_ref().is_none_or(|live| live.was_ready),
            tape_error: account.tape_error.clone(),
            notices_lost: crate::output::notices_lost(),
            error: account.error.clone(),
        }
    }

    /// For people. Rows that would only say zero are left out.
    pub(super) fn print(&self) {
        let row = |name: &str, value: u64, note: String| say!("{}", layout::row(name, &group(value), &note));
        let head = format!(
            "{} on {} {} symbol{} for {:.1} {}seconds, seed {}, faults {}",
            self.wiring,
            self.symbols,
            self.market,
            if self.symbols == 1 { "" } else { "s" },
            self.virtual_seconds,
            if self.run.is_none() { "virtual " } else { "" },
            self.seed,
            self.faults.profile
        );
        say!("{}", layout::sentence(&head, 2));
        row("messages", self.messages, format!("{} published{}", group(self.published), self.rate()));
        let r = &self.recovery;
        if self.gaps > 0 {
            let filled = [
                (r.filled_by_line, "filled in by the other line"),
                (r.filled_by_rerequest, "by re-request"),
                (r.lost, "given up"),
            ];
            row("gaps", self.gaps, format!("messages: {}", counted(&filled)));
        }
        if r.snapshots + r.snapshot_failures > 0 {
            let failed = [(r.snapshot_failures, "attempts failed")];
            row("snapshots", r.snapshots, if r.snapshot_failures > 0 { counted(&failed) } else { String::new() });
        }
        let o = &self.order_steps;
        let steps = [
            (o.accepted, "accepted"),
            (o.replaced, "replaced"),
            (o.cancelled, "cancelled"),
            (o.rejected, "rejected or lost"),
            (o.timed_out, "unanswered"),
        ];
        row("orders", self.orders, if self.orders == 0 { self.why_none() } else { counted(&steps) });
        let broken = [(o.revised_trades, "trades broken or corrected")];
        let broken = if o.revised_trades > 0 { format!("; {}", counted(&broken)) } else { String::new() };
        row("fills", self.fills, format!("{} shares{broken}", group(self.shares)));
        if !self.rejects.is_empty() {
            let refused: Vec<String> = self.rejects.iter().map(|(why, n)| format!("{why} {}", group(*n))).collect();
            row("refused", self.rejects.values().sum(), format!("by the risk gate: {}", refused.join(", ")));
        }
        self.money.rows().iter().for_each(|row| say!("{row}"));
        for (name, value, note) in self.beside.rows() {
            row(&name, value, note);
        }
        if self.faults.profile != "none" {
            self.faults.print();
        }
        match &self.run {
            None => say!(
                "  {:<10}{:>14}   {:.2} s of wall time",
                "speed",
                format!("{:.1}x", self.virtual_seconds / self.wall_seconds.max(1e-9)),
                self.wall_seconds
            ),
            Some(run) => run.print(),
        }
        for count in unusual_at_the_end(&self.counters) {
            say!("  unusual   {}", paint::amber(&count));
        }
        self.print_latency();
        if let Some(error) = &self.tape_error {
            say!("The tape's file is not complete: {error}. Trading was not concerned.");
        }
        if !self.reconciled {
            say!("{}. Seed {}.", paint::bad("NOT reconciled"), self.seed);
            for line in self.error.iter().chain(&self.differences) {
                say!("  {line}");
            }
            return;
        }
        let on_the_way = match self.audited_books {
            0 => String::new(),
            books => format!(" ({} books also on the way)", group(books)),
        };
        let equal = format!("every order, fill, position and book is equal on both sides{on_the_way}.");
        say!("{}", layout::sentence(&format!("{} {equal}", paint::good("Reconciled:")), 2));
        self.suggest();
    }

    /// How long each order took, and where.
    fn print_latency(&self) {
        let (Some(run), Some(total), Some((pieces, spread))) = (&self.run, &self.tick_to_trade_ns, &self.charts) else {
            return;
        };
        if total.count == 0 {
            say!("\nNo order was sent for a market message: there is nothing to time.");
            return;
        }
        let what = "from the return of the receive call to the return of the send call:";
        say!("\n{}", layout::sentence(&format!("Tick to trade of {} orders, {what}", group(total.count)), 2));
        say!("{pieces}");
        say!("  The stages explain {:.1} % of the time. How it is spread:", run.stages_explain * 100.0);
        say!("{spread}");
        if run.threads.values().any(|idle| *idle != "spin") {
            let text = "  Not every hot thread has a core to itself here: the tail shows the system's scheduling. On a host \
                        with cores to spare, isolated and pinned, it is the lane's own.";
            say!("{}", layout::sentence(text, 2));
        }
        say!();
    }

    /// How fast the market was, beside what was asked for.
    fn rate(&self) -> String {
        let Some(asked) = self.rate_asked else { return String::new() };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        // On a virtual clock the venue has all the time that it takes.
        pace(self.rate_reached, asked, self.run.as_ref().map(|_| cores))
    }

    /// Why no order went.
    fn why_none(&self) -> String {
        let refused = self.rejects.iter().max_by_key(|(_, n)| **n);
        match refused {
            Some((why, _)) => format!("none went: the risk gate refused all, mostly for {why}"),
            None if self.wiring == "listener" => "a listener sends none".to_owned(),
            None if !self.was_ready => {
                "none went: the venue had no time to answer the login while the market traded; a lower --rate, or more \
                 --seconds, leave it some"
                    .to_owned()
            }
            None if self.recovery.lost + self.recovery.snapshot_failures > 0 => {
                "none went: messages were lost, and no book that may be wrong is traded".to_owned()
            }
            None if self.messages < self.published / 2 => {
                "none went: the gateway did not keep up with the market, and old books are not traded".to_owned()
            }
            None => "none went: the strategy saw no reason to".to_owned(),
        }
    }

    /// What to try next, as it can be typed. A thread each is only for machines that have the cores.
    fn suggest(&self) {
        let me = me();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let (command, what) = match (&self.run, self.faults.profile) {
            (Some(run), "none") if run.layout == "fused" => (
                "demo --faults heavy --log run.log".to_owned(),
                format!("loss, cut sessions, a kill; then: {me} log verify run.log"),
            ),
            (Some(run), _) if run.layout == "fused" && cores >= SPLIT_CORES => {
                ("demo --layout split".to_owned(), "feed and core on a core each".to_owned())
            }
            (Some(_), _) => ("run --help".to_owned(), "gateway and venue as processes of their own".to_owned()),
            (None, _) => {
                ("demo".to_owned(), "the same over real sockets and threads, with every order timed".to_owned())
            }
        };
        say!("Try next:");
        say!("  {me} {command}");
        say!("      {what}");
    }
}

/// A rate that was reached; on `cores` that may have been too few for the one that was asked for.
fn pace(reached: u64, asked: u64, cores: Option<usize>) -> String {
    let much = format!(", {} a second", group(reached));
    match cores {
        // The end is not sharp, and the flow is random.
        Some(cores) if (reached as f64) < 0.9 * asked as f64 => format!(
            "{much} of the {} asked for: the venue found no time for more on {cores} core{}",
            group(asked),
            if cores == 1 { "" } else { "s" }
        ),
        _ => much,
    }
}

impl RunFigures {
    fn of(live: &LiveFigures) -> Self {
        RunFigures {
            layout: live.layout,
            threads: live.threads.clone(),
            unpinned: live.unpinned.clone(),
            duty_cycles: live.cycles,
            log_stalls: live.log_stalls,
            orders_that_waited: live.latency.waited(),
            stages_explain: live.latency.explained(),
        }
    }

    fn print(&self) {
        let threads: Vec<String> = self.threads.iter().map(|(name, idle)| format!("{name} {idle}")).collect();
        let mut note = format!("{}; {} duty cycles", threads.join(", "), group(self.duty_cycles));
        if !self.unpinned.is_empty() {
            note.push_str(&format!("; not pinned, the system refused: {}", self.unpinned.join(", ")));
        }
        if self.log_stalls > 0 {
            let stalls = group(self.log_stalls);
            note.push_str(&format!("; the log could not keep up {stalls} times, and no market was taken then"));
        }
        say!("{}", layout::row("layout", self.layout, &note));
    }
}

impl FaultCounts {
    fn print(&self) {
        let lines = [
            (self.datagrams_lost, "datagrams lost"),
            (self.datagrams_duplicated, "doubled"),
            (self.datagrams_overtaken, "overtaken"),
            (self.datagrams_corrupted, "corrupted"),
            (self.rerequests_unserved, "re-requests unserved"),
        ];
        let sessions = [
            (self.sessions_cut, "cut"),
            (self.sessions_half_open, "half open"),
            (self.connections_refused, "refused"),
            (self.snapshots_bad, "bad snapshots"),
            (self.session_changes, "session changes"),
            (self.kills, "kills"),
        ];
        let mut name = "faults";
        for (figure, counts) in [("lines", &lines[..]), ("sessions", &sessions)] {
            if counts.iter().any(|(n, _)| *n > 0) {
                say!("{}", layout::row(std::mem::take(&mut name), figure, &counted(counts)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_always_said_and_one_that_was_not_reached_with_the_reason() {
        assert_eq!(pace(90_000, 100_000, Some(2)), ", 90,000 a second");
        let short = pace(89_999, 100_000, Some(1));
        assert_eq!(short, ", 89,999 a second of the 100,000 asked for: the venue found no time for more on 1 core");
        assert_eq!(pace(4_223, 5_000, None), ", 4,223 a second", "a virtual clock waits for the venue");
    }
}
