//! The command line. Every option says its unit and default; every command shows how it is used.

mod arbitrage;
mod ising;
mod portfolio;
mod quantum;
mod spikes;
mod var;

use crate::dump::When;
use crate::layout;
use crate::paint::Color;
use crate::settings::Set;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use firelane_sim::server::Speed;
use std::path::{Path, PathBuf};

pub(crate) use arbitrage::*;
pub(crate) use ising::*;
pub(crate) use portfolio::*;
pub(crate) use quantum::*;
pub(crate) use spikes::*;
pub(crate) use var::*;

/// A low-latency trading gateway: ITCH in, exact order books, risk-checked OUCH out.
#[derive(Debug, Parser)]
#[command(
    name = "firelane",
    version = crate::wirings::VERSION,
    after_help = "\
Start here:
  firelane demo                          trade against a simulated venue over loopback for ten seconds
  firelane demo --faults heavy --seed 7  the same with packet loss, reordering and cut sessions
  firelane replay DAY.itch.gz            rebuild every order book of a recorded day
  firelane run --help                    gateway and venue as two processes
  firelane log verify run.log            prove that a recorded run reproduces, byte for byte

Exit codes: 0 as asked; 1 it failed, or its result could not be written; 2 wrong arguments, or errors found under --strict."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Colour what matters
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub(crate) color: Color,
}

/// Arguments that do not go together.
pub(crate) fn wrong(text: &str) -> ! {
    let mut all = Cli::command();
    all.build();
    let typed = std::env::args().skip(1).find(|word| all.find_subcommand(word).is_some()).unwrap_or_default();
    all.find_subcommand_mut(&typed).unwrap_or(&mut Cli::command()).error(ErrorKind::ArgumentConflict, text).exit()
}

/// Is standard input, or output, meant?
pub(crate) fn dash(path: &Path) -> bool {
    path == Path::new("-")
}

/// The command line, its help laid out for `width` columns.
pub(crate) fn command(width: usize) -> clap::Command {
    fn fitted(command: clap::Command, width: usize) -> clap::Command {
        let text = command.get_after_help().map(|text| layout::epilogue(&text.to_string(), width));
        let command = text.into_iter().fold(command, clap::Command::after_help).term_width(width);
        let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
        names.into_iter().fold(command, |command, name| command.mut_subcommand(name, |one| fitted(one, width)))
    }
    fitted(Cli::command(), width)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Trade against a simulated venue over real sockets, say how long each order took, then reconcile both sides
    Demo(Demo),
    /// Rebuild the order books of a recorded file; write best prices, or the orders a strategy would have sent
    Replay(Replay),
    /// Run the gateway as a process of its own: market data in, risk-checked orders out, until it is told to end
    Run(Run),
    /// Say how a running gateway (or venue) is doing
    Status(StatusOf),
    /// Throw the kill switch of a running gateway, or release it
    Kill(Kill),
    /// Say a word to a running gateway's lane: limits, locates, positions, parameters, orders
    #[command(name = "command")]
    Say(Say),
    /// Let a running gateway trade again that stopped because the venue said what cannot be
    Enable(Enable),
    /// Run the simulated venue as a process of its own, on real sockets, for gateways to trade with
    Venue(Venue),
    /// Say all that is wrong with a configuration, and what cannot work
    Check(Check),
    /// Print the completions of a shell
    Completions(Completions),
    /// Print the manual page, or write those of all commands
    Man(Man),
    /// Check, count or print the input log (or tape) of a run
    #[command(subcommand)]
    Log(Log),
    /// Read the tape of a running gateway as it is written, or export one
    #[command(subcommand)]
    Tape(Tape),
    /// Run spiking networks, judge what runs them, and time it
    #[command(subcommand)]
    Spikes(Spikes),
    /// Make the energy of spins small: cuts, functions of bits; judge what does it, and time it
    #[command(subcommand)]
    Ising(Ising),
    /// Find portfolios under a mandate: frontiers, single portfolios, whole lots
    #[command(subcommand)]
    Portfolio(Portfolio),
    /// Find arbitrage: cycles of currencies, sets of trades, pairs of stocks, balanced selections
    #[command(subcommand)]
    Arbitrage(Arbitrage),
    /// Simulate what quantum computers are to do in finance, beside what ordinary arithmetic says
    #[command(subcommand)]
    Quantum(Quantum),
    /// Say what a book of stocks and options can lose: value at risk and expected shortfall, by Monte Carlo
    Var(Var),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Gateway and venue run on threads of their own and speak over loopback: MoldUDP64 on two lines with re-requests,
Glimpse and OUCH over SoupBinTCP. With --virtual both run in one thread on a virtual clock instead, where a seed and a
set of options reproduce a run bit for bit.

At the end the market stops, gaps close, own orders are cancelled and answered, and both sides are compared: every
order, fill, position and book. Any difference is printed, and the exit code is 1.

Examples:
  firelane demo
  firelane demo --layout split --seconds 30 --symbols 50 --rate 20000
  firelane demo --faults heavy --seed 42 --log run.log --tape run.tape
  firelane demo --itch DAY.itch.gz --speed 10   own orders fill virtually against a recorded day
  firelane demo --virtual --seed 42             the same run, bit for bit, each time
  firelane demo --json | jq .tick_to_trade_ns")]
pub(crate) struct Demo {
    /// Seconds to trade (with --virtual: of virtual time)
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: u64,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Symbols that the synthetic market trades
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=8_000))]
    pub(crate) symbols: u16,
    /// Mean market messages a second
    #[arg(long, value_name = "MSGS_PER_S", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    pub(crate) rate: u64,
    /// Faults of lines and sessions
    #[arg(long, value_enum)]
    pub(crate) faults: Option<Faults>,
    /// Who shares a thread: feed and core, or each its own [default: as configured, fused]
    #[arg(long, value_enum, conflicts_with = "virtual_clock")]
    pub(crate) layout: Option<Layout>,
    /// Play a recorded ITCH file (plain, gzip, xz, zstd; BinaryFILE, pcap, pcapng) instead of the synthetic market
    #[arg(long, value_name = "FILE")]
    pub(crate) itch: Option<PathBuf>,
    /// Times the recorded day's own speed, 0.001 to 1000 [default: 1]
    #[arg(long, value_name = "X", requires = "itch", conflicts_with = "virtual_clock", value_parser = speed)]
    pub(crate) speed: Option<Speed>,
    /// One thread and a virtual clock instead of sockets and threads: the same run each time
    #[arg(long = "virtual")]
    pub(crate) virtual_clock: bool,
    /// Gateway configuration (TOML); `--print-config` shows the default with every key explained
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the configuration for this time, as in --set taker.size=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Watch the market with the spiking detector of this file (TOML; docs/spikes.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) detector: Option<PathBuf>,
    /// Print the default configuration and stop
    #[arg(long)]
    pub(crate) print_config: bool,
    /// Keep the input log here; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Keep the output tape here; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) tape: Option<PathBuf>,
    /// Write over files that exist
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

fn speed(text: &str) -> Result<Speed, &'static str> {
    text.parse().ok().and_then(Speed::times).ok_or("must be 0.001 to 1000")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Layout {
    /// Feed and core one after the other on one thread
    Fused,
    /// A thread each, and a ring between them
    Split,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Faults {
    /// Half a percent of loss, duplication and reordering
    Light,
    /// Several percent, and sessions cut, torn and stalled
    Heavy,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Reads BinaryFILE (.itch, 2-byte lengths), pcap and pcapng with MoldUDP64, plain or compressed with
gzip, xz or zstd, in one pass and in memory that does not grow with the file. --orders and --bench
keep the messages in memory.

Unknown types and wrong lengths are skipped by their length prefix, counted and reported; a file
that breaks off is read as far as it goes. What was read and not used is counted.

Examples:
  firelane replay DAY.itch.gz
  firelane replay DAY.itch.xz --symbol AAPL --bbo aapl.csv
  firelane replay DAY.itch.xz --symbol AAPL,MSFT --bbo ab.csv --columns symbol
  firelane replay DAY.itch.xz --symbol AAPL --orders a.ouch --set taker.size=9
  firelane replay capture.pcapng --strict --json | jq .errors
  curl -s https://.../DAY.itch.gz | firelane replay -

The lines of --bbo are index,ask_px,ask_sz,bid_px,bid_sz: the number of the message in the file, from
0; prices are dollars x 10,000; an empty side is 0,0. After a loss in a capture the books may be
wrong: then lines are left out, or marked with --columns stale.

Exit codes: 0 read, whatever was wrong with single messages; 1 it failed, or nothing of the file
could be used; 2 wrong arguments, a file damaged in the middle, or errors found under --strict.")]
pub(crate) struct Replay {
    /// The recorded file; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Gateway configuration (TOML)
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the configuration for this time, as in --set taker.size=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Watch the market with the spiking detector of this file (TOML; docs/spikes.md)
    #[arg(long, value_name = "FILE")]
    pub(crate) detector: Option<PathBuf>,
    /// Follow these symbols alone
    #[arg(long, value_name = "S", value_delimiter = ',')]
    pub(crate) symbol: Vec<String>,
    /// List the symbols in the file
    #[arg(long)]
    pub(crate) symbols: bool,
    /// Write each change of a best bid or offer here; - is standard output. Of one symbol, or of several with
    /// --columns symbol
    #[arg(long, value_name = "OUT.csv")]
    pub(crate) bbo: Option<PathBuf>,
    /// Columns behind the usual ones of --bbo, and a line that names all
    #[arg(long, value_name = "C", value_enum, value_delimiter = ',', requires = "bbo")]
    pub(crate) columns: Vec<Column>,
    /// Write the exact bytes that the strategy would have sent here (SoupBinTCP-framed OUCH); - is standard output
    #[arg(long, value_name = "OUT.ouch")]
    pub(crate) orders: Option<PathBuf>,
    /// Write each alert of the detector here, a line each; - is standard output
    #[arg(long, value_name = "OUT.csv", requires = "detector")]
    pub(crate) alerts: Option<PathBuf>,
    /// Write over files that exist
    #[arg(long)]
    pub(crate) force: bool,
    /// Go over the messages again and again, in memory, for the time of a warm pass
    #[arg(long)]
    pub(crate) bench: bool,
    /// Exit with 2 if anything in the file was an error
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a line of `--bbo` may say beside the prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Column {
    /// The time of day, in nanoseconds since midnight
    #[value(name = "time_ns")]
    TimeNs,
    /// Of which symbol
    Symbol,
    /// 1 if the book may be wrong: after a loss, a malformed message, or a contradiction in the file
    Stale,
}

impl Column {
    /// As it is written on the command line, and in the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Column::TimeNs => "time_ns",
            Column::Symbol => "symbol",
            Column::Stale => "stale",
        }
    }
}

#[derive(Debug, Args)]
#[command(after_help = "\
Lines A and B (MoldUDP64), a re-request server, a snapshot server (Glimpse) and one order port (OUCH over SoupBinTCP) for
each [[port]] of the configuration. Everything is on loopback unless the configuration says otherwise. Passwords come
from the environment variables that the configuration names.

With a journal, a venue that was killed comes back in mid-session when it is started again. Ctrl-C ends it in order;
without a journal what rests is cancelled, order entry gets System Event E and End of Session, and the lines say the end
of the market-data session for end_seconds; a second Ctrl-C ends it at once.

It says why each client goes (wrong password, wrong session, a sequence number beyond the end, silence, no login, displaced
by another login, protocol error, does not read) with the name that was tried, and which requests had no effect; firelane
status and --json count them.

It matches limit orders by price and time: hidden or displayed, post-only, IOC, day, with a lifetime (ExpireTime is how many
seconds an order lives, not a time of day), and crosses. It can't do MinQty, MaxFloor and random reserve, pegs, discretion,
routing, nor retail programmes: an order that asks for one is rejected, not taken for a plain one.

Examples:
  firelane venue --print-config > venue.toml
  export FIRELANE_ENTRY_PASSWORD=... FIRELANE_SNAPSHOT_PASSWORD=...
  firelane venue venue.toml
  firelane venue venue.toml -q --log-format json          what is wrong alone, an object on each line
  firelane venue venue.toml --seconds 60 --json | jq .ports")]
pub(crate) struct Venue {
    /// Venue configuration (TOML); `--print-config` shows the default with every key explained
    #[arg(value_name = "CONFIG", required_unless_present = "print_config")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the configuration for this time, as in --set market.rate=20000; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Print the default configuration and stop
    #[arg(long)]
    pub(crate) print_config: bool,
    /// End after so many seconds; without it, on SIGINT or SIGTERM
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// Print one JSON object at the end instead of text; what happens meanwhile goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) telling: Telling,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Listens to lines A and B, fills gaps, keeps the books, and trades what the wiring of the
configuration decides over one order session. Everything is on loopback unless the configuration
says otherwise. Passwords come from the environment variables that the configuration names.

SIGINT (Ctrl-C), SIGTERM or SIGHUP ends it in order: orders are cancelled, the venue's answers waited for,
log and tape ended; a second one says what may still live at the venue and ends it at once. SIGUSR1 throws the
kill switch, as firelane kill does.

A log that cannot be written any more (a full disk) ends it too: what rests is cancelled, and the exit code is 1. A tape
that cannot is said and counted, lines that cannot be shown are counted, and nothing else.

A configuration with [[lane]] rows runs a lane for each, side by side. Each has a log and a tape of its own, with its name
before the ending: --log run.log is run.NAME.log. A lane that fails ends alone, and the exit code is 1 at the end; SIGUSR1 is
the switch of all.

Try it, in three terminals, each with both passwords set (one to ten characters of your own):
  export FIRELANE_ENTRY_PASSWORD=... FIRELANE_SNAPSHOT_PASSWORD=...
  firelane venue --print-config > venue.toml
  firelane venue venue.toml
  firelane run --print-config > gateway.toml
  firelane run gateway.toml --log run.log
  firelane status gateway.toml

More:
  firelane check gateway.toml                   all that is wrong with it, and what cannot work
  firelane run gateway.toml --set wiring=listener
  firelane run gateway.toml --seconds 60 --json | jq .tick_to_trade_ns
  firelane log verify run.log

Exit codes: 0 ended as asked, or with the venue's day; 1 it failed, orders may still live at the venue, or the
report could not be written.")]
pub(crate) struct Run {
    /// Gateway configuration (TOML); `--print-config` shows the default with every key explained
    #[arg(value_name = "CONFIG", required_unless_present = "print_config")]
    pub(crate) config: Option<PathBuf>,
    /// Set a key of the configuration for this time, as in --set taker.size=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Keep the input log here, in a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
    /// Keep the output tape here, in a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) tape: Option<PathBuf>,
    /// End after so many seconds; without it, on SIGINT or SIGTERM
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
    /// Print one JSON object at the end instead of text; what happens meanwhile goes to standard error
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) telling: Telling,
    /// Print the default configuration and stop
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// How, and how much, a command that goes on for long says of what happens.
#[derive(Debug, Args)]
pub(crate) struct Telling {
    /// How to say what happens meanwhile: lines of text, or a JSON object on each (then the report is one, too)
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,
    /// Say only what is wrong
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say everyday life too, as each gap of a gateway, or each connection of a venue
    #[arg(short, long)]
    pub(crate) verbose: bool,
}

/// How lines look that say what happens.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    #[default]
    Text,
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A gateway stops trading when the venue says what cannot be: a fill of an order that was never sent, more
shares than were open. Orders and positions may then be others than the gateway knows. Compare both
sides first.

Exit codes: 0 it trades again; 1 nobody was reached.")]
pub(crate) struct Enable {
    /// A control socket, or the configuration that names it
    #[arg(value_name = "SOCKET|CONFIG")]
    pub(crate) target: PathBuf,
    /// Set a key of the configuration for this time, as in --set control.socket=/run/gw.sock; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Of several lanes, this one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The process must have been started with a control socket: socket in the [control] table of its
configuration.

Of several lanes it has a table; --lane NAME says all of one.

Examples:
  firelane status gateway.toml
  firelane status gateway.toml --lane north
  firelane status gateway.toml --watch              again every second; --watch=5 every five
  firelane status /run/user/1000/firelane.sock --json | jq .tick_to_trade_ns.p99
  firelane status venue.toml")]
pub(crate) struct StatusOf {
    /// A control socket, or the configuration that names it
    #[arg(value_name = "SOCKET|CONFIG")]
    pub(crate) target: PathBuf,
    /// Set a key of the configuration for this time, as in --set control.socket=/run/gw.sock; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Of several lanes, this one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
    /// Say it again every so many seconds until Ctrl-C
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, require_equals = true, default_missing_value = "1",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) watch: Option<u64>,
    /// Print one JSON object instead of text; with --watch, one on a line each time
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Without a word it lists the words. Instruments are named as the configuration lists them, others by #
and their number; amounts are in units of the limits' currency; within=SECONDS at the end lets it
expire. The log records it, with commander 1.

Examples:
  firelane command gateway.toml limits AAPL max_position=500
  firelane command gateway.toml locates AAPL 1000
  firelane command gateway.toml carry-in AAPL 100 15230.00
  firelane command gateway.toml parameter 1 size=200
  firelane command gateway.toml target AAPL 300 within=2
  firelane command gateway.toml disable strategy 2
  firelane command gateway.toml limits AAPL max_position=500 --lane north
  firelane command gateway.toml lease south burst=64 north burst=192

Of several lanes most words are for one: --lane NAME. What [firm] limits is leased to them; lease moves
it: what is lowered first, what is raised as soon as there is room for it.

Exit codes: 0 the lane took it; 1 it did not, or nobody was reached.")]
pub(crate) struct Say {
    /// A control socket, or the configuration that names it
    #[arg(value_name = "SOCKET|CONFIG")]
    pub(crate) target: PathBuf,
    /// The word, whom it is to, and its arguments
    #[arg(value_name = "WORD", allow_negative_numbers = true)]
    pub(crate) words: Vec<String>,
    /// Set a key of the configuration for this time, as in --set control.socket=/run/gw.sock; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Of several lanes, this one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
From the moment that the switch is thrown no order leaves the gateway, not even one that waits to be
sent; what rests at the venue is cancelled. Positions are not closed out, and the gateway goes on
following the market. The switch stays thrown until it is released; a gateway that is started anew
starts with it released.

Of several lanes there is one switch for all, and --lane NAME is that of one. Each is released for
itself: a lane's own stays thrown when that of all is released.

Examples:
  firelane kill gateway.toml
  firelane kill gateway.toml --lane north
  firelane kill gateway.toml --release
  firelane kill gateway.toml --instrument AAPL           what is in AAPL alone
  firelane kill gateway.toml --strategy 2 --release      released on its own, not by the lane's
  kill -USR1 PID                 the same without a socket

Exit codes: 0 done, and nothing lives at the venue; 1 nobody was reached, or not all is done yet.")]
pub(crate) struct Kill {
    /// A control socket, or the configuration that names it
    #[arg(value_name = "SOCKET|CONFIG")]
    pub(crate) target: PathBuf,
    /// Set a key of the configuration for this time, as in --set control.socket=/run/gw.sock; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Of several lanes, this one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
    /// Release the switch: orders may leave again
    #[arg(long)]
    pub(crate) release: bool,
    /// The switch of this venue alone, by its number
    #[arg(long, value_name = "N", conflicts_with_all = ["instrument", "strategy"])]
    pub(crate) venue: Option<u8>,
    /// The switch of this instrument alone
    #[arg(long, value_name = "NAME", conflicts_with = "strategy")]
    pub(crate) instrument: Option<String>,
    /// The switch of this strategy alone, by its number
    #[arg(long, value_name = "N")]
    pub(crate) strategy: Option<u16>,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Reads the configuration of a gateway or a venue (it tells them by their tables) and says all that is
wrong, each with its line, not the first thing alone. Then it warns of what can be read and cannot
work here: an order size over its limit, a core that is not there, a password that is not set.

Examples:
  firelane check gateway.toml
  firelane check gateway.toml --set taker.size=2000
  firelane check venue.toml --json | jq .errors

Exit codes: 0 it can be used; 1 something is wrong; 2 wrong arguments, or warnings under --strict.")]
pub(crate) struct Check {
    /// A configuration of a gateway or a venue (TOML); - is standard input
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// Set a key of the configuration for this time, as in --set taker.size=200; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Exit with 2 if there is a warning
    #[arg(long)]
    pub(crate) strict: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  source <(firelane completions bash)                   in ~/.bashrc, or once
  firelane completions zsh > ~/.zfunc/_firelane         with fpath+=~/.zfunc before compinit
  firelane completions fish > ~/.config/fish/completions/firelane.fish")]
pub(crate) struct Completions {
    /// Of which shell
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  firelane man | man -l -
  firelane man --dir ~/.local/share/man/man1        then: man firelane, man firelane-run")]
pub(crate) struct Man {
    /// Write a page for every command into this directory
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Write over pages of another version
    #[arg(long, requires = "dir")]
    pub(crate) force: bool,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  firelane demo --log run.log --tape run.tape
  firelane log verify run.log
  firelane log stat run.tape
  firelane log dump run.log --symbol AAPL | less

Exit codes of verify: 0 reproduces; 1 it does not, or is no log; 3 it does as far as it goes, but the
log ends too early: its run was killed.")]
pub(crate) enum Log {
    /// Run the lane again from the log alone and compare every output byte and the final digest
    Verify {
        /// A log file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Count the records of a log or tape
    Stat {
        /// A log or tape file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print one JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Print every record of a log or tape in words, with the messages within
    Dump(Dump),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Market data (ITCH in MoldUDP64), order entry (OUCH in SoupBinTCP) and snapshots are decoded, every
field by its name: prices in dollars, codes in words, times as times of day (the exchange's in a
message, UTC in front of a record; seconds since the start where the clock was virtual).

Filters can be combined; a record is shown with the messages that are asked for alone.

Examples:
  firelane log dump run.log --symbol AAPL --kind add-order,order-executed
  firelane log dump run.log --order 17              an order, and what replaced it
  firelane log dump run.log --kind ouch --from 14:30 --to 14:30:05.5
  firelane log dump run.log --kind error            what could not be decoded, and where
  firelane log dump run.tape --json | jq 'select(.kind == \"Alert\")'")]
pub(crate) struct Dump {
    /// A log or tape file; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Only what is about these symbols
    #[arg(long, value_name = "S,...", value_delimiter = ',')]
    pub(crate) symbol: Vec<String>,
    /// Only this order (the venue's number or ours), and what replaces it
    #[arg(long, value_name = "N")]
    pub(crate) order: Option<u64>,
    /// Only these records, protocols or messages: packet, ouch, add-order (a wrong one lists all)
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// Only records of this input number
    #[arg(long, value_name = "N")]
    pub(crate) input: Option<u64>,
    /// From this time on: HH:MM[:SS[.sss]] (UTC), or seconds since the start (1.5s)
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<When>,
    /// Up to this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<When>,
    /// Print one JSON object a record instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
The tape says what a gateway does: orders, decisions of the risk gate, alerts, best prices, how it is
doing. Its readers stand beside it: one that is slow, stopped or killed loses records of its own and
hurts nobody. How many it lost is said in the stream, on standard error, and by firelane status.

Examples:
  firelane tape tail gateway.toml
  firelane tape export run.tape -o run.jsonl")]
pub(crate) enum Tape {
    /// Print the tape of a running gateway, live
    Tail(Tail),
    /// Write a tape, live or from a file, as JSON lines, text, or a tape's file
    Export(Export),
}

/// Which tape, and what of it.
#[derive(Debug, Args)]
pub(crate) struct TapeOf {
    /// The configuration of a running gateway, its shared tape (tape.shared), or its control socket
    #[arg(value_name = "CONFIG|TAPE|SOCKET")]
    pub(crate) target: PathBuf,
    /// Set a key of the configuration for this time, as in --set tape.shared=/dev/shm/gw.tape; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<Set>,
    /// Of several lanes, this one alone
    #[arg(long, value_name = "NAME")]
    pub(crate) lane: Option<String>,
    /// Only these kinds of records: order, alert, top (a wrong one lists all)
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    pub(crate) kind: Vec<String>,
    /// Only what is about these symbols
    #[arg(long, visible_alias = "instrument", value_name = "S,...", value_delimiter = ',')]
    pub(crate) symbol: Vec<String>,
    /// Only this order (ours or the venue's number)
    #[arg(long, value_name = "N")]
    pub(crate) order: Option<u64>,
    /// Where to begin
    #[arg(long, value_enum, default_value_t = Where::Now)]
    pub(crate) from: Where,
    /// Ask over the control socket even where the tape is shared in memory
    #[arg(long)]
    pub(crate) socket: bool,
    /// What this reader is called by firelane status
    #[arg(long, value_name = "NAME", default_value = "tail", value_parser = reader_name)]
    pub(crate) name: String,
    /// End after so many seconds; without it, with the tape, or on SIGINT or SIGTERM
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seconds: Option<u64>,
}

fn reader_name(text: &str) -> Result<String, &'static str> {
    let good = (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if good { Ok(text.to_owned()) } else { Err("must be 1 to 32 printable ASCII characters without spaces") }
}

/// Where a live tape is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Where {
    /// With what comes from now on
    Now,
    /// With the oldest record that its ring still holds
    Oldest,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With a shared tape (shared in the [tape] table) the ring is mapped into this process; otherwise it
comes over the control socket. A reader that is too slow is lapped: it goes on about half a ring
later, and a record Lapped says how many records are missing there, whatever is asked for.

Examples:
  firelane tape tail gateway.toml
  firelane tape tail gateway.toml --kind order,alert --symbol AAPL
  firelane tape tail /dev/shm/firelane.tape --from oldest --json | jq .kind
  firelane tape tail gateway.toml --socket --seconds 10
  firelane tape tail gateway.toml --lane north             of several lanes, this one's

Exit codes: 0 the tape ended, or it was told to; 1 the gateway died, or nobody was reached.")]
pub(crate) struct Tail {
    #[command(flatten)]
    pub(crate) of: TapeOf,
    /// Print one JSON object a record instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Of a file, which firelane run --tape or demo --tape wrote, the export is written whole or not at all;
of a gateway it is written as records come, until the tape ends, --seconds are over, or Ctrl-C. The
JSON lines are those of firelane log dump --json.

Examples:
  firelane tape export run.tape -o run.jsonl
  firelane tape export run.tape --text --kind order | less
  firelane tape export gateway.toml --from oldest --seconds 60 -o minute.jsonl
  firelane tape export gateway.toml --raw -o late.tape    for firelane log, later

Exit codes: 0 all of it; 1 it failed, or the gateway died and the end may be missing.")]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) of: TapeOf,
    /// Write it here; - is standard output
    #[arg(short, long, value_name = "OUT", default_value = "-")]
    pub(crate) output: PathBuf,
    /// JSON lines: the default
    #[arg(long, conflicts_with_all = ["text", "raw"])]
    pub(crate) json: bool,
    /// Text, as firelane log dump prints it
    #[arg(long, conflicts_with = "raw")]
    pub(crate) text: bool,
    /// A tape's file, record by record as it is
    #[arg(long)]
    pub(crate) raw: bool,
    /// Write over a file that exists
    #[arg(long)]
    pub(crate) force: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_help_fits_its_width() {
        fn all(command: &mut clap::Command, width: usize) {
            for text in [command.render_help(), command.render_long_help()] {
                let text = text.to_string();
                let long: Vec<&str> = text.lines().filter(|line| line.chars().count() > width).collect();
                assert!(long.is_empty(), "{} at {width}: {long:#?}", command.get_name());
            }
            command.get_subcommands_mut().for_each(|one| all(one, width));
        }
        for width in [80, 100, 120] {
            let mut command = command(width);
            command.build();
            all(&mut command, width);
        }
    }

    /// What a shell makes of a command that is shown with a comment, and with where its output goes.
    fn parses(line: &str) {
        let command = line.split("  ").next().unwrap().split(['#', '|', '>', '&']).next().unwrap();
        let words: Vec<&str> = command.split_whitespace().filter(|word| !word.contains("=...")).collect();
        if let Err(error) = Cli::try_parse_from(&words) {
            panic!("{line}: {error}");
        }
    }

    #[test]
    fn every_command_of_the_readme_can_be_typed_and_fits_eighty_columns() {
        let text = include_str!("../../../README.md");
        let blocks = text.split("```").skip(1).step_by(2);
        let lines: Vec<&str> = blocks.flat_map(str::lines).collect();
        let long: Vec<&&str> = lines.iter().filter(|line| line.chars().count() > 80).collect();
        assert!(long.is_empty(), "{long:#?}");
        let commands: Vec<&&str> = lines.iter().filter(|line| line.starts_with("firelane ")).collect();
        assert!(commands.len() > 15, "{commands:#?}");
        commands.into_iter().for_each(|line| parses(line));
    }

    #[test]
    fn every_example_of_a_help_can_be_typed() {
        fn all(command: &clap::Command, count: &mut usize) {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            for line in text.lines().filter(|line| line.starts_with("  firelane ") && !line.contains("--help")) {
                parses(line.trim_start());
                // It stands on one line of a terminal of eighty columns, whatever is said of it.
                let command = line.trim_end().trim_start().split("  ").next().unwrap();
                assert!(command.chars().count() <= 78, "{command}");
                *count += 1;
            }
            command.get_subcommands().for_each(|one| all(one, count));
        }
        let mut count = 0;
        all(&Cli::command(), &mut count);
        assert!(count > 30, "{count}");
    }

    /// Which is what scripts tell wrong arguments by: exit code 2.
    #[test]
    fn a_speed_that_cannot_be_is_a_wrong_argument() {
        let parse = |speed| Cli::try_parse_from(["firelane", "demo", "--itch", "DAY.itch", "--speed", speed]);
        assert!(parse("0.001").is_ok() && parse("50").is_ok());
        for wrong in ["0", "-1", "1001", "NaN", "fast"] {
            assert_eq!(parse(wrong).unwrap_err().exit_code(), 2, "{wrong}");
        }
    }
}
