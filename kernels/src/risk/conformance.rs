//! The suite that every device passes which values books: a GPU, a circuit, a machine elsewhere.
//!
//! It asks two things: the losses of the specification, scenario by scenario and as near as the device's [precision](super::device::Precision) has it, of books that
//! have all there can be in them; and what a device does when it is asked wrongly.

use super::book::{Asset, Book, Instrument, NoBook, Position, Right};
use super::device::{Device, Fault, Loss, Precision};
use super::plan::{Job, Plan, Sampling};
use super::twin::{Scratch, loss};
use super::{bound, twin};
use crate::philox::philox4x32;
use crate::suite::Failure;
use std::sync::Arc;

pub use crate::suite::{Case, Report, Verdict};

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge { .. } | Fault::NoSobol { .. } => Failure::Unable(fault.to_string()),
            other => Failure::Wrong(other.to_string()),
        }
    }
}

type Outcome = Result<(), Failure>;
type Ask = fn(&mut dyn Device) -> Outcome;

fn wrong(text: impl Into<String>) -> Failure {
    Failure::Wrong(text.into())
}

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Outcome {
    if holds { Ok(()) } else { Err(Failure::Wrong(otherwise())) }
}

/// What a device may be off by, of the gross value, where it reckons in `f64`.
const DOUBLE: f64 = 1e-10;

/// Runs the cases whose names begin so; the empty name is all of them.
pub fn run(device: &mut dyn Device, only: &str) -> Report {
    let mut report = Report { device: device.capabilities().name, ..Report::default() };
    let wanted = |name: &str| name.starts_with(only);
    let nothing = "nothing is loaded, and nothing can be valued";
    if wanted(nothing) {
        report.case(nothing, before_anything(device));
    }
    for (name, book, job) in books() {
        if wanted(name) {
            let outcome = book.map_err(|error| wrong(error.to_string()));
            let outcome = outcome.and_then(|book| compared(device, &book, &job, &mut report.updates));
            report.case(name, outcome);
        }
    }
    let manners: [(&str, Ask); 5] = [
        ("a call in parts is the call", parts),
        ("both halves of a seed count", seeds),
        ("scenarios beyond the last are refused", beyond),
        ("a plan takes the place of the one before", replaced),
        ("what can't be held changes nothing", kept),
    ];
    for (name, case) in manners {
        if wanted(name) {
            report.case(name, case(device));
        }
    }
    report
}

fn asset(name: &str, spot: f64, volatility: f64, dividend: f64, drift: f64) -> Asset {
    Asset { name: name.into(), spot, volatility, dividend, drift }
}

fn stock(asset: usize, quantity: f64) -> Position {
    Position { asset, quantity, instrument: Instrument::Stock }
}

fn option(asset: usize, quantity: f64, right: Right, strike: f64, expiry: f64) -> Position {
    Position { asset, quantity, instrument: Instrument::Option { right, strike, expiry } }
}

fn job(horizon: f64, steps: u32, scenarios: u32) -> Job {
    Job { horizon, steps, scenarios, seed: 0x9e37_79b9_7f4a_7c15, sampling: Sampling::Pseudo }
}

/// Every pair is correlated by this.
fn alike(count: usize, by: f64) -> Vec<Vec<f64>> {
    (0..count).map(|i| (0..count).map(|j| if i == j { 1.0 } else { by }).collect()).collect()
}

fn three(positions: Vec<Position>) -> Result<Book, NoBook> {
    let assets = vec![
        asset("A", 100.0, 0.2, 0.03, 0.05),
        asset("B", 12.5, 0.6, 0.0, -0.1),
        asset("C", 2_400.0, 0.15, 0.08, 0.0),
    ];
    Book::new(assets, positions, 0.04, &[vec![1.0, 0.7, -0.4], vec![0.7, 1.0, 0.1], vec![-0.4, 0.1, 1.0]])
}

fn mixed() -> Result<Book, NoBook> {
    three(vec![
        stock(0, 300.0),
        option(2, 5.0, Right::Put, 2_300.0, 63.0),
        option(0, -400.0, Right::Call, 105.0, 30.0),
        stock(1, -1_000.0),
        option(1, 2_000.0, Right::Put, 13.0, 21.0),
        option(0, 200.0, Right::Put, 100.0, 252.0),
        option(1, -500.0, Right::Call, 6.0, 500.0),
    ])
}

/// Many assets, each with a stock and a call or a put.
fn wide(count: u32) -> Result<Book, NoBook> {
    let assets = (0..count).map(|i| {
        let [a, b, c, _] = philox4x32([i, 0, 0, 9], [1, 2]).map(|word| f64::from(word) / 4_294_967_296.0);
        asset(&format!("A{i}"), 10.0 + 90.0 * a, 0.1 + 0.4 * b, 0.05 * c, 0.0)
    });
    let assets: Vec<Asset> = assets.collect();
    let held = (0..count as usize).flat_map(|i| {
        let side = if i % 3 == 0 { -1.0 } else { 1.0 };
        let right = if i % 2 == 0 { Right::Put } else { Right::Call };
        [stock(i, 10.0 * side), option(i, 20.0 * side, right, assets[i].spot, 20.0 + i as f64)]
    });
    let held = held.collect();
    Book::new(assets, held, 0.03, &alike(count as usize, 0.3))
}

/// What every device is asked, by name.
fn books() -> Vec<(&'static str, Result<Book, NoBook>, Job)> {
    let one = |positions| Book::new(vec![asset("A", 100.0, 0.25, 0.04, 0.1)], positions, 0.05, &[vec![1.0]]);
    let sobol = Job { sampling: Sampling::Sobol, ..job(10.0, 3, 512) };
    vec![
        ("a stock", one(vec![stock(0, 7.0)]), job(10.0, 1, 3_000)),
        ("a stock that is owed, for a year in steps", one(vec![stock(0, -7.0)]), job(252.0, 12, 500)),
        ("a call with dividends", one(vec![option(0, 3.0, Right::Call, 95.0, 126.0)]), job(21.0, 1, 1_000)),
        ("a put that is owed", one(vec![option(0, -3.0, Right::Put, 110.0, 40.0)]), job(5.0, 1, 1_000)),
        (
            "options that expire at the horizon",
            one(vec![option(0, 3.0, Right::Call, 100.0, 10.0), option(0, -2.0, Right::Put, 104.0, 10.0)]),
            job(10.0, 1, 1_000),
        ),
        (
            "options that expire before the horizon",
            one(vec![option(0, 3.0, Right::Call, 100.0, 4.5), option(0, -2.0, Right::Put, 104.0, 7.0), stock(0, 1.0)]),
            job(10.0, 2, 1_000),
        ),
        (
            "options a moment before they expire",
            one(vec![option(0, 3.0, Right::Call, 100.0, 10.0 + 1e-5), option(0, 3.0, Right::Put, 102.0, 10.0 + 1e-3)]),
            job(10.0, 1, 1_000),
        ),
        (
            "options far in and out of the money",
            one(vec![
                option(0, 3.0, Right::Call, 1.0, 60.0),
                option(0, 3.0, Right::Call, 900.0, 60.0),
                option(0, 1.0, Right::Put, 900.0, 1.0),
            ]),
            job(0.5, 1, 500),
        ),
        ("correlated stocks", three(vec![stock(0, 300.0), stock(1, 2_000.0), stock(2, -4.0)]), job(10.0, 1, 2_000)),
        (
            "stocks that move as one",
            Book::new(
                vec![asset("A", 10.0, 0.2, 0.0, 0.0), asset("B", 10.0, 0.2, 0.0, 0.0)],
                vec![stock(0, 1.0), stock(1, -1.0)],
                0.0,
                &alike(2, 1.0),
            ),
            job(10.0, 1, 500),
        ),
        ("stocks and options", mixed(), job(10.0, 1, 2_000)),
        ("stocks and options, for a quarter in steps", mixed(), job(63.0, 9, 1_000)),
        ("forty assets", wide(40), job(10.0, 2, 300)),
        ("a Sobol sequence", mixed(), sobol),
    ]
}

fn planned(book: &Book, job: &Job) -> Result<Arc<Plan>, Failure> {
    Plan::new(book, job).map(Arc::new).map_err(|error| wrong(error.to_string()))
}

/// Is this the loss of the scenario?
fn near(precision: Precision, plan: &Plan, scenario: u32, got: Loss, scratch: &mut Scratch) -> Outcome {
    let wanted = loss(plan, scenario, scratch);
    let bound = match precision {
        Precision::Double => DOUBLE * plan.gross,
        Precision::Single => bound::of(plan, scenario),
    };
    for (what, got, wanted) in [("loss", got.end, wanted.end), ("deepest loss", got.deepest, wanted.deepest)] {
        must((got - wanted).abs() <= bound, || {
            format!("scenario {scenario}: a {what} of {got}, and it is {wanted}, give or take {bound:e}")
        })?;
    }
    Ok(())
}

fn compared(device: &mut dyn Device, book: &Book, job: &Job, updates: &mut u64) -> Outcome {
    let plan = planned(book, job)?;
    device.load(&plan)?;
    let losses = device.losses(0, job.scenarios)?;
    must(losses.len() == job.scenarios as usize, || format!("{} losses of {}", losses.len(), job.scenarios))?;
    let (precision, mut scratch) = (device.capabilities().precision, Scratch::new(&plan));
    for (scenario, got) in (0..).zip(losses) {
        near(precision, &plan, scenario, got, &mut scratch)?;
        *updates += 1;
    }
    Ok(())
}

fn before_anything(device: &mut dyn Device) -> Outcome {
    // Somebody may have used the device before.
    match device.losses(0, 1) {
        Err(Fault::Empty) | Ok(_) => Ok(()),
        Err(other) => Err(wrong(other.to_string())),
    }
}

fn loaded(device: &mut dyn Device, job: Job) -> Result<Arc<Plan>, Failure> {
    let plan = planned(&mixed().map_err(|error| wrong(error.to_string()))?, &job)?;
    device.load(&plan)?;
    Ok(plan)
}

fn parts(device: &mut dyn Device) -> Outcome {
    loaded(device, job(10.0, 1, 1_000))?;
    let whole = device.losses(0, 1_000)?;
    let mut parts = Vec::new();
    for (first, count) in [(0, 0), (0, 1), (1, 63), (64, 65), (129, 871)] {
        parts.extend(device.losses(first, count)?);
    }
    must(whole == parts, || "0 to 999 differ from 0, 1 to 63, 64 to 128 and 129 to 999".into())?;
    let again = device.losses(500, 100)?;
    must(again == whole[500..600], || "scenarios are others when they are asked for again".into())
}

fn seeds(device: &mut dyn Device) -> Outcome {
    let mut all: Vec<Vec<Loss>> = Vec::new();
    for seed in [1, 2, 1 | 1 << 32, 1 | 1 << 63] {
        loaded(device, Job { seed, ..job(10.0, 1, 50) })?;
        let losses = device.losses(0, 50)?;
        must(!all.contains(&losses), || format!("seed {seed} has the losses of another"))?;
        all.push(losses);
    }
    Ok(())
}

fn beyond(device: &mut dyn Device) -> Outcome {
    loaded(device, job(10.0, 1, 100))?;
    for (first, count) in [(0, 101), (100, 1), (99, 2), (u32::MAX, u32::MAX)] {
        match device.losses(first, count) {
            Err(Fault::Beyond { .. }) => {}
            other => return Err(wrong(format!("{count} from {first} on, of 100: {:?}", other.map(|some| some.len())))),
        }
    }
    must(device.losses(99, 1)?.len() == 1, || "the last one is not beyond".into())
}

fn replaced(device: &mut dyn Device) -> Outcome {
    for horizon in [1.0, 30.0, 2.0] {
        let plan = loaded(device, job(horizon, 1, 20))?;
        let (precision, mut scratch) = (device.capabilities().precision, Scratch::new(&plan));
        for (scenario, got) in (0..).zip(device.losses(0, 20)?) {
            near(precision, &plan, scenario, got, &mut scratch)?;
        }
    }
    Ok(())
}

/// A device without Sobol sequences keeps the plan that it has.
fn kept(device: &mut dyn Device) -> Outcome {
    let plan = loaded(device, job(10.0, 1, 64))?;
    let before = device.losses(0, 64)?;
    let book = mixed().map_err(|error| wrong(error.to_string()))?;
    let other = planned(&book, &Job { sampling: Sampling::Sobol, ..plan.job })?;
    match device.load(&other) {
        Err(Fault::NoSobol { .. }) if !device.capabilities().sobol => {
            must(device.losses(0, 64)? == before, || "the plan before is gone".into())
        }
        Err(fault) => Err(fault.into()),
        Ok(()) if !device.capabilities().sobol => Err(wrong("it took Sobol sequences, which it says it has not")),
        Ok(()) => {
            let mut scratch = twin::Scratch::new(&other);
            let precision = device.capabilities().precision;
            for (scenario, got) in (0..).zip(device.losses(0, 64)?) {
                near(precision, &other, scenario, got, &mut scratch)?;
            }
            Err(Failure::Unable("it holds whatever there is".into()))
        }
    }
}
