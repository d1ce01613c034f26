//! `firelane var`: what a book of stocks and options can lose, by Monte Carlo.

use crate::cli::{SamplingArg, Var, dash};
use crate::layout::sentence;
use crate::replay::group;
use crate::{output, progress};
use anyhow::{Context, Result, bail};
use firelane_kernels::risk::book::{Book, Instrument, Right};
use firelane_kernels::risk::bound;
use firelane_kernels::risk::closed::{self, Closed};
use firelane_kernels::risk::device::{Device, Loss, Precision};
use firelane_kernels::risk::estimate::{self, Estimate, Risk};
use firelane_kernels::risk::file;
use firelane_kernels::risk::plan::{Job, Plan, Sampling};
use firelane_kernels::risk::twin::Software;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A longer file is no book that could be valued.
const LONGEST: u64 = 64 << 20;
/// Scenarios between two looks at how far it is.
const TURN: u32 = 1 << 16;
/// Scenarios of a device in `f32` that are compared with the twin's.
const COMPARED: u32 = 1_000;
/// Positions that a report shows; a program has all.
const MOST: usize = 8;

/// `var --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    /// The device.
    device: String,
    /// What was asked.
    confidence: f64,
    horizon_days: f64,
    steps: u32,
    scenarios: u32,
    sampling: &'static str,
    seed: u64,
    /// What the book is worth now, in its units of money.
    value: f64,
    /// Of the loss at the horizon. Positive is lost.
    var: Figure,
    es: Figure,
    /// Of the deepest loss at any of the steps; null where there is one.
    deepest: Option<Both>,
    /// By deltas and normal returns.
    delta_normal: Formula,
    /// Exactly, where the book has one asset and its value goes one way with the price; else null.
    exact: Option<Formula>,
    /// What each position contributes to the expected shortfall, in the file's order.
    positions: Vec<Part>,
    /// Of a device in `f32`: how far it was from the twin's `f64`. Null for the twin itself.
    compared: Option<Compared>,
    seconds: f64,
    scenarios_a_second: f64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Figure {
    value: f64,
    /// Where it lies with 95 %; null if there are too few scenarios to say.
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Both {
    var: Figure,
    es: Figure,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Formula {
    var: f64,
    es: f64,
}

#[derive(Debug, Serialize)]
struct Part {
    name: String,
    quantity: f64,
    es: f64,
}

/// Losses of the first scenarios, in units of money.
#[derive(Clone, Copy, Debug, Serialize)]
struct Compared {
    scenarios: u32,
    /// The largest difference to the twin's.
    largest: f64,
    /// The largest that there may be.
    bound: f64,
}

impl From<Estimate> for Figure {
    fn from(Estimate { value, low, high }: Estimate) -> Self {
        Figure { value, low, high }
    }
}

impl From<Risk> for Both {
    fn from(risk: Risk) -> Self {
        Both { var: risk.var.into(), es: risk.es.into() }
    }
}

impl From<Closed> for Formula {
    fn from(Closed { var, es }: Closed) -> Self {
        Formula { var, es }
    }
}

pub(crate) fn run(options: &Var) -> Result<ExitCode> {
    let named = || options.file.display().to_string();
    let book = file::parse(&text_of(&options.file)?).with_context(named)?;
    let (sampling, usual) = match options.sampling {
        SamplingArg::Pseudo => (Sampling::Pseudo, 1_000_000),
        SamplingArg::Sobol => (Sampling::Sobol, 131_072),
    };
    let scenarios = options.scenarios.unwrap_or(usual);
    let Var { horizon, steps, seed, confidence, .. } = *options;
    let job = Job { horizon, steps, scenarios, seed, sampling };
    let plan = Arc::new(Plan::new(&book, &job).with_context(named)?);
    let mut device = open(&options.device)?;
    device.load(&plan)?;
    let began = Instant::now();
    let losses = all(device.as_mut(), scenarios)?;
    let took = began.elapsed();
    let compared = compared(device.as_ref(), &plan, &losses)?;
    let report = report(&book, &plan, confidence, device.capabilities().name, &losses, took, compared)?;
    if options.json {
        output::json(&report)?;
    } else {
        print(&report, &named());
    }
    Ok(ExitCode::SUCCESS)
}

fn text_of(path: &Path) -> Result<String> {
    let named = || path.display().to_string();
    let from: Box<dyn Read> =
        if dash(path) { Box::new(io::stdin()) } else { Box::new(File::open(path).with_context(named)?) };
    let mut text = String::new();
    from.take(LONGEST + 1).read_to_string(&mut text).with_context(named)?;
    if text.len() as u64 > LONGEST {
        bail!("{}: is over 64 MiB long; a book that can be valued is shorter", named());
    }
    Ok(text)
}

/// The device of this name.
fn open(uri: &str) -> Result<Box<dyn Device>> {
    match uri.split_once('/') {
        None if uri == "cpu" => Ok(Box::new(Software::default())),
        None if uri == "gpu" => gpu(None),
        Some(("gpu", name)) => gpu(Some(name)),
        _ => bail!("there is no device {uri:?}; there are cpu, gpu and gpu/NAME (an adapter's name or number)"),
    }
}

#[cfg(feature = "gpu")]
fn gpu(adapter: Option<&str>) -> Result<Box<dyn Device>> {
    Ok(Box::new(firelane_shaders::RiskGpu::open(adapter)?))
}

#[cfg(not(feature = "gpu"))]
fn gpu(_: Option<&str>) -> Result<Box<dyn Device>> {
    bail!("this program was built without GPUs; build it with `cargo build --release --features gpu`")
}

/// All scenarios, a few at a time, so that a person sees how far it is.
fn all(device: &mut dyn Device, scenarios: u32) -> Result<Vec<Loss>> {
    let bar = progress::time(scenarios.into());
    let mut losses = Vec::with_capacity(scenarios as usize);
    while losses.len() < scenarios as usize {
        let first = losses.len() as u32;
        losses.extend(device.losses(first, TURN.min(scenarios - first))?);
        bar.set_position(losses.len() as u64);
        bar.set_message(format!("{} of {} scenarios", group(losses.len() as u64), group(scenarios.into())));
    }
    bar.finish_and_clear();
    Ok(losses)
}

/// A device in `f32`, beside the twin.
fn compared(device: &dyn Device, plan: &Arc<Plan>, losses: &[Loss]) -> Result<Option<Compared>> {
    if device.capabilities().precision == Precision::Double {
        return Ok(None);
    }
    let scenarios = COMPARED.min(losses.len() as u32);
    let mut twin = Software::default();
    twin.load(plan)?;
    let (mut largest, mut most) = (0.0_f64, 0.0_f64);
    for (scenario, (own, other)) in (0..scenarios).zip(twin.losses(0, scenarios)?.iter().zip(losses)) {
        let (apart, bound) = ((own.end - other.end).abs(), bound::of(plan, scenario));
        if apart > bound {
            bail!(
                "scenario {scenario} costs {} by this device and {} by the CPU, more than {bound:.3e} apart: the device does not conform; \
                 take --device cpu",
                other.end,
                own.end
            );
        }
        (largest, most) = (largest.max(apart), most.max(bound));
    }
    Ok(Some(Compared { scenarios, largest, bound: most }))
}

fn report(
    book: &Book,
    plan: &Plan,
    confidence: f64,
    device: String,
    losses: &[Loss],
    took: Duration,
    compared: Option<Compared>,
) -> Result<Report> {
    let job = plan.job;
    let ends: Vec<f64> = losses.iter().map(|loss| loss.end).collect();
    let risk = estimate::of(plan, &mut ends.clone(), confidence);
    let deepest = (job.steps > 1).then(|| {
        let mut deepest: Vec<f64> = losses.iter().map(|loss| loss.deepest).collect();
        estimate::of(plan, &mut deepest, confidence).into()
    });
    let parts = estimate::contributions(plan, book, &ends, confidence, risk.es.value);
    let positions = book.positions().iter().zip(parts).map(|(position, es)| {
        let asset = &book.assets()[position.asset].name;
        let name = match position.instrument {
            Instrument::Stock => asset.clone(),
            Instrument::Option { right, strike, expiry } => {
                let right = if right == Right::Call { "call" } else { "put" };
                format!("{asset} {right} {strike}, {expiry} days")
            }
        };
        Part { name, quantity: position.quantity, es }
    });
    let now = plan.stock.iter().sum::<f64>() + plan.options.iter().map(|option| option.now).sum::<f64>();
    Ok(Report {
        device,
        confidence,
        horizon_days: job.horizon,
        steps: job.steps,
        scenarios: job.scenarios,
        sampling: job.sampling.name(),
        seed: job.seed,
        value: now,
        var: risk.var.into(),
        es: risk.es.into(),
        deepest,
        delta_normal: closed::delta_normal(book, job.horizon, confidence)?.into(),
        exact: closed::one_asset(book, job.horizon, confidence)?.map(Formula::from),
        positions: positions.collect(),
        compared,
        seconds: took.as_secs_f64(),
        scenarios_a_second: f64::from(job.scenarios) / took.as_secs_f64().max(1e-9),
    })
}

/// An amount to its cent, or in short where that is too long a number.
fn money(amount: f64) -> String {
    if amount.abs() >= 1e12 || (amount != 0.0 && amount.abs() < 0.01) {
        return format!("{amount:.4e}");
    }
    let cents = (amount.abs() * 100.0).round() as u64;
    let sign = if amount < 0.0 && cents > 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", group(cents / 100), cents % 100)
}

/// A quantity, in groups of three where it is whole.
fn number(quantity: f64) -> String {
    if quantity.fract() != 0.0 || quantity.abs() >= 1e12 {
        return quantity.to_string();
    }
    let sign = if quantity < 0.0 { "-" } else { "" };
    format!("{sign}{}", group(quantity.abs() as u64))
}

fn print(report: &Report, file: &str) {
    let percent = 100.0 * report.confidence;
    say!(
        "{}",
        sentence(&format!("{file}: {} positions, worth {} now.", report.positions.len(), money(report.value)), 2)
    );
    let steps = if report.steps > 1 { format!(" in {} steps", report.steps) } else { String::new() };
    let scenarios = group(report.scenarios.into());
    let head = format!(
        "What it loses over {} trading days{steps}, not more with {percent} %: {scenarios} scenarios ({}, seed {}) on {}.",
        report.horizon_days, report.sampling, report.seed, report.device
    );
    say!("{}", sentence(&head, 2));
    say!();
    say!("  {:<12}{:>16}{:>17}{:>16}{:>15}", "", "estimate", "95 %: from", "to", "delta-normal");
    let row = |name: &str, figure: &Figure, formula: Option<f64>| {
        let end = |end: Option<f64>| end.map_or("-".to_owned(), money);
        let (value, low, high) = (money(figure.value), end(figure.low), end(figure.high));
        let formula = formula.map_or(String::new(), |formula| format!("{:>15}", money(formula)));
        say!("  {name:<12}{value:>16}{low:>17}{high:>16}{formula}");
    };
    row("VaR", &report.var, Some(report.delta_normal.var));
    row("ES", &report.es, Some(report.delta_normal.es));
    if let Some(deepest) = &report.deepest {
        row("deepest VaR", &deepest.var, None);
        row("deepest ES", &deepest.es, None);
    }
    if let Some(exact) = &report.exact {
        say!(
            "  {}",
            sentence(
                &format!(
                    "Exactly, for its value goes one way with its only price: VaR {}, ES {}.",
                    money(exact.var),
                    money(exact.es)
                ),
                2
            )
        );
    }
    if report.var.high.is_none() {
        say!("  {}", sentence("-: too few scenarios to say; take more.", 2));
    }
    say!();
    say!("  {:<40}{:>14}{:>22}", "what contributes most to ES", "quantity", "part of ES");
    let mut parts: Vec<&Part> = report.positions.iter().collect();
    parts.sort_by(|a, b| b.es.total_cmp(&a.es));
    for part in parts.iter().take(MOST) {
        let name: String = part.name.chars().take(38).collect();
        say!("  {name:<40}{:>14}{:>22}", number(part.quantity), money(part.es));
    }
    if parts.len() > MOST {
        say!("  and {} more; --json has all", parts.len() - MOST);
    }
    say!();
    if let Some(Compared { scenarios, largest, bound }) = report.compared {
        let text = format!(
            "f32: the first {} losses are within {largest:.1e} of the CPU's f64; they may be {bound:.1e} apart.",
            group(scenarios.into())
        );
        say!("{}", sentence(&text, 2));
    }
    say!("{} scenarios a second, {:.2} s.", group(report.scenarios_a_second as u64), report.seconds);
}
