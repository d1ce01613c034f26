//! Wire protocols, one a file, both directions: the gateway speaks one side, the simulated venue the other.

use core::fmt;

pub mod glimpse;
pub mod itch50;
pub mod moldudp64;
pub mod normal;
pub mod ouch50;
pub mod soupbintcp;

/// What a session logs in with. The lane has no secret: it logs in with a blank in its place, so that no log, tape or dump can
/// hold one; whoever owns the socket has this, and completes what leaves. Which frame is a login, and where in it the secret
/// goes, is the protocol's to know. It must never show in debug output.
pub trait Credentials: fmt::Debug + Send + Sync {
    /// Completes frames of the session's own traffic on their way out, if they begin with a login; leaves any others as they
    /// are. The login is a write of its own.
    fn complete(&self, frames: &mut [u8]);
}
