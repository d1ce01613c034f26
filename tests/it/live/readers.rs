//! Who reads the tape beside the lane: a stuck reader and a slow one lose records of their own, and nobody else any.

#[path = "../../../examples/tape_reader.rs"]
#[allow(dead_code, unreachable_pub)] // a program of its own
mod tape_reader;

use super::rig::*;
use super::{LiveSetup, until};
use crate::gateway::rig::{Do, soup};
use firelane_gateway::flow::wire::soupbintcp::Packet;
use firelane_gateway::shell::broadcast::{Begin, BroadcastReader, Got};
use firelane_gateway::shell::live::Observer;
use firelane_gateway::shell::log::{Effects, FileHeader};
use firelane_gateway::shell::share::SharedTape;
use firelane_gateway::shell::sync::{Counter, Stop};
use std::time::{Duration, Instant};

/// Counts what it hears, and goes on only while it is let.
#[derive(Clone, Default)]
struct Heard {
    records: Counter,
    lost: Counter,
    held_up: Option<Stop>,
}

impl Observer for Heard {
    fn name(&self) -> &'static str {
        if self.held_up.is_some() { "stuck" } else { "quick" }
    }

    fn on_record(&mut self, _record: &[u8]) {
        self.records.add(1);
        while self.held_up.as_ref().is_some_and(|free| !free.is_stopped()) {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn on_lost(&mut self, records: u64, _bytes: u64) {
        self.lost.add(records);
    }
}

/// Enough for the smallest ring of readers to be lapped.
const LAP: &str = "[tape]\nreaders_bytes = 1048576\nstatus_ms = 10";

fn floor(observers: &[&Heard]) -> Floor {
    let boxed = |heard: &&Heard| Box::new((*heard).clone()) as Box<dyn Observer>;
    Floor::with(LAP, LiveSetup { observers: observers.iter().map(boxed).collect(), ..LiveSetup::default() })
}

#[test]
fn a_stuck_reader_is_lapped_alone_while_the_lane_trades_on() {
    let free = Stop::new();
    let (stuck, quick) = (Heard { held_up: Some(free.clone()), ..Heard::default() }, Heard::default());
    let mut floor = floor(&[&stuck, &quick]);
    let tape = floor.lane.handle().tape().clone();
    let mut asks = BroadcastReader::new(tape.clone(), Begin::Oldest).unwrap().called("asks");
    let behind = |name: &str| tape.readers().into_iter().find(|reader| reader.name == name).map_or(0, |r| r.behind);
    // Each record is at least a header and a frame's; a status has all counters beside it.
    floor.until("the ring has gone round", |_| behind("stuck") > 700);
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("trading goes on", |floor| floor.venue.orders.len() == 1);
    let board = floor.lane.handle().board().clone();
    free.stop();
    floor.until("it goes on", |_| stuck.lost.value() > 0 && behind("stuck") < 100);
    let outcome = floor.lane.finish().unwrap();
    assert_eq!(outcome.unobserved, stuck.lost.value());
    assert_eq!((stuck.records.value() + stuck.lost.value(), quick.records.value()), (tape.total(), tape.total()));
    assert_eq!((quick.lost.value(), board.status().tape_lost.get()), (0, 0), "nobody else's loss");
    // Whoever asks by itself, and had not: the same loss, told in the same way; and the end.
    let (mut read, mut lost) = (0, 0);
    loop {
        match asks.read().unwrap() {
            Got::Record(_) => read += 1,
            Got::Lost { records, .. } => lost += records,
            Got::Nothing => panic!("the tape has ended"),
            Got::End => break,
        }
    }
    assert!(lost > 0 && read + lost == tape.total(), "{read} {lost}");
}

/// It never comes back: the end waits a few seconds for it, and says how much it has not heard.
#[test]
fn a_reader_that_never_comes_back_keeps_nobody_from_ending() {
    let free = Stop::new();
    let stuck = Heard { held_up: Some(free.clone()), ..Heard::default() };
    let mut floor = floor(&[&stuck]);
    let tape = floor.lane.handle().tape().clone();
    floor.until("the tape goes on", |_| tape.total() > 10);
    let since = Instant::now();
    let outcome = floor.lane.finish().unwrap();
    assert!(since.elapsed() < Duration::from_secs(10), "{:?}", since.elapsed());
    assert!(outcome.unobserved >= tape.total() - 1 && stuck.records.value() == 1, "{outcome:?}");
    free.stop();
    until("its thread ends too", || tape.readers().is_empty());
}

/// The example, beside a lane that trades: it hears of each fill, to the end of the tape.
#[test]
fn the_example_reads_a_shared_tape_to_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let header = FileHeader::new("told", "", Vec::new(), Effects::Bytes);
    let share = SharedTape::create(&path, 1 << 20, &header).unwrap();
    let mut floor = Floor::with(LAP, LiveSetup { share: Some(share), ..LiveSetup::default() });
    let follows = std::thread::spawn(move || {
        let mut said = Vec::new();
        let sum = tape_reader::follow(&path, &mut said).unwrap();
        (sum, String::from_utf8(said).unwrap())
    });
    let handle = floor.lane.handle().clone();
    floor.until("it is seen", |_| handle.tape_readers().iter().any(|reader| reader.name == "example"));
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("an order rests", |floor| floor.venue.orders.len() == 1);
    let token = *floor.venue.orders.keys().next().unwrap();
    let fill = floor.venue.execute(token, 60, 99_000);
    floor.port_says(&soup(Packet::Sequenced(&fill)));
    floor.until("the fill", |floor| floor.lane.handle().board().status().fills.get() == 1);
    floor.lane.finish().unwrap();
    let (sum, said) = follows.join().unwrap();
    assert_eq!((sum.fills, sum.lost, sum.records), (1, 0, handle.tape().total()), "{said}");
    assert!(said.contains(": 60 of ") && said.contains(" at 99000"), "{said}");
}
