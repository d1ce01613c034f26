//! Numbers for names, against a map that forgets nothing it should not.

use firelane_gateway::base::{Reader, State, Writer};
use firelane_gateway::flow::entry::{LONGEST, Names, NoName};
use proptest::prelude::*;
use std::collections::{HashMap, VecDeque};

#[test]
fn names_of_every_length_have_numbers_up_to_the_longest() {
    let mut names = Names::new(8, 1).unwrap();
    let text = [b'x'; LONGEST + 1];
    for length in [1, 14, 35, 36] {
        let number = names.intern(&text[..length]).unwrap();
        assert_eq!((names.name(number), names.number(&text[..length])), (Some(&text[..length]), Some(number)));
        assert_eq!(names.intern(&text[..length]), Ok(number), "as before");
    }
    for length in [0, 37] {
        assert_eq!(names.intern(&text[..length]), Err(NoName::Unfit));
        assert_eq!(names.number(&text[..length]), None);
    }
    assert_eq!((names.len(), names.counters().unfit), (4, 2));
    // A name is its bytes, whatever they are.
    let zeros = [names.intern(b"x\0"), names.intern(b"\0x"), names.intern(b"x\0\0")];
    assert_eq!(zeros, [Ok(5), Ok(6), Ok(7)]);
}

#[test]
fn a_full_table_gives_up_what_was_finished_first_and_nothing_else() {
    let mut names = Names::new(3, 100).unwrap();
    let number = |names: &mut Names, text: &[u8]| names.intern(text).unwrap();
    let (a, b, c) = (number(&mut names, b"a"), number(&mut names, b"b"), number(&mut names, b"c"));
    assert_eq!((a, b, c, names.len()), (100, 101, 102, 3));
    assert_eq!((names.intern(b"d"), names.counters().full), (Err(NoName::Full), 1));
    assert!(names.finish(b) && names.finish(a) && !names.finish(a) && !names.finish(99));
    assert_eq!(names.number(b"b"), Some(b), "known as long as there is room");
    assert_eq!(number(&mut names, b"d"), 103);
    assert_eq!((names.number(b"b"), names.name(b), names.number(b"a")), (None, None, Some(a)));
    assert_eq!(number(&mut names, b"b"), 104, "a number is never used again");
    assert_eq!((names.number(b"a"), names.counters().forgotten), (None, 2));
    assert_eq!(names.intern(b"a"), Err(NoName::Full));
    assert_eq!((names.len(), names.counters().full), (3, 2));
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    for (capacity, first, field) in [
        (0, 1, Some("names.capacity")),
        (1, 1, None),
        ((1 << 24) + 1, 1, Some("names.capacity")),
        (1, 0, Some("names.first")),
    ] {
        assert_eq!(Names::new(capacity, first).err().map(|e| e.field), field, "{capacity} from {first}");
    }
}

/// What it should do, said plainly.
#[derive(Default)]
struct Model {
    numbers: HashMap<Vec<u8>, u64>,
    finished: VecDeque<u64>,
    next: u64,
}

impl Model {
    fn intern(&mut self, text: &[u8], capacity: usize) -> Result<u64, NoName> {
        if text.is_empty() || text.len() > LONGEST {
            return Err(NoName::Unfit);
        }
        if let Some(number) = self.numbers.get(text) {
            return Ok(*number);
        }
        if self.numbers.len() == capacity {
            let gone = self.finished.pop_front().ok_or(NoName::Full)?;
            self.numbers.retain(|_, number| *number != gone);
        }
        self.next += 1;
        self.numbers.insert(text.to_vec(), self.next);
        Ok(self.next)
    }

    fn finish(&mut self, number: u64) -> bool {
        let fresh = self.numbers.values().any(|n| *n == number) && !self.finished.contains(&number);
        if fresh {
            self.finished.push_back(number);
        }
        fresh
    }
}

proptest! {
    #[test]
    fn behaves_as_a_hash_map(
        capacity in 1..12u32,
        steps in prop::collection::vec((0..4u8, 0..16u8, prop::sample::select(vec![0usize, 1, 2, 14, 35, 36, 37])), 0..200),
    ) {
        let mut names = Names::new(capacity, 1).unwrap();
        let mut model = Model::default();
        for (what, which, length) in steps {
            let text = vec![which; length];
            match what {
                0 | 1 => prop_assert_eq!(names.intern(&text), model.intern(&text, capacity as usize)),
                2 => prop_assert_eq!(names.finish(u64::from(which)), model.finish(u64::from(which))),
                _ => {
                    let saved = Writer::of(&names);
                    names = Names::new(capacity, 1).unwrap();
                    names.load(&mut Reader(&saved)).unwrap();
                    prop_assert_eq!(Writer::of(&names), saved);
                }
            }
            prop_assert_eq!(names.number(&text), model.numbers.get(&text).copied());
            prop_assert_eq!(names.len(), model.numbers.len());
        }
        for (text, number) in &model.numbers {
            prop_assert_eq!((names.number(text), names.name(*number)), (Some(*number), Some(&text[..])));
        }
    }
}
