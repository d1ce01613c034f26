//! The smallest program around a strategy: this one takes when the book leans. `firelane` has more commands.

use firelane_gateway::shell::plugs::Taker;
use std::process::ExitCode;

fn main() -> ExitCode {
    firelane_gateway::run::<Taker>()
}
