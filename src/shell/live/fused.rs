//! Layout fused: a whole lane on one thread.

use super::core_side::CoreSide;
use super::market_side::{Heard, MarketSide};
use super::{Finished, LaneEnd};
use crate::base::Mono;
use crate::flow::wiring::Wiring;
use crate::flow::{CommandBuf, Gateway, Input};
use crate::shell::agent::{Agent, AgentError};
use crate::shell::lane::Lane;
use crate::shell::trace::Traced;

/// The lane, its sockets, its log and tape.
pub(super) struct FusedAgent<W: Wiring> {
    lane: Gateway<W>,
    market: MarketSide,
    core: CoreSide,
    /// When the lane wants to be called again, as of the last input.
    deadline: Mono,
    /// Why there is no market to take any more.
    failed: Option<AgentError>,
}

impl<W: Wiring> FusedAgent<W>
where
    W::Probe: Traced,
{
    pub(super) fn new(lane: Gateway<W>, market: MarketSide, core: CoreSide) -> Self {
        FusedAgent { lane, market, core, deadline: Mono(0), failed: None }
    }

    fn on_timers(&mut self, now: Mono) -> usize {
        let FusedAgent { lane, market, core, .. } = self;
        let mut work = 0;
        // One that is due again at once has its turn in the next duty cycle.
        while work < TIMERS && core.takes_market() {
            let Some(machine) = lane.due(now) else { return work };
            core.input(lane, &mut market.back, now, Input::Timer(machine));
            work += 1;
        }
        if !core.takes_market() {
            work += core.core_timers(lane, &mut market.back, now, TIMERS - work);
        }
        work
    }

    fn ask_for_snapshot(&mut self, wish: &CommandBuf) -> usize {
        let now = self.core.clock.now();
        self.core.input(&mut self.lane, &mut self.market.back, now, Input::Command(wish.bytes()));
        1
    }
}

/// Timers of one duty cycle.
const TIMERS: usize = 8;

impl<W: Wiring + 'static> LaneEnd for FusedAgent<W>
where
    Gateway<W>: Lane,
    W::Probe: Traced,
{
    fn finish(self: Box<Self>) -> Finished {
        let FusedAgent { lane, core, failed, .. } = *self;
        Finished { lane: Box::new(lane), written: core.into_journal(), failed }
    }
}

impl<W: Wiring> Agent for FusedAgent<W>
where
    Gateway<W>: Send,
    W::Probe: Traced,
{
    fn name(&self) -> &'static str {
        super::LANE
    }

    /// A table of contents: whose sum is the work done.
    fn do_work(&mut self) -> Result<usize, AgentError> {
        let FusedAgent { lane, market, core, failed, .. } = self;
        let mut work = core.tell_time(lane, &mut market.back);
        if core.takes_market() {
            let heard = market.poll(|now, heard, back| match heard {
                Heard::Input(input) => {
                    core.input(lane, back, now, input);
                    Ok(core.takes_market())
                }
                Heard::Link(link) => {
                    core.link(link, now);
                    Ok(true)
                }
            });
            match heard {
                Ok(heard) => work += heard,
                Err(error) => {
                    *failed = Some(error);
                    core.end();
                }
            }
        } else {
            work += core.tend(lane, &mut market.back)?;
        }
        // What was due before what the venue says: a fill after a stall must not find a market that has long been silent.
        let now = core.clock.now();
        market.pace.tick(now);
        core.pace.tick(now);
        if now >= self.deadline {
            work += self.on_timers(now);
        }
        let FusedAgent { lane, market, core, .. } = self;
        core.nothing_yet = work == 0;
        work += core.serve(lane, &mut market.back);
        if core.takes_market()
            && let Some(wish) = core.take_wish()
        {
            work += self.ask_for_snapshot(&wish);
        }
        let now = self.core.clock.now();
        if work > 0 || now >= self.deadline {
            work += self.on_timers(now);
            self.deadline = self.lane.next_deadline();
        }
        self.core.report(&self.lane, &self.market, now);
        Ok(work)
    }
}
