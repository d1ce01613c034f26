//! The command line of `firelane spikes`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A spiking network in integers, bit-exact with the fixed-point models of Lava 0.10; docs/spikes.md says
how it computes, and tests/vectors/snn/README.md how networks and traces are written.

Examples:
  firelane spikes run net.json
  firelane spikes conformance --device software/avx2
  firelane spikes bench")]
pub(crate) enum Spikes {
    /// Run a network over its inputs; write every current, voltage and spike, or compare them with its trace
    Run(SpikesRun),
    /// Say whether a device computes what it must: vectors of Lava, random networks, edges, wrong calls
    Conformance(SpikesConformance),
    /// Time a step of a network of 128, 256 and 64 units, of which 5 % of the inputs fire
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
  firelane spikes run net.json --device software/scalar --json | jq .spikes

Exit codes: 0 it ran, and its trace is that of the file if there is one; 1 it failed, or the traces
differ; 2 wrong arguments.")]
pub(crate) struct SpikesRun {
    /// The network (JSON); - is standard input
    #[arg(value_name = "NET")]
    pub(crate) net: PathBuf,
    /// Take steps and inputs from this file instead (JSON with the key inputs); - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// What runs it: software, or software/scalar, software/avx2, software/avx512
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
    /// Write over a file that exists
    #[arg(long, requires = "trace")]
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
Examples:
  firelane spikes conformance
  firelane spikes conformance --updates 10000000 --seed 7
  firelane spikes conformance --json | jq '.cases[].verdict'

Exit codes: 0 it conforms; 1 it does not, or there is no such device; 2 wrong arguments.")]
pub(crate) struct SpikesConformance {
    /// What is judged: software, or software/scalar, software/avx2, software/avx512
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
