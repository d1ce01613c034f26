//! A lane that is saved between any two inputs of a bad day and restored, in this process or another, goes on bit for bit.
//!
//! `FIRELANE_SAVE_POINTS=1000 cargo test -p firelane-sim --test world restore` tries as many points.

use super::rig::{Buffer, Run};
use firelane_gateway::base::{Digest, Mono, Nanos};
use firelane_gateway::flow::Input;
use firelane_gateway::flow::book::StaleReason;
use firelane_gateway::flow::entry::Stage;
use firelane_gateway::flow::outbox::{Outbox, Output, Progress};
use firelane_gateway::flow::record::log::{Body, input_of};
use firelane_gateway::flow::record::{Kind, StatusBody};
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader, final_body};
use firelane_gateway::shell::saved::Saved;
use firelane_sim::net::Split;
use firelane_sim::rng::Rng;
use firelane_sim::world::Network;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use zerocopy::FromZeros;

/// Points of each run.
const EACH: usize = 25;
/// So many inputs, about, a restored lane is compared; some are to the end.
const FOR: u64 = 300;

/// A run with the usual faults, short: what there is to splice, replay and sweep comes early. In every fourth each byte of a
/// session comes alone, so that packets are torn at every place.
fn run(seed: u64) -> Run {
    let torn: fn(&mut Network) = |network| {
        for session in &mut network.sessions {
            session.split = Split::EveryByte;
        }
    };
    let network = if seed % 4 == 3 { torn } else { |_: &mut Network| () };
    Run { trade_for: Nanos::from_millis(3_000), network, ..Run::heavy(seed) }
}

fn header(run: &Run) -> FileHeader {
    FileHeader::new("test", &format!("seed = {}\n", run.seed), Vec::new(), Effects::Bytes)
}

/// Every input of a run's log, the effects that stand behind it, and the state's digest at the end.
struct Life {
    inputs: Vec<(Mono, Kind, Vec<u8>)>,
    effects: Vec<Vec<u8>>,
    digest: u64,
}

impl Life {
    fn of_log(log: &[u8]) -> Self {
        let mut reader = FileReader::new(log).unwrap();
        let mut life = Life { inputs: Vec::new(), effects: Vec::new(), digest: 0 };
        while let Some(record) = reader.next_record().unwrap() {
            match record.kind.unwrap() {
                Kind::Final => life.digest = final_body(&record).unwrap().state.get(),
                kind if (kind as u8) < 64 => {
                    life.inputs.push((Mono(record.header.time.get()), kind, record.body));
                    life.effects.push(Vec::new());
                }
                kind => {
                    let effects = life.effects.last_mut().unwrap();
                    effects.push(kind as u8);
                    effects.extend(record.body);
                }
            }
        }
        life
    }

    fn recorded(run: &Run) -> (Self, Vec<u8>) {
        let log = Buffer::default();
        run.go(Some(&log)).unwrap().finish().unwrap();
        let bytes = std::mem::take(&mut *log.0.lock().unwrap());
        (Life::of_log(&bytes), bytes)
    }

    fn input(&self, at: usize) -> (Mono, Input<'_>) {
        let (now, kind, body) = &self.inputs[at];
        (*now, input_of(*kind, body).unwrap())
    }
}

/// What a lane does with an input: its effects as a log holds them, and its tape.
#[derive(Default, PartialEq, Eq)]
struct Done {
    effects: Vec<u8>,
    tape: Vec<u8>,
}

fn feed(lane: &mut dyn Lane, now: Mono, input: Input<'_>, out: &mut Outbox) -> Done {
    let mut done = Done::default();
    out.clear();
    let mut progress = lane.on_input(now, input, out);
    loop {
        for output in out.outputs() {
            match (Body::of_effect(&output), output) {
                (Some(effect), _) => {
                    done.effects.push(effect.kind as u8);
                    done.effects.extend(effect.tag());
                    done.effects.extend(effect.payload);
                }
                (None, Output::Tape(record)) => done.tape.extend(record),
                (None, _) => unreachable!(),
            }
        }
        out.clear();
        if progress == Progress::Done {
            return done;
        }
        progress = lane.resume(input, out);
    }
}

/// In the middle of what a lane stands.
fn middle_of(lane: &dyn Lane) -> Option<&'static str> {
    let mut status = StatusBody::new_zeroed();
    lane.status(&mut status);
    let stale = lane.markets().first().books.shared_freshness();
    let is = |stage: Stage| status.entry == stage as u8;
    if stale.has(StaleReason::Snapshot) {
        Some("a splice")
    } else if is(Stage::Replaying) {
        Some("a login replay")
    } else if is(Stage::Sweeping) || status.killed == 1 && lane.orders().live_count() > 0 {
        Some("a sweep")
    } else if stale.has(StaleReason::Gap) {
        Some("a gap")
    } else {
        None
    }
}

/// A lane restored behind an input, and until which it is compared.
struct Twin {
    lane: Box<dyn Lane>,
    from: usize,
    until: usize,
}

/// Walks a run once; at random points and in the middle of things a fresh lane takes the walking one's state, and then does
/// the same for a while. How often it was saved in the middle of what.
fn walk(run: &Run, points: usize) -> BTreeMap<&'static str, usize> {
    let (life, _) = Life::recorded(run);
    let mut rng = Rng::new(run.seed, "save points");
    let mut at: Vec<usize> = (0..points).map(|_| rng.below(life.inputs.len() as u64) as usize).collect();
    at.sort_unstable();
    let (mut lane, mut out) = (run.lane(), Outbox::new(1 << 18));
    let mut twins: Vec<Twin> = Vec::new();
    let mut met = BTreeMap::new();
    for number in 0..life.inputs.len() {
        let (now, input) = life.input(number);
        let done = feed(&mut *lane, now, input, &mut out);
        assert!(done.effects == life.effects[number], "{run:?}: input {number} is not the log's");
        twins.retain_mut(|twin| {
            let same = feed(&mut *twin.lane, now, input, &mut out) == done;
            assert!(same, "{run:?}: saved behind input {}, and another at {number}", twin.from);
            let ends = number == twin.until;
            assert!(!ends || twin.lane.digest() == lane.digest(), "{run:?}: saved behind input {}", twin.from);
            !ends
        });
        let what = middle_of(&*lane);
        // Where something has begun, one of three of its inputs until it was tried often enough.
        let forced = what.is_some_and(|what| met.get(what).is_none_or(|n| *n < 4)) && rng.below(3) == 0;
        let drawn = at.iter().filter(|point| **point == number).count();
        if drawn == 0 && !forced {
            continue;
        }
        *met.entry(what.unwrap_or("nothing")).or_default() += drawn.max(1);
        let mut fresh = run.lane();
        Saved::of(&*lane, &header(run)).restore(&mut *fresh, &header(run)).unwrap();
        let last = life.inputs.len() - 1;
        let until = if rng.below(16) == 0 { last } else { number + rng.between(FOR / 2, FOR * 2) as usize };
        twins.push(Twin { lane: fresh, from: number, until: until.min(last) });
    }
    assert_eq!(lane.digest(), life.digest, "{run:?}: the log's last record");
    met
}

/// How many points: of the environment, else the usual number.
fn points() -> usize {
    let Ok(text) = std::env::var("FIRELANE_SAVE_POINTS") else { return 4 * EACH };
    text.parse().unwrap_or_else(|_| panic!("FIRELANE_SAVE_POINTS={text:?}: must be a number"))
}

#[test]
fn saved_at_any_input_a_lane_goes_on_bit_for_bit() {
    let mut met: BTreeMap<&'static str, usize> = BTreeMap::new();
    // Fewer runs may not have all that is looked for.
    for seed in 0..points().div_ceil(EACH).max(4) as u64 {
        for (what, times) in walk(&run(seed), EACH) {
            *met.entry(what).or_default() += times;
        }
    }
    for what in ["nothing", "a gap", "a splice", "a login replay", "a sweep"] {
        assert!(met.contains_key(what), "never saved in the middle of {what}: {met:?}");
    }
}

const FOLDER: &str = "FIRELANE_SAVED_IN";

/// The rest of a run in a process of its own, which has nothing of the first but its files.
#[test]
fn saved_and_restored_in_another_process_a_lane_goes_on_bit_for_bit() {
    let (run, folder) = (run(1), tempfile::tempdir().unwrap());
    let (life, log) = Life::recorded(&run);
    let (mut lane, mut out, mut tape) = (run.lane(), Outbox::new(1 << 18), Digest::default());
    let middle = life.inputs.len() / 2;
    for number in 0..life.inputs.len() {
        let (now, input) = life.input(number);
        let done = feed(&mut *lane, now, input, &mut out);
        if number == middle {
            let file = File::create(folder.path().join("state")).unwrap();
            Saved::of(&*lane, &header(&run)).save_to(file).unwrap();
        } else if number > middle {
            tape.bytes(&done.tape);
        }
    }
    fs::write(folder.path().join("log"), log).unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "restore::the_other_process", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    let expected = format!("went on for {} inputs, tape {:016x}", life.inputs.len() - middle - 1, tape.value());
    assert!(child.status.success() && said.contains(&expected), "{expected}: {said}");
}

/// What [`saved_and_restored_in_another_process_a_lane_goes_on_bit_for_bit`] starts; else nothing.
#[test]
fn the_other_process() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let (run, folder) = (run(1), Path::new(&folder));
    let life = Life::of_log(&fs::read(folder.join("log")).unwrap());
    let saved = Saved::load_from(File::open(folder.join("state")).unwrap()).unwrap();
    let (mut lane, mut out, mut tape) = (run.lane(), Outbox::new(1 << 18), Digest::default());
    saved.restore(&mut *lane, &header(&run)).unwrap();
    let rest = saved.inputs as usize..life.inputs.len();
    for number in rest.clone() {
        let (now, input) = life.input(number);
        let done = feed(&mut *lane, now, input, &mut out);
        assert!(done.effects == life.effects[number], "input {number} is not the log's");
        tape.bytes(&done.tape);
    }
    assert_eq!(lane.digest(), life.digest);
    println!("went on for {} inputs, tape {:016x}", rest.len(), tape.value());
}
