//! A world that is driven by hand: steps, commands, what is told on the way, and how long the ways are.

use super::rig::{Run, exchange, lane};
use firelane_gateway::base::{InstrumentId, Mono, Nanos, SessionId, VenueId};
use firelane_gateway::flow::UtcOffset;
use firelane_gateway::flow::command::{Command, Word};
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::Start;
use firelane_gateway::flow::outbox::Output;
use firelane_gateway::flow::signal::Imbalance;
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_sim::account::Account;
use firelane_sim::far_end::{FarEnd, FarEndConfig};
use firelane_sim::net::Faults;
use firelane_sim::reconcile::TapeLedger;
use firelane_sim::world::{Network, Place, Seat, Tap, Wire, World, WorldConfig, WorldError};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A lane at a venue, over such a network; nothing is planned.
fn world(network: Network) -> World {
    world_of(network, Run::heavy(1).lane())
}

fn world_of(network: Network, lane: Box<dyn Lane>) -> World {
    let config = WorldConfig::new(7, Faults::None, Nanos::from_secs(1));
    let mut world = World::new(7);
    let around = FarEndConfig::under(Faults::None, 7, config.snapshot);
    let market = exchange(2_500, vec![config.port(*b"FIRE")], Faults::None, 7);
    let place = world.add_venue(FarEnd::new(around, market, Mono(0)));
    let seat = world.add_lane(Recorder::new(lane), &[Wire { network, ..config.wire(place, 0) }]);
    assert_eq!((seat, place), (Seat::FIRST, Place::FIRST));
    world
}

fn at(millis: u64) -> Mono {
    Mono(0).after(Nanos::from_millis(millis))
}

#[test]
fn a_world_goes_on_until_a_time_and_its_lane_hears_nothing_before_it_is_started() {
    let mut world = world(Network::under(Faults::None));
    assert!(matches!(world.run(|_| ()), Err(WorldError::NotPlanned)));
    world.start(Seat::FIRST, at(50));
    world.step_until(at(49)).unwrap();
    assert_eq!((world.now(), world.lane(Seat::FIRST).inputs()), (at(49), 0));
    assert!(world.next_deadline() > at(49) && world.stats().published > 0);
    world.step_until(at(1_200)).unwrap();
    assert!(world.lane(Seat::FIRST).ready() && world.lane(Seat::FIRST).inputs() > 0);
    world.step_until(at(10)).unwrap();
    assert_eq!(world.now(), at(1_200), "it does not go back");
    let next = world.next_deadline();
    assert!(world.step().unwrap() && world.now() == next);
}

#[test]
fn nothing_is_to_come_in_an_empty_world() {
    let mut world = World::new(1);
    assert_eq!((world.next_deadline(), world.step().unwrap(), world.now()), (Mono::NEVER, false, Mono(0)));
    world.step_until(at(5)).unwrap();
    assert_eq!((world.now(), world.lanes()), (at(5), 0));
}

#[test]
fn commands_come_at_their_time() {
    let mut world = world(Network::under(Faults::None));
    world.start(Seat::FIRST, at(0));
    world.command(Seat::FIRST, at(300), &Command::of(Word::Kill));
    world.step_until(at(299)).unwrap();
    assert!(!world.lane(Seat::FIRST).gate().is_killed());
    world.step_until(at(300)).unwrap();
    assert!(world.lane(Seat::FIRST).gate().is_killed());
    // What is past comes with the next step.
    world.command(Seat::FIRST, at(10), &Command::of(Word::Release));
    world.step().unwrap();
    assert!(!world.lane(Seat::FIRST).gate().is_killed() && world.now() >= at(300));
    assert_eq!(world.tape(Seat::FIRST).counts().kills, 1);
}

#[test]
fn what_lanes_do_is_told_as_they_do_it() {
    let mut world = world(Network::under(Faults::None));
    world.start(Seat::FIRST, at(0));
    let (mut sent, mut tape, mut last) = (Account::default(), TapeLedger::default(), Mono(0));
    let tap: Tap<'_> = &mut |seat, now, output| {
        assert!(seat == Seat::FIRST && now >= last);
        last = now;
        match output {
            Output::Send { session: SessionId::ORDERS, bytes, .. } => sent.on_lane(bytes),
            Output::Tape(record) => tape.on_record(record),
            _ => {}
        }
    };
    world.step_until_with(at(2_000), tap).unwrap();
    while world.now() < at(2_100) {
        world.step_with(tap).unwrap();
    }
    assert!(tape == *world.tape(Seat::FIRST) && tape.counts().fills > 0);
    let heard = world.account(Seat::FIRST, VenueId::FIRST).chains().len();
    assert!(heard > 10 && sent.chains().len() == heard);
}

#[test]
fn each_way_takes_as_long_as_it_is_said_to() {
    // Market data at once: whatever is published, the lane has it at the same instant.
    let ways = Network::fixed(Nanos(0), Nanos::from_millis(3), Nanos::from_millis(4));
    let mut near = world(ways);
    near.start(Seat::FIRST, at(0));
    while near.now() < at(100) {
        near.step().unwrap();
        let head = near.venue(Place::FIRST).publisher().next_sequence();
        assert_eq!(near.lane(Seat::FIRST).next_sequence(VenueId::FIRST), Some(head));
    }
    // A connection takes there and back, and so do login and query, one after the other.
    let ready = |there, back| {
        let mut world = world(Network::fixed(Nanos(0), Nanos::from_millis(there), Nanos::from_millis(back)));
        world.start(Seat::FIRST, at(0));
        while !world.lane(Seat::FIRST).ready() {
            world.step().unwrap();
        }
        world.now()
    };
    let at_once = ready(0, 0);
    assert_eq!(ready(3, 4), at_once.after(Nanos::from_millis(3 * (3 + 4))));
    assert_eq!(ready(9, 0), at_once.after(Nanos::from_millis(3 * 9)));
    // Market data 20 ms late: the lane is behind.
    let mut far = world(Network::fixed(Nanos::from_millis(20), Nanos(0), Nanos(0)));
    far.start(Seat::FIRST, at(0));
    far.step_until(at(19)).unwrap();
    assert!(far.lane(Seat::FIRST).instruments().rows().is_empty());
    far.step_until(at(20)).unwrap();
    assert!(!far.lane(Seat::FIRST).instruments().rows().is_empty());
    for world in [&mut near, &mut far] {
        world.step_until(at(2_500)).unwrap();
        world.audit().unwrap();
        assert!(world.tape(Seat::FIRST).counts().fills > 0);
    }
}

/// What the strategy saw of universal time last.
#[derive(Debug)]
struct Watch {
    seen: Arc<AtomicU64>,
}

firelane_gateway::state! { Watch {} without { seen } }

impl Strategy<Imbalance> for Watch {
    fn on_event(&mut self, _: InstrumentId, _: &Event, view: &View<'_, Imbalance>, _: &mut Actions) {
        self.seen.store(view.utc().map_or(1, |utc| utc.0), Ordering::Relaxed);
    }
}

#[test]
fn strategies_know_universal_time_once_it_was_said() {
    let offset = UtcOffset(1_700_000_000_000_000_000);
    for (said, at_least, at_most) in
        [(None, 1, 1), (Some(offset), 1_700_000_000_080_000_000, 1_700_000_000_100_000_000)]
    {
        let seen = Arc::new(AtomicU64::new(0));
        let mut world = world_of(Network::under(Faults::None), lane(Start::First, Watch { seen: Arc::clone(&seen) }));
        if let Some(offset) = said {
            world.set_utc(Seat::FIRST, offset);
        }
        world.start(Seat::FIRST, at(2));
        world.step_until(at(100)).unwrap();
        assert!((at_least..=at_most).contains(&seen.load(Ordering::Relaxed)), "{said:?}: {seen:?}");
    }
}

#[test]
fn each_link_has_faults_of_its_own_and_is_healed_to_its_own_ways() {
    assert_eq!(Network::under(Faults::Heavy).healed(), Network::under(Faults::None));
    let run = Run::heavy(1);
    let config = WorldConfig::new(7, Faults::None, Nanos::from_secs(1));
    let mut world = World::new(7);
    let around = FarEndConfig::under(Faults::None, 7, config.snapshot);
    let ports = vec![config.port(*b"FIRE"), config.port(*b"FIRE")];
    let place = world.add_venue(FarEnd::new(around, exchange(2_500, ports, Faults::None, 7), Mono(0)));
    let wire = Wire { network: Network::under(Faults::Heavy), ..config.wire(place, 0) };
    let seats = [wire, Wire { port: 1, ..wire }].map(|wire| world.add_lane(Recorder::new(run.lane()), &[wire]));
    seats.into_iter().for_each(|seat| world.start(seat, at(0)));
    world.step_until(at(500)).unwrap();
    let [one, two] = seats.map(|seat| world.wires(seat, VenueId::FIRST).0[0]);
    assert!(one.sent == two.sent && one.lost > 0 && one != two, "{one:?}, {two:?}");
}
