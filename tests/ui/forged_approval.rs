//! An approval can't be made outside the gate.

use firelane_gateway::base::{ClientId, Qty};
use firelane_gateway::flow::action::Cancel;
use firelane_gateway::flow::risk::Approved;

fn main() {
    let cancel = Cancel { order: ClientId(1), keep: Qty::ZERO };
    let _ = Approved(cancel);
}
