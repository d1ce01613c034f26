//! What is done in an episode, step by step. Prices are found when a step is taken, on the market as it then is.

use super::{Kind, Strength};
use crate::rng::Rng;
use firelane_gateway::base::{Nanos, Side};

/// One thing that somebody does. Orders have small numbers, by which later steps name them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// Rests an order so many ticks behind the best of its side (in front of it, if negative), never at or through the other side.
    Rest { order: usize, side: Side, behind: i64, shares: u32 },
    /// Rests an order at the price that an earlier one had, or so many ticks behind it.
    Again { order: usize, like: usize, behind: i64, shares: u32 },
    /// Somebody takes all that is shown up to and including so many shares of an order; all of it, if there is no number.
    Hit { order: usize, shares: Option<u32> },
    /// Takes all that is shown at the best price of the other side.
    Sweep { side: Side },
    /// Takes so many shares at the best price of the other side.
    Take { side: Side, shares: u32 },
    /// Cancels an order, if it is still there.
    Cancel { order: usize },
    /// News: what everybody thinks it is worth moves by so many half spreads, up for a buyer.
    News { side: Side, half_spreads: i64 },
}

/// The steps, each with the time that passes before it.
pub(super) type Script = Vec<(Nanos, Step)>;

/// What somebody does.
pub(super) fn write(kind: Kind, strength: Strength, decoy: bool, rng: &mut Rng) -> Script {
    let side = if rng.coin() { Side::Buy } else { Side::Sell };
    let mut writer = Writer { rng, script: Script::new(), orders: 0 };
    match (kind, decoy) {
        (Kind::Layering | Kind::Spoofing, false) => writer.layers(Layers::of(kind, strength), side),
        (Kind::Layering, true) => writer.like_layers(Layers::of(kind, strength), side),
        (Kind::Spoofing, true) => writer.like_a_spoof(Layers::of(kind, strength), side),
        (Kind::Ignition, false) => writer.ignition(&Burst::of(strength), side),
        (Kind::Ignition, true) => writer.like_ignition(&Burst::of(strength), side),
        (Kind::Iceberg, false) => writer.iceberg(&Refills::of(strength), side),
        (Kind::Iceberg, true) => writer.like_an_iceberg(&Refills::of(strength), side),
    }
    writer.script
}

/// Orders that are there to be seen: how many, of how many lots, how far behind the best price at least; mean times between two that come, until the
/// other side trades, and between two that go.
#[derive(Clone, Copy)]
struct Layers {
    count: (u64, u64),
    lots: (u64, u64),
    come: Nanos,
    wait: Nanos,
    go: Nanos,
}

impl Layers {
    const fn of(kind: Kind, strength: Strength) -> Self {
        let (come, wait, go) = match strength {
            Strength::Blatant => (Nanos::from_millis(1), Nanos::from_millis(200), Nanos::from_micros(200)),
            Strength::Plain => (Nanos::from_millis(8), Nanos::from_millis(400), Nanos::from_millis(3)),
            Strength::Faint => (Nanos::from_millis(40), Nanos::from_millis(800), Nanos::from_millis(20)),
        };
        let single = matches!(kind, Kind::Spoofing);
        let (count, lots) = match strength {
            _ if single => (
                (1, 1),
                match strength {
                    Strength::Blatant => (40, 90),
                    Strength::Plain => (20, 40),
                    Strength::Faint => (10, 20),
                },
            ),
            Strength::Blatant => ((5, 8), (10, 30)),
            Strength::Plain => ((3, 5), (5, 12)),
            Strength::Faint => ((2, 3), (3, 8)),
        };
        Layers { count, lots, come, wait, go }
    }
}

/// A burst of orders that take: how many, and the mean time between two.
struct Burst {
    count: (u64, u64),
    gap: Nanos,
}

impl Burst {
    const fn of(strength: Strength) -> Self {
        match strength {
            Strength::Blatant => Burst { count: (10, 15), gap: Nanos::from_millis(2) },
            Strength::Plain => Burst { count: (6, 9), gap: Nanos::from_millis(10) },
            Strength::Faint => Burst { count: (4, 5), gap: Nanos::from_millis(40) },
        }
    }
}

/// An order that comes back: how often, after which mean time, and by how many percent its size may differ.
struct Refills {
    count: (u64, u64),
    delay: Nanos,
    jitter: u64,
}

impl Refills {
    const fn of(strength: Strength) -> Self {
        match strength {
            Strength::Blatant => Refills { count: (6, 12), delay: Nanos::from_micros(500), jitter: 0 },
            Strength::Plain => Refills { count: (4, 6), delay: Nanos::from_millis(3), jitter: 20 },
            Strength::Faint => Refills { count: (3, 4), delay: Nanos::from_millis(15), jitter: 50 },
        }
    }
}

/// Mean time until somebody trades with an order that rests at the best price.
const TRADES_AFTER: Nanos = Nanos::from_millis(150);
/// Mean time between two cancels of somebody who is in no hurry.
const AT_LEISURE: Nanos = Nanos::from_millis(300);

struct Writer<'a> {
    rng: &'a mut Rng,
    script: Script,
    orders: usize,
}

impl Writer<'_> {
    fn step(&mut self, after: Nanos, step: Step) {
        let wait = self.rng.exponential(after);
        self.script.push((wait, step));
    }

    fn between(&mut self, range: (u64, u64)) -> u64 {
        self.rng.between(range.0, range.1)
    }

    fn lots(&mut self, range: (u64, u64)) -> u32 {
        u32::try_from(100 * self.between(range)).unwrap_or(100)
    }

    /// The number of an order that is to come.
    fn name(&mut self) -> usize {
        self.orders += 1;
        self.orders - 1
    }

    fn rest(&mut self, after: Nanos, side: Side, behind: i64, shares: u32) -> usize {
        let order = self.name();
        self.step(after, Step::Rest { order, side, behind, shares });
        order
    }

    fn cancel_all(&mut self, mut orders: Vec<usize>, gap: Nanos) {
        for i in (1..orders.len()).rev() {
            orders.swap(i, self.rng.index(i + 1));
        }
        for order in orders {
            self.step(gap, Step::Cancel { order });
        }
    }

    /// Orders at one price after the other, from the best one or the next on.
    fn stack(&mut self, layers: Layers, side: Side) -> Vec<usize> {
        let count = self.between(layers.count).cast_signed();
        let nearest = self.rng.between(0, 1).cast_signed();
        let mut orders = Vec::new();
        for behind in nearest..nearest + count {
            let shares = self.lots(layers.lots);
            orders.push(self.rest(layers.come, side, behind, shares));
        }
        orders
    }

    fn layers(&mut self, layers: Layers, side: Side) {
        let genuine_first = self.rng.coin();
        let small = self.lots((1, 3));
        let mut genuine = None;
        if genuine_first {
            genuine = Some(self.rest(layers.come, side, -1, small));
        }
        let orders = self.stack(layers, side.opposite());
        let genuine = match genuine {
            Some(order) => order,
            None => self.rest(layers.come, side, -1, small),
        };
        self.step(layers.wait, Step::Hit { order: genuine, shares: None });
        self.cancel_all(orders, layers.go);
    }

    fn like_layers(&mut self, layers: Layers, side: Side) {
        match self.rng.below(3) {
            // Quotes of both sides that are renewed, with a trade in between.
            0 => {
                let mut orders = self.stack(layers, side);
                orders.extend(self.stack(layers, side.opposite()));
                let shares = self.lots((1, 3));
                self.step(layers.wait, Step::Take { side, shares });
                self.cancel_all(orders, layers.go);
            }
            // One of the orders has traded: the others are pulled, for their owner has what was wanted.
            1 => {
                let orders = self.stack(layers, side);
                let shares = self.lots((1, 3));
                self.step(layers.wait, Step::Hit { order: orders[0], shares: Some(shares) });
                self.cancel_all(orders, layers.go);
            }
            // Slices of a parent order; the other side trades meanwhile, and each goes in its own time.
            _ => {
                let orders = self.stack(layers, side);
                let small = self.lots((1, 3));
                let other = self.rest(layers.come, side.opposite(), -1, small);
                self.step(layers.wait, Step::Hit { order: other, shares: None });
                self.cancel_all(orders, AT_LEISURE);
            }
        }
    }

    fn like_a_spoof(&mut self, layers: Layers, side: Side) {
        let shares = self.lots(layers.lots);
        let behind = self.rng.between(0, 1).cast_signed();
        let first = self.rest(layers.come, side, behind, shares);
        if self.rng.coin() {
            // It trades, and what is left is cancelled.
            for _ in 0..self.rng.between(1, 3) {
                let part = self.lots((1, 5));
                self.step(layers.wait, Step::Hit { order: first, shares: Some(part) });
            }
            self.step(layers.go, Step::Cancel { order: first });
        } else {
            // It follows the market, while others trade.
            let mut order = first;
            for _ in 0..self.rng.between(1, 3) {
                let part = self.lots((1, 3));
                self.step(layers.wait, Step::Take { side, shares: part });
                self.step(layers.go, Step::Cancel { order });
                let behind = self.rng.between(0, 2).cast_signed();
                order = self.rest(layers.go, side, behind, shares);
            }
        }
    }

    /// The burst itself, and those who follow it.
    fn burst(&mut self, burst: &Burst, side: Side) {
        for _ in 0..self.between(burst.count) {
            self.step(burst.gap, Step::Sweep { side });
        }
        for _ in 0..self.rng.between(2, 4) {
            let shares = self.lots((1, 5));
            self.step(Nanos(3 * burst.gap.0), Step::Take { side, shares });
        }
    }

    fn ignition(&mut self, burst: &Burst, side: Side) {
        self.burst(burst, side);
        let exits = self.rng.between(3, 5);
        for exit in 0..exits {
            let shares = self.lots((3, 10));
            let after = if exit == 0 { TRADES_AFTER } else { Nanos(2 * burst.gap.0) };
            self.step(after, Step::Take { side: side.opposite(), shares });
        }
    }

    fn like_ignition(&mut self, burst: &Burst, side: Side) {
        match self.rng.below(3) {
            0 => self.burst(burst, side),
            1 => {
                let half_spreads = self.rng.between(2, 5).cast_signed();
                self.step(Nanos(0), Step::News { side, half_spreads });
                self.burst(burst, side);
            }
            _ => {
                for _ in 0..self.between(burst.count) {
                    let side = if self.rng.coin() { side } else { side.opposite() };
                    self.step(burst.gap, Step::Sweep { side });
                }
                let shares = self.lots((3, 10));
                self.step(TRADES_AFTER, Step::Take { side: side.opposite(), shares });
            }
        }
    }

    fn resized(&mut self, shares: u32, jitter: u64) -> u32 {
        let percent = self.rng.between(100 - jitter, 100 + jitter);
        u32::try_from((u64::from(shares) * percent / 100).max(1)).unwrap_or(shares)
    }

    fn iceberg(&mut self, refills: &Refills, side: Side) {
        let peak = self.lots((2, 6));
        let mut order = self.rest(Nanos(0), side, -1, peak);
        for _ in 0..self.between(refills.count) {
            self.step(TRADES_AFTER, Step::Hit { order, shares: None });
            let (like, shares) = (order, self.resized(peak, refills.jitter));
            order = self.name();
            self.step(refills.delay, Step::Again { order, like, behind: 0, shares });
        }
        self.step(TRADES_AFTER, Step::Hit { order, shares: None });
    }

    fn like_an_iceberg(&mut self, refills: &Refills, side: Side) {
        let peak = self.lots((2, 6));
        let count = self.between(refills.count);
        match self.rng.below(3) {
            // Others join the price at which somebody has traded, each with a size and in a time of its own.
            0 => {
                let mut order = self.rest(Nanos(0), side, -1, peak);
                for _ in 0..count {
                    self.step(TRADES_AFTER, Step::Hit { order, shares: None });
                    let like = order;
                    let shares = u32::try_from(100 * self.rng.heavy_tailed(30)).unwrap_or(100);
                    order = self.name();
                    self.step(TRADES_AFTER, Step::Again { order, like, behind: 0, shares });
                }
            }
            // A large order that trades bit by bit, and was never hidden.
            1 => {
                let all = peak.saturating_mul(u32::try_from(count + 1).unwrap_or(1));
                let order = self.rest(Nanos(0), side, -1, all);
                for _ in 0..=count {
                    self.step(TRADES_AFTER, Step::Hit { order, shares: Some(peak) });
                }
            }
            // Back as fast and as large, but a tick behind: a quote that gives way.
            _ => {
                let mut order = self.rest(Nanos(0), side, -1, peak);
                for _ in 0..count {
                    self.step(TRADES_AFTER, Step::Hit { order, shares: None });
                    let (like, shares) = (order, self.resized(peak, refills.jitter));
                    order = self.name();
                    self.step(refills.delay, Step::Again { order, like, behind: 1, shares });
                }
                self.step(AT_LEISURE, Step::Cancel { order });
            }
        }
    }
}
