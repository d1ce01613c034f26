//! `firelane ising solve`: one problem, solved.

use super::{device, read};
use crate::chart::{Chart, Series, Style};
use crate::cli::{IsingSolve, SolverArg, dash};
use crate::layout::{row, sentence};
use crate::outfile::{OutFile, check_dashes, finish};
use crate::replay::group;
use crate::{output, progress};
use anyhow::{Context, Result, bail};
use firelane_gateway::shell::signals::{self, LastWords};
use firelane_kernels::ising::device::{Device, Polled};
use firelane_kernels::ising::job::{Algorithm, Answer, Job, Replica, Spins, Stopped};
use firelane_kernels::ising::problem::{Meaning, Problem};
use indicatif::ProgressBar;
use serde::Serialize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `ising solve --json`. The layout is stable: fields are added, never renamed or removed. Times are seconds from when the job was
/// submitted: the file had been read.
#[derive(Debug, Serialize)]
struct Report<'a> {
    file: String,
    /// `gset`, `qubo` or `spins`.
    format: &'static str,
    sites: usize,
    pairs: usize,
    /// Numbers were rounded to integers to be solved; values are of the numbers themselves.
    rounded: bool,
    solver: &'static str,
    device: &'a str,
    steps: u32,
    seed: u64,
    target: Option<f64>,
    /// Times that all replicas began.
    rounds: u32,
    /// `done`, `target`, `deadline` or `cancelled`.
    stopped: &'static str,
    elapsed_s: f64,
    #[serde(flatten)]
    best: Found,
    /// How the best of all replicas went: seconds, and `best_cut` or `best_energy`.
    trajectory: Vec<(f64, serde_json::Number)>,
    replicas: Vec<Found>,
}

/// The best of a replica, or of all.
#[derive(Clone, Debug, Serialize)]
struct Found {
    best_cut: Option<serde_json::Number>,
    best_energy: serde_json::Number,
    spins: Vec<i8>,
    time_to_best_s: f64,
    time_to_target_s: Option<f64>,
}

impl Found {
    /// The cut, or the value of what is no graph.
    fn value(&self) -> f64 {
        self.best_cut.as_ref().unwrap_or(&self.best_energy).as_f64().unwrap_or_default()
    }
}

/// The best of a replica over all times that it began.
#[derive(Clone)]
struct Slot {
    energy: i64,
    spins: Spins,
    best: Duration,
    target: Option<Duration>,
}

/// What all rounds have found.
struct Rounds {
    slots: Vec<Slot>,
    trajectory: Vec<(Duration, i64)>,
    count: u32,
    stopped: Stopped,
    elapsed: Duration,
}

pub(super) fn run(options: &IsingSolve) -> Result<ExitCode> {
    check_dashes(&[Some(&options.file)], &[options.svg.as_deref()], options.json);
    let algorithm = algorithm(options)?;
    let mut device = device::open(&options.device)?;
    let spinner = progress::spinner("reading");
    let read = read(&options.file, options.format.map(|format| format.format()))?;
    spinner.finish_and_clear();
    let problem = Arc::new(read.problem);
    let read_from: Vec<&Path> = Some(options.file.as_path()).into_iter().filter(|path| !dash(path)).collect();
    let svg = options.svg.as_deref().map(|path| OutFile::create(path, &read_from, options.force)).transpose()?;
    device.load(&problem)?;
    let job = Job {
        target: options.target.map(|target| problem.energy_of(target)),
        until_target: options.until_target,
        ..Job::new(algorithm, options.steps, options.replicas, options.seed)
    };
    let rounds = solve(device.as_mut(), &problem, &job, options.seconds.map(Duration::from_secs_f64))?;
    let name = device.capabilities().name;
    let found: Vec<Found> = rounds.slots.iter().map(|slot| found(&problem, slot)).collect();
    let Some(mut best) =
        rounds.slots.iter().zip(&found).min_by_key(|(slot, _)| slot.energy).map(|(_, best)| best.clone())
    else {
        bail!("it was ended before anything was found");
    };
    // The first of any replica.
    best.time_to_target_s = rounds.slots.iter().filter_map(|slot| slot.target).min().map(|after| after.as_secs_f64());
    let value = |energy| number(problem.value_of(energy));
    let report = Report {
        file: if dash(&options.file) { "-".to_owned() } else { options.file.display().to_string() },
        format: read.format.name(),
        sites: problem.sites(),
        pairs: problem.pairs(),
        rounded: !problem.is_exact(),
        solver: algorithm.name(),
        device: &name,
        steps: options.steps,
        seed: options.seed,
        target: options.target,
        rounds: rounds.count,
        stopped: match rounds.stopped {
            Stopped::Done => "done",
            Stopped::Target => "target",
            Stopped::Deadline => "deadline",
            Stopped::Cancelled => "cancelled",
        },
        elapsed_s: rounds.elapsed.as_secs_f64(),
        best,
        trajectory: rounds.trajectory.iter().map(|(after, energy)| (after.as_secs_f64(), value(*energy))).collect(),
        replicas: found,
    };
    if svg.is_some() {
        finish(svg, options.svg.as_deref(), picture(&report, &problem).svg().as_bytes())?;
    }
    if options.json {
        output::json(&report)?;
    } else {
        print(&report, &problem);
    }
    Ok(ExitCode::SUCCESS)
}

/// The best of all over time, the best of each replica where it was seen, and what was wanted.
fn picture(report: &Report<'_>, problem: &Problem) -> Chart {
    let mut best: Vec<(f64, f64)> =
        report.trajectory.iter().map(|(after, value)| (*after, value.as_f64().unwrap_or_default())).collect();
    best.extend(best.last().map(|(_, value)| (report.elapsed_s, *value)));
    let each = report.replicas.iter().map(|found| (found.time_to_best_s, found.value())).collect();
    let of = |name: &str, style, points| Series { name: name.into(), style, points };
    let mut series = vec![of("best of each replica", Style::Pale, each), of("best so far", Style::Steps, best)];
    if let Some(target) = report.target {
        series.push(of("target", Style::Line, vec![(0.0, target), (report.elapsed_s, target)]));
    }
    let name = Path::new(&report.file).file_name().filter(|_| report.file != "-");
    let file = name.map_or("standard input".into(), |name| name.to_string_lossy());
    Chart {
        title: format!(
            "{file}: {}, {} replicas of {} steps",
            report.solver,
            group(report.replicas.len() as u64),
            group(report.steps.into())
        ),
        across: "time, s".into(),
        up: if matches!(problem.meaning(), Meaning::Cut { .. }) { "cut" } else { "value" }.into(),
        series,
    }
}

fn algorithm(options: &IsingSolve) -> Result<Algorithm> {
    let mut algorithm = options.solver.algorithm();
    match &mut algorithm {
        Algorithm::Discrete(bifurcation) | Algorithm::Ballistic(bifurcation) => {
            bifurcation.time_step = options.time_step
        }
        _ if options.time_step.is_some() => {
            let solver = if options.solver == SolverArg::Sa { "sa" } else { algorithm.name() };
            bail!("--time-step is of dsb and bsb; {solver} has sweeps");
        }
        _ => {}
    }
    Ok(algorithm)
}

/// All replicas, once, or again and again for so long.
fn solve(device: &mut dyn Device, problem: &Problem, job: &Job, time: Option<Duration>) -> Result<Rounds> {
    let asked = signals::asked_to_end(LastWords::default()).context("signals can't be heard")?;
    let bar = progress::line();
    let begun = Instant::now();
    let mut rounds =
        Rounds { slots: Vec::new(), trajectory: Vec::new(), count: 0, stopped: Stopped::Done, elapsed: Duration::ZERO };
    loop {
        let offset = begun.elapsed();
        let deadline = time.map(|time| time.saturating_sub(offset));
        let Some(first) =
            rounds.count.checked_mul(job.replicas).filter(|first| first.checked_add(job.replicas).is_some())
        else {
            break;
        };
        device.submit(&Job { first, deadline, ..*job })?;
        let answer = wait(device, problem, &bar, time, begun, &rounds, &|| asked.is_stopped())?;
        rounds.add(answer, offset);
        if rounds.stopped != Stopped::Done || time.is_none_or(|time| begun.elapsed() >= time) {
            break;
        }
    }
    bar.finish_and_clear();
    rounds.elapsed = begun.elapsed();
    Ok(rounds)
}

fn wait(
    device: &mut dyn Device,
    problem: &Problem,
    bar: &ProgressBar,
    time: Option<Duration>,
    begun: Instant,
    so_far: &Rounds,
    asked: &dyn Fn() -> bool,
) -> Result<Answer> {
    let mut cancelled = false;
    let mut patience = Duration::from_micros(200);
    loop {
        match device.poll()? {
            Polled::Answered(answer) => return Ok(*answer),
            Polled::Running(progress) => {
                let before = so_far.trajectory.last().map(|(_, energy)| *energy);
                let best = progress.best.into_iter().chain(before).min().map(|best| problem.value_of(best));
                let (word, best) = (word(problem), best.map_or("none yet".to_owned(), shown));
                let share = match time {
                    None => progress.done,
                    Some(time) => (begun.elapsed().as_secs_f64() / time.as_secs_f64()).min(1.0),
                };
                bar.set_message(format!("{word} {best}, {:.0} % done", share * 100.0));
                bar.tick();
            }
        }
        if asked() && !cancelled {
            device.cancel()?;
            cancelled = true;
        }
        std::thread::sleep(patience);
        patience = (patience * 2).min(Duration::from_millis(50));
    }
}

impl Rounds {
    fn add(&mut self, answer: Answer, offset: Duration) {
        self.count += 1;
        self.stopped = answer.stopped;
        for point in answer.trajectory {
            if self.trajectory.last().is_none_or(|(_, energy)| point.energy < *energy) {
                self.trajectory.push((offset + point.seen.after, point.energy));
            }
        }
        for (number, Replica { spins, energy, best, target }) in answer.replicas.into_iter().enumerate() {
            let (best, target) = (offset + best.after, target.map(|seen| offset + seen.after));
            match self.slots.get_mut(number) {
                None => self.slots.push(Slot { energy, spins, best, target }),
                Some(slot) => {
                    if energy < slot.energy {
                        (slot.energy, slot.spins, slot.best) = (energy, spins, best);
                    }
                    slot.target = slot.target.or(target);
                }
            }
        }
    }
}

fn found(problem: &Problem, slot: &Slot) -> Found {
    let spins = slot.spins.signs();
    let value = number(problem.value(&spins));
    let (best_cut, best_energy) = match problem.meaning() {
        Meaning::Cut { .. } => (Some(value), number(problem.in_units(slot.energy))),
        _ => (None, value),
    };
    Found {
        best_cut,
        best_energy,
        spins,
        time_to_best_s: slot.best.as_secs_f64(),
        time_to_target_s: slot.target.map(|after| after.as_secs_f64()),
    }
}

/// A whole number without a point.
fn number(value: f64) -> serde_json::Number {
    let whole = value.fract() == 0.0 && value.abs() < 9e15;
    if whole { (value as i64).into() } else { serde_json::Number::from_f64(value).unwrap_or_else(|| 0.into()) }
}

fn word(problem: &Problem) -> &'static str {
    if matches!(problem.meaning(), Meaning::Cut { .. }) { "best cut" } else { "least value" }
}

/// For people: whole numbers in groups of three digits.
fn shown(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        format!("{}{}", if value < 0.0 { "-" } else { "" }, group(value.abs() as u64))
    } else {
        format!("{value:.9}").trim_end_matches('0').to_owned()
    }
}

fn print(report: &Report<'_>, problem: &Problem) {
    let kind = match report.format {
        "gset" => "vertices of a graph",
        "qubo" => "bits",
        _ => "spins",
    };
    let counts = |count: usize| group(count as u64);
    say!(
        "{}",
        sentence(
            &format!("{}: {} {kind}, {} coupled pairs.", report.file, counts(report.sites), counts(report.pairs)),
            2
        )
    );
    let begun =
        if report.rounds > 1 { format!(", begun {} times", group(report.rounds.into())) } else { String::new() };
    say!(
        "{}",
        sentence(
            &format!(
                "{} on {}: {} replicas of {} steps, seed {}{begun}; {:.3} s.",
                report.solver,
                report.device,
                counts(report.replicas.len()),
                group(report.steps.into()),
                report.seed,
                report.elapsed_s
            ),
            2
        )
    );
    if report.rounded {
        say!(
            "{}",
            sentence("Numbers were rounded to 31 bits to be solved; values are of the numbers as they stand.", 2)
        );
    }
    say!();
    let best = &report.best;
    say!("{}", row(word(problem), &shown(best.value()), &format!("after {:.6} s", best.time_to_best_s)));
    if best.best_cut.is_some() {
        say!("{}", row("energy", &shown(best.best_energy.as_f64().unwrap_or_default()), "sum of w s s"));
    }
    let values: Vec<f64> = report.replicas.iter().map(Found::value).collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    // Of whole numbers a decimal is enough, of small ones none is too many.
    let mean = if mean.abs() < 10.0 { mean } else { (mean * 10.0).round() / 10.0 };
    let worst = values.iter().copied().fold(best.value(), if best.best_cut.is_some() { f64::min } else { f64::max });
    say!("{}", row("mean", &shown(mean), &format!("of the replicas; the worst has {}", shown(worst))));
    if let Some(target) = report.target {
        let reached = report.replicas.iter().filter(|replica| replica.time_to_target_s.is_some()).count();
        let first = best.time_to_target_s.map_or("not reached".to_owned(), |after| format!("first after {after:.6} s"));
        let note = format!("reached by {} of {} replicas; {first}", counts(reached), counts(report.replicas.len()));
        say!("{}", row("target", &shown(target), &note));
    }
    let ended = match report.stopped {
        "cancelled" => "It was ended before all steps were done.",
        _ => return,
    };
    say!("{ended}");
}
