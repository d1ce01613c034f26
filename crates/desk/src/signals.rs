//! What signals mean to a command that goes on for long.

use firelane_gateway::shell::net::KillSwitch;
use firelane_gateway::shell::sync::Stop;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;
use std::io;

/// Raised by the first of SIGINT, SIGTERM and SIGHUP (a terminal that is closed): end in order. The second one ends the
/// process at once, whatever it is doing.
pub(crate) fn asked_to_end() -> io::Result<Stop> {
    let stop = Stop::new();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, 1, stop.flag())?;
        flag::register(signal, stop.flag())?;
    }
    Ok(stop)
}

/// A kill switch that SIGUSR1 throws from now on, before there is a lane as well as after.
pub(crate) fn kill_switch() -> io::Result<KillSwitch> {
    let kill = KillSwitch::new();
    flag::register(SIGUSR1, kill.flag())?;
    Ok(kill)
}
