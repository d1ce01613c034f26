//! The command line of `firelane quantum`.

use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
All of it is a classical simulation of a quantum computer without noise: 2^n amplitudes, exact but for
rounding, of which shots are drawn. No quantum advantage is claimed: beside each result stands what
ordinary arithmetic says of the same problem, in less time. Without arguments each command computes
what Qiskit's tutorials do. docs/quantum.md has the definitions.

Examples:
  firelane quantum portfolio --mixer ring
  firelane quantum option --epsilon 0.001
  firelane quantum credit --loan 0.15:0.1:1 --loan 0.25:0.05:2
  firelane quantum qaoa graph.txt --layers 3 --qasm cut.qasm
  firelane quantum kernel points.csv --train 40
  firelane quantum bench")]
pub(crate) enum Quantum {
    /// Choose assets within a budget: QAOA with a mixer that keeps it, and VQE, beside the best of all choices
    Portfolio(QuantumPortfolio),
    /// Price a European call: iterative amplitude estimation, beside the sum over all prices
    Option(QuantumOption),
    /// Say what loans can lose: expected loss, value at risk, conditional value at risk, estimated and exact
    Credit(QuantumCredit),
    /// Cut a graph with QAOA, beside its largest cut
    Qaoa(QuantumQaoa),
    /// Tell points of two classes apart with a fidelity kernel, beside a Gaussian one
    Kernel(QuantumKernel),
    /// Time QAOA of 20 qubits and four layers, and every kind of gate, on each path of this processor
    Bench(QuantumBench),
}

/// What commands have in common that draw shots and have a circuit.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("exported").arg("qasm")))]
pub(crate) struct Common {
    /// Seed of shots and of random starts
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Write the circuit (OpenQASM 3); - is standard output
    #[arg(long, value_name = "OUT.qasm")]
    pub(crate) qasm: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "exported")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MixerArg {
    /// Exchanges of neighbours in a ring: the budget is kept
    Ring,
    /// Exchanges of any two: the budget is kept
    Complete,
    /// Any choice can be reached: the budget is a penalty
    X,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The least of risk x' sigma x - mu x over choices x of so many assets. FILE is JSON with the expected
returns and the covariances of a period: {\"mu\": [...], \"sigma\": [[...], ...]}; without it, the four
assets of Qiskit's tutorial. All choices are looked at, too: that is the exact answer. For portfolios
that matter, search by exchanges and a quadratic program is what to use, not this.

Examples:
  firelane quantum portfolio
  firelane quantum portfolio assets.json --budget 5 --risk 1 --layers 3
  firelane quantum portfolio --mixer x --penalty 4
  firelane quantum portfolio --qasm choice.qasm
  firelane quantum portfolio --json | jq .choices

Exit codes: 0 it ran; 1 it failed; 2 wrong arguments.")]
pub(crate) struct QuantumPortfolio {
    /// Expected returns and covariances (JSON); - is standard input [default: those of the tutorial]
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Assets to hold
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) budget: usize,
    /// Weight of the variance
    #[arg(long, value_name = "Q", default_value_t = 0.5)]
    pub(crate) risk: f64,
    /// What moves QAOA from choice to choice
    #[arg(long, value_enum, default_value_t = MixerArg::Ring)]
    pub(crate) mixer: MixerArg,
    /// Weight of (number of assets - budget)^2, with --mixer x and for VQE
    #[arg(long, value_name = "P", default_value_t = 4.0)]
    pub(crate) penalty: f64,
    /// Layers of QAOA
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) layers: u64,
    /// Shots that are drawn of the state
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..=100_000_000))]
    pub(crate) shots: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IntervalArg {
    /// From the quantiles of the binomial distribution
    ClopperPearson,
    /// By the bound of Chernoff and Hoeffding
    Chernoff,
}

/// How an amplitude is estimated.
#[derive(Debug, Args)]
pub(crate) struct Estimation {
    /// Half the width of an amplitude's interval, at most
    #[arg(long, value_name = "E", default_value_t = 0.01)]
    pub(crate) epsilon: f64,
    /// How often an interval may miss, as a part
    #[arg(long, value_name = "A", default_value_t = 0.05)]
    pub(crate) alpha: f64,
    /// Shots of a round
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) shots: u64,
    /// How intervals are made
    #[arg(long, value_enum, default_value_t = IntervalArg::ClopperPearson)]
    pub(crate) interval: IntervalArg,
    /// How much of a sine's line expectations use: less is less biased and takes more shots
    #[arg(long, value_name = "C", default_value_t = 0.25)]
    pub(crate) scale: f64,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The expected payoff at maturity, not discounted, of a price that is log-normal, on a grid of 2^n prices
within three standard deviations; and the delta. The amplitude of the circuit stands for the payoff by
a line in place of a sine: what estimation aims at differs from the exact sum by that, and shrinks with
--scale. Grover's operator is really run on the state, as often as the largest power says.

Examples:
  firelane quantum option
  firelane quantum option --spot 100 --strike 105 --days 90 --volatility 0.2
  firelane quantum option --qubits 6 --epsilon 0.001 --scale 0.1
  firelane quantum option --power 3 --qasm call.qasm
  firelane quantum option --json | jq .payoff.interval

Exit codes: 0 it ran; 1 it failed; 2 wrong arguments.")]
pub(crate) struct QuantumOption {
    /// The price today
    #[arg(long, value_name = "PRICE", default_value_t = 2.0)]
    pub(crate) spot: f64,
    /// What the option lets one buy at
    #[arg(long, value_name = "PRICE", default_value_t = 1.896)]
    pub(crate) strike: f64,
    /// Of a year, as a part: 0.4 is 40 %
    #[arg(long, value_name = "V", default_value_t = 0.4)]
    pub(crate) volatility: f64,
    /// Risk-free rate of a year, as a part
    #[arg(long, value_name = "R", default_value_t = 0.05, allow_negative_numbers = true)]
    pub(crate) rate: f64,
    /// Days to maturity, of 365 in a year
    #[arg(long, value_name = "N", default_value_t = 40.0)]
    pub(crate) days: f64,
    /// Qubits of the price: 1 to 12
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) qubits: usize,
    /// Power of Grover's operator in the circuit that --qasm writes
    #[arg(long, value_name = "K", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=10_000), requires = "exported")]
    pub(crate) power: u64,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// A loan, as an argument has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoanArg {
    pub(crate) default: f64,
    pub(crate) sensitivity: f64,
    pub(crate) loss: usize,
}

impl FromStr for LoanArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rule = "must be probability:sensitivity:loss, as in 0.15:0.1:1, the loss a whole number";
        let mut words = text.split(':');
        let mut word = || words.next().ok_or(rule);
        let (default, sensitivity, loss) = (word()?, word()?, word()?);
        let number = |text: &str| text.parse().map_err(|_| rule);
        let loan = LoanArg {
            default: number(default)?,
            sensitivity: number(sensitivity)?,
            loss: loss.parse().map_err(|_| rule)?,
        };
        if words.next().is_some() { Err(rule) } else { Ok(loan) }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Loans whose defaults depend on one common factor (Gaussian conditional independence). A loan is the
probability of its default, how much it depends on the factor (0 to below 1), and what is lost, in
whole units. Value at risk: the least loss that is not exceeded with the probability --level, found by
halving, an estimate each time. Conditional value at risk: the mean of the losses above it.

Examples:
  firelane quantum credit
  firelane quantum credit --loan 0.05:0.2:3 --loan 0.1:0.1:2 --loan 0.2:0.3:1
  firelane quantum credit --level 0.99 --epsilon 0.002
  firelane quantum credit --json | jq .value_at_risk

Exit codes: 0 it ran; 1 it failed; 2 wrong arguments.")]
pub(crate) struct QuantumCredit {
    /// A loan, may be repeated [default: 0.15:0.1:1 and 0.25:0.05:2]
    #[arg(long, value_name = "P:RHO:LOSS")]
    pub(crate) loan: Vec<LoanArg>,
    /// Probability with which the value at risk is not exceeded
    #[arg(long, value_name = "P", default_value_t = 0.95)]
    pub(crate) level: f64,
    /// Qubits of the common factor: 1 to 8
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub(crate) factor_qubits: usize,
    #[command(flatten)]
    pub(crate) estimation: Estimation,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A cut divides the nodes of a graph in two; its size is the weight of the edges between them. FILE is in
the format of the G-set: nodes and edges on the first line, then two nodes, from 1, and a weight on
each. Without it: a graph of 20 nodes with three edges each, with angles that are built in. Angles are
searched layer by layer on the exact mean, with its gradient. All 2^n cuts are looked at, too.

Examples:
  firelane quantum qaoa
  firelane quantum qaoa graph.txt --layers 3 --shots 10000
  firelane quantum qaoa graph.txt --gammas 0.4,0.7 --betas=-0.5,-0.25
  firelane quantum qaoa --json | jq .mean

Exit codes: 0 it ran; 1 it failed; 2 wrong arguments.")]
pub(crate) struct QuantumQaoa {
    /// A graph of 26 nodes at most; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Layers of which the angles are searched [default: 2 with a file; without one, the angles built in]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub(crate) layers: Option<u64>,
    /// Most steps of the search for each number of layers
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) steps: u64,
    /// Angles of the cost, in radians, a layer each, in place of a search
    #[arg(
        long,
        value_name = "G,...",
        value_delimiter = ',',
        allow_hyphen_values = true,
        requires = "betas",
        conflicts_with = "layers"
    )]
    pub(crate) gammas: Vec<f64>,
    /// Angles of the mixer, as many
    #[arg(long, value_name = "B,...", value_delimiter = ',', allow_hyphen_values = true, requires = "gammas")]
    pub(crate) betas: Vec<f64>,
    /// Shots that are drawn of the state
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(2..=100_000_000))]
    pub(crate) shots: u64,
    #[command(flatten)]
    pub(crate) common: Common,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each point becomes a state (ZZ feature map, two repetitions); how alike two points are is the square of
their states' inner product. A support vector machine learns from the first points of FILE and tells
the rest apart; beside it one with a Gaussian kernel learns from the same. FILE has a line a point:
features with commas between them and, last, the class, 0 or 1. Without it: two rings of 60 points.

Examples:
  firelane quantum kernel
  firelane quantum kernel points.csv --train 100 --cost 10
  firelane quantum kernel --shots 1000 --seed 3
  firelane quantum kernel --json | jq .fidelity

Exit codes: 0 it ran; 1 it failed; 2 wrong arguments.")]
pub(crate) struct QuantumKernel {
    /// Points (CSV), at most 2,000; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Points to learn from, the first of the file [default: two thirds of them]
    #[arg(long, value_name = "N", requires = "file")]
    pub(crate) train: Option<usize>,
    /// Bound of a point's weight
    #[arg(long, value_name = "C", default_value_t = 1.0)]
    pub(crate) cost: f64,
    /// Width of the Gaussian kernel, exp(-gamma d^2) [default: one over features and their variance]
    #[arg(long, value_name = "G")]
    pub(crate) gamma: Option<f64>,
    /// Draw each entry of the kernel from so many shots [default: exact]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub(crate) shots: Option<u64>,
    /// Seed of the shots
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Processor time of this process, on one core, the least of all rounds; paths by turns. `qaoa` is all of
it: the table of costs, the state, four layers, the mean. `gates` is of one gate, the mean over a
circuit of --qubits with each kind on each qubit. crates/quantum/peers/qaoa.py puts Qiskit Aer and
PennyLane Lightning beside it.

Examples:
  firelane quantum bench
  firelane quantum bench --qubits 24 --rounds 1
  firelane quantum bench --json | jq '.paths[].qaoa_ms'")]
pub(crate) struct QuantumBench {
    /// Rounds
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub(crate) rounds: u64,
    /// Qubits of the circuit of gates
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=26))]
    pub(crate) qubits: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
