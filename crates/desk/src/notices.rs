//! What a person hears of a running lane: one clear line for each change, none for what only goes on.
//!
//! The lane says on its tape what happens, in numbers ([`Notice`]). Here that becomes words, with what to check. An
//! attempt that fails as the one before did is no change.

mod anomalies;

use crate::replay::group;
use crate::screen::Level;
use crate::times::span;
use firelane_gateway::base::{Mono, Name, Nanos, PerVenue, SessionId, VenueId};
use firelane_gateway::flow::entry::{Away, Detail, Fault};
use firelane_gateway::flow::feed::SnapshotTrouble;
use firelane_gateway::flow::orders::Anomaly;
use firelane_gateway::flow::record::{Alert, StatusBody, VenueStatusBody};
use firelane_gateway::shell::config::{Config, NetConfig, VenueConfig};
use firelane_gateway::shell::live::Notice;
use firelane_gateway::shell::net::Why;
use std::collections::BTreeSet;

/// What keeps order entry from being ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Trouble {
    /// No connection.
    Link(Why),
    /// A connection, and a venue that does not answer or does not read. That it is given up in the end is no news.
    Stalled,
    /// The venue has no such session now.
    NoSession,
    /// What it sent makes no sense.
    Garbled,
    /// It has disabled order entry.
    Disabled,
    /// Its day is over.
    DayOver,
    /// Orders of an earlier run live there that could not be taken over.
    Incomplete,
}

/// Where order entry stands, as far as people know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Entry {
    Opening,
    Ready,
    Away(Trouble),
    Closing,
    Over,
}

/// A kind of line that may come very often: said once in a while, with how many were not.
#[derive(Clone, Copy, Default, Debug)]
struct Seldom {
    said: Option<Mono>,
    unsaid: u64,
}

impl Seldom {
    const PAUSE: Nanos = Nanos::from_secs(10);

    /// What follows the line, if it is to be said.
    fn say(&mut self, at: Mono) -> Option<String> {
        if self.said.is_some_and(|said| at < said.after(Self::PAUSE)) {
            self.unsaid += 1;
            return None;
        }
        self.said = Some(at);
        let unsaid = std::mem::take(&mut self.unsaid);
        Some(if unsaid == 0 { String::new() } else { format!(" ({} more since the last such line)", group(unsaid)) })
    }
}

/// Turns notices into lines: of a lane of several venues, what is said of one begins with its name.
pub(crate) struct Notices {
    venues: PerVenue<AtVenue>,
    /// Their names; empty where there is one alone.
    names: Vec<String>,
    log_stalls: u64,
    stalls_said: Seldom,
    tape_lost: u64,
    tape_said: Seldom,
}

impl Notices {
    pub(crate) fn new(config: &Config) -> Self {
        let named = config.venues.count() > 1;
        let names = config.venues.iter().filter(|_| named).map(|(_, venue)| venue.to_string());
        Notices {
            venues: config.venues.map(|at, venue| {
                AtVenue::new(&config.lane.name, venue, config.live.net.get(at).unwrap_or(config.live.net.first()))
            }),
            names: names.collect(),
            log_stalls: 0,
            stalls_said: Seldom::default(),
            tape_lost: 0,
            tape_said: Seldom::default(),
        }
    }

    /// Why order entry is over somewhere, if it is over for a fault; that a day has ended counts once it has everywhere.
    pub(crate) fn fault(&self) -> Option<Fault> {
        let all = || self.venues.iter().map(|(_, venue)| venue.fault);
        let worst = all().flatten().find(|fault| *fault != Fault::Ended);
        worst.or_else(|| all().all(|fault| fault.is_some()).then_some(Fault::Ended))
    }

    /// Has order entry been ready everywhere in this run? If not, orders of an earlier one may live and nobody knows.
    pub(crate) fn was_ever_ready(&self) -> bool {
        self.venues.iter().all(|(_, venue)| venue.ever_ready)
    }

    /// The line for a notice, if it is news.
    pub(crate) fn tell(&mut self, at: Mono, notice: &Notice) -> Option<String> {
        let venue = match *notice {
            Notice::Link(venue, ..) => Some(venue),
            Notice::Alert { alert: alert @ (Alert::PartKilled | Alert::PartReleased), first: 1, second, .. } => {
                return Some(self.part_of_venue(alert, second));
            }
            Notice::Alert { venue, .. } => venue,
            Notice::Anomaly { anomaly, .. } => Some(anomaly.venue),
        };
        let text = self.venues.get_mut(venue.unwrap_or(VenueId::FIRST))?.tell(at, notice)?;
        Some(self.of(venue, text))
    }

    /// What is said of a venue begins with its name, where there are several.
    fn of(&self, venue: Option<VenueId>, text: String) -> String {
        match venue.and_then(|venue| self.names.get(usize::from(venue.0))) {
            Some(name) => format!("{name}: {text}"),
            None => text,
        }
    }

    /// The kill switch of one venue.
    fn part_of_venue(&self, alert: Alert, venue: u64) -> String {
        let name = usize::try_from(venue).ok().and_then(|venue| self.names.get(venue));
        let of = name.map_or_else(|| format!("venue {venue}"), |name| format!("venue {venue} ({name})"));
        part_line(alert, &of)
    }

    /// Lines for what a status says that no notice does. `venues`: what is said of each, where there are several.
    pub(crate) fn status(&mut self, at: Mono, status: &StatusBody, venues: &[VenueStatusBody]) -> Vec<(Level, String)> {
        let mut lines = if self.names.is_empty() { self.venues.first_mut().market(at, status) } else { Vec::new() };
        for said in venues.iter().filter(|_| !self.names.is_empty()) {
            let venue = VenueId(said.venue);
            let Some(market) = self.venues.get_mut(venue) else { continue };
            let told = market.market(at, &alone(said));
            lines.extend(told.into_iter().map(|(level, text)| (level, self.of(Some(venue), text))));
        }
        let stalls = status.log_stalls.get();
        if stalls > self.log_stalls
            && let Some(more) = self.stalls_said.say(at)
        {
            lines.push((Level::Warn, format!(
                "Log: its ring was full {} times so far; meanwhile no market was taken and nothing rested: the disk is too \
                 slow, or log.ring_bytes too small{more}.",
                group(stalls)
            )));
        }
        self.log_stalls = stalls;
        let lost = status.tape_lost.get();
        if lost > self.tape_lost
            && let Some(more) = self.tape_said.say(at)
        {
            lines.push((Level::Warn, format!(
                "Tape: {} records are lost so far for want of room; trading is not concerned (tape.ring_bytes){more}.",
                group(lost)
            )));
        }
        self.tape_lost = lost;
        lines
    }

    /// How much a notice matters.
    pub(crate) fn level(notice: &Notice) -> Level {
        let Notice::Alert { alert, first, .. } = notice else {
            return if matches!(notice, Notice::Anomaly { .. }) { Level::Error } else { Level::Warn };
        };
        match alert {
            Alert::GapOpened | Alert::GapClosed => Level::Detail,
            Alert::EntryReady
            | Alert::Released
            | Alert::SnapshotBegin
            | Alert::SnapshotEnd
            | Alert::SessionChanged
            | Alert::SessionGoesOn
            | Alert::MarketBack
            | Alert::LineBack
            | Alert::PartReleased
            | Alert::Joined => Level::Info,
            Alert::EntryOver if *first == 0 => Level::Info,
            Alert::EntryOver if *first == Fault::Ended as u64 + 1 => Level::Warn,
            Alert::EntryOver | Alert::LinesDiffer | Alert::FeedOverrun | Alert::Fault | Alert::Stuck => Level::Error,
            Alert::Lost
            | Alert::SnapshotFailed
            | Alert::SnapshotAhead
            | Alert::EndOfSession
            | Alert::MarketSilent
            | Alert::JumpDropped
            | Alert::LineSilent
            | Alert::BookFault
            | Alert::Skipped
            | Alert::Killed
            | Alert::PartKilled
            | Alert::EntryLost
            | Alert::TooManyActions
            | Alert::Orphan => Level::Warn,
        }
    }
}

/// What is said of one venue, as if it were alone. Messages are counted for all together.
fn alone(said: &VenueStatusBody) -> StatusBody {
    StatusBody { market: said.market, stale: said.stale, live_market: said.live_market, ..StatusBody::default() }
}

/// A kill switch of a part of the lane.
fn part_line(alert: Alert, of: &str) -> String {
    match alert {
        Alert::PartKilled => {
            format!("KILL SWITCH of {of} thrown: no order leaves there, what rests there is cancelled.")
        }
        _ => format!("Kill switch of {of} released: orders may leave there again, unless another one holds them."),
    }
}

/// What is known of one venue.
struct AtVenue {
    /// Of one of several lanes: its name.
    lane: String,
    /// What its keys begin with in the configuration.
    key: String,
    orders: String,
    username: String,
    password_env: String,
    reconnect: String,
    send_queue: usize,
    dead_after: String,
    login_timeout: String,
    /// Where snapshots come from, by a server or with a stream, and the key that says it.
    snapshot: String,
    snapshot_key: String,
    snapshot_login: String,
    /// Does its market come over a stream?
    streams: bool,
    /// Is there a snapshot server?
    snapshots: bool,
    lines: [String; 2],
    line_timeout: String,
    /// The longest gap that the re-request server is asked about, if there is one.
    asks_up_to: Option<u64>,

    entry: Entry,
    /// Since when order entry is not ready.
    away_since: Mono,
    fault: Option<Fault>,
    ever_ready: bool,
    snapshot_link: Option<Why>,
    lost: Seldom,
    jumps: Seldom,
    ahead: Seldom,
    book_faults: Seldom,
    skipped: Seldom,
    orphans: Seldom,
    too_many: Seldom,
    /// Of the market: the first message has come, it is live, it ever was, and that it is not has been said.
    joined: bool,
    live: bool,
    ever_live: bool,
    not_live_said: bool,
    not_live: Seldom,
    gaps: u64,
    gaps_said: Seldom,
    /// Symbols whose books were contradicted, or missed something, since all could be trusted.
    doubted: BTreeSet<String>,
}

/// The number of a line, if it is one of the two.
fn line_of(line: u64) -> Option<u64> {
    (line < 2).then_some(line)
}

impl AtVenue {
    fn new(lane: &str, config: &VenueConfig, net: &NetConfig) -> Self {
        let text = |padded: &[u8]| padded.trim_ascii().escape_ascii().to_string();
        let login = &config.entry.login;
        let username = config.feed.snapshot.as_ref().map_or(String::new(), |s| text(&s.username));
        let (snapshot, snapshot_key, timeout) = match net.stream {
            Some(stream) => (stream, net.key("stream"), config.stream.timeout),
            None => (net.snapshot, net.key("snapshot"), config.feed.line_timeout),
        };
        AtVenue {
            lane: lane.to_owned(),
            key: config.key.clone(),
            orders: net.orders.to_string(),
            username: text(&login.username),
            password_env: config.secrets.entry.clone(),
            reconnect: span(config.entry.reconnect_delay.0),
            send_queue: net.send_queue,
            dead_after: span(login.dead_after.0),
            login_timeout: span(login.login_timeout.0),
            snapshot: snapshot.to_string(),
            snapshot_key,
            snapshot_login: format!(
                "{} = {username:?} and the password in {}",
                config.key("feed.snapshot.username"),
                config.secrets.snapshot
            ),
            streams: net.stream.is_some(),
            snapshots: config.feed.snapshot.is_some() || net.stream.is_some(),
            lines: net.lines.each_ref().map(ToString::to_string),
            line_timeout: span(timeout.0),
            asks_up_to: config.feed.rerequest.enabled.then_some(config.feed.max_gap),
            entry: Entry::Opening,
            away_since: Mono(0),
            fault: None,
            ever_ready: false,
            snapshot_link: None,
            lost: Seldom::default(),
            jumps: Seldom::default(),
            ahead: Seldom::default(),
            book_faults: Seldom::default(),
            skipped: Seldom::default(),
            orphans: Seldom::default(),
            too_many: Seldom::default(),
            joined: false,
            live: false,
            ever_live: false,
            not_live_said: false,
            not_live: Seldom::default(),
            gaps: 0,
            gaps_said: Seldom::default(),
            doubted: BTreeSet::new(),
        }
    }

    /// The line for a notice, if it is news.
    fn tell(&mut self, at: Mono, notice: &Notice) -> Option<String> {
        match *notice {
            Notice::Link(_, SessionId::ORDERS, why) => self.order_link(at, why?),
            Notice::Link(_, _, why) => {
                self.snapshot_link = why.or(self.snapshot_link);
                None
            }
            Notice::Alert { alert, name, first, second, .. } => {
                self.alert(at, alert, Some(name).filter(|name| *name != Name::BLANK), first, second)
            }
            Notice::Anomaly { anomaly, name, stops } => Some(self.anomaly(&anomaly, name, stops)),
        }
    }

    /// What the venue said that cannot be. One of each kind comes, until trading is enabled again.
    fn anomaly(&self, anomaly: &Anomaly, name: Name, stops: bool) -> String {
        let Anomaly { what, venue: _, report, token, order, instrument: _, said, known } = *anomaly;
        let symbol = name.to_string();
        let order = order.map_or(0, |id| id.0);
        let words = anomalies::Said { what, report, symbol: &symbol, token, order, said, known };
        let (text, remedy) = (words.text(), anomalies::remedy(stops, &self.lane));
        format!("The venue at {} said what cannot be: {text}.{remedy}", self.orders)
    }

    /// How the market goes on: joined, live or not, and who filled its gaps.
    fn market(&mut self, at: Mono, status: &StatusBody) -> Vec<(Level, String)> {
        let mut lines = Vec::new();
        let (messages, next) = (status.messages.get(), status.market.next_sequence.get());
        if messages > 0 && !std::mem::replace(&mut self.joined, true) {
            let first = next.saturating_sub(messages);
            lines.push((Level::Info, format!("Market: joined at message {}.", group(first.max(1)))));
        }
        let (live, stale) = (status.live_market == 1, status.stale.get());
        if live && stale == 0 {
            self.doubted.clear();
        }
        if live != self.live {
            self.live = live;
            if live && (!self.ever_live || self.not_live_said) {
                let again = if self.ever_live { " again" } else { "" };
                let text = format!("Market: live{again}, the next message is {}.", group(next));
                (self.ever_live, self.not_live_said) = (true, false);
                lines.push((Level::Info, text));
            } else if !live && let Some(more) = self.not_live.say(at) {
                let which: Vec<&str> = self.doubted.iter().map(String::as_str).take(5).collect();
                let which = if which.is_empty() { String::new() } else { format!(", among them {}", which.join(", ")) };
                self.not_live_said = true;
                lines.push((
                    Level::Warn,
                    format!("Market: not live: {} books cannot be trusted{which}{more}.", group(stale)),
                ));
            }
        }
        let gaps = status.market.gaps.get();
        if gaps > self.gaps
            && let Some(_since) = self.gaps_said.say(at)
        {
            self.gaps = gaps;
            let fills = [
                (status.market.filled_by_line.get(), "by the other line"),
                (status.market.filled_by_rerequest.get(), "by re-request"),
            ];
            let filled: Vec<String> =
                fills.iter().filter(|(n, _)| *n > 0).map(|(n, who)| format!("{} {who}", group(*n))).collect();
            let filled = if filled.is_empty() { "none yet".to_owned() } else { filled.join(", ") };
            lines.push((
                Level::Info,
                format!(
                    "Market: {} gap{} so far; missing messages filled in: {filled}; {} given up.",
                    group(gaps),
                    if gaps == 1 { "" } else { "s" },
                    group(status.market.lost.get())
                ),
            ));
        }
        lines
    }

    /// Order entry is not ready, for this reason: news unless it was known.
    fn away(&mut self, at: Mono, trouble: Trouble) -> bool {
        if self.entry == Entry::Ready {
            self.away_since = at;
        }
        std::mem::replace(&mut self.entry, Entry::Away(trouble)) != Entry::Away(trouble)
    }

    fn order_link(&mut self, at: Mono, why: Why) -> Option<String> {
        match (self.entry, why) {
            // Closed from here: the alert says why. Or it ends as it should.
            (_, Why::AskedFor) | (Entry::Closing, Why::ByPeer) | (Entry::Over, _) => return None,
            _ => {}
        }
        if why == Why::Overflow {
            return self.away(at, Trouble::Stalled).then(|| self.does_not_read());
        }
        let was_ready = self.entry == Entry::Ready;
        if !self.away(at, Trouble::Link(why)) {
            return None;
        }
        let (orders, again) = (&self.orders, self.again());
        if was_ready {
            return Some(format!("Order entry is lost: {orders}: {why}; {again}."));
        }
        let check = match why {
            Why::Refused => &format!(" Is the venue running, and {}net.orders right?", self.key),
            Why::TimedOut | Why::Unreachable => &format!(" Is {}net.orders right, and is there a way there?", self.key),
            Why::ByPeer | Why::Reset => " It did not let the gateway come to its login's end.",
            _ => "",
        };
        Some(format!("Order entry cannot be reached: {orders}: {why}; {again}.{check}"))
    }

    fn again(&self) -> String {
        format!("trying again every {}", self.reconnect)
    }

    fn does_not_read(&self) -> String {
        format!(
            "Order entry is stalled: {} does not read what is sent, so no new order is entered; once {} bytes wait, the \
             connection is closed and made anew.",
            self.orders,
            group(self.send_queue as u64)
        )
    }

    fn entry_lost(&mut self, at: Mono, why: Away, detail: Detail) -> Option<String> {
        if matches!(self.entry, Entry::Over) {
            return None;
        }
        let (orders, again) = (self.orders.clone(), self.again());
        match why {
            // The connection said it, or the end will.
            Away::Opening | Away::Closed | Away::Over => None,
            Away::Closing => {
                self.entry = Entry::Closing;
                None
            }
            Away::Blocked => self.away(at, Trouble::Stalled).then(|| self.does_not_read()),
            Away::Silent => self.away(at, Trouble::Stalled).then(|| {
                let silent = &self.dead_after;
                format!("Order entry is stalled: nothing came from {orders} for {silent}; given up, {again}.")
            }),
            Away::Unconfirmed => self.away(at, Trouble::Stalled).then(|| {
                format!("Order entry is stalled: {orders} does not say what it has received; given up, {again}.")
            }),
            Away::LoginUnanswered => self.away(at, Trouble::Stalled).then(|| {
                let timeout = &self.login_timeout;
                format!("Order entry is stalled: {orders} has not answered the login for {timeout}; {again}.")
            }),
            Away::LoginRejected => self.away(at, Trouble::NoSession).then(|| match detail {
                Detail::Rejected(code) if code != b'S' => format!(
                    "Order entry is not open: {orders} rejects the login with code {:?}, which the protocol does not \
                         have; {again}.",
                    code.escape_ascii().to_string()
                ),
                _ => format!("Order entry is not open: {orders} has no session to join at present; {again}."),
            }),
            Away::Garbled => self.away(at, Trouble::Garbled).then(|| {
                let what = garbled(detail);
                let key = &self.key;
                format!(
                    "Order entry is lost: what {orders} sends is no SoupBinTCP{what} (is {key}net.orders right?); {again}."
                )
            }),
            Away::Disabled => self
                .away(at, Trouble::Disabled)
                .then(|| format!("Order entry is disabled by the venue at {orders}: cancels pass, orders do not.")),
            Away::DayOver => self
                .away(at, Trouble::DayOver)
                .then(|| format!("Order entry: the venue at {orders} says that its day is over; no more orders.")),
            Away::Incomplete => self.away(at, Trouble::Incomplete).then(|| {
                format!(
                    "Order entry stays closed: an order of an earlier run lives at {orders} that cannot be taken over. It \
                     is cancelled; if this does not end, cancel it with the venue, then start again with its symbol in \
                     instruments.listed and more orders.capacity."
                )
            }),
        }
    }

    fn entry_ready(&mut self, at: Mono) -> Option<String> {
        self.ever_ready = true;
        let before = std::mem::replace(&mut self.entry, Entry::Ready);
        let (orders, username) = (&self.orders, &self.username);
        match before {
            Entry::Ready => None,
            Entry::Away(_) if self.away_since.0 > 0 => {
                let without = span(at.0.saturating_sub(self.away_since.0));
                Some(format!("Order entry is ready again at {orders}, after {without} without."))
            }
            _ => Some(format!("Order entry is ready: logged in to {orders} as {username}.")),
        }
    }

    fn entry_over(&mut self, fault: u64, detail: Detail) -> Option<String> {
        if std::mem::replace(&mut self.entry, Entry::Over) == Entry::Over {
            return None;
        }
        let (orders, username, variable) = (&self.orders, &self.username, &self.password_env);
        let all = [Fault::NotAuthorized, Fault::SessionGone, Fault::MessagesLost, Fault::Ended];
        self.fault = all.into_iter().find(|one| *one as u64 + 1 == fault);
        Some(match self.fault {
            None => "Order entry is closed, as asked.".to_owned(),
            Some(Fault::NotAuthorized) => format!(
                "Order entry is over: {orders} refuses the login. Check {}entry.username = {username:?}, and compare the \
                 password in the environment variable {variable} with what the venue has for that user (password_env in the \
                 [[port]] of firelane venue).",
                self.key
            ),
            Some(Fault::SessionGone) if detail == Detail::OtherSession => format!(
                "Order entry is over: {orders} answered the login with another session than the one that the gateway was in \
                 (was the venue started anew without its journal?). What lives there must be asked of the venue."
            ),
            Some(Fault::SessionGone) => format!(
                "Order entry is over: the session that the gateway was in is gone from {orders} (was the venue started \
                 anew without its journal?). What lives there must be asked of the venue."
            ),
            Some(Fault::MessagesLost) => {
                let offers = match detail {
                    Detail::Offers(sequence) => format!(" (it would go on with message {})", group(sequence)),
                    _ => String::new(),
                };
                format!(
                    "Order entry is over: {orders} cannot repeat what was missed{offers}. What lives there must be asked of \
                     the venue."
                )
            }
            Some(Fault::Ended) => format!("Order entry is over: {orders} has ended the session for good."),
        })
    }

    /// No snapshot: the login is named only where the login may be the reason.
    fn no_snapshot(&self, why: Option<SnapshotTrouble>, stands: u64) -> String {
        let link = match self.snapshot_link {
            None | Some(Why::AskedFor | Why::ByPeer) => String::new(),
            Some(why) => format!(": {why}"),
        };
        let (server, login, key) = (&self.snapshot, &self.snapshot_login, &self.snapshot_key);
        let what = match why {
            None | Some(SnapshotTrouble::Unreachable) => {
                format!("no snapshot could be had from {server}{link}. Is {key} right, and the server running?")
            }
            Some(SnapshotTrouble::Refused) => format!("{server} refuses the snapshot login. Check {login}."),
            Some(SnapshotTrouble::Unanswered) => {
                format!("{server} does not answer the snapshot login{link}. Is {key} right?")
            }
            Some(SnapshotTrouble::Torn) => {
                format!("snapshots from {server} end, or fall silent, before their end{link}.")
            }
            Some(SnapshotTrouble::Garbled) => format!("what {server} sends is no snapshot: it is malformed."),
            Some(SnapshotTrouble::Unfit) => format!(
                "the snapshot from {server} goes on at message {}, which cannot be joined to where the lines stand. Is it of \
                 this session, and feed.max_gap large enough?",
                group(stands)
            ),
            Some(SnapshotTrouble::Fruitless) => format!(
                "one snapshot after the other from {server} was taken, and the books are stale again soon after. Do the \
                 snapshots fit the lines, and does the re-request server answer?"
            ),
        };
        let when = if why == Some(SnapshotTrouble::Refused) { "ever less often" } else { "at long intervals" };
        format!("Market: {what} Books stay stale; it is tried again, {when}.")
    }

    fn market_silent(&self, next: u64, heard: bool) -> String {
        let timeout = &self.line_timeout;
        let what = if heard {
            format!("nothing that follows on message {} came on any line for {timeout}", group(next.saturating_sub(1)))
        } else {
            format!("{} is silent for {timeout}", if self.streams { "the stream" } else { "every line" })
        };
        format!("Market: {what}; books are stale, resting orders are cancelled, none enters.")
    }

    fn line(&self, line: u64) -> String {
        let index = usize::from(line != 0);
        format!("Line {} ({})", ["A", "B"][index], self.lines[index])
    }

    fn alert(&mut self, at: Mono, alert: Alert, symbol: Option<Name>, first: u64, second: u64) -> Option<String> {
        if let (Some(symbol), Alert::Lost | Alert::BookFault | Alert::Skipped) = (symbol, alert) {
            self.doubted.insert(symbol.to_string());
        }
        let symbol = symbol.map_or_else(|| "every symbol".to_owned(), |symbol| symbol.to_string());
        match alert {
            Alert::EntryReady => self.entry_ready(at),
            Alert::EntryLost => {
                Away::from_number(first).and_then(|why| self.entry_lost(at, why, Detail::from_number(second)))
            }
            Alert::EntryOver => self.entry_over(first, Detail::from_number(second)),
            Alert::Killed if !self.lane.is_empty() => Some(format!(
                "KILL SWITCH thrown: no order leaves, resting orders are cancelled. `firelane kill CONFIG --lane {} --release` \
                 ends it; if it was that of all lanes, without --lane.",
                self.lane
            )),
            Alert::Killed => Some(
                "KILL SWITCH thrown: no order leaves, resting orders are cancelled. `firelane kill CONFIG --release` \
                 ends it."
                    .to_owned(),
            ),
            Alert::Released => Some("Kill switch released: orders may leave again.".to_owned()),
            Alert::PartKilled | Alert::PartReleased => Some(part_line(alert, &part(first, second, &symbol))),
            // With packets lost now and then, they are everyday life.
            Alert::GapOpened => Some(format!("Market: message {} is missing.", group(first))),
            Alert::GapClosed => Some("Market: nothing is missing any more.".to_owned()),
            Alert::Joined => {
                self.joined = true;
                Some(format!(
                    "Market: joined at message {}. What came before was not heard: books are stale until a snapshot{}.",
                    group(first),
                    if self.snapshots { "" } else { ", and feed.snapshot is off" }
                ))
            }
            Alert::Lost => self.lost.say(at).map(|more| {
                // It is asked for what is not too long.
                let asked = self.asks_up_to.is_some_and(|most| second <= most);
                let server = if asked { " and from the re-request server" } else { ", and were not asked for" };
                format!(
                    "Market: {} messages from {} on are lost on every line{server}, about {symbol}{more}.",
                    group(second),
                    group(first)
                )
            }),
            Alert::SnapshotBegin => Some("Market: a snapshot begins; the books are made anew from it.".to_owned()),
            Alert::SnapshotEnd => {
                self.snapshot_link = None;
                Some(format!("Market: the snapshot is in; the stream goes on at message {}.", group(first)))
            }
            Alert::SnapshotFailed => Some(self.no_snapshot(SnapshotTrouble::from_number(first), second)),
            Alert::SnapshotAhead => self.ahead.say(at).map(|more| {
                format!(
                    "Market: the snapshot stands at message {}, the lines at {}: waiting for them to come as far; books \
                     are stale until then{more}.",
                    group(first),
                    group(second)
                )
            }),
            Alert::SessionChanged => Some("Market: another session has begun; the books begin anew.".to_owned()),
            Alert::EndOfSession => Some(
                "Market: the session has ended; books are stale, resting orders are cancelled, none enters until another \
                 session begins."
                    .to_owned(),
            ),
            Alert::SessionGoesOn => {
                Some("Market: the session goes on, though its end was announced; books are fresh again.".to_owned())
            }
            Alert::MarketSilent => Some(self.market_silent(first, second != 0)),
            Alert::MarketBack => {
                let who = if self.streams { "its connection is whole" } else { "the lines speak" };
                Some(format!("Market: {who} again; the stream goes on at message {}.", group(first)))
            }
            Alert::JumpDropped => self.jumps.say(at).map(|more| {
                format!(
                    "Market: message number {} was named, which is wrong: the stream goes on at {}. Dropped{more}.",
                    group(first),
                    group(second)
                )
            }),
            Alert::LinesDiffer => {
                let line = match line_of(second) {
                    Some(line) => self.line(line),
                    None => "the re-request server".to_owned(),
                };
                Some(format!(
                    "Market: message {} came with other bytes on {line} than before; the first copy counts. More of this \
                     session are counted and not said: one of the lines is at fault.",
                    group(first)
                ))
            }
            Alert::FeedOverrun => Some(
                "Market: the feed had more to say than there was room for; books are stale until a snapshot.".to_owned(),
            ),
            Alert::LineSilent => Some(format!("{} is silent: nothing for {}.", self.line(first), self.line_timeout)),
            Alert::LineBack => Some(format!("{} speaks again.", self.line(first))),
            Alert::BookFault => {
                self.book_faults.say(at).map(|more| {
                    format!("Market: a message contradicts the book of {symbol} (order {first}); it is stale{more}.")
                })
            }
            Alert::Skipped => {
                let kind = u8::try_from(first).unwrap_or_default().escape_ascii().to_string();
                let why = match second {
                    1 => "of an unknown type",
                    2 => "of a wrong length",
                    3 => "with an impossible field",
                    _ => "about an instrument for which there is no room (instruments.capacity)",
                };
                let about = if symbol == "every symbol" { String::new() } else { format!(" about {symbol}") };
                self.skipped
                    .say(at)
                    .map(|more| format!("Market: a message{about} {why} was skipped (type {kind:?}){more}."))
            }
            Alert::Orphan => {
                self.orphans.say(at).map(|more| {
                    format!(
                        "Order entry: order {first} of an earlier run lives in {symbol} and cannot be taken over (not \
                         followed, or no room): it is cancelled{more}."
                    )
                })
            }
            Alert::Fault => {
                Some(format!(
                    "KILL SWITCH thrown by the lane: order {first} in {symbol} left and could not be noted, a fault of \
                     this program. Ask the venue what lives there, and report it."
                ))
            }
            Alert::Stuck => {
                let whose = if second == 1 { "signal" } else { "strategy" };
                Some(format!(
                    "The strategies are disabled and what rests is cancelled: a deadline that a {whose} asked for \
                     ({symbol}) stands still, a fault of the {whose}."
                ))
            }
            Alert::TooManyActions => self
                .too_many
                .say(at)
                .map(|more| format!("A strategy asked for more actions at once than fit: {first} were dropped{more}.")),
        }
    }
}

/// What exactly made no sense.
fn garbled(detail: Detail) -> String {
    match detail {
        Detail::EmptyPacket => ": a packet has no letter".to_owned(),
        Detail::LongPacket(length) => format!(": a packet has {} bytes", group(length.into())),
        Detail::Unexpected(letter) => {
            format!(": a packet {:?} does not belong there", letter.escape_ascii().to_string())
        }
        Detail::BadNumber => ": its answer to the login has no sequence number".to_owned(),
        _ => String::new(),
    }
}

/// What a kill switch of a part of the lane is of.
fn part(kind: u64, number: u64, symbol: &str) -> String {
    match kind {
        2 => symbol.to_owned(),
        _ => format!("strategy {number}"),
    }
}

#[cfg(test)]
#[path = "notices/tests.rs"]
mod tests;
