//! `firelane status`: how a running gateway, or venue, is doing.

use crate::cli::StatusOf;
use crate::control::{GatewayStatus, Status, Target, VenueState, ask};
use crate::counters::unusual;
use crate::layout;
use crate::output;
use crate::paint;
use crate::replay::group;
use crate::signals;
use crate::venue::counts;
use anyhow::{Result, bail};
use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

/// A lane that has not said how it is doing for so long is not well.
const OLD_MS: u64 = 5_000;
/// How often to look whether a watch is to end.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn run(options: &StatusOf) -> Result<ExitCode> {
    let target = Target::of(&options.target, &options.set)?;
    let Some(seconds) = options.watch else {
        let status = now(&target)?;
        if options.json {
            output::json(&status)?;
        } else {
            say!("{}", text(&status));
        }
        return Ok(ExitCode::SUCCESS);
    };
    let end = signals::asked_to_end(signals::LastWords::default())?;
    let screen = io::stdout().is_terminal();
    let mut first = true;
    while !end.is_stopped() && !output::is_over() {
        let status = now(&target)?;
        if options.json {
            output::json(&status)?;
        } else if screen {
            // From the top of an empty screen.
            say!("\x1b[H\x1b[2J{}\n\nEvery {seconds} s; Ctrl-C ends it.", text(&status));
        } else {
            if !first {
                say!();
            }
            say!("{}", text(&status));
        }
        first = false;
        let since = Instant::now();
        while !end.is_stopped() && !output::is_over() && since.elapsed() < Duration::from_secs(seconds) {
            thread::sleep(LOOK);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn now(target: &Target) -> Result<Status> {
    let reply = ask(target, "status")?;
    match reply.status {
        Some(status) => Ok(status),
        None => bail!("{}: {}", target.socket.display(), reply.error.unwrap_or_else(|| "no status".to_owned())),
    }
}

fn text(status: &Status) -> String {
    match status {
        Status::Gateway(status) => gateway(status),
        Status::Venue(state) => venue(state),
    }
    .join("\n")
}

fn row(name: &str, text: &str) -> String {
    layout::sentence(&format!("  {name:<13}{text}"), 15)
}

fn gateway(status: &GatewayStatus) -> Vec<String> {
    let mut lines = vec![format!("Gateway {:?}, process {}, for {:.0} s", status.wiring, status.pid, status.seconds)];
    if status.age_ms > OLD_MS {
        lines
            .push(format!("  The lane has said nothing for {:.1} s: what follows is old.", status.age_ms as f64 / 1e3));
    }
    let entry = if status.ready || status.entry != "ready" { "" } else { ", but orders may not be sent now" };
    lines.push(row("order entry", &paint_entry(status, &format!("{}{entry}", status.entry))));
    lines.push(row(
        "kill switch",
        &match (status.kill_switch, status.killed) {
            (false, false) => "not thrown".to_owned(),
            (true, true) => paint::bad("THROWN"),
            (true, false) => paint::bad("THROWN, and the lane does not know yet"),
            (false, true) => paint::amber("released, and the lane does not know yet"),
        },
    ));
    if status.stopped {
        lines.push(row(
            "trading",
            "STOPPED: the venue said what cannot be. Compare orders and positions with it; firelane enable lets it go on",
        ));
    }
    let market = &status.market;
    lines.push(row(
        "market",
        &format!(
            "{}, {} messages, the next is {}",
            if market.live_market { "live".to_owned() } else { paint::amber("NOT LIVE") },
            group(market.messages),
            group(market.next_sequence)
        ),
    ));
    lines.push(row(
        "gaps",
        &format!(
            "{}; messages filled in: {} by the other line, {} by re-request; {} lost, {} snapshots",
            group(market.gaps),
            group(market.filled_by_line),
            group(market.filled_by_rerequest),
            group(market.lost),
            group(market.snapshots)
        ),
    ));
    lines.push(row(
        "orders",
        &format!(
            "{} sent, {} cancels, {} fills, {} live, {} refused by the risk gate",
            group(status.orders),
            group(status.cancels),
            group(status.fills),
            group(status.live_orders),
            group(status.refused)
        ),
    ));
    lines.push(row(
        "log",
        &match status.log.ring_free {
            _ if status.log.error.is_some() => {
                format!("CANNOT BE WRITTEN, the gateway ends: {}", status.log.error.as_deref().unwrap_or_default())
            }
            None => "none".to_owned(),
            Some(free) => format!(
                "ring {} % free; the lane waited for it {} times",
                free * 100 / status.log.ring.max(1),
                group(status.log.stalls)
            ),
        },
    ));
    let tape = format!("{} records lost", group(status.tape_lost));
    lines.push(row(
        "tape",
        &match &status.tape_error {
            None if status.tape_unwritten > 0 => {
                format!(
                    "{tape}; the disk of its file TAKES NOTHING, or too slowly: {} are not in it",
                    group(status.tape_unwritten)
                )
            }
            None => tape,
            Some(error) => {
                format!("{tape}; its FILE CANNOT BE WRITTEN, {} are not in it: {error}", group(status.tape_unwritten))
            }
        },
    ));
    lines.extend(unusual(&status.counters).iter().map(|count| row("unusual", count)));
    lines.extend(status.times.table());
    lines
}

fn paint_entry(status: &GatewayStatus, text: &str) -> String {
    if status.ready { paint::good(text) } else { paint::amber(text) }
}

fn venue(state: &VenueState) -> Vec<String> {
    let head = format!(
        "Venue, process {}, {} for {:.0} s of its day: session {:?}, {} messages published",
        state.pid,
        state.phase,
        state.venue_seconds,
        state.session,
        group(state.published)
    );
    let mut lines = vec![layout::sentence(&head, 2)];
    for (index, port) in state.ports.iter().enumerate() {
        lines.push(row(
            &format!("port {index}"),
            &format!(
                "{} {}, {} orders, {} live, {} fills, {} shares",
                port.username,
                if port.logged_in { "logged in" } else { "away" },
                group(port.orders),
                group(port.live_orders),
                group(port.fills),
                group(port.shares)
            ),
        ));
        lines.extend(port.positions.iter().map(|(symbol, shares)| row("", &format!("{symbol:<8} {shares:>+10}"))));
        lines.extend(counts(&port.requests_without_effect).map(|counts| row("", &format!("without effect: {counts}"))));
    }
    lines.extend(counts(&state.gone).map(|counts| row("gone", &counts)));
    if state.full > 0 {
        lines.push(row("full", &format!("{} connections closed at once (limits.connections)", group(state.full))));
    }
    lines.extend(counts(&state.rerequests_unanswered).map(|counts| row("re-requests", &format!("no reply: {counts}"))));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Log;

    #[test]
    fn what_is_out_of_order_stands_out() {
        let well = GatewayStatus { entry: "ready".to_owned(), ready: true, ..GatewayStatus::default() };
        let full = Some("no space".to_owned());
        let text = |status: &GatewayStatus| gateway(status).join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(!text(&well).contains("THROWN") && text(&well).contains("log none"), "{}", text(&well));
        for (status, says) in [
            (GatewayStatus { kill_switch: true, killed: true, ..well.clone() }, "THROWN"),
            (GatewayStatus { kill_switch: true, ..well.clone() }, "does not know yet"),
            (GatewayStatus { ready: false, ..well.clone() }, "may not be sent now"),
            (GatewayStatus { age_ms: 60_000, ..well.clone() }, "nothing for 60.0 s"),
            (GatewayStatus::default(), "NOT LIVE"),
            (GatewayStatus { stopped: true, ..well.clone() }, "STOPPED"),
            (GatewayStatus { log: Log { error: full.clone(), ..Log::default() }, ..well.clone() }, "no space"),
            (GatewayStatus { tape_unwritten: 8, ..well.clone() }, "8 are not in it"),
            (GatewayStatus { tape_error: full, tape_unwritten: 7, ..well.clone() }, "7 are not in it: no space"),
            (GatewayStatus { counters: [("orders.unknown".to_owned(), 1)].into(), ..well.clone() }, "orders.unknown 1"),
        ] {
            assert!(text(&status).contains(says), "{}", text(&status));
        }
    }
}
