//! The command line of `firelane var`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SamplingArg {
    /// Philox4x32-10: every scenario by itself
    Pseudo,
    /// Sixteen scrambled Sobol sequences: narrower intervals for smooth books; the number of scenarios is a power of two
    Sobol,
}

#[derive(Debug, Args)]
#[command(after_help = "\
FILE (TOML) has assets with spot, volatility (a year), dividend and drift, their correlation, and what is
held of them: stocks, and European options, each of which is valued anew in every scenario (Black and
Scholes). Losses are positive; days are trading days, 252 a year. docs/var.md has all keys and measures.

Beside the figures stand intervals of 95 %, and what the delta-normal formula says. On a GPU scenarios are
reckoned in f32, each within a bound of the CPU's f64; a few of them are compared, and it is said.

Examples:
  firelane var examples/risk/book.toml
  firelane var examples/risk/book.toml --confidence 0.975 --horizon 1
  firelane var examples/risk/book.toml --horizon 20 --steps 20
  firelane var examples/risk/book.toml --sampling sobol --scenarios 131072
  firelane var examples/risk/book.toml --device gpu --json

Exit codes: 0 it was estimated; 1 it can't be, or there is no such device; 2 wrong arguments.")]
pub(crate) struct Var {
    /// The book (TOML); - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Loss that is not exceeded with this probability
    #[arg(long, value_name = "PART", default_value_t = 0.99, value_parser = confidence)]
    pub(crate) confidence: f64,
    /// When the loss is taken: trading days from now
    #[arg(long, value_name = "DAYS", default_value_t = 10.0)]
    pub(crate) horizon: f64,
    /// Equal steps to the horizon, after each of which the book is valued
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) steps: u32,
    /// How many scenarios [default: 1000000, of Sobol sequences 131072]
    #[arg(long, value_name = "N")]
    pub(crate) scenarios: Option<u32>,
    /// Where random numbers come from
    #[arg(long, value_enum, default_value_t = SamplingArg::Pseudo)]
    pub(crate) sampling: SamplingArg,
    /// What values the book: cpu; gpu or gpu/NAME where it was built with it
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    pub(crate) device: String,
    /// Seed of all random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn confidence(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|part| (0.5..=0.9999).contains(part)).ok_or("must be 0.5 to 0.9999")
}
