//! Sockets: UDP lines, the re-request server's address, and byte-stream sessions. Nothing here waits: every call does
//! what can be done now and says what happened.
//!
//! What is a session's business and what the lane's is cut as follows: the lane writes whole frames and is told
//! [`Event`]s; a [`Session`] makes connections, keeps frames whole under partial writes, and drops orders while the
//! [`KillSwitch`] is thrown. Nothing allocates after construction.

mod address;
mod queue;
mod tcp;
mod udp;

pub use super::sync::KillSwitch;
pub use address::{AddressError, LineAddress, parse_address};
pub use tcp::{Event, Login, Sent, Session, SessionConfig, SessionCounters, Why};
pub use udp::{LineCounters, RerequestSocket, UdpLine};

/// Polls until there is an answer. The limit is there for a test that hangs, not to measure anything.
#[cfg(test)]
fn until<T>(what: &str, mut step: impl FnMut() -> Option<T>) -> T {
    let since = std::time::Instant::now();
    loop {
        if let Some(answer) = step() {
            return answer;
        }
        assert!(since.elapsed().as_secs() < 30, "waited in vain for {what}");
        std::thread::sleep(std::time::Duration::from_micros(50));
    }
}
