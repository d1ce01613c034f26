//! A strategy of one's own, with its parameters, as something that can be plugged in: one file.

use firelane_gateway::base::{InstrumentId, Mono, Nanos, Qty, Side};
use firelane_gateway::flow::action::{Action, Enter, TimeInForce};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use firelane_gateway::flow::wiring::Parts;
use firelane_gateway::shell::config::Config;
use firelane_gateway::shell::config::check::within;
use firelane_gateway::shell::plug::{BuildError, House, Nasdaq, Plug};
use firelane_gateway::shell::plugs::sizes;

firelane_gateway::params! {
    /// of the wiring "swing"
    pub struct SwingParams in "swing" {
        /// shares bought and sold at a time: 1 to 999999
        size: i64 = 100,
        /// how long they are held, and how long it waits then: 1 to 60000
        hold_ms: u64 = 50,
    }
    check = |params| {
        within("swing.size", params.size, 1..=999_999, "1 to 999999")?;
        within("swing.hold_ms", params.hold_ms, 1..=60_000, "1 to 60000")?;
        Ok(())
    };
}

/// Buys at the best offer, sells at the best bid a while later, and begins again: it loses the spread each time.
#[derive(Debug)]
pub struct Swing {
    size: Qty,
    hold: Nanos,
    /// By instrument: nothing before this time.
    until: Box<[Mono]>,
}

impl Swing {
    /// For instruments 0 to `instruments` - 1.
    pub fn new(params: &SwingParams, instruments: usize) -> Self {
        let until = vec![Mono(0); instruments].into_boxed_slice();
        Swing { size: Qty(params.size), hold: Nanos::from_millis(params.hold_ms), until }
    }
}

// What is saved, restored and compared; what follows from the configuration is not.
firelane_gateway::state! { Swing { until } without { size, hold } }

impl Strategy<()> for Swing {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, ()>, ask: &mut Actions) {
        let Some(until) = self.until.get_mut(id.0 as usize) else { return };
        if view.now() < *until || view.may_trade(id).is_err() {
            return;
        }
        let held = view.position(id);
        let (side, qty) = if held.is_positive() { (Side::Sell, held.min(self.size)) } else { (Side::Buy, self.size) };
        let Some(best) = view.book(id).top_without_own(side.opposite()) else { return };
        let tif = TimeInForce::ImmediateOrCancel;
        let enter = Enter { instrument: id, side, price: best.price, qty, tif, post_only: false, tags: view.tags() };
        if ask.push(Action::Enter(enter)) {
            *until = view.now().after(self.hold);
        }
    }

    fn instruments(&self) -> Option<usize> {
        Some(self.until.len())
    }
}

/// What a program names to have it.
#[derive(Debug)]
pub struct SwingPlug;

impl Plug for SwingPlug {
    const NAME: &'static str = "swing";
    const ABOUT: &'static str = "buys at the offer, sells at the bid a while later, and shows how it is done";
    type Params = SwingParams;
    type Wiring = Nasdaq<(), Swing>;

    fn parts(params: SwingParams, house: House<'_>) -> Result<Parts<Self::Wiring>, BuildError> {
        let swing = Swing::new(&params, house.instruments());
        house.with((), swing)
    }

    fn warnings(params: &SwingParams, config: &Config) -> Vec<String> {
        sizes::warnings("swing", params.size, params.size, config)
    }
}
