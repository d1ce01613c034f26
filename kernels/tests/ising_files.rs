//! Problems as files: whatever is in one, reading it gives a problem or says what is wrong. And the example, run.

#[path = "../examples/max_cut.rs"]
mod max_cut;

use firelane_kernels::ising::file::{Format, read};
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

const SAMPLES: [&str; 6] = [
    "3 2\n1 2 5\n2 3 -1\n",
    "5 4 J\n1 2 1\n2 3 1\n3 4 1\n4 5 1\n",
    "# vartype=SPIN\n0 0 1.25\n0 1 -2e-3\n1 2 3\n",
    "4\n0 0 -1\n0 3 2.5\n1 2 -1e2\n",
    "c made by hand\np qubo 0 4 1 2\n0 0 1\n0 3 -2\n1 2 0.333333333333333333333\n",
    "0 1 1000000\n1 2 -0.000001\n0 2 123456789.123456789\n",
];

/// A sample with a few bytes changed, lost, or said again.
fn mutated(random: &mut Xoshiro256PlusPlus) -> String {
    const BYTES: &[u8] = b"0123456789-+.eE \n\t#cpJ\0xNa\xff";
    let mut bytes = SAMPLES[random.random_range(0..SAMPLES.len())].as_bytes().to_vec();
    for _ in 0..random.random_range(1..6) {
        let at = random.random_range(0..bytes.len());
        match random.random_range(0..4) {
            0 => bytes[at] = BYTES[random.random_range(0..BYTES.len())],
            1 => bytes.insert(at, BYTES[random.random_range(0..BYTES.len())]),
            2 if bytes.len() > 1 => drop(bytes.remove(at)),
            _ => {
                let part = bytes[at..].to_vec();
                bytes.extend(part);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn whatever_is_in_a_file_it_is_read_or_refused() {
    let quick = std::env::var("FIRELANE_TESTS").is_ok_and(|mode| mode == "quick");
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let (mut problems, mut refused) = (0, 0);
    for _ in 0..if quick { 2_000 } else { 100_000 } {
        let text = mutated(&mut random);
        let format = [None, Some(Format::Graph), Some(Format::Qubo), Some(Format::Spins)][random.random_range(0..4)];
        match read(&text, format) {
            Ok(read) if read.problem.sites() < 1_000 => {
                problems += 1;
                // What was read can be reckoned with, and what its integers say is near to what it says.
                let spins: Vec<i8> = (0..read.problem.sites()).map(|site| if site % 3 == 0 { 1 } else { -1 }).collect();
                let (exact, rounded) = (read.problem.value(&spins), read.problem.value_of(read.problem.energy(&spins)));
                let slack = 1e-5
                    * text.split_whitespace().filter_map(|word| word.parse::<f64>().ok()).map(f64::abs).sum::<f64>();
                assert!((exact - rounded).abs() <= slack.max(1e-9), "{exact} and {rounded}: {text:?}");
            }
            Ok(_) => {}
            Err(why) => {
                refused += 1;
                assert!(!why.to_string().is_empty());
            }
        }
    }
    assert!(problems > 200 && refused > 200, "{problems} read, {refused} refused");
}

#[test]
fn the_example_finds_the_largest_cut_by_every_algorithm() {
    let (found, truth) = max_cut::cuts().unwrap();
    assert_eq!(found.len(), 5);
    for (name, cut) in found {
        assert_eq!(cut, truth, "{name}");
    }
}
