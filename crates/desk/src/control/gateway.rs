//! What a running gateway answers on its control socket. It looks at the lane's board and gives it commands; it never
//! touches the lane.

use super::at_venue::{self, AtVenue};
use super::words::{self, SAID};
use super::{Reply, Status};
use crate::counters::Counters;
use crate::times::OrderTimes;
use firelane_gateway::flow::command::{Commander, To, Word};
use firelane_gateway::flow::entry::Stage;
use firelane_gateway::flow::record::command::Said;
use firelane_gateway::flow::record::{MarketBody, StatusBody};
use firelane_gateway::shell::broadcast::ReaderState;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::live::{Answered, Handle};
use firelane_gateway::shell::sync::Stop;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// What it can be asked.
const KNOWN: [&str; 4] = ["status", "shutdown", "tape", "answer TICKET"];

/// How a gateway is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GatewayStatus {
    /// Its process.
    pub(crate) pid: u32,
    /// Of one of several lanes: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lane: Option<String>,
    /// And its number in records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) number: Option<u16>,
    /// And how far it is: running, ended, failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phase: Option<String>,
    /// What trades.
    pub(crate) wiring: String,
    /// Since it started.
    pub(crate) seconds: f64,
    /// How old what follows is: the lane says it now and then.
    pub(crate) age_ms: u64,
    /// Where order entry stands: down, connecting, replaying, querying, sweeping, ready, over.
    pub(crate) entry: String,
    /// May orders be sent?
    pub(crate) ready: bool,
    /// Does the lane know that the kill switch is thrown?
    pub(crate) killed: bool,
    /// Is it thrown? Of one of several lanes: its own, or that of all. Of all: that of all.
    pub(crate) kill_switch: bool,
    /// Of one of several lanes: is its own thrown?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) own_kill_switch: Option<bool>,
    /// Is trading stopped because the venue said what cannot be?
    #[serde(default)]
    pub(crate) stopped: bool,
    /// The market: of all venues together, but the next message, which is the first one's.
    pub(crate) market: Market,
    /// Each of several venues.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) venues: Vec<AtVenue>,
    /// Orders and replaces that left.
    pub(crate) orders: u64,
    /// Cancels that left.
    pub(crate) cancels: u64,
    /// Fills.
    pub(crate) fills: u64,
    /// What the risk gate refused.
    pub(crate) refused: u64,
    /// Orders that live.
    pub(crate) live_orders: u64,
    /// What is open at most, in whole units of the base currency.
    #[serde(default)]
    pub(crate) open: u64,
    /// How long orders took.
    #[serde(flatten)]
    pub(crate) times: OrderTimes,
    /// The log.
    pub(crate) log: Log,
    /// Tape records that found no room.
    pub(crate) tape_lost: u64,
    /// Why the tape's file could not be written any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tape_error: Option<String>,
    /// Records of the tape that are not in its file for that.
    #[serde(default)]
    pub(crate) tape_unwritten: u64,
    /// Where readers in other processes find the tape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tape_shared: Option<String>,
    /// Why they do not, although they should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tape_unshared: Option<String>,
    /// Who reads the tape beside the lane.
    #[serde(default)]
    pub(crate) tape_readers: Vec<TapeReader>,
    /// Inputs that the lane has taken.
    pub(crate) inputs: u64,
    /// Every count by its name.
    #[serde(default)]
    pub(crate) counters: Counters,
    /// Of a lane whose limits are leased: what it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<LeaseStatus>,
    /// And what counts for it against the firm's limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counted: Option<LeaseStatus>,
    /// What all lanes may have together, where that is limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) firm: Option<LeaseStatus>,
    /// Each of several lanes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) lanes: Vec<GatewayStatus>,
}

/// Limits that are leased. What is absent is not limited together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LeaseStatus {
    /// In whole units of the base currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_total_open: Option<u64>,
    /// Sustained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) orders_per_second: Option<u64>,
    /// At one instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) burst: Option<u64>,
}

impl LeaseStatus {
    /// In the order of [`KEYS`](firelane_gateway::shell::firm::KEYS), with money in units of 10^`exponent`.
    pub(crate) fn of([open, rate, burst]: [Option<i128>; 3], exponent: i8) -> Self {
        let number = |value: i128| u64::try_from(value.max(0)).unwrap_or(u64::MAX);
        LeaseStatus {
            max_total_open: open.map(|open| whole(open, exponent)),
            orders_per_second: rate.map(number),
            burst: burst.map(number),
        }
    }
}

/// Money in whole units, rounded up: what is open is not said to be less than it is.
fn whole(units: i128, exponent: i8) -> u64 {
    let unit = 10_i128.checked_pow(u32::from(exponent.unsigned_abs())).unwrap_or(i128::MAX);
    let up = units.max(0).saturating_add(unit - 1) / unit;
    u64::try_from(up).unwrap_or(u64::MAX)
}

/// A reader of the tape, as far as it has said how it is doing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TapeReader {
    /// What it calls itself.
    pub(crate) name: String,
    /// Its process.
    pub(crate) pid: u32,
    /// Records that it has read.
    pub(crate) read: u64,
    /// Records that wait for it.
    pub(crate) behind: u64,
    /// Records that were written over before it came to them.
    pub(crate) lost: u64,
    /// Bytes of these.
    pub(crate) lost_bytes: u64,
}

impl TapeReader {
    fn of(state: ReaderState) -> Self {
        let ReaderState { name, process: pid, read, behind, lost, lost_bytes } = state;
        TapeReader { name, pid, read, behind, lost, lost_bytes }
    }
}

/// The market as the lane sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Market {
    /// Is it followed without a gap?
    pub(crate) live_market: bool,
    /// Messages taken.
    pub(crate) messages: u64,
    /// How far.
    #[serde(flatten)]
    pub(crate) followed: Followed,
}

impl Market {
    pub(crate) fn of(status: &StatusBody) -> Self {
        let (live_market, messages) = (status.live_market != 0, status.messages.get());
        Market { live_market, messages, followed: Followed::of(&status.market) }
    }
}

/// How far a market is followed: of all venues together, or of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// The next message.
    pub(crate) next_sequence: u64,
    /// Gaps opened.
    pub(crate) gaps: u64,
    /// Messages that the other line brought.
    pub(crate) filled_by_line: u64,
    /// Messages that the re-request server brought.
    pub(crate) filled_by_rerequest: u64,
    /// Messages given up.
    pub(crate) lost: u64,
    /// Snapshots spliced.
    pub(crate) snapshots: u64,
}

impl Followed {
    pub(crate) fn of(body: &MarketBody) -> Self {
        let MarketBody { next_sequence, gaps, filled_by_line, filled_by_rerequest, lost, snapshots } = body;
        Followed {
            next_sequence: next_sequence.get(),
            gaps: gaps.get(),
            filled_by_line: filled_by_line.get(),
            filled_by_rerequest: filled_by_rerequest.get(),
            lost: lost.get(),
            snapshots: snapshots.get(),
        }
    }
}

/// The log's ring.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Log {
    /// Bytes free; none without a log.
    pub(crate) ring_free: Option<u64>,
    /// And all of it.
    pub(crate) ring: u64,
    /// Times that the lane waited for it.
    pub(crate) stalls: u64,
    /// Why it could not be written any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
}

/// A stage by its number.
pub(super) fn stage(number: u8) -> &'static str {
    const STAGES: [(Stage, &str); 7] = [
        (Stage::Down, "down"),
        (Stage::Connecting, "connecting"),
        (Stage::Replaying, "replaying"),
        (Stage::Confirming, "querying"),
        (Stage::Sweeping, "sweeping"),
        (Stage::Ready, "ready"),
        (Stage::Over, "over"),
    ];
    STAGES.iter().find(|(stage, _)| *stage as u8 == number).map_or("unknown", |(_, word)| word)
}

/// Answers for a gateway.
pub(crate) struct Gateway {
    handle: Handle,
    clock: Clock,
    began: Instant,
    wiring: String,
    log_ring: u64,
    exponent: i8,
    /// Of the instruments that are listed, in the order of their numbers.
    known: words::Known,
    /// Of the venues, if there are several.
    venues: Vec<String>,
    shared: Option<String>,
    /// Why the tape is not shared, although it should be.
    pub(crate) unshared: Option<String>,
    /// Raised to have the whole process end in order, as by a signal.
    end: Stop,
}

impl Gateway {
    pub(crate) fn new(handle: Handle, clock: Clock, config: &Config, end: Stop) -> Self {
        Gateway {
            handle,
            clock,
            began: Instant::now(),
            wiring: config.wiring.clone(),
            log_ring: config.live.log_ring as u64,
            exponent: config.risk.exponent,
            known: words::Known::of(config),
            venues: at_venue::names(config),
            shared: config.live.tape_shared.as_ref().map(|path| path.display().to_string()),
            unshared: None,
            end,
        }
    }

    /// One line's answer.
    pub(crate) fn answer(&mut self, line: &str) -> Reply {
        match line {
            "status" => return Reply::status(Status::Gateway(Box::new(self.status()))),
            "shutdown" => {
                self.end.stop();
                return Reply::done("the gateway ends in order");
            }
            _ => {}
        }
        if let Some(ticket) = line.strip_prefix("answer ") {
            return self.outcome(ticket);
        }
        if super::fleet::addressed(line).is_some() {
            return Reply::error("there is one lane here, without a name: leave --lane out");
        }
        match words::read(line, &self.known, self.clock.now()) {
            Some(Ok(read)) => self.command(&read),
            Some(Err(error)) => Reply::error(error),
            None => {
                let words = SAID.iter().map(|(said, _)| *said);
                Reply::unknown(line, &KNOWN.into_iter().chain(words).collect::<Vec<_>>())
            }
        }
    }

    /// Says it to the lane, whose answer comes later: nobody waits for it here, as a kill switch may be next.
    fn command(&self, read: &words::Read) -> Reply {
        let Some(inbox) = self.handle.inbox(Commander::CONTROL) else { return Reply::error("the lane has no inbox") };
        let said = match (read.word(), read.to) {
            (Word::Kill, To::LANE) => "kill switch thrown",
            (Word::Release, To::LANE) => "kill switch released",
            _ => "the lane is told",
        };
        match inbox.send(read.to, read.expires, read.word()) {
            Ok(ticket) => Reply { ticket: Some(ticket), ..Reply::done(said) },
            // The switch needs no room.
            Err(_) if read.to == To::LANE && matches!(read.word(), Word::Kill | Word::Release) => Reply::done(said),
            Err(full) => Reply::error(full.to_string()),
        }
    }

    fn outcome(&self, ticket: &str) -> Reply {
        let Ok(ticket) = ticket.parse() else { return Reply::error(format!("{ticket:?} is no ticket")) };
        let answer = self.handle.inbox(Commander::CONTROL).and_then(|inbox| inbox.answer(ticket));
        let (said, error) = match answer {
            None => ("pending", None),
            Some(Answered { said, .. }) if said == Said::Taken => (said.name(), None),
            Some(Answered { said, why, .. }) => {
                (said.name(), Some(if why.is_empty() { said.name().to_owned() } else { why }))
            }
        };
        Reply { ok: error.is_none(), error, ticket: Some(ticket), outcome: Some(said.to_owned()), ..Reply::default() }
    }

    pub(crate) fn status(&self) -> GatewayStatus {
        let board = self.handle.board().lock();
        let (status, at) = (board.status, board.status_at);
        let (latency, counters) = (board.latency.clone(), board.counters());
        let (log_error, tape_error) = (board.log_error.clone(), board.tape_error.clone());
        let tape_unwritten = board.tape_unwritten;
        let venues = AtVenue::all(&self.venues, &board.venues);
        drop(board);
        let age = Duration::from_nanos(self.clock.now().0.saturating_sub(at.0));
        GatewayStatus {
            pid: std::process::id(),
            wiring: self.wiring.clone(),
            seconds: self.began.elapsed().as_secs_f64(),
            age_ms: u64::try_from(age.as_millis()).unwrap_or(u64::MAX),
            entry: stage(status.entry).to_owned(),
            ready: status.ready != 0,
            killed: status.killed != 0,
            kill_switch: self.handle.kill_switch().is_thrown(),
            stopped: counters.get("core.stopped").is_some_and(|n| *n > 0),
            market: Market::of(&status),
            venues,
            orders: status.orders.get(),
            cancels: status.cancels.get(),
            fills: status.fills.get(),
            refused: status.refused.get(),
            live_orders: status.live.get(),
            open: whole(status.open.get(), self.exponent),
            times: OrderTimes::of(&latency),
            log: Log {
                ring_free: Some(status.log_free.get()).filter(|free| *free <= self.log_ring),
                ring: self.log_ring,
                stalls: status.log_stalls.get(),
                error: log_error,
            },
            tape_lost: status.tape_lost.get(),
            tape_error,
            tape_unwritten,
            tape_shared: self.shared.clone().filter(|_| self.unshared.is_none()),
            tape_unshared: self.unshared.clone(),
            tape_readers: self.handle.tape_readers().into_iter().map(TapeReader::of).collect(),
            inputs: status.inputs.get(),
            counters,
            ..GatewayStatus::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_said_in_whole_units_and_never_as_less() {
        assert_eq!([0, 1, 10_000, 10_001].map(|units| whole(units, -4)), [0, 1, 1, 2]);
        assert_eq!((whole(-5, -4), whole(7, 0), whole(i128::MAX, 0)), (0, 7, u64::MAX));
        let lease = LeaseStatus::of([Some(50_000), None, Some(9)], -4);
        assert_eq!((lease.max_total_open, lease.orders_per_second, lease.burst), (Some(5), None, Some(9)));
    }

    #[test]
    fn every_stage_has_a_word() {
        let words: Vec<_> = (0..8).map(stage).collect();
        assert_eq!(words, ["down", "connecting", "replaying", "querying", "sweeping", "ready", "over", "unknown"]);
    }
}
