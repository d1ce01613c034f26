//! Programs that command a live lane: each has an inbox of its own, its name is in the log, and it hears what became of what
//! it said.

use super::gateway_rig;
use super::rig::*;
use firelane_gateway::base::{InstrumentId, Mono, Qty, StrategyId, VenueId};
use firelane_gateway::flow::command::{Command, CommandBytes, Commander, To, Word};
use firelane_gateway::flow::record::Kind;
use firelane_gateway::flow::record::command::Said;
use firelane_gateway::flow::risk::LimitChange;
use firelane_gateway::shell::live::{Inbox, Setup as LiveSetup};
use firelane_gateway::shell::log::FileReader;
use firelane_gateway::shell::verify::verify;
use gateway_rig::{Do, Told, X, Y};

const RISK: Commander = Commander(2);
const DESK: Commander = Commander(700);

/// Says a word and waits for its answer.
#[track_caller]
fn say(floor: &mut Floor, inbox: &Inbox, word: Word<'_>, to: To) -> (Said, String) {
    let ticket = inbox.send(to, Mono::NEVER, word).unwrap();
    floor.until("an answer", |_| inbox.answer(ticket).is_some());
    let answer = inbox.answer(ticket).unwrap();
    (answer.said, answer.why)
}

const TAKEN: (Said, String) = (Said::Taken, String::new());

fn floor(layout: &str, log: &Memory) -> Floor {
    let text = format!("[threads]\nlayout = \"{layout}\"\n[tape]\nstatus_ms = 10\n[control]\ncommands = 4");
    Floor::with(&text, LiveSetup { log: log.sheet(), commanders: vec![RISK, DESK, RISK], ..LiveSetup::default() })
}

#[test]
fn each_commander_has_an_inbox_and_hears_what_became_of_its_words() {
    for layout in ["fused", "split"] {
        let log = Memory::default();
        let mut floor = floor(layout, &log);
        let handle = floor.lane.handle().clone();
        assert!(handle.inbox(Commander::SHELL).is_none() && handle.inbox(Commander(3)).is_none());
        let [risk, desk, control] = [RISK, DESK, Commander::CONTROL].map(|of| handle.inbox(of).unwrap().clone());
        let limit = |position| Word::Limits(LimitChange { position: Some(Qty(position)), ..LimitChange::default() });
        assert_eq!(say(&mut floor, &risk, limit(100), To::instrument(X)), TAKEN);
        let (said, why) = say(&mut floor, &desk, limit(-1), To::instrument(X));
        assert_eq!((said, why.as_str()), (Said::Rejected, "risk.max_position must be 0 to 2^40"));
        let (said, why) = say(&mut floor, &control, Word::Kill, To::instrument(InstrumentId(2)));
        assert_eq!((said, why.as_str()), (Said::Rejected, "the lane has no such instrument there"));
        let late = desk.send(To::LANE, Mono(0), Word::Disable).unwrap();
        floor.until("an answer", |_| desk.answer(late).is_some());
        assert_eq!(desk.answer(late).unwrap().said, Said::Expired);
        // The limit holds.
        floor.tell(Do::Buy, 200, 99_000);
        floor.tell(Do::Buy, 100, 99_000);
        floor.until("an order", |floor| floor.venue.orders.len() == 1);
        assert_eq!(say(&mut floor, &risk, Word::Kill, To::instrument(Y)), TAKEN);
        floor.turn();
        assert_eq!(floor.venue.orders.len(), 1, "that of the other instrument rests");
        assert_eq!(say(&mut floor, &risk, Word::Kill, To::strategy(StrategyId(1))), TAKEN);
        floor.until("what the strategy had is cancelled", |floor| floor.venue.orders.is_empty());
        assert!(!handle.kill_switch().is_thrown(), "the shell's switch is the lane's alone");
        // Snapshots go to the feed, which may be on another thread, and keep their name.
        assert_eq!(say(&mut floor, &desk, Word::Snapshot, To::venue(VenueId(0))), TAKEN, "{layout}");
        let (said, why) = say(&mut floor, &desk, Word::Snapshot, To::venue(VenueId(9)));
        assert_eq!((said, why.as_str()), (Said::Rejected, "the lane has no such venue"));
        let outcome = floor.lane.finish().unwrap();
        let verified = verify(&log.bytes()[..], |_| Ok(stamped(&setup_of_floor(), Told::default(), None)), |_| {});
        let verified = verified.unwrap();
        assert!(verified.complete && verified.inputs == outcome.lane.inputs(), "{layout}: {verified:?}");
        let said = commands(&log);
        let by = |who: Commander| said.iter().filter(|command| command.0 == who).map(|c| c.1).collect::<Vec<_>>();
        assert_eq!((by(RISK), by(DESK), by(Commander::CONTROL)), (vec![1, 2, 3], vec![1, 2, 3, 4], vec![1]));
    }
}

/// The general switch acts at once, and the command follows, with its name; what comes too late for it is refused.
#[test]
fn a_kill_of_the_whole_lane_is_the_shells_switch() {
    let log = Memory::default();
    let mut floor = floor("fused", &log);
    let handle = floor.lane.handle().clone();
    let risk = handle.inbox(RISK).unwrap().clone();
    floor.tell(Do::Buy, 100, 99_000);
    floor.until("an order", |floor| floor.venue.orders.len() == 1);
    let ticket = risk.send(To::LANE, Mono::NEVER, Word::Kill).unwrap();
    assert!(handle.kill_switch().is_thrown(), "before the lane has had its turn");
    floor.until("an answer", |_| risk.answer(ticket).is_some());
    assert_eq!(risk.answer(ticket).unwrap().said, Said::Taken);
    floor.until("nothing rests", |floor| floor.venue.orders.is_empty());
    // Released, and thrown again by a signal before the lane looked.
    let release = risk.send(To::LANE, Mono::NEVER, Word::Release).unwrap();
    handle.kill_switch().throw();
    floor.until("an answer", |_| risk.answer(release).is_some());
    let answer = risk.answer(release).unwrap();
    assert_eq!(
        (answer.said, answer.why.as_str()),
        (Said::Rejected, "the kill switch was thrown or released again since")
    );
    assert!(handle.kill_switch().is_thrown());
    floor.until("the gate is of one mind with it", |floor| floor.lane.handle().board().status().killed == 1);
    assert_eq!(say(&mut floor, &risk, Word::Release, To::LANE), TAKEN);
    floor.until("released", |floor| floor.lane.handle().board().status().killed == 0);
    let _outcome = floor.lane.finish().unwrap();
    let said = commands(&log);
    assert!(said.contains(&(RISK, 1)) && !said.contains(&(RISK, 2)) && said.contains(&(RISK, 3)), "{said:?}");
}

#[test]
fn a_full_inbox_is_an_error_to_its_commander_alone() {
    let log = Memory::default();
    let mut floor = floor("fused", &log);
    let handle = floor.lane.handle().clone();
    let (risk, desk) = (handle.inbox(RISK).unwrap().clone(), handle.inbox(DESK).unwrap().clone());
    let flood = |inbox: &Inbox| inbox.send(To::LANE, Mono::NEVER, Word::Enable);
    for n in 1..=4 {
        assert_eq!(flood(&risk), Ok(n));
    }
    let full = flood(&risk).unwrap_err();
    assert!(full.to_string().contains("the lane's inbox is full (4 commands wait in it)"), "{full}");
    assert_eq!(say(&mut floor, &desk, Word::Enable, To::LANE), TAKEN);
    floor.until("the last of them", |_| risk.answer(4).is_some());
    assert!(flood(&risk).is_ok() && risk.answer(5).is_none(), "what never went in has no answer");
    let _outcome = floor.lane.finish().unwrap();
}

fn setup_of_floor() -> gateway_rig::Setup {
    let mut setup = gateway_rig::Setup::default();
    setup.feed.snapshot = None;
    setup
}

/// Who said what with which number, as the log has it.
fn commands(log: &Memory) -> Vec<(Commander, u64)> {
    let (bytes, mut all) = (log.bytes(), Vec::new());
    let mut reader = FileReader::new(&bytes[..]).unwrap();
    while let Ok(Some(record)) = reader.next_record() {
        if record.kind == Some(Kind::Command) {
            let Command { from, ticket, .. } = CommandBytes::new(&record.body).unwrap().read();
            all.push((from, ticket));
        }
    }
    all
}
