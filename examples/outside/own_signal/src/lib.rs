//! A signal of one's own: state for each instrument, a deadline, words on the tape, and the plug that has it.

use firelane_gateway::base::{InstrumentId, Mono, Nanos, Qty};
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::signal::{Said, Signal};
use firelane_gateway::flow::venue::Markets;
use firelane_gateway::flow::wiring::Parts;
use firelane_gateway::shell::config::check::within;
use firelane_gateway::shell::plug::{BuildError, House, Nasdaq, Plug};

firelane_gateway::params! {
    /// of the wiring "burst"
    pub struct BurstParams in "burst" {
        /// shares traded within a window that are a burst: 1 to 999999
        shares: i64 = 1_000,
        /// how long a window is: 1 to 60000
        window_ms: u64 = 100,
    }
    check = |params| {
        within("burst.shares", params.shares, 1..=999_999, "1 to 999999")?;
        within("burst.window_ms", params.window_ms, 1..=60_000, "1 to 60000")?;
        Ok(())
    };
}

/// Shares traded since the window began, by instrument. All windows begin together, and are as long.
#[derive(Debug)]
pub struct Burst {
    threshold: Qty,
    window: Nanos,
    /// When the next window begins; the end of time while nothing has traded in this one.
    ends: Mono,
    traded: Box<[Qty]>,
}

impl Burst {
    /// What its tape records say: shares traded, and the threshold.
    pub const CODE: u32 = 1;

    /// For instruments 0 to `instruments` - 1.
    pub fn new(params: &BurstParams, instruments: usize) -> Self {
        let (threshold, window) = (Qty(params.shares), Nanos::from_millis(params.window_ms));
        Burst { threshold, window, ends: Mono::NEVER, traded: vec![Qty::ZERO; instruments].into_boxed_slice() }
    }
}

firelane_gateway::state! { Burst { ends, traded } without { threshold, window } }

impl Signal for Burst {
    /// Shares traded in this window.
    type Value = Qty;

    fn on_event(&mut self, now: Mono, id: InstrumentId, event: &Event, _: BookRef<'_>, say: &mut Said<'_>) {
        let (EventKind::Execute { qty, printable: true, .. } | EventKind::Trade { qty, .. }) = event.kind else {
            return;
        };
        let Some(traded) = self.traded.get_mut(id.0 as usize) else { return };
        let before = *traded;
        *traded = before.plus(qty);
        if before < self.threshold && *traded >= self.threshold {
            say.say(Some(id), Self::CODE, traded.0, self.threshold.0);
        }
        self.ends = self.ends.min(now.after(self.window));
    }

    fn next_deadline(&self) -> Mono {
        self.ends
    }

    fn on_timer(&mut self, _: Mono, _: Markets<'_>, _: &mut Said<'_>) {
        self.traded.fill(Qty::ZERO);
        self.ends = Mono::NEVER;
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.traded.len())
    }

    fn value(&self, id: InstrumentId, _: BookRef<'_>) -> Qty {
        self.traded.get(id.0 as usize).copied().unwrap_or_default()
    }
}

/// A lane that listens, and tells of bursts on its tape. A strategy that reads them would stand in the place of `()`.
#[derive(Debug)]
pub struct BurstPlug;

impl Plug for BurstPlug {
    const NAME: &'static str = "burst";
    const ABOUT: &'static str = "sends nothing, and tells of bursts of trading on its tape";
    type Params = BurstParams;
    type Wiring = Nasdaq<Burst, ()>;

    fn parts(params: BurstParams, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let burst = Burst::new(&params, house.instruments());
        house.with(burst, ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::Price;
    use firelane_gateway::shell::made::{MadeLane, equity};

    fn trade(qty: i64) -> EventKind {
        EventKind::Trade { qty: Qty(qty), price: Price(100_000), trade: 7 }
    }

    #[test]
    fn a_burst_is_told_of_once_a_window() {
        let (mut lane, id) = MadeLane::of(equity("FIRE"), Burst::new(&BurstParams::default(), 1));
        lane.event(id, trade(999));
        assert_eq!((lane.value(id), lane.said().len()), (Qty(999), 0));
        lane.event(id, trade(1));
        lane.event(id, trade(500));
        let said = lane.said();
        assert_eq!((said.len(), said[0].code.get(), said[0].first.get()), (1, Burst::CODE, 1_000));
        // 100 ms after the first trade the window is over, whatever came later.
        assert_eq!(lane.signal().next_deadline(), Mono(1_100_000_000));
        lane.at(Mono(1_100_000_000));
        lane.timer();
        assert_eq!((lane.value(id), lane.signal().next_deadline()), (Qty(0), Mono::NEVER));
        lane.event(id, trade(1_000));
        assert_eq!(lane.said().len(), 1);
    }
}
