//! The normalised protocol of adapters as a market line: frames to [`Event`]s.
//!
//! Instruments come with their units, which are the venue's word on them: what is not listed is admitted with them, and what is
//! listed has its tick and lot revised. Listed in other units, it is not followed and every book of the venue is stale: prices
//! would be read wrong, and only the configuration can be.
//!
//! Books are of levels. A status of the whole market is its session: open, or (halted or closed) over; of an instrument, it
//! is its trading action. What an adapter does not say of an instrument holds it back, for it is halted until it is open.

use super::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use super::feed::{Broken, Framing, Said};
use super::market::{MarketLine, NoEvent};
use super::wire::normal::{self, Body, Frame, Header, InstrumentBody, Malformed};
use crate::base::{
    Currency, Instrument, InstrumentId, InstrumentTable, LoadError, Name, OutOfRange, Price, Qty, Reader, Save, State,
    Utc, Value, VenueId,
};
use alloc::boxed::Box;
use alloc::vec;
use zerocopy::FromBytes;

const NOT_FOLLOWED: u32 = u32::MAX;

/// The line of one venue that is spoken to by an adapter.
#[derive(Debug)]
pub struct NormalLine {
    venue: VenueId,
    /// By the stream's number, from 1: the lane's.
    ids: Box<[u32]>,
}

impl NormalLine {
    /// For a venue whose stream numbers its instruments from 1 to `most`. Beyond, they are counted and not followed.
    ///
    /// # Errors
    /// [`OutOfRange`]: not 1 to 1,000,000.
    pub fn new(venue: VenueId, most: usize) -> Result<Self, OutOfRange> {
        OutOfRange::unless((1..=1_000_000).contains(&most), "normal.instruments", "1 to 1000000")?;
        Ok(NormalLine { venue, ids: vec![NOT_FOLLOWED; most].into_boxed_slice() })
    }

    #[inline]
    fn place(number: u32) -> Option<usize> {
        usize::try_from(number).ok()?.checked_sub(1)
    }

    #[inline]
    fn find(&self, number: u32) -> Option<InstrumentId> {
        let id = *self.ids.get(Self::place(number)?)?;
        (id != NOT_FOLLOWED).then_some(InstrumentId(id))
    }

    #[cold]
    fn learn(
        &mut self,
        header: &Header,
        body: &InstrumentBody,
        instruments: &mut InstrumentTable,
    ) -> Result<InstrumentId, NoEvent> {
        let number = Self::place(header.instrument.get());
        let place = number.and_then(|number| self.ids.get_mut(number)).ok_or(NoEvent::InstrumentsFull)?;
        let row = Instrument {
            venue: self.venue,
            name: body.name(),
            price_exponent: body.price_exponent,
            qty_exponent: body.qty_exponent,
            tick: body.tick.get(),
            fine_tick: body.tick.get(),
            fine_below: 0,
            lot: body.lot.get(),
            multiplier: body.multiplier.get(),
            currency: body.currency(),
        };
        if let Some(listed) = instruments.find(row.venue, row.name).and_then(|id| instruments.get(id)) {
            let units = |row: &Instrument| (row.price_exponent, row.qty_exponent, row.multiplier, row.currency);
            if units(listed) != units(&row) {
                *place = NOT_FOLLOWED;
                return Err(NoEvent::BadField(header.kind));
            }
        }
        let id = instruments.admit(row).map_err(|_| NoEvent::InstrumentsFull)?;
        *place = id.map_or(NOT_FOLLOWED, |id| id.0);
        let id = id.ok_or(NoEvent::Untracked)?;
        instruments.revise_tick(id, row.tick);
        Ok(id)
    }
}

impl From<(Malformed, u8)> for NoEvent {
    fn from((malformed, kind): (Malformed, u8)) -> Self {
        match malformed {
            Malformed::Length => NoEvent::BadLength(kind),
            Malformed::Field => NoEvent::BadField(kind),
            Malformed::UnknownType(kind) => NoEvent::UnknownType(kind),
        }
    }
}

impl MarketLine for NormalLine {
    fn venue(&self) -> VenueId {
        self.venue
    }

    /// In whole units, until the stream says what they are.
    fn new_row(&self, name: Name) -> Instrument {
        Instrument {
            venue: self.venue,
            name,
            price_exponent: 0,
            qty_exponent: 0,
            tick: 1,
            fine_tick: 1,
            fine_below: 0,
            lot: 1,
            multiplier: 1,
            currency: Currency::NONE,
        }
    }

    #[inline]
    fn decode(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent> {
        let kind = message.get(2).copied().unwrap_or_default();
        let Frame { header, body } = normal::decode(message).map_err(|why| (why, kind))?;
        let number = header.instrument.get();
        let kind = match body {
            Body::Level(side, level) => {
                let (price, qty) = (Price(level.price.get()), Qty(level.qty.get()));
                EventKind::Level { side, price, qty, orders: level.orders.get() }
            }
            Body::Clear(side) => EventKind::Clear { side },
            Body::Trade(trade) => {
                let (price, qty) = (Price(trade.price.get()), Qty(trade.qty.get()));
                EventKind::Trade { qty, price, trade: trade.trade.get() }
            }
            Body::Instrument(body) => {
                let id = self.learn(header, body, instruments)?;
                let status = Status::Directory { live: body.live == b'Y', lot: Qty(body.lot.get()) };
                return Ok(Event { at: header.time(), instrument: Some(id), kind: EventKind::Status(status) });
            }
            Body::Status(state) if number == 0 => {
                let phase = match state {
                    normal::State::Open => SessionPhase::StartOfMarketHours,
                    normal::State::Halted | normal::State::Closed => SessionPhase::EndOfMarketHours,
                };
                let kind = EventKind::Status(Status::Session(phase));
                return Ok(Event { at: header.time(), instrument: None, kind });
            }
            Body::Status(state) => EventKind::Status(Status::Trading(match state {
                normal::State::Open => TradingAction::Trading,
                normal::State::Halted | normal::State::Closed => TradingAction::Halted,
            })),
            // The feed's alone.
            Body::SnapshotBegin | Body::SnapshotEnd | Body::Heartbeat => {
                return Ok(Event { at: header.time(), instrument: None, kind: EventKind::Info });
            }
        };
        let instrument = self.find(number).ok_or(NoEvent::Untracked)?;
        Ok(Event { at: header.time(), instrument: Some(instrument), kind })
    }

    fn instrument(&self, locate: u16) -> Option<InstrumentId> {
        self.find(u32::from(locate))
    }

    fn subject(&self, message: &[u8]) -> Option<InstrumentId> {
        let (header, _) = Header::ref_from_prefix(message).ok()?;
        self.find(header.instrument.get())
    }

    fn reset(&mut self, _now: Option<Utc>) {
        self.ids.fill(NOT_FOLLOWED);
    }

    /// Its stamps have their date.
    fn begin(&mut self, _now: Utc) {}
}

impl From<Malformed> for Broken {
    fn from(_: Malformed) -> Self {
        Broken
    }
}

/// A message is what the line decodes, and of unknown type what it counts. All else that is no frame is a fault of the adapter's.
impl Framing for NormalLine {
    const LONGEST: usize = normal::LONGEST;

    #[inline]
    fn length_of(bytes: &[u8]) -> Result<Option<usize>, Broken> {
        Ok(normal::length_of(bytes)?)
    }

    #[inline]
    fn read(frame: &[u8]) -> Result<(u64, Said), Broken> {
        let (header, said) = match normal::decode(frame) {
            Ok(Frame { header, body }) => match body {
                Body::SnapshotBegin => (header, Said::Begin),
                Body::SnapshotEnd => (header, Said::End),
                Body::Heartbeat => (header, Said::Heartbeat),
                _ => (header, Said::Message),
            },
            Err(Malformed::UnknownType(_)) => {
                let (header, _) = Header::ref_from_prefix(frame).map_err(|_| Broken)?;
                (header, Said::Message)
            }
            Err(Malformed::Length | Malformed::Field) => return Err(Broken),
        };
        Ok((header.sequence.get(), said))
    }
}

/// The numbers that the stream has given a meaning.
impl State for NormalLine {
    fn save(&self, into: &mut dyn Save) {
        let NormalLine { venue: _, ids } = self;
        let seen = || (0u32..).zip(ids).filter(|(_, id)| **id != NOT_FOLLOWED);
        into.count(seen().count());
        for (place, id) in seen() {
            place.put(into);
            id.put(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let NormalLine { venue: _, ids } = self;
        ids.fill(NOT_FOLLOWED);
        for _ in 0..from.count(ids.len())? {
            let (place, id): (u32, u32) = (from.value()?, from.value()?);
            let place = ids.get_mut(place as usize).filter(|place| **place == NOT_FOLLOWED);
            *place.ok_or(LoadError::BAD)? = id;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ExchangeTime, Side, Writer, assert_all_saved};
    use crate::flow::wire::normal::{LONGEST, LevelBody, TradeBody};
    use std::vec::Vec;
    use zerocopy::byteorder::little_endian::{I64, U64};

    fn fire() -> InstrumentBody {
        InstrumentBody {
            name: *b"FIRE-PERPETUAL  ",
            tick: I64::new(5),
            lot: I64::new(10),
            multiplier: I64::new(1),
            price_exponent: -2,
            qty_exponent: -8,
            currency: *b"EUR     ",
            live: b'Y',
            zero: [0; 5],
        }
    }

    fn frame(id: u32, body: Body<'_>) -> Vec<u8> {
        let mut buffer = [0; LONGEST];
        normal::Writer::default().write(&mut buffer, ExchangeTime(7), id, body).unwrap().to_vec()
    }

    fn table(listed: &[Instrument]) -> InstrumentTable {
        InstrumentTable::new(listed, 2, true)
    }

    fn line() -> NormalLine {
        NormalLine::new(VenueId(3), 4).unwrap()
    }

    #[test]
    fn an_instrument_is_admitted_with_its_units_and_events_are_about_it() {
        let (mut line, mut table) = (line(), table(&[]));
        let level = LevelBody::new(Side::Sell, -3, 9, 2);
        let of_level = frame(4, Body::Level(Side::Sell, &level));
        assert_eq!(line.decode(&of_level, &mut table), Err(NoEvent::Untracked), "not yet explained");
        let event = line.decode(&frame(4, Body::Instrument(&fire())), &mut table).unwrap();
        assert_eq!(event.kind, EventKind::Status(Status::Directory { live: true, lot: Qty(10) }));
        assert_eq!((event.at, event.instrument), (ExchangeTime(7), Some(InstrumentId(0))));
        let row = *table.get(InstrumentId(0)).unwrap();
        assert_eq!(
            (row.venue, row.price_exponent, row.qty_exponent, row.tick_at(0), row.lot),
            (VenueId(3), -2, -8, 5, 10)
        );
        assert_eq!((row.name, row.currency, row.multiplier), (Name(*b"FIRE-PERPETUAL  "), Currency(*b"EUR     "), 1));
        let trade = TradeBody { price: I64::new(8), qty: I64::new(9), trade: U64::new(1) };
        let status = |action| EventKind::Status(Status::Trading(action));
        for (body, kind) in [
            (
                Body::Level(Side::Sell, &level),
                EventKind::Level { side: Side::Sell, price: Price(-3), qty: Qty(9), orders: 2 },
            ),
            (Body::Clear(Some(Side::Buy)), EventKind::Clear { side: Some(Side::Buy) }),
            (Body::Trade(&trade), EventKind::Trade { qty: Qty(9), price: Price(8), trade: 1 }),
            (Body::Status(normal::State::Open), status(TradingAction::Trading)),
            (Body::Status(normal::State::Halted), status(TradingAction::Halted)),
            (Body::Status(normal::State::Closed), status(TradingAction::Halted)),
        ] {
            let event = line.decode(&frame(4, body), &mut table).unwrap();
            assert_eq!((event.instrument, event.kind), (Some(InstrumentId(0)), kind));
        }
        let all = |line: &mut NormalLine, table: &mut InstrumentTable, state| {
            let event = line.decode(&frame(0, Body::Status(state)), table).unwrap();
            (event.instrument, event.kind)
        };
        let session = |phase| (None, EventKind::Status(Status::Session(phase)));
        assert_eq!(all(&mut line, &mut table, normal::State::Open), session(SessionPhase::StartOfMarketHours));
        assert_eq!(all(&mut line, &mut table, normal::State::Halted), session(SessionPhase::EndOfMarketHours));
        assert_eq!(
            (line.subject(&of_level), line.instrument(4), line.instrument(3)),
            (Some(InstrumentId(0)), Some(InstrumentId(0)), None)
        );
        line.reset(None);
        assert_eq!(line.decode(&of_level, &mut table), Err(NoEvent::Untracked));
    }

    #[test]
    fn numbers_and_rooms_are_bounded() {
        let (mut line, mut table) = (line(), table(&[]));
        for (id, letter, answer) in [
            (5, b'A', Err(NoEvent::InstrumentsFull)),
            (u32::MAX, b'A', Err(NoEvent::InstrumentsFull)),
            (1, b'A', Ok(Some(InstrumentId(0)))),
            (4, b'B', Ok(Some(InstrumentId(1)))),
            (2, b'C', Err(NoEvent::InstrumentsFull)),
            (2, b'B', Ok(Some(InstrumentId(1)))),
        ] {
            let body = InstrumentBody { name: [letter; 16], ..fire() };
            let heard = line.decode(&frame(id, Body::Instrument(&body)), &mut table).map(|event| event.instrument);
            assert_eq!(heard, answer, "{id}");
        }
        assert!(NormalLine::new(VenueId(0), 0).is_err() && NormalLine::new(VenueId(0), 1_000_001).is_err());
    }

    #[test]
    fn listed_in_other_units_it_is_not_followed() {
        let listed = Instrument { tick: 1, fine_tick: 1, lot: 1, ..line().new_row(Name(*b"FIRE-PERPETUAL  ")) };
        let right = Instrument { price_exponent: -2, qty_exponent: -8, currency: Currency(*b"EUR     "), ..listed };
        let wrong = [
            Instrument { price_exponent: -3, ..right },
            Instrument { qty_exponent: -7, ..right },
            Instrument { multiplier: 2, ..right },
            Instrument { currency: Currency::USD, ..right },
        ];
        let hear = |row| {
            let (mut line, mut table) = (line(), table(&[row]));
            let heard = line.decode(&frame(1, Body::Instrument(&fire())), &mut table).map(|event| event.instrument);
            (heard, line.instrument(1), table.get(InstrumentId(0)).map(|row| row.tick))
        };
        assert_eq!(hear(right), (Ok(Some(InstrumentId(0))), Some(InstrumentId(0)), Some(5)), "its tick is the venue's");
        for row in wrong {
            assert_eq!(hear(row), (Err(NoEvent::BadField(b'I')), None, Some(1)));
        }
    }

    #[test]
    fn frames_are_the_feeds_or_the_lines() {
        let read = |body| NormalLine::read(&frame(0, body));
        assert_eq!(read(Body::SnapshotBegin), Ok((1, Said::Begin)));
        assert_eq!(read(Body::SnapshotEnd), Ok((1, Said::End)));
        assert_eq!(read(Body::Heartbeat), Ok((1, Said::Heartbeat)));
        assert_eq!(read(Body::Status(normal::State::Open)), Ok((1, Said::Message)));
        let mut unknown = frame(0, Body::Heartbeat);
        unknown[2] = b'z';
        assert_eq!(NormalLine::read(&unknown), Ok((1, Said::Message)));
        assert_eq!(line().decode(&unknown, &mut table(&[])), Err(NoEvent::UnknownType(b'z')));
        unknown[0] = 25;
        assert_eq!((NormalLine::read(&unknown), NormalLine::length_of(&[1, 0])), (Err(Broken), Err(Broken)));
        assert_eq!(line().decode(&unknown, &mut table(&[])), Err(NoEvent::BadLength(b'z')));
        assert_eq!((line().decode(&[], &mut table(&[])), line().subject(&[])), (Err(NoEvent::BadLength(0)), None));
    }

    #[test]
    fn every_field_is_saved_and_restored() {
        let changes: [fn(&mut NormalLine); 4] = [|_| {}, |l| l.ids[0] = 0, |l| l.ids[0] = 1, |l| l.ids[3] = 1];
        assert_all_saved(line, &changes);
        let mut twice = Writer::default();
        twice.count(2);
        [0u32, 1, 0, 2].iter().for_each(|n| n.put(&mut twice));
        assert_eq!(line().load(&mut Reader(&twice.0)), Err(LoadError::BAD));
    }
}
