//! Backtests: virtual fills after latencies, of recordings and of histories of events, over lines and over a stream.

#[allow(dead_code, reason = "its parts are wanted, and that it runs")]
#[path = "../../examples/backtest.rs"]
mod example;

use firelane_gateway::base::{
    AccountId, ExchangeTime, InstrumentId, InstrumentTable, Mono, Nanos, PerVenue, Price, Qty, SessionId, Side,
    StrategyId, Symbol, VenueId,
};
use firelane_gateway::flow::Gateway;
use firelane_gateway::flow::action::{Action, Enter, Tags, TimeInForce};
use firelane_gateway::flow::book::{BookCapacity, BookKind, Books};
use firelane_gateway::flow::either::Either;
use firelane_gateway::flow::entry::{OuchConfig, OuchEntry};
use firelane_gateway::flow::event::{Event, EventKind};
use firelane_gateway::flow::feed::{Direct, FeedConfig, Mold, StreamConfig};
use firelane_gateway::flow::itch_line::ItchLine;
use firelane_gateway::flow::normal_line::NormalLine;
use firelane_gateway::flow::orders::{Orders, OrdersConfig};
use firelane_gateway::flow::outbox::{Class, Output};
use firelane_gateway::flow::risk::{Gate, RiskLimits};
use firelane_gateway::flow::signal::{Imbalance, ImbalanceConfig};
use firelane_gateway::flow::strategy::{Actions, Strategy, View};
use firelane_gateway::flow::trading::{Trading, TradingConfig};
use firelane_gateway::flow::venue::VenueParts;
use firelane_gateway::flow::wire::soupbintcp::{ClientConfig, NO_PASSWORD, Password};
use firelane_gateway::flow::wiring::{Parts, Policy, Wiring};
use firelane_gateway::shell::lane::{Lane, Recorder};
use firelane_gateway::shell::log::{Effects, FileHeader};
use firelane_gateway::shell::verify::verify;
use firelane_sim::backtest::{Backtest, BacktestConfig, BacktestError, History, feed};
use firelane_sim::world::{MarketData, Seat};
use std::io::Write;
use std::sync::{Arc, Mutex};

const DAY: u32 = 20_047;

/// Bids once for 100 at the best bid when it first sees one.
#[derive(Debug, Default)]
struct Joins {
    done: bool,
}

firelane_gateway::state! { Joins { done } }

impl Strategy<Imbalance> for Joins {
    fn on_event(&mut self, id: InstrumentId, _: &Event, view: &View<'_, Imbalance>, ask: &mut Actions) {
        let (Some(best), false) = (view.book(id).top(Side::Buy), self.done) else { return };
        if view.may_trade(id).is_ok() {
            self.done = true;
            let (side, price, qty, tif) = (Side::Buy, best.price, Qty(100), TimeInForce::Day);
            ask.push(Action::Enter(Enter {
                instrument: id,
                side,
                price,
                qty,
                tif,
                post_only: false,
                tags: view.tags(),
            }));
        }
    }
}

struct Either2;

impl Wiring for Either2 {
    type Venue = (Either<Mold<ItchLine>, Direct<NormalLine>>, Either<ItchLine, NormalLine>, OuchEntry);
    type Signal = Imbalance;
    type Strategy = Joins;
    type Probe = ();
}

fn lane(data: MarketData) -> Box<dyn Lane> {
    let mut entry = OuchConfig::new(ClientConfig::new(*b"FIRE  ", Password(NO_PASSWORD)));
    entry.firm = Some(*b"FIRE");
    let stream = StreamConfig {
        timeout: Nanos::from_secs(60),
        retries: 2,
        retry_after: Nanos::from_millis(10),
        slow_retry_after: Nanos::from_millis(50),
    };
    let (feed, line) = match data {
        MarketData::Lines => {
            let usual = FeedConfig { window_messages: 64, ..FeedConfig::default() };
            (Either::First(Mold::new(feed(usual)).unwrap()), Either::First(ItchLine::new(DAY)))
        }
        MarketData::Stream => {
            (Either::Second(Direct::new(stream).unwrap()), Either::Second(NormalLine::new(VenueId::FIRST, 4).unwrap()))
        }
    };
    let parts = Parts {
        lane: 0,
        tags: Tags { account: AccountId(7), strategy: StrategyId(3), ..Tags::default() },
        venues: PerVenue::one(VenueParts {
            feed,
            line,
            books: Books::new(BookCapacity { instruments: 4, orders: 64, levels: 64, own: 8 }),
            trading: Trading::new(TradingConfig::default(), 4),
            entry: OuchEntry::new(entry).unwrap(),
        }),
        instruments: InstrumentTable::new(&[], 4, true),
        signal: Imbalance::new(&ImbalanceConfig::default()).unwrap(),
        strategy: Joins::default(),
        gate: Gate::new(&RiskLimits::widest(), 4).unwrap(),
        orders: Orders::new(&OrdersConfig {
            capacity: 16,
            retained: 16,
            fills: 64,
            instruments: 4,
            venues: 1,
            first_id: 1,
            request_timeout: Nanos::from_millis(500),
        })
        .unwrap(),
        probe: (),
        policy: Policy::default(),
    };
    Box::new(Gateway::<Either2>::new(parts).unwrap())
}

fn at(millis: u64) -> ExchangeTime {
    ExchangeTime::new(DAY, 34_200_000_000_000).after(Nanos::from_millis(millis))
}

/// 300 bid at 10.00; at 10 ms 200 join; at 20 ms 250 trade, at 30 ms 150 more, at 40 ms 60.
fn levels() -> Vec<u8> {
    let mut history = History::new(&[Symbol::new("FIRE").unwrap()]);
    history.open(at(0)).unwrap();
    let mut say = |millis, kind| {
        history.push(&Event { at: at(millis), instrument: Some(InstrumentId(0)), kind }).unwrap();
    };
    let level = |side, price, qty| EventKind::Level { side, price: Price(price), qty: Qty(qty), orders: 0 };
    let trade = |qty, trade| EventKind::Trade { qty: Qty(qty), price: Price(100_000), trade };
    say(0, level(Side::Sell, 100_200, 500));
    say(0, level(Side::Buy, 100_000, 300));
    say(10, level(Side::Buy, 100_000, 500));
    say(20, trade(250, 1));
    say(20, level(Side::Buy, 100_000, 250));
    say(30, trade(150, 2));
    say(40, trade(60, 3));
    say(50, EventKind::Info);
    say(60, level(Side::Sell, 100_200, 400));
    history.into_bytes()
}

fn settings(data: MarketData, order: Nanos, answer: Nanos) -> BacktestConfig {
    BacktestConfig { data, ..BacktestConfig::new(DAY, *b"FIRE  ", *b"FIRE", order, answer) }
}

#[test]
fn the_example_runs_and_the_same_day_gives_the_same_outcome() {
    let recording = example::recorded(Nanos::from_millis(600)).unwrap();
    let trade = |micros| example::trade(recording.clone(), Nanos::from_micros(micros)).unwrap();
    let [now, again, late] = [0, 0, 5_000].map(trade);
    assert!(now.orders > 10 && now.fills > 10, "{} {}", now.orders, now.fills);
    assert_eq!((now.orders, now.fills, now.pnl.to_bits()), (again.orders, again.fills, again.pnl.to_bits()));
    assert_ne!((now.fills, now.pnl.to_bits()), (late.fills, late.pnl.to_bits()));
}

/// Fills of the one order, and when they came, in ms since the opening.
fn fills(data: MarketData, order: Nanos, answer: Nanos) -> Vec<(u64, i64)> {
    let mut run = Backtest::new(&settings(data, order, answer), levels(), Vec::new(), Recorder::new(lane(data)));
    let (mut before, mut fills, mut sent) = (0, Vec::new(), Vec::new());
    let mut opening = None;
    loop {
        let goes_on = run
            .step_with(&mut |_, now, output| {
                if let Output::Send { session: SessionId::ORDERS, class: Class::Order, .. } = output {
                    sent.push(now);
                }
            })
            .unwrap();
        let opened = *opening.get_or_insert(run.world().now().after(Nanos(1)));
        let position = run.lane().gate().ledger().account(InstrumentId(0)).position.0;
        if position != before {
            fills.push((run.world().now().since(opened).0 / 1_000_000, position - before));
            before = position;
        }
        if !goes_on {
            break;
        }
    }
    assert_eq!(sent, [opening.unwrap()], "{data:?}");
    let kind = if data == MarketData::Lines { BookKind::Orders } else { BookKind::Levels };
    assert_eq!(run.lane().book(InstrumentId(0)).kind(), Some(kind));
    let heard = run.world().account(Seat::FIRST, VenueId::FIRST).chains().len();
    assert_eq!(heard, 0, "nobody listens unless asked to");
    fills
}

/// It stands behind the 300 of the beginning, and before the 200 that join later; if it is late, behind all 500.
#[test]
fn a_history_of_levels_fills_by_its_queue_over_lines_and_over_a_stream() {
    for data in [MarketData::Lines, MarketData::Stream] {
        let fast = Nanos::from_micros(50);
        assert_eq!(fills(data, fast, fast), [(30, 100)], "{data:?}");
        // 250 + 150 + 60 of 500 trade before it.
        let late = Nanos::from_millis(15);
        assert_eq!(fills(data, late, fast), [], "{data:?}");
        // Nothing changes for a slow answer but when it is heard.
        assert_eq!(fills(data, fast, Nanos::from_millis(7)), [(37, 100)], "{data:?}");
    }
}

/// The last trade fills it, and that is heard although the recording is over by then.
#[test]
fn a_run_ends_a_round_trip_after_the_last_message() {
    let mut history = History::new(&[Symbol::new("FIRE").unwrap()]);
    history.open(at(0)).unwrap();
    let level = |qty| EventKind::Level { side: Side::Buy, price: Price(100_000), qty: Qty(qty), orders: 0 };
    let trade = EventKind::Trade { qty: Qty(300), price: Price(100_000), trade: 1 };
    for (millis, kind) in [
        (0, level(300)),
        (5, level(400)),
        (10, trade),
        (11, EventKind::Trade { qty: Qty(60), price: Price(100_000), trade: 2 }),
    ] {
        history.push(&Event { at: at(millis), instrument: Some(InstrumentId(0)), kind }).unwrap();
    }
    let settings = settings(MarketData::Lines, Nanos::from_millis(1), Nanos::from_millis(9));
    let mut run = Backtest::new(&settings, history.into_bytes(), Vec::new(), Recorder::new(lane(MarketData::Lines)));
    run.run().unwrap();
    assert_eq!(run.lane().gate().ledger().account(InstrumentId(0)).position, Qty(60));
}

#[test]
fn drawn_latencies_are_the_seeds() {
    let run = |seed| {
        let mut settings = settings(MarketData::Lines, Nanos::from_micros(50), Nanos::from_micros(50));
        settings.seed = seed;
        settings.network.sessions[0].jitter = Nanos::from_micros(200);
        let lane = Recorder::new(lane(MarketData::Lines));
        let mut run = Backtest::new(&settings, levels(), Vec::new(), lane);
        let mut times = Vec::new();
        run.run_with(&mut |_, now, output| {
            if let Output::Tape(_) = output {
                times.push(now);
            }
        })
        .unwrap();
        times
    };
    assert!(run(1) == run(1) && run(1) != run(2));
}

#[test]
fn latencies_beyond_the_timeouts_of_order_entry_are_said() {
    let slow = Nanos::from_secs(30);
    let data = MarketData::Lines;
    let mut run = Backtest::new(&settings(data, slow, slow), levels(), Vec::new(), Recorder::new(lane(data)));
    let error = run.run().unwrap_err();
    assert!(matches!(error, BacktestError::NotReady) && error.to_string().contains("latencies"), "{error}");
}

#[test]
fn an_empty_recording_is_over_at_once() {
    let data = MarketData::Lines;
    let fast = Nanos::from_micros(50);
    let mut run = Backtest::new(&settings(data, fast, fast), Vec::new(), Vec::new(), Recorder::new(lane(data)));
    run.run().unwrap();
    assert!(run.world().now() < Mono(0).after(Nanos::from_secs(1)));
    assert_eq!(run.finish().unwrap().core_counters().messages, 0);
}

/// Before message 9 (from 0) another one is missing: the lane gives it up, and nothing heals what it said.
#[test]
fn what_a_recording_lost_leaves_the_books_stale_from_there_on() {
    let data = MarketData::Lines;
    let fast = Nanos::from_micros(50);
    for (losses, next, fresh) in [(vec![], 14, true), (vec![9], 15, false)] {
        let lane = Recorder::new(lane(data));
        let mut run = Backtest::new(&settings(data, fast, fast), levels(), losses, lane);
        run.run().unwrap();
        let lane = run.lane();
        assert_eq!(lane.next_sequence(VenueId::FIRST), Some(next));
        assert_eq!(lane.book(InstrumentId(0)).freshness().is_fresh(), fresh);
    }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_backtests_log_verifies_and_it_can_be_judged_like_any_world() {
    for data in [MarketData::Lines, MarketData::Stream] {
        let (fast, log) = (Nanos::from_micros(50), Buffer::default());
        let mut recorder = Recorder::new(lane(data));
        recorder.log_to(log.clone(), &FileHeader::new("test", "", Vec::new(), Effects::Bytes)).unwrap();
        let mut run = Backtest::new(&settings(data, fast, fast), levels(), Vec::new(), recorder);
        run.world_mut().set_judged(true);
        run.run().unwrap();
        assert!(run.world().stats().compared > 2);
        run.finish().unwrap();
        let verified = verify(log.0.lock().unwrap().as_slice(), |_| Ok(lane(data)), |_| ());
        assert!(verified.unwrap().complete);
    }
}
