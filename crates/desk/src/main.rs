//! The program `firelane`: the command line over the gateway and the simulated world.

mod cli;
mod demo;
mod log;
mod progress;
mod replay;
mod wirings;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match cli::Cli::parse().command {
        cli::Command::Demo(options) => demo::run(&options),
        cli::Command::Replay(options) => replay::run(&options),
        cli::Command::Log(command) => log::run(&command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("firelane: {error:#}");
            ExitCode::from(1)
        }
    }
}
