//! Books of levels: at random against the model that the fuzzer has too, and each rule by itself.

use super::*;
use crate::mutations::mutations;
use crate::targets_books;
use firelane_gateway::flow::book::BookKind;
use rand::Rng;

const OTHER: InstrumentId = InstrumentId(1);

#[test]
fn random_scripts_agree_with_the_model() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(77);
    for _ in 0..300 {
        let mut script = vec![0; 400 * targets_books::STEP];
        rng.fill_bytes(&mut script);
        // A book that is of orders, or of levels, most of the time.
        targets_books::books(&script);
    }
}

#[test]
fn mutated_scripts_agree_with_the_model() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(78);
    let mut script = || {
        let mut script = vec![0; 24 * targets_books::STEP];
        rng.fill_bytes(&mut script);
        script
    };
    let samples: Vec<_> = (0..16).map(|_| script()).collect();
    mutations(4_000, 79, &samples, targets_books::books);
}

fn level(side: Side, price: i64, qty: i64) -> EventKind {
    EventKind::Level { side, price: Price(price), qty: Qty(qty), orders: 0 }
}

fn books() -> Books {
    Books::new(BookCapacity { instruments: 2, orders: 8, levels: 8, own: 4 })
}

/// Books with these levels in the first.
fn with(levels: &[(Side, i64, i64)]) -> Books {
    let mut books = books();
    for &(side, price, qty) in levels {
        assert_eq!(books.apply(ID, &level(side, price, qty)).fault, None);
    }
    books
}

#[test]
fn a_level_is_as_large_as_was_said_last_and_nothing_takes_it_away() {
    let mut books = with(&[(Side::Buy, 100, 30), (Side::Buy, 99, 70), (Side::Sell, 103, 10)]);
    assert_eq!(bbo(books.view(ID)), "103,10,100,30");
    let touched = |applied: Applied| (applied.instrument, applied.side, applied.top_changed, applied.fault);
    let buy = |top| (Some(ID), Some(Side::Buy), top, None);
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 99, 60))), buy(false));
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 100, 30))), buy(false), "the same again");
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 101, 5))), buy(true), "a better one");
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 101, 0))), buy(true));
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 101, 0))), buy(false), "not there any more");
    assert_eq!(touched(books.apply(ID, &level(Side::Buy, 98, -1))), buy(false));
    assert_eq!((books.counters().absent_levels, bbo(books.view(ID))), (2, "103,10,100,30".to_owned()));
    let view = books.view(ID);
    assert_eq!((view.depth(Side::Buy), view.level(Side::Buy, 1).unwrap().qty.0), (2, 60));
    assert!(view.freshness().is_fresh() && view.queue(Side::Buy, Price(100)).next().is_none());
    assert_eq!((view.order(VenueRef(0)), view.queue_ahead(VenueRef(0)), books.live_orders()), (None, None, 0));
    // Its trades are prints.
    books.apply(ID, &EventKind::Trade { qty: Qty(7), price: Price(100), trade: 1 });
    assert_eq!((books.view(ID).last_trade(), books.view(ID).volume()), (Some((Price(100), Qty(7))), Qty(7)));
    assert_eq!(bbo(books.view(ID)), "103,10,100,30");
    let orders = |n| EventKind::Level { side: Side::Buy, price: Price(100), qty: Qty(30), orders: n };
    assert!(!books.apply(ID, &orders(4)).top_changed);
    assert_eq!(books.view(ID).top(Side::Buy).unwrap().orders, 4);
}

#[test]
fn a_book_is_of_the_kind_that_its_first_event_has_and_what_contradicts_it_is_ignored() {
    let add = EventKind::Add { order: VenueRef(1), side: Side::Buy, qty: Qty(5), price: Price(90) };
    let mut books = with(&[(Side::Buy, 100, 30)]);
    assert_eq!((books.kind(ID), books.kind(OTHER), books.kind(InstrumentId(2))), (Some(BookKind::Levels), None, None));
    for kind in [add, EventKind::Delete { order: VenueRef(1) }] {
        books.heal(Scope::All, StaleReason::Fault);
        assert_eq!(books.apply(ID, &kind).fault, Some(BookFault::WrongKind));
        assert!(books.view(ID).freshness().has(StaleReason::Fault));
    }
    assert_eq!(bbo(books.view(ID)), "0,0,100,30");
    // The other beside it is of orders.
    assert_eq!(books.apply(OTHER, &add).fault, None);
    assert_eq!(books.apply(OTHER, &level(Side::Buy, 100, 30)).fault, Some(BookFault::WrongKind));
    assert_eq!((books.kind(OTHER), bbo(books.view(OTHER))), (Some(BookKind::Orders), "0,0,90,5".to_owned()));
    assert_eq!(books.counters().wrong_kind, 3);
    // A message that names the wrong book reaches its order all the same.
    assert_eq!(books.apply(ID, &EventKind::Delete { order: VenueRef(1) }).fault, None);
    // A snapshot changes no kind; a configuration does.
    books.clear();
    assert_eq!(books.apply(ID, &add).fault, Some(BookFault::WrongKind));
    books.set_kind(ID, BookKind::Orders);
    assert_eq!(books.apply(ID, &add).fault, None);
    books.set_kind(ID, BookKind::Orders);
    assert_eq!(books.live_orders(), 1, "the same again changes nothing");
    books.set_kind(ID, BookKind::Levels);
    assert_eq!((books.live_orders(), bbo(books.view(ID))), (0, "0,0,0,0".to_owned()));
}

#[test]
fn a_book_that_the_venue_starts_over_is_empty_and_as_the_venues() {
    let mut books = with(&[(Side::Buy, 100, 30), (Side::Sell, 103, 10)]);
    let add = EventKind::Add { order: VenueRef(1), side: Side::Buy, qty: Qty(5), price: Price(90) };
    books.apply(OTHER, &add);
    books.apply(OTHER, &EventKind::Trade { qty: Qty(7), price: Price(91), trade: 1 });
    for id in [ID, OTHER] {
        for reason in [StaleReason::Fault, StaleReason::Malformed, StaleReason::Full, StaleReason::Gap] {
            books.mark_stale(Scope::One(id), reason);
        }
    }
    let one = |side| EventKind::Clear { side: Some(side) };
    let applied = books.apply(ID, &one(Side::Buy));
    assert_eq!((applied.instrument, applied.side, applied.top_changed), (Some(ID), Some(Side::Buy), true));
    assert_eq!(bbo(books.view(ID)), "103,10,0,0");
    assert!(!books.apply(ID, &one(Side::Buy)).top_changed, "it is empty already");
    assert!(books.view(ID).freshness().has(StaleReason::Fault), "half a book is none");
    for id in [ID, OTHER] {
        assert!(books.apply(id, &EventKind::Clear { side: None }).top_changed);
        assert_eq!(bbo(books.view(id)), "0,0,0,0");
        let freshness = books.view(id).freshness();
        assert!(freshness.has(StaleReason::Gap) && freshness.bits() == 1 << StaleReason::Gap as u8);
    }
    assert_eq!((books.live_orders(), books.view(OTHER).last_trade()), (0, Some((Price(91), Qty(7)))));
    let beyond = books.apply(InstrumentId(2), &EventKind::Clear { side: None });
    assert_eq!(beyond.fault, Some(BookFault::UnknownInstrument));
}

#[test]
fn own_shares_of_a_level_are_what_the_venue_confirmed_and_never_more_than_it_shows() {
    let mut books = with(&[(Side::Buy, 100, 300), (Side::Buy, 99, 80)]);
    let rests =
        |books: &mut Books, order, price, qty| books.own_rests(ID, ClientId(order), Side::Buy, Price(price), Qty(qty));
    let top = |books: &Books| {
        let view = books.view(ID);
        let own = view.top(Side::Buy).unwrap().own_qty.0;
        (own, view.top_without_own(Side::Buy).map(|level| (level.price.0, level.qty.0)))
    };
    assert_eq!(top(&books), (0, Some((100, 300))));
    assert_eq!(rests(&mut books, 1, 100, 50), OwnMatch::Resting);
    assert_eq!(rests(&mut books, 2, 100, 20), OwnMatch::Resting);
    assert_eq!(top(&books), (70, Some((100, 230))));
    rests(&mut books, 1, 100, 10);
    assert_eq!(top(&books), (30, Some((100, 270))), "traded in part");
    // The level is smaller than what is ours: the venue does not show all of it (yet), or was quicker than its answer.
    books.apply(ID, &level(Side::Buy, 100, 25));
    assert_eq!(top(&books), (25, Some((99, 80))), "what is ours alone is no one else's interest");
    books.apply(ID, &level(Side::Buy, 100, 0));
    assert_eq!(top(&books), (0, Some((99, 80))));
    books.apply(ID, &level(Side::Buy, 100, 130));
    assert_eq!(top(&books), (30, Some((100, 100))), "gone and come again");
    // One moves to where no level is yet; one is done.
    assert_eq!(rests(&mut books, 1, 101, 10), OwnMatch::Awaited);
    assert_eq!(top(&books), (20, Some((100, 110))));
    books.apply(ID, &level(Side::Buy, 101, 10));
    assert_eq!(top(&books), (10, Some((100, 110))));
    rests(&mut books, 1, 101, 0);
    rests(&mut books, 2, 100, 0);
    assert_eq!(top(&books), (0, Some((101, 10))));
    // Of the other side, or another instrument, is another level.
    books.own_rests(ID, ClientId(3), Side::Sell, Price(101), Qty(5));
    books.own_rests(OTHER, ClientId(4), Side::Buy, Price(101), Qty(5));
    assert_eq!(top(&books), (0, Some((101, 10))));
    let full = [(5, OwnMatch::Resting), (6, OwnMatch::Resting), (7, OwnMatch::Full)];
    for (order, found) in full {
        assert_eq!(rests(&mut books, order, 101, 1), found);
    }
    assert_eq!((top(&books), books.counters().own_full), ((2, Some((101, 8))), 1));
    assert_eq!(rests(&mut books, 7, 101, 0), OwnMatch::Awaited, "nothing, of one that is not known");
}

#[test]
fn levels_beyond_the_capacity_are_left_out_and_counted() {
    let mut books = with(&[(Side::Buy, 1, 1), (Side::Buy, 2, 1), (Side::Buy, 3, 1), (Side::Buy, 4, 1)]);
    for price in 5..=8 {
        assert_eq!(books.apply(ID, &level(Side::Sell, price, 1)).fault, None);
    }
    assert_eq!(books.apply(ID, &level(Side::Sell, 9, 1)).fault, Some(BookFault::LevelsFull));
    assert!(books.view(ID).freshness().has(StaleReason::Full));
    assert_eq!(books.apply(ID, &level(Side::Sell, 8, 2)).fault, None, "one that is there");
    books.apply(ID, &level(Side::Buy, 1, 0));
    assert_eq!(books.apply(ID, &level(Side::Sell, 9, 1)).fault, None);
    assert_eq!((books.counters().levels_full, books.view(ID).depth(Side::Sell)), (1, 5));
}
