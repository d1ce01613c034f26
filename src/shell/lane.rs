//! A lane without its type, and the recorder that runs one and writes down what it consumed and caused.

use super::log::{Effects, FileHeader, FileWriter, LogError, Role, header};
use crate::base::{Digest, InstrumentTable, Mono};
use crate::flow::book::Books;
use crate::flow::entry::OrderEntry;
use crate::flow::feed::FeedCounters;
use crate::flow::orders::Orders;
use crate::flow::outbox::{Class, Outbox, Output, Progress};
use crate::flow::record::{FinalBody, Kind};
use crate::flow::risk::Gate;
use crate::flow::session::SessionInput;
use crate::flow::wiring::Wiring;
use crate::flow::{CoreCounters, Gateway, Input};
use std::io::Write;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U64;

/// Any [`Gateway`]: one virtual call an input. What the shell drives, and what a registry of wirings hands out.
pub trait Lane {
    /// See [`Gateway::on_input`].
    fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// See [`Gateway::resume`].
    fn resume(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress;
    /// See [`Gateway::next_deadline`].
    fn next_deadline(&self) -> Mono;
    /// See [`Gateway::digest`].
    fn digest(&self) -> u64;
    /// Inputs consumed.
    fn inputs(&self) -> u64;
    /// Feed counters.
    fn feed_counters(&self) -> &FeedCounters;
    /// The next market-data message it waits for.
    fn next_sequence(&self) -> u64;
    /// Core counters.
    fn core_counters(&self) -> &CoreCounters;
    /// Instruments.
    fn instruments(&self) -> &InstrumentTable;
    /// Books.
    fn books(&self) -> &Books;
    /// Orders.
    fn orders(&self) -> &Orders;
    /// Gate and ledger.
    fn gate(&self) -> &Gate;
    /// May orders be sent?
    fn ready(&self) -> bool;
    /// Is order entry over, after a shutdown or a fault?
    fn is_over(&self) -> bool;
}

impl<W: Wiring> Lane for Gateway<W> {
    fn on_input(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.on_input(now, input, out)
    }
    fn resume(&mut self, now: Mono, input: Input<'_>, out: &mut Outbox) -> Progress {
        self.resume(now, input, out)
    }
    fn next_deadline(&self) -> Mono {
        self.next_deadline()
    }
    fn digest(&self) -> u64 {
        self.digest()
    }
    fn inputs(&self) -> u64 {
        self.core().inputs()
    }
    fn feed_counters(&self) -> &FeedCounters {
        self.feed().counters()
    }
    fn next_sequence(&self) -> u64 {
        self.feed().next_sequence()
    }
    fn core_counters(&self) -> &CoreCounters {
        self.core().counters()
    }
    fn instruments(&self) -> &InstrumentTable {
        self.core().instruments()
    }
    fn books(&self) -> &Books {
        self.core().books()
    }
    fn orders(&self) -> &Orders {
        self.core().orders()
    }
    fn gate(&self) -> &Gate {
        self.core().gate()
    }
    fn ready(&self) -> bool {
        self.core().entry().ready()
    }
    fn is_over(&self) -> bool {
        self.core().entry().stage() == crate::flow::entry::Stage::Over
    }
}

/// Runs a lane to the end of each input, hands its effects on, and writes log and tape.
pub struct Recorder<L: ?Sized = dyn Lane> {
    out: Outbox,
    log: Option<FileWriter<Box<dyn Write>>>,
    tape: Option<FileWriter<Box<dyn Write>>>,
    effects: Effects,
    /// Digests of all effects and of all tape records so far.
    effects_digest: Digest,
    tape_digest: Digest,
    lane: Box<L>,
}

impl<L: ?Sized> core::fmt::Debug for Recorder<L> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recorder").field("log", &self.log.is_some()).field("tape", &self.tape.is_some()).finish()
    }
}

impl<L: Lane + ?Sized> Recorder<L> {
    /// A recorder that writes nothing yet.
    #[must_use]
    pub fn new(lane: Box<L>) -> Self {
        Recorder {
            out: Outbox::new(1 << 18),
            log: None,
            tape: None,
            effects: Effects::Bytes,
            effects_digest: Digest::default(),
            tape_digest: Digest::default(),
            lane,
        }
    }

    /// Writes every input and its effects to `sink`, from the first input on.
    ///
    /// # Errors
    /// What the sink says.
    pub fn log_to(&mut self, sink: Box<dyn Write>, header: &FileHeader) -> Result<(), LogError> {
        self.effects = header.effects;
        self.log = Some(FileWriter::new(sink, Role::Log, header)?);
        Ok(())
    }

    /// Writes the tape to `sink`.
    ///
    /// # Errors
    /// What the sink says.
    pub fn tape_to(&mut self, sink: Box<dyn Write>, header: &FileHeader) -> Result<(), LogError> {
        self.tape = Some(FileWriter::new(sink, Role::Tape, header)?);
        Ok(())
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &L {
        &self.lane
    }

    /// One input, to its end. `sink` is handed every effect and every tape record, in order.
    ///
    /// # Errors
    /// What log or tape say; the lane itself has consumed the input all the same.
    pub fn input(&mut self, now: Mono, input: Input<'_>, mut sink: impl FnMut(Output<'_>)) -> Result<(), LogError> {
        self.out.clear();
        let mut progress = self.lane.on_input(now, input, &mut self.out);
        let number = self.lane.inputs();
        if let Some(log) = &mut self.log {
            write_input(log, number, now, input)?;
        }
        let mut digest = Digest::default();
        let mut any = false;
        loop {
            for output in self.out.outputs() {
                if let Output::Tape(record) = output {
                    self.tape_digest.bytes(record);
                    if let Some(tape) = &mut self.tape {
                        tape.whole(record)?;
                    }
                    sink(output);
                    continue;
                }
                let (kind, tag, bytes) = flatten(&output);
                for part in [&[kind as u8][..], &tag.0[..tag.1], bytes] {
                    self.effects_digest.bytes(part);
                    digest.bytes(part);
                }
                any = true;
                if let (Some(log), Effects::Bytes) = (&mut self.log, self.effects) {
                    let tag = &tag.0[..tag.1];
                    log.record(header(kind, number, now, tag.len() + bytes.len()), &[tag, bytes])?;
                }
                sink(output);
            }
            if progress == Progress::Done {
                break;
            }
            self.out.clear();
            progress = self.lane.resume(now, input, &mut self.out);
        }
        if let (Some(log), Effects::Digest, true) = (&mut self.log, self.effects, any) {
            let body = U64::new(digest.value());
            log.record(header(Kind::EffectsDigest, number, now, 8), &[body.as_bytes()])?;
        }
        Ok(())
    }

    /// What the log's last record says of the run so far.
    #[must_use]
    pub fn summary(&self) -> FinalBody {
        FinalBody {
            inputs: U64::new(self.lane.inputs()),
            effects: U64::new(self.effects_digest.value()),
            tape: U64::new(self.tape_digest.value()),
            state: U64::new(self.lane.digest()),
        }
    }

    /// Ends log and tape in order, and gives the lane back.
    ///
    /// # Errors
    /// What the sinks say.
    pub fn finish(mut self, now: Mono) -> Result<Box<L>, LogError> {
        let body = self.summary();
        if let Some(mut log) = self.log.take() {
            let head = header(Kind::Final, self.lane.inputs(), now, size_of::<FinalBody>());
            log.record(head, &[body.as_bytes()])?;
            log.finish()?;
        }
        if let Some(tape) = self.tape.take() {
            tape.finish()?;
        }
        Ok(self.lane)
    }
}

/// An effect as a log record: kind, the bytes in front, the payload.
pub(super) fn flatten<'a>(output: &Output<'a>) -> (Kind, ([u8; 2], usize), &'a [u8]) {
    match *output {
        Output::Send { session, class, bytes } => (Kind::Sent, ([session.0, class as u8], 2), bytes),
        Output::Datagram(bytes) => (Kind::Datagram, ([0, 0], 0), bytes),
        Output::Connect(session) => (Kind::Connect, ([session.0, 0], 1), &[]),
        Output::Disconnect(session) => (Kind::Disconnect, ([session.0, 0], 1), &[]),
        Output::Tape(bytes) => (Kind::Order, ([0, 0], 0), bytes),
    }
}

fn write_input(log: &mut FileWriter<Box<dyn Write>>, number: u64, now: Mono, input: Input<'_>) -> Result<(), LogError> {
    let mut write = |kind, parts: &[&[u8]]| {
        log.record(header(kind, number, now, parts.iter().map(|p| p.len()).sum()), parts).map_err(LogError::from)
    };
    match input {
        Input::Packet(line, bytes) => write(Kind::Packet, &[&[line.0], bytes]),
        Input::Session(session, SessionInput::Connected) => write(Kind::Connected, &[&[session.0]]),
        Input::Session(session, SessionInput::Bytes(bytes)) => write(Kind::Bytes, &[&[session.0], bytes]),
        Input::Session(session, SessionInput::Closed) => write(Kind::Closed, &[&[session.0]]),
        Input::Command(command) => write(Kind::Command, &[command.to_body().as_bytes()]),
        Input::Timer => write(Kind::Timer, &[]),
    }
}

/// Puts a session's password into a login packet on its way out. The lane logs in with a blank one (`*`), so that no
/// log, tape or dump can hold a secret; the shell fills it in as the bytes leave the process.
///
/// The login is the first thing that a session writes, in a write of its own (SoupBinTCP 3.00, Login Request).
pub fn fill_in_password(class: Class, bytes: &mut [u8], password: [u8; 10]) {
    const LOGIN: [u8; 3] = [0, 47, b'L'];
    if class == Class::Session
        && bytes.starts_with(&LOGIN)
        && let Some(field) = bytes.get_mut(9..19)
    {
        field.copy_from_slice(&password);
    }
}

/// What stands in a lane's login where the password belongs.
pub const NO_PASSWORD: [u8; 10] = *b"**********";
