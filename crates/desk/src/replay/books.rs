//! One pass over a recording: every message through the decoder and into the books, counted.

use super::bbo::Bbo;
use super::report::Errors;
use firelane_gateway::base::{InstrumentId, InstrumentTable, Qty, Symbol, VenueId, VenueRef};
use firelane_gateway::flow::book::{BATCH, BookCapacity, BookFault, Books, STALE_REASONS, Scope, StaleReason};
use firelane_gateway::flow::event::{Event, EventKind, SessionPhase, Status};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::market::{MarketLine, NoEvent, Peek};
use firelane_gateway::flow::wire::itch50::{self, Message};
use firelane_sim::capture::binary_file::Messages;
use firelane_sim::capture::{Batch, Mark};
use std::collections::{BTreeMap, HashSet};
use std::io;
use std::time::{Duration, Instant};

/// The shortest message that leaves an order resting, with its length.
const ADD: usize = 38;

/// Symbols that a file may name. Nasdaq's locate codes have two bytes.
const MOST_INSTRUMENTS: usize = 1 << 17;

/// Orders that may rest at once: some times the most of a real day. Their books take some 12 GB.
const MOST_ORDERS: usize = 1 << 26;

/// Orders of no shares that are remembered.
const MOST_EMPTY: usize = 1 << 16;

/// No instrument: for a message that does not say what it is about.
const NOBODY: InstrumentId = InstrumentId(u32::MAX);

/// The symbols that are followed, as they were asked for.
#[derive(Default)]
pub(super) struct Followed {
    /// Symbols as they were written, and as Nasdaq writes them.
    wanted: Vec<(Symbol, Symbol)>,
    /// Of each instrument whether it is followed.
    ids: Vec<bool>,
}

impl Followed {
    pub(super) fn new(symbols: &[Symbol]) -> Self {
        let upper = |symbol: &Symbol| Symbol(symbol.0.map(|byte| byte.to_ascii_uppercase()));
        Followed { wanted: symbols.iter().map(|symbol| (*symbol, upper(symbol))).collect(), ids: Vec::new() }
    }

    /// Without a symbol all are followed.
    fn is_followed(&self, id: InstrumentId) -> bool {
        self.wanted.is_empty() || self.ids.get(id.0 as usize).copied().unwrap_or(false)
    }

    /// A file may name both `abc` and `ABC`: then `abc` means itself.
    fn is_wanted(&self, symbol: Symbol) -> bool {
        self.wanted.iter().any(|(written, upper)| *written == symbol || *upper == symbol)
    }

    /// Whoever is not in the table.
    pub(super) fn missing(&self, instruments: &InstrumentTable) -> Vec<Symbol> {
        let found = |symbol: Symbol| instruments.find(VenueId::FIRST, symbol).is_some();
        self.wanted.iter().filter(|(written, upper)| !found(*written) && !found(*upper)).map(|(w, _)| *w).collect()
    }

    pub(super) fn is_all(&self) -> bool {
        self.wanted.is_empty()
    }
}

/// The books, what decodes for them, and what was counted.
pub(super) struct Pass {
    line: ItchLine,
    pub(super) instruments: InstrumentTable,
    books: Books,
    capacity: BookCapacity,
    pub(super) followed: Followed,
    pub(super) messages: u64,
    letters: Box<[u64; 256]>,
    pub(super) errors: Errors,
    /// References of orders that came without shares: what is said of them later is no new error.
    empty: HashSet<VenueRef>,
    /// Orders of followed symbols that rest, and the most that rested at once.
    pub(super) live: u64,
    pub(super) peak: u64,
    /// Messages about an order of another symbol than their locate says.
    pub(super) misplaced: u64,
    /// Something was said since the day began.
    day_begun: bool,
    /// The day has said its last word, at this time.
    closed: Option<u64>,
    pub(super) new_books: u64,
    /// So many messages came before that happened at first.
    pub(super) first_day: Option<u64>,
    pub(super) bbo: Option<Bbo>,
    pub(super) time: Duration,
}

impl Pass {
    pub(super) fn new(followed: Followed, bbo: Option<Bbo>) -> Self {
        let capacity = BookCapacity { instruments: 64, orders: 64, levels: 64, own: 1 };
        Pass {
            line: ItchLine::new(0),
            instruments: InstrumentTable::new(&[], capacity.instruments, true),
            books: Books::new(capacity),
            capacity,
            followed,
            messages: 0,
            letters: Box::new([0; 256]),
            errors: Errors::default(),
            empty: HashSet::new(),
            live: 0,
            peak: 0,
            misplaced: 0,
            day_begun: false,
            closed: None,
            new_books: 0,
            first_day: None,
            bbo,
            time: Duration::ZERO,
        }
    }

    /// Forgets all but what the file's symbols are and how much room they need.
    pub(super) fn reset(&mut self) {
        let followed = std::mem::take(&mut self.followed);
        let mut books =
            std::mem::replace(&mut self.books, Books::new(BookCapacity { orders: 1, levels: 1, ..SMALLEST }));
        books.clear();
        for reason in STALE_REASONS {
            books.heal(Scope::All, reason);
        }
        let instruments = std::mem::replace(&mut self.instruments, InstrumentTable::new(&[], 1, true));
        let capacity = self.capacity;
        *self = Pass { books, instruments, capacity, ..Pass::new(followed, None) };
    }

    /// Well-formed messages of a known type, by their letter.
    pub(super) fn counts(&self) -> BTreeMap<char, u64> {
        let letters = (0..=u8::MAX).zip(self.letters.iter());
        letters.filter(|(_, n)| **n > 0).map(|(letter, n)| (char::from(letter), *n)).collect()
    }

    /// All messages of a batch.
    pub(super) fn batch(&mut self, batch: &Batch) -> io::Result<()> {
        self.make_room(batch.bytes().len() / ADD + 1);
        let start = Instant::now();
        let mut done = 0;
        for (at, mark) in batch.marks() {
            self.messages_of(batch.bytes().get(done..*at).unwrap_or_default())?;
            done = *at;
            let next = Messages::new(batch.bytes().get(done..).unwrap_or_default()).next().and_then(Result::ok);
            match mark {
                Mark::NewSession => self.begin_anew(next)?,
                Mark::Lost(_) => self.books.mark_stale(Scope::All, StaleReason::Gap),
            }
        }
        self.messages_of(batch.bytes().get(done..).unwrap_or_default())?;
        self.time += start.elapsed();
        Ok(())
    }

    #[inline]
    fn messages_of(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut messages = Messages::new(bytes).flatten();
        loop {
            if self.books.hints_pay() {
                self.books.foresee(messages.clone().map(|message| self.line.foresee(message)));
            }
            let before = self.messages;
            for message in messages.by_ref().take(BATCH) {
                self.message(message)?;
                self.messages += 1;
            }
            if self.messages == before {
                return Ok(());
            }
        }
    }

    #[inline]
    fn message(&mut self, message: &[u8]) -> io::Result<()> {
        match self.line.decode(message, &mut self.instruments) {
            Ok(event) => {
                self.tally(message);
                self.event(message, &event)
            }
            Err(reason) => self.no_event(message, reason),
        }
    }

    #[inline]
    fn tally(&mut self, message: &[u8]) {
        if let Some(n) = message.first().and_then(|letter| self.letters.get_mut(usize::from(*letter))) {
            *n += 1;
        }
    }

    #[inline]
    fn event(&mut self, message: &[u8], event: &Event) -> io::Result<()> {
        if self.closed.is_some_and(|closed| event.at.0 < closed) {
            return self.after_the_close(message);
        }
        let Some(id) = event.instrument else { return self.market(message, event) };
        self.day_begun = true;
        if id.0 as usize >= self.capacity.instruments {
            self.grow(BookCapacity { instruments: self.instruments.capacity(), ..self.capacity });
        }
        if self.followed.ids.len() < self.instruments.rows().len() {
            self.follow();
        }
        if let EventKind::Add { order, qty: Qty(..=0), .. } = event.kind {
            self.errors.bad_field += 1;
            self.remember_empty(order);
            return Ok(());
        }
        self.apply(message, id, &event.kind)
    }

    fn apply(&mut self, message: &[u8], id: InstrumentId, kind: &EventKind) -> io::Result<()> {
        let before = self.books.live_orders();
        self.books.follow(&self.instruments);
        let applied = self.books.apply(id, kind);
        if let Some(fault) = applied.fault {
            self.fault(fault, kind);
        }
        if let EventKind::Replace { new, qty: Qty(..=0), .. } = *kind {
            self.errors.bad_field += 1;
            self.remember_empty(new);
        }
        let Some(touched) = applied.instrument else { return Ok(()) };
        self.misplaced += u64::from(touched != id);
        if self.followed.is_followed(touched) {
            self.live = (self.live + self.books.live_orders() as u64).saturating_sub(before as u64);
            self.peak = self.peak.max(self.live);
            if let Some(bbo) = &mut self.bbo {
                let symbol = self.instruments.get(touched).and_then(|row| row.name.symbol());
                bbo.look(self.messages, message, symbol, self.books.view(touched), touched)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn fault(&mut self, fault: BookFault, kind: &EventKind) {
        match fault {
            BookFault::UnknownRef if self.forget_empty(kind) => {}
            BookFault::UnknownRef => self.errors.unknown_ref += 1,
            BookFault::DuplicateRef => self.errors.duplicate_ref += 1,
            BookFault::OverReduce => self.errors.over_reduce += 1,
            _ => self.errors.no_room += 1,
        }
    }

    #[cold]
    fn remember_empty(&mut self, order: VenueRef) {
        if self.empty.len() < MOST_EMPTY {
            self.empty.insert(order);
        }
    }

    /// Is it about an order that came without shares, which was counted then?
    fn forget_empty(&mut self, kind: &EventKind) -> bool {
        match kind {
            EventKind::Delete { order } => self.empty.remove(order),
            EventKind::Reduce { order, .. } | EventKind::Execute { order, .. } => self.empty.contains(order),
            _ => false,
        }
    }

    /// The market's own words: where a day begins and ends.
    #[cold]
    fn market(&mut self, message: &[u8], event: &Event) -> io::Result<()> {
        match event.kind {
            EventKind::Status(Status::Session(SessionPhase::StartOfMessages)) => {
                if self.day_begun {
                    self.begin_anew(Some(message))?;
                }
            }
            EventKind::Status(Status::Session(SessionPhase::EndOfMessages)) => {
                self.closed = Some(event.at.0);
                self.day_begun = true;
            }
            _ => self.day_begun = true,
        }
        Ok(())
    }

    /// The day said that it is over; what has an earlier time is of the next one, and of other locates.
    #[cold]
    fn after_the_close(&mut self, message: &[u8]) -> io::Result<()> {
        self.begin_anew(Some(message))?;
        if let Some(n) = message.first().and_then(|letter| self.letters.get_mut(usize::from(*letter))) {
            *n -= 1;
        }
        self.message(message)
    }

    /// A new session or a new day: books, locates and references mean nothing any more. `next` is the message that
    /// says so.
    fn begin_anew(&mut self, next: Option<&[u8]>) -> io::Result<()> {
        self.books.clear();
        for reason in STALE_REASONS {
            self.books.heal(Scope::All, reason);
        }
        self.line.reset(None);
        self.empty.clear();
        (self.live, self.day_begun, self.closed) = (0, false, None);
        self.new_books += 1;
        self.first_day.get_or_insert(self.messages);
        if let Some(bbo) = &mut self.bbo {
            let rows = (0..).map(InstrumentId).zip(self.instruments.rows());
            for (id, row) in rows.filter(|(id, _)| self.followed.is_followed(*id)) {
                bbo.look(self.messages, next.unwrap_or_default(), row.name.symbol(), self.books.view(id), id)?;
            }
        }
        Ok(())
    }

    #[cold]
    fn no_event(&mut self, message: &[u8], reason: NoEvent) -> io::Result<()> {
        match reason {
            NoEvent::UnknownType(_) => self.errors.unknown_type += 1,
            NoEvent::BadLength(_) => {
                self.errors.bad_length += 1;
                self.doubt(message);
            }
            NoEvent::BadField(_) => {
                self.errors.bad_field += 1;
                self.doubt(message);
            }
            NoEvent::Untracked => {
                self.tally(message);
                self.day_begun = true;
                return self.without_instrument(message);
            }
            NoEvent::InstrumentsFull => {
                let room = self.instruments.capacity();
                if room < MOST_INSTRUMENTS {
                    self.instruments = InstrumentTable::new(self.instruments.rows(), room * 2, true);
                    return self.message(message);
                }
                self.errors.no_room += 1;
                self.tally(message);
            }
        }
        Ok(())
    }

    /// What could not be read may have been about a book.
    fn doubt(&mut self, message: &[u8]) {
        if let Some(id) = ItchLine::locate(message).and_then(|locate| self.line.instrument(locate)) {
            self.books.mark_stale(Scope::One(id), StaleReason::Malformed);
        }
    }

    /// A message that names an order, and by its locate no symbol: an order reference is unique over the day, so the
    /// order itself says whose it is.
    fn without_instrument(&mut self, message: &[u8]) -> io::Result<()> {
        let Ok(decoded) = itch50::decode(message) else { return Ok(()) };
        let kind = match decoded {
            Message::OrderExecuted(m) => EventKind::Execute {
                order: m.order_ref(),
                qty: m.shares(),
                price: None,
                printable: true,
                trade: m.match_number.get(),
            },
            Message::OrderExecutedWithPrice(m) => EventKind::Execute {
                order: m.order_ref(),
                qty: m.shares(),
                price: Some(m.price()),
                printable: m.is_printable(),
                trade: m.match_number.get(),
            },
            Message::OrderCancel(m) => EventKind::Reduce { order: m.order_ref(), qty: m.shares() },
            Message::OrderDelete(m) => EventKind::Delete { order: m.order_ref() },
            Message::OrderReplace(m) => {
                EventKind::Replace { order: m.original_ref(), new: m.new_ref(), qty: m.shares(), price: m.price() }
            }
            _ => return Ok(()),
        };
        self.apply(message, NOBODY, &kind)
    }

    /// Instruments that are new in the table.
    #[cold]
    fn follow(&mut self) {
        for row in self.instruments.rows().get(self.followed.ids.len()..).unwrap_or_default() {
            let is_wanted = row.name.symbol().is_some_and(|symbol| self.followed.is_wanted(symbol));
            self.followed.ids.push(is_wanted);
        }
    }

    /// Room for so many more orders, each on a level of its own.
    fn make_room(&mut self, adds: usize) {
        let needed = (self.books.live_orders() + adds).min(MOST_ORDERS);
        if needed > self.capacity.orders {
            let orders = needed.max(self.capacity.orders + self.capacity.orders / 2).min(MOST_ORDERS);
            self.grow(BookCapacity { orders, levels: orders, ..self.capacity });
        }
    }

    fn grow(&mut self, capacity: BookCapacity) {
        (self.books, self.capacity) = (self.books.grown(capacity), capacity);
    }
}

const SMALLEST: BookCapacity = BookCapacity { instruments: 1, orders: 1, levels: 1, own: 1 };
