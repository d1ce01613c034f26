//! Seeded mutations: what a fuzzer does, as a test that always does the same.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Runs `target` on a million mutations of what is in `corpus`. If it panics, prints the input first.
pub(crate) fn million(seed: u64, corpus: &[Vec<u8>], target: fn(&[u8])) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut input = Vec::new();
    for round in 0..1_000_000 {
        input.clear();
        input.extend_from_slice(&corpus[rng.random_range(0..corpus.len())]);
        for _ in 0..rng.random_range(0..4) {
            mutate(&mut rng, &mut input, corpus);
        }
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            eprintln!("seed {seed}, round {round}: {}", hex(&input));
            resume_unwind(panic);
        }
    }
}

fn mutate(rng: &mut Xoshiro256PlusPlus, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = rng.random_range(0..=input.len());
    match rng.random_range(0..7) {
        0 => input.truncate(at),
        1 => input.insert(at, rng.random()),
        2 if at < input.len() => drop(input.remove(at)),
        3 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
        4 if at < input.len() => input[at] = [0, 1, 2, 0x20, 0x30, 0x39, 0x7F, 0x80, 0xFF][rng.random_range(0..9)],
        5 if at < input.len() => input[at] = rng.random(),
        _ => {
            // The tail of another: torn, repeated and reordered streams.
            let other = &corpus[rng.random_range(0..corpus.len())];
            input.truncate(at);
            input.extend_from_slice(&other[rng.random_range(0..=other.len())..]);
        }
    }
}

/// For people.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// From digits in pairs; spaces do not count.
pub(crate) fn unhex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_digit(16).unwrap()).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}
