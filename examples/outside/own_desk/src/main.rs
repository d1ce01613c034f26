//! The whole of `firelane` around both: demo, replay, run, status, kill, check, and its logs can be verified.
//!
//! `own-desk demo --log own.log`, then `own-desk log verify own.log`.

use own_signal::BurstPlug;
use own_strategy::SwingPlug;
use std::process::ExitCode;

fn main() -> ExitCode {
    firelane_desk::main(&[firelane_desk::plug::<SwingPlug>(), firelane_desk::plug::<BurstPlug>()])
}
