//! What `demo` says. The layout of its JSON is stable: fields are added, never renamed or removed.

use crate::cli::{Demo, Faults};
use crate::replay::group;
use firelane_gateway::base::{InstrumentId, Price, Side};
use firelane_gateway::flow::book::BookView;
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::lane::Lane;
use firelane_sim::reconcile::Dollars;
use firelane_sim::world::{World, WorldError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

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
    /// Symbols traded.
    pub(crate) symbols: usize,
    /// Virtual seconds, until all was at rest.
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
    /// Profit, positions marked at the last mid: 1/10,000 dollar.
    pub(crate) pnl: i128,
    /// Actions that the risk gate refused, by reason.
    pub(crate) rejects: BTreeMap<String, u64>,
    /// What the world did to both.
    pub(crate) faults: FaultCounts,
    /// Digests of the run, in hexadecimal: the same options give the same.
    pub(crate) digests: Digests,
    /// Books that were found equal while the market traded.
    pub(crate) audited_books: u64,
    /// Differences between the two sides, in words.
    pub(crate) differences: Vec<String>,
    /// Why the run did not come to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
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
    effects: String,
    /// Its tape.
    tape: String,
    /// Its final state.
    state: String,
}

impl Report {
    pub(super) fn of(
        options: &Demo,
        config: &Config,
        world: &World,
        error: Option<WorldError>,
        wall: Duration,
    ) -> Self {
        let (lane, stats, tape) = (world.lane(), world.stats(), world.tape().counts());
        let feed = lane.feed_counters();
        let summary = world.recorder().summary();
        let differences: Vec<String> = world.reconcile().iter().map(ToString::to_string).collect();
        let gate = lane.gate();
        let refused = Refusal::ALL.into_iter().map(|why| (format!("{why:?}"), gate.refused(why)));
        let sum = |count: fn(&firelane_sim::net::LinkStats) -> u64| stats.datagrams.iter().map(count).sum();
        let streams = |count: fn(&firelane_sim::net::StreamStats) -> u64| stats.streams.iter().map(count).sum();
        let (rerequest, glimpse) = (stats.rerequest, stats.glimpse);
        Report {
            reconciled: error.is_none() && differences.is_empty(),
            seed: options.seed,
            wiring: config.wiring.clone(),
            market: if options.itch.is_some() { "recorded" } else { "synthetic" },
            symbols: world.exchange().symbols().len(),
            virtual_seconds: world.now().0 as f64 / 1e9,
            wall_seconds: wall.as_secs_f64(),
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
            pnl: profit(lane),
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
            digests: Digests {
                effects: format!("{:016x}", summary.effects.get()),
                tape: format!("{:016x}", summary.tape.get()),
                state: format!("{:016x}", summary.state.get()),
            },
            audited_books: stats.audited_books,
            differences,
            error: error.map(|e| e.to_string()),
        }
    }

    /// For people.
    pub(super) fn print(&self) {
        let row = |name: &str, value: u64, note: String| println!("  {name:<10}{:>14}   {note}", group(value));
        println!(
            "{} on {} {} symbol{} for {:.1} virtual seconds, seed {}, faults {}",
            self.wiring,
            self.symbols,
            self.market,
            if self.symbols == 1 { "" } else { "s" },
            self.virtual_seconds,
            self.seed,
            self.faults.profile
        );
        row("messages", self.messages, format!("{} published", group(self.published)));
        let r = &self.recovery;
        row(
            "gaps",
            self.gaps,
            format!(
                "messages filled in: {} by the other line, {} by re-request; {} given up",
                group(r.filled_by_line),
                group(r.filled_by_rerequest),
                group(r.lost)
            ),
        );
        row("snapshots", r.snapshots, format!("{} attempts failed", group(r.snapshot_failures)));
        let o = &self.order_steps;
        row(
            "orders",
            self.orders,
            format!(
                "accepted {}, replaced {}, cancelled {}, rejected or lost {}, unanswered {}",
                group(o.accepted),
                group(o.replaced),
                group(o.cancelled),
                group(o.rejected),
                group(o.timed_out)
            ),
        );
        row(
            "fills",
            self.fills,
            format!("{} shares; trades broken or corrected: {}", group(self.shares), o.revised_trades),
        );
        let refused: Vec<String> = self.rejects.iter().map(|(why, n)| format!("{why} {}", group(*n))).collect();
        row("refused", self.rejects.values().sum(), format!("by the risk gate: {}", or_nothing(&refused)));
        println!("  {:<10}{:>14}   positions marked at the last mid", "P&L", Dollars(self.pnl).to_string());
        if self.faults.profile != "none" {
            self.faults.print();
        }
        println!(
            "  {:<10}{:>14}   {:.2} s of wall time",
            "speed",
            format!("{:.1}x", self.virtual_seconds / self.wall_seconds.max(1e-9)),
            self.wall_seconds
        );
        if self.reconciled {
            println!(
                "Reconciled: every order, fill, position and book is equal on both sides ({} books also on the way).",
                group(self.audited_books)
            );
            return;
        }
        println!("NOT reconciled. Seed {}.", self.seed);
        for line in self.error.iter().chain(&self.differences) {
            println!("  {line}");
        }
    }
}

impl FaultCounts {
    fn print(&self) {
        println!(
            "  faults      lines: {} datagrams lost, {} doubled, {} overtaken, {} corrupted; {} re-requests unserved",
            group(self.datagrams_lost),
            group(self.datagrams_duplicated),
            group(self.datagrams_overtaken),
            group(self.datagrams_corrupted),
            group(self.rerequests_unserved)
        );
        println!(
            "              sessions: {} cut, {} half open, {} refused; {} bad snapshots; {} session changes; {} kills",
            self.sessions_cut,
            self.sessions_half_open,
            self.connections_refused,
            self.snapshots_bad,
            self.session_changes,
            self.kills
        );
    }
}

fn or_nothing(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_owned() } else { items.join(", ") }
}

/// Cash, and what is held at the middle of the book (at the last trade where a side is empty).
fn profit(lane: &dyn Lane) -> i128 {
    let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
    rows.map(|(id, row)| {
        let account = lane.gate().ledger().account(id);
        let book = lane.books().view(id);
        let best = |side| book.top(side).map(|level| level.price.0);
        let mid = best(Side::Buy).zip(best(Side::Sell)).map(|(bid, ask)| Price((bid + ask) / 2));
        let mark = mid.or(book.last_trade().map(|(price, _)| price)).unwrap_or_default();
        account.profit(mark, row.multiplier).map_or(0, |profit| profit.0)
    })
    .sum()
}
