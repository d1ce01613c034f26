//! A venue that is killed comes back as it was; a journal that is not as it was written is refused.

use super::rig::{ByHand, EPOCH, Rig, SNAPSHOT, far_end, login, market};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_gateway::shell::agent::Agent;
use firelane_sim::far_end::{Door, FarEnd, FarEndConfig};
use firelane_sim::journal::{Input, Journal, JournalError};
use firelane_sim::net::Faults;
use firelane_sim::reconcile::Statement;
use firelane_sim::server::Command;
use firelane_sim::venue::acceptor::ConnId;
use std::fs;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

const DIGEST: u64 = 42;

fn resume(path: &Path, ports: usize, rate: u32, seed: u64) -> Result<FarEnd, JournalError> {
    let journal = Journal::open(path, DIGEST, EPOCH)?;
    FarEnd::resume(FarEndConfig::under(Faults::None, seed, SNAPSHOT), market(ports, rate, seed, Faults::None), journal)
}

/// Everything that must come back: what is published, what the ports have said and hold, and the books.
type State = ([u8; 10], u64, Vec<Vec<u8>>, Vec<Vec<Vec<u8>>>, Vec<Statement>);

fn state(far_end: &FarEnd, ports: u16) -> State {
    let publisher = far_end.publisher();
    let store = publisher.store().unwrap();
    let published = (1..publisher.next_sequence()).map(|n| store.get(n).unwrap().to_vec()).collect();
    let exchange = far_end.exchange();
    let told = (0..ports).map(|port| exchange.port(port).unwrap().messages().to_vec()).collect();
    let statements = (0..ports).map(|port| Statement::of_venue(exchange, port)).collect();
    (publisher.session(), publisher.next_sequence(), published, told, statements)
}

#[test]
fn a_venue_that_is_killed_comes_back_in_mid_session() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let mut first = resume(&path, 2, 1_000, 21).unwrap();
    assert_eq!(first.latest(), None);
    first.open(Mono(0));
    first.plan(Mono(300_000_000), firelane_sim::far_end::Deed::ChangeSession);
    let mut rig = Rig::new(2, first, |_| ());
    let (one, two) = (rig.trader(0, 1), rig.trader(1, 1));
    rig.until("the second session", |rig| rig.lines[0].session.ends_with(b"B") && rig.lines[0].messages.len() > 30);
    let directory = rig.lines[0].messages.values().find(|message| message[0] == b'R').unwrap();
    let symbol: [u8; 8] = directory[11..19].try_into().unwrap();
    rig.until("logins", |rig| rig.traders.iter().all(|t| t.logged_in.is_some()));
    // One trades, the other leaves an order in the book.
    rig.traders[one].enter(1, b'S', 300, &symbol, 100);
    rig.traders[two].enter(1, b'B', 100, &symbol, 100);
    rig.until("a fill and an order", |rig| rig.traders[one].count(b'E') > 0 && rig.traders[two].count(b'A') == 1);
    let told: Vec<Vec<Vec<u8>>> = rig.traders.iter().map(|t| t.got.clone()).collect();
    let before = rig.status();
    assert_eq!(before.ports[1].live, 1);
    // Killed: nothing is said to anyone, nothing more is written.
    let Rig { server, lines, traders, .. } = rig;
    drop((server, traders));

    let second = resume(&path, 2, 1_000, 21).unwrap();
    let at = second.latest().unwrap();
    assert!(at <= before.at, "its clock goes on from its last input");
    assert!(second.doors().is_empty(), "every connection is gone");
    let port = |n: u16| second.exchange().port(n).unwrap();
    assert_eq!(port(0).positions(), before.ports[0].positions);
    assert!(port(1).orders().values().all(|order| order.open == 0), "orders are cancelled on disconnect");
    assert_eq!(second.publisher().session(), before.session);
    let next = second.publisher().next_sequence();
    assert!(next >= before.next_sequence, "nothing that was sent is forgotten");
    // What the lines carried is what it has.
    let store = second.publisher().store().unwrap();
    assert!(lines[0].messages.iter().all(|(n, message)| store.get(*n) == Some(message)));
    second.check().unwrap();

    let mut rig = Rig::new(2, second, |_| ());
    let lacking = told[1].len() as u64 + 1;
    let (one, two) = (rig.trader(0, 1), rig.trader(1, lacking));
    rig.until("the sessions go on", |rig| {
        rig.traders[one].got.len() >= told[0].len() && rig.traders[two].count(b'C') == 1
    });
    assert!(rig.traders[one].got.starts_with(&told[0]), "the same messages have the same numbers");
    assert_eq!(rig.traders[two].logged_in, Some(lacking));
    rig.until("the feed goes on", |rig| rig.lines[0].next > next + 100);
    assert!(*rig.lines[0].messages.keys().next().unwrap() <= next, "without a hole that nobody announced");
    rig.tell(Command::Stop);
    let status = rig.status();
    let end = rig.finish();
    let after = state(&end, 2);
    drop(end);
    // And once more, from the longer journal, of a venue that was closed in order.
    let third = resume(&path, 2, 1_000, 21).unwrap();
    assert_eq!(
        (third.publisher().session(), third.publisher().next_sequence() >= status.next_sequence),
        (after.0, true)
    );
    let again = state(&third, 2);
    assert_eq!(again.4[0], after.4[0]);
}

/// Writes a short day and returns, for each length that the journal had, the state by then.
fn short_day(path: &Path) -> Vec<(u64, State)> {
    let mut far_end = resume(path, 1, 300, 22).unwrap();
    let length = || fs::metadata(path).unwrap().len();
    let mut states = Vec::new();
    let mut now = Mono(0);
    far_end.open(now);
    far_end.commit().unwrap();
    states.push((length(), state(&far_end, 1)));
    let mut conn = ConnId(0);
    for step in 0..12 {
        now = far_end.next_deadline().max(Mono(now.0 + 1_000_000));
        far_end.on_timer(now);
        match step {
            2 => conn = far_end.on_connect(now, Door::Orders(0)),
            3 => {
                let login = login(0);
                let mut bytes = b"\0\x2fL".to_vec();
                bytes.extend(login.username);
                bytes.extend(login.password);
                bytes.extend(format!("{:10}{:>20}", "", 1).bytes());
                far_end.on_bytes(now, conn, &bytes);
            }
            5 => {
                let order = super::rig::enter(1, b'B', 100, b"NONE    ", 100);
                let mut bytes = vec![0, u8::try_from(order.len() + 1).unwrap(), b'U'];
                bytes.extend(order);
                far_end.on_bytes(now, conn, &bytes);
            }
            8 => far_end.plan(now, firelane_sim::far_end::Deed::ChangeSession),
            _ => {}
        }
        far_end.settle(now);
        far_end.commit().unwrap();
        states.push((length(), state(&far_end, 1)));
    }
    assert!(far_end.exchange().port(0).unwrap().messages().len() > 1, "an order was answered");
    assert_eq!(far_end.stats().session_changes, 1);
    states
}

#[test]
fn a_journal_cut_anywhere_gives_what_it_holds_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let states = short_day(&path);
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() < 3_000, "{} bytes: cutting everywhere takes too long", whole.len());
    let cut = folder.path().join("cut.journal");
    for length in 0..=whole.len() {
        fs::write(&cut, &whole[..length]).unwrap();
        let back = resume(&cut, 1, 300, 22).unwrap_or_else(|error| panic!("cut at {length}: {error}"));
        match states.iter().rfind(|(end, _)| *end <= length as u64) {
            None => assert_eq!(back.latest(), None, "cut at {length}"),
            Some((_, expected)) => {
                // A client that was connected is not any more; all else is as it was.
                let got = state(&back, 1);
                assert_eq!((got.0, got.1, &got.2), (expected.0, expected.1, &expected.2), "cut at {length}");
                assert_eq!((&got.3, &got.4), (&expected.3, &expected.4), "cut at {length}");
            }
        }
    }
}

#[test]
fn damage_is_refused_and_its_place_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let states = short_day(&path);
    let whole = fs::read(&path).unwrap();
    let header = 28;
    let damaged = folder.path().join("damaged.journal");
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&damaged, &bytes).unwrap();
        let frame = states.iter().map(|(end, _)| *end).filter(|end| *end <= at as u64).max().unwrap_or(header);
        match resume(&damaged, 1, 300, 22).map(drop).unwrap_err() {
            JournalError::NotAJournal(_) => assert!(at < 8),
            JournalError::OtherConfiguration(_) => assert!((8..16).contains(&at)),
            JournalError::Damaged { at: place, .. } if at < header as usize => assert_eq!(place, 0),
            JournalError::Damaged { at: place, .. } => assert_eq!(place, frame, "damaged at {at}"),
            other => panic!("damaged at {at}: {other}"),
        }
    }
}

#[test]
fn a_journal_of_another_configuration_or_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let journal = Journal::open(&path, DIGEST, EPOCH).unwrap();
    let error = Journal::open(&path, DIGEST, EPOCH).unwrap_err().to_string();
    assert!(error.contains("another venue is using it"), "{error}");
    drop(journal);
    let error = Journal::open(&path, DIGEST + 1, EPOCH).unwrap_err().to_string();
    assert!(error.contains("another configuration") && error.contains("venue.journal"), "{error}");
    // The day is the one that the journal began with.
    assert_eq!(Journal::open(&path, DIGEST, ExchangeTime(1)).unwrap().epoch(), EPOCH);
    fs::write(&path, b"[market]\nsymbols = 8\n").unwrap();
    let error = Journal::open(&path, DIGEST, EPOCH).unwrap_err().to_string();
    assert!(error.contains("not a venue's journal"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"[market]\nsymbols = 8\n", "what is not ours is not touched");
}

#[test]
fn every_kind_of_input_comes_back_as_it_was_noted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("venue.journal");
    let inputs = [
        Input::Open,
        Input::Timer,
        Input::Connect(ConnId(7), 3),
        Input::Bytes(ConnId(7), b"hello"),
        Input::Bytes(ConnId(7), b""),
        Input::ChangeSession,
        Input::Close(ConnId(7)),
        Input::Stop,
        Input::EndSession,
    ];
    let mut journal = Journal::open(&path, DIGEST, EPOCH).unwrap();
    assert_eq!(journal.replay(|_, _| panic!("nothing is in it")).unwrap(), 0);
    for (at, input) in (5..).zip(inputs) {
        journal.note(Mono(at), input);
        if at % 2 == 0 {
            journal.commit().unwrap();
        }
    }
    journal.commit().unwrap();
    drop(journal);
    let mut journal = Journal::open(&path, DIGEST, EPOCH).unwrap();
    let mut expected = (5..).zip(inputs);
    let count = journal.replay(|at, input| assert_eq!(Some((at.0, input)), expected.next())).unwrap();
    assert_eq!(count, inputs.len() as u64);
    let unused = far_end(1, 100, 1, Faults::None);
    assert_eq!(unused.latest(), Some(Mono(0)), "without a journal nothing needs one");
}

/// A disk that is full after so many writes. The last one before that leaves a part of itself.
struct Fills {
    file: fs::File,
    writes: u32,
}

impl Write for Fills {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.writes == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.writes -= 1;
        let length = if self.writes == 0 { bytes.len() / 2 } else { bytes.len() };
        self.file.write_all(&bytes[..length])?;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Nothing leaves that is not written: whenever the disk is full, what the clients and the lines got is what a venue has
/// that comes back from the file, and so it stays however often the one with the full disk is asked.
#[test]
fn what_its_journal_does_not_hold_reaches_no_wire() {
    let folder = tempfile::tempdir().unwrap();
    let mut orders = 0;
    for writes in (1..60).chain([100, 200]) {
        let path = folder.path().join(format!("{writes}.journal"));
        let file = OpenOptions::new().append(true).create(true).open(&path).unwrap();
        let journal = Journal::open(&path, DIGEST, EPOCH).unwrap().written_to(Fills { file, writes });
        let config = FarEndConfig::under(Faults::None, 23, SNAPSHOT);
        let mut far_end = FarEnd::resume(config, market(1, 2_000, 23, Faults::None), journal).unwrap();
        far_end.open(Mono(0));
        let mut rig = Rig::with_clock(1, far_end, |_| (), Some(ByHand::default()));
        let trader = rig.trader(0, 1);
        let mut urn = 0;
        let mut cycle = |rig: &mut Rig| {
            let done = rig.server.do_work();
            rig.clock.as_ref().unwrap().pass(Nanos::from_micros(300));
            rig.traders[trader].poll();
            rig.lines.iter_mut().for_each(|line| {
                line.poll();
            });
            if rig.traders[trader].logged_in.is_some() {
                urn += 1;
                let symbol = rig.lines[0].messages.values().find(|message| message[0] == b'R');
                let symbol = symbol.map_or(*b"NONE    ", |message| message[11..19].try_into().unwrap());
                rig.traders[trader].enter(urn, b'B', 100, &symbol, 1_000);
            }
            done
        };
        let failed = (0..20_000).find_map(|_| cycle(&mut rig).err()).expect("the disk is full");
        assert!(failed.to_string().contains(&format!("{writes}.journal")), "{failed}");
        // Nobody has to ask it again. Whoever does gets nothing of it.
        for _ in 0..20 {
            assert!(cycle(&mut rig).is_err());
        }
        rig.server.on_close();
        std::thread::sleep(std::time::Duration::from_millis(1));
        rig.lines.iter_mut().for_each(|line| {
            line.poll();
        });
        rig.traders[trader].poll();
        drop(rig.handle.take_far_end());
        let written = resume(&path, 1, 2_000, 23).unwrap();
        for line in &rig.lines {
            let store = written.publisher().store().unwrap();
            let unknown = line.messages.iter().find(|(n, message)| store.get(**n) != Some(message));
            assert_eq!(unknown, None, "{writes} writes");
            assert!(line.next <= written.publisher().next_sequence(), "{writes} writes");
        }
        let told = written.exchange().port(0).unwrap().messages();
        let got = &rig.traders[trader];
        assert!(told.starts_with(&got.got), "{writes} writes");
        orders += got.count(b'A') + got.count(b'J');
    }
    assert!(orders > 10, "{orders} orders were answered before a disk was full");
}
