//! A thousand worlds in one process: each with a market, a lane and a network of its own, small by configuration.

use firelane_gateway::base::{AccountId, ExchangeTime, InstrumentTable, Mono, Nanos, PerVenue, StrategyId, VenueId};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::action::Tags;
use firelane_gateway::flow::book::{BookCapacity, Books};
use firelane_gateway::flow::entry::{OuchConfig, OuchEntry};
use firelane_gateway::flow::feed::{FeedConfig, Mold};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::{Orders, OrdersConfig};
use firelane_gateway::flow::risk::{Gate, RiskLimits};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::{ImbalanceTaker, ImbalanceTakerConfig};
use firelane_gateway::flow::trading::{Trading, TradingConfig};
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wire::soupbintcp::{ClientConfig, NO_PASSWORD, Password};
use firelane_gateway::flow::wiring::{Parts, Policy, Wiring};
use firelane_gateway::shell::lane::Recorder;
use firelane_sim::exchange::Synthetic;
use firelane_sim::far_end::{FarEnd, FarEndConfig};
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::world::{Place, Seat, World, WorldConfig};

struct Small;

impl Wiring for Small {
    type Venue = Multicast<ItchLine, OuchEntry>;
    type Signal = Imbalance;
    type Strategy = ImbalanceTaker;
    type Probe = ();
}

const DAY: u32 = 20_047;

fn lane() -> Recorder {
    let mut entry = OuchConfig::new(ClientConfig::new(*b"FIRE  ", Password(NO_PASSWORD)));
    entry.firm = Some(*b"FIRE");
    let feed = FeedConfig { window_messages: 64, ..FeedConfig::default() };
    let orders = OrdersConfig {
        capacity: 8,
        retained: 8,
        fills: 32,
        instruments: 2,
        venues: 1,
        first_id: 1,
        request_timeout: Nanos::from_millis(500),
    };
    let parts = Parts {
        lane: 0,
        tags: Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() },
        venues: PerVenue::one(VenueParts {
            feed: Mold::new(feed).unwrap(),
            line: ItchLine::with_locates(DAY, 8),
            books: Books::new(BookCapacity { instruments: 2, orders: 256, levels: 128, own: 16 }),
            trading: Trading::new(TradingConfig::default(), 2),
            entry: OuchEntry::new(entry).unwrap(),
        }),
        instruments: InstrumentTable::new(&[], 2, true),
        signal: Imbalance::new(&ImbalanceConfig::default()).unwrap(),
        strategy: ImbalanceTaker::new(&ImbalanceTakerConfig::default(), 2).unwrap(),
        gate: Gate::new(&RiskLimits::widest(), 2).unwrap(),
        orders: Orders::new(&orders).unwrap(),
        probe: (),
        policy: Policy::default(),
    };
    Recorder::with_outbox(Box::new(Gateway::<Small>::new(parts).unwrap()), 0)
}

fn world(seed: u64) -> World {
    let config = WorldConfig::new(seed, Faults::None, Nanos::from_secs(1));
    let flow = FlowConfig { symbols: 1, rate: 400, live_orders: 60, opening_orders: 20, ..FlowConfig::default() };
    let epoch = ExchangeTime::new(DAY, 34_200_000_000_000);
    let market = Synthetic::new(epoch, flow, vec![config.port(*b"FIRE")], Faults::None, seed);
    let mut world = World::new(seed);
    let around = FarEndConfig::under(Faults::None, seed, config.snapshot);
    let place = world.add_venue(FarEnd::new(around, Box::new(market), Mono(0)));
    let seat = world.add_lane(lane(), &[config.wire(place, 0)]);
    world.start(seat, Mono(0));
    world
}

/// Bytes of this process in memory, where the system says it (Linux).
fn resident() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    text.split_whitespace().nth(1)?.parse::<u64>().ok().map(|pages| pages * 4_096)
}

#[test]
fn a_thousand_worlds_fit_in_one_process() {
    const WORLDS: u64 = 1_000;
    /// Of one, in bytes.
    const MOST: u64 = 768 * 1024;
    let before = resident();
    let mut worlds: Vec<World> = (0..WORLDS).map(world).collect();
    // Side by side, as environments to learn in are driven.
    for step in 1..=4 {
        for world in &mut worlds {
            world.step_until(Mono(0).after(Nanos::from_millis(25 * step))).unwrap();
        }
    }
    for world in &worlds {
        let lane = world.lane(Seat::FIRST);
        let head = world.venue(Place::FIRST).publisher().next_sequence();
        assert!(head > 5 && lane.next_sequence(VenueId::FIRST).is_some_and(|next| next + 3 >= head));
        assert_eq!(lane.instruments().rows().len(), 1);
    }
    let (Some(before), Some(after)) = (before, resident()) else { return };
    let each = after.saturating_sub(before) / WORLDS;
    println!("{} KiB for each of {WORLDS} worlds", each / 1024);
    assert!(each < MOST, "{each} bytes for each world");
}
