//! The snapshot server: Glimpse 5.0 over `SoupBinTCP` (Nasdaq's specification of that name), with the faults of one that
//! is overloaded, restarted or behind.
//!
//! A client logs in at message 1, gets the state of the whole market as ITCH messages and, last, the number of the
//! first live message to apply. The state comes from the owner, who takes it at the same instant as the publisher's
//! [`next_sequence`](super::publisher::Publisher::next_sequence).
//!
//! TCP loses nothing in the middle, so a bad snapshot is one that ends early, never ends, or is old; that is all a
//! client has to detect.

use crate::net::Faults;
use crate::rng::Rng;
use crate::venue::farewell::{Name, Why};
use firelane_gateway::base::{Mono, Nanos};
use firelane_gateway::flow::wire::glimpse::{self, Padding};
use firelane_gateway::flow::wire::soupbintcp::{Ahead, Server, ServerConfig, ServerEvent, Sink};

/// The state of the market at one instant.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Snapshot {
    /// ITCH messages that make it up, in the order of the specification: S, R of all symbols, H, Y, A and F, h.
    pub messages: Vec<Vec<u8>>,
    /// The first live message that is not in it.
    pub next_sequence: u64,
}

/// How one login is served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// Whole and at the usual pace.
    Healthy,
    /// Whole, at a twentieth of the pace: live messages pile up at the client.
    Slow,
    /// The last snapshot taken, if there is one, however old: its number may lie before all that the client buffered.
    Stale,
    /// The connection is closed somewhere in the middle.
    Torn,
    /// Falls silent somewhere in the middle, but for heartbeats.
    Stalled,
    /// All of the state, but not its end: the connection is closed instead.
    Unfinished,
}

/// How to serve snapshots.
#[derive(Clone, Debug)]
pub struct GlimpseConfig {
    /// Who may log in, and the session's timing.
    pub login: ServerConfig,
    /// So many messages at a time...
    pub batch: usize,
    /// ...this far apart.
    pub pace: Nanos,
    /// How the number at the end is padded, which no document states.
    pub padding: Padding,
    /// A snapshot is taken so often even when nobody asks, for [`Mode::Stale`] to serve. Zero: only on demand.
    pub refresh: Nanos,
    /// How a login is served: one of these, by weight. None is [`Mode::Healthy`].
    pub modes: Vec<(Mode, u32)>,
}

impl GlimpseConfig {
    /// What a fault profile means to this server.
    #[must_use]
    pub fn under(faults: Faults, mut login: ServerConfig) -> Self {
        // There is nothing after message 1 to resume from: log in there or not at all.
        login.ahead = Ahead::Reject;
        let modes = match faults {
            Faults::None => vec![],
            Faults::Light => vec![(Mode::Healthy, 80), (Mode::Slow, 10), (Mode::Stale, 10)],
            Faults::Heavy => vec![
                (Mode::Healthy, 40),
                (Mode::Slow, 10),
                (Mode::Stale, 20),
                (Mode::Torn, 10),
                (Mode::Stalled, 10),
                (Mode::Unfinished, 10),
            ],
        };
        GlimpseConfig {
            login,
            batch: 200,
            pace: Nanos::from_micros(100),
            padding: Padding::LeadingSpaces,
            refresh: if faults == Faults::None { Nanos(0) } else { Nanos::from_secs(2) },
            modes,
        }
    }
}

/// What became of logins.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct GlimpseStats {
    /// Accepted.
    pub logins: u64,
    /// Rejected.
    pub rejected: u64,
    /// Served to the end.
    pub completed: u64,
    /// Of these: with a snapshot that was taken before the login.
    pub stale: u64,
    /// Closed in the middle.
    pub torn: u64,
    /// Silent from the middle on.
    pub stalled: u64,
    /// Closed instead of ended.
    pub unfinished: u64,
    /// Clients that logged out.
    pub logouts: u64,
    /// Connections closed because the client was silent or spoke something else.
    pub client_faults: u64,
}

impl GlimpseStats {
    /// Of both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        GlimpseStats {
            logins: self.logins + other.logins,
            rejected: self.rejected + other.rejected,
            completed: self.completed + other.completed,
            stale: self.stale + other.stale,
            torn: self.torn + other.torn,
            stalled: self.stalled + other.stalled,
            unfinished: self.unfinished + other.unfinished,
            logouts: self.logouts + other.logouts,
            client_faults: self.client_faults + other.client_faults,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Nobody is logged in, or all has been sent.
    Idle,
    /// Someone is logged in; the owner is asked for a snapshot.
    Waiting(Mode),
    /// So many messages are sent, the next at `at`; after `stop` of them comes what the mode does.
    Sending { mode: Mode, sent: usize, at: Mono, stop: usize },
}

/// The server, for one connection at a time; several clients at once are served by as many. After every call: send what was put into `out`, close if
/// [`must_close`](Self::must_close) (and then call [`on_closed`](Self::on_closed)), and give a snapshot if it
/// [wants one](Self::wants_snapshot).
#[derive(Debug)]
pub struct GlimpseServer {
    config: GlimpseConfig,
    rng: Rng,
    session: Server,
    phase: Phase,
    snapshot: Snapshot,
    /// When it was taken, if there is one.
    taken_at: Option<Mono>,
    /// The connection is to be closed, and why.
    closing: Option<Why>,
    stats: GlimpseStats,
}

struct Out<'a>(&'a mut Vec<u8>);

impl Sink for Out<'_> {
    fn write(&mut self, parts: &[&[u8]]) {
        for part in parts {
            self.0.extend_from_slice(part);
        }
    }
}

impl GlimpseServer {
    /// A server without a client.
    #[must_use]
    pub fn new(config: GlimpseConfig, rng: Rng) -> Self {
        GlimpseServer {
            session: Server::new(config.login.clone()),
            config,
            rng,
            phase: Phase::Idle,
            snapshot: Snapshot::default(),
            taken_at: None,
            closing: None,
            stats: GlimpseStats::default(),
        }
    }

    /// From the next login on it is healthy.
    pub fn heal(&mut self) {
        self.config.modes.clear();
    }

    /// A client has connected.
    pub fn on_connected(&mut self, now: Mono) {
        self.session.on_connected(now);
        self.phase = Phase::Idle;
        self.closing = None;
    }

    /// The connection is gone, whoever closed it.
    pub fn on_closed(&mut self, now: Mono) {
        self.session.on_closed(now);
        self.phase = Phase::Idle;
        self.closing = None;
    }

    /// Is the connection to be closed?
    #[must_use]
    pub fn must_close(&self) -> bool {
        self.closing.is_some() || self.session.must_close()
    }

    /// Why the connection is to be closed.
    #[must_use]
    pub fn why(&self) -> Why {
        self.closing.unwrap_or(Why::SessionEnded)
    }

    /// The name that its client tried to log in with.
    #[must_use]
    pub fn tried(&self) -> Option<Name> {
        self.session.tried().map(Name)
    }

    /// Has its client got all that it logged in for? Then it is only polite to leave it its place.
    #[must_use]
    pub fn is_served(&self) -> bool {
        self.session.is_live() && self.phase == Phase::Idle
    }

    /// The market-data session has changed: what was taken of the old one is void, and so is a snapshot on its way.
    pub fn on_session_change(&mut self) {
        self.taken_at = None;
        if matches!(self.phase, Phase::Sending { .. }) {
            self.closing.get_or_insert(Why::SnapshotVoid);
        }
    }

    /// Bytes from the client.
    pub fn on_bytes(&mut self, now: Mono, mut bytes: &[u8], out: &mut Vec<u8>) {
        loop {
            let taken = self.session.on_bytes(now, bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            self.take_events(now, out);
            if bytes.is_empty() || self.must_close() {
                return;
            }
        }
    }

    fn take_events(&mut self, now: Mono, out: &mut Vec<u8>) {
        // The session holds nothing yet: a login at any number but the first is ahead of it.
        while let Some(event) = self.session.next_event(now, 1, &mut Out(out)) {
            if let Some(why) = Why::of(&event) {
                self.closing.get_or_insert(why);
            }
            match event {
                ServerEvent::Replay { .. } => {
                    self.stats.logins += 1;
                    let mode = self.rng.weighted(&self.config.modes).unwrap_or(Mode::Healthy);
                    if mode == Mode::Stale && self.taken_at.is_some() {
                        self.stats.stale += 1;
                        self.begin(now, mode);
                    } else {
                        self.phase = Phase::Waiting(mode);
                    }
                }
                ServerEvent::Rejected(_) => self.stats.rejected += 1,
                ServerEvent::Logout => self.stats.logouts += 1,
                ServerEvent::Dead | ServerEvent::ProtocolError(_) => self.stats.client_faults += 1,
                ServerEvent::Unsequenced(_)
                | ServerEvent::Heartbeat
                | ServerEvent::Debug(_)
                | ServerEvent::Skipped { .. } => {}
            }
        }
    }

    /// Is a client logged in?
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.session.is_live()
    }

    /// Should the owner take a snapshot and [give](Self::give) it now?
    #[must_use]
    pub fn wants_snapshot(&self, now: Mono) -> bool {
        matches!(self.phase, Phase::Waiting(_)) || self.refresh_at() <= now
    }

    fn refresh_at(&self) -> Mono {
        match (self.config.refresh, self.taken_at, self.phase) {
            // What is being sent stays.
            (Nanos(0), ..) | (.., Phase::Sending { .. }) => Mono::NEVER,
            (_, None, _) => Mono(0),
            (refresh, Some(taken_at), _) => taken_at.after(refresh),
        }
    }

    /// The snapshot, taken at `now`. Ignored while another one is being sent.
    pub fn give(&mut self, now: Mono, snapshot: Snapshot) {
        if matches!(self.phase, Phase::Sending { .. }) {
            return;
        }
        self.snapshot = snapshot;
        self.taken_at = Some(now);
        if let Phase::Waiting(mode) = self.phase {
            self.begin(now, mode);
        }
    }

    fn begin(&mut self, now: Mono, mode: Mode) {
        let all = self.snapshot.messages.len();
        let stop = match mode {
            Mode::Healthy | Mode::Slow | Mode::Stale => usize::MAX,
            Mode::Torn | Mode::Stalled => self.rng.index(all),
            Mode::Unfinished => all,
        };
        self.phase = Phase::Sending { mode, sent: 0, at: now, stop };
    }

    /// When to call [`on_timer`](Self::on_timer) next.
    #[must_use]
    pub fn next_deadline(&self) -> Mono {
        let send_at = match self.phase {
            Phase::Sending { at, .. } => at,
            Phase::Idle | Phase::Waiting(_) => Mono::NEVER,
        };
        self.session.next_deadline().min(send_at).min(self.refresh_at())
    }

    /// Time has passed: sends what is due.
    pub fn on_timer(&mut self, now: Mono, out: &mut Vec<u8>) {
        self.session.on_timer(now, &mut Out(out));
        self.take_events(now, out);
        if self.must_close() {
            return;
        }
        if let Phase::Sending { mode, sent, at, stop } = self.phase
            && at <= now
        {
            self.send(now, mode, sent, stop, out);
        }
    }

    fn send(&mut self, now: Mono, mode: Mode, sent: usize, stop: usize, out: &mut Vec<u8>) {
        let all = self.snapshot.messages.len();
        let until = sent.saturating_add(self.config.batch.max(1)).min(all).min(stop);
        for message in &self.snapshot.messages[sent..until] {
            // No ITCH message is too long for a packet.
            let _fits = self.session.send_sequenced(now, &[message], &mut Out(out));
        }
        let stops = until == stop;
        let pace = if mode == Mode::Slow { self.config.pace.0.saturating_mul(20) } else { self.config.pace.0 };
        let at = if stops { Mono::NEVER } else { now.after(Nanos(pace.max(1))) };
        self.phase = Phase::Sending { mode, sent: until, at, stop };
        if stops {
            match mode {
                Mode::Stalled => self.stats.stalled += 1,
                Mode::Torn => self.stats.torn += 1,
                _ => self.stats.unfinished += 1,
            }
            self.closing = (mode != Mode::Stalled).then_some(Why::BadDay);
        } else if until == all {
            let end = glimpse::encode_end(self.snapshot.next_sequence, self.config.padding);
            let _fits = self.session.send_sequenced(now, &[&end], &mut Out(out));
            self.stats.completed += 1;
            self.phase = Phase::Idle;
        }
    }

    /// What became of logins so far.
    #[must_use]
    pub fn stats(&self) -> GlimpseStats {
        self.stats
    }
}

#[cfg(test)]
mod tests;
