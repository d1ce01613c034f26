//! Quotes both sides and leans against its inventory.

use super::{Actions, Awaits, OwnOrder, Strategy, View};
use crate::base::{Instrument, InstrumentId, LoadError, Mono, Nanos, OutOfRange, Price, Qty, Side};
use crate::flow::action::{Action, Cancel, Change, Enter, Happening, Replace, SellMark, TimeInForce};
use crate::flow::command::{Command, Heard, Why, Word};
use crate::flow::event::Event;
use crate::flow::risk::Refusal;
use crate::flow::signal::Signal;
use alloc::boxed::Box;
use alloc::vec;

/// What quotes are placed from. Own orders never count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reference {
    /// The middle between best bid and best ask.
    Mid,
    /// The best of the quote's own side.
    Best,
}

/// Configuration of [`MarketMaker`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MarketMakerConfig {
    /// What quotes are placed from.
    pub reference: Reference,
    /// Distance of each quote from the reference, in ticks: from the mid 1 to 10,000, from the best 0 to 10,000.
    pub offset: u32,
    /// Both quotes move down for each round lot held (up for each lot short), in thousandths of a tick: 0 to 1,000,000.
    pub skew: u32,
    /// Shares of each quote: 1 to 999,999.
    pub size: Qty,
    /// A quote with fewer shares open is filled up: 0 (only when all have traded) to `size`.
    pub refill: Qty,
    /// Largest position that it builds, long or short, in shares: 0 to 2^40. Quotes shrink as it comes near.
    pub max_position: Qty,
    /// A quote stays while it is no further than this from where it should be, in ticks: 0 to 10,000.
    pub requote: u32,
    /// After a refusal or a reject, no new quote and no move in the instrument for this long: 0 to 3,600 s.
    pub pause: Nanos,
}

impl Default for MarketMakerConfig {
    /// One round lot at each best, leaning half a tick a lot, at most five lots held.
    fn default() -> Self {
        MarketMakerConfig {
            reference: Reference::Best,
            offset: 0,
            skew: 500,
            size: Qty(100),
            refill: Qty(1),
            max_position: Qty(500),
            requote: 0,
            pause: Nanos::from_millis(100),
        }
    }
}

impl MarketMakerConfig {
    /// The same with another value of a parameter, by the name of its field; `pause` in nanoseconds. `None`: there is no
    /// such parameter, or it is no number.
    #[must_use]
    pub fn with(self, key: &str, value: i64) -> Option<Self> {
        // What is no such number is beyond every range, as the check says.
        let ticks = u32::try_from(value).unwrap_or(u32::MAX);
        Some(match key {
            "offset" => MarketMakerConfig { offset: ticks, ..self },
            "skew" => MarketMakerConfig { skew: ticks, ..self },
            "size" => MarketMakerConfig { size: Qty(value), ..self },
            "refill" => MarketMakerConfig { refill: Qty(value), ..self },
            "max_position" => MarketMakerConfig { max_position: Qty(value), ..self },
            "requote" => MarketMakerConfig { requote: ticks, ..self },
            "pause" => MarketMakerConfig { pause: Nanos(u64::try_from(value).unwrap_or(u64::MAX)), ..self },
            _ => return None,
        })
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        // Two quotes at the mid itself would meet each other.
        let closest = if self.reference == Reference::Mid { 1 } else { 0 };
        let allowed = "1 to 10000 from the mid, 0 to 10000 from the best";
        unless((closest..=10_000).contains(&self.offset), "maker.offset", allowed)?;
        unless(self.skew <= 1_000_000, "maker.skew", "0 to 1000000")?;
        unless((1..=999_999).contains(&self.size.0), "maker.size", "1 to 999999")?;
        unless((Qty::ZERO..=self.size).contains(&self.refill), "maker.refill", "0 to maker.size")?;
        unless((0..=1 << 40).contains(&self.max_position.0), "maker.max_position", "0 to 2^40")?;
        unless(self.requote <= 10_000, "maker.requote", "0 to 10000")?;
        unless(self.pause <= Nanos::from_secs(3_600), "maker.pause", "0 to 3600 s")
    }
}

/// Where the quotes should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Quotes {
    bid: Price,
    ask: Price,
}

/// A two-sided quoting market maker with inventory skew.
///
/// One post-only order a side. It moves by replace, one request at a time; quotes neither while the book is stale,
/// one-sided, locked or crossed, nor while trading is stopped: then it cancels. A quote is never placed where the
/// other might still stand, so it never trades with itself, whatever is still on its way.
#[derive(Debug)]
pub struct MarketMaker {
    config: MarketMakerConfig,
    /// By instrument: no enter and no replace before this time.
    idle_until: Box<[Mono]>,
    /// By instrument: with these facts there was nothing to ask for. Not saved: without it the same is found out again.
    settled: Box<[Option<Facts>]>,
}

/// All that decides, besides the configuration and the time: while these are the same, so are the quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Facts {
    /// [`View::touch_to_quote`].
    touch: Option<(Price, Price)>,
    position: Qty,
    /// [`View::order_steps`].
    steps: u64,
    /// Tick, fine tick and lot, which a directory may change.
    grid: (i64, i64, i64),
}

impl MarketMaker {
    /// A maker for instruments 0 to `instruments` - 1.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn new(config: &MarketMakerConfig, instruments: usize) -> Result<Self, OutOfRange> {
        config.check()?;
        let (idle_until, settled) = (vec![Mono(0); instruments].into(), vec![None; instruments].into());
        Ok(MarketMaker { config: *config, idle_until, settled })
    }

    /// What it goes by now: its configuration, and what commands have changed.
    #[must_use]
    pub fn config(&self) -> &MarketMakerConfig {
        &self.config
    }

    fn sound(&mut self) -> Result<(), LoadError> {
        self.settled.fill(None);
        self.config.check().map_err(|_| LoadError::BAD)
    }

    /// Where the quotes should be, given the bests of the others; `None`: nowhere.
    #[inline]
    fn quotes(&self, bid: Price, ask: Price, position: Qty, row: &Instrument) -> Option<Quotes> {
        if bid >= ask || row.tick <= 0 || row.fine_tick <= 0 {
            return None;
        }
        let config = &self.config;
        let offset = |from: Price| row.tick_at(from.0).saturating_mul(i64::from(config.offset));
        let lean = lean(position, config.skew, row, row.tick_at(bid.0));
        let (low, high) = match config.reference {
            Reference::Best => (bid.0, ask.0),
            // Rounded apart, so that the two stay on their sides of the true middle.
            Reference::Mid => {
                let sum = i128::from(bid.0).saturating_add(i128::from(ask.0));
                let down = i64::try_from(sum >> 1).ok()?;
                (down, down.saturating_add(i64::try_from(sum & 1).ok()?))
            }
        };
        let low = low.saturating_sub(offset(bid)).saturating_sub(lean);
        let high = high.saturating_add(offset(ask)).saturating_sub(lean);
        // Rounding to ticks and keeping off the other side only widen the spread.
        let low = row.floor(low)?.min(row.floor(ask.0.saturating_sub(1))?);
        let high = row.ceil(high)?.max(row.ceil(bid.0.saturating_add(1))?);
        Some(Quotes { bid: Price(low), ask: Price(high) })
    }

    /// Brings one side's quote to where it should be, but not where the other one may still stand.
    fn quote<S>(
        &self,
        (side, target): (Side, Price),
        [own, other]: [&Own; 2],
        (id, row, position): (InstrumentId, &Instrument, Qty),
        view: &View<'_, S>,
        ask: &mut Actions,
    ) {
        let price = match (other.clear, side) {
            (None, _) => target,
            (Some(clear), Side::Buy) => target.min(clear),
            (Some(clear), Side::Sell) => target.max(clear),
        };
        let held = position.0.saturating_mul(side.sign());
        let room = Qty(self.config.max_position.0.saturating_sub(held).max(0));
        let most = self.config.size.min(room);

        let Some(quote) = &own.quote else {
            // A sale that is larger than the position would be half long, half short: sell what is held first.
            let most = if side == Side::Sell && position.is_positive() { most.min(position) } else { most };
            if most.is_positive() && price.0 > 0 {
                ask.push(Action::Enter(Enter {
                    instrument: id,
                    side,
                    price,
                    qty: most,
                    tif: TimeInForce::Day,
                    post_only: true,
                    tags: view.tags(),
                }));
            }
            return;
        };
        if own.more {
            view.own(id).filter(|order| order.side == side).skip(1).for_each(|other| cancel(&other, ask));
        }
        if !most.is_positive() || price.0 <= 0 {
            return cancel(quote, ask);
        }
        if quote.awaits != Awaits::Nothing {
            return;
        }
        // What is marked long can't grow beyond what is held.
        let most = match (side, quote.mark) {
            (Side::Sell, SellMark::Long) => most.min(position.max(quote.open)),
            _ => most,
        };
        let apart = price.above(quote.price).saturating_abs();
        let in_place = apart <= row.tick_at(price.0).saturating_mul(i64::from(self.config.requote));
        let full = quote.open >= self.config.refill.min(most) && quote.open <= most;
        if !(in_place && full) {
            // Priority is lost anyway: fill the quote up.
            let qty = quote.spent.plus(most);
            ask.push(Action::Replace(Replace { order: quote.order, price, qty }));
        }
    }

    /// Asks for what brings both quotes to where they should be. Mostly nothing has changed: that is seen first.
    #[inline]
    fn act<S>(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        let Some(row) = view.row(id) else { return };
        let facts = Facts {
            touch: view.touch_to_quote(id),
            position: view.position(id),
            steps: view.order_steps(id),
            grid: (row.tick, row.fine_tick, row.lot),
        };
        if self.settled.get(id.0 as usize).is_some_and(|settled| *settled == Some(facts)) {
            return;
        }
        let before = ask.asked();
        let idle = self.move_quotes(id, &facts, row, view, ask);
        let settled = !idle && ask.asked() == before;
        if let Some(place) = self.settled.get_mut(id.0 as usize) {
            *place = settled.then_some(facts);
        }
    }

    /// True: it waits, and time alone ends that.
    #[inline(never)]
    fn move_quotes<S>(
        &self,
        id: InstrumentId,
        facts: &Facts,
        row: &Instrument,
        view: &View<'_, S>,
        ask: &mut Actions,
    ) -> bool {
        let Some(&idle_until) = self.idle_until.get(id.0 as usize) else { return false };
        match facts.touch.and_then(|(bid, ask)| self.quotes(bid, ask, facts.position, row)) {
            None => view.own(id).for_each(|order| cancel(&order, ask)),
            Some(_) if view.now() < idle_until => return true,
            Some(Quotes { bid, ask: offer }) => {
                let [buys, sells] = &Own::both(id, row, view);
                let at = (id, row, facts.position);
                self.quote((Side::Buy, bid), [buys, sells], at, view, ask);
                self.quote((Side::Sell, offer), [sells, buys], at, view, ask);
            }
        }
        false
    }

    fn pause(&mut self, id: InstrumentId, now: Mono) {
        if let Some(idle) = self.idle_until.get_mut(id.0 as usize) {
            *idle = now.after(self.config.pause);
        }
    }
}

/// What rests of one side, as far as quoting asks.
#[derive(Clone, Copy, Default)]
struct Own {
    /// The order that was sent first.
    quote: Option<OwnOrder>,
    /// There are others.
    more: bool,
    /// The price nearest to this side at which the other one meets none of them.
    clear: Option<Price>,
}

impl Own {
    /// Buys and sells, in one walk over the orders.
    fn both<S>(id: InstrumentId, row: &Instrument, view: &View<'_, S>) -> [Own; 2] {
        let [mut buys, mut sells] = [Own::default(); 2];
        for order in view.own(id) {
            let touch = order.touch.0;
            let (own, clear) = match order.side {
                Side::Buy => (&mut buys, row.ceil(touch.saturating_add(1))),
                Side::Sell => (&mut sells, row.floor(touch.saturating_sub(1))),
            };
            own.clear = match (order.side, own.clear, clear.map(Price)) {
                (Side::Buy, Some(one), Some(two)) => Some(one.max(two)),
                (Side::Sell, Some(one), Some(two)) => Some(one.min(two)),
                (_, one, two) => one.or(two),
            };
            match own.quote {
                None => own.quote = Some(order),
                Some(_) => own.more = true,
            }
        }
        [buys, sells]
    }
}

/// How far both quotes move down for what is held.
#[inline]
fn lean(position: Qty, skew: u32, row: &Instrument, tick: i64) -> i64 {
    if position == Qty::ZERO {
        return 0;
    }
    let held = i128::from(position.0).saturating_mul(i128::from(skew)).saturating_mul(i128::from(tick));
    let unit = i128::from(row.lot.max(1)).saturating_mul(1_000);
    let moved = held.checked_div(unit).unwrap_or(0);
    i64::try_from(moved).unwrap_or(if moved < 0 { i64::MIN } else { i64::MAX })
}

fn cancel(order: &OwnOrder, ask: &mut Actions) {
    if order.awaits != Awaits::Cancel {
        ask.push(Action::Cancel(Cancel { order: order.order, keep: Qty::ZERO }));
    }
}

impl<S: Signal> Strategy<S> for MarketMaker {
    #[inline]
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        self.act(id, view, ask);
    }

    fn on_change(&mut self, change: &Change, view: &View<'_, S>, ask: &mut Actions) {
        match change.what {
            Happening::Rejected | Happening::RequestRefused | Happening::TimedOut => {
                self.pause(change.instrument, view.now());
            }
            // The step that sends an order follows a decision made on the same facts; a cancel that was not asked for
            // (a post-only order that would have taken) says that the book is about to change: wait for it.
            Happening::Sent | Happening::Cancelled => {}
            _ => self.act(change.instrument, view, ask),
        }
    }

    fn on_refusal(&mut self, id: InstrumentId, action: &Action, _: Refusal, view: &View<'_, S>) {
        if matches!(action, Action::Enter(_) | Action::Replace(_)) {
            self.pause(id, view.now());
        }
    }

    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        self.act(id, view, ask);
    }

    /// Of its parameters; they hold in every instrument. The quotes follow at the notice that comes after it.
    fn on_command(&mut self, command: &Command<'_>, _: &View<'_, S>, _: &mut Actions) -> Heard {
        let Word::Parameter { key, value } = &command.word else { return Heard::NotMine };
        let Some(config) = self.config.with(key.as_str(), *value) else {
            return Heard::Refused(Why::Refused(
                "the maker's parameters are offset, skew, size, refill, max_position, requote and pause",
            ));
        };
        let checked = config.check();
        if checked.is_ok() {
            self.config = config;
            self.settled.fill(None);
        }
        checked.into()
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.idle_until.len())
    }
}

crate::value! { enum Reference { 0 => Mid, 1 => Best } }
crate::value! { MarketMakerConfig { reference, offset, skew, size, refill, max_position, requote, pause } }
crate::state! { MarketMaker { config, idle_until } without { settled } then sound }
