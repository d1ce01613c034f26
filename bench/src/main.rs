//! The lab's throughput and latency programs. `lab --help` says how to use them; `README.md` has numbers.

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand, ValueEnum};
use firelane_bench::course::{self, Others};
use firelane_bench::machine::Machine;
use firelane_bench::market::{Market, Stream};
use firelane_bench::{all, book, compare, contest, counts, decode, encode, market, orders, serve, stream, wire};
use firelane_gateway::flow::book::BATCH;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What the lane costs, measured.
///
/// Without a file, each program makes a market: 8,000 symbols with 2,000,000 resting orders, the same bytes each time.
/// Ratios and the best of many rounds mean something on a loaded machine; single times do not.
#[derive(Parser, Debug)]
#[command(after_help = "Examples:
  lab decode aapl.itch.xz
  lab book                       (a made market)
  lab market --messages 650000000 > day.itch
  chrt -f 20 taskset -c 1 lab orders aapl.itch.xz --json
  chrt -f 20 lab wire")]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Print one JSON object: machine and report.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand, Debug)]
enum What {
    /// Decode alone, beside crate itch5: ratios of alternating rounds.
    Decode {
        #[command(flatten)]
        input: Input,
        /// Rounds of each contestant.
        #[arg(long, default_value_t = 41)]
        rounds: usize,
        #[command(flatten)]
        others: WithOthers,
    },
    /// Parse and full order book, cold and warm.
    Book {
        #[command(flatten)]
        input: Input,
        /// Passes, the cold one included.
        #[arg(long, default_value_t = 9)]
        passes: usize,
        /// When the books get hints of what is coming.
        #[arg(long, value_enum, default_value_t = book::Hints::Never)]
        hints: book::Hints,
        /// Of how many messages at once, at most so many; a packet has some.
        #[arg(long, default_value_t = BATCH)]
        batch: usize,
        /// Room for orders; without it 65,536 for a file and a quarter more than rest for a made market.
        #[arg(long)]
        orders: Option<usize>,
        #[command(flatten)]
        others: WithOthers,
    },
    /// Instructions of each piece under callgrind, beside those that are kept. Ends with 1 if one has grown by 5 %.
    Counts {
        /// Where they are kept: bench/counts.json.
        kept: PathBuf,
        /// Keep those of now.
        #[arg(long)]
        write: bool,
    },
    /// What `counts` runs under callgrind: a piece, some passes of it. Prints how many units of work that was.
    #[command(hide = true)]
    Work {
        /// The piece.
        piece: counts::Piece,
        /// Passes.
        passes: usize,
    },
    /// Be a contestant: this build, by the line protocol of `bench/contest`. Other labs start it.
    Serve {
        /// What to do.
        what: Service,
        /// Room for instruments.
        #[arg(long, default_value_t = 1_024)]
        instruments: usize,
        /// Room for orders.
        #[arg(long, default_value_t = 65_536)]
        orders: usize,
        /// As for `book`.
        #[arg(long, value_enum, default_value_t = book::Hints::Never)]
        hints: book::Hints,
        /// Of how many messages at once, at most so many; a packet has some.
        #[arg(long, default_value_t = BATCH)]
        batch: usize,
        /// Settings of the lane, where orders are sent.
        #[arg(long, default_value = LANE)]
        settings: String,
        /// A BinaryFILE, unpacked.
        file: PathBuf,
        /// How many bytes of it build the books up, untimed.
        built: usize,
    },
    /// Writes a made market to standard output: a day of any size for other programs to read.
    Market {
        #[command(flatten)]
        made: Made,
    },
    /// From a packet's bytes to an order's bytes, in process, with the imbalance taker; beside the straight line.
    Orders {
        #[command(flatten)]
        input: Input,
        /// Passes, each with a new lane.
        #[arg(long, default_value_t = 5)]
        passes: usize,
        /// Settings of the lane, TOML, as for `firelane`; the snapshot server is off.
        #[arg(long, default_value = LANE)]
        settings: String,
    },
    /// From an approved action to framed bytes in the outbox, beside crates that frame the same orders.
    Encode {
        /// Orders of a pass.
        #[arg(long, default_value_t = encode::ORDERS)]
        orders: usize,
        /// Passes, the cold one included.
        #[arg(long, default_value_t = 41)]
        passes: usize,
        #[command(flatten)]
        others: WithOthers,
    },
    /// The whole lane with its market maker quoting, beside backtests with a strategy that does so: --peers.
    Quotes {
        #[command(flatten)]
        input: Input,
        /// Passes, the cold one included, each with a new lane.
        #[arg(long, default_value_t = 21)]
        passes: usize,
        /// Settings of the lane, TOML, as for `firelane`; the snapshot server is off.
        #[arg(long, default_value = LANE)]
        settings: String,
        #[command(flatten)]
        others: WithOthers,
    },
    /// All of it, written down: a table, JSON, and pictures.
    All {
        #[command(flatten)]
        input: Input,
        /// The folder into which table.txt, report.json, report.html and the pictures go.
        #[arg(long, value_name = "FOLDER")]
        report: PathBuf,
        /// Passes of each contestant; fewer where a pass is long.
        #[arg(long, default_value_t = 41)]
        passes: usize,
        /// Settings of the lane for `orders` and `quotes`.
        #[arg(long, default_value = LANE)]
        settings: String,
        /// Rounds of lane and echo, wire to wire; 0: not measured.
        #[arg(long, default_value_t = 12)]
        wire_rounds: usize,
        #[command(flatten)]
        others: WithOthers,
    },
    /// Is the second build of the lab slower than the first? Ends with 1 if it is.
    Compare {
        /// A build of the lab.
        first: PathBuf,
        /// Another one.
        second: PathBuf,
        /// What they do.
        #[arg(long, value_enum, default_value_t = Service::Book)]
        what: Service,
        #[command(flatten)]
        input: Input,
        /// How often both are started: pairs.
        #[arg(long, default_value_t = 25)]
        starts: usize,
        /// Passes of each start; the first warms up.
        #[arg(long, default_value_t = 9)]
        passes: usize,
        /// By which share the second may be slower.
        #[arg(long, default_value_t = 0.01)]
        tolerance: f64,
        /// How often an equal build may be called slower.
        #[arg(long, default_value_t = 0.01)]
        alpha: f64,
        /// Settings of the lane, where orders are compared.
        #[arg(long, default_value = LANE)]
        settings: String,
        /// Seconds that one answer may take.
        #[arg(long, default_value_t = 300)]
        patience: u64,
    },
    /// From a datagram to an order on a connection, over loopback, through the live lane; beside a raw echo.
    Wire {
        /// Rounds of each, by turns.
        #[arg(long, default_value_t = 20)]
        rounds: usize,
        /// Round trips of one round.
        #[arg(long, default_value_t = 500)]
        trips: usize,
        /// Round trips before them that do not count.
        #[arg(long, default_value_t = 50)]
        settle: usize,
        /// Microseconds from one trip to the next, at least; at most three times as many, at random.
        #[arg(long, default_value_t = 100)]
        pace_us: u64,
        /// Cores of the far end, and of lane and echo; without it the first and the last.
        #[arg(long, num_args = 2, value_names = ["FAR", "NEAR"])]
        cores: Option<Vec<usize>>,
        /// Where the lane's log goes; without it, through ring and agent to nowhere.
        #[arg(long)]
        log: Option<PathBuf>,
        /// More settings of the lane, TOML, as for `firelane`.
        #[arg(long, default_value = "")]
        settings: String,
    },
}

#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
enum Service {
    /// Parse and books.
    Book,
    /// Parse alone.
    Decode,
    /// The same with crate itch5.
    Itch5,
    /// From packets to orders.
    Orders,
    /// From approved orders to frames.
    Encode,
    /// From packets to the market maker's quotes.
    Quotes,
    /// The same in one function.
    Straight,
}

/// What the lane is told where nothing else is said.
const LANE: &str = "feed.snapshot.enabled = false";

#[derive(Args, Debug)]
struct WithOthers {
    /// A program that takes part, by the line protocol: its name and arguments, to which file and built are added.
    /// Any number of times.
    #[arg(long, value_name = "PROGRAM")]
    against: Vec<String>,
    /// The peers that are on crates.io, too: the program built from bench/peers, beside this one if no path is given.
    #[arg(long, value_name = "PROGRAM", num_args = 0..=1)]
    peers: Option<Option<PathBuf>>,
    /// Seconds that one answer of a contestant may take.
    #[arg(long, default_value_t = 300)]
    patience: u64,
}

impl WithOthers {
    fn others(self) -> Others {
        let beside = || course::peers_beside().unwrap_or_else(|| course::PEERS.into());
        let peers = self.peers.map(|path| path.unwrap_or_else(beside));
        Others { against: self.against, peers, patience: Duration::from_secs(self.patience) }
    }
}

#[derive(Args, Debug)]
struct Input {
    /// A BinaryFILE (.itch), plain or packed with gzip, xz or zstd; without it a made market.
    file: Option<PathBuf>,
    #[command(flatten)]
    made: Made,
}

#[derive(Args, Clone, Copy, Debug)]
struct Made {
    /// Symbols of the made market.
    #[arg(long, default_value_t = 8_000)]
    symbols: u16,
    /// Orders that rest in the made market.
    #[arg(long, default_value_t = 2_000_000)]
    live: usize,
    /// Messages of the made market, after those that build it up.
    #[arg(long, default_value_t = 6_000_000)]
    messages: usize,
    /// Seed of the made market.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Made {
    fn market(self) -> Market {
        let Made { symbols, live, messages, seed } = self;
        Market { symbols, live, messages, seed }
    }
}

impl Input {
    fn stream(&self) -> Result<Stream> {
        stream::of(self.file.as_deref(), self.made.market())
    }

    /// The file, or a made market, which has to be open where orders are sent.
    fn for_what(&self, what: Service) -> Result<Stream> {
        match (what, &self.file) {
            (Service::Encode, _) => Ok(Stream { bytes: encode::file(encode::ORDERS)?, built: 0 }),
            (Service::Orders | Service::Straight | Service::Quotes, None) => Ok(stream::open(self.made.market())),
            _ => self.stream(),
        }
    }

    /// Books with room for it.
    fn setup(&self, orders: Option<usize>) -> book::Setup {
        let Made { live, symbols, .. } = self.made;
        let (room, instruments) = match self.file {
            Some(_) => (65_536, 1_024),
            None => (live + live / 4, usize::from(symbols)),
        };
        book::Setup { instruments, orders: orders.unwrap_or(room), hints: book::Hints::Never, batch: BATCH, passes: 0 }
    }

    /// What a build of the lab is told, to serve this.
    fn words(&self, what: Service, settings: String) -> Vec<String> {
        let name = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        match what {
            Service::Book => self.setup(None).as_arguments(),
            Service::Orders | Service::Straight | Service::Quotes => vec![name, "--settings".into(), settings],
            Service::Decode | Service::Itch5 | Service::Encode => vec![name],
        }
    }
}

fn main() -> Result<()> {
    let Cli { what, json } = Cli::parse();
    if let What::Serve { what, instruments, orders, hints, batch, settings, file, built } = what {
        // Before the machine is asked, which takes a while: contestants are started by the dozen.
        return match what {
            Service::Book => serve::book(&book::Setup { instruments, orders, hints, batch, passes: 0 }, &file, built),
            Service::Decode => serve::decode(decode::By::Firelane, &file, built),
            Service::Itch5 => serve::decode(decode::By::Itch5, &file, built),
            Service::Encode => serve::encode(&file, built),
            Service::Quotes => serve::quotes(&settings, &file, built),
            Service::Orders | Service::Straight => serve::orders(&settings, what == Service::Straight, &file, built),
        };
    }
    if let What::Work { piece, passes } = what {
        println!("{}", piece.work(passes)?);
        return Ok(());
    }
    let machine = Machine::ask();
    match what {
        What::Decode { input, rounds, others } => {
            let (stream, others) = (input.stream()?, others.others());
            if !others.is_empty() {
                return contest(json, &machine, course::decoders(&stream, input.file.as_deref(), &others, rounds)?);
            }
            tell(json, &machine, decode::measure(&stream.bytes[stream.built..], rounds)?)
        }
        What::Book { input, passes, hints, batch, orders, others } => {
            let (stream, others) = (input.stream()?, others.others());
            let setup = book::Setup { hints, batch, passes, ..input.setup(orders) };
            if others.is_empty() {
                return tell(json, &machine, book::measure(&stream, &setup));
            }
            let ours = setup.as_arguments();
            contest(json, &machine, course::books(&stream, input.file.as_deref(), &ours, &others, passes)?)
        }
        What::Serve { .. } | What::Work { .. } => Ok(()),
        What::Counts { kept, write } => {
            let report = counts::Report::of(counts::count()?, counts::read(&kept)?);
            if write {
                counts::write(&kept, &report.now)?;
            }
            let verdict = if write { Ok(()) } else { report.verdict() };
            tell(json, &machine, report)?;
            verdict
        }
        What::All { input, report, passes, settings, wire_rounds, others } => {
            let mut others = others.others();
            if others.peers.is_none() {
                others.peers = course::peers_beside();
            }
            if others.peers.is_none() {
                eprintln!("without the peers of crates.io: {}", course::HOW_TO_BUILD_PEERS);
            }
            let wire = (wire_rounds > 0).then(|| wire::Plan { rounds: wire_rounds, ..wire::Plan::default() });
            let plan = all::Plan { file: input.file, made: input.made.market(), passes, others, settings, wire };
            let command = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
            let measured = all::measure(&plan, &machine, format!("lab {command}"), |what| eprintln!("{what} ..."));
            let written = measured.write(&report)?;
            let sound = measured.is_sound();
            match json {
                true => println!("{}", serde_json::to_string_pretty(&measured)?),
                false => println!("{measured}"),
            }
            written.iter().for_each(|path| eprintln!("{}", path.display()));
            ensure!(sound, "one of the lab's own is not sound, or was not measured");
            Ok(())
        }
        What::Encode { orders, passes, others } => {
            contest(json, &machine, course::encoders(orders.max(1), &others.others(), passes)?)
        }
        What::Quotes { input, passes, settings, others } => {
            let stream = input.for_what(Service::Quotes)?;
            let report = course::quoters(&stream, input.file.as_deref(), &settings, &others.others(), passes)?;
            contest(json, &machine, report)
        }
        What::Compare { first, second, what, input, starts, passes, tolerance, alpha, settings, patience } => {
            let plan = compare::Plan { starts, passes, tolerance, alpha };
            let words = input.words(what, settings);
            let report = course::builds(
                [&first, &second],
                &words,
                &input.for_what(what)?,
                input.file.as_deref(),
                &plan,
                Duration::from_secs(patience),
            )?;
            let slower = report.slower;
            tell(json, &machine, report)?;
            if slower {
                std::process::exit(1);
            }
            Ok(())
        }
        What::Market { made } => write_market(made.market()),
        What::Orders { input, passes, settings } => {
            let stream = input.for_what(Service::Orders)?;
            tell(json, &machine, orders::measure(&stream.bytes, passes, &settings, &machine)?)
        }
        What::Wire { rounds, trips, settle, pace_us, cores, log, settings } => {
            let cores = cores.and_then(|ids| Some((*ids.first()?, *ids.get(1)?)));
            let pace = Duration::from_micros(pace_us);
            let plan = wire::Plan { rounds: rounds.max(1), trips: trips.max(1), settle, pace, cores, log, settings };
            tell(json, &machine, wire::measure(&plan)?)
        }
    }
}

fn write_market(of: Market) -> Result<()> {
    let mut out = std::io::stdout().lock();
    ensure!(!out.is_terminal(), "a market is bytes: send it to a file or another program");
    let (began, mut written, mut said) = (Instant::now(), 0, 0);
    market::write(of, &mut out, |bytes| {
        written += bytes as u64;
        if written >> 30 > said {
            said = written >> 30;
            eprintln!("{said} GiB in {:.0} s", began.elapsed().as_secs_f64());
        }
    })
    .context("standard output")
}

fn contest(json: bool, machine: &Machine, report: contest::Report) -> Result<()> {
    let sound = report.is_sound();
    tell(json, machine, report)?;
    ensure!(sound, "the lab's own is not sound");
    Ok(())
}

fn tell<R: serde::Serialize + std::fmt::Display>(json: bool, machine: &Machine, report: R) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "machine": machine, "report": report }))?);
    } else {
        println!("{machine}\n{report}");
    }
    Ok(())
}
