//! The command line of `firelane spikes`.

use crate::settings::Set;
use crate::spikes::{Clock, Seeds};
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A spiking network in integers, bit-exact with the fixed-point models of Lava 0.10; docs/spikes.md says
how it computes, and tests/vectors/snn/README.md how networks and traces are written.

Examples:
  firelane spikes run net.json
  firelane spikes import trained.nir --dt 1e-4 --out net.json
  firelane spikes conformance --device software/avx2
  firelane spikes score --detector mine.toml
  firelane spikes bench")]
pub(crate) enum Spikes {
    /// Run a network over its inputs; write every current, voltage and spike, or compare them with its trace
    Run(SpikesRun),
    /// Make a network of integers of one that was trained elsewhere (NIR); say how far it is from floating point
    Import(SpikesImport),
    /// Say whether a device computes what it must: vectors of Lava, random networks, edges, wrong calls
    Conformance(SpikesConformance),
    /// Draw what a detector heard and did on a recording, or a network over its inputs
    Raster(SpikesRaster),
    /// Score a detector against a rule, logistic regression and boosted trees, on days of known manipulations
    Score(SpikesScore),
    /// Time a step of a network of 128, 256 and 64 units, of which 5 % of the inputs fire, and a detector in the lane
    Bench(SpikesBench),
}

#[derive(Debug, Args)]
#[command(after_help = "\
A file with inputs of its own, or of the format lava-golden-1, is run as Lava runs it: one step a
connection, and currents wrap. If it has a trace, all of it is compared. Any other network is run as
the gateway does: all layers in one step, and one that could overflow is refused.

Examples:
  firelane spikes run g05_recurrent.json
  firelane spikes run net.json --trace out.json
  firelane spikes run net.json --input day.json --schedule cascade
  firelane spikes run net.json --input day.json --out learnt.json
  firelane spikes run net.json --device software/scalar --json | jq .spikes

Exit codes: 0 it ran, and its trace is that of the file if there is one; 1 it failed, or the traces
differ; 2 wrong arguments.",
    group(ArgGroup::new("written").args(["trace", "out"]).multiple(true)))]
pub(crate) struct SpikesRun {
    /// The network (JSON); - is standard input
    #[arg(value_name = "NET")]
    pub(crate) net: PathBuf,
    /// Take steps and inputs from this file instead (JSON with the key inputs); - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// What runs it: software, or software/scalar, software/avx2, software/avx512, software/neon
    #[arg(long, value_name = "URI", default_value = "software")]
    pub(crate) device: String,
    /// When a spike acts [default: lava for a file that is run as Lava runs it, else cascade]
    #[arg(long, value_enum)]
    pub(crate) schedule: Option<ScheduleArg>,
    /// What happens to currents that leave their 24 bits [default: wrap with lava, forbid with cascade]
    #[arg(long, value_enum)]
    pub(crate) overflow: Option<OverflowArg>,
    /// Write the file with the trace that was computed here; - is standard output
    #[arg(long, value_name = "OUT.json")]
    pub(crate) trace: Option<PathBuf>,
    /// Write the network (JSON) with the weights that it has learnt; - is standard output
    #[arg(long, value_name = "NET.json")]
    pub(crate) out: Option<PathBuf>,
    /// Write over files that exist
    #[arg(long, requires = "written")]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScheduleArg {
    /// One step a connection
    Lava,
    /// All layers in one step; an edge that leads back acts one step later
    Cascade,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OverflowArg {
    /// They come back from the other side, as Lava's do
    Wrap,
    /// A network in which they might is refused
    Forbid,
}

#[derive(Debug, Args)]
#[command(after_help = "\
NIR has neurons in continuous time: it does not say how long a step is, nor what becomes of a decay in
steps, nor all that a reset can be. snnTorch exports steps of 1e-4 s, euler; its default reset is
`--reset subtract --reset-delay`. Sinabs exports steps of 1 s, exponential, `--reset subtract`.
docs/spikes.md has the nodes that are known, and how they become integers. A file that is JSON has the
same nodes, written by hand.

Examples:
  firelane spikes import net.nir --dt 1e-4 --reset subtract --out net.json
  firelane spikes import net.nir --dt 1e-3 --bits 4 --input day.json
  firelane spikes import net.json --dt 1e-3 --json | jq .populations

Exit codes: 0 it was imported; 1 it was refused, or a file can't be read or written; 2 wrong arguments.")]
pub(crate) struct SpikesImport {
    /// The network: HDF5 as the Python package nir writes it, or JSON; - is standard input
    #[arg(value_name = "FILE.nir")]
    pub(crate) file: PathBuf,
    /// Seconds of a step
    #[arg(long, value_name = "SECONDS")]
    pub(crate) dt: f64,
    /// How decays become steps
    #[arg(long, value_enum, default_value_t = DiscretisationArg::Euler)]
    pub(crate) discretisation: DiscretisationArg,
    /// What a spike does to the voltage
    #[arg(long, value_enum, default_value_t = ResetArg::File)]
    pub(crate) reset: ResetArg,
    /// The reset acts in the step after the spike, behind that step's decay and input
    #[arg(long)]
    pub(crate) reset_delay: bool,
    /// Bits of a weight, with its sign: 8, 6 or 4
    #[arg(long, value_name = "BITS", default_value_t = 8)]
    pub(crate) bits: u32,
    /// Bits of the values of input events; 0: a spike is a spike
    #[arg(long, value_name = "BITS", default_value_t = 0)]
    pub(crate) message_bits: u32,
    /// Write the network (JSON), for `firelane spikes run`; - is standard output
    #[arg(long, value_name = "NET.json")]
    pub(crate) out: Option<PathBuf>,
    /// Write over a file that exists
    #[arg(long, requires = "out")]
    pub(crate) force: bool,
    /// Compare over the events of this file (JSON with the key inputs); - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["steps", "rate", "seed"])]
    pub(crate) input: Option<PathBuf>,
    /// Compare over so many steps of random events
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) steps: u64,
    /// In how many steps of a hundred a unit fires
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub(crate) rate: f64,
    /// Seed of the random events
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("it must be 0 to 100".to_owned()) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DiscretisationArg {
    /// A decay keeps 1 - dt/tau
    Euler,
    /// A decay keeps exp(-dt/tau)
    Exponential,
}

impl DiscretisationArg {
    pub(crate) fn name(self) -> &'static str {
        if self == DiscretisationArg::Euler { "euler" } else { "exponential" }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ResetArg {
    /// It becomes v_reset, as the file has it
    File,
    /// It becomes 0
    Zero,
    /// It loses the threshold
    Subtract,
}

impl ResetArg {
    pub(crate) fn name(self) -> &'static str {
        match self {
            ResetArg::File => "file",
            ResetArg::Zero => "zero",
            ResetArg::Subtract => "subtract",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  firelane spikes conformance
  firelane spikes conformance --updates 10000000 --seed 7
  firelane spikes conformance --json | jq '.cases[].verdict'

Exit codes: 0 it conforms; 1 it does not, or there is no such device; 2 wrong arguments.")]
pub(crate) struct SpikesConformance {
    /// What is judged: software, or software/scalar, software/avx2, software/avx512, software/neon
    #[arg(long, value_name = "URI", default_value = "software")]
    pub(crate) device: String,
    /// Updates of neurons in random networks, at least
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    pub(crate) updates: u64,
    /// Seed of the first random network
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Each device runs the same steps, in turns of 100 steps. `best` is the mean of its fastest turn, for
machines with neighbours; the percentiles are of single steps, less what it takes to look at the clock
(timed beside them). A step is all layers, events in to spikes out.

Examples:
  firelane spikes bench
  firelane spikes bench --device software/scalar --steps 100000
  firelane spikes bench --json | jq '.devices[].best_ns'")]
pub(crate) struct SpikesBench {
    /// Which devices, each once [default: every path of the software that this processor has]
    #[arg(long, value_name = "URI", value_delimiter = ',')]
    pub(crate) device: Vec<String>,
    /// Steps of each
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub(crate) steps: u64,
    /// Seed of the inputs
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A recording is watched by the detector of one symbol: panels, one below the other, have the spikes that its network heard,
those of each population, the voltages of up to eight alerts' neurons with their thresholds, and a line through all of them where
an alert was raised. Without --from the picture is of the first alert. A network with inputs of its own is drawn over them.

Examples:
  firelane spikes raster DAY.itch.gz --detector sweeps.toml --output day.svg
  firelane spikes raster g05_recurrent.json --output g05.svg

Exit codes: 0 it is drawn; 1 it failed, or there is nothing to draw; 2 wrong arguments.")]
pub(crate) struct SpikesRaster {
    /// A recorded ITCH file (as of firelane replay), or a network with inputs (JSON)
    #[arg(value_name = "FILE")]
    pub(crate) source: PathBuf,
    /// The detector that watches the recording (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) detector: Option<PathBuf>,
    /// The symbol of the recording [default: the first that speaks]
    #[arg(long, value_name = "S", requires = "detector")]
    pub(crate) symbol: Option<String>,
    /// Set a key of the configuration, as in --set instruments.capacity=8000; may be repeated
    #[arg(long, value_name = "KEY=VALUE", requires = "detector")]
    pub(crate) set: Vec<Set>,
    /// Begin here: a time of day, HH:MM:SS[.sss] [default: before the first alert]
    #[arg(long, value_name = "TIME", requires = "detector")]
    pub(crate) from: Option<Clock>,
    /// Steps in the picture
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = steps)]
    pub(crate) steps: usize,
    /// The picture (SVG); - is standard output
    #[arg(long, value_name = "OUT.svg")]
    pub(crate) output: PathBuf,
    /// Write over a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

fn steps(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|steps| (2..=100_000).contains(steps)).ok_or("must be 2 to 100000")
}

#[derive(Debug, Args)]
#[command(after_help = "\
Days of a synthetic market into which manipulations and what only looks like them are played; every contestant
hears the spikes of the detector's encoder. An alert between an episode's start and half a second (of an iceberg
one) behind its end meets it; all others are false, those of decoys too. docs/surveillance.md has the definitions.
The baselines were trained on what examples/detectors/manipulation.toml hears, and are left out for another encoder.

Examples:
  firelane spikes score
  firelane spikes score --detector mine.toml
  firelane spikes score --json | jq '.contestants[].transfer'
  firelane spikes score --seeds 1..3 --validation 3..4 --minutes 5

Exit codes: 0 it is scored; 1 it failed; 2 wrong arguments.")]
pub(crate) struct SpikesScore {
    /// The detector (TOML) [default: examples/detectors/manipulation.toml as it was built in]
    #[arg(long, value_name = "FILE")]
    pub(crate) detector: Option<PathBuf>,
    /// Days that are reported of: the first seed and, behind it, the one after the last [default: those of the test]
    #[arg(long, value_name = "A..B")]
    pub(crate) seeds: Option<Seeds>,
    /// Days by which thresholds are chosen [default: those of the validation]
    #[arg(long, value_name = "A..B")]
    pub(crate) validation: Option<Seeds>,
    /// Minutes of each day: shorter ones are for a first look
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=390))]
    pub(crate) minutes: u64,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}
