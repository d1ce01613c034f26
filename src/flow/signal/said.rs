//! What signals write to the tape.

use crate::base::{ExchangeTime, InstrumentId, Mono};
use crate::flow::outbox::Outbox;
use crate::flow::record::{self, Kind, SignalBody};
use zerocopy::IntoBytes;
use zerocopy::byteorder::little_endian::{I64, U16, U32, U64};

/// Writes records of [`Kind::Signal`], each with the number of the signal that speaks. All signals of a lane together may
/// write [`Said::MOST`] in one call; what is beyond is dropped and counted.
#[derive(Debug)]
pub struct Said<'a> {
    out: &'a mut Outbox,
    lane: u16,
    input: u64,
    now: Mono,
    at: ExchangeTime,
    signal: u16,
    written: u8,
    dropped: u64,
}

impl<'a> Said<'a> {
    /// Records in one call.
    pub const MOST: u8 = 16;

    /// For one call, about input number `input` of a lane, which came at `now`. `at`: the exchange's stamp.
    #[inline(always)]
    #[must_use]
    pub fn new(out: &'a mut Outbox, lane: u16, input: u64, now: Mono, at: ExchangeTime) -> Self {
        Said { out, lane, input, now, at, signal: 0, written: 0, dropped: 0 }
    }

    /// Writes a record. What `code`, `first` and `second` mean is the signal's own affair. False: too many in this call.
    pub fn say(&mut self, instrument: Option<InstrumentId>, code: u32, first: i64, second: i64) -> bool {
        if self.written >= Self::MOST {
            self.dropped = self.dropped.saturating_add(1);
            return false;
        }
        self.written = self.written.saturating_add(1);
        let body = SignalBody {
            signal: U16::new(self.signal),
            instrument: record::instrument_field(instrument),
            code: U32::new(code),
            at: U64::new(self.at.ns_since_midnight()),
            first: I64::new(first),
            second: I64::new(second),
        };
        let header = record::header(Kind::Signal, self.lane, self.input, self.now, size_of::<SignalBody>());
        self.out.tape(&[header.as_bytes(), body.as_bytes()])
    }

    /// Records dropped so far in this call.
    #[inline]
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What `speak` says is said by the signal `further` behind the one that speaks now.
    #[inline(always)]
    pub(in crate::flow) fn by(&mut self, further: u16, speak: impl FnOnce(&mut Self)) {
        let before = self.signal;
        self.signal = before.saturating_add(further);
        speak(self);
        self.signal = before;
    }
}
