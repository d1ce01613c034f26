//! A reconciliation that can't fail proves nothing: whatever is changed on one side is found and said.

use super::rig::Run;
use firelane_gateway::base::Price;
use firelane_sim::net::Faults;
use firelane_sim::reconcile::{Statement, compare};
use firelane_sim::world::World;

fn finished() -> World {
    Run { faults: Faults::None, ..Run::heavy(1) }.go(None).unwrap()
}

/// What is said when the gateway's statement is changed by `change`.
fn said(change: impl FnOnce(&mut Statement)) -> Vec<String> {
    let world = finished();
    let (mut lane, venue) = (Statement::of_lane(world.lane(), world.tape()), Statement::of_venue(world.exchange(), 0));
    assert_eq!(compare(&lane, &venue), []);
    change(&mut lane);
    compare(&lane, &venue).iter().map(ToString::to_string).collect()
}

fn one(said: Vec<String>) -> String {
    let [one] = <[String; 1]>::try_from(said).unwrap();
    one
}

#[test]
fn a_fill_at_another_price_is_found() {
    let text = one(said(|lane| lane.fills.values_mut().next().unwrap().price = Price(12_345)));
    assert!(text.starts_with("fill of order ") && text.contains(" at $1.2345,"), "{text}");
}

#[test]
fn a_missing_fill_is_found() {
    let text = one(said(|lane| {
        lane.fills.pop_first();
    }));
    assert!(text.contains("the gateway has none, the venue "), "{text}");
}

#[test]
fn a_lost_order_and_a_duplicate_are_found() {
    let text = one(said(|lane| {
        lane.orders.pop_first();
    }));
    assert!(text.starts_with("order 1: the gateway has none, the venue Buy") || text.contains("Sell"), "{text}");
    let text = one(said(|lane| {
        let (id, row) = lane.orders.last_key_value().map(|(id, row)| (*id, row.clone())).unwrap();
        lane.orders.insert(firelane_gateway::base::ClientId(id.0 + 1), row);
    }));
    assert!(text.ends_with(", the venue none"), "{text}");
}

#[test]
fn an_order_in_another_state_is_found() {
    let text = one(said(|lane| lane.orders.values_mut().next().unwrap().executed += 1));
    assert!(text.contains(" executed, 0 open"), "{text}");
    let text = one(said(|lane| lane.orders.values_mut().last().unwrap().token = Some(u32::MAX)));
    assert!(text.contains("UserRefNum 4294967295"), "{text}");
}

#[test]
fn another_position_or_another_balance_is_found() {
    let text = one(said(|lane| lane.holdings.values_mut().next().unwrap().shares += 1));
    assert!(text.starts_with("position in "), "{text}");
    let text = one(said(|lane| lane.holdings.values_mut().next().unwrap().cash -= 1));
    assert!(text.starts_with("position in "), "{text}");
}

#[test]
fn a_book_that_differs_in_size_or_in_priority_is_found() {
    let text = one(said(|lane| lane.books.values_mut().next().unwrap().bids[0].shares += 1));
    assert!(text.starts_with("bids of ") && text.contains("order 1 in priority"), "{text}");
    let text = one(said(|lane| {
        lane.books.values_mut().next().unwrap().asks.pop();
    }));
    assert!(text.starts_with("asks of ") && text.contains("the gateway has no more than "), "{text}");
    let text = one(said(|lane| lane.books.values_mut().next().unwrap().asks.swap(0, 1)));
    assert!(text.starts_with("asks of ") && text.contains("order 1 in priority"), "{text}");
}
