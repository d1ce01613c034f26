//! Layout split: feed and core on a thread each, and a ring between them.

use super::core_side::{CoreSide, Market};
use super::crossing::{CoreGone, Frame, Patience, Writer, read};
use super::market_side::{Back, BackChannel, Heard, MarketSide};
use super::{FeedEnd, Finished, LaneEnd};
use crate::base::{Mono, Nanos, PerVenue, VenueId};
use crate::flow::feed::Feed;
use crate::flow::outbox::{Outbox, Progress};
use crate::flow::record::{StatusBody, VenueStatusBody};
use crate::flow::session::SessionInput;
use crate::flow::venue::{Feeds, Venue};
use crate::flow::wiring::Wiring;
use crate::flow::{CommandBuf, Core, Gateway, Input, Machine};
use crate::shell::agent::{Agent, AgentError};
use crate::shell::counters::Tally;
use crate::shell::lane::{self, Lane};
use crate::shell::ring::{FrameReader, FrameWriter};
use crate::shell::sync::Stop;
use crate::shell::trace::Traced;
use crossbeam_queue::ArrayQueue;
use std::sync::{Arc, Mutex, PoisonError};

/// Room in the ring that an input of the feed's needs to be taken: itself, and the first of what it releases. For the rest
/// the feed waits in the middle of it: the core is at work.
const RESERVE: usize = 1 << 18;
/// Inputs of the feed's in one duty cycle of the core, before the order session's turn.
const INPUTS: usize = 32;

/// The feed, the market's sockets, and the writing end of the ring.
pub(super) struct FeedAgent<F: Feed> {
    feed: Feeds<F>,
    market: MarketSide,
    out: Outbox,
    ring: Writer,
    /// Snapshots that are wanted, as commands.
    asks: Arc<ArrayQueue<CommandBuf>>,
    deadline: Mono,
    counters: Tally,
    status_at: Mono,
    status_every: Nanos,
    /// Raised for the core: there is no market to take any more.
    lost: Stop,
    /// Where the feeds are left for the core at the end.
    halves: Halves<F>,
}

/// Where a feed leaves its half of the lane when it has stopped, for the core to put both together again.
pub(super) type Halves<F> = Arc<Mutex<Option<Feeds<F>>>>;

impl<F: Feed> FeedAgent<F> {
    pub(super) fn new(
        feed: Feeds<F>,
        market: MarketSide,
        ring: FrameWriter,
        asks: Arc<ArrayQueue<CommandBuf>>,
        status_every: Nanos,
        (lost, halves): (Stop, Halves<F>),
    ) -> Self {
        let (out, ring) = (Outbox::new(0), Writer::new(ring));
        let (counters, deadline, status_at) = (Tally::new(), Mono(0), Mono(0));
        FeedAgent { feed, market, out, ring, asks, deadline, counters, status_at, status_every, lost, halves }
    }

    fn report(&mut self, now: Mono) -> Result<(), CoreGone> {
        if now >= self.status_at {
            self.status_at = now.after(self.status_every);
            let mut status = StatusBody::default();
            lane::feed_status(&self.feed, &mut status);
            self.ring.status(&status)?;
            if self.feed.count() > 1 {
                for (venue, _) in self.feed.iter() {
                    let mut status = VenueStatusBody { venue: venue.0, ..VenueStatusBody::default() };
                    lane::feed_status_at(&self.feed, venue, &mut status);
                    self.ring.venue_status(&status)?;
                }
            }
            self.counters.clear();
            self.market.counters(&mut self.counters);
            lane::feed_counters(&self.feed, &mut self.counters);
            self.ring.counters(self.counters.body())?;
        }
        Ok(())
    }
}

/// One input of the feed's, and all that it releases, over the ring.
#[inline]
fn cross<F: Feed>(
    feed: &mut Feeds<F>,
    out: &mut Outbox,
    ring: &mut Writer,
    back: &mut BackChannel,
    (now, input): (Mono, Input<'_>),
) -> Result<bool, CoreGone> {
    feed.on_input(now, input, out);
    ring.input(now, &input)?;
    if !out.is_empty() {
        out.outputs().for_each(|output| back.take(now, &output));
        ring.effects(out)?;
        out.clear();
    }
    let bytes = match input {
        Input::Packet(_, bytes) | Input::Session(_, _, SessionInput::Bytes(bytes)) => bytes,
        _ => &[],
    };
    if let Machine::Feed(venue) = input.machine() {
        while let Some(release) = feed.next(venue, bytes) {
            ring.release(&release)?;
        }
    }
    ring.end()?;
    Ok(ring.has_room(RESERVE))
}

impl<F: Feed + Send> Agent for FeedAgent<F> {
    fn name(&self) -> &'static str {
        super::HALVES[0]
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let worked = self.cycle();
        if worked.is_err() {
            self.lost.stop();
        }
        worked
    }
}

impl<F: Feed> FeedAgent<F> {
    /// One duty cycle.
    fn cycle(&mut self) -> Result<usize, AgentError> {
        if !self.ring.has_room(RESERVE) {
            return Ok(0);
        }
        let FeedAgent { feed, market, out, ring, asks, .. } = self;
        let mut work = market.poll(|now, heard, back| match heard {
            Heard::Input(input) => Ok(cross(feed, out, ring, back, (now, input))?),
            Heard::Link(link) => Ok(ring.link(link).map(|()| true)?),
        })?;
        let now = market.clock.now();
        market.pace.tick(now);
        if let Some(command) = asks.pop() {
            cross(feed, out, ring, &mut market.back, (now, Input::Command(command.bytes())))?;
            work += 1;
        }
        if work > 0 || now >= self.deadline {
            if let Some(venue) = feed.due(now) {
                cross(feed, out, ring, &mut market.back, (now, Input::Timer(Machine::Feed(venue))))?;
                work += 1;
            }
            self.deadline = feed.next_deadline();
        }
        self.report(now)?;
        Ok(work)
    }
}

impl<F: Feed + Send> FeedEnd for FeedAgent<F> {
    fn hand_over(self: Box<Self>) {
        // Its end of the ring goes with it: what it wrote last is there.
        let FeedAgent { feed, halves, .. } = *self;
        *halves.lock().unwrap_or_else(PoisonError::into_inner) = Some(feed);
    }
}

/// What the feed said of itself last, on its way over the ring.
#[derive(Default)]
struct FeedSays {
    status: StatusBody,
    /// Of each venue, where there are several.
    venues: PerVenue<VenueStatusBody>,
    counters: Tally,
}

impl Market for FeedSays {
    fn status(&self, into: &mut StatusBody) {
        *into = self.status;
    }

    fn venue_status(&self, venue: VenueId, into: &mut VenueStatusBody) {
        if let Some(said) = self.venues.get(venue) {
            *into = VenueStatusBody { venue: venue.0, ..*said };
        }
    }

    fn counters(&self, into: &mut Tally) {
        into.append(self.counters.body());
    }
}

/// The core, the order session, log and tape, and the reading end of the ring.
pub(super) struct CoreAgent<W: Wiring> {
    core: Core<W>,
    side: CoreSide,
    /// Given up when the core cannot go on: a feed that waits for room sees that nobody reads any more.
    ring: Option<FrameReader>,
    asks: Arc<ArrayQueue<CommandBuf>>,
    feed: FeedSays,
    deadline: Mono,
    /// Raised by the feed: there is no market to take any more.
    feed_lost: Stop,
    halves: Halves<<W::Venue as Venue>::Feed>,
}

impl<W: Wiring> CoreAgent<W>
where
    W::Probe: Traced,
{
    pub(super) fn new(
        core: Core<W>,
        side: CoreSide,
        ring: FrameReader,
        asks: Arc<ArrayQueue<CommandBuf>>,
        (feed_lost, halves): (Stop, Halves<<W::Venue as Venue>::Feed>),
    ) -> Self {
        let venues = core.markets().map(|_, _| VenueStatusBody::default());
        let (feed, deadline) = (FeedSays { venues, ..FeedSays::default() }, Mono(0));
        CoreAgent { core, side, ring: Some(ring), asks, feed, deadline, feed_lost, halves }
    }

    /// One duty cycle.
    fn cycle(&mut self) -> Result<usize, AgentError> {
        let mut work = self.side.tell_time(&mut self.core, &mut ());
        if self.side.takes_market() {
            work += self.cross()?;
            if self.feed_lost.is_stopped() && self.ring.as_ref().is_none_or(FrameReader::is_empty) {
                self.side.end();
            }
        } else {
            work += self.side.tend(&mut self.core, &mut ())?;
            if self.side.has_lost_log() {
                // Nothing more is taken from it, and the feed is not to wait for that.
                self.ring = None;
            }
        }
        self.side.nothing_yet = work == 0;
        work += self.side.serve(&mut self.core, &mut ());
        if let Some(wish) = self.side.take_wish()
            && let Err(wish) = self.asks.push(wish)
        {
            self.side.keep_wish(wish);
        }
        let now = self.side.clock.now();
        self.side.pace.tick(now);
        if work > 0 || now >= self.deadline {
            work += self.side.core_timers(&mut self.core, &mut (), now, 1);
            self.deadline = self.core.next_deadline();
        }
        self.side.report(&self.core, &self.feed, now);
        Ok(work)
    }

    /// Takes inputs of the feed's, each to its end.
    fn cross(&mut self) -> Result<usize, AgentError> {
        let mut inputs = 0;
        // The input at hand, without its bytes: the core has no use for those of the feed's.
        let mut at_hand: Option<(Mono, Input<'static>)> = None;
        let mut patience = Patience::default();
        while inputs < INPUTS || at_hand.is_some() {
            let Some(ring) = &mut self.ring else { break };
            let Some(frame) = ring.read() else {
                if at_hand.is_none() {
                    break;
                }
                // The feed is in the middle of it.
                if ring.is_abandoned() {
                    return Err("the feed has stopped in the middle of an input".into());
                }
                patience.wait();
                continue;
            };
            let frame = read(&frame).ok_or("a frame that no feed writes has crossed")?;
            let (core, side) = (&mut self.core, &mut self.side);
            match (frame, at_hand) {
                (Frame::Input(now, input), None) => {
                    inputs += 1;
                    core.begin(now, input, &mut side.out);
                    let written = side.journal.input(core.inputs(), now, &input);
                    side.kept(written);
                    at_hand = Some((now, without_bytes(input)));
                }
                (Frame::Effect(kind, tag, bytes), Some((now, _))) => {
                    let written = side.journal.effect(core.inputs(), now, kind, tag, bytes);
                    side.kept(written);
                }
                (Frame::Release(release), Some((now, input))) => {
                    let Machine::Feed(venue) = input.machine() else {
                        return Err("something was released of an input that is no feed's".into());
                    };
                    finish(core, side, now, input);
                    core.on_release(venue, release, &mut side.out);
                    finish(core, side, now, input);
                }
                (Frame::End, Some((now, input))) => {
                    finish(core, side, now, input);
                    let written = side.journal.done(core.inputs(), now);
                    side.kept(written);
                    at_hand = None;
                }
                (Frame::Status(status), _) => self.feed.status = status,
                (Frame::VenueStatus(status), _) => {
                    let said = self.feed.venues.get_mut(VenueId(status.venue));
                    *said.ok_or("a status of a venue that the lane has not has crossed")? = status;
                }
                (Frame::Counters(body), _) => {
                    self.feed.counters.clear();
                    self.feed.counters.append(body);
                }
                (Frame::Link(link), None) => side.link(link, side.clock.now()),
                _ => return Err("frames have crossed out of their order".into()),
            }
            if at_hand.is_none() && !self.side.takes_market() {
                break;
            }
        }
        Ok(inputs)
    }
}

/// All that the core still has to do before the next release.
#[inline]
fn finish<W: Wiring>(core: &mut Core<W>, side: &mut CoreSide, now: Mono, input: Input<'_>)
where
    W::Probe: Traced,
{
    loop {
        let progress = core.run(input, &mut side.out);
        if !side.out.is_empty() {
            side.act(now, &mut ());
            side.write_down(core, core.inputs(), now);
        }
        if progress == Progress::Done {
            return;
        }
    }
}

/// What the core needs to know of an input of the feed's.
fn without_bytes(input: Input<'_>) -> Input<'static> {
    match input {
        Input::Packet(arrival, _) => Input::Packet(arrival, &[]),
        Input::Session(venue, session, _) => Input::Session(venue, session, SessionInput::Bytes(&[])),
        Input::Clock(offset) => Input::Clock(offset),
        // A command has been heard; only whose it was counts.
        Input::Command(_) | Input::Timer(_) => Input::Timer(input.machine()),
    }
}

impl<W: Wiring + 'static> LaneEnd for CoreAgent<W>
where
    Gateway<W>: Lane,
    Core<W>: Send,
    <W::Venue as Venue>::Feed: Send,
    W::Probe: Traced,
{
    fn finish(mut self: Box<Self>) -> Finished {
        // What is still in the ring is taken first, room in the log or not, so that the log holds every input that the feed took.
        while self.ring.as_ref().is_some_and(|ring| !ring.is_empty())
            && !self.side.has_lost_log()
            && self.cross().is_ok()
        {}
        let CoreAgent { core, side, halves, .. } = *self;
        let feeds = halves.lock().unwrap_or_else(PoisonError::into_inner).take();
        let lane = Gateway::join(feeds.expect("the feed has handed its half over before"), core);
        Finished { lane: Box::new(lane), written: side.into_journal(), failed: None }
    }
}

impl<W: Wiring> Agent for CoreAgent<W>
where
    Core<W>: Send,
    <W::Venue as Venue>::Feed: Send,
    W::Probe: Traced,
{
    fn name(&self) -> &'static str {
        super::HALVES[1]
    }

    fn do_work(&mut self) -> Result<usize, AgentError> {
        let worked = self.cycle();
        if worked.is_err() {
            self.ring = None;
        }
        worked
    }
}
