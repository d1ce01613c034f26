//! Scenarios on the best adapter that is there: the suite, how near they are to the twin, and what is said where there is no adapter.
#![cfg(feature = "gpu")]

mod adapter;

use firelane_kernels::risk::conformance::{Verdict, run};
use firelane_kernels::risk::device::{Device, Fault};
use firelane_kernels::risk::plan::{Job, Plan, Sampling};
use firelane_kernels::risk::twin::Software;
use firelane_kernels::risk::{bound, estimate, file};
use firelane_shaders::{RiskGpu, Sort, Unavailable, risk_on};
use std::process::Command;
use std::sync::Arc;

fn gpu() -> Option<RiskGpu> {
    match RiskGpu::open(None) {
        Err(Unavailable::Nothing) => {
            adapter::skip(&Unavailable::Nothing.to_string());
            None
        }
        opened => Some(opened.unwrap()),
    }
}

const BOOK: &str = r#"
rate = 0.04
correlation = [[1, 0.6, -0.3], [0.6, 1, 0.2], [-0.3, 0.2, 1]]
asset = [
    { name = "A", spot = 187.5, volatility = 0.28, dividend = 0.005, drift = 0.05 },
    { name = "B", spot = 42, volatility = 0.45 },
    { name = "C", spot = 98, volatility = 0.18, dividend = 0.03, drift = -0.02 },
]
stock = [{ asset = "A", quantity = 100 }, { asset = "C", quantity = -150 }]
option = [
    { asset = "A", kind = "put", strike = 180, expiry = 42, quantity = 100 },
    { asset = "B", kind = "call", strike = 45, expiry = 21, quantity = -600 },
    { asset = "C", kind = "put", strike = 95, expiry = 126, quantity = -300 },
    { asset = "C", kind = "call", strike = 95, expiry = 4, quantity = -300 },
]
"#;

fn planned(horizon: f64, steps: u32, scenarios: u32) -> Arc<Plan> {
    let job = Job { horizon, steps, scenarios, seed: 11, sampling: Sampling::Pseudo };
    Arc::new(Plan::new(&file::parse(BOOK).unwrap(), &job).unwrap())
}

#[test]
fn an_adapter_is_within_the_bound_of_the_specification() {
    let Some(mut gpu) = gpu() else { return };
    let report = run(&mut gpu, "");
    let failed: Vec<_> = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
    assert!(failed.is_empty() && report.conforms(), "{}: {failed:#?}", report.device);
    let skipped = report.cases.iter().filter(|case| matches!(case.verdict, Verdict::Skipped(_)));
    assert_eq!(skipped.map(|case| case.name.as_str()).collect::<Vec<_>>(), ["a Sobol sequence"]);
}

/// Not only within it: a bound that is a thousand times too wide would say nothing.
#[test]
fn the_bound_is_a_tight_one_and_figures_agree() {
    let Some(mut gpu) = gpu() else { return };
    let plan = planned(10.0, 2, 30_000);
    let mut twin = Software::default();
    gpu.load(&plan).unwrap();
    twin.load(&plan).unwrap();
    let (got, wanted) = (gpu.losses(0, 30_000).unwrap(), twin.losses(0, 30_000).unwrap());
    let (mut off, mut nearest, mut widest) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (scenario, (got, wanted)) in (0..).zip(got.iter().zip(&wanted)) {
        let bound = bound::of(&plan, scenario);
        for (got, wanted) in [(got.end, wanted.end), (got.deepest, wanted.deepest)] {
            assert!((got - wanted).abs() <= bound, "{scenario}: {got}, {wanted}, {bound:e}");
            nearest = nearest.max((got - wanted).abs() / bound);
            off = off.max((got - wanted).abs() / plan.gross);
        }
        widest = widest.max(bound / plan.gross);
    }
    // `--nocapture` shows what docs/var.md has.
    println!("off by {off:.2e} of the gross value at most, {nearest:.3} of the bound; which is {widest:.2e} at most");
    assert!(nearest > 0.01 && widest < 1e-5, "{nearest} {widest:e}");
    let of = |losses: &[firelane_kernels::risk::device::Loss]| {
        estimate::of(&plan, &mut losses.iter().map(|loss| loss.end).collect::<Vec<_>>(), 0.99)
    };
    let (got, wanted) = (of(&got), of(&wanted));
    // Losses that are each moved by so much have figures that are, too.
    for (got, wanted) in [(got.var, wanted.var), (got.es, wanted.es)] {
        assert!((got.value - wanted.value).abs() <= widest * plan.gross);
    }
}

#[test]
fn what_it_can_not_hold_is_said_and_changes_nothing() {
    let Some(mut gpu) = gpu() else { return };
    assert_eq!(gpu.losses(0, 1), Err(Fault::Empty));
    gpu.load(&planned(10.0, 1, 100)).unwrap();
    let before = gpu.losses(0, 100).unwrap();
    let job = Job { sampling: Sampling::Sobol, ..planned(10.0, 1, 128).job };
    let sobol = Arc::new(Plan::new(&file::parse(BOOK).unwrap(), &job).unwrap());
    let refused = gpu.load(&sobol).unwrap_err();
    assert!(refused.to_string().contains("no Sobol sequences: take pseudo-random numbers, or the CPU"), "{refused}");
    assert_eq!(gpu.losses(0, 100).unwrap(), before);
    if gpu.adapter().sort == Sort::Software {
        let wide = wide(60);
        let plan = |steps| {
            let job = Job { horizon: 10.0, steps, scenarios: 4, seed: 1, sampling: Sampling::Pseudo };
            Arc::new(Plan::new(&wide, &job).unwrap())
        };
        // 1 + 15 * 11 + 60 + 60 + 1,830 turns a time: 23 times are 48,668, 24 are 50,784.
        assert_eq!(gpu.load(&plan(23)), Ok(()));
        let long = plan(23);
        let mut twin = Software::default();
        twin.load(&long).unwrap();
        for (got, wanted) in gpu.losses(0, 4).unwrap().iter().zip(twin.losses(0, 4).unwrap()) {
            assert!((got.end - wanted.end).abs() < 1e-4 * long.gross);
        }
        let refused = gpu.load(&plan(24)).unwrap_err();
        assert!(matches!(refused, Fault::TooLarge { has: 50_784, most: 49_152, .. }), "{refused}");
        assert!(refused.to_string().contains("turns of loops in a scenario"), "{refused}");
    }
}

/// So many stocks, of which each two are correlated.
fn wide(count: usize) -> firelane_kernels::risk::book::Book {
    use firelane_kernels::risk::book::{Asset, Book, Instrument, Position};
    let name = |n| Asset { name: format!("A{n}"), spot: 50.0, volatility: 0.2, dividend: 0.0, drift: 0.0 };
    let held = |asset| Position { asset, quantity: 1.0, instrument: Instrument::Stock };
    let row = |i| (0..count).map(|j| if i == j { 1.0 } else { 0.4 }).collect();
    let rows: Vec<Vec<f64>> = (0..count).map(row).collect();
    Book::new((0..count).map(name).collect(), (0..count).map(held).collect(), 0.0, &rows).unwrap()
}

#[test]
fn an_adapter_that_nobody_makes_is_the_processor_and_why() {
    if gpu().is_none() {
        return;
    }
    let (mut device, why) = risk_on(Some("an adapter that nobody makes"));
    assert!(matches!(why, Some(Unavailable::Unknown { .. })), "{why:?}");
    assert_eq!(device.capabilities().name, "cpu");
    device.load(&planned(10.0, 1, 10)).unwrap();
    assert_eq!(device.losses(0, 10).unwrap().len(), 10);
    let (device, why) = risk_on(None);
    assert!(why.is_none() && device.capabilities().name.starts_with("gpu/"));
}

#[test]
#[ignore = "run by `where_no_driver_is_the_processor_answers`, which hides all drivers"]
fn without_a_driver() {
    assert_eq!(RiskGpu::open(None).unwrap_err(), Unavailable::Nothing);
    let (device, why) = risk_on(Some("0"));
    assert_eq!((device.capabilities().name.as_str(), why), ("cpu", Some(Unavailable::Nothing)));
}

#[test]
fn where_no_driver_is_the_processor_answers() {
    let none = "/nowhere/none.json";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "without_a_driver", "--ignored"])
        .envs([("VK_ICD_FILENAMES", none), ("VK_DRIVER_FILES", none)])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}
