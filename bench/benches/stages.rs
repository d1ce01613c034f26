//! The stages of the lane one by one, quickly: decode, book, arbitration, gate, encoding, journal; and beside it, its state, the
//! simulated venue and the tape's readers. What comes out of each is used, or the optimiser would leave the work out.
//!
//! For regressions seen while working; the numbers of record come from the program `lab`.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use firelane_bench::market::{Market, market, messages};
use firelane_bench::pieces::{EncodeWork, GateWork, JournalWork, StateWork, VenueWork};
use firelane_gateway::base::{InstrumentTable, LineId, Mono};
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::{FeedConfig, Mold};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::MarketLine;
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::wire::itch50;
use firelane_gateway::flow::wire::moldudp64::PacketBuilder;
use firelane_gateway::shell::broadcast::{Begin, BroadcastReader, BroadcastWriter, Got, Shared};
use firelane_gateway::shell::ring::ring;
use std::hint::black_box;
use std::time::{Duration, Instant};

fn stream() -> Vec<u8> {
    market(Market { symbols: 100, live: 5_000, messages: 20_000, seed: 1 }).bytes
}

fn decode(c: &mut Criterion) {
    let bytes = stream();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(messages(&bytes).count() as u64));
    group.bench_function("wire", |b| b.iter(|| messages(&bytes).filter(|m| itch50::decode(m).is_ok()).count()));
    let (mut line, mut table) = (ItchLine::new(0), InstrumentTable::new(&[], 100, true));
    group.bench_function("event", |b| {
        b.iter(|| messages(&bytes).filter(|m| black_box(line.decode(m, &mut table)).is_ok()).count());
    });
}

fn book(c: &mut Criterion) {
    let bytes = stream();
    let (mut line, mut table) = (ItchLine::new(0), InstrumentTable::new(&[], 100, true));
    let events: Vec<Event> = messages(&bytes).filter_map(|m| line.decode(m, &mut table).ok()).collect();
    let mut books = Books::new(BookCapacity { instruments: 100, orders: 16_384, levels: 16_384, own: 16 });
    let mut group = c.benchmark_group("book");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("apply", |b| {
        b.iter(|| {
            books.clear();
            for event in &events {
                if let Some(id) = event.instrument {
                    books.follow(&table);
                    black_box(books.apply(id, &event.kind).top_changed);
                }
            }
        });
    });
}

/// Four messages a packet, each packet on both lines.
fn arbitrate(c: &mut Criterion) {
    let bytes = stream();
    let all: Vec<&[u8]> = messages(&bytes).collect();
    let packets = (0..).zip(all.chunks(4)).map(|(n, chunk)| {
        let mut buffer = [0; 1_472];
        let mut packet = PacketBuilder::new(&mut buffer, *b"     BENCH", n * 4 + 1).expect("room for a header");
        chunk.iter().for_each(|message| packet.push(message).expect("four messages fit"));
        packet.finish().to_vec()
    });
    let packets: Vec<Vec<u8>> = packets.collect();
    let mut group = c.benchmark_group("arbitrate");
    group.throughput(Throughput::Elements(all.len() as u64));
    group.bench_function("two lines", |b| {
        b.iter_batched(
            || (Mold::<ItchLine>::new(FeedConfig::default()).expect("the default is sound"), Outbox::new(0)),
            |(mut feed, mut out)| {
                let mut released = 0;
                for packet in &packets {
                    for line in [LineId::A, LineId::B] {
                        feed.on_packet(Mono(1), line, packet, &mut out);
                        while feed.next(packet).is_some() {
                            released += 1;
                        }
                    }
                }
                released
            },
            BatchSize::LargeInput,
        );
    });
}

/// The gate with every control on: limits in another currency, recent orders, collar, price test.
fn gate(c: &mut Criterion) {
    let mut work = GateWork::new().expect("its configuration is sound");
    c.bench_function("gate/an enter, every control", |b| b.iter(|| work.enter().is_ok()));
}

/// From an approved action to framed bytes in the outbox, which is emptied as the shell does. Approvals are made before: each
/// is spent once. `lab encode` does the same beside a peer.
fn encode(c: &mut Criterion) {
    let mut work = EncodeWork::new().expect("the scripted port lets it in");
    c.bench_function("encode/an approved enter, framed", |b| {
        b.iter_custom(|iterations| {
            let (mut left, mut took) = (iterations, Duration::ZERO);
            while left > 0 {
                let approved = work.approved(left.min(1_000) as usize).expect("the gate lets all pass");
                left -= approved.len() as u64;
                let start = Instant::now();
                for order in approved {
                    black_box(work.encode(order));
                    work.clear();
                }
                took += start.elapsed();
            }
            took
        });
    });
}

/// What the lane does to write an input of one message down, and a record of the tape; beside neither.
fn journal(c: &mut Criterion) {
    let mut group = c.benchmark_group("journal");
    for (name, log, tape) in
        [("neither", false, false), ("an input logged", true, false), ("a record taped", false, true)]
    {
        let mut work = JournalWork::new(log, tape);
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                let (mut left, mut took) = (iterations, Duration::ZERO);
                while left > 0 {
                    let now = left.min(1_000);
                    left -= now;
                    let start = Instant::now();
                    (0..now).for_each(|_| work.input().expect("the ring has room"));
                    took += start.elapsed();
                    // The agent's work, on another core.
                    work.drain();
                }
                took
            });
        });
    }
    group.finish();
}

/// All of a lane, to bytes and back.
fn state(c: &mut Criterion) {
    let mut work = StateWork::new().expect("its configuration is sound");
    let mut group = c.benchmark_group("state");
    group.throughput(Throughput::Bytes(work.save() as u64));
    group.bench_function("save a lane", |b| b.iter(|| black_box(work.save())));
    group.bench_function("load a lane", |b| b.iter(|| work.load().is_ok()));
    group.finish();
}

/// The simulated venue: an order that rests, and one that trades with it, and what is said of both on the feed.
fn venue(c: &mut Criterion) {
    let mut work = VenueWork::new().expect("the engine takes all");
    let mut group = c.benchmark_group("venue");
    group.throughput(Throughput::Elements(2));
    group.bench_function("two orders matched", |b| {
        b.iter(|| {
            work.trade();
            black_box(work.drain())
        });
    });
    group.finish();
}

/// What the tape's agent does with a record: take it from the lane's ring, and write it where any number may read it.
fn tape(c: &mut Criterion) {
    let record = [7; 96];
    let mut group = c.benchmark_group("tape");
    let (mut writer, mut reader) = ring(1 << 23);
    group.bench_function("from the lane's ring", |b| {
        b.iter(|| writer.write(&[black_box(&record)]) && reader.read().is_some());
    });
    let shared = Shared::new(1 << 23);
    let mut writer = BroadcastWriter::new(shared.clone());
    group.bench_function("to its readers", |b| b.iter(|| writer.write(black_box(&record))));
    let mut reader = BroadcastReader::new(shared, Begin::Now).expect("a sound ring").called("bench");
    group.bench_function("to its readers, and one of them", |b| {
        b.iter(|| writer.write(black_box(&record)) && matches!(reader.read(), Ok(Got::Record(_))));
    });
    group.finish();
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
}

criterion_group!(name = stages; config = quick(); targets = decode, book, arbitrate, gate, encode, journal, state, venue, tape);
criterion_main!(stages);
