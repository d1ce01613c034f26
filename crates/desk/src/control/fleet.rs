//! What a gateway of several lanes answers on its control socket: `lane NAME` before a line is for one of them, a line without
//! is for all, or for the owner of the firm's limits.

use super::gateway::{Gateway, GatewayStatus, LeaseStatus};
use super::words::{self, SAID};
use super::{Reply, Status};
use crate::counters::Counters;
use firelane_gateway::flow::command::Word;
use firelane_gateway::shell::clock::Clock;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::firm::{Fate, Firm, LeaseError, Moved};
use firelane_gateway::shell::lanes::{LaneHandle, LanesHandle};
use firelane_gateway::shell::sync::Stop;
use std::time::Instant;

/// What it can be asked besides the words for lanes.
const KNOWN: [&str; 9] = [
    "status",
    "shutdown",
    "kill",
    "release",
    "enable",
    "disable",
    "lease LANE KEY=VALUE...",
    "answer TICKET",
    "lane NAME followed by what is for one lane: status, shutdown, tape, answer TICKET",
];

/// Answers for a gateway of several lanes.
pub(crate) struct Fleet {
    handle: LanesHandle,
    lanes: Vec<Gateway>,
    began: Instant,
    /// Raised to have the whole process end in order.
    end: Stop,
}

/// A line for one lane: its name, and the rest. `None`: the line is for all.
pub(crate) fn addressed(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("lane ")?.trim_start();
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((name, rest.trim_start()))
}

impl Fleet {
    /// `configs` in the order of the lanes; `unshared`: why the tape of each is not shared, although it should be.
    pub(crate) fn new(
        handle: LanesHandle,
        clock: &Clock,
        configs: &[Config],
        end: Stop,
        unshared: Vec<Option<String>>,
    ) -> Self {
        let lanes = configs.iter().zip(handle.members()).zip(unshared).map(|((config, member), unshared)| {
            let mut gateway = Gateway::new(member.handle.clone(), clock.clone(), config, end.clone());
            gateway.unshared = unshared;
            gateway
        });
        let lanes = lanes.collect();
        Fleet { handle, lanes, began: Instant::now(), end }
    }

    fn names(&self) -> Vec<&str> {
        self.handle.members().iter().map(|member| member.name.as_str()).collect()
    }

    /// One line's answer.
    pub(crate) fn answer(&mut self, line: &str) -> Reply {
        if let Some((name, rest)) = addressed(line) {
            let Some((lane, _)) = self.handle.find(name) else {
                return Reply::error(format!("there is no lane {name:?}; there are: {}", self.names().join(", ")));
            };
            return self.of_lane(lane, rest);
        }
        let first = line.split_whitespace().next().unwrap_or("");
        let all = format!("all {} lanes", self.lanes.len());
        match line {
            "status" => return Reply::status(Status::Gateway(Box::new(self.status()))),
            "shutdown" => {
                self.end.stop();
                return Reply::done("the gateway ends in order");
            }
            "kill" => {
                self.handle.kill_switch().throw();
                return Reply::done(format!("kill switch of {all} thrown"));
            }
            "release" => {
                self.handle.kill_switch().release();
                return Reply::done(format!("kill switch of {all} released"));
            }
            "enable" | "disable" => return self.tell_all(line, &all),
            _ => {}
        }
        if first == "lease" {
            return self.lease(line);
        }
        if let Some(ticket) = line.strip_prefix("answer ") {
            return self.outcome(ticket);
        }
        if SAID.iter().any(|(said, _)| said.split(' ').next() == Some(first)) {
            let names = self.names().join(", ");
            return Reply::error(format!("{first:?} is for one lane: which? lane NAME before it says so ({names})"));
        }
        Reply::unknown(line, &KNOWN)
    }

    fn tell_all(&mut self, line: &str, all: &str) -> Reply {
        let errors: Vec<String> = self.lanes.iter_mut().filter_map(|lane| lane.answer(line).error).collect();
        if errors.is_empty() { Reply::done(format!("{all} are told")) } else { Reply::error(errors.join("; ")) }
    }

    fn of_lane(&mut self, lane: usize, line: &str) -> Reply {
        let (Some(gateway), Some(member)) = (self.lanes.get_mut(lane), self.handle.members().get(lane)) else {
            return Reply::error("there is no such lane");
        };
        match line {
            "status" => return Reply::status(Status::Gateway(Box::new(self.status_of(lane)))),
            "shutdown" => {
                return match member.handle.command(Word::Shutdown) {
                    true => Reply::done(format!("lane {:?} ends in order", member.name)),
                    false => Reply::error("too many commands wait in the lane's inbox: it may be stuck"),
                };
            }
            _ => {}
        }
        let ticket =
            line.strip_prefix("answer ").filter(|ticket| ticket.parse().is_ok_and(|n: u64| n >= Firm::TICKETS));
        if let Some(ticket) = ticket {
            return self.outcome(ticket);
        }
        if line.split_whitespace().next() == Some("lane-limits")
            && let Some(mut firm) = self.handle.firm()
        {
            // What is leased has an owner, who may be told that a lane needs less.
            return match words::lane_limits(line, firm.exponent()) {
                Ok(change) => told(firm.lower(lane, &change)),
                Err(error) => Reply::error(error),
            };
        }
        gateway.answer(line)
    }

    fn lease(&self, line: &str) -> Reply {
        let Some(mut firm) = self.handle.firm() else {
            return Reply::error("nothing is leased here: the configuration has no table [firm]");
        };
        match words::leases(line, firm.exponent(), &self.names()) {
            Ok(changes) => told(firm.lease(&changes)),
            Err(error) => Reply::error(error),
        }
    }

    /// Of a ticket of the owner's.
    fn outcome(&self, ticket: &str) -> Reply {
        let Ok(number) = ticket.parse() else { return Reply::error(format!("{ticket:?} is no ticket")) };
        let firm = self.handle.firm();
        let outcome = firm.as_ref().and_then(|firm| firm.outcome(number)).unwrap_or(&Moved::Pending);
        let (said, error) = match outcome {
            Moved::Pending => ("pending", None),
            Moved::Taken => ("taken", None),
            Moved::Rejected(why) => ("rejected", Some(why.clone())),
        };
        Reply { ok: error.is_none(), error, ticket: Some(number), outcome: Some(said.to_owned()), ..Reply::default() }
    }

    fn status_of(&self, lane: usize) -> GatewayStatus {
        let (Some(gateway), Some(LaneHandle { name, number, handle })) =
            (self.lanes.get(lane), self.handle.members().get(lane))
        else {
            return GatewayStatus::default();
        };
        let firm = self.handle.firm();
        let leased = firm.as_ref().and_then(|firm| firm.lanes().nth(lane));
        let of = |lease| LeaseStatus::of(lease, firm.as_ref().map_or(0, |firm| firm.exponent()));
        GatewayStatus {
            lane: Some(name.clone()),
            number: Some(*number),
            phase: Some(phase(phase_word(handle.is_failing(), handle.is_over()), leased.map(|leased| leased.fate))),
            own_kill_switch: Some(handle.kill_switch().is_thrown_itself()),
            lease: leased.map(|leased| of(leased.has.values().map(Some))),
            counted: leased.map(|leased| of(leased.counted.values().map(Some))),
            ..gateway.status()
        }
    }

    pub(crate) fn status(&self) -> GatewayStatus {
        let lanes: Vec<GatewayStatus> = (0..self.lanes.len()).map(|lane| self.status_of(lane)).collect();
        let firm = self.handle.firm().map(|firm| LeaseStatus::of(firm.limits().values(), firm.exponent()));
        let seconds = self.began.elapsed().as_secs_f64();
        GatewayStatus { firm, kill_switch: self.handle.kill_switch().is_thrown(), seconds, ..together(lanes) }
    }
}

fn told(asked: Result<u64, LeaseError>) -> Reply {
    match asked {
        Ok(ticket) => Reply { ticket: Some(ticket), ..Reply::done("the owner of the limits is told") },
        Err(error) => Reply::error(error.to_string()),
    }
}

fn phase_word(failing: bool, over: bool) -> &'static str {
    match (failing, over) {
        (true, _) => "failed",
        (false, true) => "ended",
        (false, false) => "running",
    }
}

/// How far a lane is; the owner of the limits knows if one is gone that has not said so itself.
fn phase(lane: &str, fate: Option<Fate>) -> String {
    match (lane, fate) {
        ("running", Some(Fate::Lost)) => "failed",
        ("running", Some(Fate::Gone)) => "ended",
        (lane, _) => lane,
    }
    .to_owned()
}

/// Sums of what can be summed, and the worst of the rest, over the lanes that run; it has them all.
fn together(lanes: Vec<GatewayStatus>) -> GatewayStatus {
    let mut all = GatewayStatus { pid: std::process::id(), ..GatewayStatus::default() };
    let runs = |lane: &&GatewayStatus| lane.phase.as_deref() == Some("running");
    let running = || lanes.iter().filter(runs);
    let wiring = lanes.first().map(|lane| lane.wiring.clone()).unwrap_or_default();
    all.wiring = if lanes.iter().all(|lane| lane.wiring == wiring) { wiring } else { "several".to_owned() };
    let entry = running().find(|lane| !lane.ready).or(lanes.first()).map(|lane| lane.entry.clone());
    all.entry = entry.unwrap_or_default();
    all.ready = running().next().is_some() && running().all(|lane| lane.ready);
    all.killed = running().next().is_some() && running().all(|lane| lane.killed);
    all.stopped = running().any(|lane| lane.stopped);
    all.age_ms = running().map(|lane| lane.age_ms).max().unwrap_or(0);
    all.market.live_market = running().next().is_some() && running().all(|lane| lane.market.live_market);
    let mut counters = Counters::new();
    for lane in &lanes {
        let (sum, one) = (&mut all.market, &lane.market);
        for (sum, one) in [
            (&mut sum.messages, one.messages),
            (&mut sum.followed.gaps, one.followed.gaps),
            (&mut sum.followed.filled_by_line, one.followed.filled_by_line),
            (&mut sum.followed.filled_by_rerequest, one.followed.filled_by_rerequest),
            (&mut sum.followed.lost, one.followed.lost),
            (&mut sum.followed.snapshots, one.followed.snapshots),
            (&mut all.orders, lane.orders),
            (&mut all.cancels, lane.cancels),
            (&mut all.fills, lane.fills),
            (&mut all.refused, lane.refused),
            (&mut all.live_orders, lane.live_orders),
            (&mut all.open, lane.open),
            (&mut all.log.ring, lane.log.ring),
            (&mut all.log.stalls, lane.log.stalls),
            (&mut all.tape_lost, lane.tape_lost),
            (&mut all.tape_unwritten, lane.tape_unwritten),
            (&mut all.inputs, lane.inputs),
        ] {
            *sum = sum.saturating_add(one);
        }
        all.log.ring_free = all.log.ring_free.into_iter().chain(lane.log.ring_free).reduce(u64::saturating_add);
        all.log.error = all.log.error.take().or(lane.log.error.clone());
        all.tape_error = all.tape_error.take().or(lane.tape_error.clone());
        for (name, count) in &lane.counters {
            let sum = counters.entry(name.clone()).or_insert(0);
            *sum = count.saturating_add(*sum);
        }
    }
    all.counters = counters;
    all.lanes = lanes;
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_for_one_lane_is_told_from_one_for_all() {
        assert_eq!(addressed("lane north kill venue 0"), Some(("north", "kill venue 0")));
        assert_eq!(addressed("lane  north   status"), Some(("north", "status")));
        assert_eq!(addressed("lane north"), Some(("north", "")));
        for line in ["kill", "lanes", "lane", "lane-limits burst=3"] {
            assert_eq!(addressed(line), None, "{line}");
        }
    }

    #[test]
    fn what_all_lanes_did_is_summed_and_one_that_is_not_well_shows() {
        let lane = |name: &str, ready: bool, orders| GatewayStatus {
            lane: Some(name.to_owned()),
            phase: Some("running".to_owned()),
            wiring: "w".to_owned(),
            entry: if ready { "ready" } else { "down" }.to_owned(),
            ready,
            killed: !ready,
            orders,
            open: 7,
            counters: [("core.messages".to_owned(), orders)].into(),
            ..GatewayStatus::default()
        };
        let ended = GatewayStatus { phase: Some("failed".to_owned()), ..lane("c", false, 100) };
        let all = together(vec![lane("a", true, 3), lane("b", false, 4), ended.clone()]);
        assert_eq!((all.orders, all.open, all.counters["core.messages"], all.lanes.len()), (107, 21, 107, 3));
        assert_eq!((all.wiring.as_str(), all.entry.as_str(), all.ready, all.killed), ("w", "down", false, false));
        let well = together(vec![lane("a", true, 3), ended.clone()]);
        assert!(well.ready && well.entry == "ready", "what has ended keeps nobody from being ready");
        let none = together(vec![GatewayStatus { wiring: "v".to_owned(), ..ended.clone() }, ended]);
        assert!(!none.ready && !none.killed && none.wiring == "several");
    }

    #[test]
    fn a_lane_that_is_gone_says_so() {
        let of = |failing, over, fate| phase(phase_word(failing, over), fate);
        assert_eq!(of(false, false, None), "running");
        assert_eq!(of(false, false, Some(Fate::Alive)), "running");
        assert_eq!(of(false, false, Some(Fate::Lost)), "failed");
        assert_eq!(of(false, false, Some(Fate::Gone)), "ended");
        assert_eq!((of(true, true, None), of(false, true, None)), ("failed".to_owned(), "ended".to_owned()));
    }
}
