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

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::base::Price;
    use firelane_gateway::flow::event::{EventKind, Status, TradingAction};
    use firelane_gateway::shell::made::{MadeLane, equity};

    /// $10.00 bid, $10.02 asked, and what it asks for at the next event.
    fn asks(swing: &mut Swing, lane: &mut MadeLane<()>) -> Option<(Side, Price, Qty)> {
        let id = InstrumentId(0);
        let event = lane.event(id, EventKind::Info);
        let asked = lane.ask(|view, ask| swing.on_event(id, &event, view, ask));
        let entered = |action: &Action| match action {
            Action::Enter(enter) => (enter.side, enter.price, enter.qty),
            other => panic!("{other:?}"),
        };
        assert!(asked.len() < 2, "{asked:?}");
        asked.first().map(entered)
    }

    #[test]
    fn it_buys_at_the_offer_and_sells_at_the_bid_once_it_has_held() {
        let (mut lane, id) = MadeLane::of(equity("FIRE"), ());
        let mut swing = Swing::new(&SwingParams::default(), 1);
        assert_eq!(asks(&mut swing, &mut lane), None, "of nobody");
        lane.shows(id, Side::Buy, Price(100_000), Qty(300));
        lane.shows(id, Side::Sell, Price(100_200), Qty(300));
        assert_eq!(asks(&mut swing, &mut lane), Some((Side::Buy, Price(100_200), Qty(100))));
        lane.holds(id, Qty(60));
        lane.at(Mono(1_049_999_999));
        assert_eq!(asks(&mut swing, &mut lane), None, "held for less than 50 ms");
        lane.at(Mono(1_050_000_000));
        assert_eq!(asks(&mut swing, &mut lane), Some((Side::Sell, Price(100_000), Qty(60))));
    }

    #[test]
    fn it_waits_while_the_book_is_stale_or_the_instrument_halted() {
        let (mut lane, id) = MadeLane::of(equity("FIRE"), ());
        let mut swing = Swing::new(&SwingParams::default(), 1);
        lane.shows(id, Side::Sell, Price(100_200), Qty(300));
        lane.goes_stale();
        assert_eq!(asks(&mut swing, &mut lane), None);
        lane.heals();
        lane.status(Some(id), Status::Trading(TradingAction::Halted));
        assert_eq!(asks(&mut swing, &mut lane), None);
        lane.status(Some(id), Status::Trading(TradingAction::Trading));
        assert!(asks(&mut swing, &mut lane).is_some());
    }
}
