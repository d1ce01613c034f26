//! One test for each rule of order entry. Each names its line in "OUCH 5.0" and fails when the
//! venue breaks the rule.

use crate::harness::{AAPL, FIRM, P50, World, cancellation, order, replacement, symbol, tail};
use firelane_gateway::base::{Nanos, Price, Side as Way, VenueRef};
use firelane_gateway::flow::wire::ouch50::{
    AiqStrategy, Appendage, AppendageOption, Capacity, CrossType, Display, Inbound, InterMarketSweep, Outbound,
    RestatedReason, Side, TimeInForce, WirePrice, WireQty,
};
use firelane_sim::venue::engine::{Phase, TradingState};
use firelane_sim::venue::market::{BreakReason, CrossKind};
use firelane_sim::venue::port::OrderKey;
use firelane_sim::venue::rules::{Spent, open_after_cancel, open_after_replace};

const NOTHING: [&str; 0] = [];

/// A world before market hours, in which one order for the opening cross can no longer leave.
fn late_cross() -> World {
    let mut w = World::closed(|_| {});
    w.set_phase(Phase::Messages);
    w.set_phase(Phase::System);
    w.login(0);
    w.login(1);
    let told = w.heard();
    assert_eq!(told, ["S S"]);
    let mut request = order(1, Side::BUY, 100, P50);
    request.cross_type = CrossType::OPEN;
    assert_eq!(w.enter(request, &[]), ["A1 B100 @500000 0Y L"]);
    w.venue.freeze(symbol(AAPL), CrossKind::Open).unwrap();
    w
}

// ---- Semantics, "Price" ----------------------------------------------------------------------------------------

/// "limit to 1,999,999,900"
#[test]
fn a_limit_is_at_most_199_999_99_dollars_on_the_tick() {
    let mut w = World::open();
    assert_eq!(w.sell(1, 100, 1_999_999_900), ["A1 S100 @1999999900 0Y L"]);
    assert_eq!(w.sell(2, 100, 1_999_999_901), ["J2 1D"]);
    assert_eq!(w.sell(3, 100, 0), ["J3 1D"]);
    assert_eq!(w.sell(4, 100, u64::MAX), ["J4 1D"]);
    assert_eq!(w.sell(5, 100, 500_050), ["J5 1D"], "half a cent above a dollar");
    assert_eq!(w.buy(6, 100, 9_999), ["A6 B100 @9999 0Y L"], "a hundredth of a cent below a dollar");
}

/// "7FFFFFFF or 2,000,000,000 = market order for a cross"
#[test]
fn a_market_order_is_for_a_cross_only() {
    let mut w = World::open();
    for (urn, mark) in [(1, 0x7FFF_FFFF), (3, 2_000_000_000)] {
        assert_eq!(w.buy(urn, 100, mark), [format!("J{urn} 1D")]);
        let mut request = order(urn + 1, Side::BUY, 100, mark);
        request.cross_type = CrossType::CLOSE;
        assert_eq!(w.enter(request, &[]), [format!("A{} B100 @2147483647 0Y L", urn + 1)]);
    }
}

// ---- Semantics, "Quantity" -------------------------------------------------------------------------------------

/// "1 to 999,999"
#[test]
fn an_order_has_1_to_999_999_shares() {
    let mut w = World::open();
    assert_eq!(w.buy(1, 0, P50), ["J1 13"]);
    assert_eq!(w.buy(2, 999_999, P50), ["A2 B999999 @500000 0Y L"]);
    assert_eq!(w.buy(3, 1_000_000, P50), ["J3 13"]);
}

/// "a replace chain executes at most 999,999"
#[test]
fn a_chain_of_replaces_executes_at_most_999_999_shares() {
    let mut w = World::open();
    w.buy(1, 999_999, P50);
    w.background(Way::Sell, 999_000, P50);
    w.heard();
    assert_eq!(w.replace(1, 2, 999_999, P50), ["U1>2 B999 @500000 0Y L"]);
    w.background(Way::Sell, 999, P50);
    assert_eq!(w.heard(), ["E2 999 @500000 A #2"]);
    assert_eq!(w.replace(2, 3, 999_999, P50), NOTHING, "the chain is spent");
}

// ---- Semantics, "URN" ------------------------------------------------------------------------------------------

/// "from 1, strictly increasing per port ...: lower than the last: ignored as a resend (equal too: I)"
#[test]
fn a_number_is_acted_on_once_and_numbers_only_rise() {
    let mut w = World::open();
    assert_eq!(w.buy(0, 100, P50), NOTHING, "from 1");
    assert_eq!(w.buy(7, 100, P50), ["A7 B100 @500000 0Y L"]);
    assert_eq!(w.buy(7, 200, P50), NOTHING, "equal");
    assert_eq!(w.buy(6, 200, P50), NOTHING, "lower");
    assert_eq!(w.buy(8, 100, P50), ["A8 B100 @500000 0Y L"]);
    w.me = 1;
    assert_eq!(w.buy(1, 100, P50), ["A1 B100 @500000 0Y L"], "each port counts for itself");
}

/// "... or UserRefIdx channel"
#[test]
fn each_channel_of_a_port_counts_for_itself() {
    let mut w = World::open();
    w.buy(5, 100, P50);
    let told = w.enter(order(1, Side::BUY, 100, P50), &[AppendageOption::UserRefIdx(3)]);
    assert_eq!(told, ["A1 B100 @500000 0Y L"]);
    assert_eq!(w.enter(order(1, Side::BUY, 100, P50), &[AppendageOption::UserRefIdx(3)]), NOTHING);
    assert_eq!(w.query(&[]), ["Q next 6"]);
    assert_eq!(w.query(&[AppendageOption::UserRefIdx(3)]), ["Q next 2"]);
}

/// "in O U C D E take one, X M name an order, Q none"
#[test]
fn mass_requests_consume_a_number_and_cancels_do_not() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.cancel(1, 50);
    w.modify(1, Side::BUY, 100);
    w.query(&[]);
    assert_eq!(w.query(&[]), ["Q next 2"]);
    w.mass_cancel(4, b"        ", &[]);
    assert_eq!(w.query(&[]), ["Q next 5"]);
    w.disable(5);
    assert_eq!(w.query(&[]), ["Q next 6"]);
    w.enable(6);
    assert_eq!(w.query(&[]), ["Q next 7"]);
    assert_eq!(w.disable(6), NOTHING, "used");
    assert_eq!(w.mass_cancel(6, b"        ", &[]), NOTHING, "used");
    assert_eq!(w.buy(7, 100, P50), ["A7 B100 @500000 0Y L"], "the disable that was a resend did nothing");
}

/// "Resend: any inbound message may be repeated"
#[test]
fn repeating_any_message_changes_nothing() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.replace(1, 2, 200, P50);
    assert_eq!(w.buy(1, 100, P50), NOTHING);
    assert_eq!(w.replace(1, 2, 200, P50), NOTHING);
    assert_eq!(w.cancel(2, 150), ["C2 -50 U"]);
    assert_eq!(w.cancel(2, 150), NOTHING);
    assert_eq!(w.record(2).open, 150);
    assert_eq!(w.queue(Way::Buy).len(), 1);
}

// ---- Semantics, "O" --------------------------------------------------------------------------------------------

/// "answered A or J"
#[test]
fn a_new_order_is_accepted_or_rejected_with_a_reason() {
    let mut w = World::open();
    let base = order(0, Side::BUY, 100, P50);
    let mut urn = 0;
    let mut told = |change: &dyn Fn(&mut firelane_gateway::flow::wire::ouch50::EnterOrder),
                    options: &[AppendageOption]| {
        urn += 1;
        let mut request = base;
        request.user_ref_num = firelane_gateway::flow::wire::ouch50::UserRefNum(urn).into();
        change(&mut request);
        w.enter(request, options).join(" ").split(' ').nth(1).unwrap_or("nothing").to_owned()
    };
    assert_eq!(told(&|_| {}, &[]), "B100");
    assert_eq!(told(&|r| r.side = Side(b'?'), &[]), "09");
    assert_eq!(told(&|r| r.quantity = WireQty::from_shares(0), &[]), "13");
    assert_eq!(told(&|r| r.symbol = *b"NOBODY  ", &[]), "17");
    assert_eq!(told(&|r| r.price = WirePrice::from_bits(0), &[]), "1D");
    assert_eq!(told(&|r| r.display = Display::CONFORMANT, &[]), "03", "Z is the venue's to say");
    assert_eq!(told(&|r| r.inter_market_sweep = InterMarketSweep(b'?'), &[]), "08");
    assert_eq!(told(&|r| r.cross_type = CrossType::SUPPLEMENTAL, &[]), "14");
    assert_eq!(told(&|r| r.time_in_force = TimeInForce(b'?'), &[]), "0F");
    assert_eq!(told(&|r| r.capacity = Capacity(b'?'), &[]), "0F");
    assert_eq!(told(&|r| r.time_in_force = TimeInForce::AFTER_HOURS, &[]), "02", "not after hours yet");
    assert_eq!(told(&|_| {}, &[AppendageOption::Firm(*b"ELSE")]), "0C");
    assert_eq!(told(&|_| {}, &[AppendageOption::MinQty(100)]), "0D");
    assert_eq!(told(&|_| {}, &[AppendageOption::MaxFloor(100)]), "04");
    assert_eq!(told(&|_| {}, &[AppendageOption::PriceType(b'M')]), "11");
    assert_eq!(told(&|_| {}, &[AppendageOption::PegOffset(1)]), "05");
    assert_eq!(told(&|_| {}, &[AppendageOption::Route(*b"SCAN")]), "16");
    assert_eq!(told(&|_| {}, &[AppendageOption::HandleInst(b'O')]), "1A");
    assert_eq!(told(&|_| {}, &[AppendageOption::AiqStrategy(AiqStrategy(b'?'))]), "40");
    assert_eq!(told(&|_| {}, &[AppendageOption::MinQty(0), AppendageOption::PriceType(b'L')]), "B100");
}

/// "A: price equal or better, ... display may be Z"
#[test]
fn a_short_sale_at_the_bid_under_regulation_sho_is_accepted_above_it() {
    let mut w = World::open();
    w.background(Way::Buy, 100, P50);
    w.venue.set_reg_sho(w.now, symbol(AAPL), b'1').unwrap();
    assert_eq!(w.enter(order(1, Side::SELL_SHORT, 100, P50), &[]), ["A1 T100 @500100 0Z L"]);
    assert_eq!(w.enter(order(2, Side::SELL_SHORT, 100, P50 + 200), &[]), ["A2 T100 @500200 0Y L"]);
    let mut request = order(3, Side::SELL_SHORT, 100, P50);
    request.time_in_force = TimeInForce::IOC;
    assert_eq!(w.enter(request, &[]), ["J3 23"], "no room to move");
    let told = w.enter(order(4, Side::SELL_SHORT_EXEMPT, 60, P50), &[]);
    assert_eq!(told, ["A4 E60 @500000 0Y L", "E4 60 @500000 R #1"]);
}

/// "A: ... TIF equal or shorter"
#[test]
fn a_port_without_extended_hours_gets_a_shorter_time_in_force() {
    let mut w = World::with(|config| config.entitlements.extended_hours = false);
    let mut request = order(1, Side::BUY, 100, P50);
    request.time_in_force = TimeInForce::GTX;
    assert_eq!(w.enter(request, &[]), ["A1 B100 @500000 0Y L"]);
    w.set_phase(Phase::After);
    assert_eq!(w.heard(), ["C1 -100 E"]);
}

/// "after state D nothing follows"
#[test]
fn an_order_accepted_dead_is_heard_of_no_more() {
    let mut w = World::open();
    let mut request = order(1, Side::BUY, 100, P50);
    request.time_in_force = TimeInForce::IOC;
    assert_eq!(w.enter(request, &[]), ["A1 B100 @500000 3Y D"]);
    assert_eq!(w.cancel(1, 0), NOTHING);
    assert_eq!(w.replace(1, 2, 100, P50), NOTHING);
    w.background(Way::Sell, 100, P50);
    w.set_phase(Phase::After);
    assert_eq!(w.heard(), NOTHING);
    assert_eq!(w.record(1).canceled, 100);
}

/// Time In Force 3, and Cancel Reason I: what an order that may not rest leaves is cancelled.
#[test]
fn an_immediate_order_takes_what_there_is_and_the_rest_is_cancelled() {
    let mut w = World::open();
    w.background(Way::Sell, 60, P50);
    let mut request = order(1, Side::BUY, 100, P50);
    request.time_in_force = TimeInForce::IOC;
    assert_eq!(w.enter(request, &[]), ["A1 B100 @500000 3Y L", "E1 60 @500000 R #1", "C1 -40 I"]);
}

/// Cancel Reason G: a post-only order that would trade is cancelled instead.
#[test]
fn a_post_only_order_never_takes() {
    let mut w = World::open();
    w.background(Way::Sell, 60, P50);
    w.published();
    let post = [AppendageOption::PostOnly(b'P')];
    assert_eq!(w.enter(order(1, Side::BUY, 100, P50), &post), ["A1 B100 @500000 0Y L", "C1 -100 G"]);
    assert_eq!(w.published(), "", "it was never in the book");
    assert_eq!(w.enter(order(2, Side::BUY, 100, P50 - 100), &post), ["A2 B100 @499900 0Y L"]);
    assert_eq!(w.published(), "A");
}

/// Tag 25 and reject 27: a port may have to locate shares before it sells short.
#[test]
fn a_short_sale_may_need_a_locate() {
    let mut w = World::with(|config| config.entitlements.locate_required = true);
    let located = [AppendageOption::SharesLocated(b'Y')];
    assert_eq!(w.enter(order(1, Side::SELL_SHORT, 100, P50), &[]), ["J1 27"]);
    assert_eq!(w.enter(order(2, Side::SELL_SHORT, 100, P50), &located), ["A2 T100 @500000 0Y L"]);
    assert_eq!(w.sell(3, 100, P50), ["A3 S100 @500000 0Y L"]);
    // Defaults, "Appendage": a Replace without tag 25 does not keep the original's.
    assert_eq!(w.replace(2, 4, 100, P50), ["C2 -100 Z"]);
}

// ---- Semantics, "U answers" ------------------------------------------------------------------------------------

/// "original dead or URN used: silence, URN free"
#[test]
fn a_replace_of_a_dead_order_or_with_a_used_number_is_met_with_silence() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.cancel(1, 0);
    assert_eq!(w.replace(1, 2, 100, P50), NOTHING, "dead");
    assert_eq!(w.replace(9, 2, 100, P50), NOTHING, "never was");
    assert_eq!(w.buy(2, 100, P50), ["A2 B100 @500000 0Y L"], "the number was free");
    w.buy(3, 100, P50);
    assert_eq!(w.replace(2, 3, 300, P50), NOTHING, "used");
    assert_eq!(w.record(2).open, 100);
}

/// "Details invalid: C kills the original, URN free"
#[test]
fn a_replace_with_invalid_details_kills_the_original() {
    let mut w = World::open();
    let mut urn = 0;
    let mut killed = |change: &dyn Fn(&mut firelane_gateway::flow::wire::ouch50::ReplaceOrder),
                      options: &[AppendageOption]| {
        urn += 1;
        w.buy(urn, 100, P50);
        let mut request = replacement(urn, urn + 1, 100, P50);
        change(&mut request);
        assert_eq!(w.replace_with(request, options), [format!("C{urn} -100 Z")]);
        assert_eq!(w.query(&[]), [format!("Q next {}", urn + 1)]);
    };
    killed(&|r| r.quantity = WireQty::from_shares(1_000_000), &[]);
    killed(&|r| r.quantity = WireQty::from_shares(0), &[]);
    killed(&|r| r.price = WirePrice::from_bits(0), &[]);
    killed(&|r| r.price = WirePrice::from_bits(500_001), &[]);
    killed(&|r| r.display = Display(b'?'), &[]);
    killed(&|r| r.time_in_force = TimeInForce::AFTER_HOURS, &[]);
    killed(&|_| {}, &[AppendageOption::Side(Side::SELL)]);
    killed(&|_| {}, &[AppendageOption::MaxFloor(10)]);
}

/// "Original not cancellable (late cross): J, original intact, URN consumed"
#[test]
fn a_late_cross_order_cannot_be_replaced() {
    let mut w = late_cross();
    assert_eq!(w.replace(1, 2, 200, P50), ["J2 15"]);
    assert_eq!(w.record(1).open, 100);
    assert_eq!(w.query(&[]), ["Q next 3"]);
    w.cancel(1, 0);
    assert_eq!(w.replace(1, 3, 200, P50), ["J3 0B"], "its cancel is pending");
    assert_eq!(w.record(1).open, 100);
}

/// The same holds while the instrument is halted: nothing is wrong with the request.
#[test]
fn a_replace_during_a_halt_is_rejected_and_leaves_the_original() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.venue.set_state(w.now, symbol(AAPL), TradingState::Halted, *b"T1  ").unwrap();
    assert_eq!(w.replace(1, 2, 200, P50), ["J2 07"]);
    assert_eq!(w.record(1).open, 100);
    assert_eq!(w.query(&[]), ["Q next 3"]);
    assert_eq!(w.cancel(1, 0), ["C1 -100 U"], "a cancel works during a halt");
}

/// "Else U"
#[test]
fn a_valid_replace_is_answered_by_replaced() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    assert_eq!(w.replace(1, 2, 300, P50 - 100), ["U1>2 B300 @499900 0Y L"]);
    assert_eq!(w.cancel(1, 0), NOTHING, "the original is dead");
    assert_eq!(w.cancel(2, 0), ["C2 -300 U"]);
}

// ---- Semantics, "U quantity" -----------------------------------------------------------------------------------

/// "liability of the whole chain, incl. executed ... Enter 500, fill 100, replace 500: Replaced shows 400 open"
#[test]
fn a_replace_quantity_is_the_liability_of_the_whole_chain() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.background(Way::Sell, 100, P50);
    w.heard();
    assert_eq!(w.replace(1, 2, 500, P50), ["U1>2 B400 @500000 0Y L"]);
    w.background(Way::Sell, 50, P50);
    w.heard();
    assert_eq!(w.replace(2, 3, 1_000, P50), ["U2>3 B850 @500000 0Y L"], "100 and 50 of the orders before");
    assert_eq!(w.replace(3, 4, 150, P50), ["C3 -850 Z"], "nothing would be open");
}

/// "... and self-match-decremented shares"
#[test]
fn self_match_decrements_count_against_a_replace() {
    let mut w = World::with(|config| config.entitlements.aiq = AiqStrategy::FIRM_DECREMENT);
    w.buy(1, 500, P50);
    w.sell(2, 100, P50);
    assert_eq!(w.replace(1, 3, 500, P50), ["U1>3 B400 @500000 0Y L"]);
    w.sell(4, 50, P50);
    assert_eq!(w.replace(3, 5, 500, P50), ["U3>5 B350 @500000 0Y L"], "those of the orders before, too");
}

/// The arithmetic, at its ends.
#[test]
fn quantities_never_go_below_nothing() {
    let spent = Spent { executed: 100, prevented: 20 };
    assert_eq!(open_after_replace(500, spent), Some(380));
    assert_eq!(open_after_replace(121, spent), Some(1));
    assert_eq!(open_after_replace(120, spent), None);
    assert_eq!(open_after_replace(0, spent), None);
    assert_eq!(open_after_cancel(380, 300, spent), 200);
    assert_eq!(open_after_cancel(380, 480, spent), 380);
    assert_eq!(open_after_cancel(380, u32::MAX, spent), 380);
    assert_eq!(open_after_cancel(380, 99, spent), 0);
}

// ---- Semantics, "U effect" -------------------------------------------------------------------------------------

/// "new priority and ORN always"
#[test]
fn a_replace_loses_priority_and_gets_a_new_reference_always() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    let before = w.record(1).reference;
    let other = w.background(Way::Buy, 100, P50);
    w.published();
    // Smaller, at the same price: even so.
    w.replace(1, 2, 400, P50);
    assert_eq!(w.published(), "U");
    let after = w.record(2).reference;
    assert!(after > before);
    assert_eq!(w.queue(Way::Buy), [other, after]);
}

/// "Firm, Group ID inherited, UserRefIdx must match"
#[test]
fn a_replacement_keeps_firm_and_group_and_channel() {
    let mut w = World::with(|config| config.entitlements.firms = vec![FIRM, *b"ICED"]);
    let iced = AppendageOption::Firm(*b"ICED");
    w.enter(order(1, Side::BUY, 100, P50), &[iced, AppendageOption::GroupId(7)]);
    let other = [AppendageOption::Firm(FIRM), AppendageOption::GroupId(9)];
    assert_eq!(w.replace_with(replacement(1, 2, 200, P50), &other), ["U1>2 B200 @500000 0Y L"]);
    assert_eq!((w.record(2).terms.firm, w.record(2).terms.group), (*b"ICED", 7));
    let channel = [AppendageOption::UserRefIdx(4)];
    assert_eq!(w.replace_with(replacement(2, 3, 200, P50), &channel), NOTHING, "no such order on channel 4");
    assert_eq!(w.record(2).open, 200);
}

/// Appendage: "a Replace without the tag keeps the original's value"
#[test]
fn a_replacement_keeps_what_it_does_not_name() {
    let mut w = World::open();
    w.background(Way::Sell, 100, P50);
    w.enter(order(1, Side::BUY, 100, P50 - 100), &[AppendageOption::PostOnly(b'P')]);
    assert_eq!(w.replace(1, 2, 100, P50), ["U1>2 B100 @500000 0Y L", "C2 -100 G"]);
    w.enter(order(3, Side::BUY, 100, P50 - 100), &[AppendageOption::PostOnly(b'P')]);
    let told = w.replace_with(replacement(3, 4, 100, P50), &[AppendageOption::PostOnly(b'N')]);
    assert_eq!(told, ["U3>4 B100 @500000 0Y L", "E4 100 @500000 R #1"]);
}

// ---- Semantics, "X quantity" and "X answers" -------------------------------------------------------------------

/// "most shares the order may execute in total; 0 = all. Open = min(open, max(0, Quantity - executed))"
#[test]
fn a_cancel_quantity_is_the_most_that_may_execute() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.background(Way::Sell, 100, P50);
    w.heard();
    assert_eq!(w.cancel(1, 300), ["C1 -200 U"], "100 are executed, 200 stay open");
    assert_eq!(w.record(1).open, 200);
    assert_eq!(w.cancel(1, 0), ["C1 -200 U"]);
    w.buy(2, 500, P50);
    w.background(Way::Sell, 100, P50);
    w.heard();
    assert_eq!(w.cancel(2, 50), ["C2 -400 U"], "more than that is executed already");
}

/// The intended size of a replacement counts what the chain executed, as its own quantity does.
#[test]
fn a_cancel_of_a_replacement_counts_the_chain() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.background(Way::Sell, 100, P50);
    w.replace(1, 2, 500, P50);
    assert_eq!(w.cancel(2, 300), ["C2 -200 U"]);
}

/// "C with the decrement (incremental), priority kept"
#[test]
fn a_partial_cancel_keeps_priority() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    let mine = w.record(1).reference;
    let other = w.background(Way::Buy, 100, P50);
    w.published();
    assert_eq!(w.cancel(1, 400), ["C1 -100 U"]);
    assert_eq!(w.cancel(1, 250), ["C1 -150 U"]);
    assert_eq!(w.published(), "XX");
    assert_eq!(w.queue(Way::Buy), [mine, other]);
}

/// "no effect: silence"
#[test]
fn a_cancel_without_effect_is_met_with_silence() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    assert_eq!(w.cancel(1, 500), NOTHING, "no smaller");
    assert_eq!(w.cancel(1, 900), NOTHING, "larger");
    assert_eq!(w.cancel(9, 0), NOTHING, "no such order");
    w.cancel(1, 0);
    assert_eq!(w.cancel(1, 0), NOTHING, "gone");
}

/// "Late cross: full gives P once (cancelled after the cross), partial gives I once"
#[test]
fn a_late_cross_order_is_cancelled_after_the_cross() {
    let mut w = late_cross();
    assert_eq!(w.cancel(1, 40), ["I1"]);
    assert_eq!(w.cancel(1, 30), NOTHING, "once");
    assert_eq!(w.cancel(1, 0), ["P1"]);
    assert_eq!(w.cancel(1, 0), NOTHING, "once");
    assert_eq!(w.record(1).open, 100);
    w.set_phase(Phase::Market);
    assert_eq!(w.heard(), ["C1 -100 U"]);
}

/// A cancel that is pending does not keep the order from executing in the cross.
#[test]
fn a_late_cross_order_may_execute_in_the_cross_first() {
    let mut w = World::closed(|_| {});
    w.set_phase(Phase::Messages);
    w.set_phase(Phase::System);
    w.login(0);
    let cross = |urn, side, shares| {
        let mut request = order(urn, side, shares, P50);
        request.cross_type = CrossType::OPEN;
        request
    };
    w.enter(cross(1, Side::BUY, 100), &[]);
    w.enter(cross(2, Side::SELL, 60), &[]);
    w.venue.freeze(symbol(AAPL), CrossKind::Open).unwrap();
    assert_eq!(w.enter(cross(3, Side::SELL, 60), &[]), ["J3 14"], "too late to join");
    assert_eq!(w.cancel(1, 0), ["P1"]);
    w.published();
    w.set_phase(Phase::Market);
    assert_eq!(w.heard(), ["E1 60 @500000 O #1", "E2 60 @500000 O #1", "C1 -40 U"]);
    assert_eq!(w.published(), "SQ");
}

// ---- Semantics, "M" --------------------------------------------------------------------------------------------

/// "S, T, E interchangeable; Quantity as X, increase ignored; answer M with open shares"
#[test]
fn a_modify_changes_the_kind_of_sale_and_may_reduce() {
    let mut w = World::open();
    w.sell(1, 500, P50);
    let mine = w.record(1).reference;
    let other = w.background(Way::Sell, 100, P50);
    w.background(Way::Buy, 100, P50);
    w.heard();
    w.published();
    assert_eq!(w.modify(1, Side::SELL_SHORT, 500), ["M1 T400"]);
    assert_eq!(w.modify(1, Side::SELL_SHORT_EXEMPT, 900), ["M1 E400"], "an increase is ignored");
    assert_eq!(w.published(), "");
    assert_eq!(w.modify(1, Side::SELL, 300), ["M1 S200"]);
    assert_eq!(w.published(), "X", "the book shrinks, and the answer is no C");
    assert_eq!(w.queue(Way::Sell), [mine, other], "priority is kept");
    assert_eq!(w.modify(1, Side::BUY, 300), NOTHING, "a sale is no purchase");
    assert_eq!(w.record(1).open, 200);
    assert_eq!(w.modify(1, Side::SELL, 0), ["M1 S0"]);
    assert_eq!(w.modify(1, Side::SELL, 0), NOTHING, "gone");
}

// ---- Semantics, "D AIQ" ----------------------------------------------------------------------------------------

fn self_match(resting: AiqStrategy, incoming: AiqStrategy) -> (World, Vec<String>) {
    let mut w = World::open();
    w.enter(order(1, Side::BUY, 300, P50), &[AppendageOption::AiqStrategy(resting)]);
    w.published();
    let told = w.enter(order(2, Side::SELL, 100, P50 - 100), &[AppendageOption::AiqStrategy(incoming)]);
    (w, told)
}

/// "Decrement Shares incremental; prevented quantity equal for decrement-both"
#[test]
fn decrement_both_takes_the_smaller_size_off_both() {
    for aiq in [AiqStrategy::FIRM_DECREMENT, AiqStrategy::ORGANIZATION_DECREMENT, AiqStrategy::AFFILIATE_DECREMENT] {
        let (mut w, told) = self_match(aiq, aiq);
        let letter = char::from(aiq.0);
        assert_eq!(
            told,
            [
                "A2 S100 @499900 0Y L".to_owned(),
                format!("D1 -100 Q prevented 100 @500000 A {letter}"),
                format!("D2 -100 Q prevented 100 @500000 R {letter}"),
            ]
        );
        assert_eq!(w.published(), "X");
        assert_eq!((w.record(1).open, w.record(2).open), (200, 0));
    }
}

/// "prevented quantity ... may differ for cancel-oldest"
#[test]
fn cancel_oldest_takes_the_resting_order_out() {
    let aiq = AiqStrategy::FIRM_CANCEL_OLDEST;
    let (mut w, told) = self_match(aiq, aiq);
    assert_eq!(told, ["A2 S100 @499900 0Y L", "D1 -300 Q prevented 100 @500000 A O"]);
    assert_eq!(w.published(), "DA");
    assert_eq!((w.record(1).open, w.record(2).open), (0, 100));
}

/// AIQ Strategy, "cancel newest"
#[test]
fn cancel_newest_takes_the_incoming_order_out() {
    let aiq = AiqStrategy::FIRM_CANCEL_NEWEST;
    let (mut w, told) = self_match(aiq, aiq);
    assert_eq!(told, ["A2 S100 @499900 0Y L", "D2 -100 Q prevented 100 @500000 R W"]);
    assert_eq!(w.published(), "");
    assert_eq!((w.record(1).open, w.record(2).open), (300, 0));
}

/// "no details": "C reason Q instead of D"
#[test]
fn decrement_without_details_is_told_by_plain_cancels() {
    let aiq = AiqStrategy::FIRM_DECREMENT_QUIETLY;
    let (w, told) = self_match(aiq, aiq);
    assert_eq!(told, ["A2 S100 @499900 0Y L", "C1 -100 Q", "C2 -100 Q"]);
    assert_eq!(w.record(1).prevented, 100);
}

/// "SMP levels of both orders must match; the incoming order's strategy rules"
#[test]
fn both_orders_must_be_of_one_level_and_the_incoming_one_rules() {
    let (_, told) = self_match(AiqStrategy::FIRM_CANCEL_OLDEST, AiqStrategy::FIRM_CANCEL_NEWEST);
    assert_eq!(told[1], "D2 -100 Q prevented 100 @500000 R W");
    let (_, told) = self_match(AiqStrategy::FIRM_USE_REMOVER, AiqStrategy::FIRM_CANCEL_OLDEST);
    assert_eq!(told[1], "D1 -300 Q prevented 100 @500000 A R");
    for (resting, incoming) in [
        (AiqStrategy::ORGANIZATION_DECREMENT, AiqStrategy::FIRM_DECREMENT),
        (AiqStrategy::DISABLED, AiqStrategy::FIRM_DECREMENT),
        (AiqStrategy::FIRM_DECREMENT, AiqStrategy::DISABLED),
    ] {
        let (_, told) = self_match(resting, incoming);
        assert_eq!(told[1..], ["E1 100 @500000 A #1", "E2 100 @500000 R #1"]);
    }
}

/// Tags 29 and 30: `*` is the port's strategy, and groups keep orders apart.
#[test]
fn the_port_has_a_default_strategy_and_groups_tell_orders_apart() {
    let mut w = World::with(|config| config.entitlements.aiq = AiqStrategy::FIRM_CANCEL_NEWEST);
    w.buy(1, 100, P50);
    let port_default = AppendageOption::AiqStrategy(AiqStrategy::PORT_DEFAULT);
    let told = w.enter(order(2, Side::SELL, 100, P50), &[port_default]);
    assert_eq!(told[1], "D2 -100 Q prevented 100 @500000 R W");
    let told = w.enter(order(3, Side::SELL, 100, P50), &[AppendageOption::AiqGroupId(*b"G2")]);
    assert_eq!(told[1..], ["E1 100 @500000 A #1", "E3 100 @500000 R #1"]);
    // Another port of the same firm is of the same house.
    w.buy(4, 100, P50);
    w.me = 1;
    let told = w.sell(1, 100, P50);
    assert_eq!(told[1], "D1 -100 Q prevented 100 @500000 R W");
}

// ---- Semantics, "E, B" and "J" ---------------------------------------------------------------------------------

/// "E incremental, MN shared by both sides"
#[test]
fn executions_are_incremental_and_both_sides_have_one_match_number() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.me = 1;
    assert_eq!(w.sell(1, 100, P50), ["A1 S100 @500000 0Y L", "E1 100 @500000 R #1"]);
    assert_eq!(w.sell(2, 50, P50 - 300), ["A2 S50 @499700 0Y L", "E2 50 @500000 R #2"], "at the resting price");
    w.me = 0;
    assert_eq!(w.heard(), ["E1 100 @500000 A #1", "E1 50 @500000 A #2"]);
}

/// "B follows its E"
#[test]
fn a_trade_is_broken_for_both_sides_and_once() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.me = 1;
    w.sell(1, 100, P50);
    w.published();
    assert!(w.venue.break_trade(w.now, 9, BreakReason::Erroneous).is_err(), "no such trade");
    w.venue.break_trade(w.now, 1, BreakReason::Erroneous).unwrap();
    assert!(w.venue.break_trade(w.now, 1, BreakReason::Erroneous).is_err(), "broken already");
    w.settle();
    assert_eq!(w.heard(), ["B1 #1 E"]);
    w.me = 0;
    assert_eq!(w.heard(), ["E1 100 @500000 A #1", "B1 #1 E"]);
    assert_eq!(w.published(), "B");
    let port = w.venue.port(0).unwrap();
    assert_eq!(port.positions().get(&symbol(AAPL)), None, "nothing is left of it");
    assert_eq!(w.record(1).open, 400, "and the order does not come back");
}

/// Revisions, "F Trade Correction 49"
#[test]
fn a_trade_correction_carries_the_new_price() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    w.background(Way::Sell, 100, P50);
    w.heard();
    assert!(w.venue.correct_trade(w.now, 1, Price(499_000)));
    assert!(!w.venue.correct_trade(w.now, 2, Price(499_000)));
    w.settle();
    assert_eq!(w.heard(), ["F1 100 @499000 A #1 N"]);
    assert_eq!(w.venue.port(0).unwrap().fills()[0].price, Price(499_000));
}

/// "J: URN consumed"
#[test]
fn a_rejected_request_has_used_its_number() {
    let mut w = World::open();
    assert_eq!(w.buy(1, 0, P50), ["J1 13"]);
    assert_eq!(w.buy(1, 100, P50), NOTHING);
    assert_eq!(w.query(&[]), ["Q next 2"]);
}

// ---- Semantics, "T, R" -----------------------------------------------------------------------------------------

/// "T: system changed priority, new ORN"
#[test]
fn a_priority_update_gives_a_new_reference_at_the_end_of_the_queue() {
    let mut w = World::open();
    w.buy(1, 500, P50);
    let before = w.record(1).reference;
    let other = w.background(Way::Buy, 100, P50);
    w.published();
    w.venue.reprioritise(w.now, 0, OrderKey { channel: 0, urn: 1 }).unwrap();
    w.settle();
    let told = w.heard_raw();
    let Ok(Outbound::OrderPriorityUpdate(update, _)) = Outbound::decode(&told[0]) else { panic!("{told:?}") };
    let after = update.order_reference.get();
    assert!(after > before);
    assert_eq!((update.price.bits(), update.display), (P50, Display::VISIBLE));
    assert_eq!(w.record(1).reference, after);
    assert_eq!(w.queue(Way::Buy), [other, after]);
    assert_eq!(w.published(), "U");
    assert_eq!(w.cancel(1, 0), ["C1 -500 U"], "it goes by its new reference");
    assert!(w.venue.reprioritise(w.now, 0, OrderKey { channel: 0, urn: 1 }).is_err());
}

/// "R: tags 1 22 23 28"
#[test]
fn a_restatement_says_what_changed_in_its_options() {
    let mut w = World::open();
    w.enter(order(1, Side::BUY, 500, P50), &[AppendageOption::UserRefIdx(2)]);
    let changes = [
        AppendageOption::SecondaryOrdRefNum(VenueRef(77)),
        AppendageOption::DisplayQuantity(100),
        AppendageOption::DisplayPrice(499_900),
    ];
    let key = OrderKey { channel: 2, urn: 1 };
    assert!(w.venue.restate(w.now, 0, key, RestatedReason::DISPLAY_REFRESH, &changes));
    assert!(!w.venue.restate(w.now, 0, OrderKey { channel: 0, urn: 1 }, RestatedReason::DISPLAY_REFRESH, &changes));
    w.settle();
    let told = w.heard_raw();
    let Ok(Outbound::OrderRestated(restated, tail)) = Outbound::decode(&told[0]) else { panic!("{told:?}") };
    assert_eq!(restated.reason, RestatedReason::DISPLAY_REFRESH);
    let options: Vec<_> = tail.known().map(Result::unwrap).collect();
    assert_eq!(options, [changes.as_slice(), &[AppendageOption::UserRefIdx(2)]].concat());
}

// ---- Semantics, "Mass cancel", "D / E", "Q" --------------------------------------------------------------------

/// "booked orders of Firm; filters Symbol (blank all) ... X echoes; C reason U per order"
#[test]
fn a_mass_cancel_echoes_and_cancels_each_order() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.sell(2, 200, P50 + 100);
    let mut msft = order(3, Side::BUY, 300, P50);
    msft.symbol = symbol("MSFT").0;
    w.enter(msft, &[]);
    w.me = 1;
    w.buy(1, 100, P50);
    w.me = 0;
    assert_eq!(w.mass_cancel(4, b"MSFT    ", &[]), ["X4 FIRE [MSFT]", "C3 -300 U"]);
    assert_eq!(w.mass_cancel(5, b"        ", &[]), ["X5 FIRE []", "C1 -100 U", "C2 -200 U"]);
    assert_eq!(w.mass_cancel(6, b"        ", &[]), ["X6 FIRE []"]);
    w.me = 1;
    assert_eq!(w.record(1).open, 100, "a port cancels its own orders only");
}

/// "filters ... Side, Group ID (0 = unset, absent = any), UserRefIdx"
#[test]
fn a_mass_cancel_filters_by_side_group_and_channel() {
    let mut w = World::with(|config| config.entitlements.firms = vec![FIRM, *b"ICED"]);
    w.enter(order(1, Side::BUY, 100, P50), &[AppendageOption::GroupId(7)]);
    w.enter(order(2, Side::SELL, 100, P50 + 100), &[AppendageOption::GroupId(7)]);
    w.enter(order(3, Side::BUY, 100, P50), &[]);
    w.enter(order(1, Side::BUY, 100, P50), &[AppendageOption::UserRefIdx(5)]);
    w.enter(order(4, Side::BUY, 100, P50), &[AppendageOption::Firm(*b"ICED")]);
    let both = [AppendageOption::GroupId(7), AppendageOption::Side(Side::BUY)];
    assert_eq!(w.mass_cancel(5, b"        ", &both), ["X5 FIRE []", "C1 -100 U"]);
    assert_eq!(w.mass_cancel(6, b"        ", &[AppendageOption::GroupId(9)]), ["X6 FIRE []"]);
    assert_eq!(w.mass_cancel(7, b"        ", &[AppendageOption::UserRefIdx(5)]), ["X7 FIRE []", "C1 -100 U"]);
    assert_eq!(w.mass_cancel(8, b"        ", &[AppendageOption::GroupId(0)]), ["X8 FIRE []", "C3 -100 U"]);
    assert_eq!(w.mass_cancel(9, b"        ", &[]), ["X9 FIRE []", "C2 -100 U"]);
    assert_eq!(w.record(4).open, 100, "another firm's");
}

/// Its response repeats the filters.
#[test]
fn a_mass_cancel_response_repeats_the_filters() {
    let mut w = World::open();
    let filters = [AppendageOption::GroupId(7), AppendageOption::Side(Side::BUY), AppendageOption::UserRefIdx(5)];
    let filter_tail = tail(&filters);
    w.mass_cancel(1, b"AAPL    ", &filters);
    let message = w.traders[0].heard.last().unwrap().clone();
    let Ok(Outbound::MassCancelResponse(response, echoed)) = Outbound::decode(&message) else { panic!("{message:?}") };
    assert_eq!((response.firm, &response.symbol), (FIRM, b"AAPL    "));
    assert_eq!(echoed.bytes(), filter_tail.appendage().bytes());
}

/// "block / unblock new orders of Firm, answer G / K"
#[test]
fn disabled_order_entry_rejects_new_orders_of_the_firm() {
    let mut w = World::with(|config| config.entitlements.firms = vec![FIRM, *b"ICED"]);
    w.buy(1, 100, P50);
    assert_eq!(w.disable(2), ["G2 FIRE"]);
    assert_eq!(w.buy(3, 100, P50), ["J3 0C"]);
    let iced = w.enter(order(4, Side::BUY, 100, P50), &[AppendageOption::Firm(*b"ICED")]);
    assert_eq!(iced, ["A4 B100 @500000 0Y L"], "of that firm only");
    assert_eq!(w.replace(1, 5, 200, P50), ["U1>5 B200 @500000 0Y L"], "open orders live on");
    assert_eq!(w.cancel(5, 0), ["C5 -200 U"]);
    assert_eq!(w.enable(6), ["K6 FIRE"]);
    assert_eq!(w.buy(7, 100, P50), ["A7 B100 @500000 0Y L"]);
}

/// "Q: NextUserRefNum, per UserRefIdx"
#[test]
fn an_account_query_is_answered_by_the_next_number() {
    let mut w = World::open();
    assert_eq!(w.query(&[]), ["Q next 1"]);
    w.buy(41, 100, P50);
    assert_eq!(w.query(&[]), ["Q next 42"]);
    assert_eq!(w.query(&[AppendageOption::UserRefIdx(1)]), ["Q next 1"]);
}

// ---- Revisions -------------------------------------------------------------------------------------------------

/// "Out: absent unless the request had a non-zero UserRefIdx, then echoed", and "Both forms: decide by packet length"
#[test]
fn later_appendages_are_there_only_for_a_channel() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    w.cancel(1, 0);
    assert_eq!(w.traders[0].heard.last().unwrap().len(), 18);
    w.query(&[]);
    assert_eq!(w.traders[0].heard.last().unwrap().len(), 13);
    w.buy(2, 0, P50);
    assert_eq!(w.traders[0].heard.last().unwrap().len(), 29);

    let channel = [AppendageOption::UserRefIdx(5)];
    let channel_tail = tail(&channel);
    w.enter(order(1, Side::BUY, 100, P50), &channel);
    let long = w.send(Inbound::CancelOrder(&cancellation(1, 0), channel_tail.appendage()));
    assert_eq!(long, ["C1 -100 U"]);
    let canceled = w.traders[0].heard.last().unwrap().clone();
    assert_eq!(canceled[18..], [0, 3, 2, 28, 5], "length, then the channel");
    w.query(&channel);
    assert_eq!(w.traders[0].heard.last().unwrap()[13..], [0, 3, 2, 28, 5]);

    // The long form with nothing in it is the same request.
    w.buy(3, 100, P50);
    let long = w.send(Inbound::CancelOrder(&cancellation(3, 0), Appendage::EMPTY));
    assert_eq!(long, ["C3 -100 U"]);
}

/// Appendage: "Unknown tag: skip by Length", and what Accepted repeats.
#[test]
fn accepted_repeats_the_options_that_it_may() {
    let mut w = World::open();
    let options = [
        AppendageOption::PostOnly(b'P'),
        AppendageOption::GroupId(7),
        AppendageOption::SharesLocated(b'Y'),
        AppendageOption::AiqStrategy(AiqStrategy::FIRM_DECREMENT),
    ];
    let mut request = tail(&options);
    request.push_raw(200, b"whatever").unwrap();
    w.send(Inbound::EnterOrder(&order(1, Side::BUY, 100, P50), request.appendage()));
    let accepted = w.traders[0].heard.last().unwrap().clone();
    let Ok(Outbound::OrderAccepted(_, echoed)) = Outbound::decode(&accepted) else { panic!("{accepted:?}") };
    let tags: Vec<u8> = echoed.iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, [2, 12, 24, 29]);
    w.replace(1, 2, 100, P50);
    let replaced = w.traders[0].heard.last().unwrap().clone();
    let Ok(Outbound::OrderReplaced(_, echoed)) = Outbound::decode(&replaced) else { panic!("{replaced:?}") };
    let tags: Vec<u8> = echoed.iter().map(|(tag, _)| tag).collect();
    assert_eq!(tags, [2, 12, 29], "Group ID is in Accepted only");
}

// ---- Time In Force, trading states, hours ----------------------------------------------------------------------

/// Tag 15, "seconds < 86400, for TIF 6", and Cancel Reason T
#[test]
fn an_order_with_a_time_limit_ends_on_time() {
    let mut w = World::open();
    let timed = |urn| {
        let mut request = order(urn, Side::BUY, 100, P50);
        request.time_in_force = TimeInForce::GTT;
        request
    };
    assert_eq!(w.enter(timed(1), &[]), ["J1 0F"], "no time given");
    assert_eq!(w.enter(timed(2), &[AppendageOption::ExpireTime(86_400)]), ["J2 0F"]);
    assert_eq!(w.enter(timed(3), &[AppendageOption::ExpireTime(3)]), ["A3 B100 @500000 6Y L"]);
    w.enter(timed(4), &[AppendageOption::ExpireTime(3)]);
    w.cancel(4, 0);
    w.pass(Nanos(2_999_999_999), true);
    assert_eq!(w.heard(), NOTHING);
    w.pass(Nanos(1), true);
    assert_eq!(w.heard(), ["C3 -100 T"]);
}

/// TIF 0 "day", 5 "extended", E "after hours", and Cancel Reason E
#[test]
fn orders_end_with_their_hours() {
    let mut w = World::open();
    let with = |urn, tif| {
        let mut request = order(urn, Side::BUY, 100, P50);
        request.time_in_force = tif;
        request
    };
    w.enter(with(1, TimeInForce::DAY), &[]);
    w.enter(with(2, TimeInForce::GTX), &[]);
    w.set_phase(Phase::After);
    assert_eq!(w.heard(), ["C1 -100 E"]);
    assert_eq!(w.enter(with(3, TimeInForce::DAY), &[]), ["J3 02"]);
    assert_eq!(w.enter(with(4, TimeInForce::AFTER_HOURS), &[]), ["A4 B100 @500000 EY L"]);
    w.set_phase(Phase::Ended);
    assert_eq!(w.heard(), ["C2 -100 E", "C4 -100 E", "S E"]);
    assert_eq!(w.enter(with(5, TimeInForce::GTX), &[]), ["J5 02"]);
}

/// Reject 07 and Cancel Reason H
#[test]
fn halts_reject_new_orders_and_a_quotation_period_does_not_trade() {
    let mut w = World::open();
    w.buy(1, 100, P50);
    for state in [TradingState::Halted, TradingState::Paused] {
        w.venue.set_state(w.now, symbol(AAPL), state, *b"LUDP").unwrap();
        let urn = w.venue.port(0).unwrap().next_urn(0);
        assert_eq!(w.sell(urn, 100, P50), [format!("J{urn} 07")]);
    }
    w.venue.set_state(w.now, symbol(AAPL), TradingState::QuotationOnly, *b"    ").unwrap();
    assert_eq!(w.sell(4, 60, P50 - 100), ["A4 S60 @499900 0Y L"], "rests, though it crosses");
    let mut immediate = order(5, Side::SELL, 10, P50);
    immediate.time_in_force = TimeInForce::IOC;
    assert_eq!(w.enter(immediate, &[]), ["A5 S10 @500000 3Y L", "C5 -10 H"]);
    w.venue.set_state(w.now, symbol(AAPL), TradingState::Trading, *b"    ").unwrap();
    w.settle();
    assert_eq!(w.heard(), ["E1 60 @499900 H #1", "E4 60 @499900 H #1"], "trading begins with a cross");
    w.venue.set_operational_halt(w.now, symbol(AAPL), true).unwrap();
    assert_eq!(w.sell(6, 100, P50), ["J6 07"]);
    w.venue.set_operational_halt(w.now, symbol(AAPL), false).unwrap();
    assert_eq!(w.sell(7, 40, P50), ["A7 S40 @500000 0Y L", "E1 40 @500000 A #2", "E7 40 @500000 R #2"]);
}
