//! `firelane kill`: throws or releases the kill switch of a running gateway.

use crate::cli::{Enable, Kill};
use crate::control::{GatewayStatus, Status, Target, ask, to_lane};
use crate::invoked::me;
use crate::paint;
use crate::replay::group;
use anyhow::{Result, anyhow, bail};
use serde::Serialize;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// How long to wait for the lane to confirm, and for its orders to be cancelled.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(100);

/// `kill --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Done {
    /// Is the switch thrown now?
    thrown: bool,
    /// Has the lane confirmed it?
    confirmed: bool,
    /// Orders that lived when it was looked at last.
    live_orders: u64,
    /// The gateway's process.
    pid: u32,
    /// Of several lanes: the one whose switch it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<String>,
    /// Lanes whose own switch is thrown still, after that of all was released.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    thrown_themselves: Vec<String>,
}

pub(crate) fn run(options: &Kill) -> Result<ExitCode> {
    let (word, thrown) = if options.release { ("release", false) } else { ("kill", true) };
    let target = Target::of(&options.target, &options.set).map_err(|error| unreached(&error))?;
    if let Some(part) = part(options) {
        return crate::command::tell(&target, options.lane.as_deref(), &format!("{word} {part}"), options.json)
            .map_err(|error| unreached(&error));
    }
    let lane = options.lane.as_deref();
    let reply = ask(&target, &to_lane(lane, word)).map_err(|error| unreached(&error))?;
    if let Some(error) = reply.error.filter(|_| !reply.ok) {
        bail!("no kill switch was reached: {}: {error}", target.socket.display());
    }
    let now = settled(&target, lane, thrown)?;
    let itself = |of: &&GatewayStatus| of.own_kill_switch == Some(true);
    let done = Done {
        thrown: now.own_kill_switch.unwrap_or(now.kill_switch),
        confirmed: has_confirmed(&now, thrown),
        live_orders: now.live_orders,
        pid: now.pid,
        lane: now.lane.clone(),
        thrown_themselves: now.lanes.iter().filter(itself).filter_map(|of| of.lane.clone()).collect(),
    };
    if options.json {
        crate::output::json(&done)?;
    } else {
        let held = now.lane.is_some() && now.kill_switch;
        print(&done, thrown, (now.lanes.len(), held), &options.target.display().to_string());
    }
    let as_asked = done.confirmed && done.thrown == thrown && (!thrown || done.live_orders == 0);
    Ok(if as_asked { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Of a part of the lane, as the control socket names it.
fn part(options: &Kill) -> Option<String> {
    let venue = options.venue.map(|n| format!("venue {n}"));
    let instrument = options.instrument.as_ref().map(|name| format!("instrument {name}"));
    venue.or(instrument).or(options.strategy.map(|n| format!("strategy {n}")))
}

/// `firelane enable`.
pub(crate) fn enable(options: &Enable) -> Result<ExitCode> {
    let target = Target::of(&options.target, &options.set)?;
    let reply = ask(&target, &to_lane(options.lane.as_deref(), "enable"))?;
    if let Some(error) = reply.error.filter(|_| !reply.ok) {
        bail!("{}: {error}", target.socket.display());
    }
    say!("Strategies may act again.");
    Ok(ExitCode::SUCCESS)
}

/// What failed first, what else can be done then.
fn unreached(error: &anyhow::Error) -> anyhow::Error {
    anyhow!(
        "no kill switch was reached: {}\nIf a gateway runs all the same: `kill -USR1 PID` throws its switch too, `kill -TERM \
         PID` ends it in order; a venue that cancels on disconnect cancels its orders when it is gone.",
        crate::explain(error)
    )
}

/// Do the lanes that it is about know? Of one whose switch is released nothing is awaited while another keeps it thrown.
fn has_confirmed(now: &GatewayStatus, thrown: bool) -> bool {
    let knows = |of: &GatewayStatus, held: bool| of.killed == (thrown || held);
    if now.lanes.is_empty() {
        // Of a lane of several that is released: that of all may be thrown.
        return knows(now, now.own_kill_switch.is_some() && now.kill_switch);
    }
    let mut running = now.lanes.iter().filter(|lane| lane.phase.as_deref() == Some("running"));
    running.all(|lane| knows(lane, lane.kill_switch))
}

/// The status once the lanes know, and once nothing lives if the switch is thrown; or when that takes too long.
fn settled(target: &Target, lane: Option<&str>, thrown: bool) -> Result<GatewayStatus> {
    let began = Instant::now();
    loop {
        let Some(Status::Gateway(now)) = ask(target, &to_lane(lane, "status"))?.status else {
            bail!("this is no gateway")
        };
        let settled = has_confirmed(&now, thrown) && (!thrown || now.live_orders == 0);
        if settled || began.elapsed() > PATIENCE {
            return Ok(*now);
        }
        thread::sleep(LOOK);
    }
}

/// `held`: a lane's own switch is not the only one that is thrown.
fn print(done: &Done, thrown: bool, (lanes, held): (usize, bool), target: &str) {
    let pid = done.pid;
    let of = match (&done.lane, lanes) {
        (Some(lane), _) => format!("lane {lane} of process {pid}"),
        (None, 0) => format!("process {pid}"),
        (None, lanes) => format!("all {lanes} lanes of process {pid}"),
    };
    match (thrown, done.confirmed) {
        (true, true) => {
            say!("{}: no order leaves it any more.", paint::bad(&format!("Kill switch of {of} thrown")))
        }
        (true, false) => {
            say!("Kill switch of {of} thrown: no order leaves it any more. The lane has not confirmed yet.");
        }
        (false, true) if held => {
            say!(
                "Kill switch of {of} released. That of all lanes is thrown: no order leaves before it is released, too."
            );
        }
        (false, true) if done.thrown_themselves.is_empty() => {
            say!("Kill switch of {of} released: orders may leave again.");
        }
        (false, true) => say!("Kill switch of {of} released."),
        (false, false) => say!("Kill switch of {of} released; the lane has not confirmed yet."),
    }
    let which = done.lane.as_ref().map_or(String::new(), |lane| format!(" --lane {lane}"));
    if !thrown {
        for lane in &done.thrown_themselves {
            say!("Lane {lane}'s own is thrown still: {} kill {target} --lane {lane} --release", me());
        }
    }
    if thrown {
        match done.live_orders {
            0 => say!("No order of its lives at the venue."),
            n => {
                say!(
                    "{} orders still live: their cancels are on the way. See {} status {target}{which}.",
                    group(n),
                    me()
                )
            }
        }
        say!("Positions are kept, nothing is closed out; the gateway goes on following the market.");
        say!("{} kill {target}{which} --release lets it trade again.", me());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_have_confirmed_once_each_knows_what_concerns_it() {
        let lane = |killed, own, thrown, phase: &str| GatewayStatus {
            lane: Some("a".to_owned()),
            phase: Some(phase.to_owned()),
            killed,
            own_kill_switch: Some(own),
            kill_switch: thrown,
            ..GatewayStatus::default()
        };
        let all = |lanes: &[GatewayStatus]| GatewayStatus { lanes: lanes.to_vec(), ..GatewayStatus::default() };
        let (killed, free) = (lane(true, false, true, "running"), lane(false, false, false, "running"));
        assert!(has_confirmed(&all(&[killed.clone(), killed.clone()]), true));
        assert!(!has_confirmed(&all(&[killed.clone(), free.clone()]), true));
        // One that has ended is not waited for, nor one that its own switch keeps.
        let (ended, own) = (lane(false, false, true, "ended"), lane(true, true, true, "running"));
        assert!(has_confirmed(&all(&[killed, ended.clone()]), true));
        assert!(has_confirmed(&all(&[free.clone(), own.clone(), ended]), false));
        assert!(!has_confirmed(&all(&[free.clone(), lane(true, false, false, "running")]), false));
        // One alone, as it ever was; one lane whose own is released while that of all is thrown.
        let alone = |killed| GatewayStatus { killed, ..GatewayStatus::default() };
        assert!(has_confirmed(&alone(true), true) && !has_confirmed(&alone(true), false));
        assert!(has_confirmed(&free, false) && has_confirmed(&lane(true, false, true, "running"), false));
    }
}
