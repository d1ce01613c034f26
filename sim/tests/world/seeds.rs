//! Many seeds: each run comes to rest, both sides agree, and its log reproduces it.
//!
//! `FIRELANE_SEEDS=100..1000 cargo test -p firelane-sim --test world` tries others.

use super::rig::{Buffer, Run};
use firelane_gateway::base::{Nanos, VenueId};
use firelane_gateway::flow::risk::Refusal;
use firelane_gateway::shell::verify::verify;
use firelane_sim::net::{Faults, Split};
use firelane_sim::rng::Ppm;
use firelane_sim::world::{Place, Seat, World};
use std::collections::BTreeMap;
use std::ops::Range;

/// What happened in a run, and how often.
fn happenings(world: &World) -> BTreeMap<&'static str, u64> {
    let (lane, tape, stats) = (world.lane(Seat::FIRST), world.tape(Seat::FIRST).counts(), world.stats());
    let heard = world.account(Seat::FIRST, VenueId::FIRST).counts();
    let feed = lane.feed_counters(VenueId::FIRST).unwrap();
    let [orders, snapshots] = stats.streams;
    let rejects = world
        .exchange(Place::FIRST)
        .port(0)
        .unwrap()
        .messages()
        .iter()
        .filter(|message| message.first() == Some(&b'J'));
    [
        ("orders", tape.sent),
        ("fills", tape.fills),
        ("replaces", tape.replaced),
        ("cancels", tape.cancelled),
        ("rejects of the venue", rejects.count() as u64),
        ("refusals of the gate", Refusal::ALL.into_iter().map(|why| lane.gate().refused(why)).sum()),
        ("requests without an answer", tape.timed_out),
        ("orders lost on the way", lane.orders().counters().unanswered),
        ("late fills", heard.late_fills),
        ("fills told again", heard.repeats),
        ("trades broken", heard.broken),
        ("trades corrected", heard.corrected),
        ("shares that met our own", heard.prevented),
        ("replaces refused", heard.replaces_refused),
        ("cancels that wait", heard.cancels_deferred),
        ("cancels refused", heard.cancels_refused),
        ("orders settled without an answer", heard.settled),
        ("comparisons with the wire", stats.compared),
        ("kills", tape.kills),
        ("gaps", feed.gaps),
        ("messages filled in by the other line", feed.filled_by_line),
        ("messages filled in by re-request", feed.filled_by_rerequest),
        ("partial replies", feed.partial_replies),
        ("messages lost for good", feed.lost),
        ("splices", feed.snapshots_ended),
        ("failed snapshots", feed.snapshot_failures),
        ("changes of session", feed.session_changes),
        ("order-entry sessions cut", orders.cuts),
        ("order-entry sessions half open", orders.half_opens),
        ("hang-ups", stats.hang_ups),
        ("recoveries of order entry", tape.entry_ready.saturating_sub(1)),
        ("snapshot sessions", snapshots.connects),
        ("books equal in flight", stats.audited_books),
    ]
    .into()
}

/// Runs every seed to its end, verifies its log, and adds up what happened. Every seed that fails is named.
fn try_all(seeds: Range<u64>, run: impl Fn(u64) -> Run) -> BTreeMap<&'static str, u64> {
    let mut sum: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failures = Vec::new();
    for seed in seeds {
        let (run, log) = (run(seed), Buffer::default());
        let outcome = run.go(Some(&log)).and_then(|world| {
            for (what, times) in happenings(&world) {
                *sum.entry(what).or_default() += times;
            }
            world.finish().map_err(|error| error.to_string())?;
            let verified = verify(log.0.lock().unwrap().as_slice(), |_| Ok(run.lane()), |_| ());
            match verified {
                Ok(verified) if verified.complete => Ok(()),
                Ok(_) => Err(format!("{run:?}: the log has no end")),
                Err(error) => Err(format!("{run:?}: {error}")),
            }
        });
        failures.extend(outcome.err());
    }
    assert!(failures.is_empty(), "{} runs failed:\n{}", failures.len(), failures.join("\n"));
    sum
}

/// The seeds of the environment, else `usual`: a tenth of them under `tests/run quick`.
pub(super) fn seeds(usual: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("FIRELANE_SEEDS") else {
        return if quick() { usual.start..usual.start + (usual.end - usual.start).div_ceil(10) } else { usual };
    };
    let bounds = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    bounds.unwrap_or_else(|| panic!("FIRELANE_SEEDS={text:?}: must be like 100..1000"))
}

pub(super) fn quick() -> bool {
    std::env::var("FIRELANE_TESTS").as_deref() == Ok("quick")
}

/// Every fault happened, over all the seeds.
pub(super) fn every(sum: &BTreeMap<&'static str, u64>, but: &[&str]) {
    if quick() {
        return;
    }
    let never: Vec<_> = sum.iter().filter(|(what, times)| **times == 0 && !but.contains(what)).collect();
    assert!(never.is_empty(), "never happened: {never:?}, of {sum:?}");
}

#[test]
fn a_hundred_seeds_of_heavy_faults_reconcile_and_verify() {
    let sum = try_all(seeds(0..100), Run::heavy);
    every(&sum, &[]);
}

#[test]
fn without_faults_nothing_is_lost_and_nothing_recovered() {
    let sum = try_all(0..4, |seed| Run { faults: Faults::None, ..Run::heavy(seed) });
    for what in ["gaps", "requests without an answer", "splices", "recoveries of order entry", "messages lost for good"]
    {
        assert_eq!(sum[what], 0, "{what}");
    }
    assert!(sum["fills"] > 0 && sum["replaces"] > 0);
}

#[test]
fn light_faults_reconcile() {
    let sum = try_all(0..4, |seed| Run { faults: Faults::Light, ..Run::heavy(seed) });
    assert!(sum["messages filled in by the other line"] > 0);
}

/// Sessions that hardly live long enough to recover.
#[test]
fn storms_of_cuts_reconcile() {
    let sum = try_all(seeds(0..12), |seed| Run {
        network: |network| {
            for session in &mut network.sessions {
                session.cut_every = Nanos::from_millis(700);
                session.half_open_every = Nanos::from_millis(1_500);
                session.down_for = Nanos::from_millis(50);
            }
        },
        trade_for: Nanos::from_secs(8),
        ..Run::heavy(seed)
    });
    let enough = sum["order-entry sessions cut"] >= 12 && sum["order-entry sessions half open"] >= 6;
    assert!(quick() || enough, "{sum:?}");
}

/// Every byte of a session alone, and cut after any of them.
#[test]
fn sessions_split_at_every_byte_reconcile() {
    let sum = try_all(seeds(0..6), |seed| Run {
        network: |network| {
            for session in &mut network.sessions {
                session.split = Split::EveryByte;
                session.cut_every = Nanos::from_secs(1);
            }
        },
        ..Run::heavy(seed)
    });
    assert!(sum["fills"] > 0 && sum["order-entry sessions cut"] > 0);
}

/// Lines that lose a quarter, and a re-request server that hears little.
#[test]
fn terrible_lines_reconcile() {
    let sum = try_all(seeds(0..12), |seed| Run {
        network: |network| {
            for line in &mut network.lines {
                line.loss = Ppm::percent(15);
                line.burst = Ppm::percent(2);
                line.duplicate = Ppm::percent(20);
                line.reorder = Ppm::percent(20);
                line.reorder_by = Nanos::from_millis(20);
            }
            network.rerequest.loss = Ppm::percent(40);
        },
        ..Run::heavy(seed)
    });
    assert!(quick() || sum["splices"] > 12 && sum["messages lost for good"] > 0, "{sum:?}");
}

#[test]
fn a_seed_reproduces_its_run_bit_for_bit() {
    let log = |seed| {
        let log = Buffer::default();
        let world = Run::heavy(seed).go(Some(&log)).unwrap();
        let (now, summary) = (world.now(), world.recorder(Seat::FIRST).summary());
        world.finish().unwrap();
        (now, summary, std::mem::take(&mut *log.0.lock().unwrap()))
    };
    for seed in [3, 4] {
        assert!(log(seed) == log(seed), "seed {seed}");
    }
    assert!(log(3).2 != log(5).2);
}
