//! A session that numbers its messages over connections and restarts, as FIX does: what an entry says must outlive the
//! program is enough to go on with.

use super::*;
use firelane_gateway::base::{Instrument, InstrumentTable, LoadError, Mono, Reader, Save, SessionId, Value, Writer};
use firelane_gateway::flow::action::{Cancel, Replace};
use firelane_gateway::flow::orders::{Order, Sent};
use firelane_gateway::flow::outbox::Output;
use firelane_gateway::flow::risk::{Approved, MarkedEnter};
use firelane_gateway::flow::session::SessionInput;

/// So many numbers are reserved at once: as often as not, nothing has to be written down.
const BLOCK: u64 = 4;

/// Messages are a number, a letter, and a number that it is about: `C`ancel, `T`est request, `G`ap fill up to.
struct Numbered {
    stage: Stage,
    /// The number of the next message.
    next: u64,
    /// Numbers below this may have been used, by this run or by one before.
    reserved: u64,
    /// An earlier run may have used numbers that this one has not: to be filled.
    gap: bool,
    requests: u64,
    asked: Option<u64>,
    heard: Option<u64>,
}

firelane_gateway::state! { Numbered { next, reserved, gap, requests, asked, heard } without { stage } }

impl Numbered {
    fn new() -> Self {
        Numbered { stage: Stage::Down, next: 1, reserved: 1, gap: false, requests: 0, asked: None, heard: None }
    }

    fn send(&mut self, class: Class, kind: u8, about: u64, out: &mut Outbox) {
        if self.next == self.reserved {
            self.reserved += BLOCK;
        }
        let frame = [&self.next.to_be_bytes()[..], &[kind], &about.to_be_bytes()].concat();
        self.next += 1;
        assert!(out.send(SessionId::ORDERS, class, &[&frame]));
    }
}

impl OrderEntry for Numbered {
    fn start(&mut self, _now: Mono, out: &mut Outbox) {
        self.stage = Stage::Connecting;
        out.connect(SessionId::ORDERS);
    }

    fn room(&self, _: &Enter, _: ClientId, _: &Instrument, _: &Outbox) -> Result<u32, Refused> {
        Err(Refused::Unsupported)
    }

    fn enter(
        &mut self,
        _: Mono,
        _: Approved<MarkedEnter>,
        _: ClientId,
        _: &Instrument,
        _: &mut Outbox,
    ) -> Result<Sent, Refused> {
        Err(Refused::Unsupported)
    }

    fn replace(&mut self, _: Mono, _: Approved<Replace>, _: &Order, _: &mut Outbox) -> Result<Sent, Refused> {
        Err(Refused::Unsupported)
    }

    fn cancel(&mut self, _: Mono, _: Approved<Cancel>, _: &Order, _: &mut Outbox) -> Result<Sent, Refused> {
        Err(Refused::Unsupported)
    }

    fn cancel_token(&mut self, _: Mono, cancel: Approved<CancelToken>, out: &mut Outbox) -> Result<(), Refused> {
        self.requests += 1;
        self.send(Class::Cancel, b'C', cancel.into_inner().token.0, out);
        Ok(())
    }

    fn mass_cancel(
        &mut self,
        _: Mono,
        _: Approved<MassCancel>,
        _: &InstrumentTable,
        _: &mut Outbox,
    ) -> Result<Sent, Refused> {
        Err(Refused::Unsupported)
    }

    fn confirm(&mut self, _: Mono, out: &mut Outbox) {
        self.asked = Some(self.requests);
        self.send(Class::Session, b'T', self.requests, out);
    }

    fn on_session(&mut self, now: Mono, input: SessionInput<'_>, out: &mut Outbox) -> usize {
        match input {
            SessionInput::Connected => {
                if std::mem::take(&mut self.gap) {
                    let next = self.next;
                    self.send(Class::Session, b'G', next + 1, out);
                }
                self.stage = Stage::Confirming;
                self.confirm(now, out);
                0
            }
            SessionInput::Bytes(bytes) => {
                self.heard = Some(u64::from_be_bytes(bytes.try_into().unwrap()));
                bytes.len()
            }
            _ => 0,
        }
    }

    fn on_timer(&mut self, _: Mono, _: &mut Outbox) {}

    fn next_deadline(&self) -> Mono {
        Mono::NEVER
    }

    fn next_report(&mut self, _: Mono, _: &mut Outbox) -> Option<Report> {
        let upto = self.heard.take().filter(|heard| Some(*heard) == self.asked.take())?;
        self.stage = Stage::Ready;
        Some(Report::Settled { upto, next: None, unused: None })
    }

    fn dropped(&mut self, _: &mut &[u8]) -> Option<Report> {
        None
    }

    fn stage(&self) -> Stage {
        self.stage
    }

    fn fault(&self) -> Option<Fault> {
        None
    }

    fn detail(&self) -> u64 {
        0
    }

    fn tells_of_earlier(&self) -> bool {
        false
    }

    fn ready(&self) -> bool {
        self.stage == Stage::Ready
    }

    fn away(&self) -> Away {
        Away::Opening
    }

    fn swept(&mut self, _: Mono, _: &mut Outbox) {}

    fn shutdown(&mut self, _: Mono, _: &mut Outbox) {}

    fn durable(&self, into: &mut dyn Save) {
        self.reserved.put(into);
    }

    fn durable_mark(&self) -> u64 {
        self.reserved
    }

    fn resume(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let reserved = from.u64()?;
        from.end()?;
        (self.next, self.reserved, self.gap) = (reserved, reserved, reserved > 1);
        Ok(())
    }

    fn counters(&self, _: &mut dyn FnMut(&'static str, u64)) {}
}

/// The other side: takes each number once, in order; only a gap fill may be ahead.
#[derive(Default)]
struct Other {
    last: u64,
    taken: Vec<u8>,
}

impl Other {
    /// Err: what a venue would log the session out for.
    fn take(&mut self, frame: &[u8]) -> Result<Option<u64>, String> {
        let (number, about) = (u64::from_be_bytes(frame[..8].try_into().unwrap()), &frame[9..]);
        let about = u64::from_be_bytes(about.try_into().unwrap());
        if number <= self.last {
            return Err(format!("number {number} is too low, {} is expected", self.last + 1));
        }
        if number > self.last + 1 && frame[8] != b'G' {
            return Err(format!("number {number} leaves a gap, {} is expected", self.last + 1));
        }
        self.last = if frame[8] == b'G' { about - 1 } else { number };
        self.taken.push(frame[8]);
        Ok((frame[8] == b'T').then_some(about))
    }
}

/// What the shell has written down: at the edge of each step, where it has changed.
struct Shell {
    mark: u64,
    file: Vec<u8>,
    writes: usize,
}

impl Shell {
    fn look(&mut self, entry: &Numbered) {
        if entry.durable_mark() != self.mark {
            let mut into = Writer::default();
            entry.durable(&mut into);
            (self.mark, self.file, self.writes) = (entry.durable_mark(), into.0, self.writes + 1);
        }
    }
}

/// Lets the entry's bytes arrive, and the answers.
fn pass(entry: &mut Numbered, other: &mut Other, out: &mut Outbox) -> Result<(), String> {
    let frames: Vec<Vec<u8>> = out
        .outputs()
        .filter_map(|output| match output {
            Output::Send { bytes, .. } => Some(bytes.to_vec()),
            _ => None,
        })
        .collect();
    out.clear();
    for frame in frames {
        if let Some(answer) = other.take(&frame)? {
            entry.on_session(Mono(0), SessionInput::Bytes(&answer.to_be_bytes()), out);
        }
    }
    Ok(())
}

/// A run that sends so many cancels and is killed.
fn run(entry: &mut Numbered, other: &mut Other, shell: &mut Shell, cancels: u64) -> Result<(), String> {
    let (mut rig, mut out) = (Rig::ready(), Outbox::new(0));
    entry.start(Mono(0), &mut out);
    entry.on_session(Mono(0), SessionInput::Connected, &mut out);
    shell.look(entry);
    pass(entry, other, &mut out)?;
    assert_eq!(entry.next_report(Mono(0), &mut out), Some(Report::Settled { upto: 0, next: None, unused: None }));
    assert!(entry.ready());
    for token in 1..=cancels {
        let approved = rig.gate.cancel_token(CancelToken { token: Token(token) }, rig.now);
        entry.cancel_token(Mono(0), approved, &mut out).unwrap();
        shell.look(entry);
        pass(entry, other, &mut out)?;
    }
    Ok(())
}

#[test]
fn a_restarted_session_goes_on_with_its_numbers() {
    // Killed with less than a block of numbers used, at its end, and beyond it.
    for cancels in 0..=9 {
        let (mut other, mut shell) = (Other::default(), Shell { mark: 1, file: Vec::new(), writes: 0 });
        run(&mut Numbered::new(), &mut other, &mut shell, cancels).unwrap();
        assert_eq!(shell.writes as u64, cancels / BLOCK + 1, "{cancels}");
        for life in 2..=4 {
            let mut entry = Numbered::new();
            entry.resume(&mut Reader(&shell.file)).unwrap();
            run(&mut entry, &mut other, &mut shell, cancels).unwrap_or_else(|why| panic!("{cancels}, {life}: {why}"));
        }
        assert_eq!(other.taken.iter().filter(|kind| **kind == b'C').count() as u64, 4 * cancels, "nothing was lost");
        // Without what was written down there is no way back.
        let refused = run(&mut Numbered::new(), &mut other, &mut shell, cancels).unwrap_err();
        assert!(refused.starts_with("number 1 is too low"), "{refused}");
    }
    assert!(Numbered::new().resume(&mut Reader(&[1, 2, 3])).is_err());
}

#[test]
fn a_session_of_one_day_has_nothing_that_outlives_it() {
    let mut entry = OuchEntry::new(config()).unwrap();
    let mut into = Writer::default();
    entry.durable(&mut into);
    assert_eq!((into.0.as_slice(), entry.durable_mark()), (&[][..], 0));
    assert_eq!(entry.resume(&mut Reader(&[])), Ok(()));
    assert!(entry.resume(&mut Reader(&[0])).is_err());
}
