//! Seed by seed.

use super::rig::Run;
use firelane_gateway::base::Nanos;
use firelane_sim::net::{Faults, Split};

#[test]
fn without_faults_both_sides_agree() {
    for seed in 0..4 {
        let run = Run { faults: Faults::None, ..Run::heavy(seed) };
        run.go(None).unwrap();
    }
}

fn many(name: &str, make: fn(u64) -> Run) {
    let start = std::time::Instant::now();
    let mut failed = 0;
    let mut sum = std::collections::BTreeMap::<String, u64>::new();
    let range = std::env::var("FIRELANE_SEEDS").unwrap_or("0..100".into());
    let (a, b) = range.split_once("..").unwrap();
    for seed in a.parse().unwrap()..b.parse().unwrap() {
        let t = std::time::Instant::now();
        match make(seed).go(None) {
            Ok(world) => {
                let c = world.tape().counts();
                let f = world.lane().feed_counters();
                let s = world.stats();
                for (n, v) in [
                    ("sent", c.sent), ("rejected", c.rejected), ("replaced", c.replaced), ("refused", c.refused), ("fills", c.fills), ("revised", c.revised), ("timed", c.timed_out),
                    ("kills", c.kills), ("ready", c.entry_ready), ("bookfaults", c.book_faults), ("gaps", f.gaps), ("byline", f.filled_by_line), ("byrereq", f.filled_by_rerequest),
                    ("lost", f.lost), ("snaps", f.snapshots_ended), ("snapfail", f.snapshot_failures), ("changes", f.session_changes), ("cuts", s.streams[0].cuts), ("halfopen", s.streams[0].half_opens),
                    ("hangups", s.hang_ups), ("audited", s.audited_books), ("end_ms", world.now().0 / 1_000_000),
                ] { *sum.entry(n.into()).or_default() += v; }
                eprintln!("{name} {seed} ok {:?} end {} ms", t.elapsed(), world.now().0 / 1_000_000);
            }
            Err(e) => { failed += 1; let e: String = e.chars().take(1500).collect(); eprintln!("{name} {seed} FAIL {e}"); }
        }
    }
    eprintln!("{name} {sum:?} {:?}", start.elapsed());
    assert_eq!(failed, 0);
}

#[test]
fn heavy() {
    many("heavy", Run::heavy);
}

#[test]
fn storm() {
    many("storm", |seed| Run { network: |n| {
        for s in &mut n.sessions {
            s.cut_every = Nanos::from_millis(700);
            s.half_open_every = Nanos::from_millis(1_500);
            s.down_for = Nanos::from_millis(50);
        }
    }, ..Run::heavy(seed) });
}

#[test]
fn bytes() {
    many("bytes", |seed| Run { network: |n| {
        for s in &mut n.sessions {
            s.split = Split::EveryByte;
            s.cut_every = Nanos::from_millis(1_000);
        }
    }, ..Run::heavy(seed) });
}

#[test]
fn lines() {
    many("lines", |seed| Run { network: |n| {
        for l in &mut n.lines {
            l.loss = firelane_sim::rng::Ppm::percent(15);
            l.burst = firelane_sim::rng::Ppm::percent(2);
            l.duplicate = firelane_sim::rng::Ppm::percent(20);
            l.reorder = firelane_sim::rng::Ppm::percent(20);
            l.reorder_by = Nanos::from_millis(20);
        }
        n.rerequest.loss = firelane_sim::rng::Ppm::percent(40);
    }, ..Run::heavy(seed) });
}
