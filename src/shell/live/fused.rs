//! Layout fused: a whole lane on one thread.

use super::core_side::CoreSide;
use super::market_side::{Heard, MarketSide};
use crate::base::{Mono, SessionId};
use crate::flow::{Command, Input};
use crate::shell::agent::{Agent, AgentError};
use crate::shell::journal::Journal;
use crate::shell::lane::Lane;

/// The lane, its sockets, its log and tape.
pub struct FusedAgent {
    lane: Box<dyn Lane>,
    market: MarketSide,
    core: CoreSide,
    /// When the lane wants to be called again, as of the last input.
    deadline: Mono,
}

impl core::fmt::Debug for FusedAgent {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("FusedAgent").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl FusedAgent {
    pub(super) fn new(lane: Box<dyn Lane>, market: MarketSide, core: CoreSide) -> Self {
        FusedAgent { lane, market, core, deadline: Mono(0) }
    }

    pub(super) fn into_parts(self) -> (Box<dyn Lane>, Journal) {
        (self.lane, self.core.into_journal())
    }

    fn on_timers(&mut self, now: Mono) -> Result<usize, AgentError> {
        let mut work = 0;
        while let Some(machine) = self.lane.due(now) {
            // One that is due again at once has its turn in the next duty cycle.
            if work == TIMERS || !self.core.may_take_input()? {
                break;
            }
            self.core.input(&mut self.lane, &mut self.market.back, now, Input::Timer(machine))?;
            work += 1;
        }
        Ok(work)
    }

    fn ask_for_snapshot(&mut self) -> Result<usize, AgentError> {
        let now = self.core.clock.now();
        self.core.input(&mut self.lane, &mut self.market.back, now, Input::Command(Command::Snapshot))?;
        Ok(1)
    }
}

/// Timers of one duty cycle.
const TIMERS: usize = 8;

impl Agent for FusedAgent {
    fn name(&self) -> &'static str {
        super::LANE
    }

    /// A table of contents: whose sum is the work done.
    fn do_work(&mut self) -> Result<usize, AgentError> {
        let FusedAgent { lane, market, core, .. } = self;
        let mut work = 0;
        if core.may_take_input()? {
            work += market.poll(|now, heard, back| match heard {
                Heard::Input(input) => {
                    core.input(lane, back, now, input)?;
                    Ok(core.may_take_input()?)
                }
                Heard::Link(why) => {
                    core.link(SessionId::SNAPSHOT, why, now)?;
                    Ok(true)
                }
            })?;
            work += core.serve(lane, &mut market.back)?;
            if core.take_wish() {
                work += self.ask_for_snapshot()?;
            }
        } else {
            core.keep_sending();
        }
        let now = self.core.clock.now();
        if work > 0 || now >= self.deadline {
            work += self.on_timers(now)?;
            self.deadline = self.lane.next_deadline();
        }
        self.core.report(&self.lane, &self.market, now)?;
        Ok(work)
    }
}
