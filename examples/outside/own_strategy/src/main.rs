//! The smallest program around it: `own-strategy --print-config > own.toml`, then `own-strategy own.toml`.

use own_strategy::SwingPlug;
use std::process::ExitCode;

fn main() -> ExitCode {
    firelane_gateway::run::<SwingPlug>()
}
