//! The program `firelane` as a library: the command line over the gateway and the simulated world, around strategies of
//! one's own.
//!
//! ```no_run
//! use firelane_gateway::shell::plugs::{Listener, Taker};
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     // What is named first is what the demo trades.
//!     firelane_desk::main(&[firelane_desk::plug::<Taker>(), firelane_desk::plug::<Listener>()])
//! }
//! ```
//!
//! Such a program has all that `firelane` has: demo, replay, run, status, kill, check, and what it logs can be verified by
//! it. What can be plugged in is a [`Plug`](firelane_gateway::shell::plug::Plug).
// They panic where they cannot write, and a panic ends a process with its orders alive: see `output`.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

#[macro_use]
mod output;

mod arbitrage;
mod beside;
mod chart;
mod check;
mod cli;
mod command;
mod control;
mod counters;
mod demo;
mod detector;
mod dump;
mod install;
mod invoked;
mod ising;
mod judged;
mod kill;
mod layout;
mod log;
mod money;
mod nearest;
mod notices;
mod outfile;
mod paint;
mod portfolio;
mod progress;
mod quantum;
mod rebalance;
mod replay;
mod run;
mod screen;
mod settings;
mod spikes;
mod status;
mod tape;
mod times;
mod var;
mod venue;
mod wirings;

use clap::{ColorChoice, FromArgMatches};
use std::io::{self, Write};
use std::process::ExitCode;

pub use firelane_gateway::shell::plug::{Plugged, plugged as plug};
pub use wirings::{ALL, Combined};

/// The whole program with these plugs: reads its command line, and does what it says.
#[must_use]
pub fn main(plugs: &[Plugged]) -> ExitCode {
    if let Err(error) = wirings::plug_in(plugs) {
        output::complain(format_args!("firelane: {error}"));
        return ExitCode::from(1);
    }
    let line = cli::command(layout::width())
        .color(wanted_early())
        .try_get_matches()
        .and_then(|mut arguments| cli::Cli::from_arg_matches_mut(&mut arguments));
    let line = match line {
        Ok(line) => line,
        Err(error) => {
            let written = error.print();
            if error.use_stderr() {
                return u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from);
            }
            // Help and version are results.
            output::text_written(&written.and_then(|()| io::stdout().flush()));
            return output::code(ExitCode::SUCCESS);
        }
    };
    paint::choose(line.color);
    let outcome = match line.command {
        cli::Command::Demo(options) => demo::run(&options),
        cli::Command::Replay(options) => replay::run(&options),
        cli::Command::Run(options) => run::run(&options),
        cli::Command::Status(options) => status::run(&options),
        cli::Command::Kill(options) => kill::run(&options),
        cli::Command::Say(options) => command::run(&options),
        cli::Command::Enable(options) => kill::enable(&options),
        cli::Command::Venue(options) => venue::run(&options),
        cli::Command::Check(options) => check::run(&options),
        cli::Command::Completions(options) => install::completions(&options),
        cli::Command::Man(options) => install::man(&options),
        cli::Command::Log(command) => log::run(&command),
        cli::Command::Tape(command) => tape::run(&command),
        cli::Command::Spikes(command) => spikes::run(&command),
        cli::Command::Quantum(command) => quantum::run(&command),
        cli::Command::Var(options) => var::run(&options),
        cli::Command::Portfolio(command) => portfolio::run(&command),
        cli::Command::Arbitrage(command) => arbitrage::run(&command),
        cli::Command::Ising(command) => ising::run(&command),
    };
    match outcome {
        Ok(code) => output::code(code),
        Err(error) => {
            output::complain(format_args!("firelane: {}", explain(&error)));
            ExitCode::from(1)
        }
    }
}

/// The error and its causes, each once: some say their cause themselves.
fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(|cause| without_number(&cause.to_string())) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

/// What the system says, without its number for it: `No such file or directory (os error 2)` says all in its words.
fn without_number(text: &str) -> String {
    let Some((before, after)) = text.split_once(" (os error ") else { return text.to_owned() };
    match after.split_once(')') {
        Some((number, rest)) if number.bytes().all(|b| b.is_ascii_digit()) => format!("{before}{rest}"),
        _ => text.to_owned(),
    }
}

/// `--color`, for what is said before the command line has been read: its help, and what is wrong with it.
fn wanted_early() -> ColorChoice {
    let arguments: Vec<String> = std::env::args().collect();
    let of = |word: &str| match word {
        "always" => Some(ColorChoice::Always),
        "never" => Some(ColorChoice::Never),
        _ => None,
    };
    let joined = arguments.iter().find_map(|one| one.strip_prefix("--color=").and_then(of));
    let apart = arguments.windows(2).find(|pair| pair[0] == "--color").and_then(|pair| of(&pair[1]));
    joined.or(apart).unwrap_or_default()
}
