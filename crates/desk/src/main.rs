//! The program `firelane`: the command line over the gateway and the simulated world.

mod cli;
mod progress;
mod replay;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Replay(options) => replay::run(&options),
        cli::Command::Demo(_) | cli::Command::Log(_) => unreachable!(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("firelane: {error:#}");
            ExitCode::from(1)
        }
    }
}
