//! What a detector of 64, 32 and 4 units costs in the lane: from an event of a book to what a strategy sees.

use anyhow::Result;
use firelane_gateway::base::{ExchangeTime, InstrumentId, Mono, Price, Qty, Side, VenueRef};
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::signal::{Said, Signal};
use firelane_kernels::detector::{Detector, Place, Settings};
use firelane_kernels::spikes::encode::Rate;
use serde::Serialize;
use std::time::Instant;

/// Events in a turn.
const TURN: usize = 100;
/// Events that are gone over again and again, each time with books that begin empty.
const EVENTS: usize = 20_000;
const ID: InstrumentId = InstrumentId(0);

/// Nanoseconds an event.
#[derive(Debug, Serialize)]
pub(super) struct InLane {
    /// Units of its layers.
    network: &'static str,
    events: u64,
    /// From an event to the value that a strategy reads, the book's part in it: the mean of the fastest 100 events, and of all.
    pub(super) best_ns: f64,
    mean_ns: f64,
    /// The book alone, of the same events in the same run.
    pub(super) book_best_ns: f64,
    book_mean_ns: f64,
    /// Spikes a step, all layers, so that nobody takes a silent network for a fast one.
    pub(super) spikes: f64,
    /// Alerts.
    pub(super) alerts: u64,
}

/// A detector whose every unit may fire: 64 address events (4 kinds, 2 sides, 4 levels, 2 sizes), every event a step.
fn settings(seed: u64) -> Result<Settings> {
    let chance = Rate::new(seed);
    let mut drawn = 0;
    let mut weight = |low: i64, high: i64| {
        drawn += 1;
        // 16 bits by chance.
        let bits = (0..16).fold(0, |bits, bit| bits * 2 + i64::from(chance.fires(drawn, bit, Rate::ALWAYS / 2)));
        low + bits * (high - low + 1) / (1 << 16)
    };
    let mut matrix = |rows: usize, columns: usize, low: i64, high: i64| {
        let rows: Vec<String> = (0..rows)
            .map(|_| {
                let row: Vec<String> = (0..columns).map(|_| weight(low, high).to_string()).collect();
                format!("[{}]", row.join(","))
            })
            .collect();
        rows.join(",")
    };
    let (hidden, out) = (matrix(32, 64, -60, 120), matrix(4, 32, -60, 100));
    let network = format!(
        "{{\"populations\":[{{\"id\":\"hidden\",\"n\":32,\"du\":1500,\"dv\":500,\"vth\":400}},{{\"id\":\"out\",\"n\":4,\"du\":1500,\"dv\":500,\
         \"vth\":500}}],\"connections\":[{{\"src\":\"orders\",\"dst\":\"hidden\",\"sign_mode\":\"mixed\",\"weights\":[{hidden}]}},\
         {{\"src\":\"hidden\",\"dst\":\"out\",\"sign_mode\":\"mixed\",\"weights\":[{out}]}}]}}"
    );
    let alerts: String =
        (0..4).map(|n| format!("[[alert]]\nname = \"{n}\"\npopulation = \"out\"\nunit = {n}\nmerge = 100\n")).collect();
    let text = format!(
        "network = '{network}'\ntime = \"event\"\n[address]\ninput = \"orders\"\nkinds = [\"add\", \"execute\", \"reduce\", \
         \"delete\"]\nlevels = 3\nsizes = [300]\n{alerts}"
    );
    Ok(Settings::parse(&text)?)
}

/// Orders that come near the best, trade, shrink and go: some forty rest at a time.
fn events(seed: u64) -> Vec<Event> {
    let chance = Rate::new(seed ^ 1);
    let mut drawn = 0;
    let mut below = |n: u64| {
        drawn += 1;
        let bits = (0..16).fold(0, |bits, bit| bits * 2 + u64::from(chance.fires(drawn, bit, Rate::ALWAYS / 2)));
        (bits * n) >> 16
    };
    let (mut live, mut all): (Vec<(VenueRef, i64)>, Vec<Event>) = (Vec::new(), Vec::new());
    for n in 0..EVENTS as u64 {
        let kind = if live.len() < 40 || (live.len() < 60 && below(2) == 0) {
            let (order, side) = (VenueRef(n + 1), if below(2) == 0 { Side::Buy } else { Side::Sell });
            let qty = 100 * (1 + below(6) as i64);
            live.push((order, qty));
            EventKind::Add {
                order,
                side,
                qty: Qty(qty),
                price: Price(100_000 - side.sign() * 100 * (1 + below(6) as i64)),
            }
        } else {
            let at = below(live.len() as u64) as usize;
            let (order, qty) = live[at];
            let part = 100;
            match below(3) {
                0 if qty > part => {
                    live[at].1 -= part;
                    EventKind::Execute { order, qty: Qty(part), price: None, printable: true, trade: n }
                }
                1 if qty > part => {
                    live[at].1 -= part;
                    EventKind::Reduce { order, qty: Qty(part) }
                }
                _ => {
                    live.swap_remove(at);
                    EventKind::Delete { order }
                }
            }
        };
        all.push(Event { at: ExchangeTime(n * 1_000), instrument: Some(ID), kind });
    }
    all
}

fn books() -> Books {
    Books::new(BookCapacity { instruments: 1, orders: 256, levels: 64, own: 8 })
}

/// Books with and without the detector, by turns over the same events.
pub(super) fn measure(steps: u64, seed: u64) -> Result<InLane> {
    let settings = settings(seed)?;
    let mut detector = Detector::new(&settings, Place::Lane, 1)?;
    let events = events(seed);
    let mut out = Outbox::new(0);
    let (mut with, mut without): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
    for _ in 0..steps.div_ceil(EVENTS as u64) {
        let (mut watched, mut plain) = (books(), books());
        for turn in events.chunks(TURN) {
            let began = Instant::now();
            for event in turn {
                plain.apply(ID, &event.kind);
                std::hint::black_box(plain.view(ID).touch());
            }
            without.push(began.elapsed().as_nanos() as f64 / turn.len() as f64);
            out.clear();
            let began = Instant::now();
            for event in turn {
                detector.before(ID, event, watched.view(ID));
                watched.apply(ID, &event.kind);
                let book = watched.view(ID);
                let mut said = Said::new(&mut out, 0, 0, Mono(0), event.at);
                detector.on_event(Mono(0), ID, event, book, &mut said);
                std::hint::black_box((detector.value(ID, book), book.touch()));
            }
            with.push(began.elapsed().as_nanos() as f64 / turn.len() as f64);
        }
    }
    let best = |all: &[f64]| all.iter().copied().fold(f64::MAX, f64::min);
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    let watcher = detector.watcher();
    let (mut spikes, mut alerts) = (0.0, 0);
    if let Some(watcher) = watcher {
        let fired = watcher.device(ID).map_or(0, |device| {
            use firelane_kernels::spikes::Device;
            device.counters().spikes
        });
        (spikes, alerts) = (fired as f64 / watcher.counters().steps.max(1) as f64, watcher.counters().alerts);
    }
    Ok(InLane {
        network: "64-32-4",
        events: (with.len() * TURN) as u64,
        best_ns: best(&with),
        mean_ns: mean(&with),
        book_best_ns: best(&without),
        book_mean_ns: mean(&without),
        spikes,
        alerts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detector_that_is_timed_fires_and_raises_alerts() {
        let measured = measure(EVENTS as u64, 1).unwrap();
        assert_eq!(measured.events, EVENTS as u64);
        assert!(measured.spikes > 1.0 && measured.spikes < 20.0, "{measured:?}");
        assert!(measured.alerts > 10, "{measured:?}");
        assert!(measured.best_ns > measured.book_best_ns && measured.book_best_ns > 0.0, "{measured:?}");
    }
}
