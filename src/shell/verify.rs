//! Proof that a recorded run reproduces: the lane is built again from the log's own header, fed the log's inputs, and
//! every effect, byte for byte, and the final digests are compared.

use super::lane::Lane;
use super::log::{Effects, FileHeader, FileReader, LogError, Record, final_body};
use crate::base::{Digest, Mono};
use crate::flow::Input;
use crate::flow::outbox::{Outbox, Output, Progress};
use crate::flow::record::log::{Body, input_of};
use crate::flow::record::{FinalBody, Kind};
use std::collections::VecDeque;
use std::io::Read;
use zerocopy::FromBytes;

/// What was compared, when all of it was equal.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Verified {
    /// Inputs fed.
    pub inputs: u64,
    /// Effects compared: bytes, or digests of an input's effects.
    pub effects: u64,
    /// Bytes of effects compared.
    pub bytes: u64,
    /// The log ends in order, and its digests of effects, tape and state were equal too.
    pub complete: bool,
}

/// Why a log does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The file itself.
    #[error(transparent)]
    Log(#[from] LogError),
    /// No lane can be built from its header.
    #[error("the lane of this log can't be built: {0}")]
    Build(String),
    /// A record that makes no sense where it stands.
    #[error("record at byte {offset} (input {input}): {what}")]
    Malformed {
        /// Where the record begins.
        offset: u64,
        /// The input's number.
        input: u64,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The run differs from the log.
    #[error("input {input}: the log has {logged}, the lane now does {done}")]
    Differs {
        /// The input's number.
        input: u64,
        /// What the log holds.
        logged: String,
        /// What the lane does.
        done: String,
    },
}

/// Verifies a log. `build` makes the lane that a header describes. A log that ends too early, between two records or
/// within one, is verified as far as it goes and is not [`complete`](Verified::complete).
///
/// # Errors
/// [`VerifyError`] at the first difference.
pub fn verify(
    source: impl Read,
    build: impl FnOnce(&FileHeader) -> Result<Box<dyn Lane>, String>,
    mut progress: impl FnMut(u64),
) -> Result<Verified, VerifyError> {
    let mut reader = FileReader::new(source)?.expect(super::log::Role::Log)?;
    let effects = reader.header().effects;
    let mut run = Rerun {
        lane: build(reader.header()).map_err(VerifyError::Build)?,
        out: Outbox::new(1 << 18),
        pending: VecDeque::new(),
        effects: Digest::default(),
        tape: Digest::default(),
        input: 0,
    };
    let mut done = Verified::default();
    loop {
        let record = match reader.next_record() {
            Ok(Some(record)) => record,
            Ok(None) => break,
            // The run stopped while it wrote: what is before this is whole, and was compared.
            Err(LogError::Torn { .. }) => break,
            Err(error) => return Err(error.into()),
        };
        let number = record.header.sequence.get();
        let malformed = |what| VerifyError::Malformed { offset: record.offset, input: number, what };
        if done.complete {
            return Err(malformed("it stands behind the end"));
        }
        if record.kind.is_some_and(|kind| kind as u8 >= 64) && number != done.inputs {
            return Err(malformed("it belongs to another input"));
        }
        match record.kind {
            None => return Err(malformed("a kind that this build does not know")),
            Some(Kind::Final) => {
                run.nothing_left()?;
                let logged = final_body(&record).ok_or_else(|| malformed("its body has a wrong length"))?;
                run.compare_final(&logged)?;
                done.complete = true;
            }
            Some(Kind::EffectsDigest) if effects == Effects::Digest => {
                let logged =
                    u64::read_from_bytes(&record.body).map_err(|_| malformed("its body has a wrong length"))?;
                run.compare_digest(u64::from_le(logged))?;
                done.effects += 1;
            }
            Some(kind) if (kind as u8) < 64 => {
                run.nothing_left()?;
                if number != done.inputs + 1 {
                    return Err(malformed("its number does not follow"));
                }
                let input = input_of(kind, &record.body).ok_or_else(|| malformed("no such input"))?;
                run.feed(Mono(record.header.time.get()), input);
                done.inputs = number;
                progress(done.inputs);
            }
            Some(kind) => {
                run.compare_effect(kind, &record)?;
                done.effects += 1;
                done.bytes += record.body.len() as u64;
            }
        }
    }
    Ok(done)
}

/// One effect: its kind and body as a record holds them.
type Effect = (Kind, Vec<u8>);

struct Rerun {
    lane: Box<dyn Lane>,
    out: Outbox,
    /// Effects of the current input that the log has not yet shown.
    pending: VecDeque<Effect>,
    effects: Digest,
    tape: Digest,
    input: u64,
}

impl Rerun {
    fn feed(&mut self, now: Mono, input: Input<'_>) {
        self.out.clear();
        let mut progress = self.lane.on_input(now, input, &mut self.out);
        self.input = self.lane.inputs();
        loop {
            for output in self.out.outputs() {
                let Some(effect) = Body::of_effect(&output) else {
                    if let Output::Tape(record) = output {
                        self.tape.bytes(record);
                    }
                    continue;
                };
                let body = [effect.tag(), effect.payload].concat();
                self.effects.bytes(&[effect.kind as u8]);
                self.effects.bytes(&body);
                self.pending.push_back((effect.kind, body));
            }
            if progress == Progress::Done {
                return;
            }
            self.out.clear();
            progress = self.lane.resume(input, &mut self.out);
        }
    }

    fn differs(&self, logged: String, done: String) -> VerifyError {
        VerifyError::Differs { input: self.input, logged, done }
    }

    fn compare_effect(&mut self, kind: Kind, record: &Record) -> Result<(), VerifyError> {
        match self.pending.pop_front() {
            Some((k, body)) if k == kind && body == record.body => Ok(()),
            other => {
                let done = other.map_or("nothing".to_owned(), |(k, body)| show(k, &body));
                Err(self.differs(show(kind, &record.body), done))
            }
        }
    }

    fn compare_digest(&mut self, logged: u64) -> Result<(), VerifyError> {
        let mut digest = Digest::default();
        for (kind, body) in self.pending.drain(..) {
            digest.bytes(&[kind as u8]);
            digest.bytes(&body);
        }
        if digest.value() == logged {
            return Ok(());
        }
        Err(self.differs(format!("effects of digest {logged:016x}"), format!("{:016x}", digest.value())))
    }

    fn nothing_left(&mut self) -> Result<(), VerifyError> {
        match self.pending.pop_front() {
            None => Ok(()),
            Some((kind, body)) => Err(self.differs("nothing more".to_owned(), show(kind, &body))),
        }
    }

    fn compare_final(&self, logged: &FinalBody) -> Result<(), VerifyError> {
        let rows = [
            ("inputs", logged.inputs.get(), self.lane.inputs()),
            ("digest of effects", logged.effects.get(), self.effects.value()),
            ("digest of the tape", logged.tape.get(), self.tape.value()),
            ("digest of the state", logged.state.get(), self.lane.digest()),
        ];
        for (what, logged, now) in rows {
            if logged != now {
                return Err(self.differs(format!("{what} {logged:016x}"), format!("{now:016x}")));
            }
        }
        Ok(())
    }
}

fn show(kind: Kind, body: &[u8]) -> String {
    let hex: String = body.iter().take(64).map(|b| format!("{b:02x}")).collect();
    format!("{} {hex}{}", kind.name(), if body.len() > 64 { "…" } else { "" })
}
