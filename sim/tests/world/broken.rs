//! A reconciliation that can't fail proves nothing: whatever is changed on one side is found and said.

use super::rig::Run;
use firelane_gateway::base::{ClientId, Price, VenueId, VenueRef};
use firelane_sim::account::{Account, Counts};
use firelane_sim::net::Faults;
use firelane_sim::reconcile::{
    Difference, Reach, Rest, Statement, check_exposure, compare, compare_with_lane, compare_with_venue, live_orders,
    reach_of_lane, reach_of_venue,
};
use firelane_sim::world::{Place, Seat, World};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// One world for all of them: nobody changes it.
fn finished() -> MutexGuard<'static, World> {
    static WORLD: LazyLock<Mutex<World>> =
        LazyLock::new(|| Mutex::new(Run { faults: Faults::None, ..Run::heavy(1) }.go(None).unwrap()));
    WORLD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is said when the gateway's statement is changed by `change`.
fn said(change: impl FnOnce(&mut Statement)) -> Vec<String> {
    let world = finished();
    let (mut lane, venue) = (
        Statement::of_lane(world.lane(Seat::FIRST), VenueId::FIRST, world.tape(Seat::FIRST)),
        Statement::of_venue(world.exchange(Place::FIRST), 0),
    );
    assert_eq!(compare(&lane, &venue), []);
    change(&mut lane);
    compare(&lane, &venue).iter().map(ToString::to_string).collect()
}

fn words(found: &[Difference]) -> Vec<String> {
    found.iter().map(ToString::to_string).collect()
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
    assert!(
        text.starts_with("order 1: the gateway has none, the venue Buy ") && text.contains(" executed, 0 open, at $"),
        "{text}"
    );
    let text = one(said(|lane| {
        let (id, row) = lane.orders.last_key_value().map(|(id, row)| (*id, row.clone())).unwrap();
        lane.orders.insert(ClientId(id.0 + 1), row);
    }));
    assert!(text.ends_with(", the venue none"), "{text}");
}

#[test]
fn an_order_in_another_state_is_found() {
    let text = one(said(|lane| lane.orders.values_mut().next().unwrap().executed += 1));
    assert!(text.contains(" executed, 0 open"), "{text}");
    let text = one(said(|lane| lane.orders.values_mut().last().unwrap().token = Some(u64::from(u32::MAX))));
    assert!(text.contains("UserRefNum 4294967295"), "{text}");
    let text = one(said(|lane| lane.orders.values_mut().last().unwrap().limit = Some(Price(7))));
    assert!(text.starts_with("order ") && text.contains(" open, at $0.0007, UserRefNum "), "{text}");
    let text = one(said(|lane| lane.orders.values_mut().last().unwrap().reference = Some(VenueRef(7))));
    assert!(text.contains(", reference 7, the venue "), "{text}");
    let text = one(said(|lane| lane.orders.values_mut().last().unwrap().open = 3));
    assert!(text.contains(" executed, 3 open"), "{text}");
    let text = one(said(|lane| {
        let side = &mut lane.orders.values_mut().next().unwrap().side;
        *side = side.opposite();
    }));
    assert!(text.starts_with("order 1: the gateway has Sell ") && text.contains(", the venue Buy "), "{text}");
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

// ---- At rest, and the exposure at every moment ---------------------------------------------------------------------

#[test]
fn whatever_is_not_at_rest_is_found() {
    let world = finished();
    let heard = world.account(Seat::FIRST, VenueId::FIRST).counts();
    let rest = Rest::of_lane(world.lane(Seat::FIRST));
    assert_eq!(
        (rest.check(Some(&heard)), rest.check(None), live_orders(world.lane(Seat::FIRST))),
        (vec![], vec![], vec![])
    );
    let wrong = |change: fn(&mut Rest)| {
        let mut rest = rest;
        change(&mut rest);
        one(words(&rest.check(Some(&heard))))
    };
    type Wrong = fn(&mut Rest);
    let cases: [(Wrong, &str, i64); 13] = [
        (|rest| rest.live = 2, "live orders", 2),
        (|rest| rest.open = -1, "open notional", -1),
        (|rest| rest.faults = 1, "arithmetic faults of the ledger", 1),
        (|rest| rest.shares[0] = 1, "shares open to buy", 1),
        (|rest| rest.shares[1] = -5, "shares open to sell", -5),
        (|rest| rest.forgotten = 1, "fills forgotten", 1),
        (|rest| rest.counters.unknown = 1, "reports about unknown orders", 1),
        (|rest| rest.counters.duplicates = 1, "reports that said what was known", 1),
        (|rest| rest.counters.late_fills = 1, "late fills", 1),
        (|rest| rest.counters.unanswered = 1, "orders settled without an answer", 1),
        (|rest| rest.counters.unknown_trades = 1, "breaks of unknown trades", 1),
        (|rest| rest.counters.contradictions = 1, "reports that contradict others", 1),
        (|rest| rest.counters.not_adopted = 1, "orders that could not be adopted", 1),
    ];
    for (change, about, value) in cases {
        assert_eq!(wrong(change), format!("{about}: the gateway has {value}, the venue 0"));
    }
    // What the venue did repeat is no fault, and what it repeated and the lane did not notice is one.
    let heard = Counts { repeats: 2, late_fills: 1, settled: 0, ..heard };
    let expected = [
        "reports that said what was known: the gateway has 0, the venue 2",
        "late fills: the gateway has 0, the venue 1",
    ];
    assert_eq!(words(&rest.check(Some(&heard))), expected);
}

#[test]
fn exposure_that_does_not_cover_what_the_venue_may_do_is_found() {
    let reach = |executed, may| Reach { executed, may, words: format!("{executed} and {may}") };
    let found = |lane: Option<Reach>, venue: Option<Reach>| {
        let map = |reach: Option<Reach>| reach.map(|reach| (ClientId(5), reach)).into_iter().collect();
        words(&check_exposure(&map(lane), &map(venue)))
    };
    let none: [&str; 0] = [];
    assert_eq!(
        found(Some(reach(10, 89)), Some(reach(0, 100))),
        ["exposure of order 5: the gateway has 10 and 89, the venue 0 and 100"]
    );
    assert_eq!(found(Some(reach(10, 90)), Some(reach(0, 100))), none);
    assert_eq!(found(Some(reach(10, 91)), Some(reach(0, 100))), none);
    assert_eq!(
        found(None, Some(reach(0, 1))),
        ["exposure of order 5: the gateway has no such order, the venue 0 and 1"]
    );
    assert_eq!(found(Some(reach(0, 1)), None), none);
    // Of real ones, at rest: nothing is open.
    let world = finished();
    let may = reach_of_venue(world.exchange(Place::FIRST), 0);
    assert!(may.is_empty() && reach_of_lane(world.lane(Seat::FIRST), &may).is_empty());
}

/// In the middle of the day both have open orders, and a lane that knows nothing of them is told so.
#[test]
fn open_orders_that_the_lane_does_not_know_are_found() {
    let run = Run { faults: Faults::None, ..Run::heavy(1) };
    let mut world = run.world_without_audits(None);
    let mut seen = 0;
    world
        .run_and_look(|world| {
            let may = reach_of_venue(world.exchange(Place::FIRST), 0);
            let counted = reach_of_lane(world.lane(Seat::FIRST), &may);
            assert_eq!(check_exposure(&counted, &may), []);
            seen += may.len();
            assert_eq!(check_exposure(&Default::default(), &may).len(), may.len());
        })
        .unwrap();
    assert!(seen > 10, "{seen}");
}

// ---- The account of the wire ---------------------------------------------------------------------------------------

/// A SoupBinTCP packet.
fn packet(letter: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[letter], payload].concat()
}

/// The account of a finished world that was told more than the two sides were: bytes of the lane, messages of the venue.
fn told(world: &World, lane: &[u8], venue: &[&[u8]]) -> Account {
    let mut account = world.account(Seat::FIRST, VenueId::FIRST).clone();
    account.on_new_connection();
    account.on_lane(&packet(b'U', lane));
    let next = format!("ORDERS0001{:>20}", account.heard() + 1);
    account.on_venue(&packet(b'A', next.as_bytes()));
    for message in venue {
        account.on_venue(&packet(b'S', message));
    }
    account
}

fn differs(world: &World, account: &Account) -> Vec<String> {
    let mut found = compare_with_lane(&[(VenueId::FIRST, account)], world.lane(Seat::FIRST), world.tape(Seat::FIRST));
    found.extend(compare_with_venue(account, world.exchange(Place::FIRST), 0));
    words(&found)
}

/// An order of 100 at $1 in the first symbol, as the next number of a lane that has sent its last.
fn enter(world: &World) -> (Vec<u8>, u32, String) {
    let symbol = world.exchange(Place::FIRST).symbols()[0];
    let token = 1_000_000_u32;
    let mut enter = b"O".to_vec();
    enter.extend(token.to_be_bytes());
    enter.extend(b"B\0\0\0\x64");
    enter.extend(symbol.0);
    enter.extend(10_000_u64.to_be_bytes());
    enter.extend(b"0YPNN00VVVVVV000000\0\0");
    (enter, token, symbol.to_string())
}

#[test]
fn an_order_that_only_the_wire_knows_is_found() {
    let world = finished();
    assert_eq!(differs(&world, world.account(Seat::FIRST, VenueId::FIRST)), [""; 0]);
    let (enter, _, symbol) = enter(&world);
    let id = 32_u64.pow(6) - 1;
    let order = "buy 100 as 1000000 at $1.00 (limit $1.00), 0 executed, 0 prevented, reference None, display other, not answered";
    let expected = [
        format!("live order {id}: the gateway has no such live order, the venue {order}"),
        "open notional: the gateway has 0, the venue 1000000".to_owned(),
        format!("shares of {symbol} to buy: the gateway has 0, the venue 100"),
        format!("worth of {symbol} to buy: the gateway has 0, the venue 1000000"),
    ];
    assert_eq!(differs(&world, &told(&world, &enter, &[])), expected);
}

#[test]
fn a_fill_that_only_the_wire_knows_is_found() {
    let world = finished();
    let (enter, token, symbol) = enter(&world);
    let (time, token) = ([0; 8], token.to_be_bytes());
    let mut accepted = [&b"A"[..], &time, &token, b"B\0\0\0\x64"].concat();
    accepted.extend(world.exchange(Place::FIRST).symbols()[0].0);
    accepted.extend(10_000_u64.to_be_bytes());
    accepted.extend(b"0Y\0\0\0\0\0\0\0\x09PNNL00VVVVVV000000\0\0");
    let executed = [&b"E"[..], &time, &token, b"\0\0\0\x64", &9_900_u64.to_be_bytes(), b"A", &[7; 8], b"\0\0"].concat();
    let held = world.account(Seat::FIRST, VenueId::FIRST).held(world.exchange(Place::FIRST).symbols()[0].0);
    let fills = world.account(Seat::FIRST, VenueId::FIRST).counts().fills;
    let found = differs(&world, &told(&world, &enter, &[&accepted, &executed]));
    let id = 32_u64.pow(6) - 1;
    let words = |about: &str, lane: i128, wire: i128| format!("{about}: the gateway has {lane}, the venue {wire}");
    let expected = [
        words(&format!("position in {symbol}"), held.shares.into(), (held.shares + 100).into()),
        words(&format!("cash of {symbol}"), held.cash, held.cash - 990_000),
        words(&format!("position in {symbol} on the tape"), held.shares.into(), (held.shares + 100).into()),
        words(&format!("cash of {symbol} on the tape"), held.cash, held.cash - 990_000),
        words("fills", fills.into(), (fills + 1).into()),
        words("fills on the tape", fills.into(), (fills + 1).into()),
        format!(
            "order {id} on the wire: the gateway has done, 0 open, 100 executed, 0 prevented, reference 9, the venue no \
             such order"
        ),
        words(&format!("position in {symbol} on the wire"), (held.shares + 100).into(), held.shares.into()),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_nobody_may_say_is_found() {
    let world = finished();
    let (mut again, _, _) = enter(&world);
    again[1..5].copy_from_slice(&1_u32.to_be_bytes());
    let unknown = [&b"E"[..], &[0; 8], &[0xff; 4], &[0; 24]].concat();
    let found = differs(&world, &told(&world, &again, &[&unknown, b"?"]));
    let odd: Vec<&str> = found
        .iter()
        .filter_map(|found| found.strip_prefix("what nobody may say: the gateway has to do with it, the venue "))
        .collect();
    let [used, never, strange] = odd[..] else { panic!("{found:#?}") };
    assert!(used.starts_with("UserRefNum 1 was sent after "), "{used}");
    assert_eq!(never, "an execution of UserRefNum 4294967295, which was never sent");
    assert_eq!(strange, "the venue said ?");
}
