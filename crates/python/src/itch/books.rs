//! The books of a recorded file, as far as it has been read.

use super::observer::Observer;
use super::rows::{Rows, Said, about, order_message, stamp};
use firelane_gateway::base::{InstrumentId, InstrumentTable, Qty, Symbol, VenueId, VenueRef};
use firelane_gateway::flow::book::{BookCapacity, BookFault, BookRef, Books, STALE_REASONS, Scope, StaleReason};
use firelane_gateway::flow::event::{Event, EventKind, SessionPhase, Status};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent, Peek};
use firelane_sim::capture::binary_file::Messages;
use firelane_sim::capture::{Batch, Ending, Mark, Stream};

/// The shortest message that leaves an order resting, with its length.
const ADD: usize = 38;

/// Symbols that a file may name: Nasdaq's locate codes have two bytes.
const MOST_INSTRUMENTS: usize = 1 << 17;

/// Orders that may rest at once: some times the most of a real day.
const MOST_ORDERS: usize = 1 << 26;

/// No instrument: for a message that does not say what it is about.
const NOBODY: InstrumentId = InstrumentId(u32::MAX);

/// What was wrong with the messages.
#[derive(Default)]
pub(super) struct Errors {
    unknown_type: u64,
    bad_length: u64,
    bad_field: u64,
    unknown_ref: u64,
    duplicate_ref: u64,
    over_reduce: u64,
    no_room: u64,
    lost: u64,
}

impl Errors {
    /// Each by its name.
    pub(super) fn list(&self) -> [(&'static str, u64); 8] {
        [
            ("unknown_type", self.unknown_type),
            ("bad_length", self.bad_length),
            ("bad_field", self.bad_field),
            ("unknown_ref", self.unknown_ref),
            ("duplicate_ref", self.duplicate_ref),
            ("over_reduce", self.over_reduce),
            ("no_room", self.no_room),
            ("lost", self.lost),
        ]
    }
}

/// A file that is being read, and its books.
pub(super) struct Recorded {
    stream: Stream,
    batch: Batch,
    /// The next message of the batch, and the next of its marks.
    next: usize,
    next_mark: usize,
    line: ItchLine,
    instruments: InstrumentTable,
    books: Books,
    capacity: BookCapacity,
    /// Whom the books are about; nobody: about all that are named.
    wanted: Vec<Symbol>,
    levels: usize,
    seen: Vec<bool>,
    /// Something was said since the day began; or it has said its last word, at this time.
    day_begun: bool,
    closed: Option<u64>,
    pub(super) letters: Box<[u64; 256]>,
    pub(super) errors: Errors,
    pub(super) observer: Option<Observer>,
}

impl Recorded {
    /// For how many instruments an observer must have room.
    pub(super) fn instruments(symbols: &[Symbol]) -> usize {
        if symbols.is_empty() { MOST_INSTRUMENTS } else { symbols.len() }
    }

    pub(super) fn new(stream: Stream, symbols: &[Symbol], levels: usize, observer: Option<Observer>) -> Self {
        let line = ItchLine::new(0);
        let rows: Vec<_> = symbols.iter().map(|&symbol| line.new_row(symbol.into())).collect();
        let all = symbols.is_empty();
        let capacity = BookCapacity { instruments: if all { 64 } else { rows.len() }, orders: 64, levels: 64, own: 1 };
        Recorded {
            stream,
            batch: Batch::default(),
            next: 0,
            next_mark: 0,
            line,
            instruments: InstrumentTable::new(&rows, capacity.instruments, all),
            books: Books::new(capacity),
            capacity,
            wanted: symbols.to_vec(),
            levels,
            seen: vec![false; rows.len()],
            day_begun: false,
            closed: None,
            letters: Box::new([0; 256]),
            errors: Errors::default(),
            observer,
        }
    }

    /// Reads on, until there are so many rows or the next message is of `until` or later. The rows.
    pub(super) fn read(&mut self, most: usize, until: u64) -> Vec<u8> {
        let mut rows = Rows::default();
        while rows.count < most {
            self.marks();
            if self.next >= self.batch.bytes().len() {
                (self.next, self.next_mark) = (0, 0);
                self.batch.clear();
                if !self.stream.fill(&mut self.batch) {
                    break;
                }
                self.make_room();
                continue;
            }
            let batch = std::mem::take(&mut self.batch);
            let mut walk = Messages::new(batch.bytes().get(self.next..).unwrap_or_default());
            let message = walk.next().and_then(Result::ok).unwrap_or_default();
            let early = stamp(message) < until;
            if early {
                self.next += walk.offset().max(1);
                self.message(message, &mut rows);
            }
            self.batch = batch;
            if !early {
                break;
            }
        }
        rows.bytes
    }

    /// What stands before the next message.
    fn marks(&mut self) {
        while let Some(&(at, mark)) = self.batch.marks().get(self.next_mark)
            && at <= self.next
        {
            self.next_mark += 1;
            match mark {
                Mark::NewSession => self.begin_anew(),
                Mark::Lost(messages) => {
                    self.errors.lost += messages;
                    self.books.mark_stale(Scope::All, StaleReason::Gap);
                    self.observer.iter_mut().for_each(Observer::anew);
                }
            }
        }
    }

    fn message(&mut self, message: &[u8], rows: &mut Rows) {
        let decoded = self.line.decode(message, &mut self.instruments);
        if decoded.is_ok() || matches!(decoded, Err(NoEvent::Untracked | NoEvent::InstrumentsFull)) {
            let letter = message.first().and_then(|letter| self.letters.get_mut(usize::from(*letter)));
            letter.into_iter().for_each(|count| *count += 1);
        }
        match decoded {
            Ok(event) => {
                if self.closed.is_some_and(|closed| event.at.0 < closed) {
                    // The day was over: this is of the next one, and its locates are other ones.
                    self.begin_anew();
                    let _ = self.line.decode(message, &mut self.instruments);
                }
                self.event(message, &event, rows);
            }
            Err(NoEvent::UnknownType(_)) => self.errors.unknown_type += 1,
            Err(NoEvent::BadLength(_)) => {
                self.errors.bad_length += 1;
                self.doubt(message);
            }
            Err(NoEvent::BadField(_)) => {
                self.errors.bad_field += 1;
                self.doubt(message);
            }
            Err(NoEvent::Untracked) => {
                self.day_begun = true;
                self.elsewhere(message, rows);
            }
            Err(NoEvent::InstrumentsFull) => {
                let room = self.instruments.capacity();
                if room < MOST_INSTRUMENTS {
                    self.instruments = InstrumentTable::new(self.instruments.rows(), room * 2, true);
                    self.grow(BookCapacity { instruments: room * 2, ..self.capacity });
                    if let Ok(event) = self.line.decode(message, &mut self.instruments) {
                        self.event(message, &event, rows);
                    }
                } else {
                    self.errors.no_room += 1;
                }
            }
        }
    }

    fn event(&mut self, message: &[u8], event: &Event, rows: &mut Rows) {
        let Some(id) = event.instrument else { return self.market(event) };
        self.day_begun = true;
        if self.seen.len() <= id.0 as usize {
            self.seen.resize(id.0 as usize + 1, false);
        }
        self.seen.get_mut(id.0 as usize).into_iter().for_each(|seen| *seen = true);
        if let EventKind::Add { qty: Qty(..=0), .. } = event.kind {
            self.errors.bad_field += 1;
            return;
        }
        self.books.follow(&self.instruments);
        // As in a lane: what the message names is looked at ahead of it, what it touched behind it.
        if let Some(observer) = &mut self.observer {
            observer.before(id, event, self.books.view(id));
        }
        let row = rows.count;
        let touched = self.apply(message, id, &event.kind, rows).unwrap_or(id);
        if let Some(observer) = &mut self.observer {
            let symbol = self.instruments.get(touched).and_then(|one| one.name.symbol());
            observer.after(touched, event, self.books.view(touched), symbol, (rows.count > row).then_some(row));
        }
    }

    /// An event, and its row. Whose book it touched.
    fn apply(&mut self, message: &[u8], id: InstrumentId, kind: &EventKind, rows: &mut Rows) -> Option<InstrumentId> {
        let resting = about(kind).and_then(|order| self.resting(id, order)).map(|(_, said)| said);
        let applied = self.books.apply(id, kind);
        match applied.fault {
            None => {}
            Some(BookFault::UnknownRef) => self.errors.unknown_ref += 1,
            Some(BookFault::DuplicateRef) => self.errors.duplicate_ref += 1,
            Some(BookFault::OverReduce) => self.errors.over_reduce += 1,
            Some(_) => self.errors.no_room += 1,
        }
        let print = matches!(kind, EventKind::Trade { .. } | EventKind::Cross { .. }).then_some(id);
        let touched = applied.instrument.or(print)?;
        let symbol = self.instruments.get(touched).and_then(|row| row.name.symbol());
        let (said, symbol) = (Said::of(kind, resting)?, symbol?);
        let letter = message.first().copied().unwrap_or_default();
        rows.push(stamp(message), letter, &said, symbol, self.levels, self.books.view(touched));
        applied.instrument
    }

    /// An order as it rests now: in the book that the message names or, if that has none, in another one.
    fn resting(&self, id: InstrumentId, order: VenueRef) -> Option<(InstrumentId, Said)> {
        let others = (0..self.instruments.rows().len() as u32).map(InstrumentId);
        let found = std::iter::once(id).chain(others).find_map(|id| self.books.view(id).order(order));
        found.map(|one| {
            let said = Said { order: order.0, side: Some(one.side), qty: one.qty.0, price: one.price.0 };
            (one.instrument, said)
        })
    }

    /// A message about somebody who is not followed. An order's reference is unique over the day: it may rest here all the same.
    fn elsewhere(&mut self, message: &[u8], rows: &mut Rows) {
        let Some(kind) = order_message(message) else { return };
        if let Some((id, _)) = about(&kind).and_then(|order| self.resting(NOBODY, order)) {
            self.apply(message, id, &kind, rows);
        }
    }

    /// The market's own words: where a day begins and ends.
    fn market(&mut self, event: &Event) {
        match event.kind {
            EventKind::Status(Status::Session(SessionPhase::StartOfMessages)) => {
                if self.day_begun {
                    self.begin_anew();
                }
            }
            EventKind::Status(Status::Session(SessionPhase::EndOfMessages)) => {
                (self.closed, self.day_begun) = (Some(event.at.0), true);
            }
            _ => self.day_begun = true,
        }
    }

    /// A new session or a new day: books, locates and references mean nothing any more.
    fn begin_anew(&mut self) {
        self.books.clear();
        STALE_REASONS.into_iter().for_each(|reason| self.books.heal(Scope::All, reason));
        self.line.reset(None);
        (self.day_begun, self.closed) = (false, None);
        self.observer.iter_mut().for_each(Observer::anew);
    }

    /// What could not be read may have been about a book.
    fn doubt(&mut self, message: &[u8]) {
        if let Some(id) = ItchLine::locate(message).and_then(|locate| self.line.instrument(locate)) {
            self.books.mark_stale(Scope::One(id), StaleReason::Malformed);
        }
    }

    /// Room for all orders that the batch can bring, each on a level of its own.
    fn make_room(&mut self) {
        let needed = (self.books.live_orders() + self.batch.bytes().len() / ADD + 1).min(MOST_ORDERS);
        if needed > self.capacity.orders {
            let orders = needed.max(self.capacity.orders + self.capacity.orders / 2).min(MOST_ORDERS);
            self.grow(BookCapacity { orders, levels: orders, ..self.capacity });
        }
    }

    fn grow(&mut self, capacity: BookCapacity) {
        (self.books, self.capacity) = (self.books.grown(capacity), capacity);
    }

    /// The instrument of a symbol that has been named.
    pub(super) fn find(&self, symbol: Symbol) -> Option<InstrumentId> {
        let id = self.instruments.find(VenueId::FIRST, symbol)?;
        self.seen.get(id.0 as usize).is_some_and(|seen| *seen).then_some(id)
    }

    pub(super) fn view(&self, id: InstrumentId) -> BookRef<'_> {
        self.books.view(id)
    }

    /// Whoever is followed and has not been named.
    pub(super) fn missing(&self) -> impl Iterator<Item = Symbol> + '_ {
        self.wanted.iter().copied().filter(|&symbol| self.find(symbol).is_none())
    }

    pub(super) fn ending(&self) -> &Ending {
        self.stream.ending()
    }

    pub(super) fn looks_like(&self) -> &'static str {
        self.stream.looks_like()
    }
}
