//! `firelane status`: how a running gateway, or venue, is doing.

use crate::cli::StatusOf;
use crate::control::{
    AtVenue, Followed, GatewayStatus, LeaseStatus, Status, TapeReader, Target, VenueState, ask, to_lane,
};
use crate::counters::unusual;
use crate::layout;
use crate::output;
use crate::paint;
use crate::replay::{counted, group};
use crate::venue::{counted_orders, counts};
use anyhow::{Result, bail};
use firelane_gateway::shell::signals;
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
        let status = now(&target, options)?;
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
        let status = now(&target, options)?;
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

fn now(target: &Target, options: &StatusOf) -> Result<Status> {
    let reply = ask(target, &to_lane(options.lane.as_deref(), "status"))?;
    match reply.status {
        Some(status) => Ok(status),
        None => bail!("{}: {}", target.socket.display(), reply.error.unwrap_or_else(|| "no status".to_owned())),
    }
}

fn text(status: &Status) -> String {
    match status {
        Status::Gateway(status) if !status.lanes.is_empty() => fleet(status),
        Status::Gateway(status) => gateway(status),
        Status::Venue(state) => venue(state),
    }
    .join("\n")
}

fn row(name: &str, text: &str) -> String {
    layout::sentence(&format!("  {name:<13}{text}"), 15)
}

/// Of several lanes: a line for each, and what they may have.
fn fleet(status: &GatewayStatus) -> Vec<String> {
    let lanes = &status.lanes;
    let mut lines =
        vec![format!("Gateway of {} lanes, process {}, for {:.0} s", lanes.len(), status.pid, status.seconds)];
    let switch = if status.kill_switch { paint::bad("THROWN, that of all lanes") } else { "not thrown".to_owned() };
    lines.push(row("kill switch", &switch));
    lines.push(format!(
        "  {:<16}  {:<10}  {:>11}  {:>9}  {:>7}  {:>5}  {}",
        "lane", "entry", "messages", "orders", "fills", "live", "switch"
    ));
    for lane in lanes {
        let phase = lane.phase.as_deref().unwrap_or("running");
        let name = lane.lane.as_deref().unwrap_or_default();
        let entry = if phase == "running" { &lane.entry } else { phase };
        let entry = format!("{entry:<10}");
        let entry = if lane.ready && phase == "running" { paint::good(&entry) } else { paint::amber(&entry) };
        let counts = [lane.market.messages, lane.orders, lane.fills, lane.live_orders].map(group);
        let [messages, orders, fills, live] = counts;
        let line =
            format!("  {name:<16}  {entry}  {messages:>11}  {orders:>9}  {fills:>7}  {live:>5}  {}", thrown(lane));
        lines.push(line.trim_end().to_owned());
    }
    if let Some(firm) = &status.firm {
        lines.push(format!(
            "  {:<16}  {:>14}  {:>15}  {:>9}  {:>6}",
            "lease", "open", "max_total_open", "orders/s", "burst"
        ));
        let line = |name: &str, open: u64, lease: &LeaseStatus| {
            let of = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), group);
            let [most, rate, burst] = [lease.max_total_open, lease.orders_per_second, lease.burst].map(of);
            format!("  {name:<16}  {:>14}  {most:>15}  {rate:>9}  {burst:>6}", group(open))
        };
        let leased = |lane: &GatewayStatus| {
            let lease = lane.lease.clone().unwrap_or_default();
            line(lane.lane.as_deref().unwrap_or_default(), lane.open, &lease)
        };
        lines.extend(lanes.iter().map(leased));
        lines.push(line("the firm", status.open, firm));
    }
    for lane in lanes {
        let name = lane.lane.as_deref().unwrap_or_default();
        let running = lane.phase.as_deref() == Some("running");
        lines.extend((running && lane.age_ms > OLD_MS).then(|| silent(lane)).map(|text| row(name, &text)));
        lines.extend(lane.stopped.then(|| row(name, &format!("trading {}, see --lane {name}", paint::bad("STOPPED")))));
        let error = lane.log.error.as_ref();
        lines.extend(error.map(|why| row(name, &format!("its log {}: {why}", paint::bad("CANNOT BE WRITTEN")))));
    }
    lines
}

/// Which switch stops a lane.
fn thrown(lane: &GatewayStatus) -> String {
    match (lane.own_kill_switch, lane.kill_switch) {
        (Some(true), _) => paint::bad("THROWN"),
        (_, true) => paint::bad("all's"),
        (_, false) => "-".to_owned(),
    }
}

fn silent(status: &GatewayStatus) -> String {
    format!("The lane has said nothing for {:.1} s: what follows is old.", status.age_ms as f64 / 1e3)
}

fn gateway(status: &GatewayStatus) -> Vec<String> {
    let lane = status.lane.as_ref().map_or(String::new(), |lane| format!(", lane {lane}"));
    let mut lines =
        vec![format!("Gateway {:?}{lane}, process {}, for {:.0} s", status.wiring, status.pid, status.seconds)];
    if status.age_ms > OLD_MS {
        lines.push(format!("  {}", silent(status)));
    }
    let entry = if status.ready || status.entry != "ready" { "" } else { ", but orders may not be sent now" };
    lines.push(row("order entry", &paint_entry(status, &format!("{}{entry}", status.entry))));
    lines.push(row(
        "kill switch",
        &match (status.kill_switch, status.killed) {
            (false, false) => "not thrown".to_owned(),
            (true, true) if status.own_kill_switch == Some(false) => paint::bad("THROWN, that of all lanes"),
            (true, true) => paint::bad("THROWN"),
            (true, false) => paint::bad("THROWN, and the lane does not know yet"),
            (false, true) => paint::amber("released, and the lane does not know yet"),
        },
    ));
    if status.stopped {
        lines.push(row(
            "trading",
            &format!(
                "{}: the venue said what cannot be. Compare orders and positions with it; firelane enable lets it go on",
                paint::bad("STOPPED")
            ),
        ));
    }
    let market = &status.market;
    lines.push(row(
        "market",
        &format!(
            "{}, {} messages{}",
            if market.live_market { "live".to_owned() } else { paint::amber("NOT LIVE") },
            group(market.messages),
            // Of several venues, each has its own.
            if status.venues.is_empty() {
                format!(", the next is {}", group(market.followed.next_sequence))
            } else {
                String::new()
            }
        ),
    ));
    lines.extend(gaps(&market.followed));
    lines.extend(status.venues.iter().map(AtVenue::words).map(|[name, text]| row(&name, &text)));
    let orders = [
        (status.orders, "sent"),
        (status.cancels, "cancels"),
        (status.fills, "fills"),
        (status.live_orders, "live"),
        (status.refused, "refused by the risk gate"),
    ];
    if orders.iter().any(|(n, _)| *n > 0) {
        lines.push(row("orders", &counted(&orders)));
    }
    if let Some(lease) = &status.lease {
        let most = lease.max_total_open.map_or_else(|| "-".to_owned(), group);
        lines.push(row("lease", &format!("{} open of {most} at most", group(status.open))));
    }
    lines.push(row(
        "log",
        &match status.log.ring_free {
            _ if status.log.error.is_some() => {
                let error = status.log.error.as_deref().unwrap_or_default();
                format!("{}, the gateway ends: {error}", paint::bad("CANNOT BE WRITTEN"))
            }
            None => "none".to_owned(),
            Some(free) => {
                let ring = format!("ring {} % free", free * 100 / status.log.ring.max(1));
                match status.log.stalls {
                    0 => ring,
                    stalls => format!("{ring}; {}", paint::amber(&format!("the lane waited for it {stalls} times"))),
                }
            }
        },
    ));
    lines.extend(tape(status).map(|text| row("tape", &text)));
    lines.extend(status.tape_unshared.iter().map(|why| row("tape", &paint::amber(why))));
    lines.extend(status.tape_readers.iter().map(|reader| row("tape reader", &self::reader(reader, status.pid))));
    lines.extend(unusual(&status.counters).iter().map(|count| row("unusual", &paint::amber(count))));
    lines.extend(status.times.table());
    lines
}

/// Gaps, and what became of them; nothing where there was none.
fn gaps(market: &Followed) -> Option<String> {
    let filled = [(market.filled_by_line, "by the other line"), (market.filled_by_rerequest, "by re-request")];
    let mut words = vec![group(market.gaps)];
    if filled.iter().any(|(n, _)| *n > 0) {
        words.push(format!("messages filled in: {}", counted(&filled)));
    }
    if market.lost > 0 {
        words.push(paint::amber(&format!("{} lost", group(market.lost))));
    }
    if market.snapshots > 0 {
        words.push(format!("{} snapshots", group(market.snapshots)));
    }
    let is_any = market.gaps > 0 || words.len() > 1;
    is_any.then(|| row("gaps", &words.join("; ")))
}

/// What is wrong with the tape, if anything is.
fn tape(status: &GatewayStatus) -> Option<String> {
    let unwritten = group(status.tape_unwritten);
    let mut words = Vec::new();
    if status.tape_lost > 0 {
        words.push(paint::amber(&format!("{} records lost", group(status.tape_lost))));
    }
    match &status.tape_error {
        Some(error) => {
            words.push(format!("its {}, {unwritten} are not in it: {error}", paint::amber("FILE CANNOT BE WRITTEN")));
        }
        None if status.tape_unwritten > 0 => words.push(format!(
            "the disk of its file {}, or too slowly: {unwritten} are not in it",
            paint::amber("TAKES NOTHING")
        )),
        None => {}
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// How far a reader of the tape has come.
fn reader(reader: &TapeReader, own: u32) -> String {
    let TapeReader { name, pid, read, behind, lost, .. } = reader;
    let process = if *pid == own { String::new() } else { format!(" (process {pid})") };
    let mut text = format!("{name}{process}: {} records read, {} behind", group(*read), group(*behind));
    if *lost > 0 {
        text.push_str(&format!("; {}", paint::amber(&format!("{} lost, it is too slow", group(*lost)))));
    }
    text
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
                "{} {}: {}",
                port.username,
                if port.logged_in { "logged in" } else { "away" },
                counted_orders([port.orders, port.live_orders, port.fills, port.shares])
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
    use crate::control::Market;
    use crate::control::{Log, PortState};

    #[test]
    fn what_would_only_say_zero_is_left_out() {
        let text = |status: &GatewayStatus| gateway(status).join("\n");
        let nothing = text(&GatewayStatus::default());
        for name in ["gaps", "orders", "tape", "unusual", "tick to trade"] {
            assert!(!nothing.contains(&format!("\n  {name}")), "{nothing}");
        }
        let market =
            Market { followed: Followed { gaps: 2, filled_by_line: 3, ..Followed::default() }, ..Market::default() };
        let some =
            text(&GatewayStatus { orders: 1_234, live_orders: 1, market, tape_lost: 5, ..GatewayStatus::default() });
        for row in
            ["gaps         2; messages filled in: 3 by the other line\n", "1,234 sent, 1 live\n", "5 records lost"]
        {
            assert!(some.contains(row), "{row:?} is not in {some}");
        }
        assert!(!some.contains("re-request") && !some.contains("cancels"), "{some}");
        let log = Log { ring_free: Some(10), ring: 10, ..Log::default() };
        let of = |stalls| text(&GatewayStatus { log: Log { stalls, ..log.clone() }, ..GatewayStatus::default() });
        assert!(of(0).ends_with("ring 100 % free") && of(2).contains("waited for it 2 times"), "{}", of(2));
        let port = |orders| VenueState {
            ports: vec![PortState { username: "FIRE".to_owned(), orders, ..PortState::default() }],
            ..VenueState::default()
        };
        assert!(venue(&port(0))[1].ends_with("FIRE away: no orders"), "{:?}", venue(&port(0)));
        assert!(venue(&port(7))[1].ends_with("FIRE away: 7 orders"), "{:?}", venue(&port(7)));
    }

    #[test]
    fn lanes_are_a_table_of_eighty_columns() {
        let lane = |name: &str, phase: &str| GatewayStatus {
            lane: Some(name.to_owned()),
            phase: Some(phase.to_owned()),
            entry: "connecting".to_owned(),
            own_kill_switch: Some(false),
            orders: 1_234_567,
            fills: 123_456,
            live_orders: 1_024,
            open: 123_456_789_012,
            market: Market { messages: 123_456_789, ..Market::default() },
            lease: Some(LeaseStatus { max_total_open: Some(123_456_789_012), ..LeaseStatus::default() }),
            ..GatewayStatus::default()
        };
        let own = GatewayStatus { own_kill_switch: Some(true), kill_switch: true, ..lane("south", "running") };
        let all = GatewayStatus { kill_switch: true, age_ms: 6_000, ..lane("sixteen-letters-", "running") };
        let failed = GatewayStatus { stopped: true, ..lane("east", "failed") };
        let firm =
            Some(LeaseStatus { max_total_open: Some(999_999_999_999), burst: Some(4_096), ..LeaseStatus::default() });
        let status = GatewayStatus { firm, lanes: vec![own, all, failed], ..GatewayStatus::default() };
        let lines = fleet(&status);
        let text = lines.join("\n");
        assert!(lines.iter().flat_map(|line| line.lines()).all(|line| paint::columns(line) <= 80), "{text}");
        for part in [
            "Gateway of 3 lanes",
            "  south             connecting",
            "THROWN",
            "all's",
            "  east              failed",
            "the firm",
            "4,096",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        assert!(text.contains("has said nothing for 6.0 s") && text.contains("STOPPED, see --lane east"), "{text}");
        let one = gateway(&status.lanes[1]).join("\n");
        assert!(one.contains(", lane sixteen-letters-,") && one.contains("open of 123,456,789,012"), "{one}");
    }

    #[test]
    fn what_is_out_of_order_stands_out() {
        let well = GatewayStatus { entry: "ready".to_owned(), ready: true, ..GatewayStatus::default() };
        let full = Some("no space".to_owned());
        let slow = TapeReader { name: "tail".to_owned(), pid: 7, read: 1_234, behind: 5, lost: 6, lost_bytes: 600 };
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
            (
                GatewayStatus { tape_readers: vec![slow], ..well.clone() },
                "tail (process 7): 1,234 records read, 5 behind; 6 lost",
            ),
            (GatewayStatus { counters: [("orders.unknown".to_owned(), 1)].into(), ..well.clone() }, "orders.unknown 1"),
        ] {
            assert!(text(&status).contains(says), "{}", text(&status));
        }
    }
}
