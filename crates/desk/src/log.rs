//! `firelane log verify|stat|dump`.

use crate::cli::Log;
use crate::progress;
use crate::replay::group;
use crate::wirings;
use anyhow::{Context, Result, bail};
use firelane_gateway::flow::record::{
    AlertBody, BookEventBody, CommandBody, DecisionBody, FinalBody, Kind, LinkBody, OrderBody, RecordHeader,
    StatusBody, TopBody, TraceBody,
};
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::log::{FileReader, LogError, Record};
use firelane_gateway::shell::verify::verify;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use zerocopy::FromBytes;

pub(crate) fn run(command: &Log) -> Result<ExitCode> {
    match command {
        Log::Verify { file, json } => run_verify(file, *json),
        Log::Stat { file, json } => stat(file, *json),
        Log::Dump { file, input } => dump(file, *input),
    }
}

fn open(path: &Path) -> Result<BufReader<File>> {
    Ok(BufReader::with_capacity(1 << 18, File::open(path).with_context(|| path.display().to_string())?))
}

/// `verify --json`.
#[derive(Serialize)]
struct Verdict {
    /// Every byte and digest was equal, and the log ends in order.
    verified: bool,
    /// Inputs fed.
    inputs: u64,
    /// Effects compared.
    effects: u64,
    /// Bytes of them.
    bytes: u64,
    /// What differed, or what is wrong with the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn run_verify(path: &Path, json: bool) -> Result<ExitCode> {
    let spinner = progress::spinner("running the lane again");
    let outcome = verify(
        open(path)?,
        |header| {
            let config = Config::parse(&header.config).map_err(|e| e.to_string())?;
            if config.wiring != header.wiring {
                return Err(format!("the header names wiring {:?}, its configuration another", header.wiring));
            }
            wirings::build(&config, None).map_err(|e| format!("{e:#}"))
        },
        |n| spinner.set_message(format!("running the lane again: input {n}")),
    );
    spinner.finish_and_clear();
    let verdict = match outcome {
        Ok(done) => Verdict {
            verified: done.complete,
            inputs: done.inputs,
            effects: done.effects,
            bytes: done.bytes,
            error: (!done.complete).then(|| "the log does not end in order: what is in it was equal".to_owned()),
        },
        Err(error) => Verdict { verified: false, inputs: 0, effects: 0, bytes: 0, error: Some(error.to_string()) },
    };
    if json {
        crate::output::json(&verdict)?;
    } else if let Some(error) = &verdict.error {
        say!("{}: NOT verified: {error}", path.display());
    } else {
        say!(
            "{}: verified. {} inputs gave the same {} effects ({} bytes) and the same final state.",
            path.display(),
            group(verdict.inputs),
            group(verdict.effects),
            group(verdict.bytes)
        );
    }
    Ok(if verdict.verified { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `stat --json`.
#[derive(Default, Serialize)]
struct Stat {
    /// "log" or "tape".
    role: &'static str,
    /// The wiring that ran.
    wiring: String,
    /// Records by kind.
    records: BTreeMap<&'static str, u64>,
    /// Bytes of their bodies by kind.
    bytes: BTreeMap<&'static str, u64>,
    /// The last input number.
    inputs: u64,
    /// Nanoseconds from the first to the last record.
    span_ns: u64,
    /// Where and how the file ends too early, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

fn stat(path: &Path, json: bool) -> Result<ExitCode> {
    let mut reader = FileReader::new(open(path)?).with_context(|| path.display().to_string())?;
    let mut stat = Stat {
        role: if reader.is_log() { "log" } else { "tape" },
        wiring: reader.header().wiring.clone(),
        ..Stat::default()
    };
    let mut first = None;
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                let name = record.kind.map_or("Unknown", Kind::name);
                *stat.records.entry(name).or_default() += 1;
                *stat.bytes.entry(name).or_default() += record.body.len() as u64;
                stat.inputs = record.header.sequence.get();
                let time = record.header.time.get();
                stat.span_ns = time.saturating_sub(*first.get_or_insert(time));
            }
            Ok(None) => break,
            Err(error) => {
                stat.error = Some(error.to_string());
                break;
            }
        }
    }
    if json {
        crate::output::json(&stat)?;
    } else {
        say!("{} of wiring {:?}: {}", stat.role, stat.wiring, path.display());
        for (kind, n) in &stat.records {
            say!("  {kind:<16}{:>14} records {:>16} bytes", group(*n), group(stat.bytes[kind]));
        }
        say!("  {} inputs over {:.3} s", group(stat.inputs), stat.span_ns as f64 / 1e9);
        if let Some(error) = &stat.error {
            say!("  {error}");
        }
    }
    Ok(if stat.error.is_some() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn dump(path: &Path, only: Option<u64>) -> Result<ExitCode> {
    let mut reader = FileReader::new(open(path)?).with_context(|| path.display().to_string())?;
    let mut out = BufWriter::new(io::stdout().lock());
    loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                if only.is_some_and(|n| n != record.header.sequence.get()) {
                    continue;
                }
                // A reader that has seen enough closes the pipe; that is no error.
                match writeln!(out, "{}", line(&record)) {
                    Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                    other => other?,
                }
            }
            Ok(None) => break,
            Err(error @ (LogError::Damaged { .. } | LogError::Torn { .. } | LogError::TooLong { .. })) => {
                out.flush()?;
                bail!("{error}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// One record on one line: number, time, kind, and what is in it.
fn line(record: &Record) -> String {
    let RecordHeader { sequence, time, .. } = record.header;
    let kind = record.kind.map_or("Unknown", Kind::name);
    let body = record.kind.and_then(|k| describe(k, &record.body)).unwrap_or_else(|| hex(&record.body));
    format!("{:>9} {:>16} {kind:<14} {body}", sequence.get(), time.get())
}

fn describe(kind: Kind, body: &[u8]) -> Option<String> {
    Some(match kind {
        Kind::Order => {
            let b = OrderBody::read_from_bytes(body).ok()?;
            format!(
                "order {} instrument {} {} what {} open {} @ {} fill {} @ {} trade {} reason {}",
                b.order,
                b.instrument,
                char::from(b.side),
                b.what,
                b.open,
                b.price,
                b.fill_qty,
                b.fill_price,
                b.trade,
                b.reason
            )
        }
        Kind::Decision => {
            let b = DecisionBody::read_from_bytes(body).ok()?;
            format!(
                "{}{} instrument {} order {} {} @ {} {}",
                char::from(b.action),
                char::from(b.side),
                b.instrument,
                b.order,
                b.qty,
                b.price,
                if b.refusal.get() == 0 { "approved".to_owned() } else { format!("refused {}", b.refusal) }
            )
        }
        Kind::Alert => {
            let b = AlertBody::read_from_bytes(body).ok()?;
            format!("alert {} instrument {} {} {}", b.alert, b.instrument.get().cast_signed(), b.first, b.second)
        }
        Kind::Top => {
            let b = TopBody::read_from_bytes(body).ok()?;
            format!(
                "instrument {} bid {} @ {} ask {} @ {}{}",
                b.instrument,
                b.bid_qty,
                b.bid_price,
                b.ask_qty,
                b.ask_price,
                if b.stale == 0 { "" } else { " stale" }
            )
        }
        Kind::BookEvent => {
            let b = BookEventBody::read_from_bytes(body).ok()?;
            format!(
                "{}{} instrument {} order {} {} @ {} other {}",
                char::from(b.what),
                char::from(b.side),
                b.instrument,
                b.order,
                b.qty,
                b.price,
                b.other
            )
        }
        Kind::Trace => {
            let b = TraceBody::read_from_bytes(body).ok()?;
            let stamps = [b.arrived, b.released, b.decoded, b.booked, b.decided, b.approved, b.encoded, b.sent];
            let steps: Vec<String> =
                stamps.windows(2).map(|pair| pair[1].get().saturating_sub(pair[0].get()).to_string()).collect();
            format!("arrived {}, then ns: {}", b.arrived, steps.join(" "))
        }
        Kind::Status => {
            let b = StatusBody::read_from_bytes(body).ok()?;
            format!(
                "messages {} next {} gaps {} orders {} fills {} live {} entry {} killed {} log free {} tape lost {}",
                b.messages,
                b.next_sequence,
                b.gaps,
                b.orders,
                b.fills,
                b.live,
                b.entry,
                b.killed,
                b.log_free,
                b.tape_lost
            )
        }
        Kind::Link => {
            let b = LinkBody::read_from_bytes(body).ok()?;
            format!("session {} what {} error {}", b.session, b.what, b.error)
        }
        Kind::Command => {
            let b = CommandBody::read_from_bytes(body).ok()?;
            format!("{:?}", firelane_gateway::flow::Command::from_body(b)?)
        }
        Kind::Final => {
            let b = FinalBody::read_from_bytes(body).ok()?;
            format!(
                "inputs {} effects {:016x} tape {:016x} state {:016x}",
                b.inputs,
                b.effects.get(),
                b.tape.get(),
                b.state.get()
            )
        }
        Kind::Sent | Kind::Packet | Kind::Bytes | Kind::Dropped | Kind::Datagram => return None,
        Kind::Connected | Kind::Closed | Kind::Blocked | Kind::Writable | Kind::Connect | Kind::Disconnect => {
            format!("session {}", body.first().copied().unwrap_or_default())
        }
        Kind::Timer => (if body == [0] { "feed" } else { "core" }).to_owned(),
        Kind::Snapshot => String::new(),
        Kind::EffectsDigest => return None,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}
