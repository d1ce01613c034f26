//! Trades towards positions that somebody else wants: a portfolio beside the lane, say.

use super::{Actions, Strategy, View};
use crate::base::{InstrumentId, LoadError, Mono, Nanos, OutOfRange, Qty, Side};
use crate::flow::action::{Action, Change, Enter, Happening, TimeInForce};
use crate::flow::command::{Command, Heard, Why, Word};
use crate::flow::event::Event;
use crate::flow::risk::Refusal;
use crate::flow::signal::Signal;
use alloc::boxed::Box;
use alloc::vec;

/// After an order that the gate or the venue would not have, nothing more for at least this long: what they said no to stands still
/// for longer than any event takes.
const REFUSED: Nanos = Nanos::from_millis(100);

/// What becomes of a position whose target has expired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Expired {
    /// It is kept as it is.
    Hold,
    /// It is closed.
    Flat,
}

/// Configuration of [`TargetTracker`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TargetTrackerConfig {
    /// Most shares of one order: 1 to 999,999. Never more than the opposite best shows.
    pub size: Qty,
    /// A position that is no further from its target than this is left alone: 0 to 2^40.
    pub band: Qty,
    /// After an order, nothing more in the instrument for this long: 0 to 3,600 s.
    pub cooldown: Nanos,
    /// Once a target has expired.
    pub expired: Expired,
}

impl Default for TargetTrackerConfig {
    /// One round lot at a time, one order in ten milliseconds; what nobody wants any more is kept.
    fn default() -> Self {
        TargetTrackerConfig {
            size: Qty(100),
            band: Qty::ZERO,
            cooldown: Nanos::from_millis(10),
            expired: Expired::Hold,
        }
    }
}

impl TargetTrackerConfig {
    /// The same with another value of a parameter, by the name of its field; `cooldown` in nanoseconds. `None`: there is no
    /// such parameter, or it is no number.
    #[must_use]
    pub fn with(self, key: &str, value: i64) -> Option<Self> {
        Some(match key {
            "size" => TargetTrackerConfig { size: Qty(value), ..self },
            "band" => TargetTrackerConfig { band: Qty(value), ..self },
            // What is negative is beyond every range, as the check says.
            "cooldown" => TargetTrackerConfig { cooldown: Nanos(u64::try_from(value).unwrap_or(u64::MAX)), ..self },
            _ => return None,
        })
    }

    /// Checks every field.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn check(&self) -> Result<(), OutOfRange> {
        let unless = OutOfRange::unless;
        unless((1..=999_999).contains(&self.size.0), "tracker.size", "1 to 999999")?;
        unless((0..=1 << 40).contains(&self.band.0), "tracker.band", "0 to 2^40")?;
        unless(self.cooldown <= Nanos::from_secs(3_600), "tracker.cooldown", "0 to 3600 s")
    }
}

/// What is wanted of an instrument.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Target {
    /// Nothing was ever asked for without it.
    is_set: bool,
    position: Qty,
    /// The last time at which it holds.
    until: Mono,
    /// Nothing before this time.
    idle_until: Mono,
    /// When to look again, though nothing happens.
    wakes: Mono,
}

impl Target {
    const NONE: Target =
        Target { is_set: false, position: Qty::ZERO, until: Mono(0), idle_until: Mono(0), wakes: Mono::NEVER };

    /// The position that is wanted now, if any is.
    #[inline]
    fn wanted(&self, now: Mono, expired: Expired) -> Option<Qty> {
        match expired {
            _ if !self.is_set => None,
            _ if now <= self.until => Some(self.position),
            Expired::Hold => None,
            Expired::Flat => Some(Qty::ZERO),
        }
    }
}

/// Takes the opposite best with an immediate-or-cancel limit until the lane holds what [`Word::Target`] says. One order at a time in each
/// instrument; never through zero in one order.
///
/// A target holds until its command expires; then the position is kept or closed, as configured. What it has never been given a target of
/// it leaves alone. The position is the lane's: a strategy beside it that trades the same instrument trades against it.
#[derive(Debug)]
pub struct TargetTracker {
    config: TargetTrackerConfig,
    /// By instrument.
    targets: Box<[Target]>,
    /// The earliest of what wakes.
    next: Option<(Mono, InstrumentId)>,
}

impl TargetTracker {
    /// A tracker for instruments 0 to `instruments` - 1.
    ///
    /// # Errors
    /// [`OutOfRange`] naming the first field out of its range.
    pub fn new(config: &TargetTrackerConfig, instruments: usize) -> Result<Self, OutOfRange> {
        config.check()?;
        Ok(TargetTracker { config: *config, targets: vec![Target::NONE; instruments].into_boxed_slice(), next: None })
    }

    /// What it goes by now: its configuration, and what commands have changed.
    #[must_use]
    pub fn config(&self) -> &TargetTrackerConfig {
        &self.config
    }

    /// The position that it trades towards, if it does.
    #[must_use]
    pub fn wanted(&self, id: InstrumentId, now: Mono) -> Option<Qty> {
        self.targets.get(id.0 as usize)?.wanted(now, self.config.expired)
    }

    fn sound(&mut self) -> Result<(), LoadError> {
        self.arm();
        self.config.check().map_err(|_| LoadError::BAD)
    }

    /// Finds what wakes first. Called where one of them has changed, which is seldom.
    fn arm(&mut self) {
        let due = (0..).map(InstrumentId).zip(&self.targets).filter(|(_, target)| target.wakes < Mono::NEVER);
        self.next = due.map(|(id, target)| (target.wakes, id)).min();
    }

    /// When time alone makes a difference: an order may be sent again, or a target expires that is then closed.
    fn wake(&mut self, id: InstrumentId, now: Mono) {
        let flat = self.config.expired == Expired::Flat;
        let Some(target) = self.targets.get_mut(id.0 as usize) else { return };
        // It holds at `until` itself.
        let expiry = target.until.after(Nanos(1));
        let times = [target.idle_until, if flat && target.is_set { expiry } else { Mono::NEVER }];
        let wakes = times.into_iter().filter(|time| *time > now).min().unwrap_or(Mono::NEVER);
        if core::mem::replace(&mut target.wakes, wakes) != wakes {
            self.arm();
        }
    }

    /// An order towards the target, if one is due.
    #[inline]
    fn act<S>(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        let now = view.now();
        let Some(target) = self.targets.get(id.0 as usize) else { return };
        let Some(wanted) = target.wanted(now, self.config.expired) else { return };
        let position = view.position(id);
        let apart = wanted.0.saturating_sub(position.0);
        if apart.saturating_abs() <= self.config.band.0 || now < target.idle_until {
            return;
        }
        if view.own(id).next().is_some() || view.may_trade(id).is_err() {
            return;
        }
        let side = if apart > 0 { Side::Buy } else { Side::Sell };
        let held = position.0.saturating_mul(side.sign());
        // An order through zero would be half a short sale: what is held goes first.
        let most = if held < 0 { apart.saturating_abs().min(held.saturating_neg()) } else { apart.saturating_abs() };
        let Some(best) = view.book(id).top_without_own(side.opposite()) else { return };
        let qty = Qty(most).min(self.config.size).min(best.qty);
        if !qty.is_positive() {
            return;
        }
        let asked = ask.push(Action::Enter(Enter {
            instrument: id,
            side,
            price: best.price,
            qty,
            tif: TimeInForce::ImmediateOrCancel,
            post_only: false,
            tags: view.tags(),
        }));
        if asked {
            self.pause(id, now, self.config.cooldown);
        }
    }

    /// Nothing more for so long.
    fn pause(&mut self, id: InstrumentId, now: Mono, pause: Nanos) {
        if let Some(target) = self.targets.get_mut(id.0 as usize) {
            target.idle_until = target.idle_until.max(now.after(pause));
            self.wake(id, now);
        }
    }
}

impl<S: Signal> Strategy<S> for TargetTracker {
    #[inline]
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, S>, ask: &mut Actions) {
        self.act(id, view, ask);
    }

    /// Its order is over: there may be more to do.
    fn on_change(&mut self, change: &Change, view: &View<'_, S>, ask: &mut Actions) {
        if change.what == Happening::Rejected {
            self.pause(change.instrument, view.now(), REFUSED);
        }
        if change.finished {
            self.act(change.instrument, view, ask);
        }
    }

    fn on_refusal(&mut self, id: InstrumentId, _: &Action, _: Refusal, view: &View<'_, S>) {
        self.pause(id, view.now(), REFUSED);
    }

    fn on_timer(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        self.wake(id, view.now());
        self.act(id, view, ask);
    }

    fn on_notice(&mut self, id: InstrumentId, view: &View<'_, S>, ask: &mut Actions) {
        self.act(id, view, ask);
    }

    fn on_command(&mut self, command: &Command<'_>, view: &View<'_, S>, ask: &mut Actions) -> Heard {
        match (&command.word, command.to.instrument) {
            (Word::Target { position }, Some(id)) => {
                let Some(target) = self.targets.get_mut(id.0 as usize) else { return Heard::NotMine };
                if !(-(1 << 40)..=1 << 40).contains(&position.0) {
                    return Heard::Refused(OutOfRange { field: "position", allowed: "-2^40 to 2^40" }.into());
                }
                *target = Target { is_set: true, position: *position, until: command.expires, ..*target };
                self.wake(id, view.now());
                self.act(id, view, ask);
                Heard::Taken
            }
            (Word::Parameter { key, value }, _) => {
                let Some(config) = self.config.with(key.as_str(), *value) else {
                    return Heard::Refused(Why::Refused("the tracker's parameters are size, band and cooldown"));
                };
                let checked = config.check();
                if checked.is_ok() {
                    self.config = config;
                }
                checked.into()
            }
            _ => Heard::NotMine,
        }
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.targets.len())
    }

    fn next_deadline(&self) -> Option<(Mono, InstrumentId)> {
        self.next
    }
}

crate::value! { enum Expired { 0 => Hold, 1 => Flat } }
crate::value! { TargetTrackerConfig { size, band, cooldown, expired } }
crate::value! { Target { is_set, position, until, idle_until, wakes } }
crate::state! { TargetTracker { config, targets } without { next } then sound }
