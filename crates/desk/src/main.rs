//! The program `firelane`: the command line over the gateway and the simulated world.

#[macro_use]
mod output;

mod cli;
mod control;
mod counters;
mod demo;
mod dump;
mod kill;
mod layout;
mod log;
mod nearest;
mod notices;
mod progress;
mod replay;
mod run;
mod screen;
mod signals;
mod status;
mod times;
mod venue;
mod wirings;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Demo(options) => demo::run(&options),
        cli::Command::Replay(options) => replay::run(&options),
        cli::Command::Run(options) => run::run(&options),
        cli::Command::Status(options) => status::run(&options),
        cli::Command::Kill(options) => kill::run(&options),
        cli::Command::Venue(options) => venue::run(&options),
        cli::Command::Log(command) => log::run(&command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("firelane: {}", explain(&error));
            ExitCode::from(1)
        }
    }
}

/// The error and its causes, each once: some say their cause themselves.
fn explain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}
