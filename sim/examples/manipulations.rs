//! A day with manipulations in it, as a file that anything reads, and what was played into it.
//!
//! `cargo run -p firelane-sim --example manipulations -- 1000 day.itch day.csv`: the day of a seed, and its labels (kind, is it a decoy, strength,
//! symbol, and the stamps of the first and the last message in ns since midnight). Without files it says what there is.

use firelane_sim::manipulation::{Day, Kind, Strength, day};
use std::error::Error;
use std::fmt::Write as _;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().map_or(Ok(1_000), |seed| seed.parse())?;
    let day = day(seed);
    print!("{}", summary(&day));
    if let Some(path) = arguments.next() {
        std::fs::write(path, &day.file)?;
    }
    if let Some(path) = arguments.next() {
        std::fs::write(path, labels(&day))?;
    }
    Ok(())
}

/// How many of each kind and strength, with decoys.
pub(crate) fn summary(day: &Day) -> String {
    let mut text = format!("{:<10} {:<8} {:>5} {:>6} {:>12}\n", "kind", "strength", "real", "decoys", "median ms");
    for kind in Kind::ALL {
        for strength in Strength::ALL {
            let of = |decoy| {
                let of = day.episodes.iter().filter(|e| e.kind == kind && e.strength == strength && e.decoy == decoy);
                let mut lengths: Vec<_> = of.map(|e| e.end - e.start).collect();
                lengths.sort_unstable();
                lengths
            };
            let (real, decoys) = (of(false), of(true));
            let median = real.get(real.len() / 2).map_or(0.0, |ns| *ns as f64 / 1e6);
            let (name, strength, all) = (kind.name(), strength.name(), real.len());
            let _ = writeln!(text, "{name:<10} {strength:<8} {all:>5} {:>6} {median:>12.1}", decoys.len());
        }
    }
    text
}

/// The labels as CSV.
pub(crate) fn labels(day: &Day) -> String {
    let mut text = String::from("kind,decoy,strength,symbol,start,end\n");
    for e in &day.episodes {
        let (symbol, kind, strength) = (day.symbols[e.symbol], e.kind.name(), e.strength.name());
        let _ = writeln!(text, "{kind},{},{strength},{symbol},{},{}", u8::from(e.decoy), e.start, e.end);
    }
    text
}
