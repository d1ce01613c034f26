//! Strategies that are combined at run time do what the same ones do that the compiler has combined.

use super::rig::{INSTRUMENTS, Run, house};
use firelane_gateway::base::{InstrumentId, Mono, Nanos, Reader, Writer};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::book::BookRef;
use firelane_gateway::flow::event::Event;
use firelane_gateway::flow::feed::Start;
use firelane_gateway::flow::mix::{AnySignal, AnyStrategy, Reads, Signals, Strategies};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig, Said, Signal};
use firelane_gateway::flow::strategy::{ImbalanceTaker, ImbalanceTakerConfig, MarketMaker, MarketMakerConfig};
use firelane_gateway::flow::venue::Markets;
use firelane_gateway::shell::lane::Lane;
use firelane_gateway::shell::plug::House;
use firelane_sim::net::Faults;
use firelane_sim::world::{Seat, World};

fn imbalance() -> Imbalance {
    Imbalance::new(&ImbalanceConfig::default()).unwrap()
}

fn maker() -> MarketMaker {
    MarketMaker::new(&MarketMakerConfig::default(), INSTRUMENTS).unwrap()
}

fn taker() -> ImbalanceTaker {
    let config = ImbalanceTakerConfig { threshold: 500_000, ..ImbalanceTakerConfig::default() };
    ImbalanceTaker::new(&config, INSTRUMENTS).unwrap()
}

fn compiled(start: Start) -> Box<dyn Lane> {
    let parts = House::new(&house(start, INSTRUMENTS), ()).with(imbalance(), (maker(), taker())).unwrap();
    Box::new(Gateway::new(parts).unwrap())
}

fn combined(start: Start) -> Box<dyn Lane> {
    // One that nobody reads before it, so that places are not by chance.
    let signals: Vec<Box<dyn AnySignal>> = vec![Box::new(()), Box::new(imbalance())];
    let signals = Signals::new(signals).unwrap();
    let maker = Reads::<Imbalance, _>::of(maker(), &signals).unwrap();
    let taker = Reads::<Imbalance, _>::of(taker(), &signals).unwrap();
    let strategies: Vec<Box<dyn AnyStrategy>> = vec![Box::new(maker), Box::new(taker)];
    let parts = House::new(&house(start, INSTRUMENTS), ()).with(signals, Strategies::new(strategies).unwrap()).unwrap();
    Box::new(Gateway::new(parts).unwrap())
}

#[test]
fn a_mix_sends_the_very_bytes_of_a_pair() {
    let mut fills = 0;
    for seed in [1, 2, 3] {
        let run = Run { faults: Faults::Light, ..Run::heavy(seed) };
        let worlds = [compiled(run.start), combined(run.start)].map(|lane| run.go_with(lane).unwrap());
        let said =
            |world: &World| (world.recorder(Seat::FIRST).summary().effects.get(), world.lane(Seat::FIRST).inputs());
        assert_eq!(said(&worlds[0]), said(&worlds[1]), "seed {seed}");
        fills += worlds[1].lane(Seat::FIRST).core_counters().fills;
    }
    assert!(fills > 10, "{fills} fills");
}

#[test]
fn what_is_combined_is_limited_and_finds_its_signal() {
    let many = |count: usize| Signals::new((0..count).map(|_| Box::new(()) as Box<dyn AnySignal>).collect());
    assert!(many(16).is_ok() && many(17).is_err());
    let bare = many(1).unwrap();
    assert!(Reads::<Imbalance, _>::of(maker(), &bare).is_none() && Reads::<(), _>::of(maker(), &bare).is_some());
    assert!(bare.get::<()>(0).is_some() && bare.get::<Imbalance>(0).is_none() && bare.get::<()>(1).is_none());
    let all = |count: usize| {
        let one = |_| Box::new(Reads::<(), _>::of(maker(), &bare).unwrap()) as Box<dyn AnyStrategy>;
        Strategies::new((0..count).map(one).collect())
    };
    assert!(all(16).is_ok() && all(17).is_err());
}

/// Says on the tape how many events and timers it has had, at each thousandth event and at each timer.
#[derive(Default)]
struct Teller {
    every: u64,
    events: u64,
    timers: u64,
    next: Mono,
}

firelane_gateway::state! { Teller { events, timers, next } without { every } }

impl Signal for Teller {
    type Value = ();

    fn on_event(&mut self, _: Mono, id: InstrumentId, _: &Event, _: BookRef<'_>, say: &mut Said<'_>) {
        self.events += 1;
        if self.events.is_multiple_of(self.every) {
            say.say(Some(id), 1, self.events.cast_signed(), 0);
        }
    }

    fn next_deadline(&self) -> Mono {
        self.next
    }

    fn on_timer(&mut self, now: Mono, _: Markets<'_>, say: &mut Said<'_>) {
        self.timers += 1;
        self.next = now.after(Nanos::from_millis(self.every));
        say.say(None, 2, self.timers.cast_signed(), 0);
    }

    fn value(&self, _: InstrumentId, _: BookRef<'_>) {}
}

fn teller(every: u64) -> Teller {
    Teller { every, ..Teller::default() }
}

#[test]
fn signals_of_a_mix_say_what_those_of_a_pair_say_and_all_of_it_is_saved() {
    let run = Run { faults: Faults::None, ..Run::heavy(2) };
    let config = house(run.start, INSTRUMENTS);
    let pair = House::new(&config, ()).with((teller(70), teller(110)), (maker(), maker())).unwrap();
    let mixed = || -> Box<dyn Lane> {
        let list: Vec<Box<dyn AnySignal>> = vec![Box::new(teller(70)), Box::new(teller(110))];
        let signals = Signals::new(list).unwrap();
        let one = || Box::new(Reads::<Teller, _>::of(maker(), &signals).unwrap()) as Box<dyn AnyStrategy>;
        let strategies = Strategies::new(vec![one(), one()]).unwrap();
        Box::new(Gateway::new(House::new(&config, ()).with(signals, strategies).unwrap()).unwrap())
    };
    let pair: Box<dyn Lane> = Box::new(Gateway::new(pair).unwrap());
    let worlds = [pair, mixed()].map(|lane| run.go_with(lane).unwrap());
    let said = |world: &World| {
        let summary = world.recorder(Seat::FIRST).summary();
        (summary.effects.get(), summary.tape.get())
    };
    assert_eq!(said(&worlds[0]), said(&worlds[1]));
    // What one lane of a mix has been through, another goes on from.
    let lane = worlds[1].lane(Seat::FIRST);
    let mut saved = Writer::default();
    lane.save(&mut saved);
    let mut other = mixed();
    assert_ne!(other.digest(), lane.digest());
    other.load(&mut Reader(&saved.0)).unwrap();
    assert_eq!(other.digest(), lane.digest());
}
