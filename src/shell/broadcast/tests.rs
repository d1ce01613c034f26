//! The ring of many readers against a list that forgets nothing, at its limits, at full speed, and full of nonsense.

use super::*;
use proptest::prelude::*;

/// A record whose bytes give away any mix-up.
fn record(number: u64, length: usize) -> Vec<u8> {
    let mix = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_ne_bytes();
    (0..length).map(|at| mix[at % WORD].wrapping_add(at as u8)).collect()
}

fn reader(shared: &Shared, begin: Begin) -> BroadcastReader {
    BroadcastReader::new(shared.clone(), begin).unwrap()
}

/// One that the ring is small for: 1,024 words.
fn small() -> (BroadcastWriter, Shared) {
    let shared = Shared::new(8_192);
    (BroadcastWriter::new(shared.clone()), shared)
}

#[test]
fn every_reader_has_a_cursor_of_its_own() {
    let (mut writer, shared) = small();
    let mut first = reader(&shared, Begin::Now);
    assert_eq!(first.read(), Ok(Got::Nothing));
    assert!(writer.write(b"one") && writer.write(b""));
    let (mut second, mut third) = (reader(&shared, Begin::Now), reader(&shared, Begin::Oldest));
    for reader in [&mut first, &mut third] {
        assert_eq!(reader.read(), Ok(Got::Record(b"one")));
        assert_eq!(reader.read(), Ok(Got::Record(b"")));
        assert_eq!(reader.read(), Ok(Got::Nothing));
    }
    assert_eq!(second.read(), Ok(Got::Nothing), "it began after them");
    assert!(writer.write(b"12345678"));
    drop(writer);
    for reader in [&mut first, &mut second, &mut third] {
        assert_eq!(reader.read(), Ok(Got::Record(b"12345678")));
        (0..2).for_each(|_| assert_eq!(reader.read(), Ok(Got::End)));
    }
    assert_eq!((shared.total(), shared.is_closed()), (3, true));
}

#[test]
fn the_longest_record_is_an_eighth_of_the_ring() {
    let (mut writer, shared) = small();
    let longest = shared.longest();
    assert_eq!(longest, (1_024 / 8 - HEADER) * WORD);
    let mut reader = reader(&shared, Begin::Now);
    for length in [longest - 1, longest] {
        assert!(writer.write(&record(7, length)));
        assert_eq!(reader.read(), Ok(Got::Record(&record(7, length))));
    }
    assert!(!writer.write(&record(7, longest + 1)));
    assert_eq!((writer.too_long(), reader.read()), (1, Ok(Got::Nothing)));
}

#[test]
fn a_full_ring_loses_nothing_and_one_frame_more_is_a_lap() {
    // 128 frames of 8 words are all of it.
    let (mut writer, shared) = small();
    let (mut whole, mut lapped) = (reader(&shared, Begin::Now), reader(&shared, Begin::Now));
    for number in 0..128 {
        assert!(writer.write(&record(number, 40)));
    }
    for number in 0..128 {
        assert_eq!(whole.read(), Ok(Got::Record(&record(number, 40))));
    }
    assert_eq!(whole.lost_so_far(), (0, 0));
    assert!(writer.write(&record(128, 40)));
    let Ok(Got::Lost { records, bytes }) = lapped.read() else { panic!("it was lapped") };
    assert_eq!((bytes, lapped.lost_so_far()), (records * 40, (records, bytes)));
    assert!((60..=66).contains(&records), "{records}: about half of the ring");
    for number in records..129 {
        assert_eq!(lapped.read(), Ok(Got::Record(&record(number, 40))));
    }
    assert_eq!(whole.read(), Ok(Got::Record(&record(128, 40))));
    assert_eq!((lapped.read_so_far() + records, lapped.read()), (129, Ok(Got::Nothing)));
    assert_eq!(whole.lost_so_far(), (0, 0), "another's loss");
}

#[test]
fn readers_can_be_seen_until_they_go() {
    let (mut writer, shared) = small();
    let long = "n".repeat(NAME - 1) + "ü and more";
    let mut slow = reader(&shared, Begin::Now).called("slow\n\u{1b}[2J");
    let named = reader(&shared, Begin::Now).called(&long);
    for number in 0..200 {
        assert!(writer.write(&record(number, 40)));
    }
    let state = |shared: &Shared, at: usize| shared.readers()[at].clone();
    assert_eq!((state(&shared, 0).behind, state(&shared, 0).lost), (200, 0), "it does not know yet");
    while slow.read().unwrap() != Got::Nothing {}
    let seen = state(&shared, 0);
    assert_eq!((seen.read + seen.lost, seen.behind, seen.lost_bytes), (200, 0, seen.lost * 40));
    assert_eq!((seen.name.as_str(), seen.process), ("slow[2J", std::process::id()), "in one line");
    assert!(seen.lost > 0 && state(&shared, 1).name == "n".repeat(NAME - 1));
    drop(slow);
    assert_eq!(shared.readers().len(), 1);
    drop(named);
    assert_eq!(shared.readers(), []);
    // At the limit, and beyond: it reads all the same.
    let all: Vec<_> = (0..SLOTS).map(|_| reader(&shared, Begin::Now).called("x")).collect();
    let mut unseen = reader(&shared, Begin::Now).called("x");
    assert!(all.iter().all(BroadcastReader::is_seen) && !unseen.is_seen());
    assert!(writer.write(b"x") && unseen.read() == Ok(Got::Record(b"x")));
    shared.free_slots_of_the_dead(|process| process == std::process::id());
    assert_eq!(shared.readers().len(), SLOTS);
    shared.free_slots_of_the_dead(|_| false);
    let other = reader(&shared, Begin::Now).called("other");
    assert_eq!(shared.readers()[0].name, "other");
    // Whose slot was given away does not write to it, nor free it.
    let mut all = all;
    assert!(writer.write(b"y") && all[0].read() == Ok(Got::Record(b"x")));
    drop(all);
    assert_eq!((shared.readers()[0].read, other.is_seen()), (0, true));
}

proptest! {
    /// Against a list that forgets nothing: each reader gets what was written, in order, and is told of exactly what is
    /// missing, wherever it began and however the ring wraps.
    #[test]
    fn each_reads_all_but_what_it_is_told_of(
        steps in prop::collection::vec((0_usize..12, 0_usize..1_000), 1..400),
    ) {
        let (mut writer, shared) = small();
        let mut written: Vec<Vec<u8>> = Vec::new();
        // Each with the number of the record that comes next.
        let mut readers: Vec<(BroadcastReader, usize)> = Vec::new();
        for (step, length) in steps {
            match step {
                0 if readers.len() < 4 => readers.push((reader(&shared, Begin::Now), written.len())),
                1 if readers.len() < 4 => {
                    let reader = reader(&shared, Begin::Oldest);
                    let first = reader.place.number as usize;
                    // Seven eighths of the ring are kept for it, or all that there is.
                    let kept: usize = written[first..].iter().map(|r| HEADER + r.len().div_ceil(WORD)).sum();
                    prop_assert!(first == 0 || (600..=896).contains(&kept), "{first} {kept}");
                    readers.push((reader, first));
                }
                2..=7 => {
                    let record = record(written.len() as u64, length);
                    prop_assert_eq!(writer.write(&record), record.len() <= shared.longest());
                    if record.len() <= shared.longest() {
                        written.push(record);
                    }
                }
                _ => for (reader, next) in &mut readers {
                    match reader.read().unwrap() {
                        Got::Record(record) => {
                            prop_assert_eq!(record, &written[*next][..]);
                            *next += 1;
                        }
                        Got::Lost { records, bytes } => {
                            let gone = &written[*next..*next + records as usize];
                            prop_assert_eq!(bytes as usize, gone.iter().map(Vec::len).sum::<usize>());
                            prop_assert!(records > 0);
                            *next += records as usize;
                        }
                        Got::Nothing => prop_assert_eq!(*next, written.len()),
                        Got::End => prop_assert!(false, "it is not closed"),
                    }
                },
            }
        }
    }

    /// Whatever stands in the ring: a reader says so, or reads what is none, and neither panics nor hangs.
    #[test]
    fn nonsense_is_survived(
        words in prop::collection::vec(prop_oneof![0_u64..2_000, any::<u64>()], CONTROL + 128),
        valid in 0_usize..40,
        reads in 1_usize..50,
    ) {
        let at = Geometry { control: 0, ring: CONTROL, capacity: 128 };
        let area: Box<[AtomicU64]> = (0..at.words().unwrap()).map(|_| AtomicU64::new(0)).collect();
        let shared = Shared::over(Arc::new(area), at).unwrap();
        let mut writer = BroadcastWriter::new(shared.clone());
        let mut before = reader(&shared, Begin::Now).called("before");
        (0..valid).for_each(|number| assert!(writer.write(&record(number as u64, 8))));
        let scribble = |count: usize| {
            for (place, word) in shared.area.words().iter().zip(&words).take(count) {
                place.store(*word, Ordering::Relaxed);
            }
        };
        scribble(words.len());
        for begin in [Begin::Now, Begin::Oldest] {
            if let Some(mut reader) = BroadcastReader::new(shared.clone(), begin) {
                (0..reads).for_each(|_| drop(reader.read()));
            }
        }
        (0..reads).for_each(|_| drop(before.read()));
        let _shown = format!("{:?}", shared.readers());
        shared.free_slots_of_the_dead(|_| true);
        // The writer has all that it needs elsewhere.
        scribble(CONTROL);
        for number in 0..200 {
            prop_assert!(writer.write(&record(number, 8)));
        }
    }
}

/// One word at a time, as another program may leave it in a mapped file: each is found, none is read as a record.
#[test]
fn a_word_out_of_place_is_damage_and_never_a_record() {
    // The second record of three of a word each: its length, its number, the bytes before it; and what says where the end is.
    let second = HEADER + 1;
    for (at, wrong) in
        [(second, 8 * 8 + 1), (second, u64::MAX), (second + 1, 0), (second + 1, 2), (second + 2, 7), (second + 2, 9)]
    {
        let (mut writer, shared) = small();
        let mut reader = reader(&shared, Begin::Now);
        (0..3).for_each(|number| assert!(writer.write(&record(number, 8))));
        assert_eq!(reader.read(), Ok(Got::Record(&record(0, 8))));
        shared.look().ring[at].store(wrong, Ordering::Relaxed);
        for _ in 0..2 {
            assert_eq!(reader.read(), Err(Damaged { record: 1 }), "word {at} is {wrong}");
        }
        assert_eq!(reader.read_so_far(), 1);
    }
    // All of it is always about to be written over: that is no writer's doing, and is said after a while.
    let (mut writer, shared) = small();
    let mut reader = reader(&shared, Begin::Now);
    assert!(writer.write(b"x"));
    shared.look().control[INTENT].store(u64::MAX, Ordering::Relaxed);
    let tries = (1..=FRUITLESS + 1).find(|_| reader.read().is_err());
    assert_eq!(tries, Some(FRUITLESS));
}

#[test]
fn parts_that_do_not_fit_their_area_are_refused() {
    let area = |words: usize| -> Arc<dyn Area> {
        let area: Box<[AtomicU64]> = (0..words).map(|_| AtomicU64::new(0)).collect();
        Arc::new(area)
    };
    let at = Geometry { control: 8, ring: CONTROL + 8, capacity: 64 };
    assert_eq!(at.words(), Some(CONTROL + 72));
    assert!(Shared::over(area(CONTROL + 72), at).is_some() && Shared::over(area(CONTROL + 71), at).is_none());
    for wrong in [
        Geometry { ring: CONTROL + 7, ..at },
        Geometry { capacity: MARKS - 1, ..at },
        Geometry { capacity: usize::MAX, ..at },
        Geometry { control: usize::MAX, ..at },
    ] {
        assert!(Shared::over(area(CONTROL + 72), wrong).is_none(), "{wrong:?}");
    }
}

/// A writer at full speed, a reader that keeps up when it can, one that is slow, and one that is stuck: none gets a torn
/// record, each knows what it lost, and the writer has waited for nobody.
#[test]
fn at_full_speed_nothing_is_torn_and_every_loss_is_counted() {
    const RECORDS: u64 = 300_000;
    let shared = Shared::new(1 << 16);
    let mut writer = BroadcastWriter::new(shared.clone());
    let length = |number: u64| (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as usize;
    let stuck = reader(&shared, Begin::Now).called("stuck");
    let follow = |every: u64| {
        let mut reader = reader(&shared, Begin::Now);
        std::thread::spawn(move || {
            let (mut next, mut laps) = (0_u64, 0_u64);
            loop {
                match reader.read().unwrap() {
                    Got::Record(bytes) => {
                        assert_eq!(bytes, record(next, length(next)), "record {next}");
                        next += 1;
                        if next.is_multiple_of(every) {
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                    }
                    Got::Lost { records, bytes } => {
                        assert_eq!(bytes, (next..next + records).map(|n| length(n) as u64).sum::<u64>());
                        next += records;
                        laps += 1;
                    }
                    Got::Nothing => std::thread::yield_now(),
                    Got::End => break,
                }
            }
            assert_eq!((next, reader.read_so_far() + reader.lost_so_far().0), (RECORDS, RECORDS));
            laps
        })
    };
    let (quick, slow) = (follow(u64::MAX), follow(100));
    for number in 0..RECORDS {
        assert!(writer.write(&record(number, length(number))));
    }
    drop(writer);
    let _laps = quick.join().unwrap();
    assert!(slow.join().unwrap() > 0, "a reader that sleeps is lapped");
    let mut stuck = stuck;
    assert!(matches!(stuck.read(), Ok(Got::Lost { .. })));
    while !matches!(stuck.read().unwrap(), Got::End) {}
    assert_eq!(stuck.read_so_far() + stuck.lost_so_far().0, RECORDS);
}
