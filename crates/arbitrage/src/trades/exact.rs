//! The best set, certainly: all sets of few lots one after another, or branch and bound over linear relaxations (Land and Doig, Econometrica
//! 28, 1960), each solved by clarabel's interior point.

use super::Trades;
use super::mended::mend;
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, NonnegativeConeT, SolverStatus};
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Sets that are enumerated, at most.
pub const MOST_SETS: u64 = 1 << 26;

/// What is known of the best set.
#[derive(Clone, PartialEq, Debug)]
pub struct Bounded {
    /// Lots of each order: they keep to all limits.
    pub lots: Vec<u32>,
    /// What they are worth.
    pub worth: i128,
    /// No set is worth more than this. If it is what the set found is worth, that is the best.
    pub bound: i128,
    /// Relaxations that were solved, or sets that were looked at.
    pub looked: u64,
}

impl Bounded {
    /// Is it the best there is?
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.bound <= self.worth
    }
}

/// Tries every set. Nothing if there are more than [`MOST_SETS`].
#[must_use]
pub fn enumerate(trades: &Trades) -> Option<Bounded> {
    let sets = trades.orders.iter().try_fold(1_u64, |sets, order| sets.checked_mul(u64::from(order.depth) + 1));
    let sets = sets.filter(|sets| *sets <= MOST_SETS)?;
    let n = trades.orders.len();
    let mut best = Bounded { lots: vec![0; n], worth: 0, bound: 0, looked: sets };
    let mut lots = vec![0; n];
    let (mut net, mut worth, mut used) = (vec![0_i128; trades.currencies], 0_i128, 0);
    // The next in order of counting: a lot more of the first that has one, none of those before it.
    while let Some(at) = (0..n).find(|at| lots[*at] < trades.orders[*at].depth) {
        for (order, of) in trades.orders.iter().enumerate().take(at + 1) {
            let change = if order == at { 1 } else { -i128::from(lots[order]) };
            net[of.gives.0] -= change * i128::from(of.gives.1);
            net[of.gets.0] += change * i128::from(of.gets.1);
            worth += change * i128::from(of.worth);
            let before = lots[order];
            lots[order] = if order == at { before + 1 } else { 0 };
            used = used + usize::from(lots[order] > 0) - usize::from(before > 0);
        }
        let paid = || net.iter().zip(&trades.short).all(|(net, short)| *net >= -i128::from(*short));
        if worth > best.worth && used <= trades.legs && paid() {
            (best.worth, best.lots) = (worth, lots.clone());
        }
    }
    best.bound = best.worth;
    Some(best)
}

/// Lots of each order, at least and at most.
#[derive(Clone)]
struct Node {
    low: Vec<u32>,
    high: Vec<u32>,
    bound: f64,
    lots: Vec<f64>,
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bound.total_cmp(&other.bound)
    }
}

/// Branches on the relaxation that promises most, from a set that is known, until none promises more or `most` were solved.
#[must_use]
pub fn branch(trades: &Trades, known: &[u32], most: u64) -> Bounded {
    let start = mend(trades, known);
    let mut best = Bounded { worth: trades.worth(&start), lots: start, bound: 0, looked: 0 };
    let mut open = BinaryHeap::new();
    let n = trades.orders.len();
    let root = (vec![0; n], trades.orders.iter().map(|order| order.depth).collect::<Vec<u32>>());
    let mut waiting = vec![root];
    // What is worth less than a unit more is worth nothing more.
    let promises = |bound: f64, worth: i128| bound >= worth as f64 + 1.0;
    loop {
        for (low, high) in waiting.drain(..) {
            best.looked += 1;
            let (bound, lots) = match relaxed(trades, &low, &high) {
                Relaxed::Best(bound, lots) => (bound, lots),
                Relaxed::Empty => continue,
                // Nothing is known of it: it may hold whatever its lots are worth at most.
                Relaxed::Unknown => (most_of(trades, &high), high.iter().map(|lots| f64::from(*lots) / 2.0).collect()),
            };
            if !promises(bound, best.worth) {
                continue;
            }
            let near: Vec<u32> = lots.iter().map(|lots| lots.round().max(0.0) as u32).collect();
            if trades.keeps(&near) && trades.worth(&near) > best.worth {
                (best.worth, best.lots) = (trades.worth(&near), near);
            } else if best.looked.is_power_of_two() {
                let near = mend(trades, &near);
                if trades.worth(&near) > best.worth {
                    (best.worth, best.lots) = (trades.worth(&near), near);
                }
            }
            open.push(Node { low, high, bound, lots });
        }
        let Some(node) = open.pop() else { break };
        if !promises(node.bound, best.worth) {
            break;
        }
        if best.looked >= most {
            best.bound = node.bound.floor() as i128;
            return best;
        }
        waiting = branches(&node);
    }
    best.bound = best.worth;
    best
}

/// The node, cut in two between the lots that are least whole; where all are whole, where a leg may still be left out.
fn branches(node: &Node) -> Vec<(Vec<u32>, Vec<u32>)> {
    let n = node.low.len();
    let free = || (0..n).filter(|at| node.low[*at] < node.high[*at]);
    let apart = |at: &usize| (node.lots[*at] - node.lots[*at].round()).abs();
    let Some(at) = free().max_by(|a, b| apart(a).total_cmp(&apart(b))) else { return Vec::new() };
    let cut = if apart(&at) > 1e-6 {
        (node.lots[at].floor().max(0.0) as u32).clamp(node.low[at], node.high[at] - 1)
    } else {
        // Whole numbers that are no answer use too many legs, or are a hair short: is one of them used at all?
        let Some(used) = free().max_by_key(|at| node.high[*at] - node.low[*at]) else { return Vec::new() };
        return halves(node, used, node.low[used]);
    };
    halves(node, at, cut)
}

fn halves(node: &Node, at: usize, cut: u32) -> Vec<(Vec<u32>, Vec<u32>)> {
    let (mut high, mut low) = (node.high.clone(), node.low.clone());
    (high[at], low[at]) = (cut, cut + 1);
    vec![(node.low.clone(), high), (low, node.high.clone())]
}

enum Relaxed {
    Best(f64, Vec<f64>),
    Empty,
    Unknown,
}

fn most_of(trades: &Trades, high: &[u32]) -> f64 {
    trades.orders.iter().zip(high).map(|(order, lots)| order.worth.max(0) as f64 * f64::from(*lots)).sum()
}

/// The best of lots that need not be whole. A leg of which there may be none counts for the part of its most lots that is used.
fn relaxed(trades: &Trades, low: &[u32], high: &[u32]) -> Relaxed {
    let n = low.len();
    let free: Vec<usize> = (0..n).filter(|at| low[*at] < high[*at]).collect();
    let scale = trades.scale();
    let most = trades.orders.iter().map(|order| order.worth.unsigned_abs()).max().unwrap_or(1).max(1) as f64;
    let fixed: i128 = trades.worth(low);
    let net = trades.net(low);
    let used = low.iter().filter(|lots| **lots > 0).count();
    // Rows, each at most its right side: currencies, legs, then what each is at most and at least, from `low` on.
    let mut right: Vec<f64> = (0..trades.currencies)
        .map(|c| (net[c] + i128::from(trades.short[c])) as f64 * trades.mark(c) / scale)
        .collect();
    right.push(trades.legs as f64 - used as f64);
    if free.is_empty() {
        return if trades.keeps(low) {
            Relaxed::Best(fixed as f64, low.iter().map(|l| f64::from(*l)).collect())
        } else {
            Relaxed::Empty
        };
    }
    let legs = trades.currencies;
    let (mut starts, mut rows, mut values) = (vec![0], Vec::new(), Vec::new());
    for (column, &at) in free.iter().enumerate() {
        let order = &trades.orders[at];
        let mut entries = vec![
            (order.gives.0, trades.value(order.gives) / scale),
            (order.gets.0, -trades.value(order.gets) / scale),
            (legs + 1 + 2 * column, 1.0),
            (legs + 2 + 2 * column, -1.0),
        ];
        if low[at] == 0 {
            entries.push((legs, 1.0 / f64::from(high[at])));
        }
        entries.sort_by_key(|entry| entry.0);
        rows.extend(entries.iter().map(|entry| entry.0));
        values.extend(entries.iter().map(|entry| entry.1));
        starts.push(rows.len());
        right.extend([f64::from(high[at] - low[at]), 0.0]);
    }
    let a = CscMatrix::new(right.len(), free.len(), starts, rows, values);
    let p = CscMatrix::new(free.len(), free.len(), vec![0; free.len() + 1], Vec::new(), Vec::new());
    let q: Vec<f64> = free.iter().map(|at| -trades.orders[*at].worth as f64 / most).collect();
    let settings = DefaultSettings {
        verbose: false,
        max_threads: 1,
        tol_gap_abs: 1e-9,
        tol_gap_rel: 1e-9,
        ..DefaultSettings::default()
    };
    let cones = [NonnegativeConeT(right.len())];
    let Ok(mut solver) = DefaultSolver::new(&p, &q, &a, &right, &cones, settings) else { return Relaxed::Unknown };
    solver.solve();
    let solution = &solver.solution;
    match solution.status {
        SolverStatus::Solved | SolverStatus::AlmostSolved => {}
        SolverStatus::PrimalInfeasible => return Relaxed::Empty,
        _ => return Relaxed::Unknown,
    }
    // The dual's value, in whole: what is off of its equations costs as much as the lots are wide.
    let mut bound: f64 = solution.z.iter().zip(&right).map(|(z, right)| z.max(0.0) * right).sum();
    for (column, &at) in free.iter().enumerate() {
        let entries = a.colptr[column]..a.colptr[column + 1];
        let priced: f64 = entries.map(|entry| a.nzval[entry] * solution.z[a.rowval[entry]].max(0.0)).sum();
        bound += (-q[column] - priced).max(0.0) * f64::from(high[at] - low[at]);
    }
    let mut lots: Vec<f64> = low.iter().map(|lots| f64::from(*lots)).collect();
    free.iter().zip(&solution.x).for_each(|(at, x)| lots[*at] += x);
    Relaxed::Best(fixed as f64 + bound * most, lots)
}
