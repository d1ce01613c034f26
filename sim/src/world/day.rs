//! The usual day of a world: trade, rest, end.

use super::{Deed, MarketData, Network, Place, Seat, Tap, Wire, World, WorldError};
use crate::exchange::Exchange;
use crate::far_end::{self, FarEnd, FarEndConfig, Login};
use crate::net::Faults;
use crate::reconcile;
use crate::rng::Rng;
use crate::venue::acceptor::PortConfig;
use firelane_gateway::base::{InstrumentId, Mono, Nanos};
use firelane_gateway::flow::Input;
use firelane_gateway::flow::command::{Command, CommandBytes, Word};
use firelane_gateway::flow::wire::ouch50::AiqStrategy;
use firelane_gateway::flow::wire::soupbintcp::Password;
use firelane_gateway::shell::lane::Recorder;

/// What a day is made of, besides lanes and exchanges.
#[derive(Clone, Debug)]
pub struct WorldConfig {
    /// Seed of the network, the servers and the commands.
    pub seed: u64,
    /// How bad the servers are, and whether somebody throws the kill switch, changes sessions, hangs up.
    pub faults: Faults,
    /// How bad the network is.
    pub network: Network,
    /// How long the market trades.
    pub trade_for: Nanos,
    /// How long it may take until all is at rest afterwards.
    pub rest_within: Nanos,
    /// The lanes come this much after the market has opened.
    pub late_by: Nanos,
    /// How often to check what must hold at every moment; zero is never.
    pub audit_every: Nanos,
    /// The order-entry port's login; the same as in the exchange's [`PortConfig`].
    pub orders: Login,
    /// The snapshot server's login.
    pub snapshot: Login,
}

impl WorldConfig {
    /// The usual run: two minutes to come to rest, forty audits, and under heavy faults now and then a late start.
    #[must_use]
    pub fn new(seed: u64, faults: Faults, trade_for: Nanos) -> Self {
        let mut rng = Rng::new(seed, "world");
        let late = faults == Faults::Heavy && rng.coin();
        let late_by = if late { Nanos(rng.between(1, trade_for.0 / 4)) } else { Nanos(0) };
        WorldConfig {
            seed,
            faults,
            network: Network::under(faults),
            trade_for,
            rest_within: Nanos::from_secs(120),
            late_by,
            audit_every: Nanos(trade_for.0 / 40),
            orders: Login { username: *b"FIRE  ", password: *b"ORDERS    " },
            snapshot: Login { username: *b"FIRE  ", password: *b"SNAPSHOT  " },
        }
    }

    /// The port that goes with it: cancels on disconnect, one firm whose orders do not trade with each other, short sales
    /// need a locate.
    #[must_use]
    pub fn port(&self, firm: [u8; 4]) -> PortConfig {
        let mut port = PortConfig::new(self.orders.username, self.orders.password, *b"ORDERS0001", firm);
        port.entitlements.locate_required = true;
        port.entitlements.aiq = AiqStrategy::FIRM_DECREMENT;
        port
    }

    /// The wire that goes with it, to a venue whose ports and snapshot server have its logins.
    #[must_use]
    pub fn wire(&self, place: Place, port: u16) -> Wire {
        let passwords = [Password(self.orders.password), Password(self.snapshot.password)];
        Wire { network: self.network, passwords, ..Wire::new(place, port) }
    }
}

/// Where a day stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Trading,
    /// The lanes are shut down; until then all must be at rest.
    Resting(Mono),
    /// And the market-data sessions are being ended.
    Ending(Mono),
}

/// A day that is planned.
#[derive(Debug)]
pub(super) struct Day {
    pub(super) phase: Phase,
    rest_within: Nanos,
    audit_every: Nanos,
}

/// The faults go on for so long after trading has ended.
const HEAL_AFTER: Nanos = Nanos::from_millis(500);

impl World {
    /// A lane at a venue, and their day: what [`run`](Self::run) runs.
    #[must_use]
    pub fn of_one(config: &WorldConfig, lane: Recorder, exchange: Box<dyn Exchange>) -> Self {
        let around = FarEndConfig::under(config.faults, config.seed, config.snapshot);
        let mut world = World::new(config.seed);
        let place = world.add_venue(FarEnd::new(around, exchange, Mono(0)));
        world.add_lane(lane, &[config.wire(place, 0)]);
        world.plan_day(config);
        world
    }

    /// Plans a day of all lanes and venues that were added: when the lanes start and, under heavy faults, when somebody
    /// throws a lane's kill switch, a venue changes its market-data session or hangs up.
    pub fn plan_day(&mut self, config: &WorldConfig) {
        let WorldConfig { seed, faults, trade_for, rest_within, late_by, audit_every, .. } = *config;
        let end = self.now.after(trade_for);
        let start = self.now.after(late_by);
        for lane in 0..self.lanes.len() {
            self.start(Seat(lane), start);
        }
        if audit_every.0 > 0 {
            self.plan.after(start, audit_every, Deed::Audit);
        }
        let most = if faults == Faults::Heavy { 1 + trade_for.0 / 20_000_000_000 } else { 0 };
        for number in 0..self.lanes.len().max(self.venues.len()) {
            let name = if number == 0 { "plans".to_owned() } else { format!("plans {number}") };
            let mut rng = Rng::new(seed, &name);
            if most > 0 {
                self.plan_deeds(number, &mut rng, most, (start, end));
            }
        }
        self.plan.at(end, Deed::Rest);
        self.plan.after(end, HEAL_AFTER, Deed::Heal);
        self.day = Some(Day { phase: Phase::Trading, rest_within, audit_every });
    }

    /// What happens to a venue and to a lane of the same number, as far as there are both.
    fn plan_deeds(&mut self, number: usize, rng: &mut Rng, most: u64, (start, end): (Mono, Mono)) {
        if let Some(venue) = self.venues.get_mut(number) {
            for _ in 0..rng.between(0, most) {
                venue.plan(Mono(rng.between(start.0, end.0)), far_end::Deed::ChangeSession);
            }
        }
        if number < self.lanes.len() {
            for _ in 0..rng.between(0, most) {
                let at = Mono(rng.between(start.0, end.0));
                let later = rng.exponential(Nanos::from_millis(300));
                self.command(Seat(number), at, &Command::of(Word::Kill));
                self.command(Seat(number), at.after(later), &Command::of(Word::Release));
            }
        }
        if let Some(venue) = self.venues.get_mut(number) {
            for _ in 0..rng.between(0, most) {
                venue.plan(Mono(rng.between(start.0, end.0)), far_end::Deed::HangUp);
            }
        }
    }

    /// Runs the planned day until all is at rest. `progress` is told the time now and then.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn run(&mut self, mut progress: impl FnMut(Mono)) -> Result<(), WorldError> {
        self.run_and_look(|world| progress(world.now))
    }

    /// The same; the world itself may be looked at now and then.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn run_and_look(&mut self, mut look: impl FnMut(&World)) -> Result<(), WorldError> {
        let mut looked = Mono(0);
        self.run_with(&mut |_, _, _| (), |world| {
            if world.now.since(looked) >= Nanos::from_millis(10) {
                looked = world.now;
                look(world);
            }
        })
    }

    /// The same with somebody beside the lanes: `tap` is told what they do, and `answer` is called after each step and may
    /// send commands.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn run_with(&mut self, tap: Tap<'_>, mut answer: impl FnMut(&mut World)) -> Result<(), WorldError> {
        if self.day.is_none() {
            return Err(WorldError::NotPlanned);
        }
        while !self.is_over(tap)? {
            if !self.step_with(tap)? {
                // Nothing will come to rest any more.
                self.now = Mono::NEVER;
            }
            answer(self);
        }
        self.check_venues()
    }

    pub(super) fn check_venues(&self) -> Result<(), WorldError> {
        self.venues.iter().try_for_each(FarEnd::check).map_err(WorldError::Venue)
    }

    pub(super) fn on_audit(&mut self) -> Result<(), WorldError> {
        if let Some(day) = &self.day {
            self.plan.after(self.now, day.audit_every, Deed::Audit);
        }
        self.audit()
    }

    /// Everyone else stops, and the lanes shut down.
    pub(super) fn on_rest(&mut self, tap: Tap<'_>) -> Result<(), WorldError> {
        if let Some(day) = &mut self.day {
            day.phase = Phase::Resting(self.now.after(day.rest_within));
        }
        for place in 0..self.venues.len() {
            self.venues[place].stop(self.now);
            self.carry_outputs(place, tap)?;
        }
        for seat in 0..self.lanes.len() {
            self.tell(seat, Input::Command(CommandBytes::SHUTDOWN), tap)?;
        }
        Ok(())
    }

    fn enter(&mut self, phase: Phase) {
        if let Some(day) = &mut self.day {
            day.phase = phase;
        }
    }

    /// Is all at rest? Moves on to the last part of the day on the way.
    fn is_over(&mut self, tap: Tap<'_>) -> Result<bool, WorldError> {
        let (until, waiting) = match self.phase() {
            Phase::Trading => return Ok(false),
            Phase::Resting(until) => (until, self.waiting()),
            Phase::Ending(until) => {
                let ended = self.links.iter().all(|link| self.has_ended(link));
                (until, if ended { None } else { Some("the end of the market-data session".to_owned()) })
            }
        };
        match (waiting, self.phase()) {
            (None, Phase::Resting(until)) => {
                self.enter(Phase::Ending(until));
                for place in 0..self.venues.len() {
                    self.venues[place].end_session(self.now);
                    self.carry_outputs(place, tap)?;
                }
                Ok(false)
            }
            (None, _) => Ok(true),
            (Some(waiting), _) if self.now > until => {
                let within = self.day.as_ref().map_or(Nanos(0), |day| day.rest_within);
                Err(WorldError::NotAtRest { within, waiting })
            }
            (Some(_), _) => Ok(false),
        }
    }

    /// Has a lane heard that a venue's session has ended? On a stream there is no such word.
    fn has_ended(&self, link: &super::Link) -> bool {
        link.market == MarketData::Stream || self.lanes[link.seat].tape.has_ended(link.venue)
    }

    /// What is still waited for before the market-data sessions are ended.
    fn waiting(&self) -> Option<String> {
        let of_lanes = (0..self.lanes.len()).find_map(|seat| {
            let lane = self.lane(Seat(seat));
            if lane.is_over() {
                return None;
            }
            let live = reconcile::live_orders(lane);
            Some(format!("order entry is not over, {} orders live: {live:?}", live.len()))
        });
        of_lanes.or_else(|| self.links.iter().find_map(|link| self.waits_for_market(link)))
    }

    fn waits_for_market(&self, link: &super::Link) -> Option<String> {
        let lane = self.lanes[link.seat].lane.lane();
        let (next, head) = (lane.next_sequence(link.venue), self.head(link));
        if next != head {
            return Some(format!("the lane waits for message {next:?}, the publisher is at {head:?}"));
        }
        let rows = (0..).map(InstrumentId).zip(lane.instruments().rows()).filter(|(_, row)| row.venue == link.venue);
        let stale = rows.filter(|(id, _)| !lane.book(*id).freshness().is_fresh()).map(|(_, row)| row.name);
        let stale: Vec<String> = stale.map(|name| name.to_string()).collect();
        if stale.is_empty() { None } else { Some(format!("stale books: {}", stale.join(" "))) }
    }

    /// The number of the next thing that a venue says to a lane. `None`: it says nothing.
    pub(super) fn head(&self, link: &super::Link) -> Option<u64> {
        let venue = &self.venues[link.place];
        match link.market {
            MarketData::Lines => Some(venue.publisher().next_sequence()),
            MarketData::Stream => venue.next_frame(link.stream()?),
        }
    }
}
