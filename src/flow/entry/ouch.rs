//! OUCH 5.0 over SoupBinTCP: the gateway's side.
//!
//! # Coming back
//!
//! The venue's messages are numbered and kept, ours are not. So after each login the venue first repeats what was
//! missed (everything, after a restart: the session is asked for from message 1), and then is asked what it has
//! received. The answer means something only if it answers this very question, and the repeated messages may hold
//! answers to older ones; they are told apart by the server's heartbeat. A server sends one only when it has had
//! nothing else to send for a second, so that at the first heartbeat nothing is left to repeat; the query goes out
//! then, and the next answer is its own. (SoupBinTCP 4.00, Server Heartbeat Packet.)
//!
//! A venue that always has something to send, such as fills of what rests there, is never silent. If every question
//! that was ever asked is answered, there is nothing to be told apart: then the query goes out after
//! [`OuchConfig::query_timeout`] at the latest.
//!
//! A port works through requests in order, so that at that answer every earlier request has been answered or never
//! will be ([`Report::Settled`]). A query with no answer in time ends the connection: on the next one the question is
//! asked afresh, and can't be confused.

use super::detail::Detail;
use super::template::Templates;
use super::translate::{MAX_CLIENT_ID, NoReport, cl_ord_id, letter_of, number_of, report_of, side_letter, tif_letter};
use super::{Away, Fault, OrderEntry, Refused, Stage};
use crate::base::{ClientId, Instrument, InstrumentTable, Mono, Nanos, OutOfRange, SessionId, Symbol, Token, counters};
use crate::flow::action::{Cancel, CancelToken, Enter, MassCancel, Replace};
use crate::flow::orders::{AnomalyKind, DayEvent, Order, Reason, Report, ReportKind, Sent, Unreadable};
use crate::flow::outbox::{Class, Outbox};
use crate::flow::risk::{Approved, MarkedEnter};
use crate::flow::session::{SessionInput, SessionSink};
use crate::flow::wire::ouch50::{
    AccountQuery, AiqStrategy, CancelOrder, Capacity, Display, Inbound, Malformed, MassCancel as MassCancelRequest,
    MessageType, WirePrice, WireQty, WireUserRefNum,
};
use crate::flow::wire::soupbintcp::{BLANK_SESSION, Client, ClientConfig, ClientEvent, Packet, ProtocolError, reject};
use zerocopy::IntoBytes;

/// How the gateway presents itself to an OUCH port.
#[derive(Clone, Debug)]
pub struct OuchConfig {
    /// Log in as whom, and how patiently. The session it names is joined from message 1 whatever it says.
    pub login: ClientConfig,
    /// Sent with every order (tag 2) if it is not the account's default; a mass cancel needs it.
    pub firm: Option<[u8; 4]>,
    /// In whose interest.
    pub capacity: Capacity,
    /// Who sees the orders.
    pub display: Display,
    /// Who located shares for short sales (tag 26).
    pub locate_broker: Option<[u8; 4]>,
    /// Self-match prevention (tag 29, revision 1.05); `None`: as the port is set up.
    pub aiq: Option<AiqStrategy>,
    /// Put an empty appendage length on Cancel and Account Query, as revisions since 1.03 print them. Every revision
    /// accepts the form without.
    pub appendage_lengths: bool,
    /// The venue's revision has mass cancel (1.03 and later).
    pub mass_cancel: bool,
    /// How long to wait before connecting again.
    pub reconnect_delay: Nanos,
    /// How long an Account Query may stay unanswered before the connection is given up.
    pub query_timeout: Nanos,
}

impl OuchConfig {
    /// A principal's visible orders, revision 1.04; reconnects after 1 s, queries for 2 s.
    #[must_use]
    pub const fn new(login: ClientConfig) -> Self {
        OuchConfig {
            login,
            firm: None,
            capacity: Capacity::PRINCIPAL,
            display: Display::VISIBLE,
            locate_broker: None,
            aiq: None,
            appendage_lengths: false,
            mass_cancel: true,
            reconnect_delay: Nanos::from_secs(1),
            query_timeout: Nanos::from_secs(2),
        }
    }

    fn check(&self) -> Result<(), OutOfRange> {
        let displays = [Display::VISIBLE, Display::HIDDEN, Display::ATTRIBUTABLE];
        let capital = |text: Option<[u8; 4]>| text.is_none_or(|t| t.iter().all(u8::is_ascii_uppercase));
        OutOfRange::unless(capital(self.firm), "orders.firm", "four capital letters")?;
        OutOfRange::unless(capital(self.locate_broker), "orders.locate_broker", "four capital letters")?;
        OutOfRange::unless(Capacity::LISTED.contains(&self.capacity), "orders.capacity_code", "A, P, R or O")?;
        OutOfRange::unless(displays.contains(&self.display), "orders.display", "Y, N or A")?;
        OutOfRange::unless(self.query_timeout.0 > 0, "orders.query_timeout", "above zero")
    }
}

counters! {
    /// What was out of the ordinary.
    pub struct OuchCounters {
        /// Messages of an unknown type.
        pub unknown_types: u64,
        /// Messages with a wrong length, a bad appendage, or a field that can't be: what they said is lost.
        pub malformed: u64,
        /// Numbered messages of no bytes: what they were to say is lost.
        pub empty: u64,
        /// Session packets that were skipped: of an unknown letter, or of a length that does not suit it.
        pub skipped_packets: u64,
        /// Messages outside the numbered ones, where the protocol has none.
        pub unsequenced: u64,
        /// Texts for a log, which mean nothing.
        pub debug_packets: u64,
        /// Messages that were repeated though they had come.
        pub repeated: u64,
        /// Connections that this side ended because what came made no sense.
        pub protocol_errors: u64,
        /// Logins that the venue rejected.
        pub rejected_logins: u64,
        /// Logins without an answer in time.
        pub unanswered_logins: u64,
        /// Connections that this side ended because the venue was silent.
        pub silences: u64,
        /// Connections that this side ended after its logout because the venue did not.
        pub unclosed_logouts: u64,
        /// Connections that ended before the session was over, for whatever reason, or could not be made.
        pub disconnects: u64,
        /// Account Queries without an answer in time.
        pub dead_queries: u64,
        /// Answers to Account Queries of an earlier connection or run.
        pub stale_answers: u64,
    }
}

/// What goes before a message: the outbox's header, and the session's.
const FRAME: usize = Outbox::HEADER + 3;
const _: () = assert!(FRAME + size_of::<MassCancelRequest>() + 2 <= Outbox::MESSAGE);

/// The session and its encoder.
#[derive(Debug)]
pub struct OuchEntry {
    client: Client,
    config: OuchConfig,
    templates: Templates,
    stage: Stage,
    fault: Option<Fault>,
    /// Why this side ended the last connection, until there is another.
    gave_up: Option<Away>,
    /// What exactly the venue did then.
    detail: Detail,
    /// Nothing was swept yet: this run has not traded.
    fresh: bool,
    /// To be shut down...
    closing: bool,
    /// ...and nothing of this run can live at the venue any more: the next end of the connection is the last.
    done: bool,
    disabled: bool,
    day_over: bool,
    /// The venue does not read: an order would wait on our side, and arrive when nobody wants it any more.
    blocked: bool,
    next_token: u64,
    /// Requests sent so far.
    requests: u64,
    query: Option<Query>,
    /// An answer to a question of an earlier connection or run may still come.
    unsure: bool,
    /// When to ask a venue that is not silent for so long.
    ask_at: Mono,
    reconnect_at: Mono,
    /// When to close what the venue does not close after a logout.
    close_at: Mono,
    counters: OuchCounters,
}

/// A question on its way.
#[derive(Clone, Copy, Debug)]
struct Query {
    /// The last request before it.
    settles: u64,
    deadline: Mono,
}

/// Why this side ends a connection.
#[derive(Clone, Copy, Debug)]
enum Failure {
    /// For good.
    Final(Fault),
    /// To try again.
    Passing(Away),
}

/// An event of the session, without what it borrowed.
enum Heard {
    Nothing,
    LoggedIn,
    Heartbeat,
    Report(Report),
    Failed(Failure, Detail),
}

/// A message, or packet, that says nothing that can be read.
fn unreadable(why: AnomalyKind, letter: u8, length: usize) -> Heard {
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Heard::Report(Report::Unreadable(Unreadable { why, code: letter.into(), length }))
}

impl OuchEntry {
    /// Not connected.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first value that is.
    pub fn new(config: OuchConfig) -> Result<Self, OutOfRange> {
        config.check()?;
        let login = ClientConfig { next_sequence: 1, ..config.login.clone() };
        Ok(OuchEntry {
            client: Client::new(login),
            templates: Templates::new(&config),
            config,
            stage: Stage::Down,
            fault: None,
            gave_up: None,
            detail: Detail::None,
            fresh: true,
            closing: false,
            done: false,
            disabled: false,
            day_over: false,
            blocked: false,
            next_token: 1,
            requests: 0,
            query: None,
            unsure: true,
            ask_at: Mono::NEVER,
            reconnect_at: Mono::NEVER,
            close_at: Mono::NEVER,
            counters: OuchCounters::default(),
        })
    }

    /// What was out of the ordinary.
    #[must_use]
    pub fn counters(&self) -> OuchCounters {
        self.counters
    }

    /// The token that the next order will have.
    #[must_use]
    pub fn next_token(&self) -> u64 {
        self.next_token
    }

    /// Numbers for a request that is about to leave.
    #[inline]
    fn number(&mut self) -> Result<(Sent, WireUserRefNum), Refused> {
        let token = Token(self.next_token);
        let number = number_of(token).ok_or(Refused::OutOfTokens)?;
        self.next_token = self.next_token.wrapping_add(1);
        self.requests = self.requests.wrapping_add(1);
        Ok((Sent { token, request: self.requests }, number))
    }

    #[inline]
    fn send(&mut self, now: Mono, class: Class, parts: &[&[u8]], out: &mut Outbox) -> Result<(), Refused> {
        let mut sink = SessionSink { out, session: SessionId::ORDERS, class };
        self.client.send_unsequenced(now, parts, &mut sink).map_err(|_| Refused::NotReady)
    }

    /// May something be sent at all?
    #[inline]
    fn may_send(&self, out: &Outbox) -> Result<(), Refused> {
        match self.stage {
            Stage::Down | Stage::Connecting | Stage::Over => Err(Refused::NotReady),
            _ if !out.fits_message() => Err(Refused::NoRoom),
            Stage::Replaying | Stage::Confirming | Stage::Sweeping | Stage::Ready => Ok(()),
        }
    }

    /// The appendage length of messages that may go without.
    fn optional_tail(&self) -> &'static [u8] {
        if self.config.appendage_lengths { &[0, 0] } else { &[] }
    }

    fn hear(&mut self) -> Option<Heard> {
        let resumes = self.client.session() != BLANK_SESSION;
        let counters = &mut self.counters;
        Some(match self.client.next_event()? {
            ClientEvent::LoggedIn { .. } => Heard::LoggedIn,
            ClientEvent::Heartbeat => Heard::Heartbeat,
            ClientEvent::Sequenced { payload, .. } => heard(payload, counters),
            ClientEvent::Skipped { letter, length } => {
                bump(&mut counters.skipped_packets);
                unreadable(AnomalyKind::UnknownPacket, letter, length)
            }
            ClientEvent::Unsequenced(payload) => {
                bump(&mut counters.unsequenced);
                unreadable(AnomalyKind::Unsequenced, payload.first().copied().unwrap_or(0), payload.len())
            }
            ClientEvent::Duplicate { .. } => {
                bump(&mut counters.repeated);
                Heard::Nothing
            }
            ClientEvent::Debug(_) => {
                bump(&mut counters.debug_packets);
                Heard::Nothing
            }
            ClientEvent::EndOfSession => Heard::Failed(Failure::Final(Fault::Ended), Detail::None),
            ClientEvent::Rejected(code) => {
                bump(&mut counters.rejected_logins);
                let failure = match code {
                    reject::NOT_AUTHORIZED => Failure::Final(Fault::NotAuthorized),
                    reject::SESSION_NOT_AVAILABLE if resumes => Failure::Final(Fault::SessionGone),
                    // No session to join yet, or for a reason that the protocol does not have: try again.
                    _ => Failure::Passing(Away::LoginRejected),
                };
                Heard::Failed(failure, Detail::Rejected(code))
            }
            ClientEvent::Dead => {
                bump(&mut counters.silences);
                Heard::Failed(Failure::Passing(Away::Silent), Detail::None)
            }
            ClientEvent::ProtocolError(ProtocolError::LoginTimeout) => {
                bump(&mut counters.unanswered_logins);
                Heard::Failed(Failure::Passing(Away::LoginUnanswered), Detail::None)
            }
            ClientEvent::ProtocolError(error) => {
                bump(&mut counters.protocol_errors);
                let failure = match error {
                    ProtocolError::WrongSession(_) => Failure::Final(Fault::SessionGone),
                    ProtocolError::SequenceGap { .. } => Failure::Final(Fault::MessagesLost),
                    // A stream that makes no sense: try again.
                    _ => Failure::Passing(Away::Garbled),
                };
                Heard::Failed(failure, Detail::of(error))
            }
        })
    }

    /// The next report in what the venue sent.
    fn hear_report(&mut self, now: Mono, out: &mut Outbox) -> Option<Report> {
        // Bounded by what the framer holds.
        loop {
            match self.hear()? {
                Heard::Nothing => {}
                Heard::LoggedIn => {
                    self.stage = Stage::Replaying;
                    self.ask_at = if self.unsure { Mono::NEVER } else { now.after(self.config.query_timeout) };
                }
                Heard::Heartbeat if self.stage == Stage::Replaying => self.begin_query(now, out),
                Heard::Heartbeat => {}
                Heard::Failed(why, detail) => {
                    self.detail = detail;
                    self.hang_up(why, out);
                }
                Heard::Report(report) => {
                    if let Some(report) = self.note(report) {
                        return Some(report);
                    }
                }
            }
        }
    }

    /// Takes note of what a report means for the session. `None`: it is for nobody else.
    fn note(&mut self, report: Report) -> Option<Report> {
        match report {
            Report::Settled { next, .. } => {
                // At the start the numbers of earlier runs are learnt, from this answer too.
                let unused = (!self.fresh).then_some(Token(self.next_token));
                self.past(Token(next.map_or(0, |next| next.0.saturating_sub(1))));
                let Some(query) = self.query.take() else {
                    bump(&mut self.counters.stale_answers);
                    return None;
                };
                if self.stage == Stage::Confirming {
                    self.stage = if self.fresh || self.closing { Stage::Sweeping } else { Stage::Ready };
                }
                return Some(Report::Settled { upto: query.settles, next, unused });
            }
            Report::Accepted(standing) => self.past(standing.token),
            Report::Replaced { now, .. } => self.past(now.token),
            Report::Rejected { token, .. } => self.past(token),
            Report::MassCancelled { token, .. } => self.past(token),
            Report::EntryDisabled { token } => {
                self.past(token);
                self.disabled = true;
            }
            Report::EntryEnabled { token } => {
                self.past(token);
                self.disabled = false;
            }
            Report::Day(DayEvent::Ends) => self.day_over = true,
            Report::Day(DayEvent::Begins) => self.day_over = false,
            _ => {}
        }
        Some(report)
    }

    /// This token was used: what comes next is beyond it.
    #[inline]
    fn past(&mut self, token: Token) {
        self.next_token = self.next_token.max(token.0.wrapping_add(1));
    }

    fn hang_up(&mut self, why: Failure, out: &mut Outbox) {
        match why {
            Failure::Final(fault) => self.fault = self.fault.or(Some(fault)),
            Failure::Passing(away) => self.gave_up = Some(away),
        }
        self.stage = Stage::Connecting;
        self.forget_query();
        out.disconnect(SessionId::ORDERS);
    }

    /// The connection ends. What was asked on it may be answered on the next one, or never.
    fn forget_query(&mut self) {
        self.unsure |= self.query.take().is_some();
        self.ask_at = Mono::NEVER;
    }

    /// What was missed is here: the venue is asked what it has received.
    fn begin_query(&mut self, now: Mono, out: &mut Outbox) {
        self.stage = Stage::Confirming;
        self.unsure = false;
        self.ask_at = Mono::NEVER;
        self.ask(now, out);
    }

    fn ask(&mut self, now: Mono, out: &mut Outbox) {
        let tail = self.optional_tail();
        let question = AccountQuery { message_type: MessageType::NEW };
        if self.send(now, Class::Session, &[question.as_bytes(), tail], out).is_ok() {
            self.query = Some(Query { settles: self.requests, deadline: now.after(self.config.query_timeout) });
        }
    }

    fn log_out(&mut self, now: Mono, out: &mut Outbox) {
        let mut sink = SessionSink { out, session: SessionId::ORDERS, class: Class::Session };
        if self.client.logout(now, &mut sink).is_ok() {
            self.stage = Stage::Connecting;
            // Every order was answered: a venue that keeps the connection open has nothing to say that matters.
            self.close_at = now.after(self.config.query_timeout);
        }
    }
}

/// A numbered message.
fn heard(payload: &[u8], counters: &mut OuchCounters) -> Heard {
    let Some(letter) = payload.first().copied() else {
        bump(&mut counters.empty);
        return unreadable(AnomalyKind::Empty, 0, 0);
    };
    match report_of(payload) {
        Ok(report) => Heard::Report(report),
        Err(NoReport::Malformed(Malformed::UnknownType(_))) => {
            bump(&mut counters.unknown_types);
            unreadable(AnomalyKind::UnknownType, letter, payload.len())
        }
        Err(_) => {
            bump(&mut counters.malformed);
            unreadable(AnomalyKind::Malformed, letter, payload.len())
        }
    }
}

fn bump(counter: &mut u64) {
    *counter = counter.wrapping_add(1);
}

impl OrderEntry for OuchEntry {
    fn start(&mut self, _now: Mono, out: &mut Outbox) {
        if self.stage == Stage::Down {
            self.stage = Stage::Connecting;
            out.connect(SessionId::ORDERS);
        }
    }

    #[inline(always)]
    fn room(&self, enter: &Enter, first: ClientId, row: &Instrument, out: &Outbox) -> Result<u32, Refused> {
        self.may_send(out)?;
        if !self.ready() {
            return Err(Refused::NotReady);
        }
        let last = first.0.saturating_add(1);
        if !in_wire_units(row) || limit(enter.price).is_none() || shares(enter.qty).is_none() || last > MAX_CLIENT_ID {
            return Err(Refused::CannotSay);
        }
        let tokens = (1u64 << 32).saturating_sub(self.next_token);
        let most = tokens.min(out.messages() as u64);
        Ok(u32::try_from(most).unwrap_or(u32::MAX))
    }

    #[inline(always)]
    fn enter(
        &mut self,
        now: Mono,
        order: Approved<MarkedEnter>,
        id: ClientId,
        row: &Instrument,
        out: &mut Outbox,
    ) -> Result<Sent, Refused> {
        self.may_send(out)?;
        if !self.ready() || !self.client.is_live() {
            return Err(Refused::NotReady);
        }
        let MarkedEnter { enter, mark } = order.into_inner();
        let symbol = row.name.symbol().filter(|_| in_wire_units(row));
        let fields = (symbol, limit(enter.price), shares(enter.qty), cl_ord_id(id, enter.tags));
        let (Some(symbol), Some(price), Some(quantity), Some(cl_ord_id)) = fields else {
            return Err(Refused::CannotSay);
        };
        let (sent, number) = self.number()?;
        let message = self.templates.enter(enter.post_only, mark).send(out).ok_or(Refused::NoRoom)?;
        message.user_ref_num = number;
        message.side = side_letter(enter.side, mark);
        message.quantity = quantity;
        message.symbol = symbol.0;
        message.price = price;
        message.time_in_force = tif_letter(enter.tif);
        message.cl_ord_id = cl_ord_id;
        self.client.wrote(now);
        Ok(sent)
    }

    #[inline(always)]
    fn replace(
        &mut self,
        now: Mono,
        replace: Approved<Replace>,
        order: &Order,
        out: &mut Outbox,
    ) -> Result<Sent, Refused> {
        self.may_send(out)?;
        if !self.ready() || !self.client.is_live() {
            return Err(Refused::NotReady);
        }
        let replace = replace.into_inner();
        if replace.order != order.id || !order.can_replace() {
            return Err(Refused::WrongState);
        }
        let fields =
            (limit(replace.price), shares(replace.qty), cl_ord_id(order.id, order.tags), number_of(order.token));
        let (Some(price), Some(quantity), Some(cl_ord_id), Some(orig)) = fields else {
            return Err(Refused::CannotSay);
        };
        let (sent, number) = self.number()?;
        let message = self.templates.replace(order.mark).send(out).ok_or(Refused::NoRoom)?;
        message.orig_user_ref_num = orig;
        message.user_ref_num = number;
        message.quantity = quantity;
        message.price = price;
        message.time_in_force = tif_letter(order.tif);
        message.cl_ord_id = cl_ord_id;
        self.client.wrote(now);
        Ok(sent)
    }

    fn cancel(
        &mut self,
        now: Mono,
        cancel: Approved<Cancel>,
        order: &Order,
        out: &mut Outbox,
    ) -> Result<Sent, Refused> {
        self.may_send(out)?;
        let cancel = cancel.into_inner();
        if cancel.order != order.id || !order.is_live() {
            return Err(Refused::WrongState);
        }
        let quantity = WireQty::new(cancel.keep).ok_or(Refused::CannotSay)?;
        // With a replace on its way, which of the two lives when the cancel arrives is not known: both are named. The
        // venue is silent about the one that is dead or never was.
        let tokens = [Some(order.token), order.replacing.map(|r| r.token)];
        let mut numbers = [None; 2];
        for (number, token) in numbers.iter_mut().zip(tokens) {
            *number = token.map(|token| number_of(token).ok_or(Refused::CannotSay)).transpose()?;
        }
        self.requests = self.requests.wrapping_add(1);
        for user_ref_num in numbers.into_iter().flatten() {
            let message = CancelOrder { message_type: MessageType::NEW, user_ref_num, quantity };
            self.send(now, Class::Cancel, &[message.as_bytes(), self.optional_tail()], out)?;
        }
        Ok(Sent { token: order.token, request: self.requests })
    }

    fn cancel_token(&mut self, now: Mono, cancel: Approved<CancelToken>, out: &mut Outbox) -> Result<(), Refused> {
        self.may_send(out)?;
        let user_ref_num = number_of(cancel.into_inner().token).ok_or(Refused::CannotSay)?;
        let message = CancelOrder { message_type: MessageType::NEW, user_ref_num, quantity: WireQty::from_shares(0) };
        self.requests = self.requests.wrapping_add(1);
        self.send(now, Class::Cancel, &[message.as_bytes(), self.optional_tail()], out)
    }

    fn mass_cancel(
        &mut self,
        now: Mono,
        cancel: Approved<MassCancel>,
        instruments: &InstrumentTable,
        out: &mut Outbox,
    ) -> Result<Sent, Refused> {
        self.may_send(out)?;
        let cancel = cancel.into_inner();
        // Its token is the next free one, which is not known before the venue has said.
        if !matches!(self.stage, Stage::Sweeping | Stage::Ready) {
            return Err(Refused::NotReady);
        }
        let firm = self.config.firm.filter(|_| self.config.mass_cancel).ok_or(Refused::Unsupported)?;
        let symbol = match cancel.instrument {
            None => Symbol(*b"        "),
            Some(id) => instruments.get(id).and_then(|row| row.name.symbol()).ok_or(Refused::CannotSay)?,
        };
        let (sent, user_ref_num) = self.number()?;
        let message = MassCancelRequest { message_type: MessageType::NEW, user_ref_num, firm, symbol: symbol.0 };
        self.send(now, Class::Cancel, &[message.as_bytes(), &[0, 0]], out)?;
        Ok(sent)
    }

    fn confirm(&mut self, now: Mono, out: &mut Outbox) {
        let settled = matches!(self.stage, Stage::Sweeping | Stage::Ready);
        if settled && self.query.is_none() && out.fits_message() {
            self.ask(now, out);
        }
    }

    fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) -> usize {
        match input {
            SessionInput::Connected if self.done => {
                out.disconnect(SessionId::ORDERS);
                0
            }
            SessionInput::Connected => {
                let mut sink = SessionSink { out, session: SessionId::ORDERS, class: Class::Session };
                self.client.on_connected(now, &mut sink);
                self.stage = Stage::Connecting;
                self.gave_up = None;
                0
            }
            SessionInput::Bytes(bytes) => self.client.on_bytes(now, bytes),
            SessionInput::Blocked | SessionInput::Writable => {
                self.blocked = input == SessionInput::Blocked;
                0
            }
            SessionInput::Dropped(_) => 0,
            SessionInput::Closed => {
                self.blocked = false;
                self.close_at = Mono::NEVER;
                // The end of a session that is over is no loss.
                if !self.done {
                    bump(&mut self.counters.disconnects);
                }
                self.client.on_closed(now);
                self.forget_query();
                if self.fault.is_some() || self.done {
                    self.stage = Stage::Over;
                } else {
                    self.stage = Stage::Down;
                    self.reconnect_at = now.after(self.config.reconnect_delay);
                }
                0
            }
        }
    }

    fn on_timer(&mut self, now: Mono, out: &mut Outbox) {
        if self.stage == Stage::Down && now >= self.reconnect_at {
            self.reconnect_at = Mono::NEVER;
            self.start(now, out);
        }
        if self.close_at <= now {
            self.close_at = Mono::NEVER;
            bump(&mut self.counters.unclosed_logouts);
            out.disconnect(SessionId::ORDERS);
        }
        if self.query.is_some_and(|q| q.deadline <= now) {
            bump(&mut self.counters.dead_queries);
            self.detail = Detail::None;
            self.hang_up(Failure::Passing(Away::Unconfirmed), out);
        }
        if self.ask_at <= now {
            self.begin_query(now, out);
        }
        let mut sink = SessionSink { out, session: SessionId::ORDERS, class: Class::Session };
        self.client.on_timer(now, &mut sink);
    }

    fn next_deadline(&self) -> Mono {
        let reconnect = if self.stage == Stage::Down { self.reconnect_at } else { Mono::NEVER };
        let query = self.query.map_or(Mono::NEVER, |q| q.deadline);
        reconnect.min(query).min(self.ask_at).min(self.close_at).min(self.client.next_deadline())
    }

    #[inline]
    fn next_report(&mut self, now: Mono, out: &mut Outbox) -> Option<Report> {
        if self.client.is_quiet() { None } else { self.hear_report(now, out) }
    }

    fn dropped(&mut self, frames: &mut &[u8]) -> Option<Report> {
        loop {
            let (length, rest) = frames.split_first_chunk::<2>()?;
            let (packet, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
            *frames = rest;
            let (letter, payload) = packet.split_first()?;
            let Packet::Unsequenced(message) = Packet::decode(*letter, payload) else { continue };
            if let Ok(request @ (Inbound::EnterOrder(..) | Inbound::ReplaceOrder(..))) = Inbound::decode(message) {
                let token = Token(request.takes_user_ref_num()?.0.into());
                return Some(Report::Rejected { token, reason: Reason::NO_ANSWER });
            }
        }
    }

    #[inline]
    fn stage(&self) -> Stage {
        self.stage
    }

    fn fault(&self) -> Option<Fault> {
        self.fault
    }

    fn detail(&self) -> u64 {
        self.detail.number()
    }

    #[inline]
    fn tells_of_earlier(&self) -> bool {
        self.fresh && matches!(self.stage, Stage::Replaying | Stage::Confirming)
    }

    #[inline]
    fn ready(&self) -> bool {
        self.stage == Stage::Ready && !(self.closing || self.disabled || self.day_over || self.blocked)
    }

    fn away(&self) -> Away {
        match (self.stage, self.gave_up) {
            (Stage::Over, _) => Away::Over,
            _ if self.fault.is_some() => Away::Over,
            (_, Some(why)) => why,
            (Stage::Down, None) => Away::Closed,
            _ if self.closing => Away::Closing,
            _ if self.blocked => Away::Blocked,
            (Stage::Ready, None) if self.disabled => Away::Disabled,
            (Stage::Ready, None) if self.day_over => Away::DayOver,
            _ => Away::Opening,
        }
    }

    fn swept(&mut self, now: Mono, out: &mut Outbox) {
        if self.stage != Stage::Sweeping {
            return;
        }
        self.fresh = false;
        if self.closing {
            self.done = true;
            self.log_out(now, out);
        } else {
            self.stage = Stage::Ready;
        }
    }

    fn shutdown(&mut self, _now: Mono, out: &mut Outbox) {
        self.closing = true;
        // What was sent before a connection was lost may live, or have traded: it is asked for on the next one first.
        self.done |= self.fresh && !self.client.is_live();
        match self.stage {
            Stage::Ready => self.stage = Stage::Sweeping,
            Stage::Down if self.done => self.stage = Stage::Over,
            Stage::Connecting if self.done => {
                out.disconnect(SessionId::ORDERS);
            }
            // On the way to Sweeping, or there.
            Stage::Replaying | Stage::Confirming | Stage::Sweeping | Stage::Down | Stage::Connecting | Stage::Over => {}
        }
    }

    fn code_of(&self, kind: ReportKind) -> u32 {
        letter_of(kind).into()
    }

    fn counters(&self, see: &mut dyn FnMut(&'static str, u64)) {
        OuchCounters::NAMES.into_iter().zip(self.counters.values()).for_each(|(name, value)| see(name, value));
    }
}

crate::value! { Query { settles, deadline } }

crate::state! {
    OuchEntry {
        client, stage, fault, gave_up, detail, fresh, closing, done, disabled, day_over, blocked, next_token, requests,
        query, unsure, ask_at, reconnect_at, close_at, counters,
    } without { config, templates }
}

/// The wire's units are those of a US equity.
#[inline]
fn in_wire_units(row: &Instrument) -> bool {
    row.price_exponent == -4 && row.qty_exponent == 0 && row.name.symbol().is_some()
}

/// A limit price for the wire. `None`: negative, or beyond the highest limit (that would mean a market order).
#[inline]
fn limit(price: crate::base::Price) -> Option<WirePrice> {
    use crate::flow::wire::ouch50::MAX_LIMIT_PRICE;
    WirePrice::new(price).filter(|_| price <= MAX_LIMIT_PRICE)
}

/// A size for the wire. `None`: beyond what an order may have.
#[inline]
fn shares(qty: crate::base::Qty) -> Option<WireQty> {
    use crate::flow::wire::ouch50::{MAX_QUANTITY, MIN_QUANTITY};
    WireQty::new(qty).filter(|q| (MIN_QUANTITY..=MAX_QUANTITY).contains(&q.shares()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;
    use crate::flow::wire::soupbintcp::Password;

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut OuchEntry); 24] = [
            |_| {},
            |e| e.client.on_connected(Mono(1), &mut Nowhere),
            |e| e.stage = Stage::Connecting,
            |e| e.stage = Stage::Ready,
            |e| e.fault = Some(Fault::NotAuthorized),
            |e| e.fault = Some(Fault::Ended),
            |e| e.gave_up = Some(Away::Opening),
            |e| e.gave_up = Some(Away::Silent),
            |e| e.fresh = false,
            |e| e.closing = true,
            |e| e.done = true,
            |e| e.disabled = true,
            |e| e.day_over = true,
            |e| e.blocked = true,
            |e| e.next_token = 2,
            |e| e.requests = 2,
            |e| e.query = Some(Query { settles: 0, deadline: Mono(0) }),
            |e| e.query = Some(Query { settles: 0, deadline: Mono(1) }),
            |e| e.reconnect_at = Mono(1),
            |e| e.detail = Detail::BadNumber,
            |e| e.unsure = false,
            |e| e.ask_at = Mono(1),
            |e| e.close_at = Mono(1),
            |e| e.counters.malformed = 1,
        ];
        let config = OuchConfig::new(ClientConfig::new(*b"LANE01", Password(*b"**********")));
        assert_all_saved(|| OuchEntry::new(config.clone()).unwrap(), &changes);
    }

    struct Nowhere;

    impl crate::flow::wire::soupbintcp::Sink for Nowhere {
        fn write(&mut self, _: &[&[u8]]) {}
    }
}
