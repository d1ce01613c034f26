//! A recorded day with an order-entry ports: the play-through as the far end of the wire.

use super::Playthrough;
use crate::capture::binary_file::Messages;
use crate::crowd::CrowdStats;
use crate::exchange::Exchange;
use crate::venue::acceptor::{Acceptor, ConnId, Output, PortConfig};
use crate::venue::engine::Resting;
use crate::venue::farewell::{Name, Remark};
use crate::venue::port::Port;
use firelane_gateway::base::{ExchangeTime, Mono, Symbol};
use firelane_gateway::flow::wire::itch50::{self, Message, codes};
use firelane_gateway::flow::wire::soupbintcp::Password;
use std::ops::Range;

/// When a message of a recording goes out: at its own stamp, and never before the message before it, which went out at
/// `before`. One that can't be read, or whose stamp is no time of day, goes out together with the one before.
#[must_use]
pub fn time_of(message: &[u8], before: ExchangeTime) -> ExchangeTime {
    let stamp = itch50::decode(message).map(|m| ExchangeTime::new(before.day(), m.header().timestamp.ns()));
    stamp.map_or(before, |at| if at.day() == before.day() { at.max(before) } else { before })
}

/// When the market hours of a recording (`BinaryFILE`, decompressed) begin; if it does not say so, when its first
/// message was sent.
#[must_use]
pub fn opening_of(recording: &[u8], day: u32) -> ExchangeTime {
    let midnight = ExchangeTime::new(day, 0);
    let mut messages = Messages::new(recording).filter_map(Result::ok);
    let Some(first) = messages.next() else { return midnight };
    let opens = |message: &&[u8]| matches!(itch50::decode(message), Ok(Message::SystemEvent(m)) if m.event_code == codes::event::START_OF_MARKET_HOURS);
    let opening = std::iter::once(first).chain(messages).find(opens);
    time_of(opening.unwrap_or(first), midnight)
}

/// A recording (`BinaryFILE`, decompressed) that plays on the caller's clock, and ports to trade with it. As own orders never meet one another,
/// each port trades as if it were alone with the recording.
///
/// At one instant the recording comes first: an order that arrives at a message's own stamp arrives after it.
#[derive(Debug)]
pub struct RecordedDay<B> {
    market: Playthrough,
    acceptor: Acceptor,
    recording: B,
    /// The next message and when it goes out; `None` once all did, or the market has stopped.
    next: Option<(ExchangeTime, Range<usize>)>,
    out: Vec<Vec<u8>>,
    played: u64,
    /// Numbers (from 0) of the messages before which others are missing, the next one last.
    losses: Vec<u64>,
}

impl<B: AsRef<[u8]>> RecordedDay<B> {
    /// A day before its first message. `epoch` is the exchange's time when the caller's clock is zero: what was recorded
    /// before goes out when the day is opened. `market` is the code of the market that was recorded (`Q` Nasdaq).
    ///
    /// # Panics
    /// With more ports than 16 bits can number.
    #[must_use]
    pub fn new(recording: B, epoch: ExchangeTime, market: u8, ports: Vec<PortConfig>) -> Self {
        let mut day = RecordedDay {
            market: Playthrough::new(market),
            acceptor: Acceptor::new(epoch, ports),
            recording,
            next: None,
            out: Vec::new(),
            played: 0,
            losses: Vec::new(),
        };
        day.step(ExchangeTime::new(epoch.day(), 0), 0);
        day
    }

    /// The same; before the messages of these numbers (from 0, ascending) others are missing. One number that never comes is
    /// as good as many.
    #[must_use]
    pub fn with_losses(self, mut losses: Vec<u64>) -> Self {
        losses.reverse();
        RecordedDay { losses, ..self }
    }

    /// The recorded market and the own orders in it.
    #[must_use]
    pub fn market(&self) -> &Playthrough {
        &self.market
    }

    /// Finds the message at `from`.
    fn step(&mut self, before: ExchangeTime, from: usize) {
        let rest = self.recording.as_ref().get(from..).unwrap_or_default();
        // A message that the recording breaks off in is no message.
        self.next = Messages::new(rest).next().and_then(Result::ok).map(|message| {
            let start = from + size_of::<u16>();
            (time_of(message, before), start..start + message.len())
        });
    }

    /// Everything that was recorded up to now goes out.
    fn play(&mut self, now: Mono) {
        let until = self.acceptor.exchange_time(now);
        while let Some((at, place)) = self.next.take_if(|(at, _)| *at <= until) {
            let message = self.recording.as_ref().get(place.clone()).unwrap_or_default().to_vec();
            let mut effects = Vec::new();
            self.market.on_message(&message, &mut effects);
            if !effects.is_empty() {
                self.acceptor.on_effects(now, &effects);
            }
            if self.losses.pop_if(|lost| *lost == self.played).is_some() {
                self.out.push(Vec::new());
            }
            self.played += 1;
            self.out.push(message);
            self.step(at, place.end);
        }
    }
}

impl<B: AsRef<[u8]> + Send> Exchange for RecordedDay<B> {
    fn open(&mut self, now: Mono) {
        self.play(now);
    }

    fn next_deadline(&self) -> Mono {
        let epoch = self.acceptor.exchange_time(Mono(0));
        let next = self.next.as_ref().map_or(Mono::NEVER, |(at, _)| Mono(at.since(epoch).0));
        next.min(self.acceptor.next_deadline())
    }

    fn on_timer(&mut self, now: Mono) {
        self.play(now);
        self.acceptor.on_timer(now, &mut self.market);
    }

    fn stop(&mut self, _now: Mono) {
        self.next = None;
    }

    /// The recording says for itself how far its day came; only order entry ends here.
    fn end_day(&mut self, now: Mono) {
        self.next = None;
        let mut effects = Vec::new();
        self.market.end_day(&mut effects);
        self.acceptor.on_effects(now, &effects);
        self.acceptor.system_event(now, false);
        for port in 0..self.acceptor.count() {
            self.acceptor.end_session(now, port, &mut self.market);
        }
    }

    fn take_passwords(&mut self) -> Vec<Password> {
        self.acceptor.take_passwords()
    }

    fn on_connect(&mut self, now: Mono, conn: ConnId, port: u16) {
        self.acceptor.on_connect(now, conn, port);
    }

    fn on_bytes(&mut self, now: Mono, conn: ConnId, bytes: &[u8]) {
        self.acceptor.on_bytes(now, conn, bytes, &mut self.market);
    }

    fn on_close(&mut self, now: Mono, conn: ConnId) {
        self.acceptor.on_close(now, conn, &mut self.market);
    }

    fn take_outputs(&mut self) -> Vec<Output> {
        self.acceptor.take_outputs()
    }

    fn take_remarks(&mut self) -> Vec<(u16, Remark, u64)> {
        self.acceptor.take_remarks()
    }

    fn tried(&self, conn: ConnId) -> Option<Name> {
        self.acceptor.tried(conn)
    }

    fn take_messages(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.out)
    }

    fn is_over(&self) -> bool {
        self.next.is_none()
    }

    fn snapshot(&self, now: Mono) -> Vec<Vec<u8>> {
        self.market.snapshot(self.acceptor.exchange_time(now))
    }

    fn symbols(&self) -> Vec<Symbol> {
        self.market.symbols().collect()
    }

    fn port(&self, index: u16) -> Option<&Port> {
        self.acceptor.port(index)
    }

    fn logged_in(&self, port: u16) -> Option<ConnId> {
        self.acceptor.login_of(port)
    }

    fn user(&self, port: u16) -> Option<[u8; 6]> {
        self.acceptor.user(port)
    }

    fn displayed(&self, symbol: Symbol) -> Vec<Resting> {
        self.market.book(symbol)
    }

    fn check(&self) -> Result<(), String> {
        self.market.check()?;
        self.acceptor.ports().try_for_each(Port::check)
    }

    fn crowd(&self) -> CrowdStats {
        CrowdStats::default()
    }
}
