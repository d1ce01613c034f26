//! `firelane kill`: throws or releases the kill switch of a running gateway.

use crate::cli::{Enable, Kill};
use crate::control::{GatewayStatus, Status, Target, ask};
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
}

pub(crate) fn run(options: &Kill) -> Result<ExitCode> {
    let (word, thrown) = if options.release { ("release", false) } else { ("kill", true) };
    let target = Target::of(&options.target, &options.set).map_err(|error| unreached(&error))?;
    if let Some(part) = part(options) {
        return crate::command::tell(&target, &format!("{word} {part}"), options.json)
            .map_err(|error| unreached(&error));
    }
    let reply = ask(&target, word).map_err(|error| unreached(&error))?;
    if let Some(error) = reply.error.filter(|_| !reply.ok) {
        bail!("no kill switch was reached: {}: {error}", target.socket.display());
    }
    let now = settled(&target, thrown)?;
    let done =
        Done { thrown: now.kill_switch, confirmed: now.killed == thrown, live_orders: now.live_orders, pid: now.pid };
    if options.json {
        crate::output::json(&done)?;
    } else {
        print(&done, thrown, &options.target.display().to_string());
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
    let reply = ask(&target, "enable")?;
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

/// The status once the lane knows, and once nothing lives if the switch is thrown; or when that takes too long.
fn settled(target: &Target, thrown: bool) -> Result<GatewayStatus> {
    let began = Instant::now();
    loop {
        let Some(Status::Gateway(now)) = ask(target, "status")?.status else { bail!("this is no gateway") };
        let settled = now.killed == thrown && (!thrown || now.live_orders == 0);
        if settled || began.elapsed() > PATIENCE {
            return Ok(*now);
        }
        thread::sleep(LOOK);
    }
}

fn print(done: &Done, thrown: bool, target: &str) {
    let pid = done.pid;
    match (thrown, done.confirmed) {
        (true, true) => {
            say!("{}: no order leaves it any more.", paint::bad(&format!("Kill switch of process {pid} thrown")))
        }
        (true, false) => {
            say!("Kill switch of process {pid} thrown: no order leaves it any more. The lane has not confirmed yet.");
        }
        (false, true) => say!("Kill switch of process {pid} released: orders may leave again."),
        (false, false) => say!("Kill switch of process {pid} released; the lane has not confirmed yet."),
    }
    if thrown {
        match done.live_orders {
            0 => say!("No order of its lives at the venue."),
            n => {
                say!("{} orders still live: their cancels are on the way. See {} status {target}.", group(n), me())
            }
        }
        say!("Positions are kept, nothing is closed out; the gateway goes on following the market.");
        say!("{} kill {target} --release lets it trade again.", me());
    }
}
