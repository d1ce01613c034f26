//! A lane, a market and a world around them, from a seed.

use super::fidget::Fidget;
use firelane_gateway::base::{AccountId, ExchangeTime, Mono, Nanos, Notional, PerVenue, Qty, StrategyId, VenueId};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::action::Tags;
use firelane_gateway::flow::book::BookCapacity;
use firelane_gateway::flow::entry::{OuchConfig, OuchEntry};
use firelane_gateway::flow::feed::{FeedConfig, SnapshotConfig, Start};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::orders::OrdersConfig;
use firelane_gateway::flow::risk::{InstrumentLimits, RiskLimits, ShortSale};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::{
    ImbalanceTaker, ImbalanceTakerConfig, MarketMaker, MarketMakerConfig, Strategy,
};
use firelane_gateway::flow::venue::{Multicast, VenueParts};
use firelane_gateway::flow::wire::soupbintcp::NO_PASSWORD;
use firelane_gateway::flow::wire::soupbintcp::{ClientConfig, Password};
use firelane_gateway::shell::config::{Config, VenueConfig};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::{Effects, FileHeader};
use firelane_gateway::shell::plug::House;
use firelane_sim::exchange::{Exchange, Synthetic};
use firelane_sim::net::Faults;
use firelane_sim::order_flow::FlowConfig;
use firelane_sim::venue::acceptor::PortConfig;
use firelane_sim::world::{Network, World, WorldConfig, WorldError};
use std::io::Write;
use std::sync::{Arc, Mutex};

/// 20 November 2024.
pub(super) const DAY: u32 = 20_047;
pub(super) const INSTRUMENTS: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trader {
    Taker,
    Maker,
    Fidget,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) seed: u64,
    pub(super) trader: Trader,
    pub(super) start: Start,
    pub(super) faults: Faults,
    pub(super) trade_for: Nanos,
    /// Changes the network.
    pub(super) network: fn(&mut Network),
}

impl Run {
    /// All strategies, both ways to begin, by turns.
    pub(super) fn heavy(seed: u64) -> Self {
        Run {
            seed,
            trader: [Trader::Taker, Trader::Maker, Trader::Fidget][seed as usize % 3],
            start: if (seed / 3).is_multiple_of(2) { Start::Snapshot } else { Start::First },
            faults: Faults::Heavy,
            trade_for: Nanos::from_millis(4_000),
            network: |_| (),
        }
    }

    pub(super) fn lane(&self) -> Box<dyn Lane> {
        match self.trader {
            Trader::Taker => {
                let config = ImbalanceTakerConfig { threshold: 500_000, ..ImbalanceTakerConfig::default() };
                lane(self.start, ImbalanceTaker::new(&config, INSTRUMENTS).unwrap())
            }
            Trader::Fidget => lane(self.start, Fidget::new(self.seed)),
            Trader::Maker => lane(self.start, MarketMaker::new(&MarketMakerConfig::default(), INSTRUMENTS).unwrap()),
        }
    }

    fn config(&self) -> WorldConfig {
        let mut config = WorldConfig::new(self.seed, self.faults, self.trade_for);
        (self.network)(&mut config.network);
        config
    }

    /// For a world in which books may be wrong without looking it.
    pub(super) fn world_without_audits(&self, log: Option<&Buffer>) -> World {
        self.world_of(WorldConfig { audit_every: Nanos(0), ..self.config() }, log)
    }

    fn world_of(&self, config: WorldConfig, log: Option<&Buffer>) -> World {
        self.world_around(self.lane(), config, log)
    }

    fn world_around(&self, lane: Box<dyn Lane>, config: WorldConfig, log: Option<&Buffer>) -> World {
        let mut recorder = Recorder::new(lane);
        if let Some(log) = log {
            let header = FileHeader::new("test", "", Vec::new(), Effects::Bytes);
            recorder.log_to(log.clone(), &header).unwrap();
        }
        let exchange = exchange(2_500, vec![config.port(*b"FIRE")], self.faults, self.seed);
        World::of_one(&config, recorder, exchange)
    }

    /// Runs to the end and compares both sides.
    pub(super) fn go(&self, log: Option<&Buffer>) -> Result<World, String> {
        self.run(self.world_of(self.config(), log))
    }

    /// The same with a lane of another make.
    #[allow(dead_code)] // not every user of the rig has one
    pub(super) fn go_with(&self, lane: Box<dyn Lane>) -> Result<World, String> {
        self.run(self.world_around(lane, self.config(), None))
    }

    fn run(&self, mut world: World) -> Result<World, String> {
        let outcome = world.run(|_: Mono| ());
        let mut wrong: Vec<String> = outcome.err().iter().map(WorldError::to_string).collect();
        wrong.extend(world.reconcile().iter().map(ToString::to_string));
        if wrong.is_empty() { Ok(world) } else { Err(format!("{self:?}\n  {}", wrong.join("\n  "))) }
    }
}

/// A market of six symbols.
pub(super) fn exchange(rate: u32, ports: Vec<PortConfig>, faults: Faults, seed: u64) -> Box<dyn Exchange> {
    let flow = FlowConfig {
        symbols: 6,
        rate,
        live_orders: 500,
        halt_every: Nanos::from_secs(4),
        halt_for: Nanos::from_millis(100),
        restriction_every: Nanos::from_secs(4),
        ..FlowConfig::default()
    };
    let exchange = Synthetic::new(ExchangeTime::new(DAY, 34_200_000_000_000), flow, ports, faults, seed);
    Box::new(match faults {
        Faults::Heavy => exchange.with_tricks(*b"FIRE", seed),
        Faults::Light | Faults::None => exchange,
    })
}

pub(super) fn lane<S>(start: Start, strategy: S) -> Box<dyn Lane>
where
    S: Strategy<Imbalance> + Send + 'static,
{
    let signal = Imbalance::new(&ImbalanceConfig::default()).unwrap();
    Box::new(Gateway::new(House::new(&house(start, INSTRUMENTS), ()).with(signal, strategy).unwrap()).unwrap())
}

/// A lane's end of a Nasdaq-style venue.
pub(super) fn nasdaq(start: Start, venue: VenueId, instruments: usize) -> VenueParts<Multicast<ItchLine, OuchEntry>> {
    let mut config = house(start, instruments);
    let one = config.venues.first().clone();
    config.venues = (0..venue.0).fold(config.venues, |venues, _| venues.and(one.clone()));
    House::new(&config, ()).venue(venue).unwrap()
}

/// What lanes have of one such venue.
pub(super) fn house(start: Start, instruments: usize) -> Config {
    let snapshot = SnapshotConfig {
        username: *b"FIRE  ",
        password: Password(NO_PASSWORD),
        timeout: Nanos::from_millis(500),
        retries: 3,
        retry_after: Nanos::from_millis(50),
        slow_retry_after: Nanos::from_secs(1),
        buffer_bytes: 65_537,
    };
    let feed = FeedConfig {
        start,
        window_messages: 1 << 12,
        snapshot: Some(snapshot),
        line_timeout: Nanos::from_secs(3),
        ..FeedConfig::default()
    };
    let config = Config::parse("").unwrap();
    let venue = VenueConfig {
        day: DAY,
        books: BookCapacity { instruments, orders: 8_192, levels: 4_096, own: 256 },
        feed,
        entry: entry(),
        ..config.venues.first().clone()
    };
    Config {
        venues: PerVenue::one(venue),
        instruments,
        risk: limits(),
        orders: orders(instruments, 1),
        tags: Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() },
        ..config
    }
}

pub(super) fn limits() -> RiskLimits {
    RiskLimits {
        orders_per_second: 2_000,
        burst: 64,
        cancel_repeat: Nanos::from_millis(500),
        each: InstrumentLimits {
            max_order_qty: Qty(1_000),
            max_position: Qty(2_000),
            max_order_notional: Notional(20_000_000_000),
            short: ShortSale::Located,
            locates: Qty(10_000),
            ..RiskLimits::widest().each
        },
        ..RiskLimits::widest()
    }
}

fn entry() -> OuchConfig {
    let mut entry = OuchConfig::new(ClientConfig::new(*b"FIRE  ", Password(NO_PASSWORD)));
    entry.firm = Some(*b"FIRE");
    entry.locate_broker = Some(*b"FIRE");
    entry.reconnect_delay = Nanos::from_millis(100);
    entry
}

pub(super) fn orders(instruments: usize, venues: u8) -> OrdersConfig {
    OrdersConfig {
        capacity: 64,
        retained: 512,
        fills: 4_096,
        instruments: instruments as u32,
        venues,
        first_id: 1,
        request_timeout: Nanos::from_millis(200),
    }
}

/// A file in memory that two hold.
#[derive(Clone, Default, Debug)]
pub(super) struct Buffer(pub(super) Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
