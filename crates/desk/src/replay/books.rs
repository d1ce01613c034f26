//! The passes over a recording: timed ones, one that counts, one that writes best prices.

use super::input::Recording;
use super::report::{Errors, NsPerMessage, Report};
use anyhow::Result;
use firelane_gateway::base::{Instrument, InstrumentTable, Side, Symbol};
use firelane_gateway::flow::book::{BookFault, BookView, Books};
use firelane_gateway::flow::event::EventKind;
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A pass's books and what decodes for them.
struct Pass {
    line: ItchLine,
    instruments: InstrumentTable,
    books: Books,
}

impl Pass {
    fn new(recording: &Recording, symbol: Option<Symbol>) -> Self {
        let listed: Vec<Instrument> = symbol.into_iter().map(Instrument::us_equity).collect();
        let capacity = recording.capacity(symbol.is_some());
        Pass {
            line: ItchLine::new(0),
            instruments: InstrumentTable::new(&listed, capacity.instruments, symbol.is_none()),
            books: Books::new(capacity),
        }
    }

    fn reset(&mut self) {
        self.books.clear();
    }

    /// Every message through the decoder and into the books; nanoseconds for all.
    fn timed(&mut self, recording: &Recording) -> (u64, Duration) {
        let start = Instant::now();
        let mut messages = 0u64;
        for message in recording.messages() {
            let Ok(message) = message else { break };
            messages += 1;
            if let Ok(event) = self.line.decode(message, &mut self.instruments)
                && let Some(id) = event.instrument
            {
                std::hint::black_box(self.books.apply(id, &event.kind));
            }
        }
        (messages, start.elapsed())
    }
}

/// All passes but that of the best prices.
pub(super) fn replay(recording: &Recording, symbol: Option<Symbol>) -> Result<Report> {
    let mut pass = Pass::new(recording, symbol);
    let (messages, cold) = pass.timed(recording);
    pass.reset();

    let mut report = count(recording, &mut pass);
    report.messages = messages.max(report.messages);

    let mut warm = Vec::new();
    let budget = Instant::now();
    while warm.len() < 3 || warm.len() < 15 && budget.elapsed() < Duration::from_secs(1) {
        pass.reset();
        warm.push(pass.timed(recording).1);
    }
    warm.sort_unstable();
    let each = |d: Duration| if messages == 0 { 0.0 } else { d.as_nanos() as f64 / messages as f64 };
    report.ns_per_message = NsPerMessage { cold: each(cold), warm: each(warm[warm.len() / 2]) };
    Ok(report)
}

/// What is in the recording, and what is wrong with it.
fn count(recording: &Recording, pass: &mut Pass) -> Report {
    let mut counts = BTreeMap::new();
    let mut errors = Errors { truncated: recording.truncated, ..Errors::default() };
    let mut messages = 0u64;
    let mut walk = recording.messages();
    for message in walk.by_ref() {
        let Ok(message) = message else {
            errors.truncated += 1;
            break;
        };
        messages += 1;
        match pass.line.decode(message, &mut pass.instruments) {
            Ok(event) => {
                let Some(id) = event.instrument else {
                    tally(&mut counts, message);
                    continue;
                };
                match pass.books.apply(id, &event.kind).fault {
                    Some(BookFault::UnknownRef) => errors.unknown_ref += 1,
                    Some(BookFault::DuplicateRef) => errors.duplicate_ref += 1,
                    Some(BookFault::OverReduce) => errors.over_reduce += 1,
                    Some(BookFault::OrdersFull | BookFault::LevelsFull | BookFault::UnknownInstrument) => {
                        errors.no_room += 1;
                    }
                    None => {}
                }
                tally(&mut counts, message);
            }
            Err(NoEvent::UnknownType(_)) => errors.unknown_type += 1,
            Err(NoEvent::BadLength(_)) => errors.bad_length += 1,
            Err(NoEvent::BadField(_)) => errors.bad_field += 1,
            Err(NoEvent::InstrumentsFull) => {
                errors.no_room += 1;
                tally(&mut counts, message);
            }
            Err(NoEvent::Untracked) => tally(&mut counts, message),
        }
    }
    if let Some(feed) = &recording.feed {
        errors.lost = feed.lost;
        errors.bad_length += feed.lines.iter().map(|l| l.malformed).sum::<u64>();
        errors.truncated += feed.lines.iter().map(|l| l.truncated).sum::<u64>();
    }
    errors.trailing_bytes = walk.trailing() as u64;
    Report {
        messages,
        counts,
        errors,
        symbols: pass.instruments.rows().len() as u64,
        live_orders: pass.books.live_orders() as u64,
        peak_live_orders: pass.books.counters().peak_live_orders,
        skipped_packets: recording.skipped_packets,
        feed: recording.feed.map(Into::into),
        ..Report::default()
    }
}

fn tally(counts: &mut BTreeMap<char, u64>, message: &[u8]) {
    if let Some(letter) = message.first() {
        *counts.entry(char::from(*letter)).or_default() += 1;
    }
}

/// Writes `index,ask_px,ask_sz,bid_px,bid_sz` at each change of the symbol's best bid or offer; how many it wrote.
pub(super) fn write_bbo(recording: &Recording, symbol: Symbol, path: &Path) -> Result<u64> {
    let mut pass = Pass::new(recording, Some(symbol));
    let mut file = BufWriter::new(File::create(path)?);
    let side = |books: &Books, id, side| books.view(id).top(side).map_or((0, 0), |l| (l.price.0, l.qty.0));
    let (mut last, mut states) = (((0, 0), (0, 0)), 0);
    for (index, message) in recording.messages().enumerate() {
        let Ok(message) = message else { break };
        let Ok(event) = pass.line.decode(message, &mut pass.instruments) else { continue };
        let Some(id) = event.instrument else { continue };
        if matches!(event.kind, EventKind::Status(_) | EventKind::Info) {
            continue;
        }
        pass.books.apply(id, &event.kind);
        let now = (side(&pass.books, id, Side::Sell), side(&pass.books, id, Side::Buy));
        if now != last {
            let ((ask, ask_size), (bid, bid_size)) = now;
            writeln!(file, "{index},{ask},{ask_size},{bid},{bid_size}")?;
            last = now;
            states += 1;
        }
    }
    file.flush()?;
    Ok(states)
}
