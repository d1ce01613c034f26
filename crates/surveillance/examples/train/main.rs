//! Trains the baselines of `firelane spikes score`, and writes them as they are committed.
//!
//! ```text
//! cargo run --release -p firelane-surveillance --example train                          a quarter of an hour on a core
//! cargo run --release -p firelane-surveillance --example train -- OUT.json 100..102 200..201   of these seeds alone
//! ```
//!
//! Weights and trees are fitted on the days of `TRAIN`; what is left to choose is chosen on those of `VALIDATION`, by the recall at ten
//! false alarms a symbol-hour. The days of `TEST` are not looked at. The same seeds give the same file.

mod choose;
mod fit;
mod rows;

use choose::Plan;
use firelane_sim::manipulation::{DayConfig, TRAIN, VALIDATION};
use firelane_surveillance::detector::Detector;
use rows::Sample;
use std::error::Error;
use std::ops::Range;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let out = match arguments.first() {
        Some(out) => PathBuf::from(out),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/models/baselines.json")),
    };
    let train = arguments.get(1).map_or(Ok(TRAIN), |text| seeds(text))?;
    let validation = arguments.get(2).map_or(Ok(VALIDATION), |text| seeds(text))?;
    let detector = Detector::shipped()?;
    // Some 34,000 rows an alert, of all days: what a quarter of an hour is enough for.
    let sample = Sample { targets: 16, others: 400 };
    let plan = Plan { day: DayConfig::default(), train, validation, sample };
    let baselines = choose::train(&detector, &plan, &mut |line| eprintln!("{line}"))?;
    std::fs::write(&out, serde_json::to_string(&baselines)? + "\n")?;
    eprintln!("{}", out.display());
    Ok(())
}

fn seeds(text: &str) -> Result<Range<u64>, Box<dyn Error>> {
    let (first, end) = text.split_once("..").ok_or("seeds are a first one, two dots, and the one after the last")?;
    Ok(first.parse()?..end.parse()?)
}
