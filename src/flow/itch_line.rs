//! ITCH 5.0 as a market line: messages to [`Event`]s.
//!
//! A message names its security by the day's locate code and, where it can stand alone, by symbol. The symbol counts;
//! the locate is the shortcut to it, learnt from the first message that has both ("TotalView-ITCH 5.0":
//! locates are per day, from 1; 0 is none, which documents give for K). A message without a symbol and with a locate
//! that the day has not explained is about nothing that the books hold.
//!
//! Stamps are the time of day, and no message says the date. It is the configured one, or that of universal time at the venue when
//! a session begins ([`ItchLine::at_offset`]); where neither is known, stamps are of day 0.
//!
//! Values that the specification does not list are taken at their safest: an unknown trading state is a halt.

use super::book::Coming;
use super::event::{Event, EventKind, SessionPhase, Status, TradingAction};
use super::market::{MarketLine, NoEvent, Peek, Soundness};
use super::wire::itch50::{self, Header, Malformed, Message, codes};
use crate::base::{
    ExchangeTime, Instrument, InstrumentId, InstrumentTable, LoadError, Name, Nanos, Price, Reader, Save, Side, State,
    Symbol, Utc, Value, VenueId, VenueRef,
};
use alloc::boxed::Box;
use alloc::vec;
use core::hint::select_unpredictable;
use core::mem::offset_of;
use zerocopy::FromBytes;

/// What the day has said of one locate code. The symbol is kept beside the id: one comparison tells that the shortcut
/// still leads to the message's own symbol.
#[derive(Clone, Copy, Debug)]
struct Locate {
    symbol: Symbol,
    id: u32,
}

impl Locate {
    /// No message has explained it yet. No symbol is eight zero bytes.
    const UNSEEN: Locate = Locate { symbol: Symbol([0; 8]), id: NOT_FOLLOWED };
}

const NOT_FOLLOWED: u32 = u32::MAX;
const LOCATES: usize = 1 << 16;

/// ITCH 5.0 of one trading day.
#[derive(Debug)]
pub struct ItchLine {
    venue: VenueId,
    /// Minutes that the venue's clock is ahead of universal time.
    offset: i16,
    midnight: ExchangeTime,
    locates: Box<[Locate]>,
}

impl ItchLine {
    /// For the session of `day` (days since 1970-01-01, exchange-local; 0: not known), the first that is heard.
    #[must_use]
    pub fn new(day: u32) -> Self {
        Self::with_locates(day, LOCATES)
    }

    /// The same for locates below `locates` alone (at most 65,536), in as much less memory: for worlds by the thousand, whose
    /// venues list few. Securities with others are not followed, as if there were no room for them, and counted.
    #[must_use]
    pub fn with_locates(day: u32, locates: usize) -> Self {
        let mut locates = vec![Locate::UNSEEN; locates.min(LOCATES)].into_boxed_slice();
        locates.fill(core::hint::black_box(Locate::UNSEEN));
        ItchLine { venue: VenueId::FIRST, offset: 0, midnight: ExchangeTime::new(day, 0), locates }
    }

    /// The same for a venue that is not the first of its lane.
    #[must_use]
    pub fn of(self, venue: VenueId) -> Self {
        ItchLine { venue, ..self }
    }

    /// The same for a venue whose clock is so many minutes ahead of universal time, which gives each session its date as it
    /// begins. One offset all the year: sessions that begin hours after midnight have the same date by summer time.
    #[must_use]
    pub fn at_offset(self, minutes: i16) -> Self {
        ItchLine { offset: minutes, ..self }
    }

    /// Midnight at the venue.
    fn midnight_of(&self, now: Utc) -> ExchangeTime {
        const MINUTE: i64 = 60_000_000_000;
        let local = now.0.checked_add_signed(i64::from(self.offset).saturating_mul(MINUTE)).unwrap_or_default();
        ExchangeTime::new(ExchangeTime(local).day(), 0)
    }

    #[inline(always)]
    fn locate_mut(&mut self, header: &Header) -> Option<&mut Locate> {
        self.locates.get_mut(usize::from(header.stock_locate.get()))
    }

    /// The instrument of a message without a symbol.
    #[inline(always)]
    fn by_locate(&self, header: &Header) -> Result<InstrumentId, NoEvent> {
        self.instrument(header.stock_locate.get()).ok_or(NoEvent::Untracked)
    }

    /// The instrument of a message with a symbol.
    #[inline(always)]
    fn by_symbol(
        &mut self,
        header: &Header,
        symbol: Symbol,
        instruments: &mut InstrumentTable,
    ) -> Result<InstrumentId, NoEvent> {
        match self.locate_mut(header) {
            Some(locate) if locate.symbol == symbol => match locate.id {
                NOT_FOLLOWED => Err(NoEvent::Untracked),
                id => Ok(InstrumentId(id)),
            },
            _ => self.learn(header, symbol, instruments),
        }
    }

    #[inline(always)]
    fn at(&self, header: &Header) -> ExchangeTime {
        self.midnight.after(Nanos(header.ns()))
    }

    /// Decodes a message of any type.
    #[inline(never)]
    fn decode_any(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent> {
        let message = itch50::decode(message)?;
        let header = message.header();
        let at = self.at(header);
        let event = |id, kind| Ok(Event { at, instrument: Some(id), kind });
        let market = |status| Ok(Event { at, instrument: None, kind: EventKind::Status(status) });
        match message {
            Message::AddOrder(m) => {
                let id = self.by_symbol(header, m.stock(), instruments)?;
                let side = m.side().ok_or(NoEvent::BadField(itch50::AddOrder::TYPE))?;
                event(id, EventKind::Add { order: m.order_ref(), side, qty: m.shares(), price: m.price() })
            }
            Message::AddOrderMpid(m) => {
                let id = self.by_symbol(header, m.stock(), instruments)?;
                let side = m.side().ok_or(NoEvent::BadField(itch50::AddOrderMpid::TYPE))?;
                event(id, EventKind::Add { order: m.order_ref(), side, qty: m.shares(), price: m.price() })
            }
            Message::OrderDelete(m) => event(self.by_locate(header)?, EventKind::Delete { order: m.order_ref() }),
            Message::OrderExecuted(m) => event(
                self.by_locate(header)?,
                EventKind::Execute {
                    order: m.order_ref(),
                    qty: m.shares(),
                    price: None,
                    printable: true,
                    trade: m.match_number.get(),
                },
            ),
            Message::OrderExecutedWithPrice(m) => event(
                self.by_locate(header)?,
                EventKind::Execute {
                    order: m.order_ref(),
                    qty: m.shares(),
                    price: Some(m.price()),
                    printable: m.is_printable(),
                    trade: m.match_number.get(),
                },
            ),
            Message::OrderCancel(m) => {
                event(self.by_locate(header)?, EventKind::Reduce { order: m.order_ref(), qty: m.shares() })
            }
            Message::OrderReplace(m) => event(
                self.by_locate(header)?,
                EventKind::Replace { order: m.original_ref(), new: m.new_ref(), qty: m.shares(), price: m.price() },
            ),
            Message::Trade(m) => event(
                self.by_symbol(header, m.stock(), instruments)?,
                EventKind::Trade { qty: m.shares(), price: m.price(), trade: m.match_number.get() },
            ),
            Message::CrossTrade(m) => event(
                self.by_symbol(header, m.stock(), instruments)?,
                EventKind::Cross { qty: m.shares(), price: m.price(), trade: m.match_number.get() },
            ),
            Message::BrokenTrade(m) => {
                event(self.by_locate(header)?, EventKind::Broken { trade: m.match_number.get() })
            }
            Message::Noii(m) => event(
                self.by_symbol(header, m.stock(), instruments)?,
                EventKind::Imbalance {
                    paired: m.paired_shares(),
                    imbalance: m.imbalance_shares(),
                    side: imbalance_side(m.imbalance_direction),
                    reference: m.reference_price(),
                },
            ),
            Message::RetailInterest(m) => event(self.by_symbol(header, m.stock(), instruments)?, EventKind::Info),
            Message::SystemEvent(m) => match phase(m.event_code) {
                Some(phase) => market(Status::Session(phase)),
                None => Ok(Event { at, instrument: None, kind: EventKind::Info }),
            },
            Message::MwcbDeclineLevel(m) => {
                market(Status::BreakerLevels([m.level_1.get(), m.level_2.get(), m.level_3.get()]))
            }
            Message::MwcbStatus(m) => market(Status::Breaker(m.breached_level.wrapping_sub(b'0'))),
            _ => {
                let (symbol, status) = status(&message).ok_or(NoEvent::UnknownType(header.message_type))?;
                event(self.by_symbol(header, symbol, instruments)?, EventKind::Status(status))
            }
        }
    }

    #[cold]
    fn learn(
        &mut self,
        header: &Header,
        symbol: Symbol,
        instruments: &mut InstrumentTable,
    ) -> Result<InstrumentId, NoEvent> {
        // What follows without its symbol could not be told from another's.
        if usize::from(header.stock_locate.get()) >= self.locates.len() {
            return Err(NoEvent::InstrumentsFull);
        }
        let id = instruments.admit(self.new_row(symbol.into())).map_err(|_| NoEvent::InstrumentsFull)?;
        if header.stock_locate.get() != 0
            && let Some(locate) = self.locate_mut(header)
        {
            *locate = Locate { symbol, id: id.map_or(NOT_FOLLOWED, |id| id.0) };
        }
        id.ok_or(NoEvent::Untracked)
    }
}

/// Where a message type has what hints need.
#[derive(Clone, Copy)]
struct Fields {
    order: usize,
    enters: usize,
    side: usize,
    price: usize,
    adds: bool,
}

impl Fields {
    const NONE: Fields = Fields { order: 0, enters: 0, side: 0, price: 0, adds: false };

    const fn order(at: usize) -> Self {
        Fields { order: at, enters: at, ..Fields::NONE }
    }
}

const fn fields_of(message_type: u8) -> Fields {
    match message_type {
        itch50::AddOrder::TYPE | itch50::AddOrderMpid::TYPE => Fields {
            side: offset_of!(itch50::AddOrder, side),
            price: offset_of!(itch50::AddOrder, price),
            adds: true,
            ..Fields::order(offset_of!(itch50::AddOrder, order_ref))
        },
        itch50::OrderExecuted::TYPE => Fields::order(offset_of!(itch50::OrderExecuted, order_ref)),
        itch50::OrderExecutedWithPrice::TYPE => Fields::order(offset_of!(itch50::OrderExecutedWithPrice, order_ref)),
        itch50::OrderCancel::TYPE => Fields::order(offset_of!(itch50::OrderCancel, order_ref)),
        itch50::OrderDelete::TYPE => Fields::order(offset_of!(itch50::OrderDelete, order_ref)),
        itch50::OrderReplace::TYPE => Fields {
            enters: offset_of!(itch50::OrderReplace, new_ref),
            ..Fields::order(offset_of!(itch50::OrderReplace, original_ref))
        },
        _ => Fields::NONE,
    }
}

/// By message type: looked up, for a match would be a branch on it.
const FIELDS: &[Fields; 256] = &{
    let mut all = [Fields::NONE; 256];
    let (mut rest, mut message_type): (&mut [Fields], u8) = (&mut all, 0);
    while let Some((fields, others)) = rest.split_first_mut() {
        *fields = fields_of(message_type);
        (rest, message_type) = (others, message_type.wrapping_add(1));
    }
    all
};

/// Some bytes of a message; zeros if it is too short, which none of a known type is.
#[inline(always)]
fn bytes<const N: usize>(message: &[u8], at: usize) -> [u8; N] {
    message.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

impl From<Malformed> for NoEvent {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::UnknownType(message_type) => NoEvent::UnknownType(message_type),
            Malformed::BadLength { message_type, .. } => NoEvent::BadLength(message_type),
            Malformed::BadSide(_) => NoEvent::BadField(itch50::AddOrder::TYPE),
            Malformed::Empty => NoEvent::UnknownType(0),
        }
    }
}

impl Peek for ItchLine {
    /// An empty message, which MoldUDP64 allows, carries nothing that could be wrong: it is unknown, not malformed.
    #[inline]
    fn classify(message: &[u8]) -> Soundness {
        match itch50::check(message) {
            Ok(()) => Soundness::Good,
            Err(Malformed::UnknownType(_) | Malformed::Empty) => Soundness::Unknown,
            Err(Malformed::BadLength { .. } | Malformed::BadSide(_)) => Soundness::Malformed,
        }
    }

    #[inline]
    fn locate(message: &[u8]) -> Option<u16> {
        itch50::locate_of(message)
    }

    /// For an add its new reference, for a replace the one that dies. All stand at the same offset.
    #[inline]
    fn peek_order(message: &[u8]) -> Option<VenueRef> {
        let (b'A' | b'F' | b'E' | b'C' | b'X' | b'D' | b'U', bytes) = (*message.first()?, message.get(11..19)?) else {
            return None;
        };
        Some(VenueRef(u64::from_be_bytes(*bytes.first_chunk::<8>()?)))
    }
}

impl MarketLine for ItchLine {
    fn venue(&self) -> VenueId {
        self.venue
    }

    fn new_row(&self, name: Name) -> Instrument {
        Instrument { venue: self.venue, name, ..Instrument::us_equity(Symbol([b' '; 8])) }
    }

    #[inline(always)]
    fn decode(&mut self, message: &[u8], instruments: &mut InstrumentTable) -> Result<Event, NoEvent> {
        // Nine messages in ten add or delete an order: they do not pass through the table of all types.
        match message.first() {
            Some(&itch50::AddOrder::TYPE) => {
                if let Ok(m) = itch50::AddOrder::ref_from_bytes(message)
                    && let Some(side) = m.side()
                {
                    let id = self.by_symbol(&m.header, m.stock(), instruments)?;
                    let kind = EventKind::Add { order: m.order_ref(), side, qty: m.shares(), price: m.price() };
                    return Ok(Event { at: self.at(&m.header), instrument: Some(id), kind });
                }
            }
            Some(&itch50::OrderDelete::TYPE) => {
                if let Ok(m) = itch50::OrderDelete::ref_from_bytes(message) {
                    let kind = EventKind::Delete { order: m.order_ref() };
                    return Ok(Event { at: self.at(&m.header), instrument: Some(self.by_locate(&m.header)?), kind });
                }
            }
            _ => {}
        }
        self.decode_any(message, instruments)
    }

    #[inline]
    fn instrument(&self, locate: u16) -> Option<InstrumentId> {
        let locate = self.locates.get(usize::from(locate))?;
        (locate.id != NOT_FOLLOWED).then_some(InstrumentId(locate.id))
    }

    fn subject(&self, message: &[u8]) -> Option<InstrumentId> {
        self.instrument(Self::locate(message)?)
    }

    /// Reads the same for every type, from where that type has it, or from where the message begins.
    #[inline(always)]
    fn foresee(&self, message: &[u8]) -> Coming {
        let at = message.first().and_then(|letter| FIELDS.get(usize::from(*letter))).unwrap_or(&Fields::NONE);
        let [order, enters] = [at.order, at.enters].map(|at| VenueRef(u64::from_be_bytes(bytes(message, at))));
        let locate = u16::from_be_bytes(bytes(message, offset_of!(Header, stock_locate)));
        let id = self.locates.get(usize::from(locate)).map_or(NOT_FOLLOWED, |locate| locate.id);
        let [side] = bytes(message, at.side);
        // Of other types this is no price, and need not be one.
        let price = u32::from_be_bytes(bytes(message, at.price));
        Coming {
            order,
            enters,
            id: InstrumentId(id),
            adds: at.adds,
            side: select_unpredictable(side == b'S', Side::Sell, Side::Buy),
            price: Price(i64::from(select_unpredictable(at.adds, price, 0))),
        }
    }

    /// Where nobody knows the new session's date its stamps are of day 0, rather than of a date that may be yesterday's.
    fn reset(&mut self, now: Option<Utc>) {
        self.midnight = now.map_or(ExchangeTime(0), |now| self.midnight_of(now));
        self.locates.fill(Locate::UNSEEN);
    }

    fn begin(&mut self, now: Utc) {
        if self.midnight == ExchangeTime(0) {
            self.midnight = self.midnight_of(now);
        }
    }
}

crate::value! { Locate { symbol, id } }

/// The locates that the day has explained, by their codes.
impl State for ItchLine {
    fn save(&self, into: &mut dyn Save) {
        let ItchLine { venue: _, offset: _, midnight, locates } = self;
        let seen = || (0u16..=u16::MAX).zip(locates).filter(|(_, locate)| locate.symbol != Locate::UNSEEN.symbol);
        midnight.put(into);
        into.count(seen().count());
        for (code, locate) in seen() {
            code.put(into);
            locate.put(into);
        }
    }

    fn load(&mut self, from: &mut Reader<'_>) -> Result<(), LoadError> {
        let ItchLine { venue: _, offset: _, midnight, locates } = self;
        *midnight = from.value()?;
        locates.fill(Locate::UNSEEN);
        for _ in 0..from.count(locates.len())? {
            let (code, seen): (u16, Locate) = (from.value()?, from.value()?);
            let place = locates.get_mut(usize::from(code)).filter(|place| place.symbol == Locate::UNSEEN.symbol);
            *place.ok_or(LoadError::BAD)? = seen;
        }
        Ok(())
    }
}

/// What changes the state of one security.
fn status(message: &Message<'_>) -> Option<(Symbol, Status)> {
    Some(match message {
        Message::StockDirectory(m) => {
            let live = m.authenticity == codes::authenticity::LIVE;
            (m.stock(), Status::Directory { live, lot: crate::base::Qty(i64::from(m.round_lot_size.get())) })
        }
        Message::StockTradingAction(m) => (m.stock(), Status::Trading(trading_action(m.trading_state))),
        Message::RegShoRestriction(m) => (m.stock(), Status::ShortSaleRestricted(m.action != codes::reg_sho::NONE)),
        Message::MarketParticipantPosition(m) => {
            (m.stock(), Status::Participant { mpid: m.mpid, active: m.state == b'A' })
        }
        Message::QuotingPeriodUpdate(m) => {
            let anticipated = m.release_qualifier == codes::release::ANTICIPATED;
            let release_ns = u64::from(m.release_time.get()).saturating_mul(1_000_000_000);
            (m.stock(), Status::Ipo { anticipated, release_ns, price: m.ipo_price() })
        }
        Message::LuldAuctionCollar(m) => {
            let (reference, lower, upper) = (m.reference_price(), m.lower_price(), m.upper_price());
            (m.stock(), Status::Collar { reference, lower, upper })
        }
        Message::OperationalHalt(m) => {
            let halted = m.action != codes::operational::RESUMED;
            (m.stock(), Status::OperationalHalt { market: m.market_code, halted })
        }
        Message::DlcrPriceDiscovery(m) => {
            let eligible = m.open_eligibility == b'Y';
            (m.stock(), Status::DirectListing { eligible, lower: m.lower_collar(), upper: m.upper_collar() })
        }
        _ => return None,
    })
}

const fn phase(code: u8) -> Option<SessionPhase> {
    Some(match code {
        codes::event::START_OF_MESSAGES => SessionPhase::StartOfMessages,
        codes::event::START_OF_SYSTEM_HOURS => SessionPhase::StartOfSystemHours,
        codes::event::START_OF_MARKET_HOURS => SessionPhase::StartOfMarketHours,
        codes::event::END_OF_MARKET_HOURS => SessionPhase::EndOfMarketHours,
        codes::event::END_OF_SYSTEM_HOURS => SessionPhase::EndOfSystemHours,
        codes::event::END_OF_MESSAGES => SessionPhase::EndOfMessages,
        _ => return None,
    })
}

const fn trading_action(state: u8) -> TradingAction {
    match state {
        codes::trading_state::TRADING => TradingAction::Trading,
        codes::trading_state::QUOTATION_ONLY => TradingAction::QuotationOnly,
        codes::trading_state::PAUSED => TradingAction::Paused,
        _ => TradingAction::Halted,
    }
}

const fn imbalance_side(direction: u8) -> Option<Side> {
    match direction {
        codes::imbalance::BUY => Some(Side::Buy),
        codes::imbalance::SELL => Some(Side::Sell),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::assert_all_saved;

    #[test]
    fn a_session_has_the_date_that_it_begins_on_at_the_venue() {
        const HOUR: u64 = 3_600_000_000_000;
        let at = |day: u64, hour: u64| Utc((day * 24 + hour) * HOUR);
        let day = |line: &ItchLine| line.midnight.day();
        // New York, in winter: midnight there is at five.
        for (offset, hour, date) in [(-300, 4, 99), (-300, 5, 100), (0, 0, 100), (600, 13, 100), (600, 14, 101)] {
            let mut line = ItchLine::new(0).at_offset(offset);
            line.begin(at(100, hour));
            assert_eq!((day(&line), line.midnight.ns_since_midnight()), (date, 0), "{offset} {hour}");
            line.begin(at(200, 12));
            assert_eq!(day(&line), date, "it has its date");
            line.reset(Some(at(101, hour)));
            assert_eq!(day(&line), date + 1);
            line.reset(None);
            assert_eq!(day(&line), 0);
        }
        let mut given = ItchLine::new(7).at_offset(-300);
        given.begin(at(100, 12));
        assert_eq!(day(&given), 7, "the configured date of the first session");
        given.reset(Some(at(100, 12)));
        assert_eq!(day(&given), 100);
        given.reset(Some(Utc(0)));
        assert_eq!(day(&given), 0, "before 1970 there");
    }

    #[test]
    fn date_and_locates_are_saved_and_restored() {
        let changes: [fn(&mut ItchLine); 7] = [
            |_| {},
            |l| l.midnight = ExchangeTime(1),
            |l| l.locates[1] = Locate { symbol: Symbol(*b"A       "), id: 0 },
            |l| l.locates[2] = Locate { symbol: Symbol(*b"A       "), id: 0 },
            |l| l.locates[1] = Locate { symbol: Symbol(*b"B       "), id: 0 },
            |l| l.locates[1] = Locate { symbol: Symbol(*b"A       "), id: 1 },
            |l| l.locates[65_535] = Locate { symbol: Symbol(*b"A       "), id: NOT_FOLLOWED },
        ];
        assert_all_saved(|| ItchLine::new(0), &changes);
    }
}
