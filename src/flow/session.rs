//! Byte-stream sessions as the lane sees them: what the shell says about one, and where its bytes go.

use super::outbox::{Class, Outbox};
use super::wire::soupbintcp::Sink;
use crate::base::SessionId;

/// One input of a session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SessionInput<'a> {
    /// The connection that was asked for is up.
    Connected,
    /// Bytes from the peer, cut anywhere.
    Bytes(&'a [u8]),
    /// The connection is gone, or could not be made. Answers every `Disconnect` of an open connection, too.
    Closed,
    /// The peer does not read: what was sent last waits on our side. No order is worth sending behind it.
    Blocked,
    /// All that waited has been taken.
    Writable,
    /// Whole order frames that the shell's kill switch took out before they were begun: the peer will never see them.
    Dropped(&'a [u8]),
}

/// Lets a session machine write to the outbox.
#[derive(Debug)]
pub struct SessionSink<'o> {
    /// Where to.
    pub out: &'o mut Outbox,
    /// For which session.
    pub session: SessionId,
    /// How the kill switch treats it.
    pub class: Class,
}

impl Sink for SessionSink<'_> {
    fn write(&mut self, parts: &[&[u8]]) {
        self.out.send(self.session, self.class, parts);
    }
}
