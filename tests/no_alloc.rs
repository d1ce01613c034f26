//! The lane allocates in its constructors only: whole runs, recorded once, are fed to a fresh lane under an allocator
//! that counts.

#[path = "it/gateway/rig.rs"]
mod rig;

#[path = "it/live/rig.rs"]
mod live_rig;

mod counting;

use rig as gateway_rig;

use firelane_gateway::base::{Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::entry::{LONGEST, Names};
use firelane_gateway::flow::outbox::Outbox;
use firelane_gateway::flow::wire::moldudp64::end_of_session;
use firelane_gateway::flow::{CommandBuf, Word};
use rig::*;
use zerocopy::IntoBytes;

fn calls() -> u64 {
    counting::calls()
}

#[test]
fn the_counter_counts() {
    let before = calls();
    let mut vector = Vec::with_capacity(1);
    vector.push(1u8);
    assert_eq!(calls() - before, 1, "an allocation");
    vector.reserve_exact(100);
    assert_eq!(calls() - before, 2, "a reallocation");
    drop(std::hint::black_box(vector));
    assert_eq!(calls() - before, 3, "a release");
}

/// Feeds a recorded run to a fresh lane. Fails at the first input that allocates or releases anything, and says how
/// often the lane stopped for a full outbox or a long input.
fn assert_free(setup: &Setup, given: &[(Mono, Given)]) -> usize {
    let mut lane = lane(setup, Told::default());
    let mut out = Outbox::new(0);
    let mut resumed = 0;
    for (number, (now, given)) in given.iter().enumerate() {
        let before = calls();
        resumed += feed(&mut lane, *now, given.as_input(), &mut out, Outbox::clear);
        let _deadline = lane.next_deadline();
        let calls = calls() - before;
        assert_eq!(calls, 0, "input {number}: {given:?}");
    }
    assert_eq!(out.overflowed(), 0);
    resumed
}

#[test]
fn orders_fills_rejects_and_commands() {
    let setup = Setup::default();
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::Buy, 100, 99_000);
    let (_, token) = rig.newest();
    rig.market(&[add(1, rig.venue.orders[&token].reference, b"B", 100, 99_000)]);
    rig.tell(1, Do::Replace, 300, 99_100);
    let (_, token) = rig.newest();
    for message in [rig.venue.execute(token, 50, 99_100), rig.venue.execute(token, 50, 99_100)] {
        rig.say(message);
    }
    rig.tell(1, Do::Cancel, 0, 0);
    rig.tell(2, Do::BuyNow, 100, 101_000);
    rig.tell(1, Do::Sell, 400, 103_000);
    rig.tell(1, Do::CancelAll, 0, 0);
    rig.venue.answers = false;
    rig.tell(1, Do::Buy, 100, 99_000);
    let rejected = Venue::rejected(rig.venue.asked.last().unwrap());
    rig.say(rejected);
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.pass(Nanos::from_secs(3));
    rig.venue.answers = true;
    rig.command(Word::Kill);
    rig.tell(1, Do::Buy, 100, 99_000);
    rig.command(Word::Release);
    rig.command(Word::Shutdown);
    rig.pass(Nanos::from_secs(3));
    let asked: String = rig.venue.asked.iter().map(|r| char::from(r[0])).collect();
    for letter in "OUXCQ".chars() {
        assert!(asked.contains(letter), "{letter} in {asked}");
    }
    assert_free(&setup, &rig.given);
}

/// No lane has names yet: a protocol whose tokens are texts brings them.
#[test]
fn names_come_and_go_and_find_no_room() {
    let mut names = Names::new(8, 1).unwrap();
    let before = calls();
    for round in 0..3_000_u64 {
        let mut text = [b'a'; LONGEST];
        text[..8].copy_from_slice(&round.to_be_bytes());
        // Every 300th stays, until there is no room for any.
        if let Ok(number) = names.intern(&text) {
            assert_eq!(names.name(names.number(&text).unwrap()), Some(&text[..]));
            assert!(round % 300 == 0 || names.finish(number));
        }
    }
    assert_eq!(calls() - before, 0);
    assert!(names.len() == 8 && names.counters().full > 0, "{:?}", names.counters());
}

#[test]
fn gaps_splices_session_changes_and_malformed_messages() {
    let setup = Setup::default();
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::Buy, 100, 99_000);
    // A gap, filled by a re-request; behind it, more than one call releases.
    let missing = rig.next;
    rig.next += 1;
    for chunk in 0..6 {
        let adds: Vec<_> = (0..400).map(|n| add(1, 10_000 + chunk * 400 + n, b"B", 100, 99_500)).collect();
        rig.market(&adds);
    }
    rig.pass(GAP);
    rig.give(Given::Packet(R, packet(DAY, missing, &[add(1, 77, b"B", 100, 99_500)])));
    assert!(rig.fresh(X));
    rig.market(&[b"zzz".to_vec(), vec![], delete(1, 4_711), execute(1, 77, 500, 1)]);
    rig.serve_snapshot(&opening(2), rig.next);
    assert!(rig.fresh(X));
    rig.market(&[malformed(1)]);
    rig.pass(Nanos::from_secs(1));
    rig.give(Given::Packet(A, end_of_session(DAY, rig.next).as_bytes().to_vec()));
    let day = packet(NEXT_DAY, 1, &opening(2));
    rig.give(Given::Packet(A, day.clone()));
    rig.give(Given::Packet(B, day));
    assert_eq!(rig.lane.feeds().first().counters().session_changes, 1);
    assert!(assert_free(&setup, &rig.given) >= 2_400 / 256);
}

#[test]
fn sessions_lost_and_found_and_a_replay_larger_than_the_framer() {
    let mut setup = Setup::default();
    setup.entry.login.capacity = 128;
    let mut rig = Rig::trading(&setup);
    rig.tell(1, Do::Buy, 1_000, 99_000);
    let (_, token) = rig.newest();
    rig.cut();
    for _ in 0..50 {
        let report = rig.venue.execute(token, 2, 99_000);
        rig.say(report);
    }
    rig.pass(Nanos::from_secs(4));
    assert_eq!(rig.position(X), 100);
    rig.give(Given::Bytes(SessionId::ORDERS, vec![0, 0, 0]));
    rig.pass(Nanos::from_secs(4));
    assert_free(&setup, &rig.given);
}

#[test]
fn every_capacity_full() {
    let mut setup = Setup { instruments: 2, ..Setup::default() };
    setup.orders.capacity = 3;
    setup.orders.retained = 2;
    setup.orders.fills = 2;
    setup.books.orders = 16;
    setup.books.levels = 8;
    setup.books.own = 1;
    setup.feed.window_messages = 4;
    let mut rig = Rig::new(&setup);
    rig.open(3);
    rig.tell(1, Do::BuyMany, 40, 99_000);
    let tokens: Vec<u32> = rig.venue.orders.keys().copied().collect();
    // Each at its own limit: a fill beyond it would stop trading.
    for (token, limit) in tokens.into_iter().zip([99_000, 98_900, 98_800]) {
        for _ in 0..2 {
            let report = rig.venue.execute(token, 10, limit);
            rig.say(report);
        }
    }
    assert!(!rig.lane.core().is_stopped() && rig.live() == 3);
    for n in 0..20 {
        rig.market(&[add(1, 500 + n, b"B", 100, 90_000), add(2, 600 + n, b"S", 100, 110_000 + 100 * n as u32)]);
    }
    for _ in 0..6 {
        rig.tell(1, Do::Cancel, 0, 0);
        rig.tell(1, Do::Buy, 100, 99_000);
    }
    rig.next += 1;
    for n in 0..10 {
        rig.market(&[add(1, 800 + n, b"B", 100, 90_000)]);
    }
    rig.pass(Nanos::from_secs(1));
    let (core, feed) = (rig.lane.core(), rig.lane.feeds().first().counters());
    let books = core.markets().first().books.counters();
    assert!(books.orders_full > 0 && books.levels_full > 0 && core.counters().own_full > 0 && feed.window_full > 0);
    assert!(core.counters().instruments_full > 0 && core.counters().actions_dropped > 0);
    assert!(core.orders().forgotten_fills() > 0);
    assert_free(&setup, &rig.given);
}

/// A live lane against the venue on a bad day, driven by this thread: sockets, timers, log, tape, commands, kill switch.
/// Fails at the first duty cycle that allocates or releases anything.
fn live(layout: &str, seed: u64) {
    use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig};
    use firelane_gateway::shell::clock::Clock;
    use firelane_gateway::shell::live::{Assembled, Setup as LiveSetup};
    use firelane_sim::net::Faults;
    use std::time::Instant;

    let (server, lines, servers) = live_rig::venue(Faults::Heavy, seed);
    let config = live_rig::live_config(&format!("[threads]\nlayout = \"{layout}\""), lines, servers);
    let (clock, log) = (Clock::new(), live_rig::Memory::default());
    let maker = MarketMaker::new(&MarketMakerConfig::default(), 16).unwrap();
    let lane = live_rig::stamped(&live_rig::roomy(), maker, Some(clock.clone()));
    let setup = LiveSetup { logins: live_rig::SECRETS.into(), log: log.sheet(), ..LiveSetup::default() };
    let mut lane = Assembled::new(lane, &config, clock, setup).unwrap();
    let venue = live_rig::spawn(server);
    let handle = lane.handle().clone();
    assert!(handle.command(Word::Start));
    let (began, mut cycles) = (Instant::now(), 0u64);
    let mut until = |what: &str, holds: &dyn Fn() -> bool| {
        while !holds() {
            assert!(began.elapsed() < live_rig::PATIENCE, "{what}: {:?}", handle.board().status());
            for _ in 0..1_000 {
                cycles += 1;
                let before = calls();
                live_rig::turn(&mut lane.agents);
                let calls = calls() - before;
                assert_eq!(calls, 0, "{layout}, seed {seed}, duty cycle {cycles}, on the way to {what}");
            }
        }
    };
    let status = || handle.board().status();
    until("orders and gaps", &|| {
        status().orders.get() > 50 && status().market.gaps.get() > 10 && status().fills.get() > 1
    });
    assert!(handle.command(CommandBuf::snapshot(VenueId::FIRST)));
    until("a splice", &|| status().market.snapshots.get() > 0);
    assert!(handle.command(Word::Kill));
    until("the kill", &|| status().killed == 1);
    assert!(handle.command(Word::Release));
    let before = status().orders.get();
    until("orders after the release", &|| status().orders.get() > before + 10);
    venue.tell(firelane_sim::server::Command::Heal);
    assert!(handle.command(Word::Shutdown));
    until("the end of order entry", &|| handle.is_over());
    lane.finish().unwrap();
    venue.shutdown().unwrap();
    assert!(log.bytes().len() > 100_000);
}

/// The same of three venues, one of them of levels: the sockets of each.
fn live_at_three(layout: &str) {
    use firelane_gateway::flow::Gateway;
    use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
    use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig};
    use firelane_gateway::shell::clock::Clock;
    use firelane_gateway::shell::config::{Config, Passwords};
    use firelane_gateway::shell::live::{Assembled, Setup as LiveSetup};
    use firelane_gateway::shell::plug::House;
    use firelane_gateway::shell::trace::StageProbe;
    use firelane_sim::net::Faults;
    use firelane_sim::server::{VenueConfig, build};
    use std::time::Instant;

    let (one, a, ones) = live_rig::venue(Faults::Heavy, 21);
    let (two, b, twos) = live_rig::venue(Faults::Heavy, 22);
    let mut far =
        VenueConfig::parse("kind = \"levels\"\n[market]\nsymbols = 4\nrate = 2000\nfaults = \"heavy\"\n").unwrap();
    (far.setup.addresses.levels, far.setup.addresses.orders) = (Some(live_rig::any()), vec![live_rig::any()]);
    let far = build(&far, None, &|_| Some("ORDERS".to_owned())).unwrap();
    let at = far.handle().addresses().clone();
    let mut text = format!(
        "[threads]\nlayout = {layout:?}\n[instruments]\ncapacity = 32\n[stream]\ntimeout_ms = 1500\nretry_after_ms = 20\n"
    );
    for (name, [line_a, line_b], [rerequest, snapshot, orders]) in [("A", a, ones), ("B", b, twos)] {
        text += &format!("[[venue]]\nname = {name:?}\n[venue.net]\nline_a = \"{line_a}\"\nline_b = \"{line_b}\"\n");
        text += &format!("rerequest = \"{rerequest}\"\nsnapshot = \"{snapshot}\"\norders = \"{orders}\"\n");
    }
    let (stream, orders) = (at.levels.unwrap(), at.orders[0]);
    text += &format!(
        "[[venue]]\nname = \"FAR\"\nkind = \"levels\"\nnet = {{ stream = \"{stream}\", orders = \"{orders}\" }}\n"
    );
    let config = Config::parse(&text).unwrap();
    let (clock, log) = (Clock::new(), live_rig::Memory::default());
    let maker = MarketMaker::new(&MarketMakerConfig::default(), config.instruments).unwrap();
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    let lane = House::new(&config, StageProbe::new(Some(clock.clone()))).with_any(signal, maker).unwrap();
    let (orders, snapshot) = live_rig::SECRETS;
    let logins = config.venues.map(|_, _| Passwords { orders, snapshot: Some(snapshot) }.into());
    let setup = LiveSetup { logins, log: log.sheet(), ..LiveSetup::default() };
    let mut lane = Assembled::new(Box::new(Gateway::new(lane).unwrap()), &config.live, clock, setup).unwrap();
    let venues = [one, two, far].map(live_rig::spawn);
    let handle = lane.handle().clone();
    assert!(handle.command(Word::Start));
    let began = Instant::now();
    let mut until = |what: &str, holds: &dyn Fn() -> bool| {
        while !holds() {
            assert!(began.elapsed() < live_rig::PATIENCE, "{what}: {:?}", handle.board().lock().venues);
            for _ in 0..1_000 {
                let before = calls();
                live_rig::turn(&mut lane.agents);
                assert_eq!(calls() - before, 0, "{layout}, on the way to {what}");
            }
        }
    };
    let each = |is: &dyn Fn(&firelane_gateway::flow::record::VenueStatusBody) -> bool| {
        let board = handle.board().lock();
        board.venues.len() == 3 && board.venues.iter().all(is)
    };
    until("orders at each", &|| each(&|venue| venue.live.get() > 0));
    assert!(handle.command(CommandBuf::snapshot(VenueId(1))) && handle.command(CommandBuf::snapshot(VenueId(2))));
    until("a snapshot of each", &|| {
        handle.board().lock().venues[1..].iter().all(|venue| venue.market.snapshots.get() > 0)
    });
    assert!(handle.command(Word::Kill));
    until("the kill", &|| handle.board().status().killed == 1);
    venues.iter().for_each(|venue| assert!(venue.tell(firelane_sim::server::Command::Heal)));
    assert!(handle.command(Word::Shutdown));
    until("the end of order entry", &|| handle.is_over());
    lane.finish().unwrap();
    venues.into_iter().for_each(|venue| drop(venue.shutdown().unwrap()));
}

#[test]
fn a_live_lane_of_three_venues_on_one_thread() {
    live_at_three("fused");
}

#[test]
fn a_live_lane_of_three_venues_on_two_threads() {
    live_at_three("split");
}

#[test]
fn a_live_lane_on_one_thread() {
    live("fused", 11);
}

#[test]
fn a_live_lane_on_two_threads() {
    live("split", 12);
}
