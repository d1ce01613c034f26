//! Seed by seed.

use super::rig::Run;
use firelane_sim::net::Faults;

#[test]
fn without_faults_both_sides_agree() {
    for seed in 0..4 {
        let run = Run { faults: Faults::None, ..Run::heavy(seed) };
        run.go(None).unwrap();
    }
}

#[test]
fn heavy() {
    let start = std::time::Instant::now();
    let mut failed = 0;
    let mut sum = std::collections::BTreeMap::<String, u64>::new();
    for seed in 0..100 {
        let t = std::time::Instant::now();
        match Run::heavy(seed).go(None) {
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
                eprintln!("{seed} ok {:?} end {} ms", t.elapsed(), world.now().0 / 1_000_000);
            }
            Err(e) => { failed += 1; let e: String = e.chars().take(1500).collect(); eprintln!("{seed} FAIL {e}"); }
        }
    }
    eprintln!("{sum:?} {:?}", start.elapsed());
    assert_eq!(failed, 0);
}
