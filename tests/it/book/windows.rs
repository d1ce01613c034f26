//! Prices that are found by their tick, among those that are not: which is which must not matter.

use super::*;

/// Windows of 512 ticks in books of thousands: blocks come and go as the best moves, among prices that are off the tick.
#[test]
fn windows_follow_the_best_as_the_model_does() {
    for (seed, (prices, tick)) in
        [(6_000, 1), (6_000, 1), (900, 1), (12_000, 2), (40_000, 7), (300, 100), (60_000, 100), (400_000, 64)]
            .into_iter()
            .enumerate()
    {
        let wide = Flow { capacity: ROOMY, instruments: 3, prices, references: |n| n, population: 400, adds: 45, tick };
        model_run(&wide, seed as u64, 1_500);
        let thin = Flow { population: 40, ..wide };
        model_run(&thin, seed as u64, 1_500);
    }
}

/// Prices that walk away and come back, so that each block is left behind and met again, with what then rests there.
#[test]
fn a_market_that_walks_takes_its_window_along() {
    let (table, mut rng) = (of_tick(5), Xoshiro256PlusPlus::seed_from_u64(8));
    let (mut books, mut plain) = (Books::new(ROOMY), Books::new(ROOMY));
    books.follow(&table);
    for n in 0..40_000_u64 {
        // A triangle of 20,000 ticks, and orders up to 800 ticks behind the best.
        let middle = 100_000 + 5 * (n % 20_000).min(20_000 - n % 20_000) as i64;
        let side = SIDES[rng.random_range(0..2)];
        let behind = rng.random_range(0..if n % 10 == 0 { 4_000 } else { 300 });
        let price = Price(if side == Side::Buy { middle - behind } else { middle + 1 + behind });
        let events = [
            EventKind::Add { order: VenueRef(n), side, qty: Qty(1), price },
            EventKind::Delete { order: VenueRef(n.saturating_sub(rng.random_range(0..1_500))) },
        ];
        for event in events {
            assert_eq!(books.apply(ID, &event), plain.apply(ID, &event), "{n}: {event:?}");
        }
        if n % 500 == 0 {
            assert_eq!(displayed(&books), displayed(&plain), "{n}");
            for side in SIDES {
                for depth in [0, 1, 7, 70, 300] {
                    assert_eq!(books.view(ID).level(side, depth), plain.view(ID).level(side, depth));
                    let nth = books.view(ID).levels(side).nth(depth);
                    assert_eq!(books.view(ID).level(side, depth), nth);
                }
            }
        }
    }
    assert!(books.live_orders() > 100);
}
