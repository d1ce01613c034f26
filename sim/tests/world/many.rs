//! Several venues of several kinds in one lane, several lanes at one venue, under faults of each.

use super::fidget::Fidget;
use super::rig::{Buffer, DAY, exchange, limits, nasdaq, orders};
use super::seeds::{every, quick, seeds};
use firelane_gateway::base::{AccountId, InstrumentId, InstrumentTable, Mono, Nanos, PerVenue, StrategyId, VenueId};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::action::Tags;
use firelane_gateway::flow::book::BookKind;
use firelane_gateway::flow::either::Either;
use firelane_gateway::flow::entry::OuchEntry;
use firelane_gateway::flow::feed::{Direct, Mold, Start, StreamConfig};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::normal_line::NormalLine;
use firelane_gateway::flow::orders::Orders;
use firelane_gateway::flow::risk::Gate;
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::{MarketMaker, MarketMakerConfig, Strategy};
use firelane_gateway::flow::venue::VenueParts;
use firelane_gateway::flow::wiring::{Parts, Policy, Wiring};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::{Effects, FileHeader};
use firelane_gateway::shell::verify::verify;
use firelane_sim::far_end::{FarEnd, FarEndConfig};
use firelane_sim::net::Faults;
use firelane_sim::venue::levels::LevelsConfig;
use firelane_sim::world::{MarketData, Network, Place, Seat, Wire, World, WorldConfig, WorldError};
use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ops::Range;

const ONE: VenueId = VenueId(0);
const TWO: VenueId = VenueId(1);
/// The venue of levels.
const FAR: VenueId = VenueId(2);
const INSTRUMENTS: usize = 18;

struct Mixed<S>(PhantomData<S>);

impl<S: Strategy<Imbalance>> Wiring for Mixed<S> {
    type Venue = (Either<Mold<ItchLine>, Direct<NormalLine>>, Either<ItchLine, NormalLine>, OuchEntry);
    type Signal = Imbalance;
    type Strategy = S;
    type Probe = ();
}

/// Two Nasdaq-style venues and one of levels.
fn lane_of<S: Strategy<Imbalance> + Send + 'static>(start: Start, strategy: S) -> Box<dyn Lane> {
    let itch = |venue| {
        let VenueParts { feed, line, books, trading, entry } = nasdaq(start, venue, INSTRUMENTS);
        VenueParts { feed: Either::First(feed), line: Either::First(line), books, trading, entry }
    };
    let stream = StreamConfig {
        timeout: Nanos::from_millis(1_200),
        retries: 2,
        retry_after: Nanos::from_millis(20),
        slow_retry_after: Nanos::from_millis(100),
    };
    let VenueParts { feed: _, line: _, books, trading, entry } = nasdaq(start, FAR, INSTRUMENTS);
    let far = VenueParts {
        feed: Either::Second(Direct::new(stream).unwrap()),
        line: Either::Second(NormalLine::new(FAR, 64).unwrap()),
        books,
        trading,
        entry,
    };
    let parts = Parts {
        lane: 0,
        tags: Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() },
        venues: PerVenue::one(itch(ONE)).and(itch(TWO)).and(far),
        instruments: InstrumentTable::new(&[], INSTRUMENTS, true),
        signal: Imbalance::new(&ImbalanceConfig::default()).unwrap(),
        strategy,
        gate: Gate::new(&limits(), INSTRUMENTS).unwrap(),
        orders: Orders::new(&orders(INSTRUMENTS, 3)).unwrap(),
        probe: (),
        policy: Policy::default(),
    };
    Box::new(Gateway::<Mixed<S>>::new(parts).unwrap())
}

/// What a profile means to the wires, which live shortly here: sessions break within the time of a run.
fn network(faults: Faults) -> Network {
    let mut network = Network::under(faults);
    if faults == Faults::Heavy {
        let [orders, _, stream] = &mut network.sessions;
        orders.cut_every = Nanos::from_secs(4);
        (stream.cut_every, stream.half_open_every) = (Nanos::from_secs(2), Nanos::from_secs(4));
    }
    network
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Many {
    pub(super) seed: u64,
    /// Of each venue, and of the wires to it.
    pub(super) faults: [Faults; 3],
    /// What is planned to happen.
    pub(super) deeds: Faults,
    pub(super) lanes: u16,
    pub(super) trade_for: Nanos,
}

impl Many {
    pub(super) fn heavy(seed: u64) -> Self {
        let trade_for = Nanos::from_millis(2_500);
        Many { seed, faults: [Faults::Heavy; 3], deeds: Faults::Heavy, lanes: 1, trade_for }
    }

    fn lane(&self) -> Box<dyn Lane> {
        let start = if (self.seed / 2).is_multiple_of(2) { Start::Snapshot } else { Start::First };
        if self.seed.is_multiple_of(2) {
            lane_of(start, Fidget::new(self.seed))
        } else {
            lane_of(start, MarketMaker::new(&MarketMakerConfig::default(), INSTRUMENTS).unwrap())
        }
    }

    fn config(&self) -> WorldConfig {
        WorldConfig { audit_every: Nanos::from_millis(25), ..WorldConfig::new(self.seed, self.deeds, self.trade_for) }
    }

    fn far_end(&self, config: &WorldConfig, venue: VenueId) -> FarEnd {
        let (faults, seed) = (self.faults[usize::from(venue.0)], 4 * self.seed + u64::from(venue.0));
        let ports = (0..self.lanes).map(|_| config.port(*b"FIRE")).collect();
        let around = FarEndConfig::under(faults, seed, config.snapshot);
        let around = if venue == FAR { around.with_levels(LevelsConfig::under(faults, DAY)) } else { around };
        FarEnd::new(around, exchange(1_500, ports, faults, seed), Mono(0))
    }

    fn world(&self, log: Option<&Buffer>) -> World {
        let config = self.config();
        let mut world = World::new(self.seed);
        let places = [ONE, TWO, FAR].map(|venue| world.add_venue(self.far_end(&config, venue)));
        for port in 0..self.lanes {
            let wires = [0, 1, 2].map(|at: usize| Wire {
                network: network(self.faults[at]),
                market: if at == 2 { MarketData::Stream } else { MarketData::Lines },
                ..config.wire(places[at], port)
            });
            let mut recorder = Recorder::new(self.lane());
            if let Some(log) = log.filter(|_| port == 0) {
                let header = FileHeader::new("test", "", Vec::new(), Effects::Bytes);
                recorder.log_to(log.clone(), &header).unwrap();
            }
            world.add_lane(recorder, &wires);
        }
        world.plan_day(&config);
        world
    }

    /// Runs to the end and compares all sides; the log of the first lane reproduces it.
    fn go(&self) -> Result<World, String> {
        let log = Buffer::default();
        let mut world = self.world(Some(&log));
        let outcome = world.run(|_: Mono| ());
        let mut wrong: Vec<String> = outcome.err().iter().map(WorldError::to_string).collect();
        wrong.extend(world.reconcile().iter().map(ToString::to_string));
        if !wrong.is_empty() {
            return Err(format!("{self:?}\n  {}", wrong.join("\n  ")));
        }
        match verify(log.0.lock().unwrap().as_slice(), |_| Ok(self.lane()), |_| ()) {
            Ok(_) => Ok(world),
            Err(error) => Err(format!("{self:?}: {error}")),
        }
    }
}

/// What happened in a world, by venue, and how often.
fn happenings(world: &World) -> BTreeMap<&'static str, u64> {
    let lane = world.lane(Seat::FIRST);
    let mut all = BTreeMap::new();
    for (venue, [gaps, losses, splices, fills, cuts, hang_ups, orders]) in [ONE, TWO].into_iter().zip([
        ["one: gaps", "one: losses", "one: splices", "one: fills", "one: cuts", "one: hang-ups", "one: orders"],
        ["two: gaps", "two: losses", "two: splices", "two: fills", "two: cuts", "two: hang-ups", "two: orders"],
    ]) {
        let feed = lane.feed_counters(venue).unwrap();
        let (_, [entry, ..]) = world.wires(Seat::FIRST, venue);
        let far_end = world.venue(Place(venue.0.into())).stats();
        all.extend([(gaps, feed.gaps), (losses, feed.lost), (splices, feed.snapshots_ended), (cuts, entry.cuts)]);
        all.extend([(hang_ups, far_end.hang_ups), (fills, world.account(Seat::FIRST, venue).counts().fills)]);
        all.insert(orders, world.account(Seat::FIRST, venue).chains().len() as u64);
    }
    let feed = lane.feed_counters(FAR).unwrap();
    let (_, [entry, _, stream]) = world.wires(Seat::FIRST, FAR);
    let far_end = world.venue(Place(2)).stats();
    let heard = world.account(Seat::FIRST, FAR);
    all.extend([
        ("levels: numbers out of order", feed.gaps),
        ("levels: snapshots", feed.snapshots_ended),
        ("levels: connections that failed", feed.snapshot_failures),
        ("levels: connections", far_end.levels.connections),
        ("levels: torn", far_end.levels.torn),
        ("levels: stalled", far_end.levels.stalled),
        ("levels: skipped", far_end.levels.skipped),
        ("levels: garbled", far_end.levels.garbled),
        ("levels: lost", far_end.levels.lost),
        ("levels: streams cut", stream.cuts),
        ("levels: streams half open", stream.half_opens),
        ("levels: refused", stream.refused),
        ("levels: chunks held up", stream.stalls),
        ("levels: order entry cut", entry.cuts),
        ("levels: orders", heard.chains().len() as u64),
        ("levels: fills", heard.counts().fills),
        ("books equal in flight", world.stats().audited_books),
        ("comparisons with the wire", world.stats().compared),
        ("kills", world.tape(Seat::FIRST).counts().kills),
    ]);
    all
}

/// Runs every seed to its end, and adds up what happened. Every seed that fails is named.
fn try_all(seeds: Range<u64>, run: impl Fn(u64) -> Many) -> BTreeMap<&'static str, u64> {
    let mut sum: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut failures = Vec::new();
    for seed in seeds {
        match run(seed).go() {
            Ok(world) => {
                happenings(&world).into_iter().for_each(|(what, times)| *sum.entry(what).or_default() += times)
            }
            Err(failure) => failures.push(failure),
        }
    }
    assert!(failures.is_empty(), "{} runs failed:\n{}", failures.len(), failures.join("\n"));
    sum
}

#[test]
fn two_venues_of_orders_and_one_of_levels_reconcile_under_heavy_faults_of_each() {
    every(&try_all(seeds(0..24), Many::heavy), &[]);
}

#[test]
fn without_faults_all_three_are_whole_from_beginning_to_end() {
    let sum = try_all(0..2, |seed| Many { faults: [Faults::None; 3], deeds: Faults::None, ..Many::heavy(seed) });
    for what in ["one: gaps", "two: gaps", "levels: numbers out of order", "levels: connections that failed", "kills"] {
        assert_eq!(sum[what], 0, "{what}");
    }
    assert_eq!(sum["levels: connections"], 2);
    assert!(sum["one: fills"] > 0 && sum["two: fills"] > 0 && sum["levels: fills"] > 0, "{sum:?}");
}

/// What is wrong at one venue makes that venue's books stale, and no others.
#[test]
fn what_is_wrong_at_one_venue_stales_its_own_books_alone() {
    for sick in 0..3 {
        let mut stale = 0;
        for seed in 0..2 {
            let mut faults = [Faults::None; 3];
            faults[sick] = Faults::Heavy;
            let run = Many { faults, deeds: Faults::None, ..Many::heavy(seed) };
            let mut world = run.world(None);
            let mut was_fresh = [false; 3];
            let outcome = world.run_and_look(|world| {
                if world.now() > Mono(0).after(run.trade_for) {
                    return;
                }
                let lane = world.lane(Seat::FIRST);
                for (at, was) in was_fresh.iter_mut().enumerate() {
                    let rows = (0..).map(InstrumentId).zip(lane.instruments().rows());
                    let mut own = rows.filter(|(_, row)| usize::from(row.venue.0) == at);
                    let market = lane.markets().get(VenueId(at as u8)).unwrap();
                    let fresh = market.books.shared_freshness().is_fresh()
                        && own.all(|(id, _)| lane.book(id).freshness().is_fresh());
                    assert!(at == sick || fresh || !*was, "venue {at} at {:?}, and {sick} is sick", world.now());
                    stale += u64::from(at == sick && *was && !fresh);
                    *was |= fresh;
                }
            });
            assert!(outcome.is_ok() && world.reconcile().is_empty(), "{outcome:?}");
            assert_eq!(was_fresh, [true; 3]);
        }
        assert!(stale > 0, "{sick} was never stale");
    }
}

#[test]
fn the_third_ones_books_are_of_levels() {
    let mut world = Many { faults: [Faults::None; 3], deeds: Faults::None, ..Many::heavy(1) }.world(None);
    world.step_until(Mono(0).after(Nanos::from_millis(200))).unwrap();
    let lane = world.lane(Seat::FIRST);
    let count = |venue, kind| {
        let rows = (0..).map(InstrumentId).zip(lane.instruments().rows()).filter(|(_, row)| row.venue == venue);
        rows.filter(|(id, _)| lane.book(*id).kind() == Some(kind)).count()
    };
    let all = [ONE, TWO, FAR].map(|venue| [count(venue, BookKind::Orders), count(venue, BookKind::Levels)]);
    assert_eq!(all, [[6, 0], [6, 0], [0, 6]]);
}

/// Lanes of one firm, which meet one another in three markets.
#[test]
fn several_lanes_at_the_same_venues_reconcile() {
    let (mut prevented, mut orders) = (0, 0);
    for seed in seeds(0..4) {
        let world = Many { lanes: 2, ..Many::heavy(seed) }.go().unwrap();
        for seat in [Seat(0), Seat(1)] {
            let heard = [ONE, TWO, FAR].map(|venue| world.account(seat, venue).counts());
            prevented += heard.iter().map(|counts| counts.prevented).sum::<u64>();
            orders += [ONE, TWO, FAR]
                .map(|venue| u64::from(!world.account(seat, venue).chains().is_empty()))
                .iter()
                .sum::<u64>();
        }
    }
    assert!(quick() || prevented > 0 && orders > 12, "{prevented} {orders}");
}

#[test]
fn a_seed_reproduces_all_lanes_bit_for_bit() {
    let summary = |seed| {
        let mut world = Many { lanes: 2, ..Many::heavy(seed) }.world(None);
        world.run(|_| ()).unwrap();
        [Seat(0), Seat(1)].map(|seat| {
            let said = world.recorder(seat).summary();
            (said.inputs.get(), said.effects.get(), said.tape.get(), said.state.get())
        })
    };
    assert_eq!(summary(3), summary(3));
    assert_ne!(summary(3), summary(4));
}
