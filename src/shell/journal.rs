//! What a lane consumed and caused, written down: the input log, the output tape, and the digests that a log ends with.
//!
//! ```text
//!  each input:   input ─> effects, and tape records, as the outbox holds them ─> done
//! ```
//!
//! Where the records go is a [`Sink`]: a file (virtual time, tests), or a ring to the agent that writes the file (live).

use super::log::{Effects, FileHeader, FileWriter, LogError, Role};
use crate::base::{Digest, Mono};
use crate::flow::Input;
use crate::flow::outbox::{Outbox, Output};
use crate::flow::record::log::Body;
use crate::flow::record::{self, FinalBody, Kind};
use std::io::Write;
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::U64;

/// Where records go.
pub trait Sink: Send {
    /// Takes one record, header first: the concatenation of `parts`.
    ///
    /// # Errors
    /// It was not taken, and nothing will be any more.
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError>;

    /// Bytes that can be taken now without waiting.
    ///
    /// # Errors
    /// Nothing will be taken any more.
    fn room(&self) -> Result<usize, LogError> {
        Ok(usize::MAX)
    }

    /// Nothing comes after this.
    ///
    /// # Errors
    /// What was taken may not have been kept.
    fn finish(self: Box<Self>) -> Result<(), LogError>;
}

impl<W: Write + Send> Sink for FileWriter<W> {
    fn put(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        Ok(FileWriter::put(self, parts)?)
    }

    fn finish(self: Box<Self>) -> Result<(), LogError> {
        FileWriter::finish(*self)?;
        Ok(())
    }
}

/// Log and tape of one lane. Without sinks it only keeps the digests.
#[derive(Default)]
pub struct Journal {
    log: Option<Box<dyn Sink>>,
    tape: Option<Box<dyn Sink>>,
    effects: Effects,
    lane: u16,
    /// Digests of all effects and of all tape records so far.
    effects_digest: Digest,
    tape_digest: Digest,
    /// The effects of the present input, where only their digest is kept.
    of_input: Option<Digest>,
}

impl core::fmt::Debug for Journal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Journal").field("log", &self.log.is_some()).field("tape", &self.tape.is_some()).finish()
    }
}

impl Journal {
    /// For the lane of this number.
    #[must_use]
    pub fn new(lane: u16) -> Self {
        Journal { lane, ..Journal::default() }
    }

    /// The lane's number.
    #[must_use]
    pub fn lane(&self) -> u16 {
        self.lane
    }

    /// Writes the log to a file, from the next input on, which is to be the first.
    ///
    /// # Errors
    /// What the file says.
    pub fn log_to(&mut self, file: impl Write + Send + 'static, header: &FileHeader) -> Result<(), LogError> {
        self.log_into(Box::new(FileWriter::new(file, Role::Log, header)?), header.effects);
        Ok(())
    }

    /// Writes the tape to a file.
    ///
    /// # Errors
    /// What the file says.
    pub fn tape_to(&mut self, file: impl Write + Send + 'static, header: &FileHeader) -> Result<(), LogError> {
        self.tape_into(Box::new(FileWriter::new(file, Role::Tape, header)?));
        Ok(())
    }

    /// Writes the log elsewhere.
    pub fn log_into(&mut self, sink: Box<dyn Sink>, effects: Effects) {
        self.effects = effects;
        self.log = Some(sink);
    }

    /// Writes the tape elsewhere.
    pub fn tape_into(&mut self, sink: Box<dyn Sink>) {
        self.tape = Some(sink);
    }

    /// Bytes that the log can take now without waiting; `usize::MAX` where it never waits, or there is none.
    ///
    /// # Errors
    /// Nobody writes the log any more.
    #[inline]
    pub fn log_room(&self) -> Result<usize, LogError> {
        self.log.as_ref().map_or(Ok(usize::MAX), |log| log.room())
    }

    /// The log ends here, without its last record: nothing follows what could not be written.
    pub fn end_log(&mut self) {
        self.log = None;
    }

    /// Is there a log, as far as this end knows?
    #[must_use]
    pub fn has_log(&self) -> bool {
        self.log.is_some()
    }

    fn keeps_digests(&self) -> bool {
        self.log.is_some() && self.effects == Effects::Digest
    }

    fn log(&mut self, kind: Kind, number: u64, now: Mono, tag: &[u8], bytes: &[u8]) -> Result<(), LogError> {
        let Some(log) = &mut self.log else { return Ok(()) };
        let header = record::header(kind, self.lane, number, now, tag.len() + bytes.len());
        log.put(&[header.as_bytes(), tag, bytes])
    }

    /// An input, the `number`th, as the lane takes it.
    ///
    /// # Errors
    /// What the log says.
    pub fn input(&mut self, number: u64, now: Mono, input: &Input<'_>) -> Result<(), LogError> {
        if self.log.is_none() {
            return Ok(());
        }
        let body = Body::of_input(input);
        self.log(body.kind, number, now, body.tag(), body.payload)
    }

    /// What input `number` caused, as it lies in an outbox.
    ///
    /// # Errors
    /// What log or tape say, or [`LogError::Overflow`]: something of it is not in the outbox, and so on no wire. The lane
    /// believes that it left: it must not go on.
    pub fn outputs(&mut self, number: u64, now: Mono, out: &Outbox) -> Result<(), LogError> {
        if out.overflowed() > 0 {
            return Err(LogError::Overflow);
        }
        for output in out.outputs() {
            if let Output::Tape(record) = output {
                self.tape_digest.bytes(record);
                self.aside(&[record])?;
            } else if let Some(body) = Body::of_effect(&output) {
                self.effect(number, now, body.kind, body.tag(), body.payload)?;
            }
        }
        Ok(())
    }

    /// One effect of input `number`, as [`Body::of_effect`] makes it.
    ///
    /// # Errors
    /// What the log says.
    pub fn effect(&mut self, number: u64, now: Mono, kind: Kind, tag: &[u8], bytes: &[u8]) -> Result<(), LogError> {
        for part in [&[kind as u8], tag, bytes] {
            self.effects_digest.bytes(part);
        }
        if !self.keeps_digests() {
            return self.log(kind, number, now, tag, bytes);
        }
        let digest = self.of_input.get_or_insert_default();
        for part in [&[kind as u8], tag, bytes] {
            digest.bytes(part);
        }
        Ok(())
    }

    /// Input `number` and all that it caused have been written.
    ///
    /// # Errors
    /// What the log says.
    pub fn done(&mut self, number: u64, now: Mono) -> Result<(), LogError> {
        match self.of_input.take() {
            Some(digest) => self.log(Kind::EffectsDigest, number, now, &[], U64::new(digest.value()).as_bytes()),
            None => Ok(()),
        }
    }

    /// A tape record that the lane did not write: an observation of the shell's, which does not reproduce and is in no
    /// digest.
    ///
    /// # Errors
    /// What the tape says.
    #[inline]
    pub fn aside(&mut self, parts: &[&[u8]]) -> Result<(), LogError> {
        match &mut self.tape {
            Some(tape) => tape.put(parts),
            None => Ok(()),
        }
    }

    /// What the log's last record says: `inputs` consumed, and the digest of the lane's `state`.
    #[must_use]
    pub fn summary(&self, inputs: u64, state: u64) -> FinalBody {
        FinalBody {
            inputs: U64::new(inputs),
            effects: U64::new(self.effects_digest.value()),
            tape: U64::new(self.tape_digest.value()),
            state: U64::new(state),
        }
    }

    /// Ends log and tape in order.
    ///
    /// # Errors
    /// What the sinks say.
    pub fn finish(mut self, now: Mono, inputs: u64, state: u64) -> Result<(), LogError> {
        let body = self.summary(inputs, state);
        self.log(Kind::Final, inputs, now, &[], body.as_bytes())?;
        for sink in [self.log, self.tape].into_iter().flatten() {
            sink.finish()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outbox_that_lost_something_ends_the_run() {
        let (mut journal, mut out) = (Journal::default(), Outbox::new(0));
        assert!(journal.outputs(1, Mono(1), &out).is_ok());
        let record = [0; Outbox::STEP];
        while out.tape(&[&record]) {}
        let lost = journal.outputs(1, Mono(1), &out).unwrap_err();
        assert!(matches!(lost, LogError::Overflow), "{lost}");
        out.clear();
        assert!(journal.outputs(2, Mono(2), &out).is_err(), "also when it was drained: what was lost is lost");
    }
}
