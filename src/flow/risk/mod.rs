//! What may leave: the pre-trade gate, and the ledger of what the lane owns and owes.
//!
//! ```text
//!  strategy ── Action ──> Gate ── Approved<..> ──> order table ──> order entry ──> venue
//!                          │ reads                     │
//!                        Ledger <────── Change ────────┘ (sent, filled, cancelled, ...)
//! ```
//!
//! The gate is asked with [`Facts`]: plain values, so that it knows neither book nor order table, and the same facts
//! give the same answer. It answers with an [`Approved`] or with a [`Refusal`], which is counted. An approval reserves
//! nothing by itself: the order table turns it into a [`Change`](super::action::Change) in the same step, and from
//! then on the order's whole exposure counts.
//!
//! # Which rule each control serves
//!
//! | Control | SEC Rule 15c3-5 | RTS 6 (EU 2017/589) |
//! |-|-|-|
//! | kill switch: of the lane, a venue, an instrument, a strategy | (c)(1)(i) | Art. 12 |
//! | order quantity | (c)(1)(ii) | Art. 15(1)(c) |
//! | order notional | (c)(1)(ii) | Art. 15(1)(b) |
//! | price collar, tick and lot | (c)(1)(ii) | Art. 15(1)(a) |
//! | duplicate orders | (c)(1)(ii) | - |
//! | order rate | (c)(1)(ii) | Art. 15(1)(d) |
//! | position, open exposure per symbol, per currency and in total | (c)(1)(i) | Art. 15(2), 15(4) |
//! | tradable, fresh book, limit-up-limit-down collar | (c)(2)(i) | - |
//! | short sales: mark, locate, price test (Regulation SHO Rules 200(g), 203(b), 201) | (c)(2)(i) | - |
//! | self-trade | - | - (the venue's rules against wash trades) |
//!
//! Absent, and to come as further variants of [`Refusal`]: credit per client and account, restricted lists and
//! permissions per trader (15c3-5 (c)(2)(ii) and (iii), RTS 6 Art. 15(5)), the throttle on repeated automated
//! execution (Art. 15(3)), overrides with an audit trail (Art. 15(6)), loss limits, the
//! short-exempt mark, and limits shared by several lanes.

mod changes;
mod gate;
mod ledger;
mod left;
mod limits;
mod memory;
mod money;
mod owners;
mod stops;

pub use changes::{LaneLimitChange, LimitChange};
pub use gate::{Approvals, Approved, Facts, Gate, MarkedEnter, OrderFacts, Refusal};
pub use ledger::{Account, Ledger, Open};
pub use left::Left;
pub use limits::{Distance, EmptyBook, InstrumentLimits, OneSided, PriceCollar, RiskLimits, ShortSale, ZeroCross};
pub use money::{CurrencyLimits, MoneyIn};
pub use owners::Whose;
pub use stops::KillScope;
