//! The program `firelane`: the command line over the gateway and the simulated world.

mod cli;
mod log;
mod progress;
mod replay;
mod wirings;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Replay(options) => replay::run(&options),
        cli::Command::Log(command) => log::run(&command),
        cli::Command::Demo(_) => unreachable!(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("firelane: {error:#}");
            ExitCode::from(1)
        }
    }
}
