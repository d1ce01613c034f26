//! Hints: when they pay. That they change nothing is tried with all else: see [`give`].

use super::*;
use firelane_gateway::flow::book::{Coming, HINTS_FROM};

/// Hints of what may come and what can't, as many as may be or more.
pub(super) fn give(books: &Books, seed: u64, count: usize) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut coming = || {
        let wide = rng.random_range(0..8) == 0;
        let mut number = |narrow: u64| if wide { rng.random() } else { rng.random_range(0..narrow) };
        let (order, enters, id) = (VenueRef(number(400)), VenueRef(number(400)), InstrumentId(number(4) as u32));
        let (side, price) = (SIDES[number(2) as usize % 2], Price(number(400).cast_signed()));
        Coming { order, enters, id, adds: number(2) % 2 == 0, side, price }
    };
    let all: Vec<_> = (0..count).map(|_| coming()).collect();
    books.foresee(all);
}

#[test]
fn hints_pay_from_so_many_orders_on_until_there_are_three_quarters_as_many() {
    const FROM: usize = 200;
    let mut b = Books::new(BookCapacity { instruments: 1, orders: 512, levels: 64, own: 1 }).hints_from(FROM);
    let mut live = 0;
    let mut pay = |count: usize| {
        while live < count {
            b.apply(ID, &add(live as u64, Side::Buy, 1, 1 + (live % 64) as i64));
            live += 1;
        }
        while live > count {
            live -= 1;
            b.apply(ID, &delete(live as u64));
        }
        assert_eq!(b.live_orders(), count);
        b.hints_pay()
    };
    assert_eq!(
        [0, 151, 199, 200, 201, 199, 150, 149, 151, 199, 200].map(&mut pay),
        [false, false, false, true, true, true, true, false, false, false, true]
    );
    // Without a word, from many more on; always and never are possible.
    let some = BookCapacity { instruments: 1, orders: 512, levels: 64, own: 1 };
    assert!(!Books::new(some).hints_pay() && HINTS_FROM > 512);
    assert!(Books::new(some).hints_from(0).hints_pay() && !Books::new(some).hints_from(usize::MAX).hints_pay());
}
