//! `firelane ising bench`: what it takes to come close to the best known cuts, and what a small dense problem takes.

use super::{device, read};
use crate::cli::IsingBench;
use crate::layout::sentence;
use crate::{output, progress};
use anyhow::{Context, Result, bail};
use firelane_kernels::ising::device::Device;
use firelane_kernels::ising::job::{Algorithm, Bifurcation, Job};
use firelane_kernels::ising::philox::philox4x32;
use firelane_kernels::ising::problem::{Meaning, Pair, Problem};
use firelane_kernels::ising::spectrum;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is timed beside, as a program of theirs.
const PEERS: &str = include_str!("../../../../kernels/peers/annealers.py");

/// A target that is timed: an instance, the best cut that is known of it, the share of that which is wanted, and how it is found fastest:
/// steps, time step, and the gain, in units of what would be chosen.
struct Target {
    instance: &'static str,
    best: f64,
    share: f64,
    steps: u32,
    time_step: f64,
    gain: f64,
    /// Milliseconds; docs/ising.md.
    goal: Option<f64>,
}

const fn target(instance: &'static str, best: f64, share: f64, set: (u32, f64, f64), goal: Option<f64>) -> Target {
    let (steps, time_step, gain) = set;
    Target { instance, best, share, steps, time_step, gain, goal }
}

/// Best known cuts are those of the literature (docs/ising.md).
const TARGETS: [Target; 7] = [
    target("G1", 11_624.0, 0.99, (150, 0.85, 1.2), Some(0.5)),
    target("G22", 13_359.0, 0.99, (200, 0.9, 1.2), Some(0.5)),
    target("G22", 13_359.0, 0.999, (2_000, 0.95, 1.2), Some(7.5)),
    target("G39", 2_408.0, 0.99, (2_000, 1.25, 0.8), None),
    target("G55", 10_299.0, 0.99, (500, 0.9, 1.0), Some(1.6)),
    target("G70", 9_591.0, 0.99, (2_000, 1.1, 0.8), Some(11.0)),
    target("K2000", 33_337.0, 0.99, (1_000, 1.1, 1.0), Some(10.0)),
];

/// Sites of small dense problems, and their goals in microseconds for 200 steps.
const DENSE: [(u32, f64); 3] = [(32, 4.0), (128, 20.0), (210, 50.0)];

/// `ising bench --json`. The layout is stable: fields are added, never renamed or removed.
#[derive(Debug, Serialize)]
struct Report {
    device: String,
    replicas: u32,
    seed: u64,
    targets: Vec<Timed>,
    /// Instances that are not in the folder.
    missing: Vec<&'static str>,
    dense: Vec<Dense>,
    peers: Vec<Peer>,
}

#[derive(Debug, Serialize)]
struct Timed {
    instance: &'static str,
    target: f64,
    share: f64,
    solver: &'static str,
    steps: u32,
    /// Share of the replicas that reached the target.
    success: f64,
    /// CPU time of a batch over its replicas.
    run_ms: f64,
    /// None if no replica reached it.
    tts99_ms: Option<f64>,
    /// Wall time of one replica alone.
    single_ms: f64,
    goal_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Dense {
    sites: u32,
    steps: u32,
    /// From a start to an energy, the least of several; and for one job of one replica.
    run_us: f64,
    single_us: f64,
    goal_us: f64,
}

/// What the peers' program says of each.
#[derive(Debug, Deserialize, Serialize)]
struct Peer {
    peer: String,
    instance: String,
    share: f64,
    setting: String,
    reads: u32,
    success: f64,
    run_ms: f64,
    tts99_ms: Option<f64>,
}

pub(super) fn run(options: &IsingBench) -> Result<ExitCode> {
    let mut device = device::open(&options.device)?;
    let bar = progress::line();
    let (mut targets, mut missing, mut peers) = (Vec::new(), Vec::new(), Vec::new());
    let mut dense = Vec::new();
    for (sites, goal) in DENSE {
        bar.set_message(format!("a dense problem of {sites} sites"));
        dense.push(small(device.as_mut(), sites, goal)?);
    }
    if let Some(folder) = &options.gset {
        if !folder.is_dir() {
            bail!("{}: is no folder; name one with G1.txt, G22.txt and so on", folder.display());
        }
        for target in &TARGETS {
            bar.set_message(format!("{} to {:.1} %", target.instance, target.share * 100.0));
            bar.tick();
            let Some(file) = instance(folder, target.instance) else {
                if missing.last() != Some(&target.instance) {
                    missing.push(target.instance);
                }
                continue;
            };
            targets.push(reach(device.as_mut(), &file, target, options)?);
            if let Some(python) = &options.peers {
                bar.set_message(format!("{} to {:.1} %, by peers", target.instance, target.share * 100.0));
                bar.tick();
                peers.extend(ask_peers(python, &file, target)?);
            }
        }
        if targets.is_empty() {
            bail!("{}: has none of {}; docs/ising.md says where they are", folder.display(), missing.join(", "));
        }
    }
    bar.finish_and_clear();
    let name = device.capabilities().name;
    let report =
        Report { device: name, replicas: options.replicas, seed: options.seed, targets, missing, dense, peers };
    if options.json {
        output::json(&report)?;
    } else {
        print(&report);
    }
    Ok(ExitCode::SUCCESS)
}

/// The file of an instance, plain or packed.
fn instance(folder: &Path, name: &str) -> Option<PathBuf> {
    let endings = ["txt", "txt.xz", "txt.gz", "txt.zst", "rud", "mc"];
    let names = endings.iter().map(|ending| folder.join(format!("{name}.{ending}"))).chain([folder.join(name)]);
    names.into_iter().find(|path| path.is_file())
}

/// Of this thread.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
}

/// The definition: how long until a target was seen with a probability of 99 %.
fn tts99(run: f64, success: f64) -> Option<f64> {
    if success >= 0.99 { Some(run) } else { (success > 0.0).then(|| run * 0.01_f64.ln() / (1.0 - success).ln()) }
}

fn reach(device: &mut dyn Device, file: &Path, target: &Target, options: &IsingBench) -> Result<Timed> {
    let problem = Arc::new(read(file, None)?.problem);
    if !matches!(problem.meaning(), Meaning::Cut { .. }) {
        bail!("{}: is no graph", file.display());
    }
    device.load(&problem)?;
    let gain = Some(spectrum::gain(&problem) * target.gain);
    let algorithm = Algorithm::Discrete(Bifurcation { time_step: Some(target.time_step), gain });
    let wanted = (target.share * target.best).ceil();
    let job = Job {
        target: Some(problem.energy_of(wanted)),
        ..Job::new(algorithm, target.steps, options.replicas, options.seed)
    };
    let begun = cpu_time();
    let answer = device.solve(&job)?;
    let run = (cpu_time() - begun).as_secs_f64() * 1e3 / f64::from(options.replicas);
    let reached = answer.replicas.iter().filter(|replica| replica.target.is_some()).count();
    let success = reached as f64 / answer.replicas.len() as f64;
    // Once to make ready for one replica.
    let single = Job { replicas: 1, ..job };
    device.solve(&single)?;
    let single = device.solve(&single)?.elapsed.as_secs_f64() * 1e3;
    Ok(Timed {
        instance: target.instance,
        target: wanted,
        share: target.share,
        solver: algorithm.name(),
        steps: target.steps,
        success,
        run_ms: run,
        tts99_ms: tts99(run, success),
        single_ms: single,
        goal_ms: target.goal,
    })
}

/// Couplings of 8 bits between all.
fn small(device: &mut dyn Device, sites: u32, goal_us: f64) -> Result<Dense> {
    const STEPS: u32 = 200;
    const REPLICAS: u32 = 500;
    let coupling = |i, j| (philox4x32([i, j, 0, 0], [sites, 0])[0] % 255) as i32 - 127;
    let pairs = (0..sites).flat_map(|i| (0..i).map(move |j| Pair { i, j, coupling: coupling(i, j) }));
    let problem = Arc::new(Problem::new(sites as usize, &pairs.collect::<Vec<_>>(), &[], Meaning::Ising)?);
    device.load(&problem)?;
    let algorithm = Algorithm::Discrete(Bifurcation { time_step: Some(0.9), gain: None });
    let job = Job { look_every: STEPS, ..Job::new(algorithm, STEPS, REPLICAS, 1) };
    let mut least = [f64::INFINITY; 2];
    for (replicas, least) in [REPLICAS, 1].into_iter().zip(&mut least) {
        for seed in 0..20 {
            let begun = Instant::now();
            device.solve(&Job { replicas, seed, ..job })?;
            *least = least.min(begun.elapsed().as_secs_f64() * 1e6 / f64::from(replicas));
        }
    }
    Ok(Dense { sites, steps: STEPS, run_us: least[0], single_us: least[1], goal_us })
}

fn ask_peers(python: &Path, file: &Path, target: &Target) -> Result<Vec<Peer>> {
    let wanted = (target.share * target.best).ceil();
    let unpacked = tempfile_of(file)?;
    let output = Command::new(python)
        .args(["-c", PEERS])
        .arg(&unpacked.0)
        .args([target.instance, &target.share.to_string(), &wanted.to_string()])
        .output()
        .with_context(|| format!("{} can't be run", python.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or("it says nothing");
        bail!("{}: {last}; it needs dwave-samplers and simulated-bifurcation (pip install)", python.display());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).context("the peers' program says something else")).collect()
}

/// A file that is gone when it is no more needed.
struct Passing(PathBuf);

impl Drop for Passing {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.0);
    }
}

/// The plain text of a file that may be packed.
fn tempfile_of(file: &Path) -> Result<Passing> {
    let packed = std::io::BufReader::new(std::fs::File::open(file)?);
    let mut plain = firelane_sim::capture::decompress(packed)?;
    let path = std::env::temp_dir().join(format!("firelane-{}.txt", std::process::id()));
    let mut to = std::fs::File::options()
        .write(true)
        .create_new(true)
        .open(&path)
        .with_context(|| path.display().to_string())?;
    let passing = Passing(path);
    std::io::copy(&mut plain, &mut to)?;
    Ok(passing)
}

fn print(report: &Report) {
    if !report.targets.is_empty() {
        say!("{}: batches of {} replicas, seed {}.", report.device, report.replicas, report.seed);
        say!();
        say!(
            "  {:<9}{:>7}{:>7}{:>8}{:>9}{:>11}{:>11}{:>9}",
            "to",
            "cut",
            "steps",
            "success",
            "run ms",
            "TTS99 ms",
            "single ms",
            "goal"
        );
        for row in &report.targets {
            say!(
                "  {:<9}{:>7}{:>7}{:>8.3}{:>9.3}{:>11}{:>11.2}{:>9}",
                format!("{} {:.1}%", row.instance, row.share * 100.0).replace(".0%", "%"),
                row.target,
                row.steps,
                row.success,
                row.run_ms,
                row.tts99_ms.map_or("never".to_owned(), |tts| format!("{tts:.3}")),
                row.single_ms,
                row.goal_ms.map_or("-".to_owned(), |goal| format!("{goal}"))
            );
        }
        for peer in &report.peers {
            say!(
                "  {:<9}{:>7}{:>7}{:>8.3}{:>9.3}{:>11}  {}",
                format!("{} {:.1}%", peer.instance, peer.share * 100.0).replace(".0%", "%"),
                "",
                "",
                peer.success,
                peer.run_ms,
                peer.tts99_ms.map_or("never".to_owned(), |tts| format!("{tts:.1}")),
                peer.peer
            );
        }
        say!();
    }
    say!("{}", sentence(&format!("Dense, 8 bits, 200 steps on {}, microseconds:", report.device), 2));
    say!();
    say!("  {:<9}{:>11}{:>11}{:>9}", "sites", "run us", "single us", "goal");
    for row in &report.dense {
        say!("  {:<9}{:>11.1}{:>11.1}{:>9}", row.sites, row.run_us, row.single_us, row.goal_us);
    }
    if !report.missing.is_empty() {
        say!();
        say!("{}", sentence(&format!("Not in the folder, and left out: {}.", report.missing.join(", ")), 2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_to_a_target_is_as_it_is_defined() {
        assert_eq!(tts99(2.0, 1.0), Some(2.0));
        assert_eq!(tts99(2.0, 0.99), Some(2.0));
        assert_eq!(tts99(2.0, 0.0), None);
        let half = tts99(2.0, 0.5).unwrap();
        assert!((half - 2.0 * 6.643_856).abs() < 1e-5, "{half}");
    }
}
