//! The normalised protocol of adapters: one binary protocol for every venue whose own cannot be spoken on a lane.
//!
//! A venue that needs TLS, WebSockets, text, or many connections is spoken to by another thread or process, the adapter. What
//! it learns it says in frames over one ordered stream. To the lane that is one more wire protocol.
//!
//! ```text
//!   0        2      3      4             8                16               24
//!   ┌────────┬──────┬──────┬─────────────┬────────────────┬────────────────┬──────────────┐
//!   │ length │ type │  0   │ instrument  │ sequence       │ exchange time  │ body ...     │
//!   └────────┴──────┴──────┴─────────────┴────────────────┴────────────────┴──────────────┘
//!
//!   B  snapshot begins                 I  instrument: name, units, tick, lot, currency  
//!   I S C L T ...                      S  trading status of one, or (instrument 0) of all
//!   E  snapshot ends                   C  a book, or a side of it, starts over
//!   L T S C L ...                      L  so much stands at a price now
//!   H  heartbeat                       T  a trade
//! ```
//!
//! Numbers are little-endian, as on every machine that this runs on. `length` counts the whole frame. Every frame has the next
//! sequence number, heartbeats too; each connection begins with 1. The exchange time is in nanoseconds since 1970-01-01T00:00
//! in the exchange's local time, 0 where the venue says none.
//!
//! A connection begins with a snapshot: `B`, all that the venue shows, `E`. An adapter that has lost its venue says `B` again
//! and goes on when it has it back. Numbers of instruments hold for the connection: `I` gives one its meaning. A frame of a
//! type that a reader does not know is of no effect, so that there may be more.

use crate::base::{Currency, ExchangeTime, Name, Side};
use zerocopy::byteorder::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Bytes of a header.
pub const HEADER_LENGTH: usize = size_of::<Header>();

/// No frame is longer, of whatever type.
pub const LONGEST: usize = 256;

/// What every frame begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct Header {
    /// Of the whole frame.
    pub length: U16,
    /// What it says.
    pub kind: u8,
    /// 0.
    pub zero: u8,
    /// The stream's number of the instrument; 0: none, or all.
    pub instrument: U32,
    /// 1 for the first frame of a connection, one more for each that follows.
    pub sequence: U64,
    /// The venue's stamp.
    pub at: U64,
}

/// What an instrument is, and its number in what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct InstrumentBody {
    /// What the venue calls it, padded with spaces on the right. What is longer does not fit: the adapter must choose a
    /// shorter name, or leave the instrument out.
    pub name: [u8; 16],
    /// The smallest step of prices, in price units: more than 0.
    pub tick: I64,
    /// The round lot, in quantity units: more than 0.
    pub lot: I64,
    /// The contract's multiplier: more than 0.
    pub multiplier: I64,
    /// A price unit is 10^this of the currency: -18 to 18.
    pub price_exponent: i8,
    /// A quantity unit is 10^this of a share or contract: -18 to 18.
    pub qty_exponent: i8,
    /// ISO 4217, or what the venue has in its stead: three to eight capital letters and digits, padded with spaces.
    pub currency: [u8; 8],
    /// `Y`; `N` for one that is there for tests alone.
    pub live: u8,
    /// 0.
    pub zero: [u8; 5],
}

/// So much stands at a price now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct LevelBody {
    /// The price.
    pub price: I64,
    /// All that stands there; 0: the level is gone.
    pub qty: I64,
    /// Of how many orders; 0: not said.
    pub orders: U32,
    /// `B` or `S`.
    pub side: u8,
    /// 0.
    pub zero: [u8; 3],
}

/// A book starts over.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct ClearBody {
    /// `B`, `S`, or 0 for both sides.
    pub side: u8,
    /// 0.
    pub zero: [u8; 7],
}

/// A trade.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct TradeBody {
    /// At this price.
    pub price: I64,
    /// So much: more than 0.
    pub qty: I64,
    /// The venue's number of it.
    pub trade: U64,
}

/// A trading status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub struct StatusBody {
    /// `O` open, `H` halted, `C` closed.
    pub state: u8,
    /// 0.
    pub zero: [u8; 7],
}

/// Does a venue trade?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It does.
    Open,
    /// It does not, and means to go on.
    Halted,
    /// Not today.
    Closed,
}

/// A frame's body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Body<'a> {
    /// `B`.
    SnapshotBegin,
    /// `E`.
    SnapshotEnd,
    /// `H`.
    Heartbeat,
    /// `I`.
    Instrument(&'a InstrumentBody),
    /// `L`.
    Level(Side, &'a LevelBody),
    /// `C`; no side: both.
    Clear(Option<Side>),
    /// `T`.
    Trade(&'a TradeBody),
    /// `S`.
    Status(State),
}

/// A frame in place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// Its header.
    pub header: &'a Header,
    /// What it says.
    pub body: Body<'a>,
}

/// Why bytes are no frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// Not the length of its type, or of any frame.
    Length,
    /// A field that cannot be.
    Field,
    /// A type that this build does not know, in a sound frame.
    UnknownType(u8),
}

/// Types of frames.
pub mod kind {
    /// A snapshot begins.
    pub const SNAPSHOT_BEGIN: u8 = b'B';
    /// A snapshot ends.
    pub const SNAPSHOT_END: u8 = b'E';
    /// Nothing new.
    pub const HEARTBEAT: u8 = b'H';
    /// An instrument.
    pub const INSTRUMENT: u8 = b'I';
    /// A level.
    pub const LEVEL: u8 = b'L';
    /// A book starts over.
    pub const CLEAR: u8 = b'C';
    /// A trade.
    pub const TRADE: u8 = b'T';
    /// A trading status.
    pub const STATUS: u8 = b'S';
}

const _: () = assert!(HEADER_LENGTH == 24 && size_of::<InstrumentBody>() == 56 && size_of::<LevelBody>() == 24);
const _: () = assert!(size_of::<ClearBody>() == 8 && size_of::<TradeBody>() == 24 && size_of::<StatusBody>() == 8);

impl Header {
    /// The venue's stamp.
    #[inline]
    #[must_use]
    pub const fn time(&self) -> ExchangeTime {
        ExchangeTime(self.at.get())
    }
}

/// How long the frame is that begins here; `Ok(None)`: too few bytes came to tell.
///
/// # Errors
/// [`Malformed::Length`]: no frame is so long. The stream cannot be cut any further.
#[inline]
pub fn length_of(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let Some(length) = bytes.first_chunk::<2>() else { return Ok(None) };
    match usize::from(u16::from_le_bytes(*length)) {
        length @ HEADER_LENGTH..=LONGEST => Ok(Some(length)),
        _ => Err(Malformed::Length),
    }
}

/// Decodes a whole frame.
///
/// # Errors
/// [`Malformed`].
#[inline]
pub fn decode(bytes: &[u8]) -> Result<Frame<'_>, Malformed> {
    let (header, body) = Header::ref_from_prefix(bytes).map_err(|_| Malformed::Length)?;
    if usize::from(header.length.get()) != bytes.len() || bytes.len() > LONGEST {
        return Err(Malformed::Length);
    }
    let of_one = header.instrument.get() != 0;
    let body = match header.kind {
        kind::SNAPSHOT_BEGIN | kind::SNAPSHOT_END | kind::HEARTBEAT => {
            let all = match header.kind {
                kind::SNAPSHOT_BEGIN => Body::SnapshotBegin,
                kind::SNAPSHOT_END => Body::SnapshotEnd,
                _ => Body::Heartbeat,
            };
            if !body.is_empty() {
                return Err(Malformed::Length);
            }
            require(!of_one, all)
        }
        kind::INSTRUMENT => {
            let body = body_of::<InstrumentBody>(body)?;
            require(of_one && body.is_sound(), Body::Instrument(body))
        }
        kind::LEVEL => {
            let body = body_of::<LevelBody>(body)?;
            let side = side_of(body.side).ok_or(Malformed::Field)?;
            require(of_one && body.qty.get() >= 0 && body.zero == [0; 3], Body::Level(side, body))
        }
        kind::CLEAR => {
            let body = body_of::<ClearBody>(body)?;
            let side = match body.side {
                0 => None,
                side => Some(side_of(side).ok_or(Malformed::Field)?),
            };
            require(of_one && body.zero == [0; 7], Body::Clear(side))
        }
        kind::TRADE => {
            let body = body_of::<TradeBody>(body)?;
            require(of_one && body.qty.get() > 0, Body::Trade(body))
        }
        kind::STATUS => {
            let body = body_of::<StatusBody>(body)?;
            let state = match body.state {
                b'O' => State::Open,
                b'H' => State::Halted,
                b'C' => State::Closed,
                _ => return Err(Malformed::Field),
            };
            require(body.zero == [0; 7], Body::Status(state))
        }
        other => Err(Malformed::UnknownType(other)),
    }?;
    if header.zero != 0 {
        return Err(Malformed::Field);
    }
    Ok(Frame { header, body })
}

fn require(holds: bool, body: Body<'_>) -> Result<Body<'_>, Malformed> {
    if holds { Ok(body) } else { Err(Malformed::Field) }
}

#[inline]
fn body_of<T: FromBytes + KnownLayout + Immutable + Unaligned>(bytes: &[u8]) -> Result<&T, Malformed> {
    T::ref_from_bytes(bytes).map_err(|_| Malformed::Length)
}

const fn side_of(byte: u8) -> Option<Side> {
    match byte {
        b'B' => Some(Side::Buy),
        b'S' => Some(Side::Sell),
        _ => None,
    }
}

const fn byte_of(side: Side) -> u8 {
    match side {
        Side::Buy => b'B',
        Side::Sell => b'S',
    }
}

impl InstrumentBody {
    fn is_sound(&self) -> bool {
        let exponents = [self.price_exponent, self.qty_exponent].iter().all(|e| (-18..=18).contains(e));
        let positive = [self.tick, self.lot, self.multiplier].iter().all(|n| n.get() > 0);
        let name = self.name.first().is_some_and(u8::is_ascii_graphic);
        let text = name && self.name.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let rest = matches!(self.live, b'Y' | b'N') && self.zero == [0; 5];
        exponents && positive && text && rest && self.currency().is_sound()
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> Name {
        Name(self.name)
    }

    /// What its prices are in.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        Currency(self.currency)
    }
}

impl LevelBody {
    /// One level.
    #[must_use]
    pub fn new(side: Side, price: i64, qty: i64, orders: u32) -> Self {
        let (price, qty, orders) = (I64::new(price), I64::new(qty), U32::new(orders));
        LevelBody { price, qty, orders, side: byte_of(side), zero: [0; 3] }
    }
}

/// Writes frames in order, each with the next number.
#[derive(Clone, Debug)]
pub struct Writer {
    next: u64,
}

impl Default for Writer {
    fn default() -> Self {
        Writer { next: 1 }
    }
}

impl Writer {
    /// For frames from this number on.
    #[must_use]
    pub const fn starting_with(next: u64) -> Self {
        Writer { next }
    }

    /// The number of the next frame.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Writes a frame to the front of `into` and gives it. `None`: there is no room.
    pub fn write<'b>(
        &mut self,
        into: &'b mut [u8],
        at: ExchangeTime,
        instrument: u32,
        body: Body<'_>,
    ) -> Option<&'b [u8]> {
        match body {
            Body::SnapshotBegin => self.put(into, at, instrument, kind::SNAPSHOT_BEGIN, &[]),
            Body::SnapshotEnd => self.put(into, at, instrument, kind::SNAPSHOT_END, &[]),
            Body::Heartbeat => self.put(into, at, instrument, kind::HEARTBEAT, &[]),
            Body::Instrument(body) => self.put(into, at, instrument, kind::INSTRUMENT, body.as_bytes()),
            Body::Level(side, body) => {
                let body = LevelBody { side: byte_of(side), ..*body };
                self.put(into, at, instrument, kind::LEVEL, body.as_bytes())
            }
            Body::Clear(side) => {
                let body = ClearBody { side: side.map_or(0, byte_of), zero: [0; 7] };
                self.put(into, at, instrument, kind::CLEAR, body.as_bytes())
            }
            Body::Trade(body) => self.put(into, at, instrument, kind::TRADE, body.as_bytes()),
            Body::Status(state) => {
                let state = match state {
                    State::Open => b'O',
                    State::Halted => b'H',
                    State::Closed => b'C',
                };
                self.put(into, at, instrument, kind::STATUS, StatusBody { state, zero: [0; 7] }.as_bytes())
            }
        }
    }

    fn put<'b>(
        &mut self,
        into: &'b mut [u8],
        at: ExchangeTime,
        instrument: u32,
        kind: u8,
        body: &[u8],
    ) -> Option<&'b [u8]> {
        let length = HEADER_LENGTH.saturating_add(body.len());
        let frame = into.get_mut(..length)?;
        let header = Header {
            length: U16::new(u16::try_from(length).ok()?),
            kind,
            zero: 0,
            instrument: U32::new(instrument),
            sequence: U64::new(self.next),
            at: U64::new(at.0),
        };
        frame.get_mut(..HEADER_LENGTH)?.copy_from_slice(header.as_bytes());
        frame.get_mut(HEADER_LENGTH..)?.copy_from_slice(body);
        self.next = self.next.wrapping_add(1);
        Some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const FIRE: InstrumentBody = InstrumentBody {
        name: *b"FIRE-EUR-PERP-26",
        tick: I64::from_bytes(5i64.to_le_bytes()),
        lot: I64::from_bytes(1i64.to_le_bytes()),
        multiplier: I64::from_bytes(1i64.to_le_bytes()),
        price_exponent: -2,
        qty_exponent: -8,
        currency: *b"EUR     ",
        live: b'Y',
        zero: [0; 5],
    };

    fn bodies() -> Vec<(u32, Vec<u8>)> {
        let mut writer = Writer::default();
        let level = LevelBody::new(Side::Sell, -7, 9, 2);
        let trade = TradeBody { price: I64::new(5), qty: I64::new(6), trade: U64::new(u64::MAX) };
        let all = [
            (0, Body::SnapshotBegin),
            (7, Body::Instrument(&FIRE)),
            (0, Body::Status(State::Open)),
            (7, Body::Status(State::Halted)),
            (7, Body::Status(State::Closed)),
            (7, Body::Clear(None)),
            (7, Body::Clear(Some(Side::Buy))),
            (7, Body::Level(Side::Sell, &level)),
            (7, Body::Trade(&trade)),
            (0, Body::SnapshotEnd),
            (0, Body::Heartbeat),
        ];
        let mut buffer = [0; LONGEST];
        all.map(|(id, body)| {
            let frame = writer.write(&mut buffer, ExchangeTime(11), id, body).unwrap();
            assert_eq!(decode(frame).map(|frame| frame.body), Ok(body));
            (id, frame.to_vec())
        })
        .to_vec()
    }

    #[test]
    fn every_frame_comes_back_with_its_number_and_time() {
        for (n, (id, bytes)) in (1..).zip(bodies()) {
            let header = decode(&bytes).unwrap().header;
            let fields = (header.sequence.get(), header.instrument.get(), header.time(), length_of(&bytes));
            assert_eq!(fields, (n, id, ExchangeTime(11), Ok(Some(bytes.len()))));
        }
    }

    #[test]
    fn a_frame_is_as_it_is_written_down() {
        let [_, (_, instrument), ..] = &bodies()[..] else { unreachable!() };
        let head = [80, 0, b'I', 0, 7, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(instrument[..24], head);
        assert_eq!(&instrument[24..40], b"FIRE-EUR-PERP-26");
        assert_eq!(instrument[56..66], [1, 0, 0, 0, 0, 0, 0, 0, 254, 248]);
        assert_eq!(&instrument[66..], b"EUR     Y\0\0\0\0\0");
    }

    #[test]
    fn a_frame_that_is_too_short_or_too_long_is_none_and_lengths_are_bounded() {
        for (_, bytes) in bodies() {
            for end in 0..bytes.len() {
                assert_eq!(decode(&bytes[..end]), Err(Malformed::Length), "its length says more");
                let mut cut = bytes[..end].to_vec();
                if let Some(length) = cut.first_chunk_mut::<2>() {
                    *length = (end as u16).to_le_bytes();
                }
                assert_eq!(decode(&cut), Err(Malformed::Length), "{end} bytes of its type");
            }
            let mut long = [&bytes[..], &[0]].concat();
            assert_eq!(decode(&long), Err(Malformed::Length));
            long[0] += 1;
            assert_eq!(decode(&long), Err(Malformed::Length));
        }
        let of = |n: u16| length_of(&n.to_le_bytes());
        assert_eq!(
            (of(23), of(24), of(256), of(257)),
            (Err(Malformed::Length), Ok(Some(24)), Ok(Some(256)), Err(Malformed::Length))
        );
        assert_eq!((length_of(&[]), length_of(&[24])), (Ok(None), Ok(None)));
    }

    #[test]
    fn fields_that_cannot_be_are_refused_and_unknown_types_named() {
        let all = bodies();
        let wrong = |which: usize, at: usize, bytes: &[u8]| {
            let mut frame = all[which].1.clone();
            frame[at..at + bytes.len()].copy_from_slice(bytes);
            decode(&frame).map(|_| ()).err()
        };
        let (minus, none) = ((-1i64).to_le_bytes(), 0i64.to_le_bytes());
        for (which, at, bytes) in [
            (0, 3, &[1][..]), // what is to be zero
            (0, 4, &[1]),     // a snapshot of one
            (1, 4, &[0]),     // an instrument without a number
            (1, 24, b" "),    // no name
            (1, 25, &[0]),    // no text
            (1, 39, &[0x7F]), // nor here
            (1, 40, &none),   // no tick
            (1, 48, &minus),  // no lot
            (1, 56, &none),   // no multiplier
            (1, 64, &[19]),   // an exponent too large
            (1, 65, &[0xED]), // too small
            (1, 66, b"e"),    // no currency
            (1, 68, b" "),    // too short for one
            (1, 73, b"X"),    // in two parts
            (1, 74, b"?"),    // neither live nor not
            (1, 75, &[1]),
            (1, 79, &[1]),
            (2, 24, b"?"), // no status
            (2, 31, &[1]),
            (5, 24, b"?"), // no side
            (5, 4, &[0]),
            (5, 30, &[1]),
            (7, 4, &[0]),
            (7, 32, &minus), // less than nothing
            (7, 44, &[0]),   // no side
            (7, 47, &[1]),
            (8, 4, &[0]),
            (8, 32, &none), // a trade of nothing
        ] {
            assert_eq!(wrong(which, at, bytes), Some(Malformed::Field), "{which} at {at}");
        }
        assert_eq!(wrong(0, 2, b"z"), Some(Malformed::UnknownType(b'z')));
        assert_eq!(wrong(7, 32, &none), None, "a level that is gone");
        assert_eq!((wrong(1, 64, &[18]), wrong(1, 65, &[0xEE])), (None, None));
        assert_eq!((wrong(1, 66, b"USDT"), wrong(1, 66, b"ABCDEFGH"), wrong(1, 39, b" ")), (None, None, None));
    }

    #[test]
    fn what_does_not_fit_takes_no_number() {
        let mut writer = Writer::default();
        assert_eq!(writer.write(&mut [0; 23], ExchangeTime(0), 0, Body::Heartbeat), None);
        assert_eq!(writer.next(), 1);
        assert!(writer.write(&mut [0; 24], ExchangeTime(0), 0, Body::Heartbeat).is_some());
        assert_eq!(writer.next(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm_and_what_is_sound_comes_back(which in 0usize..11, changes in prop::collection::vec((0usize..80, any::<u8>()), 0..4)) {
            let mut bytes = bodies()[which].1.clone();
            for (at, byte) in changes {
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
            }
            if let Ok(frame) = decode(&bytes) {
                let mut writer = Writer::starting_with(frame.header.sequence.get());
                let mut buffer = [0; LONGEST];
                let again = writer.write(&mut buffer, frame.header.time(), frame.header.instrument.get(), frame.body);
                prop_assert_eq!(again, Some(&bytes[..]));
            }
        }
    }
}
