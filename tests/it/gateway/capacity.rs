//! Every capacity of the lane at and beyond its limit: counted, of a defined effect, and nothing else touched.

use super::market::{APPROVED, refused};
use super::rig::*;
use firelane_gateway::base::{Qty, Side, VenueRef};
use firelane_gateway::flow::record::Alert;
use firelane_gateway::flow::risk::Refusal;

#[test]
fn a_full_order_table_refuses_and_has_room_again_after_a_cancel() {
    let mut setup = Setup::default();
    setup.orders.capacity = 3;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::BuyMany, 4, 99_000);
    assert_eq!(rig.decisions(), [APPROVED, APPROVED, APPROVED, refused(Refusal::NoRoom)]);
    assert_eq!((rig.asked().as_str(), rig.live()), ("OOO", 3));
    rig.tell(1, Do::Cancel, 0, 0);
    rig.look();
    rig.tell(1, Do::Buy, 100, 98_000);
    assert_eq!((rig.decisions(), rig.live()), (vec![APPROVED], 3));
}

#[test]
fn own_orders_without_room_for_a_mark_count_as_others_and_are_counted() {
    let mut setup = Setup::default();
    setup.books.own = 1;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::BuyMany, 2, 99_000);
    assert_eq!(rig.lane.core().counters().own_full, 1);
    let references: Vec<u64> = rig.venue.orders.values().map(|o| o.reference).collect();
    rig.market(&[add(1, references[0], b"B", 100, 99_000), add(1, references[1], b"B", 100, 98_900)]);
    let book = rig.lane.core().book(X);
    let own: Vec<bool> = references.iter().map(|r| book.order(VenueRef(*r)).unwrap().client.is_some()).collect();
    assert_eq!(own, [true, false]);
    assert_eq!(book.levels(Side::Buy).map(|l| l.own_qty.0).collect::<Vec<_>>(), [0, 100, 0]);
    // Both end, and the feed shows it: the mark is free for the next.
    rig.tell(1, Do::Cancel, 0, 0);
    rig.tell(1, Do::Cancel, 0, 0);
    rig.market(&[delete(1, references[0]), delete(1, references[1])]);
    rig.tell(1, Do::Buy, 100, 99_000);
    let reference = rig.venue.orders.values().next().unwrap().reference;
    rig.market(&[add(1, reference, b"B", 100, 98_000)]);
    let order = rig.lane.core().book(X).order(VenueRef(reference)).unwrap();
    assert_eq!((order.client, rig.lane.core().counters().own_full), (Some(rig.newest().0), 1));
}

#[test]
fn instruments_beyond_the_table_are_counted_and_said_and_not_traded() {
    let setup = Setup { instruments: 2, ..Setup::default() };
    let mut rig = Rig::new(&setup);
    rig.open(3);
    // R, H, A, A of the third.
    assert_eq!(rig.lane.core().counters().instruments_full, 4);
    assert_eq!(rig.alerts().iter().filter(|a| **a == Alert::Skipped as u16).count(), 4);
    rig.look();
    rig.tell(3, Do::Buy, 100, 99_000);
    rig.tell(2, Do::Buy, 100, 99_000);
    assert_eq!((rig.decisions(), rig.live()), (vec![APPROVED], 1));
    assert!(rig.fresh(X) && rig.fresh(Y));
    assert_eq!(rig.lane.core().book(Y).top(Side::Buy).map(|l| l.qty), Some(Qty(300)));
}

#[test]
fn actions_beyond_what_one_call_may_ask_are_dropped_counted_and_said() {
    let mut setup = Setup::default();
    setup.orders.capacity = 64;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::BuyMany, 32, 99_000);
    assert_eq!((rig.live(), rig.lane.core().counters().actions_dropped), (32, 0));
    assert!(rig.alerts().is_empty());
    rig.tell(2, Do::BuyMany, 35, 99_000);
    // A step that is reported while others wait asks for nothing here, so exactly the first 32 count.
    assert_eq!((rig.live(), rig.lane.core().counters().actions_dropped), (64, 3));
    assert_eq!(rig.alerts(), [Alert::TooManyActions as u16]);
}

#[test]
fn a_full_book_is_stale_counted_and_stays_whole() {
    let mut setup = Setup::default();
    (setup.books.orders, setup.feed.snapshot) = (5, None);
    let mut rig = Rig::trading(&setup);
    rig.market(&[add(1, 77, b"B", 100, 100_000)]);
    assert!(rig.fresh(X) && rig.fresh(Y), "five of five");
    rig.market(&[add(1, 78, b"B", 100, 100_000)]);
    assert!(!rig.fresh(X) && rig.fresh(Y));
    assert_eq!(rig.lane.core().markets().first().books.counters().orders_full, 1);
    rig.market(&[delete(2, 2_000), add(2, 79, b"B", 100, 100_000)]);
    assert!(rig.fresh(Y));
    assert_eq!(rig.lane.core().book(Y).top(Side::Buy).map(|l| l.qty), Some(Qty(100)));
}
