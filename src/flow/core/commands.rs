//! What the core does with a command: is it in time, is it known, is it for somebody here, and then what it says.

use super::*;
use crate::base::OutOfRange;
use crate::flow::command::{Command, CommandBytes, Commander, Heard, Outcome, ParentOrder, ParentStep, To, Why, Word};
use crate::flow::risk::KillScope;

impl<W: Wiring> Core<W> {
    /// A command that came in at `now`, which is what it must not be late for, though the core's clock may be ahead: so
    /// that a feed, which has a clock of its own, comes to the same answer.
    pub(super) fn on_command(&mut self, now: Mono, bytes: CommandBytes<'_>, out: &mut Outbox) {
        let command = bytes.read();
        let outcome = if command.expires < now {
            Outcome::Expired
        } else if matches!(command.word, Word::Unknown(_)) {
            Outcome::Unknown
        } else {
            self.obey(&command, out).map_or_else(Outcome::Rejected, |()| Outcome::Taken)
        };
        let counters = &mut self.counters;
        let counter = match outcome {
            Outcome::Taken => &mut counters.commands_taken,
            Outcome::Expired => &mut counters.commands_expired,
            Outcome::Unknown => &mut counters.commands_unknown,
            Outcome::Rejected(_) => &mut counters.commands_rejected,
        };
        *counter = counter.wrapping_add(1);
        self.tape_answer(&command, outcome, out);
    }

    fn obey(&mut self, command: &Command<'_>, out: &mut Outbox) -> Result<(), Why> {
        self.find(command.to)?;
        for_whom(command, Self::STRATEGIES)?;
        match command.word {
            // The feed's, which has it already.
            Word::Snapshot => return Ok(()),
            Word::Hold | Word::Resume if command.from != Commander::SHELL => return Err(Why::NotYours),
            word if is_for_strategies(&word) => return self.tell_strategies(command),
            _ => {}
        }
        self.change(command)?;
        self.act_on(command, out);
        self.call_all(self.now, |strategy, view, ask| {
            let _nobody_asks = strategy.on_command(command, view, ask);
        });
        if !self.acts() {
            self.actions.clear();
        }
        Ok(())
    }

    /// Is everybody here whom a command names?
    fn find(&self, to: To) -> Result<(), Why> {
        if to.venue.is_some_and(|venue| self.ends.get(venue).is_none()) {
            return Err(Why::NoSuchVenue);
        }
        if let Some(id) = to.instrument {
            let row = self.instruments.get(id).ok_or(Why::NoSuchInstrument)?;
            if to.venue.is_some_and(|venue| venue != row.venue) {
                return Err(Why::NoSuchInstrument);
            }
        }
        if to.strategy.is_some_and(|strategy| !self.gate.has_strategy(strategy)) {
            return Err(Why::NoSuchStrategy);
        }
        Ok(())
    }

    /// What may be out of its range: nothing is done then.
    fn change(&mut self, command: &Command<'_>) -> Result<(), OutOfRange> {
        // One of no instrument has been sent back already.
        let id = command.to.instrument.unwrap_or(InstrumentId(u32::MAX));
        match &command.word {
            Word::Limits(change) => self.gate.change_limits(id, change),
            Word::LaneLimits(change) => self.gate.change_lane_limits(change),
            Word::Locates { shares } => self.gate.set_locates(id, *shares),
            Word::CarryIn { shares, cost } => self.gate.try_carry_in(id, command.to.strategy, *shares, *cost),
            _ => Ok(()),
        }
    }

    /// What cannot fail.
    fn act_on(&mut self, command: &Command<'_>, out: &mut Outbox) {
        let now = self.now;
        match (command.word, command.to.strategy) {
            (Word::Kill, _) => self.throw(scope_of(command.to), true, out),
            (Word::Release, _) => self.throw(scope_of(command.to), false, out),
            (Word::Enable, None) => {
                self.enabled = true;
                self.stopped = false;
                self.signals_stuck = false;
                self.told = 0;
            }
            (Word::Disable, None) => self.enabled = false,
            (Word::Enable, Some(strategy)) => self.gate.let_enter(strategy, true),
            (Word::Disable, Some(strategy)) => self.gate.let_enter(strategy, false),
            (Word::CarryIn { .. }, whose) => {
                if let Some(id) = command.to.instrument {
                    self.tape_position(id, whose, out);
                }
            }
            (Word::Hold, _) => self.held = true,
            (Word::Resume, _) => self.held = false,
            (Word::Shutdown, _) => {
                self.enabled = false;
                self.each_entry(out, |entry, out| entry.shutdown(now, out));
            }
            (Word::Start, _) => self.each_entry(out, |entry, out| entry.start(now, out)),
            _ => {}
        }
        // What may be sent now is another: whoever waits is told, though no event is about it.
        let tells = matches!(
            command.word,
            Word::Kill
                | Word::Release
                | Word::Enable
                | Word::Resume
                | Word::Limits(_)
                | Word::LaneLimits(_)
                | Word::Locates { .. }
                | Word::CarryIn { .. }
        );
        if tells || (command.word == Word::Disable && command.to.strategy.is_some()) {
            self.tell_all();
        }
        self.begin_sweep();
        self.due = self.all();
    }

    /// Throws or releases a kill switch, and says so where it was not so before: what a commander says to the whole lane comes
    /// behind the shell's switch, which acts at once.
    fn throw(&mut self, scope: KillScope, thrown: bool, out: &mut Outbox) {
        if self.gate.is_killed_in(scope) == thrown {
            return;
        }
        if thrown {
            self.gate.kill_in(scope);
        } else {
            self.gate.release_in(scope);
        }
        let part = if thrown { Alert::PartKilled } else { Alert::PartReleased };
        match scope {
            KillScope::Lane => self.alert(if thrown { Alert::Killed } else { Alert::Released }, None, 0, 0, out),
            KillScope::Venue(venue) => self.alert_at(venue, part, None, 1, venue.0.into(), out),
            KillScope::Instrument(id) => self.alert(part, Some(id), 2, id.0.into(), out),
            KillScope::Strategy(strategy) => self.alert(part, None, 3, strategy.0.into(), out),
        }
    }

    /// Words that are for strategies: theirs is the answer.
    fn tell_strategies(&mut self, command: &Command<'_>) -> Result<(), Why> {
        if let Word::Parent(order) = &command.word {
            check_parent(order)?;
        }
        let mut heard = Heard::NotMine;
        self.call_all(self.now, |strategy, view, ask| heard = strategy.on_command(command, view, ask));
        if !self.acts() {
            self.actions.clear();
        }
        match heard {
            Heard::Taken => {
                if matches!(command.word, Word::Parameter { .. }) {
                    self.tell_all();
                }
                Ok(())
            }
            Heard::Refused(why) => Err(why),
            Heard::NotMine => Err(Why::NotUnderstood),
        }
    }
}

fn is_for_strategies(word: &Word<'_>) -> bool {
    matches!(word, Word::Target { .. } | Word::Alert(_) | Word::Parameter { .. } | Word::Parent(_) | Word::Own(_))
}

/// Of a word that may be to one part of the lane.
fn scope_of(to: To) -> KillScope {
    match to {
        To { venue: Some(venue), .. } => KillScope::Venue(venue),
        To { instrument: Some(id), .. } => KillScope::Instrument(id),
        To { strategy: Some(strategy), .. } => KillScope::Strategy(strategy),
        To { venue: None, instrument: None, strategy: None } => KillScope::Lane,
    }
}

/// Is a word to somebody that it can be for?
fn for_whom(command: &Command<'_>, strategies: u16) -> Result<(), Why> {
    let To { venue, instrument, strategy } = command.to;
    let named = [venue.is_some(), instrument.is_some(), strategy.is_some()];
    let unless = |holds, text| if holds { Ok(()) } else { Err(Why::Addressee(text)) };
    match command.word {
        Word::Kill | Word::Release => {
            let one = named.iter().filter(|named| **named).count() <= 1;
            unless(one, "it is for the lane, or for one venue, one instrument or one strategy")
        }
        Word::Enable | Word::Disable => {
            unless(venue.is_none() && instrument.is_none(), "it is for the lane, or for one strategy")
        }
        Word::Snapshot => unless(named == [true, false, false], "it is for one venue: say which"),
        Word::Shutdown | Word::Start | Word::Hold | Word::Resume | Word::LaneLimits(_) => {
            unless(named == [false; 3], "it is for the whole lane")
        }
        Word::Limits(_) | Word::Locates { .. } => {
            unless(instrument.is_some() && strategy.is_none(), "it is for one instrument: say which")
        }
        Word::CarryIn { .. } | Word::Target { .. } => {
            unless(instrument.is_some(), "it is about one instrument: say which")
        }
        Word::Parent(_) if instrument.is_none() => unless(false, "it is about one instrument: say which"),
        Word::Parameter { .. } | Word::Parent(_) | Word::Own(_) => {
            unless(strategy.is_some() || strategies == 1, "it is for one strategy: say which")
        }
        Word::Alert(_) | Word::Unknown(_) => Ok(()),
    }
}

/// Can there be such a parent order?
fn check_parent(order: &ParentOrder) -> Result<(), OutOfRange> {
    let unless = OutOfRange::unless;
    unless(order.parent.0 != 0, "parent", "a number that is not 0")?;
    if matches!(order.what, ParentStep::New | ParentStep::Amend) {
        unless((1..=1 << 40).contains(&order.qty.0), "parent.qty", "1 to 2^40")?;
        unless(order.limit.is_none_or(|limit| limit.0 > 0), "parent.limit", "positive, or none")?;
        unless(order.start <= order.end, "parent.end", "at or after parent.start")?;
    }
    Ok(())
}
