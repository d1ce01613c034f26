//! What the shell tells the lane about a byte-stream session.

/// One input of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionInput<'a> {
    /// The connection that was asked for is up.
    Connected,
    /// Bytes from the peer, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection is gone, or could not be made. Answers every `Disconnect`, too.
    Closed,
}
