//! What a whole lane and a core on its own have in common: the order session, commands and kill switch, log and tape.

use super::Handle;
use super::link::{event_input, link_body};
use super::market_side::Back;
use crate::base::{Mono, Nanos, SessionId};
use crate::flow::outbox::{Class, Outbox, Output, Progress};
use crate::flow::record::{self, Kind, StatusBody, TraceBody};
use crate::flow::wire::soupbintcp::Password;
use crate::flow::{Command, Input};
use crate::shell::clock::Clock;
use crate::shell::config::LiveConfig;
use crate::shell::counters::Tally;
use crate::shell::journal::Journal;
use crate::shell::lane::{CoreHalf, Lane};
use crate::shell::log::LogError;
use crate::shell::net::{KillSwitch, Sent, Session, SessionCounters, Why};
use crate::shell::sync::{Counter, Stop};
use crossbeam_queue::ArrayQueue;
use std::sync::Arc;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U64;

/// What takes inputs: a whole lane, or its core.
pub(super) trait Driven {
    /// Begins an input, and goes as far as one call does.
    fn take(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// Goes on with it.
    fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// Inputs consumed.
    fn inputs(&self) -> u64;
    /// Orders since the last look.
    fn traces(&self) -> &[TraceBody];
    /// They have been seen to.
    fn forget_traces(&mut self);
    /// Is order entry over?
    fn is_over(&self) -> bool;
    /// How it is doing.
    fn status(&self, into: &mut StatusBody);
    /// What it has counted.
    fn counters(&self, into: &mut Tally);
}

macro_rules! driven {
    ($what:ident, $begin:expr, $resume:expr) => {
        impl Driven for Box<dyn $what> {
            #[inline]
            fn take(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
                $begin(&mut **self, now, input, out)
            }
            #[inline]
            fn resume(&mut self, input: Input<'_>, out: &mut Outbox) -> Progress {
                $resume(&mut **self, input, out)
            }
            fn inputs(&self) -> u64 {
                (**self).inputs()
            }
            #[inline]
            fn traces(&self) -> &[TraceBody] {
                (**self).traces()
            }
            fn forget_traces(&mut self) {
                (**self).forget_traces();
            }
            fn is_over(&self) -> bool {
                (**self).is_over()
            }
            fn status(&self, into: &mut StatusBody) {
                (**self).status(into);
            }
            fn counters(&self, into: &mut Tally) {
                (**self).counters(into);
            }
        }
    };
}

fn begin_core(core: &mut dyn CoreHalf, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
    core.begin(now, input, out);
    core.run(input, out)
}

driven!(Lane, <dyn Lane>::on_input, <dyn Lane>::resume);
driven!(CoreHalf, begin_core, <dyn CoreHalf>::run);

/// What the market side has to say of itself.
pub(super) trait Market {
    /// How it is doing, where the lane at hand does not know.
    fn status(&self, into: &mut StatusBody);
    /// What it has counted, its sockets and what the lane at hand does not know.
    fn counters(&self, into: &mut Tally);
}

/// Bytes that the log must be able to take before another input is: one input, and what one call of the lane writes.
const LOG_RESERVE: usize = 1 << 20;
/// What one call of the lane may write.
const OUTBOX: usize = 1 << 17;
/// Orders whose send is stamped, of one call.
const STAMPS: usize = 512;
/// Events of the order session in one duty cycle.
const EVENTS: usize = 32;

/// See the module.
pub(super) struct CoreSide {
    pub(super) out: Outbox,
    pub(super) journal: Journal,
    pub(super) clock: Clock,
    orders: Session,
    inbox: Arc<ArrayQueue<Command>>,
    kill: KillSwitch,
    /// As the lane knows it.
    killed: bool,
    over: Stop,
    /// The core wants a snapshot, and the feed does not know yet.
    wants_snapshot: bool,
    /// When the sends of this call's orders returned; 0 for one that waits.
    stamps: Vec<u64>,
    /// Session bytes on their way into the lane, which may send on the same session.
    received: Box<[u8]>,
    status: StatusBody,
    counters: Tally,
    status_at: Mono,
    status_every: Nanos,
    stalls: u64,
    stalled: bool,
    tape_lost: Counter,
}

impl CoreSide {
    pub(super) fn new(
        config: &LiveConfig,
        password: Password,
        journal: Journal,
        clock: Clock,
        handle: &Handle,
        tape_lost: Counter,
    ) -> Self {
        let session = config.net.session(Some(password));
        let mut received = vec![0; session.receive_bytes.max(session.queue_bytes)].into_boxed_slice();
        // Written once now, so that no page fault happens on the lane.
        received.fill(std::hint::black_box(0xA5));
        CoreSide {
            out: Outbox::new(OUTBOX),
            journal,
            clock,
            orders: Session::new(config.net.orders, &session, handle.kill.clone()),
            inbox: Arc::clone(&handle.inbox),
            kill: handle.kill.clone(),
            killed: false,
            over: handle.over.clone(),
            wants_snapshot: false,
            stamps: Vec::with_capacity(STAMPS),
            received,
            status: StatusBody::default(),
            counters: Tally::new(),
            status_at: Mono(0),
            status_every: config.status_every,
            stalls: 0,
            stalled: false,
            tape_lost,
        }
    }

    /// Is there room in the log for another input? If not, none may be taken.
    ///
    /// # Errors
    /// Nobody writes the log any more: the lane stops before an order leaves that is not in it.
    #[inline]
    pub(super) fn may_take_input(&mut self) -> Result<bool, LogError> {
        let room = self.journal.log_room()? >= LOG_RESERVE;
        if room {
            self.stalled = false;
        } else if !self.stalled {
            self.stalled = true;
            self.stalls += 1;
        }
        Ok(room)
    }

    /// One input to its end. The sockets come first: an order leaves before anything of it is written down.
    #[inline]
    pub(super) fn input(
        &mut self,
        lane: &mut impl Driven,
        back: &mut impl Back,
        now: Mono,
        input: Input<'_>,
    ) -> Result<(), LogError> {
        let mut progress = lane.take(now, input, &mut self.out);
        let number = lane.inputs();
        self.act(now, back);
        self.journal.input(number, now, &input)?;
        loop {
            self.write_down(lane, number, now)?;
            if progress == Progress::Done {
                break;
            }
            progress = lane.resume(input, &mut self.out);
            self.act(now, back);
        }
        self.journal.done(number, now)
    }

    /// Does what the lane wrote.
    #[inline]
    pub(super) fn act(&mut self, now: Mono, back: &mut impl Back) {
        for output in self.out.outputs() {
            match output {
                Output::Send { session: SessionId::ORDERS, class, bytes } => {
                    let sent = self.orders.send(class, bytes);
                    if class == Class::Order && self.stamps.len() < STAMPS {
                        self.stamps.push(if sent == Sent::Written { self.clock.now().0 } else { 0 });
                    }
                }
                Output::Connect(SessionId::ORDERS) => self.orders.connect(now),
                Output::Disconnect(SessionId::ORDERS) => self.orders.disconnect(),
                Output::Snapshot => self.wants_snapshot = true,
                Output::Tape(_) => {}
                other => back.take(now, &other),
            }
        }
    }

    /// Log and tape of what the lane wrote; then the outbox is empty.
    #[inline]
    pub(super) fn write_down(&mut self, lane: &mut impl Driven, number: u64, now: Mono) -> Result<(), LogError> {
        self.journal.outputs(number, now, &self.out)?;
        self.out.clear();
        if !lane.traces().is_empty() {
            // The last orders sent are the ones traced: what was sent before a message was at hand has no trace.
            let untraced = self.stamps.len().saturating_sub(lane.traces().len());
            for (trace, sent) in lane.traces().iter().zip(&self.stamps[untraced..]) {
                let trace = TraceBody { sent: U64::new(*sent), ..*trace };
                put(&mut self.journal, Kind::Trace, number, now, trace.as_bytes())?;
            }
            lane.forget_traces();
        }
        self.stamps.clear();
        Ok(())
    }

    /// While no input may be taken: what waits for the venue goes out all the same, cancels among it, and the kill switch
    /// acts on the rest.
    #[cold]
    pub(super) fn keep_sending(&mut self) {
        self.orders.flush();
    }

    /// Does the core want a snapshot? Asked once, then forgotten.
    #[inline]
    pub(super) fn take_wish(&mut self) -> bool {
        std::mem::take(&mut self.wants_snapshot)
    }

    /// Commands, the kill switch, and what comes from the venue's order port.
    #[inline]
    pub(super) fn serve(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> Result<usize, LogError> {
        let mut work = 0;
        if self.kill.is_thrown() != self.killed {
            self.killed = !self.killed;
            let command = if self.killed { Command::Kill } else { Command::Release };
            self.input(lane, back, self.clock.now(), Input::Command(command))?;
            work += 1;
        }
        while let Some(command) = self.inbox.pop() {
            work += 1;
            match command {
                Command::Snapshot => self.wants_snapshot = true,
                _ => self.input(lane, back, self.clock.now(), Input::Command(command))?,
            }
        }
        for _ in 0..EVENTS {
            if !self.may_take_input()? || !self.poll_orders(lane, back)? {
                break;
            }
            work += 1;
        }
        Ok(work)
    }

    /// The next event of the order session. False: none.
    #[inline]
    fn poll_orders(&mut self, lane: &mut impl Driven, back: &mut impl Back) -> Result<bool, LogError> {
        let Some(event) = self.orders.poll(self.clock.now()) else { return Ok(false) };
        let now = self.clock.now();
        // The lane may send on the session whose buffer these bytes lie in: they move to a place of their own.
        let mut received = std::mem::take(&mut self.received);
        let (input, link) = event_input(event, &mut received);
        if let Some(why) = link {
            self.link(SessionId::ORDERS, why, now)?;
        }
        let done = self.input(lane, back, now, Input::Session(SessionId::ORDERS, input));
        self.received = received;
        done.map(|()| true)
    }

    /// Says on the tape what became of a connection.
    pub(super) fn link(&mut self, session: SessionId, why: Option<Why>, now: Mono) -> Result<(), LogError> {
        put(&mut self.journal, Kind::Link, 0, now, link_body(session, why).as_bytes())
    }

    /// Says on the tape how the lane is doing, and what it has counted, when it is time to. `market` adds what this side
    /// does not know.
    #[inline]
    pub(super) fn report(&mut self, lane: &impl Driven, market: &impl Market, now: Mono) -> Result<(), LogError> {
        if lane.is_over() {
            self.over.stop();
        }
        if now < self.status_at {
            return Ok(());
        }
        self.status_at = now.after(self.status_every);
        self.status = StatusBody::default();
        market.status(&mut self.status);
        lane.status(&mut self.status);
        self.status.log_free.set(self.journal.log_room()? as u64);
        self.status.log_stalls.set(self.stalls);
        self.status.tape_lost.set(self.tape_lost.value());
        put(&mut self.journal, Kind::Status, lane.inputs(), now, self.status.as_bytes())?;
        self.count(lane, market);
        put(&mut self.journal, Kind::Counters, lane.inputs(), now, self.counters.body())
    }

    /// Every count there is: of the market side, of the lane, and of this side.
    fn count(&mut self, lane: &impl Driven, market: &impl Market) {
        let tally = &mut self.counters;
        tally.clear();
        market.counters(tally);
        lane.counters(tally);
        tally.all("sockets.orders", SessionCounters::NAMES, self.orders.counters().values());
        tally.put("outbox", "overflowed", self.out.overflowed());
        tally.put("log", "stalls", self.stalls);
        tally.put("tape", "lost", self.tape_lost.value());
        tally.put("counters", "left_out", tally.left_out());
    }

    /// Log and tape, to be ended; the sockets close.
    pub(super) fn into_journal(self) -> Journal {
        self.journal
    }
}

/// A record of the shell's own on the tape.
#[inline]
fn put(journal: &mut Journal, kind: Kind, number: u64, now: Mono, body: &[u8]) -> Result<(), LogError> {
    let header = record::header(kind, journal.lane(), number, now, body.len());
    journal.aside(&[header.as_bytes(), body])
}
