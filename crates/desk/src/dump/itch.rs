//! Every message of TotalView-ITCH 5.0 in words. Names and codes: "Nasdaq TotalView-ITCH 5.0", section 4.

use super::words::{Said, Value};
use firelane_gateway::flow::wire::itch50::{
    AddOrder, AddOrderMpid, BrokenTrade, CrossTrade, DlcrPriceDiscovery, Header, LuldAuctionCollar, Malformed,
    MarketParticipantPosition, Message, MwcbDeclineLevel, MwcbStatus, Noii, OperationalHalt, OrderCancel, OrderDelete,
    OrderExecuted, OrderExecutedWithPrice, OrderReplace, QuotingPeriodUpdate, RegShoRestriction, RetailInterest,
    StockDirectory, StockTradingAction, SystemEvent, Trade, U32, U64,
};

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

const SIDE: &[(u8, &str)] = &[(b'B', "buy"), (b'S', "sell")];
const YES_NO: &[(u8, &str)] = &[(b'Y', "yes"), (b'N', "no"), (b' ', "not said")];
const CROSS: &[(u8, &str)] =
    &[(b'O', "opening"), (b'C', "closing"), (b'H', "halt or IPO"), (b'A', "extended trading close")];

fn shares(n: U32) -> Value {
    Value::Number(n.get().into())
}

fn price(n: U32) -> Value {
    Value::Dollars(n.get().into())
}

fn order(n: U64) -> Value {
    Value::Order(n.get())
}

fn number(n: U64) -> Value {
    Value::Number(n.get())
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
        Message::SystemEvent(m) => {
            let SystemEvent { header: _, event_code } = *m;
            let events: &[(u8, &str)] = &[
                (b'O', "start of messages"),
                (b'S', "start of system hours"),
                (b'Q', "start of market hours"),
                (b'M', "end of market hours"),
                (b'E', "end of system hours"),
                (b'C', "end of messages"),
            ];
            Said::new("System Event", vec![("event_code", Value::letter(event_code, events))])
        }
        Message::StockDirectory(m) => directory(m),
        Message::StockTradingAction(m) => {
            let StockTradingAction { header: _, stock, trading_state, reserved, reason } = *m;
            let states: &[(u8, &str)] =
                &[(b'H', "halted"), (b'P', "paused"), (b'Q', "quotation only"), (b'T', "trading")];
            Said::new(
                "Stock Trading Action",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("trading_state", Value::letter(trading_state, states)),
                    ("reason", Value::text(&reason)),
                    ("reserved", Value::text(&[reserved])),
                ],
            )
        }
        Message::RegShoRestriction(m) => {
            let RegShoRestriction { header: _, stock, action } = *m;
            let actions: &[(u8, &str)] = &[
                (b'0', "no price test"),
                (b'1', "in force after an intraday drop"),
                (b'2', "in force from the day before"),
            ];
            Said::new(
                "Reg SHO Restriction",
                vec![("stock", Value::symbol(stock)), ("action", Value::letter(action, actions))],
            )
        }
        Message::MarketParticipantPosition(m) => participant(m),
        Message::MwcbDeclineLevel(m) => {
            let MwcbDeclineLevel { header: _, level_1, level_2, level_3 } = *m;
            let levels = [("level_1", level_1), ("level_2", level_2), ("level_3", level_3)];
            Said::new("MWCB Decline Level", levels.map(|(name, level)| (name, Value::Points(level.get()))).to_vec())
        }
        Message::MwcbStatus(m) => {
            let MwcbStatus { header: _, breached_level } = *m;
            let levels: &[(u8, &str)] = &[(b'1', "7 %"), (b'2', "13 %"), (b'3', "20 %: trading ends for the day")];
            Said::new("MWCB Status", vec![("breached_level", Value::letter(breached_level, levels))])
        }
        Message::QuotingPeriodUpdate(m) => {
            let QuotingPeriodUpdate { header: _, stock, release_time, release_qualifier, ipo_price } = *m;
            let qualifiers: &[(u8, &str)] = &[(b'A', "anticipated"), (b'C', "cancelled or postponed")];
            Said::new(
                "Quoting Period Update",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("release_time", Value::Time(u64::from(release_time.get()) * 1_000_000_000)),
                    ("release_qualifier", Value::letter(release_qualifier, qualifiers)),
                    ("ipo_price", price(ipo_price)),
                ],
            )
        }
        Message::LuldAuctionCollar(m) => {
            let LuldAuctionCollar { header: _, stock, reference_price, upper_price, lower_price, extension } = *m;
            Said::new(
                "LULD Auction Collar",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("reference_price", price(reference_price)),
                    ("upper_price", price(upper_price)),
                    ("lower_price", price(lower_price)),
                    ("extension", shares(extension)),
                ],
            )
        }
        Message::OperationalHalt(m) => {
            let OperationalHalt { header: _, stock, market_code, action } = *m;
            Said::new(
                "Operational Halt",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("market_code", Value::letter(market_code, &[(b'Q', "Nasdaq"), (b'B', "BX"), (b'X', "PSX")])),
                    ("action", Value::letter(action, &[(b'H', "halted"), (b'T', "resumed")])),
                ],
            )
        }
        _ => orders(message),
    }
}

fn directory(m: &StockDirectory) -> Said {
    let StockDirectory {
        header: _,
        stock,
        market_category,
        financial_status,
        round_lot_size,
        round_lots_only,
        issue_classification,
        issue_sub_type,
        authenticity,
        short_sale_threshold,
        ipo_flag,
        luld_tier,
        etp_flag,
        etp_leverage,
        inverse,
    } = *m;
    let markets: &[(u8, &str)] = &[
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
    let statuses: &[(u8, &str)] = &[
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
    let classes: &[(u8, &str)] = &[
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
    let ipo: &[(u8, &str)] =
        &[(b'Y', "set up for an IPO"), (b'Z', "new issue, no IPO"), (b'N', "no"), (b' ', "not available")];
    let tiers: &[(u8, &str)] = &[(b'1', "tier 1"), (b'2', "tier 2"), (b' ', "not available")];
    Said::new(
        "Stock Directory",
        vec![
            ("stock", Value::symbol(stock)),
            ("round_lot_size", shares(round_lot_size)),
            ("market_category", Value::letter(market_category, markets)),
            ("financial_status", Value::letter(financial_status, statuses)),
            ("round_lots_only", Value::letter(round_lots_only, YES_NO)),
            ("issue_classification", Value::letter(issue_classification, classes)),
            ("issue_sub_type", Value::text(&issue_sub_type)),
            ("authenticity", Value::letter(authenticity, &[(b'P', "live"), (b'T', "test")])),
            ("short_sale_threshold", Value::letter(short_sale_threshold, YES_NO)),
            ("ipo_flag", Value::letter(ipo_flag, ipo)),
            ("luld_tier", Value::letter(luld_tier, tiers)),
            ("etp_flag", Value::letter(etp_flag, YES_NO)),
            ("etp_leverage", shares(etp_leverage)),
            ("inverse", Value::letter(inverse, YES_NO)),
        ],
    )
}

fn participant(m: &MarketParticipantPosition) -> Said {
    let MarketParticipantPosition { header: _, mpid, stock, primary_market_maker, market_maker_mode, state } = *m;
    let modes: &[(u8, &str)] =
        &[(b'N', "normal"), (b'P', "passive"), (b'S', "syndicate"), (b'R', "pre-syndicate"), (b'L', "penalty")];
    let states: &[(u8, &str)] =
        &[(b'A', "active"), (b'E', "excused"), (b'W', "withdrawn"), (b'S', "suspended"), (b'D', "deleted")];
    Said::new(
        "Market Participant Position",
        vec![
            ("stock", Value::symbol(stock)),
            ("mpid", Value::text(&mpid)),
            ("primary_market_maker", Value::letter(primary_market_maker, YES_NO)),
            ("market_maker_mode", Value::letter(market_maker_mode, modes)),
            ("state", Value::letter(state, states)),
        ],
    )
}

/// What is about orders, trades and auctions.
fn orders(message: &Message<'_>) -> Said {
    match *message {
        Message::AddOrder(m) => {
            let AddOrder { header: _, order_ref, side, shares: n, stock, price: at } = *m;
            Said::new(
                "Add Order",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("order_ref", order(order_ref)),
                    ("side", Value::letter(side, SIDE)),
                    ("shares", shares(n)),
                    ("price", price(at)),
                ],
            )
        }
        Message::AddOrderMpid(m) => {
            let AddOrderMpid { header: _, order_ref, side, shares: n, stock, price: at, attribution } = *m;
            Said::new(
                "Add Order with MPID",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("order_ref", order(order_ref)),
                    ("side", Value::letter(side, SIDE)),
                    ("shares", shares(n)),
                    ("price", price(at)),
                    ("attribution", Value::text(&attribution)),
                ],
            )
        }
        Message::OrderExecuted(m) => {
            let OrderExecuted { header: _, order_ref, shares: n, match_number } = *m;
            Said::new(
                "Order Executed",
                vec![("order_ref", order(order_ref)), ("shares", shares(n)), ("match_number", number(match_number))],
            )
        }
        Message::OrderExecutedWithPrice(m) => {
            let OrderExecutedWithPrice { header: _, order_ref, shares: n, match_number, printable, price: at } = *m;
            Said::new(
                "Order Executed With Price",
                vec![
                    ("order_ref", order(order_ref)),
                    ("shares", shares(n)),
                    ("price", price(at)),
                    ("printable", Value::letter(printable, YES_NO)),
                    ("match_number", number(match_number)),
                ],
            )
        }
        Message::OrderCancel(m) => {
            let OrderCancel { header: _, order_ref, shares: n } = *m;
            Said::new("Order Cancel", vec![("order_ref", order(order_ref)), ("shares", shares(n))])
        }
        Message::OrderDelete(m) => {
            let OrderDelete { header: _, order_ref } = *m;
            Said::new("Order Delete", vec![("order_ref", order(order_ref))])
        }
        Message::OrderReplace(m) => {
            let OrderReplace { header: _, original_ref, new_ref, shares: n, price: at } = *m;
            Said::new(
                "Order Replace",
                vec![
                    ("original_ref", order(original_ref)),
                    ("new_ref", order(new_ref)),
                    ("shares", shares(n)),
                    ("price", price(at)),
                ],
            )
        }
        _ => prints(message),
    }
}

/// Trades and auctions.
fn prints(message: &Message<'_>) -> Said {
    match *message {
        Message::Trade(m) => {
            let Trade { header: _, order_ref, side, shares: n, stock, price: at, match_number } = *m;
            Said::new(
                "Trade",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("order_ref", order(order_ref)),
                    ("side", Value::letter(side, SIDE)),
                    ("shares", shares(n)),
                    ("price", price(at)),
                    ("match_number", number(match_number)),
                ],
            )
        }
        Message::CrossTrade(m) => {
            let CrossTrade { header: _, shares: n, stock, price: at, match_number, cross_type } = *m;
            Said::new(
                "Cross Trade",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("shares", number(n)),
                    ("price", price(at)),
                    ("cross_type", Value::letter(cross_type, CROSS)),
                    ("match_number", number(match_number)),
                ],
            )
        }
        Message::BrokenTrade(m) => {
            let BrokenTrade { header: _, match_number } = *m;
            Said::new("Broken Trade", vec![("match_number", number(match_number))])
        }
        Message::Noii(m) => noii(m),
        Message::RetailInterest(m) => {
            let RetailInterest { header: _, stock, interest_flag } = *m;
            let interest: &[(u8, &str)] = &[(b'B', "to buy"), (b'S', "to sell"), (b'A', "both sides"), (b'N', "none")];
            Said::new(
                "Retail Price Improvement",
                vec![("stock", Value::symbol(stock)), ("interest_flag", Value::letter(interest_flag, interest))],
            )
        }
        Message::DlcrPriceDiscovery(m) => {
            let DlcrPriceDiscovery {
                header: _,
                stock,
                open_eligibility,
                minimum_price,
                maximum_price,
                near_price,
                near_time,
                lower_collar,
                upper_collar,
            } = *m;
            Said::new(
                "DLCR Price Discovery",
                vec![
                    ("stock", Value::symbol(stock)),
                    ("open_eligibility", Value::letter(open_eligibility, YES_NO)),
                    ("minimum_price", price(minimum_price)),
                    ("maximum_price", price(maximum_price)),
                    ("near_price", price(near_price)),
                    ("near_time", Value::Time(near_time.get())),
                    ("lower_collar", price(lower_collar)),
                    ("upper_collar", price(upper_collar)),
                ],
            )
        }
        // Every other one has been taken above; a test holds every type to it.
        _ => Said::new("Unknown", Vec::new()),
    }
}

fn noii(m: &Noii) -> Said {
    let Noii {
        header: _,
        paired_shares,
        imbalance_shares,
        imbalance_direction,
        stock,
        far_price,
        near_price,
        reference_price,
        cross_type,
        price_variation,
    } = *m;
    let directions: &[(u8, &str)] = &[
        (b'B', "more to buy"),
        (b'S', "more to sell"),
        (b'N', "none"),
        (b'O', "too few orders to tell"),
        (b'P', "paused"),
    ];
    let variations: &[(u8, &str)] = &[
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
    Said::new(
        "NOII",
        vec![
            ("stock", Value::symbol(stock)),
            ("paired_shares", number(paired_shares)),
            ("imbalance_shares", number(imbalance_shares)),
            ("imbalance_direction", Value::letter(imbalance_direction, directions)),
            ("far_price", price(far_price)),
            ("near_price", price(near_price)),
            ("reference_price", price(reference_price)),
            ("cross_type", Value::letter(cross_type, CROSS)),
            ("price_variation", Value::letter(price_variation, variations)),
        ],
    )
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
