//! What somebody would write by hand: a count over the last events for each alert.

use super::meaning::{Meaning, Meanings};
use super::{ALERTS, Build, Contestant, Heard, Scores, Spent};
use firelane_gateway::base::Side;
use firelane_kernels::detector::encoder::{Feature, What};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Large orders of one side come, and go again without having traded, while the other side trades.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayeringRule {
    /// Events that are looked back on.
    pub window: u32,
    /// The bucket of sizes from which on an order is large.
    pub large: u16,
    /// Do as many have to go as come? If not, those that come count.
    pub gone: bool,
}

/// Trades on one side, and prices that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IgnitionRule {
    /// Events that are looked back on.
    pub window: u32,
    /// How many trades a move of a price is worth.
    pub moves: i32,
}

/// An order at the best price comes just behind a trade there, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IcebergRule {
    /// Events that are looked back on.
    pub window: u32,
    /// Events between the trade and the order, at most.
    pub within: u32,
}

/// The constants of all three, which are tuned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Of layering and spoofing.
    pub layering: LayeringRule,
    /// Of momentum ignition.
    pub ignition: IgnitionRule,
    /// Of icebergs.
    pub iceberg: IcebergRule,
}

/// Counts of several things over the last events.
#[derive(Clone, Debug)]
struct Window<const N: usize> {
    window: u32,
    /// Of each event that has any: its number, and what it adds.
    held: VecDeque<(u64, [i32; N])>,
    sums: [i32; N],
}

impl<const N: usize> Window<N> {
    fn new(window: u32) -> Self {
        Window { window, held: VecDeque::new(), sums: [0; N] }
    }

    /// Event number `now` adds this.
    fn add(&mut self, now: u64, what: [i32; N]) -> &[i32; N] {
        if what != [0; N] {
            self.held.push_back((now, what));
            self.sums.iter_mut().zip(what).for_each(|(sum, one)| *sum += one);
        }
        while let Some((_, old)) = self.held.front().filter(|(number, _)| number + u64::from(self.window) <= now) {
            self.sums.iter_mut().zip(old).for_each(|(sum, one)| *sum -= one);
            self.held.pop_front();
        }
        &self.sums
    }

    fn restart(&mut self) {
        self.held.clear();
        self.sums = [0; N];
    }

    /// Bytes, as long as each event adds something.
    fn bytes(&self) -> usize {
        self.window as usize * size_of::<(u64, [i32; N])>()
    }
}

/// Values whose moves are moves of prices.
const PRICES: [Feature; 4] = [Feature::Bid, Feature::Ask, Feature::Mid, Feature::Last];

const fn index(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

/// The rules at work.
#[derive(Clone, Debug)]
pub struct Rule {
    rules: Rules,
    meanings: Meanings,
    now: u64,
    /// Of each side: large orders that came, that went, and trades.
    layers: Window<6>,
    /// Trades of each side, and moves of prices up and down.
    sweeps: Window<4>,
    /// Orders behind trades, of each side.
    refills: Window<2>,
    /// The last trade at the best price of each side.
    traded: [Option<u64>; 2],
    spent: Spent,
}

impl Rule {
    /// With these constants, over what an encoder says.
    #[must_use]
    pub fn new(rules: Rules, meanings: Meanings) -> Self {
        Rule {
            rules,
            meanings,
            now: 0,
            layers: Window::new(rules.layering.window),
            sweeps: Window::new(rules.ignition.window),
            refills: Window::new(rules.iceberg.window),
            traded: [None; 2],
            spent: Spent::default(),
        }
    }

    fn layering(sums: &[i32; 6], gone: bool) -> i32 {
        let of = |side: usize| {
            let (come, gone_of_it, traded) = (sums[side], sums[2 + side], sums[4 + 1 - side]);
            let large = if gone { come.min(gone_of_it) } else { come - sums[1 - side] };
            2 * large + i32::from(traded > 0)
        };
        of(0).max(of(1))
    }

    fn ignition(sums: &[i32; 4], moves: i32) -> i32 {
        let [bids, asks, up, down] = *sums;
        // Who buys trades with asks, and prices rise.
        let rising = (asks - bids) + moves * (up - down);
        rising.max(-rising)
    }
}

impl Contestant for Rule {
    fn name(&self) -> &'static str {
        "rule"
    }

    fn restart(&mut self) {
        self.now = 0;
        self.traded = [None; 2];
        self.layers.restart();
        self.sweeps.restart();
        self.refills.restart();
    }

    fn hear(&mut self, heard: &Heard<'_>) -> Scores {
        self.spent.events += 1;
        self.now += 1;
        let (mut layers, mut sweeps, mut refills) = ([0; 6], [0; 4], [0; 2]);
        for spike in heard.spikes {
            match self.meanings.of(spike) {
                Some(Meaning::Order { what, side, level, size }) => {
                    let side = index(side);
                    let large = size >= self.rules.layering.large;
                    match what {
                        What::Add if large => layers[side] += 1,
                        What::Delete if large => layers[2 + side] += 1,
                        What::Execute => {
                            layers[4 + side] += 1;
                            sweeps[side] += 1;
                        }
                        _ => {}
                    }
                    match what {
                        What::Execute if level == 0 => self.traded[side] = Some(self.now),
                        What::Add if level == 0 => {
                            let soon = |traded: u64| self.now - traded <= u64::from(self.rules.iceberg.within);
                            // One order for each trade.
                            refills[side] += i32::from(self.traded[side].take().is_some_and(soon));
                        }
                        _ => {}
                    }
                }
                Some(Meaning::Moved { of, up }) if PRICES.contains(&of) => sweeps[if up { 2 } else { 3 }] += 1,
                Some(Meaning::Moved { .. }) | None => {}
            }
        }
        let layering = Self::layering(self.layers.add(self.now, layers), self.rules.layering.gone);
        let ignition = Self::ignition(self.sweeps.add(self.now, sweeps), self.rules.ignition.moves);
        let [bids, asks] = *self.refills.add(self.now, refills);
        [layering as f32, ignition as f32, bids.max(asks) as f32]
    }

    fn build(&self) -> Build {
        let bytes = self.layers.bytes() + self.sweeps.bytes() + self.refills.bytes() + size_of::<Rules>();
        Build { footprint_bytes: bytes as u64, connection_sparsity: None, neurons: 0, dense_operations: 0 }
    }

    fn spent(&self) -> Spent {
        self.spent
    }
}

const _: () = assert!(ALERTS.len() == 3, "a rule for each alert");
