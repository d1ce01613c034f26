//! Every message of OUCH 5.0 in words, both directions. Names and codes: Nasdaq "OUCH 5.0".

use super::words::{Said, Value};
use firelane_gateway::flow::wire::ouch50::{
    self, AiqStrategy, Appendage, AppendageOption, BrokenReason, CancelReason, Capacity, CorrectionReason, CrossType,
    Display, EventCode, Inbound, InterMarketSweep, LiquidityFlag, Malformed, OrderState, Outbound, RestatedReason,
    Side, TimeInForce, WireMatchNumber, WirePrice, WireQty, WireRejectReason, WireTimestamp, WireUserRefNum,
    WireVenueRef,
};

/// The names of all messages.
pub(super) const NAMES: [&str; 26] = [
    "Enter Order",
    "Replace Order",
    "Cancel Order",
    "Modify Order",
    "Mass Cancel",
    "Disable Order Entry",
    "Enable Order Entry",
    "Account Query",
    "System Event",
    "Order Accepted",
    "Order Replaced",
    "Order Canceled",
    "AIQ Canceled",
    "Order Executed",
    "Broken Trade",
    "Rejected",
    "Cancel Pending",
    "Cancel Reject",
    "Order Priority Update",
    "Order Modified",
    "Order Restated",
    "Mass Cancel Response",
    "Disable Response",
    "Enable Response",
    "Account Query Response",
    "Trade Correction",
];

/// A field of a fixed part.
trait Field {
    fn value(self) -> Value;
}

macro_rules! codes {
    ($($code:ident)*) => {$(
        impl Field for $code {
            fn value(self) -> Value {
                Value::code(self.0, self.name())
            }
        }
    )*};
}

codes! {
    AiqStrategy BrokenReason CancelReason Capacity CorrectionReason CrossType Display EventCode InterMarketSweep
    LiquidityFlag OrderState RestatedReason Side TimeInForce
}

impl Field for WireUserRefNum {
    fn value(self) -> Value {
        Value::Own(self.get().0.into())
    }
}

impl Field for WireVenueRef {
    fn value(self) -> Value {
        Value::Order(self.get().0)
    }
}

impl Field for WireMatchNumber {
    fn value(self) -> Value {
        Value::Number(self.get().0)
    }
}

impl Field for WireTimestamp {
    fn value(self) -> Value {
        Value::Time(self.get().0)
    }
}

impl Field for WireQty {
    fn value(self) -> Value {
        Value::Number(self.shares().into())
    }
}

impl Field for WirePrice {
    fn value(self) -> Value {
        Value::price(self.bits())
    }
}

impl Field for WireRejectReason {
    fn value(self) -> Value {
        let reason = self.get();
        Value::Code(format!("{:#04x}", reason.0), reason.name())
    }
}

impl Field for [u8; 8] {
    fn value(self) -> Value {
        Value::symbol(self)
    }
}

impl Field for [u8; 4] {
    fn value(self) -> Value {
        Value::text(&self)
    }
}

impl Field for [u8; 14] {
    fn value(self) -> Value {
        Value::text(&self)
    }
}

/// Takes a fixed part to pieces: no field can be forgotten.
macro_rules! said {
    ($name:literal, $message:ident { $($field:ident)* } = $value:expr) => {{
        let ouch50::$message { message_type: _, $($field),* } = *$value;
        Said::new($name, vec![$((stringify!($field), Field::value($field))),*])
    }};
}

/// A message from the firm.
pub(super) fn inbound(message: &Inbound<'_>) -> Said {
    let mut said = match *message {
        Inbound::EnterOrder(m, _) => said!("Enter Order", EnterOrder {
            symbol user_ref_num side quantity price time_in_force display capacity inter_market_sweep cross_type
            cl_ord_id
        } = m),
        Inbound::ReplaceOrder(m, _) => said!("Replace Order", ReplaceOrder {
            orig_user_ref_num user_ref_num quantity price time_in_force display inter_market_sweep cl_ord_id
        } = m),
        Inbound::CancelOrder(m, _) => said!("Cancel Order", CancelOrder { user_ref_num quantity } = m),
        Inbound::ModifyOrder(m, _) => said!("Modify Order", ModifyOrder { user_ref_num side quantity } = m),
        Inbound::MassCancel(m, _) => said!("Mass Cancel", MassCancel { symbol user_ref_num firm } = m),
        Inbound::DisableOrderEntry(m, _) => {
            said!("Disable Order Entry", DisableOrderEntry { user_ref_num firm } = m)
        }
        Inbound::EnableOrderEntry(m, _) => said!("Enable Order Entry", EnableOrderEntry { user_ref_num firm } = m),
        Inbound::AccountQuery(m, _) => said!("Account Query", AccountQuery {} = m),
    };
    append(&mut said, message.appendage());
    said
}

/// A message from the venue.
pub(super) fn outbound(message: &Outbound<'_>) -> Said {
    let (mut said, appendage) = match *message {
        Outbound::OrderAccepted(m, a) => (
            said!("Order Accepted", OrderAccepted {
                symbol user_ref_num side quantity price order_reference order_state timestamp time_in_force display
                capacity inter_market_sweep cross_type cl_ord_id
            } = m),
            a,
        ),
        Outbound::OrderReplaced(m, a) => (
            said!("Order Replaced", OrderReplaced {
                symbol orig_user_ref_num user_ref_num side quantity price order_reference order_state timestamp
                time_in_force display capacity inter_market_sweep cross_type cl_ord_id
            } = m),
            a,
        ),
        Outbound::OrderCanceled(m, a) => {
            (said!("Order Canceled", OrderCanceled { user_ref_num quantity reason timestamp } = m), a)
        }
        Outbound::AiqCanceled(m, strategy, a) => {
            let mut said = said!("AIQ Canceled", AiqCanceled {
                user_ref_num decrement reason prevented price liquidity timestamp
            } = m);
            said.fields.0.extend(strategy.map(|strategy| ("strategy", strategy.value())));
            (said, a)
        }
        Outbound::OrderExecuted(m, a) => (
            said!("Order Executed", OrderExecuted {
                user_ref_num quantity price liquidity match_number timestamp
            } = m),
            a,
        ),
        Outbound::BrokenTrade(m, a) => {
            (said!("Broken Trade", BrokenTrade { user_ref_num match_number reason timestamp cl_ord_id } = m), a)
        }
        Outbound::Rejected(m, a) => (said!("Rejected", Rejected { user_ref_num reason timestamp cl_ord_id } = m), a),
        Outbound::SystemEvent(m) => (said!("System Event", SystemEvent { event timestamp } = m), Appendage::NONE),
        _ => seldom(message),
    };
    append(&mut said, appendage);
    said
}

/// Messages that few days see.
fn seldom<'a>(message: &Outbound<'a>) -> (Said, Appendage<'a>) {
    match *message {
        Outbound::CancelPending(m, a) => (said!("Cancel Pending", CancelPending { user_ref_num timestamp } = m), a),
        Outbound::CancelReject(m, a) => (said!("Cancel Reject", CancelReject { user_ref_num timestamp } = m), a),
        Outbound::OrderPriorityUpdate(m, a) => (
            said!("Order Priority Update", OrderPriorityUpdate {
                user_ref_num price display order_reference timestamp
            } = m),
            a,
        ),
        Outbound::OrderModified(m, a) => {
            (said!("Order Modified", OrderModified { user_ref_num side quantity timestamp } = m), a)
        }
        Outbound::OrderRestated(m, a) => {
            (said!("Order Restated", OrderRestated { user_ref_num reason timestamp } = m), a)
        }
        Outbound::MassCancelResponse(m, a) => {
            (said!("Mass Cancel Response", MassCancelResponse { symbol user_ref_num firm timestamp } = m), a)
        }
        Outbound::DisableResponse(m, a) => {
            (said!("Disable Response", DisableResponse { user_ref_num firm timestamp } = m), a)
        }
        Outbound::EnableResponse(m, a) => {
            (said!("Enable Response", EnableResponse { user_ref_num firm timestamp } = m), a)
        }
        Outbound::AccountQueryResponse(m, a) => {
            (said!("Account Query Response", AccountQueryResponse { next_user_ref_num timestamp } = m), a)
        }
        Outbound::TradeCorrection(m) => (
            said!("Trade Correction", TradeCorrection {
                user_ref_num quantity price liquidity match_number reason timestamp cl_ord_id
            } = m),
            Appendage::NONE,
        ),
        // Every other one has been taken above; a test holds every type to it.
        _ => (Said::new("Unknown", Vec::new()), Appendage::NONE),
    }
}

fn append(said: &mut Said, appendage: Appendage<'_>) {
    for (tag, value) in appendage {
        said.fields.0.push(match AppendageOption::parse(tag, value) {
            Ok(Some(option)) => self::option(option),
            Ok(None) => ("unknown_option", raw(tag, value)),
            Err(_) => ("malformed_option", raw(tag, value)),
        });
    }
}

fn raw(tag: u8, value: &[u8]) -> Value {
    let hex: String = value.iter().map(|byte| format!("{byte:02x}")).collect();
    Value::Text(format!("tag {tag} 0x{hex}"))
}

/// An option by the name of its tag.
fn option(option: AppendageOption) -> (&'static str, Value) {
    let letter = |code: u8, listed: &[(u8, &'static str)]| Value::letter(code, listed);
    let flag: &[(u8, &str)] = &[(b'Y', "yes"), (b'N', "no")];
    let kinds: &[(u8, &str)] = &[
        (b'L', "limit"),
        (b'P', "market peg"),
        (b'M', "midpoint peg"),
        (b'R', "primary peg"),
        (b'Q', "market maker peg"),
        (b'm', "midpoint"),
    ];
    match option {
        AppendageOption::SecondaryOrdRefNum(venue) => ("secondary_ord_ref_num", Value::Order(venue.0)),
        AppendageOption::Firm(firm) => ("firm", Value::text(&firm)),
        AppendageOption::MinQty(n) => ("min_qty", Value::Number(n.into())),
        AppendageOption::CustomerType(code) => {
            ("customer_type", letter(code, &[(b'R', "retail"), (b'N', "not retail")]))
        }
        AppendageOption::MaxFloor(n) => ("max_floor", Value::Number(n.into())),
        AppendageOption::PriceType(code) => ("price_type", letter(code, kinds)),
        AppendageOption::PegOffset(units) => ("peg_offset", Value::Dollars(units.into())),
        AppendageOption::DiscretionPrice(units) => ("discretion_price", Value::price(units)),
        AppendageOption::DiscretionPriceType(code) => ("discretion_price_type", letter(code, kinds)),
        AppendageOption::DiscretionPegOffset(units) => ("discretion_peg_offset", Value::Dollars(units.into())),
        AppendageOption::PostOnly(code) => ("post_only", letter(code, &[(b'P', "post-only"), (b'N', "no")])),
        AppendageOption::RandomReserves(n) => ("random_reserves", Value::Number(n.into())),
        AppendageOption::Route(route) => ("route", Value::text(&route)),
        AppendageOption::ExpireTime(seconds) => ("expire_time", Value::Time(u64::from(seconds) * 1_000_000_000)),
        AppendageOption::TradeNow(code) => ("trade_now", letter(code, flag)),
        AppendageOption::HandleInst(code) => ("handle_inst", letter(code, &[(b' ', "none")])),
        AppendageOption::BboWeight(code) => {
            ("bbo_weight", letter(code, &[(b'S', "sets the best"), (b'N', "improves the best"), (b' ', "not said")]))
        }
        AppendageOption::DisplayQuantity(n) => ("display_quantity", Value::Number(n.into())),
        AppendageOption::DisplayPrice(units) => ("display_price", Value::price(units)),
        AppendageOption::GroupId(n) => ("group_id", Value::Number(n.into())),
        AppendageOption::SharesLocated(code) => ("shares_located", letter(code, flag)),
        AppendageOption::LocateBroker(broker) => ("locate_broker", Value::text(&broker)),
        AppendageOption::Side(side) => ("side_option", side.value()),
        AppendageOption::UserRefIdx(n) => ("user_ref_idx", Value::Number(n.into())),
        AppendageOption::AiqStrategy(strategy) => ("aiq_strategy", strategy.value()),
        AppendageOption::AiqGroupId(group) => ("aiq_group_id", Value::text(&group)),
    }
}

/// Why bytes are no message.
pub(super) fn trouble(error: Malformed) -> String {
    let letter = |byte: u8| byte.escape_ascii().to_string();
    match error {
        Malformed::Empty => "an empty message, without even a type".to_owned(),
        Malformed::UnknownType(kind) => format!("no OUCH message of this direction has type {:?}", letter(kind)),
        Malformed::BadLength { message_type, length } => {
            format!("no OUCH message of type {:?} has {length} bytes", letter(message_type))
        }
        Malformed::BadAppendage { message_type, length } => {
            format!("the options of an OUCH message of type {:?} ({length} bytes) do not fit it", letter(message_type))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every byte of every fixed part, both directions, is in a field that is named.
    #[test]
    fn every_byte_of_every_message_is_said() {
        let mut names = BTreeSet::new();
        let mut both = |decode: &dyn Fn(&[u8]) -> Option<Said>| {
            for letter in b'A'..=b'Z' {
                // Fixed part alone, or with an appendage length of zero: the shortest that is a message.
                let Some(length) = (1..=80).find(|n| decode(&message(letter, *n, None)).is_some()) else { continue };
                let before = decode(&message(letter, length, None)).unwrap();
                assert!(names.insert(before.name) && NAMES.contains(&before.name), "{before:?}");
                for at in 1..length {
                    let Some(after) = decode(&message(letter, length, Some(at))) else { continue };
                    assert_ne!(before, after, "byte {at} of {}", before.name);
                }
            }
        };
        both(&|bytes| Inbound::decode(bytes).ok().map(|m| inbound(&m)));
        both(&|bytes| Outbound::decode(bytes).ok().map(|m| outbound(&m)));
        assert_eq!(names.len(), NAMES.len());
    }

    /// All zero, so that whatever follows the fixed part is an appendage of no options; one byte changed.
    fn message(letter: u8, length: usize, changed: Option<usize>) -> Vec<u8> {
        let mut bytes = vec![0; length];
        bytes[0] = letter;
        if let Some(at) = changed {
            bytes[at] = 0x41;
        }
        bytes
    }

    #[test]
    fn options_have_the_names_of_their_tags() {
        for tag in AppendageOption::TAGS {
            let parsed = [1, 2, 4, 8].iter().find_map(|n| AppendageOption::parse(*tag, &vec![0; *n]).ok().flatten());
            let (name, _) = option(parsed.unwrap());
            assert!(name.contains('_') || ["firm", "route"].contains(&name), "tag {tag}: {name}");
        }
    }
}
