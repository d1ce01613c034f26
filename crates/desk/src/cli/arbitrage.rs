//! The command line of `firelane arbitrage`.

use super::SolverArg;
use crate::portfolio::Amount;
use clap::{Args, Subcommand};
use firelane_kernels::ising::job::{MOST_REPLICAS, MOST_STEPS};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Where enumeration is exact and fast, it is what answers; annealers answer what has limits. docs/arbitrage.md
has the models, the files, and figures.

Quotes are CSV: venue,base,quote,bid,bid_size,ask,ask_size,lot,fee_bp. Stocks are one of OR-Library's port1 to
port5, or JSON with names, mean and covariance.

Examples:
  firelane arbitrage cycle quotes.csv
  firelane arbitrage trades quotes.csv --home USD --short 5000 --legs 4
  firelane arbitrage pairs port1.txt --names 15
  firelane arbitrage long-short port5.txt --names 128 --lambda 0.5
  firelane arbitrage bench")]
pub(crate) enum Arbitrage {
    /// Find the best cycle through currencies: exactly
    Cycle(ArbitrageCycle),
    /// Find the best set of trades under size limits, fees and a number of legs
    Trades(ArbitrageTrades),
    /// Rank pairs of stocks by the best path between them: exactly, and by an annealer
    Pairs(ArbitragePairs),
    /// Select as many stocks to buy as to sell
    #[command(name = "long-short")]
    LongShort(ArbitrageLongShort),
    /// Time enumeration against annealing, on made-up quotes
    Bench(ArbitrageBench),
}

/// What anneals.
#[derive(Debug, Args)]
pub(crate) struct Annealing {
    /// How
    #[arg(long, value_enum, default_value_t = SolverArg::Sa)]
    pub(crate) solver: SolverArg,
    /// What solves it: cpu, cpu/scalar, cpu/avx2, cpu/avx512; gpu, gpu/NAME (feature gpu)
    #[arg(long, value_name = "URI", default_value = "cpu")]
    pub(crate) device: String,
    /// Steps (or sweeps) of each replica
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_STEPS)))]
    pub(crate) steps: u32,
    /// Independent runs, side by side
    #[arg(long, value_name = "R", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_REPLICAS)))]
    pub(crate) replicas: u32,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The gain is reckoned from the quotes in whole numbers, after fees. A cycle may gain nothing: then it is the
one that loses least, and says so.

Examples:
  firelane arbitrage cycle quotes.csv
  firelane arbitrage cycle quotes.csv --legs 3 --json

Exit codes: 0 as asked, whether it gains or not; 1 the quotes can't be read or searched; 2 wrong arguments.")]
pub(crate) struct ArbitrageCycle {
    /// The quotes; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Legs of a cycle, at most [default: as many as there are currencies, or can be searched]
    #[arg(long, value_name = "N")]
    pub(crate) legs: Option<usize>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Whole lots at the quoted sizes; after fees no currency ends further below zero than --short allows. Worth is
counted in the home currency at mid prices. The annealer's set is mended until it keeps to all limits; then
branch and bound says how far it can be from the best, or finds the best.

Examples:
  firelane arbitrage trades quotes.csv --home USD
  firelane arbitrage trades quotes.csv --home USD --short 5000 --legs 4
  firelane arbitrage trades quotes.csv --home USD --nodes 0 --device cpu

Exit codes: 0 as asked; 1 the quotes can't be read or searched; 2 wrong arguments.")]
pub(crate) struct ArbitrageTrades {
    /// The quotes; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The currency that worth is counted in
    #[arg(long, value_name = "CURRENCY")]
    pub(crate) home: String,
    /// What each currency may be short of at the end, in the home currency [default: nothing]
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) short: Option<Amount>,
    /// Legs, at most
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=512))]
    pub(crate) legs: u32,
    /// Relaxations that branch and bound solves, at most; 0 leaves it out
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub(crate) nodes: u64,
    #[command(flatten)]
    pub(crate) annealing: Annealing,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Stocks and their prices.
#[derive(Debug, Args)]
pub(crate) struct Stocks {
    /// How stocks move: OR-Library's, or JSON; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Prices, CSV: name,bid,ask,reference, in the order of FILE [default: made up from --day]
    #[arg(long, value_name = "PRICES.csv", conflicts_with_all = ["names", "day", "spread_bp"])]
    pub(crate) prices: Option<PathBuf>,
    /// The first so many stocks [default: all]
    #[arg(long, value_name = "N")]
    pub(crate) names: Option<usize>,
    /// Seed of made-up prices: a day's returns, drawn with FILE's covariance
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) day: u64,
    /// From bid to ask of made-up prices, in basis points
    #[arg(long, value_name = "BP", default_value_t = 4.0, value_parser = basis_points)]
    pub(crate) spread_bp: f64,
}

fn basis_points(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|value| (0.0..=1_000.0).contains(value)).ok_or("must be 0 to 1000")
}

fn lambda(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|value| (0.0..=100.0).contains(value)).ok_or("must be 0 to 100")
}

#[derive(Debug, Args)]
#[command(after_help = "\
The first stock of a path is sold, the last bought; what is between is why. The ranking is exact. For up to
32 stocks the annealer searches the same graph, a spin for each directed pair, and says whether it agrees.

Examples:
  firelane arbitrage pairs port1.txt --names 15
  firelane arbitrage pairs port1.txt --prices prices.csv --top 3 --json

Exit codes: 0 as asked; 1 the stocks can't be read; 2 wrong arguments.")]
pub(crate) struct ArbitragePairs {
    #[command(flatten)]
    pub(crate) stocks: Stocks,
    /// Pairs that are printed, at most
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) top: u32,
    #[command(flatten)]
    pub(crate) annealing: Annealing,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
What is below its reference is bought, what is above it sold, as many of either; --lambda weighs correlations
against deviations. Up to 26 stocks all selections are tried. Of more, descents begin at what the annealer
ends with, and that the best of them is the best there is, is no proof.

Examples:
  firelane arbitrage long-short port1.txt --names 24
  firelane arbitrage long-short port5.txt --names 128 --lambda 0.5 --json

Exit codes: 0 as asked; 1 the stocks can't be read; 2 wrong arguments.")]
pub(crate) struct ArbitrageLongShort {
    #[command(flatten)]
    pub(crate) stocks: Stocks,
    /// The weight of correlations
    #[arg(long, value_name = "WEIGHT", default_value_t = 0.5, value_parser = lambda)]
    pub(crate) lambda: f64,
    #[command(flatten)]
    pub(crate) annealing: Annealing,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Of each number of currencies: the best cycle by enumeration and by the annealer, how long each takes, and
what share of the annealer's replicas found the best.

Examples:
  firelane arbitrage bench
  firelane arbitrage bench --solver dsb --steps 1000 --json")]
pub(crate) struct ArbitrageBench {
    #[command(flatten)]
    pub(crate) annealing: Annealing,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
