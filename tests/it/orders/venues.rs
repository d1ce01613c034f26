//! Orders at two venues that use the same numbers at once: nothing crosses over.

use super::*;
use firelane_gateway::flow::orders::AnomalyKind;

const OTHER: VenueId = VenueId(1);
const THERE: InstrumentId = InstrumentId(1);

/// One order at each venue, of the same token and the same number of request.
fn twins() -> (Orders, [ClientId; 2]) {
    let mut orders = Orders::new(&config()).unwrap();
    let sent = Sent { token: Token(1), request: 1 };
    let ids = [(VENUE, HERE), (OTHER, THERE)].map(|(venue, instrument)| {
        let enter = Enter { instrument, ..enter(Side::Buy, 100, 50) };
        orders.opened(Mono(0), venue, &enter, SellMark::Long, sent).unwrap().order
    });
    (orders, ids)
}

/// Both accepted.
fn live() -> (Orders, [ClientId; 2]) {
    let (mut orders, ids) = twins();
    let standing = accepted(Token(1), Side::Buy, 100, 50);
    for (venue, id) in [VENUE, OTHER].into_iter().zip(ids) {
        let change = orders.report(venue, &Report::Accepted(standing)).unwrap();
        assert_eq!((change.order, change.venue, change.what), (id, venue, Happening::Accepted));
    }
    (orders, ids)
}

fn open(orders: &Orders, id: ClientId) -> (i64, i64) {
    orders.get(id).map(|order| (order.open.0, order.executed.0)).unwrap()
}

#[test]
fn what_one_venue_says_of_a_token_is_about_its_own_order() {
    let (mut orders, [here, there]) = live();
    let change = orders.report(OTHER, &executed(Token(1), 20, 100, 7)).unwrap();
    assert_eq!((change.order, change.instrument, change.venue), (there, THERE, OTHER));
    assert_eq!((open(&orders, here), open(&orders, there)), ((50, 0), (30, 20)));
    // The same match number at the other venue is another trade, and each is taken back by itself.
    assert_eq!(orders.report(VENUE, &executed(Token(1), 30, 100, 7)).unwrap().order, here);
    let broken = Report::Broken { token: Token(1), trade: 7, reason: letter(b'E') };
    let change = orders.report(OTHER, &broken).unwrap();
    assert_eq!((change.order, change.reversed.unwrap().qty), (there, Qty(-20)));
    let change = orders.report(VENUE, &broken).unwrap();
    assert_eq!((change.order, change.reversed.unwrap().qty), (here, Qty(-30)));
    // Cancels.
    assert_eq!(orders.report(VENUE, &canceled(Token(1), 20)).unwrap().order, here);
    assert!(!orders.get(here).unwrap().is_live() && orders.get(there).unwrap().is_live());
    assert_eq!([VENUE, OTHER].map(|venue| orders.live_count_at(venue)), [0, 1]);
    assert_eq!((orders.live_count(), orders.counters().contradictions, orders.forgotten_fills()), (1, 0, 0));
    assert_eq!(orders.by_token(VENUE, Token(1)).unwrap().id, here);
    assert_eq!(orders.by_token(OTHER, Token(1)).unwrap().id, there);
    // Replacements.
    let sent = Sent { token: Token(2), request: 2 };
    orders.replace_sent(Mono(0), &Replace { order: there, price: Price(99), qty: Qty(50) }, sent).unwrap();
    assert!(orders.by_token(VENUE, Token(2)).is_none() && orders.by_token(OTHER, Token(2)).is_some());
    let now = accepted(Token(2), Side::Buy, 99, 30);
    assert_eq!(orders.report(VENUE, &Report::Replaced { orig: Token(2), now }), None, "nothing there has that number");
    let odd = orders.take_anomaly().unwrap();
    assert_eq!((odd.what, odd.venue, odd.token), (AnomalyKind::UnknownReplaced, VENUE, Token(2)));
    assert_eq!(orders.report(OTHER, &Report::Replaced { orig: Token(1), now }).unwrap().order, there);
    assert_eq!(orders.take_anomaly(), None);
}

#[test]
fn what_one_venue_has_confirmed_settles_nothing_at_the_other() {
    let (mut orders, [here, there]) = twins();
    let settled = Report::Settled { upto: 1, next: None, unused: None };
    assert_eq!(orders.report(OTHER, &settled), None);
    let lost = orders.timed_out(Mono(0)).unwrap();
    assert_eq!((lost.order, lost.reason, lost.venue), (there, Reason::NO_ANSWER, OTHER));
    assert_eq!((orders.timed_out(Mono(0)), orders.get(here).unwrap().status), (None, Status::Pending));
    // Late at one venue is late at that one.
    assert_eq!(orders.next_deadline(), Mono(1_000));
    assert_eq!(orders.timed_out(Mono(1_000)).unwrap().order, here);
    assert_eq!([VENUE, OTHER].map(|venue| orders.is_overdue(venue)), [true, false]);
    assert_eq!(orders.report(VENUE, &settled), None);
    assert_eq!(orders.timed_out(Mono(1_000)).unwrap().order, here);
    assert_eq!((orders.live_count(), orders.next_deadline()), (0, Mono::NEVER));
}

#[test]
fn answers_are_late_in_the_order_of_their_time_at_whichever_venue() {
    let mut orders = Orders::new(&config()).unwrap();
    // The other venue's request has the smaller number and leaves later.
    for (now, venue, request) in [(0, VENUE, 9), (5, OTHER, 1)] {
        let sent = Sent { token: Token(request), request };
        orders.opened(Mono(now), venue, &enter(Side::Buy, 100, 50), SellMark::Long, sent).unwrap();
    }
    assert_eq!((orders.next_deadline(), orders.timed_out(Mono(999))), (Mono(1_000), None));
    assert_eq!(orders.timed_out(Mono(1_000)).unwrap().venue, VENUE);
    assert_eq!((orders.next_deadline(), orders.timed_out(Mono(1_004))), (Mono(1_005), None));
    assert_eq!(orders.timed_out(Mono(1_005)).unwrap().venue, OTHER);
}

#[test]
fn orders_of_an_earlier_run_are_taken_over_at_each_venue_by_itself() {
    let mut orders = Orders::new(&OrdersConfig { capacity: 2, retained: 1, ..config() }).unwrap();
    let standing = |token| Report::Accepted(accepted(Token(token), Side::Buy, 100, 10));
    let ids: Vec<ClientId> = [VENUE, OTHER]
        .into_iter()
        .map(|venue| orders.adopt(venue, &standing(5), |_| Some(HERE)).unwrap().order)
        .collect();
    assert_eq!(ids, [ClientId(1 << 63 | 1), ClientId(1 << 63 | 2)], "names are unique over venues");
    // In a symbol that is not followed: known by its token alone, at its own venue alone.
    assert_eq!(orders.adopt(OTHER, &standing(6), |_| None), None);
    assert_eq!([VENUE, OTHER].map(|venue| orders.is_incomplete(venue)), [false, true]);
    assert_eq!([VENUE, OTHER].map(|venue| orders.orphans(venue).len()), [0, 1]);
    assert_eq!(orders.orphans(OTHER)[0].id, ClientId(1 << 63 | 3));
    assert_eq!(orders.next_orphan(VENUE, Mono(0), Nanos(10)), None);
    assert_eq!(orders.next_orphan(OTHER, Mono(0), Nanos(10)).unwrap().token, Token(6));
    assert_eq!([VENUE, OTHER].map(|venue| orders.orphan_deadline(venue)), [Mono::NEVER, Mono(0)]);
    // A token that is an orphan's there is nobody's here.
    assert_eq!(orders.report(VENUE, &canceled(Token(6), 10)), None);
    let odd = orders.take_anomaly().unwrap();
    assert_eq!((odd.what, odd.venue, odd.order), (AnomalyKind::UnknownOrder, VENUE, None));
    orders.orphan_cancel_sent(VENUE, Token(6));
    assert!(!orders.orphans(OTHER)[0].cancelled);
    orders.orphan_cancel_sent(OTHER, Token(6));
    assert!(orders.orphans(OTHER)[0].cancelled);
    assert_eq!(orders.report(OTHER, &canceled(Token(6), 10)), None);
    assert!(!orders.is_incomplete(OTHER) && orders.take_anomaly().is_none());
}

#[test]
fn an_orphans_fills_keep_its_name_over_a_replacement() {
    let mut orders = Orders::new(&OrdersConfig { capacity: 1, retained: 1, ..config() }).unwrap();
    let sent = |token| Sent { token: Token(token), request: token };
    for token in 1..=2 {
        orders.opened(Mono(0), VENUE, &enter(Side::Buy, 100, 10), SellMark::Long, sent(token)).unwrap();
    }
    orders.not_opened(VENUE, &enter(Side::Buy, 100, 10), SellMark::Long, SYMBOL.into(), sent(3));
    let name = orders.orphans(VENUE)[0].id;
    assert_eq!(orders.report(VENUE, &executed(Token(3), 4, 100, 1)).unwrap().order, name);
    let now = accepted(Token(4), Side::Buy, 100, 6);
    assert_eq!(orders.report(VENUE, &Report::Replaced { orig: Token(3), now }), None);
    assert_eq!(orders.report(VENUE, &executed(Token(4), 4, 100, 1)), None, "told again under its new token");
    assert_eq!(orders.take_anomaly().unwrap().what, AnomalyKind::Repeated);
    assert_eq!(orders.report(VENUE, &executed(Token(4), 6, 100, 2)).unwrap().order, name);
}

#[test]
fn a_sweep_may_be_of_one_venue() {
    let (orders, ids) = live();
    let next = |which| {
        let mut sweep = Sweep::new(which, Nanos(100));
        let all: Vec<ClientId> = std::iter::from_fn(|| sweep.next(Mono(0), &orders)).map(|c| c.order).collect();
        (all, sweep.is_done(&orders))
    };
    assert_eq!(next(Which::All), (ids.to_vec(), false));
    assert_eq!(next(Which::At(VENUE)), (vec![ids[0]], false));
    assert_eq!(next(Which::At(OTHER)), (vec![ids[1]], false));
    assert_eq!(next(Which::At(VenueId(2))), (vec![], true));
    assert_eq!(next(Which::Of(THERE)), (vec![ids[1]], false));
}

#[test]
fn a_venue_beyond_the_capacity_has_no_orders() {
    let mut orders = Orders::new(&OrdersConfig { venues: 1, ..config() }).unwrap();
    assert_eq!(orders.venues(), 1);
    let sent = Sent { token: Token(1), request: 1 };
    assert_eq!(orders.opened(Mono(0), OTHER, &enter(Side::Buy, 1, 1), SellMark::Long, sent), None);
    assert_eq!(orders.report(OTHER, &executed(Token(1), 1, 1, 1)), None);
    assert_eq!(orders.take_anomaly().unwrap().what, AnomalyKind::UnknownFill, "and is not passed over");
    assert!(
        !orders.is_full() && orders.opened(Mono(0), VENUE, &enter(Side::Buy, 1, 1), SellMark::Long, sent).is_some()
    );
}

/// The venues' reports as they come, from two models that know nothing of each other, in any order: each venue's orders
/// are what they are when it is alone.
#[test]
fn two_venues_in_any_order_are_each_as_alone() {
    use rand::{RngExt, SeedableRng};
    for seed in 0..50u64 {
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(seed);
        let build = || Orders::new(&OrdersConfig { capacity: 64, retained: 64, ..config() }).unwrap();
        let (mut both, mut alone) = (build(), [build(), build()]);
        let mut tokens = [0u64; 2];
        for _ in 0..200 {
            let n = rng.random_range(0..2usize);
            let (venue, instrument) = [(VENUE, HERE), (OTHER, THERE)][n];
            let (token, qty) = (Token(rng.random_range(1..=tokens[n].max(1))), rng.random_range(1..=10));
            match rng.random_range(0..5) {
                0 if tokens[n] < 60 => {
                    tokens[n] += 1;
                    let sent = Sent { token: Token(tokens[n]), request: tokens[n] };
                    let enter = Enter { instrument, ..enter(Side::Buy, 100, 20) };
                    for orders in [&mut both, &mut alone[n]] {
                        orders.opened(Mono(0), venue, &enter, SellMark::Long, sent);
                    }
                }
                what => {
                    let report = match what {
                        1 => Report::Accepted(accepted(token, Side::Buy, 100, 20)),
                        2 => executed(token, qty, 100, rng.random_range(1..30)),
                        3 => canceled(token, qty),
                        _ => Report::Broken { token, trade: rng.random_range(1..30), reason: letter(b'E') },
                    };
                    let said = [&mut both, &mut alone[n]].map(|orders| {
                        let change =
                            orders.report(venue, &report).map(|c| (c.what, c.before, c.after, c.fill, c.reversed));
                        (change, orders.take_anomaly().map(|a| (a.what, a.venue, a.token, a.said, a.known)))
                    });
                    assert_eq!(said[0], said[1], "seed {seed}: {report:?} at {venue:?}");
                }
            }
            assert_eq!(both.live_count_at(venue), alone[n].live_count());
        }
    }
}
