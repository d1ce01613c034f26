//! Own orders in the book: marks, what happens to them, and what stands before one.

use super::*;

#[test]
fn an_own_order_is_left_out_of_signals_whether_its_mark_comes_before_or_after() {
    for mark_first in [true, false] {
        let mut b = books();
        applied(&mut b, &[add(1, Side::Buy, 30, 50), add(2, Side::Buy, 10, 49)]);
        if mark_first {
            assert_eq!(b.own_add(VenueRef(7), ClientId(70)), OwnMatch::Awaited);
            let after = own_after(&mut b, add(7, Side::Buy, 5, 51));
            assert_eq!(after, Some((ClientId(70), OwnTouch::Arrived)));
        } else {
            assert_eq!(own_after(&mut b, add(7, Side::Buy, 5, 51)), None);
            assert_eq!(b.own_add(VenueRef(7), ClientId(70)), OwnMatch::Resting);
        }
        let view = b.view(ID);
        let own = Level { price: Price(51), qty: Qty(5), orders: 1, own_qty: Qty(5) };
        assert_eq!(view.top(Side::Buy), Some(own));
        let others = Level { price: Price(50), qty: Qty(30), orders: 1, own_qty: Qty(0) };
        assert_eq!(view.top_without_own(Side::Buy), Some(others), "a level of own orders alone is walked over");
        // A level shared with others shows theirs.
        applied(&mut b, &[add(8, Side::Buy, 4, 51)]);
        let others = Level { price: Price(51), qty: Qty(4), orders: 1, own_qty: Qty(0) };
        assert_eq!(b.view(ID).top_without_own(Side::Buy), Some(others));
        assert_eq!(b.view(ID).order(VenueRef(7)).unwrap().client, Some(ClientId(70)));
        b.own_remove(VenueRef(7));
        assert_eq!(b.view(ID).top_without_own(Side::Buy).unwrap().qty, Qty(9));
    }
}

#[test]
fn an_own_order_reports_what_happens_to_it() {
    let mut b = books();
    b.own_add(VenueRef(1), ClientId(10));
    applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
    let left = |left| Qty(left);
    let own = own_after;
    assert_eq!(own(&mut b, execute(1, 30)), Some((ClientId(10), OwnTouch::Executed { left: left(70) })));
    assert_eq!(b.view(ID).top(Side::Buy).unwrap().own_qty, Qty(70));
    assert_eq!(own(&mut b, reduce(1, 20)), Some((ClientId(10), OwnTouch::Reduced { left: left(50) })));
    assert_eq!(own(&mut b, replace(1, 2, 60, 51)), Some((ClientId(10), OwnTouch::Replaced { new: VenueRef(2) })));
    assert_eq!(b.view(ID).top_without_own(Side::Buy), None, "the mark went with the replace");
    assert_eq!(own(&mut b, execute(2, 60)), Some((ClientId(10), OwnTouch::Executed { left: left(0) })));
    applied(&mut b, &[add(3, Side::Buy, 100, 50)]);
    b.own_add(VenueRef(3), ClientId(11));
    assert_eq!(own(&mut b, delete(3)), Some((ClientId(11), OwnTouch::Deleted)));
}

/// Its new reference rests already, or nothing is left of it: the old one is gone all the same, and there is no other.
#[test]
fn an_own_order_whose_replacement_does_not_rest_is_told_as_gone() {
    for (new, qty) in [(2, 60), (3, 0)] {
        let mut b = books();
        b.own_add(VenueRef(1), ClientId(10));
        applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 50)]);
        assert_eq!(own_after(&mut b, replace(1, new, qty, 51)), Some((ClientId(10), OwnTouch::Deleted)));
        assert_eq!(b.view(ID).top(Side::Buy).map(|level| (level.qty, level.own_qty)), Some((Qty(30), Qty(0))));
    }
}

/// The venue's answer to our replace may come before the feed shows it, or after.
#[test]
fn a_mark_survives_a_replace_in_either_order() {
    // Answer first: the caller moves the mark, then the feed replaces.
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50)]);
    b.own_add(VenueRef(1), ClientId(10));
    b.own_remove(VenueRef(1));
    assert_eq!(b.own_add(VenueRef(2), ClientId(10)), OwnMatch::Awaited);
    let after = own_after(&mut b, replace(1, 2, 60, 51));
    assert_eq!(after, Some((ClientId(10), OwnTouch::Arrived)));
    assert_eq!(b.view(ID).top_without_own(Side::Buy), None);
    // Feed first: the mark is there already.
    applied(&mut b, &[replace(2, 3, 60, 52)]);
    b.own_remove(VenueRef(2));
    assert_eq!(b.own_add(VenueRef(3), ClientId(10)), OwnMatch::Resting);
    assert_eq!(b.view(ID).top(Side::Buy).unwrap().own_qty, Qty(60));
}

#[test]
fn own_marks_beyond_the_capacity_are_refused_and_counted() {
    let mut b = Books::new(BookCapacity { own: 2, ..ROOMY });
    applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 100, 50), add(3, Side::Buy, 100, 50)]);
    assert_eq!(b.own_add(VenueRef(1), ClientId(1)), OwnMatch::Resting);
    assert_eq!(b.own_add(VenueRef(2), ClientId(2)), OwnMatch::Resting);
    assert_eq!(b.own_add(VenueRef(3), ClientId(3)), OwnMatch::Full);
    assert_eq!((b.view(ID).top(Side::Buy).unwrap().own_qty, b.counters().own_full), (Qty(200), 1));
    b.own_remove(VenueRef(2));
    assert_eq!(b.own_add(VenueRef(3), ClientId(3)), OwnMatch::Resting);
}

/// Shares before an order, all orders of its level counted.
#[test]
fn queue_position_moves_up_as_those_ahead_go() {
    let mut b = books();
    applied(&mut b, &[add(1, Side::Buy, 100, 50), add(2, Side::Buy, 30, 50), add(3, Side::Buy, 5, 50)]);
    applied(&mut b, &[add(4, Side::Buy, 7, 50)]);
    let ahead = |b: &Books| b.view(ID).queue_ahead(VenueRef(3));
    assert_eq!(ahead(&b), Some(Qty(130)));
    applied(&mut b, &[execute(1, 60)]);
    assert_eq!(ahead(&b), Some(Qty(70)));
    applied(&mut b, &[delete(2)]);
    assert_eq!(ahead(&b), Some(Qty(40)));
    applied(&mut b, &[replace(1, 9, 40, 50)]);
    assert_eq!(ahead(&b), Some(Qty(0)), "a replaced order goes behind");
    assert_eq!(b.view(ID).queue_ahead(VenueRef(1)), None);
}
