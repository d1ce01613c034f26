//! Every message of TotalView-ITCH 5.0 in words. Names and codes: "Nasdaq TotalView-ITCH 5.0", section 4.

use super::words::{Said, Value};
use firelane_gateway::flow::wire::itch50::{self, Header, Malformed, Message, U32, U64};

/// The names of all messages.
pub(super) const NAMES: [&str; 23] = [
    "System Event",
    "Stock Directory",
    "Stock Trading Action",
    "Reg SHO Restriction",
    "Market Participant Position",
    "MWCB Decline Level",
    "MWCB Status",
    "Quoting Period Update",
    "LULD Auction Collar",
    "Operational Halt",
    "Add Order",
    "Add Order with MPID",
    "Order Executed",
    "Order Executed With Price",
    "Order Cancel",
    "Order Delete",
    "Order Replace",
    "Trade",
    "Cross Trade",
    "Broken Trade",
    "NOII",
    "Retail Price Improvement",
    "DLCR Price Discovery",
];

type Codes = &'static [(u8, &'static str)];

const SIDE: Codes = &[(b'B', "buy"), (b'S', "sell")];
const YES_NO: Codes = &[(b'Y', "yes"), (b'N', "no"), (b' ', "not said")];
const CROSS: Codes = &[(b'O', "opening"), (b'C', "closing"), (b'H', "halt or IPO"), (b'A', "extended trading close")];
const EVENTS: Codes = &[
    (b'O', "start of messages"),
    (b'S', "start of system hours"),
    (b'Q', "start of market hours"),
    (b'M', "end of market hours"),
    (b'E', "end of system hours"),
    (b'C', "end of messages"),
];
const TRADING: Codes = &[(b'H', "halted"), (b'P', "paused"), (b'Q', "quotation only"), (b'T', "trading")];
const REG_SHO: Codes =
    &[(b'0', "no price test"), (b'1', "in force after an intraday drop"), (b'2', "in force from the day before")];
const BREACHES: Codes = &[(b'1', "7 %"), (b'2', "13 %"), (b'3', "20 %: trading ends for the day")];
const RELEASES: Codes = &[(b'A', "anticipated"), (b'C', "cancelled or postponed")];
const HALTING_MARKETS: Codes = &[(b'Q', "Nasdaq"), (b'B', "BX"), (b'X', "PSX")];
const HALTS: Codes = &[(b'H', "halted"), (b'T', "resumed")];
const INTEREST: Codes = &[(b'B', "to buy"), (b'S', "to sell"), (b'A', "both sides"), (b'N', "none")];
const MAKER_MODES: Codes =
    &[(b'N', "normal"), (b'P', "passive"), (b'S', "syndicate"), (b'R', "pre-syndicate"), (b'L', "penalty")];
const MAKER_STATES: Codes =
    &[(b'A', "active"), (b'E', "excused"), (b'W', "withdrawn"), (b'S', "suspended"), (b'D', "deleted")];
const MARKETS: Codes = &[
    (b'Q', "Nasdaq Global Select Market"),
    (b'G', "Nasdaq Global Market"),
    (b'S', "Nasdaq Capital Market"),
    (b'N', "NYSE"),
    (b'A', "NYSE American"),
    (b'P', "NYSE Arca"),
    (b'M', "NYSE Texas"),
    (b'Z', "Cboe BZX"),
    (b'V', "IEX"),
    (b' ', "not available"),
];
const FINANCIAL: Codes = &[
    (b'D', "deficient"),
    (b'E', "delinquent"),
    (b'Q', "bankrupt"),
    (b'S', "suspended"),
    (b'G', "deficient and bankrupt"),
    (b'H', "deficient and delinquent"),
    (b'J', "delinquent and bankrupt"),
    (b'K', "deficient, delinquent and bankrupt"),
    (b'C', "creations or redemptions suspended"),
    (b'N', "normal"),
    (b' ', "not available"),
];
const CLASSES: Codes = &[
    (b'A', "American depositary share"),
    (b'B', "bond"),
    (b'C', "common stock"),
    (b'F', "depository receipt"),
    (b'I', "144A"),
    (b'L', "limited partnership"),
    (b'N', "notes"),
    (b'O', "ordinary share"),
    (b'P', "preferred stock"),
    (b'Q', "other securities"),
    (b'R', "right"),
    (b'S', "shares of beneficial interest"),
    (b'T', "convertible debenture"),
    (b'U', "unit"),
    (b'V', "units per benefit interest"),
    (b'W', "warrant"),
];
const AUTHENTICITY: Codes = &[(b'P', "live"), (b'T', "test")];
const IPO: Codes = &[(b'Y', "set up for an IPO"), (b'Z', "new issue, no IPO"), (b'N', "no"), (b' ', "not available")];
const TIERS: Codes = &[(b'1', "tier 1"), (b'2', "tier 2"), (b' ', "not available")];
const DIRECTIONS: Codes = &[
    (b'B', "more to buy"),
    (b'S', "more to sell"),
    (b'N', "none"),
    (b'O', "too few orders to tell"),
    (b'P', "paused"),
];
const VARIATIONS: Codes = &[
    (b'L', "under 1 %"),
    (b'1', "1 to 2 %"),
    (b'2', "2 to 3 %"),
    (b'3', "3 to 4 %"),
    (b'4', "4 to 5 %"),
    (b'5', "5 to 6 %"),
    (b'6', "6 to 7 %"),
    (b'7', "7 to 8 %"),
    (b'8', "8 to 9 %"),
    (b'9', "9 to 10 %"),
    (b'A', "10 to 20 %"),
    (b'B', "20 to 30 %"),
    (b'C', "30 % or more"),
    (b' ', "cannot be calculated"),
];

/// A number of shares, or a factor.
fn count(n: U32) -> Value {
    Value::Number(n.get().into())
}

fn dollars(n: U32) -> Value {
    Value::Dollars(n.get().into())
}

fn points(n: U64) -> Value {
    Value::Points(n.get())
}

fn order(n: U64) -> Value {
    Value::Order(n.get())
}

fn number(n: U64) -> Value {
    Value::Number(n.get())
}

fn time(n: U64) -> Value {
    Value::Time(n.get())
}

/// Seconds since midnight.
fn second(n: U32) -> Value {
    Value::Time(u64::from(n.get()) * 1_000_000_000)
}

fn text<const N: usize>(padded: [u8; N]) -> Value {
    Value::text(&padded)
}

fn letter(letter: u8) -> Value {
    Value::text(&[letter])
}

/// One letter of these.
fn of(listed: Codes) -> impl Fn(u8) -> Value {
    move |letter| Value::letter(letter, listed)
}

/// A message by its name, and how each field is said, in the order in which people want them. It is taken to pieces: no field
/// can be forgotten.
macro_rules! said {
    ($name:literal, $message:ident { $($field:ident: $how:expr),* $(,)? } = $value:expr) => {{
        let itch50::$message { header: _, $($field),* } = *$value;
        Said::new($name, vec![$((stringify!($field), $how($field))),*])
    }};
}

/// A message; what every message begins with comes last.
pub(super) fn said(message: &Message<'_>) -> Said {
    let mut said = own(message);
    let Header { message_type, stock_locate, tracking_number, timestamp } = message.header();
    said.fields.0.extend([
        ("timestamp", Value::Time(timestamp.ns())),
        ("stock_locate", Value::Number(stock_locate.get().into())),
        ("tracking_number", Value::Number(tracking_number.get().into())),
        ("message_type", Value::text(&[*message_type])),
    ]);
    said
}

fn own(message: &Message<'_>) -> Said {
    match *message {
        Message::AddOrder(m) => said!(
            "Add Order",
            AddOrder { stock: Value::symbol, order_ref: order, side: of(SIDE), shares: count, price: dollars } = m
        ),
        Message::AddOrderMpid(m) => said!(
            "Add Order with MPID",
            AddOrderMpid {
                stock: Value::symbol,
                order_ref: order,
                side: of(SIDE),
                shares: count,
                price: dollars,
                attribution: text,
            } = m
        ),
        Message::OrderExecuted(m) => {
            said!("Order Executed", OrderExecuted { order_ref: order, shares: count, match_number: number } = m)
        }
        Message::OrderExecutedWithPrice(m) => said!(
            "Order Executed With Price",
            OrderExecutedWithPrice {
                order_ref: order,
                shares: count,
                price: dollars,
                printable: of(YES_NO),
                match_number: number,
            } = m
        ),
        Message::OrderCancel(m) => said!("Order Cancel", OrderCancel { order_ref: order, shares: count } = m),
        Message::OrderDelete(m) => said!("Order Delete", OrderDelete { order_ref: order } = m),
        Message::OrderReplace(m) => said!(
            "Order Replace",
            OrderReplace { original_ref: order, new_ref: order, shares: count, price: dollars } = m
        ),
        Message::Trade(m) => said!(
            "Trade",
            Trade {
                stock: Value::symbol,
                order_ref: order,
                side: of(SIDE),
                shares: count,
                price: dollars,
                match_number: number,
            } = m
        ),
        Message::CrossTrade(m) => said!(
            "Cross Trade",
            CrossTrade {
                stock: Value::symbol,
                shares: number,
                price: dollars,
                cross_type: of(CROSS),
                match_number: number,
            } = m
        ),
        Message::BrokenTrade(m) => said!("Broken Trade", BrokenTrade { match_number: number } = m),
        Message::Noii(m) => said!(
            "NOII",
            Noii {
                stock: Value::symbol,
                paired_shares: number,
                imbalance_shares: number,
                imbalance_direction: of(DIRECTIONS),
                far_price: dollars,
                near_price: dollars,
                reference_price: dollars,
                cross_type: of(CROSS),
                price_variation: of(VARIATIONS),
            } = m
        ),
        _ => about_stocks(message),
    }
}

/// What is not about an order, a trade or an auction.
fn about_stocks(message: &Message<'_>) -> Said {
    match *message {
        Message::SystemEvent(m) => said!("System Event", SystemEvent { event_code: of(EVENTS) } = m),
        Message::StockDirectory(m) => said!(
            "Stock Directory",
            StockDirectory {
                stock: Value::symbol,
                round_lot_size: count,
                market_category: of(MARKETS),
                financial_status: of(FINANCIAL),
                round_lots_only: of(YES_NO),
                issue_classification: of(CLASSES),
                issue_sub_type: text,
                authenticity: of(AUTHENTICITY),
                short_sale_threshold: of(YES_NO),
                ipo_flag: of(IPO),
                luld_tier: of(TIERS),
                etp_flag: of(YES_NO),
                etp_leverage: count,
                inverse: of(YES_NO),
            } = m
        ),
        Message::StockTradingAction(m) => said!(
            "Stock Trading Action",
            StockTradingAction { stock: Value::symbol, trading_state: of(TRADING), reason: text, reserved: letter } = m
        ),
        Message::RegShoRestriction(m) => {
            said!("Reg SHO Restriction", RegShoRestriction { stock: Value::symbol, action: of(REG_SHO) } = m)
        }
        Message::MarketParticipantPosition(m) => said!(
            "Market Participant Position",
            MarketParticipantPosition {
                stock: Value::symbol,
                mpid: text,
                primary_market_maker: of(YES_NO),
                market_maker_mode: of(MAKER_MODES),
                state: of(MAKER_STATES),
            } = m
        ),
        Message::MwcbDeclineLevel(m) => {
            said!("MWCB Decline Level", MwcbDeclineLevel { level_1: points, level_2: points, level_3: points } = m)
        }
        Message::MwcbStatus(m) => said!("MWCB Status", MwcbStatus { breached_level: of(BREACHES) } = m),
        Message::QuotingPeriodUpdate(m) => said!(
            "Quoting Period Update",
            QuotingPeriodUpdate {
                stock: Value::symbol,
                release_time: second,
                release_qualifier: of(RELEASES),
                ipo_price: dollars,
            } = m
        ),
        Message::LuldAuctionCollar(m) => said!(
            "LULD Auction Collar",
            LuldAuctionCollar {
                stock: Value::symbol,
                reference_price: dollars,
                upper_price: dollars,
                lower_price: dollars,
                extension: count,
            } = m
        ),
        Message::OperationalHalt(m) => said!(
            "Operational Halt",
            OperationalHalt { stock: Value::symbol, market_code: of(HALTING_MARKETS), action: of(HALTS) } = m
        ),
        Message::RetailInterest(m) => {
            said!("Retail Price Improvement", RetailInterest { stock: Value::symbol, interest_flag: of(INTEREST) } = m)
        }
        Message::DlcrPriceDiscovery(m) => said!(
            "DLCR Price Discovery",
            DlcrPriceDiscovery {
                stock: Value::symbol,
                open_eligibility: of(YES_NO),
                minimum_price: dollars,
                maximum_price: dollars,
                near_price: dollars,
                near_time: time,
                lower_collar: dollars,
                upper_collar: dollars,
            } = m
        ),
        // Every other one has been taken above; a test holds every type to it.
        _ => Said::new("Unknown", Vec::new()),
    }
}

/// Why bytes are no message.
pub(super) fn trouble(error: Malformed) -> String {
    match error {
        Malformed::UnknownType(letter) => format!("no ITCH message has type {:?}", letter.escape_ascii().to_string()),
        Malformed::BadLength { message_type, length, expected } => format!(
            "an ITCH message of type {:?} has {expected} bytes, this one {length}",
            message_type.escape_ascii().to_string()
        ),
        Malformed::BadSide(side) => {
            format!("an added order must buy or sell, this one says {:?}", side.escape_ascii().to_string())
        }
        Malformed::Empty => "an empty message, without even a type".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firelane_gateway::flow::wire::itch50::{TYPES, decode, length_of};
    use std::collections::BTreeSet;

    /// Each byte of each message but its header's is in a field that is named, once: changing it changes the words.
    #[test]
    fn every_byte_of_every_message_is_said() {
        let mut names = BTreeSet::new();
        for message_type in TYPES {
            let mut bytes = vec![b'B'; length_of(message_type).unwrap()];
            bytes[0] = message_type;
            let before = said(&decode(&bytes).unwrap());
            assert!(names.insert(before.name) && NAMES.contains(&before.name), "{before:?}");
            for at in 1..bytes.len() {
                let was = bytes[at];
                bytes[at] = b'S';
                let after = said(&decode(&bytes).unwrap());
                assert_ne!(before, after, "byte {at} of {}", before.name);
                bytes[at] = was;
            }
        }
        assert_eq!(names.len(), NAMES.len());
    }
}
