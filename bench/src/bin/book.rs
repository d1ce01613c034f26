//! Parse and full order book: nanoseconds a message, cold and warm.
//!
//! `book FILE.itch` measures a file (BinaryFILE, decompressed); without a file, a made market of 8,000 symbols with two
//! million resting orders. *Cold* is the first pass over the bytes with empty books in this process; *warm* is the
//! median of later passes, the books emptied in between. Build-up messages of a made market are applied untimed.

use anyhow::{Context, Result};
use clap::Parser;
use firelane_bench::market::{Market, Stream, market, messages};
use firelane_gateway::base::InstrumentTable;
use firelane_gateway::flow::book::{BookCapacity, BookView, Books};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

/// Parse and full order book: nanoseconds a message.
#[derive(Parser, Debug)]
struct Args {
    /// A decompressed .itch file; a made market if absent.
    file: Option<PathBuf>,
    /// Symbols of the made market.
    #[arg(long, default_value_t = 8_000)]
    symbols: u16,
    /// Resting orders of the made market.
    #[arg(long, default_value_t = 2_000_000)]
    live: usize,
    /// Timed messages of the made market.
    #[arg(long, default_value_t = 6_000_000)]
    messages: usize,
    /// How many messages ahead the books are told what is coming; 0 for never.
    #[arg(long, default_value_t = 0)]
    ahead: usize,
    /// Passes, the cold one included.
    #[arg(long, default_value_t = 9)]
    passes: usize,
    /// Room for orders; twice `live` if absent.
    #[arg(long)]
    orders: Option<usize>,
    /// Parse only, without books.
    #[arg(long)]
    parse: bool,
}

/// Applies all messages; answers how many there were.
fn run(bytes: &[u8], line: &mut ItchLine, table: &mut InstrumentTable, books: &mut Books, args: &Args) -> u64 {
    let mut count = 0;
    if args.parse {
        for message in messages(bytes) {
            black_box(line.decode(message, table).ok());
            count += 1;
        }
        return count;
    }
    // Four hints for each message, the first 4 * ahead messages before it, the last `ahead` before it.
    let mut coming = [4, 3, 2, 1].map(|n| messages(bytes).skip(args.ahead * n));
    for message in messages(bytes) {
        if args.ahead > 0 {
            for (step, coming) in coming.iter_mut().enumerate() {
                if let Some(message) = coming.next()
                    && let Some(order) = ItchLine::peek_order(message)
                    && let Some(id) = ItchLine::locate(message).and_then(|locate| line.instrument(locate))
                {
                    books.prefetch(step, id, order);
                }
            }
        }
        if let Ok(event) = line.decode(message, table)
            && let Some(id) = event.instrument
        {
            black_box(books.apply(id, &event.kind).top_changed);
        }
        count += 1;
    }
    count
}

fn main() -> Result<()> {
    let args = Args::parse();
    let stream = match &args.file {
        Some(path) => Stream { bytes: std::fs::read(path).with_context(|| path.display().to_string())?, built: 0 },
        None => {
            let Args { symbols, live, messages, .. } = args;
            market(Market { symbols, live, messages, seed: 1 })
        }
    };
    let orders = args.orders.unwrap_or(if args.file.is_some() { 65_536 } else { args.live + args.live / 4 });
    let instruments = if args.file.is_some() { 16 } else { usize::from(args.symbols) };
    let mut books = Books::new(BookCapacity { instruments, orders, levels: orders, own: 16 });
    let mut line = ItchLine::new(0);
    let mut table = InstrumentTable::new(&[], instruments, true);
    let (built, timed) = stream.bytes.split_at(stream.built);
    let mut passes = Vec::new();
    for _ in 0..args.passes.max(2) {
        books.clear();
        line.reset();
        run(built, &mut line, &mut table, &mut books, &args);
        let start = Instant::now();
        let count = run(timed, &mut line, &mut table, &mut books, &args);
        passes.push(start.elapsed().as_nanos() as f64 / count as f64);
    }
    let cold = passes.remove(0);
    passes.sort_by(f64::total_cmp);
    let top = books.view(firelane_gateway::base::InstrumentId(0)).top(firelane_gateway::base::Side::Buy);
    println!(
        "cold {cold:.1}  warm median {:.1}  best {:.1} ns/message; {} live, peak {}, {:?}, {:?}",
        passes[passes.len() / 2],
        passes[0],
        books.live_orders(),
        books.peak_live_orders(),
        top.map(|level| level.price),
        books.counters(),
    );
    Ok(())
}
