//! The command line of `firelane ising`.

use clap::{Args, Subcommand, ValueEnum};
use firelane_kernels::ising::file::Format;
use firelane_kernels::ising::job::{Algorithm, MOST_REPLICAS, MOST_STEPS};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Spins of 1 and -1 whose energy is made small: cuts of graphs, functions of bits, and what can be written
as one. All is in integers, so that a seed has one answer on every device; docs/ising.md says how, and
how files are written.

Examples:
  firelane ising solve G22.txt --target 13226
  firelane ising solve mine.qubo --solver pt --json | jq .best_energy
  firelane ising conformance --device cpu/avx2
  firelane ising bench --gset gset")]
pub(crate) enum Ising {
    /// Make a problem's energy small: the largest cut of a graph, the least value of a function of bits
    Solve(IsingSolve),
    /// Say whether a device has the answers of the specification, bit for bit, and keeps to its manners
    Conformance(IsingConformance),
    /// Time what it takes to come within 1 % and 0.1 % of the best known cuts, and small dense problems
    Bench(IsingBench),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SolverArg {
    /// Discrete simulated bifurcation
    Dsb,
    /// Ballistic simulated bifurcation
    Bsb,
    /// Simulated annealing
    Sa,
    /// Parallel tempering
    Pt,
    /// Simulated quantum annealing (on this processor: a simulation)
    Sqa,
}

impl SolverArg {
    /// With everything chosen from the problem.
    pub(crate) fn algorithm(self) -> Algorithm {
        let name = match self {
            SolverArg::Dsb => "dsb",
            SolverArg::Bsb => "bsb",
            SolverArg::Sa => "sa",
            SolverArg::Pt => "pt",
            SolverArg::Sqa => "sqa",
        };
        Algorithm::of(name).unwrap_or(Algorithm::ALL[0])
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    /// A graph to be cut: `vertices edges`, then `i j weight`
    Gset,
    /// A function of bits, to be made small: `i j value`
    Qubo,
    /// A function of spins, to be made small: `i j value`
    Spins,
}

impl FormatArg {
    pub(crate) fn format(self) -> Format {
        match self {
            FormatArg::Gset => Format::Graph,
            FormatArg::Qubo => Format::Qubo,
            FormatArg::Spins => Format::Spins,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
A file is a graph (`800 19176`, then `i j weight`, as rudy writes the G-set), or a function of bits
(`i j value`, as COO or qbsolv's `p qubo`), plain or packed with gzip, xz or zstd. --format says which, if
it isn't seen from the first lines.

--steps is what each replica does; with --seconds all replicas begin again and again with other random
numbers until time is up, and each keeps its best. The same file, solver, steps, replicas and seed have
the same answer everywhere, unless --seconds ends it.

Examples:
  firelane ising solve G22.txt
  firelane ising solve G22.txt --steps 2000 --replicas 512 --target 13346
  firelane ising solve K2000.txt.xz --seconds 5 --until-target --target 33304
  firelane ising solve problem.qubo --solver sa --json | jq .spins
  firelane ising solve G22.txt --target 13226 --svg g22.svg

Ctrl-C ends it with the best that was found until then. Exit codes: 0 it was solved, whether the target
was reached or not; 1 the file can't be read or solved; 2 wrong arguments.")]
pub(crate) struct IsingSolve {
    /// The problem; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// What the file is [default: seen from its first lines]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatArg>,
    /// How
    #[arg(long, value_enum, default_value_t = SolverArg::Dsb)]
    pub(crate) solver: SolverArg,
    /// What solves it: cpu, cpu/scalar, cpu/avx2, cpu/avx512; gpu, gpu/NAME (feature gpu)
    #[arg(long, value_name = "URI", default_value = "cpu")]
    pub(crate) device: String,
    /// Steps (or sweeps) of each replica
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_STEPS)))]
    pub(crate) steps: u32,
    /// Begin again, with other random numbers, until so much time is up
    #[arg(long, value_name = "S", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
    /// Independent runs, side by side
    #[arg(long, value_name = "R", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub(crate) replicas: u32,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// A cut (or, for other files, a value) that is wanted: when is it first seen?
    #[arg(long, value_name = "CUT", allow_negative_numbers = true, value_parser = finite)]
    pub(crate) target: Option<f64>,
    /// Stop once the target is reached
    #[arg(long, requires = "target")]
    pub(crate) until_target: bool,
    /// The time step of bifurcation [default: from a bound of the spectrum]
    #[arg(long, value_name = "DT", value_parser = finite)]
    pub(crate) time_step: Option<f64>,
    /// Draw the best of all over time, the best of each replica, and the target; - is standard output
    #[arg(long, value_name = "OUT.svg")]
    pub(crate) svg: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "svg")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn finite(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if number.is_finite() { Ok(number) } else { Err("it must be finite".to_owned()) }
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = finite(text)?;
    if number > 0.0 && number <= 1e6 { Ok(number) } else { Err("it must be above 0, and 1,000,000 at most".to_owned()) }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  firelane ising conformance
  firelane ising conformance --device cpu/avx2 --random 100
  firelane ising conformance --only dsb --json | jq .conforms

Exit codes: 0 it conforms; 1 it does not, or there is no such device; 2 wrong arguments.")]
pub(crate) struct IsingConformance {
    /// What is judged: cpu, cpu/scalar, cpu/avx2, cpu/avx512; gpu, gpu/NAME (feature gpu)
    #[arg(long, value_name = "URI", default_value = "cpu")]
    pub(crate) device: String,
    /// Random problems, beside those that are always asked
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) random: u32,
    /// The cases whose names begin so
    #[arg(long, value_name = "NAME", default_value = "")]
    pub(crate) only: String,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
TTS99 is the time after which the target has been seen with a probability of 99 %: the CPU time of a
replica (that of a batch over its replicas), times ln(0.01) / ln(1 - p), where p is the share of replicas that
reached it; for p of 0.99 or more, the time of a replica. Targets are 99 % and 99.9 % of the best known cut,
rounded up. `single` is the wall time of one replica alone. All is done on one core.

The G-set is not part of this program: --gset names a folder with G1.txt, G22.txt and so on, plain or packed.
Those that aren't there are left out, by name. Without it, small dense problems alone are timed. --peers runs
dwave-samplers and simulated-bifurcation beside them, with a Python that has both.

Examples:
  firelane ising bench
  firelane ising bench --gset gset --replicas 1024
  firelane ising bench --gset gset --peers venv/bin/python")]
pub(crate) struct IsingBench {
    /// A folder with instances of the G-set, and K2000
    #[arg(long, value_name = "DIR")]
    pub(crate) gset: Option<PathBuf>,
    /// A Python with dwave-samplers and simulated-bifurcation, to be timed beside
    #[arg(long, value_name = "PYTHON", requires = "gset")]
    pub(crate) peers: Option<PathBuf>,
    /// What solves: cpu, cpu/scalar, cpu/avx2, cpu/avx512; gpu, gpu/NAME (feature gpu)
    #[arg(long, value_name = "URI", default_value = "cpu")]
    pub(crate) device: String,
    /// Replicas of each batch
    #[arg(long, value_name = "R", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub(crate) replicas: u32,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
