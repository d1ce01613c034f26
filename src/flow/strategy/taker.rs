//! Takes the opposite best when the book leans far enough.

use super::{Actions, Strategy, View};
use crate::base::{InstrumentId, LoadError, Mono, Nanos, OutOfRange, Qty, Side};
use crate::flow::action::{Action, Enter, TimeInForce};
use crate::flow::command::{Command, Heard, Why, Word};
use crate::flow::event::Event;
use crate::flow::signal::{Pressure, Signal};
use alloc::boxed::Box;
use alloc::vec;

/// Configuration of [`ImbalanceTaker`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImbalanceTakerConfig {
    /// Take when the imbalance is at least this, in millionths of the shares weighed: 1 to 1,000,000.
    pub threshold: i64,
    /// Close a position when the imbalance in its favour has fallen below this, in millionths: -1,000,000 (never) to
    /// `threshold`.
    pub exit: i64,
    /// Most shares of one order: 1 to 999,999. Never more than the opposite best shows.
    pub size: Qty,
    /// Largest position that it builds, long or short, in shares: 0 to 2^40.
    pub max_position: Qty,
    /// After an order, nothing more in the instrument for this long: 0 to 3,600 s.
    pub cooldown: Nanos,
}

impl Default for ImbalanceTakerConfig {
    /// One round lot at 80 % imbalance, at most five lots held, one order in ten milliseconds.
    fn default() -> Self {
        ImbalanceTakerConfig {
            threshold: 800_000,
            exit: 0,
            size: Qty(100),
            max_position: Qty(500),
            cooldown: Nanos::from_millis(10),
        }
    }
}

impl ImbalanceTakerConfig {
    /// The same with another value of a parameter, by the name of its field; `cooldown` in nanoseconds. `None`: there is no
    /// such parameter.
    #[must_use]
    pub fn with(self, key: &str, value: i64) -> Option<Self> {
        Some(match key {
            "threshold" => ImbalanceTakerConfig { threshold: value, ..self },
            "exit" => ImbalanceTakerConfig { exit: value, ..self },
            "size" => ImbalanceTakerConfig { size: Qty(value), ..self },
            "max_position" => ImbalanceTakerConfig { max_position: Qty(value), ..self },
            // What is negative is beyond every range, as the check says.
            "cooldown" => ImbalanceTakerConfig { cooldown: Nanos(u64::try_from(value).unwrap_or(u64::MAX)), ..self },
            _ => return None,
        })
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        unless((1..=1_000_000).contains(&self.threshold), "taker.threshold", "1 to 1000000")?;
        unless((-1_000_000..=self.threshold).contains(&self.exit), "taker.exit", "-1000000 to taker.threshold")?;
        unless((1..=999_999).contains(&self.size.0), "taker.size", "1 to 999999")?;
        unless((0..=1 << 40).contains(&self.max_position.0), "taker.max_position", "0 to 2^40")?;
        unless(self.cooldown <= Nanos::from_secs(3_600), "taker.cooldown", "0 to 3600 s")
    }
}

/// Takes the opposite best with an immediate-or-cancel limit when the imbalance passes a threshold, and closes the
/// position when it has gone. One order at a time in each instrument; never through zero in one order.
#[derive(Debug)]
pub struct ImbalanceTaker {
    config: ImbalanceTakerConfig,
    /// By instrument: nothing before this time.
    idle_until: Box<[Mono]>,
}

impl ImbalanceTaker {
    /// A taker for instruments 0 to `instruments` - 1.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn new(config: &ImbalanceTakerConfig, instruments: usize) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(ImbalanceTaker { config: *config, idle_until: vec![Mono(0); instruments].into_boxed_slice() })
    }

    /// What it goes by now: its configuration, and what commands have changed.
    #[must_use]
    pub fn config(&self) -> &ImbalanceTakerConfig {
        &self.config
    }

    fn sound(&mut self) -> Result<(), LoadError> {
        self.config.check().map_err(|_| LoadError::BAD)
    }

    /// Which side, and at most how many shares.
    #[inline]
    fn decide(&self, pressure: Pressure, position: Qty) -> Option<(Side, Qty)> {
        let config = &self.config;
        let holds = if position.0 > 0 { Side::Buy } else { Side::Sell };
        if position != Qty::ZERO && !pressure.favours(holds, config.exit) {
            return Some((holds.opposite(), Qty(position.0.saturating_abs()).min(config.size)));
        }
        let side = [Side::Buy, Side::Sell].into_iter().find(|side| pressure.favours(*side, config.threshold))?;
        let held = position.0.saturating_mul(side.sign());
        // Against a position only the exit rule trades: an order through zero would be half a short sale.
        let room = if held < 0 { 0 } else { config.max_position.0.saturating_sub(held) };
        Some((side, config.size.min(Qty(room))))
    }
}

impl<S: Signal<Value = Option<Pressure>>> Strategy<S> for ImbalanceTaker {
    #[inline]
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        let Some(&idle_until) = self.idle_until.get(id.0 as usize) else { return };
        if view.now() < idle_until || view.own(id).next().is_some() {
            return;
        }
        let book = view.book(id);
        let pressure = view.signals().value(id, book);
        let Some((side, most)) = pressure.and_then(|p| self.decide(p, view.position(id))) else { return };
        // Asked last, for it mostly need not be asked. The signal may not look at whether the book can be trusted.
        if view.may_trade(id).is_err() {
            return;
        }
        let Some(target) = book.top_without_own(side.opposite()) else { return };
        let qty = most.min(target.qty);
        if !qty.is_positive() {
            return;
        }
        let asked = ask.push(Action::Enter(Enter {
            instrument: id,
            side,
            price: target.price,
            qty,
            tif: TimeInForce::ImmediateOrCancel,
            post_only: false,
            tags: view.tags(),
        }));
        if let (true, Some(idle)) = (asked, self.idle_until.get_mut(id.0 as usize)) {
            *idle = view.now().after(self.config.cooldown);
        }
    }

    /// Of its parameters; they hold in every instrument.
    fn on_command(&mut self, command: &Command<'_>, _: &View<'_, S>, _: &mut Actions) -> Heard {
        let Word::Parameter { key, value } = &command.word else { return Heard::NotMine };
        let Some(config) = self.config.with(key.as_str(), *value) else {
            return Heard::Refused(Why::Refused(
                "the taker's parameters are threshold, exit, size, max_position and cooldown",
            ));
        };
        let checked = config.check();
        if checked.is_ok() {
            self.config = config;
        }
        checked.into()
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.idle_until.len())
    }
}

crate::value! { ImbalanceTakerConfig { threshold, exit, size, max_position, cooldown } }
crate::state! { ImbalanceTaker { config, idle_until } then sound }
