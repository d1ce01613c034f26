//! A log or tape that cannot be written, or not now: the venue keeps what rests when a connection is gone, so that it must
//! be cancelled while there is one.

use super::rig::*;
use super::{Stuck, gateway_rig, kinds, log_lost};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::flow::{CommandBuf, CommandBytes, Word};
use firelane_gateway::shell::live::{Outcome, Setup as LiveSetup};
use firelane_gateway::shell::log::{FileReader, LogError};
use firelane_gateway::shell::verify::{Verified, verify};
use gateway_rig::{Do, Told};
use std::sync::atomic::Ordering;

const LAYOUTS: [&str; 2] = ["fused", "split"];
/// What the log must be able to take before an input that cannot wait: as the log holds them, an input of 128 KiB, an outbox of
/// 128 KiB in records of 8 bytes, which are 30 there, and a digest.
const LAST_RESERVE: u64 = (28 + (128 << 10)) + (128 << 10) / 8 * 30 + (28 + 8);

/// A trading lane with an order in the market, its ring as small as may be.
fn resting(layout: &str, disk: &Stuck) -> Floor {
    let text = format!("[threads]\nlayout = \"{layout}\"\n[log]\nring_bytes = 2097152\n[tape]\nstatus_ms = 10");
    let mut floor = Floor::with(&text, LiveSetup { log: disk.sheet(), ..LiveSetup::default() });
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("the first order rests", |floor| floor.venue.orders.len() == 1);
    floor
}

/// The disk takes nothing, until the lane has noticed.
fn stall(floor: &mut Floor, disk: &Stuck) {
    disk.held_up.store(true, Ordering::Release);
    while floor.lane.handle().board().status().log_stalls.get() == 0 {
        floor.noise(30_000);
        floor.turn();
    }
}

fn reproduces(disk: &Stuck) -> Verified {
    let mut setup = gateway_rig::Setup::default();
    setup.feed.snapshot = None;
    verify(&disk.file.bytes()[..], |_| Ok(stamped(&setup, Told::default(), None)), |_| {}).unwrap()
}

/// Commands in a log.
fn commands(disk: &Stuck) -> Vec<CommandBuf> {
    let mut all = Vec::new();
    let bytes = disk.file.bytes();
    let mut reader = FileReader::new(&bytes[..]).unwrap();
    while let Ok(Some(record)) = reader.next_record() {
        if record.kind == Some(Kind::Command) {
            all.push(CommandBytes::new(&record.body).unwrap().into());
        }
    }
    all
}

fn in_order(outcome: &Outcome) {
    assert!(outcome.log_lost.is_none() && outcome.tape_lost.is_none(), "{outcome:?}");
}

#[test]
fn a_full_disk_under_the_log_ends_the_lane_with_nothing_left_at_the_venue() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let mut floor = resting(layout, &disk);
        disk.full.store(true, Ordering::Release);
        floor.noise(100);
        floor.until("it ends of itself", |floor| floor.lane.handle().is_failing());
        assert_eq!(floor.lane.handle().board().lock().log_error.as_deref(), Some("no space left"), "{layout}");
        // What the market says now draws no order.
        floor.tell(Do::Buy, 200, 98_000);
        floor.until("it is over", |floor| floor.lane.handle().is_over());
        assert!(floor.venue.orders.is_empty() && floor.venue.has_logged_out(), "{layout}: what rested is cancelled");
        for _ in 0..20 {
            floor.turn();
        }
        assert_eq!(floor.asked().matches('O').count(), 1, "{layout}: {}", floor.asked());
        let outcome = floor.lane.finish().unwrap();
        assert_eq!(outcome.lane.orders().live_count(), 0);
        assert!(log_lost(outcome).contains("no space left"));
        let verified = reproduces(&disk);
        assert!(!verified.complete && verified.inputs > 0, "{layout}: what is there proves itself: {verified:?}");
    }
}

/// Orders that the last input before the loss asked for are kept back: they would be in no log.
#[test]
fn a_lane_without_its_log_sends_no_order_that_waited() {
    let disk = Stuck::default();
    let mut floor = resting("fused", &disk);
    floor.venue.answers = false;
    disk.full.store(true, Ordering::Release);
    floor.noise(100);
    floor.until("it ends of itself", |floor| floor.lane.handle().is_failing());
    // The venue does not answer: it is not over, and asks again.
    floor.until("two cancels", |floor| floor.asked().matches('X').count() >= 2);
    assert!(!floor.lane.handle().is_over());
    floor.venue.answers = true;
    floor.until("it is over", |floor| floor.lane.handle().is_over());
    assert!(floor.venue.orders.is_empty());
    log_lost(floor.lane.finish().unwrap());
}

/// A disk that is stuck: the market waits, nothing rests meanwhile, the session lives, and then it goes on.
#[test]
fn while_the_log_has_no_room_nothing_rests_and_the_session_lives() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let mut floor = resting(layout, &disk);
        stall(&mut floor, &disk);
        floor.until("what rested is cancelled", |floor| floor.venue.orders.is_empty());
        let taken = floor.lane.handle().board().status().messages.get();
        floor.tell(Do::Buy, 200, 98_000);
        // Heartbeats go on, for longer than the venue would wait for one.
        let beats = |floor: &Floor| floor.venue.beats;
        let before = beats(&floor);
        floor.until("heartbeats", |floor| beats(floor) >= before + 2);
        let status = floor.lane.handle().board().status();
        assert_eq!((status.messages.get(), status.ready), (taken, 1), "{layout}: no market is taken");
        // Whoever enables the strategies now does not wake them before there is room.
        assert!(floor.lane.handle().command(Word::Enable));
        floor.turn();
        disk.held_up.store(false, Ordering::Release);
        floor.until("the market goes on, and so does trading", |floor| floor.venue.orders.len() == 1);
        assert!(!floor.lane.handle().is_failing());
        let outcome = floor.lane.finish().unwrap();
        in_order(&outcome);
        let verified = reproduces(&disk);
        assert!(verified.complete && verified.inputs == outcome.lane.inputs(), "{layout}: {verified:?}");
        // As often as the market that has waited fills it again.
        let commands: Vec<_> = commands(&disk).into_iter().filter(|command| *command != Word::Enable).collect();
        assert_eq!(commands[0], Word::Start);
        for pair in commands[1..].chunks(2) {
            assert_eq!(pair, [Word::Hold, Word::Resume], "{layout}");
        }
    }
}

/// What somebody has stopped stays stopped.
#[test]
fn room_in_the_log_does_not_enable_what_somebody_disabled() {
    for when in [0, 1] {
        let disk = Stuck::default();
        let mut floor = resting("fused", &disk);
        if when == 0 {
            assert!(floor.lane.handle().command(Word::Disable));
            floor.turn();
        }
        stall(&mut floor, &disk);
        if when == 1 {
            assert!(floor.lane.handle().command(Word::Disable));
            floor.turn();
        }
        disk.held_up.store(false, Ordering::Release);
        let taken = floor.lane.handle().board().status().messages.get();
        floor.tell(Do::Buy, 200, 98_000);
        floor.until("the market goes on", |floor| floor.lane.handle().board().status().messages.get() > taken);
        in_order(&floor.lane.finish().unwrap());
        assert!(!commands(&disk).iter().any(|command| *command == Word::Enable), "{when}: {:?}", commands(&disk));
    }
}

#[test]
fn the_kill_switch_works_while_the_log_is_stuck() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let mut floor = resting(layout, &disk);
        stall(&mut floor, &disk);
        floor.lane.handle().kill_switch().throw();
        floor.until("the gate knows", |floor| floor.lane.handle().board().status().killed == 1);
        floor.until("nothing rests", |floor| floor.venue.orders.is_empty());
        assert!(!floor.lane.handle().is_failing(), "{layout}: there is a reserve for it");
        disk.held_up.store(false, Ordering::Release);
        in_order(&floor.lane.finish().unwrap());
        assert!(reproduces(&disk).complete, "{layout}");
        assert_eq!(commands(&disk)[..3], [Word::Start, Word::Hold, Word::Kill], "{layout}");
    }
}

/// Even without a reserve: then the log ends, and the lane with it.
#[test]
fn the_kill_switch_works_when_even_the_reserve_is_used_up() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let mut floor = resting(layout, &disk);
        // It does not answer, so that the order rests until it does.
        floor.venue.answers = false;
        stall(&mut floor, &disk);
        // Debug packets of the venue's are inputs that cannot wait.
        let debug = [&[0xff, 0xff, b'+'][..], &[b'.'; 0xfffe]].concat();
        while floor.lane.handle().board().status().log_free.get() >= LAST_RESERVE {
            floor.port_says(&debug);
            for _ in 0..20 {
                floor.turn();
            }
        }
        assert!(!floor.lane.handle().is_failing(), "{layout}: a disk that is only slow gets its time");
        floor.lane.handle().kill_switch().throw();
        floor.until("it ends of itself", |floor| floor.lane.handle().is_failing());
        floor.until("the gate knows", |floor| floor.lane.handle().board().status().killed == 1);
        floor.venue.answers = true;
        floor.until("it is over", |floor| floor.lane.handle().is_over());
        assert!(floor.venue.orders.is_empty(), "{layout}");
        disk.held_up.store(false, Ordering::Release);
        assert!(log_lost(floor.lane.finish().unwrap()).contains("its ring is full"));
        assert!(!reproduces(&disk).complete, "{layout}");
    }
}

/// Thrown and released between two looks of the lane: orders may have been dropped, so the gate hears of both.
#[test]
fn a_kill_switch_that_is_thrown_for_a_moment_cancels_what_rests() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let mut floor = resting(layout, &disk);
        let kill = floor.lane.handle().kill_switch().clone();
        kill.throw();
        kill.release();
        floor.until("what rested is cancelled", |floor| floor.venue.orders.is_empty());
        in_order(&floor.lane.finish().unwrap());
        assert_eq!(commands(&disk), [Word::Start, Word::Kill, Word::Release], "{layout}");
    }
}

/// However many wait: the order session has its turn in every duty cycle.
#[test]
fn commands_are_taken_a_few_at_a_time() {
    for layout in LAYOUTS {
        let disk = Stuck::default();
        let text = format!("[threads]\nlayout = \"{layout}\"\n[control]\ncommands = 64\n");
        let mut floor = Floor::with(&text, LiveSetup { log: disk.sheet(), ..LiveSetup::default() });
        let fill = |floor: &Floor| (0..100).filter(|_| floor.lane.handle().command(Word::Enable)).count();
        assert_eq!(fill(&floor), 64);
        turn(&mut floor.lane.agents);
        assert_eq!(fill(&floor), 32, "{layout}");
        in_order(&floor.lane.finish().unwrap());
    }
}

/// Records that are whole in a file.
fn whole(file: &[u8]) -> u64 {
    let mut reader = FileReader::new(file).unwrap();
    let mut count = 0;
    loop {
        match reader.next_record() {
            Ok(Some(_)) => count += 1,
            Ok(None) | Err(LogError::Torn { .. }) => return count,
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_full_disk_under_the_tape_concerns_no_order_and_is_counted() {
    for layout in LAYOUTS {
        let (log, tape, counted) = (Stuck::default(), Stuck::default(), Counted::default());
        let text = format!("[threads]\nlayout = \"{layout}\"\n[tape]\nstatus_ms = 10");
        let parts = LiveSetup {
            log: log.sheet(),
            tape: tape.sheet(),
            observers: vec![Box::new(counted.clone())],
            ..LiveSetup::default()
        };
        let mut floor = Floor::with(&text, parts);
        floor.tell(Do::Buy, 100, 99_000);
        floor.until("the first order rests", |floor| floor.venue.orders.len() == 1);
        tape.full.store(true, Ordering::Release);
        floor.until("it is lost", |floor| floor.lane.handle().board().lock().tape_error.is_some());
        floor.tell(Do::Buy, 200, 98_000);
        floor.until("trading goes on", |floor| floor.venue.orders.len() == 2);
        // Room comes too late: nothing follows what is missing.
        tape.full.store(false, Ordering::Release);
        floor.tell(Do::Buy, 300, 97_000);
        floor.until("trading goes on", |floor| floor.venue.orders.len() == 3);
        assert!(!floor.lane.handle().is_failing());
        let board = floor.lane.handle().board().clone();
        let outcome = floor.lane.finish().unwrap();
        assert!(outcome.log_lost.is_none(), "{outcome:?}");
        assert!(outcome.tape_lost.unwrap().to_string().contains("no space left"));
        assert!(reproduces(&log).complete, "{layout}");
        let (board, seen) = (board.lock(), counted.0.value());
        assert!(board.tape_unwritten > 2 && board.status.tape_lost.get() == 0);
        // The buffer of the lost file was offered once more when it was dropped.
        let held = whole(&tape.file.bytes());
        assert!(held + board.tape_unwritten >= seen && held < seen, "{held} and {} of {seen}", board.tape_unwritten);
    }
}

/// The tape's disk takes nothing and refuses nothing: who looks at the lane sees it all the same, and nobody waits for it.
#[test]
fn a_stuck_disk_under_the_tape_blinds_nobody_and_keeps_nobody_from_ending() {
    let (tape, counted) = (Stuck::default(), Counted::default());
    let text = "[threads]\nlayout = \"fused\"\n[tape]\nring_bytes = 2097152\nstatus_ms = 10";
    let parts = LiveSetup { tape: tape.sheet(), observers: vec![Box::new(counted.clone())], ..LiveSetup::default() };
    let mut floor = Floor::with(text, parts);
    floor.until("the tape begins", |_| whole(&tape.file.bytes()) > 0);
    tape.held_up.store(true, Ordering::Release);
    floor.until("records find no room", |floor| floor.lane.handle().board().lock().tape_unwritten > 0);
    let before = floor.lane.handle().board().lock().status_at;
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("trading goes on", |floor| floor.venue.orders.len() == 1);
    floor.until("it is seen", |floor| {
        let board = floor.lane.handle().board().lock();
        board.status_at > before && board.status.live.get() == 1
    });
    let board = floor.lane.handle().board().clone();
    assert!(board.lock().tape_error.is_none() && board.status().tape_lost.get() == 0);
    let outcome = floor.lane.finish().unwrap();
    assert!(outcome.log_lost.is_none() && outcome.tape_lost.unwrap().to_string().contains("takes nothing"));
    let (board, seen) = (board.lock(), counted.0.value());
    let held = whole(&tape.file.bytes());
    assert!(held + board.tape_unwritten >= seen && held < seen, "{held} and {} of {seen}", board.tape_unwritten);
    assert!(board.tape_error.as_deref().unwrap().contains("takes nothing"));
    // Its thread ends too, with the test.
    tape.held_up.store(false, Ordering::Release);
}

/// Counts the tape's records.
#[derive(Clone, Default)]
struct Counted(firelane_gateway::shell::sync::Counter);

impl firelane_gateway::shell::live::Observer for Counted {
    fn on_record(&mut self, _record: &[u8]) {
        self.0.add(1);
    }
}

/// A log of a lane that ran without trouble holds its inputs to the last.
#[test]
fn a_log_that_could_be_written_has_its_end() {
    let disk = Stuck::default();
    let floor = resting("fused", &disk);
    in_order(&floor.lane.finish().unwrap());
    assert_eq!(kinds(&disk.file.bytes()).get(&(Kind::Final as u8)), Some(&1));
}
