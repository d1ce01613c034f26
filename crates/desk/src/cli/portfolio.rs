//! The command line of `firelane portfolio`.

use super::SolverArg;
use crate::portfolio::Amount;
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Mean-variance portfolios: minimise lambda times the variance less (1 - lambda) times the return after
costs, under a mandate. Weights are proved best for the names that are held; the names are searched for.
docs/portfolio.md has the model, the keys of a mandate, and figures.

A FILE is one of OR-Library's port1 to port5, or JSON with names, mean and covariance (a list of rows).

Examples:
  firelane portfolio frontier port1.txt --cardinality 10 --min 0.01 --svg p1.svg
  firelane portfolio solve port1.txt --mandate mine.toml --csv weights.csv
  firelane portfolio lots u.json --weights w.csv --prices p.csv --capital 50000
  firelane portfolio bench port1.txt port2.txt port3.txt")]
pub(crate) enum Portfolio {
    /// Find the best portfolio of one lambda after another, and draw both frontiers
    Frontier(PortfolioFrontier),
    /// Find one portfolio under a mandate (TOML)
    Solve(PortfolioSolve),
    /// Round a portfolio to whole lots, and say what cash is left over
    Lots(PortfolioLots),
    /// Write the choice of names at equal weights as a penalty QUBO, for annealers to compare with
    Qubo(PortfolioQubo),
    /// Time the choice of names at equal weights: from a random start to the best
    Bench(PortfolioBench),
}

/// Who proposes where descents begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum StartByArg {
    /// Chance
    Random,
    /// Annealing of swaps, and the best so far with a few names drawn anew, by turns
    Swaps,
    /// An Ising device, from the penalty QUBO of equal weights
    Ising,
}

/// How long is searched.
#[derive(Debug, Args)]
pub(crate) struct Searching {
    /// Descents from proposed starts, for each portfolio
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub(crate) starts: u64,
    /// Who proposes them
    #[arg(long, value_enum, default_value_t = StartByArg::Swaps)]
    pub(crate) start_by: StartByArg,
    /// With --start-by ising: how
    #[arg(long, value_enum, default_value_t = SolverArg::Sa)]
    pub(crate) solver: SolverArg,
    /// With --start-by ising: what solves, as of `firelane ising solve`
    #[arg(long, value_name = "URI", default_value = "cpu")]
    pub(crate) device: String,
    /// Seed of the starts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Stop after so many seconds, with the best by then [default: after all starts]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) seconds: Option<f64>,
}

fn seconds(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|seconds| (0.001..=86_400.0).contains(seconds)).ok_or("must be 0.001 to 86400")
}

fn weight(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|weight| (0.0..=1_000.0).contains(weight)).ok_or("must be 0 to 1000")
}

fn part(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|part| (0.0..=1.0).contains(part)).ok_or("must be 0 (return alone) to 1 (variance alone)")
}

fn positive(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|value: &f64| value.is_finite() && *value > 0.0).ok_or("must be above 0")
}

#[derive(Debug, Args)]
#[command(after_help = "\
A row of the table is the best portfolio that was found for a lambda. `above` is how far its objective is above
that of any number of names of any size. --check compares the unconstrained frontier with the points of a file
(OR-Library's portef1 to portef5: return and variance): the exit code is 1 if a variance is off by more
than 5e-5 of itself. The picture has both frontiers, return over standard deviation.

Examples:
  firelane portfolio frontier port1.txt
  firelane portfolio frontier port1.txt --check portef1.txt
  firelane portfolio frontier port1.txt --cardinality 10 --min 0.01 --svg p1.svg
  firelane portfolio frontier port5.txt --at-most 20 --lambdas 20 --seconds 30
  firelane portfolio frontier port1.txt --cardinality 10 --start-by ising
  firelane portfolio frontier port1.txt --at-most 10 --json | jq .points

Exit codes: 0 as asked; 1 it failed, or --check does not agree; 2 wrong arguments.",
    group(ArgGroup::new("written").args(["csv", "svg"]).multiple(true)))]
pub(crate) struct PortfolioFrontier {
    /// The universe; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Hold exactly so many names
    #[arg(long, value_name = "K", conflicts_with = "at_most")]
    pub(crate) cardinality: Option<usize>,
    /// Hold so many names or fewer
    #[arg(long, value_name = "K")]
    pub(crate) at_most: Option<usize>,
    /// The least weight of a name that is held
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.0, value_parser = weight)]
    pub(crate) min: f64,
    /// The largest weight of a name
    #[arg(long, value_name = "WEIGHT", default_value_t = 1.0, value_parser = weight)]
    pub(crate) max: f64,
    /// So many values of lambda, from 0 to 1
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) lambdas: u32,
    #[command(flatten)]
    pub(crate) searching: Searching,
    /// Compare the unconstrained frontier with these points; - is standard input
    #[arg(long, value_name = "PORTEF")]
    pub(crate) check: Option<PathBuf>,
    /// Write the portfolios, a line each: lambda, return, variance, objective, weights; - is standard output
    #[arg(long, value_name = "OUT.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Draw the frontiers; - is standard output
    #[arg(long, value_name = "OUT.svg")]
    pub(crate) svg: Option<PathBuf>,
    /// Write over files that exist
    #[arg(long, requires = "written")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A mandate is TOML; every key may be left out (docs/portfolio.md):
  lambda = 0.5                  # 0 return alone, 1 variance alone
  exactly = 10                  # or at_most
  net = 1.0                     # or { min = .., max = .. }
  long = { min = 0.01, max = 0.4 }
  short = { max = 0.2 }
  gross = 1.6
  turnover = 0.3
  costs = { buy = 0.001, sell = 0.001 }
  current = { \"1\" = 0.5, \"2\" = 0.5 }
  [[sector]]
  name = \"banks\"
  members = [\"3\", \"4\"]
  max = 0.3

Limits that can't be met together are named.

Examples:
  firelane portfolio solve port1.txt --mandate mine.toml
  firelane portfolio solve port5.txt --mandate m.toml --seconds 60 --svg s.svg
  firelane portfolio solve port1.txt --mandate mine.toml --csv weights.csv

Exit codes: 0 a portfolio; 1 none, or it failed; 2 wrong arguments.",
    group(ArgGroup::new("outputs").args(["csv", "svg"]).multiple(true)))]
pub(crate) struct PortfolioSolve {
    /// The universe; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The mandate (TOML); - is standard input [default: fully invested, long]
    #[arg(long, value_name = "M.toml")]
    pub(crate) mandate: Option<PathBuf>,
    /// In the place of the mandate's lambda: 0 return alone, 1 variance alone
    #[arg(long, value_name = "LAMBDA", value_parser = part)]
    pub(crate) lambda: Option<f64>,
    #[command(flatten)]
    pub(crate) searching: Searching,
    /// Write the weights, a name a line, for `firelane portfolio lots`; - is standard output
    #[arg(long, value_name = "OUT.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Draw the objective over time, as the search went; - is standard output
    #[arg(long, value_name = "OUT.svg")]
    pub(crate) svg: Option<PathBuf>,
    /// Write over files that exist
    #[arg(long, requires = "outputs")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(override_usage = "\
firelane portfolio lots [OPTIONS] --weights <W> --prices <P>
                               --capital <SUM> <FILE>",
    after_help = "\
Lots track the weights with the least variance of the difference, within the mandate; they never cost more than
there is. Both files are CSV with a first line of columns: name,weight (what `solve --csv` writes), and
name,price,lot (lot may be missing: 1). Money has up to four decimals, and is reckoned in whole units of the last.

Examples:
  firelane portfolio lots u.json --weights w.csv --prices p.csv --capital 50000
  firelane portfolio lots - --weights w.csv --prices p.csv --capital 99.5 --json

Exit codes: 0 lots; 1 it failed, or no whole lots keep to the mandate; 2 wrong arguments.",
    group(ArgGroup::new("lists").args(["csv"])))]
pub(crate) struct PortfolioLots {
    /// The universe; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The weights to track (CSV); - is standard input
    #[arg(long, value_name = "W")]
    pub(crate) weights: PathBuf,
    /// Prices and lots (CSV), of every name with a weight; - is standard input
    #[arg(long, value_name = "P")]
    pub(crate) prices: PathBuf,
    /// What there is to invest, in the money of the prices
    #[arg(long, value_name = "SUM")]
    pub(crate) capital: Amount,
    /// The mandate (TOML); - is standard input [default: fully invested, long]
    #[arg(long, value_name = "M.toml")]
    pub(crate) mandate: Option<PathBuf>,
    /// Write the lots (name, lots, shares, weight), a name a line; - is standard output
    #[arg(long, value_name = "OUT.csv")]
    pub(crate) csv: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "lists")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "\
firelane portfolio qubo [OPTIONS] --cardinality <K> --lambda <LAMBDA>
                               --out <OUT> <FILE>",
    after_help = "\
The file is text: lines of # say what it is, then the number of variables, then `i j value` with i <= j, counted from
0; the energy is the sum of value x_i x_j over x in {0, 1}. docs/portfolio.md says why a penalty is not the way to
a portfolio.

Examples:
  firelane portfolio qubo port1.txt --cardinality 10 --lambda 0.9 --out q.txt
  firelane portfolio qubo u.json --cardinality 10 --lambda 0.9 --out - | less

Exit codes: 0 it is written; 1 it failed; 2 wrong arguments."
)]
pub(crate) struct PortfolioQubo {
    /// The universe; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Choose so many names
    #[arg(long, value_name = "K")]
    pub(crate) cardinality: usize,
    /// 0 return alone, 1 variance alone
    #[arg(long, value_name = "LAMBDA", value_parser = part)]
    pub(crate) lambda: f64,
    /// Weight of the penalty [default: one with which the least energy has the right count]
    #[arg(long, value_name = "WEIGHT", value_parser = positive)]
    pub(crate) penalty: Option<f64>,
    /// The file to write; - is standard output
    #[arg(long, value_name = "OUT")]
    pub(crate) out: PathBuf,
    /// Write over a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each run draws a support by lot and goes down by the best exchanges of a held name for another. `best` is the least
objective of all runs, and `p` the part of them that ends there; TTS99 is the time in which it is found with 99 %:
the median run, times ln 0.01 / ln (1 - p), or one run where p is 0.99 or more.

Examples:
  firelane portfolio bench port1.txt port2.txt port3.txt
  firelane portfolio bench port5.txt --cardinality 20 --runs 10000 --json

Exit codes: 0 it is timed; 1 it failed; 2 wrong arguments.")]
pub(crate) struct PortfolioBench {
    /// Universes
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Choose so many names
    #[arg(long, value_name = "K", default_value_t = 10)]
    pub(crate) cardinality: usize,
    /// 0 return alone, 1 variance alone
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.9, value_parser = part)]
    pub(crate) lambda: f64,
    /// Runs of each
    #[arg(long, value_name = "N", default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(10..=10_000_000))]
    pub(crate) runs: u32,
    /// Seed of the supports
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
