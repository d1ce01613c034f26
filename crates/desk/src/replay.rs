//! `firelane replay`: a recorded file into exact books, best prices, or the orders that a strategy would have sent.

mod bbo;
mod books;
pub(crate) mod input;
pub(crate) mod orders;
mod progress;
mod report;

pub(crate) use report::{counted, group};

use crate::beside::Reports;
use crate::cli::{Column, Replay, wrong};
use crate::outfile::{OutFile, check_dashes};
use crate::{detector, output, settings, wirings};
use anyhow::{Context, Result, bail};
use bbo::Bbo;
use books::{Followed, Pass};
use firelane_gateway::base::{Symbol, VenueId};
use firelane_sim::capture::{Batch, CaptureError, Ending, Stream};
use input::Recording;
use progress::Progress;
use report::{Damage, Report, Skipped};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Megabytes that are read ahead of the books.
const AHEAD: usize = 4;

pub(crate) fn run(options: &Replay) -> Result<ExitCode> {
    let symbols: Vec<Symbol> = options.symbol.iter().map(|text| parse_symbol(text)).collect::<Result<_>>()?;
    check(options);
    let stream = input::open(&options.file)?;
    let read_from: Vec<&Path> = [Some(&options.file), options.config.as_ref(), options.detector.as_ref()]
        .into_iter()
        .flatten()
        .map(AsRef::as_ref)
        .collect();
    let create = |path: &Path| OutFile::create(path, &read_from, options.force);
    let bbo = match &options.bbo {
        Some(path) => Some(Bbo::new(create(path)?, &options.columns).with_context(|| path.display().to_string())?),
        None => None,
    };
    // What is wrong with it is said, whether anything trades by it or not.
    let sets = settings::watched(&options.set, options.detector.as_deref());
    let config = settings::gateway(options.config.as_deref(), &sets, Some(wirings::first()))?;
    settings::of_one_venue(&config, "a replay")?;
    detector::within_budget(&config)?;
    let orders = match (&options.orders, &options.detector) {
        (None, None) => None,
        (path, _) => {
            let [orders, alerts] = [path, &options.alerts].map(|path| path.as_deref().map(create).transpose());
            Some((orders::Outputs { orders: orders?, alerts: alerts? }, config))
        }
    };
    let mut pass = Pass::new(Followed::new(&symbols), bbo);
    let keep = options.bench || orders.is_some();
    let (stream, kept) = read(stream, &mut pass, keep).with_context(|| writing(options))?;

    let mut report = told(&mut pass, &stream, options);
    let is_used = !report.counts.is_empty();
    if is_used {
        missing(&pass, options)?;
        if let (Some(bbo), Some(path)) = (pass.bbo.take(), &options.bbo) {
            bbo.finish().with_context(|| format!("writing {}", path.display()))?;
        }
        if let Some((to, config)) = orders {
            let mut recording = Recording::of(&kept, pass.first_day.unwrap_or(u64::MAX));
            if pass.misplaced > 0 {
                recording.relocate();
            }
            let what = if options.orders.is_some() { "--orders" } else { "--detector" };
            if let Some(first) = pass.first_day {
                let file = options.file.display();
                complain!("firelane: {file}: {what} trades its first day or session, {} messages of it", group(first));
            }
            if !recording.losses().is_empty() {
                let file = options.file.display();
                complain!(
                    "firelane: {file}: {what} trades no further than to the first loss: the books are stale from there on"
                );
            }
            let symbol = symbols.first().copied().filter(|_| symbols.len() == 1);
            let symbol = symbol.map(|symbol| as_listed(symbol, &pass));
            let config = orders::configure(config, &recording, symbol, options.config.is_none());
            let traded = orders::write(recording, &config, to);
            let outputs: Vec<String> = [&options.orders, &options.alerts]
                .into_iter()
                .flatten()
                .map(|path| path.display().to_string())
                .collect();
            let traded = match outputs[..] {
                [] => traded?,
                _ => traded.with_context(|| format!("writing {}", outputs.join(" and ")))?,
            };
            (report.orders, report.beside) = (Some(traded.orders), traded.beside);
        }
        if options.bench {
            report.ns_per_message.warm = Some(warm(&mut pass, &kept)?);
        }
    }
    if output::is_over() {
        return Ok(ExitCode::SUCCESS);
    }
    if options.json {
        output::json(&report)?;
    } else {
        say!("{}", report.text(&options.file).trim_end());
    }
    Ok(outcome(&report, &stream, options, is_used))
}

/// Arguments that do not go together.
fn check(options: &Replay) {
    if options.bbo.is_some() && options.symbol.len() != 1 && !options.columns.contains(&Column::Symbol) {
        wrong("--bbo writes one symbol (--symbol S), or several with --columns symbol to tell them apart");
    }
    if options.orders.is_some() && options.symbol.len() > 1 {
        wrong("--orders trades one symbol (--symbol S) or all");
    }
    if options.detector.is_some() && options.symbol.len() > 1 {
        wrong("--detector watches one symbol (--symbol S) or all");
    }
    let outputs = [&options.bbo, &options.orders, &options.alerts].map(|path| path.as_deref());
    check_dashes(&[Some(&options.file), options.config.as_deref()], &outputs, options.json);
    let names = ["--bbo", "--orders", "--alerts"];
    for (n, m) in [(0, 1), (0, 2), (1, 2)] {
        if outputs[n].is_some() && outputs[n] == outputs[m] {
            wrong(&format!("{} and {} cannot be one file", names[n], names[m]));
        }
    }
}

fn writing(options: &Replay) -> String {
    options
        .bbo
        .as_ref()
        .map_or_else(|| options.file.display().to_string(), |path| format!("writing {}", path.display()))
}

/// All messages into the books, while a thread beside reads and unpacks them; what was read, if it is to be kept.
fn read(stream: Stream, pass: &mut Pass, keep: bool) -> Result<(Stream, Vec<Batch>)> {
    let mut progress = Progress::new(stream.position());
    let (full, batches) = sync_channel(AHEAD);
    let (give_back, empty) = sync_channel(AHEAD + 2);
    let reader = std::thread::spawn(move || fill(stream, &full, &empty));
    let mut kept = Vec::new();
    let mut failed = Ok(());
    for mut batch in &batches {
        failed = pass.batch(&batch);
        if failed.is_err() || output::is_over() {
            break;
        }
        progress.tell(pass.messages);
        if keep {
            kept.push(batch);
        } else {
            batch.clear();
            let _ = give_back.try_send(batch);
        }
    }
    drop(batches);
    progress.end();
    let stream = join(reader)?;
    failed?;
    Ok((stream, kept))
}

fn fill(mut stream: Stream, full: &SyncSender<Batch>, empty: &Receiver<Batch>) -> Stream {
    loop {
        let mut batch = empty.try_recv().unwrap_or_default();
        // Nobody who takes it: the other side has failed.
        if !stream.fill(&mut batch) || full.send(batch).is_err() {
            return stream;
        }
    }
}

fn join(reader: JoinHandle<Stream>) -> Result<Stream> {
    reader.join().ok().context("the thread that reads the file has died")
}

/// What is to be told of a pass.
fn told(pass: &mut Pass, stream: &Stream, options: &Replay) -> Report {
    let mut errors = std::mem::take(&mut pass.errors);
    let packets = stream.packets();
    if let Some((_, counts)) = &packets {
        errors.lost += counts.lost;
        errors.truncated += counts.truncated;
    }
    errors.trailing_bytes = stream.trailing();
    let damaged = match stream.ending() {
        Ending::Open | Ending::Whole => None,
        Ending::Truncated(byte) => {
            errors.truncated += 1;
            let why = CaptureError::Truncated { offset: *byte }.to_string();
            Some(Damage { byte: Some(*byte), why, cut: true })
        }
        Ending::Damaged(error) => Some(Damage { byte: error.offset(), why: error.to_string(), cut: false }),
    };
    let mut list: Vec<String> = pass.instruments.rows().iter().map(|row| row.name.to_string()).collect();
    list.sort_unstable();
    let symbols = if pass.followed.is_all() { list.len() } else { options.symbol.len() };
    let each = if pass.messages == 0 { 0.0 } else { pass.time.as_nanos() as f64 / pass.messages as f64 };
    let skipped = packets.map(|(skipped, counts)| Skipped::of(skipped, counts));
    Report {
        messages: pass.messages,
        counts: pass.counts(),
        errors,
        damaged,
        symbols: symbols as u64,
        symbol_list: options.symbols.then_some(list),
        live_orders: pass.live,
        peak_live_orders: pass.peak,
        new_books: pass.new_books,
        ns_per_message: report::NsPerMessage { cold: each, warm: None },
        skipped_packets: skipped.as_ref().map_or(0, Skipped::total),
        skipped,
        feed: packets.map(|(_, counts)| counts.into()),
        bbo_states: pass.bbo.as_ref().map(|bbo| bbo.written),
        bbo_stale: pass.bbo.as_ref().map(|bbo| bbo.stale),
        orders: None,
        beside: Reports::default(),
    }
}

/// A symbol that was asked for must be in the file.
fn missing(pass: &Pass, options: &Replay) -> Result<()> {
    const MOST: usize = 20;
    let missing = pass.followed.missing(&pass.instruments);
    let Some(first) = missing.first() else { return Ok(()) };
    let mut there: Vec<String> = pass.instruments.rows().iter().map(|row| row.name.to_string()).collect();
    there.sort_unstable();
    let some = there.get(..MOST).unwrap_or(&there).join(", ");
    let more = if there.len() > MOST {
        format!(" and {} more (--symbols lists them)", there.len() - MOST)
    } else {
        String::new()
    };
    let has = if there.is_empty() { "no symbol".to_owned() } else { format!("{some}{more}") };
    bail!("--symbol {first}: is not in {}, which has {has}", options.file.display())
}

/// A symbol as the file writes it.
fn as_listed(symbol: Symbol, pass: &Pass) -> Symbol {
    let upper = Symbol(symbol.0.map(|byte| byte.to_ascii_uppercase()));
    if pass.instruments.find(VenueId::FIRST, symbol).is_some() { symbol } else { upper }
}

/// The median time of a message, of passes over memory.
fn warm(pass: &mut Pass, batches: &[Batch]) -> Result<f64> {
    let mut warm = Vec::new();
    let budget = Instant::now();
    let mut messages = 0;
    while warm.len() < 3 || warm.len() < 15 && budget.elapsed() < Duration::from_secs(1) {
        pass.reset();
        for batch in batches {
            pass.batch(batch)?;
        }
        messages = pass.messages;
        warm.push(pass.time);
    }
    warm.sort_unstable();
    let median = warm.get(warm.len() / 2).map_or(0, Duration::as_nanos);
    Ok(if messages == 0 { 0.0 } else { median as f64 / messages as f64 })
}

/// The exit code, and on standard error what nobody must miss.
fn outcome(report: &Report, stream: &Stream, options: &Replay, is_used: bool) -> ExitCode {
    let file = options.file.display();
    let looks_like = stream.looks_like();
    let is_damaged = report.damaged.as_ref().is_some_and(|damage| !damage.cut);
    // Of what is no recording at all it means nothing.
    if let Some(damage) = report.damaged.as_ref().filter(|damage| is_used || !damage.cut || looks_like == "empty") {
        complain!("firelane: {file}: {}", damage.why);
    }
    if !is_used {
        match report.skipped.as_ref().map(|skipped| skipped.rows()) {
            Some(rows) if report.messages == 0 => {
                let kinds: Vec<_> =
                    rows.iter().filter(|(_, n)| *n > 0).map(|(kind, n)| format!("{kind} {n}")).collect();
                let packets = if kinds.is_empty() { "no packets".to_owned() } else { kinds.join(", ") };
                complain!(
                    "firelane: {file}: nothing in this capture can be used ({packets}): what is read is ITCH 5.0 in MoldUDP64 over UDP"
                );
            }
            Some(_) => complain!("firelane: {file}: no message in this capture is one of ITCH 5.0"),
            // It broke off before there was anything, which is said.
            None if report.messages == 0 && looks_like == "empty" && report.damaged.is_some() => {}
            None => complain!("firelane: {}", input::nothing_in(&options.file, looks_like)),
        }
        return ExitCode::from(if options.strict { 2 } else { 1 });
    }
    if let Some(stale) = report.bbo_stale.filter(|n| *n > 0) {
        let what = if options.columns.contains(&Column::Stale) {
            "are marked"
        } else {
            "are left out (--columns stale marks them)"
        };
        complain!("firelane: {file}: after a loss the books may be wrong: {} lines of --bbo {what}", group(stale));
    }
    if is_damaged || (options.strict && report.errors.any()) { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn parse_symbol(text: &str) -> Result<Symbol> {
    match Symbol::new(text) {
        Some(symbol) => Ok(symbol),
        None => bail!("--symbol {text:?}: a symbol is one to eight printable ASCII characters without spaces"),
    }
}
