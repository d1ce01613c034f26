//! The twin of `forged_approval.rs` that asks the gate.

use firelane_gateway::base::{ClientId, InstrumentId, Mono, Price, Qty, Side, StrategyId};
use firelane_gateway::flow::action::{Cancel, Exposure, SellMark};
use firelane_gateway::flow::risk::{Approved, Gate, OrderFacts, RiskLimits};

fn encode(approved: Approved<Cancel>) -> Cancel {
    approved.into_inner()
}

fn main() {
    let mut gate = Gate::new(&RiskLimits::widest(), 1).unwrap();
    let order = OrderFacts {
        instrument: InstrumentId(0),
        strategy: StrategyId(0),
        side: Side::Buy,
        mark: SellMark::Long,
        price: Price(100),
        executed: Qty::ZERO,
        decremented: Qty::ZERO,
        open: Qty(1),
        exposure: Exposure { qty: Qty(1), price: Price(100), short: false },
        pending: false,
        cancel: None,
    };
    let cancel = Cancel { order: ClientId(1), keep: Qty::ZERO };
    let approved = gate.cancel(cancel, &order, Mono(0)).unwrap();
    assert_eq!(encode(approved), cancel);
}
