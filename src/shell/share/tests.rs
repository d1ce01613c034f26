//! The tape in a mapped file: what it refuses, what it replaces, and readers in real processes that are slow, killed and
//! stopped while the writer goes on at full speed.

use super::*;
use crate::base::{Instrument, Symbol};
use crate::shell::log::Effects;
use crate::shell::rows::InstrumentRow;
use std::process::{Child, Command, Stdio};

/// A ring that a writer goes round in no time.
const RING: usize = 1 << 16;

fn header() -> FileHeader {
    let rows =
        ["AAPL", "ZVZZT"].map(|name| InstrumentRow::from(&Instrument::us_equity(Symbol::new(name).unwrap()))).into();
    FileHeader::new("w", "a = 1\n", rows, Effects::Bytes).built_by("this build")
}

fn create(path: &Path) -> Result<SharedTape, ShareError> {
    SharedTape::create(path, RING, &header())
}

fn open(path: &Path) -> SharedReader {
    SharedReader::open(path, Begin::Oldest, "test").unwrap()
}

fn refused<T>(outcome: Result<T, ShareError>) -> String {
    outcome.err().expect("it is refused").to_string()
}

/// A record whose bytes give away any mix-up.
fn record(number: u64) -> Vec<u8> {
    let mix = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let length = (mix >> 57) as usize;
    [&number.to_ne_bytes()[..], &vec![mix as u8; length]].concat()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_tape_is_shared_and_its_file_goes_away_with_its_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let mut tape = create(&path).unwrap();
    let mode = fs::metadata(&path).unwrap().mode();
    assert_eq!((mode & 0o777, fs::read_dir(folder.path()).unwrap().count()), (0o600, 1), "its owner's alone");
    assert!(tape.write(b"one") && tape.write(b"two"));
    let mut reader = open(&path);
    assert_eq!((reader.header(), reader.process()), (&header(), u64::from(std::process::id())));
    assert_eq!(reader.read(), Ok(Got::Record(b"one")));
    let seen = &tape.ring().readers()[0];
    assert_eq!((seen.name.as_str(), seen.process, seen.read, seen.behind), ("test", std::process::id(), 1, 1));
    tape.beat();
    assert_eq!(reader.read(), Ok(Got::Record(b"two")));
    assert_eq!(reader.writer(), WriterState::Alive);
    // No heartbeat for long: it is there, but does nothing.
    reader.beat.1 -= SILENCE;
    assert!(matches!(reader.writer(), WriterState::Silent(silence) if silence >= SILENCE));
    tape.beat();
    assert_eq!(reader.writer(), WriterState::Alive);
    assert!(tape.write(b"three"));
    drop(tape);
    assert!(!path.exists());
    assert_eq!(reader.read(), Ok(Got::Record(b"three")));
    assert_eq!(reader.read(), Ok(Got::End));
    assert_eq!(reader.writer(), WriterState::Ended);
}

#[test]
fn whoever_may_only_read_reads_unseen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let mut tape = create(&path).unwrap();
    let mut reader = SharedReader::of(File::open(&path).unwrap(), false, Begin::Now, "test").unwrap();
    assert!(tape.write(b"one"));
    assert_eq!(reader.read(), Ok(Got::Record(b"one")));
    assert_eq!(reader.writer(), WriterState::Alive);
    assert!(!reader.reader().is_seen() && tape.ring().readers().is_empty());
    drop(tape);
    assert_eq!(reader.read(), Ok(Got::End));
}

#[test]
fn nothing_of_others_is_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("letter"), "dear reader").unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::write(at("tape.log"), [&crate::shell::log::MAGIC[..], &[0; 100]].concat()).unwrap();
    fs::create_dir(at("folder")).unwrap();
    std::os::unix::fs::symlink(at("letter"), at("link")).unwrap();
    for name in ["letter", "empty", "tape.log", "folder", "link"] {
        let said = refused(create(&at(name)));
        assert!(said.contains("no shared tape, and it is not written over"), "{name}: {said}");
        assert!(cannot_share(&at(name)).unwrap().contains("not written over"), "{name}");
    }
    assert_eq!(fs::read_to_string(at("letter")).unwrap(), "dear reader");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5, "nothing is left behind");
    for (path, why) in [(at("no/tape"), "No such file"), (PathBuf::from("/"), ""), (at(".."), "")] {
        let said = refused(create(&path));
        assert!(said.contains(why), "{said}");
    }
    assert!(cannot_share(&at("no/tape")).unwrap().contains("no folder") && cannot_share(&at("new")).is_none());
    let tape = create(&at("tape")).unwrap();
    let said = refused(create(&at("tape")));
    assert!(said.contains(&format!("process {} writes its tape there already", std::process::id())), "{said}");
    assert!(cannot_share(&at("tape")).is_none(), "of ours: whether it is in use is seen at the start");
    // One that has taken its place since is not removed.
    fs::remove_file(at("tape")).unwrap();
    fs::write(at("tape"), "another's").unwrap();
    drop(tape);
    assert_eq!(fs::read_to_string(at("tape")).unwrap(), "another's");
}

#[test]
fn what_is_no_sound_tape_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let (path, bad) = (folder.path().join("tape"), folder.path().join("bad"));
    let mut tape = create(&path).unwrap();
    assert!(tape.write(b"one"));
    let good = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        SharedReader::open(&bad, Begin::Oldest, "test")
    };
    assert_eq!(read(&good).unwrap().read(), Ok(Got::Record(b"one")));
    let with = |at: usize, word: u64| {
        let mut bytes = good.clone();
        bytes[at * WORD..][..WORD].copy_from_slice(&word.to_ne_bytes());
        refused(read(&bytes))
    };
    assert!(with(0, 7).contains("not \"FIRETAPE\""));
    assert!(with(AT_LAYOUT, 2).contains("layout 2; this build reads layout 1: use the build that writes it"));
    assert!(with(AT_TEXT_CRC, 1).contains("checksum"));
    for at in [AT_BYTES, AT_RING, AT_RING_BYTES, AT_TEXT, AT_TEXT_BYTES] {
        for wrong in [0, 1, 4_095, u64::MAX, u64::MAX - 7, good.len() as u64 - 7, good.len() as u64 + 8] {
            assert!(read_or_refused(read(&good_with(&good, at, wrong))), "{at} {wrong}");
        }
    }
    for cut in [0, 7, 8, 79, 80, PAGE, good.len() - 1] {
        assert!(read(&good[..cut]).is_err(), "cut at {cut}");
    }
    assert!(refused(SharedReader::open(folder.path(), Begin::Now, "x")).contains("no shared tape"));
    assert!(refused(SharedReader::open(&folder.path().join("no"), Begin::Now, "x")).contains("No such file"));
    fs::write(&bad, "FIRELANE, which is another kind of file, and long enough to have a page 0 of eighty bytes or so")
        .unwrap();
    assert!(refused(SharedReader::open(&bad, Begin::Now, "x")).contains("no shared tape"));
}

fn good_with(good: &[u8], at: usize, word: u64) -> Vec<u8> {
    let mut bytes = good.to_vec();
    bytes[at * WORD..][..WORD].copy_from_slice(&word.to_ne_bytes());
    bytes
}

/// Refused, or at least never more than nonsense that is said.
fn read_or_refused(outcome: Result<SharedReader, ShareError>) -> bool {
    outcome
        .map_or(true, |mut reader| (0..10).all(|_| !matches!(reader.read(), Ok(Got::Record(bytes)) if bytes != b"one")))
}

#[test]
fn a_full_disk_is_known_before_the_first_record() {
    struct Full(usize);
    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let some = bytes.len().min(self.0);
            self.0 -= some;
            if some == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(some) }
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    const BYTES: usize = 3 << 20;
    assert!(take_room(&mut Full(BYTES), BYTES).is_ok());
    let said = refused(take_room(&mut Full(BYTES - 1), BYTES));
    assert!(
        said.starts_with("there is no room for 3145728 bytes: no storage space") && said.contains("readers_bytes"),
        "{said}"
    );
}

/// This test again, as a process of its own, with something to do there.
fn child(what: &str, path: &Path) -> Child {
    let exe = std::env::current_exe().unwrap();
    let mut command = Command::new(exe);
    command.args(["--exact", "shell::share::tests::as_another_process", "--nocapture", "--test-threads", "1"]);
    command.env("FIRELANE_SHARE_CHILD", what).env("FIRELANE_SHARE_PATH", path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap()
}

/// By the kernel's account ("proc_pid_stat", field 3: T).
fn is_stopped(child: &Child) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

/// What a child does; nothing in a run of all tests.
#[test]
fn as_another_process() {
    let (Some(what), Some(path)) = (std::env::var_os("FIRELANE_SHARE_CHILD"), std::env::var_os("FIRELANE_SHARE_PATH"))
    else {
        return;
    };
    let path = Path::new(&path);
    match what.to_str().unwrap() {
        "write" => {
            let mut tape = create(path).unwrap();
            (0..100).for_each(|number| assert!(tape.write(&record(number))));
            loop {
                tape.beat();
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        name => {
            let mut reader = SharedReader::open(path, Begin::Oldest, name).unwrap();
            let first = reader.reader().upcoming();
            let mut next = first;
            loop {
                match reader.read().unwrap() {
                    Got::Record(bytes) => {
                        assert_eq!(bytes, record(next), "{name}: record {next}");
                        next += 1;
                        if name == "slow" && next.is_multiple_of(64) {
                            std::thread::sleep(Duration::from_millis(2));
                        }
                    }
                    Got::Lost { records, bytes } => {
                        assert_eq!(bytes, (next..next + records).map(|n| record(n).len() as u64).sum::<u64>());
                        next += records;
                    }
                    Got::Nothing => std::thread::yield_now(),
                    Got::End => break,
                }
            }
            let (read, (lost, _)) = (reader.reader().read_so_far(), reader.reader().lost_so_far());
            assert_eq!((first + read + lost, next), (next, reader.reader().shared().total()), "{name}");
            assert!(name == "quick" || lost > 0, "{name} was lapped");
        }
    }
}

#[test]
fn what_a_killed_writer_left_is_read_and_then_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let mut writer = child("write", &path);
    until("it writes", || path.exists());
    let mut reader = open(&path);
    until("it has written", || reader.reader().shared().total() == 100);
    assert_eq!((reader.writer(), reader.process()), (WriterState::Alive, u64::from(writer.id())));
    // Stopped, it holds on to its file.
    signal(&writer, "-STOP");
    assert!(refused(create(&path)).contains(&format!("process {}", writer.id())));
    until("it is silent", || matches!(reader.writer(), WriterState::Silent(_)));
    signal(&writer, "-KILL");
    writer.wait().unwrap();
    assert_eq!(reader.writer(), WriterState::Died);
    // Who comes later reads it, too.
    let mut later = open(&path);
    for reader in [&mut reader, &mut later] {
        for number in 0..100 {
            assert_eq!(reader.read(), Ok(Got::Record(&record(number))));
        }
        assert_eq!(reader.read(), Ok(Got::Nothing));
        assert_eq!(reader.writer(), WriterState::Died);
    }
    let mut tape = create(&path).unwrap();
    assert!(tape.write(b"new"));
    assert_eq!(open(&path).read(), Ok(Got::Record(b"new")));
    assert_eq!(later.read(), Ok(Got::Nothing), "of the old one");
    assert_eq!(later.writer(), WriterState::Died, "of the old one");
}

#[test]
fn readers_in_other_processes_are_slow_stopped_and_killed_and_hurt_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tape");
    let mut tape = create(&path).unwrap();
    let mut children: Vec<(&str, Child)> =
        ["quick", "slow", "stopped", "killed"].map(|name| (name, child(name, &path))).into();
    let seen = |tape: &SharedTape, name: &str| tape.ring().readers().into_iter().find(|reader| reader.name == name);
    let mut number = 0;
    let mut write = |tape: &mut SharedTape, records: u64| {
        for _ in 0..records {
            assert!(tape.write(&record(number)));
            number += 1;
        }
        tape.beat();
    };
    until("all are there", || {
        write(&mut tape, 1);
        children.iter().all(|(name, _)| seen(&tape, name).is_some())
    });
    let id = |name: &str| children.iter().position(|(one, _)| *one == name).unwrap();
    let (stopped, killed) = (id("stopped"), id("killed"));
    signal(&children[stopped].1, "-STOP");
    signal(&children[killed].1, "-KILL");
    // A signal is sent before it is taken: on a busy machine the reader goes on for a while.
    until("it has stopped", || is_stopped(&children[stopped].1));
    let before = seen(&tape, "stopped").unwrap();
    // At full speed, many times round, whatever becomes of them.
    let began = Instant::now();
    write(&mut tape, 200_000);
    assert!(began.elapsed() < Duration::from_secs(30), "the writer waits for nobody");
    let after = seen(&tape, "stopped").unwrap();
    assert!(after.read == before.read && after.behind >= 200_000, "{after:?}");
    until("the slot of the dead is free", || {
        write(&mut tape, 0);
        seen(&tape, "killed").is_none()
    });
    signal(&children[stopped].1, "-CONT");
    until("it knows what it lost", || {
        write(&mut tape, 1);
        seen(&tape, "stopped").is_some_and(|reader| reader.lost > 100_000)
            && seen(&tape, "slow").is_some_and(|r| r.lost > 0)
    });
    drop(tape);
    let (_, mut killed) = children.remove(killed);
    assert!(!killed.wait().unwrap().success());
    for (name, mut child) in children {
        assert!(child.wait().unwrap().success(), "{name}");
    }
}
