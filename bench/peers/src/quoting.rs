//! The backtest of `hftbacktest` on orders of level 3, with a strategy that quotes: beside the whole lane with its market maker.
//!
//! Both quote 100 shares at each best, lean half a tick a lot, hold 500 shares at most, look after each event and move a quote
//! by one request at a time.

use crate::hft::TICK;
use firelane_contest::itch::{Event, Messages, event};
use firelane_contest::{Contestant, Digest, Pass, QUOTED, Side};
use hftbacktest::backtest::assettype::LinearAsset;
use hftbacktest::backtest::data::{Data, DataSource};
use hftbacktest::backtest::models::{CommonFees, ConstantLatency, L3FIFOQueueModel, TradingValueFeeModel};
use hftbacktest::backtest::{Backtest, ExchangeKind, L3AssetBuilder};
use hftbacktest::depth::{HashMapMarketDepth, INVALID_MAX, INVALID_MIN, L3MarketDepth, ROIVectorMarketDepth};
use hftbacktest::types::{
    ADD_ORDER_EVENT, BUY_EVENT, Bot, CANCEL_ORDER_EVENT, EXCH_EVENT, ElapseResult, Event as Feed, FILL_EVENT,
    LOCAL_EVENT, MODIFY_ORDER_EVENT, OrdType, SELL_EVENT, Status, TimeInForce,
};
use std::collections::HashMap;
use std::time::Instant;

/// Shares of a quote.
const SIZE: f64 = 100.0;
/// Shares held, long or short, at most.
const MOST: f64 = 500.0;
/// Ticks by which a lot that is held moves both quotes.
const LEAN: f64 = 0.5;
/// Nanoseconds that the feed, a request and an answer take.
const LATENCY: i64 = 1_000;

/// Nanoseconds; the wait for the next event ends then (the time itself is added to it: the greatest number would overflow).
const DAY: i64 = 86_400_000_000_000;

/// The feed of a file of one symbol, in the library's own form: made once, untimed.
#[derive(Default)]
struct Converted {
    feed: Vec<Feed>,
    /// Of an order: which side, price, shares left.
    orders: HashMap<u64, (Side, u32, u32)>,
    locate: Option<u16>,
    messages: u64,
    now: i64,
}

impl Converted {
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let mut all = Converted::default();
        for message in Messages::new(bytes) {
            all.messages += 1;
            if let Some(&[a, b, c, d, e, f]) = message.get(5..11).and_then(|stamp| stamp.first_chunk()) {
                all.now = all.now.max(i64::from_be_bytes([0, 0, a, b, c, d, e, f]));
            }
            let Some((locate, event)) = event(message) else { continue };
            if *all.locate.get_or_insert(locate) != locate {
                return Err("more than one symbol: it is given one asset".into());
            }
            all.take(event, matches!(message[0], b'E' | b'C'));
        }
        // The library takes no empty feed.
        if all.feed.is_empty() { Err("no message of an order".into()) } else { Ok(all) }
    }

    fn push(&mut self, kind: u64, order: u64, side: Side, price: u32, shares: u32) {
        let side = if side == Side::Bid { BUY_EVENT } else { SELL_EVENT };
        self.feed.push(Feed {
            ev: kind | side | EXCH_EVENT | LOCAL_EVENT,
            exch_ts: self.now,
            local_ts: self.now + LATENCY,
            px: f64::from(price) / 10_000.0,
            qty: shares.into(),
            order_id: order,
            ival: 0,
            fval: 0.0,
        });
    }

    /// An execution is a fill and then what it leaves of the order, as in the feeds that the library reads.
    fn take(&mut self, event: Event, executed: bool) {
        match event {
            Event::Add { order, side, shares, price } => {
                self.orders.insert(order, (side, price, shares));
                self.push(ADD_ORDER_EVENT, order, side, price, shares);
            }
            Event::Reduce { order, shares } => {
                let Some((side, price, left)) = self.orders.get_mut(&order) else { return };
                *left = left.saturating_sub(shares);
                let (side, price, left) = (*side, *price, *left);
                if executed {
                    self.push(FILL_EVENT, order, side, price, shares);
                }
                match left {
                    0 => self.delete(order),
                    _ => self.push(MODIFY_ORDER_EVENT, order, side, price, left),
                }
            }
            Event::Delete { order } => self.delete(order),
            Event::Replace { order, new, shares, price } => {
                let Some(&(side, ..)) = self.orders.get(&order) else { return };
                self.delete(order);
                self.take(Event::Add { order: new, side, shares, price }, false);
            }
        }
    }

    fn delete(&mut self, order: u64) {
        if let Some((side, price, _)) = self.orders.remove(&order) {
            self.push(CANCEL_ORDER_EVENT, order, side, price, 0);
        }
    }
}

/// When the strategy looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Looks {
    /// After each event, as the lane's does.
    EachEvent,
    /// Ten times a second, as the library's examples do.
    EachTenth,
}

/// What the strategy is given.
pub(crate) trait Backtested: L3MarketDepth + Sized + 'static {
    fn backtest(data: Data<Feed>) -> Backtest<Self>;
}

macro_rules! backtested {
    ($($depth:ty: $make:expr;)*) => { $(
        impl Backtested for $depth {
            fn backtest(data: Data<Feed>) -> Backtest<Self> {
                let asset = L3AssetBuilder::new()
                    .data(vec![DataSource::Data(data)])
                    .parallel_load(false)
                    .latency_model(ConstantLatency::new(LATENCY, LATENCY))
                    .asset_type(LinearAsset::new(1.0))
                    .fee_model(TradingValueFeeModel::new(CommonFees::new(0.0, 0.0)))
                    .exchange(ExchangeKind::NoPartialFillExchange)
                    .queue_model(L3FIFOQueueModel::new())
                    .depth(|| $make)
                    .build()
                    .expect("an asset");
                Backtest::builder().add_asset(asset).build().expect("a backtest")
            }
        }
    )* };
}

backtested! {
    HashMapMarketDepth: HashMapMarketDepth::new(TICK, 1.0);
    ROIVectorMarketDepth: ROIVectorMarketDepth::new(TICK, 1.0, 0.0, crate::hft::HIGHEST);
}

/// A backtest and its strategy.
pub(crate) struct Quoting<D: Backtested> {
    looks: Looks,
    converted: Option<Converted>,
    data: Option<Data<Feed>>,
    last: Option<Backtest<D>>,
    quotes: [Quotes; 2],
}

/// The quotes of a side.
#[derive(Clone, Copy, Default)]
struct Quotes {
    /// The latest.
    order: u64,
    /// Requests so far.
    requests: u64,
}

/// Of the vector of prices.
pub(crate) fn vector(looks: Looks) -> Quoting<ROIVectorMarketDepth> {
    Quoting::new(looks)
}

/// Of hash maps.
pub(crate) fn hash(looks: Looks) -> Quoting<HashMapMarketDepth> {
    Quoting::new(looks)
}

impl<D: Backtested> Quoting<D> {
    fn new(looks: Looks) -> Self {
        Quoting { looks, converted: None, data: None, last: None, quotes: [Quotes::default(); 2] }
    }

    /// One pass over the feed; what has happened in the end.
    fn run(&mut self, backtest: &mut Backtest<D>) {
        loop {
            let ended = match self.looks {
                Looks::EachEvent => backtest.wait_next_feed(false, DAY),
                Looks::EachTenth => backtest.elapse(100_000_000),
            };
            if ended.expect("a sound feed") == ElapseResult::EndOfData {
                return;
            }
            self.look(backtest);
        }
    }

    fn look(&mut self, backtest: &mut Backtest<D>) {
        let (bid, ask) = (backtest.depth(0).best_bid_tick(), backtest.depth(0).best_ask_tick());
        if bid == INVALID_MIN || ask == INVALID_MAX || bid >= ask {
            return;
        }
        let held = backtest.position(0);
        let lean = held / SIZE * LEAN;
        let low = ((bid as f64 - lean).floor() as i64).min(ask - 1);
        let high = ((ask as f64 - lean).ceil() as i64).max(bid + 1);
        self.quote(backtest, Side::Bid, low, MOST - held);
        self.quote(backtest, Side::Ask, high, MOST + held);
    }

    /// Brings the quote of a side to where it should be.
    fn quote(&mut self, backtest: &mut Backtest<D>, side: Side, tick: i64, room: f64) {
        let quotes = &mut self.quotes[side as usize];
        let price = tick as f64 * TICK;
        let alive = backtest.orders(0).get(&quotes.order).map(|order| (order.req, order.active(), order.price_tick));
        match alive {
            Some((Status::New | Status::Replaced | Status::Canceled, ..)) => return,
            Some((_, true, at)) if room < SIZE || at == tick => {
                if room < SIZE {
                    backtest.cancel(0, quotes.order, false).expect("an order that lives");
                }
                return;
            }
            Some((_, true, _)) => {
                backtest.modify(0, quotes.order, price, SIZE, false).expect("an order that lives");
            }
            _ if room < SIZE => return,
            _ => {
                // What is done with is to be cleared away, as the library's examples do.
                backtest.clear_inactive_orders(Some(0));
                quotes.order += 2;
                let (limit, post_only) = (OrdType::Limit, TimeInForce::GTX);
                match side {
                    Side::Bid => backtest.submit_buy_order(0, quotes.order, price, SIZE, post_only, limit, false),
                    Side::Ask => backtest.submit_sell_order(0, quotes.order, price, SIZE, post_only, limit, false),
                }
                .expect("a new order");
            }
        }
        quotes.requests += 1;
    }
}

impl<D: Backtested> Contestant for Quoting<D> {
    fn clear(&mut self) {}

    fn apply(&mut self, _: &[u8]) -> u64 {
        0
    }

    /// The whole file: what builds the books up is part of the day. The feed is converted before the first pass.
    fn pass(&mut self, bytes: &[u8], _: usize) -> Pass {
        if self.converted.is_none() {
            match Converted::of(bytes) {
                Ok(converted) => {
                    self.data = Some(Data::from_data(&converted.feed));
                    self.converted = Some(Converted { feed: Vec::new(), ..converted });
                }
                Err(error) => {
                    println!("error {error}");
                    std::process::exit(1)
                }
            }
        }
        let (Some(data), Some(Converted { messages, .. })) = (&self.data, &self.converted) else {
            return Pass { messages: 0, ns: 0 };
        };
        let (data, messages) = (data.clone(), *messages);
        self.last = None;
        let mut backtest = D::backtest(data);
        // Odd numbers and even ones.
        self.quotes = [Quotes { order: 1, requests: 0 }, Quotes { order: 2, requests: 0 }];
        let start = Instant::now();
        self.run(&mut backtest);
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last = Some(backtest);
        Pass { messages, ns }
    }

    fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        let locate = self.converted.as_ref().and_then(|converted| converted.locate);
        if let (Some(backtest), Some(locate)) = (&self.last, locate) {
            crate::hft::levels(backtest.depth(0), locate, &mut digest);
        }
        if self.quotes.iter().all(|quotes| quotes.requests > 0) {
            digest.lines.push(QUOTED.to_owned());
        }
        digest
    }
}
