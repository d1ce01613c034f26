//! What a feed is told at its construction, and the check of it.

use crate::base::Nanos;
use crate::flow::wire::soupbintcp::Password;
use core::fmt;

/// Where a feed begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// With message 1: whatever came before the first packet is a gap.
    First,
    /// With a snapshot, if the first packet is not the first of the session.
    Snapshot,
    /// With the first packet: books lack what came before, and are stale until a snapshot is asked for.
    Next,
}

/// How missing messages are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RerequestConfig {
    /// Is there a re-request server?
    pub enabled: bool,
    /// The most messages that one request may ask for: 1 to 65,534.
    pub max_messages: u16,
    /// How long to wait for a reply.
    pub reply_timeout: Nanos,
    /// How often to ask again when an answer brought nothing: 0 to 1,000.
    pub retries: u32,
}

/// How snapshots are asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotConfig {
    /// Username, padded with spaces on the right.
    pub username: [u8; 6],
    /// Password, padded with spaces on the right.
    pub password: Password,
    /// How long connecting, logging in, and each silence between two messages may last.
    pub timeout: Nanos,
    /// How often to try again before the snapshot counts as failed: 0 to 1,000.
    pub retries: u32,
    /// Pause before another attempt, and between two snapshots.
    pub retry_after: Nanos,
    /// Pause before another attempt once the snapshot has failed.
    pub slow_retry_after: Nanos,
    /// Bytes of the receive buffer, which bounds the length of a packet: 128 to 65,537.
    pub buffer_bytes: usize,
}

/// How a stream that comes in order is kept up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamConfig {
    /// How long connecting, and each silence between two frames, may last.
    pub timeout: Nanos,
    /// How often to connect again before it counts as failed: 0 to 1,000.
    pub retries: u32,
    /// Pause before another attempt; twice as long each time.
    pub retry_after: Nanos,
    /// The longest pause.
    pub slow_retry_after: Nanos,
}

impl StreamConfig {
    /// Is every value in its range?
    ///
    /// # Errors
    /// [`ConfigError`] names the first that is not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let require = |held: bool, field: &'static str, allowed: &'static str| {
            if held { Ok(()) } else { Err(ConfigError { field, allowed }) }
        };
        require(self.timeout > Nanos(0), "stream.timeout", "more than 0")?;
        require(self.retries <= 1_000, "stream.retries", "0 to 1000")?;
        require(self.retry_after > Nanos(0), "stream.retry_after", "more than 0")?;
        require(self.slow_retry_after >= self.retry_after, "stream.slow_retry_after", "at least stream.retry_after")
    }
}

/// What a feed is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FeedConfig {
    /// The session to listen to; `None`: the one heard first, and every one that follows it.
    pub session: Option<[u8; 10]>,
    /// Where to begin.
    pub start: Start,
    /// How many lines there are: 1 (A alone) or 2.
    pub lines: u8,
    /// The next so many messages may wait for those before them: a power of two, 2 to 2^22.
    pub window_messages: usize,
    /// The longest message that can wait: 64 to 65,535 bytes. The window takes `window_messages` times as much.
    pub window_message_bytes: usize,
    /// The longest gap that is worth asking for, in messages; and how far a packet may be ahead to be believed at
    /// once. 1 to 2^40.
    pub max_gap: u64,
    /// How long the other line has to fill a gap before messages are asked for. Zero: no time.
    pub gap_timeout: Nanos,
    /// A line is silent after so long without a packet.
    pub line_timeout: Nanos,
    /// Asking for missing messages.
    pub rerequest: RerequestConfig,
    /// Asking for snapshots; `None`: there is no server.
    pub snapshot: Option<SnapshotConfig>,
}

impl Default for FeedConfig {
    /// Two lines from message 1 on, re-requests, no snapshots.
    fn default() -> Self {
        FeedConfig {
            session: None,
            start: Start::First,
            lines: 2,
            window_messages: 1 << 16,
            window_message_bytes: 64,
            max_gap: 1_000_000,
            gap_timeout: Nanos::from_micros(500),
            line_timeout: Nanos::from_secs(3),
            rerequest: RerequestConfig {
                enabled: true,
                max_messages: 1_000,
                reply_timeout: Nanos::from_millis(20),
                retries: 5,
            },
            snapshot: None,
        }
    }
}

/// A value of the configuration is out of its range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConfigError {
    /// The field, as it is reached from [`FeedConfig`]; that of a [`StreamConfig`] behind `stream.`.
    pub field: &'static str,
    /// What it may be.
    pub allowed: &'static str,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} must be {}", self.field, self.allowed)
    }
}

impl core::error::Error for ConfigError {}

/// 65,535 is not a number of messages in MoldUDP64.
const MAX_REQUEST: u16 = 65_534;

impl FeedConfig {
    /// Is every value in its range?
    ///
    /// # Errors
    /// [`ConfigError`] names the first that is not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let require = |held: bool, field: &'static str, allowed: &'static str| {
            if held { Ok(()) } else { Err(ConfigError { field, allowed }) }
        };
        let positive = "more than 0";
        let n = self.window_messages;
        require((1..=2).contains(&self.lines), "lines", "1 or 2")?;
        require(n.is_power_of_two() && (2..=1 << 22).contains(&n), "window_messages", "a power of two, 2 to 4194304")?;
        require((64..=65_535).contains(&self.window_message_bytes), "window_message_bytes", "64 to 65535")?;
        require((1..=1 << 40).contains(&self.max_gap), "max_gap", "1 to 1099511627776")?;
        require(self.line_timeout > Nanos(0), "line_timeout", positive)?;
        let r = &self.rerequest;
        require((1..=MAX_REQUEST).contains(&r.max_messages), "rerequest.max_messages", "1 to 65534")?;
        require(r.reply_timeout > Nanos(0), "rerequest.reply_timeout", positive)?;
        require(r.retries <= 1_000, "rerequest.retries", "0 to 1000")?;
        let needed = self.start == Start::Snapshot;
        require(self.snapshot.is_some() || !needed, "snapshot", "present when start is Snapshot")?;
        if let Some(s) = &self.snapshot {
            require(s.timeout > Nanos(0), "snapshot.timeout", positive)?;
            require(s.retries <= 1_000, "snapshot.retries", "0 to 1000")?;
            require(s.retry_after > Nanos(0), "snapshot.retry_after", positive)?;
            require(s.slow_retry_after >= s.retry_after, "snapshot.slow_retry_after", "at least snapshot.retry_after")?;
            require((128..=65_537).contains(&s.buffer_bytes), "snapshot.buffer_bytes", "128 to 65537")?;
        }
        Ok(())
    }
}
