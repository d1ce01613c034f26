//! The flow against a naive market: everything is a list.

use super::*;
use firelane_gateway::base::Digest;

#[derive(Clone, Copy, Debug)]
struct Resting {
    order: Handle,
    symbol: usize,
    side: Side,
    price: Price,
    open: u32,
    hidden: bool,
}

#[derive(Default, Debug)]
struct Counts {
    actions: u64,
    entered: u64,
    near: u64,
    hidden: u64,
    marketable: u64,
    takes: u64,
    fills: u64,
    filled: u64,
    cancelled: u64,
    reduced: u64,
    replaced: u64,
    halts: u64,
    resumes: u64,
    restrictions: u64,
}

/// Orders in time priority, per symbol.
struct Naive {
    books: Vec<Vec<Resting>>,
    open: Vec<u32>,
    halted: Vec<bool>,
    counts: Counts,
    /// Of orders entered, rounded up.
    lots: Vec<u32>,
}

impl MarketPeek for Naive {
    fn best(&self, symbol: usize, side: Side) -> Option<Price> {
        let shown = self.books[symbol].iter().filter(|r| r.side == side && !r.hidden).map(|r| r.price);
        shown.reduce(|a, b| if side.is_better(b, a) { b } else { a })
    }

    fn open(&self, order: Handle) -> u32 {
        self.open[order.0 as usize]
    }
}

impl Naive {
    fn new(flow: &OrderFlow) -> Self {
        Naive {
            books: vec![Vec::new(); flow.symbols().len()],
            open: vec![0; flow.handles()],
            halted: vec![false; flow.symbols().len()],
            counts: Counts::default(),
            lots: Vec::new(),
        }
    }

    /// Trades what crosses and returns what is left.
    fn cross(&mut self, symbol: usize, side: Side, price: Price, mut shares: u32) -> u32 {
        while shares > 0 {
            let book = &mut self.books[symbol];
            let mut best: Option<usize> = None;
            for (i, r) in book.iter().enumerate() {
                let better = best.is_none_or(|b: usize| r.side.is_better(r.price, book[b].price));
                if r.side != side && side.crosses(price, r.price) && better {
                    best = Some(i);
                }
            }
            let Some(i) = best else { break };
            let traded = shares.min(book[i].open);
            shares -= traded;
            book[i].open -= traded;
            self.open[book[i].order.0 as usize] -= traded;
            self.counts.fills += 1;
            if book[i].open == 0 {
                self.counts.filled += 1;
                book.remove(i);
            }
        }
        shares
    }

    fn rest(&mut self, r: Resting) {
        // In a halt orders only gather.
        let left = if self.halted[r.symbol] { r.open } else { self.cross(r.symbol, r.side, r.price, r.open) };
        self.open[r.order.0 as usize] = left;
        if left > 0 {
            self.books[r.symbol].push(Resting { open: left, ..r });
        }
    }

    fn remove(&mut self, order: Handle) -> Resting {
        let book = self.books.iter_mut().find(|b| b.iter().any(|r| r.order == order)).expect("a live order");
        let at = book.iter().position(|r| r.order == order).unwrap();
        self.open[order.0 as usize] = 0;
        book.remove(at)
    }

    fn apply(&mut self, action: FlowAction) {
        self.counts.actions += 1;
        match action {
            FlowAction::Enter { order, symbol, side, price, shares, hidden } => {
                assert_eq!(self.open(order), 0, "a live order's name is not used again");
                assert!(price.0 >= 100 && price.0 % 100 == 0 && shares > 0);
                self.counts.entered += 1;
                self.counts.hidden += u64::from(hidden);
                self.lots.push(shares.div_ceil(100));
                if self.best(symbol, side.opposite()).is_some_and(|far| side.crosses(price, far)) {
                    self.counts.marketable += 1;
                } else if self.best(symbol, side).is_none_or(|near| price.above(near).abs() <= 5 * 100) {
                    self.counts.near += 1;
                }
                self.rest(Resting { order, symbol, side, price, open: shares, hidden });
            }
            FlowAction::Take { symbol, side, price, shares } => {
                self.counts.takes += 1;
                self.counts.marketable += 1;
                assert!(!self.halted[symbol], "nobody takes in a halt");
                assert!(self.cross(symbol, side, price, shares) < shares, "a taker trades");
            }
            FlowAction::Cancel { order } => {
                self.counts.cancelled += 1;
                self.remove(order);
            }
            FlowAction::Reduce { order, by } => {
                self.counts.reduced += 1;
                assert!(by > 0 && by < self.open(order));
                self.open[order.0 as usize] -= by;
                self.books.iter_mut().flatten().find(|r| r.order == order).unwrap().open -= by;
            }
            FlowAction::Replace { order, symbol, side, hidden, price, shares } => {
                self.counts.replaced += 1;
                let old = self.remove(order);
                assert_eq!((old.symbol, old.side, old.hidden), (symbol, side, hidden));
                self.rest(Resting { price, open: shares, ..old });
            }
            FlowAction::Halt { symbol, .. } => {
                self.counts.halts += 1;
                assert!(!std::mem::replace(&mut self.halted[symbol], true));
            }
            FlowAction::QuoteOnly { symbol } => assert!(self.halted[symbol]),
            FlowAction::Resume { symbol } => {
                self.counts.resumes += 1;
                assert!(std::mem::replace(&mut self.halted[symbol], false));
            }
            FlowAction::ShortSaleRestriction { .. } => self.counts.restrictions += 1,
        }
    }
}

/// Runs the flow for so many seconds; the market, when each action came, and a digest of all of them.
fn run(config: FlowConfig, seed: u64, seconds: u64) -> (Naive, Vec<Mono>, u64) {
    let mut flow = OrderFlow::new(config, seed);
    let mut market = Naive::new(&flow);
    let (mut times, mut digest) = (Vec::new(), Digest::default());
    let end = config.start.after(Nanos::from_secs(seconds));
    while flow.next_deadline() < end {
        let now = flow.next_deadline();
        while let Some(action) = flow.on_timer(now, &market) {
            digest.u64(now.0);
            digest.bytes(format!("{action:?}").as_bytes());
            times.push(now);
            market.apply(action);
        }
    }
    (market, times, digest.value())
}

fn small() -> FlowConfig {
    FlowConfig { symbols: 20, live_orders: 1_000, ..FlowConfig::default() }
}

#[test]
fn a_seed_reproduces_the_flow() {
    let digest = |seed| run(small(), seed, 3).2;
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
}

#[test]
fn the_mix_of_messages_is_that_of_a_real_market() {
    let config = FlowConfig {
        halt_every: Nanos::from_secs(4),
        halt_for: Nanos::from_millis(300),
        restriction_every: Nanos::from_secs(2),
        ..small()
    };
    let (market, _, _) = run(config, 5, 30);
    let c = &market.counts;
    let percent = |part: u64, whole: u64| part as f64 * 100.0 / whole as f64;
    let within = |what: &str, value: f64, bounds: std::ops::Range<f64>| {
        assert!(bounds.contains(&value), "{what}: {value} not in {bounds:?}");
    };
    let ended = c.cancelled + c.filled;
    within("orders cancelled, of those ended", percent(c.cancelled, ended), 93.0..98.5);
    within("marketable orders, of all actions", percent(c.marketable, c.actions), 3.5..5.5);
    within("replaces, of all actions", percent(c.replaced, c.actions), 5.0..7.0);
    within("reductions, of all actions", percent(c.reduced, c.actions), 1.0..2.0);
    within("hidden, of orders entered", percent(c.hidden, c.entered), 2.0..4.0);
    within("entered within 5 ticks of the touch", percent(c.near, c.entered), 75.0..99.0);
    assert!(c.fills > c.takes && c.halts > 0 && c.resumes > 0 && c.restrictions > 0, "{c:?}");
    let live: usize = market.books.iter().map(Vec::len).sum();
    within("live orders", live as f64, 600.0..1_500.0);
}

#[test]
fn sizes_have_a_heavy_tail() {
    let (market, _, _) = run(small(), 6, 20);
    let lots = &market.lots;
    let share = |n: u32| lots.iter().filter(|l| **l >= n).count() as f64 / lots.len() as f64;
    // Half of the sizes have the tail 1/k.
    assert!(share(2) < 0.4 && (0.035..0.065).contains(&share(10)) && share(100) > 0.003);
}

#[test]
fn the_books_have_two_sides_and_do_not_cross() {
    let (market, _, _) = run(small(), 7, 20);
    let mut two_sided = 0;
    for symbol in 0..20 {
        if let (Some(bid), Some(ask)) = (market.best(symbol, Side::Buy), market.best(symbol, Side::Sell)) {
            assert!(bid < ask);
            two_sided += 1;
        }
    }
    assert!(two_sided >= 18, "{two_sided}");
}

#[test]
fn events_come_in_bursts_at_the_mean_rate() {
    let config = FlowConfig { opening_orders: 0, opening: Nanos(0), ..small() };
    let seconds = 40;
    let (_, times, _) = run(config, 8, seconds);
    let rate = times.len() as f64 / seconds as f64;
    assert!((9_000.0..11_000.0).contains(&rate), "{rate} a second");
    let mut windows = vec![0f64; seconds as usize * 100];
    for t in &times {
        windows[usize::try_from(t.0 / 10_000_000).unwrap()] += 1.0;
    }
    let mean = windows.iter().sum::<f64>() / windows.len() as f64;
    let variance = windows.iter().map(|n| (n - mean) * (n - mean)).sum::<f64>() / windows.len() as f64;
    // One for a Poisson process.
    assert!(variance / mean > 3.0, "index of dispersion {}", variance / mean);
}

#[test]
fn activity_follows_zipf() {
    let mut flow = OrderFlow::new(FlowConfig { symbols: 1_000, ..FlowConfig::default() }, 9);
    let mut count = vec![0u64; 1_000];
    for _ in 0..200_000 {
        count[flow.any_symbol()] += 1;
    }
    count.sort_unstable_by(|a, b| b.cmp(a));
    // The harmonic number of 1,000 is 7.49.
    assert!((25_500..28_000).contains(&count[0]), "{}", count[0]);
    assert!((2_400..2_950).contains(&count[9]), "{}", count[9]);
}

#[test]
fn memory_is_bounded_by_the_configuration() {
    let config = FlowConfig { symbols: 3, live_orders: 1, rate: 50_000, opening_orders: 100, ..small() };
    let mut flow = OrderFlow::new(config, 10);
    let (handles, mut market) = (flow.handles(), Naive::new(&flow));
    assert_eq!(handles, 3 * 13);
    while flow.next_deadline() < Mono(3_000_000_000) {
        while let Some(action) = flow.on_timer(flow.next_deadline(), &market) {
            market.apply(action);
        }
        assert!(flow.instruments.iter().all(|i| i.live.len() <= 13) && flow.agenda.len() < 10_000);
        assert_eq!(flow.free.len() + flow.instruments.iter().map(|i| i.live.len()).sum::<usize>(), handles);
    }
}

#[test]
fn symbol_names_are_four_letters_and_never_repeat() {
    let names: std::collections::BTreeSet<_> = (0..456_976).map(symbol_name).collect();
    assert_eq!(names.len(), 456_976);
    assert!(names.iter().all(|n| n.0[..4].iter().all(u8::is_ascii_uppercase) && n.0[4..] == *b"    "));
}
