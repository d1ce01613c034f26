//! The suite that every Ising device passes, unchanged: the twin's vector paths, a GPU, a circuit, a machine elsewhere.
//!
//! It asks four things of a device: the same answers as the specification, bit for bit, over problems and jobs of every sort; the lowest energy of
//! small problems; what looks, targets and deadlines mean; and what it does when it is asked wrongly. What a device says that it can't
//! do ([`Capabilities`](super::device::Capabilities)) is left out, and counted.

mod problems;

use super::device::{Device, Fault, Polled};
use super::exhaustive;
use super::job::{Algorithm, Answer, Bifurcation, Cooling, Job, Stopped};
use super::plan::Misplanned;
use super::problem::{Meaning, Problem};
use super::twin::{Path, Software};
use crate::suite::Failure;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use crate::suite::{Case, Report, Verdict};

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge { .. } | Fault::Job(Misplanned::Algorithm(_)) => Failure::Unable(fault.to_string()),
            other => Failure::Wrong(other.to_string()),
        }
    }
}

fn wrong(text: impl Into<String>) -> Failure {
    Failure::Wrong(text.into())
}

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Wrong(otherwise())) }
}

/// How much of the suite is to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent<'a> {
    /// Random problems, beside those that are always asked.
    pub random: u32,
    /// The cases whose names begin so; the empty name is all of them.
    pub only: &'a str,
}

type Outcome = Result<(), Failure>;
type Ask = fn(&mut dyn Device) -> Outcome;
type AskOf = fn(&mut dyn Device, Algorithm) -> Outcome;

/// What is asked of each algorithm, beside its answers.
const OF_EACH: [(&str, AskOf); 3] = [
    ("settings at their edges", edges),
    ("a job in two halves is the job", halves),
    ("the lowest energy of small problems", truth),
];

/// What is asked once.
const MANNERS: [(&str, Ask); 10] = [
    ("another seed is another answer", seeds),
    ("looks see what they say", looks),
    ("a target is seen when it is reached", target),
    ("a job is done once its target is reached", until_target),
    ("a deadline ends a job with what was found", deadline),
    ("a job that is cancelled is answered", cancel),
    ("one job at a time", one_at_a_time),
    ("what is no job is refused, and changes nothing", no_job),
    ("a problem that is too large is refused, and changes nothing", too_large),
    ("a problem takes the place of the one before", replaced),
];

/// Runs the suite against `device`.
pub fn run(device: &mut dyn Device, extent: &Extent<'_>) -> Report {
    let mut report = Report { device: device.capabilities().name, ..Report::default() };
    let wanted = |name: &str| name.starts_with(extent.only);
    let nothing = "nothing is loaded, and nothing can be done";
    if wanted(nothing) {
        report.case(nothing, before_anything(device));
    }
    for algorithm in Algorithm::ALL {
        let of = |what: &str| format!("{}: {what}", algorithm.name());
        for (name, problem) in problems::all(extent.random) {
            if wanted(&of(&name)) {
                let outcome = same_answers(device, &problem, algorithm, &mut report.updates);
                report.case(of(&name), outcome);
            }
        }
        for (name, case) in OF_EACH {
            if wanted(&of(name)) {
                report.case(of(name), case(device, algorithm));
            }
        }
    }
    for (name, case) in MANNERS {
        if wanted(name) {
            report.case(name, case(device));
        }
    }
    report
}

/// Does a job by submitting it, and waits.
fn fetch(device: &mut dyn Device, job: &Job) -> Result<Answer, Failure> {
    device.submit(job)?;
    wait(device)
}

fn wait(device: &mut dyn Device) -> Result<Answer, Failure> {
    let begun = Instant::now();
    let mut share = 0.0;
    loop {
        match device.poll()? {
            Polled::Answered(answer) => return Ok(*answer),
            Polled::Running(progress) => {
                must((0.0..=1.0).contains(&progress.done) && progress.done >= share, || {
                    format!("its progress went from {share} to {}", progress.done)
                })?;
                share = progress.done;
            }
        }
        must(begun.elapsed() < Duration::from_secs(300), || "no answer in five minutes".into())?;
        std::thread::sleep(Duration::from_micros(50));
    }
}

/// Energies of replicas are those of their spins, and the trajectory ends with the best of them.
fn sound(problem: &Problem, answer: &Answer) -> Result<(), Failure> {
    for (number, replica) in answer.replicas.iter().enumerate() {
        must(replica.spins.len() == problem.sites(), || format!("replica {number} has {} spins", replica.spins.len()))?;
        let energy = problem.energy(&replica.spins.signs());
        must(energy == replica.energy, || {
            format!("replica {number} says {}, and its spins have {energy}", replica.energy)
        })?;
    }
    let best = answer.best().map(|best| best.energy);
    let last = answer.trajectory.last().map(|point| point.energy);
    must(best == last, || format!("the trajectory ends with {last:?}, and the best is {best:?}"))?;
    let falls = answer
        .trajectory
        .windows(2)
        .all(|pair| pair[1].energy < pair[0].energy && pair[1].seen.after >= pair[0].seen.after);
    must(falls, || "the trajectory does not go down".into())
}

fn alike(got: &Answer, wanted: &Answer) -> Result<(), Failure> {
    must(got.stopped == wanted.stopped, || format!("it ended as {:?}, not {:?}", got.stopped, wanted.stopped))?;
    must(got.replicas.len() == wanted.replicas.len(), || {
        format!("{} replicas, not {}", got.replicas.len(), wanted.replicas.len())
    })?;
    for (number, (got, wanted)) in got.replicas.iter().zip(&wanted.replicas).enumerate() {
        must(got.energy == wanted.energy, || format!("replica {number}: {}, not {}", got.energy, wanted.energy))?;
        must(got.spins == wanted.spins, || format!("replica {number} has other spins of the same energy"))?;
        must(got.best.step == wanted.best.step, || {
            format!("replica {number}: best at step {}, not {}", got.best.step, wanted.best.step)
        })?;
        let steps = [got, wanted].map(|replica| replica.target.map(|seen| seen.step));
        must(steps[0] == steps[1], || format!("replica {number}: target at step {:?}, not {:?}", steps[0], steps[1]))?;
    }
    Ok(())
}

fn specified(problem: &Arc<Problem>, job: &Job) -> Result<Answer, Failure> {
    let mut twin = Software::on(Path::Scalar).ok_or_else(|| wrong("there is no specification"))?;
    twin.load(problem)?;
    Ok(twin.solve(job)?)
}

fn compared(device: &mut dyn Device, problem: &Arc<Problem>, job: &Job) -> Result<Answer, Failure> {
    device.load(problem)?;
    let answer = fetch(device, job)?;
    sound(problem, &answer)?;
    alike(&answer, &specified(problem, job)?)?;
    Ok(answer)
}

fn before_anything(device: &mut dyn Device) -> Result<(), Failure> {
    let job = Job::new(Algorithm::ALL[0], 1, 1, 0);
    must(device.poll() == Err(Fault::Nothing), || "there is nothing to fetch".into())?;
    must(device.cancel() == Err(Fault::Nothing), || "there is nothing to cancel".into())?;
    // Somebody may have used the device before.
    match device.submit(&job) {
        Err(Fault::Empty) => Ok(()),
        Ok(()) => wait(device).map(|_| ()),
        Err(other) => Err(other.into()),
    }
}

fn same_answers(
    device: &mut dyn Device,
    problem: &Arc<Problem>,
    algorithm: Algorithm,
    updates: &mut u64,
) -> Result<(), Failure> {
    // One, a few, and more than vectors are wide; and the last numbers that replicas can have.
    let jobs = [(1, 0, 40, 1), (5, 3, 25, u64::MAX), (131, 0, 7, 3), (33, u32::MAX - 33, 9, 4)];
    // Where many replicas are what a kernel is for; and little else, for they are long.
    let larger = [(2, 0, 5, 1), (300, 0, 2, 5)];
    let jobs = if problem.sites() == problems::LARGER as usize { larger.to_vec() } else { jobs.to_vec() };
    // A replica of these is a good many.
    let parts = matches!(algorithm, Algorithm::Tempering(_) | Algorithm::Quantum(_));
    for (replicas, first, steps, seed) in jobs.into_iter().filter(|(replicas, ..)| !parts || *replicas < 33) {
        let mut job = Job { first, look_every: 3, ..Job::new(algorithm, steps, replicas, seed) };
        job.target = Some(-problem.strongest());
        compared(device, problem, &job)?;
        *updates += problem.sites() as u64 * u64::from(replicas) * u64::from(steps);
    }
    Ok(())
}

/// Algorithms with settings that are as far as they go.
fn edges(device: &mut dyn Device, algorithm: Algorithm) -> Result<(), Failure> {
    let set = |low: f64, high: f64| match algorithm {
        Algorithm::Ballistic(_) => vec![
            Algorithm::Ballistic(Bifurcation { time_step: Some(1.4), gain: Some(high) }),
            Algorithm::Ballistic(Bifurcation { time_step: Some(0.01), gain: Some(low) }),
        ],
        Algorithm::Discrete(_) => vec![
            Algorithm::Discrete(Bifurcation { time_step: Some(1.4), gain: Some(high) }),
            Algorithm::Discrete(Bifurcation { time_step: Some(0.01), gain: Some(low) }),
        ],
        Algorithm::Annealing(_) => vec![
            Algorithm::Annealing(Cooling { hot: Some(high), cold: Some(high) }),
            Algorithm::Annealing(Cooling { hot: Some(low), cold: Some(low) }),
            Algorithm::Annealing(Cooling { hot: Some(high), cold: Some(low) }),
        ],
        other => vec![other],
    };
    for (_, problem) in problems::all(0).into_iter().take(4) {
        for algorithm in set(1e-6, 1e6).into_iter().chain(set(0.3, 3.0)) {
            for replicas in [1, 66] {
                compared(device, &problem, &Job::new(algorithm, 6, replicas, 11))?;
            }
        }
        let shortest = Job { look_every: 5, ..Job::new(algorithm, 1, 3, 12) };
        compared(device, &problem, &shortest)?;
    }
    Ok(())
}

fn halves(device: &mut dyn Device, algorithm: Algorithm) -> Result<(), Failure> {
    let (_, problem) = problems::all(0).swap_remove(0);
    device.load(&problem)?;
    let whole = fetch(device, &Job::new(algorithm, 20, 80, 5))?;
    let mut parts = Vec::new();
    for (first, replicas) in [(0, 31), (31, 49)] {
        parts.extend(fetch(device, &Job { first, ..Job::new(algorithm, 20, replicas, 5) })?.replicas);
    }
    let spins = |of: &[super::job::Replica]| of.iter().map(|replica| replica.spins.clone()).collect::<Vec<_>>();
    must(spins(&whole.replicas) == spins(&parts), || "replicas 0 to 79 differ from 0 to 30 and 31 to 79".into())
}

fn truth(device: &mut dyn Device, algorithm: Algorithm) -> Result<(), Failure> {
    for (name, problem) in problems::small() {
        let lowest = exhaustive::search(&problem).ok_or_else(|| wrong("a small problem is too large to search"))?;
        device.load(&problem)?;
        let answer = fetch(device, &Job::new(algorithm, 100, 48, 9))?;
        sound(&problem, &answer)?;
        let best = answer.best().map(|best| best.energy);
        must(best == Some(lowest.energy), || format!("{name}: found {best:?}, and {} can be had", lowest.energy))?;
    }
    Ok(())
}

/// An algorithm that the device has.
fn any(device: &dyn Device) -> Result<Algorithm, Failure> {
    let has = device.capabilities();
    let algorithm = Algorithm::ALL.into_iter().find(|algorithm| has.has(algorithm));
    algorithm.ok_or_else(|| wrong("it has no algorithm at all"))
}

/// A problem of some size, loaded, and a job for it.
fn loaded(device: &mut dyn Device) -> Result<(Arc<Problem>, Job), Failure> {
    let job = Job::new(any(device)?, 64, 8, 21);
    let (_, problem) = problems::all(0).swap_remove(0);
    device.load(&problem)?;
    Ok((problem, job))
}

fn seeds(device: &mut dyn Device) -> Result<(), Failure> {
    let (_, job) = loaded(device)?;
    let early = Job { steps: 1, look_every: 1, ..job };
    let one = fetch(device, &early)?;
    let other = fetch(device, &Job { seed: early.seed + 1, ..early })?;
    let upper = fetch(device, &Job { seed: early.seed | 1 << 63, ..early })?;
    let spins = |answer: &Answer| answer.replicas.iter().map(|replica| replica.spins.clone()).collect::<Vec<_>>();
    must(spins(&one) != spins(&other) && spins(&one) != spins(&upper), || "two seeds have the same replicas".into())?;
    let mut own = spins(&one);
    own.dedup();
    must(own.len() > 1, || "its replicas are all the same".into())
}

fn looks(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let often = compared(device, &problem, &Job { look_every: 1, ..job })?;
    let once = compared(device, &problem, &Job { look_every: job.steps, ..job })?;
    for (often, once) in often.replicas.iter().zip(&once.replicas) {
        must(once.best.step == job.steps, || {
            format!("seen at step {}, and looked at after {}", once.best.step, job.steps)
        })?;
        must(often.energy <= once.energy, || "more looks saw less".into())?;
    }
    Ok(())
}

fn target(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let best = compared(device, &problem, &job)?.best().map_or(0, |best| best.energy);
    for target in [best, best - 1, i64::MAX] {
        let answer = compared(device, &problem, &Job { target: Some(target), ..job })?;
        for replica in &answer.replicas {
            let holds = replica.target.is_some() == (replica.energy <= target);
            must(holds, || format!("an energy of {} and a target of {target}: {:?}", replica.energy, replica.target))?;
        }
    }
    Ok(())
}

fn until_target(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let easy = Job { target: Some(i64::MAX), until_target: true, steps: 100_000, look_every: 1, ..job };
    let answer = fetch(device, &easy)?;
    sound(&problem, &answer)?;
    must(answer.stopped == Stopped::Target, || format!("it ended as {:?}", answer.stopped))?;
    must(answer.best().is_some(), || "it has no replica".into())
}

fn deadline(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let long = Job { steps: super::job::MOST_STEPS, look_every: 100, deadline: Some(Duration::from_millis(20)), ..job };
    let answer = fetch(device, &long)?;
    sound(&problem, &answer)?;
    must(answer.stopped == Stopped::Deadline, || format!("it ended as {:?}", answer.stopped))?;
    must(answer.elapsed < Duration::from_secs(20), || format!("it took {:?}", answer.elapsed))?;
    let enough = fetch(device, &Job { deadline: Some(Duration::from_secs(600)), ..job })?;
    must(enough.stopped == Stopped::Done, || format!("with time enough it ended as {:?}", enough.stopped))
}

fn cancel(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    device.submit(&Job { steps: super::job::MOST_STEPS, look_every: 50, ..job })?;
    std::thread::sleep(Duration::from_millis(5));
    device.cancel()?;
    let answer = wait(device)?;
    sound(&problem, &answer)?;
    must(answer.stopped == Stopped::Cancelled, || format!("it ended as {:?}", answer.stopped))?;
    compared(device, &problem, &job).map(|_| ())
}

fn one_at_a_time(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    device.submit(&Job { steps: super::job::MOST_STEPS, look_every: 50, ..job })?;
    let (again, load) = (device.submit(&job), device.load(&problem));
    device.cancel()?;
    let answer = wait(device)?;
    must(again == Err(Fault::Busy), || format!("a second job: {again:?}"))?;
    must(load == Err(Fault::Busy), || format!("a problem while a job is done: {load:?}"))?;
    must(answer.stopped == Stopped::Cancelled, || "the first job was not the one that was done".into())?;
    must(device.poll() == Err(Fault::Nothing), || "an answer can be fetched twice".into())
}

fn no_job(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let discrete = |time_step| Algorithm::Discrete(Bifurcation { time_step: Some(time_step), gain: None });
    let bad = [
        Job { steps: 0, ..job },
        Job { replicas: 0, ..job },
        Job { look_every: 0, ..job },
        Job { first: u32::MAX, ..job },
        Job { algorithm: discrete(f64::NAN), ..job },
        Job { algorithm: discrete(1.5), ..job },
        Job { algorithm: Algorithm::Annealing(Cooling { hot: Some(-1.0), cold: None }), ..job },
        Job { algorithm: Algorithm::Annealing(Cooling { hot: Some(1.0), cold: Some(2.0) }), ..job },
    ];
    for bad in bad {
        let refused = device.submit(&bad);
        must(matches!(refused, Err(Fault::Job(_))), || format!("{bad:?}: {refused:?}"))?;
        must(device.poll() == Err(Fault::Nothing), || "a job that was refused is under way".into())?;
    }
    let has = device.capabilities();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| !has.has(algorithm)) {
        let refused = device.submit(&Job { algorithm, ..job });
        let said = refused == Err(Fault::Job(Misplanned::Algorithm(algorithm.name())));
        must(said, || format!("{}: {refused:?}", algorithm.name()))?;
    }
    compared(device, &problem, &job).map(|_| ())
}

fn too_large(device: &mut dyn Device) -> Result<(), Failure> {
    let (problem, job) = loaded(device)?;
    let most = device.capabilities().sites;
    let Ok(large) = Problem::new(most + 1, &[], &[], Meaning::Ising) else {
        return Err(Failure::Unable("it holds every problem that there can be".into()));
    };
    let refused = device.load(&Arc::new(large));
    must(matches!(refused, Err(Fault::TooLarge { .. })), || format!("a site too many: {refused:?}"))?;
    let answer = fetch(device, &job)?;
    alike(&answer, &specified(&problem, &job)?)
}

fn replaced(device: &mut dyn Device) -> Result<(), Failure> {
    let (_, job) = loaded(device)?;
    for (_, problem) in problems::all(0).into_iter().filter(|(_, problem)| problem.sites() < 200) {
        compared(device, &problem, &job)?;
        // The same again, and with other random numbers: what a device keeps from job to job may not show.
        for again in [job, Job { seed: job.seed + 1, first: 7, ..job }] {
            let answer = fetch(device, &again)?;
            alike(&answer, &specified(&problem, &again)?)?;
        }
    }
    Ok(())
}
