//! A log verifies, and every change of it is found.

use crate::gateway::rig::*;
use firelane_gateway::base::{Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::record::{Kind, RecordHeader};
use firelane_gateway::flow::wire::Credentials;
use firelane_gateway::flow::wire::soupbintcp::{NO_PASSWORD, Password};
use firelane_gateway::flow::{CommandBuf, Gateway, Word};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::{Effects, FileHeader, FileReader, FileWriter, LogError, Role};
use firelane_gateway::shell::verify::{Verified, VerifyError, verify};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use zerocopy::IntoBytes;

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn setup() -> Setup {
    let mut setup = Setup::default();
    setup.books.orders = 256;
    setup.books.levels = 128;
    setup.feed.window_messages = 64;
    setup.entry.login.capacity = 1_024;
    setup
}

fn told() -> Box<dyn Lane> {
    Box::new(lane(&setup(), Told::default()))
}

/// A run with a gap, fills, replaces, rejects, a splice, a lost session and a kill.
fn run() -> Vec<(Mono, Given)> {
    let mut rig = Rig::trading(&setup());
    rig.tell(1, Do::Buy, 500, 99_000);
    rig.tell(1, Do::Replace, 400, 99_100);
    let (_, token) = rig.newest();
    let report = rig.venue.execute(token, 60, 99_100);
    rig.say(report);
    let missing = rig.next;
    rig.next += 1;
    rig.market(&[add(2, 80, b"B", 100, 100_100)]);
    rig.pass(GAP);
    rig.give(Given::Packet(R, packet(DAY, missing, &[add(2, 79, b"B", 100, 100_100)])));
    rig.market(&[delete(1, 4_711)]);
    rig.serve_snapshot(&opening(2), rig.next);
    rig.venue.answers = false;
    rig.tell(1, Do::Buy, 100, 99_000);
    let rejected = Venue::rejected(rig.venue.asked.last().unwrap());
    rig.say(rejected);
    rig.venue.answers = true;
    rig.tell(2, Do::Sell, 100, 103_000);
    rig.cut();
    rig.pass(Nanos::from_millis(2_500));
    rig.command(Word::Kill);
    rig.tell(1, Do::Buy, 100, 99_000);
    let counters = *rig.lane.core().counters();
    let feed = *rig.lane.feeds().first().counters();
    assert!(counters.fills == 1 && counters.replaced == 1 && counters.entered >= 3, "{counters:?}");
    assert!(feed.gaps >= 1 && feed.requests >= 1 && feed.snapshots_ended == 1, "{feed:?}");
    // A recorder answers the lane's wish for a snapshot itself.
    rig.given.retain(|(_, given)| *given != Given::Command(CommandBuf::snapshot(VenueId::FIRST)));
    rig.given
}

/// Log and tape of a run.
fn record(given: &[(Mono, Given)], effects: Effects) -> (Vec<u8>, Vec<u8>) {
    let header = FileHeader::new("told", "", vec![], effects);
    let (log, tape) = (Memory::default(), Memory::default());
    let mut recorder = Recorder::new(told());
    recorder.log_to(log.clone(), &header).unwrap();
    recorder.tape_to(tape.clone(), &header).unwrap();
    for (now, given) in given {
        recorder.input(*now, given.as_input(), |_| {}).unwrap();
    }
    recorder.finish(given.last().unwrap().0).unwrap();
    let taken = |memory: Memory| std::mem::take(&mut *memory.0.lock().unwrap());
    (taken(log), taken(tape))
}

fn check(log: &[u8]) -> Result<Verified, VerifyError> {
    verify(log, |_| Ok(told()), |_| {})
}

#[test]
fn every_record_carries_the_number_of_its_lane() {
    let header = FileHeader::new("told", "", vec![], Effects::Bytes);
    let parts = firelane_gateway::flow::wiring::Parts { lane: 7, ..parts(&setup(), Told::default()) };
    let (log, tape) = (Memory::default(), Memory::default());
    let mut recorder = Recorder::new(Box::new(Gateway::new(parts).unwrap()) as Box<dyn Lane>);
    recorder.log_to(log.clone(), &header).unwrap();
    recorder.tape_to(tape.clone(), &header).unwrap();
    for (now, given) in run() {
        recorder.input(now, given.as_input(), |_| {}).unwrap();
    }
    recorder.finish(Mono(1)).unwrap();
    for memory in [log, tape] {
        let bytes = std::mem::take(&mut *memory.0.lock().unwrap());
        let mut reader = FileReader::new(&bytes[..]).unwrap();
        let mut records = 0;
        while let Some(record) = reader.next_record().unwrap() {
            assert_eq!(record.header.lane.get(), 7);
            records += 1;
        }
        assert!(records > 10, "{records}");
    }
}

/// Another strategy is another shape, another name another wiring. A probe decides nothing: it is no part of the shape.
#[test]
fn a_header_knows_a_wiring_of_another_shape() {
    let header = FileHeader::new("told", "", vec![], Effects::Bytes).built_by("a");
    let other = || crate::live::rig::stamped(&setup(), (), None);
    let own = header.clone().of_lane(&*told());
    assert_eq!(own.wiring_hash.len(), 16);
    assert_eq!(own, header.clone().of_lane(&*told()));
    assert!(own.unlike("a", &*told()).is_empty());
    assert!(own.unlike("a", &*crate::live::rig::stamped(&setup(), Told::default(), None)).is_empty());
    assert!(header.unlike("a", &*other()).is_empty(), "no hash, no word of it");
    let another = FileHeader { wiring: "other".into(), ..own.clone() };
    assert_eq!([own.unlike("a", &*other()), another.unlike("a", &*told())].map(|lines| lines.len()), [1, 1]);
    assert_eq!(own.unlike("b", &*told()), ["written by a; this is b"]);
    assert_eq!(own.unlike("b", &*other()).len(), 2);
}

/// What the lane reckons with is in the header, field by field.
#[test]
fn a_header_knows_instruments_with_other_fields() {
    let lane = lane(&Setup { listed: Some(vec![1]), ..setup() }, Told::default());
    let own = FileHeader::new("told", "", vec![], Effects::Bytes).built_by("a").of_lane(&lane);
    assert!(own.unlike("a", &lane).is_empty());
    assert!(!own.instruments.is_empty());
    let changes: [fn(&mut FileHeader); 4] = [
        |h| h.instruments[0].tick = 7,
        |h| h.instruments[0].name = "OTHER".into(),
        |h| h.instruments.push(h.instruments[0].clone()),
        |h| _ = h.instruments.pop(),
    ];
    for change in changes {
        let mut other = own.clone();
        change(&mut other);
        let said = other.unlike("a", &lane);
        assert!(said.len() == 1 && said[0].starts_with("instrument "), "{said:?}");
    }
}

/// A log taken apart, so that one piece can be changed under a good checksum.
#[derive(Clone)]
struct Apart {
    header: FileHeader,
    records: Vec<(RecordHeader, Vec<u8>)>,
}

impl Apart {
    fn of(log: &[u8]) -> Self {
        let mut reader = FileReader::new(log).unwrap();
        let header = reader.header().clone();
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            records.push((record.header, record.body));
        }
        Apart { header, records }
    }

    fn check(&self) -> Result<Verified, VerifyError> {
        let mut writer = FileWriter::new(Vec::new(), Role::Log, &self.header).unwrap();
        for (header, body) in &self.records {
            let mut header = *header;
            header.length.set(body.len() as u32);
            writer.put(&[header.as_bytes(), body]).unwrap();
        }
        check(&writer.finish().unwrap())
    }

    /// Fails if the log, changed by `change`, verifies.
    #[track_caller]
    fn must_fail(&self, what: &str, change: impl FnOnce(&mut Vec<(RecordHeader, Vec<u8>)>)) {
        let mut other = self.clone();
        change(&mut other.records);
        let outcome = other.check();
        assert!(!outcome.as_ref().is_ok_and(|v| v.complete), "{what}: {outcome:?}");
        assert!(outcome.is_err(), "{what}: {outcome:?}");
    }

    fn kinds(&self, of: impl Fn(Kind) -> bool) -> Vec<usize> {
        let kind = |n: usize| Kind::from_byte(self.records[n].0.kind).unwrap();
        (0..self.records.len()).filter(|n| of(kind(*n))).collect()
    }
}

fn is_effect(kind: Kind) -> bool {
    (64..Kind::EffectsDigest as u8).contains(&(kind as u8))
}

#[test]
fn a_log_with_everything_in_it_verifies() {
    let given = run();
    let asked = Apart::of(&record(&given, Effects::Bytes).0);
    let asked = asked.records.iter().filter(|(header, _)| header.kind == Kind::Snapshot as u8).count();
    assert!(asked > 0, "the delete of an order that is not there asks for a snapshot");
    let inputs = (given.len() + asked) as u64;
    for effects in [Effects::Bytes, Effects::Digest] {
        let (log, _) = record(&given, effects);
        let verified = check(&log).unwrap();
        assert!(verified.complete && verified.inputs == inputs && verified.effects > 10, "{verified:?}");
        assert_eq!(verified.bytes > 0, effects == Effects::Bytes);
    }
}

/// Nothing stands behind them that could show it, but the log's end.
#[test]
fn effects_that_are_missing_at_the_very_end_are_found() {
    let given = run();
    for effects in [Effects::Bytes, Effects::Digest] {
        let mut found = 0;
        for inputs in 1..=given.len() {
            let apart = Apart::of(&record(&given[..inputs], effects).0);
            let end = apart.records.len() - 1;
            let of_last = apart.records[..end].iter().rev().take_while(|(header, _)| header.kind >= 64).count();
            for lost in 1..=of_last {
                apart.must_fail(&format!("{lost} of input {inputs}"), |r| drop(r.drain(end - lost..end)));
                found += 1;
            }
        }
        assert!(found > 10, "{effects:?}: {found}");
    }
}

#[test]
fn every_changed_byte_of_an_effect_is_found() {
    let apart = Apart::of(&record(&run(), Effects::Bytes).0);
    let effects = apart.kinds(is_effect);
    assert!(effects.len() > 10);
    for (n, record) in effects.iter().copied().enumerate() {
        let length = apart.records[record].1.len();
        // First, last, and one in between that wanders.
        for at in [0, length - 1, (n * 7) % length] {
            apart.must_fail(&format!("byte {at} of record {record}"), |r| r[record].1[at] ^= 1 << (n % 8));
        }
        apart.must_fail("a kind", |r| r[record].0.kind ^= 1);
        apart.must_fail("a byte more", |r| r[record].1.push(0));
        apart.must_fail("another input's number", |r| {
            let number = r[record].0.sequence.get();
            r[record].0.sequence.set(number + 1);
        });
    }
}

#[test]
fn every_effect_dropped_doubled_or_moved_is_found() {
    let apart = Apart::of(&record(&run(), Effects::Bytes).0);
    for n in apart.kinds(is_effect) {
        apart.must_fail("dropped", |r| drop(r.remove(n)));
        apart.must_fail("doubled", |r| r.insert(n, r[n].clone()));
        if apart.records[n - 1] != apart.records[n] {
            apart.must_fail("moved forward", |r| r.swap(n - 1, n));
        }
        if apart.records[n] != apart.records[n + 1] {
            apart.must_fail("moved back", |r| r.swap(n, n + 1));
        }
    }
}

#[test]
fn every_input_dropped_doubled_moved_or_changed_is_found() {
    let apart = Apart::of(&record(&run(), Effects::Bytes).0);
    let inputs = apart.kinds(|kind| (kind as u8) < 64);
    for n in inputs.iter().copied() {
        apart.must_fail("dropped", |r| drop(r.remove(n)));
        apart.must_fail("doubled", |r| r.insert(n, r[n].clone()));
        apart.must_fail("dropped, and the others renumbered", |r| {
            let number = r.remove(n).0.sequence.get();
            for (header, _) in &mut r[n..] {
                let old = header.sequence.get();
                header.sequence.set(if old > number { old - 1 } else { old });
            }
        });
    }
    // The first copy of a message that matters: an add, a delete, an order to the strategy.
    let mut changed = 0;
    for n in inputs {
        let (header, body) = &apart.records[n];
        if header.kind == Kind::Packet as u8
            && body[1] == A.0
            && body.len() == 2 + 20 + 2 + usize::from(body[23])
            && matches!(body[24], b'A' | b'D' | b'P')
        {
            changed += 1;
            apart.must_fail("a changed message", |r| *r[n].1.last_mut().unwrap() ^= 4);
        }
    }
    assert!(changed >= 5, "{changed}");
}

#[test]
fn every_changed_byte_of_the_end_is_found() {
    let apart = Apart::of(&record(&run(), Effects::Bytes).0);
    let end = apart.records.len() - 1;
    for at in 0..apart.records[end].1.len() {
        apart.must_fail("the final digests", |r| r[end].1[at] ^= 0x10);
    }
    apart.must_fail("something after the end", |r| r.push(r[end].clone()));
}

#[test]
fn a_log_of_digests_finds_the_same() {
    let apart = Apart::of(&record(&run(), Effects::Digest).0);
    let digests = apart.kinds(|kind| kind == Kind::EffectsDigest);
    assert!(digests.len() > 10 && apart.kinds(is_effect).is_empty());
    for n in digests {
        for at in 0..8 {
            apart.must_fail("a digest", |r| r[n].1[at] ^= 1);
        }
        apart.must_fail("dropped", |r| drop(r.remove(n)));
        apart.must_fail("doubled", |r| r.insert(n, r[n].clone()));
        apart.must_fail("moved", |r| r.swap(n - 1, n));
    }
}

/// What is before the cut is whole and equal; but the run did not end in order.
#[test]
fn a_log_cut_anywhere_is_incomplete_and_one_with_a_flipped_bit_is_damaged() {
    let (log, _) = record(&run(), Effects::Bytes);
    let start = log.len() - 3_000;
    for cut in (start..log.len()).step_by(61) {
        let verified = check(&log[..cut]).unwrap();
        assert!(!verified.complete && verified.inputs > 0, "cut at {cut}: {verified:?}");
    }
    for at in (start..log.len()).step_by(211) {
        let mut bad = log.clone();
        bad[at] ^= 2;
        match check(&bad) {
            Err(VerifyError::Log(LogError::Damaged { .. } | LogError::TooLong { .. })) => {}
            // A length that reaches beyond the end looks like a cut.
            Ok(verified) => assert!(!verified.complete),
            Err(other) => panic!("{other}"),
        }
    }
}

#[test]
fn passwords_are_in_neither_log_nor_tape_and_are_filled_in_on_the_way_out() {
    let secret = *b"HUSH-HUSH!";
    let mut recorder = Recorder::new(told());
    let (log, tape) = (Memory::default(), Memory::default());
    let header = FileHeader::new("told", "", vec![], Effects::Bytes);
    recorder.log_to(log.clone(), &header).unwrap();
    recorder.tape_to(tape.clone(), &header).unwrap();
    let mut logins = Vec::new();
    for (now, given) in run() {
        recorder
            .input(now, given.as_input(), |output| {
                let Output::Send { session, class, bytes, .. } = output else { return };
                let mut wire = bytes.to_vec();
                if class == Class::Session {
                    Password(secret).complete(&mut wire);
                }
                if bytes.starts_with(&[0, 47, b'L']) {
                    assert_eq!((&bytes[9..19], &wire[9..19]), (&NO_PASSWORD[..], &secret[..]));
                    assert_eq!((&bytes[..9], &bytes[19..]), (&wire[..9], &wire[19..]));
                    logins.push(session);
                } else {
                    assert_eq!(wire, bytes, "nothing but a login is touched");
                }
            })
            .unwrap();
    }
    assert_eq!(logins, [SessionId::ORDERS, SessionId::SNAPSHOT, SessionId::ORDERS]);
    recorder.finish(Mono(0)).unwrap();
    for file in [log, tape] {
        assert!(!file.0.lock().unwrap().windows(4).any(|w| w == b"HUSH"));
    }
}

/// The file's header is TOML, parsed twice for each: so it is a hundred thousand here and not a million.
#[test]
fn mutated_logs() {
    let (log, tape) = record(&run()[..20], Effects::Bytes);
    crate::mutations::mutations(
        100_000,
        0x106,
        &[log[..600].to_vec(), tape[..400].to_vec()],
        crate::targets_gateway::log_file,
    );
}

/// The same for configurations, of one table each.
#[test]
fn mutated_configurations() {
    let text = [firelane_gateway::shell::config::SAMPLE, firelane_sim::server::SAMPLE].concat();
    let lines = || text.lines().filter(|l| !l.trim_start().starts_with('#') && !l.trim().is_empty());
    let mut samples: Vec<Vec<u8>> = Vec::new();
    for line in lines() {
        if line.starts_with('[') || samples.is_empty() {
            samples.push(Vec::new());
        }
        samples.last_mut().unwrap().extend(line.bytes().chain(*b"\n"));
    }
    samples.push(b"239.1.2.3:26401@10.0.0.5\n[::1]:7\n".to_vec());
    crate::mutations::mutations(100_000, 0xC0F, &samples, crate::targets_gateway::config);
}
