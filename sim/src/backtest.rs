//! A lane on a recorded day: its orders fill virtually behind what was recorded (see [`playthrough`](crate::playthrough)),
//! after constant or drawn latencies.
//!
//! ```text
//!   recording ──at its own stamps──> lane ──order latency──> port ──> virtual fills
//!       └── or a history of events        ^──answer latency──┘
//! ```
//!
//! It is a small user of [`World`]: one venue, whose market is the recording, one lane, and wires without faults. Each message
//! reaches the lane at the message's own stamp (or later, if market data takes time), alone in its packet: a strategy decides
//! after each message, so that packing changes nothing. At one instant the recording comes first, then what is under way, then
//! timers. Order entry logs in before the first message; the run ends a round trip after the last one.
//!
//! A recording is messages of ITCH 5.0 behind two-byte lengths (`BinaryFILE`). History that has no bytes, normalised
//! [events](firelane_gateway::flow::event::Event) of orders or of levels, is [written down](History) as the messages that would
//! have said it: there is no second way into a lane, and a log of a backtest verifies like any other. A lane that follows levels
//! gets them over a stream ([`MarketData::Stream`]).
//!
//! `examples/backtest.rs` of this package is a whole one.

mod history;

pub use history::{History, Unsayable};

use crate::capture::binary_file::Messages;
use crate::clock::utc_offset;
use crate::far_end::{FarEnd, FarEndConfig, Login};
use crate::net::Faults;
use crate::playthrough::{RecordedDay, time_of};
use crate::venue::acceptor::PortConfig;
use crate::venue::levels::LevelsConfig;
use crate::venue::publisher::PublisherConfig;
use crate::world::{MarketData, Network, Place, Seat, Tap, Wire, World, WorldError};
use firelane_gateway::base::{ExchangeTime, Mono, Nanos};
use firelane_gateway::flow::feed::{FeedConfig, RerequestConfig, Start};
use firelane_gateway::flow::wire::itch50::codes;
use firelane_gateway::flow::wire::soupbintcp::{NO_PASSWORD, Password};
use firelane_gateway::shell::lane::{Lane, Recorder};

/// What a backtest is made of, besides a lane and a recording.
#[derive(Clone, Debug)]
pub struct BacktestConfig {
    /// Seed of what is drawn.
    pub seed: u64,
    /// The session's date, in days since 1970-01-01. 0: not known, and then the lane is not told universal time.
    pub day: u32,
    /// The market that was recorded (`Q` Nasdaq, `B` BX, `X` PSX): whose own halts count.
    pub market: u8,
    /// Where the lane's orders go.
    pub port: PortConfig,
    /// How long each way takes, and what is drawn of it.
    pub network: Network,
    /// Over what the lane follows the market.
    pub data: MarketData,
}

impl BacktestConfig {
    /// Order by order, on Nasdaq, at a port that asks for a blank password. Market data takes no time, orders take `order`,
    /// and what the port answers takes `answer`.
    #[must_use]
    pub fn new(day: u32, username: [u8; 6], firm: [u8; 4], order: Nanos, answer: Nanos) -> Self {
        BacktestConfig {
            seed: 1,
            day,
            market: codes::market::NASDAQ,
            port: PortConfig::new(username, NO_PASSWORD, *b"RECORDING1", firm),
            network: Network::fixed(Nanos(0), order, answer),
            data: MarketData::Lines,
        }
    }
}

/// The feed of a lane on a recorded day: one line, which nothing else heals, and whose quiet times are no silence.
#[must_use]
pub fn feed(usual: FeedConfig) -> FeedConfig {
    FeedConfig {
        session: None,
        start: Start::First,
        lines: 1,
        line_timeout: Nanos(u64::MAX),
        rerequest: RerequestConfig { enabled: false, ..usual.rerequest },
        snapshot: None,
        ..usual
    }
}

/// Why a backtest does not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// There was no time for order entry.
    #[error("order entry is not ready when the recording begins: are the latencies beyond its timeouts?")]
    NotReady,
    /// The world does not go on.
    #[error(transparent)]
    World(#[from] WorldError),
}

/// A backtest before, in, or after its run.
#[derive(Debug)]
pub struct Backtest {
    world: World,
    /// When the first message comes; `None`: there is none, or it has come.
    first: Option<Mono>,
    round_trip: Nanos,
    /// When it is over, once the recording is.
    end: Option<Mono>,
}

impl Backtest {
    /// A lane on a recorded day. Others are missing before the messages of these numbers (from 0): one that never comes is
    /// as good as many.
    ///
    /// The world is not judged by an account of the wire ([`World::set_judged`]): who wants that asks for it.
    #[must_use]
    pub fn new<B>(config: &BacktestConfig, recording: B, losses: Vec<u64>, lane: Recorder) -> Self
    where
        B: AsRef<[u8]> + Send + 'static,
    {
        let BacktestConfig { seed, day, market, port, network, data } = config;
        // A date is there so that nothing lies before it; order entry tells the time of day alone.
        let midnight = ExchangeTime::new((*day).max(1), 0);
        let first = Messages::new(recording.as_ref()).next().and_then(Result::ok).map(|m| time_of(m, midnight));
        let [orders, ..] = network.sessions;
        let back = orders.back.unwrap_or(orders.delay);
        let round_trip = Nanos(orders.delay.0.saturating_add(back.0));
        // Time for all there is to say before order entry is ready.
        let slowest = round_trip.0.saturating_add(orders.jitter.0.saturating_mul(16));
        let lead = 10_000_000_000 + slowest.saturating_mul(16);
        let epoch = ExchangeTime(first.unwrap_or(midnight).0.saturating_sub(lead));
        let recorded = RecordedDay::new(recording, epoch, *market, vec![port.clone()]).with_losses(losses);
        let login = Login { username: port.login.username, password: NO_PASSWORD };
        let mut around = FarEndConfig::under(Faults::None, *seed, login);
        around.publisher = PublisherConfig::at_once();
        if *data == MarketData::Stream {
            around = around.with_levels(LevelsConfig::under(Faults::None, midnight.day()));
        }
        let mut world = World::new(*seed);
        world.set_judged(false);
        let place = world.add_venue(FarEnd::new(around, Box::new(recorded), Mono(0)));
        let passwords = [port.login.password, Password(NO_PASSWORD)];
        let wire = Wire { network: *network, market: *data, passwords, ..Wire::new(place, 0) };
        let seat = world.add_lane(lane, &[wire]);
        if *day > 0 {
            world.set_utc(seat, utc_offset(epoch));
        }
        world.start(seat, Mono(0));
        Backtest { world, first: first.map(|first| Mono(first.since(epoch).0)), round_trip, end: None }
    }

    /// Runs to the end.
    ///
    /// # Errors
    /// [`BacktestError`].
    pub fn run(&mut self) -> Result<(), BacktestError> {
        self.run_with(&mut |_, _, _| ())
    }

    /// The same; `tap` is told what the lane does.
    ///
    /// # Errors
    /// [`BacktestError`].
    pub fn run_with(&mut self, tap: Tap<'_>) -> Result<(), BacktestError> {
        while self.step_with(tap)? {}
        Ok(())
    }

    /// Goes on to the next instant at which something happens; first of all to the beginning of the recording. False: it is
    /// over.
    ///
    /// # Errors
    /// [`BacktestError`].
    pub fn step_with(&mut self, tap: Tap<'_>) -> Result<bool, BacktestError> {
        if let Some(first) = self.first.take() {
            self.world.step_until_with(Mono(first.0.saturating_sub(1)), tap)?;
            return if self.lane().ready() { Ok(true) } else { Err(BacktestError::NotReady) };
        }
        if self.end.is_none() && self.world.exchange(Place::FIRST).is_over() {
            self.end = Some(self.world.now().after(self.round_trip));
        }
        match self.end {
            None => Ok(self.world.step_with(tap)?),
            Some(end) if self.world.next_deadline() <= end => Ok(self.world.step_with(tap)?),
            Some(end) => {
                self.world.step_until_with(end, tap)?;
                Ok(false)
            }
        }
    }

    /// The world that it runs in.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// The same, to be driven otherwise than to the end, or to be judged.
    pub fn world_mut(&mut self) -> &mut World {
        &mut self.world
    }

    /// The lane.
    #[must_use]
    pub fn lane(&self) -> &dyn Lane {
        self.world.lane(Seat::FIRST)
    }

    /// Ends log and tape in order, and gives the lane back.
    ///
    /// # Errors
    /// What their sinks say.
    pub fn finish(self) -> Result<Box<dyn Lane>, BacktestError> {
        let Backtest { world, .. } = self;
        let lanes = world.finish()?;
        Ok(lanes.into_iter().next().expect("it has one lane"))
    }
}
